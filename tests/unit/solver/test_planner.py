"""Unit tests of the solver's promises on hand-made days."""

from dataclasses import replace

import pytest
from plan_oracle import violations
from problems import COURIER, TRICYCLE, TRUCK, VAN, bus_trip, county, order, place, problem

from geodata.location import Level
from routing.checker.problem_facts import check_problem_plan
from routing.evaluation import cost_of
from routing.model.plan import Plan
from routing.plan_io import derive_legs
from routing.solver import Limits, Progress, solve
from routing.solver.days import Day
from routing.solver.instance import compile_instance
from routing.solver.resume import state_of
from routing.solver.rounds import rebuild_rounds
from routing.solver.schedule import make_plan
from routing.solver.settling import settle_for_fetchers

HUB = place("hub", 0, 0, Level.COUNTY)
TOWN = place("town", 20, 0, Level.TOWN)
VILLAGE = place("village", 26, 0)
GROUP = place("group", 27, 1, Level.GROUP, handling_s=0)
PLACES = [HUB, TOWN, VILLAGE, GROUP]


def kinds_of(plan: Plan, order_id: str) -> list[str]:
    """Return the kinds of carrier an order rides, in order."""
    return [leg.kind for leg in derive_legs(plan)[order_id]]


def test_a_day_without_orders_is_an_empty_plan() -> None:
    """Tests that no orders give no routes and no cost."""
    solution = solve(problem(PLACES, [], [(VAN, "hub", 1)]), Limits(1.0, 10), 0)
    assert (solution.plan, solution.cost.total) == (Plan(), 0)


@pytest.mark.parametrize("only", [(), ("vehicle",), ("drone",)])
def test_a_day_without_carriers_leaves_all_orders_with_a_reason(only: tuple[str, ...]) -> None:
    """Tests that without carriers every order is unassigned for want of a route."""
    day = problem(PLACES, [order("a", "hub", "village"), order("b", "village", "hub")])
    solution = solve(day, Limits(None, 5, only), 0)
    assert [gone.reason for gone in solution.plan.unassigned] == ["NO_ROUTE_BY_ANY_CARRIER"] * 2
    assert solution.cost.total == 10_000


def test_a_bus_is_cheaper_than_a_van_of_its_own() -> None:
    """Tests that a parcel for a village on a bus line rides the bus."""
    trip = bus_trip("b1", [("hub", 28_800), ("town", 31_000), ("village", 32_000)])
    day = problem(PLACES, [order("a", "hub", "village")], [(VAN, "hub", 1)], bus_trips=[trip])
    plan = solve(day, Limits(None, 20), 0).plan
    assert kinds_of(plan, "a") == ["bus"]
    assert violations(day, plan) == []


def test_bus_and_courier_meet_at_the_village() -> None:
    """Tests that a group without a road gets its parcel by bus and courier, with the handling time between them."""
    trip = bus_trip("b1", [("hub", 28_800), ("village", 32_000)])
    day = problem(PLACES, [order("a", "hub", "group")], [(COURIER, "village", 1)], bus_trips=[trip], no_road=["group"])
    plan = solve(day, Limits(None, 20), 0).plan
    assert kinds_of(plan, "a") == ["bus", "courier"]
    first, second = derive_legs(plan)["a"]
    assert second.load_start_s >= first.arrival_s + 120 + VILLAGE.handling_s
    assert violations(day, plan) == []


def test_produce_goes_up_by_tricycle_and_bus() -> None:
    """Tests that produce of a group is collected in time for the bus to the hub."""
    trip = bus_trip("b1", [("town", 39_600), ("hub", 42_000)])
    day = problem(PLACES, [order("a", "group", "hub", 10.0)], [(TRICYCLE, "town", 1)], bus_trips=[trip])
    plan = solve(day, Limits(None, 20), 0).plan
    assert kinds_of(plan, "a") == ["vehicle", "bus"]
    assert violations(day, plan) == []


def test_a_drone_serves_a_place_without_road_and_brings_produce_back() -> None:
    """Tests that one sortie carries goods both ways."""
    day = problem(
        PLACES,
        [order("down", "town", "group"), order("up", "group", "town")],
        [(VAN, "hub", 1)],
        drones=[("town", 1)],
        no_road=["group"],
    )
    plan = solve(day, Limits(None, 30), 0).plan
    assert len(plan.routes) == 1
    assert {handover.order for handover in plan.routes[0].stops[1].load} == {"up"}
    assert violations(day, plan) == []


