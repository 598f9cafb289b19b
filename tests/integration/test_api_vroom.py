"""VROOM's interface: every documented feature, each answer judged by an independent walk over its steps."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from api_world import World, close_world, make_tiny_scenario, open_world

from geodata.gcj02 import gcj02_of_wgs84

MINUTE = 60


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service with quick searches."""
    opened = open_world(tmp_path_factory.mktemp("data"), None, vroom_time_limit_s=0.3)
    yield opened
    close_world(opened)


def matrix(n: int, seed: int = 1, step: int = 10 * MINUTE) -> list[list[int]]:
    """Return asymmetric durations between points on a line, with a little noise."""
    draw = random.Random(seed)
    return [[0 if i == j else abs(i - j) * step + draw.randrange(MINUTE) for j in range(n)] for i in range(n)]


def ask(world: World, body: dict[str, Any], path: str = "/") -> dict[str, Any]:
    """Return the answer to a request that has one; it is judged first."""
    answer = world.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    judge(body, answer.json())
    return answer.json()  # type: ignore[no-any-return]


def judge(body: dict[str, Any], answer: dict[str, Any]) -> None:
    """Walk every route and verify times, windows, loads, skills, limits and totals against the request."""
    tasks = {("job", job["id"]): job for job in body.get("jobs", [])}
    for shipment in body.get("shipments", []):
        for kind in ("pickup", "delivery"):
            extra = {"skills": shipment.get("skills", []), "amount": shipment.get("amount", [])}
            tasks[kind, shipment[kind]["id"]] = {**shipment[kind], **extra}
    made = [(s["type"], s["id"]) for r in answer["routes"] for s in r["steps"] if s["type"] in KINDS]
    left = [(entry["type"], entry["id"]) for entry in answer["unassigned"]]
    assert sorted(made + left) == sorted(tasks)
    assert all(entry["reason"] for entry in answer["unassigned"])
    vehicles = {vehicle["id"]: vehicle for vehicle in body["vehicles"]}
    for route in answer["routes"]:
        judge_route(vehicles[route["vehicle"]], route, tasks, body)
    assert answer["summary"]["cost"] == sum(route["cost"] for route in answer["routes"])
    assert answer["summary"]["unassigned"] == len(left)


KINDS = ("job", "pickup", "delivery")


def judge_route(vehicle: dict[str, Any], route: dict[str, Any], tasks: dict[Any, Any], body: dict[str, Any]) -> None:
    """Walk one route."""
    durations = body["matrices"][vehicle.get("profile", "car")]["durations"]
    window = vehicle.get("time_window", [0, 10**9])
    here, travelled = vehicle.get("start_index"), 0
    clock = route["steps"][0]["arrival"]
    assert clock >= window[0]
    since = 0
    for step in route["steps"]:
        assert step["waiting_time"] >= 0
        if step["type"] == "break":
            pause = next(p for p in vehicle["breaks"] if p["id"] == step["id"])
            begin = step["arrival"] + step["waiting_time"]
            assert any(a <= begin <= b for a, b in pause["time_windows"])
            clock, since = begin + pause["service"], since + (step["duration"] - travelled)
            travelled = step["duration"]
            continue
        spot = {"start": vehicle.get("start_index"), "end": vehicle.get("end_index")}.get(
            step["type"], tasks.get((step["type"], step.get("id")), {}).get("location_index")
        )
        leg = 0 if here is None or spot is None else round(durations[here][spot] / vehicle.get("speed_factor", 1.0))
        assert abs(step["duration"] - travelled + since - leg) <= 1
        assert step["arrival"] == clock + step["duration"] - travelled
        travelled, since = step["duration"], 0
        if step["type"] in KINDS:
            task = tasks[step["type"], step["id"]]
            begin = step["arrival"] + step["waiting_time"]
            if task.get("time_windows"):
                assert any(a <= begin <= b for a, b in task["time_windows"])
            assert set(task.get("skills", [])) <= set(vehicle.get("skills", []))
            assert step["setup"] == (task.get("setup", 0) if here != spot else 0)
            clock = begin + step["setup"] + step["service"]
        here = spot
        loads = step.get("load", [])
        assert all(0 <= load <= room for load, room in zip(loads, vehicle.get("capacity", []), strict=True))
    assert clock <= window[1]
    assert route["duration"] == travelled <= vehicle.get("max_travel_time", 10**9)
    assert sum(step["type"] in KINDS for step in route["steps"]) <= vehicle.get("max_tasks", 10**9)


