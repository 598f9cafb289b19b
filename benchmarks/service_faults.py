"""Killed processes and memory: what happens to accepted jobs, and how large the service grows over many plans."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from threading import Timer

from api.jobs import WORKFLOW
from benchmarks.live_service import FINAL, LiveService, memory_mb

JOB_ITERATIONS = 20
"""Effort of a job that is killed: the same iterations and seed give the same plan."""
PENDING = 3
"""Jobs kept waiting or running while processes are killed."""
PAUSE_S = (0.1, 3.0)
"""Between which a kill falls after the one before, once jobs run again."""
SEEDS = 4
"""Jobs repeat so many seeds, so that equal jobs can be compared."""


@dataclass(frozen=True)
class Kills:
    """What became of the jobs.

    Parameters
    ----------
    cut
        Attempts that a kill cut short.
    lost
        Accepted jobs that did not end, or ended in anything but success.
    doubled_jobs, doubled_runs, doubled_results
        Jobs of an idempotency key beyond its first, runs in the queue beyond one a job, folders of results beyond one.
    unequal
        Plans that differ from another one of the same request.
    """

    server_kills: int
    worker_kills: int
    accepted: int
    successful: int
    cut: int
    lost: int
    doubled_jobs: int
    doubled_runs: int
    doubled_results: int
    unequal: int


def kill_at_random(live: LiveService, kills: int, seed: int) -> Kills:
    """Kill the server or a worker at random moments of running jobs, start it again, and count what became of the jobs.

    The client repeats a request that was not answered with the same idempotency key, as clients do.
    """
    draw = random.Random(seed)
    accepted: dict[str, str] = {}
    keys = (f"job-{number}" for number in count())
    killed: Counter[str] = Counter()
    live.start()
    for _ in range(kills):
        _keep_busy(live, accepted, keys)
        _until(lambda: _states(live, accepted)["running"] > 0, 120.0)
        time.sleep(draw.uniform(*PAUSE_S))
        _keep_busy(live, accepted, keys)
        target = draw.choice(("server", "worker"))
        killed[target] += 1
        if target == "server":
            half_sent = next(keys)
            with contextlib.suppress(OSError):
                _submit_while_killed(live, half_sent)
            live.start()
            accepted[half_sent] = _submit(live, half_sent)
        else:
            for pid in live.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    _until(lambda: sum(n for state, n in _states(live, accepted).items() if state in FINAL) == len(accepted), 900.0)
    return _count(live, accepted, killed)


def _submit_while_killed(live: LiveService, key: str) -> None:
    """Send a request and kill the server while it is at work on it: whether it was accepted nobody knows."""
    timer = Timer(0.02, live.kill)
    timer.start()
    try:
        _submit(live, key)
    finally:
        timer.join()


def _keep_busy(live: LiveService, accepted: dict[str, str], keys: Iterator[str]) -> None:
    states = _states(live, accepted)
    for _ in range(PENDING - states["accepted"] - states["running"]):
        key = next(keys)
        accepted[key] = _submit(live, key)


def _submit(live: LiveService, key: str) -> str:
    number = int(key.rpartition("-")[2])
    body = {"scenario": {"folder": "tiny"}, "max_iterations": JOB_ITERATIONS, "seed": number % SEEDS}
    return str(live.post("/v1/plans", body, key)["id"])


def _states(live: LiveService, accepted: dict[str, str]) -> Counter[str]:
    """Return how many jobs are in each state, as the database has it."""
    with contextlib.closing(_database(live)) as database:
        rows = dict(database.execute("SELECT id, state FROM jobs"))
    return Counter(rows.get(job_id, "missing") for job_id in accepted.values())


def _database(live: LiveService) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{live.data / 'shanlu.sqlite'}?mode=ro", uri=True, timeout=30.0)


def _until(holds: Callable[[], bool], timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)


def _count(live: LiveService, accepted: dict[str, str], killed: Counter[str]) -> Kills:
    with contextlib.closing(_database(live)) as database:
        jobs = {row[0]: row[1:] for row in database.execute("SELECT id, state, attempt FROM jobs")}
        (runs,) = database.execute("SELECT COUNT(*) FROM workflow_status WHERE name = ?", (WORKFLOW,)).fetchone()
    successful = [job_id for job_id in accepted.values() if jobs.get(job_id, ("",))[0] == "successful"]
    results = {job_id: sorted((live.data / "jobs" / job_id).glob("result-*")) for job_id in successful}
    for job_id, folders in results.items():
        if len(folders) != 1:
            print(job_id, jobs[job_id], [folder.name for folder in folders])
    costs: dict[int, set[object]] = {}
    for key, job_id in accepted.items():
        if job_id in successful:
            plan = live.get(f"/v1/plans/{job_id}/plan")
            costs.setdefault(int(key.rpartition("-")[2]) % SEEDS, set()).add(str(plan))
    return Kills(
        server_kills=killed["server"],
        worker_kills=killed["worker"],
        accepted=len(accepted),
        successful=len(successful),
        cut=sum(attempt - 1 for _, attempt in jobs.values()),
        lost=len(accepted) - len(successful),
        doubled_jobs=len(jobs) - len(accepted),
        doubled_runs=runs - len(jobs),
        doubled_results=sum(map(len, results.values())) - len(successful),
        unequal=sum(len(found) - 1 for found in costs.values()),
    )


@dataclass(frozen=True)
class Sample:
    """Resident memory after so many plans, megabytes."""

    plans: int
    server_mb: float
    worker_mb: float
    seconds: float


def memory_over(live: LiveService, plans: int, every: int) -> Iterator[Sample]:
    """Make small plans one after the other and yield the memory of server and worker now and then.

    The client submits a few ahead, reads each status while it waits, and fetches each plan when it is made.
    """
    live.start()
    began = time.monotonic()
    waiting: list[str] = []
    for made in range(plans + 1):
        if made and (made % every == 0 or made in (1, every // 10)):
            (worker,) = live.workers()
            yield Sample(made, memory_mb(live.pid), memory_mb(worker), time.monotonic() - began)
        if made == plans:
            return
        while len(waiting) < min(PENDING, plans - made):
            body = {"scenario": {"folder": "tiny"}, "max_iterations": 0}
            waiting.append(live.post("/v1/plans", body)["id"])
        status = live.wait(waiting.pop(0))
        if status["state"] != "successful":
            msg = f"plan {status['id']} ended as {status['state']}: {status['error']}"
            raise RuntimeError(msg)
        live.get(f"/v1/plans/{status['id']}/plan")
