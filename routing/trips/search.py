"""Search for the trips of vehicles that make one each: most priority first, then most visits, then least cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from routing.trips import kernel, timing
from routing.trips.arrays import (
    Day,
    Routes,
    Scratch,
    copy_routes,
    make_day,
    new_marks,
    new_routes,
    new_scratch,
    pause_order,
)
from routing.visits import IntArray, Pause, Trip, TripVehicle, Visit

_FIRST_STEPS = 20
_SLICE_S = 0.05
"""Steps before the time is looked at, and about how long each later slice of steps lasts."""
_HOT, _COLD = 1.0, 0.01
"""Temperatures of annealing as shares of the mean cost of a way between visits."""
_DEAREST = 1e30
"""Price of missing a visit that no saving of cost is worth."""
_PAID, _PAID_SHARE = 3.0, 0.7
"""Where some visits are missed anyway: price a step may pay, in mean costs of a way, and share of the time for it."""
_SEED = 1


def plan_trips(visits: Sequence[Visit], vehicles: Sequence[TripVehicle], time_limit_s: float) -> list[Trip] | None:
    """Return the trips of all vehicles that make any; visits in none of them are unassigned.

    Parameters
    ----------
    time_limit_s
        Seconds of search; it stops there, never earlier, unless there is nothing to do.

    Returns
    -------
    list[Trip] | None
        None if the first routes given break a constraint.
    """
    if not visits or not vehicles:
        return []
    prepare()
    day = make_day(visits, vehicles)
    scratch, routes = new_scratch(day), new_routes(day)
    if not _place_first(day, routes, scratch, vehicles):
        return None
    best = _search(day, routes, scratch, time_limit_s)
    return [
        _trip(day, k, best.visit[k, : best.size[k]], scratch, vehicles[k]) for k in np.flatnonzero(best.size).tolist()
    ]


_prepared = False


def prepare() -> None:
    """Compile the loops, or load their machine code; a search begins its time after that."""
    global _prepared  # noqa: PLW0603 - the state of the compiler, not of a search
    if not _prepared:
        table = np.zeros((1, 1), dtype=np.int64)
        visit = Visit(0, (), (0,), (0,), (0,), (0,), (0,))
        vehicle = TripVehicle(0, 0, (0, 1), (0,), table, table.astype(np.float64), table, pauses=(Pause((), 0),))
        day = make_day([visit], [vehicle])
        scratch = new_scratch(day)
        kernel.seed_random(_SEED)
        best = new_routes(day)
        kernel.search(day, new_routes(day), new_routes(day), best, new_marks(day), scratch, 1, (0.0, 1.0), _DEAREST)
        _trip(day, 0, np.zeros(1, dtype=np.int64), scratch, vehicle)
        timing.judge(day, 0, np.zeros(1, dtype=np.int64), scratch)
        _prepared = True


def _place_first(day: Day, routes: Routes, scratch: Scratch, vehicles: Sequence[TripVehicle]) -> bool:
    """Begin with the routes given; return whether they keep all constraints."""
    for k, vehicle in enumerate(vehicles):
        trip = np.array(vehicle.first, dtype=np.int64)
        for visit in vehicle.first:
            if routes.vehicle[visit] >= 0 or not day.allowed[k, visit]:
                return False
            routes.vehicle[visit] = k
        if not _pairs_whole(day, vehicle.first) or not (len(trip) == 0 or timing.judge(day, k, trip, scratch)):
            return False
        routes.visit[k, : len(trip)], routes.size[k] = trip, len(trip)
        routes.cost[k] = timing.cost_of(day, k, trip)
    return True


def _pairs_whole(day: Day, trip: Sequence[int]) -> bool:
    """Return whether a trip has both ends of each shipment, the pickup first."""
    position = {visit: at for at, visit in enumerate(trip)}
    for visit in trip:
        first, second = day.unit[day.unit_of[visit]].tolist()
        if second >= 0 and not position.get(first, len(trip)) < position.get(second, -1):
            return False
    return True


def _search(day: Day, routes: Routes, scratch: Scratch, time_limit_s: float) -> Routes:
    """Anneal until the time is over; where not all can be served, first with a price on missing that can be paid."""
    kernel.seed_random(_SEED)
    begun = time.perf_counter()
    best = copy_routes(routes)
    kernel.search(day, routes, copy_routes(routes), best, new_marks(day), scratch, _FIRST_STEPS, (0.0, 1.0), _DEAREST)
    way = max(1e-6, float(best.cost.sum() - day.fixed[best.size > 0].sum()) / max(1, int(best.size.sum())))
    parted = bool((best.vehicle < 0).any())
    if parted:
        _anneal(day, best, scratch, (begun, begun + _PAID_SHARE * time_limit_s), way, _PAID * way)
    _anneal(day, best, scratch, (time.perf_counter() if parted else begun, begun + time_limit_s), way, _DEAREST)
    return best


def _anneal(day: Day, best: Routes, scratch: Scratch, span_s: tuple[float, float], way: float, price: float) -> None:
    """Anneal from the best, cooling by the share of the time that has passed; a low price ends when all are served."""
    begun, end = span_s
    routes, accepted = copy_routes(best), copy_routes(best)
    marks = new_marks(day)
    steps, heat = _FIRST_STEPS, _HOT * way
    while (now := time.perf_counter()) < end and (price == _DEAREST or (best.vehicle < 0).any()):
        share = min(1.0, (now - begun + _SLICE_S) / (end - begun))
        target = _HOT * way * (_COLD / _HOT) ** share
        cooling = (heat, (target / heat) ** (1.0 / steps))
        kernel.search(day, routes, accepted, best, marks, scratch, steps, cooling, price)
        heat = target
        spent_s = max(1e-6, time.perf_counter() - now)
        steps = max(1, round(steps * min(4.0, _SLICE_S / spent_s)))


# --- Times -----------------------------------------------------------------------------------------------------------


def _trip(day: Day, k: int, trip: IntArray, scratch: Scratch, vehicle: TripVehicle) -> Trip:
    """Return a trip with its times: it ends as early as it can, and begins as late as that allows."""
    pauses_taken = np.zeros(len(trip) + 2, dtype=np.int64)
    begin_s = timing.schedule(day, k, trip, scratch, pauses_taken)
    order = pause_order(vehicle)
    clock, here = begin_s, vehicle.start
    visits: list[tuple[int, int]] = []
    pauses: list[tuple[int, int, int]] = []
    for leg, (before, after) in enumerate(pairwise(pauses_taken.tolist())):
        visit = int(trip[leg]) if leg < len(trip) else None
        there = vehicle.end if visit is None else int(day.place[visit])
        left = 0 if here is None or there is None or here == there else int(vehicle.duration_s[here, there])
        for taken in order[before:after]:
            since = _first_of(vehicle.pauses[taken].windows, clock)
            left -= min(left, since - clock)
            clock = since + vehicle.pauses[taken].service_s
            pauses.append((taken, since, leg))
        clock += left
        if visit is not None:
            windows = day.window[day.window_from[visit] : day.window_from[visit + 1]].tolist()
            clock = _first_of(windows, clock) + (int(day.setup_s[k, visit]) if here != there else 0)
            visits.append((visit, clock))
            clock += int(day.service_s[k, visit])
        here = there
    return Trip(k, begin_s, clock, tuple(visits), tuple(pauses))


def _first_of(windows: Sequence[Sequence[int]], clock: int) -> int:
    return next((max(clock, begin) for begin, end in windows if clock <= end), clock)
