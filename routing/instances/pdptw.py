"""Li & Lim instances: paired pickups and deliveries with windows, fewest vehicles first, then distance.

The first line holds vehicles, capacity and a speed that nobody uses (a unit of distance takes a unit of time). Then one
node a line: number, x, y, demand, earliest and latest start of service, service time, number of its pickup (0: it is
one), number of its delivery (0: it is one). Node 0 is the depot; its window bounds the day. Distances are Euclidean and
not rounded (convention of SINTEF's tables).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from geodata.errors import Fault, InputError
from geodata.location import Level
from geodata.matrix import TravelMatrix
from routing.instances.best_known import number, row_of
from routing.instances.family import Family, PublishedInstance, Verdict
from routing.instances.instance_text import read_lines
from routing.model.carrier import Compartment, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.plan import Plan, Route
from routing.model.problem import CostRates, Place, Problem
from routing.model.product import ProductClass, Products

NAME = "pdptw"
_LONGEST_DAY_S = 8_640_000
"""Units of a file become the largest power of ten of seconds that keeps its day below so many (100 days)."""
_LARGEST_SCALE = 10_000
_COLUMNS = 9
_TOLERANCE = 1e-6
"""Slack of the judge, in units of the file."""


@dataclass(frozen=True, slots=True)
class _Node:
    """One line of the file. Times and lengths are in its units; `mate` is the other node of the pair."""

    number: int
    x: float
    y: float
    demand: int
    early: int
    late: int
    service: int
    mate: int


@dataclass(frozen=True, slots=True)
class _Figures:
    """A file as read: `nodes` by number, the depot first."""

    vehicles: int
    capacity: int
    nodes: tuple[_Node, ...]

    def distance(self, i: int, j: int) -> float:
        """Return the Euclidean distance of two nodes."""
        return math.hypot(self.nodes[i].x - self.nodes[j].x, self.nodes[i].y - self.nodes[j].y)


def read(path: Path) -> PublishedInstance:
    """Read a Li & Lim file; best values come from ``best_known.csv`` beside it or one folder up.

    Raises
    ------
    InputError
        If the file cannot be read or is not a whole instance of the family.
    """
    figures = _read_figures(path)
    row = row_of(path, path.stem)
    vehicles = number(row, "bks_vehicles")
    return PublishedInstance(
        family=NAME,
        name=path.stem,
        problem=_problem(path.stem, figures),
        judge=lambda plan: judge(figures, plan),
        best_known=number(row, "bks_distance"),
        best_vehicles=None if vehicles is None else int(vehicles),
    )


FAMILY = Family(NAME, read, "**/*.txt")


# --- The file ------------------------------------------------------------------------------------------------------


def _read_figures(path: Path) -> _Figures:
    (first, head), *rest = [(line, text.split()) for line, text in read_lines(path)]
    faults = [_broken(path, f"a node has not {_COLUMNS} columns", line) for line, row in rest if len(row) != _COLUMNS]
    if len(head) != 3:
        faults.insert(0, _broken(path, "the first line does not hold vehicles, capacity and speed", first))
    if faults:
        raise InputError(faults)
    try:
        figures = _Figures(_whole(head[0]), _whole(head[1]), tuple(_node(row) for _, row in rest))
    except (ValueError, OverflowError) as error:
        raise InputError([_broken(path, f"the instance cannot be read: {error}")]) from error
    lines = [line for line, _ in rest]
    wrong = [_broken(path, reason, None if k is None else lines[k]) for k, reason in _contradictions(figures)]
    if wrong:
        raise InputError(wrong)
    return figures


def _whole(text: str) -> int:
    """Return a number without fraction, also where it is written with one that is zero."""
    value = float(text)
    if not value.is_integer():
        msg = f"{text} is no whole number"
        raise ValueError(msg)
    return int(value)


def _node(row: Sequence[str]) -> _Node:
    number, demand, early, late, service, pickup, delivery = (_whole(row[k]) for k in (0, 3, 4, 5, 6, 7, 8))
    x, y = float(row[1]), float(row[2])
    if not (math.isfinite(x) and math.isfinite(y)):
        msg = f"node {number} has no position"
        raise ValueError(msg)
    return _Node(number, x, y, demand, early, late, service, pickup or delivery)


def _contradictions(figures: _Figures) -> list[tuple[int | None, str]]:
    """Return what makes the figures no instance, each with the node it concerns."""
    nodes = figures.nodes
    if figures.vehicles < 1 or figures.capacity < 1 or not nodes:
        return [(None, "the file has no vehicles, no capacity or no depot")]
    found: list[tuple[int | None, str]] = []
    for k, node in enumerate(nodes):
        if node.number != k:
            found.append((k, f"node {node.number} stands where node {k} should"))
        if not 0 <= node.early <= node.late or node.service < 0:
            found.append((k, "the window ends before it begins, or a time is negative"))
        if k and not _paired(nodes, k):
            found.append((k, "pickup and delivery do not name each other with opposite demands"))
    if not found and nodes[0].late == 0:
        found.append((0, "the depot is never open"))
    return found


def _paired(nodes: Sequence[_Node], k: int) -> bool:
    node = nodes[k]
    if not 0 < node.mate < len(nodes) or node.mate == k or node.demand == 0:
        return False
    other = nodes[node.mate]
    return other.mate == k and other.demand == -node.demand


def _broken(path: Path, reason: str, row: int | None = None) -> Fault:
    return Fault("BROKEN_FILE", path.name, reason, "Give the file as published", row=row)


# --- The problem ---------------------------------------------------------------------------------------------------


def _problem(name: str, figures: _Figures) -> Problem:
    """Return the day: each node a place of its own, each pair an order.

    Durations are rounded up, so that what the planner thinks feasible is; at the scale chosen no more than a ten
    thousandth to a thousandth of a unit an arc is lost by it. A vehicle costs more than any detour, an order left out
    more than vehicles, so fewest vehicles come before distance by their prices alone.
    """
    scale = _scale(figures)
    nodes = figures.nodes
    ids = tuple(_place_id(k) for k in range(len(nodes)))
    x, y = np.array([node.x for node in nodes]), np.array([node.y for node in nodes])
    length = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :]) * scale
    metres = np.rint(length).astype(np.int64)
    seconds = np.ceil(length - 1e-6).astype(np.int64)
    matrix = TravelMatrix("road", ids, seconds, metres, np.zeros(length.shape))
    pickups = [node for node in nodes[1:] if node.demand > 0]
    vehicle_cost = float(2 * (len(nodes) + 1) * metres.max() + 1)
    kind = _vehicle_type(figures, scale, vehicle_cost)
    return Problem(
        name=name,
        places=_places(figures, scale),
        orders=tuple(_order(figures, node, scale, 10.0 * vehicle_cost) for node in pickups),
        vehicles=tuple(Vehicle(f"v{k + 1}", kind, ids[0], "fleet", "road") for k in range(figures.vehicles)),
        drones=(),
        bus_trips=(),
        matrices={"road": matrix},
        flights={},
        products=Products({"ambient": ProductClass("ambient", "Goods", "货物")}, {}, {}),
        rates=CostRates(electricity_per_kwh=0.0, diesel_per_kwh=0.0, handling_per_piece=0.0, unit_s=1.0),
        hourly_temp_c=np.zeros(1),
        temp_elevation_m=0.0,
    )


def _scale(figures: _Figures) -> int:
    """Return how many seconds (and metres) a unit of the file becomes."""
    scale = _LARGEST_SCALE
    while scale > 1 and figures.nodes[0].late * scale > _LONGEST_DAY_S:
        scale //= 10
    return scale


def _place_id(number: int) -> str:
    return f"n{number}"


def _vehicle_type(figures: _Figures, scale: int, fixed_cost: float) -> VehicleType:
    depot = figures.nodes[0]
    return VehicleType(
        id="vehicle",
        kind="vehicle",
        profile="road",
        compartments=(Compartment("hold", float(figures.capacity), float(figures.capacity)),),
        fixed_cost=fixed_cost,
        cost_per_km=1000.0,
        cost_per_h=0.0,
        shift_start_s=depot.early * scale,
        shift_end_s=depot.late * scale,
        max_drive_s=depot.late * scale,
        stop_s=0,
        max_rounds=1,
        max_continuous_drive_s=None,
    )


def _places(figures: _Figures, scale: int) -> tuple[Place, ...]:
    """Return the places with their windows as opening hours.

    An order has one service time for both its ends. Where the file has two, the end that takes longer is a town
    station, where loading takes `unit_s` (one second) a piece.
    """
    places = []
    for node in figures.nodes:
        longer = node.number > 0 and node.service > figures.nodes[node.mate].service
        places.append(
            Place(
                id=_place_id(node.number),
                name=str(node.number),
                level=Level.TOWN if longer or node.number == 0 else Level.GROUP,
                lon=node.x / 10_000.0,
                lat=node.y / 10_000.0,
                elevation_m=0.0,
                opens_s=node.early * scale,
                closes_s=node.late * scale,
                handling_s=0,
            )
        )
    return tuple(places)


def _order(figures: _Figures, pickup: _Node, scale: int, unserved_cost: float) -> Order:
    delivery = figures.nodes[pickup.mate]
    return Order(
        id=f"o{pickup.number}",
        from_id=_place_id(pickup.number),
        to_id=_place_id(delivery.number),
        weight_kg=float(pickup.demand),
        volume_l=float(pickup.demand),
        pieces=max(1, max(pickup.service, delivery.service) * scale),
        windows=((delivery.early * scale, delivery.late * scale),),
        service_s=min(pickup.service, delivery.service) * scale,
        unserved_cost=unserved_cost,
    )


# --- The judge -----------------------------------------------------------------------------------------------------


def judge(figures: _Figures, plan: Plan) -> Verdict:
    """Judge the plan's sequences of places by the file alone; times are reckoned anew in its own units.

    The objective is the distance of all routes. It is None when a rule is broken.
    """
    faults: list[str] = []
    visits: list[int] = []
    total = 0.0
    carriers = [route.carrier for route in plan.routes]
    for route in plan.routes:
        nodes = _visited(route)
        visits += nodes[1:-1]
        faults += [f"{route.id}: {fault}" for fault in _route_faults(figures, nodes)]
        total += sum(figures.distance(i, j) for i, j in pairwise(nodes))
    if sorted(visits) != list(range(1, len(figures.nodes))):
        faults.append("not every node is visited exactly once")
    if len(set(carriers)) != len(carriers) or len(carriers) > figures.vehicles:
        faults.append(f"{len(carriers)} routes for {figures.vehicles} vehicles, or a vehicle with two routes")
    return Verdict(None if faults else total, len(plan.routes), tuple(faults))


def _visited(route: Route) -> list[int]:
    return [int(stop.place.removeprefix("n")) for stop in route.stops]


def _route_faults(figures: _Figures, nodes: Sequence[int]) -> list[str]:
    if len(nodes) < 2 or nodes[0] != 0 or nodes[-1] != 0 or 0 in nodes[1:-1]:
        return ["does not run from the depot to the depot"]
    faults = []
    place = {node: k for k, node in enumerate(nodes)}
    time, load = float(figures.nodes[0].early), 0
    for before, here in pairwise(nodes):
        node = figures.nodes[here]
        time = max(time + figures.nodes[before].service + figures.distance(before, here), float(node.early))
        if time > node.late + _TOLERANCE:
            faults.append(f"late at node {here}")
        load += node.demand if here else 0
        if load > figures.capacity:
            faults.append(f"overloaded after node {here}")
        if node.demand < 0 and not place.get(node.mate, len(nodes)) < place[here]:
            faults.append(f"node {here} is visited without its pickup before it")
    return faults
