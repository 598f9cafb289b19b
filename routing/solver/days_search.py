"""The cheapest place for a leg in a vehicle's day, checked against the day's earliest and latest times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from routing.solver.days import Day
from routing.solver.instance import IMPOSSIBLE, whole_seconds
from routing.solver.tasks import Request, Task


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a leg goes in a day. An index with `new_*` means: a new stop after that one; without: that very stop."""

    day: Day
    load_at: int
    load_new: bool
    unload_at: int
    unload_new: bool
    new_round: bool
    compartment: int
    boxed: bool
    delta: float
    ready_s: int
    """When the goods would be unloaded."""
    unload_start_s: int


class _Option(NamedTuple):
    """A way to put the leg in; sorts by cost."""

    delta: float
    load_at: int
    load_new: bool
    unload_at: int
    unload_new: bool


def best_spot(day: Day, request: Request, limit: float) -> Spot | None:
    """Return the cheapest feasible spot in the day's existing rounds below `limit`, None where there is none.

    Cost is the detour's distance, energy and time plus service time; waiting is not counted.
    """
    service_cost = (request.load_service_s + request.unload_service_s) * day.fleet.cost_per_s
    bound = limit - service_cost
    options: list[_Option] = []
    for first, last in day.rounds():
        options += _options(day, request, first, last, bound)
    options.sort()
    for option in options:
        part = _room(day, request, option)
        times = _simulate(day, request, option) if part is not None else None
        if part is not None and times is not None and _within_limits(day, request, option):
            return Spot(
                day,
                option.load_at,
                option.load_new,
                option.unload_at,
                option.unload_new,
                False,
                part[0],
                part[1],
                option.delta + service_cost,
                times[0],
                times[1],
            )
    return None


# --- Candidates ----------------------------------------------------------------------------------------------------


def _options(day: Day, request: Request, first: int, last: int, bound: float) -> list[_Option]:
    base = day.fleet.base
    origin, target = request.ride.origin, request.ride.destination
    if origin == base:
        return [_Option(delta, first, False, at, new) for delta, at, new in _visits(day, target, first, last, bound)]
    if target == base:
        return [_Option(delta, at, new, last, False) for delta, at, new in _visits(day, origin, first, last, bound)]
    return _pairs(day, request, first, last, bound)


def _visits(day: Day, place: int, first: int, last: int, bound: float) -> list[tuple[float, int, bool]]:
    """Return (extra cost, index, new) of every way below `bound` to visit a place within a round."""
    cost, stops = day.fleet.arc_cost, day.place
    to_row, stop_cost = cost[place], day.fleet.type.stop_s * day.fleet.cost_per_s
    found: list[tuple[float, int, bool]] = []
    for k in range(first, last):
        here, there = stops[k], stops[k + 1]
        if here == place and k > first:
            if bound > 0.0:
                found.append((0.0, k, False))
        else:
            row = cost[here]
            delta = row[place] + to_row[there] - row[there] + stop_cost
            if delta < bound:
                found.append((delta, k, True))
    return found


def _pairs(day: Day, request: Request, first: int, last: int, bound: float) -> list[_Option]:
    """Return options below `bound` for a leg between two places away from the base."""
    origin, target = request.ride.origin, request.ride.destination
    cost, stops = day.fleet.arc_cost, day.place
    stop_cost = day.fleet.type.stop_s * day.fleet.cost_per_s
    visits = _visits(day, target, first, last, bound)
    found: list[_Option] = []
    for delta, at, new in _visits(day, origin, first, last, IMPOSSIBLE):
        found += [
            _Option(delta + there_delta, at, new, there_at, there_new)
            for there_delta, there_at, there_new in visits
            if there_at > at and delta + there_delta < bound
        ]
        here, there = (stops[at], stops[at + 1]) if new else (origin, stops[at + 1])
        via = cost[here][origin] + cost[origin][target] + cost[target][there] - cost[here][there]
        via += stop_cost * (2.0 if new else 1.0)
        if via < bound:
            found.append(_Option(via, at, new, at, True))
    return found


# --- Checks --------------------------------------------------------------------------------------------------------


def _room(day: Day, request: Request, option: _Option) -> tuple[int, bool] | None:
    """Return a (compartment, boxed) with room from loading to unloading, None where there is none."""
    stop = option.unload_at + 1 if option.unload_new else option.unload_at
    for compartment, boxed in day.fleet.fits[request.job.product.id]:
        part = day.fleet.type.compartments[compartment]
        kg = request.job.boxed_kg if boxed else request.job.kg
        litres = request.job.boxed_l if boxed else request.job.litres
        free_kg = part.kg - max(day.mass[compartment][option.load_at : stop])
        free_l = part.litres - max(day.litres[compartment][option.load_at : stop])
        if kg <= free_kg + 1e-7 and litres <= free_l + 1e-7:
            return compartment, boxed
    return None


