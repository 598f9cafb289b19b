"""A complete scenario of any OSM extract: four levels of sites, buses, orders, fleet, pads, airspace, weather."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import shapely

from geodata.airspace import Airspace
from geodata.errors import Fault, InputError
from geodata.gtfs import write_gtfs
from geodata.gtfs_feed import Feed
from geodata.location import LocalFrame, Site
from geodata.matrix import TravelMatrix
from geodata.osm import read_street_network
from geodata.osm_features import OsmFeatures, OsmPlace, read_osm_features
from geodata.profiles import edge_costs, load_profiles
from geodata.street_matrix import compute_matrix, snap
from geodata.streets import StreetNetwork
from geodata.terrain import Terrain, read_terrain
from routing.generation.airspace_osm import airspace_from_areas
from routing.generation.buses import BusPlan, BusRoads, plan_buses, with_bus_stops
from routing.generation.demand import generate_orders
from routing.generation.fleet import default_fleet
from routing.generation.population import PopulationRow, populations, read_population
from routing.generation.sites import Network, build_network, usable_places
from routing.generation.weather import windy_afternoon
from routing.generation.writer import ScenarioConfig, write_scenario

SERVICE_DATE = date(2026, 5, 12)
"""The day planned unless another is asked for: a Tuesday in spring, no holiday."""
SITE_PROFILE, BUS_PROFILE = "van_diesel", "truck"
"""Travel profiles for parents and for buses (a 5.99 m bus is as long and wide as a light truck)."""
NOTES_FILE = "scenario_notes.md"
TIMETABLE_FILE = "timetable.zip"
CREDITS = {
    "map": "Map data © OpenStreetMap contributors, ODbL 1.0 (openstreetmap.org/copyright)",
    "terrain": "Elevation: the tiles given (SRTM by NASA/USGS is in the public domain)",
    "population": "Population: the file given (GeoNames is CC BY 4.0, geonames.org)",
}


@dataclass(frozen=True)
class _Parts:
    """Everything a scenario is written from."""

    network: Network
    sites: tuple[Site, ...]
    buses: BusPlan
    airspace: Airspace
    hub_elevation_m: float
    notes: tuple[str, ...]


def make_osm_scenario(
    osm: Path,
    terrain: Sequence[Path],
    out: Path,
    *,
    population: Path | None = None,
    orders: int = 400,
    seed: int = 1,
    name: str | None = None,
    service_date: date | None = None,
    timezone: str | None = None,
) -> None:
    """Write a complete scenario of an OSM extract into a folder; the same inputs give the same bytes.

    Extract, elevation tiles and population file are read; extract and tiles are copied into the folder. What is made
    up is marked synthetic in the files, and ``scenario_notes.md`` says what was assumed and why.

    Parameters
    ----------
    osm
        Extract as ``.osm.pbf`` or ``.osm``.
    terrain
        Elevation tiles that cover the roads and places of the extract.
    out
        Folder to make. It appears whole or not at all; a scenario made before is replaced.
    population
        CSV with name, latitude, longitude, population; None to go by the map and by defaults.
    orders
        Number of orders of the day.
    seed
        Of the orders.
    name
        Name of the scenario; None for that of the extract.
    service_date
        None for `SERVICE_DATE`, or the next date with a bus if none runs then.
    timezone
        IANA name; None for the nominal zone of the hub's longitude.

    Raises
    ------
    InputError
        If a file is missing or broken, the extract has no settlement or no road, the terrain does not cover it, or
        `out` is taken by something that is no scenario.
    """
    _refuse_bad_arguments(osm, terrain, out, orders)
    rows = read_population(population) if population is not None else ()
    features = read_osm_features(osm)
    places = usable_places(features, osm.name)
    ground = read_terrain(terrain)
    streets = read_street_network(osm, ground)
    day = service_date or SERVICE_DATE
    zone = timezone or _nominal_zone(places)
    parts = _make_parts(features, places, ground, streets, rows, day.year, zone, osm.name)
    if service_date is None:
        day = _day_with_buses(parts.buses.feed, day)
    tiles = _tile_files(terrain)
    config = ScenarioConfig(
        name=_folder_name(name or osm.name.removesuffix(".pbf").removesuffix(".osm")),
        service_date=day,
        streets=osm.name,
        terrain=tuple(tiles),
        timetable=TIMETABLE_FILE if parts.buses.feed is not None else None,
        timezone=zone,
        synthetic=_synthetic(parts),
        credits=tuple(text for key, text in CREDITS.items() if key != "population" or rows),
        notes=("Made from an OpenStreetMap extract; what was assumed stands in scenario_notes.md.",),
    )
    with _whole_folder(out) as folder:
        _copy({osm.name: osm, **tiles}, folder)
        if parts.buses.feed is not None:
            write_gtfs(folder / TIMETABLE_FILE, parts.buses.feed)
        write_scenario(
            folder,
            config=config,
            sites=parts.sites,
            orders=generate_orders(parts.sites, orders, seed, parts.network.hub_id),
            fleet=default_fleet(parts.sites, parts.network.hub_id, parts.network.pads, orders=orders),
            weather=windy_afternoon(parts.hub_elevation_m, seed),
            airspace=parts.airspace,
        )
        (folder / NOTES_FILE).write_text(_report(config, parts, orders, seed), encoding="utf-8")


def _make_parts(
    features: OsmFeatures,
    places: Sequence[OsmPlace],
    ground: Terrain,
    streets: StreetNetwork,
    rows: Sequence[PopulationRow],
    year: int,
    zone: str,
    file: str,
) -> _Parts:
    heights_m = _heights(places, ground, file)
    people, unmatched = populations(places, rows)
    frame = LocalFrame(lon=float(np.mean([p.lon for p in places])), lat=float(np.mean([p.lat for p in places])))
    airspace, airspace_notes = airspace_from_areas(features.areas, frame)
    barred = shapely.union_all([zone_.geometry for zone_ in airspace.zones]) if airspace.zones else None
    network = build_network(places, features.boundaries, people, _road_times(places, streets), barred)
    profile = load_profiles()[BUS_PROFILE]
    roads = BusRoads(streets, edge_costs(streets, profile), profile)
    buses = plan_buses(features.bus_lines, network.sites, roads, year, zone)
    notes = [*network.notes]
    if unmatched:
        notes.append(f"No place on the map fits these rows of the population file: {', '.join(unmatched)}.")
    notes += [*buses.notes, *airspace_notes]
    if ground.void_share > 0:
        notes.append(f"{ground.void_share:.2%} of the terrain were voids; they were filled from around them.")
    return _Parts(
        network=network,
        sites=with_bus_stops(network.sites, buses),
        buses=buses,
        airspace=airspace,
        hub_elevation_m=heights_m[network.place_of[network.hub_id]],
        notes=tuple(notes),
    )


def _heights(places: Sequence[OsmPlace], ground: Terrain, file: str) -> dict[str, float]:
    """Return the height of each place in metres; refuse a terrain that misses any."""
    lon, lat = np.array([p.lon for p in places]), np.array([p.lat for p in places])
    heights = ground.elevation_m(lon, lat)
    missing = [place for place, height in zip(places, heights.tolist(), strict=True) if not np.isfinite(height)]
    if missing:
        named = ", ".join(place.name or place.osm_id for place in missing[:5])
        raise InputError(
            [
                Fault(
                    "TERRAIN_NOT_COVERING",
                    file,
                    f"The terrain does not cover {len(missing)} of {len(places)} places ({named})",
                    f"Give elevation tiles for {lon.min():.3f},{lat.min():.3f} to {lon.max():.3f},{lat.max():.3f}.",
                )
            ]
        )
    return {place.osm_id: float(height) for place, height in zip(places, heights, strict=True)}


def _road_times(places: Sequence[OsmPlace], streets: StreetNetwork) -> TravelMatrix:
    profile = load_profiles()[SITE_PROFILE]
    costs = edge_costs(streets, profile)
    lon, lat = np.array([p.lon for p in places]), np.array([p.lat for p in places])
    snapped = snap(streets, costs, profile, lon, lat)
    return compute_matrix(streets, costs, profile.key, [place.osm_id for place in places], snapped)


def _nominal_zone(places: Sequence[OsmPlace]) -> str:
    """Return the nautical zone of the area; POSIX signs are reversed: ``Etc/GMT-8`` is eight hours ahead."""
    hours = round(float(np.mean([place.lon for place in places])) / 15.0)
    return "Etc/GMT" if hours == 0 else f"Etc/GMT{-hours:+d}"


def _day_with_buses(feed: Feed | None, day: date) -> date:
    """Return the day, or the next one on which a bus runs."""
    if feed is None:
        return day
    return next((running for running in feed.service_dates if running >= day), day)


def _synthetic(parts: _Parts) -> tuple[str, ...]:
    """Return the parts that are made up; streets, terrain and airspace are from the map and the tiles."""
    always = ("sites", "orders", "fleet", "weather")
    return (*always, "timetable") if parts.buses.feed is not None else always


def _report(config: ScenarioConfig, parts: _Parts, orders: int, seed: int) -> str:
    lines = [
        f"# {config.name}",
        "",
        f"{orders} synthetic orders of {config.service_date} (seed {seed}). Synthetic: {', '.join(config.synthetic)}.",
        "Sites stand at places of the map; their levels, hours, stores and pads are made up.",
        "Real: streets, places, boundaries, bus lines and stops, airspace (from the map), terrain (from the tiles).",
        f"Times are local ({config.timezone}: the nominal zone of the longitude unless one was given).",
        "Rates are those of a Chinese county in fen, for the fleet is.",
        "",
        *(f"- {note}" for note in parts.notes),
        "",
        *(f"{text}." for text in config.credits),
    ]
    return "\n".join(lines) + "\n"


def _refuse_bad_arguments(osm: Path, terrain: Sequence[Path], out: Path, orders: int) -> None:
    """Raise every fault of the arguments at once, before anything slow is done."""
    faults = []
    if not osm.is_file():
        remedy = "Give an OSM extract (.osm.pbf or .osm)."
        faults.append(Fault("MISSING_FILE", osm.name, "There is no such file", remedy))
    if not terrain:
        remedy = "Give an elevation tile (--terrain), for example an SRTM .hgt.zip."
        faults.append(Fault("TERRAIN_MISSING", "command line", "A scenario needs terrain", remedy, field="--terrain"))
    faults += [
        Fault("MISSING_FILE", tile.name, "The elevation tile does not exist", "Give the path of an existing tile.")
        for tile in terrain
        if not tile.exists()
    ]
    if orders < 0:
        remedy = "Give a number from 0."
        faults.append(
            Fault(
                "OUT_OF_RANGE",
                "command line",
                "The number of orders is negative",
                remedy,
                None,
                "--orders",
                str(orders),
            )
        )
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / "scenario.toml").is_file())):
        reason = "The folder holds something that is no scenario, and is not overwritten"
        faults.append(
            Fault("OUTPUT_TAKEN", "command line", reason, "Name a new folder.", field="--out", value=out.name)
        )
    if faults:
        raise InputError(faults)


def _folder_name(name: str) -> str:
    """Return the name as a folder may bear it, for plans are put under the scenario's name."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]+', "-", name).strip(" .-") or "scenario"


def _tile_files(terrain: Sequence[Path]) -> dict[str, Path]:
    """Return the tiles by their name in the scenario; an .hgt says by its name where it lies, so names stay."""
    found: dict[str, Path] = {}
    for k, tile in enumerate(dict.fromkeys(tile.resolve() for tile in terrain), start=1):
        name = f"terrain/{tile.name}"
        found[f"terrain/{k}/{tile.name}" if name in found else name] = tile
    return found


def _copy(files: Mapping[str, Path], folder: Path) -> None:
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)


@contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside `out` that takes its place if all goes well, else vanishes.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        reason = f"the output folder cannot be made: {error.strerror}"
        fault = Fault("OUTPUT_NOT_WRITABLE", "command line", reason, "Name a folder that can be made.", field="--out")
        raise InputError([fault]) from error
    try:
        fresh, old = staging / "new", staging / "old"
        fresh.mkdir()
        yield fresh
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
