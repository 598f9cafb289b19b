"""The rest of a day planned anew, as a plan of its own that replaces an earlier one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.artifacts import artifacts_of
from api.endpoints.creating import (
    CREATION_ERRORS,
    Asked,
    IdempotencyKey,
    Prefer,
    accept_job,
    json_only,
    refuse_long_search,
)
from api.endpoints.following import answer_accepted
from api.endpoints.plans import PlanId
from api.error_codes import ErrorCode
from api.intake import Received, idempotency_key, parse_body, receive
from api.networks import link_tree
from api.problem_json import ApiError, error_responses
from api.replan_schemas import PlanDifference, ReplanRequest
from api.resources import ResultPart
from api.schemas import PlanStatus, plan_status
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job
from api.store import Job
from api.work import BEFORE_FILE, DIFFERENCE_FILE, SCENARIO, scenario_folder

router = APIRouter(prefix="/v1/plans", tags=["plans"])
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    200: {"model": PlanStatus, "description": "Finished within `Prefer: wait`"},
    202: {"model": PlanStatus, "description": "Accepted; follow `Location`"},
}


@router.post(
    "/{plan_id}/replan",
    status_code=202,
    response_model=None,
    responses={
        **error_responses(
            *CREATION_ERRORS,
            ErrorCode.PLAN_NOT_FOUND,
            ErrorCode.RESULT_NOT_READY,
            ErrorCode.NO_RESULT,
            ErrorCode.TOO_MANY_ORDERS,
        ),
        **_ACCEPTED,
    },
    openapi_extra=json_only(ReplanRequest),
)
async def create_replan(
    plan_id: PlanId,
    request: Request,
    service: ServiceDep,
    caller: Planner,
    prefer: Prefer = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """Plan the rest of a finished plan's day anew: what has begun and what is loaded stays, the rest may change."""
    key = idempotency_key(request)
    async with receive(request, ()) as received:
        body = parse_body(received.document, ReplanRequest)
        job, replayed = await run_in_threadpool(_accept, service, caller, plan_id, body, received, key)
    return await answer_accepted(service, job, plan_status, prefer=prefer, replayed=replayed)


def _accept(
    service: Service, caller: Caller, plan_id: str, body: ReplanRequest, received: Received, key: str | None
) -> tuple[Job, bool]:
    before = find_job(service, caller, plan_id, "plan")

    def fill(stage: Path) -> Asked:
        result = _result_of(before)
        _refuse_too_much(service, body)
        plan = artifacts_of(service.settings).file(before.id, f"{result['folder']}/{ResultPart.PLAN.path}")
        link_tree(scenario_folder(service.settings, before), stage / SCENARIO)
        shutil.copyfile(plan, stage / BEFORE_FILE)
        kept = {"options": body.options, "replaces": before.id, "body": body.in_wgs84.model_dump(mode="json")}
        return Asked(before.name, {**kept, "crs": body.crs}, before.network_id)

    return accept_job(service, caller, "plan", f"{plan_id} {received.digest}", key, fill)


def _result_of(job: Job) -> dict[str, Any]:
    if job.result is None:
        code = ErrorCode.NO_RESULT if job.state.is_final else ErrorCode.RESULT_NOT_READY
        raise ApiError(code, f"The plan's state is '{job.state.value}'.")
    return job.result


def _refuse_too_much(service: Service, body: ReplanRequest) -> None:
    refuse_long_search(service, body, "time_limit_s")
    if len(body.new_orders) > service.settings.max_orders:
        detail = f"There are {len(body.new_orders)} new orders; {service.settings.max_orders} are allowed."
        raise ApiError(ErrorCode.TOO_MANY_ORDERS, detail)


@router.get(
    "/{plan_id}/diff",
    response_model=PlanDifference,
    responses=error_responses(ErrorCode.PLAN_NOT_FOUND, ErrorCode.RESULT_NOT_READY, ErrorCode.NO_RESULT),
)
def get_difference(plan_id: PlanId, service: ServiceDep, caller: Reader) -> Response:
    """Return how a plan differs from the one it replaces, by carrier, and the price of stability."""
    job = find_job(service, caller, plan_id, "plan")
    folder = (job.result or job.progress or {}).get("folder")
    if "replaces" not in job.request:
        raise ApiError(ErrorCode.NO_RESULT, "The plan replaces no other.")
    if folder is None:
        code = ErrorCode.NO_RESULT if job.state.is_final else ErrorCode.RESULT_NOT_READY
        raise ApiError(code, f"The plan's state is '{job.state.value}'.")
    path = artifacts_of(service.settings).file(job.id, f"{folder}/{DIFFERENCE_FILE}")
    return Response(path.read_bytes(), media_type=JSONResponse.media_type)
