"""Siting with capacities: which options to open and who is served where, with a proven bound.

An *option* is one way of opening one site (a shelf, a locker, a cold box, …) with a cost and a capacity; a site opens
under one option at most::

    min   Σ_ij c_ij x_ij + Σ_o f_o y_o
    s.t.  Σ_j x_ij = 1,   Σ_i d_i x_ij ≤ Σ_{o of j} q_o y_o,   0 ≤ x_ij ≤ Σ_{o of j} y_o ≤ 1
          Σ y_o = p (or ≤ p),   Σ money_o y_o ≤ budget,   x whole where a client may not be split

1. Lagrangian relaxation of "each client is served" (Geoffrion and McBride 1978; Beasley 1988,
   doi:10.1016/0377-2217(88)90003-0): each site then packs a knapsack, by ratio where clients may be split, by dynamic
   programming where not (Ceselli and Righini 2005, doi:10.1002/net.20059, reach the same bound by columns). The budget
   is priced into the options.
2. Open sets met on the way are made feasible and improved by swaps.
3. Sites and assignments whose reduced cost exceeds the gap are fixed; HiGHS solves the rest where it is small enough,
   else a part of it that holds the promising assignments, and the relaxation's bound stands.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from routing.siting.assignment import Assignment, assign, assign_split_exactly
from routing.siting.capacitated_mip import solve_mip
from routing.siting.question import BoolArray, CapacityQuestion, FloatArray, IntArray
from routing.siting.relaxation import Relaxation, relax

EXACT_CELLS = 40_000
"""Assignments (client, site) up to which HiGHS gets all that are left."""
NEAR_SITES = 8
"""Sites per client in the part HiGHS gets where all are too many."""
CORE_SITES = 6
"""Sites per client in the first, smaller part."""
SELDOM, ALMOST_ALWAYS = 0.05, 0.95
"""Options the relaxation opens less or more often are closed or open in that part."""
SWAP_ROUNDS = 40


@dataclass(frozen=True)
class CapacityAnswer:
    """Options to open and the share of each client each site serves.

    `served` holds (client, site, share) arrays; `bound` is a valid lower bound on every feasible choice; `cost` is inf
    and `options` empty where no feasible choice was found; `infeasible` is True where there is provably none.
    """

    options: tuple[int, ...]
    served: tuple[IntArray, IntArray, FloatArray]
    cost: float
    bound: float
    proven: bool
    infeasible: bool = False

    @property
    def gap(self) -> float:
        """Relative distance between cost and bound; 0 when proven, 1 where nothing was found."""
        if self.proven:
            return 0.0
        if not np.isfinite(self.cost):
            return 1.0
        return max(0.0, self.cost - self.bound) / max(abs(self.cost), 1e-12)


@dataclass(frozen=True)
class _Best:
    options: tuple[int, ...]
    found: Assignment | None
    cost: float


NOTHING = _Best((), None, float("inf"))


def solve_capacitated(question: CapacityQuestion, *, gap: float = 0.0, time_limit_s: float = 300.0) -> CapacityAnswer:
    """Return the cheapest choice of options and assignments.

    Parameters
    ----------
    gap
        Relative gap at which the search may stop; 0 asks for the optimum.
    time_limit_s
        Wall-clock limit; the bound reached by then is reported.
    """
    deadline = time.monotonic() + time_limit_s
    tried: dict[tuple[int, ...], _Best] = {}
    best = NOTHING

    def consider(options: tuple[int, ...]) -> float:
        nonlocal best
        repaired = _repaired(question, options)
        if repaired is None:
            return best.cost
        if repaired not in tried:
            tried[repaired] = _judged(question, repaired)
            if tried[repaired].cost < best.cost:
                best = tried[repaired]
        return best.cost

    relaxation = relax(question, consider, gap=gap, time_limit_s=0.4 * time_limit_s)
    best = _improved(question, best, relaxation, min(deadline, time.monotonic() + 0.08 * time_limit_s))
    if question.split and best.found is not None:
        best = _exactly_assigned(question, best)
    if _closed(best.cost, relaxation.bound, gap, question):
        return _answer(best, relaxation.bound, question)
    return _finish(question, relaxation, best, gap, deadline)


def _finish(
    question: CapacityQuestion, relaxation: Relaxation, best: _Best, gap: float, deadline: float
) -> CapacityAnswer:
    target = best.cost - question.step
    options = relaxation.options_left(target)
    if best.options:
        options[list(best.options)] = True
    cells = relaxation.cells_left(target, options)
    whole = int(cells.sum()) <= EXACT_CELLS
    if not whole:
        cells &= _near(question, relaxation, options, best)
        best = _core(question, relaxation, best, gap, deadline)
        if _closed(best.cost, relaxation.bound, gap, question):
            return _answer(best, relaxation.bound, question)
    left = max(1.0, deadline - time.monotonic())
    solved = solve_mip(question, options, cells, gap=gap, time_limit_s=left)
    bound = relaxation.bound
    if solved.options is not None and solved.cost < best.cost - 1e-9:
        best = _Best(solved.options, solved.assignment, solved.cost)
        if question.split:
            best = _exactly_assigned(question, best)
    if whole:
        bound = max(bound, min(solved.bound, best.cost))
        if solved.infeasible and best.found is not None:
            bound = best.cost
    answer = _answer(best, bound, question)
    return replace(answer, infeasible=whole and solved.infeasible and best.found is None)


def _core(question: CapacityQuestion, relaxation: Relaxation, best: _Best, gap: float, deadline: float) -> _Best:
    """Return a better choice from the programme in which only the options in doubt are free, or `best`."""
    often = relaxation.often
    usable = (often > SELDOM) & question.may_open[question.option_site]
    usable[list(question.must_options)] = True
    fixed = often > ALMOST_ALWAYS
    kept = np.zeros(question.n_sites, dtype=np.bool_)
    kept[question.option_site[usable]] = True
    share = 0.7 * (deadline - time.monotonic())
    few = _nearest(question, kept, CORE_SITES)
    if best.found is not None:
        few[best.found.client, best.found.site] |= kept[best.found.site]
    solved = solve_mip(question, usable, few, gap=gap / 4.0, time_limit_s=share, fixed=fixed)
    if solved.options is None or solved.cost >= best.cost:
        return best
    found = _Best(solved.options, solved.assignment, solved.cost)
    return _exactly_assigned(question, found) if question.split else found


def _nearest(question: CapacityQuestion, usable: BoolArray, many: int) -> BoolArray:
    """Return the assignments to each client's cheapest usable sites, (n, m)."""
    cost = np.where(usable[None, :], question.cost, np.inf)
    kept = min(many, question.n_sites)
    cheapest = np.argpartition(cost, kept - 1, axis=1)[:, :kept]
    cells = np.zeros(question.cost.shape, dtype=np.bool_)
    np.put_along_axis(cells, cheapest, True, axis=1)
    return np.asarray(cells & np.isfinite(cost), dtype=np.bool_)