def test_bus_space_is_never_exceeded() -> None:
    """Tests that orders beyond a bus's kilograms take another trip or stay."""
    trips = [bus_trip(f"b{k}", [("hub", 28_800 + 3_600 * k), ("village", 32_000 + 3_600 * k)], 10.0) for k in (0, 1)]
    orders = [order(f"o{k}", "hub", "village", 6.0) for k in range(4)]
    day = problem(PLACES, orders, bus_trips=trips)
    plan = solve(day, Limits(None, 20), 0).plan
    assert violations(day, plan) == []
    assert [gone.reason for gone in plan.unassigned] == ["BUS_FULL"] * 2
    assert all(gone.relaxation is not None and gone.relaxation.verified for gone in plan.unassigned)


def test_a_stop_that_serves_two_places_is_used_for_one_of_them_a_trip() -> None:
    """Tests that no route of a bus has two stops at one call, between which time would run backwards."""
    trip = bus_trip("b1", [("hub", 28_800), ("town", 31_000), ("village", 31_000)])
    shared = replace(trip.calls[2], sequence=trip.calls[1].sequence, bus_stop_id=trip.calls[1].bus_stop_id)
    trip = replace(trip, calls=(*trip.calls[:2], shared))
    day = problem(PLACES, [order("a", "hub", "town"), order("b", "hub", "village")], bus_trips=[trip])
    plan = solve(day, Limits(None, 20), 0).plan
    assert [len(route.stops) for route in plan.routes] == [2]
    assert len(plan.unassigned) == 1
    assert violations(day, plan) == []


def test_a_long_day_has_its_rest() -> None:
    """Tests that more than four hours of travel hold a rest of twenty minutes."""
    far = [HUB, place("far", 52, 0), place("farther", 75, 0)]
    long_shift = replace(VAN, shift_end_s=82_800, max_drive_s=36_000)
    orders = [order("a", "hub", "farther", unserved_cost=90_000.0), order("b", "hub", "far", unserved_cost=90_000.0)]
    day = problem(far, orders, [(long_shift, "hub", 1)])
    plan = solve(day, Limits(None, 20), 0).plan
    assert not plan.unassigned
    assert any(stop.breaks for route in plan.routes for stop in route.stops)
    assert violations(day, plan) == []


def test_a_range_bounds_the_energy_of_each_round() -> None:
    """Tests that a short range makes two rounds of one, and what the battery holds at each stop."""
    spots = [HUB, place("east", 5, 0), place("north", 5, 1)]
    wanted = [order("a", "hub", "east", unserved_cost=90_000.0), order("b", "hub", "north", unserved_cost=90_000.0)]
    rounds = {}
    for range_wh in (60_000.0, 17_000.0, 10_000.0):
        day = problem(spots, wanted, [(replace(VAN, range_wh=range_wh), "hub", 1)])
        plan = solve(day, Limits(None, 20), 0).plan
        assert check_problem_plan(day, plan).violations == ()
        rounds[range_wh] = len(plan.routes)
        for route in plan.routes:
            left = range_wh
            for stop in route.stops[:-1]:
                left -= stop.movement.energy_wh
                assert stop.movement.battery_left_wh == pytest.approx(left)
            assert left >= 0.0
    assert rounds == {60_000.0: 1, 17_000.0: 2, 10_000.0: 0}


def test_equal_seeds_and_iterations_give_equal_plans() -> None:
    """Tests that a plan depends on the problem, the seed and the iterations alone."""
    one, other = (solve(county(5, orders=25), Limits(None, 25), 7) for _ in range(2))
    assert one == other


def test_a_generous_time_limit_changes_nothing_when_iterations_are_limited() -> None:
    """Tests that a time limit that is not reached leaves the plan as it is."""
    assert solve(county(6), Limits(600.0, 12), 7) == solve(county(6), Limits(None, 12), 7)


@pytest.mark.parametrize("calls", [0, 1, 5, 20, 60])
def test_a_cancelled_search_ends_in_a_valid_plan(calls: int) -> None:
    """Tests that cancelling after any number of questions ends in a valid plan of what was found."""
    day = county(8, orders=25)
    asked = iter(range(10**9))
    solution = solve(day, Limits(None, 10_000), 1, cancelled=lambda: next(asked) >= calls)
    assert violations(day, solution.plan) == []
    assert solution.iterations < 10_000


