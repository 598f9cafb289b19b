"""Rounds on a plane: what the families vrptw and mtvrptwr share, as a problem and as a judge.

Convention of the DIMACS challenge: distances are 10 times the Euclidean ones, cut to whole numbers; the same figure is
the driving time; times of the file count tenfold too. In the problem one unit is one metre, one second and one minor
unit of money.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from geodata.location import Level
from geodata.matrix import TravelMatrix
from routing.instances.family import Verdict
from routing.model.carrier import Compartment, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.plan import Plan, Route, Stop
from routing.model.problem import CostRates, Place, Problem
from routing.model.product import ProductClass, Products

UNITS = 10
"""Units of the convention in one of the file."""
_ROUNDING = 1e-9
"""So much below a whole number still counts as that number."""


@dataclass(frozen=True)
class PlaneRounds:
    """The figures of a file: node 0 is the depot, 1 to n are customers; times are units of the convention.

    `xy` has shape (n+1, 2); `demand`, `early`, `late`, `service`, `release` (n+1,). With `several` a vehicle may come
    back to load again.
    """

    name: str
    xy: npt.NDArray[np.float64]
    demand: npt.NDArray[np.int64]
    early: npt.NDArray[np.int64]
    late: npt.NDArray[np.int64]
    service: npt.NDArray[np.int64]
    release: npt.NDArray[np.int64]
    vehicles: int
    capacity: int
    several: bool

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.demand) - 1


def distances(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the distances of the convention between all nodes, shape (n+1, n+1)."""
    ways = np.sqrt(((xy[:, None, :] - xy[None, :, :]) ** 2).sum(axis=-1))
    metres: npt.NDArray[np.int64] = np.floor(UNITS * ways + _ROUNDING).astype(np.int64)
    return metres


def problem_of(rounds: PlaneRounds) -> Problem:
    """Return the problem whose cost is the distance driven; leaving a customer out costs more than serving all."""
    metres = distances(rounds.xy)
    begin, horizon = int(rounds.early[0]), int(rounds.late[0])
    never = float(2 * metres[0].sum() + metres.max() + 1)
    places = tuple(
        Place(
            str(k), str(k), Level.GROUP if k else Level.COUNTY, float(x), float(y), 0.0, opens_s=0, closes_s=horizon,
            handling_s=0,
        )
        for k, (x, y) in enumerate(rounds.xy)
    )  # fmt: skip
    orders = tuple(
        Order(
            str(k), "0", str(k), float(rounds.demand[k]), 0.0, release_s=int(rounds.release[k]),
            windows=((int(rounds.early[k]), int(rounds.late[k])),), service_s=int(rounds.service[k]),
            unserved_cost=never,
        )
        for k in range(1, rounds.customers + 1)
    )  # fmt: skip
    kind = VehicleType(
        "vehicle", "vehicle", "plane", (Compartment("hold", float(rounds.capacity), 1.0),), 0.0, 1_000.0, 0.0, begin,
        horizon, max_drive_s=horizon, stop_s=0, max_rounds=None if rounds.several else 1, max_continuous_drive_s=None,
    )  # fmt: skip
    ids = tuple(place.id for place in places)
    return Problem(
        name=rounds.name,
        places=places,
        orders=orders,
        vehicles=tuple(Vehicle(f"vehicle-{k + 1}", kind, "0", "operator", "plane") for k in range(rounds.vehicles)),
        drones=(),
        bus_trips=(),
        matrices={"plane": TravelMatrix("plane", ids, metres.copy(), metres.copy(), np.zeros(metres.shape))},
        flights={},
        products=Products({"ambient": ProductClass("ambient", "Goods", "货物")}, {}, {}),
        rates=CostRates(0.0, 0.0, 0.0, unit_s=0.0),
        hourly_temp_c=np.array([15.0]),
        temp_elevation_m=0.0,
    )


# --- The judge -----------------------------------------------------------------------------------------------------


