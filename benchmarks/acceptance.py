"""Scenario, plan and check over many areas: whether every plan comes out clean.

``python -m benchmarks.acceptance synthetic small --seeds 1-10`` makes synthetic counties,
``python -m benchmarks.acceptance extract AREA.osm.pbf --terrain TILE --orders 200,400,800`` takes an extract.
Each row is one area through the same functions as the command line; the table goes to standard output as Markdown.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from geodata.errors import ShanluError
from routing.generation.county import make_synthetic_scenario
from routing.generation.osm_scenario import make_osm_scenario
from routing.pipeline import Outcome, PlanOptions, plan_deliveries

Make = Callable[[Path], None]
HEADER = (
    "| area | orders | served | unassigned | cost | checker | scenario s | plan s | peak MB |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Run the rows asked for on the command line."""
    arguments = _parse()
    print(HEADER, flush=True)
    for label, make in _areas(arguments):
        with tempfile.TemporaryDirectory() as folder:
            print(_row(label, make, Path(folder) / "scenario", arguments.time_limit), flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    synthetic = kinds.add_parser("synthetic")
    synthetic.add_argument("size", choices=("small", "medium", "large"))
    extract = kinds.add_parser("extract")
    extract.add_argument("area", type=Path)
    extract.add_argument("--terrain", type=Path, action="append", required=True)
    extract.add_argument("--population", type=Path)
    extract.add_argument("--orders", default="400")
    for kind in (synthetic, extract):
        kind.add_argument("--seeds", default="1-10")
        kind.add_argument("--time-limit", type=float, default=20.0)
    return parser.parse_args()


def _areas(arguments: argparse.Namespace) -> Iterator[tuple[str, Make]]:
    first, _, last = arguments.seeds.partition("-")
    for seed in range(int(first), int(last or first) + 1):
        if arguments.kind == "synthetic":
            yield f"{arguments.size} {seed}", lambda out, seed=seed: make_synthetic_scenario(arguments.size, seed, out)
            continue
        for orders in map(int, arguments.orders.split(",")):
            yield (
                f"{arguments.area.stem} seed {seed}, {orders} orders",
                lambda out, seed=seed, orders=orders: make_osm_scenario(
                    arguments.area, arguments.terrain, out, population=arguments.population, orders=orders, seed=seed
                ),
            )


def _row(label: str, make: Make, folder: Path, time_limit_s: float) -> str:
    start = time.perf_counter()
    try:
        make(folder)
        made = time.perf_counter()
        outcome = plan_deliveries(folder, None, PlanOptions(time_limit_s=time_limit_s))
    except ShanluError as error:
        return f"| {label} | - | - | - | - | FAILED: {str(error).splitlines()[0]} | - | - | - |"
    return _figures(label, outcome, made - start, time.perf_counter() - made)


def _figures(label: str, outcome: Outcome, scenario_s: float, plan_s: float) -> str:
    document = outcome.document
    served, unassigned = len(document.orders), len(document.unassigned)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cost = f"{document.objective.total / 100:,.0f}"
    verdict = "clean" if outcome.report.is_clean else f"{len(outcome.report.violations)} violations"
    return (
        f"| {label} | {served + unassigned} | {served} | {unassigned} | {cost} | {verdict} "
        f"| {scenario_s:.1f} | {plan_s:.1f} | {peak_mb:.0f} |"
    )


if __name__ == "__main__":
    main()
