"""Shaded relief of the area as a small picture."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from geodata.location import FloatArray
from routing.export.scene import Relief

METRES_PER_DEGREE = 111_320.0
_LIGHT_AZIMUTH, _LIGHT_HEIGHT = np.radians(315.0), np.radians(42.0)
"""Light from the north-west, as maps are read."""
_EXAGGERATION = 1.4
_TINTS_M = np.array([0.0, 600.0, 1_200.0, 1_800.0, 2_400.0, 3_200.0, 4_500.0])
_TINTS_RGB = np.array(
    [
        [226, 233, 218],
        [233, 238, 222],
        [240, 240, 226],
        [243, 238, 227],
        [243, 239, 234],
        [248, 247, 246],
        [253, 253, 254],
    ],
    dtype=np.float64,
)
"""Pale tints by height above the area's lowest ground, so that roads and routes stand out."""
_SHADOW_RGB = np.array([138.0, 148.0, 160.0])
_SHADOW_DEPTH = 0.6
"""Slopes away from the light turn towards a cool grey, as far as this share."""
_PAPER_RGB = np.array([238.0, 240.0, 234.0])
"""The map's background, into which the picture fades."""
_FADE_SHARE = 0.07
_LEVELS = 64
"""Colours in the picture; a palette keeps it small."""


def shaded_relief(elevation_m: FloatArray, west: float, south: float, east: float, north: float) -> Relief:
    """Return a softly coloured hillshade.

    Parameters
    ----------
    elevation_m
        Heights, shape (rows, cols), rows evenly spaced in Web Mercator from north to south, columns from west to east.
    west, south, east, north
        Degrees of the outer edges.

    Notes
    -----
    Shade is the cosine between the light and the surface normal (Horn 1981, with central differences).
    """
    rows, cols = elevation_m.shape
    filled = np.where(np.isfinite(elevation_m), elevation_m, np.nanmin(elevation_m, initial=np.inf))
    filled = np.where(np.isfinite(filled), filled, 0.0)
    cell_x = (east - west) / cols * METRES_PER_DEGREE * np.cos(np.radians((south + north) / 2))
    cell_y = (north - south) / rows * METRES_PER_DEGREE
    slope_y, slope_x = np.gradient(filled * _EXAGGERATION, cell_y, cell_x)
    light = np.sin(_LIGHT_HEIGHT) - np.cos(_LIGHT_HEIGHT) * (
        slope_x * np.sin(_LIGHT_AZIMUTH) - slope_y * np.cos(_LIGHT_AZIMUTH)
    )
    shade = np.clip(light / np.sqrt(1.0 + slope_x**2 + slope_y**2), 0.0, 1.0) / np.sin(_LIGHT_HEIGHT)
    lit = np.clip(shade, 0.0, 1.12)[..., None]
    above_m = filled - filled.min()
    tint = np.stack([np.interp(above_m, _TINTS_M, _TINTS_RGB[:, band]) for band in range(3)], axis=-1)
    shaded = tint * (1.0 - _SHADOW_DEPTH * (1.0 - lit)) + _SHADOW_RGB * (_SHADOW_DEPTH * np.maximum(1.0 - lit, 0.0))
    fade = _edge_fade(rows, cols)[..., None]
    picture = np.clip(shaded * fade + _PAPER_RGB * (1.0 - fade), 0, 255).astype(np.uint8)
    return Relief(_png(picture), west, south, east, north)


def _edge_fade(rows: int, cols: int) -> FloatArray:
    """Return 0 at the outermost cells rising smoothly to 1 further in, shape (rows, cols)."""
    inward = [np.minimum(np.arange(size), np.arange(size)[::-1]) for size in (rows, cols)]
    share = np.minimum(inward[0][:, None], inward[1][None, :]) / max(1.0, _FADE_SHARE * min(rows, cols))
    share = np.clip(share, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), dtype=np.float64)


def _png(picture: npt.NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(picture, "RGB").quantize(_LEVELS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def mercator_grid(west: float, south: float, east: float, north: float, width: int) -> tuple[FloatArray, FloatArray]:
    """Return lon and lat of the cell centres of a picture with square cells in Web Mercator, shape (rows, cols).

    The map stretches a picture between its corners in Mercator; a grid even in degrees would lie off by up to a cell
    or so in the middle.
    """
    bottom, top = _mercator(south), _mercator(north)
    rows = max(1, round(width * (top - bottom) / np.radians(east - west)))
    lon = west + (np.arange(width) + 0.5) * (east - west) / width
    y = top - (np.arange(rows) + 0.5) * (top - bottom) / rows
    lat = np.degrees(2 * np.arctan(np.exp(y)) - np.pi / 2)
    grid_lon, grid_lat = np.meshgrid(lon, lat)
    return grid_lon, grid_lat


def _mercator(lat: float) -> float:
    return float(np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)))
