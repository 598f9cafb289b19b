"""The scenario folder of a day as it has changed: orders, closed roads and bus trips; all else stays."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from google.transit import gtfs_realtime_pb2 as pb

from geodata.errors import Fault, FaultCollector, nearest_name
from geodata.timetable import Timetable, Trip
from routing.builder import numbered_carriers
from routing.fault_codes import FaultCode
from routing.model.order import Order
from routing.order_import import ORDER_RECORD
from routing.replan.events import Events
from routing.scenario import CONFIG_FILE, Scenario

ORDERS_FILE = "replan/orders.json"
CLOSURES_FILE = "replan/closures.geojson"
UPDATES_FILE = "replan/timetable-updates.pb"


def write_changed_day(
    scenario: Scenario, timetable: Timetable | None, events: Events, kept: frozenset[str], target: Path
) -> None:
    """Make the scenario folder of the changed day.

    Parameters
    ----------
    scenario, timetable
        The day so far; the timetable as it stood when the plan was made.
    kept
        Cancelled orders that are loaded already and stay.

    Raises
    ------
    InputError
        If events name orders or trips that there are not.
    """
    _refuse_unknown(scenario, timetable, events)
    _link_tree(scenario.folder, target)
    config = tomllib.loads((target / CONFIG_FILE).read_text(encoding="utf-8"))
    files = config["files"]
    parts: dict[str, tuple[str, bytes]] = {}
    if events.new_orders or events.cancelled_orders or scenario.rejected:
        parts["orders"] = (ORDERS_FILE, _orders(scenario, events, kept))
    if events.closures:
        parts["closures"] = (CLOSURES_FILE, _closures(scenario, events))
    if timetable is not None and (events.late_trips or events.cancelled_trips):
        parts["timetable_updates"] = (UPDATES_FILE, _updates(scenario, timetable, events))
    for key, (name, content) in parts.items():
        path = target / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)  # it may be a link to the file of the day so far
        path.write_bytes(content)
        files[key] = name
    (target / CONFIG_FILE).unlink()
    (target / CONFIG_FILE).write_text(tomli_w.dumps(config), encoding="utf-8")


def _link_tree(source: Path, target: Path) -> None:
    def link(here: str, there: str) -> None:
        try:
            os.link(here, there)
        except OSError:  # another file system, or one without links
            shutil.copyfile(here, there)

    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)


def _refuse_unknown(scenario: Scenario, timetable: Timetable | None, events: Events) -> None:
    collector = FaultCollector()
    orders = {order.id for order in scenario.orders}
    for name in events.cancelled_orders:
        if name not in orders:
            collector.add(_unknown("cancelled_orders", name, "order of the day", orders))
    trips = timetable.trip_by_id if timetable is not None else {}
    carriers = {carrier_id: type_id for carrier_id, type_id, _, _ in numbered_carriers(scenario)}
    drones = {carrier_id for carrier_id, type_id in carriers.items() if type_id in scenario.drone_services}
    for field, names, known, noun in (
        ("late_trips", [event.carrier for event in events.late_trips], trips.keys(), "bus trip of the day"),
        ("cancelled_trips", events.cancelled_trips, trips.keys(), "bus trip of the day"),
        ("delays", [event.carrier for event in events.delays], carriers.keys() - drones, "vehicle or courier"),
        ("broken", [event.carrier for event in events.broken], carriers.keys() - drones, "vehicle or courier"),
        ("grounded", events.grounded, drones, "drone"),
    ):
        for name in names:
            if name not in known:
                collector.add(_unknown(field, name, noun, known))
    collector.raise_if_any()


def _unknown(field: str, value: str, noun: str, known: Iterable[str]) -> Fault:
    near = nearest_name(value, known)
    remedy = f"Did you mean '{near}'?" if near else "Name one of the plan's day."
    code = FaultCode.UNKNOWN_ORDER if field == "cancelled_orders" else FaultCode.UNKNOWN_CARRIER
    return Fault(code.value, "events", f"there is no such {noun}", remedy, field=field, value=value)


# --- Orders --------------------------------------------------------------------------------------------------------


def _orders(scenario: Scenario, events: Events, kept: frozenset[str]) -> bytes:
    gone = set(events.cancelled_orders) - kept
    records = [order_record(order, scenario.drops) for order in scenario.orders if order.id not in gone]
    return json.dumps([*records, *map(dict, events.new_orders)], ensure_ascii=False).encode()


def order_record(order: Order, drops: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return an order as a record of ``orders.json``; values that are the default are left out."""
    values: dict[str, Any] = {"from_site": order.from_id, "windows": [list(window) for window in order.windows] or None}
    if order.to_id in drops:
        values["to_lon"], values["to_lat"] = drops[order.to_id]
    else:
        values["to_site"] = order.to_id
    record: dict[str, Any] = {}
    for field in ORDER_RECORD.fields:
        value = values.get(field.name, getattr(order, field.name, None))
        if value is not None and (field.required or value != field.default):
            record[field.name] = value
    return record


