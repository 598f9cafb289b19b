"""The relay engine as the portfolio knows it."""

from __future__ import annotations

from routing.model.problem import Problem
from routing.solver.portfolio import Engine, EngineAnswer
from routing.solver.relay.day import suits
from routing.solver.stopping import Clock


def _search(problem: Problem, clock: Clock, seed: int) -> EngineAnswer | None:
    from routing.solver.relay.search import search_relay  # noqa: PLC0415 # loads the compiler, only where it is needed

    return search_relay(problem, clock, seed)


ENGINE = Engine("relay", suits, _search)
