"""Flight paths seen from the side: the shortest string between clearance and ceiling over the terrain.

Along each way the ground is sampled where the way crosses the lines of the elevation grid: there lie all kinks of the
bilinear surface. Between two samples the ground bulges above, or sags below, its chord by a known amount (it is a
parabola; mostly less than 2 m), and the band is narrowed by that amount. A line that is straight between samples and
within the band at the samples is therefore legal everywhere, not only where it was looked at.

Within the band the *taut string* is flown. Of all lines in the band it has the least value of the sum of any convex
function of the slope (Condat 2013, doi:10.1109/LSP.2013.2278339, section II): least climb, least length, and least
time under limits of climb and descent at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.drones import DroneType
from geodata.flight_airspace import Layer, Plane
from geodata.flight_loops import band_of_heights, ground_along, lines_crossed, pull_strings
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
    touched, height = pull_strings(samples.along_m, low, high, samples.first[legal], samples.last[legal])
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
    found = lines_crossed(grid, grid_step)
    rims = [np.clip(share, 0.0, 1.0) + owner for owner, share in (_rim_crossed(pieces, layer.area) for layer in layers)]
    if rims:
        found = np.sort(np.concatenate([found, *rims]), kind="stable")
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
    u, v = (lon - terrain.west) / terrain.step_lon, (terrain.north - lat) / terrain.step_lat
    return ground_along(terrain.heights_m, u, v, last)


def _band(samples: _Samples, plane: Plane, drone: DroneType, layers: Sequence[Layer]) -> tuple[FloatArray, FloatArray]:
    """Return the least and greatest legal height above sea level at each sample."""
    ceiling = _ceiling_agl_m(samples, plane, layers)
    low, high = band_of_heights(samples.ground_m, samples.bulge_m, ceiling, samples.first, drone.clearance_m)
    return low + SLACK_M, high - SLACK_M


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
