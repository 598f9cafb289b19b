"""COLD: the product temperature of cold goods along their chain, integrated by the checker itself.

The surroundings of the goods are constant between changes of phase, hour and coolant; in between the temperature is an
exact exponential, ``T(t) = S + (T0 − S)·exp(−t/lag)``. Crossings of the band and of the knots of the rate are solved
in closed form, the dose of each smooth piece is a Gauss-Legendre sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from routing.checker.codes import Code
from routing.checker.goods import class_of, compartments_of, is_fitting, needed_box
from routing.checker.journeys import Case, Ride
from routing.checker.report import Violation
from routing.model.carrier import Drone
from routing.model.order import Order
from routing.model.product import Box, ProductClass

OUT_OF_BAND_TOLERANCE_S = 30.0
TOLERANCE_SHARE = 0.01
DRONE_BOX_FACTOR = 1.5
"""Heat into a box in the airflow below a drone, against a box at rest."""
RATE_KNOTS_C = (0.0, 10.0, 20.0, 30.0, 40.0)
RATES = (1.0, 3.0, 7.5, 15.0, 22.5)
"""Relative rate of spoilage at the knots; ln r is linear between them (domain notes 2c.2, USDA Handbook 66)."""
GAUSS_POINTS = 8


@dataclass(frozen=True, slots=True)
class Phase:
    """Seconds in which goods are in one kind of surroundings.

    `held_c` is the temperature of a store or fitting compartment; None means the outside's, or that of the inside of a
    box where `boxed`. `box_factor` multiplies the heat into the box.
    """

    place: str
    from_s: float
    until_s: float
    elevation_m: float
    held_c: float | None = None
    boxed: bool = False
    box_factor: float = 1.0
    fresh_coolant: bool = False


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a journey does to cold goods. `worst_place` is where most of the time out of band arises."""

    out_of_band_s: float
    equivalent_h: float
    worst_place: str | None


def check_cold(case: Case) -> Iterator[Violation]:
    """Yield the violations of the COLD family."""
    yield from _check_boxes(case)
    for order_id, chain in case.chains.items():
        order = case.facts.orders[order_id]
        goods = class_of(case.facts, order)
        if goods.cold:
            yield from _check_exposure(order, goods, exposure_of(case, order, chain), chain[-1].route.id)


def _check_boxes(case: Case) -> Iterator[Violation]:
    for ride in case.rides:
        order = case.facts.orders.get(ride.order)
        carrier = case.carrier_of(ride.route)
        if order is None or carrier is None:
            continue
        needed = needed_box(class_of(case.facts, order), compartments_of(carrier).get(ride.loaded.compartment))
        stated = ride.loaded.box
        if stated == needed:
            continue
        code = Code.COLD_BOX_MISSING if stated is None else Code.COLD_BOX_WRONG
        text = f"order {order.id} rides with box {stated}, in compartment {ride.loaded.compartment} it needs {needed}"
        yield Violation(code, ride.load_stop.place, None, "", text, ride.route.id, order.id)


def _check_exposure(order: Order, goods: ProductClass, exposure: Exposure, route: str) -> Iterator[Violation]:
    allowed_s = goods.max_out_of_band_s
    if exposure.out_of_band_s > allowed_s * (1 + TOLERANCE_SHARE) + OUT_OF_BAND_TOLERANCE_S:
        text = (
            f"order {order.id} is outside {goods.low_c:g} to {goods.high_c:g} °C for {exposure.out_of_band_s:.0f} s, "
            f"{goods.id} tolerates {allowed_s} s"
        )
        amount = exposure.out_of_band_s - allowed_s
        yield Violation(Code.COLD_OUT_OF_BAND, exposure.worst_place, amount, "s", text, route, order.id)
    if exposure.equivalent_h > goods.max_equivalent_h * (1 + TOLERANCE_SHARE):
        text = (
            f"order {order.id} uses {exposure.equivalent_h:.2f} equivalent hours at 0 °C, {goods.id} has a budget of "
            f"{goods.max_equivalent_h:g}"
        )
        amount = exposure.equivalent_h - goods.max_equivalent_h
        yield Violation(Code.COLD_DOSE, exposure.worst_place, amount, "h", text, route, order.id)


# --- Phases --------------------------------------------------------------------------------------------------------


