"""Progress of long work: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

if TYPE_CHECKING:
    from routing.pipeline import Status

PLAIN_INTERVAL_S = 5.0
"""Seconds between two lines of the same stage in a log."""


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[Status], None]]:
    """Yield a callback that shows stage, best cost, orders served and time left."""
    if not console.is_terminal:
        yield _plain_lines(console)
        return
    columns = (TextColumn("{task.description:<12}"), BarColumn(bar_width=16), TextColumn("{task.fields[figures]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None, figures="")

        def update(status: Status) -> None:
            total = None if status.share is None else 1.0  # without a total the bar only shows that work goes on
            bar.update(task, description=status.stage, total=total, completed=status.share, figures=figures_of(status))
            bar.refresh()

        yield update


def _plain_lines(console: Console) -> Callable[[Status], None]:
    """Return a callback that prints a line for each new stage, and now and then within one."""
    start = time.monotonic()
    last_stage, last_at = "", start

    def report(status: Status) -> None:
        nonlocal last_stage, last_at
        now = time.monotonic()
        if status.stage == last_stage and now - last_at < PLAIN_INTERVAL_S:
            return
        last_stage, last_at = status.stage, now
        console.print(f"{now - start:7.1f} s  {status.stage:<12} {figures_of(status)}".rstrip())

    return report


def figures_of(status: Status) -> str:
    """Return best cost, orders served and time left, as far as they are known."""
    if not status.orders:
        return ""
    parts = [f"{status.orders} orders, no plan yet"]
    if status.cost is not None:
        parts = [f"best cost {status.cost / 100:,.2f}", f"{status.served} of {status.orders} served"]
    if status.left_s is not None:
        parts.append(f"{status.left_s:.0f} s left")
    return ", ".join(parts)
