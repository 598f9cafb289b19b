"""The adapter and the judge of family ``3tdppt``."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from geodata.errors import InputError
from routing.instances.registry import FAMILIES
from routing.instances.threetier import read_instance
from routing.instances.threetier_file import read_files
from routing.instances.threetier_judge import answer_of
from routing.model.plan import Plan
from routing.solver.relay.engine import ENGINE
from routing.solver.stopping import Clock, Limits
from tests.three_tier_files import CITY, DEMANDS, PARAMS, write

SHARED = Path(os.environ.get("SHANLU_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data")).parent
FOLDER = SHARED / "benchmarks" / "3tdppt"


def plan_of(path: Path, moves: int = 300) -> Plan:
    """Return the relay engine's plan of an instance."""
    problem = read_instance(path).problem
    answer = ENGINE.search(problem, Clock(Limits(None, moves), None, None, len(problem.orders)), 1)
    assert answer is not None
    return answer.plan


def test_the_problem_has_the_files_figures(tmp_path: Path) -> None:
    """Tests that times, lengths, loads and counts of the problem are those of the files."""
    problem = read_instance(write(tmp_path)).problem
    assert [len(found) for found in (problem.orders, problem.bus_trips)] == [3, 6]
    assert [v.id for v in problem.vehicles if v.kind == "vehicle"] == ["truck-1", "truck-2"]
    assert {v.base for v in problem.vehicles if v.kind == "courier"} == {"P", "Q"}
    assert problem.orders[1].windows == ((20_000, 80_000),)
    call = problem.bus_trips[2].calls[1]
    assert (call.place_id, call.departure_s, call.can_load, call.can_unload) == ("B", 27_000, True, False)
    truck = problem.matrices["truck"]
    assert truck.duration_s[truck.index["centre"], truck.index["B"]] == 4_000
    courier = problem.matrices["courier P"]
    assert courier.distance_m[courier.index["P"], courier.index["door d1"]] == 8_000  # 8.246 cut
    assert "door d3" not in problem.matrices["courier Q"].index or "door d2" not in problem.matrices["courier Q"].index
    assert problem.place_by_id["A"].max_wait_s == 30_000


def test_lengths_are_whole_only_where_stops_state_times(tmp_path: Path) -> None:
    """Tests that files without service times keep lengths as they are, and take the default waits and runs."""
    city = CITY.replace(" 0 {wait}", "").replace("40 1 5 10 6", "40 1")
    params = PARAMS + "freightRouteCostCoeff 0.5\n"
    problem = read_instance(write(tmp_path, city, params=params)).problem
    courier = problem.matrices["courier P"]
    assert courier.distance_m[courier.index["P"], courier.index["door d1"]] == 8_246
    assert problem.place_by_id["A"].max_wait_s == 60_000
    assert len(problem.bus_trips) == 30
    assert {v.type.cost_per_km for v in problem.vehicles if v.kind == "courier"} == {500.0}


def test_best_values_of_another_convention_are_not_compared(tmp_path: Path) -> None:
    """Tests that the best published value is read, unless it was reckoned otherwise than the files say."""
    path = write(tmp_path)
    table = tmp_path / "best_known.csv"
    head = "instance,best_published_ub,objective_convention\n"
    table.write_text(head + "small,123.5,trunc=1;courier_coeff=1\n", encoding="utf-8")
    assert read_instance(path).best_known == 123.5
    table.write_text(head + "small,123.5,trunc=0;courier_coeff=1;couriers_per_stop=10 (matched)\n", encoding="utf-8")
    assert read_instance(path).best_known is None
    table.write_text(head + "small,,\n", encoding="utf-8")
    assert read_instance(path).best_known is None
    table.write_text(head + "small,many,trunc=1\n", encoding="utf-8")
    with pytest.raises(InputError, match="table of best values"):
        read_instance(path)


def test_all_faults_of_the_files_are_told_together(tmp_path: Path) -> None:
    """Tests that a damaged instance names every fault of its three files at once."""
    city = CITY.replace("A B\nP Q\n", "A Z\nP P\n").replace("S B 100 1 20 0 0 {wait}", "S B 100 1 20 0 0 -1")
    city = "X what\n" + city.replace("D d3 92 9", "D d3 92 north")
    demands = DEMANDS.replace("d2 12 20 80", "d2 12 80 20") + "d9 1 0 1\n"
    params = PARAMS.replace("maxTrucks 2\n", "")
    with pytest.raises(InputError) as caught:
        read_instance(write(tmp_path, city, demands, params))
    told = str(caught.value)
    for part in ("maxTrucks is missing", "window empty", "2 numbers", "stop that does not exist", "none of a stop",
                 "of no customer", "twice", "a time is negative"):  # fmt: skip
        assert part in told, part


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("A B\n# D", "# D"), "rows of stops are expected"),
        (lambda text: text.replace("O C 0 0\nA B\n", ""), "no centre"),
        (lambda text: text.replace("P Q\nD d2", "P Q\nP\nD d2"), "rows of stops are expected"),
        (lambda text: text.replace("S Q 100 1 90 0 0 {wait}", "S Q 100 1 90 0"), "others do not"),
        (lambda text: text.replace("20 0 0 {wait}", "20 0 3 {wait}"), "not supported"),
        (lambda text: text.replace("S A 100", "S A many"), "numbers"),
        (lambda _: "", "no customer"),
    ],
)
def test_broken_cities_are_refused(change: Callable[[str], str], told: str, tmp_path: Path) -> None:
    """Tests that each way of breaking the city file ends in a fault that tells it."""
    with pytest.raises(InputError, match=told):
        read_files(write(tmp_path, change(CITY)))


