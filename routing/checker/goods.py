"""What goods weigh and fill where they ride: the checker's own reading of boxes and compartments."""

from __future__ import annotations

import math

from routing.checker.facts import Facts
from routing.model.carrier import Carrier, Compartment, Drone, Vehicle
from routing.model.order import Order
from routing.model.plan import Handover
from routing.model.product import Box, ProductClass

HOLD = "hold"
"""Name of the one compartment of buses and drones."""


def compartments_of(carrier: Carrier) -> dict[str, Compartment]:
    """Return a carrier's compartments by id; a drone's hold has no limit of kilograms of its own."""
    if isinstance(carrier, Vehicle):
        return {compartment.id: compartment for compartment in carrier.type.compartments}
    if isinstance(carrier, Drone):
        return {HOLD: Compartment(HOLD, math.inf, carrier.service.physics.volume_l)}
    return {HOLD: Compartment(HOLD, carrier.max_kg, carrier.max_l)}


def class_of(facts: Facts, order: Order) -> ProductClass:
    """Return the product class of an order of the scenario."""
    return facts.products.classes[order.product_class]


def is_fitting(compartment: Compartment | None, goods: ProductClass) -> bool:
    """Return whether a compartment keeps goods of a class in their band by its set point."""
    if compartment is None or compartment.set_point_c is None:
        return False
    return goods.low_c <= compartment.set_point_c <= goods.high_c


def needed_box(goods: ProductClass, compartment: Compartment | None) -> str | None:
    """Return the id of the box that goods of a class need in a compartment, None for none."""
    if not goods.cold or is_fitting(compartment, goods):
        return None
    return goods.box


def box_count(box: Box, volume_l: float) -> int:
    """Return how many boxes hold a volume: at least one."""
    return max(1, math.ceil(volume_l / box.inner_l - 1e-9))


def carried_mass_kg(facts: Facts, order: Order, box_id: str | None) -> float:
    """Return the mass of an order with its boxes; an unknown box counts as none."""
    box = facts.products.boxes.get(box_id) if box_id is not None else None
    if box is None:
        return order.weight_kg
    return order.weight_kg + box_count(box, order.volume_l) * box.mass_kg


def carried_volume_l(facts: Facts, order: Order, box_id: str | None) -> float:
    """Return the volume of an order, or of its boxes; an unknown box counts as none."""
    box = facts.products.boxes.get(box_id) if box_id is not None else None
    if box is None:
        return order.volume_l
    return box_count(box, order.volume_l) * box.outer_l


def heaviest_piece_kg(facts: Facts, order: Order, box_id: str | None) -> float:
    """Return the mass of one piece to be lifted, with its box."""
    box = facts.products.boxes.get(box_id) if box_id is not None else None
    pieces = max(order.pieces, 1)
    return order.weight_kg / pieces + (box.mass_kg if box is not None else 0.0)


def handed_mass_kg(facts: Facts, handover: Handover) -> float:
    """Return the mass of a handover as it says it rides; 0 for an unknown order."""
    order = facts.orders.get(handover.order)
    return 0.0 if order is None else carried_mass_kg(facts, order, handover.box)


def handed_volume_l(facts: Facts, handover: Handover) -> float:
    """Return the volume of a handover as it says it rides; 0 for an unknown order."""
    order = facts.orders.get(handover.order)
    return 0.0 if order is None else carried_volume_l(facts, order, handover.box)
