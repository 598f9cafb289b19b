"""For every served order the next best itinerary, and what it would cost more with all else left as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from routing.model.plan import Alternative, Plan
from routing.model.problem import Problem
from routing.solver.carriers import KnownSites, Proposal
from routing.solver.instance import Instance, Job, compile_instance
from routing.solver.itineraries import ChainFinder
from routing.solver.proposals import propose
from routing.solver.resume import state_of
from routing.solver.state import State
from routing.solver.tasks import Chain, Ride

_CHAINS = 12
"""Chains looked at per order."""
_TRIES = 3
"""Chains placed for a trial, the cheapest proposal first; what a placement really costs decides."""


def next_best(
    problem: Problem, plan: Plan, only: tuple[str, ...] = (), stop: Callable[[], bool] = lambda: False
) -> tuple[Alternative, ...]:
    """Return the next best itinerary of each served order that has one, in the order of the problem's orders.

    Each order alone is taken off its carriers and put on others, all other goods staying where they are; times may
    move within what they allow. Another seat on a bus of the same line, or another vehicle of the same type from the
    same base, is the same itinerary.

    Parameters
    ----------
    problem, plan
        The day and a plan that keeps every rule.
    only
        Kinds of carrier the plan was restricted to; empty means all.
    stop
        Asked before each order; once true, the rest is left out.
    """
    instance = compile_instance(problem, only, bundle=False)
    state, finder = state_of(instance, plan), ChainFinder(instance)
    found: list[Alternative] = []
    for job in instance.jobs:
        if stop():
            break
        if job.index in state.served and (other := _next_best(state, finder, job)) is not None:
            found.append(other)
    return tuple(found)


def _next_best(state: State, finder: ChainFinder, job: Job) -> Alternative | None:
    present, cost = tuple(task.ride for task in state.served[job.index]), state.cost()
    state.begin()
    best: Alternative | None = None
    if state.remove(job):
        for proposal in _proposals(state, finder, job, present):
            state.begin()
            if state.place(job, proposal):
                extra = state.cost() - cost
                if best is None or extra < best.extra_cost:
                    best = _described(state.instance, job, proposal.chain.rides, extra)
            state.rollback()
    state.rollback()
    return best


def _proposals(state: State, finder: ChainFinder, job: Job, present: tuple[Ride, ...]) -> list[Proposal]:
    """Return the cheapest proposals of other chains, one a chain."""
    known: KnownSites = {}
    found = [
        proposal
        for chain in finder.chains(job, _CHAINS)
        if chain.rides != present
        for proposal in _over_windows(state, job, chain, known)
    ]
    return sorted(found, key=lambda proposal: proposal.delta)[:_TRIES]


def _over_windows(state: State, job: Job, chain: Chain, known: KnownSites) -> Iterator[Proposal]:
    best: Proposal | None = None
    for window in job.windows:
        best = propose(state, job, chain, best.delta if best else float("inf"), window, known) or best
    if best is not None:
        yield best


def _described(instance: Instance, job: Job, rides: tuple[Ride, ...], extra_cost: float) -> Alternative:
    places = [rides[0].origin, *(ride.destination for ride in rides)]
    return Alternative(
        order=job.orders[0].id,
        carriers=tuple(_carrier(instance, ride) for ride in rides),
        places=tuple(instance.places[place].id for place in places),
        extra_cost=extra_cost,
    )


def _carrier(instance: Instance, ride: Ride) -> str:
    if ride.kind == "fleet":
        return instance.fleets[ride.group].type.id
    return instance.drone_groups[ride.group].service.id if ride.kind == "drone" else "bus"
