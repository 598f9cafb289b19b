"""Writing a synthetic county as an OpenStreetMap extract: plain nodes, ways and relations into a PBF file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import osmium
from osmium.osm import Box, Location
from osmium.osm.mutable import Node, Relation, Way


@dataclass(frozen=True, slots=True)
class OsmNode:
    """A point in degrees."""

    id: int
    lon: float
    lat: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OsmWay:
    """A line of nodes; an area where the last node is the first."""

    id: int
    nodes: tuple[int, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OsmRelation:
    """Members as (type ``n``, ``w`` or ``r``, id, role)."""

    id: int
    members: tuple[tuple[str, int, str], ...]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class OsmData:
    """An extract in memory."""

    nodes: Sequence[OsmNode]
    ways: Sequence[OsmWay]
    relations: Sequence[OsmRelation]
    bounds: tuple[float, float, float, float]
    """West, south, east, north."""


def write_pbf(path: Path, data: OsmData) -> None:
    """Write an extract sorted by type and id, without times or authors: equal data give equal bytes.

    Raises
    ------
    FileExistsError
        If the file exists.
    """
    if path.exists():
        raise FileExistsError(path)
    west, south, east, north = data.bounds
    header = osmium.io.Header()
    header.set("generator", "shanlu synthetic county")
    header.add_box(Box(Location(west, south), Location(east, north)))
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for node in sorted(data.nodes, key=lambda item: item.id):
            writer.add_node(Node(id=node.id, location=(node.lon, node.lat), tags=dict(node.tags)))
        for way in sorted(data.ways, key=lambda item: item.id):
            writer.add_way(Way(id=way.id, nodes=list(way.nodes), tags=dict(way.tags)))
        for relation in sorted(data.relations, key=lambda item: item.id):
            writer.add_relation(Relation(id=relation.id, members=list(relation.members), tags=dict(relation.tags)))
