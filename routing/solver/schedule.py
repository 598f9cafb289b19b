"""The plan that settled carriers make: routes with stops, hand-overs and movements."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.travel_clock import HOUR_S
from routing.model.plan import Handover, Movement, Plan, Rest, Route, Stop
from routing.solver.buses import BusLoad
from routing.solver.days import Day
from routing.solver.sorties import DroneDay, Sortie
from routing.solver.state import State
from routing.solver.tasks import Task


def make_routes(state: State) -> tuple[Route, ...]:
    """Return the routes of a settled plan: vehicles and couriers, drones, buses, in the problem's order."""
    routes: list[Route] = []
    for fleet in state.days:
        for day in fleet:
            routes += _day_routes(day)
    for group in state.drones:
        for drone in group:
            routes += [_sortie_route(drone, sortie, k) for k, sortie in enumerate(drone.sorties)]
    routes += [_bus_route(load) for load in state.buses if load.entries]
    place = {carrier.id: k for k, carrier in enumerate(state.instance.problem.carriers)}
    return tuple(sorted(routes, key=lambda route: (place[route.carrier], route.stops[0].departure_s)))


def make_plan(state: State) -> Plan:
    """Return the plan without its unassigned orders (they are explained later)."""
    return Plan(routes=make_routes(state))


def _handovers(tasks: Sequence[Task], names: Sequence[str]) -> tuple[Handover, ...]:
    return tuple(
        Handover(order.id, names[task.compartment], task.job.product.box if task.boxed else None)
        for task in tasks
        for order in task.job.orders
    )


# --- Vehicles and couriers -----------------------------------------------------------------------------------------


def _day_routes(day: Day) -> list[Route]:
    kind = day.fleet.type
    base = day.instance.places[day.fleet.base].id
    found = []
    for number, (first, last) in enumerate(day.rounds()):
        stops = tuple(_day_stops(day, first, last))
        found.append(
            Route(
                id=f"{day.vehicle_id}-{number + 1}",
                carrier=day.vehicle_id,
                operator=day.fleet.operator,
                kind=kind.kind,
                type=kind.id,
                profile=kind.profile,
                base=base,
                stops=stops,
            )
        )
    return found


def _day_stops(day: Day, first: int, last: int) -> list[Stop]:
    kind, travel, instance = day.fleet.type, day.fleet.travel, day.instance
    names = [part.id for part in kind.compartments]
    stops, arrival, spent_wh = [], day.start[first], 0.0
    for k in range(first, last + 1):
        start = day.start[k]
        end = start + day.service[k]
        leaves = end + (day.rest[k] if k < last else 0)
        movement = None
        kg, litres = day.aboard_after(k)
        if k < last:
            here, there = day.place[k], day.place[k + 1]
            energy = float(travel.energy_wh[here][there])
            spent_wh += energy
            left = None if kind.range_wh is None else kind.range_wh - spent_wh
            seconds = day.travel_s(leaves, here, there)
            slot = leaves // HOUR_S if day.fleet.names_slot else 0
            movement = Movement("street", travel.distance_m[here][there], seconds, energy, left, slot)
        stops.append(
            Stop(
                place=instance.places[day.place[k]].id,
                arrival_s=arrival,
                service_start_s=start,
                service_end_s=end,
                departure_s=leaves,
                load=_handovers(day.loads[k], names),
                unload=_handovers(day.unloads[k], names),
                breaks=(Rest(end, leaves),) if leaves > end else (),
                load_kg=_clean(kg),
                load_l=_clean(litres),
                movement=movement,
            )
        )
        arrival = leaves + (movement.duration_s if movement is not None else 0)
    return stops


def _clean(amount: float) -> float:
    """Return a sum of decimals without the dust of binary arithmetic."""
    return max(0.0, round(amount, 6))


# --- Drones --------------------------------------------------------------------------------------------------------


def _sortie_route(drone: DroneDay, sortie: Sortie, number: int) -> Route:
    group, instance, flight = drone.group, drone.instance, sortie.flight
    column = group.columns[sortie.place]
    base, place = instance.places[group.base].id, instance.places[sortie.place].id
    battery = group.service.physics.battery_wh
    left = battery - flight.out_wh
    out = Movement(
        "flight",
        int(group.table.out_distance_m[group.row, column]),
        flight.arrival_s - flight.start_s,
        flight.out_wh,
        left,
    )
    back = Movement(
        "flight",
        int(group.table.back_distance_m[group.row, column]),
        flight.end_s - flight.leave_s,
        flight.back_wh,
        left - flight.back_wh,
    )
    down = _handovers(sortie.down, ["hold"])
    up = _handovers(sortie.up, ["hold"])
    down_load = (_clean(sum(task.kg for task in sortie.down)), _clean(sum(task.litres for task in sortie.down)))
    up_load = (_clean(sum(task.kg for task in sortie.up)), _clean(sum(task.litres for task in sortie.up)))
    start, end = flight.start_s, flight.end_s
    stops = (
        Stop(base, start, start, start, start, load=down, load_kg=down_load[0], load_l=down_load[1], movement=out),
        Stop(
            place,
            flight.arrival_s,
            flight.arrival_s,
            flight.leave_s,
            flight.leave_s,
            load=up,
            unload=down,
            load_kg=up_load[0],
            load_l=up_load[1],
            movement=back,
        ),
        Stop(base, end, end, end, end, unload=up),
    )
    return Route(
        id=f"{drone.drone_id}-{number + 1}",
        carrier=drone.drone_id,
        operator=group.operator,
        kind="drone",
        type=group.service.id,
        profile=group.service.id,
        base=base,
        stops=stops,
    )


# --- Buses ---------------------------------------------------------------------------------------------------------


def _bus_route(load: BusLoad) -> Route:
    trip = load.trip
    used = sorted({k for _, ride in load.entries for k in (ride.board_call, ride.alight_call)})
    stops: list[Stop] = []
    kg = litres = 0.0
    for position, k in enumerate(used):
        call = trip.calls[k]
        on = [task for task, ride in load.entries if ride.board_call == k]
        off = [task for task, ride in load.entries if ride.alight_call == k]
        kg += sum(task.kg for task in on) - sum(task.kg for task in off)
        litres += sum(task.litres for task in on) - sum(task.litres for task in off)
        ahead = trip.calls[used[position + 1]] if position + 1 < len(used) else None
        movement = None if ahead is None else Movement("bus", 0, ahead.arrival_s - call.departure_s, 0.0)
        stops.append(
            Stop(
                place=call.place_id,
                arrival_s=call.arrival_s,
                service_start_s=call.arrival_s,
                service_end_s=call.departure_s,
                departure_s=call.departure_s,
                load=_handovers(on, ["hold"]),
                unload=_handovers(off, ["hold"]),
                load_kg=_clean(kg),
                load_l=_clean(litres),
                bus_stop=call.bus_stop_id,
                call=call.sequence,
                movement=movement,
            )
        )
    return Route(
        id=trip.id,
        carrier=trip.id,
        operator=trip.operator,
        kind="bus",
        type=trip.line,
        profile="bus",
        base=stops[0].place,
        stops=tuple(stops),
    )
