"""The master problem over a pool of columns: the cheapest choice of columns that keeps every row, by HiGHS.

A column is whatever its user pools: a round, a vehicle's day, a truck tour, a bus load. The module knows only

    minimise c·x  subject to  lower ≤ A x ≤ upper,  x whole, 0 ≤ x ≤ most (1 where nothing is said),

solved by HiGHS through OR-Tools' MathOpt. HiGHS takes a solution hint but no number of threads, and heeds no
interrupter between two looks of its own, so a solve runs in a thread of its own and is left to end by its time limit
when the caller does not want to wait any more.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from scipy import sparse

FloatArray = npt.NDArray[np.float64]

_THREAD = "HiGHS"
_LOOK_EVERY_S = 0.1
"""Seconds between two looks at the caller's wish to stop."""


@dataclass(frozen=True)
class Columns:
    """A whole-number programme: `cost` (q,), `matrix` (m, q) and bounds `lower`, `upper` (m,) of its rows.

    `most` (q,) says how often each column may be chosen; None: once.
    """

    cost: FloatArray
    matrix: sparse.csr_matrix
    lower: FloatArray
    upper: FloatArray
    most: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Columns chosen (ascending, each as often as chosen), their cost, and a lower bound over all such choices.

    The bound is of the pool, not of the day.
    """

    columns: tuple[int, ...]
    cost: float
    bound: float

    @property
    def proven(self) -> bool:
        """Whether no other choice from the same columns is cheaper by more than a millionth."""
        return self.cost <= self.bound + 1e-6 * max(1.0, abs(self.cost))


def partition(
    cost: Sequence[float],
    members: Sequence[Sequence[int]],
    rows: int,
    *,
    groups: Sequence[int] | None = None,
    group_sizes: Sequence[int] = (),
    cover: bool = False,
    optional: Sequence[float | None] | None = None,
) -> Columns:
    """Return the set partitioning (or covering) programme of a pool.

    Parameters
    ----------
    cost, members
        Per pooled column its cost and the rows (0 to rows-1) it covers.
    groups, group_sizes
        Per column the fleet it uses one vehicle of (-1: none), and how many vehicles each fleet has.
    cover
        Rows are covered at least once rather than exactly once.
    optional
        Per row the price of leaving it uncovered, None where it must be covered. Columns that leave out a row follow
        the pooled ones, in order of rows.
    """
    spare = [row for row in range(rows) if optional is not None and optional[row] is not None]
    prices = [price for price in (optional or ()) if price is not None]
    entries: list[int] = [row for rows_of in members for row in rows_of] + spare
    sizes = np.array([len(rows_of) for rows_of in members] + [1] * len(spare), dtype=np.int64)
    column_of = np.repeat(np.arange(len(sizes)), sizes)
    row_of = np.array(entries, dtype=np.int64)
    if groups is not None:
        used = np.array(groups, dtype=np.int64)
        counted = np.flatnonzero(used >= 0)
        row_of = np.concatenate([row_of, rows + used[counted]])
        column_of = np.concatenate([column_of, counted])
    height = rows + len(group_sizes)
    matrix = sparse.csr_matrix((np.ones(len(row_of)), (row_of, column_of)), shape=(height, len(sizes)))
    lower = np.concatenate([np.ones(rows), np.zeros(len(group_sizes))])
    most = np.full(rows, np.inf) if cover else np.ones(rows)
    upper = np.concatenate([most, np.array(group_sizes, dtype=np.float64)])
    return Columns(np.array([*cost, *prices], dtype=np.float64), matrix, lower, upper)


def choose_columns(
    columns: Columns,
    time_limit_s: float | None,
    *,
    hint: Sequence[int] | None = None,
    cancelled: Callable[[], bool] | None = None,
    relative_gap: float = 1e-7,
    nodes: int | None = None,
) -> Choice | None:
    """Return the cheapest choice of columns HiGHS finds.

    Parameters
    ----------
    time_limit_s
        Seconds of wall time; None: no limit (then the answer is the same on every machine).
    hint
        Columns of a choice already known, from which HiGHS starts.
    cancelled
        Asked about ten times a second; once it returns True the answer is None within about that time.
    relative_gap
        HiGHS stops when choice and bound are that close.
    nodes
        HiGHS stops after so many nodes of its tree: a limit that does not hang on the clock.

    Returns
    -------
    Choice or None
        None where nothing was found in time, nothing exists, or the caller cancelled.
    """
    params = mathopt.SolveParameters(
        time_limit=None if time_limit_s is None else dt.timedelta(seconds=max(0.05, time_limit_s)),
        relative_gap_tolerance=relative_gap,
        node_limit=nodes,
    )
    found: list[Choice | None] = []
    if cancelled is None:
        return _solve(columns, hint, params)
    if cancelled():
        return None
    worker = in_background(lambda: found.append(_solve(columns, hint, params)))
    while worker.is_alive() and not cancelled():
        worker.join(_LOOK_EVERY_S)
    return found[0] if found else None


def in_background(solve: Callable[[], None]) -> threading.Thread:
    """Start a solve in a thread that ends with the process, if not before."""
    worker = threading.Thread(target=solve, daemon=True, name=_THREAD)
    worker.start()
    return worker


def left_to_end() -> bool:
    """Return whether a solve that nobody waits for any more still runs; it may still print."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


def _solve(columns: Columns, hint: Sequence[int] | None, params: mathopt.SolveParameters) -> Choice | None:
    model = mathopt.Model.from_model_proto(_model_proto(columns))
    variables = list(model.variables())
    hints = []
    if hint is not None:
        chosen = Counter(hint)
        hints = [mathopt.SolutionHint({x: float(chosen[k]) for k, x in enumerate(variables)})]
    result = mathopt.solve(
        model,
        mathopt.SolverType.HIGHS,
        params=params,
        model_params=mathopt.ModelSolveParameters(solution_hints=hints),
    )
    if not result.has_primal_feasible_solution():
        return None
    values = result.variable_values(variables)
    picked = tuple(k for k, value in enumerate(values) for _ in range(round(value)))
    cost = float(columns.cost[list(picked)].sum())
    return Choice(picked, cost, float(result.termination.objective_bounds.dual_bound))


def _model_proto(columns: Columns) -> model_pb2.ModelProto:
    """Return the programme as MathOpt's message; building it by expressions takes ten times as long."""
    proto = model_pb2.ModelProto()
    count, matrix = len(columns.cost), columns.matrix.tocsr()
    matrix.sum_duplicates()
    proto.variables.ids.extend(range(count))
    proto.variables.lower_bounds.extend([0.0] * count)
    proto.variables.upper_bounds.extend([1.0] * count if columns.most is None else columns.most.tolist())
    proto.variables.integers.extend([True] * count)
    proto.objective.linear_coefficients.ids.extend(range(count))
    proto.objective.linear_coefficients.values.extend(columns.cost.tolist())
    rows = matrix.shape[0]
    proto.linear_constraints.ids.extend(range(rows))
    proto.linear_constraints.lower_bounds.extend(columns.lower.tolist())
    proto.linear_constraints.upper_bounds.extend(columns.upper.tolist())
    entries = proto.linear_constraint_matrix
    entries.row_ids.extend(np.repeat(np.arange(rows), np.diff(matrix.indptr)).tolist())
    entries.column_ids.extend(matrix.indices.tolist())
    entries.coefficients.extend(matrix.data.tolist())
    return proto
