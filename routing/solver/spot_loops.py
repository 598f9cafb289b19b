"""The cheapest spot for a leg in a vehicle's day as compiled loops, checked against the day's times and loads."""

from __future__ import annotations

import math
from typing import NamedTuple

from routing.solver.day_loops import (
    BASE,
    BEGINS,
    EARLIEST,
    END_BY,
    INTO,
    LATEST,
    LOWER,
    MAX_DRIVE,
    NO_WAY,
    OUT_OF,
    PER_S,
    PLACE,
    RANGE_WH,
    REST,
    SERVICE,
    SHIFT_END,
    SHIFT_START,
    START_BY,
    STOP_S,
    FloatArray,
    IntArray,
    Road,
    arrive,
)
from routing.solver.fleets import whole_seconds
from routing.solver.machine_code import inner

PART, KG, LITRES, ROOM_KG, ROOM_L = range(5)
"""Columns of a leg's `Leg.fits`: a compartment it may ride in, what it weighs and fills there, and what there is."""
_ROUNDING_KG = 1e-7


class Leg(NamedTuple):
    """A leg to be put into a day: places, bounds of its times, seconds of loading and unloading, its compartments."""

    origin: int
    target: int
    earliest_load_s: int
    window_from_s: int
    window_to_s: int
    unload_by_s: int
    load_s: float
    unload_s: float
    fits: FloatArray
    """Shape (f, 5), best first."""


Slot = tuple[int, bool, int, bool]
"""Where to load, at a new stop after that one, where to unload, at a new stop after that one."""
Found = tuple[float, int, bool, int, bool, int, int, int]
"""Extra cost, where to load, at a new stop, where to unload, at a new stop, row of `fits` (-1: nothing found), when
the goods are unloaded, and when unloading starts."""


_whole = inner(whole_seconds)


@inner
def _visit(road: Road, leaves_s: int, here: int, place: int, earliest_s: int, service_s: float) -> tuple[bool, int]:
    """Return whether a new stop is reached before it closes, and the end of service there."""
    start = max(arrive(road.clock, leaves_s, road.duration[here, place]), earliest_s, road.opens[place])
    return start <= road.closes[place], start + _whole(road.prices[STOP_S] + service_s)


@inner
def _unload(road: Road, leg: Leg, leaves_s: int, here: int) -> tuple[int, int]:
    """Return (end, start) of unloading at a new stop; end -1 where times do not hold."""
    open_, end = _visit(road, leaves_s, here, leg.target, leg.window_from_s, leg.unload_s)
    start = end - _whole(road.prices[STOP_S] + leg.unload_s)
    if not open_ or start > leg.window_to_s or end > leg.unload_by_s:
        return -1, 0
    return end, start


@inner
def _unload_here(road: Road, day: IntArray, leg: Leg, k: int, arrival_s: int) -> tuple[int, int]:
    """Return (end, start) of service at existing stop k with the leg unloaded there too; end -1 where it fails."""
    start = max(arrival_s, leg.window_from_s)
    end = start + day[SERVICE, k] + _whole(leg.unload_s)
    last = road.limits[SHIFT_END] if k + 1 == day.shape[1] else day[LATEST, k + 1] - day[REST, k]
    if start > min(day[START_BY, k], leg.window_to_s) or end > min(day[END_BY, k], leg.unload_by_s, last):
        return -1, 0
    return end, start


@inner
def _load(road: Road, day: IntArray, leg: Leg, k: int, new: bool) -> int:  # compiled: by position
    """Return the end of loading at or after stop k, -1 where times do not hold."""
    if new:
        leaves = day[EARLIEST, k] + day[SERVICE, k] + day[REST, k]
        open_, end = _visit(road, leaves, day[PLACE, k], leg.origin, leg.earliest_load_s, leg.load_s)
        return end if open_ else -1
    start = max(day[EARLIEST, k], leg.earliest_load_s)
    end = int(start + day[SERVICE, k] + _whole(leg.load_s))
    return -1 if start > day[START_BY, k] or end > day[END_BY, k] else end


@inner
def _simulate(  # noqa: C901, PLR0911 # the innermost loop of the search
    road: Road, day: IntArray, leg: Leg, slot: Slot
) -> tuple[int, int]:
    """Return (end, start) of unloading when the leg is put there; end -1 where some time does not hold."""
    load_at, load_new, unload_at, unload_new = slot
    end = _load(road, day, leg, load_at, load_new)
    if end < 0:
        return -1, 0
    place = leg.origin if load_new else day[PLACE, load_at]
    done, begun = -1, 0
    if unload_new and unload_at == load_at:
        done, begun = _unload(road, leg, end if load_new else end + day[REST, load_at], place)
        if done < 0:
            return -1, 0
        end, place = done, leg.target
    for k in range(load_at + 1, day.shape[1]):
        there = day[PLACE, k]
        arrival = arrive(road.clock, end + day[REST, k - 1], road.duration[place, there])
        start = max(arrival, day[LOWER, k])
        if done < 0 and not unload_new and k == unload_at:
            done, begun = _unload_here(road, day, leg, k, start)
            if done < 0:
                return -1, 0
            end = done
        else:
            if start > day[LATEST, k]:
                return -1, 0
            if done >= 0 and start <= day[EARLIEST, k]:
                return done, begun
            end = start + day[SERVICE, k]
        place = there
        if done < 0 and unload_new and k == unload_at:
            done, begun = _unload(road, leg, end + day[REST, k], place)
            if done < 0:
                return -1, 0
            end, place = done, leg.target
    return done, begun


