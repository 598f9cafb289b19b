"""Directions of a bus line from its relation on the map: which halts a run calls at, out and back, in which order.

Mappers list the stops of a line in many ways: one relation per direction, one for both that runs out and back, or one
along the road with the platforms of both sides mixed and forgotten stops at the end. Everything here only orders what
is listed; no stop and no line is added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geodata.location import great_circle_m
from geodata.matrix import TravelMatrix
from geodata.osm_features import OsmBusLine, OsmBusStop
from routing.generation.population import plain_name

SAME_HALT_M = 120.0
"""Stops this near are two sides of one halt."""
SAME_NAME_HALT_M = 300.0
"""… or this near if they share their name (house and stop numbers aside)."""
CLOSES_M = 1_000.0
"""A list of stops that ends this near to where it starts runs out and back, or round."""
DETOUR = 1.4
"""Road over straight distance where the street network gives no time (domain notes 2d, the lower end)."""
FALLBACK_M_S = 30 / 3.6
"""Speed of a bus where the street network gives no time (town and village roads, domain notes 2d)."""

Halt = tuple[OsmBusStop, ...]
"""Stops that are one halt, such as the platforms on both sides of the road, as listed."""


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of a line: stops in driving order, and seconds of driving from each to the next."""

    name: str
    stops: tuple[OsmBusStop, ...]
    driving_s: tuple[int, ...]


class DrivingTimes:
    """Seconds of driving between bus stops, by the street network where it has a way, else by the straight line."""

    def __init__(self, matrix: TravelMatrix) -> None:
        self._matrix = matrix

    def seconds(self, start: OsmBusStop, end: OsmBusStop) -> int:
        """Return the seconds from stop to stop."""
        if self.is_known(start, end):
            index = self._matrix.index
            return int(self._matrix.duration_s[index[start.osm_id], index[end.osm_id]])
        return round(metres_between(start, end) * DETOUR / FALLBACK_M_S)

    def is_known(self, start: OsmBusStop, end: OsmBusStop) -> bool:
        """Return whether the street network leads from stop to stop."""
        index = self._matrix.index
        return bool(self._matrix.reachable[index[start.osm_id], index[end.osm_id]])

    def between(self, start: Halt, end: Halt) -> int:
        """Return the least seconds from any stop of one halt to any of another."""
        return min(self.seconds(a, b) for a in start for b in end)


def metres_between(one: OsmBusStop, other: OsmBusStop) -> float:
    """Return the straight distance of two stops in metres."""
    return float(great_circle_m(np.array(one.lon), np.array(one.lat), np.array(other.lon), np.array(other.lat)))


def directions(line: OsmBusLine, times: DrivingTimes, *, has_counterpart: bool) -> tuple[list[Direction], str]:
    """Return the directions of a line and a sentence on how they were found.

    Parameters
    ----------
    line
        A bus relation.
    times
        Driving times between its stops.
    has_counterpart
        True if another relation of the same line runs the other way: this one is then only as listed.

    Returns
    -------
    tuple[list[Direction], str]
        No direction if the line has fewer than two halts in the extract.
    """
    by_role = _by_direction_role(line)
    if by_role is not None:
        halts = [_halts(stops) for stops in by_role]
        if min(len(h) for h in halts) >= 2:
            return [_direction("out", halts[0], times), _direction("back", halts[1], times)], "directions by roles"
    halts_listed = _halts([member.stop for member in line.stops])
    if len(halts_listed) < 2:
        return [], "fewer than two halts in the extract"
    if has_counterpart:
        return [_direction("out", halts_listed, times)], "one direction, as listed"
    if line.tags.get("roundtrip") == "yes":
        return [_direction("round", halts_listed, times)], "a round, as listed"
    out, back, how = _out_and_back(halts_listed, times)
    return [_direction("out", out, times), _direction("back", back, times)], how


def have_counterparts(lines: Sequence[OsmBusLine]) -> set[str]:
    """Return the ids of relations that another relation of the same name and company runs the other way."""
    found: set[str] = set()
    by_line: dict[tuple[str, str], list[OsmBusLine]] = {}
    for line in lines:
        if len(line.stops) >= 2:
            company = line.tags.get("operator") or line.tags.get("network") or ""
            by_line.setdefault((plain_name(line.tags.get("ref") or ""), company), []).append(line)
    for (ref, _), group in by_line.items():
        for line in group:
            for other in group:
                if ref and line is not other and _is_reverse(line, other):
                    found.add(line.osm_id)
    return found


def _is_reverse(line: OsmBusLine, other: OsmBusLine) -> bool:
    starts = metres_between(line.stops[0].stop, other.stops[-1].stop)
    ends = metres_between(line.stops[-1].stop, other.stops[0].stop)
    length = metres_between(line.stops[0].stop, line.stops[-1].stop)
    return max(starts, ends) <= CLOSES_M < length


def _by_direction_role(line: OsmBusLine) -> tuple[list[OsmBusStop], list[OsmBusStop]] | None:
    """Return stops of the roles ``forward…`` and ``backward…`` (the latter turned round), None without such roles."""
    forward = [m.stop for m in line.stops if not m.role.startswith("backward")]
    backward = [m.stop for m in line.stops if not m.role.startswith("forward")]
    if not any(m.role.startswith(("forward", "backward")) for m in line.stops):
        return None
    return forward, backward[::-1]


