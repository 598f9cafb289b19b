"""Tests of the next best itinerary of served orders."""

import pytest
from problems import VAN, bus_trip, county, order, place, problem

from geodata.location import Level
from routing.evaluation import cost_of
from routing.solver import Limits, solve
from routing.solver.alternatives import next_best


def test_next_best_is_what_the_plan_costs_more_without_the_first() -> None:
    """Tests that an order on the bus is priced for the van by exactly the difference of the two plans."""
    places = [place("hub", 0, 0, Level.COUNTY), place("v", 12, 0)]
    trip = bus_trip("bus", [("hub", 30_000), ("v", 33_000)])
    case = problem(places, [order("o1", "hub", "v", unserved_cost=90_000.0)], [(VAN, "hub", 1)], bus_trips=[trip])
    best = solve(case, Limits(None, 20), 1)
    by_van = solve(case, Limits(None, 20, ("vehicle",)), 1)
    assert {route.kind for route in best.plan.routes} == {"bus"}
    (other,) = next_best(case, best.plan)
    assert (other.order, other.carriers, other.places) == ("o1", ("van",), ("hub", "v"))
    assert other.extra_cost == pytest.approx(by_van.cost.total - best.cost.total, abs=3.0)


def test_an_order_with_one_way_has_no_alternative() -> None:
    """Tests that nothing is made up where only one itinerary exists."""
    places = [place("hub", 0, 0, Level.COUNTY), place("v", 5, 0)]
    case = problem(places, [order("o1", "hub", "v", unserved_cost=90_000.0)], [(VAN, "hub", 2)])
    assert next_best(case, solve(case, Limits(None, 10), 1).plan) == ()


def test_alternatives_of_a_county_differ_from_the_plan_and_leave_it_alone() -> None:
    """Tests that alternatives are found for most orders, twice the same, and that a stop ends them."""
    case = county(3, orders=30)
    plan = solve(case, Limits(None, 40), 1).plan
    cost = cost_of(case, plan).total
    found = next_best(case, plan)
    assert len(found) > 15
    assert found == next_best(case, plan)
    assert cost == cost_of(case, plan).total
    assert next_best(case, plan, stop=lambda: True) == ()
