"""Destroy and repair on whole plans: related orders leave their carriers and find other itineraries.

Slack induction in the manner of Christiaens and Vanden Berghe (2020): a handful of related orders is taken out and put
back greedily, in an order drawn at random and with an occasional blink; worse plans are accepted with a probability
that falls with the temperature (simulated annealing).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from routing.solver.buses import BusLoad
from routing.solver.carriers import KnownSites, Proposal
from routing.solver.days import Day
from routing.solver.instance import Instance, Job
from routing.solver.proposals import propose
from routing.solver.sorties import DroneDay
from routing.solver.state import State
from routing.solver.tasks import Chain

_NEIGHBOURS = 40
KEEP_WON, KEEP_OTHER = 0.99, 0.35
"""Chance that a chain is looked at when a job is put back: one it has ridden by before, and any other."""
MEAN_REMOVED = 8
COOLINGS = 8
TRIES = 4
"""Chains tried to place a job by; the first may fail on times between carriers or on the cold."""
WAITING = 1.05
"""A job that adds more than this many times what was proposed makes a round wait: a new round is tried instead."""
_SWEEPS = 3
"""Directions at which sweeps begin when first plans are built."""


@dataclass
class Moves:
    """What destroy and repair need to know: chains per job, neighbours, the random source."""

    instance: Instance
    chains: dict[int, tuple[Chain, ...]]
    random: random.Random
    neighbours: dict[int, list[int]] = field(default_factory=dict)
    won: dict[int, dict[Chain, None]] = field(default_factory=dict)
    """By job, the chains it has ridden by at some time."""
    least: dict[int, float] = field(default_factory=dict)
    """By job, the least that putting it back was ever expected to cost."""
    turn: int = 0
    """Which fleet's rounds are rebuilt next."""
    only: Sequence[int] | None = None
    """Jobs that may be moved, in rising order; None: all."""

    @cached_property
    def jobs(self) -> Sequence[Job]:
        """The jobs that may be moved."""
        jobs = self.instance.jobs
        return jobs if self.only is None else [jobs[index] for index in self.only]

    @cached_property
    def _ends(self) -> npt.NDArray[np.float64]:
        """Longitude and latitude of the remote end of each job that may be moved."""
        return np.array([remote_end(self.instance, job) for job in self.jobs], dtype=np.float64)

    def near(self, job: Job) -> list[int]:
        """Return the jobs to be moved whose remote ends are nearest to that of one of them, itself first."""
        if job.index not in self.neighbours:
            lon, lat = remote_end(self.instance, job)
            apart = (self._ends - (lon, lat)) * (math.cos(math.radians(lat)), 1.0)
            squared = (apart**2).sum(axis=1)
            squared[job.index if self.only is None else bisect_left(self.only, job.index)] = -1.0
            nearest = np.argsort(squared, kind="stable")[:_NEIGHBOURS].tolist()
            self.neighbours[job.index] = [self.jobs[k].index for k in nearest]
        return self.neighbours[job.index]


def remote_end(instance: Instance, job: Job) -> tuple[float, float]:
    """Return longitude and latitude of the end of a job that lies lower in the four levels."""
    origin, target = instance.places[job.origin], instance.places[job.destination]
    end = target if target.level.depth >= origin.level.depth else origin
    return end.lon, end.lat


# --- Repair --------------------------------------------------------------------------------------------------------


def insert_job(state: State, moves: Moves, job: Job, limit: float, *, blink: bool = False) -> bool:
    """Put a job into the plan by its cheapest chain that holds; return whether it was placed."""
    chains: Sequence[Chain] = moves.chains[job.index]
    if blink:
        won = moves.won.get(job.index, ())
        chains = [chain for chain in chains if moves.random.random() < (KEEP_WON if chain in won else KEEP_OTHER)]
    for _ in range(TRIES):
        best = _cheapest(state, job, chains, limit)
        if best is None:
            return False
        moves.least[job.index] = min(best.delta, moves.least.get(job.index, math.inf))
        placed = _place(state, job, chains, best)
        if placed is not None:
            moves.won.setdefault(job.index, {})[placed.chain] = None
            return True
        chains = [chain for chain in chains if chain is not best.chain]
    return False


