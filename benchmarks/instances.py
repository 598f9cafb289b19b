"""Published instances of routes: Shanlu and its peers over a sample fixed by a rule, resumed from a file of lines.

Usage::

    python -m benchmarks.instances vrptw FOLDER --limits 10,30 --seeds 1-3 --peers RUN_PEERS.py
    python -m benchmarks.instances mtvrptwr FOLDER --limits 30 --peers RUN_PEERS.py

The sample: all files of the family below FOLDER sorted by path, of these every k-th with k = ceil(files / SAMPLE),
beginning with number k // 2. Sizes lie in folders or names, so they are spread.

Every run is a process of its own with one thread. Shanlu runs for the limit in seconds of wall time; a peer then gets
the CPU seconds Shanlu took on the same instance, seed and limit, so the comparison holds on a busy machine too. For
vrptw, peers are run by a script given by ``--peers`` or ``$SHANLU_PEERS`` (``SCRIPT SOLVER INSTANCE SECONDS --seed N
--cpu``, one JSON line with gap_pct, cpu_s and vehicles). With ``--vroom``, VROOM runs once an instance in its own time,
on files up to 200 customers: on a thousand it takes minutes. PyVRP on mtvrptwr is called here, through its own reader.

Each run is a line of ``benchmarks/results/FAMILY.jsonl`` (``--runs`` for another place); a second call goes on where
the first was ended. The table is ``benchmarks/results/FAMILY.md`` and says so while it is partial.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from benchmarks.machine import conditions
from routing.instances.registry import FAMILIES

SAMPLE = 10
"""Instances of a sample, at most."""
RESULTS = Path(__file__).resolve().parent / "results"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
PEERS: dict[str, tuple[str, ...]] = {"vrptw": ("pyvrp",), "mtvrptwr": ("pyvrp",)}
"""Peers of a family that this runner can start; other families have only Shanlu's column."""
_VROOM_CUSTOMERS = 200
"""VROOM is run on files of vrptw up to so many customers."""

Run = dict[str, object]


def sample(family: str, folder: Path) -> list[Path]:
    """Return the files of the sample by the rule above."""
    files = sorted(folder.glob(FAMILIES[family].pattern))
    step = max(1, math.ceil(len(files) / SAMPLE))
    return files[step // 2 :: step]


def key_of(run: Run) -> tuple[object, ...]:
    """Return what makes a run the same run."""
    return (run["solver"], run["instance"], run["limit_s"], run["seed"])


def read_runs(path: Path) -> list[Run]:
    """Return the runs made so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


# --- One run -------------------------------------------------------------------------------------------------------


def run_shanlu(family: str, path: Path, limit_s: float, seed: int) -> Run:
    """Run ``shanlu bench`` in a process of its own."""
    command = [sys.executable, "-m", "api.cli", "bench", family, str(path), "--time-limit", str(limit_s)]
    found = _json_of([*command, "--seed", str(seed)])
    wanted = ("objective", "gap_pct", "vehicles", "cpu_s", "wall_s", "feasible", "best_known")
    return {name: found.get(name) for name in wanted}


def run_peer(peer: str, family: str, path: Path, cpu_s: float, seed: int, script: Path | None) -> Run:
    """Run a peer for so many CPU seconds in a process of its own."""
    if family == "mtvrptwr":
        found = _json_of([sys.executable, "-m", "benchmarks.instances", "--pyvrp", str(path), f"{cpu_s:g}", str(seed)])
    elif script is None:
        message = "peers of vrptw need --peers or $SHANLU_PEERS"
        raise SystemExit(message)
    else:
        found = _json_of([sys.executable, str(script), peer, str(path), f"{cpu_s:g}", "--seed", str(seed), "--cpu"])
    return {name: found.get(name) for name in ("gap_pct", "vehicles", "cpu_s", "wall_s")}


def pyvrp_alone(path: Path, cpu_s: float, seed: int) -> Run:
    """Solve a VRPLIB file by PyVRP as it stands, for so many CPU seconds."""
    import pyvrp  # noqa: PLC0415 # only the process that runs the peer needs it

    data = pyvrp.read(path, round_func="dimacs")
    best_known = FAMILIES["mtvrptwr"].read(path).best_known
    wall, cpu = time.perf_counter(), time.process_time()
    found = pyvrp.solve(data, lambda _: time.process_time() - cpu > cpu_s, seed=seed, collect_stats=False).best
    spent = {"cpu_s": round(time.process_time() - cpu, 2), "wall_s": round(time.perf_counter() - wall, 2)}
    cost = found.distance() if found.is_feasible() else None
    gap = None if cost is None or not best_known else round(100.0 * (cost - best_known) / best_known, 4)
    return {"objective": cost, "gap_pct": gap, "vehicles": found.num_routes(), **spent}


def _json_of(command: Sequence[str]) -> Run:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD}, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return {"error": done.stderr.strip()[-300:]}
    found: Run = json.loads(lines[-1])
    return found


# --- All runs ------------------------------------------------------------------------------------------------------


def wanted(family: str, files: Sequence[Path], limits: Sequence[float], seeds: Sequence[int]) -> Iterator[Run]:
    """Yield all runs: Shanlu first, then its peers on the same instance, limit and seed."""
    for path in files:
        for limit_s in limits:
            for seed in seeds:
                for solver in ("shanlu", *PEERS.get(family, ())):
                    if solver != "vroom" or ((seed, limit_s) == (seeds[0], limits[0]) and _suits_vroom(path)):
                        yield {"solver": solver, "instance": str(path), "limit_s": limit_s, "seed": seed}


def _suits_vroom(path: Path) -> bool:
    """Return whether a file of vrptw is small enough for VROOM: one line a customer begins with its number."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = sum(len(line.split()) > 2 and line.split()[0].isdigit() for line in lines)
    return rows <= _VROOM_CUSTOMERS + 1


def make_runs(arguments: argparse.Namespace, runs: list[Run], plan: Sequence[Run], log: Path) -> None:
    """Make the runs that are missing and write each as a line."""
    known = {key_of(run): run for run in runs}
    for run in plan:
        if key_of(run) in known:
            continue
        path, limit_s, seed = Path(str(run["instance"])), float(str(run["limit_s"])), int(str(run["seed"]))
        if run["solver"] == "shanlu":
            figures = run_shanlu(arguments.family, path, limit_s, seed)
        else:
            ours = known[("shanlu", run["instance"], run["limit_s"], run["seed"])]
            cpu_s = float(str(ours.get("cpu_s") or limit_s))
            figures = run_peer(str(run["solver"]), arguments.family, path, cpu_s, seed, arguments.peers)
        done = {**run, **figures}
        known[key_of(run)] = done
        runs.append(done)
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(done) + "\n")
        print(json.dumps(done), flush=True)


