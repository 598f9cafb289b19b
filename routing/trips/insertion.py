"""Compiled loops that find the cheapest place of a visit, or of both ends of a shipment, in a trip.

What is known of the trip (`Marks`) makes each position a matter of two legs: the earliest times before it and the
latest after it are known, so nothing behind is gone through again. This is exact with several windows, since nothing is
gained by being later, and with pauses, since times are kept by the number of pauses taken. Where pauses depend on what
is aboard, more aboard can only forbid them: the two legs then tell what cannot be, and the whole trip is judged too.
"""

from __future__ import annotations

import math

import numpy as np

from routing.solver.machine_code import inner, woven
from routing.trips.arrays import Day, Marks, Routes, Scratch
from routing.trips.timing import (
    NEVER,
    arc_cost,
    fits,
    leg_forward,
    load_legs,
    metres_of,
    place_at,
    travel_of,
    walk_backward,
    walk_forward,
)
from routing.visits import IntArray

INFINITE = 1.0e300
_BLINK = 0.01
"""Chance of overlooking a position (Christiaens and Vanden Berghe's)."""


@inner
def mark(day: Day, routes: Routes, marks: Marks, k: int) -> bool:
    """Reckon anew what is known of a trip that keeps amounts; return whether it keeps times and lengths too.

    A trip may cease to when a visit is taken out, if the way past it is longer than the way by it.
    """
    trip, m = routes.visit[k], routes.size[k]
    load, peak_to, peak_from = marks.load[k], marks.peak_to[k], marks.peak_from[k]
    load_legs(day, trip, m, load)
    for dim in range(load.shape[1]):
        peak = 0
        for leg in range(m + 1):
            peak = max(peak, load[leg, dim])
            peak_to[leg, dim] = peak
        peak = 0
        for leg in range(m, -1, -1):
            peak = max(peak, load[leg, dim])
            peak_from[leg, dim] = peak
    kept = walk_forward(day, k, trip, m, int(day.opens_s[k]), load, marks.ready_s[k])
    walk_backward(day, k, trip, m, int(day.closes_s[k]), load, marks.due_s[k])
    travel, metres = 0, 0
    for leg in range(m + 1):
        here, there = place_at(day, k, trip, m, leg - 1), place_at(day, k, trip, m, leg)
        travel += travel_of(day, k, here, there)
        metres += metres_of(day, k, here, there)
    marks.travel_s[k], marks.distance_m[k] = travel, metres
    return m == 0 or (kept and travel <= day.most_travel_s[k] and metres <= day.most_distance_m[k])


@woven
def blinks(scratch: Scratch) -> bool:
    """Return whether a position is overlooked; how many are not until the next is drawn at once."""
    scratch.blink[0] -= 1
    if scratch.blink[0] > 0:
        return False
    scratch.blink[0] = 1 + int(math.log(max(1e-300, np.random.random())) / math.log(1.0 - _BLINK))  # noqa: NPY002
    return True


@woven
def in_time(day: Day, k: int, ready_s: IntArray, due_s: IntArray) -> bool:
    """Return whether what follows holds after going on at the times of one of the numbers of pauses."""
    for taken in range(day.pause_from[k + 1] - day.pause_from[k] + 1):
        if ready_s[taken] != NEVER and ready_s[taken] <= due_s[taken]:
            return True
    return False


@woven
def detour(day: Day, k: int, trip: IntArray, m: int, visit: int, position: int) -> float:
    """Return what a visit before a position costs more."""
    before, after = place_at(day, k, trip, m, position - 1), place_at(day, k, trip, m, position)
    following = int(trip[position]) if position < m else -1
    here = int(day.place[visit])
    cost = arc_cost(day, k, before, here, visit) + arc_cost(day, k, here, after, following)
    if m == 0:
        return float(cost + day.fixed[k])
    return float(cost - arc_cost(day, k, before, after, following))


@woven
def longer(day: Day, k: int, here: int, there: int, first: int, last: int) -> tuple[int, int]:
    """Return seconds and metres more for going from here to there by two places, from the first to the last of them."""
    seconds = travel_of(day, k, here, first) + travel_of(day, k, first, last) + travel_of(day, k, last, there)
    metres = metres_of(day, k, here, first) + metres_of(day, k, first, last) + metres_of(day, k, last, there)
    return seconds - travel_of(day, k, here, there), metres - metres_of(day, k, here, there)


