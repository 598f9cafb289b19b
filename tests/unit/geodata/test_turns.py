"""Unit tests of turn restrictions: tags, relations, memory, what drives over them (geodata.turns and neighbours)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from street_cases import FlatTerrain, write_osm

from geodata.osm import read_street_network
from geodata.paths import find_paths, measure_path
from geodata.profiles import edge_costs, load_profiles
from geodata.street_matrix import Snap, snap
from geodata.streets import StreetNetwork
from geodata.turn_restrictions import INCOMPLETE, TIMED, UNCLEAR, UNKNOWN, USED, parse_restriction
from geodata.turns import TurnBan, TurnRules

PROFILES = load_profiles()
ROAD = {"highway": "residential"}
#            6
#            |
#   1 - 2 - [3] - 4 - 5        ways: 10: 1 2 3, 20: 3 4 5, 30: 3 6, 40: 3 7 (and 50: 7 8)
#            |
#            7 - 8
PLACES = {
    1: (1.500, 42.5),
    2: (1.501, 42.5),
    3: (1.502, 42.5),
    4: (1.503, 42.5),
    5: (1.504, 42.5),
    6: (1.502, 42.501),
    7: (1.502, 42.499),
    8: (1.503, 42.499),
}
WAYS = {10: ([1, 2, 3], ROAD), 20: ([3, 4, 5], ROAD), 30: ([3, 6], ROAD), 40: ([3, 7], ROAD), 50: ([7, 8], ROAD)}
Members = Sequence[tuple[str, int, str]]


def crossing(tmp_path: Path, *restrictions: tuple[Members, dict[str, str]]) -> StreetNetwork:
    relations = {90 + k: (members, {"type": "restriction", **tags}) for k, (members, tags) in enumerate(restrictions)}
    return read_street_network(write_osm(tmp_path / "x.osm", PLACES, WAYS, relations=relations), FlatTerrain())


def over(source: int, target: int, via: int = 3) -> Members:
    return [("way", source, "from"), ("node", via, "via"), ("way", target, "to")]


def route(network: StreetNetwork, start: int, end: int, profile: str = "van_diesel") -> tuple[int, ...] | None:
    costs = edge_costs(network, PROFILES[profile])
    places = Snap(network.node_index([start, end]), np.zeros(2), np.zeros(2))
    path = find_paths(network, costs, places, [(0, 1)])[0]
    return None if path is None else path.nodes


def test_no_left_turn_sends_round_by_the_next_junction(tmp_path: Path) -> None:
    """Tests that a forbidden turn is replaced by driving past and turning round where the road ends."""
    assert route(crossing(tmp_path), 1, 6) == (1, 2, 3, 6)
    network = crossing(tmp_path, (over(10, 30), {"restriction": "no_left_turn"}))
    assert network.notes == ((USED, 1),)
    # past the junction to the nearest end of a road, not round on the open road at 4 or 7
    assert route(network, 1, 6) == (1, 2, 3, 4, 5, 4, 3, 6)
    assert route(network, 6, 1) == (6, 3, 2, 1)
    assert route(network, 1, 6, "walker") == (1, 2, 3, 6)


def test_a_stop_on_the_open_road_is_no_place_to_turn_round(tmp_path: Path) -> None:
    """Tests that which other places there are does not open a place to turn round."""
    network = crossing(tmp_path, (over(10, 30), {"restriction": "no_left_turn"}))
    costs = edge_costs(network, PROFILES["van_diesel"])
    places = Snap(network.node_index([1, 6, 4, 7]), np.zeros(4), np.zeros(4))
    path = find_paths(network, costs, places, [(0, 1)])[0]
    assert path is not None
    assert path.nodes == (1, 2, 3, 4, 5, 4, 3, 6)


def test_only_straight_on_forbids_all_else(tmp_path: Path) -> None:
    """Tests that a prescribed turn closes every other exit to who comes that way, turning round included."""
    network = crossing(tmp_path, (over(10, 20), {"restriction": "only_straight_on"}))
    assert len(network.turn_bans) == 3
    assert route(network, 1, 5) == (1, 2, 3, 4, 5)
    assert route(network, 1, 6) == (1, 2, 3, 4, 5, 4, 3, 6)


def test_measure_refuses_the_turn(tmp_path: Path) -> None:
    """Tests that a chain of nodes is refused at the node of the forbidden turn, and its length still counted."""
    network = crossing(tmp_path, (over(10, 30), {"restriction": "no_left_turn"}))
    costs = edge_costs(network, PROFILES["van_diesel"])
    measure = measure_path(network, costs, (1, 2, 3, 6))
    assert (measure.broken_at, measure.forbidden_at) == (None, 2)
    assert measure.distance_m == pytest.approx(measure_path(network, costs, (6, 3, 2, 1)).distance_m)
    assert measure_path(network, edge_costs(network, PROFILES["walker"]), (1, 2, 3, 6)).forbidden_at is None


def test_restriction_over_a_way(tmp_path: Path) -> None:
    """Tests that a run over a via way is forbidden as a whole, its parts stay allowed."""
    members = [("way", 10, "from"), ("way", 40, "via"), ("way", 50, "to")]
    network = crossing(tmp_path, (members, {"restriction": "no_u_turn"}))
    assert [len(ban.edges) for ban in network.turn_bans] == [3]
    costs = edge_costs(network, PROFILES["van_diesel"])
    assert measure_path(network, costs, (1, 2, 3, 7, 8)).forbidden_at == 3
    for allowed in ((1, 2, 3, 7), (5, 4, 3, 7, 8), (3, 7, 8)):
        assert measure_path(network, costs, allowed).forbidden_at is None
    assert route(network, 1, 8) == (1, 2, 3, 6, 3, 7, 8)


def test_parallel_roads_are_told_apart(tmp_path: Path) -> None:
    """Tests that where two roads join the same nodes, the one whose turn is allowed is measured."""
    ways = {**WAYS, 11: ([2, 3], {"highway": "service"})}
    ways[10], ways[12] = ([2, 3], ROAD), ([1, 2], ROAD)
    relations = {90: (over(10, 30), {"type": "restriction", "restriction": "no_left_turn"})}
    network = read_street_network(write_osm(tmp_path / "x.osm", PLACES, ways, relations=relations), FlatTerrain())
    costs = edge_costs(network, PROFILES["van_diesel"])
    slow, fast = (measure_path(network, costs, nodes) for nodes in ((1, 2, 3, 6), (1, 2, 3, 4)))
    assert slow.forbidden_at is None
    assert slow.duration_s > measure_path(network, costs, (6, 3, 2, 1)).duration_s
    assert fast.forbidden_at is None


@pytest.mark.parametrize(
    ("tags", "motor", "heavy"),
    [
        ({"restriction": "no_left_turn"}, True, True),
        ({"restriction": "no_left_turn", "except": "bus;hgv"}, True, False),
        ({"restriction": "no_left_turn", "except": "motorcar"}, False, True),
        ({"restriction:hgv": "no_left_turn"}, False, True),
        ({"restriction:motorcar": "no_left_turn"}, True, False),
    ],
)
def test_whom_it_binds(tags: dict[str, str], motor: bool, heavy: bool) -> None:
    """Tests exceptions and restrictions for one kind of vehicle."""
    found, why_not = parse_restriction(1, tags, [("w", "from", 1), ("n", "via", 2), ("w", "to", 3)])
    assert why_not == ""
    assert found is not None
    assert (found.motor, found.heavy) == (motor, heavy)
    bans = [TurnBan(1, (5, 6), motor, heavy)]
    assert TurnRules.of(bans, "motor").bans == ({(5, 6)} if motor else frozenset())
    assert TurnRules.of(bans, "heavy").bans == ({(5, 6)} if heavy else frozenset())
    assert not TurnRules.of(bans, "foot").bans


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"restriction": "no_left_turn", "except": "motor_vehicle"}, ""),
        ({"restriction:bus": "no_left_turn"}, ""),
        ({"restriction": "no_left_turn", "day_on": "Monday"}, TIMED),
        ({"restriction:conditional": "no_left_turn @ (07:00-09:00)"}, TIMED),
        ({"restriction": "maybe"}, UNKNOWN),
    ],
)
def test_what_is_left_out(tags: dict[str, str], why: str) -> None:
    """Tests that what cannot be used is counted by its reason, and what concerns nobody is not."""
    assert parse_restriction(1, tags, [("w", "from", 1), ("n", "via", 2), ("w", "to", 3)]) == (None, why)


def test_faulty_relations_are_counted(tmp_path: Path) -> None:
    """Tests a relation without via, one whose way does not end at the junction, one over a way that is elsewhere."""
    network = crossing(
        tmp_path,
        ([("way", 10, "from"), ("way", 20, "to")], {"restriction": "no_left_turn"}),
        (over(10, 30, via=2), {"restriction": "no_left_turn"}),
        ([("way", 10, "from"), ("way", 50, "via"), ("way", 20, "to")], {"restriction": "no_u_turn"}),
    )
    assert network.turn_bans == ()
    assert dict(network.notes) == {INCOMPLETE: 1, UNCLEAR: 2}


def test_states_follow_the_longest_run() -> None:
    """Tests the memory of overlapping forbidden runs."""
    rules = TurnRules(frozenset([(1, 2, 3), (2, 4), (2, 3, 5)]))
    assert rules.advance((), 1) == (1,)
    assert rules.advance((1,), 2) == (1, 2)
    assert rules.advance((1, 2), 4) is None
    assert rules.advance((1, 2), 3) is None
    assert rules.advance((2,), 3) == (2, 3)
    assert rules.advance((2, 3), 5) is None
    assert rules.advance((2, 3), 6) == ()


def test_places_one_cannot_drive_to_are_not_snapped_to(tmp_path: Path) -> None:
    """Tests that a road every turn into which is forbidden is no part of the network one can reach."""
    bans = [(over(source, 30), {"restriction": "no_entry"}) for source in (10, 20, 30, 40)]
    network = crossing(tmp_path, *bans)
    costs = edge_costs(network, PROFILES["van_diesel"])
    joined = snap(network, costs, PROFILES["van_diesel"], np.array([1.502]), np.array([42.501]))
    assert network.node_id[joined.node[0]] == 3
    assert route(network, 1, 6) is None
