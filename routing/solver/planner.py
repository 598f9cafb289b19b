"""The solve from problem to plan: compile, construct, improve, settle, check, explain."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from routing.evaluation import cost_of
from routing.model.plan import CostBreakdown, Plan
from routing.model.problem import Problem
from routing.solver.annealing import anneal
from routing.solver.arrays.layout import Cooling
from routing.solver.arrays.search import Search
from routing.solver.choice import choose, learn_prices
from routing.solver.crew import Crew
from routing.solver.desk import LAST_CHAINS
from routing.solver.improvement import Moves, construction_orders
from routing.solver.instance import Job, compile_instance, unbundled
from routing.solver.interim import plan_so_far
from routing.solver.itineraries import ChainBook, ChainFinder
from routing.solver.portfolio import Engine, engine_for
from routing.solver.reasons import explain_state
from routing.solver.resume import state_of
from routing.solver.settling import add_jobs, hasty_sound_plan, sound_plan
from routing.solver.state import State
from routing.solver.stopping import Clock, Limits, Progress
from routing.solver.tasks import Chain
from routing.solver.tiny_days import tiny_days
from routing.solver.verify import broken_orders

_CONSTRUCTION_SHARE = 0.12
"""No further first plan is begun when this share of the effort is used."""
_CHAINS_SHARE = 0.5
"""Share of the effort after which no more chains are found before the first plan."""
_LOADING_S = 3.0
"""Machine code that is there already is loaded in less."""
_CHOICE_SHARE, _ONLY_CHOICE_SHARE = 0.1, 0.25
"""Shares of the remaining time that the choice of chains may take, for a further first plan and where it stays."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A plan with its cost, the moves made to find it, and a proved lower bound where there is one."""

    plan: Plan
    cost: CostBreakdown
    iterations: int
    bound: float | None = None


def solve(
    problem: Problem,
    limits: Limits,
    seed: int,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    so_far: Callable[[Plan], None] | None = None,
    crew: Crew | None = None,
) -> Solution:
    """Plan the day: the cheapest plan found within the limits that obeys every rule of ``reference/rules.md``.

    Parameters
    ----------
    problem
        The day; orders that cannot be served are left unassigned with a reason.
    limits
        Time or iterations, and the kinds of carrier allowed.
    seed
        Seed of every random choice; with `max_iterations` equal seeds give equal plans.
    progress
        Called at most about twice a second.
    cancelled
        Asked often; once it returns True the best plan so far is returned within about a second.
    so_far
        Handed the best plan so far now and then, every few seconds at most; the search waits for it meanwhile.
        Engines for days of a special shape have none to hand.
    crew
        Processes that help with days of the general shape.

    Returns
    -------
    Solution
        Always a valid plan, at worst one that leaves every order unassigned.
    """
    clock = Clock(limits, cancelled, progress, len(problem.orders), so_far)
    engine = special_engine(problem, limits)
    special = None if engine is None else _search_specially(problem, engine, clock, seed)
    if special is not None:
        return special
    clock.report("compiling", None, 0, force=True)
    _make_ready(clock)
    instance = compile_instance(problem, limits.only)
    clock.report("itineraries", None, 0, force=True)
    finder = ChainFinder(instance)
    moves = Moves(instance, _find_chains(finder, clock), random.Random(seed))  # noqa: S311 # a search, not a secret
    search = Search(State(instance), moves)
    _construct(search, clock, seed)
    if limits.sequential:
        search = Search(State(instance), _chosen_only(search.state, moves, clock, seed, _ONLY_CHOICE_SHARE))
        search.insert(construction_orders(instance)[0], clock.building_over)
        search.write()
    _widen(search, finder, clock)
    state = search.state
    if crew is None:
        _improve(search, clock)
    else:
        state = crew.improve(state, finder, search.moves, clock, lambda found: _offer(found, clock))
    plan = _finish(state, finder, search.moves, clock)
    return Solution(plan, cost_of(problem, plan), clock.iteration)


def _make_ready(clock: Clock) -> None:
    """Load the machine code of the search; to compile it, a minute once on a machine, is not held against the clock."""
    begun = time.monotonic()
    _use_everything()
    seconds = time.monotonic() - begun
    clock.excuse(seconds if seconds > _LOADING_S else 0.0)


