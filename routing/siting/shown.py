"""What tables, report and map show alike: the sets of points, today's among them, and the ways people walk."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from routing.siting.front import Member
from routing.siting.outcome import SiteOutcome
from routing.siting.question import FloatArray
from routing.siting.study import Answer, Chosen, Figures, figures_of

Use = tuple[int, int, float, float]


def existing_points(outcome: SiteOutcome) -> Chosen:
    """Return the points that are there now."""
    return tuple((j, 0) for j, place in enumerate(outcome.study.candidates) if place.existing)


def shown_members(outcome: SiteOutcome) -> tuple[Member, ...]:
    """Return the sets the map's slider walks: the front, and the answer itself where the front has a better trade."""
    chosen = outcome.answer.chosen[-1]
    members = outcome.front.members
    if any(member.chosen == chosen for member in members):
        return members
    archived = [member for member in outcome.front.archive if member.chosen == chosen]
    own = archived or [Member(chosen, figures_of(outcome.study, outcome.request.aim, outcome.answer), outcome.answer)]
    return tuple(sorted((*members, own[0]), key=lambda member: member.aims))


def uses_of(outcome: SiteOutcome, chosen: Chosen, answer: Answer | None) -> list[Use]:
    """Return who uses which point of a set: as assigned where points have capacities, else the nearest in reach.

    Each entry is settlement, point, share of its people, and minutes of the usual day.
    """
    study = outcome.study
    if answer is not None and answer.served is not None and answer.chosen[-1] == chosen:
        client, site, share = answer.served
        minutes = study.minutes[0][client, site]
        return list(zip(client.tolist(), site.tolist(), share.tolist(), minutes.tolist(), strict=True))
    nearest, minutes = study.nearest(chosen)
    inside = np.flatnonzero(minutes <= outcome.request.aim.reach_min)
    return [(int(i), int(nearest[i]), 1.0, float(minutes[i])) for i in inside]


def catchment_ways(outcome: SiteOutcome) -> dict[tuple[int, int], FloatArray]:
    """Return the real foot path of each settlement to the point it uses, in every set shown, today's among them."""
    now = existing_points(outcome)
    shown = [uses_of(outcome, member.chosen, member.answer) for member in shown_members(outcome)]
    shown.append(uses_of(outcome, outcome.answer.chosen[-1], outcome.answer))
    shown += [uses_of(outcome, now, None)] if now else []
    pairs = dict.fromkeys((i, j) for uses in shown for i, j, _, _ in uses)
    found = outcome.reach.ways(list(pairs))
    return {pair: way for pair, way in zip(pairs, found, strict=True) if way is not None}


def figures_content(figures: Figures) -> dict[str, Any]:
    """Return figures ready for JSON, rounded for reading."""
    content = {key: round(value, 3) for key, value in asdict(figures).items() if key != "people_within"}
    return {**content, "people_within": {f"{limit:g}": round(people, 1) for limit, people in figures.people_within}}
