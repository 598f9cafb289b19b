"""Slack induction by string removals over vehicles' days of several rounds, compiled.

Method: Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing problems,
Transportation Science 54(2), 417-433, https://doi.org/10.1287/trsc.2019.0914: strings of neighbouring clients are
taken out and put back greedily with blinks, under simulated annealing. Added here: days of several rounds with goods
released at the base over the day, tails of days exchanged between vehicles, clients that may be left out, insertion
only near neighbours.

A vehicle's day is one row of nodes, ``base c c base c c c base``; a round's goods must all be at the base when it
departs. Clients are the nodes 0 to n-1, bases follow. Times are whole seconds, costs floats of any unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MEAN_REMOVED, LONGEST_STRING = 10.0, 10
"""Clients removed on average and the longest string: the published values."""
_BLINK = 0.01
"""Share of insertion places overlooked: the published value."""
_SPLIT, _SPLIT_GROWTH = 0.5, 0.01
"""Share of strings that keep a part in their middle, and the chance that the part stays short: published values."""
_TAILS = 0.2
"""Share of moves that first exchange the rest of the day of two vehicles."""
_EPSILON = 1e-6


class Figures(NamedTuple):
    """The unchanging figures: N nodes of which n clients, C classes of vehicle, V vehicles.

    `duration` and `cost` have shape (C, N, N). Per client: `early`, `late` bound the start of service, `service`,
    `release` (goods at the base), `brought`, `taken` (n, 2) in kilograms and litres (whole units), `left_cost` of
    leaving it out, `near` (n, K) other clients, nearest first. Per class: `base` node, `room` (C, 2), `shift` (C, 2),
    `fixed`, `rounds` a day at most. `allowed` (C, n); `kind` is the class of each vehicle, equal ones adjoining.
    """

    duration: IntArray
    cost: FloatArray
    early: IntArray
    late: IntArray
    service: IntArray
    release: IntArray
    brought: IntArray
    taken: IntArray
    left_cost: FloatArray
    near: IntArray
    base: IntArray
    room: IntArray
    shift: IntArray
    fixed: FloatArray
    rounds: IntArray
    allowed: npt.NDArray[np.bool_]
    kind: IntArray


class Days(NamedTuple):
    """The days of all vehicles as they are; rows are vehicles, columns stops.

    `stops` (V, P) nodes and `size` how many (0: idle); `start` earliest service start (at a base: departure of the
    next round), `arrive` at bases, `latest` service start (at a base: departure); `first` the position of the base the
    round of a stop began at; `before`, `after` (V, P, 2) the largest load on the segments of the round up to and from
    the one leaving a stop. Per client: `vehicle` (-1: left out) and `position`. `worth` is the cost of each day.
    """

    stops: IntArray
    size: IntArray
    start: IntArray
    arrive: IntArray
    latest: IntArray
    first: IntArray
    before: IntArray
    after: IntArray
    vehicle: IntArray
    position: IntArray
    worth: FloatArray


def empty_days(figures: Figures) -> Days:
    """Return the days of idle vehicles; every client is left out."""
    n, vehicles = len(figures.early), len(figures.kind)
    width = 2 * n + 2
    grid = (vehicles, width)
    return Days(
        stops=np.zeros(grid, np.int64), size=np.zeros(vehicles, np.int64), start=np.zeros(grid, np.int64),
        arrive=np.zeros(grid, np.int64), latest=np.zeros(grid, np.int64), first=np.zeros(grid, np.int64),
        before=np.zeros((*grid, 2), np.int64), after=np.zeros((*grid, 2), np.int64),
        vehicle=np.full(n, -1, np.int64), position=np.zeros(n, np.int64), worth=np.zeros(vehicles),
    )  # fmt: skip


@njit(cache=True)
def _random(state):
    """Return a number in [0, 1) and advance the xorshift64* generator in ``state[0]``."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True)
