"""The command line: ``shanlu demo | scenario | plan | check``.

Exit codes: 0 done (``check``: clean), 1 violations found, 2 input, file or argument at fault, 3 Shanlu made a plan that
breaks its own rules (a bug; nothing is written), 4 something outside is needed and absent, 130 interrupted before
there was any plan.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.progress import show_progress
from geodata.cache import Cache, default_cache_folder
from geodata.errors import CheckFailedError, Fault, InputError, PlanReadError, UnavailableError, nearest_name

if TYPE_CHECKING:
    from routing.pipeline import PlanOptions

app = typer.Typer(
    name="shanlu",
    help="Shanlu (山路) plans last-mile delivery in mountain counties over vans, drones, buses and couriers together.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

EXIT_VIOLATIONS = 1
EXIT_INPUT = 2
EXIT_BUG = 3
EXIT_UNAVAILABLE = 4
EXIT_INTERRUPTED = 130


class Lang(StrEnum):
    """Language of manifests and map."""

    EN = "en"
    ZH = "zh"


class Size(StrEnum):
    """Size of a synthetic county."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


TimeLimit = Annotated[float | None, typer.Option(min=0.1, help="Seconds of solving (default: the scenario's own).")]
MaxIterations = Annotated[int | None, typer.Option(min=0, help="Iterations of solving; makes the plan repeatable.")]
Seed = Annotated[int, typer.Option(min=0, help="Random seed.")]


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn Shanlu's errors into messages and exit codes."""
    try:
        yield
    except InputError as error:
        for fault in error.faults:
            errors.print(f"error: {fault}")
        if len(error.faults) > 1:
            errors.print(f"{len(error.faults)} faults in all.")
        raise typer.Exit(EXIT_INPUT) from None
    except PlanReadError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(EXIT_INPUT) from None
    except CheckFailedError as error:
        errors.print(f"bug: {error}")
        raise typer.Exit(EXIT_BUG) from None
    except UnavailableError as error:
        errors.print(f"error: {error}")
        raise typer.Exit(EXIT_UNAVAILABLE) from None
    except KeyboardInterrupt:
        errors.print("interrupted before there was a plan; nothing was written")
        raise typer.Exit(EXIT_INTERRUPTED) from None


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Yield a test for "the user pressed Ctrl-C"; a second Ctrl-C stops at once."""
    pressed = threading.Event()

    def on_interrupt(_signal: int, _frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()
        errors.print("\nstopping: the best plan so far is being checked and written (Ctrl-C again to drop it)")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _cache() -> Cache:
    return Cache(default_cache_folder())


def _plan(folder: Path, out: Path, options: PlanOptions) -> None:
    # Imported late so that `shanlu --help` answers at once.
    from api.summary import summary_table  # noqa: PLC0415
    from routing.pipeline import plan_deliveries  # noqa: PLC0415

    with _interruptible() as cancelled, show_progress(errors, options.time_limit_s) as progress:
        outcome = plan_deliveries(folder, out, options, progress, cancelled, _cache())
    console.print(summary_table(outcome))
    console.print(f"plan  {out / 'plan.json'}")
    console.print(f"map   {out / 'map.html'}  (open it in a browser; it needs no network)")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the plan; the scenario goes into its subfolder.")] = Path(
        "out/demo"
    ),
    time_limit: Annotated[float, typer.Option(min=0.1, help="Seconds of solving.")] = 40.0,
    seed: Seed = 1,
    lang: Annotated[Lang, typer.Option(help="Language of manifests and map.")] = Lang.EN,
) -> None:
    """Plan the day of Yunling, a synthetic county: scenario, plan, check and map."""
    from routing.generation.county import make_demo_scenario  # noqa: PLC0415
    from routing.pipeline import PlanOptions  # noqa: PLC0415

    with _exit_codes():
        errors.print("making the county of Yunling ...")
        make_demo_scenario(out / "scenario")
        _plan(out / "scenario", out, PlanOptions(time_limit_s=time_limit, seed=seed, lang=lang.value))


@app.command()
def scenario(
    area: Annotated[Path | None, typer.Argument(help="OSM extract (.osm.pbf or .osm).")] = None,
    out: Annotated[Path, typer.Option(help="Folder to make.")] = Path("out/scenario"),
    terrain: Annotated[
        list[Path] | None, typer.Option(help="Elevation tile (.hgt, .hgt.zip, .tif); repeatable.")
    ] = None,
    population: Annotated[Path | None, typer.Option(help="CSV of places with population (GeoNames columns).")] = None,
    orders: Annotated[int, typer.Option(min=0, help="Synthetic orders to make.")] = 400,
    seed: Seed = 1,
    place: Annotated[str | None, typer.Option(help="Download this place from OpenStreetMap instead of AREA.")] = None,
    synthetic: Annotated[Size | None, typer.Option(help="Make a county that does not exist but could.")] = None,
) -> None:
    """Make a complete scenario of an OSM extract, or of a county that does not exist."""
    with _exit_codes():
        _make_scenario(area, out, terrain or [], population, orders, seed, place, synthetic)
        console.print(f"scenario  {out}")
        console.print(f"next      shanlu plan {out}")


def _make_scenario(
    area: Path | None,
    out: Path,
    terrain: list[Path],
    population: Path | None,
    orders: int,
    seed: int,
    place: str | None,
    synthetic: Size | None,
) -> None:
    given = [name for name, value in (("AREA", area), ("--place", place), ("--synthetic", synthetic)) if value]
    if len(given) != 1:
        raise InputError([_one_source_fault(given)])
    if synthetic is not None:
        from routing.generation.county import make_synthetic_scenario  # noqa: PLC0415

        make_synthetic_scenario(synthetic.value, seed, out)
        return
    if not terrain:
        raise InputError([_no_terrain_fault()])
    from routing.generation.osm_scenario import make_osm_scenario  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        if place is not None:
            from geodata.osm_download import download_extract  # noqa: PLC0415

            area = Path(folder) / "area.osm"
            download_extract(place, area)
        if area is not None:
            make_osm_scenario(area, terrain, out, population=population, orders=orders, seed=seed, name=place)


def _one_source_fault(given: list[str]) -> Fault:
    return Fault(
        code="BAD_ARGUMENTS",
        file="command line",
        reason="no area given" if not given else f"{' and '.join(given)} exclude each other",
        remedy="Give one of: an OSM extract, --place NAME, --synthetic small|medium|large",
    )


def _no_terrain_fault() -> Fault:
    return Fault(
        code="TERRAIN_MISSING",
        file="command line",
        field="--terrain",
        reason="no elevation tile given",
        remedy="Give the tile that covers the area, for example --terrain N42E001.hgt.zip",
    )


@app.command()
def plan(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    out: Annotated[Path | None, typer.Option(help="Output folder (default: out/<scenario name>).")] = None,
    time_limit: TimeLimit = None,
    max_iterations: MaxIterations = None,
    seed: Seed = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes to solve with.")] = 1,
    only: Annotated[str, typer.Option(help="Carrier kinds to use: vehicle,drone,bus,courier (default: all).")] = "",
    reject_bad_rows: Annotated[
        bool, typer.Option("--reject-bad-rows", help="Plan the good order rows, list the bad.")
    ] = False,
    lang: Annotated[Lang, typer.Option(help="Language of manifests and map.")] = Lang.EN,
) -> None:
    """Plan the day of a scenario folder and write the checked plan."""
    from routing.pipeline import PlanOptions  # noqa: PLC0415

    with _exit_codes():
        options = PlanOptions(
            time_limit_s=time_limit,
            max_iterations=max_iterations,
            seed=seed,
            workers=workers,
            only=_kinds(only),
            reject_bad_rows=reject_bad_rows,
            lang=lang.value,
        )
        _plan(folder, out or Path("out") / folder.resolve().name, options)


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


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario folder.")],
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json", help="Plan to judge.")],
) -> None:
    """Judge a plan against its scenario: exit 0 clean, 1 violations (listed), 2 unreadable."""
    from routing.checker import check_plan  # noqa: PLC0415
    from routing.plan_io import read_plan  # noqa: PLC0415

    with _exit_codes():
        report = check_plan(folder, read_plan(plan_file), cache=_cache())
    for violation in report.violations:
        console.print(str(violation), markup=False)
    if not report.is_clean:
        console.print(f"{len(report.violations)} violations")
        raise typer.Exit(EXIT_VIOLATIONS)
    console.print("clean: no rule is broken")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
