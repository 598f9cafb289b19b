"""Visits and vehicles as arrays for the compiled loops of the trip search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from routing.visits import FAR_S, IntArray, Pause, TripVehicle, Visit, Window

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
EVER: Window = (0, 1 << 50)
"""The window of what has none, seconds."""
UNBOUNDED = 1 << 60
NOWHERE = -1
_FIRST_BLINK = 100
"""Positions tried before the first may be overlooked: about as many as between two."""
_NEAREST = 200
"""Neighbours kept of each visit."""


class Day(NamedTuple):
    """What is asked; n visits, u units (a job, or both ends of a shipment), k vehicles, t travel tables, l locations.

    Windows are rows (begin, end) in seconds; those of visit i are rows `window_from[i]` to `window_from[i + 1]`.
    """

    place: IntArray
    """Shape (n): location."""
    window_from: IntArray
    window: IntArray
    setup_s: IntArray
    """Shape (k, n)."""
    service_s: IntArray
    """Shape (k, n)."""
    brought: IntArray
    """Shape (n, amounts): what is aboard from the start."""
    change: IntArray
    """Shape (n, amounts): what the visit adds to the load."""
    allowed: Flags
    """Shape (k, n)."""
    unit: IntArray
    """Shape (u, 2): the visit of a job and -1, or pickup and delivery."""
    unit_of: IntArray
    """Shape (n)."""
    worth: Floats
    """Shape (u): more for one of higher priority than for all of lower together."""
    start: IntArray
    """Shape (k): location, -1 for an open end."""
    end: IntArray
    opens_s: IntArray
    closes_s: IntArray
    room: IntArray
    """Shape (k, amounts)."""
    kind: IntArray
    """Shape (k): the same for vehicles that differ in nothing; of empty ones the first is tried."""
    table: IntArray
    """Shape (k): travel table of the vehicle."""
    move_s: IntArray
    """Shape (t, l, l)."""
    cost: Floats
    """Shape (t, l, l)."""
    distance_m: IntArray
    """Shape (t, l, l)."""
    fixed: Floats
    task_cost: Floats
    """Shape (k): cost of a second of setup and service."""
    most_tasks: IntArray
    most_travel_s: IntArray
    most_distance_m: IntArray
    pause_from: IntArray
    pause_s: IntArray
    pause_window_from: IntArray
    pause_window: IntArray
    pause_room: IntArray
    """Shape (pauses, amounts): most that may be aboard during it."""
    pause_by_load: Flags
    """Shape (k): whether when pauses may be taken depends on what is aboard."""
    near: IntArray
    """Shape (n, neighbours): visits by travel from and to the visit, itself first."""


class Routes(NamedTuple):
    """Trips of all vehicles; changed in place."""

    visit: IntArray
    """Shape (k, n): visits in order, the first `size` of a row."""
    size: IntArray
    cost: Floats
    vehicle: IntArray
    """Shape (n): vehicle of each visit, -1 for none."""


class Marks(NamedTuple):
    """What is known of each trip worked on, so that putting a visit in is judged without going through the trip.

    Leg p of a trip leads to its visit p; stop 0 is the start, stop p + 1 the visit p.
    """

    ready_s: IntArray
    """Shape (k, n + 2, pauses + 1): earliest time to go on from a stop with so many pauses taken, -1 for never."""
    due_s: IntArray
    """Shape (k, n + 2, pauses + 1): latest time to go on from a stop so that all that follows holds, -1 for never."""
    load: IntArray
    """Shape (k, n + 1, amounts): aboard on a leg."""
    peak_to: IntArray
    """Shape (k, n + 1, amounts): most aboard up to and on a leg."""
    peak_from: IntArray
    """Shape (k, n + 1, amounts): most aboard on a leg and from it on."""
    travel_s: IntArray
    """Shape (k)."""
    distance_m: IntArray


class Scratch(NamedTuple):
    """Room the loops work in."""

    trial: IntArray
    """Shape (n + 2): a trip to be judged."""
    ready_s: IntArray
    """Shape (n + 2, pauses + 1): its times, as those of `Marks`."""
    due_s: IntArray
    load: IntArray
    """Shape (n + 1, amounts): aboard on each leg of it."""
    leg_s: IntArray
    """Shape (4, pauses + 1): times before and after single legs."""
    peak: IntArray
    """Shape (amounts)."""
    later: Floats
    """Shape (n + 2): cost of the second end of a shipment by position."""
    least_later: Floats
    """Shape (n + 2): least such cost from a position on."""
    blink: IntArray
    """Shape (1): positions to be tried until one is overlooked."""
    changed: Flags
    """Shape (k): trips that differ from the accepted ones."""
    ruined: Flags
    """Shape (k): trips a string was taken from."""
    every: Flags
    """Shape (k): all of them."""
    string: IntArray
    """Shape (n): units of a string."""
    absent: IntArray
    """Shape (u): units in no trip."""
    key: Floats
    """Shape (u): by which they are sorted."""
    missed: Floats
    """Shape (u): how often a unit was left out."""


def make_day(visits: Sequence[Visit], vehicles: Sequence[TripVehicle]) -> Day:
    """Return the arrays of a problem."""
    window_from, window = _rows([visit.windows for visit in visits])
    pauses = [pause for vehicle in vehicles for pause in pauses_of(vehicle)]
    pause_window_from, pause_window = _rows([pause.windows for pause in pauses])
    tables, table = _tables(vehicles)
    unit = _units(visits)
    unit_of = np.zeros(len(visits), dtype=np.int64)
    for number, (first, second) in enumerate(unit.tolist()):
        unit_of[first] = number
        if second >= 0:
            unit_of[second] = number
    allowed = np.zeros((len(vehicles), len(visits)), dtype=np.bool_)
    for i, visit in enumerate(visits):
        allowed[list(visit.vehicles), i] = True
    for first, second in unit.tolist():
        if second >= 0:
            allowed[:, first] = allowed[:, second] = allowed[:, first] & allowed[:, second]
    place = _ints(visit.location for visit in visits)
    return Day(
        place=place,
        window_from=window_from,
        window=window,
        setup_s=np.array([visit.setup_s for visit in visits], dtype=np.int64).T.copy(),
        service_s=np.array([visit.service_s for visit in visits], dtype=np.int64).T.copy(),
        brought=_amounts([(0,) * len(v.delivery) if v.in_shipment else v.delivery for v in visits]),
        change=_amounts([tuple(np.subtract(v.pickup, v.delivery).tolist()) for v in visits]),
        allowed=allowed,
        unit=unit,
        unit_of=unit_of,
        worth=_worth(visits, unit),
        start=_ints(NOWHERE if vehicle.start is None else vehicle.start for vehicle in vehicles),
        end=_ints(NOWHERE if vehicle.end is None else vehicle.end for vehicle in vehicles),
        opens_s=_ints(vehicle.window[0] for vehicle in vehicles),
        closes_s=_ints(vehicle.window[1] for vehicle in vehicles),
        room=_amounts([vehicle.capacity for vehicle in vehicles]),
        kind=_kinds(vehicles, visits, table),
        table=table,
        move_s=np.stack([np.minimum(vehicle.duration_s, FAR_S) for vehicle in tables]).astype(np.int64),
        cost=np.stack([np.asarray(vehicle.cost, dtype=np.float64) for vehicle in tables]),
        distance_m=np.stack([vehicle.distance_m for vehicle in tables]).astype(np.int64),
        fixed=np.array([vehicle.fixed_cost for vehicle in vehicles], dtype=np.float64),
        task_cost=np.array([vehicle.task_cost_per_s for vehicle in vehicles], dtype=np.float64),
        most_tasks=_bounds(vehicle.max_tasks for vehicle in vehicles),
        most_travel_s=_bounds(vehicle.max_travel_s for vehicle in vehicles),
        most_distance_m=_bounds(vehicle.max_distance_m for vehicle in vehicles),
        pause_from=_ints(np.cumsum([0, *(len(vehicle.pauses) for vehicle in vehicles)]).tolist()),
        pause_s=_ints(pause.service_s for pause in pauses),
        pause_window_from=pause_window_from,
        pause_window=pause_window,
        pause_room=_pause_room(pauses, len(vehicles[0].capacity)),
        pause_by_load=np.array(
            [any(pause.max_load is not None for pause in v.pauses) for v in vehicles], dtype=np.bool_
        ),
        near=_nearest(np.minimum(tables[0].duration_s, FAR_S), place),
    )


def pauses_of(vehicle: TripVehicle) -> list[Pause]:
    """Return the pauses of a vehicle in the order they are taken: that of their windows, as VROOM orders them."""
    return [vehicle.pauses[k] for k in pause_order(vehicle)]


def pause_order(vehicle: TripVehicle) -> list[int]:
    """Return the numbers of a vehicle's pauses in the order they are taken."""
    spans = [(*(pause.windows or (EVER,))[0][:1], (pause.windows or (EVER,))[-1][1]) for pause in vehicle.pauses]
    return sorted(range(len(spans)), key=spans.__getitem__)


