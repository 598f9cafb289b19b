"""What an OpenStreetMap extract says besides roads: places, boundaries, bus stops and lines, what bears on airspace.

The file is read twice, relations first, because they stand last in a file and name the ways they are made of. Cut
extracts are normal: an area whose outline is not whole has no polygon, a stop that was cut off is not listed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import osmium
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.errors import Fault, InputError

PLACE_KINDS = ("city", "town", "village", "hamlet", "isolated_dwelling", "farm")
"""Values of ``place`` that are settlements of their own, the greatest first."""

AreaKind = Literal["aerodrome", "heliport", "power_plant", "substation", "fuel", "waterworks", "dam", "protected"]

_AREA_TAGS: Mapping[tuple[str, str], AreaKind] = {
    ("aeroway", "aerodrome"): "aerodrome",
    ("aeroway", "heliport"): "heliport",
    ("aeroway", "helipad"): "heliport",
    ("power", "plant"): "power_plant",
    ("power", "substation"): "substation",
    ("amenity", "fuel"): "fuel",
    ("man_made", "water_works"): "waterworks",
    ("waterway", "dam"): "dam",
    ("boundary", "protected_area"): "protected",
    ("boundary", "national_park"): "protected",
    ("leisure", "nature_reserve"): "protected",
}
_KEYS = ("place", "highway", "public_transport", *dict.fromkeys(key for key, _ in _AREA_TAGS))
_STOP_HIGHWAYS = ("bus_stop", "platform")
_STOP_ROLES = re.compile(r"(?:(?:forward|backward)[:_]?)?(?:stop|platform)?(?:[:_]?\d+)?(?:_(?:entry|exit)_only)?")
_BEYOND_EARTH = (math.inf, math.inf, -math.inf, -math.inf)

Tags = dict[str, str]
LonLat = tuple[float, float]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class OsmPlace:
    """A settlement: a ``place`` node, or an area (then at a point within it).

    `osm_id` is ``n123``, ``w123`` or ``r123``; `population` None if untagged; `capital` and `admin_level` as tagged.
    """

    osm_id: str
    kind: str
    name: str
    lon: float
    lat: float
    names: Mapping[str, str]
    """Names by language (``en``, ``zh``, …), where tagged."""
    population: int | None = None
    capital: str | None = None
    admin_level: int | None = None


@dataclass(frozen=True, slots=True)
class OsmBoundary:
    """An administrative area; `polygon` is None where the extract does not hold its whole outline.

    `seat` is the id of the place node with role ``admin_centre``, `label` the one with role ``label``.
    """

    osm_id: str
    name: str
    admin_level: int
    polygon: BaseGeometry | None
    seat: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class OsmBusStop:
    """A place where buses halt: stop, platform or station."""

    osm_id: str
    name: str
    lon: float
    lat: float
    is_station: bool = False


@dataclass(frozen=True, slots=True)
class OsmLineStop:
    """A stop as a member of a bus relation, with its role."""

    stop: OsmBusStop
    role: str


@dataclass(frozen=True, slots=True)
class OsmBusLine:
    """A relation ``route=bus`` with its stops in order; members the extract lacks are counted in `missing_stops`."""

    osm_id: str
    tags: Mapping[str, str]
    stops: tuple[OsmLineStop, ...]
    missing_stops: int = 0

    @property
    def name(self) -> str:
        """``ref``, else ``name``, else the relation's id."""
        return self.tags.get("ref") or self.tags.get("name") or self.osm_id


@dataclass(frozen=True, slots=True)
class OsmArea:
    """Something that bears on where drones may fly; `geometry` is a point, line or polygon in degrees."""

    osm_id: str
    kind: AreaKind
    name: str
    geometry: BaseGeometry


@dataclass(frozen=True)
class OsmFeatures:
    """All features of an extract, each in file order."""

    places: tuple[OsmPlace, ...]
    boundaries: tuple[OsmBoundary, ...]
    bus_stops: tuple[OsmBusStop, ...]
    bus_lines: tuple[OsmBusLine, ...]
    areas: tuple[OsmArea, ...]
    bounds: Bounds
    """West, south, east, north in degrees: as the file states, else of what it holds."""


