"""Unit tests of plans searched in arrays: the same times and costs as plans of objects, and moves undone for good."""

import random

import numpy as np
import pytest
from problems import county

from routing.solver.arrays.exchange import room_of
from routing.solver.arrays.handle import Handle, handle
from routing.solver.arrays.layout import (
    Q_LEGS,
    T_CARRIER,
    T_LATEST,
    T_LOAD_END,
    T_LOAD_START,
    T_READY,
    T_UNLOAD_END,
    T_UNLOAD_START,
    Best,
    Cooling,
    Sheet,
)
from routing.solver.arrays.search import Search
from routing.solver.cold import job_exposure
from routing.solver.improvement import Moves, insert_jobs
from routing.solver.instance import compile_instance
from routing.solver.itineraries import ChainBook, ChainFinder
from routing.solver.state import State

SEEDS = [1, 2, 3, 4]
HEAT = 0.002
"""Warm enough for most moves to be kept."""


def cooling(heat: float, more: float = 0.0) -> Cooling:
    """Return how warm a search is that begins with some heat, each move using some of the effort."""
    return Cooling(0.0, heat, 0.0, more, 0.03)


def first_plan(seed: int, orders: int = 30) -> tuple[State, Moves]:
    """Return a plan made of objects, and what makes more moves."""
    instance = compile_instance(county(seed, orders=orders), bundle=False)
    state = State(instance)
    moves = Moves(instance, ChainBook(ChainFinder(instance)), random.Random(seed))
    insert_jobs(state, moves, instance.jobs)
    return state, moves


def sheet_like(state: State, moves: Moves) -> tuple[Search, Sheet]:
    """Return a search of a plan and its arrays."""
    search = Search(state, moves)
    return search, search._sheet


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_in_arrays_has_the_times_and_the_cost_it_had(seed: int) -> None:
    """Tests that all times between carriers, exposures and the cost are those of the plan made of objects."""
    state, moves = first_plan(seed)
    assert state.refresh_all()
    search, sheet = sheet_like(state, moves)
    assert search.best == pytest.approx(state.cost())
    assert {job.index for job in search.left_out()} == {job.index for job in state.jobs} - state.served.keys()
    rides = len(sheet.tasks) // len(sheet.ridden)
    for index, tasks in state.served.items():
        assert sheet.ridden[index, Q_LEGS] == len(tasks)
        for k, task in enumerate(tasks):
            row = sheet.tasks[index * rides + k]
            assert row[[T_READY, T_LATEST]].tolist() == [task.ready_s, task.latest_load_s]
            times = (task.load_start_s, task.load_end_s, task.unload_start_s, task.unload_end_s)
            assert row[[T_LOAD_START, T_LOAD_END, T_UNLOAD_START, T_UNLOAD_END]].tolist() == list(times)
        if tasks[0].job.product.cold:
            found = job_exposure(state.instance, tasks)
            assert sheet.warmth[index].tolist() == pytest.approx([found.out_of_band_s, found.equivalent_h])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_searched_in_arrays_holds_and_costs_what_the_search_says(seed: int) -> None:
    """Tests that the plan written back keeps all times and limits of cold, and is cheaper by as much as was told."""
    state, moves = first_plan(seed)
    before = state.cost()
    search = Search(state, moves)
    assert search.run(0, 300, cooling(HEAT, 1.0 / 300)) == 300
    search.write()
    assert search.best < before
    assert state.cost() == pytest.approx(search.best, rel=1e-5)  # rounds may wait a little else
    assert state.orders_served == search.orders_served
    assert state.refresh_all()
    assert not state.warm_jobs()
    assert not state.unsound_jobs()
    assert all(load.holds() for load in state.buses)
    assert moves.won.keys() >= {index for index in state.served if index in moves.won}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_plan_the_search_is_at_can_be_taken_up_again(seed: int) -> None:
    """Tests that a plan written back and read again costs the same, and that the best one is kept meanwhile."""
    state, moves = first_plan(seed)
    search = Search(state, moves)
    search.run(0, 60, cooling(50.0 * HEAT))
    best, at = search.best, search._whole_cost()
    assert at > best
    search.write(best=False)
    search.read()
    assert search._whole_cost() == pytest.approx(at, rel=1e-5)
    assert search.best == best
    search.write()
    assert state.cost() == pytest.approx(best, rel=1e-5)


