"""Access without capacities, over scenarios and periods, solved exactly: mean, worst-off share, coverage, roll-out.

The radius formulation (Elloumi 2010; García, Labbé, Marín 2011, doi:10.1287/ijoc.1100.0418): client i's access is its
least D_i0 plus Σ_k (D_i,k+1 − D_ik) z_ik, where z_ik is 1 unless a site within D_ik is open. Radii are modelled only as
far as the linear relaxation uses them; what is cut off counts as nothing, so that every bound stays valid. The mean of
the worst-off share is linear too (Rockafellar and Uryasev 2000). Coverage is access that is 0 within the limit, else 1.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, replace

import numpy as np
from ortools.math_opt.python import mathopt

from routing.siting.median import solve_p_median
from routing.siting.question import AccessQuestion, FloatArray, IntArray

FIRST_RADII = 3
"""Radii modelled beyond a client's access in the first choice."""
MORE_RADII = 6
SWAP_PASSES = 30
TOLERANCE = 1e-6


@dataclass(frozen=True)
class AccessAnswer:
    """Sites open in each period, the mean over periods of what was made least, and a valid lower bound on it."""

    open_sites: tuple[tuple[int, ...], ...]
    value: float
    bound: float
    proven: bool

    @property
    def gap(self) -> float:
        """Relative distance between value and bound; 0 when proven."""
        return 0.0 if self.proven or self.value <= 0.0 else max(0.0, (self.value - self.bound) / self.value)


def covered_within(question: AccessQuestion, limit: float) -> AccessQuestion:
    """Return the question whose measure is the share of weight farther than `limit` from every open site."""
    return replace(question, access=(question.access > limit).astype(np.float64), measure="mean")


def solve_access(question: AccessQuestion, *, gap: float = 0.0, time_limit_s: float = 300.0) -> AccessAnswer | None:
    """Return the best sites to open, period by period; None where the limits admit no open site at all.

    Parameters
    ----------
    gap
        Relative gap at which the search may stop.
    time_limit_s
        Wall-clock limit; the bound reached by then is reported.
    """
    deadline = time.monotonic() + time_limit_s
    if _is_p_median(question):
        return _by_median(question, time_limit_s)
    merged = _merged(_foresighted(question))
    incumbent = _first_choice(merged)
    if incumbent is None:
        return None
    value = _value(merged, incumbent)
    return _by_radii(merged, incumbent, value, gap, deadline)


def _is_p_median(question: AccessQuestion) -> bool:
    single = question.access.shape[0] == 1 and question.n_periods == 1
    limits = question.at_most[0] is not None and question.budget[0] is None and not question.closed
    uncounted = set(np.flatnonzero(~question.counts).tolist())
    unlike_coverage = len(np.unique(question.access)) > 2
    return single and limits and question.measure == "mean" and uncounted <= set(question.must_open) and unlike_coverage


def _by_median(question: AccessQuestion, time_limit_s: float) -> AccessAnswer | None:
    most = question.at_most[0] or 0
    must = tuple(sorted(set(question.must_open)))
    p = min(question.n_sites, most + int((~question.counts).sum()))
    if p < max(1, len(must)):
        return None
    total = float(question.weight.sum())
    found = solve_p_median(
        question.access[0] * question.weight[:, None], p, forced_open=must, time_limit_s=time_limit_s
    )
    return AccessAnswer((found.open_sites,), found.cost / total, found.bound / total, found.proven)


def _foresighted(question: AccessQuestion) -> AccessQuestion:
    """Return the question with each period's limits no looser than those of later ones: what opens stays open."""
    most, budget = list(question.at_most), list(question.budget)
    for period in range(question.n_periods - 2, -1, -1):
        most[period] = min((n for n in most[period : period + 2] if n is not None), default=None)
        budget[period] = min((money for money in budget[period : period + 2] if money is not None), default=None)
    return replace(question, at_most=tuple(most), budget=tuple(budget))


def _merged(question: AccessQuestion) -> AccessQuestion:
    """Return the question with clients of equal access joined; clients without weight go."""
    rows = question.access.transpose(1, 0, 2).reshape(len(question.weight), -1)[question.weight > 0.0]
    unique, group = np.unique(rows, axis=0, return_inverse=True)
    weights = question.weight[question.weight > 0.0]
    weight = np.bincount(group.ravel(), weights=weights, minlength=len(unique)).astype(np.float64)
    scenarios, _, sites = question.access.shape
    access = np.ascontiguousarray(unique.reshape(-1, scenarios, sites).transpose(1, 0, 2))
    return replace(question, access=access, weight=weight)


Plan = tuple[tuple[int, ...], ...]


