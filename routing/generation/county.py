"""Scenarios of counties that do not exist: the demo county Yunling, and small, medium and large ones for tests.

A scenario is written in the real formats (OSM PBF, GeoTIFF, GTFS, tables), so that it walks the path a real map walks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.airspace import Airspace, Zone, ZoneKind
from geodata.errors import Fault, InputError, nearest_name
from geodata.gtfs import write_gtfs
from geodata.location import Level, Site
from geodata.osm import read_street_network
from geodata.profiles import edge_costs, load_profiles
from geodata.synthetic import CountySpec, SyntheticCounty, make_county
from geodata.synthetic_extract import bus_stop_points, county_extract
from geodata.synthetic_osm import write_pbf
from geodata.terrain import Terrain, read_terrain, write_geotiff
from routing.generation.county_timetable import county_feed, gtfs_stop_id
from routing.generation.demand import generate_orders
from routing.generation.fleet import default_fleet
from routing.generation.weather import windy_afternoon
from routing.generation.writer import ScenarioConfig, write_scenario
from routing.output_folder import staged_output

SERVICE_DATE = date(2026, 6, 10)
"""A Wednesday in early summer: light from about 05:40 to 20:20, so that nobody of the default fleet (07:30 to 18:00)
drives in the dark. Fog and rain slow the hours of work by the same clock as darkness would."""


@dataclass(frozen=True, slots=True)
class CountyPreset:
    """A county, its orders of a day and its drone pads."""

    spec: CountySpec
    orders: int
    pads: int


DEMO_SEED = 1
DEMO = CountyPreset(
    CountySpec("Yunling", "云岭", 40.0, towns=8, villages=60, groups=250, loops=5, village_lines=6), orders=400, pads=2
)
SIZES: Mapping[str, CountyPreset] = {
    "small": CountyPreset(
        CountySpec("Xiaoyun", "小云", 26.0, towns=5, villages=30, groups=150, loops=3, village_lines=2), 300, 2
    ),
    "medium": CountyPreset(
        CountySpec("Zhongyun", "中云", 60.0, towns=14, villages=160, groups=1_000, loops=8, village_lines=6), 2_500, 3
    ),
    "large": CountyPreset(
        CountySpec("Dayun", "大云", 70.0, towns=20, villages=250, groups=2_000, loops=10, village_lines=10), 5_000, 4
    ),
}
"""Hub, towns, villages, groups and orders of S, M and L are those of the domain notes (5)."""

PAD_REACH_M = 9_000.0
"""A pad is worth the people in isolated or roadless groups so near."""
AERODROME_M, HELIPORT_M, SITE_MARGIN_M = 2_000.0, 200.0, 30.0
"""Radii of controlled air and the margin round other facilities (domain notes 2a.5, spec 4)."""
CORRIDOR_HALF_M, CORRIDOR_CEILING_M = 200.0, 300.0
"""An approved corridor over a valley: half width, and how high over ground flights may be in it [assumed]."""
DRILL_M, DRILL_FROM_S, DRILL_UNTIL_S = 400.0, 32_400.0, 37_800.0
"""A temporary no-fly zone: its radius, from 09:00 to 10:30 [assumed]."""
WORKS_M = 120.0
WINTER = [11, 12, 1, 2, 3]
WIND_GAIN_PER_KM = 0.2
"""Ridges are windier than the hub's valley [assumed]."""
_ID_LETTER = {Level.TOWN: "t", Level.VILLAGE: "v", Level.GROUP: "g"}
_SYNTHETIC_PARTS = (
    "streets",
    "terrain",
    "timetable",
    "sites",
    "orders",
    "fleet",
    "airspace",
    "closures",
    "weather",
)


