"""One plan over several processes: of this machine, and of a real Dask cluster on it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import problems
import pytest
from api_world import close_world, free_port, make_tiny_scenario, open_world

from api import executors
from api.executors import ClusterExecutor, helpers_of
from geodata.errors import UnavailableError
from routing.plan_io import read_plan
from routing.solver import Limits, solve
from routing.solver.parallel import Helpers, solve_together

ROOT = Path(__file__).resolve().parents[2]
EFFORT = Limits(None, 2)
APART = Limits(None, 2, sequential=True)
"""Searches with itineraries fixed beforehand share nothing."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def test_the_best_of_several_searches_is_kept() -> None:
    """Tests that searches that share nothing find what the best of them finds alone, and the same every time."""
    alone = [solve(problems.county(3), APART, seed) for seed in (7, 8, 9)]
    with ThreadPoolExecutor(2) as executor:
        found = solve_together(problems.county(3), APART, 7, Helpers(executor, 2))
    assert found == min(alone, key=lambda solution: solution.cost.total)


@pytest.mark.parametrize("limits", [EFFORT, APART])
def test_without_helpers_it_is_one_search(limits: Limits) -> None:
    """Tests that no helpers mean a plain solve, and that nobody is waited for once the caller has enough."""
    assert solve_together(problems.county(3), limits, 7, None) == solve(problems.county(3), limits, 7)
    with ThreadPoolExecutor(1) as executor:
        stopped = solve_together(problems.county(3), limits, 7, Helpers(executor, 1), cancelled=lambda: True)
    assert stopped.cost.total >= 0


def test_an_absent_cluster_is_told() -> None:
    """Tests that an address nobody answers at, or that is none, is named."""
    with pytest.raises(UnavailableError, match="no such"), helpers_of(None, "no such"):
        pytest.fail("there is no cluster")


class LostError(Exception):
    """What a cluster raises for a worker that is gone."""


class Stub(Executor):
    """A cluster whose only call ends as told."""

    def __init__(self) -> None:
        self.future: Future[int] = Future()

    def submit(self, *_: object) -> Future[int]:  # type: ignore[override]
        return self.future


def test_a_cluster_tells_of_lost_workers_as_a_pool_does() -> None:
    """Tests that a lost worker becomes what process pools raise, that results and errors pass, and cancelling too."""
    ends: list[tuple[BaseException | int | None, type[BaseException] | int]] = [
        (7, 7),
        (ValueError(), ValueError),
        (LostError(), BrokenExecutor),
        (None, BrokenExecutor),
    ]
    for end, seen in ends:
        stub = Stub()
        found = ClusterExecutor(stub, (LostError,)).submit(int)
        if end is None:
            stub.future.cancel()
            stub.future.set_running_or_notify_cancel()
        elif isinstance(end, int):
            stub.future.set_result(end)
        else:
            stub.future.set_exception(end)
        if isinstance(seen, int):
            assert found.result() == seen
        else:
            assert isinstance(found.exception(), seen)
    stub = Stub()
    ClusterExecutor(stub, (LostError,)).submit(int).cancel()
    stub.future.set_result(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a scheduler with two workers."""
    folder = tmp_path_factory.mktemp("dask")
    address = f"tcp://127.0.0.1:{free_port()}"
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", address, "--no-dashboard", "--no-jupyter"]
    workers = [*dask, "worker", address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    with (folder / "log").open("wb") as log:
        started = [
            subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log, cwd=folder)
            for command in (scheduler, workers)
        ]
    yield address
    for process in reversed(started):
        process.terminate()
    for process in started:
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny scenario."""
    return make_tiny_scenario(tmp_path_factory.mktemp("day") / "tiny")


def plan(scenario: Path, out: Path, *options: str) -> int:
    """Plan the tiny day on the command line; return its cost."""
    command = [sys.executable, "-m", "api.cli", "plan", str(scenario), "--out", str(out), "--max-iterations", "2"]
    environment = {**ENVIRONMENT, "SHANLU_CACHE": str(scenario.parent / "cache")}
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_plan(out / "plan.json").objective.total


def test_on_the_command_line(scenario: Path, cluster: str, tmp_path: Path) -> None:
    """Tests that two searches in processes and on a cluster give the same plan, no dearer than one search's."""
    one = plan(scenario, tmp_path / "one")
    here = plan(scenario, tmp_path / "here", "--workers", "2")
    there = plan(scenario, tmp_path / "there", "--workers", "2", "--cluster", cluster)
    assert here == there <= one
    assert (tmp_path / "here" / "plan.json").read_bytes() == (tmp_path / "there" / "plan.json").read_bytes()


def test_in_the_service(scenario: Path, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that the service's plans are searched for on a cluster, and alone with a note where it does not answer."""
    monkeypatch.setenv("SHANLU_CACHE", str(scenario.parent / "cache"))
    found = []
    for name, address in (("there", cluster), ("nowhere", "tcp://127.0.0.1:9")):
        monkeypatch.setattr(executors, "CONNECT_S", 60 if address == cluster else 1)
        world = open_world(tmp_path / name, scenario.parent, plan_workers=2, cluster=address)
        plan_id = world.plan()
        world.work_off()
        found.append(world.client.get(f"/v1/plans/{plan_id}").json())
        close_world(world)
    there, nowhere = found
    assert (there["state"], there["result"]["searches"], there["notes"]) == ("successful", 2, [])
    assert (nowhere["state"], nowhere["result"]["searches"]) == ("successful", 1)
    assert "cluster did not answer" in nowhere["notes"][0]
    assert there["result"]["cost"] <= nowhere["result"]["cost"]
