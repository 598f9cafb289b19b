"""The search of relay days: simulated annealing over destroy-and-repair moves until the clock says so."""

from __future__ import annotations

import time
from concurrent.futures import Future
from threading import Thread

import numpy as np

from routing.model.problem import Problem
from routing.solver.portfolio import EngineAnswer
from routing.solver.relay import kernel
from routing.solver.relay.arrays import CLOSE, ROUND, Draft, Facts, Ints, Words, copy_draft, empty_draft, empty_scratch
from routing.solver.relay.day import compile_day
from routing.solver.relay.first_choice import choose
from routing.solver.relay.plan import make_plan
from routing.solver.stopping import Clock

_WARM, _COLD = 0.5, 0.003
"""First and last temperature as shares of the mean cost of an order."""
_FIRST_SHARE = 0.1
"""Share of the effort for the search before the choice, which starts from what it finds."""
_CHUNK_S = 0.05
"""How long the search runs without a look at the clock."""
_CHUNK_MOVES = 20
"""Moves between two looks where iterations are limited, and in the first chunk."""
_HEAD_START_S = 1.0
"""Machine code that is on disk is loaded by then; else the first plan is made without it."""
_NAP_S = 0.02
_NEAR = 1e-4
"""The search ends with a plan that costs by no more than this share above the floor: the least this search can find."""


def search_relay(problem: Problem, clock: Clock, seed: int) -> EngineAnswer:
    """Plan a relay day; there is always a plan, and a bound where rounds and tours are few enough to list.

    The first run on a machine compiles the search for some seconds. Meanwhile a first plan is made without it; the
    compiler goes on after the answer for as long as the process runs; what is ready by its end is kept on disk.
    """
    day = compile_day(problem)
    facts, trucks = day.facts, min(len(day.trucks), len(problem.orders))
    now, best = empty_draft(facts, trucks), empty_draft(facts, trucks)
    rng = _generator(seed)
    compiling = _compile(facts, trucks)
    if not clock.deterministic and not _await(compiling, clock, _HEAD_START_S):
        _first_plan(facts, now, best, rng, clock, compiling)
        clock.report("construction", float(best.cost[0]), _served(best), force=True)
    elif _await(compiling, clock):
        kernel.improve(facts, now, empty_draft(facts, trucks), best, rng, 1, 0.0, empty_scratch(facts))
        clock.iteration += 1  # the first repair builds a whole plan
        _anneal(facts, now, best, rng, clock, None, _FIRST_SHARE)
    chosen = choose(day, best, clock, seed)
    if chosen.draft is not None and chosen.draft.cost[0] < best.cost[0]:
        copy_draft(chosen.draft, now)
        copy_draft(now, best)
        clock.report("choice", float(best.cost[0]), _served(best), force=True)
    if not _ended(best, chosen.floor) and _await(compiling, clock):
        _anneal(facts, now, best, rng, clock, chosen.floor, 1.0)
    return EngineAnswer(make_plan(day, best), clock.iteration, chosen.bound)


def _ended(best: Draft, floor: float | None) -> bool:
    return floor is not None and float(best.cost[0]) <= floor * (1.0 + _NEAR)


def _anneal(facts: Facts, now: Draft, best: Draft, rng: Words, clock: Clock, floor: float | None, until: float) -> None:
    """Search from `now` until the floor or a share of the effort is reached; leave the best plan in `best`."""
    trial, scratch = empty_draft(facts, len(now.tour)), empty_scratch(facts)
    mean, chunk, begun = float(best.cost[0]) / len(facts.customer), _CHUNK_MOVES, clock.share_done()
    while not clock.finished() and clock.share_done() < until and not _ended(best, floor):
        cooled = (clock.share_done() - begun) / max(1e-9, until - begun)
        temperature = mean * _WARM * (_COLD / _WARM) ** min(1.0, cooled)
        tick, count = time.perf_counter(), _room(clock, chunk)
        kernel.improve(facts, now, trial, best, rng, count, temperature, scratch)
        clock.iteration += count
        if not clock.deterministic:
            chunk = _next_chunk(chunk, time.perf_counter() - tick)
        clock.report("improvement", float(best.cost[0]), _served(best))


def _first_plan(facts: Facts, now: Draft, best: Draft, rng: Words, clock: Clock, compiling: Future[None]) -> None:
    """Without machine code, put in the customers by their latest times, then repair while some are left out."""
    take_out = kernel.uncompiled("take_out")
    first = np.argsort(facts.customer[:, CLOSE], kind="stable")
    _put_in(facts, now, rng, clock, first)
    copy_draft(now, best)
    trial, scratch = empty_draft(facts, len(now.tour)), empty_scratch(facts)
    while _served(best) < len(facts.customer) and not compiling.done() and not clock.finished():
        copy_draft(best, trial)
        count = take_out(facts, trial, rng, scratch)
        if _put_in(facts, trial, rng, clock, scratch[1][:count]) and trial.cost[0] < best.cost[0]:
            copy_draft(trial, best)
        clock.iteration += 1
    copy_draft(best, now)


def _put_in(facts: Facts, draft: Draft, rng: Words, clock: Clock, customers: Ints) -> bool:
    """Put customers in without machine code, looking at the clock at each; return whether all were tried."""
    put_in = kernel.uncompiled("put_in")
    for customer in customers:
        if clock.finished():
            return False
        put_in(facts, draft, rng, int(customer))
    return True


def _compile(facts: Facts, trucks: int) -> Future[None]:
    """Compile the search, or load its machine code, in another thread: it takes long the first time.

    The thread ends with the process, since no answer must wait for a compiler; what was compiled by then is kept.
    """
    drafts = [empty_draft(facts, trucks) for _ in range(3)]
    compiling: Future[None] = Future()

    def load() -> None:
        try:
            kernel.improve(facts, drafts[0], drafts[1], drafts[2], _generator(0), 0, 0.0, empty_scratch(facts))
        except Exception as error:  # noqa: BLE001 # raised again where the search waits
            compiling.set_exception(error)
        else:
            compiling.set_result(None)

    Thread(target=load, name="relay-compiler", daemon=True).start()
    return compiling


def _await(compiling: Future[None], clock: Clock, longest_s: float = float("inf")) -> bool:
    """Wait for the compiler, until the clock says so or for some seconds; return whether it is done."""
    begun = time.monotonic()
    while not compiling.done():
        if clock.finished() or time.monotonic() - begun > longest_s:
            return False
        time.sleep(_NAP_S)
    compiling.result()
    return True


def _generator(seed: int) -> Words:
    """Return the state of the compiled search's generator; never 0, which it could not leave."""
    state = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    return np.maximum(state, np.uint64(1))


def _room(clock: Clock, chunk: int) -> int:
    most = clock.limits.max_iterations
    return chunk if most is None else max(1, min(chunk, most - clock.iteration))


def _next_chunk(chunk: int, took_s: float) -> int:
    return max(1, min(4 * chunk, int(chunk * _CHUNK_S / max(1e-6, took_s))))


def _served(draft: Draft) -> int:
    return int((draft.who[:, ROUND] >= 0).sum())
