"""Which truck and bus take each customer's goods where rounds and tours are chosen: CP-SAT keeps loads and times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model

from routing.solver.cp_sat import new_solver, watch
from routing.solver.relay.arrays import (
    CLOSE,
    FAR,
    FROM,
    GONE,
    LOAD,
    OUT,
    READY,
    RIDE,
    ROUND,
    START,
    STOP,
    STOPS,
    TIME,
    TRIP,
    TRUCK,
    UNTIL,
    VISITS,
    Draft,
    Facts,
    empty_draft,
)
from routing.solver.relay.relaxation import Relaxed
from routing.solver.relay.rounds import Round

_GRAMS = 1_000
"""Loads become whole grams, rounded up."""
_MOST_CHOICES = 30_000
"""Choices of truck and ride over all customers at most."""
_DETERMINISTIC_TIME = 4.0
_Choice = tuple[int, int, int, int, cp_model.IntVar]
"""Customer, truck, in-stop, ride, and whether it is so."""


@dataclass(eq=False)
class _Model:
    """The CP-SAT model while it is being built."""

    facts: Facts
    relaxed: Relaxed
    cp: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    unload: dict[tuple[int, int], cp_model.IntVar] = field(default_factory=dict)
    """When each truck unloads at each of its stops."""
    choices: list[_Choice] = field(default_factory=list)


def seat(
    facts: Facts,
    relaxed: Relaxed,
    trucks: int,
    seed: int,
    limit_s: float | None,
    stopped: Callable[[], bool],
    *,
    partly: bool = False,
) -> Draft | None:
    """Return a plan in the making with just the rounds and tours chosen; None where none is found.

    With `partly` as much of the goods as possible goes aboard and the rest has a round but no truck. Loads and
    intervals of the draft are left to be computed. `limit_s` None bounds the work by deterministic time.
    """
    model = _Model(facts, relaxed)
    for truck in range(len(relaxed.tours)):
        _add_tour(model, truck)
    for found in relaxed.rounds:
        if not _add_round(model, found, partly=partly):
            return None
    _limit_loads(model)
    if partly:
        model.cp.maximize(sum(round(facts.customer[c, LOAD] * _GRAMS) * chosen for c, *_, chosen in model.choices))
    solver = new_solver(seed, _DETERMINISTIC_TIME, limit_s)
    with watch(solver, stopped):
        status = solver.solve(model.cp)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    chosen = [choice for choice in model.choices if solver.boolean_value(choice[4])]
    return _draft(model, trucks, chosen, {place: solver.value(time) for place, time in model.unload.items()})


def latest_departure(facts: Facts, found: Round) -> float:
    """Return when the courier must leave at the latest to keep all windows; its goods are not looked at."""
    late, after = float(FAR), 0
    for customer in reversed(found.customers):
        late = min(facts.customer[customer, CLOSE], late - facts.leg[TIME, found.out, customer + 1, after])
        after = customer + 1
    return float(late - facts.leg[TIME, found.out, 0, after])


def _add_tour(model: _Model, truck: int) -> None:
    """Let a truck go its tour, forward or backward; of equal trucks each is at its first stop after the one before."""
    facts, tours = model.facts, model.relaxed.tours
    start, stops = int(facts.truck[START]), tours[truck].stops
    forward = model.cp.new_bool_var("")
    for k, stop in enumerate(stops):
        soonest = start + int(facts.drive[TIME, 0, stop + 1])
        model.unload[truck, stop] = model.cp.new_int_var(soonest, FAR, "")
        if k > 0:
            before, now = model.unload[truck, stops[k - 1]], model.unload[truck, stop]
            there, back = (
                int(facts.drive[TIME, a + 1, b + 1]) for a, b in ((stops[k - 1], stop), (stop, stops[k - 1]))
            )
            model.cp.add(now >= before + there).only_enforce_if(forward)
            model.cp.add(before >= now + back).only_enforce_if(forward.negated())
    if truck > 0 and tours[truck - 1] == tours[truck]:
        model.cp.add(model.unload[truck - 1, stops[0]] <= model.unload[truck, stops[0]])


def _add_round(model: _Model, found: Round, *, partly: bool) -> bool:
    """Let each customer's goods take one truck and ride in time for the courier; False where that cannot be.

    With `partly` they may take none.
    """
    facts, cp = model.facts, model.cp
    latest = latest_departure(facts, found)
    leaves = cp.new_int_var(-FAR, int(latest), "")
    rides = list(_rides(model, found.out, latest))
    for customer in found.customers:
        choices = [(customer, *ride, cp.new_bool_var("")) for ride in rides]
        if (not choices and not partly) or len(model.choices) + len(choices) > _MOST_CHOICES:
            return False
        if partly:
            cp.add_at_most_one([choice[4] for choice in choices])
        else:
            cp.add_exactly_one([choice[4] for choice in choices])
        for _, truck, stop, ride, chosen in choices:
            since, until, ready, gone = facts.ride[ride, [FROM, UNTIL, READY, GONE]].astype(np.int64).tolist()
            cp.add_linear_constraint(model.unload[truck, stop], since, until).only_enforce_if(chosen)
            cp.add_linear_constraint(leaves, ready, gone).only_enforce_if(chosen)
        model.choices += choices
    return True


def _rides(model: _Model, out: int, latest: float) -> Iterator[tuple[int, int, int]]:
    """Yield truck, in-stop and ride for all goods that are at an out-stop early enough."""
    facts = model.facts
    for truck, stop in model.unload:
        pair = stop * len(facts.courier) + out
        for ride in range(facts.ride_first[pair], facts.ride_first[pair + 1]):
            if facts.ride[ride, READY] <= latest:
                yield truck, stop, ride


def _limit_loads(model: _Model) -> None:
    facts = model.facts
    grams = [math.ceil(load * _GRAMS - 1e-6) for load in facts.customer[:, LOAD].tolist()]
    by_truck: dict[int, list[cp_model.LinearExprT]] = {}
    by_trip: dict[int, list[cp_model.LinearExprT]] = {}
    for customer, truck, _, ride, chosen in model.choices:
        by_truck.setdefault(truck, []).append(grams[customer] * chosen)
        by_trip.setdefault(int(facts.ride[ride, TRIP]), []).append(grams[customer] * chosen)
    for aboard in by_truck.values():
        model.cp.add(sum(aboard) <= int(facts.truck[LOAD] * _GRAMS + 1e-6))
    for trip, aboard in by_trip.items():
        model.cp.add(sum(aboard) <= int(facts.trip_load[trip] * _GRAMS + 1e-6))


def _draft(model: _Model, trucks: int, chosen: Sequence[_Choice], unload: Mapping[tuple[int, int], int]) -> Draft:
    draft = empty_draft(model.facts, trucks)
    for number, found in enumerate(model.relaxed.rounds):
        draft.visit[number, : len(found.customers)] = found.customers
        draft.visit[number, VISITS], draft.visit[number, OUT] = len(found.customers), found.out
        draft.who[list(found.customers), ROUND] = number
    for truck, tour in enumerate(model.relaxed.tours):
        draft.tour[truck, : len(tour.stops)] = sorted(tour.stops, key=lambda stop: unload[truck, stop])
        draft.tour[truck, STOPS] = len(tour.stops)
    for customer, truck, stop, ride, _ in chosen:
        draft.who[customer, [TRUCK, STOP, RIDE]] = truck, stop, ride
    return draft
