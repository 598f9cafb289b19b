import json
from typing import Any

from shapely.geometry import shape

from routing.export.features import features_to_bytes, plan_features
from routing.export.scene import Scene


def _by(scene: Scene, kind: str) -> list[dict[str, Any]]:
    return [f for f in plan_features(scene)["features"] if f["properties"]["feature"] == kind]


def test_every_movement_is_a_line_with_heights(scene: Scene) -> None:
    """Tests that each movement of each route is a valid line of lon, lat and height between its two places."""
    movements = _by(scene, "movement")
    assert len(movements) == sum(len(route.stops) - 1 for route in scene.document.routes)
    for feature in movements:
        coordinates = feature["geometry"]["coordinates"]
        assert shape(feature["geometry"]).is_valid
        assert len(coordinates) >= 2
        assert all(len(point) == 3 for point in coordinates)
        properties = feature["properties"]
        ends = [scene.places[properties[end]] for end in ("from", "to")]
        for point, place in zip((coordinates[0], coordinates[-1]), ends, strict=True):
            assert abs(point[0] - place.lon) < 1e-5
            assert abs(point[1] - place.lat) < 1e-5
        assert properties["arrival_s"] == properties["departure_s"] + properties["duration_s"]


def test_movements_name_the_orders_aboard(scene: Scene) -> None:
    """Tests that the movements that name an order are exactly those between its load and unload."""
    named = [
        (f["properties"]["route"], f["properties"]["from"])
        for f in _by(scene, "movement")
        if "o1" in f["properties"]["orders"]
    ]
    assert named == [("R-truck-1", "hub"), ("R-tri-1", "t0")]  # fmt: skip


def test_unassigned_orders_carry_their_reason(scene: Scene) -> None:
    """Tests that an unassigned order lies at its two ends with its reason and relaxation."""
    (feature,) = _by(scene, "unassigned")
    assert feature["properties"]["reason"] == "TOO_HEAVY"
    assert "400 kg" in feature["properties"]["relaxation"]
    assert len(feature["geometry"]["coordinates"]) == 2


def test_sites_and_drops_are_points(scene: Scene) -> None:
    """Tests that every place is a point, drops told apart from sites."""
    assert len(_by(scene, "site")) + len(_by(scene, "drop")) == len(scene.places)
    assert [f["properties"]["id"] for f in _by(scene, "drop")] == ["drop:o2"]


def test_the_file_is_json_of_one_feature_a_line(scene: Scene) -> None:
    """Tests that the bytes parse back to the same collection and can be compared by line."""
    collection = plan_features(scene)
    data = features_to_bytes(collection)
    assert json.loads(data) == collection
    assert data.count(b"\n") == len(collection["features"]) + 2
