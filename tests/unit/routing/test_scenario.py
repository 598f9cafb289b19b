"""Reading good scenario folders in every format."""

import datetime as dt
import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from scenario_folders import (
    CONFIG,
    ORDERS,
    PRODUCTS,
    SITES,
    orders_json,
    read,
    rename_file,
    write_folder,
    write_workbook,
)

from geodata.location import Level
from routing.model.carrier import Compartment
from routing.scenario import Stand


def test_reads_a_whole_folder(tmp_path: Path) -> None:
    """Tests that every part of a good folder arrives in the scenario."""
    scenario = read(write_folder(tmp_path))
    assert (scenario.name, scenario.service_date, scenario.timezone) == (
        "Small day",
        dt.date(2025, 3, 3),
        "Europe/Andorra",
    )
    assert scenario.currency == "EUR"
    assert scenario.credits == ("© OpenStreetMap contributors",)
    hub, town = scenario.sites[0], scenario.sites[1]
    assert (hub.level, hub.opens_s, hub.closes_s, hub.bus_stop_ids) == (Level.COUNTY, 21_600, 72_000, ("B1", "B2"))
    assert (town.parent, town.opens_s, town.closes_s, town.handling_s) == ("hub", 0, 86_400, 300)
    assert [order.id for order in scenario.orders] == ["o1", "o2", "o3", "o4"]
    assert scenario.orders[1].windows == ((28_800, 43_200),)
    assert scenario.orders[2].piece_kg == 5.0
    assert scenario.stands == (Stand("van", "hub", 2, "County Post"), Stand("L", "hub", 1, ""))
    assert scenario.files.streets == tmp_path / "area.osm"
    assert scenario.files.timetable is None
    assert scenario.rejected == ()


def test_drop_is_a_place_of_its_own(tmp_path: Path) -> None:
    """Tests that an order to coordinates goes to the place drop:<id> and its coordinates are kept."""
    scenario = read(write_folder(tmp_path))
    assert scenario.orders[3].to_id == "drop:o4"
    assert scenario.drops == {"drop:o4": (1.575, 42.56)}


def test_synthetic_parts_mark_their_rows(tmp_path: Path) -> None:
    """Tests that naming a part synthetic in the configuration marks each of its rows."""
    scenario = read(write_folder(tmp_path))
    assert all(order.synthetic for order in scenario.orders)
    assert not any(site.synthetic for site in scenario.sites)


def test_preset_is_overridden_field_by_field(tmp_path: Path) -> None:
    """Tests that a vehicle takes its preset's values except those it states itself."""
    van = read(write_folder(tmp_path)).vehicle_types["van"]
    assert van.cost_per_km == 45.0
    assert van.compartments == (Compartment("hold", 800.0, 4500.0),)
    assert (van.kind, van.profile, van.energy_source) == ("vehicle", "van_electric", "electric")
    assert (van.shift_start_s, van.shift_end_s) == (27_000, 63_000)


def test_energy_source_comes_from_the_profile(tmp_path: Path) -> None:
    """Tests that a vehicle that states no energy source has that of its travel profile."""
    fleet = """
[[vehicle]]
id = "own"
kind = "vehicle"
profile = "van_diesel"
compartments = [{ id = "a", kg = 10, litres = 100 }, { id = "b", kg = 5, litres = 50, set_point_c = 2 }]
fixed_cost = 0
cost_per_km = 60
cost_per_h = 3200
shift = [25200, "17:00"]
"""
    own = read(write_folder(tmp_path, fleet=fleet)).vehicle_types["own"]
    assert own.energy_source == "diesel"
    assert own.compartments[1] == Compartment("b", 5.0, 50.0, 2.0)
    assert (own.shift_end_s, own.max_drive_s, own.range_wh) == (61_200, 28_800, None)


def test_profile_beside_a_preset_brings_its_energy(tmp_path: Path) -> None:
    """Tests that a preset with another travel profile runs on what that profile runs on."""
    fleet = '[[vehicle]]\nid = "x"\npreset = "van_electric"\nprofile = "van_diesel"\n'
    assert read(write_folder(tmp_path, fleet=fleet)).vehicle_types["x"].energy_source == "diesel"


def test_ids_of_types_may_be_numbers_or_padded(tmp_path: Path) -> None:
    """Tests that a type whose id is a number, or has blanks around it, is found by its stand."""
    types = '[[vehicle]]\nid = 5\npreset = "walker"\n[[vehicle]]\nid = " w "\npreset = "walker"\n'
    stands = '[[stand]]\ntype = 5\nsite = "t1"\n[[stand]]\ntype = "w"\nsite = "t1"\n'
    scenario = read(write_folder(tmp_path, fleet=types + stands))
    assert set(scenario.vehicle_types) == {"5", "w"} == {stand.type for stand in scenario.stands}


