"""Everything read → Problem: places, carriers, matrices and flights as the solver sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from geodata.area import LAST_SECOND_S, Area
from geodata.cache import Cache
from geodata.hierarchy import Hierarchy
from geodata.location import FloatArray, Level, Site
from geodata.matrix import TravelMatrix
from geodata.profiles import EdgeCosts, Profile, edge_costs
from geodata.road_weather import road_clock
from geodata.street_matrix import Snap, compute_matrix, hierarchy_of, snap, strong_parts
from geodata.streets import IntArray, StreetNetwork
from geodata.timetable import CargoTrip, Timetable, Trip
from geodata.travel_clock import TravelClock
from routing.flight_table import FlightBook, build_flight_table
from routing.model.carrier import BusCall, BusTrip, Drone, Vehicle, VehicleType
from routing.model.problem import FlightTable, Place, Problem
from routing.scenario import Scenario


@dataclass(frozen=True)
class Travel:
    """What a travel key stands for: the profile within a vehicle's limits, its edge costs and where places join."""

    streets: StreetNetwork
    profile: Profile
    costs: EdgeCosts
    snap: Snap

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """In which matrix and ways are found; built when first asked for."""
        return hierarchy_of(self.streets, self.costs, self.snap)


@dataclass(frozen=True)
class BuiltProblem:
    """A problem with the geometry the plan is drawn with afterwards."""

    problem: Problem
    travels: Mapping[str, Travel]
    flight_paths: Mapping[str, FlightBook]
    """Flight paths by drone type."""


def build_problem(scenario: Scenario, area: Area, cache: Cache | None = None) -> BuiltProblem:
    """Build the day's problem from a scenario and its area.

    Matrices and flights come from the cache when streets, closures, profile, weather and places are unchanged.
    """
    cache = cache if cache is not None else Cache(None)
    places = _places(scenario, area)
    vehicles, profiles = _vehicles(scenario, area)
    travels, matrices = _travel(area, profiles, places, working_hours(scenario), cache)
    drones = _drones(scenario)
    tables: dict[str, FlightTable] = {}
    books: dict[str, FlightBook] = {}
    for type_id in sorted({drone.service.id for drone in drones}):
        bases = tuple(sorted({drone.base for drone in drones if drone.service.id == type_id}))
        tables[type_id], books[type_id] = build_flight_table(
            scenario.drone_services[type_id].physics, bases, places, area, cache
        )
    problem = Problem(
        name=scenario.name,
        places=places,
        orders=scenario.orders,
        vehicles=vehicles,
        drones=drones,
        bus_trips=_bus_trips(area.timetable, {place.id for place in places}),
        matrices=matrices,
        flights=tables,
        products=scenario.products,
        rates=scenario.rates,
        hourly_temp_c=area.weather.hourly_temp_c(),
        temp_elevation_m=area.weather.ref_elevation_m,
        clocks=_clocks(scenario, area, profiles),
    )
    return BuiltProblem(problem, travels, books)


def _places(scenario: Scenario, area: Area) -> tuple[Place, ...]:
    drops = scenario.drops
    lon = np.array([site.lon for site in scenario.sites] + [lon for lon, _ in drops.values()], dtype=np.float64)
    lat = np.array([site.lat for site in scenario.sites] + [lat for _, lat in drops.values()], dtype=np.float64)
    elevation = area.terrain.elevation_m(lon, lat)
    sites = [_place_of_site(site, float(height)) for site, height in zip(scenario.sites, elevation, strict=False)]
    offset = len(sites)
    dropped = [
        Place(
            id=place_id,
            name=place_id,
            level=Level.GROUP,
            lon=drops[place_id][0],
            lat=drops[place_id][1],
            elevation_m=float(elevation[offset + k]),
            handling_s=0,
            closes_s=2 * 86_400,
        )
        for k, place_id in enumerate(drops)
    ]
    return tuple(sites + dropped)


def _place_of_site(site: Site, elevation_m: float) -> Place:
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
        store_kg={
            "ambient": site.store_ambient_kg,
            "chilled": site.store_chilled_kg,
            "frozen": site.store_frozen_kg,
        },
        drone_pads=site.drone_pads,
        max_wait_s=site.max_wait_s,
    )


def numbered_carriers(scenario: Scenario) -> Iterator[tuple[str, str, str, str]]:
    """Yield (carrier id, type id, site id, operator) of every vehicle, courier and drone, in file order.

    Ids are ``<type>@<site>#<k>``; numbering goes on where a type stands twice at a site.
    """
    counted: dict[tuple[str, str], int] = {}
    for stand in scenario.stands:
        for _ in range(stand.count):
            key = (stand.type, stand.site)
            counted[key] = counted.get(key, 0) + 1
            yield f"{stand.type}@{stand.site}#{counted[key]}", stand.type, stand.site, stand.operator


def effective_profile(vehicle_type: VehicleType, profiles: Mapping[str, Profile]) -> Profile:
    """Return the travel profile of a vehicle type within the type's own dimensions."""
    base = profiles[vehicle_type.profile]
    return base.limited(vehicle_type.width_m, vehicle_type.height_m, vehicle_type.gross_kg)


