"""Times and money of a vehicle's day as compiled loops: a day is an array of whole numbers, a column a stop.

Earliest starts run forward with the driver's rests, latest starts backward, and the schedule starts every round as late
as its end allows. The hour stretches travel by a clock given as an array (`geodata.travel_clock.TravelClock` tells
how); seconds are whole, and arrival is never earlier for leaving later.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geodata.matrix import UNREACHABLE_S
from geodata.travel_clock import HOUR_S, SLACK_S, TravelClock
from routing.model.carrier import MIN_REST_S
from routing.solver.machine_code import compiled, inner

FAR_S = 1_000_000_000
"""Later than any time of a plan; stands for "no latest time"."""
PLACE, BEGINS, LOWER, START_BY, END_BY, SERVICE, DUE, CAP, FETCH_BY, WANTED, REST, EARLIEST, LATEST, START = range(14)
"""Rows of a day. Given: the place, whether a round begins, bounds of service (start at or after, start by, end by),
its seconds, by when what is unloaded is due, a latest start for the sake of hand-overs, by when the vehicle leaves so
that no goods fetched there have waited too long, and at a round's last stop the start that would suit (-1: the
earliest). Found: rest after service, earliest, latest and scheduled start of service."""
ROWS = 14
SHIFT_START, SHIFT_END, UNBROKEN, MAX_DRIVE, BASE = range(5)
"""Entries of `Road.limits`: seconds of the shift, travel without rest and in all, and the place of the base."""
PER_M, PER_WH, PER_S, FIXED, RANGE_WH, STOP_S = range(6)
"""Entries of `Road.prices`: money by metre, watt-hour, second and day, the range (inf: none), seconds of any stop."""

INTO, OUT_OF = range(2)
"""Directions of `Road.cost`."""
NO_WAY = 1.0e14
"""An arc that costs so much cannot be travelled."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class Road(NamedTuple):
    """What the days of one fleet read: matrices over all places (n, n), the clock, opening hours (n,), its own figures.

    `cost` of shape (n, n, 2) is the money of the arcs between a place and another, first to the place (`INTO`), then
    from it (`OUT_OF`), so that what a place costs between two stops is read from one row. It is not less than `NO_WAY`
    where an arc cannot be travelled, and of single precision, as there may be many fleets. `clock` has the rows factor,
    seconds driven before the hour, and when the dry hours it lies in begin and end; it has no columns where all hours
    are dry.
    """

    duration: IntArray
    distance: IntArray
    energy: FloatArray
    cost: npt.NDArray[np.float32]
    clock: FloatArray
    opens: IntArray
    closes: IntArray
    limits: IntArray
    prices: FloatArray


_FACTOR, _DONE, _DRY_FROM, _DRY_UNTIL = range(4)


def clock_figures(clock: TravelClock | None) -> FloatArray:
    """Return a clock as an array of shape (4, hours); without a clock, no hours."""
    if clock is None:
        return np.empty((4, 0))
    n = len(clock.factors)
    figures = np.zeros((4, n))
    figures[_FACTOR] = clock.factors
    figures[_DONE, 1:] = np.cumsum(np.asarray(clock.factors[:-1]) * HOUR_S)
    figures[_DRY_FROM] = n * HOUR_S
    dry = figures[_FACTOR] == 1.0
    for hour in np.flatnonzero(dry):
        figures[_DRY_FROM, hour] = figures[_DRY_FROM, hour - 1] if hour and dry[hour - 1] else hour * HOUR_S
    for hour in np.flatnonzero(dry)[::-1]:
        goes_on = hour + 1 < n and dry[hour + 1]
        figures[_DRY_UNTIL, hour] = figures[_DRY_UNTIL, hour + 1] if goes_on else (hour + 1) * HOUR_S
    return figures


# --- The clock -----------------------------------------------------------------------------------------------------