def refresh(f, d, v):
    """Recompute times, loads and cost of the day of vehicle `v`; return whether times and loads hold."""
    k, size, n = f.kind[v], d.size[v], len(f.early)
    d.worth[v] = 0.0
    if size == 0:
        return True
    stops, start, arrive, latest = d.stops[v], d.start[v], d.arrive[v], d.latest[v]
    money = f.fixed[k]
    base, begin = f.base[k], 0
    now = f.shift[k, 0]
    for p in range(size):
        node = stops[p]
        if p > 0:
            money += f.cost[k, stops[p - 1], node]
            now = start[p - 1] + f.duration[k, stops[p - 1], node]
            if stops[p - 1] < n:
                now += f.service[stops[p - 1]]
        if node < n:
            start[p] = max(now, f.early[node])
            d.vehicle[node] = v
            d.position[node] = p
            d.first[v, p] = begin
        else:
            begin = p
            arrive[p] = now
            d.first[v, p] = p
            if p < size - 1:
                for q in range(p + 1, size):
                    other = stops[q]
                    if other >= n:
                        break
                    now = max(now, f.release[other])
            start[p] = now
    fits = True
    last = f.shift[k, 1]
    for p in range(size - 1, -1, -1):
        node = stops[p]
        if p < size - 1:
            last = latest[p + 1] - f.duration[k, node, stops[p + 1]]
        if node < n:
            last = min(last - f.service[node], f.late[node])
        latest[p] = last
        if start[p] > last:
            fits = False
    d.worth[v] = money
    for part in range(2):
        fits = _weigh(f, d, v, part) and fits
    return fits


@njit(cache=True)
def _weigh(f, d, v, part):
    """Recompute the largest loads before and after each stop; return whether they fit."""
    size, n, room = d.size[v], len(f.early), f.room[f.kind[v], part]
    stops = d.stops[v]
    p, fits = 0, True
    while p < size - 1:
        load, q = 0, p + 1
        while stops[q] < n:
            load += f.brought[stops[q], part]
            q += 1
        most = load
        d.before[v, p, part] = load
        d.after[v, p, part] = load
        for s in range(p + 1, q):
            load += f.taken[stops[s], part] - f.brought[stops[s], part]
            most = max(most, load)
            d.before[v, s, part] = most
            d.after[v, s, part] = load
        for s in range(q - 2, p - 1, -1):
            d.after[v, s, part] = max(d.after[v, s, part], d.after[v, s + 1, part])
        if most > room:
            fits = False
        p = q
    return fits


@njit(cache=True)
def _insert(f, d, v, p, c, own):
    """Put client `c` after position `p` of vehicle `v`; with `own` as a round of its own that begins there."""
    stops = d.stops[v]
    base = f.base[f.kind[v]]
    if d.size[v] == 0:
        stops[0], stops[1], stops[2] = base, c, base
        d.size[v] = 3
    else:
        shift = 2 if own else 1
        for s in range(d.size[v] - 1, p, -1):
            stops[s + shift] = stops[s]
        stops[p + 1] = c
        if own:
            stops[p + 2] = base
        d.size[v] += shift
    refresh(f, d, v)


@njit(cache=True)
def _drop_marked(f, d, v, marked):
    """Take marked clients off the day of `v` and rounds left empty with them; return whether the day still fits."""
    n, stops, kept = len(f.early), d.stops[v], 0
    for p in range(d.size[v]):
        node = stops[p]
        if node < n:
            if marked[node]:
                d.vehicle[node] = -1
                continue
        elif kept > 0 and stops[kept - 1] >= n:
            continue
        stops[kept] = node
        kept += 1
    d.size[v] = 0 if kept <= 1 else kept
    return refresh(f, d, v)


@njit(cache=True)
def _count_rounds(f, d, v):
    n, count = len(f.early), 0
    for p in range(d.size[v] - 1):
        if d.stops[v, p] >= n:
            count += 1
    return count


# --- Ruin ----------------------------------------------------------------------------------------------------------


