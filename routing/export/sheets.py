"""Sheets: what drivers, bus crews, drone pads and stations are told to do, before it is laid out on paper.

A sheet is the day of one carrier or one station. Times stay seconds here; the layouts turn them into clock times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from geodata.location import Level
from routing.export.scene import Scene, category_of, distance_m
from routing.export.wording import Wording, number
from routing.model.plan import Handover, Route, Stop

STATION_LEVELS = (Level.COUNTY, Level.TOWN, Level.VILLAGE)
"""Levels at which somebody works who needs a sheet; a group drop is handed over at the door."""


@dataclass(frozen=True, slots=True)
class Task:
    """One order to load or unload; `note` says how to keep it (box, compartment, temperature), "" for nothing."""

    action: Literal["load", "unload"]
    order: str
    product: str
    pieces: int
    weight_kg: float
    compartment: str
    other_end: str
    """Name of the order's final destination on loading, of its origin on unloading."""
    note: str


@dataclass(frozen=True, slots=True)
class StopEntry:
    """A halt on a route sheet; `distance_m` and `duration_s` lead to the next halt, None at the last."""

    number: int
    place: str
    place_name: str
    arrival_s: int
    service_start_s: int
    service_end_s: int
    departure_s: int
    tasks: tuple[Task, ...]
    rests: tuple[tuple[int, int], ...]
    load_kg: float
    distance_m: int | None
    duration_s: int | None
    battery_left_wh: float | None


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One route of a carrier."""

    route: str
    start_s: int
    end_s: int
    distance_m: int
    stops: tuple[StopEntry, ...]


@dataclass(frozen=True, slots=True)
class CarrierSheet:
    """The day of one carrier, its routes in order of time."""

    carrier: str
    title: str
    kind: str
    category: str
    type: str
    operator: str
    base: str
    base_name: str
    routes: tuple[RouteEntry, ...]


@dataclass(frozen=True, slots=True)
class StationEvent:
    """A carrier's call at a station."""

    arrival_s: int
    departure_s: int
    route: str
    carrier: str
    title: str
    category: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class StationSheet:
    """The day of one station, in order of time."""

    place: str
    name: str
    level: str
    events: tuple[StationEvent, ...]


def carrier_sheets(scene: Scene, wording: Wording, kinds: Iterable[str]) -> tuple[CarrierSheet, ...]:
    """Return a sheet for every carrier of the kinds that has a route, in order of kind, operator and id."""
    wanted = tuple(kinds)
    by_carrier: dict[str, list[Route]] = {}
    for route in scene.document.routes:
        if route.kind in wanted:
            by_carrier.setdefault(route.carrier, []).append(route)
    sheets = [_carrier_sheet(scene, wording, routes) for routes in by_carrier.values()]
    return tuple(sorted(sheets, key=lambda sheet: (wanted.index(sheet.kind), sheet.operator, sheet.carrier)))


def _carrier_sheet(scene: Scene, wording: Wording, routes: list[Route]) -> CarrierSheet:
    first = routes[0]
    ordered = sorted(routes, key=lambda route: (route.stops[0].arrival_s, route.id))
    return CarrierSheet(
        carrier=first.carrier,
        title=scene.title_of(first.carrier),
        kind=first.kind,
        category=category_of(first),
        type=first.type,
        operator=first.operator,
        base=first.base,
        base_name=scene.place_name(first.base),
        routes=tuple(_route_entry(scene, wording, route) for route in ordered),
    )


def _route_entry(scene: Scene, wording: Wording, route: Route) -> RouteEntry:
    return RouteEntry(
        route=route.id,
        start_s=route.stops[0].service_start_s,
        end_s=route.stops[-1].service_end_s,
        distance_m=distance_m(route),
        stops=tuple(
            _stop_entry(scene, wording, route, stop, position + 1) for position, stop in enumerate(route.stops)
        ),
    )


def _stop_entry(scene: Scene, wording: Wording, route: Route, stop: Stop, position: int) -> StopEntry:
    movement = stop.movement
    return StopEntry(
        number=position,
        place=stop.place,
        place_name=scene.place_name(stop.place),
        arrival_s=stop.arrival_s,
        service_start_s=stop.service_start_s,
        service_end_s=stop.service_end_s,
        departure_s=stop.departure_s,
        tasks=tasks_at(scene, wording, route, stop),
        rests=tuple((rest.start_s, rest.end_s) for rest in stop.breaks),
        load_kg=stop.load_kg,
        distance_m=movement.distance_m if movement else None,
        duration_s=movement.duration_s if movement else None,
        battery_left_wh=movement.battery_left_wh if movement else None,
    )


def tasks_at(scene: Scene, wording: Wording, route: Route, stop: Stop) -> tuple[Task, ...]:
    """Return what is done with goods at a stop: first what comes off, then what goes on."""
    off = [_task(scene, wording, route, "unload", handover) for handover in stop.unload]
    on = [_task(scene, wording, route, "load", handover) for handover in stop.load]
    return (*off, *on)


def _task(scene: Scene, wording: Wording, route: Route, action: Literal["load", "unload"], handover: Handover) -> Task:
    order = scene.orders[handover.order]
    product = scene.products.classes[order.product_class]
    return Task(
        action=action,
        order=order.id,
        product=(product.name_zh if wording.lang == "zh" else product.name) or product.id,
        pieces=order.pieces,
        weight_kg=order.weight_kg,
        compartment=handover.compartment,
        other_end=scene.place_name(order.to_id if action == "load" else order.from_id),
        note=temperature_note(scene, wording, route, handover),
    )


def temperature_note(scene: Scene, wording: Wording, route: Route, handover: Handover) -> str:
    """Return how the order is to be kept aboard: band, box or cooled compartment; "" for goods that need nothing."""
    order = scene.orders[handover.order]
    product = scene.products.classes[order.product_class]
    parts = []
    if product.cold:
        parts.append(wording("keep", low=number(product.low_c), high=number(product.high_c)))
    if handover.box is not None:
        parts.append(wording("in_box", count=scene.products.box_count(product.id, order.volume_l), box=handover.box))
    elif product.cold:
        set_point_c = scene.set_points_c.get((route.type, handover.compartment))
        if set_point_c is not None:
            parts.append(wording("in_compartment", compartment=handover.compartment, c=number(set_point_c)))
    return " · ".join(parts)


def station_sheets(scene: Scene, wording: Wording) -> tuple[StationSheet, ...]:
    """Return a sheet for every station where goods change hands, from the county hub down, then by id."""
    events: dict[str, list[StationEvent]] = {}
    for route in scene.document.routes:
        for stop in route.stops:
            if stop.load or stop.unload:
                event = StationEvent(
                    arrival_s=stop.arrival_s,
                    departure_s=stop.departure_s,
                    route=route.id,
                    carrier=route.carrier,
                    title=scene.title_of(route.carrier),
                    category=category_of(route),
                    tasks=tasks_at(scene, wording, route, stop),
                )
                events.setdefault(stop.place, []).append(event)
    stations = [
        place for place in scene.places.values() if place.id in events and not place.is_drop
        and place.level in STATION_LEVELS
    ]  # fmt: skip
    return tuple(
        StationSheet(
            place=place.id,
            name=scene.place_name(place.id),
            level=place.level.value,
            events=tuple(sorted(events[place.id], key=lambda event: (event.arrival_s, event.route))),
        )
        for place in sorted(stations, key=lambda place: (place.level.depth, place.id))
    )
