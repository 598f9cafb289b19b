"""A synthetic county as the contents of an OpenStreetMap extract: places, roads, rivers, bus lines, facilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, permutations

import numpy as np
from scipy.spatial import KDTree

from geodata.location import Level
from geodata.synthetic import SyntheticCounty
from geodata.synthetic_buses import BusCourse
from geodata.synthetic_limits import posted_limits
from geodata.synthetic_osm import OsmData, OsmNode, OsmRelation, OsmWay
from geodata.synthetic_roads import PRIMARY
from geodata.synthetic_terrain import RIVER_KM2

STREET_BASE, PLACE_BASE, STOP_BASE, FACILITY_BASE, RIVER_BASE = 1, 10_000_000, 20_000_000, 30_000_000, 40_000_000
"""First ids of each kind; nodes, ways and relations count on their own."""
RESTRICTION_BASE = 50_000_000
FORBIDDEN_TURNS = 6
"""Turns forbidden round the county town [assumed]."""
MAPPED_KM2 = 8.0
"""Streams that drain less are not drawn."""
_PLACE_TAG = {Level.COUNTY: "city", Level.TOWN: "town", Level.VILLAGE: "village", Level.GROUP: "hamlet"}
_FACILITY_TAGS: Mapping[str, Mapping[str, str]] = {
    "aerodrome": {"aeroway": "aerodrome"},
    "heliport": {"aeroway": "heliport"},
    "substation": {"power": "substation"},
    "waterworks": {"man_made": "water_works"},
    "fuel": {"amenity": "fuel"},
}


def place_id(settlement: int) -> int:
    """Return the OSM node id of a settlement by its index."""
    return PLACE_BASE + settlement


def stop_id(settlement: int) -> int:
    """Return the OSM node id of the bus stop that serves a settlement."""
    return STOP_BASE + settlement


def street_node_id(node: int) -> int:
    """Return the OSM node id of a street node by its index."""
    return STREET_BASE + node


def county_extract(county: SyntheticCounty) -> OsmData:
    """Return everything an OSM extract of the county holds; every object says that it is synthetic."""
    facility_nodes, facility_ways = _facilities(county)
    river_nodes, river_ways = _rivers(county)
    return OsmData(
        nodes=_street_nodes(county) + _place_nodes(county) + _stop_nodes(county) + facility_nodes + river_nodes,
        ways=_street_ways(county) + facility_ways + river_ways,
        relations=_bus_relations(county) + _turn_restrictions(county),
        bounds=county.bounds,
    )


def _street_nodes(county: SyntheticCounty) -> list[OsmNode]:
    lon, lat = county.to_degrees(county.streets.x_m, county.streets.y_m)
    return [OsmNode(street_node_id(k), x, y) for k, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))]


def _place_nodes(county: SyntheticCounty) -> list[OsmNode]:
    nodes = []
    for k, place in enumerate(county.settlements):
        kind = "isolated_dwelling" if place.level is Level.GROUP and place.isolated else _PLACE_TAG[place.level]
        tags = {
            "name": place.name_zh,
            "name:en": place.name,
            "name:zh": place.name_zh,
            "place": kind,
            "population": str(place.population),
            "source": "synthetic",
        }
        nodes.append(OsmNode(place_id(k), float(county.lon_lat[k, 0]), float(county.lon_lat[k, 1]), tags))
    return nodes


def bus_stop_points(county: SyntheticCounty) -> dict[int, int]:
    """Return the street node each settlement's bus stop stands at, by settlement index."""
    found: dict[int, int] = {}
    for course in county.courses:
        for position, place in course.stops:
            found.setdefault(place, course.nodes[position])
    return found


def _stop_nodes(county: SyntheticCounty) -> list[OsmNode]:
    nodes = []
    for place, node in sorted(bus_stop_points(county).items()):
        (lon,), (lat,) = county.to_degrees(county.streets.x_m[[node]], county.streets.y_m[[node]])
        tags = {
            "bus": "yes",
            "highway": "bus_stop",
            "name": county.settlements[place].name_zh,
            "name:en": county.settlements[place].name,
            "public_transport": "platform",
            "source": "synthetic",
        }
        nodes.append(OsmNode(stop_id(place), float(lon), float(lat), tags))
    return nodes


