"""Unit tests of curve radii and road elevations (geodata.street_shape)."""

import numpy as np
import pytest

from geodata.osm_tags import HIGHWAYS
from geodata.street_shape import GRADE_CAPS, curve_radii_m, smooth_elevation


def line(ground: list[float], step_m: float = 20.0, highway: str = "primary", off: slice | None = None) -> np.ndarray:
    """Return smoothed heights of a straight road over given ground."""
    n = len(ground)
    off_ground = np.zeros(n - 1, dtype=np.bool_)
    if off is not None:
        off_ground[off] = True
    return smooth_elevation(
        np.array(ground, dtype=np.float64),
        np.arange(n - 1),
        np.arange(1, n),
        np.full(n - 1, step_m),
        np.full(n - 1, HIGHWAYS.index(highway), dtype=np.uint8),
        off_ground,
    )


def test_every_class_has_a_cap() -> None:
    """Tests that each class read has a cap, and greater roads are not steeper than lesser ones."""
    assert set(GRADE_CAPS) == set(HIGHWAYS)
    greater = [GRADE_CAPS[name] for name in ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified")]
    assert greater == sorted(greater)


def test_level_ground_stays_level() -> None:
    """Tests that a level road keeps its height."""
    assert line([500.0] * 30) == pytest.approx(np.full(30, 500.0))


def test_noise_is_smoothed_away() -> None:
    """Tests that an alternation of ±8 m every 20 m (raw grades of 80 %) leaves grades below 3 %."""
    heights = line([1000.0 + 8.0 * (-1) ** k for k in range(60)])
    assert np.abs(np.diff(heights) / 20.0).max() < 0.03


def test_even_slope_is_kept_inside() -> None:
    """Tests that smoothing leaves an even 5 % slope alone away from the ends."""
    heights = line([1000.0 + k for k in range(100)])
    assert np.diff(heights)[30:70] / 20.0 == pytest.approx(np.full(40, 0.05), abs=0.001)


def test_cliffs_are_capped_by_class() -> None:
    """Tests that a 100 m step in the terrain becomes a ramp of the class's steepest grade."""
    for highway in ("motorway", "primary", "track"):
        heights = line([1000.0] * 60 + [1100.0] * 60, highway=highway)
        assert np.abs(np.diff(heights) / 20.0).max() == pytest.approx(GRADE_CAPS[highway], abs=1e-6)


def test_tunnel_runs_straight_under_the_mountain() -> None:
    """Tests that a tunnel under a 400 m hill rises evenly between its portals."""
    ground = [1000.0] * 40 + [1400.0] * 40 + [1040.0] * 40
    heights = line(ground, off=slice(39, 80))
    inside = np.diff(heights[45:75])
    assert inside == pytest.approx(np.full(inside.size, inside.mean()), abs=1e-3)
    assert heights.max() < 1050.0


def test_bridge_runs_straight_over_the_gorge() -> None:
    """Tests that a bridge over a gorge of 100 m stays on top."""
    heights = line([800.0] * 40 + [700.0] * 10 + [800.0] * 40, off=slice(39, 50))
    assert heights.min() > 799.0


def test_unknown_ground_is_bridged() -> None:
    """Tests that nodes outside the terrain take the heights of their neighbours along the road."""
    heights = line([900.0] * 10 + [np.nan] * 10 + [900.0] * 10)
    assert heights == pytest.approx(np.full(30, 900.0), abs=0.1)
    assert np.isfinite(line([np.nan] * 5)).all()


def test_circle_has_its_radius() -> None:
    """Tests that points on circles of 20, 50 and 200 m read those radii away from the ends."""
    for radius in (20.0, 50.0, 200.0):
        angles = np.linspace(0.0, np.pi, 60)
        radii = curve_radii_m(radius * np.column_stack([np.cos(angles), np.sin(angles)]))
        inside = radii[len(radii) // 2 - 5 : len(radii) // 2 + 5]
        assert inside == pytest.approx(np.full(10, radius), rel=0.02)


def test_straight_line_has_no_curve() -> None:
    """Tests that straight lines read inf, also long after a bend."""
    bend = np.array([[0.0, 0.0], [100.0, 0.0], [200.0, 0.0], [200.0, 100.0], [200.0, 200.0]])
    radii = curve_radii_m(bend)
    assert np.isinf(radii[0])
    assert np.isinf(radii[-1])
    assert radii[1] == pytest.approx(radii[2])
    assert curve_radii_m(np.array([[0.0, 0.0], [5.0, 5.0]])).tolist() == [np.inf]


def test_zigzag_of_digitising_is_no_curve() -> None:
    """Tests that a jitter of 0.3 m every 5 m on a straight road reads as radii a car does not slow down for."""
    x = np.arange(0.0, 200.0, 5.0)
    y = 0.3 * (-1.0) ** np.arange(x.size)
    radii = curve_radii_m(np.column_stack([x, y]))
    assert radii[5:-5].min() > 150.0


def test_points_at_one_place_are_no_curve() -> None:
    """Tests that a point drawn twice changes no radius and no radius is tighter than a vehicle can turn."""
    bend = [[0.0, 0.0], [50.0, 0.0], [50.0, 0.0], [0.0, 0.5]]
    once = curve_radii_m(np.array(bend[:2] + bend[3:]))
    twice = curve_radii_m(np.array(bend))
    assert twice[[0, 2]] == pytest.approx(once)
    assert twice.min() >= 4.0
    west = np.array([[0.0, 0.0], [-50.0, 1.0], [-50.0, 1.0], [-100.0, 0.0]])
    assert curve_radii_m(west)[[0, 2]] == pytest.approx(curve_radii_m(west[[0, 1, 3]]))


def test_hairpin_is_tight() -> None:
    """Tests that a hairpin drawn with three points reads a radius below 15 m at its apex."""
    radii = curve_radii_m(np.array([[0.0, 0.0], [60.0, 0.0], [66.0, 5.0], [60.0, 10.0], [0.0, 10.0]]))
    assert radii[1:3].min() < 15.0
