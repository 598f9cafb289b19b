"""The pool of single rounds for days of many: the master chooses rounds and departures, then vehicles take them.

Equal vehicles that may make any number of rounds can drive a choice of rounds with fixed times exactly if at no moment
more rounds are under way than there are vehicles (an interval graph needs as many colours as its largest clique). So
the master has, besides one row a client, one row a moment and class; moments that matter are added as they are broken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from routing.solver.master import Columns, choose_columns, partition
from routing.solver.rounds_pool.figures import RoundsDay
from routing.solver.rounds_pool.plan import Round, VehicleDays
from routing.solver.rounds_pool.pool import cost_of_day

MAX_ROUNDS = 2_500
"""Larger masters take HiGHS longer than they gain."""
_DEPARTURES = 2
"""Departures kept for a round, the latest met; the first and the last that are possible are added."""
_MOMENTS = 60
"""Moments the first master looks at; broken ones are added."""
_REPAIRS = 6


@dataclass(frozen=True, slots=True)
class _Timed:
    """A round of a class of vehicles with its departure, return and cost."""

    kind: int
    clients: Round
    departs_s: int
    returns_s: int
    cost: float


class RoundPool:
    """The cheapest order of every set of clients met as a round, with the departures it was met at."""

    def __init__(self, day: RoundsDay) -> None:
        self._day = day
        figures = day.figures
        self._duration = [grid.tolist() for grid in figures.duration]
        self._early, self._late = figures.early.tolist(), figures.late.tolist()
        self._service = figures.service.tolist()
        self._release = figures.release.tolist()
        self._rounds: dict[tuple[int, frozenset[int]], tuple[float, Round, tuple[int, ...]]] = {}

    def __len__(self) -> int:
        return len(self._rounds)

    def add_all(self, days: VehicleDays) -> None:
        """Add every round of the days; the latest met are kept when there are too many."""
        for kind, rounds in zip(self._day.figures.kind.tolist(), days, strict=True):
            free_s = int(self._day.figures.shift[kind, 0])
            for clients in rounds:
                departs_s, free_s = self._times(kind, clients, free_s)
                self._add(kind, clients, departs_s)

    def _add(self, kind: int, clients: Round, departs_s: int) -> None:
        key = (kind, frozenset(clients))
        known = self._rounds.pop(key, None)
        if known is not None and known[1] == clients:
            others = tuple(other for other in known[2] if other != departs_s)[1 - _DEPARTURES :]
            self._rounds[key] = (known[0], clients, (*others, departs_s))
            return
        money = cost_of_day(self._day, kind, (clients,))
        best = (money, clients, (departs_s,)) if known is None or money < known[0] else known
        self._rounds[key] = best
        if len(self._rounds) > MAX_ROUNDS:
            del self._rounds[next(iter(self._rounds))]

    def _times(self, kind: int, clients: Round, free_s: int) -> tuple[int, int]:
        """Return when a vehicle free at `free_s` departs for a round and is back, both as early as possible."""
        base, duration = int(self._day.figures.base[kind]), self._duration[kind]
        now = departs_s = max(free_s, *(self._release[client] for client in clients))
        here = base
        for client in clients:
            now = max(now + duration[here][client], self._early[client]) + self._service[client]
            here = client
        return departs_s, now + duration[here][base]

    def _latest(self, kind: int, clients: Round) -> int:
        """Return when a vehicle departs for a round at the latest."""
        f = self._day.figures
        base, duration = int(f.base[kind]), self._duration[kind]
        now, ahead = int(f.shift[kind, 1]), base
        for client in reversed(clients):
            now = min(now - duration[client][ahead] - self._service[client], self._late[client])
            ahead = client
        return int(now - duration[base][ahead])

    def _timed(self) -> Iterator[_Timed]:
        f = self._day.figures
        for (kind, _), (money, clients, departures) in self._rounds.items():
            ends_s = self._times(kind, clients, int(f.shift[kind, 0]))[0], self._latest(kind, clients)
            for departs_s in sorted({*departures, *ends_s}):
                yield _Timed(kind, clients, departs_s, self._times(kind, clients, departs_s)[1], money)

    def best(
        self,
        incumbent: VehicleDays,
        time_limit_s: float | None,
        cancelled: Callable[[], bool],
        nodes: int | None = None,
    ) -> VehicleDays | None:
        """Return the cheapest choice of pooled rounds HiGHS finds from the incumbent, None where it finds nothing."""
        self.add_all(incumbent)
        timed = list(self._timed())
        hint = self._hint(timed, incumbent)
        moments = _spread(sorted({column.departs_s for column in timed}), _MOMENTS)
        started = time.monotonic()
        for _ in range(_REPAIRS):
            columns = self._columns(timed, moments)
            left_s = None if time_limit_s is None else time_limit_s - (time.monotonic() - started)
            if left_s is not None and left_s <= 0.0:
                return None
            choice = choose_columns(columns, left_s, hint=hint, cancelled=cancelled, nodes=nodes)
            if choice is None:
                return None
            chosen = [timed[k] for k in choice.columns if k < len(timed)]
            broken = self._broken(chosen)
            if not broken:
                return self._assigned(chosen)
            moments = sorted({*moments, *broken})
        return None

    def _columns(self, timed: list[_Timed], moments: list[int]) -> Columns:
        f = self._day.figures
        n = len(f.early)
        base = partition(
            [column.cost for column in timed],
            [column.clients for column in timed],
            n,
            optional=[float(price) for price in f.left_cost],
        )
        kinds = np.array([column.kind for column in timed])
        departs = np.array([column.departs_s for column in timed])
        returns = np.array([column.returns_s for column in timed])
        counts = np.bincount(f.kind, minlength=len(f.base))
        blocks, most = [base.matrix], []
        for kind in range(len(f.base)):
            at = np.array(moments)[:, None]
            under_way = (kinds[None, :] == kind) & (departs[None, :] <= at) & (at < returns[None, :])
            padded = np.zeros((len(moments), len(base.cost)))
            padded[:, : len(timed)] = under_way
            blocks.append(sparse.csr_matrix(padded))
            most += [float(counts[kind])] * len(moments)
        return Columns(
            base.cost,
            sparse.csr_matrix(sparse.vstack(blocks)),
            np.concatenate([base.lower, np.zeros(len(most))]),
            np.concatenate([base.upper, np.array(most)]),
        )

    def _hint(self, timed: list[_Timed], incumbent: VehicleDays) -> list[int]:
        place = {(column.kind, column.clients, column.departs_s): k for k, column in enumerate(timed)}
        found: list[int] = []
        served: set[int] = set()
        for kind, rounds in zip(self._day.figures.kind.tolist(), incumbent, strict=True):
            free_s = int(self._day.figures.shift[kind, 0])
            for clients in rounds:
                departs_s, free_s = self._times(kind, clients, free_s)
                served.update(clients)
                if (kind, clients, departs_s) in place:
                    found.append(place[kind, clients, departs_s])
        n = len(self._day.figures.early)
        return found + [len(timed) + client for client in range(n) if client not in served]

    def _broken(self, chosen: list[_Timed]) -> list[int]:
        """Return the departures at which more rounds are under way than there are vehicles."""
        counts = np.bincount(self._day.figures.kind, minlength=len(self._day.figures.base))
        return sorted(
            {
                moment.departs_s
                for moment in chosen
                if sum(
                    other.kind == moment.kind and other.departs_s <= moment.departs_s < other.returns_s
                    for other in chosen
                )
                > counts[moment.kind]
            }
        )

    def _assigned(self, chosen: list[_Timed]) -> VehicleDays:
        """Give every round, by departure, to a vehicle that is back; there is always one."""
        kinds = self._day.figures.kind.tolist()
        free_s = [-1] * len(kinds)
        days: list[list[Round]] = [[] for _ in kinds]
        for column in sorted(chosen, key=lambda column: (column.departs_s, column.clients)):
            vehicle = next(v for v, kind in enumerate(kinds) if kind == column.kind and free_s[v] <= column.departs_s)
            free_s[vehicle] = column.returns_s
            days[vehicle].append(column.clients)
        return tuple(tuple(rounds) for rounds in days)


def _spread(values: list[int], count: int) -> list[int]:
    """Return at most `count` of sorted values, evenly by rank."""
    if len(values) <= count:
        return values
    return [values[round(k * (len(values) - 1) / (count - 1))] for k in range(count)]
