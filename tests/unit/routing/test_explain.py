"""Unit tests of reasons and relaxations: each reason on a day made for it, each verified change applied and solved."""

from dataclasses import replace

import pytest
from problems import COURIER, PRODUCTS, VAN, bus_trip, order, place, problem

from geodata.location import Level
from routing.explain import REASONS, explain_unassigned
from routing.model.order import Order
from routing.model.plan import Plan, Unassigned
from routing.model.problem import Problem
from routing.solver import Limits, solve
from routing.solver.instance import compile_instance
from routing.solver.itineraries import ChainFinder
from routing.solver.reasons import explain_state
from routing.solver.state import State

HUB = place("hub", 0, 0, Level.COUNTY)
VILLAGE = place("village", 20, 0, opens_s=28_800, closes_s=61_200)
PLACES = [HUB, VILLAGE]


def day(one: Order, **fields: object) -> Problem:
    """Return a day with one order and one van."""
    values = {"vehicles": [(VAN, "hub", 1)], **fields}
    return problem(PLACES, [one], **values)  # type: ignore[arg-type]


def reason(case: Problem, number: int = 0) -> Unassigned:
    """Return why an order of the solved day is unassigned."""
    return solve(case, Limits(None, 10), 0).plan.unassigned[number]


PLAIN = order("a", "hub", "village", unserved_cost=50_000.0)


def test_a_served_order_needs_no_reason() -> None:
    """Tests that nothing is explained when all is served."""
    case = day(PLAIN)
    plan = solve(case, Limits(None, 5), 0).plan
    assert explain_unassigned(case, plan) == ()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (day(replace(PLAIN, to_id="hub")), "SAME_PLACE"),
        (day(PLAIN, no_road=["village"]), "NO_ROUTE_BY_ANY_CARRIER"),
        (day(replace(PLAIN, weight_kg=900.0, volume_l=10.0)), "TOO_HEAVY"),
        (day(replace(PLAIN, volume_l=9_000.0)), "TOO_LARGE"),
        (day(replace(PLAIN, windows=((21_600, 22_000),))), "WINDOW_TOO_TIGHT"),
        (day(replace(PLAIN, release_s=64_000)), "RELEASED_TOO_LATE"),
        (day(replace(PLAIN, unserved_cost=100.0)), "TOO_COSTLY"),
    ],
)
def test_reason_of_a_day_made_for_it(case: Problem, code: str) -> None:
    """Tests that the reason is the one thing that stands in the way."""
    assert reason(case).reason == code


def test_dangerous_goods_where_only_buses_go() -> None:
    """Tests that goods barred from the bus are told so."""
    trip = bus_trip("b", [("hub", 30_000), ("village", 33_000)])
    assert reason(day(replace(PLAIN, dangerous=True), vehicles=[], bus_trips=[trip])).reason == "DANGEROUS_BARRED"


def test_cold_goods_that_would_spoil_on_the_way() -> None:
    """Tests that a product with no patience at all is refused for the cold, with the minutes it would need."""
    strict = replace(PRODUCTS.classes["chilled"], max_out_of_band_s=0, lag_s=100.0, box=None)
    products = replace(PRODUCTS, classes={**PRODUCTS.classes, "chilled": strict})
    found = reason(day(replace(PLAIN, product_class="chilled"), products=products))
    assert found.reason == "COLD_LIMIT"
    assert found.relaxation is not None
    assert found.relaxation.verified


def test_a_courier_too_busy_asks_for_one_more() -> None:
    """Tests that two orders one courier cannot both carry name the missing courier."""
    orders = [
        order(f"o{k}", "village", "hub", 12.0, windows=((39_600, 43_200),), unserved_cost=50_000.0) for k in (0, 1)
    ]
    near = [HUB, place("village", 2, 0)]
    case = problem(near, orders, [(COURIER, "hub", 1)])
    found = solve(case, Limits(None, 10), 0).plan.unassigned
    assert [gone.reason for gone in found] == ["NO_CAPACITY"]
    assert found[0].relaxation == replace(found[0].relaxation, change=1, verified=True)


@pytest.mark.parametrize(
    "one",
    [
        replace(PLAIN, windows=((21_600, 22_000),)),
        replace(PLAIN, windows=((70_000, 72_000),)),
        replace(PLAIN, release_s=64_000),
        replace(PLAIN, unserved_cost=100.0),
        replace(PLAIN, weight_kg=900.0, volume_l=10.0),
    ],
)
def test_the_verified_change_serves_the_order(one: Order) -> None:
    """Tests that making the proposed change indeed gets the order served, and that half of it does not."""
    gone = reason(day(one))
    change = gone.relaxation
    assert change is not None
    assert change.verified

    def changed(share: float) -> Order:
        amount = change.change * share
        if change.input == "orders.window_end_s":
            return replace(one, windows=((one.windows[0][0], int(one.windows[0][1] + amount)),))
        if change.input == "orders.window_start_s":
            return replace(one, windows=((int(one.windows[0][0] + amount), one.windows[0][1]),))
        field = change.input.removeprefix("orders.")
        return replace(one, **{field: type(getattr(one, field))(getattr(one, field) + amount)})

    assert not solve(day(changed(1.0)), Limits(None, 10), 0).plan.unassigned
    assert solve(day(changed(0.5)), Limits(None, 10), 0).plan.unassigned


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (replace(PLAIN, weight_kg=900.0, volume_l=10.0), "TOO_HEAVY"),
        (replace(PLAIN, volume_l=9_000.0), "TOO_LARGE"),
        (replace(PLAIN, windows=((21_600, 22_000),)), "WINDOW_TOO_TIGHT"),
        (replace(PLAIN, release_s=64_000), "RELEASED_TOO_LATE"),
    ],
)
def test_where_many_are_left_out_the_rest_get_the_reason_alone(
    monkeypatch: pytest.MonkeyPatch, one: Order, code: str
) -> None:
    """Tests that orders beyond those whose relaxation is sought have the same reason without one."""
    monkeypatch.setattr("routing.solver.reasons._RELAXED", 0)
    gone = reason(day(one))
    assert (gone.reason, gone.relaxation) == (code, None)


def test_explaining_ends_when_it_is_overdue() -> None:
    """Tests that orders not looked at in time say so."""
    instance = compile_instance(day(PLAIN), bundle=False)
    found = explain_state(ChainFinder(instance), State(instance), overdue=lambda: True)
    assert [gone.reason for gone in found] == ["SEARCH_LIMIT"]


def test_every_reason_has_both_languages() -> None:
    """Tests that texts exist in English and Chinese and that an empty plan explains every order."""
    assert all(text and any("\u4e00" <= sign <= "\u9fff" for sign in zh) for text, zh in REASONS.values())
    found = explain_unassigned(day(PLAIN), Plan())
    assert [gone.reason for gone in found] == ["SEARCH_ENDED"]
