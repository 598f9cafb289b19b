"""Shortest ways round obstacles: the graph of the corners at which such ways may turn.

A shortest way round polygons is straight but for turns at convex corners, and a line of it that ends at a corner
touches the polygon there without cutting it (it is a tangent). Only such lines are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

from geodata.location import FloatArray

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CHUNK_LINES = 200_000
"""Lines of sight drawn at once: bounds memory to some ten megabytes."""
TANGENT = 1e-9
"""A line along an outline is a tangent up to this product of sines."""
CIRCLE_GROWTH = 1.0 + 1e-6
"""Bounding circles are taken this much larger, for rounding."""
LEAST_M = 1e-6
"""Least length between two corners at one spot (a graph takes 0 for no line), and least square of one divided by."""


@dataclass(frozen=True)
class Obstacle:
    """Something to walk round: ways turn at the corners of `outline` and may not enter `core`, a little smaller."""

    id: int
    outline: BaseGeometry
    core: BaseGeometry


Spared = Mapping[int, Mapping[int, BaseGeometry]]
"""Point → obstacle id → the core that bars the view from that point, which stands between it and the outline."""


class Cores:
    """Finds which cores lines run through.

    Most lines miss by far: a circle around each core settles that before the outline is looked at.
    """

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        self._cores = np.array([obstacle.core for obstacle in obstacles], dtype=object)
        self._tree = shapely.STRtree(self._cores)
        shapely.prepare(self._cores)
        circles = shapely.minimum_bounding_circle(self._cores)
        self._centre_m = shapely.get_coordinates(shapely.centroid(circles)).reshape(-1, 2)
        self._radius_m = shapely.minimum_bounding_radius(self._cores) * CIRCLE_GROWTH

    def crossed(self, ends_m: FloatArray) -> tuple[IntArray, IntArray]:
        """Return (line, core) for each core that each straight line meets; `ends_m` has shape (n, 2, 2)."""
        lines = np.asarray(shapely.linestrings(ends_m))
        line, core = np.asarray(self._tree.query(lines), dtype=np.int64)
        start, way = ends_m[:, 0], ends_m[:, 1] - ends_m[:, 0]
        to_centre = self._centre_m[core] - start[line]
        square = (way**2).sum(axis=1)
        share = (to_centre * way[line]).sum(axis=1) / np.maximum(square, LEAST_M)[line]
        off = to_centre - np.clip(share, 0.0, 1.0)[:, np.newaxis] * way[line]
        close = np.flatnonzero((off**2).sum(axis=1) <= self._radius_m[core] ** 2)
        line, core = line[close], core[close]
        hit = shapely.intersects(self._cores[core], lines[line])
        return line[hit], core[hit]

    def holding(self, points_m: FloatArray) -> IntArray:
        """Return the points that lie within a core, each once."""
        point, _ = self._tree.query(shapely.points(points_m), "within")
        return np.unique(point).astype(np.int64)


@dataclass(frozen=True)
class _Corners:
    """Convex corners of outlines: position, owning obstacle (its position), and steps to both neighbours; n rows."""

    xy_m: FloatArray
    owner: IntArray
    before_m: FloatArray
    after_m: FloatArray

    @classmethod
    def of(cls, obstacles: Sequence[Obstacle], cores: Cores) -> _Corners:
        rings = [_convex_corners(obstacle.outline) for obstacle in obstacles]
        owner = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        xy_m, before_m, after_m = np.moveaxis(np.concatenate([np.zeros((0, 3, 2)), *rings]), 1, 0)
        free = np.setdiff1d(np.arange(len(xy_m)), cores.holding(xy_m))
        return cls(xy_m[free], owner[free], before_m[free], after_m[free])

    def touched(self, from_m: FloatArray) -> BoolArray:
        """Return whether lines from points (n, 2) are tangents at the corners they lead to, shape (n, corners)."""
        way = self.xy_m - from_m[:, np.newaxis]
        sides = _cross(way, self.before_m) * _cross(way, self.after_m)
        scale = (way**2).sum(axis=2) * np.hypot(*self.before_m.T) * np.hypot(*self.after_m.T)
        return np.asarray(sides >= -TANGENT * scale)


class CornerGraph:
    """Corners of some obstacles, and the shortest ways between all that see each other.

    Holds two square arrays of the number of corners: some ten megabytes for a thousand.
    """

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        self._obstacles = obstacles
        self._cores = Cores(obstacles)
        self._corners = _Corners.of(obstacles, self._cores)
        touched = self._corners.touched(self._corners.xy_m)
        sight_m = self._sight_m(self._corners.xy_m, touched & touched.T, {})
        a, b = np.nonzero(np.isfinite(sight_m))
        edges = csr_array((np.maximum(sight_m[a, b], LEAST_M), (a, b)), shape=sight_m.shape)
        self._length_m, self._came_from = dijkstra(edges, return_predecessors=True)

    def ways(self, points: FloatArray, start: IntArray, end: IntArray, spared: Spared) -> list[FloatArray | None]:
        """Return the shortest way of each leg that turns at one corner at least, or None.

        Parameters
        ----------
        points
            Ends of legs, shape (n, 2), none within an obstacle's core but for spared ones.
        start, end
            Leg i runs from ``points[start[i]]`` to ``points[end[i]]``.
        spared
            Points within outlines: what bars their view instead of the core.

        Returns
        -------
        list
            Arrays of shape (c, 2), both ends included.
        """
        ways: list[FloatArray | None] = [None] * len(start)
        if not len(self._corners.xy_m) or not ways:
            return ways
        used = np.unique(np.concatenate([start, end]))
        seen = self._corners.touched(points[used])
        for k, point in enumerate(used.tolist()):
            for position, obstacle in enumerate(self._obstacles):
                if obstacle.id in spared.get(point, {}):
                    seen[k, self._corners.owner == position] = True
        numbers = {point: k for k, point in enumerate(used.tolist())}
        sight_m = self._sight_m(
            points[used], seen, {numbers[point]: cores for point, cores in spared.items() if point in numbers}
        )
        row = np.searchsorted(used, end)
        for origin, legs in _groups(start):
            from_m = sight_m[np.searchsorted(used, origin)]
            for leg, corners in zip(legs.tolist(), self._turns(from_m, sight_m[row[legs]]), strict=True):
                if corners:
                    ways[leg] = np.concatenate([points[[origin]], self._corners.xy_m[corners], points[[end[leg]]]])
        return ways

    def _turns(self, from_m: FloatArray, to_m: FloatArray) -> Iterator[list[int]]:
        """Yield the corners of the shortest ways from one point to several, none where there is no way.

        `from_m` and `to_m` are lengths of sight from the origin, shape (corners,), and from the goals, (k, corners).
        """
        visible = np.flatnonzero(np.isfinite(from_m))
        if not len(visible):
            yield from ([] for _ in to_m)
            return
        reach_m = from_m[visible, np.newaxis] + self._length_m[visible]
        first = visible[np.argmin(reach_m, axis=0)]
        total_m = reach_m.min(axis=0) + to_m
        for goal, last in enumerate(np.argmin(total_m, axis=1).tolist()):
            order = [last] if np.isfinite(total_m[goal, last]) else []
            while order and order[-1] != first[last]:
                order.append(int(self._came_from[first[last], order[-1]]))
            yield order[::-1]

    def _sight_m(self, points: FloatArray, wanted: BoolArray, spared: Spared) -> FloatArray:
        """Return lengths of the wanted lines from points to corners, infinite where a core is between."""
        found = np.full(wanted.shape, np.inf)
        step = max(1, CHUNK_LINES // max(1, wanted.shape[1]))
        for begin in range(0, len(points), step):
            point, corner = np.nonzero(wanted[begin : begin + step])
            point += begin
            ends = np.stack([points[point], self._corners.xy_m[corner]], axis=1)
            line, core = self._cores.crossed(ends)
            hidden = np.ones(len(line), dtype=np.bool_)
            for k in np.flatnonzero(np.isin(point[line], list(spared))).tolist():
                instead = spared[int(point[line[k]])].get(self._obstacles[core[k]].id)
                hidden[k] = instead is None or instead.intersects(shapely.LineString(ends[line[k]]))
            length_m = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
            length_m[line[hidden]] = np.inf
            found[point, corner] = length_m
        return found


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _groups(values: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Yield each value and where it stands."""
    order = np.argsort(values, kind="stable")
    cuts = np.flatnonzero(np.diff(values[order])) + 1
    for begin, end in pairwise([0, *cuts.tolist(), len(order)]):
        yield int(values[order[begin]]), order[begin:end]


def _convex_corners(outline: BaseGeometry) -> FloatArray:
    """Return convex corners of the outer rings with the steps to their neighbours, shape (n, 3, 2)."""
    found = [np.zeros((0, 3, 2))]
    for part in shapely.get_parts(outline):
        ring = np.asarray(shapely.geometry.polygon.orient(part).exterior.coords)[:-1]
        before, after = np.roll(ring, 1, axis=0) - ring, np.roll(ring, -1, axis=0) - ring
        convex = _cross(-before, after) > 0.0
        found.append(np.stack([ring, before, after], axis=1)[convex])
    return np.concatenate(found)
