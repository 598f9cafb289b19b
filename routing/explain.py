"""Why an order is unassigned and the smallest relaxation: the public name of `routing.solver.reasons`.

Explaining means solving for one order, so the work is the solver's.
"""

from routing.solver.reasons import REASONS, explain_unassigned

__all__ = ["REASONS", "explain_unassigned"]
