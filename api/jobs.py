"""The durable queue: DBOS keeps it in the service's own database; workers take jobs, and take up those of dead ones.

This module is the only one that knows the job engine. A ticket is enqueued in the transaction that inserts a job; a
worker that takes it runs one job as one workflow, the ticket's own or one on a network it holds (`Store.claim`); a
worker that dies leaves its workflow pending, and it is taken up again, with the job it was used for, when a process of
the same name starts, or by any other worker after `Settings.lost_worker_s` of silence.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from sqlalchemy.orm import Session

from api.settings import Settings
from api.store import Job, Store

APPLICATION = "shanlu"
VERSION = "jobs-1"
"""Changes only when a job enqueued by an older Shanlu could not be run; workers take jobs of their version only."""
QUEUE = "jobs"
WORKFLOW = "run_job"
POLL_S = 0.25
HEARTBEAT_S = 5.0
_LOG = logging.getLogger("shanlu.worker")


class Queue(Protocol):
    """Where jobs are put; in tests anything that remembers them will do."""

    def enqueue(self, session: Session, job: Job) -> None:
        """Put a job into the queue within the transaction of a session."""
        ...

    def close(self) -> None:
        """Release what the queue holds."""
        ...


class DurableQueue:
    """The queue as the server sees it."""

    def __init__(self, settings: Settings) -> None:
        self._client = DBOSClient(system_database_url=settings.url, application_name=APPLICATION)

    def enqueue(self, session: Session, job: Job) -> None:
        """Put a job into the queue within the transaction of a session on the same database."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": job.id,
            "app_version": VERSION,
        }
        self._client.enqueue_in_transaction(session, options, job.id)

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()


def work(
    settings: Settings, store: Store, worker_id: str, run: Callable[[str], None], stopping: threading.Event
) -> None:
    """Take jobs and run them one at a time until `stopping` is set.

    Parameters
    ----------
    worker_id
        Name of this worker; no two living workers may share it. Jobs a dead process of that name left are run first.
    run
        Runs the job of a ticket to its end, whatever happens; called again with the ticket of a job cut short.
    """
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_url": settings.url,
        "executor_id": worker_id,
        "application_version": VERSION,
        "log_level": "WARNING",
        "run_migrations": False,
    }
    DBOS(config=config)

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    def run_job(ticket: str) -> None:
        run(ticket)

    store.heard_of(worker_id)
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=POLL_S, on_conflict="always_update")
    _LOG.info("worker %s takes jobs", worker_id)
    try:
        _keep_watch(settings, store, worker_id, stopping)
    finally:
        DBOS.destroy()  # a job in work stays this worker's; whoever finds it silent takes the job up


def _keep_watch(settings: Settings, store: Store, worker_id: str, stopping: threading.Event) -> None:
    """Say that this worker lives, and take up the jobs of workers that do not say so any more."""
    beat = 0.0
    while not stopping.wait(0.5):
        if time.monotonic() - beat < HEARTBEAT_S:
            continue
        beat = time.monotonic()
        store.heard_of(worker_id)
        for other, seen_s in store.workers().items():
            if other != worker_id and time.time() - seen_s > settings.lost_worker_s:
                _take_over(store, other)


def _take_over(store: Store, lost: str) -> None:
    """Put the unfinished jobs of a lost worker back into the queue.

    DBOS leaves the detection of lost executors to its paid conductor; the call is the one the conductor makes. It
    puts back only what the lost worker still holds, so that several workers may make it.
    """
    _LOG.warning("worker %s is lost; its jobs go back into the queue", lost)
    DBOS._recover_pending_workflows([lost])  # noqa: SLF001 - see above
    store.forget_worker(lost)
