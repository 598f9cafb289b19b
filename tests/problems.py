"""Hand-made problems without maps: places on a plane, straight roads, one flight table, a bus line."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from geodata.drones import DroneType
from geodata.location import Level
from geodata.matrix import UNREACHABLE_S, TravelMatrix
from routing.model.carrier import BusCall, BusTrip, Compartment, Drone, DroneService, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.problem import CostRates, FlightTable, Place, Problem
from routing.model.product import Box, ProductClass, Products

DETOUR = 1.6
METRES_PER_DEGREE = 111_000.0
RATES = CostRates(electricity_per_kwh=80.0, diesel_per_kwh=75.0, handling_per_piece=20.0)
PRODUCTS = Products(
    classes={
        "ambient": ProductClass("ambient", "Parcels", "包裹"),
        "chilled": ProductClass(
            "chilled",
            "Chilled food",
            "冷藏",
            cold=True,
            low_c=0.0,
            high_c=6.0,
            start_c=4.0,
            max_out_of_band_s=3_600,
            max_equivalent_h=60.0,
            loss_scale_h=583.0,
            store="chilled",
            box="box_m",
        ),
        "berries": ProductClass(
            "berries",
            "Berries",
            "浆果",
            cold=True,
            low_c=-1.0,
            high_c=30.0,
            start_c=18.0,
            max_out_of_band_s=7_200,
            max_equivalent_h=100.0,
            loss_scale_h=100.0,
            store="chilled",
        ),
        "pesticide": ProductClass("pesticide", "Pesticide", "农药", bus_allowed=False, incompatible_with=("chilled",)),
    },
    boxes={"box_m": Box("box_m", 30.0, 45.0, 4.0, 0.3, 668_000.0, 2.0)},
    store_c={"chilled": 3.0, "frozen": -18.0},
)
VAN = VehicleType(
    "van",
    "vehicle",
    "van_diesel",
    (Compartment("hold", 700.0, 4_000.0),),
    fixed_cost=3_000.0,
    cost_per_km=60.0,
    cost_per_h=3_200.0,
    shift_start_s=21_600,
    shift_end_s=64_800,
    max_drive_s=28_800,
    energy_source="diesel",
)
REEFER = replace(
    VAN,
    id="reefer",
    profile="reefer",
    compartments=(Compartment("cold", 400.0, 2_000.0, 4.0), Compartment("dry", 200.0, 1_000.0)),
)
TRUCK = replace(
    VAN,
    id="truck",
    profile="truck",
    compartments=(Compartment("hold", 1_500.0, 15_000.0),),
    fixed_cost=5_000.0,
    cost_per_km=130.0,
)
TRICYCLE = replace(
    VAN,
    id="tricycle",
    profile="tricycle",
    compartments=(Compartment("hold", 150.0, 800.0),),
    fixed_cost=800.0,
    cost_per_km=30.0,
    cost_per_h=2_000.0,
    energy_source="electric",
    range_wh=3_000.0,
)
COURIER = replace(
    VAN,
    id="courier",
    kind="courier",
    profile="walker",
    compartments=(Compartment("bag", 15.0, 60.0),),
    fixed_cost=0.0,
    cost_per_km=0.0,
    cost_per_h=1_500.0,
    stop_s=60,
    energy_source="none",
)
DRONE_L = DroneType(
    "L", mass_kg=65.0, payload_kg=30.0, payload_loss_kg_per_km=2.0, volume_l=70.0, battery_wh=3_970.0, reserve=0.2,
    disc_area_m2=9.2, hover_factor=1.6, cruise_factor=0.9, descent_factor=0.8, climb_efficiency=0.7, cruise_m_s=15.0,
    climb_m_s=4.0, descent_m_s=3.0, wind_limit_m_s=12.0, winch_s=180, turnaround_s=240,
)  # fmt: skip
DRONE_SERVICE = DroneService(DRONE_L, 1_000.0, 1_400.0, 1_500.0, 25_200, 64_800)
SPEED_M_S = {"van_diesel": 9.0, "reefer": 9.0, "truck": 8.0, "tricycle": 5.5, "walker": 1.4}
WH_PER_M = {"van_diesel": 1.0, "reefer": 1.15, "truck": 1.3, "tricycle": 0.04, "walker": 0.0}


def place(place_id: str, x_km: float, y_km: float, level: Level = Level.VILLAGE, **fields: object) -> Place:
    """Return a place at kilometres east and north of the origin, with an ambient store unless it is a group."""
    store = {} if level is Level.GROUP else {"ambient": 2_000.0}
    values: dict[str, object] = {"store_kg": store, **fields}
    degrees = 1_000.0 / METRES_PER_DEGREE
    return Place(place_id, place_id, level, x_km * degrees, y_km * degrees, 1_000.0, **values)  # type: ignore[arg-type]


def distance_m(one: Place, other: Place) -> float:
    """Return the straight distance of two places in metres."""
    return math.hypot(one.lon - other.lon, one.lat - other.lat) * METRES_PER_DEGREE


def matrix(profile: str, places: Sequence[Place], no_road: Iterable[str] = ()) -> TravelMatrix:
    """Return straight-line travel with a detour factor; places without road are reached by walkers only."""
    n, cut = len(places), set(no_road) if profile != "walker" else set()
    metres = np.array([[round(distance_m(a, b) * DETOUR) for b in places] for a in places], dtype=np.int64)
    seconds = np.ceil(metres / SPEED_M_S[profile]).astype(np.int64)
    for k, spot in enumerate(places):
        if spot.id in cut:
            seconds[k, :] = seconds[:, k] = UNREACHABLE_S
            metres[k, :] = metres[:, k] = 0
    np.fill_diagonal(seconds, 0)
    energy = metres * WH_PER_M[profile]
    assert seconds.shape == (n, n)
    return TravelMatrix(profile, tuple(spot.id for spot in places), seconds, metres, energy.astype(np.float64))


def flight_table(
    drone: DroneType, places: Sequence[Place], bases: Sequence[str], windy: range = range(15, 17)
) -> FlightTable:
    """Return flights at cruise speed with an energy that grows with payload; no flights in windy hours."""
    hours, payloads = 24, np.array([0.0, 10.0, 20.0, 30.0])
    by_id = {spot.id: spot for spot in places}
    metres = np.array([[distance_m(by_id[b], spot) for spot in places] for b in bases])
    seconds = np.ceil(metres / drone.cruise_m_s + 60.0).astype(np.int64)
    duration = np.repeat(seconds[:, :, None], hours, axis=2)
    duration[:, :, list(windy)] = UNREACHABLE_S
    energy = (metres[:, :, None, None] * 0.1 + 60.0) * (1.0 + payloads[None, None, None, :] / 40.0)
    energy = np.repeat(energy, hours, axis=2)
    return FlightTable(
        drone.id, tuple(bases), tuple(by_id), payloads, duration, duration.copy(), energy, energy.copy(),
        np.round(metres).astype(np.int64), np.round(metres).astype(np.int64), np.full(metres.shape, 28.0), {},
    )  # fmt: skip


def problem(
    places: Sequence[Place],
    orders: Sequence[Order],
    vehicles: Sequence[tuple[VehicleType, str, int]] = (),
    drones: Sequence[tuple[str, int]] = (),
    bus_trips: Sequence[BusTrip] = (),
    no_road: Iterable[str] = (),
    **fields: object,
) -> Problem:
    """Return a problem; vehicles as (type, base, count), drones as (base, count) of type L."""
    fleet = [
        Vehicle(f"{kind.id}-{base}-{k + 1}", kind, base, "firm", kind.profile)
        for kind, base, count in vehicles
        for k in range(count)
    ]
    fliers = [
        Drone(f"drone-{base}-{k + 1}", DRONE_SERVICE, base, "firm") for base, count in drones for k in range(count)
    ]
    cut = tuple(no_road)
    bases = tuple(base for base, _ in drones)
    profiles = list(dict.fromkeys(kind.profile for kind, _, _ in vehicles))
    values: dict[str, object] = {
        "products": PRODUCTS,
        "rates": RATES,
        "hourly_temp_c": np.array(
            [14, 13, 13, 12, 12, 13, 14, 16, 18, 21, 23, 25, 27, 28, 28, 27, 26, 24, 21, 19, 17, 16, 15, 14.0]
        ),
        "temp_elevation_m": 1_000.0,
        **fields,
    }
    return Problem(
        name="hand-made",
        places=tuple(places),
        orders=tuple(orders),
        vehicles=tuple(fleet),
        drones=tuple(fliers),
        bus_trips=tuple(bus_trips),
        matrices={profile: matrix(profile, places, cut) for profile in profiles},
        flights={"L": flight_table(DRONE_L, places, bases)} if drones else {},
        **values,  # type: ignore[arg-type]
    )


def bus_trip(trip_id: str, calls: Sequence[tuple[str, int]], max_kg: float = 100.0, **fields: object) -> BusTrip:
    """Return a trip that calls at places at given times, one minute each."""
    made = tuple(
        BusCall(place_id, f"stop:{place_id}", 10 * k, at, at + 60, board_s=120, cutoff_s=300)
        for k, (place_id, at) in enumerate(calls)
    )
    values: dict[str, object] = {
        "max_l": 1_000.0, "max_piece_kg": 25.0, "max_longest_cm": 150.0, "fee_per_kg": 10.0, "fee_per_piece": 40.0,
        "product_classes": (), **fields,
    }  # fmt: skip
    return BusTrip(trip_id, "line", "bus company", made, max_kg, **values)  # type: ignore[arg-type]


def order(order_id: str, from_id: str, to_id: str, weight_kg: float = 3.0, **fields: object) -> Order:
    """Return an order with a volume of five litres a kilogram."""
    values: dict[str, object] = {"volume_l": 5.0 * weight_kg, "unserved_cost": 5_000.0, **fields}
    return Order(order_id, from_id, to_id, weight_kg, **values)  # type: ignore[arg-type]


# --- Random counties -----------------------------------------------------------------------------------------------


def county(seed: int, *, towns: int = 2, villages: int = 6, groups: int = 8, orders: int = 20) -> Problem:
    """Return a random county with every kind of carrier: towns on arms, villages round towns, groups round villages."""
    draw = random.Random(seed)
    places = [place("hub", 0.0, 0.0, Level.COUNTY, handling_s=600)]
    for k in range(towns):
        angle = 2.0 * math.pi * (k + draw.random() * 0.5) / towns
        radius = draw.uniform(8.0, 20.0)
        places.append(
            place(f"t{k}", radius * math.cos(angle), radius * math.sin(angle), Level.TOWN, opens_s=21_600,
                  closes_s=68_400, store_kg={"ambient": 500.0, "chilled": 80.0 if k % 2 else 0.0})
        )  # fmt: skip
    degrees = 1_000.0 / METRES_PER_DEGREE
    for k in range(villages):
        town = places[1 + k % towns]
        x, y = town.lon / degrees, town.lat / degrees
        places.append(
            place(f"v{k}", x + draw.gauss(0, 4), y + draw.gauss(0, 4), opens_s=25_200, closes_s=66_600, handling_s=300)
        )
    for k in range(groups):
        village = places[1 + towns + k % villages]
        x, y = village.lon / degrees, village.lat / degrees
        places.append(place(f"g{k}", x + draw.gauss(0, 1.2), y + draw.gauss(0, 1.2), Level.GROUP, handling_s=0))
    no_road = [f"g{k}" for k in range(groups) if draw.random() < 0.1]
    remote = [spot.id for spot in places[1 + towns :]]
    made = [_random_order(draw, k, remote) for k in range(orders)]
    vehicles: list[tuple[VehicleType, str, int]] = [(VAN, "hub", 2), (REEFER, "hub", 1), (TRUCK, "hub", 1)]
    vehicles += [(TRICYCLE, f"t{k}", 1) for k in range(towns)]
    vehicles += [(COURIER, f"v{k}", 1) for k in range(0, villages, 2)]
    trips = [trip for k in range(towns) for trip in _bus_line(draw, k, towns, villages, places)]
    return problem(places, made, vehicles, [("hub", 1), ("t0", 1)], trips, no_road)


def _random_order(draw: random.Random, number: int, remote: Sequence[str]) -> Order:
    weight = min(25.0, round(draw.lognormvariate(0.5, 0.9), 2))
    spot = draw.choice(remote)
    up = draw.random() < 0.25
    kind = draw.choices(["ambient", "chilled", "berries", "pesticide"], [8, 1, 1, 1])[0]
    windows: tuple[tuple[int, int], ...] = ()
    if draw.random() < 0.2:
        begin = draw.randrange(28_800, 50_400, 1_800)
        windows = ((begin, begin + draw.choice([7_200, 14_400])),)
    return order(
        f"o{number}", spot if up else "hub", "hub" if up else spot, weight, pieces=draw.choice([1, 1, 1, 2]),
        product_class=kind, release_s=draw.choice([21_600, 21_600, 28_800]), windows=windows,
        due_s=draw.choice([None, 43_200]), late_cost_per_h=100.0, value=4_000.0, dangerous=kind == "pesticide",
        service_s=draw.choice([20, 60]),
    )  # fmt: skip


def _bus_line(draw: random.Random, k: int, towns: int, villages: int, places: Sequence[Place]) -> list[BusTrip]:
    stops = ["hub", f"t{k}", *(f"v{v}" for v in range(villages) if v % towns == k and draw.random() < 0.6)]
    by_id: Mapping[str, Place] = {spot.id: spot for spot in places}
    trips = []
    for number, begin in enumerate(range(25_200, 61_200, 10_800)):
        there = _calls(stops, by_id, begin)
        trips.append(bus_trip(f"bus{k}-{number}-out", there, max_kg=draw.choice([40.0, 100.0])))
        back = _calls(stops[::-1], by_id, there[-1][1] + 900)
        trips.append(bus_trip(f"bus{k}-{number}-back", back, max_kg=100.0))
    return trips


def _calls(stops: Sequence[str], by_id: Mapping[str, Place], begin: int) -> list[tuple[str, int]]:
    calls, at = [(stops[0], begin)], begin
    for here, there in pairwise(stops):
        at += 60 + math.ceil(distance_m(by_id[here], by_id[there]) * DETOUR / 8.0)
        calls.append((there, at))
    return calls
