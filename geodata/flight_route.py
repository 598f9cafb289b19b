"""Flight paths seen from above: straight, or round the zones that bar them.

The plane is the equirectangular one of the area: a straight line in it is straight in longitude and latitude too, so
what is checked here is exactly what the line's vertices say. Shortest ways round polygons turn only at their convex
corners; zones are grown by a margin and the shortest way is found on the graph of corners that see each other. Only
zones that lie in the way are taken into that graph, and more are added while the way found crosses others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from geodata.airspace import Zone
from geodata.drones import DroneType
from geodata.flight_types import FlightRefusal
from geodata.location import EARTH_RADIUS_M, FloatArray, LocalFrame

MARGIN_M = 15.0
"""Flights keep this far from a zone they walk round."""
COARSE_M = 10.0
"""Outlines are simplified by this and one hundredth of their size before growing, to keep few corners."""
SKIN_M = 0.05
"""A way may touch the grown outline up to this depth: corners lie on it."""
LID_HEADROOM_M = 20.0
"""A zone that begins this far above the clearance is flown under; a lower one is walked round."""


@dataclass(frozen=True)
class Plane:
    """Equirectangular plane around a point, metres east and north."""

    lon: float
    lat: float

    @property
    def _scale(self) -> FloatArray:
        per_degree = math.radians(1.0) * EARTH_RADIUS_M
        return np.array([per_degree * math.cos(math.radians(self.lat)), per_degree])

    def to_metres(self, lonlat: npt.ArrayLike) -> FloatArray:
        """Return x, y in metres for longitude, latitude in degrees; arrays of shape (..., 2)."""
        return np.asarray((np.asarray(lonlat, dtype=np.float64) - (self.lon, self.lat)) * self._scale)

    def to_degrees(self, xy_m: npt.ArrayLike) -> FloatArray:
        """Return longitude, latitude in degrees for x, y in metres; the inverse of `to_metres`."""
        return np.asarray(np.asarray(xy_m, dtype=np.float64) / self._scale + (self.lon, self.lat))

    def project(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a geometry in degrees moved to the plane."""
        moved: BaseGeometry = shapely.transform(geometry, self.to_metres)
        return moved


@dataclass(frozen=True)
class Layer:
    """A height limit over an area of the plane: the lid of a zone flown under, or the ceiling of a corridor."""

    kind: Literal["lid", "corridor"]
    limit_agl_m: float
    area: BaseGeometry


@dataclass(frozen=True)
class AirspaceView:
    """What an airspace means for one drone type on one day.

    Parameters
    ----------
    barriers
        (zone, polygon in the plane) walked round; one entry per simple part.
    layers
        Height limits along the way.
    ground
        (zone, area) of zones flown over: only pads may not lie in them.
    """

    plane: Plane
    barriers: tuple[tuple[Zone, Polygon], ...]
    layers: tuple[Layer, ...]
    ground: tuple[tuple[Zone, BaseGeometry], ...]


def view_airspace(
    frame: LocalFrame, drone: DroneType, zones: Sequence[Zone], corridors: Sequence[Zone]
) -> AirspaceView:
    """Sort zones by what they mean for a flight.

    Parameters
    ----------
    frame
        Gives the centre of the plane.
    drone
        Type flying.
    zones
        No-fly and controlled zones held to.
    corridors
        Approved corridors that may be used.
    """
    plane = Plane(frame.lon, frame.lat)
    approved = shapely.union_all([plane.project(zone.geometry) for zone in corridors])
    barriers: list[tuple[Zone, Polygon]] = []
    layers = [Layer("corridor", zone.ceiling_agl_m, plane.project(zone.geometry)) for zone in corridors]
    ground: list[tuple[Zone, BaseGeometry]] = []
    for zone in zones:
        area = plane.project(zone.geometry)
        if zone.kind == "controlled":
            area = shapely.difference(area, approved)
        if zone.floor_agl_m >= drone.clearance_m + LID_HEADROOM_M:
            layers.append(Layer("lid", zone.floor_agl_m, area))
        elif zone.ceiling_agl_m <= drone.clearance_m:
            ground.append((zone, area))
        else:
            parts = [part for part in shapely.get_parts(area) if isinstance(part, Polygon) and part.area > 1.0]
            barriers.extend((zone, part) for part in parts)
    return AirspaceView(plane, tuple(barriers), tuple(layers), tuple(ground))


