"""Plans: making one, following it, stopping it, fetching its results."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.calculations import look_through
from api.endpoints.following import answer_accepted, answer_status, follow_job, keep_job, send_file, stop_job
from api.error_codes import ErrorCode
from api.intake import (
    Received,
    earlier_job,
    idempotency_key,
    make_day,
    parse_body,
    read_tables,
    receive,
    request_record,
)
from api.problem_json import ApiError, ProblemFault, error_responses
from api.resources import NEGOTIATED, ResultPart, cursor_page, negotiate
from api.schemas import PlanPage, PlanRequest, PlanStatus, Validated, plan_status
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job
from api.store import Job, JobState, new_id
from api.uploads import staging
from api.work import SCENARIO

router = APIRouter(prefix="/v1/plans", tags=["plans"])
FILES = ("scenario", "orders", "fleet")
PlanId = Annotated[str, InPath(max_length=100, examples=["plan-01a201224ef202869399"])]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/PlanRequest"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "request": {"type": "string", "description": "the JSON document, as text"},
                        "scenario": {"type": "string", "format": "binary", "description": "zip of a scenario folder"},
                        "orders": {"type": "string", "format": "binary", "description": "csv, xlsx or json"},
                        "fleet": {"type": "string", "format": "binary", "description": "toml"},
                    },
                }
            },
        },
    }
}
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": PlanStatus | Validated,
        "description": "Finished within `Prefer: wait`, or the outcome of a dry run",
    },
    202: {"model": PlanStatus, "description": "Accepted; follow `Location`"},
}


@router.post(
    "",
    status_code=202,
    responses={
        **error_responses(
            ErrorCode.MALFORMED_BODY,
            ErrorCode.INVALID_SCENARIO,
            ErrorCode.UPLOAD_REFUSED,
            ErrorCode.SCENARIO_NOT_FOUND,
            ErrorCode.NETWORK_NOT_FOUND,
            ErrorCode.NETWORK_NOT_READY,
            ErrorCode.IDEMPOTENCY_MISMATCH,
            ErrorCode.BODY_TOO_LARGE,
            ErrorCode.TOO_MANY_ORDERS,
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            ErrorCode.TOO_MANY_JOBS,
        ),
        **_ACCEPTED,
    },
    openapi_extra=_BODY,
    response_model=None,
)
async def create_plan(
    request: Request,
    service: ServiceDep,
    caller: Planner,
    dry_run: Annotated[bool, Query(description="validate only; nothing is kept")] = False,
    prefer: Annotated[str | None, Header(description="`wait=N` answers when finished, at most N seconds later")] = None,
    _idempotency_key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="a repeated request finds the first one's plan")
    ] = None,
) -> Response:
    """Make a plan: of a scenario folder, an uploaded scenario, or a network with the day's orders and fleet."""
    key = idempotency_key(request)
    async with receive(request, FILES) as received:
        plan = parse_body(received.document, PlanRequest)
        _refuse_long_search(plan, service)
        if dry_run:
            found = await _validate(service, caller, plan, received)
            return JSONResponse(found.model_dump(mode="json"))
        job, replayed = await run_in_threadpool(_accept, service, caller, plan, received, key)
    return await answer_accepted(service, job, plan_status, prefer=prefer, replayed=replayed)


def _refuse_long_search(plan: PlanRequest, service: Service) -> None:
    limit_s = service.settings.max_time_limit_s
    if plan.time_limit_s is not None and plan.time_limit_s > limit_s:
        reason = f"the time limit is above {limit_s:g} s, the longest this service searches"
        fault = ProblemFault(code="TOO_LONG", pointer="/time_limit_s", reason=reason)
        raise ApiError(ErrorCode.INVALID_REQUEST, reason, [fault])


async def _validate(service: Service, caller: Caller, plan: PlanRequest, received: Received) -> Validated:
    with staging(service.settings) as stage:
        await run_in_threadpool(make_day, service, caller, plan, received.files, stage)
        found = await service.calculator.run(look_through, stage / SCENARIO, plan.reject_bad_rows)
        return Validated.model_validate(found)


