"""The search of relay days: simulated annealing over destroy-and-repair moves until the clock says so."""

from __future__ import annotations

import time

import numpy as np

from routing.model.problem import Problem
from routing.solver.portfolio import EngineAnswer
from routing.solver.relay import kernel
from routing.solver.relay.arrays import ROUND, Draft, Words, copy_draft, empty_draft
from routing.solver.relay.day import compile_day
from routing.solver.relay.plan import make_plan
from routing.solver.stopping import Clock

_WARM, _COLD = 0.15, 0.003
"""First and last temperature as shares of the mean cost of an order."""
_CHUNK_S = 0.05
"""How long the search runs without a look at the clock."""
_CHUNK_MOVES = 20
"""Moves between two looks where iterations are limited, and in the first chunk."""


def search_relay(problem: Problem, clock: Clock, seed: int) -> EngineAnswer:
    """Plan a relay day; there is always a plan, and no bound."""
    day = compile_day(problem)
    trucks = min(len(day.trucks), len(problem.orders))
    now, trial, best = (empty_draft(day.facts, trucks) for _ in range(3))
    rng = _generator(seed)

    def moves(count: int, temperature: float) -> None:
        kernel.improve(day.facts, now, trial, best, rng, count, temperature)
        clock.iteration += count

    moves(1, 1.0)  # the first repair builds a whole plan
    mean, chunk = float(best.cost[0]) / len(problem.orders), _CHUNK_MOVES
    copy_draft(best, now)
    while not clock.finished():
        temperature = mean * _WARM * (_COLD / _WARM) ** min(1.0, clock.share_done())
        begun = time.perf_counter()
        moves(_room(clock, chunk), temperature)
        if not clock.deterministic:
            chunk = _next_chunk(chunk, time.perf_counter() - begun)
        clock.report("improvement", float(best.cost[0]), _served(best))
    return EngineAnswer(make_plan(day, best), clock.iteration)


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
