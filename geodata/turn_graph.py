"""TurnGraph: the usable edges as a plain graph in which every walk keeps the turn restrictions.

Only where a turn is forbidden does the way one came matter. There, each edge that begins a forbidden run leads to a
node of its own (a *state* of `geodata.turns.TurnRules`), from which only the allowed edges leave. Everything that works
on plain graphs, contraction and hierarchy included, so keeps the restrictions without knowing of them.

Turning round. A vehicle turns round at a junction or at the end of a road, not on the open road (a node with exactly
two neighbours). Without restrictions no fastest way ever turns round, so that nothing has to be said. After a forbidden
turn one could drive past, turn round and come back: on the open road that leads away from such a place, up to the next
junction or end, turning round is therefore forbidden too. Farther away it never pays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from geodata.profiles import EdgeCosts
from geodata.streets import BoolArray, IntArray, StreetNetwork
from geodata.turns import Run, TurnRules


@dataclass(frozen=True)
class TurnGraph:
    """Arcs between the n network nodes, states of restricted junctions, and ends of ways at such junctions.

    Parameters
    ----------
    place
        Network node of each graph node; the first n are the network's own nodes.
    tail, head
        Graph nodes of each arc.
    edge
        Network edge of each arc; -1 for the arcs of no length that lead into an end.
    end_of
        Where ways to a node end, for wanted nodes with states; all others end at the node itself.
    """

    place: IntArray
    tail: IntArray
    head: IntArray
    edge: IntArray
    end_of: dict[int, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of graph nodes."""
        return int(self.place.size)

    def ends(self, nodes: IntArray) -> IntArray:
        """Return the graph nodes at which ways to network nodes end, shape as given."""
        return np.array([self.end_of.get(node, node) for node in nodes.tolist()], dtype=np.int64)


def neighbour_counts(tail: IntArray, head: IntArray, n: int) -> IntArray:
    """Return how many different nodes each node is tied to, in either direction, shape (n,)."""
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    pairs = np.sort(low * n + high)  # many times quicker than np.unique, which hashes
    pairs = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])] if pairs.size else pairs
    return np.bincount(pairs // n, minlength=n) + np.bincount(pairs % n, minlength=n)


def build_turn_graph(network: StreetNetwork, costs: EdgeCosts, wanted: Iterable[int] = ()) -> TurnGraph:
    """Return the graph of the edges usable at some costs.

    Parameters
    ----------
    wanted
        Network nodes at which ways shall end.
    """
    n = network.n_nodes
    usable = np.isfinite(costs.duration_s)
    edges = np.flatnonzero(usable).astype(np.int64)
    tail, head = network.edge_from[edges], network.edge_to[edges]
    bans = frozenset(run for run in costs.turns.bans if usable[list(run)].all())
    if not bans:
        return TurnGraph(np.arange(n, dtype=np.int64), tail, head, edges)
    around = _open_road(network, edges, bans)
    rules = TurnRules(bans, frozenset((edge,) for edge in edges[around[head]].tolist()))
    states = sorted(rules.states)
    number = {state: n + k for k, state in enumerate(states)}
    number[()] = -1
    head = head.copy()
    singles = [state[0] for state in states if len(state) == 1]
    head[np.searchsorted(edges, singles)] = [number[edge,] for edge in singles]

    arcs: list[tuple[int, int, int]] = []
    for state in states:
        last = state[-1]
        node, before = int(network.edge_to[last]), int(network.edge_from[last])
        for edge in range(int(network.first_edge[node]), int(network.first_edge[node + 1])):
            following = int(network.edge_to[edge])
            if not usable[edge] or (around[node] and following == before):
                continue
            after = rules.advance(state, edge)
            if after is not None:
                arcs.append((number[state], number[after] if after else following, edge))
    at = network.edge_to[[state[-1] for state in states]]
    wanted_here = np.intersect1d(np.fromiter(wanted, dtype=np.int64), at)
    end_of = {node: n + len(states) + k for k, node in enumerate(wanted_here.tolist())}
    arcs += [(node, end, -1) for node, end in end_of.items()]
    arcs += [(n + k, end_of[node], -1) for k, node in enumerate(at.tolist()) if node in end_of]
    more = np.array(arcs, dtype=np.int64).reshape(-1, 3)
    return TurnGraph(
        place=np.concatenate([np.arange(n), at, wanted_here]).astype(np.int64),
        tail=np.concatenate([tail, more[:, 0]]),
        head=np.concatenate([head, more[:, 1]]),
        edge=np.concatenate([edges, more[:, 2]]),
        end_of=end_of,
    )


def _open_road(network: StreetNetwork, edges: IntArray, bans: frozenset[Run]) -> BoolArray:
    """Return the nodes with two neighbours at which bans hold or to which roads lead from there, shape (n,)."""
    n = network.n_nodes
    open_road = neighbour_counts(network.edge_from[edges], network.edge_to[edges], n) == 2
    frontier = np.unique(network.edge_to[[edge for run in bans for edge in run[:-1]]])
    reached = np.zeros(n, dtype=np.bool_)
    usable = np.zeros(network.n_edges, dtype=np.bool_)
    usable[edges] = True
    while frontier.size:
        reached[frontier] = True
        first, count = network.first_edge[frontier], np.diff(network.first_edge)[frontier]
        leaving = np.repeat(first - np.cumsum(count) + count, count) + np.arange(int(count.sum()))
        heads = np.unique(network.edge_to[leaving[usable[leaving]]])
        frontier = heads[open_road[heads] & ~reached[heads]]
    return np.asarray(reached & open_road, dtype=np.bool_)
