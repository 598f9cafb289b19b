"""The gate: every rule that a plan of the solver could break, judged on the finished plan.

The checker judges independently of all this; here the aim is that nothing doubtful leaves the solver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from routing.coldchain import plan_exposures
from routing.model.carrier import BusTrip, Vehicle
from routing.model.plan import Leg, Plan, Route
from routing.model.problem import Problem
from routing.plan_io import derive_legs
from routing.solver.instance import store_for


def broken_orders(problem: Problem, plan: Plan) -> list[str]:
    """Return the orders to take out so that the rules hold, in a fixed order; empty when the plan is sound."""
    legs = derive_legs(plan)
    found: dict[str, None] = {}
    found.update(dict.fromkeys(_broken_chains(problem, plan, legs)))
    found.update(dict.fromkeys(_too_warm(problem, plan)))
    found.update(dict.fromkeys(_beyond_rounds(problem, plan)))
    if not found:
        found.update(dict.fromkeys(_too_much_stored(problem, plan, legs)))
    return list(found)


def _beyond_rounds(problem: Problem, plan: Plan) -> Iterator[str]:
    """Yield the orders of the last routes of vehicles that make more rounds than they may."""
    left: dict[str, int] = {}
    for route in sorted(plan.routes, key=lambda route: route.stops[0].departure_s):
        carrier = problem.carrier_by_id[route.carrier]
        if not isinstance(carrier, Vehicle) or carrier.type.max_rounds is None:
            continue
        made = sum(b.place == carrier.base != a.place for a, b in pairwise(route.stops))
        left[carrier.id] = left.get(carrier.id, carrier.type.max_rounds) - made
        if left[carrier.id] < 0:
            yield from (handover.order for stop in route.stops for handover in stop.load)


def _too_warm(problem: Problem, plan: Plan) -> Iterator[str]:
    for order_id, found in plan_exposures(problem, plan).items():
        if not found.within(problem.products.classes[problem.order_by_id[order_id].product_class]):
            yield order_id


# --- Chains and transfers ------------------------------------------------------------------------------------------


def _broken_chains(problem: Problem, plan: Plan, legs: Mapping[str, tuple[Leg, ...]]) -> Iterator[str]:
    routes = {route.id: route for route in plan.routes}
    for order_id, chain in legs.items():
        order = problem.order_by_id[order_id]
        places = [chain[0].from_place, *(leg.to_place for leg in chain)]
        linked = all(before.to_place == after.from_place for before, after in pairwise(chain))
        in_time = all(_connects(problem, routes, before, after) for before, after in pairwise(chain))
        released = _needed(problem, routes[chain[0].route], chain[0]) >= order.release_s
        ends_hold = places[0] in order.origins and places[-1] == order.to_id
        if not (linked and in_time and released and ends_hold) or (
            order.windows and not _in_window(routes[chain[-1].route], chain[-1], order.windows)
        ):
            yield order_id


def _connects(problem: Problem, routes: Mapping[str, Route], before: Leg, after: Leg) -> bool:
    """Return whether goods are ready and handled in time for the next leg, and do not wait there for too long."""
    place = problem.place_by_id[before.to_place]
    ready = _ready(problem, routes[before.route], before)
    in_time = ready + place.handling_s <= _needed(problem, routes[after.route], after)
    return in_time and (place.max_wait_s is None or after.departure_s - ready <= place.max_wait_s)


def _ready(problem: Problem, route: Route, leg: Leg) -> int:
    """Return when the goods of a leg are at the place of unloading."""
    trip = problem.carrier_by_id[route.carrier]
    if not isinstance(trip, BusTrip):
        return leg.unload_end_s
    found = [c for c in trip.calls if c.place_id == leg.to_place and c.arrival_s == leg.arrival_s]
    return found[0].arrival_s + found[0].board_s


def _needed(problem: Problem, route: Route, leg: Leg) -> int:
    """Return by when the goods of a leg must be ready and handled."""
    trip = problem.carrier_by_id[route.carrier]
    if not isinstance(trip, BusTrip):
        return leg.load_start_s
    found = [c for c in trip.calls if c.place_id == leg.from_place and c.departure_s == leg.departure_s]
    return found[0].departure_s - found[0].cutoff_s


def _in_window(route: Route, leg: Leg, windows: tuple[tuple[int, int], ...]) -> bool:
    stop = next(
        stop for stop in route.stops if stop.place == leg.to_place and any(h.order == leg.order for h in stop.unload)
    )
    start = stop.arrival_s if route.kind == "bus" else stop.service_start_s
    return any(begin <= start <= end for begin, end in windows)


# --- Stores --------------------------------------------------------------------------------------------------------


def _too_much_stored(problem: Problem, plan: Plan, legs: Mapping[str, tuple[Leg, ...]]) -> Iterator[str]:
    """Yield, per store that is ever overfull, the order that comes last to the first overfull moment."""
    routes = {route.id: route for route in plan.routes}
    stays: dict[tuple[str, str], list[tuple[int, int, float, str]]] = {}
    room: dict[tuple[str, str], float] = {}
    for order_id, chain in legs.items():
        order = problem.order_by_id[order_id]
        product = problem.products.classes[order.product_class]
        for before, after in pairwise(chain):
            place = problem.place_by_id[before.to_place]
            kind, kg = store_for(place, product)
            weight = order.weight_kg
            if product.box is not None and (before.box or after.box):
                count = problem.products.box_count(product.id, order.volume_l)
                weight += count * problem.products.boxes[product.box].mass_kg
            room[place.id, kind] = kg
            begin, end = min(before.arrival_s, _ready(problem, routes[before.route], before)), after.departure_s
            stays.setdefault((place.id, kind), []).append((begin, end, weight, order_id))
    for key, found in stays.items():
        found.sort()
        for begin, _, _, order_id in found:
            there = sum(kg for start, end, kg, _ in found if start <= begin <= end)
            if there > room[key] + 1e-6:
                yield order_id
                break
