"""Where the searches of one plan run: processes of this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from geodata.errors import UnavailableError

if TYPE_CHECKING:
    from routing.solver.parallel import Helpers

CONNECT_S = 10


@contextmanager
def helpers_of(workers: int | None, cluster: str | None) -> Iterator[Helpers | None]:
    """Yield what helps with a plan: `workers` searches in all, on a cluster where its address is given.

    On a cluster without a number, as many searches as it has threads, one of them here; without either, none.

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
        # Each search is another one: equal arguments must not share a result, nor a failed one be tried for ever.
        yield Helpers(client.get_executor(pure=False, retries=2), max(0, count))


@contextmanager
def helpers_if_any(workers: int | None, cluster: str | None) -> Iterator[tuple[Helpers | None, str | None]]:
    """Yield as `helpers_of`; where the cluster does not answer, no helpers and what to tell of it."""
    with ExitStack() as stack:
        try:
            found: tuple[Helpers | None, str | None] = stack.enter_context(helpers_of(workers, cluster)), None
        except UnavailableError:
            found = None, "The cluster did not answer; the plan was searched for by its worker alone."
        yield found
