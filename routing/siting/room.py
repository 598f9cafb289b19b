"""Capacities over years and scenarios, for any measure: one mixed-integer programme, exact or with its gap.

`routing.siting.capacitated` answers the plain question (one year, the usual day, the mean) on whole counties; this
model takes what that one does not. Per year t, day s, settlement i and site j, x is the share served there::

    Σ_j x_tsij + u_tsi = 1,   x_tsij ≤ Σ_{o of j} y_to ≤ 1,   Σ_i d_i x_tsij ≤ Σ_{o of j} q_o y_to,   y_to ≤ y_t+1,o

u is the share without room or way. On the usual day of the last year it is 0: the answer has room for everyone in
reach. In the years before, and on days with a closed road or a lost line, it counts as a way nobody walks. The measure
is the mean of the settlements' walks or the mean of the worst-off share of people (Rockafellar and Uryasev 2000), in
which a settlement that is split between points counts with its mean.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from routing.siting.programme import Programme
from routing.siting.question import AccessQuestion, BoolArray, CapacityQuestion, FloatArray, IntArray

SHARE_TOLERANCE = 1e-7
PROVEN = 1e-6


@dataclass(frozen=True)
class RoomQuestion:
    """What is asked.

    Parameters
    ----------
    room
        Options, capacities, prices, what must or may not open, and the load of each settlement; its `cost` says where
        a settlement may be served on the usual day (finite) and its `at_most` and `budget` are not used.
    access
        Shape (g, s, n, m): what it takes people of pace g of settlement i to get to site j on day s.
    usable
        Shape (s, n, m): where a settlement may be served on a day.
    weight
        Shape (g, n): people of each pace.
    left_out
        What being without service counts as.
    limits
        Limits by year, measure and how days are combined, as of a question of access.
    """

    room: CapacityQuestion
    access: FloatArray
    usable: BoolArray
    weight: FloatArray
    left_out: float
    limits: AccessQuestion


@dataclass(frozen=True)
class RoomAnswer:
    """Options open in each year (empty: none found), the measure's mean over years with a bound, and who goes where.

    `served` holds (settlement, site, share) arrays of the last year's usual day.
    """

    options: tuple[tuple[int, ...], ...]
    value: float
    bound: float
    proven: bool
    served: tuple[IntArray, IntArray, FloatArray]
    infeasible: bool = False

    @property
    def gap(self) -> float:
        """Relative distance between value and bound; 0 when proven, 1 where nothing was found."""
        if self.proven:
            return 0.0
        return max(0.0, self.value - self.bound) / max(self.value, 1e-12) if np.isfinite(self.value) else 1.0


@dataclass(frozen=True)
class FarthestAnswer:
    """Options, the farthest anyone goes, a lower bound on it, and who goes where."""

    options: tuple[int, ...]
    limit: float
    bound: float
    proven: bool
    served: tuple[IntArray, IntArray, FloatArray]


_NOBODY = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))


def solve_room(question: RoomQuestion, *, gap: float = 0.0, time_limit_s: float = 300.0) -> RoomAnswer:
    """Return the best options year by year, or that there are provably none (or none found in time)."""
    built = _Model(question)
    solved = built.programme.solve(gap=gap, time_limit_s=time_limit_s)
    if solved.values is None:
        return RoomAnswer((), float("inf"), solved.bound, proven=False, served=_NOBODY, infeasible=solved.infeasible)
    proven = solved.objective - solved.bound <= PROVEN * max(1.0, abs(solved.objective))
    bound = solved.objective if proven else min(solved.bound, solved.objective)
    options = tuple(built.options(solved.values, year) for year in range(question.limits.n_periods))
    return RoomAnswer(options, solved.objective, bound, proven, built.served(solved.values))


class _Model:
    """The programme under construction."""

    def __init__(self, question: RoomQuestion) -> None:
        self.question = question
        self.programme = Programme()
        years = range(question.limits.n_periods)
        self.opened = [self._openings(year) for year in years]
        for earlier, later in zip(self.opened, self.opened[1:], strict=False):
            rows = self.programme.add_rows(len(earlier), low=0.0)
            self.programme.add_entries(rows, later)
            self.programme.add_entries(rows, earlier, -1.0)
        for year in years:
            self._year(year, last=year == years[-1])

    def options(self, values: FloatArray, year: int) -> tuple[int, ...]:
        """Return the options open in a year."""
        return tuple(np.flatnonzero(values[self.opened[year]] > 0.5).tolist())

    def served(self, values: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Return who goes where on the last year's usual day."""
        share = values[self.last_share]
        kept = share > SHARE_TOLERANCE
        client, site = (part[kept] for part in self.last_cells)
        return client, site, share[kept]

    def _openings(self, year: int) -> IntArray:
        room, limits = self.question.room, self.question.limits
        programme = self.programme
        upper = np.where(np.isin(room.option_site, room.closed), 0.0, 1.0)
        opened = programme.add_columns(room.n_options, upper=upper, whole=True)
        must = np.isin(np.arange(room.n_sites), room.must_open)
        one_a_site = programme.add_rows(room.n_sites, low=np.where(must, 1.0, 0.0), high=1.0)
        programme.add_entries(one_a_site[room.option_site], opened)
        most, budget = limits.at_most[year], limits.budget[year]
        if most is not None:
            row = programme.add_rows(1, high=float(most))
            programme.add_entries(row, opened, room.option_counts.astype(np.float64))
        if budget is not None:
            row = programme.add_rows(1, high=float(budget))
            programme.add_entries(row, opened, room.option_money)
        return opened

    def _year(self, year: int, *, last: bool) -> None:
        limits = self.question.limits
        days, years = self.question.access.shape[1], limits.n_periods
        if limits.over == "mean" or days == 1:
            for day in range(days):
                self._day(year, day, last=last, price=1.0 / (days * years), worst=None)
            return
        worst = self.programme.add_columns(1)
        self.programme.price(worst, 1.0 / years)
        for day in range(days):
            row = self.programme.add_rows(1, low=0.0)
            self.programme.add_entries(row, worst)
            self._day(year, day, last=last, price=0.0, worst=int(row[0]))

    def _day(self, year: int, day: int, *, last: bool, price: float, worst: int | None) -> None:
        """Add a day's service; its measure goes into the objective by `price`, or is taken off the row `worst`."""
        question, programme = self.question, self.programme
        room = question.room
        client, site = np.nonzero(question.usable[day])
        share = programme.add_columns(len(client))
        must_serve = last and day == 0
        left = programme.add_columns(room.n_clients, upper=0.0 if must_serve else 1.0)
        whole = programme.add_rows(room.n_clients, low=1.0, high=1.0)
        programme.add_entries(whole[client], share)
        programme.add_entries(whole, left)
        self._only_where_open(self.opened[year], client, site, share)
        self._within_room(self.opened[year], client, site, share)
        if must_serve:
            self.last_share, self.last_cells = share, (client, site)
        columns = np.concatenate([share, left])
        walk = [
            np.concatenate([access[day][client, site], np.full(room.n_clients, question.left_out)])
            for access in question.access
        ]
        client = np.concatenate([client, np.arange(room.n_clients)])
        if question.limits.measure == "mean":
            total = float(question.weight.sum())
            terms = sum(weight[client] * minutes for weight, minutes in zip(question.weight, walk, strict=True)) / total
            self._count(columns, terms, price, worst)
        else:
            self._tail(columns, client, walk, price, worst)

    def _tail(
        self, columns: IntArray, client: IntArray, walk: list[FloatArray], price: float, worst: int | None
    ) -> None:
        programme, question = self.programme, self.question
        edge = programme.add_columns(1)
        self._count(edge, np.ones(1), price, worst)
        share = question.limits.tail_share * float(question.weight.sum())
        for weight, minutes in zip(question.weight, walk, strict=True):
            above = programme.add_columns(len(weight))
            rows = programme.add_rows(len(weight), low=0.0)
            programme.add_entries(rows, above)
            programme.add_entries(rows, np.broadcast_to(edge, rows.shape))
            programme.add_entries(rows[client], columns, -minutes)
            self._count(above, weight / share, price, worst)

    def _count(self, columns: IntArray, terms: FloatArray, price: float, worst: int | None) -> None:
        """Let the terms count in the objective, or take them off the row of the worst day."""
        if worst is not None:
            self.programme.add_entries(worst, columns, -terms)
        else:
            self.programme.price(columns, price * terms)

    def _only_where_open(self, opened: IntArray, client: IntArray, site: IntArray, share: IntArray) -> None:
        """Keep x_ij ≤ Σ_{o of j} y_o."""
        rows = self.programme.add_rows(len(client), high=0.0)
        self.programme.add_entries(rows, share)
        option_site = self.question.room.option_site
        for option in range(len(option_site)):
            here = rows[site == option_site[option]]
            self.programme.add_entries(here, np.full(len(here), opened[option]), -1.0)

    def _within_room(self, opened: IntArray, client: IntArray, site: IntArray, share: IntArray) -> None:
        room = self.question.room
        rows = self.programme.add_rows(room.n_sites, high=0.0)
        self.programme.add_entries(rows[site], share, room.load[client])
        capacity = np.minimum(room.option_capacity, float(room.load.sum()))
        self.programme.add_entries(rows[room.option_site], opened, -capacity)


