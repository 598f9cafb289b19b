"""Final times of every carrier: rounds that hand over to each other must agree, and the gate must let the plan pass.

While a plan is searched every round has the schedule that suits it best alone, within what others leave it at the
utmost. In the end there are two ways to bring schedules together; which is better differs from day to day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from routing.evaluation import cost_of
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.solver.carriers import Proposal
from routing.solver.days import Day
from routing.solver.instance import Job
from routing.solver.proposals import proposals
from routing.solver.schedule import make_plan
from routing.solver.state import State
from routing.solver.tasks import Chain
from routing.solver.verify import broken_orders

_PASSES = 4
SETTLED_TRIES = 3
"""Places for a job that are tried by settling the whole plan, cheapest first: on a large day that takes a second."""


def sound_plan(state: State, chains: Mapping[int, Sequence[Chain]], stop: Callable[[], bool]) -> Plan:
    """Settle all times, drop what breaks a rule, and put it back elsewhere where it can be; see `add_jobs`."""
    dropped: list[Job] = []
    plan = _drop_broken(state, dropped)
    return add_jobs(state, plan, dropped, chains, stop)


def hasty_sound_plan(state: State) -> Plan:
    """Settle all times and drop what breaks a rule. Orders that are left out are not listed in the plan yet."""
    return _drop_broken(state, [])


def add_jobs(
    state: State, plan: Plan, jobs: Sequence[Job], chains: Mapping[int, Sequence[Chain]], stop: Callable[[], bool]
) -> Plan:
    """Put jobs that do not ride into a sound plan, those that are worth it; return the plan, which is sound again.

    Parameters
    ----------
    state, plan
        The plan, not settled in the state; the state follows.
    stop
        Asked before every job and every trial; once it returns True the rest stays out.
    """
    cost = cost_so_far(state.instance.problem, plan)
    for job in jobs:
        if stop():
            break
        for proposal in proposals(state, job, chains[job.index], job.unserved_cost)[:SETTLED_TRIES]:
            if stop():
                return plan
            state.begin()
            found = _settled_with(state, job, proposal)
            if found is not None and found[0] < cost:
                state.commit()
                cost, plan = found
                break
            state.rollback()
            state.refresh_all()
    return plan


def settled_cost(state: State) -> int:
    """Return what the plan of a state costs once all times are settled, as `cost_so_far` has it."""
    return cost_so_far(state.instance.problem, _settle_either_way(state)[0])


def extra_cost_settled(state: State, job: Job, proposal: Proposal, before: int) -> int | None:
    """Return what a job placed so adds to the plan once all times are settled; the state stays as it is.

    `before` is the settled cost of the plan without it. None where something breaks a rule then.
    """
    state.begin()
    found = _settled_with(state, job, proposal)
    state.rollback()
    state.refresh_all()
    return None if found is None else found[0] - before + round(job.unserved_cost)


def _settled_with(state: State, job: Job, proposal: Proposal) -> tuple[int, Plan] | None:
    """Place a job; return the plan and its cost, None where it cannot be placed so or something breaks a rule then."""
    if not state.place(job, proposal):
        return None
    plan, out = _settle_either_way(state)
    return None if out else (cost_so_far(state.instance.problem, plan), plan)


def _drop_broken(state: State, dropped: list[Job]) -> Plan:
    plan, out = _settle_either_way(state)
    while out:
        dropped += out
        state.remove(*out)
        plan, out = _settle_either_way(state)
    return plan


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
    _agree(sorted(days, key=lambda day: (-day.earliest[-1], day.vehicle_id)), Day.squeeze)


def settle_for_bringers(state: State) -> None:
    """Fix all times: every round as suits it alone, but those who fetch from it go as much later as it brings later.

    A round that serves many places before it hands over need not stand still on its way then with cold goods aboard.
    """
    state.refresh_all()
    _agree(sorted(_days(state), key=lambda day: (day.earliest[0], day.vehicle_id)), Day.follow)


def _agree(days: Sequence[Day], move: Callable[[Day], bool]) -> None:
    """Move the starts of one day after the other by what others published, until none moves or a few times at most."""
    for _ in range(_PASSES):
        moved = False
        for day in days:
            moved = move(day) or moved
            day.publish()
        if not moved:
            break


def _days(state: State) -> list[Day]:
    return [day for fleet in state.days for day in fleet if day.place]
