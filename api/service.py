"""What every request needs at hand: settings, store, queue, limits, calculator; and who the caller is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.error_codes import ErrorCode
from api.jobs import Queue
from api.problem_json import ApiError
from api.processes import Calculator
from api.settings import Settings
from api.store import Job, JobKind, Store

LOCAL_TENANT = "local"
"""Tenant of all requests as long as no key was ever made."""
_BEARER = HTTPBearer(auto_error=False, description="an API key made by `shanlu keys create`")


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    PLAN = "plan"
    ADMIN = "admin"


GRANTS: dict[Scope, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.PLAN: frozenset({Scope.READ, Scope.PLAN}),
    Scope.ADMIN: frozenset(Scope),
}
"""What each scope includes."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request."""

    tenant: str
    scopes: frozenset[Scope]


class RateLimiter:
    """Counts requests by key, or by address where there is none, in this process."""

    def __init__(self, rate: str) -> None:
        self._item: RateLimitItem = parse(rate)
        self._strategy = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, who: str) -> None:
        """Count a request.

        Raises
        ------
        ApiError
            RATE_LIMITED with the seconds to wait.
        """
        if not self._strategy.hit(self._item, who):
            detail = f"More than {self._item.amount} requests in {self._item.get_expiry()} s."
            raise ApiError(ErrorCode.RATE_LIMITED, detail, headers={"Retry-After": str(self._item.get_expiry())})


@dataclass
class Service:
    """The parts of a running service. `open` is True as long as no key was ever made."""

    settings: Settings
    store: Store
    queue: Queue
    calculator: Calculator
    open: bool
    limiter: RateLimiter = field(init=False)

    def __post_init__(self) -> None:
        self.limiter = RateLimiter(self.settings.rate_limit)


async def service_of(request: Request) -> Service:
    """Return the service a request came to."""
    return cast("Service", request.app.state.service)


ServiceDep = Annotated[Service, Depends(service_of)]


async def _caller(
    request: Request,
    service: ServiceDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Caller:
    address = request.client.host if request.client else "unknown"
    if service.open:
        service.limiter.hit(f"address {address}")
        return Caller(LOCAL_TENANT, frozenset(Scope))
    row = None
    if credentials is not None:
        row = await run_in_threadpool(service.store.find_key, credentials.credentials)
    service.limiter.hit(f"address {address}" if row is None else f"key {row.id}")
    if row is None:
        detail = "No key was given." if credentials is None else "The key is not valid."
        raise ApiError(ErrorCode.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": "Bearer"})
    return Caller(row.tenant, frozenset().union(*(GRANTS[Scope(scope)] for scope in row.scopes)))


def _needs(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    async def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        if scope not in caller.scopes:
            raise ApiError(ErrorCode.FORBIDDEN, f"The key lacks the scope '{scope.value}'.")
        return caller

    return check


Reader = Annotated[Caller, Depends(_needs(Scope.READ))]
Planner = Annotated[Caller, Depends(_needs(Scope.PLAN))]


_NOT_FOUND: dict[JobKind, ErrorCode] = {
    "plan": ErrorCode.PLAN_NOT_FOUND,
    "network": ErrorCode.NETWORK_NOT_FOUND,
    "siting": ErrorCode.SITING_NOT_FOUND,
}


def find_job(service: Service, caller: Caller, job_id: str, kind: JobKind) -> Job:
    """Return a job of the caller's tenant.

    Raises
    ------
    ApiError
        PLAN_NOT_FOUND, NETWORK_NOT_FOUND or SITING_NOT_FOUND, for other tenants' jobs as for none.
    """
    job = service.store.job(job_id, caller.tenant, kind)
    if job is None:
        raise ApiError(_NOT_FOUND[kind], f"There is no {kind} '{job_id[:100]}'.")
    return job
