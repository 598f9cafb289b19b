"""Unit tests of explaining a leg (geodata.leg_explanation)."""

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
from street_cases import Edge, both_ways, make_network, random_network

from geodata.leg_explanation import CAUSES, LegExplanation, NoLeg, explain_leg, explain_site_leg, leg_geojson, leg_text
from geodata.profiles import Profile, edge_costs, load_profiles
from geodata.street_matrix import Snap, compute_matrix
from geodata.streets import BoolArray, StreetNetwork

PROFILES = load_profiles()
VAN = PROFILES["van_diesel"]


def gorge() -> StreetNetwork:
    """Return a road of four stretches: level primary, a steep one, a winding one, a gravel track."""
    edges = [
        *both_ways(0, 1, length_m=600.0, highway="primary", way=1),
        *both_ways(1, 2, length_m=300.0, highway="tertiary", grade=0.1, way=2),
        *both_ways(2, 3, length_m=40.0, highway="unclassified", radius_m=10.0, way=3),
        *both_ways(3, 4, length_m=40.0, highway="unclassified", way=3),
        *both_ways(4, 5, length_m=40.0, highway="unclassified", radius_m=12.0, way=3),
        *both_ways(5, 6, length_m=200.0, highway="track", surface="gravel", tracktype="grade2", way=4),
        *both_ways(6, 7, length_m=100.0, highway="secondary", maxspeed_kmh=30.0, grade=-0.02, way=5),
    ]
    network = make_network(8, edges)
    names = dataclasses.replace(
        network, names=("", "Valley Road"), edge_name=(network.edge_way_id == 1).astype(np.int64)
    )
    heights = np.array([500.0, 500.0, 530.0, 530.0, 530.0, 530.0, 530.0, 528.0])
    return dataclasses.replace(names, node_elevation_m=heights)


def leg_of(network: StreetNetwork, profile: Profile = VAN, end: int = 7) -> LegExplanation:
    places = Snap(np.array([0, end]), np.array([12.0, 0.0]), np.array([10.0, 0.0]))
    leg = explain_leg(network, profile, edge_costs(network, profile), places, 0, 1)
    assert isinstance(leg, LegExplanation)
    return leg


def test_stretches_tell_what_binds() -> None:
    """Tests the cut into stretches by road and class, and the cause named for each."""
    leg = leg_of(gorge())
    assert [(part.highway, part.binds) for part in leg.segments] == [
        ("primary", "class"),
        ("tertiary", "grade"),
        ("unclassified", "curves"),
        ("track", "surface"),
        ("secondary", "limit"),
    ]
    assert leg.segments[0].name == "Valley Road"
    assert [part.length_m for part in leg.segments] == [600.0, 300.0, 120.0, 200.0, 100.0]
    winding = leg.segments[2]
    assert (winding.bends, winding.least_radius_m) == (2, 10.0)
    assert leg.segments[1].steepest_up == pytest.approx(0.1)
    assert leg.segments[1].steepest_down == 0.0
    assert leg.segments[4].steepest_down == pytest.approx(-0.02)
    assert [leg.climb_m, leg.descent_m] == pytest.approx([30.0, 2.0])
    assert leg.segments[3].surface == "gravel"


def test_seconds_by_hand() -> None:
    """Tests free time and what the grade adds on the steep stretch: tertiary 40 km/h, share left at 10 % is 0.65."""
    steep = leg_of(gorge()).segments[1]
    assert steep.free_s == pytest.approx(27.0)
    assert steep.duration_s == pytest.approx(27.0 / 0.65)
    assert dict(zip(CAUSES, steep.added_s, strict=True)) == pytest.approx(
        {"grade": 27.0 / 0.65 - 27.0, "limit": 0.0, "curves": 0.0, "surface": 0.0}
    )


@pytest.mark.parametrize("name", ["van_electric", "truck", "walker"])
def test_parts_add_up_to_the_matrix(name: str) -> None:
    """Tests on random networks that stretches and causes add up to the matrix entry, and lines join."""
    profile, found = PROFILES[name], 0
    for seed in range(12):
        network = random_network(seed, 20, 26)
        costs = edge_costs(network, profile)
        places = Snap(np.arange(8), np.full(8, 20.0), np.full(8, 16.0))
        matrix = compute_matrix(network, costs, name, [str(k) for k in range(8)], places)
        for end in range(1, 8):
            leg = explain_leg(network, profile, costs, places, 0, end)
            assert isinstance(leg, NoLeg) == (not matrix.reachable[0, end])
            if isinstance(leg, NoLeg):
                continue
            found += 1
            seconds = sum(part.duration_s for part in leg.segments) + leg.walk_s
            assert seconds <= matrix.duration_s[0, end] + 1e-6 < seconds + 1.0 + 2e-6
            assert sum(part.length_m for part in leg.segments) == pytest.approx(matrix.distance_m[0, end], abs=0.51)
            assert sum(part.energy_wh for part in leg.segments) == pytest.approx(matrix.energy_wh[0, end])
            for part in leg.segments:
                assert part.free_s + sum(part.added_s) == pytest.approx(part.duration_s)
                assert min(part.added_s) > -1e-9
            for one, other in pairwise(leg.segments):
                assert np.array_equal(one.line[-1], other.line[0])
    assert found > 20


