"""The fastest way between two places as a chain of OSM nodes; its shape; and what a given chain of nodes costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from geodata.hierarchy import TABLE_CELLS, Hierarchy, Table, sweep
from geodata.location import FloatArray
from geodata.path_loops import indices_along
from geodata.profiles import EdgeCosts
from geodata.street_matrix import Snap, hierarchy_of, whole_seconds
from geodata.streets import IntArray, StreetNetwork
from geodata.turns import Run, TurnRules

_Sums = tuple[float, float, float]
"""Seconds, metres, watt-hours."""
_Choice = tuple[int, float, float, float]
"""An edge with its seconds, metres and watt-hours."""


@dataclass(frozen=True, slots=True)
class StreetPath:
    """The fastest way between two places; figures equal the travel matrix's entry.

    `nodes` are OSM node ids from first to last; one node where both places meet the street at the same one.
    """

    nodes: tuple[int, ...]
    distance_m: int
    duration_s: int
    energy_wh: float


@dataclass(frozen=True, slots=True)
class PathMeasure:
    """What driving a chain of OSM nodes costs, without the walk at its ends.

    `broken_at` is the first position k such that no edge leads from node k to node k + 1 (or node k is unknown),
    `forbidden_at` the first where edges do but the profile may use none, or none coming from node k - 1: a forbidden
    turn at node k. Sums are over the edges that can be used.
    """

    duration_s: float
    distance_m: float
    energy_wh: float
    broken_at: int | None
    forbidden_at: int | None


def find_paths(
    network: StreetNetwork,
    costs: EdgeCosts,
    snapped: Snap,
    pairs: Sequence[tuple[int, int]],
    hierarchy: Hierarchy | None = None,
) -> list[StreetPath | None]:
    """Return the fastest way of each pair of places, None where there is none.

    Parameters
    ----------
    snapped
        The places, as the travel matrix was computed for.
    pairs
        (from, to) as indices into `snapped`.
    hierarchy
        `hierarchy_of` the same, where the caller has it.
    """
    found: list[StreetPath | None] = [None] * len(pairs)
    tied = [k for k, (i, j) in enumerate(pairs) if snapped.node[i] >= 0 and snapped.node[j] >= 0]
    if not tied:
        return found
    hierarchy = hierarchy or hierarchy_of(network, costs, snapped)
    start_at, end_at = hierarchy.graph.starts(snapped.node), hierarchy.graph.ends(snapped.node)
    targets = np.unique(end_at[[pairs[k][1] for k in tied]])
    unpacked: dict[int, IntArray] = {}
    batch = max(1, TABLE_CELLS // hierarchy.order.size)
    for start in range(0, targets.size, batch):
        columns = targets[start : start + batch]
        table = sweep(hierarchy, columns, with_arcs=True)
        for k in tied:
            i, j = pairs[k]
            column = int(np.searchsorted(columns, end_at[j]))
            if column < columns.size and columns[column] == end_at[j]:
                edges = _edges_to(hierarchy, table, int(start_at[i]), column, unpacked)
                found[k] = None if edges is None else _path(network, costs, snapped, (i, j), edges)
    return found


def _edges_to(
    hierarchy: Hierarchy, table: Table, start: int, column: int, unpacked: dict[int, IntArray]
) -> IntArray | None:
    """Return the network edges of the way from a position to a target of the table, None if there is none.

    `unpacked` remembers what arcs stand for: many ways share the long shortcuts.
    """
    if not np.isfinite(table.duration_s[start, column]) or table.arc is None:
        return None
    edges: list[IntArray] = [np.empty(0, dtype=np.int64)]
    arc = int(table.arc[start, column])
    while arc >= 0:
        if arc not in unpacked:
            unpacked[arc] = hierarchy.edges_of(arc)
        edges.append(unpacked[arc])
        arc = int(table.arc[hierarchy.head[arc], column])
    return np.concatenate(edges)


def _path(
    network: StreetNetwork, costs: EdgeCosts, snapped: Snap, places: tuple[int, int], edges: IntArray
) -> StreetPath:
    """Return the path over some edges between two places, with figures as in the travel matrix."""
    i, j = places
    nodes = np.concatenate([[snapped.node[i]], network.edge_to[edges]]).astype(np.int64)
    seconds = costs.duration_s[edges].sum() + snapped.access_s[i] + snapped.access_s[j]
    return StreetPath(
        nodes=tuple(network.node_id[nodes].tolist()),
        distance_m=int(np.rint(network.edge_length_m[edges].sum())),
        duration_s=0 if i == j else int(whole_seconds(np.array([seconds]))[0]),
        energy_wh=float(costs.energy_wh[edges].sum()),
    )


def path_geometry(network: StreetNetwork, nodes: Sequence[int]) -> FloatArray:
    """Return lon, lat and road height of OSM nodes, shape (k, 3).

    Raises
    ------
    KeyError
        If a node is not in the network.
    """
    wanted = np.fromiter(nodes, dtype=np.int64, count=len(nodes))
    index = indices_along(wanted, network.node_id, network.first_edge, network.edge_to)
    if (index < 0).any():
        msg = f"node {int(wanted[index < 0][0])} is not in the street network"
        raise KeyError(msg)
    return np.column_stack([network.node_lon[index], network.node_lat[index], network.node_elevation_m[index]])


def fastest_edges(network: StreetNetwork, costs: EdgeCosts, nodes: Sequence[int]) -> IntArray:
    """Return the edges of a path of OSM nodes, shape (k - 1,); between parallel edges the fastest.

    Raises
    ------
    KeyError
        If two nodes that follow each other are not joined by an edge.
    """
    found = []
    for start, end in pairwise(network.node_index(nodes).tolist()):
        edges = network.edges_between(start, end) if start >= 0 and end >= 0 else range(0)
        if not edges:
            msg = f"no edge leads from node {start} to node {end}"
            raise KeyError(msg)
        found.append(min(edges, key=costs.duration_s.__getitem__))
    return np.array(found, dtype=np.int64)


def measure_path(network: StreetNetwork, costs: EdgeCosts, nodes: Sequence[int]) -> PathMeasure:
    """Walk a chain of OSM nodes edge by edge, keeping the turn restrictions.

    Between parallel edges the fastest choice the profile may make is taken. Where every choice would be a forbidden
    turn, `forbidden_at` tells the node of the turn, and the sums go on with the turn made.
    """
    index = network.node_index(nodes)
    broken: int | None = None
    forbidden: int | None = None
    # By what has to be remembered for the turns ahead: seconds, metres and watt-hours of the fastest choice so far.
    best: dict[Run, _Sums] = {(): (0.0, 0.0, 0.0)}
    for k, edges in enumerate(_choices(network, costs, index)):
        usable = [choice for choice in edges if math.isfinite(choice[1])]
        if not usable:
            if not edges:
                broken = k if broken is None else broken
            else:
                forbidden = k if forbidden is None else forbidden
            best = {(): min(best.values())}
            continue
        driven = _drive(costs.turns, best, usable)
        if not driven:
            forbidden = k if forbidden is None else forbidden
            driven = _drive(costs.turns, {(): min(best.values())}, usable)
        best = driven
    if len(index) == 1 and index[0] < 0:
        broken = 0
    return PathMeasure(*min(best.values()), broken, forbidden)


def _choices(network: StreetNetwork, costs: EdgeCosts, index: IntArray) -> Iterator[list[_Choice]]:
    """Yield the edges of each step of a chain of nodes, all looked up at once; none where a node is unknown (-1)."""
    first, stop = network.edges_between_all(index[:-1], index[1:])
    count = stop - first
    edge = np.repeat(first - np.cumsum(count) + count, count) + np.arange(int(count.sum()))
    figures = (edge, costs.duration_s[edge], network.edge_length_m[edge], costs.energy_wh[edge])
    choices = zip(*(array.tolist() for array in figures), strict=True)
    for number in count.tolist():
        yield list(islice(choices, number))


def _drive(turns: TurnRules, before: Mapping[Run, _Sums], choices: Sequence[_Choice]) -> dict[Run, _Sums]:
    """Return the fastest sums by state after one of some edges; {} where no turn onto them is allowed."""
    after: dict[Run, _Sums] = {}
    for state, (seconds, metres, watt_hours) in before.items():
        for edge, edge_s, edge_m, edge_wh in choices:
            state_then = turns.advance(state, edge)
            if state_then is None:
                continue
            sums = (seconds + edge_s, metres + edge_m, watt_hours + edge_wh)
            if state_then not in after or sums < after[state_then]:
                after[state_then] = sums
    return after
