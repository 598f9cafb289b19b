"""The siting models against spopt 0.7 (PuLP, CBC) on the same small instances: the same optimum everywhere.

spopt is a development dependency only. Its import brings geopandas and libpysal and takes seconds, hence in a fixture.
"""

import warnings
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from routing.siting.cover import solve_centre, solve_cover
from routing.siting.coverage import solve_coverage
from routing.siting.median import solve_p_median
from routing.siting.question import AccessQuestion

CASES = ((0, 12, 8, 2), (1, 25, 14, 3), (2, 40, 20, 5), (3, 30, 30, 4))
"""Seed, clients, sites and how many open."""


@pytest.fixture(scope="module")
def locate() -> ModuleType:
    """Return spopt's models; what their dependencies warn of while being imported is none of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("spopt.locate")


def instance(seed: int, clients: int, sites: int) -> tuple[np.ndarray, np.ndarray]:
    """Return distances on a plane, rounded to whole metres, and people of each client."""
    rng = np.random.default_rng(seed)
    home, site = rng.random((clients, 2)) * 1_000, rng.random((sites, 2)) * 1_000
    distance = np.round(np.hypot(home[:, None, 0] - site[None, :, 0], home[:, None, 1] - site[None, :, 1]))
    return distance, rng.integers(1, 60, clients).astype(float)


def question(distance: np.ndarray, people: np.ndarray, p: int | None) -> AccessQuestion:
    sites = distance.shape[1]
    return AccessQuestion(distance[None], people, np.zeros(sites), np.ones(sites, dtype=bool), (p,))


def solved(model: Any) -> float:
    """Return the objective spopt finds with CBC."""
    import pulp

    return float(model.solve(pulp.PULP_CBC_CMD(msg=False), results=False).problem.objective.value())


@pytest.mark.filterwarnings("ignore:.*PuLP 4.0:DeprecationWarning")  # spopt 0.7 builds its models in PuLP's older way
@pytest.mark.parametrize(("seed", "clients", "sites", "p"), CASES)
def test_equals_spopt(locate: ModuleType, seed: int, clients: int, sites: int, p: int) -> None:
    """Tests p-median, maximal coverage, p-centre and set covering, each proven and equal to spopt's optimum."""
    distance, people = instance(seed, clients, sites)
    asked = question(distance, people, p)
    weighted = distance * people[:, None]
    median = solve_p_median(weighted, p)
    assert median.proven
    assert median.cost == pytest.approx(solved(locate.PMedian.from_cost_matrix(distance, people, p)))
    limit = float(np.quantile(distance, 0.15))
    covered = solve_coverage(asked, limit)
    assert covered is not None
    assert covered.proven
    most = solved(locate.MCLP.from_cost_matrix(distance, people, limit, p))
    assert (1.0 - covered.value) * people.sum() == pytest.approx(most)
    centre = solve_centre(asked)
    assert centre is not None
    assert centre.limit == pytest.approx(solved(locate.PCenter.from_cost_matrix(distance, p)))
    far = float(distance.min(axis=1).max())
    fewest = solve_cover(replace(asked, at_most=(None,)), far)
    assert fewest is not None
    assert fewest.value == pytest.approx(solved(locate.LSCP.from_cost_matrix(distance, far)))
