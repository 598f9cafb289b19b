"""The service's day: plans made, followed, stopped, fetched; networks; questions; all in one process."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import World, close_world, make_tiny_scenario, open_world, zip_folder

from api.store import Job, JobState, Store
from api.work import run_job
from routing.plan_io import plan_to_bytes, read_plan


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the tiny scenario."""
    root = tmp_path_factory.mktemp("scenarios")
    make_tiny_scenario(root / "tiny")
    return root


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, scenarios: Path) -> Iterator[World]:
    """Return a service without keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHANLU_CACHE", str(tmp_path_factory.mktemp("cache")))
        opened = open_world(tmp_path_factory.mktemp("data"), scenarios)
        yield opened
        close_world(opened)


@pytest.fixture(scope="module")
def finished(world: World) -> str:
    """Return the id of a finished plan."""
    plan_id = world.plan()
    world.work_off()
    return plan_id


@pytest.fixture(scope="module")
def network(world: World) -> str:
    """Return the id of a prepared network."""
    answer = world.client.post("/v1/networks", json={"scenario": {"folder": "tiny"}})
    assert answer.status_code == 202, answer.text
    world.work_off()
    return str(answer.json()["id"])


def test_plan_from_request_to_results(world: World, finished: str) -> None:
    """Tests that a plan goes from accepted to successful and that all its files come with their types."""
    status = world.client.get(f"/v1/plans/{finished}").json()
    assert status["state"] == "successful"
    assert status["result"]["orders"] == 20
    types = {
        "plan": "application/json",
        "geojson": "application/geo+json",
        "routes": "text/csv",
        "orders": "text/csv",
        "manifests": "application/pdf",
        "map": "text/html",
        "report": "application/json",
    }
    for part, media_type in types.items():
        answer = world.client.get(status["links"][part])
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.content
    assert world.client.get(status["links"]["report"]).json()["check"]["clean"] is True


def test_results_by_accept(world: World, finished: str) -> None:
    """Tests that the result comes in the type asked for, and that an impossible type is refused."""
    path = f"/v1/plans/{finished}/result"
    for accept, expected in (
        ("text/csv;q=0.5, application/pdf", "application/pdf"),
        ("text/*;q=0.1, image/png", "text/csv"),
        ("*/*", "application/json"),
    ):
        assert world.client.get(path, headers={"Accept": accept}).headers["content-type"].startswith(expected)
    refused = world.client.get(path, headers={"Accept": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (406, "NOT_ACCEPTABLE")


def test_results_before_the_end(world: World) -> None:
    """Tests that results of an unfinished plan are refused, and that stopping it before its start dismisses it."""
    plan_id = world.plan()
    refused = world.client.get(f"/v1/plans/{plan_id}/map")
    assert (refused.status_code, refused.json()["code"]) == (409, "RESULT_NOT_READY")
    assert world.client.delete(f"/v1/plans/{plan_id}").json()["state"] == "dismissed"
    world.work_off()
    assert world.client.get(f"/v1/plans/{plan_id}").json()["state"] == "dismissed"
    assert world.client.get(f"/v1/plans/{plan_id}/map").json()["code"] == "NO_RESULT"


def test_stopping_a_running_plan_keeps_the_best(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a plan stopped while searching ends dismissed with a checked plan."""
    plan_id = world.plan(max_iterations=1_000_000)
    report = world.service.store.report

    def stop_when_searching(job: Job, progress: dict[str, Any]) -> bool:
        if progress.get("cost") is not None:
            world.client.delete(f"/v1/plans/{plan_id}")
        return report(job, progress)

    monkeypatch.setattr(world.service.store, "report", stop_when_searching)
    world.work_off()
    status = world.client.get(f"/v1/plans/{plan_id}").json()
    assert status["state"] == "dismissed"
    assert status["result"]["served"] > 0
    assert world.client.get(f"/v1/plans/{plan_id}/plan").status_code == 200