def test_absent_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    """Tests that a missing file and one that is no text are told by name."""
    path = write(tmp_path)
    (tmp_path / "small.params").unlink()
    (tmp_path / "small.demands").write_bytes(b"\xff\xfe\x00d1")
    with pytest.raises(InputError) as caught:
        read_instance(path)
    assert [(fault.code, fault.file) for fault in caught.value.faults] == [
        ("BROKEN_FILE", "small.demands"), ("MISSING_FILE", "small.params"),
    ]  # fmt: skip


def moved(plan: Plan, kind: str, number: int, by: int) -> Plan:
    """Return the plan with one stop of the first route of a kind moved in time."""
    at = next(k for k, route in enumerate(plan.routes) if route.kind == kind)
    stops = list(plan.routes[at].stops)
    old = stops[number]
    stops[number] = replace(
        old, arrival_s=old.arrival_s + by, service_start_s=old.service_start_s + by,
        service_end_s=old.service_end_s + by, departure_s=old.departure_s + by,
    )  # fmt: skip
    route = replace(plan.routes[at], stops=tuple(stops))
    return Plan((*plan.routes[:at], route, *plan.routes[at + 1 :]))


def test_the_judge_finds_what_is_wrong(tmp_path: Path) -> None:
    """Tests that a sound plan is priced by the files and that plans damaged in each part are refused."""
    path = write(tmp_path)
    judge, plan = read_instance(path).judge, plan_of(path)
    assert judge(plan).faults == ()
    assert judge(plan).objective == 20 + 22 + 18  # truck C-A-C; couriers P-d1-d2-P of 8, 4, 10 (cut) and Q-d3-Q
    damaged = {
        "misses its bus": moved(plan, "vehicle", 1, 60_000),
        "waits": moved(plan, "vehicle", 1, -40_000),
        "leaves before": moved(plan, "courier", 0, -4_000),
        "outside its window": moved(plan, "courier", 1, 200_000),
        "too early": moved(plan, "courier", 2, -100),
        "exactly once": Plan(tuple(route for route in plan.routes if route.kind != "courier")),
        "not where its courier starts": Plan(
            tuple(replace(r, stops=(replace(r.stops[0], place="A"), *r.stops[1:])) if r.kind == "courier" else r
                  for r in plan.routes)
        ),
    }  # fmt: skip
    for told, broken in damaged.items():
        verdict = judge(broken)
        assert verdict.objective is None
        assert any(told in fault for fault in verdict.faults), (told, verdict.faults)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ("maxTrucks 0", "trucks are used"),
        ("trucksCap 30", "truck 0 carries"),
        ("freightersCap 8", "a courier from"),
        ("maxFreightersPerStop 0", "couriers leave"),
        ("Lmax 1", "away too long"),
    ],
)
def test_the_judge_reads_limits_from_the_files(params: str, told: str, tmp_path: Path) -> None:
    """Tests that a plan made under wide limits is refused under the narrower limits of another file."""
    plan = plan_of(write(tmp_path))
    name = params.split(maxsplit=1)[0]
    lines = [params if line.startswith(name) else line for line in PARAMS.splitlines()]
    verdict = read_instance(write(tmp_path, params="\n".join(lines))).judge(plan)
    assert any(told in fault for fault in verdict.faults)


@pytest.mark.parametrize("name", ["insC1.4", "Instance4"])
def test_the_published_checker_accepts_our_answers(name: str, tmp_path: Path) -> None:
    """Tests that the stand-alone checker of the shared folder agrees with our judge on both conventions."""
    if not (FOLDER / "check3t.py").is_file():
        pytest.skip("the shared benchmarks are absent")
    path = next(FOLDER.glob(f"*/{name}.city"))
    plan = plan_of(path, 1_500)
    verdict = FAMILIES["3tdppt"].read(path).judge(plan)
    assert verdict.feasible
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps(asdict(answer_of(plan))), encoding="utf-8")
    command = [sys.executable, str(FOLDER / "check3t.py"), str(path.with_suffix("")), str(answer)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "\nFEASIBLE" in "\n" + said
    assert float(said.partition("objective ")[2].split(maxsplit=1)[0]) == pytest.approx(verdict.objective, rel=1e-5)
