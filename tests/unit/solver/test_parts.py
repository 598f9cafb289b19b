"""Unit tests of plans searched in parts: what parts hold, what they leave to others, and how they come together."""

import math
import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import PRODUCTS, county

from api.processes import passing_pool
from routing.checker.problem_facts import check_problem_plan
from routing.model.problem import Problem
from routing.solver import Limits
from routing.solver.buses import BusLoad
from routing.solver.crew import Crew, _together
from routing.solver.desk import Answer, Desk, Known, Order, Stretch, known_of, prepare, search_part
from routing.solver.division import Ground, divide
from routing.solver.drafts import Draft, draft_of, own_carriers, pack, take_up, unpack
from routing.solver.improvement import Moves, insert_jobs
from routing.solver.instance import compile_instance
from routing.solver.itineraries import ChainBook, ChainFinder
from routing.solver.parallel import Helpers, solve_together
from routing.solver.planner import solve
from routing.solver.state import State

SEEDS = [1, 2, 3, 4]
MANY, PATIENCE_S = 100, 12.0
"""Helpers, of whom to wait for each in turn would take longer than that, on a busy machine too."""
SHORT = Stretch(0.8, 1.0, math.inf, 120, 2.0, 5)


def wide_county(seed: int, orders: int = 60) -> Problem:
    """Return a county of many towns, so that its plans fall into parts."""
    return county(seed, towns=4, villages=14, groups=12, orders=orders)


def first_plan(problem: Problem) -> tuple[State, Moves, ChainFinder]:
    """Return a plan with all orders that fit put in, and what moves it."""
    instance = compile_instance(problem)
    finder = ChainFinder(instance)
    state, moves = State(instance), Moves(instance, ChainBook(finder), random.Random(1))
    insert_jobs(state, moves, instance.jobs)
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
    parts = divide(state, Ground(state.instance), count, random.Random(seed))
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
    parts = divide(state, Ground(state.instance), 3, random.Random(seed))
    for load in state.buses:
        for segment in range(len(load.trip.calls) - 1):
            room = sum(load.trip.max_kg - part.taken[load.number].kg[segment] for part in parts)
            assert room == pytest.approx(load.trip.max_kg)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_put_together_is_the_plan_it_was(seed: int) -> None:
    """Tests that parts packed, unpacked by another instance and put together have all times and costs of the plan."""
    problem = wide_county(seed)
    state, _, _ = first_plan(problem)
    parts = divide(state, Ground(state.instance), 3, random.Random(seed))
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
    parts = divide(state, Ground(state.instance), 2, random.Random(seed))
    assert len(parts) == 2
    before = state.cost()
    orders = [Order(part, draft_of(state, part), known_of(moves, part.jobs), SHORT, before) for part in parts]
    sizes = []
    for order in orders:
        alone = State(state.instance, order.part)
        take_up(alone, [unpack(pack(order.draft), state.instance)])
        sizes.append(alone.cost())
    told: list[None] = []
    desk = Desk(finder, moves.chains, state.errands)
    answers = [desk.search(order, lambda: told.append(None), lambda: False) for order in orders]
    assert all(answer.cost <= size for answer, size in zip(answers, sizes, strict=True))
    assert [answer.moves for answer in answers] == [SHORT.moves] * 2
    fresh = State(state.instance)
    assert take_up(fresh, [answer.draft for answer in answers])
    assert fresh.cost() == pytest.approx(before + sum(answer.cost for answer in answers) - sum(sizes))
    assert fresh.cost() < before
    assert fresh.refresh_all()
    assert 2 <= len(told) <= 2 * SHORT.moves
    for load in fresh.buses:
        assert load.holds()


def busiest(state: State) -> BusLoad:
    """Return the bus trip with the most goods aboard."""
    return max(state.buses, key=lambda load: len(load.entries))


def test_a_bus_that_is_too_full_does_not_hold() -> None:
    """Tests that a bus loaded beyond its room by two parts is seen."""
    load = busiest(first_plan(wide_county(1))[0])
    assert load.holds()
    task, ride = load.entries[0]
    load.enter(replace(task, kg=load.trip.max_kg), ride)
    assert not load.holds()


def test_goods_that_must_not_ride_together_are_seen() -> None:
    """Tests that a bus on which two parts load goods that are barred from each other does not hold."""
    load = busiest(first_plan(wide_county(1))[0])
    one, other = (
        replace(PRODUCTS.classes["ambient"], id=name, incompatible_with=("one",)) for name in ("one", "other")
    )
    barred = {"one": frozenset({"other"}), "other": frozenset({"one"})}
    load.instance = replace(load.instance, incompatible=barred)
    task, ride = load.entries[0]
    load.enter(replace(task, kg=0.0, litres=0.0, job=replace(task.job, product=one)), ride)
    assert load.holds()
    load.enter(replace(task, kg=0.0, litres=0.0, job=replace(task.job, product=other)), ride)
    assert not load.holds()


