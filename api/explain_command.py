"""``shanlu explain-leg``: why a leg takes what it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from api.terminal import EXIT_VIOLATIONS, console, disk_cache, errors, exit_codes
from geodata.errors import Fault, InputError, nearest_name

if TYPE_CHECKING:
    from geodata.leg_explanation import LegExplanation
    from routing.day import Day

_CLOCK = re.compile(r"([0-6]?\d|7[01]):([0-5]\d)")


def explain_leg(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    start: Annotated[str, typer.Argument(metavar="FROM", help="Id of the site or drop the leg starts at.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="Id of the site or drop the leg ends at.")],
    profile: Annotated[str, typer.Option(metavar="P", help="Travel profile, for example van_diesel or walker.")],
    geojson: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the way with its elevation profile.")
    ] = None,
    depart: Annotated[
        str | None,
        typer.Option(
            metavar="HH:MM", help="Also say when it arrives that leaves then, by the hour's weather and light."
        ),
    ] = None,
    load_kg: Annotated[
        float | None,
        typer.Option(metavar="KG", min=0.0, help="Goods aboard, for the energy; else the profile's usual load."),
    ] = None,
) -> None:
    """Say why a leg takes what it takes: each road with length, climb, grade, curves, surface, seconds and Wh."""
    with exit_codes():
        # Imported late so that `shanlu --help` answers at once.
        from geodata.leg_explanation import NoLeg, explain_site_leg, leg_geojson, leg_text  # noqa: PLC0415
        from routing.builder import working_hours  # noqa: PLC0415
        from routing.day import read_day  # noqa: PLC0415

        day = read_day(folder, reject_bad_rows=True, cache=disk_cache())
        at = _coordinates(day)
        faults = [*_unknown("FROM", start, at, "UNKNOWN_SITE"), *_unknown("TO", end, at, "UNKNOWN_SITE")]
        faults += _unknown("--profile", profile, day.area.profiles, "UNKNOWN_PROFILE")
        leaves_s = _seconds(depart, faults)
        if faults:
            raise InputError(faults)
        hours_s = working_hours(day.scenario)
        leg = explain_site_leg(day.area, at[start], at[end], day.area.profiles[profile], hours_s, load_kg=load_kg)
        if isinstance(leg, NoLeg):
            errors.print(f"there is no leg: {leg.reason}")
            raise typer.Exit(EXIT_VIOLATIONS)
        console.print(leg_text(leg))
        if leaves_s is not None:
            console.print(_by_the_hour(day, leg, leaves_s))
        if geojson is not None:
            geojson.write_text(json.dumps(leg_geojson(leg), ensure_ascii=False) + "\n", encoding="utf-8")
            console.print(f"written  {geojson}")


def _seconds(depart: str | None, faults: list[Fault]) -> int | None:
    """Return the seconds after midnight of a time of day; what is none becomes a fault."""
    if depart is None:
        return None
    clock = _CLOCK.fullmatch(depart)
    if clock is None:
        faults.append(
            Fault("BAD_TIME", "command line", "no time of day", "Give HH:MM.", field="--depart", value=depart)
        )
        return None
    return int(clock[1]) * 3600 + int(clock[2]) * 60


def _by_the_hour(day: Day, leg: LegExplanation, leaves_s: int) -> str:
    """Return a line that says when the leg arrives, and how slow the roads are in the hour it leaves."""
    from geodata.road_weather import road_clock  # noqa: PLC0415 # as above
    from geodata.travel_clock import HOUR_S  # noqa: PLC0415

    area, scenario = day.area, day.scenario
    profile, timezone = area.profiles[leg.profile_id], ZoneInfo(scenario.timezone)
    clock = road_clock(profile, area.streets, area.weather, scenario.service_date, timezone)
    arrives_s = leaves_s + leg.duration_s if clock is None else clock.arrival_s(leaves_s, leg.duration_s)
    share = 1.0 if clock is None else clock.factors[leaves_s // HOUR_S]
    leaves, arrives = (
        f"{time_s // 3600:02d}:{time_s // 60 % 60:02d}:{time_s % 60:02d}" for time_s in (leaves_s, arrives_s)
    )
    return (
        f"\nleaving at {leaves} it arrives at {arrives}, {arrives_s - leaves_s - leg.duration_s} s later than on a dry "
        f"day in daylight (roads at {100 * share:.0f} % of their speed in that hour)"
    )


def _coordinates(day: Day) -> dict[str, tuple[float, float]]:
    return {site.id: (site.lon, site.lat) for site in day.scenario.sites} | dict(day.scenario.drops)


def _unknown(field: str, value: str, known: Iterable[str], code: str) -> list[Fault]:
    names = list(known)
    if value in names:
        return []
    near = nearest_name(value, names)
    return [
        Fault(
            code=code,
            file="command line",
            field=field,
            value=value,
            reason="the scenario has no such id",
            remedy=f"Did you mean {near}?" if near else f"Use one of its {len(names)} ids, such as {names[0]}",
        )
    ]
