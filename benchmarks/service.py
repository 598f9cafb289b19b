"""The service under load, killed, over many plans, with a large day, and with generated requests.

``python -m benchmarks.service`` runs all parts at full size (``make bench-service``); with the names of parts only
those: ``load``, ``kills``, ``memory``, ``first-plan``, ``replan``, ``fuzz``. Options scale them down. Every part writes
its figures to ``results/service.json`` beside those of the other parts, and ``results/service.md`` is made of all.
Replanning and the large day need the extract of Andorra (`--extract`, `--terrain`); without it they are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.live_service import ROOT, LiveService, make_tiny_scenario, memory_mb, processor_s
from benchmarks.machine import conditions
from benchmarks.service_faults import kill_at_random, memory_over
from benchmarks.service_load import run_clients
from benchmarks.service_report import report

RESULTS = ROOT / "benchmarks" / "results"
DATA = ROOT.parent / "shared" / "data" / "andorra"
DAY_ORDERS = 400
LARGE_ORDERS = 500
SEED = 1
FUZZ_FAILURE = ROOT / "out" / "fuzz-failure.txt"
"""Where the whole text of a failure is kept, with each request as a curl command."""
Figures = dict[str, Any]


def main() -> None:
    """Run the parts asked for and write the results."""
    chosen = _parse()
    parts: Mapping[str, Callable[[Path, argparse.Namespace], Figures]] = {
        "load": _load,
        "kills": _kills,
        "memory": _memory,
        "first-plan": _first_plan,
        "replan": _replan,
        "fuzz": _fuzz,
    }
    failed = False
    for name in chosen.parts or parts:
        if name in ("first-plan", "replan") and not chosen.extract.is_file():
            print(f"{name}: left out, there is no {chosen.extract}")
            continue
        begun = conditions(("fastapi", "uvicorn", "dbos"))
        with tempfile.TemporaryDirectory() as folder:
            figures = parts[name](Path(folder), chosen)
        failed |= bool(figures.get("errors"))
        print(name, json.dumps(figures, ensure_ascii=False)[:2_000], flush=True)
        _keep(chosen.results, name, {"conditions": begun, **figures})
    sys.exit(1 if failed else 0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0, help="of load")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--plans", type=int, default=1_000, help="over which memory is watched")
    parser.add_argument("--cases", type=int, default=20_000, help="generated requests")
    parser.add_argument("--seed", type=int, default=SEED, help="of generated requests")
    parser.add_argument("--search", type=float, default=3.0, help="seconds of search for the large day")
    parser.add_argument("--full", type=float, default=10.0, help="seconds of the full solve beside a replanning")
    parser.add_argument("--extract", type=Path, default=DATA / "andorra-20250118.osm.pbf")
    parser.add_argument("--terrain", type=Path, default=DATA / "N42E001.hgt.zip")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of service.json and service.md")
    return parser.parse_args()


def _keep(folder: Path, name: str, figures: Figures) -> None:
    """Put the figures of a part beside those of the others, and write the page anew."""
    path = folder / "service.json"
    known: dict[str, Figures] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known[name] = figures
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    (folder / "service.md").write_text(report(known), encoding="utf-8")


# --- Parts with the tiny county --------------------------------------------------------------------------------------


def _load(folder: Path, chosen: argparse.Namespace) -> Figures:
    """Let clients read and submit while two plans are made by two workers."""
    make_tiny_scenario(folder / "scenarios" / "tiny")
    live = LiveService(folder, workers=2)
    live.start()
    try:
        long = {"scenario": {"folder": "tiny"}, "time_limit_s": chosen.seconds + 60.0}
        plans = [live.post("/v1/plans", long)["id"] for _ in range(2)]
        while any(live.get(f"/v1/plans/{plan_id}")["state"] != "running" for plan_id in plans):
            time.sleep(0.2)
        before_mb, before_s = memory_mb(live.pid), processor_s(live.pid)
        seen = run_clients(live.port, plans, chosen.clients, chosen.seconds)
        used_s = processor_s(live.pid) - before_s
        solving = sum(live.get(f"/v1/plans/{plan_id}")["state"] == "running" for plan_id in plans)
        return {
            "clients": chosen.clients,
            "seconds": chosen.seconds,
            "plans_solving_to_the_end": solving,
            "reads": len(seen.reads_s),
            "submits": len(seen.submits_s),
            "errors": seen.errors[:20],
            "error_count": len(seen.errors),
            "read_ms": _quantiles_ms(seen.reads_s),
            "submit_ms": _quantiles_ms(seen.submits_s),
            "sent_late_ms": _quantiles_ms(seen.late_s),
            "server_cpu_s": round(used_s, 1),
            "client_cpu_s": round(seen.client_cpu_s, 1),
            "server_mb": [round(before_mb), round(memory_mb(live.pid))],
        }
    finally:
        live.stop()


def _quantiles_ms(times_s: list[float]) -> dict[str, float]:
    ordered = sorted(times_s)
    if not ordered:
        return {}
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1_000.0, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }


def _kills(folder: Path, chosen: argparse.Namespace) -> Figures:
    make_tiny_scenario(folder / "scenarios" / "tiny")
    live = LiveService(folder, workers=1, settings={"SHANLU_LOST_WORKER_S": "10"})
    try:
        return asdict(kill_at_random(live, chosen.kills, SEED))
    finally:
        live.stop()


def _memory(folder: Path, chosen: argparse.Namespace) -> Figures:
    make_tiny_scenario(folder / "scenarios" / "tiny")
    live = LiveService(folder, workers=1)
    samples = []
    try:
        for sample in memory_over(live, chosen.plans, max(10, chosen.plans // 10)):
            print(sample, flush=True)
            samples.append(asdict(sample))
    finally:
        live.stop()
    return {"plans": chosen.plans, "samples": samples}


def _fuzz(_folder: Path, chosen: argparse.Namespace) -> Figures:
    environment = {**os.environ, "SHANLU_FUZZ_CASES": str(chosen.cases), "SHANLU_FUZZ_SEED": str(chosen.seed)}
    test = str(ROOT / "tests" / "integration" / "test_api_fuzz.py")
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", test, "-q", "-p", "no:cacheprovider", "--timeout", "36000"]
    told = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    passed = told.returncode == 0
    if not passed:
        FUZZ_FAILURE.parent.mkdir(exist_ok=True)
        FUZZ_FAILURE.write_text(_without_keys(told.stdout + told.stderr), encoding="utf-8")
        print(f"fuzz: failed, all of it is in {FUZZ_FAILURE}")
    return {
        "cases": chosen.cases,
        "seed": chosen.seed,
        "passed": passed,
        "seconds": round(time.monotonic() - began),
        "errors": [] if passed else _reasons(told.stdout),
    }


def _reasons(told: str) -> list[str]:
    """Return the last lines of a test's output that tell errors, without keys."""
    lines = [line for line in told.splitlines() if re.match(r"[\s|+]*(E |FAILED|\w+(Error|Exception|Group)\b)", line)]
    return [_without_keys(line)[:500] for line in lines[-40:]]


