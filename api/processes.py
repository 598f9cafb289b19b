"""Child processes that never outlive their parent, and a pool of them for short calculations."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")
_LOOK_S = 1.0
_LOG = logging.getLogger("shanlu.api")


def end_with_parent(parent: int) -> None:
    """End this process at once when the process that started it is gone, even if that was killed.

    Parameters
    ----------
    parent
        Its id, as it knows it itself: it may be gone before this process comes to ask.
    """

    def watch() -> None:
        while os.getppid() == parent:
            threading.Event().wait(_LOOK_S)
        _LOG.warning("process %d ends: the process that started it is gone", os.getpid())
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent watch").start()


def end_with_pipe(reader: Connection) -> None:
    """End this process at once, whatever it does, when nobody holds the other end of a pipe any more."""

    def watch() -> None:
        reader.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="pipe watch").start()


def give_way(niceness: int) -> None:
    """Let this process wait for the processor behind the server: a search takes all it gets, an answer little."""
    os.nice(max(0, niceness - os.nice(0)))


class Calculator:
    """Runs short calculations beside the server, so that it keeps answering while they run."""

    def __init__(self, make: Callable[[], Executor]) -> None:
        self._make = make
        self._executor: Executor | None = None

    def prepare(self, function: Callable[[], None]) -> None:
        """Begin to run a function that makes later calculations quicker; nobody waits for it."""
        if self._executor is None:
            self._executor = self._make()
        self._executor.submit(function)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what the function returns in another process; arguments and result must be picklable."""
        if self._executor is None:
            self._executor = self._make()
        try:
            return await asyncio.wrap_future(self._executor.submit(function, *arguments))
        except BrokenProcessPool:
            _LOG.exception("a calculating process died; the next request starts new ones")
            self._executor = None
            raise

    def close(self) -> None:
        """End the processes without waiting for what they do; who asks once more begins with new ones."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def process_pool(workers: int, niceness: int = 0) -> ProcessPoolExecutor:
    """Return a pool of processes that give way to this one as far as niceness says, and end with it."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(niceness, os.getpid()))


@contextmanager
def passing_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes that end when it is left or this one is gone, in the middle of their work if need be.

    Ctrl-C at a terminal reaches all processes: these do not hear it, as the one that began them decides what it means.
    """
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_pipe, initargs=(reader,))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    for _ in range(workers):
        pool.submit(os.getpid)  # begins a process, which inherits what is blocked
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield pool
    finally:
        writer.close()
        pool.shutdown(cancel_futures=True)
        reader.close()


def _begin(niceness: int, parent: int) -> None:
    give_way(niceness)
    end_with_parent(parent)


class Supervisor:
    """Keeps worker processes running: one that ends is started again under its name, which finds its jobs."""

    def __init__(self, names: list[str], environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._names = names
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="supervisor")

    def start(self) -> None:
        """Start all workers and watch over them."""
        for name in self._names:
            self._start(name)
        self._thread.start()

    def _start(self, name: str) -> None:
        command = [sys.executable, "-m", "api.worker_main", name, str(os.getpid())]
        self._processes[name] = subprocess.Popen(command, env=self._environment)  # noqa: S603 - our own module

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            for name, process in list(self._processes.items()):
                code = process.poll()
                if code is not None and not self._stopping.is_set():
                    _LOG.warning("worker %s ended with code %s; starting it again", name, code)
                    self._start(name)

    def alive(self) -> int:
        """Return how many workers run."""
        return sum(process.poll() is None for process in self._processes.values())

    def stop(self) -> None:
        """End all workers; jobs in work are taken up again at the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
