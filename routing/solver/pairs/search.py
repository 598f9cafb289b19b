"""The pair search in slices: first plan, fewer vehicles, cheaper rounds, and anew as long as the clock allows."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from routing.solver.pairs import kernel, places, ruin_repair
from routing.solver.pairs.arrays import Day, Rounds, new_notes, new_rounds
from routing.solver.pairs.compile import Compiled
from routing.solver.stopping import Clock

_SLICE_S = 0.2
"""A slice of steps lasts about so long, so that a cancellation is heard."""
_FIRST_STEPS, _COUNTED_STEPS = 50, 500
"""Steps of the first slice, and of every slice where iterations are counted."""
_BEGIN_S_PER_ORDER, BEGIN_STEPS_PER_ORDER = 0.2, 4_000
_MOST_SEARCHES = 20
"""Effort of one search, in seconds or steps, before it begins anew, and how many there are at most."""
_FLEET_SHARE = 0.4
"""Share of a search's effort that may go into fewer vehicles, where a vehicle costs more than its way."""
_HOT, _COLD, _FLEET_HEAT = 100.0, 0.07, 1.0
"""Temperatures of annealing as shares of the mean cost of a way from stop to stop."""


class PairSearch:
    """One search over one problem. All state lies in arrays that the compiled loops change."""

    def __init__(self, compiled: Compiled, clock: Clock, seed: int) -> None:
        self.compiled, self.clock = compiled, clock
        self.day, self.rounds, self.notes = compiled.day, new_rounds(compiled.day), new_notes(compiled.day, seed)
        self.best = float("inf")
        self._overall: tuple[float, int] = (float("inf"), 0)
        self._begun, self._until = 0.0, 1.0
        self._steps = _COUNTED_STEPS if clock.deterministic else _FIRST_STEPS

    def run(self) -> None:
        """Search until the clock says stop; the best plan is then in `notes`.

        With as few vehicles as possible rounds are so full that annealing hardly leaves the kind of plan the fleet was
        cut down to, so where there is time the search begins anew and the best of all plans stays.
        """
        kept, searches, start = self._best_image(), self._searches(), self.clock.share_done()
        for k in range(searches):
            self._begun, self._until = (start + (1.0 - start) * (k + part) / searches for part in (0, 1))
            if k > 0 and self._over():
                continue
            self._search()
            if self.best < self._overall[0]:
                self._overall, kept = (self.best, self.served()), self._best_image()
        self.notes.best_node[:], self.notes.best_size[:] = kept
        self.best = self._overall[0]
        self._report("improvement", force=True)

    def _searches(self) -> int:
        """Return how often the search begins, by the effort there is and the size of the day."""
        limits, orders = self.clock.limits, max(1, len(self.day.kg))
        if self.clock.deterministic:
            times = (limits.max_iterations or 0) // (BEGIN_STEPS_PER_ORDER * orders)
        else:
            times = int(self.clock.remaining_s / (_BEGIN_S_PER_ORDER * orders))
        return min(max(1, times), _MOST_SEARCHES)

    def _share(self) -> float:
        """Return how much of this search's effort is used."""
        return (self.clock.share_done() - self._begun) / (self._until - self._begun)

    def _over(self) -> bool:
        return self.clock.finished() or self._share() >= 1.0

    def _search(self) -> None:
        """Search once, from an empty plan; steps take longer again than they did at the end of the last search."""
        if not self.clock.deterministic:
            self._steps = _FIRST_STEPS
        stamps = self.rounds.stamp.copy()
        for mine, new in zip(self.rounds, new_rounds(self.day), strict=True):
            mine[...] = new
        self.rounds.stamp[:] = stamps
        self.notes.misses[:] = 0
        self._reckon_all()
        ruin_repair.repair(self.day, self.rounds, self.notes, 0.0, places.INFINITE)
        ruin_repair.forget(self.notes)
        kernel.remember(self.rounds, self.notes)
        self.best = kernel.total_cost(self.day, self.rounds)
        if self._vehicles_matter():
            self._save_vehicles()
        self._anneal()

    def best_rounds(self) -> list[list[int]]:
        """Return the nodes of every slot of the best plan, base first and last."""
        return [
            nodes[:size].tolist()
            for nodes, size in zip(self.notes.best_node, self.notes.best_size.tolist(), strict=True)
        ]

    def served(self) -> int:
        """Return how many orders the best plan serves."""
        return int((self.notes.best_size - 2).sum()) // 2

    def _reckon_all(self) -> None:
        for slot in range(len(self.day.group)):
            places.reckon(self.day, self.rounds, slot)

    def _vehicles_matter(self) -> bool:
        """Return whether saving a vehicle saves more than the ways of a mean round cost."""
        used = self.rounds.size > 2
        fixed = self.day.fixed[self.day.group][used]
        ways = float((self.rounds.money[used] - fixed).sum())
        return bool(used.any()) and float(fixed.sum()) > ways

    def _way_cost(self) -> float:
        """Return the mean cost of a way from stop to stop in the present plan; never 0."""
        used = self.rounds.size > 2
        ways = float((self.rounds.money[used] - self.day.fixed[self.day.group][used]).sum())
        return max(1e-6, ways / max(1, int((self.rounds.size[used] - 1).sum())))

    def _slice(self, work: Callable[[int], None], stage: str) -> None:
        """Do one slice of steps and count them."""
        steps = self._steps
        limit = self.clock.limits.max_iterations
        if limit is not None:
            steps = min(steps, max(1, limit - self.clock.iteration))
        begun = time.perf_counter()
        work(steps)
        self.clock.iteration += steps
        self._report(stage)
        if not self.clock.deterministic:
            spent_s = max(1e-4, time.perf_counter() - begun)
            self._steps = int(max(1, min(2 * steps, steps * _SLICE_S / spent_s)))

    def _report(self, stage: str, *, force: bool = False) -> None:
        """Tell how far the search is, with the best plan of all searches."""
        self.clock.report(stage, *min(self._overall, (self.best, self.served())), force=force)

    def _save_vehicles(self) -> None:
        """Search for plans with fewer vehicles; the present plan becomes the cheaper of the old best and the new."""
        heat, before = self._way_cost() * _FLEET_HEAT, self._best_image()

        def work(steps: int) -> None:
            kernel.shrink(self.day, self.rounds, self.notes, steps, heat)

        while self._share() < _FLEET_SHARE and not self._over():
            self._slice(work, "fewer vehicles")
            if not (self.rounds.size > 2).any():
                break
        self._load_best()
        found = kernel.total_cost(self.day, self.rounds)
        if found > self.best:
            self.notes.best_node[:], self.notes.best_size[:] = before
            self._load_best()
        self.best = min(found, self.best)

    def _best_image(self) -> tuple[np.ndarray, np.ndarray]:
        return self.notes.best_node.copy(), self.notes.best_size.copy()

    def _load_best(self) -> None:
        """Make the best plan the present one."""
        orders = len(self.day.kg)
        fresh: Rounds = new_rounds(self.day)
        fresh.stamp[:] = self.rounds.stamp
        for mine, new in zip(self.rounds, fresh, strict=True):
            mine[...] = new
        self.rounds.node[:], self.rounds.size[:] = self.notes.best_node, self.notes.best_size
        self._reckon_all()
        absent = np.flatnonzero(self.rounds.slot < 0)
        self.rounds.absent[: len(absent)] = absent
        self.rounds.absent[orders] = len(absent)

    def _anneal(self) -> None:
        """Lower the cost by annealing over the rest of the effort."""
        way, begun, cost = self._way_cost(), self._share(), self.best
        while not self._over():
            share = (self._share() - begun) / max(1e-9, 1.0 - begun)
            heat = way * _HOT * (_COLD / _HOT) ** min(1.0, share)

            def work(steps: int, heat: float = heat) -> None:
                nonlocal cost
                cost, self.best = kernel.anneal(self.day, self.rounds, self.notes, steps, cost, self.best, heat, heat)

            self._slice(work, "improvement")


