"""The engine for days whose goods are picked up anywhere and delivered anywhere, one round a vehicle."""

from __future__ import annotations

from threading import Thread

from routing.model.problem import Problem
from routing.solver.pairs.compile import Compiled, compile_pairs, suits
from routing.solver.pairs.first_plan import first_rounds
from routing.solver.pairs.plan import make_plan
from routing.solver.portfolio import Engine, EngineAnswer
from routing.solver.stopping import Clock

_CACHED_S = 1.5
"""Loading the compiled loops from their cache takes no longer than this; else they are being compiled."""
_LOOK_S = 0.1
"""While waiting for the compiler the clock is looked at so often."""


def search(problem: Problem, clock: Clock, seed: int) -> EngineAnswer | None:
    """Plan a day that `suits`; where the compiler takes longer than the time there is, by plain insertion."""
    compiled = compile_pairs(problem)
    clock.report("construction", None, 0, force=True)
    first = _plain_plan_while_compiling(compiled, clock)
    if first is not None:
        return EngineAnswer(make_plan(compiled, first), 0)
    from routing.solver.pairs.search import PairSearch  # noqa: PLC0415 # loads the compiler, see `_load`

    found = PairSearch(compiled, clock, seed)
    found.run()
    return EngineAnswer(make_plan(compiled, found.best_rounds()), clock.iteration)


def _load() -> None:
    from routing.solver.pairs.search import warm_up  # noqa: PLC0415 # loads the compiler, which takes half a second

    warm_up()


def _plain_plan_while_compiling(compiled: Compiled, clock: Clock) -> list[list[int]] | None:
    """Wait for the compiled loops; return None when they are ready, a first plan when there is no time to wait on.

    The thread is not a daemon: a compiler must not be torn out of a process that ends, and what it makes is kept.
    """
    loader = Thread(target=_load, name="pairs-compiler")
    loader.start()
    loader.join(_CACHED_S)
    rounds = None
    while loader.is_alive():
        if rounds is None:
            rounds = first_rounds(compiled.day, lambda: clock.building_over() or not loader.is_alive())
        if clock.building_over():
            return rounds
        loader.join(_LOOK_S)
    return None


ENGINE = Engine("pairs", suits, search)
