"""TIMETABLE: a bus is never moved; cargo rides trips of the date, at their calls, where and if it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from routing.checker.codes import Code
from routing.checker.goods import class_of
from routing.checker.journeys import Case
from routing.checker.report import Violation
from routing.model.carrier import BusCall, BusTrip
from routing.model.order import Order
from routing.model.plan import Route, Stop


def check_timetable(case: Case) -> Iterator[Violation]:
    """Yield the violations of the TIMETABLE family."""
    uses = Counter(route.carrier for route in case.document.routes)
    for route in case.document.routes:
        carrier = case.carrier_of(route)
        if isinstance(carrier, BusTrip):
            yield from _check_calls(case, route)
            yield from _check_goods(case, route, carrier)
            if uses[route.carrier] > 1:
                text = f"bus trip {route.carrier} is used by {uses[route.carrier]} routes"
                yield Violation(Code.TIMETABLE_TRIP_TWICE, None, None, "", text, route.id)
        elif carrier is None and route.kind == "bus":
            text = f"no trip {route.carrier} with room for cargo runs on {case.facts.service_date}"
            yield Violation(Code.TIMETABLE_NO_SUCH_TRIP, None, None, "", text, route.id)


def _check_calls(case: Case, route: Route) -> Iterator[Violation]:
    for stop in route.stops:
        call = case.call_of(route, stop)
        if call is None:
            text = (
                f"bus trip {route.carrier} has no call {stop.call} at stop {stop.bus_stop} that handles cargo for "
                f"{stop.place}"
            )
            yield Violation(Code.TIMETABLE_NO_SUCH_CALL, stop.place, None, "", text, route.id)
            continue
        yield from _check_times(route, stop, call)
        yield from _check_hands(route, stop, call)
    for here, there in pairwise(route.stops):
        if here.call is not None and there.call is not None and there.call < here.call:
            text = f"call {there.call} at {there.place} comes after call {here.call} at {here.place}"
            yield Violation(Code.TIMETABLE_CALL_ORDER, there.place, None, "", text, route.id)


def _check_times(route: Route, stop: Stop, call: BusCall) -> Iterator[Violation]:
    stated = (stop.arrival_s, stop.service_start_s, stop.service_end_s, stop.departure_s)
    true = (call.arrival_s, call.arrival_s, call.departure_s, call.departure_s)
    off_s = max(abs(a - b) for a, b in zip(stated, true, strict=True))
    if off_s > 0:
        text = (
            f"bus trip {route.carrier} is at {stop.place} from {call.arrival_s} to {call.departure_s}, the plan says "
            f"{', '.join(map(str, stated))}"
        )
        yield Violation(Code.TIMETABLE_TIME_MISMATCH, stop.place, float(off_s), "s", text, route.id)


def _check_hands(route: Route, stop: Stop, call: BusCall) -> Iterator[Violation]:
    for allowed, handovers, code, verb in (
        (call.can_load, stop.load, Code.TIMETABLE_NO_PICKUP, "board"),
        (call.can_unload, stop.unload, Code.TIMETABLE_NO_DROPOFF, "alight"),
    ):
        for handover in () if allowed else handovers:
            text = f"order {handover.order} may not {verb} bus trip {route.carrier} at {stop.place}"
            yield Violation(code, stop.place, None, "", text, route.id, handover.order)


def _check_goods(case: Case, route: Route, trip: BusTrip) -> Iterator[Violation]:
    for stop in route.stops:
        for handover in stop.load:
            order = case.facts.orders.get(handover.order)
            reason = _barred(case, order, trip) if order is not None else None
            if reason is not None:
                text = f"order {handover.order} may not ride bus trip {trip.id}: {reason}"
                yield Violation(Code.TIMETABLE_GOODS_BARRED, stop.place, None, "", text, route.id, handover.order)


def _barred(case: Case, order: Order, trip: BusTrip) -> str | None:
    if order.dangerous:
        return "it is dangerous"
    if not class_of(case.facts, order).bus_allowed:
        return f"goods of class {order.product_class} never ride buses"
    if trip.product_classes and order.product_class not in trip.product_classes:
        return f"the trip takes {', '.join(trip.product_classes)}"
    return None
