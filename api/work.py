"""What workers do: plans, networks, sitings. A job may begin anew at any time; only the last attempt counts."""

from __future__ import annotations

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.artifacts import Artifacts, artifacts_of
from api.error_codes import ErrorCode
from api.executors import helpers_if_any
from api.held import held_cache
from api.networks import INLINE_FILES, prepare_network, write_fresh
from api.problem_json import faults_of_input, problem
from api.settings import Settings
from api.siting_work import answer_siting, siting_problem
from api.store import Job, JobState, Store
from api.tracing import JobTrace, Tracing
from geodata.errors import CheckFailedError, InputError

if TYPE_CHECKING:
    from routing.model.plan import PlanDocument
    from routing.pipeline import Outcome, Status

REPORT_S = 0.5
SCENARIO = "scenario"
"""Name of the folder with the inputs in a job's folder."""
BEFORE_FILE, DIFFERENCE_FILE = "before.json", "diff.json"
"""Of a plan that replaces another: that plan, in the job's folder, and the difference, in the results."""
SO_FAR = "best"
"""Of a plan that is made: its folder of the best checked plan so far, followed by the number of the attempt."""
_SHOWN = ("cost", "served", "orders")
_EVENTS = {"events": ""}
"""Faults of what has happened have their place in the body itself."""
_UNTRACED = Tracing()
_LOG = logging.getLogger("shanlu.worker")


class _SupersededError(Exception):
    """Another attempt holds the job now."""


class _Watch:
    """Passes progress and the end on to store and trace, and the wish to stop back to the solver."""

    def __init__(self, store: Store, artifacts: Artifacts, job: Job, trace: JobTrace) -> None:
        self._artifacts = artifacts
        self._store, self._job, self._trace, self._last = store, job, trace, float("-inf")
        self._so_far: dict[str, object] = {}
        self.stopped = job.stop_requested

    def report(self, stage: str, **figures: object) -> None:
        """Record what the job does now."""
        self._last = time.monotonic()
        self._trace.phase(stage)
        figures = {**self._so_far, **figures, "stage": stage}
        wanted = self._store.report(self._job, figures)
        if wanted and not self.stopped:
            current = self._store.job(self._job.id)
            if current is None or current.attempt != self._job.attempt or current.state.is_final:
                raise _SupersededError
            self.stopped = True

    def follow(self, status: Status) -> None:
        """Record how far the making of a plan is."""
        self.report(**asdict(status))

    def keep(self, folder: Path, document: PlanDocument, files: Mapping[str, bytes]) -> None:
        """Keep the best checked plan so far in a folder; from the next report on it can be fetched."""
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            write_fresh(folder / name, content)
        self._artifacts.publish(self._job.id)
        best = {
            "cost": document.objective.total,
            "served": len(document.orders),
            "unassigned": len(document.unassigned),
        }
        self._so_far = {"folder": folder.name, "best": best}

    def cancelled(self) -> bool:
        """Return whether the job was asked to stop, looked up as often as progress is recorded."""
        if not self.stopped and time.monotonic() - self._last > REPORT_S:
            self._last = time.monotonic()
            current = self._store.job(self._job.id)
            self.stopped = current is None or current.stop_requested or current.attempt != self._job.attempt
        return self.stopped

    def succeed(self, result: dict[str, Any], orders: Iterable[str] = ()) -> None:
        """Record the result, of a job that was stopped as of one that was not."""
        state = JobState.DISMISSED if self.stopped else JobState.SUCCESSFUL
        self._artifacts.publish(self._job.id)
        if not self._store.finish(self._job, state, result=result, orders=orders):
            raise _SupersededError
        self._trace.ended(state.value, None)

    def fail(self, error: dict[str, Any]) -> None:
        """Record what ended the job."""
        self._store.finish(self._job, JobState.FAILED, error=error)
        self._trace.ended(JobState.FAILED.value, str(error["code"]))


def scenario_folder(settings: Settings, job: Job) -> Path:
    """Return the scenario folder a finished plan is of; a plan of a changed day has that day's."""
    return artifacts_of(settings).folder(job.id) / str((job.result or {}).get("scenario", SCENARIO))


