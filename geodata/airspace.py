"""Airspace: where drones may not fly, may fly with leave, or may fly higher; read from and written to GeoJSON.

``no_fly`` zones bar every flight. ``controlled`` zones bar it too, except inside an approved corridor. A ``corridor``
is such an approval: inside it, in its hours, the ceiling over ground is the corridor's own (domain notes 2a.5).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, cast

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from geodata.errors import Fault, FaultCollector, nearest_name

ZoneKind = Literal["no_fly", "controlled", "corridor"]
ZONE_KINDS: Final[tuple[ZoneKind, ...]] = ("no_fly", "controlled", "corridor")
ZONE_PROPERTIES: Final = (
    "id",
    "kind",
    "name",
    "floor_agl_m",
    "ceiling_agl_m",
    "from_s",
    "until_s",
    "months",
    "applies_to",
    "synthetic",
    "source",
)
"""Property names accepted in ``airspace.geojson``; ``synthetic`` and ``source`` are notes for the reader."""


@dataclass(frozen=True, slots=True)
class Zone:
    """One piece of airspace.

    Parameters
    ----------
    id, kind, name
        Identity; `kind` is ``no_fly``, ``controlled`` or ``corridor``.
    geometry
        Polygon or multipolygon in degrees, EPSG:4326.
    floor_agl_m, ceiling_agl_m
        Heights over ground between which the zone holds; for a corridor the ceiling is how high flights may be.
    from_s, until_s
        Seconds after local midnight between which it holds; infinite `until_s` means without end.
    months
        Months (1 to 12) in which it holds; empty means all.
    applies_to
        Ids of the drone types it holds for; empty means all.
    """

    id: str
    kind: ZoneKind
    name: str
    geometry: BaseGeometry
    floor_agl_m: float = 0.0
    ceiling_agl_m: float = math.inf
    from_s: float = 0.0
    until_s: float = math.inf
    months: tuple[int, ...] = ()
    applies_to: tuple[str, ...] = ()

    @property
    def is_permanent(self) -> bool:
        """Whether the zone holds all day."""
        return self.from_s <= 0 and math.isinf(self.until_s)

    def concerns(self, day: date, drone_type: str) -> bool:
        """Return whether the zone holds at some time of a day for a drone type."""
        return (not self.months or day.month in self.months) and (not self.applies_to or drone_type in self.applies_to)

    def is_active(self, from_s: float, until_s: float) -> bool:
        """Return whether the zone holds at some moment of the closed span of seconds after midnight."""
        return self.from_s <= until_s and from_s <= self.until_s


@dataclass(frozen=True, slots=True)
class Airspace:
    """All zones of an area; none means free airspace below the general ceiling."""

    zones: tuple[Zone, ...] = ()

    def concerning(self, day: date, drone_type: str) -> tuple[Zone, ...]:
        """Return the zones that hold at some time of a day for a drone type."""
        return tuple(zone for zone in self.zones if zone.concerns(day, drone_type))


def read_airspace(path: Path, collector: FaultCollector | None = None) -> Airspace:
    """Read ``airspace.geojson``.

    Parameters
    ----------
    path
        GeoJSON FeatureCollection in EPSG:4326 with the properties of `ZONE_PROPERTIES`; ``kind`` is required, and
        ``ceiling_agl_m`` for corridors. Absent heights, hours, months and drone types mean: all of them.
    collector
        Takes the faults, and the sound zones are returned; None to raise them.

    Raises
    ------
    InputError
        If `collector` is None and the file has faults; all of them together.
    """
    faults = FaultCollector() if collector is None else collector
    zones: dict[str, Zone] = {}
    for number, feature in enumerate(_read_features(path, faults), start=1):
        zone = _Reader(path.name, number, faults).zone(feature)
        if zone is None:
            continue
        if zone.id in zones:
            faults.add(
                Fault(
                    "DUPLICATE_ID",
                    path.name,
                    "The zone id is used twice",
                    "Give each zone its own id.",
                    number,
                    "id",
                    zone.id,
                )
            )
            continue
        zones[zone.id] = zone
    if collector is None:
        faults.raise_if_any()
    return Airspace(tuple(zones.values()))


def write_airspace(airspace: Airspace, path: Path, synthetic: bool) -> None:
    """Write ``airspace.geojson``; `synthetic` is marked on every feature. `read_airspace` gives the same zones back."""
    features = [
        {"type": "Feature", "properties": _properties(zone, synthetic), "geometry": mapping(zone.geometry)}
        for zone in airspace.zones
    ]
    document = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _properties(zone: Zone, synthetic: bool) -> dict[str, object]:
    """Return the GeoJSON properties of a zone; what is unlimited is left out."""
    properties: dict[str, object] = {"id": zone.id, "kind": zone.kind, "name": zone.name}
    limits = (
        ("floor_agl_m", zone.floor_agl_m, 0.0),
        ("ceiling_agl_m", zone.ceiling_agl_m, math.inf),
        ("from_s", zone.from_s, 0.0),
        ("until_s", zone.until_s, math.inf),
    )
    properties |= {name: value for name, value, default in limits if value != default}
    if zone.months:
        properties["months"] = list(zone.months)
    if zone.applies_to:
        properties["applies_to"] = list(zone.applies_to)
    return properties | {"synthetic": synthetic}


def _read_features(path: Path, faults: FaultCollector) -> list[Any]:
    """Return the raw features; empty with a fault where the file is no feature collection."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        faults.add(Fault("MISSING_FILE", path.name, "The airspace file does not exist", "Give an existing GeoJSON."))
        return []
    except (OSError, ValueError, RecursionError) as error:
        code = "WRONG_ENCODING" if isinstance(error, UnicodeDecodeError) else "BROKEN_FILE"
        faults.add(Fault(code, path.name, f"Cannot be read as GeoJSON: {error}", "Give valid GeoJSON in UTF-8."))
        return []
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        faults.add(
            Fault(
                "BROKEN_FILE",
                path.name,
                "Not a GeoJSON FeatureCollection",
                'Give an object with "type": "FeatureCollection" and a list "features".',
            )
        )
        return []
    return cast("list[Any]", document["features"])


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one feature, noting every fault with its number."""

    file: str
    number: int
    faults: FaultCollector

    def zone(self, feature: Any) -> Zone | None:
        """Return the zone, or None with faults."""
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            self._fault("BROKEN_FILE", "Not a feature with properties", "Give a GeoJSON Feature.")
            return None
        before = len(self.faults.faults)
        self._check_names(properties)
        kind = self._kind(properties)
        geometry = self._geometry(feature.get("geometry"))
        floor = self._number(properties, "floor_agl_m", 0.0)
        ceiling = self._number(properties, "ceiling_agl_m", math.inf)
        if kind == "corridor" and math.isinf(ceiling):
            self._fault("MISSING_VALUE", "A corridor needs a ceiling", "Give metres over ground.", "ceiling_agl_m")
        from_s = self._number(properties, "from_s", 0.0)
        until_s = self._number(properties, "until_s", math.inf)
        self._check_order(floor, ceiling, "floor_agl_m", "ceiling_agl_m")
        self._check_order(from_s, until_s, "from_s", "until_s")
        months = self._months(properties.get("months"))
        applies_to = self._names(properties.get("applies_to"))
        if kind is None or geometry is None or len(self.faults.faults) > before:
            return None
        zone_id = str(properties.get("id") or f"zone-{self.number}")
        name = str(properties.get("name") or zone_id)
        return Zone(zone_id, kind, name, geometry, floor, ceiling, from_s, until_s, months, applies_to)

    def _fault(self, code: str, reason: str, remedy: str, field: str | None = None, value: object = None) -> None:
        text = None if value is None else str(value)[:80]
        self.faults.add(Fault(code, self.file, reason, remedy, self.number, field, text))

    def _check_names(self, properties: Mapping[str, Any]) -> None:
        for name in properties:
            if name not in ZONE_PROPERTIES:
                near = nearest_name(str(name), ZONE_PROPERTIES)
                remedy = f"Did you mean {near}?" if near else f"Known properties: {', '.join(ZONE_PROPERTIES)}."
                self._fault("UNKNOWN_KEY", "Unknown property", remedy, str(name), name)

    def _kind(self, properties: Mapping[str, Any]) -> ZoneKind | None:
        kind = properties.get("kind")
        for known in ZONE_KINDS:
            if kind == known:
                return known
        near = nearest_name(str(kind), ZONE_KINDS)
        remedy = f"Did you mean {near}?" if near and kind else f"Give one of: {', '.join(ZONE_KINDS)}."
        self._fault("UNKNOWN_CHOICE", "Unknown kind of zone" if kind else "The kind is missing", remedy, "kind", kind)
        return None

    def _geometry(self, raw: Any) -> BaseGeometry | None:
        remedy = "Give a Polygon or MultiPolygon in degrees, longitude first."
        if not isinstance(raw, dict):
            self._fault("WRONG_GEOMETRY", "The zone has no geometry", remedy, "geometry")
            return None
        try:
            geometry = shape(raw)
        except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            self._fault("WRONG_GEOMETRY", f"The geometry cannot be read: {error}", remedy, "geometry")
            return None
        if geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
            self._fault("WRONG_GEOMETRY", "The geometry is no area", remedy, "geometry", geometry.geom_type)
            return None
        west, south, east, north = geometry.bounds
        if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
            reason = "Coordinates are outside longitude ±180 and latitude ±90 (swapped, or in metres?)"
            self._fault("WRONG_GEOMETRY", reason, remedy, "geometry", f"{west:g} {south:g} {east:g} {north:g}")
            return None
        if not geometry.is_valid:
            reason = f"The geometry is not valid: {shapely.is_valid_reason(geometry)}"
            self._fault("WRONG_GEOMETRY", reason, remedy, "geometry")
            return None
        return geometry

    def _number(self, properties: Mapping[str, Any], name: str, default: float) -> float:
        value = properties.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            self._fault("BAD_VALUE", "Not a number that is possible here", "Give a number from 0 up.", name, value)
            return default
        return float(value)

    def _check_order(self, low: float, high: float, low_name: str, high_name: str) -> None:
        if low >= high:
            self._fault(
                "BAD_RANGE", f"{low_name} is not below {high_name}", f"Give {low_name} < {high_name}.", low_name, low
            )

    def _months(self, value: Any) -> tuple[int, ...]:
        months = [] if value is None else value
        if not isinstance(months, list) or any(type(m) is not int or not 1 <= m <= 12 for m in months):
            self._fault("BAD_MONTH", "Not a list of months", "Give a list like [4, 5, 6].", "months", value)
            return ()
        return tuple(sorted(set(months)))

    def _names(self, value: Any) -> tuple[str, ...]:
        names = [] if value is None else value
        if not isinstance(names, list) or any(not isinstance(name, str) for name in names):
            self._fault("BAD_VALUE", "Not a list of drone types", 'Give a list like ["L"].', "applies_to", value)
            return ()
        return tuple(names)