def _within_limits(day: Day, request: Request, option: _Option) -> bool:
    """Return whether the round's energy and the day's driving time hold.

    Where hours differ in speed, the dry-day detour is what driving time grows by at least; placing tells exactly.
    """
    if day.fleet.type.range_wh is not None and _peak_wh(day, _way_with(day, request, option)) > day.fleet.type.range_wh:
        return False
    duration, stops = day.fleet.travel.duration_s, day.place
    extra = 0
    if option.load_new and option.unload_new and option.load_at == option.unload_at:
        here, there = stops[option.load_at], stops[option.load_at + 1]
        origin, target = request.ride.origin, request.ride.destination
        extra = duration[here][origin] + duration[origin][target] + duration[target][there] - duration[here][there]
    else:
        for at, new, place in (
            (option.load_at, option.load_new, request.ride.origin),
            (option.unload_at, option.unload_new, request.ride.destination),
        ):
            if new:
                here, there = stops[at], stops[at + 1]
                extra += duration[here][place] + duration[place][there] - duration[here][there]
    return day.drive_s + extra <= day.fleet.type.max_drive_s


def _way_with(day: Day, request: Request, option: _Option) -> list[int]:
    """Return the places of the round an option goes into, with the new stops."""
    first = max(k for k in range(option.load_at + 1) if day.begins[k])
    last = next((k for k in range(first + 1, len(day.place)) if day.begins[k]), len(day.place))
    way = day.place[first:last]
    if option.unload_new:
        way.insert(option.unload_at + 1 - first, request.ride.destination)
    if option.load_new:
        way.insert(option.load_at + 1 - first, request.ride.origin)
    return way


def _peak_wh(day: Day, way: Sequence[int]) -> float:
    """Return the most energy a round has used at any stop; going down may give some back."""
    energy = day.fleet.travel.energy_wh
    return max(accumulate(energy[a][b] for a, b in pairwise(way)))


class _Walk:
    """Time running through a day while a leg is tried."""

    __slots__ = ("day", "end_s", "place", "request")

    def __init__(self, day: Day, request: Request, end_s: int, place: int) -> None:
        self.day, self.request, self.end_s, self.place = day, request, end_s, place

    def to_origin(self, rest_s: int) -> bool:
        """Visit the place of loading at a new stop."""
        return self._visit(self.request.ride.origin, rest_s, self.request.earliest_load_s, self.request.load_service_s)

    def to_destination(self, rest_s: int) -> int | None:
        """Visit the place of unloading at a new stop; return the start of service, None where times do not hold."""
        request = self.request
        if not self._visit(request.ride.destination, rest_s, request.window[0], request.unload_service_s):
            return None
        start_s = self.end_s - whole_seconds(self.day.fleet.type.stop_s + request.unload_service_s)
        return start_s if start_s <= request.window[1] and self.end_s <= request.latest_unload_end_s else None

    def _visit(self, place: int, rest_s: int, earliest_s: int, service_s: float) -> bool:
        instance, fleet = self.day.instance, self.day.fleet
        leaves = self.end_s + rest_s
        arrival = leaves + self.day.travel_s(leaves, self.place, place)
        start = max(arrival, earliest_s, instance.opens_s[place])
        self.end_s, self.place = start + whole_seconds(fleet.type.stop_s + service_s), place
        return start <= instance.closes_s[place]


def _simulate(  # noqa: C901, PLR0911 # the innermost loop of the search: calls would double its time
    day: Day, request: Request, option: _Option
) -> tuple[int, int] | None:
    """Return (end, start) of unloading when the leg is put at `option`; None where some time does not hold."""
    k = option.load_at
    walk = _load(day, request, option)
    if walk is None:
        return None
    done: tuple[int, int] | None = None
    if option.unload_new and option.unload_at == k:
        start = walk.to_destination(0 if option.load_new else day.rest[k])
        if start is None:
            return None
        done = (walk.end_s, start)
    duration, clock = day.fleet.travel.duration_s, day.fleet.clock
    places, n = day.place, len(day.place)
    for k in range(option.load_at + 1, n):
        leaves, dry_s = walk.end_s + day.rest[k - 1], duration[walk.place][places[k]]
        arrival = leaves + dry_s if clock is None else clock.arrival_s(leaves, dry_s)
        start = max(arrival, day.lower[k])
        if done is None and not option.unload_new and k == option.unload_at:
            joined = _unload_here(day, request, k, start)
            if joined is None:
                return None
            done = joined
            walk.end_s = joined[0]
        else:
            if start > day.latest[k]:
                return None
            if done is not None and start <= day.earliest[k]:
                return done
            walk.end_s = start + day.service[k]
        walk.place = places[k]
        if done is None and option.unload_new and k == option.unload_at:
            begun = walk.to_destination(day.rest[k])
            if begun is None:
                return None
            done = (walk.end_s, begun)
    return done


def _load(day: Day, request: Request, option: _Option) -> _Walk | None:
    """Return the walk after loading, None where the loading stop's times do not hold."""
    k = option.load_at
    if option.load_new:
        walk = _Walk(day, request, day.earliest[k] + day.service[k], day.place[k])
        return walk if walk.to_origin(day.rest[k]) else None
    start = max(day.earliest[k], request.earliest_load_s)
    end = start + day.service[k] + whole_seconds(request.load_service_s)
    if start > day.start_by[k] or end > day.end_by[k]:
        return None
    return _Walk(day, request, end, day.place[k])


