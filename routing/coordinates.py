"""Telling wrong coordinates from right ones: swapped lon and lat, 0/0, metres for degrees."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import osmium

from geodata.errors import Fault
from routing.fault_codes import FaultCode
from routing.records import Where

_MARGIN_DEG = 0.3
"""How far outside the map's bounds a place may lie before a swap is considered (about 30 km)."""
_SPREAD_DEG = 1.0
"""Half width of the area assumed round the middle of the sites where the map's bounds are not known."""
_SAMPLED_NODES = 20_000
"""Nodes looked at in a map whose header states no bounds."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Bounds of the scenario's area in degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lon: float, lat: float) -> bool:
        """Return True when a point lies within the bounds, or close by."""
        return (
            self.west - _MARGIN_DEG <= lon <= self.east + _MARGIN_DEG
            and self.south - _MARGIN_DEG <= lat <= self.north + _MARGIN_DEG
        )


def read_extent(streets: Path) -> Extent | None:
    """Return the bounds an OSM file states in its header, else those of its first nodes.

    None where the file cannot be read: a broken map is reported by the reader of maps, not here.
    """
    try:
        with osmium.io.Reader(str(streets), osmium.osm.osm_entity_bits.NOTHING) as reader:
            box = reader.header().box()
            if box.valid():
                low, high = box.bottom_left, box.top_right
                return Extent(low.lon, low.lat, high.lon, high.lat)
        sample = islice(osmium.FileProcessor(str(streets), osmium.osm.NODE), _SAMPLED_NODES)
        points = [(node.lon, node.lat) for node in sample if isinstance(node, osmium.osm.Node)]
    except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError):
        return None
    if not points:
        return None
    lons, lats = [point[0] for point in points], [point[1] for point in points]
    return Extent(min(lons), min(lats), max(lons), max(lats))


def middle_extent(points: Iterable[tuple[float | None, float | None]]) -> Extent | None:
    """Return the area round the median of at least three points; None with fewer."""
    whole = [(lon, lat) for lon, lat in points if lon is not None and lat is not None]
    if len(whole) < 3:
        return None
    lon, lat = statistics.median(point[0] for point in whole), statistics.median(point[1] for point in whole)
    return Extent(lon - _SPREAD_DEG, lat - _SPREAD_DEG, lon + _SPREAD_DEG, lat + _SPREAD_DEG)


def check_coordinates(
    values: Mapping[str, Any], lon_name: str, lat_name: str, extent: Extent | None, where: Where
) -> list[Fault]:
    """Return the faults of one pair of coordinates that were read as numbers."""
    lon, lat = values.get(lon_name), values.get(lat_name)
    if lon is None or lat is None:
        return []
    pair = f"{lon:.10g}, {lat:.10g}"
    if lon == 0 and lat == 0:
        remedy = f"Give the true {lon_name} and {lat_name}, or delete the row."
        return [where.fault(FaultCode.NULL_COORDINATES, lon_name, pair, "both coordinates are zero", remedy)]
    if _are_swapped(lon, lat, extent):
        reason = f"{lon_name} and {lat_name} are swapped"
        remedy = f"Give {lon_name}, {lat_name} as {lat:.10g}, {lon:.10g}."
        return [where.fault(FaultCode.SWAPPED_COORDINATES, lon_name, pair, reason, remedy)]
    if abs(lon) > 180 or abs(lat) > 90:
        field = lon_name if abs(lon) > 180 else lat_name
        metres = abs(lon) > 360 or abs(lat) > 360
        reason = "the coordinates look like projected metres" if metres else "there is no such degree"
        remedy = "Give degrees, longitude from -180 to 180 and latitude from -90 to 90 (EPSG:4326)."
        return [where.fault(FaultCode.BAD_COORDINATES, field, pair, reason, remedy)]
    return []


def _are_swapped(lon: float, lat: float, extent: Extent | None) -> bool:
    if abs(lon) > 90 or abs(lat) > 180:
        return False  # turned round it would be no place on earth
    if abs(lat) > 90:
        return True
    return extent is not None and not extent.holds(lon, lat) and extent.holds(lat, lon)
