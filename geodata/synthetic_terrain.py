"""Relief that does not exist but could: a landscape eroded by its own rivers.

A noisy plain with one shallow trunk valley is uplifted while rivers cut into it by the stream-power law (slope ∝
drainage area^−0.5; Whipple & Tucker 1999), solved implicitly from the outlet upwards as in Braun & Willett 2013. What
comes out is a trunk valley, branches of every order, and ridges between them; every valley descends to the outlet. The
eroded 270 m grid is refined to 90 m, given flat valley floors and, away from them, fractal roughness (Hurst 0.8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.spatial import KDTree

from geodata.location import FloatArray

IntArray = npt.NDArray[np.int64]

CELL_M = 90.0
"""Cell of the finished grid."""
COARSEN = 3
"""The eroding grid is this much coarser."""
STEEPNESS = 0.17
"""Slope of a stream that drains 1 km²: 17 %; one that drains 100 km² then falls by 1.7 %."""
CONCAVITY = 0.5
MAX_SLOPE = 0.45
"""Where slopes slide rather than wash: no hillside of the eroded grid is steeper (24°)."""
MARGIN_M = 3_240.0
"""Land eroded around the county and then cut away, so that its edges look like the rest."""
UPSTREAM_KM2 = 1_500.0
"""What the trunk river drains before it enters the county."""
TIME_STEP, STEPS = 250.0, 45
STREAM_KM2 = 1.5
"""Streams that drain less leave no valley floor of their own."""
RIVER_KM2 = 40.0
"""Streams that drain more are rivers: roads cross them on bridges."""
HURST = 0.8


@dataclass(frozen=True)
class Streams:
    """Streams as a tree that runs downhill: node k flows to `downstream[k]` (itself at the outlet).

    Coordinates are metres east and north of the grid's south-west corner; `area_km2` is what each node drains.
    """

    x_m: FloatArray
    y_m: FloatArray
    elevation_m: FloatArray
    area_km2: FloatArray
    downstream: IntArray
    trunk: npt.NDArray[np.bool_]
    """Nodes of the trunk river between the edges of the county."""


@dataclass(frozen=True)
class Relief:
    """Elevation on a square grid in metres, row 0 in the south, and the streams that made it.

    `elevation_m[row, col]` is at x = col · `cell_m`, y = row · `cell_m`. `stream_m` is each cell's distance from the
    nearest stream, `river_m` from the nearest river.
    """

    cell_m: float
    elevation_m: FloatArray
    streams: Streams
    stream_m: FloatArray
    river_m: FloatArray

    @property
    def side_m(self) -> float:
        """Length of the square's side."""
        return self.cell_m * float(self.elevation_m.shape[0] - 1)


def make_relief(side_m: float, outlet_m: float, seed: int) -> Relief:
    """Make the relief of a square county.

    Parameters
    ----------
    side_m
        Side of the square, at least 10 km.
    outlet_m
        Elevation at which the trunk river leaves.
    seed
        The same arguments give the same relief.
    """
    rng = np.random.default_rng([seed, 0x7E])
    n = round((side_m + 2 * MARGIN_M) / (CELL_M * COARSEN)) + 1
    path = _trunk_path(n, rng)
    z, receiver, area_km2 = _erode(n, path, rng)
    streams = _streams(z + outlet_m, receiver, area_km2, path, rng)
    return _cropped(_refine(z + outlet_m, streams, rng), round(MARGIN_M / CELL_M))


def _trunk_path(n: int, rng: np.random.Generator) -> FloatArray:
    """Return column of the trunk river in each row, from the north edge (last row) to the south edge (row 0)."""
    rows = np.arange(n)
    swing = n * 0.11 * np.sin(2 * np.pi * rows / n * rng.uniform(0.8, 1.3) + rng.uniform(0, 2 * np.pi))
    wiggle = ndimage.gaussian_filter1d(rng.normal(size=n), 6.0) * 10.0
    lean = rng.uniform(-0.25, 0.25) * (rows - n / 2)
    return np.asarray(np.clip(n * rng.uniform(0.42, 0.58) + swing + wiggle + lean, 3, n - 4), dtype=np.float64)


