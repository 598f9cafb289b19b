"""From a real scenario to a `Scene`: the only module of the exports that knows scenario, area and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping

from geodata.airspace import Airspace
from geodata.area import Area
from geodata.location import FloatArray, Level
from geodata.osm_tags import HIGHWAYS
from geodata.paths import path_geometry
from geodata.terrain import Terrain
from routing.export.map_roads import road_lines
from routing.export.relief import mercator_grid, shaded_relief
from routing.export.scene import PlaceInfo, Relief, RoadLine, Scene, ZoneShape
from routing.export.wording import clock
from routing.model.plan import Movement, PlanDocument, Route, Stop
from routing.scenario import Scenario

RELIEF_MARGIN = 0.6
"""How far the relief reaches beyond the plan, as a share of the plan's extent."""
MAX_RELIEF_PX = 1_100
_PX_PER_SAMPLE = 1.5
_ZONE_TOLERANCE_DEG = 2e-5
"""About 2 m: zone outlines from OSM carry more points than a map can show."""


def scene_of(document: PlanDocument, scenario: Scenario, area: Area) -> Scene:
    """Return the scene of a plan: places with heights, movements with their lines, background and credits."""
    places = _places(scenario, area.terrain)
    paths = _paths(document, places, area)
    return Scene(
        document=document,
        places=places,
        orders={order.id: order for order in scenario.orders},
        products=scenario.products,
        paths=paths,
        credits=scenario.credits,
        synthetic=scenario.synthetic,
        titles=_titles(document, area),
        set_points_c={
            (vehicle.id, compartment.id): compartment.set_point_c
            for vehicle in scenario.vehicle_types.values()
            for compartment in vehicle.compartments
            if compartment.set_point_c is not None
        },
        roads=_roads(area),
        relief=_relief(area.terrain, places, paths),
        zones=_zones(area.airspace),
    )


def _places(scenario: Scenario, terrain: Terrain) -> dict[str, PlaceInfo]:
    drops = list(scenario.drops.items())
    lon = np.array([site.lon for site in scenario.sites] + [at[0] for _, at in drops])
    lat = np.array([site.lat for site in scenario.sites] + [at[1] for _, at in drops])
    heights = _heights(terrain, lon, lat).tolist()
    found = {
        site.id: PlaceInfo(
            id=site.id,
            name=site.name,
            level=site.level,
            lon=site.lon,
            lat=site.lat,
            elevation_m=height,
            parent=site.parent,
            opens_s=site.opens_s,
            closes_s=site.closes_s,
            drone_pads=site.drone_pads,
            synthetic=site.synthetic,
        )
        for site, height in zip(scenario.sites, heights, strict=False)
    }
    for (place_id, (drop_lon, drop_lat)), height in zip(drops, heights[len(scenario.sites) :], strict=True):
        found[place_id] = PlaceInfo(place_id, place_id, Level.GROUP, drop_lon, drop_lat, height, is_drop=True)
    return found


def _titles(document: PlanDocument, area: Area) -> dict[str, str]:
    """Return short names: type and number for a carrier of a stand, line and first departure for a bus trip."""
    trips = area.timetable.trip_by_id if area.timetable is not None else {}
    lines = area.timetable.lines if area.timetable is not None else {}
    found = {}
    for route in document.routes:
        trip = trips.get(route.carrier)
        head, mark, count = route.carrier.rpartition("#")
        if route.kind == "bus" and trip is not None:
            found[route.carrier] = f"{lines[trip.line_id].name} {clock(trip.departure_s)}"
        elif mark and head == f"{route.type}@{route.base}":
            found[route.carrier] = f"{route.type} {count}"
    return found