def make_demo_scenario(out: Path) -> None:
    """Write the scenario of the demo county **Yunling** to the folder `out`, whole or not at all.

    1 hub, 8 towns, 60 villages, 250 groups, 400 orders, two drone pads.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    _make_scenario(DEMO, DEMO_SEED, "Yunling", out)


def make_synthetic_scenario(size: str, seed: int, out: Path, *, orders: int | None = None) -> None:
    """Write the scenario of a county that does not exist to the folder `out`, whole or not at all.

    Parameters
    ----------
    size
        ``small`` (1 hub, 5 towns, 30 villages, 150 groups, 300 orders), ``medium`` (1/14/160/1000, 2500) or ``large``
        (1/20/250/2000, 5000); the sizes S, M and L of the domain notes (5).
    seed
        The same size, seed and orders give the same bytes.
    orders
        Number of orders of the day; None for that of the size. The fleet is scaled to it.

    Raises
    ------
    InputError
        If there is no such size, or the folder cannot be written to.
    """
    if size not in SIZES:
        near = nearest_name(size, SIZES)
        remedy = f"Did you mean {near!r}?" if near else f"Choose one of {', '.join(SIZES)}."
        raise InputError(
            [
                Fault(
                    "UNKNOWN_CHOICE",
                    "command line",
                    "There is no such size of county",
                    remedy,
                    None,
                    "--synthetic",
                    size,
                )
            ]
        )
    preset = SIZES[size] if orders is None else replace(SIZES[size], orders=orders)
    _make_scenario(preset, seed, f"{preset.spec.name.lower()}-{seed}", out)


def _make_scenario(preset: CountyPreset, seed: int, name: str, out: Path) -> None:
    county = make_county(preset.spec, seed)
    sites = county_sites(county, preset.pads)
    pads = [site.id for site in sites if site.drone_pads]
    stem = preset.spec.name.lower()
    config = ScenarioConfig(
        name=name,
        service_date=SERVICE_DATE,
        streets=f"{stem}.osm.pbf",
        terrain=(f"terrain/{stem}.tif",),
        timetable="timetable.zip",
        synthetic=_SYNTHETIC_PARTS,
        credits=(f"{preset.spec.name} is a synthetic county made by Shanlu; no map data used",),
        notes=(
            f"{preset.spec.name_zh} ({preset.spec.name}): a county that does not exist. Everything here is synthetic.",
            f"Made by Shanlu with seed {seed}.",
        ),
    )
    with staged_output(out) as folder:
        (folder / "terrain").mkdir()
        write_pbf(folder / config.streets, county_extract(county))
        write_geotiff(county.terrain(), folder / config.terrain[0])
        terrain = read_terrain([folder / config.terrain[0]])
        network = read_street_network(folder / config.streets, terrain)
        costs = edge_costs(network, load_profiles()["van_diesel"])
        write_gtfs(
            folder / "timetable.zip", county_feed(county, network, costs, [site.id for site in sites], SERVICE_DATE)
        )
        write_scenario(
            folder,
            config=config,
            sites=sites,
            orders=generate_orders(sites, preset.orders, seed, sites[0].id),
            fleet=default_fleet(sites, sites[0].id, pads, orders=preset.orders),
            weather=replace(windy_afternoon(_elevation_m(terrain, sites[0]), seed), wind_gain_per_km=WIND_GAIN_PER_KM),
            airspace=county_airspace(county, sites),
            closures=county_closures(county),
        )


def _elevation_m(terrain: Terrain, site: Site) -> float:
    return float(terrain.elevation_m(site.lon, site.lat))


def county_sites(county: SyntheticCounty, pads: int) -> list[Site]:
    """Return the sites of a county in the order of its settlements: ``hub``, ``t01`` …, ``v001`` …, ``g0001`` ….

    Parents of villages are the nearest towns by air, of groups their villages. Pads stand at the towns with most people
    in isolated groups around.
    """
    ids = _site_ids(county)
    with_stop = bus_stop_points(county)
    pad_towns = _pad_towns(county, pads)
    rng = np.random.default_rng([county.settlements[0].population, 0x51])
    sites = []
    for k, place in enumerate(county.settlements):
        sites.append(
            Site(
                id=ids[k],
                name=place.name_zh,
                level=place.level,
                lon=float(county.lon_lat[k, 0]),
                lat=float(county.lon_lat[k, 1]),
                parent=None if place.parent is None else ids[place.parent],
                drone_pads=2 if k in pad_towns else 0,
                bus_stop_ids=(gtfs_stop_id(k),) if k in with_stop else (),
                population=place.population,
                synthetic=True,
                **_room(place.level, has_fridge=bool(rng.random() < VILLAGE_FRIDGE_SHARE)),
            )
        )
    return sites


VILLAGE_FRIDGE_SHARE = 0.2
"""Share of village points with a small refrigerator [assumed]: cold storage in villages is rare (domain notes 1.1)."""


def _room(level: Level, *, has_fridge: bool) -> dict[str, Any]:
    """Return opening hours, handling time and stores by level; groups have neither hours nor stores."""
    if level is Level.COUNTY:
        times = {"opens_s": 21_600, "closes_s": 68_400, "handling_s": 300}
        return times | {"store_ambient_kg": 20_000.0, "store_chilled_kg": 2_000.0, "store_frozen_kg": 1_000.0}
    if level is Level.TOWN:
        times = {"opens_s": 25_200, "closes_s": 66_600, "handling_s": 300}
        return times | {"store_ambient_kg": 2_000.0, "store_chilled_kg": 200.0, "store_frozen_kg": 50.0}
    if level is Level.VILLAGE:
        chilled_kg = 25.0 if has_fridge else 0.0
        times = {"opens_s": 27_000, "closes_s": 68_400, "handling_s": 180}
        return times | {"store_ambient_kg": 150.0, "store_chilled_kg": chilled_kg}
    return {"handling_s": 60}


def _site_ids(county: SyntheticCounty) -> list[str]:
    digits = {Level.TOWN: 2, Level.VILLAGE: 3, Level.GROUP: 4}
    ids = []
    seen: dict[Level, int] = {}
    for place in county.settlements:
        if place.level is Level.COUNTY:
            ids.append("hub")
            continue
        seen[place.level] = seen.get(place.level, 0) + 1
        ids.append(f"{_ID_LETTER[place.level]}{seen[place.level]:0{digits[place.level]}d}")
    return ids


def _pad_towns(county: SyntheticCounty, count: int) -> list[int]:
    """Choose towns for drone pads one by one, each the one that reaches most people not reached yet."""
    remote = {
        k: place.population * (5 if k in county.roadless else 1)
        for k, place in enumerate(county.settlements)
        if place.level is Level.GROUP and (place.isolated or k in county.roadless)
    }
    towns = [k for k, place in enumerate(county.settlements) if place.level is Level.TOWN]
    near = {
        town: {k for k in remote if np.hypot(*(county.at_m[k] - county.at_m[town])) <= PAD_REACH_M} for town in towns
    }
    chosen: list[int] = []
    reached: set[int] = set()
    for _ in range(min(count, len(towns))):
        best = max(
            (town for town in towns if town not in chosen),
            key=lambda town: (sum(remote[k] for k in near[town] - reached), -town),
        )
        chosen.append(best)
        reached |= near[best]
    return chosen


def county_airspace(county: SyntheticCounty, sites: Sequence[Site]) -> Airspace:
    """Return controlled and no-fly areas round the county's facilities, and one approved corridor over a valley."""
    zones = [
        _facility_zone(county, k, facility.kind, facility.name, facility.outline)
        for k, facility in enumerate(county.facilities)
    ]
    extra = (_corridor(county, sites), _drill(county, sites))
    return Airspace((*zones, *(zone for zone in extra if zone is not None)))


