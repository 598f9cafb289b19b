"""Terrain: elevation tiles of any kind → one grid of heights, read by bilinear interpolation.

Tiles may be SRTM ``.hgt``, ``.hgt.zip`` or any raster GDAL reads, in any coordinate system. They are put on one
EPSG:4326 grid of the finest tile's step, cropped to the area asked for with a margin. Voids are filled *before* any
interpolation: a void of −32768 that leaks into bilinear weights turns into cliffs of 20 km.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.fill import fillnodata
from rasterio.warp import reproject, transform_bounds

from geodata.errors import Fault, FaultCollector
from geodata.location import FloatArray

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

WGS84 = "EPSG:4326"
MARGIN_DEG = 0.02
"""Kept around the area asked for (about 2 km): flights walk round zones, slopes at the rim need their neighbours."""
LOWEST_M, HIGHEST_M = -500.0, 9_000.0
"""No land lies outside: the Dead Sea's shore is at −430 m, Everest's top at 8,849 m. Other values are voids."""
EPSILON_DEG = 1e-9
MAX_SAMPLES = 100_000_000
"""Largest grid read (400 MB); a whole continent given by mistake is refused, not swapped to disk."""


@dataclass(frozen=True)
class Terrain:
    """A grid of ground heights; immutable.

    Parameters
    ----------
    west, north
        Longitude and latitude in degrees of the sample ``heights_m[0, 0]`` (a point, not the edge of a pixel).
    step_lon, step_lat
        Degrees between samples, both positive; rows run from north to south, columns from west to east.
    heights_m
        float32 array of shape (rows, cols), metres above sea level, voids filled; nan only where no tile was given.
    void_share
        Share (0 to 1) of the samples inside the tiles that were voids and have been filled.

    Raises
    ------
    ValueError
        If the grid has fewer than two rows or columns, or a step is not positive.
    """

    west: float
    north: float
    step_lon: float
    step_lat: float
    heights_m: npt.NDArray[np.float32]
    void_share: float = 0.0

    def __post_init__(self) -> None:
        if self.heights_m.ndim != 2 or min(self.heights_m.shape) < 2 or min(self.step_lon, self.step_lat) <= 0:
            msg = f"a terrain needs at least 2 × 2 samples and positive steps, got {self.heights_m.shape}"
            raise ValueError(msg)
        self.heights_m.setflags(write=False)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north of the area each sample stands for: half a step beyond the outermost samples."""
        rows, cols = self.heights_m.shape
        return (
            self.west - self.step_lon / 2,
            self.north - (rows - 0.5) * self.step_lat,
            self.west + (cols - 0.5) * self.step_lon,
            self.north + self.step_lat / 2,
        )

    def elevation_m(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> FloatArray:
        """Return ground heights by bilinear interpolation.

        Parameters
        ----------
        lon, lat
            Degrees; arrays (or scalars) that broadcast together.

        Returns
        -------
        FloatArray
            Metres above sea level, of the broadcast shape; nan outside `bounds` and where no tile was given. In the
            half step around the outermost samples the height of the rim is held.
        """
        rows, cols = self.heights_m.shape
        x = (np.asarray(lon, dtype=np.float64) - self.west) / self.step_lon
        y = (self.north - np.asarray(lat, dtype=np.float64)) / self.step_lat
        x, y = np.broadcast_arrays(x, y)
        slack = 1e-6
        inside = (x >= -0.5 - slack) & (x <= cols - 0.5 + slack) & (y >= -0.5 - slack) & (y <= rows - 0.5 + slack)
        x = np.clip(np.where(inside, x, 0.0), 0.0, cols - 1.0)
        y = np.clip(np.where(inside, y, 0.0), 0.0, rows - 1.0)
        col = np.minimum(x.astype(np.int64), cols - 2)
        row = np.minimum(y.astype(np.int64), rows - 2)
        u, v = x - col, y - row
        flat = self.heights_m.ravel()
        corner = row * cols + col
        upper = flat[corner] * (1.0 - u) + flat[corner + 1] * u
        lower = flat[corner + cols] * (1.0 - u) + flat[corner + cols + 1] * u
        return np.where(inside, upper * (1.0 - v) + lower * v, np.nan)

    def covers(self, west: float, south: float, east: float, north: float) -> bool:
        """Return whether every point of the box (degrees) has a height."""
        return not _uncovered(self, (west, south, east, north))


class _Tile(NamedTuple):
    """An open raster with what is needed to place it."""

    path: Path
    dataset: Any
    bounds: Bounds
    step_lon: float
    step_lat: float


def read_terrain(paths: Sequence[Path], bbox: Bounds | None = None) -> Terrain:
    """Read elevation tiles into one terrain.

    Parameters
    ----------
    paths
        ``.hgt``, ``.hgt.zip`` or rasters GDAL reads, in any coordinate system; where tiles overlap the first counts.
    bbox
        West, south, east, north in degrees of the area that must be covered; None for all the tiles cover.

    Raises
    ------
    InputError
        If there is no tile, a file is missing or is no raster with a coordinate system, the area is not covered
        (naming the part that is not) or nothing but voids is found; all faults together.
    """
    collector = FaultCollector()
    if not paths:
        collector.add(
            Fault("TERRAIN_MISSING", "terrain", "No elevation tile is given", "Give at least one .hgt or .tif tile.")
        )
    with ExitStack() as stack:
        tiles = [tile for path in paths if (tile := _open_tile(Path(path), stack, collector)) is not None]
        collector.raise_if_any()
        terrain = _merge(tiles, bbox, collector)
    collector.raise_if_any()
    assert terrain is not None  # a missing terrain always comes with a fault
    return terrain


def write_geotiff(terrain: Terrain, path: Path) -> None:
    """Write a terrain as a float32 GeoTIFF in EPSG:4326; `read_terrain` gives the same grid back."""
    rows, cols = terrain.heights_m.shape
    west, _, _, north = terrain.bounds
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "width": cols, "height": rows, "crs": WGS84}
    transform = Affine(terrain.step_lon, 0.0, west, 0.0, -terrain.step_lat, north)
    with rasterio.open(path, "w", **profile, transform=transform, nodata=np.nan, compress="deflate") as dataset:
        dataset.write(terrain.heights_m, 1)


