"""Networks: an area prepared once for many days."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.area_files import ENDINGS, MAX_TILES, PARTS, TILES, fill_area, read_area
from api.artifacts import artifacts_of
from api.endpoints.following import keep_job
from api.error_codes import ErrorCode
from api.intake import Received, earlier_job, idempotency_key, parse_body, receive
from api.networks import complete_network
from api.problem_json import error_responses
from api.resources import cursor_page, etag_of, not_modified, require_match
from api.schemas import NetworkPage, NetworkRequest, NetworkStatus, network_status
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job
from api.store import Job, JobState, new_id
from api.uploads import staging
from api.work import SCENARIO

router = APIRouter(prefix="/v1/networks", tags=["networks"])
NetworkId = Annotated[str, InPath(max_length=100, examples=["network-01a201224ef202869399"])]
_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/NetworkRequest"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "request": {"type": "string", "description": "the JSON document, as text"},
                        "scenario": {
                            "type": "string",
                            "format": "binary",
                            "description": "zip of a scenario folder; orders and fleet may be missing",
                        },
                        **{name: _FILE | {"description": " or ".join(ENDINGS[name])} for name in PARTS},
                        TILES: {"type": "array", "items": _FILE, "description": " or ".join(ENDINGS[TILES])},
                    },
                }
            },
        },
    }
}


@router.post(
    "",
    status_code=202,
    response_model=NetworkStatus,
    responses=error_responses(
        ErrorCode.MALFORMED_BODY,
        ErrorCode.INVALID_SCENARIO,
        ErrorCode.UPLOAD_REFUSED,
        ErrorCode.SCENARIO_NOT_FOUND,
        ErrorCode.IDEMPOTENCY_MISMATCH,
        ErrorCode.BODY_TOO_LARGE,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        ErrorCode.TOO_MANY_JOBS,
    ),
    openapi_extra=_BODY,
)
async def create_network(
    request: Request,
    service: ServiceDep,
    caller: Planner,
    _idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Response:
    """Prepare an area: its streets, terrain, timetable, sites, airspace and weather are read and kept."""
    key = idempotency_key(request)
    async with receive(request, ("scenario", *PARTS), several=(TILES, MAX_TILES)) as received:
        job, replayed = await run_in_threadpool(_accept, service, caller, received, key)
    headers = {"Location": f"/v1/networks/{job.id}", "ETag": etag_of(job)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(network_status(job).model_dump(mode="json"), 202, headers)


def _accept(service: Service, caller: Caller, received: Received, key: str | None) -> tuple[Job, bool]:
    wanted = parse_body(received.document, NetworkRequest)
    earlier = earlier_job(service, caller, "network", key, received.digest)
    if earlier is not None:
        return earlier, True
    with staging(service.settings) as stage:
        folder = stage / SCENARIO
        folder.mkdir()
        fill_area(service.settings, wanted, received.files, folder)
        complete_network(folder)
        job = Job(
            id=new_id("network"),
            kind="network",
            tenant=caller.tenant,
            name=read_area(folder, wanted.crs).name,
            state=JobState.ACCEPTED,
            created_s=time.time(),
            request={"crs": wanted.crs},
            request_digest=received.digest,
            idempotency_key=key,
        )
        return keep_job(service, job, stage)


@router.get("", responses=error_responses())
def list_networks(
    service: ServiceDep,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="from `next` of the page before")] = None,
) -> NetworkPage:
    """List networks, the newest first."""
    jobs, following = cursor_page(service, caller, "network", limit, cursor)
    return NetworkPage(networks=[network_status(job) for job in jobs], next=following)


@router.get(
    "/{network_id}",
    response_model=NetworkStatus,
    responses={304: {"description": "Unchanged since the ETag given"}, **error_responses(ErrorCode.NETWORK_NOT_FOUND)},
)
def get_network(network_id: NetworkId, request: Request, service: ServiceDep, caller: Reader) -> Response:
    """Return a network's state, and what it holds once it is prepared."""
    job = find_job(service, caller, network_id, "network")
    headers = {"ETag": etag_of(job), "Cache-Control": "no-cache"}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return JSONResponse(network_status(job).model_dump(mode="json"), headers=headers)


@router.delete(
    "/{network_id}",
    status_code=204,
    responses=error_responses(ErrorCode.NETWORK_NOT_FOUND, ErrorCode.PRECONDITION_FAILED),
)
def delete_network(
    network_id: NetworkId,
    request: Request,
    service: ServiceDep,
    caller: Planner,
    _if_match: Annotated[str | None, Header(alias="If-Match", description="act only on this ETag")] = None,
) -> Response:
    """Forget a network; plans made on it keep what they need."""
    job = find_job(service, caller, network_id, "network")
    require_match(request, job)
    service.store.request_stop(job.id)
    service.store.delete_job(job.id)
    artifacts_of(service.settings).forget(job.id)
    return Response(status_code=204)
