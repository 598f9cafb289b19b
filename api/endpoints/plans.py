"""Plans: making one, following it, stopping it, fetching its results."""

from __future__ import annotations

from collections.abc import AsyncIterable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.calculations import look_through
from api.endpoints.creating import (
    DAY_ERRORS,
    Asked,
    IdempotencyKey,
    IfMatch,
    LastEventId,
    PageCursor,
    PageLimit,
    Prefer,
    Purge,
    accept_job,
    json_or_form,
    refuse_long_search,
)
from api.endpoints.following import answer_accepted, answer_status, follow_job, send_file, stop_job
from api.error_codes import ErrorCode
from api.intake import (
    Received,
    idempotency_key,
    make_day,
    parse_body,
    read_tables,
    receive,
    request_record,
)
from api.problem_json import error_responses
from api.resources import NEGOTIATED, ResultPart, cursor_page, negotiate
from api.schemas import PlanPage, PlanRequest, PlanStatus, Validated, plan_status
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job
from api.store import Job
from api.uploads import staging
from api.work import SCENARIO

router = APIRouter(prefix="/v1/plans", tags=["plans"])
FILES = ("scenario", "orders", "fleet")
PlanId = Annotated[str, InPath(max_length=100, examples=["plan-01a201224ef202869399"])]
_BODY = json_or_form(
    PlanRequest, {"scenario": "zip of a scenario folder", "orders": "csv, xlsx or json", "fleet": "toml"}
)
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
        **error_responses(*DAY_ERRORS),
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
    prefer: Prefer = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make a plan: of a scenario folder, an uploaded scenario, or a network with the day's orders and fleet."""
    key = idempotency_key(request)
    async with receive(request, FILES) as received:
        plan = parse_body(received.document, PlanRequest)
        refuse_long_search(service, plan, "time_limit_s")
        if dry_run:
            found = await _validate(service, caller, plan, received)
            return JSONResponse(found.model_dump(mode="json"))
        job, replayed = await run_in_threadpool(_accept, service, caller, plan, received, key)
    return await answer_accepted(service, job, plan_status, prefer=prefer, replayed=replayed)


async def _validate(service: Service, caller: Caller, plan: PlanRequest, received: Received) -> Validated:
    with staging(service.settings) as stage:
        await run_in_threadpool(make_day, service, caller, plan, received.files, stage)
        found = await service.calculator.run(look_through, stage / SCENARIO, plan.reject_bad_rows)
        return Validated.model_validate(found)


def _accept(
    service: Service, caller: Caller, plan: PlanRequest, received: Received, key: str | None
) -> tuple[Job, bool]:
    def fill(stage: Path) -> Asked:
        make_day(service, caller, plan, received.files, stage)
        scenario = read_tables(stage / SCENARIO, plan, service.settings)
        return Asked(scenario.name, request_record(plan), plan.network)

    return accept_job(service, caller, "plan", received.digest, key, fill)


@router.get("", responses=error_responses())
def list_plans(
    service: ServiceDep,
    caller: Reader,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
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
    purge: Purge = False,
    _if_match: IfMatch = None,
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
    last_event_id: LastEventId = None,
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
