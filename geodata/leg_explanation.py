"""Why a leg takes what it takes: its roads one by one, with length, climb, grade, curves, surface, seconds and Wh.

The time of each stretch is split by what slows it: what it would take at the free speed of its class of road, and what
grade, posted limit, curves and surface add, one after the other. The parts add up to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Protocol

import numpy as np

from geodata.location import FloatArray, great_circle_m
from geodata.osm_tags import HIGHWAYS, SURFACES
from geodata.paths import fastest_edges, find_paths, path_geometry
from geodata.profiles import EdgeCosts, EdgeFactors, Profile, edge_costs, edge_factors
from geodata.street_matrix import Snap, snap
from geodata.streets import BoolArray, IntArray, StreetNetwork

CAUSES = ("grade", "limit", "curves", "surface")
"""What slows a stretch below the free speed of its class, in the order in which it is reckoned."""
BEND_M = 60.0
"""Radius below which a stretch of road counts as a bend (design minimum at 40 km/h, domain notes 2d)."""
BINDS_FROM = 0.05
"""Share of a stretch's time from which on a cause is named as the one that binds."""


@dataclass(frozen=True, slots=True)
class LegSegment:
    """One stretch of a leg on one road.

    Parameters
    ----------
    name, highway, surface
        Name of the road ("" unnamed), its class, and the surface of most of its length.
    climb_m, descent_m
        Metres up and down, both positive, never netted out.
    steepest_up, steepest_down
        Grades (rise over run) of at least 30 m of road; 0 where it does not go up or down, `steepest_down` ≤ 0.
    bends, least_radius_m
        Bends of a radius below `BEND_M`, and the tightest radius (inf: straight).
    free_s, added_s
        Seconds at the free speed of the class, and what each of `CAUSES` adds: together `duration_s`.
    binds
        What most slows it: one of `CAUSES`, or ``class`` where nothing does noticeably.
    """

    name: str
    highway: str
    surface: str
    length_m: float
    climb_m: float
    descent_m: float
    steepest_up: float
    steepest_down: float
    bends: int
    least_radius_m: float
    duration_s: float
    energy_wh: float
    free_s: float
    added_s: tuple[float, ...]
    binds: str
    line: FloatArray
    """Lon, lat, road height; shape (k, 3)."""

    @property
    def speed_kmh(self) -> float:
        """Mean speed."""
        return 3.6 * self.length_m / self.duration_s


@dataclass(frozen=True, slots=True)
class LegExplanation:
    """A leg and its stretches; `duration_s` and the other totals equal the travel matrix's entry.

    `walk_s` are the seconds walked between road and door at both ends, part of `duration_s`. `straight_m` is the
    distance as the crow flies between the two ends on the road. `load_kg` are the goods aboard that `energy_wh` is for.
    """

    profile_id: str
    nodes: tuple[int, ...]
    duration_s: int
    distance_m: int
    energy_wh: float
    walk_m: float
    walk_s: float
    straight_m: float
    segments: tuple[LegSegment, ...]
    load_kg: float

    @property
    def climb_m(self) -> float:
        """Metres up, in total."""
        return sum(segment.climb_m for segment in self.segments)

    @property
    def descent_m(self) -> float:
        """Metres down, in total."""
        return sum(segment.descent_m for segment in self.segments)

    @property
    def free_s(self) -> float:
        """Seconds at free speed, in total."""
        return sum(segment.free_s for segment in self.segments)

    @property
    def added_s(self) -> dict[str, float]:
        """Seconds each cause adds, in total."""
        return {cause: sum(segment.added_s[k] for segment in self.segments) for k, cause in enumerate(CAUSES)}


@dataclass(frozen=True, slots=True)
class NoLeg:
    """Why there is no leg: which end is not tied to the profile's roads, or that no way leads across."""

    reason: str


class StreetArea(Protocol):
    """What `explain_site_leg` needs of an area."""

    @property
    def streets(self) -> StreetNetwork:
        """The street network."""
        ...

    def closed_today(self, profile: Profile, from_s: int, until_s: int) -> BoolArray:
        """Return the edges closed to a profile at some moment of [from_s, until_s) that day, shape (m,)."""
        ...


def explain_site_leg(
    area: StreetArea,
    start: tuple[float, float],
    end: tuple[float, float],
    profile: Profile,
    hours_s: tuple[int, int],
    *,
    load_kg: float | None = None,
) -> LegExplanation | NoLeg:
    """Return the explanation of the leg between two places (lon, lat) on the area's service day.

    Parameters
    ----------
    hours_s
        First and last second of work: roads closed at some moment of them are closed, as in the travel matrix.
    load_kg
        Goods aboard, for the energy; None: the profile's usual load, which the travel matrix assumes.
    """
    costs = edge_costs(area.streets, profile, area.closed_today(profile, *hours_s), load_kg=load_kg)
    lon, lat = (np.array(values, dtype=np.float64) for values in zip(start, end, strict=True))
    snapped = snap(area.streets, costs, profile, lon, lat)
    return explain_leg(area.streets, profile, costs, snapped, 0, 1, load_kg=load_kg)


