"""Properties of flights on generated mountains, winds and zones."""

from dataclasses import replace
from datetime import date

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from geodata.airspace import Airspace, Zone
from geodata.flight import FlightCost, FlightPath, FlightRefusal, find_flight_paths, fly, load_drone_types, usable_wh
from geodata.location import EARTH_RADIUS_M, LocalFrame
from geodata.terrain import Terrain
from geodata.weather import Weather, WeatherHour

TYPES = load_drone_types()
ENDLESS = replace(TYPES["L"], battery_wh=1e9, payload_loss_kg_per_km=0.0)
STEP = 1 / 1200
FRAME = LocalFrame(103.06, 28.06)
PER_DEGREE_M = np.radians(1.0) * EARTH_RADIUS_M


def mountains(seed: int, relief_m: float, roughness_m: float) -> Terrain:
    """Ranges of a given relief with noise on single samples; 13 × 13 km."""
    rng = np.random.default_rng(seed)
    ranges = gaussian_filter(rng.normal(size=(160, 160)), 8.0, mode="wrap")
    ranges = (ranges - ranges.min()) / np.ptp(ranges) * relief_m
    heights = 500.0 + ranges + rng.normal(0.0, roughness_m, ranges.shape)
    return Terrain(103.0, 28.12, STEP, STEP, heights.astype(np.float32))


def dense(line: np.ndarray, every_m: float = 2.0) -> np.ndarray:
    """Points at most so far apart on a line, linear between vertices."""
    gaps = np.hypot(*(np.diff(line[:, :2], axis=0) * PER_DEGREE_M).T)
    pairs = zip(line[:-1], line[1:], gaps, strict=True)
    return np.concatenate([np.linspace(a, b, 3 + int(gap / every_m)) for a, b, gap in pairs])


seeds = st.integers(0, 2**32 - 1)
small_lines = st.builds(
    lambda rise, km, turn, up: np.array(
        [
            [103.0, 28.0, 800.0],
            [103.0, 28.0, 800.0 + up],
            [103.0 + km * np.sin(turn) / 111.0, 28.0 + km * np.cos(turn) / 111.0, 800.0 + up + rise],
            [103.0 + km * np.sin(turn) / 90.0, 28.0 + km * np.cos(turn) / 105.0, 800.0 + rise],
        ]
    ),
    rise=st.floats(-600, 1500),
    km=st.floats(0.3, 9.0),
    turn=st.floats(0.0, 6.28),
    up=st.floats(30.0, 120.0),
)
types = st.sampled_from(sorted(TYPES)).map(lambda name: replace(TYPES[name], battery_wh=1e9))


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(50, 3000), st.floats(0, 25), st.integers(0, 6))
def test_paths_are_legal(seed: int, relief_m: float, roughness_m: float, n_zones: int) -> None:
    """Tests that paths keep clearance and ceiling everywhere, cross no zone, and join the two places on the ground."""
    terrain = mountains(seed, relief_m, roughness_m)
    rng = np.random.default_rng(seed)
    centres = rng.uniform((103.01, 28.0), (103.11, 28.11), (n_zones, 2))
    areas = [shapely.Point(c).buffer(rng.uniform(0.001, 0.008), quad_segs=int(rng.integers(1, 8))) for c in centres]
    kinds = rng.choice(["no_fly", "controlled"], n_zones)
    airspace = Airspace(tuple(Zone(f"z{k}", kinds[k], f"z{k}", area) for k, area in enumerate(areas)))
    points = rng.uniform((103.01, 28.0), (103.11, 28.11), (12, 2))
    paths = find_flight_paths(terrain, airspace, FRAME, points[:6], points[6:], ENDLESS, date(2026, 5, 1))
    barred = shapely.union_all(areas)
    shut_in = shapely.contains_xy(barred, points[:, 0], points[:, 1]).reshape(2, 6).any(axis=0)
    for path, start, end, is_shut_in in zip(paths, points[:6], points[6:], shut_in, strict=True):
        if isinstance(path, FlightRefusal):
            assert path.rule == "no_fly"
            assert n_zones > 0
            continue
        assert not is_shut_in
        on_ground = terrain.elevation_m([start[0], end[0]], [start[1], end[1]])
        np.testing.assert_allclose(path.line[[0, -1]], np.column_stack([[start, end], on_ground]), atol=0.006)
        cruise = dense(path.line[1:-1])
        agl = cruise[:, 2] - terrain.elevation_m(cruise[:, 0], cruise[:, 1])
        assert agl.min() >= ENDLESS.clearance_m
        assert agl.max() <= 120.0
        assert not shapely.LineString(path.line[:, :2]).intersects(barred)


