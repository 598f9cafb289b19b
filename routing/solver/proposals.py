"""Where an itinerary fits into a plan: its rides placed one after the other, each at its cheapest site."""

from __future__ import annotations

from collections.abc import Sequence

from routing.solver.buses import best_seat
from routing.solver.carriers import KnownSites, Proposal, Site, carrier_of
from routing.solver.day_loops import FAR_S
from routing.solver.days_search import best_new_round, best_spot, leg_of, own_round
from routing.solver.instance import Job
from routing.solver.sorties import best_perch
from routing.solver.state import State
from routing.solver.tasks import Chain, Request, Ride


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
    deadlines = _deadlines(state, job, chain, window)
    if deadlines is None:
        return None
    cost = state.handling(job, len(chain.rides))
    ready, last = job.release_s, len(chain.rides) - 1
    sites: list[Site] = []
    used: list[object] = []
    for k, ride in enumerate(chain.rides):
        request = Request(
            job=job,
            ride=ride,
            earliest_load_s=ready if k == 0 else ready + state.instance.handling_s[ride.origin],
            window=window if k == last else (0, FAR_S),
            latest_unload_end_s=deadlines[k],
            load_service_s=state.instance.service_at(job, ride.origin),
            unload_service_s=state.instance.service_at(job, ride.destination),
            avoid=tuple(used),
        )
        if cost >= limit:
            return None
        site = _known_site(state, request, limit - cost, known, fresh=fresh)
        if site is None or not _storable(state, job, request, sites, k):
            return None
        sites.append(site)
        used.append(carrier_of(site))
        cost += site.delta
        ready = site.ready_s
    if job.due_s is not None:
        cost += job.late_per_s * max(0, sites[-1].unload_start_s - job.due_s)
    return Proposal(chain, window, tuple(sites), cost) if cost < limit else None


def _deadlines(state: State, job: Job, chain: Chain, window: tuple[int, int]) -> list[int] | None:
    """Return by when each ride must have unloaded so that later rides can hold; None where some cannot."""
    deadlines = [FAR_S] * len(chain.rides)
    start_by = window[1]
    for k in range(len(chain.rides) - 1, 0, -1):
        ride = chain.rides[k]
        latest_load = _latest_load(state, ride, start_by)
        if latest_load is None:
            return None
        deadlines[k - 1] = latest_load - state.instance.handling_s[ride.origin]
        start_by = deadlines[k - 1]
    return deadlines if deadlines[0] >= job.release_s else None


def _latest_load(state: State, ride: Ride, start_by: int) -> int | None:
    """Return a bound on the latest loading for a ride whose unloading must start by `start_by`."""
    if ride.kind == "bus":
        fit = [
            bus.ready_by_s for bus in state.instance.rides[ride.origin, ride.destination] if bus.arrival_s <= start_by
        ]
        return max(fit) if fit else None
    if ride.kind == "drone":
        return min(start_by, state.instance.drone_groups[ride.group].service.shift_end_s)
    fleet = state.instance.fleets[ride.group]
    home = fleet.travel.duration_s[ride.destination][fleet.base]
    end = min(start_by, fleet.type.shift_end_s - home)
    return end - fleet.travel.duration_s[ride.origin][ride.destination]


def _known_site(state: State, request: Request, limit: float, known: KnownSites, *, fresh: bool) -> Site | None:
    """Return the best site, looked up where the ride was placed before from the same time on."""
    key = (request.ride, request.earliest_load_s, request.window)
    if key in known:
        site, tried_limit, tried_end_s = known[key]
        if site is not None and site.ready_s <= request.latest_unload_end_s and carrier_of(site) not in request.avoid:
            return site if site.delta < limit else None
        if site is None and tried_limit >= limit and tried_end_s >= request.latest_unload_end_s:
            return None
    site = best_site(state, request, limit, fresh=fresh)
    known[key] = (site, limit, request.latest_unload_end_s)
    return site


def best_site(state: State, request: Request, limit: float, *, fresh: bool = False) -> Site | None:
    """Return the cheapest site for one ride below `limit`; `fresh` looks at new rounds only, on roads."""
    ride = request.ride
    if ride.kind == "bus":
        return best_seat(state.instance, state.buses, request, limit)
    best: Site | None = None
    if ride.kind == "drone":
        idle_seen = False
        for drone in state.drones[ride.group]:
            if drone in request.avoid or (idle_seen and not drone.sorties):
                continue
            idle_seen = idle_seen or not drone.sorties
            best = best_perch(drone, request, best.delta if best else limit) or best
        return best
    fleet, idle_seen = state.instance.fleets[ride.group], False
    leg, own = leg_of(fleet, request), own_round(fleet, request)
    for day in state.days[ride.group]:
        if day in request.avoid or (idle_seen and not day.place):
            continue
        idle_seen = idle_seen or not day.place
        bound = best.delta if best else limit
        best = (best_spot(day, request, leg, bound) if day.place and not fresh else None) or best
        if own is not None and own.cost < (best.delta if best else limit):
            best = best_new_round(day, own, leg, best.delta if best else limit) or best
    return best


def _storable(state: State, job: Job, request: Request, sites: Sequence[Site], k: int) -> bool:
    """Return whether the store at the ride's origin takes the goods when they wait there between rides."""
    if k == 0:
        return True
    kind, room = state.instance.store_of(job, request.ride.origin)
    stay = (sites[-1].unload_start_s, request.earliest_load_s)
    return state.stored_kg(request.ride.origin, kind, stay) + job.boxed_kg <= room + 1e-6
