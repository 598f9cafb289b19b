"""The relay day and a plan in the making as plain arrays: what the compiled search reads and writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

MAX_TOUR_STOPS = 6
"""Stops of a truck's tour at most."""
MAX_ROUND_STOPS = 16
"""Customers of a courier's round at most."""
FAR = 1 << 40
"""Later than any time; minus that is earlier than any."""


# Columns and layers of the arrays below. Few wide arrays, since every array costs compile time in every function.
LOAD, PENALTY, CLOSE, OPEN = 0, 1, 2, 3
COST, TIME = 0, 1
TRAVEL, FIXED, COUNT = 1, 2, 3
START = 3
TRIP, FROM, UNTIL, READY, GONE = 0, 1, 2, 3, 4
RIDE, TRUCK, STOP, ROUND = 0, 1, 2, 3
FIRST, LAST = 0, 1
STOPS = MAX_TOUR_STOPS
VISITS, OUT = MAX_ROUND_STOPS, MAX_ROUND_STOPS + 1
LATE = 3


class Facts(NamedTuple):
    """What never changes. c = customers, i = in-stops, o = out-stops, t = bus trips, x = rides.

    A ride is a bus trip from an in-stop to an out-stop. Times are the problem's, costs its minor units; whole numbers
    below 2^53, so that floats hold times exactly.
    """

    customer: Floats
    """Shape (c, 4): `LOAD`; `PENALTY`, the cost of leaving it out; `CLOSE` and `OPEN`, latest and earliest service."""
    leg: Floats
    """Shape (2, o, c + 1, c + 1): `COST` and `TIME` of couriers from row to column; index 0 is the out-stop."""
    courier: Floats
    """Shape (o, 4): `LOAD`; `TRAVEL`, the longest of a round; `FIXED` cost; `COUNT` of couriers."""
    drive: Floats
    """Shape (2, i + 1, i + 1): `COST` and `TIME` of trucks, unloading at the column included; 0 is the hub."""
    truck: Floats
    """Shape (4,): `LOAD`; `TRAVEL` (not used); `FIXED` cost; `START`, when trucks may leave."""
    ride: Floats
    """Shape (x, 5): `TRIP`; goods are unloaded `FROM` then (or wait too long) and `UNTIL` then (or miss the bus); a
    courier leaves with them from `READY` until `GONE`."""
    ride_first: Ints
    """Shape (i * o + 1,): rides from in-stop i to out-stop o begin at index i * o + o; they ascend by `READY`."""
    trip_load: Floats
    """Shape (t,): room of each trip."""
    outs: Ints
    """Shape (c, most out-stops of a customer): those whose couriers reach it, nearest first, padded with -1."""
    near: Ints
    """Shape (c, c): for each customer all customers, the most alike first."""


class Draft(NamedTuple):
    """A plan in the making: k trucks, r rounds (as many as customers)."""

    who: Ints
    """Shape (c, 4): each customer's `RIDE`, `TRUCK`, `STOP` (in-stop) and `ROUND`; -1: none."""
    trip_load: Floats
    """Shape (t,): load of each trip."""
    tour: Ints
    """Shape (k, MAX_TOUR_STOPS + 1): in-stops in order; their number in column `STOPS`."""
    tour_time: Floats
    """Shape (k, MAX_TOUR_STOPS, 2): goods are unloaded at each stop between `FIRST` and `LAST`."""
    tour_load: Floats
    """Shape (k,)."""
    visit: Ints
    """Shape (r, MAX_ROUND_STOPS + 2): customers in order; their number in column `VISITS`, the out-stop in `OUT`."""
    round_time: Floats
    """Shape (r, 4): `LOAD`; the courier leaves between `FROM` and `UNTIL`, as its goods ask, and not after `LATE`."""
    cost: Floats
    """Shape (1,)."""


Scratch = tuple[Ints, Ints, Floats]
"""Three arrays of shape (c,): who is out, in which order they come in again, and the keys of that order."""


def empty_scratch(facts: Facts) -> Scratch:
    """Return room for one move."""
    n = len(facts.customer)
    return np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n)


def empty_draft(facts: Facts, trucks: int) -> Draft:
    """Return the plan that serves nobody."""
    n = len(facts.customer)
    draft = Draft(
        who=np.full((n, 4), -1, dtype=np.int64),
        trip_load=np.zeros(len(facts.trip_load)),
        tour=np.full((trucks, MAX_TOUR_STOPS + 1), -1, dtype=np.int64),
        tour_time=np.zeros((trucks, MAX_TOUR_STOPS, 2)),
        tour_load=np.zeros(trucks),
        visit=np.full((n, MAX_ROUND_STOPS + 2), -1, dtype=np.int64),
        round_time=np.zeros((n, 4)),
        cost=np.array([facts.customer[:, PENALTY].sum()]),
    )
    draft.tour[:, STOPS] = 0
    draft.visit[:, VISITS] = 0
    return draft


def copy_draft(source: Draft, target: Draft) -> None:
    """Overwrite a plan by another."""
    for old, new in zip(target, source, strict=True):
        old[...] = new