def body_of(jobs: list[dict[str, Any]], vehicles: list[dict[str, Any]], n: int = 6, **more: Any) -> dict[str, Any]:
    """Return a request over a line of n points."""
    return {"jobs": jobs, "vehicles": vehicles, "matrices": {"car": {"durations": matrix(n)}}, **more}


def home(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a vehicle that starts and ends at point 0."""
    return {"id": number, "start_index": 0, "end_index": 0, **more}


def job(number: int, spot: int, **more: Any) -> dict[str, Any]:
    """Return a job."""
    return {"id": number, "location_index": spot, **more}


def test_jobs_are_visited_in_the_best_order(world: World) -> None:
    """Tests that a line of jobs is driven out and back, at the cost of the seconds travelled."""
    answer = ask(world, body_of([job(k, k, service=60) for k in range(1, 6)], [home()]))
    assert answer["code"] == 0
    assert answer["summary"]["unassigned"] == 0
    assert answer["summary"]["cost"] == answer["summary"]["duration"]
    assert answer["summary"]["service"] == 300
    assert answer["summary"]["cost"] < 100 * MINUTE + 10 * MINUTE


def test_vehicles_do_not_reload(world: World) -> None:
    """Tests that a vehicle makes one trip: what exceeds its capacity stays unassigned, the valued first."""
    jobs = [job(k, k, delivery=[1], priority=k) for k in range(1, 6)]
    answer = ask(world, body_of(jobs, [home(capacity=[3])]))
    assert sorted(entry["id"] for entry in answer["unassigned"]) == [1, 2]


@pytest.mark.parametrize("page", ["README.md", "docs/howto/switch-from-vroom.md"])
def test_the_documented_curl_is_answered(world: World, page: str) -> None:
    """Tests that what a newcomer copies from the pages is answered with a route."""
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    (body,) = re.findall(r"127\.0\.0\.1:8000/ -H 'Content-Type: application/json' -d '(.*?)'\n", text, re.DOTALL)
    answer = world.client.post("/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["summary"]["unassigned"] == 0


def test_open_ends(world: World) -> None:
    """Tests vehicles that only start or only end somewhere."""
    jobs = [job(k, k) for k in range(1, 6)]
    only_start = ask(world, body_of(jobs, [{"id": 1, "start_index": 0}]))
    only_end = ask(world, body_of(jobs, [{"id": 1, "end_index": 0}]))
    for answer in (only_start, only_end):
        assert answer["summary"]["unassigned"] == 0
        assert answer["summary"]["cost"] < 55 * MINUTE
        steps = answer["routes"][0]["steps"]
        assert [step["type"] for step in steps] == ["start", *["job"] * 5, "end"]
    *_, last, end = only_start["routes"][0]["steps"]
    assert (end["arrival"], end["location_index"]) == (last["arrival"] + last["service"], last["location_index"])
    start, first, *_ = only_end["routes"][0]["steps"]
    assert (start["arrival"], start["location_index"]) == (first["arrival"], first["location_index"])


def test_skills_windows_and_limits(world: World) -> None:
    """Tests skills, several windows, vehicle windows, task and travel limits together."""
    jobs = [
        job(1, 1, skills=[4], time_windows=[[0, 60], [3 * 3600, 4 * 3600]]),
        job(2, 2, skills=[5]),
        job(3, 3, time_windows=[[7200, 7500]], setup=120, service=60),
        job(4, 4),
        job(5, 5),
    ]
    vehicles = [
        home(1, skills=[4], time_window=[3600, 8 * 3600]),
        home(2, max_tasks=1, max_travel_time=7000),
    ]
    answer = ask(world, body_of(jobs, vehicles))
    assert [entry["id"] for entry in answer["unassigned"]] == [2]
    assert "skills" in answer["unassigned"][0]["reason"]


def test_shipments(world: World) -> None:
    """Tests that goods of a shipment ride from pickup to delivery within the capacity."""
    shipments = [
        {"pickup": job(k, k), "delivery": job(k, 6 - k), "amount": [2], "priority": k} for k in range(1, 6) if k != 3
    ]
    answer = ask(world, body_of([], [home(capacity=[3]), home(2, capacity=[3])], shipments=shipments))
    assert answer["summary"]["unassigned"] == 0
    for route in answer["routes"]:
        seen = [(step["type"], step.get("id")) for step in route["steps"]]
        for kind, number in seen:
            if kind == "pickup":
                assert seen.index(("pickup", number)) < seen.index(("delivery", number))


def test_breaks(world: World) -> None:
    """Tests that a break is taken in one of its windows, without time or travel lost."""
    pause = {"id": 9, "time_windows": [[100, 200], [1800, 2400]], "service": 600}
    answer = ask(world, body_of([job(k, k, service=120) for k in (1, 3, 5)], [home(breaks=[pause])]))
    assert answer["summary"]["unassigned"] == 0
    assert sum(step["type"] == "break" for step in answer["routes"][0]["steps"]) == 1


def test_breaks_wait_for_a_light_load(world: World) -> None:
    """Tests that a break with `max_load` is taken where no more is aboard, though that is neither first nor last."""
    pause = {"id": 9, "time_windows": [[0, 9000]], "service": 60, "max_load": [1]}
    jobs = [job(1, 1, delivery=[2]), job(2, 2, pickup=[2])]
    answer = ask(world, body_of(jobs, [home(capacity=[4], breaks=[pause])]))
    assert [step["type"] for step in answer["routes"][0]["steps"]] == ["start", "job", "break", "job", "end"]
    assert [step["load"] for step in answer["routes"][0]["steps"]] == [[2], [0], [0], [2], [2]]
    impossible = ask(world, body_of([job(1, 1, delivery=[2], pickup=[2])], [home(capacity=[4], breaks=[pause])]))
    assert [entry["id"] for entry in impossible["unassigned"]] == [1]


def test_amounts_are_told_where_there_are_any(world: World) -> None:
    """Tests that, as in VROOM, steps have a load and routes have amounts only where vehicles have a capacity."""
    without = ask(world, body_of([job(1, 1)], [home()]))
    assert not {"load", "delivery", "pickup", "amount"} & {*without["routes"][0], *without["routes"][0]["steps"][1]}
    assert without["routes"][0]["steps"][1]["job"] == 1


def test_costs_profiles_and_types(world: World) -> None:
    """Tests fixed and hourly costs, a custom cost matrix, speed factors and times by vehicle type."""
    fast = home(1, costs={"fixed": 1000, "per_hour": 7200}, speed_factor=2.0, type="bike")
    body = body_of([job(1, 2, service=100, service_per_type={"bike": 50})], [fast])
    answer = ask(world, body)
    assert answer["routes"][0]["service"] == 50
    assert abs(answer["summary"]["cost"] - 1000 - 2 * answer["summary"]["duration"]) <= 1
    body = body_of([job(1, 2)], [home()])
    body["matrices"]["car"]["costs"] = [[7] * 6 for _ in range(6)]
    assert ask(world, body)["summary"]["cost"] == 14
    body["matrices"]["car"]["distances"] = [[11] * 6 for _ in range(6)]
    assert ask(world, body)["summary"]["distance"] == 22


def test_amounts_of_several_dimensions(world: World) -> None:
    """Tests that deliveries, pickups and older `amount` keep within three dimensions at once."""
    jobs = [
        job(1, 1, delivery=[1, 0, 0], pickup=[0, 2, 0]),
        job(2, 2, amount=[1, 1, 1]),
        job(3, 3, pickup=[0, 0, 2]),
    ]
    answer = ask(world, body_of(jobs, [home(capacity=[2, 2, 2])]))
    assert answer["summary"]["unassigned"] == 0
    assert answer["summary"]["delivery"] == [2, 1, 1]


def test_steps_begin_the_search(world: World) -> None:
    """Tests that given routes are taken as a start, and that impossible ones are an input error."""
    steps = [{"type": "start"}, {"type": "job", "id": 2}, {"type": "job", "id": 1}, {"type": "end"}]
    body = body_of([job(1, 1), job(2, 2)], [home(steps=steps)])
    assert ask(world, body)["summary"]["unassigned"] == 0
    steps[1]["service_at"] = 10**6
    answer = ask(world, body)
    assert answer["warnings"] == ["/vehicles/0/steps/1/service_at has no effect: routes given only begin the search"]
    body["vehicles"][0]["max_tasks"] = 1
    assert world.client.post("/", json=body).json()["code"] == 2


# --- Plan mode: times for routes given -------------------------------------------------------------------------------


def given(*steps: tuple[str, int], **parts: Any) -> dict[str, Any]:
    """Return a vehicle with a route."""
    return home(steps=[{"type": "start"}, *({"type": kind, "id": k} for kind, k in steps), {"type": "end"}], **parts)


def plan_mode(world: World, vehicle: dict[str, Any], jobs: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    """Return the answer in plan mode on exact ten-minute steps."""
    exact = [[abs(i - j) * 10 * MINUTE for j in range(4)] for i in range(4)]
    body = {"vehicles": [vehicle], "jobs": jobs, "matrices": {"car": {"durations": exact}}, "options": {"c": True}}
    answer = world.client.post("/", json=body | parts)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def causes(part: dict[str, Any]) -> dict[str, int | None]:
    """Return what a step, a route or a summary tells as broken, with its seconds."""
    return {violation["cause"]: violation.get("duration") for violation in part["violations"]}


def test_plan_mode_times_given_routes(world: World) -> None:
    """Tests that routes keep their order and get times; a route without fault tells none; the rest is unassigned."""
    jobs = [job(1, 1, service=60, time_windows=[[7_200, 9_000]]), job(2, 2), job(3, 3)]
    answer = plan_mode(world, given(("job", 2), ("job", 1)), jobs)
    (route,) = answer["routes"]
    assert [step.get("id") for step in route["steps"]] == [None, 2, 1, None]
    assert [step["arrival"] for step in route["steps"]] == [5_400, 6_600, 7_200, 7_860]
    assert causes(route) == causes(answer["summary"]) == {}
    assert [entry["id"] for entry in answer["unassigned"]] == [3]
    assert plan_mode(world, home(), jobs)["summary"]["unassigned"] == 3


def test_plan_mode_tells_what_is_broken(world: World) -> None:
    """Tests every cause: at the step, and summed up over the route and all routes."""
    jobs = [
        job(1, 1, delivery=[2], time_windows=[[0, 300]]),
        job(2, 2, delivery=[2], skills=[5], time_windows=[[9_000, 9_900]]),
    ]
    shipment = {"amount": [1], "pickup": {"id": 1, "location_index": 1}, "delivery": {"id": 1, "location_index": 3}}
    route = (("job", 1), ("delivery", 1), ("break", 1), ("pickup", 1), ("job", 2))
    breaks = [
        {"id": 1, "service": 60, "max_load": [0], "time_windows": [[0, 20_000]]},
        {"id": 2, "time_windows": [[0, 20_000]]},
    ]
    vehicle = given(*route, breaks=breaks, capacity=[3], max_tasks=3, max_travel_time=3_000, time_window=[0, 7_000])
    found = plan_mode(world, vehicle, jobs, shipments=[shipment])
    steps = found["routes"][0]["steps"]
    told = [sorted(causes(step)) for step in steps]
    assert told == [
        ["load"],
        ["delay"],
        ["precedence"],
        ["max_load"],
        ["precedence"],
        ["lead_time", "max_tasks", "max_travel_time", "skills"],
        ["max_travel_time"],
    ]
    assert causes(steps[1]) == {"delay": 300}
    assert causes(found["summary"]) == causes(found["routes"][0])
    assert causes(found["summary"])["delay"] == 300
    assert set(causes(found["summary"])) == {cause for step in told for cause in step} | {"missing_break"}


def test_plan_mode_keeps_demanded_times(world: World) -> None:
    """Tests `service_at`, and that demands no times can meet are an input error."""
    vehicle = given(("job", 1), ("job", 2))
    vehicle["steps"][1]["service_at"] = 5_000
    found = plan_mode(world, vehicle, [job(1, 1, time_windows=[[0, 4_000]]), job(2, 2)])
    assert "warnings" not in found
    assert causes(found["routes"][0]) == {"delay": 1_000}
    vehicle["steps"][2]["service_before"] = 5_100
    body = body_of([job(1, 1), job(2, 2)], [vehicle], options={"c": True})
    answer = world.client.post("/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 2)
    assert answer.json()["error"].startswith("Infeasible route for vehicle 1")


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([{"type": "job", "id": 9}], "unknown job 9"),
        ([{"type": "job", "id": 1}, {"type": "job", "id": 1}], "more than once"),
        ([{"type": "break", "id": 1}], "the break 1"),
        ([{"type": "job", "id": 1}, {"type": "start"}], "a 'start' in between"),
    ],
)
def test_plan_mode_refuses_steps_that_cannot_be(world: World, steps: list[dict[str, Any]], text: str) -> None:
    """Tests that steps which contradict the request are an input error, with the step named."""
    answer = world.client.post("/", json=body_of([job(1, 1)], [home(steps=steps)], options={"c": True}))
    assert (answer.status_code, answer.json()["code"]) == (400, 2)
    assert text in answer.json()["error"]


def test_plan_mode_leaves_out_what_cannot_be_reached(world: World) -> None:
    """Tests that a place without a way to it is one unassigned task with a reason, in plan mode too."""
    far = 2**32
    durations = [[0, 600, far], [600, 0, far], [far, far, 0]]
    found = plan_mode(
        world, given(("job", 1), ("job", 2)), [job(1, 1), job(2, 2)], matrices={"car": {"durations": durations}}
    )
    assert [step["type"] for step in found["routes"][0]["steps"]] == ["start", "job", "end"]
    assert found["unassigned"][0]["id"] == 2
    assert "no vehicle can drive there" in found["unassigned"][0]["reason"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"vehicles": [home(capacity=[1]), home(2)]}, "differ in length"),
        ({"vehicles": [home(), home()]}, "ids repeat"),
        ({"vehicles": [{"id": 1}]}, "'start' or 'end' is needed"),
        ({"vehicles": [home(profile="bike")]}, "no durations for the profile 'bike'"),
        ({"jobs": [job(1, 99)]}, "outside the matrices"),
        ({"jobs": [job(1, 1, time_windows=[[5, 2]])]}, "ends before it begins"),
        ({"jobs": []}, "'jobs' or 'shipments' is needed"),
        ({"options": {"g": True}}, "geometry"),
        ({"vehicles": [home(capacity=[3], breaks=[{"id": 1, "max_load": [1, 1]}])]}, "differ in length"),
    ],
)
def test_input_errors(world: World, change: dict[str, Any], text: str) -> None:
    """Tests that what is wrong or not supported is VROOM's code 2 with a plain reason."""
    answer = world.client.post("/optimization", json=body_of([job(1, 1)], [home()]) | change)
    assert (answer.status_code, answer.json()["code"]) == (400, 2)
    assert text in answer.json()["error"]


def test_unknown_keys_are_warned_of(world: World) -> None:
    """Tests that a misspelt key is told with the nearest known one, and refused with `strict`."""
    body = body_of([job(1, 1, time_window=[[0, 10**6]])], [home()])
    answer = world.client.post("/", json=body)
    assert "time_windows" in answer.json()["warnings"][0]
    strict = world.client.post("/?strict=true", json=body)
    assert (strict.status_code, strict.json()["code"]) == (400, 2)


def test_too_large(world: World) -> None:
    """Tests that more tasks than allowed are code 4, as vroom-express answers."""
    body = body_of([job(k, 1) for k in range(1_001)], [home()])
    answer = world.client.post("/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (413, 4)


@pytest.mark.parametrize("seed", range(6))
def test_random_requests(world: World, seed: int) -> None:
    """Tests that random requests over all features are answered within every constraint."""
    draw = random.Random(seed)
    jobs = [
        job(
            k,
            draw.randrange(1, 6),
            service=draw.choice([0, 60, 300]),
            setup=draw.choice([0, 0, 120]),
            delivery=[draw.randrange(3)],
            pickup=[draw.randrange(2)],
            skills=draw.choice([[], [], [1]]),
            priority=draw.randrange(3),
            time_windows=draw.choice([[], [[0, 7200]], [[600, 1200], [9000, 20000]]]),
        )
        for k in range(8)
    ]
    shipments = [
        {"pickup": job(k, draw.randrange(6)), "delivery": job(k, draw.randrange(6)), "amount": [1]} for k in range(3)
    ]
    pause = {"id": 1, "time_windows": [[3000, 6000]], "service": 900}
    vehicles = [
        home(1, capacity=[6], skills=[1], time_window=[0, 6 * 3600], breaks=[pause]),
        {"id": 2, "start_index": 3, "capacity": [4], "max_tasks": 5, "speed_factor": 1.5},
        {"id": 3, "end_index": 5, "capacity": [4], "max_travel_time": 3600},
    ]
    ask(world, body_of(jobs, vehicles, shipments=shipments))


def test_coordinates_on_a_network(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Tests coordinates routed on a prepared network with geometry; one off the map is one unassigned job."""
    monkeypatch.setenv("SHANLU_CACHE", str(tmp_path / "cache"))
    make_tiny_scenario(tmp_path / "scenarios" / "tiny")
    world = open_world(tmp_path_factory.mktemp("data"), tmp_path / "scenarios", vroom_time_limit_s=0.3)
    rows = (tmp_path / "scenarios" / "tiny" / "sites.csv").read_text(encoding="utf-8").splitlines()[1:6]
    places = [[float(cell) for cell in row.split(",")[3:5]] for row in rows]
    body: dict[str, Any] = {
        "vehicles": [{"id": 1, "start": places[0], "end": places[0], "profile": "driving-car"}],
        "jobs": [{"id": k, "location": place} for k, place in enumerate(places[1:])] + [{"id": 99, "location": [0, 0]}],
        "options": {"g": True},
    }
    assert world.client.post("/", json=body).json()["code"] == 3
    world.client.post("/v1/networks", json={"scenario": {"folder": "tiny"}})
    world.work_off()
    answer = world.client.post("/", json=body)
    assert answer.status_code == 200, answer.text
    assert [entry["id"] for entry in answer.json()["unassigned"]] == [99]
    assert "drive" in answer.json()["unassigned"][0]["reason"]
    route = answer.json()["routes"][0]
    assert len(route["geometry"]) > 20
    assert route["distance"] > 1_000
    assert json.dumps(answer.json())
    swapped = {**body, "jobs": [*body["jobs"][:-1], {"id": 99, "location": places[1][::-1]}]}
    assert world.client.post("/", json=swapped).json()["error"].startswith("jobs/")  # no latitude is above 90
    lon, lat = gcj02_of_wgs84(*np.array(places).T)
    shifted = [[float(a), float(b)] for a, b in zip(lon, lat, strict=True)]
    vehicles = [{**body["vehicles"][0], "start": shifted[0], "end": shifted[0]}]
    jobs = [{"id": k, "location": place} for k, place in enumerate(shifted[1:])] + [body["jobs"][-1]]
    converted = world.client.post("/?crs=gcj02", json={**body, "vehicles": vehicles, "jobs": jobs}).json()
    assert converted["summary"]["cost"] == answer.json()["summary"]["cost"]
    assert "GCJ-02" in converted["warnings"][-1]
    assert world.client.post("/?crs=bd09", json=body).status_code == 422
    unknown = world.client.post("/", json={**body, "vehicles": [{**body["vehicles"][0], "profile": "boat"}]})
    assert unknown.json()["code"] == 2
    close_world(world)
