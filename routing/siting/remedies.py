"""The least that would make an impossible question possible: points, money or minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from routing.siting.capacitated import solve_capacitated
from routing.siting.cover import beyond_all, solve_centre, solve_cover
from routing.siting.question import AccessQuestion, CapacityQuestion


@dataclass(frozen=True)
class Remedy:
    """One change that would do on its own; each None where it would not, or none is needed.

    `points` and `money` are the totals needed, `limit` the access that can be kept, `unreachable` the clients that no
    site reaches within the limit asked, whatever is opened. `crowded` pairs clients with the load that finds no room
    near them even with every site open as large as it can be.
    """

    points: int | None
    money: float | None
    limit: float | None
    unreachable: tuple[int, ...] = ()
    crowded: tuple[tuple[int, float], ...] = ()


def cover_remedy(question: AccessQuestion, limit: float, *, time_limit_s: float = 30.0) -> Remedy:
    """Return what would let everyone be within the limit: more points, more money, or a longer limit."""
    beyond = beyond_all(question, limit)
    unreachable = np.flatnonzero(beyond & (question.weight > 0.0))
    left = np.where(beyond, 0.0, question.weight)
    points = money = None
    if float(left.sum()) > 0.0:
        reachable = replace(question, weight=left)
        fewest = solve_cover(reachable, limit, least="points", time_limit_s=time_limit_s)
        cheapest = solve_cover(reachable, limit, least="money", time_limit_s=time_limit_s)
        points = None if fewest is None or question.at_most[0] is None else round(fewest.value)
        money = None if cheapest is None or question.budget[0] is None else cheapest.value
    centre = solve_centre(question, time_limit_s=time_limit_s)
    limit_needed = None if centre is None else centre.limit
    return Remedy(points, money, limit_needed, tuple(int(i) for i in unreachable))


def capacity_remedy(question: CapacityQuestion, *, time_limit_s: float = 30.0) -> Remedy:
    """Return what would let everyone be served: the fewest points, the least money, or where room is short."""
    usable = np.isfinite(question.cost) & question.may_open[None, :]
    kept = usable.any(axis=1)
    unreachable = tuple(int(i) for i in np.flatnonzero(~kept))
    if not kept.any():
        return Remedy(None, None, None, unreachable)
    flat = np.where(usable[kept], 0.0, np.inf)
    base = replace(question, cost=flat, load=question.load[kept], split=True, exactly=False)
    crowded = _crowded(base, time_limit_s)
    if crowded:
        clients = np.flatnonzero(kept)
        named = tuple((int(clients[i]), load) for i, load in crowded)
        return Remedy(None, None, None, unreachable, named)
    points = money = None
    if question.at_most is not None:
        counts = base.option_counts.astype(np.float64)
        found = solve_capacitated(replace(base, option_cost=counts, at_most=None), time_limit_s=time_limit_s)
        points = round(found.cost) if np.isfinite(found.cost) else None
    if question.budget is not None:
        dear = replace(base, option_cost=base.option_money, budget=None)
        found = solve_capacitated(dear, time_limit_s=time_limit_s)
        money = found.cost if np.isfinite(found.cost) else None
    return Remedy(points, money, None, unreachable)


def _crowded(question: CapacityQuestion, time_limit_s: float) -> list[tuple[int, float]]:
    """Return which clients' load finds no room when nothing limits count and money: a last resort takes it instead."""
    resort = question.n_sites
    widened = replace(
        question,
        cost=np.column_stack([question.cost, question.load]),
        option_site=np.append(question.option_site, resort),
        option_cost=np.zeros(question.n_options + 1),
        option_capacity=np.append(question.option_capacity, np.inf),
        option_money=np.append(question.option_money, 0.0),
        option_counts=np.append(question.option_counts, False),
        at_most=None,
        budget=None,
    )
    client, site, share = solve_capacitated(widened, time_limit_s=time_limit_s).served
    left = np.bincount(
        client[site == resort],
        weights=(share * question.load[client])[site == resort],
        minlength=question.n_clients,
    )
    return [(int(i), float(left[i])) for i in np.argsort(-left, kind="stable") if left[i] > 1e-6]
