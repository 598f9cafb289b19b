"""Flight paths seen from above: straight, or the shortest way round the zones that bar them, for many legs at once.

Zones are grown by a margin and walked round on the graph of their corners (`flight_corners`). Only zones that bar some
leg are taken into that graph, and more are added while a way found crosses others. A pad within the margin of a zone
is left straight: its own first line of sight may run through that margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.airspace import Zone
from geodata.flight_airspace import AirspaceView
from geodata.flight_corners import Cores, CornerGraph, Obstacle, Spared
from geodata.flight_types import FlightRefusal
from geodata.location import FloatArray

IntArray = npt.NDArray[np.int64]

MARGIN_M = 15.0
"""Flights keep this far from a zone they walk round."""
COARSE_M = 10.0
"""Outlines are simplified by this and one hundredth of their size before growing, to keep few corners."""
SKIN_M = 0.05
"""A way may touch the grown outline up to this depth: corners lie on it."""

_Shapes = tuple[tuple[int, float | None], ...]
"""Barriers, each with what it is grown by (None: the margin)."""
_Margins = Mapping[int, Mapping[int, float]]
"""Point → barrier → metres to grow it by instead of the margin, for points that lie within the margin."""


@dataclass(frozen=True)
class _Legs:
    """Legs between distinct points: leg i runs from ``points[start[i]]`` to ``points[end[i]]``."""

    points: FloatArray
    start: IntArray
    end: IntArray

    def of(self, legs: IntArray) -> _Legs:
        """Return some of the legs."""
        return _Legs(self.points, self.start[legs], self.end[legs])

    def straight(self) -> list[FloatArray]:
        """Return each leg as a way without turns."""
        return list(np.stack([self.points[self.start], self.points[self.end]], axis=1))


@dataclass
class Router:
    """Finds ways round the barriers of a view; keeps graphs of corners for the next legs."""

    view: AirspaceView
    _tree: shapely.STRtree = field(init=False)
    _cores: Cores = field(init=False)
    _obstacles: dict[tuple[int, float | None], Obstacle] = field(default_factory=dict)
    _graphs: dict[_Shapes, CornerGraph] = field(default_factory=dict)

    def __post_init__(self) -> None:
        obstacles = [self._obstacle(k, None) for k in range(len(self.view.barriers))]
        self._tree = shapely.STRtree([obstacle.outline for obstacle in obstacles])
        self._cores = Cores(obstacles)

    def routes(self, starts_m: FloatArray, ends_m: FloatArray) -> list[FloatArray | FlightRefusal]:
        """Return the corners of the way of each leg, shape (c, 2) in the plane, or why there is none.

        Parameters
        ----------
        starts_m, ends_m
            x, y in the plane, shape (n, 2).
        """
        found: list[FloatArray | FlightRefusal] = list(np.stack([starts_m, ends_m], axis=1))
        if self.view.barriers and found:
            points, index = np.unique(np.concatenate([starts_m, ends_m]), axis=0, return_inverse=True)
            start, end = index.reshape(2, -1).astype(np.int64)
            for leg, way in self._barred(_Legs(points, start, end)).items():
                found[leg] = way
        for leg, refusal in self._grounded(starts_m, ends_m).items():
            found[leg] = refusal
        return found

    def _grounded(self, starts_m: FloatArray, ends_m: FloatArray) -> dict[int, FlightRefusal]:
        """Return refusals of legs whose pads lie in a zone that may only be flown over."""
        refusals: dict[int, FlightRefusal] = {}
        for zone, area in self.view.ground:
            shapely.prepare(area)
            for end, points in (("start", starts_m), ("end", ends_m)):
                for leg in np.flatnonzero(shapely.contains_xy(area, points[:, 0], points[:, 1])):
                    refusals.setdefault(int(leg), _inside(zone, area, end, points[leg]))
        return refusals

    def _barred(self, legs: _Legs) -> dict[int, FloatArray | FlightRefusal]:
        """Return ways or refusals of the legs that may not be flown straight."""
        margins, inside = self._margins(legs.points)
        found: dict[int, FloatArray | FlightRefusal] = {}
        for name, at in (("end", legs.end), ("start", legs.start)):  # where both lie inside, the start is named
            for k in np.flatnonzero(np.isin(at, list(inside))).tolist():
                found[k] = _inside(*inside[int(at[k])], name, legs.points[at[k]])
        leg, barrier = self._crossed(legs.straight(), legs, margins)
        barred = np.setdiff1d(leg, list(found)).astype(np.int64)
        crossed = np.unique(barrier[np.isin(leg, barred)])
        ways = self._ways(legs.of(barred), crossed, margins, {})
        for k, way in zip(barred.tolist(), ways, strict=True):
            found[k] = self._squeezed(legs.of(np.array([k])), barrier[leg == k], margins) if way is None else way
        return found

    def _margins(self, points: FloatArray) -> tuple[_Margins, dict[int, tuple[Zone, BaseGeometry]]]:
        """Return how far barriers may be grown for points in their margin, and the barrier each other point is in."""
        margins: dict[int, dict[int, float]] = {}
        inside: dict[int, tuple[Zone, BaseGeometry]] = {}
        near = np.asarray(self._tree.query(shapely.points(points), "intersects")).T
        for point, k in sorted((int(point), int(k)) for point, k in near):
            zone, barrier = self.view.barriers[k]
            distance_m = float(barrier.distance(shapely.Point(points[point])))
            if distance_m == 0.0:
                inside.setdefault(point, (zone, barrier))
            else:
                margins.setdefault(point, {})[k] = distance_m / 2.0
        return margins, inside

    def _obstacle(self, k: int, margin_m: float | None) -> Obstacle:
        """Return a barrier grown by the margin (or by less)."""
        key = (k, margin_m)
        if key not in self._obstacles:
            barrier = self.view.barriers[k][1]
            if margin_m is None:
                west, south, east, north = barrier.bounds
                coarse_m = COARSE_M + 0.01 * float(np.hypot(east - west, north - south))
                outline = barrier.simplify(coarse_m).buffer(coarse_m + MARGIN_M, join_style="mitre", mitre_limit=2.0)
            else:
                outline = barrier.buffer(margin_m, quad_segs=2)
            core = outline.buffer(-min(SKIN_M, SKIN_M if margin_m is None else margin_m / 4.0))
            shapely.prepare(core)
            self._obstacles[key] = Obstacle(k, outline, core)
        return self._obstacles[key]

    def _crossed(self, ways: Sequence[FloatArray], legs: _Legs, margins: _Margins) -> tuple[IntArray, IntArray]:
        """Return (leg, barrier) for every barrier that the way of a leg runs through."""
        of = np.repeat(np.arange(len(ways)), [len(way) for way in ways])
        points = np.concatenate([np.zeros((0, 2)), *ways])
        step = np.flatnonzero(of[1:] == of[:-1])
        line, core = self._cores.crossed(np.stack([points[step], points[step + 1]], axis=1))
        leg, barrier = np.unique(np.stack([of[step[line]], core], axis=1), axis=0).reshape(-1, 2).T
        kept = np.ones(len(leg), dtype=np.bool_)
        at_margin = np.isin(legs.start[leg], list(margins)) | np.isin(legs.end[leg], list(margins))
        for i in np.flatnonzero(at_margin).tolist():
            k = int(barrier[i])
            ends = int(legs.start[leg[i]]), int(legs.end[leg[i]])
            less = [margins[end][k] for end in ends if k in margins.get(end, {})]
            if less:
                kept[i] = self._obstacle(k, min(less)).core.intersects(shapely.LineString(ways[leg[i]]))
        return leg[kept], barrier[kept]

    def _ways(
        self, legs: _Legs, crossed: IntArray, margins: _Margins, less: Mapping[int, float]
    ) -> list[FloatArray | None]:
        """Return the shortest way of each leg, None where there is none.

        Parameters
        ----------
        legs
            Legs that cannot be flown straight.
        crossed
            The barriers in their way.
        margins
            Of the points.
        less
            Barriers grown by less than the margin on all of the way, by what.
        """
        ways: list[FloatArray | None] = [None] * len(legs.start)
        spared = {} if less else self._spared(margins)
        barriers = {int(k) for k in crossed}
        unsettled = np.arange(len(ways))
        while len(unsettled):
            graph = self._graph(tuple((k, less.get(k)) for k in sorted(barriers)))
            tried = legs.of(unsettled)
            found = graph.ways(tried.points, tried.start, tried.end, spared)
            for k, way in zip(unsettled.tolist(), found, strict=True):
                ways[k] = way
            there = np.array([i for i, way in enumerate(found) if way is not None], dtype=np.int64)
            leg, barrier = self._crossed([way for way in found if way is not None], tried.of(there), margins)
            is_new = np.array([int(k) not in barriers for k in barrier], dtype=np.bool_)
            barriers |= {int(k) for k in barrier}
            unsettled = unsettled[there[np.unique(leg[is_new])]]
        return ways

    def _spared(self, margins: _Margins) -> Spared:
        """Return the cores that bar the view from points within margins."""
        return {
            point: {k: self._obstacle(k, margin_m).core for k, margin_m in near.items()}
            for point, near in margins.items()
        }

    def _graph(self, shapes: _Shapes) -> CornerGraph:
        if shapes not in self._graphs:
            self._graphs[shapes] = CornerGraph([self._obstacle(*shape) for shape in shapes])
        return self._graphs[shapes]

    def _squeezed(self, leg: _Legs, crossed: IntArray, margins: _Margins) -> FloatArray | FlightRefusal:
        """Return the way of one leg for which the margins leave none: those around its ends are cut down."""
        ends = int(leg.start[0]), int(leg.end[0])
        less: dict[int, float] = {}
        for end in ends:
            for k, margin_m in margins.get(end, {}).items():
                less[k] = min(less.get(k, margin_m), margin_m)
        way = self._ways(leg, crossed, margins, less)[0] if less else None
        if way is not None:
            return way
        straight = shapely.LineString(leg.points[list(ends)])
        barriers = [self.view.barriers[int(k)] for k in crossed]
        inside_m = float(sum(straight.intersection(barrier).length for _, barrier in barriers))
        names = ", ".join(dict.fromkeys(zone.name for zone, _ in barriers))
        return FlightRefusal("no_fly", inside_m, "m", f"no way round {names}; straight on, {inside_m:.0f} m lie inside")


def _inside(zone: Zone, area: BaseGeometry, end: str, point: FloatArray) -> FlightRefusal:
    """Return the refusal of a flight that starts or ends in a zone."""
    depth_m = float(area.boundary.distance(shapely.Point(point)))
    kind = "no-fly" if zone.kind == "no_fly" else zone.kind
    return FlightRefusal("no_fly", depth_m, "m", f"the {end} lies {depth_m:.0f} m inside the {kind} zone {zone.name}")
