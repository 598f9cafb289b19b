"""From a plan in the making to routes with times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from geodata.matrix import TravelMatrix
from routing.model.carrier import BusCall, BusTrip, Vehicle
from routing.model.plan import Handover, Movement, Plan, Route, Stop
from routing.solver.relay.arrays import (
    FAR,
    FIRST,
    FROM,
    LATE,
    OUT,
    RIDE,
    ROUND,
    START,
    STOP,
    STOPS,
    TRUCK,
    UNTIL,
    VISITS,
    Draft,
)
from routing.solver.relay.day import RelayDay

_Call = tuple[str, list[int], int]
"""A place, the customers whose goods are unloaded there, and when at the earliest."""


def make_plan(day: RelayDay, draft: Draft) -> Plan:
    """Return the timed routes of trucks, couriers and buses, in the problem's order of carriers.

    Trucks leave just in time for their first stop and unload as early as the goods' longest wait allows. Couriers leave
    so late that they need not wait at the first door, where their goods and windows allow that.
    """
    routes = [*_truck_routes(day, draft), *_courier_routes(day, draft), *_bus_routes(day, draft)]
    place = {carrier.id: k for k, carrier in enumerate(day.problem.carriers)}
    return Plan(tuple(sorted(routes, key=lambda route: place[route.carrier])))


def _served(draft: Draft) -> list[int]:
    return [customer for customer in range(len(draft.who)) if draft.who[customer, ROUND] >= 0]


class _Load:
    """What a carrier holds along its stops."""

    def __init__(self, day: RelayDay, compartment: str) -> None:
        self.orders, self.compartment = day.problem.orders, compartment
        self.kg = self.litres = 0.0

    def put(self, customers: Sequence[int], sign: float) -> tuple[Handover, ...]:
        """Take customers' goods on (sign 1) or off (-1)."""
        self.kg += sign * sum(self.orders[customer].weight_kg for customer in customers)
        self.litres += sign * sum(self.orders[customer].volume_l for customer in customers)
        return tuple(Handover(self.orders[customer].id, self.compartment) for customer in customers)

    def amounts(self) -> dict[str, float]:
        """Return the load as a stop holds it, without the dust of binary arithmetic."""
        return {"load_kg": max(0.0, round(self.kg, 6)), "load_l": max(0.0, round(self.litres, 6))}


# --- Trucks --------------------------------------------------------------------------------------------------------


def _truck_routes(day: RelayDay, draft: Draft) -> Iterator[Route]:
    used = [truck for truck in range(len(draft.tour)) if draft.tour[truck, STOPS] > 0]
    served = _served(draft)
    for vehicle, truck in zip(day.trucks, used, strict=False):
        goods = [customer for customer in served if draft.who[customer, TRUCK] == truck]
        stops = [int(stop) for stop in draft.tour[truck, : draft.tour[truck, STOPS]]]
        drops = [[customer for customer in goods if draft.who[customer, STOP] == stop] for stop in stops]
        earliest = [int(first) for first in draft.tour_time[truck, : len(stops), FIRST]]
        calls = list(_truck_calls(day, stops, drops, earliest))
        yield _route(vehicle, tuple(_truck_stops(day, vehicle, calls)))


def _truck_calls(
    day: RelayDay, stops: Sequence[int], drops: Sequence[list[int]], earliest: Sequence[int]
) -> Iterator[_Call]:
    """Yield what a truck does from hub to hub, with the stops it only passes; it is at no stop twice."""
    seen, before = set(stops), 0
    yield day.hub, [], -FAR
    for stop, drop, first in zip((*stops, -1), (*drops, []), (*earliest, -FAR), strict=True):
        passed = day.passed.get((before, stop + 1), ())
        if seen.isdisjoint(passed):
            seen.update(passed)
            yield from ((day.in_stops[other], [], -FAR) for other in passed)
        yield (day.hub if stop < 0 else day.in_stops[stop]), drop, first
        before = stop + 1


def _truck_stops(day: RelayDay, vehicle: Vehicle, calls: Sequence[_Call]) -> Iterator[Stop]:
    """Yield the stops; goods are unloaded at their earliest time or as soon after as the truck can be there."""
    matrix, load = day.problem.matrices[vehicle.travel], _Load(day, vehicle.type.compartments[0].id)
    service_s = vehicle.type.stop_s
    goods = [customer for _, drop, _ in calls for customer in drop]
    time = max(int(day.facts.truck[START]), _just_in_time(matrix, service_s, calls))
    for number, (place, drop, first) in enumerate(calls):
        movement = _movement(matrix, place, calls[number + 1][0]) if number + 1 < len(calls) else None
        inner = 0 < number < len(calls) - 1
        begin = max(time, first - service_s)
        end = begin + (service_s if inner else 0)
        loaded = load.put(goods, 1.0) if number == 0 else ()
        unloaded = load.put(drop, -1.0) if inner else ()
        yield Stop(place, time, begin, end, end, load=loaded, unload=unloaded, movement=movement, **load.amounts())  # type: ignore[arg-type]
        time = end + (movement.duration_s if movement is not None else 0)


