"""Scenarios from OSM extracts: the usual valley, and every odd map an extract can be."""

import csv
import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from osm_maps import HandMap, valley, write_terrain

from geodata.airspace import read_airspace
from geodata.errors import InputError
from geodata.gtfs import read_gtfs
from geodata.weather import read_weather
from routing.generation.osm_scenario import SERVICE_DATE, make_osm_scenario
from routing.scenario import Scenario, read_scenario


def make(tmp_path: Path, osm: HandMap, orders: int = 12, **options: object) -> Scenario:
    """Make a scenario of a map and read it back as the planner does."""
    extract, out = osm.write(tmp_path / "map.osm"), tmp_path / "out"
    make_osm_scenario(extract, [write_terrain(tmp_path / "dem.tif")], out, orders=orders, seed=1, **options)
    return read_scenario(out)


def parents(scenario: Scenario) -> dict[str, str | None]:
    """Return the name of each site's parent by name of the site, without hub and towns."""
    names = {site.id: site.name for site in scenario.sites}
    return {s.name: names.get(s.parent or "") for s in scenario.sites if s.level in ("village", "group")}


def notes(tmp_path: Path) -> str:
    """Return the report of the scenario."""
    return (tmp_path / "out" / "scenario_notes.md").read_text(encoding="utf-8")


def test_the_valley_becomes_a_whole_scenario(tmp_path: Path) -> None:
    """Tests that levels, parents, buses, pads, airspace and weather of a usual map come out and read back."""
    scenario = make(tmp_path, valley())
    levels = [(site.name, site.level.value) for site in scenario.sites]
    assert levels == [
        ("West", "county"),
        ("West", "town"),
        ("East", "town"),
        ("Edge", "village"),
        ("Branch", "village"),
        ("Top", "group"),
        ("Peak", "group"),
        ("Lea", "group"),
        ("Scar", "group"),
    ]
    assert parents(scenario) == {
        "Edge": "West",
        "Branch": "West",
        "Top": "Branch",
        "Peak": "East",
        "Lea": "West",
        "Scar": "East",
    }
    assert len(scenario.orders) == 12
    assert scenario.synthetic == ("sites", "orders", "fleet", "weather", "timetable")
    assert any("OpenStreetMap" in text for text in scenario.credits)
    assert [site.id for site in scenario.sites if site.drone_pads] == [scenario.sites[0].id, scenario.sites[2].id]
    zones = read_airspace(tmp_path / "out" / "airspace.geojson").zones
    assert [(zone.kind, zone.name) for zone in zones] == [("controlled", "Pad"), ("no_fly", "substation")]
    assert max(hour.peak_wind_m_s for hour in read_weather(tmp_path / "out" / "weather.csv").hours) > 12
    assert "No van reaches these 2 sites" in notes(tmp_path)
    assert "1 protected areas are not forbidden" in notes(tmp_path)


def test_the_bus_line_runs_both_ways_and_serves_sites_in_reach(tmp_path: Path) -> None:
    """Tests that a line without tags runs by the stated defaults on the streets, and that only near sites are tied."""
    scenario = make(tmp_path, valley())
    timetable = read_gtfs(tmp_path / "out" / "timetable.zip", scenario.service_date)
    assert scenario.service_date == SERVICE_DATE
    assert timetable.synthetic
    starts = [trip.departure_s for trip in timetable.trips if trip.direction == 0]
    assert starts == [23_400 + k * 7_200 for k in range(6)]
    assert {trip.direction for trip in timetable.trips} == {0, 1}
    assert max(trip.arrival_s for trip in timetable.trips) <= 17.5 * 3600
    first = timetable.trip_by_id[f"{timetable.trips[0].line_id}-out-0630"]
    assert len(first.calls) == 4
    minutes = (first.arrival_s - first.departure_s) / 60
    assert 15 < minutes < 60  # 20 km of secondary road
    room = timetable.cargo_trips[first.id]
    assert (room.max_kg, room.max_l, room.max_piece_kg, room.max_longest_cm) == (135.0, 1_080.0, 30.0, 100.0)
    names = {site.id: (site.name, site.level.value) for site in scenario.sites}
    served = {names[link.site_id] for link in timetable.cargo_stops}
    assert served == {("West", "county"), ("West", "town"), ("Edge", "village"), ("East", "town")}
    hub = next(link for link in timetable.cargo_stops if names[link.site_id][1] == "county")
    assert hub.cutoff_s > 900  # the walk to the stop on top of the terminal's cut-off
    course = timetable.course(first, 0, 3)
    assert len(course) > 10
    assert min(lat for _, lat in course) < 27.0001  # along the road, not from stop to stop


