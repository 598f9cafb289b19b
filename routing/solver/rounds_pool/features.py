"""Which days the engine of road rounds knows: every feature of the problem is looked at, none is assumed."""

from __future__ import annotations

from geodata.location import Level
from routing.model.carrier import Vehicle
from routing.model.order import Order
from routing.model.problem import Problem

MAX_ORDERS = 2_000
"""Larger days need too much room for square matrices of orders."""


def suits(problem: Problem) -> bool:
    """Return whether the day consists of road rounds out of bases and nothing else.

    Known are: deliveries from a base and collections to it, several bases, vehicle types, capacity in kilograms and
    litres, one window, opening hours, release, service times, several rounds a day, costs fixed, by distance, energy
    and time, orders left out at their price. Not known are: buses, drones, transfers, goods that need cold, boxes or
    separation, several compartments, ranges, rests and driving limits that can bind, several windows, windows at the
    base, soft due times, time for loading at the base, and different windows of orders for one place.
    """
    if problem.drones or problem.bus_trips or not 1 <= len(problem.orders) <= MAX_ORDERS or not problem.vehicles:
        return False
    bases = {vehicle.base for vehicle in problem.vehicles}
    return (
        all(_knows_vehicle(problem, vehicle) for vehicle in problem.vehicles)
        and all(_knows_order(problem, order, bases) for order in problem.orders)
        and _goods_mix(problem)
        and _one_window_a_place(problem, bases)
    )


def remote_place(order: Order, bases: set[str]) -> str:
    """Return the end of the order that is not the base."""
    return order.to_id if order.from_id in bases else order.from_id


def _knows_vehicle(problem: Problem, vehicle: Vehicle) -> bool:
    kind = vehicle.type
    shift_s = kind.shift_end_s - kind.shift_start_s
    rest_free = kind.max_continuous_drive_s is None or kind.max_continuous_drive_s >= shift_s
    price = problem.rates.energy_price(kind.energy_source)
    energy_sound = price <= 0.0 or bool((problem.matrices[vehicle.travel].energy_wh >= 0.0).all())
    return len(kind.compartments) == 1 and kind.range_wh is None and rest_free and kind.max_drive_s >= shift_s and (
        energy_sound
    )  # fmt: skip


def _knows_order(problem: Problem, order: Order, bases: set[str]) -> bool:
    delivers, collects = order.from_id in bases, order.to_id in bases
    if delivers == collects or order.also_from or len(order.windows) > 1 or (collects and order.windows):
        return False
    if order.due_s is not None and order.late_cost_per_h > 0.0:
        return False
    base = problem.place_by_id[order.from_id if delivers else order.to_id]
    loading_s = order.service_s if base.level in (Level.VILLAGE, Level.GROUP) else problem.rates.unit_s
    remote = problem.place_by_id[order.to_id if delivers else order.from_id]
    ends_known = loading_s == 0 and remote.level in (Level.VILLAGE, Level.GROUP)
    product = problem.products.classes[order.product_class]
    return ends_known and not product.cold and product.box is None


def _goods_mix(problem: Problem) -> bool:
    present = {order.product_class for order in problem.orders}
    return not any(present & set(problem.products.classes[name].incompatible_with) for name in present)


def _one_window_a_place(problem: Problem, bases: set[str]) -> bool:
    """Orders for one place can share a stop only if one start of service suits them all."""
    windows: dict[str, tuple[object, ...]] = {}
    for order in problem.orders:
        place, collects = remote_place(order, bases), order.to_id in bases
        key = (order.windows, order.release_s if collects else 0)
        if windows.setdefault(place, key) != key:
            return False
    return True