def _cheapest(state: State, job: Job, chains: Sequence[Chain], limit: float, *, fresh: bool = False) -> Proposal | None:
    best: Proposal | None = None
    known: KnownSites = {}
    for chain in chains:
        for window in job.windows:
            best = propose(state, job, chain, best.delta if best else limit, window, known, fresh=fresh) or best
    return best


def _place(state: State, job: Job, chains: Sequence[Chain], best: Proposal) -> Proposal | None:
    """Place a job as proposed, or in a new round where waiting, which no proposal counts, makes that cheaper."""
    state.begin()
    extra = state.extra_cost(job, best)
    if extra is None or extra <= best.delta * WAITING:
        state.commit()
        return None if extra is None else best
    state.rollback()
    other = _cheapest(state, job, chains, extra, fresh=True)
    if other is not None:
        state.begin()
        found = state.extra_cost(job, other)
        if found is not None and found < extra:
            state.commit()
            return other
        state.rollback()
    return best if state.place(job, best) else None


def insert_jobs(state: State, moves: Moves, jobs: Sequence[Job]) -> None:
    """Insert jobs one after the other, each for no more than leaving it out costs."""
    for job in jobs:
        insert_job(state, moves, job, job.unserved_cost)
    cool(state, moves)


def construction_orders(instance: Instance) -> list[list[Job]]:
    """Return orders of insertion: sweeps around the first job's origin, and tight windows first.

    A sweep takes jobs by the direction of their remote end (Gillett and Miller 1974), here both ways round and from
    several directions; which of them gives the cheapest plan differs from day to day. A sweep comes first, as on a
    large day there may be time for one order only.
    """
    if not instance.jobs:
        return [[]]
    centre = instance.places[instance.jobs[0].origin]

    def angle(job: Job) -> float:
        lon, lat = remote_end(instance, job)
        return math.atan2(lat - centre.lat, (lon - centre.lon) * math.cos(math.radians(centre.lat)))

    def tight_first(job: Job) -> tuple[float, float, float, int]:
        lon, lat = remote_end(instance, job)
        spread = min(window[1] - window[0] for window in job.windows)
        tight = 0.0 if spread < 4 * 3600 or job.product.cold else 1.0
        distance = (lon - centre.lon) ** 2 + (lat - centre.lat) ** 2
        return (tight, round(angle(job), 1), -distance, job.index)

    sweep = sorted(instance.jobs, key=lambda job: (angle(job), job.index))
    sweeps: list[list[Job]] = []
    for k in range(_SWEEPS):
        start = k * len(sweep) // _SWEEPS
        turned = sweep[start:] + sweep[:start]
        sweeps += [turned[::-1], turned]
    return [sweeps[0], sorted(instance.jobs, key=tight_first), *sweeps[1:]]


# --- Destroy -------------------------------------------------------------------------------------------------------


def cool(state: State, moves: Moves, *, touched: bool = False) -> bool:
    """Take out cold jobs that other insertions have made too warm, trying them elsewhere; return whether times hold.

    With `touched`, only carriers touched since the last savepoint are looked at.
    """
    for attempt in range(COOLINGS):
        warm = state.warm_jobs(touched=touched)
        if not warm:
            return True
        if not state.remove(*warm):
            return False
        for job in warm if attempt == 0 else ():
            insert_job(state, moves, job, job.unserved_cost)
    return not state.warm_jobs(touched=touched)


