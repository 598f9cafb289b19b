"""``shanlu bench``: a published siting instance, or the travel matrix of an area, as one JSON line."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.terminal import console, exit_codes


class Family(StrEnum):
    """What can be measured."""

    MATRIX = "matrix"
    PMED = "pmed"
    PMEDCAP = "pmedcap"
    CAP = "cap"


def bench(
    family: Annotated[
        Family,
        typer.Argument(
            metavar="FAMILY",
            help="matrix: the travel matrix of an OSM extract; pmed, pmedcap, cap: published siting instances.",
        ),
    ],
    instance: Annotated[Path, typer.Argument(metavar="INSTANCE", help="File of the instance or extract.")],
    points: Annotated[int, typer.Option(min=2, metavar="N", help="matrix: random points of the largest part.")] = 500,
    terrain: Annotated[
        list[Path] | None, typer.Option(metavar="TILE", help="matrix: elevation tile; repeatable.  [default: level]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="matrix: random seed of the points.")] = 1,
    time_limit: Annotated[float, typer.Option(min=0.1, metavar="S", help="pmed, pmedcap, cap: seconds.")] = 300.0,
    capacity: Annotated[
        float | None, typer.Option(min=0, metavar="Q", help="cap: capacity of each site where the file leaves it open.")
    ] = None,
) -> None:
    """Measure and print one JSON line."""
    with exit_codes():
        # Imported late so that `shanlu --help` answers at once.
        if family is Family.MATRIX:
            from geodata.matrix_bench import bench_matrix  # noqa: PLC0415

            figures = {"family": family.value, **bench_matrix(instance, points, seed, terrain=terrain or ()).to_dict()}
        else:
            from routing.siting.instances import bench_siting  # noqa: PLC0415

            figures = bench_siting(family.value, instance, time_limit_s=time_limit, capacity=capacity)
        console.print(json.dumps(figures))
