"""VROOM's plan mode: routes given in `steps` get their times, and every constraint they break is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.vroom.problem import VroomError, VroomProblem, comes
from api.vroom.request import BreakPart, VehiclePart, VehicleStep, VroomRequest
from routing.trips.fixed_times import GivenStop, choose_times, wait_over
from routing.visits import FAR_S, Trip, Visit, Window

Step = dict[str, Any]
Violation = dict[str, Any]
_TASKS = ("job", "pickup", "delivery")
_TIMED = ("lead_time", "delay")
_OPEN_S = 2**44
"""End of a window that never ends."""


@dataclass(frozen=True)
class _GivenRoute:
    """A vehicle's steps: each task's or break's number, in order, and the bounds given by hand for all steps."""

    vehicle: int
    visits: tuple[tuple[int, VehicleStep], ...]
    breaks: tuple[tuple[int, int, VehicleStep], ...]
    """Number of the break, of the visits before it, and its step."""
    start: VehicleStep
    end: VehicleStep


def timed_trips(request: VroomRequest, problem: VroomProblem) -> list[Trip]:
    """Return the routes given, with times that miss windows by as little as can be.

    A task the vehicle has no way to is left out, and so told as unassigned.

    Raises
    ------
    VroomError
        If the steps contradict the request, or no times keep what `service_at` and the like demand.
    """
    numbers = {(task.kind, task.spot.id): k for k, task in enumerate(problem.tasks)}
    routes = [
        _read(number, vehicle, numbers, problem) for number, vehicle in enumerate(request.vehicles) if vehicle.steps
    ]
    seen: set[int] = set()
    for route in routes:
        for number, _ in route.visits:
            if number in seen:
                task = problem.tasks[number]
                raise VroomError(2, f"{task.kind} {task.spot.id} stands in the steps more than once")
            seen.add(number)
    return [_timed(request.vehicles[route.vehicle], problem, route) for route in routes if route.visits or route.breaks]


def _read(
    number: int, vehicle: VehiclePart, numbers: Mapping[tuple[str, int], int], problem: VroomProblem
) -> _GivenRoute:
    own = problem.vehicles[number]
    visits: list[tuple[int, VehicleStep]] = []
    breaks: list[tuple[int, int, VehicleStep]] = []
    pauses = {pause.id: k for k, pause in enumerate(vehicle.breaks)}
    ends = {"start": VehicleStep(type="start"), "end": VehicleStep(type="end")}
    for position, step in enumerate(vehicle.steps):
        what = f"vehicle {vehicle.id}: its steps"
        if step.type in ends:
            if position != (0 if step.type == "start" else len(vehicle.steps) - 1):
                raise VroomError(2, f"{what} have a '{step.type}' in between")
            ends[step.type] = step
        elif step.type == "break":
            if step.id not in pauses or any(k == pauses[step.id] for k, _, _ in breaks):
                raise VroomError(2, f"{what} name the break {step.id}, which it has not or more than once")
            breaks.append((pauses[step.id], len(visits), step))
        else:
            task = numbers.get((step.type, -1 if step.id is None else step.id))
            if task is None:
                raise VroomError(2, f"{what} name the unknown {step.type} {step.id}")
            if comes(own.duration_s, own.start, problem.visits[task].location, own.end):
                visits.append((task, step))
    return _GivenRoute(number, tuple(visits), tuple(breaks), ends["start"], ends["end"])


def _timed(part: VehiclePart, problem: VroomProblem, route: _GivenRoute) -> Trip:
    stops = list(_stops(part, problem, route))
    try:
        times = choose_times(stops)
    except ValueError as error:
        raise VroomError(4, f"vehicle {part.id}: {error}") from None
    if times is None:
        raise VroomError(2, f"Infeasible route for vehicle {part.id}: its steps' service times cannot all hold")
    visits, pauses = [], []
    breaks, tasks = iter(route.breaks), iter(route.visits)
    here = problem.vehicles[route.vehicle].start
    for stop, time_s in zip(stops[1:-1], times[1:-1], strict=True):
        if stop.is_break:
            number, leg, _ = next(breaks)
            pauses.append((number, time_s, leg))
        else:
            task, _ = next(tasks)
            visit = problem.visits[task]
            visits.append((task, time_s + _setup_s(visit, route.vehicle, here)))
            here = visit.location
    return Trip(route.vehicle, times[0], times[-1], tuple(visits), tuple(pauses))


def _stops(part: VehiclePart, problem: VroomProblem, route: _GivenRoute) -> Iterator[GivenStop]:
    """Yield start, tasks and breaks, and end of a route, as stops whose times are sought."""
    own, shift = problem.vehicles[route.vehicle], part.time_window
    yield _bounded(GivenStop(() if shift is None else ((shift[0], _OPEN_S),)), route.start)
    here, breaks = own.start, list(route.breaks)
    for position in range(len(route.visits) + 1):
        while breaks and breaks[0][1] == position:
            pause = part.breaks[breaks[0][0]]
            yield _bounded(GivenStop(tuple(pause.time_windows), pause.service, is_break=True), breaks.pop(0)[2])
        if position < len(route.visits):
            task, step = route.visits[position]
            visit = problem.visits[task]
            action_s = _setup_s(visit, route.vehicle, here) + visit.service_s[route.vehicle]
            travel_s = _travel_s(part, problem, route.vehicle, here, visit.location)
            yield _bounded(GivenStop(visit.windows, action_s, travel_s), step)
            here = visit.location
    travel_s = _travel_s(part, problem, route.vehicle, here, own.end)
    yield _bounded(GivenStop(() if shift is None else ((0, shift[1]),), 0, travel_s), route.end)


