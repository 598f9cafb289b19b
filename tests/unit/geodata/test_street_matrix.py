"""Unit tests of snapping, travel matrices and paths on streets."""

import dataclasses

import numpy as np
import pytest
from street_cases import Edge, both_ways, make_network

from geodata.matrix import UNREACHABLE_S
from geodata.paths import find_paths, measure_path, path_geometry
from geodata.profiles import edge_costs, load_profiles
from geodata.street_matrix import Snap, compute_matrix, snap
from geodata.streets import StreetNetwork

VAN = load_profiles()["van_diesel"]
RESIDENTIAL_M_S = 25.0 / 3.6


def chain() -> StreetNetwork:
    """Return nodes 0-1-2-3 in a row, a one-way detour 3→4→0, an isolated pair 5-6 and a dead-end street 1→7."""
    edges = [*both_ways(0, 1), *both_ways(1, 2), *both_ways(2, 3), Edge(3, 4), Edge(4, 0), *both_ways(5, 6), Edge(1, 7)]
    places = [(1.5 + 0.001 * k, 42.5) for k in range(5)] + [(1.6, 42.5), (1.601, 42.5), (1.501, 42.5005)]
    return make_network(8, edges, places)


def at(*nodes: int, access_s: float = 0.0) -> Snap:
    return Snap(np.array(nodes), np.full(len(nodes), access_s), np.full(len(nodes), access_s))


def test_snap_takes_the_nearest_node_of_the_network() -> None:
    """Tests nearest node, straight distance and walking time of a place beside the road."""
    network = chain()
    snapped = snap(network, edge_costs(network, VAN), VAN, np.array([1.5021]), np.array([42.5009]))
    assert snapped.node.tolist() == [2]
    assert snapped.access_m[0] == pytest.approx(100.4, abs=0.5)
    assert snapped.access_s[0] == pytest.approx(snapped.access_m[0] / 1.2)


def test_snap_avoids_streets_nobody_comes_back_from() -> None:
    """Tests that a place at the end of a street that can only be entered is tied to the next node that can be left."""
    network = chain()
    snapped = snap(network, edge_costs(network, VAN), VAN, np.array([1.501]), np.array([42.5005]))
    assert snapped.node.tolist() == [1]


def test_snap_too_far_is_none() -> None:
    """Tests that a place beyond the profile's reach has no node."""
    network = chain()
    snapped = snap(network, edge_costs(network, VAN), VAN, np.array([1.51]), np.array([42.5]))
    assert snapped.node.tolist() == [-1]
    assert np.isnan(snapped.access_s[0])


def test_snap_falls_back_to_a_cut_off_part() -> None:
    """Tests that a place at a disconnected road is tied to it, as there is nothing else near."""
    network = chain()
    snapped = snap(network, edge_costs(network, VAN), VAN, np.array([1.6, 1.5]), np.array([42.5, 42.5]))
    assert snapped.node.tolist() == [5, 0]


def test_snap_prefers_the_largest_part() -> None:
    """Tests that a place nearer to a road joined to nothing is tied to the main roads, where they are in reach."""
    places = [(1.5 + 0.001 * k, 42.5) for k in range(3)] + [(1.501, 42.501), (1.502, 42.501)]
    network = make_network(5, [*both_ways(0, 1), *both_ways(1, 2), *both_ways(3, 4)], places)
    snapped = snap(network, edge_costs(network, VAN), VAN, np.array([1.501]), np.array([42.5009]))
    assert snapped.node.tolist() == [1]


def test_snap_avoids_tunnels_and_motorways() -> None:
    """Tests that a place above a tunnel or beside a motorway is tied to a street where one can stop."""
    edges = [*both_ways(0, 1, highway="motorway"), *both_ways(1, 2), *both_ways(2, 3, way=5), *both_ways(3, 4, way=5)]
    network = make_network(5, edges)
    network = dataclasses.replace(network, edge_tunnel=network.edge_way_id == 5)
    snapped = snap(network, edge_costs(network, VAN), VAN, np.array([1.5, 1.5031]), np.array([42.5, 42.5]))
    assert snapped.node.tolist() == [1, 2]


def test_snap_without_any_usable_road() -> None:
    """Tests that a network a profile may not use at all ties nothing."""
    network = make_network(2, [Edge(0, 1, highway="path"), Edge(1, 0, highway="path")])
    costs = edge_costs(network, VAN)
    snapped = snap(network, costs, VAN, np.array([1.5]), np.array([42.5]))
    assert snapped.node.tolist() == [-1]
    assert compute_matrix(network, costs, "v", ["a"], snapped).duration_s.tolist() == [[0]]
    assert find_paths(network, costs, snapped, [(0, 0)]) == [None]


def test_matrix_of_a_chain_by_hand() -> None:
    """Tests seconds rounded up with both walks, metres of the street part and the one-way way back."""
    network = chain()
    matrix = compute_matrix(network, edge_costs(network, VAN), VAN.key, ["a", "b"], at(0, 3, access_s=7.5))
    assert matrix.profile == "van_diesel"
    assert matrix.duration_s.tolist() == [[0, 59], [44, 0]]  # 300 m and 200 m at 25 km/h, and 15 s on foot
    assert matrix.distance_m.tolist() == [[0, 300], [200, 0]]


