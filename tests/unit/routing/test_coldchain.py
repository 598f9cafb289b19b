"""Unit tests of cold exposure: closed forms by hand, and small time steps as a second way."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from plan_oracle import cold_by_steps
from problems import PRODUCTS, county, place, problem

from geodata.location import Level
from routing.coldchain import (
    ColdLeg,
    ageing_rate,
    cold_legs,
    cold_phases,
    exposure,
    integrate,
    plan_exposures,
    predicted_loss,
)
from routing.model.problem import Problem
from routing.solver import Limits, solve

CHILLED = PRODUCTS.classes["chilled"]
BERRIES = PRODUCTS.classes["berries"]


def day(temp_c: float = 20.0, **village: object) -> Problem:
    """Return a hub and a village with one temperature all day."""
    places = [place("hub", 0, 0, Level.COUNTY), place("village", 10, 0, **village)]
    return problem(places, [], hourly_temp_c=np.full(24, temp_c))


def leg(**fields: object) -> ColdLeg:
    """Return a ride of two hours with ten minutes of handling at both ends, in the open air unless told."""
    values = {
        "from_place": "hub",
        "to_place": "village",
        "load_start_s": 36_000.0,
        "load_end_s": 36_600.0,
        "unload_start_s": 43_800.0,
        "unload_end_s": 44_400.0,
        "set_point_c": None,
        "boxed": False,
        **fields,
    }
    return ColdLeg(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("temp_c", "rate"),
    [
        (-5, 1.0),
        (0, 1.0),
        (5, math.sqrt(3.0)),
        (10, 3.0),
        (20, 7.5),
        (25, math.sqrt(7.5 * 15)),
        (40, 22.5),
        (50, 33.75),
    ],
)
def test_ageing_is_log_linear_between_its_points(temp_c: float, rate: float) -> None:
    """Tests the ageing rate at, between, below and above the stated points."""
    assert ageing_rate(temp_c) == pytest.approx(rate)


def test_loss_reproduces_the_two_anchors_it_was_set_by() -> None:
    """Tests 25 % at 254 equivalent hours and about 4.7 % at 77, the calibration of domain notes 2c.5."""
    assert predicted_loss(CHILLED, 254.0) == pytest.approx(0.25, abs=0.002)
    assert predicted_loss(CHILLED, 77.0) == pytest.approx(0.047, abs=0.001)
    assert predicted_loss(replace(CHILLED, loss_scale_h=None), 1_000.0) == 0.0


def test_product_in_open_air_follows_with_its_lag() -> None:
    """Tests the end temperature and the seconds out of band against the exponential by hand."""
    found = exposure(day(20.0), CHILLED, [leg()])
    span = 44_400.0 - 36_000.0
    assert found.end_c == pytest.approx(20.0 - 16.0 * math.exp(-span / 7_200.0))
    crossing = 7_200.0 * math.log(16.0 / 14.0)
    assert found.out_of_band_s == pytest.approx(span - crossing)
    assert not found.within(CHILLED)


def test_fitting_compartment_keeps_the_product() -> None:
    """Tests that riding at the set point warms the goods only while they are handled."""
    found = exposure(day(20.0), CHILLED, [leg(set_point_c=4.0)])
    assert found.out_of_band_s == 0.0
    assert 4.0 < found.end_c < 6.0


def test_coolant_lasts_for_its_energy_and_less_on_a_drone() -> None:
    """Tests that the inside warms once the coolant is used up, sooner in the airflow of a drone."""
    box = PRODUCTS.boxes["box_m"]
    lasts_s = box.coolant_j / (box.ua_w_k * (20.0 - box.hold_c))
    hours = 60
    long_ride = leg(
        load_start_s=0.0, load_end_s=0.0, unload_start_s=hours * 3600.0, unload_end_s=hours * 3600.0, boxed=True
    )
    case = day(20.0)
    by_van = integrate(case, CHILLED, cold_phases(case, CHILLED, [long_ride]))
    inside = 2.0 + 2.0 * math.exp(-lasts_s / 7_200.0)
    warming_s = hours * 3600.0 - lasts_s
    assert by_van.end_c == pytest.approx(20.0 - (20.0 - inside) * math.exp(-warming_s / 7_200.0))
    by_drone = exposure(case, CHILLED, [replace(long_ride, on_drone=True)])
    assert by_drone.out_of_band_s - by_van.out_of_band_s == pytest.approx(lasts_s / 3.0, rel=1e-6)


def test_air_is_colder_higher_up_and_taken_midway_while_riding() -> None:
    """Tests the lapse of 6.5 degrees a kilometre, at the mean height of both places on the way."""
    case = day(20.0)
    high = replace(case.places[1], elevation_m=2_000.0)
    case = replace(case, places=(case.places[0], high))
    phases = {stretch.phase: stretch for stretch in cold_phases(case, BERRIES, [leg()])}
    assert phases["riding"].elevation_m == 1_500.0
    assert case.ambient_c(0, phases["riding"].elevation_m) == pytest.approx(16.75)
    assert phases["unloading"].elevation_m == 2_000.0


def test_waiting_without_store_is_open_while_handled_and_boxed_after() -> None:
    """Tests the split of waiting at a place without a fitting store, and its store's temperature where it has one."""
    legs = [leg(boxed=True), leg(from_place="village", to_place="hub", load_start_s=50_000.0, load_end_s=50_100.0,
                                 unload_start_s=52_000.0, unload_end_s=52_100.0, boxed=True)]  # fmt: skip
    plain = [s for s in cold_phases(day(), CHILLED, legs) if s.phase == "waiting"]
    assert [(s.inside, s.end_s - s.start_s) for s in plain] == [("air", 300.0), ("box", 5_300.0)]
    cold = [s for s in cold_phases(day(store_kg={"chilled": 50.0}), CHILLED, legs) if s.phase == "waiting"]
    assert [(s.inside, s.fixed_c) for s in cold] == [("fixed", 3.0)]


def test_phases_tile_the_time_and_agree_with_small_steps() -> None:
    """Tests plans of random counties: phases leave no gap, and stepping every 10 s gives the same exposure."""
    seen = 0
    for seed in range(6):
        case = county(seed, orders=30)
        plan = solve(case, Limits(None, 3), seed).plan
        found = plan_exposures(case, plan)
        for order_id, legs in cold_legs(case, plan).items():
            product = case.products.classes[case.order_by_id[order_id].product_class]
            stretches = cold_phases(case, product, legs)
            assert all(a.end_s == b.start_s for a, b in pairwise(stretches))
            out_s, dose_h = cold_by_steps(case, product, _as_oracle_legs(case, plan, order_id))
            assert found[order_id].out_of_band_s == pytest.approx(out_s, abs=40.0)
            assert found[order_id].equivalent_h == pytest.approx(dose_h, rel=0.02)
            seen += 1
    assert seen > 5


def _as_oracle_legs(case: Problem, plan: object, order_id: str) -> list[tuple]:
    from plan_oracle import _events, _moments

    return [(*_moments(case, found), found) for found in _events(case, plan)[order_id]]
