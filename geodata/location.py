"""Sites of the four-level network, and the local metric frame all lengths are measured in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

FloatArray = npt.NDArray[np.float64]


class Level(StrEnum):
    """Level of a site in the network county hub → town station → village point → group drop (县镇村组)."""

    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"
    GROUP = "group"

    @property
    def depth(self) -> int:
        """0 for the county hub, 3 for a group."""
        return ("county", "town", "village", "group").index(self.value)


@dataclass(frozen=True, slots=True)
class Site:
    """A place of the four-level network.

    Times are seconds after local midnight, `handling_s` is the time goods need between unloading from one carrier
    and loading on the next, `max_wait_s` bounds how long they may be there in between (None: any time), store
    capacities are kilograms per temperature class (0: no such store).
    """

    id: str
    name: str
    level: Level
    lon: float
    lat: float
    parent: str | None = None
    opens_s: int = 0
    closes_s: int = 86_400
    handling_s: int = 300
    store_ambient_kg: float = 0.0
    store_chilled_kg: float = 0.0
    store_frozen_kg: float = 0.0
    drone_pads: int = 0
    max_wait_s: int | None = None
    bus_stop_ids: tuple[str, ...] = ()
    population: int = 0
    parcels_per_day: float = 0.0
    kind: str = "existing"
    opening_cost: float = 0.0
    capacity_per_day: float = 0.0
    synthetic: bool = False


@dataclass(frozen=True)
class LocalFrame:
    """Azimuthal-equidistant metric frame centred on an area; errors stay below 0.1 % within 100 km of the centre."""

    lon: float
    lat: float

    @cached_property
    def _forward(self) -> Transformer:
        crs = f"+proj=aeqd +lon_0={self.lon!r} +lat_0={self.lat!r} +datum=WGS84 +units=m +no_defs"
        return Transformer.from_crs("EPSG:4326", crs, always_xy=True)

    def to_metres(self, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return x (east) and y (north) in metres for degrees; arrays in, arrays of the same shape out."""
        x, y = self._forward.transform(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)

    def to_degrees(self, x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return lon and lat in degrees for metres in this frame; the inverse of `to_metres`."""
        lon, lat = self._forward.transform(
            np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64), direction="INVERSE"
        )
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


EARTH_RADIUS_M = 6_371_008.8
"""Mean earth radius (IUGG)."""


def great_circle_m(lon1: FloatArray, lat1: FloatArray, lon2: FloatArray, lat2: FloatArray) -> FloatArray:
    """Return great-circle distances in metres by the haversine formula; inputs in degrees broadcast together."""
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half_phi, half_lambda = (phi2 - phi1) / 2.0, np.radians(np.subtract(lon2, lon1)) / 2.0
    h = np.sin(half_phi) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(half_lambda) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))), dtype=np.float64)
