"""What a plan costs and how well it serves: the one definition of both, line by line as ``rules.md`` states them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from geodata.location import Level
from routing.coldchain import Exposure, exposure_cost, plan_exposures
from routing.model.carrier import BusTrip, Drone, Vehicle
from routing.model.emissions import DIESEL_CO2_KG_PER_L, DIESEL_WH_PER_L, GRID_CO2_KG_PER_KWH
from routing.model.order import Order
from routing.model.plan import CostBreakdown, Leg, Plan, Route, Stop
from routing.model.problem import Problem
from routing.plan_io import derive_legs

# --- Money ---------------------------------------------------------------------------------------------------------


def cost_of(problem: Problem, plan: Plan) -> CostBreakdown:
    """Return the cost of a plan: each line summed unrounded, then rounded once, half to even.

    Raises
    ------
    KeyError
        If the plan names an order or carrier the problem lacks.
    ValueError
        If legs cannot be derived because the plan is malformed.
    """
    legs = derive_legs(plan)
    sums = {"distance": 0.0, "time": 0.0, "fixed": 0.0, "energy": 0.0, "bus_fees": 0.0, "handling": 0.0}
    used: dict[str, None] = {}
    for route in plan.routes:
        for line, money in _route_money(problem, route).items():
            sums[line] += money
        used.setdefault(route.carrier)
    for carrier_id in used:
        sums["fixed"] += _fixed_cost(problem, carrier_id)
    carrier_of = _carrier_of_routes(plan)
    for order_id, chain in legs.items():
        order = problem.order_by_id[order_id]
        for leg in chain:
            sums["bus_fees"] += _bus_fee(problem, carrier_of, order, leg)
        sums["handling"] += problem.rates.handling_per_piece * order.pieces * _changes(carrier_of, chain)
    exposures = plan_exposures(problem, plan)
    sums["spoilage"] = sum(exposure_cost(problem.order_by_id[order_id], found) for order_id, found in exposures.items())
    sums["lateness"] = _lateness(problem, plan)
    sums["unassigned"] = sum(problem.order_by_id[gone.order].unserved_cost for gone in plan.unassigned)
    return CostBreakdown(**{line: round(money) for line, money in sums.items()})


def _route_money(problem: Problem, route: Route) -> dict[str, float]:
    carrier = problem.carrier_by_id[route.carrier]
    if isinstance(carrier, BusTrip):
        return {}
    hours = (route.stops[-1].service_end_s - route.stops[0].service_start_s) / 3600.0
    energy_kwh = max(0.0, sum(stop.movement.energy_wh for stop in route.stops if stop.movement)) / 1000.0
    if isinstance(carrier, Drone):
        return {
            "time": hours * carrier.service.cost_per_h,
            "fixed": carrier.service.cost_per_sortie,
            "energy": energy_kwh * problem.rates.electricity_per_kwh,
        }
    km = sum(stop.movement.distance_m for stop in route.stops if stop.movement) / 1000.0
    return {
        "distance": km * carrier.type.cost_per_km,
        "time": hours * carrier.type.cost_per_h,
        "energy": energy_kwh * problem.rates.energy_price(carrier.type.energy_source),
    }


def _fixed_cost(problem: Problem, carrier_id: str) -> float:
    carrier = problem.carrier_by_id[carrier_id]
    if isinstance(carrier, Vehicle):
        return carrier.type.fixed_cost
    return carrier.service.fixed_cost if isinstance(carrier, Drone) else 0.0


def _bus_fee(problem: Problem, carrier_of: Mapping[str, str], order: Order, leg: Leg) -> float:
    carrier = problem.carrier_by_id[carrier_of[leg.route]]
    if not isinstance(carrier, BusTrip):
        return 0.0
    return carrier.fee_per_kg * order.weight_kg + carrier.fee_per_piece * order.pieces


def _carrier_of_routes(plan: Plan) -> dict[str, str]:
    return {route.id: route.carrier for route in plan.routes}


def _changes(carrier_of: Mapping[str, str], chain: Sequence[Leg]) -> int:
    """Return how often an order changes carrier; one put down and picked up again by the same carrier does not."""
    return sum(carrier_of[before.route] != carrier_of[after.route] for before, after in pairwise(chain))


def _lateness(problem: Problem, plan: Plan) -> float:
    total = 0.0
    for order_id, start_s in delivery_times(problem, plan).items():
        order = problem.order_by_id[order_id]
        if order.due_s is not None:
            total += order.late_cost_per_h * max(0, start_s - order.due_s) / 3600.0
    return total


def delivery_times(problem: Problem, plan: Plan) -> dict[str, int]:
    """Return the start of service at its destination of every order that is unloaded there (bus: its arrival)."""
    found: dict[str, int] = {}
    for route in plan.routes:
        for stop in route.stops:
            for handover in stop.unload:
                if problem.order_by_id[handover.order].to_id == stop.place:
                    found[handover.order] = stop.arrival_s if route.kind == "bus" else stop.service_start_s
    return found


# --- Key figures ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KindFigures:
    """What one kind of carrier did; `cost` is its distance, time, fixed, energy and fees in minor units."""

    carriers: int
    routes: int
    orders: int
    km: float
    energy_kwh: float
    cost: float


@dataclass(frozen=True, slots=True)
class Kpis:
    """Key figures of a plan (domain notes 5). Money in minor units; shares between 0 and 1; None where undefined."""

    orders: int
    served: int
    served_share: float | None
    cost_total: int
    cost_per_parcel: float | None
    cost_per_kg: float | None
    cost_per_parcel_in: float | None
    cost_per_parcel_out: float | None
    villages_covered_share: float | None
    load_factor: float | None
    km: float
    energy_kwh: float
    kwh_per_parcel: float | None
    co2_kg: float
    co2_kg_per_parcel: float | None
    cold_orders: int
    cold_in_band_share: float | None
    predicted_loss_share: float | None
    transfers: int
    connections_missed: int
    late_orders: int
    by_kind: Mapping[str, KindFigures]
    owed: Mapping[str, float]
    """What each operator (firm, bus company) is owed for carrying, in minor units."""


def kpis(problem: Problem, plan: Plan) -> Kpis:
    """Return the key figures of a plan."""
    legs = derive_legs(plan)
    cost = cost_of(problem, plan)
    exposures = plan_exposures(problem, plan)
    served = [problem.order_by_id[order_id] for order_id in legs]
    parcels = sum(order.pieces for order in served)
    carried = cost.total - cost.unassigned
    money, owed = _route_costs(problem, plan, legs)
    inward, outward = _shares(problem, legs, money)
    km, energy_kwh, co2_kg = _movement_sums(problem, plan)
    times = delivery_times(problem, plan)
    return Kpis(
        orders=len(problem.orders),
        served=len(served),
        served_share=_ratio(len(served), len(problem.orders)),
        cost_total=cost.total,
        cost_per_parcel=_ratio(carried, parcels),
        cost_per_kg=_ratio(carried, sum(order.weight_kg for order in served)),
        cost_per_parcel_in=_ratio(*inward),
        cost_per_parcel_out=_ratio(*outward),
        villages_covered_share=_coverage(problem, served),
        load_factor=_load_factor(problem, plan),
        km=km,
        energy_kwh=energy_kwh,
        kwh_per_parcel=_ratio(energy_kwh, parcels),
        co2_kg=co2_kg,
        co2_kg_per_parcel=_ratio(co2_kg, parcels),
        cold_orders=len(exposures),
        cold_in_band_share=_ratio(sum(1 for found in exposures.values() if found.out_of_band_s <= 0.0), len(exposures)),
        predicted_loss_share=_loss_share(problem, exposures),
        transfers=sum(len(chain) - 1 for chain in legs.values()),
        connections_missed=0,
        late_orders=sum(1 for order in served if order.due_s is not None and times.get(order.id, 0) > order.due_s),
        by_kind=_by_kind(plan, money),
        owed=owed,
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _route_costs(
    problem: Problem, plan: Plan, legs: Mapping[str, Sequence[Leg]]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return money by route (fixed costs shared over a carrier's routes, fees on bus routes) and by operator."""
    count: dict[str, int] = {}
    for route in plan.routes:
        count[route.carrier] = count.get(route.carrier, 0) + 1
    money = {
        route.id: sum(_route_money(problem, route).values())
        + _fixed_cost(problem, route.carrier) / count[route.carrier]
        for route in plan.routes
    }
    carrier_of = _carrier_of_routes(plan)
    for order_id, chain in legs.items():
        for leg in chain:
            money[leg.route] += _bus_fee(problem, carrier_of, problem.order_by_id[order_id], leg)
    owed: dict[str, float] = {}
    for route in plan.routes:
        owed[route.operator] = owed.get(route.operator, 0.0) + money[route.id]
    return money, {operator: round(total, 2) for operator, total in sorted(owed.items())}


