"""How each site is tied to the roads: how far, to which part of the network, who cannot get there and what to mend.

A site without a road is a normal case: walkers and drones serve it. The report says so and is no error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from geodata.location import FloatArray, Level, Site
from geodata.profiles import EdgeCosts, Profile, edge_costs, permissions
from geodata.street_matrix import snap, strong_parts
from geodata.streets import BoolArray, IntArray, StreetNetwork

ROAD_SEARCH_M = 5_000.0
"""Beyond this distance a site simply has no road."""
_REMEDIES = {
    "access": "check access tags, barriers and one-way tags there, or give the profile that kind of access",
    "class": "give the profile a speed for that class of road, or use another vehicle",
    "surface": "use a vehicle for that surface",
    "track grade": "raise the profile's max_tracktype or use another vehicle",
    "grade": "raise the profile's max_grade or use another vehicle",
    "width": "use a narrower vehicle",
    "height": "use a lower vehicle",
    "weight": "use a lighter vehicle",
    "axle load": "use a vehicle with less load on its axles",
    "closed": "the road is closed that day",
}


@dataclass(frozen=True, slots=True)
class ProfileAccess:
    """How one profile gets to one site.

    Parameters
    ----------
    status
        ``reached``: tied to the main part of the network; ``cut_off``: tied to a part of its own; ``barred``: there is
        a road near enough, but not for this profile; ``too_far``: the nearest road is farther than `max_snap_m`;
        ``no_road``: none within `ROAD_SEARCH_M`.
    distance_m
        To the node it is tied to; nan where it is tied to none.
    part_nodes
        Nodes of the part of the network it is tied to.
    barred_by
        What keeps the profile off the nearest road (keys of `permissions`, or ``closed``).
    remedy
        What to mend; "" where it is reached.
    """

    profile_id: str
    status: str
    distance_m: float
    part_nodes: int
    barred_by: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class SiteAccess:
    """How one site is tied to the streets.

    `road_m` is the distance to the nearest point where a motor road has a node, inf beyond `ROAD_SEARCH_M`; `road_way`
    the OSM way there, 0 for none.
    """

    site_id: str
    name: str
    level: str
    road_m: float
    road_way: int
    profiles: tuple[ProfileAccess, ...]


def site_access(
    network: StreetNetwork,
    sites: Sequence[Site],
    profiles: Sequence[Profile],
    closed: Mapping[str, BoolArray] | None = None,
) -> tuple[SiteAccess, ...]:
    """Return how each site is tied to the roads of each profile.

    Parameters
    ----------
    closed
        Edges closed that day by profile key, shape (m,) each; absent: none.
    """
    lon = np.array([site.lon for site in sites], dtype=np.float64)
    lat = np.array([site.lat for site in sites], dtype=np.float64)
    x_y = np.column_stack(network.frame.to_metres(lon, lat))
    road_m, road_edges = _nearest_roads(network, x_y)
    columns = [
        _of_profile(network, profile, (closed or {}).get(profile.key), (lon, lat), road_m, road_edges)
        for profile in profiles
    ]
    found = []
    for k, site in enumerate(sites):
        way = int(network.edge_way_id[road_edges[k][0]]) if road_edges[k].size else 0
        rows = tuple(column[k] for column in columns)
        found.append(SiteAccess(site.id, site.name, site.level.value, float(road_m[k]), way, rows))
    return tuple(found)


def _nearest_roads(network: StreetNetwork, x_y: FloatArray) -> tuple[FloatArray, list[IntArray]]:
    """Return metres to the nearest node of a motor road (inf: none), and the edges that leave it or lead there."""
    motor = network.edge_motor > 0
    nodes = np.unique(np.concatenate([network.edge_from[motor], network.edge_to[motor]]))
    if nodes.size == 0:
        return np.full(x_y.shape[0], np.inf), [np.empty(0, dtype=np.int64)] * x_y.shape[0]
    distance, place = cKDTree(network.node_xy_m[nodes]).query(x_y, distance_upper_bound=ROAD_SEARCH_M)
    edges: list[IntArray] = []
    for metres, index in zip(np.asarray(distance).tolist(), np.asarray(place).tolist(), strict=True):
        here: IntArray = np.empty(0, dtype=np.int64)
        if np.isfinite(metres):
            node = int(nodes[index])
            here = np.concatenate([network.edges_out_of(node), network.edges_into(node)])
            here = here[motor[here]]
        edges.append(here)
    return np.asarray(distance, dtype=np.float64), edges


def _of_profile(
    network: StreetNetwork,
    profile: Profile,
    closed: BoolArray | None,
    lon_lat: tuple[FloatArray, FloatArray],
    road_m: FloatArray,
    road_edges: Sequence[IntArray],
) -> list[ProfileAccess]:
    costs = edge_costs(network, profile, closed)
    joined = snap(network, costs, profile, *lon_lat)
    part = strong_parts(network, costs)
    sizes = np.bincount(part)
    largest = int(sizes.argmax())
    rules = {**permissions(network, profile), **({} if closed is None else {"closed": ~closed})}
    found = []
    for node, metres, to_road_m, edges in zip(
        joined.node.tolist(), joined.access_m.tolist(), road_m.tolist(), road_edges, strict=True
    ):
        if node < 0:
            found.append(_not_tied(network, profile, costs, to_road_m, edges, rules))
            continue
        cut_off = part[node] != largest
        where = f"the road at OSM node {network.node_id[node]} does not join the main network: check it there"
        status, remedy = ("cut_off", where) if cut_off else ("reached", "")
        found.append(ProfileAccess(profile.id, status, metres, int(sizes[part[node]]), (), remedy))
    return found


def _not_tied(
    network: StreetNetwork,
    profile: Profile,
    costs: EdgeCosts,
    road_m: float,
    edges: IntArray,
    rules: Mapping[str, BoolArray],
) -> ProfileAccess:
    """Return why a profile finds no node at a site."""
    if edges.size == 0:
        remedy = "no road near: walkers or drones may serve it, or draw the road in the map"
        return ProfileAccess(profile.id, "no_road", np.nan, 0, (), remedy)
    if road_m > profile.max_snap_m:
        remedy = (
            f"the nearest road is {road_m:.0f} m away, farther than goods are carried from the vehicle: "
            "let walkers or drones serve it, or move the site to the road"
        )
        return ProfileAccess(profile.id, "too_far", np.nan, 0, (), remedy)
    barred_by = tuple(name for name, allowed in rules.items() if not allowed[edges].any())
    way = int(network.edge_way_id[edges[0]])
    remedy = "; ".join(_REMEDIES[name] for name in barred_by)
    if not barred_by and np.isfinite(costs.duration_s[edges]).any():
        remedy = "it is a motorway, tunnel or ferry, or open in one direction only: check one-way tags and restrictions"
    elif not barred_by:
        remedy = "no single road there suits the vehicle in all respects"
    return ProfileAccess(profile.id, "barred", np.nan, 0, barred_by, f"OSM way {way}: {remedy}")


ACCESS_COLUMNS = (
    "site_id", "name", "level", "road_m", "road_way", "profile", "status", "distance_m", "part_nodes", "barred_by",
    "remedy",
)  # fmt: skip
"""Columns of `access_rows`."""


def access_rows(report: Sequence[SiteAccess]) -> list[tuple[str, ...]]:
    """Return the report as a table, a row for each site and profile; distances that are not known are blank."""
    return [
        (
            site.site_id,
            site.name,
            site.level,
            _metres(site.road_m),
            str(site.road_way or ""),
            entry.profile_id,
            entry.status,
            _metres(entry.distance_m),
            str(entry.part_nodes),
            " ".join(entry.barred_by),
            entry.remedy,
        )
        for site in report
        for entry in site.profiles
    ]


def _metres(metres: float) -> str:
    return f"{metres:.1f}" if np.isfinite(metres) else ""


def unreached_by_level(report: Sequence[SiteAccess]) -> dict[str, dict[str, int]]:
    """Return how many sites of each level each profile does not reach: level, then profile id."""
    levels = [level.value for level in Level]
    found: dict[str, dict[str, int]] = {}
    for level in levels:
        sites = [site for site in report if site.level == level]
        if sites:
            ids = [entry.profile_id for entry in sites[0].profiles]
            found[level] = {
                name: sum(site.profiles[k].status != "reached" for site in sites) for k, name in enumerate(ids)
            }
    return found


def access_text(report: Sequence[SiteAccess]) -> str:
    """Return the report for people: counts by level and profile, then a paragraph per site that lacks something."""
    lines = []
    totals = {level: sum(site.level == level for site in report) for level in unreached_by_level(report)}
    for level, counts in unreached_by_level(report).items():
        parts = [f"{name} {count}" for name, count in counts.items() if count]
        missing = "not reached by " + ", ".join(parts) if parts else "all reached by every profile"
        lines.append(f"{level}: {totals[level]} sites; {missing}")
    for site in report:
        short = [entry for entry in site.profiles if entry.status != "reached"]
        if not short:
            continue
        road = "no road" if not np.isfinite(site.road_m) else f"road at {site.road_m:.0f} m (OSM way {site.road_way})"
        lines.append(f"{site.site_id} {site.name} ({site.level}): {road}")
        by_remedy: dict[tuple[str, str], list[str]] = {}
        for entry in short:
            by_remedy.setdefault((entry.status, entry.remedy), []).append(entry.profile_id)
        lines += [f"  {status} for {', '.join(ids)}: {remedy}" for (status, remedy), ids in by_remedy.items()]
    return "\n".join(lines)
