"""Who searches when: string removals, PyVRP and the master in turn, as long as the limits allow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from routing.model.problem import Problem
from routing.solver.portfolio import EngineAnswer
from routing.solver.rounds_pool.annealing import Annealing, loading
from routing.solver.rounds_pool.figures import RoundsDay, compile_day
from routing.solver.rounds_pool.local_search import PyvrpSearch
from routing.solver.rounds_pool.plan import VehicleDays, make_plan
from routing.solver.rounds_pool.pool import Pool, cost_of_days
from routing.solver.rounds_pool.round_pool import RoundPool
from routing.solver.stopping import Clock

_RESERVE_SHARE, _RESERVE_S, _RESERVE_PER_ORDER_S = 0.01, 0.1, 0.0003
"""Kept back from the time limit to make and check the plan."""
_MOVES_A_SLICE, _MOVES_AN_ORDER_A_SLICE, _ITERATIONS_A_SLICE = 50, 0.5, 20
"""Moves of the string removals (at least, and by orders: reading a plan takes as long as moving many orders) and
iterations of PyVRP that count as one iteration of the clock."""
_LOADING_S, _LOOK_S = 3.0, 0.05
"""Loading the compiled search from its cache takes no longer than this; seconds between two looks."""
_UNCOMPILED_SHARE = 0.85
"""Share of the effort before the master chooses where the compiled search is not there."""
_MASTER_S, _MASTER_SHARE = 5.0, 0.12
_MASTER_NODES = 100
"""The master gets at most that long, that share of the time limit, and (effort being counted) nodes of its tree."""


@dataclass(frozen=True, slots=True)
class _Phase:
    """Until the share `until` of the effort is used, `work` is done.

    String removals cool from `hot` to `cold`, shares of the mean cost of an order. PyVRP begins with a plan of its own:
    it accepts what is better than where it began, so from a good plan it gets stuck sooner.
    """

    until: float
    work: Literal["strings", "pyvrp", "master"]
    hot: float = 0.0
    cold: float = 0.0


_LONG_ROUND, _FEW_ORDERS = 15.0, 250
"""Orders of a round in the first plan from which on, on days of few orders, PyVRP gets most of the time."""
_LEAST_HOT, _HOT_PER_SQUARE, _MOST_HOT = 0.3, 0.0025, 10.0
"""Where vehicles make one round, the start is hotter the longer rounds are: to empty a round, as many clients as it has
must go elsewhere, one move after the other. Measured: 0.3 is best with 11 clients a round (colder and hotter starts end
0.2 to 0.6 % farther off), 3 to 10 with fifty."""
_ONE_ROUND = (
    _Phase(0.70, "strings", _LEAST_HOT, 0.02),
    _Phase(0.78, "master"),
    _Phase(1.00, "strings", 0.1, 0.01),
)
_FEW_IN_LONG_ROUNDS = (
    _Phase(0.06, "strings", 0.1, 0.01),
    _Phase(0.90, "pyvrp"),
    _Phase(0.96, "master"),
    _Phase(1.00, "strings", 0.02, 0.005),
)
_SEVERAL_ROUNDS = (
    _Phase(0.70, "strings", 1.0, 0.02),
    _Phase(0.76, "master"),
    _Phase(0.90, "strings", 0.1, 0.01),
    _Phase(0.94, "master"),
    _Phase(1.00, "strings", 0.02, 0.005),
)


class Driver:
    """One run of the engine."""

    def __init__(self, problem: Problem, clock: Clock, seed: int) -> None:
        self._problem, self._clock, self._seed = problem, clock, seed
        self._day = compile_day(problem)
        self._pool = _pool_for(self._day)
        self._moves_a_slice = max(_MOVES_A_SLICE, round(_MOVES_AN_ORDER_A_SLICE * len(problem.orders)))
        self._best: VehicleDays = ()
        self._origin = 0.0
        self._best_cost = float("inf")

    def run(self) -> EngineAnswer | None:
        """Search until the limits are reached and return the best plan, None where nothing could be served."""
        loader = loading(self._day)
        if not self._loaded_soon(loader):
            self._improve_until_loaded(loader)
        if loader.is_alive():
            self._choose()
            return self._answer()
        self._origin = self._share()
        self._strings = Annealing(self._day, self._seed)
        self._strings.run(1, 0.0)
        self._take(self._strings.best)
        begun = 0.0
        for phase in _phases(self._day, self._best):
            if not self._done(phase.until):
                self._work(phase, begun)
            begun = phase.until
        return self._answer()

    def _answer(self) -> EngineAnswer | None:
        if not any(self._best):
            return None
        return EngineAnswer(make_plan(self._day, self._best), self._clock.iteration)

    def _loaded_soon(self, loader: threading.Thread) -> bool:
        """Wait for the compiled search; return False where it is not there soon: it is being compiled then."""
        begun = self._clock.elapsed_s
        while loader.is_alive() and not self._clock.interrupted():
            loader.join(_LOOK_S)
            if not self._clock.deterministic and self._clock.elapsed_s - begun > _LOADING_S:
                break
        return not loader.is_alive()

    def _improve_until_loaded(self, loader: threading.Thread) -> None:
        """Search by PyVRP until the search is compiled (a first run) or loaded (a busy machine)."""
        local = PyvrpSearch(self._day, self._pool.add_all)
        self._take(local.first(self._seed))
        self._improve_locally(lambda: not loader.is_alive() or self._done(_UNCOMPILED_SHARE))

    def _work(self, phase: _Phase, begun: float) -> None:
        if phase.work == "strings":
            self._anneal(phase, begun)
        elif phase.work == "pyvrp":
            self._improve_locally(lambda: self._done(phase.until), anew=True)
        else:
            self._choose()

    def _share(self) -> float:
        """Return how much is used of the effort there was when all searches were there."""
        return (self._whole_share() - self._origin) / max(1e-9, 1.0 - self._origin)

    def _whole_share(self) -> float:
        """Return how much of the effort is used."""
        limit_s = self._clock.limits.time_limit_s
        if self._clock.deterministic or limit_s is None:
            return self._clock.share_done()
        reserve_s = _RESERVE_SHARE * limit_s + _RESERVE_S + _RESERVE_PER_ORDER_S * len(self._problem.orders)
        return self._clock.elapsed_s / max(1e-9, limit_s - min(reserve_s, 0.2 * limit_s))

    def _done(self, until: float) -> bool:
        return self._share() >= until or self._clock.interrupted()

    def _take(self, days: VehicleDays) -> None:
        """Keep days that are cheaper than the best so far."""
        money = cost_of_days(self._day, days)
        if money < self._best_cost - 1e-6:
            self._best, self._best_cost = days, money
        served = sum(len(clients) for rounds in self._best for clients in rounds)
        self._clock.report("improvement", self._best_cost, served)

    def _anneal(self, phase: _Phase, begun: float) -> None:
        self._strings.restart(self._best)
        while not self._done(phase.until):
            share = (self._share() - begun) / (phase.until - begun)
            heat = phase.hot * (phase.cold / phase.hot) ** min(1.0, max(0.0, share))
            before = self._strings.best_cost
            now = self._strings.run(self._moves_a_slice, heat * before / len(self._problem.orders))
            self._clock.iteration += 1
            self._pool.add_all(self._strings.current)
            if now < before:
                self._take(self._strings.best)

    def _improve_locally(self, over: Callable[[], bool], *, anew: bool = False) -> None:
        local = PyvrpSearch(self._day, self._pool.add_all)
        count = 0

        def stop() -> bool:
            nonlocal count
            count += 1
            if count % _ITERATIONS_A_SLICE == 0:
                self._clock.iteration += 1
                self._take(self._best)
            return over()

        found = local.run(None if anew else self._best, stop, self._seed)
        if found is not None:
            self._take(found)

    def _choose(self) -> None:
        """Let the master choose; with limited iterations its tree is limited and not its time."""
        limit_s = self._clock.limits.time_limit_s or _MASTER_S / _MASTER_SHARE
        if self._clock.deterministic:
            found = self._pool.best(self._best, None, self._clock.interrupted, _MASTER_NODES)
        else:
            found = self._pool.best(self._best, min(_MASTER_S, _MASTER_SHARE * limit_s), self._clock.interrupted)
        if found is not None:
            self._take(found)


def _phases(day: RoundsDay, first: VehicleDays) -> tuple[_Phase, ...]:
    """Return the phases by size and features of the day and its first plan."""
    if (day.figures.rounds > 1).any():
        return _SEVERAL_ROUNDS
    rounds = [len(clients) for vehicle in first for clients in vehicle]
    long = sum(rounds) > _LONG_ROUND * max(1, len(rounds)) and sum(rounds) <= _FEW_ORDERS
    if long:
        return _FEW_IN_LONG_ROUNDS
    hot = min(max(_LEAST_HOT, _HOT_PER_SQUARE * _clients_of_a_full_round(day, rounds) ** 2), _MOST_HOT)
    return (replace(_ONE_ROUND[0], hot=hot), *_ONE_ROUND[1:])


def _clients_of_a_full_round(day: RoundsDay, counts: list[int]) -> float:
    """Return how many clients a good plan's rounds will have: as many as loads allow, at most twice a first plan's."""
    figures = day.figures
    loads = np.maximum(figures.brought.sum(axis=1), figures.taken.sum(axis=1))
    rounds = max(1.0, float(np.ceil(loads / np.maximum(1, figures.room.max(axis=0))).max()))
    return min(len(figures.early) / rounds, 2.0 * sum(counts) / max(1, len(counts)))


def _pool_for(day: RoundsDay) -> Pool | RoundPool:
    """Return the pool that fits: of rounds where equal vehicles may make any number at no cost of their own."""
    figures = day.figures
    free = bool((figures.rounds >= len(figures.early)).all() and (figures.fixed == 0.0).all())
    return RoundPool(day) if free else Pool(day)
