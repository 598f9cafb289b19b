"""The whole request on one screen: a scenario folder in, a checked plan with its files out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from geodata.area import Area, load_area
from geodata.cache import Cache
from geodata.errors import CheckFailedError
from routing.builder import BuiltProblem, build_problem
from routing.checker import Report, check_plan
from routing.evaluation import Kpis, cost_of, kpis
from routing.explain import explain_unassigned
from routing.export import write_outputs
from routing.model.plan import Objective, OrderLegs, Plan, PlanDocument, Rejected, ScenarioRef
from routing.output_folder import staged_output
from routing.plan_io import derive_legs, plan_to_bytes
from routing.plan_paths import attach_paths
from routing.scenario import Scenario, read_scenario
from routing.solver import Limits, Progress, Solution, solve

NAMED_VERSIONS = ("shanlu", "ortools", "numpy", "scipy")


@dataclass(frozen=True)
class PlanOptions:
    """What the user asks of one planning run. `only` restricts carrier kinds; empty means all."""

    time_limit_s: float | None = None
    max_iterations: int | None = None
    seed: int = 1
    workers: int = 1
    only: tuple[str, ...] = ()
    reject_bad_rows: bool = False
    lang: str = "en"


@dataclass(frozen=True)
class Outcome:
    """A checked plan and what it was made of. `timings_s` holds wall-clock seconds by stage."""

    scenario: Scenario
    document: PlanDocument
    report: Report
    kpis: Kpis
    timings_s: Mapping[str, float]
    unreachable_by_vehicle: int
    """Orders no road vehicle can carry from origin to destination."""


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
    out: Path | None,
    options: PlanOptions,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    cache: Cache | None = None,
) -> Outcome:
    """Plan the day of a scenario folder, check the plan, and write its files into `out` (None writes nothing).

    Raises
    ------
    InputError
        If the scenario is faulty; names every fault.
    CheckFailedError
        If the plan breaks a rule: a bug in Shanlu. Nothing is written then.
    """
    watch = _Stopwatch()
    scenario = read_scenario(folder, reject_bad_rows=options.reject_bad_rows)
    area = load_area(scenario.files, scenario.service_date, cache)
    watch.lap("read")
    built = build_problem(scenario, area, cache)
    watch.lap("build")
    solution = solve(built.problem, _limits(scenario, options), options.seed, progress, cancelled)
    watch.lap("solve")
    document = make_document(scenario, built, area, solution, options)
    watch.lap("draw")
    report = check_plan(folder, document, cache=cache)
    watch.lap("check")
    if not report.is_clean:
        msg = "Shanlu made a plan that breaks its own rules; this is a bug, please report it with these findings:\n"
        raise CheckFailedError(msg + "\n".join(f"  {violation}" for violation in report.violations[:50]))
    figures = kpis(built.problem, Plan(document.routes, document.unassigned))
    if out is not None:
        with staged_output(out) as staging:
            (staging / "plan.json").write_bytes(plan_to_bytes(document))
            write_outputs(staging, document, scenario, area, report, figures, options.lang, timings_s=watch.timings_s)
        watch.lap("write")
    return Outcome(scenario, document, report, figures, watch.timings_s, _beyond_vehicles(built))


def make_document(
    scenario: Scenario, built: BuiltProblem, area: Area, solution: Solution, options: PlanOptions
) -> PlanDocument:
    """Return the plan file's content for a solution: drawn, explained and priced."""
    plan = attach_paths(solution.plan, built, area)
    plan = replace(plan, unassigned=explain_unassigned(built.problem, plan))
    lines = cost_of(built.problem, plan)
    return PlanDocument(
        scenario=ScenarioRef(scenario.name, scenario.service_date.isoformat(), scenario.digest),
        seed=options.seed,
        versions={name: version(name) for name in NAMED_VERSIONS},
        objective=Objective(scenario.currency, lines, lines.total),
        routes=plan.routes,
        unassigned=plan.unassigned,
        rejected=tuple(
            Rejected(row.row, row.order_id, tuple(str(fault) for fault in row.faults)) for row in scenario.rejected
        ),
        orders=tuple(OrderLegs(order, legs) for order, legs in sorted(derive_legs(plan).items())),
        bound=solution.bound,
        only=options.only,
    )


def _limits(scenario: Scenario, options: PlanOptions) -> Limits:
    time_limit_s = options.time_limit_s
    if time_limit_s is None and options.max_iterations is None:
        time_limit_s = scenario.limits.time_limit_s
    return Limits(time_limit_s, options.max_iterations, options.only, options.workers)


def _beyond_vehicles(built: BuiltProblem) -> int:
    """Count orders that no road vehicle can carry door to door, whatever the load and the hour."""
    problem = built.problem
    travels = {(vehicle.travel, vehicle.base) for vehicle in problem.vehicles if vehicle.kind == "vehicle"}
    beyond = 0
    for order in problem.orders:
        ends = (order.from_id, order.to_id)
        beyond += not any(
            base in ends and all(problem.matrices[travel].reaches(base, end) for end in ends)
            for travel, base in travels
        )
    return beyond
