"""Unit tests of the final times of rounds that hand over to each other."""

from dataclasses import replace
from itertools import pairwise

import pytest
from plan_oracle import violations
from problems import COURIER, PRODUCTS, VAN, county, order, place, problem

from geodata.location import Level
from routing.model.plan import Handover, Plan, Route, Stop
from routing.model.problem import Problem
from routing.plan_io import derive_legs
from routing.solver import Limits, solve
from routing.solver.instance import compile_instance
from routing.solver.itineraries import ChainBook, ChainFinder
from routing.solver.resume import state_of
from routing.solver.schedule import make_plan
from routing.solver.settling import settle_for_bringers, settle_for_fetchers, sound_plan
from routing.solver.state import State

HUB = place("hub", 0, 0, Level.COUNTY)
FARM = place("farm", 3, 0)
VILLAGE = place("village", 5, 0)
GROUP = place("group", 5, 1, Level.GROUP, handling_s=0)
FIELD = place("field", 6, 0)
NOON_S = 43_200


def _stop(where: str, load: str = "", unload: str = "", part: str = "hold") -> Stop:
    loaded, unloaded = (tuple(Handover(name, part, None) for name in names.split()) for names in (load, unload))
    return Stop(where, 0, 0, 0, 0, load=loaded, unload=unloaded)


def _route(carrier: str, base: str, stops: tuple[Stop, ...]) -> Route:
    kind_id = carrier.partition("-")[0]
    kind, profile = ("vehicle", "van_diesel") if kind_id == "van" else ("courier", "walker")
    return Route(f"{carrier}-1", carrier, "firm", kind, kind_id, profile, base, stops)


def _morning() -> tuple[Problem, State]:
    """Return a van that fetches chilled goods, hands a parcel to a courier and then has to wait for noon in a field."""
    orders = [
        order("parcel", "hub", "group"),
        order("cold", "farm", "hub", product_class="chilled"),
        order("late", "field", "hub", release_s=NOON_S),
    ]
    places = [HUB, FARM, VILLAGE, GROUP, FIELD]
    unboxed = {**PRODUCTS.classes, "chilled": replace(PRODUCTS.classes["chilled"], box=None)}
    fleet = [(VAN, "hub", 1), (COURIER, "village", 1)]
    day = problem(places, orders, fleet, products=replace(PRODUCTS, classes=unboxed))
    van = (
        _stop("hub", load="parcel"),
        _stop("farm", load="cold"),
        _stop("village", unload="parcel"),
        _stop("field", load="late"),
        _stop("hub", unload="cold late"),
    )
    courier = (
        _stop("village", load="parcel", part="bag"),
        _stop("group", unload="parcel", part="bag"),
        _stop("village"),
    )
    plan = Plan((_route("van-hub-1", "hub", van), _route("courier-village-1", "village", courier)))
    return day, state_of(compile_instance(day, bundle=False), plan)


def test_a_round_with_cold_goods_aboard_need_not_wait_for_the_courier_it_meets() -> None:
    """Tests that the courier goes as late as the van wants to, and that the plan is settled that way."""
    day, state = _morning()
    settle_for_fetchers(state)
    early = make_plan(state)
    assert violations(day, early) != []  # the van hands over early and then stands in the field until noon
    settle_for_bringers(state)
    late = make_plan(state)
    assert violations(day, late) == []
    assert derive_legs(late)["cold"][0].load_start_s > derive_legs(early)["cold"][0].load_start_s
    chains = ChainBook(ChainFinder(state.instance))
    assert violations(day, sound_plan(state, chains, lambda: False)) == []
    assert state.orders_served == 3


@pytest.mark.parametrize("seed", range(12))
def test_goods_are_there_before_they_are_fetched(seed: int) -> None:
    """Tests on random days that both ways to settle leave every order the time to change carriers."""
    day = county(seed, orders=25)
    instance = compile_instance(day, bundle=False)
    plan = solve(day, Limits(None, 200), seed).plan
    for settle in (settle_for_fetchers, settle_for_bringers):
        state = state_of(instance, plan)
        settle(state)
        legs = derive_legs(make_plan(state))
        assert len(legs) == state.orders_served
        for chain in legs.values():
            for before, after in pairwise(chain):
                there_s = before.unload_end_s if before.kind != "bus" else before.arrival_s
                assert (
                    there_s + day.place_by_id[before.to_place].handling_s <= after.load_start_s or after.kind == "bus"
                )
        assert not state.unsound_jobs()
