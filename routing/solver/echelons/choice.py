"""The master problem in whole numbers over a set of rounds and tours, by HiGHS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from routing.solver.echelons.columns import Round
from routing.solver.echelons.network import FAR_S, FloatArray, IntArray, Network
from routing.solver.echelons.relaxation import Link, Part, fewest_vehicles, owed_by_slot, owed_trucks
from routing.solver.echelons.tours import Tour

_LOOK_S = 0.05
_PRECISION = 1e-7


@dataclass(frozen=True, slots=True)
class Effort:
    """How long one choice may take: seconds (None: any), nodes of the search tree (None: any)."""

    time_s: float | None
    nodes: int | None


@dataclass(frozen=True, eq=False)
class Choice:
    """Rounds (fixed ones included), tours (one entry a truck) and their cost, orders left out included."""

    rounds: tuple[Round, ...]
    tours: tuple[Tour, ...]
    cost: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The best choice found, None where there is none; `proven`: no cheaper one exists among the columns given."""

    choice: Choice | None
    proven: bool


class _Rows:
    """Sparse rows in the making."""

    def __init__(self) -> None:
        self.row: list[int] = []
        self.column: list[int] = []
        self.value: list[float] = []
        self.lower: list[float] = []
        self.upper: list[float] = []

    def add(self, entries: Iterable[tuple[int, float]], lower: float, upper: float = np.inf) -> None:
        for column, value in entries:
            self.row.append(len(self.lower))
            self.column.append(column)
            self.value.append(value)
        self.lower.append(lower)
        self.upper.append(upper)

    def constraint(self, columns: int) -> LinearConstraint:
        shape = (len(self.lower), columns)
        return LinearConstraint(
            sparse.csc_matrix((self.value, (self.row, self.column)), shape=shape), self.lower, self.upper
        )


@dataclass(frozen=True, slots=True)
class _Supply:
    """A variable that brings goods: a truck of a direct tour (a full load each), or a kilogram of a longer one."""

    column: int
    tour: int
    """Column of the tour itself."""
    station: int
    release_s: int
    kg: float


def choose(
    network: Network,
    part: Part,
    rounds: Sequence[Round],
    tours: Sequence[Tour],
    effort: Effort,
    *,
    links: Sequence[Link] = (),
    cancelled: Callable[[], bool] | None = None,
) -> Answer:
    """Return the cheapest choice HiGHS finds.

    Parameters
    ----------
    network, part
        What is open and what stays.
    rounds, tours
        Columns to choose from; where the part has trucks sent, those are the tours. The supply rule is cumulative, as
        if an order could be split over trucks.
    effort
        Limits of the search.
    links
        Rows that tell where a truck is needed; they forbid nothing that is whole.
    cancelled
        Asked about twenty times a second; once True the answer is none at once, and HiGHS ends by its time limit.
    """
    tours = tours if part.sent is None else part.sent
    x, y = len(rounds), len(tours)
    members = list(part.members)
    rows = _Rows()
    first_left = x + y
    next_column = first_left + len(members)
    supplies: list[_Supply] = []
    for k, tour in enumerate(tours):
        if len(tour.stations) == 1:
            supplies.append(_Supply(x + k, x + k, tour.stations[0], tour.release_s[0], tour.capacity_kg))
            continue
        brought = [
            _Supply(next_column + j, x + k, s, r, 1.0)
            for j, (s, r) in enumerate(zip(tour.stations, tour.release_s, strict=True))
        ]
        next_column += len(brought)
        supplies += brought
        rows.add([(x + k, tour.capacity_kg), *((supply.column, -1.0) for supply in brought)], 0.0)
    columns = next_column
    holding: dict[int, list[int]] = {order: [] for order in members}
    for k, each in enumerate(rounds):
        for order in each.orders:
            holding[order].append(k)
    for j, order in enumerate(members):
        rows.add([(first_left + j, 1.0), *((k, 1.0) for k in holding[order])], 1.0)
    _supply_rows(network, part, rounds, supplies, rows)
    _link_rows(network, rounds, tours, links, rows)
    _count_rows(network, part, rounds, tours, first_left, rows)
    cost = np.zeros(columns)
    cost[:x] = [each.cost for each in rounds]
    cost[x : x + y] = [tour.cost for tour in tours]
    cost[first_left : first_left + len(members)] = network.unserved_cost[members]
    constant = sum(each.cost for each in part.fixed)
    whole = np.zeros(columns, dtype=np.int64)
    whole[: first_left + len(members)] = 1
    upper = np.full(columns, np.inf)
    upper[:x] = 1.0
    upper[first_left : first_left + len(members)] = 1.0
    lower = np.zeros(columns)
    if part.sent is not None:
        lower[x : x + y] = upper[x : x + y] = 1.0
    result = _solve(cost, rows.constraint(columns), whole, Bounds(lower, upper), effort, cancelled)
    proven = result is not None and result.status in (0, 2)
    if result is None or result.x is None:
        return Answer(None, proven)
    count = np.round(result.x[: first_left + len(members)]).astype(int)
    choice = Choice(
        rounds=(*part.fixed, *(each for k, each in enumerate(rounds) if count[k])),
        tours=tuple(tour for k, tour in enumerate(tours) for _ in range(count[x + k])),
        cost=float(cost[: len(count)] @ count) + constant,
    )
    return Answer(choice, proven)


