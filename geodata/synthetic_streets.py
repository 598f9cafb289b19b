"""The laid roads of a synthetic county as OpenStreetMap would hold them: nodes, ways, bridges, a tunnel, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage
from scipy.interpolate import make_interp_spline
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from geodata.location import FloatArray
from geodata.synthetic_roads import ROAD_CLASSES, SECONDARY, TRACK, UNCLASSIFIED, RoadPlan, chains
from geodata.synthetic_terrain import RIVER_KM2, IntArray, Relief

JITTER_M = 12.0
"""Junctions stand this far off the cells' centres, so that no grid shows."""
SPACING_M = 30.0
"""Between nodes of a road."""
WIGGLE_M = (2.0, 5.0, 9.0, 9.0, 6.0)
WIGGLE_LENGTH_M = 70.0
"""By class rank: how far roads swing about the line laid on the 90 m grid (standard deviation), as they go round spurs
and gullies the grid does not show, and the length of a swing. Makes bends of 30 to 60 m radius on village roads."""
TUNNEL_M = (500.0, 2_600.0)
TUNNEL_GRADE = 0.04
TUNNEL_COVER_M = 70.0
PORTAL_COVER_M = 12.0
"""Rock over the highest part of a tunnel, and over it anywhere but near its portals."""
TUNNEL_BLOCK = 400
"""Road cells whose possible tunnels are looked at together, to bound memory."""
TRACK_KINDS = (
    ({"highway": "track", "tracktype": "grade1", "surface": "concrete", "width": "3.5"}, 0.65),
    ({"highway": "track", "tracktype": "grade2", "surface": "gravel", "width": "3"}, 0.20),
    ({"highway": "track", "tracktype": "grade3", "surface": "compacted", "width": "2.5"}, 0.09),
    ({"highway": "track", "tracktype": "grade4", "surface": "ground", "width": "2.2"}, 0.06),
)
"""Roads to groups and their shares [assumed]: most are concrete by now, some only tricycles can use."""
WAY_TAGS: Mapping[str, Mapping[str, str]] = {
    "primary": {"highway": "primary", "surface": "asphalt", "width": "8.5", "lanes": "2", "maxspeed": "60"},
    "secondary": {"highway": "secondary", "surface": "asphalt", "width": "6.5", "lanes": "2", "maxspeed": "40"},
    "unclassified": {"highway": "unclassified", "surface": "concrete", "width": "4.5", "maxspeed": "30"},
    "path": {"highway": "path", "surface": "ground"},
}
WEAK_BRIDGE_SHARE = 0.3
"""Bridges of village roads that bear only 3.5 t."""


@dataclass(frozen=True)
class StreetWay:
    """One way: indices of its nodes, class rank, tags."""

    nodes: tuple[int, ...]
    rank: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class SyntheticStreets:
    """Nodes in metres east and north of the south-west corner, and ways between them."""

    x_m: FloatArray
    y_m: FloatArray
    ways: tuple[StreetWay, ...]
    node_of_cell: Mapping[int, int]
    """Node at the junction or road end on a cell of the relief."""


def draw_streets(relief: Relief, plan: RoadPlan, stops: Sequence[int], seed: int) -> SyntheticStreets:
    """Turn laid roads into ways.

    Parameters
    ----------
    relief, plan
        The land and the roads laid on it.
    stops
        Cells that must stay nodes of their own (settlements).
    seed
        The same arguments give the same streets.
    """
    rng = np.random.default_rng([seed, 0x57])
    tunnel = _find_tunnel(relief, plan)
    kept = set(stops) | set(tunnel or ())
    drawing = _Drawing(relief, plan.cols, rng)
    rivers = _river_lines(relief)
    for cells, rank in chains(plan, kept):
        drawing.add_chain(cells, rank, rivers)
    if tunnel is not None:
        tags = {**WAY_TAGS[SECONDARY.highway], "tunnel": "yes", "layer": "-1"}
        drawing.add_way([drawing.node_at(tunnel[0]), drawing.node_at(tunnel[1])], SECONDARY.rank, tags)
    return SyntheticStreets(np.array(drawing.x), np.array(drawing.y), tuple(drawing.ways), drawing.node_of_cell)


