"""What of a plan stays: routes begun or frozen, retimed where they are late, cut where they cannot go on.

A round of a vehicle or courier has begun when service at its first stop starts; then its goods and the order of its
stops stay. Where it is late, the delay shows as a later departure from the stop it last left, since a movement takes
what its road takes. Goods that can no longer be handed over in time, or at all, stay aboard and come back to the base.
A flight that has begun lands. Of a bus trip each ride that has begun stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from routing.model.carrier import BusTrip
from routing.model.plan import Leg, Plan, Route
from routing.model.problem import Problem
from routing.plan_io import derive_legs
from routing.replan.events import Events, Freeze
from routing.replan.loads import joined_by_bus, weighed
from routing.replan.under_way import carry_on, delay_s


@dataclass(frozen=True)
class Frozen:
    """What stays of a plan.

    Parameters
    ----------
    routes
        As they will now be: vehicles, couriers, drones; of buses the rides that have begun.
    legs
        By order, its legs on them in order of time.
    undrawn
        Ids of routes whose remaining ways must be drawn anew.
    stuck
        Orders aboard a bus that will not reach their stop; they are on no route.
    """

    routes: tuple[Route, ...]
    legs: Mapping[str, tuple[Leg, ...]]
    undrawn: frozenset[str]
    stuck: frozenset[str]


def freeze(problem: Problem, plan: Plan, events: Events, wanted: Freeze, blocked: frozenset[str]) -> Frozen:
    """Return what stays of a plan.

    Parameters
    ----------
    problem
        The day as it is now: closed roads in the matrices, bus trips as they run, new orders in, cancelled ones out
        unless they are loaded.
    plan
        The plan so far, drawn.
    blocked
        Ids of begun routes of which a way still to go is closed.
    """
    chosen = _chosen(problem, plan, events, wanted)
    routes: list[Route] = []
    undrawn: set[str] = set()
    stuck: set[str] = set()
    for route in plan.routes:
        if route.kind == "bus":
            routes += _begun_rides(problem, route, events, stuck, whole=route.id in chosen)
        elif route.id in chosen and _is_touched(route, events, blocked):
            undrawn.add(route.id)
            routes.append(carry_on(problem, route, events))
        elif route.id in chosen:
            routes.append(route)
    kept, changed = _sound_rides(problem, tuple(routes), events.now_s)
    kept = tuple(without_orders(problem, route, stuck) for route in kept)
    kept = tuple(route for route in kept if route.stops)
    return Frozen(kept, derive_legs(Plan(kept)), frozenset(undrawn | changed), frozenset(stuck))


def _is_touched(route: Route, events: Events, blocked: frozenset[str]) -> bool:
    if route.kind == "drone" or route.stops[-1].service_end_s <= events.now_s:
        return False
    broken = any(event.carrier == route.carrier for event in events.broken)
    return broken or route.id in blocked or delay_s(route, events) > 0


def _chosen(problem: Problem, plan: Plan, events: Events, wanted: Freeze) -> frozenset[str]:
    """Return the ids of routes that stay: begun ones, those of the freeze that can stand, and what feeds them."""
    begun = {route.id for route in plan.routes if _starts_s(route) < events.now_s}
    unsound = _unsound(problem, plan, events) - begun
    soon = {route.id for route in plan.routes if _starts_s(route) < events.now_s + wanted.horizon_s}
    named = {route.id for route in plan.routes if route.carrier in wanted.carriers}
    chosen = begun | ((soon | named) - unsound)
    chains = derive_legs(plan).values()
    while True:
        fed = {
            before.route
            for chain in chains
            for before, after in pairwise(chain)
            if after.route in chosen and before.route not in chosen | unsound
        }
        if not fed:
            return frozenset(chosen)
        chosen |= fed


def _unsound(problem: Problem, plan: Plan, events: Events) -> set[str]:
    """Return the ids of routes that cannot stay as they are: their carrier or an order of theirs is touched."""
    touched = {event.carrier for event in (*events.delays, *events.late_trips)}
    touched |= {*events.cancelled_trips, *events.unusable}
    orders = problem.order_by_id
    gone = {leg.route for order_id, chain in derive_legs(plan).items() if order_id not in orders for leg in chain}
    return gone | {route.id for route in plan.routes if route.carrier in touched}


def _starts_s(route: Route) -> int:
    return route.stops[0].departure_s if route.kind in ("drone", "bus") else route.stops[0].service_start_s


# --- Buses ---------------------------------------------------------------------------------------------------------


def _begun_rides(problem: Problem, route: Route, events: Events, stuck: set[str], *, whole: bool) -> Iterator[Route]:
    """Yield the bus route of the rides that have begun (all, where the whole route stays), at the trip's new times.

    Orders whose stop the trip no longer reaches go to `stuck`.
    """
    trip = problem.carrier_by_id.get(route.carrier)
    if not isinstance(trip, BusTrip):
        return
    calls = {(call.sequence, call.place_id): call for call in trip.calls}
    whole = whole and route.carrier not in _changed_trips(events)
    held: set[str] = set()
    for stop in route.stops:
        if whole or calls[stop.call or 0, stop.place].departure_s < events.now_s:
            held |= {handover.order for handover in stop.load}
    lost = {
        handover.order
        for stop in route.stops
        if not calls[stop.call or 0, stop.place].can_unload
        for handover in stop.unload
        if handover.order in held
    }
    stuck |= lost
    if held - lost:
        yield bus_route(problem, trip, route, held - lost)


def _changed_trips(events: Events) -> set[str]:
    return {event.carrier for event in events.late_trips} | set(events.cancelled_trips)


def bus_route(problem: Problem, trip: BusTrip, route: Route, held: set[str]) -> Route:
    """Return a bus route with the rides of some orders only, at the times of the trip."""
    calls = {(call.sequence, call.place_id): call for call in trip.calls}
    stops = []
    for stop in route.stops:
        load = tuple(handover for handover in stop.load if handover.order in held)
        unload = tuple(handover for handover in stop.unload if handover.order in held)
        if load or unload:
            call = calls[stop.call or 0, stop.place]
            stops.append(
                replace(
                    stop,
                    arrival_s=call.arrival_s,
                    service_start_s=call.arrival_s,
                    service_end_s=call.departure_s,
                    departure_s=call.departure_s,
                    load=load,
                    unload=unload,
                )
            )
    return replace(route, base=stops[0].place, stops=weighed(problem, trip, joined_by_bus(stops)))


# --- Rides that hold together --------------------------------------------------------------------------------------


def _sound_rides(problem: Problem, routes: tuple[Route, ...], now_s: int) -> tuple[tuple[Route, ...], set[str]]:
    """Return the routes without rides that are still to begin and cannot: their goods are not there in time.

    Also the ids of routes changed by that.
    """
    changed: set[str] = set()
    while True:
        bad = _unsound_rides(problem, routes, now_s)
        if not bad:
            return routes, changed
        changed |= bad.keys()
        routes = tuple(without_orders(problem, route, bad.get(route.id, set())) for route in routes)
        routes = tuple(route for route in routes if route.stops)


def _unsound_rides(problem: Problem, routes: tuple[Route, ...], now_s: int) -> dict[str, set[str]]:
    """Return by route the orders whose ride there is still to begin and does not follow from the rides before."""
    by_id = {route.id: route for route in routes}
    found: dict[str, set[str]] = {}
    for order_id, chain in derive_legs(Plan(routes)).items():
        order = problem.order_by_id[order_id]
        here, from_s = order.from_id, order.release_s
        for leg in chain:
            route = by_id[leg.route]
            is_begun = leg.departure_s < now_s
            if not is_begun and (leg.from_place != here or needed_s(problem, route, leg) < from_s):
                found.setdefault(route.id, set()).add(order_id)
                break
            here = leg.to_place
            from_s = ready_s(problem, route, leg) + problem.place_by_id[here].handling_s
    return found


def ready_s(problem: Problem, route: Route, leg: Leg) -> int:
    """Return when the goods of a leg are unloaded at the place."""
    trip = problem.carrier_by_id[route.carrier]
    if not isinstance(trip, BusTrip):
        return leg.unload_end_s
    call = next(call for call in trip.calls if (call.place_id, call.arrival_s) == (leg.to_place, leg.arrival_s))
    return call.arrival_s + call.board_s


def needed_s(problem: Problem, route: Route, leg: Leg) -> int:
    """Return by when the goods of a leg must be at the place, handled."""
    trip = problem.carrier_by_id[route.carrier]
    if not isinstance(trip, BusTrip):
        return leg.load_start_s
    call = next(call for call in trip.calls if (call.place_id, call.departure_s) == (leg.from_place, leg.departure_s))
    return call.departure_s - call.cutoff_s


def without_orders(problem: Problem, route: Route, gone: Collection[str]) -> Route:
    """Return a route without the handovers of some orders; of a bus, stops left without any go."""
    if not any(handover.order in gone for stop in route.stops for handover in stop.load):
        return route
    stops = [
        replace(
            stop,
            load=tuple(handover for handover in stop.load if handover.order not in gone),
            unload=tuple(handover for handover in stop.unload if handover.order not in gone),
        )
        for stop in route.stops
    ]
    carrier = problem.carrier_by_id[route.carrier]
    if isinstance(carrier, BusTrip):
        stops = [stop for stop in stops if stop.load or stop.unload]
        stops = joined_by_bus(stops) if stops else []
    return replace(route, stops=weighed(problem, carrier, stops))
