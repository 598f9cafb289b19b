"""Cargo on bus trips: space by segment, fees; a bus is never moved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from routing.model.carrier import BusTrip
from routing.solver.errands import Request
from routing.solver.instance import BusRide, Instance, Job
from routing.solver.tasks import Task


@dataclass(frozen=True, slots=True)
class Seat:
    """A ride with room for a leg."""

    load: BusLoad
    ride: BusRide
    boxed: bool
    delta: float
    ready_s: int
    unload_start_s: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What of a trip is not to be had: by others' goods, or as its free space is left to others."""

    kg: Sequence[float]
    """By segment."""
    litres: Sequence[float]
    calls: Mapping[int, int]
    """Which call of a halt others use."""
    products: frozenset[str]
    """Classes of others' goods."""


class BusLoad:
    """What rides on one trip. Entries are (task, ride)."""

    __slots__ = ("_used", "cost", "entries", "filled", "instance", "number", "taken", "trip")

    def __init__(self, instance: Instance, number: int, taken: Taken | None = None) -> None:
        self.instance, self.number, self.trip = instance, number, instance.trips[number]
        nothing = [0.0] * len(self.trip.calls)
        self.taken = taken or Taken(nothing, nothing, {}, frozenset())
        self.clear()

    def clear(self) -> None:
        """Take everything off."""
        self.entries: list[tuple[Task, BusRide]] = []
        self.cost = 0.0
        self.filled = (list(self.taken.kg), list(self.taken.litres))
        """Kilograms and litres on every segment."""
        self._used: dict[int, int] = dict(self.taken.calls)
        """Which call of a halt is used."""

    def enter(self, task: Task, ride: BusRide) -> None:
        """Add a task: its space, its fee, its times, which never change while it rides."""
        self.entries.append((task, ride))
        for call in range(ride.board_call, ride.alight_call):
            self.filled[0][call] += task.kg
            self.filled[1][call] += task.litres
        for call in (ride.board_call, ride.alight_call):
            self._used[self.trip.calls[call].sequence] = call
        task.load_start_s, task.load_end_s = ride.ready_by_s, ride.departure_s
        task.unload_start_s, task.unload_end_s = ride.arrival_s, ride.ready_s
        task.ready_s, task.latest_load_s = ride.ready_s, ride.ready_by_s
        self.cost += self._price(task, ride)

    def _price(self, task: Task, ride: BusRide) -> float:
        fee, due_s = bus_fee(self.trip, task.job), task.job.due_s
        if task.following is not None or due_s is None:
            return fee
        return fee + task.job.late_per_s * max(0, ride.arrival_s - due_s)

    def snapshot(self) -> Any:
        """Return copies of the entries and their sums."""
        return list(self.entries), self.cost, tuple(list(row) for row in self.filled), dict(self._used)

    def restore(self, saved: Any) -> None:
        """Return to a snapshot."""
        self.entries, self.cost, self.filled, self._used = saved
        for task in self.tasks():
            task.owner = self

    def tasks(self) -> Iterator[Task]:
        """Yield every task aboard at some time."""
        for task, _ in self.entries:
            yield task

    def remove(self, tasks: Collection[Task]) -> None:
        """Take tasks off."""
        for task in tasks:
            self._remove(task)

    def _remove(self, task: Task) -> None:
        kept = [entry for entry in self.entries if entry[0] is not task]
        if not kept:
            self.clear()
        else:
            self._leave(task, next(ride for other, ride in self.entries if other is task))
            self.entries = kept
            ends = [(ride.board_call, ride.alight_call) for _, ride in kept]
            used = {self.trip.calls[call].sequence: call for pair in ends for call in pair}
            self._used = {**self.taken.calls, **used}
        task.owner = None

    def _leave(self, task: Task, ride: BusRide) -> None:
        """Take a task's space and price off the sums."""
        for call in range(ride.board_call, ride.alight_call):
            self.filled[0][call] -= task.kg
            self.filled[1][call] -= task.litres
        self.cost -= self._price(task, ride)

    def place_task(self, task: Task, seat: Seat) -> None:
        """Put a task on a ride."""
        task.choose_compartment(0, seat.boxed)
        task.owner = self
        self.enter(task, seat.ride)

    def refresh(self, *, reload: bool = True) -> bool:  # noqa: ARG002 # as other carriers have it
        """Do nothing: entering and leaving keep all figures up to date."""
        return True

    def has_room(self, request: Request, ride: BusRide, boxed: bool) -> bool:
        """Return whether the leg fits on every segment and sits beside nothing it may not."""
        job = request.errand.job
        kg, litres = (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)
        barred = self.instance.incompatible.get(job.product.id)
        if barred and (
            not barred.isdisjoint(self.taken.products)
            or any(task.job.product.id in barred for task, other in self.entries if _overlaps(other, ride))
        ):
            return False
        span = slice(ride.board_call, ride.alight_call)
        return (
            max(self.filled[0][span]) + kg <= self.trip.max_kg + 1e-7
            and max(self.filled[1][span]) + litres <= self.trip.max_l + 1e-7
            and self._calls_agree(ride)
        )

    def holds(self) -> bool:
        """Return whether what is aboard has room on every segment, uses no halt for two places and rides together."""
        barred = self.instance.incompatible
        return (
            max(self.filled[0]) <= self.trip.max_kg + 1e-6
            and max(self.filled[1]) <= self.trip.max_l + 1e-6
            and all(self._calls_agree(ride) for _, ride in self.entries)
            and not any(
                other.job.product.id in barred.get(task.job.product.id, ()) and _overlaps(one, two)
                for (task, one), (other, two) in combinations(self.entries if barred else (), 2)
            )
        )

    def _calls_agree(self, ride: BusRide) -> bool:
        """Return whether no call would be used for two places at once, which a route's stops cannot show."""
        calls, used = self.trip.calls, self._used
        return all(used.get(calls[k].sequence, k) == k for k in (ride.board_call, ride.alight_call))