def test_toml_takes_date_times_and_single_names(tmp_path: Path) -> None:
    """Tests that a date with a time counts as its date and a single name as a list of one."""
    config = CONFIG.replace("2025-03-03", "2025-03-03T06:00:00").replace('["orders"]', '"sites"')
    scenario = read(write_folder(tmp_path, config=config))
    assert scenario.service_date == dt.date(2025, 3, 3)
    assert scenario.synthetic == ("sites",)
    assert all(site.synthetic for site in scenario.sites)


def test_diesel_price_counts_ten_kilowatt_hours_a_litre(tmp_path: Path) -> None:
    """Tests that the price of a litre becomes a tenth of it per kWh, and other rates have their defaults."""
    rates = read(write_folder(tmp_path)).rates
    assert (rates.diesel_per_kwh, rates.electricity_per_kwh, rates.unit_s) == (15.0, 80.0, 4.0)


def test_products_add_to_the_shipped_ones(tmp_path: Path) -> None:
    """Tests that a scenario's class is added, takes what it lacks from the class it is like, and others stay."""
    products = read(write_folder(tmp_path, products=PRODUCTS)).products
    chocolate, cool = products.classes["chocolate"], products.classes["cool_produce"]
    assert (chocolate.high_c, chocolate.low_c, chocolate.box) == (18.0, cool.low_c, cool.box)
    assert cool.high_c == 10.0


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators_and_a_byte_order_mark(tmp_path: Path, mark: str) -> None:
    """Tests that CSV with semicolons or tabs, a byte-order mark and Windows line ends reads as the plain one."""
    plain = read(write_folder(tmp_path / "plain"))
    sites = SITES.replace("B1;B2", '"B1;B2"').replace(",", mark).replace("\n", "\r\n")
    other = write_folder(
        tmp_path / "other", orders="\ufeff" + ORDERS.replace(",", mark).replace("\n", "\r\n"), sites=sites
    )
    assert read(other).orders == plain.orders
    assert read(other).sites == plain.sites


def test_workbook_reads_as_the_csv(tmp_path: Path) -> None:
    """Tests that a workbook with numbers as text, numeric ids and time cells reads as it is meant."""
    folder = write_folder(tmp_path)
    lines: list[list[object]] = [
        ["id", "from_site", "to_site", "weight_kg", "volume_l", "window_start_s", "window_end_s", "release_s"],
        [101, "hub", "t1", "1.5", 5, dt.time(8, 30), dt.timedelta(hours=25), dt.time(7, 0)],
        [],
        [102.0, "hub", "v1", 2, "7", None, None, None],
    ]
    write_workbook(rename_file(folder, "orders", "orders.xlsx"), lines)
    first, second = read(folder).orders
    assert (first.id, first.weight_kg, first.windows, first.release_s) == ("101", 1.5, ((30_600, 90_000),), 25_200)
    assert (second.id, second.volume_l, second.windows) == ("102", 7.0, ())


def test_workbook_with_several_sheets_takes_the_named_one(tmp_path: Path) -> None:
    """Tests that of several filled sheets the one with the table's name is read."""
    import openpyxl

    folder = write_folder(tmp_path)
    path = rename_file(folder, "orders", "orders.xlsx")
    book = openpyxl.Workbook()
    book.create_sheet("Orders")
    book["Sheet"].append(["notes"])
    book["Orders"].append(["id", "from_site", "to_site", "weight_kg", "volume_l"])
    book["Orders"].append(["a", "hub", "t1", 1, 2])
    book.save(path)
    assert [order.id for order in read(folder).orders] == ["a"]


def test_json_orders_have_several_windows(tmp_path: Path) -> None:
    """Tests that JSON orders are read with their windows in order of time."""
    folder = write_folder(tmp_path)
    text = orders_json({"windows": [["14:00", "16:00"], [28_800, 36_000]], "dangerous": True, "shipper": "Farm 7"})
    rename_file(folder, "orders", "orders.json").write_text(text)
    (order,) = read(folder).orders
    assert order.windows == ((28_800, 36_000), (50_400, 57_600))
    assert (order.dangerous, order.shipper) == (True, "Farm 7")


