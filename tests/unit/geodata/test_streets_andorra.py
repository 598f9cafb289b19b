"""Streets of Andorra: real extracts and terrain."""

from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest

from benchmarks.elevation import BELIEVED_M, check, shift_of_grid_m, tagged_heights
from geodata.osm import read_street_network
from geodata.osm_tags import HIGHWAYS
from geodata.paths import find_paths, measure_path
from geodata.profiles import edge_costs, load_profiles
from geodata.street_matrix import Snap, compute_matrix, snap
from geodata.street_shape import GRADE_CAPS
from geodata.streets import StreetNetwork
from geodata.terrain import read_terrain

pytestmark = pytest.mark.real_data
PROFILES = load_profiles()
CAPITAL, PAS_DE_LA_CASA, SANT_JULIA = (1.5211, 42.5069), (1.7333, 42.5433), (1.4914, 42.4637)


def network_of(folder: Path, name: str) -> StreetNetwork:
    return read_street_network(folder / name, read_terrain([folder / "N42E001.hgt.zip"]))


@pytest.fixture(scope="module")
def small(shared_data: Path) -> StreetNetwork:
    return network_of(shared_data / "andorra", "andorra-2013-small.osm.pbf")


@pytest.fixture(scope="module")
def full(shared_data: Path) -> StreetNetwork:
    return network_of(shared_data / "andorra", "andorra-20250118.osm.pbf")


def grade_quantile(network: StreetNetwork, names: tuple[str, ...], share: float) -> float:
    """Return the grade (either way) that `share` of the length of some classes does not exceed."""
    chosen = np.isin(network.edge_highway, [HIGHWAYS.index(name) for name in names])
    grade, length = np.abs(network.edge_grade[chosen]), network.edge_length_m[chosen]
    order = np.argsort(grade)
    return float(grade[order][np.searchsorted(np.cumsum(length[order]) / length.sum(), share)])


def test_grades_are_plausible_for_the_class(full: StreetNetwork) -> None:
    """Tests the published distribution: main roads 1-6 % at the median, under their caps everywhere."""
    assert 0.01 < grade_quantile(full, ("trunk",), 0.5) < 0.05
    assert 0.03 < grade_quantile(full, ("primary",), 0.5) < 0.07
    assert 0.05 < grade_quantile(full, ("track",), 0.5) < 0.12
    caps = np.array([GRADE_CAPS[name] for name in HIGHWAYS])[full.edge_highway]
    assert (np.abs(full.edge_grade) <= caps + 1e-6).all()


def test_turn_restrictions_are_read_and_kept(full: StreetNetwork) -> None:
    """Tests the count of usable relations, and that fastest ways through the towns make no forbidden turn."""
    notes = dict(full.notes)
    assert notes["turn restrictions"] == 64
    assert sum(notes.values()) == 76
    costs = edge_costs(full, PROFILES["van_diesel"])
    at_turns = np.unique([full.edge_to[ban.edges[0]] for ban in full.turn_bans])
    places = Snap(at_turns, np.zeros(at_turns.size), np.zeros(at_turns.size))
    pairs = [(k, (k + 1) % at_turns.size) for k in range(at_turns.size)]
    for path in find_paths(full, costs, places, pairs):
        assert path is not None
        assert measure_path(full, costs, path.nodes).forbidden_at is None
    ban = next(ban for ban in full.turn_bans if np.isfinite(costs.duration_s[list(ban.edges)]).all())
    nodes = [int(full.edge_from[ban.edges[0]]), *full.edge_to[list(ban.edges)].tolist()]
    assert measure_path(full, costs, full.node_id[nodes].tolist()).forbidden_at == len(ban.edges) - 1


def test_terrain_agrees_with_saddles(shared_data: Path) -> None:
    """Tests the published bar: heights tagged at saddles are met within 15 m root mean square."""
    terrain = read_terrain([shared_data / "andorra" / "N42E001.hgt.zip"])
    nodes: Any = osmium.FileProcessor(str(shared_data / "andorra" / "andorra-20250118.osm.pbf"), osmium.osm.NODE)
    rows = np.array(
        [
            (node.lon, node.lat, float(node.tags["ele"]))
            for node in nodes.with_filter(osmium.filter.TagFilter(("natural", "saddle")))
            if node.tags.get("ele", "").replace(".", "").isdigit()
        ]
    )
    assert len(rows) > 50
    error = terrain.elevation_m(rows[:, 0], rows[:, 1]) - rows[:, 2]
    assert np.sqrt(np.nanmean(np.square(error))) < 15.0


