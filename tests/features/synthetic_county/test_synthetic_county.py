"""A small synthetic county, made once: is it a county, and can everything in it be read back?"""

import json
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from geodata.airspace import read_airspace
from geodata.conditional_access import conditionally_closed
from geodata.errors import FaultCollector, InputError
from geodata.gtfs import read_feed, read_gtfs
from geodata.location import Level, great_circle_m
from geodata.matrix import UNREACHABLE_S
from geodata.osm import read_street_network
from geodata.osm_features import read_osm_features
from geodata.osm_tags import HIGHWAYS
from geodata.profiles import EdgeCosts, edge_costs, load_profiles, permissions
from geodata.road_weather import dark_shares, road_clock
from geodata.street_matrix import compute_matrix, snap, strong_parts
from geodata.streets import StreetNetwork, closed_edges, read_closures
from geodata.synthetic import CountySpec
from geodata.terrain import Terrain, read_terrain
from geodata.weather import read_weather
from routing.builder import working_hours
from routing.generation.county import SIZES, CountyPreset, make_synthetic_scenario
from routing.scenario import Scenario, read_scenario

SEED = 2
TINY = CountyPreset(CountySpec("Weiyun", "微云", 12.0, 2, 5, 20, loops=1, village_lines=1), orders=20, pads=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("county") / "small"
    make_synthetic_scenario("small", SEED, out)
    return out


@pytest.fixture(scope="module")
def scenario(folder: Path) -> Scenario:
    return read_scenario(folder)


@pytest.fixture(scope="module")
def terrain(scenario: Scenario) -> Terrain:
    return read_terrain(scenario.files.terrain)


@pytest.fixture(scope="module")
def network(scenario: Scenario, terrain: Terrain) -> StreetNetwork:
    return read_street_network(scenario.files.streets, terrain)


@pytest.fixture(scope="module")
def van(network: StreetNetwork) -> EdgeCosts:
    return edge_costs(network, load_profiles()["van_diesel"])


def test_the_scenario_is_of_the_stated_size(scenario: Scenario) -> None:
    """Tests that the small county has 1 hub, 5 towns, 30 villages, 150 groups and 300 orders, without a fault."""
    count = Counter(site.level for site in scenario.sites)
    assert count == {Level.COUNTY: 1, Level.TOWN: 5, Level.VILLAGE: 30, Level.GROUP: 150}
    assert len(scenario.orders) == 300
    assert scenario.rejected == ()
    assert scenario.name == f"xiaoyun-{SEED}"


def test_everything_is_marked_synthetic(folder: Path, scenario: Scenario) -> None:
    """Tests that every part is named synthetic in scenario.toml and marked in the file itself where it has a place."""
    assert set(scenario.synthetic) >= {"streets", "terrain", "timetable", "sites", "orders", "airspace", "weather"}
    assert all(order.synthetic for order in scenario.orders)
    zones = json.loads((folder / "airspace.geojson").read_text(encoding="utf-8"))["features"]
    assert all(zone["properties"]["synthetic"] for zone in zones)
    assert read_feed(folder / "timetable.zip", FaultCollector())[0].synthetic


def test_same_seed_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Tests that making the county again gives every file byte for byte."""
    make_synthetic_scenario("small", SEED, tmp_path / "again")
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(
        path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*") if path.is_file()
    )
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_roads_keep_the_grades_of_their_class(network: StreetNetwork) -> None:
    """Tests that 95 % of the length of each class, as read from the map and the elevation grid, is within its grade."""
    for name, limit in (("primary", 0.06), ("secondary", 0.09), ("unclassified", 0.125), ("track", 0.16)):
        of_class = network.edge_highway == HIGHWAYS.index(name)
        length, grade = network.edge_length_m[of_class], np.abs(network.edge_grade[of_class])
        assert length[grade <= limit].sum() >= 0.95 * length.sum(), name


def test_there_are_a_tunnel_bridges_and_dead_ends(network: StreetNetwork) -> None:
    """Tests that a tunnel through a ridge, several bridges and several dead ends exist."""
    assert network.edge_length_m[network.edge_tunnel].sum() / 2 > 500.0
    assert 1 < network.edge_length_m[network.edge_bridge].sum() / 2 / 30.0 < 200
    degree = np.bincount(network.edge_from, minlength=network.n_nodes)
    assert np.count_nonzero(degree == 1) > 20


def test_most_sites_are_reached_and_few_are_not(scenario: Scenario, network: StreetNetwork, van: EdgeCosts) -> None:
    """Tests that walkers or vans reach nearly all sites, and that 3 to 10 % of the groups are beyond any van."""
    lon = np.array([site.lon for site in scenario.sites])
    lat = np.array([site.lat for site in scenario.sites])
    reached = snap(network, van, load_profiles()["van_diesel"], lon, lat).node >= 0
    level = np.array([site.level for site in scenario.sites])
    assert reached[level != Level.GROUP].all()
    assert 0.03 <= np.mean(~reached[level == Level.GROUP]) <= 0.10


def test_detours_are_those_of_mountains(scenario: Scenario, network: StreetNetwork, van: EdgeCosts) -> None:
    """Tests that ways between towns and villages are 1.2 to 3.5 times the line between them in the mean."""
    places = [site for site in scenario.sites if site.level is not Level.GROUP]
    lon, lat = np.array([site.lon for site in places]), np.array([site.lat for site in places])
    profile = load_profiles()["van_diesel"]
    snapped = snap(network, van, profile, lon, lat)
    matrix = compute_matrix(network, van, profile.key, [site.id for site in places], snapped)
    air = great_circle_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :])
    assert (matrix.duration_s < UNREACHABLE_S).all()
    off = ~np.eye(len(places), dtype=bool)
    assert 1.2 < float(np.mean(matrix.distance_m[off] / air[off])) < 3.5


def test_a_day_holds_every_kind_of_trouble(scenario: Scenario, network: StreetNetwork, van: EdgeCosts) -> None:
    """Tests closures of all kinds, forbidden turns, narrow and weak roads, fog, rain, and zones of all kinds."""
    closures = {closure.id: closure for closure in read_closures(scenario.files.closures)}
    assert {closure.geometry.geom_type for closure in closures.values()} == {"LineString", "Polygon"}
    winter = closed_edges(network, [closures["snow"]], date(2026, 1, 10), 0, 86_400)
    assert winter.any()
    assert not closed_edges(network, [closures["snow"]], scenario.service_date, 0, 86_400).any()
    works = closed_edges(network, [closures["works"]], scenario.service_date, 0, 86_400, profile_id="truck")
    assert works.any()
    assert not closed_edges(
        network, [closures["works"]], scenario.service_date, 0, 86_400, profile_id="van_diesel"
    ).any()
    assert network.turn_bans
    assert van.turns.bans
    assert np.isfinite(network.edge_max_width_m).any()
    assert np.isfinite(network.edge_max_weight_kg).any()
    low = permissions(network, load_profiles()["truck"])["height"]
    assert not low.all()
    assert permissions(network, load_profiles()["reefer"])["height"].all()
    hours = read_weather(scenario.files.weather).hours
    assert min(hour.visibility_m for hour in hours) < 200
    assert max(hour.rain_mm_h for hour in hours) > 0.2
    zones = read_airspace(scenario.files.airspace).zones
    assert {"no_fly", "controlled", "corridor"} == {zone.kind for zone in zones}
    assert [zone.id for zone in zones if not zone.is_permanent] == ["t1"]
    profiles = load_profiles()
    stands = {scenario.vehicle_types[stand.type] for stand in scenario.stands if stand.type in scenario.vehicle_types}
    assert {"diesel", "electric"} <= {profiles[vehicle.profile].energy_source for vehicle in stands}
    assert any(vehicle.range_wh for vehicle in stands)


def test_the_market_shuts_a_road_on_weekdays(scenario: Scenario, network: StreetNetwork) -> None:
    """Tests that the morning market closes a road to all on the date, not on Sunday, and cuts no village off."""
    profiles, sunday = load_profiles(), date(2026, 6, 14)
    van = profiles["van_diesel"]
    market = conditionally_closed(network, van, scenario.service_date)
    assert market.any()
    assert np.array_equal(market, conditionally_closed(network, profiles["walker"], scenario.service_date))
    assert not conditionally_closed(network, van, sunday).any()
    closures = read_closures(scenario.files.closures)
    slid = closed_edges(network, closures, scenario.service_date, 0, 86_400, profile_id="van_diesel")
    villages = [site for site in scenario.sites if site.level is not Level.GROUP]
    lon, lat = np.array([site.lon for site in villages]), np.array([site.lat for site in villages])
    parts = []
    for closed in (slid, slid | market):
        costs = edge_costs(network, van, closed)
        nodes = snap(network, costs, van, lon, lat).node
        assert (nodes >= 0).all()
        parts.append(np.unique(strong_parts(network, costs)[nodes]).size)
    assert parts[0] == parts[1]


def test_fog_slows_the_working_hours_and_darkness_only_others(scenario: Scenario, network: StreetNetwork) -> None:
    """Tests that in June all hours of work are light, so that only fog and rain slow them, and nights are dark."""
    weather, van = read_weather(scenario.files.weather), load_profiles()["van_diesel"]
    clock = road_clock(van, network, weather, scenario.service_date, ZoneInfo(scenario.timezone))
    assert clock is not None
    assert clock.factors[2] <= van.weather["night"]
    from_s, until_s = working_hours(scenario)
    where = (scenario.service_date, network.frame.lon, network.frame.lat)
    dark = dark_shares(*where, timezone=ZoneInfo(scenario.timezone))
    assert not dark[from_s // 3600 : until_s // 3600 + 1].any()
    assert min(clock.factors[from_s // 3600 : until_s // 3600 + 1]) < 1.0


def test_the_closure_closes_a_road(scenario: Scenario, network: StreetNetwork) -> None:
    """Tests that the landslide closes some edges, not many, and nobody is cut off by it who was not before."""
    closures = read_closures(scenario.files.closures)
    closed = closed_edges(network, closures, scenario.service_date, 0, 86_400, profile_id="van_diesel")
    assert 2 <= np.count_nonzero(closed) <= 80
    profile = load_profiles()["van_diesel"]
    lon = np.array([site.lon for site in scenario.sites])
    lat = np.array([site.lat for site in scenario.sites])
    before = snap(network, edge_costs(network, profile), profile, lon, lat).node >= 0
    after = snap(network, edge_costs(network, profile, closed), profile, lon, lat).node >= 0
    villages = np.array([site.level is not Level.GROUP for site in scenario.sites])
    assert np.array_equal(before[villages], after[villages])


def test_buses_run_within_their_hours_and_link_sites(scenario: Scenario) -> None:
    """Tests that every line has trips on the date, all between 06:30 and 17:30, with cargo space and linked stops."""
    timetable = read_gtfs(scenario.files.timetable, scenario.service_date)
    assert timetable.warnings == ()
    assert len(timetable.lines) >= SIZES["small"].spec.towns
    assert {trip.line_id for trip in timetable.trips} == set(timetable.lines)
    assert all(trip.departure_s >= 23_400 and trip.arrival_s <= 63_000 for trip in timetable.trips)
    assert {cargo.max_kg for cargo in timetable.cargo_trips.values()} <= {135.0, 105.0, 108.0, 84.0}
    linked = {stop_id for site in scenario.sites for stop_id in site.bus_stop_ids}
    assert {stop.stop_id for stop in timetable.cargo_stops} <= linked
    hub = next(site for site in scenario.sites if site.level is Level.COUNTY)
    starts = {trip.calls[0].stop_id for trip in timetable.trips} | {trip.calls[-1].stop_id for trip in timetable.trips}
    assert set(hub.bus_stop_ids) & starts


def test_market_days_lower_the_space_for_cargo(folder: Path) -> None:
    """Tests that within five days each line has exactly one market day, and less space on it."""
    feed, _ = read_feed(folder / "timetable.zip", FaultCollector())
    by_service = {service.id: service for service in feed.services}
    space = {cargo.trip_id: cargo.max_kg for cargo in feed.cargo_trips}
    luggage = {cargo.trip_id: cargo.luggage_share for cargo in feed.cargo_trips}
    for trip in feed.trips:
        if trip.service_id.endswith("-market"):
            common = trip.id.replace("-market-", "-common-")
            assert space[trip.id] == pytest.approx(space[common] * 7 / 9, abs=0.1)
            assert (luggage[common], luggage[trip.id]) == (0.1, 0.3)
    market = next(service for name, service in sorted(by_service.items()) if name.endswith("-market"))
    days = sorted(market.dates())
    assert {(b - a).days for a, b in pairwise(days)} == {5}


def test_bus_riding_times_are_the_streets_own(scenario: Scenario, network: StreetNetwork, van: EdgeCosts) -> None:
    """Tests that no bus is faster from end to end than a van on the same streets would be."""
    timetable = read_gtfs(scenario.files.timetable, scenario.service_date)
    profile = load_profiles()["van_diesel"]
    for trip in timetable.trips[:20]:
        ends = [timetable.stops[trip.calls[k].stop_id] for k in (0, -1)]
        lon, lat = np.array([stop.lon for stop in ends]), np.array([stop.lat for stop in ends])
        snapped = snap(network, van, profile, lon, lat)
        direct_s = compute_matrix(network, van, profile.key, ["a", "b"], snapped).duration_s[0, 1]
        assert trip.arrival_s - trip.departure_s >= 0.95 * direct_s


def test_the_afternoon_is_windy_and_the_morning_cool(scenario: Scenario) -> None:
    """Tests that drones stand still at some hour from 11:00 to 16:00, not before 10:00, and mornings are cool."""
    weather = read_weather(scenario.files.weather)
    limit = min(service.physics.wind_limit_m_s for service in scenario.drone_services.values())
    too_windy = {hour.hour for hour in weather.hours if hour.peak_wind_m_s > limit}
    assert too_windy
    assert too_windy <= set(range(11, 17))
    assert 12.0 < weather.ambient_c(6.5 * 3_600, weather.ref_elevation_m) < 17.0
    assert 26.0 < weather.ambient_c(15.5 * 3_600, weather.ref_elevation_m) < 30.0


def test_airspace_has_all_kinds_and_leaves_the_pads_free(scenario: Scenario) -> None:
    """Tests that there are no-fly and controlled areas and a corridor, and that no pad lies in a barred area."""
    zones = read_airspace(scenario.files.airspace).zones
    assert {zone.kind for zone in zones} == {"no_fly", "controlled", "corridor"}
    assert 4 <= len(zones) <= 8
    pads = [site for site in scenario.sites if site.drone_pads]
    assert len(pads) == 2
    barred = shapely.union_all([zone.geometry for zone in zones if zone.kind != "corridor"])
    assert not any(barred.contains(shapely.Point(pad.lon, pad.lat)) for pad in pads)


def test_the_map_tells_of_places_stops_lines_and_facilities(scenario: Scenario) -> None:
    """Tests that the extract, read as any map, has the hub as its largest place, bus lines both ways and facilities."""
    features = read_osm_features(scenario.files.streets)
    largest = max(features.places, key=lambda place: place.population or 0)
    hub = next(site for site in scenario.sites if site.level is Level.COUNTY)
    assert largest.name == hub.name
    assert len(features.places) == len(scenario.sites)
    assert len(features.bus_lines) == 14
    assert all(line.missing_stops == 0 and len(line.stops) >= 2 for line in features.bus_lines)
    assert {area.kind for area in features.areas} >= {"aerodrome", "substation", "waterworks", "heliport"}


def test_an_unknown_size_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """Tests that a misspelt size names the size meant, and writes nothing."""
    with pytest.raises(InputError) as caught:
        make_synthetic_scenario("smal", 1, tmp_path / "out")
    assert "'small'" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_when_making_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a failure after streets and terrain are written leaves neither the folder nor a staging folder."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(SIZES, "small", TINY)
    monkeypatch.setattr("routing.generation.county.write_scenario", fail)
    with pytest.raises(InputError, match="No space left"):
        make_synthetic_scenario("small", 1, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(4))
def test_other_seeds_make_other_sound_counties(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that very small counties of several seeds are read without a fault and have their buses."""
    monkeypatch.setitem(SIZES, "small", TINY)
    make_synthetic_scenario("small", seed, tmp_path / "out")
    scenario = read_scenario(tmp_path / "out")
    assert len(scenario.sites) == 1 + 2 + 5 + 20
    assert read_gtfs(scenario.files.timetable, scenario.service_date).trips
