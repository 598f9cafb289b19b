"""The compiled loops of the pair search against slow plain readings of the same rules."""

import math
import random

import numpy as np
import pytest
from pair_days import cheapest, pair_day, round_cost

from routing.evaluation import cost_of
from routing.model.problem import Problem
from routing.solver import Limits, solve
from routing.solver.pairs import kernel, places, ruin_repair
from routing.solver.pairs.arrays import Notes, Rounds, new_notes, new_rounds
from routing.solver.pairs.compile import Compiled, compile_pairs
from routing.solver.pairs.first_plan import cheapest_insertion
from routing.solver.pairs.plan import make_plan


def started(day: Problem) -> tuple[Compiled, Rounds, Notes]:
    """Return a compiled day with an empty plan."""
    compiled = compile_pairs(day)
    rounds = new_rounds(compiled.day)
    for slot in range(len(compiled.day.group)):
        places.reckon(compiled.day, rounds, slot)
    return compiled, rounds, new_notes(compiled.day, 1)


def nodes_of(rounds: Rounds, slot: int) -> list[int]:
    """Return the round of a slot."""
    return [int(node) for node in rounds.node[slot, : rounds.size[slot]]]


def visits(day: Problem, nodes: list[int]) -> list[tuple[str, bool]]:
    """Return the visits of a round as the slow reading wants them."""
    count = len(day.orders)
    return [(day.orders[node % count].id, node < count) for node in nodes[1:-1]]


@pytest.mark.parametrize("seed", range(12))
def test_the_best_place_is_the_cheapest_of_all(seed: int) -> None:
    """Tests that the compiled search for a place finds what trying every place finds, round after round."""
    day = pair_day(seed, orders=8, vehicles=2)
    compiled, rounds, notes = started(day)
    draw = random.Random(seed)
    placed = 0
    for order in draw.sample(range(8), 8):
        for slot, vehicle in enumerate(compiled.vehicles):
            nodes = nodes_of(rounds, slot)
            added, i, j = places.best_place(compiled.day, rounds, notes, order, slot, math.inf, 0.0)
            group = int(compiled.day.group[slot])
            expected, found = cheapest_insertion(compiled.day, group, nodes, order)
            if i < 0:
                assert math.isinf(expected)
                continue
            assert added == pytest.approx(expected)
            made = [*nodes[: i + 1], order, *nodes[i + 1 : j + 1], 8 + order, *nodes[j + 1 :]]
            before = round_cost(day, vehicle, visits(day, nodes))
            after = round_cost(day, vehicle, visits(day, made))
            assert before is not None
            assert after == pytest.approx(before + added)
            assert round_cost(day, vehicle, visits(day, found)) == pytest.approx(after)
            if draw.random() < 0.6:
                assert places.insert(compiled.day, rounds, order, slot, i, j)
                assert nodes_of(rounds, slot) == made
                placed += 1
                break
    assert placed > 0


@pytest.mark.parametrize("seed", range(20))
def test_rounds_are_judged_as_the_rules_say(seed: int) -> None:
    """Tests that a round of random sequence is sound for the compiled loops exactly when it is for the slow reading."""
    day = pair_day(seed, orders=6, vehicles=2)
    compiled, rounds, _ = started(day)
    draw = random.Random(seed)
    slot = seed % 2
    for _ in range(40):
        chosen = draw.sample(range(6), draw.choice([1, 1, 2, 3]))
        stops = [stop for order in chosen for stop in (order, 6 + order)]
        draw.shuffle(stops)
        stops.sort(key=lambda stop: int(compiled.day.early_s[stop]))
        base = int(rounds.node[slot, 0])
        rounds.node[slot, : len(stops) + 2] = [base, *stops, base]
        rounds.size[slot] = len(stops) + 2
        in_time = places.reckon(compiled.day, rounds, slot)
        first = all(stops.index(order) < stops.index(6 + order) for order in chosen)
        size, group = rounds.size[slot], compiled.day.group[slot]
        fits = bool(
            (rounds.kg[slot, :size] <= compiled.day.room_kg[group]).all()
            and (rounds.litres[slot, :size] <= compiled.day.room_l[group]).all()
        )
        expected = round_cost(day, compiled.vehicles[slot], visits(day, [base, *stops, base]))
        assert (in_time and first and fits) == (expected is not None)
        if expected is not None:
            assert rounds.money[slot] == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_keeps_its_books(seed: int) -> None:
    """Tests that after many steps cost, slots and list of absent orders are what the rounds say, waiting paid for."""
    day = pair_day(seed, orders=12, vehicles=4, cost_per_h=2_000.0)
    compiled, rounds, notes = started(day)
    ruin_repair.repair(compiled.day, rounds, notes, 0.0, math.inf)
    ruin_repair.forget(notes)
    kernel.remember(rounds, notes)
    cost = kernel.total_cost(compiled.day, rounds)
    cost, best = kernel.anneal(compiled.day, rounds, notes, 400, cost, cost, 500.0, 5.0)
    assert cost == pytest.approx(kernel.total_cost(compiled.day, rounds))
    assert best <= cost + 1e-6
    served = [node for slot in range(len(rounds.size)) for node in nodes_of(rounds, slot)[1:-1] if node < 12]
    absent = rounds.absent[: rounds.absent[-1]].tolist()
    assert sorted(served + absent) == list(range(12))
    assert [k for k in range(12) if rounds.slot[k] < 0] == sorted(absent)
    left = sum(order.unserved_cost for k, order in enumerate(day.orders) if k in absent)
    plan = make_plan(compiled, [nodes_of(rounds, slot) for slot in range(len(rounds.size))])
    assert cost_of(day, plan).total + left == pytest.approx(cost, abs=3.0)


@pytest.mark.parametrize("seed", range(8))
def test_small_days_are_planned_at_least_cost(seed: int) -> None:
    """Tests that on days of three orders and two vehicles the plan costs what trying everything finds."""
    day = pair_day(100 + seed, orders=3, vehicles=2)
    solution = solve(day, Limits(None, 400), seed=1)
    assert solution.cost.total == pytest.approx(cheapest(day), abs=1.5)


def test_random_numbers_cover_the_unit_interval() -> None:
    """Tests that the generator gives other numbers for other seeds, evenly over [0, 1)."""
    day = compile_pairs(pair_day(1)).day
    notes = new_notes(day, 3)
    drawn = np.array([places.unit(notes) for _ in range(2_000)])
    assert (drawn >= 0).all()
    assert (drawn < 1).all()
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)
    assert places.unit(new_notes(day, 3)) != places.unit(new_notes(day, 4))