def run_job(
    settings: Settings, store: Store, ticket: str, tracing: Tracing = _UNTRACED, held: deque[str] | None = None
) -> None:
    """Run the job of a ticket to its end and record the end; never raises but for what ends the process.

    Parameters
    ----------
    held
        Networks this worker used last; the job's is added.
    """
    job = store.claim(ticket, held or (), settings.prefer_held_s)
    if job is None:
        return
    network = job.id if job.kind == "network" else job.network_id
    if held is not None and network is not None:
        held.append(network)
    _LOG.info("job %s: attempt %d", job.id, job.attempt)
    with tracing.job(job.kind, job.traceparent, {"shanlu.job.id": job.id, "shanlu.job.attempt": job.attempt}) as trace:
        watch = _Watch(store, artifacts_of(settings), job, trace)
        try:
            if job.attempt > settings.max_attempts:
                told = f"{job.attempt - 1} attempts were cut short."
                watch.fail(problem(ErrorCode.TOO_MANY_ATTEMPTS, told, job.id))
            else:
                watch.report("reading")
                _WORK[_kind_of(job)](settings, job, watch)
        except _SupersededError:
            _LOG.warning("job %s: another attempt holds it; this one (%d) ends", job.id, job.attempt)
            _forget_own(settings, job)
        except Exception as error:  # noqa: BLE001 - whatever ends a job is told in its state
            watch.fail(_problem_of(error, job))


def _kind_of(job: Job) -> str:
    return "replan" if "replaces" in job.request else job.kind


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


def _make_plan(settings: Settings, job: Job, watch: _Watch) -> None:
    # Imported here: the server imports this module too and needs no solver.
    from routing.pipeline import PlanOptions, plan_deliveries  # noqa: PLC0415

    folder, out = _result_folder(settings, job)
    options = dict(job.request["options"])
    options["only"] = tuple(options["only"])
    keep = partial(watch.keep, folder / f"{SO_FAR}-{job.attempt}")
    scenario = folder / SCENARIO
    with helpers_if_any(settings.plan_workers, settings.cluster) as (helpers, note):
        outcome = plan_deliveries(
            scenario, out, PlanOptions(**options), watch.follow, watch.cancelled, held_cache(), helpers, keep
        )
    result = {
        **_summary(outcome, out),
        "searches": 1 if helpers is None else 1 + helpers.count,
        "notes": [] if note is None else [note],
    }
    watch.succeed(result, [order.id for order in outcome.scenario.orders])
    _forget_earlier(folder, SO_FAR)


def _replan(settings: Settings, job: Job, watch: _Watch) -> None:
    from api.replan_work import replan_day  # noqa: PLC0415 - as above

    folder, out = _result_folder(settings, job)

    def tell(figures: dict[str, Any]) -> None:
        artifacts_of(settings).publish(job.id)
        watch.report("writing", checked=True, **{name: figures[name] for name in ("folder", *_SHOWN)})

    target = folder / f"day-{job.attempt}"
    before = folder / BEFORE_FILE
    figures, orders = replan_day(folder / SCENARIO, before, job.request, target, out, tell, watch.cancelled)
    watch.succeed(figures, orders)


def _answer_siting(settings: Settings, job: Job, watch: _Watch) -> None:
    folder, out = _result_folder(settings, job)
    watch.succeed(answer_siting(folder / SCENARIO, out, job.request["question"], watch.report, watch.cancelled))


def _prepare_network(settings: Settings, job: Job, watch: _Watch) -> None:
    watch.succeed(prepare_network(artifacts_of(settings).folder(job.id) / SCENARIO, held_cache()))


_WORK: Mapping[str, Callable[[Settings, Job, _Watch], None]] = {
    "plan": _make_plan,
    "replan": _replan,
    "siting": _answer_siting,
    "network": _prepare_network,
}


def _result_folder(settings: Settings, job: Job) -> tuple[Path, Path]:
    """Return the job's folder and where this attempt's results go; those of earlier attempts are removed."""
    folder = artifacts_of(settings).folder(job.id)
    _forget_earlier(folder, "result")
    _forget_earlier(folder, SO_FAR)
    return folder, folder / f"result-{job.attempt}"


def _forget_earlier(folder: Path, kind: str) -> None:
    for pattern in (f"{kind}-*", f".{kind}-*"):  # with a dot: what was not whole yet when its worker died
        for old in folder.glob(pattern):
            shutil.rmtree(old, ignore_errors=True)


def _forget_own(settings: Settings, job: Job) -> None:
    """Remove what an attempt has written that another one overtook."""
    folder = artifacts_of(settings).folder(job.id)
    for kind in ("result", SO_FAR):
        shutil.rmtree(folder / f"{kind}-{job.attempt}", ignore_errors=True)


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
