"""Per order the possible chains of rides: to the door, or by truck, bus, drone and courier over transfer sites."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from geodata.matrix import UNREACHABLE_S
from routing.solver.buses import admits, bus_fee
from routing.solver.instance import DroneGroup, Fleet, Instance, Job
from routing.solver.sorties import fly_at
from routing.solver.tasks import Chain, Ride

MAX_CHAINS = 12
"""Chains kept per job."""
_PER_PATTERN = 3
"""Of one sequence of carriers kinds at most this many chains are kept, so that the choice stays varied."""
_NEAR_GROUPS = 6
"""Fleets (and drone groups) considered for reaching one place, cheapest first; fleets based at its ends always are."""
_PER_SEQUENCE = 2
"""Ways of one sequence of carrier types kept between a transfer site and the far end of a chain."""
_WORTH = 3.0
"""Chains estimated at more than this many times the cheapest direct ride are not looked at."""
_SHARE = {"vehicle": 0.35, "courier": 0.8}
"""Share of a round trip's cost a single stop is expected to bear (assumed; it only ranks chains)."""


@dataclass(frozen=True, slots=True)
class _Hop:
    ride: Ride
    estimate: float
    name: str
    """Type of carrier, to tell sequences apart."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Hops in a row, their estimate and the places they touch so far."""

    hops: tuple[_Hop, ...]
    estimate: float
    stops: tuple[int, ...]


