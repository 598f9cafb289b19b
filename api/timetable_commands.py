"""``shanlu connections`` and ``shanlu realtime``: buses between two sites, and what becomes of them during the day."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tomli_w
import typer

from api.terminal import console, disk_cache, errors, exit_codes
from geodata.errors import Fault, FaultCollector, InputError, nearest_name

if TYPE_CHECKING:
    from datetime import date

    from geodata.connections import Connection
    from geodata.timetable import Timetable
    from routing.scenario import Scenario, ScenarioReading

UPDATES_FILE = "timetable-updates.pb"
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)")


def connections(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    start: Annotated[str, typer.Argument(metavar="FROM", help="Id of the site goods leave.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="Id of the site they go to.")],
    depart: Annotated[
        str, typer.Option(metavar="HH:MM", help="Time from which goods may leave; up to 71:59 after midnight.")
    ] = "00:00",
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Another day.  [default: the service date]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the buses that take goods from one site to another: the Pareto-best ways with at most one change of bus.

    A way is left out where another leaves no earlier, arrives no later and changes no more often.
    """
    with exit_codes():
        # Imported late so that `shanlu --help` answers at once.
        from geodata.connections import ConnectionSearch  # noqa: PLC0415

        ready_s, on = _asked(depart, day)
        scenario, timetable = _read(folder, on)
        handling_s = {site.id: site.handling_s for site in scenario.sites}
        known = list(handling_s)
        faults = [*_unknown_site("FROM", start, known), *_unknown_site("TO", end, known)]
        if faults:
            raise InputError(faults)
        search = ConnectionSearch(timetable, None, handling_s, timetable.cargo_trips)
        found = search.connections(start, end, ready_s=ready_s)[::-1]
        if as_json:
            rows = [dataclasses.asdict(way) | {"transfers": way.n_transfers} for way in found]
            console.print_json(json.dumps({"date": timetable.service_date.isoformat(), "connections": rows}))
        else:
            for line in _table(found, timetable):
                console.print(line)


def realtime(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="GTFS-Realtime file or http(s) address.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Go back to the timetable as planned.")] = False,
) -> None:
    """Apply TripUpdates to the timetable of a scenario: delays, cancelled trips, skipped stops.

    The feed is saved into the folder and named in scenario.toml: whatever is planned and checked from then on sees it.
    """
    with exit_codes():
        from geodata.gtfs_realtime import apply_trip_updates, read_realtime  # noqa: PLC0415

        if clear == (source is not None):
            reason = "give a feed, or --clear, not both"
            raise InputError([Fault("BAD_ARGUMENTS", "command line", reason, "Leave one of them out.")])
        if source is None:
            name_updates(folder, None)
            console.print("the timetable holds as planned")
            return
        _, planned = _read(folder, None, with_updates=False)
        content = read_realtime(source, allow_network=True)
        changed = apply_trip_updates(planned, content, source)
        (folder / UPDATES_FILE).write_bytes(content)
        name_updates(folder, UPDATES_FILE)
        for line in _changes(planned, changed):
            console.print(line)
        for warning in changed.warnings[len(planned.warnings) :]:
            errors.print(f"note: {warning}")


def name_updates(folder: Path, name: str | None) -> None:
    """Name a file of updates in ``scenario.toml``, or none; the rest of the file keeps its text and comments."""
    path = folder / "scenario.toml"
    text = path.read_text(encoding="utf-8")
    wanted: dict[str, Any] = tomllib.loads(text)
    wanted["files"].pop("timetable_updates", None)
    if name is not None:
        wanted["files"]["timetable_updates"] = name
    without = re.sub(r"(?m)^\s*timetable_updates\s*=.*\n?", "", text)
    entry = "" if name is None else f'timetable_updates = "{name}"\n'
    changed = re.sub(r"(?m)^(\s*\[files\][^\n]*\n)", lambda head: head[1] + entry, without, count=1)
    try:
        is_right = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        is_right = False
    path.write_text(changed if is_right else tomli_w.dumps(wanted), encoding="utf-8")


