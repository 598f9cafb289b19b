"""Courses of the bus lines of a synthetic county: along its roads, from the seat to each town and round villages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from geodata.location import FloatArray, Level
from geodata.synthetic_roads import UNCLASSIFIED
from geodata.synthetic_settlements import Settlement
from geodata.synthetic_streets import SyntheticStreets

SERVED_WITHIN_M = 1_500.0
"""A village counts as served if a line passes so near (domain notes 5)."""
STOP_APART_M = 400.0
"""Two stops of a line are not nearer along the road."""
SPEED_KMH = (38.0, 30.0, 20.0)
"""Mean speeds of buses by class rank, for choosing courses; times come from the street network."""


@dataclass(frozen=True, slots=True)
class BusCourse:
    """One direction of a line: street nodes in driving order, and which settlement each stop among them serves."""

    ref: str
    nodes: tuple[int, ...]
    stops: tuple[tuple[int, int], ...]
    """(position in `nodes`, index of the settlement served), in order."""
    is_town_line: bool


def lay_bus_courses(
    streets: SyntheticStreets, settlements: Sequence[Settlement], town_loops: int, at_m: FloatArray
) -> list[BusCourse]:
    """Return the outward courses: one from the hub to each town, then lines from towns to their farthest villages.

    Parameters
    ----------
    streets
        The street network.
    settlements
        Hub first.
    town_loops
        Number of village lines (each from a town to a village), for the towns with most villages off the town lines.
    at_m
        Shape (n, 2): positions of the settlements, metres.
    """
    roads = _Roads(streets, at_m)
    towns = [k for k, place in enumerate(settlements) if place.level is Level.TOWN]
    served: set[int] = set()
    courses = []
    for number, town in enumerate(towns, start=1):
        line = roads.course(0, town)
        stops = roads.stops(line, settlements, (0, town))
        served |= {place for _, place in stops}
        courses.append(BusCourse(f"{100 + number}", tuple(line), stops, is_town_line=True))
    for number in range(1, town_loops + 1):
        ends = roads.far_village(settlements, served)
        if ends is None:
            break
        line = roads.course(*ends)
        stops = roads.stops(line, settlements, ends)
        served |= {place for _, place in stops} | {ends[1]}
        courses.append(BusCourse(f"{200 + number}", tuple(line), stops, is_town_line=False))
    return courses


class _Roads:
    """Bus roads of a county as a graph: primary, secondary and village roads, no tracks."""

    def __init__(self, streets: SyntheticStreets, at_m: FloatArray) -> None:
        usable = [way for way in streets.ways if way.rank <= UNCLASSIFIED.rank and "maxweight" not in way.tags]
        pairs = np.array([pair for way in usable for pair in pairwise(way.nodes)], dtype=np.int64)
        speed = np.array([SPEED_KMH[way.rank] for way in usable for _ in way.nodes[1:]])
        xy = np.column_stack([streets.x_m, streets.y_m])
        length_m = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
        n = len(xy)
        self.xy = xy
        self.at_m = at_m
        self.graph = csr_array(coo_array((length_m / speed * 3.6, (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr())
        self._nodes = np.unique(pairs)
        self._tree = KDTree(xy[self._nodes])

    def node_of(self, place: int) -> int:
        """Return the road node nearest to a settlement."""
        return int(self._nodes[int(self._tree.query(self.at_m[place])[1])])

    def course(self, start: int, end: int) -> list[int]:
        """Return the nodes of the quickest way between two settlements (one alone if there is none)."""
        source, node = self.node_of(start), self.node_of(end)
        sources = np.array([source], dtype=np.int64)
        before = dijkstra(self.graph, directed=False, indices=sources, return_predecessors=True)[1][0]
        found = [node]
        while before[found[-1]] >= 0:
            found.append(int(before[found[-1]]))
        return found[::-1]

    def stops(
        self, line: list[int], settlements: Sequence[Settlement], ends: tuple[int, int]
    ) -> tuple[tuple[int, int], ...]:
        """Return stops at both ends and at the hub, towns and villages the line passes, in order along it."""
        tree = KDTree(self.xy[line])
        length_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.xy[line], axis=0).T))])
        near: list[tuple[int, int]] = []
        for k, place in enumerate(settlements):
            if place.level is Level.GROUP:
                continue
            away_m, position = tree.query(self.at_m[k])
            if away_m <= SERVED_WITHIN_M:
                near.append((int(position), k))
        near.sort(key=lambda stop: (stop[1] not in ends, settlements[stop[1]].level.depth, stop))
        chosen: list[tuple[int, int]] = []
        for at, k in near:
            if all(abs(length_m[at] - length_m[other]) >= STOP_APART_M for other, _ in chosen):
                chosen.append((at, k))
        return tuple(sorted(chosen))

    def far_village(self, settlements: Sequence[Settlement], served: set[int]) -> tuple[int, int] | None:
        """Return (town, village) of the next village line: to the unserved village farthest by road from its town."""
        open_villages = [k for k, place in enumerate(settlements) if place.level is Level.VILLAGE and k not in served]
        best: tuple[float, int, int] | None = None
        towns = [k for k, place in enumerate(settlements) if place.level is Level.TOWN]
        if not towns or not open_villages:
            return None
        time_s = dijkstra(self.graph, directed=False, indices=[self.node_of(town) for town in towns])
        for village in open_villages:
            by_town = time_s[:, self.node_of(village)]
            nearest = int(np.argmin(by_town))
            if np.isfinite(by_town[nearest]) and (best is None or by_town[nearest] > best[0]):
                best = (float(by_town[nearest]), towns[nearest], village)
        return None if best is None else best[1:]
