"""TravelMatrix: what it takes to go from each place to each place; data only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

UNREACHABLE_S = 2_000_000_000
"""Marks a pair without a way, in `duration_s`; larger than any real duration, small enough for 32-bit solvers."""


@dataclass(frozen=True)
class TravelMatrix:
    """Seconds, metres and watt-hours between places by one travel profile.

    Parameters
    ----------
    profile
        Id of the travel profile the figures hold for.
    ids
        Place ids; index k of every array is ``ids[k]``.
    duration_s
        int64 array of shape (n, n); ``duration_s[i, j]`` is from i to j and never assumed symmetric;
        `UNREACHABLE_S` where there is no way. The diagonal is zero.
    distance_m
        int64 array of shape (n, n), metres along the fastest path; 0 where unreachable.
    energy_wh
        float64 array of shape (n, n), watt-hours of fuel or battery along the fastest path (regeneration may
        make single entries negative); 0 where unreachable.

    Raises
    ------
    ValueError
        If shapes disagree or ids repeat.
    """

    profile: str
    ids: tuple[str, ...]
    duration_s: npt.NDArray[np.int64]
    distance_m: npt.NDArray[np.int64]
    energy_wh: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("duration_s", "distance_m", "energy_wh"):
            shape = getattr(self, name).shape
            if shape != (n, n):
                msg = f"{name} has shape {shape}, expected {(n, n)} for {n} ids"
                raise ValueError(msg)
        if len(self.index) != n:
            msg = "ids repeat"
            raise ValueError(msg)
        for array in (self.duration_s, self.distance_m, self.energy_wh):
            array.setflags(write=False)

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each id in the arrays."""
        return {place_id: k for k, place_id in enumerate(self.ids)}

    @cached_property
    def reachable(self) -> npt.NDArray[np.bool_]:
        """Boolean array of shape (n, n): True where there is a way from i to j."""
        return self.duration_s < UNREACHABLE_S

    def reaches(self, place_id: str, other_id: str) -> bool:
        """Return whether there is a way from one place to the other and back."""
        i, j = self.index[place_id], self.index[other_id]
        return bool(self.reachable[i, j] and self.reachable[j, i])
