"""Whole counties: which carriers earn their place, joint against sequential planning, how effort grows with size.

``python -m benchmarks.county ladder SCENARIO ... --time-limit 40 --seeds 1-3`` plans each scenario with more and more
kinds of carrier: B0 each firm alone with vans, B1 joint vans, B2 and buses, B3 and drones, B4 and couriers. The orders
no van can carry from door to door are left out, so that vans have a fair task; a last row has them too.
``... joint SCENARIO ...`` plans with itineraries chosen together with the rounds, and with itineraries fixed before.
``... growth SCENARIO ... --picture FILE`` tells after how many seconds of search the first plan stood, and one within
2 % of the last, and draws the cost of the best plan over time.

Every scenario is a folder, or ``small:1``, ``medium:2``, ``large:3`` for a synthetic county of that size and seed;
``large:3:500`` has 500 of its orders, spread evenly over the file.
Every plan goes through the checker. Each run adds a line to a file (``--runs``); runs found there are not repeated.
With ``--workers 2`` two processes search each plan; keep their runs in a file of their own.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

from api.executors import helpers_of
from benchmarks.machine import conditions
from geodata.cache import Cache, default_cache_folder
from routing.generation.county import make_synthetic_scenario
from routing.pipeline import Outcome, PlanOptions, Status, plan_deliveries
from routing.solver.parallel import Helpers

VANS, EVERYTHING = ("vehicle",), ("vehicle", "drone", "bus", "courier")
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("B1 joint vans", VANS),
    ("B2 + buses", ("vehicle", "bus")),
    ("B3 + drones", ("vehicle", "bus", "drone")),
    ("B4 + couriers", EVERYTHING),
)
NEAR = 0.02
"""How much dearer than the last plan one may be to count as good."""


@dataclass(frozen=True)
class Run:
    """Figures of one planning run, or of several that make up one step. Money in whole currency units."""

    scenario: str
    step: str
    seed: int
    time_limit_s: float
    orders: int
    served: int
    cost: float
    unserved: float
    km: float
    kwh: float
    co2_kg: float
    late: int
    spoiled: float
    clean: bool
    first_s: float
    near_s: float
    trace: tuple[tuple[float, float], ...] = ()
    """Seconds of search and the cost of the best plan then, where it fell."""


def main() -> None:
    """Run what the command line asks for and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("ladder", "joint", "growth"))
    parser.add_argument("scenarios", nargs="+")
    parser.add_argument("--time-limit", type=float, default=40.0)
    parser.add_argument("--seeds", default="1-3")
    parser.add_argument("--picture", type=Path, default=None, help="where growth draws cost over time")
    parser.add_argument("--workers", type=int, default=1, help="processes that search one plan")
    parser.add_argument("--runs", type=Path, default=Path("out/county-runs.jsonl"))
    arguments = parser.parse_args()
    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    with tempfile.TemporaryDirectory() as temporary, helpers_of(arguments.workers, None) as helpers:
        desk = _Desk(arguments.runs, arguments.time_limit, Cache(default_cache_folder()), helpers, arguments.picture)
        folders = [_folder(name, Path(temporary)) for name in arguments.scenarios]
        tables: dict[str, Callable[[_Desk, Sequence[Path], Sequence[int], Path], None]]
        tables = {"ladder": _ladder, "joint": _joint, "growth": _growth}
        tables[arguments.what](desk, folders, seeds, Path(temporary))
    effort = f"{arguments.time_limit:g} s of search a run, processes: {arguments.workers}"
    print(f"\n{conditions(('shanlu', 'ortools', 'numpy', 'numba'))}; {effort}")


def _folder(name: str, temporary: Path) -> Path:
    """Return the scenario's folder; ``size:seed`` is made first."""
    size, *rest = name.split(":")
    if not rest:
        return Path(name)
    folder = temporary / f"{size}-{rest[0]}"
    make_synthetic_scenario(size, int(rest[0]), folder)
    if len(rest) == 1:
        return folder
    part = temporary / f"{folder.name}-{rest[1]}"
    _copy(folder, part, _evenly(folder, int(rest[1])))
    shutil.rmtree(folder)
    return part


