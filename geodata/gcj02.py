"""GCJ-02, the shifted coordinates of Chinese map services, and the way back to WGS 84.

The formula was never published; it is the one derived from the behaviour of such services and used by all open
converters (eviltransform, https://github.com/googollee/eviltransform; Krasovsky 1940 ellipsoid). Its inverse has no
closed form and is found by iteration. Against the services themselves the formula holds to about a metre.
"""

from __future__ import annotations

import numpy as np

from geodata.location import FloatArray

_MAJOR_AXIS_M, _ECCENTRICITY_SQUARED = 6_378_245.0, 0.00669342162296594323
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
"""The box outside of which coordinates are not shifted, degrees."""
_STEPS = 20
"""Each step of the inverse leaves less than a hundredth of the error; 20 are far below a millimetre."""


def gcj02_of_wgs84(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 longitudes and latitudes of WGS 84 ones, degrees; outside the box around China unchanged."""
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def wgs84_of_gcj02(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return WGS 84 longitudes and latitudes of GCJ-02 ones, degrees: the inverse of `gcj02_of_wgs84`."""
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    found_lon, found_lat = lon, lat
    for _ in range(_STEPS):
        east, north = _shift(found_lon, found_lat)
        found_lon, found_lat = lon - east, lat - north
    return found_lon, found_lat


def _shift(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far the shift moves WGS 84 coordinates, degrees east and north."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    both = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (both + _waves(y, 20.0, 40.0, 1.0, 3.0) + _waves(y, 160.0, 320.0, 12.0, 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (both + _waves(x, 20.0, 40.0, 1.0, 3.0) + _waves(x, 150.0, 300.0, 12.0, 30.0)) * 2.0 / 3.0
    sine = np.sin(np.radians(lat))
    magic = 1.0 - _ECCENTRICITY_SQUARED * sine * sine
    degree_east_m = np.radians(_MAJOR_AXIS_M / np.sqrt(magic) * np.cos(np.radians(lat)))
    degree_north_m = np.radians(_MAJOR_AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / magic**1.5)
    inside = (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)
    return np.where(inside, east / degree_east_m, 0.0), np.where(inside, north / degree_north_m, 0.0)


def _waves(value: FloatArray, short: float, long: float, over_short: float, over_long: float) -> FloatArray:
    """Return two sine waves of amplitudes and divisors of their angles."""
    waves: FloatArray = short * np.sin(np.pi * value / over_short) + long * np.sin(np.pi * value / over_long)
    return waves
