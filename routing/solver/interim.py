"""The best plan so far, made ready for others while the search goes on undisturbed: it is settled on a copy."""

from __future__ import annotations

import copy
from collections.abc import Callable

from routing.model.plan import Plan, Unassigned
from routing.solver.state import State

NOT_YET = (
    "SEARCH_GOES_ON",
    "The search has not placed it so far; the finished plan serves it or tells why not.",
    "搜索尚未安排;最终方案将安排或说明原因。",
)
"""Reason code and texts of orders that a plan so far leaves out."""


def plan_so_far(state: State, sound: Callable[[State], Plan]) -> Plan:
    """Return the plan of a state, every order either served or left out with the reason that the search goes on.

    Parameters
    ----------
    state
        It stays as it is: later moves and random choices do not depend on whether this was called.
    sound
        Settles a state and returns a plan that breaks no rule, without its unassigned orders.
    """
    instance = state.instance
    shared = (
        state.errands,
        instance,
        instance.problem,
        *instance.jobs,
        *instance.fleets,
        *instance.drone_groups,
        *instance.trips,
    )
    plan = sound(copy.deepcopy(state, {id(part): part for part in shared}))
    served = {handover.order for route in plan.routes for stop in route.stops for handover in stop.load}
    left = tuple(Unassigned(order.id, *NOT_YET) for order in instance.problem.orders if order.id not in served)
    return Plan(plan.routes, left)