def test_population_is_taken_from_the_file_first(tmp_path: Path) -> None:
    """Tests that a population file moves the hub, matches names by sense and distance, and names what fits nothing."""
    (tmp_path / "people.csv").write_text(
        "name,latitude,longitude,population\nEast,27.001,100.198,12000\nedge,27.0,100.121,800\nEdge,27.9,100.9,7\n"
    )
    scenario = make(tmp_path, valley(), population=tmp_path / "people.csv")
    people = {site.name: site.population for site in scenario.sites if site.level != "county"}
    assert scenario.sites[0].name == "East"
    assert people == {
        "West": 9_000,
        "East": 12_000,
        "Edge": 800,
        "Branch": 300,
        "Top": 40,
        "Peak": 5,
        "Lea": 40,
        "Scar": 5,
    }
    assert "rows of the population file: Edge" in notes(tmp_path)
    assert any("GeoNames" in text for text in scenario.credits)


def test_a_faulty_population_file(tmp_path: Path) -> None:
    """Tests that every bad row of a population file is named, and nothing is written."""
    (tmp_path / "people.csv").write_text("name,lat,lng,population\nA,27,100,many\nB,270,100,5\n")
    with pytest.raises(InputError) as caught:
        make(tmp_path, valley(), population=tmp_path / "people.csv")
    assert [(f.code, f.row, f.field) for f in caught.value.faults] == [
        ("BAD_VALUE", 2, "population"),
        ("BAD_VALUE", 3, "latitude"),
    ]
    assert not (tmp_path / "out").exists()


def only_a_place() -> HandMap:
    """Return a map of one hamlet at a road."""
    osm = HandMap()
    osm.road([(100.0, 27.0), (100.02, 27.0)])
    osm.node(100.01, 27.0002, place="hamlet", name="Alone")
    return osm


def no_towns() -> HandMap:
    """Return a map of villages and a farm, no town, no boundary, no bus."""
    osm = HandMap()
    osm.road([(100.0, 27.0), (100.2, 27.0)])
    for k, people in enumerate(("", "900", "400")):
        tags = {"population": people} if people else {}
        osm.node(100.0 + k / 20, 27.0003, place="village", name=f"V{k}", **tags)
    osm.node(100.11, 27.0002, place="farm")
    return osm


def places_as_areas() -> HandMap:
    """Return a map whose settlements are mapped as areas only."""
    osm = HandMap()
    osm.road([(100.0, 27.0), (100.1, 27.0)])
    osm.box(100.0, 27.0, 100.01, 27.01, place="town", name="T")
    osm.box(100.05, 27.0, 100.06, 27.01, place="village", name="V")
    return osm


def two_valleys() -> HandMap:
    """Return a map of two road parts that do not meet, with a town each."""
    osm = HandMap()
    osm.road([(100.0, 27.0), (100.05, 27.0)])
    osm.road([(100.0, 27.1), (100.05, 27.1)])
    for lat, name, people in ((27.0, "South", "5000"), (27.1, "North", "3000")):
        osm.node(100.001, lat + 0.0003, place="town", name=name, population=people)
        osm.node(100.049, lat + 0.0003, place="village", name=f"{name} village")
    return osm


def names_twice() -> HandMap:
    """Return a map with two villages of one name and a bus line with one stop inside the map."""
    osm = HandMap()
    osm.road([(100.0, 27.0), (100.1, 27.0)])
    osm.node(100.0, 27.0003, place="town", name="T")
    for lon in (100.03, 100.09):
        osm.node(lon, 27.0003, place="village", name="Twin")
    stop = osm.node(100.03, 27.0001, highway="bus_stop")
    osm.relation([("node", stop, "stop"), ("node", 9_999, "stop")], type="route", route="bus", ref="1")
    return osm


