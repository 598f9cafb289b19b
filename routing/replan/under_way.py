"""Rounds that have begun and are late, cut off or broken down: how they go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from geodata.errors import Fault, InputError
from geodata.matrix import UNREACHABLE_S
from geodata.travel_clock import HOUR_S
from routing.fault_codes import FaultCode
from routing.model.carrier import Vehicle
from routing.model.plan import Handover, Movement, Rest, Route, Stop
from routing.model.problem import Problem
from routing.replan.events import Events
from routing.replan.loads import goods_of, service_s, weighed

TOWING_S = 3_600
"""Allowance for bringing a broken vehicle back where nobody said when it will be there, beside the way itself."""


def carry_on(problem: Problem, route: Route, events: Events) -> Route:
    """Return a begun round as it goes on: done stops as they are, the rest retimed, cut from its end until it holds."""
    vehicle = problem.carrier_by_id[route.carrier]
    assert isinstance(vehicle, Vehicle)  # drones land, buses are not ours to move
    broken = next((event for event in events.broken if event.carrier == route.carrier), None)
    back_s = None if broken is None else (broken.back_s or events.now_s + TOWING_S)
    left = max([k for k, stop in enumerate(route.stops) if stop.departure_s < events.now_s], default=0)
    done = list(route.stops[: left + 1])
    leaves_s = done[-1].departure_s + delay_s(route, events)
    ahead = [] if broken is not None else list(route.stops[left + 1 : -1])
    while True:
        tried = _retimed(problem, vehicle, route, done, leaves_s, ahead, back_s)
        if _holds(problem, vehicle, tried) or not ahead:
            return tried
        ahead = ahead[:-1]


def _retimed(
    problem: Problem,
    vehicle: Vehicle,
    route: Route,
    done: list[Stop],
    leaves_s: int,
    ahead: list[Stop],
    back_s: int | None,
) -> Route:
    """Return the round with only the stops `ahead` before the base; impossible ones among them are passed by."""
    aboard = _aboard(done)
    here, kept = done[-1].place, []
    for stop in ahead:
        arrival_s = _arrival_s(problem, vehicle, leaves_s, here, stop.place)
        moved = None if arrival_s is None else _moved_stop(problem, vehicle, stop, arrival_s, aboard)
        if moved is None:
            continue
        kept.append((leaves_s, moved))
        for handover in moved.unload:
            aboard.pop(handover.order)
        aboard.update({handover.order: handover for handover in moved.load})
        here, leaves_s = moved.place, moved.departure_s
    if back_s is not None:
        leaves_s = max(leaves_s, back_s - problem.travel_s(vehicle.travel, here, vehicle.base))
    last = Stop(vehicle.base, 0, 0, 0, 0, unload=tuple(aboard.values()))
    arrival_s = _arrival_s(problem, vehicle, leaves_s, here, vehicle.base)
    if arrival_s is None:
        reason, remedy = (
            f"{vehicle.id} cannot get back to {vehicle.base}",
            "Leave a road open, or name another closure.",
        )
        raise InputError(
            [Fault(FaultCode.NO_WAY_BACK.value, "events", reason, remedy, field="closures", value=route.id)]
        )
    end_s = arrival_s + service_s(problem, vehicle, last)
    last = replace(last, arrival_s=arrival_s, service_start_s=arrival_s, service_end_s=end_s, departure_s=end_s)
    departures = [*(leaves for leaves, _ in kept), leaves_s]
    stops = [*done, *(stop for _, stop in kept), last]
    for k, leaves in enumerate(departures, start=len(done) - 1):
        stops[k] = replace(stops[k], departure_s=leaves)
        stops[k] = replace(stops[k], movement=_way(problem, vehicle, stops[k], stops[k + 1]))
    return replace(route, stops=weighed(problem, vehicle, stops))


def _arrival_s(problem: Problem, vehicle: Vehicle, leaves_s: int, here: str, there: str) -> int | None:
    """Return when a vehicle arrives that leaves at a time, None where there is no way."""
    travel_s = problem.travel_s(vehicle.travel, here, there)
    if travel_s >= UNREACHABLE_S:
        return None
    clock = problem.clocks.get(vehicle.travel)
    return leaves_s + travel_s if clock is None else clock.arrival_s(leaves_s, travel_s)


def _way(problem: Problem, vehicle: Vehicle, here: Stop, there: Stop) -> Movement:
    matrix = problem.matrices[vehicle.travel]
    a, b = matrix.index[here.place], matrix.index[there.place]
    slot = here.departure_s // HOUR_S if vehicle.travel in problem.clocks else 0
    seconds = there.arrival_s - here.departure_s
    return Movement("street", int(matrix.distance_m[a, b]), seconds, float(matrix.energy_wh[a, b]), slot=slot)


def _moved_stop(
    problem: Problem, vehicle: Vehicle, stop: Stop, arrival_s: int, aboard: Mapping[str, Handover]
) -> Stop | None:
    """Return a stop at its new time with the goods that can still be handed over there; None where none can."""
    place = problem.place_by_id[stop.place]
    start_s = max(arrival_s, stop.service_start_s)
    if stop.place != vehicle.base and start_s > place.closes_s:
        return None
    unload = tuple(
        handover
        for handover in stop.unload
        if handover.order in aboard and _in_time(problem, handover.order, stop.place, start_s)
    )
    load = tuple(handover for handover in stop.load if handover.order in problem.order_by_id)
    if not (unload or load):
        return None
    moved = replace(stop, arrival_s=arrival_s, service_start_s=start_s, unload=unload, load=load)
    end_s = start_s + service_s(problem, vehicle, moved)
    rests: list[Rest] = []
    leaves_s = end_s
    for rest in stop.breaks:
        rests.append(replace(rest, start_s=leaves_s, end_s=leaves_s + rest.end_s - rest.start_s))
        leaves_s = rests[-1].end_s
    return replace(moved, service_end_s=end_s, departure_s=leaves_s, breaks=tuple(rests))


def _in_time(problem: Problem, order_id: str, place: str, start_s: int) -> bool:
    order = problem.order_by_id.get(order_id)
    if order is None or place != order.to_id or not order.windows:
        return True
    return any(begin <= start_s <= end for begin, end in order.windows)


def _aboard(stops: Iterable[Stop]) -> dict[str, Handover]:
    aboard: dict[str, Handover] = {}
    for stop in stops:
        for handover in stop.unload:
            aboard.pop(handover.order)
        aboard.update({handover.order: handover for handover in stop.load})
    return aboard


def delay_s(route: Route, events: Events) -> int:
    """Return how late a route is: as told, or by how much the next stop to be done lies behind its plan."""
    told = sum(event.delay_s for event in events.delays if event.carrier == route.carrier)
    behind = [
        events.now_s - route.stops[event.stops].arrival_s
        for event in events.done
        if event.route == route.id and event.stops < len(route.stops)
    ]
    return max([told, 0, *behind])


def _holds(problem: Problem, vehicle: Vehicle, route: Route) -> bool:
    """Return whether a round keeps shift, range, driving time and room; its stops are known to be in time."""
    kind = vehicle.type
    spent = sum(stop.movement.energy_wh for stop in route.stops if stop.movement is not None)
    if route.stops[-1].service_end_s > kind.shift_end_s or (kind.range_wh is not None and spent > kind.range_wh):
        return False
    since_rest_s = 0
    for stop in route.stops:
        since_rest_s = 0 if stop.breaks else since_rest_s
        since_rest_s += stop.movement.duration_s if stop.movement is not None else 0
        if kind.max_continuous_drive_s is not None and since_rest_s > kind.max_continuous_drive_s:
            return False
    return _has_room(problem, vehicle, route)


def _has_room(problem: Problem, vehicle: Vehicle, route: Route) -> bool:
    """Return whether every compartment takes what is in it between every two stops."""
    used = {part.id: [0.0, 0.0] for part in vehicle.type.compartments}
    room = {part.id: (part.kg, part.litres) for part in vehicle.type.compartments}
    for stop in route.stops:
        for sign, handovers in ((-1.0, stop.unload), (1.0, stop.load)):
            for handover in handovers:
                for axis, amount in enumerate(goods_of(problem, handover)):
                    used[handover.compartment][axis] += sign * amount
        if any(used[part][axis] > room[part][axis] + 1e-6 for part in used for axis in (0, 1)):
            return False
    return True
