"""From sequences of nodes to a timed plan."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from routing.model.carrier import Vehicle
from routing.model.plan import Handover, Movement, Plan, Route, Stop
from routing.solver.pairs.compile import Compiled


def make_plan(compiled: Compiled, rounds: Sequence[Sequence[int]]) -> Plan:
    """Return the plan of one sequence of nodes a slot (the base first and last); the others stay unassigned.

    Every round starts as late as it can without ending later, then serves each stop as early as it can.
    """
    routes = [
        _route(compiled, vehicle, [int(node) for node in nodes], slot)
        for slot, (vehicle, nodes) in enumerate(zip(compiled.vehicles, rounds, strict=True))
        if len(nodes) > 2
    ]
    place = {carrier.id: k for k, carrier in enumerate(compiled.problem.carriers)}
    return Plan(routes=tuple(sorted(routes, key=lambda route: place[route.carrier])))


def _route(compiled: Compiled, vehicle: Vehicle, nodes: Sequence[int], slot: int) -> Route:
    kind = vehicle.type
    return Route(
        id=f"{vehicle.id}-1",
        carrier=vehicle.id,
        operator=vehicle.operator,
        kind=vehicle.kind,
        type=kind.id,
        profile=kind.profile,
        base=vehicle.base,
        stops=tuple(_stops(compiled, vehicle, nodes, int(compiled.day.group[slot]))),
    )


def _starts(compiled: Compiled, nodes: Sequence[int], group: int) -> list[int]:
    """Return the start of service at every node, the first one being when the vehicle leaves its base."""
    move, early, late = compiled.day.move_s[group], compiled.day.early_s, compiled.day.late_s
    times = [int(compiled.day.start_s[group])]
    for before, node in pairwise(nodes):
        times.append(int(max(times[-1] + move[before, node], early[node])))
    leave = times[-1]
    for node, before in pairwise(reversed(nodes)):
        leave = int(min(leave - move[before, node], late[before]))
    times[0] = leave
    for k, (before, node) in enumerate(pairwise(nodes), start=1):
        times[k] = int(max(times[k - 1] + move[before, node], early[node]))
    return times


def _stops(compiled: Compiled, vehicle: Vehicle, nodes: Sequence[int], group: int) -> list[Stop]:
    orders = compiled.problem.orders
    count = len(orders)
    matrix = compiled.problem.matrices[vehicle.travel]
    hold = vehicle.type.compartments[0].id
    starts = _starts(compiled, nodes, group)
    places = [vehicle.base, *(compiled.place_of(node) for node in nodes[1:-1]), vehicle.base]
    stops, arrival, aboard = [], starts[0], dict[str, tuple[float, float]]()
    for k, (node, place) in enumerate(zip(nodes, places, strict=True)):
        handover = (Handover(orders[node % count].id, hold),) if 0 < k < len(nodes) - 1 else ()
        loads = bool(handover) and node < count
        for given in handover:
            if loads:
                aboard[given.order] = orders[node].weight_kg, orders[node].volume_l
            else:
                del aboard[given.order]
        movement, end = None, starts[k]
        if k < len(nodes) - 1:
            i, j = matrix.index[place], matrix.index[places[k + 1]]
            duration = int(matrix.duration_s[i, j])
            end += int(compiled.day.move_s[group, node, nodes[k + 1]]) - duration
            movement = Movement("street", int(matrix.distance_m[i, j]), duration, float(matrix.energy_wh[i, j]))
        stops.append(
            Stop(
                place=place,
                arrival_s=arrival,
                service_start_s=starts[k],
                service_end_s=end,
                departure_s=end,
                load=handover if loads else (),
                unload=() if loads else handover,
                load_kg=round(sum(kg for kg, _ in aboard.values()), 6),
                load_l=round(sum(litres for _, litres in aboard.values()), 6),
                movement=movement,
            )
        )
        arrival = end + (movement.duration_s if movement is not None else 0)
    return stops
