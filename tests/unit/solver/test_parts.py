"""Unit tests of plans searched in parts: what parts hold, what they leave to others, and how they come together."""

import random
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import county

from routing.checker.problem_facts import check_problem_plan
from routing.model.problem import Problem
from routing.solver import Limits
from routing.solver.annealing import Rest
from routing.solver.crew import Crew
from routing.solver.desk import Desk, Order, Stretch, known_of, search_part
from routing.solver.division import divide
from routing.solver.drafts import Draft, draft_of, own_carriers, pack, take_up, unpack
from routing.solver.improvement import Moves, construct
from routing.solver.instance import compile_instance
from routing.solver.itineraries import ChainBook, ChainFinder
from routing.solver.parallel import Helpers, solve_together
from routing.solver.planner import solve
from routing.solver.state import State

SEEDS = [1, 2, 3, 4]
SHORT = Stretch(0.8, 1.0, 0.0, 30, 2.0, 5)


def wide_county(seed: int, orders: int = 60) -> Problem:
    """Return a county of many towns, so that its plans fall into parts."""
    return county(seed, towns=4, villages=14, groups=12, orders=orders)


def first_plan(problem: Problem) -> tuple[State, Moves, ChainFinder]:
    """Return a plan with all orders that fit put in, and what moves it."""
    instance = compile_instance(problem)
    finder = ChainFinder(instance)
    state, moves = State(instance), Moves(instance, ChainBook(finder), random.Random(1))
    construct(state, moves, instance.jobs, lambda: False)
    return state, moves, finder


def times(draft: Draft) -> dict[tuple[int, int], tuple[int, ...]]:
    """Return the times of all tasks by job and leg."""
    return {
        (index, k): (task.load_start_s, task.load_end_s, task.unload_start_s, task.ready_s, task.latest_load_s)
        for index, tasks in draft.served.items()
        for k, task in enumerate(tasks)
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_parts_share_no_job_and_no_carrier(seed: int, count: int) -> None:
    """Tests that every job and carrier is in one part, and that a part's jobs ride on its own carriers and buses."""
    state, _, _ = first_plan(wide_county(seed))
    parts = divide(state, count, random.Random(seed))
    assert 1 <= len(parts) <= count
    assert sorted(index for part in parts for index in part.jobs) == [job.index for job in state.instance.jobs]
    names = [name for part in parts for name in part.carriers]
    assert sorted(names) == sorted(own_carriers(state))
    for part in parts:
        for name, day in own_carriers(state).items():
            aboard = {task.job.index for task in day.tasks()}
            assert aboard <= set(part.jobs) if name in part.carriers else aboard.isdisjoint(part.jobs)
    shared = [load for load in state.buses if load.entries]
    assert shared, "a county without buses would test nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_leave_to_others_what_they_have_of_a_bus(seed: int) -> None:
    """Tests that what all parts may load on a bus, filled to the brim, is no more than it takes."""
    state, _, _ = first_plan(wide_county(seed))
    parts = divide(state, 3, random.Random(seed))
    for load in state.buses:
        for segment in range(len(load.trip.calls) - 1):
            room = sum(load.trip.max_kg - part.taken[load.number].kg[segment] for part in parts)
            assert room == pytest.approx(load.trip.max_kg)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_put_together_is_the_plan_it_was(seed: int) -> None:
    """Tests that parts packed, unpacked by another instance and put together have all times and costs of the plan."""
    problem = wide_county(seed)
    state, _, _ = first_plan(problem)
    parts = divide(state, 3, random.Random(seed))
    before = [times(draft_of(state, part)) for part in parts]
    other = compile_instance(problem)
    drafts = [unpack(pack(draft_of(state, part)), other) for part in parts]
    cost = 0.0
    for part, draft in zip(parts, drafts, strict=True):
        alone = State(other, part)
        assert take_up(alone, [draft])
        cost += alone.cost()
    assert cost == pytest.approx(state.cost())
    whole = State(other)
    assert take_up(whole, drafts)
    assert (whole.cost(), whole.orders_served) == (pytest.approx(state.cost()), state.orders_served)
    assert [times(draft_of(whole, part)) for part in parts] == before
    assert whole.refresh_all()
    assert [times(draft_of(whole, part)) for part in parts] == before


@pytest.mark.parametrize("seed", SEEDS)
def test_what_parts_save_adds_up(seed: int) -> None:
    """Tests that the plan of two parts searched by themselves costs as much less as they cost less, and holds."""
    state, moves, finder = first_plan(wide_county(seed))
    parts = divide(state, 2, random.Random(seed))
    assert len(parts) == 2
    before, whole = state.cost(), Rest(state.cost(), state.orders_served)
    orders = [Order(part, draft_of(state, part), known_of(moves, part.jobs), SHORT, whole) for part in parts]
    sizes = []
    for order in orders:
        alone = State(state.instance, order.part)
        take_up(alone, [unpack(pack(order.draft), state.instance)])
        sizes.append(alone.cost())
    told: list[float] = []
    desk = Desk(finder, moves.chains, state.errands)
    answers = [desk.search(order, lambda cost, _: told.append(cost), lambda: False) for order in orders]
    assert all(answer.cost <= size for answer, size in zip(answers, sizes, strict=True))
    assert [answer.moves for answer in answers] == [SHORT.moves] * 2
    fresh = State(state.instance)
    assert take_up(fresh, [answer.draft for answer in answers])
    assert fresh.cost() == pytest.approx(before + sum(answer.cost for answer in answers) - sum(sizes))
    assert fresh.cost() < before
    assert fresh.refresh_all()
    assert min(told) >= fresh.cost() - 1e-6
    for load in fresh.buses:
        assert load.holds()


def test_two_goods_at_one_halt_of_a_bus_are_seen() -> None:
    """Tests that a bus loaded beyond its room by two parts does not hold."""
    state, _, _ = first_plan(wide_county(1))
    load = max(state.buses, key=lambda load: len(load.entries))
    assert load.holds()
    task, ride = load.entries[0]
    load.enter(replace(task, kg=load.trip.max_kg), ride)
    assert not load.holds()


def test_a_process_that_lacks_the_problem_says_so() -> None:
    """Tests the answer of a process that was never given the problem of a plan."""
    assert search_part("no such plan", b"") is None


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), helpers=st.integers(1, 3))
def test_plans_made_together_hold(seed: int, helpers: int) -> None:
    """Tests that a plan searched in parts keeps every rule and is the same each time, however threads take turns."""
    problem = wide_county(seed, orders=40)
    with ThreadPoolExecutor(2) as executor:
        found = [solve_together(problem, Limits(None, 32), seed, Helpers(executor, helpers)) for _ in range(2)]
    assert found[0] == found[1]
    assert check_problem_plan(problem, found[0].plan).violations == ()


