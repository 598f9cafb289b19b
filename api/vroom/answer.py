"""Trips as VROOM answers them: steps with arrival, waiting, setup, service, cumulative travel and load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.vroom.problem import Coordinate, VroomProblem, comes
from api.vroom.request import VehiclePart, VroomRequest
from routing.visits import Trip, loads_of, unassigned_of

Geometry = Callable[[str, Sequence[Coordinate]], str]
"""Gives the encoded polyline of the way along coordinates, for a profile."""
Step = dict[str, Any]
Place = tuple[Coordinate | None, int | None]
"""Coordinates and index of a place, as far as the request gives them."""


@dataclass
class _Walk:
    """A trip walked through in time: the clock, and travel so far."""

    clock: int
    duration: int = 0
    distance: int = 0
    waiting: int = 0
    setup: int = 0
    service: int = 0
    cost: float = 0.0
    steps: list[Step] = field(default_factory=list)


def make_answer(
    request: VroomRequest, problem: VroomProblem, trips: Sequence[Trip], geometry: Geometry | None
) -> dict[str, Any]:
    """Return VROOM's answer without computing times: code 0, summary, unassigned, routes."""
    routes = [_route(request, problem, trip, geometry) for trip in trips]
    left = unassigned_of(trips, problem.visits)
    names = ("cost", "setup", "service", "duration", "waiting_time", "priority")
    summary: dict[str, Any] = {name: sum(route[name] for route in routes) for name in names}
    summary |= {"routes": len(routes), "unassigned": len(left), "violations": []}
    for name in ("delivery", "pickup", "amount") if problem.size else ():
        summary[name] = [sum(route[name][k] for route in routes) for k in range(problem.size)]
    if problem.has_distances:
        summary["distance"] = sum(route["distance"] for route in routes)
    unassigned = [_unassigned(problem, k, given=request.options.c) for k in left]
    return {"code": 0, "summary": summary, "unassigned": unassigned, "routes": routes}


def _described(step: Step, spot: Any) -> Step:
    """Add to a step what the request says of the spot."""
    if spot.location is not None:
        step["location"] = list(spot.location)
    if spot.location_index is not None:
        step["location_index"] = spot.location_index
    if spot.description is not None:
        step["description"] = spot.description
    return step


def _unassigned(problem: VroomProblem, number: int, *, given: bool) -> Step:
    task, visit = problem.tasks[number], problem.visits[number]
    reachable = {
        k
        for k, vehicle in enumerate(problem.vehicles)
        if comes(vehicle.duration_s, vehicle.start, visit.location, vehicle.end)
    }
    if not reachable:
        reason = "no vehicle can drive there from its start and on to its end"
    elif given:
        reason = "it stands in no vehicle's steps, or that vehicle cannot drive there"
    elif not visit.vehicles:
        reason = "no vehicle that can drive there has the skills"
    elif all(
        any(need > room for need, room in zip(task.amount, vehicle.capacity, strict=True))
        for vehicle in (problem.vehicles[k] for k in visit.vehicles)
    ):
        reason = "the amount exceeds the capacity of every vehicle allowed"
    else:
        reason = "no vehicle has time or room for it beside more valued tasks"
    return _described({"id": task.spot.id, "type": task.kind, "reason": reason}, task.spot)


def _route(request: VroomRequest, problem: VroomProblem, trip: Trip, geometry: Geometry | None) -> dict[str, Any]:
    part, vehicle = request.vehicles[trip.vehicle], problem.vehicles[trip.vehicle]
    loads = loads_of(trip, problem.visits, problem.size)
    pauses = [[(number, begin) for number, begin, leg in trip.pauses if leg == k] for k in range(len(trip.visits) + 1)]
    walk = _Walk(trip.start_s)
    spot = vehicle.start
    walk.steps.append(_end_step("start", walk, loads[0], _start_of(part, problem, trip), problem))
    for position, (number, service_start) in enumerate(trip.visits):
        visit, task = problem.visits[number], problem.tasks[number]
        setup = visit.setup_s[trip.vehicle] if spot != visit.location else 0
        due = service_start - setup
        _travel(walk, request, problem, trip, spot, visit.location, pauses[position], loads[position])
        step: Step = {"type": task.kind, "id": task.spot.id, "arrival": walk.clock, "duration": walk.duration}
        step["job"] = task.spot.id
        step |= {"setup": setup, "service": visit.service_s[trip.vehicle], "waiting_time": due - walk.clock}
        walk.waiting += due - walk.clock
        walk.setup += setup
        walk.service += visit.service_s[trip.vehicle]
        walk.cost += vehicle.task_cost_per_s * (setup + visit.service_s[trip.vehicle])
        walk.clock = service_start + visit.service_s[trip.vehicle]
        walk.steps.append(_finished(_described(step, task.spot), walk, loads[position + 1], problem))
        spot = visit.location
    _travel(walk, request, problem, trip, spot, vehicle.end, pauses[-1], loads[-1])
    walk.steps.append(_end_step("end", walk, loads[-1], _end_of(part, problem, trip), problem))
    return _totals(request, problem, trip, walk, geometry)


