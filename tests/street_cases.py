"""Small street networks made by hand or at random, for tests of everything that runs on streets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from geodata.location import FloatArray
from geodata.osm_tags import HIGHWAYS, SURFACES, TRACKTYPES
from geodata.streets import StreetNetwork

DEGREE_M = 111_195.0
"""Metres of one degree of latitude on the mean sphere."""


@dataclass(frozen=True)
class FlatTerrain:
    """A terrain whose height rises evenly to the east; nan beyond `east`."""

    height_m: float = 1000.0
    rise_m_per_degree: float = 0.0
    east: float = 180.0

    def elevation_m(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        """Return heights at points."""
        height = self.height_m + self.rise_m_per_degree * np.asarray(lon) + 0.0 * np.asarray(lat)
        return np.where(np.asarray(lon) <= self.east, height, np.nan)


@dataclass(frozen=True)
class Edge:
    """One directed edge of a test network, nodes by position."""

    start: int
    end: int
    length_m: float = 100.0
    grade: float = 0.0
    highway: str = "residential"
    surface: str = "paved"
    tracktype: str = "none"
    radius_m: float = np.inf
    motor: int = 1
    heavy: int = 1
    foot: int = 1
    maxspeed_kmh: float = np.nan
    max_width_m: float = np.inf
    max_height_m: float = np.inf
    max_weight_kg: float = np.inf
    way: int = 1


def both_ways(start: int, end: int, **values: object) -> list[Edge]:
    """Return an edge and its way back, with the grade turned round."""
    there = Edge(start, end, **values)  # type: ignore[arg-type]
    back = {**values, "grade": -there.grade}
    return [there, Edge(end, start, **back)]  # type: ignore[arg-type]


def make_network(
    n_nodes: int, edges: Sequence[Edge], lon_lat: Sequence[tuple[float, float]] | None = None
) -> StreetNetwork:
    """Return a network with OSM node ids 1000, 1001, …; nodes lie 0.001° apart on a line unless placed."""
    edges = sorted(edges, key=lambda edge: (edge.start, edge.end, edge.way))
    places = lon_lat or [(1.5 + 0.001 * k, 42.5) for k in range(n_nodes)]

    def column(name: str, kind: type) -> np.ndarray:
        return np.array([getattr(edge, name) for edge in edges], dtype=kind)

    return StreetNetwork(
        node_id=np.arange(1000, 1000 + n_nodes, dtype=np.int64),
        node_lon=np.array([lon for lon, _ in places]),
        node_lat=np.array([lat for _, lat in places]),
        node_elevation_m=np.zeros(n_nodes),
        edge_from=column("start", np.int64),
        edge_to=column("end", np.int64),
        edge_length_m=column("length_m", np.float64),
        edge_grade=column("grade", np.float64),
        edge_radius_m=column("radius_m", np.float64),
        edge_way_id=column("way", np.int64),
        edge_highway=np.array([HIGHWAYS.index(edge.highway) for edge in edges], dtype=np.uint8),
        edge_surface=np.array([SURFACES.index(edge.surface) for edge in edges], dtype=np.uint8),
        edge_tracktype=np.array([TRACKTYPES.index(edge.tracktype) for edge in edges], dtype=np.uint8),
        edge_motor=column("motor", np.uint8),
        edge_heavy=column("heavy", np.uint8),
        edge_foot=column("foot", np.uint8),
        edge_maxspeed_kmh=column("maxspeed_kmh", np.float64),
        edge_max_width_m=column("max_width_m", np.float64),
        edge_max_height_m=column("max_height_m", np.float64),
        edge_max_weight_kg=column("max_weight_kg", np.float64),
        edge_bridge=np.zeros(len(edges), dtype=np.bool_),
        edge_tunnel=np.zeros(len(edges), dtype=np.bool_),
        edge_name=np.zeros(len(edges), dtype=np.int64),
    )


def random_network(seed: int, n_nodes: int, n_edges: int) -> StreetNetwork:
    """Return a network of random directed edges, some of them parallel, some in long chains, in one or more parts."""
    rng = np.random.default_rng(seed)
    edges = []
    for way in range(n_edges):
        start, end = (int(k) for k in rng.integers(0, n_nodes, 2))
        if start != end:
            length, grade = float(rng.integers(10, 400)), float(rng.uniform(-0.1, 0.1))
            edges.append(Edge(start, end, length_m=length, grade=grade, way=way))
            if rng.random() < 0.6:
                edges.append(Edge(end, start, length_m=length, grade=-grade, way=way))
    places = [(1.5 + float(x), 42.5 + float(y)) for x, y in rng.uniform(0.0, 0.02, (n_nodes, 2))]
    return make_network(n_nodes, edges, places)


def write_osm(
    path: Path,
    nodes: Mapping[int, tuple[float, float]],
    ways: Mapping[int, tuple[Sequence[int], Mapping[str, str]]],
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
    relations: Mapping[int, tuple[Sequence[tuple[str, int, str]], Mapping[str, str]]] | None = None,
) -> Path:
    """Write an OSM XML file: nodes by id as (lon, lat), ways as (node ids, tags), relations as (members, tags)."""

    def tags(values: Mapping[str, str]) -> str:
        return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in values.items())

    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="test">']
    for key, (lon, lat) in nodes.items():
        inner = tags((node_tags or {}).get(key, {}))
        lines.append(f'<node id="{key}" version="1" lon="{lon!r}" lat="{lat!r}">{inner}</node>')
    for key, (refs, values) in ways.items():
        inner = "".join(f'<nd ref="{ref}"/>' for ref in refs) + tags(values)
        lines.append(f'<way id="{key}" version="1">{inner}</way>')
    for key, (members, values) in (relations or {}).items():
        inner = "".join(f'<member type="{kind}" ref="{ref}" role="{role}"/>' for kind, ref, role in members)
        lines.append(f'<relation id="{key}" version="1">{inner}{tags(values)}</relation>')
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path
