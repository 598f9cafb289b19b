"""Questions of siting as arrays: what the models are asked, without names, maps or files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Measure = Literal["mean", "tail"]
"""What is made least: the weighted mean access, or the mean of the worst-off share."""


@dataclass(frozen=True)
class AccessQuestion:
    """Where to open so that access is best, without capacities.

    Parameters
    ----------
    access
        Shape (s, n, m): what it takes client i to get to site j in scenario s, in any one unit; finite. A place that
        cannot be reached carries whatever being without service counts as.
    weight
        Shape (n,): people or parcels per client, not negative, not all 0.
    money
        Shape (m,): price of opening; 0 for sites that exist.
    counts
        Shape (m,): whether a site counts towards `at_most`.
    at_most, budget
        By period, cumulative: how many counted sites may be open, how much may have been spent. None: no limit.
    must_open, closed
        Sites open from the first period on, and sites that stay closed.
    measure, tail_share
        "mean", or "tail": the mean over the worst-off `tail_share` of the weight (CVaR; Rockafellar and Uryasev 2000).
    over
        How scenarios are combined: their mean, or the worst of them.
    """

    access: FloatArray
    weight: FloatArray
    money: FloatArray
    counts: BoolArray
    at_most: tuple[int | None, ...] = (None,)
    budget: tuple[float | None, ...] = (None,)
    must_open: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    measure: Measure = "mean"
    tail_share: float = 0.05
    over: Literal["mean", "worst"] = "mean"

    def __post_init__(self) -> None:
        if self.access.ndim != 3 or self.weight.shape != self.access.shape[1:2]:
            msg = "access must be (scenarios, clients, sites) and weight (clients,)"
            raise ValueError(msg)
        if self.money.shape != self.access.shape[2:] or self.counts.shape != self.money.shape:
            msg = "money and counts must hold one entry a site"
            raise ValueError(msg)
        if not np.isfinite(self.access).all() or float(self.weight.sum()) <= 0.0:
            msg = "access must be finite and some weight above zero"
            raise ValueError(msg)
        if len(self.at_most) != len(self.budget):
            msg = "at_most and budget must name the same periods"
            raise ValueError(msg)

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.at_most)

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(self.access.shape[2])

    def admits(self, chosen: tuple[int, ...], period: int) -> bool:
        """Return whether a set of open sites keeps the limits of a period."""
        sites = list(chosen)
        count, most, budget = int(self.counts[sites].sum()), self.at_most[period], self.budget[period]
        if not set(self.must_open) <= set(chosen) or set(self.closed) & set(chosen) or not chosen:
            return False
        return (most is None or count <= most) and (budget is None or float(self.money[sites].sum()) <= budget + 1e-9)

    def value(self, chosen: tuple[int, ...]) -> float:
        """Return the measure of one set of open sites, over all scenarios."""
        each = [self._measured(matrix[:, list(chosen)].min(axis=1)) for matrix in self.access]
        return float(max(each) if self.over == "worst" else np.mean(each))

    def _measured(self, reached: FloatArray) -> float:
        if self.measure == "mean":
            return float((self.weight * reached).sum() / self.weight.sum())
        return tail_mean(reached, self.weight, self.tail_share)


def tail_mean(reached: FloatArray, weight: FloatArray, share: float) -> float:
    """Return the weighted mean over the worst-off `share` of the weight; the client at the edge counts in part."""
    order = np.argsort(-reached, kind="stable")
    left = share * float(weight.sum())
    before = np.cumsum(weight[order]) - weight[order]
    taken = np.clip(left - before, 0.0, weight[order])
    return float((taken * reached[order]).sum() / left)


@dataclass(frozen=True)
class CapacityQuestion:
    """Which options to open and who is served where; see `routing.siting.capacitated` for the model.

    Parameters
    ----------
    cost
        Shape (n, m): cost of serving all of client i at site j; inf where it may not.
    load
        Shape (n,): what client i takes of a capacity, not negative.
    option_site, option_cost, option_capacity, option_money, option_counts
        Shape (q,): site of each option, its part in the objective, its capacity (inf: none), its price against the
        budget, and whether it counts towards `at_most`.
    exactly
        Exactly `at_most` counted options are open, not fewer.
    split
        Whether a client may be served by several sites.
    """

    cost: FloatArray
    load: FloatArray
    option_site: IntArray
    option_cost: FloatArray
    option_capacity: FloatArray
    option_money: FloatArray
    option_counts: BoolArray
    at_most: int | None = None
    exactly: bool = False
    budget: float | None = None
    must_open: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    split: bool = True

    def __post_init__(self) -> None:
        if self.load.shape != self.cost.shape[:1] or (self.load < 0.0).any():
            msg = "load must hold one entry a client, none negative"
            raise ValueError(msg)
        shapes = {array.shape for array in (self.option_site, self.option_cost, self.option_capacity)}
        shapes |= {self.option_money.shape, self.option_counts.shape}
        if len(shapes) != 1 or not len(self.option_site):
            msg = "option arrays must be of one length, at least 1"
            raise ValueError(msg)

    @property
    def n_clients(self) -> int:
        """Number of clients."""
        return int(self.cost.shape[0])

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(self.cost.shape[1])

    @property
    def n_options(self) -> int:
        """Number of options."""
        return len(self.option_site)

    @cached_property
    def may_open(self) -> BoolArray:
        """Whether a site has an option and is not closed, shape (m,)."""
        found = np.zeros(self.n_sites, dtype=np.bool_)
        found[self.option_site] = True
        found[list(self.closed)] = False
        return found

    @cached_property
    def must_options(self) -> tuple[int, ...]:
        """The roomiest, then cheapest option of each site that must open."""
        found = []
        for site in self.must_open:
            of_site = np.flatnonzero(self.option_site == site)
            keys = (self.option_cost[of_site], self.option_money[of_site], -self.option_capacity[of_site])
            found.append(int(of_site[np.lexsort(keys)[0]]))
        return tuple(found)

    @cached_property
    def step(self) -> float:
        """By how much a better choice must be better: just under 1 where costs are whole, else next to nothing."""
        finite = self.cost[np.isfinite(self.cost)]
        whole = not self.split and bool((finite == np.round(finite)).all())
        whole = whole and bool((self.option_cost == np.round(self.option_cost)).all())
        return 1.0 - 1e-6 if whole else 1e-9

    def admits(self, options: tuple[int, ...]) -> bool:
        """Return whether a set of options keeps count, budget, one option a site, and what must or may not open."""
        chosen = list(options)
        sites = self.option_site[chosen].tolist()
        count = int(self.option_counts[chosen].sum())
        if len(set(sites)) < len(sites) or not set(self.must_open) <= set(sites) or set(self.closed) & set(sites):
            return False
        if self.at_most is not None and (count > self.at_most or (self.exactly and count < self.at_most)):
            return False
        if self.budget is not None and float(self.option_money[chosen].sum()) > self.budget + 1e-9:
            return False
        return float(self.option_capacity[chosen].sum()) >= float(self.load.sum()) - 1e-9
