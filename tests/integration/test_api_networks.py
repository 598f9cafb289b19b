"""Networks made of their parts: sent as files of a form, or named below the configured folder; sites in GCJ-02."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import World, close_world, make_tiny_scenario, open_world

from geodata.gcj02 import wgs84_of_gcj02


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a scenario folder below a folder the service is configured with."""
    return make_tiny_scenario(tmp_path_factory.mktemp("scenarios") / "tiny")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[World]:
    """Return a service that may read the folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHANLU_CACHE", str(tmp_path_factory.mktemp("cache")))
        opened = open_world(tmp_path_factory.mktemp("data"), tiny.parent)
        yield opened
        close_world(opened)


def parts_of(tiny: Path) -> list[tuple[str, tuple[str, bytes]]]:
    """Return the parts of a scenario folder as fields of a form."""
    tile = next((tiny / "terrain").iterdir())
    paths = {"streets": next(tiny.glob("*.osm.pbf")), "timetable": tiny / "timetable.zip", "sites": tiny / "sites.csv"}
    files = [(name, (path.name, path.read_bytes())) for name, path in paths.items()]
    return [*files, *(("terrain", (name, tile.read_bytes())) for name in (tile.name, f"again-{tile.name}"))]


def prepared(world: World, answer: Any) -> dict[str, Any]:
    """Return the status of a network once it is prepared."""
    assert answer.status_code == 202, answer.text
    world.work_off()
    status: dict[str, Any] = world.client.get(answer.headers["location"]).json()
    assert status["state"] == "successful", status
    return status


def sites_of(world: World, status: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the coordinates of a network's sites, as the service keeps them."""
    folder = world.service.settings.job_folder(status["id"]) / "scenario"
    if (folder / "sites-wgs84.json").is_file():
        rows = json.loads((folder / "sites-wgs84.json").read_text(encoding="utf-8"))
    else:
        rows = list(csv.DictReader(io.StringIO((folder / "sites.csv").read_text(encoding="utf-8"))))
    return {row["id"]: (float(row["lon"]), float(row["lat"])) for row in rows}


def test_parts_in_one_upload(world: World, tiny: Path) -> None:
    """Tests that extract, tiles, timetable and sites sent as they are make a network."""
    head = {"name": "Tiny", "service_date": "2026-06-10"}
    status = prepared(
        world, world.client.post("/v1/networks", files=parts_of(tiny), data={"request": json.dumps(head)})
    )
    assert (status["name"], status["result"]["service_date"]) == ("Tiny", "2026-06-10")
    assert status["result"]["sites"] == 15
    assert status["result"]["bus_trips"] > 0
    folder = world.service.settings.job_folder(status["id"]) / "scenario"
    assert len(list((folder / "terrain").iterdir())) == 2
    assert "OpenStreetMap" in (folder / "scenario.toml").read_text(encoding="utf-8")


def test_parts_by_reference(world: World, tiny: Path) -> None:
    """Tests that files named below the configured folder make the same network, and only those below it."""
    names = {name: f"tiny/{file}" for name, (file, _) in parts_of(tiny)[:3]}
    files = {**names, "terrain": [f"tiny/terrain/{path.name}" for path in (tiny / "terrain").iterdir()]}
    status = prepared(world, world.client.post("/v1/networks", json={"files": files, "service_date": "2026-06-10"}))
    assert (status["name"], status["result"]["sites"]) == ("area", 15)
    for name in ("../tiny/sites.csv", "/etc/sites.csv", "tiny/none.csv", "tiny/\0.csv"):
        refused = world.client.post("/v1/networks", json={"files": {**files, "sites": name}})
        assert (refused.status_code, refused.json()["code"]) == (404, "SCENARIO_NOT_FOUND")