@njit(cache=True)
def _ruin(f, d, rng, marked, taken_out, touched, seen, token):
    """Choose strings of clients near a random one; mark and list them, and list their vehicles."""
    n = len(f.early)
    planned, rounds = 0, 0
    for v in range(len(f.kind)):
        if d.size[v]:
            planned += d.size[v] - 1
            rounds += _count_rounds(f, d, v)
    planned -= rounds
    if planned <= 0:
        return 0, 0
    mean = planned / max(1, rounds)
    longest = min(float(LONGEST_STRING), mean)
    most = 4.0 * MEAN_REMOVED / (1.0 + longest) - 1.0
    strings = int(1.0 + _random(rng) * most)
    seed = int(_random(rng) * n)
    out, vehicles, done = 0, 0, 0
    near = f.near
    for q in range(-1, near.shape[1]):
        if done >= strings:
            break
        c = seed if q < 0 else near[seed, q]
        v = d.vehicle[c]
        if v < 0 or marked[c]:
            continue
        begin = d.first[v, d.position[c]]
        if seen[v, begin] == token:
            continue
        seen[v, begin] = token
        done += 1
        end = begin + 1
        while d.stops[v, end] < n:
            end += 1
        length = end - begin - 1
        want = int(1.0 + _random(rng) * min(float(length), longest))
        want = min(want, length)
        keep = 0
        if want > 1 and want < length and _random(rng) < _SPLIT:
            keep = 1
            while want + keep < length and _random(rng) > _SPLIT_GROWTH:
                keep += 1
        span = want + keep
        low = max(begin + 1, d.position[c] - span + 1)
        high = min(d.position[c], end - span)
        at = low + int(_random(rng) * (high - low + 1))
        hole = at + want
        if keep:
            hole = at + 1 + int(_random(rng) * (want - 1))
        for p in range(at, at + span):
            if keep and hole <= p < hole + keep:
                continue
            node = d.stops[v, p]
            marked[node] = True
            taken_out[out] = node
            out += 1
        known = False
        for t in range(vehicles):
            if touched[t] == v:
                known = True
        if not known:
            touched[vehicles] = v
            vehicles += 1
    return out, vehicles


# --- Recreate ------------------------------------------------------------------------------------------------------


@njit(cache=True)
def _sort_absent(f, absent, count, rng, keys):
    """Order the clients to insert: at random, by demand, distance, window or release."""
    draw = int(_random(rng) * 20.0)
    base = f.base[0]
    for t in range(count):
        c = absent[t]
        if draw < 4:
            keys[t] = _random(rng)
        elif draw < 8:
            keys[t] = -float(f.brought[c, 0] + f.taken[c, 0])
        elif draw < 10:
            keys[t] = -f.cost[0, base, c]
        elif draw < 11:
            keys[t] = f.cost[0, base, c]
        elif draw < 13:
            keys[t] = float(f.late[c] - f.early[c])
        elif draw < 15:
            keys[t] = float(f.early[c])
        elif draw < 17:
            keys[t] = -float(f.late[c])
        elif draw < 19:
            keys[t] = float(f.release[c])
        else:
            keys[t] = -float(f.release[c])
    for t in range(1, count):
        c, key = absent[t], keys[t]
        s = t - 1
        while s >= 0 and keys[s] > key:
            absent[s + 1] = absent[s]
            keys[s + 1] = keys[s]
            s -= 1
        absent[s + 1] = c
        keys[s + 1] = key


@njit(cache=True)
def _scan_round(f, d, rng, c, v, begin, best):
    """Return the cheapest place for `c` in the round of `v` that begins at `begin`: (extra cost, position)."""
    n, k, p = len(f.early), f.kind[v], begin
    found = -1
    stops = d.stops[v]
    now = max(d.start[v, begin], f.release[c])
    if now > d.latest[v, begin]:
        return best, found
    delayed = now > d.start[v, begin]
    while True:
        here, there = stops[p], stops[p + 1]
        if p > begin:
            if delayed:
                behind = stops[p - 1]
                now = now + f.duration[k, behind, here]
                if behind < n:
                    now += f.service[behind]
                now = max(now, f.early[here])
                if now > d.latest[v, p]:
                    break
            else:
                now = d.start[v, p]
        leave = now + (f.service[here] if here < n else 0)
        reach = max(leave + f.duration[k, here, c], f.early[c])
        if leave > f.late[c]:
            break
        extra = f.cost[k, here, c] + f.cost[k, c, there] - f.cost[k, here, there]
        if extra < best and reach <= f.late[c] and _random(rng) >= _BLINK:
            onward = reach + f.service[c] + f.duration[k, c, there]
            if there < n:
                onward = max(onward, f.early[there])
            if (
                onward <= d.latest[v, p + 1]
                and d.before[v, p, 0] + f.brought[c, 0] <= f.room[k, 0]
                and d.before[v, p, 1] + f.brought[c, 1] <= f.room[k, 1]
                and d.after[v, p, 0] + f.taken[c, 0] <= f.room[k, 0]
                and d.after[v, p, 1] + f.taken[c, 1] <= f.room[k, 1]
            ):
                best, found = extra, p
        p += 1
        if stops[p] >= n:
            break
    return best, found