# --- Roads ---------------------------------------------------------------------------------------------------------


def _closures(scenario: Scenario, events: Events) -> bytes:
    """Return the day's closures and the new ones, which bind from now on."""
    old: list[Any] = []
    if scenario.files.closures is not None:
        old = json.loads(scenario.files.closures.read_text(encoding="utf-8"))["features"]
    new = [_from_now(feature, events.now_s) for feature in events.closures]
    return json.dumps({"type": "FeatureCollection", "features": [*old, *new]}, ensure_ascii=False).encode()


def _from_now(feature: Mapping[str, Any], now_s: int) -> dict[str, Any]:
    properties = feature.get("properties")
    told = dict(properties) if isinstance(properties, Mapping) else {}
    from_s = told.get("from_s")
    told["from_s"] = max(now_s, from_s) if isinstance(from_s, int) else now_s
    return {**feature, "properties": told}


# --- Buses ---------------------------------------------------------------------------------------------------------


def _updates(scenario: Scenario, timetable: Timetable, events: Events) -> bytes:
    """Return the feed of the day so far and the new delays, as one GTFS-Realtime message."""
    message = pb.FeedMessage()
    old = getattr(scenario.files, "timetable_updates", None)
    if old is not None:
        message.ParseFromString(old.read_bytes())
    changed = {event.carrier for event in events.late_trips} | set(events.cancelled_trips)
    before = [entity for entity in message.entity if entity.trip_update.trip.trip_id not in changed]
    del message.entity[:]
    message.entity.extend(before)
    message.header.gtfs_realtime_version = "2.0"
    for event in events.late_trips:
        if event.carrier not in events.cancelled_trips:
            trip = timetable.trip_by_id[event.carrier]
            message.entity.append(_entity(trip, _late_calls(trip, event.delay_s, events.now_s)))
    for name in dict.fromkeys(events.cancelled_trips):
        trip = timetable.trip_by_id[name]
        message.entity.append(_entity(trip, _calls_as_run(trip, events.now_s)))
    content: bytes = message.SerializeToString()
    return content


def _entity(trip: Trip, calls: Sequence[Any] | None) -> Any:
    """Return the update of a trip; without calls the trip does not run at all."""
    entity = pb.FeedEntity(id=f"replan-{trip.id}")
    entity.trip_update.trip.trip_id = trip.id
    if calls is None:
        entity.trip_update.trip.schedule_relationship = pb.TripDescriptor.CANCELED
    else:
        entity.trip_update.stop_time_update.extend(calls)
    return entity


def _late_calls(trip: Trip, delay_s: int, now_s: int) -> list[Any]:
    """Return the calls of a late trip: those it has left keep their times, all others are late."""
    return [
        _call(call.sequence, arrival=late, departure=late)
        for call in trip.calls
        for late in [delay_s if call.departure_s + delay_s >= now_s else 0]
    ]


def _calls_as_run(trip: Trip, now_s: int) -> list[Any] | None:
    """Return the calls of a trip that ends where it is, None where it has not begun."""
    if not trip.calls or trip.calls[0].departure_s >= now_s:
        return None
    return list(_until(trip, now_s))


def _until(trip: Trip, now_s: int) -> Iterator[Any]:
    for call in trip.calls:
        if call.departure_s < now_s:
            yield _call(call.sequence, arrival=0, departure=0)
        else:
            update = pb.TripUpdate.StopTimeUpdate(stop_sequence=call.sequence)
            update.schedule_relationship = pb.TripUpdate.StopTimeUpdate.SKIPPED
            yield update


def _call(sequence: int, *, arrival: int, departure: int) -> Any:
    update = pb.TripUpdate.StopTimeUpdate(stop_sequence=sequence)
    update.arrival.delay = arrival
    update.departure.delay = departure
    return update
