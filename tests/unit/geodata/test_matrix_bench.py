"""Unit tests of measuring matrices (geodata.matrix_bench): what is counted, and that wrong matrices are seen."""

import json
from pathlib import Path

import numpy as np
import pytest
from street_cases import random_network, write_osm

from geodata import matrix_bench
from geodata.matrix import TravelMatrix
from geodata.matrix_bench import bench_matrix, bench_network
from geodata.street_matrix import compute_matrix


def test_figures_of_a_small_extract(tmp_path: Path) -> None:
    """Tests counts, that the figures are JSON, and that no more points are drawn than there are nodes."""
    nodes = {k: (1.5 + 0.001 * k, 42.5) for k in range(1, 6)}
    path = write_osm(tmp_path / "x.osm", nodes, {10: ([1, 2, 3, 4, 5], {"highway": "residential"})})
    figures = bench_matrix(path, 50).to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert (figures["nodes"], figures["edges"], figures["points"], figures["part_nodes"]) == (5, 8, 5, 5)
    assert (figures["unreachable"], figures["largest_difference_s"]) == (0, 0.0)
    assert figures["area"] == "x.osm"


def test_same_seed_same_points() -> None:
    """Tests that matrices on a random network equal Dijkstra's, for two seeds."""
    network = random_network(1, 200, 260)
    for seed in (1, 2):
        figures = bench_network(network, "random", 60, seed)
        assert figures.largest_difference_s <= 1e-6
        assert figures.reference_sources == 60


def test_wrong_matrix_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a matrix two seconds off, either way, shows in the largest difference."""
    network = random_network(1, 60, 90)
    right = compute_matrix
    for offset, least in ((2, 1.0), (-2, 1.0)):

        def wrong(*args: object, offset: int = offset) -> TravelMatrix:
            matrix = right(*args)  # type: ignore[arg-type]
            seconds = np.maximum(matrix.duration_s + offset, 0)
            return TravelMatrix(matrix.profile, matrix.ids, seconds, matrix.distance_m, matrix.energy_wh)

        monkeypatch.setattr(matrix_bench, "compute_matrix", wrong)
        assert bench_network(network, "random", 20).largest_difference_s >= least
