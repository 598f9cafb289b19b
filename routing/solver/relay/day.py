"""Which days are relays, and such a day as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geodata.matrix import UNREACHABLE_S, TravelMatrix
from routing.model.carrier import BusCall, BusTrip, Vehicle
from routing.model.order import Order
from routing.model.problem import Place, Problem
from routing.solver.relay.arrays import FAR, MAX_TOUR_STOPS, Facts, Floats, Ints

_NO_WAY_COST = 1e15
_SLOWER = 1.1
"""A truck passes other stops to save cost where that takes at most so many times as long."""
_Leg = tuple[BusCall, BusCall]


@dataclass(frozen=True)
class RelayDay:
    """A relay day: its figures, and what each index of them stands for."""

    problem: Problem
    facts: Facts
    hub: str
    trucks: tuple[Vehicle, ...]
    couriers: tuple[tuple[Vehicle, ...], ...]
    """Couriers of each out-stop."""
    in_stops: tuple[str, ...]
    out_stops: tuple[str, ...]
    trips: tuple[BusTrip, ...]
    ride_calls: tuple[_Leg, ...]
    """Where each ride begins and ends."""
    passed: Mapping[tuple[int, int], tuple[int, ...]]
    """In-stops a truck passes between two places (0: the hub, k + 1: in-stop k), where it does not go straight."""


def suits(problem: Problem) -> bool:
    """Return whether the only way of every order is truck, one bus trip, courier, and nothing else is asked.

    The trucks stand at the one origin, each vehicle makes one round, buses unload only after all their loading, and
    costs are by distance and per vehicle used. Everything else (cold goods, drones, fees, handling, opening hours that
    bind, several orders to a door, late deliveries at a price) is left to the general search.
    """
    return bool(problem.orders and problem.vehicles and problem.bus_trips) and all(_features(problem))


def _features(problem: Problem) -> Iterator[bool]:
    orders, rates = problem.orders, problem.rates
    yield not problem.drones and rates.handling_per_piece == 0.0 and rates.unit_s == 0.0
    yield len({order.from_id for order in orders}) == 1
    yield len({order.to_id for order in orders}) == len(orders)
    yield all(_plain_order(problem, k) for k in range(len(orders)))
    yield len({order.release_s for order in orders}) == 1
    yield _plain_fleet(problem)
    yield all(_plain_trip(problem, trip) for trip in problem.bus_trips)
    yield _roomy(problem)
    yield _only_by_relay(problem)


def _plain_order(problem: Problem, number: int) -> bool:
    order = problem.orders[number]
    product = problem.products.classes[order.product_class]
    return (
        not (product.cold or product.incompatible_with or product.box or order.dangerous or order.also_from)
        and product.bus_allowed
        and order.from_id != order.to_id
        and len(order.windows) <= 1
        and order.due_s is None
        and order.service_s == 0
    )


def _plain_fleet(problem: Problem) -> bool:
    hub = problem.orders[0].from_id
    kinds: dict[str, set[tuple[object, ...]]] = {}
    for vehicle in problem.vehicles:
        kinds.setdefault(vehicle.base, set()).add((vehicle.type, vehicle.travel, vehicle.operator))
    return (
        hub in kinds
        and len(kinds) > 1
        and all(len(found) == 1 for found in kinds.values())
        and all(_plain_vehicle(problem, vehicle, hub) for vehicle in problem.vehicles)
    )


def _plain_vehicle(problem: Problem, vehicle: Vehicle, hub: str) -> bool:
    kind = vehicle.type
    return (
        kind.max_rounds == 1
        and kind.max_continuous_drive_s is None
        and len(kind.compartments) == 1
        and kind.cost_per_h == 0.0
        and kind.range_wh is None
        and problem.rates.energy_price(kind.energy_source) == 0.0
        and (vehicle.base == hub or (kind.stop_s == 0 and kind.shift_start_s <= 0))
    )


def _plain_trip(problem: Problem, trip: BusTrip) -> bool:
    """Return whether a trip is free, takes any of the goods, and unloads nothing before all is loaded."""
    loads = [call.sequence for call in trip.calls if call.can_load]
    unloads = [call.sequence for call in trip.calls if call.can_unload]
    orders = problem.orders
    return (
        trip.fee_per_kg == 0.0
        and trip.fee_per_piece == 0.0
        and max(loads, default=0) < min(unloads, default=1 << 30)
        and all(not trip.product_classes or order.product_class in trip.product_classes for order in orders)
        and trip.max_piece_kg >= max(order.piece_kg for order in orders)
        and trip.max_longest_cm >= max(order.longest_cm for order in orders)
        and len({call.place_id for call in trip.calls}) == len(trip.calls)
    )


def _roomy(problem: Problem) -> bool:
    """Return whether litres, stores, opening hours, shifts and truck hours cannot bind."""
    litres = sum(order.volume_l for order in problem.orders)
    mass = sum(order.weight_kg for order in problem.orders)
    end = _end(problem)
    hub = problem.orders[0].from_id
    stations = {call.place_id for trip in problem.bus_trips for call in trip.calls}
    used = {*stations, hub, *(order.to_id for order in problem.orders)}
    return (
        all(vehicle.type.compartments[0].litres >= litres for vehicle in problem.vehicles)
        and all(trip.max_l >= litres for trip in problem.bus_trips)
        and all(vehicle.type.shift_end_s >= end for vehicle in problem.vehicles)
        and all(place.opens_s <= 0 and place.closes_s >= end for place in problem.places if place.id in used)
        and all(
            place.store_kg.get("ambient", 0.0) >= mass and all(kind == "ambient" for kind in place.store_kg)
            for place in problem.places
            if place.id in stations
        )
        and _trucks_never_tire(problem, hub)
    )


def _end(problem: Problem) -> int:
    """Return a time by which every vehicle is back at the latest."""
    last = max(call.departure_s for trip in problem.bus_trips for call in trip.calls)
    for order in problem.orders:
        last = max(last, order.windows[0][1] if order.windows else 0)
    return last + max(_longest(problem.matrices[vehicle.travel]) for vehicle in problem.vehicles)


def _longest(matrix: TravelMatrix) -> int:
    return int(matrix.duration_s[matrix.reachable].max(initial=0))


def _trucks_never_tire(problem: Problem, hub: str) -> bool:
    trucks = [vehicle for vehicle in problem.vehicles if vehicle.base == hub]
    return all(
        truck.type.max_drive_s >= (MAX_TOUR_STOPS + 1) * _longest(problem.matrices[truck.travel])
        for truck in trucks[:1]
    )


def _only_by_relay(problem: Problem) -> bool:
    """Return whether no truck reaches a door, no courier the hub or another stop, and every order has a window."""
    hub = problem.orders[0].from_id
    doors = {order.to_id for order in problem.orders}
    loads = {call.place_id for trip in problem.bus_trips for call in trip.calls if call.can_load}
    for vehicle in {(v.travel, v.base): v for v in problem.vehicles}.values():
        matrix = problem.matrices[vehicle.travel]
        barred = doors if vehicle.base == hub else (loads | {hub}) - {vehicle.base}
        if any(place in matrix.index and matrix.reaches(vehicle.base, place) for place in barred):
            return False
    return hub not in loads and not doors & loads and all(order.windows for order in problem.orders)


# --- Arrays --------------------------------------------------------------------------------------------------------


def compile_day(problem: Problem) -> RelayDay:
    """Return the arrays of a day that `suits`."""
    hub = problem.orders[0].from_id
    trucks = tuple(vehicle for vehicle in problem.vehicles if vehicle.base == hub)
    matrix = problem.matrices[trucks[0].travel]
    loads = dict.fromkeys(call.place_id for trip in problem.bus_trips for call in trip.calls if call.can_load)
    unloads = dict.fromkeys(call.place_id for trip in problem.bus_trips for call in trip.calls if call.can_unload)
    in_stops = tuple(stop for stop in loads if stop in matrix.index and matrix.reaches(hub, stop))
    based: dict[str, list[Vehicle]] = {}
    for vehicle in problem.vehicles:
        if vehicle.base in unloads:
            based.setdefault(vehicle.base, []).append(vehicle)
    out_stops = tuple(based)
    couriers = tuple(tuple(based[stop]) for stop in out_stops)
    rides, first = _rides(problem, in_stops, out_stops)
    leg = _legs(problem, couriers)
    drive = ways_between(matrix, (hub, *in_stops), trucks[0].type.cost_per_km)
    drive[1, :, 1:] += trucks[0].type.stop_s
    passed = _pass_stops(drive)
    orders = problem.orders
    facts = Facts(
        customer=_table([_customer_row(order) for order in orders], 4),
        leg=leg,
        courier=_table([_courier_row(group) for group in couriers], 4),
        drive=drive,
        truck=np.array(_truck_row(trucks[0], orders[0].release_s)),
        ride=_table([_ride_row(problem, *ride) for ride in rides], 5),
        ride_first=first,
        trip_load=np.array([trip.max_kg for trip in problem.bus_trips], dtype=np.float64),
        outs=_outs(leg[0], len(orders)),
        near=_near(leg[0], len(orders)),
    )
    calls = tuple((ride[1], ride[2]) for ride in rides)
    return RelayDay(problem, facts, hub, trucks, couriers, in_stops, out_stops, problem.bus_trips, calls, passed)


def _rides(
    problem: Problem, in_stops: Sequence[str], out_stops: Sequence[str]
) -> tuple[list[tuple[int, BusCall, BusCall]], Ints]:
    """Return rides by (in-stop, out-stop), earliest at the out-stop first, and where each pair's begin."""
    found: dict[tuple[str, str], list[tuple[int, BusCall, BusCall]]] = {}
    for number, trip in enumerate(problem.bus_trips):
        boards = [call for call in trip.calls if call.can_load]
        alights = [call for call in trip.calls if call.can_unload]
        for board in boards:
            for alight in alights:
                found.setdefault((board.place_id, alight.place_id), []).append((number, board, alight))
    rides: list[tuple[int, BusCall, BusCall]] = []
    first = [0]
    for here in in_stops:
        for there in out_stops:
            rides += sorted(found.get((here, there), ()), key=lambda ride: (_ready(problem, ride[2]), ride[0]))
            first.append(len(rides))
    return rides, np.array(first, dtype=np.int64)


