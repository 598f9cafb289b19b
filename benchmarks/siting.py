"""Measure the siting models: published instances, spopt on the same instances, and a county.

    python benchmarks/siting.py published FOLDER [--limit S] [--only pmed,pmedcap,cap]
    python benchmarks/siting.py spopt FOLDER
    python benchmarks/siting.py county [--seed N]

FOLDER holds ``pmed/``, ``pmedcap/`` and ``cap/``. Each line is one JSON record; CPU seconds include worker threads.
spopt and PuLP are needed for the second only and are development dependencies.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from routing.siting.capacitated import solve_capacitated
from routing.siting.coverage import solve_coverage
from routing.siting.instances import FAMILIES, bench_siting, read_pmed
from routing.siting.median import solve_p_median
from routing.siting.question import AccessQuestion, CapacityQuestion

SPOPT_INSTANCES = ("pmed1", "pmed2", "pmed4", "pmed5", "pmed8", "pmed10")
COVER_SHARE = 0.6
"""The coverage limit: this share of the optimum's mean distance, so that coverage is neither all nor nothing."""


@contextmanager
def measured(record: dict[str, Any], name: str) -> Iterator[None]:
    """Put wall and CPU seconds (children included) of a block into the record."""
    wall, cpu = time.perf_counter(), _cpu_s()
    yield
    record[f"{name}_s"] = round(time.perf_counter() - wall, 3)
    record[f"{name}_cpu_s"] = round(_cpu_s() - cpu, 3)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def published(folder: Path, limit_s: float, only: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield a record an instance: objective, bound, proof and seconds."""
    for family in only:
        names = sorted(path for path in (folder / family).iterdir() if path.name.startswith(("pmed", "cap")))
        for path in names:
            if "opt" in path.name:
                continue
            yield bench_siting(family, path, time_limit_s=limit_s)


def against_spopt(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a record an instance: p-median and maximal coverage by Shanlu and by spopt (with CBC), in one run."""
    for name in SPOPT_INSTANCES:
        cost, p = read_pmed(folder / "pmed" / f"{name}.txt")
        yield _median_race(name, cost, p)
        yield _coverage_race(name, cost, p)


def _median_race(name: str, cost: np.ndarray, p: int) -> dict[str, Any]:
    import pulp  # noqa: PLC0415 - only this measurement needs it
    from spopt.locate import PMedian  # noqa: PLC0415 - as above

    record: dict[str, Any] = {"instance": name, "model": "p-median", "n": len(cost), "p": p}
    with measured(record, "shanlu"):
        record["shanlu"] = solve_p_median(cost, p).cost
    with measured(record, "spopt"):
        model = PMedian.from_cost_matrix(cost, np.ones(len(cost)), p)
        solved = model.solve(pulp.PULP_CBC_CMD(msg=False))
        record["spopt"] = round(float(solved.problem.objective.value()), 6)
    return _judged(record)


def _coverage_race(name: str, cost: np.ndarray, p: int) -> dict[str, Any]:
    import pulp  # noqa: PLC0415 - only this measurement needs it
    from spopt.locate import MCLP  # noqa: PLC0415 - as above

    limit = float(np.floor(COVER_SHARE * solve_p_median(cost, p).cost / len(cost)))
    weight = np.random.default_rng(0).integers(1, 100, len(cost)).astype(float)
    record: dict[str, Any] = {"instance": name, "model": "coverage", "n": len(cost), "p": p, "limit": limit}
    with measured(record, "shanlu"):
        nothing = np.zeros(len(cost))
        question = AccessQuestion(cost[None], weight, nothing, np.ones(len(cost), dtype=bool), (p,))
        answer = solve_coverage(question, limit)
        record["shanlu"] = round((1.0 - (answer.value if answer else 1.0)) * float(weight.sum()), 6)
    with measured(record, "spopt"):
        model = MCLP.from_cost_matrix(cost, weight, limit, p)
        solved = model.solve(pulp.PULP_CBC_CMD(msg=False))
        record["spopt"] = round(float(solved.problem.objective.value()), 6)
    return _judged(record)


def _judged(record: dict[str, Any]) -> dict[str, Any]:
    same = abs(record["shanlu"] - record["spopt"]) <= 1e-6 * max(1.0, abs(record["spopt"]))
    return {
        **record,
        "same": same,
        "times_faster_cpu": round(record["spopt_cpu_s"] / max(1e-4, record["shanlu_cpu_s"]), 1),
    }


def county(seed: int) -> Iterator[dict[str, Any]]:
    """Yield the record of a made-up county: 2,000 settlements in valleys, 300 candidates, 3 kinds, a budget."""
    for budget in (30_000_000.0, 40_000_000.0):
        question = county_question(seed, budget)
        record: dict[str, Any] = {"instance": f"county-{seed}", "budget": budget}
        with measured(record, "shanlu"):
            answer = solve_capacitated(question, gap=0.01, time_limit_s=60.0)
        yield {
            **record,
            "objective": answer.cost,
            "bound": answer.bound,
            "gap": answer.gap,
            "open": len(answer.options),
        }


def county_question(seed: int, budget: float) -> CapacityQuestion:
    """Return the county: person-minutes at 15 min/km straight, parcels 0.05 a person."""
    rng = np.random.default_rng(seed)
    n, m = 2_000, 300
    valleys = rng.random((40, 2)) * 40_000
    place = valleys[rng.integers(0, 40, n)] + rng.normal(0, 1_500, (n, 2))
    site = place[rng.choice(n, m, replace=False)]
    minutes = np.hypot(place[:, None, 0] - site[None, :, 0], place[:, None, 1] - site[None, :, 1]) / 1_000 * 15
    people = np.round(np.exp(rng.normal(3.5, 0.8, n))) + 1
    kinds = ((300_000.0, 60.0), (900_000.0, 150.0), (2_000_000.0, 400.0))
    return CapacityQuestion(
        cost=minutes * people[:, None],
        load=people * 0.05,
        option_site=np.repeat(np.arange(m, dtype=np.int64), 3),
        option_cost=np.zeros(3 * m),
        option_capacity=np.tile([capacity for _, capacity in kinds], m),
        option_money=np.tile([money for money, _ in kinds], m),
        option_counts=np.ones(3 * m, dtype=np.bool_),
        budget=budget,
    )


def main() -> None:
    """Run one of the measurements and print its records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("published", "spopt", "county"))
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--only", default=",".join(FAMILIES))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.what != "county" and given.folder is None:
        parser.error("name the folder of instances")
    runs: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        "published": lambda: published(given.folder, given.limit, tuple(given.only.split(","))),
        "spopt": lambda: against_spopt(given.folder),
        "county": lambda: county(given.seed),
    }
    for record in runs[given.what]():
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
