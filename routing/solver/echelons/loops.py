"""The innermost loops of labelling and of measuring rounds, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geodata.compiled import compiled
from routing.solver.echelons.network import FloatArray, IntArray

BUCKETS = 16
"""Time steps of the table of completions, within each order's window."""
NEVER = 1.0e18
MarkArray = npt.NDArray[np.uint64]


class Ways(NamedTuple):
    """The graph of one fleet under given rewards. Index 0 is the base, 1 to n the orders."""

    duration_s: IntArray
    """From the start of service at i to the arrival at j, shape (n+1, n+1)."""
    money: FloatArray
    """Reduced cost of each arc, shape (n+1, n+1)."""
    opens_s: IntArray
    closes_s: IntArray
    step_s: IntArray
    """Length of a time step of the table of completions, by index."""
    demand_kg: FloatArray
    units: IntArray
    """Whole units of each demand for the table of completions, at least 1 (base 0)."""
    capacity_units: int
    capacity_kg: float


class Labels(NamedTuple):
    """Partial rounds of one length, q of them."""

    last: IntArray
    time_s: IntArray
    """Earliest start of service at the last order."""
    money: FloatArray
    load_kg: FloatArray
    room: IntArray
    """Units left."""
    mark: MarkArray
    """Exclusive or of the numbers of the orders."""
    row: IntArray
    """Orders in sequence, shape (q, length)."""


class Steps(NamedTuple):
    """Labels grown by one order: which label, the order, and time, money and least reduced cost when it is added."""

    label: IntArray
    order: IntArray
    time_s: IntArray
    money: FloatArray
    bound: FloatArray


@compiled
def completions(ways: Ways) -> FloatArray:
    """Return the least reduced cost from (order, time step, units left) back to the base, orders free to repeat."""
    n = len(ways.opens_s)
    table = np.full((n, BUCKETS, ways.capacity_units + 1), NEVER)
    for left in range(ways.capacity_units + 1):
        for here in range(1, n):
            for step in range(BUCKETS):
                now = ways.opens_s[here] + step * ways.step_s[here]
                if now > ways.closes_s[here]:
                    break
                best = NEVER
                if now + ways.duration_s[here, 0] <= ways.closes_s[0]:
                    best = ways.money[here, 0]
                for there in range(1, n):
                    rest = left - ways.units[there]
                    if rest < 0 or there == here:
                        continue
                    then = max(ways.opens_s[there], now + ways.duration_s[here, there])
                    if then <= ways.closes_s[there]:
                        bucket = (then - ways.opens_s[there]) // ways.step_s[there]
                        best = min(best, ways.money[here, there] + table[there, bucket, rest])
                table[here, step, left] = best
    return table


@compiled
def extensions(ways: Ways, labels: Labels, completion: FloatArray, threshold: float) -> Steps:
    """Return all ways to grow the labels by an order that may still lead below the threshold."""
    n, length = len(ways.opens_s), labels.row.shape[1]
    space, count = 1024, 0
    ints, floats = np.empty((3, space), dtype=np.int64), np.empty((2, space))
    for label in range(len(labels.last)):
        here = labels.last[label]
        for there in range(1, n):
            room = labels.room[label] - ways.units[there]
            if room < 0 or labels.load_kg[label] + ways.demand_kg[there] > ways.capacity_kg + 1e-9:
                continue
            then = max(ways.opens_s[there], labels.time_s[label] + ways.duration_s[here, there])
            if then > ways.closes_s[there]:
                continue
            money = labels.money[label] + ways.money[here, there]
            bound = money + completion[there, (then - ways.opens_s[there]) // ways.step_s[there], room]
            if bound >= threshold:
                continue
            seen = False
            for k in range(length):
                seen = seen or labels.row[label, k] == there
            if seen:
                continue
            if count == space:
                ints = np.concatenate((ints, np.empty((3, space), dtype=np.int64)), axis=1)
                floats = np.concatenate((floats, np.empty((2, space))), axis=1)
                space *= 2
            ints[0, count], ints[1, count], ints[2, count] = label, there, then
            floats[0, count], floats[1, count] = money, bound
            count += 1
    return Steps(ints[0, :count], ints[1, :count], ints[2, :count], floats[0, :count], floats[1, :count])


@compiled
def distinct(order: IntArray, time_s: IntArray, money: FloatArray, mark: MarkArray, most: int) -> tuple[IntArray, bool]:
    """Return the first `most` labels, but none that another one before it with the same orders and end is as good as.

    The second value tells whether that was all. `mark` stands for the set of orders.
    """
    slots_count = 16
    while slots_count < 2 * min(most, len(order)) + 2:
        slots_count *= 2
    slots = np.full(slots_count, -1, dtype=np.int64)
    kept, count = np.empty(min(most, len(order)), dtype=np.int64), 0
    for label in range(len(order)):
        at = np.int64((mark[label] ^ (np.uint64(order[label]) << np.uint64(7))) & np.uint64(slots_count - 1))
        needless = False
        while slots[at] >= 0 and not needless:
            other = slots[at]
            same = mark[other] == mark[label] and order[other] == order[label]
            needless = same and time_s[other] <= time_s[label] and money[other] <= money[label] + 1e-9
            at = (at + 1) & (slots_count - 1)
        if needless:
            continue
        if count == len(kept):
            return kept, False
        slots[at] = label
        kept[count] = label
        count += 1
    return kept[:count], True


class Doors(NamedTuple):
    """What times and money of rounds hang on: the fleet's matrices (base first) and the orders' windows and service."""

    duration_s: IntArray
    cost: FloatArray
    opens_s: IntArray
    closes_s: IntArray
    service_s: IntArray
    shift_start_s: int
    shift_end_s: int
    cost_per_s: float


@compiled
def latest_departures(doors: Doors, sequences: IntArray) -> IntArray:
    """Return per row of orders (padded with -1) the latest departure that keeps all windows, -1 where none does."""
    latest = np.full(len(sequences), -1, dtype=np.int64)
    for row in range(len(sequences)):
        by, there, possible = doors.shift_end_s, 0, True
        for k in range(sequences.shape[1] - 1, -1, -1):
            order = sequences[row, k]
            if order < 0:
                continue
            by = min(doors.closes_s[order], by - doors.duration_s[order + 1, there] - doors.service_s[order])
            possible = possible and by >= doors.opens_s[order]
            there = order + 1
        by -= doors.duration_s[0, there]
        if possible and by >= doors.shift_start_s:
            latest[row] = by
    return latest


@compiled
def moneys(doors: Doors, sequences: IntArray, departure_s: IntArray) -> FloatArray:
    """Return per row of orders the money of its arcs, and of the time it spends at doors, waiting included."""
    found = np.zeros(len(sequences))
    for row in range(len(sequences)):
        now, here, travel_s = departure_s[row], 0, 0
        for k in range(sequences.shape[1]):
            order = sequences[row, k]
            if order < 0:
                break
            travel_s += doors.duration_s[here, order + 1]
            now = max(now + doors.duration_s[here, order + 1], doors.opens_s[order]) + doors.service_s[order]
            found[row] += doors.cost[here, order + 1]
            here = order + 1
        found[row] += doors.cost[here, 0] + (now - departure_s[row] - travel_s) * doors.cost_per_s
    return found