def table(family: str, runs: Sequence[Run], plan: Sequence[Run], limits: Sequence[float], where: str) -> str:
    """Return the table in Markdown: mean gap over seeds by instance, solver and limit."""
    keys = {key_of(run) for run in plan}
    done = [run for run in runs if key_of(run) in keys]
    solvers = ("shanlu", *PEERS.get(family, ()))
    columns = [(solver, limit) for limit in limits for solver in solvers if solver != "vroom" or limit == limits[0]]
    partial = "" if len(done) == len(keys) else f"\n**Partial: {len(done)} of {len(keys)} runs.**\n"
    lines = [
        f"# {family}",
        "",
        f"{where}. Gap in % to the best known value, mean over seeds {sorted({int(str(r['seed'])) for r in plan})}.",
        "Peers at the CPU seconds Shanlu took, VROOM in its own time; one process, one thread.",
        partial,
        "| instance | " + " | ".join(f"{s}, {_limit_name(s, limit)}" for s, limit in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    instances = list(dict.fromkeys(str(run["instance"]) for run in plan))
    for instance in instances:
        cells = [_mean([run for run in done if run["instance"] == instance], *column) for column in columns]
        lines.append(f"| {Path(instance).stem} | " + " | ".join(cells) + " |")
    lines.append("| **mean** | " + " | ".join(_mean(done, *column) for column in columns) + " |")
    return "\n".join(lines) + "\n"


def _limit_name(solver: str, limit_s: float) -> str:
    return "own time" if solver == "vroom" else f"{limit_s:g} s"


def _mean(runs: Sequence[Run], solver: str, limit_s: float) -> str:
    """Return the mean gap, and how many runs have none (no feasible plan, an error)."""
    here = [run for run in runs if run["solver"] == solver and run["limit_s"] == limit_s]
    gaps = [float(str(run["gap_pct"])) for run in here if run.get("gap_pct") is not None]
    missing = f" ({len(here) - len(gaps)} without)" if len(gaps) < len(here) else ""
    return f"{fmean(gaps):.3f}{missing}" if gaps else f"-{missing}"


def main() -> None:
    """Run, resume, and write the table."""
    if sys.argv[1:2] == ["--pyvrp"]:
        print(json.dumps(pyvrp_alone(Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=list(FAMILIES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limits", default="30", help="seconds, comma-separated")
    parser.add_argument("--seeds", default="1-3", help="first-last")
    parser.add_argument("--peers", type=Path, default=os.environ.get("SHANLU_PEERS"))
    parser.add_argument("--runs", type=Path, default=None, help="file of lines to resume from")
    parser.add_argument("--only-shanlu", action="store_true", help="leave the peers out")
    parser.add_argument("--vroom", action="store_true", help="run VROOM too, on small files of vrptw")
    arguments = parser.parse_args()
    arguments.peers = None if arguments.peers is None else Path(arguments.peers)
    if arguments.only_shanlu:
        PEERS.pop(arguments.family, None)
    elif arguments.vroom and arguments.family == "vrptw":
        PEERS["vrptw"] = (*PEERS["vrptw"], "vroom")
    limits = [float(word) for word in arguments.limits.split(",")]
    first, _, last = arguments.seeds.partition("-")
    seeds = list(range(int(first), int(last or first) + 1))
    log = arguments.runs or RESULTS / f"{arguments.family}.jsonl"
    runs = read_runs(log)
    plan = list(wanted(arguments.family, sample(arguments.family, arguments.folder), limits, seeds))
    where = conditions(["pyvrp", "ortools", "numba"])
    try:
        make_runs(arguments, runs, plan, log)
    finally:
        RESULTS.mkdir(exist_ok=True)
        text = table(arguments.family, runs, plan, limits, where)
        (RESULTS / f"{arguments.family}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
