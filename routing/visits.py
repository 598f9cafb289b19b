"""Single-trip vehicle routing: visits with windows, amounts and skills, vehicles with any start and end, breaks.

This is the problem dispatch systems pose when they know nothing of counties, buses or drones. It differs from
`routing.model.problem.Problem` in what a vehicle does: one trip, never back to its base to reload, open at either end.
`routing.trips` finds the routes: most priority first, then most visits, then least cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Window = tuple[int, int]
FAR_S = 4_000_000_000
"""Durations from here on mean that there is no way."""


@dataclass(frozen=True)
class Visit:
    """A stop to be made.

    Parameters
    ----------
    location
        Index into the matrices.
    windows
        Closed intervals for the start of setup and service, seconds; empty: any time.
    setup_s, service_s
        Seconds by vehicle number; setup only where the visit before is elsewhere.
    delivery, pickup
        Amounts brought from the start, and taken to the end; for the ends of a shipment only `pickup` of its pickup
        and `delivery` of its delivery count, and they ride between the two.
    vehicles
        Numbers of the vehicles that may make the visit.
    partner
        Index of the delivery, of a shipment's pickup; None for all others.
    """

    location: int
    windows: tuple[Window, ...]
    setup_s: tuple[int, ...]
    service_s: tuple[int, ...]
    delivery: tuple[int, ...]
    pickup: tuple[int, ...]
    vehicles: tuple[int, ...]
    priority: int = 0
    partner: int | None = None
    in_shipment: bool = False


@dataclass(frozen=True)
class Pause:
    """A break of a vehicle: it starts in one of the windows and lasts `service_s`.

    It is taken while no amount aboard exceeds `max_load`, where that is given.
    """

    windows: tuple[Window, ...]
    service_s: int
    max_load: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class TripVehicle:
    """A vehicle and what travel is for it; arrays of shape (locations, locations).

    `cost` is the cost of each arc, `start` and `end` are locations, None for open ends; `first` is a route to begin the
    search with.
    """

    start: int | None
    end: int | None
    window: Window
    capacity: tuple[int, ...]
    duration_s: IntArray
    cost: npt.NDArray[np.float64]
    distance_m: IntArray
    fixed_cost: float = 0.0
    task_cost_per_s: float = 0.0
    max_tasks: int | None = None
    max_travel_s: int | None = None
    max_distance_m: int | None = None
    pauses: tuple[Pause, ...] = ()
    first: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trip:
    """The route of one vehicle: visits with the start of their service after setup, breaks with start and place.

    The place of a break is the number of visits before it.
    """

    vehicle: int
    start_s: int
    end_s: int
    visits: tuple[tuple[int, int], ...]
    pauses: tuple[tuple[int, int, int], ...]


def loads_of(trip: Trip, visits: Sequence[Visit], size: int) -> list[tuple[int, ...]]:
    """Return what is aboard at the start and after each visit of a trip."""
    aboard = [sum(visits[k].delivery[dim] for k, _ in trip.visits if not visits[k].in_shipment) for dim in range(size)]
    found = [tuple(aboard)]
    for k, _ in trip.visits:
        aboard = [aboard[dim] + visits[k].pickup[dim] - visits[k].delivery[dim] for dim in range(size)]
        found.append(tuple(aboard))
    return found


def unassigned_of(trips: Iterable[Trip], visits: Sequence[Visit]) -> list[int]:
    """Return the visits in no trip."""
    made: Mapping[int, int] = {k: trip.vehicle for trip in trips for k, _ in trip.visits}
    return [k for k in range(len(visits)) if k not in made]
