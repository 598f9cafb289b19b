"""One plan searched by several processes: its parts side by side for a while, then put together and divided anew."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from dataclasses import replace

from routing.model.problem import Problem
from routing.solver.annealing import Rest
from routing.solver.desk import Answer, Desk, Known, Order, Stretch, known_of, prepare, search_part
from routing.solver.division import divide, whole_plan
from routing.solver.drafts import Draft, draft_of, pack, take_up, unpack
from routing.solver.improvement import Moves
from routing.solver.instance import Instance
from routing.solver.itineraries import ChainFinder
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
        while not clock.finished():
            helpers = self._idle(clock)
            stretch = _stretch(clock, begun, len(helpers) + 1)
            state = _search(state, desk, moves, stretch, helpers, clock, best.cost)
            if best.takes(state):
                offer(state)
        return best.better_of(state)

    def _idle(self, clock: Clock) -> list[_Helper]:
        """Return the helpers that have nothing to do; where effort is counted, wait until that are all."""
        if any(helper.lost for helper in self._helpers):
            _LOG.warning("a process that helped with the plan is gone; the others are not asked any more")
            self._helpers = []
        while clock.deterministic and not clock.interrupted() and not all(helper.wait() for helper in self._helpers):
            pass
        return [helper for helper in self._helpers if helper.wait(0.0)]


class _Helper:
    """One of the processes; any of the executor's may take what it is asked."""

    def __init__(self, executor: Executor, key: str, problem: Problem, only: tuple[str, ...]) -> None:
        self._executor, self._key, self._problem, self._only = executor, key, problem, only
        self._order = b""
        self.lost = False
        self._work: Future[bytes | None] = Future()
        self._give(prepare, key, problem, only)

    def _give(self, function: Callable[..., bytes | None], *arguments: object) -> None:
        try:
            self._work = self._executor.submit(function, *arguments)
        except BrokenExecutor:
            self.lost = True

    def ask(self, order: bytes) -> None:
        """Give it an order."""
        self._order = order
        self._give(search_part, self._key, order)

    def wait(self, seconds: float = _LOOK_S) -> bool:
        """Wait a while until it has nothing to do; return whether it has not."""
        return self.lost or not wait([self._work], seconds).not_done

    def answer(self) -> bytes | None:
        """Return what it answered to its last order; None where it has not yet, or has lost its process."""
        if self.lost or not self.wait(0.0):
            return None
        try:
            found = self._work.result()
        except BrokenExecutor:
            self.lost = True
            return None
        if found is None:  # that process was not there yet when the problem was given out
            self._give(search_part, self._key, self._order, self._problem, self._only)
        return found


class _Best:
    """The cheapest plan put together so far, in bytes: searching goes on with the plan's own tasks."""

    def __init__(self, state: State) -> None:
        self.cost = math.inf
        self.takes(state)

    def takes(self, state: State) -> bool:
        """Keep a plan if it is cheaper than all before; return whether it is."""
        if state.cost() >= self.cost - 1e-6:
            return False
        self.cost, self._kept = state.cost(), pack(draft_of(state, whole_plan(state)))
        return True

    def better_of(self, state: State) -> State:
        """Return a plan, or the cheapest one if that is cheaper."""
        if state.cost() <= self.cost + 1e-6:
            return state
        fresh = State(state.instance, errands=state.errands)
        take_up(fresh, [unpack(self._kept, state.instance)])
        return fresh


# --- A stretch -----------------------------------------------------------------------------------------------------


def _stretch(clock: Clock, begun: float, searches: int) -> Stretch:
    """Return the next stretch of a search that began at a share of the effort."""
    first, limit = clock.share_done(), clock.limits.max_iterations
    if limit is not None:
        moves = min(max(1, limit // _STRETCHES), limit - clock.iteration)
        return Stretch(first, (clock.iteration + moves) / limit, 0.0, moves, searches * limit / moves, 0)
    whole_s = clock.elapsed_s / max(1e-9, first)
    last = min(1.0, first + min((1.0 - begun) / _STRETCHES, _MOST_S / whole_s))
    return Stretch(first, last, (last - first) * whole_s, None, searches * (1.0 - begun) / (last - first), 0)


def _search(
    state: State,
    desk: Desk,
    moves: Moves,
    stretch: Stretch,
    helpers: Sequence[_Helper],
    clock: Clock,
    least: float,
) -> State:
    """Search the parts of a plan for a stretch and put them together; the clock is told of what is below `least`.

    Where it falls into fewer parts than there are processes, some take the same part, and the best answer counts.
    """
    parts = divide(state, len(helpers) + 1, moves.random)
    whole = Rest(state.cost(), state.orders_served)

    def order(k: int) -> Order:
        seeded = replace(stretch, seed=moves.random.getrandbits(32))
        return Order(parts[k], drafts[k], known_of(moves, parts[k].jobs), seeded, whole)

    drafts = [draft_of(state, part) for part in parts]
    asked = [(helper, k % len(parts)) for k, helper in enumerate(helpers, 1)]
    for helper, k in asked:
        helper.ask(pack(order(k)))

    def told(cost: float, served: int) -> None:
        clock.report("improvement", min(least, cost), served)

    own = desk.search(order(0), told, clock.finished)
    clock.iteration += own.moves
    found = [(0, own)]
    late_s = math.inf if clock.deterministic else _LATE_SHARE * stretch.seconds + _LATE_S
    found += _gather(asked, clock, late_s, desk.instance)
    best: dict[int, Answer] = {}
    for k, answer in found:
        best[k] = min(best.get(k, answer), answer, key=lambda one: one.cost)
    for answer in best.values():
        _learn(moves, answer.known)
    return _together(state, drafts, best)


def _gather(
    asked: Sequence[tuple[_Helper, int]], clock: Clock, late_s: float, instance: Instance
) -> list[tuple[int, Answer]]:
    """Return which part each helper that was in time searched, and its answer."""
    until = time.monotonic() + late_s
    answers: dict[int, tuple[int, Answer]] = {}
    while len(answers) < len(asked) and time.monotonic() < until and not clock.cancelled():
        for number, (helper, k) in enumerate(asked):
            if number not in answers and helper.wait():
                data = helper.answer()
                if data is not None:
                    answers[number] = (k, unpack(data, instance))
        if any(helper.lost for helper, _ in asked):
            break
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
    two places. Then only this process's part is taken.
    """
    errands, instance = state.errands, state.instance
    fresh = State(instance, errands=errands)
    if take_up(fresh, [answers[k].draft if k in answers else draft for k, draft in enumerate(drafts)]):
        return fresh
    fresh = State(instance, errands=errands)
    take_up(fresh, [answers[0].draft, *drafts[1:]])
    return fresh
