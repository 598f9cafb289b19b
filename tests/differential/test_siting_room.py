"""Capacities over years, days and measures against enumeration of all choices with a transport programme each."""

from dataclasses import replace
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from routing.siting.capacitated import solve_capacitated
from routing.siting.question import AccessQuestion, CapacityQuestion
from routing.siting.radius import solve_access
from routing.siting.room import RoomQuestion, farthest_with_room, fewest_with_room, solve_room

SEEDS = st.integers(0, 100_000)
LEFT_OUT = 50.0


def random_question(seed: int, *, years: int = 1, days: int = 1, roomy: bool = False) -> RoomQuestion:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    access = rng.integers(1, 30, (2, days, n, m)).astype(float)
    usable = rng.random((days, n, m)) < 0.8
    usable[0, :, 0] = True
    weight, load = rng.integers(1, 9, (2, n)).astype(float), rng.integers(1, 6, n).astype(float)
    site = np.repeat(np.arange(m), 2)
    capacity = np.full(2 * m, np.inf) if roomy else rng.integers(2, 14, 2 * m).astype(float)
    money, counts = rng.integers(1, 6, 2 * m).astype(float), np.ones(2 * m, dtype=bool)
    most = tuple(min(m, 1 + int(rng.integers(0, 2)) + year) for year in range(years))
    budget = tuple(None if rng.random() < 0.5 else 5.0 + 3 * year for year in range(years))
    where = np.where(usable[0], 0.0, np.inf)
    room = CapacityQuestion(where, load, site, np.zeros(2 * m), capacity, money, counts)
    limits = AccessQuestion(access[0], weight.sum(axis=0), np.zeros(m), np.ones(m, dtype=bool), most, budget)
    return RoomQuestion(room, access, usable, weight, LEFT_OUT, limits)


def choices(question: RoomQuestion, year: int) -> list[tuple[int, ...]]:
    room, limits = question.room, question.limits
    limited = replace(room, at_most=limits.at_most[year], budget=limits.budget[year], load=0.0 * room.load)
    every = (chosen for size in range(room.n_options + 1) for chosen in combinations(range(room.n_options), size))
    return [chosen for chosen in every if limited.admits(chosen)]


def served_cost(question: RoomQuestion, options: tuple[int, ...], day: int, *, all_served: bool) -> float:
    """Return the least mean access of one year's day with these options, by a transport programme; inf: no room."""
    room = question.room
    n = room.n_clients
    people = question.weight.sum(axis=0)
    cost = np.einsum("gi,gij->ij", question.weight, question.access[:, day]) / people.sum()
    sites = room.option_site[list(options)]
    cells = [(i, k) for i in range(n) for k, j in enumerate(sites) if question.usable[day, i, j]]
    left = [] if all_served else [(i, -1) for i in range(n)]
    columns = cells + left
    if not columns:
        return float("inf")
    price = [cost[i, sites[k]] if k >= 0 else people[i] * LEFT_OUT / people.sum() for i, k in columns]
    whole = np.array([[1.0 if i == client else 0.0 for i, _ in columns] for client in range(n)])
    carried = np.array([[room.load[i] if k == point else 0.0 for i, k in columns] for point in range(len(sites))])
    within = {} if not len(sites) else {"A_ub": carried, "b_ub": np.minimum(room.option_capacity[list(options)], 1e6)}
    found = linprog(price, A_eq=whole, b_eq=np.ones(n), bounds=(0, 1), **within)
    return float(found.fun) if found.success else float("inf")


def enumerated(question: RoomQuestion) -> float:
    years, days = question.limits.n_periods, question.access.shape[1]
    best = float("inf")
    for plan in product(*(choices(question, year) for year in range(years))):
        if any(not set(before) <= set(after) for before, after in pairwise(plan)):
            continue
        total = 0.0
        for year, options in enumerate(plan):
            last = year == years - 1
            each = [served_cost(question, options, day, all_served=last and day == 0) for day in range(days)]
            total += (max(each) if question.limits.over == "worst" else float(np.mean(each))) / years
        best = min(best, total)
    return best