def _open_tile(path: Path, stack: ExitStack, collector: FaultCollector) -> _Tile | None:
    """Open one tile for the life of `stack`; a fault in `collector` and None if it cannot be used."""
    if not path.is_file():
        collector.add(
            Fault("MISSING_FILE", path.name, "The elevation tile does not exist", "Give the path of an existing tile.")
        )
        return None
    try:
        dataset = stack.enter_context(_open_raster(path))
    except (RasterioError, zipfile.BadZipFile, ValueError) as error:
        collector.add(
            Fault(
                "BROKEN_FILE",
                path.name,
                f"The elevation tile cannot be read: {str(error).splitlines()[0]}",
                "Give an SRTM tile named like N42E001.hgt (or .hgt.zip), or a GeoTIFF.",
            )
        )
        return None
    if dataset.crs is None:
        collector.add(
            Fault(
                "TERRAIN_NO_CRS",
                path.name,
                "The raster has no coordinate system",
                "Give a raster with one, for example set by gdal_edit.py -a_srs EPSG:4326.",
            )
        )
        return None
    west, south, east, north = transform_bounds(dataset.crs, WGS84, *dataset.bounds)
    return _Tile(
        path, dataset, (west, south, east, north), (east - west) / dataset.width, (north - south) / dataset.height
    )


@contextmanager
def _open_raster(path: Path) -> Iterator[Any]:
    """Open a raster, looking into a zip archive for its first ``.hgt`` or ``.tif`` member."""
    name = str(path)
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = sorted(m for m in archive.namelist() if m.lower().endswith((".hgt", ".tif", ".tiff")))
        if not members:
            msg = "the archive holds no .hgt or .tif file"
            raise ValueError(msg)
        name = f"/vsizip/{path.absolute()}/{members[0]}"
    with rasterio.open(name) as dataset:
        yield dataset


def _merge(tiles: Sequence[_Tile], bbox: Bounds | None, collector: FaultCollector) -> Terrain | None:
    """Put tiles on one grid, fill voids, check coverage of `bbox`; None with a fault where that fails."""
    union = tuple(f(tile.bounds[k] for tile in tiles) for k, f in enumerate((min, min, max, max)))
    west, south, east, north = union
    if bbox is not None:
        west, south = max(west, bbox[0] - MARGIN_DEG), max(south, bbox[1] - MARGIN_DEG)
        east, north = min(east, bbox[2] + MARGIN_DEG), min(north, bbox[3] + MARGIN_DEG)
    if west >= east or south >= north:
        collector.add(_not_covering(bbox, "", tiles))
        return None
    finest = min(tiles, key=lambda tile: tile.step_lon * tile.step_lat)
    step_lon, step_lat = finest.step_lon, finest.step_lat
    # Grow to whole steps of the finest tile's own lattice: its samples are then taken over, not interpolated.
    first_col = int(np.floor((west - finest.bounds[0]) / step_lon + 1e-6))
    first_row = int(np.floor((finest.bounds[3] - north) / step_lat + 1e-6))
    west, north = finest.bounds[0] + first_col * step_lon, finest.bounds[3] - first_row * step_lat
    cols = max(2, int(np.ceil((east - west) / step_lon - 1e-6)))
    rows = max(2, int(np.ceil((north - south) / step_lat - 1e-6)))
    if rows * cols > MAX_SAMPLES:
        collector.add(
            Fault(
                "TERRAIN_TOO_LARGE",
                tiles[0].path.name,
                f"The area has {rows} × {cols} samples",
                f"Give an area of at most {MAX_SAMPLES:,} samples or coarser tiles.",
            )
        )
        return None
    heights, covered = _paste(tiles, (west, north, step_lon, step_lat), (rows, cols), collector)
    if collector.faults:
        return None
    void = covered & ~np.isfinite(heights)
    if not np.any(covered & ~void):
        collector.add(
            Fault(
                "TERRAIN_VOID",
                tiles[0].path.name,
                "The elevation tiles hold nothing but voids in the area",
                "Give tiles with heights.",
            )
        )
        return None
    share = float(void.sum() / covered.sum())
    filled = _fill_voids(heights, covered)
    terrain = Terrain(west + step_lon / 2, north - step_lat / 2, step_lon, step_lat, filled, share)
    if bbox is not None and (missing := _uncovered(terrain, bbox)):
        collector.add(_not_covering(bbox, missing, tiles))
        return None
    return terrain


