"""From a problem to arrays, and which problems the pair search knows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S
from routing.model.carrier import Vehicle, VehicleType
from routing.model.order import Order
from routing.model.problem import Place, Problem
from routing.solver.pairs.arrays import Day, Floats, Ints

_EXACT = 1_000_000
"""Milligrams a kilogram and microlitres a litre: loads are added as whole numbers."""
_NEAREST = 256
"""Neighbours kept of each node."""
_LARGEST_TABLE = 30_000_000
"""Most entries of the arc tables (groups x nodes x nodes)."""


@dataclass(frozen=True)
class Compiled:
    """A problem as arrays, with the way back: vehicles by slot."""

    problem: Problem
    day: Day
    vehicles: tuple[Vehicle, ...]

    def place_of(self, node: int) -> str:
        """Return the place id of a node of an order."""
        orders = self.problem.orders
        return orders[node].from_id if node < len(orders) else orders[node - len(orders)].to_id


def suits(problem: Problem) -> bool:
    """Return whether the pair search knows every feature of the problem.

    Known are road vehicles and couriers that drive one round at hours that do not matter, from any bases, of any types
    with one compartment and without rests; and orders from door to door that touch no base, have at most one window, no
    cost of lateness and no temperature.
    """
    if problem.bus_trips or problem.drones or problem.clocks or not problem.vehicles or not problem.orders:
        return False
    bases = {vehicle.base for vehicle in problem.vehicles}
    kinds = {vehicle.type for vehicle in problem.vehicles}
    groups = len({_group_key(vehicle) for vehicle in problem.vehicles})
    return (
        groups * (2 * len(problem.orders) + groups) ** 2 <= _LARGEST_TABLE
        and all(_knows_type(kind, problem.rates.energy_price(kind.energy_source)) for kind in kinds)
        and all(_knows_order(problem, order, bases) for order in problem.orders)
    )


def _knows_type(kind: VehicleType, energy_price: float) -> bool:
    shift_s = kind.shift_end_s - kind.shift_start_s
    limit_s = kind.max_continuous_drive_s
    return (
        kind.max_rounds == 1
        and len(kind.compartments) == 1
        and kind.range_wh is None
        and energy_price == 0.0
        and kind.max_drive_s >= shift_s
        and (limit_s is None or limit_s >= shift_s)
    )


def _knows_order(problem: Problem, order: Order, bases: set[str]) -> bool:
    product = problem.products.classes[order.product_class]
    mixed = any(order.product_class in other.incompatible_with for other in problem.products.classes.values())
    return (
        not ({order.from_id, order.to_id} & bases or order.from_id == order.to_id)
        and not (order.also_from or product.cold or product.incompatible_with or mixed)
        and len(order.windows) <= 1
        and (order.due_s is None or order.late_cost_per_h == 0.0)
    )


def _group_key(vehicle: Vehicle) -> tuple[VehicleType, str, str, str]:
    return vehicle.type, vehicle.base, vehicle.operator, vehicle.travel


# --- Arrays --------------------------------------------------------------------------------------------------------


def compile_pairs(problem: Problem) -> Compiled:
    """Return the arrays of a problem that `suits`."""
    places = problem.place_by_id
    groups: dict[tuple[VehicleType, str, str, str], list[Vehicle]] = {}
    for vehicle in problem.vehicles:
        groups.setdefault(_group_key(vehicle), []).append(vehicle)
    leaders = [found[0] for found in groups.values()]
    orders = problem.orders
    stops = [order.from_id for order in orders] + [order.to_id for order in orders]
    stops += [leader.base for leader in leaders]
    windows = [_pickup_window(order, places[order.from_id]) for order in orders]
    windows += [_delivery_window(order, places[order.to_id]) for order in orders]
    windows += [(leader.type.shift_start_s, leader.type.shift_end_s) for leader in leaders]
    arcs = [_arcs(problem, leader, stops) for leader in leaders]
    kinds = [leader.type for leader in leaders]
    # No more vehicles of a group than orders are ever used.
    slots = [(number, v) for number, found in enumerate(groups.values()) for v in found[: len(orders)]]
    day = Day(
        cost=np.stack([cost for cost, _ in arcs]),
        move_s=np.stack([move for _, move in arcs]),
        early_s=np.array([early for early, _ in windows], dtype=np.int64),
        late_s=np.array([late for _, late in windows], dtype=np.int64),
        kg=_exact([order.weight_kg for order in orders]),
        litres=_exact([order.volume_l for order in orders]),
        unserved=np.array([order.unserved_cost for order in orders], dtype=np.float64),
        group=np.array([number for number, _ in slots], dtype=np.int64),
        start_s=np.array([kind.shift_start_s for kind in kinds], dtype=np.int64),
        end_s=np.array([kind.shift_end_s for kind in kinds], dtype=np.int64),
        room_kg=_exact([kind.compartments[0].kg for kind in kinds]),
        room_l=_exact([kind.compartments[0].litres for kind in kinds]),
        fixed=np.array([kind.fixed_cost for kind in kinds], dtype=np.float64),
        wait_cost=np.array([kind.cost_per_h / 3600.0 for kind in kinds], dtype=np.float64),
        near=_nearest(arcs[0][0], 2 * len(orders)),
    )
    return Compiled(problem, day, tuple(vehicle for _, vehicle in slots))


def _exact(amounts: Sequence[float]) -> Ints:
    return np.array([round(amount * _EXACT) for amount in amounts], dtype=np.int64)


def _pickup_window(order: Order, place: Place) -> tuple[int, int]:
    return max(place.opens_s, order.release_s), place.closes_s


def _delivery_window(order: Order, place: Place) -> tuple[int, int]:
    begin, end = order.windows[0] if order.windows else (place.opens_s, place.closes_s)
    return max(place.opens_s, begin), min(place.closes_s, end)


def service_s(problem: Problem, order: Order, place_id: str, stop_s: int) -> int:
    """Return the whole seconds a stop takes where only this order is loaded or unloaded."""
    door = problem.place_by_id[place_id].level in (Level.VILLAGE, Level.GROUP)
    own_s = float(order.service_s) if door else problem.rates.unit_s * order.pieces
    return math.ceil(stop_s + own_s - 1e-9)


def _arcs(problem: Problem, vehicle: Vehicle, stops: Sequence[str]) -> tuple[Floats, Ints]:
    """Return money and seconds from node to node, service at the first one included, for one group of vehicles."""
    matrix, kind = problem.matrices[vehicle.travel], vehicle.type
    known = np.array([stop in matrix.index for stop in stops])
    at = np.array([matrix.index.get(stop, 0) for stop in stops], dtype=np.int64)
    grid = np.ix_(at, at)
    travel = matrix.duration_s[grid].astype(np.int64)
    travel[~known, :] = travel[:, ~known] = UNREACHABLE_S
    service = np.zeros(len(stops), dtype=np.int64)
    for k, order in enumerate(problem.orders):
        service[k] = service_s(problem, order, order.from_id, kind.stop_s)
        service[len(problem.orders) + k] = service_s(problem, order, order.to_id, kind.stop_s)
    move = travel + service[:, None]
    money = matrix.distance_m[grid] * (kind.cost_per_km / 1000.0) + move * (kind.cost_per_h / 3600.0)
    return money, move


def _nearest(cost: Floats, nodes: int) -> Ints:
    """Return for each node of an order the nearest ones, itself first."""
    count = min(nodes, _NEAREST)
    both = cost[:nodes, :nodes] + cost[:nodes, :nodes].T
    np.fill_diagonal(both, -1.0)
    return np.argsort(both, axis=1, kind="stable")[:, :count].astype(np.int64)