def test_geojson_is_complete() -> None:
    """Tests that the GeoJSON is plain JSON, with heights on every point and an elevation profile to the end."""
    leg = leg_of(gorge())
    document = json.loads(json.dumps(leg_geojson(leg), allow_nan=False))
    assert [feature["properties"]["binds"] for feature in document["features"]] == [p.binds for p in leg.segments]
    assert document["features"][1]["geometry"]["coordinates"] == [[1.501, 42.5, 500.0], [1.502, 42.5, 530.0]]
    assert document["features"][1]["properties"]["grade_s"] == pytest.approx(14.5, abs=0.1)
    distances = [at for at, _ in document["elevation_profile"]]
    assert distances == sorted(distances)
    assert document["elevation_profile"][0] == [0.0, 500.0]
    assert document["elevation_profile"][-1] == [pytest.approx(1320.0), 528.0]
    assert document["duration_s"] == leg.duration_s


def test_text_is_readable() -> None:
    """Tests the head lines and one row of the table."""
    text = leg_text(leg_of(gorge())).splitlines()
    assert text[0].startswith("van_diesel: 2:")
    assert "for 1.3 km (0.6 km in a straight line, 2.3 times as far), up 30 m, down 2 m" in text[0]
    assert "grade +0:1" in text[1]
    assert "walked at the ends 12 m 0:10" in text[1]
    assert text[4].split()[:4] == ["Valley", "Road", "primary", "paved"]
    assert len(text) == 9


def test_no_leg_says_why() -> None:
    """Tests an end off the roads and roads that do not join."""
    network = make_network(4, [*both_ways(0, 1), *both_ways(2, 3, way=2)])
    costs = edge_costs(network, VAN)
    places = Snap(np.array([0, 2, -1]), np.zeros(3), np.zeros(3))
    assert explain_leg(network, VAN, costs, places, 0, 1) == NoLeg(
        "No way leads from start to destination for van_diesel."
    )
    assert explain_leg(network, VAN, costs, places, 0, 2) == NoLeg(
        "The destination has no road van_diesel can use within 300 m."
    )
    assert explain_leg(network, VAN, costs, places, 2, 0) == NoLeg(
        "The start has no road van_diesel can use within 300 m."
    )


def test_leg_to_where_one_is() -> None:
    """Tests a leg between places at one node: no stretch, only the walk."""
    network = make_network(2, [Edge(0, 1), Edge(1, 0)])
    places = Snap(np.array([0, 0]), np.array([5.0, 5.0]), np.array([4.0, 4.0]))
    leg = explain_leg(network, VAN, edge_costs(network, VAN), places, 0, 1)
    assert isinstance(leg, LegExplanation)
    assert (leg.segments, leg.duration_s) == ((), 8)
    assert leg_text(leg)
    assert leg_geojson(leg)["features"] == []


def test_leg_of_an_area_keeps_the_days_closures() -> None:
    """Tests the explanation between coordinates on a day with a road closed at noon, and in hours without noon."""

    @dataclasses.dataclass(frozen=True)
    class Area:
        streets: StreetNetwork
        closed: BoolArray

        def closed_today(self, profile: Profile, from_s: int, until_s: int) -> BoolArray:
            return self.closed & (from_s < 43_200 < until_s)

    edges = [*both_ways(0, 1, way=1), *both_ways(0, 2, length_m=300.0, way=2), *both_ways(2, 1, length_m=300.0, way=3)]
    network = make_network(3, edges)
    ends = [(float(network.node_lon[k]), float(network.node_lat[k]) + 0.0001) for k in (0, 1)]
    lengths = []
    for closed, until_h in ((0, 24), (1, 24), (1, 11)):
        hours_s = (0, until_h * 3600)
        leg = explain_site_leg(Area(network, network.edge_way_id == closed), ends[0], ends[1], VAN, hours_s)
        assert isinstance(leg, LegExplanation)
        assert leg.walk_m == pytest.approx(22.2, abs=0.3)
        lengths.append(leg.distance_m)
    assert lengths == [100, 600, 100]


def test_a_load_given_is_the_one_explained() -> None:
    """Tests that text, GeoJSON and energy are for the load given, else for the usual one, and no load for walkers."""
    network, places = gorge(), Snap(np.array([0, 7]), np.zeros(2), np.zeros(2))
    wh = {}
    for given, told in ((0.0, 0.0), (None, VAN.energy.load_kg), (1400.0, 1400.0)):
        costs = edge_costs(network, VAN, load_kg=given)
        leg = explain_leg(network, VAN, costs, places, 0, 1, load_kg=given)
        assert isinstance(leg, LegExplanation)
        assert f" Wh with {told:.0f} kg of goods" in leg_text(leg).splitlines()[0]
        assert leg_geojson(leg)["load_kg"] == told
        wh[told] = sum(part.energy_wh for part in leg.segments)
        assert leg.energy_wh == pytest.approx(wh[told])
    assert wh[0.0] < wh[VAN.energy.load_kg] < wh[1400.0]
    assert "goods" not in leg_text(leg_of(network, PROFILES["walker"]))
