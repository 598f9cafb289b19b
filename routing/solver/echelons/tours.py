"""Truck tours: hub, one or more stations, the same hub; and when the goods they bring may leave again.

All tours start when the truck's shift begins, since nothing is gained by waiting at the hub: costs do not fall with a
later start where stations open early, and goods released earlier serve every van that later goods serve.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from routing.solver.echelons.network import FAR_S, Fleet, Network

_MAX_STOPS = 3
"""Stations a tour of the search visits at most; fewer where that would make too many tours."""
_MAX_SEQUENCES = 60_000
"""Sequences looked at, over all fleets."""


@dataclass(frozen=True, slots=True)
class Tour:
    """A tour of one truck of a fleet: stations in order, when goods brought to each may leave, and its cost."""

    fleet: int
    stations: tuple[int, ...]
    release_s: tuple[int, ...]
    cost: float
    capacity_kg: float


@dataclass(frozen=True, eq=False)
class Tours:
    """Tours to choose from, and longer ones that only tell whether a bound holds; `exhaustive`: there are no others.

    The releases of the longer tours are those of the tours to choose from, rounded down: that makes them no worse.
    """

    chosen: tuple[Tour, ...]
    longer: tuple[Tour, ...]
    exhaustive: bool


def all_tours(network: Network) -> Tours:
    """Return the tours of all fleets that no other tour makes needless, cheapest first within a set of stations.

    A tour is needless where another one over the same stations is not dearer, carries as much and brings the goods to
    every station no later. Fleets with few trucks keep all their own tours, as the better one's trucks may run out.
    """
    stops = _stops_allowed(len(network.stations), len(network.trucks))
    by_set: dict[frozenset[int], list[Tour]] = {}
    for fleet in network.trucks:
        for tour in _tours_of(network, fleet, stops):
            by_set.setdefault(frozenset(tour.stations), []).append(tour)
    scarce = {fleet.index for fleet in network.trucks if len(fleet.ids) < network.orders}
    found = [tour for tours in by_set.values() for tour in _undominated(tours, scarce)]
    chosen = tuple(tour for tour in found if len(tour.stations) <= _MAX_STOPS)
    releases = station_releases(network, chosen)
    longer = tuple(_rounded_down(tour, releases) for tour in found if len(tour.stations) > _MAX_STOPS)
    return Tours(chosen, longer, stops == len(network.stations))


def station_releases(network: Network, tours: Iterable[Tour]) -> list[list[int]]:
    """Return by station when trucks can have goods ready there, ascending."""
    found: list[set[int]] = [set() for _ in network.stations]
    for tour in tours:
        for station, release in zip(tour.stations, tour.release_s, strict=True):
            found[station].add(release)
    return [sorted(releases) for releases in found]


def _rounded_down(tour: Tour, releases: Sequence[Sequence[int]]) -> Tour:
    earlier = (
        max((slot for slot in releases[station] if slot <= release), default=release)
        for station, release in zip(tour.stations, tour.release_s, strict=True)
    )
    return replace(tour, release_s=tuple(earlier))


def _stops_allowed(stations: int, fleets: int) -> int:
    """Return to how many stations tours can all be looked at."""
    allowed, total, more = 0, 0, fleets
    while allowed < stations:
        more *= stations - allowed
        total += more
        if allowed and total > _MAX_SEQUENCES:
            break
        allowed += 1
    return allowed


def _tours_of(network: Network, fleet: Fleet, stops: int) -> Iterator[Tour]:
    reached = [k for k in range(len(network.stations)) if fleet.duration_s[0, k + 1] < FAR_S]
    for count in range(1, stops + 1):
        for sequence in itertools.permutations(reached, count):
            tour = _tour(network, fleet, sequence)
            if tour is not None:
                yield tour


def stop_times(network: Network, fleet: Fleet, sequence: Sequence[int]) -> tuple[tuple[int, ...], int] | None:
    """Return the start of service at each station and the return to the hub; None where the tour cannot be driven."""
    now, here, starts = fleet.type.shift_start_s, 0, []
    for station in sequence:
        place = network.problem.place_by_id[network.stations[station]]
        now = max(now + int(fleet.duration_s[here, station + 1]), place.opens_s)
        if now > place.closes_s:
            return None
        starts.append(now)
        now, here = now + fleet.type.stop_s, station + 1
    end = now + int(fleet.duration_s[here, 0])
    return (tuple(starts), end) if end <= fleet.type.shift_end_s else None


def _tour(network: Network, fleet: Fleet, sequence: tuple[int, ...]) -> Tour | None:
    times = stop_times(network, fleet, sequence)
    if times is None:
        return None
    starts, end = times
    handling = [network.problem.place_by_id[network.stations[k]].handling_s for k in sequence]
    release = tuple(s + fleet.type.stop_s + h for s, h in zip(starts, handling, strict=True))
    way = [0, *(k + 1 for k in sequence), 0]
    travel_s = sum(int(fleet.duration_s[a, b]) for a, b in itertools.pairwise(way))
    cost = sum(float(fleet.cost[a, b]) for a, b in itertools.pairwise(way)) + fleet.type.fixed_cost
    cost += (end - fleet.type.shift_start_s - travel_s) * fleet.cost_per_s
    return Tour(fleet.index, sequence, release, cost, fleet.capacity_kg)


def _undominated(tours: Sequence[Tour], scarce: set[int]) -> list[Tour]:
    kept: list[tuple[Tour, dict[int, int]]] = []
    for tour in sorted(tours, key=lambda tour: (tour.cost, tour.release_s)):
        brought = dict(zip(tour.stations, tour.release_s, strict=True))
        if not any(_makes_needless(other, at, tour, brought, scarce) for other, at in kept):
            kept.append((tour, brought))
    return [tour for tour, _ in kept]


def _makes_needless(
    other: Tour, other_release: dict[int, int], tour: Tour, release: dict[int, int], scarce: set[int]
) -> bool:
    """Return whether `other`, which is not dearer, does all that `tour` does."""
    if other.fleet != tour.fleet and other.fleet in scarce:
        return False
    return other.capacity_kg >= tour.capacity_kg and all(other_release[k] <= at for k, at in release.items())
