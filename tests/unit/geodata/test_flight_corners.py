"""Shortest ways round obstacles against a graph of all corners that see each other."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely

from geodata.flight_corners import Cores, CornerGraph, Obstacle


def obstacles(seed: int) -> list[Obstacle]:
    """Return turned rectangles and an L, some of them overlapping, within a square kilometre."""
    rng = np.random.default_rng(seed)
    shapes: list[shapely.Polygon] = []
    for x, y in rng.uniform(150, 850, (7, 2)):
        wide, high = rng.uniform(30, 130, 2)
        shape = shapely.box(x - wide, y - high, x + wide, y + high)
        if len(shapes) % 3 == 2:
            shape = shape.difference(shapely.box(x, y, x + wide, y + high))
        shapes.append(shapely.affinity.rotate(shape, rng.uniform(0, 90)))
    return [Obstacle(k + 10, shape, shape.buffer(-0.05)) for k, shape in enumerate(shapes)]


def shortest_m(around: list[Obstacle], start: np.ndarray, end: np.ndarray) -> float:
    """Return the length of the shortest way by Dijkstra on all pairs of points that see each other."""
    corners = np.concatenate([shapely.get_coordinates(one.outline)[:-1] for one in around])
    points = [start, *corners, end]
    graph = nx.Graph()
    graph.add_nodes_from(range(len(points)))
    for a in range(len(points)):
        for b in range(a):
            line = shapely.LineString([points[a], points[b]])
            if not any(one.core.intersects(line) for one in around):
                graph.add_edge(a, b, weight=line.length)
    try:
        return float(nx.dijkstra_path_length(graph, 0, len(points) - 1))
    except nx.NetworkXNoPath:
        return float("inf")


@pytest.mark.parametrize("seed", range(4))
def test_ways_are_the_shortest(seed: int) -> None:
    """Tests lengths of ways against a complete graph of sight, and that none enters an obstacle."""
    around = obstacles(seed)
    rng = np.random.default_rng(seed + 100)
    points = np.concatenate([rng.uniform((0, 0), (60, 1000), (3, 2)), rng.uniform((940, 0), (1000, 1000), (3, 2))])
    start, end = np.array([0, 0, 1, 2, 4]), np.array([3, 4, 4, 5, 0])
    n_found = 0
    for i, way in enumerate(CornerGraph(around).ways(points, start, end, {})):
        a, b = points[start[i]], points[end[i]]
        straight = shapely.LineString([a, b])
        if not any(one.core.intersects(straight) for one in around):
            continue
        assert way is not None
        n_found += 1
        line = shapely.LineString(way)
        assert line.length == pytest.approx(shortest_m(around, a, b), abs=1e-3)
        assert not any(one.core.intersects(line) for one in around)
    assert n_found > 0


def test_cores_crossed_are_those_that_intersect() -> None:
    """Tests which lines cross which cores against shapely's predicate on every pair."""
    around = obstacles(9)
    ends = np.random.default_rng(5).uniform(0, 1000, (300, 2, 2))
    ends[0, 1] = ends[0, 0]
    found = {(int(a), int(b)) for a, b in zip(*Cores(around).crossed(ends), strict=True)}
    lines = shapely.linestrings(ends)
    assert found == {(i, k) for i in range(300) for k, one in enumerate(around) if one.core.intersects(lines[i])}
    assert len(found) > 100


def test_a_walled_in_point_has_no_way() -> None:
    """Tests that None comes where outlines close a ring, and that a spared core lets the view out."""
    wall = shapely.box(0, 0, 100, 100).difference(shapely.box(40, 40, 60, 60))
    graph = CornerGraph([Obstacle(7, wall, wall.buffer(-0.05))])
    points = np.array([[50.0, 52.0], [300.0, 50.0]])
    legs = np.array([0]), np.array([1])
    assert graph.ways(points, *legs, {}) == [None]
    gate = wall.difference(shapely.box(60, 0, 100, 100))
    way = graph.ways(points, *legs, {0: {7: gate}})[0]
    assert way is not None
    assert [len(way), *way[0], *way[-1]] == [3, 50.0, 52.0, 300.0, 50.0]
    assert all(first.tolist() != second.tolist() for first, second in pairwise(way))
