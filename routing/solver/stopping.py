"""When to stop: time limit, iteration limit, cancellation. Only the limits given count."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from routing.model.plan import Plan

_RESERVE_S, _RESERVE_PER_ORDER_S, _RESERVE_SHARE = 0.5, 0.004, 0.2
"""Kept back from the time limit for settling, checking and explaining: so much and per order, at most that share."""

_OVERTIME_SHARE, _OVERTIME_S = 0.1, 1.0
"""How long past the time limit orders left out are still explained."""


_OFFERS_APART_S, _OFFERS_SHARE = 5.0, 0.05
"""Least time between two plans handed out during the search, and the most of its time that making them may take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to search and with which kinds of carrier.

    With `max_iterations` the search never looks at the clock to decide anything but whether `time_limit_s` is over:
    the same problem, seed, iterations and number of processes give the same plan. `only` restricts the kinds of carrier
    (empty: all); ``("vehicle",)`` means road vehicles from door to door without transfer. With `sequential` each
    order's itinerary is chosen before any round is made and then kept, as most planning does it: for comparison.
    """

    time_limit_s: float | None = 60.0
    max_iterations: int | None = None
    only: tuple[str, ...] = ()
    sequential: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What is shown while solving. `cost` is None until a first plan exists; `served` counts orders."""

    stage: str
    iteration: int
    cost: int | None
    served: int
    orders: int
    elapsed_s: float


class Clock:
    """The running limits of one solve."""

    def __init__(
        self,
        limits: Limits,
        cancelled: Callable[[], bool] | None,
        progress: Callable[[Progress], None] | None,
        orders: int,
        so_far: Callable[[Plan], None] | None = None,
    ) -> None:
        self.limits, self.iteration = limits, 0
        self._cancelled, self._progress, self._orders, self._so_far = cancelled, progress, orders, so_far
        self._next_offer = float("-inf")
        self._start, self._last_report = time.monotonic(), float("-inf")
        self._stopped = False

    @property
    def elapsed_s(self) -> float:
        """Seconds since the solve began."""
        return time.monotonic() - self._start

    def excuse(self, seconds: float) -> None:
        """Let seconds that have passed not count."""
        self._start += seconds

    @property
    def remaining_s(self) -> float:
        """Seconds until the time limit; a minute where there is none."""
        limit_s = self.limits.time_limit_s
        return 60.0 if limit_s is None else max(0.0, limit_s - self.elapsed_s)

    @property
    def deterministic(self) -> bool:
        """True when work is bounded by iterations, so that no decision may hang on the clock."""
        return self.limits.max_iterations is not None

    def interrupted(self) -> bool:
        """Return whether the time limit is over or the caller cancelled; stays True once it was."""
        if not self._stopped:
            limit_s = self.limits.time_limit_s
            self._stopped = (limit_s is not None and self.elapsed_s >= limit_s) or self.cancelled()
        return self._stopped

    def cancelled(self) -> bool:
        """Return whether the caller asked to stop, time limit or not."""
        return self._cancelled is not None and self._cancelled()

    def share_done(self) -> float:
        """Return how much of the effort is used: of the iterations where they are limited, else of the time."""
        if self.limits.max_iterations is not None:
            return self.iteration / max(1, self.limits.max_iterations)
        if self.limits.time_limit_s is None:
            return 1.0
        reserve_s = min(_RESERVE_S + _RESERVE_PER_ORDER_S * self._orders, _RESERVE_SHARE * self.limits.time_limit_s)
        return self.elapsed_s / max(1e-9, self.limits.time_limit_s - reserve_s)

    def planned_iterations(self, begun: float) -> float:
        """Return how many iterations the effort will allow, judged by those since the share `begun` was used."""
        if self.limits.max_iterations is not None:
            return float(self.limits.max_iterations)
        used = max(1e-3, self.share_done() - begun)
        return (self.iteration + 1) * (1.0 - begun) / used

    def finished(self) -> bool:
        """Return whether the search is to end."""
        if self.limits.max_iterations is not None and self.iteration >= self.limits.max_iterations:
            return True
        return self.share_done() >= 1.0 or self.interrupted()

    def building_over(self) -> bool:
        """Return whether no more orders are to be inserted: the rest of the time limit is for finishing the plan."""
        if self.deterministic or self.limits.time_limit_s is None:
            return self.interrupted()
        return self.share_done() >= 1.0 or self.interrupted()

    def overdue(self) -> bool:
        """Return whether the time limit is over by so much that the solve must end at once."""
        limit_s = self.limits.time_limit_s
        return limit_s is not None and self.elapsed_s >= limit_s * (1.0 + _OVERTIME_SHARE) + _OVERTIME_S

    def report(self, stage: str, cost: float | None, served: int, *, force: bool = False) -> None:
        """Tell the caller how far the search is, at most twice a second unless forced."""
        if self._progress is None:
            return
        now = self.elapsed_s
        if force or now - self._last_report >= 0.5:
            self._last_report = now
            whole = None if cost is None else round(cost)
            self._progress(Progress(stage, self.iteration, whole, served, self._orders, now))

    def wants_plan(self) -> bool:
        """Return whether the caller wants the best plan so far by now."""
        return self._so_far is not None and time.monotonic() >= self._next_offer

    def offer(self, make: Callable[[], Plan]) -> None:
        """Hand the best plan so far to a caller who wants such plans, unless he had one just before."""
        if self._so_far is None or not self.wants_plan():
            return
        begun = time.monotonic()
        self._so_far(make())
        ended = time.monotonic()
        self._next_offer = ended + max(_OFFERS_APART_S, (ended - begun) / _OFFERS_SHARE)
