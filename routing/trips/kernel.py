"""Compiled loops of the trip search: ruin by strings, recreate by cheapest insertion with blinks, annealing.

The method is that of Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing
problems, Transportation Science 54(2), with shipments put back as pairs. An answer that serves more worth is always
better; cost decides between equals.
"""

from __future__ import annotations

import math

import numpy as np

from routing.solver.machine_code import compiled, inner, woven
from routing.trips.arrays import Day, Flags, Marks, Routes, Scratch
from routing.trips.insertion import INFINITE, mark, place_job, place_pair
from routing.trips.ruin import ruin
from routing.trips.timing import trip_cost

_TOUCH = 1e-9
_WORTH_FIRST = 0.7
"""Chance that units of more worth are put back first."""


@compiled
def seed_random(seed: int) -> None:
    """Begin the random numbers of the compiled loops anew."""
    np.random.seed(seed)  # noqa: NPY002 - the generator compiled code has


@inner
def put_in(routes: Routes, scratch: Scratch, k: int, visit: int, position: int) -> None:
    """Put a visit into a trip before a position."""
    trip, m = routes.visit[k], routes.size[k]
    for later in range(m, position, -1):
        trip[later] = trip[later - 1]
    trip[position] = visit
    routes.size[k] = m + 1
    routes.vehicle[visit] = k
    scratch.changed[k] = True


@inner
def sort_absent(day: Day, routes: Routes, scratch: Scratch) -> int:
    """List the units in no trip in one of several orders; return how many there are."""
    way = np.random.randint(12)  # noqa: NPY002
    by_worth = np.random.random() < _WORTH_FIRST  # noqa: NPY002
    number = 0
    for unit in range(len(day.unit)):
        visit = day.unit[unit, 0]
        if routes.vehicle[visit] >= 0:
            continue
        key = np.random.random()  # noqa: NPY002
        if way < 2:
            key = -bulk(day, visit)
        elif way < 5:
            key = far_from_start(day, visit) * (1.0 if way == 4 else -1.0)
        elif way < 7:
            key = open_time(day, visit)
        elif way < 9:
            key = -scratch.missed[unit] - key
        scratch.absent[number], scratch.key[number] = unit, key
        number += 1
    for row in range(1, number):
        unit, key = scratch.absent[row], scratch.key[row]
        at = row
        while at > 0 and goes_before(day, scratch, unit, key, at - 1, by_worth):
            scratch.absent[at], scratch.key[at] = scratch.absent[at - 1], scratch.key[at - 1]
            at -= 1
        scratch.absent[at], scratch.key[at] = unit, key
    return number


@inner
def goes_before(day: Day, scratch: Scratch, unit: int, key: float, row: int, by_worth: bool) -> bool:
    """Return whether a unit comes before that of a row."""
    worth, other = day.worth[unit], day.worth[scratch.absent[row]]
    if by_worth and worth != other:
        return bool(worth > other)
    return bool(key < scratch.key[row])


@inner
def bulk(day: Day, visit: int) -> float:
    """Return the sum of a visit's amounts."""
    total = 0.0
    for dim in range(day.room.shape[1]):
        total += day.brought[visit, dim] + abs(day.change[visit, dim])
    return total


@inner
def far_from_start(day: Day, visit: int) -> float:
    """Return the seconds to a visit from the first vehicle's start, or end."""
    place = day.start[0] if day.start[0] >= 0 else day.end[0]
    return float(day.move_s[0, place, day.place[visit]])


@inner
def open_time(day: Day, visit: int) -> float:
    """Return the seconds within a visit's windows."""
    total = 0.0
    for row in range(day.window_from[visit], day.window_from[visit + 1]):
        total += day.window[row, 1] - day.window[row, 0]
    return total


