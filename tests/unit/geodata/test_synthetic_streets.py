from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from geodata.location import Level
from geodata.synthetic_buses import lay_bus_courses
from geodata.synthetic_roadbed import cut_roads, greatest_grade
from geodata.synthetic_roads import PATH, SECONDARY, UNCLASSIFIED, RoadPlan
from geodata.synthetic_settlements import Settlement
from geodata.synthetic_streets import StreetWay, SyntheticStreets, draw_streets
from geodata.synthetic_terrain import Relief, Streams

N = 60


def relief(elevation_m: np.ndarray, river_col: float = 200.0) -> Relief:
    """A relief with one river that runs from north to south along a column (far outside by default)."""
    streams = Streams(
        x_m=np.array([river_col, river_col]) * 90.0,
        y_m=np.array([N + 1.0, -1.0]) * 90.0,
        elevation_m=np.array([1.0, 0.0]),
        area_km2=np.array([900.0, 1_000.0]),
        downstream=np.array([1, 1]),
        trunk=np.ones(2, dtype=np.bool_),
    )
    away = np.full((N, N), 1e4)
    return Relief(90.0, elevation_m, streams, away, away)


def row_of_road(rank_class: object = UNCLASSIFIED, row: int = 20) -> RoadPlan:
    plan = RoadPlan(N)
    plan.add_path([row * N + col for col in range(5, 45)], rank_class)  # type: ignore[arg-type]
    return plan


def test_a_road_over_a_river_gets_a_bridge() -> None:
    """Tests that where a road crosses a river one way of some 30 m is a bridge, and the road stays whole."""
    streets = draw_streets(relief(np.zeros((N, N)), river_col=25.3), row_of_road(), [], 1)
    bridges = [way for way in streets.ways if "bridge" in way.tags]
    assert len(bridges) == 1
    x = streets.x_m[list(bridges[0].nodes)]
    assert x.min() < 25.3 * 90.0 < x.max()
    assert np.ptp(x) < 100.0
    ends = sorted((way.nodes[0], way.nodes[-1]) for way in streets.ways)
    assert len(ends) == 3
    assert len({node for pair in ends for node in pair}) == 4


def test_roads_are_drawn_finely_and_not_on_the_grid() -> None:
    """Tests that nodes are about 30 m apart, that the line swings about the one laid, and ends where it should."""
    streets = draw_streets(relief(np.zeros((N, N))), row_of_road(), [], 1)
    (way,) = streets.ways
    nodes = list(way.nodes)
    steps = np.hypot(np.diff(streets.x_m[nodes]), np.diff(streets.y_m[nodes]))
    assert 20.0 < steps.mean() < 45.0
    aside = streets.y_m[nodes] - 20 * 90.0
    assert 2.0 < aside.std() < 25.0
    assert set(streets.node_of_cell) == {20 * N + 5, 20 * N + 44}


def test_settlements_stay_junctions() -> None:
    """Tests that a settlement's cell in the middle of a road ends a way there."""
    cell = 20 * N + 30
    streets = draw_streets(relief(np.zeros((N, N))), row_of_road(), [cell], 1)
    assert len(streets.ways) == 2
    assert cell in streets.node_of_cell


def test_a_tunnel_is_bored_where_it_saves_much() -> None:
    """Tests that two roads on both sides of a ridge, joined far away, get one tunnel between them."""
    z = np.zeros((N, N))
    z[23:32, :50] = 200.0
    plan = RoadPlan(N)
    plan.add_path([21 * N + col for col in range(5, 56)], SECONDARY)
    plan.add_path([row * N + 55 for row in range(21, 34)], SECONDARY)
    plan.add_path([33 * N + col for col in range(5, 56)], SECONDARY)
    streets = draw_streets(relief(z), plan, [], 1)
    (tunnel,) = [way for way in streets.ways if "tunnel" in way.tags]
    x, y = streets.x_m[list(tunnel.nodes)], streets.y_m[list(tunnel.nodes)]
    assert abs(y[0] - y[1]) == pytest.approx(12 * 90.0, abs=90.0)
    assert x.max() < 12 * 90.0


