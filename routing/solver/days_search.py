"""The cheapest place for a leg in a vehicle's day, checked against the day's earliest and latest times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from routing.solver.days import Day
from routing.solver.fleets import Fleet
from routing.solver.spot_loops import Leg, find_gap, find_spot
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


def leg_of(fleet: Fleet, request: Request) -> Leg:
    """Return what a request asks of the days of a fleet."""
    ride, job = request.ride, request.job
    return Leg(
        ride.origin,
        ride.destination,
        request.earliest_load_s,
        *request.window,
        request.latest_unload_end_s,
        float(request.load_service_s),
        float(request.unload_service_s),
        fleet.fits_of(job.product.id, (job.kg, job.litres), (job.boxed_kg, job.boxed_l)),
    )


def best_spot(day: Day, request: Request, leg: Leg, limit: float) -> Spot | None:
    """Return the cheapest feasible spot in the day's existing rounds below `limit`, None where there is none.

    Cost is the detour's distance, energy and time plus service time; waiting is not counted. `leg` is the request's.
    """
    fleet = day.fleet
    service_cost = (request.load_service_s + request.unload_service_s) * fleet.cost_per_s
    bound = float(limit - service_cost)
    delta, load_at, load_new, unload_at, unload_new, row, ready_s, start_s = find_spot(
        fleet.road, day.times, day.aboard, leg, day.drive_s, bound
    )
    if row < 0:
        return None
    part = fleet.fits[request.job.product.id][row]
    delta += service_cost
    return Spot(day, load_at, load_new, unload_at, unload_new, False, *part, delta, ready_s, start_s)


# --- New rounds ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnRound:
    """A round for one leg alone, whatever vehicle of the fleet makes it: its part, its money, its dry driving time."""

    compartment: int
    boxed: bool
    cost: float
    drive_s: int


def own_round(fleet: Fleet, request: Request) -> OwnRound | None:
    """Return a round for the leg alone; None where nothing has room or the range is too short."""
    base, cost, duration = fleet.base, fleet.arc_cost, fleet.travel.duration_s
    way = [base, *(p for p in (request.ride.origin, request.ride.destination) if p != base), base]
    part = _empty_room(fleet, request)
    if part is None or (fleet.type.range_wh is not None and _peak_wh(fleet, way) > fleet.type.range_wh):
        return None
    stops = (len(way) - 2) * fleet.type.stop_s + request.load_service_s + request.unload_service_s
    legs = list(pairwise(way))
    money = sum([cost[a][b] for a, b in legs]) + stops * fleet.cost_per_s
    return OwnRound(*part, money, sum([duration[a][b] for a, b in legs]))


def best_new_round(day: Day, own: OwnRound, leg: Leg, limit: float) -> Spot | None:
    """Return the spot below `limit` for the leg in a round of its own, between or after the day's rounds."""
    kind = day.fleet.type
    delta = own.cost + (0.0 if day.place else kind.fixed_cost)
    if delta >= limit or (kind.max_rounds is not None and sum(day.begins) >= kind.max_rounds):
        return None
    if day.drive_s + own.drive_s > kind.max_drive_s:
        return None
    gap, ready_s, start_s = find_gap(day.fleet.road, day.times, leg)
    if gap < 0:
        return None
    return Spot(day, gap, False, gap, False, True, own.compartment, own.boxed, delta, ready_s, start_s)


def _peak_wh(fleet: Fleet, way: Sequence[int]) -> float:
    """Return the most energy a round has used at any stop; going down may give some back."""
    energy = fleet.travel.energy_wh
    return max(accumulate(energy[a][b] for a, b in pairwise(way)))


def _empty_room(fleet: Fleet, request: Request) -> tuple[int, bool] | None:
    job = request.job
    for compartment, boxed in fleet.fits[job.product.id]:
        part = fleet.type.compartments[compartment]
        kg, litres = (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)
        if kg <= part.kg and litres <= part.litres:
            return compartment, boxed
    return None


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