def _facility_zone(
    county: SyntheticCounty, number: int, kind: str, name: str, outline: tuple[tuple[float, float], ...]
) -> Zone:
    radius_m = {"aerodrome": AERODROME_M, "heliport": HELIPORT_M}.get(kind, SITE_MARGIN_M)
    zone_kind: ZoneKind = "controlled" if kind in ("aerodrome", "heliport") else "no_fly"
    area = county.to_metres(outline).buffer(radius_m, quad_segs=4)
    return Zone(f"z{number + 1}", zone_kind, name, _in_degrees(county, area))


def _corridor(county: SyntheticCounty, sites: Sequence[Site]) -> Zone | None:
    """Return a corridor from a pad to the roadless group nearest to one, or None where nothing is in reach."""
    pads = [k for k, site in enumerate(sites) if site.drone_pads]
    roadless = sorted(county.roadless)
    pairs = [(float(np.hypot(*(county.at_m[a] - county.at_m[b]))), a, b) for a in pads for b in roadless]
    if not pairs:
        return None
    _, pad, group = min(pairs)
    line = shapely.LineString([county.at_m[pad], county.at_m[group]])
    area = line.buffer(CORRIDOR_HALF_M, quad_segs=2)
    name = f"Approved corridor {sites[pad].id} to {sites[group].id}"
    return Zone("c1", "corridor", name, _in_degrees(county, area), ceiling_agl_m=CORRIDOR_CEILING_M)


