"""GTFS-Realtime TripUpdates applied to a day's timetable: delays, cancelled trips, skipped stops.

Rules are those of the GTFS-Realtime reference, version 2.0 (https://gtfs.org/documentation/realtime/reference/):

- an update belongs to a stop by its sequence, else by its stop id, taken in order along the trip;
- a given time counts before a given delay; a delay holds for all stops after it until the next update;
- ``NO_DATA`` ends a delay: from there on the timetable holds; a delay reaches over ``SKIPPED`` stops;
- stops before the first update keep their times.

Times never fall along a trip: what an update would make too early is moved up to the time before it. A skipped stop
keeps its call, so that positions in a trip stay what they were, but nobody and nothing gets on or off.

Trips that are not in the timetable (added, replaced, duplicated ones) are passed over with a warning.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as pb

from geodata.errors import Fault, InputError, UnavailableError
from geodata.gtfs_tables import seconds
from geodata.timetable import Call, Timetable, Trip

TIMEOUT_S = 20.0
MAX_BYTES = 100_000_000
"""A longer answer is not a feed of one county or country."""

_CANCELLED = {pb.TripDescriptor.CANCELED, pb.TripDescriptor.DELETED}
_NOT_PLANNED = {
    pb.TripDescriptor.ADDED,
    pb.TripDescriptor.NEW,
    pb.TripDescriptor.REPLACEMENT,
    pb.TripDescriptor.DUPLICATED,
}
_StopUpdate = pb.TripUpdate.StopTimeUpdate


def read_realtime(source: str | Path, *, allow_network: bool = False) -> bytes:
    """Return the bytes of a feed from a file, or from an http(s) address if that is allowed.

    Raises
    ------
    InputError
        If the file is missing or cannot be read, or an address is given and the network is not allowed.
    UnavailableError
        If the address does not answer.
    """
    if isinstance(source, str) and urlsplit(source).scheme in {"http", "https"}:
        if not allow_network:
            remedy = "Allow the network for this command, or give a file."
            raise InputError([Fault("BAD_ARGUMENTS", "realtime feed", "an address, and no network is allowed", remedy)])
        return _download(source)
    path = Path(source)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        remedy = "Give the path of a GTFS-Realtime file."
        raise InputError([Fault("MISSING_FILE", path.name, "the realtime feed does not exist", remedy)]) from None
    except OSError as error:
        remedy = "Give a GTFS-Realtime file."
        raise InputError([Fault("BROKEN_FILE", path.name, f"cannot be read: {error.strerror}", remedy)]) from error


def apply_trip_updates(timetable: Timetable, content: bytes, file: str = "realtime feed") -> Timetable:
    """Return the timetable as the TripUpdates of a feed change it.

    Parameters
    ----------
    timetable
        The day as planned.
    content
        A ``FeedMessage`` in protocol buffer encoding; vehicle positions and alerts in it are passed over.
    file
        Name of the feed in faults and warnings.

    Returns
    -------
    Timetable
        Cancelled trips and their cargo room are gone, trips are in order of their new departures, and `warnings` has a
        fault for every update that could not be applied (its row is the number of the entity, from 1).

    Raises
    ------
    InputError
        If the content is not a GTFS-Realtime message, or it gives times and the timetable's time zone is unknown.
    """
    message = _decode(content, file)
    reading = _Reading(timetable, file)
    changed: dict[str, Trip | None] = {}
    for number, entity in enumerate(message.entity, start=1):
        if entity.is_deleted or not entity.HasField("trip_update"):
            continue
        update = entity.trip_update
        trip = reading.trip_of(update, number)
        if trip is None:
            continue
        if trip.id in changed:
            reading.warn(number, "DUPLICATE_ID", "trip_id", trip.id, "the trip has an update already", "Give one.")
            continue
        is_cancelled = update.trip.schedule_relationship in _CANCELLED
        changed[trip.id] = None if is_cancelled else reading.updated(trip, update, number)
    current = (changed.get(trip.id, trip) for trip in timetable.trips)
    trips = sorted((trip for trip in current if trip is not None), key=lambda trip: (trip.departure_s, trip.id))
    running = {trip.id for trip in trips}
    return replace(
        timetable,
        trips=tuple(trips),
        cargo_trips={trip_id: row for trip_id, row in timetable.cargo_trips.items() if trip_id in running},
        warnings=(*timetable.warnings, *reading.warnings),
    )


def _download(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the caller saw to http(s)
            content: bytes = answer.read(MAX_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        msg = f"The realtime feed could not be downloaded ({error}). Check the network and the address, or give a file."
        raise UnavailableError(msg) from error
    if len(content) > MAX_BYTES:
        msg = f"The realtime feed is longer than {MAX_BYTES} bytes. Check the address."
        raise UnavailableError(msg)
    return content


def _decode(content: bytes, file: str) -> pb.FeedMessage:
    """Return the message, or raise the fault of bytes that are none."""
    message = pb.FeedMessage()
    try:
        message.ParseFromString(content)
        is_whole = message.IsInitialized()
    except DecodeError:
        is_whole = False
    if not is_whole:
        remedy = "Give a FeedMessage in protocol buffer encoding (not JSON, not a web page)."
        raise InputError([Fault("BROKEN_FILE", file, "not a GTFS-Realtime message", remedy)])
    return message


@dataclass
class _Reading:
    """What updates are read against, and what was wrong with them so far."""

    timetable: Timetable
    file: str
    warnings: list[Fault] = field(default_factory=list)
    _repeated: Mapping[tuple[str, int], Trip] = field(init=False)
    _midnight: float | None = None

    def __post_init__(self) -> None:
        repeated = {(trip.template_id, trip.departure_s): trip for trip in self.timetable.trips if trip.template_id}
        self._repeated = {(template, start_s): trip for (template, start_s), trip in repeated.items() if template}

    def warn(self, number: int, code: str, name: str, value: str, reason: str, remedy: str) -> None:
        """Note an update that cannot be applied."""
        self.warnings.append(Fault(code, self.file, reason, remedy, number, name, value))

    def trip_of(self, update: pb.TripUpdate, number: int) -> Trip | None:
        """Return the trip an update is about; None for another date, and with a warning where there is none."""
        descriptor = update.trip
        if descriptor.start_date and descriptor.start_date != f"{self.timetable.service_date:%Y%m%d}":
            return None
        if descriptor.schedule_relationship in _NOT_PLANNED:
            kind = pb.TripDescriptor.ScheduleRelationship.Name(descriptor.schedule_relationship)
            reason, remedy = "trips beside the timetable are not used", "Put the trip into the timetable."
            self.warn(number, "REALTIME_IGNORED", "schedule_relationship", kind, reason, remedy)
            return None
        trip = self.timetable.trip_by_id.get(descriptor.trip_id)
        if trip is None:
            start_s = seconds(descriptor.start_time)
            trip = None if start_s is None else self._repeated.get((descriptor.trip_id, start_s))
        if trip is None:
            at = f" with a departure at {descriptor.start_time}" if descriptor.start_time else ""
            reason = f"no such trip{at} on the service date"
            remedy = "Give a trip_id of the timetable; for repeated trips start_time too."
            self.warn(number, "UNKNOWN_TRIP", "trip_id", descriptor.trip_id, reason, remedy)
        return trip

    def updated(self, trip: Trip, update: pb.TripUpdate, number: int) -> Trip:
        """Return the trip with new times and skipped stops."""
        at = self._positions(trip, update.stop_time_update, number)
        delay_s = update.delay if update.HasField("delay") and not at else 0
        calls: list[Call] = []
        for k, call in enumerate(trip.calls):
            stop_update = at.get(k)
            arrival_s, departure_s, delay_s = self._times(call, stop_update, delay_s)
            arrival_s = max(arrival_s, calls[-1].departure_s) if calls else arrival_s
            halts = stop_update is None or stop_update.schedule_relationship != _StopUpdate.SKIPPED
            calls.append(
                replace(
                    call,
                    arrival_s=arrival_s,
                    departure_s=max(arrival_s, departure_s),
                    can_board=call.can_board and halts,
                    can_alight=call.can_alight and halts,
                )
            )
        return replace(trip, calls=tuple(calls))

    def _positions(self, trip: Trip, updates: Sequence[_StopUpdate], number: int) -> dict[int, _StopUpdate]:
        """Return updates by position in the trip's calls; those that fit no stop after the one before are warned of."""
        found: dict[int, _StopUpdate] = {}
        begin = 0
        for update in updates:
            k = next(_matching(trip.calls, update, begin), None)
            if k is None:
                name = "stop_sequence" if update.HasField("stop_sequence") else "stop_id"
                reason = f"trip {trip.id} does not call there after the stops updated before"
                remedy = "Give stops of the trip in its order."
                self.warn(number, "UNKNOWN_STOP", name, str(getattr(update, name)), reason, remedy)
            else:
                found[k] = update
                begin = k + 1
        return found

    def _times(self, call: Call, update: _StopUpdate | None, delay_s: int) -> tuple[int, int, int]:
        """Return new arrival and departure, and the delay that goes on to the next stop."""
        if update is not None and update.schedule_relationship == _StopUpdate.NO_DATA:
            return call.arrival_s, call.departure_s, 0
        arrival_s, departure_s = call.arrival_s + delay_s, call.departure_s + delay_s
        if update is None:
            return arrival_s, departure_s, delay_s
        if update.HasField("arrival"):
            arrival_s = self._time_s(update.arrival, call.arrival_s, arrival_s)
            departure_s = call.departure_s + arrival_s - call.arrival_s
        if update.HasField("departure"):
            departure_s = self._time_s(update.departure, call.departure_s, departure_s)
            arrival_s = arrival_s if update.HasField("arrival") else min(arrival_s, departure_s)
        return arrival_s, departure_s, departure_s - call.departure_s

    def _time_s(self, event: pb.TripUpdate.StopTimeEvent, planned_s: int, otherwise_s: int) -> int:
        """Return the time of an event: its time, else the planned one and its delay, else what holds without it."""
        if event.HasField("time"):
            return int(event.time - self._day_start())
        return planned_s + event.delay if event.HasField("delay") else otherwise_s

    def _day_start(self) -> float:
        """Return the POSIX time of second 0 of the service day: noon less twelve hours, as GTFS counts."""
        if self._midnight is None:
            try:
                zone = ZoneInfo(self.timetable.timezone)
            except (ZoneInfoNotFoundError, ValueError):
                remedy = "Give agency_timezone as in the IANA database, for example Asia/Shanghai."
                reason = "times of the realtime feed cannot be read without the timetable's time zone"
                fault = Fault("UNKNOWN_TIMEZONE", "agency.txt", reason, remedy, value=self.timetable.timezone)
                raise InputError([fault]) from None
            noon = datetime.combine(self.timetable.service_date, time(12), zone)
            self._midnight = noon.timestamp() - timedelta(hours=12).total_seconds()
        return self._midnight


def _matching(calls: Sequence[Call], update: _StopUpdate, begin: int) -> Iterator[int]:
    """Yield positions from `begin` on that an update fits: by sequence if it gives one, else by stop."""
    for k in range(begin, len(calls)):
        if update.HasField("stop_sequence"):
            if calls[k].sequence == update.stop_sequence:
                yield k
        elif calls[k].stop_id == update.stop_id:
            yield k
