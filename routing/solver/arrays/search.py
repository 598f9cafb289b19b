"""The search of a plan by moves in arrays, from a plan in the making made of objects and back to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from routing.solver.arrays.changes import settle_in
from routing.solver.arrays.exchange import Book, Room, best_of, grown, room_of, sheet_of, with_room, write_back
from routing.solver.arrays.handle import handle
from routing.solver.arrays.layout import (
    E_BEST,
    E_TOTAL,
    J_WATCHED,
    JF_HANDLING,
    JF_UNSERVED,
    M_GROW,
    M_WATCHED,
    Q_LEGS,
    Best,
    Cooling,
)
from routing.solver.arrays.moves import insert_all, make_moves, note_plan
from routing.solver.day_loops import IntArray
from routing.solver.improvement import Moves
from routing.solver.instance import Job
from routing.solver.machine_code import direct
from routing.solver.state import State
from routing.solver.tasks import Chain

_insert_all, _make_moves, _note_plan, _settle_in = (
    direct(insert_all),
    direct(make_moves),
    direct(note_plan),
    direct(settle_in),
)
_AT_ONCE = 100
"""Jobs inserted between two looks at whether to stop."""


class Search:
    """A plan searched in arrays; `state` and what `moves` has learned follow when it is written back."""

    def __init__(self, state: State, moves: Moves, room: Room = (32, 32, 8)) -> None:
        """Take up the plan of a state; `room` are the cells there are at least at first."""
        self.state, self.moves = state, moves
        self._book = _book(state, moves)
        self._jobs = np.array([job.index for job in state.jobs], dtype=np.int64)
        self._orders = np.array([len(job.orders) for job in state.instance.jobs], dtype=np.int64)
        near, seeds = _near(moves), np.array([job.index for job in moves.jobs], dtype=np.int64)
        self._facts, self._sheet = sheet_of(state, self._book, near, seeds, room)
        self._sheet.random[0] = moves.random.getrandbits(64)
        for chain in itertools.chain.from_iterable(moves.won.values()):
            if chain in self._book.number:
                self._sheet.won[self._book.number[chain]] = True
        for index, least in moves.least.items():
            self._sheet.least[index] = least
        self._begin()
        self._best = best_of(self._sheet)
        self._take_for_best()

    def _begin(self) -> None:
        """Bring the sheet in order."""
        self._sheet.marks[0, M_WATCHED] = self._facts.jobs[:, J_WATCHED].any()
        _settle_in(handle(self._facts), handle(self._sheet))
        self._sheet.changed[:] = True
        self._sheet.money[E_TOTAL] = self._whole_cost()

    def _whole_cost(self) -> float:
        """Return what the plan costs, summed up anew."""
        legs, sizes = self._sheet.ridden[self._jobs, Q_LEGS], self._facts.job_sizes[self._jobs]
        prices = np.where(legs > 0, sizes[:, JF_HANDLING] * (legs - 1), sizes[:, JF_UNSERVED])
        return float(self._sheet.cost.sum() + self._sheet.spoiled.sum() + prices.sum())

    def _take_for_best(self) -> None:
        _note_plan(handle(self._sheet), handle(self._best))
        self._sheet.money[E_BEST] = self._sheet.money[E_TOTAL]

    # --- Reading -----------------------------------------------------------------------------------------------------

    @property
    def best(self) -> float:
        """What the best plan costs."""
        return float(self._sheet.money[E_BEST])

    @property
    def orders_served(self) -> int:
        """How many orders ride in the best plan."""
        return int(self._orders[self._best.ridden[:, Q_LEGS] > 0].sum())

    def left_out(self) -> list[Job]:
        """Return the jobs that do not ride in the plan the search is at."""
        return [job for job in self.state.jobs if self._sheet.ridden[job.index, Q_LEGS] == 0]

    # --- Searching ---------------------------------------------------------------------------------------------------

    def run(self, first: int, count: int, cooling: Cooling) -> int:
        """Make moves as `moves.make_moves` has it; return how many were made."""
        made = _make_moves(handle(self._facts), handle(self._sheet), handle(self._best), first, count, cooling)
        self._grow()
        return int(made)

    def sum_up(self) -> None:
        """Take the cost of the plan from its parts: a sum of differences drifts."""
        self._sheet.money[E_TOTAL] = self._whole_cost()

    def insert(
        self,
        jobs: Sequence[Job],
        stop: Callable[[], bool],
        chains: Mapping[int, Sequence[Chain]] | None = None,
    ) -> None:
        """Insert jobs that do not ride one after the other, whatever they cost: later ones may share their rounds.

        Parameters
        ----------
        stop
            Asked now and then; once it returns True no more jobs are inserted.
        chains
            By job, the only chains it may ride by; None: all it has.
        """
        if chains is not None:
            self._sheet.allowed[:] = False
            allowed = [self._book.number[chain] for found in chains.values() for chain in found]
            self._sheet.allowed[allowed] = True
        numbers = np.array([job.index for job in jobs], dtype=np.int64)
        for first in range(0, len(numbers), _AT_ONCE):
            some, done = numbers[first : first + _AT_ONCE], 0
            while not stop() and done < len(some):
                done = _insert_all(handle(self._facts), handle(self._sheet), handle(self._best), some, done)
                self._grow()
        self._sheet.allowed[:] = True
        self._sheet.money[E_TOTAL] = self._whole_cost()

    def empty(self) -> None:
        """Take everything off all carriers; the best plan is kept."""
        self.state.clear()
        self.state.refresh_all()
        self.read()

    def widen(self) -> None:
        """Go on from the plan of the state, with the chains that `moves` was given meanwhile."""
        self._book.give(self.moves.chains)
        self.read()

    def _grow(self) -> None:
        """Make the arrays larger where they were too small."""
        if self._sheet.marks[0, M_GROW]:
            self._sheet = grown(self._sheet)
            self._sheet.marks[0, M_GROW] = 0
            self._best = with_room(self._best, room_of(self._sheet))

    # --- The state ---------------------------------------------------------------------------------------------------

    def write(self, *, best: bool = True) -> None:
        """Write the best plan, or the one the search is at, back to the state."""
        write_back(self.state, self._book, self._facts, self._best if best else self._current())
        chains = self._book.options.chains
        for job in self.moves.jobs:
            first, end = self._book.options.chains_of[job.index]
            won = {chains[k]: None for k in range(first, end) if self._sheet.won[k]}
            if won:
                self.moves.won[job.index] = won
            if np.isfinite(self._sheet.least[job.index]):
                self.moves.least[job.index] = float(self._sheet.least[job.index])

    def _current(self) -> Best:
        """Return the plan the search is at."""
        changed, found = self._sheet.changed.copy(), best_of(self._sheet)
        self._sheet.changed[:] = True
        _note_plan(handle(self._sheet), handle(found))
        self._sheet.changed[:] = changed
        return found

    def read(self) -> None:
        """Go on from the state, which was changed after a plan was written to it."""
        before = self._sheet
        self._facts, self._sheet = sheet_of(self.state, self._book, before.near, before.seeds, room_of(before))
        for name in ("won", "least", "random", "warmth_of", "warmth"):
            known, now = getattr(before, name), getattr(self._sheet, name)
            now[: len(known)] = known
        self._sheet.money[E_BEST] = before.money[E_BEST]
        self._begin()
        self._best = with_room(self._best, room_of(self._sheet))
        if self._sheet.money[E_TOTAL] < self._sheet.money[E_BEST]:
            self._take_for_best()


def _book(state: State, moves: Moves) -> Book:
    """Return the facts of the instance with its itineraries; they are kept for other searches of it."""
    if isinstance(state.errands.book, Book):
        state.errands.book.give(moves.chains)
    else:
        state.errands.book = Book(state, moves.chains)
    return state.errands.book


def _near(moves: Moves) -> IntArray:
    """Return by job those near it, as `Moves.near`; jobs that may not be moved have none."""
    found = {job.index: moves.near(job) for job in moves.jobs}
    width = max((len(near) for near in found.values()), default=1)
    near = np.full((len(moves.instance.jobs), width), -1, dtype=np.int64)
    for index, jobs in found.items():
        near[index, : len(jobs)] = jobs
    return near