def test_terrain_agrees_with_all_that_is_no_summit(shared_data: Path) -> None:
    """Tests the published treatment: within 15 m without the tags more than 50 m off, which are 3 % at the most."""
    terrain = read_terrain([shared_data / "andorra" / "N42E001.hgt.zip"])
    checked = check(terrain, tagged_heights(shared_data / "andorra" / "andorra-20250118.osm.pbf"))
    error = checked.error_m[~checked.is_summit]
    believed = np.abs(error) <= BELIEVED_M
    assert error.size > 100
    assert np.mean(~believed) <= 0.03
    assert np.sqrt(np.mean(np.square(error[believed]))) < 15.0
    assert np.sqrt(np.mean(np.square(error))) < 18.0


def test_the_grid_of_heights_is_in_its_place(shared_data: Path) -> None:
    """Tests that tags ask for a shift far below the half cell that corners taken for middles would need."""
    terrain = read_terrain([shared_data / "andorra" / "N42E001.hgt.zip"])
    checked = check(terrain, tagged_heights(shared_data / "andorra" / "andorra-20250118.osm.pbf"))
    east_m, north_m, up_m = shift_of_grid_m(terrain, checked)
    assert max(abs(east_m), abs(north_m)) < 20.0
    assert abs(up_m) < 10.0


def test_envalira_tunnel_is_not_on_the_mountain(full: StreetNetwork) -> None:
    """Tests that the tunnel road stays below 2,150 m where the terrain above it reads over 2,400 m."""
    long_tunnels = full.edge_tunnel & (full.edge_highway <= HIGHWAYS.index("primary_link"))
    heights = full.node_elevation_m[full.edge_from[long_tunnels]]
    assert heights.max() < 2_150.0


def test_capital_to_the_pass(full: StreetNetwork) -> None:
    """Tests a known drive: 25-32 km, 33-50 min by van, more fuel up than down, and that the truck is slower."""
    minutes = {}
    lon, lat = (np.array(values) for values in zip(CAPITAL, PAS_DE_LA_CASA, strict=True))
    for name in ("van_diesel", "van_electric", "truck"):
        costs = edge_costs(full, PROFILES[name])
        there, back = find_paths(full, costs, snap(full, costs, PROFILES[name], lon, lat), [(0, 1), (1, 0)])
        assert there is not None
        assert back is not None
        assert 25_000 < there.distance_m < 32_000
        assert there.energy_wh > 2.5 * max(back.energy_wh, 0.0)
        minutes[name] = there.duration_s / 60
    assert 33 < minutes["van_diesel"] < 50
    assert minutes["van_electric"] == minutes["van_diesel"]
    assert minutes["truck"] > minutes["van_diesel"]


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_works_on_the_small_extract(small: StreetNetwork, name: str) -> None:
    """Tests snapping, matrix and paths of every profile on a real network of many parts."""
    profile = PROFILES[name]
    costs = edge_costs(small, profile)
    chosen = np.random.default_rng(1).choice(small.n_nodes, 40, replace=False)
    places = snap(small, costs, profile, small.node_lon[chosen], small.node_lat[chosen] + 0.0003)
    matrix = compute_matrix(small, costs, profile.key, [str(k) for k in range(40)], places)
    pairs = [(0, j) for j in range(1, 40)]
    for (i, j), path in zip(pairs, find_paths(small, costs, places, pairs), strict=True):
        assert (path is not None) == bool(matrix.reachable[i, j])
        if path is not None:
            assert (path.duration_s, path.distance_m) == (matrix.duration_s[i, j], matrix.distance_m[i, j])
            measure = measure_path(small, costs, path.nodes)
            assert (measure.broken_at, measure.forbidden_at) == (None, None)


def test_most_of_the_main_network_hangs_together(small: StreetNetwork) -> None:
    """Tests that places in the capital and Sant Julià reach each other by every vehicle for the road."""
    lon, lat = (np.array(values) for values in zip(CAPITAL, SANT_JULIA, strict=True))
    for name in ("van_diesel", "truck", "tricycle", "emoto"):
        costs = edge_costs(small, PROFILES[name])
        places = snap(small, costs, PROFILES[name], lon, lat)
        assert compute_matrix(small, costs, name, ["a", "b"], places).reachable.all()


def test_reading_twice_gives_the_same_bytes(shared_data: Path, small: StreetNetwork) -> None:
    """Tests that a network is the same to the last bit however often it is read."""
    again = network_of(shared_data / "andorra", "andorra-2013-small.osm.pbf")
    for name in ("node_elevation_m", "edge_grade", "edge_radius_m", "edge_to", "edge_name"):
        assert getattr(again, name).tobytes() == getattr(small, name).tobytes()
