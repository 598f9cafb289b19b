"""Tests of flight paths: round zones, over terrain, below ceilings."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely

from geodata.airspace import Airspace, Zone
from geodata.flight import FlightPath, FlightRefusal, find_flight_path, find_flight_paths, load_drone_types
from geodata.flight_loops import pull_strings
from geodata.location import EARTH_RADIUS_M, LocalFrame, great_circle_m
from geodata.terrain import Terrain, read_terrain

LARGE = load_drone_types()["L"]
FRAME = LocalFrame(100.15, 27.1)
STEP = 1 / 1200
DAY = date(2026, 11, 3)
WEST, EAST = (100.05, 27.1), (100.25, 27.1)
"""Two pads about 19.8 km apart."""
FREE = Airspace()
PER_DEGREE_M = np.radians(1.0) * EARTH_RADIUS_M


def flat(height_m: float = 1000.0) -> Terrain:
    return Terrain(100.0, 27.2, STEP, STEP, np.full((241, 361), height_m, dtype=np.float32))


def shaped(height_m: np.ndarray) -> Terrain:
    """Terrain whose height depends on the column alone."""
    return Terrain(100.0, 27.2, STEP, STEP, np.tile(height_m.astype(np.float32), (241, 1)))


def circle(lon: float, lat: float, radius_m: float) -> shapely.Polygon:
    """A disc on the ground, in degrees."""
    disc = shapely.Point(0, 0).buffer(radius_m, quad_segs=32)
    scale = np.array([PER_DEGREE_M * np.cos(np.radians(lat)), PER_DEGREE_M])
    return shapely.transform(disc, lambda xy: xy / scale + (lon, lat))


def zone(kind: str, geometry: shapely.Geometry, **more: object) -> Zone:
    return Zone(kind, kind, f"the {kind}", geometry, **more)  # type: ignore[arg-type]


def found(airspace: Airspace = FREE, terrain: Terrain | None = None, **more: object) -> FlightPath:
    path = find_flight_path(terrain or flat(), airspace, FRAME, WEST, EAST, replace(LARGE, **more), DAY)
    assert isinstance(path, FlightPath), path
    return path


def refused(airspace: Airspace = FREE, terrain: Terrain | None = None, **more: object) -> FlightRefusal:
    path = find_flight_path(terrain or flat(), airspace, FRAME, WEST, EAST, replace(LARGE, **more), DAY)
    assert isinstance(path, FlightRefusal)
    return path


def agl_along(path: FlightPath, terrain: Terrain, every_m: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and heights over ground of points close together on a line."""
    line = path.line
    gaps = np.hypot(*(np.diff(line[:, :2], axis=0) * PER_DEGREE_M).T)
    points = np.concatenate(
        [
            np.linspace(a, b, 2 + int(gap / every_m))
            for a, b, gap in zip(line[1:-2], line[2:-1], gaps[1:-1], strict=True)
        ]
    )
    return points[:, 0], points[:, 2] - terrain.elevation_m(points[:, 0], points[:, 1])


def test_flat_ground_is_flown_straight_at_clearance() -> None:
    """Tests that over a plain the line goes up to the clearance, straight on at one height, and down."""
    path = found()
    np.testing.assert_array_equal(path.line[[0, -1]], [[*WEST, 1000.0], [*EAST, 1000.0]])
    assert set(path.line[1:-1, 2]) == {1030.5}
    assert path.distance_m == round(float(great_circle_m(*WEST, *EAST)))
    assert path.windows == ((0.0, np.inf),)


def test_a_ridge_is_flown_over_with_the_least_climb() -> None:
    """Tests that over one ridge the line climbs to its clearance over the top, and not a metre more."""
    columns = np.arange(361)
    terrain = shaped(1000 + 900 * np.exp(-(((columns - 180) / 25.0) ** 2)))
    path = found(terrain=terrain)
    heights = path.line[1:-1, 2]
    assert heights.max() == pytest.approx(1900 + 30.5, abs=1.0)
    assert np.maximum(np.diff(heights), 0).sum() == pytest.approx(heights.max() - heights[0], abs=0.1)


def test_a_gorge_is_followed_only_to_the_ceiling() -> None:
    """Tests that over a gorge deeper than the ceiling the line sinks, but stays as high as the ceiling lets it."""
    columns = np.arange(361)
    terrain = shaped(1000 - 400 * np.exp(-(((columns - 180) / 25.0) ** 2)))
    path = found(terrain=terrain)
    lon, agl = agl_along(path, terrain)
    deepest = np.abs(lon - 100.15) < STEP
    assert agl[deepest].max() == pytest.approx(119.5, abs=0.5)
    assert agl.max() <= 120.0
    assert agl.min() >= 30.0


