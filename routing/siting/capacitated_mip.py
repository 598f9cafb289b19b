"""Capacitated siting as one mixed-integer programme for HiGHS, on the options and assignments that are left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from routing.siting.assignment import Assignment
from routing.siting.question import BoolArray, CapacityQuestion


@dataclass(frozen=True)
class MipAnswer:
    """What HiGHS found; `options` and `assignment` are None without a feasible choice."""

    options: tuple[int, ...] | None
    assignment: Assignment | None
    cost: float
    bound: float
    infeasible: bool


def solve_mip(
    question: CapacityQuestion,
    options: BoolArray,
    cells: BoolArray,
    *,
    gap: float,
    time_limit_s: float,
    fixed: BoolArray | None = None,
) -> MipAnswer:
    """Solve the model of `routing.siting.capacitated` on some options (q,) and assignments (n, m).

    `fixed` options are open in any case; with them, or with options or assignments left out that matter, the bound
    holds for that part only.
    """
    model = mathopt.Model()
    held = np.zeros(question.n_options, dtype=np.bool_) if fixed is None else fixed
    opened = {int(o): model.add_variable(lb=float(held[o]), ub=1.0, is_integer=True) for o in np.flatnonzero(options)}
    by_site: dict[int, list[int]] = {}
    for option in opened:
        by_site.setdefault(int(question.option_site[option]), []).append(option)
    client, site = np.nonzero(cells)
    share = [model.add_variable(lb=0.0, ub=1.0, is_integer=not question.split) for _ in range(len(client))]
    in_doubt = {j: _sum(opened, of) for j, of in by_site.items() if not held[of].any()}
    _serve_everyone(model, question, client, site, share, in_doubt)
    for site_id, of_site in by_site.items():
        row = mathopt.fast_sum([opened[o] for o in of_site])
        model.add_linear_constraint(row == 1.0 if site_id in question.must_open else row <= 1.0)
    _keep_limits(model, question, opened)
    for site_id, of_site in by_site.items():
        here = np.flatnonzero(site == site_id)
        room = [float(_room(question, o)) * opened[o] for o in of_site]
        carried = [float(question.load[client[k]]) * share[k] for k in here]
        model.add_linear_constraint(mathopt.fast_sum(carried) <= mathopt.fast_sum(room))
    need = [float(_room(question, o)) * variable for o, variable in opened.items()]
    model.add_linear_constraint(mathopt.fast_sum(need) >= float(question.load.sum()))
    terms = [float(question.cost[i, j]) * x for i, j, x in zip(client, site, share, strict=True)]
    terms += [float(question.option_cost[o]) * variable for o, variable in opened.items()]
    model.minimize(mathopt.fast_sum(terms))
    # HiGHS stops at a relative gap of 1e-4 unless told otherwise.
    params = mathopt.SolveParameters(
        time_limit=dt.timedelta(seconds=max(0.1, time_limit_s)), relative_gap_tolerance=max(gap, 1e-9)
    )
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=params)
    reason = result.termination.reason
    infeasible = reason == mathopt.TerminationReason.INFEASIBLE
    if not result.has_primal_feasible_solution():
        bound = float("inf") if infeasible else _bound_of(result)
        return MipAnswer(None, None, float("inf"), bound, infeasible)
    values = result.variable_values()
    found = tuple(sorted(o for o, variable in opened.items() if values[variable] > 0.5))
    shares = np.array([values[x] for x in share])
    kept = shares > (1e-9 if question.split else 0.5)
    shares = shares[kept] if question.split else np.ones(int(kept.sum()))
    cost = float((shares * question.cost[client[kept], site[kept]]).sum())
    return MipAnswer(
        found,
        Assignment(client[kept], site[kept], shares, cost),
        cost + float(question.option_cost[list(found)].sum()),
        _bound_of(result),
        infeasible=False,
    )


def _bound_of(result: mathopt.SolveResult) -> float:
    return float(result.termination.objective_bounds.dual_bound)


def _room(question: CapacityQuestion, option: int) -> float:
    return float(min(question.option_capacity[option], question.load.sum()))


def _sum(opened: dict[int, mathopt.Variable], options: list[int]) -> mathopt.LinearTypes:
    return mathopt.fast_sum([opened[o] for o in options])


def _serve_everyone(
    model: mathopt.Model,
    question: CapacityQuestion,
    client: np.ndarray,
    site: np.ndarray,
    share: list[mathopt.Variable],
    open_at: dict[int, mathopt.LinearTypes],
) -> None:
    of_client: list[list[mathopt.Variable]] = [[] for _ in range(question.n_clients)]
    for i, j, x in zip(client.tolist(), site.tolist(), share, strict=True):
        of_client[i].append(x)
        if j in open_at:
            model.add_linear_constraint(x <= open_at[j])
    for row in of_client:
        model.add_linear_constraint(mathopt.fast_sum(row) == 1.0)


def _keep_limits(model: mathopt.Model, question: CapacityQuestion, opened: dict[int, mathopt.Variable]) -> None:
    if question.at_most is not None:
        counted = mathopt.fast_sum([variable for o, variable in opened.items() if question.option_counts[o]])
        most = float(question.at_most)
        model.add_linear_constraint(counted == most if question.exactly else counted <= most)
    if question.budget is not None:
        spent = mathopt.fast_sum([float(question.option_money[o]) * variable for o, variable in opened.items()])
        model.add_linear_constraint(spent <= float(question.budget))