@cache
def _use_everything() -> None:
    """Search a tiny day."""
    instance = compile_instance(tiny_days()["general"])
    moves = Moves(instance, ChainBook(ChainFinder(instance)), random.Random(0))  # noqa: S311 # a search, not a secret
    search = Search(State(instance), moves)
    search.insert(instance.jobs, lambda: False)
    search.run(0, 1, Cooling(0.0, 0.0, 0.0, 0.0, 1.0))
    search.write()


def _find_chains(finder: ChainFinder, clock: Clock) -> dict[int, tuple[Chain, ...]]:
    """Return the chains of all jobs; where the time is too short for that, some have none."""
    found: dict[int, tuple[Chain, ...]] = {}
    for job in construction_orders(finder.instance)[0]:
        late = clock.interrupted() or (not clock.deterministic and clock.share_done() > _CHAINS_SHARE)
        found[job.index] = () if late else finder.chains(job)
    return found


def special_engine(problem: Problem, limits: Limits) -> Engine | None:
    """Return the engine for days of a special shape that plans this one; None where the general search does."""
    return None if limits.only or limits.sequential or problem.clocks else engine_for(problem)


def _search_specially(problem: Problem, engine: Engine, clock: Clock, seed: int) -> Solution | None:
    """Plan by a special engine; None where it found nothing, or nothing that keeps every rule."""
    answer = engine.search(problem, clock, seed)
    if answer is None or broken_orders(problem, answer.plan):
        return None
    served = {handover.order for route in answer.plan.routes for stop in route.stops for handover in stop.load}
    plan = Plan(answer.plan.routes)
    if len(served) < len(problem.orders):
        clock.report("explaining", None, len(served), force=True)
        instance = compile_instance(problem, bundle=False)
        reasons = explain_state(ChainFinder(instance), state_of(instance, plan), clock.cancelled, clock.overdue)
        plan = Plan(plan.routes, reasons)
    return Solution(plan, cost_of(problem, plan), answer.iterations, answer.bound)


def _construct(search: Search, clock: Clock, seed: int) -> None:
    """Build first plans by all carriers, by chosen chains and by road alone, in several orders; the best is kept."""
    orders = construction_orders(search.state.instance)
    clock.report("construction", None, 0, force=True)
    search.insert(orders[0], clock.building_over)
    search.write()
    clock.report("construction", search.best, search.orders_served, force=True)
    _offer(search.state, clock)
    for chains, order in _further_starts(search, clock, seed, orders):
        search.empty()
        search.insert(order, clock.building_over, chains)
        if chains is not None:
            search.insert(order, clock.building_over)
        clock.report("construction", search.best, search.orders_served)
    search.write()
    _offer(search.state, clock)


def _further_starts(
    search: Search, clock: Clock, seed: int, orders: Sequence[Sequence[Job]]
) -> Iterator[tuple[Mapping[int, Sequence[Chain]] | None, Sequence[Job]]]:
    """Yield chains (None: all) and orders of insertion for further first plans, as long as there is time for them."""

    def late() -> bool:
        return clock.interrupted() or clock.share_done() > _CONSTRUCTION_SHARE

    every_kind: list[Mapping[int, Sequence[Chain]] | None] = [None]
    if not search.state.instance.only_direct and not late():
        yield _chosen_only(search.state, search.moves, clock, seed).chains, orders[0]
        every_kind = [_road_only(search.moves), None]
    for order in orders:
        for chains in every_kind:
            if late():
                return
            if order is not orders[0] or chains is not None:  # that one is made already
                yield chains, order


def _widen(search: Search, finder: ChainFinder, clock: Clock) -> None:
    """Give jobs that are still left out more chains, and try them again."""
    left = [job for job in search.state.instance.jobs if job.index not in search.state.served]
    for job in left:
        if clock.building_over():
            break
        search.moves.chains[job.index] = finder.chains(job, LAST_CHAINS)
    search.widen()
    if left:
        search.insert(left, clock.building_over)
        search.write()


