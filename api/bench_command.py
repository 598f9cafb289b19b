"""``shanlu bench``: a published instance, or the travel matrix of an area, as one JSON line."""

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


def bench(
    family: Annotated[Family, typer.Argument(metavar="FAMILY", help="matrix: the travel matrix of an OSM extract.")],
    instance: Annotated[Path, typer.Argument(metavar="INSTANCE", help="File of the instance or extract.")],
    points: Annotated[int, typer.Option(min=2, metavar="N", help="matrix: random points of the largest part.")] = 500,
    terrain: Annotated[
        list[Path] | None, typer.Option(metavar="TILE", help="matrix: elevation tile; repeatable.  [default: level]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Random seed.")] = 1,
) -> None:
    """Measure and print one JSON line."""
    with exit_codes():
        from geodata.matrix_bench import bench_matrix  # noqa: PLC0415 - keeps `shanlu --help` quick

        result = bench_matrix(instance, points, seed, terrain=terrain or ())
        console.print(json.dumps({"family": family.value, **result.to_dict()}))
