"""Recreate: clients come back one after the other, each where it costs least."""

from __future__ import annotations

from routing.solver.machine_code import compiled, woven
from routing.solver.rounds_pool.day_rows import Days, Figures, in_time, insert
from routing.solver.rounds_pool.one_round import BLINK, find_beside, has_room, insert_beside
from routing.solver.rounds_pool.scratch import ABSENT, TOKEN, Scratch, StateArray, draw, keep
from routing.solver.sorting import sort_by_key


@compiled
def sort_absent(f: Figures, s: Scratch) -> None:
    """Order the clients to insert: one of 20 orders is drawn, in shares as published or alike."""
    rule, count = int(draw(s.random) * 20.0), s.counters[ABSENT]
    absent, keys = s.absent, s.keys
    for t in range(count):
        c = absent[t]
        if rule < 4:
            keys[t] = draw(s.random)
        elif rule < 8:
            keys[t] = -float(f.brought[0, c] + f.taken[0, c])
        elif rule < 11:
            keys[t] = f.cost_to[0, c, f.base[0]] * (1.0 if rule == 10 else -1.0)
        elif rule < 13:
            keys[t] = float(f.late[c] - f.early[c])
        elif rule < 15:
            keys[t] = float(f.early[c])
        elif rule < 17:
            keys[t] = -float(f.late[c])
        else:
            keys[t] = float(f.release[c]) * (1.0 if rule < 19 else -1.0)
    sort_by_key(absent, keys, count)


@woven
def _scan_round(f: Figures, d: Days, rng: StateArray, c: int, v: int, begin: int, best: float) -> tuple[float, int]:
    """Return the cheapest place for `c` in the round of `v` that begins at `begin`: (extra cost, position or -1)."""
    n, k, p, found = len(f.early), f.kind[v], begin, -1
    stops, start, latest, way = d.stops[v], d.start[v], d.latest[v], d.way[v]
    duration, duration_to = f.duration[k], f.duration_to[k, c]
    cost, cost_to = f.cost[k, c], f.cost_to[k, c]
    early, late, service = f.early[c], f.late[c], f.service[c]
    now = max(start[begin], f.release[c])
    delayed = now > start[begin]
    here = stops[begin]
    while now <= latest[p]:
        there = stops[p + 1]
        leave = now + f.service[here] if here < n else now
        if leave > late:
            break
        extra = cost_to[here] + cost[there] - way[p]
        if extra < best:
            fits = in_time(leave, duration_to[here], early, late, service, duration[c, there], latest[p + 1])
            if fits and draw(rng) >= BLINK and has_room(f, d, c, v, p):
                best, found = extra, p
        if there >= n:
            break
        p += 1
        now = max(leave + duration[here, there], f.early[there]) if delayed else start[p]
        here = there
    return best, found


@compiled
def _own_round_place(f: Figures, d: Days, rng: StateArray, v: int, c: int) -> int:
    """Return the first base of the day of `v` where a round with `c` alone fits, -1 without one."""
    k, size, n = f.kind[v], d.size[v], len(f.early)
    if d.trips[v] >= f.rounds[k] or draw(rng) < BLINK:
        return -1
    for part in range(2):
        if max(f.brought[part, c], f.taken[part, c]) > f.room[k, part]:
            return -1
    base = f.base[k]
    there, back = f.duration[k, base, c], f.service[c] + f.duration[k, c, base]
    for p in range(max(1, size)):
        if size and d.stops[v, p] < n:
            continue
        ready = d.arrive[v, p] if size else f.shift[k, 0]
        reach = max(max(ready, f.release[c]) + there, f.early[c])
        if reach <= f.late[c] and reach + back <= (d.latest[v, p] if size else f.shift[k, 1]):
            return p
    return -1


@compiled
def _find_in_rounds(f: Figures, d: Days, s: Scratch, c: int, best: float) -> tuple[float, int, int]:
    """Return the cheapest place in the rounds of near clients: (extra cost, vehicle or -1, position)."""
    s.counters[TOKEN] += 1
    token, vehicle, at = s.counters[TOKEN], -1, 0
    for q in range(f.near.shape[1]):
        other = f.near[c, q]
        v = d.vehicle[other]
        if v < 0 or not f.allowed[f.kind[v], c]:
            continue
        begin = d.first[v, d.position[other]]
        if s.seen[v, begin] != token:
            s.seen[v, begin] = token
            best, p = _scan_round(f, d, s.random, c, v, begin, best)
            if p >= 0:
                vehicle, at = v, p
    return best, vehicle, at


@compiled
def _find_own_round(f: Figures, d: Days, s: Scratch, c: int, best: float) -> tuple[float, int, int]:
    """Return the cheapest round with `c` alone: (extra cost, vehicle or -1, position of the base it begins at)."""
    vehicle, at = -1, 0
    for k in range(len(f.base)):
        extra = f.cost_to[k, c, f.base[k]] + f.cost[k, c, f.base[k]]
        if extra >= best or not f.allowed[k, c]:
            continue
        idle = False
        for v in range(len(f.kind)):
            if f.kind[v] != k:
                continue
            if d.size[v] == 0 and idle:
                continue  # it could do nothing that the first idle one cannot
            idle = idle or d.size[v] == 0
            more = extra + (f.fixed[k] if d.size[v] == 0 else 0.0)
            if more < best:
                p = _own_round_place(f, d, s.random, v, c)
                if p >= 0:
                    best, vehicle, at = more, v, p
    return best, vehicle, at


@compiled
def place(f: Figures, d: Days, s: Scratch, c: int, plain: bool) -> float:
    """Put `c` where it costs least and return what that costs; it stays out where nothing else is cheaper or possible.

    `plain`: vehicles make one round, and no goods are released late, so that no round departs later for any of them.
    """
    if plain:
        best, vehicle, at = find_beside(f, d, s, c, f.soft_cost[c])
    else:
        best, vehicle, at = _find_in_rounds(f, d, s, c, f.soft_cost[c])
    best, other, start = _find_own_round(f, d, s, c, best)
    if other >= 0:
        vehicle, at = other, start
    if vehicle >= 0:
        keep(d, s, vehicle)
        if plain and other < 0:
            insert_beside(f, d, vehicle, at, c)
        else:
            insert(f, d, vehicle, at, c, other >= 0)
    return best
