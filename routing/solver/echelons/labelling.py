"""Van rounds of least reduced cost, by labels grown one order at a time.

For one fleet and one earliest departure the reduced cost of a round is its cost less the rewards of its orders. Labels
are partial rounds from the base; of labels with the same last order and the same orders the later and dearer one goes.
A label also goes when even the best completion cannot bring it under the threshold: completions are bounded below by
a table over (last order, time, room left), where orders may repeat. What is left is cut to a beam, by that bound;
while the beam cuts nothing, all rounds under the threshold are found: of each set of orders the cheapest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from routing.solver.echelons.loops import BUCKETS, Labels, MarkArray, Ways, completions, distinct, extensions
from routing.solver.echelons.network import Fleet, FloatArray, IntArray, Network

_EXTENSIONS, _LEAST_BEAM = 12_000_000, 100
"""Extensions of labels tried at most in one search, and the beam it always has."""
_MAX_UNITS = 64
"""Largest capacity in units of the table of completions; above it the table counts orders."""


@dataclass(frozen=True, eq=False)
class Graph:
    """The orders one fleet may bring, as the labels see them. Index 0 is the base, 1 to n the orders of `members`."""

    fleet: Fleet
    members: IntArray
    """Order of each index from 1 on, shape (n,)."""
    duration_s: IntArray
    """From the start of service at i to the arrival at j, service included, shape (n+1, n+1)."""
    cost: FloatArray
    """Money of each arc, service time included, shape (n+1, n+1)."""
    opens_s: IntArray
    closes_s: IntArray
    """Windows by index, shape (n+1,); the base's is the shift."""
    demand_kg: FloatArray
    units: IntArray
    """Whole units of each demand for the table of completions, at least 1 (base 0)."""
    capacity_units: int
    longest: int
    """Orders that fit in one van at most."""
    marks: MarkArray
    """A random number per order; a set of orders is known by the exclusive or of its members'."""


@dataclass(frozen=True, eq=False)
class Rounds:
    """Rounds found, best first: orders in sequence (rows padded with -1), reduced cost; and whether these are all."""

    sequences: IntArray
    reduced: FloatArray
    complete: bool


def graph_of(network: Network, fleet: Fleet, members: IntArray) -> Graph:
    """Return the part of a network that a fleet sees: the orders of `members` it can bring from its base and back."""
    kind = fleet.type
    there, back = fleet.duration_s[0, members + 1], fleet.duration_s[members + 1, 0]
    service = network.service_s[members] + kind.stop_s
    start = np.maximum(network.opens_s[members], kind.shift_start_s + there)
    in_time = (start <= network.closes_s[members]) & (start + service + back <= kind.shift_end_s)
    members = members[in_time & (network.demand_kg[members] <= fleet.capacity_kg)]
    cells = np.ix_(np.append(0, members + 1), np.append(0, members + 1))
    service = np.append(0, network.service_s[members] + kind.stop_s)
    demand = np.append(0.0, network.demand_kg[members])
    units, capacity_units = _units(demand[1:], fleet.capacity_kg)
    filled = np.cumsum(np.sort(demand[1:]))
    longest = int(np.searchsorted(filled, fleet.capacity_kg + 1e-9, side="right"))
    if capacity_units == 0:
        units, capacity_units = np.ones(len(members), dtype=np.int64), longest
    marks = np.random.default_rng(0).integers(1, 2**63, size=network.orders, dtype=np.int64).astype(np.uint64)
    return Graph(
        fleet=fleet,
        members=members,
        duration_s=np.ascontiguousarray(fleet.duration_s[cells] + service[:, None]),
        cost=np.ascontiguousarray(fleet.cost[cells] + service[:, None] * fleet.cost_per_s),
        opens_s=np.append(kind.shift_start_s, network.opens_s[members]).astype(np.int64),
        closes_s=np.append(kind.shift_end_s, network.closes_s[members]).astype(np.int64),
        demand_kg=demand,
        units=np.append(0, units).astype(np.int64),
        capacity_units=capacity_units,
        longest=longest,
        marks=np.append(np.zeros(1, dtype=np.uint64), marks[members]),
    )


def _units(demand_kg: FloatArray, capacity_kg: float) -> tuple[IntArray, int]:
    """Return demands and capacity in whole units where these are few; else no units."""
    whole = np.round(demand_kg).astype(np.int64)
    if len(whole) and bool(np.all(np.abs(whole - demand_kg) < 1e-9)) and bool(np.all(whole >= 1)):
        step = int(np.gcd.reduce(whole))
        if capacity_kg // step <= _MAX_UNITS:
            return whole // step, int(capacity_kg // step)
    return np.zeros(0, dtype=np.int64), 0


