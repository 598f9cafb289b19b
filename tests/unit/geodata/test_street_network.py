"""Unit tests of reading OSM extracts into street networks (geodata.osm)."""

from pathlib import Path

import numpy as np
import pytest
from street_cases import FlatTerrain, write_osm

from geodata.errors import InputError
from geodata.osm import read_street_network
from geodata.osm_tags import HIGHWAYS
from geodata.streets import StreetNetwork

LINE = {1: (1.500, 42.5), 2: (1.501, 42.5), 3: (1.502, 42.5), 4: (1.503, 42.5)}
ROAD = {"highway": "residential"}


def edges(network: StreetNetwork, mode: str = "motor") -> list[tuple[int, int]]:
    """Return (from, to) as OSM ids of the edges a mode may use."""
    usable = np.flatnonzero(getattr(network, f"edge_{mode}"))
    return [(int(network.node_id[network.edge_from[e]]), int(network.node_id[network.edge_to[e]])) for e in usable]


def code_of(error: pytest.ExceptionInfo[InputError]) -> str:
    (fault,) = error.value.faults
    return fault.code


def test_oneway_backwards_and_walkers(tmp_path: Path) -> None:
    """Tests that oneway=-1 opens the reverse direction only, and walkers go both ways."""
    path = write_osm(tmp_path / "a.osm", LINE, {10: ([1, 2], {**ROAD, "oneway": "-1"})})
    network = read_street_network(path, FlatTerrain())
    assert edges(network) == [(2, 1)]
    assert edges(network, "foot") == [(1, 2), (2, 1)]


def test_nodes_and_edges_are_sorted_and_measured(tmp_path: Path) -> None:
    """Tests order, lengths (one thousandth of a degree at 42.5° N is 81.98 m), names and way ids."""
    ways = {11: ([3, 2], {**ROAD, "name": "B"}), 10: ([2, 1], {"highway": "primary", "name": "A"})}
    network = read_street_network(write_osm(tmp_path / "a.osm", dict(reversed(LINE.items())), ways), FlatTerrain())
    assert network.node_id.tolist() == [1, 2, 3]
    assert edges(network) == [(1, 2), (2, 1), (2, 3), (3, 2)]
    assert network.edge_length_m == pytest.approx(np.full(4, 81.98), abs=0.02)
    assert [network.names[k] for k in network.edge_name] == ["A", "A", "B", "B"]
    assert network.edge_way_id.tolist() == [10, 10, 11, 11]
    assert [HIGHWAYS[k] for k in network.edge_highway] == ["primary", "primary", "residential", "residential"]


def test_way_cut_at_the_border_keeps_its_parts(tmp_path: Path) -> None:
    """Tests that a way with a missing node is two parts, not one that jumps the gap."""
    nodes = {key: LINE[key] for key in (1, 2, 4)} | {5: (1.504, 42.5)}
    network = read_street_network(write_osm(tmp_path / "a.osm", nodes, {10: ([1, 2, 3, 4, 5], ROAD)}), FlatTerrain())
    assert edges(network) == [(1, 2), (2, 1), (4, 5), (5, 4)]


def test_ways_before_nodes_and_hand_drawn_ids(tmp_path: Path) -> None:
    """Tests that order in the file does not matter and negative ids (drawn by hand) are read."""
    path = tmp_path / "a.osm"
    path.write_text(
        '<osm version="0.6"><way id="-7"><nd ref="-1"/><nd ref="-2"/><tag k="highway" v="track"/></way>'
        '<node id="-1" lon="1.5" lat="42.5"/><node id="-2" lon="1.51" lat="42.5"/></osm>',
        encoding="utf-8",
    )
    assert edges(read_street_network(path, FlatTerrain())) == [(-2, -1), (-1, -2)]


def test_bollard_closes_to_motors_only(tmp_path: Path) -> None:
    """Tests that the segments at a bollard are closed to vehicles and open to walkers."""
    path = write_osm(tmp_path / "a.osm", LINE, {10: ([1, 2, 3, 4], ROAD)}, {3: {"barrier": "bollard"}})
    network = read_street_network(path, FlatTerrain())
    assert edges(network) == [(1, 2), (2, 1)]
    assert len(edges(network, "foot")) == 6