class _Dying(Executor):
    """An executor whose processes die after some calls, or answer only once they are told the problem."""

    def __init__(self, calls: int, *, forgetful: bool = False) -> None:
        self.calls, self._forgetful = calls, forgetful

    def submit(self, function: Callable[..., object], /, *arguments: object) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        self.calls -= 1
        if self.calls == 0:
            future.set_exception(BrokenExecutor())
            return future
        if self.calls < 0:
            raise BrokenExecutor
        lacking = self._forgetful and function is search_part and arguments[2:] == ()
        future.set_result(None if lacking else function(*arguments))
        return future


@pytest.mark.parametrize("calls", [1, 2, 3, 9])
def test_a_search_goes_on_when_helpers_die(calls: int, caplog: pytest.LogCaptureFixture) -> None:
    """Tests that a plan is made, and the loss told, whenever the processes that help with it are gone."""
    problem = wide_county(3)
    limits = Limits(None, 32)
    crew = Crew(_Dying(calls), 2, problem, limits)
    found = solve(problem, limits, 3, crew=crew)
    assert check_problem_plan(problem, found.plan).violations == ()
    assert found.iterations == 32
    assert len(caplog.messages) == 1
    assert "is gone" in caplog.messages[0]


def test_a_helper_that_forgot_the_problem_is_given_it_again() -> None:
    """Tests that another process than the one prepared may take any part."""
    problem, limits = wide_county(3), Limits(None, 32)
    found = [
        solve(problem, limits, 3, crew=Crew(_Dying(10_000, forgetful=forgetful), 1, problem, limits))
        for forgetful in (False, True)
    ]
    assert found[0] == found[1]


def test_helpers_that_are_late_are_not_waited_for() -> None:
    """Tests that a search with a time limit ends in time though its only helper never answers."""
    problem, limits = wide_county(3), Limits(2.0)

    class Silent(Executor):
        def submit(self, *_: object) -> Future[Any]:  # type: ignore[override]
            return Future()

    told: list[float] = []
    found = solve(
        problem, limits, 3, lambda state: told.append(state.elapsed_s), crew=Crew(Silent(), 1, problem, limits)
    )
    assert check_problem_plan(problem, found.plan).violations == ()
    assert told[-1] < 3.0
