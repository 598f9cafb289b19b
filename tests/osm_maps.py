"""Small OSM maps and terrains made by hand, for every odd case an extract can be."""

from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from geodata.terrain import Terrain, write_geotiff

STEP_DEG = 0.001


class HandMap:
    """Collects nodes, ways and relations and writes them as OSM XML."""

    def __init__(self) -> None:
        self.parts: dict[str, list[str]] = {"node": [], "way": [], "relation": []}
        self.next_id = 1

    def node(self, lon: float, lat: float, **tags: str) -> int:
        """Add a node; a keyword ``name_en`` becomes the tag ``name:en``."""
        return self._add("node", f'lon="{lon:.7f}" lat="{lat:.7f}"', "", tags)

    def way(self, nodes: list[int], **tags: str) -> int:
        """Add a way through nodes; nodes never added make a way that is cut."""
        return self._add("way", "", "".join(f'<nd ref="{node}"/>' for node in nodes), tags)

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> int:
        """Add a relation of (node, way or relation; id; role)."""
        rows = (f'<member type="{kind}" ref="{ref}" role={quoteattr(role)}/>' for kind, ref, role in members)
        return self._add("relation", "", "".join(rows), tags)

    def road(self, points: list[tuple[float, float]], highway: str = "tertiary", **tags: str) -> list[int]:
        """Add a road of new nodes through points, with a node every 100 m or so; return its nodes."""
        nodes = []
        for k, (lon, lat) in enumerate(points):
            if k:
                west, south = points[k - 1]
                pieces = max(1, round(np.hypot(lon - west, lat - south) / STEP_DEG))
                shares = (np.arange(1, pieces) / pieces).tolist()
                nodes += [self.node(west + share * (lon - west), south + share * (lat - south)) for share in shares]
            nodes.append(self.node(lon, lat))
        self.way(nodes, highway=highway, **tags)
        return nodes

    def box(self, west: float, south: float, east: float, north: float, **tags: str) -> int:
        """Add a closed way round a box."""
        corners = [self.node(*at) for at in ((west, south), (east, south), (east, north), (west, north))]
        return self.way([*corners, corners[0]], **tags)

    def write(self, path: Path) -> Path:
        """Write the map."""
        body = "\n".join(row for kind in ("node", "way", "relation") for row in self.parts[kind])
        path.write_text(f'<osm version="0.6" generator="test">\n{body}\n</osm>\n', encoding="utf-8")
        return path

    def _add(self, kind: str, attributes: str, children: str, tags: dict[str, str]) -> int:
        ref = self.next_id
        self.next_id += 1
        rows = "".join(f"<tag k={quoteattr(k.replace('__', ':'))} v={quoteattr(v)}/>" for k, v in tags.items())
        self.parts[kind].append(f'<{kind} id="{ref}" version="1" {attributes}>{children}{rows}</{kind}>')
        return ref


def write_terrain(path: Path, box: tuple[float, float, float, float] = (99.9, 26.9, 100.3, 27.2)) -> Path:
    """Write a GeoTIFF of gentle slopes over a box (west, south, east, north)."""
    west, south, east, north = box
    lon, lat = np.arange(west, east, 0.002), np.arange(north, south, -0.002)
    heights = 1_000 + 2_000 * (lon[None, :] - west) + 1_000 * (lat[:, None] - south)
    write_geotiff(Terrain(west, north, 0.002, 0.002, heights.astype(np.float32)), path)
    return path


def valley() -> HandMap:
    """Return a map of a valley: two towns 20 km apart with areas of their own, villages, a bus line, a heliport.

    Road: 100.00 - 100.20 along 27.00, a branch north at 100.08 to 27.05. Town West (100.00) has 9,000 people, Town
    East (100.20) none stated. Village Edge (100.12, 27.00) lies in West's area though East is nearer by road. Dwelling
    Peak and farm Scar have no road, hamlet Lea lies near West. A cut way leaves the map in the west.
    """
    osm = HandMap()
    trunk = osm.road([(100.00, 27.00), (100.10, 27.00), (100.20, 27.00)], "secondary")
    branch = osm.road([(100.08, 27.0005), (100.08, 27.05)], "unclassified")
    osm.way([trunk[80], branch[0]], highway="unclassified")
    osm.way([trunk[0], 99_999], highway="secondary")
    west = osm.node(100.001, 27.0005, place="town", name="West", population="9 000", name__zh="西镇")
    east = osm.node(100.199, 27.0005, place="town", name="East")
    osm.node(100.12, 27.0003, place="village", name="Edge")
    osm.node(100.0803, 27.03, place="village", name="Branch")
    osm.node(100.0803, 27.048, place="hamlet", name="Top")
    osm.node(100.16, 27.09, place="isolated_dwelling", name="Peak")
    osm.node(100.03, 27.0003, place="hamlet", name="Lea")
    osm.node(100.18, 27.02, place="farm", name="Scar")
    osm.node(100.05, 27.05, place="locality", name="Nowhere")
    areas = [osm.box(99.95, 26.95, 100.15, 27.02), osm.box(100.15, 26.95, 100.25, 27.15)]
    for way, seat, name in zip(areas, (west, east), ("West area", "East area"), strict=True):
        members = [("way", way, "outer"), ("node", seat, "admin_centre")]
        osm.relation(members, type="boundary", boundary="administrative", admin_level="8", name=name)
    stops = [
        osm.node(lon, 27.0004, highway="bus_stop", name=f"S{k}")
        for k, lon in enumerate((100.0, 100.06, 100.121, 100.2))
    ]
    osm.relation([("node", stop, "stop") for stop in stops], type="route", route="bus", ref="7")
    osm.node(100.05, 27.04, aeroway="helipad", name="Pad")
    osm.box(100.08, 27.06, 100.081, 27.061, power="substation")
    osm.box(100.22, 27.02, 100.24, 27.04, boundary="protected_area", name="Park")
    return osm
