"""Ruin: strings of neighbouring clients leave their rounds, or two vehicles exchange the rest of their days."""

from __future__ import annotations

from routing.solver.machine_code import compiled
from routing.solver.rounds_pool.day_rows import Days, Figures, FloatArray, IntArray, drop_marked, refresh
from routing.solver.rounds_pool.scratch import ABSENT, LEFT, TOKEN, Scratch, StateArray, draw, keep

_SPLIT, _SPLIT_GROWTH = 0.5, 0.01
"""Share of strings that keep a part in their middle, and the chance that the part stays short: published values."""


@compiled
def _draw_string(rng: StateArray, length: int, longest: float, ahead: int, behind: int) -> tuple[int, int, int, int]:
    """Return a string around a client: stops to begin before it, stops to span, and first and last stop kept inside.

    The round has `length` clients, `ahead` of them before the client and `behind` after it.
    """
    want = min(length, int(1.0 + draw(rng) * min(float(length), longest)))
    keep = 0
    if 1 < want < length and draw(rng) < _SPLIT:
        keep = 1
        while want + keep < length and draw(rng) > _SPLIT_GROWTH:
            keep += 1
    span = want + keep
    least, most = max(0, span - 1 - behind), min(ahead, span - 1)
    before = least + int(draw(rng) * (most - least + 1))
    hole = 1 + int(draw(rng) * (want - 1)) if keep else span
    return before, span, hole, hole + keep


@compiled
def mean_round(f: Figures, d: Days) -> float:
    """Return the mean number of clients of a round."""
    planned, rounds = 0, 0
    for v in range(len(f.kind)):
        if d.size[v]:
            planned += d.size[v] - 1 - d.trips[v]
            rounds += d.trips[v]
    return planned / rounds if rounds else 0.0


@compiled
def ruin(  # noqa: C901 # calls are dear here
    f: Figures, d: Days, s: Scratch, longest: float, removed: float, emptied: float
) -> bool:
    """Take strings near a random client out of their days; return whether all days still fit.

    Strings have up to `longest` clients; `removed` is how many clients go on average. With the chance `emptied` the
    first string is a whole round.
    """
    n, rng, counters = len(f.early), s.random, s.counters
    strings = int(1.0 + draw(rng) * (4.0 * removed / (1.0 + longest) - 1.0)) if longest > 0.0 else 0
    seed, out = int(draw(rng) * n), 0
    whole = draw(rng) < emptied
    counters[TOKEN] += 1
    token = counters[TOKEN]
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
        if whole:
            before, span, hole, after, whole = at - begin - 1, end - begin - 1, end, end, False
        for step in range(span):
            if not hole <= step < after:
                node = d.stops[v, at - before + step]
                s.marked[node] = True
                s.absent[out] = node
                out += 1
    sound, taken = True, out
    for t in range(taken):
        v = d.vehicle[s.absent[t]]
        if v >= 0:
            keep(d, s, v)
            sound = drop_marked(f, d, v, s.marked) and sound
    for t in range(counters[LEFT]):
        s.absent[out] = s.left[t]
        out += 1
    for t in range(taken):
        s.marked[s.absent[t]] = False
    counters[ABSENT] = out
    return sound


@compiled
def _draw_base(f: Figures, d: Days, s: Scratch, v: int) -> tuple[int, int]:
    """Return the position of a random base of the day of `v`, and the rounds before it."""
    wanted, passed = int(draw(s.random) * (d.trips[v] + 1)), 0
    for p in range(d.size[v]):
        if d.stops[v, p] >= len(f.early):
            if passed == wanted:
                return p, passed
            passed += 1
    return d.size[v] - 1, d.trips[v]


@compiled
def _swap_rests(
    one: IntArray | FloatArray,
    length: int,
    other: IntArray | FloatArray,
    other_length: int,
    spare: IntArray | FloatArray,
) -> None:
    """Exchange the first `length` entries of one row and the first `other_length` of another."""
    for step in range(length):
        spare[step] = one[step]
    for step in range(other_length):
        one[step] = other[step]
    for step in range(length):
        other[step] = spare[step]


@compiled
def swap_tails(f: Figures, d: Days, s: Scratch) -> None:
    """Exchange what two random vehicles of one class do from some base of their days on, if times allow it."""
    vehicles = len(f.kind)
    v, w = int(draw(s.random) * vehicles), int(draw(s.random) * vehicles)
    if v == w or f.kind[v] != f.kind[w] or d.size[v] == 0 or d.size[w] == 0:
        return
    p, done_v = _draw_base(f, d, s, v)
    q, done_w = _draw_base(f, d, s, w)
    most = f.rounds[f.kind[v]]
    if d.arrive[v, p] > d.latest[w, q] or d.arrive[w, q] > d.latest[v, p]:
        return
    if done_v + d.trips[w] - done_w > most or done_w + d.trips[v] - done_v > most:
        return
    keep(d, s, v)
    keep(d, s, w)
    rest_v, rest_w = d.size[v] - p, d.size[w] - q
    _swap_rests(d.stops[v, p:], rest_v, d.stops[w, q:], rest_w, s.spare)
    _swap_rests(d.drive[v, p:], rest_v, d.drive[w, q:], rest_w, s.spare)
    _swap_rests(d.way[v, p:], rest_v, d.way[w, q:], rest_w, s.spare_way)
    d.size[v], d.size[w] = p + rest_w, q + rest_v
    for x in (v, w):
        if d.size[x] <= 1:
            d.size[x] = 0
        refresh(f, d, x)
