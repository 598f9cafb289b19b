"""Days of one round with all goods at the base: places beside near clients, and putting a client into one of them."""

from __future__ import annotations

from routing.solver.machine_code import compiled, woven
from routing.solver.rounds_pool.day_rows import (
    AFTER,
    BEFORE,
    LATEST,
    LATEST_AFTER,
    LEFT,
    LEFT_BEFORE,
    WAY_IN,
    WAY_OUT,
    Days,
    Figures,
    in_time,
    look_up,
    weigh,
)
from routing.solver.rounds_pool.scratch import Scratch, draw

BLINK = 0.01
"""Share of insertion places overlooked: the published value."""


@woven
def has_room(f: Figures, d: Days, c: int, v: int, p: int) -> bool:
    """Return whether `c` fits in after position `p` of the day of `v` by its loads."""
    k, fits = f.kind[v], True
    for part in range(2):
        if f.measured[part]:
            fits = fits and d.before[part, v, p] + f.brought[part, c] <= f.room[k, part]
            fits = fits and d.after[part, v, p] + f.taken[part, c] <= f.room[k, part]
    return fits


@compiled
def find_beside(f: Figures, d: Days, s: Scratch, c: int, best: float) -> tuple[float, int, int]:  # noqa: C901 # calls are dear here
    """Return the cheapest place right before or after a near client on days of one round and goods ready at the base.

    Long rounds have many places far from any near client; those are not looked at. A place beside a client costs at
    least the ways there and back less twice the way it interrupts, where ways are as long back and obey the triangle
    inequality; elsewhere this is a rule of thumb. By it most places are passed by without looking anything up.
    """
    vehicle, at = -1, 0
    early, late, service = float(f.early[c]), float(f.late[c]), float(f.service[c])
    near, rng, kinds, riders, positions, beside = f.near[c], s.random, f.kind, d.vehicle, d.position, d.beside
    for k in range(len(f.base)):
        if not f.allowed[k, c]:
            continue
        near_to, near_from, apart = f.near_to[k, c], f.near_from[k, c], f.apart[k, c]
        cost, cost_to, duration, duration_to = f.cost[k, c], f.cost_to[k, c], f.duration[k, c], f.duration_to[k, c]
        for q in range(len(near)):
            other = near[q]
            line = beside[other]
            v = riders[other]
            if v < 0 or kinds[v] != k:
                continue
            way = line[WAY_OUT]
            if apart[q] - 2.0 * way < best:
                after = int(line[AFTER])
                extra, leave, limit = near_to[q] + cost[after] - way, line[LEFT], line[LATEST_AFTER]
                if extra < best and in_time(leave, duration_to[other], early, late, service, duration[after], limit):
                    p = positions[other]
                    if draw(rng) >= BLINK and has_room(f, d, c, v, p):
                        best, vehicle, at = extra, v, p
            way = line[WAY_IN]
            if apart[q] - 2.0 * way < best:
                before = int(line[BEFORE])
                extra, leave, limit = cost_to[before] + near_from[q] - way, line[LEFT_BEFORE], line[LATEST]
                if extra < best and in_time(leave, duration_to[before], early, late, service, duration[other], limit):
                    p = positions[other] - 1
                    if draw(rng) >= BLINK and has_room(f, d, c, v, p):
                        best, vehicle, at = extra, v, p
    return best, vehicle, at


@compiled
def insert_beside(f: Figures, d: Days, v: int, p: int, c: int) -> None:
    """Put client `c` after position `p` of the round of `v`, a place `find_beside` returned.

    The days are afterwards as `insert` would leave them; times before and limits after the place stay as they are.
    """
    size = d.size[v] + 1
    stops, start, latest, way, drive = d.stops[v], d.start[v], d.latest[v], d.way[v], d.drive[v]
    beside, positions, early, late, service = d.beside, d.position, f.early, f.late, f.service
    direct = way[p]
    for q in range(size - 1, p + 1, -1):
        stops[q], way[q], drive[q], latest[q] = stops[q - 1], way[q - 1], drive[q - 1], latest[q - 1]
    stops[p + 1] = c
    look_up(f, d, v, p)
    look_up(f, d, v, p + 1)
    d.size[v] = size
    d.worth[v] += way[p] + way[p + 1] - direct
    d.vehicle[c] = v
    d.first[v, size - 2], d.first[v, size - 1] = 0, size - 1
    before, after, line = stops[p], stops[p + 2], beside[c]
    line[BEFORE], line[AFTER], line[WAY_IN], line[WAY_OUT] = before, after, way[p], way[p + 1]
    leave = start[p]
    if p > 0:
        beside[before, AFTER], beside[before, WAY_OUT] = c, way[p]
        leave += service[before]
    if p + 2 < size - 1:
        beside[after, BEFORE], beside[after, WAY_IN] = c, way[p + 1]
    for q in range(p + 1, size - 1):
        node = stops[q]
        line = beside[node]
        line[LEFT_BEFORE] = leave
        start[q] = max(leave + drive[q - 1], early[node])
        leave = start[q] + service[node]
        line[LEFT] = leave
        positions[node] = q
    start[size - 1] = leave + drive[size - 2]
    d.arrive[v, size - 1] = start[size - 1]
    last = latest[p + 2]
    for q in range(p + 1, 0, -1):
        node = stops[q]
        line = beside[node]
        line[LATEST_AFTER] = last
        last = min(last - drive[q] - service[node], late[node])
        latest[q] = last
        line[LATEST] = last
    latest[0] = last - drive[0]
    for part in range(2):
        if f.measured[part]:
            weigh(stops, size, len(early), f.brought[part], f.taken[part], d.before[part, v], d.after[part, v])
