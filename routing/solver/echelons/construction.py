"""A first plan in a moment: orders by the end of their windows, each where it adds least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from routing.solver.echelons.columns import Round, measured
from routing.solver.echelons.network import IntArray, Network
from routing.solver.echelons.tours import Tour


def first_rounds(network: Network, direct: Sequence[Tour]) -> list[Round]:
    """Return rounds that serve every order some van can bring; each may leave once some direct tour has been."""
    first_s: dict[int, int] = {}
    price_kg: dict[int, float] = {}
    for tour in direct:
        station = tour.stations[0]
        first_s[station] = min(first_s.get(station, tour.release_s[0]), tour.release_s[0])
        price_kg[station] = min(price_kg.get(station, np.inf), tour.cost / tour.capacity_kg)
    rounds: list[Round] = []
    for order in np.argsort(network.closes_s, kind="stable").tolist():
        best: tuple[float, int, Round] | None = None
        for fleet in network.vans:
            if fleet.station not in first_s:
                continue
            known = [k for k, each in enumerate(rounds) if each.fleet == fleet.index]
            spare = len(known) < len(fleet.ids)
            trunk = price_kg[fleet.station] * float(network.demand_kg[order])
            for k, each in _insertions(network, fleet.index, rounds, known, order, spare):
                added = each.cost - (rounds[k].cost if k >= 0 else 0.0) + trunk
                if each.latest_s >= first_s[fleet.station] and (best is None or added < best[0] - 1e-9):
                    best = (added, k, each)
        if best is None or best[0] >= network.unserved_cost[order]:
            continue
        if best[1] >= 0:
            rounds[best[1]] = best[2]
        else:
            rounds.append(best[2])
    return rounds


def _insertions(
    network: Network, fleet: int, rounds: Sequence[Round], known: Sequence[int], order: int, spare: bool
) -> list[tuple[int, Round]]:
    """Return the rounds of a fleet with the order put in at every place, and the order alone (-1) in a spare van."""
    sequences, origin = [], []
    for k in known:
        row = rounds[k].orders
        if rounds[k].load_kg + network.demand_kg[order] <= network.vans[fleet].capacity_kg + 1e-9:
            for at in range(len(row) + 1):
                sequences.append((*row[:at], order, *row[at:]))
                origin.append(k)
    if spare:
        sequences.append((order,))
        origin.append(-1)
    found = measured(network, network.vans[fleet], padded(sequences))
    return [(k, each) for k, each in zip(origin, found, strict=True) if each is not None]


def padded(sequences: Sequence[Sequence[int]]) -> IntArray:
    """Return sequences of orders as rows of equal length, padded with -1."""
    longest = max((len(row) for row in sequences), default=1)
    rows = np.full((len(sequences), longest), -1, dtype=np.int64)
    for k, row in enumerate(sequences):
        rows[k, : len(row)] = row
    return rows