def find_rounds(
    graph: Graph,
    earliest_s: int,
    rewards: FloatArray,
    threshold: float,
    beam: int,
    most: int,
    stopped: Callable[[], bool] = lambda: False,
) -> Rounds:
    """Return up to `most` rounds that may leave at `earliest_s` with a reduced cost below the threshold.

    Parameters
    ----------
    graph
        The orders the fleet sees.
    earliest_s
        Earliest departure from the base.
    rewards
        Money for serving each order, shape (n + 1,); at index 0 the money for using a van at all (mostly negative).
    threshold
        Only rounds of a smaller reduced cost are wanted.
    beam
        Labels kept of each length.
    most
        Rounds returned at most, those of least reduced cost.
    stopped
        Asked after each length; once True longer rounds are not looked for.
    """
    if graph.longest == 0:
        return Rounds(np.zeros((0, 1), dtype=np.int64), np.zeros(0), complete=True)
    ways = _ways(graph, rewards)
    completion = completions(ways)
    labels = _first_label(graph, earliest_s)
    rows: list[IntArray] = []
    reduced: list[FloatArray] = []
    complete = True
    beam = min(beam, max(_LEAST_BEAM, _EXTENSIONS // (len(graph.members) * graph.longest)))
    for length in range(1, graph.longest + 1):
        if stopped():
            complete = False
            break
        labels, whole = _grown(graph, ways, labels, completion, threshold, beam)
        complete = complete and whole
        if len(labels.last) == 0:
            break
        total = labels.money + ways.money[labels.last, 0]
        home = (labels.time_s + ways.duration_s[labels.last, 0] <= ways.closes_s[0]) & (total < threshold)
        rows.append(np.pad(labels.row[home], ((0, 0), (0, graph.longest - length)), constant_values=-1))
        reduced.append(total[home])
    return _best(graph, rows, reduced, most, complete)


def _ways(graph: Graph, rewards: FloatArray) -> Ways:
    """Return the graph with reduced costs; the van's own cost and reward lie on the arcs out of the base."""
    money = graph.cost - rewards[None, :]
    money[:, 0] = graph.cost[:, 0]
    money[0, :] += graph.fleet.type.fixed_cost - rewards[0]
    step = np.maximum(1, -(-(graph.closes_s - graph.opens_s + 1) // BUCKETS))
    return Ways(
        graph.duration_s, money, graph.opens_s, graph.closes_s, step, graph.demand_kg, graph.units,
        graph.capacity_units, graph.fleet.capacity_kg,
    )  # fmt: skip


def _first_label(graph: Graph, earliest_s: int) -> Labels:
    start = max(earliest_s, int(graph.opens_s[0]))
    return Labels(
        last=np.zeros(1, dtype=np.int64),
        time_s=np.full(1, start, dtype=np.int64),
        money=np.zeros(1),
        load_kg=np.zeros(1),
        room=np.full(1, graph.capacity_units, dtype=np.int64),
        mark=np.zeros(1, dtype=np.uint64),
        row=np.zeros((1, 0), dtype=np.int64),
    )


def _grown(
    graph: Graph, ways: Ways, labels: Labels, completion: FloatArray, threshold: float, beam: int
) -> tuple[Labels, bool]:
    """Return the labels one order longer, those of the best bounds; and whether the beam cut none."""
    steps = extensions(ways, labels, completion, threshold)
    by_bound = np.argsort(steps.bound, kind="stable")
    label, order, time_s = steps.label[by_bound], steps.order[by_bound], steps.time_s[by_bound]
    money, mark = steps.money[by_bound], labels.mark[label] ^ graph.marks[order]
    kept, whole = distinct(order, time_s, money, mark, beam)
    label, order = label[kept], order[kept]
    return Labels(
        last=order,
        time_s=time_s[kept],
        money=money[kept],
        load_kg=labels.load_kg[label] + graph.demand_kg[order],
        room=labels.room[label] - graph.units[order],
        mark=mark[kept],
        row=np.concatenate((labels.row[label], order[:, None]), axis=1),
    ), bool(whole)


def _best(graph: Graph, rows: Sequence[IntArray], reduced: Sequence[FloatArray], most: int, complete: bool) -> Rounds:
    if not rows:
        return Rounds(np.zeros((0, 1), dtype=np.int64), np.zeros(0), complete)
    sequences, values = np.concatenate(rows), np.concatenate(reduced)
    best = np.argsort(values, kind="stable")[:most]
    found = sequences[best]
    named = np.where(found > 0, graph.members[np.maximum(found, 1) - 1], -1)
    return Rounds(named.astype(np.int64), values[best], complete and len(values) <= most)