def explain_leg(
    network: StreetNetwork,
    profile: Profile,
    costs: EdgeCosts,
    snapped: Snap,
    start: int,
    end: int,
    *,
    load_kg: float | None = None,
) -> LegExplanation | NoLeg:
    """Return the explanation of the leg between two places.

    Parameters
    ----------
    costs
        Of that profile on that day.
    snapped
        The places, as for the travel matrix.
    start, end
        Indices into `snapped`.
    load_kg
        The load the costs were made with; None: the profile's usual one.
    """
    for place, word in ((start, "start"), (end, "destination")):
        if snapped.node[place] < 0:
            return NoLeg(f"The {word} has no road {profile.id} can use within {profile.max_snap_m:g} m.")
    path = find_paths(network, costs, snapped, [(start, end)])[0]
    if path is None:
        return NoLeg(f"No way leads from start to destination for {profile.id}.")
    edges = fastest_edges(network, costs, path.nodes)
    factors = edge_factors(network, profile)
    first, last = (network.node_xy_m[snapped.node[place]] for place in (start, end))
    return LegExplanation(
        profile_id=profile.id,
        nodes=path.nodes,
        duration_s=path.duration_s,
        distance_m=path.distance_m,
        energy_wh=path.energy_wh,
        walk_m=float(snapped.access_m[start] + snapped.access_m[end]),
        walk_s=float(snapped.access_s[start] + snapped.access_s[end]),
        straight_m=float(np.hypot(*(last - first))),
        segments=tuple(_segment(network, costs, factors, run) for run in _stretches(network, edges)),
        load_kg=profile.energy.load_kg if load_kg is None else load_kg,
    )


def _stretches(network: StreetNetwork, edges: IntArray) -> list[IntArray]:
    """Return the edges cut where name or class of the road changes."""
    road = list(zip(network.edge_name[edges].tolist(), network.edge_highway[edges].tolist(), strict=True))
    runs = groupby(range(edges.size), key=road.__getitem__)
    return [edges[np.fromiter(members, dtype=np.int64)] for _, members in runs]


def _segment(network: StreetNetwork, costs: EdgeCosts, factors: EdgeFactors, edges: IntArray) -> LegSegment:
    length = network.edge_length_m[edges]
    rise = network.edge_grade[edges] * length
    steps = _speed_steps_kmh(factors, edges)
    seconds = [float((3.6 * length / kmh).sum()) for kmh in steps]
    added = tuple(after - before for before, after in pairwise(seconds))
    duration = float(costs.duration_s[edges].sum())
    worst = max(range(len(CAUSES)), key=added.__getitem__)
    surfaces = np.bincount(network.edge_surface[edges], weights=length)
    bend = network.edge_radius_m[edges] < BEND_M
    nodes = np.concatenate([network.edge_from[edges[:1]], network.edge_to[edges]])
    up, down = _steepest(length, rise)
    return LegSegment(
        name=network.names[int(network.edge_name[edges[0]])],
        highway=HIGHWAYS[int(network.edge_highway[edges[0]])],
        surface=SURFACES[int(surfaces.argmax())],
        length_m=float(length.sum()),
        climb_m=float(np.maximum(rise, 0.0).sum()),
        descent_m=float(np.maximum(-rise, 0.0).sum()),
        steepest_up=up,
        steepest_down=down,
        bends=int(bend[0]) + int((bend[1:] & ~bend[:-1]).sum()),
        least_radius_m=float(network.edge_radius_m[edges].min()),
        duration_s=duration,
        energy_wh=float(costs.energy_wh[edges].sum()),
        free_s=seconds[0],
        added_s=added,
        binds=CAUSES[worst] if added[worst] > BINDS_FROM * duration else "class",
        line=path_geometry(network, network.node_id[nodes].tolist()),
    )


def _speed_steps_kmh(factors: EdgeFactors, edges: IntArray) -> list[FloatArray]:
    """Return the free speed, then the speed after each of `CAUSES`; the last is the edge's speed."""
    free = factors.class_kmh[edges]
    graded = free * factors.grade_factor[edges]
    after_curves = factors.speed_kmh[edges] / factors.surface_factor[edges]
    # Walkers keep a least pace however steep it is: their last step then lies above what grade alone would leave.
    before_curves = np.maximum(np.minimum(graded, factors.posted_kmh[edges]), after_curves)
    before_limit = np.maximum(graded, before_curves)
    return [free, before_limit, before_curves, after_curves, factors.speed_kmh[edges]]