def _by(problem: Problem, call: BusCall) -> int:
    return call.departure_s - call.cutoff_s - problem.place_by_id[call.place_id].handling_s


def _since(problem: Problem, call: BusCall) -> int:
    longest = _wait(problem.place_by_id[call.place_id])
    return call.departure_s - longest if longest < FAR else -FAR


def _ready(problem: Problem, call: BusCall) -> int:
    return call.arrival_s + call.board_s + problem.place_by_id[call.place_id].handling_s


def _gone(problem: Problem, call: BusCall) -> int:
    return min(FAR, call.arrival_s + call.board_s + _wait(problem.place_by_id[call.place_id]))


def _wait(place: Place) -> int:
    return FAR if place.max_wait_s is None else place.max_wait_s


def _table(rows: Sequence[Sequence[float]], columns: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)


def _customer_row(order: Order) -> tuple[float, ...]:
    return order.weight_kg, order.unserved_cost, order.windows[0][1], order.windows[0][0]


def _courier_row(group: Sequence[Vehicle]) -> tuple[float, ...]:
    kind = group[0].type
    return kind.compartments[0].kg, kind.max_drive_s, kind.fixed_cost, len(group)


def _truck_row(truck: Vehicle, release_s: int) -> tuple[float, ...]:
    kind = truck.type
    return kind.compartments[0].kg, kind.max_drive_s, kind.fixed_cost, max(0, kind.shift_start_s, release_s)


