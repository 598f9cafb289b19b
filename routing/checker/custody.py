"""CUSTODY: every order is served, unassigned or rejected, and a served one travels in one unbroken chain of places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from routing.checker.codes import Code
from routing.checker.journeys import Case, Ride
from routing.checker.report import Violation
from routing.model.order import Order

_LOOSE = {
    "loaded twice": (Code.CUSTODY_LOADED_TWICE, "is loaded at {place}, but it is already aboard"),
    "not aboard": (Code.CUSTODY_NOT_ABOARD, "is unloaded at {place}, but it is not aboard"),
    "not unloaded": (Code.CUSTODY_NOT_UNLOADED, "is loaded at {place} and never unloaded"),
}


def check_custody(case: Case) -> Iterator[Violation]:
    """Yield the violations of the CUSTODY family."""
    yield from _check_states(case)
    yield from _check_handovers(case)
    yield from _check_chains(case)


def _check_states(case: Case) -> Iterator[Violation]:
    orders = case.facts.orders
    listed = Counter(entry.order for entry in case.document.unassigned)
    for order_id in sorted(case.touched | set(listed)):
        if order_id not in orders:
            text = f"order {order_id} is not an accepted order of the scenario"
            yield Violation(Code.CUSTODY_UNKNOWN_ORDER, None, None, "", text, order=order_id)
    for order_id in orders:
        times = listed[order_id] + (order_id in case.touched)
        if times == 0:
            text = f"order {order_id} is neither served nor unassigned"
            yield Violation(Code.CUSTODY_MISSING_ORDER, None, None, "", text, order=order_id)
        elif times > 1:
            text = f"order {order_id} is " + (
                "both served and unassigned" if order_id in case.touched else f"listed as unassigned {times} times"
            )
            yield Violation(Code.CUSTODY_DOUBLE_STATE, None, float(times), "entries", text, order=order_id)
    for entry in case.document.unassigned:
        if not entry.reason.strip():
            text = f"order {entry.order} is unassigned without a reason"
            yield Violation(Code.CUSTODY_NO_REASON, None, None, "", text, order=entry.order)


def _check_handovers(case: Case) -> Iterator[Violation]:
    for handover in case.loose:
        code, text = _LOOSE[handover.fault]
        said = f"order {handover.order} " + text.format(place=handover.place)
        yield Violation(code, handover.place, None, "", said, handover.route.id, handover.order)


def _check_chains(case: Case) -> Iterator[Violation]:
    loose = {handover.order for handover in case.loose}
    for order_id, rides in case.rides_of.items():
        order = case.facts.orders.get(order_id)
        if order is not None and order_id not in loose and order_id not in case.chains:
            yield _broken_chain(order, rides)


def _broken_chain(order: Order, rides: tuple[Ride, ...]) -> Violation:
    """Say where the chain breaks: follow it by place from an origin as far as it goes."""
    left = list(rides)
    here = next((ride.load_stop.place for ride in rides if ride.load_stop.place in order.origins), order.from_id)
    while True:
        follower = next((ride for ride in left if ride.load_stop.place == here), None)
        if follower is None:
            break
        left.remove(follower)
        here = follower.unload_stop.place
    if left:
        text = f"order {order.id} is brought to {here}, but its next leg starts at {left[0].load_stop.place}"
        route = left[0].route.id
    else:
        text = f"order {order.id} is left at {here}, but goes to {order.to_id}"
        route = rides[-1].route.id
    return Violation(Code.CUSTODY_BROKEN_CHAIN, here, None, "", text, route, order.id)
