"""Closures: stretches of road or areas closed for some time, read from GeoJSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geodata.errors import Fault, FaultCollector, nearest_name

CLOSURE_KINDS = ("closed", "restricted")
_CLOSURE_KEYS = ("kind", "from_s", "until_s", "months", "applies_to", "id", "name")


@dataclass(frozen=True)
class Closure:
    """A stretch of road or an area closed for some time.

    Parameters
    ----------
    kind
        ``closed``: nobody in `applies_to` passes (empty: nobody at all). ``restricted``: as closed, but with an empty
        `applies_to` walkers still pass.
    geometry
        Line (roads along it) or polygon (roads meeting it), degrees.
    from_s, until_s
        Seconds after midnight between which it holds, each day.
    months
        Months (1-12) in which it holds; empty: all.
    applies_to
        Profile ids it holds for; empty: see `kind`.
    """

    id: str
    kind: str
    geometry: BaseGeometry
    from_s: int = 0
    until_s: int = 86_400
    months: tuple[int, ...] = ()
    applies_to: tuple[str, ...] = ()

    def holds(self, date: dt.date, from_s: int, until_s: int, profile_id: str | None, *, on_foot: bool) -> bool:
        """Return whether the closure binds a profile at some moment of [from_s, until_s] on a date."""
        if self.months and date.month not in self.months:
            return False
        if self.from_s > until_s or self.until_s <= from_s:
            return False
        if self.applies_to:
            return profile_id is None or profile_id in self.applies_to
        return self.kind == "closed" or not on_foot


def read_closures(
    path: Path, collector: FaultCollector | None = None, profile_ids: Collection[str] = ()
) -> tuple[Closure, ...]:
    """Read a GeoJSON file of closed roads.

    Where `profile_ids` are given, a closure that names another one is faulty.

    Faults go to `collector` where one is given (and the faulty features are left out), else they are raised.

    Raises
    ------
    InputError
        Without a collector, if the file or any feature is faulty; all faults at once.
    """
    faults = FaultCollector() if collector is None else collector
    found = []
    for row, feature in enumerate(_read_features(path, faults), start=1):
        closure = _FeatureReader(feature, row, path.name, faults, profile_ids).read()
        if closure is not None:
            found.append(closure)
    if collector is None:
        faults.raise_if_any()
    return tuple(found)


def _read_features(path: Path, faults: FaultCollector) -> Sequence[Mapping[str, object]]:
    """Return the features of a GeoJSON FeatureCollection; [] and a fault where it is none."""
    remedy = "Give a GeoJSON FeatureCollection of lines or polygons."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        faults.add(Fault("MISSING_FILE", path.name, "There is no such file", remedy))
        return []
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        code = "WRONG_ENCODING" if isinstance(error, UnicodeDecodeError) else "BROKEN_FILE"
        faults.add(Fault(code, path.name, f"The file is not readable as JSON: {error}", remedy))
        return []
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        faults.add(Fault("BROKEN_FILE", path.name, "The file has no list of features", remedy))
        return []
    return features


@dataclass
class _FeatureReader:
    """Turns one GeoJSON feature into a Closure, collecting what is wrong with it."""

    feature: Mapping[str, object]
    row: int
    file: str
    collector: FaultCollector
    profile_ids: Collection[str]

    @property
    def properties(self) -> Mapping[str, object]:
        """Properties of the feature; {} where they are none."""
        found = self.feature.get("properties")
        return found if isinstance(found, dict) else {}

    def read(self) -> Closure | None:
        """Return the closure, or None where the feature has faults."""
        before = len(self.collector.faults)
        for key in self.properties:
            self._known("UNKNOWN_KEY", key, key, _CLOSURE_KEYS, "There is no such property")
        kind = str(self.properties.get("kind", "closed"))
        self._known("UNKNOWN_CHOICE", "kind", kind, CLOSURE_KINDS, "There is no such kind of closure")
        from_s, until_s = self._times()
        months = self._months()
        applies_to = tuple(str(name) for name in _listed(self.properties.get("applies_to")))
        if self.profile_ids:
            for name in applies_to:
                self._known("UNKNOWN_PROFILE", "applies_to", name, self.profile_ids, "There is no such profile")
        geometry = _geometry_of(self.feature)
        if geometry is None:
            reason, remedy = "The shape is not a sound line or polygon in degrees", "Draw a line or polygon."
            self._fault("WRONG_GEOMETRY", "geometry", None, reason, remedy)
        if len(self.collector.faults) > before or geometry is None:
            return None
        closure_id = str(self.properties.get("id", self.row))
        return Closure(closure_id, kind, geometry, from_s, until_s, months, applies_to)

    def _times(self) -> tuple[int, int]:
        from_s, until_s = (
            _whole(self.properties.get(key), other) for key, other in (("from_s", 0), ("until_s", 86_400))
        )
        if from_s is None or until_s is None or from_s >= until_s:
            value = f"{self.properties.get('from_s')}, {self.properties.get('until_s')}"
            reason, remedy = "The closure does not begin before it ends", "Give whole seconds, from_s < until_s."
            self._fault("BAD_TIME", "from_s", value, reason, remedy)
            return 0, 86_400
        return from_s, until_s

    def _months(self) -> tuple[int, ...]:
        listed = _listed(self.properties.get("months"))
        months = tuple(month for month in listed if isinstance(month, int) and 1 <= month <= 12)
        if len(months) < len(listed):
            value = self.properties.get("months")
            self._fault("BAD_MONTH", "months", value, "A month is not one", "List numbers from 1 to 12.")
        return months

    def _known(self, code: str, field: str, value: str, known: Collection[str], reason: str) -> None:
        if value not in known:
            near = nearest_name(value, known)
            remedy = f"Did you mean {near!r}?" if near else f"Known are {', '.join(known)}."
            self._fault(code, field, value, reason, remedy)

    def _fault(self, code: str, field: str, value: object, reason: str, remedy: str) -> None:
        text = None if value is None else str(value)
        self.collector.add(Fault(code, self.file, reason, remedy, row=self.row, field=field, value=text))


def _whole(value: object, default: int) -> int | None:
    """Return a whole number, the default for None, None for anything else."""
    if value is None:
        return default
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _listed(value: object) -> list[object]:
    """Return a list as it is, a single value as a list of one, None as []."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _geometry_of(feature: Mapping[str, object]) -> BaseGeometry | None:
    """Return the feature's line or polygon, or None if it has none within the range of degrees."""
    try:
        geometry = shape(cast("dict[str, object]", feature["geometry"]))
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError):
        return None
    kinds = ("LineString", "MultiLineString", "Polygon", "MultiPolygon")
    if geometry.geom_type not in kinds or geometry.is_empty:
        return None
    west, south, east, north = geometry.bounds
    in_range = west >= -180.0 and east <= 180.0 and south >= -90.0 and north <= 90.0
    return geometry if in_range and geometry.is_valid else None