def _value(question: AccessQuestion, plan: Plan) -> float:
    return float(np.mean([question.value(chosen) for chosen in plan]))


def _first_choice(question: AccessQuestion) -> Plan | None:
    """Open greedily period by period, then swap in the last period while it helps."""
    plan: list[tuple[int, ...]] = []
    chosen: tuple[int, ...] = tuple(sorted(set(question.must_open)))
    for period in range(question.n_periods):
        grown = _grown(question, chosen, period)
        if grown is None:
            return None
        chosen = _swapped(question, grown, period, keep=set(chosen))
        plan.append(chosen)
    return tuple(plan)


def _grown(question: AccessQuestion, chosen: tuple[int, ...], period: int) -> tuple[int, ...] | None:
    while True:
        best: tuple[float, tuple[int, ...]] | None = None
        now = question.value(chosen) if chosen else np.inf
        for site in range(question.n_sites):
            more = tuple(sorted({*chosen, site}))
            if site in chosen or not question.admits(more, period):
                continue
            value = question.value(more)
            if value < now - 1e-12 and (best is None or value < best[0]):
                best = (value, more)
        if best is None:
            return chosen if chosen and question.admits(chosen, period) else None
        chosen = best[1]


def _swapped(question: AccessQuestion, chosen: tuple[int, ...], period: int, keep: set[int]) -> tuple[int, ...]:
    value = question.value(chosen)
    for _ in range(SWAP_PASSES):
        found = None
        for out in (site for site in chosen if site not in keep):
            rest = [site for site in chosen if site != out]
            for site in _promising(question, rest):
                swapped = tuple(sorted({*rest, site}))
                if len(swapped) == len(chosen) and question.admits(swapped, period):
                    better = question.value(swapped)
                    if better < value - 1e-9:
                        found, value = swapped, better
        if found is None:
            break
        chosen = found
    return chosen


def _promising(question: AccessQuestion, rest: list[int], many: int = 12) -> list[int]:
    """Return the sites that lower the mean access most when added to `rest`."""
    gains = np.zeros(question.n_sites)
    for matrix in question.access:
        now = matrix[:, rest].min(axis=1) if rest else matrix.max(axis=1)
        gains += question.weight @ np.maximum(0.0, now[:, None] - matrix)
    gains[rest] = -1.0
    return [int(site) for site in np.argsort(-gains, kind="stable")[:many]]


def _by_radii(question: AccessQuestion, plan: Plan, value: float, gap: float, deadline: float) -> AccessAnswer:
    """Extend radii on the linear relaxation, then solve whole numbers; repeat while a cut radius is used."""
    radii = _first_radii(question, plan[0])
    bound, whole = -np.inf, False
    while time.monotonic() < deadline:
        answer = _solve(question, radii, whole=whole, gap=gap, time_limit_s=deadline - time.monotonic())
        if answer is None:
            break
        bound = max(bound, min(answer.bound, value))
        if whole and all(question.admits(chosen, t) for t, chosen in enumerate(answer.plan)):
            found = _value(question, answer.plan)
            if found < value - 1e-12:
                plan, value = answer.plan, found
        if value - bound <= max(TOLERANCE * max(1.0, abs(value)), gap * abs(value)):
            break
        if answer.cut_short.any():
            radii[answer.cut_short] += MORE_RADII
        elif whole:
            break
        else:
            whole = True
    proven = value - bound <= TOLERANCE * max(1.0, abs(value))
    return AccessAnswer(plan, value, value if proven else max(0.0, bound), proven)


def _first_radii(question: AccessQuestion, chosen: tuple[int, ...]) -> IntArray:
    known = question.access[:, :, list(chosen)].min(axis=2)
    counts = [
        [np.searchsorted(np.unique(row), near) + FIRST_RADII for row, near in zip(matrix, nearest, strict=True)]
        for matrix, nearest in zip(question.access, known, strict=True)
    ]
    return np.array(counts, dtype=np.int64)


@dataclass(frozen=True)
class _Solved:
    bound: float
    plan: Plan
    cut_short: np.ndarray
    """Shape (s, n): clients whose last modelled radius is used, so that their access may be understated."""