@inner
def _room(aboard: FloatArray, leg: Leg, first: int, stop: int) -> int:
    """Return the row of `fits` of the first compartment with room on the ways from stops `first` to `stop` - 1."""
    parts = aboard.shape[0] // 2
    for row in range(leg.fits.shape[0]):
        part = int(leg.fits[row, PART])
        free_kg, free_l = leg.fits[row, ROOM_KG] + _ROUNDING_KG, leg.fits[row, ROOM_L] + _ROUNDING_KG
        fits = True
        for k in range(first, stop):
            if (
                aboard[part, k] + leg.fits[row, KG] > free_kg
                or aboard[parts + part, k] + leg.fits[row, LITRES] > free_l
            ):
                fits = False
                break
        if fits:
            return row
    return -1


@inner
def _detour_s(road: Road, day: IntArray, at: int, place: int) -> int:
    here, there = day[PLACE, at], day[PLACE, at + 1]
    return int(road.duration[here, place] + road.duration[place, there] - road.duration[here, there])


@inner
def _drive_holds(
    road: Road,
    day: IntArray,
    leg: Leg,
    drive_s: int,
    slot: Slot,
) -> bool:
    """Return whether the day's driving time holds.

    Where hours differ in speed, the dry-day detour is what driving time grows by at least; placing tells exactly.
    """
    load_at, load_new, unload_at, unload_new = slot
    extra = 0
    if load_new and unload_new and load_at == unload_at:
        here, there = day[PLACE, load_at], day[PLACE, load_at + 1]
        extra = road.duration[here, leg.origin] + road.duration[leg.origin, leg.target]
        extra += road.duration[leg.target, there] - road.duration[here, there]
    else:
        if load_new:
            extra += _detour_s(road, day, load_at, leg.origin)
        if unload_new:
            extra += _detour_s(road, day, unload_at, leg.target)
    return bool(drive_s + extra <= road.limits[MAX_DRIVE])


@inner
def _range_holds(
    road: Road,
    day: IntArray,
    leg: Leg,
    first: int,
    slot: Slot,
) -> bool:
    """Return whether the energy used at no stop of the round exceeds the range; going down may give some back."""
    load_at, load_new, unload_at, unload_new = slot
    limit = road.prices[RANGE_WH]
    if limit == math.inf:
        return True
    used, here, k = 0.0, day[PLACE, first], first
    while True:
        for new, at, place in ((load_new, load_at, leg.origin), (unload_new, unload_at, leg.target)):
            if new and at == k:
                used += road.energy[here, place]
                here = place
                if used > limit:
                    return False
        k += 1
        if k == day.shape[1] or day[BEGINS, k]:
            return True
        used += road.energy[here, day[PLACE, k]]
        here = day[PLACE, k]
        if used > limit:
            return False


@inner
def _try(
    road: Road,
    day: IntArray,
    aboard: FloatArray,
    leg: Leg,
    drive_s: int,
    first: int,
    slot: Slot,
) -> tuple[int, int, int]:
    """Return the row of `fits`, end and start of unloading when the leg is put there; row -1 where a rule breaks."""
    load_at, _, unload_at, unload_new = slot
    row = _room(aboard, leg, load_at, unload_at + 1 if unload_new else unload_at)
    if row < 0:
        return -1, 0, 0
    done, begun = _simulate(road, day, leg, slot)
    if done < 0 or not _drive_holds(road, day, leg, drive_s, slot):
        return -1, 0, 0
    if not _range_holds(road, day, leg, first, slot):
        return -1, 0, 0
    return row, done, begun


@inner
def _extra(road: Road, day: IntArray, place: int, k: int, first: int) -> tuple[float, bool]:
    """Return what it costs to visit a place at or after stop k, and whether at a new stop."""
    here, there = day[PLACE, k], day[PLACE, k + 1]
    if here == place and k > first:
        return 0.0, False
    way = float(road.cost[place, here, INTO]) + float(road.cost[place, there, OUT_OF])
    if way >= NO_WAY:
        return math.inf, True
    return way - float(road.cost[here, there, OUT_OF]) + road.prices[STOP_S] * road.prices[PER_S], True


