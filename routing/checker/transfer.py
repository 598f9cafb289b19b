"""TRANSFER: between two legs goods are unloaded, handled, stored with room enough, and ready before the cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from routing.checker.codes import Code
from routing.checker.goods import carried_mass_kg, class_of
from routing.checker.journeys import Case, Ride
from routing.checker.report import Violation
from routing.model.order import Order
from routing.model.problem import Place

STORE_TOLERANCE_KG = 0.01


class _Stay(NamedTuple):
    """What lies in a store from one moment to another."""

    from_s: int
    until_s: int
    mass_kg: float
    order: str


def check_transfer(case: Case) -> Iterator[Violation]:
    """Yield the violations of the TRANSFER family, along each order's chain of places."""
    stays: dict[tuple[str, str], list[_Stay]] = {}
    for order_id, chain in case.chains.items():
        order = case.facts.orders[order_id]
        yield from _check_first_bus(case, order, chain[0])
        for before, after in pairwise(chain):
            yield from _check_pair(case, order, before, after)
            place = case.facts.places.get(after.load_stop.place)
            if place is not None:
                yield from _check_wait(case, order, place, before, after)
                store = store_of(case, order, place)
                stays.setdefault((place.id, store), []).append(_stay(case, order, before, after))
    for (place_id, store), lying in stays.items():
        yield from _check_store(case.facts.places[place_id], store, lying)


def _check_first_bus(case: Case, order: Order, ride: Ride) -> Iterator[Violation]:
    """Yield a missed cut-off at the origin; a departure before the release itself is a fault of TIMING."""
    if not case.is_bus(ride.route) or ride.load_stop.departure_s < order.release_s:
        return
    cutoff_s, _ = case.loading_s(ride)
    if order.release_s > cutoff_s:
        yield _missed_cutoff(order, ride, order.release_s - cutoff_s)


def _check_pair(case: Case, order: Order, before: Ride, after: Ride) -> Iterator[Violation]:
    place = case.facts.places.get(after.load_stop.place)
    handling_s = place.handling_s if place is not None else 0
    _, unloaded_s = case.unloading_s(before)
    loading_s, _ = case.loading_s(after)
    short_s = unloaded_s + handling_s - loading_s
    if short_s <= 0:
        return
    if case.is_bus(after.route):
        yield _missed_cutoff(order, after, short_s)
        return
    text = (
        f"order {order.id} is off route {before.route.id} at {unloaded_s} and needs {handling_s} s of handling, "
        f"but is loaded onto route {after.route.id} at {loading_s}"
    )
    yield Violation(Code.TRANSFER_TOO_SHORT, after.load_stop.place, float(short_s), "s", text, after.route.id, order.id)


def _check_wait(case: Case, order: Order, place: Place, before: Ride, after: Ride) -> Iterator[Violation]:
    """Hold the time from the goods being ready to the departure that takes them on against the place's limit."""
    _, ready_s = case.unloading_s(before)
    waited_s = after.load_stop.departure_s - ready_s
    if place.max_wait_s is None or waited_s <= place.max_wait_s:
        return
    text = f"order {order.id} waits {waited_s} s at {place.id}, goods leave it again within {place.max_wait_s} s"
    amount = float(waited_s - place.max_wait_s)
    yield Violation(Code.TRANSFER_WAIT_TOO_LONG, place.id, amount, "s", text, after.route.id, order.id)


def _missed_cutoff(order: Order, ride: Ride, late_s: int) -> Violation:
    text = f"order {order.id} is ready {late_s} s after the cut-off of bus trip {ride.route.carrier}"
    place = ride.load_stop.place
    return Violation(Code.TRANSFER_CUTOFF_MISSED, place, float(late_s), "s", text, ride.route.id, order.id)


def store_of(case: Case, order: Order, place: Place) -> str:
    """Return the kind of store an order lies in at a place: its class's kind where there is one, else ambient."""
    kind = class_of(case.facts, order).store
    return kind if place.store_kg.get(kind, 0.0) > 0.0 else "ambient"


def _stay(case: Case, order: Order, before: Ride, after: Ride) -> _Stay:
    _, from_s = case.unloading_s(before)
    until_s, _ = case.loading_s(after)
    return _Stay(from_s, until_s, carried_mass_kg(case.facts, order, before.loaded.box), order.id)


def _check_store(place: Place, store: str, stays: list[_Stay]) -> Iterator[Violation]:
    """Sweep over the day; report the fullest moment of a store that is ever too full."""
    room_kg = place.store_kg.get(store, 0.0)
    changes = sorted(
        change
        for stay in stays
        if stay.until_s > stay.from_s
        for change in ((stay.from_s, stay.mass_kg, stay.order), (stay.until_s, -stay.mass_kg, stay.order))
    )
    held_kg, worst_kg, worst_s, worst_order = 0.0, room_kg + STORE_TOLERANCE_KG, 0, None
    position = 0
    while position < len(changes):
        now_s = changes[position][0]
        order_id = None
        while position < len(changes) and changes[position][0] == now_s:
            held_kg += changes[position][1]
            order_id = changes[position][2]
            position += 1
        if held_kg > worst_kg:
            worst_kg, worst_s, worst_order = held_kg, now_s, order_id
    if worst_order is not None:
        text = f"the {store} store of {place.id} holds {worst_kg:.2f} kg at {worst_s}, it has room for {room_kg:g} kg"
        amount = worst_kg - room_kg
        yield Violation(Code.TRANSFER_STORE_FULL, place.id, amount, "kg", text, order=worst_order)
