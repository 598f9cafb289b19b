"""What an airspace means for a flight: zones walked round, height limits along the way, ground no pad may lie on.

The plane is the equirectangular one of the area: a straight line in it is straight in longitude and latitude too, so
what is checked in it is exactly what the line's vertices say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from geodata.airspace import Zone
from geodata.drones import DroneType
from geodata.location import EARTH_RADIUS_M, FloatArray, LocalFrame

LID_HEADROOM_M = 20.0
"""A zone that begins this far above the clearance is flown under; a lower one is walked round."""


@dataclass(frozen=True)
class Plane:
    """Equirectangular plane around a point, metres east and north."""

    lon: float
    lat: float

    @property
    def _scale(self) -> FloatArray:
        per_degree = math.radians(1.0) * EARTH_RADIUS_M
        return np.array([per_degree * math.cos(math.radians(self.lat)), per_degree])

    def to_metres(self, lonlat: npt.ArrayLike) -> FloatArray:
        """Return x, y in metres for longitude, latitude in degrees; arrays of shape (..., 2)."""
        return np.asarray((np.asarray(lonlat, dtype=np.float64) - (self.lon, self.lat)) * self._scale)

    def to_degrees(self, xy_m: npt.ArrayLike) -> FloatArray:
        """Return longitude, latitude in degrees for x, y in metres; the inverse of `to_metres`."""
        return np.asarray(np.asarray(xy_m, dtype=np.float64) / self._scale + (self.lon, self.lat))

    def project(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a geometry in degrees moved to the plane."""
        moved: BaseGeometry = shapely.transform(geometry, self.to_metres)
        return moved


@dataclass(frozen=True)
class Layer:
    """A height limit over an area of the plane: the lid of a zone flown under, or the ceiling of a corridor."""

    kind: Literal["lid", "corridor"]
    limit_agl_m: float
    area: BaseGeometry


@dataclass(frozen=True)
class AirspaceView:
    """What an airspace means for one drone type on one day.

    Parameters
    ----------
    barriers
        (zone, polygon in the plane) walked round; one entry per simple part.
    layers
        Height limits along the way.
    ground
        (zone, area) of zones flown over: only pads may not lie in them.
    """

    plane: Plane
    barriers: tuple[tuple[Zone, Polygon], ...]
    layers: tuple[Layer, ...]
    ground: tuple[tuple[Zone, BaseGeometry], ...]


def view_airspace(
    frame: LocalFrame, drone: DroneType, zones: Sequence[Zone], corridors: Sequence[Zone]
) -> AirspaceView:
    """Sort zones by what they mean for a flight.

    Parameters
    ----------
    frame
        Gives the centre of the plane.
    drone
        Type flying.
    zones
        No-fly and controlled zones held to.
    corridors
        Approved corridors that may be used.
    """
    plane = Plane(frame.lon, frame.lat)
    approved = shapely.union_all([plane.project(zone.geometry) for zone in corridors])
    barriers: list[tuple[Zone, Polygon]] = []
    layers = [Layer("corridor", zone.ceiling_agl_m, plane.project(zone.geometry)) for zone in corridors]
    ground: list[tuple[Zone, BaseGeometry]] = []
    for zone in zones:
        area = plane.project(zone.geometry)
        if zone.kind == "controlled":
            area = shapely.difference(area, approved)
        if zone.floor_agl_m >= drone.clearance_m + LID_HEADROOM_M:
            layers.append(Layer("lid", zone.floor_agl_m, area))
        elif zone.ceiling_agl_m <= drone.clearance_m:
            ground.append((zone, area))
        else:
            parts = [part for part in shapely.get_parts(area) if isinstance(part, Polygon) and part.area > 1.0]
            barriers.extend((zone, part) for part in parts)
    return AirspaceView(plane, tuple(barriers), tuple(layers), tuple(ground))