def _just_in_time(matrix: TravelMatrix, service_s: int, calls: Sequence[_Call]) -> int:
    """Return when to leave the hub to unload the first goods at their earliest time."""
    time = 0
    for (here, _, _), (place, drop, first) in pairwise(calls):
        time += _movement(matrix, here, place).duration_s + service_s
        if drop:
            return first - time
    return -FAR


# --- Couriers ------------------------------------------------------------------------------------------------------


def _courier_routes(day: RelayDay, draft: Draft) -> Iterator[Route]:
    free = [list(group) for group in day.couriers]
    for number in range(len(draft.visit)):
        count = int(draft.visit[number, VISITS])
        if count == 0:
            continue
        out = int(draft.visit[number, OUT])
        customers = [int(customer) for customer in draft.visit[number, :count]]
        first, last = (
            draft.round_time[number, FROM],
            min(draft.round_time[number, UNTIL], draft.round_time[number, LATE]),
        )
        vehicle = free[out].pop(0)
        yield _route(vehicle, tuple(_courier_stops(day, vehicle, customers, int(first), int(last))))


def _courier_stops(day: RelayDay, vehicle: Vehicle, customers: Sequence[int], first: int, last: int) -> Iterator[Stop]:
    orders = [day.problem.orders[customer] for customer in customers]
    matrix, load = day.problem.matrices[vehicle.travel], _Load(day, vehicle.type.compartments[0].id)
    places = [vehicle.base, *(order.to_id for order in orders), vehicle.base]
    opens = orders[0].windows[0][0] - _movement(matrix, places[0], places[1]).duration_s
    time = min(max(first, opens), last)
    for number, place in enumerate(places):
        movement = _movement(matrix, place, places[number + 1]) if number + 1 < len(places) else None
        inner = 0 < number < len(places) - 1
        begin = max(time, orders[number - 1].windows[0][0]) if inner else time
        loaded = load.put(customers, 1.0) if number == 0 else ()
        unloaded = load.put([customers[number - 1]], -1.0) if inner else ()
        yield Stop(place, time, begin, begin, begin, load=loaded, unload=unloaded, movement=movement, **load.amounts())  # type: ignore[arg-type]
        time = begin + (movement.duration_s if movement is not None else 0)


def _movement(matrix: TravelMatrix, here: str, there: str) -> Movement:
    a, b = matrix.index[here], matrix.index[there]
    return Movement("street", int(matrix.distance_m[a, b]), int(matrix.duration_s[a, b]), float(matrix.energy_wh[a, b]))


def _route(vehicle: Vehicle, stops: tuple[Stop, ...]) -> Route:
    kind = vehicle.type
    return Route(f"{vehicle.id}-1", vehicle.id, vehicle.operator, kind.kind, kind.id, kind.profile, vehicle.base, stops)


# --- Buses ---------------------------------------------------------------------------------------------------------


def _bus_routes(day: RelayDay, draft: Draft) -> Iterator[Route]:
    aboard: dict[int, list[int]] = {}
    for customer in _served(draft):
        aboard.setdefault(int(day.facts.ride[draft.who[customer, RIDE], 0]), []).append(customer)
    for number in sorted(aboard):
        trip = day.trips[number]
        stops = tuple(_bus_stops(day, draft, trip, aboard[number]))
        yield Route(trip.id, trip.id, trip.operator, "bus", trip.line, "bus", stops[0].place, stops)


def _bus_stops(day: RelayDay, draft: Draft, trip: BusTrip, customers: Sequence[int]) -> Iterator[Stop]:
    rides: dict[int, tuple[BusCall, BusCall]] = {c: day.ride_calls[draft.who[c, RIDE]] for c in customers}
    used = [call for call in trip.calls if any(call in ride for ride in rides.values())]
    load = _Load(day, "hold")
    for number, call in enumerate(used):
        unloaded = load.put([c for c in customers if rides[c][1] == call], -1.0)
        loaded = load.put([c for c in customers if rides[c][0] == call], 1.0)
        ahead = used[number + 1] if number + 1 < len(used) else None
        yield Stop(
            place=call.place_id,
            arrival_s=call.arrival_s,
            service_start_s=call.arrival_s,
            service_end_s=call.departure_s,
            departure_s=call.departure_s,
            load=loaded,
            unload=unloaded,
            bus_stop=call.bus_stop_id,
            call=call.sequence,
            movement=None if ahead is None else Movement("bus", 0, ahead.arrival_s - call.departure_s, 0.0),
            **load.amounts(),  # type: ignore[arg-type]
        )