def read_osm_features(path: Path) -> OsmFeatures:
    """Read places, boundaries, bus stops, bus relations and airspace-related areas of an extract.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm`` or another format osmium reads.

    Raises
    ------
    InputError
        If there is no such file (MISSING_FILE) or osmium cannot read it (BROKEN_FILE).
    """
    if not path.is_file():
        remedy = "Give an OSM extract (.osm.pbf or .osm)."
        raise InputError([Fault("MISSING_FILE", path.name, "There is no such file", remedy)])
    try:
        relations = [_RawRelation.of(relation) for relation in _objects(path, osmium.osm.RELATION)]
        relations = [relation for relation in relations if relation.is_wanted]
        raw = _read_nodes_and_ways(path, relations)
        bounds = _bounds(path, raw)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        reason = f"The file cannot be read as OSM data: {error}"
        remedy = "Give a whole OSM extract (.osm.pbf or .osm); download it again if it was cut off."
        raise InputError([Fault("BROKEN_FILE", path.name, reason, remedy)]) from error
    stops = {osm_id: stop for osm_id, tags in raw.tags.items() if (stop := _bus_stop(osm_id, tags, raw)) is not None}
    return OsmFeatures(
        places=tuple(_places(raw)),
        boundaries=tuple(_boundaries(relations, raw)),
        bus_stops=tuple(stop for osm_id, stop in stops.items() if _is_bus_stop(raw.tags[osm_id])),
        bus_lines=tuple(_bus_lines(relations, raw, stops)),
        areas=tuple(_areas(relations, raw)),
        bounds=bounds,
    )


@dataclass(frozen=True, slots=True)
class _RawRelation:
    osm_id: str
    tags: Tags
    members: tuple[tuple[str, str], ...]
    """(id with type letter, role) in order."""

    @staticmethod
    def of(relation: Any) -> _RawRelation:
        members = tuple((f"{member.type}{member.ref}", member.role) for member in relation.members)
        return _RawRelation(f"r{relation.id}", {tag.k: tag.v for tag in relation.tags}, members)

    @property
    def is_wanted(self) -> bool:
        return self.is_bus_line or self.is_boundary or (self.is_area and _area_kind(self.tags) is not None)

    @property
    def is_bus_line(self) -> bool:
        return self.tags.get("type", "route") == "route" and self.tags.get("route") in ("bus", "share_taxi", "minibus")

    @property
    def is_boundary(self) -> bool:
        return self.is_area and self.tags.get("boundary") == "administrative" and "admin_level" in self.tags

    @property
    def is_area(self) -> bool:
        return self.tags.get("type") in ("multipolygon", "boundary")


@dataclass(frozen=True)
class _RawObjects:
    """Nodes and ways worth keeping: tags, positions of nodes, courses of ways (None where a node is missing)."""

    tags: dict[str, Tags]
    points: dict[str, LonLat]
    courses: dict[str, list[LonLat] | None]

    def geometry(self, osm_id: str) -> BaseGeometry | None:
        """Return a point, a polygon for a closed way, or a line; None if nothing of it is in the extract."""
        if osm_id in self.points:
            return shapely.Point(self.points[osm_id])
        course = self.courses.get(osm_id)
        if course is None or len(course) < 2:
            return None
        if course[0] == course[-1] and len(course) >= 4:
            polygon = shapely.make_valid(shapely.Polygon(course))
            return polygon if not polygon.is_empty else None
        return shapely.LineString(course)

    def lon_lat(self, osm_id: str) -> LonLat | None:
        """Return a point on the object."""
        geometry = self.geometry(osm_id)
        if geometry is None:
            return None
        point = geometry.representative_point()
        return round(point.x, 7), round(point.y, 7)


