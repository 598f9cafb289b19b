"""Everyone within a limit: the fewest or cheapest sites that do it (LSCP), and the least possible limit (p-centre).

Set covering after Toregas et al. 1971; p-centre by binary search over the distances with a covering problem at each
(Minieka 1970; Daskin 1995).
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ortools.math_opt.python import mathopt

from routing.siting.question import AccessQuestion, BoolArray, FloatArray

Least = Literal["points", "money"]


@dataclass(frozen=True)
class CoverAnswer:
    """Sites that keep the limit, what they come to (points or money) and a valid lower bound on that."""

    open_sites: tuple[int, ...]
    value: float
    bound: float
    proven: bool


@dataclass(frozen=True)
class CentreAnswer:
    """Sites whose farthest client is least far; `limit` is how far that is, `bound` below which none can be."""

    open_sites: tuple[int, ...]
    limit: float
    bound: float
    proven: bool


def beyond_all(question: AccessQuestion, limit: float) -> BoolArray:
    """Return the clients that no site which may open covers within the limit in some scenario, shape (n,)."""
    usable = np.ones(question.n_sites, dtype=np.bool_)
    usable[list(question.closed)] = False
    return np.asarray((question.access[:, :, usable].min(axis=2, initial=np.inf) > limit).any(axis=0))


def solve_cover(
    question: AccessQuestion, limit: float, *, least: Least = "points", time_limit_s: float = 300.0
) -> CoverAnswer | None:
    """Return the fewest counted points, or the least money, that bring everyone of some weight within the limit.

    Scenarios must all be kept; `at_most` and `budget` are those of the first period, and the one made least is not
    limited. None where it cannot be done (or was not within the time).
    """
    rows = _rows(question, limit)
    if not rows.any(axis=1).all():
        return None
    goal = question.money if least == "money" else question.counts.astype(np.float64)
    # Among equals fewer open sites are better: a small price for each, too small to change the optimum.
    goal = goal + 1e-4 / max(1, question.n_sites) * (1.0 if least == "points" else 0.0)
    found = _cover(question, rows, goal, least, time_limit_s)
    if found is None:
        return None
    sites, bound = found
    exact = question.money if least == "money" else question.counts
    value = float(exact[list(sites)].sum())
    if least == "points":
        bound = float(np.ceil(bound - 1e-3))
    proven = value - bound <= 1e-6 * max(1.0, value)
    return CoverAnswer(sites, value, value if proven else min(bound, value), proven)


def solve_centre(question: AccessQuestion, *, time_limit_s: float = 300.0) -> CentreAnswer | None:
    """Return the choice within the first period's limits whose farthest client (of some weight) is least far.

    None where the limits admit no choice at all.
    """
    deadline = time.monotonic() + time_limit_s
    clients = question.weight > 0.0
    usable = np.ones(question.n_sites, dtype=np.bool_)
    usable[list(question.closed)] = False
    access = question.access[:, clients][:, :, usable]
    if not access.shape[2]:
        return None
    distances = np.unique(access)
    low = int(np.searchsorted(distances, access.min(axis=2).max()))
    high = len(distances) - 1
    best: tuple[int, ...] | None = None
    exact = True
    while low <= high and time.monotonic() < deadline:
        middle = (low + high) // 2
        found, settled = _feasible(question, float(distances[middle]), deadline - time.monotonic())
        if found is not None:
            best = found
            reached = question.access[:, clients][:, :, list(found)].min(axis=2).max()
            high = int(np.searchsorted(distances, reached)) - 1
        else:
            exact = exact and settled
            low = middle + 1
    if best is None:
        return None
    limit = float(question.access[:, clients][:, :, list(best)].min(axis=2).max())
    proven = exact and low > high
    return CentreAnswer(best, limit, limit if proven else float(access.min(axis=2).max()), proven)


def _rows(question: AccessQuestion, limit: float) -> BoolArray:
    """Return which sites cover each client of some weight in each scenario; equal rows once, supersets left out."""
    covers = (question.access <= limit)[:, question.weight > 0.0].reshape(-1, question.n_sites).copy()
    covers[:, list(question.closed)] = False
    return np.unique(covers, axis=0)


def _feasible(question: AccessQuestion, limit: float, time_limit_s: float) -> tuple[tuple[int, ...] | None, bool]:
    """Return a choice within all limits that covers everyone, and whether a None is proven."""
    rows = _rows(question, limit)
    if not rows.any(axis=1).all():
        return None, True
    greedy = _greedy(question, rows)
    if greedy is not None:
        return greedy, True
    model = mathopt.Model()
    opened = _openings(model, question, rows)
    _keep(model, question, opened, skip=None)
    model.minimize(mathopt.fast_sum([y for y, counts in zip(opened, question.counts, strict=True) if counts]))
    params = mathopt.SolveParameters(time_limit=dt.timedelta(seconds=max(0.1, time_limit_s)))
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=params)
    if result.has_primal_feasible_solution():
        values = result.variable_values()
        return tuple(j for j, y in enumerate(opened) if values[y] > 0.5), True
    return None, result.termination.reason == mathopt.TerminationReason.INFEASIBLE


def _greedy(question: AccessQuestion, rows: BoolArray) -> tuple[int, ...] | None:
    """Return the greedy cover where it happens to keep the limits."""
    chosen = set(question.must_open)
    left = ~rows[:, sorted(chosen)].any(axis=1)
    while left.any():
        gain = rows[left].sum(axis=0).astype(np.float64)
        site = int((gain / (1.0 + (question.money if question.budget[0] is not None else 0.0))).argmax())
        chosen.add(site)
        left &= ~rows[:, site]
    sites = tuple(sorted(chosen))
    return sites if question.admits(sites, 0) else None


def _cover(
    question: AccessQuestion, rows: BoolArray, goal: FloatArray, least: Least, time_limit_s: float
) -> tuple[tuple[int, ...], float] | None:
    model = mathopt.Model()
    opened = _openings(model, question, rows)
    _keep(model, question, opened, skip=least)
    model.minimize(mathopt.fast_sum([float(price) * y for y, price in zip(opened, goal, strict=True)]))
    params = mathopt.SolveParameters(
        time_limit=dt.timedelta(seconds=max(0.1, time_limit_s)), relative_gap_tolerance=1e-9
    )
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=params)
    if not result.has_primal_feasible_solution():
        return None
    values = result.variable_values()
    sites = tuple(j for j, y in enumerate(opened) if values[y] > 0.5)
    return sites, float(result.termination.objective_bounds.dual_bound)


def _openings(model: mathopt.Model, question: AccessQuestion, rows: BoolArray) -> list[mathopt.Variable]:
    must, closed = set(question.must_open), set(question.closed)
    opened = [
        model.add_variable(lb=float(j in must), ub=float(j not in closed), is_integer=True)
        for j in range(question.n_sites)
    ]
    for row in rows:
        model.add_linear_constraint(mathopt.fast_sum([opened[j] for j in np.flatnonzero(row)]) >= 1.0)
    return opened


def _keep(model: mathopt.Model, question: AccessQuestion, opened: list[mathopt.Variable], skip: Least | None) -> None:
    most, budget = question.at_most[0], question.budget[0]
    if most is not None and skip != "points":
        counted = [y for y, counts in zip(opened, question.counts, strict=True) if counts]
        model.add_linear_constraint(mathopt.fast_sum(counted) <= float(most))
    if budget is not None and skip != "money":
        spent = [float(price) * y for y, price in zip(opened, question.money, strict=True)]
        model.add_linear_constraint(mathopt.fast_sum(spent) <= float(budget))
