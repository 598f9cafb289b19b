"""One plan searched by several processes: its parts side by side for a while, then put together and divided anew."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import replace

from routing.model.problem import Problem
from routing.solver.desk import Answer, Desk, Known, Order, Stretch, known_of, prepare, search_part
from routing.solver.division import Ground, divide
from routing.solver.drafts import Draft, draft_of, pack, take_up, unpack
from routing.solver.improvement import Moves
from routing.solver.instance import Instance
from routing.solver.itineraries import ChainFinder
from routing.solver.part import Part
from routing.solver.state import State
from routing.solver.stopping import Clock, Limits

_STRETCHES, _MOST_S = 16, 10.0
"""Into how many stretches the effort is divided at least, and how long one lasts at most."""
_LATE_SHARE, _LATE_S = 0.25, 1.0
"""Helpers are waited for until a stretch has lasted that much longer than it should."""
_LOOK_S = 0.25
"""How often it is asked whether to go on while helpers are waited for."""
_LOG = logging.getLogger("shanlu.solver")


class Crew:
    """The processes that help this one with a plan. They are given the problem at once, to be ready in time."""

    def __init__(self, executor: Executor, count: int, problem: Problem, limits: Limits) -> None:
        key = uuid.uuid4().hex
        self._helpers = [_Helper(executor, key, problem, limits.only) for _ in range(count)]

    def improve(
        self, state: State, finder: ChainFinder, moves: Moves, clock: Clock, offer: Callable[[State], None]
    ) -> State:
        """Search until the clock says stop and return the best plan found; `state` is used up.

        Parameters
        ----------
        moves
            What was learned so far; it is added to.
        offer
            Handed every plan put together.
        """
        if not state.instance.jobs:
            return state
        desk, begun, best = Desk(finder, moves.chains, state.errands), clock.share_done(), _Best(state)
        ground = Ground(state.instance)
        while not clock.finished():
            helpers = self._idle(clock)
            stretch = _stretch(clock, begun, len(helpers) + 1)
            parts = divide(state, ground, len(helpers) + 1, moves.random)
            state = _search(state, parts, desk, moves, stretch, helpers, clock, best)
            if best.takes(state):
                offer(state)
        return best.better_of(state)

    def _idle(self, clock: Clock) -> list[_Helper]:
        """Return the helpers that have nothing to do; where effort is counted, wait until that are all."""
        if any(helper.lost for helper in self._helpers):
            _LOG.warning("a process that helped with the plan is gone; the others are not asked any more")
            self._helpers = []
        while clock.deterministic and not clock.interrupted():
            if not wait([helper.work for helper in self._helpers if not helper.idle()], _LOOK_S).not_done:
                break
        return [helper for helper in self._helpers if helper.idle()]


class _Helper:
    """One of the processes; any of the executor's may take what it is asked."""

    def __init__(self, executor: Executor, key: str, problem: Problem, only: tuple[str, ...]) -> None:
        self._executor, self._key, self._problem, self._only = executor, key, problem, only
        self._order = b""
        self.lost = False
        self.work: Future[bytes | None] = Future()
        self._give(prepare, key, problem, only)

    def _give(self, function: Callable[..., bytes | None], *arguments: object) -> None:
        try:
            self.work = self._executor.submit(function, *arguments)
        except BrokenExecutor:
            self.lost = True

    def ask(self, order: bytes) -> None:
        """Give it an order."""
        self._order = order
        self._give(search_part, self._key, order)

    def idle(self) -> bool:
        """Return whether it has nothing to do."""
        return self.lost or self.work.done()

    def answer(self) -> bytes | None:
        """Return what it answered to its last order; None where it has not yet, or has lost its process."""
        if self.lost or not self.work.done():
            return None
        try:
            found = self.work.result()
        except (BrokenExecutor, CancelledError):
            self.lost = True
            return None
        if found is None:  # that process was not there yet when the problem was given out
            self._give(search_part, self._key, self._order, self._problem, self._only)
        return found


class _Best:
    """The cheapest plan put together so far, in bytes: searching goes on with the plan's own tasks."""

    def __init__(self, state: State) -> None:
        self.cost, self.served = math.inf, 0
        self.takes(state)

    def takes(self, state: State) -> bool:
        """Keep a plan if it is cheaper than all before; return whether it is."""
        if state.cost() >= self.cost - 1e-6:
            return False
        self.cost, self.served, self._kept = state.cost(), state.orders_served, pack(draft_of(state))
        return True

    def better_of(self, state: State) -> State:
        """Return a plan, or the cheapest one if that is cheaper."""
        if state.cost() <= self.cost + 1e-6:
            return state
        return _filled(state, [unpack(self._kept, state.instance)])[0]


