"""Area: terrain, streets, airspace, weather, closures and timetable of one scenario, read once and cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from geodata.airspace import Airspace, read_airspace
from geodata.cache import Cache, file_digest
from geodata.gtfs import read_gtfs
from geodata.location import LocalFrame
from geodata.osm import read_street_network
from geodata.profiles import Profile, load_profiles
from geodata.streets import Closure, StreetNetwork, closed_edges, read_closures
from geodata.terrain import Terrain, read_terrain
from geodata.timetable import Timetable
from geodata.weather import CALM_WEATHER, Weather, read_weather

LAST_SECOND_S = 30 * 3600
"""End of the planning horizon: 06:00 of the next day."""


class AreaFiles(Protocol):
    """Files an area is made of; paths exist, None means the scenario has no such file."""

    @property
    def streets(self) -> Path:
        """OSM extract."""
        ...

    @property
    def terrain(self) -> tuple[Path, ...]:
        """Elevation tiles."""
        ...

    @property
    def timetable(self) -> Path | None:
        """GTFS feed with the cargo files."""
        ...

    @property
    def airspace(self) -> Path | None:
        """Airspace zones."""
        ...

    @property
    def closures(self) -> Path | None:
        """Closed roads."""
        ...

    @property
    def weather(self) -> Path | None:
        """Hourly weather."""
        ...

    @property
    def profiles(self) -> Path | None:
        """Travel profiles beside the shipped ones."""
        ...


@dataclass(frozen=True)
class Area:
    """Raw facts of the land, the air and the timetable on the service date."""

    service_date: date
    frame: LocalFrame
    terrain: Terrain
    streets: StreetNetwork
    profiles: Mapping[str, Profile]
    airspace: Airspace
    weather: Weather
    closures: tuple[Closure, ...]
    timetable: Timetable | None
    streets_digest: str
    """Digest of everything the street network was made of."""

    def closed_today(self, profile: Profile) -> npt.NDArray[np.bool_]:
        """Return the edges closed to a profile at any time of the service day, shape (m,): closed for planning."""
        return closed_edges(
            self.streets,
            self.closures,
            self.service_date,
            0,
            LAST_SECOND_S,
            profile_id=profile.id,
            on_foot=profile.is_walker,
        )


def load_area(files: AreaFiles, service_date: date, cache: Cache | None = None) -> Area:
    """Read all facts of an area; the street network and the timetable come from the cache when nothing changed.

    Raises
    ------
    InputError
        If a file is missing, broken or does not fit the others.
    """
    cache = cache if cache is not None else Cache(None)
    terrain = read_terrain(files.terrain)
    profiles = load_profiles(files.profiles)
    streets_key = {"osm": file_digest(files.streets), "terrain": [file_digest(path) for path in files.terrain]}
    streets = cache.get("streets", streets_key, lambda: read_street_network(files.streets, terrain))
    return Area(
        service_date=service_date,
        frame=LocalFrame(float(np.mean(streets.node_lon)), float(np.mean(streets.node_lat))),
        terrain=terrain,
        streets=streets,
        profiles=profiles,
        airspace=read_airspace(files.airspace) if files.airspace else Airspace(()),
        weather=read_weather(files.weather) if files.weather else CALM_WEATHER,
        closures=read_closures(files.closures, profile_ids=tuple(profiles)) if files.closures else (),
        timetable=_load_timetable(files.timetable, service_date, cache),
        streets_digest=_joined(streets_key["osm"], *streets_key["terrain"]),
    )


def _joined(*parts: str | Sequence[str]) -> str:
    return "-".join(part if isinstance(part, str) else "-".join(part) for part in parts)


def _load_timetable(path: Path | None, service_date: date, cache: Cache) -> Timetable | None:
    if path is None:
        return None
    key = {"feed": file_digest(path), "date": service_date.isoformat()}
    return cache.get("timetable", key, lambda: read_gtfs(path, service_date))