def _shares(
    problem: Problem, legs: Mapping[str, Sequence[Leg]], money: Mapping[str, float]
) -> tuple[tuple[float, int], tuple[float, int]]:
    """Return (money, parcels) of orders down the levels and up; a route's money is shared by kilograms."""
    route_kg: dict[str, float] = {}
    for order_id, chain in legs.items():
        for leg in chain:
            route_kg[leg.route] = route_kg.get(leg.route, 0.0) + problem.order_by_id[order_id].weight_kg
    sums = {True: [0.0, 0], False: [0.0, 0]}
    for order_id, chain in legs.items():
        order = problem.order_by_id[order_id]
        entry = sums[_is_inward(problem, chain[0].from_place, order.to_id)]
        entry[0] += sum(money[leg.route] * order.weight_kg / max(route_kg[leg.route], 1e-9) for leg in chain)
        entry[0] += problem.rates.handling_per_piece * order.pieces * (len(chain) - 1)
        entry[1] += order.pieces
    return (sums[True][0], int(sums[True][1])), (sums[False][0], int(sums[False][1]))


def _is_inward(problem: Problem, from_id: str, to_id: str) -> bool:
    return problem.place_by_id[from_id].level.depth <= problem.place_by_id[to_id].level.depth


def _movement_sums(problem: Problem, plan: Plan) -> tuple[float, float, float]:
    km = energy_kwh = co2_kg = 0.0
    for route in plan.routes:
        if route.kind == "bus":
            continue
        metres, route_kwh = _route_sums(route)
        km += metres / 1000.0
        energy_kwh += route_kwh
        carrier = problem.carrier_by_id[route.carrier]
        if isinstance(carrier, Vehicle) and carrier.type.energy_source == "diesel":
            co2_kg += route_kwh * 1000.0 / DIESEL_WH_PER_L * DIESEL_CO2_KG_PER_L
        elif not isinstance(carrier, Vehicle) or carrier.type.energy_source == "electric":
            co2_kg += route_kwh * GRID_CO2_KG_PER_KWH
    return km, energy_kwh, co2_kg