def choose_removed(state: State, moves: Moves) -> list[int]:
    """Return the jobs to take out and put back, served or not: neighbours, a round, a carrier, or a few at random."""
    count = 1 + int(moves.random.expovariate(1.0 / MEAN_REMOVED))
    seed = moves.random.choice(moves.jobs)
    draw = moves.random.random()
    if draw < 0.55:
        return _neighbourhood(moves, seed, count)
    if draw < 0.75:
        return _round_mates(state, moves, seed, count)
    if draw < 0.9:
        return _carrier_mates(state, moves, seed)
    return sorted({moves.jobs[moves.random.randrange(len(moves.jobs))].index for _ in range(count)})


def _neighbourhood(moves: Moves, seed: Job, count: int) -> list[int]:
    near = moves.near(seed)[: 2 * count]
    return [index for k, index in enumerate(near) if k == 0 or moves.random.random() < 0.6][:count]


def _round_mates(state: State, moves: Moves, seed: Job, count: int) -> list[int]:
    """Return strings of jobs from the rounds that the seed's neighbours ride."""
    found: dict[int, None] = {seed.index: None}
    seen: set[int] = set()
    for index in moves.near(seed):
        for task in state.served.get(index, ()):
            day = task.owner
            if not isinstance(day, Day) or id(day) in seen:
                continue
            seen.add(id(day))
            mates = list(dict.fromkeys(other.job.index for other in day.tasks()))
            length = moves.random.randint(1, max(1, min(len(mates), 10)))
            at = mates.index(index)
            start = max(0, min(at - moves.random.randrange(length), len(mates) - length))
            found.update(dict.fromkeys(mates[start : start + length]))
        if len(seen) >= 3 or len(found) >= 3 * count:
            break
    return list(found)


def _carrier_mates(state: State, moves: Moves, seed: Job) -> list[int]:
    """Return all jobs of one carrier (at most 30, those after a random start), to empty it."""
    tasks = state.served.get(seed.index)
    if not tasks:
        return [seed.index]
    owner = moves.random.choice(tasks).owner
    if not isinstance(owner, Day | DroneDay | BusLoad):
        return [seed.index]
    mates = list(dict.fromkeys(task.job.index for task in owner.tasks()))
    start = moves.random.randrange(len(mates)) if len(mates) > 30 else 0
    return (mates[start:] + mates[:start])[:30]


# --- Putting back ----------------------------------------------------------------------------------------------------


def put_back(
    state: State, moves: Moves, jobs: Sequence[Job], speculation: Sequence[float], temperature: float, cost: float
) -> float:
    """Insert jobs taken out since the last savepoint and keep the change or undo it; return the cost afterwards.

    One of `speculation`, drawn at random, times its price of being left out is what a job may cost. What the plan may
    grow by is drawn first: a job may cost no more than that leaves, and where it leaves nothing the move ends at once.
    """
    factor = moves.random.choice(speculation)
    growth = -temperature * math.log(max(1e-300, moves.random.random()))
    sound = _insert_within(state, moves, jobs, factor, growth) and cool(state, moves, touched=True)
    change = state.change()
    if sound and change < growth:
        state.commit()
        return cost + change
    state.rollback()
    return cost


def _insert_within(state: State, moves: Moves, jobs: Sequence[Job], factor: float, growth: float) -> bool:
    """Insert jobs while the plan's cost may still end up having grown by less than `growth`; return whether it may.

    The jobs still to come are expected to cost the least they ever did, or their price of being left out.
    """
    least = [min(job.unserved_cost, moves.least.get(job.index, 0.0)) for job in jobs]
    unserved, to_come = sum(job.unserved_cost for job in jobs), sum(least)
    room = growth - state.change() + unserved - to_come
    for job, expected in zip(jobs, least, strict=True):
        if room <= 0.0:
            return False
        insert_job(state, moves, job, min(job.unserved_cost * factor, room + expected), blink=True)
        unserved -= job.unserved_cost
        to_come -= expected
        room = growth - state.change() + unserved - to_come
    return room > 0.0