def _supply_rows(
    network: Network, part: Part, rounds: Sequence[Round], supplies: Sequence[_Supply], rows: _Rows
) -> None:
    """Add per station and release, where some round tells it from the next: goods brought cover rounds leaving."""
    for station in range(len(network.stations)):
        here = [supply for supply in supplies if supply.station == station]
        leaving = [(k, each) for k, each in enumerate(rounds) if network.vans[each.fleet].station == station]
        fixed = [each for each in part.fixed if network.vans[each.fleet].station == station]
        releases = sorted({supply.release_s for supply in here})
        if not releases:
            for k, _ in leaving:
                rows.add([(k, 1.0)], 0.0, 0.0)
            continue
        for k, each in leaving:
            if each.latest_s < releases[0]:
                rows.add([(k, 1.0)], 0.0, 0.0)
        latest = np.sort(np.array([each.latest_s for _, each in leaving] + [each.latest_s for each in fixed]))
        owed = owed_by_slot(network, part.fixed, station, releases)
        for begin, end, kg in zip(releases, [*releases[1:], FAR_S], owed, strict=True):
            if np.searchsorted(latest, begin) == np.searchsorted(latest, end):
                continue  # nothing must leave between: the row before says as much
            entries = [(supply.column, supply.kg) for supply in here if supply.release_s <= begin]
            entries += [(k, -each.load_kg) for k, each in leaving if each.latest_s < end]
            rows.add(entries, kg)
        for begin, least in owed_trucks(network, releases, owed):
            there = {s.tour for s in here if s.release_s <= begin}
            rows.add([(k, 1.0) for k in sorted(there)], least)


def _link_rows(
    network: Network, rounds: Sequence[Round], tours: Sequence[Tour], links: Sequence[Link], rows: _Rows
) -> None:
    holding: dict[tuple[int, int], list[int]] = {}
    for k, each in enumerate(rounds):
        for order in each.orders:
            holding.setdefault((network.vans[each.fleet].station, order), []).append(k)
    there: dict[int, list[tuple[int, int]]] = {}
    for k, tour in enumerate(tours):
        for station, release in zip(tour.stations, tour.release_s, strict=True):
            there.setdefault(station, []).append((release, len(rounds) + k))
    for link in links:
        carriers = [k for k in holding.get((link.station, link.order), ()) if rounds[k].latest_s < link.end_s]
        if carriers:
            trucks = [k for release, k in there.get(link.station, ()) if release <= link.begin_s]
            rows.add([*((k, 1.0) for k in trucks), *((k, -1.0) for k in carriers)], 0.0)


def _count_rows(
    network: Network, part: Part, rounds: Sequence[Round], tours: Sequence[Tour], first_left: int, rows: _Rows
) -> None:
    """Add how many vehicles there must and may be."""
    x = len(rounds)
    fewest_vans, fewest_trucks = fewest_vehicles(network)
    left = [(first_left + j, 1.0) for j in range(len(part.members))]
    rows.add([*((k, 1.0) for k in range(x)), *left], fewest_vans - len(part.fixed))
    rows.add([*((x + k, 1.0) for k in range(len(tours))), *left], fewest_trucks)
    for fleet in network.vans:
        used = sum(1 for each in part.fixed if each.fleet == fleet.index)
        if len(fleet.ids) < network.orders:
            entries = [(k, 1.0) for k, each in enumerate(rounds) if each.fleet == fleet.index]
            rows.add(entries, -np.inf, len(fleet.ids) - used)
    for fleet in network.trucks:
        entries = [(x + k, 1.0) for k, tour in enumerate(tours) if tour.fleet == fleet.index]
        rows.add(entries, -np.inf, len(fleet.ids))


def _solve(
    cost: FloatArray,
    constraint: LinearConstraint,
    whole: IntArray,
    bounds: Bounds,
    effort: Effort,
    cancelled: Callable[[], bool] | None,
) -> OptimizeResult | None:
    """Run HiGHS beside this thread, so that a wish to stop is heard."""
    limits = {"time_limit": effort.time_s, "node_limit": effort.nodes, "mip_rel_gap": _PRECISION}
    options: Any = {name: limit for name, limit in limits.items() if limit is not None}
    found: list[OptimizeResult] = []

    def run() -> None:
        found.append(milp(cost, integrality=whole, bounds=bounds, constraints=constraint, options=options))

    worker = threading.Thread(target=run)
    worker.start()
    while worker.is_alive():
        worker.join(_LOOK_S)
        if cancelled is not None and cancelled():
            return None
    return found[0] if found else None
