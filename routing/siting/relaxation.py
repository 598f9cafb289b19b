"""Lagrangian relaxation of capacitated siting: a lower bound, prices of clients, reduced costs of options."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from routing.siting.question import BoolArray, CapacityQuestion, FloatArray, IntArray

STEPS = 1_200
CONSIDERED_EVERY = 10
PATIENCE = 12
"""Steps without a better bound before steps are shortened."""
MEMORY = 0.03
"""Weight of the newest step in `Relaxation.often`."""
MAX_PACKED_CAPACITY = 4_000
"""Largest capacity the dynamic programme over whole loads is run for; beyond it clients are packed in part."""
ROUNDING = 1e-6


@dataclass(frozen=True)
class Relaxation:
    """The best multipliers found and what follows from them.

    `price` (n,) is what serving each client is worth, `budget_price` what a unit of budget is worth, `option_value`
    (q,) an option's cost after its best packing: the more negative, the more wanted. `slack` (q,) is the least by which
    the bound rises when the option is opened.
    """

    question: CapacityQuestion
    bound: float
    price: FloatArray
    budget_price: float
    option_value: FloatArray
    slack: FloatArray
    often: FloatArray

    def options_left(self, target: float) -> BoolArray:
        """Return the options that may be open in a choice costing `target` or less, shape (q,)."""
        allowed = self.question.may_open[self.question.option_site]
        if not np.isfinite(target):
            return allowed.copy()
        return allowed & (self.bound + self.slack <= target + ROUNDING)

    def cells_left(self, target: float, options: BoolArray) -> BoolArray:
        """Return the assignments (n, m) that a choice costing `target` or less may use."""
        usable = np.zeros(self.question.n_sites, dtype=np.bool_)
        usable[self.question.option_site[options]] = True
        cells = np.isfinite(self.question.cost) & usable[None, :]
        if self.question.split or not np.isfinite(target):
            return cells
        slack = np.full(self.question.n_sites, np.inf)
        np.minimum.at(slack, self.question.option_site[options], self.slack[options])
        dearer = np.maximum(0.0, self.question.cost - self.price[:, None])
        return cells & (self.bound + slack[None, :] + dearer <= target + ROUNDING)


@dataclass(frozen=True)
class _Point:
    """The relaxed problem's answer at one set of multipliers."""

    bound: float
    value: FloatArray
    slack: FloatArray
    chosen: tuple[int, ...]
    served: FloatArray
    """Times each client is served, shape (n,)."""


def relax(
    question: CapacityQuestion, consider: Callable[[tuple[int, ...]], float], *, gap: float, time_limit_s: float
) -> Relaxation:
    """Return the relaxation after subgradient steps.

    Parameters
    ----------
    consider
        Told each open set the relaxation chooses; returns the cost of the best feasible choice so far.
    gap, time_limit_s
        When to stop early.
    """
    deadline = time.monotonic() + time_limit_s
    packing = _Packing(question)
    price = np.partition(
        np.where(np.isfinite(question.cost), question.cost, 1e15), min(2, question.n_sites - 1), axis=1
    )
    price = price[:, min(2, question.n_sites - 1)].copy()
    budget_price, scale, stale = 0.0, 2.0, 0
    best, best_price, best_budget_price = packing.at(price, budget_price), price.copy(), budget_price
    point, upper = best, consider(best.chosen)
    often = np.zeros(question.n_options)
    for step in range(STEPS):
        if point.bound > best.bound + ROUNDING * max(1.0, abs(best.bound)):
            best, best_price, best_budget_price, stale = point, price.copy(), budget_price, 0
        else:
            stale += 1
            if stale > PATIENCE:
                scale, stale, price, budget_price = scale * 0.7, 0, best_price.copy(), best_budget_price
        if step % CONSIDERED_EVERY == 0:
            upper = consider(point.chosen)
        done = np.isfinite(upper) and (upper - best.bound < max(question.step, gap * abs(upper)))
        if done or scale < 1e-3 or time.monotonic() > deadline:
            break
        slope = 1.0 - point.served
        spent = 0.0
        if question.budget is not None:
            spent = (float(question.option_money[list(point.chosen)].sum()) - question.budget) / packing.money_unit
        norm = float((slope * slope).sum()) + spent * spent
        if norm <= 1e-12:
            break
        aim = 1.0005 * upper if np.isfinite(upper) else best.bound + 0.05 * abs(best.bound) + 1.0
        length = scale * max(aim - point.bound, 1e-3 * abs(aim)) / norm
        price = price + length * slope
        budget_price = max(0.0, budget_price + length * spent / packing.money_unit)
        point = packing.at(price, budget_price)
        often *= 1.0 - MEMORY
        often[list(point.chosen)] += MEMORY
    return Relaxation(question, best.bound, best_price, best_budget_price, best.value, best.slack, often)


