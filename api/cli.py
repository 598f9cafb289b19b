"""The command line: every command of Shanlu; exit codes are in `api.terminal`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.access_command import access
from api.bench_command import bench
from api.explain_command import explain_leg
from api.interrupt import Interrupt
from api.progress import show_progress
from api.service_commands import keys, serve, worker
from api.site_command import site
from api.terminal import EXIT_INPUT, EXIT_INTERRUPTED, EXIT_VIOLATIONS, console, disk_cache, errors, exit_codes
from api.timetable_commands import connections, realtime
from geodata.errors import Fault, InputError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from routing.pipeline import PlanOptions, Status
    from routing.scenario import Scenario

app = typer.Typer(
    name="shanlu",
    help="Shanlu (山路) plans last-mile delivery in mountain counties over vans, drones, buses and couriers together.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
DEFAULT_ORDERS = 400
"""Orders of a scenario made of a map."""


class Lang(StrEnum):
    """Language of manifests and map."""

    EN = "en"
    ZH = "zh"


class Size(StrEnum):
    """Size of a synthetic county."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


TimeLimit = Annotated[
    float | None, typer.Option(min=0.1, metavar="S", help="Seconds of searching.  [default: the scenario's]")
]
MaxIterations = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Iterations of searching; makes the plan repeatable.")
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Random seed.")]
PlanSeed = Annotated[int | None, typer.Option(min=0, metavar="N", help="Random seed.  [default: the scenario's]")]


def _plan(
    folder: Path,
    out: Path | Callable[[Scenario], Path],
    options: PlanOptions,
    workers: int | None = None,
    cluster: str | None = None,
) -> None:
    # Imported late so that `shanlu --help` answers at once.
    from api.executors import helpers_of  # noqa: PLC0415
    from api.summary import summary_lines  # noqa: PLC0415
    from routing.pipeline import plan_deliveries  # noqa: PLC0415

    interrupt = Interrupt(errors.print)
    with helpers_of(workers, cluster) as helpers, interrupt.handled(), show_progress(errors) as show:

        def progress(status: Status) -> None:
            interrupt.watch(status)
            show(status)

        outcome = plan_deliveries(folder, out, options, progress, interrupt.is_pressed, disk_cache(), helpers)
    for line in summary_lines(outcome):
        console.print(line)
    if outcome.out is not None:
        console.print(f"plan  {outcome.out / 'plan.json'}")
        console.print(f"map   {outcome.out / 'map.html'}  (open it in a browser; it needs no network)")


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"shanlu {version('shanlu')}")
        raise typer.Exit


