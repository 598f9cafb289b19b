"""Mixed-integer programmes as arrays, handed to HiGHS through MathOpt; quicker to build than term by term."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from routing.siting.question import BoolArray, FloatArray, IntArray

INF = float("inf")


@dataclass(frozen=True)
class Solved:
    """What HiGHS found: a value a column (None: nothing feasible), the objective, and a valid lower bound on it."""

    values: FloatArray | None
    objective: float
    bound: float
    infeasible: bool


@dataclass
class Programme:
    """A programme under construction: min cost · x, low ≤ A x ≤ high, lower ≤ x ≤ upper, some x whole."""

    _priced: list[IntArray] = field(default_factory=list)
    _price: list[FloatArray] = field(default_factory=list)
    _lower: list[FloatArray] = field(default_factory=list)
    _upper: list[FloatArray] = field(default_factory=list)
    _whole: list[BoolArray] = field(default_factory=list)
    _row: list[IntArray] = field(default_factory=list)
    _column: list[IntArray] = field(default_factory=list)
    _entry: list[FloatArray] = field(default_factory=list)
    _low: list[FloatArray] = field(default_factory=list)
    _high: list[FloatArray] = field(default_factory=list)
    n_columns: int = 0
    n_rows: int = 0

    def add_columns(
        self, number: int, *, lower: npt.ArrayLike = 0.0, upper: npt.ArrayLike = INF, whole: bool = False
    ) -> IntArray:
        """Add variables and return their columns, shape (number,)."""
        for kept, value in ((self._lower, lower), (self._upper, upper)):
            kept.append(np.broadcast_to(np.asarray(value, dtype=np.float64), (number,)))
        self._whole.append(np.full(number, whole))
        self.n_columns += number
        return np.arange(self.n_columns - number, self.n_columns, dtype=np.int64)

    def price(self, columns: IntArray, prices: npt.ArrayLike) -> None:
        """Add to the objective; what is added to one column repeatedly sums up."""
        self._priced.append(columns)
        self._price.append(np.broadcast_to(np.asarray(prices, dtype=np.float64), columns.shape))

    def add_rows(self, number: int, *, low: npt.ArrayLike = -INF, high: npt.ArrayLike = INF) -> IntArray:
        """Add empty rows with their limits and return them, shape (number,)."""
        for kept, value in ((self._low, low), (self._high, high)):
            kept.append(np.broadcast_to(np.asarray(value, dtype=np.float64), (number,)))
        self.n_rows += number
        return np.arange(self.n_rows - number, self.n_rows, dtype=np.int64)

    def add_entries(self, rows: npt.ArrayLike, columns: IntArray, values: npt.ArrayLike = 1.0) -> None:
        """Fill in coefficients; each (row, column) at most once. Rows and values are repeated as far as needed."""
        shape = columns.shape
        self._row.append(np.broadcast_to(np.asarray(rows, dtype=np.int64), shape))
        self._column.append(columns)
        self._entry.append(np.broadcast_to(np.asarray(values, dtype=np.float64), shape))

    def solve(self, *, gap: float = 0.0, time_limit_s: float = 300.0) -> Solved:
        """Solve with HiGHS, which stops at a relative gap of 1e-4 unless told otherwise."""
        params = mathopt.SolveParameters(
            time_limit=dt.timedelta(seconds=max(0.1, time_limit_s)), relative_gap_tolerance=max(gap, 1e-9)
        )
        model = mathopt.Model.from_model_proto(self._proto())
        result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=params)
        infeasible = result.termination.reason == mathopt.TerminationReason.INFEASIBLE
        bound = INF if infeasible else float(result.termination.objective_bounds.dual_bound)
        if not result.has_primal_feasible_solution():
            return Solved(None, INF, bound, infeasible)
        by_variable = result.variable_values()
        values = np.array([by_variable[variable] for variable in model.variables()], dtype=np.float64)
        return Solved(values, float(result.objective_value()), bound, infeasible)

    def _proto(self) -> model_pb2.ModelProto:
        proto = model_pb2.ModelProto()
        cost = np.zeros(self.n_columns)
        for priced, prices in zip(self._priced, self._price, strict=True):
            np.add.at(cost, priced, prices)
        proto.variables.ids.extend(range(self.n_columns))
        proto.variables.lower_bounds.extend(np.concatenate(self._lower).tolist())
        proto.variables.upper_bounds.extend(np.concatenate(self._upper).tolist())
        proto.variables.integers.extend(np.concatenate(self._whole).tolist())
        counted = np.flatnonzero(cost)
        proto.objective.linear_coefficients.ids.extend(counted.tolist())
        proto.objective.linear_coefficients.values.extend(cost[counted].tolist())
        if self.n_rows:
            proto.linear_constraints.ids.extend(range(self.n_rows))
            proto.linear_constraints.lower_bounds.extend(np.concatenate(self._low).tolist())
            proto.linear_constraints.upper_bounds.extend(np.concatenate(self._high).tolist())
        if self._row:
            rows, columns = np.concatenate(self._row), np.concatenate(self._column)
            entries = np.concatenate(self._entry)
            order = np.lexsort((columns, rows))
            order = order[entries[order] != 0.0]
            proto.linear_constraint_matrix.row_ids.extend(rows[order].tolist())
            proto.linear_constraint_matrix.column_ids.extend(columns[order].tolist())
            proto.linear_constraint_matrix.coefficients.extend(entries[order].tolist())
        return proto