def _evenly(folder: Path, count: int) -> Callable[[Mapping[str, str]], bool]:
    """Return whether an order is one of so many, spread evenly over the file."""
    with (folder / "orders.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    chosen = {ids[k * len(ids) // count] for k in range(count)}
    return lambda row: row["id"] in chosen


# --- Runs ----------------------------------------------------------------------------------------------------------


class _Desk:
    """Makes runs, or takes them from the file of runs already made."""

    def __init__(
        self, path: Path, time_limit_s: float, cache: Cache, helpers: Helpers | None, picture: Path | None
    ) -> None:
        self.picture, self._helpers = picture, helpers
        self._path, self._time_limit_s, self._cache = path, time_limit_s, cache
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        runs = [Run(**json.loads(line)) for line in lines]
        self._known = {(run.scenario, run.step, run.seed, run.time_limit_s): run for run in runs}

    def run(self, name: str, step: str, seed: int, folders: Sequence[Path], options: PlanOptions) -> Run:
        """Return the sum of the plans of `folders`, each with an equal share of the time."""
        key = (name, step, seed, self._time_limit_s)
        if key not in self._known:
            share_s = self._time_limit_s / len(folders)
            own = replace(options, time_limit_s=share_s, seed=seed)
            parts = [self._plan(folder, own) for folder in folders]
            run = _sum(name, step, seed, self._time_limit_s, parts)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(run)) + "\n")
            self._known[key] = run
        return self._known[key]

    def beyond_vans(self, folder: Path) -> set[str]:
        """Return the orders no van carries from door to door."""
        return set(plan_deliveries(folder, None, PlanOptions(1.0, only=VANS), cache=self._cache).beyond_vehicles)

    def _plan(self, folder: Path, options: PlanOptions) -> tuple[Outcome, list[Status]]:
        seen: list[Status] = []
        return plan_deliveries(folder, None, options, seen.append, cache=self._cache, helpers=self._helpers), seen


def _sum(name: str, step: str, seed: int, time_limit_s: float, parts: Sequence[tuple[Outcome, list[Status]]]) -> Run:
    outcomes = [outcome for outcome, _ in parts]
    lines = [outcome.document.objective.lines for outcome in outcomes]
    firsts, nears = zip(*(_moments(seen) for _, seen in parts), strict=True)
    return Run(
        scenario=name,
        step=step,
        seed=seed,
        time_limit_s=time_limit_s,
        orders=sum(outcome.kpis.orders for outcome in outcomes),
        served=sum(outcome.kpis.served for outcome in outcomes),
        cost=sum(outcome.document.objective.total for outcome in outcomes) / 100.0,
        unserved=sum(line.unassigned for line in lines) / 100.0,
        km=sum(outcome.kpis.km for outcome in outcomes),
        kwh=sum(outcome.kpis.energy_kwh for outcome in outcomes),
        co2_kg=sum(outcome.kpis.co2_kg for outcome in outcomes),
        late=sum(outcome.kpis.late_orders for outcome in outcomes),
        spoiled=sum(line.spoilage for line in lines) / 100.0,
        clean=all(outcome.report.is_clean for outcome in outcomes),
        first_s=max(firsts),
        near_s=max(nears),
        trace=_trace(parts[0][1]) if len(parts) == 1 else (),
    )


def _trace(seen: Sequence[Status]) -> tuple[tuple[float, float], ...]:
    """Return seconds of search and the cost of the best plan, where it fell by a thousandth or more."""
    found: list[tuple[float, float]] = []
    for state in seen:
        if state.cost is None or state.elapsed_s <= 0.0 or state.stage not in {"construction", "improvement"}:
            continue
        if not found or state.cost / 100.0 <= found[-1][1] * 0.999:
            found.append((round(state.elapsed_s, 1), state.cost / 100.0))
    return tuple(found)


def _moments(seen: Sequence[Status]) -> tuple[float, float]:
    """Return after how many seconds of search a first plan stood, and one not much dearer than the search's last."""
    trace = _trace(seen)
    if not trace:
        return float("nan"), float("nan")
    return trace[0][0], next(at_s for at_s, cost in trace if cost <= trace[-1][1] * (1.0 + NEAR))


# --- Tables --------------------------------------------------------------------------------------------------------


