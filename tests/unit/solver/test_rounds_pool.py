"""Unit and property tests of the engine of road rounds."""

import random
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import RATES, VAN, bus_trip, order, place, problem

from geodata.location import Level
from routing.checker.problem_facts import check_problem_plan
from routing.evaluation import cost_of
from routing.model.order import Order
from routing.model.problem import Problem
from routing.solver import Limits, solve
from routing.solver.portfolio import engine_for
from routing.solver.rounds_pool.annealing import Annealing
from routing.solver.rounds_pool.day_rows import Figures, empty_days, load_all, total_cost
from routing.solver.rounds_pool.engine import ENGINE, suits
from routing.solver.rounds_pool.figures import compile_day
from routing.solver.rounds_pool.pool import Pool, cost_of_days
from routing.solver.rounds_pool.round_pool import RoundPool
from routing.solver.stopping import Clock, Progress

FREE_RATES = replace(RATES, unit_s=0.0)
ROAMER = replace(VAN, id="roamer", max_continuous_drive_s=None, max_drive_s=86_400, cost_per_h=0.0, range_wh=None)
HUB = place("hub", 0, 0, Level.COUNTY, handling_s=0)


def day_of(
    seed: int, orders: int, vehicles: int, *, rounds: int | None = None, up: float = 0.0, bases: int = 1
) -> Problem:
    """Return a random day of rounds out of one or two bases."""
    draw = random.Random(seed)
    hubs = [HUB, place("dep", 12, 3, Level.TOWN, handling_s=0)][:bases]
    spots = [place(f"v{k}", draw.uniform(-9, 9), draw.uniform(-9, 9), handling_s=0) for k in range(orders)]
    made = [_order(draw, k, spots[k].id, draw.choice(hubs).id, draw.random() < up) for k in range(orders)]
    kind = replace(ROAMER, max_rounds=rounds)
    fleet = [(kind, hub.id, vehicles) for hub in hubs]
    return problem([*hubs, *spots], made, fleet, rates=FREE_RATES)


def _order(draw: random.Random, number: int, spot: str, hub: str, up: bool) -> Order:
    begin = draw.randrange(28_800, 50_000, 1_800)
    windows = () if up or draw.random() < 0.4 else ((begin, begin + 7_200),)
    ends = (spot, hub) if up else (hub, spot)
    weight = float(draw.choice([30, 60, 100, 150]))
    release = draw.choice([0, 0, 32_400])
    return order(f"o{number}", *ends, weight, volume_l=1.0, windows=windows, release_s=release, unserved_cost=50_000.0)


def test_the_engine_is_chosen_for_rounds_only() -> None:
    """Tests that a day of rounds is the engine's, and that each feature it does not know keeps the day from it."""
    day = day_of(1, 4, 2)
    assert engine_for(day) is ENGINE
    first = day.orders[0]
    changed = [
        replace(day, rates=RATES),
        replace(day, vehicles=tuple(replace(v, type=VAN) for v in day.vehicles)),
        replace(day, orders=(replace(first, product_class="chilled"), *day.orders[1:])),
        replace(day, orders=(replace(first, windows=((0, 9), (20, 30))), *day.orders[1:])),
        replace(day, orders=(replace(first, due_s=9, late_cost_per_h=5.0), *day.orders[1:])),
        replace(day, orders=(replace(first, from_id="v1", to_id="v2"), *day.orders[1:])),
        replace(day, orders=(replace(first, also_from=("v2",)), *day.orders[1:])),
        replace(day, bus_trips=(bus_trip("b", [("hub", 30_000), ("v1", 31_000)]),)),
    ]
    assert [suits(other) for other in changed] == [False] * len(changed)


@pytest.mark.parametrize("seed", range(4))
def test_small_days_are_solved_as_well_as_by_trying_all(seed: int) -> None:
    """Tests that five orders on two vehicles of one round cost as much as the best of all assignments and orders."""
    day = day_of(seed, 5, 2, rounds=1)
    found = solve(day, Limits(None, 40), seed)
    assert check_problem_plan(day, found.plan).is_clean
    assert found.cost.total == pytest.approx(_cheapest(day), abs=2)