def new_routes(day: Day) -> Routes:
    """Return trips without visits."""
    k, n = len(day.start), len(day.place)
    return Routes(
        np.zeros((k, n), dtype=np.int64),
        np.zeros(k, dtype=np.int64),
        np.zeros(k, dtype=np.float64),
        np.full(n, NOWHERE, dtype=np.int64),
    )


def copy_routes(routes: Routes) -> Routes:
    """Return trips of their own."""
    return Routes(routes.visit.copy(), routes.size.copy(), routes.cost.copy(), routes.vehicle.copy())


def new_marks(day: Day) -> Marks:
    """Return marks without meaning."""
    k, n, amounts, pauses = len(day.start), len(day.place), day.room.shape[1], _most_pauses(day)
    times, loads = (k, n + 2, pauses + 1), (k, n + 1, amounts)
    return Marks(
        *(np.zeros(shape, dtype=np.int64) for shape in (times, times, loads, loads, loads, (k,), (k,))),
    )


def new_scratch(day: Day) -> Scratch:
    """Return the room the loops need."""
    k, n, units, amounts, pauses = len(day.start), len(day.place), len(day.unit), day.room.shape[1], _most_pauses(day)
    return Scratch(
        trial=np.zeros(n + 2, dtype=np.int64),
        ready_s=np.zeros((n + 2, pauses + 1), dtype=np.int64),
        due_s=np.zeros((n + 2, pauses + 1), dtype=np.int64),
        load=np.zeros((n + 1, amounts), dtype=np.int64),
        leg_s=np.zeros((4, pauses + 1), dtype=np.int64),
        peak=np.zeros(amounts, dtype=np.int64),
        later=np.zeros(n + 2, dtype=np.float64),
        least_later=np.zeros(n + 2, dtype=np.float64),
        blink=np.full(1, _FIRST_BLINK, dtype=np.int64),
        changed=np.zeros(k, dtype=np.bool_),
        ruined=np.zeros(k, dtype=np.bool_),
        every=np.ones(k, dtype=np.bool_),
        string=np.zeros(n, dtype=np.int64),
        absent=np.zeros(units, dtype=np.int64),
        key=np.zeros(units, dtype=np.float64),
        missed=np.zeros(units, dtype=np.float64),
    )