def _route_sums(route: Route) -> tuple[int, float]:
    moves = [stop.movement for stop in route.stops if stop.movement]
    return sum(move.distance_m for move in moves), max(0.0, sum(move.energy_wh for move in moves)) / 1000.0


def _coverage(problem: Problem, served: Sequence[Order]) -> float | None:
    """Return the share of villages and groups with orders today of which at least one order is served."""
    remote = {Level.VILLAGE, Level.GROUP}
    wanted = {end for order in problem.orders for end in (order.from_id, order.to_id)}
    wanted = {place_id for place_id in wanted if problem.place_by_id[place_id].level in remote}
    reached = {end for order in served for end in (order.from_id, order.to_id)}
    return _ratio(len(wanted & reached), len(wanted))


def _load_factor(problem: Problem, plan: Plan) -> float | None:
    """Return kilogram-metres carried over kilogram-metres offered on street movements."""
    carried = offered = 0.0
    for route in plan.routes:
        carrier = problem.carrier_by_id[route.carrier]
        if not isinstance(carrier, Vehicle):
            continue
        room = sum(part.kg for part in carrier.type.compartments)
        for stop in route.stops:
            if stop.movement is not None:
                carried += _moved(stop)
                offered += room * stop.movement.distance_m
    return _ratio(carried, offered)


def _moved(stop: Stop) -> float:
    return stop.load_kg * stop.movement.distance_m if stop.movement is not None else 0.0


def _loss_share(problem: Problem, exposures: Mapping[str, Exposure]) -> float | None:
    value = sum(problem.order_by_id[order_id].value for order_id in exposures)
    lost = sum(exposure_cost(problem.order_by_id[order_id], found) for order_id, found in exposures.items())
    return _ratio(lost, value)


def _by_kind(plan: Plan, money: Mapping[str, float]) -> dict[str, KindFigures]:
    found: dict[str, KindFigures] = {}
    for kind in ("vehicle", "drone", "bus", "courier"):
        routes = [route for route in plan.routes if route.kind == kind]
        sums = [_route_sums(route) for route in routes]
        found[kind] = KindFigures(
            carriers=len({route.carrier for route in routes}),
            routes=len(routes),
            orders=len({handover.order for route in routes for stop in route.stops for handover in stop.load}),
            km=0.0 if kind == "bus" else sum(metres for metres, _ in sums) / 1000.0,
            energy_kwh=0.0 if kind == "bus" else sum(kwh for _, kwh in sums),
            cost=round(sum(money[route.id] for route in routes), 2),
        )
    return found