@pytest.mark.parametrize(
    ("odd_map", "sites", "said"),
    [
        (only_a_place, {"Alone": ("county", None)}, "no city or town: Alone serves"),
        (no_towns, {"V1": ("county", None), "V0": ("village", "V1"), "V2": ("village", "V1")}, "no bus line"),
        (places_as_areas, {"T": ("county", None), "V": ("village", "T")}, "no population is known"),
        (two_valleys, {"South": ("county", None), "North village": ("village", "North")}, "No van reaches these 2"),
        (names_twice, {"Twin": ("village", "T")}, "fewer than two halts"),
    ],
)
def test_odd_maps(
    tmp_path: Path,
    odd_map: Callable[[], HandMap],
    sites: dict[str, tuple[str, str | None]],
    said: str,
) -> None:
    """Tests that maps without towns, areas, buses or joined roads still make a scenario, and that it is said how."""
    scenario = make(tmp_path, odd_map(), orders=5)
    names = {site.id: site.name for site in scenario.sites}
    for name, (level, parent) in sites.items():
        assert (level, parent) in [(s.level, names.get(s.parent or "")) for s in scenario.sites if s.name == name]
    assert said in notes(tmp_path)
    assert len(scenario.orders) == 5
    assert not (tmp_path / "out" / "timetable.zip").exists()


