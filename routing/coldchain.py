"""Cold goods: the phases of an order's journey and the course of its temperature, as ``reference/rules.md`` states it.

The product follows its surroundings S with a first-order lag, dT/dt = (S − T)/lag. S is constant by pieces, so T is a
sum of exponentials and is followed exactly; seconds out of band come from the exact crossings, and equivalent hours
from Simpson's rule on pieces of at most 15 minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from routing.model.carrier import BusTrip, Vehicle
from routing.model.order import Order
from routing.model.plan import Plan
from routing.model.problem import Place, Problem
from routing.model.product import Box, ProductClass, Products

Phase = Literal["loading", "riding", "unloading", "waiting"]
DRONE_UA_FACTOR = 1.5
"""A box in the airflow of a drone takes up heat faster (domain notes 2c.3, assumed)."""
TOLERANCE_S = 30.0
TOLERANCE_SHARE = 0.01
_RATE_POINTS = ((0.0, 1.0), (10.0, 3.0), (20.0, 7.5), (30.0, 15.0), (40.0, 22.5))
"""Rate of ageing r by temperature in °C, relative to 0 °C (rules.md, Cold goods)."""
_PIECE_S = 900.0


@dataclass(frozen=True, slots=True)
class ColdLeg:
    """One leg of a cold order as the cold rules see it; times in seconds.

    `set_point_c` is that of a fitting compartment, None where the goods do not ride in one; `boxed` tells whether they
    ride in their class's box.
    """

    from_place: str
    to_place: str
    load_start_s: float
    load_end_s: float
    unload_start_s: float
    unload_end_s: float
    set_point_c: float | None
    boxed: bool
    on_drone: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the journey: `inside` is what surrounds the goods, `elevation_m` where the outside's air is."""

    phase: Phase
    start_s: float
    end_s: float
    inside: Literal["fixed", "box", "air"]
    fixed_c: float
    elevation_m: float
    on_drone: bool
    fresh_coolant: bool


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the journey did to the goods: seconds out of band, equivalent hours at 0 °C, predicted share lost."""

    out_of_band_s: float
    equivalent_h: float
    loss: float
    end_c: float

    def within(self, product: ProductClass) -> bool:
        """Return whether the class's limits hold, with half of the tolerance of rules.md kept in hand."""
        return (
            self.out_of_band_s <= product.max_out_of_band_s + TOLERANCE_S / 2.0
            and self.equivalent_h <= product.max_equivalent_h * (1.0 + TOLERANCE_SHARE / 2.0)
        )


