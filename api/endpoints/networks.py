"""Networks: an area prepared once for many days."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool

from api.area_files import ENDINGS, MAX_TILES, PARTS, TILES, fill_area, read_area
from api.artifacts import artifacts_of
from api.endpoints.creating import (
    CREATION_ERRORS,
    Asked,
    IdempotencyKey,
    IfMatch,
    PageCursor,
    PageLimit,
    Prefer,
    accept_job,
    json_or_form,
)
from api.endpoints.following import answer_accepted, answer_status
from api.error_codes import ErrorCode
from api.intake import Received, idempotency_key, parse_body, receive
from api.networks import complete_network
from api.problem_json import error_responses
from api.resources import cursor_page, require_match
from api.schemas import NetworkPage, NetworkRequest, NetworkStatus, network_status
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job
from api.store import Job
from api.work import SCENARIO

router = APIRouter(prefix="/v1/networks", tags=["networks"])
NetworkId = Annotated[str, InPath(max_length=100, examples=["network-01a201224ef202869399"])]
_BODY = json_or_form(
    NetworkRequest,
    {
        "scenario": "zip of a scenario folder; orders and fleet may be missing",
        **{name: " or ".join(ENDINGS[name]) for name in PARTS},
    },
    several=TILES,
)


@router.post(
    "",
    status_code=202,
    response_model=NetworkStatus,
    responses={
        **error_responses(
            *CREATION_ERRORS, ErrorCode.INVALID_SCENARIO, ErrorCode.UPLOAD_REFUSED, ErrorCode.SCENARIO_NOT_FOUND
        ),
        200: {"model": NetworkStatus, "description": "Finished within `Prefer: wait`, or by an earlier request"},
    },
    openapi_extra=_BODY,
)
async def create_network(
    request: Request,
    service: ServiceDep,
    caller: Planner,
    prefer: Prefer = None,
    _idempotency_key: IdempotencyKey = None,
) -> Response:
    """Prepare an area: its streets, terrain, timetable, sites, airspace and weather are read and kept."""
    key = idempotency_key(request)
    async with receive(request, ("scenario", *PARTS), several=(TILES, MAX_TILES)) as received:
        job, replayed = await run_in_threadpool(_accept, service, caller, received, key)
    return await answer_accepted(service, job, network_status, prefer=prefer, replayed=replayed)


def _accept(service: Service, caller: Caller, received: Received, key: str | None) -> tuple[Job, bool]:
    wanted = parse_body(received.document, NetworkRequest)

    def fill(stage: Path) -> Asked:
        folder = stage / SCENARIO
        folder.mkdir()
        fill_area(service.settings, wanted, received.files, folder)
        complete_network(folder)
        return Asked(read_area(folder, wanted.crs).name, {"crs": wanted.crs})

    return accept_job(service, caller, "network", received.digest, key, fill)


@router.get("", responses=error_responses())
def list_networks(
    service: ServiceDep,
    caller: Reader,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
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
    return answer_status(request, find_job(service, caller, network_id, "network"), network_status)


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
    _if_match: IfMatch = None,
) -> Response:
    """Forget a network; plans made on it keep what they need."""
    job = find_job(service, caller, network_id, "network")
    require_match(request, job)
    service.store.request_stop(job.id)
    service.store.delete_job(job.id)
    artifacts_of(service.settings).forget(job.id)
    return Response(status_code=204)
