"""Compiled loops: compilation where nothing can be cached, and loops against plain Python (geodata.compiled)."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.compiled import compiled
from geodata.flight_loops import ground_along, lines_crossed
from geodata.path_loops import indices_along
from geodata.terrain import Terrain


def test_without_a_place_for_the_cache_loops_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a function is compiled in this process where numba finds nowhere to keep it."""
    compile_it, asked = numba.njit, []

    def nowhere(*args: object, **options: object) -> object:
        asked.append(options)
        if options.get("cache"):
            msg = "cannot cache function: no locator available"
            raise RuntimeError(msg)
        return compile_it(*args, **options)

    monkeypatch.setattr(numba, "njit", nowhere)
    double = compiled(lambda x: 2.0 * x)
    assert (double(3.0), double(4.0)) == (6.0, 8.0)
    assert [bool(options.get("cache")) for options in asked[:2]] == [True, False]  # then it calls itself


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-5.0, 5.0)] * 4), min_size=1, max_size=4))
def test_grid_lines_are_crossed_in_order(pieces: list[tuple[float, float, float, float]]) -> None:
    """Tests that every whole column and row strictly within a piece is found, in order along the piece."""
    start, step = np.array(pieces)[:, :2], np.array(pieces)[:, 2:]
    found = lines_crossed(start, step)
    expected: list[float] = []
    for piece, ((u, v), (du, dv)) in enumerate(zip(start.tolist(), step.tolist(), strict=True)):
        shares = [
            (line - a) / d
            for a, d in ((u, du), (v, dv))
            for line in range(-11, 12)
            if min(a, a + d) < line < max(a, a + d)
        ]
        expected += [piece, *sorted(share + piece for share in shares)]
    assert found.tolist() == expected


def test_ground_along_is_the_terrains() -> None:
    """Tests heights of samples against the terrain's own, nan beyond it, and the bulge over each chord's middle."""
    rng = np.random.default_rng(5)
    heights = rng.uniform(0.0, 300.0, (6, 7)).astype(np.float32)
    terrain = Terrain(0.0, 0.0, 1.0, 1.0, heights)
    u, v = rng.uniform(-1.5, 7.5, 60), rng.uniform(-1.5, 6.5, 60)
    ground_m, _ = ground_along(heights, u, v, np.arange(60))
    assert np.allclose(ground_m, terrain.elevation_m(u, -v), equal_nan=True, atol=1e-9)
    u, v = np.array([2.1, 2.9]), np.array([3.2, 3.7])
    ground_m, bulge_m = ground_along(heights, u, v, np.array([1]))
    middle_m = terrain.elevation_m(u.mean(), -v.mean())
    assert bulge_m[0] == pytest.approx(float(middle_m) - ground_m.mean(), abs=1e-9)
    assert bulge_m[1] == 0.0


def test_nodes_of_a_path_are_found_with_and_without_edges() -> None:
    """Tests ids along an edge, after a jump no edge makes, and ids that are not there."""
    node_id = np.array([10, 20, 30, 40])
    first_edge, edge_to = np.array([0, 1, 2, 2, 2]), np.array([1, 0])
    wanted = np.array([10, 20, 40, 5, 99, 30])
    assert indices_along(wanted, node_id, first_edge, edge_to).tolist() == [0, 1, 3, -1, -1, 2]