def ageing_rate(temp_c: float) -> float:
    """Return r(T): log-linear between the points of rules.md, 1.0 below 0 °C, the last slope above 40 °C."""
    if temp_c <= 0.0:
        return 1.0
    segment = min(int(temp_c // 10.0), len(_RATE_POINTS) - 2)
    (low_c, low), (high_c, high) = _RATE_POINTS[segment], _RATE_POINTS[segment + 1]
    return low * math.exp(math.log(high / low) * (temp_c - low_c) / (high_c - low_c))


def predicted_loss(product: ProductClass, equivalent_h: float) -> float:
    """Return the share of value lost: 1 − exp(−(h_eq/H)^β); 0 for classes without a loss curve."""
    if product.loss_scale_h is None:
        return 0.0
    return 1.0 - math.exp(-((equivalent_h / product.loss_scale_h) ** product.loss_shape))


def cold_phases(problem: Problem, product: ProductClass, legs: Sequence[ColdLeg]) -> tuple[Stretch, ...]:
    """Return the stretches that tile the goods' time from the first loading to the last unloading."""
    found: list[Stretch] = []
    for number, leg in enumerate(legs):
        origin, target = problem.place_by_id[leg.from_place], problem.place_by_id[leg.to_place]
        if number > 0:
            found.extend(_waiting(problem.products, product, legs[number - 1], leg, origin))
        fresh = number == 0 or _store_c(problem.products, product, origin) is not None
        found.append(_handled(problem.products, product, "loading", origin, leg.load_start_s, leg.load_end_s, fresh))
        found.append(_riding(product, leg, (origin.elevation_m + target.elevation_m) / 2.0))
        found.append(_handled(problem.products, product, "unloading", target, leg.unload_start_s, leg.unload_end_s))
    return tuple(found)


def _store_c(products: Products, product: ProductClass, place: Place) -> float | None:
    """Return the temperature of the place's fitting store, None where there is none."""
    if product.store in ("chilled", "frozen") and place.store_kg.get(product.store, 0.0) > 0.0:
        return products.store_c[product.store]
    return None


def _handled(
    products: Products,
    product: ProductClass,
    phase: Phase,
    place: Place,
    start_s: float,
    end_s: float,
    fresh: bool = False,
) -> Stretch:
    store_c = _store_c(products, product, place)
    inside: Literal["fixed", "air"] = "air" if store_c is None else "fixed"
    return Stretch(phase, start_s, end_s, inside, store_c or 0.0, place.elevation_m, False, fresh)


def _riding(product: ProductClass, leg: ColdLeg, elevation_m: float) -> Stretch:
    if leg.set_point_c is not None:
        return Stretch(
            "riding",
            leg.load_end_s,
            leg.unload_start_s,
            "fixed",
            leg.set_point_c,
            elevation_m,
            leg.on_drone,
            False,
        )
    inside: Literal["box", "air"] = "box" if leg.boxed and product.box is not None else "air"
    return Stretch("riding", leg.load_end_s, leg.unload_start_s, inside, 0.0, elevation_m, leg.on_drone, False)


def _waiting(
    products: Products, product: ProductClass, before: ColdLeg, after: ColdLeg, place: Place
) -> Iterable[Stretch]:
    start_s, end_s = before.unload_end_s, after.load_start_s
    store_c = _store_c(products, product, place)
    if store_c is not None:
        yield Stretch("waiting", start_s, end_s, "fixed", store_c, place.elevation_m, False, False)
        return
    split_s = min(end_s, start_s + place.handling_s)
    yield Stretch("waiting", start_s, split_s, "air", 0.0, place.elevation_m, False, False)
    inside: Literal["box", "air"] = "box" if product.box is not None else "air"
    yield Stretch("waiting", split_s, end_s, inside, 0.0, place.elevation_m, False, False)


@dataclass(slots=True)
class _Course:
    """The state while time runs: product temperature, coolant left per box, and what has been counted."""

    temp_c: float
    coolant_j: float
    out_of_band_s: float = 0.0
    rate_s: float = 0.0

    def follow(self, product: ProductClass, surroundings_c: float, span_s: float) -> None:
        """Let the product follow constant surroundings for `span_s` seconds."""
        if span_s <= 0.0:
            return
        self.out_of_band_s += _seconds_outside(product, self.temp_c, surroundings_c, span_s)
        gap, start = self.temp_c - surroundings_c, 0.0
        pieces = max(1, math.ceil(span_s / _PIECE_S))
        width = span_s / pieces
        for _ in range(pieces):
            middle = surroundings_c + gap * math.exp(-(start + width / 2.0) / product.lag_s)
            end = surroundings_c + gap * math.exp(-(start + width) / product.lag_s)
            total = ageing_rate(self.temp_c) + 4.0 * ageing_rate(middle) + ageing_rate(end)
            self.rate_s += total * width / 6.0
            self.temp_c = end
            start += width


def _seconds_outside(product: ProductClass, start_c: float, surroundings_c: float, span_s: float) -> float:
    """Return the seconds of the span in which T is outside the band; T runs monotonically towards S."""
    end_c = surroundings_c + (start_c - surroundings_c) * math.exp(-span_s / product.lag_s)
    if product.low_c <= min(start_c, end_c) and max(start_c, end_c) <= product.high_c:
        return 0.0
    crossings = [
        -product.lag_s * math.log((level_c - surroundings_c) / (start_c - surroundings_c))
        for level_c in (product.low_c, product.high_c)
        if min(start_c, end_c) < level_c < max(start_c, end_c)
    ]
    cuts = sorted([0.0, *crossings, span_s])
    outside = 0.0
    for begin, stop in pairwise(cuts):
        middle_c = surroundings_c + (start_c - surroundings_c) * math.exp(-(begin + stop) / 2.0 / product.lag_s)
        if not product.low_c <= middle_c <= product.high_c:
            outside += stop - begin
    return outside


def integrate(problem: Problem, product: ProductClass, stretches: Sequence[Stretch]) -> Exposure:
    """Follow the product's temperature through the stretches and return its exposure."""
    box = problem.products.boxes[product.box] if product.box is not None else None
    course = _Course(product.start_c, box.coolant_j if box is not None else 0.0)
    for stretch in stretches:
        if stretch.fresh_coolant and box is not None:
            course.coolant_j = box.coolant_j
        for start_s, end_s in _hours(problem, stretch.start_s, stretch.end_s):
            if stretch.inside == "fixed":
                course.follow(product, stretch.fixed_c, end_s - start_s)
                continue
            air_c = problem.ambient_c(start_s, stretch.elevation_m)
            if stretch.inside == "box" and box is not None:
                _in_box(course, product, box, air_c, end_s - start_s, stretch.on_drone)
            else:
                course.follow(product, air_c, end_s - start_s)
    hours = course.rate_s / 3600.0
    return Exposure(course.out_of_band_s, hours, predicted_loss(product, hours), course.temp_c)


def _hours(problem: Problem, start_s: float, end_s: float) -> Iterable[tuple[float, float]]:
    """Split a span at the full hours at which the weather table changes."""
    last_hour = len(problem.hourly_temp_c) - 1
    while start_s < end_s:
        hour = int(start_s // 3600)
        stop_s = end_s if hour >= last_hour else min(end_s, (hour + 1) * 3600.0)
        yield start_s, stop_s
        start_s = stop_s


def _in_box(course: _Course, product: ProductClass, box: Box, air_c: float, span_s: float, on_drone: bool) -> None:
    """Let coolant shrink by UA·|S_outside − hold| per second; once used up the inside has the outside's temperature."""
    power_w = box.ua_w_k * abs(air_c - box.hold_c) * (DRONE_UA_FACTOR if on_drone else 1.0)
    lasts_s = span_s if power_w * span_s <= course.coolant_j else course.coolant_j / power_w
    course.follow(product, box.hold_c, lasts_s)
    course.coolant_j = max(0.0, course.coolant_j - power_w * lasts_s)
    course.follow(product, air_c, span_s - lasts_s)


def exposure(problem: Problem, product: ProductClass, legs: Sequence[ColdLeg]) -> Exposure:
    """Return the exposure of goods of a cold class over their legs."""
    return integrate(problem, product, cold_phases(problem, product, legs))


# --- From a plan ---------------------------------------------------------------------------------------------------


def cold_legs(problem: Problem, plan: Plan) -> dict[str, tuple[ColdLeg, ...]]:
    """Return the legs of every cold order that rides in the plan, in order of time.

    Raises
    ------
    KeyError
        If the plan names a carrier or place the problem lacks.
    """
    wanted = {
        order.id: problem.products.classes[order.product_class]
        for order in problem.orders
        if problem.products.classes[order.product_class].cold
    }
    found: dict[str, list[ColdLeg]] = {}
    for route in plan.routes:
        carrier = problem.carrier_by_id[route.carrier]
        aboard: dict[str, tuple[str, float, float]] = {}
        for stop in route.stops:
            load_start, load_end = float(stop.service_start_s), float(stop.service_end_s)
            unload_start, unload_end = load_start, load_end
            if isinstance(carrier, BusTrip):
                call = next(
                    call for call in carrier.calls if call.sequence == stop.call and call.place_id == stop.place
                )
                load_start, load_end = float(call.departure_s - call.cutoff_s), float(call.departure_s)
                unload_start, unload_end = float(call.arrival_s), float(call.arrival_s + call.board_s)
            for handover in stop.unload:
                if handover.order in wanted and handover.order in aboard:
                    place, started, ended = aboard.pop(handover.order)
                    set_point = _set_point(carrier, handover.compartment, wanted[handover.order])
                    leg = ColdLeg(
                        place,
                        stop.place,
                        started,
                        ended,
                        unload_start,
                        unload_end,
                        set_point,
                        handover.box is not None,
                        route.kind == "drone",
                    )
                    found.setdefault(handover.order, []).append(leg)
            for handover in stop.load:
                aboard[handover.order] = (stop.place, load_start, load_end)
    return {order: tuple(sorted(legs, key=lambda leg: leg.load_start_s)) for order, legs in found.items()}


def _set_point(carrier: object, compartment: str, product: ProductClass) -> float | None:
    """Return the set point of the compartment where it fits the class, else None."""
    if not isinstance(carrier, Vehicle):
        return None
    for part in carrier.type.compartments:
        if part.id == compartment and part.set_point_c is not None:
            return part.set_point_c if product.low_c <= part.set_point_c <= product.high_c else None
    return None


def plan_exposures(problem: Problem, plan: Plan) -> Mapping[str, Exposure]:
    """Return the exposure of every cold order the plan serves."""
    return {
        order_id: exposure(problem, problem.products.classes[problem.order_by_id[order_id].product_class], legs)
        for order_id, legs in cold_legs(problem, plan).items()
    }


def exposure_cost(order: Order, found: Exposure) -> float:
    """Return what spoilage costs: value × predicted loss, in minor units."""
    return order.value * found.loss
