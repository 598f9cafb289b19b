"""``plan.geojson``: every movement along its way, the sites and the unassigned orders (RFC 7946)."""

from __future__ import annotations

import json
from typing import Any

from geodata.location import FloatArray
from routing.export.scene import PlaceInfo, Scene, aboard_after, category_of
from routing.model.plan import Route, Unassigned


def plan_features(scene: Scene) -> dict[str, Any]:
    """Return the plan as a GeoJSON FeatureCollection.

    The property ``feature`` tells the kinds apart. ``movement``: a LineString with the height in metres as third
    coordinate, with carrier, times, figures and the ids of the orders aboard; the legs of an order are the movements
    that name it. ``site``: a Point. ``unassigned``: a MultiPoint of origin and destination with the reason.
    """
    features: list[dict[str, Any]] = []
    for route in scene.document.routes:
        features += _movements(scene, route)
    features += [_site(place) for place in scene.places.values()]
    features += [_unassigned(scene, entry) for entry in scene.document.unassigned]
    return {"type": "FeatureCollection", "name": scene.document.scenario.name, "features": features}


def features_to_bytes(collection: dict[str, Any]) -> bytes:
    """Return the bytes of a feature collection, one feature a line so that two plans can be compared by line."""
    head = {key: value for key, value in collection.items() if key != "features"}
    opening = json.dumps(head, ensure_ascii=False)[:-1] + ', "features": [\n'
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in collection["features"])
    return (opening + lines + "\n]}\n").encode()


def _movements(scene: Scene, route: Route) -> list[dict[str, Any]]:
    found = []
    aboard = aboard_after(route)
    for position, (here, there) in enumerate(zip(route.stops, route.stops[1:], strict=False)):
        if here.movement is None:
            continue
        properties = {
            "feature": "movement",
            "route": route.id,
            "carrier": route.carrier,
            "operator": route.operator,
            "kind": route.kind,
            "category": category_of(route),
            "type": route.type,
            "sequence": position + 1,
            "from": here.place,
            "to": there.place,
            "departure_s": here.departure_s,
            "arrival_s": there.arrival_s,
            "distance_m": here.movement.distance_m,
            "duration_s": here.movement.duration_s,
            "energy_wh": here.movement.energy_wh,
            "load_kg": here.load_kg,
            "load_l": here.load_l,
            "orders": list(aboard[position]),
        }
        line = scene.paths.get((route.id, position))
        geometry = {"type": "LineString", "coordinates": _positions(line)} if line is not None else None
        found.append({"type": "Feature", "geometry": geometry, "properties": properties})
    return found


def _positions(line: FloatArray) -> list[list[float]]:
    return [[round(float(x), 6), round(float(y), 6), round(float(z), 1)] for x, y, z in line]


def _point(place: PlaceInfo) -> list[float]:
    return [round(place.lon, 6), round(place.lat, 6), round(place.elevation_m, 1)]


def _site(place: PlaceInfo) -> dict[str, Any]:
    properties = {
        "feature": "drop" if place.is_drop else "site",
        "id": place.id,
        "name": place.name,
        "level": place.level.value,
        "parent": place.parent,
        "opens_s": place.opens_s,
        "closes_s": place.closes_s,
        "drone_pads": place.drone_pads,
        "synthetic": place.synthetic,
    }
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": _point(place)}, "properties": properties}


def _unassigned(scene: Scene, entry: Unassigned) -> dict[str, Any]:
    order = scene.orders[entry.order]
    ends = [scene.places[place] for place in (order.from_id, order.to_id) if place in scene.places]
    properties = {
        "feature": "unassigned",
        "order": entry.order,
        "from": order.from_id,
        "to": order.to_id,
        "reason": entry.reason,
        "text": entry.text,
        "text_zh": entry.text_zh,
        "relaxation": entry.relaxation.text if entry.relaxation else None,
    }
    geometry = {"type": "MultiPoint", "coordinates": [_point(place) for place in ends]} if ends else None
    return {"type": "Feature", "geometry": geometry, "properties": properties}
