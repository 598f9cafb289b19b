"""Turn restrictions against brute force: Dijkstra over edges, every turn looked at one by one."""

import dataclasses
import heapq

import numpy as np
import pytest
from street_cases import random_network

from geodata.matrix import UNREACHABLE_S
from geodata.paths import find_paths, measure_path
from geodata.profiles import EdgeCosts, edge_costs, load_profiles
from geodata.street_matrix import Snap, compute_matrix
from geodata.streets import StreetNetwork
from geodata.turns import TurnBan

PROFILES = load_profiles()


def with_random_bans(network: StreetNetwork, seed: int) -> StreetNetwork:
    """Return the network with a quarter of its turns over junctions and some runs of three and four edges forbidden."""
    rng = np.random.default_rng(seed)
    out = [np.flatnonzero(network.edge_from == node).tolist() for node in range(network.n_nodes)]
    runs: list[tuple[int, ...]] = [
        (e, f) for e in range(network.n_edges) for f in out[network.edge_to[e]] if rng.random() < 0.25
    ]
    for _ in range(network.n_edges // 4):
        run = [int(rng.integers(network.n_edges))]
        while len(run) < rng.integers(3, 5) and out[network.edge_to[run[-1]]]:
            run.append(int(rng.choice(out[network.edge_to[run[-1]]])))
        if len(run) > 2:
            runs.append(tuple(run))
    return dataclasses.replace(network, turn_bans=tuple(TurnBan(k, run) for k, run in enumerate(runs)))


def brute_force_s(network: StreetNetwork, costs: EdgeCosts, source: int) -> np.ndarray:
    """Return seconds from a node to all, remembering the last four edges driven.

    On the open road (two neighbours over usable edges) nobody turns round.
    """
    usable = [edge for edge in range(network.n_edges) if np.isfinite(costs.duration_s[edge])]
    neighbours: list[set[int]] = [set() for _ in range(network.n_nodes)]
    out: list[list[int]] = [[] for _ in range(network.n_nodes)]
    for edge in usable:
        start, end = int(network.edge_from[edge]), int(network.edge_to[edge])
        neighbours[start].add(end)
        neighbours[end].add(start)
        out[start].append(edge)
    bans = {ban.edges for ban in network.turn_bans}
    best = np.full(network.n_nodes, np.inf)
    best[source] = 0.0
    heap: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    done = set()
    while heap:
        seconds, run = heapq.heappop(heap)
        if run in done:
            continue
        done.add(run)
        node = int(network.edge_to[run[-1]]) if run else source
        best[node] = min(best[node], seconds)
        for edge in out[node]:
            longer = (*run, edge)
            round_again = run and network.edge_to[edge] == network.edge_from[run[-1]] and len(neighbours[node]) == 2
            if round_again or any(longer[k:] in bans for k in range(len(longer))):
                continue
            heapq.heappush(heap, (seconds + float(costs.duration_s[edge]), longer[-4:]))
    return best


@pytest.mark.parametrize("seed", range(30))
def test_matrix_and_paths_keep_turn_restrictions(seed: int) -> None:
    """Tests all pairs on random networks with random restrictions, and that paths obey what they are measured by."""
    n_nodes = 8 + seed % 12
    plain = random_network(seed, n_nodes, int((1.1 + 0.05 * (seed % 7)) * n_nodes))
    network = with_random_bans(plain, seed)
    costs = edge_costs(network, PROFILES["van_diesel"])
    chosen = np.random.default_rng(seed).choice(n_nodes, 6, replace=False)
    places = Snap(chosen, np.zeros(6), np.zeros(6))
    matrix = compute_matrix(network, costs, "van", [str(k) for k in range(6)], places)
    pairs = [(i, j) for i in range(6) for j in range(6) if i != j]
    expected = {node: brute_force_s(network, costs, node) for node in chosen.tolist()}
    for (i, j), path in zip(pairs, find_paths(network, costs, places, pairs), strict=True):
        seconds = expected[chosen[i]][chosen[j]]
        if not np.isfinite(seconds):
            assert matrix.duration_s[i, j] == UNREACHABLE_S
            assert path is None
            continue
        assert matrix.duration_s[i, j] == int(np.ceil(seconds - 1e-6))
        assert path is not None
        assert (path.duration_s, path.distance_m) == (matrix.duration_s[i, j], matrix.distance_m[i, j])
        measure = measure_path(network, costs, path.nodes)
        assert (measure.broken_at, measure.forbidden_at) == (None, None)
        assert measure.duration_s == pytest.approx(seconds, abs=1e-6)


def test_restrictions_bite() -> None:
    """Tests that the cases above are not empty: restrictions lengthen or cut some ways, and never shorten one."""
    longer = 0
    for seed in range(10):
        plain = random_network(seed, 15, 20)
        places = Snap(np.arange(15), np.zeros(15), np.zeros(15))
        before, after = (
            compute_matrix(one, edge_costs(one, PROFILES["van_diesel"]), "v", [str(k) for k in range(15)], places)
            for one in (plain, with_random_bans(plain, seed))
        )
        assert (after.duration_s >= before.duration_s).all()
        longer += int((after.duration_s > before.duration_s).sum())
    assert longer > 50


def test_walkers_turn_as_they_like() -> None:
    """Tests that no restriction changes anything on foot."""
    plain = random_network(3, 15, 20)
    network = with_random_bans(plain, 3)
    places = Snap(np.arange(15), np.zeros(15), np.zeros(15))
    walker = PROFILES["walker"]
    before, after = (
        compute_matrix(one, edge_costs(one, walker), "w", [str(k) for k in range(15)], places)
        for one in (plain, network)
    )
    assert np.array_equal(before.duration_s, after.duration_s)