def test_one_halt_used_for_two_places_is_seen() -> None:
    """Tests that a bus whose one halt two parts use for different places does not hold."""
    load = busiest(first_plan(wide_county(1))[0])
    task, ride = load.entries[0]
    calls = list(load.trip.calls)
    calls[ride.alight_call] = replace(calls[ride.alight_call], sequence=calls[ride.board_call].sequence)
    load.trip = replace(load.trip, calls=tuple(calls))
    load.enter(replace(task, kg=0.0, litres=0.0), ride)
    assert not load.holds()


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_leave_to_others_what_they_have_of_a_store(seed: int) -> None:
    """Tests that what all parts may store at a place is no more than its room, and that each may store its own."""
    state, _, _ = first_plan(wide_county(seed))
    parts = divide(state, Ground(state.instance), 3, random.Random(seed))
    waited = 0
    for place, site in enumerate(state.instance.places):
        for kind, room in site.store_kg.items():
            own = [
                sum(
                    tasks[0].job.boxed_kg
                    for index, tasks in state.served.items()
                    for task in tasks[:-1]
                    if index in part.jobs
                    and task.destination == place
                    and state.instance.store_of(tasks[0].job, place)[0] == kind
                )
                for part in parts
            ]
            left = [room - part.stored_kg[place, kind] for part in parts]
            waited += sum(kg > 0.0 for kg in own)
            assert all(mine <= may + 1e-6 for mine, may in zip(own, left, strict=True))
            assert sum(left) <= max(room, sum(own)) + 1e-6
    assert waited


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


class _Silent(Executor):
    """An executor whose processes know the problem but never answer."""

    def submit(self, function: Callable[..., object], /, *_: object) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        if function is prepare:
            future.set_result(None)
        return future


@pytest.mark.parametrize("limits", [Limits(2.0), Limits(2.0, 1_000_000)])
def test_helpers_that_are_late_are_not_waited_for(limits: Limits) -> None:
    """Tests that a search ends in time though many helpers never answer, effort being counted or not."""
    problem, told = wide_county(3), list[float]()
    found = solve(
        problem, limits, 3, lambda state: told.append(state.elapsed_s), crew=Crew(_Silent(), MANY, problem, limits)
    )
    assert check_problem_plan(problem, found.plan).violations == ()
    assert told[-1] < PATIENCE_S


def test_a_cancelled_search_waits_for_nobody() -> None:
    """Tests that cancelling ends a search at once though many helpers never answer."""
    problem, limits, begun = wide_county(3), Limits(600.0), time.monotonic()
    crew = Crew(_Silent(), MANY, problem, limits)
    solve(problem, limits, 3, cancelled=lambda: time.monotonic() - begun > 1.5, crew=crew)
    assert time.monotonic() - begun < PATIENCE_S


def test_real_helpers_end_when_left_or_killed() -> None:
    """Tests that processes end in the middle of their work when the pool is left, though one was killed before."""
    begun = time.monotonic()
    with passing_pool(2) as pool:
        ids = [pool.submit(os.getpid).result() for _ in range(4)]
        busy = [pool.submit(time.sleep, 60.0) for _ in range(2)]
        os.kill(ids[0], signal.SIGKILL)
        with pytest.raises(BrokenExecutor):
            busy[0].result()
    with passing_pool(1) as pool:
        late = pool.submit(time.sleep, 60.0)
    assert late.cancelled() or isinstance(late.exception(), BrokenExecutor)  # begun or not yet
    assert time.monotonic() - begun < 30.0


def test_answers_that_do_not_go_together_are_taken_one_by_one() -> None:
    """Tests that of answers whose goods a bus cannot hold together, those that agree with the own part are kept."""
    problem = wide_county(3)
    state, _, _ = first_plan(problem)
    parts = divide(state, Ground(state.instance), 3, random.Random(3))
    load = busiest(state)
    owner = next(k for k, part in enumerate(parts) if load.entries[0][0].job.index in part.jobs)
    parts = [parts[owner], *(part for k, part in enumerate(parts) if k != owner)]
    drafts = [unpack(pack(draft_of(state, part)), state.instance) for part in parts]
    known = Known(frozenset(), {}, {})
    answers = {k: Answer(draft, 0.0, known, 0) for k, draft in enumerate(drafts)}
    task, ride = load.entries[0]
    heavy = replace(task, kg=load.trip.max_kg)
    aboard = {**drafts[1].aboard, load.number: [(heavy, ride)]}
    answers[1] = replace(answers[1], draft=replace(drafts[1], aboard=aboard))
    found = _together(state, drafts, answers)
    assert all(load.holds() for load in found.buses)
    assert found.cost() == pytest.approx(state.cost())
    assert found.refresh_all()