@dataclass
class _Drawing:
    relief: Relief
    cols: int
    rng: np.random.Generator
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    ways: list[StreetWay] = field(default_factory=list)
    node_of_cell: dict[int, int] = field(default_factory=dict)

    def node_at(self, cell: int) -> int:
        """Return the node of a junction, made and moved a little off the grid at first use."""
        if cell not in self.node_of_cell:
            away = self.rng.normal(scale=JITTER_M, size=2)
            limit = self.relief.side_m
            x, y = cell % self.cols * self.relief.cell_m + away[0], cell // self.cols * self.relief.cell_m + away[1]
            self.node_of_cell[cell] = self._add(min(max(x, 0.0), limit), min(max(y, 0.0), limit))
        return self.node_of_cell[cell]

    def _add(self, x: float, y: float) -> int:
        self.x.append(float(x))
        self.y.append(float(y))
        return len(self.x) - 1

    def add_chain(self, cells: list[int], rank: int, rivers: shapely.STRtree) -> None:
        """Draw the road along the cells, split where bridges begin and end."""
        first, last = self.node_at(cells[0]), self.node_at(cells[-1])
        inner = np.array(cells, dtype=np.float64)
        line = np.column_stack([inner % self.cols, inner // self.cols]) * self.relief.cell_m
        line[0], line[-1] = (self.x[first], self.y[first]), (self.x[last], self.y[last])
        line = _bend(line, WIGGLE_M[rank], self.rng)
        nodes = [first, *(self._add(x, y) for x, y in line[1:-1]), last]
        tags = self._tags(rank)
        on_bridge = _crossings(line, rivers)
        for start, end in _runs(on_bridge):
            if on_bridge[start]:
                self.add_way(nodes[start : end + 1], rank, {**tags, "bridge": "yes", "layer": "1", **self._load(rank)})
            else:
                self.add_way(nodes[start : end + 1], rank, tags)

    def add_way(self, nodes: list[int], rank: int, tags: Mapping[str, str]) -> None:
        """Add one way."""
        self.ways.append(StreetWay(tuple(nodes), rank, dict(sorted(tags.items()))))

    def _tags(self, rank: int) -> Mapping[str, str]:
        road = ROAD_CLASSES[rank]
        if road is not TRACK:
            return WAY_TAGS[road.highway]
        return TRACK_KINDS[int(self.rng.choice(len(TRACK_KINDS), p=[share for _, share in TRACK_KINDS]))][0]

    def _load(self, rank: int) -> dict[str, str]:
        weak = rank >= UNCLASSIFIED.rank and self.rng.random() < WEAK_BRIDGE_SHARE
        return {"maxweight": "3.5"} if weak else {}


def _bend(line: FloatArray, wiggle_m: float, rng: np.random.Generator) -> FloatArray:
    """Take the grid out of a line: average neighbours twice, draw a spline, let it follow the lie of the slope."""
    for _ in range(2):
        line[1:-1] = 0.25 * line[:-2] + 0.5 * line[1:-1] + 0.25 * line[2:]
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = max(2, round(float(along_m[-1]) / SPACING_M) + 1)
    at_m = np.linspace(0.0, along_m[-1], count)
    if len(line) > 3:
        line = make_interp_spline(along_m, line, k=3)(at_m)
    else:
        line = np.column_stack([np.interp(at_m, along_m, line[:, 0]), np.interp(at_m, along_m, line[:, 1])])
    if count < 4:
        return line
    offset = ndimage.gaussian_filter1d(rng.normal(size=count), WIGGLE_LENGTH_M / SPACING_M / 2.0, mode="nearest")
    offset *= wiggle_m * np.sqrt(WIGGLE_LENGTH_M / SPACING_M * np.sqrt(np.pi))
    offset *= np.clip(np.minimum(at_m, at_m[-1] - at_m) / 60.0, 0.0, 1.0)
    course = np.gradient(line, axis=0)
    across = np.column_stack([-course[:, 1], course[:, 0]]) / np.maximum(np.hypot(*course.T), 1e-9)[:, None]
    return np.asarray(line + offset[:, None] * across, dtype=np.float64)


def _river_lines(relief: Relief) -> shapely.STRtree:
    streams = relief.streams
    flows = (streams.area_km2 >= RIVER_KM2) & (streams.downstream != np.arange(len(streams.x_m)))
    k = np.flatnonzero(flows)
    down = streams.downstream[k]
    ends = np.stack(
        [
            np.column_stack([streams.x_m[k], streams.y_m[k]]),
            np.column_stack([streams.x_m[down], streams.y_m[down]]),
        ],
        axis=1,
    )
    return shapely.STRtree([shapely.LineString(line) for line in ends])


def _crossings(line: FloatArray, rivers: shapely.STRtree) -> npt.NDArray[np.bool_]:
    """Return which segments of a line cross a river."""
    segments = [shapely.LineString(ends) for ends in pairwise(line)]
    crossing = np.zeros(len(segments), dtype=np.bool_)
    crossing[rivers.query(segments, predicate="intersects")[0]] = True
    return crossing


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, past the last) of each run of equal flags."""
    cuts = np.flatnonzero(np.diff(flags)) + 1
    return list(pairwise([0, *cuts.tolist(), len(flags)]))


def _find_tunnel(relief: Relief, plan: RoadPlan) -> tuple[int, int] | None:
    """Choose two cells on roads that a tunnel through a ridge would join: the pair that saves the most road."""
    links = [pair for pair, rank in plan.links.items() if rank <= UNCLASSIFIED.rank]
    cells, ends = np.unique(np.array(links, dtype=np.int64), return_inverse=True)
    ends = ends.reshape(-1, 2)
    xy = np.column_stack([cells % plan.cols, cells // plan.cols]).astype(np.float64) * relief.cell_m
    pairs = _tunnel_pairs(relief, xy, relief.elevation_m.ravel()[cells])
    if not len(pairs):
        return None
    length_m = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    road_m = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)
    graph = csr_array((road_m, (ends[:, 0], ends[:, 1])), shape=(len(cells), len(cells)))
    sources, at = np.unique(pairs[:, 0], return_inverse=True)
    by_road = dijkstra(graph, indices=sources, directed=False)[at, pairs[:, 1]]
    saved = np.where(np.isfinite(by_road), by_road - length_m, 0.0) / (length_m + 800.0)
    best = int(np.argmax(saved))
    return int(cells[pairs[best, 0]]), int(cells[pairs[best, 1]])


def _tunnel_pairs(relief: Relief, xy: FloatArray, z: FloatArray) -> IntArray:
    """Return pairs of road cells (rows of `xy`, heights `z`) that a tunnel of possible grade and depth could join."""
    tree = KDTree(xy)
    found = []
    for start in range(0, len(xy), TUNNEL_BLOCK):
        block = range(start, min(start + TUNNEL_BLOCK, len(xy)))
        near = [np.array(tree.query_ball_point(xy[k], TUNNEL_M[1], return_sorted=True), dtype=np.int64) for k in block]
        a = np.repeat(np.array(block, dtype=np.int64), [len(others) for others in near])
        b = np.concatenate(near)
        a, b = a[a < b], b[a < b]
        length_m = np.hypot(*(xy[a] - xy[b]).T)
        fits = (length_m >= TUNNEL_M[0]) & (np.abs(z[a] - z[b]) <= TUNNEL_GRADE * length_m)
        a, b = a[fits], b[fits]
        deep = _cover_m(relief, xy, z, a, b, np.array([0.5]))[:, 0] > PORTAL_COVER_M
        a, b = a[deep], b[deep]
        over_m = _cover_m(relief, xy, z, a, b, np.linspace(0.15, 0.85, 15))
        covered = (over_m.min(axis=1) > PORTAL_COVER_M) & (over_m.max(axis=1) >= TUNNEL_COVER_M)
        found.append(np.column_stack([a[covered], b[covered]]))
    return np.concatenate(found)


def _cover_m(relief: Relief, xy: FloatArray, z: FloatArray, a: IntArray, b: IntArray, share: FloatArray) -> FloatArray:
    """Return the ground's height over the straight line from a to b at shares of its length, shape (pairs, shares)."""
    x, y, line = (v[a][:, None] * (1.0 - share) + v[b][:, None] * share for v in (xy[:, 0], xy[:, 1], z))
    ground = ndimage.map_coordinates(relief.elevation_m, [y / relief.cell_m, x / relief.cell_m], order=1)
    return np.asarray(ground - line, dtype=np.float64)
