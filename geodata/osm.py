"""OSM extract → StreetNetwork.

The extract is read with pyosmium straight into arrays. Going through an XML file and an osmnx graph gives the same
ways but took 16 s and 2.0 GB on Andorra where this takes a tenth of both.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from geodata.conditional_access import rules_of_ways
from geodata.errors import Fault, InputError
from geodata.location import FloatArray, LocalFrame, great_circle_m
from geodata.osm_tags import HIGHWAYS, BarrierUse, WayUse, read_barrier_tags, read_way_tags
from geodata.road_lines import road_lines
from geodata.street_shape import ElevationModel, curve_radii_m, smooth_elevation
from geodata.streets import BoolArray, CodeArray, IntArray, StreetNetwork
from geodata.turn_restrictions import TurnRestriction, read_turn_restrictions, turn_bans

MAX_SHARE_OFF_TERRAIN = 0.02
"""Share of street nodes that may lie outside the terrain: ways kept whole run a little over the border."""
RULES_USED = "conditional access clauses"
RULES_LEFT_OUT = "conditional access clauses that open a road or are not understood, ignored"
LEAST_LENGTH_M = 0.01
"""Length given to segments between points at the same place; a zero would vanish from sparse graphs."""


@dataclass(frozen=True)
class _Ways:
    """Ways as read: what their tags mean, and their node ids one after the other."""

    way_id: IntArray
    use: tuple[WayUse, ...]
    node_count: IntArray
    node_id: IntArray


@dataclass(frozen=True)
class _Segments:
    """Undirected segments, in way order: end nodes (indices), index of the way among `_Ways`, metres."""

    start: IntArray
    end: IntArray
    way: IntArray
    length_m: FloatArray


@dataclass(frozen=True)
class _Extract:
    """An extract as read: ways, positions (lon, lat) and barriers by node id, turn restrictions, what was left out."""

    ways: _Ways
    lon_lat: Mapping[int, tuple[float, float]]
    barriers: Mapping[int, BarrierUse]
    restrictions: Sequence[TurnRestriction]
    notes: Counter[str]


def read_street_network(path: Path, terrain: ElevationModel) -> StreetNetwork:
    """Read every way of an OSM extract that a vehicle or walker may use.

    Ways cut at the border of the extract keep the parts whose nodes are there. Ways under construction and ways closed
    to everybody are left out. Ferries are read; only profiles that give them a speed use them.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm`` or another format osmium reads.
    terrain
        Heights of the area.

    Raises
    ------
    InputError
        If the file is missing or broken (MISSING_FILE, BROKEN_FILE), has no usable way (NO_ROADS), or the terrain
        does not cover it (TERRAIN_NOT_COVERING).
    """
    extract = _read_extract(path)
    ways, lon_lat = extract.ways, extract.lon_lat
    node_id = np.array(sorted(lon_lat), dtype=np.int64)
    lon, lat = (np.array([lon_lat[key][axis] for key in node_id.tolist()], dtype=np.float64) for axis in (0, 1))
    segments = _segments_of(ways, node_id, lon, lat)
    if segments.start.size == 0:
        raise _fault(
            path, "NO_ROADS", "The extract has no way a vehicle or walker may use", "Give an extract with roads."
        )
    used = np.unique(np.concatenate([segments.start, segments.end]))
    renumber = np.full(node_id.size, -1, dtype=np.int64)
    renumber[used] = np.arange(used.size)
    node_id, lon, lat = node_id[used], lon[used], lat[used]
    segments = _Segments(renumber[segments.start], renumber[segments.end], segments.way, segments.length_m)
    ground_m = _ground(terrain, lon, lat, path)
    network = _assemble(ways, segments, node_id, lon, lat, ground_m, extract.barriers)
    return _with_rules(network, extract)


def _with_rules(network: StreetNetwork, extract: _Extract) -> StreetNetwork:
    """Return the network with its turn restrictions and conditional access, and notes of what was left out."""
    uses = extract.ways.use
    wanted = {way for one in extract.restrictions for way in (*one.from_ways, *one.via, *one.to_ways)}
    ends = np.cumsum(extract.ways.node_count)
    nodes_of_way = {
        way: extract.ways.node_id[end - count : end].tolist()
        for way, end, count in zip(
            extract.ways.way_id.tolist(), ends.tolist(), extract.ways.node_count.tolist(), strict=True
        )
        if way in wanted
    }
    bans, notes = turn_bans(network, extract.restrictions, nodes_of_way)
    notes += extract.notes
    rules = rules_of_ways({way: use.access_rules for way, use in zip(extract.ways.way_id.tolist(), uses, strict=True)})
    notes += Counter({RULES_USED: len(rules), RULES_LEFT_OUT: sum(use.rules_left_out for use in uses)})
    return dataclasses.replace(network, turn_bans=bans, access_rules=rules, notes=tuple(sorted(notes.items())))


def _fault(path: Path, code: str, reason: str, remedy: str) -> InputError:
    return InputError([Fault(code, path.name, reason, remedy)])


def _read_extract(path: Path) -> _Extract:
    """Return everything of a file that makes up the streets."""
    if not path.is_file():
        raise _fault(path, "MISSING_FILE", "There is no such file", "Give an OSM extract (.osm.pbf or .osm).")
    try:
        ways = _read_ways(path)
        wanted = np.unique(ways.node_id)
        restrictions, notes = read_turn_restrictions(path)
        return _Extract(ways, _read_positions(path, wanted), _read_barriers(path), restrictions, notes)
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        remedy = "Give a whole OSM extract (.osm.pbf or .osm); download it again if it was cut off."
        raise _fault(path, "BROKEN_FILE", f"The file cannot be read as OSM data: {error}", remedy) from error


def _read_ways(path: Path) -> _Ways:
    way_ids, uses, counts, node_ids = [], [], [], []
    known: dict[tuple[tuple[str, str], ...], WayUse | None] = {}
    reader: Any = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(
        osmium.filter.KeyFilter("highway", "route")
    )
    for way in reader:
        key = tuple((tag.k, tag.v) for tag in way.tags)
        if key not in known:
            known[key] = read_way_tags(dict(key))
        use = known[key]
        if use is None:
            continue
        refs = [node.ref for node in way.nodes]
        way_ids.append(way.id)
        uses.append(use)
        counts.append(len(refs))
        node_ids.extend(refs)
    return _Ways(
        np.array(way_ids, dtype=np.int64),
        tuple(uses),
        np.array(counts, dtype=np.int64),
        np.array(node_ids, dtype=np.int64),
    )


def _read_positions(path: Path, wanted: IntArray) -> dict[int, tuple[float, float]]:
    """Return (lon, lat) of the wanted nodes that the extract has."""
    if wanted.size and wanted[0] < 0:  # drawn by hand: ids the location index does not take, but few nodes
        ids = set(wanted.tolist())
        nodes: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
        return {node.id: (node.lon, node.lat) for node in nodes if node.id in ids and node.location.valid()}
    index = osmium.index.create_map("flex_mem")
    fill = osmium.NodeLocationsForWays(index)
    fill.ignore_errors()
    osmium.apply(str(path), fill)
    found = {}
    for key in wanted.tolist():
        with contextlib.suppress(KeyError):
            location = index.get(key)
            if location.valid():
                found[key] = (location.lon, location.lat)
    return found


def _read_barriers(path: Path) -> dict[int, BarrierUse]:
    nodes: Any = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.KeyFilter("barrier"))
    return {node.id: read_barrier_tags({tag.k: tag.v for tag in node.tags}) for node in nodes}


def _segments_of(ways: _Ways, node_id: IntArray, lon: FloatArray, lat: FloatArray) -> _Segments:
    """Return the segments between neighbouring nodes of each way that are both there and differ."""
    place = np.minimum(np.searchsorted(node_id, ways.node_id), max(node_id.size - 1, 0))
    there = node_id[place] == ways.node_id if node_id.size else np.zeros(ways.node_id.size, dtype=np.bool_)
    way = np.repeat(np.arange(ways.way_id.size), ways.node_count)
    keep = there[:-1] & there[1:] & (way[:-1] == way[1:]) & (ways.node_id[:-1] != ways.node_id[1:])
    start, end = place[:-1][keep], place[1:][keep]
    length = great_circle_m(lon[start], lat[start], lon[end], lat[end])
    return _Segments(start, end, way[:-1][keep], np.maximum(length, LEAST_LENGTH_M))


def _ground(terrain: ElevationModel, lon: FloatArray, lat: FloatArray, path: Path) -> FloatArray:
    """Return terrain heights at the nodes; refuse a terrain that misses too many of them."""
    ground = np.asarray(terrain.elevation_m(lon, lat), dtype=np.float64)
    missing = float(np.mean(~np.isfinite(ground)))
    if missing > MAX_SHARE_OFF_TERRAIN:
        raise _fault(
            path,
            "TERRAIN_NOT_COVERING",
            f"The terrain does not cover {missing:.0%} of the street nodes",
            f"Give elevation tiles for {lon.min():.3f},{lat.min():.3f} to {lon.max():.3f},{lat.max():.3f}.",
        )
    return ground


def _assemble(
    ways: _Ways,
    segments: _Segments,
    node_id: IntArray,
    lon: FloatArray,
    lat: FloatArray,
    ground_m: FloatArray,
    barriers: Mapping[int, BarrierUse],
) -> StreetNetwork:
    """Return the network: every segment in each direction somebody may use, sorted by (from, to, way)."""
    names = ("", *sorted({use.name for use in ways.use} - {""}))
    table = _WayTable.of(ways, names)
    w = segments.way
    off_ground = table.bridge[w] | table.tunnel[w] | (table.highway[w] == HIGHWAYS.index("ferry"))
    elevation = smooth_elevation(
        ground_m, segments.start, segments.end, segments.length_m, table.highway[w], off_ground
    )
    radius = _radii(segments, lon, lat)
    rise = elevation[segments.end] - elevation[segments.start]
    blocks = _Blocks.of(segments, table.highway[w], node_id, barriers)

    both = np.concatenate([w, w])
    count = w.size
    # access[mode][direction]: codes along and against the way, zeroed at barriers
    codes = [
        np.concatenate([table.access[mode, 0][w], table.access[mode, 1][w]])
        * np.concatenate([~blocked, ~blocked]).astype(np.uint8)
        for mode, blocked in enumerate((blocks.motor, blocks.motor, blocks.foot))
    ]
    start = np.concatenate([segments.start, segments.end])
    end = np.concatenate([segments.end, segments.start])
    usable = np.flatnonzero((codes[0] | codes[1] | codes[2]) > 0)
    order = usable[np.lexsort((both[usable], end[usable], start[usable]))]
    segment, way = order % count, both[order]
    return StreetNetwork(
        node_id=node_id,
        node_lon=lon,
        node_lat=lat,
        node_elevation_m=elevation,
        edge_from=start[order],
        edge_to=end[order],
        edge_length_m=segments.length_m[segment],
        edge_grade=np.where(order < count, rise[segment], -rise[segment]) / segments.length_m[segment],
        edge_radius_m=radius[segment],
        edge_way_id=ways.way_id[way],
        edge_highway=table.highway[way],
        edge_surface=table.surface[way],
        edge_tracktype=table.tracktype[way],
        edge_motor=codes[0][order],
        edge_heavy=codes[1][order],
        edge_foot=codes[2][order],
        edge_maxspeed_kmh=np.where(order < count, table.maxspeed[way, 0], table.maxspeed[way, 1]),
        edge_max_width_m=table.limits[way, 0],
        edge_max_height_m=np.minimum(table.limits[way, 1], blocks.height_m[segment]),
        edge_max_weight_kg=table.limits[way, 2],
        edge_max_axle_kg=table.limits[way, 3],
        edge_bridge=table.bridge[way],
        edge_tunnel=table.tunnel[way],
        edge_name=table.name[way],
        names=names,
    )


@dataclass(frozen=True)
class _WayTable:
    """`WayUse` of all ways as columns; `access` has the axes mode (motor, heavy, foot), direction, way."""

    highway: CodeArray
    surface: CodeArray
    tracktype: CodeArray
    access: CodeArray
    maxspeed: FloatArray
    limits: FloatArray
    bridge: BoolArray
    tunnel: BoolArray
    name: IntArray

    @classmethod
    def of(cls, ways: _Ways, names: tuple[str, ...]) -> _WayTable:
        code_of_name = {name: code for code, name in enumerate(names)}
        uses = ways.use
        directions = [(use.forward, use.backward) for use in uses]
        return cls(
            highway=np.array([use.highway for use in uses], dtype=np.uint8),
            surface=np.array([use.surface for use in uses], dtype=np.uint8),
            tracktype=np.array([use.tracktype for use in uses], dtype=np.uint8),
            access=np.array(
                [
                    [[getattr(pair[side], mode) for pair in directions] for side in (0, 1)]
                    for mode in ("motor", "heavy", "foot")
                ],
                dtype=np.uint8,
            ),
            maxspeed=np.array([use.maxspeed_kmh for use in uses], dtype=np.float64),
            limits=np.array([(use.max_width_m, use.max_height_m, use.max_weight_kg, use.max_axle_kg) for use in uses]),
            bridge=np.array([use.bridge for use in uses], dtype=np.bool_),
            tunnel=np.array([use.tunnel for use in uses], dtype=np.bool_),
            name=np.array([code_of_name[use.name] for use in uses], dtype=np.int64),
        )


@dataclass(frozen=True)
class _Blocks:
    """What barriers do to each segment: closed to motors, closed to walkers, height left."""

    motor: BoolArray
    foot: BoolArray
    height_m: FloatArray

    @classmethod
    def of(
        cls, segments: _Segments, highway: CodeArray, node_id: IntArray, barriers: Mapping[int, BarrierUse]
    ) -> _Blocks:
        """Close the segments that touch a barrier; at a junction only those of lesser class than the greatest there.

        A barrier is often mapped on the very node where a side road leaves the main road; it then stands on the side
        road, and the main road stays open.
        """
        n = node_id.size
        stops_motor, stops_foot = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
        height = np.full(n, np.inf)
        for position, key in enumerate(node_id.tolist()):
            barrier = barriers.get(key)
            if barrier is not None:
                stops_motor[position], stops_foot[position] = not barrier.motor, not barrier.foot
                height[position] = barrier.max_height_m
        ends = np.concatenate([segments.start, segments.end])
        degree = np.bincount(ends, minlength=n)
        greatest = np.full(n, len(HIGHWAYS), dtype=np.int64)
        np.minimum.at(greatest, ends, np.concatenate([highway, highway]).astype(np.int64))
        motor, foot = np.zeros(highway.size, dtype=np.bool_), np.zeros(highway.size, dtype=np.bool_)
        left = np.full(highway.size, np.inf)
        for end in (segments.start, segments.end):
            binds = (degree[end] <= 2) | (highway > greatest[end])
            motor |= stops_motor[end] & binds
            foot |= stops_foot[end] & binds
            left = np.minimum(left, np.where(binds, height[end], np.inf))
        return cls(motor, foot, left)


def _radii(segments: _Segments, lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Return the curve radius of each segment along its road line."""
    frame = LocalFrame(round(float(lon.mean()), 6), round(float(lat.mean()), 6))
    x_y = np.column_stack(frame.to_metres(lon, lat))
    radius = np.full(segments.start.size, np.inf)
    for members, nodes in road_lines(segments.start, segments.end, segments.way):
        if members.size > 1:
            radius[members] = curve_radii_m(x_y[nodes])
    return radius
