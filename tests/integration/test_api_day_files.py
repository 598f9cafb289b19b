"""Files of the day on a network: versions, faults with their places, plans that use them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_world import World, close_world, make_tiny_scenario, open_world
from google.transit import gtfs_realtime_pb2 as pb

NOWHERE: dict[str, Any] = {"type": "FeatureCollection", "features": []}
GEOJSON = {"Content-Type": "application/geo+json"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service with the tiny scenario."""
    root = tmp_path_factory.mktemp("scenarios")
    make_tiny_scenario(root / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHANLU_CACHE", str(tmp_path_factory.mktemp("cache")))
        opened = open_world(tmp_path_factory.mktemp("data"), root, max_day_file_bytes=5_000_000)
        yield opened
        close_world(opened)


@pytest.fixture
def network(world: World) -> str:
    """Return the path of a network prepared anew."""
    answer = world.client.post("/v1/networks", json={"scenario": {"folder": "tiny"}})
    world.work_off()
    return f"/v1/networks/{answer.json()['id']}"


def closure(box: list[float], **properties: Any) -> dict[str, Any]:
    """Return a closed rectangle (west, south, east, north)."""
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def put(world: World, path: str, document: dict[str, Any], **headers: str) -> Any:
    """Send a GeoJSON file."""
    return world.client.put(path, content=json.dumps(document), headers={**GEOJSON, **headers})


def test_versions(world: World, network: str) -> None:
    """Tests that a file comes back as sent, that its digest is its version, and that the network's changes with it."""
    before = world.client.get(network).json()["result"]["digest"]
    answer = put(world, f"{network}/closures", NOWHERE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["digest"]}"'
    after = world.client.get(network).json()["result"]["digest"]
    assert after == answer.json()["network_digest"] != before
    found = world.client.get(f"{network}/closures")
    assert (found.json(), found.headers["content-type"]) == (NOWHERE, "application/geo+json")
    tag = {"If-None-Match": found.headers["etag"]}
    assert world.client.get(f"{network}/closures", headers=tag).status_code == 304
    assert world.client.get(f"{network}/timetable-updates").json()["code"] == "DAY_FILE_NOT_FOUND"


def test_only_the_known_version_is_replaced(world: World, network: str) -> None:
    """Tests that If-Match lets two dispatchers not overwrite each other unseen."""
    first = put(world, f"{network}/closures", NOWHERE)
    second = put(world, f"{network}/closures", {**NOWHERE, "name": "b"}, **{"If-Match": first.headers["etag"]})
    assert second.status_code == 200
    stale = put(world, f"{network}/closures", NOWHERE, **{"If-Match": first.headers["etag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "PRECONDITION_FAILED")
    none = put(world, f"{network}/timetable-updates", NOWHERE, **{"If-Match": "*"})
    assert none.status_code == 415
    assert world.client.get(f"{network}/closures").headers["etag"] == second.headers["etag"]


def test_faults_have_their_places(world: World, network: str) -> None:
    """Tests that every fault is told with its JSON pointer, and that a faulty file changes nothing."""
    faulty = [closure([0.0, 0.0, 1.0, 1.0], kind="shut", until=3), {"type": "Feature", "properties": {}}]
    refused = put(world, f"{network}/closures", {"type": "FeatureCollection", "features": faulty})
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_SCENARIO")
    assert [fault["pointer"] for fault in refused.json()["faults"]] == [
        "/features/0/properties/until",
        "/features/0/properties/kind",
        "/features/1/geometry",
    ]
    csv = {"Content-Type": "text/csv"}
    refused = world.client.put(f"{network}/weather", content="hour,temp_c\n0,warm\n", headers=csv)
    first = refused.json()["faults"][0]
    assert (first["file"], first["row"], first["field"]) == ("weather.csv", 2, "temp_c")
    big = world.client.put(f"{network}/weather", content=b" " * 5_000_001, headers=csv)
    assert (big.status_code, big.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_plans_made_afterwards_use_it(world: World, network: str) -> None:
    """Tests that with all roads closed a plan has no street movement, and that matrices know it too."""
    facts = world.client.get(network).json()["result"]
    west, south, east, north = facts["bounds"]
    places = [[west + share * (east - west), south + share * (north - south)] for share in (0.4, 0.6)]
    body = {"network": network.rsplit("/", 1)[1], "places": places}
    closed = closure([west - 0.1, south - 0.1, east + 0.1, north + 0.1], kind="closed")
    assert put(world, f"{network}/closures", {"type": "FeatureCollection", "features": [closed]}).status_code == 200
    assert world.client.post("/v1/matrix", json=body).json()["distance_m"][0][1] is None
    plan = world.client.post("/v1/plans", json={"network": body["network"], "max_iterations": 1}).json()["id"]
    world.work_off()
    made = world.client.get(f"/v1/plans/{plan}/plan").json()
    kinds = {stop["movement"]["kind"] for route in made["routes"] for stop in route["stops"] if stop["movement"]}
    assert "street" not in kinds
    assert put(world, f"{network}/closures", NOWHERE).status_code == 200
    assert world.client.post("/v1/matrix", json=body).status_code == 200


def test_bus_delays(world: World, network: str) -> None:
    """Tests that a GTFS-Realtime feed is taken, and that bytes that are none are refused."""
    message = pb.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    binary = {"Content-Type": "application/x-protobuf"}
    path = f"{network}/timetable-updates"
    answer = world.client.put(path, content=message.SerializeToString(), headers=binary)
    assert answer.status_code == 200, answer.text
    assert world.client.get(path).content == message.SerializeToString()
    refused = world.client.put(path, content=b"<html>", headers=binary)
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_SCENARIO")
