"""Times for a route whose stops are given: windows may be missed, by as few seconds in all as can be.

A stop before the next one, travel between, and bounds given by hand always hold. Least is the sum of seconds before and
after windows, each weighing as much as the route's travel and work together, plus the seconds from start to end; of all
times as good the earliest are taken. VROOM's plan mode asks the same question of a mixed-integer program.

With the seconds of travel and work before each stop taken off, times only have to ascend, and the best ones lie at an
end of some window or bound: so a table over stops and these moments finds the optimum exactly, in whole seconds. Travel
may be split by breaks, which makes two moments of each of their ends: all of the travel still to come, or all done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.visits import IntArray, Window

MAX_CELLS = 10_000_000
"""Largest table; a thousand stops with two windows each need half of it."""
_NEVER = 2**60
_LATEST_S = 2**44


@dataclass(frozen=True)
class GivenStop:
    """A stop of a given route, of which the first is its start and the last its end.

    Parameters
    ----------
    windows
        Closed intervals its time should lie in, ascending; empty: any time.
    action_s
        Seconds the stop lasts from its time on.
    travel_s
        Seconds of travel to it from the last stop before it that is no break.
    is_break
        Whether it is taken somewhere on the way, which its `travel_s` of 0 leaves open.
    not_before, not_after
        Bounds that hold whatever they cost.
    """

    windows: tuple[Window, ...] = ()
    action_s: int = 0
    travel_s: int = 0
    is_break: bool = False
    not_before: int = 0
    not_after: int = _LATEST_S


@dataclass(frozen=True)
class _Leg:
    """From one stop that is no break to the next: the breaks between, and the stop it leads to."""

    breaks: tuple[GivenStop, ...]
    lead_s: tuple[int, ...]
    """Travel and work before each break from the beginning of the route, without the travel of this leg."""
    stop: GivenStop
    before_s: int
    """Travel and work before the stop from the beginning of the route."""


def choose_times(stops: Sequence[GivenStop]) -> list[int] | None:
    """Return the time of each stop of a given route.

    Returns
    -------
    list[int] | None
        None if the bounds given cannot all hold.

    Raises
    ------
    ValueError
        If the windows are too many to be weighed against each other.
    """
    legs = _legs(stops)
    moments = _moments(stops[0], legs)
    breaks = sum(len(leg.breaks) for leg in legs)
    if len(moments) * (len(legs) + 2 * len(moments) * min(1, breaks)) > MAX_CELLS:
        msg = "the route has too many time windows"
        raise ValueError(msg)
    weight = _weight(stops, moments)
    tables = [_sum(_cost(stops[0], moments, weight), -moments)]
    for leg in legs:
        before = _before(tables[-1], leg, moments, weight)
        tables.append(_sum(_cost(leg.stop, moments + leg.before_s, weight), before.min(axis=0)))
    tables[-1] = _sum(tables[-1], moments)
    best = int(np.argmin(tables[-1]))
    return None if tables[-1][best] >= _NEVER else _traced(legs, tables, moments, weight, best)


def wait_over(time_s: int, windows: Sequence[Window]) -> tuple[int, int]:
    """Return the seconds a time lies before the window nearest to it, and after it; at most one of them is not 0."""
    return min(((max(0, begin - time_s), max(0, time_s - end)) for begin, end in windows), key=sum, default=(0, 0))


def _legs(stops: Sequence[GivenStop]) -> list[_Leg]:
    legs = []
    passed_s, breaks, leads = stops[0].action_s, list[GivenStop](), list[int]()
    for stop in stops[1:]:
        if stop.is_break:
            breaks.append(stop)
            leads.append(passed_s)
        else:
            passed_s += stop.travel_s
            legs.append(_Leg(tuple(breaks), tuple(leads), stop, passed_s))
            breaks, leads = [], []
        passed_s += stop.action_s
    return legs


def _moments(start: GivenStop, legs: Sequence[_Leg]) -> IntArray:
    """Return the times at which a best one can lie, less travel and work before the stop, ascending."""
    found = {0, *_ends(start)}
    for leg in legs:
        found |= {end - leg.before_s for end in _ends(leg.stop)}
        for stop, lead_s in zip(leg.breaks, leg.lead_s, strict=True):
            found |= {end - lead_s - driven_s for end in _ends(stop) for driven_s in (0, leg.stop.travel_s)}
    return np.array(sorted(moment for moment in found if moment >= 0), dtype=np.int64)


def _ends(stop: GivenStop) -> list[int]:
    return [end for window in (*stop.windows, (stop.not_before, stop.not_after)) for end in window if end < _LATEST_S]


def _weight(stops: Sequence[GivenStop], moments: IntArray) -> int:
    """Return what a second outside of windows costs in seconds of the route, so that all costs can be counted."""
    lasts_s = sum(stop.travel_s + stop.action_s for stop in stops)
    latest_s = max(lasts_s + int(moments[-1]), *(end for stop in stops for end in _ends(stop)))
    return max(1, min(lasts_s or latest_s, _NEVER // (4 * len(stops) * max(1, latest_s))))


def _cost(stop: GivenStop, times: IntArray, weight: int) -> IntArray:
    """Return what each time of a stop costs: that of the window nearest; `_NEVER` outside of its bounds."""
    missed = np.zeros(len(times), dtype=np.int64)
    if stop.windows:
        begin, end = np.array(stop.windows, dtype=np.int64).T
        following = np.searchsorted(end, times)  # the first window that is not over
        early = np.append(begin, _LATEST_S)[following] - times
        late = times - np.append(-_LATEST_S, end)[following]
        missed = np.minimum(early.clip(0), late)
    priced: IntArray = np.where((times < stop.not_before) | (times > stop.not_after), _NEVER, weight * missed)
    return priced


def _sum(costs: IntArray, more: IntArray) -> IntArray:
    return (costs + more).clip(max=_NEVER)


def _before(table: IntArray, leg: _Leg, moments: IntArray, weight: int) -> IntArray:
    """Return the cost before a leg's end, of shape (moments of its beginning, moments of its end).

    Without breaks on the way the first axis has length 1: the best beginning alone.
    """
    if not leg.breaks:
        least: IntArray = np.minimum.accumulate(table)
        return least[np.newaxis]
    *_, (times, costs) = _over_breaks(table, leg, moments, moments, weight)
    found = _earlier(times, costs, moments + leg.before_s - leg.breaks[-1].action_s)
    return np.where(moments[:, np.newaxis] > moments, _NEVER, found)


def _over_breaks(
    table: IntArray, leg: _Leg, begins: IntArray, moments: IntArray, weight: int
) -> list[tuple[IntArray, IntArray]]:
    """Return for each break of a leg its times, and the cost up to it of shape (begins, times)."""
    found: list[tuple[IntArray, IntArray]] = []
    for number, (stop, lead_s) in enumerate(zip(leg.breaks, leg.lead_s, strict=True)):
        times = np.unique(np.concatenate((moments, moments + leg.stop.travel_s))) + lead_s
        if number == 0:
            before = np.where(begins[:, np.newaxis] + lead_s > times, _NEVER, table[:, np.newaxis])
        else:
            before = _earlier(*found[-1], times - leg.breaks[number - 1].action_s)
        found.append((times, _sum(before, _cost(stop, times, weight))))
    return found


def _earlier(times: IntArray, costs: IntArray, until: IntArray) -> IntArray:
    """Return the least of costs of shape (begins, times) up to each of other times."""
    least = np.minimum.accumulate(costs, axis=1)
    number = np.searchsorted(times, until, side="right") - 1
    return np.where(number < 0, _NEVER, least[:, number])


def _traced(legs: Sequence[_Leg], tables: Sequence[IntArray], moments: IntArray, weight: int, best: int) -> list[int]:
    """Return the times that led to the best end, each as early as it can be; from the last stop to the first."""
    found: list[int] = []
    for leg, table in zip(reversed(legs), reversed(tables[:-1]), strict=True):
        end_s = int(moments[best]) + leg.before_s
        found.append(end_s)
        if leg.breaks:
            best = int(np.argmin(_before(table, leg, moments, weight)[:, best]))
            over = _over_breaks(table[[best]], leg, moments[[best]], moments, weight)
            for stop, (times, costs) in zip(reversed(leg.breaks), reversed(over), strict=True):
                end_s = int(times[np.argmin(np.where(times + stop.action_s > end_s, _NEVER, costs[0]))])
                found.append(end_s)
        else:
            best = int(np.argmin(table[: best + 1]))
    return [int(moments[best]), *reversed(found)]
