"""Slack induction by string removals over vehicles' days, compiled.

Method: Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing problems,
Transportation Science 54(2), 417-433, https://doi.org/10.1287/trsc.2019.0914: strings of neighbouring clients are
taken out and put back greedily with blinks, under simulated annealing. Added here: days of several rounds with goods
released at the base over the day, the rest of two vehicles' days exchanged, clients that may be left out, insertion
only beside near clients.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from routing.solver.machine_code import compiled
from routing.solver.rounds_pool.day_rows import (
    BoolArray,
    Days,
    Figures,
    FloatArray,
    IntArray,
    drop_marked,
    insert,
    load,
    refresh,
    save,
    total_cost,
)

MEAN_REMOVED, LONGEST_STRING = 10.0, 10.0
"""Clients removed on average and the longest string: the published values."""
_BLINK = 0.01
"""Share of insertion places overlooked: the published value."""
_SPLIT, _SPLIT_GROWTH = 0.5, 0.01
"""Share of strings that keep a part in their middle, and the chance that the part stays short: published values."""
_TAILS = 0.2
"""Share of moves that first exchange the rest of the day of two vehicles."""
_EPSILON = 1e-6


StateArray = npt.NDArray[np.uint64]


class Scratch(NamedTuple):
    """Working space of the search: clients taken out, saved days, stamps of what was looked at, the generator."""

    marked: BoolArray
    absent: IntArray
    keys: FloatArray
    seen: IntArray
    stops: IntArray
    size: IntArray
    stamp: IntArray
    log: IntArray
    spare: IntArray
    counters: IntArray
    """Token of the last look, clients absent, days saved in this move, number of the move, clients left out."""
    random: StateArray


_TOKEN, _ABSENT, _SAVED, _MOVE, _LEFT = range(5)


def new_scratch(figures: Figures, days: Days, seed: int) -> Scratch:
    """Return working space; `seed` is the state of the generator, not 0."""
    n, vehicles = len(figures.early), len(figures.kind)
    return Scratch(
        marked=np.zeros(n, np.bool_),
        absent=np.zeros(n, np.int64),
        keys=np.zeros(n),
        seen=np.zeros(days.stops.shape, np.int64),
        stops=np.zeros(days.stops.shape, np.int64),
        size=np.zeros(vehicles, np.int64),
        stamp=np.zeros(vehicles, np.int64),
        log=np.zeros(vehicles, np.int64),
        spare=np.zeros(days.stops.shape[1], np.int64),
        counters=np.zeros(5, np.int64),
        random=np.array([seed], dtype=np.uint64),
    )


@compiled
def _random(state: StateArray) -> float:
    """Return a number in [0, 1) by the generator xorshift64* (Vigna 2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


# --- Ruin ----------------------------------------------------------------------------------------------------------


@compiled
def _draw_string(rng: StateArray, length: int, longest: float, ahead: int, behind: int) -> tuple[int, int, int, int]:
    """Return a string around a client: stops to begin before it, stops to span, and first and last stop kept inside.

    The round has `length` clients, `ahead` of them before the client and `behind` after it.
    """
    want = min(length, int(1.0 + _random(rng) * min(float(length), longest)))
    keep = 0
    if 1 < want < length and _random(rng) < _SPLIT:
        keep = 1
        while want + keep < length and _random(rng) > _SPLIT_GROWTH:
            keep += 1
    span = want + keep
    least, most = max(0, span - 1 - behind), min(ahead, span - 1)
    before = least + int(_random(rng) * (most - least + 1))
    hole = 1 + int(_random(rng) * (want - 1)) if keep else span
    return before, span, hole, hole + keep


@compiled
def _ruin(f: Figures, d: Days, s: Scratch) -> bool:  # noqa: C901, PLR0912 # calls are dear here
    """Take strings near a random client out of their days; return whether all days still fit."""
    n, rng, counters = len(f.early), s.random, s.counters
    planned, rounds = 0, 0
    for v in range(len(f.kind)):
        if d.size[v]:
            planned += d.size[v] - 1 - d.trips[v]
            rounds += d.trips[v]
    longest = min(LONGEST_STRING, planned / rounds) if rounds else 0.0
    strings = int(1.0 + _random(rng) * (4.0 * MEAN_REMOVED / (1.0 + longest) - 1.0)) if rounds else 0
    seed, out = int(_random(rng) * n), 0
    counters[_TOKEN] += 1
    token = counters[_TOKEN]
    for q in range(-1, f.near.shape[1]):
        if strings <= 0:
            break
        c = seed if q < 0 else f.near[seed, q]
        v, at = d.vehicle[c], d.position[c]
        if v < 0 or s.seen[v, d.first[v, at]] == token:
            continue
        begin = d.first[v, at]
        s.seen[v, begin] = token
        strings -= 1
        end = at + 1
        while d.stops[v, end] < n:
            end += 1
        before, span, hole, after = _draw_string(rng, end - begin - 1, longest, at - begin - 1, end - at - 1)
        for step in range(span):
            if not hole <= step < after:
                node = d.stops[v, at - before + step]
                s.marked[node] = True
                s.absent[out] = node
                out += 1
    counters[_ABSENT] = out
    sound = True
    for t in range(out):
        v = d.vehicle[s.absent[t]]
        if v >= 0:
            _keep(d, s, v)
            sound = drop_marked(f, d, v, s.marked) and sound
    if counters[_LEFT]:
        for c in range(n):
            if d.vehicle[c] < 0 and not s.marked[c]:
                s.absent[out] = c
                out += 1
    for t in range(out):
        s.marked[s.absent[t]] = False
    counters[_ABSENT] = out
    return sound


@compiled
def _keep(d: Days, s: Scratch, v: int) -> None:
    """Save the day of `v` before its first change in this move."""
    if s.stamp[v] != s.counters[_MOVE]:
        s.stamp[v] = s.counters[_MOVE]
        s.log[s.counters[_SAVED]] = v
        s.counters[_SAVED] += 1
        save(d, v, s.stops, s.size)


# --- Recreate ------------------------------------------------------------------------------------------------------


@compiled
def _sort_absent(f: Figures, s: Scratch) -> None:
    """Order the clients to insert: one of 20 orders is drawn, in shares as published or alike."""
    draw, count = int(_random(s.random) * 20.0), s.counters[_ABSENT]
    absent, keys = s.absent, s.keys
    for t in range(count):
        c = absent[t]
        if draw < 4:
            keys[t] = _random(s.random)
        elif draw < 8:
            keys[t] = -float(f.brought[0, c] + f.taken[0, c])
        elif draw < 11:
            keys[t] = f.cost_to[0, c, f.base[0]] * (1.0 if draw == 10 else -1.0)
        elif draw < 13:
            keys[t] = float(f.late[c] - f.early[c])
        elif draw < 15:
            keys[t] = float(f.early[c])
        elif draw < 17:
            keys[t] = -float(f.late[c])
        else:
            keys[t] = float(f.release[c]) * (1.0 if draw < 19 else -1.0)
    for t in range(1, count):
        c, key, at = absent[t], keys[t], t
        while at > 0 and keys[at - 1] > key:
            absent[at], keys[at] = absent[at - 1], keys[at - 1]
            at -= 1
        absent[at], keys[at] = c, key


@compiled
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
            reach = max(leave + duration_to[here], early)
            if reach <= late and reach + service + duration[c, there] <= latest[p + 1] and _random(rng) >= _BLINK:
                fits = True
                for part in range(2):
                    if f.measured[part]:
                        room = f.room[k, part]
                        fits = fits and d.before[part, v, p] + f.brought[part, c] <= room
                        fits = fits and d.after[part, v, p] + f.taken[part, c] <= room
                if fits:
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
    if d.trips[v] >= f.rounds[k] or _random(rng) < _BLINK:
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
def _place(f: Figures, d: Days, s: Scratch, c: int) -> None:  # noqa: C901 # calls are dear here
    """Put `c` where it costs least; it stays out where that is cheapest or nothing else is possible."""
    s.counters[_TOKEN] += 1
    token, best, vehicle, at, own = s.counters[_TOKEN], f.soft_cost[c], -1, 0, False
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
    idle_kind = -1
    for v in range(len(f.kind)):
        k = f.kind[v]
        idle = d.size[v] == 0
        if (idle and idle_kind == k) or not f.allowed[k, c]:
            continue
        extra = f.cost_to[k, c, f.base[k]] + f.cost[k, c, f.base[k]]
        if idle:
            idle_kind = k
            extra += f.fixed[k]
        elif d.trips[v] >= f.rounds[k]:
            continue
        if extra < best:
            p = _own_round_place(f, d, s.random, v, c)
            if p >= 0:
                best, vehicle, at, own = extra, v, p, True
    if vehicle >= 0:
        _keep(d, s, vehicle)
        insert(f, d, vehicle, at, c, own)


# --- Exchange of the rest of two days ------------------------------------------------------------------------------


@compiled
def _draw_base(f: Figures, d: Days, s: Scratch, v: int) -> tuple[int, int]:
    """Return the position of a random base of the day of `v`, and the rounds before it."""
    wanted, passed = int(_random(s.random) * (d.trips[v] + 1)), 0
    for p in range(d.size[v]):
        if d.stops[v, p] >= len(f.early):
            if passed == wanted:
                return p, passed
            passed += 1
    return d.size[v] - 1, d.trips[v]


@compiled
def _swap_tails(f: Figures, d: Days, s: Scratch) -> None:
    """Exchange what two random vehicles of one class do from some base of their days on, if times allow it."""
    vehicles = len(f.kind)
    v, w = int(_random(s.random) * vehicles), int(_random(s.random) * vehicles)
    if v == w or f.kind[v] != f.kind[w] or d.size[v] == 0 or d.size[w] == 0:
        return
    p, done_v = _draw_base(f, d, s, v)
    q, done_w = _draw_base(f, d, s, w)
    most = f.rounds[f.kind[v]]
    if d.arrive[v, p] > d.latest[w, q] or d.arrive[w, q] > d.latest[v, p]:
        return
    if done_v + d.trips[w] - done_w > most or done_w + d.trips[v] - done_v > most:
        return
    _keep(d, s, v)
    _keep(d, s, w)
    rest_v, rest_w = d.size[v] - p, d.size[w] - q
    for step in range(rest_v):
        s.spare[step] = d.stops[v, p + step]
    for step in range(rest_w):
        d.stops[v, p + step] = d.stops[w, q + step]
    for step in range(rest_v):
        d.stops[w, q + step] = s.spare[step]
    d.size[v], d.size[w] = p + rest_w, q + rest_v
    for x in (v, w):
        if d.size[x] <= 1:
            d.size[x] = 0
        refresh(f, d, x)


# --- The search ----------------------------------------------------------------------------------------------------


@compiled
def _try_move(f: Figures, d: Days, s: Scratch, several: bool) -> bool:
    """Change the days by one move; return whether they still fit."""
    s.counters[_MOVE] += 1
    s.counters[_SAVED] = 0
    if several and _random(s.random) < _TAILS:
        _swap_tails(f, d, s)
    if not _ruin(f, d, s):
        return False
    _sort_absent(f, s)
    for t in range(s.counters[_ABSENT]):
        _place(f, d, s, s.absent[t])
    return True


@compiled
def _undo(f: Figures, d: Days, s: Scratch) -> None:
    """Take the last move back."""
    for t in range(s.counters[_ABSENT]):
        d.vehicle[s.absent[t]] = -1
    for t in range(s.counters[_SAVED]):
        load(f, d, s.log[t], s.stops, s.size)


@compiled
def _left_out(f: Figures, d: Days, s: Scratch) -> float:
    """Count the clients left out; return what they cost beyond their soft price."""
    left, more = 0, 0.0
    for c in range(len(d.vehicle)):
        if d.vehicle[c] < 0:
            left += 1
            more += f.left_cost[c] - f.soft_cost[c]
    s.counters[_LEFT] = left
    return more


@compiled
def search(
    f: Figures,
    d: Days,
    s: Scratch,
    best_stops: IntArray,
    best_size: IntArray,
    best_cost: float,
    moves: int,
    heat: float,
) -> float:
    """Make `moves` moves at the temperature `heat` (in money); return the best cost.

    The days go on from `d`; the best found are kept in `best_stops`, `best_size` if cheaper than `best_cost`.
    """
    cost, several = total_cost(f, d), False
    for k in range(len(f.rounds)):
        several = several or f.rounds[k] > 1
    _left_out(f, d, s)
    for _ in range(moves):
        sound = _try_move(f, d, s, several)
        now = total_cost(f, d)
        if not sound or now >= cost - heat * np.log(max(1e-300, _random(s.random))):
            _undo(f, d, s)
            continue
        cost = now
        true_cost = cost + _left_out(f, d, s)
        if true_cost < best_cost - _EPSILON:
            best_cost = true_cost
            for v in range(len(f.kind)):
                save(d, v, best_stops, best_size)
    return best_cost
