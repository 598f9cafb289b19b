"""A served instance in processes of its own, for measurements: start it, ask it, kill it, read its figures."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geodata.synthetic import CountySpec
from routing.generation import county

ROOT = Path(__file__).resolve().parents[1]
FINAL = frozenset({"successful", "failed", "dismissed"})
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def make_tiny_scenario(folder: Path) -> None:
    """Write a county of fifteen sites and twenty orders, smaller than any preset."""
    spec = CountySpec("Tiny", "小", 12.0, towns=2, villages=4, groups=8, loops=1, village_lines=1)
    county._make_scenario(county.CountyPreset(spec, 20, 1), 1, "tiny", folder)  # noqa: SLF001 - see above


class LiveService:
    """``shanlu serve`` on a free port of this machine.

    Parameters
    ----------
    folder
        Holds the data, the log, the cache and the folder ``scenarios``.
    settings
        Further settings of the service by their variables.
    """

    def __init__(self, folder: Path, workers: int, settings: Mapping[str, str] | None = None) -> None:
        self.folder, self.data, self.log = folder, folder / "data", folder / "log"
        self._options = ["--data", str(self.data), "--scenarios", str(folder / "scenarios"), "--workers", str(workers)]
        given = {"SHANLU_RATE_LIMIT": "10000000/minute", "SHANLU_MAX_ACTIVE_JOBS": "100000"}
        self._environment = {**os.environ, **given, "SHANLU_CACHE": str(folder / "cache"), **(settings or {})}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        command = [sys.executable, "-m", "api.cli", "serve", *self._options, "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        for _ in range(3_000):
            if self.get("/ready") is not None:
                return
            time.sleep(0.1)
        raise RuntimeError(self.log.read_text(encoding="utf-8")[-3000:])

    @property
    def pid(self) -> int:
        """Process of the server."""
        assert self.process is not None
        return self.process.pid

    def workers(self) -> list[int]:
        """Return the processes of the server's workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        return [pid for pid in map(int, children) if b"worker_main" in _command(pid)]

    def kill(self) -> None:
        """Kill the server at once, as the kernel does when memory is short; its workers end soon after."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Let the server end as it wants to."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)

    def get(self, path: str) -> Any:
        """Return the JSON at a path; None where nothing answers or there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return json.loads(answer.read())
        except OSError:  # refused, cut off, or a status of 4xx
            return None

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Any:
        """Return the JSON answer to a request; `key` is its Idempotency-Key.

        Raises
        ------
        OSError
            If the server does not answer, or refuses.
        """
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def wait(self, plan_id: str, timeout_s: float = 600.0) -> dict[str, Any]:
        """Return the status of a plan once it is final.

        Raises
        ------
        TimeoutError
            If it is not by then.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            status: dict[str, Any] | None = self.get(f"/v1/plans/{plan_id}")
            if status is not None and status["state"] in FINAL:
                return status
            time.sleep(0.05)
        msg = f"plan {plan_id} is not finished after {timeout_s:g} s"
        raise TimeoutError(msg)


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process, megabytes."""
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_s(pid: int) -> float:
    """Return the seconds of processor a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
