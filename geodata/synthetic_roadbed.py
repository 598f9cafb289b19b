"""Cutting the roads of a synthetic county into its relief, as builders cut them into hillsides.

Roads are laid on a 90 m grid but drawn as smooth lines beside it; on a slope, a few metres aside are a few metres up.
The road surface is therefore smoothed along the road and held to the grade of its class, and the relief is moved to
meet it (mostly by less than 10 m), so that whoever reads the elevation grid finds roads of possible grades.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import ndimage

from geodata.location import FloatArray
from geodata.osm_tags import HIGHWAYS
from geodata.street_shape import GRADE_CAPS, smooth_elevation
from geodata.synthetic_roads import PATH
from geodata.synthetic_streets import SyntheticStreets
from geodata.synthetic_terrain import IntArray, Relief

BED_CLASSES = ("motorway", "motorway_link", "tertiary", "residential")
"""By class rank, the highway class whose believed greatest grade (`GRADE_CAPS`) is the one these roads are built to: 6,
8, 12 and 15 %."""
SWEEPS = 12


def cut_roads(relief: Relief, streets: SyntheticStreets) -> Relief:
    """Return the relief with the roads cut into it; footpaths, bridges and tunnels leave it as it is."""
    pairs, rank, off_ground = _segments(streets)
    length_m = np.hypot(*(np.diff(_points(streets)[pairs], axis=1)[:, 0].T))
    x, y = streets.x_m / relief.cell_m, streets.y_m / relief.cell_m
    ground_m = ndimage.map_coordinates(relief.elevation_m, [y, x], order=1, mode="nearest")
    codes = np.array([HIGHWAYS.index(name) for name in BED_CLASSES], dtype=np.uint8)
    bed_m = smooth_elevation(ground_m, pairs[:, 0], pairs[:, 1], np.maximum(length_m, 0.1), codes[rank], off_ground)
    on_ground = np.zeros(len(x), dtype=np.bool_)
    on_ground[pairs[~off_ground].ravel()] = True
    return replace(relief, elevation_m=_meet(relief.elevation_m, x[on_ground], y[on_ground], bed_m[on_ground]))


def greatest_grade(rank: int) -> float:
    """Return the grade roads of a class are built to."""
    return GRADE_CAPS[BED_CLASSES[rank]]


def _points(streets: SyntheticStreets) -> FloatArray:
    return np.column_stack([streets.x_m, streets.y_m])


def _segments(streets: SyntheticStreets) -> tuple[IntArray, IntArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return node pairs, class ranks and whether off the ground, of every segment of a road."""
    pairs, rank, off_ground = [], [], []
    for way in streets.ways:
        if way.rank >= PATH.rank:
            continue
        for pair in pairwise(way.nodes):
            pairs.append(pair)
            rank.append(way.rank)
            off_ground.append("bridge" in way.tags or "tunnel" in way.tags)
    return np.array(pairs, dtype=np.int64), np.array(rank, dtype=np.int64), np.array(off_ground, dtype=np.bool_)


def _meet(elevation_m: FloatArray, x: FloatArray, y: FloatArray, wanted_m: FloatArray) -> FloatArray:
    """Move the grid so that bilinear interpolation gives the wanted heights at points (in cells), nearly.

    Simultaneous iterative reconstruction: each sweep gives every cell the weighted mean of what its points lack.
    """
    rows, cols = elevation_m.shape
    col = np.clip(x.astype(np.int64), 0, cols - 2)
    row = np.clip(y.astype(np.int64), 0, rows - 2)
    u, v = x - col, y - row
    corner = row * cols + col
    cells = np.stack([corner, corner + 1, corner + cols, corner + cols + 1])
    weight = np.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v])
    reach = np.bincount(cells.ravel(), weights=weight.ravel(), minlength=rows * cols)
    height = elevation_m.ravel().copy()
    for _ in range(SWEEPS):
        lack = wanted_m - (weight * height[cells]).sum(axis=0)
        moved = np.bincount(cells.ravel(), weights=(weight * lack).ravel(), minlength=rows * cols)
        height += moved / np.maximum(reach, 0.25)
    return height.reshape(rows, cols)