@inner
def _work(clock: FloatArray, time_s: int) -> float:
    """Return the dry-day seconds one can drive until a time."""
    hour = min(max(time_s // HOUR_S, 0), clock.shape[1] - 1)
    return float(clock[_DONE, hour] + (time_s - hour * HOUR_S) * clock[_FACTOR, hour])


@inner
def _time(clock: FloatArray, work_s: float) -> float:
    """Return the inverse of `_work`."""
    hour = 0
    while hour + 1 < clock.shape[1] and clock[_DONE, hour + 1] <= work_s:
        hour += 1
    return float(hour * HOUR_S + (work_s - clock[_DONE, hour]) / clock[_FACTOR, hour])


@compiled
def arrive(clock: FloatArray, departure_s: int, dry_s: int) -> int:
    """Return the second of arrival after so many dry-day seconds of travel."""
    end_s = departure_s + dry_s
    hours = clock.shape[1]
    if hours == 0 or dry_s == 0 or dry_s >= UNREACHABLE_S:
        return end_s
    if 0 <= departure_s < hours * HOUR_S and end_s <= clock[_DRY_UNTIL, departure_s // HOUR_S]:
        return end_s
    return math.ceil(_time(clock, _work(clock, departure_s) + dry_s) - SLACK_S)


@compiled
def leave_by(clock: FloatArray, arrival_s: int, dry_s: int) -> int:
    """Return the last second at which to leave to arrive by a time."""
    start_s = arrival_s - dry_s
    hours = clock.shape[1]
    if hours == 0 or dry_s == 0 or dry_s >= UNREACHABLE_S:
        return start_s
    if 0 <= arrival_s < hours * HOUR_S and clock[_DRY_FROM, arrival_s // HOUR_S] <= start_s:
        return start_s
    return math.floor(_time(clock, _work(clock, arrival_s) - dry_s) + SLACK_S)


# --- Times ---------------------------------------------------------------------------------------------------------


@inner
def _travel_s(road: Road, departure_s: int, here: int, there: int) -> int:
    """Return the seconds from a place to another when leaving at a time."""
    return arrive(road.clock, departure_s, road.duration[here, there]) - departure_s


@inner
def _run_forward(road: Road, day: IntArray) -> tuple[bool, int]:
    """Set earliest starts and rests; return whether driving limits hold, and the seconds driven.

    A rest is placed before the movement that would exceed what may be driven without one.
    """
    n, unbroken_s = day.shape[1], road.limits[UNBROKEN]
    time_s, since_rest, drive_s = road.limits[SHIFT_START], 0, 0
    for k in range(n):
        start = max(time_s, day[LOWER, k])
        day[EARLIEST, k], day[REST, k] = start, 0
        end = start + day[SERVICE, k]
        if k + 1 == n:
            break
        here, there = day[PLACE, k], day[PLACE, k + 1]
        travel = _travel_s(road, end, here, there)
        ahead, idle = travel, False
        if day[BEGINS, k + 1]:
            leaves = max(end, day[LOWER, k + 1]) + day[SERVICE, k + 1]
            ahead = _travel_s(road, leaves, there, day[PLACE, k + 2])
            idle = day[LOWER, k + 1] - end >= MIN_REST_S
        if idle or since_rest + ahead > unbroken_s:
            day[REST, k] = MIN_REST_S
            since_rest = 0
            travel = _travel_s(road, end + MIN_REST_S, here, there)
        since_rest += travel
        drive_s += travel
        if since_rest > unbroken_s:
            for rest in range(k + 1, n):
                day[EARLIEST, rest], day[REST, rest] = FAR_S * 10, 0
            return False, drive_s
        time_s = end + day[REST, k] + travel
    return drive_s <= road.limits[MAX_DRIVE], drive_s


@inner
def _run_backward(road: Road, day: IntArray) -> bool:
    """Set latest starts; return whether none lies before the earliest."""
    after, holds = road.limits[SHIFT_END], True
    for k in range(day.shape[1] - 1, -1, -1):
        service = day[SERVICE, k]
        bound = min(day[START_BY, k], day[END_BY, k] - service, after - service)
        day[LATEST, k] = bound
        holds = holds and day[EARLIEST, k] <= bound
        if k:
            dry_s = road.duration[day[PLACE, k - 1], day[PLACE, k]]
            after = leave_by(road.clock, bound, dry_s) - day[REST, k - 1]
    return holds


@inner
def _latest_harmless(day: IntArray, k: int) -> int:
    """Return the latest start at stop k that harms nobody: windows, transfers, due times, the round's end."""
    earliest = day[EARLIEST, k]
    fetch = day[FETCH_BY, k] - day[SERVICE, k] - day[REST, k]
    bound = min(day[LATEST, k], day[START_BY, k], day[CAP, k], fetch, max(day[DUE, k], earliest))
    if k + 1 == day.shape[1] or day[BEGINS, k + 1]:
        bound = min(bound, max(earliest, day[WANTED, k]))
    return int(bound)


@inner
def _rests_suffice(road: Road, day: IntArray) -> bool:
    """Return whether rests and the day's travel still hold by the schedule: hours differ in speed."""
    since_rest = driven = 0
    for k in range(day.shape[1] - 1):
        leaves = day[START, k] + day[SERVICE, k] + day[REST, k]
        travel = _travel_s(road, leaves, day[PLACE, k], day[PLACE, k + 1])
        since_rest = travel + (0 if day[REST, k] else since_rest)
        driven += travel
        if since_rest > road.limits[UNBROKEN]:
            return False
    return bool(driven <= road.limits[MAX_DRIVE])


@inner
def _squeeze(road: Road, day: IntArray) -> bool:
    """Schedule every round as late as its end allows; return whether driving limits hold then."""
    after = road.limits[SHIFT_END]
    for k in range(day.shape[1] - 1, -1, -1):
        bound = min(_latest_harmless(day, k), after - day[SERVICE, k])
        day[START, k] = max(day[EARLIEST, k], bound)
        if k:
            dry_s = road.duration[day[PLACE, k - 1], day[PLACE, k]]
            after = leave_by(road.clock, day[START, k], dry_s) - day[REST, k - 1]
    return road.clock.shape[1] == 0 or _rests_suffice(road, day)


@compiled
def squeeze(road: Road, day: IntArray) -> bool:
    """Schedule every round as late as its end allows; return False where driving limits forbid the schedule."""
    return _squeeze(road, day)


@inner
def _price(road: Road, day: IntArray) -> tuple[bool, float]:
    """Return whether every round's range suffices, and the money of distance, energy, time and the vehicle."""
    prices, n = road.prices, day.shape[1]
    cost, in_range, first = prices[FIXED], True, 0
    metres, energy, peak = 0, 0.0, 0.0
    for k in range(n):
        if k + 1 == n or day[BEGINS, k + 1]:
            in_range = in_range and peak <= prices[RANGE_WH]
            seconds = day[START, k] + day[SERVICE, k] - day[START, first]
            cost += metres * prices[PER_M] + max(0.0, energy) * prices[PER_WH] + seconds * prices[PER_S]
            metres, energy, peak, first = 0, 0.0, 0.0, k + 1
            continue
        here, there = day[PLACE, k], day[PLACE, k + 1]
        metres += road.distance[here, there]
        energy += road.energy[here, there]
        peak = max(peak, energy)
    return in_range, cost


@compiled
def pile(aboard: FloatArray, room: FloatArray) -> bool:
    """Sum up along each row what changes at the stops; return whether no sum exceeds the row's room."""
    fits = True
    for row in range(aboard.shape[0]):
        total = 0.0
        for k in range(aboard.shape[1]):
            total += aboard[row, k]
            aboard[row, k] = total
            fits = fits and total <= room[row]
    return fits


@compiled
def run(road: Road, day: IntArray) -> tuple[bool, int, float]:
    """Set all times of a day with stops; return whether it holds, the seconds driven and its money but for lateness."""
    drives, drive_s = _run_forward(road, day)
    holds = _run_backward(road, day)
    if not _squeeze(road, day):
        for k in range(day.shape[1]):
            day[START, k] = day[EARLIEST, k]
    in_range, cost = _price(road, day)
    return drives and holds and in_range, drive_s, cost