def _most_pauses(day: Day) -> int:
    return int(np.diff(day.pause_from).max(initial=0))


def _pause_room(pauses: Sequence[Pause], size: int) -> IntArray:
    rows = [(UNBOUNDED,) * size if pause.max_load is None else pause.max_load for pause in pauses]
    return np.array(rows, dtype=np.int64).reshape(len(pauses), size)


def _ints(values: Iterable[int]) -> IntArray:
    return np.array(list(values), dtype=np.int64)


def _bounds(values: Iterable[int | None]) -> IntArray:
    return _ints(UNBOUNDED if value is None else value for value in values)


def _amounts(rows: Sequence[Sequence[int]]) -> IntArray:
    return np.array(rows, dtype=np.int64).reshape(len(rows), -1)


def _rows(groups: Sequence[Sequence[Window]]) -> tuple[IntArray, IntArray]:
    """Return where the windows of each group begin, and all of them; a group without any has one that never ends."""
    filled = [list(group) or [EVER] for group in groups]
    begins = np.cumsum([0, *(len(group) for group in filled)]).astype(np.int64)
    flat = [window for group in filled for window in group]
    return begins, np.array(flat, dtype=np.int64).reshape(-1, 2)


def _tables(vehicles: Sequence[TripVehicle]) -> tuple[list[TripVehicle], IntArray]:
    """Return a vehicle for each distinct travel table, and the table of each vehicle."""
    known: dict[tuple[int, int, int], int] = {}
    leaders: list[TripVehicle] = []
    table = []
    for vehicle in vehicles:
        key = (id(vehicle.duration_s), id(vehicle.cost), id(vehicle.distance_m))
        if key not in known:
            known[key] = len(leaders)
            leaders.append(vehicle)
        table.append(known[key])
    return leaders, _ints(table)


def _kinds(vehicles: Sequence[TripVehicle], visits: Sequence[Visit], table: IntArray) -> IntArray:
    """Return the same number for vehicles that differ in nothing."""
    known: dict[object, int] = {}
    kinds = []
    for k, vehicle in enumerate(vehicles):
        limits = (vehicle.max_tasks, vehicle.max_travel_s, vehicle.max_distance_m, vehicle.pauses)
        ends = (int(table[k]), vehicle.start, vehicle.end, vehicle.window, vehicle.capacity)
        money = (vehicle.fixed_cost, vehicle.task_cost_per_s)
        work = tuple((k in visit.vehicles, visit.setup_s[k], visit.service_s[k]) for visit in visits)
        kinds.append(known.setdefault((limits, ends, money, work), len(known)))
    return _ints(kinds)


def _units(visits: Sequence[Visit]) -> IntArray:
    rows = [
        (i, NOWHERE if visit.partner is None else visit.partner)
        for i, visit in enumerate(visits)
        if visit.partner is not None or not visit.in_shipment
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _worth(visits: Sequence[Visit], unit: IntArray) -> Floats:
    """Return how much each unit counts: its priority before everything, then the number of its visits."""
    return np.array(
        [(1 + visits[a].priority * (len(visits) + 1)) * (1 if b < 0 else 2) for a, b in unit.tolist()],
        dtype=np.float64,
    )


def _nearest(move_s: IntArray, place: IntArray) -> IntArray:
    """Return the nearest visits of each visit, by travel there and back."""
    both = (move_s + move_s.T)[np.ix_(place, place)]
    np.fill_diagonal(both, -1)
    return np.argsort(both, axis=1, kind="stable")[:, :_NEAREST].astype(np.int64)
