"""A mountain county that does not exist but could: land, settlements, roads and bus courses, ready to be written.

Everything is made from a `CountySpec` and a seed; the same two give the same county. Its coordinates lie in south-west
China, but land, roads, people and names are made up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely

from geodata.location import EARTH_RADIUS_M, FloatArray, Level
from geodata.synthetic_buses import BusCourse, lay_bus_courses
from geodata.synthetic_limits import cuts_off
from geodata.synthetic_roadbed import cut_roads
from geodata.synthetic_roads import TRACK, UNCLASSIFIED, lay_roads
from geodata.synthetic_settlements import Settlement, settle
from geodata.synthetic_streets import StreetWay, SyntheticStreets, draw_streets
from geodata.synthetic_terrain import Relief, make_relief
from geodata.terrain import Terrain

CENTRE = (104.9, 27.2)
"""Longitude and latitude of every synthetic county's centre."""
SITE_TO_ROAD_M = (15.0, 45.0)
"""How far a place's own point lies from the end of its road."""


LANDSLIDE_NODES = 8
"""A landslide takes this many segments of road either way: about 500 m in all."""


@dataclass(frozen=True, slots=True)
class CountySpec:
    """Size and name of a county. `loops` are roads beyond the tree, `village_lines` bus lines beyond one per town."""

    name: str
    name_zh: str
    side_km: float
    towns: int
    villages: int
    groups: int
    loops: int
    village_lines: int
    outlet_m: float = 700.0


@dataclass(frozen=True, slots=True)
class Facility:
    """A thing that flights keep away from: ``aerodrome``, ``heliport``, ``substation``, ``waterworks`` or ``fuel``."""

    kind: str
    name: str
    name_zh: str
    outline: tuple[tuple[float, float], ...]
    """Corners in degrees, the last not repeated."""


