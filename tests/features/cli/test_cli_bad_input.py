"""Bad input through the command line: exit code 2, one line for each fault, and nothing written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Shanlu
from osm_maps import HandMap, write_terrain
from small_day import AIRSPACE, CONFIG, FLEET, ORDERS, SITES, streets, write_day

Damage = Callable[[Path], object]


def replaced(name: str, old: str, new: str) -> Damage:
    """Return a damage that replaces text of a file once."""

    def damage(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return damage


def written(name: str, content: bytes) -> Damage:
    """Return a damage that overwrites a file."""
    return lambda folder: (folder / name).write_bytes(content)


def removed(name: str) -> Damage:
    """Return a damage that deletes a file."""
    return lambda folder: (folder / name).unlink()


def broken_pbf(folder: Path) -> None:
    """Let the map be a PBF that was cut off."""
    (folder / "area.osm.pbf").write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x7f")
    replaced("scenario.toml", '"area.osm"', '"area.osm.pbf"')(folder)


def no_roads(folder: Path) -> None:
    """Let the map have a house and no road."""
    osm = HandMap()
    osm.box(100.0, 27.0, 100.01, 27.01, building="yes")
    osm.write(folder / "area.osm")


BAD_INPUT: dict[str, tuple[Damage, list[str]]] = {
    "missing file": (removed("orders.csv"), ["scenario.toml, field files.orders", "no such file", "MISSING_FILE"]),
    "misnamed file": (
        replaced("scenario.toml", '"area.osm"', '"aera.osm"'),
        ["'aera.osm'", "Did you mean 'area.osm'?", "MISSING_FILE"],
    ),
    "broken pbf": (broken_pbf, ["area.osm.pbf", "cannot be read as OSM data", "download it again", "BROKEN_FILE"]),
    "cut XML map": (written("area.osm", b"<osm version='0.6'><node id="), ["area.osm", "BROKEN_FILE"]),
    "map with a broken coordinate": (
        replaced("area.osm", 'lat="27.0000000"', 'lat="27:00"'),
        ["area.osm", "cannot be read as OSM data", "BROKEN_FILE"],
    ),
    "map with a broken version": (replaced("area.osm", 'version="1"', 'version="new"'), ["area.osm", "BROKEN_FILE"]),
    "map without roads": (no_roads, ["area.osm", "no way a vehicle or walker may use", "NO_ROADS"]),
    "broken terrain": (written("terrain.tif", b"no tiff"), ["terrain.tif", "cannot be read", "BROKEN_FILE"]),
    "terrain cut off": (
        lambda folder: (folder / "terrain.tif").write_bytes((folder / "terrain.tif").read_bytes()[:2_000]),
        ["terrain.tif", "damaged or was cut off", "BROKEN_FILE"],
    ),
    "airspace nested too deeply": (written("airspace.geojson", b"[" * 100_000), ["airspace.geojson", "BROKEN_FILE"]),
    "terrain beside the area": (
        lambda folder: write_terrain(folder / "terrain.tif", (101.0, 27.0, 101.2, 27.1)),
        ["area.osm", "does not cover 100%", "Give elevation tiles for 100.000,27.000", "TERRAIN_NOT_COVERING"],
    ),
    "timetable without trips.txt": (
        removed("timetable/trips.txt"),
        ["timetable/trips.txt", "the feed lacks this file", "MISSING_FILE"],
    ),
    "orphan trip": (
        replaced("timetable/stop_times.txt", "t1,09:10", "t9,09:10"),
        ["timetable/stop_times.txt, row 3", "unknown trip (value 't9')", "UNKNOWN_TRIP"],
    ),
    "no service on the date": (
        replaced("scenario.toml", "2026-05-12", "2027-05-12"),
        ["no trip runs on the service date", "the nearest date with service is 2026-12-31", "NO_SERVICE"],
    ),
    "stop of no site": (
        replaced("timetable/cargo_stops.txt", "s3,v1", "s3,v11"),
        ["timetable/cargo_stops.txt", "(value 'v11')", "Did you mean 'v1'?", "UNKNOWN_SITE"],
    ),
    "site of no stop": (
        replaced("sites.csv", ",s3", ",s30"),
        ["sites.csv, row 4, field bus_stop_ids", "(value 's30')", "Did you mean 's3'?", "UNKNOWN_STOP"],
    ),
    "unknown class of a trip": (
        lambda folder: (folder / "timetable/cargo_trips.txt").write_text(
            "trip_id,max_kg,max_l,max_piece_kg,product_classes\nt1,100,800,30,ambeint\n"
        ),
        ["timetable/cargo_trips.txt", "Did you mean 'ambient'?", "UNKNOWN_CLASS"],
    ),
    "swapped coordinates": (
        replaced("sites.csv", "100.05,27.03", "27.03,100.05"),
        ["sites.csv, row 5", "swapped", "Give lon, lat as 100.05, 27.03", "SWAPPED_COORDINATES"],
    ),
    "grams for kilograms": (
        replaced("orders.csv", "o2,hub,v2,1.5,5", "o2,hub,v2,1500,5"),
        ["orders.csv, row 3, field weight_kg", "1.5", "UNIT_SLIP"],
    ),
    "unknown product class": (
        written("orders.csv", b"id,from_site,to_site,weight_kg,volume_l,product_class\no1,hub,v1,1,1,vacine\n"),
        ["orders.csv, row 2", "Did you mean 'vaccine'?", "UNKNOWN_CLASS"],
    ),
    "unknown site": (
        replaced("orders.csv", "o2,hub,v2", "o2,hub,v22"),
        ["orders.csv, row 3, field to_site", "Did you mean 'v2'?", "UNKNOWN_SITE"],
    ),
    "unknown key": (
        replaced("scenario.toml", "currency", "curency"),
        ["scenario.toml, field curency", "Did you mean 'currency'?", "UNKNOWN_KEY"],
    ),
    "unknown column": (
        replaced("orders.csv", "weight_kg", "wieght_kg"),
        ["orders.csv, row 1", "Did you mean 'weight_kg'?", "UNKNOWN_COLUMN"],
    ),
    "negative weight": (replaced("orders.csv", ",1.5,5", ",-1.5,5"), ["orders.csv, row 3", "NEGATIVE"]),
    "window that ends before it starts": (
        written(
            "orders.csv",
            b"id,from_site,to_site,weight_kg,volume_l,window_start_s,window_end_s\no1,hub,v1,1,1,12:00,08:00\n",
        ),
        ["orders.csv, row 2", "WINDOW_ORDER"],
    ),
    "duplicate ids": (
        replaced("orders.csv", "o2,hub", "o1,hub"),
        ["orders.csv, row 2", "orders.csv, row 3", "2 faults in all", "DUPLICATE_ID"],
    ),
    "site off the terrain": (
        replaced("sites.csv", "100.03,27.03", "100.16,27.03"),
        ["sites.csv, row 6, field lon", "outside the elevation tiles", "TERRAIN_NOT_COVERING"],
    ),
    "drop off the terrain": (
        replaced("orders.csv", "100.08,27.0005", "100.16,27.0005"),
        ["orders.csv, row 5, field to_lon", "outside the elevation tiles", "TERRAIN_NOT_COVERING"],
    ),
    "drones without terrain": (
        replaced("scenario.toml", 'terrain = ["terrain.tif"]', ""),
        ["scenario.toml, field files.terrain", "drones stand in the fleet", "TERRAIN_MISSING"],
    ),
    "weather with a hole": (replaced("weather.csv", "\n3,15,2", ""), ["weather.csv", "Hours are missing: 3"]),
    "zone of no kind": (
        written(
            "airspace.geojson",
            AIRSPACE.replace(
                "[]",
                '[{"type": "Feature", "properties": {"kind": "nofly"}, "geometry": {"type": "Polygon", '
                '"coordinates": [[[100, 27], [100.1, 27], [100.1, 27.1], [100, 27]]]}}]',
            ).encode(),
        ),
        ["airspace.geojson, row 1, field kind", "Did you mean no_fly?", "UNKNOWN_CHOICE"],
    ),
    "closure of no profile": (
        written(
            "closures.geojson",
            AIRSPACE.replace(
                "[]",
                '[{"type": "Feature", "properties": {"kind": "closed", "applies_to": ["van_deisel"]}, '
                '"geometry": {"type": "LineString", "coordinates": [[100, 27], [100.1, 27]]}}]',
            ).encode(),
        ),
        ["closures.geojson, row 1, field applies_to", "Did you mean 'van_diesel'?", "UNKNOWN_PROFILE"],
    ),
    "profiles in GB18030": (
        written("profiles.toml", "# 货车\n".encode("gb18030")),
        ["profiles.toml", "WRONG_ENCODING"],
    ),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_told_and_nothing_written(tmp_path: Path, shanlu: Shanlu, name: str) -> None:
    """Tests that bad input ends with exit code 2, a line that says what a person needs, and no output."""
    damage, phrases = BAD_INPUT[name]
    folder = write_day(tmp_path / "day")
    damage(folder)
    answer = shanlu("plan", folder, "--out", "out")
    assert (answer.code, answer.out) == (2, "")
    for phrase in phrases:
        assert phrase in answer.err
    faults = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    assert len(faults) == (2 if name in ("duplicate ids", "unknown column") else 1), answer.err
    assert not (tmp_path / "out").exists()


def test_faults_of_all_files_come_together(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that faults of tables, map, terrain, timetable, weather, airspace, closures and profiles come at once."""
    folder = write_day(
        tmp_path / "day",
        {"trips": "route_id,service_id,trip_id\nL9,daily,t1\n"},
        sites=SITES.replace("t1,Town,town", "t1,Town,city"),
        orders=ORDERS.replace("o2,hub,v2,1.5", "o2,hub,v2,-1.5"),
        fleet=FLEET.replace("van_diesel", "van_deisel"),
        weather="hour,temp_c\n0,warm\n",
        airspace="[]",
        closures="{",
        profiles="[a",
    )
    (folder / "area.osm").write_text("<osm")
    (folder / "terrain.tif").write_text("")
    answer = shanlu("plan", folder, "--out", "out")
    named = {line.removeprefix("error: ").split(",")[0].split(":")[0] for line in answer.err.splitlines()}
    assert answer.code == 2
    assert named >= {
        "sites.csv",
        "orders.csv",
        "fleet.toml",
        "area.osm",
        "terrain.tif",
        "timetable/trips.txt",
        "weather.csv",
        "airspace.geojson",
        "closures.geojson",
        "profiles.toml",
    }
    faults = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    assert len(faults) == len(set(faults))
    assert f"{len(faults)} faults in all." in answer.err