def _near(question: CapacityQuestion, relaxation: Relaxation, options: BoolArray, best: _Best) -> BoolArray:
    """Return the assignments that look promising: cheapest by reduced cost, and those of the best choice, (n, m)."""
    usable = np.zeros(question.n_sites, dtype=bool)
    usable[question.option_site[options]] = True
    cells = _nearest(question, usable, NEAR_SITES)
    cells |= question.cost <= relaxation.price[:, None]
    if best.found is not None:
        cells[best.found.client, best.found.site] = True
    return np.asarray(cells & np.isfinite(question.cost), dtype=np.bool_)


def _closed(cost: float, bound: float, gap: float, question: CapacityQuestion) -> bool:
    return np.isfinite(cost) and (bound > cost - question.step or cost - bound <= gap * abs(cost))


def _answer(best: _Best, bound: float, question: CapacityQuestion) -> CapacityAnswer:
    proven = bool(np.isfinite(best.cost)) and bound > best.cost - question.step - 1e-9 * abs(best.cost)
    proven = proven or (bool(np.isfinite(best.cost)) and best.cost - bound <= 1e-9 * max(1.0, abs(best.cost)))
    none = np.empty(0, dtype=np.int64)
    served = (none, none, np.empty(0)) if best.found is None else (best.found.client, best.found.site, best.found.share)
    return CapacityAnswer(best.options, served, best.cost, best.cost if proven else min(bound, best.cost), proven)


