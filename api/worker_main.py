"""The worker process: ``python -m api.worker_main NAME SERVER`` with its settings in the environment."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections import deque
from functools import partial

from api.jobs import work
from api.processes import end_with_parent, give_way
from api.settings import Settings
from api.store import Store, open_engine
from api.tracing import tracing_of_environment
from api.work import run_job

HELD_NETWORKS = 3
"""Networks used last that a worker prefers jobs of; what it holds in memory of them is read much quicker."""


def run_worker(settings: Settings, worker_id: str) -> None:
    """Take jobs until a signal says to stop; a job in work is then left to another worker."""
    give_way(settings.worker_niceness)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stopping.set())
    threading.Thread(target=_load_programs, daemon=True, name="programs").start()
    store = Store(open_engine(settings.url))
    tracing = tracing_of_environment()
    held: deque[str] = deque(maxlen=HELD_NETWORKS)
    work(settings, store, worker_id, partial(run_job, settings, store, tracing=tracing, held=held), stopping)
    tracing.close()


def _load_programs() -> None:
    """Load what the first job would wait for, some seconds of the processor: the solver and its machine code."""
    import routing.pipeline  # noqa: PLC0415
    import routing.replan.replanning  # noqa: F401, PLC0415
    from routing.solver import Limits, solve  # noqa: PLC0415
    from routing.solver.tiny_days import tiny_days  # noqa: PLC0415

    solve(tiny_days()["general"], Limits(None, 1), 1)


def main() -> None:
    """Run the worker named on the command line, as long as the server whose process id follows lives."""
    end_with_parent(int(sys.argv[2]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run_worker(Settings(), sys.argv[1])
    logging.shutdown()
    os._exit(0)  # the thread of a job in work would hold the process; the job is taken up again


if __name__ == "__main__":
    main()
