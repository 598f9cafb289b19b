"""Errors as ``application/problem+json`` (RFC 9457): one shape for every refusal, every fault in it at once."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.error_codes import ERROR_KINDS, ErrorCode
from geodata.errors import Fault, InputError, nearest_name

MEDIA_TYPE = "application/problem+json"
MAX_FAULTS = 1_000
"""More faults than that are counted, not listed."""
MAX_VALUE_CHARS = 200
ALWAYS = (
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.INVALID_TOKEN,
    ErrorCode.TOKEN_EXPIRED,
    ErrorCode.IDENTITY_PROVIDER_DOWN,
    ErrorCode.FORBIDDEN,
    ErrorCode.FOREIGN_ORIGIN,
    ErrorCode.UNKNOWN_HOST,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.RATE_LIMITED,
    ErrorCode.INTERNAL,
)
"""Codes any operation may answer with."""
_LOG = logging.getLogger("shanlu.api")
_OF_STATUS = {
    400: ErrorCode.MALFORMED_BODY,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.BODY_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    422: ErrorCode.INVALID_REQUEST,
}


class ProblemFault(BaseModel):
    """One thing wrong: where (JSON pointer into the body, or file, row and field), what, and what would be right."""

    code: str = Field(description="stable code; faults of files are listed in docs/reference/errors.md")
    reason: str
    remedy: str | None = None
    pointer: str | None = Field(default=None, description="JSON pointer into the request body (RFC 6901)")
    parameter: str | None = Field(default=None, description="name of the query parameter or header at fault")
    file: str | None = None
    row: int | None = None
    field: str | None = None
    value: str | None = None


class Problem(BaseModel):
    """A problem document."""

    type: str = Field(examples=["urn:shanlu:problem:PLAN_NOT_FOUND"])
    title: str
    status: int
    code: ErrorCode
    detail: str
    action: str
    request_id: str
    faults: list[ProblemFault] = []
    faults_left_off: int = Field(default=0, description="number of faults beyond those listed")


class ApiError(Exception):
    """A refusal; raised anywhere in the service, answered as a problem document."""

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        faults: Iterable[ProblemFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.headers = code, detail, dict(headers or {})
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it travel between processes."""
        return ApiError, (self.code, self.detail, self.faults, self.headers)


def problem(code: ErrorCode, detail: str, request_id: str, faults: Sequence[ProblemFault] = ()) -> dict[str, Any]:
    """Return the problem document of a code."""
    kind = ERROR_KINDS[code]
    return Problem(
        type=f"urn:shanlu:problem:{code.value}",
        title=kind.title,
        status=kind.status,
        code=code,
        detail=detail,
        action=kind.action,
        request_id=request_id,
        faults=list(faults[:MAX_FAULTS]),
        faults_left_off=max(0, len(faults) - MAX_FAULTS),
    ).model_dump(mode="json", exclude_none=True)


def pointer(parts: Iterable[str | int]) -> str:
    """Return the JSON pointer of a path of keys and indices (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def faults_of_input(error: InputError, files: Mapping[str, str] | None = None) -> list[ProblemFault]:
    """Return the faults of files; `files` maps a file that came within a JSON body to its JSON pointer there."""
    return [_file_fault(fault, files or {}) for fault in error.faults]


def _file_fault(fault: Fault, files: Mapping[str, str]) -> ProblemFault:
    values = {key: value for key, value in fault.to_dict().items() if key != "value"}
    text = None if fault.value is None else fault.value[:MAX_VALUE_CHARS]
    base = files.get(fault.file)
    if base is None:
        return ProblemFault.model_validate({**values, "value": text})
    parts: list[str | int] = [] if fault.row is None else [fault.row - 1]
    parts += [] if fault.field is None else fault.field.split(".")
    return ProblemFault.model_validate({**values, "value": text, "pointer": base + pointer(parts)})


def faults_of_validation(errors: Sequence[Any], known: Iterable[str] = ()) -> list[ProblemFault]:
    """Return pydantic's errors as faults; unknown keys name the nearest of the known ones."""
    names = sorted(set(known))
    return [_validation_fault(error, names) for error in errors]


