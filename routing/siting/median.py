"""The p-median problem, solved to proven optimality.

Choose p of m sites so that the total cost of serving every client from its cheapest open site is least::

    min  Σ_i min_{j open} c_ij        with exactly p sites open

Three steps, each cheap where the one before did its work:

1. an interchange heuristic (Teitz and Bart 1968, vectorised over all swaps) gives a good choice and an upper bound;
2. Lagrangian relaxation of the assignment (Cornuéjols, Fisher, Nemhauser 1977, doi:10.1287/mnsc.23.8.789) gives a lower
   bound, and its reduced costs fix most sites open or closed;
3. what is left goes to HiGHS in the radius formulation (Elloumi 2010; García, Labbé, Marín 2011,
   doi:10.1287/ijoc.1100.0418), whose radii are cut short per client and extended only where the relaxation asks.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ortools.math_opt.python import mathopt
from scipy.sparse import csr_matrix

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STARTS = 5
"""Random starts of the interchange heuristic."""
SUBGRADIENT_STEPS = 1_500
FIRST_RADII = 3
"""Radii modelled beyond the client's cost in the best known solution, before any extension."""
MORE_RADII = 5
ROUNDING = 1e-6


@dataclass(frozen=True)
class MedianResult:
    """A choice of sites. `bound` is a valid lower bound on the cost of every choice."""

    open_sites: tuple[int, ...]
    cost: float
    bound: float
    proven: bool

    @property
    def gap(self) -> float:
        """Relative distance between cost and bound; 0 when proven."""
        return 0.0 if self.proven or self.cost <= 0.0 else (self.cost - self.bound) / self.cost


def solve_p_median(
    cost: FloatArray,
    p: int,
    *,
    forced_open: tuple[int, ...] = (),
    time_limit_s: float = 300.0,
    seed: int = 0,
) -> MedianResult:
    """Return the cheapest choice of `p` sites.

    Parameters
    ----------
    cost
        Shape (clients, sites): cost of serving client i from site j (weights included), finite and not negative.
    p
        How many sites are open, 1 ≤ p ≤ number of sites.
    forced_open
        Sites open in any case, at most p.
    time_limit_s
        Wall-clock limit; when it ends the search the result says ``proven=False`` and holds the bound reached.

    Raises
    ------
    ValueError
        If p or a forced site is out of range, or a cost is negative or not finite.
    """
    _validate(cost, p, forced_open)
    deadline = time.monotonic() + time_limit_s
    if p in (len(set(forced_open)), cost.shape[1]):
        chosen = np.array(sorted(set(forced_open)) if p < cost.shape[1] else range(p), dtype=np.int64)
        only_cost = float(cost[:, chosen].min(axis=1).sum())
        return MedianResult(_as_sites(chosen), only_cost, only_cost, proven=True)
    incumbent, upper = _best_interchange(cost, p, forced_open, np.random.default_rng(seed))
    step = _smallest_improvement(cost, upper)
    relaxed = _lagrangian(cost, p, upper, step, forced_open)
    if relaxed.bound > upper - step + ROUNDING:
        return MedianResult(_as_sites(incumbent), upper, upper, proven=True)
    reduced = _reduce(cost, p, relaxed, incumbent, upper, step, forced_open)
    return _solve_reduced(reduced, upper, relaxed.bound, step, deadline)


def _validate(cost: FloatArray, p: int, forced_open: tuple[int, ...]) -> None:
    sites = cost.shape[1]
    if not 1 <= p <= sites:
        msg = f"p is {p}; it must be 1 to {sites}"
        raise ValueError(msg)
    if len(set(forced_open)) > p or any(not 0 <= j < sites for j in forced_open):
        msg = "forced sites must be at most p different sites"
        raise ValueError(msg)
    if not np.all(np.isfinite(cost)) or float(cost.min(initial=0.0)) < 0.0:
        msg = "costs must be finite and not negative"
        raise ValueError(msg)


def _as_sites(chosen: IntArray) -> tuple[int, ...]:
    return tuple(sorted(int(j) for j in chosen))


def _smallest_improvement(cost: FloatArray, upper: float) -> float:
    """Return by how much any better solution must be better: 1 for whole costs, else a relative tolerance."""
    return 1.0 if bool(np.all(cost == np.round(cost))) else max(1e-9, upper * 1e-9)


