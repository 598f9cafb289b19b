"""The compiled string removals as a generator: state kept between slices, days in and out."""

from __future__ import annotations

import threading

import numpy as np

from routing.solver.rounds_pool.day_rows import empty_days, load_all, total_cost
from routing.solver.rounds_pool.figures import RoundsDay
from routing.solver.rounds_pool.plan import Day, VehicleDays
from routing.solver.rounds_pool.ruin_recreate import search
from routing.solver.rounds_pool.scratch import new_scratch

_SEED_STEP, _SEED_BASE, _SEED_RANGE = 0x9E3779B97F4A7C15, 88_172_645_463_325_252, (1 << 64) - 1
"""Spread small seeds over the generator's states (the golden-ratio step; Marsaglia's xorshift start)."""


_DEARER, _CHEAPER = 1.1, 0.95
"""How the price of leaving out changes from slice to slice."""
_LEAST_PRICE, _MOST_PRICE = 0.3, 50.0
"""Its bounds as multiples of the mean cost of an order."""


def loading(day: RoundsDay) -> threading.Thread:
    """Begin to load the compiled search (or to compile it, once for an installation) and return the thread at it."""

    def load() -> None:
        trial = Annealing(day, 1)
        trial.run(0, 0.0)
        trial.restart(trial.current)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    return thread


class Annealing:
    """Ruin and recreate under simulated annealing on one day."""

    def __init__(self, day: RoundsDay, seed: int) -> None:
        self._figures = day.figures
        self._days = empty_days(day.figures)
        self._best_stops = np.zeros_like(self._days.stops)
        self._best_size = np.zeros_like(self._days.size)
        self.best_cost = float("inf")
        self._price = float(day.figures.left_cost.max())
        self._rounds_read: list[tuple[bytes, Day]] = [(b"", ())] * len(day.figures.kind)
        self._scratch = new_scratch(day.figures, self._days, (_SEED_BASE + seed * _SEED_STEP) % _SEED_RANGE + 1)

    def run(self, moves: int, temperature: float) -> float:
        """Make `moves` moves at a temperature (money); return the best cost so far."""
        self._price_left_out()
        days, scratch, rows = self._days, self._scratch, (self._best_stops, self._best_size)
        self.best_cost = float(search(self._figures, days, scratch, *rows, self.best_cost, moves, temperature))
        return self.best_cost

    def _price_left_out(self) -> None:
        """Make leaving out dearer while orders are left out, else cheaper: past full vehicles leads no other way.

        Where a vehicle stands idle, orders that fit nowhere ride with it, and leaving out has its true price.
        """
        if not np.isfinite(self.best_cost) or bool((self._days.size == 0).any()):
            np.copyto(self._figures.soft_cost, self._figures.left_cost)
            return
        self._price *= _DEARER if bool((self._days.vehicle < 0).any()) else _CHEAPER
        unit = self.best_cost / len(self._figures.early)
        self._price = min(max(self._price, _LEAST_PRICE * unit), _MOST_PRICE * unit)
        np.minimum(self._figures.left_cost, self._price, out=self._figures.soft_cost)

    @property
    def current(self) -> VehicleDays:
        """The days the search is at."""
        return self._read(self._days.stops, self._days.size)

    @property
    def best(self) -> VehicleDays:
        """The best days found or set."""
        return self._read(self._best_stops, self._best_size)

    def restart(self, days: VehicleDays) -> bool:
        """Go on from other days; return whether they fit (else nothing changes)."""
        stops, size = self._rows(days)
        kept_stops, kept_size = self._days.stops.copy(), self._days.size.copy()
        if not load_all(self._figures, self._days, stops, size):
            load_all(self._figures, self._days, kept_stops, kept_size)
            return False
        np.copyto(self._figures.soft_cost, self._figures.left_cost)
        cost = float(total_cost(self._figures, self._days))
        if cost < self.best_cost:
            self.best_cost = cost
            self._best_stops[:], self._best_size[:] = stops, size
        return True

    def _rows(self, days: VehicleDays) -> tuple[np.ndarray, np.ndarray]:
        stops, size = np.zeros_like(self._days.stops), np.zeros_like(self._days.size)
        for vehicle, rounds in enumerate(days):
            if rounds:
                base = int(self._figures.base[self._figures.kind[vehicle]])
                row = [base]
                for clients in rounds:
                    row += [*clients, base]
                stops[vehicle, : len(row)] = row
                size[vehicle] = len(row)
        return stops, size

    def _read(self, stops: np.ndarray, size: np.ndarray) -> VehicleDays:
        return tuple(self._read_row(vehicle, stops[vehicle, :count]) for vehicle, count in enumerate(size.tolist()))

    def _read_row(self, vehicle: int, row: np.ndarray) -> Day:
        """Return the rounds of one row; most rows are as they were when last read."""
        key = row.tobytes()
        if self._rounds_read[vehicle][0] == key:
            return self._rounds_read[vehicle][1]
        n, rounds = len(self._figures.early), list[list[int]]()
        for node in row.tolist():
            if node >= n:
                rounds.append([])
            else:
                rounds[-1].append(node)
        read = tuple(tuple(clients) for clients in rounds if clients)
        self._rounds_read[vehicle] = (key, read)
        return read
