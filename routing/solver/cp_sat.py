"""CP-SAT as the searches use it: one thread, repeatable, and stopped when the caller asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ortools.sat.python import cp_model

_WATCH_S = 0.2
"""Seconds between two looks at the wish of the caller to stop."""


def new_solver(seed: int, deterministic_time: float, time_s: float | None) -> cp_model.CpSolver:
    """Return a solver bounded by deterministic time and, unless None, by seconds of wall time."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False  # else it takes Ctrl-C from the caller, for good
    solver.parameters.cp_model_probing_level = 0  # it took three quarters of the time
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = deterministic_time
    if time_s is not None:
        solver.parameters.max_time_in_seconds = time_s
    return solver


@contextmanager
def watch(solver: cp_model.CpSolver, stopped: Callable[[], bool]) -> Iterator[None]:
    """Stop the solver's search when the caller asks to; the thread ends with the block."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_WATCH_S):
            if stopped():
                solver.stop_search()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
