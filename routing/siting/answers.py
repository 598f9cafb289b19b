"""The planner's question answered: which model is asked, and what its answer says about real places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from routing.siting.assignment import Assignment, assign_split_exactly
from routing.siting.capacitated import solve_capacitated
from routing.siting.cover import solve_centre, solve_cover
from routing.siting.coverage import solve_coverage
from routing.siting.question import FloatArray, IntArray
from routing.siting.questions import access_question, capacity_question, room_question
from routing.siting.radius import solve_access
from routing.siting.refusals import (
    check_aim,
    no_room,
    no_room_within,
    not_coverable,
    not_found_in_time,
    nothing_affordable,
    unmet,
)
from routing.siting.remedies import capacity_remedy, cover_remedy
from routing.siting.room import RoomQuestion, farthest_with_room, fewest_with_room, solve_room
from routing.siting.study import Aim, Answer, Chosen, Study
from routing.siting.survey import PointKind

COVERED_FIRST = 1e4
"""Minutes that leaving someone beyond the limit counts as, when people are told where to go; more than any walk."""


def answer_aim(study: Study, aim: Aim, *, explain: bool = True) -> Answer:
    """Return the best choice of points.

    Parameters
    ----------
    explain
        Work out the least that would do where the aim cannot be met; it may take as long as an answer.

    Raises
    ------
    InputError
        If the aim is senseless, names an unknown place, or cannot be met; the remedy is the least that would do.
    """
    check_aim(study, aim)
    if aim.capacities:
        return _with_capacities(study, aim, explain=explain)
    if aim.asks_fewest:
        return _fewest(study, aim, explain=explain)
    if aim.within_min is not None:
        return _most_covered(study, aim)
    if aim.goal == "centre":
        return _least_far(study, aim)
    question = access_question(study, aim)
    found = solve_access(question, gap=aim.gap, time_limit_s=aim.time_limit_s)
    if found is None:
        raise nothing_affordable(study, aim)
    chosen = tuple(_plain_points(study, sites) for sites in found.open_sites)
    return Answer(chosen, aim.measured, found.value, found.bound, found.proven, found.gap)


def _plain_points(study: Study, sites: Sequence[int]) -> Chosen:
    """Return sites with the cheapest kind each."""
    return tuple((site, _cheapest(study.candidates[site].kinds)) for site in sorted(sites))


def _cheapest(kinds: tuple[PointKind, ...]) -> int:
    return min(range(len(kinds)), key=lambda k: (kinds[k].opening_cost, k))


def _most_covered(study: Study, aim: Aim) -> Answer:
    question = access_question(study, aim, split=True)
    found = solve_coverage(question, aim.within_min or 0.0, gap=aim.gap, time_limit_s=aim.time_limit_s)
    if found is None:
        raise nothing_affordable(study, aim)
    chosen = tuple(_plain_points(study, sites) for sites in found.open_sites)
    return Answer(chosen, aim.measured, found.value, found.bound, found.proven, found.gap)


def _fewest(study: Study, aim: Aim, *, explain: bool) -> Answer:
    limit = aim.within_min or 0.0
    question = access_question(study, aim, split=True, longest_min=max(aim.reach_min, limit))
    found = solve_cover(question, limit, time_limit_s=aim.time_limit_s)
    if found is None:
        raise not_coverable(study, aim, cover_remedy(question, limit)) if explain else unmet(aim)
    gap = (found.value - found.bound) / max(1.0, found.value)
    chosen = (_plain_points(study, found.open_sites),)
    return Answer(chosen, aim.measured, found.value, found.bound, found.proven, gap)


def _least_far(study: Study, aim: Aim) -> Answer:
    found = solve_centre(access_question(study, aim, split=True), time_limit_s=aim.time_limit_s)
    if found is None:
        raise nothing_affordable(study, aim)
    gap = (found.limit - found.bound) / max(1e-9, found.limit)
    chosen = (_plain_points(study, found.open_sites),)
    return Answer(chosen, aim.measured, found.limit, found.bound, found.proven, gap)


# --- Capacities ----------------------------------------------------------------------------------------------------


def _with_capacities(study: Study, aim: Aim, *, explain: bool) -> Answer:
    if aim.asks_fewest:
        return _fewest_with_room(study, aim, explain=explain)
    if aim.goal == "centre":
        return _least_far_with_room(study, aim, explain=explain)
    if aim.years or aim.goal == "tail" or aim.within_min is not None or study.minutes.shape[0] > 1:
        return _best_with_room(study, aim, explain=explain)
    question = capacity_question(study, aim)
    found = solve_capacitated(question, gap=aim.gap, time_limit_s=aim.time_limit_s)
    if not found.options:
        raise no_room(study, aim, capacity_remedy(question)) if explain else unmet(aim)
    people = float(study.people[study.in_reach(aim.reach_min)].sum())
    return Answer(
        chosen=(_points_of_options(study, found.options),),
        measure=aim.measured,
        value=found.cost / people,
        bound=found.bound / people,
        proven=found.proven,
        gap=found.gap,
        served=_settlements_served(study, aim, found.served),
    )


def _best_with_room(study: Study, aim: Aim, *, explain: bool) -> Answer:
    """Answer with capacities over years and days, for mean, worst-off share or people within a limit."""
    question = room_question(study, aim, within_min=aim.within_min)
    found = solve_room(question, gap=aim.gap, time_limit_s=aim.time_limit_s)
    if not found.options:
        if not found.infeasible:
            raise not_found_in_time(aim)
        if not explain:
            raise unmet(aim)
        total = replace(aim, open_n=sum(aim.years) if aim.years else aim.open_n, years=())
        raise no_room(study, total, capacity_remedy(capacity_question(study, total)))
    served = found.served
    if aim.within_min is not None:
        served = _nearest_covered(study, aim, question, found.options[-1], served)
    chosen = tuple(_points_of_options(study, options) for options in found.options)
    served = _settlements_served(study, aim, served)
    return Answer(chosen, aim.measured, found.value, found.bound, found.proven, found.gap, served)


def _nearest_covered(
    study: Study,
    aim: Aim,
    question: RoomQuestion,
    options: tuple[int, ...],
    served: tuple[IntArray, IntArray, FloatArray],
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return who goes where, as near as can be, without taking anyone out of the limit."""
    minutes = room_question(study, aim).access[:, 0]
    counted = COVERED_FIRST * question.access[:, 0] + minutes
    cost = np.where(question.usable[0], np.einsum("gn,gnm->nm", question.weight, counted), np.inf)
    room = replace(question.room, cost=cost)
    client, site, share = served
    known = Assignment(client, site, share, float((share * cost[client, site]).sum()))
    found = assign_split_exactly(room, options, known)
    return found.client, found.site, found.share


