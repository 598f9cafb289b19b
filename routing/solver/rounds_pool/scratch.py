"""Working space of the string removals, their generator of random numbers, and the days saved in a move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from routing.solver.machine_code import compiled, woven
from routing.solver.rounds_pool.day_rows import BoolArray, Days, Figures, FloatArray, IntArray, refresh

StateArray = npt.NDArray[np.uint64]


class Scratch(NamedTuple):
    """Working space of the search: clients taken out, saved days, stamps of what was looked at, the generator."""

    marked: BoolArray
    absent: IntArray
    keys: FloatArray
    seen: IntArray
    stops: IntArray
    size: IntArray
    way: FloatArray
    drive: IntArray
    stamp: IntArray
    log: IntArray
    worth: FloatArray
    left: IntArray
    spare: IntArray
    spare_way: FloatArray
    counters: IntArray
    """Token of the last look, clients absent in this move, days saved in it, its number, how many are `left` out."""
    random: StateArray


TOKEN, ABSENT, SAVED, MOVE, LEFT = range(5)


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
        way=np.zeros(days.stops.shape),
        drive=np.zeros(days.stops.shape, np.int64),
        stamp=np.zeros(vehicles, np.int64),
        log=np.zeros(vehicles, np.int64),
        worth=np.zeros(vehicles),
        left=np.zeros(n, np.int64),
        spare=np.zeros(days.stops.shape[1], np.int64),
        spare_way=np.zeros(days.stops.shape[1]),
        counters=np.zeros(5, np.int64),
        random=np.array([seed], dtype=np.uint64),
    )


@woven
def draw(state: StateArray) -> float:
    """Return a number in [0, 1) by the generator xorshift64* (Vigna 2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def keep(d: Days, s: Scratch, v: int) -> None:
    """Save the day of `v` before its first change in this move."""
    if s.stamp[v] != s.counters[MOVE]:
        s.stamp[v] = s.counters[MOVE]
        s.log[s.counters[SAVED]] = v
        s.worth[v] = d.worth[v]
        s.counters[SAVED] += 1
        s.size[v] = d.size[v]
        for p in range(d.size[v]):
            s.stops[v, p], s.way[v, p], s.drive[v, p] = d.stops[v, p], d.way[v, p], d.drive[v, p]


@compiled
def restore(f: Figures, d: Days, s: Scratch, v: int) -> None:
    """Set the day of `v` to what it was before this move."""
    d.size[v] = s.size[v]
    for p in range(s.size[v]):
        d.stops[v, p], d.way[v, p], d.drive[v, p] = s.stops[v, p], s.way[v, p], s.drive[v, p]
    refresh(f, d, v)
