"""The relay engine: which days suit it, its limits, determinism, and that its plans keep every rule."""

import math
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from routing.checker.problem_facts import check_problem_plan
from routing.instances.threetier import read_instance
from routing.model.problem import Problem
from routing.solver import planner
from routing.solver.engines import ENGINES
from routing.solver.portfolio import engine_for
from routing.solver.relay import search
from routing.solver.relay.day import compile_day, suits
from routing.solver.relay.engine import ENGINE
from routing.solver.stopping import Clock, Limits, Progress
from routing.solver.verify import broken_orders
from tests.problems import county
from tests.three_tier_files import CITY, DEMANDS, write, write_random


def solve(problem: Problem, moves: int, seed: int = 1) -> planner.Solution:
    """Return the planner's solution after so many moves."""
    return planner.solve(problem, Limits(time_limit_s=None, max_iterations=moves), seed)


def test_the_portfolio_chooses_the_engine_by_features(tmp_path: Path) -> None:
    """Tests that a relay day is planned by this engine and an ordinary county is not."""
    assert engine_for(read_instance(write(tmp_path)).problem, ENGINES) is ENGINE
    assert not suits(county(1))


def changed(problem: Problem, part: str) -> Problem:
    """Return the problem with one feature the engine does not know."""
    order, place, trip = problem.orders[0], problem.places[1], problem.bus_trips[0]
    vehicles = list(problem.vehicles)
    matrix = problem.matrices["truck"]
    reached = replace(matrix, ids=(*matrix.ids[:-1], "door d1"))
    fleet = {
        "rounds": {"max_rounds": 2}, "hours": {"cost_per_h": 5.0}, "range": {"range_wh": 9.0},
        "shift": {"shift_end_s": 9},
        "rest": {"max_continuous_drive_s": 14_400}, "drive": {"max_drive_s": 9}, "litres": {"compartments": ()},
    }  # fmt: skip
    if part in fleet:
        vehicles[0] = replace(vehicles[0], type=replace(vehicles[0].type, **fleet[part]))
    found = {
        "orders": {"orders": ()},
        "due": {"orders": (replace(order, due_s=5), *problem.orders[1:])},
        "service": {"orders": (replace(order, service_s=5), *problem.orders[1:])},
        "windows": {"orders": (replace(order, windows=()), *problem.orders[1:])},
        "origin": {"orders": (replace(order, from_id="A"), *problem.orders[1:])},
        "again": {"orders": (replace(order, to_id=problem.orders[1].to_id), *problem.orders[1:])},
        "release": {"orders": (replace(order, release_s=5), *problem.orders[1:])},
        "handling": {"rates": replace(problem.rates, handling_per_piece=1.0)},
        "fee": {"bus_trips": (replace(trip, fee_per_kg=1.0), *problem.bus_trips[1:])},
        "pieces": {"bus_trips": (replace(trip, max_piece_kg=1.0), *problem.bus_trips[1:])},
        "order of calls": {"bus_trips": (replace(trip, calls=trip.calls[::-1]), *problem.bus_trips[1:])},
        "hours of places": {"places": (problem.places[0], replace(place, closes_s=99), *problem.places[2:])},
        "stores": {"places": (problem.places[0], replace(place, store_kg={"ambient": 1.0}), *problem.places[2:])},
        "doors by truck": {"matrices": {**problem.matrices, "truck": reached}},
    }.get(part, {"vehicles": tuple(vehicles)})
    if part == "order of calls":
        calls = tuple(replace(call, can_load=True, can_unload=True) for call in trip.calls)
        found = {"bus_trips": (replace(trip, calls=calls), *problem.bus_trips[1:])}
    return replace(problem, **found)


@pytest.mark.parametrize(
    "part",
    ["rounds", "hours", "range", "shift", "rest", "drive", "orders", "due", "service", "windows", "origin", "again",
     "release", "handling", "fee", "pieces", "order of calls", "hours of places", "stores", "doors by truck"],
)  # fmt: skip
def test_unknown_features_are_declined(part: str, tmp_path: Path) -> None:
    """Tests that any feature the engine does not know leaves the day to others."""
    problem = read_instance(write(tmp_path)).problem
    assert suits(problem)
    assert not suits(changed(problem, part))


@pytest.mark.parametrize("seed", range(6))
def test_plans_keep_every_rule(seed: int, tmp_path: Path) -> None:
    """Tests that plans of random days pass the gate, the checker and, where complete, the family's judge."""
    instance = read_instance(write_random(tmp_path, seed, 6 + 2 * seed))
    found = solve(instance.problem, 200, seed)
    assert broken_orders(instance.problem, found.plan) == []
    assert check_problem_plan(instance.problem, found.plan).violations == ()
    left = [gone.order for gone in found.plan.unassigned]
    verdict = instance.judge(found.plan)
    assert all(any(order in fault for order in left) for fault in verdict.faults)
    if not left:
        assert verdict.objective == pytest.approx(found.cost.total / 1000.0, abs=0.01)