def test_json_orders_may_stand_under_their_name(tmp_path: Path) -> None:
    """Tests that an object with the list under 'orders' reads as the list."""
    folder = write_folder(tmp_path)
    rename_file(folder, "orders", "orders.json").write_text(f'{{"orders": {orders_json({})}}}')
    assert [order.id for order in read(folder).orders] == ["o1"]


def test_geojson_sites_equal_csv_sites(tmp_path: Path) -> None:
    """Tests that sites written as GeoJSON points read as the same sites as from CSV."""
    plain = read(write_folder(tmp_path / "csv")).sites
    features = []
    for site in plain:
        names = [column.name for column in fields(site) if column.name not in {"id", "lon", "lat"}]
        values = {name: getattr(site, name) for name in names}
        point = {"type": "Point", "coordinates": [site.lon, site.lat]}
        features.append({"type": "Feature", "id": site.id, "properties": values, "geometry": point})
    folder = write_folder(tmp_path / "geojson")
    text = json.dumps({"type": "FeatureCollection", "features": features})
    rename_file(folder, "sites", "sites.geojson").write_text(text)
    assert read(folder).sites == plain


@pytest.mark.parametrize("orders", [ORDERS.splitlines()[0], ORDERS.splitlines()[0] + "\n\n,,,,\n"])
def test_no_orders_is_a_good_scenario(tmp_path: Path, orders: str) -> None:
    """Tests that an orders file with a header and no rows gives a scenario without orders."""
    assert read(write_folder(tmp_path, orders=orders)).orders == ()


def test_order_larger_than_every_carrier_is_accepted(tmp_path: Path) -> None:
    """Tests that a plausible but huge order is no fault of the data."""
    orders = "id,from_site,to_site,weight_kg,volume_l\nbig,hub,t1,5000,9000\n"
    assert read(write_folder(tmp_path, orders=orders)).orders[0].weight_kg == 5000.0


def test_digest_depends_on_every_named_file(tmp_path: Path) -> None:
    """Tests that the digest changes with the content of any named file and with nothing else."""
    config = (tmp_path / "a" / "scenario.toml", tmp_path / "b" / "scenario.toml")
    a, b = write_folder(tmp_path / "a"), write_folder(tmp_path / "b")
    assert config[0].read_bytes() == config[1].read_bytes()
    before = read(a).digest
    (b / "notes.txt").write_text("not named by the scenario")
    assert read(b).digest == before
    for name in ("area.osm", "sites.csv", "orders.csv", "fleet.toml", "scenario.toml"):
        text = (b / name).read_text(encoding="utf-8")
        (b / name).write_text(text + "\n", encoding="utf-8")
        assert read(b).digest != before, name
        (b / name).write_text(text, encoding="utf-8")
    assert read(b).digest == before


def test_digest_covers_folders_and_terrain(tmp_path: Path) -> None:
    """Tests that terrain tiles and every file of a timetable folder are part of the digest."""
    folder = write_folder(tmp_path)
    config = folder / "scenario.toml"
    files = '[files]\nterrain = ["t/N42E001.hgt"]\ntimetable = "gtfs"\n'
    config.write_text(config.read_text(encoding="utf-8").replace("[files]\n", files), encoding="utf-8")
    for name in ("t/N42E001.hgt", "gtfs/stops.txt"):
        (folder / name).parent.mkdir()
        (folder / name).write_bytes(b"1")
    scenario = read(folder)
    assert scenario.files.terrain == (folder / "t/N42E001.hgt",)
    assert scenario.files.timetable == folder / "gtfs"
    (folder / "gtfs/stops.txt").write_bytes(b"2")
    second = read(folder).digest
    (folder / "t/N42E001.hgt").write_bytes(b"2")
    assert len({scenario.digest, second, read(folder).digest}) == 3


def test_rejected_rows_leave_the_rest(tmp_path: Path) -> None:
    """Tests that with reject_bad_rows a faulty row is set aside with its faults and the others are read."""
    folder = write_folder(tmp_path, orders=ORDERS.replace("o3,v1,hub,20", "o3,v9,hub,-20"))
    scenario = read(folder, reject_bad_rows=True)
    assert [order.id for order in scenario.orders] == ["o1", "o2", "o4"]
    (rejected,) = scenario.rejected
    assert (rejected.row, rejected.order_id) == (4, "o3")
    assert {fault.code for fault in rejected.faults} == {"NEGATIVE", "UNKNOWN_SITE"}


def test_reading_twice_gives_equal_scenarios(tmp_path: Path) -> None:
    """Tests that reading the same folder twice gives equal scenarios."""
    folder = write_folder(tmp_path)
    assert read(folder) == read(folder)
    assert read(folder) != replace(read(folder), name="other")