class _Packing:
    """Solves the relaxed problem: packs every option's knapsack, then opens the best options."""

    def __init__(self, question: CapacityQuestion) -> None:
        self.question = question
        self.money_unit = float(max(1.0, question.option_money.max(initial=1.0)))
        self._forced = np.zeros(question.n_sites, dtype=np.bool_)
        self._forced[list(question.must_open)] = True
        finite = np.where(np.isfinite(question.option_capacity), question.option_capacity, question.load.sum())
        self._capacity = finite
        whole = bool((question.load == np.round(question.load)).all())
        self._whole = not question.split and whole and float(finite.max()) <= MAX_PACKED_CAPACITY

    def at(self, price: FloatArray, budget_price: float) -> _Point:
        question = self.question
        reduced = question.cost - price[:, None]
        packed, shares_of = self._pack_whole(reduced) if self._whole else self._pack_parts(reduced)
        value = question.option_cost + budget_price * question.option_money + packed
        value = np.where(question.may_open[question.option_site], value, np.inf)
        chosen, total, slack = self._open(value)
        served = shares_of(chosen)
        bound = float(price.sum()) + total
        if question.budget is not None:
            bound -= budget_price * question.budget
        return _Point(bound, value, slack, chosen, served)

    def _open(self, value: FloatArray) -> tuple[tuple[int, ...], float, FloatArray]:
        """Return the best open set by value, its value, and by how much opening each option would raise it."""
        question = self.question
        order = np.lexsort((np.arange(question.n_options), value, question.option_site))
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = question.option_site[order][1:] != question.option_site[order][:-1]
        best_option = order[first]
        sites = question.option_site[best_option]
        worth = value[best_option]
        forced, counts = self._forced[sites], question.option_counts[best_option]
        free = ~forced & counts
        chosen = forced | (~counts & (worth < 0.0))
        threshold = 0.0
        if question.at_most is not None:
            most = max(0, question.at_most - int((forced & counts).sum()))
            ranked = np.flatnonzero(free)[np.argsort(worth[free], kind="stable")]
            taken = ranked[:most]
            if not question.exactly:
                taken = taken[worth[taken] < 0.0]
            chosen[taken] = True
            full = most > 0 and len(taken) == most
            threshold = float(worth[taken[-1]]) if full else (0.0 if most else -np.inf)
        else:
            chosen |= free & (worth < 0.0)
        best_of_site = np.zeros(question.n_sites)
        best_of_site[sites[chosen]] = worth[chosen]
        is_chosen_site = np.zeros(question.n_sites, dtype=np.bool_)
        is_chosen_site[sites[chosen]] = True
        site = question.option_site
        other = np.where(question.option_counts, threshold, 0.0)
        slack = np.where(is_chosen_site[site], value - best_of_site[site], np.maximum(0.0, value - other))
        return tuple(sorted(int(o) for o in best_option[chosen])), float(worth[chosen].sum()), slack

    def _pack_parts(self, reduced: FloatArray) -> tuple[FloatArray, Callable[[tuple[int, ...]], FloatArray]]:
        """Return each option's best packing in parts, and how often a set of options serves each client."""
        question = self.question
        site, client = np.nonzero(reduced.T < 0.0)
        gain = reduced[client, site]
        load = question.load[client]
        order = np.lexsort((gain / np.maximum(load, 1e-12), site))
        site, client, gain, load = site[order], client[order], gain[order], load[order]
        starts = np.searchsorted(site, np.arange(question.n_sites + 1))
        ahead = np.concatenate([[0.0], np.cumsum(load)])
        before = ahead[:-1] - ahead[starts[site]]
        value = np.zeros(question.n_options)
        rank = _rank_within(question.option_site)
        for turn in range(int(rank.max()) + 1):
            options = np.flatnonzero(rank == turn)
            capacity = np.zeros(question.n_sites)
            capacity[question.option_site[options]] = self._capacity[options]
            share = np.clip((capacity[site] - before) / np.maximum(load, 1e-12), 0.0, 1.0)
            sums = np.bincount(site, weights=share * gain, minlength=question.n_sites)
            value[options] = sums[question.option_site[options]]

        def shares_of(chosen: tuple[int, ...]) -> FloatArray:
            served = np.zeros(question.n_clients)
            for option in chosen:
                part = slice(int(starts[question.option_site[option]]), int(starts[question.option_site[option] + 1]))
                share = np.clip((self._capacity[option] - before[part]) / np.maximum(load[part], 1e-12), 0.0, 1.0)
                served[client[part]] += share
            return served

        return value, shares_of

    def _pack_whole(self, reduced: FloatArray) -> tuple[FloatArray, Callable[[tuple[int, ...]], FloatArray]]:
        """Return the same with clients packed whole, by dynamic programming over the capacity."""
        question = self.question
        gain = np.where(np.isfinite(reduced), np.maximum(0.0, -reduced), 0.0)
        most = int(self._capacity.max())
        table = np.zeros((question.n_sites, most + 1))
        taken = np.zeros((question.n_clients, question.n_sites, most + 1), dtype=np.bool_)
        for i in range(question.n_clients):
            size = int(question.load[i])
            if size > most:
                continue
            with_i = table[:, : most + 1 - size] + gain[i][:, None]
            better = with_i > table[:, size:] + 1e-12
            taken[i, :, size:] = better
            table[:, size:] = np.where(better, with_i, table[:, size:])
        level = np.floor(self._capacity + 1e-9).astype(np.int64)
        value = -table[question.option_site, level]

        def shares_of(chosen: tuple[int, ...]) -> FloatArray:
            served = np.zeros(question.n_clients)
            for option in chosen:
                j, left = int(question.option_site[option]), int(level[option])
                for i in range(question.n_clients - 1, -1, -1):
                    if taken[i, j, left]:
                        served[i] += 1.0
                        left -= int(question.load[i])
            return served

        return value, shares_of


def _rank_within(groups: IntArray) -> IntArray:
    """Return the position of each entry among those of its group, in order of sight."""
    seen: dict[int, int] = {}
    found = []
    for group in groups.tolist():
        found.append(seen.get(group, 0))
        seen[group] = found[-1] + 1
    return np.array(found, dtype=np.int64)
