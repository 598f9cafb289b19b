"""A clock that tells when one arrives on roads that are slower in some hours than in others."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from geodata.location import FloatArray
from geodata.matrix import UNREACHABLE_S

HOUR_S = 3600
SLACK_S = 1e-6
"""Rounding noise that does not make a whole second more."""


class TravelClock:
    """When one arrives who leaves at a time with so many dry-day seconds to drive.

    Seconds of driving done by time t are W(t), the integral of the hourly factors; arrival is W⁻¹(W(departure) +
    duration), rounded up to whole seconds. W is made once, so that a question takes the time of a search among the
    hours. Before midnight the first factor holds, after the last hour the last.

    Parameters
    ----------
    factors
        Share of the dry-day speed in each hour after midnight, shape (h,), in (0, 1].

    Raises
    ------
    ValueError
        If there is no factor or one is outside (0, 1].
    """

    def __init__(self, factors: Sequence[float] | FloatArray) -> None:
        self.factors: tuple[float, ...] = tuple(float(value) for value in factors)
        if not self.factors or not all(0.0 < value <= 1.0 for value in self.factors):
            msg = "factors must be one or more shares in (0, 1]"
            raise ValueError(msg)
        self._done: list[float] = [0.0, *accumulate(value * HOUR_S for value in self.factors[:-1])]
        self._factor_at = np.array(self.factors)
        self._done_at = np.array(self._done)

    @property
    def is_dry(self) -> bool:
        """True when no hour is slower than a dry day."""
        return min(self.factors) == 1.0

    def is_dry_between(self, from_s: int, until_s: int) -> bool:
        """Return whether every hour from a time to another has the speed of a dry day."""
        first, last = (min(max(int(t_s // HOUR_S), 0), len(self.factors) - 1) for t_s in (from_s, until_s))
        return min(self.factors[first : last + 1]) == 1.0

    def arrival_s(self, departure_s: int, base_duration_s: float) -> int:
        """Return the second of arrival; `UNREACHABLE_S` where the dry-day duration is."""
        if base_duration_s >= UNREACHABLE_S:
            return UNREACHABLE_S
        return math.ceil(self._time(self._work(departure_s) + base_duration_s) - SLACK_S)

    def latest_departure_s(self, arrival_s: int, base_duration_s: float) -> int:
        """Return the last second at which to leave to arrive by a time: the inverse of `arrival_s`.

        Raises
        ------
        ValueError
            If there is no way at all.
        """
        if base_duration_s >= UNREACHABLE_S:
            msg = "no departure arrives where there is no way"
            raise ValueError(msg)
        return math.floor(self._time(self._work(arrival_s) - base_duration_s) + SLACK_S)

    def arrivals_s(
        self, departure_s: npt.NDArray[np.int64], base_duration_s: npt.NDArray[np.int64] | FloatArray
    ) -> npt.NDArray[np.int64]:
        """Return `arrival_s` of arrays, which broadcast together; int64."""
        departure, base = np.broadcast_arrays(
            np.asarray(departure_s, dtype=np.float64), np.asarray(base_duration_s, dtype=np.float64)
        )
        last = len(self.factors) - 1
        hour = np.clip(np.floor_divide(departure, HOUR_S).astype(np.int64), 0, last)
        work = self._done_at[hour] + (departure - hour * HOUR_S) * self._factor_at[hour] + base
        hour = np.maximum(np.searchsorted(self._done_at, work, side="right") - 1, 0)
        exact = hour * HOUR_S + (work - self._done_at[hour]) / self._factor_at[hour]
        return np.where(base >= UNREACHABLE_S, UNREACHABLE_S, np.ceil(exact - SLACK_S)).astype(np.int64)

    def _work(self, t_s: float) -> float:
        """Return W(t)."""
        hour = min(max(int(t_s // HOUR_S), 0), len(self.factors) - 1)
        return self._done[hour] + (t_s - hour * HOUR_S) * self.factors[hour]

    def _time(self, work_s: float) -> float:
        """Return W⁻¹."""
        hour = max(bisect_right(self._done, work_s) - 1, 0)
        return hour * HOUR_S + (work_s - self._done[hour]) / self.factors[hour]
