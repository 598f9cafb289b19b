"""Coordinates of requests that are not in WGS 84: GCJ-02, as Chinese map services give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from geodata.gcj02 import wgs84_of_gcj02

Crs = Literal["wgs84", "gcj02"]
CRS_DESCRIPTION = "what the request's coordinates are; gcj02 (as Chinese map services give them) is converted to WGS 84"
CONVERTED = "The coordinates of the request were converted from GCJ-02 to WGS 84; the answer's are WGS 84."
_DIGITS = 7


def wgs84_place(place: Sequence[float]) -> tuple[float, float]:
    """Return longitude and latitude in WGS 84 of a place in GCJ-02, degrees to a centimetre."""
    lon, lat = wgs84_of_gcj02(np.array([place[0]]), np.array([place[1]]))
    return round(float(lon[0]), _DIGITS), round(float(lat[0]), _DIGITS)


def wgs84_order(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order's record with its drop in WGS 84."""
    return wgs84_record(order, "to_lon", "to_lat")


def wgs84_record(record: Mapping[str, Any], lon: str = "lon", lat: str = "lat") -> dict[str, Any]:
    """Return a record with its place in WGS 84; what is no pair of numbers stays, for its reader to refuse."""
    found = dict(record)
    place = (record.get(lon), record.get(lat))
    if _is_place(place):
        found[lon], found[lat] = wgs84_place(place)  # type: ignore[arg-type] # looked at
    return found


def wgs84_geojson(value: Any) -> Any:
    """Return GeoJSON with all its coordinates in WGS 84; what is none stays, for its reader to refuse."""
    if isinstance(value, Mapping):
        return {key: _moved(inner) if key == "coordinates" else wgs84_geojson(inner) for key, inner in value.items()}
    return [wgs84_geojson(inner) for inner in value] if isinstance(value, list) else value


def _moved(coordinates: Any) -> Any:
    if not isinstance(coordinates, list):
        return coordinates
    if _is_place(coordinates[:2]):
        return [*wgs84_place(coordinates), *coordinates[2:]]
    return [_moved(inner) for inner in coordinates]


def _is_place(values: Sequence[Any]) -> bool:
    return len(values) == 2 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def swap_notes(places: Sequence[Sequence[float] | None], bounds: Sequence[float]) -> list[str]:
    """Return a note per place that lies outside the network but would lie inside with its axes exchanged.

    Parameters
    ----------
    bounds
        West, south, east and north of the network.
    """
    west, south, east, north = bounds
    return [
        f"place {number} [{lon}, {lat}] lies outside the network; [{lat}, {lon}] would lie inside: are they exchanged?"
        for number, place in enumerate(places)
        if place is not None
        for lon, lat in [place]
        if not (west <= lon <= east and south <= lat <= north) and west <= lat <= east and south <= lon <= north
    ]