# --- Everyone within a limit ----------------------------------------------------------------------------------------


def fewest_with_room(question: RoomQuestion, limit: float, *, time_limit_s: float = 300.0) -> RoomAnswer:
    """Return the fewest counted points that bring everyone within the limit at their own pace, with room for all."""
    return _within(question, limit, count=True, time_limit_s=time_limit_s)


def farthest_with_room(question: RoomQuestion, *, time_limit_s: float = 300.0) -> FarthestAnswer | None:
    """Return the choice within the limits whose farthest walker has least far; None where none was found."""
    deadline = time.monotonic() + time_limit_s
    distances = np.unique(question.access[:, 0][:, question.usable[0]])
    low, high = 0, len(distances) - 1
    best: RoomAnswer | None = None
    exact = True
    while low <= high and time.monotonic() < deadline:
        middle = (low + high) // 2
        found = _within(question, float(distances[middle]), count=False, time_limit_s=deadline - time.monotonic())
        if found.options:
            best, high = found, middle - 1
        else:
            exact = exact and found.infeasible
            low = middle + 1
    if best is None:
        return None
    client, site, _ = best.served
    walked = [
        access[0][client, site][weight[client] > 0.0].max(initial=0.0)
        for access, weight in zip(question.access, question.weight, strict=True)
    ]
    limit = float(max(walked))
    proven = exact and low > high
    return FarthestAnswer(best.options[0], limit, limit if proven else 0.0, proven, best.served)