def _cheapest(day: Problem) -> float:
    """Return the least cost over all assignments of orders to vehicles (or none) and all sequences."""
    f = compile_day(day).figures
    best: dict[frozenset[int], float] = {frozenset(): 0.0}
    for size in range(1, len(day.orders) + 1):
        for clients in permutations(range(len(day.orders)), size):
            money = _round_cost(f, clients)
            key = frozenset(clients)
            best[key] = min(money, best.get(key, float("inf")))
    total = float("inf")
    for owner in product(range(3), repeat=len(day.orders)):
        groups = [frozenset(c for c, who in enumerate(owner) if who == vehicle) for vehicle in range(3)]
        left = sum(float(f.left_cost[c]) for c in groups[2])
        total = min(total, left + best[groups[0]] + best[groups[1]])
    return total


def _round_cost(f: Figures, clients: tuple[int, ...]) -> float:
    base = int(f.base[0])
    if sum(f.brought[0, c] for c in clients) > f.room[0, 0] or sum(f.brought[1, c] for c in clients) > f.room[0, 1]:
        return float("inf")
    now, money, here = max([int(f.shift[0, 0]), *(int(f.release[c]) for c in clients)]), float(f.fixed[0]), base
    for c in clients:
        now = max(now + int(f.duration[0, here, c]), int(f.early[c]))
        if now > f.late[c]:
            return float("inf")
        now, money, here = now + int(f.service[c]), money + float(f.cost[0, here, c]), c
    now += int(f.duration[0, here, base])
    return money + float(f.cost[0, here, base]) if now <= f.shift[0, 1] else float("inf")


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000), orders=st.integers(1, 14), vehicles=st.integers(1, 3),
    rounds=st.sampled_from([1, 2, None]), up=st.sampled_from([0.0, 0.4]), bases=st.integers(1, 2),
)  # fmt: skip
def test_plans_keep_all_rules(seed: int, orders: int, vehicles: int, rounds: int | None, up: float, bases: int) -> None:
    """Tests that plans of random days pass the checker and that every order is served or left out with a reason."""
    day = day_of(seed, orders, vehicles, rounds=rounds, up=up, bases=bases)
    assert suits(day)
    solution = solve(day, Limits(None, 25), seed)
    assert check_problem_plan(day, solution.plan).is_clean
    served = {handover.order for route in solution.plan.routes for stop in route.stops for handover in stop.load}
    assert served | {gone.order for gone in solution.plan.unassigned} == {order.id for order in day.orders}


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000), orders=st.integers(2, 30), vehicles=st.integers(1, 6),
    rounds=st.sampled_from([1, 1, 2, None]), up=st.sampled_from([0.0, 0.4]), bases=st.integers(1, 2),
    late=st.booleans(),
)  # fmt: skip
def test_days_kept_move_by_move_are_those_computed_anew(
    seed: int, orders: int, vehicles: int, rounds: int | None, up: float, bases: int, late: bool
) -> None:
    """Tests that times, loads, ways and costs the search carries along are those of the same stops read in anew."""
    day = day_of(seed, orders, vehicles, rounds=rounds, up=up, bases=bases)
    if not late:
        day = replace(day, orders=tuple(replace(order, release_s=0) for order in day.orders))
    compiled = compile_day(day)
    figures, search, fresh = compiled.figures, Annealing(compiled, seed), empty_days(compiled.figures)
    search.run(300, 20.0)
    kept = search._days  # what is carried along is not seen from outside
    assert load_all(figures, fresh, kept.stops, kept.size)
    assert total_cost(figures, kept) == pytest.approx(total_cost(figures, fresh))
    np.testing.assert_array_equal(kept.vehicle, fresh.vehicle)
    np.testing.assert_array_equal(kept.trips, fresh.trips)
    np.testing.assert_allclose(kept.worth, fresh.worth)
    for v, size in enumerate(kept.size):
        for name in ("start", "latest", "first"):
            np.testing.assert_array_equal(getattr(kept, name)[v, :size], getattr(fresh, name)[v, :size], name)
        ways = max(0, size - 1)
        for name in ("way", "drive"):
            np.testing.assert_array_equal(getattr(kept, name)[v, :ways], getattr(fresh, name)[v, :ways], name)
        for name in ("before", "after"):
            np.testing.assert_array_equal(getattr(kept, name)[:, v, :ways], getattr(fresh, name)[:, v, :ways], name)
    ridden = kept.vehicle >= 0
    np.testing.assert_array_equal(kept.position[ridden], fresh.position[ridden])
    if (figures.rounds == 1).all():
        used = kept.size > 0
        np.testing.assert_array_equal(kept.arrive[used, kept.size[used] - 1], fresh.arrive[used, kept.size[used] - 1])
        np.testing.assert_array_equal(kept.beside[ridden], fresh.beside[ridden])