@dataclass(eq=False)
class ChainFinder:
    """Finds chains; hops between pairs of places are remembered, as many orders share them."""

    instance: Instance
    _onward: dict[int, tuple[_Hop, ...]] = field(default_factory=dict)
    _into: dict[int, tuple[_Hop, ...]] = field(default_factory=dict)
    _known_parts: dict[tuple[int, bool], dict[int, list[_Part]]] = field(default_factory=dict)
    _skeletons: dict[tuple[int, int], tuple[Chain, ...]] = field(default_factory=dict)

    def chains(self, job: Job, keep: int = MAX_CHAINS) -> tuple[Chain, ...]:
        """Return the job's chains, cheapest estimate first; those its goods cannot take are left out."""
        pair = (job.origin, job.destination)
        if pair not in self._skeletons:
            self._skeletons[pair] = tuple(sorted(self._search(*pair), key=_rank))
        kept: list[Chain] = []
        patterns: dict[tuple[str, ...], int] = {}
        for chain in self._skeletons[pair]:
            pattern = tuple(self._kind(ride) for ride in chain.rides)
            if patterns.get(pattern, 0) < _PER_PATTERN and self._takes(chain, job):
                patterns[pattern] = patterns.get(pattern, 0) + 1
                kept.append(chain)
                if len(kept) == keep:
                    break
        return tuple(kept)

    def all_chains(self, origin: int, destination: int) -> tuple[Chain, ...]:
        """Return every chain found between two places, whatever the goods."""
        return tuple(sorted(self._search(origin, destination), key=_rank))

    def _kind(self, ride: Ride) -> str:
        return self.instance.fleets[ride.group].type.kind if ride.kind == "fleet" else ride.kind

    # --- Hops ------------------------------------------------------------------------------------------------------

    def _search(self, origin: int, destination: int) -> Iterator[Chain]:
        """Yield chains of up to three rides, each place visited once; of each sequence of carriers the cheapest."""
        if origin == destination:
            return
        direct = self._direct(origin, destination)
        yield from (Chain((hop.ride,), hop.estimate) for hop in direct)
        if self.instance.only_direct:
            return
        bound = _WORTH * min((hop.estimate for hop in direct), default=math.inf)
        handling = self.instance.problem.rates.handling_per_piece
        for part in self._transfers(origin, destination):
            if part.estimate <= bound:
                rides = tuple([hop.ride for hop in part.hops])
                yield Chain(rides, part.estimate + handling * (len(rides) - 1))

    def _transfers(self, origin: int, destination: int) -> Iterator[_Part]:
        """Yield the hops of chains with one or two transfers.

        Many orders share their upper end (the hub), so the part of the chain at that end is built once.
        """
        depth = [self.instance.places[place].level.depth for place in (origin, destination)]
        if depth[0] <= depth[1]:
            heads = self._parts(origin, inward=False)
            for last in self._hops_into(destination):
                for head in heads.get(last.ride.origin, ()):
                    if destination not in head.stops:
                        yield _Part((*head.hops, last), head.estimate + last.estimate, head.stops)
        else:
            tails = self._parts(destination, inward=True)
            for first in self._hops_from(origin):
                for tail in tails.get(first.ride.destination, ()):
                    if origin not in tail.stops:
                        yield _Part((first, *tail.hops), tail.estimate + first.estimate, tail.stops)

    def _parts(self, place: int, *, inward: bool) -> dict[int, list[_Part]]:
        """Return by transfer site the ways of one or two hops between it and a place, few of each carrier sequence."""
        key = (place, inward)
        if key in self._known_parts:
            return self._known_parts[key]
        single: dict[int, list[_Hop]] = {}
        for hop in self._hops_into(place) if inward else self._hops_from(place):
            site = hop.ride.origin if inward else hop.ride.destination
            if self._can_store(site):
                single.setdefault(site, []).append(hop)
        found: dict[int, list[_Part]] = {}
        for site in range(len(self.instance.places)):
            if site == place or not self._can_store(site):
                continue
            parts = [_Part((hop,), hop.estimate, (place, site)) for hop in single.get(site, ())]
            for hop in self._hops_from(site) if inward else self._hops_into(site):
                stop = hop.ride.destination if inward else hop.ride.origin
                for other in single.get(stop, ()):
                    hops = (hop, other) if inward else (other, hop)
                    parts.append(_Part(hops, hop.estimate + other.estimate, (place, stop, site)))
            if parts:
                found[site] = _few_of_each(parts)
        self._known_parts[key] = found
        return found

    def _can_store(self, place: int) -> bool:
        return self._stores[place]

    @cached_property
    def _stores(self) -> tuple[bool, ...]:
        return tuple(any(kg > 0.0 for kg in place.store_kg.values()) for place in self.instance.places)

    def _direct(self, origin: int, destination: int) -> list[_Hop]:
        found = [
            _Hop(Ride("fleet", fleet.index, origin, destination), estimate, fleet.type.id)
            for fleet in self.instance.fleets
            if (estimate := fleet_estimate(fleet, origin, destination)) is not None
        ]
        found.sort(key=lambda hop: (hop.estimate, hop.ride.group))
        at_ends = [hop for hop in found if self.instance.fleets[hop.ride.group].base in (origin, destination)]
        elsewhere = [hop for hop in found if hop not in at_ends]
        if self.instance.only_direct:
            return at_ends
        return at_ends + elsewhere[:2] + self._by_air(origin, destination) + self._by_bus(origin, destination)

    def _by_air(self, origin: int, destination: int) -> list[_Hop]:
        hops = []
        for group in self.instance.drone_groups:
            if group.base in (origin, destination):
                estimate = drone_estimate(self.instance, group, destination if group.base == origin else origin)
                if estimate is not None:
                    hops.append(_Hop(Ride("drone", group.index, origin, destination), estimate, group.service.id))
        return hops

    def _by_bus(self, origin: int, destination: int) -> list[_Hop]:
        rides = self.instance.rides.get((origin, destination))
        if not rides:
            return []
        trips = [self.instance.trips[ride.trip] for ride in rides]
        return [
            _Hop(
                Ride("bus", -1, origin, destination), min(trip.fee_per_kg + trip.fee_per_piece for trip in trips), "bus"
            )
        ]

    def _hops_into(self, place: int) -> tuple[_Hop, ...]:
        """Hops that end at a place: from carriers' bases, from bus stops, and by its own carriers."""
        if place not in self._into:
            self._into[place] = tuple(self._hops(place, inward=True))
        return self._into[place]

    def _hops_from(self, place: int) -> tuple[_Hop, ...]:
        if place not in self._onward:
            self._onward[place] = tuple(self._hops(place, inward=False))
        return self._onward[place]

    def _hops(self, place: int, *, inward: bool) -> Iterator[_Hop]:
        def ends(other: int) -> tuple[int, int]:
            return (other, place) if inward else (place, other)

        hops: list[_Hop] = []
        for fleet in self.instance.fleets:
            if fleet.base == place:
                continue
            estimate = fleet_estimate(fleet, *ends(fleet.base))
            if estimate is not None:
                hops.append(_Hop(Ride("fleet", fleet.index, *ends(fleet.base)), estimate, fleet.type.id))
        hops.sort(key=lambda hop: (hop.estimate, hop.ride.group))
        yield from hops[:_NEAR_GROUPS]
        air = [
            _Hop(Ride("drone", group.index, *ends(group.base)), estimate, group.service.id)
            for group in self.instance.drone_groups
            if group.base != place and (estimate := drone_estimate(self.instance, group, place)) is not None
        ]
        yield from sorted(air, key=lambda hop: (hop.estimate, hop.ride.group))[:_NEAR_GROUPS]
        for origin, destination in self.instance.rides:
            if (destination if inward else origin) == place:
                yield from self._by_bus(origin, destination)
        yield from self._own_base_hops(place, inward=inward)

    def _own_base_hops(self, place: int, *, inward: bool) -> Iterator[_Hop]:
        """Hops of carriers based at the place itself, to (from) the transfer sites they reach."""
        for other in self._transfer_sites:
            if other == place:
                continue
            ends = (other, place) if inward else (place, other)
            for fleet in self.instance.fleets:
                if fleet.base == place:
                    estimate = fleet_estimate(fleet, *ends)
                    if estimate is not None:
                        yield _Hop(Ride("fleet", fleet.index, *ends), estimate, fleet.type.id)
            yield from (hop for hop in self._by_air(*ends) if self.instance.drone_groups[hop.ride.group].base == place)

    @cached_property
    def _transfer_sites(self) -> list[int]:
        sites = {fleet.base for fleet in self.instance.fleets} | {group.base for group in self.instance.drone_groups}
        for origin, destination in self.instance.rides:
            sites |= {origin, destination}
        return sorted(site for site in sites if self._can_store(site))

    # --- Goods -----------------------------------------------------------------------------------------------------

    def _takes(self, chain: Chain, job: Job) -> bool:
        last = len(chain.rides) - 1
        for k, ride in enumerate(chain.rides):
            if not ride_takes(self.instance, ride, job):
                return False
            if k < last and self.instance.store_of(job, ride.destination)[1] < job.kg:
                return False
        return True


