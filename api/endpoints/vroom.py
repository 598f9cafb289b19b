"""VROOM's own paths: what speaks to vroom-express or openrouteservice speaks to Shanlu by changing a URL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from api.artifacts import artifacts_of
from api.coordinates import CONVERTED, CRS_DESCRIPTION, Crs, wgs84_place
from api.problem_json import error_responses
from api.service import Caller, Planner, Service, ServiceDep
from api.store import JobState
from api.vroom.problem import VroomError
from api.vroom.request import Part, VroomRequest, unknown_keys
from api.vroom.solve import solve_vroom
from api.work import SCENARIO

router = APIRouter(tags=["vroom"])
STATUS_OF_CODE = {1: 500, 2: 400, 3: 500, 4: 413}
"""HTTP status of VROOM's codes (1 internal, 2 input, 3 routing), as vroom-express answers; 4 is its too large."""
_ERROR = {
    "type": "object",
    "required": ["code", "error"],
    "properties": {"code": {"type": "integer"}, "error": {"type": "string"}},
}
_ANSWER = {
    "type": "object",
    "required": ["code", "summary", "unassigned", "routes"],
    "properties": {
        "code": {"const": 0},
        "summary": {"type": "object"},
        "unassigned": {"type": "array", "items": {"type": "object"}},
        "routes": {"type": "array", "items": {"type": "object"}},
        "warnings": {"type": "array", "items": {"type": "string"}},
    },
}
_EXAMPLE = {
    "vehicles": [{"id": 1, "start_index": 0, "end_index": 0, "capacity": [4]}],
    "jobs": [{"id": 7, "location_index": 1, "service": 300, "delivery": [1]}],
    "matrices": {"car": {"durations": [[0, 600], [620, 0]]}},
}
_OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/VroomRequest"}, "example": _EXAMPLE}},
    }
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    **error_responses(),
    200: {"description": "VROOM's answer, code 0", "content": {"application/json": {"schema": _ANSWER}}},
    400: {"description": "Code 2: the input is at fault", "content": {"application/json": {"schema": _ERROR}}},
    413: {"description": "Code 4: too many tasks or vehicles", "content": {"application/json": {"schema": _ERROR}}},
    500: {"description": "Code 1 or 3: internal, routing", "content": {"application/json": {"schema": _ERROR}}},
}


@router.post("/", responses=_RESPONSES, openapi_extra=_OPENAPI, response_model=None)
@router.post("/optimization", responses=_RESPONSES, openapi_extra=_OPENAPI, response_model=None)
async def optimize(
    request: Request,
    service: ServiceDep,
    caller: Planner,
    strict: Annotated[bool, Query(description="refuse unknown keys instead of warning of them")] = False,
    crs: Annotated[Crs, Query(description=CRS_DESCRIPTION)] = "wgs84",
) -> JSONResponse:
    """Plan trips for jobs and shipments, as VROOM 1.14 is asked and answers."""
    try:
        wanted = _read(await request.body(), strict=strict)
        _refuse_too_large(wanted, service)
        if crs == "gcj02":
            wanted = in_wgs84(wanted)
        network = await run_in_threadpool(_network, service, caller)
        answer = await service.calculator.run(solve_vroom, wanted, network, service.settings.vroom_time_limit_s)
    except VroomError as error:
        return JSONResponse({"code": error.code, "error": error.text}, STATUS_OF_CODE[error.code])
    if crs == "gcj02":
        answer = {**answer, "warnings": [*answer.get("warnings", []), CONVERTED]}
    return JSONResponse(answer)


def _read(body: bytes, *, strict: bool) -> VroomRequest:
    try:
        wanted = VroomRequest.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        text = "; ".join(": ".join(filter(None, ("/".join(map(str, f["loc"])), f["msg"]))) for f in faults[:20])
        more = f"; and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise VroomError(2, f"{text}{more}") from None
    unknown = list(unknown_keys(wanted))
    if strict and unknown:
        raise VroomError(2, "; ".join(unknown))
    return wanted


def _refuse_too_large(wanted: VroomRequest, service: Service) -> None:
    tasks, limit = len(wanted.jobs) + 2 * len(wanted.shipments), service.settings.max_vroom_tasks
    if tasks > limit:
        raise VroomError(4, f"Too many tasks ({tasks}) in query, maximum is set to {limit}")
    if len(wanted.vehicles) > service.settings.max_vroom_vehicles:
        most = service.settings.max_vroom_vehicles
        raise VroomError(4, f"Too many vehicles ({len(wanted.vehicles)}) in query, maximum is set to {most}")


def in_wgs84(wanted: VroomRequest) -> VroomRequest:
    """Return a request in GCJ-02 with its coordinates in WGS 84."""
    shipments = [
        part.model_copy(update={"pickup": _moved(part.pickup), "delivery": _moved(part.delivery)})
        for part in wanted.shipments
    ]
    parts = {"jobs": [_moved(part) for part in wanted.jobs], "shipments": shipments}
    return wanted.model_copy(update={**parts, "vehicles": [_moved(part) for part in wanted.vehicles]})


def _moved(part: Part) -> Part:
    places = {name: getattr(part, name, None) for name in ("location", "start", "end")}
    return part.model_copy(update={name: wgs84_place(place) for name, place in places.items() if place is not None})


def _network(service: Service, caller: Caller) -> Path | None:
    """Return the folder of the network that routes coordinates: the one configured, else the tenant's newest."""
    configured = service.settings.vroom_network
    if configured is not None:
        job = service.store.job(configured, caller.tenant, "network")
        found = [] if job is None else [job]
    else:
        found = service.store.jobs(caller.tenant, "network", 20)
    ready = next((job for job in found if job.state is JobState.SUCCESSFUL), None)
    return None if ready is None else artifacts_of(service.settings).folder(ready.id) / SCENARIO
