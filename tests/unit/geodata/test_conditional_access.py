"""Unit tests of access that depends on the time (geodata.conditional_access) and of axle limits and ferries."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from street_cases import FlatTerrain, write_osm

from geodata.conditional_access import conditionally_closed, parse_condition, read_access_rules
from geodata.osm import RULES_LEFT_OUT, RULES_USED, read_street_network
from geodata.profiles import edge_costs, load_profiles
from geodata.street_matrix import snap

PROFILES = load_profiles()
MONDAY, SUNDAY, JULY = dt.date(2026, 1, 12), dt.date(2026, 1, 18), dt.date(2026, 7, 15)
H = 3600


@pytest.mark.parametrize(
    ("text", "date", "from_h", "until_h", "holds"),
    [
        ("(Nov-Apr)", MONDAY, 6, 20, True),
        ("(Nov-Apr)", JULY, 6, 20, False),
        ("Nov 15-Apr 30", dt.date(2026, 11, 14), 6, 20, False),
        ("Nov 15-Apr 30", dt.date(2026, 11, 15), 6, 20, True),
        ("Jul 1-15", JULY, 6, 20, True),
        ("Jul", dt.date(2026, 8, 1), 6, 20, False),
        ("(Mo-Fr 07:00-09:00,16:00-19:00)", MONDAY, 8, 12, True),
        ("(Mo-Fr 07:00-09:00,16:00-19:00)", MONDAY, 9, 16, False),
        ("(Mo-Fr 07:00-09:00)", SUNDAY, 6, 20, False),
        ("Fr-Mo", SUNDAY, 6, 20, True),
        ("Sa,Su", SUNDAY, 6, 20, True),
        ("Sa,Su", MONDAY, 6, 20, False),
        ("22:00-06:00", MONDAY, 6, 20, False),
        ("22:00-06:00", MONDAY, 5, 20, True),
        ("22:00-06:00", MONDAY, 6, 23, True),
        ("Su 22:00-06:00", MONDAY, 4, 5, True),
        ("Mo 22:00-06:00", MONDAY, 4, 5, False),
        ("Mo 22:00-06:00", MONDAY, 20, 30, True),
        ("Tu 08:00-09:00", MONDAY, 20, 33, True),
        ("Jun-Aug 08:00-20:00", JULY, 9, 10, True),
        ("Jun 08:00-20:00", JULY, 9, 10, False),
        ("Mo-Fr 07:00-09:00 AND weight>7.5", MONDAY, 6, 20, True),
    ],
)
def test_when_a_condition_holds(text: str, date: dt.date, from_h: int, until_h: int, holds: bool) -> None:
    """Tests months, days, weekdays and times of day, over New Year and over midnight."""
    condition = parse_condition(text)
    assert condition is not None
    assert condition.holds(date, from_h * H, until_h * H) == holds


@pytest.mark.parametrize("text", ["winter", "snow", "sunset-sunrise", "Mo-Fr 7-9", "PH", "", "Feb 31", "25:00-26:00"])
def test_what_is_not_understood(text: str) -> None:
    """Tests that a condition any part of which is unknown is not half understood."""
    assert parse_condition(text) is None


def test_clauses_of_a_way() -> None:
    """Tests several clauses of several tags: closing ones are kept, opening and unknown ones counted."""
    rules, left_out = read_access_rules(
        {
            "motor_vehicle:conditional": "no @ (Nov-Apr); yes @ (May-Oct)",
            "hgv:conditional": "destination @ (22:00-06:00)",
            "maxweight:conditional": "3 @ (Mar-Apr); none @ (May)",
            "access:conditional": "no @ snow",
            "maxspeed:conditional": "30 @ (22:00-06:00)",
            "name": "no @ place",
        }
    )
    assert [(rule.modes, rule.kind, rule.max_weight_kg) for rule in rules] == [
        (("motor", "heavy"), "no", np.inf),
        (("heavy",), "destination", np.inf),
        (("motor", "heavy"), "", 3000.0),
    ]
    assert left_out == 4


def test_whom_clauses_bind() -> None:
    """Tests modes, accepted access kinds, weight limits and conditions on weight."""

    def binds(tags: dict[str, str], profile: str) -> bool:
        (rule,), _ = read_access_rules(tags)
        return rule.binds(PROFILES[profile])

    assert binds({"motor_vehicle:conditional": "no @ (Nov-Apr)"}, "van_diesel")
    assert not binds({"motor_vehicle:conditional": "no @ (Nov-Apr)"}, "walker")
    assert not binds({"hgv:conditional": "no @ (Nov-Apr)"}, "van_diesel")
    assert not binds({"access:conditional": "destination @ (Nov-Apr)"}, "van_diesel")
    assert binds({"access:conditional": "private @ (Nov-Apr)"}, "van_diesel")
    assert binds({"maxweight:conditional": "3 @ (Nov-Apr)"}, "truck")
    assert not binds({"maxweight:conditional": "3 @ (Nov-Apr)"}, "van_diesel")
    assert not binds({"access:conditional": "no @ (weight>3.5)"}, "van_diesel")
    assert binds({"access:conditional": "no @ (weight>3.5)"}, "truck")


def test_pass_road_closed_in_winter(tmp_path: Path) -> None:
    """Tests the way from tags to closed edges, and the notes."""
    nodes = {k: (1.5 + 0.001 * k, 42.5) for k in range(1, 4)}
    tags = {"highway": "primary", "motor_vehicle:conditional": "no @ (Nov-Apr)", "foot:conditional": "no @ winter"}
    ways = {10: ([1, 2], tags), 20: ([2, 3], {"highway": "primary"})}
    network = read_street_network(write_osm(tmp_path / "x.osm", nodes, ways), FlatTerrain())
    winter = conditionally_closed(network, PROFILES["van_diesel"], MONDAY)
    assert network.edge_way_id[winter].tolist() == [10, 10]
    assert not conditionally_closed(network, PROFILES["van_diesel"], JULY).any()
    assert not conditionally_closed(network, PROFILES["walker"], MONDAY).any()
    assert dict(network.notes) == {RULES_USED: 1, RULES_LEFT_OUT: 1}


def test_axle_limits(tmp_path: Path) -> None:
    """Tests that a posted axle load keeps vehicles off whose heaviest axle bears more."""
    nodes = {k: (1.5 + 0.001 * k, 42.5) for k in range(1, 3)}
    ways = {10: ([1, 2], {"highway": "primary", "maxaxleload": "2"})}
    network = read_street_network(write_osm(tmp_path / "x.osm", nodes, ways), FlatTerrain())
    usable = {name: bool(np.isfinite(edge_costs(network, PROFILES[name]).duration_s).all()) for name in PROFILES}
    assert usable["van_diesel"]
    assert usable["walker"]
    assert not usable["truck"]
    light = PROFILES["truck"].limited(gross_kg=3000)
    assert light.axle_kg == pytest.approx(1950)
    assert np.isfinite(edge_costs(network, light).duration_s).all()


def test_ferries_only_where_the_profile_allows(tmp_path: Path) -> None:
    """Tests that a ferry is used only by profiles that give it a speed, and is no place to stop."""
    nodes = {k: (1.5 + 0.01 * k, 42.5) for k in range(1, 5)}
    ways = {
        10: ([1, 2], {"highway": "primary"}),
        20: ([2, 3, 4], {"route": "ferry", "motor_vehicle": "yes"}),
    }
    network = read_street_network(write_osm(tmp_path / "x.osm", nodes, ways), FlatTerrain())
    own = tmp_path / "own.toml"
    own.write_text('[boat_van]\nlike = "van_diesel"\n[boat_van.speed_kmh]\nferry = 10\n', encoding="utf-8")
    boat_van = load_profiles(own)["boat_van"]
    for profile in PROFILES.values():
        assert np.isfinite(edge_costs(network, profile).duration_s).sum() == 2
    costs = edge_costs(network, boat_van)
    assert np.isfinite(costs.duration_s).all()
    joined = snap(network, costs, boat_van, np.array([1.53, 1.52]), np.array([42.5, 42.5]))
    assert joined.node.tolist() == [-1, 1]
