"""What the map knows: one JSON-ready dictionary; ``data/map/*.js`` reads it.

Places, orders and routes are referred to by their index in their list. Lines are encoded polylines. Texts are raw: the
page escapes them where it shows them.
"""

from __future__ import annotations

import base64
from typing import Any

from routing.export.map_roads import encoded_roads
from routing.export.palette import CATEGORY_COLOURS, carrier_colours
from routing.export.polyline import encode_line, simplified
from routing.export.scene import CATEGORIES, PlaceInfo, Scene, category_of, distance_m, orders_of
from routing.export.sheets import temperature_note
from routing.export.wording import wording_of
from routing.model.plan import Handover, Route, Stop, Unassigned

ROUTE_TOLERANCE_M = 4.0
"""Routes are drawn within this distance of their true line."""


def map_data(scene: Scene) -> dict[str, Any]:
    """Return everything the map page shows, JSON-ready and in a fixed order."""
    document = scene.document
    index = _Indices(scene)
    routes = [_route(scene, index, route) for route in document.routes]
    return {
        "meta": {
            "name": document.scenario.name,
            "date": document.scenario.service_date,
            "digest": document.scenario.digest,
            "seed": document.seed,
            "versions": document.versions,
            "currency": document.objective.currency,
            "only": list(document.only),
            "credits": list(scene.credits),
            "synthetic": list(scene.synthetic),
        },
        "cost": {
            "total": document.objective.total,
            "lines": {
                name: getattr(document.objective.lines, name) for name in document.objective.lines.__dataclass_fields__
            },
        },
        "counts": {
            "orders": len(scene.orders),
            "served": len(document.orders),
            "unassigned": len(document.unassigned),
            "rejected": len(document.rejected),
        },
        "kinds": _kinds(scene),
        "bounds": _bounds(scene),
        "relief": _relief(scene),
        "roads": encoded_roads(scene.roads),
        "zones": [
            {
                "id": zone.id,
                "name": zone.name,
                "kind": zone.kind,
                "geometry": zone.geometry,
                "floor": zone.floor_m,
                "ceiling": zone.ceiling_m,
            }
            for zone in scene.zones
        ],
        "places": [_place(place) for place in scene.places.values()],
        "orders": [_order(scene, index, order_id) for order_id in scene.orders],
        "routes": routes,
        "unassigned": [_unassigned(index, entry) for entry in document.unassigned if entry.order in index.order],
        "rejected": [{"row": row.row, "id": row.order, "faults": list(row.faults)} for row in document.rejected],
    }


class _Indices:
    """Positions of places, orders and routes in the lists of the map's data."""

    def __init__(self, scene: Scene) -> None:
        self.place = {place_id: k for k, place_id in enumerate(scene.places)}
        self.order = {order_id: k for k, order_id in enumerate(scene.orders)}
        self.route = {route.id: k for k, route in enumerate(scene.document.routes)}
        self.colour = carrier_colours((category_of(route), route.carrier) for route in scene.document.routes)


def _kinds(scene: Scene) -> list[dict[str, Any]]:
    """Return the totals of each kind of carrier in use, in the order of `CATEGORIES`."""
    found = []
    for category in CATEGORIES:
        routes = [route for route in scene.document.routes if category_of(route) == category]
        if routes:
            entry = {
                "category": category,
                "colour": CATEGORY_COLOURS[category],
                "carriers": len({route.carrier for route in routes}),
                "routes": len(routes),
                "orders": len({order for route in routes for order in orders_of(route)}),
                "metres": sum(distance_m(route) for route in routes),
            }
            found.append(entry)
    return found


def _bounds(scene: Scene) -> list[float]:
    """Return west, south, east and north of all sites and routes."""
    lons = [place.lon for place in scene.places.values()]
    lats = [place.lat for place in scene.places.values()]
    for line in scene.paths.values():
        lons += [float(line[:, 0].min()), float(line[:, 0].max())]
        lats += [float(line[:, 1].min()), float(line[:, 1].max())]
    if not lons:
        return [-180.0, -60.0, 180.0, 75.0]
    return [round(min(lons), 5), round(min(lats), 5), round(max(lons), 5), round(max(lats), 5)]


