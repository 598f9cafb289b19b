"""The engine for days in two echelons, as `portfolio` knows it."""

from __future__ import annotations

from routing.model.problem import Problem
from routing.solver.echelons.network import suits
from routing.solver.portfolio import Engine, EngineAnswer
from routing.solver.stopping import Clock


def search(problem: Problem, clock: Clock, seed: int) -> EngineAnswer | None:
    """Plan a day that `suits`; None where no truck reaches a station."""
    # Imported late: few runs need it, and its solvers take long to load.
    from routing.solver.echelons.search import plan_echelons  # noqa: PLC0415

    return plan_echelons(problem, clock, seed)


ENGINE = Engine("echelons", suits, search)
"""Trucks from hubs to stations, and from there by vehicles of the stations to the doors."""