def _best_interchange(
    cost: FloatArray, p: int, forced_open: tuple[int, ...], rng: np.random.Generator
) -> tuple[IntArray, float]:
    others = np.setdiff1d(np.arange(cost.shape[1]), np.array(forced_open, dtype=np.int64))
    found: list[tuple[float, IntArray]] = []
    for _ in range(STARTS):
        drawn = rng.choice(others, p - len(set(forced_open)), replace=False)
        chosen = np.concatenate([np.array(sorted(set(forced_open)), dtype=np.int64), drawn])
        found.append(_interchange(cost, chosen, len(set(forced_open))))
    best_cost, best = min(found, key=lambda pair: pair[0])
    return best, best_cost


def _interchange(cost: FloatArray, chosen: IntArray, n_forced: int) -> tuple[float, IntArray]:
    """Apply the best swap of one open for one closed site until none helps; the first `n_forced` stay."""
    clients, p = cost.shape[0], len(chosen)
    chosen = chosen.copy()
    while True:
        to_open = cost[:, chosen]
        nearest = to_open.argmin(axis=1)
        first = to_open[np.arange(clients), nearest]
        to_open[np.arange(clients), nearest] = np.inf
        second = to_open.min(axis=1)
        if p == 1:
            second = np.full(clients, float(cost.max()))
        gain = np.maximum(0.0, first[:, None] - cost).sum(axis=0)
        lost_by_client = np.minimum(second[:, None], np.maximum(cost, first[:, None])) - first[:, None]
        served_by = csr_matrix((np.ones(clients), (nearest, np.arange(clients))), shape=(p, clients))
        net = gain[None, :] - served_by @ lost_by_client
        net[:, chosen] = -np.inf
        net[:n_forced] = -np.inf
        out, into = np.unravel_index(int(net.argmax()), net.shape)
        if net[out, into] <= ROUNDING:
            return float(first.sum()), chosen
        chosen[out] = into


@dataclass(frozen=True)
class _Relaxed:
    bound: float
    site_value: FloatArray
    """Σ_i min(0, c_ij − λ_i) at the best multipliers, by site: the more negative, the more wanted."""


