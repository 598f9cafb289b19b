"""Flight paths seen from the side: the shortest string between clearance and ceiling over the terrain.

Along each way the ground is sampled where the way crosses the lines of the elevation grid: there lie all kinks of the
bilinear surface. Between two samples the ground bulges above, or sags below, its chord by a known amount (it is a
parabola; mostly less than 2 m), and the band is narrowed by that amount. A line that is straight between samples and
within the band at the samples is therefore legal everywhere, not only where it was looked at.

Within the band the *taut string* is flown. Of all lines in the band it has the least value of the sum of any convex
function of the slope (Condat 2013, doi:10.1109/LSP.2013.2278339, section II): least climb, least length, and least
time under limits of climb and descent at once. All legs are strung together, one numpy step for a sample of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.drones import DroneType
from geodata.flight_airspace import Layer, Plane
from geodata.location import FloatArray
from geodata.terrain import Terrain

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CEILING_AGL_M = 120.0
"""Above this height over ground airspace is controlled (Interim Regulation on unmanned aircraft, Art. 19)."""
SLACK_M = 0.5
"""Kept from both limits: heights are written in centimetres, coordinates to a hundred-millionth of a degree."""
CLOSEST_M = 0.05
"""Samples closer than this are one."""
EDGE_M = 5.0
"""Corridors are taken this much smaller, lids this much larger."""
TIDY_EVERY = 16
"""Steps between two looks at which strings are at their end."""
VERTEX_EVERY_M = 2_000.0
"""Longest piece of a line: readers that draw it in another projection stay within a decimetre."""


@dataclass(frozen=True)
class _Samples:
    """Samples of all ways end to end; leg i has samples ``first[i]`` to ``last[i]``, at least two."""

    first: IntArray
    last: IntArray
    leg: IntArray
    lon: FloatArray
    lat: FloatArray
    along_m: FloatArray
    """Metres in plan from the start of the leg."""
    ground_m: FloatArray
    bulge_m: FloatArray
    """How far the ground rises above (or, negative, lies below) the chord to the next sample of the leg."""
    is_corner: BoolArray


@dataclass(frozen=True)
class Profile:
    """A legal line of one leg, or what narrows the band to nothing.

    Parameters
    ----------
    line
        float64 array of shape (n, 3): longitude, latitude, metres above sea level; None if there is no legal line.
    lacking_m
        Without a line: by how many metres the limits overlap; nan where the terrain is not known.
    """

    line: FloatArray | None
    lacking_m: float = 0.0


def string_profiles(
    terrain: Terrain, plane: Plane, ways: Sequence[FloatArray], drone: DroneType, layers: Sequence[Layer]
) -> list[Profile]:
    """Return the taut-string profile of each way.

    Parameters
    ----------
    terrain
        Ground heights.
    plane
        Plane of the layers; lengths are measured in it.
    ways
        Corners in longitude, latitude, arrays of shape (c, 2) with c ≥ 2; first and last at different points.
    drone
        Gives the clearance.
    layers
        Lids and corridors in the plane.
    """
    if not ways:
        return []
    limits = [
        Layer(layer.kind, layer.limit_agl_m, layer.area.buffer(EDGE_M if layer.kind == "lid" else -EDGE_M))
        for layer in layers
    ]
    samples = _sample(terrain, plane, ways, limits)
    low, high = _band(samples, plane, drone, limits)
    lacking = np.maximum.reduceat(np.where(np.isnan(samples.ground_m), np.inf, low - high), samples.first)
    legal = lacking < 0.0
    at_ends = np.concatenate([samples.first, samples.last])
    high[at_ends] = low[at_ends]
    if not legal.any():
        return [Profile(None, _finite(lack)) for lack in lacking]
    touched, height = _pull_string(samples.along_m, low, high, samples.first[legal], samples.last[legal])
    lines = _lines(samples, touched, height, legal)
    return [Profile(lines[i]) if legal[i] else Profile(None, _finite(lack)) for i, lack in enumerate(lacking)]


def _finite(lacking_m: float) -> float:
    """Return how much is lacking, nan where the ground is not known."""
    return float(lacking_m) if np.isfinite(lacking_m) else float("nan")


def _sample(terrain: Terrain, plane: Plane, ways: Sequence[FloatArray], layers: Sequence[Layer]) -> _Samples:
    """Sample the ground where ways cross the lines of the grid and the rims of layers."""
    pieces = _Pieces.of(plane, ways)
    grid = (pieces.corners - (terrain.west, terrain.north)) / (terrain.step_lon, -terrain.step_lat)
    grid_step = pieces.step / (terrain.step_lon, -terrain.step_lat)
    # A sample is piece + share of its length, so that sorting puts them in order along all ways.
    at = [np.arange(len(grid), dtype=np.float64)]
    for axis in range(2):
        owner, line = _lines_crossed(grid[:, axis], grid[:, axis] + grid_step[:, axis])
        share: FloatArray = (line - grid[owner, axis]) / grid_step[owner, axis]
        at.append(share + owner)
    for layer in layers:
        owner, share = _rim_crossed(pieces, layer.area)
        at.append(np.clip(share, 0.0, 1.0) + owner)
    found = np.sort(np.concatenate(at), kind="stable")
    found = found[np.concatenate([[True], np.diff(found) > 0.0])]
    is_corner, along = found == np.floor(found), pieces.along(found)
    near = np.diff(along) < CLOSEST_M
    keep = is_corner | ~(np.concatenate([[False], near]) | np.concatenate([near & is_corner[1:], [False]]))
    found, along, is_corner = found[keep], along[keep], is_corner[keep]
    lon, lat = pieces.position(found)
    leg = pieces.leg[found.astype(np.int64)]
    first = np.flatnonzero(np.concatenate([[True], leg[1:] != leg[:-1]]))
    last = np.concatenate([first[1:] - 1, [len(leg) - 1]])
    ground_m, bulge_m = _ground(terrain, lon, lat, last)
    along_m = along - along[first][leg]
    return _Samples(first, last, leg, lon, lat, along_m, ground_m, bulge_m, is_corner)


@dataclass(frozen=True)
class _Pieces:
    """Straight pieces of all ways: one for each corner, leading to the next; of no length at the end of a way."""

    corners: FloatArray
    step: FloatArray
    leg: IntArray
    xy_m: FloatArray
    step_m: FloatArray
    length_m: FloatArray
    behind_m: FloatArray

    @classmethod
    def of(cls, plane: Plane, ways: Sequence[FloatArray]) -> _Pieces:
        sizes = np.array([len(way) for way in ways], dtype=np.int64)
        corners = np.concatenate(ways)
        ends = np.cumsum(sizes) - 1
        ahead = np.arange(1, len(corners) + 1)
        ahead[ends] = ends
        xy_m = plane.to_metres(corners)
        step_m = xy_m[ahead] - xy_m
        length_m = np.hypot(step_m[:, 0], step_m[:, 1])
        return cls(
            corners=corners,
            step=corners[ahead] - corners,
            leg=np.repeat(np.arange(len(ways)), sizes),
            xy_m=xy_m,
            step_m=step_m,
            length_m=length_m,
            behind_m=np.concatenate([[0.0], np.cumsum(length_m)[:-1]]),
        )

    def along(self, at: FloatArray) -> FloatArray:
        """Return metres from the start of the first piece, for samples in order given as piece + share of it."""
        owner, count = self._owners(at)
        return np.repeat(self.behind_m, count) + (at - owner) * np.repeat(self.length_m, count)

    def position(self, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return longitude and latitude of samples in order given as piece + share of it."""
        owner, count = self._owners(at)
        share = at - owner
        lon, lat = (np.repeat(self.corners[:, k], count) + share * np.repeat(self.step[:, k], count) for k in range(2))
        return lon, lat

    def _owners(self, at: FloatArray) -> tuple[IntArray, IntArray]:
        """Return the piece of each sample and the number of samples of each piece."""
        owner = at.astype(np.int64)
        return owner, np.bincount(owner, minlength=len(self.leg))


