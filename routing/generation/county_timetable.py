"""The bus timetable of a synthetic county: its courses, run at fixed headways, timed on its own streets.

Parameters are those of the domain notes (2b): 60 to 180 minutes between buses, 06:30 to 17:30, 150 kg of hold on the
lines to towns and 120 kg on village lines, less the passengers' luggage (a tenth, three tenths on market days),
CNY 0.4 a parcel to the bus company.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from geodata.gtfs_feed import Agency, Feed, Service
from geodata.paths import measure_path
from geodata.profiles import EdgeCosts
from geodata.streets import StreetNetwork
from geodata.synthetic import SyntheticCounty
from geodata.synthetic_buses import BusCourse
from geodata.synthetic_extract import bus_stop_points, stop_id, street_node_id
from geodata.timetable import BusStop, Call, CargoStop, CargoTrip, Line, Shape, Trip

FIRST_S, LAST_S = 23_400, 63_000
"""06:30 and 17:30: no bus of these roads runs earlier or later."""
DWELL_S = 60
SLACK = 1.15
"""A bus takes this much longer than a van: it is heavier and picks people up by the road."""
TOWN_HOLD_KG, VILLAGE_HOLD_KG, HOLD_L_PER_KG = 150.0, 120.0, 8.0
LUGGAGE, MARKET_LUGGAGE = 0.1, 0.3
MARKET_EVERY_DAYS = 5
MAX_PIECE_KG, MAX_LONGEST_CM = 30.0, 100.0
FEE_PER_PIECE = 40.0
HUB_CUTOFF_S, TOWN_CUTOFF_S, VILLAGE_CUTOFF_S = 900, 600, 300
BOARD_S = 180
CARRY_M_S, DETOUR = 4.0, 1.3
"""An e-moto between stop and site, and the way it takes over the line between them [assumed]."""
SPAN_DAYS = 60
"""The feed holds this many days before and after the service date."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A course in one direction: settlements served, street nodes, seconds from stop to stop."""

    key: str
    stops: tuple[int, ...]
    ride_s: tuple[int, ...]
    shape: Shape

    @property
    def total_s(self) -> int:
        return sum(self.ride_s) + DWELL_S * (len(self.stops) - 2)


def county_feed(
    county: SyntheticCounty,
    network: StreetNetwork,
    costs: EdgeCosts,
    site_ids: Sequence[str],
    service_date: date,
) -> Feed:
    """Return the GTFS feed of a synthetic county, with its cargo tables.

    Parameters
    ----------
    county
        The county whose bus courses run.
    network, costs
        Its street network and what the buses' travel profile makes of it; riding times come from here.
    site_ids
        Site id of each settlement; stops hand cargo over to the site they serve.
    service_date
        A day in the middle of the feed's span.
    """
    agency = Agency("bus", f"{county.spec.name_zh}客运公司", "https://example.org/bus", "Asia/Shanghai")
    trips: list[Trip] = []
    cargo: list[CargoTrip] = []
    services: list[Service] = []
    shapes: dict[str, Shape] = {}
    lines: list[Line] = []
    for number, course in enumerate(county.courses):
        runs = _runs(county, course, network, costs)
        if runs is None:
            continue
        lines.append(_line(county, course, agency))
        plain, market = _services(course, number, service_date)
        services += [plain, market]
        headway_s = _headway_s(county, course)
        for direction, run in enumerate(runs):
            shapes[run.key] = run.shape
            for service, luggage in ((plain, LUGGAGE), (market, MARKET_LUGGAGE)):
                made = _trips(county, course, run, direction, service.id, headway_s, number)
                trips += made
                cargo += [_cargo(trip, course, luggage) for trip in made]
    used = {call.stop_id for trip in trips for call in trip.calls}
    stops = [stop for stop in _stops(county) if stop.id in used]
    return Feed(
        agencies=(agency,),
        stops=tuple(stops),
        lines=tuple(lines),
        services=tuple(services),
        trips=tuple(trips),
        shapes=shapes,
        cargo_trips=tuple(cargo),
        cargo_stops=tuple(_cargo_stops(county, site_ids, used)),
        publisher="Shanlu synthetic county",
        version=service_date.isoformat(),
        synthetic=True,
    )


def gtfs_stop_id(settlement: int) -> str:
    """Return the GTFS id of the stop that serves a settlement: that of its OSM node."""
    return f"n{stop_id(settlement)}"


def _stops(county: SyntheticCounty) -> list[BusStop]:
    found = []
    for place, node in sorted(bus_stop_points(county).items()):
        (lon,), (lat,) = county.to_degrees(county.streets.x_m[[node]], county.streets.y_m[[node]])
        found.append(BusStop(gtfs_stop_id(place), county.settlements[place].name_zh, float(lon), float(lat)))
    return found


def _line(county: SyntheticCounty, course: BusCourse, agency: Agency) -> Line:
    ends = [county.settlements[course.stops[at][1]].name_zh for at in (0, -1)]
    return Line(f"line-{course.ref}", course.ref, f"{ends[0]} - {ends[1]}", agency.id, agency.name)


