"""Progress of long work: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from routing.solver import Progress as SolverProgress

PLAIN_INTERVAL_S = 5.0


@contextmanager
def show_progress(console: Console, time_limit_s: float | None) -> Iterator[Callable[[SolverProgress], None]]:
    """Yield a callback that shows stage, best cost, orders served and time left."""
    if console.is_terminal:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as bar:
            task = bar.add_task("reading", total=time_limit_s, figures="")

            def update(state: SolverProgress) -> None:
                done = min(state.elapsed_s, time_limit_s) if time_limit_s else None
                bar.update(task, description=state.stage, completed=done, figures=_figures(state, time_limit_s))

            yield update
    else:
        last_stage, last_at = "", 0.0

        def report(state: SolverProgress) -> None:
            nonlocal last_stage, last_at
            now = time.monotonic()
            if state.stage == last_stage and now - last_at < PLAIN_INTERVAL_S:
                return
            last_stage, last_at = state.stage, now
            console.print(f"{state.elapsed_s:7.1f} s  {state.stage:<12} {_figures(state, time_limit_s)}")

        yield report


def _figures(state: SolverProgress, time_limit_s: float | None) -> str:
    cost = "no plan yet" if state.cost is None else f"best cost {state.cost / 100:,.2f}"
    left = f", {max(0.0, time_limit_s - state.elapsed_s):.0f} s left" if time_limit_s else ""
    return f"{cost}, {state.served} of {state.orders} served{left}"
