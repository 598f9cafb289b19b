"""Sitings: asking where pickup points should be, following it, stopping it, fetching its results."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.datastructures import UploadFile

from api.endpoints.following import answer_accepted, answer_status, follow_job, keep_job, send_file, stop_job
from api.error_codes import ErrorCode
from api.intake import Received, earlier_job, idempotency_key, make_day, parse_body, read_tables, receive
from api.networks import complete_network
from api.problem_json import ApiError, ProblemFault, error_responses
from api.resources import NEGOTIATED_SITING, SitingPart, cursor_page, negotiate
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job
from api.siting_schemas import TABLES, SitingPage, SitingRequest, SitingStatus, siting_status, write_tables
from api.siting_work import check_tables
from api.store import Job, JobState, new_id
from api.uploads import judge_file, staging
from api.work import SCENARIO

router = APIRouter(prefix="/v1/sitings", tags=["sitings"])
FILES = ("scenario", *TABLES)
SitingId = Annotated[str, InPath(max_length=100, examples=["siting-01a201224ef202869399"])]
_ENDINGS = {"settlements": (".csv", ".xlsx", ".json", ".geojson"), "kinds": (".toml",)}
_ENDINGS["points"] = _ENDINGS["settlements"]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/SitingRequest"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "request": {"type": "string", "description": "the JSON document, as text"},
                        "scenario": {"type": "string", "format": "binary", "description": "zip of a scenario folder"},
                        **{
                            name: {"type": "string", "format": "binary", "description": " or ".join(_ENDINGS[name])}
                            for name in TABLES
                        },
                    },
                }
            },
        },
    }
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
        200: {"model": SitingStatus, "description": "Finished within `Prefer: wait`"},
        202: {"model": SitingStatus, "description": "Accepted; follow `Location`"},
    },
    openapi_extra=_BODY,
    response_model=None,
)
async def create_siting(
    request: Request,
    service: ServiceDep,
    caller: Planner,
    prefer: Annotated[str | None, Header(description="`wait=N` answers when finished, at most N seconds later")] = None,
    _idempotency_key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="a repeated request finds the first one's siting")
    ] = None,
) -> Response:
    """Ask where points should be: on a scenario folder, an uploaded scenario or a network, with tables of your own."""
    key = idempotency_key(request)
    async with receive(request, FILES) as received:
        body = parse_body(received.document, SitingRequest)
        _refuse_long_search(body, service)
        job, replayed = await run_in_threadpool(_accept, service, caller, body, received, key)
    return await answer_accepted(service, job, siting_status, prefer=prefer, replayed=replayed)


def _refuse_long_search(body: SitingRequest, service: Service) -> None:
    longest_s = service.settings.max_time_limit_s
    faults = [
        ProblemFault(code="TOO_LONG", pointer=f"/{key}", reason=f"longer than {longest_s:g} s, the longest search here")
        for key in ("time_limit_s", "front_time_s")
        if getattr(body, key) > longest_s
    ]
    if faults:
        raise ApiError(ErrorCode.INVALID_REQUEST, "The search would take too long.", faults)


def _accept(
    service: Service, caller: Caller, body: SitingRequest, received: Received, key: str | None
) -> tuple[Job, bool]:
    """Return the job of a request, and whether an earlier request with the same key made it."""
    earlier = earlier_job(service, caller, "siting", key, received.digest)
    if earlier is not None:
        return earlier, True
    crs, body = body.crs, body.in_wgs84
    tables = _uploaded_tables(body, received.files)
    with staging(service.settings) as stage:
        folder = stage / SCENARIO
        make_day(service, caller, body.day, received.files, stage)
        complete_network(folder)
        scenario = read_tables(folder, body.day, service.settings)
        for path in write_tables(body, tables, folder):
            judge_file(path, service.settings)
        check_tables(folder, scenario)
        job = Job(
            id=new_id("siting"),
            kind="siting",
            tenant=caller.tenant,
            name=scenario.name,
            state=JobState.ACCEPTED,
            created_s=time.time(),
            request={"question": body.question, "network": body.network, "crs": crs},
            request_digest=received.digest,
            idempotency_key=key,
            network_id=body.network,
        )
        return keep_job(service, job, stage)


def _uploaded_tables(body: SitingRequest, files: Mapping[str, UploadFile]) -> dict[str, tuple[str, bytes]]:
    """Return ending and bytes of each table that came as a file.

    Raises
    ------
    ApiError
        INVALID_REQUEST for a file of another format, or a table that came twice.
    """
    found, faults = {}, []
    for name in TABLES:
        if name not in files:
            continue
        ending = PurePosixPath(files[name].filename or "").suffix.lower()
        if ending not in _ENDINGS[name]:
            reason = f"must be a file of {', '.join(_ENDINGS[name])}"
            faults.append(ProblemFault(code="UNSUPPORTED_FORMAT", field=name, reason=reason))
        elif getattr(body, name, None) is not None:
            faults.append(ProblemFault(code="ONE_SOURCE", field=name, reason="came in the request and as a file"))
        else:
            found[name] = (ending, files[name].file.read())
    if faults:
        raise ApiError(ErrorCode.INVALID_REQUEST, "The tables cannot be taken.", faults)
    return found


@router.get("", responses=error_responses())
def list_sitings(
    service: ServiceDep,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="from `next` of the page before")] = None,
) -> SitingPage:
    """List sitings, the newest first."""
    jobs, following = cursor_page(service, caller, "siting", limit, cursor)
    return SitingPage(sitings=[siting_status(job) for job in jobs], next=following)


def _found(siting_id: SitingId, service: ServiceDep, caller: Reader) -> Job:
    return find_job(service, caller, siting_id, "siting")


@router.get(
    "/{siting_id}",
    responses={304: {"description": "Unchanged since the ETag given"}, **error_responses(ErrorCode.SITING_NOT_FOUND)},
    response_model=SitingStatus,
)
def get_siting(job: Annotated[Job, Depends(_found)], request: Request) -> Response:
    """Return a siting's state, what it does now, its answer in short, and its results' paths."""
    return answer_status(request, job, siting_status)


@router.delete(
    "/{siting_id}",
    responses={
        204: {"description": "Forgotten, with all its files"},
        **error_responses(ErrorCode.SITING_NOT_FOUND, ErrorCode.PRECONDITION_FAILED, ErrorCode.RESULT_NOT_READY),
    },
    response_model=SitingStatus,
)
def stop_siting(
    siting_id: SitingId,
    request: Request,
    service: ServiceDep,
    caller: Planner,
    purge: Annotated[bool, Query(description="forget a finished siting with all its files")] = False,
    _if_match: Annotated[str | None, Header(alias="If-Match", description="act only on this ETag")] = None,
) -> Response:
    """Stop the search for further sets and keep the answer; with `purge` forget a finished siting."""
    job = find_job(service, caller, siting_id, "siting")
    return stop_job(service, request, job, siting_status, purge=purge)


@router.get(
    "/{siting_id}/events", response_class=EventSourceResponse, responses=error_responses(ErrorCode.SITING_NOT_FOUND)
)
async def follow_siting(
    job: Annotated[Job, Depends(_found)],
    service: ServiceDep,
    last_event_id: Annotated[str | None, Header(description="id of the last event seen")] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Send an event `status` with the siting's status at every change, until it is finished."""
    async for event in follow_job(service, job, last_event_id, siting_status):
        yield event