def _lines_crossed(start: FloatArray, end: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return (piece, whole number) for every whole number strictly between the ends of each piece, in order."""
    lowest = np.floor(np.minimum(start, end)).astype(np.int64) + 1
    highest = np.ceil(np.maximum(start, end)).astype(np.int64) - 1
    count = np.maximum(highest - lowest + 1, 0)
    owner = np.repeat(np.arange(len(start), dtype=np.int64), count)
    # Counted down where the piece runs down: the sort that follows is quick where all is in order already.
    falls = end < start
    nearest, sign = np.where(falls, highest, lowest), np.where(falls, -1, 1)
    before = np.concatenate([[0], np.cumsum(count)[:-1]])
    line = (nearest - sign * before)[owner] + sign[owner] * np.arange(len(owner))
    return owner, line.astype(np.float64)


def _rim_crossed(pieces: _Pieces, area: BaseGeometry) -> tuple[IntArray, FloatArray]:
    """Return (piece, share of its length) for every point where a piece meets the rim of an area."""
    rim = area.boundary
    shapely.prepare(rim)
    lines = np.asarray(shapely.linestrings(np.stack([pieces.xy_m, pieces.xy_m + pieces.step_m], axis=1)))
    hit = np.flatnonzero(shapely.intersects(rim, lines) & (pieces.length_m > 0.0))
    points, at = shapely.get_coordinates(shapely.intersection(lines[hit], rim), return_index=True)
    owner = hit[at]
    share = ((points - pieces.xy_m[owner]) * pieces.step_m[owner]).sum(axis=1) / pieces.length_m[owner] ** 2
    return owner, share


def _ground(terrain: Terrain, lon: FloatArray, lat: FloatArray, last: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the ground at samples, and how far it rises above the chord halfway to the next sample of the leg.

    The ground is that of `Terrain.elevation_m`. Both come of one look at the cell a sample and the next lie in: there
    the surface is ``a + b u + c v + w u v`` with w the twist of the four corners, and along a straight line the last
    term is a parabola, whose middle is off the chord by ``−w Δu Δv / 4``.
    """
    rows, cols = terrain.heights_m.shape
    u, v = (lon - terrain.west) / terrain.step_lon, (terrain.north - lat) / terrain.step_lat
    outside = _outside(u, cols) | _outside(v, rows)
    u, v = np.clip(u, 0.0, cols - 1.0), np.clip(v, 0.0, rows - 1.0)
    d_u, d_v = np.diff(u, append=u[-1]), np.diff(v, append=v[-1])
    d_u[last] = d_v[last] = 0.0
    col = np.minimum((u + d_u / 2.0).astype(np.int64), cols - 2)
    row = np.minimum((v + d_v / 2.0).astype(np.int64), rows - 2)
    heights, corner = terrain.heights_m.ravel(), row * cols + col
    a, b, c, d = (heights[corner + by].astype(np.float64) for by in (0, 1, cols, cols + 1))
    u -= col
    v -= row
    east, twist = b - a, a - b - c + d
    ground_m = a + east * u + (c - a + twist * u) * v
    ground_m[outside] = np.nan
    return ground_m, np.nan_to_num(twist * d_u * d_v * -0.25)


def _outside(position: FloatArray, count: int) -> BoolArray:
    """Return which positions on an axis of the grid have no height; the rim's is held for half a step."""
    return np.asarray((position < -0.5) | (position > count - 0.5))


def _band(samples: _Samples, plane: Plane, drone: DroneType, layers: Sequence[Layer]) -> tuple[FloatArray, FloatArray]:
    """Return the least and greatest legal height above sea level at each sample."""
    ceiling = _ceiling_agl_m(samples, plane, layers)
    raised, lowered = np.maximum(samples.bulge_m, 0.0), np.maximum(-samples.bulge_m, 0.0)
    # Each sample bounds the piece before it and the piece after it; the last of a leg has no bulge of its own.
    before = samples.first
    raised_before, lowered_before, ceiling_before = (np.roll(array, 1) for array in (raised, lowered, ceiling))
    raised_before[before] = lowered_before[before] = 0.0
    ceiling_before[before] = np.inf
    low = samples.ground_m + drone.clearance_m + SLACK_M + np.maximum(raised, raised_before)
    high = samples.ground_m - SLACK_M - np.maximum(lowered, lowered_before) + np.minimum(ceiling, ceiling_before)
    return low, high


def _ceiling_agl_m(samples: _Samples, plane: Plane, layers: Sequence[Layer]) -> FloatArray:
    """Return the ceiling over ground on the piece after each sample."""
    ceiling = np.full(len(samples.leg), CEILING_AGL_M)
    ceiling[samples.last] = np.inf
    if not layers:
        return ceiling
    xy_m = plane.to_metres(np.column_stack([samples.lon, samples.lat]))
    middle = (xy_m + np.roll(xy_m, -1, axis=0)) / 2.0
    for layer in sorted(layers, key=lambda layer: layer.kind):
        shapely.prepare(layer.area)
        inside = np.asarray(shapely.contains_xy(layer.area, middle[:, 0], middle[:, 1]))
        limit = np.maximum if layer.kind == "corridor" else np.minimum
        ceiling[inside] = limit(ceiling[inside], layer.limit_agl_m)
    ceiling[samples.last] = np.inf
    return ceiling


def _pull_string(
    along: FloatArray, low: FloatArray, high: FloatArray, first: IntArray, last: IntArray
) -> tuple[BoolArray, FloatArray]:
    """Return where the taut strings of all legs bend (and their ends), and their height there.

    From a bend the string runs straight as long as one slope stays between all limits seen; where the least slope
    allowed passes the greatest, it bends at the limit that was binding, and the search goes on from there.
    """
    touched = np.zeros(len(along), dtype=np.bool_)
    height = np.zeros(len(along))
    touched[first], height[first] = True, low[first]
    touched[last], height[last] = True, low[last]
    strings = _Strings.starting(last, first, along[first], low[first])
    while len(strings.last):
        for _ in range(TIDY_EVERY):
            # A string at its end sees that sample again until the next tidying, which changes nothing.
            k = np.minimum(strings.seen, strings.last)
            run = np.maximum(along[k] - strings.bend_along, 1e-6)
            low_slope, high_slope = (low[k] - strings.bend_m) / run, (high[k] - strings.bend_m) / run
            up = low_slope > strings.most
            bent = np.flatnonzero(up | (high_slope < strings.least))
            strings.see(k, low_slope, high_slope)
            if len(bent):
                at = np.where(up[bent], strings.most_at[bent], strings.least_at[bent])
                bend_m = np.where(up[bent], high[at], low[at])
                touched[at], height[at] = True, bend_m
                strings.bend(bent, at, along[at], bend_m)
        strings = strings.unfinished()
    return touched, height


@dataclass
class _Strings:
    """Where each string stands: its last bend, the next sample to see, the slopes still allowed and what bounds them.

    Arrays of shape (strings,), changed in place.
    """

    last: IntArray
    seen: IntArray
    bend_along: FloatArray
    bend_m: FloatArray
    least: FloatArray
    least_at: IntArray
    most: FloatArray
    most_at: IntArray

    @classmethod
    def starting(cls, last: IntArray, at: IntArray, along: FloatArray, height: FloatArray) -> _Strings:
        """Return strings fixed at their first sample."""
        least, most = np.full(len(at), -np.inf), np.full(len(at), np.inf)
        return cls(last.copy(), at + 1, along, height, least, at.copy(), most, at.copy())

    def see(self, k: IntArray, low_slope: FloatArray, high_slope: FloatArray) -> None:
        """Narrow the slopes by sample k of each string, and go on to the next."""
        tighter = low_slope >= self.least
        np.copyto(self.least_at, k, where=tighter)
        np.maximum(self.least, low_slope, out=self.least)
        tighter = high_slope <= self.most
        np.copyto(self.most_at, k, where=tighter)
        np.minimum(self.most, high_slope, out=self.most)
        self.seen = k + 1

    def bend(self, bent: IntArray, at: IntArray, along: FloatArray, height: FloatArray) -> None:
        """Bend some strings at samples seen before, and look on from there."""
        self.bend_along[bent], self.bend_m[bent] = along, height
        self.least[bent], self.most[bent] = -np.inf, np.inf
        self.seen[bent] = at + 1

    def unfinished(self) -> _Strings:
        """Return the strings that have not seen their last sample."""
        on = self.seen <= self.last
        return _Strings(*(getattr(self, column.name)[on] for column in fields(self)))


def _lines(samples: _Samples, touched: BoolArray, height: FloatArray, legal: BoolArray) -> list[FloatArray]:
    """Return the lines: bends, corners, a vertex at least every `VERTEX_EVERY_M`; straight up and down at the ends."""
    stretch = np.floor(samples.along_m / VERTEX_EVERY_M)
    vertex = touched | samples.is_corner | np.concatenate([[False], np.diff(stretch) > 0])
    vertex &= legal[samples.leg]
    # One axis for all legs: each begins beyond the end of the one before.
    reach = float(samples.along_m.max()) + 1.0
    position = samples.along_m + reach * samples.leg
    heights = np.interp(position[vertex], position[touched], height[touched])
    lon, lat = samples.lon[vertex], samples.lat[vertex]
    points = np.column_stack([np.round(lon, 8), np.round(lat, 8), np.round(heights, 2)])
    leg = samples.leg[vertex]
    # Each line gets its pads on the ground before and after its vertices, which begin and end exactly above them; what
    # is written for a leg without a legal line is never read.
    found = np.empty((len(leg) + 2 * len(samples.first), 3))
    found[np.arange(len(leg)) + 2 * leg + 1] = points
    ends = np.searchsorted(leg, np.arange(len(samples.first)), side="right") + 2 * np.arange(1, len(samples.first) + 1)
    starts = np.concatenate([[0], ends[:-1]])
    for pad, at, above in ((samples.first, starts, starts + 1), (samples.last, ends - 1, ends - 2)):
        ground = np.column_stack([samples.lon[pad], samples.lat[pad], np.round(samples.ground_m[pad], 2)])
        found[above, :2] = ground[:, :2]
        found[at] = ground
    return [found[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
