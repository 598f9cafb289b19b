"""Drone sorties: base, one place, base, at fixed times; out and back loads, hours by wind, batteries, turnarounds."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from routing.solver.errands import Request
from routing.solver.instance import DroneGroup, Instance
from routing.solver.tasks import Task


@dataclass(frozen=True, slots=True)
class Flight:
    """Times and energies of a sortie to a place when leaving at `start_s` with given loads."""

    start_s: int
    arrival_s: int
    leave_s: int
    end_s: int
    out_wh: float
    back_wh: float


@dataclass(frozen=True, slots=True, eq=False)
class Sortie:
    """One sortie: what it brings to the place (`down`) and what it takes back (`up`)."""

    place: int
    flight: Flight
    down: tuple[Task, ...]
    up: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Perch:
    """Where a leg goes in a drone's day: into sortie `joins` flown as `flight`, or a new one."""

    day: DroneDay
    joins: Sortie | None
    flight: Flight
    boxed: bool
    delta: float
    ready_s: int
    unload_start_s: int


class DroneDay:
    """The sorties of one drone over the day, in order of time. Sortie times are fixed once flown into the plan."""

    __slots__ = ("_tables", "cost", "drone_id", "group", "instance", "sorties")

    def __init__(self, instance: Instance, group: DroneGroup, drone_id: str) -> None:
        self.instance, self.group, self.drone_id = instance, group, drone_id
        self.sorties: list[Sortie] = []
        self.cost = 0.0

    def snapshot(self) -> Any:
        """Return the sorties."""
        return list(self.sorties), self.cost

    def restore(self, saved: Any) -> None:
        """Return to a snapshot and publish its times."""
        self.sorties, self.cost = saved
        for task in self.tasks():
            task.owner = self
        self.refresh()

    def clear(self) -> None:
        """Take everything off."""
        self.sorties = []

    def tasks(self) -> Iterator[Task]:
        """Yield every task of the day."""
        for sortie in self.sorties:
            yield from sortie.down
            yield from sortie.up

    def remove(self, tasks: Collection[Task]) -> None:
        """Take tasks off; a sortie left empty goes, the energy of others is taken anew."""
        kept: list[Sortie] = []
        for sortie in self.sorties:
            down = tuple(task for task in sortie.down if task not in tasks)
            up = tuple(task for task in sortie.up if task not in tasks)
            if len(down) + len(up) == len(sortie.down) + len(sortie.up):
                kept.append(sortie)
            elif down or up:
                flight = fly_at(self.group, sortie.place, sortie.flight.start_s, _kg(down), _kg(up))
                kept.append(replace(sortie, down=down, up=up, flight=flight or sortie.flight))
        self.sorties = kept
        for task in tasks:
            task.owner = None

    def refresh(self, *, reload: bool = True) -> bool:  # noqa: ARG002 # all of it is cheap
        """Publish times to the tasks and price the day. Sortie times are always feasible by construction."""
        service = self.group.service
        cost = service.fixed_cost if self.sorties else 0.0
        price = self.instance.problem.rates.electricity_per_kwh / 1000.0
        for sortie in self.sorties:
            flight = sortie.flight
            cost += service.cost_per_sortie + (flight.end_s - flight.start_s) / 3600.0 * service.cost_per_h
            cost += max(0.0, flight.out_wh + flight.back_wh) * price
            for task in sortie.down:
                _publish(task, flight.start_s, flight.start_s, flight.arrival_s, flight.leave_s)
                cost += _lateness(task, flight.arrival_s)
            for task in sortie.up:
                _publish(task, flight.arrival_s, flight.leave_s, flight.end_s, flight.end_s)
                cost += _lateness(task, flight.end_s)
        self.cost = cost
        return True

    def place_task(self, task: Task, perch: Perch) -> None:
        """Put a task on a sortie."""
        task.choose_compartment(0, perch.boxed)
        task.owner = self
        down, up = ((task,), ()) if task.origin == self.group.base else ((), (task,))
        if perch.joins is None:
            place = task.destination if down else task.origin
            self.sorties.append(Sortie(place, perch.flight, down, up))
            self.sorties.sort(key=lambda sortie: sortie.flight.start_s)
            return
        joined = replace(perch.joins, flight=perch.flight, down=(*perch.joins.down, *down), up=(*perch.joins.up, *up))
        self.sorties = [joined if sortie is perch.joins else sortie for sortie in self.sorties]


def _publish(task: Task, load_start: int, load_end: int, unload_start: int, unload_end: int) -> None:
    task.load_start_s, task.load_end_s = load_start, load_end
    task.unload_start_s, task.unload_end_s = unload_start, unload_end
    task.ready_s, task.latest_load_s = unload_end, load_start