def _runs(
    county: SyntheticCounty, course: BusCourse, network: StreetNetwork, costs: EdgeCosts
) -> tuple[_Run, _Run] | None:
    """Return the course out and back, or None if it cannot be driven or has fewer than two stops."""
    if len(course.stops) < 2:
        return None
    runs = []
    for key, nodes, stops in (
        (f"{course.ref}-out", course.nodes, course.stops),
        (
            f"{course.ref}-back",
            course.nodes[::-1],
            tuple((len(course.nodes) - 1 - at, place) for at, place in course.stops[::-1]),
        ),
    ):
        ride_s = []
        for (start, _), (end, _) in pairwise(stops):
            measured = measure_path(network, costs, [street_node_id(node) for node in nodes[start : end + 1]])
            if measured.broken_at is not None or measured.forbidden_at is not None:
                return None
            ride_s.append(60 * max(1, round(SLACK * measured.duration_s / 60.0)))
        driven = list(nodes[stops[0][0] : stops[-1][0] + 1])
        lon, lat = county.to_degrees(county.streets.x_m[driven], county.streets.y_m[driven])
        shape = tuple(zip(lon.tolist(), lat.tolist(), strict=True))
        runs.append(_Run(key, tuple(place for _, place in stops), tuple(ride_s), shape))
    return runs[0], runs[1]


def _headway_s(county: SyntheticCounty, course: BusCourse) -> int:
    """Return the time between buses: an hour to the largest towns, up to three on village lines."""
    if not course.is_town_line:
        return 10_800
    people = county.settlements[course.stops[-1][1]].population
    return 3_600 if people >= 4_500 else 5_400 if people >= 2_500 else 7_200


def _services(course: BusCourse, number: int, service_date: date) -> tuple[Service, Service]:
    """Return the service of common days and that of market days, which come round every fifth day, town by town."""
    first, last = service_date - timedelta(days=SPAN_DAYS), service_date + timedelta(days=SPAN_DAYS)
    days = [first + timedelta(days=k) for k in range(2 * SPAN_DAYS + 1)]
    market = frozenset(day for day in days if (day.toordinal() + number) % MARKET_EVERY_DAYS == 0)
    return (
        Service(f"{course.ref}-common", (True,) * 7, first, last, removed=market),
        Service(f"{course.ref}-market", added=market),
    )


def _trips(
    county: SyntheticCounty,
    course: BusCourse,
    run: _Run,
    direction: int,
    service_id: str,
    headway_s: int,
    number: int,
) -> list[Trip]:
    """Return the trips of a run on one kind of day; lines start in turn, five minutes after each other."""
    start_s = FIRST_S + 300 * (number % 6) + (0 if direction == 0 else 600)
    trips = []
    while start_s + run.total_s <= LAST_S:
        now_s = start_s
        calls = []
        for k, place in enumerate(run.stops):
            leaves_s = now_s if k in (0, len(run.stops) - 1) else now_s + DWELL_S
            calls.append(Call(gtfs_stop_id(place), k + 1, now_s, leaves_s))
            if k < len(run.ride_s):
                now_s = leaves_s + run.ride_s[k]
        trips.append(
            Trip(
                id=f"{service_id}-{'out' if direction == 0 else 'back'}-{start_s // 3600:02d}{start_s // 60 % 60:02d}",
                line_id=f"line-{course.ref}",
                service_id=service_id,
                calls=tuple(calls),
                headsign=county.settlements[run.stops[-1]].name_zh,
                direction=direction,
                shape_id=run.key,
            )
        )
        start_s += headway_s
    return trips


def _cargo(trip: Trip, course: BusCourse, luggage: float) -> CargoTrip:
    hold_kg = TOWN_HOLD_KG if course.is_town_line else VILLAGE_HOLD_KG
    return CargoTrip(
        trip.id,
        max_kg=hold_kg,
        max_l=hold_kg * HOLD_L_PER_KG,
        max_piece_kg=MAX_PIECE_KG,
        max_longest_cm=MAX_LONGEST_CM,
        fee_per_piece=FEE_PER_PIECE,
    ).with_luggage(luggage)


def _cargo_stops(county: SyntheticCounty, site_ids: Sequence[str], used: set[str]) -> list[CargoStop]:
    """Return what each stop handles; both times hold the way between stop and site."""
    cutoff = {0: HUB_CUTOFF_S, 1: TOWN_CUTOFF_S, 2: VILLAGE_CUTOFF_S}
    streets = county.streets
    found = []
    for place, node in sorted(bus_stop_points(county).items()):
        if gtfs_stop_id(place) not in used:
            continue
        away_m = np.hypot(streets.x_m[node] - county.at_m[place, 0], streets.y_m[node] - county.at_m[place, 1])
        way_s = 30 * math.ceil(DETOUR * float(away_m) / CARRY_M_S / 30.0)
        level = county.settlements[place].level.depth
        found.append(CargoStop(gtfs_stop_id(place), site_ids[place], BOARD_S + way_s, cutoff[level] + way_s))
    return found
