"""The scheduled buses of one service date, and the space and stops they offer to cargo.

GTFS words that clash with the words of vehicle routing are renamed once: a GTFS route is a `Line`, a GTFS stop a
`BusStop`, a GTFS stop_time a `Call`. Times are whole seconds after local midnight of the service date and may pass
24 h. Nothing here moves a bus: later modules read these types or replace whole trips (for example by real-time delays).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import shapely
import shapely.ops

from geodata.errors import Fault
from geodata.location import FloatArray, LocalFrame

Shape = tuple[tuple[float, float], ...]
"""The course of a trip on the ground as (lon, lat) in degrees, in driving order."""

_SEGMENT_M = 100.0
"""Shapes are cut into pieces of at most this length before stops are placed on them."""
_TIE_M2 = 1.0
"""Of two passes of a shape that fit a stop equally well up to this difference of squares, the earlier one is taken."""

_ROOM_DIGITS = 6
"""Decimals of kilograms and litres that are kept when luggage takes its share."""

BUS_MODES = frozenset({3, 11, *range(700, 717), 800})
"""GTFS route types that are buses, coaches or trolleybuses (basic and extended types)."""


@dataclass(frozen=True, slots=True)
class BusStop:
    """A place where buses halt: a stop, a platform or a station (then `parent_station` of its platforms)."""

    id: str
    name: str
    lon: float
    lat: float
    parent_station: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A bus line. `operator` is the agency's name, `mode` the GTFS route_type (3 is a bus)."""

    id: str
    short_name: str
    long_name: str
    agency_id: str
    operator: str
    mode: int = 3

    @property
    def name(self) -> str:
        """Short name, else long name, else id."""
        return self.short_name or self.long_name or self.id


@dataclass(frozen=True, slots=True)
class Call:
    """A halt of a trip at a stop.

    `sequence` increases along the trip but need not be consecutive. `can_board` and `can_alight` are False where the
    feed forbids pick-up or drop-off. `timed` is False where the feed gave no time and it was interpolated.
    `shape_dist` is the feed's own measure along the shape, in the feed's unit, or None.
    """

    stop_id: str
    sequence: int
    arrival_s: int
    departure_s: int
    can_board: bool = True
    can_alight: bool = True
    timed: bool = True
    shape_dist: float | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """One run of a line: calls in order of `sequence`, at least two.

    A trip expanded from ``frequencies.txt`` has the id ``<trip>@HH:MM`` and keeps the trip it repeats in `template_id`.
    """

    id: str
    line_id: str
    service_id: str
    calls: tuple[Call, ...]
    headsign: str = ""
    direction: int | None = None
    shape_id: str | None = None
    block_id: str | None = None
    template_id: str | None = None

    @property
    def departure_s(self) -> int:
        """Departure from the first stop."""
        return self.calls[0].departure_s

    @property
    def arrival_s(self) -> int:
        """Arrival at the last stop."""
        return self.calls[-1].arrival_s


@dataclass(frozen=True, slots=True)
class CargoTrip:
    """What a trip takes as cargo (``cargo_trips.txt``); a trip without such a row takes none.

    `max_kg` and `max_l` bound the cargo aboard at any moment: what passengers' luggage, which takes `luggage_share` of
    the hold, leaves of it. `max_piece_kg` and `max_longest_cm` bound each piece. Fees are
    minor units. `product_classes` empty means every class that may ride buses.
    """

    trip_id: str
    max_kg: float
    max_l: float
    max_piece_kg: float
    max_longest_cm: float = math.inf
    fee_per_kg: float = 0.0
    fee_per_piece: float = 0.0
    product_classes: tuple[str, ...] = ()
    luggage_share: float = 0.0

    @property
    def hold(self) -> tuple[float, float]:
        """Kilograms and litres of the whole hold, luggage included."""
        if not self.luggage_share:
            return self.max_kg, self.max_l
        left = 1.0 - self.luggage_share
        return round(self.max_kg / left, _ROOM_DIGITS), round(self.max_l / left, _ROOM_DIGITS)

    def with_luggage(self, share: float) -> CargoTrip:
        """Return the room that luggage leaves of a hold of `max_kg` and `max_l`; `share` is at least 0, less than 1."""
        if not share:
            return self
        max_kg, max_l = (round(size * (1.0 - share), _ROOM_DIGITS) for size in (self.max_kg, self.max_l))
        return replace(self, max_kg=max_kg, max_l=max_l, luggage_share=share)


@dataclass(frozen=True, slots=True)
class CargoStop:
    """A stop that handles cargo for a site (``cargo_stops.txt``); one stop may serve several sites and the reverse.

    Goods must be ready at the site `cutoff_s` before the bus departs, and are at the site `board_s` after it arrives;
    both include the way between site and stop.
    """

    stop_id: str
    site_id: str
    board_s: int
    cutoff_s: int