@settings(max_examples=60, deadline=None)
@given(small_lines, types, st.floats(0, 1), st.floats(0, 1), st.floats(0, 7), st.floats(0, 359), st.booleans())
def test_more_payload_takes_more_energy(
    line: np.ndarray, drone: object, a: float, b: float, speed: float, come_deg: float, winch: bool
) -> None:
    """Tests that energy rises with payload, at equal seconds."""
    weather = Weather((WeatherHour(0, 15.0, speed, come_deg),), 0.0)
    low, high = sorted((a * drone.payload_kg / 2, b * drone.payload_kg / 2))
    light, heavy = (fly(line, drone, kg, weather, 0, winch=winch) for kg in (low, high))
    assert isinstance(light, FlightCost)
    assert isinstance(heavy, FlightCost)
    assert light.duration_s == heavy.duration_s
    assert heavy.energy_wh >= light.energy_wh
    if high > low + 0.01:
        assert heavy.energy_wh > light.energy_wh


@settings(max_examples=60, deadline=None)
@given(small_lines, types, st.floats(0.1, 7.9))
def test_head_wind_is_never_cheaper(line: np.ndarray, drone: object, speed: float) -> None:
    """Tests that wind from ahead never saves seconds or energy against calm, nor calm against wind from behind."""
    d_lon, d_lat = line[2, :2] - line[1, :2]
    ahead = float(np.degrees(np.arctan2(d_lon * np.cos(np.radians(28.0)), d_lat))) % 360.0
    flights = [
        fly(line, drone, 1.0, Weather((WeatherHour(0, 15.0, wind, come % 360.0),), 0.0), 0, winch=False)
        for wind, come in ((speed, ahead + 180.0), (0.0, 0.0), (speed, ahead))
    ]
    costs = [flight for flight in flights if isinstance(flight, FlightCost)]
    assert len(costs) == 3
    # The last piece of the line leads elsewhere than the long one: half a second of play.
    assert costs[0].duration_s <= costs[2].duration_s + 1
    assert costs[1].energy_wh <= costs[2].energy_wh * (1 + 1e-9)
    assert costs[1].duration_s <= costs[2].duration_s


@settings(max_examples=60, deadline=None)
@given(small_lines, st.sampled_from(sorted(TYPES)), st.floats(0, 0.95), st.floats(0, 1))
def test_reserve_is_left(line: np.ndarray, name: str, reserve: float, share: float) -> None:
    """Tests that a flight is refused exactly when it would leave less than the reserve in the battery."""
    drone = replace(TYPES[name], reserve=reserve)
    payload_kg = share * drone.payload_kg / 2
    weather = Weather((WeatherHour(0, 15.0),), 0.0)
    unlimited = fly(line, replace(drone, reserve=-1e6), payload_kg, weather, 0, winch=True)
    limited = fly(line, drone, payload_kg, weather, 0, winch=True)
    assert isinstance(unlimited, FlightCost)
    left_wh = drone.battery_wh - unlimited.energy_wh
    if left_wh >= reserve * drone.battery_wh:
        assert limited == unlimited
    else:
        assert isinstance(limited, FlightRefusal)
        assert limited.rule == "energy"
        assert abs(limited.amount - (unlimited.energy_wh - usable_wh(drone))) < 1e-6


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(50, 3000))
def test_the_way_back_is_the_way_out(seed: int, relief_m: float) -> None:
    """Tests that legs out and back run along one line of one length."""
    terrain = mountains(seed, relief_m, 3.0)
    points = np.random.default_rng(seed).uniform((103.01, 28.0), (103.11, 28.11), (2, 2))
    out, back = find_flight_paths(terrain, Airspace(), FRAME, points, points[::-1], ENDLESS, date(2026, 5, 1))
    assert isinstance(out, FlightPath)
    assert isinstance(back, FlightPath)
    np.testing.assert_array_equal(out.line, back.line[::-1])
    calm = Weather((WeatherHour(0, 15.0),), 0.0)
    costs = [fly(path.line, ENDLESS, 5.0, calm, 0, winch=False) for path in (out, back)]
    assert all(isinstance(cost, FlightCost) for cost in costs)
    assert costs[0].distance_m == costs[1].distance_m == out.distance_m
