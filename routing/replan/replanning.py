"""From a plan and what has happened to a checked plan of the rest of the day."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from geodata.area import Area
from geodata.cache import Cache
from geodata.errors import CheckFailedError
from geodata.paths import measure_path
from geodata.timetable import Timetable
from routing.builder import BuiltProblem, build_problem
from routing.checker import Report, Violation
from routing.checker.check import check_document
from routing.checker.reading import load_facts
from routing.day import Day, read_day
from routing.evaluation import cost_of
from routing.model.carrier import Vehicle
from routing.model.order import Order
from routing.model.plan import Plan, PlanDocument, Route, Unassigned
from routing.model.problem import Problem
from routing.pipeline import document_of
from routing.plan_paths import attach_paths
from routing.replan.changed_day import write_changed_day
from routing.replan.difference import CarrierChange, changes, moved_orders
from routing.replan.events import Events, Freeze
from routing.replan.frozen import Frozen, freeze, without_orders
from routing.replan.joined import joined, left_untouched
from routing.replan.remaining import remaining_plan, remaining_problem
from routing.scenario import read_scenario
from routing.solver import Limits, solve
from routing.solver.instance import compile_instance
from routing.solver.locking import Continued, continue_plan, neighbours_of

WITHIN_S = 4.6
"""Seconds from the events to the checked plan that are aimed at where nothing else is asked for."""
_CLOSING_SHARE, _LEAST_SEARCH_S = 0.08, 0.5
"""Share of the whole time kept for drawing and checking the plan beside what the search keeps of its limit (a fifth,
for explaining), and what it may take however late it is."""
_FREE_SHARE = 0.5
"""Share of the effort spent on the plan that keeps what it can, where the price of keeping it is asked for."""


@dataclass(frozen=True)
class ReplanOptions:
    """How to search.

    Parameters
    ----------
    limits
        Effort for the whole; half of it goes into the comparison where `may_move` is limited.
    may_move
        Most orders whose itinerary may change though nothing forces it; None: any number.
    within_s
        Seconds for all of it, from the events to the checked plan: the search then gets what reading the day leaves.
        None: the search has its `limits`, and reading, drawing and checking take what they take.
    """

    limits: Limits
    seed: int = 1
    may_move: int | None = None
    freeze: Freeze = field(default_factory=Freeze)
    within_s: float | None = None

    def search_after(self, spent_s: float) -> ReplanOptions:
        """Return the options with the limits of the search, so many seconds after the beginning."""
        if self.within_s is None:
            return self
        left_s = max(_LEAST_SEARCH_S, (1.0 - _CLOSING_SHARE) * self.within_s - spent_s)
        return replace(self, limits=replace(self.limits, time_limit_s=left_s))


@dataclass(frozen=True)
class Replanned:
    """A checked plan of the day as it has changed.

    Parameters
    ----------
    changes
        Against the plan before, by carrier.
    moved
        Orders that ride other carriers than before.
    free_cost
        Cost of the plan found when everything not begun may change, minor units; the price of stability is what the
        plan costs more.
    stranded
        Orders loaded at some time that nothing brings to their destination any more, and where they are; the plan
        lists them as unassigned, without the rides they had.
    facts_against_rules
        Rules broken by what has happened already (a vehicle too late for its shift), which no plan can mend.
    """

    day: Day
    document: PlanDocument
    built: BuiltProblem
    report: Report
    changes: tuple[CarrierChange, ...]
    moved: tuple[str, ...]
    free_cost: int
    stranded: Mapping[str, str]
    facts_against_rules: tuple[Violation, ...]
    timings_s: Mapping[str, float]

    @property
    def price_of_stability(self) -> int:
        """What keeping the rest of the plan costs, minor units."""
        return self.document.objective.total - self.free_cost


def replan(
    folder: Path,
    document: PlanDocument,
    events: Events,
    options: ReplanOptions,
    target: Path,
    cache: Cache | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Replanned:
    """Plan the rest of a day anew.

    Parameters
    ----------
    folder, document
        The scenario of the plan so far, and the plan.
    target
        Empty folder that becomes the scenario of the changed day.

    Raises
    ------
    InputError
        If the events are faulty, or with them the scenario is.
    CheckFailedError
        If the new plan breaks a rule or touches what has begun: a bug.
    """
    began = time.perf_counter()
    scenario = read_scenario(folder, reject_bad_rows=True)
    timetable = _timetable(folder, cache) if events.late_trips or events.cancelled_trips else None
    old = Plan(document.routes, document.unassigned)
    loaded = _loaded(old, events.now_s)
    write_changed_day(scenario, timetable, events, frozenset(loaded & set(events.cancelled_orders)), target)
    day = read_day(target, cache=cache)
    built = build_problem(day.scenario, day.area, cache)
    read_s = time.perf_counter() - began
    whole = built.problem
    frozen = freeze(whole, old, events, options.freeze, _blocked(built, day.area, old, events))
    problem = remaining_problem(whole, frozen, events)
    ready_s = time.perf_counter() - began
    kept, free, moves = _search(problem, old, frozen, options.search_after(ready_s), cancelled)
    solved_s = time.perf_counter() - began - read_s
    plan, stranded = _whole_plan(built, day.area, frozen, kept)
    other, _ = _whole_plan(built, day.area, frozen, free) if free is not kept else (plan, stranded)
    made = document_of(day.scenario, built, plan, options.seed)
    report = check_document(load_facts(target, cache), made)
    facts = _facts_against_rules(report, frozen, events.now_s)
    touched = left_untouched(old, plan, events.now_s, (*stranded, *frozen.stuck))
    if touched or len(facts) < len(report.violations):
        told = [*touched, *(str(violation) for violation in report.violations if violation not in facts)]
        msg = "The new plan breaks rules; this is a bug:\n" + "\n".join(f"  {line}" for line in told[:50])
        raise CheckFailedError(msg)
    return Replanned(
        day=day,
        document=made,
        built=built,
        report=report,
        changes=changes(old, plan),
        moved=moved_orders(old, plan),
        free_cost=min(made.objective.total, cost_of(whole, other).total),
        stranded=stranded,
        facts_against_rules=facts,
        timings_s={
            "read": round(read_s, 3),
            "solve": round(solved_s, 3),
            "check": round(time.perf_counter() - began - read_s - solved_s, 3),
            "moves": float(moves),
        },
    )


def full_solve(made: Replanned, old: Plan, events: Events, options: ReplanOptions, limits: Limits) -> Plan:
    """Return a plan of the same day whose rest was solved from nothing: the measure of `replan`.

    Parameters
    ----------
    made, old, events, options
        What `replan` returned, and what it was given.
    limits
        Effort of the solve.
    """
    whole, area = made.built.problem, made.day.area
    frozen = freeze(whole, old, events, options.freeze, _blocked(made.built, area, old, events))
    found = solve(remaining_problem(whole, frozen, events), limits, options.seed)
    rest = Continued(Plan(found.plan.routes), found.plan.unassigned, found.iterations)
    return _whole_plan(made.built, area, frozen, rest)[0]


def _timetable(folder: Path, cache: Cache | None) -> Timetable | None:
    return read_day(folder, reject_bad_rows=True, cache=cache).area.timetable


def _loaded(plan: Plan, now_s: int) -> set[str]:
    """Return the orders loaded onto something already, or onto a round whose loading has begun."""
    return {
        handover.order
        for route in plan.routes
        for stop in route.stops
        if (stop.departure_s if route.kind in ("bus", "drone") else route.stops[0].service_start_s) < now_s
        for handover in stop.load
    }


def _blocked(built: BuiltProblem, area: Area, plan: Plan, events: Events) -> frozenset[str]:
    """Return the ids of rounds of which a way still to go is not open any more."""
    found = set()
    for route in plan.routes if events.closures else ():  # nothing else closes a way the plan was drawn along
        carrier = built.problem.carrier_by_id.get(route.carrier)
        if not isinstance(carrier, Vehicle):
            continue
        costs = built.travels[carrier.travel].costs
        for here, there in pairwise(route.stops):
            nodes = here.movement.nodes if here.movement is not None and there.arrival_s > events.now_s else ()
            if len(nodes) > 1 and measure_path(area.streets, costs, nodes).forbidden_at is not None:
                found.add(route.id)
    return frozenset(found)


# --- Searching -----------------------------------------------------------------------------------------------------


def _search(
    problem: Problem,
    old: Plan,
    frozen: Frozen,
    options: ReplanOptions,
    cancelled: Callable[[], bool] | None,
) -> tuple[Continued, Continued, int]:
    """Return the plan of the rest that keeps what it can, and one that is free to change all of it."""
    start, gone = remaining_plan(problem, old, frozen)
    if options.may_move is None:
        found = continue_plan(problem, start, options.limits, options.seed, None, cancelled)
        return found, found, found.iterations
    near = neighbours_of(compile_instance(problem, bundle=False), gone, options.may_move)
    limits = _share(options.limits)
    kept = continue_plan(problem, start, limits, options.seed, near, cancelled)
    free = continue_plan(problem, kept.plan, limits, options.seed, None, cancelled)
    return kept, free, kept.iterations + free.iterations


def _share(limits: Limits) -> Limits:
    time_limit_s = None if limits.time_limit_s is None else limits.time_limit_s * _FREE_SHARE
    iterations = None if limits.max_iterations is None else round(limits.max_iterations * _FREE_SHARE)
    return Limits(time_limit_s, iterations, limits.only)


# --- The new plan --------------------------------------------------------------------------------------------------


def _whole_plan(built: BuiltProblem, area: Area, frozen: Frozen, rest: Continued) -> tuple[Plan, dict[str, str]]:
    """Return the drawn plan of the whole day, and where goods are that were under way and go no further."""
    problem = built.problem
    left = {entry.order: entry for entry in rest.unassigned}
    stranded = {order: frozen.legs[order][-1].to_place for order in left if order in frozen.legs}
    held = tuple(without_orders(problem, route, stranded) for route in frozen.routes)
    undrawn = frozen.undrawn | {new.id for new, was in zip(held, frozen.routes, strict=True) if new is not was}
    kept = replace(frozen, routes=tuple(route for route in held if route.stops))
    new = attach_paths(Plan(rest.plan.routes), built, area).routes
    redrawn = {route.id: _redrawn(built, area, route) for route in kept.routes if route.id in undrawn}
    kept = replace(kept, routes=tuple(redrawn.get(route.id, route) for route in kept.routes))
    unassigned = [_of_whole_day(entry, problem.order_by_id[entry.order], stranded) for entry in rest.unassigned]
    unassigned += [_stuck(order) for order in sorted(frozen.stuck)]
    return Plan(joined(problem, kept, new), tuple(unassigned)), stranded


def _redrawn(built: BuiltProblem, area: Area, route: Route) -> Route:
    """Draw the ways of a frozen route that have none yet; ways already gone stay as they were."""
    drawn = attach_paths(Plan((route,)), built, area).routes[0]
    stops = tuple(
        was if was.movement is not None and was.movement.nodes else new
        for was, new in zip(route.stops, drawn.stops, strict=True)
    )
    return replace(route, stops=stops)


def _of_whole_day(entry: Unassigned, order: Order, stranded: Mapping[str, str]) -> Unassigned:
    if order.id not in stranded:
        return entry
    place = stranded[order.id]
    text = f"It is at {place}, and nothing takes it on: {entry.text}"
    return replace(entry, text=text, text_zh=f"货物滞留于{place}:{entry.text_zh}")


def _stuck(order: str) -> Unassigned:
    text, text_zh = "It is aboard a bus that does not reach its stop.", "货物在未到站的班车上。"
    return Unassigned(order, "NO_ROUTE_BY_ANY_CARRIER", text, text_zh)


def _facts_against_rules(report: Report, frozen: Frozen, now_s: int) -> tuple[Violation, ...]:
    """Return the violations of routes that had begun: what has happened cannot be mended by a plan."""
    begun = {route.id for route in frozen.routes if route.stops[0].service_start_s < now_s}
    return tuple(violation for violation in report.violations if violation.route in begun)