def test_unreachable_pairs_are_marked() -> None:
    """Tests pairs of different parts, and places without a node."""
    network = chain()
    matrix = compute_matrix(network, edge_costs(network, VAN), "v", ["a", "b", "c"], at(0, 5, -1))
    off_diagonal = ~np.eye(3, dtype=np.bool_)
    assert (matrix.duration_s[off_diagonal] == UNREACHABLE_S).all()
    assert (matrix.distance_m == 0).all()
    assert matrix.duration_s.diagonal().tolist() == [0, 0, 0]


def test_places_at_one_node_are_a_walk_apart() -> None:
    """Tests that two places that meet the street at one node are reached on foot, with no metres driven."""
    network = chain()
    costs = edge_costs(network, VAN)
    matrix = compute_matrix(network, costs, "v", ["a", "b"], at(2, 2, access_s=10.0))
    assert matrix.duration_s.tolist() == [[0, 20], [20, 0]]
    (path,) = find_paths(network, costs, at(2, 2, access_s=10.0), [(0, 1)])
    assert path is not None
    assert (path.nodes, path.distance_m, path.duration_s, path.energy_wh) == ((1002,), 0, 20, 0.0)


def test_whole_seconds_forgive_rounding_noise() -> None:
    """Tests that exactly 72 s stay 72 s however they are summed up."""
    network = make_network(6, [edge for k in range(5) for edge in both_ways(k, k + 1)])
    matrix = compute_matrix(network, edge_costs(network, VAN), "v", ["a", "b"], at(0, 5))
    assert matrix.duration_s[0, 1] == 72  # 500 m at 25 km/h


def test_fastest_is_not_shortest() -> None:
    """Tests that metres and watt-hours are those of the fastest way, not the shortest."""
    edges = [*both_ways(0, 1, length_m=500.0, highway="track", tracktype="grade3", surface="gravel")]
    edges += [*both_ways(0, 2, length_m=400.0, highway="primary"), *both_ways(2, 1, length_m=400.0, highway="primary")]
    network = make_network(3, edges)
    costs = edge_costs(network, VAN)
    matrix = compute_matrix(network, costs, "v", ["a", "b"], at(0, 1))
    assert matrix.distance_m[0, 1] == 800
    assert matrix.duration_s[0, 1] == 48
    assert matrix.energy_wh[0, 1] == pytest.approx(2 * costs.energy_wh[network.edges_between(0, 2)[0]])


def test_parallel_edges_take_the_fastest_allowed() -> None:
    """Tests matrix, path and measure between two nodes joined by three ways, the fastest of them closed to vans."""
    edges = [
        Edge(0, 1, way=1, length_m=50.0, max_width_m=1.0),
        Edge(0, 1, way=2, length_m=90.0),
        Edge(0, 1, way=3, length_m=70.0, highway="living_street"),
        Edge(1, 0, way=2),
    ]
    network = make_network(2, edges)
    costs = edge_costs(network, VAN)
    matrix = compute_matrix(network, costs, "v", ["a", "b"], at(0, 1))
    assert matrix.distance_m[0, 1] == 90
    measure = measure_path(network, costs, [1000, 1001])
    assert (measure.distance_m, measure.broken_at, measure.forbidden_at) == (90.0, None, None)


def test_paths_agree_with_the_matrix_and_can_be_measured() -> None:
    """Tests nodes of a path, its figures against the matrix and its measure."""
    network = chain()
    costs = edge_costs(network, VAN)
    snapped = at(0, 3, 5, access_s=3.25)
    matrix = compute_matrix(network, costs, "v", ["a", "b", "c"], snapped)
    there, back, nowhere, same = find_paths(network, costs, snapped, [(0, 1), (1, 0), (0, 2), (0, 0)])
    assert there is not None
    assert back is not None
    assert same is not None
    assert nowhere is None
    assert (same.nodes, same.duration_s) == ((1000,), 0)
    assert there.nodes == (1000, 1001, 1002, 1003)
    assert back.nodes == (1003, 1004, 1000)
    assert (there.duration_s, there.distance_m) == (matrix.duration_s[0, 1], matrix.distance_m[0, 1])
    measure = measure_path(network, costs, back.nodes)
    assert measure.distance_m == pytest.approx(200.0)
    assert measure.duration_s == pytest.approx(200.0 / RESIDENTIAL_M_S)
    assert measure.energy_wh == pytest.approx(back.energy_wh)


def test_measure_names_where_a_path_breaks_or_is_forbidden() -> None:
    """Tests positions of the first missing and the first forbidden edge, and unknown nodes."""
    network = make_network(4, [Edge(0, 1), Edge(1, 2, max_width_m=1.0), Edge(2, 3)])
    costs = edge_costs(network, VAN)
    assert measure_path(network, costs, [1000, 1001, 1002, 1003]).forbidden_at == 1
    assert measure_path(network, costs, [1000, 1002]).broken_at == 0
    assert measure_path(network, costs, [1000, 1001, 1000]).broken_at == 1  # against a one-way street
    assert measure_path(network, costs, [1000, 77]).broken_at == 0
    assert measure_path(network, costs, [77]).broken_at == 0
    assert measure_path(network, costs, [1000]).broken_at is None
    assert measure_path(network, costs, []).distance_m == 0.0


def test_geometry_of_a_path() -> None:
    """Tests positions and heights of nodes, and that an unknown node is refused."""
    network = chain()
    assert path_geometry(network, [1002, 1000]) == pytest.approx(np.array([[1.502, 42.5, 0.0], [1.5, 42.5, 0.0]]))
    with pytest.raises(KeyError, match="77"):
        path_geometry(network, [1000, 77])
