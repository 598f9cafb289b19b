"""VROOM-compatible answers beside VROOM's own: documented examples, generated requests, and requests on a network.

Usage::

    python -m benchmarks.vroom --peer PYTHON --runs RUNS.jsonl
    python -m benchmarks.vroom --peer PYTHON --runs RUNS.jsonl --network SCENARIO

PYTHON is an interpreter that has pyvroom (it is no dependency of this project). Both get the same request with matrices
in it; on a network, a scenario folder with its map, ours gets coordinates and the peer what our router says of them.
Both are measured in CPU seconds, and the clock of our search counts them, so other work on the machine takes none of
the search. Each request is a line of the file of runs; a second call goes on where the first was ended.
The table is ``benchmarks/results/vroom.md`` and tells the runs made of those asked for.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from api.vroom.answer import make_answer
from api.vroom.problem import make_problem
from api.vroom.request import VroomRequest
from api.vroom.solve import network_router, search_s
from benchmarks.instances import RESULTS
from benchmarks.machine import conditions
from routing.trips import search

LIMIT_S = 5.0
"""Default limit of the service."""
EFFORT = 5
PEER = f"""
import sys, time, vroom
asked = vroom.Input.from_json(sys.argv[1])
begun = time.process_time()
found = asked.solve(exploration_level={EFFORT}, nb_threads=1)
print(time.process_time() - begun)
found.to_json(sys.argv[2])
"""
SIZES = ((10, 0), (12, 4), (20, 6), (25, 0), (30, 10), (40, 0), (60, 10), (100, 0))
"""Jobs and shipments of the requests in turn."""
SPEEDS = {"car": 9.0, "bike": 6.0}
"""Profiles of generated requests, metres a second."""
_KINDS = ("job", "pickup", "delivery")
_INDICES = {"location_index": "location", "start_index": "start", "end_index": "end"}
_NO_WAY = 10**6
"""Seconds and metres VROOM is told where there is no way: more than any shift, and within its 32 bits."""
Body = dict[str, Any]
Run = dict[str, Any]
Place = tuple[float, float]


def main() -> None:
    """Run, resume, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--peer", required=True, help="Python interpreter that has pyvroom")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="longest search, CPU seconds")
    parser.add_argument("--network", type=Path, help="scenario folder for requests with coordinates")
    parser.add_argument("--on-network", type=int, default=len(SIZES), help="requests on the network")
    parser.add_argument("--runs", type=Path, default=RESULTS / "vroom.jsonl", help="file of lines to resume from")
    chosen = parser.parse_args()
    runs = [json.loads(line) for line in chosen.runs.read_text().splitlines()] if chosen.runs.exists() else []
    search.prepare()
    asked = [*documented(), *_generated(chosen.requests)]
    if chosen.network is not None:
        asked += _on_network(chosen.network, chosen.on_network)
    try:
        for name, body, coordinates in asked:
            if name not in {run["name"] for run in runs}:
                runs.append(make_run(name, body, coordinates, chosen))
                with chosen.runs.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(runs[-1]) + "\n")
                sys.stdout.write(json.dumps(runs[-1]) + "\n")
                sys.stdout.flush()
    finally:
        total = len({name for name, _, _ in asked} | {run["name"] for run in runs})
        text = table(runs, total, chosen.limit, conditions(("numba", "numpy")))
        (RESULTS / "vroom.md").write_text(text, encoding="utf-8")


def make_run(name: str, body: Body, coordinates: Body | None, chosen: argparse.Namespace) -> Run:
    """Return what both reach on a request, in how many CPU seconds, and the keys of VROOM's answer that ours lacks."""
    router = None if coordinates is None else network_router(chosen.network)
    request = VroomRequest.model_validate(coordinates or body)
    problem = make_problem(request, router)
    begun = time.process_time()
    with mock.patch.object(search, "time", SimpleNamespace(perf_counter=time.process_time)):
        trips = search.plan_trips(problem.visits, problem.vehicles, search_s(request, len(problem.tasks), chosen.limit))
    spent_s = time.process_time() - begun
    assert trips is not None
    ours = make_answer(request, problem, trips, None)
    answered = _peer(body, chosen.peer)
    if answered is None:
        return {"name": name, "ours": _measure(body, ours), "theirs": None}
    theirs, their_s = answered
    ours_keys = keys_of(ours)
    if coordinates:
        ours_keys |= {f"/routes/steps[{kind}]/location_index" for kind in map(_kind, ours_keys) if kind}
    return {
        "name": name,
        "jobs": len(body["jobs"]),
        "shipments": len(body.get("shipments", [])),
        "ours": _measure(body, ours),
        "theirs": _measure(body, theirs),
        "ours_s": round(spent_s, 2),
        "theirs_s": round(their_s, 2),
        "lacking": sorted(key for key in keys_of(theirs) - ours_keys if _kind(key) in {None, *map(_kind, ours_keys)}),
    }


