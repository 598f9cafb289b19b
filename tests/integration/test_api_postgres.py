"""Many machines on one host: a real PostgreSQL, a server without workers, two workers of which one is killed."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_world import free_port, make_tiny_scenario

ROOT = Path(__file__).resolve().parents[2]
SERVE = "from api.service_commands import serve; import typer\nif __name__ == '__main__': typer.run(serve)"
ACCOUNT = "postgres"
"""PostgreSQL refuses root; Debian's package brings this account."""


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_postgres(command: list[str]) -> list[str]:
    return ["runuser", "-u", ACCOUNT, "--", *command] if os.geteuid() == 0 else command


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Return the URL of a PostgreSQL started for this module."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (Debian's package 'postgresql')")
    folder = Path(tempfile.mkdtemp(prefix="shanlu-postgres-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam(ACCOUNT)
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, port = folder / "data", free_port()
    made = [str(binaries / "initdb"), "-D", str(data), "-U", ACCOUNT, "--auth=trust", "--no-sync"]
    subprocess.run(_as_postgres(made), check=True, capture_output=True, cwd=folder)
    options = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
    with (folder / "log").open("wb") as log:
        run = _as_postgres([str(binaries / "postgres"), *options])
        process = subprocess.Popen(run, stdout=log, stderr=log, cwd=folder)
    try:
        ready = [str(binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
        _until(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0)
        yield f"postgresql+psycopg://{ACCOUNT}@127.0.0.1:{port}/postgres"
    finally:
        stop = [str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(_as_postgres(stop), check=False, capture_output=True, cwd=folder)
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _until(holds: Callable[[], Any], seconds: float = 120.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail("it did not come about in time")


class Machines:
    """A server and workers that share a database and a data folder."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.port = folder, free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SHANLU_CACHE": str(folder / "cache"),
            "SHANLU_DATABASE_URL": database,
            "SHANLU_DATA": str(folder / "data"),
            "SHANLU_SCENARIOS": str(folder / "scenarios"),
            "SHANLU_PORT": str(self.port),
            "SHANLU_WORKERS": "0",
            "SHANLU_WORKER_NICENESS": "0",
            "SHANLU_LOST_WORKER_S": "6",
        }

    def start(self, name: str, command: list[str]) -> None:
        """Start a process and let it write its log."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def log(self, name: str) -> str:
        """Return what a process wrote."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def answers(self, path: str) -> bool:
        """Return whether the server answers a path with 200."""
        try:
            return self.client.get(path).status_code == 200
        except httpx2.TransportError:
            return False

    def submit(self) -> str:
        """Make a plan and return its id."""
        body = {"scenario": {"folder": "tiny"}, "max_iterations": 60, "seed": 3}
        answer = self.client.post("/v1/plans", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def finished(self, plan_id: str) -> Any:
        """Return a plan's status when it is finished."""
        states = ("successful", "failed", "dismissed")
        status = self.client.get(f"/v1/plans/{plan_id}").json()
        return status if status["state"] in states else None

    def stop(self) -> None:
        """End everything."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.client.close()


@pytest.fixture
def machines(tmp_path: Path, database: str) -> Iterator[Machines]:
    """Return a server with two workers, all on the same PostgreSQL."""
    make_tiny_scenario(tmp_path / "scenarios" / "tiny")
    (tmp_path / "serve_it.py").write_text(SERVE, encoding="utf-8")
    opened = Machines(tmp_path, database)
    try:
        opened.start("server", ["serve_it.py"])
        _until(lambda: opened.answers("/health"))
        for name in ("one", "two"):
            opened.start(name, ["-m", "api.worker_main", name, str(os.getpid())])
        _until(lambda: all("takes jobs" in opened.log(name) for name in ("one", "two")))
        yield opened
    finally:
        opened.stop()


def test_a_killed_workers_plan_is_finished_by_the_other(machines: Machines) -> None:
    """Tests that a plan whose worker is killed half-way is made by the other, as good as undisturbed."""
    plan_id = machines.submit()

    def holder() -> str | None:
        running = machines.client.get(f"/v1/plans/{plan_id}").json()
        begun = (running["progress"] or {}).get("stage") not in (None, "reading")
        names = [name for name in ("one", "two") if f"job {plan_id}: attempt 1" in machines.log(name)]
        return names[0] if begun and names else None

    name = _until(holder)
    machines.processes[name].kill()
    status = _until(lambda: machines.finished(plan_id))
    assert status["state"] == "successful", status["error"]
    assert status["attempt"] == 2
    other = "two" if name == "one" else "one"
    assert f"job {plan_id}: attempt 2" in machines.log(other)
    again = machines.submit()
    undisturbed = _until(lambda: machines.finished(again))
    assert undisturbed["result"]["cost"] == status["result"]["cost"]
    plans = [machines.client.get(f"/v1/plans/{made}/plan").content for made in (plan_id, again)]
    assert plans[0] == plans[1]
