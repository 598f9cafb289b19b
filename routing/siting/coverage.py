"""Maximal coverage (Church and ReVelle 1974): as many people as possible within a limit of an open site.

A limit on the number of sites alone goes to a Lagrangian relaxation first, which often proves the optimum. Otherwise
one period and one scenario are one sparse programme, given to HiGHS as matrices; more go to the radius model.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack, vstack
from scipy.sparse import eye_array as eye

from routing.siting.coverage_relaxation import relax_coverage
from routing.siting.question import AccessQuestion, BoolArray, FloatArray
from routing.siting.radius import AccessAnswer, covered_within, solve_access


def solve_coverage(
    question: AccessQuestion, limit: float, *, gap: float = 0.0, time_limit_s: float = 300.0
) -> AccessAnswer | None:
    """Return the sites that leave the least share of the weight farther than `limit`.

    The answer's value is that share. None where the limits admit no open site at all.
    """
    if question.access.shape[0] > 1 or question.n_periods > 1:
        return solve_access(covered_within(question, limit), gap=gap, time_limit_s=time_limit_s)
    covers, weight = _joined(question.access[0] <= limit, question.weight)
    usable = _undominated(question, covers)
    quick = _by_relaxation(question, covers, weight, usable)
    if quick is not None:
        value = covered_within(question, limit).value(quick)
        return AccessAnswer((quick,), value, value, proven=True)
    total = float(question.weight.sum())
    found = _solve(question, covers, weight, usable, gap, time_limit_s)
    if found is None:
        return None
    chosen, bound = found
    value = covered_within(question, limit).value(chosen)
    uncovered = max(0.0, 1.0 - bound / total)
    proven = value - uncovered <= 1e-7
    return AccessAnswer((chosen,), value, value if proven else uncovered, proven)


def _by_relaxation(
    question: AccessQuestion, covers: BoolArray, weight: FloatArray, usable: BoolArray
) -> tuple[int, ...] | None:
    """Return the best sites where the relaxation proves them; None where it does not, or nothing may be open.

    Sites that must be open or do not count are open in any case; what they cover is settled.
    """
    if question.budget[0] is not None:
        return None
    must = np.isin(np.arange(question.n_sites), question.must_open)
    base = np.flatnonzero(usable & (must | ~question.counts))
    free = np.flatnonzero(usable & ~must & question.counts)
    left, most = len(free), question.at_most[0]
    if most is not None:
        left = min(left, most - int((must & question.counts).sum()))
    open_to = covers[:, free].any(axis=1) & ~covers[:, base].any(axis=1)
    if left <= 0 or not open_to.any():
        return tuple(base.tolist()) if left >= 0 and base.size else None
    whole = bool((weight == np.round(weight)).all())
    step = 1.0 - 1e-6 if whole else 1e-9 * float(weight.sum())
    found = relax_coverage(covers[np.ix_(open_to, free)], weight[open_to], left, step=step)
    proven = found.bound < found.covered + step
    return tuple(sorted([*base.tolist(), *free[found.sites].tolist()])) if proven else None


def _joined(covers: BoolArray, weight: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Join clients that the same sites cover; those nobody can cover, or of no weight, go."""
    kept = covers.any(axis=1) & (weight > 0.0)
    packed = np.packbits(covers[kept], axis=1)
    _, first, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return covers[kept][first], np.bincount(group.ravel(), weights=weight[kept], minlength=len(first)).astype(
        np.float64
    )


def _undominated(question: AccessQuestion, covers: BoolArray) -> BoolArray:
    """Return the sites worth opening: none that another covers as much with, for no more money, (m,)."""
    share = csr_array(covers.astype(np.float64))  # sparse: dense products wake all threads, which small cases feel
    within = (share.T @ share).toarray() >= covers.sum(axis=0)[:, None] - 0.5
    counts = question.counts.astype(np.int64)
    no_dearer = (question.money[None, :] <= question.money[:, None]) & (counts[None, :] <= counts[:, None])
    worse = within & no_dearer
    # Of sites that dominate each other the first stays.
    mutual = worse & worse.T
    worse &= ~mutual | np.tri(question.n_sites, k=-1, dtype=np.bool_)
    must = np.zeros(question.n_sites, dtype=np.bool_)
    must[list(question.must_open)] = True
    closed = np.zeros(question.n_sites, dtype=np.bool_)
    closed[list(question.closed)] = True
    worse[:, closed] = False
    return np.asarray((must | ~worse.any(axis=1)) & ~closed, dtype=np.bool_)


def _solve(
    question: AccessQuestion,
    covers: BoolArray,
    weight: FloatArray,
    usable: BoolArray,
    gap: float,
    time_limit_s: float,
) -> tuple[tuple[int, ...], float] | None:
    """Return the chosen sites and an upper bound on the weight covered."""
    sites = np.flatnonzero(usable)
    if not sites.size:
        return None
    n, m = len(weight), len(sites)
    rows = [hstack([csr_array(-covers[:, sites].astype(np.float64)), eye(n, format="csr")])]
    low, high = [np.full(n, -np.inf)], [np.zeros(n)]
    limits = [(np.ones(m), 1.0, np.inf)]
    if question.at_most[0] is not None:
        limits.append((question.counts[sites].astype(np.float64), -np.inf, float(question.at_most[0])))
    if question.budget[0] is not None:
        limits.append((question.money[sites], -np.inf, question.budget[0] + 1e-9))
    rows.append(csr_array(np.array([np.concatenate([row, np.zeros(n)]) for row, _, _ in limits])))
    low.append(np.array([least for _, least, _ in limits]))
    high.append(np.array([most for _, _, most in limits]))
    at_least = np.concatenate([np.isin(sites, question.must_open).astype(np.float64), np.zeros(n)])
    result = milp(
        np.concatenate([np.zeros(m), -weight]),
        constraints=LinearConstraint(vstack(rows), np.concatenate(low), np.concatenate(high)),
        bounds=Bounds(at_least, 1.0),
        integrality=np.concatenate([np.ones(m), np.zeros(n)]),
        options={"time_limit": max(0.1, time_limit_s), "mip_rel_gap": max(gap, 1e-9)},
    )
    if result.x is None:
        return None
    chosen = tuple(int(j) for j in sites[result.x[:m] > 0.5])
    bound = -float(result.fun) if result.mip_dual_bound is None else -float(result.mip_dual_bound)
    return (chosen, bound) if question.admits(chosen, 0) else None
