"""The store: attempts fence each other, keys are kept as hashes, migrations make exactly the tables."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from api import schema
from api.store import Job, JobState, Store, TooManyJobsError, new_id, open_engine
from api.tables import Base


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store."""
    engine = open_engine(f"sqlite:///{tmp_path / 'test.sqlite'}")
    schema.upgrade(engine)
    yield Store(engine)
    engine.dispose()


def job(**fields: object) -> Job:
    """Return an accepted plan."""
    made = Job(new_id("plan"), "plan", "firm", "day", JobState.ACCEPTED, time.time(), {}, "digest")
    return replace(made, **fields)  # type: ignore[arg-type]


def nothing(_session: object, _job: Job) -> None:
    """Enqueue nowhere."""


def test_migrations_make_the_tables(store: Store) -> None:
    """Tests that the migrated database holds what the code expects, and that migrating again changes nothing."""
    schema.upgrade(store.engine)
    with store.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    ours = [entry for entry in found if not str(entry[0]).startswith("remove_")]
    assert ours == []


def test_only_the_newest_attempt_counts(store: Store) -> None:
    """Tests that an attempt taken over by another can neither report nor finish."""
    made = store.add_job(job(), nothing, 5)
    first, second = store.begin_attempt(made.id), store.begin_attempt(made.id)
    assert first is not None
    assert second is not None
    assert store.report(first, {"stage": "late"}) is True
    assert store.finish(first, JobState.FAILED) is False
    assert store.report(second, {"stage": "solving"}) is False
    assert store.finish(second, JobState.SUCCESSFUL, result={"cost": 1}, orders=["a"]) is True
    assert store.finish(second, JobState.FAILED) is False
    assert store.begin_attempt(made.id) is None
    assert [found.id for found in store.plans_of_order("firm", "a", 5)] == [made.id]
    assert store.plans_of_order("other", "a", 5) == []


def test_a_failed_enqueue_leaves_no_job(store: Store) -> None:
    """Tests that job and queue entry are one transaction."""

    def fail(_session: object, _job: Job) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.add_job(job(), fail, 5)
    assert store.jobs("firm", "plan", 5) == []


def test_limit_of_unfinished_jobs(store: Store) -> None:
    """Tests that a tenant's unfinished jobs are limited and other tenants' do not count."""
    kept = [store.add_job(job(), nothing, 2) for _ in range(2)]
    with pytest.raises(TooManyJobsError):
        store.add_job(job(), nothing, 2)
    store.add_job(job(tenant="other"), nothing, 2)
    store.request_stop(kept[0].id)
    store.add_job(job(), nothing, 2)


def test_a_job_that_is_gone_is_told_as_none(store: Store) -> None:
    """Tests that what another request has forgotten meanwhile can be neither stopped nor revised, and is no crash."""
    kept = store.add_job(job(), nothing, 2)
    store.delete_job(kept.id)
    assert store.request_stop(kept.id) is None
    assert store.revise(kept.id, {}) is None


def test_ids_with_a_nul_are_of_nothing(store: Store) -> None:
    """Tests that a text no database can hold is not looked for, as PostgreSQL would refuse it."""
    assert store.job("plan-\0", "firm") is None
    assert store.plans_of_order("firm", "\0", 5) == []


def test_keys(store: Store) -> None:
    """Tests that a key is found by its text alone, not kept in clear, and worthless once revoked."""
    assert not store.has_keys()
    key = store.add_key("firm", ["read"], "test")
    row = store.find_key(key)
    assert row is not None
    assert (row.tenant, row.scopes) == ("firm", ["read"])
    assert key.rsplit("_", 1)[-1] not in row.secret_hash
    for wrong in ("", "shanlu__", key[:-1], key + "a", f"shanlu_{row.id}_", "other" + key):
        assert store.find_key(wrong) is None
    assert store.revoke_key(row.id) is True
    assert store.revoke_key(row.id) is False
    assert store.find_key(key) is None
    assert store.has_keys()


def waiting(number: int, network: str | None, waited_s: float = 1.0) -> Job:
    """Return a job on a network that was accepted some seconds ago."""
    return Job(
        f"plan-{number}", "plan", "firm", "", JobState.ACCEPTED, time.time() - waited_s, {}, "", network_id=network
    )


def claimed(store: Store, ticket: str, held: tuple[str, ...] = ()) -> str | None:
    """Return the id of the job a ticket is used for."""
    job = store.claim(ticket, held, 30.0)
    return None if job is None else job.id


def test_workers_prefer_networks_they_hold(store: Store) -> None:
    """Tests that a worker takes jobs on networks it holds first, else the oldest, and every job once."""
    for number, network in enumerate(("a", "b", None, "b", "a")):
        store.add_job(waiting(number, network, 10.0 - number), lambda *_: None, 10)
    assert claimed(store, "plan-0", ("b",)) == "plan-1"
    assert claimed(store, "plan-1", ("b", "x")) == "plan-3"
    assert claimed(store, "plan-2", ("b",)) == "plan-0"
    assert claimed(store, "plan-3") == "plan-2"
    assert claimed(store, "plan-4") == "plan-4"
    assert claimed(store, "plan-5") is None


def test_nobody_is_passed_over_for_long(store: Store) -> None:
    """Tests that a job that waits for longer than is fair goes before those on a network the worker holds."""
    store.add_job(waiting(0, "a", 31.0), lambda *_: None, 10)
    store.add_job(waiting(1, "b"), lambda *_: None, 10)
    assert claimed(store, "plan-1", ("b",)) == "plan-0"


def test_a_lost_workers_ticket_goes_on_with_its_job(store: Store) -> None:
    """Tests that a ticket used again finds the job it was used for, as long as that is not finished."""
    for number in range(3):
        store.add_job(waiting(number, "ab"[number % 2], 10.0 - number), lambda *_: None, 10)
    assert claimed(store, "plan-0", ("b",)) == "plan-1"
    assert claimed(store, "plan-1") == "plan-0"
    again = store.claim("plan-0", ("a",), 30.0)
    assert again is not None
    assert (again.id, again.attempt) == ("plan-1", 2)
    store.finish(again, JobState.SUCCESSFUL)
    assert claimed(store, "plan-0") == "plan-2"
    assert claimed(store, "plan-1") == "plan-0"
