"""Tests of the airspace file."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import MultiPolygon, box

from geodata.airspace import Airspace, Zone, read_airspace, write_airspace
from geodata.errors import FaultCollector, InputError

SQUARE = {"type": "Polygon", "coordinates": [[[1, 2], [2, 2], [2, 3], [1, 3], [1, 2]]]}


def write(tmp_path: Path, *features: Any) -> Path:
    path = tmp_path / "airspace.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), encoding="utf-8")
    return path


def feature(geometry: Any = SQUARE, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"kind": "no_fly"} | properties, "geometry": geometry}


def faults(path: Path) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(InputError) as caught:
        read_airspace(path)
    return [(fault.code, fault.row, fault.field) for fault in caught.value.faults]


def test_round_trip(tmp_path: Path) -> None:
    """Tests that zones with and without limits come back as written, and that synthetic ones are marked."""
    airspace = Airspace(
        (
            Zone("a", "no_fly", "水库", box(1, 2, 3, 4)),
            Zone("b", "corridor", "gorge", MultiPolygon([box(0, 0, 1, 1)]), 30.0, 300.0, 3600, 7200, (4, 5), ("L",)),
        )
    )
    write_airspace(airspace, tmp_path / "a.geojson", synthetic=True)
    assert read_airspace(tmp_path / "a.geojson") == airspace
    document = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))
    assert all(feature["properties"]["synthetic"] for feature in document["features"])


def test_ids_and_names_default(tmp_path: Path) -> None:
    """Tests that zones without id and name get the number of their feature."""
    (zone,) = read_airspace(write(tmp_path, feature())).zones
    assert (zone.id, zone.name, zone.is_permanent) == ("zone-1", "zone-1", True)


def test_concerns_and_hours() -> None:
    """Tests months, drone types and hours of a zone."""
    zone = Zone("a", "no_fly", "a", box(0, 0, 1, 1), 0, 50, 100, 200, (4,), ("L",))
    assert zone.concerns(date(2026, 4, 30), "L")
    assert not zone.concerns(date(2026, 5, 1), "L")
    assert not zone.concerns(date(2026, 4, 30), "M")
    assert Airspace((zone,)).concerning(date(2026, 4, 1), "M") == ()
    assert [zone.is_active(*span) for span in ((0, 99), (0, 100), (150, 160), (200, 300), (201, 300))] == [
        False, True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (feature(kind="nofly"), "UNKNOWN_CHOICE", "kind"),
        (feature(kind=None), "UNKNOWN_CHOICE", "kind"),
        (feature(ceiling_agl=4), "UNKNOWN_KEY", "ceiling_agl"),
        (feature(None), "WRONG_GEOMETRY", "geometry"),
        (feature({"type": "Point", "coordinates": [1, 2]}), "WRONG_GEOMETRY", "geometry"),
        (feature({"type": "Polygon", "coordinates": [[[1]]]}), "WRONG_GEOMETRY", "geometry"),
        (feature({"type": "Blob", "coordinates": []}), "WRONG_GEOMETRY", "geometry"),
        (
            feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}),
            "WRONG_GEOMETRY",
            "geometry",
        ),
        (
            feature({"type": "Polygon", "coordinates": [[[42, 101], [42, 102], [43, 102], [42, 101]]]}),
            "WRONG_GEOMETRY",
            "geometry",
        ),
        (feature(kind="corridor"), "MISSING_VALUE", "ceiling_agl_m"),
        (feature(floor_agl_m=80, ceiling_agl_m=60), "BAD_RANGE", "floor_agl_m"),
        (feature(from_s=80, until_s=60), "BAD_RANGE", "from_s"),
        (feature(from_s="noon"), "BAD_VALUE", "from_s"),
        (feature(floor_agl_m=-1), "BAD_VALUE", "floor_agl_m"),
        (feature(months=[0]), "BAD_MONTH", "months"),
        (feature(months="May"), "BAD_MONTH", "months"),
        (feature(applies_to="L"), "BAD_VALUE", "applies_to"),
        ({"type": "Feature", "geometry": SQUARE}, "BROKEN_FILE", None),
    ],
)
def test_faults(tmp_path: Path, raw: Any, code: str, field: str | None) -> None:
    """Tests that each thing wrong with a feature is named with its number and property."""
    assert faults(write(tmp_path, feature(), raw)) == [(code, 2, field)]


def test_suggests_names(tmp_path: Path) -> None:
    """Tests that misspelt kinds and properties come with the nearest known name."""
    with pytest.raises(InputError, match=r"(?s)Did you mean no_fly\?.*Did you mean months\?"):
        read_airspace(write(tmp_path, feature(kind="no-fly"), feature(month=[3])))


def test_repeated_id(tmp_path: Path) -> None:
    """Tests that two zones of one id are a fault."""
    assert faults(write(tmp_path, feature(id="x"), feature(id="x"))) == [("DUPLICATE_ID", 2, "id")]


def test_collector_keeps_sound_zones(tmp_path: Path) -> None:
    """Tests that with a collector the sound zones are returned and the faults collected."""
    collector = FaultCollector()
    airspace = read_airspace(write(tmp_path, feature(id="x"), feature(kind="y")), collector)
    assert [zone.id for zone in airspace.zones] == ["x"]
    assert len(collector.faults) == 1


def test_files_that_are_no_airspace(tmp_path: Path) -> None:
    """Tests that an absent file, broken JSON and another document are told apart."""
    path = tmp_path / "x.geojson"
    assert faults(path)[0][0] == "MISSING_FILE"
    path.write_text("{")
    assert faults(path)[0][0] == "BROKEN_FILE"
    path.write_text("[]")
    assert faults(path)[0][0] == "BROKEN_FILE"
