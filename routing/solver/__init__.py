"""The solver: a problem in, a plan out."""

from routing.solver.planner import Solution, solve
from routing.solver.stopping import Limits, Progress

__all__ = ["Limits", "Progress", "Solution", "solve"]
