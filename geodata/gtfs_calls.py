"""stop_times.txt → calls of each trip: order, times, interpolation of the times a feed leaves blank."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geodata.errors import nearest_name
from geodata.gtfs_tables import FeedText, Row, Table, read_table, seconds
from geodata.location import great_circle_m
from geodata.timetable import BusStop, Call

_TRANSFER_KINDS = {"": True, "0": True, "1": False, "2": True, "3": True}
"""GTFS pickup_type and drop_off_type: only 1 forbids; 2 and 3 are arranged by phone or with the driver."""


@dataclass(slots=True)
class _RawCall:
    """One row of stop_times.txt; times None where blank."""

    row: int
    stop_id: str
    sequence: int
    arrival_s: int | None
    departure_s: int | None
    can_board: bool
    can_alight: bool
    shape_dist: float | None


def read_calls(text: FeedText, trip_ids: Collection[str], stops: Mapping[str, BusStop]) -> dict[str, tuple[Call, ...]]:
    """Return the calls of each trip in order; an empty tuple marks a trip whose faults were recorded."""
    table = read_table(
        text, "stop_times.txt", ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence")
    )
    raw = _raw_calls(table, trip_ids, stops)
    return {trip_id: _timed_calls(table, trip_id, calls, stops) for trip_id, calls in raw.items()}


def _raw_calls(table: Table, trip_ids: Collection[str], stops: Mapping[str, BusStop]) -> dict[str, dict[int, _RawCall]]:
    """Return rows by trip and sequence. A trip with a faulty row keeps its other rows, to find their faults too."""
    found: dict[str, dict[int, _RawCall]] = {}
    clock_s: dict[str, int | None] = {"": None}
    for row in table.rows():
        trip_id, stop_id = row.cell("trip_id"), row.cell("stop_id")
        if trip_ids and trip_id not in trip_ids:
            orphan(row, "trip_id", "trip", trip_ids)
        if stops and stop_id not in stops:
            orphan(row, "stop_id", "stop", stops)
        sequence = row.whole_in("stop_sequence", 0, 10**9)
        calls = found.setdefault(trip_id, {})
        if sequence is None:
            continue
        if sequence in calls:
            reason = f"duplicate key trip_id, stop_sequence, first used in row {calls[sequence].row}"
            row.wrong("stop_sequence", reason, "Keep one of the rows.", "DUPLICATE_ID")
            continue
        calls[sequence] = _RawCall(
            row=row.number,
            stop_id=stop_id,
            sequence=sequence,
            arrival_s=_time_s(row, "arrival_time", clock_s),
            departure_s=_time_s(row, "departure_time", clock_s),
            can_board=_may(row, "pickup_type"),
            can_alight=_may(row, "drop_off_type"),
            shape_dist=row.number_in("shape_dist_traveled", 0.0, 1e9) if row.cell("shape_dist_traveled") else None,
        )
    return found


def _time_s(row: Row, column: str, known: dict[str, int | None]) -> int | None:
    """Return a time by a memo, for feeds repeat the same few thousand texts in hundreds of thousands of cells."""
    cell = row.cell(column)
    if cell not in known:
        parsed = seconds(cell)
        if parsed is None:
            return row.time_s(column)
        known[cell] = parsed
    return known[cell]


def _may(row: Row, column: str) -> bool:
    cell = row.cell(column)
    if cell not in _TRANSFER_KINDS:
        row.wrong(column, "not a pick-up or drop-off type", "Use 0, 1, 2, 3 or leave it blank.")
    return _TRANSFER_KINDS.get(cell, False)


def _timed_calls(
    table: Table, trip_id: str, raw: Mapping[int, _RawCall], stops: Mapping[str, BusStop]
) -> tuple[Call, ...]:
    ordered = [raw[sequence] for sequence in sorted(raw)]
    for call in ordered:
        if call.arrival_s is None:
            call.arrival_s = call.departure_s
        elif call.departure_s is None:
            call.departure_s = call.arrival_s
    if not _times_hold(table, trip_id, ordered):
        return ()
    timed = [call.arrival_s is not None for call in ordered]
    if not all(timed):
        _interpolate(ordered, stops)
    return tuple(
        Call(
            stop_id=call.stop_id,
            sequence=call.sequence,
            arrival_s=call.arrival_s or 0,
            departure_s=call.departure_s or 0,
            can_board=call.can_board,
            can_alight=call.can_alight,
            timed=is_timed,
            shape_dist=call.shape_dist,
        )
        for call, is_timed in zip(ordered, timed, strict=True)
    )


def _times_hold(table: Table, trip_id: str, calls: list[_RawCall]) -> bool:
    """Record a fault for each missing end time and each time that runs backwards; True if there is none."""
    good = True

    def fault(call: _RawCall, column: str, reason: str, remedy: str) -> None:
        nonlocal good
        good = False
        table.text.fault("BAD_TIME", table.name, f"trip {trip_id}: {reason}", remedy, row=call.row, field_name=column)

    for call in calls[:1] + calls[1:][-1:]:
        if call.arrival_s is None:
            fault(call, "arrival_time", "first and last stop need a time", "Give a time as HH:MM:SS.")
    left_s = None
    for call in calls:
        if call.arrival_s is None or call.departure_s is None:
            continue
        if left_s is not None and call.arrival_s < left_s:
            fault(call, "arrival_time", "arrives before it left the stop before", "Let times never fall along a trip.")
        if call.departure_s < call.arrival_s:
            fault(call, "departure_time", "departs before it arrives", "Let the departure not precede the arrival.")
        left_s = max(left_s or 0, call.arrival_s, call.departure_s)
    return good


def _interpolate(calls: list[_RawCall], stops: Mapping[str, BusStop]) -> None:
    """Fill blank times between timed calls in proportion to distance, rounded down to whole seconds.

    Distance is shape_dist_traveled where it is given for the whole gap and does not fall, else straight between the
    stops; stops at one spot share the time evenly. A bus does not dwell at an interpolated call.
    """
    known = [k for k, call in enumerate(calls) if call.arrival_s is not None]
    for first, last in pairwise(known):
        if last == first + 1:
            continue
        left_s, arrival_s = calls[first].departure_s or 0, calls[last].arrival_s or 0
        travelled = _travelled(calls[first : last + 1], stops)
        for call, share in zip(calls[first + 1 : last], travelled[1:-1], strict=True):
            call.arrival_s = call.departure_s = left_s + int(share * (arrival_s - left_s) + 1e-9)


def _travelled(calls: list[_RawCall], stops: Mapping[str, BusStop]) -> list[float]:
    """Return the share of the way done at each call, 0 at the first and 1 at the last."""
    dist = np.array([np.nan if call.shape_dist is None else call.shape_dist for call in calls])
    if not (np.isfinite(dist).all() and (np.diff(dist) >= 0).all() and dist[-1] > dist[0]):
        lon = np.array([stops[call.stop_id].lon if call.stop_id in stops else np.nan for call in calls])
        lat = np.array([stops[call.stop_id].lat if call.stop_id in stops else np.nan for call in calls])
        hops = great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
        dist = np.concatenate([[0.0], np.cumsum(hops)])
    if not (np.isfinite(dist).all() and dist[-1] > dist[0]):
        dist = np.arange(len(calls), dtype=np.float64)
    return [float(share) for share in (dist - dist[0]) / (dist[-1] - dist[0])]


def orphan(row: Row, column: str, kind: str, known: Collection[str]) -> None:
    """Record a reference to something that does not exist, with the nearest name that does."""
    near = nearest_name(row.cell(column), known) if len(known) <= 2_000 else None
    hint = f"did you mean {near}?" if near else f"name a {kind} of the feed."
    row.wrong(column, f"unknown {kind}", hint[0].upper() + hint[1:], f"UNKNOWN_{kind.upper()}")
