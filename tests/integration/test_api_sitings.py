"""Sitings through the service: asked, followed, fetched, refused, stopped; in one process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import World, close_world, make_tiny_scenario, open_world, zip_folder

QUESTION = {"open": 2, "front_time_s": 5.0}


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


def ask(world: World, **body: Any) -> dict[str, Any]:
    """Ask, let the worker answer, and return the siting's status."""
    answer = world.client.post("/v1/sitings", json={"scenario": {"folder": "tiny"}, **QUESTION, **body})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["links"]["self"]
    world.work_off()
    return dict(world.client.get(answer.headers["location"]).json())


@pytest.fixture(scope="module")
def finished(world: World) -> dict[str, Any]:
    """Return the status of a finished siting with a typical day planned on its sets."""
    return ask(world, days=1, iterations=0)


def sites_of(world: World) -> list[dict[str, Any]]:
    """Return villages of the tiny scenario as records of settlements."""
    path = Path(str(world.service.settings.scenarios)) / "tiny" / "sites.csv"
    header, *rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    records = [dict(zip(header, row, strict=False)) for row in rows]
    return [
        {"name": row["id"], "lon": float(row["lon"]), "lat": float(row["lat"]), "people": 50}
        for row in records
        if row["level"] == "village"
    ]


def test_siting_from_request_to_results(world: World, finished: dict[str, Any]) -> None:
    """Tests that a siting ends with a proven answer and all its files, each with its type."""
    assert finished["state"] == "successful"
    assert finished["result"]["proven"] is True
    assert finished["result"]["opened"] == 2
    types = {
        "report": "application/json",
        "geojson": "application/geo+json",
        "points": "text/csv",
        "settlements": "text/csv",
        "front": "text/csv",
        "map": "text/html",
    }
    for part, media_type in types.items():
        answer = world.client.get(finished["links"][part])
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
    report = world.client.get(finished["links"]["report"]).json()
    assert {point["id"] for point in report["answer"]["points"]} == set(finished["result"]["points"])
    assert all(entry["delivery"] for entry in report["front"])
    result = f"{finished['links']['self']}/result"
    assert world.client.get(result, headers={"Accept": "text/csv"}).headers["content-type"].startswith("text/csv")
    assert world.client.get(result, headers={"Accept": "application/pdf"}).status_code == 406
    assert (
        world.client.get(finished["links"]["map"]).headers["content-security-policy"].startswith("default-src 'none'")
    )


def test_pages_etags_events_and_keys(world: World, finished: dict[str, Any]) -> None:
    """Tests listing, 304, the stream of events, and that a repeated request finds the first one's siting."""
    listed = world.client.get("/v1/sitings").json()["sitings"]
    assert finished["id"] in [entry["id"] for entry in listed]
    reads = [world.client.get(finished["links"]["self"], headers={"Accept-Encoding": "gzip"}) for _ in range(3)]
    assert len({answer.text for answer in reads}) == 1
    tag = reads[0].headers["etag"]
    assert world.client.get(finished["links"]["self"], headers={"If-None-Match": tag}).status_code == 304
    events = world.client.get(finished["links"]["events"]).text
    assert '"successful"' in events
    body = {"scenario": {"folder": "tiny"}, **QUESTION}
    first = world.client.post("/v1/sitings", json=body, headers={"Idempotency-Key": "a"})
    again = world.client.post("/v1/sitings", json=body, headers={"Idempotency-Key": "a"})
    other = world.client.post("/v1/sitings", json={**body, "open": 1}, headers={"Idempotency-Key": "a"})
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")
    assert other.json()["code"] == "IDEMPOTENCY_MISMATCH"
    stopped = world.client.delete(first.json()["links"]["self"])
    assert stopped.json()["state"] == "dismissed"
    assert world.client.get(f"{first.json()['links']['self']}/map").json()["code"] == "NO_RESULT"
    assert world.client.delete(f"{first.json()['links']['self']}?purge=true").status_code == 204
    assert world.client.get(first.json()["links"]["self"]).json()["code"] == "SITING_NOT_FOUND"
    world.queue.ids.clear()


