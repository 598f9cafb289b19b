"""Area: terrain, streets, airspace, weather, closures and timetable of one scenario, read once and cached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from geodata.airspace import Airspace, read_airspace
from geodata.cache import Cache, file_digest
from geodata.conditional_access import conditionally_closed
from geodata.errors import FaultCollector, InputError
from geodata.gtfs import read_gtfs
from geodata.gtfs_realtime import apply_trip_updates, read_realtime
from geodata.location import LocalFrame
from geodata.osm import read_street_network
from geodata.profiles import Profile, load_profiles
from geodata.streets import Closure, StreetNetwork, closed_edges, read_closures
from geodata.terrain import Terrain, read_terrain
from geodata.timetable import Timetable
from geodata.weather import CALM_WEATHER, Weather, read_weather

T = TypeVar("T")

LAST_SECOND_S = 30 * 3600
"""End of the planning horizon: 06:00 of the next day."""
FLAT = Terrain(-180.0, 90.0, 360.0, 180.0, np.zeros((2, 2), dtype=np.float32))
"""Level ground all over the world, for a scenario without elevation tiles."""


class AreaFiles(Protocol):
    """Files an area is made of; None means there is no such file."""

    @property
    def streets(self) -> Path | None:
        """OSM extract; without it there is no area, but the other files can be looked through."""
        ...

    @property
    def terrain(self) -> tuple[Path, ...]:
        """Elevation tiles; none: the ground is taken as flat."""
        ...

    @property
    def timetable(self) -> Path | None:
        """GTFS feed with the cargo files."""
        ...

    @property
    def timetable_updates(self) -> Path | None:
        """GTFS-Realtime TripUpdates for the timetable."""
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

    @property
    def is_flat(self) -> bool:
        """Whether there are no elevation tiles."""
        return self.terrain is FLAT

    def closed_today(self, profile: Profile, from_s: int = 0, until_s: int = LAST_SECOND_S) -> npt.NDArray[np.bool_]:
        """Return the edges closed to a profile at any moment of [from_s, until_s), shape (m,): closed for planning.

        Closures of the scenario and access by time of the map (``access:conditional`` and its like) both count.
        """
        closed = closed_edges(
            self.streets,
            self.closures,
            self.service_date,
            from_s,
            until_s,
            profile_id=profile.id,
            on_foot=profile.is_walker,
        )
        return closed | conditionally_closed(self.streets, profile, self.service_date, from_s, until_s)


def load_area(files: AreaFiles, service_date: date, cache: Cache | None = None) -> Area:
    """Read all facts of an area; the street network and the timetable come from the cache when nothing changed.

    Raises
    ------
    InputError
        If files are missing, broken or do not fit each other; names every fault of every file.
    """
    collector = FaultCollector()
    area = read_area(files, service_date, collector, cache)
    collector.raise_if_any()
    assert area is not None  # a part that is absent comes with a fault
    return area


def read_area(
    files: AreaFiles, service_date: date | None, collector: FaultCollector, cache: Cache | None = None
) -> Area | None:
    """Read all facts of an area, looking through every file however faulty the others are.

    Parameters
    ----------
    files
        Files to read; those that are None are left out.
    service_date
        None where it is not known; the timetable is then not looked through.
    collector
        Takes every fault.

    Returns
    -------
    Area | None
        None where a file has faults, or streets or date are not known.
    """
    cache = cache if cache is not None else Cache(None)
    profiles = _part(lambda: load_profiles(files.profiles), collector)
    terrain = _part(lambda: _load_terrain(files.terrain, cache), collector)
    streets, streets_digest = _load_streets(files, terrain, collector, cache)
    before = len(collector.faults)
    airspace = read_airspace(files.airspace, collector) if files.airspace else Airspace(())
    weather = read_weather(files.weather, collector) if files.weather else CALM_WEATHER
    closures = read_closures(files.closures, collector, tuple(profiles or ())) if files.closures else ()
    timetable = read_timetable(files, service_date, collector, cache)
    if len(collector.faults) > before or profiles is None or terrain is None or streets is None or service_date is None:
        return None
    return Area(
        service_date=service_date,
        frame=LocalFrame(float(np.mean(streets.node_lon)), float(np.mean(streets.node_lat))),
        terrain=terrain,
        streets=streets,
        profiles=profiles,
        airspace=airspace,
        weather=weather,
        closures=closures,
        timetable=timetable,
        streets_digest=streets_digest,
    )


def _part(read: Callable[[], T], collector: FaultCollector) -> T | None:
    """Return what a reader returns, or None with its faults in the collector."""
    try:
        return read()
    except InputError as error:
        for fault in error.faults:
            collector.add(fault)
        return None


def _load_terrain(tiles: tuple[Path, ...], cache: Cache) -> Terrain:
    """Return the terrain of tiles; their merging and resampling is kept."""
    if not tiles:
        return FLAT
    if not all(tile.is_file() for tile in tiles):
        return read_terrain(tiles)  # which tells the fault
    return cache.get("terrain", {"tiles": [file_digest(tile) for tile in tiles]}, lambda: read_terrain(tiles))


def _load_streets(
    files: AreaFiles, terrain: Terrain | None, collector: FaultCollector, cache: Cache
) -> tuple[StreetNetwork | None, str]:
    """Return the street network and the digest of all it was made of."""
    path = files.streets
    if path is None:
        return None, ""
    if terrain is None or not path.is_file():
        # Faults of the map show on level ground as well; the network itself is of no use.
        _part(lambda: read_street_network(path, FLAT), collector)
        return None, ""
    key = {"osm": file_digest(path), "terrain": [file_digest(tile) for tile in files.terrain]}
    streets = _part(lambda: cache.get("streets", key, lambda: read_street_network(path, terrain)), collector)
    return streets, "-".join([str(key["osm"]), *key["terrain"]])


def read_timetable(
    files: AreaFiles, service_date: date | None, collector: FaultCollector, cache: Cache | None = None
) -> Timetable | None:
    """Return the timetable of a day with its real-time updates, as `read_area` does without reading anything else.

    None where there is none, or it has faults, which go to the collector.
    """
    timetable = _load_timetable(files.timetable, service_date, collector, cache if cache is not None else Cache(None))
    if timetable is None or files.timetable_updates is None:
        return timetable
    return _updated(timetable, files.timetable_updates, collector)


def _load_timetable(
    path: Path | None, service_date: date | None, collector: FaultCollector, cache: Cache
) -> Timetable | None:
    if path is None or service_date is None:
        return None
    if not path.exists():
        return read_gtfs(path, service_date, collector)
    key = {"feed": file_digest(path), "date": service_date.isoformat()}
    return _part(lambda: cache.get("timetable", key, lambda: read_gtfs(path, service_date)), collector)


def _updated(timetable: Timetable, updates: Path, collector: FaultCollector) -> Timetable | None:
    """Return the timetable as a GTFS-Realtime file changes it; never from the cache, which keeps the day as planned."""
    return _part(lambda: apply_trip_updates(timetable, read_realtime(updates), updates.name), collector)
