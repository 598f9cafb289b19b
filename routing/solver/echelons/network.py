"""The day as two echelons: which problems are of that shape, and their figures as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.matrix import UNREACHABLE_S
from routing.model.carrier import Vehicle, VehicleType
from routing.model.problem import Problem
from routing.solver.instance import store_for

FAR_S = 10_000_000
"""Later than any time of a plan."""
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fleet:
    """Interchangeable vehicles of one base. Row and column 0 of the matrices are the base.

    For trucks rows 1 to m are the stations, for vans rows 1 to n the orders. `duration_s` holds `FAR_S` where there is
    no way; `cost` is money of distance, energy and travel time.
    """

    index: int
    type: VehicleType
    base: str
    operator: str
    ids: tuple[str, ...]
    station: int
    """Index of the station the fleet is based at; -1 for trucks."""
    capacity_kg: float
    duration_s: IntArray
    cost: FloatArray

    @property
    def cost_per_s(self) -> float:
        """Money per second of route time."""
        return self.type.cost_per_h / 3600.0


@dataclass(frozen=True, eq=False)
class Network:
    """A problem of two echelons in arrays: n orders, m stations, trucks at the hubs, vans at the stations."""

    problem: Problem
    stations: tuple[str, ...]
    trucks: tuple[Fleet, ...]
    vans: tuple[Fleet, ...]
    demand_kg: FloatArray
    """Shape (n,)."""
    opens_s: IntArray
    """Earliest start of service at the door, shape (n,)."""
    closes_s: IntArray
    service_s: IntArray
    """Time the order itself takes at the door, shape (n,); the van's `stop_s` comes on top."""
    unserved_cost: FloatArray

    @property
    def orders(self) -> int:
        """Number of orders."""
        return len(self.demand_kg)


def suits(problem: Problem) -> bool:
    """Return whether the day is one of two echelons with nothing the engine does not know.

    Every order goes from a hub (all hubs hold all goods) by a truck that reaches stations only, and from there by a
    vehicle of that station to the door: no timetable, no flights, no cold goods, one round a vehicle, no rests, no
    range, goods there from the beginning of the day and room for them at the stations; kilograms bind before litres.
    """
    if problem.drones or problem.bus_trips or not problem.orders or not problem.vehicles:
        return False
    return (
        all(_plain_type(vehicle.type) for vehicle in problem.vehicles)
        and problem.rates.unit_s == 0
        and _plain_orders(problem)
        and _plain_places(problem)
        and _litres_never_bind(problem)
        and _levels_apart(problem)
    )


def _hubs(problem: Problem) -> frozenset[str]:
    order = problem.orders[0]
    return frozenset((order.from_id, *order.also_from))


def _plain_type(kind: VehicleType) -> bool:
    shift_s = kind.shift_end_s - kind.shift_start_s
    restless = kind.max_continuous_drive_s is None or kind.max_continuous_drive_s >= shift_s
    return (
        kind.max_rounds == 1
        and restless
        and kind.range_wh is None
        and kind.max_drive_s >= shift_s
        and len(kind.compartments) == 1
    )


def _plain_orders(problem: Problem) -> bool:
    hubs = _hubs(problem)
    first_s = min((v.type.shift_start_s for v in problem.vehicles if v.base in hubs), default=0)
    classes = {order.product_class for order in problem.orders}
    products = [problem.products.classes[name] for name in classes]
    alike = all(not product.cold and product.box is None for product in products) and not any(
        set(product.incompatible_with) & classes for product in products
    )
    return alike and all(
        frozenset((order.from_id, *order.also_from)) == hubs
        and order.release_s <= first_s
        and len(order.windows) <= 1
        and (order.due_s is None or order.late_cost_per_h == 0.0)
        for order in problem.orders
    )


def _plain_places(problem: Problem) -> bool:
    """Return whether the stations hold all goods at once, for any time."""
    hubs, products = _hubs(problem), problem.products.classes
    total_kg = sum(order.weight_kg for order in problem.orders)
    kinds = [products[name] for name in dict.fromkeys(order.product_class for order in problem.orders)]
    bases = {vehicle.base for vehicle in problem.vehicles} - hubs
    stations = [problem.place_by_id[base] for base in bases]
    return all(
        place.max_wait_s is None and all(store_for(place, product)[1] >= total_kg for product in kinds)
        for place in stations
    )