class _Model:
    """The radius model under construction."""

    def __init__(self, question: AccessQuestion, radii: IntArray, *, whole: bool) -> None:
        self.question, self.radii = question, radii
        self.model = mathopt.Model()
        self.last: dict[tuple[int, int], list[mathopt.Variable]] = {}
        self.opened = [self._openings(period, whole=whole) for period in range(question.n_periods)]
        for earlier, later in zip(self.opened, self.opened[1:], strict=False):
            for before, after in zip(earlier, later, strict=True):
                self.model.add_linear_constraint(after >= before)
        periods = [self._period(opened) for opened in self.opened]
        self.model.minimize(mathopt.fast_sum(periods) * (1.0 / question.n_periods))

    def _openings(self, period: int, *, whole: bool) -> list[mathopt.Variable]:
        question = self.question
        must, closed = set(question.must_open), set(question.closed)
        opened = [
            self.model.add_variable(lb=float(j in must), ub=float(j not in closed), is_integer=whole)
            for j in range(question.n_sites)
        ]
        most, budget = question.at_most[period], question.budget[period]
        if most is not None:
            counted = [y for y, counts in zip(opened, question.counts, strict=True) if counts]
            self.model.add_linear_constraint(mathopt.fast_sum(counted) <= float(most))
        if budget is not None:
            spent = [float(price) * y for y, price in zip(opened, question.money, strict=True) if price]
            self.model.add_linear_constraint(mathopt.fast_sum(spent) <= float(budget))
        self.model.add_linear_constraint(mathopt.fast_sum(opened) >= 1.0)
        return opened

    def _period(self, opened: list[mathopt.Variable]) -> mathopt.LinearTypes:
        each = [self._scenario(s, opened) for s in range(self.question.access.shape[0])]
        if self.question.over == "mean" or len(each) == 1:
            return mathopt.fast_sum(each) * (1.0 / len(each))
        worst = self.model.add_variable(lb=0.0)
        for measured in each:
            self.model.add_linear_constraint(worst >= measured)
        return worst * 1.0

    def _scenario(self, s: int, opened: list[mathopt.Variable]) -> mathopt.LinearTypes:
        question = self.question
        reached = [self._reached(s, i, opened) for i in range(len(question.weight))]
        total = float(question.weight.sum())
        if question.measure == "mean":
            terms = [float(w) / total * access for w, access in zip(question.weight, reached, strict=True)]
            return mathopt.fast_sum(terms)
        edge = self.model.add_variable(lb=0.0)
        terms = [edge * 1.0]
        for weight, access in zip(question.weight, reached, strict=True):
            above = self.model.add_variable(lb=0.0)
            self.model.add_linear_constraint(above >= access - edge)
            terms.append(float(weight) / (question.tail_share * total) * above)
        return mathopt.fast_sum(terms)

    def _reached(self, s: int, i: int, opened: list[mathopt.Variable]) -> mathopt.LinearExpression:
        row = self.question.access[s, i]
        order = np.argsort(row, kind="stable")
        distances, starts = np.unique(row[order], return_index=True)
        ends = np.append(starts[1:], len(row))
        used = min(int(self.radii[s, i]), len(distances) - 1)
        terms: list[mathopt.LinearTypes] = [float(distances[0])]
        beyond: mathopt.Variable | None = None
        for k in range(used):
            within = mathopt.fast_sum([opened[j] for j in order[starts[k] : ends[k]]])
            farther = self.model.add_variable(lb=0.0)
            self.model.add_linear_constraint(farther + within >= (1.0 if beyond is None else beyond))
            terms.append(float(distances[k + 1] - distances[k]) * farther)
            beyond = farther
        if beyond is not None and used < len(distances) - 1:
            self.last.setdefault((s, i), []).append(beyond)
        return mathopt.fast_sum(terms)


def _solve(
    question: AccessQuestion, radii: IntArray, *, whole: bool, gap: float, time_limit_s: float
) -> _Solved | None:
    built = _Model(question, radii, whole=whole)
    params = mathopt.SolveParameters(
        time_limit=dt.timedelta(seconds=max(0.1, time_limit_s)), relative_gap_tolerance=max(gap / 2.0, 1e-9)
    )
    result = mathopt.solve(built.model, mathopt.SolverType.HIGHS, params=params)
    settled = result.termination.reason == mathopt.TerminationReason.OPTIMAL
    if not result.has_primal_feasible_solution() or not (whole or settled):
        return None
    values = result.variable_values()
    cut_short = np.zeros(radii.shape, dtype=np.bool_)
    for place, variables in built.last.items():
        cut_short[place] = any(values[variable] > TOLERANCE for variable in variables)
    plan = tuple(tuple(j for j, y in enumerate(opened) if values[y] > 0.5) for opened in built.opened)
    bound = float(result.termination.objective_bounds.dual_bound) if whole else float(result.objective_value())
    return _Solved(bound, plan, cut_short)


def site_access(question: AccessQuestion, chosen: tuple[int, ...]) -> FloatArray:
    """Return each client's access in each scenario with some sites open, shape (s, n)."""
    return np.asarray(question.access[:, :, list(chosen)].min(axis=2), dtype=np.float64)
