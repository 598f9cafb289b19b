"""Reading a scenario folder into facts, by the checker itself and never through the builder's problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from geodata.area import Area
from geodata.cache import Cache
from geodata.location import Level, Site
from geodata.profiles import Profile
from geodata.road_weather import road_clock
from geodata.terrain import Terrain
from geodata.timetable import CargoTrip, Timetable, Trip
from geodata.travel_clock import TravelClock
from routing.checker.facts import MapFacts
from routing.checker.roads import StreetRoads
from routing.day import read_day
from routing.model.carrier import BusCall, BusTrip, Carrier, Drone, Vehicle
from routing.model.plan import Rejected
from routing.model.problem import Place
from routing.scenario import Scenario

ALWAYS_OPEN_S = 10 * 86_400
"""Closing time of places that are always open."""


def load_facts(folder: Path, cache: Cache | None = None) -> MapFacts:
    """Read a scenario folder into facts.

    Faulty order rows are set aside as rejected, so that a plan that leaves them unmentioned can be judged.

    Raises
    ------
    InputError
        If the scenario itself cannot be read; names every fault.
    """
    day = read_day(folder, reject_bad_rows=True, cache=cache)
    scenario, area = day.scenario, day.area
    places = {place.id: place for place in _places(scenario, area.terrain)}
    carriers, profiles_by_key = _own_carriers(scenario, area)
    carriers.update({trip.id: trip for trip in _bus_trips(area.timetable, places)})
    return MapFacts(
        scenario_name=scenario.name,
        service_date=scenario.service_date,
        currency=scenario.currency,
        digest=scenario.digest,
        places=places,
        orders={order.id: order for order in scenario.orders},
        rejected=tuple(
            Rejected(row.row, row.order_id, tuple(str(fault) for fault in row.faults)) for row in scenario.rejected
        ),
        carriers=carriers,
        products=scenario.products,
        rates=scenario.rates,
        roads=StreetRoads(area.streets, profiles_by_key, area.closures, scenario.service_date),
        terrain=area.terrain,
        airspace=area.airspace,
        weather=area.weather,
        clocks=_clocks(scenario, area, profiles_by_key),
    )


def _places(scenario: Scenario, terrain: Terrain) -> Iterator[Place]:
    for site in scenario.sites:
        yield _place_of(site, _height_m(terrain, site.lon, site.lat))
    for place_id, (lon, lat) in scenario.drops.items():
        yield Place(
            id=place_id,
            name=place_id,
            level=Level.GROUP,
            lon=lon,
            lat=lat,
            elevation_m=_height_m(terrain, lon, lat),
            closes_s=ALWAYS_OPEN_S,
            handling_s=0,
        )


def _height_m(terrain: Terrain, lon: float, lat: float) -> float:
    return float(terrain.elevation_m(np.array([lon]), np.array([lat]))[0])


def _place_of(site: Site, elevation_m: float) -> Place:
    store_kg = {
        "ambient": site.store_ambient_kg,
        "chilled": site.store_chilled_kg,
        "frozen": site.store_frozen_kg,
    }
    return Place(
        id=site.id,
        name=site.name,
        level=site.level,
        lon=site.lon,
        lat=site.lat,
        elevation_m=elevation_m,
        parent=site.parent,
        opens_s=site.opens_s,
        closes_s=site.closes_s,
        handling_s=site.handling_s,
        store_kg=store_kg,
        drone_pads=site.drone_pads,
        max_wait_s=site.max_wait_s,
    )


def _own_carriers(scenario: Scenario, area: Area) -> tuple[dict[str, Carrier], dict[str, Profile]]:
    """Return the carriers of all stands, ``<type>@<site>#<k>``; k goes on where a type stands twice at a site."""
    carriers: dict[str, Carrier] = {}
    profiles: dict[str, Profile] = {}
    standing: Counter[tuple[str, str]] = Counter()
    for stand in scenario.stands:
        for _ in range(stand.count):
            standing[stand.type, stand.site] += 1
            carrier_id = f"{stand.type}@{stand.site}#{standing[stand.type, stand.site]}"
            if stand.type in scenario.drone_services:
                service = scenario.drone_services[stand.type]
                carriers[carrier_id] = Drone(carrier_id, service, stand.site, stand.operator)
                continue
            kind = scenario.vehicle_types[stand.type]
            profile = area.profiles[kind.profile].limited(kind.width_m, kind.height_m, kind.gross_kg)
            profiles[profile.key] = profile
            carriers[carrier_id] = Vehicle(carrier_id, kind, stand.site, stand.operator, profile.key)
    return carriers, profiles


def _clocks(scenario: Scenario, area: Area, profiles: Mapping[str, Profile]) -> dict[str, TravelClock]:
    found: dict[str, TravelClock] = {}
    for key, profile in profiles.items():
        clock = road_clock(profile, area.streets, area.weather, scenario.service_date, ZoneInfo(scenario.timezone))
        if clock is not None:
            found[key] = clock
    return found


def _bus_trips(timetable: Timetable | None, places: Mapping[str, Place]) -> Iterator[BusTrip]:
    if timetable is None:
        return
    for trip in timetable.trips:
        cargo = timetable.cargo_trips.get(trip.id)
        if cargo is not None:
            yield _bus_trip(timetable, trip, cargo, places)


def _bus_trip(timetable: Timetable, trip: Trip, cargo: CargoTrip, places: Mapping[str, Place]) -> BusTrip:
    calls = tuple(
        BusCall(
            place_id=handler.site_id,
            bus_stop_id=call.stop_id,
            sequence=call.sequence,
            arrival_s=call.arrival_s,
            departure_s=call.departure_s,
            board_s=handler.board_s,
            cutoff_s=handler.cutoff_s,
            can_load=call.can_board,
            can_unload=call.can_alight,
        )
        for call in trip.calls
        for handler in timetable.cargo_stops_at.get(call.stop_id, ())
        if handler.site_id in places
    )
    return BusTrip(
        id=trip.id,
        line=trip.line_id,
        operator=timetable.operator_of(trip),
        calls=calls,
        max_kg=cargo.max_kg,
        max_l=cargo.max_l,
        max_piece_kg=cargo.max_piece_kg,
        max_longest_cm=cargo.max_longest_cm,
        fee_per_kg=cargo.fee_per_kg,
        fee_per_piece=cargo.fee_per_piece,
        product_classes=cargo.product_classes,
    )