def _erode(n: int, path: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return height above the outlet (n, n), receivers (n·n,) and drained area in km² (n·n,)."""
    cell_m = CELL_M * COARSEN
    rows, cols = np.mgrid[0:n, 0:n]
    off_trunk_m = np.abs(cols - path[rows]) * cell_m
    noise = fractal_noise((n, n), cell_m, rng)
    z = 0.01 * rows * cell_m * 0.5 + 0.02 * off_trunk_m + 18.0 * noise + 60.0
    uplift = STEEPNESS * np.clip(
        1.0 + 0.35 * ndimage.gaussian_filter(rng.normal(size=(n, n)), n / 10) * n / 3, 0.6, 1.5
    )
    outlet = round(float(path[0]))
    inlet = (n - 1) * n + round(float(path[-1]))
    local_km2 = np.full(n * n, (cell_m / 1_000.0) ** 2)
    local_km2[inlet] += UPSTREAM_KM2
    z = z.ravel()
    z[outlet] = 0.0
    receiver, run_m = _receivers_by_flood(z.reshape(n, n), outlet, cell_m)
    for _ in range(STEPS):
        levels = _levels(receiver)
        area_km2 = _drained(local_km2, receiver, levels)
        z = _cut(z, receiver, run_m, area_km2, uplift.ravel(), levels)
        receiver, run_m = _receivers_by_descent(z.reshape(n, n), outlet, cell_m)
    area_km2 = _drained(local_km2, receiver, _levels(receiver))
    return z.reshape(n, n), receiver, area_km2


def _receivers_by_flood(z: FloatArray, outlet: int, cell_m: float) -> tuple[IntArray, FloatArray]:
    """Route every cell to the outlet over the lowest passes: the spanning tree that avoids heights."""
    n = z.shape[0]
    index = np.arange(n * n).reshape(n, n)
    starts, ends = [], []
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here, there = _shifted(index, dr, dc)
        starts.append(here.ravel())
        ends.append(there.ravel())
    a, b = np.concatenate(starts), np.concatenate(ends)
    weight = np.maximum(z.ravel()[a], z.ravel()[b]) + 1.0 - z.min()
    tree = minimum_spanning_tree(coo_array((weight, (a, b)), shape=(n * n, n * n)).tocsr())
    _, before = breadth_first_order(tree, outlet, directed=False)
    receiver = np.asarray(before, dtype=np.int64)
    receiver[outlet] = outlet
    diagonal = (np.abs(receiver // n - np.arange(n * n) // n) + np.abs(receiver % n - np.arange(n * n) % n)) == 2
    return receiver, np.where(diagonal, cell_m * np.sqrt(2.0), cell_m)


def _shifted(index: IntArray, dr: int, dc: int) -> tuple[IntArray, IntArray]:
    """Return the cells that have a neighbour at (dr, dc), and those neighbours; dr is not negative."""
    n = index.shape[0]
    left, right = (0, n - dc) if dc >= 0 else (-dc, n)
    return index[: n - dr, left:right], index[dr:, left + dc : right + dc]


def _receivers_by_descent(z: FloatArray, outlet: int, cell_m: float) -> tuple[IntArray, FloatArray]:
    """Route every cell to its steepest lower neighbour; after one cut every cell but the outlet has one."""
    n = z.shape[0]
    index = np.arange(n * n).reshape(n, n)
    padded = np.pad(z, 1, constant_values=np.inf)
    best = np.full((n, n), -np.inf)
    receiver = index.copy()
    run_m = np.full((n, n), cell_m)
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            if dr == dc == 0:
                continue
            length_m = cell_m * float(np.hypot(dr, dc))
            slope = (z - padded[1 + dr : n + 1 + dr, 1 + dc : n + 1 + dc]) / length_m
            better = slope > best
            best = np.where(better, slope, best)
            receiver = np.where(better, index + dr * n + dc, receiver)
            run_m = np.where(better, length_m, run_m)
    flat = receiver.ravel()
    flat[outlet] = outlet
    return flat, run_m.ravel()


def _levels(receiver: IntArray) -> list[IntArray]:
    """Return the cells by their number of steps from the outlet, nearest first."""
    depth = np.where(receiver == np.arange(len(receiver)), 0, 1)
    jump = receiver
    while True:
        further = depth + depth[jump]
        if np.array_equal(further, depth):
            break
        depth, jump = further, jump[jump]
    order = np.argsort(depth, kind="stable")
    return list(np.split(order, np.cumsum(np.bincount(depth))[:-1]))


def _drained(local_km2: FloatArray, receiver: IntArray, levels: list[IntArray]) -> FloatArray:
    area_km2 = local_km2.copy()
    for cells in reversed(levels[1:]):
        np.add.at(area_km2, receiver[cells], area_km2[cells])
    return area_km2


def _cut(
    z: FloatArray,
    receiver: IntArray,
    run_m: FloatArray,
    area_km2: FloatArray,
    uplift: FloatArray,
    levels: list[IntArray],
) -> FloatArray:
    """Uplift for one time step and let the rivers cut down, implicitly from the outlet upwards."""
    power = TIME_STEP * area_km2**CONCAVITY / run_m
    lifted = z + uplift * TIME_STEP
    lifted[levels[0]] = 0.0
    for cells in levels[1:]:
        below = lifted[receiver[cells]]
        cut = (lifted[cells] + power[cells] * below) / (1.0 + power[cells])
        lifted[cells] = np.clip(cut, below + 0.2, below + MAX_SLOPE * run_m[cells])
    return lifted


def fractal_noise(
    shape: tuple[int, int], cell_m: float, rng: np.random.Generator, longest_m: float = 6_000.0
) -> FloatArray:
    """Return self-affine noise of Hurst exponent 0.8, standard deviation 1, without waves longer than `longest_m`."""
    fy = np.fft.fftfreq(shape[0], cell_m)[:, None]
    fx = np.fft.rfftfreq(shape[1], cell_m)[None, :]
    frequency = np.hypot(fy, fx)
    amplitude = np.maximum(frequency, 1.0 / longest_m) ** -(HURST + 1.0)
    amplitude *= frequency > 0.5 / longest_m
    wave = np.fft.rfft2(rng.normal(size=shape)) * amplitude
    noise = np.fft.irfft2(wave, s=shape)
    return np.asarray(noise / noise.std(), dtype=np.float64)


def _streams(
    z: FloatArray, receiver: IntArray, area_km2: FloatArray, path: FloatArray, rng: np.random.Generator
) -> Streams:
    """Take the streams off the grid and smooth their course."""
    n = z.shape[0]
    cells = np.flatnonzero(area_km2 >= STREAM_KM2)
    number = np.full(n * n, -1)
    number[cells] = np.arange(len(cells))
    downstream = number[receiver[cells]]
    area = area_km2[cells]
    main = np.arange(len(cells))
    by_area = np.argsort(area, kind="stable")
    moving = by_area[downstream[by_area] != by_area]
    main[downstream[moving]] = moving  # the largest tributary, written last, is the main one
    x = (cells % n + rng.normal(scale=0.25, size=len(cells))) * CELL_M * COARSEN
    y = (cells // n + rng.normal(scale=0.25, size=len(cells))) * CELL_M * COARSEN
    fixed = (downstream == np.arange(len(cells))) | (cells // n == n - 1)
    for _ in range(4):
        x, y = (np.where(fixed, value, 0.5 * value + 0.25 * value[downstream] + 0.25 * value[main]) for value in (x, y))
    inlet = number[(n - 1) * n + round(float(path[-1]))]
    trunk = np.zeros(len(cells), dtype=np.bool_)
    while not trunk[inlet]:
        trunk[inlet] = True
        inlet = downstream[inlet]
    return Streams(x, y, z.ravel()[cells], area, downstream, trunk)


def _refine(z: FloatArray, streams: Streams, rng: np.random.Generator) -> Relief:
    """Refine the eroded grid to the finished one: valley floors flat, slopes rough."""
    n = (z.shape[0] - 1) * COARSEN + 1
    rows, cols = np.mgrid[0:n, 0:n]
    fine = ndimage.map_coordinates(z, [rows / COARSEN, cols / COARSEN], order=3, mode="nearest")
    x, y, floor_m, area_km2 = _dense(streams)
    tree = KDTree(np.column_stack([x, y]))
    cells_m = np.column_stack([cols.ravel(), rows.ravel()]) * CELL_M
    stream_m, nearest = (np.asarray(found).reshape(n, n) for found in tree.query(cells_m))
    half_floor_m = np.clip(22.0 * area_km2**0.4, 40.0, 420.0)[nearest]
    share = np.clip((stream_m - half_floor_m) / (2.5 * half_floor_m + 200.0), 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    floor = floor_m[nearest] + 0.02 * np.minimum(stream_m, half_floor_m)
    rough = (
        20.0 * fractal_noise((n, n), CELL_M, rng, longest_m=2_500.0) * np.clip((stream_m - half_floor_m) / 700.0, 0, 1)
    )
    elevation_m = floor + share * np.maximum(fine - floor, 0.0) + rough
    elevation_m = ndimage.gaussian_filter(np.maximum(elevation_m, floor_m.min() - 5.0), 0.7)
    rivers = area_km2 >= RIVER_KM2
    river_m, _ = KDTree(np.column_stack([x[rivers], y[rivers]])).query(cells_m)
    return Relief(CELL_M, elevation_m, streams, stream_m, np.asarray(river_m).reshape(n, n))


def _cropped(relief: Relief, cells: int) -> Relief:
    """Return the relief without a margin of so many cells, the origin moved to its new corner."""
    inner = slice(cells, relief.elevation_m.shape[0] - cells)
    move_m = cells * relief.cell_m
    streams = replace(relief.streams, x_m=relief.streams.x_m - move_m, y_m=relief.streams.y_m - move_m)
    grids = (np.ascontiguousarray(grid[inner, inner]) for grid in (relief.elevation_m, relief.stream_m, relief.river_m))
    return Relief(relief.cell_m, next(grids), streams, next(grids), next(grids))


def _dense(streams: Streams) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return points every 45 m or so along all streams: x, y, elevation, drained area."""
    share = np.arange(8) / 8.0
    down = streams.downstream
    x, y, z = (
        (value[:, None] * (1.0 - share) + value[down][:, None] * share).ravel()
        for value in (streams.x_m, streams.y_m, streams.elevation_m)
    )
    return x, y, z, np.repeat(streams.area_km2, 8)
