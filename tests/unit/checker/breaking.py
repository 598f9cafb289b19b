"""Tools to break the good plan or the world under it, and the register of ways to do so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from checker_world import BUS, DAY, PRODUCTS, VAN_TYPE, World, legs_of, make_network, make_world

from geodata.airspace import Airspace, Zone
from geodata.flight import fly
from geodata.profiles import load_profiles
from geodata.streets import Closure
from geodata.weather import Weather
from routing.checker.codes import Code
from routing.checker.costs import reckon_costs
from routing.checker.facts import Facts
from routing.checker.goods import handed_mass_kg, handed_volume_l
from routing.checker.journeys import Case
from routing.checker.roads import StreetRoads
from routing.model.plan import (
    CostBreakdown,
    Handover,
    Objective,
    PlanDocument,
    Rest,
    Route,
    Stop,
    Unassigned,
)

Broken = tuple[Facts, PlanDocument]
Damage = Callable[[World], Broken]
DAMAGES: dict[str, tuple[Damage, frozenset[Code]]] = {}
VAN, MOTO, SORTIE, BUS_ROUTE = range(4)


def brings(*codes: Code) -> Callable[[Damage], Damage]:
    """Register a damage under its function's name with exactly the codes it must bring."""

    def register(damage: Damage) -> Damage:
        DAMAGES[damage.__name__] = (damage, frozenset(codes))
        return damage

    return register


def with_route(plan: PlanDocument, number: int, route: Route) -> PlanDocument:
    """Return the plan with one route replaced."""
    return replace(plan, routes=(*plan.routes[:number], route, *plan.routes[number + 1 :]))


def with_stop(plan: PlanDocument, number: int, position: int, **changes: Any) -> PlanDocument:
    """Return the plan with fields of one stop replaced."""
    route = plan.routes[number]
    stop = replace(route.stops[position], **changes)
    stops = (*route.stops[:position], stop, *route.stops[position:][1:])
    return with_route(plan, number, replace(route, stops=stops))


def with_movement(plan: PlanDocument, number: int, position: int, **changes: Any) -> PlanDocument:
    """Return the plan with fields of one movement replaced."""
    movement = replace(plan.routes[number].stops[position].movement, **changes)
    return with_stop(plan, number, position, movement=movement)


def shifted(route: Route, by_s: int, first: int = 0) -> Route:
    """Return a route with all times from a stop on moved."""

    def later(stop: Stop) -> Stop:
        return replace(
            stop,
            arrival_s=stop.arrival_s + by_s,
            service_start_s=stop.service_start_s + by_s,
            service_end_s=stop.service_end_s + by_s,
            departure_s=stop.departure_s + by_s,
            breaks=tuple(Rest(rest.start_s + by_s, rest.end_s + by_s) for rest in stop.breaks),
        )

    return replace(route, stops=(*route.stops[:first], *(later(stop) for stop in route.stops[first:])))


def settled(facts: Facts, plan: PlanDocument) -> tuple[Facts, PlanDocument]:
    """Return the plan with legs, loads and costs made to agree again, so that one fault is left."""
    routes = tuple(_loaded(facts, route) for route in plan.routes)
    plan = replace(plan, routes=routes, orders=legs_of(routes))
    lines = CostBreakdown(**{name: round(money) for name, money in reckon_costs(Case(facts, plan)).items()})
    return facts, replace(plan, objective=Objective("CNY", lines, lines.total))


def _loaded(facts: Facts, route: Route) -> Route:
    aboard: dict[str, Handover] = {}
    stops = []
    for stop in route.stops:
        for item in stop.unload:
            aboard.pop(item.order, None)
        for item in stop.load:
            aboard.setdefault(item.order, item)
        kg = sum(handed_mass_kg(facts, item) for item in aboard.values())
        litres = sum(handed_volume_l(facts, item) for item in aboard.values())
        stops.append(replace(stop, load_kg=kg, load_l=litres))
    return replace(route, stops=tuple(stops))


def with_order(facts: Facts, order_id: str, **changes: Any) -> Facts:
    """Return facts with fields of one order replaced."""
    return replace(facts, orders={**facts.orders, order_id: replace(facts.orders[order_id], **changes)})


def with_place(facts: Facts, place_id: str, **changes: Any) -> Facts:
    """Return facts with fields of one place replaced."""
    return replace(facts, places={**facts.places, place_id: replace(facts.places[place_id], **changes)})


