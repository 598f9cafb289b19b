"""Reads a GTFS feed with Shanlu's two cargo tables into a `Feed`, with every fault at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

from geodata.errors import FaultCollector
from geodata.gtfs_calls import orphan, read_calls
from geodata.gtfs_feed import WEEKDAYS, Agency, Feed, Frequency, Service, departure_ids
from geodata.gtfs_tables import FeedText, Row, open_feed, read_table
from geodata.timetable import BusStop, CargoStop, CargoTrip, Line, Shape, Trip

FILES = (
    "agency.txt",
    "stops.txt",
    "routes.txt",
    "trips.txt",
    "stop_times.txt",
    "calendar.txt",
    "calendar_dates.txt",
    "frequencies.txt",
    "shapes.txt",
    "feed_info.txt",
    "cargo_trips.txt",
    "cargo_stops.txt",
)
"""Files that are read; all others of a feed (fares, transfers, levels) do not bear on cargo."""

_DAY_S = 86_400


def read_feed(path: Path, faults: FaultCollector) -> tuple[Feed, FeedText]:
    """Read a whole feed, all dates.

    Parameters
    ----------
    path
        A zip or a folder; the tables may lie in one folder inside it.
    faults
        Receives everything that makes the feed unusable.

    Returns
    -------
    tuple[Feed, FeedText]
        What could be read, and the feed's text with its warnings.
    """
    text = open_feed(path, faults, FILES)
    if not text.files:
        if path.exists() and not faults.faults:
            text.fault("MISSING_FILE", "", "no GTFS table found", "A feed holds stops.txt, trips.txt and others.")
        return Feed((), (), (), (), ()), text
    agencies = _agencies(text)
    stops = _stops(text)
    lines = _lines(text, agencies)
    services = _services(text)
    shapes = _shapes(text)
    trips = _trips(text, lines, services, shapes, stops)
    frequencies = _frequencies(text, trips)
    known_trips = dict.fromkeys(trips)
    for frequency in frequencies:
        known_trips.update((trip_id, None) for trip_id, _ in departure_ids(frequency.trip_id, frequency))
    publisher, version, synthetic = _feed_info(text)
    feed = Feed(
        agencies=tuple(agencies.values()),
        stops=tuple(stops.values()),
        lines=tuple(lines.values()),
        services=tuple(services.values()),
        trips=tuple(trip for trip in trips.values() if trip is not None),
        frequencies=tuple(frequency for frequency in frequencies if trips.get(frequency.trip_id) is not None),
        shapes=shapes,
        cargo_trips=_cargo_trips(text, known_trips),
        cargo_stops=_cargo_stops(text, stops),
        publisher=publisher,
        version=version,
        synthetic=synthetic,
    )
    return feed, text


def _agencies(text: FeedText) -> dict[str, Agency]:
    table = read_table(text, "agency.txt", ("agency_name", "agency_timezone"))
    found: dict[str, Agency] = {}
    for row in table.rows():
        agency = Agency(
            row.cell("agency_id"), row.required("agency_name"), row.cell("agency_url"), row.required("agency_timezone")
        )
        if agency.id in found:
            row.wrong("agency_id", "duplicate key agency_id", "Give each agency an id of its own.", "DUPLICATE_ID")
        found.setdefault(agency.id, agency)
    zones = {agency.timezone: None for agency in found.values()}
    if len(zones) > 1:
        text.warn("SEVERAL_TIMEZONES", "agency.txt", "agencies differ in time zone", f"Read as {next(iter(zones))}.")
    return found


def _stops(text: FeedText) -> dict[str, BusStop]:
    table = read_table(text, "stops.txt", ("stop_id", "stop_lat", "stop_lon"))
    found: dict[str, BusStop] = {}
    for row in table.unique(("stop_id",)):
        stop_id = row.cell("stop_id")
        if row.cell("location_type") in ("3", "4") and not row.cell("stop_lat"):
            continue  # entrances' inner nodes and boarding areas need no coordinates and take no calls
        lat, lon = row.number_in("stop_lat", -90, 90), row.number_in("stop_lon", -180, 180)
        name, parent = row.cell("stop_name") or stop_id, row.cell("parent_station") or None
        # A faulty coordinate is reported once; the stop itself stays known, so that its calls are not orphans.
        found[stop_id] = BusStop(
            stop_id, name, math.nan if lon is None else lon, math.nan if lat is None else lat, parent
        )
    for stop in found.values():
        if stop.parent_station is not None and stop.parent_station not in found:
            reason, remedy = f"stop {stop.id} has an unknown parent station", "It is read without it."
            text.warn(
                "UNKNOWN_STATION", "stops.txt", reason, remedy, field_name="parent_station", value=stop.parent_station
            )
    return found


def _lines(text: FeedText, agencies: Mapping[str, Agency]) -> dict[str, Line]:
    table = read_table(text, "routes.txt", ("route_id", "route_type"))
    only_agency = next(iter(agencies)) if len(agencies) == 1 else None
    found: dict[str, Line] = {}
    for row in table.unique(("route_id",)):
        agency_id = row.cell("agency_id") or (only_agency or "")
        if agencies and agency_id not in agencies:
            orphan(row, "agency_id", "agency", agencies)
        agency = agencies.get(agency_id)
        found[row.cell("route_id")] = Line(
            id=row.cell("route_id"),
            short_name=row.cell("route_short_name"),
            long_name=row.cell("route_long_name"),
            agency_id=agency_id,
            operator=agency.name if agency else "",
            mode=row.whole_in("route_type", 0, 1_999) or 0,
        )
    return found


def _services(text: FeedText) -> dict[str, Service]:
    if "calendar.txt" not in text.files and "calendar_dates.txt" not in text.files:
        text.fault(
            "MISSING_FILE", "calendar.txt", "the feed has neither calendar.txt nor calendar_dates.txt",
            "Add at least one of them.",
        )  # fmt: skip
    regular = read_table(text, "calendar.txt", ("service_id", *WEEKDAYS, "start_date", "end_date"), optional=True)
    found: dict[str, Service] = {}
    for row in regular.unique(("service_id",)):
        first, last = row.day("start_date"), row.day("end_date")
        if first is not None and last is not None and last < first:
            row.wrong("end_date", "the service ends before it starts", "Give an end date after the start date.")
        weekdays = tuple(row.whole_in(day, 0, 1) == 1 for day in WEEKDAYS)
        found[row.cell("service_id")] = Service(row.cell("service_id"), weekdays, first, last)
    return _with_exceptions(text, found)


def _with_exceptions(text: FeedText, regular: Mapping[str, Service]) -> dict[str, Service]:
    table = read_table(text, "calendar_dates.txt", ("service_id", "date", "exception_type"), optional=True)
    added: dict[str, set[date]] = {}
    removed: dict[str, set[date]] = {}
    for row in table.unique(("service_id", "date")):
        day, kind = row.day("date"), row.whole_in("exception_type", 1, 2)
        if day is not None and kind is not None:
            (added if kind == 1 else removed).setdefault(row.cell("service_id"), set()).add(day)
    found: dict[str, Service] = {}
    for service_id in sorted({*regular, *added, *removed}):
        base = regular.get(service_id, Service(service_id))
        found[service_id] = Service(
            service_id, base.weekdays, base.first, base.last,
            frozenset(added.get(service_id, ())), frozenset(removed.get(service_id, ())),
        )  # fmt: skip
    return found


def _shapes(text: FeedText) -> dict[str, Shape]:
    columns = ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence")
    table = read_table(text, "shapes.txt", columns, optional=True)
    points: dict[str, list[tuple[int, float, float]]] = {}
    for row in table.rows():
        sequence = row.whole_in("shape_pt_sequence", 0, 10**9)
        lon, lat = row.number_in("shape_pt_lon", -180, 180), row.number_in("shape_pt_lat", -90, 90)
        if sequence is not None and lon is not None and lat is not None:
            points.setdefault(row.cell("shape_id"), []).append((sequence, lon, lat))
    return {shape_id: tuple((lon, lat) for _, lon, lat in sorted(course)) for shape_id, course in points.items()}


def _trips(
    text: FeedText,
    lines: Mapping[str, Line],
    services: Mapping[str, Service],
    shapes: Mapping[str, Shape],
    stops: Mapping[str, BusStop],
) -> dict[str, Trip | None]:
    """Return trips by id; None marks a trip that exists but cannot be used, so that it is not taken for an orphan."""
    table = read_table(text, "trips.txt", ("trip_id", "route_id", "service_id"))
    trip_rows = {row.cell("trip_id"): row for row in table.unique(("trip_id",))}
    calls = read_calls(text, trip_rows, stops)
    found: dict[str, Trip | None] = {}
    for trip_id, row in trip_rows.items():
        if lines and row.required("route_id") not in lines:
            orphan(row, "route_id", "line", lines)
        if services and row.required("service_id") not in services:
            orphan(row, "service_id", "service", services)
        shape_id = row.cell("shape_id") or None
        if shape_id is not None and shape_id not in shapes:
            _warn_row(
                row, "UNKNOWN_SHAPE", "shape_id", "the shape does not exist", "The trip is drawn from stop to stop."
            )
            shape_id = None
        found[trip_id] = None
        if len(calls.get(trip_id, ())) < 2:
            if trip_id not in calls:
                _warn_row(
                    row, "TRIP_WITHOUT_CALLS", "trip_id", "the trip has fewer than two stop times", "It is left out."
                )
            continue
        found[trip_id] = Trip(
            id=trip_id,
            line_id=row.cell("route_id"),
            service_id=row.cell("service_id"),
            calls=calls[trip_id],
            headsign=row.cell("trip_headsign"),
            direction=row.whole_in("direction_id", 0, 1) if row.cell("direction_id") else None,
            shape_id=shape_id,
            block_id=row.cell("block_id") or None,
        )
    return found


def _frequencies(text: FeedText, trips: Mapping[str, Trip | None]) -> tuple[Frequency, ...]:
    columns = ("trip_id", "start_time", "end_time", "headway_secs")
    table = read_table(text, "frequencies.txt", columns, optional=True)
    found: list[Frequency] = []
    taken: dict[str, int] = {}
    for row in table.rows():
        if trips and row.required("trip_id") not in trips:
            orphan(row, "trip_id", "trip", trips)
        start_s, end_s, headway_s = (
            row.time_s("start_time"),
            row.time_s("end_time"),
            row.whole_in("headway_secs", 1, _DAY_S),
        )
        if start_s is None or end_s is None or headway_s is None:
            continue
        if end_s <= start_s:
            row.wrong("end_time", "the period ends before it starts", "Give an end after the start.", "BAD_TIME")
        frequency = Frequency(row.cell("trip_id"), start_s, end_s, headway_s, row.cell("exact_times") == "1")
        if not frequency.exact:
            _warn_row(row, "INEXACT_HEADWAY", "exact_times", "the feed promises a headway, not times",
                      "Departures are taken as exact from start_time on.")  # fmt: skip
        for trip_id, _ in departure_ids(frequency.trip_id, frequency):
            if taken.setdefault(trip_id, row.number) != row.number:
                reason = f"repeats the departure {trip_id} of row {taken[trip_id]}"
                row.wrong("start_time", reason, "Let the periods of a trip not overlap.", "DUPLICATE_ID")
                break
        found.append(frequency)
    return tuple(found)


MOST_LUGGAGE = 0.99
"""Greatest share of a hold that luggage may take; a bus that is full of it takes no cargo and needs no row."""


def _cargo_trips(text: FeedText, trips: Collection[str]) -> tuple[CargoTrip, ...]:
    table = read_table(text, "cargo_trips.txt", ("trip_id", "max_kg", "max_l", "max_piece_kg"), optional=True)
    found = []
    for row in table.unique(("trip_id",)):
        if trips and row.cell("trip_id") not in trips:
            orphan(row, "trip_id", "trip", trips)
        room = [row.number_in(column, 0.0, 1e6) for column in ("max_kg", "max_l", "max_piece_kg")]
        longest_cm = row.number_in("max_longest_cm", 0.0, 1e6, default=math.inf)
        luggage_share = row.number_in("luggage_share", 0.0, MOST_LUGGAGE, default=0.0)
        fees = [row.number_in(column, 0.0, 1e9, default=0.0) for column in ("fee_per_kg", "fee_per_piece")]
        if longest_cm is not None and luggage_share is not None and None not in room and None not in fees:
            max_kg, max_l, max_piece_kg = (value or 0.0 for value in room)
            classes = tuple(row.cell("product_classes").split())
            found.append(
                CargoTrip(
                    row.cell("trip_id"),
                    max_kg,
                    max_l,
                    max_piece_kg,
                    longest_cm,
                    fees[0] or 0.0,
                    fees[1] or 0.0,
                    classes,
                ).with_luggage(luggage_share)
            )
    return tuple(found)


def _cargo_stops(text: FeedText, stops: Mapping[str, BusStop]) -> tuple[CargoStop, ...]:
    table = read_table(text, "cargo_stops.txt", ("stop_id", "site_id", "board_s", "cutoff_s"), optional=True)
    found = []
    for row in table.unique(("stop_id", "site_id")):
        if stops and row.cell("stop_id") not in stops:
            orphan(row, "stop_id", "stop", stops)
        board_s, cutoff_s = row.whole_in("board_s", 0, _DAY_S), row.whole_in("cutoff_s", 0, _DAY_S)
        if board_s is not None and cutoff_s is not None:
            found.append(CargoStop(row.cell("stop_id"), row.cell("site_id"), board_s, cutoff_s))
    return tuple(found)


def _feed_info(text: FeedText) -> tuple[str, str, bool]:
    """Return publisher, version and whether the feed marks itself synthetic (a column of our own)."""
    table = read_table(text, "feed_info.txt", ("feed_publisher_name",), optional=True)
    for row in table.rows():
        return row.cell("feed_publisher_name"), row.cell("feed_version"), row.cell("synthetic") == "1"
    return "", "", False


def _warn_row(row: Row, code: str, column: str, reason: str, remedy: str) -> None:
    row.table.text.warn(code, row.table.name, reason, remedy, row=row.number, field_name=column, value=row.cell(column))