def _steepest(length_m: FloatArray, rise_m: FloatArray) -> tuple[float, float]:
    """Return the steepest grade up and down over at least 30 m of road, or over all of it where it is shorter."""
    distance = np.concatenate([[0.0], np.cumsum(length_m)])
    height = np.concatenate([[0.0], np.cumsum(rise_m)])
    window = min(30.0, float(distance[-1]))
    at = distance[distance <= distance[-1] - window + 1e-9]
    grade = (np.interp(at + window, distance, height) - np.interp(at, distance, height)) / window
    return max(0.0, float(grade.max())), min(0.0, float(grade.min()))


def leg_text(leg: LegExplanation) -> str:
    """Return the explanation as a table for people."""
    detour = leg.distance_m / leg.straight_m if leg.straight_m > 0 else 1.0
    added = "".join(f", {cause} +{_clock(seconds)}" for cause, seconds in leg.added_s.items() if seconds >= 1.0)
    walked = f", walked at the ends {leg.walk_m:.0f} m {_clock(leg.walk_s)}" if leg.walk_s >= 1.0 else ""
    head = (
        f"{leg.profile_id}: {_clock(leg.duration_s)} for {leg.distance_m / 1000:.1f} km "
        f"({leg.straight_m / 1000:.1f} km in a straight line, {detour:.1f} times as far), "
        f"up {leg.climb_m:.0f} m, down {leg.descent_m:.0f} m, {leg.energy_wh:.0f} Wh"
    ) + (f" with {leg.load_kg:.0f} kg of goods" if leg.energy_wh else "")
    columns = (
        f"{'road':<28}{'class':<14}{'surface':<10}{'m':>7}{'up':>6}{'down':>6}{'grade %':>13}{'bends':>6}"
        f"{'min R':>7}{'s':>7}{'km/h':>6}{'Wh':>8}  binds"
    )
    lines = [head, f"free speed of the roads {_clock(leg.free_s)}{added}{walked}", "", columns]
    for part in leg.segments:
        radius = "-" if not np.isfinite(part.least_radius_m) else f"{part.least_radius_m:.0f}"
        grades = f"{100 * part.steepest_up:+.1f}/{100 * part.steepest_down:+.1f}"
        lines.append(
            f"{part.name[:27]:<28}{part.highway:<14}{part.surface:<10}{part.length_m:>7.0f}{part.climb_m:>6.0f}"
            f"{part.descent_m:>6.0f}{grades:>13}{part.bends:>6}{radius:>7}{part.duration_s:>7.0f}"
            f"{part.speed_kmh:>6.0f}{part.energy_wh:>8.0f}  {part.binds}"
        )
    return "\n".join(lines)


def leg_geojson(leg: LegExplanation) -> dict[str, object]:
    """Return a GeoJSON FeatureCollection: lines with heights; totals and elevation profile beside them.

    The member ``elevation_profile`` lists [metres from the start, metres above sea level] of each node.
    """
    features, profile, distance = [], [], 0.0
    for part in leg.segments:
        along = distance + _metres_along(part.line) * (part.length_m / max(_metres_along(part.line)[-1], 1e-9))
        profile += [[round(float(at), 1), round(float(up), 1)] for at, up in zip(along, part.line[:, 2], strict=True)]
        distance += part.length_m
        properties: dict[str, object] = {
            "name": part.name,
            "highway": part.highway,
            "surface": part.surface,
            "length_m": round(part.length_m, 1),
            "climb_m": round(part.climb_m, 1),
            "descent_m": round(part.descent_m, 1),
            "steepest_up": round(part.steepest_up, 4),
            "steepest_down": round(part.steepest_down, 4),
            "bends": part.bends,
            "least_radius_m": None if not np.isfinite(part.least_radius_m) else round(part.least_radius_m, 1),
            "duration_s": round(part.duration_s, 1),
            "energy_wh": round(part.energy_wh, 1),
            "free_s": round(part.free_s, 1),
            **{f"{cause}_s": round(seconds, 1) for cause, seconds in zip(CAUSES, part.added_s, strict=True)},
            "binds": part.binds,
        }
        line = [[round(float(lon), 7), round(float(lat), 7), round(float(up), 1)] for lon, lat, up in part.line]
        geometry = {"type": "LineString", "coordinates": line}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {
        "type": "FeatureCollection",
        "features": features,
        "profile": leg.profile_id,
        "duration_s": leg.duration_s,
        "distance_m": leg.distance_m,
        "energy_wh": round(leg.energy_wh, 1),
        "load_kg": leg.load_kg,
        "walk_s": round(leg.walk_s, 1),
        "elevation_profile": profile,
    }


def _metres_along(line: FloatArray) -> FloatArray:
    steps = great_circle_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
    return np.concatenate([[0.0], np.cumsum(steps)])


def _clock(seconds: float) -> str:
    """Return ``h:mm:ss`` or ``m:ss``."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