@inner
def find_spot(  # calls that return much are dear
    road: Road, day: IntArray, aboard: FloatArray, leg: Leg, drive_s: int, bound: float
) -> Found:
    """Return the cheapest spot in the day's rounds that adds less than `bound`, service time not counted.

    `aboard` has two rows a compartment on departure from every stop: all kilograms, then all litres.
    """
    best: Found = (bound, 0, False, 0, False, -1, 0, 0)
    base, n, first = road.limits[BASE], day.shape[1], 0
    while first < n:
        last = first
        while last + 1 < n and not day[BEGINS, last + 1]:
            last += 1
        if base in (leg.origin, leg.target):
            brings = leg.origin == base
            for k in range(first, last):
                extra, new = _extra(road, day, leg.target if brings else leg.origin, k, first)
                if extra < best[0]:
                    slot = (first, False, k, new) if brings else (k, new, last, False)
                    row, done, begun = _try(road, day, aboard, leg, drive_s, first, slot)
                    if row >= 0:
                        best = (extra, slot[0], slot[1], slot[2], slot[3], row, done, begun)
        else:
            best = _find_pair(road, day, aboard, leg, drive_s, first, last, best)
        first = last + 1
    return best


@inner
def _find_pair(
    road: Road, day: IntArray, aboard: FloatArray, leg: Leg, drive_s: int, first: int, last: int, best: Found
) -> Found:
    """Return the best spot in a round for a leg between two places away from the base."""
    for k in range(first, last):
        extra, new = _extra(road, day, leg.origin, k, first)
        if extra == math.inf:
            continue
        via = _via(road, day, leg, k, new)
        if via < best[0]:
            row, done, begun = _try(road, day, aboard, leg, drive_s, first, (k, new, k, True))
            if row >= 0:
                best = (via, k, new, k, True, row, done, begun)
        for there in range(k + 1, last):
            more, there_new = _extra(road, day, leg.target, there, first)
            if extra + more < best[0]:
                row, done, begun = _try(road, day, aboard, leg, drive_s, first, (k, new, there, there_new))
                if row >= 0:
                    best = (extra + more, k, new, there, there_new, row, done, begun)
    return best


@inner
def _via(road: Road, day: IntArray, leg: Leg, k: int, new: bool) -> float:
    """Return what it costs to unload at a new stop right after loading at or after stop k."""
    here = day[PLACE, k] if new else leg.origin
    there = day[PLACE, k + 1]
    way = float(road.cost[leg.origin, here, INTO]) if new else 0.0
    way += float(road.cost[leg.origin, leg.target, OUT_OF]) + float(road.cost[leg.target, there, OUT_OF])
    if way >= NO_WAY:
        return math.inf
    stops = 2.0 if new else 1.0
    return float(way - float(road.cost[here, there, OUT_OF]) + stops * road.prices[STOP_S] * road.prices[PER_S])


@inner
def find_gap(road: Road, day: IntArray, leg: Leg) -> tuple[int, int, int]:
    """Return the first stop before which a round with the leg alone fits (the number of stops: after the last).

    With it come end and start of unloading; the gap is -1 where there is none.
    """
    n = day.shape[1]
    for gap in range(n + 1):
        if gap < n and not day[BEGINS, gap]:
            continue
        done, begun = _simulate_round(road, day, leg, gap)
        if done >= 0:
            return gap, done, begun
    return -1, 0, 0


@inner
def _simulate_round(road: Road, day: IntArray, leg: Leg, gap: int) -> tuple[int, int]:
    """Return (end, start) of unloading in a new round before stop `gap`; end -1 where some time does not hold."""
    base, begin, here = road.limits[BASE], road.limits[SHIFT_START], road.limits[BASE]
    if gap > 0:
        begin = day[EARLIEST, gap - 1] + day[SERVICE, gap - 1] + day[REST, gap - 1]
    if leg.origin == base:
        end = max(begin, leg.earliest_load_s) + _whole(leg.load_s)
    else:
        open_, end = _visit(road, begin, base, leg.origin, leg.earliest_load_s, leg.load_s)
        here = leg.origin
        if not open_:
            return -1, 0
    if leg.target == base:
        start = max(arrive(road.clock, end, road.duration[here, base]), leg.window_from_s)
        end = start + _whole(leg.unload_s)
        if start > leg.window_to_s or end > leg.unload_by_s:
            return -1, 0
        done, begun = end, start
    else:
        done, begun = _unload(road, leg, end, here)
        if done < 0:
            return -1, 0
        end = arrive(road.clock, done, road.duration[leg.target, base])
    last = road.limits[SHIFT_END] if gap == day.shape[1] else day[LATEST, gap]
    return (done, begun) if end <= last else (-1, 0)