def _travel(
    walk: _Walk,
    request: VroomRequest,
    problem: VroomProblem,
    trip: Trip,
    here: int | None,
    there: int | None,
    pauses: list[tuple[int, int]],
    load: tuple[int, ...],
) -> None:
    """Travel from one spot to the next, with the breaks taken on the way."""
    vehicle, part = problem.vehicles[trip.vehicle], request.vehicles[trip.vehicle]
    left, metres = 0, 0
    if here is not None and there is not None and here != there:
        left, metres = int(vehicle.duration_s[here, there]), int(vehicle.distance_m[here, there])
        walk.cost += float(vehicle.cost[here, there])
    for number, begin in pauses:
        driven = min(left, begin - walk.clock)
        left -= driven
        walk.clock += driven
        walk.duration += driven
        pause = part.breaks[number]
        step: Step = {"type": "break", "id": pause.id, "arrival": walk.clock, "duration": walk.duration, "setup": 0}
        step |= {"service": pause.service, "waiting_time": begin - walk.clock}
        if pause.description is not None:
            step["description"] = pause.description
        walk.waiting += begin - walk.clock
        walk.service += pause.service
        walk.clock = begin + pause.service
        walk.steps.append(_finished(step, walk, load, problem))
    walk.clock += left
    walk.duration += left
    walk.distance += metres


def _finished(step: Step, walk: _Walk, load: tuple[int, ...], problem: VroomProblem) -> Step:
    step["violations"] = []
    if problem.size:
        step["load"] = list(load)
    if problem.has_distances:
        step["distance"] = walk.distance
    return step


def _start_of(part: VehiclePart, problem: VroomProblem, trip: Trip) -> Place:
    """Return where a route starts: at its first task where the vehicle starts nowhere, as in VROOM."""
    if part.start is not None or part.start_index is not None or not trip.visits:
        return part.start, part.start_index
    spot = problem.tasks[trip.visits[0][0]].spot
    return spot.location, spot.location_index


def _end_of(part: VehiclePart, problem: VroomProblem, trip: Trip) -> Place:
    """Return where a route ends: at its last task where the vehicle ends nowhere."""
    if part.end is not None or part.end_index is not None or not trip.visits:
        return part.end, part.end_index
    spot = problem.tasks[trip.visits[-1][0]].spot
    return spot.location, spot.location_index


def _end_step(kind: str, walk: _Walk, load: tuple[int, ...], place: Place, problem: VroomProblem) -> Step:
    step: Step = {"type": kind, "arrival": walk.clock, "duration": walk.duration}
    step |= {"setup": 0, "service": 0, "waiting_time": 0}
    location, index = place
    if location is not None:
        step["location"] = list(location)
    if index is not None:
        step["location_index"] = index
    return _finished(step, walk, load, problem)


def _totals(
    request: VroomRequest, problem: VroomProblem, trip: Trip, walk: _Walk, geometry: Geometry | None
) -> dict[str, Any]:
    part, vehicle = request.vehicles[trip.vehicle], problem.vehicles[trip.vehicle]
    made = [problem.visits[k] for k, _ in trip.visits]
    route: dict[str, Any] = {
        "vehicle": part.id,
        "cost": round(walk.cost + vehicle.fixed_cost),
        "setup": walk.setup,
        "service": walk.service,
        "duration": walk.duration,
        "waiting_time": walk.waiting,
        "priority": sum(v.priority for v in made),
        "steps": walk.steps,
        "violations": [],
    }
    if problem.size:
        delivery = [sum(visit.delivery[k] for visit in made) for k in range(problem.size)]
        pickup = [sum(visit.pickup[k] for visit in made) for k in range(problem.size)]
        route |= {"delivery": delivery, "pickup": pickup, "amount": delivery}
    if part.description is not None:
        route["description"] = part.description
    if problem.has_distances:
        route["distance"] = walk.distance
    if geometry is not None:
        spots = [vehicle.start, *(visit.location for visit in made), vehicle.end]
        places = [place for spot in spots if spot is not None and (place := problem.places[spot]) is not None]
        route["geometry"] = geometry(part.profile, places)
    return route
