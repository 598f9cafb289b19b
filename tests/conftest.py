"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines differ in speed, so no example fails for being slow; the same examples run everywhere.
settings.register_profile("shanlu", deadline=None, derandomize=True)
settings.load_profile("shanlu")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real maps and feeds, or skip the test where it is absent."""
    folder = Path(os.environ.get("SHANLU_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data absent: set SHANLU_SHARED_DATA (looked in {folder.name})")
    return folder
