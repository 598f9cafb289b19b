"""The shape of roads in plan and height: curve radii, elevations smoothed along roads, grades.

Elevation from 3-arcsecond tiles is coarse: read point by point it puts grades above 12 % on a third of Andorra's
roads. Here the road surface is the least-squares answer to "close to the terrain, yet with little change of height
along the road": (M W + L² K) z = M W d with d the terrain at the nodes, M the metres of road per node, K the stiffness
matrix of the road graph (1/length per edge) and W = 0 inside tunnels and on bridges, which so run straight between
their ends. Away from junctions this is a moving average with the kernel exp(−|s|/L)/2L. What is still too steep for
its class of road is then cut to the class's limit by the mean of the two Lipschitz envelopes of z.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import splu

from geodata.location import FloatArray
from geodata.osm_tags import HIGHWAYS

SMOOTHING_M = 60.0
"""L above: as wide (standard deviation) as a plain moving average over sqrt(24)·L = 294 m of road."""
CURVE_REACH_M = 15.0
"""A change of heading at a vertex is taken as driven over this many metres before and after it."""
LEAST_RADIUS_M = 4.0
"""No road vehicle turns tighter (a small van's turning radius is about 5 m)."""
UNTRUSTED_WEIGHT = 1e-6
"""Weight of the terrain where the road is not on it (tunnels, bridges, outside the tiles), against 1 elsewhere."""

GRADE_CAPS: dict[str, float] = {
    "motorway": 0.06,
    "motorway_link": 0.08,
    "trunk": 0.08,
    "trunk_link": 0.08,
    "primary": 0.10,
    "primary_link": 0.10,
    "secondary": 0.11,
    "secondary_link": 0.11,
    "tertiary": 0.12,
    "tertiary_link": 0.12,
    "unclassified": 0.14,
    "residential": 0.15,
    "living_street": 0.15,
    "service": 0.16,
    "road": 0.15,
    "track": 0.20,
    "pedestrian": 0.20,
    "cycleway": 0.20,
    "bridleway": 0.40,
    "path": 0.60,
    "footway": 0.40,
    "steps": 0.80,
    "corridor": 0.10,
    "ferry": 0.30,
}
"""Steepest grade believed of each class; design limits are 6-9 % (domain notes 2d), old mountain roads exceed them."""


class ElevationModel(Protocol):
    """What the roads need of a terrain."""

    def elevation_m(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        """Return heights in metres at points in degrees, nan outside the terrain."""


def smooth_elevation(
    ground_m: FloatArray,
    edge_from: npt.NDArray[np.int64],
    edge_to: npt.NDArray[np.int64],
    length_m: FloatArray,
    highway: npt.NDArray[np.uint8],
    off_ground: npt.NDArray[np.bool_],
) -> FloatArray:
    """Return the height of the road surface at each node.

    Parameters
    ----------
    ground_m
        Terrain at the nodes, shape (n,), nan where unknown.
    edge_from, edge_to, length_m, highway, off_ground
        Undirected segments, shape (s,): end nodes, metres, class codes, True in tunnels and on bridges.

    Returns
    -------
    numpy.ndarray
        Shape (n,); on every segment |rise| ≤ cap of its class × length.
    """
    n = ground_m.size
    half = length_m / 2.0
    metres = _sum_at(edge_from, half, n) + _sum_at(edge_to, half, n)
    on_ground = np.where(off_ground, 0.0, half)
    grounded = _sum_at(edge_from, on_ground, n) + _sum_at(edge_to, on_ground, n)
    known = np.isfinite(ground_m)
    fallback = float(ground_m[known].mean()) if known.any() else 0.0
    weight = np.where(known, grounded, 0.0) + UNTRUSTED_WEIGHT * metres + UNTRUSTED_WEIGHT
    stiffness = SMOOTHING_M**2 / length_m
    diagonal = weight + _sum_at(edge_from, stiffness, n) + _sum_at(edge_to, stiffness, n)
    nodes = np.arange(n)
    matrix = sparse.csc_matrix(
        (
            np.concatenate([diagonal, -stiffness, -stiffness]),
            (np.concatenate([nodes, edge_from, edge_to]), np.concatenate([nodes, edge_to, edge_from])),
        ),
        shape=(n, n),
    )
    smooth = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(
        weight * np.where(known, ground_m, fallback)
    )
    caps = np.array([GRADE_CAPS[name] for name in HIGHWAYS])[highway]
    return _cap_grades(np.asarray(smooth, dtype=np.float64), edge_from, edge_to, caps * length_m)


def _sum_at(index: npt.NDArray[np.int64], values: FloatArray, n: int) -> FloatArray:
    return np.bincount(index, weights=values, minlength=n).astype(np.float64)


def _cap_grades(
    height_m: FloatArray, edge_from: npt.NDArray[np.int64], edge_to: npt.NDArray[np.int64], max_rise_m: FloatArray
) -> FloatArray:
    """Return heights near `height_m` that rise by at most `max_rise_m` on each segment.

    The mean of the greatest such function below and the least one above; both are one shortest-path search from a
    virtual node tied to every node by its height.
    """
    if edge_from.size == 0:
        return height_m
    below = _lower_envelope(height_m, edge_from, edge_to, max_rise_m)
    above = -_lower_envelope(-height_m, edge_from, edge_to, max_rise_m)
    return (below + above) / 2.0


def _lower_envelope(
    height_m: FloatArray, edge_from: npt.NDArray[np.int64], edge_to: npt.NDArray[np.int64], max_rise_m: FloatArray
) -> FloatArray:
    n = height_m.size
    base = float(height_m.min()) - 1.0
    # The least of parallel segments binds; csr_matrix would add them up.
    low, high = np.minimum(edge_from, edge_to), np.maximum(edge_from, edge_to)
    order = np.lexsort((max_rise_m, high, low))
    low, high, rise = low[order], high[order], max_rise_m[order]
    first = np.concatenate([[True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])])
    low, high, rise = low[first], high[first], np.maximum(rise[first], 1e-9)
    root = np.full(n, n, dtype=np.int64)
    graph = sparse.csr_matrix(
        (
            np.concatenate([rise, rise, height_m - base]),
            (np.concatenate([low, high, root]), np.concatenate([high, low, np.arange(n)])),
        ),
        shape=(n + 1, n + 1),
    )
    return np.asarray(dijkstra(graph, directed=True, indices=np.array([n]))[0, :n] + base, dtype=np.float64)


def curve_radii_m(x_y_m: FloatArray, reach_m: float = CURVE_REACH_M) -> FloatArray:
    """Return the curve radius of each segment of a line.

    The heading is averaged over `reach_m` before and after each point, so that digitising noise and single sharp
    vertices count as the bend a vehicle drives; the radius is length over change of that heading.

    Parameters
    ----------
    x_y_m
        Points of the line in metres, shape (k, 2), k ≥ 2.

    Returns
    -------
    numpy.ndarray
        Metres, shape (k - 1,), inf where straight.
    """
    steps = np.diff(x_y_m, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    # A step of no length has no heading: it takes that of the step before.
    known = np.maximum.accumulate(np.where(lengths > 0.0, np.arange(lengths.size), 0))
    heading = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0])[known])
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    # Integral of the heading along the line, continued straight beyond both ends.
    far = reach_m + 1.0
    knots = np.concatenate([[-far], along, [along[-1] + far]])
    area = np.concatenate([[0.0], np.cumsum(lengths * heading)])
    integral = np.concatenate([[-far * heading[0]], area, [area[-1] + far * heading[-1]]])
    mean_heading = (np.interp(along + reach_m, knots, integral) - np.interp(along - reach_m, knots, integral)) / (
        2.0 * reach_m
    )
    turn = np.abs(np.diff(mean_heading))
    with np.errstate(divide="ignore"):
        return np.where(turn > 1e-9, np.maximum(lengths / np.maximum(turn, 1e-12), LEAST_RADIUS_M), np.inf)
