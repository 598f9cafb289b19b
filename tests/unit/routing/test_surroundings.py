"""Airspace from a map and the synthetic day of weather."""

import numpy as np
import pytest
import shapely

from geodata.airspace import read_airspace, write_airspace
from geodata.location import LocalFrame
from geodata.osm_features import AreaKind, OsmArea
from routing.generation.airspace_osm import airspace_from_areas
from routing.generation.weather import windy_afternoon

FRAME = LocalFrame(100.0, 27.0)


def metres(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return a geometry in metres."""
    return shapely.transform(geometry, lambda at: np.column_stack(FRAME.to_metres(at[:, 0], at[:, 1])))


@pytest.mark.parametrize(
    ("kind", "zone", "margin_m"),
    [
        ("aerodrome", "controlled", 2_000),
        ("heliport", "controlled", 200),
        ("power_plant", "no_fly", 30),
        ("substation", "no_fly", 30),
        ("fuel", "no_fly", 30),
        ("waterworks", "no_fly", 30),
        ("dam", "no_fly", 30),
    ],
)
def test_zones_keep_their_distance(kind: AreaKind, zone: str, margin_m: float) -> None:
    """Tests that a zone is of its kind and reaches its margin around point, line and polygon, no more, hardly less."""
    shapes = [
        shapely.Point(100, 27),
        shapely.LineString([(100, 27), (100.01, 27)]),
        shapely.box(100, 27, 100.01, 27.01),
    ]
    areas = [OsmArea(f"w{k}", kind, "", geometry) for k, geometry in enumerate(shapes)]
    airspace, _ = airspace_from_areas(areas, FRAME)
    assert [z.kind for z in airspace.zones] == [zone] * 3
    for found, geometry in zip(airspace.zones, shapes, strict=True):
        edge = metres(found.geometry).boundary
        away_m = [metres(geometry).distance(shapely.Point(point)) for point in edge.segmentize(5).coords]
        assert max(away_m) <= margin_m + 1.1
        assert min(away_m) >= margin_m * 0.97 - 1.1


def test_protected_areas_are_counted_not_forbidden() -> None:
    """Tests that protected areas make no zone but are named."""
    airspace, notes = airspace_from_areas([OsmArea("w1", "protected", "Park", shapely.box(100, 27, 101, 28))], FRAME)
    assert airspace.zones == ()
    assert any("Park" in note for note in notes)


def test_zones_are_read_back(tmp_path) -> None:  # noqa: ANN001
    """Tests that zones of an area that crosses itself are still areas a reader accepts."""
    bow = shapely.MultiPolygon([shapely.box(100, 27, 100.01, 27.01), shapely.box(100.01, 27.01, 100.02, 27.02)])
    airspace, _ = airspace_from_areas([OsmArea("r1", "waterworks", "Two", bow)], FRAME)
    write_airspace(airspace, tmp_path / "airspace.geojson", synthetic=False)
    assert len(read_airspace(tmp_path / "airspace.geojson").zones) == 1


def test_the_afternoon_is_windy_and_the_morning_calm() -> None:
    """Tests that gusts pass a large drone's limit in the afternoon only, and that the warmest hour is in it too."""
    weather = windy_afternoon(1_000.0, 1)
    gusty = [hour.hour for hour in weather.hours if hour.peak_wind_m_s > 12]
    assert gusty
    assert all(11 <= hour <= 17 for hour in gusty)
    assert all(hour.peak_wind_m_s <= 5 for hour in weather.hours if hour.hour < 10 or hour.hour >= 19)
    temperatures = [hour.temp_c for hour in weather.hours]
    assert temperatures.index(max(temperatures)) in (14, 15)
    assert (min(temperatures), max(temperatures)) == (pytest.approx(14, abs=1), pytest.approx(28, abs=1))
