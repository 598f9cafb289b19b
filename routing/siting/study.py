"""A siting study: settlements, candidates, ways, a planner's aim, and figures of an answer a person can weigh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from routing.siting.question import BoolArray, FloatArray, IntArray, tail_mean
from routing.siting.reach import ELDERLY_FACTOR
from routing.siting.survey import Candidate, Settlement

Goal = Literal["mean", "tail", "centre"]
TAIL_SHARE = 0.05
NOT_WALKED = 2.0
"""A way longer than the reach counts as this many times the reach: nobody is expected to walk it."""


@dataclass(frozen=True)
class Aim:
    """What the planner asks.

    Parameters
    ----------
    open_n
        How many points may be opened (existing ones that stay do not count).
    budget
        Money for opening, minor units.
    within_min
        Minutes within which people should be. Alone: the fewest points that bring everyone within; with `open_n` or
        `budget`: as many people as possible within.
    goal
        What is made least otherwise: mean minutes, those of the worst-off 5 %, or the farthest.
    capacities
        Points hold no more than their capacity of parcels; kinds are chosen. Everyone in reach has room at the end of
        the last year on the usual day; who has none in the years before, or on other days, counts as not walking.
    closable
        Existing points may be given up.
    must_open, closed
        Ids forced open and kept closed.
    years
        Points to open in each year of a roll-out, instead of `open_n`; with `budget` it is shared evenly over them.
    over
        With several access matrices: the mean of them counts, or the worst.
    reach_min
        Longest way anyone is expected to walk, for people of ordinary pace.
    gap, time_limit_s
        Relative gap at which the search may stop, and its limit.
    """

    open_n: int | None = None
    budget: float | None = None
    within_min: float | None = None
    goal: Goal = "mean"
    capacities: bool = False
    closable: bool = False
    must_open: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    over: Literal["mean", "worst"] = "mean"
    reach_min: float = 60.0
    gap: float = 0.0
    time_limit_s: float = 60.0

    @property
    def asks_fewest(self) -> bool:
        """Whether the question is how few points bring everyone within the limit."""
        return self.within_min is not None and self.open_n is None and self.budget is None and not self.years

    @property
    def measured(self) -> str:
        """What is made least, in words."""
        if self.asks_fewest:
            return f"points that bring everyone within {self.within_min:g} min"
        if self.within_min is not None:
            return f"share of people farther than {self.within_min:g} min"
        return {
            "mean": "mean minutes",
            "tail": "mean minutes of the worst-off 5 %",
            "centre": "minutes of the farthest",
        }[self.goal]


Chosen = tuple[tuple[int, int], ...]
"""Open points as (candidate, kind) indices, candidates ascending."""


@dataclass(frozen=True)
class Figures:
    """What a set of open points means for people and purse. Minutes one way; `None` where nobody is in reach.

    Means are over people in reach of some candidate, by their own pace (the elderly walk at 0.7 of it).
    """

    opened: int
    investment: float
    mean_min: float
    elderly_mean_min: float
    worst_min: float
    """Mean of the worst-off 5 %."""
    farthest_min: float
    people: float
    people_within: tuple[tuple[float, float], ...]
    """People within 10, 15, 30 minutes and the limit asked: pairs of minutes and people."""
    people_beyond: float
    """People in no candidate's reach."""


@dataclass(frozen=True)
class Answer:
    """The answer to an aim: what is open each period (the last is the whole), with objective, bound and proof."""

    chosen: tuple[Chosen, ...]
    measure: str
    value: float
    bound: float
    proven: bool
    gap: float
    served: tuple[IntArray, IntArray, FloatArray] | None = None
    """Who is served where (settlement, candidate, share) where capacities bind; None: everyone at the nearest."""


