"""Which truck brings which order: the choice counts kilograms per station, here whole orders go onto trucks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from routing.solver.echelons.columns import Round
from routing.solver.echelons.network import Network
from routing.solver.echelons.tours import Tour

_NODES = 2_000
"""Nodes of the search tree spent on one packing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order to be at a station by the time its van leaves at the latest."""

    order: int
    station: int
    latest_s: int
    kg: float


def pack(network: Network, rounds: Sequence[Round], tours: Sequence[Tour]) -> dict[int, int] | None:
    """Return for every order the index of the tour that brings it; None where the orders do not fit onto the trucks."""
    wanted = [
        Wanted(order, network.vans[each.fleet].station, each.latest_s, float(network.demand_kg[order]))
        for each in rounds
        for order in each.orders
    ]
    return _pack_greedily(wanted, tours) or _pack_exactly(wanted, tours)


def _choices(wanted: Wanted, tours: Sequence[Tour]) -> list[tuple[int, int]]:
    """Return (release, tour) of the trucks that are there in time, the latest first."""
    found = [
        (tour.release_s[tour.stations.index(wanted.station)], k)
        for k, tour in enumerate(tours)
        if wanted.station in tour.stations
    ]
    return sorted(((release, k) for release, k in found if release <= wanted.latest_s), reverse=True)


def _pack_greedily(wanted: Sequence[Wanted], tours: Sequence[Tour]) -> dict[int, int] | None:
    """Put the most urgent and then the largest orders first, each onto the latest truck that is in time."""
    room = [tour.capacity_kg for tour in tours]
    chosen: dict[int, int] = {}
    for each in sorted(wanted, key=lambda each: (each.latest_s, -each.kg, each.order)):
        spot = next((k for _, k in _choices(each, tours) if room[k] >= each.kg - 1e-9), None)
        if spot is None:
            return None
        room[spot] -= each.kg
        chosen[each.order] = spot
    return chosen


def _pack_exactly(wanted: Sequence[Wanted], tours: Sequence[Tour]) -> dict[int, int] | None:
    pairs = [(row, k) for row, each in enumerate(wanted) for _, k in _choices(each, tours)]
    if len({row for row, _ in pairs}) < len(wanted):
        return None
    columns = np.arange(len(pairs))
    order_row = np.array([row for row, _ in pairs])
    truck_row = np.array([k for _, k in pairs])
    kg = np.array([wanted[row].kg for row, _ in pairs])
    once = sparse.csc_matrix((np.ones(len(pairs)), (order_row, columns)), shape=(len(wanted), len(pairs)))
    loads = sparse.csc_matrix((kg, (truck_row, columns)), shape=(len(tours), len(pairs)))
    result = milp(
        np.zeros(len(pairs)),
        integrality=np.ones(len(pairs), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(loads, -np.inf, np.array([tour.capacity_kg for tour in tours]) + 1e-9),
        ],
        options={"node_limit": _NODES},
    )
    if result.x is None:
        return None
    return {wanted[row].order: k for (row, k), value in zip(pairs, result.x, strict=True) if value > 0.5}


def pack_with_more(
    network: Network, rounds: Sequence[Round], tours: Sequence[Tour], direct: Sequence[Tour]
) -> tuple[tuple[Tour, ...], Mapping[int, int]] | None:
    """Return tours and packing, with the cheapest direct tours added one by one until every order fits.

    None where even that fails, for want of trucks.
    """
    chosen = list(tours)
    for _ in range(network.orders + 1):
        packing = pack(network, rounds, chosen)
        if packing is not None:
            return tuple(chosen), packing
        extra = _helpful(network, rounds, chosen, direct)
        if extra is None:
            return None
        chosen.append(extra)
    return None


def _helpful(network: Network, rounds: Sequence[Round], tours: Sequence[Tour], direct: Sequence[Tour]) -> Tour | None:
    """Return the cheapest direct tour to a station with orders that find no truck, in time for the most urgent."""
    short: dict[int, int] = {}
    room = [tour.capacity_kg for tour in tours]
    for each in sorted(rounds, key=lambda each: each.latest_s):
        station = network.vans[each.fleet].station
        for order in each.orders:
            kg = float(network.demand_kg[order])
            found = _choices(Wanted(order, station, each.latest_s, kg), tours)
            spot = next((k for _, k in found if room[k] >= kg - 1e-9), None)
            if spot is None:
                short.setdefault(station, each.latest_s)
            else:
                room[spot] -= kg
    free = [len(fleet.ids) - sum(1 for tour in tours if tour.fleet == fleet.index) for fleet in network.trucks]
    fitting = [
        tour
        for tour in direct
        if free[tour.fleet] > 0 and tour.stations[0] in short and tour.release_s[0] <= short[tour.stations[0]]
    ]
    return min(fitting, key=lambda tour: (tour.cost, tour.fleet, tour.stations), default=None)