def test_cutting_roads_gives_them_possible_grades() -> None:
    """Tests that a road along a rough slope has its grades cut to its class, and far land stays as it was."""
    rng = np.random.default_rng(1)
    rough = relief(8.0 * rng.normal(size=(N, N)) + 0.3 * 90.0 * np.arange(N)[:, None])
    streets = draw_streets(rough, row_of_road(), [], 1)
    cut = cut_roads(rough, streets)
    grades = []
    for way in streets.ways:
        nodes = list(way.nodes)
        x, y = streets.x_m[nodes], streets.y_m[nodes]
        z = ndimage.map_coordinates(cut.elevation_m, [y / 90.0, x / 90.0], order=1)
        grades += (np.abs(np.diff(z)) / np.hypot(np.diff(x), np.diff(y))).tolist()
    assert np.quantile(grades, 0.9) < 1.4 * greatest_grade(UNCLASSIFIED.rank)
    assert np.array_equal(cut.elevation_m[40:], rough.elevation_m[40:])


def test_footpaths_leave_the_land_alone() -> None:
    """Tests that nothing is cut for a footpath beside a road."""
    flat = relief(np.zeros((N, N)))
    road = draw_streets(flat, row_of_road(), [], 1)
    steep = replace(flat, elevation_m=np.where(np.arange(N)[:, None] > 30, 500.0, 0.0) * np.ones((N, N)))
    path = StreetWay((len(road.x_m), len(road.x_m) + 1), PATH.rank, {"highway": "path"})
    streets = SyntheticStreets(
        np.append(road.x_m, [900.0, 900.0]), np.append(road.y_m, [2_600.0, 3_000.0]), (*road.ways, path), {}
    )
    assert np.allclose(cut_roads(steep, streets).elevation_m[27:], steep.elevation_m[27:])


def settlement(level: Level, col: int, people: int = 100) -> Settlement:
    return Settlement(level, f"S{col}", f"站{col}", 20, col, people, None)


def test_bus_courses_stop_at_places_on_the_way() -> None:
    """Tests that the line from hub to town stops at the village between them, in order, and not at a group."""
    places = [settlement(Level.COUNTY, 5), settlement(Level.TOWN, 44)]
    places += [settlement(Level.VILLAGE, 25), settlement(Level.GROUP, 15)]
    cells = [place.row * N + place.col for place in places]
    streets = draw_streets(relief(np.zeros((N, N))), row_of_road(), cells, 1)
    at_m = np.array([(place.col * 90.0, place.row * 90.0 + 20.0) for place in places])
    (course,) = lay_bus_courses(streets, places, 3, at_m)
    assert [place for _, place in course.stops] == [0, 2, 1]
    positions = [position for position, _ in course.stops]
    assert positions == sorted(positions)
    pairs = {pair for way in streets.ways for pair in pairwise(way.nodes)}
    assert all((a, b) in pairs or (b, a) in pairs for a, b in pairwise(course.nodes))


def test_village_lines_go_to_the_farthest_village_off_the_town_lines() -> None:
    """Tests that a second line starts at the town and ends at the far village, and a third finds nobody to serve."""
    places = [settlement(Level.COUNTY, 5), settlement(Level.TOWN, 20), settlement(Level.VILLAGE, 44)]
    cells = [place.row * N + place.col for place in places]
    streets = draw_streets(relief(np.zeros((N, N))), row_of_road(), cells, 1)
    at_m = np.array([(place.col * 90.0, place.row * 90.0 + 20.0) for place in places])
    courses = lay_bus_courses(streets, places, 2, at_m)
    assert [(course.ref, course.is_town_line) for course in courses] == [("101", True), ("201", False)]
    assert [place for _, place in courses[1].stops] == [1, 2]