def test_the_best_so_far_can_be_fetched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a running plan gives its best checked plan, said not to be final, and that stopping keeps as good."""
    plan_id = world.plan(max_iterations=1_000_000)
    report = world.service.store.report
    early: dict[str, Any] = {}

    def look_when_there_is_one(job: Job, progress: dict[str, Any]) -> bool:
        stopping = report(job, progress)
        if progress.get("best") is not None and not early:
            early["status"] = status = world.client.get(f"/v1/plans/{plan_id}").json()
            early["plan"] = world.client.get(status["links"]["plan"])
            accept = {"Accept": "text/csv"}
            early["files"] = [
                *(world.client.get(status["links"][part]) for part in ("geojson", "routes", "orders")),
                world.client.get(f"/v1/plans/{plan_id}/result", headers=accept),
            ]
            early["map"] = world.client.get(f"/v1/plans/{plan_id}/map").json()["code"]
            known = {"If-None-Match": early["plan"].headers["etag"]}
            early["again"] = world.client.get(f"/v1/plans/{plan_id}/plan", headers=known).status_code
            world.client.delete(f"/v1/plans/{plan_id}")
        return stopping

    monkeypatch.setattr(world.service.store, "report", look_when_there_is_one)
    world.work_off()
    assert early["status"]["state"] == "running"
    assert early["map"] == "RESULT_NOT_READY"
    assert early["again"] == 304
    assert {answer.status_code for answer in early["files"]} == {200}
    assert {answer.headers["shanlu-final"] for answer in (early["plan"], *early["files"])} == {"false"}
    judged = world.client.post("/v1/check", json={"plan_id": plan_id, "plan": early["plan"].json()}).json()
    assert judged["clean"], judged
    best = early["status"]["progress"]["best"]
    assert early["plan"].json()["objective"]["total"] == best["cost"]
    status = world.client.get(f"/v1/plans/{plan_id}").json()
    assert status["state"] == "dismissed"
    assert status["result"]["cost"] <= best["cost"]
    final = world.client.get(f"/v1/plans/{plan_id}/plan")
    assert final.headers["shanlu-final"] == "true"
    assert not list(world.service.settings.job_folder(plan_id).glob("best-*"))


def test_faulty_scenario_is_refused_with_every_fault(world: World, scenarios: Path, tmp_path: Path) -> None:
    """Tests that faults of several files come together, with file, row and field."""
    damaged = make_copy(scenarios / "tiny", tmp_path / "damaged")
    orders = (damaged / "orders.csv").read_text(encoding="utf-8").splitlines()
    orders[1] = orders[1].replace(orders[1].split(",")[1], "nowhere", 1)
    (damaged / "orders.csv").write_text("\n".join(orders), encoding="utf-8")
    fleet = (damaged / "fleet.toml").read_text(encoding="utf-8")
    (damaged / "fleet.toml").write_text(fleet + '\n[[stand]]\ntype = "zeppelin"\nsite = "hub"\n', encoding="utf-8")
    answer = world.client.post("/v1/plans", files={"scenario": ("s.zip", zip_folder(damaged, "damaged/"))})
    assert answer.status_code == 422
    assert answer.json()["code"] == "INVALID_SCENARIO"
    places = {(fault["file"], fault["field"]) for fault in answer.json()["faults"]}
    assert places == {("orders.csv", "from_site"), ("fleet.toml", "stand.type")}
    assert not world.queue.ids


def make_copy(source: Path, target: Path) -> Path:
    """Copy a scenario folder."""
    for path in source.rglob("*"):
        if path.is_file():
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / path.relative_to(source)).write_bytes(path.read_bytes())
    return target


def test_dry_run_keeps_nothing(world: World) -> None:
    """Tests that a dry run reads everything, answers with the figures and leaves no plan behind."""
    before = world.client.get("/v1/plans").json()["plans"]
    answer = world.client.post("/v1/plans?dry_run=true", json={"scenario": {"folder": "tiny"}})
    assert (answer.status_code, answer.json()["orders"]) == (200, 20)
    assert world.client.get("/v1/plans").json()["plans"] == before
    assert not any(world.service.settings.staging_folder.iterdir())


def test_idempotency(world: World) -> None:
    """Tests that a repeated request finds its plan, and that the key serves no other request."""
    headers = {"Idempotency-Key": "day 1"}
    body = {"scenario": {"folder": "tiny"}, "max_iterations": 1}
    first = world.client.post("/v1/plans", json=body, headers=headers)
    again = world.client.post("/v1/plans", json=body, headers=headers)
    other = world.client.post("/v1/plans", json={**body, "seed": 7}, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_MISMATCH")
    assert world.queue.ids == [first.json()["id"]]
    world.client.delete(f"/v1/plans/{first.json()['id']}")
    world.work_off()


def test_etags(world: World, finished: str) -> None:
    """Tests that unchanged things are not sent again and that changes on an old version are refused."""
    answer = world.client.get(f"/v1/plans/{finished}")
    again = world.client.get(f"/v1/plans/{finished}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = world.client.get(f"/v1/plans/{finished}/plan")
    assert (
        world.client.get(f"/v1/plans/{finished}/plan", headers={"If-None-Match": part.headers["etag"]}).status_code
        == 304
    )
    refused = world.client.delete(f"/v1/plans/{finished}", headers={"If-Match": '"old"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "PRECONDITION_FAILED")


def test_pages(world: World, finished: str) -> None:
    """Tests that following `next` lists every plan once, the newest first."""
    extra = [world.plan() for _ in range(3)]
    for plan_id in extra:
        world.client.delete(f"/v1/plans/{plan_id}")
    path, seen = "/v1/plans?limit=2", []
    while path is not None:
        page = world.client.get(path).json()
        assert len(page["plans"]) <= 2
        seen += [plan["id"] for plan in page["plans"]]
        path = page["next"]
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=True)
    assert {finished, *extra} <= set(seen)
    world.work_off()


def test_events_tell_the_end(world: World, finished: str) -> None:
    """Tests that the event stream of a finished plan sends its status and ends."""
    answer = world.client.get(f"/v1/plans/{finished}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    data = next(line for line in answer.text.splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["state"] == "successful"


def test_plan_of_a_network(world: World, network: str) -> None:
    """Tests that a day's orders and fleet as JSON are planned on a prepared network, also after it was deleted."""
    copy = world.client.post("/v1/networks", json={"scenario": {"folder": "tiny"}}).json()["id"]
    world.work_off()
    body = {
        "network": copy,
        "name": "Tuesday",
        "orders": [
            {"id": "a", "from_site": "hub", "to_site": "t01", "weight_kg": 2, "volume_l": 9},
            {"id": "b", "from_site": "t01", "to_site": "hub", "weight_kg": 1, "volume_l": 4},
        ],
        "fleet": {
            "vehicle": [{"id": "van", "preset": "van_electric", "width_m": None}],
            "stand": [{"type": "van", "site": "hub"}],
        },
        "max_iterations": 2,
    }
    answer = world.client.post("/v1/plans", json=body)
    assert answer.status_code == 202, answer.text
    assert world.client.delete(f"/v1/networks/{copy}").status_code == 204
    assert world.client.get(f"/v1/networks/{copy}").status_code == 404
    world.work_off()
    status = world.client.get(f"/v1/plans/{answer.json()['id']}").json()
    assert (status["state"], status["name"], status["result"]["orders"]) == ("successful", "Tuesday", 2)
    assert world.client.get(f"/v1/networks/{network}").json()["result"]["sites"] == 15