def test_equal_seeds_and_moves_give_equal_plans(tmp_path: Path) -> None:
    """Tests that the search hangs on seed and moves alone."""
    problem = read_instance(write_random(tmp_path, 5, 14)).problem
    first, again = solve(problem, 150, 7), solve(problem, 150, 7)
    assert first.plan == again.plan
    assert first.iterations == again.iterations
    assert first.bound == again.bound


def test_interpreted_and_compiled_moves_agree(tmp_path: Path) -> None:
    """Tests that the search gives the same plan with and without machine code."""
    facts = compile_day(read_instance(write_random(tmp_path, 2, 9)).problem).facts
    results = []
    for improve in (search.kernel.improve, search.kernel.uncompiled("improve")):
        now, trial, best = (search.empty_draft(facts, 3) for _ in range(3))
        improve(facts, now, trial, best, search._generator(3), 12, 500.0, search.empty_scratch(facts))
        results.append(best)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_day_without_machine_code_still_gets_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a plan is there when the time is over before the compiler is done."""
    problem = read_instance(write_random(tmp_path, 3, 12)).problem
    monkeypatch.setattr(search, "_compile", lambda *_: Future())
    answer = ENGINE.search(problem, Clock(Limits(time_limit_s=2.0), None, None, 12), 1)
    served = {handover.order for route in answer.plan.routes for stop in route.stops for handover in stop.load}
    assert len(served) >= 6
    assert broken_orders(problem, answer.plan) == []


def test_cancelling_ends_the_search(tmp_path: Path) -> None:
    """Tests that a cancelled search returns its best plan, and that progress is told meanwhile."""
    problem = read_instance(write_random(tmp_path, 4, 12)).problem
    stop, seen = threading.Event(), []

    def progress(now: Progress) -> None:
        seen.append(now)
        if now.stage == "improvement":
            stop.set()

    begun = time.monotonic()
    found = planner.solve(problem, Limits(time_limit_s=600.0), 1, progress, stop.is_set)
    assert time.monotonic() - begun < 300.0
    assert found.iterations > 0
    assert seen[-1].served + len(found.plan.unassigned) == 12


def test_orders_that_cannot_be_delivered_are_left_out_with_a_reason(tmp_path: Path) -> None:
    """Tests that an order whose window closes before any bus could come is unassigned and the others are served."""
    demands = DEMANDS.replace("d2 12 20 80", "d2 12 1 2")
    problem = read_instance(write(tmp_path, demands=demands)).problem
    found = solve(problem, 100)
    assert [gone.order for gone in found.plan.unassigned] == ["d2"]
    assert found.bound == pytest.approx(found.cost.total)


def test_a_day_without_out_stops_in_reach_leaves_all_out(tmp_path: Path) -> None:
    """Tests that orders no courier reaches are left out, and nothing breaks."""
    city = CITY.replace("D d2 66 8\nP", "D d2 66 8\nA")
    found = solve(read_instance(write(tmp_path, city)).problem, 100)
    assert [gone.order for gone in found.plan.unassigned] == ["d2"]


def test_waits_bind_to_the_unit(tmp_path: Path) -> None:
    """Tests that a truck brings goods for three runs where the wait allows just two headways, and not for less."""
    city = CITY.replace("L0 F 40 1 5 10 6", "L0 F 12 1 5 10 6").replace("A B\n# D", "A\n# D")
    params = "Lmax 1000\nmaxTrucks 1\nmaxFreightersPerStop 3\ntrucksCap 40\nfreightersCap 12\n"
    for wait, left in ((20, 0), (19.99, 1)):
        problem = read_instance(write(tmp_path, city, params=params, wait=wait)).problem
        assert len(solve(problem, 200).plan.unassigned) == left


def test_stops_seeds_of_the_generator_are_never_zero() -> None:
    """Tests that the generator's state is a positive word for any seed."""
    assert all(int(search._generator(seed)[0]) > 0 and math.isfinite(seed) for seed in range(50))


def test_trucks_pass_a_stop_where_that_is_shorter(tmp_path: Path) -> None:
    """Tests that cut lengths are used: 4.5 + 4.5 counts 8 where 9 straight counts 9, and no stop is passed twice."""
    city = CITY.replace("S A 100 1 10", "S A 100 1 4.5").replace("S B 100 1 20", "S B 100 1 9")
    city = city.replace("L0 F 40 1 5 10 6\nA B", "L0 F 40 1 5 10 6\nB")
    instance = read_instance(write(tmp_path, city))
    day = compile_day(instance.problem)
    assert day.in_stops == ("B",)
    assert not day.passed
    both = city + "L L1 F 1 1 5 10 1\nA\nQ\n"  # too small for anything, but trucks know its stop
    instance = read_instance(write(tmp_path, both))
    found = solve(instance.problem, 200)
    truck = next(route for route in found.plan.routes if route.kind == "vehicle")
    assert [stop.place for stop in truck.stops] == ["centre", "A", "B", "centre"]
    verdict = instance.judge(found.plan)
    assert verdict.faults == ()
    assert verdict.objective == 8 + 9 + 22 + 18
