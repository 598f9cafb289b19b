"""Lines as short strings: Google's encoded polyline algorithm at five decimals (about 1 m)."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.location import FloatArray

METRES_PER_DEGREE = 111_320.0
_FACTOR = 100_000


def encode_line(points: FloatArray) -> str:
    """Return the encoded polyline of points of shape (n, 2 or 3), lon first; heights are left out.

    Latitude is encoded before longitude, as the published algorithm has it.
    """
    rounded = np.round(points[:, (1, 0)] * _FACTOR).astype(np.int64)
    steps = np.diff(rounded, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    return "".join(_encode_number(int(value)) for value in steps.ravel())


def _encode_number(value: int) -> str:
    left = ~(value << 1) if value < 0 else value << 1
    chars = []
    while left >= 0x20:
        chars.append(chr((0x20 | (left & 0x1F)) + 63))
        left >>= 5
    chars.append(chr(left + 63))
    return "".join(chars)


def simplified(points: FloatArray, tolerance_m: float) -> FloatArray:
    """Return lon and lat of the line with points left out that lie within the tolerance of it (Douglas-Peucker).

    Shape (n, 2 or 3) in, (k, 2) out with k ≤ n; both ends stay.
    """
    if len(points) < 3:
        return points[:, :2]
    scale = np.array([np.cos(np.radians(points[0, 1])), 1.0])
    line = shapely.LineString(points[:, :2] * scale)
    kept = shapely.get_coordinates(shapely.simplify(line, tolerance_m / METRES_PER_DEGREE, preserve_topology=False))
    return np.asarray(kept / scale, dtype=np.float64)
