"""The pair search through the public solver: what it must do at any effort."""

from dataclasses import replace
from itertools import pairwise

import pytest
from pair_days import pair_day, pair_van
from plan_oracle import violations
from problems import order, place, problem

from geodata.errors import InputError
from routing.checker.problem_facts import check_problem_plan
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.plan_io import derive_legs
from routing.solver import Limits, Progress, solve
from routing.solver.pairs import engine
from routing.solver.pairs.compile import compile_pairs, suits
from routing.solver.pairs.first_plan import first_rounds
from routing.solver.pairs.plan import make_plan
from routing.solver.pairs.search import BEGIN_STEPS_PER_ORDER
from routing.solver.stopping import Clock


def dear(day: Problem, factor: float = 100.0) -> Problem:
    """Return the day with vehicles so dear that fewest of them come first, and orders dearer still."""
    vehicles = tuple(
        replace(vehicle, type=replace(vehicle.type, fixed_cost=vehicle.type.fixed_cost * factor))
        for vehicle in day.vehicles
    )
    orders = tuple(replace(wanted, unserved_cost=10_000_000.0) for wanted in day.orders)
    return replace(day, vehicles=vehicles, orders=orders)


@pytest.mark.parametrize("seed", range(4))
def test_plans_pass_the_checker(seed: int) -> None:
    """Tests that plans keep every rule, by the checker and by the second reading, served or explained."""
    day = pair_day(seed, orders=14, vehicles=4, cost_per_h=900.0 * (seed % 2))
    assert suits(day)
    solution = solve(day, Limits(None, 300), seed=seed)
    assert check_problem_plan(day, solution.plan).violations == ()
    assert [text for text in violations(day, solution.plan) if "four hours" not in text] == []
    served = derive_legs(solution.plan)
    assert len(served) + len(solution.plan.unassigned) == 14
    assert len(served) > 4


def test_impossible_orders_are_left_out_with_a_reason() -> None:
    """Tests that an order too heavy and one never open are unassigned while the others are served."""
    day = pair_day(5, orders=6, vehicles=4)
    heavy = replace(day.orders[0], weight_kg=500.0)
    never = replace(day.orders[1], windows=((10, 20),))
    day = replace(day, orders=(heavy, never, *day.orders[2:]))
    plan = solve(day, Limits(None, 200), seed=1).plan
    left = {gone.order: gone for gone in plan.unassigned}
    assert {"o0", "o1"} <= left.keys()
    assert all(gone.reason and gone.text for gone in left.values())
    assert len(derive_legs(plan)) == 6 - len(left) > 0


@pytest.mark.parametrize("seed", range(4))
def test_searches_begun_anew_never_lose_the_best_plan(seed: int) -> None:
    """Tests that four searches, the first the same as a single one of a quarter of the effort, end no dearer."""
    day = dear(pair_day(seed, orders=10, vehicles=4))
    effort = BEGIN_STEPS_PER_ORDER * len(day.orders)
    one, four = solve(day, Limits(None, effort), seed=1), solve(day, Limits(None, 4 * effort), seed=1)
    assert four.cost.total <= one.cost.total
    assert check_problem_plan(day, four.plan).is_clean


def test_equal_seeds_and_iterations_give_equal_plans() -> None:
    """Tests that the search is deterministic where iterations are counted."""
    day = dear(pair_day(7, orders=20, vehicles=6))
    one, other = (solve(day, Limits(None, 700), seed=3) for _ in range(2))
    assert one == other
    assert one.iterations == 700


def test_dear_vehicles_are_saved_first() -> None:
    """Tests that two far corners get a vehicle each where vehicles are cheap, and one for both where they are dear."""
    spots = [
        place(name, x_km, 0.0) for name, x_km in (("west", 0), ("a", 1), ("b", 2), ("east", 20), ("c", 21), ("d", 22))
    ]
    fleet = [(pair_van(fixed_cost=100.0), base, 1) for base in ("west", "east")]
    day = problem(spots, [order("o0", "a", "b"), order("o1", "c", "d")], fleet)
    cheap, few = (solve(dear(day, factor), Limits(None, 300), seed=1).plan for factor in (1.0, 1_000.0))
    assert (len(cheap.routes), len(few.routes)) == (2, 1)
    assert len(derive_legs(few)) == 2


def test_more_effort_is_never_worse() -> None:
    """Tests that the progress reported never rises and ends at the cost of the plan."""
    day = pair_day(9, orders=20, vehicles=6)
    seen: list[Progress] = []
    solution = solve(day, Limits(None, 1_500), seed=1, progress=seen.append)
    costs = [progress.cost for progress in seen if progress.cost is not None]
    assert all(after <= before for before, after in pairwise(costs))
    assert solution.cost.total <= costs[-1] + 1


def test_cancelling_gives_the_best_plan_so_far() -> None:
    """Tests that once the caller cancels, the search ends soon with a plan that keeps the rules."""
    day = pair_day(10, orders=20, vehicles=6)
    asked = [0]

    def cancelled() -> bool:
        asked[0] += 1
        return asked[0] > 12

    solution = solve(day, Limits(None, 10_000_000), seed=1, cancelled=cancelled)
    assert check_problem_plan(day, solution.plan).violations == ()
    assert 0 < solution.iterations < 100_000
    assert solution.plan.routes


def test_a_plain_plan_stands_in_while_the_loops_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that where the compiler outlasts the time, plain insertion has made a plan that keeps the rules."""
    day = pair_day(11, orders=8, vehicles=4)
    ended = [False]
    monkeypatch.setattr(engine, "_CACHED_S", 0.01)
    monkeypatch.setattr(engine, "_load", lambda: _wait_for(ended))
    clock = Clock(Limits(2.0), None, None, 8)
    answer = engine.search(day, clock, 1)
    ended[0] = True
    assert answer is not None
    assert answer.iterations == 0
    assert len(derive_legs(answer.plan)) > 3
    left = Plan(answer.plan.routes)
    assert not {found.code for found in check_problem_plan(day, left).violations} - {"CUSTODY_MISSING"}


def test_plain_insertion_stops_when_told() -> None:
    """Tests that the plain plan begins no further order once stopped."""
    compiled = compile_pairs(pair_day(11, orders=8, vehicles=4))
    assert make_plan(compiled, first_rounds(compiled.day, lambda: True)) == Plan()


def _wait_for(ended: list[bool]) -> None:
    import time

    for _ in range(600):
        if ended[0]:
            return
        time.sleep(0.05)
    raise InputError([])
