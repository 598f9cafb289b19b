"""ContractedGraph: the usable street graph without the nodes no fastest path between chosen nodes turns at.

The graph contracted is the one in which every walk keeps the turn restrictions (`geodata.turn_graph`), so that nodes
are those of the network and, at restricted junctions, states.

Most street nodes only shape a line. Such chain nodes are folded into arcs, dead ends are dropped, and of parallel arcs
the fastest stays, until nothing changes. Fastest paths between the kept nodes stay what they are, and each arc knows
the edges it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.location import FloatArray
from geodata.profiles import EdgeCosts
from geodata.streets import BoolArray, IntArray, StreetNetwork
from geodata.turn_graph import TurnGraph, build_turn_graph, neighbour_counts


@dataclass(frozen=True)
class ContractedGraph:
    """Arcs between c kept nodes; a arcs sorted by (tail, head), no two with the same ends.

    Parameters
    ----------
    turns
        The graph that was contracted.
    node
        Its nodes that were kept, shape (c,), ascending.
    tail, head
        Positions in `node`, shape (a,).
    duration_s, distance_m, energy_wh
        Sums over the arc's edges, shape (a,).
    first_piece, piece
        Arc k stands for the network edges ``piece[first_piece[k]:first_piece[k + 1]]``, in driving order.
    """

    turns: TurnGraph
    node: IntArray
    tail: IntArray
    head: IntArray
    duration_s: FloatArray
    distance_m: FloatArray
    energy_wh: FloatArray
    first_piece: IntArray
    piece: IntArray

    def starts(self, nodes: IntArray) -> IntArray:
        """Return the positions at which ways from network nodes (kept ones) begin, shape as given."""
        return np.searchsorted(self.node, nodes).astype(np.int64)

    def ends(self, nodes: IntArray) -> IntArray:
        """Return the positions at which ways to network nodes (kept ones) end, shape as given."""
        return np.searchsorted(self.node, self.turns.ends(nodes)).astype(np.int64)


@dataclass(frozen=True)
class _Arcs:
    """Arcs between graph nodes, sorted by (tail, head); each stands for a run of `piece`."""

    tail: IntArray
    head: IntArray
    duration_s: FloatArray
    first_piece: IntArray
    piece: IntArray

    def take(self, order: IntArray) -> _Arcs:
        """Return some of the arcs, in the order given."""
        first, piece = _gather(self.first_piece, self.piece, order)
        return _Arcs(self.tail[order], self.head[order], self.duration_s[order], first, piece)


def contract(network: StreetNetwork, costs: EdgeCosts, keep: IntArray) -> ContractedGraph:
    """Return the graph of usable edges with all but the nodes `keep` and real junctions contracted.

    Parameters
    ----------
    keep
        Network indices of the nodes that must stay; duplicates do not matter.
    """
    graph = build_turn_graph(network, costs, keep.tolist())
    keep = np.unique(np.concatenate([keep, graph.ends(keep)]))
    kept = np.zeros(graph.size, dtype=np.bool_)
    kept[keep] = True
    driven = graph.edge >= 0
    first_piece = np.concatenate([[0], np.cumsum(driven)]).astype(np.int64)
    duration = np.where(driven, costs.duration_s[graph.edge], 0.0)
    arcs = _fastest(_Arcs(graph.tail, graph.head, duration, first_piece, graph.edge[driven]))
    while True:
        neighbours = neighbour_counts(arcs.tail, arcs.head, graph.size)
        chain = (neighbours == 2) & ~kept
        if chain.any():
            arcs = _fastest(_fold_chains(arcs, chain))
            neighbours = neighbour_counts(arcs.tail, arcs.head, graph.size)
        dead_end = (neighbours == 1) & ~kept
        if not dead_end.any():
            break
        arcs = arcs.take(np.flatnonzero(~(dead_end[arcs.tail] | dead_end[arcs.head])))
    return _compact(arcs, graph, network, costs, keep)


def _fastest(arcs: _Arcs) -> _Arcs:
    """Return the arcs sorted by (tail, head), of parallel ones only the fastest (the first of equals), no loops."""
    order = np.lexsort((arcs.duration_s, arcs.head, arcs.tail))
    tail, head = arcs.tail[order], arcs.head[order]
    new = np.ones(order.size, dtype=np.bool_)
    new[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    return arcs.take(order[new & (tail != head)])


def _fold_chains(arcs: _Arcs, chain: BoolArray) -> _Arcs:
    """Return the arcs with every run through chain nodes made one arc; runs that end nowhere are dropped."""
    after = _successors(arcs, chain)
    current = np.flatnonzero(~chain[arcs.tail])
    run = np.arange(current.size)
    steps_run, steps_arc = [], []
    last = current.copy()
    while current.size:
        steps_run.append(run)
        steps_arc.append(current)
        last[run] = current
        current = after[current]
        going = current >= 0
        current, run = current[going], run[going]
    runs, members = np.concatenate(steps_run), np.concatenate(steps_arc)
    duration = np.bincount(runs, weights=arcs.duration_s[members], minlength=last.size)
    whole = ~chain[arcs.head[last]]
    members = members[np.argsort(runs, kind="stable")]
    counts = np.bincount(runs, minlength=last.size)
    ends = np.cumsum(counts)
    first_piece, piece = _gather(arcs.first_piece, arcs.piece, members)
    folded = _Arcs(
        tail=arcs.tail[members[ends - counts]],
        head=arcs.head[last],
        duration_s=duration.astype(np.float64),
        first_piece=first_piece[np.concatenate([[0], ends])],
        piece=piece,
    )
    return folded.take(np.flatnonzero(whole))


def _successors(arcs: _Arcs, chain: BoolArray) -> IntArray:
    """Return the arc that goes on from each arc through its chain head; -1 where its head is no chain or a dead end."""
    first = np.searchsorted(arcs.tail, arcs.head)
    after = np.full(arcs.tail.size, -1, dtype=np.int64)
    for slot in (0, 1):  # a chain node has two neighbours, so at most two arcs leave it
        candidate = np.minimum(first + slot, arcs.tail.size - 1)
        fits = chain[arcs.head] & (arcs.tail[candidate] == arcs.head) & (arcs.head[candidate] != arcs.tail)
        after = np.where(fits & (after < 0), candidate, after)
    return after


def _gather(first: IntArray, values: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Return offsets and values of the runs named by `order`, one after the other."""
    counts = (first[1:] - first[:-1])[order]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    index = np.repeat(first[order] - offsets[:-1], counts) + np.arange(offsets[-1])
    return offsets, values[index]


def _compact(
    arcs: _Arcs, graph: TurnGraph, network: StreetNetwork, costs: EdgeCosts, keep: IntArray
) -> ContractedGraph:
    """Return the arcs over nodes numbered from 0, with the sums of what they stand for."""
    node = np.unique(np.concatenate([arcs.tail, arcs.head, keep])).astype(np.int64)
    owner = np.repeat(np.arange(arcs.tail.size), np.diff(arcs.first_piece))

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(owner, weights=values[arcs.piece], minlength=arcs.tail.size).astype(np.float64)

    return ContractedGraph(
        turns=graph,
        node=node,
        tail=np.searchsorted(node, arcs.tail).astype(np.int64),
        head=np.searchsorted(node, arcs.head).astype(np.int64),
        duration_s=total(costs.duration_s),
        distance_m=total(network.edge_length_m),
        energy_wh=total(costs.energy_wh),
        first_piece=arcs.first_piece,
        piece=arcs.piece,
    )
