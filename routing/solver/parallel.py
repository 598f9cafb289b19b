"""One day planned by several processes, on any ``concurrent.futures`` executor: of this machine or of a cluster.

They search parts of one plan side by side (`crew`). Days of a special shape, and days whose itineraries are fixed
beforehand, are planned by each of them with another seed instead, and the best plan is kept. With a limit of
iterations the outcome is as repeatable as that of one search.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass

from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.solver.crew import Crew
from routing.solver.planner import Solution, solve, special_engine
from routing.solver.stopping import Limits, Progress

_LOOK_S = 0.5
"""How often a caller who waits for other searches is asked whether to go on."""
_GRACE_S = 5.0
"""How long past the time limit other searches are waited for, beside a fifth of the limit."""


@dataclass(frozen=True, slots=True)
class Helpers:
    """Where further searches run, and how many of them beside the caller's own."""

    executor: Executor
    count: int


def solve_together(
    problem: Problem,
    limits: Limits,
    seed: int,
    helpers: Helpers | None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    so_far: Callable[[Plan], None] | None = None,
) -> Solution:
    """Return the solution that this process and `helpers.count` others find; effort is that of each of them.

    Parameters
    ----------
    helpers
        None: only this process searches. The problem and plans travel pickled.
    progress, cancelled, so_far
        As of `solve`, for the search in this process; once cancelled, others are not waited for any more.

    Raises
    ------
    Exception
        What a helper's search raises. A helper whose process is gone is done without.
    """
    if helpers is None or helpers.count == 0:
        return solve(problem, limits, seed, progress, cancelled, so_far)
    if not limits.sequential and special_engine(problem, limits) is None:
        crew = Crew(helpers.executor, helpers.count, problem, limits)
        return solve(problem, limits, seed, progress, cancelled, so_far, crew)
    others = [helpers.executor.submit(solve, problem, limits, seed + k) for k in range(1, helpers.count + 1)]
    own = solve(problem, limits, seed, progress, cancelled, so_far)
    found = [own, *_gather(others, limits, cancelled)]
    return min(found, key=lambda solution: solution.cost.total)  # of equals the first, which is the lowest seed


def _gather(others: list[Future[Solution]], limits: Limits, cancelled: Callable[[], bool] | None) -> list[Solution]:
    """Return the solutions of the others that come in time, in the order of their seeds; all without a time limit."""
    left_s = None if limits.time_limit_s is None else _GRACE_S + 0.2 * limits.time_limit_s
    while not (cancelled is not None and cancelled()):
        _, pending = wait(others, timeout=_LOOK_S)
        left_s = None if left_s is None else left_s - _LOOK_S
        if not pending or (left_s is not None and left_s <= 0.0):
            break
    for future in others:
        future.cancel()
    done = [future for future in others if future.done() and not future.cancelled()]
    return [future.result() for future in done if not isinstance(future.exception(), BrokenExecutor)]
