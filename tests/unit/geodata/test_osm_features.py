"""Reading places, boundaries, bus lines and areas from whole, cut and broken extracts."""

from pathlib import Path

import pytest
import shapely
from osm_maps import HandMap, valley

from geodata.errors import InputError
from geodata.osm_features import read_osm_features


def test_places_with_names_and_population(tmp_path: Path) -> None:
    """Tests that settlements are read with languages and population, and other kinds of place are not."""
    osm = HandMap()
    osm.node(100.0, 27.0, place="town", name="West", name__zh="西镇", population="9 000", capital="6", admin_level="6")
    osm.node(100.1, 27.0, place="hamlet", population="about twenty")
    osm.node(100.1, 27.1, place="locality", name="Nowhere")
    osm.box(100.2, 27.0, 100.3, 27.1, place="village", name="Area")
    town, hamlet, village = read_osm_features(osm.write(tmp_path / "map.osm")).places
    assert (town.osm_id, town.kind, town.population, town.capital, town.admin_level) == ("n1", "town", 9_000, "6", 6)
    assert town.names == {"zh": "西镇"}
    assert (hamlet.name, hamlet.population) == ("", None)
    assert village.osm_id.startswith("w")
    assert (village.lon, village.lat) == pytest.approx((100.25, 27.05), abs=0.05)


def test_boundaries_are_assembled_only_when_whole(tmp_path: Path) -> None:
    """Tests that an area of several ways with a hole closes, and one with a way missing or open has no polygon."""
    osm = HandMap()
    a, b, c, d = (osm.node(*at) for at in ((0, 0), (4, 0), (4, 4), (0, 4)))
    south, north = osm.way([a, b, c]), osm.way([c, d, a])
    hole = osm.box(1, 1, 2, 2)
    seat, label = osm.node(3, 3, place="town", name="Seat"), osm.node(2.5, 3, name="Label")
    admin = {"type": "boundary", "boundary": "administrative", "admin_level": "8"}
    whole = [("way", south, "outer"), ("way", north, ""), ("way", hole, "inner"), ("node", seat, "admin_centre")]
    osm.relation([*whole, ("node", label, "label")], **admin, name="Whole")
    osm.relation([("way", south, "outer"), ("way", 999, "outer")], **admin, name="Way missing")
    osm.relation([("way", south, "outer")], **admin, name="Open")
    cut = osm.way([a, b, 998, a])
    osm.relation([("way", cut, "outer")], **admin, name="Node missing")
    osm.relation([("way", south, "outer")], type="boundary", boundary="political", admin_level="8")
    found = {b.name: b for b in read_osm_features(osm.write(tmp_path / "map.osm")).boundaries}
    assert found["Whole"].polygon is not None
    assert found["Whole"].polygon.area == pytest.approx(15.0)
    assert (found["Whole"].seat, found["Whole"].label, found["Whole"].admin_level) == (f"n{seat}", f"n{label}", 8)
    assert [found[name].polygon for name in ("Way missing", "Open", "Node missing")] == [None, None, None]
    assert len(found) == 4


def test_bus_lines_keep_order_and_roles(tmp_path: Path) -> None:
    """Tests that stops come in order, absent ones are counted, and platforms beside stops are not taken twice."""
    osm = HandMap()
    stops = [osm.node(100 + k / 100, 27, highway="bus_stop", name=f"S{k}") for k in range(4)]
    bare = osm.node(100.5, 27)
    platform = osm.box(100.0, 27.0, 100.001, 27.001, public_transport="platform", bus="yes")
    members = [
        ("node", stops[2], "stop"),
        ("node", bare, ""),
        ("node", stops[0], "stop_exit_only"),
        ("node", 999, "stop"),
    ]
    osm.relation([*members, ("node", stops[1], "platform"), ("way", platform, "")], type="route", route="bus", ref="1")
    osm.relation([("node", stops[1], "platform"), ("way", platform, "platform")], type="route", route="bus")
    osm.relation([("node", stops[1], "stop")], type="route", route="tram")
    features = read_osm_features(osm.write(tmp_path / "map.osm"))
    first, second = features.bus_lines
    assert [m.stop.osm_id for m in first.stops] == [f"n{stops[2]}", f"n{bare}", f"n{stops[0]}", f"w{platform}"]
    assert (first.missing_stops, first.name, second.name) == (1, "1", second.osm_id)
    assert [m.role for m in second.stops] == ["platform", "platform"]
    assert {stop.osm_id for stop in features.bus_stops} == {*(f"n{stop}" for stop in stops), f"w{platform}"}


