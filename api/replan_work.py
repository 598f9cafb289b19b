"""What a worker does to plan the rest of a day anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from api.held import held_cache
from api.replan_schemas import ReplanRequest
from api.work import DIFFERENCE_FILE
from routing.evaluation import kpis
from routing.export import write_outputs
from routing.model.plan import Plan
from routing.output_folder import staged_output
from routing.plan_io import plan_to_bytes, read_plan
from routing.replan.replanning import WITHIN_S, Replanned, ReplanOptions, replan
from routing.solver import Limits


def replan_day(
    scenario: Path,
    before: Path,
    request: dict[str, Any],
    target: Path,
    out: Path,
    first: Callable[[dict[str, Any]], None],
    cancelled: Callable[[], bool],
) -> tuple[dict[str, Any], list[str]]:
    """Plan the rest of a day anew and write the results; return the figures and the ids of the day's orders.

    Parameters
    ----------
    scenario, before
        Folder and plan of the day so far.
    request
        What the store keeps of the request: the body, and under ``replaces`` the id of the plan before.
    target
        Where the changed day's scenario goes.
    first
        Told the figures as soon as the plan is checked and lies in `out` with the difference; the other files follow.
    """
    body = ReplanRequest.model_validate(request["body"])
    document = read_plan(before)
    cache = held_cache()
    shutil.rmtree(target, ignore_errors=True)
    within_s = WITHIN_S if body.time_limit_s is None and body.max_iterations is None else None
    limits = Limits(body.time_limit_s, body.max_iterations)
    options = ReplanOptions(limits, body.seed, body.may_move, body.freeze, within_s)
    made = replan(scenario, document, body.events, options, target, cache, cancelled)
    plan = Plan(made.document.routes, made.document.unassigned)
    figures = _figures(made, plan, out, target)
    difference = _difference(made, request["replaces"], body.now_s, document.objective.total)
    out.mkdir()
    (out / "plan.json").write_bytes(plan_to_bytes(made.document))
    (out / DIFFERENCE_FILE).write_text(json.dumps(difference, ensure_ascii=False), encoding="utf-8")
    first(figures)
    found = kpis(made.built.problem, plan)
    with staged_output(out) as staging:
        write_outputs(staging, made.document, made.day.scenario, made.day.area, made.report, found, body.lang)
    return figures, [order.id for order in made.day.scenario.orders]


def _figures(made: Replanned, plan: Plan, out: Path, target: Path) -> dict[str, Any]:
    document = made.document
    orders = len(made.day.scenario.orders)
    return {
        "folder": out.name,
        "scenario": target.name,
        "currency": document.objective.currency,
        "cost": document.objective.total,
        "bound": None,
        "orders": orders,
        "served": orders - len(plan.unassigned),
        "unassigned": len(plan.unassigned),
        "rejected": 0,
        "routes": len(plan.routes),
        "scenario_digest": document.scenario.digest,
        "timings_s": dict(made.timings_s),
    }


def _difference(made: Replanned, replaces: str, now_s: int, cost_before: int) -> dict[str, Any]:
    return {
        "replaces": replaces,
        "now_s": now_s,
        "cost": made.document.objective.total,
        "cost_before": cost_before,
        "price_of_stability": made.price_of_stability,
        "carriers": [asdict(change) for change in made.changes],
        "moved_orders": list(made.moved),
        "stranded": dict(made.stranded),
        "facts_against_rules": [str(violation) for violation in made.facts_against_rules],
        "timings_s": dict(made.timings_s),
    }
