"""Planning the rest of a day anew over the service: from a finished plan to a new one, its difference, its faults."""

from collections.abc import Iterator
from typing import Any

import pytest
from api_world import World, close_world, make_tiny_scenario, open_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service with the tiny scenario."""
    root = tmp_path_factory.mktemp("scenarios")
    make_tiny_scenario(root / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHANLU_CACHE", str(tmp_path_factory.mktemp("cache")))
        opened = open_world(tmp_path_factory.mktemp("data"), root)
        yield opened
        close_world(opened)


@pytest.fixture(scope="module")
def finished(world: World) -> str:
    """Return the id of a finished plan."""
    plan_id = world.plan()
    world.work_off()
    return plan_id


def replan(world: World, plan_id: str, **body: Any) -> Any:
    """Ask for the rest of a day anew, and let it be made."""
    answer = world.client.post(f"/v1/plans/{plan_id}/replan", json={"max_iterations": 2, **body})
    world.work_off()
    return answer


def test_a_new_plan_with_its_difference(world: World, finished: str) -> None:
    """Tests that orders come and go, that the difference tells it, and that the new plan is clean by its own day."""
    before = world.client.get(f"/v1/plans/{finished}/plan").json()
    leg = before["orders"][0]["legs"][0]
    new = {"id": "late", "from_site": leg["from_place"], "to_site": leg["to_place"], "weight_kg": 1, "volume_l": 2}
    gone = before["orders"][-1]["order"]
    answer = replan(world, finished, now_s=0, new_orders=[new], cancelled_orders=[gone], may_move=3)
    assert answer.status_code == 202, answer.text
    status = world.client.get(answer.headers["location"]).json()
    assert (status["state"], status["result"]["orders"]) == ("successful", 20), status["error"]
    assert status["links"]["replaces"] == f"/v1/plans/{finished}"
    difference = world.client.get(status["links"]["diff"]).json()
    assert (difference["replaces"], difference["stranded"]) == (finished, {})
    assert any(gone in change["lost"] for change in difference["carriers"])
    plan = world.client.get(status["links"]["plan"]).json()
    judged = world.client.post("/v1/check", json={"plan_id": status["id"], "plan": plan}).json()
    assert judged["clean"], judged
    assert world.client.get("/v1/orders/late").json()["plans"][0]["plan"] == status["id"]
    assert world.client.get(status["links"]["map"]).status_code == 200


def test_a_day_may_change_again_and_again(world: World, finished: str) -> None:
    """Tests that the plan of a changed day can itself be replaced, on the day as it then is."""
    first = replan(world, finished, now_s=30_000, cancelled_orders=[]).json()["id"]
    second = replan(world, first, now_s=36_000).json()["id"]
    status = world.client.get(f"/v1/plans/{second}").json()
    assert status["state"] == "successful", status["error"]
    assert world.client.get(f"/v1/plans/{second}/diff").json()["moved_orders"] == []


def test_faults_of_events_have_their_places(world: World, finished: str) -> None:
    """Tests that unknown keys are refused at once, and unknown carriers and orders with their pointers."""
    refused = replan(world, finished, now_s=0, lates=[])
    assert (refused.status_code, refused.json()["faults"][0]["pointer"]) == (422, "/lates")
    made = replan(world, finished, now_s=0, cancelled_orders=["nobody"], grounded=["bird"]).json()["id"]
    status = world.client.get(f"/v1/plans/{made}").json()
    assert (status["state"], status["error"]["code"]) == ("failed", "INVALID_SCENARIO")
    assert {fault["pointer"] for fault in status["error"]["faults"]} == {"/cancelled_orders", "/grounded"}
    assert world.client.get(f"/v1/plans/{made}/diff").json()["code"] == "NO_RESULT"


def test_only_finished_plans_are_replaced(world: World, finished: str) -> None:
    """Tests that a plan not finished is not replaced, that others' plans are none, and that keys replay."""
    waiting = world.plan()
    early = world.client.post(f"/v1/plans/{waiting}/replan", json={"now_s": 0})
    assert (early.status_code, early.json()["code"]) == (409, "RESULT_NOT_READY")
    assert world.client.get(f"/v1/plans/{waiting}/diff").json()["code"] == "NO_RESULT"
    assert world.client.post("/v1/plans/plan-none/replan", json={"now_s": 0}).json()["code"] == "PLAN_NOT_FOUND"
    headers = {"Idempotency-Key": "again"}
    body = {"now_s": 0, "max_iterations": 0}
    answers = [world.client.post(f"/v1/plans/{finished}/replan", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["idempotency-replayed"] == "true"
