"""Rides, chains and tasks: an order's possible itineraries and the legs placed on carriers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from routing.solver.day_loops import FAR_S
from routing.solver.instance import Job

RideKind = Literal["fleet", "drone", "bus"]


@dataclass(frozen=True, slots=True)
class Ride:
    """One leg before it is placed: a kind of carrier (fleet or drone group by index, or any bus) and its ends."""

    kind: RideKind
    group: int
    """Index of the fleet or drone group; -1 for buses."""
    origin: int
    destination: int


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One itinerary: rides in order, and an estimate of what it costs by itself."""

    rides: tuple[Ride, ...]
    estimate: float

    @property
    def by_road(self) -> bool:
        """Whether it is one ride of a vehicle or courier from door to door."""
        return len(self.rides) == 1 and self.rides[0].kind == "fleet"


class Owner(Protocol):
    """What carries a task and can be put back to an earlier state: a vehicle's day, a drone's day, a bus trip."""

    cost: float

    def snapshot(self) -> Any:
        """Return what `restore` needs."""

    def restore(self, saved: Any) -> None:
        """Return to the state of a snapshot."""

    def remove(self, tasks: Collection[Task]) -> None:
        """Take tasks off."""

    def refresh(self, *, reload: bool = True) -> bool:
        """Publish times and price the carrier's day; return whether it holds. `reload`: the loads changed too."""

    def tasks(self) -> Iterator[Task]:
        """Yield every task aboard at some time."""


@dataclass(slots=True, eq=False)
class Task:
    """One leg of a job on a carrier. The lower block is published by the owner whenever its times change.

    `ready_s` is when the goods are unloaded at the earliest; `latest_load_s` the latest service start of the loading
    (bus: by when the goods must be ready and handled). The four times after them are those of the current schedule.
    """

    job: Job
    ride: Ride
    load_service_s: float
    unload_service_s: float
    window: tuple[int, int]
    compartment: int = 0
    boxed: bool = False
    kg: float = 0.0
    litres: float = 0.0
    previous: Task | None = None
    following: Task | None = None
    owner: Owner | None = None
    ready_s: int = 0
    latest_load_s: int = FAR_S
    load_start_s: int = 0
    load_end_s: int = 0
    unload_start_s: int = 0
    unload_end_s: int = 0

    @property
    def origin(self) -> int:
        """Place index of loading."""
        return self.ride.origin

    @property
    def destination(self) -> int:
        """Place index of unloading."""
        return self.ride.destination

    def choose_compartment(self, compartment: int, boxed: bool) -> None:
        """Fix where the goods ride and what they weigh and fill there."""
        self.compartment, self.boxed = compartment, boxed
        self.kg = self.job.boxed_kg if boxed else self.job.kg
        self.litres = self.job.boxed_l if boxed else self.job.litres
