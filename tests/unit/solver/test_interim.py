"""The best plan so far, handed out during the search: sound, complete, and without any effect on the search."""

import problems
import pytest

from routing.evaluation import cost_of
from routing.model.plan import Plan
from routing.solver import Limits, solve, stopping
from routing.solver.interim import NOT_YET
from routing.solver.verify import broken_orders


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every improvement be handed out."""
    monkeypatch.setattr(stopping, "_OFFERS_APART_S", 0.0)
    monkeypatch.setattr(stopping, "_OFFERS_SHARE", 1e9)


@pytest.mark.usefixtures("often")
def test_plans_so_far_are_sound_and_disturb_nothing() -> None:
    """Tests that each plan so far serves or names every order, breaks no rule, and that the end is the same without."""
    problem, limits = problems.county(3), Limits(None, 25)
    found: list[Plan] = []
    watched = solve(problem, limits, 5, so_far=found.append)
    assert watched == solve(problem, limits, 5)
    assert found
    for plan in found:
        served = {handover.order for route in plan.routes for stop in route.stops for handover in stop.load}
        assert served | {entry.order for entry in plan.unassigned} == {order.id for order in problem.orders}
        assert not broken_orders(problem, Plan(plan.routes))
        assert {entry.reason for entry in plan.unassigned} <= {NOT_YET[0]}
    costs = [cost_of(problem, plan).total for plan in found]
    assert min(costs) >= watched.cost.total


def test_offers_are_rare() -> None:
    """Tests that a plan made just before is not followed by another at once."""
    clock = stopping.Clock(Limits(None, 1), None, None, 1, lambda _plan: None)
    made: list[int] = []

    def make() -> Plan:
        made.append(1)
        return Plan()

    clock.offer(make)
    clock.offer(make)
    assert len(made) == 1
