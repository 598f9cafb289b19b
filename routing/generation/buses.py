"""A bus timetable with cargo from the bus relations of a map: nothing where the map has no line.

What the map does not tell is assumed and said so: headway, hours, dwell, room for cargo (domain notes 2b).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np

from geodata.gtfs_feed import Agency, Feed, Service
from geodata.location import Level, Site, great_circle_m
from geodata.osm_features import OsmBusLine, OsmBusStop
from geodata.paths import find_paths
from geodata.profiles import EdgeCosts, Profile
from geodata.street_matrix import Snap, compute_matrix, snap
from geodata.streets import StreetNetwork
from geodata.timetable import BusStop, Call, CargoStop, CargoTrip, Line, Shape, Trip
from routing.generation.bus_lines import (
    Direction,
    DrivingTimes,
    directions,
    have_counterparts,
    headway_s,
    service_hours,
)

HEADWAY_S = 2 * 3600
"""Between departures where the line has no ``interval``: 60 to 180 min are usual [A]."""
FIRST_S, LAST_S = int(6.5 * 3600), int(17.5 * 3600)
"""Runs lie within 06:30 to 17:30 where the line has no hours: no night driving on mountain roads [F]."""
DWELL_S, CARGO_DWELL_S = 20, 60
"""Time at a stop without and with cargo handling [A]."""
WALK_WITHIN_M = 400.0
"""A site is served by stops within this straight distance."""
WALK_DETOUR, WALK_M_S = 1.4, 1.1
"""Way over straight distance, and pace with a load, between site and stop [A]."""
UNLOAD_S, CUTOFF_S, TERMINAL_UNLOAD_S, TERMINAL_CUTOFF_S = 60, 300, 180, 900
"""At stops of the hub goods take 3 min and must be there 15 min ahead [A]; on the way 1 and 5 min [A]."""
CARGO_KG, CARGO_L, LUGGAGE_SHARE = 150.0, 1_200.0, 0.1
"""A 5.99 m bus takes 150 kg and 1.2 m³; passengers' luggage takes a tenth, no market day being known [A]."""
PIECE_KG, PIECE_CM, FEE_PER_PIECE = 30.0, 100.0, 40.0
"""Largest piece, and what the bus company gets for each, in fen (domain notes 2b and 4)."""
SERVICE_ID = "runs"


@dataclass(frozen=True)
class BusPlan:
    """A feed (None without lines), the stops of each site, and sentences for the report."""

    feed: Feed | None
    stops_of_site: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class BusRoads:
    """The streets as a bus may use them."""

    network: StreetNetwork
    costs: EdgeCosts
    profile: Profile


@dataclass(frozen=True, slots=True)
class _Run:
    """One direction of one line with the stops that handle cargo for some site."""

    line: OsmBusLine
    direction: Direction
    cargo_stops: frozenset[str]

    @property
    def key(self) -> str:
        return f"{self.line.osm_id}-{self.direction.name}"


def plan_buses(
    lines: Sequence[OsmBusLine], sites: Sequence[Site], roads: BusRoads, year: int, timezone: str
) -> BusPlan:
    """Make a timetable of all bus lines of a map and tie it to the sites.

    Parameters
    ----------
    lines
        Bus relations; lines with fewer than two halts in the extract are left out.
    sites
        The network; hub, towns and villages within `WALK_WITHIN_M` of a stop are tied to the nearest stop of each
        direction of each line. Groups are not: nobody handles goods there.
    roads
        For running times and courses.
    year
        The calendar covers this year.
    timezone
        IANA name for the feed.
    """
    if not lines:
        return BusPlan(None, {}, ("The map has no bus line: the scenario has no timetable.",))
    stops = {member.stop.osm_id: member.stop for line in lines for member in line.stops}
    times = _driving_times(list(stops.values()), roads)
    counterparts = have_counterparts(lines)
    notes: list[str] = []
    found: list[tuple[OsmBusLine, Direction]] = []
    for line in lines:
        line_directions, how = directions(line, times, has_counterpart=line.osm_id in counterparts)
        found += [(line, direction) for direction in line_directions]
        notes.append(f"Bus line {line.name} ({line.osm_id}): {how}; {_schedule_note(line)}{_missing_note(line)}.")
    if not found:
        return BusPlan(None, {}, (*notes, "No bus line has two halts here: the scenario has no timetable."))
    links = _links(found, sites)
    served = frozenset(link.stop_id for link in links)
    runs = [_Run(line, direction, served & {s.osm_id for s in direction.stops}) for line, direction in found]
    feed = _feed(runs, links, _shapes(runs, stops, roads), year, timezone)
    notes += _served_notes(sites, links, runs, times, feed)
    stops_of_site = {
        site.id: tuple(dict.fromkeys(link.stop_id for link in links if link.site_id == site.id)) for site in sites
    }
    return BusPlan(feed, {site: stop_ids for site, stop_ids in stops_of_site.items() if stop_ids}, tuple(notes))


