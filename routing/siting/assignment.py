"""Who is served where, once it is settled what is open: quickly for a search, exactly for an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from routing.siting.question import CapacityQuestion, FloatArray, IntArray

MOVES = 4_000
"""Most improving moves of the assignment search."""


@dataclass(frozen=True)
class Assignment:
    """Shares of clients at sites; each client's shares sum to 1. `cost` is Σ share · cost."""

    client: IntArray
    site: IntArray
    share: FloatArray
    cost: float


def assign(question: CapacityQuestion, options: tuple[int, ...]) -> Assignment | None:
    """Return a good assignment to the options, or None where the rule finds none that fits.

    Clients choose in order of regret, what the second-best site costs more (Martello and Toth 1981); where they may not
    be split, shifts and swaps follow.
    """
    chosen = np.array(sorted(options), dtype=np.int64)
    sites = question.option_site[chosen]
    cost = question.cost[:, sites]
    room = question.option_capacity[chosen].astype(np.float64).copy()
    found = _split(cost, question.load, room) if question.split else _unsplit(cost, question.load, room)
    if found is None:
        return None
    client, position, share = found
    return Assignment(client, sites[position], share, float((share * cost[client, position]).sum()))


def _regret_order(cost: FloatArray, load: FloatArray) -> IntArray:
    if cost.shape[1] == 1:
        return np.argsort(-load, kind="stable")
    two = np.partition(np.where(np.isfinite(cost), cost, 1e18), 1, axis=1)[:, :2]
    return np.argsort(-(two[:, 1] - two[:, 0]) / np.maximum(load, 1e-12), kind="stable")


def _split(cost: FloatArray, load: FloatArray, room: FloatArray) -> tuple[IntArray, IntArray, FloatArray] | None:
    nearest = cost.argmin(axis=1)
    if np.isinf(cost[np.arange(len(load)), nearest]).any():
        return None
    if (np.bincount(nearest, weights=load, minlength=len(room)) <= room + 1e-9).all():
        return np.arange(len(load)), nearest, np.ones(len(load))
    clients: list[int] = []
    positions: list[int] = []
    shares: list[float] = []
    for i in _regret_order(cost, load):
        left = 1.0
        for j in np.argsort(cost[i], kind="stable"):
            if not np.isfinite(cost[i, j]):
                return None
            if room[j] <= 1e-12 and load[i] > 0.0:
                continue
            taken = left if load[i] <= 0.0 else min(left, room[j] / load[i])
            room[j] -= taken * load[i]
            clients.append(int(i))
            positions.append(int(j))
            shares.append(taken)
            left -= taken
            if left <= 1e-12:
                break
        if left > 1e-9:
            return None
    return np.array(clients), np.array(positions), np.array(shares)


def _unsplit(cost: FloatArray, load: FloatArray, room: FloatArray) -> tuple[IntArray, IntArray, FloatArray] | None:
    for order in (_regret_order(cost, load), np.argsort(-load, kind="stable")):
        place = _first_fit(cost, load, room.copy(), order)
        if place is not None:
            place = _shifted(cost, load, room, place)
            return np.arange(len(load)), place, np.ones(len(load))
    return None


def _first_fit(cost: FloatArray, load: FloatArray, room: FloatArray, order: IntArray) -> IntArray | None:
    place = np.full(len(load), -1, dtype=np.int64)
    for i in order:
        fits = np.where(room >= load[i] - 1e-9, cost[i], np.inf)
        j = int(fits.argmin())
        if not np.isfinite(fits[j]):
            return None
        place[i] = j
        room[j] -= load[i]
    return place


def _shifted(cost: FloatArray, load: FloatArray, room: FloatArray, place: IntArray) -> IntArray:
    """Move one client, or swap two, while it saves; the best move first."""
    n = len(load)
    rows = np.arange(n)
    room = room - np.bincount(place, weights=load, minlength=len(room))
    for _ in range(MOVES):
        now = cost[rows, place]
        shift = np.where(room[None, :] >= load[:, None] - 1e-9, cost - now[:, None], 0.0)
        shift[rows, place] = 0.0
        i, j = np.unravel_index(int(shift.argmin()), shift.shape)
        across = cost[:, place] - now[:, None]
        swap = across + across.T
        grow = load[None, :] - load[:, None]
        fits = (room[place][:, None] >= grow - 1e-9) & (room[place][None, :] >= -grow - 1e-9)
        swap = np.where(fits & (place[:, None] != place[None, :]), swap, 0.0)
        a, b = np.unravel_index(int(np.nan_to_num(swap, nan=0.0).argmin()), swap.shape)
        if min(float(shift[i, j]), float(swap[a, b])) > -1e-9:
            break
        if shift[i, j] <= swap[a, b]:
            room[place[i]] += load[i]
            room[j] -= load[i]
            place[i] = j
        else:
            room[place[a]] += load[a] - load[b]
            room[place[b]] += load[b] - load[a]
            place[a], place[b] = place[b], place[a]
    return place


def assign_split_exactly(question: CapacityQuestion, options: tuple[int, ...], known: Assignment) -> Assignment:
    """Return the cheapest assignment of clients that may be split: a transport problem, solved by HiGHS.

    `known` is returned where nothing can be cheaper, or where HiGHS finds nothing cheaper.
    """
    chosen = np.array(sorted(options), dtype=np.int64)
    sites = question.option_site[chosen]
    cost = question.cost[:, sites]
    if abs(known.cost - float(cost.min(axis=1).sum())) <= 1e-9 * max(1.0, known.cost):
        return known
    model = mathopt.Model()
    client, position = np.nonzero(np.isfinite(cost))
    share = [model.add_variable(lb=0.0) for _ in range(len(client))]
    of_client: list[list[mathopt.Variable]] = [[] for _ in range(question.n_clients)]
    of_site: list[list[mathopt.LinearTypes]] = [[] for _ in sites]
    for variable, i, j in zip(share, client, position, strict=True):
        of_client[i].append(variable)
        of_site[j].append(float(question.load[i]) * variable)
    for row in of_client:
        model.add_linear_constraint(mathopt.fast_sum(row) == 1.0)
    for terms, capacity in zip(of_site, question.option_capacity[chosen], strict=True):
        if np.isfinite(capacity) and terms:
            model.add_linear_constraint(mathopt.fast_sum(terms) <= float(capacity))
    model.minimize(mathopt.fast_sum([float(cost[i, j]) * v for v, i, j in zip(share, client, position, strict=True)]))
    result = mathopt.solve(model, mathopt.SolverType.HIGHS)
    if not result.has_primal_feasible_solution():
        return known
    values = np.array([result.variable_values()[variable] for variable in share])
    kept = values > 1e-9
    found = Assignment(
        client[kept], sites[position[kept]], values[kept], float((values * cost[client, position]).sum())
    )
    return found if found.cost < known.cost else known