def _lagrangian(cost: FloatArray, p: int, upper: float, step: float, forced_open: tuple[int, ...]) -> _Relaxed:
    """Return a lower bound and site values by subgradient steps on the relaxed assignment constraints."""
    forced = np.zeros(cost.shape[1], dtype=bool)
    forced[list(forced_open)] = True
    rank = min(cost.shape[1] - 1, max(1, cost.shape[1] // p // 2))
    multipliers = np.sort(cost, axis=1)[:, rank].astype(np.float64)
    best, best_multipliers, scale, stale = -np.inf, multipliers.copy(), 2.0, 0
    for _ in range(SUBGRADIENT_STEPS):
        value = np.minimum(0.0, cost - multipliers[:, None]).sum(axis=0)
        chosen = np.argpartition(np.where(forced, -np.inf, value), p - 1)[:p]
        bound = float(multipliers.sum() + value[chosen].sum())
        if bound > best + ROUNDING:
            best, best_multipliers, stale = bound, multipliers.copy(), 0
        else:
            stale += 1
            if stale > 20:
                scale, stale, multipliers = scale * 0.7, 0, best_multipliers.copy()
        if best > upper - step + ROUNDING or scale < 1e-4:
            break
        slope = 1.0 - (cost[:, chosen] < multipliers[:, None]).sum(axis=1)
        norm = float((slope * slope).sum())
        if norm == 0.0:
            break
        multipliers = multipliers + scale * (upper * 1.0005 - bound) / norm * slope
    return _Relaxed(best, np.minimum(0.0, cost - best_multipliers[:, None]).sum(axis=0).reshape(-1))


@dataclass(frozen=True)
class _Reduced:
    """What is left after fixing: costs to the candidates still free or fixed open, and how far radii are modelled."""

    sites: IntArray
    cost: FloatArray
    must_open: npt.NDArray[np.bool_]
    p: int
    incumbent: IntArray
    radii: IntArray


def _reduce(
    cost: FloatArray,
    p: int,
    relaxed: _Relaxed,
    incumbent: IntArray,
    upper: float,
    step: float,
    forced_open: tuple[int, ...],
) -> _Reduced:
    value = relaxed.site_value
    free = np.ones(len(value), dtype=bool)
    free[list(forced_open)] = False
    ordered, k = np.sort(value[free]), p - int((~free).sum())
    target = upper - step + ROUNDING
    may_open = ~free | (relaxed.bound + np.maximum(0.0, value - ordered[k - 1]) <= target)
    may_open[incumbent] = True
    must_open = ~free | (relaxed.bound + np.maximum(0.0, ordered[k] - value) > target)
    sites = np.flatnonzero(may_open)
    kept = cost[:, sites]
    known = cost[:, incumbent].min(axis=1)
    radii = np.array(
        [np.searchsorted(np.unique(row), 1.3 * near) + FIRST_RADII for row, near in zip(kept, known, strict=True)]
    )
    return _Reduced(sites, kept, must_open[sites], p, incumbent, radii)


def _solve_reduced(reduced: _Reduced, upper: float, bound: float, step: float, deadline: float) -> MedianResult:
    """Extend radii on the linear relaxation, then solve whole numbers; repeat while a cut radius is used."""
    whole = False
    radii = reduced.radii.copy()
    incumbent = _as_sites(reduced.incumbent)
    while time.monotonic() < deadline:
        answer = _solve_radius_model(reduced, radii, whole=whole, time_limit_s=deadline - time.monotonic())
        if answer is None:
            break
        bound = max(bound, min(answer.bound, upper))
        if whole:
            sites = tuple(int(j) for j in reduced.sites[answer.open_share > 0.5])
            cost = float(reduced.cost[:, answer.open_share > 0.5].min(axis=1).sum())
            if cost < upper - ROUNDING:
                incumbent, upper = sites, cost
        if bound > upper - step + 1e-4 * step:
            return MedianResult(incumbent, upper, upper, proven=True)
        if answer.cut_short.any():
            radii[answer.cut_short] += MORE_RADII
        elif whole:
            break
        else:
            whole = True
    return MedianResult(incumbent, upper, min(bound, upper), proven=False)


@dataclass(frozen=True)
class _RadiusAnswer:
    bound: float
    open_share: FloatArray
    cut_short: npt.NDArray[np.bool_]
    """Clients whose last modelled radius is used, so that their cost may be understated."""


def _solve_radius_model(
    reduced: _Reduced, radii: IntArray, *, whole: bool, time_limit_s: float
) -> _RadiusAnswer | None:
    """Solve min Σ_i (D_i0 + Σ_k (D_i,k+1 − D_ik) z_ik) with z_ik ≥ z_i,k−1 − Σ_{j: c_ij = D_ik} y_j."""
    model = mathopt.Model()
    opened = [model.add_variable(lb=float(must), ub=1.0, is_integer=whole) for must in reduced.must_open]
    model.add_linear_constraint(mathopt.fast_sum(opened) == reduced.p)
    terms: list[mathopt.LinearTypes] = []
    last: list[mathopt.Variable | None] = []
    for row, n_radii in zip(reduced.cost, radii, strict=True):
        last.append(_add_client(model, opened, row, int(n_radii), terms))
    model.minimize(mathopt.fast_sum(terms))
    params = mathopt.SolveParameters(time_limit=dt.timedelta(seconds=max(0.1, time_limit_s)))
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=params)
    settled = result.termination.reason == mathopt.TerminationReason.OPTIMAL
    if not result.has_primal_feasible_solution() or not (whole or settled):
        return None
    values = result.variable_values()
    return _RadiusAnswer(
        bound=result.dual_bound() if whole else result.objective_value(),
        open_share=np.array([values[variable] for variable in opened]),
        cut_short=np.array([variable is not None and values[variable] > ROUNDING for variable in last]),
    )


def _add_client(
    model: mathopt.Model,
    opened: list[mathopt.Variable],
    row: FloatArray,
    n_radii: int,
    terms: list[mathopt.LinearTypes],
) -> mathopt.Variable | None:
    order = np.argsort(row, kind="stable")
    distances, starts = np.unique(row[order], return_index=True)
    ends = np.append(starts[1:], len(row))
    terms.append(float(distances[0]))
    beyond: mathopt.Variable | None = None
    used = min(n_radii, len(distances) - 1)
    for k in range(used):
        within = mathopt.fast_sum([opened[j] for j in order[starts[k] : ends[k]]])
        farther = model.add_variable(lb=0.0)
        model.add_linear_constraint(farther + within >= (1.0 if beyond is None else beyond))
        terms.append(float(distances[k + 1] - distances[k]) * farther)
        beyond = farther
    return beyond if used < len(distances) - 1 else None
