"""The page of the service's measurements: made of figures alone, saying what is partial and which bar is not kept."""

from typing import Any

from benchmarks.service_report import report

QUANTILES = {"p50": 1.0, "p95": 20.0, "p99": 30.0, "max": 40.0}
LOAD: dict[str, Any] = {
    "conditions": "2026-06-10, a machine",
    "clients": 200,
    "seconds": 300.0,
    "plans_solving_to_the_end": 2,
    "reads": 990,
    "submits": 10,
    "errors": [],
    "error_count": 0,
    "read_ms": QUANTILES,
    "submit_ms": {**QUANTILES, "p95": 301.0},
    "sent_late_ms": QUANTILES,
    "server_cpu_s": 2.0,
    "client_cpu_s": 1.0,
    "server_mb": [100, 101],
}
FUZZ = {"conditions": "then", "cases": 500, "passed": True, "seconds": 60, "errors": []}
KILLS = {
    "conditions": "then",
    "server_kills": 12,
    "worker_kills": 8,
    "accepted": 30,
    "successful": 30,
    "cut": 9,
    "lost": 0,
    "doubled_jobs": 0,
    "doubled_runs": 0,
    "doubled_results": 1,
    "unequal": 0,
}


def test_bars_are_judged() -> None:
    """Tests that each bar is told as kept or not by the figures, and that full runs are not called partial."""
    page = report({"load": LOAD, "kills": KILLS})
    assert "100 ms: kept" in page
    assert "300 ms: **not kept**" in page
    assert "none lost, none doubled: **not kept**" in page
    assert "2.00 ms a request" in page
    assert "Partial:" not in page


def test_partial_and_missing_parts_say_so() -> None:
    """Tests that what ran at less than its full size says how much, and what did not run at all says that."""
    page = report({"load": {**LOAD, "seconds": 20.0}, "fuzz": FUZZ})
    assert "Partial: 20 of 300 seconds." in page
    assert "Partial: 500 of 20000 cases." in page
    assert page.count("Not run.") == 4
