"""The p-median solver against enumeration of all choices."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.siting.median import solve_p_median


def cheapest_by_enumeration(cost: np.ndarray, p: int, forced: tuple[int, ...] = ()) -> float:
    return min(
        float(cost[:, list(chosen)].min(axis=1).sum())
        for chosen in combinations(range(cost.shape[1]), p)
        if set(forced) <= set(chosen)
    )


@given(seed=st.integers(0, 10_000), clients=st.integers(1, 14), sites=st.integers(1, 9), whole=st.booleans())
@settings(max_examples=60, deadline=None)
def test_equals_enumeration(seed: int, clients: int, sites: int, whole: bool) -> None:
    """Tests that cost, bound and proof agree with trying every choice, with and without forced sites."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 30, (clients, sites)).astype(float) if whole else rng.random((clients, sites)) * 30
    p = int(rng.integers(1, sites + 1))
    forced = tuple(int(j) for j in rng.choice(sites, int(rng.integers(0, p + 1)), replace=False))
    result = solve_p_median(cost, p, forced_open=forced, seed=seed)
    assert result.proven
    assert result.cost == pytest.approx(cheapest_by_enumeration(cost, p, forced))
    assert len(result.open_sites) == p
    assert set(forced) <= set(result.open_sites)
    assert cost[:, list(result.open_sites)].min(axis=1).sum() == pytest.approx(result.cost)


def test_refuses_senseless_questions() -> None:
    """Tests that an impossible p, a repeated forced site and a negative cost are refused."""
    cost = np.ones((3, 3))
    for p, forced in ((0, ()), (4, ()), (1, (0, 1)), (1, (7,))):
        with pytest.raises(ValueError, match="must be"):
            solve_p_median(cost, p, forced_open=forced)
    with pytest.raises(ValueError, match="finite"):
        solve_p_median(-cost, 1)
