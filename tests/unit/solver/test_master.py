"""Unit and differential tests of the master over a pool of columns."""

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from routing.solver.master import choose_columns, partition


def cheapest(cost: list[float], members: list[list[int]], rows: int, vehicles: int) -> float:
    """Return the least cost of columns that cover every row just once, by trying all."""
    best = float("inf")
    for size in range(1, vehicles + 1):
        for chosen in combinations(range(len(cost)), size):
            if sorted(row for k in chosen for row in members[k]) == list(range(rows)):
                best = min(best, sum(cost[k] for k in chosen))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_the_choice_is_the_cheapest(seed: int) -> None:
    """Tests that HiGHS finds what trying all choices finds, with a limit on vehicles, and proves it."""
    draw = random.Random(seed)
    members = [[row] for row in range(6)] + [sorted(draw.sample(range(6), draw.randint(2, 4))) for _ in range(14)]
    cost = [draw.uniform(5, 20) for _ in members]
    columns = partition(cost, members, 6, groups=[0] * len(cost), group_sizes=[4])
    choice = choose_columns(columns, None)
    wanted = cheapest(cost, members, 6, 4)
    if choice is None:
        assert wanted == float("inf")
    else:
        assert choice.cost == pytest.approx(wanted)
        assert choice.proven


def test_rows_may_be_left_out_at_a_price() -> None:
    """Tests that a row is left out where that is cheaper, as a column after the pooled ones."""
    columns = partition([10.0, 3.0], [[0], [1]], 2, optional=[4.0, None])
    choice = choose_columns(columns, None)
    assert choice is not None
    assert (choice.columns, choice.cost) == ((1, 2), 7.0)


def test_covering_may_serve_a_row_twice() -> None:
    """Tests that overlapping columns are a covering and no partition."""
    cost, members = [1.0, 1.0], [[0, 1], [1, 2]]
    assert choose_columns(partition(cost, members, 3), None) is None
    covered = choose_columns(partition(cost, members, 3, cover=True), None, hint=[0, 1], cancelled=lambda: False)
    assert covered is not None
    assert covered.columns == (0, 1)


def test_columns_may_be_chosen_several_times() -> None:
    """Tests that a column is named as often as it is chosen, and that a hint may name it so."""
    once = partition([5.0, 2.0], [[0], [0]], 1)
    columns = replace(once, lower=np.array([3.0]), upper=np.array([3.0]), most=np.array([9.0, 2.0]))
    choice = choose_columns(columns, None, hint=[0, 1, 1])
    assert choice is not None
    assert (choice.columns, choice.cost, choice.proven) == ((0, 1, 1), 9.0, True)


def test_a_cancelled_choice_is_none() -> None:
    """Tests that a caller who cancels gets nothing, at once."""
    assert choose_columns(partition([1.0], [[0]], 1), 60.0, cancelled=lambda: True) is None
