"""The command line in this process, with a cache of its own."""

from pathlib import Path

import pytest
from command_line import Answer, Shanlu

from api.cli import main


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder for all commands of the tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shanlu(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shanlu:
    """Return a function that runs a command in `tmp_path`."""
    monkeypatch.setenv("SHANLU_CACHE", str(cache_folder))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return run