def _picture(sheet: Sheet) -> list[object]:
    """Return all of a plan that moves change; order in a carrier's list included."""
    found: list[object] = [sheet.figures.tolist(), sheet.flown.tolist(), sheet.used.tolist(), sheet.ridden.tolist()]
    for vehicle, (stops, _, _) in enumerate(sheet.figures.tolist()):
        found.append(sheet.times[vehicle, :, :stops].tolist())
        found.append(np.round(sheet.aboard[vehicle, :, :stops], 6).tolist())
    for drone, flown in enumerate(sheet.flown.tolist()):
        found += [sheet.sorties[drone, :flown].tolist(), sheet.energies[drone, :flown].tolist()]
    rides = len(sheet.tasks) // len(sheet.ridden)
    for carrier, loaded in enumerate(sheet.loaded.tolist()):
        tasks = sheet.lists[carrier, :loaded]
        found += [tasks.tolist(), sheet.tasks[tasks][:, T_CARRIER : T_UNLOAD_END + 1].tolist()]
    waiting = sheet.waiting_kg.round(6).tolist()
    ridden = [sheet.tasks[job * rides, 1] for job in np.flatnonzero(sheet.ridden[:, Q_LEGS])]
    return [
        *found,
        waiting,
        ridden,
        sheet.cost.round(6).tolist(),
        sheet.spoiled.tolist(),
        sheet.filled.round(6).tolist(),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_move_not_kept_leaves_no_trace(seed: int) -> None:
    """Tests that every cell of a plan is what it was before a move that is undone, at each of many moves."""
    search, sheet = sheet_like(*first_plan(seed))
    undone = 0
    for _ in range(150):
        before, cost = _picture(sheet), float(sheet.money[0])
        search.run(0, 1, cooling(-1e-6))  # below no temperature a move must save something
        if sheet.money[0] > cost - 1e-6:
            assert _picture(sheet) == before
            undone += 1
    assert undone > 50


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_arrays_that_are_too_small_grow(seed: int) -> None:
    """Tests that a search that begins with hardly any cells gets more and ends at a plan that holds."""
    state, moves = first_plan(seed)
    state.clear()
    state.refresh_all()
    search = Search(state, moves, (5, 2, 1))
    assert room_of(search._sheet) == (5, 2, 1)
    search.insert(state.instance.jobs, lambda: False)
    search.run(0, 100, cooling(HEAT))
    assert all(more > few for more, few in zip(room_of(search._sheet), (5, 2, 0), strict=True))
    search.write()
    assert state.refresh_all()
    assert state.cost() == pytest.approx(search.best, rel=1e-5)


def test_equal_seeds_make_equal_moves() -> None:
    """Tests that how moves are dealt out to calls changes nothing where they are counted."""
    costs = []
    for parts in ([120], [50, 70], [1] * 120):
        search, _ = sheet_like(*first_plan(3))
        made = 0
        for count in parts:
            made += search.run(made, count, cooling(HEAT, 1.0 / 120))
        costs.append(search.best)
    assert costs[0] == costs[1] == costs[2]


def test_a_handle_names_what_it_is_made_of() -> None:
    """Tests that the fields of a handle are its arrays where loops are compiled, and the arrays themselves else."""
    best = Best(*(np.zeros((2,) * (1 + k % 3), dtype=np.int64) for k in range(len(Best._fields))))
    found = handle(best)
    assert found is best or (isinstance(found, Handle) and found.numba_type.field("stops").ndim == best.stops.ndim)


def test_a_search_without_any_itineraries_may_be_given_some() -> None:
    """Tests that lists of itineraries can grow from nothing to chains of several rides."""
    state, moves = first_plan(3)
    full = {job.index: moves.chains[job.index] for job in state.instance.jobs}
    assert max(len(chain.rides) for chains in full.values() for chain in chains) > 1
    bare = State(state.instance)
    moves.chains.update(dict.fromkeys(full, ()))
    search = Search(bare, moves)
    moves.chains.update(full)
    search.widen()
    search.insert(bare.jobs, lambda: False)
    search.write()
    assert bare.orders_served > 0
    assert max(map(len, bare.served.values())) > 1
