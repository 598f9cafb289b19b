"""Writes a `Feed` as a GTFS zip whose bytes depend on the feed alone."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from geodata.gtfs_feed import WEEKDAYS, Feed, Service, clock

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold; a fixed one keeps the bytes equal from day to day."""

Cell = str | int | float | None
Rows = list[Sequence[Cell]]


def write_gtfs(path: Path, feed: Feed) -> None:
    """Write a feed with its cargo tables as a zip; equal feeds give equal bytes.

    Parameters
    ----------
    path
        The zip to write; replaced if it exists.
    feed
        A feed whose references hold (as `read_feed` returns it or a generator makes it).
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in _tables(feed):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3  # Unix, on every machine
            archive.writestr(info, _csv(rows))


def _tables(feed: Feed) -> Iterable[tuple[str, Rows]]:
    """Yield every table as its name and rows, header first; optional ones only where they hold something."""
    yield "agency.txt", _agency_rows(feed)
    yield "feed_info.txt", _feed_info_rows(feed)
    yield "stops.txt", _stop_rows(feed)
    yield "routes.txt", _line_rows(feed)
    yield "trips.txt", _trip_rows(feed)
    yield "stop_times.txt", _call_rows(feed)
    yield "calendar.txt", _calendar_rows(feed.services)
    optional = {
        "calendar_dates.txt": _exception_rows(feed.services),
        "frequencies.txt": _frequency_rows(feed),
        "shapes.txt": _shape_rows(feed),
        "cargo_trips.txt": _cargo_trip_rows(feed),
        "cargo_stops.txt": _cargo_stop_rows(feed),
    }
    for name, rows in optional.items():
        if len(rows) > 1:
            yield name, rows


def _agency_rows(feed: Feed) -> Rows:
    header: Sequence[Cell] = ("agency_id", "agency_name", "agency_url", "agency_timezone")
    return [header, *((a.id, a.name, a.url, a.timezone) for a in feed.agencies)]


def _feed_info_rows(feed: Feed) -> Rows:
    """GTFS wants a publisher; the last column is our own and says whether the timetable is made up."""
    days = feed.service_dates
    header = (
        "feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date", "feed_end_date", "feed_version",
        "synthetic",
    )  # fmt: skip
    span = (_day(days[0]), _day(days[-1])) if days else ("", "")
    url = feed.agencies[0].url if feed.agencies else ""
    return [header, (feed.publisher, url, "mul", *span, feed.version, int(feed.synthetic))]


def _stop_rows(feed: Feed) -> Rows:
    stations = {stop.parent_station for stop in feed.stops}
    rows: Rows = [("stop_id", "stop_name", "stop_lat", "stop_lon", "location_type", "parent_station")]
    for stop in feed.stops:
        rows.append((stop.id, stop.name, stop.lat, stop.lon, int(stop.id in stations), stop.parent_station))
    return rows


def _line_rows(feed: Feed) -> Rows:
    rows: Rows = [("route_id", "agency_id", "route_short_name", "route_long_name", "route_type")]
    rows.extend((line.id, line.agency_id, line.short_name, line.long_name, line.mode) for line in feed.lines)
    return rows


def _trip_rows(feed: Feed) -> Rows:
    rows: Rows = [("route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "block_id", "shape_id")]
    for trip in feed.trips:
        rows.append(
            (trip.line_id, trip.service_id, trip.id, trip.headsign, trip.direction, trip.block_id, trip.shape_id)
        )
    return rows


def _call_rows(feed: Feed) -> Rows:
    rows: Rows = [
        (
            "trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type",
            "shape_dist_traveled", "timepoint",
        )
    ]  # fmt: skip
    for trip in feed.trips:
        for call in trip.calls:
            times = (clock(call.arrival_s), clock(call.departure_s)) if call.timed else ("", "")
            may = (int(not call.can_board), int(not call.can_alight))
            rows.append((trip.id, *times, call.stop_id, call.sequence, *may, call.shape_dist, int(call.timed)))
    return rows


def _calendar_rows(services: Iterable[Service]) -> Rows:
    rows: Rows = [("service_id", *WEEKDAYS, "start_date", "end_date")]
    for service in services:
        if service.first is not None and service.last is not None:
            rows.append((service.id, *map(int, service.weekdays), _day(service.first), _day(service.last)))
    return rows


def _exception_rows(services: Iterable[Service]) -> Rows:
    rows: Rows = [("service_id", "date", "exception_type")]
    for service in services:
        kinds = [(day, 1) for day in service.added] + [(day, 2) for day in service.removed]
        rows.extend((service.id, _day(day), kind) for day, kind in sorted(kinds))
    return rows


def _frequency_rows(feed: Feed) -> Rows:
    rows: Rows = [("trip_id", "start_time", "end_time", "headway_secs", "exact_times")]
    for f in feed.frequencies:
        rows.append((f.trip_id, clock(f.start_s), clock(f.end_s), f.headway_s, int(f.exact)))
    return rows


def _shape_rows(feed: Feed) -> Rows:
    rows: Rows = [("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence")]
    for shape_id, course in feed.shapes.items():
        rows.extend((shape_id, lat, lon, k) for k, (lon, lat) in enumerate(course))
    return rows


def _cargo_trip_rows(feed: Feed) -> Rows:
    rows: Rows = [
        (
            "trip_id", "max_kg", "max_l", "max_piece_kg", "max_longest_cm", "fee_per_kg", "fee_per_piece",
            "product_classes", "luggage_share",
        )
    ]  # fmt: skip
    for c in feed.cargo_trips:
        longest_cm = None if math.isinf(c.max_longest_cm) else c.max_longest_cm
        room = (*c.hold, c.max_piece_kg, longest_cm)
        rows.append((c.trip_id, *room, c.fee_per_kg, c.fee_per_piece, " ".join(c.product_classes), c.luggage_share))
    return rows


def _cargo_stop_rows(feed: Feed) -> Rows:
    rows: Rows = [("stop_id", "site_id", "board_s", "cutoff_s")]
    rows.extend((c.stop_id, c.site_id, c.board_s, c.cutoff_s) for c in feed.cargo_stops)
    return rows


def _csv(rows: Rows) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[_cell(cell) for cell in row] for row in rows])
    return text.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")