def _objects(path: Path, kinds: Any) -> Iterable[Any]:
    return osmium.FileProcessor(str(path), kinds)


def _read_nodes_and_ways(path: Path, relations: Sequence[_RawRelation]) -> _RawObjects:
    raw = _RawObjects({}, {}, {})
    members = {member for relation in relations for member, _ in relation.members}
    named = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.KeyFilter(*_KEYS))
    for node in named:
        _keep_node(raw, node)
    for node in _nodes_by_id(path, [m for m in members if m.startswith("n") and m not in raw.points]):
        _keep_node(raw, node)
    for way in _located_ways(path):
        osm_id = f"w{way.id}"
        if osm_id in members or any(key in way.tags for key in _KEYS):
            tags = {tag.k: tag.v for tag in way.tags}
            if osm_id in members or _is_feature(tags):
                course = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
                raw.tags[osm_id] = tags
                raw.courses[osm_id] = course if len(course) == len(way.nodes) else None
    return raw


def _located_ways(path: Path) -> Iterable[Any]:
    return osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))


def _keep_node(raw: _RawObjects, node: Any) -> None:
    if node.location.valid():
        raw.tags[f"n{node.id}"] = {tag.k: tag.v for tag in node.tags}
        raw.points[f"n{node.id}"] = (node.lon, node.lat)


def _nodes_by_id(path: Path, osm_ids: Sequence[str]) -> Iterator[Any]:
    """Yield nodes by id; files made by hand may have negative ids, which osmium's filter does not take."""
    wanted = {int(osm_id[1:]) for osm_id in osm_ids}
    if not wanted:
        return
    nodes = osmium.FileProcessor(str(path), osmium.osm.NODE)
    if min(wanted) >= 0:
        nodes = nodes.with_filter(osmium.filter.IdFilter(sorted(wanted)))
    for node in nodes:
        if node.id in wanted:
            yield node


def _bounds(path: Path, raw: _RawObjects) -> Bounds:
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        box = reader.header().box()
        if box.valid() and box.size() > 0:
            return box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat
    points = [*raw.points.values(), *(point for course in raw.courses.values() for point in course or ())]
    if not points:
        return _BEYOND_EARTH
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _is_feature(tags: Tags) -> bool:
    return tags.get("place") in PLACE_KINDS or _is_bus_stop(tags) or _area_kind(tags) is not None


def _area_kind(tags: Mapping[str, str]) -> AreaKind | None:
    """Return what the object is for airspace; plants on roofs are no power stations in the sense of the rule."""
    if tags.get("power") == "plant" and tags.get("location") in ("roof", "rooftop"):
        return None
    for (key, value), kind in _AREA_TAGS.items():
        if tags.get(key) == value:
            return kind
    return None


def _places(raw: _RawObjects) -> Iterator[OsmPlace]:
    for osm_id, tags in raw.tags.items():
        if tags.get("place") not in PLACE_KINDS or (at := raw.lon_lat(osm_id)) is None:
            continue
        yield OsmPlace(
            osm_id=osm_id,
            kind=tags["place"],
            name=tags.get("name", ""),
            lon=at[0],
            lat=at[1],
            names={key[5:]: value for key, value in tags.items() if re.fullmatch(r"name:[a-z]{2,3}", key)},
            population=_whole(tags.get("population")),
            capital=tags.get("capital"),
            admin_level=_whole(tags.get("admin_level")),
        )


def _whole(text: str | None) -> int | None:
    """Return a count as OSM mappers write it: ``24 678``, ``24,678``, ``~500``; None if it is none."""
    digits = re.sub(r"[\s,.'~≈]", "", text or "")
    return int(digits) if re.fullmatch(r"\d{1,9}", digits) else None


