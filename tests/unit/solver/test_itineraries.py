"""Unit tests of the lists of itineraries: how many, of which kinds, and that rides from door to door are among them."""

import pytest
from problems import county

from routing.solver.instance import Job, compile_instance
from routing.solver.itineraries import MAX_CHAINS, ChainFinder
from routing.solver.tasks import Chain

ALL, FEW, ROAD, LONG, ALIKE = 1_000, 12, 4, 6, 3
"""More than there are; rides by road kept in any case; chains of three rides, and of one kind, kept at most."""


def finder(seed: int) -> ChainFinder:
    """Return the finder of a county of many towns."""
    return ChainFinder(compile_instance(county(seed, towns=4, villages=14, groups=12, orders=60)))


def kinds(found: ChainFinder, chain: Chain) -> list[str]:
    """Return the kinds of carrier of a chain, buses in a row once."""
    names: list[str] = []
    for ride in chain.rides:
        name = found.instance.fleets[ride.group].type.kind if ride.kind == "fleet" else ride.kind
        if name != "bus" or not names or names[-1] != "bus":
            names.append(name)
    return names


def lists(found: ChainFinder, keep: int = MAX_CHAINS) -> list[tuple[Job, tuple[Chain, ...], tuple[Chain, ...]]]:
    """Return by job the list it gets and the longest there is."""
    return [(job, found.chains(job, keep), found.chains(job, ALL)) for job in found.instance.jobs]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_cheapest_rides_by_road_are_kept(seed: int) -> None:
    """Tests that transfers with lower estimates do not crowd out rides from door to door."""
    crowded = 0
    for _, kept, longest in lists(finder(seed), FEW):
        road = [chain for chain in longest if chain.by_road]
        assert [chain for chain in kept if chain.by_road][:ROAD] == road[:ROAD]
        crowded += bool(road) and road[0] not in longest[:FEW]
    assert crowded > 0, "no job here has enough cheaper transfers"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lists_are_short_varied_and_sorted(seed: int) -> None:
    """Tests the limits of the list: in all, of three rides, and of one sequence of kinds; cheapest estimate first."""
    found = finder(seed)
    for _, kept, _ in lists(found):
        assert len(kept) <= MAX_CHAINS
        assert len(set(kept)) == len(kept)
        assert [chain.estimate for chain in kept] == sorted(chain.estimate for chain in kept)
        assert sum(len(chain.rides) == 3 for chain in kept) <= LONG
        others = [tuple(kinds(found, chain)) for chain in kept if not chain.by_road]
        assert all(others.count(pattern) <= ALIKE for pattern in others)
