"""Access that depends on the time: ``access:conditional`` and its like, parsed where they can be.

Read are closing clauses of the tags access, vehicle, motor_vehicle, motorcar, hgv, goods, foot and maxweight with
``:conditional``, whose condition is made of months or days of the year, weekdays, times of day, and ``weight>``, joined
by AND: ``no @ (Nov 15-Apr 30)``, ``no @ (Mo-Fr 07:00-09:00,16:00-19:00)``, ``3.5 @ (22:00-06:00)``,
``no @ (weight>7.5)``. Clauses that open a road (``yes @ …``) or speak of snow, winter, sunset or the like are counted
and ignored: the plain tags hold. (OpenStreetMap wiki, Conditional restrictions and Key:opening_hours.)
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geodata.access_kinds import ACCESS_VALUE

if TYPE_CHECKING:
    from geodata.profile_type import Profile
    from geodata.streets import BoolArray, StreetNetwork

DAY_S = 86_400
WORK_FROM_S, WORK_UNTIL_S = 6 * 3600, 20 * 3600
"""Working day against which times of day are held: a road closed at night stays open to who works by day."""
_MODES_OF_KEY = {
    "access": ("motor", "heavy", "foot"),
    "vehicle": ("motor", "heavy"),
    "motor_vehicle": ("motor", "heavy"),
    "motorcar": ("motor",),
    "hgv": ("heavy",),
    "goods": ("heavy",),
    "foot": ("foot",),
    "maxweight": ("motor", "heavy"),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_MONTH = "(?:" + "|".join(_MONTHS) + ")"
_WEEKDAY = "(?:" + "|".join(_WEEKDAYS) + ")"
_DAY = r"(?: \d\d?(?![\d:]))?"
_DATES = re.compile(rf"{_MONTH}{_DAY}(?: ?- ?(?:{_MONTH}{_DAY}|\d\d?(?![\d:])))?")
_TIMES = re.compile(r"(\d\d?):(\d\d) ?- ?(\d\d?):(\d\d)")
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MonthDay = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a clause holds, and for whom; an empty field holds always.

    Parameters
    ----------
    dates
        (first, last) days of the year as (month, day), inclusive; the last may lie before the first (over New Year).
    weekdays
        0 (Monday) to 6.
    times
        (from, until) in seconds after midnight; until ≤ from runs past midnight.
    above_kg
        Binds vehicles of more gross mass only.
    """

    dates: tuple[tuple[MonthDay, MonthDay], ...] = ()
    weekdays: frozenset[int] = frozenset()
    times: tuple[tuple[int, int], ...] = ()
    above_kg: float = 0.0

    def holds(self, date: dt.date, from_s: int, until_s: int) -> bool:
        """Return whether the clause holds at some moment of [from_s, until_s) after midnight of a date."""
        return any(
            self._on(date + dt.timedelta(days=shift)) and self._at(from_s - shift * DAY_S, until_s - shift * DAY_S)
            for shift in range(-1, until_s // DAY_S + 1)
        )

    def _on(self, date: dt.date) -> bool:
        day = (date.month, date.day)
        in_dates = not self.dates or any(
            (first <= day <= last) if first <= last else (day >= first or day <= last) for first, last in self.dates
        )
        return in_dates and (not self.weekdays or date.weekday() in self.weekdays)

    def _at(self, from_s: int, until_s: int) -> bool:
        """Return whether a span of time that begins on this day meets [from_s, until_s)."""
        spans = self.times or ((0, DAY_S),)
        return any(start < until_s and from_s < (end if end > start else end + DAY_S) for start, end in spans)


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One closing clause: whom it binds, what is left, when.

    `kind` is the access kind while it holds (``no``, ``destination``, ``private``, ``agricultural``), or "" for a limit
    of `max_weight_kg`.
    """

    modes: tuple[str, ...]
    kind: str
    condition: Condition
    max_weight_kg: float = np.inf
    way_id: int = 0

    def binds(self, profile: Profile) -> bool:
        """Return whether the clause, while it holds, keeps a profile off the way."""
        if profile.mode not in self.modes or profile.gross_kg <= self.condition.above_kg:
            return False
        return self.kind not in profile.access if self.kind else profile.gross_kg > self.max_weight_kg


def read_access_rules(tags: Mapping[str, str]) -> tuple[tuple[AccessRule, ...], int]:
    """Return the closing clauses of a way's tags, and how many clauses were left out."""
    rules: list[AccessRule] = []
    left_out = 0
    for key, value in tags.items():
        if not key.endswith(":conditional"):
            continue
        name = key.removesuffix(":conditional")
        for clause in re.findall(r"[^;(]+(?:\([^)]*\))?", value):
            if "@" not in clause:
                continue
            rule = _rule(name, clause) if name in _MODES_OF_KEY else None
            if rule is None:
                left_out += 1
            else:
                rules.append(rule)
    return tuple(rules), left_out


def _rule(key: str, clause: str) -> AccessRule | None:
    what, _, when = clause.partition("@")
    condition = parse_condition(when)
    if condition is None:
        return None
    what = what.strip().lower()
    if key == "maxweight":
        tonnes = re.fullmatch(r"(\d+(?:\.\d+)?)\s*t?", what)
        if tonnes is None:
            return None
        return AccessRule(_MODES_OF_KEY[key], "", condition, max_weight_kg=float(tonnes[1]) * 1000.0)
    kind = ACCESS_VALUE.get(what, "yes")
    return None if kind == "yes" else AccessRule(_MODES_OF_KEY[key], kind, condition)


def parse_condition(text: str) -> Condition | None:
    """Return the condition of a clause, None where any part of it is not understood."""
    merged = Condition()
    for part in re.split(r"\band\b", text.strip().strip("()").lower()):
        found = _parse_part(part.strip())
        if found is None:
            return None
        merged = Condition(
            merged.dates + found.dates,
            merged.weekdays | found.weekdays,
            merged.times + found.times,
            max(merged.above_kg, found.above_kg),
        )
    return None if merged == Condition() else merged


def _parse_part(text: str) -> Condition | None:
    """Return the condition of ``[dates] [weekdays] [times]`` or ``weight>t``; None for anything else."""
    weight = re.fullmatch(r"weight ?> ?(\d+(?:\.\d+)?) ?t?", text)
    if weight is not None:
        return Condition(above_kg=float(weight[1]) * 1000.0)
    dates = tuple(_date_span(match[0]) for match in _DATES.finditer(text))
    rest = _DATES.sub("", text)
    times = tuple(
        (int(match[1]) * 3600 + int(match[2]) * 60, int(match[3]) * 3600 + int(match[4]) * 60)
        for match in _TIMES.finditer(rest)
    )
    rest = _TIMES.sub("", rest).strip(" ,:")
    weekdays = _weekdays(rest) if rest else frozenset()
    if weekdays is None or None in dates or any(max(span) > DAY_S for span in times):
        return None
    return Condition(tuple(span for span in dates if span is not None), weekdays, times)


def _date_span(text: str) -> tuple[MonthDay, MonthDay] | None:
    """Return the first and last day of ``nov``, ``nov-apr``, ``nov 15``, ``nov 15-apr 30`` or ``jul 1-15``."""
    first, _, last = (part.strip() for part in text.partition("-"))
    month, _, day = first.partition(" ")
    begin = (_MONTHS.index(month) + 1, int(day or 1))
    if not last:
        end = (begin[0], int(day) if day else _LAST_DAYS[begin[0] - 1])
    elif last.isdigit():
        end = (begin[0], int(last))
    else:
        month, _, day = last.partition(" ")
        number = _MONTHS.index(month) + 1
        end = (number, int(day) if day else _LAST_DAYS[number - 1])
    sound = all(1 <= day <= _LAST_DAYS[month - 1] for month, day in (begin, end))
    return (begin, end) if sound else None


def _weekdays(text: str) -> frozenset[int] | None:
    """Return the weekdays of ``mo-fr`` or ``sa,su``, None for anything else."""
    days: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(rf"({_WEEKDAY})(?: ?- ?({_WEEKDAY}))?", part.strip())
        if match is None:
            return None
        first = _WEEKDAYS.index(match[1])
        last = _WEEKDAYS.index(match[2]) if match[2] else first
        days |= {day % 7 for day in range(first, (last if last >= first else last + 7) + 1)}
    return frozenset(days)


def conditionally_closed(
    network: StreetNetwork,
    profile: Profile,
    date: dt.date,
    from_s: int = WORK_FROM_S,
    until_s: int = WORK_UNTIL_S,
) -> BoolArray:
    """Return the edges conditional access closes to a profile at some moment of [from_s, until_s) of a date.

    Returns
    -------
    numpy.ndarray
        bool, shape (m,); or it to what closures close.
    """
    ways = sorted(
        {
            rule.way_id
            for rule in network.access_rules
            if rule.binds(profile) and rule.condition.holds(date, from_s, until_s)
        }
    )
    return np.isin(network.edge_way_id, ways)


def rules_of_ways(found: Mapping[int, tuple[AccessRule, ...]]) -> tuple[AccessRule, ...]:
    """Return the clauses of all ways, each with its way's id."""
    return tuple(replace(rule, way_id=way) for way in sorted(found) for rule in found[way])
