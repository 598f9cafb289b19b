"""Which fleet carries goods between two places at what expected cost: for all fleets at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.matrix import UNREACHABLE_S
from routing.solver.fleets import Fleet
from routing.solver.instance import Instance

_SHARE = {"vehicle": 0.35, "courier": 0.8}
"""Share of a round trip's cost a single stop is expected to bear (assumed; it only ranks chains)."""


def fleet_estimate(fleet: Fleet, origin: int, destination: int) -> float | None:
    """Return a share of the round trip's cost over both ends, None where there is no way."""
    duration, base = fleet.travel.duration_s, fleet.base
    way = [base, *(place for place in (origin, destination) if place != base), base]
    travel = sum(duration[a][b] for a, b in pairwise(way))
    if travel >= _limit_s(fleet):
        return None
    if fleet.type.range_wh is not None:
        energy = fleet.travel.energy_wh
        if sum(energy[a][b] for a, b in pairwise(way)) > fleet.type.range_wh:
            return None
    cost = sum(fleet.arc_cost[a][b] for a, b in pairwise(way))
    return cost * _SHARE[fleet.type.kind] + (len(way) - 2) * fleet.type.stop_s * fleet.cost_per_s


def _limit_s(fleet: Fleet) -> int:
    shift_s = fleet.type.shift_end_s - fleet.type.shift_start_s
    return min(UNREACHABLE_S, shift_s, fleet.type.max_drive_s + 1)


class Reach:
    """The estimates of `fleet_estimate` for all fleets together; infinite where there is no way.

    Rows are fleets, columns places. A way over a fleet's base has a side of no length, as matrices are 0 on their
    diagonal, so one formula serves rides from the base, to the base and past it.
    """

    def __init__(self, instance: Instance) -> None:
        fleets = instance.fleets
        self._bases = np.array([fleet.base for fleet in fleets], dtype=np.int64)
        self._seconds = _Sides([fleet.travel.durations for fleet in fleets], self._bases, np.int64)
        self._money = _Sides([fleet.arc_costs for fleet in fleets], self._bases, np.float64)
        self._energy = _Sides([fleet.travel.energies for fleet in fleets], self._bases, np.float64)
        self._limit_s = np.array([_limit_s(fleet) for fleet in fleets], dtype=np.int64)
        self._range_wh = np.array([np.inf if f.type.range_wh is None else f.type.range_wh for f in fleets], dtype=float)
        self._share = np.array([_SHARE[fleet.type.kind] for fleet in fleets], dtype=float)
        self._per_stop = np.array([fleet.type.stop_s * fleet.cost_per_s for fleet in fleets], dtype=float)
        self.home = self._from_home(len(instance.places))
        """Estimates of rides between a fleet's base and a place, the same both ways, shape (fleets, places)."""

    def between(self, origin: int, destination: int) -> npt.NDArray[np.float64]:
        """Return by fleet the estimate of a ride between two different places, shape (fleets,)."""
        stops = 2 - (self._bases == origin).astype(int) - (self._bases == destination).astype(int)
        way = (self._seconds, self._energy, self._money)
        seconds, energy, money = (sides.over(origin, destination) for sides in way)
        legal = (seconds < self._limit_s) & (energy <= self._range_wh)
        return np.where(legal, money * self._share + stops * self._per_stop, np.inf)

    def _from_home(self, places: int) -> npt.NDArray[np.float64]:
        legal = (self._seconds.there_and_back() < self._limit_s[:, None]) & (
            self._energy.there_and_back() <= self._range_wh[:, None]
        )
        money = self._money.there_and_back() * self._share[:, None] + self._per_stop[:, None]
        legal[np.arange(len(self._bases)), self._bases] = False
        found: npt.NDArray[np.float64] = np.where(legal, money, np.inf).reshape(-1, places)
        return found


class _Sides:
    """Of one matrix per fleet: the row and the column of the fleet's base, and the cells between other places."""

    def __init__(self, matrices: list[npt.NDArray[Any]], bases: npt.NDArray[np.int64], dtype: type) -> None:
        distinct = {id(matrix): matrix for matrix in matrices}
        number = {key: k for k, key in enumerate(distinct)}
        self._distinct = list(distinct.values())
        self._which = np.array([number[id(matrix)] for matrix in matrices], dtype=np.int64)
        pairs = list(zip(matrices, bases.tolist(), strict=True))
        self._dtype = dtype
        self._out: npt.NDArray[Any] = np.array([matrix[base] for matrix, base in pairs], dtype=dtype)
        self._back: npt.NDArray[Any] = np.array([matrix[:, base] for matrix, base in pairs], dtype=dtype)

    def over(self, origin: int, destination: int) -> npt.NDArray[Any]:
        """Return by fleet the sum from its base over both places and back."""
        if not self._distinct:
            return self._out
        middle: npt.NDArray[Any] = np.array(
            [matrix[origin, destination] for matrix in self._distinct], dtype=self._dtype
        )
        total: npt.NDArray[Any] = self._out[:, origin] + middle[self._which] + self._back[:, destination]
        return total

    def there_and_back(self) -> npt.NDArray[Any]:
        """Return by fleet and place the sum from the base to the place and back."""
        total: npt.NDArray[Any] = self._out + self._back
        return total
