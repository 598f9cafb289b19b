"""TIMING: one carrier is in one place at a time, takes the time its ways and services need, and works when it may."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from geodata.location import Level
from routing.checker.codes import Code
from routing.checker.journeys import Case
from routing.checker.report import Violation
from routing.model.carrier import MIN_REST_S, BusTrip, Drone, Vehicle
from routing.model.order import Order
from routing.model.plan import Route, Stop

ENERGY_TOLERANCE_WH = 0.5
ENERGY_TOLERANCE_SHARE = 0.005


def check_timing(case: Case) -> Iterator[Violation]:
    """Yield the violations of the TIMING family, but for travel times too short, which ACCESS and FLIGHT measure."""
    for route in case.document.routes:
        yield from _check_stop_times(route)
        yield from _check_arrivals(route)
        carrier = case.carrier_of(route)
        if isinstance(carrier, Vehicle):
            yield from _check_vehicle_route(case, route, carrier)
        elif isinstance(carrier, Drone):
            yield from _check_drone_route(case, route, carrier)
    yield from _check_carrier_days(case)
    yield from _check_order_times(case)


# --- Stops ---------------------------------------------------------------------------------------------------------


def _check_stop_times(route: Route) -> Iterator[Violation]:
    for stop in route.stops:
        times = (stop.arrival_s, stop.service_start_s, stop.service_end_s, stop.departure_s)
        back_s = max(earlier - later for earlier, later in pairwise(times))
        if back_s > 0:
            text = f"at {stop.place} the times {', '.join(map(str, times))} run backwards"
            yield Violation(Code.TIMING_STOP_ORDER, stop.place, float(back_s), "s", text, route.id)
        yield from _check_rests(route, stop)


def _check_rests(route: Route, stop: Stop) -> Iterator[Violation]:
    free_from_s = stop.service_end_s
    for rest in sorted(stop.breaks, key=lambda rest: (rest.start_s, rest.end_s)):
        if rest.end_s < rest.start_s or rest.start_s < free_from_s or rest.end_s > stop.departure_s:
            text = (
                f"the rest {rest.start_s}-{rest.end_s} at {stop.place} is not within "
                f"{free_from_s}-{stop.departure_s}, the time free there"
            )
            yield Violation(Code.TIMING_REST_MISPLACED, stop.place, None, "", text, route.id)
        free_from_s = max(free_from_s, rest.end_s)


def _check_arrivals(route: Route) -> Iterator[Violation]:
    for here, there in pairwise(route.stops):
        if here.movement is None:
            continue
        due_s = here.departure_s + here.movement.duration_s
        if there.arrival_s != due_s:
            text = (
                f"{route.carrier} leaves {here.place} at {here.departure_s} and travels "
                f"{here.movement.duration_s} s, but arrives at {there.place} at {there.arrival_s}"
            )
            amount = float(abs(there.arrival_s - due_s))
            yield Violation(Code.TIMING_ARRIVAL_MISMATCH, there.place, amount, "s", text, route.id)


# --- Routes of vehicles, couriers and drones -----------------------------------------------------------------------


def _check_vehicle_route(case: Case, route: Route, vehicle: Vehicle) -> Iterator[Violation]:
    yield from _check_base(route, vehicle.base)
    for stop in route.stops:
        needed_s = _vehicle_service_s(case, stop, vehicle)
        yield from _check_service(route, stop, needed_s)
        if stop.place != vehicle.base:
            yield from _check_opening(case, route, stop)
    yield from _check_range(route, vehicle)


def _check_drone_route(case: Case, route: Route, drone: Drone) -> Iterator[Violation]:
    yield from _check_base(route, drone.base)
    for stop in route.stops:
        if stop.place != drone.base:
            yield from _check_service(route, stop, drone.service.physics.winch_s)
            yield from _check_opening(case, route, stop)


def _check_base(route: Route, base: str) -> Iterator[Violation]:
    for stop, side in ((route.stops[0], "starts"), (route.stops[-1], "ends")) if route.stops else ():
        if stop.place != base:
            text = f"the route {side} at {stop.place}, but the base of {route.carrier} is {base}"
            yield Violation(Code.TIMING_NOT_AT_BASE, stop.place, None, "", text, route.id)


def _vehicle_service_s(case: Case, stop: Stop, vehicle: Vehicle) -> int:
    """Return the least whole seconds of service at a stop of a vehicle or courier."""
    total_s = 0.0 if stop.place == vehicle.base else float(vehicle.type.stop_s)
    for handover in (*stop.unload, *stop.load):
        order = case.facts.orders.get(handover.order)
        if order is not None:
            total_s += _order_service_s(case, order, stop.place)
    return math.ceil(total_s - 1e-6)


def _order_service_s(case: Case, order: Order, place_id: str) -> float:
    place = case.facts.places.get(place_id)
    is_door = place is not None and place.level in (Level.VILLAGE, Level.GROUP)
    if is_door and place_id in (*order.origins, order.to_id):
        return float(order.service_s)
    return case.facts.rates.unit_s * order.pieces


def _check_service(route: Route, stop: Stop, needed_s: int) -> Iterator[Violation]:
    short_s = needed_s - (stop.service_end_s - stop.service_start_s)
    if short_s > 0:
        text = f"service at {stop.place} needs {needed_s} s, the plan gives {needed_s - short_s} s"
        yield Violation(Code.TIMING_SERVICE_TOO_SHORT, stop.place, float(short_s), "s", text, route.id)


def _check_opening(case: Case, route: Route, stop: Stop) -> Iterator[Violation]:
    place = case.facts.places.get(stop.place)
    if place is None:
        return
    outside_s = max(place.opens_s - stop.service_start_s, stop.service_start_s - place.closes_s)
    if outside_s > 0:
        text = f"service at {place.id} starts at {stop.service_start_s}, it is open {place.opens_s}-{place.closes_s}"
        yield Violation(Code.TIMING_OUTSIDE_OPENING, place.id, float(outside_s), "s", text, route.id)


def _check_range(route: Route, vehicle: Vehicle) -> Iterator[Violation]:
    range_wh = vehicle.type.range_wh
    if range_wh is None:
        return
    used_wh, over_wh, place = 0.0, 0.0, None
    for stop in route.stops:
        used_wh += stop.movement.energy_wh if stop.movement is not None else 0.0
        if used_wh - range_wh > over_wh:
            over_wh, place = used_wh - range_wh, stop.place
    if over_wh > ENERGY_TOLERANCE_WH + ENERGY_TOLERANCE_SHARE * range_wh:
        text = f"the round needs {over_wh:.1f} Wh more than the {range_wh:g} Wh {vehicle.id} has"
        yield Violation(Code.TIMING_RANGE_EXCEEDED, place, over_wh, "Wh", text, route.id)


# --- A carrier's day -----------------------------------------------------------------------------------------------


def _check_carrier_days(case: Case) -> Iterator[Violation]:
    days: dict[str, list[Route]] = {}
    for route in case.document.routes:
        if route.stops:
            days.setdefault(route.carrier, []).append(route)
    for carrier_id, routes in days.items():
        carrier = case.facts.carriers.get(carrier_id)
        if carrier is None or isinstance(carrier, BusTrip):
            continue
        routes.sort(key=lambda route: (route.stops[0].arrival_s, route.stops[-1].departure_s))
        yield from _check_overlap(routes)
        if isinstance(carrier, Vehicle):
            yield from _check_shift(routes, carrier)
            yield from _check_driving(routes, carrier)
            yield from _check_rounds(routes, carrier)
            yield from _check_rest_taken(routes, carrier)


def _check_overlap(routes: list[Route]) -> Iterator[Violation]:
    for first, second in pairwise(routes):
        shared_s = first.stops[-1].departure_s - second.stops[0].arrival_s
        if shared_s > 0:
            text = f"{first.carrier} is still on route {first.id} when route {second.id} starts"
            place = second.stops[0].place
            yield Violation(Code.TIMING_ROUTES_OVERLAP, place, float(shared_s), "s", text, second.id)


def _check_shift(routes: list[Route], vehicle: Vehicle) -> Iterator[Violation]:
    start_s, end_s = vehicle.type.shift_start_s, vehicle.type.shift_end_s
    for route in routes:
        first, last = route.stops[0], route.stops[-1]
        outside_s = max(start_s - first.service_start_s, last.service_end_s - end_s)
        if outside_s > 0:
            text = f"{vehicle.id} works {first.service_start_s}-{last.service_end_s}, its shift is {start_s}-{end_s}"
            place = first.place if start_s - first.service_start_s == outside_s else last.place
            yield Violation(Code.TIMING_OUTSIDE_SHIFT, place, float(outside_s), "s", text, route.id)


def _travel_s(route: Route) -> int:
    return sum(stop.movement.duration_s for stop in route.stops[:-1] if stop.movement is not None)


def _check_driving(routes: list[Route], vehicle: Vehicle) -> Iterator[Violation]:
    driven_s = sum(_travel_s(route) for route in routes)
    over_s = driven_s - vehicle.type.max_drive_s
    if over_s > 0:
        text = f"{vehicle.id} travels {driven_s} s in the day, it may travel {vehicle.type.max_drive_s} s"
        yield Violation(Code.TIMING_DRIVE_TOO_LONG, None, float(over_s), "s", text, routes[-1].id)


def _check_rounds(routes: list[Route], vehicle: Vehicle) -> Iterator[Violation]:
    """Count the returns to the base: movements that end there and begin elsewhere."""
    if vehicle.type.max_rounds is None:
        return
    made = 0
    for route in routes:
        made += sum(there.place == vehicle.base and here.place != vehicle.base for here, there in pairwise(route.stops))
    over = made - vehicle.type.max_rounds
    if over > 0:
        text = f"{vehicle.id} makes {made} rounds in the day, it may make {vehicle.type.max_rounds}"
        yield Violation(Code.TIMING_TOO_MANY_ROUNDS, vehicle.base, float(over), "rounds", text, routes[-1].id)


def _check_rest_taken(routes: list[Route], vehicle: Vehicle) -> Iterator[Violation]:
    """Report the first stretch of each route that is too long; a gap between routes counts as a rest."""
    limit_s = vehicle.type.max_continuous_drive_s
    if limit_s is None:
        return
    since_rest_s, free_from_s = 0, None
    for route in routes:
        if free_from_s is not None and route.stops[0].arrival_s - free_from_s >= MIN_REST_S:
            since_rest_s = 0
        reported = False
        for stop in route.stops:
            if any(rest.end_s - rest.start_s >= MIN_REST_S for rest in stop.breaks):
                since_rest_s = 0
            since_rest_s += stop.movement.duration_s if stop.movement is not None else 0
            if since_rest_s > limit_s and not reported:
                reported = True
                text = f"{vehicle.id} travels {since_rest_s} s after {stop.place} without a rest"
                amount = float(since_rest_s - limit_s)
                yield Violation(Code.TIMING_REST_MISSING, stop.place, amount, "s", text, route.id)
        free_from_s = route.stops[-1].departure_s


# --- Orders --------------------------------------------------------------------------------------------------------


def _check_order_times(case: Case) -> Iterator[Violation]:
    for order_id, chain in case.chains.items():
        order = case.facts.orders[order_id]
        first, last = chain[0], chain[-1]
        loaded_s = first.load_stop.departure_s if case.is_bus(first.route) else first.load_stop.service_start_s
        if loaded_s < order.release_s:
            text = f"order {order_id} is loaded at {loaded_s}, it is released at {order.release_s}"
            amount = float(order.release_s - loaded_s)
            place = first.load_stop.place
            yield Violation(Code.TIMING_BEFORE_RELEASE, place, amount, "s", text, first.route.id, order_id)
        served_s = service_at_destination_s(case, order_id)
        outside_s = min((max(start - served_s, served_s - end) for start, end in order.windows), default=0)
        if outside_s > 0:
            text = f"service of order {order_id} starts at {served_s}, outside {_windows(order)}"
            place = last.unload_stop.place
            yield Violation(Code.TIMING_OUTSIDE_WINDOW, place, float(outside_s), "s", text, last.route.id, order_id)


def service_at_destination_s(case: Case, order_id: str) -> int:
    """Return when service of a served order starts at its destination: on buses at the arrival."""
    last = case.chains[order_id][-1]
    stop = last.unload_stop
    return stop.arrival_s if case.is_bus(last.route) else stop.service_start_s


def _windows(order: Order) -> str:
    return " and ".join(f"{start}-{end}" for start, end in order.windows)
