"""The service under load: many clients that read and submit while plans are made; errors, times, memory.

``python -m benchmarks.service --clients 200 --seconds 300`` starts a server with one worker on this machine (loopback),
lets as many clients read statuses and now and then submit a small plan, and prints a row of Markdown. ``--fuzz 20000``
runs the generated requests of the tests in that number of cases as well. What CI runs is scaled down by the options.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import conditions
from geodata.synthetic import CountySpec
from routing.generation import county

ROOT = Path(__file__).resolve().parents[1]
THINK_S = 1.0
"""Mean pause of a client between two requests: 200 of them ask 200 times a second."""
SUBMIT_SHARE = 0.01
HEADER = (
    "| clients | seconds | reads | errors | read p50 ms | p95 ms | submits | submit p95 ms | MB before | MB after |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Figures:
    """What the clients saw; times in seconds."""

    reads_s: list[float] = field(default_factory=list)
    submits_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    """Run the load, and the generated requests where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--plans", type=int, default=2, help="plans that are made all the while")
    parser.add_argument("--fuzz", type=int, default=0, help="cases of generated requests")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(conditions(("fastapi", "uvicorn", "dbos")))
        print(HEADER)
        figures, memory = _load(Path(folder), chosen)
        print(_row(chosen, figures, memory), flush=True)
        for text in figures.errors[:10]:
            print(text)
    if chosen.fuzz:
        environment = {**os.environ, "SHANLU_FUZZ_CASES": str(chosen.fuzz)}
        test = str(ROOT / "tests" / "integration" / "test_api_fuzz.py")
        command = [sys.executable, "-m", "pytest", test, "-q", "-p", "no:cacheprovider", "--timeout", "7200"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    sys.exit(1 if figures.errors else 0)


def _load(folder: Path, chosen: argparse.Namespace) -> tuple[Figures, tuple[float, float]]:
    preset = county.CountyPreset(
        CountySpec("Tiny", "小", 12.0, towns=2, villages=4, groups=8, loops=1, village_lines=1), 20, 1
    )
    county._make_scenario(preset, 1, "tiny", folder / "scenarios" / "tiny")  # noqa: SLF001 - smaller than any preset
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    environment = {
        **os.environ,
        "SHANLU_RATE_LIMIT": "10000000/minute",
        "SHANLU_MAX_ACTIVE_JOBS": "100000",
        "SHANLU_CACHE": str(folder / "cache"),
    }
    options = ["--data", str(folder / "data"), "--scenarios", str(folder / "scenarios")]
    port = address.rsplit(":", 1)[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", *options, "--port", port], cwd=ROOT, env=environment
    )
    try:
        _until_ready(address)
        long = {"scenario": {"folder": "tiny"}, "time_limit_s": chosen.seconds}
        plans = [_send(address, long)["id"] for _ in range(chosen.plans)]
        before = _memory_mb(server.pid)
        figures = _clients(address, plans, chosen)
        return figures, (before, _memory_mb(server.pid))
    finally:
        server.terminate()
        server.wait(timeout=60)


def _until_ready(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    msg = "the server did not become ready"
    raise RuntimeError(msg)


def _send(address: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/v1/plans", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _clients(address: str, plans: list[str], chosen: argparse.Namespace) -> Figures:
    figures, end = Figures(), time.monotonic() + chosen.seconds

    def client(number: int) -> None:
        draw = random.Random(number)
        while time.monotonic() < end:
            time.sleep(draw.expovariate(1.0 / THINK_S))
            begin = time.perf_counter()
            try:
                if draw.random() < SUBMIT_SHARE:
                    _send(address, {"scenario": {"folder": "tiny"}, "max_iterations": 0})
                    figures.submits_s.append(time.perf_counter() - begin)
                else:
                    with urllib.request.urlopen(f"{address}/v1/plans/{draw.choice(plans)}", timeout=30) as answer:
                        answer.read()
                    figures.reads_s.append(time.perf_counter() - begin)
            except (OSError, urllib.error.URLError) as error:
                figures.errors.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=client, args=(number,)) for number in range(chosen.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return figures


def _memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _row(chosen: argparse.Namespace, figures: Figures, memory: tuple[float, float]) -> str:
    reads, submits = sorted(figures.reads_s), sorted(figures.submits_s)
    return (
        f"| {chosen.clients} | {chosen.seconds:g} | {len(reads)} | {len(figures.errors)} | {_at(reads, 0.5):.0f} "
        f"| {_at(reads, 0.95):.0f} | {len(submits)} | {_at(submits, 0.95):.0f} | {memory[0]:.0f} | {memory[1]:.0f} |"
    )


def _at(times_s: list[float], share: float) -> float:
    """Return a quantile of sorted times in milliseconds."""
    return times_s[min(len(times_s) - 1, int(share * len(times_s)))] * 1000.0 if times_s else 0.0


if __name__ == "__main__":
    main()
