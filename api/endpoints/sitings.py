"""Sitings: asking where pickup points should be, following it, stopping it, fetching its results."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.datastructures import UploadFile

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
from api.intake import Received, idempotency_key, make_day, parse_body, read_tables, receive
from api.networks import complete_network
from api.problem_json import ApiError, ProblemFault, error_responses
from api.resources import NEGOTIATED_SITING, SitingPart, cursor_page, negotiate
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job
from api.siting_schemas import TABLES, SitingPage, SitingRequest, SitingStatus, siting_status, write_tables
from api.siting_work import check_tables
from api.store import Job
from api.uploads import judge_file
from api.work import SCENARIO

router = APIRouter(prefix="/v1/sitings", tags=["sitings"])
FILES = ("scenario", *TABLES)
SitingId = Annotated[str, InPath(max_length=100, examples=["siting-01a201224ef202869399"])]
_ENDINGS = {"settlements": (".csv", ".xlsx", ".json", ".geojson"), "kinds": (".toml",)}
_ENDINGS["points"] = _ENDINGS["settlements"]
_BODY = json_or_form(
    SitingRequest,
    {"scenario": "zip of a scenario folder", **{name: " or ".join(_ENDINGS[name]) for name in TABLES}},
)


@router.post(
    "",
    status_code=202,
    responses={
        **error_responses(*DAY_ERRORS),
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
    prefer: Prefer = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask where points should be: on a scenario folder, an uploaded scenario or a network, with tables of your own."""
    key = idempotency_key(request)
    async with receive(request, FILES) as received:
        body = parse_body(received.document, SitingRequest)
        refuse_long_search(service, body, "time_limit_s", "front_time_s")
        job, replayed = await run_in_threadpool(_accept, service, caller, body, received, key)
    return await answer_accepted(service, job, siting_status, prefer=prefer, replayed=replayed)


def _accept(
    service: Service, caller: Caller, body: SitingRequest, received: Received, key: str | None
) -> tuple[Job, bool]:
    def fill(stage: Path) -> Asked:
        asked, folder = body.in_wgs84, stage / SCENARIO
        tables = _uploaded_tables(asked, received.files)
        make_day(service, caller, asked.day, received.files, stage)
        complete_network(folder)
        scenario = read_tables(folder, asked.day, service.settings)
        for path in write_tables(asked, tables, folder):
            judge_file(path, service.settings)
        check_tables(folder, scenario)
        kept = {"question": asked.question, "network": asked.network, "crs": body.crs}
        return Asked(scenario.name, kept, asked.network)

    return accept_job(service, caller, "siting", received.digest, key, fill)


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
    limit: PageLimit = 50,
    cursor: PageCursor = None,
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
    purge: Purge = False,
    _if_match: IfMatch = None,
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
    last_event_id: LastEventId = None,
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
