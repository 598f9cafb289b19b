"""The search of one part of a plan for a while, in whatever process: everything it needs comes with the order.

A process keeps the problem it was given last. What was learned about a job's itineraries travels with the job, so that
it does not matter which process takes which part.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from routing.model.problem import Problem
from routing.solver.annealing import anneal
from routing.solver.arrays.search import Search
from routing.solver.drafts import Draft, draft_of, pack, take_up, unpack
from routing.solver.errands import Errands
from routing.solver.improvement import Moves
from routing.solver.instance import compile_instance
from routing.solver.itineraries import MAX_CHAINS, ChainBook, ChainFinder
from routing.solver.part import Part
from routing.solver.state import State
from routing.solver.tasks import Chain

LAST_CHAINS = 40
"""Chains of jobs that are still left out when the first plans are made."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was learned about the itineraries of jobs, by job."""

    wide: frozenset[int]
    """Jobs with up to `LAST_CHAINS` chains."""
    won: Mapping[int, Sequence[int]]
    """The chains they have ridden by, by position."""
    least: Mapping[int, float]
    """The least that putting them back was ever expected to cost."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a search, in seconds or moves, from one share of the whole effort to another."""

    first: float
    last: float
    seconds: float
    """How long it lasts; where moves are given, how long it may last."""
    moves: int | None
    whole: float
    """How many times the moves of this stretch all searches together make from beginning to end."""
    seed: int


@dataclass(frozen=True, slots=True)
class Order:
    """A part of a plan to be searched, and the cost of the whole plan."""

    part: Part
    draft: Draft
    known: Known
    stretch: Stretch
    cost: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The part as it is afterwards, its cost, what is known now, and the moves made."""

    draft: Draft
    cost: float
    known: Known
    moves: int


def known_of(moves: Moves, jobs: Sequence[int]) -> Known:
    """Return what was learned about some jobs."""
    won: dict[int, Sequence[int]] = {}
    for index in jobs:
        if index in moves.won:
            chains = moves.chains[index]
            won[index] = [chains.index(chain) for chain in moves.won[index] if chain in chains]
    return Known(
        frozenset(index for index in jobs if len(moves.chains[index]) > MAX_CHAINS),
        won,
        {index: moves.least[index] for index in jobs if index in moves.least},
    )


class Desk:
    """An instance and all that is remembered of it from one part of a plan to the next."""

    def __init__(self, finder: ChainFinder, chains: dict[int, tuple[Chain, ...]], errands: Errands) -> None:
        self.instance, self._finder, self._chains, self._errands = finder.instance, finder, chains, errands

    def search(self, order: Order, moved: Callable[[], None], stopped: Callable[[], bool]) -> Answer:
        """Search a part of a plan; tell `moved` after every move, and end at once where `stopped` returns True.

        The order's draft is used up.
        """
        moves = self._moves(order)
        state = State(self.instance, order.part, self._errands)
        take_up(state, [order.draft])
        pace = _Pace(order.stretch, stopped)
        anneal(Search(state, moves), pace, order.cost - state.cost(), _Watcher(moved))
        known = known_of(moves, order.part.jobs)
        return Answer(draft_of(state, order.part), state.cost(), known, pace.moves)

    def _moves(self, order: Order) -> Moves:
        for index in sorted(order.known.wide):
            if len(self._chains[index]) <= MAX_CHAINS:
                self._chains[index] = self._finder.chains(self.instance.jobs[index], LAST_CHAINS)
        won = {index: dict.fromkeys(self._chains[index][k] for k in ks) for index, ks in order.known.won.items()}
        drawing = random.Random(order.stretch.seed)  # noqa: S311 # a search, not a secret
        least = dict(order.known.least)
        turn = drawing.randrange(max(1, len(self.instance.fleets)))
        return Moves(self.instance, self._chains, drawing, won=won, least=least, turn=turn, only=order.part.jobs)


@dataclass(frozen=True, slots=True)
class _Watcher:
    """Tells that the search gets on; nobody is handed plans of a part."""

    told: Callable[[], None]

    def moved(self, best: float, served: int) -> None:  # noqa: ARG002 # of a part
        """Tell so."""
        self.told()

    def wants_plan(self) -> bool:
        """Return False."""
        return False

    def take(self) -> None:
        """Do nothing."""


class _Pace:
    """The pace of one stretch."""

    def __init__(self, stretch: Stretch, stopped: Callable[[], bool]) -> None:
        self._stretch, self._stopped, self.moves = stretch, stopped, 0
        self._begun = time.monotonic()

    @property
    def deterministic(self) -> bool:
        """Whether moves are counted."""
        return self._stretch.moves is not None

    def _late(self) -> float:
        """Return how much of the seconds is used."""
        return (time.monotonic() - self._begun) / max(1e-3, self._stretch.seconds)

    def _used(self) -> float:
        """Return how much of the stretch is used."""
        return self._late() if self._stretch.moves is None else self.moves / self._stretch.moves

    def shares(self) -> tuple[float, float]:
        """Return how much of the effort was used before move 0 and a move uses; uncounted: how much now, and 0."""
        stretch = self._stretch
        span = stretch.last - stretch.first
        if stretch.moves is None:
            return stretch.first + span * self._late(), 0.0
        return stretch.first, span / stretch.moves

    def left(self) -> int | None:
        """Return how many moves are to be made yet where they are counted."""
        return None if self._stretch.moves is None else self._stretch.moves - self.moves

    def planned(self) -> float:
        """Return how many moves the whole search will make, judged by those of this stretch."""
        made = self._stretch.moves or (self.moves + 1) / max(1e-3, self._used())
        return made * self._stretch.whole

    def settles(self) -> bool:
        """Return whether this is the end of the search: its last stretch, or one that was broken off."""
        return self._stretch.last >= 1.0 or self._stopped()

    def over(self) -> bool:
        """Return whether the stretch is over."""
        return self._used() >= 1.0 or self._late() >= 1.0 or self._stopped()


# --- In another process --------------------------------------------------------------------------------------------

_desks: dict[str, Desk] = {}
"""The desk of the problem this process was given last, by the key of its plan."""


def prepare(key: str, problem: Problem, only: tuple[str, ...]) -> None:
    """Compile a problem in this process and find all itineraries; nothing is returned."""
    if key not in _desks:
        _desks.clear()  # first, as two large problems would fill the memory
        finder = ChainFinder(compile_instance(problem, only))
        chains = ChainBook(finder)
        for job in finder.instance.jobs:
            _ = chains[job.index]
        _desks[key] = Desk(finder, chains, Errands(finder.instance))


def search_part(key: str, order: bytes, problem: Problem | None = None, only: tuple[str, ...] = ()) -> bytes | None:
    """Return the packed answer to a packed order; None where this process lacks the problem and was not given it."""
    if problem is not None:
        prepare(key, problem, only)
    desk = _desks.get(key)
    return None if desk is None else pack(desk.search(unpack(order, desk.instance), _do_nothing, lambda: False))


def _do_nothing() -> None:
    """Do nothing."""
