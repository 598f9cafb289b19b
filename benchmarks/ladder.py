"""Which carriers earn their place: the same day planned with more and more kinds of them, at equal effort.

``python -m benchmarks.ladder SCENARIO --time-limit 40 --seeds 1-3`` plans the orders that some road vehicle can carry
from door to door (the others are counted and left out, so that vans alone have a fair task) and prints one row for each
set of kinds, the mean over the seeds. The last row is the whole day with all kinds.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
from pathlib import Path
from statistics import mean

from geodata.cache import Cache, default_cache_folder
from routing.pipeline import Outcome, PlanOptions, plan_deliveries

STEPS: tuple[tuple[str, ...], ...] = (
    ("vehicle",),
    ("vehicle", "courier"),
    ("vehicle", "bus"),
    ("vehicle", "bus", "courier"),
    ("vehicle", "drone", "bus", "courier"),
)
ALL_KINDS = STEPS[-1]


def main() -> None:
    """Run the ladder asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--time-limit", type=float, default=40.0)
    parser.add_argument("--seeds", default="1-3")
    arguments = parser.parse_args()
    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    cache = Cache(default_cache_folder())

    def plan(folder: Path, only: tuple[str, ...], seed: int, limit_s: float) -> Outcome:
        return plan_deliveries(folder, None, PlanOptions(limit_s, seed=seed, only=only), cache=cache)

    beyond = set(plan(arguments.scenario, ("vehicle",), 1, 1.0).beyond_vehicles)
    print("| carriers | orders | served | cost | of it not serving | km on the road | kWh | checker |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        reachable = Path(temporary) / "reachable"
        _copy_without(arguments.scenario, reachable, beyond)
        for only in STEPS:
            outcomes = [plan(reachable, only, seed, arguments.time_limit) for seed in seeds]
            print(_row(" + ".join(only), outcomes), flush=True)
    outcomes = [plan(arguments.scenario, (), seed, arguments.time_limit) for seed in seeds]
    print(_row(f"all, and the {len(beyond)} orders no van reaches", outcomes), flush=True)


def _copy_without(scenario: Path, copy: Path, left_out: set[str]) -> None:
    shutil.copytree(scenario, copy)
    with (scenario / "orders.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    kept = [rows[0], *(row for row in rows[1:] if row[rows[0].index("id")] not in left_out)]
    with (copy / "orders.csv").open("w", encoding="utf-8", newline="") as target:
        csv.writer(target, lineterminator="\n").writerows(kept)


def _row(label: str, outcomes: list[Outcome]) -> str:
    documents = [outcome.document for outcome in outcomes]
    orders = len(documents[0].orders) + len(documents[0].unassigned)
    figures = [
        f"{mean(len(document.orders) for document in documents):.1f}",
        f"{mean(document.objective.total for document in documents) / 100:,.0f}",
        f"{mean(document.objective.lines.unassigned for document in documents) / 100:,.0f}",
        f"{mean(outcome.kpis.km for outcome in outcomes):,.0f}",
        f"{mean(outcome.kpis.energy_kwh for outcome in outcomes):,.0f}",
    ]
    verdict = "clean" if all(outcome.report.is_clean for outcome in outcomes) else "violations"
    return f"| {label} | {orders} | {' | '.join(figures)} | {verdict} |"


if __name__ == "__main__":
    main()