@dataclass(frozen=True)
class Timetable:
    """Everything that runs on one service date.

    `trips` are in order of departure and id; `cargo_trips` is keyed by trip id (expanded ids included); `warnings` are
    faults of the feed that do not keep it from being used; `synthetic` is True for a feed marked as made up.
    """

    service_date: date
    timezone: str
    lines: Mapping[str, Line]
    stops: Mapping[str, BusStop]
    trips: tuple[Trip, ...]
    cargo_trips: Mapping[str, CargoTrip] = field(default_factory=dict)
    cargo_stops: tuple[CargoStop, ...] = ()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    warnings: tuple[Fault, ...] = ()
    synthetic: bool = False

    @cached_property
    def trip_by_id(self) -> dict[str, Trip]:
        """Trips by id."""
        return {trip.id: trip for trip in self.trips}

    @cached_property
    def cargo_stops_at(self) -> dict[str, tuple[CargoStop, ...]]:
        """Cargo handling at each stop id that has any, in file order."""
        found: dict[str, tuple[CargoStop, ...]] = {}
        for cargo_stop in self.cargo_stops:
            found[cargo_stop.stop_id] = (*found.get(cargo_stop.stop_id, ()), cargo_stop)
        return found

    def operator_of(self, trip: Trip) -> str:
        """Return the name of the company that runs the trip."""
        return self.lines[trip.line_id].operator

    def course(self, trip: Trip, first: int, last: int) -> Shape:
        """Return the way on the ground between two calls, for maps.

        Parameters
        ----------
        trip
            A trip of this timetable.
        first, last
            Positions in ``trip.calls`` with ``first < last``.

        Returns
        -------
        Shape
            (lon, lat) from stop to stop: along the trip's shape where it has one that passes the stops in order,
            else straight from call to call.
        """
        stops = [self.stops[call.stop_id] for call in trip.calls]
        straight = tuple((stop.lon, stop.lat) for stop in stops[first : last + 1])
        shape = self.shapes.get(trip.shape_id) if trip.shape_id is not None else None
        if shape is None or len(shape) < 2:
            return straight
        return _cut_shape(shape, stops, first, last) or straight


def _cut_shape(shape: Shape, stops: list[BusStop], first: int, last: int) -> Shape | None:
    """Cut the shape between two of the stops of a trip that follows it; None if nothing is left between them."""
    frame = LocalFrame(lon=shape[0][0], lat=shape[0][1])
    line = shapely.LineString(np.column_stack(frame.to_metres(*np.asarray(shape, dtype=np.float64).T)))
    lon_lat = np.array([stop.lon for stop in stops]), np.array([stop.lat for stop in stops])
    pieces = shapely.get_coordinates(shapely.segmentize(line, _SEGMENT_M))
    along_m = _positions_along(pieces, np.column_stack(frame.to_metres(*lon_lat)))
    cut = shapely.ops.substring(line, along_m[first], along_m[last])
    if cut.length == 0.0:
        return None
    lon, lat = frame.to_degrees(*np.asarray(cut.coords, dtype=np.float64).T)
    return tuple((round(float(a), 7), round(float(b), 7)) for a, b in zip(lon, lat, strict=True))


def _positions_along(line: FloatArray, points: FloatArray) -> FloatArray:
    """Place points on a line so that they follow each other along it and the sum of squared offsets is least.

    A line that runs out and back passes most stops twice; looking for all stops together, in order, tells which pass
    is meant. Dynamic program over the segments; order within one segment is restored afterwards, so segments are short.

    Parameters
    ----------
    line, points
        Shapes (n, 2) and (k, 2), metres.

    Returns
    -------
    FloatArray
        Shape (k,), metres along the line, never falling.
    """
    start, run = line[:-1], np.diff(line, axis=0)
    length = np.hypot(run[:, 0], run[:, 1])
    offset = points[:, None, :] - start[None, :, :]
    share = np.clip((offset * run).sum(axis=2) / np.maximum(length**2, 1e-9), 0.0, 1.0)
    square = ((offset - share[:, :, None] * run) ** 2).sum(axis=2)
    best = square[0]
    came_from = np.zeros(square.shape, dtype=np.intp)
    for k in range(1, len(points)):
        so_far = np.minimum.accumulate(best)
        is_new = np.concatenate([[True], best[1:] < so_far[:-1] - _TIE_M2])
        came_from[k] = np.maximum.accumulate(np.where(is_new, np.arange(len(best)), 0))
        best = so_far + square[k]
    segment = np.zeros(len(points), dtype=np.intp)
    segment[-1] = int(np.argmin(best))
    for k in range(len(points) - 1, 0, -1):
        segment[k - 1] = came_from[k][segment[k]]
    before = np.concatenate([[0.0], np.cumsum(length)])
    at_m = before[segment] + share[np.arange(len(points)), segment] * length[segment]
    return np.asarray(np.maximum.accumulate(at_m), dtype=np.float64)