def _chosen_only(state: State, moves: Moves, clock: Clock, seed: int, share: float = _CHOICE_SHARE) -> Moves:
    """Return the moves restricted to the chains CP-SAT chooses at the prices of the plan in `state`.

    Where it chooses none in `share` of the time left, each job keeps the chain that is cheapest by estimate.
    """
    time_s = None if clock.deterministic else max(0.1, share * clock.remaining_s)
    chosen = choose(state.instance, moves.chains, learn_prices(state), seed, time_s, clock.interrupted)
    chains: dict[int, tuple[Chain, ...]] = {}
    for job in state.instance.jobs:
        found = (chosen[job.index],) if job.index in chosen else ()
        chains[job.index] = found if chosen else moves.chains[job.index][:1]
    return Moves(state.instance, chains, moves.random, moves.neighbours)


def _road_only(moves: Moves) -> Mapping[int, Sequence[Chain]]:
    """Return the single rides by road vehicle of all jobs."""
    instance = moves.instance

    def by_vehicle(chain: Chain) -> bool:
        return chain.by_road and instance.fleets[chain.rides[0].group].type.kind == "vehicle"

    return {job.index: tuple(filter(by_vehicle, moves.chains[job.index])) for job in instance.jobs}


def _improve(search: Search, clock: Clock) -> None:
    """Search until the limits are reached; the state ends at the best plan found."""
    if search.state.instance.jobs:
        anneal(search, _WholeSearch(clock), 0.0, _Watcher(search, clock))


class _WholeSearch:
    """The pace of a search that takes all of a clock's effort."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._begun = clock, clock.share_done()
        self.deterministic, self.over = clock.deterministic, clock.finished

    @property
    def moves(self) -> int:
        """Moves made so far, as the clock counts them."""
        return self._clock.iteration

    @moves.setter
    def moves(self, count: int) -> None:
        self._clock.iteration = count

    def shares(self) -> tuple[float, float]:
        """Return how much of the effort was used before move 0 and a move uses; uncounted: how much now, and 0."""
        most = self._clock.limits.max_iterations
        return (self._clock.share_done(), 0.0) if most is None else (0.0, 1.0 / max(1, most))

    def left(self) -> int | None:
        """Return how many moves are to be made yet where they are counted."""
        most = self._clock.limits.max_iterations
        return None if most is None else most - self._clock.iteration

    def settles(self) -> bool:
        """Return True: nothing comes after it."""
        return True

    def planned(self) -> float:
        """Return how many moves the search will make."""
        return self._clock.planned_iterations(self._begun)


@dataclass(frozen=True, slots=True)
class _Watcher:
    """Tells the clock how the search gets on, and hands out plans."""

    search: Search
    clock: Clock

    def moved(self, best: float, served: int) -> None:
        """Report the best plan."""
        self.clock.report("improvement", best, served)

    def wants_plan(self) -> bool:
        """Return whether somebody wants the best plan so far."""
        return self.clock.wants_plan()

    def take(self) -> None:
        """Hand out the plan of the state."""
        _offer(self.search.state, self.clock)


def _offer(state: State, clock: Clock) -> None:
    """Hand out the plan of a state that is the best so far; what breaks a rule in it is left out."""
    clock.offer(lambda: plan_so_far(state, hasty_sound_plan))


def _finish(state: State, finder: ChainFinder, moves: Moves, clock: Clock) -> Plan:
    """Settle all times, try single orders of bundles left out once more, and explain what stays unassigned."""
    clock.report("checking", state.cost(), state.orders_served, force=True)
    plan = sound_plan(state, moves.chains, clock.interrupted)
    problem = state.instance.problem
    if state.orders_served == len(problem.orders):
        clock.report("explaining", state.cost(), state.orders_served, force=True)
        return plan
    instance = unbundled(state.instance)
    finder, single = finder.serving(instance), state_of(instance, plan)
    left = [job for job in instance.jobs if job.index not in single.served]
    plan = add_jobs(single, plan, left, ChainBook(finder, LAST_CHAINS), clock.interrupted)
    clock.report("explaining", single.cost(), single.orders_served, force=True)
    return Plan(plan.routes, explain_state(finder, single, clock.cancelled, clock.overdue))
