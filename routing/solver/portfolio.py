"""Engines for days of a special shape, chosen by the features of a problem and never by names.

The general search of `planner` handles every problem. An engine is faster or better where a day lacks some features:
no timetable, no transfer, one round a vehicle, and so on. What it returns passes the same gate and the same checker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.solver.stopping import Clock


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """Timed routes of the orders served (`unassigned` is left empty), moves made, and a proved bound or None."""

    plan: Plan
    iterations: int
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """One special search.

    `suits` says whether every feature of the problem is one the engine knows. `search` plans until the clock says so
    and returns None where it found nothing; then the general search takes over.
    """

    name: str
    suits: Callable[[Problem], bool]
    search: Callable[[Problem, Clock, int], EngineAnswer | None]


def engine_for(problem: Problem, engines: Sequence[Engine] | None = None) -> Engine | None:
    """Return the first engine that suits the problem (of all there are), None where only the general search does."""
    if engines is None:
        from routing.solver.engines import ENGINES  # noqa: PLC0415 # engines are made of the types above

        engines = ENGINES
    return next((engine for engine in engines if engine.suits(problem)), None)
