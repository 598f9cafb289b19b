"""What the service remembers: jobs, the orders of finished plans, keys, workers. SQLite (WAL) or PostgreSQL."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import Engine, and_, create_engine, delete, event, func, insert, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.tables import JobRow, KeyRow, PlannedOrderRow, WorkerRow

JobKind = Literal["plan", "network", "siting"]
KEY_PREFIX = "shanlu_"
"""What every API key begins with."""
_LOOKED_AT = 100
"""Waiting jobs among which a worker looks for one on a network it holds, the oldest first."""
BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another one before SQLite gives up."""


class JobState(StrEnum):
    """States of a job, named as OGC API Processes names them."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    DISMISSED = "dismissed"

    @property
    def is_final(self) -> bool:
        """Whether the job will not change any more."""
        return self not in (JobState.ACCEPTED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stood when it was read; fields as in `api.tables.JobRow`."""

    id: str
    kind: JobKind
    tenant: str
    name: str
    state: JobState
    created_s: float
    request: dict[str, Any]
    request_digest: str
    started_s: float | None = None
    finished_s: float | None = None
    idempotency_key: str | None = None
    network_id: str | None = None
    stop_requested: bool = False
    attempt: int = 0
    revision: int = 0
    progress: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    traceparent: str | None = None
    ticket: str | None = None


class TooManyJobsError(Exception):
    """The tenant has as many unfinished jobs as it may have."""


_NUL = "\0"
"""Stands in no id; PostgreSQL would refuse to look for a text with it."""


def new_id(kind: JobKind) -> str:
    """Return a new id; ids of one kind sort by time of making."""
    return f"{kind}-{int(time.time() * 1000):012x}{secrets.token_hex(4)}"


