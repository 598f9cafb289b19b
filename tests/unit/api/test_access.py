"""Who may do what: keys, scopes, tenants, hosts, origins, rates, sizes; and the shape of every refusal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import World, close_world, open_world

from api.error_codes import ERROR_KINDS, ErrorCode
from api.middleware import SECURITY_HEADERS
from api.settings import Settings
from api.store import Job, JobState, new_id

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "api.md"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service without keys."""
    opened = open_world(tmp_path_factory.mktemp("open"), None, max_body_bytes=100_000)
    yield opened
    close_world(opened)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service with keys."""
    opened = open_world(tmp_path_factory.mktemp("keyed"), None, is_open=False)
    yield opened
    close_world(opened)


def bearer(world: World, tenant: str, scope: str) -> dict[str, str]:
    """Return the headers of a new key."""
    return {"Authorization": f"Bearer {world.service.store.add_key(tenant, [scope], '')}"}


def test_a_key_is_needed(keyed: World) -> None:
    """Tests that without a key nothing but health, readiness and metrics answers."""
    for path in ("/", "/v1/plans", "/v1/networks", "/v1/orders/a"):
        refused = keyed.client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHENTICATED")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert keyed.client.get(path, headers={"Authorization": "Bearer shanlu_a_b"}).status_code == 401
    assert [keyed.client.get(path).status_code for path in ("/health", "/ready", "/metrics")] == [200, 200, 200]


def test_scopes(keyed: World) -> None:
    """Tests that a reading key may not plan."""
    headers = bearer(keyed, "firm", "read")
    assert keyed.client.get("/v1/plans", headers=headers).status_code == 200
    for path in ("/v1/plans", "/v1/networks", "/", "/optimization"):
        refused = keyed.client.post(path, json={}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")


def test_tenants_do_not_see_each_other(keyed: World) -> None:
    """Tests that another tenant's plan is answered like none at all, for every method."""
    store = keyed.service.store
    made = Job(new_id("plan"), "plan", "firm", "day", JobState.ACCEPTED, 0.0, {"options": {}}, "digest")
    store.add_job(made, lambda _session, _job: None, 100)
    own, other = bearer(keyed, "firm", "plan"), bearer(keyed, "rival", "admin")
    assert keyed.client.get(f"/v1/plans/{made.id}", headers=own).status_code == 200
    for path in (f"/v1/plans/{made.id}", f"/v1/plans/{made.id}/map", f"/v1/plans/{made.id}/events"):
        assert keyed.client.get(path, headers=other).json()["code"] == "PLAN_NOT_FOUND"
    assert keyed.client.delete(f"/v1/plans/{made.id}", headers=other).json()["code"] == "PLAN_NOT_FOUND"
    assert keyed.client.get("/v1/plans", headers=other).json()["plans"] == []
    assert keyed.client.get(f"/v1/networks/{made.id}", headers=own).json()["code"] == "NETWORK_NOT_FOUND"


def test_foreign_pages_are_refused(world: World) -> None:
    """Tests that neither a page of another site nor a rebound name drives a service on this machine."""
    foreign = world.client.post("/v1/plans", json={}, headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "FOREIGN_ORIGIN")
    assert world.client.get("/v1/plans", headers={"Origin": "null"}).status_code == 403
    rebound = world.client.get("/v1/plans", headers={"Host": "evil.example"})
    assert (rebound.status_code, rebound.json()["code"]) == (421, "UNKNOWN_HOST")
    assert world.client.get("/v1/plans", headers={"Origin": "http://localhost"}).status_code == 200
    assert "access-control-allow-origin" not in world.client.get("/v1/plans").headers


def test_headers(world: World) -> None:
    """Tests that every answer carries the security headers and the caller's request id, if it is a sane one."""
    for path in ("/health", "/v1/plans", "/none"):
        answer = world.client.get(path, headers={"X-Request-Id": "abc-1"})
        assert answer.headers["x-request-id"] == "abc-1"
        assert {name.lower() for name in SECURITY_HEADERS} <= set(answer.headers)
    assert world.client.get("/health", headers={"X-Request-Id": "a b\t<"}).headers["x-request-id"] != "a b\t<"


def test_large_bodies_are_refused(world: World) -> None:
    """Tests that a body above the limit is refused, stated or streamed."""

    def stream() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 10_000

    headers = {"Content-Type": "application/json"}
    for body in (b" " * 200_000, stream()):
        refused = world.client.post("/v1/plans", content=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_rate_limit(tmp_path: Path) -> None:
    """Tests that the request above the rate is refused with the time to wait."""
    world = open_world(tmp_path / "data", None, rate_limit="3/minute")
    answers = [world.client.get("/v1/plans") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    close_world(world)


@pytest.mark.parametrize(
    ("body", "pointer", "remedy"),
    [
        ({"scenario": {"foldr": "a"}}, "/scenario/foldr", "Did you mean 'folder'?"),
        ({"scenario": {"folder": "a"}, "seed": -1, "lang": "fr"}, "/lang", None),
        ({"max_iteration": 3}, "/max_iteration", "Did you mean 'max_iterations'?"),
    ],
)
def test_faults_of_a_body(world: World, body: dict[str, object], pointer: str, remedy: str | None) -> None:
    """Tests that faults name their place by JSON pointer and the nearest known key."""
    answer = world.client.post("/v1/plans", json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    found = {fault["pointer"]: fault for fault in answer.json()["faults"]}
    assert found[pointer].get("remedy") == remedy


@pytest.mark.parametrize("name", ["../x", "/etc", "a/../../etc", "none", "."])
def test_folders_outside_are_not_found(tmp_path: Path, name: str) -> None:
    """Tests that a scenario folder is only found below the configured one."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenario.toml").write_text("", encoding="utf-8")
    world = open_world(tmp_path / "data", tmp_path / "scenarios")
    answer = world.client.post("/v1/plans", json={"scenario": {"folder": name}})
    assert (answer.status_code, answer.json()["code"]) == (404, "SCENARIO_NOT_FOUND")
    close_world(world)


def test_every_code_is_documented() -> None:
    """Tests that the reference lists every code with its status, title and action, and no other."""
    rows = [line for line in REFERENCE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = [row for row in rows if row.split("`")[1] in set(ErrorCode)]
    expected = [
        f"| `{code.value}` | {kind.status} | {kind.title} | {kind.action} |" for code, kind in ERROR_KINDS.items()
    ]
    assert sorted(listed) == sorted(expected)
    assert set(ERROR_KINDS) == set(ErrorCode)


def test_every_setting_is_documented() -> None:
    """Tests that the reference lists every setting with its meaning."""
    text = REFERENCE.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `SHANLU_{name.upper()}` | {field.description} |" in text


def test_openapi_documents_problems(world: World) -> None:
    """Tests that every operation of /v1 documents its refusals as problem documents."""
    document = world.client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "Problem" in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1"):
                assert "application/problem+json" in operation["responses"]["422"]["content"]