def _heights(terrain: Terrain, lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Return ground heights; 0 where no tile covers the point, for GeoJSON has no word for an unknown height."""
    if not lon.size:
        return lon
    return np.nan_to_num(terrain.elevation_m(lon, lat), nan=0.0)


def _paths(document: PlanDocument, places: Mapping[str, PlaceInfo], area: Area) -> dict[tuple[str, int], FloatArray]:
    found = {}
    for route in document.routes:
        for position, (here, there) in enumerate(zip(route.stops, route.stops[1:], strict=False)):
            if here.movement is not None:
                ends = [_point(places[place]) for place in (here.place, there.place)]
                found[route.id, position] = _line(route, here, there, here.movement, ends, area)
    return found


def _point(place: PlaceInfo) -> list[float]:
    return [place.lon, place.lat, place.elevation_m]


def _line(route: Route, here: Stop, there: Stop, movement: Movement, ends: list[list[float]], area: Area) -> FloatArray:
    """Return the points of a movement, at least two. Street lines begin and end at the places: the walk to the door."""
    if movement.line:
        return np.asarray(movement.line, dtype=np.float64)
    if movement.kind == "street" and movement.nodes:
        return np.vstack([ends[0], path_geometry(area.streets, movement.nodes), ends[1]])
    if movement.kind == "bus":
        course = _bus_course(route, here, there, area)
        if course is not None:
            return np.column_stack([course, _heights(area.terrain, course[:, 0], course[:, 1])])
    return np.asarray(ends, dtype=np.float64)


def _bus_course(route: Route, here: Stop, there: Stop, area: Area) -> FloatArray | None:
    """Return lon and lat of a bus between two calls, None where the timetable does not know the trip or the calls."""
    timetable = area.timetable
    trip = timetable.trip_by_id.get(route.carrier) if timetable is not None else None
    if timetable is None or trip is None:
        return None
    positions = {call.sequence: position for position, call in enumerate(trip.calls)}
    first, last = positions.get(here.call or 0), positions.get(there.call or 0)
    if first is None or last is None or first >= last:
        return None
    return np.asarray(timetable.course(trip, first, last), dtype=np.float64)


def _roads(area: Area) -> tuple[RoadLine, ...]:
    streets = area.streets
    names = np.asarray(HIGHWAYS)[streets.edge_highway]
    return road_lines(names, streets.edge_from, streets.edge_to, streets.node_lon, streets.node_lat)


def _relief(
    terrain: Terrain, places: Mapping[str, PlaceInfo], paths: Mapping[tuple[str, int], FloatArray]
) -> Relief | None:
    points = [
        np.array([[place.lon, place.lat] for place in places.values()]),
        *(line[:, :2] for line in paths.values()),
    ]
    every = np.vstack([part for part in points if len(part)])
    low, high = every.min(axis=0), every.max(axis=0)
    margin = np.maximum((high - low) * RELIEF_MARGIN, 0.05)
    edges = terrain.bounds
    west, south = max(float(low[0] - margin[0]), edges[0]), max(float(low[1] - margin[1]), edges[1])
    east, north = min(float(high[0] + margin[0]), edges[2]), min(float(high[1] + margin[1]), edges[3])
    if west >= east or south >= north:
        return None
    width = min(MAX_RELIEF_PX, max(16, round((east - west) / terrain.step_lon * _PX_PER_SAMPLE)))
    lon, lat = mercator_grid(west, south, east, north, width)
    heights = terrain.elevation_m(lon.ravel(), lat.ravel()).reshape(lon.shape)
    return shaded_relief(heights, west, south, east, north)


def _zones(airspace: Airspace) -> tuple[ZoneShape, ...]:
    found = []
    for zone in airspace.zones:
        outline = shapely.set_precision(zone.geometry.simplify(_ZONE_TOLERANCE_DEG), 1e-5)
        found.append(
            ZoneShape(
                id=zone.id,
                name=zone.name,
                kind=zone.kind,
                geometry=_plain(mapping(outline)),
                floor_m=_finite(zone.floor_agl_m),
                ceiling_m=_finite(zone.ceiling_agl_m),
            )
        )
    return tuple(found)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _plain(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a GeoJSON geometry of lists, with coordinates as short as their precision."""

    def rounded(part: Any) -> Any:
        return round(part, 5) if isinstance(part, float) else [rounded(item) for item in part]

    return {"type": geometry["type"], "coordinates": rounded(geometry["coordinates"])}
