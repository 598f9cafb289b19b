"""What resources have in common: ETags, pages, and the files a plan's results come as."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from fastapi import Request

from api.error_codes import ErrorCode
from api.problem_json import ApiError
from api.service import Caller, Service
from api.store import Job, JobKind


class ResultFile(StrEnum):
    """Base of the files a finished job has."""

    @property
    def path(self) -> str:
        """Name of the file in the result folder."""
        return _FILES[type(self)][self.value][0]

    @property
    def media_type(self) -> str:
        """Its media type."""
        return _FILES[type(self)][self.value][1]

    @property
    def content_security_policy(self) -> str:
        """What the map page may do: run what it carries itself, and reach nothing else."""
        return (
            "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:; "
            "font-src data:; connect-src data: blob:; worker-src blob:; child-src blob:; frame-ancestors 'none'; "
            "base-uri 'none'; form-action 'none'"
        )


class ResultPart(ResultFile):
    """The files of a finished plan."""

    PLAN = "plan"
    GEOJSON = "geojson"
    ROUTES = "routes"
    ORDERS = "orders"
    MANIFESTS = "manifests"
    MAP = "map"
    REPORT = "report"


class SitingPart(ResultFile):
    """The files of a finished siting."""

    REPORT = "report"
    GEOJSON = "geojson"
    POINTS = "points"
    SETTLEMENTS = "settlements"
    FRONT = "front"
    MAP = "map"


_FILES: dict[type[ResultFile], dict[str, tuple[str, str]]] = {
    ResultPart: {
        "plan": ("plan.json", "application/json"),
        "geojson": ("plan.geojson", "application/geo+json"),
        "routes": ("routes.csv", "text/csv"),
        "orders": ("orders.csv", "text/csv"),
        "manifests": ("manifests/manifests.pdf", "application/pdf"),
        "map": ("map.html", "text/html"),
        "report": ("report.json", "application/json"),
    },
    SitingPart: {
        "report": ("report.json", "application/json"),
        "geojson": ("points.geojson", "application/geo+json"),
        "points": ("points.csv", "text/csv"),
        "settlements": ("settlements.csv", "text/csv"),
        "front": ("front.csv", "text/csv"),
        "map": ("map.html", "text/html"),
    },
}
NEGOTIATED = (ResultPart.PLAN, ResultPart.GEOJSON, ResultPart.ROUTES, ResultPart.MANIFESTS, ResultPart.MAP)
"""The part of a plan that stands for each media type, the preferred first."""
NEGOTIATED_SITING = (SitingPart.REPORT, SitingPart.GEOJSON, SitingPart.POINTS, SitingPart.MAP)
"""The same of a siting."""
Part = TypeVar("Part", bound=ResultFile)


def etag_of(job: Job) -> str:
    """Return the ETag of a job's description; it changes with every change of the job."""
    return f'"{job.id}-{job.revision}"'


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def not_modified(request: Request, etag: str) -> bool:
    """Return whether the caller has this version already."""
    header = request.headers.get("if-none-match")
    return header is not None and is_known(header, etag)


def is_known(if_none_match: str, etag: str) -> bool:
    """Return whether an If-None-Match header names a version."""
    return bool({etag, "*"} & _tags(if_none_match))


def require_match(request: Request, job: Job) -> None:
    """Refuse with PRECONDITION_FAILED when the caller acts on another version than the current one."""
    require_version(request.headers.get("if-match"), etag_of(job))


def require_version(if_match: str | None, etag: str | None) -> None:
    """Refuse with PRECONDITION_FAILED when If-Match names another version; `etag` is None where there is none yet."""
    if if_match is not None and (etag is None or not {etag, "*"} & _tags(if_match)):
        told = "There is no version yet." if etag is None else f"The current version is {etag}."
        raise ApiError(ErrorCode.PRECONDITION_FAILED, told)


def cursor_page(
    service: Service, caller: Caller, kind: JobKind, limit: int, cursor: str | None
) -> tuple[list[Job], str | None]:
    """Return a page of jobs and the path of the next page, None after the last."""
    jobs = service.store.jobs(caller.tenant, kind, limit + 1, cursor)
    more = f"/v1/{kind}s?limit={limit}&cursor={jobs[limit - 1].id}" if len(jobs) > limit else None
    return jobs[:limit], more


def negotiate(accept: str, parts: tuple[Part, ...]) -> Part:
    """Return the part that suits an Accept header best, of equals the first.

    Raises
    ------
    ApiError
        NOT_ACCEPTABLE when none does.
    """
    wanted: list[tuple[float, int, Part]] = []
    for entry in accept.split(","):
        media_range, _, parameters = entry.strip().partition(";")
        quality = _quality(parameters)
        for rank, part in enumerate(parts):
            if quality > 0 and _covers(media_range.strip().lower(), part.media_type):
                wanted.append((-quality, rank, part))
    if not wanted:
        types = ", ".join(part.media_type for part in parts)
        raise ApiError(ErrorCode.NOT_ACCEPTABLE, f"The result comes as {types}.")
    return min(wanted)[2]


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _covers(media_range: str, media_type: str) -> bool:
    return media_range in ("*/*", media_type, media_type.split("/", maxsplit=1)[0] + "/*")