@njit(cache=True)
def _scan_own(f, d, rng, c, best):
    """Return the cheapest round of its own for `c`: (extra cost, vehicle, position)."""
    n, at, where = len(f.early), -1, -1
    idle_of = -1
    for v in range(len(f.kind)):
        k = f.kind[v]
        if not f.allowed[k, c]:
            continue
        idle = d.size[v] == 0
        if idle and idle_of == k:
            continue
        extra = f.cost[k, f.base[k], c] + f.cost[k, c, f.base[k]]
        if idle:
            idle_of = k
            extra += f.fixed[k]
        if extra >= best or f.brought[c, 0] > f.room[k, 0] or f.brought[c, 1] > f.room[k, 1]:
            continue
        if f.taken[c, 0] > f.room[k, 0] or f.taken[c, 1] > f.room[k, 1]:
            continue
        there, back = f.duration[k, f.base[k], c], f.duration[k, c, f.base[k]] + f.service[c]
        if idle:
            reach = max(max(f.shift[k, 0], f.release[c]) + there, f.early[c])
            if reach <= f.late[c] and reach + back <= f.shift[k, 1] and _random(rng) >= _BLINK:
                best, where, at = extra, v, 0
        elif f.rounds[k] > 1 and _count_rounds(f, d, v) < f.rounds[k]:
            for p in range(d.size[v]):
                if d.stops[v, p] < n:
                    continue
                reach = max(max(d.arrive[v, p], f.release[c]) + there, f.early[c])
                if reach <= f.late[c] and reach + back <= d.latest[v, p] and _random(rng) >= _BLINK:
                    best, where, at = extra, v, p
                    break
    return best, where, at


@njit(cache=True)
def _recreate_one(f, d, rng, c, seen, token):
    """Put `c` where it costs least; return the vehicle to be changed, the position, and whether in a round of its own.

    (-1, 0, False) where leaving it out is cheaper or nothing else is possible.
    """
    best, vehicle, at = f.left_cost[c], -1, 0
    for q in range(f.near.shape[1]):
        v = d.vehicle[f.near[c, q]]
        if v < 0 or not f.allowed[f.kind[v], c]:
            continue
        begin = d.first[v, d.position[f.near[c, q]]]
        if seen[v, begin] == token:
            continue
        seen[v, begin] = token
        cost, p = _scan_round(f, d, rng, c, v, begin, best)
        if p >= 0:
            best, vehicle, at = cost, v, p
    cost, v, p = _scan_own(f, d, rng, c, best)
    if v >= 0:
        return v, p, True
    return vehicle, at, False


# --- Exchange of the rest of two days ------------------------------------------------------------------------------


@njit(cache=True)
def _draw_base(f, d, v, rng):
    """Return the position of a random base of the day of `v`."""
    n, count = len(f.early), _count_rounds(f, d, v) + 1
    wanted = int(_random(rng) * count)
    for p in range(d.size[v]):
        if d.stops[v, p] >= n:
            if wanted == 0:
                return p
            wanted -= 1
    return d.size[v] - 1


@njit(cache=True)
def _tails_fit(f, d, v, p, w, q):
    """Return whether vehicles `v` and `w` can go on with each other's day from bases `p` and `q`."""
    if d.arrive[v, p] > d.latest[w, q] or d.arrive[w, q] > d.latest[v, p]:
        return False
    n, most = len(f.early), f.rounds[f.kind[v]]
    done_v, done_w = 0, 0
    for s in range(p):
        done_v += d.stops[v, s] >= n
    for s in range(q):
        done_w += d.stops[w, s] >= n
    all_v, all_w = _count_rounds(f, d, v), _count_rounds(f, d, w)
    return done_v + all_w - done_w <= most and done_w + all_v - done_v <= most


@njit(cache=True)
def _swap_tails(f, d, v, p, w, q, spare):
    """Exchange what follows base `p` of `v` and base `q` of `w`."""
    rest_v, rest_w = d.size[v] - p, d.size[w] - q
    for s in range(rest_v):
        spare[s] = d.stops[v, p + s]
    for s in range(rest_w):
        d.stops[v, p + s] = d.stops[w, q + s]
    for s in range(rest_v):
        d.stops[w, q + s] = spare[s]
    d.size[v], d.size[w] = p + rest_w, q + rest_v
    for x in (v, w):
        if d.size[x] <= 1:
            d.size[x] = 0
        refresh(f, d, x)


# --- The search ----------------------------------------------------------------------------------------------------


@njit(cache=True)
def _save(d, v, kept_stops, kept_size):
    kept_size[v] = d.size[v]
    for p in range(d.size[v]):
        kept_stops[v, p] = d.stops[v, p]


