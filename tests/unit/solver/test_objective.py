"""Tests of what a plan is judged by beside money."""

from dataclasses import replace

import pytest
from problems import TRICYCLE, VAN, bus_trip, order, place, problem

from geodata.location import Level
from routing.evaluation import cost_of, kpis
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.objective import Preferences, weigh
from routing.solver import Limits, solve


def planned(case: Problem, preferences: Preferences) -> Plan:
    """Return the plan found under preferences."""
    return solve(weigh(case, preferences), Limits(None, 80), 1).plan


def far_day() -> Problem:
    """Return a day with one order that is dearer to carry than to leave."""
    places = [place("hub", 0, 0, Level.COUNTY), place("near", 2, 0), place("far", 60, 0)]
    orders = [order("o1", "hub", "near"), order("o2", "hub", "far", unserved_cost=300.0)]
    return problem(places, orders, [(VAN, "hub", 1)])


def test_money_alone_changes_nothing() -> None:
    """Tests that without preferences the problem is the very same."""
    case = far_day()
    assert weigh(case, Preferences()) is case


def test_served_first_carries_what_does_not_pay() -> None:
    """Tests that an order is left out for money, and carried where serving comes first."""
    case = far_day()
    assert [gone.order for gone in planned(case, Preferences()).unassigned] == ["o2"]
    assert planned(case, Preferences(first=("served",))).unassigned == ()


def test_vehicles_first_uses_fewer_carriers() -> None:
    """Tests that one dear van takes the place of cheap tricycles where fewest vehicles come first."""
    places = [place("hub", 0, 0, Level.COUNTY), place("west", -3, 0), place("east", 3, 0)]
    window = ((32_400, 32_700),)
    orders = [
        order(f"o{side}", "hub", side, 120.0, windows=window, unserved_cost=90_000.0) for side in ("west", "east")
    ]
    wide = [replace(one, windows=()) for one in orders]
    dear_van = replace(VAN, fixed_cost=20_000.0)
    two_tricycles = problem(places, orders, [(TRICYCLE, "hub", 2), (dear_van, "hub", 1)])
    assert len({route.carrier for route in planned(two_tricycles, Preferences()).routes}) == 2
    roomy = replace(two_tricycles, orders=tuple(wide))
    slow = replace(TRICYCLE, shift_end_s=TRICYCLE.shift_start_s + 2_700)
    short = problem(places, wide, [(slow, "hub", 2), (dear_van, "hub", 1)])
    assert len({route.carrier for route in planned(short, Preferences()).routes}) == 2
    assert len({route.carrier for route in planned(short, Preferences(first=("vehicles",))).routes}) == 1
    assert len({route.carrier for route in planned(roomy, Preferences(first=("vehicles",))).routes}) == 1


def test_no_order_is_left_out_to_save_a_vehicle() -> None:
    """Tests that fewest vehicles still serves what a vehicle can reach."""
    assert planned(far_day(), Preferences(first=("vehicles",))).unassigned == ()


def test_price_of_co2_moves_goods_off_the_diesel_van() -> None:
    """Tests that a high price of CO2 prefers a dear bus to a van, and that the cost reported keeps the true rates."""
    places = [place("hub", 0, 0, Level.COUNTY), place("v", 12, 0)]
    trip = bus_trip("bus", [("hub", 30_000), ("v", 33_000)], fee_per_piece=13_000.0)
    case = problem(places, [order("o1", "hub", "v", unserved_cost=90_000.0)], [(VAN, "hub", 1)],
                   bus_trips=[trip])  # fmt: skip
    dirty, clean = planned(case, Preferences()), planned(case, Preferences(co2_per_kg=5_000.0))
    assert {route.kind for route in dirty.routes} == {"vehicle"}
    assert {route.kind for route in clean.routes} == {"bus"}
    assert kpis(case, clean).co2_kg < kpis(case, dirty).co2_kg
    assert cost_of(case, clean).total == pytest.approx(13_030, abs=1)


def test_cold_loss_weighs_the_value_of_what_spoils() -> None:
    """Tests that the factor on cold loss multiplies the value of goods for the search."""
    case = far_day()
    orders = tuple(replace(one, value=500.0) for one in case.orders)
    weighed = weigh(replace(case, orders=orders), Preferences(cold_loss=3.0))
    assert [one.value for one in weighed.orders] == [1_500.0, 1_500.0]
