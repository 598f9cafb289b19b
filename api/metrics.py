"""Figures for Prometheus: requests by operation, method and status, the time they took, and jobs by state."""

from __future__ import annotations

import time
from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.store import Store

_PATH = "/metrics"
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class _JobGauge(Collector):
    """Jobs by kind and state, read from the store when asked."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[GaugeMetricFamily]:
        gauge = GaugeMetricFamily("shanlu_jobs", "Jobs by kind and state.", labels=["kind", "state"])
        for (kind, state), number in sorted(self._store.count_by_state().items()):
            gauge.add_metric([kind, state], number)
        yield gauge


class RequestFigures:
    """Counts the requests that pass through it, by the path template of their operation."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self._requests = Counter(
            "http_requests",
            "Requests by operation, method and class of status.",
            ["handler", "method", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time to the whole answer.",
            ["handler", "method"],
            registry=registry,
            buckets=_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] == _PATH:
            await self.app(scope, receive, send)
            return
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self.app(scope, receive, send_noted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            handler = getattr(scope.get("route"), "path", "none")
            self._requests.labels(handler, method, f"{status // 100}xx").inc()
            self._seconds.labels(handler, method).observe(time.perf_counter() - began)


def add_metrics(app: FastAPI, store: Store) -> None:
    """Let an application count its requests, and tell the counts under ``/metrics``."""
    registry = CollectorRegistry()
    registry.register(_JobGauge(store))
    app.add_middleware(RequestFigures, registry=registry)

    @app.get(_PATH, tags=["operation"], response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """Return the figures in Prometheus' text format."""
        return PlainTextResponse(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
