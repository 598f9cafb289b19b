"""All rounds that couriers can make, on days when these are so few that they can be listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from routing.solver.relay.arrays import CLOSE, COST, FIXED, LOAD, OPEN, READY, TIME, Facts, Floats

_MOST_STEPS = 1_500_000
"""Steps from customer to customer looked at over all out-stops at most: about a second."""
_Label = tuple[float, float, tuple[int, ...]]
"""Cost and time on arrival at the last customer, and the customers so far."""
_Level = dict[int, list[_Label]]
"""Labels by the set of their customers (bits)."""
_FAR_COST = 1e14
"""Ways that cost as much are none."""


@dataclass(frozen=True, slots=True)
class Round:
    """The cheapest round with just these customers, in the order of their visits."""

    cost: float
    out: int
    customers: tuple[int, ...]


def all_rounds(facts: Facts, leg: Floats) -> list[Round] | None:
    """Return for each out-stop and each set of customers that fits a courier's round the cheapest; None: too many.

    A round leaves with the first bus of the day and keeps loads and windows; that it needs its goods is left out, and
    the longest travel too. `leg` has costs and times as `Facts.leg`.
    """
    found: list[Round] = []
    steps = 0
    for out in range(len(facts.courier)):
        customers = _reached(facts, leg, out)
        level: _Level = {0: [(float(facts.courier[out, FIXED]), first_ready(facts, out), ())]}
        while level:
            steps += len(customers) * sum(len(labels) for labels in level.values())
            if steps > _MOST_STEPS:
                return None
            level = _longer(facts, leg, out, customers, level)
            found += _close(leg, out, level)
    return found


def least_legs(facts: Facts) -> Floats:
    """Return couriers' legs shortened by passing other doors, costs and times apart (Floyd 1962)."""
    legs = facts.leg.copy()
    for ways in legs.reshape(-1, *legs.shape[2:]):
        shorten(ways)
    return legs


def shorten(ways: Floats) -> None:
    """Replace each way by the shortest over other places."""
    for place in range(len(ways)):
        np.minimum(ways, ways[:, place, None] + ways[None, place, :], out=ways)


def first_ready(facts: Facts, out: int) -> float:
    """Return when the first goods of the day can be at an out-stop."""
    first, outs = facts.ride_first, len(facts.courier)
    ready = [facts.ride[first[pair] : first[pair + 1], READY] for pair in range(out, len(first) - 1, outs)]
    return float(min((times.min() for times in ready if len(times)), default=np.inf))


def _reached(facts: Facts, leg: Floats, out: int) -> list[int]:
    """Return the customers couriers of an out-stop reach, lightest first."""
    there = leg[COST, out, 0, 1:] + leg[COST, out, 1:, 0]
    return [int(c) for c in np.argsort(facts.customer[:, LOAD], kind="stable") if there[c] < _FAR_COST]


def _longer(facts: Facts, leg: Floats, out: int, customers: Sequence[int], level: _Level) -> _Level:
    """Return the labels with one customer more."""
    cost, time = leg[COST, out].tolist(), leg[TIME, out].tolist()
    load, opens, closes = (facts.customer[:, column].tolist() for column in (LOAD, OPEN, CLOSE))
    room = float(facts.courier[out, LOAD]) + 1e-9
    longer: _Level = {}
    for members, labels in level.items():
        left = room - sum(load[c] for c in labels[0][2])
        for paid, now, visits in labels:
            here = visits[-1] + 1 if visits else 0
            for c in customers:
                if load[c] > left:
                    break
                at = max(now + time[here][c + 1], opens[c])
                if not members >> c & 1 and at <= closes[c]:
                    longer.setdefault(members | 1 << c, []).append((paid + cost[here][c + 1], at, (*visits, c)))
    return {members: list(_undominated(labels)) for members, labels in longer.items()}


def _undominated(labels: list[_Label]) -> Iterator[_Label]:
    """Yield of the labels with one set of customers those that none with the same last one beats in cost and time."""
    earliest: dict[int, float] = {}
    for label in sorted(labels):
        if label[1] < earliest.get(label[2][-1], np.inf):
            earliest[label[2][-1]] = label[1]
            yield label


def _close(leg: Floats, out: int, level: _Level) -> Iterator[Round]:
    home = leg[COST, out, :, 0]
    for labels in level.values():
        paid, visits = min((label[0] + float(home[label[2][-1] + 1]), label[2]) for label in labels)
        if paid < _FAR_COST:
            yield Round(paid, out, visits)
