"""What every adapter of a published family offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from routing.model.plan import Plan
from routing.model.problem import Problem


@dataclass(frozen=True, slots=True)
class Verdict:
    """A plan judged by the instance file alone: `objective` in the family's own convention, None where infeasible."""

    objective: float | None
    vehicles: int
    faults: tuple[str, ...] = ()

    @property
    def feasible(self) -> bool:
        """True when the plan breaks no rule of the family and serves everything."""
        return not self.faults


@dataclass(frozen=True)
class PublishedInstance:
    """An instance as read: the problem for the solver, the judge, and the best published value (None: not known).

    `judge` reads the plan's routes and the raw figures of the file, never the problem.
    """

    family: str
    name: str
    problem: Problem
    judge: Callable[[Plan], Verdict]
    best_known: float | None
    best_vehicles: int | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A published family: how one of its files is read, and which files of a folder are instances."""

    name: str
    read: Callable[[Path], PublishedInstance]
    pattern: str
    """Glob below a folder that finds the instance files."""