def phases_of(case: Case, order: Order, chain: tuple[Ride, ...]) -> Iterator[Phase]:
    """Yield the phases of a chain: loading, riding, unloading, waiting, and again."""
    goods = class_of(case.facts, order)
    for position, ride in enumerate(chain):
        load_s, loaded_s = case.loading_s(ride)
        unload_s, unloaded_s = case.unloading_s(ride)
        start, end = ride.load_stop.place, ride.unload_stop.place
        store_c = store_temperature_c(case, goods, start)
        fresh = position == 0 or store_c is not None
        yield Phase(start, load_s, loaded_s, _height_m(case, start), store_c, fresh_coolant=fresh)
        yield _riding(case, goods, ride, loaded_s, unload_s)
        store_c = store_temperature_c(case, goods, end)
        yield Phase(end, unload_s, unloaded_s, _height_m(case, end), store_c)
        if position + 1 < len(chain):
            next_load_s, _ = case.loading_s(chain[position + 1])
            yield from _waiting(case, goods, end, unloaded_s, next_load_s)


def _riding(case: Case, goods: ProductClass, ride: Ride, from_s: float, until_s: float) -> Phase:
    carrier = case.carrier_of(ride.route)
    compartment = compartments_of(carrier).get(ride.loaded.compartment) if carrier is not None else None
    start, end = ride.load_stop.place, ride.unload_stop.place
    return Phase(
        start,
        from_s,
        until_s,
        (_height_m(case, start) + _height_m(case, end)) / 2,
        compartment.set_point_c if compartment is not None and is_fitting(compartment, goods) else None,
        boxed=needed_box(goods, compartment) is not None,
        box_factor=DRONE_BOX_FACTOR if isinstance(carrier, Drone) else 1.0,
    )


def _waiting(case: Case, goods: ProductClass, place_id: str, from_s: float, until_s: float) -> Iterator[Phase]:
    place = case.facts.places.get(place_id)
    height_m = _height_m(case, place_id)
    store_c = store_temperature_c(case, goods, place_id)
    if store_c is not None:
        yield Phase(place_id, from_s, until_s, height_m, store_c)
        return
    open_until_s = min(from_s + (place.handling_s if place is not None else 0), until_s)
    yield Phase(place_id, from_s, open_until_s, height_m)
    yield Phase(place_id, open_until_s, until_s, height_m, boxed=goods.box is not None)


def store_temperature_c(case: Case, goods: ProductClass, place_id: str) -> float | None:
    """Return the temperature of the fitting store of a place, None where it has none."""
    place = case.facts.places.get(place_id)
    if place is None or goods.store not in case.facts.products.store_c:
        return None
    return case.facts.products.store_c[goods.store] if place.store_kg.get(goods.store, 0.0) > 0.0 else None


def _height_m(case: Case, place_id: str) -> float:
    place = case.facts.places.get(place_id)
    return place.elevation_m if place is not None and math.isfinite(place.elevation_m) else 0.0


# --- Integration ---------------------------------------------------------------------------------------------------


@dataclass
class _State:
    temp_c: float
    coolant_j: float
    out_of_band_s: float = 0.0
    equivalent_h: float = 0.0
    out_by_place: dict[str, float] = field(default_factory=dict)


def exposure_of(case: Case, order: Order, chain: tuple[Ride, ...]) -> Exposure:
    """Return time out of band and equivalent hours of an order along its chain."""
    goods = class_of(case.facts, order)
    box = case.facts.products.boxes.get(goods.box) if goods.box is not None else None
    state = _State(goods.start_c, box.coolant_j if box is not None else 0.0)
    for phase in phases_of(case, order, chain):
        if phase.fresh_coolant and box is not None:
            state.coolant_j = box.coolant_j
        for surroundings_c, lasting_s in _pieces(case, phase, box, state):
            out_s, dose_h, state.temp_c = advance(goods, state.temp_c, surroundings_c, lasting_s)
            state.out_of_band_s += out_s
            state.equivalent_h += dose_h
            state.out_by_place[phase.place] = state.out_by_place.get(phase.place, 0.0) + out_s
    return Exposure(state.out_of_band_s, state.equivalent_h, _place_of_most(state.out_by_place))


def _place_of_most(seconds: Mapping[str, float]) -> str | None:
    return max(seconds, key=lambda place: seconds[place], default=None)