def _boundaries(relations: Iterable[_RawRelation], raw: _RawObjects) -> Iterator[OsmBoundary]:
    for relation in relations:
        level = _whole(relation.tags.get("admin_level"))
        if not relation.is_boundary or level is None:
            continue
        by_role = {role: member for member, role in reversed(relation.members) if member.startswith("n")}
        yield OsmBoundary(
            osm_id=relation.osm_id,
            name=relation.tags.get("name", ""),
            admin_level=level,
            polygon=_assembled(relation, raw),
            seat=by_role.get("admin_centre") or by_role.get("admin_center") or by_role.get("capital"),
            label=by_role.get("label"),
        )


def _assembled(relation: _RawRelation, raw: _RawObjects) -> BaseGeometry | None:
    """Return the polygon of a relation; None if any of its outline is missing or does not close."""
    outer = _rings(relation, raw, ("outer", ""))
    inner = _rings(relation, raw, ("inner",))
    if outer is None or outer.is_empty:
        return None
    return outer if inner is None or inner.is_empty else outer.difference(inner)


def _rings(relation: _RawRelation, raw: _RawObjects, roles: tuple[str, ...]) -> BaseGeometry | None:
    lines = []
    for member, role in relation.members:
        if member.startswith("w") and role in roles:
            course = raw.courses.get(member)
            if course is None or len(course) < 2:
                return None
            lines.append(shapely.LineString(course))
    if not lines:
        return shapely.Polygon()
    polygons, cuts, dangles, invalid = shapely.polygonize_full(lines)
    if not (cuts.is_empty and dangles.is_empty and invalid.is_empty):
        return None
    return shapely.union_all(shapely.get_parts(polygons))


def _is_bus_stop(tags: Mapping[str, str]) -> bool:
    if tags.get("highway") == "bus_stop" or tags.get("amenity") == "bus_station":
        return True
    if tags.get("public_transport") not in ("platform", "stop_position", "station"):
        return False
    return tags.get("bus") == "yes" or tags.get("highway") == "platform"


def _bus_stop(osm_id: str, tags: Mapping[str, str], raw: _RawObjects) -> OsmBusStop | None:
    """Return the object as a stop, whatever its tags: membership in a line makes a node a stop too."""
    at = raw.lon_lat(osm_id)
    if at is None or not (osm_id.startswith("n") or _is_bus_stop(tags)):
        return None
    return OsmBusStop(osm_id, tags.get("name", ""), at[0], at[1], tags.get("amenity") == "bus_station")


def _bus_lines(
    relations: Iterable[_RawRelation], raw: _RawObjects, stops: Mapping[str, OsmBusStop]
) -> Iterator[OsmBusLine]:
    """Yield bus lines. Where a line lists both stops and platforms (each halt twice), the platforms are left out."""
    for relation in relations:
        if not relation.is_bus_line:
            continue
        listed = [(m, role) for m, role in relation.members if _is_halt(m, role, raw)]
        if sum("stop" in role for _, role in listed) >= 2:
            listed = [(m, role) for m, role in listed if "platform" not in role]
        found = tuple(OsmLineStop(stops[member], role) for member, role in listed if member in stops)
        yield OsmBusLine(relation.osm_id, relation.tags, found, len(listed) - len(found))


def _is_halt(member: str, role: str, raw: _RawObjects) -> bool:
    """Return whether a member is a halt: any node with a stop's role or none, or a way that is a platform."""
    if member.startswith("n"):
        return _STOP_ROLES.fullmatch(role) is not None
    return member.startswith("w") and ("platform" in role or _is_bus_stop(raw.tags.get(member, {})))


def _areas(relations: Iterable[_RawRelation], raw: _RawObjects) -> Iterator[OsmArea]:
    for osm_id, tags in raw.tags.items():
        kind, geometry = _area_kind(tags), raw.geometry(osm_id)
        if kind is not None and geometry is not None:
            yield OsmArea(osm_id, kind, tags.get("name", ""), geometry)
    for relation in relations:
        kind = _area_kind(relation.tags)
        if kind is not None and relation.is_area:
            polygon = _assembled(relation, raw)
            if polygon is not None:
                yield OsmArea(relation.osm_id, kind, relation.tags.get("name", ""), polygon)