def _kind(key: str) -> str | None:
    """Return the kind of step a key is of; an answer that has no such step lacks none of its keys."""
    return key.split("[")[1].split("]", maxsplit=1)[0] if "[" in key else None


def keys_of(answer: Body) -> set[str]:
    """Return the keys of an answer's parts: of the whole, the summary, routes, and steps by type."""
    found = {f"/{key}" for key in answer} | {f"/summary/{key}" for key in answer["summary"]}
    for route in answer["routes"]:
        found |= {f"/routes/{key}" for key in route}
        found |= {f"/routes/steps[{step['type']}]/{key}" for step in route["steps"] for key in step}
    return found - {"/summary/computing_times"}


# --- Requests --------------------------------------------------------------------------------------------------------

Asked = tuple[str, Body, Body | None]
"""Name, request with matrices, and the same with coordinates where ours gets those."""


def documented() -> Iterator[Asked]:
    """Yield requests like the examples of VROOM's documentation: all features at once, a matrix, given routes."""
    places = [(2.35, 48.72), (1.99, 48.70), (2.04, 48.61), (2.28, 48.60), (2.89, 48.91), (2.42, 49.23), (2.40, 49.08)]
    durations = [[round(_metres(a, b) / 16.0) for b in places] for a in places]
    pause = {"service": 300, "time_windows": [[36_000, 37_800]]}
    ends = {"start_index": 0, "end_index": 0, "capacity": [4], "time_window": [28_800, 43_200]}
    jobs = [
        {"id": number, "location_index": spot, "service": 300, "delivery": [1], "skills": [skill]}
        for number, spot, skill in ((1, 1, 1), (2, 2, 1), (5, 3, 14), (6, 4, 14))
    ]
    jobs[0]["time_windows"] = [[32_400, 36_000]]
    shipment = {
        "amount": [1],
        "skills": [2],
        "pickup": {"id": 4, "service": 300, "location_index": 5},
        "delivery": {"id": 3, "service": 300, "location_index": 6},
    }
    vehicles = [{"id": k, "skills": [k, 14], "breaks": [{"id": k, **pause}], **ends} for k in (1, 2)]
    matrices = {"car": {"durations": durations}}
    yield "example 1", {"vehicles": vehicles, "jobs": jobs, "shipments": [shipment], "matrices": matrices}, None
    matrix = [[0, 2104, 197, 1299], [2103, 0, 2255, 3152], [197, 2256, 0, 1102], [1299, 3153, 1102, 0]]
    two = [{"id": 1414, "location_index": 1}, {"id": 1515, "location_index": 2}]
    yield "example 2", {"vehicles": [{"id": 0, "start_index": 0, "end_index": 3}], "jobs": two, "matrix": matrix}, None
    given = [
        {"id": k, **ends, "steps": [{"type": "start"}, *({"type": "job", "id": j} for j in route), {"type": "end"}]}
        for k, route in ((1, (1, 2)), (2, (6, 5)))
    ]
    plain = [{key: value for key, value in job.items() if key != "skills"} for job in jobs]
    yield "example 3", {"vehicles": given, "jobs": plain, "matrices": matrices}, None


def _generated(requests: int) -> Iterator[Asked]:
    for seed in range(requests):
        yield f"seed {seed}", generate(seed, *SIZES[seed % len(SIZES)]), None


def _on_network(folder: Path, requests: int) -> Iterator[Asked]:
    """Yield generated requests at the sites of a scenario; the matrices are those of our router."""
    rows = (folder / "sites.csv").read_text(encoding="utf-8").splitlines()
    columns = rows[0].split(",")
    at = columns.index("lon"), columns.index("lat")
    sites = sorted({tuple(float(row.split(",")[k]) for k in at) for row in rows[1:]})
    router = network_router(folder)
    for seed in range(requests):
        jobs, shipments = SIZES[seed % len(SIZES)]
        body = generate(seed, jobs, shipments)
        draw = random.Random(seed)
        places: list[Place] = [draw.choice(sites) for _ in body["matrices"]["car"]["durations"]]  # type: ignore[misc]
        coordinates = _with_places({key: part for key, part in body.items() if key != "matrices"}, places)
        matrices = {}
        for profile in body["matrices"]:
            durations, distances = router(profile, places)
            tables = {"durations": durations, "distances": distances}
            matrices[profile] = {name: rows.clip(0, _NO_WAY).tolist() for name, rows in tables.items()}
        yield f"network {seed}", {**body, "matrices": matrices}, coordinates


