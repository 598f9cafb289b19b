"""What changes during the day on a network: closed roads, weather, airspace, bus delays; each a file with versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse

from api.artifacts import artifacts_of
from api.calculations import facts_with
from api.day_files import DayFile, current_version, install_version, stage_version
from api.error_codes import ErrorCode
from api.networks import locked
from api.problem_json import ApiError, error_responses
from api.resources import not_modified, require_version
from api.schemas import DayFileVersion
from api.service import Caller, Planner, Reader, Service, ServiceDep, find_job, there
from api.store import Job, JobState
from api.uploads import staging
from api.work import SCENARIO

router = APIRouter(prefix="/v1/networks", tags=["networks"])
NetworkId = Annotated[str, InPath(max_length=100, examples=["network-01a201224ef202869399"])]
_CLOSURE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"kind": "closed", "from_s": 28_800, "until_s": 64_800},
            "geometry": {"type": "LineString", "coordinates": [[1.52, 42.51], [1.53, 42.52]]},
        }
    ],
}
_COLLECTION = {"schema": {"type": "object"}, "example": _CLOSURE}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "closures and airspace: GeoJSON; weather: CSV; timetable-updates: a GTFS-Realtime FeedMessage",
        "content": {
            "application/geo+json": _COLLECTION,
            "application/json": _COLLECTION,
            "text/csv": {"schema": {"type": "string"}, "example": "hour,temp_c\n0,12.5\n"},
            "application/octet-stream": _BINARY,
        },
    }
}
_CONTENT = {
    "200": {
        "description": "The file as it was sent",
        "content": {which.media_types[0]: {} for which in DayFile},
    }
}


@router.put(
    "/{network_id}/{which}",
    response_model=DayFileVersion,
    responses=error_responses(
        ErrorCode.NETWORK_NOT_FOUND,
        ErrorCode.NETWORK_NOT_READY,
        ErrorCode.INVALID_SCENARIO,
        ErrorCode.PRECONDITION_FAILED,
        ErrorCode.BODY_TOO_LARGE,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ),
    openapi_extra=_BODY,
)
async def put_day_file(
    network_id: NetworkId,
    which: DayFile,
    request: Request,
    service: ServiceDep,
    caller: Planner,
    if_match: Annotated[str | None, Header(description="act only on this version of the file")] = None,
) -> Response:
    """Replace a file of the day; plans made from now on use it, plans made or begun before keep theirs."""
    _judge_media_type(request, which)
    content = await request.body()
    if len(content) > service.settings.max_day_file_bytes:
        raise ApiError(ErrorCode.BODY_TOO_LARGE, f"The file has more than {service.settings.max_day_file_bytes} bytes.")
    network = await run_in_threadpool(_network_folder, service, caller, network_id)
    await run_in_threadpool(_require_current, network, which, if_match)
    with staging(service.settings) as stage:
        name = await run_in_threadpool(stage_version, network, stage / SCENARIO, which, content)
        await service.calculator.run(facts_with, stage / SCENARIO, which)
        return await run_in_threadpool(_install, service, caller, network_id, stage / SCENARIO, which, name, if_match)


def _install(
    service: Service, caller: Caller, network_id: str, staged: Path, which: DayFile, name: str, if_match: str | None
) -> Response:
    network = _network_folder(service, caller, network_id)
    with locked(network):
        _require_current(network, which, if_match)
        install_version(network, staged, which, name)
        artifacts_of(service.settings).publish(network_id)
        facts = {**(_ready(service, caller, network_id).result or {}), **_digest_of(network)}
        job = there(service.store.revise(network_id, facts), "network", network_id)
        version = current_version(network, which)
    assert version is not None  # it was installed under the lock
    found = DayFileVersion(
        network=network_id, file=which.value, digest=version.digest, network_digest=str((job.result or {})["digest"])
    )
    return JSONResponse(found.model_dump(mode="json"), headers={"ETag": _etag(version.digest)})


def _digest_of(network: Path) -> dict[str, Any]:
    from routing.scenario import read_scenario  # noqa: PLC0415 - slow to import, and few requests need it

    return {"digest": read_scenario(network).digest}


@router.get(
    "/{network_id}/{which}",
    responses={
        304: {"description": "Unchanged since the ETag given"},
        **error_responses(ErrorCode.NETWORK_NOT_FOUND, ErrorCode.NETWORK_NOT_READY, ErrorCode.DAY_FILE_NOT_FOUND),
    },
    openapi_extra={"responses": _CONTENT},
    response_class=FileResponse,
)
def get_day_file(
    network_id: NetworkId, which: DayFile, request: Request, service: ServiceDep, caller: Reader
) -> Response:
    """Return the version of a file of the day that plans made now use."""
    version = current_version(_network_folder(service, caller, network_id), which)
    if version is None:
        raise ApiError(ErrorCode.DAY_FILE_NOT_FOUND, f"The network has no {which.value}.")
    headers = {"ETag": _etag(version.digest), "Cache-Control": "private, no-cache"}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(version.path.read_bytes(), media_type=which.media_types[0], headers=headers)


def _judge_media_type(request: Request, which: DayFile) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in which.media_types:
        detail = f"The {which.value} come as {' or '.join(which.media_types)}."
        raise ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, detail)


def _ready(service: Service, caller: Caller, network_id: str) -> Job:
    job = find_job(service, caller, network_id, "network")
    if job.state is not JobState.SUCCESSFUL:
        raise ApiError(ErrorCode.NETWORK_NOT_READY, f"The network's state is '{job.state.value}'.")
    return job


def _network_folder(service: Service, caller: Caller, network_id: str) -> Path:
    return artifacts_of(service.settings).folder(_ready(service, caller, network_id).id) / SCENARIO


def _require_current(network: Path, which: DayFile, if_match: str | None) -> None:
    """Refuse to replace another version than the one the caller knows."""
    version = current_version(network, which)
    require_version(if_match, None if version is None else _etag(version.digest))


def _etag(digest: str) -> str:
    return f'"{digest}"'
