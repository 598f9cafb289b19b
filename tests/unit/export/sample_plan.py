"""A small plan made by hand over a valley that is a formula: what the export tests look at."""

import math
import random
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from geodata.location import FloatArray, Level
from routing.export.relief import mercator_grid, shaded_relief
from routing.export.scene import PlaceInfo, RoadLine, Scene, ZoneShape
from routing.model.order import Order
from routing.model.plan import (
    CarrierKind,
    CostBreakdown,
    Handover,
    Movement,
    Objective,
    OrderLegs,
    Plan,
    PlanDocument,
    Rejected,
    Relaxation,
    Rest,
    Route,
    ScenarioRef,
    Stop,
    Unassigned,
)
from routing.model.product import Box, ProductClass, Products
from routing.plan_io import derive_legs

NASTY = '</script><img src=x onerror="window.hacked=1">&\''
"""A site name that must come out as text everywhere."""
WEST, SOUTH, EAST, NORTH = 104.9, 27.9, 105.3, 28.2
PRODUCTS = Products(
    classes={
        "ambient": ProductClass(id="ambient", name="Parcel", name_zh="普通包裹"),
        "mushroom": ProductClass(
            id="mushroom",
            name="Fresh mushrooms",
            name_zh="鲜菌",
            cold=True,
            low_c=0.0,
            high_c=8.0,
            store="chilled",
            box="EPP-60",
        ),
    },
    boxes={"EPP-60": Box("EPP-60", 55.0, 90.0, 3.2, 0.9, 900_000.0, 4.0)},
    store_c={"chilled": 4.0, "frozen": -18.0},
)