def _fewest_with_room(study: Study, aim: Aim, *, explain: bool) -> Answer:
    question = room_question(study, aim)
    limit = aim.within_min or 0.0
    found = fewest_with_room(question, limit, time_limit_s=aim.time_limit_s)
    if not found.options:
        if not found.infeasible:
            raise not_found_in_time(aim)
        raise no_room_within(study, aim) if explain else unmet(aim)
    chosen = (_points_of_options(study, found.options[0]),)
    served = _settlements_served(study, aim, found.served)
    return Answer(chosen, aim.measured, found.value, found.bound, found.proven, found.gap, served)


def _least_far_with_room(study: Study, aim: Aim, *, explain: bool) -> Answer:
    found = farthest_with_room(room_question(study, aim), time_limit_s=aim.time_limit_s)
    if found is None:
        raise no_room(study, aim, capacity_remedy(capacity_question(study, aim))) if explain else unmet(aim)
    gap = (found.limit - found.bound) / max(1e-9, found.limit)
    chosen = (_points_of_options(study, found.options),)
    served = _settlements_served(study, aim, found.served)
    return Answer(chosen, aim.measured, found.limit, found.bound, found.proven, gap, served)


def _settlements_served(
    study: Study, aim: Aim, served: tuple[IntArray, IntArray, FloatArray]
) -> tuple[IntArray, IntArray, FloatArray]:
    client, site, share = served
    return np.flatnonzero(study.in_reach(aim.reach_min))[client], site, share


def _points_of_options(study: Study, chosen: tuple[int, ...]) -> Chosen:
    options = [(j, k) for j, place in enumerate(study.candidates) for k in range(len(place.kinds))]
    return tuple(sorted(options[o] for o in chosen))
