"""The finished plan of a choice: every truck and van with its stops, times and loads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from routing.model.plan import Handover, Movement, Plan, Route, Stop
from routing.solver.echelons.columns import Round
from routing.solver.echelons.network import Fleet, Network
from routing.solver.echelons.tours import Tour, stop_times

_Halt = tuple[str, int, int, tuple[int, ...], tuple[int, ...]]
"""Place, start and end of service, orders loaded, orders unloaded."""


def make_plan(network: Network, rounds: Sequence[Round], tours: Sequence[Tour], packing: Mapping[int, int]) -> Plan:
    """Return the timed routes: trucks as early as they can, vans as late as they can.

    `packing` gives for every order of the rounds the index of the tour that brings it. Tours that bring nothing and
    stations where a tour unloads nothing are left out.
    """
    station_of = {order: network.vans[each.fleet].station for each in rounds for order in each.orders}
    routes: list[Route] = []
    used = [0] * len(network.trucks)
    for k, tour in enumerate(tours):
        brought = [order for order, at in packing.items() if at == k]
        if brought:
            fleet = network.trucks[tour.fleet]
            routes.append(_truck_route(network, fleet, fleet.ids[used[fleet.index]], tour, sorted(brought), station_of))
            used[fleet.index] += 1
    used = [0] * len(network.vans)
    for each in sorted(rounds, key=lambda each: (each.fleet, each.latest_s, each.orders)):
        fleet = network.vans[each.fleet]
        routes.append(_van_route(network, fleet, fleet.ids[used[fleet.index]], each))
        used[fleet.index] += 1
    rank = {carrier.id: k for k, carrier in enumerate(network.problem.carriers)}
    return Plan(routes=tuple(sorted(routes, key=lambda route: rank[route.carrier])))


def _truck_route(
    network: Network, fleet: Fleet, vehicle: str, tour: Tour, brought: list[int], station_of: Mapping[int, int]
) -> Route:
    stations, starts, end = _stations_served(network, fleet, tour, {station_of[order] for order in brought})
    begin = fleet.type.shift_start_s
    halts: list[_Halt] = [(fleet.base, begin, begin, tuple(brought), ())]
    for station, start in zip(stations, starts, strict=True):
        off = tuple(order for order in brought if station_of[order] == station)
        halts.append((network.stations[station], start, start + fleet.type.stop_s, (), off))
    halts.append((fleet.base, end, end, (), ()))
    return _route(network, fleet, vehicle, halts)


def _stations_served(
    network: Network, fleet: Fleet, tour: Tour, needed: set[int]
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Return stations, starts of service and end of a tour without the stations not needed, where that is no later."""
    whole = stop_times(network, fleet, tour.stations)
    if whole is None:
        msg = f"a tour from {fleet.base} cannot be driven"
        raise ValueError(msg)
    stations = tuple(k for k in tour.stations if k in needed)
    times = stop_times(network, fleet, stations)
    before = dict(zip(tour.stations, whole[0], strict=True))
    if times is None or any(start > before[k] for k, start in zip(stations, times[0], strict=True)):
        return tour.stations, *whole
    return stations, *times


def _van_route(network: Network, fleet: Fleet, vehicle: str, each: Round) -> Route:
    now, here = each.latest_s, 0
    halts: list[_Halt] = [(fleet.base, now, now, each.orders, ())]
    for order in each.orders:
        start = max(now + int(fleet.duration_s[here, order + 1]), int(network.opens_s[order]))
        now = start + int(network.service_s[order]) + fleet.type.stop_s
        here = order + 1
        halts.append((network.problem.orders[order].to_id, start, now, (), (order,)))
    end = now + int(fleet.duration_s[here, 0])
    halts.append((fleet.base, end, end, (), ()))
    return _route(network, fleet, vehicle, halts)


def _route(network: Network, fleet: Fleet, vehicle: str, halts: Sequence[_Halt]) -> Route:
    problem, kind = network.problem, fleet.type
    compartment = kind.compartments[0].id
    matrix = problem.matrices[problem.carrier_by_id[vehicle].travel]  # type: ignore[union-attr] # a vehicle
    stops: list[Stop] = []
    aboard: set[int] = set()
    arrival = halts[0][1]
    for position, (place, start, end, on, off) in enumerate(halts):
        aboard = (aboard | set(on)) - set(off)
        movement = None
        if position + 1 < len(halts):
            a, b = matrix.index[place], matrix.index[halts[position + 1][0]]
            movement = Movement(
                "street", int(matrix.distance_m[a, b]), int(matrix.duration_s[a, b]), float(matrix.energy_wh[a, b])
            )
        stops.append(
            Stop(
                place=place,
                arrival_s=arrival,
                service_start_s=start,
                service_end_s=end,
                departure_s=end,
                load=_handovers(network, on, compartment),
                unload=_handovers(network, off, compartment),
                load_kg=_total(problem.orders[order].weight_kg for order in sorted(aboard)),
                load_l=_total(problem.orders[order].volume_l for order in sorted(aboard)),
                movement=movement,
            )
        )
        arrival = end + (movement.duration_s if movement is not None else 0)
    return Route(
        id=f"{vehicle}-1",
        carrier=vehicle,
        operator=fleet.operator,
        kind=kind.kind,
        type=kind.id,
        profile=kind.profile,
        base=fleet.base,
        stops=tuple(stops),
    )


def _handovers(network: Network, orders: Iterable[int], compartment: str) -> tuple[Handover, ...]:
    return tuple(Handover(network.problem.orders[order].id, compartment) for order in orders)


def _total(amounts: Iterable[float]) -> float:
    """Return a sum of decimals without the dust of binary arithmetic."""
    return round(sum(amounts), 6)