def _few_of_each(parts: list[_Part]) -> list[_Part]:
    """Keep the cheapest parts of each sequence of carrier types."""
    parts.sort(key=lambda part: part.estimate)
    kept: list[_Part] = []
    seen: dict[tuple[str, ...], int] = {}
    for part in parts:
        names = tuple([hop.name for hop in part.hops])
        if seen.get(names, 0) < _PER_SEQUENCE:
            seen[names] = seen.get(names, 0) + 1
            kept.append(part)
    return kept


def _rank(chain: Chain) -> tuple[float, int, tuple[tuple[str, int, int, int], ...]]:
    rides = tuple((ride.kind, ride.group, ride.origin, ride.destination) for ride in chain.rides)
    return (chain.estimate, len(chain.rides), rides)


def ride_takes(instance: Instance, ride: Ride, job: Job) -> bool:
    """Return whether the goods may and can go on a ride at all: room, class, danger, payload."""
    if ride.kind == "fleet":
        fleet = instance.fleets[ride.group]
        return any(
            (job.boxed_kg if boxed else job.kg) <= fleet.type.compartments[part].kg
            and (job.boxed_l if boxed else job.litres) <= fleet.type.compartments[part].litres
            for part, boxed in fleet.fits[job.product.id]
        )
    boxed = job.product.cold and job.product.box is not None
    kg, litres = (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)
    if ride.kind == "drone":
        group = instance.drone_groups[ride.group]
        flights = group.hours(ride.destination if ride.origin == group.base else ride.origin)
        return (
            flights is not None
            and kg <= flights.max_payload_kg + 1e-9
            and litres <= group.service.physics.volume_l + 1e-9
        )
    rides = instance.rides[ride.origin, ride.destination]
    return any(admits(instance.trips[bus.trip], job) for bus in rides)


def job_estimate(instance: Instance, chain: Chain, job: Job) -> float:
    """Return the chain's estimate with what depends on the job: pieces and kilograms on buses, handling."""
    money = chain.estimate
    for ride in chain.rides:
        if ride.kind == "bus":
            trips = [instance.trips[bus.trip] for bus in instance.rides[ride.origin, ride.destination]]
            trip = trips[0]
            money += bus_fee(trip, job) - trip.fee_per_kg - trip.fee_per_piece
    extra_pieces = job.pieces - 1
    return money + instance.problem.rates.handling_per_piece * extra_pieces * (len(chain.rides) - 1)


def fleet_estimate(fleet: Fleet, origin: int, destination: int) -> float | None:
    """Return a share of the round trip's cost over both ends, None where there is no way."""
    duration, base = fleet.travel.duration_s, fleet.base
    way = [base, *(place for place in (origin, destination) if place != base), base]
    travel = sum(duration[a][b] for a, b in pairwise(way))
    shift = fleet.type.shift_end_s - fleet.type.shift_start_s
    if travel >= min(UNREACHABLE_S, shift, fleet.type.max_drive_s + 1):
        return None
    if fleet.type.range_wh is not None:
        energy = fleet.travel.energy_wh
        if sum(energy[a][b] for a, b in pairwise(way)) > fleet.type.range_wh:
            return None
    cost = sum(fleet.arc_cost[a][b] for a, b in pairwise(way))
    return cost * _SHARE[fleet.type.kind] + (len(way) - 2) * fleet.type.stop_s * fleet.cost_per_s


def drone_estimate(instance: Instance, group: DroneGroup, place: int) -> float | None:
    """Return the cost of a sortie to the place, None where no hour allows one."""
    flights = group.hours(place)
    if flights is None:
        return None
    for hour in [k for k, legal in enumerate(flights.open) if legal]:
        flight = fly_at(group, place, max(hour * 3600, group.service.shift_start_s), 0.0, 0.0)
        if flight is not None:
            price = instance.problem.rates.electricity_per_kwh / 1000.0
            time_money = (flight.end_s - flight.start_s) / 3600.0 * group.service.cost_per_h
            return group.service.cost_per_sortie + time_money + (flight.out_wh + flight.back_wh) * price
    return None
