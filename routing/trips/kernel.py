"""Compiled loops of the trip search: ruin by strings, recreate by cheapest insertion with blinks, annealing.

The method is that of Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing
problems, Transportation Science 54(2), with shipments taken out and put back as pairs. An answer that serves more worth
is always better; cost decides between equals.
"""

from __future__ import annotations

import math

import numpy as np

from routing.solver.pairs.machine_code import compiled, inner
from routing.trips.arrays import Day, Flags, Routes, Scratch
from routing.trips.timing import arc_cost, fits, place_at, trip_cost
from routing.visits import IntArray

INFINITE = 1.0e300
_TOUCH = 1e-9
_BLINK = 0.01
_LONGEST_STRING = 10
_REMOVED = 10.0
"""Chance of overlooking a position, greatest length of a string, mean number of visits taken out (their values)."""
_SPLIT = 0.5
"""Chance that a string keeps some visits in its midst (theirs)."""
_NEAR_ABSENT = 0.5
"""Chance that visits are taken out round a unit left out, where there is one."""
_WORTH_FIRST = 0.7
"""Chance that units of more worth are put back first."""


@compiled
def seed_random(seed: int) -> None:
    """Begin the random numbers of the compiled loops anew."""
    np.random.seed(seed)  # noqa: NPY002 - the generator compiled code has


@inner
def take_out(routes: Routes, scratch: Scratch, visit: int) -> None:
    """Take one visit out of its trip."""
    k = routes.vehicle[visit]
    trip, m = routes.visit[k], routes.size[k]
    position = 0
    while trip[position] != visit:
        position += 1
    for later in range(position, m - 1):
        trip[later] = trip[later + 1]
    routes.size[k] = m - 1
    routes.vehicle[visit] = -1
    scratch.changed[k] = True


@inner
def take_out_unit(day: Day, routes: Routes, scratch: Scratch, unit: int) -> None:
    """Take a job, or both ends of a shipment, out of its trip."""
    for end in range(2):
        visit = day.unit[unit, end]
        if visit >= 0 and routes.vehicle[visit] >= 0:
            take_out(routes, scratch, visit)


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
def ruin_seed(day: Day, routes: Routes) -> int:
    """Return the visit round which visits are taken out."""
    n, units = len(day.place), len(day.unit)
    if np.random.random() < _NEAR_ABSENT:  # noqa: NPY002
        offset = np.random.randint(units)  # noqa: NPY002
        for step in range(units):
            visit = day.unit[(offset + step) % units, 0]
            if routes.vehicle[visit] < 0:
                return int(visit)
    return int(np.random.randint(n))  # noqa: NPY002


@inner
def ruin(day: Day, routes: Routes, scratch: Scratch) -> None:
    """Take strings of visits near each other out of several trips."""
    used, total = 0, 0
    for k in range(len(routes.size)):
        used += 1 if routes.size[k] > 0 else 0
        total += routes.size[k]
    if used == 0:
        return
    longest = min(float(_LONGEST_STRING), max(1.0, total / used))
    most = max(1.0, 4.0 * _REMOVED / (1.0 + longest) - 1.0)
    wanted = math.floor(1.0 + np.random.random() * most)  # noqa: NPY002
    seed = ruin_seed(day, routes)
    scratch.ruined[:] = False
    done = 0
    for row in range(day.near.shape[1]):
        visit = day.near[seed, row]
        k = routes.vehicle[visit]
        if k < 0 or scratch.ruined[k]:
            continue
        scratch.ruined[k] = True
        take_string(day, routes, scratch, k, visit, longest)
        done += 1
        if done == wanted:
            return


@inner
def take_string(day: Day, routes: Routes, scratch: Scratch, k: int, visit: int, longest: float) -> None:
    """Take a string that holds the visit out of its trip, or one that keeps some visits in its midst."""
    m = routes.size[k]
    length = math.floor(1.0 + np.random.random() * min(float(m), longest))  # noqa: NPY002
    length = min(length, m)
    kept = 0
    if np.random.random() < _SPLIT:  # noqa: NPY002
        while length + kept < m and np.random.random() < _SPLIT:  # noqa: NPY002
            kept += 1
    span = length + kept
    at = 0
    while routes.visit[k, at] != visit:
        at += 1
    first = max(0, at - span + 1)
    begin = first + np.random.randint(min(at, m - span) - first + 1)  # noqa: NPY002
    gap = begin + np.random.randint(length + 1)  # noqa: NPY002
    number = 0
    for position in range(begin, begin + span):
        if not gap <= position < gap + kept:
            scratch.string[number] = day.unit_of[routes.visit[k, position]]
            number += 1
    for row in range(number):
        take_out_unit(day, routes, scratch, scratch.string[row])


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


