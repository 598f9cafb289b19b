"""Roads of a synthetic county, laid where a road engineer would lay them: along least-cost lines on the relief.

Moves lead from a cell to sixteen neighbours (eight adjacent, eight a knight's move away); they cost their length, more
the steeper they are, and very much beyond the greatest grade of the road's class, so that roads follow valleys, climb
in loops and cross ridges at passes. Crossing a river costs the price of a bridge. Each class in turn connects its
settlements to the roads laid before: province road, then towns, villages and groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.location import FloatArray, Level
from geodata.synthetic_settlements import Settlement
from geodata.synthetic_terrain import IntArray, Relief

CellArray = npt.NDArray[np.int32]


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

NO_ROAD_SHARE = 0.03
"""Share of groups no road leads to (domain notes 5)."""
LEAST_SAVING = 1.6
"""A loop is closed where the way by road is at least this many times the cost of the connection."""
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
    roadless: list[int] = field(default_factory=list)
    """Settlements (by index) without road; a footpath leads to every second of them, nothing to the others."""

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
        Hub first. Some isolated groups stay without road.
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
    by_level = {level: [cell[k] for k, place in enumerate(settlements) if place.level is level] for level in Level}
    layer.connect(plan, by_level[Level.TOWN], SECONDARY, batches=2)
    layer.connect(plan, by_level[Level.VILLAGE], UNCLASSIFIED, batches=3)
    _lay_loops(layer, plan, by_level[Level.TOWN] + by_level[Level.VILLAGE], loops)
    layer.connect(plan, by_level[Level.GROUP], TRACK, batches=2)
    plan.roadless = _cut_off(plan, settlements, cell)
    _lay_footpaths(layer, plan, [cell[k] for k in plan.roadless[::2]])
    return plan


@dataclass(frozen=True)
class _Moves:
    """The moves from cells to half of their sixteen neighbours; |grade| and what they pass hold both ways."""

    start: CellArray
    end: CellArray
    length_m: FloatArray
    grade: FloatArray
    over_water: npt.NDArray[np.bool_]


def _moves(relief: Relief) -> _Moves:
    z = relief.elevation_m
    rows, cols = z.shape
    index = np.arange(z.size, dtype=np.int32).reshape(rows, cols)  # half the memory of int64
    wet = (relief.river_m < 0.65 * relief.cell_m).ravel()
    starts, ends, lengths, water = [], [], [], []
    for dr, dc in _MOVES:
        left, right = (0, cols - dc) if dc >= 0 else (-dc, cols)
        start = index[: rows - dr, left:right].ravel()
        end = index[dr:, left + dc : right + dc].ravel()
        starts.append(start)
        ends.append(end)
        lengths.append(np.full(len(start), relief.cell_m * float(np.hypot(dr, dc))))
        water.append(wet[start] | wet[end] | _between(wet, index, dr, dc))
    start, end, length_m = np.concatenate(starts), np.concatenate(ends), np.concatenate(lengths)
    grade = np.abs(z.ravel()[end] - z.ravel()[start]) / length_m
    return _Moves(start, end, length_m, grade, np.concatenate(water))


def _between(wet: npt.NDArray[np.bool_], index: CellArray, dr: int, dc: int) -> npt.NDArray[np.bool_]:
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


class _Layer:
    """Least-cost lines on one relief."""

    def __init__(self, relief: Relief, rng: np.random.Generator) -> None:
        self.relief = relief
        self._whim = np.exp(0.18 * rng.normal(size=relief.elevation_m.size))
        """What the grid does not know (rock, owners, fields): makes every cell a little dearer or cheaper."""
        self._moves = _moves(relief)
        size = relief.elevation_m.size
        slots = np.arange(1, 2 * len(self._moves.start) + 1, dtype=np.int32)
        ends = (
            np.concatenate([self._moves.start, self._moves.end]),
            np.concatenate([self._moves.end, self._moves.start]),
        )
        self._pattern = csr_array(coo_array((slots, ends), shape=(size, size)).tocsr())
        self._graph: tuple[RoadClass, csr_array[np.float64]] | None = None

    def graph(self, road: RoadClass) -> csr_array[np.float64]:
        """Return the moves of one class of road and their costs; the last one made is kept."""
        if self._graph is None or self._graph[0] is not road:
            cost = self._cost(road)
            data = np.concatenate([cost, cost])[self._pattern.data - 1]
            pattern = self._pattern
            self._graph = road, csr_array((data, pattern.indices, pattern.indptr), shape=pattern.shape)
        return self._graph[1]

    def _cost(self, road: RoadClass) -> FloatArray:
        """Return the cost of each move, in metres of level road."""
        moves = self._moves
        steep = moves.grade / road.max_grade
        factor = 1.0 + 0.8 * steep**2 + np.where(steep > 1.0, 6.0 + 60.0 * (steep - 1.0), 0.0)
        whim = np.sqrt(self._whim[moves.start] * self._whim[moves.end])
        return np.asarray(moves.length_m * factor * whim + road.bridge_m * moves.over_water, dtype=np.float64)

    def moves_and_costs(self, road: RoadClass) -> tuple[_Moves, FloatArray]:
        """Return all moves (one way each) and what they cost for a class of road."""
        return self._moves, self._cost(road)

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

    One search from all places divides the land among them; a move from one place's share to another's is a possible
    connection, and the longer the detour it saves for its cost, the better. Afterwards detours are measured again.
    """
    sources = np.unique(np.array(cells, dtype=np.int64))
    found = dijkstra(layer.graph(UNCLASSIFIED), indices=sources, directed=True, return_predecessors=True, min_only=True)
    before = found[1]
    joins = _joins(layer, UNCLASSIFIED, found[0], found[2])
    at = np.searchsorted(sources, np.column_stack([found[2][joins.start], found[2][joins.end]]))
    for _ in range(count):
        detour_m = _road_distances(layer.relief, plan, sources)[at[:, 0], at[:, 1]]
        saved = np.where(np.isfinite(detour_m), detour_m, 0.0) / (joins.cost + 1_500.0)
        best = int(np.argmax(saved)) if len(saved) else -1
        if best < 0 or saved[best] < LEAST_SAVING:
            return
        line = _trace(before, int(joins.start[best])) + _trace(before, int(joins.end[best]))[::-1]
        plan.add_path(line, UNCLASSIFIED)


