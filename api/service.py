"""What every request needs at hand: settings, store, queue, limits, calculator; and who the caller is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.error_codes import ErrorCode
from api.jobs import Queue
from api.oidc import TokenJudge
from api.problem_json import ApiError
from api.processes import Calculator
from api.rates import RateLimiter
from api.settings import Settings
from api.store import KEY_PREFIX, Job, JobKind, Store
from api.tables import KeyRow
from api.tracing import Tracing

LOCAL_TENANT = "local"
"""Tenant of all requests as long as no key was ever made."""
_BEARER = HTTPBearer(auto_error=False, description="an API key, or a token of the identity provider")


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


_LOCAL_CALLER = Caller(LOCAL_TENANT, frozenset(Scope))


@dataclass
class Service:
    """The parts of a running service.

    `open` is True as long as no key was ever made and no identity provider is named; `judge` knows that provider.
    """

    settings: Settings
    store: Store
    queue: Queue
    calculator: Calculator
    open: bool
    tracing: Tracing = field(default_factory=Tracing)
    judge: TokenJudge | None = None
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
    counted_as, local = local_caller(request.client.host if request.client else None)
    if service.open:
        service.limiter.hit(counted_as)
        return local
    row = None
    if credentials is not None and _is_token(service, credentials.credentials):
        return await _caller_of_token(service, credentials.credentials, counted_as)
    if credentials is not None:
        row = await run_in_threadpool(service.store.find_key, credentials.credentials)
    if row is None:
        service.limiter.hit(counted_as)
        detail = "No key was given." if credentials is None else "The key is not valid."
        raise ApiError(ErrorCode.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": "Bearer"})
    counted_as, caller = caller_of_key(row)
    service.limiter.hit(counted_as)
    return caller


def _is_token(service: Service, text: str) -> bool:
    return service.judge is not None and not text.startswith(KEY_PREFIX)


async def _caller_of_token(service: Service, token: str, counted_as: str) -> Caller:
    """Return whom a token names; one that is refused counts for the address it came from."""
    assert service.judge is not None
    try:
        identity = await run_in_threadpool(service.judge.identify, token)
    except ApiError:
        service.limiter.hit(counted_as)
        raise
    service.limiter.hit(f"subject {identity.subject}")
    granted = [GRANTS[scope] for scope in Scope if scope.value in identity.scopes]
    return Caller(identity.tenant, frozenset().union(*granted))


def local_caller(address: str | None) -> tuple[str, Caller]:
    """Return what requests from an address are counted under, and who makes them as long as there are no keys."""
    return f"address {address or 'unknown'}", _LOCAL_CALLER


def caller_of_key(row: KeyRow) -> tuple[str, Caller]:
    """Return what requests with a key are counted under, and who makes them."""
    return f"key {row.id}", Caller(row.tenant, frozenset().union(*(GRANTS[Scope(scope)] for scope in row.scopes)))


def _needs(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    async def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        if scope not in caller.scopes:
            raise ApiError(ErrorCode.FORBIDDEN, f"The key or token lacks the scope '{scope.value}'.")
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
    return there(job, kind, job_id)


def there(job: Job | None, kind: JobKind, job_id: str) -> Job:
    """Return a job that is there.

    Raises
    ------
    ApiError
        PLAN_NOT_FOUND, NETWORK_NOT_FOUND or SITING_NOT_FOUND where it is not, or no
        more since another request forgot it.
    """
    if job is None:
        raise ApiError(_NOT_FOUND[kind], f"There is no {kind} '{job_id[:100]}'.")
    return job