def _without_keys(text: str) -> str:
    return re.sub(r"shanlu_\w+", "KEY", text)


# --- Parts with the day of Andorra -----------------------------------------------------------------------------------


def _day(folder: Path, chosen: argparse.Namespace, orders: int) -> Path:
    from routing.generation.osm_scenario import make_osm_scenario  # noqa: PLC0415 - most parts need no maps

    make_osm_scenario(chosen.extract, [chosen.terrain], folder, orders=orders, seed=SEED)
    return folder


def _first_plan(folder: Path, chosen: argparse.Namespace) -> Figures:
    """Prepare a network, plan a day on it once, and measure further days from the request to the checked plan."""
    _day(folder / "scenarios" / "andorra", chosen, LARGE_ORDERS)
    live = LiveService(folder, workers=1)
    live.start()
    try:
        began = time.monotonic()
        network = live.post("/v1/networks", {"scenario": {"folder": "andorra"}})["id"]
        while live.get(f"/v1/networks/{network}")["state"] in ("accepted", "running"):
            time.sleep(0.1)
        prepared_s = time.monotonic() - began
        days = [_day_on(live, network, chosen.search) for _ in range(4)]
        return {"orders": LARGE_ORDERS, "search_s": chosen.search, "network_s": round(prepared_s, 1), "days": days}
    finally:
        live.stop()


def _day_on(live: LiveService, network: str, search_s: float) -> Figures:
    """Return the seconds until the first checked plan and until the end, and what the worker used."""
    (worker,) = live.workers()
    used_s, began = processor_s(worker), time.monotonic()
    plan_id = live.post("/v1/plans", {"network": network, "time_limit_s": search_s})["id"]
    first_s = None
    while True:
        status = live.get(f"/v1/plans/{plan_id}")
        if first_s is None and (status["progress"] or {}).get("best"):
            first_s = time.monotonic() - began
        if status["state"] not in ("accepted", "running"):
            break
        time.sleep(0.05)
    whole_s = time.monotonic() - began
    return {
        "state": status["state"],
        "first_s": round(first_s if first_s is not None else whole_s, 1),
        "whole_s": round(whole_s, 1),
        "worker_cpu_s": round(processor_s(worker) - used_s, 1),
        "served": (status["result"] or {}).get("served"),
        "timings_s": (status["result"] or {}).get("timings_s"),
    }


def _replan(folder: Path, chosen: argparse.Namespace) -> Figures:
    from benchmarks.replan import measure  # noqa: PLC0415 - as above
    from geodata.cache import HELD_PRODUCTS, Cache  # noqa: PLC0415
    from routing.pipeline import PlanOptions, plan_deliveries  # noqa: PLC0415

    cache = Cache(folder / "cache", HELD_PRODUCTS)
    scenario = _day(folder / "day", chosen, DAY_ORDERS)
    document = plan_deliveries(scenario, None, PlanOptions(time_limit_s=30.0), cache=cache).document
    rows = [asdict(row) for row in measure(scenario, document, cache, full_s=chosen.full)]
    return {"orders": DAY_ORDERS, "full_s": chosen.full, "rows": rows}


if __name__ == "__main__":
    main()
