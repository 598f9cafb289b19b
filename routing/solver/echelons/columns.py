"""Rounds of vans as columns, and the pool that keeps the useful ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from routing.solver.echelons.loops import Doors, latest_departures, moneys
from routing.solver.echelons.network import Fleet, IntArray, Network


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a van of a fleet: orders in sequence, its cost, its load and its latest departure from the base.

    The latest departure is the whole coupling in time: a round needs its goods at the station by then.
    """

    fleet: int
    orders: tuple[int, ...]
    cost: float
    latest_s: int
    load_kg: float


def measured(network: Network, fleet: Fleet, sequences: IntArray) -> list[Round | None]:
    """Return rounds along the given sequences (rows of orders padded with -1), None for those that break a window."""
    kind = fleet.type
    doors = Doors(
        fleet.duration_s, fleet.cost, network.opens_s, network.closes_s, network.service_s + kind.stop_s,
        kind.shift_start_s, kind.shift_end_s, fleet.cost_per_s,
    )  # fmt: skip
    latest = latest_departures(doors, sequences)
    cost = moneys(doors, sequences, np.maximum(latest, kind.shift_start_s))
    found: list[Round | None] = []
    for row, leaves, money in zip(sequences.tolist(), latest.tolist(), cost.tolist(), strict=True):
        orders = tuple(order for order in row if order >= 0)
        load = float(network.demand_kg[list(orders)].sum())
        fits = leaves >= kind.shift_start_s and load <= fleet.capacity_kg + 1e-9
        found.append(Round(fleet.index, orders, money + kind.fixed_cost, leaves, load) if fits else None)
    return found


def measured_round(network: Network, fleet: int, orders: Sequence[int]) -> Round | None:
    """Return the round of a fleet along the orders, None where it breaks a window or the van is too small."""
    rows = np.array([list(orders)], dtype=np.int64)
    return measured(network, network.vans[fleet], rows)[0]


def _members(orders: Iterable[int]) -> int:
    return sum(1 << order for order in orders)


class Pool:
    """Rounds by fleet and set of orders: of each set those that are cheaper, or may leave later, than all others."""

    def __init__(self) -> None:
        self._fronts: dict[tuple[int, int], list[Round]] = {}

    def add(self, rounds: Iterable[Round]) -> list[Round]:
        """Take in rounds; return those that are new and useful."""
        kept = []
        for each in rounds:
            front = self._fronts.setdefault((each.fleet, _members(each.orders)), [])
            if any(other.cost <= each.cost + 1e-9 and other.latest_s >= each.latest_s for other in front):
                continue
            front[:] = [o for o in front if not (each.cost <= o.cost and each.latest_s >= o.latest_s)]
            front.append(each)
            kept.append(each)
        return kept

    def within(self, members: Iterable[int]) -> list[Round]:
        """Return the rounds whose orders are all among `members`."""
        allowed = _members(members)
        return [each for (_, key), front in self._fronts.items() if not key & ~allowed for each in front]

    def __len__(self) -> int:
        return sum(len(front) for front in self._fronts.values())