@njit(cache=True)
def _load(f, d, v, kept_stops, kept_size):
    d.size[v] = kept_size[v]
    for p in range(d.size[v]):
        d.stops[v, p] = kept_stops[v, p]
    refresh(f, d, v)


@njit(cache=True)
def load_all(f, d, stops, size):
    """Set all days to the given rows; return whether they fit."""
    d.vehicle[:] = -1
    fits = True
    for v in range(len(f.kind)):
        d.size[v] = size[v]
        for p in range(size[v]):
            d.stops[v, p] = stops[v, p]
        fits = refresh(f, d, v) and fits
    return fits


@njit(cache=True)
def total_cost(f, d):
    """Return the cost of all days and of the clients left out."""
    money = 0.0
    for v in range(len(f.kind)):
        money += d.worth[v]
    for c in range(len(f.early)):
        if d.vehicle[c] < 0:
            money += f.left_cost[c]
    return money


@njit(cache=True)
def search(f, d, best_stops, best_size, best_cost, moves, hot, cold, rng):
    """Make `moves` moves while the temperature falls from `hot` to `cold`; return the best cost.

    The days go on from `d`; the best found are kept in `best_stops`, `best_size` if cheaper than `best_cost`.
    """
    n, vehicles = len(f.early), len(f.kind)
    marked = np.zeros(n, np.bool_)
    absent, touched = np.zeros(n, np.int64), np.zeros(vehicles + 2, np.int64)
    seen = np.zeros(d.stops.shape, np.int64)
    kept_stops, kept_size = np.zeros(d.stops.shape, np.int64), np.zeros(vehicles, np.int64)
    is_kept = np.zeros(vehicles, np.int64)
    keys, spare = np.zeros(n), np.zeros(d.stops.shape[1], np.int64)
    several = False
    for k in range(len(f.rounds)):
        several = several or f.rounds[k] > 1
    cost, token, left = total_cost(f, d), 0, 0
    for c in range(n):
        left += d.vehicle[c] < 0
    cooling = (cold / hot) ** (1.0 / max(1, moves)) if hot > 0.0 else 1.0
    heat = hot
    log = np.zeros(vehicles, np.int64)
    for move in range(1, moves + 1):
        logged = 0
        heat *= cooling
        if several and _random(rng) < _TAILS:
            v, w = int(_random(rng) * vehicles), int(_random(rng) * vehicles)
            if v != w and d.size[v] and d.size[w] and f.kind[v] == f.kind[w]:
                p, q = _draw_base(f, d, v, rng), _draw_base(f, d, w, rng)
                if _tails_fit(f, d, v, p, w, q):
                    for x in (v, w):
                        is_kept[x] = move
                        _save(d, x, kept_stops, kept_size)
                        log[logged] = x
                        logged += 1
                    _swap_tails(f, d, v, p, w, q, spare)
        token += 1
        out, ruined = _ruin(f, d, rng, marked, absent, touched, seen, token)
        sound = True
        for t in range(ruined):
            v = touched[t]
            if is_kept[v] != move:
                is_kept[v] = move
                _save(d, v, kept_stops, kept_size)
                log[logged] = v
                logged += 1
            sound = _drop_marked(f, d, v, marked) and sound
        for t in range(out):
            marked[absent[t]] = False
        if left:
            for c in range(n):
                if d.vehicle[c] < 0:
                    known = False
                    for t in range(out):
                        known = known or absent[t] == c
                    if not known:
                        absent[out] = c
                        out += 1
        if sound:
            _sort_absent(f, absent, out, rng, keys)
            for t in range(out):
                token += 1
                c = absent[t]
                v, p, own = _recreate_one(f, d, rng, c, seen, token)
                if v < 0:
                    continue
                if is_kept[v] != move:
                    is_kept[v] = move
                    _save(d, v, kept_stops, kept_size)
                    log[logged] = v
                    logged += 1
                _insert(f, d, v, p, c, own)
        now = total_cost(f, d)
        if sound and now < cost - heat * np.log(max(1e-300, _random(rng))):
            cost = now
            left = 0
            for t in range(out):
                left += d.vehicle[absent[t]] < 0
            if cost < best_cost - _EPSILON:
                best_cost = cost
                for v in range(vehicles):
                    _save(d, v, best_stops, best_size)
        else:
            for t in range(out):
                d.vehicle[absent[t]] = -1
            for t in range(logged):
                _load(f, d, log[t], kept_stops, kept_size)
    return best_cost
