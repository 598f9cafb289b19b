"""The service's commands: keys made and revoked, and no service for everyone without one."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from api.service_commands import keys, serve
from api.store import Store, open_engine


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data folder the commands find in their environment."""
    monkeypatch.setenv("SHANLU_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_keys_from_making_to_revoking(data: Path) -> None:
    """Tests that a key printed is valid, is listed without its secret, and is refused after it was revoked."""
    runner = CliRunner()
    key = runner.invoke(keys, ["create", "firm", "--scope", "read", "--label", "screen"]).output.strip()
    engine = open_engine(f"sqlite:///{data / 'shanlu.sqlite'}")
    store = Store(engine)
    row = store.find_key(key)
    assert row is not None
    listed = runner.invoke(keys, ["list"]).output
    assert row.id in listed
    assert key.split("_", 2)[2] not in listed
    assert runner.invoke(keys, ["revoke", row.id]).exit_code == 0
    assert store.find_key(key) is None
    assert runner.invoke(keys, ["revoke", row.id]).exit_code == 2
    assert "revoked" in runner.invoke(keys, ["list"]).output
    engine.dispose()


def test_unknown_scopes_are_refused(data: Path) -> None:
    """Tests that a scope that does not exist makes no key."""
    assert CliRunner().invoke(keys, ["create", "firm", "--scope", "everything"]).exit_code == 2


def test_no_service_for_everyone_without_a_key(data: Path) -> None:
    """Tests that without any key the service does not listen beyond this machine, and says so."""
    app = typer.Typer()
    app.command()(serve)
    answer = CliRunner().invoke(app, ["--host", "0.0.0.0"])
    assert answer.exit_code == 2
    assert "only listens on this machine" in answer.output
