"""Compiled loops that judge one trip: travel, times with windows and pauses, loads, limits, cost."""

from __future__ import annotations

import numpy as np

from routing.solver.pairs.machine_code import compiled, inner
from routing.trips.arrays import Day, Scratch
from routing.visits import FAR_S, IntArray

NEVER = -1
_FAR_S = FAR_S


@inner
def first_within(windows: IntArray, begin: int, end: int, clock: int) -> int:
    """Return the earliest time from `clock` on in rows `begin` to `end` of windows, NEVER where there is none."""
    for row in range(begin, end):
        if clock <= windows[row, 1]:
            return int(max(clock, windows[row, 0]))
    return NEVER


@inner
def place_at(day: Day, k: int, trip: IntArray, m: int, position: int) -> int:
    """Return the location of a position of a trip: -1 is its start, m its end."""
    if position < 0:
        return int(day.start[k])
    return int(day.end[k]) if position >= m else int(day.place[trip[position]])


@inner
def arc_cost(day: Day, k: int, here: int, there: int, visit: int) -> float:
    """Return the cost from location to location, with the work of the visit there (-1: the end, no work)."""
    cost = 0.0
    if here >= 0 and there >= 0 and here != there:
        cost = day.cost[day.table[k], here, there]
    if visit >= 0 and day.task_cost[k] > 0.0:
        setup = day.setup_s[k, visit] if here != there else 0
        cost += day.task_cost[k] * (day.service_s[k, visit] + setup)
    return float(cost)


@inner
def trip_cost(day: Day, k: int, trip: IntArray, m: int) -> float:
    """Return the cost of a trip of m visits; nothing where there are none."""
    if m == 0:
        return 0.0
    cost = day.fixed[k]
    here = int(day.start[k])
    for position in range(m):
        visit = trip[position]
        cost += arc_cost(day, k, here, int(day.place[visit]), visit)
        here = int(day.place[visit])
    return float(cost + arc_cost(day, k, here, int(day.end[k]), -1))


@inner
def keeps_amounts(day: Day, k: int, trip: IntArray, m: int) -> bool:
    """Return whether a trip keeps number of tasks and capacities."""
    if m > day.most_tasks[k]:
        return False
    for dim in range(day.room.shape[1]):
        load = 0
        for position in range(m):
            load += day.brought[trip[position], dim]
        if load > day.room[k, dim]:
            return False
        for position in range(m):
            load += day.change[trip[position], dim]
            if load > day.room[k, dim]:
                return False
    return True


@inner
def keeps_lengths(day: Day, k: int, trip: IntArray, m: int) -> bool:
    """Return whether all ways of a trip exist, and their sums keep the limits of travel and distance."""
    table, travel, distance = day.table[k], 0, 0
    for position in range(m + 1):
        here, there = place_at(day, k, trip, m, position - 1), place_at(day, k, trip, m, position)
        if here >= 0 and there >= 0 and here != there:
            if day.move_s[table, here, there] >= _FAR_S:
                return False
            travel += day.move_s[table, here, there]
            distance += day.distance_m[table, here, there]
    return bool(travel <= day.most_travel_s[k] and distance <= day.most_distance_m[k])


@inner
def take_pause(day: Day, pause: int, clock: int, left_s: int) -> tuple[int, int]:
    """Return the time after a pause, NEVER where it is too late for it, and the travel left; it goes on until then."""
    since = first_within(day.pause_window, day.pause_window_from[pause], day.pause_window_from[pause + 1], clock)
    if since == NEVER:
        return NEVER, left_s
    return since + int(day.pause_s[pause]), max(0, left_s - (since - clock))


@inner
def arrive(scratch: Scratch, stop: int, taken: int, ready_s: int, before: int) -> None:
    """Note a time to go on from a stop, if it is the earliest yet."""
    known = scratch.ready_s[stop, taken]
    if known == NEVER or ready_s < known:
        scratch.ready_s[stop, taken], scratch.came[stop, taken] = ready_s, before


