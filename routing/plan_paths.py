"""Draws a plan: street nodes and flight lines for every movement, exact flight energy, battery left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from geodata.area import Area
from geodata.errors import CheckFailedError
from geodata.flight import FlightCost, fly
from geodata.paths import StreetPath, find_paths
from geodata.travel_clock import TravelClock
from routing.builder import BuiltProblem
from routing.model.carrier import Drone, Vehicle
from routing.model.plan import Movement, Plan, Route, Stop

PathKey = tuple[str, str, str]


def attach_paths(plan: Plan, built: BuiltProblem, area: Area) -> Plan:
    """Return the plan with the geometry of every street and flight movement.

    Figures of street movements are those of the path itself, equal to the matrix entries the solver used, with the time
    stretched by the clock of the travel key where it has one. Flights get the energy of their exact payload, at most
    what the solver reckoned by interpolation.

    Raises
    ------
    CheckFailedError
        If the plan uses a way that does not exist: a bug in the solver.
    """
    streets = _street_paths(plan, built, area)
    routes = []
    for route in plan.routes:
        carrier = built.problem.carrier_by_id[route.carrier]
        if isinstance(carrier, Drone):
            routes.append(_draw_sortie(route, carrier, built, area))
        elif isinstance(carrier, Vehicle):
            clock = built.problem.clocks.get(carrier.travel)
            routes.append(_draw_round(route, carrier, streets, clock))
        else:
            routes.append(route)
    return replace(plan, routes=tuple(routes))


def _street_paths(plan: Plan, built: BuiltProblem, area: Area) -> dict[PathKey, StreetPath]:
    wanted: dict[str, dict[tuple[str, str], None]] = {}
    for route in plan.routes:
        carrier = built.problem.carrier_by_id[route.carrier]
        if isinstance(carrier, Vehicle):
            pairs = wanted.setdefault(carrier.travel, {})
            for here, there in zip(route.stops, route.stops[1:], strict=False):
                pairs[here.place, there.place] = None
    found: dict[PathKey, StreetPath] = {}
    for key, pairs in wanted.items():
        travel, index = built.travels[key], built.problem.matrices[key].index
        indices = [(index[a], index[b]) for a, b in pairs]
        paths = find_paths(area.streets, travel.costs, travel.snap, indices, travel.hierarchy)
        for (a, b), path in zip(pairs, paths, strict=True):
            if path is None:
                msg = f"the plan moves from {a} to {b} by {key}, but there is no way"
                raise CheckFailedError(msg)
            found[key, a, b] = path
    return found


def _draw_round(
    route: Route, vehicle: Vehicle, paths: Mapping[PathKey, StreetPath], clock: TravelClock | None
) -> Route:
    stops: list[Stop] = []
    left_wh = vehicle.type.range_wh
    for here, there in zip(route.stops, (*route.stops[1:], None), strict=True):
        if there is None or here.movement is None:
            stops.append(here)
            continue
        path = paths[vehicle.travel, here.place, there.place]
        left_wh = None if left_wh is None else round(left_wh - path.energy_wh, 3)
        leaves_s = here.departure_s
        arrives_s = leaves_s + path.duration_s if clock is None else clock.arrival_s(leaves_s, path.duration_s)
        movement = replace(
            here.movement,
            distance_m=path.distance_m,
            duration_s=arrives_s - leaves_s,
            energy_wh=round(path.energy_wh, 3),
            battery_left_wh=left_wh,
            nodes=path.nodes,
        )
        stops.append(replace(here, movement=movement))
    return replace(route, stops=tuple(stops))


def _draw_sortie(route: Route, drone: Drone, built: BuiltProblem, area: Area) -> Route:
    physics = drone.service.physics
    left_wh = physics.battery_wh
    stops: list[Stop] = []
    for position, stop in enumerate(route.stops):
        if stop.movement is None:
            stops.append(stop)
            continue
        path = built.flight_paths[physics.id].paths[stop.place, route.stops[position + 1].place]
        cost = fly(path.line, physics, stop.load_kg, area.weather, stop.departure_s, winch=position == 0)
        if not isinstance(cost, FlightCost):
            msg = f"route {route.id} flies where it may not: {cost.text}"
            raise CheckFailedError(msg)
        left_wh = round(left_wh - cost.energy_wh, 3)
        line = tuple((round(lon, 7), round(lat, 7), round(height, 2)) for lon, lat, height in path.line.tolist())
        movement = Movement(
            kind="flight",
            distance_m=cost.distance_m,
            duration_s=stop.movement.duration_s,
            energy_wh=round(cost.energy_wh, 3),
            battery_left_wh=left_wh,
            line=line,
        )
        stops.append(replace(stop, movement=movement))
    return replace(route, stops=tuple(stops))
