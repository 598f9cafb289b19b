"""A live service whose server and workers are killed in the middle of jobs: none lost, none doubled."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import make_tiny_scenario

SERVE = "from api.service_commands import serve; import typer\nif __name__ == '__main__': typer.run(serve)"
JOBS = 3


class Live:
    """A served instance in processes of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.process: subprocess.Popen[bytes] | None = None
        self.script = folder / "serve_it.py"
        self.script.write_text(SERVE, encoding="utf-8")

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        root = Path(__file__).resolve().parents[2]
        environment = {
            **os.environ,
            "PYTHONPATH": str(root),
            "SHANLU_CACHE": str(self.folder / "cache"),
            "SHANLU_LOST_WORKER_S": "4",
        }
        options = ["--data", "data", "--scenarios", "scenarios", "--port", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(self.script), *options],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        for _ in range(150):
            if self.get("/ready") is not None:
                return
            time.sleep(0.2)
        pytest.fail((self.folder / "log").read_text(encoding="utf-8")[-3000:])

    def workers(self) -> list[int]:
        """Return the process ids of the server's workers."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="utf-8")
        return [
            pid for pid in map(int, children.split()) if b"worker_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def kill_server(self) -> None:
        """Kill the server as the kernel does when memory is short."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def get(self, path: str) -> Any:
        """Return the JSON at a path; None where nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return json.loads(answer.read())
        except (urllib.error.URLError, OSError):
            return None

    def submit(self, number: int) -> str:
        """Make a plan and return its id."""
        body = {"scenario": {"folder": "tiny"}, "max_iterations": 20, "seed": number}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/plans",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": f"job {number}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(json.loads(answer.read())["id"])


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Return a served instance with the tiny scenario."""
    make_tiny_scenario(tmp_path / "scenarios" / "tiny")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = Live(tmp_path, port)
    served.start()
    yield served
    if served.process is not None:
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(timeout=30)


def wait_for(live: Live, plan_id: str, states: set[str], timeout_s: float = 90.0) -> dict[str, Any]:
    """Return the status of a plan once it is in one of the states."""
    status: dict[str, Any] | None = None
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        status = live.get(f"/v1/plans/{plan_id}")
        if status is not None and status["state"] in states:
            return status
        time.sleep(0.05)
    pytest.fail(f"{status}\n{(live.folder / 'log').read_text(encoding='utf-8')[-3000:]}")


def test_killed_processes_lose_no_job(live: Live) -> None:
    """Tests that every accepted job ends successful once, with a worker and the server killed while they run."""
    plans = [live.submit(number) for number in range(JOBS)]
    wait_for(live, plans[0], {"running", "successful"})
    for pid in live.workers():
        os.kill(pid, signal.SIGKILL)
    wait_for(live, plans[1], {"running", "successful"})
    orphans = live.workers()
    live.kill_server()
    live.start()
    until = time.monotonic() + 30.0
    while any(Path(f"/proc/{pid}").exists() for pid in orphans):
        assert time.monotonic() < until, "workers outlive the server that started them"
        time.sleep(0.2)
    assert [live.submit(number) for number in range(JOBS)] == plans
    results = [wait_for(live, plan_id, {"successful", "failed", "dismissed"}) for plan_id in plans]
    assert [status["state"] for status in results] == ["successful"] * JOBS
    assert max(status["attempt"] for status in results) > 1
    assert len(live.get("/v1/plans")["plans"]) == JOBS
    for plan_id, status in zip(plans, results, strict=True):
        folders = sorted(path.name for path in (live.folder / "data" / "jobs" / plan_id).glob("result-*"))
        assert folders == [f"result-{status['attempt']}"]
        assert len(live.get(f"/v1/plans/{plan_id}/plan")["orders"]) == status["result"]["served"]