@inner
def recreate(day: Day, routes: Routes, scratch: Scratch) -> None:
    """Put units in no trip back where each is cheapest; those that fit nowhere stay out."""
    number = sort_absent(day, routes, scratch)
    for row in range(number):
        unit = scratch.absent[row]
        first, second = day.unit[unit, 0], day.unit[unit, 1]
        best, best_k, best_p, best_q, opened = INFINITE, -1, -1, -1, -1
        for k in range(len(routes.size)):
            if not day.allowed[k, first]:
                continue
            if routes.size[k] == 0:
                if day.kind[k] == opened:
                    continue
                opened = day.kind[k]
            cost, p, q = (
                place_job(day, routes, scratch, k, first, best)
                if second < 0
                else place_pair(day, routes, scratch, k, first, second, best)
            )
            if p >= 0:
                best, best_k, best_p, best_q = cost, k, p, q
        if best_k < 0:
            scratch.missed[unit] += 1.0
            continue
        if second >= 0:
            put_in(routes, scratch, best_k, second, best_q)
        put_in(routes, scratch, best_k, first, best_p)


@inner
def detour(day: Day, k: int, trip: IntArray, m: int, visit: int, position: int) -> float:
    """Return what a visit before a position costs more."""
    before, after = place_at(day, k, trip, m, position - 1), place_at(day, k, trip, m, position)
    following = trip[position] if position < m else -1
    here = int(day.place[visit])
    cost = arc_cost(day, k, before, here, visit) + arc_cost(day, k, here, after, following)
    if m == 0:
        return float(cost + day.fixed[k])
    return float(cost - arc_cost(day, k, before, after, following))


@inner
def place_job(day: Day, routes: Routes, scratch: Scratch, k: int, visit: int, bound: float) -> tuple[float, int, int]:
    """Return the cheapest position of a visit in a trip below a cost; -1 where there is none."""
    trip, m, best, found = routes.visit[k], routes.size[k], bound, -1
    trial = scratch.trial
    for position in range(m + 1):
        cost = detour(day, k, trip, m, visit, position)
        if cost >= best or np.random.random() < _BLINK:  # noqa: NPY002
            continue
        for at in range(m):
            trial[at + (at >= position)] = trip[at]
        trial[position] = visit
        if fits(day, k, trial, m + 1, scratch):
            best, found = cost, position
    return best, found, -1


@inner
def place_pair(
    day: Day, routes: Routes, scratch: Scratch, k: int, first: int, second: int, bound: float
) -> tuple[float, int, int]:
    """Return the cheapest positions of both ends of a shipment in a trip below a cost; -1 where there are none."""
    trip, m, best, found, found_later = routes.visit[k], routes.size[k], bound, -1, -1
    trial, later = scratch.trial, scratch.later
    for position in range(1, m + 1):
        later[position] = detour(day, k, trip, m, second, position)
    for position in range(m + 1):
        base = detour(day, k, trip, m, first, position)
        for other in range(position, m + 1):
            if other == position:
                after = place_at(day, k, trip, m, position)
                following = trip[position] if position < m else -1
                cost = base - arc_cost(day, k, int(day.place[first]), after, following)
                cost += arc_cost(day, k, int(day.place[first]), int(day.place[second]), second)
                cost += arc_cost(day, k, int(day.place[second]), after, following)
            else:
                cost = base + later[other]
            if cost >= best or np.random.random() < _BLINK:  # noqa: NPY002
                continue
            for at in range(m):
                trial[at + (at >= position) + (at >= other)] = trip[at]
            trial[position], trial[other + 1] = first, second
            if fits(day, k, trial, m + 2, scratch):
                best, found, found_later = cost, position, other
    return best, found, found_later


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
    scratch: Scratch,
    steps: int,
    heat: float,
    cooling: float,
    price: float,
) -> int:
    """Do steps of ruin and recreate; return how many found a better answer than the best.

    Parameters
    ----------
    work, accepted
        The same trips at the beginning; `work` is where a step tries.
    heat, cooling
        Temperature in the unit of cost, and the factor by which each step lowers it.
    price
        Cost of missing one unit of worth, for what a step may accept; the best never misses more than it must.
    """
    missing, cost = missing_worth(day, accepted), accepted.cost.sum()
    best_missing, best_cost = missing_worth(day, best), best.cost.sum()
    better = 0
    for _ in range(steps):
        scratch.changed[:] = False
        ruin(day, work, scratch)
        recreate(day, work, scratch)
        for k in range(len(work.size)):
            if scratch.changed[k]:
                work.cost[k] = trip_cost(day, k, work.visit[k], work.size[k])
        new_missing, new_cost = missing_worth(day, work), work.cost.sum()
        rise = new_cost - cost + price * (new_missing - missing)
        bar = -heat * math.log(max(1e-300, np.random.random()))  # noqa: NPY002
        heat *= cooling
        if rise >= bar:
            copy_trips(accepted, work, scratch.changed)
            continue
        copy_trips(work, accepted, scratch.changed)
        missing, cost = new_missing, new_cost
        if missing < best_missing or (missing == best_missing and cost < best_cost - _TOUCH):
            copy_trips(accepted, best, scratch.every)
            best_missing, best_cost = missing, cost
            better += 1
    return better
