"""CAPACITY: what is aboard on each segment against kilograms, litres, pieces and classes that may not be together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from routing.checker.codes import Code
from routing.checker.goods import (
    carried_mass_kg,
    carried_volume_l,
    class_of,
    compartments_of,
    heaviest_piece_kg,
)
from routing.checker.journeys import Case
from routing.checker.report import Violation
from routing.model.carrier import BusTrip, Carrier, Compartment
from routing.model.plan import Handover, Route, Stop

TOLERANCE = 0.01
"""Kilograms or litres a load may exceed its limit by: sums of figures with two decimals."""


def check_capacity(case: Case) -> Iterator[Violation]:
    """Yield the violations of the CAPACITY family."""
    for route in case.document.routes:
        carrier = case.carrier_of(route)
        if carrier is None:
            continue
        yield from _check_names(route, carrier)
        yield from _check_segments(case, route, carrier)
        if isinstance(carrier, BusTrip):
            yield from _check_pieces(case, route, carrier)


def aboard_by_segment(route: Route) -> Iterator[tuple[Stop, tuple[Handover, ...]]]:
    """Yield each stop with what is aboard on departure from it; unloads come before loads."""
    aboard: dict[str, Handover] = {}
    for stop in route.stops:
        for handover in stop.unload:
            aboard.pop(handover.order, None)
        for handover in stop.load:
            aboard.setdefault(handover.order, handover)
        yield stop, tuple(aboard.values())


def _check_names(route: Route, carrier: Carrier) -> Iterator[Violation]:
    known = compartments_of(carrier)
    for stop in route.stops:
        for handover in stop.load:
            if handover.compartment not in known:
                text = (
                    f"order {handover.order} rides in compartment {handover.compartment!r}, but {carrier.id} has "
                    f"{', '.join(known) or 'none'}"
                )
                code = Code.CAPACITY_UNKNOWN_COMPARTMENT
                yield Violation(code, stop.place, None, "", text, route.id, handover.order)


def _check_segments(case: Case, route: Route, carrier: Carrier) -> Iterator[Violation]:
    """Report the worst segment of each compartment, once per measure, and each pair of classes once."""
    worst: dict[tuple[str, str], Violation] = {}
    pairs: dict[tuple[str, str, str], Violation] = {}
    for stop, aboard in aboard_by_segment(route):
        for compartment in compartments_of(carrier).values():
            inside = [handover for handover in aboard if handover.compartment == compartment.id]
            for violation in _overloads(case, route, stop, compartment, inside):
                key = (compartment.id, violation.unit)
                if key not in worst or (violation.amount or 0.0) > (worst[key].amount or 0.0):
                    worst[key] = violation
            for first, second, violation in _bad_company(case, route, stop, compartment, inside):
                pairs.setdefault((compartment.id, first, second), violation)
    yield from worst.values()
    yield from pairs.values()


def _overloads(
    case: Case, route: Route, stop: Stop, compartment: Compartment, inside: list[Handover]
) -> Iterator[Violation]:
    facts = case.facts
    known = [(facts.orders[handover.order], handover.box) for handover in inside if handover.order in facts.orders]
    mass_kg = sum(carried_mass_kg(facts, order, box) for order, box in known)
    volume_l = sum(carried_volume_l(facts, order, box) for order, box in known)
    for code, amount, limit, unit in (
        (Code.CAPACITY_KG, mass_kg, compartment.kg, "kg"),
        (Code.CAPACITY_LITRES, volume_l, compartment.litres, "l"),
    ):
        if amount > limit + TOLERANCE:
            text = (
                f"{route.carrier} leaves {stop.place} with {amount:.2f} {unit} in compartment {compartment.id}, "
                f"which holds {limit:g} {unit}"
            )
            yield Violation(code, stop.place, amount - limit, unit, text, route.id)


def _bad_company(
    case: Case, route: Route, stop: Stop, compartment: Compartment, inside: list[Handover]
) -> Iterator[tuple[str, str, Violation]]:
    facts = case.facts
    classes = {
        goods.id: goods
        for goods in (class_of(facts, facts.orders[item.order]) for item in inside if item.order in facts.orders)
    }
    for first, second in combinations(sorted(classes), 2):
        if second in classes[first].incompatible_with or first in classes[second].incompatible_with:
            text = f"{first} and {second} ride together in compartment {compartment.id} of {route.carrier}"
            violation = Violation(Code.CAPACITY_INCOMPATIBLE, stop.place, None, "", text, route.id)
            yield first, second, violation


def _check_pieces(case: Case, route: Route, trip: BusTrip) -> Iterator[Violation]:
    for stop in route.stops:
        for handover in stop.load:
            order = case.facts.orders.get(handover.order)
            if order is None:
                continue
            for code, amount, limit, unit in (
                (
                    Code.CAPACITY_PIECE_KG,
                    heaviest_piece_kg(case.facts, order, handover.box),
                    trip.max_piece_kg,
                    "kg",
                ),
                (Code.CAPACITY_PIECE_LENGTH, order.longest_cm, trip.max_longest_cm, "cm"),
            ):
                if amount > limit + TOLERANCE:
                    text = f"a piece of order {order.id} has {amount:.2f} {unit}, bus trip {trip.id} takes {limit:g}"
                    yield Violation(code, stop.place, amount - limit, unit, text, route.id, order.id)
