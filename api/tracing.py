"""Traces of requests, jobs and the phases of their planning, sent by OTLP where the environment names a collector.

Spans are our own few rather than those of ready instrumentation, which records addresses, paths with the ids of orders
and queries. Attributes here are methods, path templates, statuses, ids of jobs and requests, states and error codes;
texts of errors are not among them, as they may quote data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geodata.errors import UnavailableError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_UNTRACED = ("/health", "/ready", "/metrics")
"""Asked every few seconds by machines; nobody looks for their traces."""


class Tracing:
    """Makes spans.

    Parameters
    ----------
    provider
        Where spans go; None: nowhere, and nothing of OpenTelemetry is imported.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = None if provider is None else provider.get_tracer("shanlu", version("shanlu"))

    @property
    def on(self) -> bool:
        """Whether spans go anywhere."""
        return self._tracer is not None

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Iterator[Span | None]:
        """Yield the span of a request, part of the caller's trace where its headers name one (W3C Trace Context)."""
        if self._tracer is None:
            yield None
            return
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - optional

        with self._tracer.start_as_current_span(
            "request", _context_of(headers), SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            yield span

    @contextmanager
    def job(self, kind: str, traceparent: str | None, attributes: Mapping[str, str | int]) -> Iterator[JobTrace]:
        """Yield the trace of one attempt at a job, part of the trace of the request that made the job."""
        if self._tracer is None:
            yield JobTrace(self, None)
            return
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - optional

        parent = _context_of({} if traceparent is None else {"traceparent": traceparent})
        with self._tracer.start_as_current_span(
            f"job {kind}", parent, SpanKind.CONSUMER, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            trace = JobTrace(self, span)
            try:
                yield trace
            finally:
                trace.phase(None)

    def start(self, name: str) -> Span | None:
        """Return a new span below the current one; whoever asks for it ends it."""
        return None if self._tracer is None else self._tracer.start_span(name)

    def traceparent(self) -> str | None:
        """Return the current span as a W3C `traceparent`; None where there is none."""
        if self._tracer is None:
            return None
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        return carrier.get("traceparent")

    def close(self) -> None:
        """Send what is held and end."""
        if self._provider is not None:
            self._provider.shutdown()


class JobTrace:
    """The trace of one attempt at a job: its phases one after another, and how it ended."""

    def __init__(self, tracing: Tracing, span: Span | None) -> None:
        self._tracing, self._span = tracing, span
        self._name: str | None = None
        self._phase: Span | None = None

    def phase(self, name: str | None) -> None:
        """Begin a phase and end the one before, unless it is the same; None only ends it."""
        if name == self._name:
            return
        if self._phase is not None:
            self._phase.end()
        self._name = name
        self._phase = None if name is None else self._tracing.start(name)

    def ended(self, state: str, code: str | None) -> None:
        """Record the state the job ended in, and the error code where it failed."""
        if self._span is None:
            return
        self._span.set_attribute("shanlu.job.state", state)
        if code is not None:
            from opentelemetry.trace import StatusCode  # noqa: PLC0415 - optional

            self._span.set_attribute("error.type", code)
            self._span.set_status(StatusCode.ERROR)


class TracedRequests:
    """Gives every request a span; only an application whose tracing is on has this around it."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self.app, self._tracing = app, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracing.request(headers) as span:
            assert span is not None

            async def send_noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self.app(scope, receive, send_noted)
            finally:
                _describe(span, scope)


def _describe(span: Span, scope: Scope) -> None:
    """Name a span after its operation, known once the request is routed."""
    route = getattr(scope.get("route"), "path", None)
    method = str(scope["method"])
    span.update_name(method if route is None else f"{method} {route}")
    span.set_attributes({"http.request.method": method, "shanlu.request.id": str(scope.get("request_id", ""))})
    if route is not None:
        span.set_attribute("http.route", route)


def _context_of(headers: Mapping[str, str]) -> Context:
    from opentelemetry.context import Context  # noqa: PLC0415 - optional
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - as above

    return TraceContextTextMapPropagator().extract(headers, Context())


def tracing_of_environment() -> Tracing:
    """Return what the variables of OpenTelemetry ask for; without an endpoint nothing is traced.

    Raises
    ------
    UnavailableError
        If they ask for traces and the parts for that are not installed.
    """
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if disabled or os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return Tracing()
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return Tracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - optional
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        msg = "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, which need: pip install 'shanlu[otel]'."
        raise UnavailableError(msg) from None
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create(None if named else {"service.name": "shanlu"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)