def test_siting_of_a_network_with_tables_in_the_body(world: World) -> None:
    """Tests a network by id with settlements, points and a closed road of the request."""
    network = world.client.post("/v1/networks", json={"scenario": {"folder": "tiny"}}).json()["id"]
    world.work_off()
    people = sites_of(world)
    points = [{**place, "id": f"p{k}"} for k, place in enumerate(people)]
    for point in points:
        del point["people"]
    found = ask(
        world,
        scenario=None,
        network=network,
        open=len(people),
        settlements=people,
        points=points,
        closures=[{"type": "FeatureCollection", "features": []}],
        over="worst",
        capacities=True,
    )
    assert found["state"] == "successful", found["error"]
    assert found["network"] == network
    assert set(found["result"]["points"]) <= {point["id"] for point in points}
    assert found["result"]["people"] == 50 * len(people)


def test_uploaded_scenario_and_spreadsheet(world: World, scenarios: Path) -> None:
    """Tests a form with a zipped scenario and a CSV of settlements, and that other formats are refused."""
    rows = [f"{place['name']},{place['lon']},{place['lat']},50" for place in sites_of(world)]
    table = "\n".join(["name,lon,lat,people", *rows]).encode()
    zipped = ("tiny.zip", zip_folder(scenarios / "tiny"))
    form = {"request": json.dumps(QUESTION)}
    taken = world.client.post(
        "/v1/sitings", data=form, files={"scenario": zipped, "settlements": ("people.csv", table)}
    )
    assert taken.status_code == 202, taken.text
    world.work_off()
    assert world.client.get(taken.headers["location"]).json()["result"]["people"] == 50 * len(rows)
    refused = world.client.post(
        "/v1/sitings", data=form, files={"scenario": zipped, "settlements": ("people.doc", table)}
    )
    assert refused.json()["faults"][0]["code"] == "UNSUPPORTED_FORMAT"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"open": None}, "INVALID_REQUEST", ""),
        ({"opne": 2}, "INVALID_REQUEST", "/opne"),
        ({"settlements": [{"name": "A", "lon": 1.0, "lat": 2.0, "people": -1}]}, "INVALID_SCENARIO", "/settlements/0"),
        ({"time_limit_s": 80_000}, "INVALID_REQUEST", "/time_limit_s"),
        ({"scenario": {"folder": "../tiny"}}, "SCENARIO_NOT_FOUND", None),
    ],
)
def test_faulty_requests(world: World, body: dict[str, Any], code: str, pointer: str | None) -> None:
    """Tests that senseless bodies and bad tables are refused at once, each fault with its place."""
    answer = world.client.post("/v1/sitings", json={"scenario": {"folder": "tiny"}, **QUESTION, **body})
    assert answer.json()["code"] == code
    assert answer.status_code in (404, 422)
    if pointer is not None:
        assert any(str(fault["pointer"]).startswith(pointer) for fault in answer.json()["faults"])


def test_a_question_that_cannot_be_met_names_its_key_and_the_least(world: World) -> None:
    """Tests that the siting fails with the key at fault and what would do, in the words of the body."""
    found = ask(world, open=None, within_min=0.5)
    assert found["state"] == "failed"
    assert found["error"]["code"] == "UNANSWERABLE"
    (fault,) = found["error"]["faults"]
    assert fault["pointer"] == "/within_min"
    assert "The least that would do" in fault["remedy"]
    pointed = ask(world, force_open=["nowhere"])["error"]["faults"][0]
    assert pointed["pointer"] == "/force_open"


def test_stopping_a_running_siting_keeps_the_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a siting stopped while it looks for further sets ends dismissed, with its files."""
    from routing.siting import pipeline

    real = pipeline.answer_aim
    asked = world.client.post("/v1/sitings", json={"scenario": {"folder": "tiny"}, **QUESTION}).json()

    def stopping(*arguments: Any) -> Any:
        assert world.client.delete(asked["links"]["self"]).json()["stop_requested"] is True
        return real(*arguments)

    monkeypatch.setattr(pipeline, "answer_aim", stopping)
    monkeypatch.setattr("api.work.REPORT_S", 0.0)
    world.work_off()
    status = world.client.get(asked["links"]["self"]).json()
    assert status["state"] == "dismissed"
    assert status["result"]["opened"] == 2
    assert status["result"]["sets_judged"] == 0
    assert world.client.get(status["links"]["map"]).status_code == 200