def _pieces(case: Case, phase: Phase, box: Box | None, state: _State) -> Iterator[tuple[float, float]]:
    """Yield (surroundings °C, seconds) of a phase, constant in each; takes heat from the coolant on the way."""
    if phase.until_s <= phase.from_s:
        return
    if phase.held_c is not None:
        yield phase.held_c, phase.until_s - phase.from_s
        return
    for from_s, until_s in _by_hour(phase.from_s, phase.until_s):
        outside_c = case.facts.weather.ambient_c(from_s, phase.elevation_m)
        lasting_s = until_s - from_s
        if phase.boxed and box is not None:
            heat_w = box.ua_w_k * abs(outside_c - box.hold_c) * phase.box_factor
            held_s = lasting_s if heat_w * lasting_s <= state.coolant_j else state.coolant_j / heat_w
            state.coolant_j = max(0.0, state.coolant_j - heat_w * held_s)
            yield box.hold_c, held_s
            lasting_s -= held_s
        yield outside_c, lasting_s


def _by_hour(from_s: float, until_s: float) -> Iterator[tuple[float, float]]:
    cuts = [from_s, *(3600.0 * k for k in range(int(from_s // 3600) + 1, math.ceil(until_s / 3600))), until_s]
    yield from pairwise(cuts)


def advance(goods: ProductClass, temp_c: float, surroundings_c: float, lasting_s: float) -> tuple[float, float, float]:
    """Let goods follow constant surroundings.

    Parameters
    ----------
    goods
        Their band and lag.
    temp_c, surroundings_c
        Temperatures at the start, °C.
    lasting_s
        Seconds, not negative.

    Returns
    -------
    tuple[float, float, float]
        Seconds outside the band, equivalent hours at 0 °C, and the temperature at the end.
    """
    if lasting_s <= 0.0:
        return 0.0, 0.0, temp_c
    course = _Course(temp_c, surroundings_c, goods.lag_s)
    cuts = sorted(
        {0.0, lasting_s}
        | {
            at
            for level in (goods.low_c, goods.high_c, *RATE_KNOTS_C)
            if 0.0 < (at := course.reaches(level)) < lasting_s
        }
    )
    out_s = dose_s = 0.0
    for start_s, end_s in pairwise(cuts):
        middle_c = course.at((start_s + end_s) / 2)
        if not goods.low_c <= middle_c <= goods.high_c:
            out_s += end_s - start_s
        dose_s += _dose_s(course, start_s, end_s, middle_c)
    return out_s, dose_s / 3600.0, course.at(lasting_s)


class _Course(NamedTuple):
    """The exponential course of a temperature."""

    start_c: float
    surroundings_c: float
    lag_s: float

    def at(self, t_s: float) -> float:
        return self.surroundings_c + (self.start_c - self.surroundings_c) * math.exp(-t_s / self.lag_s)

    def reaches(self, level_c: float) -> float:
        """Return when the course passes a temperature; infinite if never."""
        gap_c = self.start_c - self.surroundings_c
        share = (level_c - self.surroundings_c) / gap_c if gap_c != 0.0 else -1.0
        return -self.lag_s * math.log(share) if 0.0 < share < 1.0 else math.inf


def _dose_s(course: _Course, start_s: float, end_s: float, middle_c: float) -> float:
    """Integrate the rate over a piece in which ln r is linear in the temperature."""
    if middle_c <= RATE_KNOTS_C[0]:
        return end_s - start_s
    segment = min(sum(middle_c > knot for knot in RATE_KNOTS_C[1:]), len(RATE_KNOTS_C) - 2)
    slope, offset_c, base = _segment(segment)
    nodes, weights = _gauss()
    total = 0.0
    n_parts = max(1, math.ceil((end_s - start_s) / course.lag_s))
    for part in range(n_parts):
        a = start_s + (end_s - start_s) * part / n_parts
        half_s = (end_s - start_s) / n_parts / 2
        for node, weight in zip(nodes, weights, strict=True):
            temp_c = course.at(a + half_s * (1.0 + node))
            total += weight * half_s * base * math.exp(slope * (temp_c - offset_c))
    return total


def _segment(number: int) -> tuple[float, float, float]:
    low_c, high_c = RATE_KNOTS_C[number], RATE_KNOTS_C[number + 1]
    slope = math.log(RATES[number + 1] / RATES[number]) / (high_c - low_c)
    return slope, low_c, RATES[number]


@cache
def _gauss() -> tuple[tuple[float, ...], tuple[float, ...]]:
    nodes, weights = np.polynomial.legendre.leggauss(GAUSS_POINTS)
    return tuple(map(float, nodes)), tuple(map(float, weights))
