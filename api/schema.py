"""Bringing a database to the tables this version of the service needs."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from dbos import DBOS
from sqlalchemy import Engine, make_url, text

_POSTGRES_LOCK = 7_264_258
"""Any fixed number: the advisory lock that lets one process at a time migrate."""


def upgrade(engine: Engine) -> None:
    """Apply all migrations of ours and of the job engine; processes that start together take turns."""
    with _alone(engine):
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        DBOS.migrate(engine.url.render_as_string(hide_password=False))


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Hold a lock that only one migrating process holds at a time."""
    if engine.dialect.name == "sqlite":
        database = make_url(engine.url).database
        assert database is not None  # settings always name a file
        path = Path(database)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    # In no transaction: the job engine builds indices concurrently, which waits for every transaction to end.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": _POSTGRES_LOCK}).scalar():
            time.sleep(0.2)  # a statement that waits within the database would be waited for in turn
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _POSTGRES_LOCK})
