"""Unit tests of the report on how sites are tied to the roads (geodata.site_access)."""

import dataclasses

import numpy as np
import pytest
from street_cases import FlatTerrain, both_ways, make_network, write_osm

from geodata.location import Level, Site
from geodata.osm import read_street_network
from geodata.profiles import load_profiles
from geodata.site_access import ProfileAccess, access_text, site_access, unreached_by_level
from geodata.streets import StreetNetwork

PROFILES = load_profiles()
NAMES = ("van_diesel", "truck", "walker")
CHOSEN = tuple(PROFILES[name] for name in NAMES)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> StreetNetwork:
    """Main road 1-2-3-4; a narrow road 3-5; a muddy one 4-6; a short road 7-8 joined to nothing."""
    nodes = {k: (1.5 + 0.004 * k, 42.5) for k in range(1, 5)}
    nodes |= {5: (1.512, 42.51), 6: (1.516, 42.49), 7: (1.6, 42.5), 8: (1.601, 42.5)}
    ways = {
        10: ([1, 2, 3, 4], {"highway": "primary"}),
        20: ([3, 5], {"highway": "unclassified", "maxwidth": "1.9"}),
        30: ([4, 6], {"highway": "track", "tracktype": "grade5", "surface": "mud"}),
        40: ([7, 8], {"highway": "residential"}),
    }
    return read_street_network(write_osm(tmp_path_factory.mktemp("x") / "x.osm", nodes, ways), FlatTerrain())


def report(network: StreetNetwork, lon: float, lat: float) -> dict[str, ProfileAccess]:
    (found,) = site_access(network, [Site("s", "Site", Level.VILLAGE, lon, lat)], CHOSEN)
    return {entry.profile_id: entry for entry in found.profiles}


def test_site_at_the_main_road(network: StreetNetwork) -> None:
    """Tests a site all can reach: distance, part and no remedy."""
    found = report(network, 1.508, 42.5005)
    for entry in found.values():
        assert (entry.status, entry.remedy, entry.barred_by) == ("reached", "", ())
        assert entry.distance_m == pytest.approx(55.6, abs=0.5)
    assert found["van_diesel"].part_nodes == 5
    assert found["walker"].part_nodes == 6


def test_road_too_narrow_for_the_truck(network: StreetNetwork) -> None:
    """Tests that what bars a profile is named, with the way."""
    found = report(network, 1.512, 42.51)
    assert found["van_diesel"].status == "reached"
    assert (found["truck"].status, found["truck"].barred_by) == ("barred", ("width",))
    assert "OSM way 20" in found["truck"].remedy
    assert "narrower" in found["truck"].remedy


def test_every_rule_has_a_remedy() -> None:
    """Tests that whatever keeps a profile off a road is told with what to mend: a road each rule forbids to trucks."""
    for rule, edge in {
        "access": {"heavy": 0},
        "class": {"highway": "path"},
        "surface": {"surface": "mud"},
        "track grade": {"highway": "track", "tracktype": "grade5"},
        "grade": {"grade": 0.3},
        "width": {"max_width_m": 1.0},
        "height": {"max_height_m": 1.0},
        "weight": {"max_weight_kg": 100.0},
    }.items():
        truck = dataclasses.replace(PROFILES["truck"], max_grade=0.2, surface={"paved": 1.0})
        network = make_network(3, [*both_ways(0, 1, **edge), *both_ways(1, 2, **edge)])
        site = Site("s", "Site", Level.VILLAGE, float(network.node_lon[1]), 42.5)
        (found,) = site_access(network, [site], [truck])
        assert found.profiles[0].barred_by == (rule,)
        assert "check" in found.profiles[0].remedy or "use" in found.profiles[0].remedy


def test_track_too_poor_for_vans(network: StreetNetwork) -> None:
    """Tests a road of too poor a track grade, which walkers use."""
    found = report(network, 1.516, 42.49)
    assert found["van_diesel"].barred_by == ("track grade",)
    assert found["walker"].status == "reached"


def test_road_that_joins_nothing(network: StreetNetwork) -> None:
    """Tests that a site at an island of road is cut off, with the node to look at."""
    found = report(network, 1.6, 42.5)
    assert {entry.status for entry in found.values()} == {"cut_off"}
    assert "OSM node 7" in found["van_diesel"].remedy
    assert found["van_diesel"].part_nodes == 2


def test_site_without_road(network: StreetNetwork) -> None:
    """Tests that sites off the roads are normal: far for vehicles, in reach of walkers, or with no road at all."""
    off = report(network, 1.508, 42.506)
    assert [off[name].status for name in NAMES] == ["too_far", "too_far", "reached"]
    remote = report(network, 1.9, 42.9)
    assert {entry.status for entry in remote.values()} == {"no_road"}
    assert np.isnan(remote["van_diesel"].distance_m)


def test_closed_roads_are_named(network: StreetNetwork) -> None:
    """Tests that a road closed that day is told as the reason."""
    site = Site("s", "Site", Level.VILLAGE, 1.512, 42.51)
    closed = {"van_diesel": network.edge_way_id == 20}
    (found,) = site_access(network, [site], CHOSEN[:1], closed)
    assert found.profiles[0].barred_by == ("closed",)


def test_report_for_people(network: StreetNetwork) -> None:
    """Tests the counts by level and profile, and that only sites that lack something get a paragraph."""
    sites = [
        Site("a", "Hub", Level.COUNTY, 1.508, 42.5),
        Site("b", "Narrow", Level.VILLAGE, 1.512, 42.51),
        Site("c", "Peak", Level.GROUP, 1.508, 42.53),
    ]
    found = site_access(network, sites, CHOSEN)
    assert unreached_by_level(found) == {
        "county": {"van_diesel": 0, "truck": 0, "walker": 0},
        "village": {"van_diesel": 0, "truck": 1, "walker": 0},
        "group": {"van_diesel": 1, "truck": 1, "walker": 1},
    }
    text = access_text(found).splitlines()
    assert text[0] == "county: 1 sites; all reached by every profile"
    assert text[1] == "village: 1 sites; not reached by truck 1"
    assert not any("Hub" in line for line in text)
    assert any(line.startswith("c Peak (group): road at 22") and "OSM way" in line for line in text)
    assert any("too_far for van_diesel, truck, walker" in line for line in text)
