"""The general search's loop: destroy and repair under simulated annealing, rounds rebuilt now and then."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from routing.solver.arrays.layout import Cooling
from routing.solver.arrays.search import Search
from routing.solver.rounds import rebuild_rounds

_START_TEMPERATURE = 0.1
_END_TEMPERATURE = 0.006
"""Temperatures of simulated annealing as shares of the mean cost of an order.

An end at 0.006 leaves two medium counties 1.0 % cheaper than one at 0.003 (150,000 moves, five runs of each: mean
20,700 and 20,911), one at 0.01 0.5 %; small ones cost the same with each.
"""
_MOVES_PER_JOB, _SHARE_OF_HEAT = (0.0, 2.5, 5.0, 40.0), (0.1, 0.15, 0.25, 1.0)
"""By the moves per job to come, what of the start temperature is used: with few there is no time to come back down.

Measured on 2,300 jobs with some 4.5 moves a job: 15 % of it ends 3.6 % below nine tenths, 30 % 2.4 %, 7 % 3.0 %. On 280
jobs with 5 moves a job 35 % ends 2 % below the whole, 15 % at the same cost; with 18 the whole ends 1 % below 35 %.
"""
_REBUILD_EVERY, _REBUILD_JOBS, _REBUILD_S = 500, 3.0, 0.8
"""Moves between two rebuilds of a fleet's rounds, at least and by job, and the seconds one may take.

On a large day there are many fleets of few stops each, and moves find most of what a rebuild would.
"""
_LOOK_S = 0.05
"""How often it is asked whether to go on."""


class Pace(Protocol):
    """How far a search is, and when it is over."""

    moves: int
    """Made so far; the loop counts them."""

    @property
    def deterministic(self) -> bool:
        """Whether effort is counted in moves, so that nothing may hang on the clock."""

    def shares(self) -> tuple[float, float]:
        """Return how much of the whole search's effort was used before move 0, and how much a move uses.

        Where moves are not counted: how much is used now, and 0.
        """

    def left(self) -> int | None:
        """Return how many moves are to be made yet where they are counted."""

    def planned(self) -> float:
        """Return how many moves the whole search will make."""

    def over(self) -> bool:
        """Return whether to stop."""

    def settles(self) -> bool:
        """Return whether the search, now that it stops, goes back to its best plan or stays where it is."""


class Watcher(Protocol):
    """Who is told how the search gets on."""

    def moved(self, best: float, served: int) -> None:
        """Take note of what the best plan costs, the rest included, and how many orders of the state it serves."""

    def wants_plan(self) -> bool:
        """Return whether the best plan so far is wanted."""

    def take(self) -> None:
        """Take the best plan so far, which the state is now."""


def anneal(search: Search, pace: Pace, rest: float, watcher: Watcher) -> None:
    """Run destroy and repair until the pace says stop; the search's state then is the plan found.

    Parameters
    ----------
    rest
        What the plan costs outside the state that is searched.
    """
    jobs = len(search.state.instance.jobs)
    every = max(_REBUILD_EVERY, round(_REBUILD_JOBS * len(search.moves.jobs)))
    to_rebuild, chunk, offered = every, 1, search.best
    while not pace.over():
        heat = float(np.interp(pace.planned() / jobs, _MOVES_PER_JOB, _SHARE_OF_HEAT)) * _START_TEMPERATURE / jobs
        left = pace.left()
        count = min(chunk, to_rebuild, to_rebuild if left is None else left)
        begun = time.perf_counter()
        cooling = Cooling(rest, heat, *pace.shares(), _END_TEMPERATURE / _START_TEMPERATURE)
        made = search.run(pace.moves, count, cooling)
        chunk = max(1, round(made * min(2.0, _LOOK_S / max(1e-6, time.perf_counter() - begun))))
        pace.moves += made
        to_rebuild -= made
        if to_rebuild <= 0:
            search.sum_up()
            _rebuild(search, pace)
            to_rebuild = every
        watcher.moved(rest + search.best, search.orders_served)
        if search.best < offered and watcher.wants_plan():
            offered = search.best
            search.write()
            watcher.take()
    search.write(best=pace.settles())


def _rebuild(search: Search, pace: Pace) -> None:
    """Let the routing solver rebuild the rounds of one fleet after the other, in turn."""
    state, moves = search.state, search.moves
    fleets = [number for number, days in enumerate(state.days) if days]
    if fleets:
        search.write(best=False)
        if rebuild_rounds(state, fleets[moves.turn % len(fleets)], None if pace.deterministic else _REBUILD_S):
            search.read()
    moves.turn += 1
