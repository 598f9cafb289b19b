"""Who searches when: string removals, PyVRP and the master in turn, as long as the limits allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from routing.model.problem import Problem
from routing.solver.portfolio import EngineAnswer
from routing.solver.rounds_pool.annealing import Annealing
from routing.solver.rounds_pool.figures import compile_day
from routing.solver.rounds_pool.local_search import PyvrpSearch
from routing.solver.rounds_pool.plan import VehicleDays, make_plan
from routing.solver.rounds_pool.pool import Pool, cost_of_days
from routing.solver.stopping import Clock

_RESERVE_SHARE, _RESERVE_S, _RESERVE_PER_ORDER_S = 0.01, 0.1, 0.0003
"""Kept back from the time limit to make and check the plan."""
_HOT, _COLD = 0.3, 0.01
"""Temperatures at the beginning and end as shares of the mean cost of an order."""
_MOVES_A_SLICE = 200
_LOCAL_A_SLICE = 20
"""Moves of the string removals and iterations of PyVRP that count as one iteration of the clock."""
_MASTER_S = 4.0
"""The master gets at most that, and at most a tenth of the time."""


@dataclass(frozen=True, slots=True)
class _Phase:
    """Until `share` of the effort is used, `work` is done."""

    share: float
    work: str


_ONE_ROUND = (_Phase(0.3, "strings"), _Phase(0.85, "pyvrp"), _Phase(0.95, "master"), _Phase(1.0, "strings"))
_SEVERAL_ROUNDS = (_Phase(0.7, "strings"), _Phase(0.8, "master"), _Phase(1.0, "strings"))


class Driver:
    """One run of the engine."""

    def __init__(self, problem: Problem, clock: Clock, seed: int) -> None:
        self._problem, self._clock, self._seed = problem, clock, seed
        self._day = compile_day(problem)
        self._pool = Pool(self._day)
        self._strings = Annealing(self._day, seed)
        self._best: VehicleDays = ()
        self._best_cost = float("inf")

    def run(self) -> EngineAnswer | None:
        """Search until the limits are reached and return the best plan."""
        self._strings.run(1, 0.0)
        self._take(self._strings.best)
        several = bool((self._day.figures.rounds > 1).any())
        work: dict[str, Callable[[float, float], None]] = {
            "strings": self._anneal,
            "pyvrp": self._improve_locally,
            "master": self._choose,
        }
        begun = 0.0
        for phase in _SEVERAL_ROUNDS if several else _ONE_ROUND:
            if not self._done(phase.share):
                work[phase.work](begun, phase.share)
            begun = phase.share
        if not any(self._best):
            return None
        return EngineAnswer(make_plan(self._day, self._best), self._clock.iteration)

    def _share(self) -> float:
        clock = self._clock
        if clock.deterministic or clock.limits.time_limit_s is None:
            return clock.share_done()
        limit_s = clock.limits.time_limit_s
        reserve_s = _RESERVE_SHARE * limit_s + _RESERVE_S + _RESERVE_PER_ORDER_S * len(self._problem.orders)
        return clock.elapsed_s / max(1e-9, limit_s - min(reserve_s, 0.2 * limit_s))

    def _done(self, share: float) -> bool:
        return self._clock.interrupted() or self._share() >= share

    def _take(self, days: VehicleDays) -> None:
        """Keep days that are cheaper than the best so far."""
        money = cost_of_days(self._day, days)
        if money < self._best_cost - 1e-6:
            self._best, self._best_cost = days, money
        served = sum(len(clients) for rounds in self._best for clients in rounds)
        self._clock.report("improvement", self._best_cost, served)

    def _anneal(self, begun: float, until: float) -> None:
        self._strings.restart(self._best)
        orders = len(self._problem.orders)
        while not self._done(until):
            share = min(1.0, self._share() if begun == 0.0 else 1.0)
            share = share / until if begun == 0.0 else 1.0
            unit = self._strings.best_cost / orders
            before = self._strings.best_cost
            now = self._strings.run(_MOVES_A_SLICE, unit * _HOT * (_COLD / _HOT) ** min(1.0, share))
            self._clock.iteration += 1
            self._pool.add_all(self._strings.current)
            if now < before:
                self._take(self._strings.best)

    def _improve_locally(self, begun: float, until: float) -> None:
        local = PyvrpSearch(self._day, self._pool.add_all)
        count = 0

        def stop() -> bool:
            nonlocal count
            count += 1
            if count % _LOCAL_A_SLICE == 0:
                self._clock.iteration += 1
            return self._done(until)

        found = local.run(self._best, stop, self._seed)
        if found is not None:
            self._take(found)

    def _choose(self, begun: float, until: float) -> None:
        limit_s = self._clock.limits.time_limit_s
        time_s = None if self._clock.deterministic else min(_MASTER_S, 0.1 * (limit_s or 60.0))
        found = self._pool.best(self._best, time_s, self._clock.interrupted)
        if found is not None:
            self._take(found)
