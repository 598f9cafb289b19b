"""How fast and how right the travel matrix of an area is: what ``shanlu bench matrix`` measures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from geodata.location import FloatArray
from geodata.matrix import TravelMatrix
from geodata.osm import read_street_network
from geodata.profiles import EdgeCosts, edge_costs, load_profiles
from geodata.street_matrix import Snap, compute_matrix, strong_parts
from geodata.street_shape import ElevationModel
from geodata.streets import IntArray, StreetNetwork
from geodata.terrain import read_terrain
from geodata.turn_graph import build_turn_graph

REFERENCE_SOURCES = 100
"""Sources whose rows are compared with Dijkstra by default."""


@dataclass(frozen=True, slots=True)
class MatrixBench:
    """Figures of one run; `to_dict` gives them ready for JSON.

    Parameters
    ----------
    nodes, edges, turn_bans
        Size of the street network; forbidden runs of edges that bind the profile.
    part_nodes
        Nodes of the largest part in which every node reaches every other; the points are drawn from it.
    build_s
        Wall seconds from the files to the costs of the profile's edges.
    query_wall_s, query_cpu_s
        From those to the matrix of seconds, metres and watt-hours: contraction, hierarchy and sweep.
    unreachable
        Pairs without a way.
    largest_difference_s
        From scipy's Dijkstra on the same graph, not contracted, before rounding up, over all pairs from
        `reference_sources` of the points.
    """

    area: str
    profile: str
    points: int
    seed: int
    nodes: int
    edges: int
    turn_bans: int
    part_nodes: int
    build_s: float
    query_wall_s: float
    query_cpu_s: float
    unreachable: int
    reference_sources: int
    largest_difference_s: float

    def to_dict(self) -> dict[str, object]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _SeaLevel:
    """Terrain of an area no tiles are given for."""

    def elevation_m(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        """Return 0 at every point."""
        return 0.0 * (np.asarray(lon) + np.asarray(lat))


def bench_matrix(
    extract: Path,
    points: int,
    seed: int = 1,
    *,
    terrain: Sequence[Path] = (),
    profile_id: str = "van_diesel",
    reference_sources: int = REFERENCE_SOURCES,
) -> MatrixBench:
    """Read an OSM extract and measure the matrix between random nodes of its largest part.

    Parameters
    ----------
    terrain
        Elevation tiles; without any, all roads are level (times are then too short, the work is the same).

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    start = time.perf_counter()
    ground: ElevationModel = read_terrain(terrain) if terrain else _SeaLevel()
    network = read_street_network(extract, ground)
    return bench_network(
        network,
        extract.name,
        points,
        seed,
        profile_id=profile_id,
        reference_sources=reference_sources,
        begun_s=start,
    )


def bench_network(
    network: StreetNetwork,
    area: str,
    points: int,
    seed: int = 1,
    *,
    profile_id: str = "van_diesel",
    reference_sources: int = REFERENCE_SOURCES,
    nodes: IntArray | None = None,
    begun_s: float | None = None,
) -> MatrixBench:
    """Measure the matrix between random nodes of a network's largest part.

    Parameters
    ----------
    points
        How many; all of the part where it has fewer.
    nodes
        Network indices of the points, to compare with others on the same; None: drawn at random.
    begun_s
        `time.perf_counter` when building began; None: now.
    """
    begun = time.perf_counter() if begun_s is None else begun_s
    costs = edge_costs(network, load_profiles()[profile_id])
    build_s = time.perf_counter() - begun
    part = strong_parts(network, costs)
    members = np.flatnonzero(part == int(np.bincount(part).argmax()))
    if nodes is None:
        nodes = np.random.default_rng(seed).choice(members, min(points, members.size), replace=False).astype(np.int64)
    places = Snap(nodes, np.zeros(nodes.size), np.zeros(nodes.size))
    wall, cpu = time.perf_counter(), time.process_time()
    matrix = compute_matrix(network, costs, profile_id, [str(k) for k in range(nodes.size)], places)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sources = min(reference_sources, nodes.size)
    return MatrixBench(
        area=area,
        profile=profile_id,
        points=int(nodes.size),
        seed=seed,
        nodes=network.n_nodes,
        edges=network.n_edges,
        turn_bans=len(costs.turns.bans),
        part_nodes=int(members.size),
        build_s=round(build_s, 3),
        query_wall_s=round(wall, 3),
        query_cpu_s=round(cpu, 3),
        unreachable=int((~matrix.reachable).sum()),
        reference_sources=sources,
        largest_difference_s=round(_largest_difference_s(network, costs, nodes, matrix, sources), 6),
    )


def _largest_difference_s(
    network: StreetNetwork, costs: EdgeCosts, nodes: IntArray, matrix: TravelMatrix, sources: int
) -> float:
    """Return how far rows of the matrix lie from Dijkstra's, beyond rounding up; inf where one has no way."""
    if sources == 0:
        return 0.0
    graph = build_turn_graph(network, costs, nodes.tolist())
    seconds = np.where(graph.edge >= 0, costs.duration_s[graph.edge], 1e-12)
    # csr_matrix adds parallel arcs up: of those only the fastest goes in.
    order = np.lexsort((seconds, graph.head, graph.tail))
    tail, head = graph.tail[order], graph.head[order]
    first = np.ones(order.size, dtype=np.bool_)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    arcs = sparse.csr_matrix((seconds[order][first], (tail[first], head[first])), shape=(graph.size, graph.size))
    found = dijkstra(arcs, indices=nodes[:sources])[:, graph.ends(nodes)]
    found[np.arange(sources), np.arange(sources)] = 0.0
    reached = matrix.reachable[:sources]
    if (np.isfinite(found) != reached).any():
        return float("inf")
    rounded_up = matrix.duration_s[:sources] - np.where(reached, found, matrix.duration_s[:sources])
    beyond = np.maximum(rounded_up - 1.0, -rounded_up)
    return max(0.0, float(beyond.max()))