def _litres_never_bind(problem: Problem) -> bool:
    parts = [vehicle.type.compartments[0] for vehicle in problem.vehicles]
    return all(
        order.volume_l * part.kg <= order.weight_kg * part.litres
        for part in dict.fromkeys(parts)
        for order in problem.orders
    )


def _levels_apart(problem: Problem) -> bool:
    """Return whether trucks reach stations only, and vans the doors only."""
    hubs = _hubs(problem)
    stations = {vehicle.base for vehicle in problem.vehicles} - hubs
    doors = {order.to_id for order in problem.orders}
    if not stations or hubs & doors or stations & doors:
        return False
    kinds = {(vehicle.base, vehicle.travel) for vehicle in problem.vehicles}
    return all(
        not _reaches(problem, travel, base, doors if base in hubs else (hubs | stations) - {base})
        and (base not in hubs or not _reaches(problem, travel, base, hubs - {base}))
        for base, travel in kinds
    )


def _reaches(problem: Problem, travel: str, base: str, places: set[str] | frozenset[str]) -> bool:
    return any(problem.travel_s(travel, base, place) < UNREACHABLE_S for place in places)


# --- Arrays --------------------------------------------------------------------------------------------------------


def compile_network(problem: Problem) -> Network:
    """Return the arrays of a problem that `suits`."""
    hubs = _hubs(problem)
    stations = tuple(dict.fromkeys(v.base for v in problem.vehicles if v.base not in hubs))
    doors = [order.to_id for order in problem.orders]
    groups: dict[tuple[str, str, str, str], list[Vehicle]] = {}
    for vehicle in problem.vehicles:
        groups.setdefault((vehicle.base, vehicle.type.id, vehicle.operator, vehicle.travel), []).append(vehicle)
    trucks = [group for group in groups.values() if group[0].base in hubs]
    vans = [group for group in groups.values() if group[0].base not in hubs]
    windows = [order.windows[0] if order.windows else (0, FAR_S) for order in problem.orders]
    spots = [problem.place_by_id[door] for door in doors]
    return Network(
        problem=problem,
        stations=stations,
        trucks=tuple(_fleet(problem, k, group, stations, -1) for k, group in enumerate(trucks)),
        vans=tuple(_fleet(problem, k, group, doors, stations.index(group[0].base)) for k, group in enumerate(vans)),
        demand_kg=np.array([order.weight_kg for order in problem.orders], dtype=np.float64),
        opens_s=np.array([max(w[0], p.opens_s) for w, p in zip(windows, spots, strict=True)], dtype=np.int64),
        closes_s=np.array([min(w[1], p.closes_s) for w, p in zip(windows, spots, strict=True)], dtype=np.int64),
        service_s=np.array([order.service_s for order in problem.orders], dtype=np.int64),
        unserved_cost=np.array([order.unserved_cost for order in problem.orders], dtype=np.float64),
    )


def _fleet(problem: Problem, index: int, group: Sequence[Vehicle], places: Sequence[str], station: int) -> Fleet:
    vehicle, kind = group[0], group[0].type
    matrix = problem.matrices[vehicle.travel]
    ids = [vehicle.base, *places]
    rows = np.array([matrix.index.get(place, -1) for place in ids], dtype=np.int64)
    cells = np.ix_(rows, rows)
    known = (rows >= 0)[:, None] & (rows >= 0)[None, :]
    duration = np.where(known, matrix.duration_s[cells], FAR_S).astype(np.int64)
    duration = np.minimum(duration, FAR_S)
    price = problem.rates.energy_price(kind.energy_source)
    cost = (
        matrix.distance_m[cells] / 1000.0 * kind.cost_per_km
        + np.maximum(matrix.energy_wh[cells], 0.0) / 1000.0 * price
        + np.where(duration < FAR_S, duration, 0) / 3600.0 * kind.cost_per_h
    )
    return Fleet(
        index=index,
        type=kind,
        base=vehicle.base,
        operator=vehicle.operator,
        ids=tuple(member.id for member in group),
        station=station,
        capacity_kg=kind.compartments[0].kg,
        duration_s=duration,
        cost=np.asarray(cost, dtype=np.float64),
    )