def height_m(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Heights of the made-up land."""
    x, y = (lon - WEST) * 25, (lat - SOUTH) * 30
    ridges = np.sin(1.3 * x + 0.7 * np.sin(y)) * np.cos(0.9 * y - 0.4 * x)
    hills = 160 * np.sin(3.1 * x + 2.2 * y) * np.cos(2.7 * y) + 60 * np.sin(9 * x) * np.sin(8 * y)
    return np.asarray(1_100 + 520 * ridges + hills, dtype=np.float64)


def road_between(a: PlaceInfo, b: PlaceInfo, seed: int) -> FloatArray:
    """A winding line with heights from one place to another, shape (n, 3)."""
    rng = random.Random(seed)
    bend, waves = rng.uniform(-0.12, 0.12), rng.uniform(0.004, 0.008)
    t = np.linspace(0, 1, 60)
    ease = np.sin(math.pi * t)
    lon = a.lon + (b.lon - a.lon) * t - (b.lat - a.lat) * (bend * ease) + waves * ease * np.sin(t * 21 + seed)
    lat = a.lat + (b.lat - a.lat) * t + (b.lon - a.lon) * (bend * ease) + waves * ease * np.cos(t * 17 + seed)
    lon[[0, -1]], lat[[0, -1]] = (a.lon, b.lon), (a.lat, b.lat)
    return np.column_stack([lon, lat, height_m(lon, lat)])


def make_places(seed: int = 1, towns: int = 3, villages: int = 3, groups: int = 2) -> dict[str, PlaceInfo]:
    """The network: a hub, towns around it, villages around them, groups around those."""
    rng = random.Random(seed)
    found: dict[str, PlaceInfo] = {}

    def add(place_id: str, name: str, level: Level, lon: float, lat: float, parent: str | None, **more: Any) -> None:
        height = float(height_m(np.array(lon), np.array(lat)))
        found[place_id] = PlaceInfo(place_id, name, level, lon, lat, height, parent=parent, **more)

    add("hub", "云岭县", Level.COUNTY, 105.1, 28.05, None, drone_pads=2, opens_s=21_600, closes_s=79_200)
    for k in range(towns):
        angle = 2 * math.pi * k / towns + 0.4
        town = f"t{k}"
        lon, lat = 105.1 + 0.11 * math.cos(angle), 28.05 + 0.085 * math.sin(angle)
        add(
            town,
            ("石门镇", "La Massana", "清水镇", "牛栏坝镇", "Ordino", "大垭口镇")[k % 6],
            Level.TOWN,
            lon,
            lat,
            "hub",
        )
        for j in range(villages):
            turn, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0.02, 0.05)
            village = f"{town}v{j}"
            name = NASTY if (k, j) == (0, 0) else f"{'青白黑红黄长'[j % 6]}{'岩沟坝坪湾塘'[(k + j) % 6]}村"
            v_lon, v_lat = lon + reach * math.cos(turn), lat + reach * 0.8 * math.sin(turn)
            add(village, name, Level.VILLAGE, v_lon, v_lat, town, synthetic=True)
            for i in range(groups):
                turn, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0.004, 0.014)
                g_lon, g_lat = v_lon + reach * math.cos(turn), v_lat + reach * math.sin(turn)
                add(f"{village}g{i}", f"{i + 1}组", Level.GROUP, g_lon, g_lat, village)
    add("drop:o2", "drop:o2", Level.GROUP, 105.13, 28.08, None, is_drop=True)
    return found


Item = tuple[str, ...]
"""Order, compartment and, for goods in a box, the box."""
Visit = tuple[str, list[Item], list[Item]]
"""Place, what is loaded and what is unloaded there."""


MINUTES_PER_KM = {"vehicle": 2.0, "bus": 1.8, "courier": 9.0, "drone": 1.2}
WAYS: dict[CarrierKind, Literal["street", "flight", "bus"]] = {
    "vehicle": "street",
    "bus": "bus",
    "courier": "street",
    "drone": "flight",
}


class Drawer:
    """Makes routes and keeps their lines."""

    def __init__(self, places: dict[str, PlaceInfo]) -> None:
        self.places = places
        self.routes: list[Route] = []
        self.paths: dict[tuple[str, int], FloatArray] = {}

    def route(
        self,
        route_id: str,
        carrier: str,
        kind: CarrierKind,
        type_id: str,
        operator: str,
        visits: list[Visit],
        start_s: int,
        rest_at: int | None = None,
        profile: str = "",
    ) -> Route:
        """Add a route through visits of (place, loads, unloads); handovers are (order, compartment, box)."""
        stops, clock_s, kg = [], start_s, 0.0
        for position, (place, on, off) in enumerate(visits):
            service_s = 0 if kind == "drone" and position == 0 else 120 + 60 * (len(on) + len(off))
            kg = max(0.0, kg + 5.0 * (len(on) - len(off)))
            stop = Stop(
                place=place,
                arrival_s=clock_s,
                service_start_s=clock_s,
                service_end_s=clock_s + service_s,
                departure_s=clock_s + service_s,
                load=tuple(Handover(*item) for item in on),
                unload=tuple(Handover(*item) for item in off),
                load_kg=kg,
            )
            if position == rest_at:
                rest = Rest(stop.service_end_s, stop.service_end_s + 1200)
                stop = replace(stop, breaks=(rest,), departure_s=rest.end_s)
            if position + 1 < len(visits):
                line = self.line(place, visits[position + 1][0], kind)
                km = float(np.hypot(*(np.diff(line[:, :2], axis=0) * (98.0, 111.0)).T).sum())
                movement = Movement(
                    kind=WAYS[kind],
                    distance_m=round(km * 1000),
                    duration_s=round(km * MINUTES_PER_KM[kind] * 60),
                    energy_wh=round(km * 180, 1),
                    battery_left_wh=round(2000 - km * 90, 1) if kind == "drone" else None,
                )
                self.paths[route_id, position] = line
                stop = replace(stop, movement=movement)
                clock_s = stop.departure_s + movement.duration_s
            stops.append(stop)
        base = visits[0][0]
        self.routes.append(Route(route_id, carrier, operator, kind, type_id, profile, base, tuple(stops)))
        return self.routes[-1]

    def line(self, a: str, b: str, kind: str) -> FloatArray:
        """The line between two places; one road a pair, both ways."""
        first, second = sorted((a, b))
        line = road_between(self.places[first], self.places[second], len(first) * 7 + len(second) * 3 + hash_of(a, b))
        if kind == "drone":
            line = line[[0, -1]]
            t = np.linspace(0, 1, 9)[:, None]
            line = line[0] + (line[-1] - line[0]) * t + np.array([0, 0, 110.0])
        return line if first == a else line[::-1]


def hash_of(a: str, b: str) -> int:
    """A number of a pair that is the same in every run."""
    return sum(map(ord, "".join(sorted((a, b))))) % 97


def sample_scene(
    *, routes: int = 6, towns: int = 3, villages: int = 3, groups: int = 2, with_map: bool = True
) -> Scene:
    """The plan: `routes` is the number of extra van rounds, sorties and walks beside one of each kind."""
    places = make_places(towns=towns, villages=villages, groups=groups)
    drawer = Drawer(places)
    box = ("o3", "hold", "EPP-60")
    drawer.route(
        "R-truck-1", "truck-1", "vehicle", "truck_4t", "山路物流",
        [("hub", [("o1", "main"), ("o4", "main")], []), ("t0", [], [("o1", "main"), ("o4", "main")]), ("hub", [], [])],
        7 * 3600, rest_at=1, profile="truck",
    )  # fmt: skip
    drawer.route("R-tri-1", "tricycle-1", "vehicle", "tricycle", "石门合作社",
                 [("t0", [("o1", "box")], []), ("t0v0", [], [("o1", "box")]), ("t0", [], [])],
                 9 * 3600, profile="tricycle")  # fmt: skip
    drawer.route("B-L1-07", "L1-07", "bus", "L1", "云岭客运", [("t1v1", [box], []), ("hub", [], [box])], 8 * 3600)
    drawer.route("R-van-1", "van-1", "vehicle", "van_diesel", "山路物流",
                 [("hub", [("o2", "main")], []), ("drop:o2", [], [("o2", "main")]), ("hub", [], [])],
                 25 * 3600, profile="van_diesel")  # fmt: skip
    drawer.route("C-1", "courier-1", "courier", "walker", "石门合作社",
                 [("t0", [("o4", "bag")], []), ("t0v1g0", [], [("o4", "bag")]), ("t0", [], [])],
                 10 * 3600, profile="walker")  # fmt: skip
    drawer.route("D-1-1", "drone-1", "drone", "L", "云岭低空",
                 [("hub", [("o5", "hold", "EPP-60")], []), ("t2v1g1", [], [("o5", "hold", "EPP-60")]), ("hub", [], [])],
                 11 * 3600)  # fmt: skip
    orders = {
        "o1": Order("o1", "hub", "t0v0", 4.0, 12.0),
        "o2": Order("o2", "hub", "drop:o2", 2.0, 6.0, windows=((88_000, 93_000),)),
        "o3": Order(
            "o3", "t1v1", "hub", 30.0, 80.0, pieces=2, product_class="mushroom", release_s=25_000, due_s=29_000
        ),
        "o4": Order("o4", "hub", "t0v1g0", 1.0, 2.0),
        "o5": Order("o5", "hub", "t2v1g1", 3.0, 9.0, product_class="mushroom"),
        "=o6": Order("=o6", "hub", "t1v0", 400.0, 900.0, synthetic=True),
    }
    more_rounds(drawer, orders, routes)
    legs = derive_legs(Plan(tuple(drawer.routes)))
    lines = CostBreakdown(distance=90_200, time=140_450, fixed=60_000, energy=8_000, bus_fees=2_550, handling=900)
    relaxation = Relaxation(
        "fleet", 400.0, "kg", "A van of 400 kg at the hub would take it.", "在县城增加一辆车。", True
    )
    document = PlanDocument(
        scenario=ScenarioRef("Yunling 云岭", "2026-03-14", "ab12" * 16),
        seed=1,
        versions={"shanlu": "0.1.0"},
        objective=Objective("CNY", lines, lines.total),
        routes=tuple(drawer.routes),
        unassigned=(
            Unassigned("=o6", "TOO_HEAVY", "It weighs 400 kg; carriers take 350 kg.", "超过最大载重。", relaxation),
        ),
        rejected=(Rejected(9, "o9", ("orders.csv, row 9: no such site",)),),
        orders=tuple(OrderLegs(order, found) for order, found in sorted(legs.items())),
    )  # fmt: skip
    square = [[105.15, 28.0], [105.19, 28.0], [105.19, 28.03], [105.15, 28.03], [105.15, 28.0]]
    scene = Scene(
        document=document,
        places=places,
        orders=orders,
        products=PRODUCTS,
        paths=drawer.paths,
        credits=("© OpenStreetMap contributors (ODbL 1.0)", "SRTM (NASA, public domain)"),
        synthetic=("orders", "fleet"),
        set_points_c={("reefer", "cold"): 4.0},
        zones=(ZoneShape("z1", "变电站", "no_fly", {"type": "Polygon", "coordinates": [square]}),),
    )
    return with_background(scene) if with_map else scene


def more_rounds(drawer: Drawer, orders: dict[str, Order], count: int) -> None:
    """Add rounds of the kinds in turn, each to two or three places of its own, with orders down and up."""
    rng = random.Random(7)
    places = [
        place for place in drawer.places.values() if place.level in (Level.VILLAGE, Level.GROUP) and not place.is_drop
    ]
    kinds: list[tuple[str, CarrierKind, str, int]] = [
        ("van", "vehicle", "van_electric", 4),
        ("drone", "drone", "M", 1),
        ("tricycle", "vehicle", "tricycle", 3),
        ("bus", "bus", "L2", 3),
        ("courier", "courier", "walker", 2),
    ]
    for k in range(count):
        name, kind, type_id, reach = kinds[k % len(kinds)]
        base = "hub" if name in ("van", "drone", "bus") else f"t{k % 3}"
        near = [place for place in places if base == "hub" or place.id.startswith(base)]
        chosen = [place.id for place in rng.sample(near, min(reach, len(near)))]
        items: list[tuple[str, Item]] = []
        for place in chosen:
            order_id = f"x{len(orders):03d}"
            orders[order_id] = Order(order_id, base, place, round(rng.uniform(0.3, 12), 1), 8.0)
            items.append((place, (order_id, "hold" if kind in ("bus", "drone") else "main")))
        visits: list[Visit] = [(base, [item for _, item in items], [])] + [(place, [], [item]) for place, item in items]
        if kind != "bus":
            visits.append((base, [], []))
        start_s = rng.randrange(6 * 3600, 15 * 3600, 60)
        carrier = f"{name}-{2 + k // len(kinds) % 5}"
        operator = "云岭客运" if kind == "bus" else "山路物流"
        drawer.route(f"R-{name}-{k}", carrier, kind, type_id, operator, visits, start_s, profile=type_id)


def with_background(scene: Scene) -> Scene:
    """The scene with roads and relief."""
    places = scene.places
    roads = []
    for place in places.values():
        if place.parent:
            highway = {"hub": "primary"}.get(place.parent, "tertiary" if place.level == Level.VILLAGE else "track")
            parent = places[place.parent]
            first, second = sorted((place.id, parent.id))
            line = road_between(
                places[first], places[second], len(first) * 7 + len(second) * 3 + hash_of(first, second)
            )
            roads.append(RoadLine(highway, line))
    lon, lat = mercator_grid(WEST, SOUTH, EAST, NORTH, 500)
    relief = shaded_relief(height_m(lon, lat), WEST, SOUTH, EAST, NORTH)
    return replace(scene, roads=tuple(roads), relief=relief)
