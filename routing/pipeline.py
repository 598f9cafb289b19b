"""The whole request on one screen: a scenario folder in, a checked plan with its files out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from geodata.area import Area
from geodata.cache import Cache
from geodata.errors import CheckFailedError
from routing.builder import BuiltProblem, build_problem
from routing.checker import Report, check_plan
from routing.day import read_day
from routing.evaluation import Kpis, cost_of, kpis
from routing.export import program_files, write_outputs
from routing.export.tables import alternatives_csv
from routing.model.order import Order
from routing.model.plan import Objective, OrderLegs, Plan, PlanDocument, Rejected, ScenarioRef
from routing.notes import Note, notes_of
from routing.objective import weigh
from routing.output_folder import refuse_unusable, staged_output
from routing.plan_io import derive_legs, plan_to_bytes
from routing.plan_paths import attach_paths
from routing.scenario import Scenario
from routing.solver import Limits, Progress, Solution
from routing.solver.alternatives import next_best
from routing.solver.parallel import Helpers, solve_together

ALTERNATIVES_SHARE, ALTERNATIVES_S = 0.1, 20.0
"""How long alternatives are looked for: so much of the search's time limit, and no longer than that."""
NAMED_VERSIONS = ("shanlu", "ortools", "numpy", "scipy")


@dataclass(frozen=True)
class PlanOptions:
    """What the user asks of one planning run; None leaves it to the scenario.

    Parameters
    ----------
    time_limit_s, max_iterations
        Effort of the search. Where either is given, what the scenario says about effort no longer counts.
    only
        Kinds of carrier to use; empty means all.
    sequential
        Fix every order's itinerary before any round is made, for comparison.
    """

    time_limit_s: float | None = None
    max_iterations: int | None = None
    seed: int | None = None
    only: tuple[str, ...] = ()
    sequential: bool = False
    reject_bad_rows: bool = False
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run is.

    Parameters
    ----------
    stage
        What is being done.
    cost, served
        Of the best plan so far, in minor units; None and 0 while there is none.
    orders
        Orders of the day; 0 while they are not read.
    elapsed_s
        Seconds since the search began, 0 before.
    left_s
        Seconds the search may still take; None outside the search or without a time limit.
    share
        How much of the search's effort is used, 0 to 1; None outside the search.
    """

    stage: str
    cost: int | None = None
    served: int = 0
    orders: int = 0
    elapsed_s: float = 0.0
    left_s: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Outcome:
    """A checked plan and what it was made of. `timings_s` holds wall-clock seconds by stage."""

    scenario: Scenario
    document: PlanDocument
    report: Report
    kpis: Kpis
    timings_s: Mapping[str, float]
    beyond_vehicles: tuple[str, ...]
    """Orders that no road vehicle of the fleet can carry from door to door, whatever the load and the hour."""
    notes: tuple[Note, ...]
    out: Path | None
    """Where the files are."""


class _Stopwatch:
    def __init__(self) -> None:
        self.timings_s: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings_s[stage] = round(now - self._last, 3)
        self._last = now


def plan_deliveries(
    folder: Path,
    out: Path | Callable[[Scenario], Path] | None,
    options: PlanOptions,
    progress: Callable[[Status], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    cache: Cache | None = None,
    helpers: Helpers | None = None,
    so_far: Callable[[PlanDocument, Mapping[str, bytes]], None] | None = None,
) -> Outcome:
    """Plan the day of a scenario folder, check the plan, and write its files.

    Parameters
    ----------
    out
        Folder for the files, or what names it once the scenario is read; None writes nothing.
    progress
        Told every stage, and while searching about twice a second.
    cancelled
        Asked while searching; once it returns True the best plan so far is checked and written.
    helpers
        Where further searches run beside the one in this process; the best plan is kept.
    so_far
        Handed the best plan so far, drawn and checked, and its files for programs by name, every few seconds at most.

    Raises
    ------
    InputError
        If the scenario is faulty (names every fault of every file), or `out` cannot be written to.
    CheckFailedError
        If the plan breaks a rule: a bug in Shanlu. Nothing is written then.
    """
    tell = progress if progress is not None else _tell_nobody
    watch = _Stopwatch()
    tell(Status("reading"))
    day = read_day(folder, reject_bad_rows=options.reject_bad_rows, cache=cache)
    scenario, area = day.scenario, day.area
    target = out(scenario) if callable(out) else out
    if target is not None:
        refuse_unusable(target)
    watch.lap("read")
    tell(Status("measuring", orders=len(scenario.orders)))
    built = build_problem(scenario, area, cache)
    notes = notes_of(scenario, area, built)
    watch.lap("build")
    limits, seed = _limits(scenario, options), _seed(scenario, options)
    wanted = weigh(built.problem, scenario.preferences)

    def hand_over(plan: Plan) -> None:
        drawn = document_of(scenario, built, attach_paths(plan, built, area), seed, options.only)
        if so_far is not None and check_plan(folder, drawn, cache=cache).is_clean:
            so_far(drawn, program_files(drawn, scenario, area))

    wanted_so_far = None if so_far is None else hand_over
    solution = solve_together(
        wanted, limits, seed, helpers, lambda state: tell(_status(state, limits)), cancelled, wanted_so_far
    )
    watch.lap("solve")
    document = make_document(scenario, built, area, solution, seed, options.only)
    watch.lap("draw")
    done = Status("checking", document.objective.total, len(document.orders), len(scenario.orders))
    tell(done)
    report = check_plan(folder, document, cache=cache)
    watch.lap("check")
    if not report.is_clean:
        msg = "Shanlu made a plan that breaks its own rules; this is a bug, please report it with these findings:\n"
        raise CheckFailedError(msg + "\n".join(f"  {violation}" for violation in report.violations[:50]))
    figured = Plan(document.routes, document.unassigned)
    figures = kpis(built.problem, figured)
    if target is not None:
        tell(replace(done, stage="writing"))
        with staged_output(target) as staging:
            (staging / "plan.json").write_bytes(plan_to_bytes(document))
            others = next_best(built.problem, figured, options.only, _patience(limits, cancelled))
            (staging / "alternatives.csv").write_bytes(alternatives_csv(others))
            write_outputs(
                staging,
                document,
                scenario,
                area,
                report,
                figures,
                options.lang,
                timings_s=watch.timings_s,
                notes=[asdict(note) for note in notes],
            )
        watch.lap("write")
    return Outcome(scenario, document, report, figures, watch.timings_s, _beyond_vehicles(built), notes, target)


def _patience(limits: Limits, cancelled: Callable[[], bool] | None) -> Callable[[], bool]:
    """Return what ends the search for alternatives: the caller, or a share of the time limit where there is one."""
    timed = limits.time_limit_s is not None and limits.max_iterations is None
    patience_s = min(ALTERNATIVES_SHARE * (limits.time_limit_s or 0.0), ALTERNATIVES_S)
    end = time.monotonic() + patience_s
    return lambda: (timed and time.monotonic() >= end) or (cancelled is not None and cancelled())


def _tell_nobody(_status: Status) -> None:
    """Stand in where nobody wants to know the progress."""


def _status(state: Progress, limits: Limits) -> Status:
    left_s = share = None
    if limits.time_limit_s is not None:
        left_s = max(0.0, limits.time_limit_s - state.elapsed_s)
        share = min(1.0, state.elapsed_s / limits.time_limit_s) if limits.time_limit_s > 0 else 1.0
    elif limits.max_iterations:
        share = min(1.0, state.iteration / limits.max_iterations)
    return Status(state.stage, state.cost, state.served, state.orders, state.elapsed_s, left_s, share)


def make_document(
    scenario: Scenario, built: BuiltProblem, area: Area, solution: Solution, seed: int, only: tuple[str, ...] = ()
) -> PlanDocument:
    """Return the plan file's content for a solution: drawn and priced."""
    return document_of(scenario, built, attach_paths(solution.plan, built, area), seed, only, solution.bound)