def test_a_corridor_bridges_the_gorge() -> None:
    """Tests that inside an approved corridor the line stays level over the gorge, up to the corridor's ceiling."""
    columns = np.arange(361)
    terrain = shaped(1000 - 400 * np.exp(-(((columns - 180) / 25.0) ** 2)))
    corridor = zone("corridor", shapely.box(100.08, 27.09, 100.22, 27.11), ceiling_agl_m=300.0)
    path = found(Airspace((corridor,)), terrain)
    lon, agl = agl_along(path, terrain)
    inside = (lon >= 100.08) & (lon <= 100.22)
    assert agl[inside].max() == pytest.approx(299.5, abs=0.5)
    assert agl[~inside].max() <= 120.0


def test_a_corridor_that_begins_over_a_gorge_is_entered_below_the_ceiling() -> None:
    """Tests that the line is still below 120 m where a corridor begins over falling ground."""
    columns = np.arange(361)
    terrain = shaped(1000 - 400 * np.exp(-(((columns - 180) / 25.0) ** 2)))
    corridor = zone("corridor", shapely.box(100.1447, 27.09, 100.22, 27.11), ceiling_agl_m=300.0)
    lon, agl = agl_along(found(Airspace((corridor,)), terrain), terrain, every_m=1.0)
    assert agl[lon >= 100.1447].max() > 130.0
    assert agl[lon < 100.1447].max() <= 120.0


def test_a_low_lid_is_flown_under() -> None:
    """Tests that a zone that begins at 60 m over ground is crossed below 60 m, not walked round."""
    columns = np.arange(361)
    terrain = shaped(1000 + 300 * np.exp(-(((columns - 180) / 20.0) ** 2)))
    lid = zone("no_fly", shapely.box(100.10, 27.05, 100.20, 27.15), floor_agl_m=60.0)
    path = found(Airspace((lid,)), terrain)
    lon, agl = agl_along(path, terrain)
    assert agl[(lon >= 100.10) & (lon <= 100.20)].max() <= 60.0
    assert path.distance_m == found(terrain=terrain).distance_m


@pytest.mark.parametrize("kind", ["no_fly", "controlled"])
def test_a_disc_is_walked_round_the_shortest_way(kind: str) -> None:
    """Tests that the way round a disc keeps the margin and is within 1 % of tangents and arc round it."""
    radius_m = 2000.0
    path = found(Airspace((zone(kind, circle(100.15, 27.1, radius_m)),)))
    half = float(great_circle_m(*WEST, *EAST)) / 2
    grown = radius_m + 15.0
    ideal = 2 * (np.sqrt(half**2 - grown**2) + grown * np.arcsin(grown / half))
    assert ideal <= path.distance_m + 1 <= 1.01 * ideal
    gap = shapely.LineString(path.line[:, :2]).distance(circle(100.15, 27.1, radius_m)) * PER_DEGREE_M
    assert gap > 10.0


def test_a_corridor_opens_a_controlled_zone_only() -> None:
    """Tests that a corridor through a controlled zone is used, and through a no-fly zone is not."""
    disc = circle(100.15, 27.1, 2000)
    corridor = zone("corridor", shapely.box(100.08, 27.095, 100.22, 27.105), ceiling_agl_m=120.0)
    straight_m = found().distance_m
    assert found(Airspace((zone("controlled", disc), corridor))).distance_m == straight_m
    assert found(Airspace((zone("no_fly", disc), corridor))).distance_m > straight_m + 100


def test_overlapping_and_concave_zones() -> None:
    """Tests the way out of a horseshoe closed by a second zone on one side."""
    horseshoe = shapely.Polygon(
        [(100.12, 27.06), (100.18, 27.06), (100.18, 27.14), (100.12, 27.14), (100.12, 27.13), (100.17, 27.13),
         (100.17, 27.07), (100.12, 27.07)]
    )  # fmt: skip
    gate = shapely.box(100.11, 27.125, 100.13, 27.16)
    path = found(Airspace((zone("no_fly", horseshoe), replace(zone("no_fly", gate), id="gate"))))
    line = shapely.LineString(path.line[:, :2])
    assert not line.intersects(horseshoe)
    assert not line.intersects(gate)
    assert path.line[:, 1].min() == pytest.approx(27.06, abs=0.002)


