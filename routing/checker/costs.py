"""Money: every line of the objective, reckoned from the plan by the checker itself."""

from __future__ import annotations

import math
from itertools import pairwise

from routing.checker.cold import exposure_of
from routing.checker.goods import class_of
from routing.checker.journeys import Case
from routing.checker.timing import service_at_destination_s
from routing.model.carrier import BusTrip, Drone, Vehicle
from routing.model.plan import Route
from routing.model.product import ProductClass

LINES = ("distance", "time", "fixed", "energy", "bus_fees", "handling", "lateness", "spoilage", "unassigned")


def reckon_costs(case: Case) -> dict[str, float]:
    """Return the unrounded minor units of every cost line; what cannot be understood costs nothing."""
    parts: dict[str, list[float]] = {name: [] for name in LINES}
    used: dict[str, None] = {}
    for route in case.document.routes:
        carrier = case.carrier_of(route)
        if isinstance(carrier, Vehicle | Drone):
            used[carrier.id] = None
            _add_route(case, route, carrier, parts)
    for carrier_id in used:
        carrier = case.facts.carriers[carrier_id]
        if isinstance(carrier, Vehicle):
            parts["fixed"].append(carrier.type.fixed_cost)
        elif isinstance(carrier, Drone):
            parts["fixed"].append(carrier.service.fixed_cost)
    _add_rides(case, parts)
    _add_orders(case, parts)
    return {name: math.fsum(amounts) for name, amounts in parts.items()}


def _add_route(case: Case, route: Route, carrier: Vehicle | Drone, parts: dict[str, list[float]]) -> None:
    movements = [stop.movement for stop in route.stops if stop.movement is not None]
    energy_wh = max(0.0, math.fsum(movement.energy_wh for movement in movements))
    worked_h = (route.stops[-1].service_end_s - route.stops[0].service_start_s) / 3600 if route.stops else 0.0
    rates = case.facts.rates
    if isinstance(carrier, Vehicle):
        travelled_km = sum(movement.distance_m for movement in movements if movement.kind == "street") / 1000
        parts["distance"].append(travelled_km * carrier.type.cost_per_km)
        parts["time"].append(worked_h * carrier.type.cost_per_h)
        price = {"electric": rates.electricity_per_kwh, "diesel": rates.diesel_per_kwh}
        parts["energy"].append(energy_wh / 1000 * price.get(carrier.type.energy_source, 0.0))
    else:
        parts["time"].append(worked_h * carrier.service.cost_per_h)
        parts["fixed"].append(carrier.service.cost_per_sortie)
        parts["energy"].append(energy_wh / 1000 * rates.electricity_per_kwh)


def _add_rides(case: Case, parts: dict[str, list[float]]) -> None:
    for ride in case.rides:
        order = case.facts.orders.get(ride.order)
        carrier = case.carrier_of(ride.route)
        if order is not None and isinstance(carrier, BusTrip):
            parts["bus_fees"].append(carrier.fee_per_kg * order.weight_kg + carrier.fee_per_piece * order.pieces)


def _add_orders(case: Case, parts: dict[str, list[float]]) -> None:
    facts = case.facts
    for order_id, chain in case.chains.items():
        order = facts.orders[order_id]
        changes = sum(before.route.carrier != after.route.carrier for before, after in pairwise(chain))
        parts["handling"].append(facts.rates.handling_per_piece * order.pieces * changes)
        if order.due_s is not None:
            late_s = max(0, service_at_destination_s(case, order_id) - order.due_s)
            parts["lateness"].append(order.late_cost_per_h * late_s / 3600)
        goods = class_of(facts, order)
        if goods.cold and goods.loss_scale_h is not None:
            lost = loss_share(goods, exposure_of(case, order, chain).equivalent_h)
            parts["spoilage"].append(order.value * lost)
    for entry in case.document.unassigned:
        if entry.order in facts.orders:
            parts["unassigned"].append(facts.orders[entry.order].unserved_cost)


def loss_share(goods: ProductClass, equivalent_h: float) -> float:
    """Return the share of goods lost: 1 − exp(−(h_eq/H)^β)."""
    if goods.loss_scale_h is None:
        return 0.0
    return 1.0 - math.exp(-((equivalent_h / goods.loss_scale_h) ** goods.loss_shape))
