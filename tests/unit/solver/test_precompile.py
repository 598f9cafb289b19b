"""Tests of the tiny days that compile the search."""

import pytest

from routing.checker.problem_facts import check_problem_plan
from routing.solver import Limits, solve
from routing.solver.engines import ENGINES
from routing.solver.portfolio import engine_for
from routing.solver.tiny_days import tiny_days


def test_every_engine_has_a_tiny_day_of_its_own() -> None:
    """Tests that each engine is the one that plans its day, that none is forgotten, and one day is for none."""
    chosen = {name: engine_for(day) for name, day in tiny_days().items()}
    assert chosen.pop("general") is None
    assert {name: engine.name for name, engine in chosen.items() if engine} == {name: name for name in chosen}
    assert set(chosen) == {engine.name for engine in ENGINES}


@pytest.mark.parametrize("name", sorted(tiny_days()))
def test_tiny_days_are_served(name: str) -> None:
    """Tests that each tiny day is planned in full, and clean by the checker."""
    day = tiny_days()[name]
    plan = solve(day, Limits(None, 20), 1).plan
    assert plan.unassigned == ()
    assert check_problem_plan(day, plan).violations == ()
