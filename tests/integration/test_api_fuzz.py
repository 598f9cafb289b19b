"""Generated requests against every operation, alone and one after another: no crash, no hang, no undocumented answer.

``SHANLU_FUZZ_CASES`` requests in all (CI and the benchmark ask for more), made from ``SHANLU_FUZZ_SEED``. Whatever goes
wrong is told with the request as a curl command and the traceback, so that it can be sent again.
"""

import contextlib
import os
import traceback
import zlib
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from api_world import World, close_world, make_tiny_scenario, open_world
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from routing.trips.search import prepare

CASES = int(os.environ.get("SHANLU_FUZZ_CASES", "150"))
SEED = int(os.environ.get("SHANLU_FUZZ_SEED", "1"))
WALK_SHARE, WALK_STEPS, WALKS = 0.4, 8, 50
"""Share of the cases that are requests of walks, each made from answers before; of a walk, of a round."""
MAX_ROUNDS = 10_000
HANG_S = 60.0
"""An answer that takes longer, on however busy a machine, is a hang."""
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


class Requests:
    """Sends cases to a world and judges the answers.

    Three in four ids are replaced by those of a finished plan, siting and network, and the folder by one there is: what
    is random all over seldom gets beyond the first refusal.
    """

    def __init__(self, world: World) -> None:
        self.world, self.sent = world, 0
        self.failures: list[str] = []
        self.headers = {"Authorization": f"Bearer {world.service.store.add_key('firm', ['admin'], '')}"}
        self.schema: Any = schemathesis.openapi.from_asgi("/openapi.json", world.client.app)
        self.ids = self._make_resources()
        self._let_know()

    def _make_resources(self) -> dict[str, str]:
        client, folder = self.world.client, {"scenario": {"folder": "tiny"}}
        made = {
            "plan_id": ("/v1/plans", {**folder, "max_iterations": 0}),
            "network_id": ("/v1/networks", folder),
            "siting_id": ("/v1/sitings", {**folder, "open": 2}),
        }
        answers = {name: client.post(path, json=body, headers=self.headers) for name, (path, body) in made.items()}
        self.world.work_off()
        return {name: str(answer.json()["id"]) for name, answer in answers.items()}

    def _let_know(self) -> None:
        ids = self.ids
        known = {"scenario": {"folder": "tiny"}, "network": ids["network_id"], "plan_id": ids["plan_id"]}

        @self.schema.hook
        def map_path_parameters(_context: Any, parameters: Any) -> Any:
            return parameters and {
                name: ids[name] if name in ids and _often(v) else v for name, v in parameters.items()
            }

        @self.schema.hook
        def map_body(_context: Any, body: Any) -> Any:
            if not isinstance(body, dict):
                return body
            return {name: known[name] if v and name in known and _often(body) else v for name, v in body.items()}

    def send(self, case: Any) -> Any:
        """Send a case and judge its answer."""
        self.sent += 1
        if case.path.endswith("/events"):  # nobody works here: only what is stopped comes to an end
            for job_id in map(str, (case.path_parameters or {}).values()):
                self.world.service.store.request_stop(job_id)
        try:
            answer = case.call(headers=self.headers, timeout=HANG_S)
            case.validate_response(answer, checks=CHECKS)
        except BaseException as error:
            error.add_note(f"request {self.sent} of seed {SEED}: {case.as_curl_command()}")
            self.failures.append("".join(traceback.format_exception(error)))
            raise
        return answer


def _often(value: Any) -> bool:
    return zlib.crc32(repr(value).encode()) % 4 > 0


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requests]:
    """Return a service with no limits in the way, and its loops compiled: that is once for a machine."""
    prepare()
    scenarios = tmp_path_factory.mktemp("scenarios")
    make_tiny_scenario(scenarios / "tiny")
    opened = open_world(
        tmp_path_factory.mktemp("data"),
        scenarios,
        is_open=False,
        rate_limit="1000000/minute",
        vroom_time_limit_s=0.05,
        max_active_jobs=100_000,
    )
    yield Requests(opened)
    close_world(opened)


def settings(examples: int, steps: int = 1) -> hypothesis.settings:
    """Return how cases are made: as many, without looking for smaller ones that fail too."""
    return hypothesis.settings(
        max_examples=max(1, examples),
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        print_blob=True,
    )


@pytest.mark.timeout(36_000)
def test_generated_requests(requests: Requests) -> None:
    """Tests that generated requests, sound and faulty, are answered as the OpenAPI document says, never with 5xx."""
    operations = sorted(
        (found.ok() for found in requests.schema.get_all_operations()), key=lambda found: found.method == "delete"
    )
    each = int(CASES * (1.0 - WALK_SHARE)) // len(operations)
    for operation in operations:

        @hypothesis.seed(SEED)
        @settings(each)
        @hypothesis.given(case=operation.as_strategy())
        def answers(case: Any) -> None:
            requests.send(case)

        answers()
    assert requests.sent >= len(operations)


@pytest.mark.timeout(36_000)
def test_generated_walks(requests: Requests) -> None:
    """Tests the same of requests that use what earlier answers told: ids that were made, looked at, and deleted."""
    before = requests.sent

    class Walk(requests.schema.as_state_machine()):  # type: ignore[misc] # made by the schema
        def call(self, case: Any, **_: Any) -> Any:
            return requests.send(case)

        def validate_response(self, *_: Any, **__: Any) -> None:
            """Leave it at what was judged when it was sent."""

    wanted = before + int(CASES * WALK_SHARE)
    for round_number in range(MAX_ROUNDS):
        with contextlib.suppress(hypothesis.errors.Flaky):  # ids are new each time, which it notices now and then
            walks = settings(min(WALKS, -(-(wanted - requests.sent) // WALK_STEPS)), WALK_STEPS)
            run_state_machine_as_test(hypothesis.seed(SEED + round_number)(Walk), settings=walks)
        assert not requests.failures, requests.failures[0]
        if requests.sent >= wanted:
            return
    pytest.fail(f"only {requests.sent - before} requests were sent")
