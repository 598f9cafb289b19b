"""Two echelons with windows (2E-CVRPTW, Dellaert et al. 2019): the JSON files as problems, and their judge.

Depots (``cdcs``) are hubs that all hold all goods, satellites are town stations, customers drops. Trucks leave a depot
when it opens, spend the satellites' service time at each visit, and return; goods may leave again after that time.
Vehicles of the satellites make one round each. Cost is Euclidean length and a cost per vehicle used.

An order of the planner is not split. The published rules let a customer's goods come by several trucks, which best
solutions of `SetD-modQ` use; those of `SetD` do not need it.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from geodata.errors import Fault, InputError
from geodata.location import Level
from geodata.matrix import TravelMatrix
from routing.instances.family import Family, PublishedInstance, Verdict
from routing.model.carrier import Compartment, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.plan import Plan, Route
from routing.model.problem import CostRates, Place, Problem
from routing.model.product import ProductClass, Products

NAME = "2ecvrptw"
SCALE = 1_000
"""Seconds, metres and minor units that a unit of the file becomes; lengths are rounded up, so what is in time by the
whole seconds is so by the file, and triangle inequalities survive."""
_TOLERANCE = 1e-6
"""Slack of the judge, in units of the file."""
_UNSERVED_FACTOR = 10.0
"""An order left out costs so many times what a truck and a van for it alone would."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A customer, satellite or depot as read; `kind` is the first letter of its place's id."""

    kind: str
    number: int
    x: float
    y: float
    early: float
    late: float
    service: float
    demand: float = 0.0

    @property
    def place(self) -> str:
        """Id of the place in the problem."""
        return f"{self.kind}{self.number}"


@dataclass(frozen=True, slots=True)
class _Level:
    """The vehicles of one echelon."""

    fleet: int
    capacity: float
    cost: float


@dataclass(frozen=True, slots=True)
class _Figures:
    """A file as read."""

    trucks: _Level
    vans: _Level
    depots: tuple[_Node, ...]
    satellites: tuple[_Node, ...]
    customers: tuple[_Node, ...]

    @property
    def nodes(self) -> tuple[_Node, ...]:
        """All nodes."""
        return (*self.depots, *self.satellites, *self.customers)


def read_twoechelon(path: Path) -> PublishedInstance:
    """Read an instance; its best value comes from ``best_known.csv`` beside it or one folder up.

    Raises
    ------
    InputError
        If the file cannot be read or is not a whole instance of the family.
    """
    figures = _read_figures(path)
    return PublishedInstance(
        family=NAME,
        name=path.stem,
        problem=_problem(path.stem, figures),
        judge=lambda plan: judge(figures, plan),
        best_known=_best_known(path),
    )


FAMILY = Family(NAME, read_twoechelon, "*.json")


# --- The file ------------------------------------------------------------------------------------------------------


def _read_figures(path: Path) -> _Figures:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        figures = _Figures(
            _level(raw["first_level_vehicles"]),
            _level(raw["second_level_vehicles"]),
            tuple(_node("d", entry) for entry in raw["cdcs"]),
            tuple(_node("s", entry) for entry in raw["satellites"]),
            tuple(_node("c", entry, float(entry["demand"])) for entry in raw["customers"]),
        )
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError([_broken(path, f"the instance cannot be read: {reason}")]) from error
    faults = [_broken(path, reason) for reason in _contradictions(figures)]
    if faults:
        raise InputError(faults)
    return figures


def _level(entry: Mapping[str, Any]) -> _Level:
    return _Level(int(entry["fleet_size"]), float(entry["capacity"]), float(entry["cost"]))


def _node(kind: str, entry: Mapping[str, Any], demand: float = 0.0) -> _Node:
    early, late = (float(value) for value in entry["time_window"])
    return _Node(
        kind, int(entry["id"]), float(entry["x"]), float(entry["y"]), early, late, float(entry["service_time"]), demand
    )


def _contradictions(figures: _Figures) -> Iterator[str]:
    """Yield what makes the figures no instance."""
    if not (figures.depots and figures.satellites and figures.customers):
        yield "depots, satellites or customers are missing"
    for level in (figures.trucks, figures.vans):
        if level.fleet < 1 or not level.capacity > 0 or not level.cost >= 0:
            yield "a fleet has no vehicle, no capacity or a negative cost"
    ids = [node.place for node in figures.nodes]
    if len(set(ids)) != len(ids):
        yield "an id is given twice"
    yield from (f"node {node.number} has {fault}" for node in figures.nodes for fault in _node_faults(node))
    if len({node.service for node in figures.satellites}) > 1 or any(node.service for node in figures.depots):
        yield "satellites differ in service time, or depots have one"