def test_gcj02(world: World, network: str) -> None:
    """Tests that drops and places in GCJ-02 are converted and the answer says so; files are not taken so."""
    orders: list[dict[str, Any]] = [
        {"id": "a", "from_site": "hub", "to_lon": 121.531541859215, "to_lat": "x", "weight_kg": 2, "volume_l": 9}
    ]
    body = {"network": network, "orders": orders, "crs": "gcj02"}
    assert "/orders/0/to_lat" in {
        fault["pointer"] for fault in world.client.post("/v1/plans", json=body).json()["faults"]
    }
    orders[0]["to_lat"] = 31.17530398364597
    far = world.client.post("/v1/plans", json=body).json()["id"]
    kept = json.loads((world.service.settings.job_folder(far) / "scenario" / "orders.json").read_text(encoding="utf-8"))
    assert (round(kept[0]["to_lon"], 6), round(kept[0]["to_lat"], 6)) == (121.527211, 31.177428)
    orders[0] = {"id": "a", "from_site": "hub", "to_site": "t01", "weight_kg": 2, "volume_l": 9}
    accepted = world.client.post("/v1/plans", json={**body, "max_iterations": 0})
    assert "GCJ-02" in accepted.json()["notes"][0]
    world.work_off()
    places = {"network": network, "places": [[121.5, 31.2]], "crs": "gcj02"}
    assert "GCJ-02" in world.client.post("/v1/matrix", json=places).json()["notes"][0]
    bare = world.client.post("/v1/plans", json={"scenario": {"folder": "tiny"}, "crs": "gcj02"})
    assert (bare.status_code, bare.json()["code"]) == (422, "INVALID_REQUEST")


def test_faults_of_inline_orders_point_into_the_body(world: World, network: str) -> None:
    """Tests that each fault of an order in the body has its JSON pointer."""
    orders = [
        {"id": "a", "from_site": "hub", "to_site": "t01", "weight_kg": 2, "volume_l": 9},
        {"id": "b", "from_site": "hub", "to_site": "t01", "weight_kg": -2, "volume": 9},
    ]
    answer = world.client.post("/v1/plans", json={"network": network, "orders": orders})
    assert answer.status_code == 422
    pointers = {fault.get("pointer") for fault in answer.json()["faults"]}
    assert {"/orders/1/weight_kg", "/orders/1/volume"} <= pointers