def _relief(scene: Scene) -> dict[str, Any] | None:
    if scene.relief is None:
        return None
    relief = scene.relief
    west, south, east, north = (round(edge, 6) for edge in (relief.west, relief.south, relief.east, relief.north))
    return {
        "image": "data:image/png;base64," + base64.b64encode(relief.png).decode(),
        "corners": [[west, north], [east, north], [east, south], [west, south]],
    }


def _place(place: PlaceInfo) -> dict[str, Any]:
    return {
        "id": place.id,
        "name": place.name or place.id,
        "level": place.level.value,
        "at": [round(place.lon, 5), round(place.lat, 5)],
        "height": round(place.elevation_m),
        "opens": place.opens_s,
        "closes": place.closes_s,
        "pads": place.drone_pads,
        "drop": place.is_drop,
        "synthetic": place.synthetic,
    }


def _order(scene: Scene, index: _Indices, order_id: str) -> dict[str, Any]:
    order = scene.orders[order_id]
    product = scene.products.classes[order.product_class]
    return {
        "id": order.id,
        "from": index.place[order.from_id],
        "to": index.place[order.to_id],
        "kg": order.weight_kg,
        "l": order.volume_l,
        "pieces": order.pieces,
        "product": {"en": product.name or product.id, "zh": product.name_zh or product.name or product.id},
        "cold": product.cold,
        "release": order.release_s,
        "windows": [list(window) for window in order.windows],
        "due": order.due_s,
        "legs": [
            {
                "route": index.route[leg.route],
                "from": index.place[leg.from_place],
                "to": index.place[leg.to_place],
                "load": leg.load_start_s,
                "dep": leg.departure_s,
                "arr": leg.arrival_s,
                "done": leg.unload_end_s,
            }
            for leg in scene.legs.get(order_id, ())
        ],
    }


def _route(scene: Scene, index: _Indices, route: Route) -> dict[str, Any]:
    return {
        "id": route.id,
        "carrier": route.carrier,
        "title": scene.title_of(route.carrier),
        "operator": route.operator,
        "category": category_of(route),
        "type": route.type,
        "base": index.place.get(route.base),
        "colour": index.colour[route.carrier],
        "metres": distance_m(route),
        "orders": [index.order[order_id] for order_id in orders_of(route)],
        "stops": [_stop(scene, index, route, stop, position) for position, stop in enumerate(route.stops)],
    }


def _stop(scene: Scene, index: _Indices, route: Route, stop: Stop, position: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "place": index.place[stop.place],
        "arr": stop.arrival_s,
        "start": stop.service_start_s,
        "end": stop.service_end_s,
        "dep": stop.departure_s,
        "load": [_handover(scene, index, route, handover) for handover in stop.load],
        "unload": [_handover(scene, index, route, handover) for handover in stop.unload],
        "rests": [[rest.start_s, rest.end_s] for rest in stop.breaks],
        "kg": stop.load_kg,
    }
    if stop.movement is not None:
        line = scene.paths.get((route.id, position))
        found["way"] = {
            "kind": stop.movement.kind,
            "metres": stop.movement.distance_m,
            "seconds": stop.movement.duration_s,
            "wh": round(stop.movement.energy_wh, 1),
            "left": stop.movement.battery_left_wh,
            "line": "" if line is None else encode_line(simplified(line, ROUTE_TOLERANCE_M)),
        }
    return found


def _handover(scene: Scene, index: _Indices, route: Route, handover: Handover) -> dict[str, Any]:
    found: dict[str, Any] = {"order": index.order[handover.order]}
    notes = {lang: temperature_note(scene, wording_of(lang), route, handover) for lang in ("en", "zh")}
    if notes["en"]:
        found["note"] = notes
    return found


def _unassigned(index: _Indices, entry: Unassigned) -> dict[str, Any]:
    relaxation = entry.relaxation
    return {
        "order": index.order[entry.order],
        "reason": entry.reason,
        "text": {"en": entry.text, "zh": entry.text_zh or entry.text},
        "fix": {"en": relaxation.text, "zh": relaxation.text_zh or relaxation.text} if relaxation else None,
        "verified": relaxation.verified if relaxation else False,
    }
