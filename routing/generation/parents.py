"""Which town a village belongs to, and which village or town a group: administrative seat first, then road time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import shapely

from geodata.location import Level, great_circle_m
from geodata.matrix import TravelMatrix
from geodata.osm_features import OsmBoundary, OsmPlace
from routing.generation.population import plain_name


def choose_parents(
    places: Sequence[OsmPlace],
    levels: Mapping[str, Level],
    boundaries: Sequence[OsmBoundary],
    road: TravelMatrix,
) -> dict[str, str]:
    """Return the parent of every village and group, OSM id to OSM id.

    A village belongs to the town that is the seat of its administrative area, else to the nearest town by road time.
    A group belongs to the nearest by road time of: the town that is the seat of its area and that town's villages;
    without such a town, all towns and villages. Where no road leads, the nearest in a straight line is taken.

    Parameters
    ----------
    places, levels
        Settlements and their level by OSM id; at least one is a town.
    boundaries
        Administrative areas; those without polygon are passed over.
    road
        Road times between the places, ids are OSM ids.
    """
    by_level = {level: [place for place in places if levels[place.osm_id] is level] for level in Level}
    towns, villages = by_level[Level.TOWN], by_level[Level.VILLAGE]
    seats = _seats(places, towns, boundaries)
    parents: dict[str, str] = {}
    for village in villages:
        parents[village.osm_id] = seats.get(village.osm_id) or _nearest(village, towns, road)
    for group in by_level[Level.GROUP]:
        town = seats.get(group.osm_id)
        if town is None:
            above = [*towns, *villages]
        else:
            above = [p for p in places if p.osm_id == town or (p in villages and parents[p.osm_id] == town)]
        parents[group.osm_id] = _nearest(group, above, road)
    return parents


def _nearest(place: OsmPlace, above: Sequence[OsmPlace], road: TravelMatrix) -> str:
    """Return the candidate from which the road to the place is shortest, or the line where there is no road."""
    rows = [road.index[candidate.osm_id] for candidate in above]
    column = road.index[place.osm_id]
    lon, lat = np.array([c.lon for c in above]), np.array([c.lat for c in above])
    line_m = great_circle_m(lon, lat, np.array(place.lon), np.array(place.lat))
    # Unreachable candidates carry a huge duration, so they come last and among themselves by straight line.
    return min(zip(road.duration_s[rows, column].tolist(), line_m.tolist(), [c.osm_id for c in above], strict=True))[2]


def _seats(places: Sequence[OsmPlace], towns: Sequence[OsmPlace], boundaries: Sequence[OsmBoundary]) -> dict[str, str]:
    """Return the town that is the seat of the smallest administrative area around each place, where there is one.

    An area counts only if it is a town's: not if it holds the seat of a smaller one, or all of several towns (then
    it is the county or the country, whose seat says nothing about villages).
    """
    areas: list[tuple[float, str, npt.NDArray[np.bool_], set[str]]] = []
    lon, lat = np.array([p.lon for p in places]), np.array([p.lat for p in places])
    for boundary in boundaries:
        if boundary.polygon is None:
            continue
        within = shapely.contains_xy(boundary.polygon, lon, lat)
        held = {places[k].osm_id for k in np.flatnonzero(within).tolist()} & {town.osm_id for town in towns}
        seat = _seat_town(boundary, [town for town in towns if town.osm_id in held], towns)
        if seat is not None and not (len(towns) > 1 and len(held) == len(towns)):
            areas.append((boundary.polygon.area, seat, within, held))
    areas.sort(key=lambda area: (area[0], area[1]))
    found: dict[str, str] = {}
    seats_so_far: set[str] = set()
    for _, seat, within, held in areas:
        if seats_so_far & (held - {seat}):
            continue
        seats_so_far.add(seat)
        for k in np.flatnonzero(within).tolist():
            found.setdefault(places[k].osm_id, seat)
    return found


def _seat_town(boundary: OsmBoundary, held: Sequence[OsmPlace], towns: Sequence[OsmPlace]) -> str | None:
    """Return the seat: the member tagged so, else the labelled town, else the area's namesake, else its only town."""
    ids = {town.osm_id for town in towns}
    for member in (boundary.seat, boundary.label):
        if member is not None and member in ids:
            return member
    namesakes = [town for town in held if boundary.name and plain_name(town.name) == plain_name(boundary.name)]
    if namesakes:
        return min(namesake.osm_id for namesake in namesakes)
    return held[0].osm_id if len(held) == 1 else None