def _overlaps(one: BusRide, other: BusRide) -> bool:
    return one.board_call < other.alight_call and other.board_call < one.alight_call


def bus_fee(trip: BusTrip, job: Job) -> float:
    """Return what the trip charges for the job."""
    return trip.fee_per_kg * job.kg + trip.fee_per_piece * job.pieces


def admits(trip: BusTrip, job: Job) -> bool:
    """Return whether the trip takes goods like the job's at all: class, danger, piece weight and length, total."""
    if job.dangerous or not job.product.bus_allowed:
        return False
    if trip.product_classes and job.product.id not in trip.product_classes:
        return False
    boxed = job.product.cold and job.product.box is not None
    piece_kg = job.boxed_piece_kg if boxed else job.piece_kg
    kg, litres = (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)
    return (
        piece_kg <= trip.max_piece_kg + 1e-9
        and job.longest_cm <= trip.max_longest_cm + 1e-9
        and kg <= trip.max_kg + 1e-9
        and litres <= trip.max_l + 1e-9
    )


def best_seat(instance: Instance, loads: list[BusLoad], request: Request, limit: float) -> Seat | None:
    """Return the first ride with room that the goods reach in time; among equal departures the cheapest."""
    job = request.errand.job
    boxed = job.product.cold and job.product.box is not None
    for ride in instance.rides.get((request.errand.ride.origin, request.errand.ride.destination), ()):
        if ride.ready_by_s < request.earliest_load_s or not _suits(request, ride):
            continue
        load = loads[ride.trip]
        fee = bus_fee(load.trip, job)
        if fee >= limit or load in request.avoid or not admits(load.trip, job):
            continue
        if load.has_room(request, ride, boxed):
            return Seat(load, ride, boxed, fee, ride.ready_s, ride.arrival_s)
    return None


def _suits(request: Request, ride: BusRide) -> bool:
    return (
        request.errand.window[0] <= ride.arrival_s <= request.errand.window[1]
        and ride.ready_s <= request.errand.latest_unload_end_s
    )
