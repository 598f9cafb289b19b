"""Properties of travel matrices and paths on random street networks."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from street_cases import random_network

from geodata.matrix import UNREACHABLE_S
from geodata.osm_tags import HIGHWAYS
from geodata.paths import find_paths, measure_path
from geodata.profiles import edge_costs, load_profiles
from geodata.street_matrix import Snap, compute_matrix

PROFILES = load_profiles()
SEEDS = st.integers(0, 10_000)
SIZES = st.tuples(st.integers(3, 40), st.integers(2, 90))


def places_on(n_nodes: int, seed: int) -> Snap:
    """Return up to 12 random places, some at one node, some at none, with walks of 0 to 60 s."""
    rng = np.random.default_rng(seed + 1)
    node = rng.integers(0, n_nodes, 12)
    node[rng.random(12) < 0.1] = -1
    walk = np.where(node < 0, np.nan, rng.integers(0, 60, 12).astype(np.float64))
    return Snap(node, walk, walk)


@settings(max_examples=20, deadline=None)
@given(SEEDS, SIZES, st.sampled_from(["van_diesel", "van_electric", "walker"]))
def test_paths_are_the_matrix(seed: int, size: tuple[int, int], profile: str) -> None:
    """Tests that every path has its matrix entry's figures and can be measured edge by edge to the same sums."""
    network = random_network(seed, *size)
    costs = edge_costs(network, PROFILES[profile])
    places = places_on(size[0], seed)
    count = places.node.size
    matrix = compute_matrix(network, costs, profile, [str(k) for k in range(count)], places)
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    for (i, j), path in zip(pairs, find_paths(network, costs, places, pairs), strict=True):
        assert (path is None) == (matrix.duration_s[i, j] == UNREACHABLE_S)
        if path is None:
            continue
        assert path.duration_s == matrix.duration_s[i, j]
        assert path.distance_m == matrix.distance_m[i, j]
        assert abs(path.energy_wh - matrix.energy_wh[i, j]) < 1e-6
        assert (path.nodes[0], path.nodes[-1]) == (network.node_id[places.node[i]], network.node_id[places.node[j]])
        measure = measure_path(network, costs, path.nodes)
        assert (measure.broken_at, measure.forbidden_at) == (None, None)
        walked = places.access_s[i] + places.access_s[j]
        assert abs(measure.duration_s + walked - path.duration_s) < 1.0 + 1e-6
        assert abs(measure.distance_m - path.distance_m) <= 0.5 + 1e-6
        assert abs(measure.energy_wh - path.energy_wh) < 1e-6


@settings(max_examples=20, deadline=None)
@given(SEEDS, SIZES)
def test_triangle_inequality_without_walks(seed: int, size: tuple[int, int]) -> None:
    """Tests that no way round over a third node is faster, but for the rounding of each entry to whole seconds."""
    network = random_network(seed, *size)
    node = np.arange(min(size[0], 15))
    places = Snap(node, np.zeros(node.size), np.zeros(node.size))
    matrix = compute_matrix(network, edge_costs(network, PROFILES["van_diesel"]), "v", [str(k) for k in node], places)
    seconds = matrix.duration_s
    for k in range(node.size):
        assert (seconds <= seconds[:, [k]] + seconds[[k], :] + 1).all()


@settings(max_examples=15, deadline=None)
@given(SEEDS, SIZES, st.integers(0, 11))
def test_fewer_places_change_nothing(seed: int, size: tuple[int, int], dropped: int) -> None:
    """Tests that the seconds between places do not depend on which other places there are."""
    network = random_network(seed, *size)
    costs = edge_costs(network, PROFILES["van_diesel"])
    places = places_on(size[0], seed)
    count = places.node.size
    rest = np.delete(np.arange(count), dropped)
    fewer = Snap(places.node[rest], places.access_m[rest], places.access_s[rest])
    whole = compute_matrix(network, costs, "v", [str(k) for k in range(count)], places).duration_s
    part = compute_matrix(network, costs, "v", [str(k) for k in rest], fewer).duration_s
    assert np.array_equal(whole[np.ix_(rest, rest)], part)


@settings(max_examples=15, deadline=None)
@given(SEEDS, SIZES)
def test_closing_a_road_never_makes_faster(seed: int, size: tuple[int, int]) -> None:
    """Tests that a closure can only lengthen or cut ways."""
    network = random_network(seed, *size)
    places = places_on(size[0], seed)
    ids = [str(k) for k in range(places.node.size)]
    closed = np.random.default_rng(seed).random(network.n_edges) < 0.2
    van = PROFILES["van_diesel"]
    before = compute_matrix(network, edge_costs(network, van), "v", ids, places).duration_s
    after = compute_matrix(network, edge_costs(network, van, closed), "v", ids, places).duration_s
    assert (after >= before).all()


@settings(max_examples=15, deadline=None)
@given(SEEDS, SIZES)
def test_seconds_are_the_same_both_ways_only_where_roads_are(seed: int, size: tuple[int, int]) -> None:
    """Tests that level roads open both ways give the same seconds both ways, and that grades end that."""
    network = random_network(seed, *size)
    sides = np.sort(np.stack([network.edge_from, network.edge_to]), axis=0).T
    metres = 50.0 + (sides @ np.array([37, 91])) % 1_000  # the same whichever way an edge runs
    alike = {
        "edge_length_m": metres.astype(np.float64),
        "edge_radius_m": np.full(metres.size, np.inf),
        "edge_highway": np.full_like(network.edge_highway, HIGHWAYS.index("tertiary")),
        "edge_surface": np.zeros_like(network.edge_surface),
        "edge_tracktype": np.zeros_like(network.edge_tracktype),
        "edge_motor": np.ones_like(network.edge_motor),
        "edge_maxspeed_kmh": np.full(metres.size, np.nan),
        "turn_bans": (),
    }
    there_and_back = {(int(a), int(b)) for a, b in zip(network.edge_from, network.edge_to, strict=True)}
    both = np.array(
        [(b, a) in there_and_back for a, b in zip(network.edge_from.tolist(), network.edge_to.tolist(), strict=True)]
    )
    level = dataclasses.replace(network, **alike, edge_grade=np.zeros(metres.size))
    node = np.arange(min(size[0], 15))
    places = Snap(node, np.zeros(node.size), np.zeros(node.size))
    ids = [str(k) for k in node]
    profile = PROFILES["van_diesel"]
    matrix = compute_matrix(level, edge_costs(level, profile, ~both), "v", ids, places)
    assert np.array_equal(matrix.duration_s, matrix.duration_s.T)
    uphill = np.where(network.edge_from < network.edge_to, 0.12, -0.04)
    sloping = dataclasses.replace(level, edge_grade=uphill)
    matrix = compute_matrix(sloping, edge_costs(sloping, profile, ~both), "v", ids, places)
    moved = (matrix.duration_s > 0) & (matrix.duration_s < UNREACHABLE_S)
    above = np.triu(moved, 1)
    assert (matrix.duration_s[above] != matrix.duration_s.T[above]).any() or not above.any()