def test_areas_of_every_kind(tmp_path: Path) -> None:
    """Tests that airspace-related objects are found as points, lines, polygons and relations, roof plants not."""
    osm = HandMap()
    osm.node(1, 1, amenity="fuel")
    osm.way([osm.node(2, 2), osm.node(2, 3)], waterway="dam")
    osm.box(3, 3, 4, 4, power="plant", name="Hydro")
    osm.box(3, 3, 4, 4, power="plant", location="roof")
    osm.box(5, 5, 6, 6, man_made="water_works")
    outer = osm.box(7, 7, 9, 9)
    osm.relation([("way", outer, "outer")], type="multipolygon", boundary="national_park")
    osm.relation([("way", outer, "outer"), ("way", 999, "outer")], type="multipolygon", aeroway="aerodrome")
    areas = read_osm_features(osm.write(tmp_path / "map.osm")).areas
    kinds = {area.kind: area.geometry.geom_type for area in areas}
    assert kinds == {
        "fuel": "Point",
        "dam": "LineString",
        "power_plant": "Polygon",
        "waterworks": "Polygon",
        "protected": "Polygon",
    }
    assert len(areas) == 5


def test_bounds_are_stated_or_measured(tmp_path: Path) -> None:
    """Tests that bounds come from the file's header where it has one, else from what the file holds."""
    measured = read_osm_features(valley().write(tmp_path / "map.osm")).bounds
    assert measured == pytest.approx((99.95, 26.95, 100.25, 27.15))
    text = (tmp_path / "map.osm").read_text()
    stated = text.replace(
        'generator="test">', 'generator="test"><bounds minlat="26" minlon="99" maxlat="28" maxlon="101"/>'
    )
    (tmp_path / "map.osm").write_text(stated)
    assert read_osm_features(tmp_path / "map.osm").bounds == (99.0, 26.0, 101.0, 28.0)


def test_ids_made_by_hand_may_be_negative(tmp_path: Path) -> None:
    """Tests that an extract from an editor, with negative ids, reads."""
    text = valley().write(tmp_path / "map.osm").read_text()
    negative = text.replace(' id="', ' id="-').replace('ref="', 'ref="-')
    negative = negative.replace('v="9 000"/><tag k="name:zh"', 'v="9 000"/><tag k="name:zh"')
    (tmp_path / "map.osm").write_text(negative.replace('k="-', 'k="'))
    features = read_osm_features(tmp_path / "map.osm")
    assert len(features.places) == 8
    assert len(features.bus_lines[0].stops) == 4


@pytest.mark.parametrize("content", [b"", b"hello", b"<osm><node id='1'"])
def test_broken_files(tmp_path: Path, content: bytes) -> None:
    """Tests that a file that is no OSM data is named as such."""
    (tmp_path / "map.osm").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_osm_features(tmp_path / "map.osm")
    assert [fault.code for fault in caught.value.faults] == ["BROKEN_FILE"]


def test_missing_file(tmp_path: Path) -> None:
    """Tests that an absent extract is named as such."""
    with pytest.raises(InputError, match="MISSING_FILE"):
        read_osm_features(tmp_path / "none.osm.pbf")


@pytest.mark.real_data
def test_a_truncated_pbf(shared_data: Path, tmp_path: Path) -> None:
    """Tests that a download that was cut off is refused, not read in half."""
    whole = (shared_data / "andorra" / "andorra-2013-small.osm.pbf").read_bytes()
    (tmp_path / "cut.osm.pbf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="download it again"):
        read_osm_features(tmp_path / "cut.osm.pbf")


@pytest.mark.real_data
def test_andorra(shared_data: Path) -> None:
    """Tests that a real extract has the places, parishes, stops and lines its description counts."""
    features = read_osm_features(shared_data / "andorra" / "andorra-20250118.osm.pbf")
    kinds = [place.kind for place in features.places if place.osm_id.startswith("n")]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts == {"town": 7, "village": 34, "hamlet": 27, "isolated_dwelling": 5}
    parishes = [b for b in features.boundaries if b.admin_level == 7 and b.polygon is not None]
    assert len(parishes) == 7
    assert all(shapely.is_valid(parish.polygon) for parish in parishes)
    assert {(line.name, len(line.stops), line.missing_stops) for line in features.bus_lines} == {
        ("L1", 40, 0),
        ("L2", 35, 0),
        ("L4", 86, 0),
    }
    assert features.bounds == pytest.approx((1.412368, 42.4276, 1.787481, 42.65717))
