"""Hierarchy: fastest ways between many nodes of a contracted graph, with metres and watt-hours along them.

Nodes are eliminated one by one, those with the fewest neighbours first; where the fastest way between two neighbours
led through the eliminated node, a shortcut arc takes its place. Every fastest way then first climbs and then descends
in the order of elimination. Two sweeps over the nodes, each step vectorised over all targets, give the tables: up the
order for the ways that only descend, down the order for all. (Contraction hierarchies: Geisberger et al. 2008; the
sweep: Delling et al., PHAST, 2011; no witness search, as in customizable hierarchies, Dibbelt et al. 2016.)
Road networks of mountain counties are close to trees, so that few shortcuts arise: Andorra's 48,000 drivable nodes
with 2,000 places contract to 4,000 nodes, and the table takes less time than one search per place.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from geodata.contraction import ContractedGraph
from geodata.hierarchy_loops import pull_arcs, pull_sums
from geodata.location import FloatArray
from geodata.streets import BoolArray, IntArray

TIE_S = 1e-9
"""A way must be faster by more than this to replace another: rounding noise decides nothing."""
TABLE_CELLS = 8_000_000
"""Nodes times targets swept at once; bounds the memory of a sweep to about 300 MB."""


class ArcLists(NamedTuple):
    """Some arcs of each node: those of node k stand at ``first[k]`` up to but without ``first[k + 1]`` of `arc`."""

    first: IntArray
    arc: IntArray


@dataclass(frozen=True)
class Hierarchy:
    """A contracted graph with shortcuts; c nodes, b arcs of which the first are the graph's own.

    Parameters
    ----------
    graph
        What it was made from.
    head, duration_s, distance_m, energy_wh
        Head (position) and sums of each arc, shape (b,).
    parts
        The two arcs a shortcut stands for, shape (b, 2); -1 for the graph's own arcs.
    order
        Positions in the order of elimination, shape (c,).
    climbing, falling
        Arcs from each node to nodes eliminated later, and to nodes eliminated earlier.
    """

    graph: ContractedGraph
    head: IntArray
    duration_s: FloatArray
    distance_m: FloatArray
    energy_wh: FloatArray
    parts: IntArray
    order: IntArray
    climbing: ArcLists
    falling: ArcLists

    def edges_of(self, arc: int) -> IntArray:
        """Return the network edges an arc stands for, in driving order."""
        pieces, waiting = [], [arc]
        while waiting:
            top = waiting.pop()
            first, second = (int(part) for part in self.parts[top])
            if first < 0:
                pieces.append(self.graph.piece[self.graph.first_piece[top] : self.graph.first_piece[top + 1]])
            else:
                waiting += [second, first]
        return np.concatenate(pieces)


@dataclass(frozen=True)
class Table:
    """Ways from every node to some targets; arrays of shape (c, t).

    `duration_s` is inf where there is no way, and the other sums 0. `arc` is the first arc of the way, -1 at the target
    and where there is none. With arcs, metres and watt-hours are not summed up and have the shape (0, 0).
    """

    duration_s: FloatArray
    distance_m: FloatArray
    energy_wh: FloatArray
    arc: IntArray | None


class _Elimination:
    """The graph while nodes are eliminated: arcs so far, and the arcs between the nodes that are left."""

    def __init__(self, graph: ContractedGraph) -> None:
        count = graph.node.size
        self.tail: list[int] = graph.tail.tolist()
        self.head: list[int] = graph.head.tolist()
        self.duration: list[float] = graph.duration_s.tolist()
        self.parts: list[tuple[int, int]] = [(-1, -1)] * len(self.tail)
        self.out: list[dict[int, int]] = [{} for _ in range(count)]
        self.into: list[dict[int, int]] = [{} for _ in range(count)]
        for arc, (tail, head) in enumerate(zip(self.tail, self.head, strict=True)):
            self.out[tail][head] = arc
            self.into[head][tail] = arc

    def degree(self, node: int) -> int:
        """Return how many nodes that are left a node is tied to."""
        return len(self.out[node].keys() | self.into[node].keys())

    def remove(self, node: int) -> None:
        """Take a node out, leaving shortcuts where its neighbours' fastest ways led through it."""
        for tail, first in self.into[node].items():
            for head, second in self.out[node].items():
                if tail != head:
                    self._offer(tail, head, first, second)
        for tail in self.into[node]:
            del self.out[tail][node]
        for head in self.out[node]:
            del self.into[head][node]

    def _offer(self, tail: int, head: int, first: int, second: int) -> None:
        duration = self.duration[first] + self.duration[second]
        known = self.out[tail].get(head)
        if known is not None and duration >= self.duration[known] - TIE_S:
            return
        arc = len(self.tail)
        self.tail.append(tail)
        self.head.append(head)
        self.duration.append(duration)
        self.parts.append((first, second))
        self.out[tail][head] = arc
        self.into[head][tail] = arc


