"""Roads of the background map: few classes, long lines, few points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import shapely

from geodata.location import FloatArray
from routing.export.polyline import encode_line, simplified
from routing.export.scene import RoadLine

ROAD_CLASSES = {
    "motorway": "major", "motorway_link": "major", "trunk": "major", "trunk_link": "major", "primary": "major",
    "primary_link": "major", "secondary": "main", "secondary_link": "main", "tertiary": "main", "tertiary_link": "main",
    "unclassified": "minor", "residential": "minor", "living_street": "minor", "road": "minor", "track": "track",
}  # fmt: skip
"""OSM highway → class drawn. Service roads, footways and paths are left out: they would bury the relief."""
MAX_ENCODED = 2_500_000
"""Characters all roads of a map may take."""
_TOLERANCES_M = (6.0, 15.0, 40.0, 100.0)


def road_lines(
    highway: Sequence[str] | npt.NDArray[np.str_],
    edge_from: npt.NDArray[np.int64],
    edge_to: npt.NDArray[np.int64],
    node_lon: FloatArray,
    node_lat: FloatArray,
) -> tuple[RoadLine, ...]:
    """Return the roads worth drawing, edges joined to long lines.

    Parameters
    ----------
    highway, edge_from, edge_to
        OSM highway value and node indices of each directed edge, shape (m,); two directions of a road are drawn once.
    node_lon, node_lat
        Degrees, shape (n,).
    """
    names = np.asarray(highway)
    found: list[RoadLine] = []
    for name in ROAD_CLASSES:
        chosen = np.flatnonzero(names == name)
        ends = np.sort(np.column_stack([edge_from[chosen], edge_to[chosen]]), axis=1)
        pairs = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
        if not len(pairs):
            continue
        coordinates = np.column_stack([node_lon[pairs.ravel()], node_lat[pairs.ravel()]])
        segments = shapely.linestrings(coordinates, indices=np.repeat(np.arange(len(pairs)), 2))
        merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(np.asarray(segments))))
        found += [RoadLine(name, shapely.get_coordinates(line)) for line in merged]
    return tuple(found)


def encoded_roads(roads: Iterable[RoadLine], max_encoded: int = MAX_ENCODED) -> dict[str, list[str]]:
    """Return encoded lines by drawn class, coarser where the area is large, so that they fit into `max_encoded`.

    Where even the coarsest lines do not fit, the least classes are left out.
    """
    known = [(ROAD_CLASSES[road.highway], road.points) for road in roads if road.highway in ROAD_CLASSES]
    encoded: dict[str, list[str]] = {}
    for tolerance_m in _TOLERANCES_M:
        encoded = {"major": [], "main": [], "minor": [], "track": []}
        for kind, points in known:
            encoded[kind].append(encode_line(simplified(points, tolerance_m)))
        if _size(encoded) <= max_encoded:
            return encoded
    for kind in ("track", "minor", "main"):
        encoded[kind] = []
        if _size(encoded) <= max_encoded:
            break
    return encoded


def _size(encoded: dict[str, list[str]]) -> int:
    return sum(len(line) for lines in encoded.values() for line in lines)