Clearings = Mapping[int, float]
"""Barriers grown by less than usual, because a pad stands close by: index → metres."""


_GraphKey = tuple[tuple[int, float | None], ...]
"""Barriers taken into a graph of corners, each with what it is grown by (None: the margin)."""


@dataclass(frozen=True)
class _CornerGraph:
    """Corners that ways may turn at, the shortest lengths between them, and the corner before on each such way."""

    corners: FloatArray
    length_m: FloatArray
    before: npt.NDArray[np.int32]


@dataclass
class Router:
    """Finds ways round the barriers of a view; keeps what it learnt for the next leg."""

    view: AirspaceView
    _tree: shapely.STRtree = field(init=False)
    _grown: dict[tuple[int, float | None], tuple[BaseGeometry, BaseGeometry]] = field(default_factory=dict)
    _graphs: dict[_GraphKey, _CornerGraph] = field(default_factory=dict)
    _sights: dict[tuple[float, float, _GraphKey], FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tree = shapely.STRtree([self._shape(k, None)[0] for k in range(len(self.view.barriers))])

    def routes(self, starts_m: FloatArray, ends_m: FloatArray) -> list[FloatArray | FlightRefusal]:
        """Return the corners of the way of each leg, shape (c, 2) in the plane, or why there is none.

        Parameters
        ----------
        starts_m, ends_m
            x, y in the plane, shape (n, 2).
        """
        found: list[FloatArray | FlightRefusal] = list(np.stack([starts_m, ends_m], axis=1))
        grounded = self._grounded(starts_m, ends_m)
        if self.view.barriers:
            legs, _ = self._tree.query(shapely.linestrings(np.stack([starts_m, ends_m], axis=1)), "intersects")
            for leg in np.unique(legs):
                found[leg] = self._route(starts_m[leg], ends_m[leg])
        return [grounded.get(leg, way) for leg, way in enumerate(found)]

    def _grounded(self, starts_m: FloatArray, ends_m: FloatArray) -> dict[int, FlightRefusal]:
        """Return refusals of legs whose pads lie in a zone that may only be flown over."""
        refusals: dict[int, FlightRefusal] = {}
        for zone, area in self.view.ground:
            shapely.prepare(area)
            for end, points in (("start", starts_m), ("end", ends_m)):
                for leg in np.flatnonzero(shapely.contains_xy(area, points[:, 0], points[:, 1])):
                    refusals.setdefault(int(leg), _inside(zone, area, end, points[leg]))
        return refusals

    def _route(self, start: FloatArray, end: FloatArray) -> FloatArray | FlightRefusal:
        """Return the shortest way of one leg."""
        clearings: dict[int, float] = {}
        for name, point in (("start", start), ("end", end)):
            here = shapely.Point(point)
            for k in sorted(int(j) for j in self._tree.query(here, "intersects")):
                zone, barrier = self.view.barriers[k]
                distance = float(barrier.distance(here))
                if distance == 0.0:
                    return _inside(zone, barrier, name, point)
                clearings[k] = min(clearings.get(k, MARGIN_M), distance / 2.0)
        way: FloatArray = np.stack([start, end])
        in_the_way: set[int] = set()
        while crossed := self._crossed(way, clearings) - in_the_way:
            in_the_way |= crossed
            round_about = self._shortest(start, end, sorted(in_the_way), clearings)
            if round_about is None:
                return self._no_way(start, end, sorted(in_the_way))
            way = round_about
        return way

    def _shape(self, k: int, clearing_m: float | None) -> tuple[BaseGeometry, BaseGeometry]:
        """Return a barrier grown by the margin (or by less), and its core that no way may enter."""
        key = (k, clearing_m)
        if key not in self._grown:
            barrier = self.view.barriers[k][1]
            if clearing_m is None:
                west, south, east, north = barrier.bounds
                coarse = COARSE_M + 0.01 * math.hypot(east - west, north - south)
                grown = barrier.simplify(coarse).buffer(coarse + MARGIN_M, join_style="mitre", mitre_limit=2.0)
            else:
                grown = barrier.buffer(clearing_m, quad_segs=2)
            core = grown.buffer(-min(SKIN_M, SKIN_M if clearing_m is None else clearing_m / 4.0))
            shapely.prepare(core)
            self._grown[key] = (grown, core)
        return self._grown[key]

    def _crossed(self, way: FloatArray, clearings: Clearings) -> set[int]:
        """Return the barriers a way runs through."""
        line = shapely.LineString(way)
        near = (int(k) for k in self._tree.query(line, "intersects"))
        return {k for k in near if self._shape(k, clearings.get(k))[1].intersects(line)}

    def _shortest(
        self, start: FloatArray, end: FloatArray, barriers: Sequence[int], clearings: Clearings
    ) -> FloatArray | None:
        """Return the shortest way round some barriers, or None; straight on is known to be barred."""
        key = tuple((k, clearings.get(k)) for k in barriers)
        graph = self._graph(key)
        if not len(graph.corners):
            return None
        total = self._sight(start, key)[:, np.newaxis] + graph.length_m + self._sight(end, key)
        first, last = divmod(int(np.argmin(total)), len(graph.corners))
        if not math.isfinite(total[first, last]):
            return None
        order = [last]
        while order[-1] != first:
            order.append(int(graph.before[first, order[-1]]))
        return np.concatenate([[start], graph.corners[order[::-1]], [end]])

    def _graph(self, key: _GraphKey) -> _CornerGraph:
        """Return the corners of some barriers and the ways between them."""
        if key not in self._graphs:
            cores = [self._shape(*part)[1] for part in key]
            corners = np.concatenate([_convex_corners(self._shape(*part)[0]) for part in key])
            inside = shapely.contains_xy(np.array(cores)[:, np.newaxis], corners[:, 0], corners[:, 1])
            corners = corners[~inside.any(axis=0)]
            length_m, before = dijkstra(_sight_m(corners, corners, cores), return_predecessors=True)
            self._graphs[key] = _CornerGraph(corners, length_m, before)
        return self._graphs[key]

    def _sight(self, point: FloatArray, key: _GraphKey) -> FloatArray:
        """Return the distance from a point to each corner it sees, infinite to the others; kept for the next leg."""
        point_key = (float(point[0]), float(point[1]), key)
        if point_key not in self._sights:
            cores = [self._shape(*part)[1] for part in key]
            self._sights[point_key] = _sight_m(point[np.newaxis], self._graph(key).corners, cores)[0]
        return self._sights[point_key]

    def _no_way(self, start: FloatArray, end: FloatArray, barriers: Sequence[int]) -> FlightRefusal:
        """Return the refusal of a leg that zones shut off."""
        straight = shapely.LineString([start, end])
        inside_m = float(sum(straight.intersection(self.view.barriers[k][1]).length for k in barriers))
        names = ", ".join(dict.fromkeys(f"{self.view.barriers[k][0].name}" for k in barriers))
        return FlightRefusal("no_fly", inside_m, "m", f"no way round {names}; straight on, {inside_m:.0f} m lie inside")


def _inside(zone: Zone, area: BaseGeometry, end: str, point: FloatArray) -> FlightRefusal:
    """Return the refusal of a flight that starts or ends in a zone."""
    depth_m = float(area.boundary.distance(shapely.Point(point)))
    kind = "no-fly" if zone.kind == "no_fly" else zone.kind
    return FlightRefusal("no_fly", depth_m, "m", f"the {end} lies {depth_m:.0f} m inside the {kind} zone {zone.name}")


def _convex_corners(grown: BaseGeometry) -> FloatArray:
    """Return the corners of the outlines at which a shortest way may turn, shape (n, 2)."""
    found = []
    for part in shapely.get_parts(grown):
        ring = np.asarray(shapely.geometry.polygon.orient(part).exterior.coords)[:-1]
        into, out = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
        found.append(ring[into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0] > 0.0])
    return np.concatenate(found) if found else np.zeros((0, 2))


def _sight_m(points: FloatArray, others: FloatArray, cores: Sequence[BaseGeometry]) -> FloatArray:
    """Return distances between points that see each other, infinite where a core is between; shape (points, others)."""
    pairs = np.empty((len(points), len(others), 2, 2))
    pairs[:, :, 0], pairs[:, :, 1] = points[:, np.newaxis], others[np.newaxis]
    lines = np.asarray(shapely.linestrings(pairs))
    hidden = np.zeros(lines.shape, dtype=np.bool_)
    for core in cores:
        hidden |= shapely.intersects(core, lines)
    return np.where(hidden, np.inf, np.hypot(*np.moveaxis(pairs[:, :, 1] - pairs[:, :, 0], -1, 0)))
