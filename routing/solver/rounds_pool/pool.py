"""The pool: vehicles' days met by the searches, and the master's best choice among them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from routing.solver.master import choose_columns, partition
from routing.solver.rounds_pool.figures import RoundsDay
from routing.solver.rounds_pool.plan import Day, VehicleDays

MAX_COLUMNS = 12_000
"""Larger masters take HiGHS longer than they gain."""


class Pool:
    """The cheapest day met for every class of vehicle and set of clients."""

    def __init__(self, day: RoundsDay) -> None:
        self._day = day
        self._columns: dict[tuple[int, frozenset[int]], tuple[float, Day]] = {}
        self._fresh = 0

    def __len__(self) -> int:
        return len(self._columns)

    def add(self, kind: int, rounds: Day) -> None:
        """Add a day a vehicle of a class can do; the latest met are kept when there are too many."""
        key = (kind, frozenset(client for clients in rounds for client in clients))
        known = self._columns.pop(key, None)
        if known is None or known[1] != rounds:
            money = cost_of_day(self._day, kind, rounds)
            known = (money, rounds) if known is None or money < known[0] else known
        self._columns[key] = known
        if len(self._columns) > MAX_COLUMNS:
            del self._columns[next(iter(self._columns))]

    def add_all(self, days: VehicleDays) -> None:
        """Add every day in use."""
        for vehicle, rounds in enumerate(days):
            if rounds:
                self.add(int(self._day.figures.kind[vehicle]), rounds)

    def best(
        self,
        incumbent: VehicleDays,
        time_limit_s: float | None,
        cancelled: Callable[[], bool],
        nodes: int | None = None,
    ) -> VehicleDays | None:
        """Return the cheapest choice of pooled days HiGHS finds from the incumbent, None where it finds nothing."""
        self.add_all(incumbent)
        figures = self._day.figures
        keys = list(self._columns)
        n = len(figures.early)
        counts = np.bincount(figures.kind, minlength=len(figures.base))
        columns = partition(
            [self._columns[key][0] for key in keys],
            [sorted(members) for _, members in keys],
            n,
            groups=[kind for kind, _ in keys],
            group_sizes=[int(count) for count in counts],
            optional=[float(price) for price in figures.left_cost],
        )
        place = {key: k for k, key in enumerate(keys)}
        hint = [place[key] for key in _keys(self._day, incumbent)]
        served = {client for rounds in incumbent for clients in rounds for client in clients}
        hint += [len(keys) + client for client in range(n) if client not in served]
        choice = choose_columns(columns, time_limit_s, hint=hint, cancelled=cancelled, nodes=nodes)
        if choice is None:
            return None
        return self._assigned([keys[k] for k in choice.columns if k < len(keys)])

    def _assigned(self, keys: list[tuple[int, frozenset[int]]]) -> VehicleDays:
        waiting: dict[int, list[Day]] = {}
        for key in keys:
            waiting.setdefault(key[0], []).append(self._columns[key][1])
        days: list[Day] = []
        for kind in self._day.figures.kind:
            alike = waiting.get(int(kind), [])
            days.append(alike.pop() if alike else ())
        return tuple(days)


def _keys(day: RoundsDay, days: VehicleDays) -> list[tuple[int, frozenset[int]]]:
    return [
        (int(day.figures.kind[vehicle]), frozenset(client for clients in rounds for client in clients))
        for vehicle, rounds in enumerate(days)
        if rounds
    ]


def cost_of_day(day: RoundsDay, kind: int, rounds: Day) -> float:
    """Return the cost of one vehicle's day: fixed cost and all ways."""
    figures = day.figures
    cost, base = figures.cost[kind], int(figures.base[kind])
    money = float(figures.fixed[kind])
    for clients in rounds:
        nodes = np.array([base, *clients, base])
        money += float(cost[nodes[:-1], nodes[1:]].sum())
    return money


def cost_of_days(day: RoundsDay, days: VehicleDays) -> float:
    """Return the cost of all days and of the orders left out."""
    served = {client for rounds in days for clients in rounds for client in clients}
    left = sum(float(price) for client, price in enumerate(day.figures.left_cost) if client not in served)
    used = sum(
        cost_of_day(day, int(kind), rounds) for kind, rounds in zip(day.figures.kind, days, strict=True) if rounds
    )
    return left + used