@inner
def go_on(day: Day, k: int, trip: IntArray, m: int, leg: int, pauses: int, scratch: Scratch) -> bool:
    """Reckon the earliest times after a leg from those before it; return whether there are any.

    A pause may fall before, within or after the travel of a leg; it waits for its window. Whichever number of pauses
    was taken so far, the earliest time is the best one, since nothing is gained by being later.
    """
    here, there = place_at(day, k, trip, m, leg - 1), place_at(day, k, trip, m, leg)
    travel = 0
    if here >= 0 and there >= 0 and here != there:
        travel = day.move_s[day.table[k], here, there]
    visit = trip[leg] if leg < m else -1
    work = 0
    if visit >= 0:
        work = day.service_s[k, visit] + (day.setup_s[k, visit] if here != there else 0)
    for taken in range(pauses + 1):
        scratch.ready_s[leg + 1, taken] = NEVER
    some = False
    for before in range(pauses + 1):
        clock, left = scratch.ready_s[leg, before], travel
        for taken in range(before, pauses + 1):
            if clock == NEVER:
                break
            at = clock + left
            if visit >= 0:
                at = first_within(day.window, day.window_from[visit], day.window_from[visit + 1], at)
            if at != NEVER and at + work <= day.closes_s[k]:
                arrive(scratch, leg + 1, taken, at + work, before)
                some = True
            if taken < pauses:
                clock, left = take_pause(day, day.pause_from[k] + taken, clock, left)
    return some


@inner
def ends_at(day: Day, k: int, trip: IntArray, m: int, begin_s: int, scratch: Scratch) -> int:
    """Return the earliest end of a trip that begins at a time; NEVER where it breaks a window."""
    pauses = int(day.pause_from[k + 1] - day.pause_from[k])
    scratch.ready_s[0, 0] = begin_s
    for taken in range(1, pauses + 1):
        scratch.ready_s[0, taken] = NEVER
    for leg in range(m + 1):
        if not go_on(day, k, trip, m, leg, pauses, scratch):
            return NEVER
    return int(scratch.ready_s[m + 1, pauses])


@inner
def fits(day: Day, k: int, trip: IntArray, m: int, scratch: Scratch) -> bool:
    """Return whether a vehicle can make a trip."""
    return (
        keeps_amounts(day, k, trip, m)
        and keeps_lengths(day, k, trip, m)
        and ends_at(day, k, trip, m, day.opens_s[k], scratch) != NEVER
    )


@compiled
def judge(day: Day, k: int, trip: IntArray, scratch: Scratch) -> bool:
    """Return whether a vehicle can make a trip."""
    return fits(day, k, trip, len(trip), scratch)


@compiled
def cost_of(day: Day, k: int, trip: IntArray) -> float:
    """Return the cost of a trip; nothing where it has no visits."""
    return trip_cost(day, k, trip, len(trip))


@compiled
def latest_begin(day: Day, k: int, trip: IntArray, scratch: Scratch) -> int:
    """Return the latest time to begin a trip that still ends as early as it can; its times are then in `scratch`."""
    m = len(trip)
    low = int(day.opens_s[k])
    end = ends_at(day, k, trip, m, low, scratch)
    high = end
    while low < high:
        middle = (low + high + 1) // 2
        if ends_at(day, k, trip, m, middle, scratch) == end:
            low = middle
        else:
            high = middle - 1
    ends_at(day, k, trip, m, low, scratch)
    return low


def pauses_by_leg(scratch: Scratch, m: int, pauses: int) -> list[tuple[int, int]]:
    """Return for each leg how many pauses are taken before and after it, on the way to the earliest end."""
    found: list[tuple[int, int]] = []
    taken = pauses
    for leg in range(m, -1, -1):
        before = int(np.int64(scratch.came[leg + 1, taken]))
        found.append((before, taken))
        taken = before
    return found[::-1]
