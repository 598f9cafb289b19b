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
    """Return an order's record with its drop in WGS 84; what is no pair of numbers stays, for its reader to refuse."""
    found = dict(order)
    place = (order.get("to_lon"), order.get("to_lat"))
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in place):
        found["to_lon"], found["to_lat"] = wgs84_place((float(place[0] or 0.0), float(place[1] or 0.0)))
    return found
