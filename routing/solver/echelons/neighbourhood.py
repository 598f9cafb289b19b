"""Which rounds to free together: those near each other in place and time."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from routing.solver.echelons.columns import Round
from routing.solver.echelons.network import FloatArray, Network

_NOISE = 0.35
"""Relatedness is blurred by up to this share, so that the same seed order frees different rounds."""
_STATION_SHARE = 0.25
"""How often all rounds of one station come first."""


def nearness(network: Network) -> FloatArray:
    """Return how dear it is to go from order to order, waiting included, at best over all fleets, shape (n, n).

    Waiting counts as much as travelling; pairs that cannot follow each other count their distance alone, doubled.
    """
    n = network.orders
    best = np.full((n, n), np.inf)
    for fleet in network.vans:
        travel = fleet.duration_s[1:, 1:].astype(np.float64)
        ready = network.opens_s[:, None] + network.service_s[:, None] + fleet.type.stop_s + travel
        wait = np.maximum(0.0, network.opens_s[None, :] - ready - (network.closes_s - network.opens_s)[:, None])
        possible = ready <= network.closes_s[None, :]
        best = np.minimum(best, np.where(possible, travel + np.minimum(wait, 4.0 * travel), 2.0 * travel))
    either: FloatArray = np.minimum(best, best.T)
    return either


def related(network: Network, near: FloatArray, rounds: Sequence[Round], orders: int, draw: random.Random) -> list[int]:
    """Return indices of rounds with about so many orders in all, near a random order (or of a random station first)."""
    seed = draw.randrange(network.orders)
    score = []
    station = network.vans[rounds[draw.randrange(len(rounds))].fleet].station if rounds else -1
    by_station = draw.random() < _STATION_SHARE
    for each in rounds:
        distance = min(float(near[seed, order]) for order in each.orders)
        distance *= 1.0 + _NOISE * draw.random()
        if by_station and network.vans[each.fleet].station == station:
            distance *= 0.5
        score.append(distance)
    chosen: list[int] = []
    total = 0
    for k in sorted(range(len(rounds)), key=lambda k: (score[k], k)):
        if chosen and total + len(rounds[k].orders) > orders:
            break
        chosen.append(k)
        total += len(rounds[k].orders)
    return chosen
