"""Per order the possible chains of rides: to the door, or by truck, bus, drone and courier over transfer sites."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import merge
from itertools import islice

import numpy as np
import numpy.typing as npt

from routing.solver.buses import admits
from routing.solver.instance import DroneGroup, Instance, Job
from routing.solver.reach import Reach
from routing.solver.sorties import fly_at
from routing.solver.tasks import Chain, Ride

MAX_CHAINS = 24
"""Chains kept per job. Twice as many as 12, and as many of three rides, leave medium counties 4 % cheaper after 45 s
(three runs of each: mean 20,618 and 21,411); on small ones nothing changes, on a large one 40 cost 1 % after 60 s."""
_DIRECT, _LONG, _PER_PATTERN = 4, 6, 3
"""Rides by road from door to door that are kept in any case; chains of three rides kept at most while few are asked
for; and chains of one sequence of kinds of carrier, so that the choice stays varied.

What a ride by road really costs hangs on who shares the round: estimates, made for a lone parcel, must not let
transfers crowd it out: a medium county was 14 % cheaper with such rides kept. Chains of three rides are many and
seldom the best.
"""
_NEAR_GROUPS = 6
"""Fleets (and drone groups) considered for reaching one place, cheapest first; fleets based at its ends always are."""
_PER_SEQUENCE = 2
"""Ways of one sequence of carrier types kept between a transfer site and the far end of a chain."""
_WORTH = 3.0
"""Chains estimated at more than this many times a direct ride, or its carrier's fixed cost more, are not looked at."""
_INNER_HOPS = 40
"""Rides considered between a transfer site and the next one of a chain, cheapest first."""
_PARTS_PER_SITE = 60
"""Ways kept between a transfer site and the far end of a chain, cheapest first."""
_SEQUENCE_CHAINS, _SKELETONS = 4, 80
"""Chains kept of one sequence of carrier types, and in all, between two places."""
MOST_RIDES = 3
_BUSES = ("bus", "bus")


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
    names: tuple[str, ...]
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
    _sorties: dict[tuple[int, int], float | None] = field(default_factory=dict)

    def chains(self, job: Job, keep: int = MAX_CHAINS) -> tuple[Chain, ...]:
        """Return the job's chains, cheapest estimate first; those its goods cannot take are left out."""
        possible = list(self._from_any(job.origins, job.destination))
        kept = list(islice((chain for chain in possible if chain.by_road and self._takes(chain, job)), _DIRECT))
        in_any_case = set(kept)
        long_left = _LONG if keep <= MAX_CHAINS else keep
        patterns: Counter[tuple[str, ...]] = Counter()
        for chain in possible:
            if len(kept) >= keep:
                break
            pattern, long = self._pattern(chain), len(chain.rides) == MOST_RIDES
            crowded = patterns[pattern] >= _PER_PATTERN or (long and long_left == 0)
            if chain not in in_any_case and not crowded and self._takes(chain, job):
                patterns[pattern] += 1
                long_left -= long
                kept.append(chain)
        return tuple(sorted(kept, key=_rank))

    def serving(self, instance: Instance) -> ChainFinder:
        """Return a finder for other jobs on the same places and carriers that shares all that is known already."""
        return replace(self, instance=instance)

    def reaches(self, origin: int, destination: int) -> bool:
        """Return whether any chain leads from one place to the other, whatever the goods."""
        return bool(self._between(origin, destination))

    def _from_any(self, origins: tuple[int, ...], destination: int) -> Iterator[Chain]:
        """Yield the chains from all origins, cheapest estimate first."""
        return merge(*(self._between(origin, destination) for origin in origins), key=_rank)

    def _between(self, origin: int, destination: int) -> tuple[Chain, ...]:
        pair = (origin, destination)
        if pair not in self._skeletons:
            self._skeletons[pair] = tuple(sorted(self._search(*pair), key=_rank))
        return self._skeletons[pair]

    def _pattern(self, chain: Chain) -> tuple[str, ...]:
        """Return the kinds of carrier of a chain; buses in a row count once."""
        kinds = [self._kind(ride) for ride in chain.rides]
        return tuple([kind for kind, before in zip(kinds, ["", *kinds], strict=False) if (kind, before) != _BUSES])

    def _kind(self, ride: Ride) -> str:
        return self.instance.fleets[ride.group].type.kind if ride.kind == "fleet" else ride.kind

    # --- Chains ----------------------------------------------------------------------------------------------------

    def _search(self, origin: int, destination: int) -> Iterator[Chain]:
        """Yield chains of up to three rides, each place visited once; of each sequence of carriers the cheapest."""
        if origin == destination:
            return
        direct = self._direct(origin, destination)
        yield from (Chain((hop.ride,), hop.estimate) for hop in direct)
        if self.instance.only_direct:
            return
        bound = min(
            (max(_WORTH * hop.estimate, hop.estimate + self._fixed(hop.ride)) for hop in direct), default=math.inf
        )
        yield from islice(self._varied(origin, destination, bound), _SKELETONS)

    def _varied(self, origin: int, destination: int, bound: float) -> Iterator[Chain]:
        """Yield chains with transfers, cheapest first and few of each sequence of carrier types."""
        inward = self._is_upward(origin, destination)
        handling = self.instance.problem.rates.handling_per_piece
        found = [
            (estimate + handling * len(part.hops), part, hop)
            for estimate, part, hop in self._transfers(origin, destination, bound)
        ]
        found.sort(key=lambda join: join[0])
        seen: dict[tuple[str, ...], int] = {}
        for estimate, part, hop in found:
            names = (hop.name, *part.names) if inward else (*part.names, hop.name)
            if seen.get(names, 0) < _SEQUENCE_CHAINS:
                seen[names] = seen.get(names, 0) + 1
                hops = (hop, *part.hops) if inward else (*part.hops, hop)
                yield Chain(tuple([hop.ride for hop in hops]), estimate)

    def _fixed(self, ride: Ride) -> float:
        if ride.kind == "fleet":
            return self.instance.fleets[ride.group].type.fixed_cost
        return self.instance.drone_groups[ride.group].service.fixed_cost if ride.kind == "drone" else 0.0

    def _is_upward(self, origin: int, destination: int) -> bool:
        places = self.instance.places
        return places[origin].level.depth > places[destination].level.depth

    def _transfers(self, origin: int, destination: int, bound: float) -> Iterator[tuple[float, _Part, _Hop]]:
        """Yield (estimate, part, hop) of chains with one or two transfers below `bound`.

        Many orders share their upper end (the hub), so the part of the chain at that end is built once; the hop is at
        the other end.
        """
        inward = self._is_upward(origin, destination)
        upper, lower = (destination, origin) if inward else (origin, destination)
        parts = self._parts(upper, inward=inward)
        for hop in self._hops_from(lower) if inward else self._hops_into(lower):
            for part in parts.get(hop.ride.destination if inward else hop.ride.origin, ()):
                estimate = part.estimate + hop.estimate
                if estimate > bound:
                    break
                if lower not in part.stops:
                    yield estimate, part, hop

    def _parts(self, place: int, *, inward: bool) -> dict[int, list[_Part]]:
        """Return by transfer site the ways of one or two hops between it and a place, few of each carrier sequence."""
        key = (place, inward)
        if key not in self._known_parts:
            single: dict[int, list[_Hop]] = {}
            for hop in self._hops_into(place) if inward else self._hops_from(place):
                site = hop.ride.origin if inward else hop.ride.destination
                if self._stores[site]:
                    single.setdefault(site, []).append(hop)
            sites = [site for site, stores in enumerate(self._stores) if stores and site != place]
            found = {site: self._parts_over(place, site, single, inward=inward) for site in sites}
            self._known_parts[key] = {site: parts for site, parts in found.items() if parts}
        return self._known_parts[key]

    def _parts_over(self, place: int, site: int, single: dict[int, list[_Hop]], *, inward: bool) -> list[_Part]:
        """Return the ways between a transfer site and a place, directly or over another transfer site."""
        parts = [_Part((hop,), (hop.name,), hop.estimate, (place, site)) for hop in single.get(site, ())]
        inner = [
            (stop, hop)
            for hop in (self._hops_from(site) if inward else self._hops_into(site))
            if (stop := hop.ride.destination if inward else hop.ride.origin) in single
        ]
        inner.sort(key=lambda step: step[1].estimate)
        for stop, hop in inner[:_INNER_HOPS]:
            for other in single[stop]:
                first, second = (hop, other) if inward else (other, hop)
                names = (first.name, second.name)
                parts.append(_Part((first, second), names, hop.estimate + other.estimate, (place, stop, site)))
        return _few_of_each(parts)

    @cached_property
    def _stores(self) -> tuple[bool, ...]:
        return tuple(any(kg > 0.0 for kg in place.store_kg.values()) for place in self.instance.places)

    # --- Hops ------------------------------------------------------------------------------------------------------

    def _direct(self, origin: int, destination: int) -> list[_Hop]:
        estimates = self._reach.between(origin, destination)
        ends = (origin, destination)
        found = self._fleet_hops(estimates, ends)
        at_ends = [hop for hop in found if self.instance.fleets[hop.ride.group].base in ends]
        if self.instance.only_direct:
            return at_ends
        elsewhere = (hop for hop in found if self.instance.fleets[hop.ride.group].base not in ends)
        return at_ends + list(islice(elsewhere, 2)) + self._by_air(*ends) + self._by_bus(*ends)

    def _fleet_hops(self, estimates: npt.NDArray[np.float64], ends: tuple[int, int]) -> list[_Hop]:
        """Return the fleets' rides between two places, cheapest first."""
        order = np.argsort(estimates, kind="stable")[: int(np.isfinite(estimates).sum())].tolist()
        return [self._fleet_hop(number, ends, float(estimates[number])) for number in order]

    def _fleet_hop(self, number: int, ends: tuple[int, int], estimate: float) -> _Hop:
        return _Hop(Ride("fleet", number, *ends), estimate, self.instance.fleets[number].type.id)

    def _by_air(self, origin: int, destination: int) -> list[_Hop]:
        hops = []
        for group in self.instance.drone_groups:
            if group.base in (origin, destination):
                estimate = self._sortie_estimate(group, destination if group.base == origin else origin)
                if estimate is not None:
                    hops.append(_Hop(Ride("drone", group.index, origin, destination), estimate, group.service.id))
        return hops

    def _sortie_estimate(self, group: DroneGroup, place: int) -> float | None:
        key = (group.index, place)
        if key not in self._sorties:
            self._sorties[key] = drone_estimate(self.instance, group, place)
        return self._sorties[key]

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

        estimates = self._reach.home[:, place]
        nearest = np.argsort(estimates, kind="stable")[:_NEAR_GROUPS].tolist()
        for number in nearest:
            if math.isfinite(estimates[number]):
                yield self._fleet_hop(number, ends(self.instance.fleets[number].base), float(estimates[number]))
        air = [
            _Hop(Ride("drone", group.index, *ends(group.base)), estimate, group.service.id)
            for group in self.instance.drone_groups
            if group.base != place and (estimate := self._sortie_estimate(group, place)) is not None
        ]
        yield from sorted(air, key=lambda hop: (hop.estimate, hop.ride.group))[:_NEAR_GROUPS]
        for pair in self._bus_pairs[inward].get(place, ()):
            yield from self._by_bus(*pair)
        yield from self._own_base_hops(place, inward=inward)

    def _own_base_hops(self, place: int, *, inward: bool) -> Iterator[_Hop]:
        """Hops of carriers based at the place itself, to (from) the transfer sites they reach."""
        fleets = self._fleets_at.get(place, [])
        groups = [group for group in self.instance.drone_groups if group.base == place]
        for other in self._transfer_sites if fleets or groups else ():
            if other == place:
                continue
            ends = (other, place) if inward else (place, other)
            for number in fleets:
                estimate = float(self._reach.home[number, other])
                if math.isfinite(estimate):
                    yield self._fleet_hop(number, ends, estimate)
            for group in groups:
                sortie = self._sortie_estimate(group, other)
                if sortie is not None:
                    yield _Hop(Ride("drone", group.index, *ends), sortie, group.service.id)

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self.instance)

    @cached_property
    def _fleets_at(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for fleet in self.instance.fleets:
            found.setdefault(fleet.base, []).append(fleet.index)
        return found

    @cached_property
    def _bus_pairs(self) -> tuple[dict[int, list[tuple[int, int]]], dict[int, list[tuple[int, int]]]]:
        """Pairs of places with a bus ride, by origin and by destination."""
        found: tuple[dict[int, list[tuple[int, int]]], dict[int, list[tuple[int, int]]]] = ({}, {})
        for pair in self.instance.rides:
            for end in (0, 1):
                found[end].setdefault(pair[end], []).append(pair)
        return found

    @cached_property
    def _transfer_sites(self) -> list[int]:
        sites = {fleet.base for fleet in self.instance.fleets} | {group.base for group in self.instance.drone_groups}
        for origin, destination in self.instance.rides:
            sites |= {origin, destination}
        return sorted(site for site in sites if self._stores[site])

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
    """Keep the cheapest parts of each sequence of carrier types, cheapest first."""
    parts.sort(key=lambda part: part.estimate)
    kept: list[_Part] = []
    seen: dict[tuple[str, ...], int] = {}
    for part in parts:
        if seen.get(part.names, 0) < _PER_SEQUENCE:
            seen[part.names] = seen.get(part.names, 0) + 1
            kept.append(part)
    return kept[:_PARTS_PER_SITE]


def _rank(chain: Chain) -> tuple[float, int]:
    return (chain.estimate, len(chain.rides))


class ChainBook(dict[int, tuple[Chain, ...]]):
    """The chains of every job by its index, found when first asked for: a large day must not wait for all of them."""

    def __init__(self, finder: ChainFinder, keep: int = MAX_CHAINS) -> None:
        super().__init__()
        self._finder, self._keep = finder, keep

    def __missing__(self, index: int) -> tuple[Chain, ...]:
        """Find the chains of a job."""
        self[index] = self._finder.chains(self._finder.instance.jobs[index], self._keep)
        return self[index]


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
