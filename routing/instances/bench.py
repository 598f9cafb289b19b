"""One published instance through the public solver, judged twice, as the figures ``shanlu bench`` prints."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from geodata.errors import CheckFailedError, Fault, InputError
from routing.checker.problem_facts import check_problem_plan
from routing.instances.family import Family, PublishedInstance
from routing.instances.registry import FAMILIES
from routing.solver import Limits, Progress, Solution
from routing.solver.parallel import Helpers, solve_together

Figures = dict[str, object]


def bench_instance(
    family: str,
    path: Path,
    *,
    time_limit_s: float,
    seed: int,
    helpers: Helpers | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Figures:
    """Solve an instance and return its figures.

    Parameters
    ----------
    helpers
        Where searches with further seeds run; None: one search. Their CPU seconds are not in ``cpu_s``.

    Returns
    -------
    dict
        ``family, instance, objective`` (the family's own convention, None where the plan is not feasible),
        ``feasible, best_known, gap_pct, vehicles, wall_s, cpu_s, seed, time_limit_s, bound``; ``faults`` where the
        family's judge finds any. Times are those of the solve alone.

    Raises
    ------
    InputError
        If the file is not a whole instance of the family.
    CheckFailedError
        If the plan breaks a rule of the checker: a bug of the solver.
    """
    instance = _known(family).read(path)
    wall, cpu = time.perf_counter(), time.process_time()
    solution = solve_together(instance.problem, Limits(time_limit_s), seed, helpers, progress, cancelled)
    spent = round(time.perf_counter() - wall, 3), round(time.process_time() - cpu, 3)
    return figures_of(instance, solution, seed, time_limit_s, spent)


def instances_below(family: str, folder: Path) -> tuple[Path, ...]:
    """Return the instance files of a family below a folder, by name.

    Raises
    ------
    InputError
        If the folder holds none.
    """
    found = tuple(sorted(folder.glob(_known(family).pattern)))
    if not found:
        reason = f"the folder holds no instance of {family}"
        raise InputError([Fault("MISSING_FILE", folder.name, reason, "Name a folder of published instances")])
    return found


def _known(family: str) -> Family:
    if family not in FAMILIES:
        remedy = f"Use one of {', '.join(FAMILIES)}"
        reason = "no such family of instances of routes"
        raise InputError([Fault("UNKNOWN_CHOICE", "command line", reason, remedy, field="FAMILY", value=family)])
    return FAMILIES[family]


def figures_of(
    instance: PublishedInstance, solution: Solution, seed: int, time_limit_s: float, spent_s: tuple[float, float]
) -> Figures:
    """Return the figures of a solved instance; `spent_s` is wall and CPU time.

    Raises
    ------
    CheckFailedError
        As `bench_instance`.
    """
    report = check_problem_plan(instance.problem, solution.plan)
    if not report.is_clean:
        found = "; ".join(violation.text for violation in report.violations[:5])
        msg = f"{instance.name}: the plan breaks {len(report.violations)} rules: {found}"
        raise CheckFailedError(msg)
    verdict = instance.judge(solution.plan)
    figures: Figures = {
        "family": instance.family,
        "instance": instance.name,
        "objective": None if verdict.objective is None else round(verdict.objective, 6),
        "feasible": verdict.feasible,
        "best_known": instance.best_known,
        "gap_pct": _gap_pct(verdict.objective, instance.best_known),
        "vehicles": verdict.vehicles,
        "wall_s": spent_s[0],
        "cpu_s": spent_s[1],
        "seed": seed,
        "time_limit_s": time_limit_s,
        "bound": solution.bound,
    }
    if instance.best_vehicles is not None:
        figures["best_vehicles"] = instance.best_vehicles
    if verdict.faults:
        figures["faults"] = list(verdict.faults[:20])
    return figures


def _gap_pct(objective: float | None, best_known: float | None) -> float | None:
    if objective is None or not best_known:
        return None
    return round(100.0 * (objective - best_known) / best_known, 4)