def _ride_row(problem: Problem, trip: int, board: BusCall, alight: BusCall) -> tuple[float, ...]:
    return trip, _since(problem, board), _by(problem, board), _ready(problem, alight), _gone(problem, alight)


def ways_between(matrix: TravelMatrix, ids: Sequence[str], cost_per_km: float) -> Floats:
    """Return costs and times among some places, shape (2, n, n); where there is no way both are prohibitive."""
    known = np.array([matrix.index.get(place, -1) for place in ids], dtype=np.int64)
    grid = np.ix_(known, known)
    absent = known < 0
    time = matrix.duration_s[grid].astype(np.float64)
    none = (time >= UNREACHABLE_S) | absent[:, None] | absent[None, :]
    cost = matrix.distance_m[grid] * (cost_per_km / 1000.0)
    time[none], cost[none] = FAR, _NO_WAY_COST
    return np.array([cost, time])


def _pass_stops(drive: Floats) -> dict[tuple[int, int], tuple[int, ...]]:
    """Shorten ways by passing other in-stops, where that costs less, and return `RelayDay.passed` (Floyd 1962).

    Where lengths are rounded, or roads are chosen by time and paid by length, the straight way is not always the
    cheapest. A stop passed takes the time of one where goods are unloaded. `drive` is overwritten.

    A tour that would pass a stop twice goes straight the second time, so tours may cost a little more than counted.
    """
    cost, time = drive
    longest = time * _SLOWER
    np.fill_diagonal(longest, -1.0)
    passed: dict[tuple[int, int], tuple[int, ...]] = {}
    for stop in range(1, len(time)):
        through = cost[:, stop, None] + cost[None, stop, :]
        slow = np.maximum(time, time[:, stop, None] + time[None, stop, :])  # so that it may go straight as well
        better = (through < cost - 1e-6) & (slow <= longest)
        for here, there in np.argwhere(better).tolist():
            passed[here, there] = (*passed.get((here, stop), ()), stop - 1, *passed.get((stop, there), ()))
        cost[better], time[better] = through[better], slow[better]
    return passed


def _legs(problem: Problem, couriers: Sequence[Sequence[Vehicle]]) -> Floats:
    doors = [order.to_id for order in problem.orders]
    n = len(doors) + 1
    legs = np.empty((2, len(couriers), n, n))
    for number, group in enumerate(couriers):
        matrix = problem.matrices[group[0].travel]
        legs[:, number] = ways_between(matrix, (group[0].base, *doors), group[0].type.cost_per_km)
    return legs


def _outs(leg_cost: Floats, customers: int) -> Ints:
    """Return the out-stops whose couriers reach each customer, nearest first, padded with -1."""
    there = (leg_cost[:, 0, 1:] + leg_cost[:, 1:, 0]).T.reshape(customers, -1)
    reached = [[int(o) for o in np.argsort(row, kind="stable") if row[o] < _NO_WAY_COST] for row in there]
    found = np.full((customers, max(1, *map(len, reached))), -1, dtype=np.int64)
    for customer, stops in enumerate(reached):
        found[customer, : len(stops)] = stops
    return found


def _near(leg_cost: Floats, customers: int) -> Ints:
    """Return all customers by the cheapest way between them, over the out-stops."""
    if not len(leg_cost):
        return np.tile(np.arange(customers, dtype=np.int64), (customers, 1))
    between = leg_cost[:, 1:, 1:].min(axis=0)
    np.fill_diagonal(between, -1.0)
    return np.argsort(between, axis=1, kind="stable").astype(np.int64)