def _node_faults(node: _Node) -> Iterator[str]:
    if not all(math.isfinite(value) for value in (node.x, node.y, node.early, node.late, node.service, node.demand)):
        yield "a figure that is no number"
    elif not 0 <= node.early <= node.late or node.service < 0:
        yield "a window that ends before it begins, or a negative time"
    if node.kind == "c" and not node.demand > 0:
        yield "no demand"


def _broken(path: Path, reason: str) -> Fault:
    return Fault("BROKEN_FILE", path.name, reason, "Give the file as published")


def _best_known(path: Path) -> float | None:
    """Return the best published value, None where no table names the instance (and its folder, where it names one)."""
    for folder in (path.parent, path.parent.parent):
        table = folder / "best_known.csv"
        if table.is_file():
            with table.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    if row.get("instance") == path.stem and row.get("set") in (None, path.parent.name):
                        return float(row["value"])
    return None


def _length(a: _Node, b: _Node) -> float:
    return math.hypot(a.x - b.x, a.y - b.y)


# --- The problem ---------------------------------------------------------------------------------------------------


def _problem(name: str, figures: _Figures) -> Problem:
    """Return the day. A matrix per base keeps trucks from doors and vans from other satellites."""
    matrices = {depot.place: _matrix([depot, *figures.satellites]) for depot in figures.depots}
    matrices |= {satellite.place: _matrix([satellite, *figures.customers]) for satellite in figures.satellites}
    widest = max(float(matrix.distance_m.max()) for matrix in matrices.values())
    unserved = _UNSERVED_FACTOR * (SCALE * (figures.trucks.cost + figures.vans.cost) + 4.0 * widest)
    trucks = min(figures.trucks.fleet, len(figures.customers))
    vans = min(figures.vans.fleet, len(figures.customers))
    stop_s = _up(figures.satellites[0].service)
    vehicles = [v for depot in figures.depots for v in _fleet(depot, "truck", figures.trucks, trucks, stop_s)]
    vehicles += [v for satellite in figures.satellites for v in _fleet(satellite, "van", figures.vans, vans, 0)]
    return Problem(
        name=name,
        places=tuple(_place(node) for node in figures.nodes),
        orders=tuple(_order(customer, figures.depots, unserved) for customer in figures.customers),
        vehicles=tuple(vehicles),
        drones=(),
        bus_trips=(),
        matrices=matrices,
        flights={},
        products=Products({"ambient": ProductClass("ambient", "Goods", "货物")}, {}, {}),
        rates=CostRates(electricity_per_kwh=0.0, diesel_per_kwh=0.0, handling_per_piece=0.0, unit_s=0.0),
        hourly_temp_c=np.zeros(1),
        temp_elevation_m=0.0,
    )


def _up(value: float) -> int:
    return math.ceil(value * SCALE - _TOLERANCE)


def _down(value: float) -> int:
    return math.floor(value * SCALE + _TOLERANCE)


def _matrix(nodes: Sequence[_Node]) -> TravelMatrix:
    lengths = np.array([[_up(_length(a, b)) for b in nodes] for a in nodes], dtype=np.int64)
    return TravelMatrix(
        nodes[0].place, tuple(node.place for node in nodes), lengths, lengths.copy(), np.zeros(lengths.shape)
    )


def _place(node: _Node) -> Place:
    level = {"d": Level.COUNTY, "s": Level.TOWN, "c": Level.GROUP}[node.kind]
    return Place(
        id=node.place,
        name=str(node.number),
        level=level,
        lon=node.x / 10_000.0,
        lat=node.y / 10_000.0,
        elevation_m=0.0,
        opens_s=_up(node.early),
        closes_s=_down(node.late),
        handling_s=0,
        store_kg={"ambient": 1.0e9} if node.kind == "s" else {},
    )


def _order(customer: _Node, depots: Sequence[_Node], unserved_cost: float) -> Order:
    return Order(
        id=str(customer.number),
        from_id=depots[0].place,
        to_id=customer.place,
        weight_kg=customer.demand,
        volume_l=0.0,
        windows=((_up(customer.early), _down(customer.late)),),
        service_s=_up(customer.service),
        unserved_cost=unserved_cost,
        also_from=tuple(depot.place for depot in depots[1:]),
    )


