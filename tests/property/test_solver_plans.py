"""Property tests of the solver: plans of random counties obey the rules as a second reading states them."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_oracle import violations
from problems import VAN, county, order, place, problem

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S
from geodata.travel_clock import TravelClock
from routing.checker import Code
from routing.checker.problem_facts import check_problem_plan
from routing.evaluation import cost_of
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.solver import Limits, solve
from routing.solver.day_loops import arrive, clock_figures, leave_by

SETTINGS = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
FEWER = settings(SETTINGS, max_examples=15)
ONLY = [(), ("vehicle",), ("bus", "courier"), ("drone",), ("vehicle", "bus")]


@SETTINGS
@given(seed=st.integers(0, 10_000), only=st.sampled_from(ONLY), iterations=st.integers(0, 6))
def test_plans_of_random_counties_hold(seed: int, only: tuple[str, ...], iterations: int) -> None:
    """Tests that every plan of a random county with all kinds of carrier passes the oracle and is priced as stated."""
    problem = county(seed, towns=1 + seed % 3, villages=4 + seed % 3, groups=5, orders=4 + seed % 20)
    solution = solve(problem, Limits(None, iterations, only), seed)
    assert violations(problem, solution.plan) == []
    assert check_problem_plan(problem, solution.plan).violations == ()
    assert solution.cost == cost_of(problem, solution.plan)
    kinds = {route.kind for route in solution.plan.routes}
    assert kinds <= set(only or kinds)


@FEWER
@given(
    seed=st.integers(0, 10_000),
    max_rounds=st.sampled_from([None, 1, 2]),
    max_wait_s=st.sampled_from([None, 0, 900, 3_600, 14_400]),
    max_continuous_drive_s=st.sampled_from([None, 3_600, 14_400]),
)
def test_plans_hold_on_bounded_days(
    seed: int, max_rounds: int | None, max_wait_s: int | None, max_continuous_drive_s: int | None
) -> None:
    """Tests plans where rounds, waits and travel without a rest are bounded and goods lie at several places."""
    problem = county(seed, villages=5, groups=5, orders=15)
    towns = ("t0", "t1")
    problem = replace(
        problem,
        places=tuple(replace(place, max_wait_s=max_wait_s) for place in problem.places),
        orders=tuple(
            replace(order, also_from=towns) if order.from_id == "hub" and number % 2 else order
            for number, order in enumerate(problem.orders)
        ),
        vehicles=tuple(
            replace(
                vehicle,
                type=replace(vehicle.type, max_rounds=max_rounds, max_continuous_drive_s=max_continuous_drive_s),
            )
            for vehicle in problem.vehicles
        ),
    )
    plan = solve(problem, Limits(None, 6), seed).plan
    assert check_problem_plan(problem, plan).violations == ()


FACTORS = st.lists(st.sampled_from([1.0, 1.0, 1.0, 0.85, 0.5, 0.3]), min_size=1, max_size=26)


@FEWER
@given(seed=st.integers(0, 10_000), factors=FACTORS, max_drive_s=st.sampled_from([7_200, 28_800]))
def test_plans_hold_when_hours_differ(seed: int, factors: list[float], max_drive_s: int) -> None:
    """Tests plans where weather slows some hours: rests, limits, windows and transfers keep to the slower times."""
    dry = county(seed, villages=5, groups=5, orders=15)
    vehicles = tuple(
        replace(vehicle, type=replace(vehicle.type, max_drive_s=max_drive_s, max_continuous_drive_s=5_400))
        for vehicle in dry.vehicles
    )
    slow = replace(dry, vehicles=vehicles, clocks={key: TravelClock(factors) for key in dry.matrices})
    plan = solve(slow, Limits(None, 6), seed).plan
    assert check_problem_plan(slow, plan).violations == ()


def test_a_foggy_hour_makes_a_leg_longer() -> None:
    """Tests one leg in fog: longer by the clock, named by its hour, and its dry time refused by the checker."""
    spots = [place("hub", 0.0, 0.0, Level.COUNTY), place("far", 6.0, 0.0)]
    wanted = [order("o", "hub", "far", windows=((28_800, 32_400),), unserved_cost=50_000.0)]
    dry = problem(spots, wanted, [(VAN, "hub", 1)])
    foggy = replace(dry, clocks={"van_diesel": TravelClock([1.0] * 7 + [0.5] * 2 + [1.0])})
    (before,), (after,) = (solve(made, Limits(None, 5), 1).plan.routes for made in (dry, foggy))
    out = after.stops[0].movement
    assert out.duration_s == 2 * before.stops[0].movement.duration_s
    assert (out.slot, out.energy_wh) == (after.stops[0].departure_s // 3600, before.stops[0].movement.energy_wh)
    quick = replace(after, stops=(replace(after.stops[0], movement=before.stops[0].movement), *after.stops[1:]))
    codes = check_problem_plan(foggy, Plan((quick,))).codes
    assert {Code.TIMING_TRAVEL_TOO_SHORT, Code.CONSISTENCY_SLOT} <= codes


@given(factors=FACTORS, departure_s=st.integers(0, 100_000), dry_s=st.integers(0, 30_000))
def test_the_solver_reads_the_clock_as_it_is(factors: list[float], departure_s: int, dry_s: int) -> None:
    """Tests that the solver's shortcut through dry hours gives the clock's own answers, both ways."""
    clock, quick = TravelClock(factors), clock_figures(TravelClock(factors))
    assert arrive(quick, departure_s, dry_s) == (clock.arrival_s(departure_s, dry_s) if dry_s else departure_s)
    assert leave_by(quick, departure_s, dry_s) == clock.latest_departure_s(departure_s, dry_s)
    assert arrive(quick, departure_s, UNREACHABLE_S) >= UNREACHABLE_S


@SETTINGS
@given(seed=st.integers(0, 10_000))
def test_transfers_are_forbidden_to_vehicles_alone(seed: int) -> None:
    """Tests that plans of road vehicles alone carry each order on one route."""
    problem = county(seed, orders=12)
    plan = solve(problem, Limits(None, 4, ("vehicle",)), seed).plan
    loaded = [handover.order for route in plan.routes for stop in route.stops for handover in stop.load]
    assert len(loaded) == len(set(loaded))


@pytest.fixture(scope="module")
def solved() -> tuple[Problem, Plan]:
    """Return a county and its plan, with buses, drones and vehicles."""
    problem = county(3, towns=2, villages=6, groups=8, orders=30)
    plan = solve(problem, Limits(None, 30), 1).plan
    assert {route.kind for route in plan.routes} >= {"vehicle", "bus", "drone"}
    return problem, plan


@pytest.mark.parametrize("shift_s", [-1_800, 1_800])
def test_oracle_sees_a_moved_route(solved: tuple[Problem, Plan], shift_s: int) -> None:
    """Tests that the oracle used above can fail: a bus moved in time is found."""
    problem, plan = solved
    number = next(k for k, route in enumerate(plan.routes) if route.kind == "bus")
    route = plan.routes[number]
    stops = tuple(
        replace(
            stop,
            arrival_s=stop.arrival_s + shift_s,
            service_start_s=stop.service_start_s + shift_s,
            service_end_s=stop.service_end_s + shift_s,
            departure_s=stop.departure_s + shift_s,
        )
        for stop in route.stops
    )
    routes = (*plan.routes[:number], replace(route, stops=stops), *plan.routes[number + 1 :])
    assert violations(problem, replace(plan, routes=routes))


def test_oracle_sees_a_shrunken_carrier(solved: tuple[Problem, Plan]) -> None:
    """Tests that the oracle finds an overload, a store too small and goods too warm."""
    problem, plan = solved
    trips = tuple(replace(trip, max_kg=0.1) for trip in problem.bus_trips)
    assert any("overloaded" in words for words in violations(replace(problem, bus_trips=trips), plan))
    tight = tuple(
        replace(place, store_kg=dict.fromkeys(place.store_kg, 0.01), handling_s=0) for place in problem.places
    )
    assert any("store" in words for words in violations(replace(problem, places=tight), plan))
    warm_box = replace(problem.products.boxes["box_m"], coolant_j=0.0)
    products = replace(problem.products, boxes={"box_m": warm_box})
    hot = replace(problem, products=products, hourly_temp_c=problem.hourly_temp_c + 40)
    assert any("cold" in words for words in violations(hot, plan))
