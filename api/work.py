"""What workers do: plans, networks, sitings. A job may begin anew at any time; only the last attempt counts."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.error_codes import ErrorCode
from api.networks import INLINE_FILES, prepare_network
from api.problem_json import faults_of_input, problem
from api.settings import Settings
from api.siting_work import answer_siting, siting_problem
from api.store import Job, JobState, Store
from geodata.cache import Cache, default_cache_folder
from geodata.errors import CheckFailedError, InputError

if TYPE_CHECKING:
    from routing.pipeline import Outcome, Status

REPORT_S = 0.5
SCENARIO = "scenario"
"""Name of the folder with the inputs in a job's folder."""
BEFORE_FILE, DIFFERENCE_FILE = "before.json", "diff.json"
"""Of a plan that replaces another: that plan, in the job's folder, and the difference, in the results."""
_SHOWN = ("cost", "served", "orders")
_EVENTS = {"events": ""}
"""Faults of what has happened have their place in the body itself."""
_LOG = logging.getLogger("shanlu.worker")


class _SupersededError(Exception):
    """Another attempt holds the job now."""


class _Watch:
    """Passes progress on to the store, and the wish to stop back to the solver."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store, self._job, self._last = store, job, float("-inf")
        self.stopped = job.stop_requested

    def report(self, **figures: object) -> None:
        """Record what the job does now."""
        self._last = time.monotonic()
        wanted = self._store.report(self._job, figures)
        if wanted and not self.stopped:
            current = self._store.job(self._job.id)
            if current is None or current.attempt != self._job.attempt or current.state.is_final:
                raise _SupersededError
            self.stopped = True

    def follow(self, status: Status) -> None:
        """Record how far the making of a plan is."""
        self.report(**asdict(status))

    def cancelled(self) -> bool:
        """Return whether the job was asked to stop, looked up as often as progress is recorded."""
        if not self.stopped and time.monotonic() - self._last > REPORT_S:
            self._last = time.monotonic()
            current = self._store.job(self._job.id)
            self.stopped = current is None or current.stop_requested or current.attempt != self._job.attempt
        return self.stopped


def scenario_folder(settings: Settings, job: Job) -> Path:
    """Return the scenario folder a finished plan is of; a plan of a changed day has that day's."""
    return settings.job_folder(job.id) / str((job.result or {}).get("scenario", SCENARIO))


def run_job(settings: Settings, store: Store, job_id: str) -> None:
    """Run a job to its end and record the end; never raises but for what ends the process."""
    job = store.begin_attempt(job_id)
    if job is None:
        return
    _LOG.info("job %s: attempt %d", job.id, job.attempt)
    try:
        if job.attempt > settings.max_attempts:
            error = problem(ErrorCode.TOO_MANY_ATTEMPTS, f"{job.attempt - 1} attempts were cut short.", job.id)
            store.finish(job, JobState.FAILED, error=error)
        elif "replaces" in job.request:
            _replan(settings, store, job)
        elif job.kind == "plan":
            _make_plan(settings, store, job)
        elif job.kind == "siting":
            _answer_siting(settings, store, job)
        else:
            _prepare_network(settings, store, job)
    except _SupersededError:
        _LOG.warning("job %s: another attempt holds it; this one (%d) ends", job.id, job.attempt)
    except Exception as error:  # noqa: BLE001 - whatever ends a job is told in its state
        store.finish(job, JobState.FAILED, error=_problem_of(error, job))


def _problem_of(error: Exception, job: Job) -> dict[str, Any]:
    """Return the problem document of what ended a job."""
    if isinstance(error, InputError) and job.kind == "siting":
        return siting_problem(error, job)
    if isinstance(error, InputError):
        faults = faults_of_input(error, _EVENTS if "replaces" in job.request else INLINE_FILES)
        return problem(ErrorCode.INVALID_SCENARIO, f"{len(faults)} faults in the input.", job.id, faults)
    _LOG.error("job %s failed", job.id, exc_info=error)
    if isinstance(error, CheckFailedError):
        return problem(ErrorCode.BROKEN_PLAN, str(error), job.id)
    return problem(ErrorCode.INTERNAL, f"The job ended with a {type(error).__name__}.", job.id)


def _make_plan(settings: Settings, store: Store, job: Job) -> None:
    # Imported here: the server imports this module too and needs no solver.
    from routing.pipeline import PlanOptions, plan_deliveries  # noqa: PLC0415

    folder, out = _result_folder(settings, job)
    options = dict(job.request["options"])
    options["only"] = tuple(options["only"])
    watch = _Watch(store, job)
    watch.report(stage="reading")
    cache = Cache(default_cache_folder())
    outcome = plan_deliveries(folder / SCENARIO, out, PlanOptions(**options), watch.follow, watch.cancelled, cache)
    state = JobState.DISMISSED if watch.stopped else JobState.SUCCESSFUL
    orders = [order.id for order in outcome.scenario.orders]
    if not store.finish(job, state, result=_summary(outcome, out), orders=orders):
        raise _SupersededError


def _replan(settings: Settings, store: Store, job: Job) -> None:
    from api.replan_work import replan_day  # noqa: PLC0415 - as above

    folder, out = _result_folder(settings, job)
    watch = _Watch(store, job)
    watch.report(stage="reading")

    def tell(figures: dict[str, Any]) -> None:
        watch.report(stage="writing", checked=True, **{name: figures[name] for name in ("folder", *_SHOWN)})

    target = folder / f"day-{job.attempt}"
    before = folder / BEFORE_FILE
    figures, orders = replan_day(folder / SCENARIO, before, job.request, target, out, tell, watch.cancelled)
    state = JobState.DISMISSED if watch.stopped else JobState.SUCCESSFUL
    if not store.finish(job, state, result=figures, orders=orders):
        raise _SupersededError


def _result_folder(settings: Settings, job: Job) -> tuple[Path, Path]:
    """Return the job's folder and where this attempt's results go; those of earlier attempts are removed."""
    folder = settings.job_folder(job.id)
    for old in folder.glob("result-*"):
        shutil.rmtree(old, ignore_errors=True)
    return folder, folder / f"result-{job.attempt}"


def _answer_siting(settings: Settings, store: Store, job: Job) -> None:
    folder, out = _result_folder(settings, job)
    watch = _Watch(store, job)
    watch.report(stage="reading")
    question = job.request["question"]
    result = answer_siting(folder / SCENARIO, out, question, lambda text: watch.report(stage=text), watch.cancelled)
    state = JobState.DISMISSED if watch.stopped else JobState.SUCCESSFUL
    if not store.finish(job, state, result=result):
        raise _SupersededError


def _summary(outcome: Outcome, out: Path) -> dict[str, Any]:
    """Return the figures of a finished plan that its status shows."""
    document, figures = outcome.document, outcome.kpis
    return {
        "folder": out.name,
        "currency": document.objective.currency,
        "cost": document.objective.total,
        "bound": document.bound,
        "orders": figures.orders,
        "served": figures.served,
        "unassigned": len(document.unassigned),
        "rejected": len(document.rejected),
        "routes": len(document.routes),
        "scenario_digest": document.scenario.digest,
        "timings_s": dict(outcome.timings_s),
    }


def _prepare_network(settings: Settings, store: Store, job: Job) -> None:
    watch = _Watch(store, job)
    watch.report(stage="reading")
    facts = prepare_network(settings.job_folder(job.id) / SCENARIO, Cache(default_cache_folder()))
    if not store.finish(job, JobState.SUCCESSFUL, result=facts):
        raise _SupersededError