def open_engine(url: str) -> Engine:
    """Return the engine of a database; SQLite gets write-ahead logging and whole-transaction write locks."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            # A write lock is taken with the first change, so that no transaction fails half-way for a lock.
            connection.isolation_level = "IMMEDIATE"
            for pragma in ("journal_mode=WAL", f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

    return engine


def _found(session: Session, job_id: str) -> Job | None:
    row = session.get(JobRow, job_id)
    return None if row is None else _job(row)


def _job(row: JobRow) -> Job:
    values = {name: getattr(row, name) for name in Job.__dataclass_fields__}
    return Job(**{**values, "state": JobState(row.state)})


class Store:
    """Reads and changes of the database, each one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_local(self) -> bool:
        """Whether the database is SQLite: a file of this machine, read without asking another process."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with Session(self.engine) as session, session.begin():
            yield session

    def ping(self) -> None:
        """Read something, to learn that the database answers."""
        with self._session() as session:
            session.execute(select(func.count()).select_from(WorkerRow)).scalar_one()

    # --- Jobs ------------------------------------------------------------------------------------------------------

    def add_job(self, job: Job, enqueue: Callable[[Session, Job], None], max_active: int) -> Job:
        """Insert a job and put it into the queue in one transaction, so that none is lost between the two.

        Returns
        -------
        Job
            The job itself, or the earlier one of the same tenant, kind and idempotency key.

        Raises
        ------
        TooManyJobsError
            If the tenant has `max_active` unfinished jobs already.
        """
        try:
            with self._session() as session:
                values = {name: getattr(job, name) for name in Job.__dataclass_fields__}
                session.execute(insert(JobRow).values(**{**values, "state": job.state.value}))
                if not job.state.is_final:
                    if _count_active(session, job.tenant) > max_active:
                        raise TooManyJobsError
                    enqueue(session, job)
        except IntegrityError:
            earlier = self.job_of_key(job.tenant, job.kind, job.idempotency_key)
            if earlier is None:
                raise
            return earlier
        return job

    def job_of_key(self, tenant: str, kind: JobKind, idempotency_key: str | None) -> Job | None:
        """Return the job an idempotency key made; None for a new key."""
        if idempotency_key is None:
            return None
        query = select(JobRow).where(
            JobRow.tenant == tenant, JobRow.kind == kind, JobRow.idempotency_key == idempotency_key
        )
        with self._session() as session:
            row = session.execute(query).scalar_one_or_none()
            return None if row is None else _job(row)

    def job(self, job_id: str, tenant: str | None = None, kind: JobKind | None = None) -> Job | None:
        """Return a job, None where there is none of that id, tenant and kind."""
        with self._session() as session:
            row = None if _NUL in job_id else session.get(JobRow, job_id)
            if row is None or tenant not in (None, row.tenant) or kind not in (None, row.kind):
                return None
            return _job(row)

    def jobs(self, tenant: str, kind: JobKind, limit: int, before: str | None = None) -> list[Job]:
        """Return jobs, the newest first; with `before` those made before that one."""
        query = select(JobRow).where(JobRow.tenant == tenant, JobRow.kind == kind)
        if before is not None:
            query = query.where(JobRow.id < before)
        with self._session() as session:
            return [_job(row) for row in session.execute(query.order_by(JobRow.id.desc()).limit(limit)).scalars()]

    def count_by_state(self) -> dict[tuple[str, str], int]:
        """Return the number of jobs by kind and state."""
        query = select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state)
        with self._session() as session:
            return {(kind, state): number for kind, state, number in session.execute(query)}

    def claim(self, ticket: str, held: Collection[str], patience_s: float) -> Job | None:
        """Return the job that a ticket of the queue is for, begun anew; None where there is none.

        Every accepted job brings one ticket, but a ticket is good for any job: the worker takes the oldest on a network
        it holds, else the oldest. One that waits for more than `patience_s` is passed over no more. A ticket whose
        worker died goes on with the job it was used for.
        """
        with self._session() as session:
            own = or_(JobRow.ticket == ticket, and_(JobRow.ticket.is_(None), JobRow.id == ticket))
            begun = session.execute(select(JobRow.id).where(JobRow.state == "running", own)).scalars().first()
        if begun is not None:
            return self.begin_attempt(begun)
        while True:
            with self._session() as session:
                query = select(JobRow.id, JobRow.network_id, JobRow.created_s).where(JobRow.state == "accepted")
                waiting = session.execute(query.order_by(JobRow.created_s, JobRow.id).limit(_LOOKED_AT)).all()
            if not waiting:
                return None
            oldest = waiting[0]
            known = next((row for row in waiting if row.network_id in held), oldest)
            chosen = oldest if time.time() - oldest.created_s > patience_s else known
            job = self._begin(chosen.id, ("accepted",), {"ticket": ticket})
            if job is not None:
                return job  # else another worker was quicker

    def begin_attempt(self, job_id: str) -> Job | None:
        """Mark a job as running under a new attempt number; None where it is gone or final.

        Only the newest attempt can change the job: a worker taken for dead that still lives writes nothing.
        """
        return self._begin(job_id, ("accepted", "running"), {})

    def _begin(self, job_id: str, states: Sequence[str], changes: dict[str, Any]) -> Job | None:
        with self._session() as session:
            changed = session.execute(
                update(JobRow)
                .where(JobRow.id == job_id, JobRow.state.in_(states))
                .values(
                    state="running",
                    attempt=JobRow.attempt + 1,
                    revision=JobRow.revision + 1,
                    started_s=func.coalesce(JobRow.started_s, time.time()),
                    progress=None,
                    **changes,
                )
            )
            if not _rows(changed):
                return None
            return _job(session.get_one(JobRow, job_id))

    def report(self, job: Job, progress: dict[str, Any]) -> bool:
        """Record the progress of an attempt; return whether the attempt should stop."""
        with self._session() as session:
            changed = session.execute(
                update(JobRow)
                .where(JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state == "running")
                .values(progress=progress, revision=JobRow.revision + 1)
            )
            if not _rows(changed):
                return True
            return session.execute(select(JobRow.stop_requested).where(JobRow.id == job.id)).scalar_one()

    def finish(
        self,
        job: Job,
        state: JobState,
        *,
        result: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
        orders: Iterable[str] = (),
    ) -> bool:
        """Record the end of an attempt, once; return False where another attempt holds the job or it is final."""
        with self._session() as session:
            changed = session.execute(
                update(JobRow)
                .where(JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state.in_(("accepted", "running")))
                .values(
                    state=state.value,
                    finished_s=time.time(),
                    result=result,
                    error=error,
                    revision=JobRow.revision + 1,
                )
            )
            rows = [{"plan_id": job.id, "order_id": order_id} for order_id in orders]
            if _rows(changed) and rows:
                session.execute(insert(PlannedOrderRow), rows)
            return bool(_rows(changed))

    def revise(self, job_id: str, result: dict[str, Any]) -> Job | None:
        """Replace the result of a finished job by a newer one; return it, None where it is gone."""
        with self._session() as session:
            session.execute(
                update(JobRow)
                .where(JobRow.id == job_id, JobRow.state == "successful")
                .values(result=result, revision=JobRow.revision + 1)
            )
            return _found(session, job_id)

    def request_stop(self, job_id: str) -> Job | None:
        """Ask a job to stop: one not begun is dismissed at once, a running one when its worker looks next.

        Returns it, None where it is gone.
        """
        with self._session() as session:
            session.execute(
                update(JobRow)
                .where(JobRow.id == job_id, JobRow.state == "accepted")
                .values(state="dismissed", finished_s=time.time(), revision=JobRow.revision + 1)
            )
            session.execute(
                update(JobRow)
                .where(JobRow.id == job_id, JobRow.state == "running")
                .values(stop_requested=True, revision=JobRow.revision + 1)
            )
            return _found(session, job_id)

    def delete_job(self, job_id: str) -> None:
        """Forget a job."""
        with self._session() as session:
            session.execute(delete(JobRow).where(JobRow.id == job_id))

    def plans_of_order(self, tenant: str, order_id: str, limit: int) -> list[Job]:
        """Return the finished plans an order is in, the newest first."""
        if _NUL in order_id:
            return []
        query = (
            select(JobRow)
            .join(PlannedOrderRow, PlannedOrderRow.plan_id == JobRow.id)
            .where(PlannedOrderRow.order_id == order_id, JobRow.tenant == tenant)
            .order_by(JobRow.id.desc())
            .limit(limit)
        )
        with self._session() as session:
            return [_job(row) for row in session.execute(query).scalars()]

    # --- Keys ------------------------------------------------------------------------------------------------------

    def add_key(self, tenant: str, scopes: Sequence[str], label: str) -> str:
        """Make a key and return it; only its hash is kept, so it is shown this once."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        with self._session() as session:
            session.execute(
                insert(KeyRow).values(
                    id=key_id,
                    tenant=tenant,
                    secret_hash=_hash(secret),
                    scopes=list(scopes),
                    label=label,
                    created_s=time.time(),
                    revoked_s=None,
                )
            )
        return f"{KEY_PREFIX}{key_id}_{secret}"

    def all_keys(self) -> list[KeyRow]:
        """Return all keys ever made, the oldest first."""
        with Session(self.engine, expire_on_commit=False) as session:
            return list(session.execute(select(KeyRow).order_by(KeyRow.created_s)).scalars())

    def has_keys(self) -> bool:
        """Return whether any key was ever made; revoking the last one does not open the service again."""
        with self._session() as session:
            return session.execute(select(func.count()).select_from(KeyRow)).scalar_one() > 0

    def find_key(self, key: str) -> KeyRow | None:
        """Return the valid key of that text, None where there is none."""
        key_id, _, secret = key.removeprefix(KEY_PREFIX).partition("_")
        if not key.startswith(KEY_PREFIX) or not secret:
            return None
        with Session(self.engine, expire_on_commit=False) as session:
            row = session.get(KeyRow, key_id)
        if row is None or row.revoked_s is not None:
            return None
        return row if secrets.compare_digest(row.secret_hash, _hash(secret)) else None

    def revoke_key(self, key_id: str) -> bool:
        """Make a key invalid from now on; return False where there is no valid key of that id."""
        with self._session() as session:
            changed = session.execute(
                update(KeyRow).where(KeyRow.id == key_id, KeyRow.revoked_s.is_(None)).values(revoked_s=time.time())
            )
            return bool(_rows(changed))

    # --- Workers ---------------------------------------------------------------------------------------------------

    def heard_of(self, worker_id: str) -> None:
        """Record that a worker lives."""
        with self._session() as session:
            changed = session.execute(update(WorkerRow).where(WorkerRow.id == worker_id).values(seen_s=time.time()))
            if not _rows(changed):
                session.execute(insert(WorkerRow).values(id=worker_id, seen_s=time.time()))

    def workers(self) -> dict[str, float]:
        """Return when each worker was last heard of, seconds since 1970."""
        with self._session() as session:
            return {row.id: row.seen_s for row in session.execute(select(WorkerRow)).scalars()}

    def forget_worker(self, worker_id: str) -> None:
        """Forget a worker that ended or is lost."""
        with self._session() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id))


def _rows(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


def _count_active(session: Session, tenant: str) -> int:
    query = (
        select(func.count())
        .select_from(JobRow)
        .where(JobRow.tenant == tenant, JobRow.state.in_(("accepted", "running")))
    )
    return session.execute(query).scalar_one()


def _hash(secret: str) -> str:
    # The secret is 32 random bytes: nothing a slow hash would have to protect from guessing.
    return hashlib.sha256(secret.encode()).hexdigest()
