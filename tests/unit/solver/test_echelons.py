"""Tests of the engine for days in two echelons."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from routing.checker.problem_facts import check_problem_plan
from routing.instances.twoechelon import read_twoechelon
from routing.model.problem import Problem
from routing.solver.echelons.columns import measured_round
from routing.solver.echelons.construction import first_rounds
from routing.solver.echelons.engine import ENGINE
from routing.solver.echelons.labelling import find_rounds, graph_of
from routing.solver.echelons.network import compile_network
from routing.solver.echelons.relaxation import Part, Relaxation, fewest_bins
from routing.solver.echelons.tours import all_tours, station_releases
from routing.solver.planner import solve
from routing.solver.portfolio import engine_for
from routing.solver.stopping import Limits, Progress
from tests.echelon_world import optimum, small_file, written


def day(folder: Path, seed: int, customers: int = 5, **fields: bool) -> Problem:
    """Return a random small day as a problem."""
    return read_twoechelon(written(folder, small_file(seed, customers, **fields))).problem


@pytest.mark.parametrize("seed", range(8))
def test_optimum(tmp_path: Path, seed: int) -> None:
    """Tests that small days get the optimum found by trying everything, which judge and checker accept."""
    content = small_file(seed, 4 + seed % 2, tight=seed % 3 == 0)
    published = read_twoechelon(written(tmp_path, content))
    solution = solve(published.problem, Limits(None, max_iterations=20), seed)
    verdict = published.judge(solution.plan)
    assert verdict.faults == ()
    assert verdict.objective == pytest.approx(optimum(content), abs=0.05)
    assert not check_problem_plan(published.problem, solution.plan).violations
    assert solution.bound is None or solution.bound <= solution.cost.total + 1.0


@pytest.mark.parametrize("reward", [50_000.0, 90_000.0])
def test_labels_find_all(tmp_path: Path, reward: float) -> None:
    """Tests that labels find the cheapest sequence of every set of orders whose reduced cost is below the threshold."""
    network = compile_network(day(tmp_path, 3, 6))
    fleet, earliest = network.vans[0], 40_000
    graph = graph_of(network, fleet, np.arange(network.orders))
    rewards = np.append(-1_000.0, np.full(len(graph.members), reward))
    found = find_rounds(graph, earliest, rewards, 0.0, 10_000, 10_000)
    best: dict[frozenset[int], float] = {}
    for size in range(1, 7):
        for sequence in itertools.permutations(range(6), size):
            each = measured_round(network, fleet.index, sequence)
            if each is not None and each.latest_s >= earliest:
                value = each.cost + 1_000.0 - reward * size
                best[frozenset(sequence)] = min(value, best.get(frozenset(sequence), np.inf))
    wanted = {key: value for key, value in best.items() if value < 0.0}
    got: dict[frozenset[int], float] = {}
    for row, value in zip(found.sequences.tolist(), found.reduced.tolist(), strict=True):
        key = frozenset(order for order in row if order >= 0)
        got[key] = min(value, got.get(key, np.inf))
    assert found.complete
    assert wanted
    assert got.keys() == wanted.keys()
    assert all(got[key] == pytest.approx(wanted[key]) for key in wanted)


def test_same_again(tmp_path: Path) -> None:
    """Tests that equal iterations and seed give equal plans."""
    problem = day(tmp_path, 11, 12)
    first, second = (solve(problem, Limits(None, max_iterations=3), 5) for _ in range(2))
    assert first == second


def test_cancelled(tmp_path: Path) -> None:
    """Tests that a search cancelled from the beginning still ends with a sound plan."""
    problem = day(tmp_path, 2, 10)
    solution = solve(problem, Limits(600.0), 1, cancelled=lambda: True)
    assert not check_problem_plan(problem, solution.plan).violations


def test_progress(tmp_path: Path) -> None:
    """Tests that the caller hears of costs."""
    heard: list[Progress] = []
    solution = solve(day(tmp_path, 2, 6), Limits(None, max_iterations=2), 1, progress=heard.append)
    assert heard[-1].cost is not None
    assert heard[-1].cost >= solution.cost.total


def test_out_of_reach(tmp_path: Path) -> None:
    """Tests that an order nobody reaches in time stays unassigned with a reason while all others are served."""
    content = small_file(4, 5)
    content["customers"][2]["time_window"] = [0, 1]
    problem = read_twoechelon(written(tmp_path, content)).problem
    solution = solve(problem, Limits(None, max_iterations=3), 1)
    assert [left.order for left in solution.plan.unassigned] == ["2"]
    assert not check_problem_plan(problem, solution.plan).violations


def test_other_prices(tmp_path: Path) -> None:
    """Tests that time costs, scarce vehicles and cheap refusal end in plans the checker accepts."""
    problem = day(tmp_path, 6, 8)
    dear = tuple(
        replace(vehicle, type=replace(vehicle.type, cost_per_h=3_600.0, fixed_cost=0.0))
        for vehicle in problem.vehicles
        if vehicle.id.endswith(("#1", "#2"))
    )
    orders = tuple(replace(order, unserved_cost=90_000.0) for order in problem.orders)
    changed = replace(problem, vehicles=dear, orders=orders)
    assert ENGINE.suits(changed)
    solution = solve(changed, Limits(None, max_iterations=3), 1)
    assert not check_problem_plan(changed, solution.plan).violations


def test_suits(tmp_path: Path) -> None:
    """Tests that the engine takes days of its shape and leaves those with features it does not know."""
    problem = day(tmp_path, 1)
    assert engine_for(problem) is ENGINE
    first, *rest = problem.orders
    for other in (
        replace(first, due_s=100, late_cost_per_h=5.0),
        replace(first, windows=((0, 10), (20, 30))),
        replace(first, also_from=()),
        replace(first, release_s=500),
    ):
        assert not ENGINE.suits(replace(problem, orders=(other, *rest)))
    several = tuple(replace(v, type=replace(v.type, max_rounds=None)) for v in problem.vehicles)
    assert not ENGINE.suits(replace(problem, vehicles=several))
    small = tuple(replace(p, store_kg={"ambient": 1.0} if p.store_kg else {}) for p in problem.places)
    assert not ENGINE.suits(replace(problem, places=small))
    assert not ENGINE.suits(replace(problem, orders=()))


def test_prices_without_glop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that the relaxation has the same value when GLOP fails and HiGHS solves it."""
    network = compile_network(day(tmp_path, 5, 8))
    tours = all_tours(network)
    relaxation = Relaxation(network, Part(tuple(range(8))), station_releases(network, tours.chosen))
    relaxation.add_tours(tours.chosen)
    relaxation.add(first_rounds(network, [tour for tour in tours.chosen if len(tour.stations) == 1]))
    usual = relaxation.solve()

    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(relaxation._solver, "solve", fail)
    other = relaxation.solve()
    assert usual is not None
    assert other is not None
    assert other.value == pytest.approx(usual.value)


def test_fewest_bins() -> None:
    """Tests the bound on vehicles where the sum of sizes alone would say less."""
    assert fewest_bins(np.full(4, 3.0), 5.0) == 4
    assert fewest_bins(np.array([2.0, 2.0, 1.0, 5.0]), 5.0) == 2