@dataclass(frozen=True)
class _Joins:
    """The cheapest connection between each two neighbouring shares of land: the move that joins them, its cost."""

    start: IntArray
    end: IntArray
    cost: FloatArray


def _joins(layer: _Layer, road: RoadClass, cost: FloatArray, owner: npt.NDArray[np.int32]) -> _Joins:
    moves, step = layer.moves_and_costs(road)
    a, b = moves.start, moves.end
    border = np.flatnonzero((owner[a] != owner[b]) & (owner[a] >= 0) & (owner[b] >= 0))
    a, b, total = a[border], b[border], (cost[a] + cost[b] + step)[border]
    low, high = np.minimum(owner[a], owner[b]), np.maximum(owner[a], owner[b])
    order = np.lexsort((b, a, total, high, low))
    first = np.concatenate([[True], (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)])[: len(order)]
    chosen = order[first]
    return _Joins(a[chosen], b[chosen], total[chosen])


def _road_distances(relief: Relief, plan: RoadPlan, sources: IntArray) -> FloatArray:
    """Return metres by road between cells on roads (ascending), shape (k, k); inf where there is no road."""
    cells, ends = np.unique(np.array(list(plan.links), dtype=np.int64), return_inverse=True)
    ends = ends.reshape(-1, 2)
    rows, cols = cells[ends] // plan.cols, cells[ends] % plan.cols
    length_m = relief.cell_m * np.hypot(rows[:, 0] - rows[:, 1], cols[:, 0] - cols[:, 1])
    graph = coo_array((length_m, (ends[:, 0], ends[:, 1])), shape=(len(cells), len(cells))).tocsr()
    at = np.searchsorted(cells, sources)
    return np.asarray(dijkstra(graph, indices=at, directed=False)[:, at], dtype=np.float64)


def _cut_off(plan: RoadPlan, settlements: Sequence[Settlement], cell: Sequence[int]) -> list[int]:
    """Take away the tracks to some isolated groups: those that lie farthest from all other roads.

    Only dead ends that serve nobody else are taken, so that the others keep their road. Return the groups.
    """
    around = _neighbours(plan)
    used = set(cell)
    road = plan.cells()
    spurs = []
    for k, place in enumerate(settlements):
        if not (place.level is Level.GROUP and place.isolated) or len(around.get(cell[k], ())) != 1:
            continue
        spur = _spur(around, cell[k], used)
        others = np.setdiff1d(road, spur[:-1])
        rows, cols = others // plan.cols - place.row, others % plan.cols - place.col
        spurs.append((-int((rows**2 + cols**2).min()), k, spur))
    wanted = max(1, round(NO_ROAD_SHARE * sum(place.level is Level.GROUP for place in settlements)))
    chosen = sorted(spurs)[:wanted]
    for _, _, spur in chosen:
        for a, b in pairwise(spur):
            plan.links.pop((min(a, b), max(a, b)), None)
    return [k for _, k, _ in chosen]


def _spur(around: Mapping[int, Sequence[int]], leaf: int, used: Collection[int]) -> list[int]:
    """Return the cells from a dead end to the first junction or settlement on the way."""
    spur = [leaf, around[leaf][0]]
    while len(around[spur[-1]]) == 2 and spur[-1] not in used:
        near = around[spur[-1]]
        spur.append(near[0] if near[0] != spur[-2] else near[1])
    return spur


def _lay_footpaths(layer: _Layer, plan: RoadPlan, cells: Sequence[int]) -> None:
    """Lay a footpath to each of some cells."""
    _, before = layer.from_roads(plan.cells(), PATH)
    for cell in cells:
        plan.add_path(_trace(before, cell), PATH)


def _neighbours(plan: RoadPlan) -> dict[int, list[int]]:
    """Return the cells each road cell is joined to, in order."""
    around: dict[int, list[int]] = {}
    for a, b in sorted(plan.links):
        around.setdefault(a, []).append(b)
        around.setdefault(b, []).append(a)
    return around


def chains(plan: RoadPlan, kept: Collection[int] = ()) -> Iterator[tuple[list[int], int]]:
    """Yield stretches of road between junctions, ends, changes of class and `kept` cells: cells, class rank."""
    around = _neighbours(plan)

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
