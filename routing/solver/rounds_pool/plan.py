"""From days of nodes to the timed routes of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from routing.model.carrier import Vehicle
from routing.model.order import Order
from routing.model.plan import Handover, Movement, Plan, Route, Stop
from routing.solver.rounds_pool.figures import RoundsDay

Round = tuple[int, ...]
"""Clients of one round in order of service."""
Day = tuple[Round, ...]
"""The rounds of a vehicle in order of time."""
VehicleDays = tuple[Day, ...]
"""By vehicle, the rounds of its day in order of time."""


def make_plan(day: RoundsDay, days: VehicleDays) -> Plan:
    """Return the plan of the days, each round as late as it can begin without ending later."""
    place = {carrier.id: k for k, carrier in enumerate(day.problem.carriers)}
    routes = [
        route
        for vehicle, rounds in zip(day.vehicles, days, strict=True)
        if rounds
        for route in _routes(day, vehicle, rounds)
    ]
    return Plan(routes=tuple(sorted(routes, key=lambda route: (place[route.carrier], route.stops[0].departure_s))))


def _routes(day: RoundsDay, vehicle: Vehicle, rounds: Sequence[Round]) -> Iterator[Route]:
    free_s = vehicle.type.shift_start_s
    for number, clients in enumerate(rounds):
        stops = _stops(day, vehicle, clients, free_s)
        free_s = stops[-1].departure_s
        yield Route(
            id=f"{vehicle.id}-{number + 1}",
            carrier=vehicle.id,
            operator=vehicle.operator,
            kind=vehicle.kind,
            type=vehicle.type.id,
            profile=vehicle.type.profile,
            base=vehicle.base,
            stops=stops,
        )


def _stops(day: RoundsDay, vehicle: Vehicle, clients: Round, free_s: int) -> tuple[Stop, ...]:
    """Return the stops of one round of a vehicle that is free from `free_s` on."""
    visits = [list(alike) for _, alike in groupby(clients, key=lambda c: day.places[c])]
    f = day.figures
    begin = max([free_s, *(int(f.release[c]) for c in clients)])
    names = [vehicle.base, *(day.places[visit[0]] for visit in visits), vehicle.base]
    service = [0, *(vehicle.type.stop_s + sum(int(f.service[c]) for c in visit) for visit in visits), 0]
    early = [begin, *(int(f.early[visit[0]]) for visit in visits), 0]
    late = [vehicle.type.shift_end_s, *(int(f.late[visit[0]]) for visit in visits), vehicle.type.shift_end_s]
    ways = [_movement(day, vehicle, here, there) for here, there in pairwise(names)]
    starts = _squeezed(early, late, service, [way.duration_s for way in ways])
    part = vehicle.type.compartments[0].id
    orders = day.problem.orders
    brought = tuple(c for c in clients if day.delivers[c])
    taken = tuple(c for c in clients if not day.delivers[c])
    loads = [brought, *(tuple(c for c in visit if not day.delivers[c]) for visit in visits), ()]
    unloads = [(), *(tuple(c for c in visit if day.delivers[c]) for visit in visits), taken]
    stops, arrival, kg, litres = [], starts[0], 0.0, 0.0
    for k, name in enumerate(names):
        on, off = [orders[c] for c in loads[k]], [orders[c] for c in unloads[k]]
        kg += sum(order.weight_kg for order in on) - sum(order.weight_kg for order in off)
        litres += sum(order.volume_l for order in on) - sum(order.volume_l for order in off)
        leaves = starts[k] + service[k]
        stops.append(
            Stop(
                place=name,
                arrival_s=arrival,
                service_start_s=starts[k],
                service_end_s=leaves,
                departure_s=leaves,
                load=_handovers(on, part),
                unload=_handovers(off, part),
                load_kg=max(0.0, round(kg, 6)),
                load_l=max(0.0, round(litres, 6)),
                movement=ways[k] if k < len(ways) else None,
            )
        )
        arrival = leaves + (ways[k].duration_s if k < len(ways) else 0)
    return tuple(stops)


def _squeezed(early: Sequence[int], late: Sequence[int], service: Sequence[int], ways: Sequence[int]) -> list[int]:
    """Return service starts: the last as early as possible, all others as late as that allows (no needless waits)."""
    starts = [early[0]]
    for k, way in enumerate(ways):
        starts.append(max(early[k + 1], starts[k] + service[k] + way))
    for k in range(len(ways) - 1, -1, -1):
        starts[k] = min(late[k], starts[k + 1] - ways[k] - service[k])
    return starts


def _movement(day: RoundsDay, vehicle: Vehicle, here: str, there: str) -> Movement:
    matrix = day.problem.matrices[vehicle.travel]
    i, j = matrix.index[here], matrix.index[there]
    return Movement("street", int(matrix.distance_m[i, j]), int(matrix.duration_s[i, j]), float(matrix.energy_wh[i, j]))


def _handovers(orders: Sequence[Order], part: str) -> tuple[Handover, ...]:
    return tuple(Handover(order.id, part) for order in orders)