def _asked(depart: str, day: str | None) -> tuple[float, date | None]:
    """Return the seconds and the day asked for, or raise both faults."""
    faults = []
    clock = _CLOCK.fullmatch(depart)
    if clock is None or int(clock[1]) > 71:
        faults.append(
            Fault("BAD_TIME", "command line", "no time of day", "Give HH:MM.", field="--depart", value=depart)
        )
    on = None
    try:
        on = datetime.strptime(day, "%Y-%m-%d").date() if day is not None else None  # noqa: DTZ007 - a date has no zone
    except ValueError:
        faults.append(Fault("BAD_DATE", "command line", "no date", "Give YYYY-MM-DD.", field="--date", value=day))
    if faults or clock is None:
        raise InputError(faults)
    return int(clock[1]) * 3600.0 + int(clock[2]) * 60.0, on


def _read(folder: Path, on: date | None, *, with_updates: bool = True) -> tuple[Scenario, Timetable]:
    """Return a scenario and its timetable on a day (None: the service date); streets and terrain are not read.

    Updates change the service date alone.
    """
    from geodata.area import read_timetable  # noqa: PLC0415
    from routing.scenario import look_through  # noqa: PLC0415

    collector = FaultCollector()
    reading: ScenarioReading = look_through(folder, collector, reject_bad_rows=True)
    files, day = reading.files, on or reading.service_date
    if not with_updates or day != reading.service_date:
        files = dataclasses.replace(files, timetable_updates=None)
    timetable = read_timetable(files, day, collector, disk_cache())
    if files.timetable is None and not collector.faults:
        reason, remedy = "the scenario has no timetable", "Name a GTFS feed as timetable."
        collector.add(Fault("MISSING_FILE", "scenario.toml", reason, remedy, field="files.timetable"))
    collector.raise_if_any()
    assert reading.scenario is not None  # what makes these None is a fault
    assert timetable is not None
    return reading.scenario, timetable


def _unknown_site(field: str, value: str, known: list[str]) -> list[Fault]:
    if value in known:
        return []
    near = nearest_name(value, known)
    remedy = f"Did you mean {near}?" if near else f"Use one of its {len(known)} ids, such as {known[0]}"
    return [Fault("UNKNOWN_SITE", "command line", "the scenario has no such site", remedy, field=field, value=value)]


def _table(found: Iterable[Connection], timetable: Timetable) -> list[str]:
    """Return the ways for people, the first to leave first."""
    rows = [("ready by", "there at", "changes", "buses")]
    for way in found:
        rides = (
            f"{timetable.lines[timetable.trip_by_id[ride.trip_id].line_id].name} {ride.trip_id} "
            f"{ride.from_site} {_clock(ride.departure_s)} - {ride.to_site} {_clock(ride.arrival_s)}"
            for ride in way.rides
        )
        rows.append((_clock(way.leave_s), _clock(way.arrive_s), str(way.n_transfers), ", then ".join(rides)))
    if len(rows) == 1:
        return ["no bus takes goods that way at that time"]
    return [f"{ready:>8}  {there:>8}  {changes:>7}  {buses}" for ready, there, changes, buses in rows]


def _changes(planned: Timetable, changed: Timetable) -> list[str]:
    """Return how a timetable differs from the plan: a line of counts, then a line a trip."""
    now: Mapping[str, object] = changed.trip_by_id
    gone = [trip.id for trip in planned.trips if trip.id not in now]
    other = [
        (trip.id, new)
        for trip in planned.trips
        if (new := changed.trip_by_id.get(trip.id)) is not None and new.calls != trip.calls
    ]
    lines = [f"{len(gone)} trips cancelled, {len(other)} changed, of {len(planned.trips)}"]
    lines += [f"  {trip_id}: cancelled" for trip_id in gone]
    for trip_id, new in other:
        old = planned.trip_by_id[trip_id]
        late_s = max(a.departure_s - b.departure_s for a, b in zip(new.calls, old.calls, strict=True))
        skipped = sum(
            (b.can_board or b.can_alight) and not (a.can_board or a.can_alight)
            for a, b in zip(new.calls, old.calls, strict=True)
        )
        lines.append(
            f"  {trip_id}: up to {math.ceil(late_s / 60)} min late" + (f", {skipped} stops skipped" * (skipped > 0))
        )
    return lines


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"
