"""Feed: a whole GTFS feed in memory, all dates; `timetable_on` reads one service date off it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

from geodata.errors import Fault, FaultCollector
from geodata.timetable import BusStop, CargoStop, CargoTrip, Line, Shape, Timetable, Trip

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Agency:
    """A company that runs lines."""

    id: str
    name: str
    url: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Service:
    """A set of dates: weekdays (Monday first) between two dates, plus `added`, minus `removed` dates."""

    id: str
    weekdays: tuple[bool, ...] = (False,) * 7
    first: date | None = None
    last: date | None = None
    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()

    def runs_on(self, day: date) -> bool:
        """Return whether the service runs on the date."""
        if day in self.removed:
            return False
        return day in self.added or self._is_regular(day)

    def _is_regular(self, day: date) -> bool:
        if self.first is None or self.last is None:
            return False
        return self.first <= day <= self.last and self.weekdays[day.weekday()]

    def dates(self) -> Iterator[date]:
        """Yield every date on which the service runs, regular ones first, each once."""
        if self.first is not None and self.last is not None:
            for offset in range((self.last - self.first).days + 1):
                day = self.first + timedelta(days=offset)
                if self._is_regular(day) and day not in self.removed:
                    yield day
        for day in sorted(self.added - self.removed):
            if not self._is_regular(day):
                yield day


@dataclass(frozen=True, slots=True)
class Frequency:
    """Repeats a trip every `headway_s` from `start_s` until before `end_s` (departures from its first stop)."""

    trip_id: str
    start_s: int
    end_s: int
    headway_s: int
    exact: bool = True


@dataclass(frozen=True)
class Feed:
    """A GTFS feed with the two cargo tables of Shanlu: services by id, all else in file order; references hold."""

    agencies: tuple[Agency, ...]
    stops: tuple[BusStop, ...]
    lines: tuple[Line, ...]
    services: tuple[Service, ...]
    trips: tuple[Trip, ...]
    frequencies: tuple[Frequency, ...] = ()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    cargo_trips: tuple[CargoTrip, ...] = ()
    cargo_stops: tuple[CargoStop, ...] = ()
    publisher: str = ""
    version: str = ""
    synthetic: bool = False

    @property
    def timezone(self) -> str:
        """Time zone of the first agency; GTFS demands one zone for all."""
        return self.agencies[0].timezone if self.agencies else ""

    @cached_property
    def service_dates(self) -> tuple[date, ...]:
        """Every date on which any trip runs, ascending."""
        used = {trip.service_id for trip in self.trips}
        return tuple(sorted({day for service in self.services if service.id in used for day in service.dates()}))


def clock(time_s: int) -> str:
    """Return seconds after midnight as GTFS writes them, ``HH:MM:SS``, hours beyond 24 allowed."""
    return f"{time_s // 3600:02d}:{time_s // 60 % 60:02d}:{time_s % 60:02d}"


def timetable_on(feed: Feed, service_date: date, faults: FaultCollector, file: str = "timetable") -> Timetable:
    """Return what runs on one service date; adds a fault if nothing does.

    Frequency-based trips are expanded into single trips ``<trip>@HH:MM`` (``@HH:MM:SS`` off the full minute), departing
    as if exactly timed, which the warnings of the feed say where the feed does not promise it.
    """
    running = {service.id for service in feed.services if service.runs_on(service_date)}
    repeats: dict[str, list[Frequency]] = {}
    for frequency in feed.frequencies:
        repeats.setdefault(frequency.trip_id, []).append(frequency)
    cargo_rows = {row.trip_id: row for row in feed.cargo_trips}
    trips: list[Trip] = []
    for trip in feed.trips:
        if trip.service_id in running:
            trips.extend(_expanded(trip, repeats[trip.id]) if trip.id in repeats else (trip,))
    if not trips:
        faults.add(_no_service(feed, service_date, file))
    trips.sort(key=lambda trip: (trip.departure_s, trip.id))
    cargo_trips = {}
    for trip in trips:
        row = cargo_rows.get(trip.id) or cargo_rows.get(trip.template_id or "")
        if row is not None:
            cargo_trips[trip.id] = replace(row, trip_id=trip.id)
    return Timetable(
        service_date=service_date,
        timezone=feed.timezone,
        lines={line.id: line for line in feed.lines},
        stops={stop.id: stop for stop in feed.stops},
        trips=tuple(trips),
        cargo_trips=cargo_trips,
        cargo_stops=feed.cargo_stops,
        shapes=feed.shapes,
        synthetic=feed.synthetic,
    )


def departure_ids(trip_id: str, frequency: Frequency) -> Iterator[tuple[str, int]]:
    """Yield id and departure of each trip that a frequency row stands for."""
    for start_s in range(frequency.start_s, frequency.end_s, frequency.headway_s):
        time = clock(start_s)
        yield f"{trip_id}@{time if start_s % 60 else time[:-3]}", start_s


def _expanded(trip: Trip, frequencies: list[Frequency]) -> Iterator[Trip]:
    for frequency in frequencies:
        for trip_id, start_s in departure_ids(trip.id, frequency):
            shift_s = start_s - trip.departure_s
            calls = tuple(
                replace(call, arrival_s=call.arrival_s + shift_s, departure_s=call.departure_s + shift_s)
                for call in trip.calls
            )
            yield replace(trip, id=trip_id, calls=calls, template_id=trip.id)


def _no_service(feed: Feed, service_date: date, file: str) -> Fault:
    covered = feed.service_dates
    if not covered:
        remedy = "The feed has no trip on any date: mend calendar.txt and calendar_dates.txt."
    else:
        nearest = min(covered, key=lambda day: (abs((day - service_date).days), day))
        remedy = (
            f"The feed covers {covered[0]} to {covered[-1]}; the nearest date with service is {nearest}. "
            "Set service_date to such a date or provide a newer feed."
        )
    return Fault(
        code="NO_SERVICE",
        file=file,
        reason=f"no trip runs on the service date, a {WEEKDAYS[service_date.weekday()].capitalize()}",
        remedy=remedy,
        field="service_date",
        value=service_date.isoformat(),
    )
