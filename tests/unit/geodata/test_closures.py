"""Unit tests of closures (geodata.streets)."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from street_cases import both_ways, make_network

from geodata.errors import FaultCollector, InputError
from geodata.streets import Closure, StreetNetwork, closed_edges, read_closures

DAY = dt.date(2026, 7, 15)


def crossing() -> StreetNetwork:
    """Return a road of four nodes east-west and a road crossing it at the second node, about 82 m a step."""
    places = [(1.500, 42.5), (1.501, 42.5), (1.502, 42.5), (1.503, 42.5), (1.501, 42.501), (1.501, 42.499)]
    pairs = [(0, 1), (1, 2), (2, 3), (1, 4), (1, 5)]
    return make_network(6, [edge for pair in pairs for edge in both_ways(*pair)], places)


def closed_pairs(closure: Closure, from_s: int = 0, until_s: int = 86_400, **who: object) -> set[tuple[int, int]]:
    network = crossing()
    closed = closed_edges(network, [closure], DAY, from_s, until_s, **who)  # type: ignore[arg-type]
    return {(int(network.edge_from[e]), int(network.edge_to[e])) for e in np.flatnonzero(closed)}


LINE = Closure("l", "closed", shapely.LineString([(1.5001, 42.50002), (1.5019, 42.50002)]))


def test_line_closes_the_road_along_it_both_ways() -> None:
    """Tests that a line beside a road closes its edges in both directions and not the road that crosses it."""
    assert closed_pairs(LINE) == {(0, 1), (1, 0), (1, 2), (2, 1)}


def test_line_leaves_a_short_road_across_it_open() -> None:
    """Tests that an edge whose middle lies on the line, but which runs across it, stays open."""
    places = [(1.500, 42.5), (1.502, 42.5), (1.501, 42.50005), (1.501, 42.49995)]
    network = make_network(4, [*both_ways(0, 1), *both_ways(2, 3)], places)
    closed = closed_edges(network, [LINE], DAY, 0, 86_400)
    assert network.edge_from[closed].tolist() == [0, 1]


def test_line_too_far_closes_nothing() -> None:
    """Tests that a line 30 m away is not on the road."""
    assert closed_pairs(Closure("l", "closed", shapely.LineString([(1.5001, 42.5003), (1.5019, 42.5003)]))) == set()


def test_polygon_closes_every_edge_it_meets() -> None:
    """Tests that an area closes all edges that enter it."""
    area = shapely.box(1.50095, 42.4999, 1.50105, 42.5001)
    assert closed_pairs(Closure("p", "closed", area)) == {
        (0, 1),
        (1, 0),
        (1, 2),
        (2, 1),
        (1, 4),
        (4, 1),
        (1, 5),
        (5, 1),
    }
    parts = shapely.MultiPolygon([shapely.box(1.5024, 42.4999, 1.5026, 42.5001)])
    assert closed_pairs(Closure("m", "closed", parts)) == {(2, 3), (3, 2)}


def closure(**values: object) -> Closure:
    return Closure("c", str(values.pop("kind", "closed")), LINE.geometry, **values)  # type: ignore[arg-type]


def test_months_and_hours() -> None:
    """Tests that a closure binds in its months and hours only, its end excluded."""
    assert closed_pairs(closure(months=(6, 7)))
    assert not closed_pairs(closure(months=(12, 1)))
    assert closed_pairs(closure(from_s=36_000, until_s=43_200), 40_000, 50_000)
    assert not closed_pairs(closure(from_s=36_000, until_s=43_200), 43_200, 50_000)
    assert not closed_pairs(closure(from_s=36_000, until_s=43_200), 0, 35_999)


def test_who_is_bound() -> None:
    """Tests that closures bind whom they name, restrictions leave walkers, and nobody named means everybody."""
    assert closed_pairs(closure(applies_to=("truck",)), profile_id="truck")
    assert not closed_pairs(closure(applies_to=("truck",)), profile_id="van_diesel")
    assert closed_pairs(closure(applies_to=("truck",)))
    assert closed_pairs(closure(), profile_id="walker", on_foot=True)
    assert not closed_pairs(closure(kind="restricted"), profile_id="walker", on_foot=True)
    assert closed_pairs(closure(kind="restricted"), profile_id="van_diesel")


def write(path: Path, *features: dict[str, object]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), encoding="utf-8")
    return path


def feature(geometry: object = None, **properties: object) -> dict[str, object]:
    shape = geometry or {"type": "LineString", "coordinates": [[1.5, 42.5], [1.6, 42.6]]}
    return {"type": "Feature", "geometry": shape, "properties": properties}


def test_file_is_read_with_defaults(tmp_path: Path) -> None:
    """Tests fields and defaults of a closure file."""
    given = feature(kind="restricted", from_s=100, until_s=200, months=[1, 2], applies_to=["truck"], id="x")
    first, second = read_closures(write(tmp_path / "closures.geojson", given, feature()))
    assert (first.id, first.kind, first.from_s, first.until_s) == ("x", "restricted", 100, 200)
    assert (first.months, first.applies_to) == ((1, 2), ("truck",))
    assert (second.id, second.kind, second.from_s, second.until_s, second.months) == ("2", "closed", 0, 86_400, ())


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    """Tests that all faulty features are named with row and code, a misspelt key with the nearest known one."""
    path = write(
        tmp_path / "closures.geojson",
        feature(kind="shut"),
        feature(untill_s=5),
        feature(from_s=200, until_s=100),
        feature(months=[13]),
        feature({"type": "Point", "coordinates": [1.5, 42.5]}),
        feature({"type": "LineString", "coordinates": [[1.5, 420.5], [1.6, 42.6]]}),
        feature({"type": "LineString"}),
        feature({"type": "Polygon", "coordinates": [[[1, 42], [2, 43], [2, 42], [1, 43], [1, 42]]]}),
        feature(),
    )
    with pytest.raises(InputError) as error:
        read_closures(path)
    found = [(fault.row, fault.code) for fault in error.value.faults]
    codes = ["UNKNOWN_CHOICE", "UNKNOWN_KEY", "BAD_TIME", "BAD_MONTH", *["WRONG_GEOMETRY"] * 4]
    assert found == list(enumerate(codes, start=1))
    assert "until_s" in error.value.faults[1].remedy
    collector = FaultCollector()
    assert [closure.id for closure in read_closures(path, collector)] == ["9"]
    assert len(collector.faults) == 8


def test_unknown_profile_is_named_where_profiles_are_known(tmp_path: Path) -> None:
    """Tests that a closure for a profile nobody has is faulty, with the nearest one suggested."""
    path = write(tmp_path / "closures.geojson", feature(applies_to=["van_disel"]))
    assert read_closures(path)[0].applies_to == ("van_disel",)
    with pytest.raises(InputError) as error:
        read_closures(path, None, ["van_diesel", "truck"])
    (fault,) = error.value.faults
    assert (fault.code, fault.field, fault.value) == ("UNKNOWN_PROFILE", "applies_to", "van_disel")
    assert "van_diesel" in fault.remedy


@pytest.mark.parametrize(("text", "code"), [(None, "MISSING_FILE"), ("{", "BROKEN_FILE"), ("[]", "BROKEN_FILE")])
def test_file_that_is_no_geojson(tmp_path: Path, text: str | None, code: str) -> None:
    """Tests a missing file, broken JSON and JSON of another kind."""
    path = tmp_path / "closures.geojson"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_closures(path)
    assert [fault.code for fault in error.value.faults] == [code]
