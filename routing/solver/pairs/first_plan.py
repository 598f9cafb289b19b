"""A first plan without compiled code: orders one by one at their cheapest place. Slow, plain, and always at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from routing.solver.pairs.arrays import Day


def first_rounds(day: Day, stopped: Callable[[], bool]) -> list[list[int]]:
    """Return the nodes of every slot, base first and last; orders not reached when `stopped` are left out."""
    orders = len(day.kg)
    rounds = [[2 * orders + int(group)] * 2 for group in day.group]
    for order in sorted(range(orders), key=lambda k: (int(day.late_s[orders + k]), k)):
        if stopped():
            break
        best, slot, nodes = float(day.unserved[order]), -1, list[int]()
        opened: set[int] = set()
        for number, tried in enumerate(rounds):
            group = int(day.group[number])
            if len(tried) == 2 and group in opened:
                continue
            if len(tried) == 2:
                opened.add(group)
            added, found = cheapest_insertion(day, group, tried, order)
            if added < best:
                best, slot, nodes = added, number, found
        if slot >= 0:
            rounds[slot] = nodes
    return rounds


def cheapest_insertion(day: Day, group: int, nodes: Sequence[int], order: int) -> tuple[float, list[int]]:
    """Return (added cost, round) with the order at its cheapest sound places; infinite and empty where there are none.

    Waiting costs nothing here.
    """
    best, found = float("inf"), list[int]()
    before = _way_cost(day, group, nodes) if len(nodes) > 2 else -float(day.fixed[group])
    for i in range(1, len(nodes)):
        for j in range(i, len(nodes)):
            tried = [*nodes[:i], order, *nodes[i:j], len(day.kg) + order, *nodes[j:]]
            added = _way_cost(day, group, tried) - before
            if added < best and keeps_rules(day, group, tried):
                best, found = added, tried
    return best, found


def _way_cost(day: Day, group: int, nodes: Sequence[int]) -> float:
    return float(sum(day.cost[group, a, b] for a, b in pairwise(nodes)))


def keeps_rules(day: Day, group: int, nodes: Sequence[int]) -> bool:
    """Return whether a round keeps windows, shift and room; that pickups come first is taken for granted."""
    orders = len(day.kg)
    time, kg, litres = int(day.start_s[group]), 0, 0
    for a, b in pairwise(nodes):
        time = max(time + int(day.move_s[group, a, b]), int(day.early_s[b]) if b < 2 * orders else 0)
        if b >= 2 * orders:
            return time <= int(day.end_s[group])
        sign = 1 if b < orders else -1
        kg, litres = kg + sign * int(day.kg[b % orders]), litres + sign * int(day.litres[b % orders])
        if time > day.late_s[b] or kg > day.room_kg[group] or litres > day.room_l[group]:
            return False
    return True
