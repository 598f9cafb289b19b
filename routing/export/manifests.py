"""The manifests as tables: ``drivers.csv``, ``bus_crews.csv``, ``drone_pads.csv`` and ``stations.csv``."""

from __future__ import annotations

from routing.export.scene import Scene
from routing.export.sheets import (
    CarrierSheet,
    RouteEntry,
    StationSheet,
    StopEntry,
    Task,
    carrier_sheets,
    station_sheets,
)
from routing.export.tables import Cell, csv_bytes
from routing.export.wording import Wording, clock

_CARRIER_COLUMNS = (
    "operator", "carrier", "category", "route", "stop", "place_id", "place", "arrival", "service", "departure",
    "action", "order", "product", "pieces", "weight_kg", "compartment", "other_end", "note", "onward_km", "onward_min",
)  # fmt: skip
_STATION_COLUMNS = (
    "place_id", "place", "arrival", "departure", "category", "carrier", "route", "action", "order", "product", "pieces",
    "weight_kg", "other_end", "note",
)  # fmt: skip
_MANIFESTS = {"drivers.csv": ("vehicle", "courier"), "bus_crews.csv": ("bus",), "drone_pads.csv": ("drone",)}


def manifest_tables(scene: Scene, wording: Wording) -> dict[str, bytes]:
    """Return the manifest tables by file name, with headings in the language of the wording.

    One row is one thing to do: an order on or off, a rest, or, where a halt has neither, the halt itself.
    """
    found = {}
    for name, kinds in _MANIFESTS.items():
        columns = (*_CARRIER_COLUMNS, "battery_left_wh") if kinds == ("drone",) else _CARRIER_COLUMNS
        rows = [
            row for sheet in carrier_sheets(scene, wording, kinds) for row in _carrier_rows(sheet, wording, columns)
        ]
        found[name] = csv_bytes([wording(f"col_{column}") for column in columns], rows, for_people=True)
    stations = [row for sheet in station_sheets(scene, wording) for row in _station_rows(sheet, wording)]
    found["stations.csv"] = csv_bytes(
        [wording(f"col_{column}") for column in _STATION_COLUMNS], stations, for_people=True
    )
    return found


def _carrier_rows(sheet: CarrierSheet, wording: Wording, columns: tuple[str, ...]) -> list[list[Cell]]:
    head: dict[str, Cell] = {
        "operator": sheet.operator,
        "carrier": sheet.carrier,
        "category": wording(f"cat_{sheet.category}"),
    }
    cells = [
        head | _stop_cells(route, stop) | deed
        for route in sheet.routes
        for stop in route.stops
        for deed in _deeds(stop, wording)
    ]
    return [[row.get(column) for column in columns] for row in cells]


def _stop_cells(route: RouteEntry, stop: StopEntry) -> dict[str, Cell]:
    return {
        "route": route.route,
        "stop": stop.number,
        "place_id": stop.place,
        "place": stop.place_name,
        "arrival": clock(stop.arrival_s),
        "service": clock(stop.service_start_s),
        "departure": clock(stop.departure_s),
        "onward_km": None if stop.distance_m is None else round(stop.distance_m / 1000, 2),
        "onward_min": None if stop.duration_s is None else round(stop.duration_s / 60, 1),
        "battery_left_wh": stop.battery_left_wh,
    }


def _deeds(stop: StopEntry, wording: Wording) -> list[dict[str, Cell]]:
    """Return what is done at a halt: tasks, then rests; at least one entry."""
    deeds = [_task_cells(task, wording) for task in stop.tasks]
    for start_s, end_s in stop.rests:
        deeds.append({"action": wording("rest"), "note": f"{clock(start_s)}–{clock(end_s)}"})
    return deeds or [{}]


def _task_cells(task: Task, wording: Wording) -> dict[str, Cell]:
    return {
        "action": wording(task.action),
        "order": task.order,
        "product": task.product,
        "pieces": task.pieces,
        "weight_kg": task.weight_kg,
        "compartment": task.compartment,
        "other_end": task.other_end,
        "note": task.note,
    }


def _station_rows(sheet: StationSheet, wording: Wording) -> list[list[Cell]]:
    cells: list[dict[str, Cell]] = [
        {
            "place_id": sheet.place,
            "place": sheet.name,
            "arrival": clock(event.arrival_s),
            "departure": clock(event.departure_s),
            "category": wording(f"cat_{event.category}"),
            "carrier": event.carrier,
            "route": event.route,
            **_task_cells(task, wording),
        }
        for event in sheet.events
        for task in event.tasks
    ]
    return [[row.get(column) for column in _STATION_COLUMNS] for row in cells]
