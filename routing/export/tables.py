"""``routes.csv``, ``orders.csv``, ``alternatives.csv``: one row a route or an order, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from routing.export.scene import Scene, category_of, distance_m, energy_wh, orders_of, travel_s
from routing.export.wording import clock
from routing.model.plan import Alternative, Leg, Route, Unassigned

Cell = str | int | float | None
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, for_people: bool = False) -> bytes:
    r"""Return a CSV file: UTF-8, comma, ``\r\n`` (RFC 4180).

    With `for_people` a byte-order mark is written, without which spreadsheets misread Chinese, and a text that a
    spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_defused(cell) for cell in row] if for_people else row)
    return text.getvalue().encode("utf-8-sig" if for_people else "utf-8")


def _defused(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


ROUTE_COLUMNS = (
    "route", "carrier", "kind", "category", "type", "operator", "base", "start", "end", "start_s", "end_s", "stops",
    "orders", "max_load_kg", "distance_km", "travel_min", "energy_kwh",
)  # fmt: skip
ORDER_COLUMNS = (
    "order", "status", "from_site", "from_name", "to_site", "to_name", "product_class", "pieces", "weight_kg",
    "volume_l", "picked_up", "arrived", "picked_up_s", "arrived_s", "late_min", "legs", "kinds", "carriers",
    "transfers", "reason", "text", "relaxation",
)  # fmt: skip


def alternatives_csv(alternatives: Iterable[Alternative]) -> bytes:
    """Return one row an order: its next best itinerary and what that would cost more, in minor units."""
    rows = [
        (other.order, " > ".join(other.carriers), " > ".join(other.places), round(other.extra_cost))
        for other in alternatives
    ]
    return csv_bytes(("order", "carriers", "places", "extra_cost"), rows)


def routes_csv(scene: Scene) -> bytes:
    """Return ``routes.csv``: every route in the order of the plan."""
    return csv_bytes(ROUTE_COLUMNS, (_route_row(route) for route in scene.document.routes))


def _route_row(route: Route) -> list[Cell]:
    start_s, end_s = route.stops[0].service_start_s, route.stops[-1].service_end_s
    return [
        route.id,
        route.carrier,
        route.kind,
        category_of(route),
        route.type,
        route.operator,
        route.base,
        clock(start_s),
        clock(end_s),
        start_s,
        end_s,
        len(route.stops),
        len(orders_of(route)),
        max(stop.load_kg for stop in route.stops),
        round(distance_m(route) / 1000, 3),
        round(travel_s(route) / 60, 1),
        round(energy_wh(route) / 1000, 3),
    ]


def orders_csv(scene: Scene) -> bytes:
    """Return ``orders.csv``: every order of the scenario, served, unassigned or rejected."""
    missing = {entry.order: entry for entry in scene.document.unassigned}
    rows = [_order_row(scene, order_id, missing) for order_id in scene.orders]
    rows += [
        _padded({"order": entry.order, "status": "rejected", "text": "; ".join(entry.faults)})
        for entry in scene.document.rejected
    ]
    return csv_bytes(ORDER_COLUMNS, rows)


def _padded(cells: Mapping[str, Cell]) -> list[Cell]:
    return [cells.get(column) for column in ORDER_COLUMNS]


def _order_row(scene: Scene, order_id: str, missing: Mapping[str, Unassigned]) -> list[Cell]:
    order = scene.orders[order_id]
    cells: dict[str, Cell] = {
        "order": order.id,
        "from_site": order.from_id,
        "from_name": scene.place_name(order.from_id),
        "to_site": order.to_id,
        "to_name": scene.place_name(order.to_id),
        "product_class": order.product_class,
        "pieces": order.pieces,
        "weight_kg": order.weight_kg,
        "volume_l": order.volume_l,
    }
    legs = scene.legs.get(order_id, ())
    if legs:
        cells |= _ride_cells(scene, legs, order.due_s)
    elif order_id in missing:
        entry = missing[order_id]
        cells |= {
            "status": "unassigned",
            "reason": entry.reason,
            "text": entry.text,
            "relaxation": entry.relaxation.text if entry.relaxation else None,
        }
    return _padded(cells)


def _ride_cells(scene: Scene, legs: Sequence[Leg], due_s: int | None) -> dict[str, Cell]:
    arrived_s = legs[-1].arrival_s
    return {
        "status": "served",
        "picked_up": clock(legs[0].load_start_s),
        "arrived": clock(arrived_s),
        "picked_up_s": legs[0].load_start_s,
        "arrived_s": arrived_s,
        "late_min": None if due_s is None else round(max(0, arrived_s - due_s) / 60, 1),
        "legs": len(legs),
        "kinds": " > ".join(category_of(scene.route_by_id[leg.route]) for leg in legs),
        "carriers": " > ".join(scene.route_by_id[leg.route].carrier for leg in legs),
        "transfers": " > ".join(leg.to_place for leg in legs[:-1]),
    }
