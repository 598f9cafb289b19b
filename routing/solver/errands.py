"""What the rides of an itinerary ask of carriers whatever the plan: worked out once by job, chain and window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, count, pairwise

from routing.solver.day_loops import FAR_S
from routing.solver.fleets import Fleet, FloatArray
from routing.solver.instance import Instance, Job
from routing.solver.site_loops import Own
from routing.solver.tasks import Chain, Ride

_ANY_TIME = (0, FAR_S)
_ANY_NUMBER = 1_000_000
"""Rounds a vehicle may make where nothing limits them."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadErrand:
    """What a ride asks of the days of a fleet."""

    fleet: Fleet
    fits: FloatArray
    """Compartments the goods may ride in, as `spot_loops.Leg.fits`."""
    parts: Sequence[tuple[int, bool]]
    """The same as (compartment, rides in a box)."""
    own: Own
    own_part: tuple[int, bool]
    """Compartment of a vehicle that makes a round for the ride alone, and whether the goods ride in a box there."""


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """One ride of an itinerary for a job."""

    job: Job
    ride: Ride
    number: int
    """Equal for equal rides."""
    window: tuple[int, int]
    """Bounds of the start of service at the unloading stop: the order's window at its destination, else anything."""
    latest_unload_end_s: int
    """By when the goods must be unloaded so that later rides can hold."""
    load_service_s: float
    unload_service_s: float
    handling_s: int
    """Seconds from the end of the ride before until the goods can be loaded."""
    store: tuple[str, float]
    """Kind and kilograms of the store they wait in before."""
    by_road: RoadErrand | None


@dataclass(slots=True)
class Request:
    """What a leg asks of a carrier in a plan."""

    errand: Errand
    earliest_load_s: int
    avoid: Sequence[object] = ()
    """Carriers the job already rides on: no second leg there."""


class Errands:
    """The errands of one instance, kept once worked out."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._known: dict[Job, dict[tuple[Chain, tuple[int, int]], tuple[Errand, ...]]] = {}
        self._numbers: dict[Ride, int] = {}
        self.book: object = None
        """What a search keeps of them in arrays."""
        self._count = count()  # not the number of entries: two threads might both take that

    def of(self, job: Job, chain: Chain, window: tuple[int, int]) -> tuple[Errand, ...]:
        """Return the errands of a chain's rides, the job unloaded in one of its windows; () where times forbid it."""
        known = self._known.setdefault(job, {})
        key = (chain, window)
        if key not in known:
            known[key] = self._work_out(job, chain, window)
        return known[key]

    def as_ridden(self, job: Job, rides: Sequence[Ride], window: tuple[int, int]) -> tuple[Errand, ...]:
        """Return the errands of rides a job has already, whether or not times allow for them."""
        last = len(rides) - 1
        return tuple(
            self._errand(job, ride, window if k == last else _ANY_TIME, FAR_S, first=k == 0)
            for k, ride in enumerate(rides)
        )

    def _work_out(self, job: Job, chain: Chain, window: tuple[int, int]) -> tuple[Errand, ...]:
        deadlines = _deadlines(self._instance, job, chain, window)
        if deadlines is None:
            return ()
        last = len(chain.rides) - 1
        return tuple(
            self._errand(job, ride, window if k == last else _ANY_TIME, deadlines[k], first=k == 0)
            for k, ride in enumerate(chain.rides)
        )

    def _errand(self, job: Job, ride: Ride, window: tuple[int, int], deadline_s: int, *, first: bool) -> Errand:
        instance = self._instance
        load_s = float(instance.service_at(job, ride.origin))
        unload_s = float(instance.service_at(job, ride.destination))
        return Errand(
            job=job,
            ride=ride,
            number=self._numbers.setdefault(ride, next(self._count)),
            window=window,
            latest_unload_end_s=deadline_s,
            load_service_s=load_s,
            unload_service_s=unload_s,
            handling_s=0 if first else instance.handling_s[ride.origin],
            store=instance.store_of(job, ride.origin),
            by_road=_by_road(instance.fleets[ride.group], job, ride, load_s + unload_s)
            if ride.kind == "fleet"
            else None,
        )


def _deadlines(instance: Instance, job: Job, chain: Chain, window: tuple[int, int]) -> list[int] | None:
    """Return by when each ride must have unloaded so that later rides can hold; None where some cannot."""
    deadlines = [FAR_S] * len(chain.rides)
    start_by = window[1]
    for k in range(len(chain.rides) - 1, 0, -1):
        ride = chain.rides[k]
        latest_load = _latest_load(instance, ride, start_by)
        if latest_load is None:
            return None
        deadlines[k - 1] = latest_load - instance.handling_s[ride.origin]
        start_by = deadlines[k - 1]
    return deadlines if deadlines[0] >= job.release_s else None


def _latest_load(instance: Instance, ride: Ride, start_by: int) -> int | None:
    """Return a bound on the latest loading for a ride whose unloading must start by `start_by`."""
    if ride.kind == "bus":
        fit = [bus.ready_by_s for bus in instance.rides[ride.origin, ride.destination] if bus.arrival_s <= start_by]
        return max(fit) if fit else None
    if ride.kind == "drone":
        return min(start_by, instance.drone_groups[ride.group].service.shift_end_s)
    fleet = instance.fleets[ride.group]
    home = fleet.travel.duration_s[ride.destination][fleet.base]
    end = min(start_by, fleet.type.shift_end_s - home)
    return end - fleet.travel.duration_s[ride.origin][ride.destination]


def _by_road(fleet: Fleet, job: Job, ride: Ride, service_s: float) -> RoadErrand:
    own, part = _own_round(fleet, job, ride, service_s)
    return RoadErrand(
        fleet=fleet,
        fits=fleet.fits_of(job.product.id, (job.kg, job.litres), (job.boxed_kg, job.boxed_l)),
        parts=fleet.fits[job.product.id],
        own=own,
        own_part=part,
    )


def _own_round(fleet: Fleet, job: Job, ride: Ride, service_s: float) -> tuple[Own, tuple[int, bool]]:
    """Return a round for the ride alone and its compartment; dear without end where nothing has room or range."""
    base, cost, duration = fleet.base, fleet.arc_cost, fleet.travel.duration_s
    way = [base, *(place for place in (ride.origin, ride.destination) if place != base), base]
    part, service_cost = _empty_room(fleet, job), float(service_s * fleet.cost_per_s)
    if part is None or (fleet.type.range_wh is not None and _peak_wh(fleet, way) > fleet.type.range_wh):
        return Own(math.inf, 0.0, service_cost, 0, 0), (0, False)
    legs = list(pairwise(way))
    money = sum([cost[a][b] for a, b in legs]) + (len(way) - 2) * fleet.type.stop_s * fleet.cost_per_s + service_cost
    driven_s = sum([duration[a][b] for a, b in legs])
    rounds = _ANY_NUMBER if fleet.type.max_rounds is None else fleet.type.max_rounds
    return Own(float(money), float(fleet.type.fixed_cost), service_cost, int(driven_s), rounds), part


def _peak_wh(fleet: Fleet, way: Sequence[int]) -> float:
    """Return the most energy a round has used at any stop; going down may give some back."""
    energy = fleet.travel.energy_wh
    return max(accumulate(energy[a][b] for a, b in pairwise(way)))


def _empty_room(fleet: Fleet, job: Job) -> tuple[int, bool] | None:
    for compartment, boxed in fleet.fits[job.product.id]:
        part = fleet.type.compartments[compartment]
        kg, litres = (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)
        if kg <= part.kg and litres <= part.litres:
            return compartment, boxed
    return None