def _fleet(base: _Node, name: str, level: _Level, count: int, stop_s: int) -> Iterator[Vehicle]:
    kind = VehicleType(
        id=f"{name} of {base.place}",
        kind="vehicle",
        profile=base.place,
        compartments=(Compartment("hold", level.capacity, level.capacity),),
        fixed_cost=level.cost * SCALE,
        cost_per_km=1_000.0,
        cost_per_h=0.0,
        shift_start_s=_up(base.early),
        shift_end_s=_down(base.late),
        max_drive_s=_down(base.late),
        stop_s=stop_s,
        max_rounds=1,
        max_continuous_drive_s=None,
    )
    for k in range(count):
        yield Vehicle(f"{name}@{base.place}#{k + 1}", kind, base.place, "fleet", base.place)


# --- The judge -----------------------------------------------------------------------------------------------------


def judge(figures: _Figures, plan: Plan) -> Verdict:
    """Judge which vehicle brings what where in which order; times are reckoned anew from the file, as early as can be.

    The objective is length and vehicle costs of both echelons. It is None when a rule is broken.
    """
    nodes = {node.place: node for node in figures.nodes}
    trucks = [route for route in plan.routes if nodes[route.stops[0].place].kind == "d"]
    vans = [route for route in plan.routes if nodes[route.stops[0].place].kind != "d"]
    faults: list[str] = []
    release: dict[str, tuple[str, float]] = {}
    for route in trucks:
        faults += [f"{route.id}: {fault}" for fault in _truck_faults(figures, nodes, route, release)]
    for route in vans:
        faults += [f"{route.id}: {fault}" for fault in _van_faults(figures, nodes, route, release)]
    served = sorted(handover.order for route in vans for stop in route.stops for handover in stop.unload)
    if served != sorted(str(customer.number) for customer in figures.customers):
        faults.append("not every customer is served exactly once")
    if len({route.carrier for route in plan.routes}) != len(plan.routes):
        faults.append("a vehicle makes two rounds")
    if len(trucks) > figures.trucks.fleet or len(vans) > figures.vans.fleet:
        faults.append("there are not so many vehicles")
    length = sum(_length(nodes[a.place], nodes[b.place]) for route in plan.routes for a, b in pairwise(route.stops))
    total = length + figures.trucks.cost * len(trucks) + figures.vans.cost * len(vans)
    return Verdict(None if faults else total, len(plan.routes), tuple(faults))


def _truck_faults(
    figures: _Figures, nodes: Mapping[str, _Node], route: Route, release: dict[str, tuple[str, float]]
) -> Iterator[str]:
    """Yield what is wrong with a truck's route; note where and from when on each order it brings is to be had."""
    path = [nodes[stop.place] for stop in route.stops]
    depot = path[0]
    if path[-1] != depot or not path[1:-1] or any(node.kind != "s" for node in path[1:-1]):
        yield "does not run from a depot over satellites to the same depot"
    aboard = {handover.order for handover in route.stops[0].load}
    if _demand(figures, aboard) > figures.trucks.capacity + _TOLERANCE:
        yield "is overloaded"
    now = depot.early
    for before, node, stop in zip(path, path[1:], route.stops[1:], strict=False):
        now = max(now + _length(before, node), node.early)
        if now > node.late + _TOLERANCE:
            yield f"is late at node {node.number}"
        now += node.service
        for handover in stop.unload:
            if handover.order not in aboard or handover.order in release:
                yield f"brings {handover.order}, which is not aboard or was brought before"
            release[handover.order] = (node.place, now)


def _van_faults(
    figures: _Figures, nodes: Mapping[str, _Node], route: Route, release: Mapping[str, tuple[str, float]]
) -> Iterator[str]:
    path = [nodes[stop.place] for stop in route.stops]
    base = path[0]
    if path[-1] != base or base.kind != "s" or any(node.kind != "c" for node in path[1:-1]):
        yield "does not run from a satellite over customers to the same satellite"
    aboard = {handover.order for handover in route.stops[0].load}
    if _demand(figures, aboard) > figures.vans.capacity + _TOLERANCE:
        yield "is overloaded"
    now = base.early
    for order in sorted(aboard):
        place, ready = release.get(order, ("", math.inf))
        if place != base.place:
            yield f"takes {order}, which no truck brings there"
        now = max(now, ready)
    for before, node, stop in zip(path, path[1:], route.stops[1:], strict=False):
        now = max(now + before.service * (before.kind == "c") + _length(before, node), node.early)
        if now > node.late + _TOLERANCE:
            yield f"is late at node {node.number}"
        for handover in stop.unload:
            if handover.order not in aboard or node.place != f"c{handover.order}":
                yield f"delivers {handover.order}, which is not aboard or not for node {node.number}"


def _demand(figures: _Figures, orders: set[str]) -> float:
    return sum(customer.demand for customer in figures.customers if str(customer.number) in orders)
