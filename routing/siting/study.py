"""A siting study: a planner's question about real places, answered by the models with figures a person can weigh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from geodata.errors import Fault, InputError
from routing.fault_codes import FaultCode
from routing.siting.capacitated import CapacityAnswer, solve_capacitated
from routing.siting.cover import solve_centre, solve_cover
from routing.siting.coverage import solve_coverage
from routing.siting.question import AccessQuestion, BoolArray, CapacityQuestion, FloatArray, IntArray, tail_mean
from routing.siting.radius import solve_access
from routing.siting.reach import ELDERLY_FACTOR
from routing.siting.remedies import Remedy, capacity_remedy, cover_remedy
from routing.siting.survey import Candidate, PointKind, Settlement

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
        Points hold no more than their capacity of parcels; kinds are chosen.
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
    minutes = study.nearest(points)[1]
    if answer.served is not None and chosen is None:
        minutes = _served_minutes(study, answer.served)
    quick, slow = minutes[kept], minutes[kept] / ELDERLY_FACTOR
    young, old = (study.people - study.elderly)[kept], study.elderly[kept]
    walked = np.concatenate([_walked(quick, aim.reach_min), _walked(slow, aim.reach_min)])
    weight = np.concatenate([young, old])
    limits = sorted({10.0, 15.0, 30.0} | ({aim.within_min} if aim.within_min else set()))
    both = np.concatenate([quick, slow])
    return Figures(
        opened=sum(not study.candidates[site].existing for site, _ in points),
        investment=investment_of(study, points),
        mean_min=_mean(walked, weight),
        elderly_mean_min=_mean(_walked(slow, aim.reach_min), old),
        worst_min=tail_mean(walked, weight, TAIL_SHARE) if weight.sum() > 0 else 0.0,
        farthest_min=float(walked[weight > 0.0].max(initial=0.0)),
        people=float(study.people.sum()),
        people_within=tuple((limit, float(weight[both <= limit].sum())) for limit in limits),
        people_beyond=float(study.people[~kept].sum()),
    )


def investment_of(study: Study, chosen: Chosen) -> float:
    """Return what opening costs, minor units; existing points cost nothing."""
    return float(sum(study.candidates[site].kinds[kind].opening_cost for site, kind in chosen))


def _served_minutes(study: Study, served: tuple[IntArray, IntArray, FloatArray]) -> FloatArray:
    client, site, share = served
    minutes = np.where(np.bincount(client, minlength=len(study.settlements)) > 0, 0.0, np.inf)
    np.add.at(minutes, client, share * study.minutes[0][client, site])
    return minutes


def _walked(minutes: FloatArray, reach_min: float) -> FloatArray:
    return np.where(minutes <= reach_min, minutes, NOT_WALKED * reach_min)


def _mean(values: FloatArray, weight: FloatArray) -> float:
    total = float(weight.sum())
    return float((values * weight).sum() / total) if total > 0.0 else 0.0


def answer_aim(study: Study, aim: Aim) -> Answer:
    """Return the best choice of points.

    Raises
    ------
    InputError
        If the aim is senseless, names an unknown place, or cannot be met; the remedy is the least that would do.
    """
    _check_aim(study, aim)
    if aim.capacities:
        return _with_capacities(study, aim)
    if aim.within_min is not None and aim.open_n is None and aim.budget is None and not aim.years:
        return _fewest(study, aim)
    if aim.within_min is not None:
        return _most_covered(study, aim)
    if aim.goal == "centre":
        return _least_far(study, aim)
    question = access_question(study, aim)
    found = solve_access(question, gap=aim.gap, time_limit_s=aim.time_limit_s)
    if found is None:
        raise _nothing_affordable(study, aim)
    chosen = tuple(_plain_points(study, sites) for sites in found.open_sites)
    name = "mean minutes" if aim.goal == "mean" else "mean minutes of the worst-off 5 %"
    return Answer(chosen, name, found.value, found.bound, found.proven, found.gap)


def access_question(study: Study, aim: Aim, *, split: bool = False, longest_min: float | None = None) -> AccessQuestion:
    """Return the aim as a question of access.

    Parameters
    ----------
    split
        Keep ordinary and elderly walkers apart as two clients; needed where the measure is not linear in minutes.
    longest_min
        Ways up to this count as they are; absent: up to the reach.
    """
    kept = study.in_reach(aim.reach_min)
    longest = aim.reach_min if longest_min is None else longest_min
    usual = _walked(study.minutes[:, kept], longest)
    slow = _walked(study.minutes[:, kept] / ELDERLY_FACTOR, longest)
    people, old = study.people[kept], study.elderly[kept]
    if split or aim.goal != "mean":
        access = np.concatenate([usual, slow], axis=1)
        weight = np.concatenate([people - old, old])
    else:
        share = (old / np.maximum(people, 1e-12))[None, :, None]
        access, weight = (1.0 - share) * usual + share * slow, people
    most, budget = _by_period(aim)
    return AccessQuestion(
        access=access,
        weight=weight,
        money=np.array([min(kind.opening_cost for kind in place.kinds) for place in study.candidates]),
        counts=np.array([not place.existing for place in study.candidates], dtype=np.bool_),
        at_most=most,
        budget=budget,
        must_open=_must_open(study, aim),
        closed=tuple(study.index[name] for name in aim.closed),
        measure="tail" if aim.goal == "tail" else "mean",
        tail_share=TAIL_SHARE,
        over=aim.over,
    )


def _by_period(aim: Aim) -> tuple[tuple[int | None, ...], tuple[float | None, ...]]:
    if not aim.years:
        return (aim.open_n,), (aim.budget,)
    most = tuple(int(total) for total in np.cumsum(aim.years))
    years = len(aim.years)
    return most, tuple(None if aim.budget is None else aim.budget * (k + 1) / years for k in range(years))


def _must_open(study: Study, aim: Aim) -> tuple[int, ...]:
    kept = [] if aim.closable else [k for k, place in enumerate(study.candidates) if place.existing]
    named = [study.index[name] for name in aim.must_open]
    closed = {study.index[name] for name in aim.closed}
    return tuple(k for k in dict.fromkeys([*kept, *named]) if k not in closed)


def _plain_points(study: Study, sites: Sequence[int]) -> Chosen:
    """Return sites with the cheapest kind each."""
    return tuple((site, _cheapest(study.candidates[site].kinds)) for site in sorted(sites))


def _cheapest(kinds: tuple[PointKind, ...]) -> int:
    return min(range(len(kinds)), key=lambda k: (kinds[k].opening_cost, k))


def _most_covered(study: Study, aim: Aim) -> Answer:
    question = access_question(study, replace(aim, goal="mean"), split=True)
    found = solve_coverage(question, aim.within_min or 0.0, gap=aim.gap, time_limit_s=aim.time_limit_s)
    if found is None:
        raise _nothing_affordable(study, aim)
    chosen = tuple(_plain_points(study, sites) for sites in found.open_sites)
    name = f"share of people farther than {aim.within_min:g} min"
    return Answer(chosen, name, found.value, found.bound, found.proven, found.gap)


def _fewest(study: Study, aim: Aim) -> Answer:
    limit = aim.within_min or 0.0
    question = access_question(study, aim, split=True, longest_min=max(aim.reach_min, limit))
    found = solve_cover(question, limit, time_limit_s=aim.time_limit_s)
    if found is None:
        raise _not_coverable(study, aim, cover_remedy(question, limit))
    gap = (found.value - found.bound) / max(1.0, found.value)
    chosen = (_plain_points(study, found.open_sites),)
    return Answer(
        chosen, f"points that bring everyone within {limit:g} min", found.value, found.bound, found.proven, gap
    )


def _least_far(study: Study, aim: Aim) -> Answer:
    found = solve_centre(access_question(study, aim, split=True), time_limit_s=aim.time_limit_s)
    if found is None:
        raise _nothing_affordable(study, aim)
    gap = (found.limit - found.bound) / max(1e-9, found.limit)
    chosen = (_plain_points(study, found.open_sites),)
    return Answer(chosen, "minutes of the farthest", found.limit, found.bound, found.proven, gap)


# --- Capacities ----------------------------------------------------------------------------------------------------


def capacity_question(study: Study, aim: Aim) -> CapacityQuestion:
    """Return the aim as a question with capacities: person-minutes are made least, everyone in reach is served."""
    kept = study.in_reach(aim.reach_min)
    minutes, people, old = study.minutes[0][kept], study.people[kept], study.elderly[kept]
    paced = minutes * ((people - old) + old / ELDERLY_FACTOR)[:, None]
    options = [(j, kind) for j, place in enumerate(study.candidates) for kind in place.kinds]
    return CapacityQuestion(
        cost=np.where(minutes <= aim.reach_min, paced, np.inf),
        load=study.parcels[kept],
        option_site=np.array([j for j, _ in options], dtype=np.int64),
        option_cost=np.zeros(len(options)),
        option_capacity=np.array([kind.capacity for _, kind in options]),
        option_money=np.array([kind.opening_cost for _, kind in options]),
        option_counts=np.array([not study.candidates[j].existing for j, _ in options], dtype=np.bool_),
        at_most=aim.open_n,
        budget=aim.budget,
        must_open=_must_open(study, aim),
        closed=tuple(study.index[name] for name in aim.closed),
    )


def _with_capacities(study: Study, aim: Aim) -> Answer:
    question = capacity_question(study, aim)
    found = solve_capacitated(question, gap=aim.gap, time_limit_s=aim.time_limit_s)
    if not found.options:
        raise _no_room(study, aim, capacity_remedy(question))
    kept = np.flatnonzero(study.in_reach(aim.reach_min))
    client, site, share = found.served
    people = float(study.people[kept].sum())
    return Answer(
        chosen=(_points_of_options(study, found),),
        measure="mean minutes",
        value=found.cost / people,
        bound=found.bound / people,
        proven=found.proven,
        gap=found.gap,
        served=(kept[client], site, share),
    )


def _points_of_options(study: Study, found: CapacityAnswer) -> Chosen:
    options = [(j, k) for j, place in enumerate(study.candidates) for k in range(len(place.kinds))]
    return tuple(sorted(options[o] for o in found.options))


# --- What cannot be asked or met ------------------------------------------------------------------------------------


def _fault(option: str, value: object, reason: str, remedy: str, code: FaultCode = FaultCode.OUT_OF_RANGE) -> Fault:
    return Fault(code, "command line", reason, remedy, field=option, value=str(value))


def _check_aim(study: Study, aim: Aim) -> None:
    faults = []
    for option, names in (("--force-open", aim.must_open), ("--force-closed", aim.closed)):
        for name in names:
            if name not in study.index:
                remedy = "Give the id of a candidate or existing point."
                faults.append(_fault(option, name, "there is no such point", remedy, FaultCode.UNKNOWN_SITE))
    for name in sorted(set(aim.must_open) & set(aim.closed)):
        reason = "a point cannot be forced open and kept closed"
        faults.append(_fault("--force-open", name, reason, "Keep one of the two.", FaultCode.BAD_ARGUMENTS))
    if aim.open_n is None and aim.budget is None and aim.within_min is None and not aim.years:
        reason = "the question is missing"
        remedy = "Give at least one of --open, --budget, --within, --years."
        faults.append(Fault(FaultCode.BAD_ARGUMENTS, "command line", reason, remedy))
    if aim.capacities and (aim.years or study.minutes.shape[0] > 1 or aim.within_min is not None or aim.goal != "mean"):
        reason = "capacities are weighed with mean access on a usual day only"
        remedy = "Leave out --within, --years, --goal and the scenarios, or --capacities."
        faults.append(Fault(FaultCode.BAD_ARGUMENTS, "command line", reason, remedy))
    if not study.in_reach(aim.reach_min).any():
        remedy = "Give candidates nearer to people, or a longer --reach."
        faults.append(_fault("--reach", aim.reach_min, "no settlement is in reach of any candidate", remedy))
    if faults:
        raise InputError(faults)


def _nothing_affordable(study: Study, aim: Aim) -> InputError:
    prices = [kind.opening_cost for place in study.candidates for kind in place.kinds]
    must = _must_open(study, aim)
    least = sum(min(kind.opening_cost for kind in study.candidates[j].kinds) for j in must) or min(prices, default=0.0)
    points = max(1, sum(not study.candidates[j].existing for j in must))
    reason = "the limits admit no point at all"
    remedy = f"The least that would do: {points} points and {least / 100:,.2f} of money."
    return InputError([_fault("--open, --budget", f"{aim.open_n}, {aim.budget}", reason, remedy)])


def _not_coverable(study: Study, aim: Aim, remedy: Remedy) -> InputError:
    kept = study.in_reach(aim.reach_min)
    names = [place.name for place, near in zip(study.settlements, kept, strict=True) if near]
    beyond = ", ".join(list(dict.fromkeys(names[i % len(names)] for i in remedy.unreachable))[:8])
    reason = f"no candidate brings everyone within {aim.within_min:g} min at their own pace; out of reach: {beyond}"
    least = f"The least that would do: {_least_limit(study, aim, kept):.1f} min."
    return InputError([_fault("--within", aim.within_min, reason, f"{least} Or add candidates near them.")])


def _least_limit(study: Study, aim: Aim, kept: BoolArray) -> float:
    """Return the minutes everyone could be within with every candidate open, by true ways and own paces."""
    usable = [j for j, place in enumerate(study.candidates) if place.id not in aim.closed]
    minutes = study.minutes[:, kept][:, :, usable].min(axis=2).max(axis=0)
    pace = np.where(study.elderly[kept] > 0.0, 1.0 / ELDERLY_FACTOR, 1.0)
    return float(np.ceil(10.0 * (minutes * pace)[study.people[kept] > 0.0].max(initial=0.0)) / 10.0)


def _no_room(study: Study, aim: Aim, remedy: Remedy) -> InputError:
    kept = np.flatnonzero(study.in_reach(aim.reach_min))
    least = []
    if remedy.points is not None:
        least.append(f"{remedy.points} points with the money given")
    if remedy.money is not None:
        least.append(f"{remedy.money / 100:,.2f} of money with the points given")
    text = f"The least that would do: {' or '.join(least)}."
    if remedy.crowded:
        short = [f"{study.settlements[kept[i]].name} {load:.1f}" for i, load in remedy.crowded[:8]]
        text = (
            f"Room is short whatever is spent, in parcels a day: {', '.join(short)}. Add candidates or roomier kinds."
        )
    elif not least:
        text = "Force fewer points open or closed, or give candidates a longer --reach."
    reason = "the points that may open cannot hold the parcels of everyone in reach"
    return InputError([_fault("--open, --budget", f"{aim.open_n}, {aim.budget}", reason, text)])
