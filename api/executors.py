"""Where the searches of one plan run: processes of this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

from geodata.errors import UnavailableError

if TYPE_CHECKING:
    from routing.solver.parallel import Helpers

CONNECT_S = 10
T = TypeVar("T")


@contextmanager
def helpers_of(workers: int | None, cluster: str | None) -> Iterator[Helpers | None]:
    """Yield what helps with a plan: `workers` processes in all, on a cluster where its address is given.

    On a cluster without a number, as many as it has threads, one of them here; without either, none.

    Raises
    ------
    UnavailableError
        If the cluster does not answer, or Dask is not installed.
    """
    if cluster is not None:
        yield from _on_cluster(workers, cluster)
    elif workers is None or workers <= 1:
        yield None
    else:
        from api.processes import passing_pool  # noqa: PLC0415 - one search needs no processes
        from routing.solver.parallel import Helpers  # noqa: PLC0415 - `shanlu --help` answers at once

        with passing_pool(workers - 1) as pool:
            yield Helpers(pool, workers - 1)


def _on_cluster(workers: int | None, cluster: str) -> Iterator[Helpers | None]:
    try:
        from distributed import Client  # noqa: PLC0415 - optional
        from distributed.comm.core import CommClosedError  # noqa: PLC0415
        from distributed.scheduler import KilledWorker  # noqa: PLC0415
    except ImportError:
        msg = "Planning on a cluster needs Dask: pip install 'shanlu[cluster]'."
        raise UnavailableError(msg) from None
    from routing.solver.parallel import Helpers  # noqa: PLC0415

    try:
        client = Client(cluster, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        msg = f"No Dask scheduler answers at {cluster} ({error})."
        raise UnavailableError(msg) from None
    with client:
        count = (workers or sum(client.nthreads().values())) - 1
        # Equal arguments must not share a result, nor a failed call be tried for ever.
        executor = ClusterExecutor(client.get_executor(pure=False, retries=2), (KilledWorker, CommClosedError))
        yield Helpers(executor, max(0, count))


class ClusterExecutor(Executor):
    """A cluster's executor that tells of lost workers as process pools do, by `BrokenExecutor`."""

    def __init__(self, inner: Executor, lost: tuple[type[BaseException], ...]) -> None:
        self._inner, self._lost = inner, lost

    def submit(self, function: Callable[..., T], /, *arguments: object, **options: object) -> Future[T]:
        """Begin a call on the cluster."""
        found: Future[T] = Future()

        def pass_on(done: Future[T]) -> None:
            if not found.set_running_or_notify_cancel():
                return
            error = CancelledError() if done.cancelled() else done.exception()
            if error is None:
                found.set_result(done.result())
            elif isinstance(error, (CancelledError, *self._lost)):
                found.set_exception(BrokenExecutor(f"the cluster lost a call: {error!r}"))
            else:
                found.set_exception(error)

        self._inner.submit(function, *arguments, **options).add_done_callback(pass_on)
        return found


@contextmanager
def helpers_if_any(workers: int | None, cluster: str | None) -> Iterator[tuple[Helpers | None, str | None]]:
    """Yield as `helpers_of`; where the cluster does not answer, no helpers and what to tell of it."""
    with ExitStack() as stack:
        try:
            found: tuple[Helpers | None, str | None] = stack.enter_context(helpers_of(workers, cluster)), None
        except UnavailableError:
            found = None, "The cluster did not answer; the plan was searched for by its worker alone."
        yield found