def test_check_finds_what_was_damaged(world: World, finished: str, tmp_path: Path) -> None:
    """Tests that the plan is clean as made, and that a missing order is found when it is taken out."""
    document = world.client.get(f"/v1/plans/{finished}/plan").json()
    clean = world.client.post("/v1/check", json={"plan_id": finished, "plan": document})
    assert clean.json() == {"clean": True, "counts": {}, "violations": []}
    document["routes"].pop()
    damaged = world.client.post("/v1/check", json={"scenario": {"folder": "tiny"}, "plan": document}).json()
    assert damaged["clean"] is False
    assert damaged["violations"]
    refused = world.client.post("/v1/check", json={"plan_id": finished, "plan": {"format": "x"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_PLAN")
    (tmp_path / "plan.json").write_bytes(world.client.get(f"/v1/plans/{finished}/plan").content)
    assert plan_to_bytes(read_plan(tmp_path / "plan.json")) == (tmp_path / "plan.json").read_bytes()


def test_matrix(world: World, network: str) -> None:
    """Tests travel between sites: zero diagonal, symmetric shape, null off the map, a note on exchanged axes."""
    west, south, east, north = world.client.get(f"/v1/networks/{network}").json()["result"]["bounds"]
    plan = world.client.post("/v1/matrix", json={"network": network, "places": [[(west + east) / 2, north], [0, 0]]})
    assert plan.status_code == 200
    assert plan.json()["duration_s"] == [[0, None], [None, 0]]
    swapped = world.client.post("/v1/matrix", json={"network": network, "places": [[south, west % 90]]}).json()
    assert swapped["notes"] == []
    unknown = world.client.post("/v1/matrix", json={"network": network, "profile": "vann", "places": [[1, 2]]})
    assert unknown.json()["faults"][0]["pointer"] == "/profile"


def test_matrix_between_sites(world: World, network: str) -> None:
    """Tests that two sites on roads reach each other in a time that fits the distance."""
    rows = (world.service.settings.job_folder(network) / "scenario" / "sites.csv").read_text(encoding="utf-8")
    places = [[float(cell) for cell in row.split(",")[3:5]] for row in rows.splitlines()[1:3]]
    found = world.client.post("/v1/matrix", json={"network": network, "places": places}).json()
    there = found["duration_s"][0][1]
    assert there > 0
    assert 1.0 < found["distance_m"][0][1] / there < 40.0


def test_where_an_order_is(world: World, finished: str) -> None:
    """Tests that an order is at its origin before its first leg, riding during it, and delivered after the last."""
    document = world.client.get(f"/v1/plans/{finished}/plan").json()
    entry = document["orders"][0]
    first, last = entry["legs"][0], entry["legs"][-1]

    def now(at_s: int) -> dict[str, object]:
        answer = world.client.get(f"/v1/orders/{entry['order']}?at_s={at_s}").json()
        return next(plan for plan in answer["plans"] if plan["plan"] == finished)["now"]  # type: ignore[no-any-return]

    assert (now(0)["status"], now(0)["place"]) == ("waiting", first["from_place"])
    assert (now(first["departure_s"])["status"], now(first["departure_s"])["route"]) == ("riding", first["route"])
    assert (now(last["unload_end_s"])["status"], now(last["unload_end_s"])["place"]) == ("delivered", last["to_place"])
    assert world.client.get("/v1/orders/none").json()["code"] == "ORDER_NOT_FOUND"


def test_index_page_links_the_map(world: World, finished: str) -> None:
    """Tests that the page lists the plan and links its map."""
    page = world.client.get("/")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert f"/v1/plans/{finished}/map" in page.text


def test_purge(world: World) -> None:
    """Tests that a purged plan is gone with its files."""
    plan_id = world.plan()
    refused = world.client.delete(f"/v1/plans/{plan_id}?purge=true")
    assert refused.json()["code"] == "RESULT_NOT_READY"
    world.work_off()
    assert world.client.delete(f"/v1/plans/{plan_id}?purge=true").status_code == 204
    assert world.client.get(f"/v1/plans/{plan_id}").status_code == 404
    assert not world.service.settings.job_folder(plan_id).exists()


def test_a_file_whose_folder_goes_while_it_is_asked_for(world: World) -> None:
    """Tests that a file is said to be gone where its plan is purged between being looked up and being read."""
    plan_id = world.plan()
    world.work_off()
    shutil.rmtree(world.service.settings.job_folder(plan_id))
    answer = world.client.get(f"/v1/plans/{plan_id}/map")
    assert (answer.status_code, answer.json()["code"]) == (409, "NO_RESULT")


def test_an_overtaken_attempt_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that an attempt that another one overtakes before it ends removes what it has written."""
    plan_id = world.plan()
    finish = Store.finish

    def late(self: Store, job: Job, state: JobState, **figures: Any) -> bool:
        if job.attempt == 1:
            self.begin_attempt(job.id)
        return finish(self, job, state, **figures)

    monkeypatch.setattr(Store, "finish", late)
    world.work_off()
    folder = world.service.settings.job_folder(plan_id)
    assert list(folder.glob("result-*")) == []
    (folder / ".result-1.left").mkdir()
    run_job(world.service.settings, world.service.store, plan_id)
    assert [path.name for path in folder.iterdir() if "result-" in path.name] == ["result-3"]
    assert world.client.get(f"/v1/plans/{plan_id}").json()["state"] == "successful"