@woven
def within_lengths(day: Day, marks: Marks, k: int, seconds: int, metres: int) -> bool:
    """Return whether a trip may be so much longer."""
    return bool(
        marks.travel_s[k] + seconds <= day.most_travel_s[k] and marks.distance_m[k] + metres <= day.most_distance_m[k]
    )


@woven
def job_fits(day: Day, routes: Routes, marks: Marks, scratch: Scratch, k: int, visit: int, position: int) -> bool:
    """Return whether a job can be put in before a position."""
    trip, m = routes.visit[k], int(routes.size[k])
    for dim in range(day.room.shape[1]):
        brought = day.brought[visit, dim]
        if marks.peak_to[k, position, dim] + brought > day.room[k, dim]:
            return False
        if marks.peak_from[k, position, dim] + brought + day.change[visit, dim] > day.room[k, dim]:
            return False
    before, after = place_at(day, k, trip, m, position - 1), place_at(day, k, trip, m, position)
    here, following = int(day.place[visit]), int(trip[position]) if position < m else -1
    seconds, metres = longer(day, k, before, after, here, here)
    if not within_lengths(day, marks, k, seconds, metres):
        return False
    load, step, end = marks.load[k, position], scratch.leg_s[0], scratch.leg_s[1]
    fast = (
        leg_forward(day, k, before, here, visit, load, marks.ready_s[k, position], step)
        and leg_forward(day, k, here, after, following, load, step, end)
        and in_time(day, k, end, marks.due_s[k, position + 1])
    )
    if not (fast and day.pause_by_load[k]):
        return fast
    for at in range(m):
        scratch.trial[at + (at >= position)] = trip[at]
    scratch.trial[position] = visit
    return fits(day, k, scratch.trial, m + 1, scratch)


@woven
def place_job(
    day: Day, routes: Routes, marks: Marks, scratch: Scratch, k: int, visit: int, bound: float
) -> tuple[float, int, int]:
    """Return the cheapest position of a visit in a trip below a cost; -1 where there is none."""
    trip, m, best, found = routes.visit[k], int(routes.size[k]), bound, -1
    if m + 1 > day.most_tasks[k]:
        return best, found, -1
    last_s = day.window[day.window_from[visit + 1] - 1, 1]
    for position in range(m + 1):
        if marks.ready_s[k, position, 0] > last_s:
            break
        cost = detour(day, k, trip, m, visit, position)
        if cost >= best or blinks(scratch):
            continue
        if job_fits(day, routes, marks, scratch, k, visit, position):
            best, found = cost, position
    return best, found, -1


@inner
def reckon_later(day: Day, k: int, trip: IntArray, m: int, second: int, scratch: Scratch) -> None:
    """Reckon what the second end of a shipment costs at each position, and the least of it from each on."""
    least = INFINITE
    scratch.least_later[m + 1] = INFINITE
    for position in range(m, -1, -1):
        scratch.later[position] = detour(day, k, trip, m, second, position)
        least = min(least, scratch.later[position])
        scratch.least_later[position] = least


@woven
def between(day: Day, k: int, trip: IntArray, m: int, first: int, second: int, position: int) -> float:
    """Return what both ends of a shipment before a position, one after the other, cost more."""
    before, after = place_at(day, k, trip, m, position - 1), place_at(day, k, trip, m, position)
    following = int(trip[position]) if position < m else -1
    a, b = int(day.place[first]), int(day.place[second])
    cost = arc_cost(day, k, before, a, first) + arc_cost(day, k, a, b, second) + arc_cost(day, k, b, after, following)
    if m == 0:
        return float(cost + day.fixed[k])
    return float(cost - arc_cost(day, k, before, after, following))


@woven
def place_pair(
    day: Day, routes: Routes, marks: Marks, scratch: Scratch, k: int, unit: int, bound: float
) -> tuple[float, int, int]:
    """Return the cheapest positions of both ends of a shipment in a trip below a cost; -1 where there are none."""
    trip, m, best, found, found_later = routes.visit[k], int(routes.size[k]), bound, -1, -1
    if m + 2 > day.most_tasks[k]:
        return best, found, found_later
    first, second = int(day.unit[unit, 0]), int(day.unit[unit, 1])
    reckon_later(day, k, trip, m, second, scratch)
    last_s = day.window[day.window_from[first + 1] - 1, 1]
    for position in range(m + 1):
        if marks.ready_s[k, position, 0] > last_s:
            break
        cost, other = place_second(day, routes, marks, scratch, k, unit, position, best)
        if other >= 0:
            best, found, found_later = cost, position, other
    return best, found, found_later