def _accept(
    service: Service, caller: Caller, plan: PlanRequest, received: Received, key: str | None
) -> tuple[Job, bool]:
    """Return the job of a request, and whether an earlier request with the same key made it."""
    earlier = earlier_job(service, caller, "plan", key, received.digest)
    if earlier is not None:
        return earlier, True
    with staging(service.settings) as stage:
        make_day(service, caller, plan, received.files, stage)
        scenario = read_tables(stage / SCENARIO, plan, service.settings)
        job = Job(
            id=new_id("plan"),
            kind="plan",
            tenant=caller.tenant,
            name=scenario.name,
            state=JobState.ACCEPTED,
            created_s=time.time(),
            request=request_record(plan),
            request_digest=received.digest,
            idempotency_key=key,
            network_id=plan.network,
        )
        return keep_job(service, job, stage)


@router.get("", responses=error_responses())
def list_plans(
    service: ServiceDep,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="from `next` of the page before")] = None,
) -> PlanPage:
    """List plans, the newest first."""
    jobs, following = cursor_page(service, caller, "plan", limit, cursor)
    return PlanPage(plans=[plan_status(job) for job in jobs], next=following)


@router.get(
    "/{plan_id}",
    responses={304: {"description": "Unchanged since the ETag given"}, **error_responses(ErrorCode.PLAN_NOT_FOUND)},
    response_model=PlanStatus,
)
def get_plan(plan_id: PlanId, request: Request, service: ServiceDep, caller: Reader) -> Response:
    """Return a plan's state, its progress with the figures of the best plan so far, and its results' paths."""
    job = find_job(service, caller, plan_id, "plan")
    return answer_status(request, job, plan_status)


@router.delete(
    "/{plan_id}",
    responses={
        204: {"description": "Forgotten, with all its files"},
        **error_responses(ErrorCode.PLAN_NOT_FOUND, ErrorCode.PRECONDITION_FAILED, ErrorCode.RESULT_NOT_READY),
    },
    response_model=PlanStatus,
)
def stop_plan(
    plan_id: PlanId,
    request: Request,
    service: ServiceDep,
    caller: Planner,
    purge: Annotated[bool, Query(description="forget a finished plan with all its files")] = False,
    _if_match: Annotated[str | None, Header(alias="If-Match", description="act only on this ETag")] = None,
) -> Response:
    """Stop a plan and keep the best found so far; with `purge` forget a finished one."""
    job = find_job(service, caller, plan_id, "plan")
    return stop_job(service, request, job, plan_status, purge=purge)


def _followed(plan_id: PlanId, service: ServiceDep, caller: Reader) -> Job:
    return find_job(service, caller, plan_id, "plan")


@router.get(
    "/{plan_id}/events", response_class=EventSourceResponse, responses=error_responses(ErrorCode.PLAN_NOT_FOUND)
)
async def follow_plan(
    job: Annotated[Job, Depends(_followed)],
    service: ServiceDep,
    last_event_id: Annotated[str | None, Header(description="id of the last event seen")] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Send an event `status` with the plan's status at every change, until it is finished."""
    async for event in follow_job(service, job, last_event_id, plan_status):
        yield event


_RESULT_ERRORS = error_responses(ErrorCode.PLAN_NOT_FOUND, ErrorCode.RESULT_NOT_READY, ErrorCode.NO_RESULT)
_RESULT = {
    "200": {
        "description": "The file; its type depends on the part",
        "content": {part.media_type: {} for part in ResultPart},
    }
}


@router.get(
    "/{plan_id}/result",
    responses={
        **error_responses(
            ErrorCode.PLAN_NOT_FOUND, ErrorCode.RESULT_NOT_READY, ErrorCode.NO_RESULT, ErrorCode.NOT_ACCEPTABLE
        )
    },
    openapi_extra={"responses": _RESULT},
    response_class=FileResponse,
)
def get_result(
    plan_id: PlanId,
    request: Request,
    service: ServiceDep,
    caller: Reader,
    accept: Annotated[str, Header(description="JSON, GeoJSON, CSV (routes), PDF (manifests) or HTML (map)")] = "*/*",
) -> Response:
    """Return a finished plan in the media type asked for."""
    job = find_job(service, caller, plan_id, "plan")
    return send_file(service, request, job, negotiate(accept, NEGOTIATED))


@router.get(
    "/{plan_id}/{part}",
    responses={304: {"description": "Unchanged since the ETag given"}, **_RESULT_ERRORS},
    openapi_extra={"responses": _RESULT},
    response_class=FileResponse,
)
def get_part(plan_id: PlanId, part: ResultPart, request: Request, service: ServiceDep, caller: Reader) -> Response:
    """Return one file of a finished plan."""
    return send_file(service, request, find_job(service, caller, plan_id, "plan"), part)
