"""Tables of the service's database. Every change of them needs a migration in ``api/migrations``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy's own interface


class JobRow(Base):
    """A job: a plan, a network to prepare, a siting. Times are seconds since 1970, UTC."""

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("tenant", "kind", "idempotency_key", name="one_job_per_idempotency_key"),
        Index("jobs_by_tenant", "tenant", "kind", "id"),
        Index("jobs_by_state", "state", "created_s"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    tenant: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    created_s: Mapped[float]
    started_s: Mapped[float | None]
    finished_s: Mapped[float | None]
    request: Mapped[dict[str, Any]]
    request_digest: Mapped[str]
    idempotency_key: Mapped[str | None]
    network_id: Mapped[str | None]
    stop_requested: Mapped[bool]
    attempt: Mapped[int]
    revision: Mapped[int]
    progress: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    traceparent: Mapped[str | None]
    """The request that made the job, as W3C Trace Context names it; None where nothing was traced."""
    ticket: Mapped[str | None]
    """The ticket of the queue by which a worker took the job; None while nobody has."""


class PlannedOrderRow(Base):
    """An order of a finished plan, so that plans can be found by order."""

    __tablename__ = "planned_orders"

    plan_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True, index=True)


class KeyRow(Base):
    """An API key; only a hash of its secret is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    secret_hash: Mapped[str]
    scopes: Mapped[list[str]]
    label: Mapped[str]
    created_s: Mapped[float]
    revoked_s: Mapped[float | None]


class WorkerRow(Base):
    """A worker process and when it was last heard of."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    seen_s: Mapped[float]
