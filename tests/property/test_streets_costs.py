"""Properties of edge costs: grades, energy, road heights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from street_cases import Edge, make_network

from geodata.osm_tags import HIGHWAYS, SURFACES
from geodata.profiles import edge_costs, edge_energy_wh, load_profiles
from geodata.street_shape import GRADE_CAPS, smooth_elevation

PROFILES = load_profiles()
VEHICLES = sorted(name for name, profile in PROFILES.items() if not profile.is_walker)
GRADES = st.floats(0.0, 0.4)


@given(st.sampled_from(VEHICLES), GRADES, GRADES, st.sampled_from([-1.0, 1.0]), st.data())
def test_steeper_is_never_faster(name: str, one: float, other: float, sign: float, data: st.DataObject) -> None:
    """Tests that of two edges of one kind the steeper takes at least as long, uphill and downhill."""
    flat, steep = sorted((one, other))
    kind = {
        "highway": data.draw(st.sampled_from(HIGHWAYS)),
        "surface": data.draw(st.sampled_from(SURFACES)),
        "radius_m": data.draw(st.floats(4.0, 1e6)),
        "maxspeed_kmh": data.draw(st.one_of(st.just(float("nan")), st.floats(5.0, 120.0))),
    }
    network = make_network(
        2, [Edge(0, 1, grade=sign * flat, way=1, **kind), Edge(0, 1, grade=sign * steep, way=2, **kind)]
    )
    slow_flat, slow_steep = edge_costs(network, PROFILES[name]).duration_s
    assert slow_steep >= slow_flat


@given(
    st.sampled_from(VEHICLES),
    st.lists(st.tuples(st.floats(-80.0, 80.0), st.floats(200.0, 2000.0)), min_size=1, max_size=8),
    st.floats(3.0, 25.0),
)
def test_a_loop_always_costs_energy(name: str, legs: list[tuple[float, float]], speed: float) -> None:
    """Tests that up and down are not netted out: a loop that ends at its own height costs more than the level."""
    rise = np.array([rise for rise, _ in legs])
    rise = np.append(rise, -rise.sum())
    length = np.append([length for _, length in legs], 2000.0)
    energy = edge_energy_wh(length, rise / length, np.full(length.size, speed), PROFILES[name]).sum()
    assert energy > 0.0
    if PROFILES[name].energy_source == "diesel":
        assert (edge_energy_wh(length, rise / length, np.full(length.size, speed), PROFILES[name]) > 0.0).all()


@given(st.sampled_from(VEHICLES), st.floats(0.0, 0.3), st.floats(0.0, 1000.0), st.floats(0.0, 1000.0))
def test_more_load_never_takes_less_uphill(name: str, grade: float, one: float, other: float) -> None:
    """Tests that energy uphill grows with the load."""
    light, heavy = sorted((one, other))
    values = (np.array([500.0]), np.array([grade]), np.array([7.0]), PROFILES[name])
    assert edge_energy_wh(*values, load_kg=heavy)[0] >= edge_energy_wh(*values, load_kg=light)[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 120))
def test_road_heights_keep_every_cap(seed: int, n_nodes: int, n_segments: int) -> None:
    """Tests that on any graph over any ground no segment is steeper than its class, and heights stay in range."""
    rng = np.random.default_rng(seed)
    start, end = rng.integers(0, n_nodes, n_segments), rng.integers(0, n_nodes, n_segments)
    start, end = start[start != end], end[start != end]
    length = rng.uniform(1.0, 300.0, start.size)
    highway = rng.integers(0, len(HIGHWAYS), start.size).astype(np.uint8)
    ground = rng.uniform(0.0, 3000.0, n_nodes)
    height = smooth_elevation(ground, start, end, length, highway, rng.random(start.size) < 0.2)
    caps = np.array([GRADE_CAPS[name] for name in HIGHWAYS])[highway]
    assert (np.abs(height[end] - height[start]) <= caps * length + 1e-6).all()
    assert height.min() >= ground.min() - 1e-3
    assert height.max() <= ground.max() + 1e-3


def test_caps_hold_without_segments() -> None:
    """Tests that nodes without any segment keep the ground's height."""
    none = np.empty(0, dtype=np.int64)
    heights = smooth_elevation(
        np.array([5.0]), none, none, np.empty(0), np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.bool_)
    )
    assert heights == pytest.approx([5.0])