def _paste(
    tiles: Sequence[_Tile],
    origin: tuple[float, float, float, float],
    shape: tuple[int, int],
    collector: FaultCollector,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return heights (nan for voids) and where any tile lies, on the grid of `origin` (west, north edge, steps)."""
    west, north, step_lon, step_lat = origin
    transform = Affine(step_lon, 0.0, west, 0.0, -step_lat, north)
    heights = np.full(shape, np.nan, dtype=np.float32)
    covered = np.zeros(shape, dtype=np.uint8)
    for tile in tiles:
        source = _samples(tile, collector)
        if source is None:
            continue
        placed = {
            "src_transform": tile.dataset.transform,
            "src_crs": tile.dataset.crs,
            "dst_transform": transform,
            "dst_crs": WGS84,
        }
        layer, where = np.full(shape, np.nan, dtype=np.float32), np.zeros(shape, dtype=np.uint8)
        reproject(source, layer, **placed, src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.bilinear)
        reproject(np.ones(source.shape, dtype=np.uint8), where, **placed, resampling=Resampling.nearest)
        heights = np.where(np.isnan(heights), layer, heights)
        covered |= where
    return heights, covered.astype(np.bool_)


def _samples(tile: _Tile, collector: FaultCollector) -> npt.NDArray[np.float32] | None:
    """Return the heights of a tile, voids as nan; None with a fault where its data break off."""
    try:
        source: npt.NDArray[np.float32] = tile.dataset.read(1, masked=True).astype(np.float32).filled(np.nan)
    except RasterioError:
        reason = "The heights of the elevation tile cannot be read; the file is damaged or was cut off"
        collector.add(Fault("BROKEN_FILE", tile.path.name, reason, "Download the tile again."))
        return None
    source[~((source >= LOWEST_M) & (source <= HIGHEST_M))] = np.nan
    return source


def _fill_voids(heights: npt.NDArray[np.float32], covered: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return heights with voids inside the tiles filled from their surroundings (inverse distance, GDAL)."""
    known = np.isfinite(heights)
    if known.all():
        return heights
    search = float(np.hypot(*heights.shape))
    filled = fillnodata(
        np.where(known, heights, 0.0).astype(np.float32), mask=known.astype(np.uint8), max_search_distance=search
    )
    return np.where(covered, filled, np.nan).astype(np.float32)


def _uncovered(terrain: Terrain, bbox: Bounds) -> str:
    """Return which part of a box has no height, in words; empty if none."""
    west, south, east, north = terrain.bounds
    sides = (
        ("west", bbox[0], west, west - bbox[0]),
        ("south", bbox[1], south, south - bbox[1]),
        ("east", east, bbox[2], bbox[2] - east),
        ("north", north, bbox[3], bbox[3] - north),
    )
    parts = [
        f"its {name} between {low:.4f}° and {high:.4f}°" for name, low, high, excess in sides if excess > EPSILON_DEG
    ]
    if parts:
        return ", ".join(parts)
    cols = np.arange(terrain.heights_m.shape[1]) * terrain.step_lon + terrain.west
    rows = terrain.north - np.arange(terrain.heights_m.shape[0]) * terrain.step_lat
    in_cols = (cols > bbox[0] - terrain.step_lon) & (cols < bbox[2] + terrain.step_lon)
    in_rows = (rows > bbox[1] - terrain.step_lat) & (rows < bbox[3] + terrain.step_lat)
    hole_rows, hole_cols = np.nonzero(np.isnan(terrain.heights_m[np.ix_(in_rows, in_cols)]))
    if not len(hole_rows):
        return ""
    lon, lat = cols[in_cols][hole_cols], rows[in_rows][hole_rows]
    share = len(lon) / (in_rows.sum() * in_cols.sum())
    return (
        f"{share:.0%} of it, within longitude {lon.min():.4f}° to {lon.max():.4f}° "
        f"and latitude {lat.min():.4f}° to {lat.max():.4f}°"
    )


def _not_covering(bbox: Bounds | None, missing: str, tiles: Sequence[_Tile]) -> Fault:
    """Return the fault of tiles that miss a part of the area; empty `missing` means that they miss all of it."""
    area = "" if bbox is None else " (west {:.4f}, south {:.4f}, east {:.4f}, north {:.4f})".format(*bbox)
    names = ", ".join(tile.path.name for tile in tiles)
    reason = f"Not covered: {missing} of the area" if missing else "The elevation tiles cover no part of the area"
    return Fault(
        "TERRAIN_NOT_COVERING",
        names,
        reason + area,
        "Add the elevation tiles of that part.",
    )