def document_of(
    scenario: Scenario,
    built: BuiltProblem,
    plan: Plan,
    seed: int,
    only: tuple[str, ...] = (),
    bound: float | None = None,
) -> PlanDocument:
    """Return the plan file's content for a drawn plan."""
    lines = cost_of(built.problem, plan)
    return PlanDocument(
        scenario=ScenarioRef(scenario.name, scenario.service_date.isoformat(), scenario.digest),
        seed=seed,
        versions={name: version(name) for name in NAMED_VERSIONS},
        objective=Objective(scenario.currency, lines, lines.total),
        routes=plan.routes,
        unassigned=plan.unassigned,
        rejected=tuple(
            Rejected(row.row, row.order_id, tuple(str(fault) for fault in row.faults)) for row in scenario.rejected
        ),
        orders=tuple(OrderLegs(order, legs) for order, legs in sorted(derive_legs(plan).items())),
        bound=bound,
        only=only,
    )


def _limits(scenario: Scenario, options: PlanOptions) -> Limits:
    time_limit_s, max_iterations = options.time_limit_s, options.max_iterations
    if time_limit_s is None and max_iterations is None:
        own = scenario.limits
        # Iterations make a plan repeatable only if no clock cuts in.
        time_limit_s, max_iterations = own.time_limit_s if own.max_iterations is None else None, own.max_iterations
    return Limits(time_limit_s, max_iterations, options.only, options.sequential)


def _seed(scenario: Scenario, options: PlanOptions) -> int:
    return scenario.limits.seed if options.seed is None else options.seed


def _beyond_vehicles(built: BuiltProblem) -> tuple[str, ...]:
    """Return the orders that no road vehicle can carry door to door, whatever the load and the hour."""
    problem = built.problem
    travels = sorted({(vehicle.travel, vehicle.base) for vehicle in problem.vehicles if vehicle.kind == "vehicle"})

    def within(order: Order) -> bool:
        ends = (order.from_id, order.to_id)
        return any(all(problem.matrices[travel].reaches(base, end) for end in ends) for travel, base in travels)

    return tuple(order.id for order in problem.orders if not within(order))
