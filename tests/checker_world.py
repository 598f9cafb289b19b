"""A small world made by hand and a good plan in it: what the checker's tests damage.

A road runs from the hub east through a town to a village; a place without a road lies north of the town behind a hill.
A van serves the road, a bus runs from hub to town, a courier carries on from there, a drone flies over the hill.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import numpy as np
from shapely.geometry import box as rectangle

from geodata.airspace import Airspace, Zone
from geodata.flight import FlightCost, find_flight_path, fly, load_drone_types
from geodata.location import FloatArray, Level, LocalFrame
from geodata.osm_tags import HIGHWAYS
from geodata.paths import find_paths
from geodata.profiles import Profile, edge_costs, load_profiles
from geodata.street_matrix import snap
from geodata.streets import StreetNetwork
from geodata.terrain import Terrain
from geodata.weather import Weather, WeatherHour
from routing.checker.facts import MapFacts
from routing.checker.roads import StreetRoads
from routing.model.carrier import BusCall, BusTrip, Compartment, Drone, DroneService, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.plan import (
    CostBreakdown,
    Handover,
    Leg,
    Movement,
    Objective,
    OrderLegs,
    PlanDocument,
    Rejected,
    Rest,
    Route,
    ScenarioRef,
    Stop,
    Unassigned,
)
from routing.model.problem import CostRates, Place
from routing.model.product import Box, ProductClass, Products

DAY = date(2026, 5, 14)
GROUND_M = 500.0
HILL_M = 180.0
NODES = {
    1: (105.000, 30.000),
    2: (105.010, 30.000),
    3: (105.020, 30.000),
    4: (105.030, 30.000),
    5: (105.040, 30.000),
    6: (105.030, 30.008),  # on a lane too narrow for vans
    7: (105.030, 29.992),  # on a one-way way from 5 back to 3
    8: (105.045, 30.000),
}
ROADS = [  # (from, to, highway, both ways, width limit)
    (1, 2, "primary", True, np.inf),
    (2, 3, "primary", True, np.inf),
    (3, 4, "tertiary", True, np.inf),
    (4, 5, "tertiary", True, np.inf),
    (5, 8, "unclassified", True, np.inf),
    (3, 6, "unclassified", True, 1.0),
    (6, 5, "unclassified", True, 1.0),
    (5, 7, "unclassified", False, np.inf),
    (7, 3, "unclassified", False, np.inf),
]


def make_network(
    nodes: dict[int, tuple[float, float]] | None = None, roads: list[tuple[int, int, str, bool, float]] | None = None
) -> StreetNetwork:
    """Return a flat street network of straight paved roads."""
    nodes, roads = nodes or NODES, roads or ROADS
    ids = np.array(sorted(nodes), dtype=np.int64)
    index = {node: k for k, node in enumerate(ids.tolist())}
    lon = np.array([nodes[node][0] for node in ids.tolist()])
    lat = np.array([nodes[node][1] for node in ids.tolist()])
    x, y = LocalFrame(float(lon.mean()), float(lat.mean())).to_metres(lon, lat)
    edges = []
    for way, (a, b, highway, both, width) in enumerate(roads, start=100):
        for tail, head in ((a, b), (b, a)) if both else ((a, b),):
            edges.append((index[tail], index[head], way, HIGHWAYS.index(highway), width))
    edges.sort()
    tail = np.array([edge[0] for edge in edges], dtype=np.int64)
    head = np.array([edge[1] for edge in edges], dtype=np.int64)
    m = len(edges)
    ones, zeros = np.ones(m, dtype=np.uint8), np.zeros(m, dtype=np.uint8)
    return StreetNetwork(
        node_id=ids,
        node_lon=lon,
        node_lat=lat,
        node_elevation_m=np.full(len(ids), GROUND_M),
        edge_from=tail,
        edge_to=head,
        edge_length_m=np.hypot(x[head] - x[tail], y[head] - y[tail]),
        edge_grade=np.zeros(m),
        edge_radius_m=np.full(m, np.inf),
        edge_way_id=np.array([edge[2] for edge in edges], dtype=np.int64),
        edge_highway=np.array([edge[3] for edge in edges], dtype=np.uint8),
        edge_surface=zeros,
        edge_tracktype=zeros.copy(),
        edge_motor=ones,
        edge_heavy=ones.copy(),
        edge_foot=ones.copy(),
        edge_maxspeed_kmh=np.full(m, np.nan),
        edge_max_width_m=np.array([edge[4] for edge in edges], dtype=np.float64),
        edge_max_height_m=np.full(m, np.inf),
        edge_max_weight_kg=np.full(m, np.inf),
        edge_bridge=np.zeros(m, dtype=np.bool_),
        edge_tunnel=np.zeros(m, dtype=np.bool_),
        edge_name=np.zeros(m, dtype=np.int64),
    )


def make_terrain() -> Terrain:
    """Return flat ground at 500 m with one round hill between the town and the place behind it."""
    west, north, step = 104.96, 30.07, 0.0005
    lon = west + step * np.arange(240)
    lat = north - step * np.arange(220)
    away2 = ((lon[None, :] - 105.020) * 96_300) ** 2 + ((lat[:, None] - 30.015) * 110_900) ** 2
    heights = GROUND_M + HILL_M * np.exp(-away2 / (2 * 500.0**2))
    return Terrain(west, north, step, step, heights.astype(np.float32))


PRODUCTS = Products(
    classes={
        "ambient": ProductClass("ambient", "Parcels", "普货"),
        "chemicals": ProductClass("chemicals", "Paint", "化学品", bus_allowed=False, incompatible_with=("ambient",)),
        "meat": ProductClass(
            "meat", "Meat", "肉", cold=True, low_c=0.0, high_c=4.0, start_c=2.0, lag_s=10_800.0,
            max_out_of_band_s=1_800, max_equivalent_h=12.0, loss_scale_h=583.0, store="chilled", box="ice",
        ),
        "fruit": ProductClass(
            "fruit", "Fruit", "水果", cold=True, low_c=5.0, high_c=10.0, start_c=9.0, lag_s=10_800.0,
            max_out_of_band_s=3_600, max_equivalent_h=40.0, loss_scale_h=583.0, store="chilled", box="cool",
        ),
    },
    boxes={
        "ice": Box("ice", inner_l=30.0, outer_l=60.0, mass_kg=6.0, ua_w_k=0.3, coolant_j=668_000.0, hold_c=0.0),
        "cool": Box("cool", inner_l=30.0, outer_l=60.0, mass_kg=6.0, ua_w_k=0.3, coolant_j=400_000.0, hold_c=5.0),
    },
    store_c={"chilled": 2.0, "frozen": -20.0},
)  # fmt: skip

RATES = CostRates(electricity_per_kwh=70.0, diesel_per_kwh=75.0, handling_per_piece=10.0, unit_s=4.0)

VAN_TYPE = VehicleType(
    id="van",
    kind="vehicle",
    profile="van_diesel",
    compartments=(Compartment("main", 700.0, 4000.0), Compartment("cool", 60.0, 200.0, set_point_c=7.0)),
    fixed_cost=8_000.0,
    cost_per_km=60.0,
    cost_per_h=3_200.0,
    shift_start_s=6 * 3600,
    shift_end_s=18 * 3600,
    max_drive_s=8 * 3600,
    stop_s=120,
    range_wh=60_000.0,
    energy_source="diesel",
    width_m=1.8,
)
COURIER_TYPE = VehicleType(
    id="moto",
    kind="courier",
    profile="emoto",
    compartments=(Compartment("rack", 60.0, 300.0),),
    fixed_cost=500.0,
    cost_per_km=10.0,
    cost_per_h=2_000.0,
    shift_start_s=7 * 3600,
    shift_end_s=19 * 3600,
    max_drive_s=6 * 3600,
    stop_s=60,
    energy_source="electric",
)
BUS = BusTrip(
    id="T1",
    line="L1",
    operator="bus company",
    calls=(
        BusCall("hub", "S1", 1, 8 * 3600, 8 * 3600 + 60, board_s=180, cutoff_s=600),
        BusCall("town", "S2", 5, 8 * 3600 + 1200, 8 * 3600 + 1260, board_s=180, cutoff_s=600),
    ),
    max_kg=100.0,
    max_l=500.0,
    max_piece_kg=30.0,
    max_longest_cm=120.0,
    fee_per_kg=20.0,
    fee_per_piece=30.0,
    product_classes=("ambient", "meat"),
)
PLACES = {
    "hub": Place("hub", "Hub", Level.COUNTY, 105.0003, 30.0003, GROUND_M, handling_s=600,
                 store_kg={"ambient": 5000.0, "chilled": 500.0}, drone_pads=1),
    "town": Place("town", "Town", Level.TOWN, 105.0203, 30.0002, GROUND_M, parent="hub", opens_s=6 * 3600,
                  closes_s=20 * 3600, handling_s=300, store_kg={"ambient": 300.0, "chilled": 50.0}, drone_pads=1),
    "vale": Place("vale", "Vale", Level.VILLAGE, 105.0402, 30.0003, GROUND_M, parent="town", opens_s=7 * 3600,
                  closes_s=19 * 3600, handling_s=120, store_kg={"ambient": 50.0}),
    "peak": Place("peak", "Peak", Level.GROUP, 105.020, 30.030, 0.0, parent="town", handling_s=60),
    "drop:o5": Place("drop:o5", "drop:o5", Level.GROUP, 105.0452, 30.0002, GROUND_M, handling_s=0,
                     closes_s=10 * 86_400),
}  # fmt: skip
ORDERS = {
    order.id: order
    for order in (
        Order("o1", "hub", "vale", 12.0, 40.0, pieces=3, release_s=6 * 3600, windows=((7 * 3600, 12 * 3600),),
              due_s=7 * 3600, late_cost_per_h=600.0),
        Order("o2", "hub", "vale", 8.0, 30.0, pieces=2, release_s=7 * 3600, windows=((8 * 3600, 10 * 3600),)),
        Order("o3", "hub", "peak", 6.0, 20.0, release_s=6 * 3600),
        Order("o4", "hub", "town", 5.0, 25.0, product_class="meat", release_s=7 * 3600, value=20_000.0),
        Order("o5", "hub", "drop:o5", 3.0, 15.0, release_s=6 * 3600),
        Order("o6", "vale", "hub", 900.0, 3000.0, unserved_cost=7_500.0),
        Order("o7", "vale", "hub", 20.0, 60.0, pieces=2, product_class="fruit", release_s=6 * 3600),
    )
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """Facts and a plan without fault."""

    facts: MapFacts
    plan: PlanDocument


@dataclass(frozen=True)
class _Maker:
    facts: MapFacts
    profiles: dict[str, Profile]
    network: StreetNetwork

    def way(self, vehicle: Vehicle, start: str, end: str, left_wh: float | None) -> Movement:
        """Return the fastest way between two places as `geodata` finds it."""
        profile = self.profiles[vehicle.travel]
        costs = edge_costs(self.network, profile)
        places = [self.facts.places[start], self.facts.places[end]]
        joined = snap(
            self.network, costs, profile, np.array([p.lon for p in places]), np.array([p.lat for p in places])
        )
        path = find_paths(self.network, costs, joined, [(0, 1)])[0]
        assert path is not None
        left = None if left_wh is None else round(left_wh - path.energy_wh, 3)
        energy = round(path.energy_wh, 3)
        return Movement("street", path.distance_m, path.duration_s, energy, left, nodes=path.nodes)

    def round(self, route_id: str, vehicle: Vehicle, start_s: int, halts: list[tuple]) -> Route:
        """Return a timed round; a halt is (place, loads, unloads, service_s, rest_s)."""
        stops, arrival_s, aboard, left = [], start_s, {}, vehicle.type.range_wh
        for number, (place, loads, unloads, service_s, rest_s) in enumerate(halts):
            end_s = arrival_s + service_s
            for handover in unloads:
                aboard.pop(handover.order)
            aboard.update({handover.order: handover for handover in loads})
            movement = None
            if number + 1 < len(halts):
                movement = self.way(vehicle, place, halts[number + 1][0], left)
                left = movement.battery_left_wh
            kg, litres = self.load(aboard)
            breaks = (Rest(end_s, end_s + rest_s),) if rest_s else ()
            stops.append(
                Stop(place, arrival_s, arrival_s, end_s, end_s + rest_s, tuple(loads), tuple(unloads), breaks, kg,
                     litres, movement=movement)
            )  # fmt: skip
            arrival_s = end_s + rest_s + (movement.duration_s if movement else 0)
        kind = vehicle.type
        return Route(
            route_id, vehicle.id, vehicle.operator, kind.kind, kind.id, kind.profile, vehicle.base, tuple(stops)
        )

    def load(self, aboard: dict[str, Handover]) -> tuple[float, float]:
        """Return kilograms and litres aboard, one box for each boxed order."""
        kg = litres = 0.0
        for handover in aboard.values():
            order = self.facts.orders[handover.order]
            box = PRODUCTS.boxes[handover.box] if handover.box else None
            kg += order.weight_kg + (box.mass_kg if box else 0.0)
            litres += box.outer_l if box else order.volume_l
        return round(kg, 6), round(litres, 6)

    def sortie(self, route_id: str, drone: Drone, start_s: int, place: str, order: str) -> Route:
        """Return a sortie that takes one order to a place."""
        physics, facts = drone.service.physics, self.facts
        base, there = facts.places[drone.base], facts.places[place]
        ends = ((base.lon, base.lat), (there.lon, there.lat))
        frame = LocalFrame(105.02, 30.01)
        goods = (Handover(order, "hold"),)
        kg, litres = self.load({order: goods[0]})
        out = find_flight_path(facts.terrain, facts.airspace, frame, *ends, physics, DAY)
        back = find_flight_path(facts.terrain, facts.airspace, frame, *reversed(ends), physics, DAY)
        out_cost = fly(out.line, physics, kg, facts.weather, start_s, winch=True)
        assert isinstance(out_cost, FlightCost)
        arrive_s = start_s + out_cost.duration_s
        leave_s = arrive_s + physics.winch_s
        back_cost = fly(back.line, physics, 0.0, facts.weather, leave_s, winch=False)
        assert isinstance(back_cost, FlightCost)
        end_s = leave_s + back_cost.duration_s
        left = physics.battery_wh - out_cost.energy_wh
        stops = (
            Stop(drone.base, start_s, start_s, start_s, start_s, load=goods, load_kg=kg, load_l=litres,
                 movement=_flight(out.line, out_cost, left)),
            Stop(place, arrive_s, arrive_s, leave_s, leave_s, unload=goods,
                 movement=_flight(back.line, back_cost, left - back_cost.energy_wh)),
            Stop(drone.base, end_s, end_s, end_s, end_s),
        )  # fmt: skip
        kind = drone.service.id
        return Route(route_id, drone.id, drone.operator, "drone", kind, kind, drone.base, stops)


def _flight(line: FloatArray, cost: FlightCost, left_wh: float) -> Movement:
    points = tuple((round(lon, 7), round(lat, 7), round(height, 2)) for lon, lat, height in line.tolist())
    return Movement(
        "flight", cost.distance_m, cost.duration_s, round(cost.energy_wh, 3), round(left_wh, 3), line=points
    )


def _bus_route() -> Route:
    first, last = BUS.calls
    goods = (Handover("o2", "hold"), Handover("o4", "hold", "ice"))
    stops = (
        Stop("hub", first.arrival_s, first.arrival_s, first.departure_s, first.departure_s, load=goods,
             load_kg=8.0 + 5.0 + 6.0, load_l=30.0 + 60.0, bus_stop="S1", call=1,
             movement=Movement("bus", 0, last.arrival_s - first.departure_s, 0.0)),
        Stop("town", last.arrival_s, last.arrival_s, last.departure_s, last.departure_s, unload=goods,
             bus_stop="S2", call=5),
    )  # fmt: skip
    return Route("T1", "T1", "bus company", "bus", "L1", "bus", "hub", stops)


@cache
def make_world() -> World:
    """Return the world; made once, it is immutable."""
    network = make_network()
    shipped = load_profiles()
    profiles = {
        profile.key: profile
        for profile in (shipped["van_diesel"].limited(VAN_TYPE.width_m, None, None), shipped["emoto"])
    }
    van_key, moto_key = profiles
    terrain = make_terrain()
    peak = PLACES["peak"]
    height = float(terrain.elevation_m(np.array([peak.lon]), np.array([peak.lat]))[0])
    service = DroneService(load_drone_types()["L"], 4_000.0, 900.0, 1_000.0, 6 * 3600, 18 * 3600)
    van = Vehicle("van@hub#1", VAN_TYPE, "hub", "firm", van_key)
    moto = Vehicle("moto@town#1", COURIER_TYPE, "town", "firm", moto_key)
    drone = Drone("L@town#1", service, "town", "firm")
    facts = MapFacts(
        scenario_name="small world",
        service_date=DAY,
        currency="CNY",
        digest="d1",
        places={**PLACES, "peak": replace(peak, elevation_m=height)},
        orders=ORDERS,
        rejected=(Rejected(9, "bad", ("orders.csv, row 9: weight below zero",)),),
        carriers={
            carrier.id: carrier
            for carrier in (van, replace(van, id="van@hub#2"), moto, drone, replace(drone, id="L@town#2"), BUS)
        },
        products=PRODUCTS,
        rates=RATES,
        roads=StreetRoads(network, profiles, (), DAY),
        terrain=terrain,
        airspace=Airspace((Zone("Z1", "no_fly", "Waterworks", rectangle(105.05, 30.02, 105.06, 30.03)),)),
        weather=_weather(),
        clocks={},
    )
    maker = _Maker(facts, profiles, network)
    main = lambda order: Handover(order, "main")  # noqa: E731
    cool = Handover("o7", "cool")
    van_round = maker.round(
        "R1",
        van,
        6 * 3600 + 2400,
        [
            ("hub", [main("o1"), main("o3"), main("o5")], [], 20, 0),
            ("town", [], [main("o3")], 124, 1200),
            ("vale", [cool], [main("o1")], 160, 0),
            ("drop:o5", [], [main("o5")], 140, 0),
            ("hub", [], [cool], 8, 0),
        ],
    )
    rack = Handover("o2", "rack")
    moto_round = maker.round(
        "R2",
        moto,
        8 * 3600 + 1200 + 180 + 300,
        [("town", [rack], [], 8, 0), ("vale", [], [rack], 80, 0), ("town", [], [], 0, 0)],
    )
    sortie = maker.sortie("R3", drone, 9 * 3600, "peak", "o3")
    routes = (van_round, moto_round, sortie, _bus_route())
    plan = PlanDocument(
        scenario=ScenarioRef("small world", DAY.isoformat(), "d1"),
        seed=1,
        versions={"shanlu": "0"},
        objective=Objective("CNY", CostBreakdown(), 0),
        routes=routes,
        unassigned=(Unassigned("o6", "TOO_HEAVY", "heavier than every carrier", "超重"),),
        rejected=facts.rejected,
        orders=legs_of(routes),
        bound=100.0,
    )
    return World(facts, _priced(plan))


def _weather() -> Weather:
    return Weather(
        tuple(
            WeatherHour(hour, 12.0 + min(hour, 14) * 0.5, 3.0, 180.0, 15.0 if 14 <= hour < 17 else 4.0)
            for hour in range(24)
        ),
        GROUND_M,
    )


def legs_of(routes: tuple[Route, ...]) -> tuple[OrderLegs, ...]:
    found: dict[str, list[Leg]] = {}
    for route in routes:
        where: dict[str, Stop] = {}
        for stop in route.stops:
            for item in stop.unload:
                start = where.get(item.order)
                if start is None:
                    continue
                found.setdefault(item.order, []).append(
                    Leg(item.order, route.id, route.kind, start.place, stop.place, start.service_start_s,
                        start.departure_s, stop.arrival_s, stop.service_end_s, item.compartment, item.box)
                )  # fmt: skip
            where.update({item.order: stop for item in stop.load})
    return tuple(
        OrderLegs(order, tuple(sorted(legs, key=lambda leg: leg.departure_s))) for order, legs in sorted(found.items())
    )


def _priced(plan: PlanDocument) -> PlanDocument:
    """Return the plan with its cost lines, each written out for this very plan."""
    van, moto, sortie, _ = plan.routes
    km = {route.id: sum(s.movement.distance_m for s in route.stops if s.movement) / 1000 for route in plan.routes}
    kwh = {route.id: sum(s.movement.energy_wh for s in route.stops if s.movement) / 1000 for route in plan.routes}
    hours = {route.id: (route.stops[-1].service_end_s - route.stops[0].service_start_s) / 3600 for route in plan.routes}
    late_h = (van.stops[2].service_start_s - 7 * 3600) / 3600
    lines = CostBreakdown(
        distance=round(km[van.id] * 60 + km[moto.id] * 10),
        time=round(hours[van.id] * 3200 + hours[moto.id] * 2000 + hours[sortie.id] * 1000),
        fixed=8000 + 500 + 4000 + 900,
        energy=round(kwh[van.id] * 75 + (kwh[moto.id] + kwh[sortie.id]) * 70),
        bus_fees=20 * (8 + 5) + 30 * (2 + 1),
        handling=10 * (2 + 1),
        lateness=round(600 * late_h),
        spoilage=SPOILAGE,
        unassigned=7500,
    )
    return replace(plan, objective=Objective("CNY", lines, lines.total))


SPOILAGE = 1
"""Meat worth 200.00 for well under an hour at 2 °C: (0.6/583)^1.5 of it, a third of a fen to one."""
