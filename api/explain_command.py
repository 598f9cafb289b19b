"""``shanlu explain-leg``: why a leg takes what it takes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.terminal import EXIT_VIOLATIONS, console, disk_cache, errors, exit_codes
from geodata.errors import Fault, InputError, nearest_name

if TYPE_CHECKING:
    from routing.day import Day


def explain_leg(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    start: Annotated[str, typer.Argument(metavar="FROM", help="Id of the site or drop the leg starts at.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="Id of the site or drop the leg ends at.")],
    profile: Annotated[str, typer.Option(metavar="P", help="Travel profile, for example van_diesel or walker.")],
    geojson: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the way with its elevation profile.")
    ] = None,
) -> None:
    """Say why a leg takes what it takes: each road with length, climb, grade, curves, surface, seconds and Wh."""
    with exit_codes():
        # Imported late so that `shanlu --help` answers at once.
        from geodata.leg_explanation import NoLeg, explain_site_leg, leg_geojson, leg_text  # noqa: PLC0415
        from routing.day import read_day  # noqa: PLC0415

        day = read_day(folder, reject_bad_rows=True, cache=disk_cache())
        at = _coordinates(day)
        faults = [*_unknown("FROM", start, at, "UNKNOWN_SITE"), *_unknown("TO", end, at, "UNKNOWN_SITE")]
        faults += _unknown("--profile", profile, day.area.profiles, "UNKNOWN_PROFILE")
        if faults:
            raise InputError(faults)
        leg = explain_site_leg(day.area, at[start], at[end], day.area.profiles[profile])
        if isinstance(leg, NoLeg):
            errors.print(f"there is no leg: {leg.reason}")
            raise typer.Exit(EXIT_VIOLATIONS)
        console.print(leg_text(leg))
        if geojson is not None:
            geojson.write_text(json.dumps(leg_geojson(leg), ensure_ascii=False) + "\n", encoding="utf-8")
            console.print(f"written  {geojson}")


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
