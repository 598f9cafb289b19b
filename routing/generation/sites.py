"""The four levels of sites from the places of a map: county hub, town stations, village points, group drops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from geodata.errors import Fault, InputError
from geodata.location import FloatArray, Level, Site, great_circle_m
from geodata.matrix import TravelMatrix
from geodata.osm_features import PLACE_KINDS, OsmBoundary, OsmFeatures, OsmPlace
from routing.generation.pads import PAD_REACH_M, choose_pads
from routing.generation.parents import choose_parents
from routing.generation.population import DEFAULT_POPULATION, Population

LEVEL_OF_KIND: Mapping[str, Level] = {
    "city": Level.TOWN,
    "town": Level.TOWN,
    "village": Level.VILLAGE,
    "hamlet": Level.GROUP,
    "isolated_dwelling": Level.GROUP,
    "farm": Level.GROUP,
}

CHILLED_VILLAGE_SHARE = 1 / 3
"""Share of villages, the most populous, with a cold box. Assumed; about the cold-chain share of domain notes 1.3."""


_DEFAULTS: Mapping[Level, dict[str, Any]] = {
    Level.COUNTY: {
        "opens_s": 5 * 3600,
        "closes_s": 21 * 3600,
        "handling_s": 180,
        "store_ambient_kg": 50_000.0,
        "store_chilled_kg": 3_000.0,
        "store_frozen_kg": 1_500.0,
    },
    Level.TOWN: {
        "opens_s": 6 * 3600,
        "closes_s": 20 * 3600,
        "handling_s": 300,
        "store_ambient_kg": 5_000.0,
        "store_chilled_kg": 400.0,
        "store_frozen_kg": 150.0,
    },
    Level.VILLAGE: {"opens_s": 7 * 3600, "closes_s": 20 * 3600, "handling_s": 300, "store_ambient_kg": 600.0},
    Level.GROUP: {"opens_s": 6 * 3600, "closes_s": 21 * 3600, "handling_s": 120},
}
"""Hours, handling and store room by level. Assumed: the hub sorts from 06:00 (domain notes 5), a village point is a
shop, a group drop is a doorstep without a store."""


@dataclass(frozen=True)
class Network:
    """Sites of all levels with what a reader should know of how they came to be.

    `roadless` are site ids no vehicle of the reference profile reaches; `notes` are sentences for the report.
    """

    sites: tuple[Site, ...]
    hub_id: str
    place_of: Mapping[str, str]
    """OSM id of the place by site id."""
    roadless: tuple[str, ...]
    pads: tuple[str, ...]
    notes: tuple[str, ...]


def usable_places(features: OsmFeatures, file: str) -> tuple[OsmPlace, ...]:
    """Return the settlements to build on: place nodes, or where a map has none, places mapped as areas.

    Raises
    ------
    InputError
        If the extract has no settlement at all (NO_PLACES).
    """
    nodes = tuple(place for place in features.places if place.osm_id.startswith("n"))
    places = nodes or features.places
    if not places:
        reason = "The extract has no settlement"
        remedy = f"Give an extract with places tagged place={', '.join(PLACE_KINDS)}, or a larger area."
        raise InputError([Fault("NO_PLACES", file, reason, remedy)])
    return places


def choose_hub(places: Sequence[OsmPlace], people: Mapping[str, Population]) -> tuple[OsmPlace, str]:
    """Return the place of the county hub and why it was chosen.

    The most populous place, where a population is known for at least one city or town (or for any place, if there is
    none of them); unknown populations count as assumed by kind. Where nothing is known: the capital, else the
    greatest kind of place, else the place with most others within 10 km; equals by capital, kind and OSM id.
    """
    top_kind = min(_rank(place) for place in places)
    towns = [place for place in places if LEVEL_OF_KIND[place.kind] is Level.TOWN] or list(places)
    if any(people[place.osm_id].source != "assumed" for place in towns):
        hub = min(places, key=lambda p: (-people[p.osm_id].people, not _is_capital(p), _rank(p), p.osm_id))
        return hub, f"the most populous place, {people[hub.osm_id].people} people ({people[hub.osm_id].source})"
    capitals = [place for place in places if _is_capital(place)]
    if capitals:
        hub = min(capitals, key=lambda p: (_capital_rank(p), _rank(p), p.osm_id))
        return hub, "tagged as capital (no town's population is known)"
    lon, lat = np.array([p.lon for p in places]), np.array([p.lat for p in places])
    greatest = [place for place in places if _rank(place) == top_kind]
    hub = min(greatest, key=lambda p: (-int((_metres(p, lon, lat) <= 10_000).sum()), p.osm_id))
    return hub, f"the {hub.kind} with most places within 10 km (no population is known)"


def _rank(place: OsmPlace) -> int:
    """Return 0 for the greatest kind of place, and up."""
    return PLACE_KINDS.index(place.kind)


def _is_capital(place: OsmPlace) -> bool:
    return place.capital not in (None, "no")


def _capital_rank(place: OsmPlace) -> int:
    """``capital=yes`` is a country's; a number is the admin level it is the capital of."""
    return int(place.capital) if place.capital is not None and place.capital.isdigit() else 2