def _repaired(question: CapacityQuestion, options: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return options that hold the load within count and budget, as near to those given as a greedy rule gets."""
    chosen = {int(question.option_site[o]): o for o in (*options, *question.must_options)}
    kept = [o for o in chosen.values() if question.may_open[question.option_site[o]]]
    kept = _within_limits(question, kept)
    return _with_room(question, kept)


def _within_limits(question: CapacityQuestion, kept: list[int]) -> list[int]:
    must = set(question.must_open)
    droppable = sorted(
        (o for o in kept if int(question.option_site[o]) not in must), key=lambda o: (question.option_capacity[o], o)
    )
    for option in droppable:
        too_many = question.at_most is not None and question.option_counts[kept].sum() > question.at_most
        too_dear = question.budget is not None and question.option_money[kept].sum() > question.budget + 1e-9
        if not too_many and not too_dear:
            break
        kept = [o for o in kept if o != option]
    return kept


def _with_room(question: CapacityQuestion, kept: list[int]) -> tuple[int, ...] | None:
    """Open more, or larger options of the same site, until the load fits; None where the limits forbid it."""
    need = float(question.load.sum())
    while question.option_capacity[kept].sum() < need - 1e-9 or (
        question.exactly and _count(question, kept) < (question.at_most or 0)
    ):
        step = _best_addition(question, kept)
        if step is None:
            break
        kept = step
    short = question.option_capacity[kept].sum() < need - 1e-9
    return None if short or not kept else tuple(sorted(kept))


def _count(question: CapacityQuestion, kept: list[int]) -> int:
    return int(question.option_counts[kept].sum())


def _best_addition(question: CapacityQuestion, kept: list[int]) -> list[int] | None:
    """Return `kept` with the option that adds most room for its price, in place of a smaller one of its site."""
    room = np.zeros(question.n_sites)
    money, counts = np.zeros(question.n_sites), np.zeros(question.n_sites, dtype=np.int64)
    opened = question.option_site[kept]
    room[opened], money[opened] = question.option_capacity[kept], question.option_money[kept]
    counts[opened] = question.option_counts[kept]
    site = question.option_site
    more_room = np.minimum(question.option_capacity, 1e300) - np.minimum(room[site], 1e300)
    more_money = question.option_money - money[site]
    allowed = question.may_open[site] & (more_room > 0.0)
    if question.budget is not None:
        allowed &= money.sum() + more_money <= question.budget + 1e-9
    if question.at_most is not None:
        allowed &= counts.sum() + question.option_counts - counts[site] <= question.at_most
    if not allowed.any():
        return None
    worth = more_room / (1.0 + np.maximum(0.0, more_money) + np.maximum(0.0, question.option_cost))
    option = int(np.where(allowed, worth, -1.0).argmax())
    return [o for o in kept if question.option_site[o] != site[option]] + [option]


def _judged(question: CapacityQuestion, options: tuple[int, ...]) -> _Best:
    found = assign(question, options)
    if found is None:
        return _Best(options, None, float("inf"))
    return _Best(options, found, found.cost + float(question.option_cost[list(options)].sum()))


def _exactly_assigned(question: CapacityQuestion, best: _Best) -> _Best:
    if best.found is None:
        return best
    exact = assign_split_exactly(question, best.options, best.found)
    cost = exact.cost + float(question.option_cost[list(best.options)].sum())
    return _Best(best.options, exact, cost) if cost < best.cost else best


def _improved(question: CapacityQuestion, best: _Best, relaxation: Relaxation, deadline: float) -> _Best:
    """Swap, add and drop options while it helps, most wanted sites first."""
    if best.found is None:
        return best
    wanted = np.argsort(relaxation.option_value, kind="stable")[:60].tolist()
    for _ in range(SWAP_ROUNDS):
        better = _first_better(question, best, wanted, deadline)
        if better is None:
            break
        best = better
    return best


def _first_better(question: CapacityQuestion, best: _Best, wanted: list[int], deadline: float) -> _Best | None:
    must = set(question.must_options)
    removable = [o for o in best.options if o not in must]
    moves: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((o,), ()) for o in removable]
    moves += [((), (new,)) for new in wanted if new not in best.options]
    moves += [((o,), (new,)) for new in wanted if new not in best.options for o in removable]
    for out, into in moves:
        if time.monotonic() > deadline:
            return None
        options = tuple(sorted({o for o in best.options if o not in out} | set(into)))
        if not question.admits(options):
            continue
        judged = _judged(question, options)
        if judged.cost < best.cost - 1e-9 * abs(best.cost):
            return judged
    return None
