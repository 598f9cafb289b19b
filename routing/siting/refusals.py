"""What a siting study refuses: senseless aims, and those that cannot be met, with the least that would do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geodata.errors import Fault, InputError
from routing.fault_codes import FaultCode
from routing.siting.question import BoolArray
from routing.siting.questions import must_open_sites, room_question
from routing.siting.reach import ELDERLY_FACTOR
from routing.siting.remedies import Remedy, capacity_remedy
from routing.siting.room import farthest_with_room
from routing.siting.study import Aim, Study

REMEDY_S = 30.0
"""Seconds for finding the least that would do."""


def _fault(option: str, value: object, reason: str, remedy: str, code: FaultCode = FaultCode.OUT_OF_RANGE) -> Fault:
    return Fault(code, "command line", reason, remedy, field=option, value=str(value))


def check_aim(study: Study, aim: Aim) -> None:
    """Raise InputError if the aim is senseless or names unknown places."""
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
    faults += _not_combined(study, aim)
    if not study.in_reach(aim.reach_min).any():
        remedy = "Give candidates nearer to people, or a longer --reach."
        faults.append(_fault("--reach", aim.reach_min, "no settlement is in reach of any candidate", remedy))
    if faults:
        raise InputError(faults)


def _not_combined(study: Study, aim: Aim) -> list[Fault]:
    """Return a fault for each pair of wishes that no one model weighs, with what to ask instead."""
    pairs = []
    if aim.years and aim.open_n is not None:
        pairs.append(("--open", "the years say already how many points open", "Leave out --open, or --years."))
    if aim.within_min is not None and aim.goal != "mean":
        reason = "a limit in minutes asks how many people are within it, which is another question than a goal"
        pairs.append(("--goal", reason, "Leave out --goal, or --within and compare the people within it."))
    if aim.goal == "centre" and aim.years:
        reason = "the farthest walk is not weighed over years"
        remedy = "Ask --goal tail with --years, or --goal centre with --open for the whole and --years for the order."
        pairs.append(("--goal", reason, remedy))
    if aim.capacities and study.minutes.shape[0] > 1 and (aim.asks_fewest or aim.goal == "centre"):
        reason = "with capacities, the fewest points and the farthest walk are weighed on the usual day only"
        remedy = (
            "Leave out --closure and --lost-line, or --capacities; or ask how many people --open N or --budget B "
            "brings within the limit, or --goal tail: these take them all."
        )
        pairs.append(("--capacities", reason, remedy))
    return [
        Fault(FaultCode.BAD_ARGUMENTS, "command line", reason, remedy, field=option) for option, reason, remedy in pairs
    ]


def nothing_affordable(study: Study, aim: Aim) -> InputError:
    """Return the refusal where points and money admit nothing."""
    prices = [kind.opening_cost for place in study.candidates for kind in place.kinds]
    must = must_open_sites(study, aim)
    least = sum(min(kind.opening_cost for kind in study.candidates[j].kinds) for j in must) or min(prices, default=0.0)
    points = max(1, sum(not study.candidates[j].existing for j in must))
    reason = "the limits admit no point at all"
    remedy = f"The least that would do: {points} points and {least / 100:,.2f} of money."
    return InputError([_fault("--open, --budget", f"{aim.open_n}, {aim.budget}", reason, remedy)])


def not_coverable(study: Study, aim: Aim, remedy: Remedy) -> InputError:
    """Return the refusal where no candidates bring everyone within the limit."""
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


def no_room(study: Study, aim: Aim, remedy: Remedy) -> InputError:
    """Return the refusal where the points cannot hold the parcels."""
    kept = np.flatnonzero(study.in_reach(aim.reach_min))
    least = []
    if remedy.points is not None:
        least.append(f"{remedy.points} points" + (" with the money given" if aim.budget is not None else ""))
    if remedy.money is not None:
        given = " with the points given" if aim.open_n is not None else ""
        least.append(f"{remedy.money / 100:,.2f} of money{given}")
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


def no_room_within(study: Study, aim: Aim) -> InputError:
    """Return the refusal where every point, as large as it can be, leaves someone without room within the limit."""
    every = replace(aim, open_n=None, budget=None, within_min=None)
    question = room_question(study, every)
    found = farthest_with_room(question, time_limit_s=REMEDY_S)
    if found is None:
        return no_room(study, every, capacity_remedy(question.room, time_limit_s=REMEDY_S))
    reason = f"the points cannot hold the parcels of everyone within {aim.within_min:g} min at their own pace"
    remedy = (
        f"The least that would do: {np.ceil(10.0 * found.limit) / 10.0:.1f} min. Or add candidates, or roomier kinds."
    )
    return InputError([_fault("--within", aim.within_min, reason, remedy)])


def not_found_in_time(aim: Aim) -> InputError:
    """Return the refusal where the time ended before any choice was found, nor that there is none."""
    reason = "no choice was found within the time, and none was proven impossible"
    remedy = "Give a longer --time-limit, fewer candidates or kinds, or a shorter --reach."
    return InputError([_fault("--time-limit", aim.time_limit_s, reason, remedy)])


def unmet(aim: Aim) -> InputError:
    """Return the refusal of an aim that cannot be met, where nobody asks for the least that would do."""
    return InputError([_fault("--open, --budget", f"{aim.open_n}, {aim.budget}", "it cannot be met", "Ask for less.")])