def _metres(place: OsmPlace, lon: FloatArray, lat: FloatArray) -> FloatArray:
    return great_circle_m(np.array(place.lon), np.array(place.lat), lon, lat)


def build_network(
    places: Sequence[OsmPlace],
    boundaries: Sequence[OsmBoundary],
    people: Mapping[str, Population],
    road: TravelMatrix,
    barred: BaseGeometry | None = None,
) -> Network:
    """Make the sites of all levels with parents, hours, stores and drone pads.

    Parameters
    ----------
    places
        Settlements; the hub's place becomes two sites, the county hub and a town station.
    boundaries
        Administrative areas, for parents.
    people
        Population by OSM id, of every place.
    road
        Road times between the places by a reference vehicle, ids are OSM ids.
    barred
        Area in degrees where no drone may start; None for none.
    """
    hub, why = choose_hub(places, people)
    levels = {place.osm_id: LEVEL_OF_KIND[place.kind] for place in places}
    notes = [f"The county hub is {_called(hub)} ({hub.osm_id}): {why}."]
    if Level.TOWN not in levels.values():
        notes.append(f"The map has no city or town: {_called(hub)} serves as the only town station.")
    levels[hub.osm_id] = Level.TOWN
    parents = choose_parents(places, levels, boundaries, road)
    sites = [_site(hub, Level.COUNTY, None, 0)]
    for level in (Level.TOWN, Level.VILLAGE, Level.GROUP):
        for place in sorted((p for p in places if levels[p.osm_id] is level), key=_id_order):
            parent = (
                sites[0].id if level is Level.TOWN else site_id(parents[place.osm_id], levels[parents[place.osm_id]])
            )
            sites.append(_site(place, level, parent, people[place.osm_id].people))
    place_of = {site.id: site.id.rpartition("-")[0] for site in sites}
    from_hub = road.reachable[road.index[hub.osm_id]] & road.reachable[:, road.index[hub.osm_id]]
    roadless = tuple(site.id for site in sites if not from_hub[road.index[place_of[site.id]]])
    pads = choose_pads(sites, frozenset(roadless), barred)
    sites = _with_chilled_villages([replace(site, drone_pads=2) if site.id in pads else site for site in sites])
    notes.extend(_notes(sites, people, place_of, roadless, pads))
    return Network(tuple(sites), sites[0].id, place_of, roadless, pads, tuple(notes))


def site_id(osm_id: str, level: Level) -> str:
    """Return the id of a site: OSM id and level, for names repeat and one place may carry two sites."""
    return f"{osm_id}-{level.value}"


def _id_order(place: OsmPlace) -> tuple[str, int, str]:
    return place.osm_id[0], len(place.osm_id), place.osm_id


def _called(place: OsmPlace) -> str:
    return place.name or f"{place.kind.replace('_', ' ')} {place.osm_id}"


def _site(place: OsmPlace, level: Level, parent: str | None, people: int) -> Site:
    """Return a site with the hours, handling and stores of its level; the hub's people live at its town station."""
    site = Site(
        id=site_id(place.osm_id, level),
        name=_called(place),
        level=level,
        lon=place.lon,
        lat=place.lat,
        parent=parent,
        population=people,
        synthetic=True,
    )
    return replace(site, **_DEFAULTS[level])


def _with_chilled_villages(sites: Sequence[Site]) -> list[Site]:
    """Give the most populous villages a cold box."""
    villages = sorted((s for s in sites if s.level is Level.VILLAGE), key=lambda s: (-s.population, s.id))
    chosen = {site.id for site in villages[: round(len(villages) * CHILLED_VILLAGE_SHARE)]}
    return [replace(site, store_chilled_kg=60.0) if site.id in chosen else site for site in sites]


def _notes(
    sites: Sequence[Site],
    people: Mapping[str, Population],
    place_of: Mapping[str, str],
    roadless: Sequence[str],
    pads: Sequence[str],
) -> list[str]:
    names = {site.id: site.name for site in sites}
    count = {level: sum(site.level is level for site in sites) for level in Level}
    known = {
        source: sum(figure.source == source for figure in people.values()) for source in ("file", "map", "assumed")
    }
    assumed = ", ".join(f"{kind} {number}" for kind, number in DEFAULT_POPULATION.items())
    notes = [
        f"Sites: {', '.join(f'{count[level]} {level.value}' for level in Level)}.",
        f"Population: {known['file']} places from the file, {known['map']} from the map, {known['assumed']} assumed.",
        f"Assumed population by kind of place: {assumed}.",
    ]
    if roadless:
        notes.append(
            f"No van reaches these {len(roadless)} sites; they are left to drones and walkers: "
            f"{', '.join(f'{names[site]} ({place_of[site]})' for site in roadless)}."
        )
    if pads:
        notes.append(
            f"Drone pads at {' and '.join(names[pad] for pad in pads)}: most places within {PAD_REACH_M:.0f} m."
        )
    else:
        notes.append("No drone pads: every town lies where drones may not start, or no place is in reach of one.")
    return notes
