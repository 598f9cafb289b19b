"""Places on the street network, and what it takes to go from each to each: seconds, metres, watt-hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geodata.contraction import contract
from geodata.hierarchy import TABLE_CELLS, Hierarchy, build_hierarchy, sweep
from geodata.location import FloatArray
from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.osm_tags import HIGHWAYS
from geodata.profiles import EdgeCosts, Profile
from geodata.streets import BoolArray, IntArray, StreetNetwork
from geodata.turn_graph import build_turn_graph

_LAST_MOTORWAY = HIGHWAYS.index("motorway_link")
_FERRY = HIGHWAYS.index("ferry")
SLACK_S = 1e-6
"""Rounding noise of sums of seconds that does not make a whole second more."""


@dataclass(frozen=True)
class Snap:
    """Where places meet the street network of a profile; arrays of shape (k,).

    Parameters
    ----------
    node
        Network index, -1 where no usable road is near enough.
    access_m
        Straight metres between place and node; nan where none.
    access_s
        Seconds to walk them; nan where none.
    """

    node: IntArray
    access_m: FloatArray
    access_s: FloatArray


def snap(
    network: StreetNetwork,
    costs: EdgeCosts,
    profile: Profile,
    lon: FloatArray,
    lat: FloatArray,
    part: IntArray | None = None,
) -> Snap:
    """Tie places to the nearest node the profile can both reach and leave.

    Such a node lies in a strongly connected part of the usable edges. The nearest node of the largest part within
    `max_snap_m` is taken; where there is none, the nearest node of any other part of two nodes or more, so that places
    of a valley that is cut off still reach each other. Nodes only on motorways, on ferries or inside tunnels are no
    places to stop. The last metres are walked in a straight line.

    Parameters
    ----------
    lon, lat
        Degrees, shape (k,).
    part
        `strong_parts` of the network at these costs, where the caller has it.
    """
    x_y = np.column_stack(network.frame.to_metres(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)))
    if part is None:
        part = strong_parts(network, costs)
    sizes = np.bincount(part)
    largest = part == int(sizes.argmax())
    suitable = (sizes[part] > 1) & stoppable(network, costs)
    node: IntArray = np.full(x_y.shape[0], -1, dtype=np.int64)
    access = np.full(x_y.shape[0], np.nan)
    for candidates in (largest & suitable, ~largest & suitable):
        missing = np.flatnonzero(node < 0)
        index = np.flatnonzero(candidates)
        if missing.size == 0 or index.size == 0:
            continue
        found, place = cKDTree(network.node_xy_m[index]).query(x_y[missing])
        distance, nearest = np.asarray(found, dtype=np.float64), np.asarray(place, dtype=np.int64)
        near = distance <= profile.max_snap_m
        node[missing[near]] = index[nearest[near]]
        access[missing[near]] = distance[near]
    return Snap(node, access, access / profile.access_m_s)


def strong_parts(network: StreetNetwork, costs: EdgeCosts) -> IntArray:
    """Return the strongly connected part of each node by the usable edges and allowed turns, shape (n,).

    A junction with forbidden turns has several states; it counts to the largest part one of them lies in.
    """
    turns = build_turn_graph(network, costs)
    ends = (turns.tail, turns.head)
    graph = sparse.csr_matrix((np.ones(turns.tail.size), ends), shape=(turns.size, turns.size))
    part = np.asarray(connected_components(graph, directed=True, connection="strong")[1], dtype=np.int64)
    n = network.n_nodes
    size = np.bincount(part)
    found = part[:n].copy()
    for state in range(n, turns.size):
        node = int(turns.place[state])
        if size[part[state]] > size[found[node]]:
            found[node] = part[state]
    return found


def stoppable(network: StreetNetwork, costs: EdgeCosts) -> BoolArray:
    """Return the nodes with a usable edge that is no motorway, no ferry and not in a tunnel, shape (n,)."""
    ordinary = np.isfinite(costs.duration_s) & ~network.edge_tunnel & (network.edge_highway > _LAST_MOTORWAY)
    ordinary &= network.edge_highway != _FERRY
    found = np.zeros(network.n_nodes, dtype=np.bool_)
    found[network.edge_from[ordinary]] = True
    found[network.edge_to[ordinary]] = True
    return found


def hierarchy_of(network: StreetNetwork, costs: EdgeCosts, snapped: Snap) -> Hierarchy:
    """Return the hierarchy in which the ways between all places are found."""
    return build_hierarchy(contract(network, costs, np.unique(snapped.node[snapped.node >= 0])))


def compute_matrix(
    network: StreetNetwork,
    costs: EdgeCosts,
    profile_key: str,
    ids: Sequence[str],
    snapped: Snap,
    hierarchy: Hierarchy | None = None,
) -> TravelMatrix:
    """Return seconds, metres and watt-hours between all places.

    ``duration_s[i, j]`` is the walk at i, the fastest way over the streets and the walk at j, rounded up to whole
    seconds. Metres (rounded) and watt-hours are those of the street part, along that fastest way.

    Parameters
    ----------
    ids
        Place ids, one per entry of `snapped`.
    hierarchy
        `hierarchy_of` the same, where the caller has it.
    """
    size = len(ids)
    tied = np.flatnonzero(snapped.node >= 0)
    duration = np.full((size, size), UNREACHABLE_S, dtype=np.int64)
    distance = np.zeros((size, size), dtype=np.int64)
    energy = np.zeros((size, size), dtype=np.float64)
    if tied.size:
        nodes, place = np.unique(snapped.node[tied], return_inverse=True)
        seconds, metres, watt_hours = node_matrix(hierarchy or hierarchy_of(network, costs, snapped), nodes)
        walked = snapped.access_s[tied]
        total = seconds[np.ix_(place, place)] + walked[:, None] + walked[None, :]
        reached = np.isfinite(total)
        block = np.ix_(tied, tied)
        duration[block] = np.where(reached, whole_seconds(np.where(reached, total, 0.0)), UNREACHABLE_S)
        distance[block] = np.rint(metres[np.ix_(place, place)]).astype(np.int64)
        energy[block] = watt_hours[np.ix_(place, place)]
    for array in (duration, distance, energy):
        np.fill_diagonal(array, 0)
    return TravelMatrix(profile_key, tuple(ids), duration, distance, energy)


def whole_seconds(seconds: FloatArray) -> IntArray:
    """Return seconds rounded up, forgiving rounding noise."""
    return np.ceil(seconds - SLACK_S).astype(np.int64)


def node_matrix(hierarchy: Hierarchy, nodes: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return seconds (inf: no way), metres and watt-hours between kept nodes of a contracted graph.

    Parameters
    ----------
    nodes
        Network indices, shape (k,), ascending.

    Returns
    -------
    tuple
        Three arrays of shape (k, k).
    """
    starts, ends = hierarchy.graph.starts(nodes), hierarchy.graph.ends(nodes)
    shape = (nodes.size, nodes.size)
    seconds, metres, watt_hours = np.empty(shape), np.empty(shape), np.empty(shape)
    batch = max(1, TABLE_CELLS // hierarchy.order.size)
    for start in range(0, nodes.size, batch):
        columns = slice(start, start + batch)
        table = sweep(hierarchy, ends[columns])
        seconds[:, columns] = table.duration_s[starts]
        metres[:, columns] = table.distance_m[starts]
        watt_hours[:, columns] = table.energy_wh[starts]
    return seconds, metres, watt_hours
