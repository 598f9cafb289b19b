"""``shanlu access``: how each site is tied to the roads, which profile cannot get there, and what to mend."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.terminal import console, disk_cache, exit_codes
from geodata.errors import Fault, InputError, nearest_name

if TYPE_CHECKING:
    from geodata.profiles import Profile
    from routing.day import Day


def access(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    profile: Annotated[
        list[str] | None, typer.Option(metavar="P", help="Travel profile; repeatable.  [default: those of the fleet]")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write a row for each site and profile.")
    ] = None,
) -> None:
    """Say how each site is tied to the roads: distance, which profile cannot get there and why, and what to mend."""
    with exit_codes():
        # Imported late so that `shanlu --help` answers at once.
        from geodata.site_access import ACCESS_COLUMNS, access_rows, access_text, site_access  # noqa: PLC0415
        from routing.builder import working_hours  # noqa: PLC0415
        from routing.day import read_day  # noqa: PLC0415

        day = read_day(folder, reject_bad_rows=True, cache=disk_cache())
        chosen = _chosen(day, profile or [])
        hours_s = working_hours(day.scenario)
        closed = {one.key: day.area.closed_today(one, *hours_s) for one in chosen}
        report = site_access(day.area.streets, day.scenario.sites, chosen, closed)
        console.print(access_text(report))
        if table is not None:
            with table.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([ACCESS_COLUMNS, *access_rows(report)])
            console.print(f"written  {table}")


def _chosen(day: Day, names: list[str]) -> list[Profile]:
    """Return the profiles asked for, or those of the fleet within the limits of its vehicles."""
    from routing.builder import effective_profile  # noqa: PLC0415

    known = day.area.profiles
    faults = [
        Fault(
            code="UNKNOWN_PROFILE",
            file="command line",
            field="--profile",
            value=name,
            reason="there is no such travel profile",
            remedy=f"Did you mean {near}?" if near else f"Use one of {', '.join(known)}",
        )
        for name in names
        if name not in known
        for near in (nearest_name(name, known),)
    ]
    if faults:
        raise InputError(faults)
    if names:
        return [known[name] for name in names]
    types = (
        day.scenario.vehicle_types[stand.type]
        for stand in day.scenario.stands
        if stand.type in day.scenario.vehicle_types
    )
    fleet = {profile.key: profile for profile in (effective_profile(one, known) for one in types)}
    return [fleet[key] for key in sorted(fleet)]
