"""The cheapest truck tours by what they reach: out-stops with the same in-stops count as one group."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from routing.solver.relay.arrays import COST, FIXED, Facts
from routing.solver.relay.day import RelayDay, ways_between
from routing.solver.relay.rounds import shorten

_MOST_SETS = 1_024
"""Sets of groups that tours reach at most."""
_MOST_STATES = 10_000


@dataclass(frozen=True, slots=True)
class Tour:
    """The cheapest tour from which some groups of out-stops (bits) can be reached, and its in-stops in order."""

    cost: float
    groups: int
    stops: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """Which out-stops buses reach from which in-stops."""

    group: tuple[int, ...]
    """Group of each out-stop; -1: no bus comes there."""
    of_stop: tuple[int, ...]
    """Groups (bits) reached from each in-stop."""


def reach_of(facts: Facts) -> Reach:
    """Return the groups of a day."""
    outs, ins = len(facts.courier), facts.drive.shape[1] - 1
    first = facts.ride_first
    boards = [frozenset(i for i in range(ins) if first[i * outs + o] < first[i * outs + o + 1]) for o in range(outs)]
    groups = sorted(set(boards) - {frozenset()}, key=sorted)
    number = {board: k for k, board in enumerate(groups)}
    of_stop = (sum(1 << k for k, board in enumerate(groups) if i in board) for i in range(ins))
    return Reach(tuple(number.get(board, -1) for board in boards), tuple(of_stop))


def best_tours(day: RelayDay, reach: Reach) -> list[Tour] | None:
    """Return the tours that no other beats in cost and reach, cheapest first; None: too many.

    Passing any place costs nothing but the way, and times are left out, so no tour of any length is cheaper.
    """
    ends = _search(day, reach)
    if ends is None or len(ends) > _MOST_SETS:
        return None
    kept: list[Tour] = []
    for tour in sorted(ends.values(), key=lambda tour: (tour.cost, tour.stops)):
        if not any(tour.groups & other.groups == tour.groups for other in kept):
            kept.append(tour)
    return kept


def _search(day: RelayDay, reach: Reach) -> dict[int, Tour] | None:
    """Return the cheapest tour for each set of groups (Dijkstra 1959 over sets and last stops)."""
    matrix = day.problem.matrices[day.trucks[0].travel]
    here = (day.hub, *day.in_stops)
    ways = ways_between(matrix, (*here, *(place for place in matrix.ids if place not in here)), _per_km(day))[COST]
    shorten(ways)
    cost = ways[: len(here), : len(here)].tolist()
    fixed = float(day.facts.truck[FIXED])
    ends: dict[int, Tour] = {}
    done: set[tuple[int, int]] = set()
    open_: list[tuple[float, int, tuple[int, ...]]] = [(fixed, 0, ())]
    while open_:
        paid, groups, stops = heapq.heappop(open_)
        last = stops[-1] + 1 if stops else 0
        if (groups, last) in done:
            continue
        done.add((groups, last))
        if len(done) > _MOST_STATES:
            return None
        total = paid + cost[last][0]
        if groups and (groups not in ends or total < ends[groups].cost):
            ends[groups] = Tour(total, groups, stops)
        for stop, more in enumerate(reach.of_stop):
            if more | groups != groups and (more | groups, stop + 1) not in done:
                heapq.heappush(open_, (paid + cost[last][stop + 1], more | groups, (*stops, stop)))
    return ends


def _per_km(day: RelayDay) -> float:
    return day.trucks[0].type.cost_per_km


def binding_sets(reach: Reach, most: int) -> list[int]:
    """Return sets of groups (bits) whose goods need all trucks that stop where any of the set is reached.

    By the theorem of Gale (1957) trucks can carry all goods, taken as divisible, just if they have room for each set
    of groups; of the sets with the same in-stops only the largest counts. If there are more than `most`, only those
    around one group each are returned.
    """
    count = max(reach.group, default=-1) + 1
    boards = [sum(1 << i for i, groups in enumerate(reach.of_stop) if groups >> k & 1) for k in range(count)]
    unions = {0}
    for board in boards:
        unions |= {union | board for union in unions}
        if len(unions) > most:
            unions = set(boards)
            break
    unions.discard(0)
    return [sum(1 << k for k, board in enumerate(boards) if board | union == union) for union in sorted(unions)]
