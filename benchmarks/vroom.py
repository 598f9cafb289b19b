"""VROOM-compatible answers beside VROOM's own: generated requests over all supported features.

``python -m benchmarks.vroom --requests 50 --peer PYTHON`` prints a row of Markdown for each request; PYTHON is an
interpreter that has pyvroom (it is no dependency of this project). Both get the same request with matrices in it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from api.vroom.answer import make_answer
from api.vroom.problem import make_problem
from api.vroom.request import VroomRequest
from api.vroom.solve import search_s
from benchmarks.machine import conditions
from routing.trips.search import plan_trips, prepare

LIMIT_S = 5.0
"""Default limit of the service."""
PEER = """
import sys, vroom
vroom.Input.from_json(sys.argv[1]).solve(exploration_level=5, nb_threads=1).to_json(sys.argv[2])
"""
SIZES = ((10, 0), (12, 4), (20, 6), (25, 0), (30, 10), (40, 0), (60, 10), (100, 0))
"""Jobs and shipments of the requests in turn."""
_KINDS = ("job", "pickup", "delivery")
HEADER = (
    "| seed | jobs | shipments | priority | VROOM | served | VROOM | cost | VROOM | difference | s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Print the table and its summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="seed of the first request")
    parser.add_argument("--peer", required=True, help="Python interpreter that has pyvroom")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="longest search, seconds")
    chosen = parser.parse_args()
    prepare()
    print(conditions(("numba", "numpy")))
    print(HEADER)
    outcomes = []
    for seed in range(chosen.first, chosen.first + chosen.requests):
        jobs, shipments = SIZES[seed % len(SIZES)]
        request = generate(seed, jobs, shipments)
        begun = time.perf_counter()
        ours = _measure(request, _ours(request, chosen.limit))
        spent_s = time.perf_counter() - begun
        theirs = _measure(request, _peer(request, chosen.peer))
        gap = None if theirs[:2] != ours[:2] else 100.0 * (ours[2] / theirs[2] - 1.0) if theirs[2] else 0.0
        outcomes.append((ours, theirs, gap))
        pairs = " | ".join(f"{mine:g} | {their:g}" for mine, their in zip(ours, theirs, strict=True))
        told = "" if gap is None else f"{gap:+.1f} %"
        print(f"| {seed} | {jobs} | {shipments} | {pairs} | {told} | {spent_s:.1f} |", flush=True)
    _summarise(outcomes)


def _summarise(outcomes: list[Any]) -> None:
    more = sum(ours[:2] > theirs[:2] for ours, theirs, _ in outcomes)
    fewer = sum(ours[:2] < theirs[:2] for ours, theirs, _ in outcomes)
    gaps = sorted(gap for _, _, gap in outcomes if gap is not None)
    dearer = sum(gap > 1e-9 for gap in gaps)
    cheaper = sum(gap < -1e-9 for gap in gaps)
    print(f"\nserved more: {more}, fewer: {fewer}; as much: {len(gaps)}, cheaper {cheaper}, dearer {dearer}")
    if gaps:
        print(f"difference: {gaps[0]:+.1f} % to {gaps[-1]:+.1f} %, median {gaps[len(gaps) // 2]:+.2f} %")


def generate(seed: int, jobs: int, shipments: int) -> dict[str, Any]:
    """Return a request with skills, priorities, windows, setups, amounts, breaks, limits, profiles and open ends."""
    draw = random.Random(seed)
    n = jobs + 2 * shipments + 3
    points = [(draw.uniform(0, 12_000), draw.uniform(0, 12_000)) for _ in range(n)]

    def matrix(speed: float) -> list[list[int]]:
        return [[round(_apart(a, b) / speed * (1.0 if a is b else 1.2)) for b in points] for a in points]

    def windows() -> list[list[int]]:
        begin = draw.randrange(0, 18_000)
        kinds: list[list[list[int]]] = [[], [[begin, begin + 5_400]], [[begin, begin + 2_400], [24_000, 28_000]]]
        return kinds[draw.choice([0, 0, 1, 1, 2])]

    def spot(number: int, index: int) -> dict[str, Any]:
        times = {"service": draw.choice([60, 120, 300]), "setup": draw.choice([0, 0, 120])}
        found = windows()
        return {"id": number, "location_index": index, **times, **({"time_windows": found} if found else {})}

    body: dict[str, Any] = {"jobs": [], "shipments": [], "vehicles": []}
    for k in range(jobs):
        extra = {"skills": draw.choice([[], [], [], [1]]), "priority": draw.choice([0, 0, 0, 10])}
        load = {"delivery": [draw.randrange(4)], "pickup": [draw.randrange(3)]}
        body["jobs"].append({**spot(k, 3 + k), **extra, **load})
    for k in range(shipments):
        ends = [spot(1_000 + k, 3 + jobs + 2 * k + end) for end in range(2)]
        body["shipments"].append(
            {"pickup": ends[0], "delivery": ends[1], "amount": [draw.randrange(1, 3)], "skills": []}
        )
    for k in range(max(2, (jobs + 2 * shipments) // 9)):
        body["vehicles"].append(_vehicle(k, draw))
    body["matrices"] = {"car": {"durations": matrix(9.0)}, "bike": {"durations": matrix(6.0)}}
    return body


def _vehicle(number: int, draw: random.Random) -> dict[str, Any]:
    base = draw.randrange(3)
    begin = draw.choice([0, 0, 3_600])
    vehicle: dict[str, Any] = {
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
        vehicle["breaks"] = [{"id": 1, "time_windows": [[12_000, 15_000]], "service": 1_800}]
    return vehicle


def _apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _ours(body: dict[str, Any], limit_s: float) -> dict[str, Any]:
    request = VroomRequest.model_validate(body)
    problem = make_problem(request, None)
    trips = plan_trips(problem.visits, problem.vehicles, search_s(request, len(problem.tasks), limit_s))
    assert trips is not None
    return make_answer(request, problem, trips, None)


def _peer(body: dict[str, Any], python: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "request.json", Path(folder) / "answer.json"
        asked.write_text(json.dumps(body), encoding="utf-8")
        subprocess.run([python, "-c", PEER, str(asked), str(answered)], check=True)
        found: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
    return found


def _measure(body: dict[str, Any], answer: dict[str, Any]) -> tuple[int, int, int]:
    """Return priority served, tasks served and cost of an answer."""
    jobs = {job["id"]: job.get("priority", 0) for job in body["jobs"]}
    steps = [step for route in answer["routes"] for step in route["steps"] if step["type"] in _KINDS]
    priority = sum(jobs[step["id"]] for step in steps if step["type"] == "job")
    return priority, len(steps), int(answer["summary"]["cost"])


if __name__ == "__main__":
    main()