def test_voids_in_the_terrain_are_filled_and_told(tmp_path: Path) -> None:
    """Tests that a hole in the elevation tile does not stop a scenario."""
    tile = write_terrain(tmp_path / "dem.tif")
    with rasterio.open(tile, "r+") as dataset:
        heights = dataset.read(1)
        heights[60:70, 50:70] = np.nan
        dataset.write(heights, 1)
    out = tmp_path / "out"
    make_osm_scenario(valley().write(tmp_path / "map.osm"), [tile], out, orders=3)
    assert "of the terrain were voids" in notes(tmp_path)
    assert len(read_scenario(out).orders) == 3


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    """Tests that runs agree in every file, that a seed changes orders and weather, and that a scenario is replaced."""

    def digests(seed: int) -> dict[str, str]:
        make_osm_scenario(tmp_path / "map.osm", [tmp_path / "dem.tif"], tmp_path / "out", orders=9, seed=seed)
        files = sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file())
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    valley().write(tmp_path / "map.osm")
    write_terrain(tmp_path / "dem.tif")
    first = digests(1)
    assert digests(1) == first
    changed = {name for name, digest in digests(2).items() if digest != first[name]}
    assert changed == {"orders.csv", "weather.csv", "scenario_notes.md"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dem.tif", "map.osm", "out"]


def test_everything_made_up_is_marked(tmp_path: Path) -> None:
    """Tests that synthetic sites and orders carry the mark in their tables, and that real files are copied whole."""
    make(tmp_path, valley())
    out = tmp_path / "out"
    config = tomllib.loads((out / "scenario.toml").read_text(encoding="utf-8"))
    assert {"sites", "orders", "fleet", "weather", "timetable"} == set(config["synthetic"])
    assert (out / config["files"]["streets"]).read_bytes() == (tmp_path / "map.osm").read_bytes()
    assert (out / config["files"]["terrain"][0]).read_bytes() == (tmp_path / "dem.tif").read_bytes()
    with (out / "orders.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 12


def test_tiles_of_one_name_and_names_with_slashes(tmp_path: Path) -> None:
    """Tests that two tiles of one file name are both kept, that a name can be a folder's, and that no order is fine."""
    tiles = []
    for k, west in enumerate((99.9, 100.1)):
        (tmp_path / f"{k}").mkdir()
        tiles.append(write_terrain(tmp_path / f"{k}" / "dem.tif", (west, 26.9, west + 0.2, 27.2)))
    extract, out = valley().write(tmp_path / "map.osm"), tmp_path / "out"
    make_osm_scenario(extract, [*tiles, tiles[0]], out, orders=0, name="West/East: valley")
    scenario = read_scenario(out)
    assert (scenario.name, len(scenario.orders), len(scenario.files.terrain)) == ("West-East- valley", 0, 2)


def without_places() -> HandMap:
    """Return a map of a road alone."""
    osm = HandMap()
    osm.road([(100.0, 27.0), (100.02, 27.0)])
    return osm


def without_roads() -> HandMap:
    """Return a map of a town alone."""
    osm = HandMap()
    osm.node(100.0, 27.0, place="town", name="T")
    return osm


def beyond_the_terrain() -> HandMap:
    """Return a map with a village where the test's terrain has ended."""
    osm = HandMap()
    osm.road([(100.0, 27.0), (100.2, 27.0)])
    osm.node(100.0, 27.0, place="town", name="T")
    osm.node(100.9, 27.0, place="village", name="Far")
    return osm


@pytest.mark.parametrize(
    ("bad_map", "code"),
    [(without_places, "NO_PLACES"), (without_roads, "NO_ROADS"), (beyond_the_terrain, "TERRAIN_NOT_COVERING")],
)
def test_maps_that_cannot_be_used(tmp_path: Path, bad_map: Callable[[], HandMap], code: str) -> None:
    """Tests that a map without places, without roads or off the terrain is refused by name, and nothing is left."""
    with pytest.raises(InputError) as caught:
        make(tmp_path, bad_map())
    assert [fault.code for fault in caught.value.faults] == [code]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dem.tif", "map.osm"]


def test_bad_arguments_come_at_once(tmp_path: Path) -> None:
    """Tests that a missing extract, a missing tile and a taken folder are told together, and nothing is touched."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(InputError) as caught:
        make_osm_scenario(tmp_path / "a.pbf", [tmp_path / "b.hgt"], tmp_path / "mine", orders=-1)
    codes = [fault.code for fault in caught.value.faults]
    assert codes == ["MISSING_FILE", "MISSING_FILE", "OUT_OF_RANGE", "OUTPUT_TAKEN"]
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
    with pytest.raises(InputError, match="TERRAIN_MISSING"):
        make_osm_scenario(valley().write(tmp_path / "map.osm"), [], tmp_path / "out")


def test_a_failure_leaves_the_old_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a run that breaks while writing leaves the scenario made before as it was."""
    make(tmp_path, valley())
    before = (tmp_path / "out" / "orders.csv").read_bytes()
    monkeypatch.setattr("routing.generation.osm_scenario.write_scenario", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make(tmp_path, valley(), orders=3)
    assert (tmp_path / "out" / "orders.csv").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dem.tif", "map.osm", "out"]


@pytest.mark.real_data
def test_the_andorra_day(shared_data: Path, tmp_path: Path) -> None:
    """Tests what is known of Andorra: hub and town at one place, parishes as parents, three lines, no line invented."""
    folder = shared_data / "andorra"
    make_osm_scenario(
        folder / "andorra-20250118.osm.pbf",
        [folder / "N42E001.hgt.zip"],
        tmp_path / "out",
        population=folder / "population_geonames.csv",
        orders=400,
        seed=1,
    )
    scenario = read_scenario(tmp_path / "out")
    levels = [site.level.value for site in scenario.sites]
    assert {level: levels.count(level) for level in set(levels)} == {"county": 1, "town": 7, "village": 34, "group": 32}
    assert len({site.id for site in scenario.sites}) == len(scenario.sites)
    by_name = parents(scenario)
    assert (scenario.sites[0].name, by_name["Pas de la Casa"], by_name["Santa Coloma"]) == (
        "Andorra la Vella",
        "Encamp",
        "Andorra la Vella",
    )
    assert {"Ràmio", "Entremesaigües"} <= {site.name for site in scenario.sites}
    assert "Ràmio (n6312742113), Entremesaigües (n6533776954)" in notes(tmp_path)
    timetable = read_gtfs(tmp_path / "out" / "timetable.zip", scenario.service_date)
    assert [line.name for line in timetable.lines.values()] == ["L1", "L2", "L4"]
    served = {site.name for site in scenario.sites if site.bus_stop_ids and site.level == "town"}
    assert served == {"Andorra la Vella", "les Escaldes", "Encamp", "Canillo", "Sant Julià de Lòria"}
    assert len(scenario.orders) == 400


@pytest.mark.real_data
def test_the_mini_extract(shared_data: Path, tmp_path: Path) -> None:
    """Tests that an extract with hardly any stops and no bus line makes a scenario without a timetable."""
    folder = shared_data / "andorra"
    tile = [folder / "N42E001.hgt.zip"]
    make_osm_scenario(folder / "andorra-2013-small.osm.pbf", tile, tmp_path / "out", orders=20)
    scenario = read_scenario(tmp_path / "out")
    assert (len(scenario.orders), scenario.files.timetable) == (20, None)