def _within(question: RoomQuestion, limit: float, *, count: bool, time_limit_s: float) -> RoomAnswer:
    """Serve everyone within the limit on the usual day of one year; the fewest points, or any choice."""
    access = question.access[:, :1]
    far = ((access > limit) & (question.weight > 0.0)[:, None, :, None]).any(axis=0)
    limits = question.limits
    asked = replace(
        question,
        access=np.zeros_like(access),
        usable=question.usable[:1] & ~far,
        limits=replace(
            limits,
            access=limits.access[:1],
            at_most=limits.at_most[-1:],
            budget=limits.budget[-1:],
            measure="mean",
        ),
    )
    built = _Model(asked)
    if count:
        built.programme.price(built.opened[0], question.room.option_counts.astype(np.float64))
    solved = built.programme.solve(time_limit_s=time_limit_s)
    if solved.values is None:
        return RoomAnswer((), float("inf"), solved.bound, proven=False, served=_NOBODY, infeasible=solved.infeasible)
    bound = float(np.ceil(solved.bound - 1e-6))  # points are whole
    proven = solved.objective - bound <= PROVEN
    options = (built.options(solved.values, 0),)
    return RoomAnswer(
        options, solved.objective, solved.objective if proven else bound, proven, built.served(solved.values)
    )
