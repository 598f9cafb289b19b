"""Coordinates in GCJ-02 of every kind of body, converted before anything else sees them."""

from api.coordinates import swap_notes, wgs84_geojson, wgs84_order, wgs84_place, wgs84_record
from api.replan_schemas import ReplanRequest
from api.siting_schemas import SitingRequest

PLACE = (105.7312, 31.2204)
MOVED = wgs84_place(PLACE)


def test_geojson_of_any_depth() -> None:
    """Tests that every position of a GeoJSON object is moved, heights stay, and what is no position stays."""
    line = {"type": "LineString", "coordinates": [[*PLACE, 7.0], list(PLACE)]}
    document = {"features": [{"geometry": line, "properties": {"kind": "closed", "lanes": [1, 2]}}]}
    found = wgs84_geojson(document)["features"][0]
    assert found["geometry"]["coordinates"] == [[*MOVED, 7.0], list(MOVED)]
    assert found["properties"] == {"kind": "closed", "lanes": [1, 2]}
    for broken in ({"coordinates": "x"}, {"coordinates": [["a", "b"]]}, {"coordinates": None}, 3, {"coordinates": []}):
        assert wgs84_geojson(broken) == broken


def test_records() -> None:
    """Tests that records are moved where they have a place, and kept for their reader where it is none."""
    assert wgs84_record({"id": "a", "lon": PLACE[0], "lat": PLACE[1]}) == {"id": "a", "lon": MOVED[0], "lat": MOVED[1]}
    assert wgs84_order({"to_lon": PLACE[0], "to_lat": PLACE[1]}) == {"to_lon": MOVED[0], "to_lat": MOVED[1]}
    for kept in ({"lon": "105"}, {"lon": True, "lat": 1.0}, {}):
        assert wgs84_record(kept) == kept


def test_bodies() -> None:
    """Tests that replans and sitings move orders, tables and closures, and that a converted body is not moved again."""
    line = {"geometry": {"type": "LineString", "coordinates": [list(PLACE), list(PLACE)]}}
    order = {"id": "o", "to_lon": PLACE[0], "to_lat": PLACE[1]}
    replan = ReplanRequest(now_s=0, closures=[line], new_orders=[order], crs="gcj02").in_wgs84
    assert replan.closures[0]["geometry"]["coordinates"][0] == list(MOVED)
    assert (replan.new_orders[0]["to_lon"], replan.new_orders[0]["to_lat"]) == MOVED
    assert replan.in_wgs84 == replan
    row = {"id": "p", "lon": PLACE[0], "lat": PLACE[1]}
    asked = SitingRequest(open=1, settlements=[row], points=[row], closures=[line], crs="gcj02")
    found = asked.in_wgs84
    assert found.settlements is not None
    assert found.points is not None
    assert (found.settlements[0]["lon"], found.points[0]["lat"]) == MOVED
    assert found.closures[0]["geometry"]["coordinates"][0] == list(MOVED)
    assert found.in_wgs84 == found
    plain = SitingRequest(open=1)
    assert plain.in_wgs84 == plain


def test_exchanged_axes_are_told() -> None:
    """Tests that a place which would lie on the network the other way round is told, and no other."""
    andorra = (1.4, 42.4, 1.8, 42.7)
    (note,) = swap_notes([(1.5, 42.5), (42.5, 1.5), (9.0, 9.0), None], andorra)
    assert note.startswith("place 1 [42.5, 1.5] lies outside the network; [1.5, 42.5] would lie inside")