def judge(rounds: PlaneRounds, plan: Plan, unit: float) -> Verdict:
    """Judge a plan by the figures of the file alone; the objective is the distance driven in units of `unit`."""
    metres = distances(rounds.xy)
    faults: list[str] = []
    served: list[str] = []
    driven = 0
    days: dict[str, list[Route]] = {}
    for route in plan.routes:
        days.setdefault(route.carrier, []).append(route)
        faults += _faults_of_round(rounds, metres, route)
        served += [handover.order for stop in route.stops for handover in stop.unload]
        names = [stop.place for stop in route.stops]
        driven += sum(
            int(metres[int(a), int(b)]) for a, b in pairwise(names) if _known(rounds, a) and _known(rounds, b)
        )
    wanted = [str(k) for k in range(1, rounds.customers + 1)]
    if sorted(served) != sorted(wanted):
        faults.append(f"customers served {len(set(served))} of {len(wanted)}, visits {len(served)}")
    if len(days) > rounds.vehicles:
        faults.append(f"{len(days)} vehicles of {rounds.vehicles}")
    for carrier, routes in days.items():
        faults += _faults_of_day(rounds, carrier, routes)
    return Verdict(None if faults else driven * unit, len(days), tuple(faults))


def _known(rounds: PlaneRounds, place: str) -> bool:
    return place.isascii() and place.isdigit() and int(place) <= rounds.customers


def _faults_of_day(rounds: PlaneRounds, carrier: str, routes: list[Route]) -> Iterator[str]:
    if len(routes) > 1 and not rounds.several:
        yield f"{carrier} makes {len(routes)} rounds"
    ordered = sorted(routes, key=lambda route: route.stops[0].departure_s)
    for before, after in pairwise(ordered):
        if after.stops[0].departure_s < before.stops[-1].arrival_s:
            yield f"{carrier} leaves before it is back"


def _faults_of_round(rounds: PlaneRounds, metres: npt.NDArray[np.int64], route: Route) -> Iterator[str]:
    names = [stop.place for stop in route.stops]
    if not all(_known(rounds, name) for name in names) or len(names) < 2 or names[0] != "0" or names[-1] != "0":
        yield f"{route.id} does not go from the depot to customers and back"
        return
    inner = route.stops[1:-1]
    load = 0
    for stop in inner:
        node = int(stop.place)
        if [handover.order for handover in stop.unload] != [stop.place]:
            yield f"{route.id} does not serve just customer {stop.place} there"
        load += int(rounds.demand[node])
        yield from _faults_of_visit(rounds, route, stop)
    if load > rounds.capacity:
        yield f"{route.id} carries {load} of {rounds.capacity}"
    first, last = route.stops[0], route.stops[-1]
    released = max((int(rounds.release[int(stop.place)]) for stop in inner), default=0)
    if first.departure_s < max(released, int(rounds.early[0])):
        yield f"{route.id} departs at {first.departure_s}, before its goods are there"
    if last.arrival_s > int(rounds.late[0]):
        yield f"{route.id} is back at {last.arrival_s}, too late"
    for here, there in pairwise(route.stops):
        way = int(metres[int(here.place), int(there.place)])
        if there.arrival_s < here.departure_s + way:
            yield f"{route.id} arrives at {there.place} sooner than one can drive"


def _faults_of_visit(rounds: PlaneRounds, route: Route, stop: Stop) -> Iterator[str]:
    node = int(stop.place)
    if not int(rounds.early[node]) <= stop.service_start_s <= int(rounds.late[node]):
        yield f"{route.id} serves {stop.place} at {stop.service_start_s}, outside its window"
    if stop.service_start_s < stop.arrival_s or stop.departure_s < stop.service_start_s + int(rounds.service[node]):
        yield f"{route.id} serves {stop.place} for too short a time"


def scaled(value: float) -> int:
    """Return a time of the file in units of the convention, cut to a whole number."""
    return math.floor(UNITS * value + _ROUNDING)
