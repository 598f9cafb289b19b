"""``shanlu bench``: a published instance of routes or siting, or the travel matrix of an area, as one JSON line."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from api.executors import helpers_of
from api.terminal import console, errors, exit_codes, stray_output_aside
from geodata.errors import Fault, InputError

if TYPE_CHECKING:
    from routing.solver.parallel import Helpers

_SITING_LIMIT_S, _ROUTES_LIMIT_S = 300.0, 30.0


class Family(StrEnum):
    """What can be measured."""

    MATRIX = "matrix"
    PMED = "pmed"
    PMEDCAP = "pmedcap"
    CAP = "cap"
    VRPTW = "vrptw"
    MTVRPTWR = "mtvrptwr"
    PDPTW = "pdptw"
    TWO_ECHELON = "2ecvrptw"
    THREE_TIER = "3tdppt"


_SITING = (Family.PMED, Family.PMEDCAP, Family.CAP)


def bench(
    family: Annotated[
        Family,
        typer.Argument(
            metavar="FAMILY",
            help="matrix: the travel matrix of an OSM extract; pmed, pmedcap, cap: published siting instances; "
            "vrptw, mtvrptwr, pdptw, 2ecvrptw, 3tdppt: published instances of routes.",
        ),
    ],
    instance: Annotated[
        Path | None, typer.Argument(metavar="[INSTANCE]", help="File of the instance or extract.", show_default=False)
    ] = None,
    all_of: Annotated[
        Path | None,
        typer.Option("--all", metavar="FOLDER", help="Routes: every instance below a folder, as a table."),
    ] = None,
    points: Annotated[int, typer.Option(min=2, metavar="N", help="matrix: random points of the largest part.")] = 500,
    terrain: Annotated[
        list[Path] | None, typer.Option(metavar="TILE", help="matrix: elevation tile; repeatable.  [default: level]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="matrix, routes: random seed.")] = 1,
    time_limit: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="S", help="Seconds for one instance.  [default: 300 for siting, 30 for routes]"),
    ] = None,
    capacity: Annotated[
        float | None, typer.Option(min=0, metavar="Q", help="cap: capacity of each site where the file leaves it open.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Routes: searches at once, with other seeds.")
    ] = 1,
) -> None:
    """Measure and print one JSON line, or a table with --all."""
    with exit_codes(), helpers_of(workers, None) as helpers:
        # Imported late so that `shanlu --help` answers at once.
        if all_of is not None:
            _bench_folder(family, all_of, time_limit or _ROUTES_LIMIT_S, seed, helpers)
            return
        if instance is None:
            raise InputError([_no_instance()])
        if family is Family.MATRIX:
            from geodata.matrix_bench import bench_matrix  # noqa: PLC0415

            figures = {"family": family.value, **bench_matrix(instance, points, seed, terrain=terrain or ()).to_dict()}
        elif family in _SITING:
            from routing.siting.instances import bench_siting  # noqa: PLC0415

            limit_s = time_limit or _SITING_LIMIT_S
            figures = bench_siting(family.value, instance, time_limit_s=limit_s, capacity=capacity)
        else:
            from routing.instances.bench import bench_instance  # noqa: PLC0415

            limit_s = time_limit or _ROUTES_LIMIT_S
            with stray_output_aside():
                figures = bench_instance(family.value, instance, time_limit_s=limit_s, seed=seed, helpers=helpers)
        console.print(json.dumps(figures))


def _bench_folder(family: Family, folder: Path, time_limit_s: float, seed: int, helpers: Helpers | None) -> None:
    """Solve every instance below a folder; a line a piece while they run, then the table."""
    if family is Family.MATRIX or family in _SITING:
        raise InputError([_only_routes(family)])
    from routing.instances.bench import bench_instance, instances_below  # noqa: PLC0415

    rows = []
    for path in instances_below(family.value, folder):
        with stray_output_aside():
            rows.append(bench_instance(family.value, path, time_limit_s=time_limit_s, seed=seed, helpers=helpers))
        errors.print(json.dumps(rows[-1]))
    table = Table(title=f"{family.value}, {time_limit_s:g} s each, seed {seed}")
    names = ("instance", "objective", "best_known", "gap_pct", "vehicles", "feasible", "wall_s", "cpu_s")
    for name in names:
        table.add_column(name, justify="left" if name == "instance" else "right", overflow="fold")
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in names))
    gaps = [float(str(row["gap_pct"])) for row in rows if row["gap_pct"] is not None]
    console.print(table)
    if gaps:
        console.print(f"mean gap of {len(gaps)}: {sum(gaps) / len(gaps):.4f} %")


def _no_instance() -> Fault:
    remedy = "Give the file of an instance, or --all with a folder"
    return Fault("BAD_ARGUMENTS", "command line", "there is nothing to measure", remedy, field="INSTANCE")


def _only_routes(family: Family) -> Fault:
    remedy = "Use it with vrptw, mtvrptwr, pdptw, 2ecvrptw or 3tdppt, or give one file"
    return Fault("BAD_ARGUMENTS", "command line", "--all measures routes", remedy, field="--all", value=family.value)
