"""The service as an ASGI application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api import problem_json
from api.endpoints import day_files, networks, operation, plans, questions, replans, sitings, vroom
from api.examples import add_examples
from api.metrics import add_metrics
from api.middleware import RequestFrame
from api.replan_schemas import ReplanRequest
from api.schemas import NetworkRequest, PlanRequest
from api.service import Service
from api.settings import LOOPBACK_HOSTS
from api.siting_schemas import SitingRequest
from api.status_reads import OwnReads, StatusReads
from api.store import open_engine
from api.tracing import TracedRequests
from api.vroom.request import VroomRequest

_DESCRIPTION = (
    "Plans last-mile delivery in mountain counties over vans, drones, scheduled buses and couriers together. "
    "Coordinates are [longitude, latitude] (WGS 84), times RFC 3339 or seconds from local midnight, money minor units."
)


def create_app(service: Service) -> FastAPI:
    """Return the application of a service."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.calculator.close()
        service.queue.close()
        service.tracing.close()
        if reads is not None:
            reads.close()

    app = FastAPI(
        title="Shanlu",
        description=_DESCRIPTION,
        version=version("shanlu"),
        docs_url=None,  # it would load scripts from a CDN
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    problem_json.install(app)
    for module in (operation, replans, plans, networks, day_files, questions, sitings, vroom):
        app.include_router(module.router)
    reads = OwnReads(open_engine(service.settings.url)) if service.store.is_local else None
    if reads is not None:
        app.add_middleware(StatusReads, service=service, reads=reads)
    add_metrics(app, service.store)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    if service.tracing.on:
        app.add_middleware(TracedRequests, tracing=service.tracing)
    app.add_middleware(RequestFrame, hosts=_hosts(service), max_body_bytes=service.settings.max_body_bytes)
    _complete_openapi(app)
    if service.open:
        logging.getLogger("shanlu.api").warning("no API key was ever made: everyone on this machine may do everything")
    return app


def _hosts(service: Service) -> tuple[str, ...]:
    """Return the host names answered under; without keys only names of this machine, whatever is configured."""
    return LOOPBACK_HOSTS if service.open else service.settings.allowed_hosts


def _complete_openapi(app: FastAPI) -> None:
    """Let the OpenAPI document hold the schemas that only hand-written parts of it name, and examples of everything."""
    made = app.openapi

    def openapi() -> dict[str, object]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in (problem_json.Problem, PlanRequest, ReplanRequest, NetworkRequest, SitingRequest, VroomRequest):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        add_examples(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it