def with_bus_stops(sites: Sequence[Site], plan: BusPlan) -> tuple[Site, ...]:
    """Return the sites with their bus stops."""
    return tuple(replace(site, bus_stop_ids=plan.stops_of_site.get(site.id, ())) for site in sites)


def _driving_times(stops: Sequence[OsmBusStop], roads: BusRoads) -> DrivingTimes:
    """Return times between the stops themselves: a bus drives up to them, nobody walks the last metres."""
    snapped = _snap(stops, roads)
    return DrivingTimes(
        compute_matrix(roads.network, roads.costs, roads.profile.key, [stop.osm_id for stop in stops], snapped)
    )


def _snap(stops: Sequence[OsmBusStop], roads: BusRoads) -> Snap:
    lon, lat = np.array([stop.lon for stop in stops]), np.array([stop.lat for stop in stops])
    snapped = snap(roads.network, roads.costs, roads.profile, lon, lat)
    return replace(snapped, access_s=np.where(snapped.node >= 0, 0.0, np.nan))


def _shapes(runs: Sequence[_Run], stops: Mapping[str, OsmBusStop], roads: BusRoads) -> dict[str, Shape]:
    """Return the course of each run over the streets, straight where they do not lead from stop to stop."""
    ids = list(stops)
    index = {stop_id: k for k, stop_id in enumerate(ids)}
    legs = {(index[a.osm_id], index[b.osm_id]): None for run in runs for a, b in pairwise(run.direction.stops)}
    pairs = list(legs)
    paths = dict(
        zip(pairs, find_paths(roads.network, roads.costs, _snap(list(stops.values()), roads), pairs), strict=True)
    )
    shapes: dict[str, Shape] = {}
    for run in runs:
        course: list[tuple[float, float]] = []
        for a, b in pairwise(run.direction.stops):
            path = paths[index[a.osm_id], index[b.osm_id]]
            at = roads.network.node_index(path.nodes) if path is not None else np.array([], dtype=np.int64)
            points = [
                (a.lon, a.lat),
                *zip(roads.network.node_lon[at].tolist(), roads.network.node_lat[at].tolist(), strict=True),
                (b.lon, b.lat),
            ]
            course += [(round(lon, 7), round(lat, 7)) for lon, lat in points]
        shapes[run.key] = tuple(p for k, p in enumerate(course) if k == 0 or p != course[k - 1])
    return shapes


def _links(found: Sequence[tuple[OsmBusLine, Direction]], sites: Sequence[Site]) -> tuple[CargoStop, ...]:
    """Tie each hub, town and village to the nearest stop in reach of each direction of each line."""
    links: dict[tuple[str, str], CargoStop] = {}
    for site in sites:
        if site.level is Level.GROUP:
            continue
        for _, direction in found:
            lon, lat = (np.array([getattr(stop, axis) for stop in direction.stops]) for axis in ("lon", "lat"))
            away_m = great_circle_m(np.array(site.lon), np.array(site.lat), lon, lat)
            nearest = int(np.argmin(away_m))
            if away_m[nearest] <= WALK_WITHIN_M:
                stop_id = direction.stops[nearest].osm_id
                links[stop_id, site.id] = _cargo_stop(stop_id, site, float(away_m[nearest]))
    return tuple(links.values())


def _cargo_stop(stop_id: str, site: Site, away_m: float) -> CargoStop:
    walk_s = math.ceil(away_m * WALK_DETOUR / WALK_M_S)
    is_hub = site.level is Level.COUNTY
    return CargoStop(
        stop_id=stop_id,
        site_id=site.id,
        board_s=walk_s + (TERMINAL_UNLOAD_S if is_hub else UNLOAD_S),
        cutoff_s=walk_s + (TERMINAL_CUTOFF_S if is_hub else CUTOFF_S),
    )


def _feed(
    runs: Sequence[_Run], links: tuple[CargoStop, ...], shapes: Mapping[str, Shape], year: int, timezone: str
) -> Feed:
    companies = {_company(run.line): f"a{k}" for k, run in enumerate(_first_runs(runs), start=1)}
    lines = {run.line.osm_id: run.line for run in runs}
    trips = tuple(trip for run in runs for trip in _trips(run))
    stops = {stop.osm_id: stop for run in runs for stop in run.direction.stops}
    return Feed(
        agencies=tuple(Agency(key, name, "https://www.openstreetmap.org", timezone) for name, key in companies.items()),
        stops=tuple(BusStop(s.osm_id, s.name or f"stop {s.osm_id}", s.lon, s.lat) for s in stops.values()),
        lines=tuple(
            Line(line.osm_id, line.name, line.tags.get("name", ""), companies[_company(line)], _company(line))
            for line in lines.values()
        ),
        services=tuple(sorted((_service(line, year) for line in lines.values()), key=lambda service: service.id)),
        trips=trips,
        shapes=shapes,
        cargo_trips=tuple(
            CargoTrip(
                trip_id=trip.id,
                max_kg=CARGO_KG,
                max_l=CARGO_L,
                max_piece_kg=PIECE_KG,
                max_longest_cm=PIECE_CM,
                fee_per_piece=FEE_PER_PIECE,
            ).with_luggage(LUGGAGE_SHARE)
            for trip in trips
        ),
        cargo_stops=links,
        publisher="Shanlu: synthetic timetable on the bus lines of OpenStreetMap",
        version=f"{year}",
        synthetic=True,
    )


