"""Every kind of faulty site is named as what it is; faults of the network as a whole too."""

import json
from pathlib import Path

import pytest
from scenario_folders import ORDERS, SITES, faults_of, only_fault, read, rename_file, write_folder

NO_BOUNDS = '<osm version="0.6"></osm>\n'

BAD_SITES = [
    # code, row, field, (text, its damage), what the message must say
    ("SWAPPED_COORDINATES", 3, "lon", ("1.55,42.55", "42.55,1.55"), ["swapped", "1.55, 42.55"]),
    ("SWAPPED_COORDINATES", 3, "lon", ("1.55,42.55", "42.55,101.55"), ["swapped"]),
    ("NULL_COORDINATES", 4, "lon", ("1.60,42.57", "0,0"), ["both coordinates are zero"]),
    ("BAD_COORDINATES", 4, "lon", ("1.60,42.57", "381000,4714000"), ["projected metres", "EPSG:4326"]),
    ("BAD_COORDINATES", 4, "lat", ("1.60,42.57", "100,-95"), ["no such degree"]),
    ("NUMBER_FORMAT", 4, "lon", ("1.60,42.57", '"1,60",42.57'), ["1.60"]),
    ("NOT_A_NUMBER", 4, "lat", ("1.60,42.57", "1.60,nan"), ["finite"]),
    ("MISSING_VALUE", 4, "lat", ("1.60,42.57", "1.60,"), ["lat is empty"]),
    ("MISSING_VALUE", 4, "name", ("Second town", ""), ["name is empty"]),
    ("UNKNOWN_CHOICE", 5, "level", ("village,1.56", "vilage,1.56"), ["Did you mean 'village'?", "group"]),
    ("UNKNOWN_PARENT", 5, "parent", ("42.56,t1", "42.56,tt1"), ["not a site", "Did you mean 't1'?"]),
    ("PARENT_LEVEL", 4, "parent", ("42.57,hub", "42.57,t1"), ["a town cannot have the town 't1'", "county"]),
    ("PARENT_LEVEL", 4, "parent", ("42.57,hub", "42.57,g1"), ["county"]),
    ("PARENT_CYCLE", 4, "parent", ("42.57,hub", "42.57,t2"), ["t2 → t2"]),
    ("WINDOW_ORDER", 2, "closes_s", ("72000", "05:00"), ["closes before it opens", "26:00"]),
    ("UNIT_SLIP", 2, "closes_s", ("06:00,72000", "06:00,20"), ["hour of the day", "20:00"]),
    ("NEGATIVE", 2, "store_chilled_kg", ("2,500,B1", "2,-500,B1"), ["in kg"]),
    ("NOT_WHOLE", 2, "drone_pads", ("2,500,B1", "2.5,500,B1"), ["whole number"]),
    ("DUPLICATE_ID", 2, "bus_stop_ids", ("B1;B2", "B1;B1"), ["listed twice"]),
    ("DUPLICATE_ID", 4, "id", ("t2,Second", "t1,Second"), ["row 3", "id of its own"]),
    ("RESERVED_ID", 4, "id", ("t2,Second", "drop:t2,Second"), ["drop:"]),
]


@pytest.mark.parametrize(("code", "row", "field", "damage", "phrases"), BAD_SITES)
def test_bad_site_is_named(
    tmp_path: Path, code: str, row: int, field: str, damage: tuple[str, str], phrases: list[str]
) -> None:
    """Tests that a faulty site gives one fault with its code, row and field; rejecting rows does not help."""
    assert damage[0] in SITES
    folder = write_folder(tmp_path, sites=SITES.replace(*damage))
    fault = only_fault(folder)
    assert (fault.code, fault.file, fault.row, fault.field) == (code, "sites.csv", row, field)
    for phrase in phrases:
        assert phrase in str(fault)
    assert faults_of(folder, reject_bad_rows=True) == (fault,)


def test_cycle_is_told_at_each_of_its_sites(tmp_path: Path) -> None:
    """Tests that sites that are each other's parents are reported as a circle, and sites below it are not."""
    sites = SITES.replace("42.55,hub", "42.55,v1")  # t1 → v1 → t1; g1 hangs below
    faults = faults_of(write_folder(tmp_path, sites=sites))
    assert [(fault.code, fault.row) for fault in faults] == [("PARENT_CYCLE", 3), ("PARENT_CYCLE", 5)]
    assert "t1 → v1 → t1" in faults[0].reason


def test_orders_to_a_faulty_site_are_not_blamed(tmp_path: Path) -> None:
    """Tests that a site that is named but faulty does not make every order to it faulty as well."""
    assert only_fault(write_folder(tmp_path, sites=SITES.replace("First town,town", "First town,"))).file == "sites.csv"


