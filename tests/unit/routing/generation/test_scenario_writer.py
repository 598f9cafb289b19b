import json
import tomllib
from datetime import date
from pathlib import Path

import pytest
import shapely

from geodata.airspace import Airspace, Zone, read_airspace
from geodata.location import Level, Site
from geodata.weather import Weather, WeatherHour, read_weather
from routing.generation.fleet import default_fleet
from routing.generation.writer import (
    ScenarioConfig,
    feature_collection,
    fleet_toml,
    orders_csv,
    scenario_toml,
    sites_csv,
    weather_csv,
    write_scenario,
)
from routing.model.order import Order

HUB = Site("hub", "云岭县城", Level.COUNTY, 104.9, 27.2)
VILLAGE = Site("v1", 'A "new" village, upper', Level.VILLAGE, 104.91, 27.21, "hub", bus_stop_ids=("n1", "n2"))
ORDER = Order("d1", "hub", "v1", 0.5, 4.0)


def test_columns_at_their_default_are_left_out() -> None:
    """Tests that only required columns and those in use are written."""
    assert orders_csv([ORDER]) == "id,from_site,to_site,weight_kg,volume_l\nd1,hub,v1,0.5,4\n"
    assert orders_csv([]) == "id,from_site,to_site,weight_kg,volume_l\n"
    assert sites_csv([HUB, VILLAGE]).splitlines() == [
        "id,name,level,lon,lat,parent,bus_stop_ids",
        "hub,云岭县城,county,104.9000000,27.2000000,,",
        'v1,"A ""new"" village, upper",village,104.9100000,27.2100000,hub,n1;n2',
    ]


def test_one_window_becomes_two_columns() -> None:
    """Tests that a window is written as start and end, and stays empty for orders without one."""
    windowed = Order("d2", "hub", "v1", 1.0, 1.0, windows=((30_000, 40_000),))
    assert orders_csv([ORDER, windowed]).splitlines() == [
        "id,from_site,to_site,weight_kg,volume_l,window_start_s,window_end_s",
        "d1,hub,v1,0.5,4,,",
        "d2,hub,v1,1,1,30000,40000",
    ]


def test_two_windows_are_refused() -> None:
    """Tests that an order with two windows is not written with one of them lost."""
    with pytest.raises(ValueError, match="2 windows"):
        orders_csv([Order("d1", "hub", "v1", 1.0, 1.0, windows=((1, 2), (3, 4)))])


def test_scenario_toml_reads_back() -> None:
    """Tests that names with quotes and Chinese, lists and comments survive TOML."""
    config = ScenarioConfig('Yun"ling 云岭', date(2026, 6, 10), "a.pbf", credits=("c",), notes=("first", "second"))
    text = scenario_toml(config, {"streets": "a.pbf", "terrain": ["t/a.tif", "t/b.tif"]})
    assert text.startswith("# first\n# second\n")
    document = tomllib.loads(text)
    assert document["name"] == 'Yun"ling 云岭'
    assert document["service_date"] == "2026-06-10"
    assert document["files"]["terrain"] == ["t/a.tif", "t/b.tif"]
    assert document["costs"]["diesel_per_l"] == 750


def test_fleet_toml_holds_every_field_and_stand() -> None:
    """Tests that types keep compartments and shifts, and stands follow them."""
    fleet = default_fleet([HUB, VILLAGE], "hub", ["hub"], orders=100)
    document = tomllib.loads(fleet_toml(fleet, synthetic=True))
    reefer = next(vehicle for vehicle in document["vehicle"] if vehicle["id"] == "reefer_van")
    assert reefer["compartments"][0]["set_point_c"] == 2
    assert len(reefer["shift"]) == 2
    assert {drone["id"] for drone in document["drone"]} == {"L", "M"}
    assert {"type": "L", "site": "hub", "count": 1, "operator": "drone"} in document["stand"]


def test_weather_reads_back(tmp_path: Path) -> None:
    """Tests that the weather table read is the one written."""
    for gain in (0.0, 0.6):
        hours = tuple(WeatherHour(h, 10.0 + h, 2.5, 180.0, 4.0, 9_000.0, 0.5) for h in range(24))
        weather = Weather(hours, 812.5, gain)
        (tmp_path / "weather.csv").write_text(weather_csv(weather), encoding="utf-8")
        assert read_weather(tmp_path / "weather.csv") == weather


def test_optional_parts_are_written_only_where_given(tmp_path: Path) -> None:
    """Tests that a scenario names exactly the files it has."""
    fleet = default_fleet([HUB, VILLAGE], "hub", [], orders=1)
    config = ScenarioConfig("X", date(2026, 6, 10), "a.pbf", synthetic=("airspace",))
    write_scenario(tmp_path, config=config, sites=[HUB, VILLAGE], orders=[ORDER], fleet=fleet)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "fleet.toml",
        "orders.csv",
        "scenario.toml",
        "sites.csv",
    ]
    zone = Zone("z1", "no_fly", "Dam", shapely.box(104.9, 27.2, 104.91, 27.21))
    write_scenario(
        tmp_path,
        config=config,
        sites=[HUB, VILLAGE],
        orders=[ORDER],
        fleet=fleet,
        weather=Weather((WeatherHour(0, 20.0),), 800.0),
        airspace=Airspace((zone,)),
        closures=[{"type": "Feature", "properties": {"kind": "closed"}, "geometry": None}],
        products="[store_c]\nchilled = 3.0\n",
    )
    files = tomllib.loads((tmp_path / "scenario.toml").read_text(encoding="utf-8"))["files"]
    for part in ("weather", "airspace", "closures", "products"):
        assert (tmp_path / files[part]).is_file()
    assert read_airspace(tmp_path / "airspace.geojson").zones[0].id == "z1"


def test_feature_collection_is_geojson() -> None:
    """Tests that no features and several give valid JSON."""
    assert json.loads(feature_collection([])) == {"type": "FeatureCollection", "features": []}
    features = [{"type": "Feature", "id": k} for k in range(3)]
    assert json.loads(feature_collection(features))["features"] == features
