"""A planner's aim as questions of the models: arrays of access, people, parcels, prices and limits."""

from __future__ import annotations

import numpy as np

from routing.siting.question import AccessQuestion, CapacityQuestion
from routing.siting.reach import ELDERLY_FACTOR
from routing.siting.room import RoomQuestion
from routing.siting.study import NOT_WALKED, TAIL_SHARE, Aim, Study, walked


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
    usual = walked(study.minutes[:, kept], longest)
    slow = walked(study.minutes[:, kept] / ELDERLY_FACTOR, longest)
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
        must_open=must_open_sites(study, aim),
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


def must_open_sites(study: Study, aim: Aim) -> tuple[int, ...]:
    """Return the sites open in any case: existing ones that stay, and those named."""
    kept = [] if aim.closable else [k for k, place in enumerate(study.candidates) if place.existing]
    named = [study.index[name] for name in aim.must_open]
    closed = {study.index[name] for name in aim.closed}
    return tuple(k for k in dict.fromkeys([*kept, *named]) if k not in closed)


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
        must_open=must_open_sites(study, aim),
        closed=tuple(study.index[name] for name in aim.closed),
    )


def room_question(study: Study, aim: Aim, *, within_min: float | None = None) -> RoomQuestion:
    """Return the aim as a question with capacities over years and days.

    Parameters
    ----------
    within_min
        Access is 0 for those within so many minutes at their own pace and 1 for others; absent: minutes.
    """
    kept = study.in_reach(aim.reach_min)
    minutes, old = study.minutes[:, kept], study.elderly[kept]
    if within_min is None:
        access = np.stack([walked(minutes, aim.reach_min), walked(minutes / ELDERLY_FACTOR, aim.reach_min)])
        left_out = NOT_WALKED * aim.reach_min
    else:
        access = np.stack([minutes > within_min, minutes / ELDERLY_FACTOR > within_min]).astype(np.float64)
        left_out = 1.0
    return RoomQuestion(
        room=capacity_question(study, aim),
        access=access,
        usable=minutes <= aim.reach_min,
        weight=np.stack([study.people[kept] - old, old]),
        left_out=left_out,
        limits=access_question(study, aim),
    )
