"""A finished plan taken up again as a plan in the making: to add orders, to explain what is missing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from routing.model.carrier import BusTrip, Drone, Vehicle
from routing.model.plan import Handover, Plan, Route
from routing.solver.day_loops import FAR_S
from routing.solver.instance import BusRide, Instance, Job
from routing.solver.sorties import Sortie, fly_at
from routing.solver.state import State
from routing.solver.tasks import Ride, Task


@dataclass(frozen=True, slots=True)
class _Halt:
    """Loading and unloading stop of one leg, by position on its route."""

    route: Route
    load_at: int
    unload_at: int
    handover: Handover


class _Roll:
    """Places, carriers and bus rides of an instance by what the plan calls them."""

    def __init__(self, state: State) -> None:
        instance = state.instance
        self.instance = instance
        self.place = {place.id: k for k, place in enumerate(instance.places)}
        self.fleet = {vehicle: fleet.index for fleet in instance.fleets for vehicle in fleet.ids}
        self.group = {drone: group.index for group in instance.drone_groups for drone in group.ids}
        self.day = {day.vehicle_id: day for fleet in state.days for day in fleet}
        self.drone = {drone.drone_id: drone for group in state.drones for drone in group}
        self.bus = {load.trip.id: load for load in state.buses}
        self.rides: dict[tuple[int, int, int], BusRide] = {
            (ride.trip, ride.board_call, ride.alight_call): ride for found in instance.rides.values() for ride in found
        }
        """By trip, call of boarding and call of alighting."""


def state_of(instance: Instance, plan: Plan) -> State:
    """Return the state whose carriers run the plan's routes; unserved jobs stay out.

    The instance must hold one job per order (compiled with ``bundle=False``) and every carrier of the plan.

    Raises
    ------
    KeyError
        If the plan names a carrier, place or order the instance lacks.
    """
    state = State(instance)
    jobs = {job.orders[0].id: job for job in instance.jobs}
    roll = _Roll(state)
    halts: dict[str, list[_Halt]] = {}
    for route in plan.routes:
        for halt in _halts(route):
            halts.setdefault(halt.handover.order, []).append(halt)
    tasks: dict[tuple[str, str, int], Task] = {}
    for order_id, found in halts.items():
        found.sort(key=lambda halt: halt.route.stops[halt.load_at].departure_s)
        chain = _chain_tasks(roll, jobs[order_id], found)
        state.adopt(jobs[order_id], chain)
        for task, halt in zip(chain, found, strict=True):
            tasks[order_id, halt.route.id, halt.load_at] = task
    for route in sorted(plan.routes, key=lambda route: route.stops[0].arrival_s):
        _run(roll, route, tasks)
    state.refresh_all()
    return state


def _halts(route: Route) -> list[_Halt]:
    found: list[_Halt] = []
    aboard: dict[str, int] = {}
    for at, stop in enumerate(route.stops):
        found += [_Halt(route, aboard.pop(handover.order), at, handover) for handover in stop.unload]
        for handover in stop.load:
            aboard[handover.order] = at
    return found


def _chain_tasks(roll: _Roll, job: Job, halts: list[_Halt]) -> tuple[Task, ...]:
    instance, index = roll.instance, roll.place
    tasks: list[Task] = []
    for position, halt in enumerate(halts):
        origin, target = (index[halt.route.stops[at].place] for at in (halt.load_at, halt.unload_at))
        ride = _ride(roll, halt.route, origin, target)
        window = _window(job, halt) if position + 1 == len(halts) else (0, FAR_S)
        task = Task(job, ride, instance.service_at(job, origin), instance.service_at(job, target), window)
        task.choose_compartment(_compartment(instance, ride, halt.handover), halt.handover.box is not None)
        tasks.append(task)
    for before, after in itertools.pairwise(tasks):
        before.following, after.previous = after, before
    return tuple(tasks)


def _window(job: Job, halt: _Halt) -> tuple[int, int]:
    stop = halt.route.stops[halt.unload_at]
    start = stop.arrival_s if halt.route.kind == "bus" else stop.service_start_s
    return next((window for window in job.windows if window[0] <= start <= window[1]), job.windows[0])


def _ride(roll: _Roll, route: Route, origin: int, target: int) -> Ride:
    if route.kind == "bus":
        return Ride("bus", -1, origin, target)
    if route.kind == "drone":
        return Ride("drone", roll.group[route.carrier], origin, target)
    return Ride("fleet", roll.fleet[route.carrier], origin, target)


def _compartment(instance: Instance, ride: Ride, handover: Handover) -> int:
    if ride.kind != "fleet":
        return 0
    names = [part.id for part in instance.fleets[ride.group].type.compartments]
    return names.index(handover.compartment)


def _run(roll: _Roll, route: Route, tasks: dict[tuple[str, str, int], Task]) -> None:
    carrier = roll.instance.problem.carrier_by_id[route.carrier]
    if isinstance(carrier, Vehicle):
        _drive(roll, route, tasks)
    elif isinstance(carrier, Drone):
        _fly(roll, route, tasks)
    else:
        _ride_along(roll, route, carrier, tasks)


def _drive(roll: _Roll, route: Route, tasks: dict[tuple[str, str, int], Task]) -> None:
    day = roll.day[route.carrier]
    aboard: dict[str, Task] = {}
    for at, stop in enumerate(route.stops):
        day.insert_stop(len(day.place), roll.place[stop.place], begins=at == 0)
        day.unloads[-1] = tuple(aboard.pop(handover.order) for handover in stop.unload)
        day.loads[-1] = tuple(tasks[handover.order, route.id, at] for handover in stop.load)
        for task in day.loads[-1]:
            task.owner = day
            aboard[task.job.orders[0].id] = task


def _fly(roll: _Roll, route: Route, tasks: dict[tuple[str, str, int], Task]) -> None:
    drone = roll.drone[route.carrier]
    down = tuple(tasks[handover.order, route.id, 0] for handover in route.stops[0].load)
    up = tuple(tasks[handover.order, route.id, 1] for handover in route.stops[1].load)
    place = roll.place[route.stops[1].place]
    kg = [sum(task.kg for task in side) for side in (down, up)]
    flight = fly_at(drone.group, place, route.stops[0].departure_s, *kg)
    if flight is None:
        msg = f"route {route.id} is no flight of its drone"
        raise KeyError(msg)
    drone.sorties.append(Sortie(place, flight, down, up))
    for task in (*down, *up):
        task.owner = drone


def _ride_along(roll: _Roll, route: Route, trip: BusTrip, tasks: dict[tuple[str, str, int], Task]) -> None:
    load = roll.bus[route.carrier]
    for halt in _halts(route):
        task = tasks[halt.handover.order, route.id, halt.load_at]
        calls = [
            next(
                k
                for k, call in enumerate(trip.calls)
                if call.sequence == route.stops[at].call and call.place_id == route.stops[at].place
            )
            for at in (halt.load_at, halt.unload_at)
        ]
        load.enter(task, roll.rides[load.number, calls[0], calls[1]])
        task.owner = load