def _vehicles(scenario: Scenario, area: Area) -> tuple[tuple[Vehicle, ...], dict[str, Profile]]:
    vehicles: list[Vehicle] = []
    profiles: dict[str, Profile] = {}
    for carrier_id, type_id, site_id, operator in numbered_carriers(scenario):
        vehicle_type = scenario.vehicle_types.get(type_id)
        if vehicle_type is None:
            continue
        profile = effective_profile(vehicle_type, area.profiles)
        profiles[profile.key] = profile
        vehicles.append(Vehicle(id=carrier_id, type=vehicle_type, base=site_id, operator=operator, travel=profile.key))
    return tuple(vehicles), profiles


def _drones(scenario: Scenario) -> tuple[Drone, ...]:
    return tuple(
        Drone(id=carrier_id, service=scenario.drone_services[type_id], base=site_id, operator=operator)
        for carrier_id, type_id, site_id, operator in numbered_carriers(scenario)
        if type_id in scenario.drone_services
    )


def working_hours(scenario: Scenario) -> tuple[int, int]:
    """Return from the first to the last second anyone is on the road; a whole day where nobody is."""
    at_work = [
        scenario.vehicle_types[stand.type]
        for stand in scenario.stands
        if stand.type in scenario.vehicle_types and stand.count > 0
    ]
    if not at_work:
        return 0, LAST_SECOND_S
    return min(kind.shift_start_s for kind in at_work), max(kind.shift_end_s for kind in at_work) + 1


def _travel(
    area: Area,
    profiles: Mapping[str, Profile],
    places: tuple[Place, ...],
    working_hours: tuple[int, int],
    cache: Cache,
) -> tuple[dict[str, Travel], dict[str, TravelMatrix]]:
    ids = tuple(place.id for place in places)
    lon = np.array([place.lon for place in places], dtype=np.float64)
    lat = np.array([place.lat for place in places], dtype=np.float64)
    points = hashlib.sha256(repr(ids).encode() + lon.tobytes() + lat.tobytes()).hexdigest()
    travels: dict[str, Travel] = {}
    matrices: dict[str, TravelMatrix] = {}
    for key in sorted(profiles):
        profile = profiles[key]
        closed = area.closed_today(profile, *working_hours)
        made_of = {
            "streets": area.streets_digest,
            "closed": hashlib.sha256(closed.tobytes()).hexdigest(),
            "profile": repr(profile),
        }
        travels[key] = travel = cache.hold(
            "travel",
            {**made_of, "points": points},
            lambda profile=profile, closed=closed, made_of=made_of: _travel_of(  # type: ignore[misc]
                area.streets, profile, closed, (lon, lat), made_of, cache
            ),
        )
        matrices[key] = cache.get(
            "matrix",
            {**made_of, "points": points},
            lambda travel=travel, key=key: compute_matrix(  # type: ignore[misc]
                travel.streets, travel.costs, key, ids, travel.snap, travel.hierarchy
            ),
        )
    return travels, matrices


def _travel_of(
    streets: StreetNetwork,
    profile: Profile,
    closed: npt.NDArray[np.bool_],
    places: tuple[FloatArray, FloatArray],
    made_of: Mapping[str, str],
    cache: Cache,
) -> Travel:
    """Return what a profile's travel is made of; edge costs and connected parts are kept for all days' places."""

    def costs_and_parts() -> tuple[EdgeCosts, IntArray]:
        costs = edge_costs(streets, profile, closed)
        return costs, strong_parts(streets, costs)

    costs, part = cache.get("edge-costs", made_of, costs_and_parts)
    return Travel(streets, profile, costs, snap(streets, costs, profile, *places, part))


def _clocks(scenario: Scenario, area: Area, profiles: Mapping[str, Profile]) -> dict[str, TravelClock]:
    """Return the clocks of weather and light by travel key; a profile that no hour slows has none."""
    timezone = ZoneInfo(scenario.timezone)
    clocks = {
        key: road_clock(profile, area.streets, area.weather, scenario.service_date, timezone)
        for key, profile in profiles.items()
    }
    return {key: clock for key, clock in clocks.items() if clock is not None}


def _bus_trips(timetable: Timetable | None, place_ids: set[str]) -> tuple[BusTrip, ...]:
    if timetable is None:
        return ()
    trips = [
        _bus_trip(trip, timetable.cargo_trips[trip.id], timetable, place_ids)
        for trip in timetable.trips
        if trip.id in timetable.cargo_trips
    ]
    return tuple(trip for trip in trips if len(trip.calls) >= 2)


def _bus_trip(trip: Trip, cargo: CargoTrip, timetable: Timetable, place_ids: set[str]) -> BusTrip:
    calls = [
        BusCall(
            place_id=cargo_stop.site_id,
            bus_stop_id=call.stop_id,
            sequence=call.sequence,
            arrival_s=call.arrival_s,
            departure_s=call.departure_s,
            board_s=cargo_stop.board_s,
            cutoff_s=cargo_stop.cutoff_s,
            can_load=call.can_board,
            can_unload=call.can_alight,
        )
        for call in trip.calls
        for cargo_stop in timetable.cargo_stops_at.get(call.stop_id, ())
        if cargo_stop.site_id in place_ids
    ]
    return BusTrip(
        id=trip.id,
        line=trip.line_id,
        operator=timetable.operator_of(trip),
        calls=tuple(calls),
        max_kg=cargo.max_kg,
        max_l=cargo.max_l,
        max_piece_kg=cargo.max_piece_kg,
        max_longest_cm=cargo.max_longest_cm,
        fee_per_kg=cargo.fee_per_kg,
        fee_per_piece=cargo.fee_per_piece,
        product_classes=cargo.product_classes,
    )
