"""Travel matrices against networkx's Dijkstra on the graph as it is, nothing contracted."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from street_cases import random_network

from geodata.matrix import UNREACHABLE_S
from geodata.profiles import EdgeCosts, edge_costs, load_profiles
from geodata.street_matrix import Snap, compute_matrix
from geodata.streets import StreetNetwork

PROFILES = load_profiles()


def plain_graph(network: StreetNetwork, costs: EdgeCosts) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(network.n_nodes))
    for edge in np.flatnonzero(np.isfinite(costs.duration_s)).tolist():
        graph.add_edge(
            int(network.edge_from[edge]),
            int(network.edge_to[edge]),
            s=float(costs.duration_s[edge]),
            m=float(network.edge_length_m[edge]),
            wh=float(costs.energy_wh[edge]),
        )
    return graph


def along(graph: nx.MultiDiGraph, path: list[int], what: str) -> float:
    """Return the sum of an attribute over the fastest edges of a path."""
    total = 0.0
    for start, end in pairwise(path):
        total += min(graph[start][end].values(), key=lambda edge: edge["s"])[what]
    return total


@pytest.mark.parametrize("profile", ["van_electric", "walker"])
@pytest.mark.parametrize("seed", range(8))
def test_matrix_equals_networkx(seed: int, profile: str) -> None:
    """Tests seconds, metres and watt-hours of all pairs on random sparse networks with chains and parallel edges."""
    n_nodes = 20 + 10 * seed
    network = random_network(seed, n_nodes, int(1.1 * n_nodes))
    costs = edge_costs(network, PROFILES[profile])
    graph = plain_graph(network, costs)
    nodes = np.random.default_rng(seed).choice(n_nodes, 15, replace=False)
    places = Snap(nodes, np.zeros(15), np.zeros(15))
    matrix = compute_matrix(network, costs, profile, [str(k) for k in range(15)], places)
    for i, source in enumerate(nodes.tolist()):
        seconds, paths = nx.single_source_dijkstra(graph, source, weight="s")
        for j, target in enumerate(nodes.tolist()):
            if i == j:
                continue
            if target not in seconds:
                assert matrix.duration_s[i, j] == UNREACHABLE_S
                continue
            assert matrix.duration_s[i, j] == int(np.ceil(seconds[target] - 1e-6))
            assert matrix.distance_m[i, j] == pytest.approx(along(graph, paths[target], "m"), abs=0.51)
            assert matrix.energy_wh[i, j] == pytest.approx(along(graph, paths[target], "wh"), abs=1e-6)
