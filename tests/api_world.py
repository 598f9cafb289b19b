"""A service in the test's own process: real store, a queue worked off by hand, a tiny scenario."""

import io
import socket
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from api import schema
from api.app import create_app
from api.processes import Calculator
from api.service import Service
from api.settings import Settings
from api.store import Job, Store, open_engine
from api.tracing import Tracing
from api.work import run_job
from geodata.synthetic import CountySpec
from routing.generation import county

TINY = county.CountyPreset(
    CountySpec("Tiny", "小", 12.0, towns=2, villages=4, groups=8, loops=1, village_lines=1), 20, 1
)


class HandQueue:
    """Remembers what was enqueued; nothing runs by itself."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def enqueue(self, _session: Session, job: Job) -> None:
        """Remember a job."""
        self.ids.append(job.id)

    def close(self) -> None:
        """Hold nothing."""


@dataclass
class World:
    """A service and a client of it."""

    service: Service
    client: TestClient
    queue: HandQueue
    headers: dict[str, str] = field(default_factory=dict)

    def work_off(self) -> None:
        """Run all jobs enqueued so far, in this process."""
        while self.queue.ids:
            run_job(self.service.settings, self.service.store, self.queue.ids.pop(0), self.service.tracing)

    def plan(self, **body: Any) -> str:
        """Make a plan of the tiny scenario and return its id."""
        answer = self.client.post("/v1/plans", json={"scenario": {"folder": "tiny"}, "max_iterations": 2, **body})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])


def make_tiny_scenario(folder: Path) -> Path:
    """Write a county of fifteen sites and twenty orders."""
    county._make_scenario(TINY, 1, "tiny", folder)
    return folder


def open_world(
    data: Path, scenarios: Path | None, *, is_open: bool = True, tracing: Tracing | None = None, **settings: Any
) -> World:
    """Open a service on an empty data folder."""
    chosen = Settings(data=data, scenarios=scenarios, _env_file=None, **settings)
    data.mkdir(parents=True, exist_ok=True)
    engine = open_engine(chosen.url)
    schema.upgrade(engine)
    queue = HandQueue()
    calculator = Calculator(lambda: ThreadPoolExecutor(1))
    service = Service(chosen, Store(engine), queue, calculator, is_open, tracing or Tracing())
    client = TestClient(create_app(service), base_url="http://localhost", raise_server_exceptions=False)
    return World(service, client, queue)


def close_world(world: World) -> None:
    """Close the client's pool and the database."""
    world.service.calculator.close()
    world.client.close()
    world.service.store.engine.dispose()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def zip_folder(folder: Path, top: str = "") -> bytes:
    """Return a zip of a folder, in a folder `top` where that is given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{top}{path.relative_to(folder).as_posix()}")
    return packed.getvalue()
