"""The cheapest place for a leg in the days of a fleet, checked against their earliest and latest times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing.solver.boards import Board
from routing.solver.days import Day
from routing.solver.errands import Request, RoadErrand
from routing.solver.machine_code import direct
from routing.solver.site_loops import find_site
from routing.solver.spot_loops import Leg
from routing.solver.tasks import Task

_find_site = direct(find_site)


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


def best_spot(
    days: Sequence[Day], board: Board, request: Request, by_road: RoadErrand, limit: float, *, fresh: bool = False
) -> Spot | None:
    """Return the cheapest feasible spot for a leg in a fleet's days below `limit`, None where there is none.

    Cost is the detour's distance, energy and time plus service time; waiting is not counted. With `fresh` the leg
    begins a round of its own.
    """
    fleet, errand = by_road.fleet, request.errand
    avoid = [day.row for day in request.avoid if isinstance(day, Day) and day.fleet is fleet]
    row, new_round, delta, load_at, load_new, unload_at, unload_new, part, ready_s, start_s = _find_site(
        fleet.road,
        board.days,
        Leg(
            errand.ride.origin,
            errand.ride.destination,
            request.earliest_load_s,
            errand.window[0],
            errand.window[1],
            errand.latest_unload_end_s,
            errand.load_service_s,
            errand.unload_service_s,
            by_road.fits,
        ),
        by_road.own,
        (avoid[0] if avoid else -1, avoid[-1] if avoid else -1),
        float(limit),
        fresh,
    )
    if row < 0:
        return None
    room = by_road.own_part if new_round else by_road.parts[part]
    return Spot(days[row], load_at, load_new, unload_at, unload_new, new_round, *room, delta, ready_s, start_s)


# --- Placing -------------------------------------------------------------------------------------------------------


def place_task(task: Task, spot: Spot) -> None:
    """Put a task at a spot of a day; the day's times are stale until it is refreshed."""
    day = spot.day
    task.choose_compartment(spot.compartment, spot.boxed)
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
    day.take_on(task, load_at, unload_at)


def _new_round(task: Task, gap: int, day: Day) -> tuple[int, int]:
    base = day.fleet.base
    way = [base, *(place for place in (task.origin, task.destination) if place != base), base]
    for k, place in enumerate(way):
        day.insert_stop(gap + k, place, begins=k == 0)
    load_at = gap if task.origin == base else gap + 1
    unload_at = gap + len(way) - 1 if task.destination == base else load_at + 1
    return load_at, unload_at