def test_thousand_faulty_rows_among_good_ones(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that all of a thousand faulty rows are listed, and that rejecting them plans and lists the rest."""
    rows = [f"bad{k},hub,v1,{-1 - k},5,," for k in range(1_000)]
    folder = write_day(tmp_path / "day", orders=ORDERS + "\n".join(rows) + "\n")
    refused = shanlu("plan", folder, "--out", "out")
    assert refused.code == 2
    assert [f"orders.csv, row {row}, field weight_kg" in refused.err for row in (7, 500, 1_006)] == [True] * 3
    assert refused.err.count("error: orders.csv") == 1_000
    assert "1000 faults in all." in refused.err
    planned = shanlu("plan", folder, "--out", "out", "--reject-bad-rows")
    assert planned.code == 0
    assert "1000 (listed in report.json)" in planned.out
    plan = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))
    assert len(plan["rejected"]) == 1_000
    assert len(plan["orders"]) + len(plan["unassigned"]) == 5
    assert shanlu("check", folder, "out/plan.json").code == 0


def test_a_drop_off_the_terrain_is_one_bad_row(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that a drop outside the terrain can be set aside like any faulty row."""
    folder = write_day(tmp_path / "day", orders=ORDERS.replace("100.08,27.0005", "100.16,27.0005"))
    answer = shanlu("plan", folder, "--out", "out", "--reject-bad-rows")
    assert answer.code == 0, answer.err
    plan = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))
    assert [(row["row"], row["order"]) for row in plan["rejected"]] == [(5, "o4")]
    assert shanlu("check", folder, "out/plan.json").code == 0


