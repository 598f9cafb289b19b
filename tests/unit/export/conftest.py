"""The hand-made plan of the export tests."""

import pytest
from sample_plan import sample_scene

from routing.export.scene import Scene


@pytest.fixture(scope="session")
def scene() -> Scene:
    """A plan with a route of each kind over a made-up valley."""
    return sample_scene()