def _first_runs(runs: Sequence[_Run]) -> list[_Run]:
    """Return the first run of each company."""
    first: dict[str, _Run] = {}
    for run in runs:
        first.setdefault(_company(run.line), run)
    return list(first.values())


def _company(line: OsmBusLine) -> str:
    return line.tags.get("operator") or line.tags.get("network") or "Bus company"


def _service(line: OsmBusLine, year: int) -> Service:
    hours = service_hours(line.tags)
    weekdays = hours.weekdays if hours is not None else (True,) * 7
    return Service(f"{SERVICE_ID}-{line.osm_id}", weekdays, date(year, 1, 1), date(year, 12, 31))


def _trips(run: _Run) -> list[Trip]:
    """Return the runs of a day: from the first departure on in steps of the headway, none ending after the last hour.

    A line has one run even if its way takes longer than the day, so that a listed line is never lost.
    """
    hours = service_hours(run.line.tags)
    first_s, last_s = (hours.first_s, hours.last_s) if hours is not None else (FIRST_S, LAST_S)
    calls = _calls(run)
    step_s = headway_s(run.line.tags) or HEADWAY_S
    # Tagged hours bound departures; the assumed ones bound whole runs, for they stand for daylight.
    latest_s = last_s if hours is not None else last_s - calls[-1].arrival_s
    trips = []
    for start_s in range(first_s, max(latest_s, first_s) + 1, step_s):
        shifted = tuple(
            replace(call, arrival_s=call.arrival_s + start_s, departure_s=call.departure_s + start_s) for call in calls
        )
        trips.append(
            Trip(
                id=f"{run.key}-{start_s // 3600:02d}{start_s // 60 % 60:02d}",
                line_id=run.line.osm_id,
                service_id=f"{SERVICE_ID}-{run.line.osm_id}",
                calls=shifted,
                headsign=run.direction.stops[-1].name,
                direction=1 if run.direction.name == "back" else 0,
                shape_id=run.key,
            )
        )
    return trips


def _calls(run: _Run) -> list[Call]:
    """Return the calls of a run that starts at 0 s; nobody boards at the last stop or leaves at the first."""
    stops, time_s = run.direction.stops, 0
    calls = []
    for k, stop in enumerate(stops):
        if k > 0:
            time_s += run.direction.driving_s[k - 1]
        dwell_s = CARGO_DWELL_S if stop.osm_id in run.cargo_stops else DWELL_S
        at_end = k in (0, len(stops) - 1)
        departure_s = time_s if at_end else time_s + dwell_s
        calls.append(Call(stop.osm_id, k + 1, time_s, departure_s, can_board=k < len(stops) - 1, can_alight=k > 0))
        time_s = departure_s
    return calls


def _schedule_note(line: OsmBusLine) -> str:
    tagged_headway, hours = headway_s(line.tags), service_hours(line.tags)
    every = f"every {(tagged_headway or HEADWAY_S) // 60} min ({'tagged' if tagged_headway else 'assumed'})"
    span = (hours.first_s, hours.last_s) if hours is not None else (FIRST_S, LAST_S)
    clock = "-".join(f"{s // 3600:02d}:{s // 60 % 60:02d}" for s in span)
    return f"{every}, {clock} ({'tagged' if hours else 'assumed'})"


def _missing_note(line: OsmBusLine) -> str:
    return f"; {line.missing_stops} of its stops lie outside the extract" if line.missing_stops else ""


def _served_notes(
    sites: Sequence[Site], links: Sequence[CargoStop], runs: Sequence[_Run], times: DrivingTimes, feed: Feed
) -> list[str]:
    served = {link.site_id for link in links}
    unserved = [site.name for site in sites if site.level is Level.TOWN and site.id not in served]
    guessed = {pair for run in runs for pair in pairwise(run.direction.stops) if not times.is_known(*pair)}
    kg, litres = CARGO_KG * (1 - LUGGAGE_SHARE), CARGO_L * (1 - LUGGAGE_SHARE)
    handed = f"{len(served)} sites within {WALK_WITHIN_M:.0f} m of a stop can hand over cargo"
    notes = [
        f"The timetable is synthetic: {len(feed.trips)} runs; {handed}.",
        f"A bus takes {kg:.0f} kg and {litres:.0f} l of cargo, pieces up to {PIECE_KG:.0f} kg and {PIECE_CM:.0f} cm.",
    ]
    if unserved:
        notes.append(f"Towns no bus line passes: {', '.join(unserved)}. No line was invented for them.")
    if guessed:
        notes.append(f"Between {len(guessed)} pairs of stops no street leads; running times there are guessed.")
    return notes
