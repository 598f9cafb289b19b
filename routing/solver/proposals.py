"""Where an itinerary fits into a plan: its rides placed one after the other, each at its cheapest site."""

from __future__ import annotations

import math
from collections.abc import Sequence

from routing.solver.buses import best_seat
from routing.solver.carriers import KnownSites, Proposal, Site, carrier_of
from routing.solver.days_search import best_spot
from routing.solver.errands import Errand, Request
from routing.solver.instance import Job
from routing.solver.sorties import Perch, best_perch
from routing.solver.state import State
from routing.solver.tasks import Chain


def proposals(state: State, job: Job, chains: Sequence[Chain], limit: float = math.inf) -> list[Proposal]:
    """Return how a job could ride by each chain and window for less than `limit`, cheapest first."""
    known: KnownSites = {}
    found = [propose(state, job, chain, limit, window, known) for chain in chains for window in job.windows]
    return sorted(filter(None, found), key=lambda proposal: proposal.delta)


def propose(
    state: State,
    job: Job,
    chain: Chain,
    limit: float,
    window: tuple[int, int],
    known: KnownSites | None = None,
    *,
    fresh: bool = False,
) -> Proposal | None:
    """Return the chain with its rides placed one after the other at least cost, None where that fails.

    `known` remembers sites between calls for one job on an unchanged plan, as chains share rides. With `fresh`,
    rides by road begin rounds of their own.
    """
    known = {} if known is None else known
    errands = state.errands.of(job, chain, window)
    cost, ready = state.handling(job, len(errands)), job.release_s
    sites: list[Site] = []
    used: list[object] = []
    for errand in errands:
        if cost >= limit:
            return None
        earliest = ready + errand.handling_s
        site = _known_site(state, errand, earliest, used, limit - cost, known, fresh=fresh)
        if site is None:
            return None
        if sites:
            stay = (sites[-1].unload_start_s, earliest)
            if not state.storable(job, errand.ride.origin, errand.store, stay):
                return None
        sites.append(site)
        used.append(carrier_of(site))
        cost += site.delta
        ready = site.ready_s
    if not sites:
        return None
    if job.due_s is not None:
        cost += job.late_per_s * max(0, sites[-1].unload_start_s - job.due_s)
    return Proposal(chain, window, tuple(sites), cost) if cost < limit else None


def _known_site(
    state: State,
    errand: Errand,
    earliest_load_s: int,
    avoid: Sequence[object],
    limit: float,
    known: KnownSites,
    *,
    fresh: bool,
) -> Site | None:
    """Return the best site, looked up where the ride was placed before from the same time on."""
    key = (errand.number, earliest_load_s, errand.window)
    if key in known:
        site, tried_limit, tried_end_s = known[key]
        if site is not None and site.ready_s <= errand.latest_unload_end_s and carrier_of(site) not in avoid:
            return site if site.delta < limit else None
        if site is None and tried_limit >= limit and tried_end_s >= errand.latest_unload_end_s:
            return None
    site = _best_site(state, Request(errand, earliest_load_s, avoid), limit, fresh=fresh)
    known[key] = (site, limit, errand.latest_unload_end_s)
    return site


def _best_site(state: State, request: Request, limit: float, *, fresh: bool) -> Site | None:
    """Return the cheapest site for one ride below `limit`; `fresh` looks at new rounds only, on roads."""
    ride, by_road = request.errand.ride, request.errand.by_road
    if by_road is not None:
        return best_spot(state.days[ride.group], state.boards[ride.group], request, by_road, limit, fresh=fresh)
    if ride.kind == "bus":
        return best_seat(state.instance, state.buses, request, limit)
    best: Perch | None = None
    idle_seen = False
    for drone in state.drones[ride.group]:
        if drone in request.avoid or (idle_seen and not drone.sorties):
            continue
        idle_seen = idle_seen or not drone.sorties
        best = best_perch(drone, request, best.delta if best else limit) or best
    return best
