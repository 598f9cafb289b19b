"""What can carry goods in a plan in the making, and where on it a leg may go."""

from __future__ import annotations

from dataclasses import dataclass

from routing.solver.buses import BusLoad, Seat
from routing.solver.days import Day
from routing.solver.days_search import Spot
from routing.solver.sorties import DroneDay, Perch
from routing.solver.tasks import Chain

Carrier = Day | DroneDay | BusLoad
Site = Spot | Perch | Seat
KnownSites = dict[tuple[int, int, tuple[int, int]], tuple[Site | None, float, int]]
"""Sites found for rides, by number, from a time on, with the limit and the deadline they were looked for under."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A chain with a spot for each of its rides and what it adds to the cost."""

    chain: Chain
    window: tuple[int, int]
    sites: tuple[Site, ...]
    delta: float


def carrier_of(site: Site) -> Carrier:
    """Return what a site is on."""
    return site.load if isinstance(site, Seat) else site.day
