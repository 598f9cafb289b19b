"""Final times of every carrier: rounds that hand over to each other must agree, and the gate must let the plan pass.

While a plan is searched every round has the schedule that suits it best alone, within what others leave it at the
utmost. In the end there are two ways to bring schedules together; which is better differs from day to day.
"""

from __future__ import annotations

from collections.abc import Sequence

from routing.evaluation import cost_of
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.solver.days import Day
from routing.solver.improvement import Moves, insert_job
from routing.solver.instance import Job
from routing.solver.schedule import make_plan
from routing.solver.state import State
from routing.solver.verify import broken_orders

_PASSES = 4
_REPAIRS = 6


def sound_plan(state: State, moves: Moves, repairs: int = _REPAIRS) -> Plan:
    """Settle all times and drop what breaks a rule; what is dropped is tried again elsewhere while repairs last.

    Orders that are left out are not listed in the plan yet.
    """
    banned: set[int] = set()
    for attempt in range(repairs + len(state.instance.jobs)):
        plan, out = _settle_either_way(state)
        if not out:
            return plan
        state.remove(*out)
        for job in out:
            if attempt < repairs and job.index not in banned:
                banned.add(job.index)
                insert_job(state, moves, job, job.unserved_cost)
    return Plan()


def cost_so_far(problem: Problem, plan: Plan) -> int:
    """Return the cost of a plan whose unassigned orders are not listed yet."""
    served = {handover.order for route in plan.routes for stop in route.stops for handover in stop.load}
    left = sum(order.unserved_cost for order in problem.orders if order.id not in served)
    return cost_of(problem, plan).total + round(left)


def _settle_either_way(state: State) -> tuple[Plan, Sequence[Job]]:
    """Return the plan of a state settled the cheaper way, and the jobs that break a rule in it."""
    problem = state.instance.problem
    jobs_of = {order.id: job for job in state.instance.jobs for order in job.orders}
    ways: list[tuple[float, Plan, Sequence[Job]]] = []
    for settle in (settle_for_fetchers, settle_for_bringers):
        settle(state)
        plan = make_plan(state)
        broken = [jobs_of[order] for order in broken_orders(problem, plan)]
        out = list(dict.fromkeys([*broken, *state.unsound_jobs()]))
        ways.append((cost_so_far(problem, plan) + sum(job.unserved_cost for job in out), plan, out))
    state.refresh_all()
    return min(ways, key=lambda way: way[0])[1:]


def settle_for_fetchers(state: State) -> None:
    """Fix all times: everything at its earliest, then every round squeezed as late as its hand-overs allow.

    Starting from earliest times, which agree between carriers, each round only moves later and never past the loading
    of what it hands over, so times agree after every step; later carriers move first.
    """
    days = _days(state)
    for day in days:
        day.start_early()
    days.sort(key=lambda day: (-day.earliest[-1], day.vehicle_id))
    for _ in range(_PASSES):
        moved = False
        for day in days:
            moved = day.squeeze() or moved
            day.publish()
        if not moved:
            break


def settle_for_bringers(state: State) -> None:
    """Fix all times: every round as suits it alone, but those who fetch from it go as much later as it brings later.

    A round that serves many places before it hands over need not stand still on its way then with cold goods aboard.
    """
    state.refresh_all()
    days = sorted(_days(state), key=lambda day: (day.earliest[0], day.vehicle_id))
    for _ in range(_PASSES):
        moved = False
        for day in days:
            moved = day.follow() or moved
            day.publish()
        if not moved:
            break


def _days(state: State) -> list[Day]:
    return [day for fleet in state.days for day in fleet if day.place]