def with_type(facts: Facts, carrier_id: str, **changes: Any) -> Facts:
    """Return facts with fields of one vehicle's or courier's type replaced."""
    vehicle = facts.carriers[carrier_id]
    changed = replace(vehicle, type=replace(vehicle.type, **changes))
    return replace(facts, carriers={**facts.carriers, carrier_id: changed})


def with_physics(facts: Facts, **changes: Any) -> Facts:
    """Return facts with fields of the first drone's physics replaced."""
    drone = facts.carriers["L@town#1"]
    changed = replace(drone, service=replace(drone.service, physics=replace(drone.service.physics, **changes)))
    return replace(facts, carriers={**facts.carriers, drone.id: changed})


def with_bus(facts: Facts, **changes: Any) -> Facts:
    """Return facts with fields of the bus trip replaced."""
    return replace(facts, carriers={**facts.carriers, "T1": replace(BUS, **changes)})


def with_class(facts: Facts, class_id: str, **changes: Any) -> Facts:
    """Return facts with fields of one product class replaced."""
    classes = {**PRODUCTS.classes, class_id: replace(PRODUCTS.classes[class_id], **changes)}
    return replace(facts, products=replace(PRODUCTS, classes=classes))


def with_roads(facts: Facts, *closures: Closure, **network: Any) -> Facts:
    """Return facts with closures, or with another street network."""
    shipped = load_profiles()
    profiles = [shipped["van_diesel"].limited(VAN_TYPE.width_m, None, None), shipped["emoto"]]
    roads = StreetRoads(make_network(**network), {profile.key: profile for profile in profiles}, closures, DAY)
    return replace(facts, roads=roads)


def handed(plan: PlanDocument, number: int, order_id: str, **changes: Any) -> PlanDocument:
    """Return the plan with every handover of an order on a route replaced."""
    route = plan.routes[number]

    def change(items: tuple[Handover, ...]) -> tuple[Handover, ...]:
        return tuple(replace(item, **changes) if item.order == order_id else item for item in items)

    stops = tuple(replace(stop, load=change(stop.load), unload=change(stop.unload)) for stop in route.stops)
    return with_route(plan, number, replace(route, stops=stops))


def without(plan: PlanDocument, number: int, order: str) -> PlanDocument:
    """Return the plan with every handover of an order on a route dropped."""
    route = plan.routes[number]

    def keep(items: tuple[Handover, ...]) -> tuple[Handover, ...]:
        return tuple(item for item in items if item.order != order)

    stops = tuple(replace(stop, load=keep(stop.load), unload=keep(stop.unload)) for stop in route.stops)
    return with_route(plan, number, replace(route, stops=stops))


def with_rate(facts: Facts, unit_s: float) -> Facts:
    """Return facts with another time per piece."""
    return replace(facts, rates=replace(facts.rates, unit_s=unit_s))


def flown_empty(plan: PlanDocument, number: int) -> PlanDocument:
    """Give the outward flight of a sortie the energy it needs without payload."""
    facts = make_world().facts
    route = plan.routes[number]
    drone = facts.carriers[route.carrier]
    left = drone.service.physics.battery_wh
    for position in (0, 1):
        movement = route.stops[position].movement
        departure_s = route.stops[position].departure_s
        cost = fly(movement.line, drone.service.physics, 0.0, facts.weather, departure_s, winch=position == 0)
        left -= cost.energy_wh
        plan = with_movement(plan, number, position, energy_wh=cost.energy_wh, battery_left_wh=left)
    return plan


def with_zones(facts: Facts, *zones: Zone) -> Facts:
    """Return facts with zones instead of those of the world."""
    return replace(facts, airspace=Airspace(zones))


def with_wind(world: World, **changes: Any) -> Facts:
    """Return facts with fields of the weather of the hour from 09:00 replaced."""
    hours = list(world.facts.weather.hours)
    hours[9] = replace(hours[9], **changes)
    return replace(world.facts, weather=Weather(tuple(hours), world.facts.weather.ref_elevation_m))


def without_courier(plan: PlanDocument) -> PlanDocument:
    """Return the plan without the courier and its order."""
    plan = without(plan, BUS_ROUTE, "o2")
    entry = Unassigned("o2", "NO_ROUTE", "", "")
    routes = tuple(route for route in plan.routes if route.kind != "courier")
    return replace(plan, routes=routes, unassigned=(*plan.unassigned, entry))