def _setup_s(visit: Visit, vehicle: int, here: int | None) -> int:
    return 0 if here == visit.location else visit.setup_s[vehicle]


def _travel_s(part: VehiclePart, problem: VroomProblem, vehicle: int, here: int | None, there: int | None) -> int:
    if here is None or there is None or here == there:
        return 0
    travel_s = int(problem.vehicles[vehicle].duration_s[here, there])
    if travel_s >= FAR_S:
        raise VroomError(3, f"vehicle {part.id}: there is no way between two of its steps")
    return travel_s


def _bounded(stop: GivenStop, step: VehicleStep) -> GivenStop:
    """Return a stop with the bounds its step gives."""
    after = [t for t in (step.service_at, step.service_after) if t is not None]
    before = [t for t in (step.service_at, step.service_before) if t is not None]
    return replace(stop, not_before=max(after, default=stop.not_before), not_after=min(before, default=stop.not_after))


# --- What the routes break -------------------------------------------------------------------------------------------


def add_violations(answer: Step, request: VroomRequest, problem: VroomProblem, trips: Sequence[Trip]) -> None:
    """Tell of every constraint the routes of an answer break, at the step, the route and in the summary."""
    for route, trip in zip(answer["routes"], trips, strict=True):
        part = request.vehicles[trip.vehicle]
        _judge_steps(route["steps"], part, problem, trip)
        missing = len(trip.pauses) < len(part.breaks)
        route["violations"] = _joined(
            [*(found for step in route["steps"] for found in step["violations"]), *_causes({"missing_break": missing})]
        )
    answer["summary"]["violations"] = _joined(found for route in answer["routes"] for found in route["violations"])


def _causes(found: Mapping[str, bool]) -> list[Violation]:
    return [{"cause": cause} for cause, broken in found.items() if broken]


def _joined(violations: Iterable[Violation]) -> list[Violation]:
    """Return each cause once, with all its seconds."""
    found: dict[str, Violation] = {}
    for violation in violations:
        known = found.setdefault(violation["cause"], {"cause": violation["cause"]})
        if "duration" in violation:
            known["duration"] = known.get("duration", 0) + violation["duration"]
    return list(found.values())


def _judge_steps(steps: Sequence[Step], part: VehiclePart, problem: VroomProblem, trip: Trip) -> None:
    unpaired = _unpaired(problem, [number for number, _ in trip.visits])
    visits, breaks = iter(trip.visits), iter(trip.pauses)
    made = 0
    for step in steps:
        windows: Sequence[Window] = ()
        broken: dict[str, bool] = {}
        if step["type"] in _TASKS:
            number, _ = next(visits)
            task, made = problem.tasks[number], made + 1
            windows = task.spot.time_windows
            broken = {
                "skills": not task.skills <= set(part.skills),
                "max_tasks": part.max_tasks is not None and made > part.max_tasks,
                "precedence": number in unpaired,
            }
        elif step["type"] == "break":
            pause = part.breaks[next(breaks)[0]]
            windows, broken = pause.time_windows, {"max_load": _too_full(step, pause)}
        elif part.time_window is not None:
            begin, end = part.time_window
            windows = [(begin, _OPEN_S)] if step["type"] == "start" else [(0, end)]
        broken |= {
            "load": any(aboard > room for aboard, room in zip(step.get("load", []), part.capacity, strict=True)),
            "max_travel_time": part.max_travel_time is not None and step["duration"] > part.max_travel_time,
            "max_distance": part.max_distance is not None and step.get("distance", 0) > part.max_distance,
        }
        missed = zip(_TIMED, wait_over(step["arrival"] + step["waiting_time"], windows), strict=True)
        step["violations"] = [*({"cause": cause, "duration": s} for cause, s in missed if s), *_causes(broken)]


def _too_full(step: Step, pause: BreakPart) -> bool:
    limits = pause.max_load or []
    return any(aboard > most for aboard, most in zip(step.get("load", []), limits, strict=bool(limits)))


def _unpaired(problem: VroomProblem, order: Sequence[int]) -> set[int]:
    """Return the ends of shipments whose other end is not on the route, or in the wrong order."""
    position = {number: k for k, number in enumerate(order)}
    pairs = [(number, number + 1) for number, visit in enumerate(problem.visits) if visit.partner is not None]
    return {
        end
        for pickup, delivery in pairs
        if not position.get(pickup, len(order)) < position.get(delivery, -1)
        for end in (pickup, delivery)
        if end in position
    }