@pytest.mark.parametrize("end", ["start", "end"])
def test_a_pad_inside_a_zone_is_refused(end: str) -> None:
    """Tests that a pad 500 m inside a zone is refused with the zone's name and the depth."""
    lon, lat = WEST if end == "start" else EAST
    found_refusal = refused(Airspace((zone("no_fly", circle(lon, lat, 500)),)))
    assert (found_refusal.rule, found_refusal.unit) == ("no_fly", "m")
    assert found_refusal.amount == pytest.approx(500, abs=2)
    assert f"the {end} lies 500 m inside the no-fly zone the no_fly" in found_refusal.text


def test_a_pad_close_to_a_zone_may_be_used() -> None:
    """Tests that a pad 3 m outside a zone, within its margin, has a way out that does not cross the zone."""
    near = shapely.box(WEST[0] + 3 / PER_DEGREE_M, 27.09, 100.10, 27.11)
    path = found(Airspace((zone("no_fly", near),)))
    assert not shapely.LineString(path.line[:, :2]).intersects(near)


def test_an_enclosed_pad_is_refused() -> None:
    """Tests that a pad inside a ring has no way out."""
    ring = circle(*WEST, 2000).difference(circle(*WEST, 1000))
    found_refusal = refused(Airspace((zone("no_fly", ring),)))
    assert found_refusal.rule == "no_fly"
    assert found_refusal.amount == pytest.approx(1000, abs=5)


def test_a_low_zone_is_flown_over_but_holds_no_pad() -> None:
    """Tests that a zone up to the clearance is crossed, and that no flight may rise through it."""
    low = {"ceiling_agl_m": 30.0}
    assert found(Airspace((zone("no_fly", circle(100.15, 27.1, 900), **low),))).distance_m == found().distance_m
    assert refused(Airspace((zone("no_fly", circle(*EAST, 900), **low),))).rule == "no_fly"


def test_zones_of_other_months_and_types_are_ignored() -> None:
    """Tests that a zone not in force on the date, or for another type, bars nothing."""
    disc = circle(100.15, 27.1, 2000)
    straight_m = found().distance_m
    assert found(Airspace((zone("no_fly", disc, months=(5,)),))).distance_m == straight_m
    assert found(Airspace((zone("no_fly", disc, applies_to=("S",)),))).distance_m == straight_m


def test_a_zone_at_times_is_walked_round_where_possible() -> None:
    """Tests that a zone of the afternoon is walked round all day, so that the path has no windows."""
    path = found(Airspace((zone("no_fly", circle(100.15, 27.1, 2000), from_s=43_200.0),)))
    assert path.windows == ((0.0, np.inf),)
    assert path.distance_m > found().distance_m + 100


def test_a_zone_at_times_over_a_pad_leaves_windows() -> None:
    """Tests that a pad in a zone of 9:00 to 10:00 may be used before and after."""
    path = found(Airspace((zone("no_fly", circle(*WEST, 500), from_s=32_400.0, until_s=36_000.0),)))
    assert path.windows == ((0.0, 32_399.0), (36_001.0, np.inf))


def test_a_corridor_at_times_gives_its_hours() -> None:
    """Tests that a pad in a controlled zone is reached through a corridor in the corridor's hours only."""
    corridor = zone(
        "corridor", shapely.box(100.04, 27.095, 100.12, 27.105), ceiling_agl_m=120.0, from_s=21_600.0, until_s=32_400.0
    )
    path = found(Airspace((zone("controlled", circle(*WEST, 2000)), corridor)))
    assert path.windows == ((21_600.0, 32_400.0),)


def test_hours_that_exclude_each_other_are_refused() -> None:
    """Tests that a pad under two zones that share out the day is refused."""
    morning = zone("no_fly", circle(*WEST, 500), until_s=43_200.0)
    later = replace(zone("no_fly", circle(*WEST, 400), from_s=43_200.0), id="later")
    assert refused(Airspace((morning, later))).rule == "no_fly"


def test_clearance_above_the_ceiling_is_refused() -> None:
    """Tests that a clearance of 130 m below a ceiling of 120 m is refused for the 10 m lacking (and slack)."""
    found_refusal = refused(clearance_m=130.0)
    assert (found_refusal.rule, found_refusal.unit) == ("ceiling", "m")
    assert found_refusal.amount == pytest.approx(11.0, abs=0.1)


def test_unknown_terrain_is_refused() -> None:
    """Tests that a way beyond the terrain is refused, not flown blind."""
    small = Terrain(100.0, 27.2, STEP, STEP, np.zeros((241, 200), dtype=np.float32))
    assert refused(terrain=small).rule == "clearance"


def test_far_places_are_refused_for_energy() -> None:
    """Tests that a distance no battery of the type covers is refused with what is lacking."""
    found_refusal = refused(battery_wh=500.0)
    assert (found_refusal.rule, found_refusal.unit) == ("energy", "Wh")
    assert found_refusal.amount > 0


