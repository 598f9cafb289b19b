"""``python -m routing.solver.precompile``: compile the search and the special engines once, by tiny days.

Without it the first day planned pays for that, up to a minute. The machine code is kept beside the
source, or for the user where that cannot be written.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from routing.solver.planner import solve
from routing.solver.stopping import Limits
from routing.solver.tiny_days import tiny_days
from routing.trips.search import prepare

_MOVES = 20
_TRIPS = "trips"


def main() -> None:
    """Compile every engine, as many at a time as there are processors, and say what each took."""
    names = [*tiny_days(), _TRIPS]
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1), get_context("spawn")) as pool:
        for name, seconds in zip(names, pool.map(_prepare, names), strict=True):
            sys.stdout.write(f"{name}: ready after {seconds:.1f} s\n")
            sys.stdout.flush()


def _prepare(name: str) -> float:
    """Compile what plans a tiny day, or trips; return the seconds it took."""
    begun = time.perf_counter()
    if name == _TRIPS:
        prepare()
    else:
        solve(tiny_days()[name], Limits(None, _MOVES), 1)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
