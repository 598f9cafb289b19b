"""Traces: a request, its job and the phases of the job are one trace, here and across processes; addresses in none."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest
from api_world import World, close_world, free_port, make_tiny_scenario, open_world
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.tracing import Tracing, tracing_of_environment

ROOT = Path(__file__).resolve().parents[2]
SERVE = "from api.service_commands import serve; import typer\nif __name__ == '__main__': typer.run(serve)"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""A caller's own span: trace and parent."""


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the tiny scenario."""
    root = tmp_path_factory.mktemp("scenarios")
    make_tiny_scenario(root / "tiny")
    return root


@pytest.fixture
def traced(tmp_path: Path, scenarios: Path) -> Iterator[tuple[World, InMemorySpanExporter]]:
    """Return a service whose spans are kept in memory."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHANLU_CACHE", str(tmp_path / "cache"))
        world = open_world(tmp_path / "data", scenarios, tracing=Tracing(provider))
        yield world, exporter
        close_world(world)
    provider.shutdown()


def named(spans: tuple[ReadableSpan, ...], name: str) -> ReadableSpan:
    """Return the only span of a name."""
    (found,) = [span for span in spans if span.name == name]
    return found


def test_from_request_to_phases(traced: tuple[World, InMemorySpanExporter]) -> None:
    """Tests that request, job and phases are spans of the caller's trace, each below the one before."""
    world, exporter = traced
    body = {"scenario": {"folder": "tiny"}, "max_iterations": 2}
    headers = {"traceparent": CALLER, "Authorization": "Bearer secret", "X-Request-Id": "r-1"}
    plan_id = world.client.post("/v1/plans?dry_run=false&note=hidden", json=body, headers=headers).json()["id"]
    world.work_off()
    spans = exporter.get_finished_spans()
    request, job = named(spans, "POST /v1/plans"), named(spans, "job plan")
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER.split("-")[2]
    assert job.parent is not None
    assert job.parent.span_id == request.context.span_id
    phases = [span.name for span in spans if span.parent is not None and span.parent.span_id == job.context.span_id]
    assert phases[:2] == ["reading", "measuring"]
    assert phases[-2:] == ["checking", "writing"]
    assert {f"{span.context.trace_id:032x}" for span in spans} == {CALLER.split("-")[1]}
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/plans",
        "http.response.status_code": 202,
        "shanlu.request.id": "r-1",
    }
    assert dict(job.attributes or {}) == {
        "shanlu.job.id": plan_id,
        "shanlu.job.attempt": 1,
        "shanlu.job.state": "successful",
    }


def test_failures_have_their_code_and_no_text(traced: tuple[World, InMemorySpanExporter]) -> None:
    """Tests that a failed job's span has the error code, and no span anything of the path, the host or a text."""
    world, exporter = traced
    plan_id = world.plan()
    for part in (world.service.settings.job_folder(plan_id) / "scenario").glob("*.csv"):
        part.write_text("broken\n", encoding="utf-8")
    world.work_off()
    world.client.get("/v1/orders/parcel-of-somebody")
    world.client.get("/health")
    spans = exporter.get_finished_spans()
    assert (named(spans, "job plan").attributes or {})["error.type"] == "INVALID_SCENARIO"
    assert not named(spans, "job plan").status.is_ok
    assert {span.name for span in spans if span.kind.name == "SERVER"} == {
        "POST /v1/plans",
        "GET /v1/orders/{order_id}",
    }
    told = " ".join(span.to_json() for span in spans)
    assert not [word for word in ("parcel-of-somebody", "localhost", "testclient", "broken") if word in told]


def test_off_without_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that nothing is traced, and nothing of the SDK imported, unless the environment names a collector."""
    script = (
        "import sys; from api.tracing import tracing_of_environment\n"
        "print(tracing_of_environment().on, 'opentelemetry.sdk' in sys.modules)"
    )
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", script], env=quiet, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.split() == [b"False", b"False"]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not tracing_of_environment().on


class Collector(HTTPServer):
    """Takes spans in by OTLP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Intake)
        self.spans: dict[str, Span] = {}
        self.services: set[str] = set()


class Intake(BaseHTTPRequestHandler):
    """Keeps what is sent."""

    def do_POST(self) -> None:
        """Read one export."""
        collector = self.server
        assert isinstance(collector, Collector)
        sent = ExportTraceServiceRequest.FromString(self._content())
        for resource in sent.resource_spans:
            collector.services |= {
                entry.value.string_value for entry in resource.resource.attributes if entry.key == "service.name"
            }
            for scope in resource.scope_spans:
                collector.spans |= {span.name: span for span in scope.spans}
        self.send_response(200)
        self.end_headers()

    def _content(self) -> bytes:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            import gzip

            return gzip.decompress(content)
        return content

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def test_across_processes(tmp_path: Path, scenarios: Path) -> None:
    """Tests that the worker's spans reach a collector as part of the trace of the server's request."""
    collector = Collector()
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    (tmp_path / "serve_it.py").write_text(SERVE, encoding="utf-8")
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SHANLU_CACHE": str(tmp_path / "cache"),
        "SHANLU_DATA": str(tmp_path / "data"),
        "SHANLU_SCENARIOS": str(scenarios),
        "SHANLU_PORT": str(port),
        "SHANLU_WORKER_NICENESS": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "serve_it.py"]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        _prepare(port)
        end = time.monotonic() + 120
        wanted = {"POST /v1/networks", "job network", "reading"}
        while time.monotonic() < end and not wanted <= collector.spans.keys():
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        collector.shutdown()
        collector.server_close()
    spans = collector.spans
    assert spans["job network"].parent_span_id == spans["POST /v1/networks"].span_id
    assert spans["reading"].parent_span_id == spans["job network"].span_id
    assert collector.services == {"shanlu"}


def _prepare(port: int) -> None:
    """Have a network prepared by a service that starts."""
    body = {"scenario": {"folder": "tiny"}}
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        end = time.monotonic() + 60
        while True:
            try:
                assert client.post("/v1/networks", json=body).status_code == 202
            except httpx2.TransportError:
                assert time.monotonic() < end
                time.sleep(0.2)
            else:
                return