def test_all_carriers_are_never_dearer_than_vehicles_alone() -> None:
    """Tests that allowing more kinds of carrier does not cost more at equal effort."""
    for seed in range(4):
        day = county(seed, orders=15)
        assert solve(day, Limits(None, 15), 1).cost.total <= solve(day, Limits(None, 15, ("vehicle",)), 1).cost.total


def test_progress_tells_the_stages_in_order() -> None:
    """Tests that progress names every stage and the number of orders."""
    seen: list[Progress] = []
    solve(county(1, orders=6), Limits(None, 3), 1, progress=seen.append)
    stages = list(dict.fromkeys(report.stage for report in seen))
    assert stages[:3] == ["compiling", "itineraries", "construction"]
    assert stages[-2:] == ["checking", "explaining"]
    assert {report.orders for report in seen} == {6}


def test_trucks_feed_tricycles_at_the_town() -> None:
    """Tests that goods change carriers at the town where the truck may go no further."""
    orders = [order(f"o{k}", "hub", "group", 20.0, unserved_cost=30_000.0) for k in range(3)]
    day = problem(PLACES, orders, [(TRUCK, "hub", 1), (TRICYCLE, "town", 1)])
    closed = replace(day.matrices["truck"], ids=("hub", "town"), **_cut(day.matrices["truck"], 2))
    day = replace(day, matrices={**day.matrices, "truck": closed})
    plan = solve(day, Limits(None, 20), 0).plan
    assert violations(day, plan) == []
    assert all(kinds_of(plan, o.id) == ["vehicle", "vehicle"] for o in orders)


def _cut(matrix: object, n: int) -> dict[str, object]:
    return {name: getattr(matrix, name)[:n, :n].copy() for name in ("duration_s", "distance_m", "energy_wh")}


def test_rounds_are_rebuilt_around_idle_vehicles() -> None:
    """Tests a day whose first vehicle stands idle: rebuilding keeps what is served and its times."""
    day = county(9, orders=30)
    instance = compile_instance(day, ("vehicle",), bundle=False)
    plan = solve(day, Limits(None, 30, ("vehicle",)), 1).plan
    state = state_of(instance, plan)
    for number in range(len(instance.fleets)):
        idle = Day(instance, instance.fleets[number], f"idle {number}", state.boards[number])
        state.days[number].insert(0, idle)
        before, served = state.cost(), dict(state.served)
        rebuilt = rebuild_rounds(state, number, None)
        assert state.cost() < before if rebuilt else state.cost() == pytest.approx(before)
        assert state.served == served
        assert not state.unsound_jobs()


def test_a_plan_taken_up_again_is_the_same_plan() -> None:
    """Tests that a plan read back into carriers costs and carries the same."""
    day = county(11, orders=30)
    solution = solve(day, Limits(None, 10), 1)
    state = state_of(compile_instance(day, bundle=False), solution.plan)
    assert not state.unsound_jobs()
    assert state.orders_served == 30 - len(solution.plan.unassigned)
    settle_for_fetchers(state)
    again = make_plan(state)
    assert violations(day, replace(again, unassigned=solution.plan.unassigned)) == []
    assert cost_of(day, replace(again, unassigned=solution.plan.unassigned)).total == pytest.approx(
        solution.cost.total, abs=50
    )


def test_undoing_a_move_restores_every_time_and_cost() -> None:
    """Tests that a savepoint rolled back leaves cost, times and goods exactly as they were."""
    day = county(12, orders=30)
    instance = compile_instance(day, bundle=False)
    state = state_of(instance, solve(day, Limits(None, 10), 1).plan)

    def picture() -> tuple[object, ...]:
        tasks = [task for days in state.days for day_of_one in days for task in day_of_one.tasks()]
        times = [(task.ready_s, task.latest_load_s, task.load_start_s) for task in tasks]
        return state.cost(), times, dict(state.served)

    before = picture()
    state.begin()
    state.remove(*[instance.jobs[index] for index in list(state.served)[::2]])
    assert picture() != before
    state.rollback()
    assert picture() == before


def test_where_no_choice_is_made_in_time_the_cheapest_estimates_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests itineraries fixed before the rounds when CP-SAT finds nothing: still a plan, of single itineraries."""
    monkeypatch.setattr("routing.solver.planner.choose", lambda *_: {})
    day = county(5, orders=30)
    solution = solve(day, Limits(None, 50, sequential=True), 1)
    assert violations(day, solution.plan) == []
    assert len(solution.plan.unassigned) < 30