def test_places_without_road_are_notes(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that a site far from any road and one on roads of their own are named as what they are, and planned."""
    osm = streets()
    osm.road([(100.12, 27.05), (100.13, 27.05)])
    folder = write_day(tmp_path / "day", sites=SITES + "v3,Island,village,100.125,27.0502,t1,,,\n")
    osm.write(folder / "area.osm")
    answer = shanlu("plan", folder, "--out", "out")
    assert answer.code == 0, answer.err
    text = " ".join(answer.out.split())
    assert "note: 1 place is farther than 300 m from any road" in text
    assert "Group (g1)" in text
    assert "note: 1 place is cut off" in text
    assert "Island (v3)" in text
    notes = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["notes"]
    assert [(note["code"], note["places"]) for note in notes] == [("FAR_FROM_ROAD", ["g1"]), ("CUT_OFF", ["v3"])]


def test_warnings_of_the_timetable_are_notes(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that oddities of the timetable which can be lived with are summed up, one note for each kind."""
    feed = {
        "trips": "route_id,service_id,trip_id,shape_id\nL1,daily,t1,x\nL1,daily,t2,y\n",
        "agency": "agency_id,agency_name,agency_url,agency_timezone\nB,Bus,https://example.org,Asia/Urumqi\n",
    }
    answer = shanlu("plan", write_day(tmp_path / "day", feed), "--out", "out")
    assert answer.code == 0, answer.err
    notes = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["notes"]
    texts = {note["code"]: note["text"] for note in notes}
    assert "Asia/Urumqi" in texts["TIMEZONES_DIFFER"]
    assert "(1 more like this)" in texts["UNKNOWN_SHAPE"]
    assert "TRIP_WITHOUT_CALLS" in texts


def test_an_order_larger_than_every_carrier_is_left_with_a_reason(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that an order nobody can carry is unassigned as too heavy, and the rest is planned."""
    folder = write_day(tmp_path / "day", orders=ORDERS + "huge,hub,v1,9000,9000,,\n")
    answer = shanlu("plan", folder, "--out", "out")
    assert answer.code == 0, answer.err
    plan = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))
    assert [entry["reason"] for entry in plan["unassigned"] if entry["order"] == "huge"] == ["TOO_HEAVY"]
    assert "TOO_HEAVY 1" in answer.out


def test_an_empty_fleet_is_told(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that a day without any carrier is planned with every order unserved, and a note says why."""
    folder = write_day(tmp_path / "day", {"cargo_trips": None, "cargo_stops": None}, fleet="")
    answer = shanlu("plan", folder, "--out", "out")
    assert answer.code == 0, answer.err
    assert "note: The fleet has no carrier" in answer.out
    assert "orders served         0 of 5" in answer.out


def test_a_day_without_orders_has_an_empty_plan(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that a header without orders is planned: no route, no cost, clean, exit 0."""
    folder = write_day(tmp_path / "day", orders=ORDERS.splitlines()[0] + "\n")
    answer = shanlu("plan", folder, "--out", "out")
    assert answer.code == 0, answer.err
    plan = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))
    assert (plan["routes"], plan["unassigned"], plan["objective"]["total"]) == ([], [], 0)
    assert "orders served         0 of 0" in answer.out
    assert shanlu("check", folder, "out/plan.json").code == 0


def test_level_ground_without_tiles(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that road vehicles and buses are planned without elevation tiles, and a note says so."""
    fleet = FLEET.split("[[drone]]")[0] + '[[stand]]\ntype = "van"\nsite = "hub"\n'
    folder = write_day(tmp_path / "day", fleet=fleet, config=CONFIG.replace('terrain = ["terrain.tif"]', ""))
    answer = shanlu("plan", folder, "--out", "out")
    assert answer.code == 0, answer.err
    assert "note: There are no elevation tiles" in answer.out
    assert shanlu("check", folder, "out/plan.json").code == 0


def test_holes_in_the_terrain_are_no_fault(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that a map node or two off the terrain is lived with, but not a site."""
    osm = streets()
    osm.road([(100.1, 27.0005), (100.152, 27.0005)])
    folder = write_day(tmp_path / "day")
    osm.write(folder / "area.osm")
    assert shanlu("plan", folder, "--out", "out").code == 0