@woven
def place_second(
    day: Day, routes: Routes, marks: Marks, scratch: Scratch, k: int, unit: int, position: int, bound: float
) -> tuple[float, int]:
    """Return the cheapest position of the second end, the first being before `position`; -1 where there is none."""
    trip, m, best, found = routes.visit[k], int(routes.size[k]), bound, -1
    first, second = int(day.unit[unit, 0]), int(day.unit[unit, 1])
    base, cost = detour(day, k, trip, m, first, position), between(day, k, trip, m, first, second, position)
    if min(cost, base + scratch.least_later[position + 1]) >= best:
        return best, found
    here, load = place_at(day, k, trip, m, position - 1), marks.load[k, position]
    step, other_step = scratch.leg_s[0], scratch.leg_s[1]
    if not leg_forward(day, k, here, int(day.place[first]), first, load, marks.ready_s[k, position], step):
        return best, found
    here = int(day.place[first])
    for other in range(position, m + 1):
        if not has_room(day, marks, k, other, first):
            break
        there, following = place_at(day, k, trip, m, other), int(trip[other]) if other < m else -1
        if (
            cost < best
            and not blinks(scratch)
            and second_in_time(day, marks, scratch, k, other, step, (here, second, there, following))
            and pair_holds(day, routes, marks, scratch, k, unit, position, other)
        ):
            best, found = cost, other
        if (
            other == m
            or base + scratch.least_later[other + 1] >= best
            or not leg_forward(day, k, here, there, following, marks.load[k, other], step, other_step)
            or not in_time(day, k, other_step, marks.due_s[k, other + 1])
        ):
            break
        cost, here, step, other_step = base + scratch.later[other + 1], there, other_step, step
    return best, found


@woven
def second_in_time(
    day: Day, marks: Marks, scratch: Scratch, k: int, leg: int, before: IntArray, way: tuple[int, int, int, int]
) -> bool:
    """Return whether the second end of a shipment can be visited on a leg.

    Parameters
    ----------
    before
        Times to go on before it.
    way
        Location before, the visit, location after it and the visit there.
    """
    here, visit, there, following = way
    place, load = int(day.place[visit]), marks.load[k, leg]
    return (
        leg_forward(day, k, here, place, visit, load, before, scratch.leg_s[2])
        and leg_forward(day, k, place, there, following, load, scratch.leg_s[2], scratch.leg_s[3])
        and in_time(day, k, scratch.leg_s[3], marks.due_s[k, leg + 1])
    )


@woven
def has_room(day: Day, marks: Marks, k: int, leg: int, visit: int) -> bool:
    """Return whether what a visit adds finds room on a leg."""
    for dim in range(day.room.shape[1]):  # noqa: SIM110 - generators cannot be compiled
        if marks.load[k, leg, dim] + day.change[visit, dim] > day.room[k, dim]:
            return False
    return True


@inner
def pair_holds(
    day: Day, routes: Routes, marks: Marks, scratch: Scratch, k: int, unit: int, position: int, other: int
) -> bool:
    """Return whether a trip with both ends of a shipment keeps its lengths, and pauses by load."""
    trip, m = routes.visit[k], int(routes.size[k])
    first, second = int(day.unit[unit, 0]), int(day.unit[unit, 1])
    a, b = int(day.place[first]), int(day.place[second])
    before, there = place_at(day, k, trip, m, position - 1), place_at(day, k, trip, m, other)
    if other == position:
        seconds, metres = longer(day, k, before, there, a, b)
    else:
        seconds, metres = longer(day, k, before, place_at(day, k, trip, m, position), a, a)
        more_s, more_m = longer(day, k, place_at(day, k, trip, m, other - 1), there, b, b)
        seconds, metres = seconds + more_s, metres + more_m
    if not within_lengths(day, marks, k, seconds, metres):
        return False
    if not day.pause_by_load[k]:
        return True
    for at in range(m):
        scratch.trial[at + (at >= position) + (at >= other)] = trip[at]
    scratch.trial[position], scratch.trial[other + 1] = first, second
    return fits(day, k, scratch.trial, m + 2, scratch)
