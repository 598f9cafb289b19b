"""The engine for days whose goods are picked up anywhere and delivered anywhere, one round a vehicle."""

from __future__ import annotations

from routing.model.problem import Problem
from routing.solver.pairs.compile import suits
from routing.solver.portfolio import Engine, EngineAnswer
from routing.solver.stopping import Clock


def search(problem: Problem, clock: Clock, seed: int) -> EngineAnswer | None:
    """Plan a day that `suits`."""
    # Imported late: the compiled search takes long to load and few runs need it.
    from routing.solver.pairs.search import search_pairs  # noqa: PLC0415

    return search_pairs(problem, clock, seed)


ENGINE = Engine("pairs", suits, search)
