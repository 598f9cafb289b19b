"""Statuses answered from memory: the same bytes as the usual way, never old, never another tenant's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import World, close_world, open_world

from api.error_codes import ErrorCode
from api.problem_json import ApiError
from api.rates import RateLimiter
from api.status_reads import StatusReads
from api.store import Job, JobKind, JobState, Store, new_id, open_engine

IGNORED = {"x-request-id"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a service without keys."""
    opened = open_world(tmp_path / "open", None)
    yield opened
    close_world(opened)


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[World]:
    """Return a service with keys."""
    opened = open_world(tmp_path / "keyed", None, is_open=False)
    yield opened
    close_world(opened)


def add(world: World, tenant: str = "local", kind: JobKind = "plan") -> Job:
    """Put a job into the store."""
    job = Job(new_id(kind), kind, tenant, "day", JobState.ACCEPTED, 0.0, {"options": {}, "question": {}}, "digest")
    return world.service.store.add_job(job, lambda _session, _job: None, 100)


def elsewhere(world: World) -> Store:
    """Return the store as another process has it."""
    return Store(open_engine(world.service.settings.url))


def get(world: World, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers without the request's own, and body."""
    answer = world.client.get(path, headers=headers)
    kept = {name: value for name, value in answer.headers.items() if name not in IGNORED}
    return answer.status_code, kept, answer.content


def test_it_answers_as_the_usual_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that held statuses have the bytes and headers that the endpoints give, for plans and sitings, and 304."""
    paths = [f"/v1/{kind}s/{add(world, kind=kind).id}" for kind in ("plan", "siting")]
    asked: list[tuple[str, dict[str, str]]] = [(path, {}) for path in paths]
    asked += [(path, {"If-None-Match": get(world, path)[1]["etag"]}) for path in paths]
    asked += [(path, {"If-None-Match": '"old", W/"older"'}) for path in paths]
    held = [get(world, path, **headers) for path, headers in asked]
    with monkeypatch.context() as patch:
        patch.setattr(StatusReads, "_answer", lambda *_: None)
        assert [get(world, path, **headers) for path, headers in asked] == held
    assert [status for status, _, _ in held] == [200, 200, 304, 304, 200, 200]


def test_it_reads_once_between_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that the database is read for the first of several equal requests only, and again after any change."""
    reads: list[str] = []
    read = Store.job

    def counted(self: Store, job_id: str, *more: Any) -> Job | None:
        reads.append(job_id)
        return read(self, job_id, *more)

    job, other = add(world), elsewhere(world)
    monkeypatch.setattr(Store, "job", counted)
    for _ in range(3):
        get(world, f"/v1/plans/{job.id}")
    assert reads == [job.id]
    other.heard_of("worker")
    get(world, f"/v1/plans/{job.id}")
    assert reads == [job.id, job.id]
    other.engine.dispose()


def test_changes_show_at_once(world: World) -> None:
    """Tests that what another process wrote, and this one, is in the next answer; and that what is gone is gone."""
    job, other = add(world), elsewhere(world)
    path = f"/v1/plans/{job.id}"
    states = [world.client.get(path).json()["state"]]
    running = other.begin_attempt(job.id)
    assert running is not None
    states.append(world.client.get(path).json()["state"])
    other.report(running, {"stage": "reading"})
    assert world.client.get(path).json()["progress"]["stage"] == "reading"
    other.finish(running, JobState.DISMISSED)
    states.append(world.client.get(path).json()["state"])
    assert states == ["accepted", "running", "dismissed"]
    assert world.client.delete(path, params={"purge": True}).status_code == 204
    assert world.client.get(path).status_code == 404
    other.engine.dispose()


def test_tenants_and_revoked_keys(keyed: World) -> None:
    """Tests that held statuses are for their tenant's valid keys only, and not for another kind of resource."""
    store, job = keyed.service.store, add(keyed, "firm")
    keys = {tenant: store.add_key(tenant, ["read"], "") for tenant in ("firm", "rival")}
    bearer = {tenant: {"Authorization": f"Bearer {key}"} for tenant, key in keys.items()}
    path = f"/v1/plans/{job.id}"
    for _ in range(2):
        assert get(keyed, path, **bearer["firm"])[0] == 200
        assert get(keyed, path, **bearer["rival"])[0] == 404
        assert get(keyed, path)[0] == 401
        assert get(keyed, f"/v1/sitings/{job.id}", **bearer["firm"])[0] == 404
    store.revoke_key(keys["firm"].split("_")[1])
    assert get(keyed, path, **bearer["firm"])[0] == 401


def test_held_answers_count(tmp_path: Path) -> None:
    """Tests that answers from memory count towards the rate and show in the figures under their operation."""
    world = open_world(tmp_path / "data", None, rate_limit="3/minute")
    path = f"/v1/plans/{add(world).id}"
    assert [get(world, path)[0] for _ in range(4)] == [200, 200, 200, 429]
    figures = world.client.get("/metrics").text
    assert 'http_requests_total{handler="/v1/plans/{plan_id}",method="GET",status="2xx"} 3.0' in figures
    assert 'http_requests_total{handler="/v1/plans/{plan_id}",method="GET",status="4xx"} 1.0' in figures
    assert 'shanlu_jobs{kind="plan",state="accepted"} 1.0' in figures
    close_world(world)


def test_what_is_unknown_is_counted_under_no_path(world: World) -> None:
    """Tests that requests for paths there are not do not make a figure each."""
    for name in ("a", "b"):
        get(world, f"/nothing/{name}")
    assert 'http_requests_total{handler="none",method="GET",status="4xx"} 2.0' in world.client.get("/metrics").text


def test_rates() -> None:
    """Tests that a burst of the whole count passes, then one each share of the period, each caller for itself."""
    now = [100.0]
    limiter = RateLimiter("4/minute", lambda: now[0])
    for _ in range(4):
        limiter.hit("a")
    with pytest.raises(ApiError) as refused:
        limiter.hit("a")
    assert (refused.value.code, refused.value.headers["Retry-After"]) == (ErrorCode.RATE_LIMITED, "15")
    limiter.hit("b")
    now[0] += 15.0
    limiter.hit("a")
    assert limiter.wait_s("a") == pytest.approx(15.0)
    now[0] += 3_600.0
    assert [limiter.wait_s("a") for _ in range(5)] == [0.0] * 4 + [pytest.approx(15.0)]


def test_rates_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that callers not heard of for a period are forgotten."""
    monkeypatch.setattr("api.rates._FORGET_EVERY", 10)
    now = [0.0]
    limiter = RateLimiter("4/minute", lambda: now[0])
    for number in range(9):
        limiter.hit(f"address {number}")
    now[0] = 61.0
    limiter.hit("last")
    assert list(limiter._spread_until_s) == ["last"]