def _street_ways(county: SyntheticCounty) -> list[OsmWay]:
    """Return the roads; the province road has a number, the others the name of the nearest town or village."""
    named = [k for k, place in enumerate(county.settlements) if place.level is not Level.GROUP]
    tree = KDTree(county.at_m[named])
    limits = posted_limits(county.streets, county.courses, county.closed_line_m, county.at_m[0])
    ways = []
    for k, way in enumerate(county.streets.ways):
        if way.rank == PRIMARY.rank:
            name = {"name": f"{county.spec.name_zh}大道", "name:en": f"{county.spec.name} Highway", "ref": "S901"}
        else:
            middle = way.nodes[len(way.nodes) // 2]
            _, nearest = tree.query([county.streets.x_m[middle], county.streets.y_m[middle]])
            place = county.settlements[named[int(nearest)]]
            name = {"name": f"{place.name_zh}路", "name:en": f"{place.name} road"}
        tags = {**way.tags, **name, **limits.get(k, {}), "source": "synthetic"}
        ways.append(OsmWay(STREET_BASE + k, tuple(street_node_id(node) for node in way.nodes), tags))
    return ways


def _facilities(county: SyntheticCounty) -> tuple[list[OsmNode], list[OsmWay]]:
    nodes: list[OsmNode] = []
    ways = []
    for k, facility in enumerate(county.facilities):
        ids = [FACILITY_BASE + 10 * k + corner for corner in range(len(facility.outline))]
        nodes += [OsmNode(node, *corner) for node, corner in zip(ids, facility.outline, strict=True)]
        tags = {
            **_FACILITY_TAGS[facility.kind],
            "name": facility.name_zh,
            "name:en": facility.name,
            "source": "synthetic",
        }
        ways.append(OsmWay(FACILITY_BASE + k, (*ids, ids[0]), tags))
    return nodes, ways


def _rivers(county: SyntheticCounty) -> tuple[list[OsmNode], list[OsmWay]]:
    """Return the larger streams, each from its head to where it joins one already drawn; the largest first."""
    streams, side = county.relief.streams, county.relief.side_m
    inside = (np.minimum(streams.x_m, streams.y_m) >= 0.0) & (np.maximum(streams.x_m, streams.y_m) <= side)
    drawn = inside & (streams.area_km2 >= MAPPED_KM2)
    lon, lat = county.to_degrees(streams.x_m, streams.y_m)
    nodes = [OsmNode(RIVER_BASE + int(k), float(lon[k]), float(lat[k])) for k in np.flatnonzero(drawn)]
    fed = np.zeros(len(drawn), dtype=np.bool_)
    fed[streams.downstream[drawn & (streams.downstream != np.arange(len(drawn)))]] = True
    heads = np.flatnonzero(drawn & ~fed)
    length = {int(head): _down(streams.downstream.tolist(), drawn.tolist(), int(head), set()) for head in heads}
    done: set[int] = set()
    ways: list[OsmWay] = []
    for head in sorted(length, key=lambda k: (-len(length[k]), k)):
        course = _down(streams.downstream.tolist(), drawn.tolist(), head, done)
        done.update(course)
        if len(course) > 1:
            kind = "river" if float(streams.area_km2[course].max()) >= RIVER_KM2 else "stream"
            tags = {"source": "synthetic", "waterway": kind}
            ways.append(OsmWay(RIVER_BASE + len(ways), tuple(RIVER_BASE + k for k in course), tags))
    return nodes, ways


def _down(downstream: list[int], drawn: list[bool], head: int, done: set[int]) -> list[int]:
    """Return the nodes from a head down to the first node already drawn (included), the border or the outlet."""
    course = [head]
    while course[-1] not in done:
        below = downstream[course[-1]]
        if below == course[-1] or not drawn[below]:
            break
        course.append(below)
    return course


def _bus_relations(county: SyntheticCounty) -> list[OsmRelation]:
    """Return two route relations a line, out and back, with stops in order and the ways in order."""
    way_of = {}
    for k, way in enumerate(county.streets.ways):
        for a, b in pairwise(way.nodes):
            way_of[min(a, b), max(a, b)] = STREET_BASE + k
    relations: list[OsmRelation] = []
    for course in county.courses:
        ways = list(dict.fromkeys(way_of[min(a, b), max(a, b)] for a, b in pairwise(course.nodes)))
        stops = [place for _, place in course.stops]
        for direction, (line_stops, line_ways) in enumerate(((stops, ways), (stops[::-1], ways[::-1]))):
            members = [("n", stop_id(place), "platform") for place in line_stops]
            members += [("w", way, "") for way in line_ways]
            relations.append(OsmRelation(1 + len(relations), tuple(members), _line_tags(county, course, direction)))
    return relations


def _turn_restrictions(county: SyntheticCounty) -> list[OsmRelation]:
    """Return forbidden turns at the junctions nearest to the county town, none of them one that a bus line makes.

    A vehicle may go on straight and turn round, so that no place is cut off.
    """
    streets, (hub_x_m, hub_y_m) = county.streets, county.at_m[0]
    ending: dict[int, list[int]] = {}
    for k, way in enumerate(streets.ways):
        if way.nodes[0] != way.nodes[-1]:
            for node in (way.nodes[0], way.nodes[-1]):
                ending.setdefault(node, []).append(k)
    junctions = [node for node, ways in ending.items() if len(ways) >= 3]
    junctions.sort(key=lambda node: (float(np.hypot(streets.x_m[node] - hub_x_m, streets.y_m[node] - hub_y_m)), node))
    driven = {(a, b, c) for course in county.courses for a, b, c in _turns(course.nodes)}
    driven |= {(c, b, a) for a, b, c in driven}
    relations: list[OsmRelation] = []
    for via in junctions:
        turns = ((start, end) for start, end in permutations(sorted(ending[via]), 2))
        free = [
            turn for turn in turns if (_beside(county, turn[0], via), via, _beside(county, turn[1], via)) not in driven
        ]
        if not free or len(relations) == FORBIDDEN_TURNS:
            continue
        start, end = free[0]
        members = (
            ("w", STREET_BASE + start, "from"),
            ("n", street_node_id(via), "via"),
            ("w", STREET_BASE + end, "to"),
        )
        side = _side(county, _beside(county, start, via), via, _beside(county, end, via))
        tags = {"restriction": f"no_{side}_turn", "source": "synthetic", "type": "restriction"}
        relations.append(OsmRelation(RESTRICTION_BASE + len(relations), members, tags))
    return relations


def _turns(nodes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield every three nodes of a course that follow each other."""
    yield from zip(nodes, nodes[1:], nodes[2:], strict=False)


def _beside(county: SyntheticCounty, way: int, end: int) -> int:
    """Return the node of a way next to one of its ends."""
    nodes = county.streets.ways[way].nodes
    return nodes[1] if nodes[0] == end else nodes[-2]


def _side(county: SyntheticCounty, before: int, via: int, after: int) -> str:
    """Return whether the way over three nodes turns left or right."""
    x_m, y_m = county.streets.x_m, county.streets.y_m
    into, out = ((x_m[b] - x_m[a], y_m[b] - y_m[a]) for a, b in ((before, via), (via, after)))
    return "left" if into[0] * out[1] - into[1] * out[0] > 0.0 else "right"


def _line_tags(county: SyntheticCounty, course: BusCourse, direction: int) -> dict[str, str]:
    ends = [county.settlements[course.stops[at][1]].name_zh for at in (0, -1)]
    start, end = ends[::-1] if direction else ends
    return {
        "from": start,
        "name": f"{course.ref}路: {start} → {end}",
        "operator": f"{county.spec.name_zh}客运公司",
        "ref": course.ref,
        "route": "bus",
        "source": "synthetic",
        "to": end,
        "type": "route",
    }