# --- A stretch -----------------------------------------------------------------------------------------------------


def _stretch(clock: Clock, begun: float, searches: int) -> Stretch:
    """Return the next stretch of a search that began at a share of the effort."""
    first, limits = clock.share_done(), clock.limits
    if limits.max_iterations is not None:
        moves = min(max(1, limits.max_iterations // _STRETCHES), limits.max_iterations - clock.iteration)
        last = (clock.iteration + moves) / limits.max_iterations
        seconds = math.inf if limits.time_limit_s is None else clock.remaining_s
        return Stretch(first, last, seconds, moves, searches * limits.max_iterations / moves, 0)
    whole_s = clock.elapsed_s / max(1e-9, first)
    last = max(first + 1e-9, min(1.0, first + min((1.0 - begun) / _STRETCHES, _MOST_S / whole_s)))
    return Stretch(first, last, (last - first) * whole_s, None, searches * (1.0 - begun) / (last - first), 0)


def _search(
    state: State,
    parts: Sequence[Part],
    desk: Desk,
    moves: Moves,
    stretch: Stretch,
    helpers: Sequence[_Helper],
    clock: Clock,
    best: _Best,
) -> State:
    """Search the parts of a plan for a stretch and put them together.

    Where it falls into fewer parts than there are processes, some take the same part, and the best answer counts.
    """
    cost = state.cost()
    drafts = [draft_of(state, part) for part in parts]

    def order(k: int) -> Order:
        seeded = replace(stretch, seed=moves.random.getrandbits(32))
        return Order(parts[k], drafts[k], known_of(moves, parts[k].jobs), seeded, cost)

    asked = [(helper, k % len(parts)) for k, helper in enumerate(helpers, 1)]
    for helper, k in asked:
        helper.ask(pack(order(k)))

    def moved() -> None:
        clock.report("improvement", best.cost, best.served)

    own = desk.search(order(0), moved, clock.finished)
    clock.iteration += own.moves
    late_s = math.inf if clock.deterministic else _LATE_SHARE * stretch.seconds + _LATE_S
    answers = {0: own}
    for k, answer in _gather(asked, clock, late_s, desk.instance):
        answers[k] = min(answers.get(k, answer), answer, key=lambda one: one.cost)
    for answer in answers.values():
        _learn(moves, answer.known)
    return _together(state, drafts, answers)


def _gather(
    asked: Sequence[tuple[_Helper, int]], clock: Clock, late_s: float, instance: Instance
) -> list[tuple[int, Answer]]:
    """Return which part each helper that was in time searched, and its answer, in the order they were asked."""
    until = time.monotonic() + late_s
    answers: dict[int, tuple[int, Answer]] = {}
    pending = dict(enumerate(asked))
    while pending and time.monotonic() < until and not clock.interrupted():
        wait([helper.work for helper, _ in pending.values()], _LOOK_S, FIRST_COMPLETED)
        for number, (helper, k) in list(pending.items()):
            data = helper.answer()
            if data is not None:
                answers[number] = (k, unpack(data, instance))
            if data is not None or helper.lost:
                del pending[number]
    return [answers[number] for number in sorted(answers)]


def _learn(moves: Moves, known: Known) -> None:
    """Add what a search has learned."""
    for index, positions in known.won.items():
        chains = moves.chains[index]
        moves.won.setdefault(index, {}).update(dict.fromkeys(chains[k] for k in positions))
    for index, least in known.least.items():
        moves.least[index] = min(least, moves.least.get(index, math.inf))


def _together(state: State, drafts: Sequence[Draft], answers: Mapping[int, Answer]) -> State:
    """Return the plan of all parts, those nobody answered for as they were.

    No bus has too much aboard, as each part was told what the others take; but two parts may begin to use one halt for
    two places, or to load goods that must not ride together. Then answers are taken one by one as long as buses hold.
    This process's own comes first: the draft it began with is used up.
    """
    found, holds = _filled(state, [answers[k].draft if k in answers else draft for k, draft in enumerate(drafts)])
    if holds:
        return found
    taken = [answers[0].draft, *drafts[1:]]
    for k in sorted(answers)[1:]:
        trial = [*taken[:k], answers[k].draft, *taken[k + 1 :]]
        if _filled(state, trial)[1]:
            taken = trial
    return _filled(state, taken)[0]


def _filled(state: State, drafts: Sequence[Draft]) -> tuple[State, bool]:
    """Return a new state filled with drafts, and whether buses hold what they load."""
    fresh = State(state.instance, errands=state.errands)
    return fresh, take_up(fresh, drafts)