def warm_up() -> None:
    """Make the compiled loops ready: from their cache in a second, without one in 10 to 20 seconds."""
    room = np.ones(1, dtype=np.int64)
    day = Day(
        cost=np.zeros((1, 3, 3)),
        move_s=np.zeros((1, 3, 3), dtype=np.int64),
        early_s=np.zeros(3, dtype=np.int64),
        late_s=np.ones(3, dtype=np.int64),
        kg=room,
        litres=room,
        unserved=np.ones(1),
        group=np.zeros(1, dtype=np.int64),
        start_s=np.zeros(1, dtype=np.int64),
        end_s=room,
        room_kg=room,
        room_l=room,
        fixed=np.zeros(1),
        wait_cost=np.zeros(1),
        near=np.array([[0, 1], [1, 0]], dtype=np.int64),
    )
    rounds, notes = new_rounds(day), new_notes(day, 0)
    places.reckon(day, rounds, 0)
    ruin_repair.repair(day, rounds, notes, 0.0, places.INFINITE)
    ruin_repair.forget(notes)
    kernel.remember(rounds, notes)
    kernel.shrink(day, rounds, notes, 1, 1.0)
    kernel.anneal(day, rounds, notes, 1, kernel.total_cost(day, rounds), 0.0, 1.0, 1.0)
