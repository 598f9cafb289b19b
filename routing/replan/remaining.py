"""The rest of the day as a problem of its own: orders from where they are, carriers from when they are free."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from routing.model.carrier import MIN_REST_S, BusTrip, Drone, Vehicle
from routing.model.order import Order
from routing.model.plan import Leg, Plan, Route, Stop
from routing.model.problem import Place, Problem
from routing.plan_io import derive_legs
from routing.replan.events import Events
from routing.replan.frozen import Frozen, needed_s, ready_s
from routing.replan.loads import goods_of

UNDER_WAY_FACTOR = 100.0
"""Goods already under way must arrive before all others: leaving them out counts that many times their own price."""


def remaining_problem(problem: Problem, frozen: Frozen, events: Events) -> Problem:
    """Return the rest of the day.

    Parameters
    ----------
    problem
        The whole day as it is now.

    Notes
    -----
    An order under way starts at the place it is brought to, once it is handled there. A vehicle starts when its last
    frozen round ends, with the driving time that is left to it; a rest is taken between, or falls due so much earlier.
    Room on a bus and in a store is what is left at the fullest moment of the frozen part, which errs on the safe side.
    """
    by_carrier: dict[str, list[Route]] = {}
    for route in frozen.routes:
        by_carrier.setdefault(route.carrier, []).append(route)
    lying = _lying_kg(problem, frozen)
    return replace(
        problem,
        places=tuple(_less_room(place, lying) for place in problem.places),
        orders=tuple(_remaining_orders(problem, frozen, events.now_s)),
        vehicles=tuple(
            _free_vehicle(vehicle, by_carrier.get(vehicle.id, []), events.now_s)
            for vehicle in problem.vehicles
            if vehicle.id not in events.unusable
        ),
        drones=tuple(
            _free_drone(drone, by_carrier.get(drone.id, []), events.now_s)
            for drone in problem.drones
            if drone.id not in events.unusable
        ),
        bus_trips=tuple(
            left
            for trip in problem.bus_trips
            if (left := _free_trip(problem, trip, by_carrier.get(trip.id, []))) is not None
        ),
    )


def _remaining_orders(problem: Problem, frozen: Frozen, now_s: int) -> list[Order]:
    routes = {route.id: route for route in frozen.routes}
    found = []
    for order in problem.orders:
        legs = frozen.legs.get(order.id)
        if order.id in frozen.stuck:
            continue
        if legs is None:
            found.append(replace(order, release_s=max(order.release_s, now_s)))
        elif legs[-1].to_place != order.to_id:
            found.append(_from_where_it_is(problem, order, legs[-1], routes[legs[-1].route], now_s))
    return found


def _from_where_it_is(problem: Problem, order: Order, last: Leg, route: Route, now_s: int) -> Order:
    place = problem.place_by_id[last.to_place]
    return replace(
        order,
        from_id=place.id,
        release_s=max(now_s, ready_s(problem, route, last) + place.handling_s),
        # At its new origin the pieces count, at its destination its own service: the larger holds at both.
        service_s=max(order.service_s, math.ceil(problem.rates.unit_s * order.pieces)),
        unserved_cost=order.unserved_cost * UNDER_WAY_FACTOR,
        also_from=(),
    )


def _lying_kg(problem: Problem, frozen: Frozen) -> dict[str, float]:
    """Return by place the kilograms of goods that lie there at some time between frozen rides, or after the last."""
    lying: dict[str, float] = {}
    for order_id, legs in frozen.legs.items():
        order = problem.order_by_id[order_id]
        for leg in legs if legs[-1].to_place != order.to_id else legs[:-1]:
            route = next(route for route in frozen.routes if route.id == leg.route)
            handover = next(h for stop in route.stops for h in stop.load if h.order == order_id)
            lying[leg.to_place] = lying.get(leg.to_place, 0.0) + goods_of(problem, handover)[0]
    return lying


def _less_room(place: Place, lying: Mapping[str, float]) -> Place:
    taken = lying.get(place.id, 0.0)
    if not taken:
        return place
    return replace(place, store_kg={kind: max(0.0, kg - taken) for kind, kg in place.store_kg.items()})


# --- Carriers ------------------------------------------------------------------------------------------------------


def _free_vehicle(vehicle: Vehicle, routes: list[Route], now_s: int) -> Vehicle:
    kind = vehicle.type
    if not routes:
        return replace(vehicle, type=replace(kind, shift_start_s=max(kind.shift_start_s, now_s)))
    routes = sorted(routes, key=lambda route: route.stops[0].arrival_s)
    free_s = max(now_s, routes[-1].stops[-1].departure_s)
    limit_s = kind.max_continuous_drive_s
    if limit_s is not None:
        since_rest_s = _since_rest_s(routes)
        if since_rest_s > limit_s // 2:
            free_s += MIN_REST_S
        else:
            limit_s -= since_rest_s
    return replace(
        vehicle,
        type=replace(
            kind,
            fixed_cost=0.0,
            shift_start_s=max(kind.shift_start_s, free_s),
            max_drive_s=max(0, kind.max_drive_s - sum(_travel_s(route) for route in routes)),
            max_rounds=None if kind.max_rounds is None else max(0, kind.max_rounds - len(routes)),
            max_continuous_drive_s=limit_s,
        ),
    )


def _travel_s(route: Route) -> int:
    return sum(stop.movement.duration_s for stop in route.stops if stop.movement is not None)


def _since_rest_s(routes: list[Route]) -> int:
    """Return the travel since the last rest; a gap between two routes that is long enough is one."""
    since_s = 0
    for before, route in pairwise([None, *routes]):
        assert route is not None
        if before is not None and route.stops[0].arrival_s - before.stops[-1].departure_s >= MIN_REST_S:
            since_s = 0
        for stop in route.stops:
            since_s = 0 if stop.breaks else since_s
            since_s += stop.movement.duration_s if stop.movement is not None else 0
    return since_s


def _free_drone(drone: Drone, routes: list[Route], now_s: int) -> Drone:
    service = drone.service
    free_s = max([now_s, *(route.stops[-1].departure_s + service.physics.turnaround_s for route in routes)])
    return replace(
        drone,
        service=replace(
            service,
            fixed_cost=0.0 if routes else service.fixed_cost,
            shift_start_s=max(service.shift_start_s, free_s),
        ),
    )


def _free_trip(problem: Problem, trip: BusTrip, routes: list[Route]) -> BusTrip | None:
    """Return a trip with the room and the calls that its frozen cargo leaves; None where that is nothing."""
    if not routes:
        return trip
    stops = routes[0].stops
    classes = {problem.order_by_id[h.order].product_class for stop in stops for h in stop.load}
    admitted = trip.product_classes or tuple(problem.products.classes)
    barred = {
        name
        for name, product in problem.products.classes.items()
        for other in classes
        if other in product.incompatible_with or name in problem.products.classes[other].incompatible_with
    }
    left = tuple(name for name in admitted if name not in barred)
    max_kg = trip.max_kg - max(stop.load_kg for stop in stops)
    max_l = trip.max_l - max(stop.load_l for stop in stops)
    if not left or max_kg <= 0.0 or max_l <= 0.0:
        return None
    used = {stop.call: stop.place for stop in stops}
    calls = tuple(call for call in trip.calls if used.get(call.sequence, call.place_id) == call.place_id)
    return replace(trip, max_kg=max_kg, max_l=max_l, product_classes=left, calls=calls)


# --- The old plan's remainder --------------------------------------------------------------------------------------


def remaining_plan(problem: Problem, plan: Plan, frozen: Frozen) -> tuple[Plan, frozenset[str]]:
    """Return what of a plan is still to come and can still hold, and the orders whose itinerary cannot.

    Parameters
    ----------
    problem
        The rest of the day.
    """
    kept_ids = {route.id for route in frozen.routes if route.kind != "bus"}
    later = [route for route in plan.routes if route.id not in kept_ids]
    legs = _later_legs(problem, plan, frozen, later)
    routes = {route.id: route for route in later}
    gone = frozenset(
        order_id for order_id in problem.order_by_id if not _still_holds(problem, order_id, legs[order_id], routes)
    )
    held: dict[str, set[str]] = {}
    for order_id, chain in legs.items():
        if order_id not in gone:
            for leg in chain:
                held.setdefault(leg.route, set()).add(order_id)
    found = (_only(route, held[route.id]) for route in later if route.id in held)
    return Plan(tuple(found)), gone


def _only(route: Route, orders: set[str]) -> Route:
    """Return a route with the handovers of some orders; stops left without any go, but for the ends at the base."""
    stops = [
        replace(
            stop,
            load=tuple(handover for handover in stop.load if handover.order in orders),
            unload=tuple(handover for handover in stop.unload if handover.order in orders),
        )
        for stop in route.stops
    ]
    ends = () if route.kind == "bus" else (0, len(stops) - 1)
    return replace(route, stops=tuple(stop for k, stop in enumerate(stops) if stop.load or stop.unload or k in ends))


def _later_legs(problem: Problem, plan: Plan, frozen: Frozen, later: list[Route]) -> dict[str, list[Leg]]:
    """Return by order of the rest of the day its legs that are not frozen, in order of time."""
    names = {route.id for route in later}
    everything = derive_legs(plan)
    found: dict[str, list[Leg]] = {}
    for order_id in problem.order_by_id:
        begun = {(leg.route, leg.from_place) for leg in frozen.legs.get(order_id, ())}
        found[order_id] = [
            leg
            for leg in everything.get(order_id, ())
            if leg.route in names and (leg.route, leg.from_place) not in begun
        ]
    return found


def _still_holds(problem: Problem, order_id: str, legs: list[Leg], routes: Mapping[str, Route]) -> bool:
    """Return whether the legs lead from where the order is to its destination, each after the one before."""
    order = problem.order_by_id[order_id]
    here, from_s = order.from_id, order.release_s
    for leg in legs:
        route = routes[leg.route]
        moved = _as_it_runs(problem, route, leg)
        if moved is None or leg.from_place != here or needed_s(problem, route, moved) < from_s:
            return False
        here = leg.to_place
        from_s = ready_s(problem, route, moved) + problem.place_by_id[here].handling_s
    return here == order.to_id


def _as_it_runs(problem: Problem, route: Route, leg: Leg) -> Leg | None:
    """Return a leg at the times its carrier now has; None where the carrier no longer runs it."""
    carrier = problem.carrier_by_id.get(route.carrier)
    if not isinstance(carrier, BusTrip):
        return None if carrier is None else leg
    calls = {(call.sequence, call.place_id): call for call in carrier.calls}
    board, alight = (
        next((calls.get((stop.call or 0, stop.place)) for stop in route.stops if _hands(stop, leg, loads=loads)), None)
        for loads in (True, False)
    )
    if board is None or alight is None or not (board.can_load and alight.can_unload):
        return None
    return replace(leg, departure_s=board.departure_s, arrival_s=alight.arrival_s)


def _hands(stop: Stop, leg: Leg, *, loads: bool) -> bool:
    """Return whether the leg begins (ends) at a stop."""
    place, handovers = (leg.from_place, stop.load) if loads else (leg.to_place, stop.unload)
    return stop.place == place and any(handover.order == leg.order for handover in handovers)
