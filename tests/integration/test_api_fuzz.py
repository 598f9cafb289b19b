"""Generated requests against every operation: no crash, no answer that OpenAPI does not know."""

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from api_world import World, close_world, open_world
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

CASES = int(os.environ.get("SHANLU_FUZZ_CASES", "150"))
"""Cases over all operations; CI and the benchmark ask for more."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a service with no limits in the way."""
    opened = open_world(
        tmp_path_factory.mktemp("data"),
        None,
        is_open=False,
        rate_limit="1000000/minute",
        vroom_time_limit_s=0.05,
        max_active_jobs=10_000,
    )
    yield opened
    close_world(opened)


@pytest.mark.timeout(7200)
def test_generated_requests(world: World) -> None:
    """Tests that generated requests, sound and faulty, are answered as the OpenAPI document says, never with 5xx."""
    schema: Any = schemathesis.openapi.from_asgi("/openapi.json", world.client.app)
    headers = {"Authorization": f"Bearer {world.service.store.add_key('firm', ['admin'], '')}"}
    operations = [found.ok() for found in schema.get_all_operations()]
    each = max(1, CASES // len(operations))
    seen = 0
    for operation in operations:

        @hypothesis.seed(1)
        @hypothesis.settings(
            max_examples=each,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        @hypothesis.given(case=operation.as_strategy())
        def answers(case: Any) -> None:
            nonlocal seen
            seen += 1
            answer = case.call(headers=headers)
            case.validate_response(
                answer, checks=[not_a_server_error, status_code_conformance, response_schema_conformance]
            )

        answers()
    assert seen >= len(operations)