def _lateness(task: Task, start_s: int) -> float:
    due_s = task.job.due_s
    if due_s is None or task.following is not None:
        return 0.0
    return task.job.late_per_s * max(0, start_s - due_s)


def _kg(tasks: tuple[Task, ...]) -> float:
    return sum(task.kg for task in tasks)


# --- Physics -------------------------------------------------------------------------------------------------------


def fly_at(group: DroneGroup, place: int, start_s: int, down_kg: float, up_kg: float) -> Flight | None:
    """Return the sortie leaving at `start_s`, None where wind, payload, battery or shift forbid it.

    Every hour the sortie touches must allow the flight, since wind is judged in every hour flown.
    """
    flights = group.hours(place)
    if flights is None or max(down_kg, up_kg) > flights.max_payload_kg + 1e-9:
        return None
    service, physics = group.service, group.service.physics
    hours, hour = len(flights.open), start_s // 3600
    if start_s < service.shift_start_s or not (0 <= hour < hours and flights.open[hour]):
        return None
    arrival = start_s + flights.out_s[hour]
    leave = arrival + physics.winch_s
    back_hour = leave // 3600
    if back_hour >= hours or not flights.open[back_hour]:
        return None
    end = leave + flights.back_s[back_hour]
    if end > service.shift_end_s or not all(flights.open[hour : end // 3600 + 1]):
        return None
    out_wh = energy_wh(flights.out_wh[hour], group.payload_kg, down_kg)
    back_wh = energy_wh(flights.back_wh[back_hour], group.payload_kg, up_kg)
    if out_wh + back_wh > physics.battery_wh * (1.0 - physics.reserve):
        return None
    return Flight(start_s, arrival, leave, end, out_wh, back_wh)


def energy_wh(by_class: Sequence[float], payload_kg: Sequence[float], kg: float) -> float:
    """Interpolate energy over the payload classes; infinite above the last class."""
    if kg > payload_kg[-1] + 1e-9:
        return math.inf
    k = min(bisect_right(payload_kg, kg), len(payload_kg) - 1)
    if k == 0 or payload_kg[k] == payload_kg[k - 1]:
        return by_class[k]
    share = (kg - payload_kg[k - 1]) / (payload_kg[k] - payload_kg[k - 1])
    return by_class[k - 1] + share * (by_class[k] - by_class[k - 1])


# --- Search --------------------------------------------------------------------------------------------------------


def best_perch(day: DroneDay, request: Request, limit: float) -> Perch | None:
    """Return the cheapest way for the drone to fly the leg: with a sortie to the place, that moved, or a new one."""
    group = day.group
    boxed = request.errand.job.product.cold and request.errand.job.product.box is not None
    best: Perch | None = None
    place = request.errand.ride.destination if request.errand.ride.origin == group.base else request.errand.ride.origin
    for sortie in day.sorties:
        if sortie.place == place:
            perch = _join(day, request, sortie, boxed)
            if perch is not None and perch.delta < (best.delta if best else limit):
                best = perch
    return best or _new_sortie(day, request, place, boxed, limit)


def _load_of(request: Request, boxed: bool) -> tuple[float, float]:
    job = request.errand.job
    return (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)


def _join(day: DroneDay, request: Request, sortie: Sortie, boxed: bool) -> Perch | None:
    group = day.group
    kg, litres = _load_of(request, boxed)
    goes_down = request.errand.ride.origin == group.base
    mates = sortie.down if goes_down else sortie.up
    barred = day.instance.incompatible.get(request.errand.job.product.id, frozenset())
    if sum(task.litres for task in mates) + litres > group.service.physics.volume_l + 1e-7:
        return None
    if any(task.job.product.id in barred for task in mates):
        return None
    down_kg, up_kg = _kg(sortie.down) + (kg if goes_down else 0.0), _kg(sortie.up) + (0.0 if goes_down else kg)
    flight = fly_at(group, sortie.place, sortie.flight.start_s, down_kg, up_kg)
    if flight is None or not _in_time(day.instance, request, sortie.place, flight, goes_down=goes_down):
        flight = _moved(day, request, sortie, down_kg, up_kg)
    if flight is None:
        return None
    price = day.instance.problem.rates.electricity_per_kwh / 1000.0
    extra_wh = flight.out_wh + flight.back_wh - sortie.flight.out_wh - sortie.flight.back_wh
    ready, start = (flight.leave_s, flight.arrival_s) if goes_down else (flight.end_s, flight.end_s)
    return Perch(day, sortie, flight, boxed, max(0.0, extra_wh * price), ready, start)


def _in_time(instance: Instance, request: Request, place: int, flight: Flight, *, goes_down: bool) -> bool:
    load, start, end = (
        (flight.start_s, flight.arrival_s, flight.leave_s)
        if goes_down
        else (flight.arrival_s, flight.end_s, flight.end_s)
    )
    return (
        load >= request.earliest_load_s
        and request.errand.window[0] <= start <= request.errand.window[1]
        and end <= request.errand.latest_unload_end_s
        and instance.opens_s[place] <= flight.arrival_s <= instance.closes_s[place]
    )


def _moved(day: DroneDay, request: Request, sortie: Sortie, down_kg: float, up_kg: float) -> Flight | None:
    """Return the sortie flown later, so that the leg reaches it, where everything aboard still holds."""
    earliest = _earliest_start(day, request, sortie.place)
    if earliest <= sortie.flight.start_s:
        return None
    flight = fly_at(day.group, sortie.place, earliest, down_kg, up_kg)
    goes_down = request.errand.ride.origin == day.group.base
    if flight is None or not _in_time(day.instance, request, sortie.place, flight, goes_down=goes_down):
        return None
    k = day.sorties.index(sortie)
    turnaround = day.group.service.physics.turnaround_s
    if k + 1 < len(day.sorties) and flight.end_s + turnaround > day.sorties[k + 1].flight.start_s:
        return None
    handling = day.instance.handling_s
    base, place = day.group.base, sortie.place
    holds = all(_task_holds(task, flight.arrival_s, flight.leave_s, handling[place]) for task in sortie.down)
    holds = holds and all(_task_holds(task, flight.end_s, flight.end_s, handling[base]) for task in sortie.up)
    return flight if holds else None


def _task_holds(task: Task, start_s: int, end_s: int, handling_s: int) -> bool:
    if task.following is None:
        return task.window[0] <= start_s <= task.window[1]
    return end_s + handling_s <= task.following.latest_load_s


def _earliest_start(day: DroneDay, request: Request, place: int) -> int:
    """Return the earliest departure that could suit the leg by its loading, its window and the place's hours."""
    group, instance = day.group, day.instance
    flights = group.hours(place)
    if flights is None:
        return group.service.shift_end_s
    out_s, back_s = flights.best_out_s, flights.best_back_s
    goes_down = request.errand.ride.origin == group.base
    wanted = request.errand.window[0] - out_s - (0 if goes_down else group.service.physics.winch_s + back_s)
    load = request.earliest_load_s - (0 if goes_down else out_s)
    return max(group.service.shift_start_s, load, wanted, instance.opens_s[place] - out_s)


def _new_sortie(day: DroneDay, request: Request, place: int, boxed: bool, limit: float) -> Perch | None:
    group = day.group
    kg, litres = _load_of(request, boxed)
    service = group.service
    if litres > service.physics.volume_l + 1e-7 or service.cost_per_sortie >= limit:
        return None
    goes_down = request.errand.ride.origin == group.base
    loads = (kg, 0.0) if goes_down else (0.0, kg)
    turnaround = service.physics.turnaround_s
    earliest = _earliest_start(day, request, place)
    for k in range(len(day.sorties) + 1):
        begin = max(earliest, day.sorties[k - 1].flight.end_s + turnaround if k else earliest)
        until = day.sorties[k].flight.start_s - turnaround if k < len(day.sorties) else service.shift_end_s
        flight = _first_flight(day, request, place, begin, until, loads)
        if flight is None:
            continue
        delta = service.cost_per_sortie + (0.0 if day.sorties else service.fixed_cost)
        delta += (flight.end_s - flight.start_s) / 3600.0 * service.cost_per_h
        delta += (flight.out_wh + flight.back_wh) * day.instance.problem.rates.electricity_per_kwh / 1000.0
        ready, start = (flight.leave_s, flight.arrival_s) if goes_down else (flight.end_s, flight.end_s)
        return Perch(day, None, flight, boxed, delta, ready, start) if delta < limit else None
    return None


def _first_flight(
    day: DroneDay, request: Request, place: int, begin: int, until: int, loads: tuple[float, float]
) -> Flight | None:
    """Return the first flight within [begin, until] that suits: at once, a little later, or at the next full hours."""
    goes_down = request.errand.ride.origin == day.group.base
    hours = range(begin // 3600 + 1, until // 3600 + 1)
    for start in [begin, begin + 60, begin + 300, *(hour * 3600 for hour in hours)]:
        flight = fly_at(day.group, place, start, *loads)
        if flight is None or flight.end_s > until:
            continue
        if _in_time(day.instance, request, place, flight, goes_down=goes_down):
            return flight
        if (flight.arrival_s if goes_down else flight.end_s) > request.errand.window[1]:
            return None
    return None