@woven
def cheapest(day: Day, routes: Routes, marks: Marks, scratch: Scratch, unit: int) -> tuple[int, int, int]:
    """Return trip and positions where a unit is cheapest, -1 for none; of empty vehicles alike only one is tried."""
    first, second = int(day.unit[unit, 0]), int(day.unit[unit, 1])
    best, best_k, best_p, best_q, opened = INFINITE, -1, -1, -1, -1
    for k in range(len(routes.size)):
        if not day.allowed[k, first] or (routes.size[k] == 0 and day.kind[k] == opened):
            continue
        if routes.size[k] == 0:
            opened = day.kind[k]
        if second < 0:
            cost, p, q = place_job(day, routes, marks, scratch, k, first, best)
        else:
            cost, p, q = place_pair(day, routes, marks, scratch, k, unit, best)
        if p >= 0:
            best, best_k, best_p, best_q = cost, k, p, q
    return best_k, best_p, best_q


@inner
def recreate(day: Day, routes: Routes, marks: Marks, scratch: Scratch) -> None:
    """Put units in no trip back where each is cheapest; those that fit nowhere stay out."""
    number = sort_absent(day, routes, scratch)
    for row in range(number):
        unit = int(scratch.absent[row])
        k, position, other = cheapest(day, routes, marks, scratch, unit)
        if k < 0:
            scratch.missed[unit] += 1.0
            continue
        if other >= 0:
            put_in(routes, scratch, k, int(day.unit[unit, 1]), other)
        put_in(routes, scratch, k, int(day.unit[unit, 0]), position)
        mark(day, routes, marks, k)


@inner
def missing_worth(day: Day, routes: Routes) -> float:
    """Return the worth of the units in no trip."""
    total = 0.0
    for unit in range(len(day.unit)):
        if routes.vehicle[day.unit[unit, 0]] < 0:
            total += day.worth[unit]
    return total


@inner
def copy_trips(source: Routes, target: Routes, chosen: Flags) -> None:
    """Make the chosen trips of the target those of the source."""
    for k in range(len(chosen)):
        if chosen[k]:
            for position in range(target.size[k]):
                if target.vehicle[target.visit[k, position]] == k:
                    target.vehicle[target.visit[k, position]] = -1
    for k in range(len(chosen)):
        if chosen[k]:
            m = source.size[k]
            target.size[k], target.cost[k] = m, source.cost[k]
            for position in range(m):
                visit = source.visit[k, position]
                target.visit[k, position] = visit
                target.vehicle[visit] = k


@compiled
def search(
    day: Day,
    work: Routes,
    accepted: Routes,
    best: Routes,
    marks: Marks,
    scratch: Scratch,
    steps: int,
    heating: tuple[float, float],
    price: float,
) -> int:
    """Do steps of ruin and recreate; return how many found a better answer than the best.

    Parameters
    ----------
    work, accepted
        The same trips at the beginning; `work` is where a step tries.
    heating
        Temperature in the unit of cost, and the factor by which each step lowers it.
    price
        Cost of missing one unit of worth, for what a step may accept; the best never misses more than it must.
    """
    heat, cooling = heating
    missing, cost = missing_worth(day, accepted), accepted.cost.sum()
    best_missing, best_cost = missing_worth(day, best), best.cost.sum()
    better = 0
    for k in range(len(work.size)):
        mark(day, work, marks, k)
    for _ in range(steps):
        scratch.changed[:] = False
        ruin(day, work, marks, scratch)
        recreate(day, work, marks, scratch)
        for k in range(len(work.size)):
            if scratch.changed[k]:
                work.cost[k] = trip_cost(day, k, work.visit[k], work.size[k])
        new_missing, new_cost = missing_worth(day, work), work.cost.sum()
        rise = new_cost - cost + price * (new_missing - missing)
        bar = -heat * math.log(max(1e-300, np.random.random()))  # noqa: NPY002
        heat *= cooling
        if rise >= bar:
            copy_trips(accepted, work, scratch.changed)
            for k in range(len(work.size)):
                if scratch.changed[k]:
                    mark(day, work, marks, k)
            continue
        copy_trips(work, accepted, scratch.changed)
        missing, cost = new_missing, new_cost
        if missing < best_missing or (missing == best_missing and cost < best_cost - _TOUCH):
            copy_trips(accepted, best, scratch.every)
            best_missing, best_cost = missing, cost
            better += 1
    return better
