"""What plans and sitings share: keeping a job, waiting for it, following, stopping, sending its files."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import ServerSentEvent

from api.artifacts import artifacts_of
from api.error_codes import ErrorCode
from api.problem_json import ApiError
from api.resources import ResultFile, etag_of, not_modified, require_match
from api.schemas import JobStatus
from api.service import Service, there
from api.store import Job, TooManyJobsError

LOOK_S = 0.2
"""How often a waiting request or an event stream looks for news."""
_PIECE_BYTES = 1 << 18
StatusOf = Callable[[Job], JobStatus]


def keep_job(service: Service, job: Job, stage: Path) -> tuple[Job, bool]:
    """Move a job's staged folder to its place and put the job into the store and the queue.

    Returns the job, or the one an earlier request with the same key made, and whether it was that.

    Raises
    ------
    ApiError
        TOO_MANY_JOBS, IDEMPOTENCY_MISMATCH.
    """
    folder = service.settings.job_folder(job.id)
    folder.mkdir(parents=True)
    for part in sorted(stage.iterdir()):
        part.rename(folder / part.name)
    artifacts = artifacts_of(service.settings)
    artifacts.publish(job.id)
    try:
        traced = replace(job, traceparent=service.tracing.traceparent())
        kept = service.store.add_job(traced, service.queue.enqueue, service.settings.max_active_jobs)
    except TooManyJobsError:
        artifacts.forget(job.id)
        detail = f"{service.settings.max_active_jobs} jobs are unfinished, which is the most there may be."
        raise ApiError(ErrorCode.TOO_MANY_JOBS, detail, headers={"Retry-After": "10"}) from None
    if kept.id != job.id:  # a request with the same key came between
        artifacts.forget(job.id)
        if kept.request_digest != job.request_digest:
            raise ApiError(ErrorCode.IDEMPOTENCY_MISMATCH, "The key belongs to an earlier, different request.")
    return kept, kept.id != job.id


async def answer_accepted(
    service: Service, job: Job, status_of: StatusOf, *, prefer: str | None, replayed: bool
) -> Response:
    """Answer with the job's status: at once, or when it is finished within the wait the caller prefers."""
    wait_s = min(_wait_of(prefer), service.settings.max_wait_s)
    job = await _wait(service, job, wait_s) if wait_s else job
    headers = {"Location": f"/v1/{job.kind}s/{job.id}", "ETag": etag_of(job)}
    if wait_s:
        headers["Preference-Applied"] = f"wait={wait_s}"
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(status_of(job).model_dump(mode="json"), 200 if job.state.is_final else 202, headers)


def _wait_of(prefer: str | None) -> int:
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*(\d{1,6})\b", prefer or "")
    return int(found[1]) if found else 0


async def _wait(service: Service, job: Job, wait_s: int) -> Job:
    end = time.monotonic() + wait_s
    while not job.state.is_final and time.monotonic() < end:
        await asyncio.sleep(LOOK_S)
        current = await run_in_threadpool(_again, service, job)
        job = current or job
    return job


def _again(service: Service, job: Job) -> Job | None:
    return service.store.job(job.id)


def answer_status(request: Request, job: Job, status_of: StatusOf) -> Response:
    """Answer with the job's status, or that it is the one the caller has."""
    if not_modified(request, etag_of(job)):
        return unchanged(etag_of(job))
    return status_answer(job, status_of)


def status_answer(job: Job, status_of: StatusOf) -> Response:
    """Return the job's status as an answer; it does not change, so that it can be sent any number of times."""
    return JSONResponse(status_of(job).model_dump(mode="json"), headers=_versioned(etag_of(job)))


def unchanged(etag: str) -> Response:
    """Return the answer that the caller has this version of a status already."""
    return Response(status_code=304, headers=_versioned(etag))


def _versioned(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "no-cache"}


def stop_job(service: Service, request: Request, job: Job, status_of: StatusOf, *, purge: bool) -> Response:
    """Ask a job to stop; with `purge` forget a finished one with its files."""
    require_match(request, job)
    if purge:
        if not job.state.is_final:
            raise ApiError(ErrorCode.RESULT_NOT_READY, f"The {job.kind} is not finished; stop it first.")
        service.store.delete_job(job.id)
        artifacts_of(service.settings).forget(job.id)
        return Response(status_code=204)
    job = there(service.store.request_stop(job.id), job.kind, job.id)
    return JSONResponse(status_of(job).model_dump(mode="json"), headers={"ETag": etag_of(job)})


async def follow_job(
    service: Service, job: Job, seen: str | None, status_of: StatusOf
) -> AsyncIterator[ServerSentEvent]:
    """Yield an event `status` at every change of the job, until it is finished or gone."""
    while True:
        if str(job.revision) != seen:
            seen = str(job.revision)
            yield ServerSentEvent(event="status", id=seen, data=status_of(job).model_dump(mode="json"))
        if job.state.is_final:
            return
        await asyncio.sleep(LOOK_S)
        current = await run_in_threadpool(_again, service, job)
        if current is None:
            return
        job = current


FINAL_HEADER = "Shanlu-Final"
"""Tells whether a file is of the finished plan, or of the best checked one so far."""


def send_file(service: Service, request: Request, job: Job, part: ResultFile) -> Response:
    """Send a file of a finished job, or of the best plan so far of one that is made.

    Raises
    ------
    ApiError
        NO_RESULT, RESULT_NOT_READY.
    """
    if job.result is None:
        return _send_early(service, request, job, part)
    path = artifacts_of(service.settings).file(job.id, f"{job.result['folder']}/{part.path}")
    headers = _file_headers(f'"{job.id}-{job.attempt}-{part.value}"', part, final=True)
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        file = path.open("rb")
    except FileNotFoundError:  # the job was purged since it was looked up; once open, the file can be read to its end
        raise ApiError(ErrorCode.NO_RESULT, f"The {job.kind} has just been deleted.") from None
    headers["Content-Length"] = str(os.fstat(file.fileno()).st_size)
    return StreamingResponse(_pieces(file), media_type=part.media_type, headers=headers)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file piece by piece and close it."""
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _send_early(service: Service, request: Request, job: Job, part: ResultFile) -> Response:
    """Send a file of a job without a result yet, as it is now: the next one may be another."""
    content = _early_content(service, job, part)
    if content is None:
        code = ErrorCode.NO_RESULT if job.state.is_final else ErrorCode.RESULT_NOT_READY
        raise ApiError(code, f"The {job.kind}'s state is '{job.state.value}'.")
    final = bool((job.progress or {}).get("checked"))  # a replan tells its plan before map and manifests are made
    headers = _file_headers(f'"{job.id}-{hashlib.sha256(content).hexdigest()[:32]}"', part, final=final)
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=part.media_type, headers=headers)


def _early_content(service: Service, job: Job, part: ResultFile) -> bytes | None:
    folder = None if job.state.is_final else (job.progress or {}).get("folder")
    if folder is None:
        return None
    try:
        return (artifacts_of(service.settings).folder(job.id) / str(folder) / part.path).read_bytes()
    except FileNotFoundError:  # not of those that come early, or the plan was finished just now
        return None


def _file_headers(etag: str, part: ResultFile, *, final: bool) -> dict[str, str]:
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", FINAL_HEADER: str(final).lower()}
    if part.media_type == "text/html":
        headers["Content-Security-Policy"] = part.content_security_policy
    return headers
