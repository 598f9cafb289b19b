"""A plan by choice instead of search: rounds and tours that would suffice without times, then trucks and buses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from routing.solver.relay import kernel
from routing.solver.relay.arrays import COST, LOAD, MAX_ROUND_STOPS, MAX_TOUR_STOPS, TIME, TRUCK, Draft, Facts, Floats
from routing.solver.relay.boarding import seat
from routing.solver.relay.day import RelayDay
from routing.solver.relay.relaxation import Relaxation, Relaxed, SolveLimits, relax
from routing.solver.relay.rounds import Round, least_legs
from routing.solver.stopping import Clock

_CHOICE_SHARE, _PACK_SHARE, _SEAT_SHARE, _BOUND_SHARE = 0.35, 0.1, 0.25, 0.1
"""Shares of the time limit at most for choosing, for undivided goods, for boarding, and for the bound where it needs a
choice of its own."""
_ROUNDING = 1e-4
"""Legs longer than the way over other doors by rounding alone lower the bound by no more than this share."""
_NODES = 200
"""Nodes of each choice where iterations are limited instead of time."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A plan in the making, None where none was found, and what plans cost at least, None where not known."""

    draft: Draft | None
    bound: float | None
    """What no plan costs less than."""
    floor: float | None
    """What no plan costs less than in which couriers pass no doors, as none of this engine's do."""


def choose(day: RelayDay, known: Draft, clock: Clock, seed: int) -> Chosen:
    """Return the cheapest plan without times made into one with times, where that can be, and a bound of all plans.

    The choice starts from the rounds and tours of a plan already known.
    """
    trucks = len(known.tour)
    least = least_legs(day.facts)
    programme = None if clock.finished() else relax(day, np.array([day.facts.leg[COST], least[TIME]]))
    relaxed = None if programme is None else programme.solve(_limits(clock, _CHOICE_SHARE), known)
    if programme is None or relaxed is None:
        return Chosen(None, None, None)
    draft = None
    if _short(relaxed) and len(relaxed.tours) <= trucks:
        draft = _seat(day, programme, relaxed, trucks, clock, seed)
    return Chosen(draft, _bound(day, relaxed, least, known, clock), relaxed.bound)


def _bound(day: RelayDay, relaxed: Relaxed, least: Floats, known: Draft, clock: Clock) -> float | None:
    """Return what no plan costs less than, couriers being free to pass other doors where that is shorter.

    None where goods could also leave a truck or a courier at an out-stop: such plans are not thought of.
    """
    if _out_stops_reached(day):
        return None
    shorter = 2.0 * len(day.facts.customer) * float((day.facts.leg - least)[COST].max(initial=0.0))
    if shorter <= _ROUNDING * relaxed.bound:
        return relaxed.bound - shorter
    programme = None if clock.finished() else relax(day, least)
    lower = None if programme is None else programme.solve(_limits(clock, _BOUND_SHARE), known)
    return None if lower is None else lower.bound


def _out_stops_reached(day: RelayDay) -> bool:
    """Return whether a truck can reach a courier's out-stop, or a courier another's."""
    carriers = [(day.hub, day.trucks[0]), *((group[0].base, group[0]) for group in day.couriers)]
    matrices = [(base, day.problem.matrices[vehicle.travel]) for base, vehicle in carriers]
    return any(
        stop != base and stop in matrix.index and matrix.reaches(base, stop)
        for base, matrix in matrices
        for stop in day.out_stops
    )


def _seat(day: RelayDay, programme: Relaxation, relaxed: Relaxed, trucks: int, clock: Clock, seed: int) -> Draft | None:
    """Return a plan with the rounds and tours chosen, or other rounds, or as much of them as can be."""

    def board(wanted: Relaxed, *, partly: bool = False) -> Draft | None:
        limit_s = _limits(clock, _SEAT_SHARE).seconds
        return seat(day.facts, wanted, trucks, seed, limit_s, clock.interrupted, partly=partly)

    draft = board(relaxed)
    if draft is None and not clock.finished():
        rounds = programme.pack(relaxed.tours, _limits(clock, _PACK_SHARE))
        if rounds is not None and _served(rounds) >= _served(relaxed.rounds):
            draft = board(replace(relaxed, rounds=rounds))
    if draft is None and not clock.finished():
        draft = board(relaxed, partly=True)
    if draft is not None:
        _complete(day.facts, draft, seed)
    return draft


def _served(rounds: Sequence[Round]) -> int:
    return sum(len(found.customers) for found in rounds)


def _complete(facts: Facts, draft: Draft, seed: int) -> None:
    """Compute loads, intervals and cost, and put in who has no truck yet, heavy goods first."""
    kernel.uncompiled("_refresh")(facts, draft)
    rng = np.array([seed % 2**31 + 1], dtype=np.uint64)
    for customer in np.argsort(-facts.customer[:, LOAD], kind="stable"):
        if draft.who[customer, TRUCK] < 0:
            kernel.uncompiled("put_in")(facts, draft, rng, int(customer))
    kernel.uncompiled("_refresh")(facts, draft)


def _short(relaxed: Relaxed) -> bool:
    return all(len(found.customers) <= MAX_ROUND_STOPS for found in relaxed.rounds) and all(
        len(tour.stops) <= MAX_TOUR_STOPS for tour in relaxed.tours
    )


def _limits(clock: Clock, share: float) -> SolveLimits:
    """Return the limits of a part of the work: a share of the time, or nodes where iterations are limited."""
    limit_s = clock.limits.time_limit_s
    if clock.deterministic or limit_s is None:
        return SolveLimits(None, _NODES, clock.interrupted)
    return SolveLimits(min(share * limit_s, clock.remaining_s), None, clock.interrupted)
