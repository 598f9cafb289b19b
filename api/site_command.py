"""``shanlu site``: where pickup points should be. Registered on the command line by `api.cli`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from api.terminal import console, disk_cache, errors, exit_codes

if TYPE_CHECKING:
    from routing.siting.outcome import SiteOutcome


class Goal(StrEnum):
    """What is made least."""

    MEAN = "mean"
    TAIL = "tail"
    CENTRE = "centre"


class Over(StrEnum):
    """How several scenarios count."""

    MEAN = "mean"
    WORST = "worst"


def site(  # noqa: PLR0917 - the command line reads its options off the parameters
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    open_n: Annotated[int | None, typer.Option("--open", min=1, help="How many points to open.")] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Money for opening, in whole units of the currency.")
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(min=0.1, help="Minutes on foot; alone: the fewest points that bring everyone within."),
    ] = None,
    goal: Annotated[
        Goal, typer.Option(help="Least: mean minutes, those of the worst-off 5 %, or the farthest.")
    ] = Goal.MEAN,
    years: Annotated[str, typer.Option(help="Points to open year by year, for example 3,3,4.")] = "",
    capacities: Annotated[bool, typer.Option("--capacities", help="Points hold no more than their capacity.")] = False,
    kind: Annotated[list[str] | None, typer.Option(help="Kind of point that may open; repeatable.")] = None,
    kinds_file: Annotated[Path | None, typer.Option(help="TOML file of kinds instead of the shipped ones.")] = None,
    demand: Annotated[str, typer.Option(help="sites, places (of the map), or a table of settlements.")] = "sites",
    candidates: Annotated[
        list[str] | None, typer.Option(help="sites, bus-stops, or a table of points; repeatable.")
    ] = None,
    force_open: Annotated[list[str] | None, typer.Option(help="Id of a point to open in any case; repeatable.")] = None,
    force_closed: Annotated[list[str] | None, typer.Option(help="Id of a point to keep closed; repeatable.")] = None,
    closable: Annotated[bool, typer.Option("--closable", help="Existing points may be given up.")] = False,
    reach: Annotated[float, typer.Option(min=1, help="Longest walk expected of anyone, minutes.")] = 60.0,
    profile: Annotated[
        str, typer.Option(help="How people go: a travel profile, for example walker or emoto.")
    ] = "walker",
    closure: Annotated[
        list[Path] | None, typer.Option(help="Closed roads as a scenario of its own; repeatable.")
    ] = None,
    lost_line: Annotated[list[str] | None, typer.Option(help="Bus line lost, as a scenario; repeatable.")] = None,
    over: Annotated[Over, typer.Option(help="With scenarios: their mean counts, or the worst.")] = Over.MEAN,
    days: Annotated[int, typer.Option(min=0, help="Typical days to plan on each set; 0: none.")] = 0,
    iterations: Annotated[int, typer.Option(min=0, help="Effort of each of those plans.")] = 40,
    why: Annotated[list[str] | None, typer.Option(help="Id of a place to price in any case; repeatable.")] = None,
    gap: Annotated[float, typer.Option(min=0, help="Relative gap at which the search may stop.")] = 0.0,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds for each question.")] = 60.0,
    front_time: Annotated[float, typer.Option(min=1, help="Seconds for the front.")] = 300.0,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    zh: Annotated[bool, typer.Option("--zh", help="Open the map in Chinese.")] = False,
    out: Annotated[Path | None, typer.Option(help="Output folder (default: out/<scenario name>-siting).")] = None,
) -> None:
    """Answer where pickup points should be, with proof, prices and a map."""
    with exit_codes():
        # Imported late so that `shanlu --help` answers at once.
        from routing.siting.outcome import SiteRequest  # noqa: PLC0415
        from routing.siting.pipeline import site_points  # noqa: PLC0415
        from routing.siting.study import Aim  # noqa: PLC0415

        aim = Aim(
            open_n=open_n,
            budget=None if budget is None else budget * 100.0,
            within_min=within,
            goal=goal.value,
            capacities=capacities,
            closable=closable,
            must_open=tuple(force_open or ()),
            closed=tuple(force_closed or ()),
            years=_years(years),
            over=over.value,
            reach_min=reach,
            gap=gap,
            time_limit_s=time_limit,
        )
        request = SiteRequest(
            aim=aim,
            demand=demand,
            candidates=tuple(candidates or ("sites",)),
            kinds=tuple(kind or ()),
            kinds_file=kinds_file,
            profile=profile,
            closures=tuple(closure or ()),
            lost_lines=tuple(lost_line or ()),
            days=days,
            plan_iterations=iterations,
            front_time_limit_s=front_time,
            why=tuple(why or ()),
            seed=seed,
            lang="zh" if zh else "en",
        )
        target = out or Path("out") / f"{folder.resolve().name}-siting"
        outcome = site_points(folder, target, request, errors.print, disk_cache())
        console.print(_summary(outcome))
        console.print(f"report  {target / 'report.json'}")
        console.print(f"map     {target / 'map.html'}  (open it in a browser; it needs no network)")


def _years(text: str) -> tuple[int, ...]:
    from geodata.errors import Fault, InputError  # noqa: PLC0415

    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdigit() for part in parts):
        reason, remedy = "the years are no list of whole numbers", "Write for example 3,3,4."
        raise InputError([Fault("NOT_WHOLE", "command line", reason, remedy, field="--years", value=text)])
    return tuple(int(part) for part in parts)


def _summary(outcome: SiteOutcome) -> Table:
    from routing.siting.study import figures_of  # noqa: PLC0415

    answer = outcome.answer
    figures = figures_of(outcome.study, outcome.request.aim, answer)
    table = Table(box=None, show_header=False, pad_edge=False)
    proof = "proven optimal" if answer.proven else f"bound {answer.bound:.4g}, gap {answer.gap:.2%}"
    table.add_row(answer.measure, f"{answer.value:.4g} ({proof})")
    table.add_row("points opened", f"{figures.opened}, for {figures.investment / 100:,.0f} {outcome.scenario.currency}")
    table.add_row("mean walk", f"{figures.mean_min:.1f} min; the elderly {figures.elderly_mean_min:.1f} min")
    table.add_row("worst-off 5 %", f"{figures.worst_min:.1f} min; the farthest {figures.farthest_min:.1f} min")
    for limit, people in figures.people_within:
        table.add_row(f"within {limit:g} min", f"{people:,.0f} of {figures.people:,.0f} people")
    table.add_row("beyond reach", f"{len(outcome.beyond)} settlements, with a fallback each")
    members = outcome.front.members
    table.add_row("front", f"{len(members)} sets of {len(outcome.front.archive)} judged")
    places = [outcome.study.candidates[site].name for site, _ in answer.chosen[-1]]
    table.add_row("open", ", ".join(places[:40]) + (" ..." if len(places) > 40 else ""))
    return table