def test_a_flight_to_the_same_place() -> None:
    """Tests that a flight that goes nowhere rises and lands, and is refused where the ground is unknown."""
    path = find_flight_path(flat(), FREE, FRAME, WEST, WEST, LARGE, DAY)
    assert isinstance(path, FlightPath)
    assert path.line[:, 2].tolist() == [1000.0, 1030.0, 1030.0, 1000.0]
    assert path.distance_m == 0
    nowhere = find_flight_path(flat(), FREE, FRAME, (90.0, 27.0), (90.0, 27.0), LARGE, DAY)
    assert isinstance(nowhere, FlightRefusal)


def test_many_paths_equal_single_ones() -> None:
    """Tests that legs solved together are those solved alone, in their order, and the way back is the way out."""
    rng = np.random.default_rng(3)
    terrain = Terrain(100.0, 27.2, STEP, STEP, rng.uniform(900, 1000, (241, 361)).astype(np.float32))
    airspace = Airspace((zone("no_fly", circle(100.15, 27.1, 2000)), replace(
        zone("no_fly", circle(100.07, 27.13, 900), from_s=50_000.0), id="b")))  # fmt: skip
    points = np.column_stack([rng.uniform(100.05, 100.25, 7), rng.uniform(27.02, 27.18, 7)])
    starts, ends = np.repeat(points, 7, axis=0), np.tile(points, (7, 1))
    together = find_flight_paths(terrain, airspace, FRAME, starts, ends, LARGE, DAY)
    for start, end, one in zip(starts, ends, together, strict=True):
        alone = find_flight_path(terrain, airspace, FRAME, tuple(start), tuple(end), LARGE, DAY)
        back = find_flight_path(terrain, airspace, FRAME, tuple(end), tuple(start), LARGE, DAY)
        assert type(one) is type(alone)
        if isinstance(one, FlightPath) and isinstance(alone, FlightPath) and isinstance(back, FlightPath):
            np.testing.assert_allclose(one.line, alone.line, atol=1e-9)
            np.testing.assert_allclose(back.line, alone.line[::-1], atol=1e-9)
            assert one.windows == alone.windows
    assert find_flight_paths(terrain, airspace, FRAME, [], [], LARGE, DAY) == []


@pytest.mark.parametrize("seed", range(20))
def test_string_has_the_least_climb(seed: int) -> None:
    """Tests the taut string against the line that moves only when a limit forces it, which climbs least of all."""
    rng = np.random.default_rng(seed)
    along = np.cumsum(rng.uniform(1, 40, 200))
    low = np.cumsum(rng.normal(0, 15, 200))
    high = low + rng.uniform(5, 90, 200)
    high[[0, -1]] = low[[0, -1]]
    touched, height = pull_strings(along, low, high, np.array([0]), np.array([199]))
    string = np.interp(along, along[touched], height[touched])
    assert (string >= low - 1e-9).all()
    assert (string <= high + 1e-9).all()
    lazy = [low[0]]
    for floor, lid in zip(low[1:], high[1:], strict=True):
        lazy.append(min(max(lazy[-1], floor), lid))
    climb = np.maximum(np.diff(string), 0).sum()
    assert climb == pytest.approx(np.maximum(np.diff(lazy), 0).sum(), abs=1e-6)
    bends = np.flatnonzero(touched)[1:-1]
    slopes = np.diff(string)[np.stack([bends - 1, bends])] / np.diff(along)[np.stack([bends - 1, bends])]
    at_low = np.isclose(string[bends], low[bends])
    assert (np.where(at_low, slopes[0] - slopes[1], slopes[1] - slopes[0]) >= -1e-9).all()


@pytest.mark.real_data
def test_paths_over_andorra_are_legal(shared_data: Path) -> None:
    """Tests clearance and ceiling of 60 flights over real mountains by looking every few metres."""
    terrain = read_terrain([shared_data / "andorra" / "N42E001.hgt.zip"], (1.42, 42.44, 1.77, 42.65))
    rng = np.random.default_rng(4)
    points = np.column_stack([rng.uniform(1.42, 1.77, 120), rng.uniform(42.44, 42.65, 120)])
    paths = find_flight_paths(terrain, FREE, LocalFrame(1.6, 42.55), points[:60], points[60:], LARGE, DAY)
    for path in paths:
        assert isinstance(path, FlightPath)
        _, agl = agl_along(path, terrain)
        assert agl.min() >= 30.0
        assert agl.max() <= 120.0