def _with_places(part: Any, places: Sequence[Place]) -> Any:
    """Return a part of a request with coordinates for indices."""
    if isinstance(part, list):
        return [_with_places(inner, places) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        _INDICES.get(key, key): places[value] if key in _INDICES else _with_places(value, places)
        for key, value in part.items()
    }


def _metres(a: Place, b: Place) -> float:
    """Return the metres between coordinates, as the crow flies over a plane."""
    return math.hypot((a[0] - b[0]) * math.cos(math.radians(a[1])), a[1] - b[1]) * 111_200.0


def generate(seed: int, jobs: int, shipments: int) -> Body:
    """Return a request with skills, priorities, windows, setups, amounts, breaks, limits, profiles and open ends."""
    draw, more = random.Random(seed), random.Random(1_000 + seed)
    n = jobs + 2 * shipments + 3
    points = [(draw.uniform(0, 12_000), draw.uniform(0, 12_000)) for _ in range(n)]

    def matrix(speed: float) -> list[list[int]]:
        return [[round(_apart(a, b) / speed * (1.0 if a is b else 1.2)) for b in points] for a in points]

    def windows() -> list[list[int]]:
        begin = draw.randrange(0, 18_000)
        kinds: list[list[list[int]]] = [[], [[begin, begin + 5_400]], [[begin, begin + 2_400], [24_000, 28_000]]]
        return kinds[draw.choice([0, 0, 1, 1, 2])]

    def spot(number: int, index: int) -> Body:
        times = {"service": draw.choice([60, 120, 300]), "setup": draw.choice([0, 0, 120])}
        found = windows()
        return {"id": number, "location_index": index, **times, **({"time_windows": found} if found else {})}

    body: Body = {"jobs": [], "shipments": [], "vehicles": []}
    for k in range(jobs):
        extra = {"skills": draw.choice([[], [], [], [1]]), "priority": draw.choice([0, 0, 0, 10])}
        load = {"delivery": [draw.randrange(4)], "pickup": [draw.randrange(3)]}
        by_type = {"service_per_type": {"quick": 45}} if more.random() < 0.2 else {}
        body["jobs"].append({**spot(k, 3 + k), **extra, **load, **by_type})
    for k in range(shipments):
        ends = [spot(1_000 + k, 3 + jobs + 2 * k + end) for end in range(2)]
        body["shipments"].append(
            {"pickup": ends[0], "delivery": ends[1], "amount": [draw.randrange(1, 3)], "skills": []}
        )
    for k in range(max(2, (jobs + 2 * shipments) // 9)):
        body["vehicles"].append(_vehicle(k, draw, more))
    distances = matrix(1.0)
    body["matrices"] = {name: {"durations": matrix(speed), "distances": distances} for name, speed in SPEEDS.items()}
    return body


def _vehicle(number: int, draw: random.Random, more: random.Random) -> Body:
    base = draw.randrange(3)
    begin = draw.choice([0, 0, 3_600])
    vehicle: Body = {
        "id": number,
        "profile": draw.choice(["car", "car", "bike"]),
        "start_index": base,
        "end_index": base,
        "capacity": [draw.choice([12, 20])],
        "skills": draw.choice([[], [1]]),
        "time_window": [begin, begin + 28_800],
        "costs": {"fixed": draw.choice([0, 0, 600]), "per_hour": draw.choice([3_600, 3_600, 5_400])},
    }
    kind = draw.randrange(6)
    if kind == 0:
        del vehicle["end_index"]
    elif kind == 1:
        vehicle["max_tasks"] = 8
    elif kind == 2:
        vehicle["max_travel_time"] = 9_000
    if draw.random() < 0.5:
        light = {"max_load": [4]} if more.random() < 0.2 else {}
        vehicle["breaks"] = [{"id": 1, "time_windows": [[12_000, 15_000]], "service": 1_800, **light}]
    if more.random() < 0.2:
        vehicle["type"] = "quick"
    if more.random() < 0.2:
        vehicle["max_distance"] = 60_000
    if more.random() < 0.2:
        vehicle["costs"]["per_km"] = 50
    return vehicle


def _apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _peer(body: Body, python: str) -> tuple[Body, float] | None:
    """Return the answer and the CPU seconds it took; None where the peer fails."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "request.json", Path(folder) / "answer.json"
        asked.write_text(json.dumps(body), encoding="utf-8")
        command = [python, "-c", PEER, str(asked), str(answered)]
        told = subprocess.run(command, check=False, capture_output=True, text=True)
        if told.returncode:
            return None
        found: Body = json.loads(answered.read_text(encoding="utf-8"))
    return found, float(told.stdout.split()[-1])


def _measure(body: Body, answer: Body) -> tuple[int, int, int]:
    """Return priority served, tasks served and cost of an answer."""
    jobs = {job["id"]: job.get("priority", 0) for job in body["jobs"]}
    steps = [step for route in answer["routes"] for step in route["steps"] if step["type"] in _KINDS]
    priority = sum(jobs[step["id"]] for step in steps if step["type"] == "job")
    return priority, len(steps), int(answer["summary"]["cost"])


# --- Table -----------------------------------------------------------------------------------------------------------


def table(runs: Sequence[Run], asked: int, limit_s: float, where: str) -> str:
    """Return the results in Markdown."""
    failed = [run["name"] for run in runs if run["theirs"] is None]
    partial = "" if len(runs) >= asked else f" {len(runs)} of {asked} requests are done; the rest is to come."
    runs = [run for run in runs if run["theirs"] is not None]
    lacking = sorted({key for run in runs for key in run["lacking"]})
    lines = [
        "# VROOM's requests beside VROOM",
        "",
        f"`python -m benchmarks.vroom` on {where}.",
        f"The peer is pyvroom with `exploration_level={EFFORT}`, one thread and no limit of time; ours has the",
        f"service's default limit (at most {limit_s:g} s). Seconds are of CPU, ours and the peer's.{partial}",
        "",
        "Examples are requests like those of VROOM's documentation, seeds generated ones (skills, priorities, one or",
        "two windows, setup and service, also by type, deliveries and pickups, shipments, breaks, also by load, two",
        "profiles, several bases, an open end, costs fixed, by hour and by km, limits of tasks, travel and distance),",
        "networks the same on coordinates of a network, where the peer gets our router's matrices. Priority is the sum",
        "over jobs served.",
        "",
        *(_summary(kind, [run for run in runs if run["name"].startswith(kind)]) for kind in ("example", "seed", "net")),
        f"- pyvroom itself ended with an error on: {', '.join(failed) or 'none'}.",
        f"- Keys of VROOM's answers that ours lack: {', '.join(lacking) or 'none'}.",
        "",
        "| request | jobs | shipments | priority | VROOM | served | VROOM | cost | VROOM | difference | s | VROOM |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_row(run) for run in runs),
    ]
    return "\n".join(line for line in lines if line is not None) + "\n"


def _gap(run: Run) -> float | None:
    """Return by how many percent ours is dearer, None where not as much is served."""
    if list(run["ours"][:2]) != list(run["theirs"][:2]):
        return None
    return 100.0 * (run["ours"][2] / run["theirs"][2] - 1.0) if run["theirs"][2] else 0.0


def _summary(kind: str, runs: Sequence[Run]) -> str | None:
    if not runs:
        return None
    more = sum(list(run["ours"][:2]) > list(run["theirs"][:2]) for run in runs)
    fewer = sum(list(run["ours"][:2]) < list(run["theirs"][:2]) for run in runs)
    gaps = sorted(gap for gap in map(_gap, runs) if gap is not None)
    dearer = [gap for gap in gaps if gap > 0.0]
    names = {"example": "Examples", "seed": "Generated", "net": "On the network"}
    text = f"- {names[kind]} ({len(runs)}): more served in {more}, fewer in {fewer}; of the {len(gaps)} served alike "
    text += f"{sum(gap < 0.0 for gap in gaps)} cheaper, {sum(gap == 0.0 for gap in gaps)} equal, {len(dearer)} dearer"
    if gaps:
        text += f" ({gaps[0]:+.1f} % to {gaps[-1]:+.1f} %, mean {sum(gaps) / len(gaps):+.2f} %)"
    ours, theirs = (sum(run[name] for run in runs) for name in ("ours_s", "theirs_s"))
    return f"{text}; {ours:.0f} s in all, VROOM {theirs:.0f} s."


def _row(run: Run) -> str:
    pairs = " | ".join(f"{ours} | {theirs}" for ours, theirs in zip(run["ours"], run["theirs"], strict=True))
    gap = _gap(run)
    told = "" if gap is None else f"{gap:+.2f} %"
    head = f"| {run['name']} | {run['jobs']} | {run['shipments']} | {pairs} | {told} "
    return f"{head}| {run['ours_s']:.1f} | {run['theirs_s']:.1f} |"


if __name__ == "__main__":
    main()
