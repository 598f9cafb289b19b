import numpy as np
import pytest

from geodata.synthetic_terrain import RIVER_KM2, Relief, fractal_noise, make_relief


@pytest.fixture(scope="module")
def relief() -> Relief:
    return make_relief(15_000.0, 700.0, 3)


def test_relief_is_a_mountain_county(relief: Relief) -> None:
    """Tests that the relief is a square of the side asked for, hilly and nowhere below its outlet."""
    assert relief.elevation_m.shape[0] == relief.elevation_m.shape[1]
    assert relief.side_m == pytest.approx(15_000.0, abs=300.0)
    assert relief.elevation_m.min() > 690.0
    assert 300.0 < np.ptp(relief.elevation_m) < 2_100.0


def test_slopes_are_those_of_mountains(relief: Relief) -> None:
    """Tests that half of the land is steeper than a fifth, and next to none steeper than a whole."""
    dy, dx = np.gradient(relief.elevation_m, relief.cell_m)
    slope = np.hypot(dx, dy)
    assert np.median(slope) > 0.2
    assert np.mean(slope > 1.0) < 0.01


def test_every_stream_descends_to_the_outlet(relief: Relief) -> None:
    """Tests that no stream runs uphill, that drained area grows downstream, and that all reach one outlet."""
    streams = relief.streams
    down = streams.downstream
    moving = down != np.arange(len(down))
    assert np.all(streams.elevation_m[down[moving]] < streams.elevation_m[moving])
    assert np.all(streams.area_km2[down[moving]] > streams.area_km2[moving])
    assert np.count_nonzero(~moving) == 1


def test_the_trunk_river_runs_through_the_county(relief: Relief) -> None:
    """Tests that the trunk river comes in at the north, leaves at the south, and takes in at least three branches."""
    streams = relief.streams
    y = streams.y_m[streams.trunk]
    assert y.max() > relief.side_m
    assert y.min() < 0.0
    joins = ~streams.trunk & streams.trunk[streams.downstream] & (streams.area_km2 > 5.0)
    assert np.count_nonzero(joins) >= 3


def test_rivers_lie_in_valleys(relief: Relief) -> None:
    """Tests that the land by rivers is lower than the land away from them, and that there is one."""
    by_river = relief.elevation_m[relief.river_m < 150.0]
    away = relief.elevation_m[relief.river_m > 2_000.0]
    assert np.quantile(by_river, 0.9) < np.median(away)
    assert relief.streams.area_km2.max() > RIVER_KM2


def test_same_seed_same_relief(relief: Relief) -> None:
    """Tests that the seed alone decides."""
    again = make_relief(15_000.0, 700.0, 3)
    assert np.array_equal(relief.elevation_m, again.elevation_m)
    assert not np.array_equal(relief.elevation_m, make_relief(15_000.0, 700.0, 4).elevation_m)


def test_fractal_noise_is_rougher_at_large_scale() -> None:
    """Tests that noise has unit deviation and differs more between far points than between near ones."""
    noise = fractal_noise((128, 128), 90.0, np.random.default_rng(1))
    assert noise.std() == pytest.approx(1.0)
    near = np.mean((noise[:, 1:] - noise[:, :-1]) ** 2)
    far = np.mean((noise[:, 16:] - noise[:, :-16]) ** 2)
    assert far > 10.0 * near
