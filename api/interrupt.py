"""Ctrl-C: what it means depends on whether there is a plan to keep."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routing.pipeline import Status


class Interrupt:
    """Before there is a plan Ctrl-C ends the run; then it ends the search only; pressed again it drops the plan.

    Parameters
    ----------
    say
        Prints a line for the user.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._has_plan = self._pressed = False

    def watch(self, status: Status) -> None:
        """Take note of whether there is a plan."""
        self._has_plan = self._has_plan or status.cost is not None

    def is_pressed(self) -> bool:
        """Return whether the search is to end."""
        return self._pressed

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle Ctrl-C in this way within the block."""
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_signal(self, _signal: int, _frame: object) -> None:
        if self._pressed or not self._has_plan:
            raise KeyboardInterrupt
        self._pressed = True
        self._say("stopping: the best plan so far is checked and written (Ctrl-C again drops it)")