@dataclass(frozen=True)
class SyntheticCounty:
    """A county in metres and degrees; index k of `settlements` and `at_m` is one place."""

    spec: CountySpec
    relief: Relief
    settlements: tuple[Settlement, ...]
    at_m: FloatArray
    """Shape (n, 2): places in metres east and north of the south-west corner."""
    roadless: frozenset[int]
    """Settlements no road leads to."""
    streets: SyntheticStreets
    courses: tuple[BusCourse, ...]
    facilities: tuple[Facility, ...]
    closed_line_m: FloatArray
    """Shape (k, 2): the stretch of road that is closed, metres."""

    @cached_property
    def south_west(self) -> tuple[float, float]:
        """Longitude and latitude of the corner metres are counted from."""
        half = self.relief.side_m / 2.0
        per_lon, per_lat = metres_per_degree()
        return CENTRE[0] - half / per_lon, CENTRE[1] - half / per_lat

    def to_degrees(self, x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return longitude and latitude, rounded to the 1e-7° an OSM file holds."""
        per_lon, per_lat = metres_per_degree()
        west, south = self.south_west
        return np.round(west + np.asarray(x_m) / per_lon, 7), np.round(south + np.asarray(y_m) / per_lat, 7)

    def to_metres(self, outline: Sequence[tuple[float, float]]) -> shapely.Polygon:
        """Return the polygon of corners in degrees, in metres from the south-west corner."""
        per_lon, per_lat = metres_per_degree()
        west, south = self.south_west
        return shapely.Polygon([((lon - west) * per_lon, (lat - south) * per_lat) for lon, lat in outline])

    @cached_property
    def lon_lat(self) -> FloatArray:
        """Shape (n, 2): places in degrees."""
        return np.column_stack(self.to_degrees(self.at_m[:, 0], self.at_m[:, 1]))

    def terrain(self) -> Terrain:
        """Return the relief as an elevation grid in degrees, heights rounded to decimetres."""
        per_lon, per_lat = metres_per_degree()
        west, south = self.south_west
        heights = np.round(np.flipud(self.relief.elevation_m), 1).astype(np.float32)
        step_lon, step_lat = self.relief.cell_m / per_lon, self.relief.cell_m / per_lat
        return Terrain(west, south + step_lat * (heights.shape[0] - 1), step_lon, step_lat, heights)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, south = self.south_west
        (east,), (north,) = self.to_degrees(np.array([self.relief.side_m]), np.array([self.relief.side_m]))
        return west, south, float(east), float(north)


def metres_per_degree() -> tuple[float, float]:
    """Return metres in a degree of longitude and of latitude at the centre, on the sphere distances are taken on."""
    per_lat = math.radians(1.0) * EARTH_RADIUS_M
    return per_lat * math.cos(math.radians(CENTRE[1])), per_lat


def make_county(spec: CountySpec, seed: int) -> SyntheticCounty:
    """Make a county.

    Raises
    ------
    ValueError
        If the county is too small for so many places.
    """
    relief = make_relief(spec.side_km * 1_000.0, spec.outlet_m, seed)
    settlements = settle(relief, spec.towns, spec.villages, spec.groups, seed)
    plan = lay_roads(relief, settlements, spec.loops, seed)
    cells = [place.row * plan.cols + place.col for place in settlements]
    streets = draw_streets(relief, plan, cells, seed)
    relief = cut_roads(relief, streets)
    rng = np.random.default_rng([seed, 0xC0])
    at_m = _beside_roads(relief, settlements, cells, streets.node_of_cell, streets, rng)
    courses = lay_bus_courses(streets, settlements, spec.village_lines, at_m)
    county = SyntheticCounty(
        spec,
        relief,
        tuple(_renamed_hub(settlements, spec)),
        at_m,
        frozenset(plan.roadless),
        streets,
        tuple(courses),
        (),
        _closed_line(streets, courses),
    )
    return _with_facilities(county)


def _renamed_hub(settlements: list[Settlement], spec: CountySpec) -> list[Settlement]:
    seat = replace(settlements[0], name=f"{spec.name} county seat", name_zh=f"{spec.name_zh}县城")
    return [seat, *settlements[1:]]


def _beside_roads(
    relief: Relief,
    settlements: list[Settlement],
    cells: list[int],
    node_of_cell: Mapping[int, int],
    streets: SyntheticStreets,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the point of each place: a little beside the end of its road, or its cell's where it has none."""
    at_m = np.array([(place.col, place.row) for place in settlements], dtype=np.float64) * relief.cell_m
    angle = rng.uniform(0.0, 2.0 * np.pi, size=len(settlements))
    away_m = rng.uniform(*SITE_TO_ROAD_M, size=len(settlements))
    for k, cell in enumerate(cells):
        if cell in node_of_cell:
            node = node_of_cell[cell]
            at_m[k] = streets.x_m[node], streets.y_m[node]
    return at_m + np.column_stack([np.cos(angle), np.sin(angle)]) * away_m[:, None]


def _closed_line(streets: SyntheticStreets, courses: list[BusCourse]) -> FloatArray:
    """Choose the road a landslide closes, and return the middle of it.

    It is a long village road off the bus lines whose loss cuts nobody off; where there is none, the longest track.
    """
    on_bus = {node for course in courses for node in course.nodes}
    plain = [
        way
        for way in streets.ways
        if len(way.nodes) >= 9 and not {"bridge", "tunnel"} & way.tags.keys() and not on_bus.issuperset(way.nodes[1:-1])
    ]
    plain.sort(key=lambda way: (-_length_m(streets, way), way.nodes))
    village_roads = [way for way in plain if way.rank == UNCLASSIFIED.rank]
    loops = (way for way in village_roads[:60] if not cuts_off(streets, way))
    tracks = (way for way in plain if way.rank == TRACK.rank)
    closed = next(loops, None) or next(tracks)
    middle, reach = len(closed.nodes) // 2, min(LANDSLIDE_NODES, len(closed.nodes) // 3)
    nodes = list(closed.nodes[middle - reach : middle + reach + 1])
    return np.column_stack([streets.x_m[nodes], streets.y_m[nodes]])


def _length_m(streets: SyntheticStreets, way: StreetWay) -> float:
    nodes = list(way.nodes)
    return float(np.hypot(np.diff(streets.x_m[nodes]), np.diff(streets.y_m[nodes])).sum())


FACILITIES = (
    # kind, name, name in Chinese, near (hub or town), least and greatest distance in m, half width and height in m
    ("substation", "Yangjing substation", "阳井变电站", 1_000.0, 2_200.0, 60.0, 45.0),
    ("waterworks", "County waterworks", "县自来水厂", 1_300.0, 3_000.0, 90.0, 60.0),
    ("fuel", "Fuel depot", "油库", 800.0, 2_500.0, 40.0, 40.0),
    ("aerodrome", "Airstrip", "通用机场", 5_500.0, 12_000.0, 60.0, 550.0),
    ("substation", "Upland substation", "山上变电站", 3_500.0, 9_000.0, 50.0, 50.0),
    ("heliport", "Mountain rescue heliport", "山地救援直升机场", 3_000.0, 8_000.0, 20.0, 20.0),
)
"""Distances are from the hub. Sizes and distances are assumptions."""
TOWN_CLEARANCE_M = {"aerodrome": 2_600.0, "heliport": 700.0}
"""Towns keep clear of what would close the air over their drone pads."""


def _with_facilities(county: SyntheticCounty) -> SyntheticCounty:
    """Return the county with its facilities, each on the most level free ground at its distance from the hub."""
    relief = county.relief
    dy, dx = np.gradient(relief.elevation_m, relief.cell_m)
    n = relief.elevation_m.shape[0]
    y, x = np.mgrid[0:n, 0:n] * relief.cell_m
    roughness = np.hypot(dx, dy) + np.where(relief.river_m < 120.0, 1.0, 0.0)
    hub_m = np.hypot(x - county.at_m[0, 0], y - county.at_m[0, 1])
    towns = [k for k, place in enumerate(county.settlements) if place.level in (Level.COUNTY, Level.TOWN)]
    town_m = np.min([np.hypot(x - county.at_m[k, 0], y - county.at_m[k, 1]) for k in towns], axis=0)
    taken = np.zeros((n, n), dtype=np.bool_)
    found = []
    for kind, name, name_zh, least_m, most_m, half_x, half_y in FACILITIES:
        clear_m = TOWN_CLEARANCE_M.get(kind, 500.0)
        bad = taken | (town_m < clear_m) | (np.minimum(x, y) < 700.0) | (np.maximum(x, y) > relief.side_m - 700.0)
        away = np.maximum(least_m - hub_m, 0.0) + np.maximum(hub_m - most_m, 0.0)
        score = roughness + away / 200.0 + np.where(bad, 1e6, 0.0)
        row, col = divmod(int(np.argmin(score)), n)
        taken |= np.hypot(x - x[row, col], y - y[row, col]) < 800.0
        found.append(Facility(kind, name, name_zh, _rectangle(county, x[row, col], y[row, col], half_x, half_y)))
    return replace(county, facilities=tuple(found))


def _rectangle(
    county: SyntheticCounty, x: float, y: float, half_x: float, half_y: float
) -> tuple[tuple[float, float], ...]:
    lon, lat = county.to_degrees(
        np.array([x - half_x, x + half_x, x + half_x, x - half_x]),
        np.array([y - half_y, y - half_y, y + half_y, y + half_y]),
    )
    return tuple(zip(lon.tolist(), lat.tolist(), strict=True))
