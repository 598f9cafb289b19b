"""Vehicles' days of several rounds as rows of numbers, and the compiled functions that keep their times and loads.

A vehicle's day is one row of nodes, ``base c c base c c c base``; a round's goods must all be at the base when it
departs. Clients are the nodes 0 to n-1, bases follow. Times are whole seconds, costs floats of any unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from routing.solver.machine_code import compiled, woven

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Figures(NamedTuple):
    """The unchanging figures: N nodes of which n clients, C classes of vehicle, V vehicles.

    `duration` and `cost` have shape (C, N, N), from row to column; `duration_to` and `cost_to` are their transposes
    (to row, from column), so that all ways to a client lie side by side in memory. Per client: `early`, `late` bound
    the start of service, `service`, `release` (goods at the base), `brought`, `taken` (2, n) in two measures (whole
    units) of which those `measured` (2,) can bind, `left_cost` of leaving it out, `soft_cost` of that for the search
    (changed on the way, at most `left_cost`), `near` (n, K) other clients, nearest first, and `near_to`,
    `near_from` (C, n, K) the cost of the ways from them and to them, `apart` (C, n, K) that of both without the time
    spent at them. Per class: `base` node, `room` (C, 2), `shift` (C, 2), `fixed`, `rounds` a day at most. `allowed`
    (C, n); `kind` is the class of each vehicle, equal ones adjoining.
    """

    duration: IntArray
    cost: FloatArray
    duration_to: IntArray
    cost_to: FloatArray
    early: IntArray
    late: IntArray
    service: IntArray
    release: IntArray
    brought: IntArray
    taken: IntArray
    measured: BoolArray
    left_cost: FloatArray
    soft_cost: FloatArray
    near: IntArray
    near_to: FloatArray
    near_from: FloatArray
    apart: FloatArray
    base: IntArray
    room: IntArray
    shift: IntArray
    fixed: FloatArray
    rounds: IntArray
    allowed: BoolArray
    kind: IntArray


class Days(NamedTuple):
    """The days of all vehicles as they are; rows are vehicles, columns stops.

    `stops` (V, P) nodes and `size` how many (0: idle); `start` earliest service start (at a base: departure of the
    next round), `arrive` at bases, `latest` service start (at a base: departure); `first` the position of the base the
    round of a stop began at; `way` the cost to the next stop and `drive` the seconds to it, looked up when two stops
    become neighbours, since the matrices of a thousand clients do not fit in a processor's cache; `before`, `after`
    (2, V, P) the largest load on the segments of the round up to and from the one leaving a stop. Per vehicle: `trips`
    (rounds), `worth` the cost of its day. Per client: `vehicle` (-1: left out) and `position`; where a vehicle makes
    one round, `beside` (n, 8) has all that tells whether another client fits before or after it, in one line of
    memory: nodes before and after, cost of the ways from and to them, when the one before and itself may be left,
    latest service start at itself and after.
    """

    stops: IntArray
    size: IntArray
    start: IntArray
    arrive: IntArray
    latest: IntArray
    first: IntArray
    way: FloatArray
    drive: IntArray
    before: IntArray
    after: IntArray
    trips: IntArray
    worth: FloatArray
    vehicle: IntArray
    position: IntArray
    beside: FloatArray


BEFORE, AFTER, WAY_IN, WAY_OUT, LEFT_BEFORE, LEFT, LATEST, LATEST_AFTER = range(8)
"""Columns of `Days.beside`."""


def empty_days(figures: Figures) -> Days:
    """Return the days of idle vehicles; every client is left out."""
    n, vehicles = len(figures.early), len(figures.kind)
    grid = (vehicles, 2 * n + 2)
    return Days(
        stops=np.zeros(grid, np.int64),
        size=np.zeros(vehicles, np.int64),
        start=np.zeros(grid, np.int64),
        arrive=np.zeros(grid, np.int64),
        latest=np.zeros(grid, np.int64),
        first=np.zeros(grid, np.int64),
        way=np.zeros(grid),
        drive=np.zeros(grid, np.int64),
        before=np.zeros((2, *grid), np.int64),
        after=np.zeros((2, *grid), np.int64),
        trips=np.zeros(vehicles, np.int64),
        worth=np.zeros(vehicles),
        vehicle=np.full(n, -1, np.int64),
        position=np.zeros(n, np.int64),
        beside=np.zeros((n, 8)),
    )


# Compiled functions hand whole tuples of arrays to each other, which costs about as much as a round's worth of work:
# what is done for every stop stands in one function, however long, and small helpers get single arrays.


@compiled
def weigh(
    stops: IntArray, size: int, n: int, brought: IntArray, taken: IntArray, before: IntArray, after: IntArray
) -> int:
    """Set the largest loads of one day in one measure; return the largest of all."""
    begin, most_of_all = 0, 0
    for end in range(1, size):
        if stops[end] < n:
            continue
        load = 0
        for p in range(begin + 1, end):
            load += brought[stops[p]]
        most = load
        before[begin] = load
        after[begin] = load
        for p in range(begin + 1, end):
            load += taken[stops[p]] - brought[stops[p]]
            most = max(most, load)
            before[p] = most
            after[p] = load
        for p in range(end - 2, begin - 1, -1):
            after[p] = max(after[p], after[p + 1])
        most_of_all = max(most_of_all, most)
        begin = end
    return most_of_all


@compiled
def _link(
    stops: IntArray,
    start: IntArray,
    latest: IntArray,
    way: FloatArray,
    size: int,
    service: IntArray,
    beside: FloatArray,
) -> None:
    """Set `Days.beside` of the clients of a day of one round."""
    leave, money = float(start[0]), way[0]
    for p in range(1, size - 1):
        node = stops[p]
        line = beside[node]
        line[BEFORE], line[AFTER] = stops[p - 1], stops[p + 1]
        line[WAY_IN], line[LEFT_BEFORE] = money, leave
        leave, money = float(start[p] + service[node]), way[p]
        line[WAY_OUT], line[LEFT] = money, leave
        line[LATEST], line[LATEST_AFTER] = latest[p], latest[p + 1]


@compiled
def refresh(f: Figures, d: Days, v: int) -> bool:  # noqa: C901, PLR0912 # see above
    """Recompute times, loads and cost of a day from its stops and ways; return whether times and loads hold."""
    d.worth[v] = 0.0
    d.trips[v] = 0
    k, size, n = f.kind[v], d.size[v], len(f.early)
    if size == 0:
        return True
    stops, start, latest, way, drive = d.stops[v], d.start[v], d.latest[v], d.way[v], d.drive[v]
    money, begin, rounds, now = f.fixed[k], 0, 0, f.shift[k, 0]
    for p in range(size):
        node = stops[p]
        if node < n:
            now = max(now, f.early[node])
            start[p] = now
            d.vehicle[node] = v
            d.position[node] = p
            now += f.service[node]
        else:
            begin = p
            d.arrive[v, p] = now
            if p < size - 1:
                rounds += 1
                q = p + 1
                while stops[q] < n:
                    now = max(now, f.release[stops[q]])
                    q += 1
            start[p] = now
        d.first[v, p] = begin
        if p < size - 1:
            money += way[p]
            now += drive[p]
    d.trips[v] = rounds
    d.worth[v] = money
    last, fits = f.shift[k, 1], True
    for p in range(size - 1, -1, -1):
        node = stops[p]
        if p < size - 1:
            last -= drive[p]
        if node < n:
            last = min(last - f.service[node], f.late[node])
        latest[p] = last
        fits = fits and start[p] <= last
    if f.rounds[k] == 1:
        _link(stops, start, latest, way, size, f.service, d.beside)
    for part in range(2):
        if f.measured[part]:
            loads = d.before[part, v], d.after[part, v]
            most = weigh(stops, size, n, f.brought[part], f.taken[part], *loads)
            fits = fits and most <= f.room[k, part]
    return fits


@woven
def look_up(f: Figures, d: Days, v: int, p: int) -> None:
    """Set cost and seconds of the way that leaves position `p` of the day of `v`."""
    k, node, there = f.kind[v], d.stops[v, p], d.stops[v, p + 1]
    d.way[v, p], d.drive[v, p] = f.cost[k, node, there], f.duration[k, node, there]


@woven
def in_time(leave: float, there: float, early: float, late: float, service: float, on: float, latest: float) -> bool:
    """Return whether a client `there` seconds away can be served between, and what is `on` from it by `latest`."""
    reach = max(leave + there, early)
    return reach <= late and reach + service + on <= latest


@compiled
def insert(f: Figures, d: Days, v: int, p: int, c: int, own: bool) -> None:
    """Put client `c` after position `p` of vehicle `v`; with `own` as a round of its own that begins there."""
    base = f.base[f.kind[v]]
    stops, way, drive = d.stops[v], d.way[v], d.drive[v]
    if d.size[v] == 0:
        stops[0], stops[1], stops[2] = base, c, base
        d.size[v] = 3
    else:
        shift = 2 if own else 1
        for s in range(d.size[v] - 1, p, -1):
            stops[s + shift], way[s + shift], drive[s + shift] = stops[s], way[s], drive[s]
        if own:
            stops[p + 2], way[p + 2], drive[p + 2] = base, way[p], drive[p]
        stops[p + 1] = c
        d.size[v] += shift
    look_up(f, d, v, p)
    look_up(f, d, v, p + 1)
    refresh(f, d, v)


@compiled
def drop_marked(f: Figures, d: Days, v: int, marked: BoolArray) -> bool:
    """Take marked clients off the day of `v` and rounds left empty with them; return whether the day still fits."""
    n, kept, before = len(f.early), 0, -1
    stops, way, drive = d.stops[v], d.way[v], d.drive[v]
    for p in range(d.size[v]):
        node = stops[p]
        if node < n and marked[node]:
            d.vehicle[node] = -1
            continue
        if node >= n and kept > 0 and stops[kept - 1] >= n:
            continue
        stops[kept] = node
        if kept > 0:
            if before == p - 1:
                way[kept - 1], drive[kept - 1] = way[before], drive[before]
            else:
                look_up(f, d, v, kept - 1)
        before = p
        kept += 1
    d.size[v] = 0 if kept <= 1 else kept
    return refresh(f, d, v)


@compiled
def save(d: Days, v: int, stops: IntArray, size: IntArray) -> None:
    """Copy the day of `v` into the rows `stops` and `size`."""
    size[v] = d.size[v]
    for p in range(d.size[v]):
        stops[v, p] = d.stops[v, p]


@compiled
def _load(f: Figures, d: Days, v: int, stops: IntArray, size: IntArray) -> bool:
    """Set the day of `v` to a saved one; return whether it fits."""
    d.size[v] = size[v]
    for p in range(size[v]):
        d.stops[v, p] = stops[v, p]
    for p in range(size[v] - 1):
        look_up(f, d, v, p)
    return refresh(f, d, v)


@compiled
def load_all(f: Figures, d: Days, stops: IntArray, size: IntArray) -> bool:
    """Set all days to saved ones; return whether they fit."""
    d.vehicle[:] = -1
    fits = True
    for v in range(len(f.kind)):
        fits = _load(f, d, v, stops, size) and fits
    return fits


@compiled
def total_cost(f: Figures, d: Days) -> float:
    """Return the cost of all days and of the clients left out, these at their soft price."""
    money = 0.0
    for v in range(len(f.kind)):
        money += d.worth[v]
    for c in range(len(f.early)):
        if d.vehicle[c] < 0:
            money += f.soft_cost[c]
    return money