def _drill(county: SyntheticCounty, sites: Sequence[Site]) -> Zone | None:
    """Return a no-fly zone of some hours between a pad and the largest village within its reach, or None."""
    pads = [k for k, site in enumerate(sites) if site.drone_pads]
    villages = [k for k, place in enumerate(county.settlements) if place.level is Level.VILLAGE]
    pairs = [
        (-county.settlements[b].population, a, b)
        for a in pads
        for b in villages
        if 4.0 * DRILL_M <= np.hypot(*(county.at_m[a] - county.at_m[b])) <= PAD_REACH_M
    ]
    if not pairs:
        return None
    _, pad, village = min(pairs)
    middle = shapely.Point((county.at_m[pad] + county.at_m[village]) / 2.0)
    area = _in_degrees(county, middle.buffer(DRILL_M, quad_segs=4))
    return Zone("t1", "no_fly", "Fire drill", area, from_s=DRILL_FROM_S, until_s=DRILL_UNTIL_S)


def _in_degrees(county: SyntheticCounty, geometry: BaseGeometry) -> BaseGeometry:
    return shapely.transform(geometry, lambda points: np.column_stack(county.to_degrees(points[:, 0], points[:, 1])))


def county_closures(county: SyntheticCounty) -> list[dict[str, object]]:
    """Return the closed roads of a county as GeoJSON features.

    A landslide closes a line of road all day; works at the smallest village keep heavy trucks out of an area; snow
    closes the road at the highest village in winter.
    """
    villages = [k for k, place in enumerate(county.settlements) if place.level is Level.VILLAGE]
    smallest = min(villages, key=lambda k: (county.settlements[k].population, k))
    streets, relief_m = county.streets, county.terrain()
    highest = max(villages, key=lambda k: (float(relief_m.elevation_m(*county.lon_lat[k])), k))
    way = min(streets.ways, key=lambda way: _away_m(county, way.nodes[len(way.nodes) // 2], highest))
    nodes = list(way.nodes)
    snowed = shapely.LineString(np.column_stack([streets.x_m[nodes], streets.y_m[nodes]]))
    works = shapely.Point(county.at_m[smallest]).buffer(WORKS_M, quad_segs=4)
    return [
        _closure(county, "landslide", "Landslide", shapely.LineString(county.closed_line_m)),
        _closure(county, "works", "Bridge works: no trucks", works, kind="restricted", applies_to=["truck"]),
        _closure(county, "snow", "Snow", snowed, months=WINTER),
    ]


def _away_m(county: SyntheticCounty, node: int, settlement: int) -> float:
    """Return the distance in plan from a street node to a settlement."""
    x_m, y_m = county.at_m[settlement]
    return float(np.hypot(county.streets.x_m[node] - x_m, county.streets.y_m[node] - y_m))


def _closure(
    county: SyntheticCounty, key: str, name: str, geometry: BaseGeometry, **properties: object
) -> dict[str, object]:
    """Return a GeoJSON feature of closed roads; `geometry` is in the metres of the county."""
    return {
        "type": "Feature",
        "properties": {"id": key, "kind": "closed", "name": f"{name} (synthetic)", **properties},
        "geometry": shapely.geometry.mapping(_in_degrees(county, geometry)),
    }
