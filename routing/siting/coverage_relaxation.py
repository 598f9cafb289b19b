"""Lagrangian relaxation of maximal coverage: often the proof itself, and far quicker than a mixed-integer programme.

Relaxing "a client counts only where a site that covers it is open" with a price λ_i between 0 and the client's weight
leaves two choices that need no search (Galvão and ReVelle 1996, doi:10.1016/0377-2217(94)00159-6)::

    max  Σ_i max(0, w_i − λ_i)  +  the p greatest of Σ_{i covered by j} λ_i

Its least value over λ bounds the weight any p sites can cover; the sites it picks on the way are choices themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.siting.question import BoolArray, FloatArray, IntArray

STEPS = 120
PATIENCE = 8
"""Steps without a better bound before steps are shortened."""
SHORTER = 0.6


@dataclass(frozen=True)
class CoverageRelaxation:
    """The best sites met, the weight they cover, and an upper bound on what any choice covers."""

    sites: IntArray
    covered: float
    bound: float


def relax_coverage(covers: BoolArray, weight: FloatArray, p: int, *, step: float) -> CoverageRelaxation:
    """Return the relaxation after subgradient steps, stopped once nothing better by `step` can exist.

    Parameters
    ----------
    covers
        Shape (n, m): which site covers which client.
    weight
        Shape (n,), above zero.
    p
        How many sites may be open, 1 ≤ p ≤ m.
    step
        By how much a better choice must be better: just under 1 for whole weights, else next to nothing.
    """
    share = covers.astype(np.float64)
    best = _greedy(share, weight, p)
    covered = _covered(share, weight, best)
    price = best_price = 0.5 * weight
    bound, scale, stale = float(weight.sum()), 1.0, 0
    for _ in range(STEPS):
        if bound < covered + step:
            break
        value = price @ share
        sites = np.argpartition(-value, p - 1)[:p]
        relaxed = float((weight - price).sum() + value[sites].sum())
        times = share[:, sites].sum(axis=1)
        met = float(weight[times > 0.0].sum())
        if met > covered:
            best, covered = sites, met
        if relaxed < bound - 1e-9:
            bound, best_price, stale = relaxed, price, 0
        else:
            stale += 1
            if stale > PATIENCE:
                price, scale, stale = best_price, scale * SHORTER, 0
        slope = times - 1.0
        slope[((price <= 0.0) & (slope > 0.0)) | ((price >= weight) & (slope < 0.0))] = 0.0
        norm = float((slope * slope).sum())
        if norm == 0.0:
            break
        price = np.clip(price - scale * max(relaxed - covered, 1e-9) / norm * slope, 0.0, weight)
    return CoverageRelaxation(best, covered, max(bound, covered))


def _covered(share: FloatArray, weight: FloatArray, sites: IntArray) -> float:
    return float(weight[share[:, sites].any(axis=1)].sum())


def _greedy(share: FloatArray, weight: FloatArray, p: int) -> IntArray:
    left = weight.copy()
    chosen: list[int] = []
    for _ in range(p):
        gain = left @ share
        gain[chosen] = -1.0
        chosen.append(int(gain.argmax()))
        left[share[:, chosen[-1]] > 0.0] = 0.0
    return np.array(chosen, dtype=np.int64)
