"""Reading rides and chains off plans, sound and malformed."""

from dataclasses import replace

import pytest
from breaking import BUS_ROUTE, MOTO, VAN, handed, shifted, with_route, with_stop, without
from checker_world import make_world

from routing.checker.check import check_document
from routing.checker.codes import Code
from routing.checker.journeys import MAX_PERMUTED_RIDES, Case, chain_by_place
from routing.checker.report import Report, Violation
from routing.model.plan import Handover, PlanDocument


def _case(plan: PlanDocument | None = None) -> Case:
    world = make_world()
    return Case(world.facts, plan or world.plan)


def test_chain_follows_places() -> None:
    """Tests that legs are put in order by place even when their times say otherwise."""
    plan = make_world().plan
    early = with_route(plan, MOTO, shifted(plan.routes[MOTO], -4000))
    chain = _case(early).chains["o2"]
    assert [ride.route.id for ride in chain] == ["T1", "R2"]


def test_one_missed_transfer_is_one_fault() -> None:
    """Tests that a second leg moved before the first brings one fault of TRANSFER and none of CUSTODY."""
    plan = make_world().plan
    early = with_route(plan, MOTO, shifted(plan.routes[MOTO], -1200))
    found = [
        v for v in check_document(make_world().facts, early).violations if v.code.family in {"CUSTODY", "TRANSFER"}
    ]
    assert [violation.code for violation in found] == [Code.TRANSFER_TOO_SHORT]
    assert found[0].amount == 1200.0


def test_broken_chain_names_the_place_where_it_breaks() -> None:
    """Tests that a dropped middle leg is reported where the goods are left."""
    report = check_document(make_world().facts, without(make_world().plan, MOTO, "o2"))
    broken = next(v for v in report.violations if v.code is Code.CUSTODY_BROKEN_CHAIN)
    assert (broken.place, broken.order) == ("town", "o2")


def test_detour_through_the_same_place_twice_is_a_chain() -> None:
    """Tests that a chain that visits a place twice is found whatever the order of its legs."""
    rides = _case().rides_of["o2"]
    back = replace(rides[1], route=rides[1].route, start=1, end=2)
    again = rides[1]
    assert chain_by_place((again, rides[0], back, replace(again)), "hub", "vale") is not None
    assert chain_by_place((again, rides[0], back), "hub", "vale") is None


def test_very_long_chains_are_taken_in_order_of_time() -> None:
    """Tests that a chain too long to permute is judged in the order given."""
    ride = _case().rides_of["o2"][0]
    many = (ride,) * (MAX_PERMUTED_RIDES + 1)
    assert chain_by_place(many, "hub", "town") is None


def test_unload_comes_before_load() -> None:
    """Tests that an order taken off and put on again at one stop is two rides."""
    plan = make_world().plan
    plan = with_stop(
        plan,
        VAN,
        1,
        unload=(*plan.routes[VAN].stops[1].unload, Handover("o1", "main")),
        load=(Handover("o1", "main"),),
    )
    assert [(ride.start, ride.end) for ride in _case(plan).rides_of["o1"]] == [(0, 1), (1, 2)]


def test_bus_times_of_a_ride() -> None:
    """Tests that goods are loaded from the cut-off to the departure and are off the bus `board_s` after it arrives."""
    case = _case()
    ride = case.rides_of["o4"][0]
    assert case.loading_s(ride) == (8 * 3600 + 60 - 600, 8 * 3600 + 60)
    assert case.unloading_s(ride) == (8 * 3600 + 1200, 8 * 3600 + 1200 + 180)


@pytest.mark.parametrize("order", ["o1", "ghost"])
def test_duplicate_handovers_are_reported_not_raised(order: str) -> None:
    """Tests that any doubling of handovers is reported."""
    plan = handed(make_world().plan, BUS_ROUTE, "o2", order=order)
    stop = plan.routes[BUS_ROUTE].stops[0]
    plan = with_stop(plan, BUS_ROUTE, 0, load=stop.load * 3)
    assert not check_document(make_world().facts, plan).is_clean


def test_report_counts_and_dictionary() -> None:
    """Tests that a report counts by code and turns into JSON-ready data."""
    first = Violation(Code.CAPACITY_KG, "hub", 2.5, "kg", "too heavy", "R1")
    report = Report((first, Violation(Code.CUSTODY_NO_REASON, None, None, "", "no reason", order="o1"), first))
    assert not report.is_clean
    assert report.counts == {"CAPACITY_KG": 2, "CUSTODY_NO_REASON": 1}
    data = report.to_dict()
    assert data["clean"] is False
    assert data["violations"][0] == {
        "code": "CAPACITY_KG",
        "place": "hub",
        "amount": 2.5,
        "unit": "kg",
        "text": "too heavy",
        "route": "R1",
        "order": None,
    }
    assert str(first) == "CAPACITY_KG: too heavy (route R1, place hub)"
    assert Report(()).is_clean