def _unload_here(day: Day, request: Request, k: int, arrival: int) -> tuple[int, int] | None:
    """Return (end, start) of service at existing stop k with the leg unloaded there too."""
    start = max(arrival, request.window[0])
    end = start + day.service[k] + whole_seconds(request.unload_service_s)
    last = day.fleet.type.shift_end_s if k + 1 == len(day.place) else day.latest[k + 1] - day.rest[k]
    if start > min(day.start_by[k], request.window[1]) or end > min(day.end_by[k], request.latest_unload_end_s, last):
        return None
    return end, start


# --- New rounds ----------------------------------------------------------------------------------------------------


def best_new_round(day: Day, request: Request, limit: float) -> Spot | None:
    """Return the cheapest spot for the leg in a round of its own, between or after the day's rounds."""
    fleet, base = day.fleet, day.fleet.base
    fixed = 0.0 if day.place else fleet.type.fixed_cost
    if fixed >= limit or (fleet.type.max_rounds is not None and sum(day.begins) >= fleet.type.max_rounds):
        return None
    cost, duration = fleet.arc_cost, fleet.travel.duration_s
    way = [base, *(p for p in (request.ride.origin, request.ride.destination) if p != base), base]
    stops = (len(way) - 2) * fleet.type.stop_s + request.load_service_s + request.unload_service_s
    legs = list(pairwise(way))
    delta = sum([cost[a][b] for a, b in legs]) + stops * fleet.cost_per_s + fixed
    if delta >= limit:
        return None
    part = _empty_room(day, request)
    if part is None or day.drive_s + sum([duration[a][b] for a, b in legs]) > fleet.type.max_drive_s:
        return None
    if fleet.type.range_wh is not None and _peak_wh(day, way) > fleet.type.range_wh:
        return None
    gaps = [k for k in range(len(day.place)) if day.begins[k]] + [len(day.place)]
    for gap in gaps:
        times = _simulate_round(day, request, gap)
        if times is not None:
            return Spot(day, gap, False, gap, False, True, part[0], part[1], delta, times[0], times[1])
    return None


def _empty_room(day: Day, request: Request) -> tuple[int, bool] | None:
    job = request.job
    for compartment, boxed in day.fleet.fits[job.product.id]:
        part = day.fleet.type.compartments[compartment]
        kg, litres = (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)
        if kg <= part.kg and litres <= part.litres:
            return compartment, boxed
    return None


def _simulate_round(day: Day, request: Request, gap: int) -> tuple[int, int] | None:
    """Return (end, start) of unloading in a new round before stop index `gap`."""
    fleet, base = day.fleet, day.fleet.base
    begin = fleet.type.shift_start_s if gap == 0 else day.earliest[gap - 1] + day.service[gap - 1] + day.rest[gap - 1]
    walk = _Walk(day, request, begin, base)
    if request.ride.origin == base:
        walk.end_s = max(begin, request.earliest_load_s) + whole_seconds(request.load_service_s)
    elif not walk.to_origin(0):
        return None
    start: int | None
    if request.ride.destination == base:
        start = max(walk.end_s + day.travel_s(walk.end_s, walk.place, base), request.window[0])
        walk.end_s = start + whole_seconds(request.unload_service_s)
        if start > request.window[1] or walk.end_s > request.latest_unload_end_s:
            return None
        done = (walk.end_s, start)
    else:
        start = walk.to_destination(0)
        if start is None:
            return None
        done = (walk.end_s, start)
        walk.end_s += day.travel_s(walk.end_s, walk.place, base)
    last = fleet.type.shift_end_s if gap == len(day.place) else day.latest[gap]
    return done if walk.end_s <= last else None


# --- Placing -------------------------------------------------------------------------------------------------------


def place_task(task: Task, spot: Spot) -> None:
    """Put a task at a spot of a day; the day's times are stale until it is refreshed."""
    day = spot.day
    task.choose_compartment(spot.compartment, spot.boxed)
    task.owner = day
    if spot.new_round:
        load_at, unload_at = _new_round(task, spot.load_at, day)
    else:
        load_at, unload_at = spot.load_at, spot.unload_at
        if spot.unload_new:
            unload_at += 1
            day.insert_stop(unload_at, task.destination)
        if spot.load_new:
            load_at += 1
            unload_at += 1
            day.insert_stop(load_at, task.origin)
    day.loads[load_at] = (*day.loads[load_at], task)
    day.unloads[unload_at] = (*day.unloads[unload_at], task)


def _new_round(task: Task, gap: int, day: Day) -> tuple[int, int]:
    base = day.fleet.base
    way = [base, *(place for place in (task.origin, task.destination) if place != base), base]
    for k, place in enumerate(way):
        day.insert_stop(gap + k, place, begins=k == 0)
    load_at = gap if task.origin == base else gap + 1
    unload_at = gap + len(way) - 1 if task.destination == base else load_at + 1
    return load_at, unload_at