def test_barrier_at_a_junction_stands_on_the_lesser_road(tmp_path: Path) -> None:
    """Tests that a gate mapped on the node where a side road leaves does not cut the main road."""
    nodes = LINE | {5: (1.501, 42.501)}
    ways = {10: ([1, 2, 3], {"highway": "primary"}), 11: ([2, 5], {"highway": "service"})}
    path = write_osm(tmp_path / "a.osm", nodes, ways, {2: {"barrier": "gate", "access": "private"}})
    network = read_street_network(path, FlatTerrain())
    assert edges(network) == [(1, 2), (2, 1), (2, 3), (3, 2)]


def test_height_restrictor_limits_its_edges(tmp_path: Path) -> None:
    """Tests that a height restrictor's height binds the edges at it."""
    barrier = {"barrier": "height_restrictor", "maxheight": "2.1"}
    path = write_osm(tmp_path / "a.osm", LINE, {10: ([1, 2, 3, 4], ROAD)}, {2: barrier})
    network = read_street_network(path, FlatTerrain())
    limited = [pair for pair, high in zip(edges(network), network.edge_max_height_m, strict=True) if high == 2.1]
    assert limited == [(1, 2), (2, 1), (2, 3), (3, 2)]


def test_parallel_ways_and_repeated_nodes(tmp_path: Path) -> None:
    """Tests that two ways between the same nodes are two edges each way and a repeated node is no edge."""
    ways = {10: ([1, 1, 2], ROAD), 11: ([2, 1], {"highway": "service"})}
    network = read_street_network(write_osm(tmp_path / "a.osm", LINE, ways), FlatTerrain())
    assert edges(network) == [(1, 2), (1, 2), (2, 1), (2, 1)]
    assert len(network.edges_between(0, 1)) == 2
    assert len(network.edges_between(1, 1)) == 0


def test_grade_is_signed_by_direction(tmp_path: Path) -> None:
    """Tests that an even slope of 5 % is read as +5 % up and −5 % down away from its ends."""
    nodes = {k: (1.5 + 0.001 * k, 42.5) for k in range(1, 21)}
    path = write_osm(tmp_path / "a.osm", nodes, {10: (list(nodes), ROAD)})
    network = read_street_network(path, FlatTerrain(rise_m_per_degree=0.05 * 81_980.0))
    middle = network.edges_between(9, 10)[0]
    back = network.edges_between(10, 9)[0]
    assert network.edge_grade[middle] == pytest.approx(0.05, abs=0.001)
    assert network.edge_grade[back] == -network.edge_grade[middle]


def test_faulty_files_are_named_as_what_they_are(tmp_path: Path) -> None:
    """Tests the error of a missing file, a broken one, one without roads and a terrain elsewhere."""
    with pytest.raises(InputError) as missing:
        read_street_network(tmp_path / "none.osm.pbf", FlatTerrain())
    assert code_of(missing) == "MISSING_FILE"
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"this is no protocol buffer" * 100)
    with pytest.raises(InputError) as unreadable:
        read_street_network(broken, FlatTerrain())
    assert code_of(unreadable) == "BROKEN_FILE"
    for number, ways in enumerate(({}, {10: ([1, 2], {"waterway": "river"})}, {10: ([8, 9], ROAD)})):
        with pytest.raises(InputError) as no_roads:
            read_street_network(write_osm(tmp_path / f"{number}.osm", LINE, ways), FlatTerrain())
        assert code_of(no_roads) == "NO_ROADS"
    with pytest.raises(InputError) as elsewhere:
        read_street_network(write_osm(tmp_path / "a.osm", LINE, {10: ([1, 2], ROAD)}), FlatTerrain(east=1.0))
    assert code_of(elsewhere) == "TERRAIN_NOT_COVERING"


def test_cut_off_extract_is_unreadable(tmp_path: Path, shared_data: Path) -> None:
    """Tests that a download that broke off is refused, not half read."""
    whole = (shared_data / "andorra" / "andorra-2013-small.osm.pbf").read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError) as error:
        read_street_network(cut, FlatTerrain())
    assert code_of(error) == "BROKEN_FILE"


def test_network_is_immutable(tmp_path: Path) -> None:
    """Tests that arrays of a network cannot be written."""
    network = read_street_network(write_osm(tmp_path / "a.osm", LINE, {10: ([1, 2], ROAD)}), FlatTerrain())
    with pytest.raises(ValueError, match="read-only"):
        network.edge_length_m[0] = 1.0


def test_node_index_of_known_and_unknown_ids(tmp_path: Path) -> None:
    """Tests that unknown ids read −1."""
    network = read_street_network(write_osm(tmp_path / "a.osm", LINE, {10: ([1, 3], ROAD)}), FlatTerrain())
    assert network.node_index([3, 2, 1, 99]).tolist() == [1, -1, 0, -1]
