"""Published relay days (family 3tdppt) in CPU seconds, resumed from a file of lines.

Usage::

    python -m benchmarks.relay FOLDER --limits 10 --seeds 1-3 --runs RUNS.jsonl
    python -m benchmarks.relay FOLDER --limits 60 --every 3 --runs RUNS.jsonl

The sample: of ``insC3.*`` to ``insC5.*`` and ``Instance13`` and above all with a best published value by the same
convention, sorted by name; of these every k-th with ``--every k``. One process solves them all with one thread, and
the solver's clock counts CPU seconds, so other work on the machine takes no time from it; the machine code is loaded
before.
The table is ``benchmarks/results/3tdppt.md`` and tells the runs made of those asked for.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from unittest import mock

from benchmarks.instances import RESULTS, Run, key_of, read_runs
from benchmarks.machine import conditions
from routing.instances.bench import bench_instance
from routing.instances.registry import FAMILIES
from routing.instances.threetier import COST_UNITS
from routing.solver import Limits, solve, stopping

FAMILY = "3tdppt"
_LARGER = re.compile(r"insC[345]\.|Instance(1[3-9]|2\d)$")
_WARM_UP_MOVES = 20


def sample(folder: Path) -> list[Path]:
    """Return the larger instances whose best published value is comparable, by name."""
    files = sorted(folder.rglob("*.city"), key=lambda path: path.stem)
    larger = [path for path in files if _LARGER.match(path.stem)]
    return [path for path in larger if FAMILIES[FAMILY].read(path).best_known is not None]


def make_run(path: Path, limit_s: float, seed: int) -> Run:
    """Solve an instance for so many CPU seconds."""
    clock = SimpleNamespace(monotonic=time.process_time)
    with mock.patch.object(stopping, "time", clock):
        found = bench_instance(FAMILY, path, time_limit_s=limit_s, seed=seed)
    wanted = ("objective", "best_known", "feasible", "cpu_s", "wall_s")
    made = {name: found[name] for name in wanted}
    made["bound"] = None if found["bound"] is None else _number(found["bound"]) / COST_UNITS
    return {"solver": "shanlu", "instance": path.stem, "limit_s": limit_s, "seed": seed, **made}


def table(runs: Sequence[Run], asked: int, where: str) -> str:
    """Return the table in Markdown: by instance and limit the mean ratio to the best published value over the seeds."""
    limits = sorted({_number(run["limit_s"]) for run in runs})
    heads = [f"{limit:g} s" for limit in limits]
    partial = f"{len(runs)} runs of {asked}" + (" (partial)." if len(runs) < asked else ".")
    lines = [
        f"# {FAMILY}",
        "",
        f"{where}.",
        "Objective / best published value, mean over the seeds run (number in brackets); CPU seconds, one process.",
        f"{partial} Values below 1 are no claim of new best solutions: the rules were inferred from published values.",
        "Bound: the highest any run proved, over the best published value; by the rules inferred no plan is below.",
        "",
        "| instance | published | bound | " + " | ".join(heads) + " |",
        "|---|---|---|" + "---|" * len(limits),
    ]
    bounds: list[float] = []
    names = sorted({str(run["instance"]) for run in runs})
    for name in names:
        mine = [run for run in runs if run["instance"] == name]
        cells = [_cell([run for run in mine if run["limit_s"] == limit]) for limit in limits]
        proved = [_number(run["bound"]) / _number(run["best_known"]) for run in mine if run.get("bound") is not None]
        bounds += [max(proved)] if proved else []
        least = f"{max(proved):.4f}" if proved else "-"
        lines.append(f"| {name} | {_number(mine[0]['best_known']):g} | {least} | " + " | ".join(cells) + " |")
    means = [_cell([run for run in runs if run["limit_s"] == limit]) for limit in limits]
    mean = f"{fmean(bounds):.4f}" if names and len(bounds) == len(names) else "-"
    lines.append(f"| **mean** | | {mean} | " + " | ".join(means) + " |")
    return "\n".join(lines) + "\n"


def _number(value: object) -> float:
    return float(str(value))


def _cell(runs: Sequence[Run]) -> str:
    ratios = [_number(run["objective"]) / _number(run["best_known"]) for run in runs if run["objective"] is not None]
    missing = f", {len(runs) - len(ratios)} without a whole plan" if len(ratios) < len(runs) else ""
    return f"{fmean(ratios):.4f} ({len(ratios)}{missing})" if ratios else f"-{missing}"


def _asked(files: Sequence[Path], limits: Sequence[float], seeds: Sequence[int]) -> Iterator[tuple[Path, float, int]]:
    yield from ((path, limit, seed) for seed in seeds for limit in limits for path in files)


def main() -> None:
    """Run, resume, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limits", default="10", help="CPU seconds, comma-separated")
    parser.add_argument("--seeds", default="1-3", help="first-last")
    parser.add_argument("--every", type=int, default=1, help="every so manieth instance of the sample")
    parser.add_argument("--runs", type=Path, default=RESULTS / f"{FAMILY}.jsonl", help="file of lines to resume from")
    arguments = parser.parse_args()
    first, _, last = arguments.seeds.partition("-")
    files = sample(arguments.folder)[arguments.every // 2 :: arguments.every]
    limits = [float(word) for word in arguments.limits.split(",")]
    asked = list(_asked(files, limits, range(int(first), int(last or first) + 1)))
    runs, where = read_runs(arguments.runs), conditions(["ortools", "numba", "numpy"])
    known = {key_of(run) for run in runs}
    solve(FAMILIES[FAMILY].read(files[0]).problem, Limits(None, _WARM_UP_MOVES), 1)
    try:
        for path, limit_s, seed in asked:
            if ("shanlu", path.stem, limit_s, seed) not in known:
                runs.append(make_run(path, limit_s, seed))
                with arguments.runs.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(runs[-1]) + "\n")
                sys.stdout.write(json.dumps(runs[-1]) + "\n")
                sys.stdout.flush()
    finally:
        wanted = {("shanlu", path.stem, limit_s, seed) for path, limit_s, seed in asked} | {key_of(run) for run in runs}
        text = table(runs, len(wanted), where)
        (RESULTS / f"{FAMILY}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
