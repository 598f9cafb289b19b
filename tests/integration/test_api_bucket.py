"""Inputs and results in a bucket of a real S3 server on loopback: two machines that share no folder."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from api_world import World, close_world, free_port, make_tiny_scenario, open_world
from obstore.store import S3Store

from api.artifacts import BucketArtifacts, FolderArtifacts, artifacts_of
from api.settings import Settings
from api.store import Store, open_engine
from api.work import run_job
from geodata.errors import UnavailableError

URL = "s3://shanlu/counties/one"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of an S3 server with a bucket."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with (tmp_path_factory.mktemp("s3") / "log").open("wb") as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{address}/shanlu", method="PUT"), timeout=10):
                break
        except OSError:
            time.sleep(0.2)
    yield address
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)


@pytest.fixture(autouse=True)
def variables(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Name the server as its users do."""
    artifacts_of.cache_clear()
    monkeypatch.setenv("SHANLU_CACHE", str(tmp_path_factory.getbasetemp() / "bucket-cache"))
    given = {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1", "ENDPOINT_URL": server}
    for name, value in {**given, "ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def machine(data: Path, url: str = URL) -> BucketArtifacts:
    """Return the artifacts as a machine with a data folder of its own sees them."""
    found = artifacts_of(Settings(data=data, artifacts=url))
    assert isinstance(found, BucketArtifacts)
    return found


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_one_machine_keeps_another_finds(tmp_path: Path) -> None:
    """Tests that new, changed and removed files reach another machine, and what is not published does not."""
    one, two = machine(tmp_path / "one"), machine(tmp_path / "two")
    here = tmp_path / "one" / "jobs" / "plan-1"
    (here / "scenario").mkdir(parents=True)
    files = {
        "scenario/订单 a#1.csv": b"x" * 9_000_000,
        "scenario/b.toml": b"b",
        "gone": b"",
        ".temporary": b"t",
        "lock": b"",
    }
    for name, text in files.items():
        (here / name).write_bytes(text)
    one.publish("plan-1")
    there = two.folder("plan-1")
    assert content(there) == {name: files[name] for name in ("scenario/订单 a#1.csv", "scenario/b.toml", "gone")}
    linked = tmp_path / "linked"
    os.link(there / "scenario" / "b.toml", linked)
    (here / "scenario" / "b.toml").write_bytes(b"changed")
    (here / "gone").unlink()
    (there / "draft").write_bytes(b"of two")
    one.publish("plan-1")
    assert two.file("plan-1", "scenario/b.toml").read_bytes() == b"b"  # files asked for so are taken as they are
    assert sorted(content(two.folder("plan-1"))) == ["draft", "scenario/b.toml", "scenario/订单 a#1.csv"]
    assert (there / "scenario" / "b.toml").read_bytes() == b"changed"
    assert linked.read_bytes() == b"b"
    two.publish("plan-1")
    assert (one.folder("plan-1") / "draft").read_bytes() == b"of two"
    two.forget("plan-1")
    assert sorted(content(one.folder("plan-1"))) == [".temporary", "lock"]
    assert not there.exists()


def test_only_what_changed_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that files sent or fetched once are neither sent nor fetched again."""
    one = machine(tmp_path / "one")
    here = tmp_path / "one" / "jobs" / "plan-2"
    here.mkdir(parents=True)
    (here / "a").write_bytes(b"a")
    one.publish("plan-2")
    moved: list[str] = []
    put, get = obstore.put, obstore.get
    monkeypatch.setattr(obstore, "put", lambda store, key, *rest: moved.append(f"put {key}") or put(store, key, *rest))
    monkeypatch.setattr(obstore, "get", lambda store, key: moved.append(f"get {key}") or get(store, key))
    (here / "b").write_bytes(b"b")
    one.publish("plan-2")
    one.folder("plan-2")
    assert moved == ["put jobs/plan-2/b"]


def test_a_plan_across_machines_without_a_shared_folder(tmp_path: Path, server: str) -> None:
    """Tests that a plan accepted by one machine is made by another, and its files are sent by the first."""
    make_tiny_scenario(tmp_path / "scenarios" / "tiny")
    world: World = open_world(tmp_path / "serving", tmp_path / "scenarios", artifacts=URL)
    assert world.client.get("/ready").status_code == 200
    plan_id = world.plan()
    working = Settings(data=tmp_path / "working", database_url=world.service.settings.url, artifacts=URL)
    engine = open_engine(working.url)
    run_job(working, Store(engine), plan_id)
    engine.dispose()
    status = world.client.get(f"/v1/plans/{plan_id}").json()
    assert status["state"] == "successful", status["error"]
    assert not list(world.service.settings.job_folder(plan_id).glob("result-*"))
    for part in ("plan", "map", "report"):
        assert world.client.get(status["links"][part]).status_code == 200
    order = next(iter(world.client.get(status["links"]["plan"]).json()["orders"]))["order"]
    assert world.client.get(f"/v1/orders/{order}").json()["plans"][0]["plan"] == plan_id
    shutil.rmtree(world.service.settings.job_folder(plan_id))
    shutil.rmtree(world.service.settings.data / "mirror")
    assert world.client.get(status["links"]["routes"]).status_code == 200
    assert world.client.delete(f"/v1/plans/{plan_id}?purge=true").status_code == 204
    store = S3Store("shanlu", endpoint=server, client_options={"allow_http": True})
    assert not [each for chunk in obstore.list(store, f"counties/one/jobs/{plan_id}") for each in chunk]
    close_world(world)


def test_a_bucket_that_does_not_answer(tmp_path: Path) -> None:
    """Tests that the service says it is not ready when the bucket is not there."""
    world = open_world(tmp_path, None, artifacts="s3://nowhere/x")
    refused = world.client.get("/ready")
    assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
    close_world(world)


def test_addresses() -> None:
    """Tests that without an address the data folder keeps all, and that others than buckets are refused."""
    assert isinstance(artifacts_of(Settings()), FolderArtifacts)
    for address in ("file:///etc", "https://example", "s3://", "s3://A_B/x"):
        with pytest.raises(ValueError, match="artifacts"):
            Settings(artifacts=address)


def test_the_library_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a bucket without the library for it is refused with what to install."""
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    with pytest.raises(UnavailableError, match="shanlu\\[s3\\]"):
        artifacts_of(Settings(data=tmp_path, artifacts=URL))