@dataclass(frozen=True)
class Study:
    """The facts of a study.

    Parameters
    ----------
    minutes
        Shape (s, n, m): minutes of settlement i to candidate j at ordinary pace in scenario s; the first scenario is
        the usual day. inf: no way.
    """

    settlements: tuple[Settlement, ...]
    candidates: tuple[Candidate, ...]
    minutes: FloatArray

    def __post_init__(self) -> None:
        if self.minutes.shape[1:] != (len(self.settlements), len(self.candidates)):
            msg = f"minutes has shape {self.minutes.shape}"
            raise ValueError(msg)

    @cached_property
    def index(self) -> dict[str, int]:
        """Index of each candidate by id."""
        return {candidate.id: k for k, candidate in enumerate(self.candidates)}

    @cached_property
    def people(self) -> FloatArray:
        """Residents, shape (n,)."""
        return np.array([place.people for place in self.settlements], dtype=np.float64)

    @cached_property
    def elderly(self) -> FloatArray:
        """Residents of 60 years and more, shape (n,)."""
        return np.array([place.elderly for place in self.settlements], dtype=np.float64)

    @cached_property
    def parcels(self) -> FloatArray:
        """Parcels a day, shape (n,)."""
        return np.array([place.parcels for place in self.settlements], dtype=np.float64)

    def in_reach(self, reach_min: float) -> BoolArray:
        """Return the settlements some candidate is in reach of, shape (n,)."""
        return np.asarray(self.minutes[0].min(axis=1, initial=np.inf) <= reach_min)

    def nearest(self, chosen: Chosen) -> tuple[IntArray, FloatArray]:
        """Return each settlement's nearest open candidate (-1: no way) and the minutes, on the usual day."""
        sites = np.array([site for site, _ in chosen], dtype=np.int64)
        to_open = self.minutes[0][:, sites]
        position = to_open.argmin(axis=1)
        minutes = to_open[np.arange(len(self.settlements)), position]
        return np.where(np.isfinite(minutes), sites[position], -1), minutes


def figures_of(study: Study, aim: Aim, answer: Answer, chosen: Chosen | None = None) -> Figures:
    """Return the figures of an answer, or of another set of open points."""
    points = answer.chosen[-1] if chosen is None else chosen
    kept = study.in_reach(aim.reach_min)
    served = answer.served if chosen is None else None
    client, part, minutes = _walks(study, points, served)
    inside = kept[client]
    client, part, minutes = client[inside], part[inside], minutes[inside]
    slow = minutes / ELDERLY_FACTOR
    young, old = part * (study.people - study.elderly)[client], part * study.elderly[client]
    both, weight = np.concatenate([minutes, slow]), np.concatenate([young, old])
    every = walked(both, aim.reach_min)
    limits = sorted({10.0, 15.0, 30.0} | ({aim.within_min} if aim.within_min else set()))
    return Figures(
        opened=sum(not study.candidates[site].existing for site, _ in points),
        investment=investment_of(study, points),
        mean_min=_mean(every, weight),
        elderly_mean_min=_mean(walked(slow, aim.reach_min), old),
        worst_min=tail_mean(every, weight, TAIL_SHARE) if weight.sum() > 0 else 0.0,
        farthest_min=float(every[weight > 1e-9].max(initial=0.0)),
        people=float(study.people.sum()),
        people_within=tuple((limit, float(weight[both <= limit].sum())) for limit in limits),
        people_beyond=float(study.people[~kept].sum()),
    )


def investment_of(study: Study, chosen: Chosen) -> float:
    """Return what opening costs, minor units; existing points cost nothing."""
    return float(sum(study.candidates[site].kinds[kind].opening_cost for site, kind in chosen))


def _walks(
    study: Study, points: Chosen, served: tuple[IntArray, IntArray, FloatArray] | None
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return settlement, share and minutes of every way people take on the usual day; inf for those without room."""
    everyone = np.arange(len(study.settlements), dtype=np.int64)
    if served is None:
        return everyone, np.ones(len(everyone)), study.nearest(points)[1]
    client, site, share = served
    left = np.clip(1.0 - np.bincount(client, weights=share, minlength=len(everyone)), 0.0, None)
    out = np.flatnonzero(left > 1e-6)
    return (
        np.concatenate([client, out]),
        np.concatenate([share, left[out]]),
        np.concatenate([study.minutes[0][client, site], np.full(len(out), np.inf)]),
    )


def walked(minutes: FloatArray, reach_min: float) -> FloatArray:
    """Return minutes as they count: ways longer than the reach as `NOT_WALKED` times the reach."""
    return np.where(minutes <= reach_min, minutes, NOT_WALKED * reach_min)


def _mean(values: FloatArray, weight: FloatArray) -> float:
    total = float(weight.sum())
    return float((values * weight).sum() / total) if total > 0.0 else 0.0
