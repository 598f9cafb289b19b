"""Unit tests of cost and key figures against sums made by hand."""

import pytest
from problems import DRONE_SERVICE, VAN, bus_trip, county, order, place, problem

from geodata.location import Level
from routing.evaluation import cost_of, kpis
from routing.model.plan import Handover, Movement, Plan, Route, Stop, Unassigned
from routing.model.problem import Problem
from routing.solver import Limits, solve

LOAD = (Handover("a", "hold"),)


@pytest.fixture
def case() -> Problem:
    """Return a hub, a town and a village with a van, a drone and a bus, and three orders."""
    places = [place("hub", 0, 0, Level.COUNTY), place("town", 10, 0, Level.TOWN), place("village", 15, 0)]
    orders = [
        order("a", "hub", "village", 2.0, pieces=2, due_s=30_000, late_cost_per_h=500.0),
        order("b", "hub", "town", 5.0),
        order("c", "hub", "village", 5.0, unserved_cost=1_234.4),
    ]
    trip = bus_trip("bus", [("hub", 28_800), ("town", 30_600)])
    return problem(places, orders, [(VAN, "town", 1)], drones=[("hub", 1)], bus_trips=[trip])


def bus_route(*loads: str) -> Route:
    """Return the bus from hub to town with orders."""
    goods = tuple(Handover(name, "hold") for name in loads)
    stops = (
        Stop("hub", 28_800, 28_800, 28_860, 28_860, load=goods, bus_stop="stop:hub", call=0,
             movement=Movement("bus", 0, 1_740, 0.0)),
        Stop("town", 30_600, 30_600, 30_660, 30_660, unload=goods, bus_stop="stop:town", call=10),
    )  # fmt: skip
    return Route("bus", "bus", "bus company", "bus", "line", "bus", "hub", stops)


def van_route() -> Route:
    """Return a van round of 16 km and one hour with order a, delivered at 33,600."""
    there, back = Movement("street", 8_000, 1_190, 9_000.0), Movement("street", 8_000, 2_200, 7_000.0)
    stops = (
        Stop("town", 32_400, 32_400, 32_410, 32_410, load=LOAD, load_kg=2.0, movement=there),
        Stop("village", 33_600, 33_600, 33_800, 33_800, unload=LOAD, movement=back),
        Stop("town", 36_000, 36_000, 36_000, 36_000),
    )  # fmt: skip
    return Route("van-1", "van-town-1", "firm", "vehicle", "van", "van_diesel", "town", stops)


def test_each_line_of_the_cost_is_as_stated(case: Problem) -> None:
    """Tests distance, time, fixed, energy, fees, handling, lateness and penalties by hand."""
    plan = Plan((bus_route("a", "b"), van_route()), (Unassigned("c", "X", "x", "x"),))
    cost = cost_of(case, plan)
    assert cost.distance == 16 * 60
    assert cost.time == 3_200
    assert cost.fixed == 3_000
    assert cost.energy == 16 * 75
    assert cost.bus_fees == (2 + 5) * 10 + (2 + 1) * 40
    assert cost.handling == 2 * 20
    assert cost.lateness == 500
    assert cost.unassigned == 1_234
    assert cost.total == 960 + 3_200 + 3_000 + 1_200 + 190 + 40 + 500 + 1_234


def test_goods_put_down_and_picked_up_by_the_same_van_are_not_handed_over(case: Problem) -> None:
    """Tests that handling is charged for changes of carrier only, as the rules say."""
    way = Movement("street", 8_000, 1_190, 9_000.0)
    again = (
        Stop("town", 40_000, 40_000, 40_000, 40_000, movement=way),
        Stop("village", 41_190, 41_190, 41_200, 41_200, load=LOAD, movement=way),
        Stop("town", 42_390, 42_390, 42_400, 42_400, unload=LOAD),
    )
    other_round = Route("van-2", "van-town-1", "firm", "vehicle", "van", "van_diesel", "town", again)
    assert cost_of(case, Plan((van_route(), other_round))).handling == 0
    assert cost_of(case, Plan((bus_route("a"), van_route(), other_round))).handling == 2 * 20


def test_a_drone_costs_per_day_sortie_hour_and_energy_never_below_zero(case: Problem) -> None:
    """Tests drone money; two sorties pay the day once, and energy won back is not paid out."""
    flights = [Movement("flight", 5_000, 600, 300.0), Movement("flight", 5_000, 600, -400.0)]
    routes = tuple(
        Route(f"s{k}", "drone-hub-1", "firm", "drone", "L", "L", "hub", (
            Stop("hub", 3_600 * k, 3_600 * k, 3_600 * k, 3_600 * k, movement=flights[0]),
            Stop("village", 3_600 * k + 600, 3_600 * k + 600, 3_600 * k + 800, 3_600 * k + 800, movement=flights[1]),
            Stop("hub", 3_600 * k + 1_400, 3_600 * k + 1_400, 3_600 * k + 1_400, 3_600 * k + 1_400),
        ))
        for k in (8, 9)
    )  # fmt: skip
    cost = cost_of(case, Plan(routes))
    assert cost.fixed == DRONE_SERVICE.fixed_cost + 2 * DRONE_SERVICE.cost_per_sortie
    assert cost.time == round(2 * 1_400 / 3_600 * DRONE_SERVICE.cost_per_h)
    assert (cost.energy, cost.distance) == (0, 0)


def test_key_figures_by_hand(case: Problem) -> None:
    """Tests shares, sums by kind and what each operator is owed."""
    plan = Plan((bus_route("a", "b"), van_route()), (Unassigned("c", "X", "x", "x"),))
    found = kpis(case, plan)
    assert (found.orders, found.served, found.transfers, found.late_orders) == (3, 2, 1, 1)
    assert found.served_share == pytest.approx(2 / 3)
    assert found.cost_per_parcel == pytest.approx((found.cost_total - 1_234) / 3)
    assert found.km == pytest.approx(16.0)
    assert found.co2_kg == pytest.approx(1.6 * 2.68)
    assert found.load_factor == pytest.approx(2.0 * 8_000 / (700.0 * 16_000))
    assert found.owed == {"bus company": 190.0, "firm": 960 + 3_200 + 3_000 + 1_200}
    assert (found.by_kind["bus"].orders, found.by_kind["vehicle"].orders, found.by_kind["drone"].routes) == (2, 1, 0)


def test_figures_of_an_empty_plan_are_undefined_not_wrong(case: Problem) -> None:
    """Tests that ratios without a denominator are None."""
    found = kpis(case, Plan())
    assert (found.served, found.cost_per_parcel, found.load_factor, found.cold_in_band_share) == (0, None, None, None)


def test_what_operators_are_owed_is_the_cost_of_carrying() -> None:
    """Tests on a solved county that owed money adds up to all carrier lines of the cost."""
    day = county(4, orders=30)
    solution = solve(day, Limits(None, 5), 1)
    cost = solution.cost
    carrying = cost.distance + cost.time + cost.fixed + cost.energy + cost.bus_fees
    assert sum(kpis(day, solution.plan).owed.values()) == pytest.approx(carrying, abs=3.0)