def build_hierarchy(graph: ContractedGraph) -> Hierarchy:
    """Return the hierarchy of a contracted graph; the same graph gives the same hierarchy."""
    count = graph.node.size
    state = _Elimination(graph)
    degree = [state.degree(node) for node in range(count)]
    heap = [(degree[node], node) for node in range(count)]
    heapq.heapify(heap)
    order: list[int] = []
    climbing: list[list[int]] = [[] for _ in range(count)]
    falling: list[list[int]] = [[] for _ in range(count)]
    done = [False] * count
    while heap:
        known, node = heapq.heappop(heap)
        if done[node] or known != degree[node]:
            continue
        done[node] = True
        order.append(node)
        climbing[node] = list(state.out[node].values())
        for tail, arc in state.into[node].items():
            falling[tail].append(arc)
        neighbours = sorted(state.out[node].keys() | state.into[node].keys())
        state.remove(node)
        for other in neighbours:
            degree[other] = state.degree(other)
            heapq.heappush(heap, (degree[other], other))
    distance, energy = _sums(graph, state.parts)
    return Hierarchy(
        graph=graph,
        head=np.array(state.head, dtype=np.int64),
        duration_s=np.array(state.duration, dtype=np.float64),
        distance_m=distance,
        energy_wh=energy,
        parts=np.array(state.parts, dtype=np.int64).reshape(-1, 2),
        order=np.array(order, dtype=np.int64),
        climbing=_listed(climbing),
        falling=_listed(falling),
    )


def _sums(graph: ContractedGraph, parts: Sequence[tuple[int, int]]) -> tuple[FloatArray, FloatArray]:
    """Return metres and watt-hours of all arcs; a shortcut's parts are made before it."""
    distance, energy = graph.distance_m.tolist(), graph.energy_wh.tolist()
    for first, second in parts[len(distance) :]:
        distance.append(distance[first] + distance[second])
        energy.append(energy[first] + energy[second])
    return np.array(distance, dtype=np.float64), np.array(energy, dtype=np.float64)


def _listed(arcs: Sequence[Sequence[int]]) -> ArcLists:
    """Return lists of arcs laid end to end."""
    first = np.concatenate([[0], np.cumsum([len(some) for some in arcs])]).astype(np.int64)
    return ArcLists(first, np.array([arc for some in arcs for arc in some], dtype=np.int64))


def sweep(hierarchy: Hierarchy, targets: IntArray, *, with_arcs: bool = False) -> Table:
    """Return the fastest ways from every node to the targets (positions in the graph, shape (t,))."""
    shape = (hierarchy.order.size, targets.size)
    table = Table(
        duration_s=np.full(shape, np.inf),
        distance_m=np.zeros((0, 0) if with_arcs else shape),
        energy_wh=np.zeros((0, 0) if with_arcs else shape),
        arc=np.full(shape, -1, dtype=np.int64) if with_arcs else None,
    )
    table.duration_s[targets, np.arange(targets.size)] = 0.0
    above_target = np.zeros(hierarchy.order.size, dtype=np.bool_)
    above_target[targets] = True
    everywhere = np.ones(hierarchy.order.size, dtype=np.bool_)
    _pull(hierarchy, table, hierarchy.order, hierarchy.falling, above_target)
    _pull(hierarchy, table, np.ascontiguousarray(hierarchy.order[::-1]), hierarchy.climbing, everywhere)
    return table


def _pull(hierarchy: Hierarchy, table: Table, order: IntArray, arcs: ArcLists, above: BoolArray) -> None:
    """Let the ways of nodes, one after the other, go over some of their arcs where that is faster."""
    known = (*arcs, hierarchy.head, hierarchy.duration_s)
    if table.arc is not None:
        pull_arcs(order, known, above, TIE_S, table.duration_s, table.arc)
    else:
        sums = (table.duration_s, table.distance_m, table.energy_wh)
        pull_sums(order, known, above, TIE_S, sums, (hierarchy.distance_m, hierarchy.energy_wh))
