"""StreetNetwork: nodes and directed edges of all ways as arrays; and the closures of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.closures import Closure, read_closures
from geodata.conditional_access import AccessRule
from geodata.location import FloatArray, LocalFrame
from geodata.turns import TurnBan, TurnRules

__all__ = ["BoolArray", "Closure", "CodeArray", "IntArray", "StreetNetwork", "closed_edges", "read_closures"]

IntArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class StreetNetwork:
    """All OSM nodes of ways usable by any mode, and their directed edges.

    Nodes have n entries sorted by OSM id, edges m entries sorted by (from, to, way). A road open both ways is two
    edges. Between two nodes there may be several edges (parallel ways). Codes index the tuples of
    `geodata.osm_tags`: `HIGHWAYS`, `SURFACES`, `TRACKTYPES`, `ACCESS_KINDS`.

    Parameters
    ----------
    node_id
        OSM ids, ascending.
    node_lon, node_lat
        Degrees, EPSG:4326.
    node_elevation_m
        Height of the road surface: smoothed along the roads, straight through tunnels and over bridges.
    edge_from, edge_to
        Node indices.
    edge_length_m
        Great-circle length, > 0.
    edge_grade
        Rise over run in the direction of the edge.
    edge_radius_m
        Curve radius, inf where straight.
    edge_way_id
        OSM way ids.
    edge_highway, edge_surface, edge_tracktype, edge_motor, edge_heavy, edge_foot
        Codes. The last three are the access kinds of cars and light vans, of goods vehicles above 3.5 t, of walkers,
        in the edge's direction, barriers included.
    edge_maxspeed_kmh
        Posted limit in this direction, nan where none.
    edge_max_width_m, edge_max_height_m, edge_max_weight_kg
        Posted limits, inf where none.
    edge_max_axle_kg
        Posted limit of the load of one axle, inf where none; left out: none anywhere.
    edge_bridge, edge_tunnel
        True on bridges and in tunnels.
    edge_name
        Index into `names`; 0 is the empty name.
    names
        Street names and references.
    turn_bans
        Turn restrictions.
    access_rules
        Access that depends on the time.
    notes
        What was found in the extract and what of it could not be used: (what, how many), for reports.
    """

    node_id: IntArray
    node_lon: FloatArray
    node_lat: FloatArray
    node_elevation_m: FloatArray
    edge_from: IntArray
    edge_to: IntArray
    edge_length_m: FloatArray
    edge_grade: FloatArray
    edge_radius_m: FloatArray
    edge_way_id: IntArray
    edge_highway: CodeArray
    edge_surface: CodeArray
    edge_tracktype: CodeArray
    edge_motor: CodeArray
    edge_heavy: CodeArray
    edge_foot: CodeArray
    edge_maxspeed_kmh: FloatArray
    edge_max_width_m: FloatArray
    edge_max_height_m: FloatArray
    edge_max_weight_kg: FloatArray
    edge_bridge: BoolArray
    edge_tunnel: BoolArray
    edge_name: IntArray
    names: tuple[str, ...] = ("",)
    turn_bans: tuple[TurnBan, ...] = ()
    access_rules: tuple[AccessRule, ...] = ()
    notes: tuple[tuple[str, int], ...] = ()
    edge_max_axle_kg: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if self.edge_max_axle_kg.size == 0:
            object.__setattr__(self, "edge_max_axle_kg", np.full(self.edge_from.size, np.inf))
        for item in fields(self):
            array = getattr(self, item.name)
            if not isinstance(array, np.ndarray):
                continue
            size = self.node_id.size if item.name.startswith("node_") else self.edge_from.size
            if array.shape != (size,):
                msg = f"{item.name} has shape {array.shape}, expected {(size,)}"
                raise ValueError(msg)
            array.setflags(write=False)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return int(self.node_id.size)

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return int(self.edge_from.size)

    @cached_property
    def first_edge(self) -> IntArray:
        """Shape (n + 1,): the edges leaving node i are ``first_edge[i]`` to ``first_edge[i + 1] - 1``."""
        return np.searchsorted(self.edge_from, np.arange(self.n_nodes + 1)).astype(np.int64)

    @cached_property
    def longest_edge_m(self) -> float:
        """Straight metres of the longest edge; 0 without edges."""
        ends = self.node_xy_m[self.edge_from] - self.node_xy_m[self.edge_to]
        return float(np.hypot(*ends.T).max(initial=0.0))

    @cached_property
    def edges_by_head(self) -> IntArray:
        """Shape (m,): all edges, ordered by the node they lead to."""
        return np.argsort(self.edge_to, kind="stable").astype(np.int64)

    def edges_into(self, node: int) -> IntArray:
        """Return the edges that lead to a node."""
        order = self.edges_by_head
        start, stop = np.searchsorted(self.edge_to, [node, node + 1], sorter=order)
        return order[start:stop]

    def edges_out_of(self, node: int) -> IntArray:
        """Return the edges that leave a node."""
        return np.arange(self.first_edge[node], self.first_edge[node + 1])

    @cached_property
    def turn_rules(self) -> dict[str, TurnRules]:
        """What `turn_bans` mean for each mode: ``motor``, ``heavy``, ``foot``."""
        return {mode: TurnRules.of(self.turn_bans, mode) for mode in ("motor", "heavy", "foot")}

    @cached_property
    def frame(self) -> LocalFrame:
        """Metric frame centred on the network."""
        return LocalFrame(
            lon=round(float(self.node_lon.min() + self.node_lon.max()) / 2.0, 6),
            lat=round(float(self.node_lat.min() + self.node_lat.max()) / 2.0, 6),
        )

    @cached_property
    def node_xy_m(self) -> FloatArray:
        """Shape (n, 2): metres east and north in `frame`."""
        return np.column_stack(self.frame.to_metres(self.node_lon, self.node_lat))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all nodes in degrees."""
        return (
            float(self.node_lon.min()),
            float(self.node_lat.min()),
            float(self.node_lon.max()),
            float(self.node_lat.max()),
        )

    def node_index(self, node_ids: Sequence[int] | IntArray) -> IntArray:
        """Return the index of each OSM node id, -1 for ids the network does not have; shape as given."""
        wanted = np.asarray(node_ids, dtype=np.int64)
        if self.n_nodes == 0:
            return np.full(wanted.shape, -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.node_id, wanted), self.n_nodes - 1)
        return np.where(self.node_id[place] == wanted, place, -1).astype(np.int64)

    def edges_between(self, from_index: int, to_index: int) -> range:
        """Return the indices of the edges from one node to another (several where ways run in parallel)."""
        start, stop = int(self.first_edge[from_index]), int(self.first_edge[from_index + 1])
        heads = self.edge_to[start:stop]
        return range(
            start + int(np.searchsorted(heads, to_index, side="left")),
            start + int(np.searchsorted(heads, to_index, side="right")),
        )

    def edges_between_all(self, from_index: IntArray, to_index: IntArray) -> tuple[IntArray, IntArray]:
        """Return the first edge of each pair of nodes and the one after the last, shape (k,); equal where none.

        Indices of -1 stand for unknown nodes.
        """
        wanted = np.where((from_index < 0) | (to_index < 0), -1, from_index * self.n_nodes + to_index)
        first = np.searchsorted(self._edge_ends, wanted, side="left")
        return first.astype(np.int64), np.searchsorted(self._edge_ends, wanted, side="right").astype(np.int64)

    @cached_property
    def _edge_ends(self) -> IntArray:
        """Both ends of each edge as one number; ascending, as edges are sorted by them."""
        return self.edge_from.astype(np.int64) * self.n_nodes + self.edge_to


