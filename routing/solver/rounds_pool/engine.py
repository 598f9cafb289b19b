"""The engine for days of road rounds: two searches feed one pool of days, a master picks the best of all."""

from __future__ import annotations

from routing.model.problem import Problem
from routing.solver.portfolio import Engine, EngineAnswer
from routing.solver.rounds_pool.features import suits
from routing.solver.stopping import Clock


def search(problem: Problem, clock: Clock, seed: int) -> EngineAnswer | None:
    """Plan a day that `suits`; None where no order could be served."""
    # Imported late: the compiled search takes long to load and few runs need it.
    from routing.solver.rounds_pool.driver import Driver  # noqa: PLC0415

    return Driver(problem, clock, seed).run()


ENGINE = Engine("rounds-pool", suits, search)
