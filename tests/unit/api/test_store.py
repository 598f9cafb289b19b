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
