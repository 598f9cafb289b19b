"""A finished plan taken up again and bettered while most of it stays: only some orders may move."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from routing.model.order import Order
from routing.model.plan import Plan, Unassigned
from routing.model.problem import Problem
from routing.plan_io import derive_legs
from routing.solver.improvement import Moves, choose_removed, construction_orders, insert_jobs, put_back
from routing.solver.instance import BUNDLE_KG, BUNDLE_L, Instance, Job, compile_instance, make_job
from routing.solver.itineraries import ChainBook, ChainFinder
from routing.solver.reasons import explain_state
from routing.solver.resume import state_of
from routing.solver.settling import add_jobs, sound_plan
from routing.solver.state import State
from routing.solver.stopping import Clock, Limits

_START_TEMPERATURE, _END_TEMPERATURE = 0.15, 0.003
"""As shares of the mean cost of an order; the plan taken up is good already, so the search starts cool."""
_NEAR = 6
"""Jobs near an order that must move that are tried along with it, where any may move."""
_SPECULATION = (1.0, 1.0, 1.5, 4.0)
_FOCUS_SHARE, _FOCUS_DRAWS = 0.7, 12
"""Until that share of the effort is used, moves are drawn anew, so many times, until they touch what was disturbed."""
_FURTHER_STARTS, _START_SHARE = 2, 0.35
"""Further orders of insertion that are tried: so many where effort is counted, else until that share of it is used."""
_LAST_CHAINS = 40
"""Chains tried for orders still left out at the end."""


@dataclass(frozen=True, slots=True)
class Continued:
    """The plan found, why orders are left out, and the moves made."""

    plan: Plan
    unassigned: tuple[Unassigned, ...]
    iterations: int


def continue_plan(
    problem: Problem,
    plan: Plan,
    limits: Limits,
    seed: int,
    may_move: frozenset[str] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Continued:
    """Take a plan up, put in the orders it lacks, and better it as long as the limits allow.

    Parameters
    ----------
    plan
        Routes of carriers of the problem, each order whole or not at all; times may have ceased to hold.
    may_move
        Orders whose itinerary may change beside those the plan lacks and those that cannot stay; None: every order.

    Returns
    -------
    Continued
        Always a valid plan; orders that must leave it because times no longer hold are tried elsewhere first.
    """
    clock = Clock(limits, cancelled, None, len(problem.orders))
    single = compile_instance(problem, bundle=False)
    finder = ChainFinder(single)
    instance = replace(single, jobs=bundled_jobs(single, plan))
    moves = Moves(instance, ChainBook(finder.serving(instance)), random.Random(seed))  # noqa: S311 # not a secret
    state = state_of(instance, _of_first_orders(instance, plan))
    _drop_unsound(state)
    left = [job for job in instance.jobs if job.index not in state.served]
    _begin(state, moves, left, clock)
    _widen(state, moves, clock, finder)
    free = frozenset(job.index for job in left)
    movable = None
    if may_move is not None:
        chosen = [job for job in instance.jobs if not may_move.isdisjoint(order.id for order in job.orders)]
        movable = free | {job.index for job in chosen}
    _improve(state, moves, clock, movable, free)

    def late() -> bool:
        return clock.cancelled() or clock.overdue()

    found = sound_plan(state, moves.chains, late)
    if state.orders_served == len(problem.orders):
        return Continued(found, (), clock.iteration)
    state = state_of(single, found)
    left = [job for job in single.jobs if job.index not in state.served]
    found = add_jobs(state, found, left, ChainBook(finder, _LAST_CHAINS), late)
    reasons = explain_state(finder, state, clock.cancelled, clock.overdue)
    return Continued(found, reasons, clock.iteration)


def bundled_jobs(instance: Instance, plan: Plan) -> tuple[Job, ...]:
    """Return jobs of orders that are alike and travel alike in a plan; those the plan lacks are alike in that.

    Parameters
    ----------
    instance
        With one job per order.
    """
    legs = derive_legs(plan)
    packs: dict[tuple[object, ...], list[list[Order]]] = {}
    for job in instance.jobs:
        order = job.orders[0]
        way = tuple(
            (leg.route, leg.from_place, leg.to_place, leg.compartment, leg.box) for leg in legs.get(order.id, ())
        )
        kind = (order.from_id, order.to_id, order.product_class, order.release_s, order.windows, order.due_s)
        found = packs.setdefault((kind, order.dangerous, order.also_from, way), [])
        if found and _fits(found[-1], order):
            found[-1].append(order)
        else:
            found.append([order])
    index = {place.id: k for k, place in enumerate(instance.places)}
    together = [tuple(pack) for alike in packs.values() for pack in alike]
    return tuple(make_job(instance.problem, index, k, orders) for k, orders in enumerate(together))


def _fits(pack: Sequence[Order], order: Order) -> bool:
    return (
        sum(other.weight_kg for other in pack) + order.weight_kg <= BUNDLE_KG
        and sum(other.volume_l for other in pack) + order.volume_l <= BUNDLE_L
    )


def _of_first_orders(instance: Instance, plan: Plan) -> Plan:
    """Return the plan with the first order of each job standing for all of them."""
    first = {job.orders[0].id for job in instance.jobs}
    return Plan(
        tuple(
            replace(
                route,
                stops=tuple(
                    replace(
                        stop,
                        load=tuple(handover for handover in stop.load if handover.order in first),
                        unload=tuple(handover for handover in stop.unload if handover.order in first),
                    )
                    for stop in route.stops
                ),
            )
            for route in plan.routes
        )
    )


def _begin(state: State, moves: Moves, left: Sequence[Job], clock: Clock) -> None:
    """Put jobs in, in several orders as long as there is time; the state ends at the cheapest outcome."""
    if not left:
        return
    empty = state.image()
    wanted = {job.index for job in left}
    _insert(state, moves, left)
    best = (state.cost(), state.image())
    for k, order in enumerate(construction_orders(state.instance)):
        late = k >= _FURTHER_STARTS if clock.deterministic else clock.share_done() > _START_SHARE
        if late or clock.interrupted():
            break
        state.load(empty)
        insert_jobs(state, moves, [job for job in order if job.index in wanted])
        best = min(best, (state.cost(), state.image()), key=lambda found: found[0])
    state.load(best[1])


def _widen(state: State, moves: Moves, clock: Clock, finder: ChainFinder) -> None:
    """Give jobs that are still left out more chains, and try them again."""
    left = [job for job in state.instance.jobs if job.index not in state.served]
    wide = finder.serving(state.instance)
    for job in left:
        if clock.building_over():
            return
        moves.chains[job.index] = wide.chains(job, _LAST_CHAINS)
    if left:
        _insert(state, moves, left)


def _insert(state: State, moves: Moves, jobs: Sequence[Job]) -> None:
    """Put jobs in, the dearest to leave out first, then those with the earliest last window."""
    insert_jobs(
        state,
        moves,
        sorted(jobs, key=lambda job: (-job.unserved_cost, min(end for _, end in job.windows), job.index)),
    )


def _drop_unsound(state: State) -> None:
    """Take out the jobs whose times no longer hold, and cold ones that would be too warm."""
    while jobs := state.unsound_jobs() or state.warm_jobs():
        state.remove(*jobs)


def _improve(
    state: State, moves: Moves, clock: Clock, movable: frozenset[int] | None, disturbed: frozenset[int]
) -> None:
    """Run destroy and repair on movable jobs, first about the disturbed ones; the state ends at the best plan found."""
    if not state.instance.jobs or (movable is not None and not movable):
        return
    cost = best = state.cost()
    scale = cost / len(state.instance.jobs)
    state.begin()
    while not clock.finished():
        share = min(1.0, clock.share_done())
        temperature = scale * _START_TEMPERATURE * (_END_TEMPERATURE / _START_TEMPERATURE) ** share
        wanted = disturbed if share < _FOCUS_SHARE else frozenset()
        cost = _step(state, moves, _absent(state, moves, movable, wanted), temperature, cost)
        clock.iteration += 1
        if cost < best - 1e-6:
            best = cost
            state.commit()
            state.begin()
    state.rollback()


def _step(state: State, moves: Moves, absent: list[Job], temperature: float, cost: float) -> float:
    """Take some jobs out and put them back in; keep the change or not; return the cost afterwards."""
    state.begin()
    if not state.remove(*(job for job in absent if job.index in state.served)):
        state.rollback()
        return cost
    moves.random.shuffle(absent)
    return put_back(state, moves, absent, _SPECULATION, temperature, cost)


def _absent(state: State, moves: Moves, movable: frozenset[int] | None, wanted: frozenset[int]) -> list[Job]:
    """Return jobs to take out and put back, with unserved ones near them.

    Parameters
    ----------
    movable
        Jobs that may be taken; None: all.
    wanted
        Jobs of which one should be among them; empty: any will do.
    """
    jobs = state.instance.jobs
    chosen = dict.fromkeys(choose_removed(state, moves))
    for _ in range(_FOCUS_DRAWS):
        if not wanted or not wanted.isdisjoint(chosen):
            break
        chosen = dict.fromkeys(choose_removed(state, moves))
    if movable is not None:
        chosen = {index: None for index in chosen if index in movable}
        if not chosen:
            chosen = {moves.random.choice(sorted(movable)): None}
    first = jobs[next(iter(chosen))]
    near = [index for index in moves.near(first)[:_NEAR] if index not in state.served]
    return [jobs[index] for index in dict.fromkeys([*chosen, *near])]


def neighbours_of(instance: Instance, orders: frozenset[str], count: int) -> frozenset[str]:
    """Return up to `count` further orders, those nearest to the given ones."""
    moves = Moves(instance, {}, random.Random(0))  # noqa: S311 # nothing is drawn
    jobs = [job for job in instance.jobs if job.orders[0].id in orders]
    rank: dict[str, int] = {}
    for job in jobs:
        for position, index in enumerate(moves.near(job)):
            other = instance.jobs[index].orders[0].id
            if other not in orders:
                rank[other] = min(position, rank.get(other, position))
    return frozenset(sorted(rank, key=lambda order: (rank[order], order))[:count])
