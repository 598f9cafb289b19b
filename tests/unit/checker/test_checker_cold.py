"""The checker's own integration of product temperatures, against plain time stepping and hand reckoning."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from breaking import with_place
from checker_world import PRODUCTS, make_world
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.checker.cold import advance, exposure_of, phases_of
from routing.checker.costs import loss_share
from routing.checker.facts import Facts
from routing.checker.journeys import Case, Ride
from routing.model.order import Order
from routing.model.product import ProductClass

MEAT = PRODUCTS.classes["meat"]


def rate(temp_c: float) -> float:
    """Return the relative rate of spoilage by the table of rules.md."""
    knots = [(0.0, 1.0), (10.0, 3.0), (20.0, 7.5), (30.0, 15.0), (40.0, 22.5)]
    if temp_c <= 0.0:
        return 1.0
    for (low_c, low), (high_c, high) in pairwise(knots):
        if temp_c <= high_c or high_c == 40.0:
            return math.exp(math.log(low) + (temp_c - low_c) / (high_c - low_c) * math.log(high / low))
    raise AssertionError


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-25, 45), st.floats(-25, 45), st.floats(600, 20_000), st.floats(1, 30_000), st.floats(-5, 15)
)  # fmt: skip
def test_advance_equals_small_steps(
    start_c: float, around_c: float, lag_s: float, lasting_s: float, low_c: float
) -> None:
    """Tests that the exact pieces agree with 20,000 small steps in temperature, time out of band and dose."""
    goods = ProductClass("x", "x", "x", cold=True, low_c=low_c, high_c=low_c + 5.0, lag_s=lag_s)
    out_s, dose_h, end_c = advance(goods, start_c, around_c, lasting_s)
    n = 20_000
    t = (np.arange(n) + 0.5) * lasting_s / n
    temp_c = around_c + (start_c - around_c) * np.exp(-t / lag_s)
    outside = (temp_c < goods.low_c) | (temp_c > goods.high_c)
    log_rate = np.log([1.0, 3.0, 7.5, 15.0, 22.5])
    rates = np.exp(np.interp(temp_c, [0, 10, 20, 30, 40], log_rate))
    rates = np.where(temp_c > 40, [rate(float(c)) for c in temp_c] if (temp_c > 40).any() else rates, rates)
    assert end_c == pytest.approx(around_c + (start_c - around_c) * math.exp(-lasting_s / lag_s), abs=1e-9)
    assert out_s == pytest.approx(outside.mean() * lasting_s, abs=3 * lasting_s / n)
    assert dose_h == pytest.approx(rates.mean() * lasting_s / 3600, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("temp_c", "expected"), [(-10.0, 1.0), (0.0, 1.0), (10.0, 3.0), (25.0, 10.6066), (50.0, 33.75)]
)
def test_dose_at_constant_temperature(temp_c: float, expected: float) -> None:
    """Tests that an hour at a constant temperature costs the rate of the table, beyond 40 °C by the last slope."""
    _, dose_h, _ = advance(MEAT, temp_c, temp_c, 3600.0)
    assert dose_h == pytest.approx(expected, rel=1e-5)


def _meat() -> tuple[Case, Order, tuple[Ride, ...]]:
    world = make_world()
    case = Case(world.facts, world.plan)
    return case, world.facts.orders["o4"], case.chains["o4"]


def test_phases_tile_the_time_of_the_order() -> None:
    """Tests that the phases of an order follow each other without gap from its first loading to its last unloading."""
    world = make_world()
    case = Case(world.facts, world.plan)
    for order_id in ("o3", "o4", "o7", "o2"):
        order = replace(world.facts.orders[order_id], product_class="meat")
        phases = list(phases_of(case, order, case.chains[order_id]))
        assert all(before.until_s == after.from_s for before, after in pairwise(phases))
        assert phases[0].from_s == case.loading_s(case.chains[order_id][0])[0]
        assert phases[-1].until_s == case.unloading_s(case.chains[order_id][-1])[1]


def test_box_holds_its_temperature_while_coolant_lasts() -> None:
    """Tests that meat in an iced box on the bus cools towards the box and is never out of band."""
    case, order, chain = _meat()
    exposure = exposure_of(case, order, chain)
    assert exposure.out_of_band_s == 0.0
    hours = (600 + 1200 + 180 - 60) / 3600
    assert exposure.equivalent_h < 1.25 * hours


def test_coolant_runs_out() -> None:
    """Tests that a box whose coolant is used up takes the outside's temperature from that moment on."""
    case, order, chain = _meat()
    ride_s = 1140.0
    outside_c = 12.0 + 8 * 0.5
    half = 0.3 * outside_c * ride_s / 2
    boxes = {**PRODUCTS.boxes, "ice": replace(PRODUCTS.boxes["ice"], coolant_j=half)}
    facts = replace(case.facts, products=replace(PRODUCTS, boxes=boxes))
    facts = with_place(with_place(facts, "hub", store_kg={}), "town", store_kg={})
    goods = replace(MEAT, max_out_of_band_s=0)
    temp_c = goods.start_c
    # loading 600 s in open air, half of the ride held at 0 °C, the other half and 180 s of unloading in open air
    for around_c, lasting_s in (
        (11.5 + 4.0, 540.0), (16.0, 60.0), (0.0, ride_s / 2), (16.0, ride_s / 2), (16.0, 180.0),
    ):  # fmt: skip
        _, _, temp_c = advance(goods, temp_c, around_c, lasting_s)
    found = exposure_of(Case(facts, case.document), order, chain)
    doses = 0.0
    temp_c = goods.start_c
    for around_c, lasting_s in ((15.5, 540.0), (16.0, 60.0), (0.0, 570.0), (16.0, 570.0), (16.0, 180.0)):
        _, dose_h, temp_c = advance(goods, temp_c, around_c, lasting_s)
        doses += dose_h
    assert found.equivalent_h == pytest.approx(doses, rel=1e-9)


def test_air_is_colder_higher_up() -> None:
    """Tests that riding takes the mean height of the two places, 6.5 °C per 1,000 m."""
    case, order, chain = _meat()
    low = exposure_of(Case(_unboxed(case.facts), case.document), order, chain)
    lifted = with_place(_unboxed(case.facts), "town", elevation_m=1_500.0)
    high = exposure_of(Case(lifted, case.document), order, chain)
    assert high.equivalent_h < low.equivalent_h


def _unboxed(facts: Facts) -> Facts:
    classes = {**PRODUCTS.classes, "meat": replace(MEAT, box=None, store="ambient")}
    return replace(facts, products=replace(PRODUCTS, classes=classes))


def test_loss_reproduces_its_two_anchors() -> None:
    """Tests that 254 equivalent hours lose 25 % and 77 lose 4.7 % (domain notes 2c.5)."""
    goods = replace(MEAT, loss_scale_h=583.0, loss_shape=1.5)
    assert loss_share(goods, 254.0) == pytest.approx(0.25, abs=0.002)
    assert loss_share(goods, 77.0) == pytest.approx(0.047, abs=0.001)
