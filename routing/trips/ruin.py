"""Compiled loops that take visits out of trips: strings of visits near each other, from trips near each other.

The method is that of Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing
problems, Transportation Science 54(2), with shipments taken out as pairs.
"""

from __future__ import annotations

import math

import numpy as np

from routing.solver.machine_code import inner
from routing.trips.arrays import Day, Marks, Routes, Scratch
from routing.trips.insertion import mark
from routing.trips.timing import fits

_LONGEST_STRING = 10
_REMOVED = 10.0
"""Greatest length of a string, mean number of visits taken out (their values)."""
_SPLIT = 0.5
"""Chance that a string keeps some visits in its midst (theirs)."""
_EXCHANGE = 0.05
"""Chance that two vehicles exchange their trips before visits are taken out."""
_NEAR_ABSENT = 0.5
"""Chance that visits are taken out round a unit left out, where there is one."""


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
def ruin(day: Day, routes: Routes, marks: Marks, scratch: Scratch) -> None:
    """Take strings of visits near each other out of several trips, now and then after two vehicles exchanged theirs."""
    if np.random.random() < _EXCHANGE:  # noqa: NPY002
        exchange(day, routes, scratch)
    take_strings(day, routes, scratch)
    for k in range(len(routes.size)):
        if scratch.changed[k] and not mark(day, routes, marks, k):
            while routes.size[k] > 0:
                take_out_unit(day, routes, scratch, int(day.unit_of[routes.visit[k, 0]]))
            mark(day, routes, marks, k)


@inner
def take_strings(day: Day, routes: Routes, scratch: Scratch) -> None:
    """Take a string out of each of several trips near a visit."""
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
def exchange(day: Day, routes: Routes, scratch: Scratch) -> None:
    """Let two vehicles that differ exchange their trips; what one of them cannot do is taken out.

    Taking out some visits hardly ever empties a vehicle for another, so which vehicles are used would stay as it is.
    """
    vehicles = len(routes.size)
    k, other = np.random.randint(vehicles), np.random.randint(vehicles)  # noqa: NPY002
    if day.kind[k] == day.kind[other] or routes.size[k] + routes.size[other] == 0:
        return
    for position in range(max(routes.size[k], routes.size[other])):
        mine, theirs = routes.visit[k, position], routes.visit[other, position]
        routes.visit[k, position], routes.visit[other, position] = theirs, mine
    routes.size[k], routes.size[other] = routes.size[other], routes.size[k]
    for vehicle in (k, other):
        scratch.changed[vehicle] = True
        for position in range(routes.size[vehicle]):
            routes.vehicle[routes.visit[vehicle, position]] = vehicle
        shorten(day, routes, scratch, vehicle)


@inner
def shorten(day: Day, routes: Routes, scratch: Scratch, k: int) -> None:
    """Take out of a trip what the vehicle may not do, and then from its end what it cannot do."""
    position = 0
    while position < routes.size[k]:
        visit = routes.visit[k, position]
        if day.allowed[k, visit]:
            position += 1
        else:
            take_out_unit(day, routes, scratch, int(day.unit_of[visit]))
            position = 0
    while routes.size[k] > 0 and not fits(day, k, routes.visit[k], int(routes.size[k]), scratch):
        take_out_unit(day, routes, scratch, int(day.unit_of[routes.visit[k, routes.size[k] - 1]]))
