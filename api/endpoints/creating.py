"""What plans, replans, sitings and networks share when they are asked for: headers, bodies, errors, keeping the job."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import BaseModel

from api.endpoints.following import keep_job
from api.error_codes import ErrorCode
from api.intake import earlier_job
from api.problem_json import ApiError, ProblemFault
from api.service import Caller, Service
from api.store import Job, JobKind, JobState, new_id
from api.uploads import staging

Prefer = Annotated[str | None, Header(description="`wait=N` answers when finished, at most N seconds later")]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", description="a repeated request finds what the first one made")
]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="act only on this ETag")]
Purge = Annotated[bool, Query(description="forget a finished one with all its files")]
LastEventId = Annotated[str | None, Header(description="id of the last event seen")]
PageLimit = Annotated[int, Query(ge=1, le=200)]
PageCursor = Annotated[
    str | None, Query(pattern="^(plan|network|siting)-[0-9a-f]{20}$", description="from `next` of the page before")
]
CREATION_ERRORS = (
    ErrorCode.MALFORMED_BODY,
    ErrorCode.IDEMPOTENCY_MISMATCH,
    ErrorCode.BODY_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.TOO_MANY_JOBS,
)
"""Refusals of every request that makes a job."""
DAY_ERRORS = (
    *CREATION_ERRORS,
    ErrorCode.INVALID_SCENARIO,
    ErrorCode.UPLOAD_REFUSED,
    ErrorCode.SCENARIO_NOT_FOUND,
    ErrorCode.NETWORK_NOT_FOUND,
    ErrorCode.NETWORK_NOT_READY,
    ErrorCode.TOO_MANY_ORDERS,
)
"""Those of requests that bring a day's scenario or name one."""


@dataclass(frozen=True)
class Asked:
    """What is kept of a request in the store."""

    name: str
    request: dict[str, Any]
    network_id: str | None = None


def json_or_form(model: type[BaseModel], files: Mapping[str, str], several: str | None = None) -> dict[str, Any]:
    """Return what OpenAPI says of a body that is JSON, or a form with the JSON and files, described by name.

    Parameters
    ----------
    several
        The file that may come more than once.
    """
    fields: dict[str, Any] = {"request": {"type": "string", "description": "the JSON document, as text"}}
    for name, description in files.items():
        file = {"type": "string", "format": "binary"}
        fields[name] = {"type": "array", "items": file} if name == several else file
        fields[name]["description"] = description
    return {"requestBody": _body(model, {"type": "object", "additionalProperties": False, "properties": fields})}


def json_only(model: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says of a body that is JSON."""
    return {"requestBody": _body(model, None)}


def _body(model: type[BaseModel], form: dict[str, Any] | None) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    if form is not None:
        content["multipart/form-data"] = {"schema": form}
    return {"required": True, "content": content}


def accept_job(
    service: Service, caller: Caller, kind: JobKind, digest: str, key: str | None, fill: Callable[[Path], Asked]
) -> tuple[Job, bool]:
    """Return the job of a request, and whether an earlier request with the same key made it.

    Parameters
    ----------
    fill
        Puts the inputs of a new job into an empty folder; it raises what is at fault with them.
    """
    earlier = earlier_job(service, caller, kind, key, digest)
    if earlier is not None:
        return earlier, True
    with staging(service.settings) as stage:
        asked = fill(stage)
        job = Job(
            id=new_id(kind),
            kind=kind,
            tenant=caller.tenant,
            name=asked.name,
            state=JobState.ACCEPTED,
            created_s=time.time(),
            request=asked.request,
            request_digest=digest,
            idempotency_key=key,
            network_id=asked.network_id,
        )
        return keep_job(service, job, stage)


def refuse_long_search(service: Service, body: BaseModel, *keys: str) -> None:
    """Refuse a search longer than the service allows, each key with its place."""
    longest_s = service.settings.max_time_limit_s
    faults = [
        ProblemFault(code="TOO_LONG", pointer=f"/{key}", reason=f"longer than {longest_s:g} s, the longest search here")
        for key in keys
        if (getattr(body, key) or 0.0) > longest_s
    ]
    if faults:
        raise ApiError(ErrorCode.INVALID_REQUEST, "The search would take too long.", faults)
