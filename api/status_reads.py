"""Statuses from memory: a dispatch system asks for them all day, and between two asks mostly nothing has changed.

A read that goes through routing, validation, a thread and the database costs some two milliseconds of the processor, an
answer held in memory a tenth of that. SQLite tells cheaply whether anything was written since (``PRAGMA
data_version``), so that what is answered from memory is never old. What is not held or not plain goes the usual way.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from types import SimpleNamespace

from fastapi import Response
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

from api import service as access
from api.endpoints.following import StatusOf, status_answer, unchanged
from api.resources import etag_of, is_known
from api.schemas import plan_status
from api.service import Caller, Service, caller_of_key
from api.siting_schemas import siting_status
from api.store import Store

_PATH = re.compile(r"/v1/(plan|siting)s/((?:plan|siting)-[0-9a-f]{20})")
_BEARER = b"Bearer "
_STATUS_OF: Mapping[str, StatusOf] = {"plan": plan_status, "siting": siting_status}
_ROUTES = {
    "plan": SimpleNamespace(path="/v1/plans/{plan_id}"),
    "siting": SimpleNamespace(path="/v1/sitings/{siting_id}"),
}
"""By which path the figures of requests know an operation."""
MAX_HELD = 1_000
"""Most answers and most callers held at a time."""


class OwnReads:
    """Reads of a SQLite database over connections of their own, which no other thread holds while it waits to write.

    Parameters
    ----------
    engine
        Used by the caller's thread alone.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.store = Store(engine)
        self._watching: sqlite3.Connection | None = None
        self._watches = 0

    def stamp(self) -> tuple[int, int]:
        """Return what changes once any other connection, of any process, has committed a change."""
        if self._watching is None:
            path = str(self._engine.url.database)
            self._watching = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._watches += 1
        (found,) = self._watching.execute("PRAGMA data_version").fetchone()
        return self._watches, int(found)

    def close(self) -> None:
        """Close the connections; asking again opens new ones."""
        self._engine.dispose()
        if self._watching is not None:
            self._watching.close()
            self._watching = None


@dataclass(frozen=True, slots=True)
class _Status:
    kind: str
    tenant: str
    etag: str
    answer: Response


@dataclass(slots=True)
class _Held:
    """What was read since the last change of the database: statuses by job, callers by the text of their key."""

    stamp: tuple[int, int] | None = None
    statuses: dict[str, _Status] = field(default_factory=dict)
    callers: dict[str, tuple[str, Caller]] = field(default_factory=dict)


class StatusReads:
    """Answers reads of one plan's or siting's status from memory; passes everything else on.

    All of it runs in the event loop: reading a row of a local SQLite file, a few times a second, takes less than
    handing it to a thread.
    """

    def __init__(self, app: ASGIApp, service: Service, reads: OwnReads) -> None:
        self.app, self._service, self._reads = app, service, reads
        self._held = _Held()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        answer = None if found is None else self._answer(scope, found[1], found[2])
        if answer is None or found is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = _ROUTES[found[1]]
        await answer(scope, receive, send)

    def _answer(self, scope: Scope, kind: str, job_id: str) -> Response | None:
        """Return the answer, None where the usual way has to find it (or the refusal)."""
        headers = dict(scope["headers"])
        self._forget_if_changed()
        known = self._caller(scope, headers.get(b"authorization"))
        status = self._status(job_id) if known is not None else None
        if known is None or status is None or (status.kind, status.tenant) != (kind, known[1].tenant):
            return None
        if access.Scope.READ not in known[1].scopes or self._service.limiter.wait_s(known[0]) > 0.0:
            return None
        if_none_match = headers.get(b"if-none-match")
        if if_none_match is not None and is_known(if_none_match.decode("latin-1"), status.etag):
            return unchanged(status.etag)
        answer = copy(status.answer)
        answer.raw_headers = list(status.answer.raw_headers)  # compression changes the headers it is given
        return answer

    def _forget_if_changed(self) -> None:
        stamp = self._reads.stamp()
        if stamp != self._held.stamp or max(len(self._held.statuses), len(self._held.callers)) >= MAX_HELD:
            self._held = _Held(stamp)

    def _caller(self, scope: Scope, authorization: bytes | None) -> tuple[str, Caller] | None:
        """Return the name requests are counted under and the caller; None for no API key or one not valid."""
        if self._service.open:
            return access.local_caller(scope["client"][0] if scope.get("client") else None)
        if authorization is None or not authorization.startswith(_BEARER):
            return None
        key = authorization[len(_BEARER) :].decode("latin-1")
        if key not in self._held.callers:
            row = self._reads.store.find_key(key)
            if row is None:
                return None
            self._held.callers[key] = caller_of_key(row)
        return self._held.callers[key]

    def _status(self, job_id: str) -> _Status | None:
        held = self._held.statuses.get(job_id)
        if held is None:
            job = self._reads.store.job(job_id)
            if job is None or job.kind not in _STATUS_OF:
                return None
            held = _Status(job.kind, job.tenant, etag_of(job), status_answer(job, _STATUS_OF[job.kind]))
            self._held.statuses[job_id] = held
        return held