def _halts(stops: Sequence[OsmBusStop]) -> list[Halt]:
    """Join neighbouring stops of the list that are one halt."""
    halts: list[list[OsmBusStop]] = []
    for stop in stops:
        if halts and any(_is_same_halt(stop, known) for known in halts[-1]):
            if stop not in halts[-1]:
                halts[-1].append(stop)
        else:
            halts.append([stop])
    return [tuple(halt) for halt in halts]


def _is_same_halt(one: OsmBusStop, other: OsmBusStop) -> bool:
    apart_m = metres_between(one, other)
    names = [plain_name(re.sub(r"\d+", "", stop.name)) for stop in (one, other)]
    return apart_m <= SAME_HALT_M or (apart_m <= SAME_NAME_HALT_M and bool(names[0]) and names[0] == names[1])


def _out_and_back(listed: list[Halt], times: DrivingTimes) -> tuple[list[Halt], list[Halt], str]:
    """Split the list at the halt that takes longest to reach from the first.

    What follows the turn is the way back if it leads home and calls at half as many halts or more. Otherwise it holds
    stops out of order (or the few that lie only on the way back): each joins the way out where it costs the least
    detour, and the way back is the way out reversed.
    """
    # There and back, for one-way streets in towns make a halt near the end seem farther than the end itself.
    turn = max(
        range(len(listed)),
        key=lambda k: (times.between(listed[0], listed[k]) + times.between(listed[k], listed[0]), -k),
    )
    if turn == len(listed) - 1:
        return listed, listed[::-1], "the way back is the way out reversed"
    out, rest = listed[: turn + 1], listed[turn:]
    turned_at = f"out and back in one list, split at {listed[turn][0].name or listed[turn][0].osm_id}"
    if metres_between(listed[0][0], listed[-1][0]) <= CLOSES_M and 2 * len(rest) >= len(out):
        return out, rest, turned_at
    for halt in rest[1:]:
        _insert(out, halt, times)
    return out, out[::-1], f"{turned_at}; the {len(rest) - 1} halts after it were put in order of the road"


def _insert(halts: list[Halt], halt: Halt, times: DrivingTimes) -> None:
    """Put a halt where it costs the least detour, or join it to the halt it belongs to."""
    for k, known in enumerate(halts):
        if any(_is_same_halt(stop, other) for stop in halt for other in known):
            halts[k] = (*known, *(stop for stop in halt if stop not in known))
            return
    detours = [times.between(halt, halts[0])]
    detours += [
        times.between(before, halt) + times.between(halt, after) - times.between(before, after)
        for before, after in pairwise(halts)
    ]
    detours.append(times.between(halts[-1], halt))
    halts.insert(int(np.argmin(detours)), halt)


def _direction(name: str, halts: Sequence[Halt], times: DrivingTimes) -> Direction:
    """Choose one stop of each halt so that the whole run is fastest: the platform on the right side of the road."""
    best: dict[str, tuple[int, list[OsmBusStop]]] = {stop.osm_id: (0, [stop]) for stop in halts[0]}
    for halt in halts[1:]:
        reached: dict[str, tuple[int, list[OsmBusStop]]] = {}
        for stop in halt:
            ways = [(total + times.seconds(run[-1], stop), run) for total, run in best.values()]
            total, run = min(ways, key=lambda way: (way[0], [s.osm_id for s in way[1]]))
            reached[stop.osm_id] = (total, [*run, stop])
        best = reached
    _, stops = min(best.values(), key=lambda way: (way[0], [s.osm_id for s in way[1]]))
    legs = [times.seconds(a, b) for a, b in pairwise(stops)]
    return Direction(name, tuple(stops), tuple(legs))


def headway_s(tags: Mapping[str, str]) -> int | None:
    """Return the tagged ``interval`` in seconds (``30``, ``00:30``, ``00:30:00``, ``PT30M``), None if there is none."""
    text = tags.get("interval", "").strip()
    if re.fullmatch(r"\d{1,4}", text):
        seconds = int(text) * 60
    elif match := re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text):
        seconds = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    elif match := re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?", text):
        seconds = int(match[1] or 0) * 3600 + int(match[2] or 0) * 60
    else:
        return None
    return seconds if 300 <= seconds <= 86_400 else None


@dataclass(frozen=True, slots=True)
class Hours:
    """When a line runs: weekdays (Monday first) and the span of departures in seconds after midnight."""

    weekdays: tuple[bool, ...]
    first_s: int
    last_s: int


_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def service_hours(tags: Mapping[str, str]) -> Hours | None:
    """Return days and hours of the first rule of ``opening_hours`` or ``service_times``; None if not understood."""
    text = tags.get("opening_hours") or tags.get("service_times") or ""
    match = re.match(r"\s*([A-Za-z,\- ]*?)\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", text)
    if match is None:
        return None
    days = _weekdays(match[1])
    first_s, last_s = (int(match[k]) * 3600 + int(match[k + 1]) * 60 for k in (2, 4))
    return Hours(days, first_s, last_s) if days is not None and first_s < last_s <= 30 * 3600 else None


def _weekdays(text: str) -> tuple[bool, ...] | None:
    """Return the weekdays of ``Mo-Fr,Su``; all for an empty text, None where not understood."""
    if not text:
        return (True,) * 7
    days = [False] * 7
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first == "PH":
            continue
        if first not in _DAYS or (last and last not in _DAYS):
            return None
        k, end = _DAYS.index(first), _DAYS.index(last or first)
        days[k] = True
        while k != end:
            k = (k + 1) % 7
            days[k] = True
    return tuple(days)
