"""Airspace from a map: what China's rules for unmanned aircraft keep drones away from, as far as a map shows it.

Radii and margins are those of the scenario format (spec 4), after Article 19 of the Interim Regulation on Unmanned
Aircraft Flight (domain notes 2a.5). Protected areas are counted, not forbidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.airspace import Airspace, Zone, ZoneKind
from geodata.location import LocalFrame
from geodata.osm_features import AreaKind, OsmArea

KEEP_AWAY: Mapping[AreaKind, tuple[ZoneKind, float]] = {
    "aerodrome": ("controlled", 2_000.0),
    "heliport": ("controlled", 200.0),
    "power_plant": ("no_fly", 30.0),
    "substation": ("no_fly", 30.0),
    "fuel": ("no_fly", 30.0),
    "waterworks": ("no_fly", 30.0),
    "dam": ("no_fly", 30.0),
}
"""Kind of zone, and metres around the footprint, by kind of area; protected areas are not in it."""

_CORNERS = 4
"""Segments per quarter circle of a rounded zone: within 2 % of the circle, and few points to walk round."""


def airspace_from_areas(areas: Sequence[OsmArea], frame: LocalFrame) -> tuple[Airspace, tuple[str, ...]]:
    """Return zones around the areas, and sentences for the report.

    Parameters
    ----------
    areas
        What the map holds; areas of kind ``protected`` are only counted and named.
    frame
        Metric frame the margins are laid in.
    """
    zones = []
    for area in areas:
        if area.kind not in KEEP_AWAY:
            continue
        kind, margin_m = KEEP_AWAY[area.kind]
        geometry = _grown(area.geometry, margin_m, frame)
        zones.append(Zone(f"{area.kind}-{area.osm_id}", kind, area.name or area.kind.replace("_", " "), geometry))
    return Airspace(tuple(zones)), _notes(areas)


def _grown(geometry: BaseGeometry, margin_m: float, frame: LocalFrame) -> BaseGeometry:
    """Return the area with a margin around it, in degrees, simplified to a metre."""

    def metres(points: np.ndarray) -> np.ndarray:
        return np.column_stack(frame.to_metres(points[:, 0], points[:, 1]))

    def degrees(points: np.ndarray) -> np.ndarray:
        return np.round(np.column_stack(frame.to_degrees(points[:, 0], points[:, 1])), 7)

    grown = shapely.transform(geometry, metres).buffer(margin_m, quad_segs=_CORNERS).simplify(1.0)
    parts = shapely.get_parts(shapely.make_valid(shapely.transform(grown, degrees)))
    return shapely.union_all([part for part in parts if part.geom_type in ("Polygon", "MultiPolygon")])


def _notes(areas: Sequence[OsmArea]) -> tuple[str, ...]:
    counted = {kind: sum(area.kind == kind for area in areas) for kind in KEEP_AWAY}
    listed = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in counted.items() if number)
    notes = [f"Airspace from the map: {listed}." if listed else "The map shows nothing that restricts airspace."]
    protected = [area.name or area.osm_id for area in areas if area.kind == "protected"]
    if protected:
        notes.append(f"{len(protected)} protected areas are not forbidden to drones here: {', '.join(protected)}.")
    return tuple(notes)
