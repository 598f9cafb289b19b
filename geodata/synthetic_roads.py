"""Roads of a synthetic county, laid where a road engineer would lay them: along least-cost lines on the relief.

Moves lead from a cell to sixteen neighbours (eight adjacent, eight a knight's move away); they cost their length, more
the steeper they are, and very much beyond the greatest grade of the road's class, so that roads follow valleys, climb
in loops and cross ridges at passes. Crossing a river costs the price of a bridge. Each class in turn connects its
settlements to the roads laid before: province road, then towns, villages and groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.location import FloatArray, Level
from geodata.synthetic_settlements import Settlement
from geodata.synthetic_terrain import IntArray, Relief


@dataclass(frozen=True, slots=True)
class RoadClass:
    """How a class of road is laid: `highway` tag, greatest grade, and what a bridge costs in metres of road."""

    highway: str
    max_grade: float
    bridge_m: float
    rank: int


PRIMARY = RoadClass("primary", 0.055, 300.0, 0)
SECONDARY = RoadClass("secondary", 0.08, 400.0, 1)
UNCLASSIFIED = RoadClass("unclassified", 0.11, 600.0, 2)
TRACK = RoadClass("track", 0.15, 800.0, 3)
PATH = RoadClass("path", 0.35, 300.0, 4)
ROAD_CLASSES = (PRIMARY, SECONDARY, UNCLASSIFIED, TRACK, PATH)
"""Laid a little below the limits of each class (6, 9, 12 % and steeper tracks), for smoothing moves the line."""

_MOVES = (
    *((0, 1), (1, 0), (1, 1), (1, -1)),
    *((1, 2), (2, 1), (1, -2), (2, -1)),
)
"""Half of the sixteen moves; the others are these the other way round."""


@dataclass
class RoadPlan:
    """Roads on the cells of a relief: class rank of each joined pair of cells, smaller cell first."""

    cols: int
    links: dict[tuple[int, int], int] = field(default_factory=dict)
    footpath_only: set[int] = field(default_factory=set)
    """Settlements (by index) that only a path leads to."""

    def add_path(self, cells: Sequence[int], road: RoadClass) -> None:
        """Lay a road along cells; where a road is already, the better class stays."""
        for a, b in pairwise(cells):
            pair = (min(a, b), max(a, b))
            self.links[pair] = min(self.links.get(pair, road.rank), road.rank)

    def cells(self, worst: RoadClass = TRACK) -> IntArray:
        """Return the cells on roads of this class or better, ascending."""
        return np.unique(np.array([pair for pair, rank in self.links.items() if rank <= worst.rank], dtype=np.int64))


def lay_roads(relief: Relief, settlements: Sequence[Settlement], loops: int, seed: int) -> RoadPlan:
    """Join the settlements by roads, as a tree with a few loops.

    Parameters
    ----------
    relief
        The land.
    settlements
        Hub first; those without `has_road` get a footpath each, every second one none at all.
    loops
        Number of connections added between neighbouring places whose way by road is long.
    seed
        The same arguments give the same roads.
    """
    rng = np.random.default_rng([seed, 0x60])
    layer = _Layer(relief, rng)
    cols = relief.elevation_m.shape[1]
    plan = RoadPlan(cols)
    cell = [place.row * cols + place.col for place in settlements]
    _lay_primary(layer, plan, cell[0])
    by_level = {
        level: [cell[k] for k, place in enumerate(settlements) if place.level is level and place.has_road]
        for level in Level
    }
    layer.connect(plan, by_level[Level.TOWN], SECONDARY, batches=2)
    layer.connect(plan, by_level[Level.VILLAGE], UNCLASSIFIED, batches=3)
    _lay_loops(layer, plan, by_level[Level.TOWN] + by_level[Level.VILLAGE], loops)
    layer.connect(plan, by_level[Level.GROUP], TRACK, batches=2)
    _lay_footpaths(layer, plan, settlements, cell)
    return plan


class _Layer:
    """Least-cost lines on one relief."""

    def __init__(self, relief: Relief, rng: np.random.Generator) -> None:
        self.relief = relief
        self._whim = np.exp(0.18 * rng.normal(size=relief.elevation_m.size))
        """What the grid does not know (rock, owners, fields): makes every cell a little dearer or cheaper."""
        self._graphs: dict[str, csr_array[np.float64]] = {}

    def graph(self, road: RoadClass) -> csr_array[np.float64]:
        """Return the moves of one class of road and their costs, made once."""
        if road.highway not in self._graphs:
            self._graphs = {road.highway: self._make_graph(road)}
        return self._graphs[road.highway]

    def _make_graph(self, road: RoadClass) -> csr_array[np.float64]:
        z = self.relief.elevation_m
        rows, cols = z.shape
        index = np.arange(z.size).reshape(rows, cols)
        wet = (self.relief.river_m < 0.65 * self.relief.cell_m).ravel()
        starts, ends, costs = [], [], []
        for dr, dc in _MOVES:
            left, right = (0, cols - dc) if dc >= 0 else (-dc, cols)
            a = index[: rows - dr, left:right].ravel()
            b = index[dr:, left + dc : right + dc].ravel()
            length_m = self.relief.cell_m * float(np.hypot(dr, dc))
            steep = np.abs(z.ravel()[b] - z.ravel()[a]) / length_m / road.max_grade
            factor = 1.0 + 0.8 * steep**2 + np.where(steep > 1.0, 6.0 + 60.0 * (steep - 1.0), 0.0)
            cost = length_m * factor * np.sqrt(self._whim[a] * self._whim[b])
            cost += road.bridge_m * (wet[a] | wet[b] | _between(wet, index, dr, dc))
            starts += [a, b]
            ends += [b, a]
            costs += [cost, cost]
        shape = (z.size, z.size)
        made = coo_array((np.concatenate(costs), (np.concatenate(starts), np.concatenate(ends))), shape=shape)
        return csr_array(made.tocsr())

    def from_roads(self, sources: IntArray, road: RoadClass) -> tuple[FloatArray, npt.NDArray[np.int32]]:
        """Return the cost of reaching each cell from the nearest source, and the cell before it."""
        cost, before, _ = dijkstra(
            self.graph(road), indices=sources, directed=True, return_predecessors=True, min_only=True
        )
        return cost, before

    def connect(self, plan: RoadPlan, cells: Sequence[int], road: RoadClass, batches: int) -> None:
        """Connect cells to the roads laid so far, nearest first, in batches: later ones use what earlier ones laid."""
        left = list(cells)
        for batch in range(batches, 0, -1):
            if not left:
                return
            cost, before = self.from_roads(plan.cells(), road)
            left.sort(key=lambda cell: (float(cost[cell]), cell))
            count = -(-len(left) // batch)
            for cell in left[:count]:
                plan.add_path(_trace(before, cell), road)
            left = left[count:]


def _between(wet: npt.NDArray[np.bool_], index: IntArray, dr: int, dc: int) -> npt.NDArray[np.bool_]:
    """Return which moves by (dr, dc) pass over a river cell on their way, so that no move jumps a river."""
    rows, cols = index.shape
    left, right = (0, cols - dc) if dc >= 0 else (-dc, cols)
    sign = 1 if dc >= 0 else -1
    passed = {(0, sign), (1, 0)} if (dr, abs(dc)) == (1, 1) else set()
    if abs(dc) == 2:
        passed = {(0, sign), (1, sign)}
    elif dr == 2:
        passed = {(1, 0), (1, sign)}
    found = np.zeros((rows - dr) * (right - left), dtype=np.bool_)
    for r, c in sorted(passed):
        found |= wet[index[r : rows - dr + r, left + c : right + c].ravel()]
    return found


def _trace(before: npt.NDArray[np.int32], cell: int) -> list[int]:
    """Return the cells of a least-cost line from its source to `cell`."""
    found = [cell]
    while before[found[-1]] >= 0:
        found.append(int(before[found[-1]]))
    return found[::-1]


def _lay_primary(layer: _Layer, plan: RoadPlan, hub: int) -> None:
    """Lay the province road: through the hub, in at the north edge and out at the south edge of the trunk valley."""
    relief = layer.relief
    cost, before = layer.from_roads(np.array([hub], dtype=np.int64), PRIMARY)
    rows, cols = relief.elevation_m.shape
    for row in (0, rows - 1):
        edge = np.arange(row * cols, (row + 1) * cols)
        valley = edge[relief.river_m.ravel()[edge] < 600.0]
        gate = int(min(valley, key=lambda cell: (float(cost[cell]), int(cell))))
        plan.add_path(_trace(before, gate), PRIMARY)


def _lay_loops(layer: _Layer, plan: RoadPlan, cells: Sequence[int], count: int) -> None:
    """Close loops: connect neighbours whose way by road is many times the line between them.

    One search from all road cells divides the land among them; a move between two cells' shares is a possible
    connection, and the dearer the detour it saves, the better.
    """
    for _ in range(count):
        candidate = _best_loop(layer, plan, cells)
        if candidate is None:
            return
        plan.add_path(candidate, UNCLASSIFIED)


def _best_loop(layer: _Layer, plan: RoadPlan, cells: Sequence[int]) -> list[int] | None:
    sources = np.unique(np.array(cells, dtype=np.int64))
    graph = layer.graph(UNCLASSIFIED)
    cost, before, owner = dijkstra(graph, indices=sources, directed=True, return_predecessors=True, min_only=True)
    by_road = dijkstra(_road_lengths(layer.relief, plan), indices=sources, directed=False)
    moves = graph.tocoo()
    a, b = moves.row, moves.col
    border = (owner[a] < owner[b]) & (owner[a] >= 0)
    a, b, step = a[border], b[border], moves.data[border]
    total = cost[a] + cost[b] + step
    saved = by_road[np.searchsorted(sources, owner[a]), owner[b]] / (total + 1_500.0)
    saved[~np.isfinite(saved)] = 0.0
    if not len(saved) or saved.max() < 1.6:
        return None
    best = int(np.lexsort((b, a, -saved))[0])
    return _trace(before, int(a[best])) + _trace(before, int(b[best]))[::-1]


def _road_lengths(relief: Relief, plan: RoadPlan) -> csr_array[np.float64]:
    pairs = np.array(list(plan.links), dtype=np.int64)
    rows, cols = pairs // plan.cols, pairs % plan.cols
    length_m = relief.cell_m * np.hypot(rows[:, 0] - rows[:, 1], cols[:, 0] - cols[:, 1])
    size = relief.elevation_m.size
    return csr_array(coo_array((length_m, (pairs[:, 0], pairs[:, 1])), shape=(size, size)).tocsr())


def _lay_footpaths(layer: _Layer, plan: RoadPlan, settlements: Sequence[Settlement], cell: Sequence[int]) -> None:
    """Lay a footpath to every second settlement without a road; the others have nothing."""
    without = [k for k, place in enumerate(settlements) if not place.has_road]
    walked = without[::2]
    if not walked:
        return
    _, before = layer.from_roads(plan.cells(), PATH)
    for k in walked:
        plan.add_path(_trace(before, cell[k]), PATH)
        plan.footpath_only.add(k)


def chains(plan: RoadPlan, kept: Collection[int] = ()) -> Iterator[tuple[list[int], int]]:
    """Yield stretches of road between junctions, ends, changes of class and `kept` cells: cells, class rank."""
    around: dict[int, list[int]] = {}
    for a, b in sorted(plan.links):
        around.setdefault(a, []).append(b)
        around.setdefault(b, []).append(a)

    def rank(a: int, b: int) -> int:
        return plan.links[min(a, b), max(a, b)]

    def is_end(cell: int) -> bool:
        near = around[cell]
        return len(near) != 2 or cell in kept or rank(cell, near[0]) != rank(cell, near[1])

    done: set[tuple[int, int]] = set()
    ends = [cell for cell in sorted(around) if is_end(cell)]
    for start in ends + sorted(around):  # second pass: closed rings without any end
        for first in around[start]:
            if (min(start, first), max(start, first)) in done or (not is_end(start) and start in ends):
                continue
            found = [start, first]
            done.add((min(start, first), max(start, first)))
            while not is_end(found[-1]) and found[-1] != start:
                near = around[found[-1]]
                found.append(near[0] if near[0] != found[-2] else near[1])
                done.add((min(found[-2:]), max(found[-2:])))
            yield found, rank(start, first)