_RESULT: dict[str, Any] = {
    "200": {
        "description": "The file; its type depends on the part",
        "content": {part.media_type: {} for part in SitingPart},
    }
}


@router.get(
    "/{siting_id}/result",
    responses=error_responses(
        ErrorCode.SITING_NOT_FOUND, ErrorCode.RESULT_NOT_READY, ErrorCode.NO_RESULT, ErrorCode.NOT_ACCEPTABLE
    ),
    openapi_extra={"responses": _RESULT},
    response_class=FileResponse,
)
def get_result(
    job: Annotated[Job, Depends(_found)],
    request: Request,
    service: ServiceDep,
    accept: Annotated[str, Header(description="JSON (report), GeoJSON, CSV (points) or HTML (map)")] = "*/*",
) -> Response:
    """Return a finished siting in the media type asked for."""
    return send_file(service, request, job, negotiate(accept, NEGOTIATED_SITING))


@router.get(
    "/{siting_id}/{part}",
    responses={
        304: {"description": "Unchanged since the ETag given"},
        **error_responses(ErrorCode.SITING_NOT_FOUND, ErrorCode.RESULT_NOT_READY, ErrorCode.NO_RESULT),
    },
    openapi_extra={"responses": _RESULT},
    response_class=FileResponse,
)
def get_part(job: Annotated[Job, Depends(_found)], part: SitingPart, request: Request, service: ServiceDep) -> Response:
    """Return one file of a finished siting."""
    return send_file(service, request, job, part)
