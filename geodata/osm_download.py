"""A named place fetched from OpenStreetMap through osmnx; the one part of geodata that needs a network.

Fetched are streets, settlements, bus stops, what airspace is made of (aerodromes, substations …), and the relations
osmnx does not know: turn restrictions, bus lines and the boundaries of counties, towns and villages, which are asked of
the same Overpass service. What a relation names and the streets do not have (ways of a boundary, stops) comes with it.
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from geodata.errors import UnavailableError
from geodata.osm_features import PLACE_KINDS

OVERPASS_FILTER = '["highway"]'
"""Every way with a highway tag, as from an extract."""


def download_extract(place: str, path: Path) -> None:
    """Write an OSM XML extract of a named place: all that a reader of extracts looks for, relations included.

    Parameters
    ----------
    place
        A name that OpenStreetMap's geocoder finds, for example ``"Andorra"``.
    path
        File to write (``.osm``); it appears whole or not at all.

    Raises
    ------
    UnavailableError
        If there is no network, the service does not answer, or it knows no such place.
    """
    import osmnx  # noqa: PLC0415 - takes seconds to load and is needed by this command only

    osmnx.settings.all_oneway = True  # keeps the ways' own direction, which the XML writer needs
    osmnx.settings.useful_tags_way = list(_WAY_TAGS)
    osmnx.settings.useful_tags_node = list(_NODE_TAGS)
    temporary = path.with_name(path.name + ".part.osm")
    try:
        graph = osmnx.graph_from_place(place, custom_filter=OVERPASS_FILTER, simplify=False, retain_all=True)
        osmnx.io.save_graph_xml(graph, filepath=temporary)
        try:
            features = osmnx.features_from_place(place, tags=_FEATURE_TAGS)
        except osmnx._errors.InsufficientResponseError:  # noqa: SLF001 - nothing but streets; no public name for it
            features = None
        if features is not None:
            _add_features(temporary, _described(features))
        service = (f"{osmnx.settings.overpass_url}/interpreter", float(osmnx.settings.requests_timeout))
        _add_relations(temporary, _ask_relations(_bounds(temporary), *service))
    except Exception as error:  # osmnx lets errors of requests, its own and of the parser through
        temporary.unlink(missing_ok=True)
        offline = isinstance(error, OSError)  # as are all errors of requests
        reason = "no connection to OpenStreetMap" if offline else f"{type(error).__name__}: {error}"
        msg = (
            f"Streets of {place!r} could not be downloaded ({reason}). "
            "Check the network connection and the name, or give an extract file (.osm.pbf) instead of --place."
        )
        raise UnavailableError(msg) from error
    temporary.replace(path)


_FEATURE_TAGS: dict[str, bool | str | list[str]] = {
    "place": list(PLACE_KINDS),
    "highway": ["bus_stop", "platform"],
    "public_transport": ["platform", "station", "stop_position"],
    "aeroway": ["aerodrome", "heliport", "helipad"],
    "power": ["plant", "substation"],
    "amenity": ["fuel", "bus_station"],
    "man_made": "water_works",
    "waterway": "dam",
    "boundary": ["protected_area", "national_park"],
    "leisure": "nature_reserve",
}
_RELATIONS = (
    '["type"="restriction"]',
    '["type"="route"]["route"~"^(bus|share_taxi|minibus)$"]',
    '["boundary"="administrative"]["admin_level"~"^([6-9]|10)$"]',
)
"""Turn restrictions, bus lines, boundaries below the province: relations the readers of extracts use."""
_USER_AGENT = "shanlu (last-mile delivery planning)"


def _ask_relations(bounds: tuple[float, float, float, float], address: str, timeout_s: float) -> bytes:
    """Return OSM XML of the relations of a box (west, south, east, north) with their ways and nodes.

    Raises
    ------
    OSError
        If the service does not answer.
    """
    west, south, east, north = bounds
    box = f"({south:.7f},{west:.7f},{north:.7f},{east:.7f})"
    wanted = "".join(f"relation{which}{box};" for which in _RELATIONS)
    query = f"[out:xml][timeout:{timeout_s:.0f}];({wanted})->.r;way(r.r)->.w;(.r;.w;node(r.r);node(w.w););out body;"
    data = urllib.parse.urlencode({"data": query}).encode()
    request = urllib.request.Request(address, data, {"User-Agent": _USER_AGENT})  # noqa: S310 - osmnx's own address
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content


def _bounds(path: Path) -> tuple[float, float, float, float]:
    """Return west, south, east, north of the nodes of an OSM XML file."""
    nodes = ET.parse(path).getroot().findall("node")  # noqa: S314 - the file was just written by osmnx
    lon, lat = ([float(node.get(name, "nan")) for node in nodes] for name in ("lon", "lat"))
    return min(lon), min(lat), max(lon), max(lat)


def _add_relations(path: Path, content: bytes) -> None:
    """Add relations, and nodes and ways the file does not have, to an OSM XML file in the order readers expect."""
    tree = ET.parse(path)  # noqa: S314 - the file was just written by osmnx
    root = tree.getroot()
    known = {(child.tag, child.get("id")) for child in root}
    found = [child for child in ET.fromstring(content) if (child.tag, child.get("id")) not in known]  # noqa: S314
    by_kind: dict[str, list[ET.Element]] = {"node": [], "way": [], "relation": []}
    for child in found:
        if child.tag in by_kind:
            child.set("version", child.get("version", "1"))
            by_kind[child.tag].append(child)
    count = sum(child.tag in ("bounds", "node") for child in root)
    for offset, node in enumerate(by_kind["node"]):
        root.insert(count + offset, node)
    root.extend([*by_kind["way"], *by_kind["relation"]])
    tree.write(path, encoding="utf-8", xml_declaration=True)


_FIRST_NEW_ID = 1 << 36
"""Ids of corners of areas, which come without; far above those OpenStreetMap gives to nodes and ways."""


def _described(features: Any) -> Iterator[tuple[str, int, Any, dict[str, str]]]:
    """Yield element ("node", "way", "relation"), id, geometry and tags of each row of a GeoDataFrame of osmnx."""
    columns = [name for name in features.columns if name not in ("geometry", "nodes", "ways")]
    for (element, osm_id), row in features.sort_index().iterrows():
        tags = {name: str(row[name]) for name in columns if isinstance(row[name], str)}
        yield str(element), int(osm_id), row["geometry"], tags


def _add_features(path: Path, features: Iterator[tuple[str, int, Any, Mapping[str, str]]]) -> None:
    """Add features to an OSM XML file: points as nodes (or tags of nodes it has), areas and lines as ways."""
    tree = ET.parse(path)  # noqa: S314 - the file was just written by osmnx
    root = tree.getroot()
    nodes = {int(node.get("id", "0")): node for node in root.findall("node")}
    way_ids = {int(way.get("id", "0")) for way in root.findall("way")}
    new_nodes: list[ET.Element] = []
    new_ways: list[ET.Element] = []
    next_id = _FIRST_NEW_ID
    for element, osm_id, geometry, tags in features:
        if element == "node":
            if osm_id not in nodes:
                nodes[osm_id] = _node(osm_id, geometry.x, geometry.y)
                new_nodes.append(nodes[osm_id])
            _tag(nodes[osm_id], tags)
            continue
        if element == "way" and osm_id in way_ids:
            continue  # a street, as a platform may be, and there already
        for outline in _outlines(geometry):
            corners = [_node(next_id + k, *at) for k, at in enumerate(outline)]
            next_id += len(corners) + 1
            way = ET.Element("way", id=str(next_id), version="1")
            closed = [*corners, corners[0]] if geometry.geom_type.endswith("Polygon") else corners
            for corner in closed:
                ET.SubElement(way, "nd", ref=str(corner.get("id")))
            next_id += 1
            _tag(way, tags)
            new_nodes += corners
            new_ways.append(way)
    count = sum(child.tag in ("bounds", "node") for child in root)
    for offset, node in enumerate(new_nodes):
        root.insert(count + offset, node)
    root.extend(new_ways)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _outlines(geometry: Any) -> Iterator[list[tuple[float, float]]]:
    """Yield the outer rings (without the repeated corner) and lines of a geometry as (lon, lat)."""
    for part in getattr(geometry, "geoms", [geometry]):
        if part.geom_type == "Polygon":
            yield list(part.exterior.coords)[:-1]
        elif part.geom_type == "LineString":
            yield list(part.coords)


def _node(osm_id: int, lon: float, lat: float) -> ET.Element:
    return ET.Element("node", id=str(osm_id), version="1", lat=f"{lat:.7f}", lon=f"{lon:.7f}")


def _tag(element: ET.Element, tags: Mapping[str, str]) -> None:
    known = {tag.get("k") for tag in element.findall("tag")}
    for key, value in sorted(tags.items()):
        if key not in known:
            ET.SubElement(element, "tag", k=key, v=value)


_WAY_TAGS = (
    "highway", "name", "ref", "oneway", "oneway:motor_vehicle", "junction", "access", "vehicle", "motor_vehicle",
    "motorcar", "goods", "hgv", "foot", "motorroad", "route", "area", "service", "surface", "tracktype", "maxspeed",
    "maxspeed:forward", "maxspeed:backward", "width", "maxwidth", "maxwidth:physical", "maxheight",
    "maxheight:physical", "maxweight", "maxaxleload", "access:conditional", "vehicle:conditional",
    "motor_vehicle:conditional", "hgv:conditional", "maxweight:conditional", "bridge", "tunnel", "layer",
)  # fmt: skip
_NODE_TAGS = (
    "barrier",
    "access",
    "vehicle",
    "motor_vehicle",
    "motorcar",
    "foot",
    "maxheight",
    "highway",
    "ele",
    "name",
)