def test_a_fleet_too_small_leaves_orders_with_reasons() -> None:
    """Tests that one van with one round leaves out what does not fit, each order with a reason and at its price."""
    day = day_of(3, 12, 1, rounds=1)
    heavy = replace(day, orders=tuple(replace(order, weight_kg=400.0) for order in day.orders))
    solution = solve(heavy, Limits(None, 10), 1)
    assert 0 < len(solution.plan.unassigned) < 12
    assert all(gone.reason for gone in solution.plan.unassigned)
    assert solution.cost == cost_of(heavy, solution.plan)


def test_equal_seeds_and_iterations_give_equal_plans() -> None:
    """Tests that a second run repeats the first, and that the pool's choice of rounds does not hang on the clock."""
    day = day_of(5, 14, 2)
    first, second = (solve(day, Limits(None, 60), 7) for _ in range(2))
    assert first == second


def test_cancelling_returns_the_best_plan_so_far() -> None:
    """Tests that a cancelled search returns a sound plan of what it had."""
    day = day_of(6, 12, 2)
    seen: list[Progress] = []
    solution = solve(day, Limits(60.0), 1, seen.append, lambda: any(report.served for report in seen))
    assert solution.plan.routes
    assert check_problem_plan(day, solution.plan).is_clean


def test_orders_for_one_place_share_a_stop() -> None:
    """Tests that two orders of one place are handed over at one stop, with the time of a stop counted once."""
    day = day_of(2, 3, 1)
    twin = replace(day.orders[0], id="twin", windows=day.orders[0].windows)
    both = replace(day, orders=(*day.orders, twin))
    plan = solve(both, Limits(None, 40), 1).plan
    assert check_problem_plan(both, plan).is_clean
    assert max(len(stop.unload) for route in plan.routes for stop in route.stops) == 2


def test_the_master_joins_parts_of_different_plans() -> None:
    """Tests that a choice of days serves two of three pairs, a choice of rounds all three with the same vehicles."""
    day = compile_day(replace_windows(day_of(11, 6, 2)))
    start = (((0, 1),), ())
    served = []
    for pool in (Pool(day), RoundPool(day)):
        pool.add_all((((2, 3),), ((4, 5),)))
        found = pool.best(start, None, lambda: False)
        assert found is not None
        assert cost_of_days(day, found) < cost_of_days(day, start)
        served.append(sum(len(clients) for rounds in found for clients in rounds))
    assert served == [4, 6]


def replace_windows(day: Problem) -> Problem:
    """Return the day with any time allowed and no cost per vehicle."""
    orders = tuple(replace(order, windows=(), release_s=0) for order in day.orders)
    vehicles = tuple(replace(v, type=replace(v.type, fixed_cost=0.0)) for v in day.vehicles)
    return replace(day, orders=orders, vehicles=vehicles)


def test_the_engine_reports_progress() -> None:
    """Tests that cost and served orders are reported while searching."""
    day = day_of(8, 10, 2)
    seen: list[Progress] = []
    clock = Clock(Limits(None, 30), None, seen.append, len(day.orders))
    answer = ENGINE.search(day, clock, 1)
    assert answer is not None
    assert any(report.cost is not None and report.served for report in seen)