def test_sites_in_gcj02(world: World, tiny: Path) -> None:
    """Tests that a sites file in GCJ-02 is converted, however the network comes, and that the status says so."""
    plain = sites_of(world, prepared(world, world.client.post("/v1/networks", json={"scenario": {"folder": "tiny"}})))
    request = json.dumps({"crs": "gcj02", "service_date": "2026-06-10"})
    for answer in (
        world.client.post("/v1/networks", files=parts_of(tiny), data={"request": request}),
        world.client.post("/v1/networks", json={"scenario": {"folder": "tiny"}, "crs": "gcj02"}),
    ):
        status = prepared(world, answer)
        assert "GCJ-02" in status["notes"][0]
        moved = sites_of(world, status)
        assert moved.keys() == plain.keys()
        for name, (lon, lat) in plain.items():
            expected = wgs84_of_gcj02(lon, lat)
            assert moved[name] == pytest.approx(expected, abs=1e-6)
            assert moved[name] != (lon, lat)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"sites": None}, "MISSING", "sites"),
        ({"sites": ("sites.doc", b"x")}, "UNSUPPORTED_FORMAT", "sites"),
        ({"streets": ("map.png", b"x")}, "UNSUPPORTED_FORMAT", "streets"),
        ({"terrain": ("a b.tif", b"x")}, "BAD_NAME", "terrain"),
    ],
)
def test_parts_at_fault_are_named(world: World, tiny: Path, changes: dict[str, Any], code: str, field: str) -> None:
    """Tests that a part that lacks, or is of no format that is read, is told by its name."""
    kept = [(name, file) for name, file in parts_of(tiny) if name not in changes]
    sent = [*kept, *((name, file) for name, file in changes.items() if file is not None)]
    answer = world.client.post("/v1/networks", files=sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert [(fault["code"], fault["field"]) for fault in answer.json()["faults"]] == [(code, field)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scenario": {"folder": "tiny"}, "files": {"streets": "tiny/a.osm", "sites": "tiny/sites.csv"}},
        {"scenario": {"folder": "tiny"}, "name": "other"},
        {"files": {"streets": "tiny/a.doc", "sites": "tiny/sites.csv"}},
    ],
)
def test_sources_that_contradict_each_other(world: World, body: dict[str, Any]) -> None:
    """Tests that no source, two, a name beside a scenario's own and a file of no known kind are refused."""
    answer = world.client.post("/v1/networks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert answer.json()["faults"]


def test_faults_of_sites_are_told_at_once(world: World, tiny: Path) -> None:
    """Tests that each fault of the sites sent has file, row and field, in GCJ-02 too."""
    lines = (tiny / "sites.csv").read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace(",town,", ",hamlet,")
    sent = [(name, file) for name, file in parts_of(tiny) if name != "sites"]
    sent.append(("sites", ("sites.csv", "\n".join(lines).encode())))
    answer = world.client.post("/v1/networks", files=sent, data={"request": '{"crs": "gcj02"}'})
    assert answer.json()["code"] == "INVALID_SCENARIO"
    fault = answer.json()["faults"][0]
    assert (fault["file"], fault["row"], fault["field"]) == ("sites.csv", 3, "level")


def test_a_network_can_be_waited_for_and_asked_for_twice(world: World) -> None:
    """Tests that a repeated request finds the network made, which is answered as finished when it is."""
    body, key = {"scenario": {"folder": "tiny"}}, {"Idempotency-Key": "area-1"}
    first = world.client.post("/v1/networks", json=body, headers=key)
    prepared(world, first)
    again = world.client.post("/v1/networks", json=body, headers={**key, "Prefer": "wait=5"})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (again.headers["idempotency-replayed"], again.headers["preference-applied"]) == ("true", "wait=5")


@pytest.mark.parametrize("kind", ["plans", "networks", "sitings"])
def test_cursors_that_no_page_gave_are_refused(world: World, kind: str) -> None:
    """Tests that a page is never begun at the wrong place without a word."""
    answer = world.client.get(f"/v1/{kind}?cursor=zzz")
    assert (answer.status_code, answer.json()["faults"][0]["parameter"]) == (422, "cursor")