def _validation_fault(error: Mapping[str, Any], known: Sequence[str]) -> ProblemFault:
    place, *path = error["loc"] or ("body",)
    remedy = None
    if error["type"] == "extra_forbidden":
        near = nearest_name(str(path[-1] if path else place), known)
        remedy = f"Did you mean '{near}'?" if near else "Leave it out."
    in_body = place not in {"query", "header", "path", "cookie"}
    code = str(error["type"]).upper()
    value = error.get("input")
    text = str(value)[:MAX_VALUE_CHARS] if isinstance(value, str | int | float | bool) else None
    return ProblemFault(
        code=code,
        reason=str(error["msg"]),
        remedy=remedy,
        value=text,
        pointer=pointer(path if place == "body" else (place, *path)) if in_body else None,
        parameter=None if in_body else ".".join(str(part) for part in path),
    )


def invalid_scenario(error: InputError, files: Mapping[str, str] | None = None) -> ApiError:
    """Return the refusal of a scenario with faults; `files` as in `faults_of_input`."""
    faults = faults_of_input(error, files)
    detail = f"{len(faults)} faults in the scenario." if len(faults) != 1 else faults[0].reason
    return ApiError(ErrorCode.INVALID_SCENARIO, detail, faults)


def request_id_of(request: Request) -> str:
    """Return the id of a request; the middleware gave it one."""
    found = request.scope.get("request_id")
    return found if isinstance(found, str) else secrets.token_hex(8)


def answer(request: Request, error: ApiError) -> JSONResponse:
    """Return the answer to a refused request."""
    content = problem(error.code, error.detail, request_id_of(request), error.faults)
    return JSONResponse(content, ERROR_KINDS[error.code].status, error.headers, MEDIA_TYPE)


def error_responses(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of an operation's refusals: those named and those any operation may give."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in dict.fromkeys((*ALWAYS, *codes)):
        kind = ERROR_KINDS[code]
        schema = {"$ref": "#/components/schemas/Problem"}
        example = problem(code, kind.title, "5f2b8c1e9a7d4c30")
        entry = found.setdefault(
            kind.status,
            {
                "description": HTTPStatus(kind.status).phrase,
                "content": {MEDIA_TYPE: {"schema": schema, "examples": {}}},
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][code.value] = {"summary": kind.title, "value": example}
    return found


def install(app: FastAPI) -> None:
    """Let an application answer every error as a problem document."""

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, validation_error(error.errors()))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = _OF_STATUS.get(error.status_code, ErrorCode.INTERNAL)
        told = code is ErrorCode.MALFORMED_BODY and isinstance(error.detail, str)
        detail = error.detail if told else ERROR_KINDS[code].title
        return answer(request, ApiError(code, detail, headers=error.headers))

    @app.exception_handler(Exception)
    async def internal(request: Request, error: Exception) -> JSONResponse:
        _LOG.error("request %s failed", request_id_of(request), exc_info=error)
        return answer(request, ApiError(ErrorCode.INTERNAL, ERROR_KINDS[ErrorCode.INTERNAL].title))


def validation_error(errors: Sequence[Any], known: Iterable[str] = ()) -> ApiError:
    """Return the refusal of a request that is not of the documented form."""
    if any(error["type"] == "json_invalid" for error in errors):
        where = ", ".join(str(error.get("ctx", {}).get("error", error["msg"])) for error in errors)
        return ApiError(ErrorCode.MALFORMED_BODY, f"The body is not JSON: {where}")
    faults = faults_of_validation(errors, known)
    return ApiError(ErrorCode.INVALID_REQUEST, f"{len(faults)} faults in the request.", faults)