LINE_REACH_M = 15.0
"""How far an edge's midpoint may lie from a closure's line to count as on it."""
LINE_PARALLEL_COS = 0.7
"""Least |cosine| of the angle between edge and line (about 45°): crossing roads stay open."""


def closed_edges(
    network: StreetNetwork,
    closures: Sequence[Closure],
    date: dt.date,
    from_s: int,
    until_s: int,
    *,
    profile_id: str | None = None,
    on_foot: bool = False,
) -> BoolArray:
    """Return which edges are closed at some moment of [from_s, until_s] on a date.

    Parameters
    ----------
    profile_id
        Who asks; closures of other profiles do not count. None: every closure counts.
    on_foot
        True for walkers: restrictions that name nobody are for vehicles.

    Returns
    -------
    numpy.ndarray
        bool, shape (m,).
    """
    closed = np.zeros(network.n_edges, dtype=np.bool_)
    for closure in closures:
        if closure.holds(date, from_s, until_s, profile_id, on_foot=on_foot):
            closed |= _edges_at(network, closure.geometry)
    return closed


def _edges_at(network: StreetNetwork, geometry: BaseGeometry) -> BoolArray:
    """Return the edges a closure's geometry lies on, shape (m,)."""
    x_y = shapely.transform(geometry, lambda lonlat: np.column_stack(network.frame.to_metres(*lonlat.T)))
    west, south, east, north = x_y.buffer(LINE_REACH_M).bounds
    x, y = network.node_xy_m.T
    reach = network.longest_edge_m
    near = (x >= west - reach) & (x <= east + reach) & (y >= south - reach) & (y <= north + reach)
    candidates = np.flatnonzero(near[network.edge_from])
    start, end = (network.node_xy_m[ends[candidates]] for ends in (network.edge_from, network.edge_to))
    low, high = np.minimum(start, end), np.maximum(start, end)
    meets = (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
    candidates, start, end = candidates[meets], start[meets], end[meets]
    met = np.zeros(network.n_edges, dtype=np.bool_)
    segments = shapely.linestrings(np.stack([start, end], axis=1))
    areas = [part for part in shapely.get_parts(x_y) if isinstance(part, shapely.Polygon)]
    lines = [part for part in shapely.get_parts(x_y) if isinstance(part, shapely.LineString)]
    for area in areas:
        met[candidates] |= shapely.intersects(segments, area)
    middle, course = (start + end) / 2.0, end - start
    for line in lines:
        met[candidates] |= _follows(middle, course, line)
    return met


def _follows(middle_m: FloatArray, course_m: FloatArray, line: shapely.LineString) -> BoolArray:
    """Return which edges (midpoints and direction vectors, shape (k, 2)) run along a line close by."""
    points = shapely.points(middle_m)
    close = shapely.distance(points, line) <= LINE_REACH_M
    at = np.asarray(shapely.line_locate_point(line, points), dtype=np.float64)
    before = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(at - 5.0, 0.0)))
    after = shapely.get_coordinates(shapely.line_interpolate_point(line, np.minimum(at + 5.0, line.length)))
    along = after - before
    norms = np.linalg.norm(along, axis=1) * np.linalg.norm(course_m, axis=1)
    cosine = np.abs((along * course_m).sum(axis=1)) / np.maximum(norms, 1e-9)
    return np.asarray(close & (cosine >= LINE_PARALLEL_COS), dtype=np.bool_)