def _ladder(desk: _Desk, folders: Sequence[Path], seeds: Sequence[int], temporary: Path) -> None:
    print(
        "| county | carriers | orders | served | cost | of it not serving | km | kWh | kg CO2 | late | cold loss",
        end="",
    )
    print(" | checker |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
    costs: dict[str, list[float]] = {}
    for folder in folders:
        beyond = desk.beyond_vans(folder)
        fair = temporary / f"{folder.name}-fair"
        _copy(folder, fair, _without(beyond))
        firms = list(_firms(fair, temporary))
        alone = PlanOptions(only=VANS)
        steps = [("B0 vans of each firm alone", firms, alone)]
        steps += [(label, [fair], PlanOptions(only=only)) for label, only in STEPS]
        steps += [(f"all, and the {len(beyond)} orders no van reaches", [folder], PlanOptions())]
        for label, parts, options in steps:
            runs = [desk.run(folder.name, label, seed, parts, options) for seed in seeds]
            costs.setdefault(folder.name, []).append(mean(run.cost for run in runs))
            print(_row(folder.name, label, runs), flush=True)
    _print_changes(costs)


def _print_changes(costs: Mapping[str, Sequence[float]]) -> None:
    """Print by how much each step changes what a day costs, by county and in the mean; costs are those of the steps."""
    print("\n| county | B1 against B0 | B2 against B1 | B3 against B2 | B4 against B3 | B4 against B1 |")
    print("|---|---|---|---|---|---|")
    pairs = ((1, 0), (2, 1), (3, 2), (4, 3), (4, 1))
    changes = {name: [steps[one] / steps[other] - 1.0 for one, other in pairs] for name, steps in costs.items()}
    if len(changes) > 1:
        changes["mean"] = [mean(column) for column in zip(*changes.values(), strict=True)]
    for name, row in changes.items():
        print(f"| {name} | {' | '.join(f'{change:+.1%}' for change in row)} |")


def _row(name: str, label: str, runs: Sequence[Run]) -> str:
    def average(field: str, digits: int = 0) -> str:
        return f"{mean(float(getattr(run, field)) for run in runs):,.{digits}f}"

    figures = [
        average("served", 1),
        *(average(field) for field in ("cost", "unserved", "km", "kwh", "co2_kg")),
        average("late", 1),
        average("spoiled"),
    ]
    verdict = "clean" if all(run.clean for run in runs) else "violations"
    return f"| {name} | {label} | {runs[0].orders} | {' | '.join(figures)} | {verdict} |"


def _firms(folder: Path, temporary: Path) -> Iterator[Path]:
    """Yield the day of each shipper alone."""
    with (folder / "orders.csv").open(encoding="utf-8", newline="") as file:
        shippers = sorted({row["shipper"] for row in csv.DictReader(file)})
    for number, shipper in enumerate(shippers):
        own = temporary / f"{folder.name}-firm-{number}"
        _copy(folder, own, _shipped_by(shipper))
        yield own


def _without(orders: set[str]) -> Callable[[Mapping[str, str]], bool]:
    return lambda row: row["id"] not in orders


def _shipped_by(shipper: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda row: row["shipper"] == shipper


def _joint(desk: _Desk, folders: Sequence[Path], seeds: Sequence[int], _temporary: Path) -> None:
    print("| county | orders | sequential: served, cost | joint: served, cost | joint is cheaper by | checker |")
    print("|---|---|---|---|---|---|")
    for folder in folders:
        fixed = [desk.run(folder.name, "sequential", seed, [folder], PlanOptions(sequential=True)) for seed in seeds]
        joint = [desk.run(folder.name, "joint", seed, [folder], PlanOptions()) for seed in seeds]
        saved = 1.0 - mean(run.cost for run in joint) / mean(run.cost for run in fixed)
        verdict = "clean" if all(run.clean for run in (*fixed, *joint)) else "violations"
        pairs = [(mean(run.served for run in runs), mean(run.cost for run in runs)) for runs in (fixed, joint)]
        cells = [f"{served:.1f}, {cost:,.0f}" for served, cost in pairs]
        print(f"| {folder.name} | {joint[0].orders} | {' | '.join(cells)} | {saved:.1%} | {verdict} |", flush=True)


def _growth(desk: _Desk, folders: Sequence[Path], seeds: Sequence[int], _temporary: Path) -> None:
    print("| county | orders | served | first plan, s | within 2 % of the last, s | cost | checker |")
    print("|---|---|---|---|---|---|---|")
    for folder in folders:
        runs = [desk.run(folder.name, "growth", seed, [folder], PlanOptions()) for seed in seeds]
        served, cost = mean(run.served for run in runs), mean(run.cost for run in runs)
        first, near = mean(run.first_s for run in runs), mean(run.near_s for run in runs)
        verdict = "clean" if all(run.clean for run in runs) else "violations"
        row = (
            f"| {folder.name} | {runs[0].orders} | {served:.1f} | {first:.1f} | {near:.1f} | {cost:,.0f} | {verdict} |"
        )
        print(row, flush=True)
    if desk.picture is not None:
        known = [desk.run(folder.name, "growth", seeds[0], [folder], PlanOptions()) for folder in folders]
        _draw(known, desk.picture)


def _draw(runs: Sequence[Run], path: Path) -> None:
    """Draw by county how much dearer the best plan was than the last one, over the seconds of search."""
    import matplotlib as mpl  # noqa: PLC0415 # only for the picture

    mpl.use("svg")
    import matplotlib.pyplot as plt  # noqa: PLC0415 # after the choice of the way to draw

    figure, axes = plt.subplots(figsize=(7.0, 4.0), layout="constrained")
    for run in runs:
        seconds, costs = zip(*run.trace, (run.time_limit_s, run.trace[-1][1]), strict=True)
        axes.step(seconds, [100.0 * (cost / costs[-1] - 1.0) for cost in costs], where="post", label=f"{run.orders}")
    axes.set(xscale="log", ylim=(0.0, 60.0), xlabel="seconds of search", ylabel="dearer than the last plan, %")
    axes.axhline(100.0 * NEAR, linewidth=0.5, color="grey")
    axes.legend(title="orders")
    figure.savefig(path, metadata={"Date": None})


def _copy(scenario: Path, copy: Path, wanted: Callable[[Mapping[str, str]], bool]) -> None:
    """Copy a scenario with the order rows that are wanted."""
    shutil.copytree(scenario, copy)
    with (scenario / "orders.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        kept = [row for row in reader if wanted(row)]
    with (copy / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(reader.fieldnames or ()), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


if __name__ == "__main__":
    main()