def test_no_hub(tmp_path: Path) -> None:
    """Tests that a network without a county hub is refused, and so is one without sites."""
    orders = ORDERS.splitlines()[0]
    sites = "\n".join(SITES.splitlines()[:2]).replace("county", "town")
    assert only_fault(write_folder(tmp_path / "a", sites=sites, orders=orders)).code == "NO_HUB"
    header = SITES.splitlines()[0]
    fault = only_fault(write_folder(tmp_path / "b", sites=header, orders=orders, fleet=""))
    assert (fault.code, fault.reason) == ("NO_HUB", "there are no sites")


def test_several_hubs_and_skipped_levels_are_fine(tmp_path: Path) -> None:
    """Tests that two county sites, a site without parent and a group below a town are accepted."""
    more = "h2,Hub two,county,1.52,42.51,,,,,,\nv2,Alone,village,1.53,42.5,,,,,,\ng2,Near,group,1.53,42.5,t1,,,,,\n"
    assert len(read(write_folder(tmp_path, sites=SITES + more)).sites) == 8


@pytest.mark.parametrize("streets", [NO_BOUNDS, "not a map"])
def test_swap_is_seen_without_the_bounds_of_the_map(tmp_path: Path, streets: str) -> None:
    """Tests that one swapped site among others is seen from the others when the map states no bounds."""
    sites = SITES.replace("1.55,42.55", "42.55,1.55")
    assert only_fault(write_folder(tmp_path, sites=sites, streets=streets)).code == "SWAPPED_COORDINATES"


def test_swap_of_all_sites_is_seen_from_the_nodes_of_the_map(tmp_path: Path) -> None:
    """Tests that a table with all coordinates swapped is seen when the map has nodes but states no bounds."""
    nodes = '<osm version="0.6"><node id="1" version="1" lat="42.5" lon="1.5"/></osm>'
    sites = SITES.replace("lon,lat", "lat,lon")
    header = sites.splitlines()[0].replace("lat,lon", "lon,lat")
    swapped = "\n".join([header, *(line for line in _turned(SITES))])
    faults = faults_of(write_folder(tmp_path, sites=swapped, streets=nodes))
    assert [fault.code for fault in faults] == ["SWAPPED_COORDINATES"] * 5
    assert [site.id for site in read(write_folder(tmp_path, sites=sites.replace(sites, SITES), streets=nodes)).sites]


def _turned(table: str) -> list[str]:
    """Return the rows of a sites table with lon and lat exchanged."""
    rows = [line.split(",") for line in table.splitlines()[1:]]
    return [",".join([*row[:3], row[4], row[3], *row[5:]]) for row in rows]


def test_place_a_little_outside_the_map_is_accepted(tmp_path: Path) -> None:
    """Tests that being outside the map's bounds alone is not taken for a swap."""
    assert read(write_folder(tmp_path, sites=SITES.replace("1.60,42.57", "1.95,42.80"))).sites


BAD_GEOJSON = [
    ("BROKEN_FILE", None, None, '{"type": "Feature"}'),
    ("BROKEN_FILE", 1, None, "{"),
    ("WRONG_GEOMETRY", 1, "geometry", '{"type": "LineString", "coordinates": [[1, 2], [2, 3]]}'),
    ("WRONG_GEOMETRY", 1, "geometry", '{"type": "Point", "coordinates": [1]}'),
    ("WRONG_GEOMETRY", 1, "geometry", "null"),
    ("WRONG_TYPE", 1, "lon", '{"type": "Point", "coordinates": [null, [2]]}'),
]


@pytest.mark.parametrize(("code", "row", "field", "text"), BAD_GEOJSON)
def test_bad_geojson(tmp_path: Path, code: str, row: int | None, field: str | None, text: str) -> None:
    """Tests that faults of a GeoJSON file are named with the number of the feature."""
    folder = write_folder(tmp_path, orders=ORDERS.splitlines()[0], fleet="")
    path = rename_file(folder, "sites", "sites.geojson")
    if code == "BROKEN_FILE":
        path.write_text(text)
    else:
        properties = json.dumps({"id": "hub", "name": "Hub", "level": "county"})
        feature = f'{{"type": "Feature", "properties": {properties}, "geometry": {text}}}'
        path.write_text(f'{{"type": "FeatureCollection", "features": [{feature}]}}')
    assert (code if field != "lon" else "MISSING_VALUE", row, field) in [
        (fault.code, fault.row, fault.field) for fault in faults_of(folder)
    ]


def test_unknown_property(tmp_path: Path) -> None:
    """Tests that an unknown property of a site gives the nearest known one."""
    folder = write_folder(tmp_path, orders=ORDERS.splitlines()[0], fleet="")
    properties = {"id": "hub", "name": "Hub", "level": "county", "drone_pad": 1}
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [1.5, 42.5]}}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    rename_file(folder, "sites", "sites.geojson").write_text(text)
    fault = only_fault(folder)
    assert (fault.code, fault.row, fault.field) == ("UNKNOWN_KEY", 1, "drone_pad")
    assert fault.remedy == "Did you mean 'drone_pads'?"
