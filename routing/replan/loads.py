"""Stops with what their handovers make of them: seconds of service, loads, battery left, the ways of a bus."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from geodata.location import Level
from routing.model.carrier import Carrier, Vehicle
from routing.model.plan import Handover, Movement, Stop
from routing.model.problem import Problem


def service_s(problem: Problem, vehicle: Vehicle, stop: Stop) -> int:
    """Return the seconds of service at a stop of a vehicle or courier, as ``reference/rules.md`` counts them."""
    total = 0.0 if stop.place == vehicle.base else float(vehicle.type.stop_s)
    is_door = problem.place_by_id[stop.place].level in (Level.VILLAGE, Level.GROUP)
    for handover in (*stop.unload, *stop.load):
        order = problem.order_by_id[handover.order]
        own = is_door and stop.place in (order.from_id, order.to_id)
        total += order.service_s if own else problem.rates.unit_s * order.pieces
    return math.ceil(total - 1e-9)


def weighed(problem: Problem, carrier: Carrier, stops: Iterable[Stop]) -> tuple[Stop, ...]:
    """Return stops with what is aboard on departure, and the battery left of a vehicle with a range."""
    kg = litres = 0.0
    left_wh = carrier.type.range_wh if isinstance(carrier, Vehicle) else None
    found = []
    for stop in stops:
        for sign, handovers in ((-1.0, stop.unload), (1.0, stop.load)):
            for handover in handovers:
                goods = goods_of(problem, handover)
                kg += sign * goods[0]
                litres += sign * goods[1]
        movement = stop.movement
        if movement is not None and left_wh is not None:
            left_wh = round(left_wh - movement.energy_wh, 3)
            movement = replace(movement, battery_left_wh=left_wh)
        load_kg, load_l = max(0.0, round(kg, 6)), max(0.0, round(litres, 6))
        found.append(replace(stop, load_kg=load_kg, load_l=load_l, movement=movement))
    return tuple(found)


def goods_of(problem: Problem, handover: Handover) -> tuple[float, float]:
    """Return kilograms and litres of an order as it rides, its boxes included."""
    order = problem.order_by_id[handover.order]
    if handover.box is None:
        return order.weight_kg, order.volume_l
    box = problem.products.boxes[handover.box]
    count = problem.products.box_count(order.product_class, order.volume_l)
    return order.weight_kg + count * box.mass_kg, count * box.outer_l


def joined_by_bus(stops: list[Stop]) -> list[Stop]:
    """Return stops of a bus trip with the movements between them."""
    found = [
        replace(here, movement=Movement("bus", 0, there.arrival_s - here.departure_s, 0.0))
        for here, there in pairwise(stops)
    ]
    return [*found, replace(stops[-1], movement=None)]
