"""The siting models against enumeration of all choices, and the promises they make about their answers."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from routing.siting.capacitated import solve_capacitated
from routing.siting.cover import beyond_all, solve_centre, solve_cover
from routing.siting.coverage import solve_coverage
from routing.siting.question import AccessQuestion, CapacityQuestion, tail_mean
from routing.siting.radius import covered_within, solve_access
from routing.siting.remedies import capacity_remedy, cover_remedy

SEEDS = st.integers(0, 100_000)


def random_access(seed: int, *, scenarios: int = 1, periods: int = 1) -> AccessQuestion:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 9)), int(rng.integers(2, 7))
    access = rng.integers(1, 40, (scenarios, n, m)).astype(float)
    money = rng.integers(0, 9, m).astype(float)
    most = tuple(min(m, int(rng.integers(1, 3)) + k) for k in range(periods))
    budget = tuple(None if rng.random() < 0.4 else float(money.min() + 8 + 4 * k) for k in range(periods))
    return AccessQuestion(access, rng.integers(1, 20, n).astype(float), money, np.ones(m, bool), most, budget)


def sets_of(question: AccessQuestion, period: int = 0) -> list[tuple[int, ...]]:
    sites = range(question.n_sites)
    every = (chosen for size in range(1, question.n_sites + 1) for chosen in combinations(sites, size))
    return [chosen for chosen in every if question.admits(chosen, period)]


@given(
    seed=SEEDS,
    measure=st.sampled_from(["mean", "tail"]),
    over=st.sampled_from(["mean", "worst"]),
    scenarios=st.integers(1, 2),
)
@settings(max_examples=40, deadline=None)
def test_access_equals_enumeration(seed: int, measure: str, over: str, scenarios: int) -> None:
    """Tests that mean and worst-off access over scenarios agree with trying every choice."""
    question = replace(random_access(seed, scenarios=scenarios), measure=measure, over=over, tail_share=0.3)
    answer = solve_access(question)
    assert answer is not None
    assert answer.proven
    assert answer.value == pytest.approx(min(question.value(chosen) for chosen in sets_of(question)))
    assert question.value(answer.open_sites[0]) == pytest.approx(answer.value)
    assert question.admits(answer.open_sites[0], 0)


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_rollout_equals_enumeration(seed: int) -> None:
    """Tests that a roll-out over two years is the best pair of growing sets."""
    question = random_access(seed, periods=2)
    answer = solve_access(question)
    first, second = sets_of(question, 0), sets_of(question, 1)
    pairs = [(a, b) for a, b in product(first, second) if set(a) <= set(b)]
    assert answer is not None
    assert answer.proven
    assert answer.value == pytest.approx(min((question.value(a) + question.value(b)) / 2 for a, b in pairs))
    assert set(answer.open_sites[0]) <= set(answer.open_sites[1])


@given(seed=SEEDS, limit=st.integers(3, 38))
@settings(max_examples=30, deadline=None)
def test_coverage_equals_enumeration(seed: int, limit: int) -> None:
    """Tests that the uncovered share agrees with trying every choice, and that a longer limit never covers less."""
    question = random_access(seed)
    answer, longer = (solve_coverage(question, x) for x in (limit, limit + 4))
    by_radii = solve_access(covered_within(question, limit))
    best = min(covered_within(question, limit).value(chosen) for chosen in sets_of(question))
    assert answer is not None
    assert longer is not None
    assert answer.proven
    assert answer.value == pytest.approx(best)
    assert by_radii is not None
    assert by_radii.value == pytest.approx(best)
    assert longer.value <= answer.value + 1e-9


@given(seed=SEEDS, scenarios=st.integers(1, 2))
@settings(max_examples=30, deadline=None)
def test_centre_and_cover_equal_enumeration(seed: int, scenarios: int) -> None:
    """Tests p-centre and set covering by points and by money against trying every choice."""
    question = random_access(seed, scenarios=scenarios)
    farthest = {chosen: question.access[:, :, list(chosen)].min(axis=2).max() for chosen in sets_of(question)}
    centre = solve_centre(question)
    assert centre is not None
    assert centre.proven
    assert centre.limit == min(farthest.values())
    limit = centre.limit + 2
    free = replace(question, at_most=(None,), budget=(None,))
    covering = [c for c in sets_of(free) if question.access[:, :, list(c)].min(axis=2).max() <= limit]
    fewest, cheapest = (solve_cover(free, limit, least=least) for least in ("points", "money"))
    assert fewest is not None
    assert cheapest is not None
    assert fewest.value == min(len(chosen) for chosen in covering)
    assert cheapest.value == pytest.approx(min(question.money[list(chosen)].sum() for chosen in covering))
    assert fewest.proven
    assert cheapest.proven


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_more_points_never_worsen_access_and_order_does_not_matter(seed: int) -> None:
    """Tests that one more point never worsens the measure, and that permuted rows and columns change nothing."""
    question = random_access(seed)
    answer = solve_access(question)
    more = solve_access(replace(question, at_most=((question.at_most[0] or 0) + 1,)))
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(question.weight)), rng.permutation(question.n_sites)
    shuffled = replace(
        question,
        access=question.access[:, rows][:, :, columns],
        weight=question.weight[rows],
        money=question.money[columns],
    )
    again = solve_access(shuffled)
    assert answer is not None
    assert more is not None
    assert again is not None
    assert more.value <= answer.value + 1e-9
    assert again.value == pytest.approx(answer.value)


def random_capacity(seed: int, *, split: bool) -> CapacityQuestion:
    rng = np.random.default_rng(seed)
    n, m, kinds = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    site = np.repeat(np.arange(m), kinds)
    q = len(site)
    cost = rng.integers(1, 30, (n, m)).astype(float)
    cost[rng.random((n, m)) < 0.1] = np.inf
    return CapacityQuestion(
        cost=cost,
        load=rng.integers(1, 6, n).astype(float),
        option_site=site,
        option_cost=rng.integers(0, 20, q).astype(float),
        option_capacity=rng.integers(2, 14, q).astype(float),
        option_money=rng.integers(1, 9, q).astype(float),
        option_counts=np.ones(q, bool),
        at_most=None if rng.random() < 0.5 else int(rng.integers(1, m + 1)),
        budget=None if rng.random() < 0.5 else float(rng.integers(4, 16)),
        must_open=(int(rng.integers(0, m)),) if rng.random() < 0.3 else (),
        split=split,
    )


def cheapest_service(question: CapacityQuestion, options: tuple[int, ...]) -> float:
    """Return the least cost of serving everyone from some options: a linear programme, or all assignments."""
    sites, room = question.option_site[list(options)], question.option_capacity[list(options)]
    cost = question.cost[:, sites]
    n, k = cost.shape
    if question.split:
        finite = np.where(np.isfinite(cost), cost, 0.0)
        rooms = np.zeros((k, n * k))
        for j in range(k):
            rooms[j, j::k] = question.load
        ones = np.kron(np.eye(n), np.ones(k))
        bounds = [(0, 1 if np.isfinite(value) else 0) for value in cost.ravel()]
        found = linprog(finite.ravel(), A_ub=rooms, b_ub=room, A_eq=ones, b_eq=np.ones(n), bounds=bounds)
        return float(found.fun) if found.status == 0 else np.inf
    best = np.inf
    for places in product(range(k), repeat=n):
        used = np.bincount(places, weights=question.load, minlength=k)
        if (used <= room).all():
            best = min(best, float(cost[np.arange(n), list(places)].sum()))
    return best


@given(seed=SEEDS, split=st.booleans())
@settings(max_examples=60, deadline=None)
def test_capacitated_equals_enumeration(seed: int, split: bool) -> None:
    """Tests cost, bound and feasibility of capacitated siting with kinds, budget and forced sites."""
    question = random_capacity(seed, split=split)
    best = np.inf
    for size in range(1, question.n_options + 1):
        for options in combinations(range(question.n_options), size):
            if question.admits(options):
                best = min(best, question.option_cost[list(options)].sum() + cheapest_service(question, options))
    answer = solve_capacitated(question)
    if not np.isfinite(best):
        assert answer.infeasible
        assert not answer.options
        return
    assert answer.proven
    assert answer.cost == pytest.approx(best)
    assert question.admits(answer.options)
    client, site, share = answer.served
    assert np.bincount(client, weights=share, minlength=question.n_clients) == pytest.approx(1.0)
    room = dict(
        zip(
            question.option_site[list(answer.options)].tolist(),
            question.option_capacity[list(answer.options)],
            strict=True,
        )
    )
    for j, used in enumerate(np.bincount(site, weights=share * question.load[client], minlength=question.n_sites)):
        assert used <= room.get(j, 0.0) + 1e-6


def test_remedies_name_the_least_that_helps() -> None:
    """Tests that an impossible limit is answered by points, money and minutes, and by who can never be reached."""
    access = np.array([[[5.0, 50.0, 50.0], [50.0, 5.0, 50.0], [50.0, 50.0, 60.0]]])
    question = AccessQuestion(access, np.ones(3), np.array([3.0, 4.0, 5.0]), np.ones(3, bool), (1,), (3.0,))
    assert beyond_all(question, 10.0).tolist() == [False, False, True]
    remedy = cover_remedy(replace(question, budget=(None,)), 10.0)
    assert (remedy.points, remedy.money, remedy.unreachable) == (2, None, (2,))
    assert remedy.limit == 50.0
    remedy = cover_remedy(replace(question, at_most=(None,)), 10.0)
    assert (remedy.points, remedy.money) == (None, 7.0)


def test_capacity_remedy_names_points_and_money() -> None:
    """Tests the least points and money that give everyone room."""
    question = CapacityQuestion(
        cost=np.ones((3, 3)),
        load=np.array([4.0, 4.0, 4.0]),
        option_site=np.arange(3),
        option_cost=np.zeros(3),
        option_capacity=np.array([5.0, 6.0, 7.0]),
        option_money=np.array([1.0, 2.0, 9.0]),
        option_counts=np.ones(3, bool),
        at_most=1,
        budget=2.0,
    )
    assert solve_capacitated(question).infeasible
    remedy = capacity_remedy(replace(question, budget=None))
    assert remedy.points == 2
    remedy = capacity_remedy(replace(question, at_most=None))
    assert remedy.money == 10.0
    alone = replace(question, cost=np.array([[1.0, np.inf, np.inf]] * 2 + [[np.inf, 1.0, 1.0]]))
    remedy = capacity_remedy(alone)
    assert (remedy.points, remedy.money, sum(load for _, load in remedy.crowded)) == (None, None, pytest.approx(3.0))
    assert {client for client, _ in remedy.crowded} <= {0, 1}


def test_tail_mean_counts_the_edge_in_part() -> None:
    """Tests the mean of the worst-off share on a case worked by hand."""
    assert tail_mean(np.array([10.0, 20.0, 30.0]), np.array([1.0, 1.0, 2.0]), 0.75) == pytest.approx(80 / 3)
