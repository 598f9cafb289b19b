"""Questions answered at once: is this plan right, how far is it, where is this order."""

from __future__ import annotations

import json
import math
import tomllib
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool

from api.artifacts import Artifacts, artifacts_of
from api.calculations import judge_plan, matrix_answer
from api.coordinates import CONVERTED, swap_notes, wgs84_place
from api.error_codes import ErrorCode
from api.intake import named_folder
from api.problem_json import ApiError, error_responses
from api.schemas import CheckReport, CheckRequest, Matrix, MatrixRequest, OrderPosition, OrderStatus, Whereabouts
from api.service import Reader, ServiceDep, find_job
from api.store import Job, JobState
from api.work import SCENARIO, scenario_folder
from routing.scenario import CONFIG_FILE

router = APIRouter(prefix="/v1", tags=["questions"])
MAX_PLANS_OF_ORDER = 10


@router.post(
    "/check",
    responses=error_responses(
        ErrorCode.MALFORMED_BODY,
        ErrorCode.INVALID_PLAN,
        ErrorCode.INVALID_SCENARIO,
        ErrorCode.PLAN_NOT_FOUND,
        ErrorCode.SCENARIO_NOT_FOUND,
        ErrorCode.BODY_TOO_LARGE,
    ),
)
async def check(body: CheckRequest, service: ServiceDep, caller: Reader) -> CheckReport:
    """Judge any plan against a scenario: every broken rule with its code, place and amount."""
    if body.scenario is not None:
        folder = named_folder(service.settings, body.scenario)
    else:
        assert body.plan_id is not None
        job = await run_in_threadpool(find_job, service, caller, body.plan_id, "plan")
        folder = await run_in_threadpool(scenario_folder, service.settings, job)
    return CheckReport.model_validate(await service.calculator.run(judge_plan, folder, body.plan))


@router.post(
    "/matrix",
    responses=error_responses(
        ErrorCode.MALFORMED_BODY,
        ErrorCode.NETWORK_NOT_FOUND,
        ErrorCode.NETWORK_NOT_READY,
        ErrorCode.TOO_MANY_PLACES,
        ErrorCode.BODY_TOO_LARGE,
    ),
)
async def matrix(body: MatrixRequest, service: ServiceDep, caller: Reader) -> Matrix:
    """Return seconds, metres and watt-hours between places on a prepared network."""
    if len(body.places) > service.settings.max_matrix_places:
        detail = f"{len(body.places)} places were given; {service.settings.max_matrix_places} are allowed."
        raise ApiError(ErrorCode.TOO_MANY_PLACES, detail)
    network = await run_in_threadpool(find_job, service, caller, body.network, "network")
    if network.state is not JobState.SUCCESSFUL or network.result is None:
        raise ApiError(ErrorCode.NETWORK_NOT_READY, f"The network's state is '{network.state.value}'.")
    folder = (await run_in_threadpool(artifacts_of(service.settings).folder, network.id)) / SCENARIO
    shifted = body.crs == "gcj02"
    places = [wgs84_place(place) for place in body.places] if shifted else body.places
    found = await service.calculator.run(matrix_answer, folder, body.profile, places)
    notes = [CONVERTED] if shifted else []
    notes += swap_notes(places, network.result["bounds"])
    return Matrix(**found, network_digest=str(network.result["digest"]), notes=notes)


@router.get("/orders/{order_id}", responses=error_responses(ErrorCode.ORDER_NOT_FOUND), tags=["orders"])
def find_order(
    order_id: Annotated[str, InPath(max_length=200)],
    service: ServiceDep,
    caller: Reader,
    at_s: Annotated[
        int | None, Query(ge=0, le=172_800, description="seconds after midnight of the service date; default: now")
    ] = None,
) -> OrderStatus:
    """Tell where an order should be, now or at a time, by each finished plan that has it."""
    plans = service.store.plans_of_order(caller.tenant, order_id, MAX_PLANS_OF_ORDER)
    if not plans:
        raise ApiError(ErrorCode.ORDER_NOT_FOUND, f"No finished plan has the order '{order_id[:100]}'.")
    return OrderStatus(
        order=order_id, plans=[_position(artifacts_of(service.settings), job, order_id, at_s) for job in plans]
    )


@lru_cache(8)
def _legs_by_order(path: Path) -> tuple[date, dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Return the service date of a plan, the legs of its served orders and the reasons of the unassigned."""
    document = json.loads(path.read_bytes())
    legs = {entry["order"]: entry["legs"] for entry in document["orders"]}
    reasons = {entry["order"]: entry["text"] for entry in document["unassigned"]}
    return date.fromisoformat(document["scenario"]["service_date"]), legs, reasons


def _position(artifacts: Artifacts, job: Job, order_id: str, at_s: int | None) -> OrderPosition:
    assert job.result is not None  # orders are recorded with the result
    day, legs_by_order, reasons = _legs_by_order(artifacts.file(job.id, f"{job.result['folder']}/plan.json"))
    if at_s is None:
        at_s = _now_s(artifacts.file(job.id, f"{SCENARIO}/{CONFIG_FILE}"), day)
    legs = legs_by_order.get(order_id, [])
    if not legs:
        reason = reasons.get(order_id)
        return OrderPosition(plan=job.id, service_date=day, at_s=at_s, status="unassigned", reason=reason)
    following = next((leg for leg in legs if leg["departure_s"] > at_s), None)
    return OrderPosition(
        plan=job.id,
        service_date=day,
        at_s=at_s,
        status="planned",
        legs=legs,
        now=_whereabouts(legs, at_s),
        next=following,
    )


def _now_s(config: Path, day: date) -> int:
    """Return the seconds since local midnight of the service date; before it 0, long after it whatever it is."""
    timezone = tomllib.loads(config.read_text(encoding="utf-8")).get("timezone", "Asia/Shanghai")
    zone = ZoneInfo(timezone)
    return max(0, math.floor((datetime.now(zone) - datetime.combine(day, time(), zone)).total_seconds()))


def _whereabouts(legs: list[dict[str, Any]], at_s: int) -> Whereabouts:
    for leg in legs:
        if at_s < leg["departure_s"]:
            return Whereabouts(status="waiting", place=leg["from_place"], until_s=leg["departure_s"])
        if at_s < leg["arrival_s"]:
            return Whereabouts(
                status="riding",
                route=leg["route"],
                from_place=leg["from_place"],
                to_place=leg["to_place"],
                until_s=leg["arrival_s"],
            )
    last = legs[-1]
    if at_s < last["unload_end_s"]:
        return Whereabouts(status="waiting", place=last["to_place"], until_s=last["unload_end_s"])
    return Whereabouts(status="delivered", place=last["to_place"])
