"""The days of one fleet side by side in arrays, so that one compiled call looks at all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from routing.solver.day_loops import ROWS, FloatArray, IntArray

STOPS, DRIVE_S, ROUNDS = range(3)
"""Columns of `Days.figures`: how many stops a day has, seconds driven, how many rounds."""
_ROOM = 16
"""Stops a day has room for at first."""


class Days(NamedTuple):
    """What the compiled loops read of a fleet's days. A row is a vehicle; of its stops only the first count."""

    times: IntArray
    """Shape (vehicles, rows as `day_loops` names them, stops)."""
    aboard: FloatArray
    """Shape (vehicles, kilograms then litres of each compartment, stops)."""
    figures: IntArray


class Board:
    """The days of a fleet, taken over one by one as they change."""

    def __init__(self, compartments: int) -> None:
        times: IntArray = np.zeros((0, ROWS, _ROOM), dtype=np.int64)
        figures: IntArray = np.zeros((0, 3), dtype=np.int64)
        self.days = Days(times, np.zeros((0, 2 * compartments, _ROOM)), figures)

    def add(self) -> int:
        """Add an idle vehicle; return its row."""
        row = len(self.days.figures)
        self._resize(row + 1, self.days.times.shape[2])
        return row

    def drop(self) -> None:
        """Drop the vehicle added last."""
        self._resize(len(self.days.figures) - 1, self.days.times.shape[2])

    def note(self, row: int, times: IntArray, aboard: FloatArray, figures: tuple[int, int]) -> None:
        """Take over the day of a vehicle; `figures` are the seconds it drives and its rounds."""
        stops = times.shape[1]
        if stops > self.days.times.shape[2]:
            self._resize(len(self.days.figures), 2 * stops)
        self.days.times[row, :, :stops] = times
        self.days.aboard[row, :, :stops] = aboard
        self.days.figures[row] = (stops, *figures)

    def _resize(self, vehicles: int, stops: int) -> None:
        times, aboard, figures = self.days
        self.days = Days(
            _resized(times, (vehicles, ROWS, stops)),
            _resized(aboard, (vehicles, aboard.shape[1], stops)),
            _resized(figures, (vehicles, 3)),
        )


def _resized(array: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return an array of another shape with the same leading cells; new ones are 0."""
    other = np.zeros(shape, dtype=array.dtype)
    shared = tuple(slice(min(sizes)) for sizes in zip(array.shape, shape, strict=True))
    other[shared] = array[shared]
    return other