@given(seed=SEEDS, years=st.integers(1, 2), days=st.integers(1, 2), over=st.sampled_from(["mean", "worst"]))
@settings(max_examples=15, deadline=None)
def test_years_and_days_equal_enumeration(seed: int, years: int, days: int, over: str) -> None:
    """Tests value, bound and proof of roll-outs with capacities over two days, or that there is provably no room."""
    question = random_question(seed, years=years, days=days)
    question = replace(question, limits=replace(question.limits, over=over))
    answer, best = solve_room(question), enumerated(question)
    if not np.isfinite(best):
        assert answer.infeasible
        return
    assert answer.proven
    assert answer.value == pytest.approx(best)
    client, site, share = answer.served
    load = np.bincount(site, weights=share * question.room.load[client], minlength=question.room.n_sites)
    opened = question.room.option_site[list(answer.options[-1])]
    room = np.zeros(question.room.n_sites)
    room[opened] = question.room.option_capacity[list(answer.options[-1])]
    assert (load <= room + 1e-6).all()
    assert np.bincount(client, weights=share, minlength=question.room.n_clients) == pytest.approx(1.0)
    assert set(answer.options[0]) <= set(answer.options[-1])


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_one_usual_day_equals_the_plain_model(seed: int) -> None:
    """Tests that one year's usual day is what the model for whole counties finds, feasible or not."""
    question = random_question(seed)
    cost = np.where(question.usable[0], np.einsum("gi,gij->ij", question.weight, question.access[:, 0]), np.inf)
    plain = solve_capacitated(
        replace(question.room, cost=cost, at_most=question.limits.at_most[0], budget=question.limits.budget[0])
    )
    answer = solve_room(question)
    assert bool(answer.options) == bool(plain.options)
    if answer.options:
        assert answer.value * float(question.weight.sum()) == pytest.approx(plain.cost)


@given(seed=SEEDS, over=st.sampled_from(["mean", "worst"]), days=st.integers(1, 2))
@settings(max_examples=15, deadline=None)
def test_the_worst_off_equal_the_model_without_capacities(seed: int, over: str, days: int) -> None:
    """Tests that with room for everyone the worst-off share is that of the model without capacities."""
    question = random_question(seed, days=days, roomy=True)
    slower = np.stack([question.access[0], question.access[0] / 0.7])
    question = replace(question, access=slower, usable=np.ones_like(question.usable))
    free = replace(question.limits, budget=(None,), measure="tail", tail_share=0.3, over=over)
    answer = solve_room(replace(question, limits=free))
    without = solve_access(replace(free, access=np.concatenate(slower, axis=1), weight=question.weight.ravel()))
    assert without is not None
    assert answer.proven
    assert answer.value == pytest.approx(without.value)


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_fewest_and_farthest_equal_enumeration(seed: int) -> None:
    """Tests the fewest points within a limit, and the least farthest walk, with room for all."""
    question = random_question(seed)
    feasible: dict[tuple[int, ...], list[float]] = {}
    distances = np.unique(question.access[:, 0])
    unlimited = replace(question, limits=replace(question.limits, at_most=(None,), budget=(None,)))
    for options in choices(unlimited, 0):
        feasible[options] = [
            limit
            for limit in distances
            if np.isfinite(
                served_cost(
                    replace(question, usable=question.usable & (question.access.max(axis=0) <= limit)),
                    options,
                    0,
                    all_served=True,
                )
            )
        ]
    limit = float(distances[len(distances) // 2])
    fewest = fewest_with_room(unlimited, limit)
    sizes = [len(options) for options, limits in feasible.items() if limit in limits]
    assert fewest.infeasible if not sizes else fewest.proven and fewest.value == min(sizes)
    within = [feasible[options][0] for options in choices(question, 0) if feasible[options]]
    farthest = farthest_with_room(question)
    if not within:
        assert farthest is None
    else:
        assert farthest is not None
        assert (farthest.limit, farthest.proven) == (min(within), True)