@app.callback()
def top(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Show the help where no command is given."""
    if context.invoked_subcommand is None:
        console.print(context.get_help())


@app.command(short_help="Plan the bundled synthetic county: scenario, plan, map.")
def demo(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the plan; the scenario goes into its subfolder.")
    ] = Path("out/demo"),
    time_limit: Annotated[float, typer.Option(min=0.1, metavar="S", help="Seconds of searching.")] = 40.0,
    max_iterations: MaxIterations = None,
    seed: Seed = 1,
    lang: Annotated[Lang, typer.Option(help="Language of manifests and map.")] = Lang.EN,
) -> None:
    """Plan the day of Yunling, a synthetic county: scenario, plan, check and map."""
    with exit_codes():
        from routing.generation.county import make_demo_scenario  # noqa: PLC0415
        from routing.pipeline import PlanOptions  # noqa: PLC0415

        errors.print("making the county of Yunling ...")
        make_demo_scenario(out / "scenario")
        limit_s = time_limit if max_iterations is None else None
        _plan(out / "scenario", out, PlanOptions(limit_s, max_iterations, seed, lang=lang.value))


@app.command(short_help="Make a scenario of a map, or of a synthetic county.")
def scenario(
    area: Annotated[Path | None, typer.Argument(metavar="AREA", help="OSM extract (.osm.pbf or .osm).")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to make.")] = Path("out/scenario"),
    terrain: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Elevation tile (.hgt, .hgt.zip, .tif); repeatable.")
    ] = None,
    population: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of places with population (GeoNames columns).")
    ] = None,
    orders: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help=f"Synthetic orders to make.  [default: {DEFAULT_ORDERS}, or the county's]"
        ),
    ] = None,
    seed: Seed = 1,
    place: Annotated[
        str | None, typer.Option(metavar="NAME", help="Download this place from OpenStreetMap instead of AREA.")
    ] = None,
    synthetic: Annotated[Size | None, typer.Option(help="Make a county that does not exist but could.")] = None,
) -> None:
    """Make a complete scenario of an OSM extract, or of a county that does not exist."""
    with exit_codes():
        _refuse_odd_arguments(area, terrain or [], population, place, synthetic)
        if synthetic is not None:
            from routing.generation.county import make_synthetic_scenario  # noqa: PLC0415

            make_synthetic_scenario(synthetic.value, seed, out, orders=orders)
        else:
            _make_osm_scenario(area, out, terrain or [], population, orders, seed, place)
        console.print(f"scenario  {out}")
        console.print(f"next      shanlu plan {out}")


def _make_osm_scenario(
    area: Path | None,
    out: Path,
    terrain: list[Path],
    population: Path | None,
    orders: int | None,
    seed: int,
    place: str | None,
) -> None:
    from routing.generation.osm_scenario import make_osm_scenario  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        if place is not None:
            from geodata.osm_download import download_extract  # noqa: PLC0415

            area = Path(folder) / "area.osm"
            download_extract(place, area)
        assert area is not None  # refused before
        count = DEFAULT_ORDERS if orders is None else orders
        make_osm_scenario(area, terrain, out, population=population, orders=count, seed=seed, name=place)


def _refuse_odd_arguments(
    area: Path | None, terrain: list[Path], population: Path | None, place: str | None, synthetic: Size | None
) -> None:
    """Raise if there is not exactly one source, or an option does not go with it."""
    sources = {"AREA": area, "--place": place, "--synthetic": synthetic}
    given = [name for name, value in sources.items() if value]
    unused = {"--terrain": terrain, "--population": population} if synthetic else {}
    faults = []
    if not given:
        faults.append(_argument_fault("no area given", "Give an OSM extract, --place NAME or --synthetic SIZE"))
    elif len(given) > 1:
        faults.append(_argument_fault(f"{' and '.join(given)} exclude each other", "Give one of them"))
    elif not synthetic and not terrain:
        faults.append(_no_terrain_fault())
    faults += [
        _argument_fault(f"a synthetic county needs no {name}", "Leave it out", name)
        for name, value in unused.items()
        if value
    ]
    if faults:
        raise InputError(faults)


def _argument_fault(reason: str, remedy: str, field: str | None = None) -> Fault:
    return Fault("BAD_ARGUMENTS", "command line", reason, remedy, field=field)


def _no_terrain_fault() -> Fault:
    return Fault(
        code="TERRAIN_MISSING",
        file="command line",
        field="--terrain",
        reason="no elevation tile given",
        remedy="Give the tile that covers the area, for example --terrain N42E001.hgt.zip",
    )


@app.command(short_help="Plan the day of a scenario.")
def plan(  # noqa: PLR0917 - the options of a command
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Output folder.  [default: out/<name of the scenario>]")
    ] = None,
    time_limit: TimeLimit = None,
    max_iterations: MaxIterations = None,
    seed: PlanSeed = None,
    only: Annotated[
        str, typer.Option(metavar="KIND,...", help="Carriers to use: vehicle, drone, bus, courier.  [default: all]")
    ] = "",
    reject_bad_rows: Annotated[
        bool, typer.Option("--reject-bad-rows", help="Plan the good order rows, list the bad.")
    ] = False,
    lang: Annotated[Lang, typer.Option(help="Language of manifests and map.")] = Lang.EN,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=256, help="Processes that search, parts of the plan side by side."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler that searches as well, e.g. tcp://host:8786.")
    ] = None,
) -> None:
    """Plan the day of a scenario folder and write the checked plan.

    With --only vehicle, road vehicles drive from door to door without transfer.
    """
    with exit_codes():
        from routing.pipeline import PlanOptions  # noqa: PLC0415

        options = PlanOptions(
            time_limit_s=time_limit,
            max_iterations=max_iterations,
            seed=seed,
            only=_kinds(only),
            reject_bad_rows=reject_bad_rows,
            lang=lang.value,
        )
        _plan(folder, out or (lambda read: Path("out") / read.name), options, workers, cluster)


def _kinds(only: str) -> tuple[str, ...]:
    known = ("vehicle", "drone", "bus", "courier")
    kinds = tuple(part.strip() for part in only.split(",") if part.strip())
    faults = [
        Fault(
            code="UNKNOWN_CHOICE",
            file="command line",
            field="--only",
            value=kind,
            reason="no such kind of carrier",
            remedy=f"Use one or more of {', '.join(known)}" + (f"; did you mean {near}?" if near else ""),
        )
        for kind in kinds
        if kind not in known
        for near in (nearest_name(kind, known),)
    ]
    if faults:
        raise InputError(faults)
    return tuple(kind for kind in known if kind in kinds)


@app.command(short_help="Judge a plan against its scenario.")
def check(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="Plan to judge.")],
) -> None:
    """Judge a plan against its scenario: exit 0 clean, 1 violations (listed), 2 unreadable."""
    with exit_codes():
        from routing.checker import check_plan  # noqa: PLC0415
        from routing.plan_io import read_plan  # noqa: PLC0415

        report = check_plan(folder, read_plan(plan_file), cache=disk_cache())
    for violation in report.violations:
        console.print(str(violation))
    if not report.is_clean:
        count = len(report.violations)
        console.print(f"{count} violation{'s' if count > 1 else ''}")
        raise typer.Exit(EXIT_VIOLATIONS)
    console.print("clean: no rule is broken")


app.command(short_help="Say how each site is tied to the roads.")(access)
app.command("explain-leg", short_help="Say why a leg takes what it takes.")(explain_leg)
app.command(short_help="List the buses that take goods from site to site.")(connections)
app.command(short_help="Apply delays and cancelled trips to the timetable.")(realtime)
app.command(short_help="Say where pickup points should be.")(site)
app.command(short_help="Measure travel matrices and siting.")(bench)
app.command(short_help="Serve the API, with workers.")(serve)
app.command(short_help="Take jobs of a service from its database.")(worker)
app.add_typer(keys, name="keys", short_help="Who may use the service.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; wrong arguments give one line."""
    try:
        code = app(args=arguments, prog_name="shanlu", standalone_mode=False)
    except typer.Abort:
        return EXIT_INTERRUPTED
    except Exception as error:
        tell = getattr(error, "format_message", None)  # only the parser's own errors have it
        if tell is None:
            raise
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "shanlu"
        errors.print(f"error: {' '.join(tell().split())} (see {command} --help)")
        return EXIT_INPUT
    return int(code or 0)


if __name__ == "__main__":
    sys.exit(main())
