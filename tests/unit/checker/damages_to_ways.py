"""Ways to break flights, cold chains and roads, each with the codes it must bring."""

from dataclasses import replace

import numpy as np
from breaking import (
    BUS_ROUTE,
    SORTIE,
    VAN,
    Broken,
    brings,
    flown_empty,
    handed,
    settled,
    shifted,
    with_bus,
    with_class,
    with_movement,
    with_physics,
    with_place,
    with_roads,
    with_route,
    with_wind,
    with_zones,
    without_courier,
)
from checker_world import BUS, PRODUCTS, World
from shapely.geometry import LineString
from shapely.geometry import box as rectangle

from geodata.airspace import Zone
from geodata.flight import fly
from geodata.streets import Closure
from geodata.terrain import Terrain
from geodata.travel_clock import TravelClock
from geodata.weather import Weather
from routing.checker.codes import Code
from routing.model.plan import (
    Movement,
    PlanDocument,
    Stop,
)

# --- FLIGHT -----------------------------------------------------------------------------------------------------------


@brings(Code.FLIGHT_SORTIE_SHAPE, Code.FLIGHT_RESERVE)
def two_hops_in_one_sortie(world: World) -> Broken:
    route = world.plan.routes[SORTIE]
    late = shifted(route, route.stops[2].departure_s - route.stops[0].arrival_s)
    back = late.stops[0]
    middle = replace(back, load=())
    stops = (*route.stops[:2], middle, replace(late.stops[1], unload=()), late.stops[2])
    plan = with_route(world.plan, SORTIE, replace(route, stops=stops))
    facts = with_physics(world.facts, reserve=0.5)
    drone = facts.carriers["L@town#1"].service.physics

    left = drone.battery_wh
    for position, payload in enumerate((6.0, 0.0, 0.0, 0.0)):
        stop = plan.routes[SORTIE].stops[position]
        cost = fly(stop.movement.line, drone, payload, facts.weather, stop.departure_s, winch=position % 2 == 0)
        left -= cost.energy_wh
        plan = with_movement(plan, SORTIE, position, energy_wh=cost.energy_wh, battery_left_wh=left)
    return settled(facts, plan)


@brings(Code.FLIGHT_WRONG_ENDS, Code.CONSISTENCY_DISTANCE, Code.CONSISTENCY_DURATION, Code.CONSISTENCY_ENERGY)
def lands_beside_its_place(world: World) -> Broken:
    line = world.plan.routes[SORTIE].stops[0].movement.line
    return world.facts, with_movement(world.plan, SORTIE, 0, line=line[:-3])


@brings(Code.FLIGHT_WRONG_ENDS)
def no_line(world: World) -> Broken:
    return world.facts, with_movement(world.plan, SORTIE, 0, line=())


@brings(Code.FLIGHT_OUTSIDE_TERRAIN)
def leaves_the_map(world: World) -> Broken:
    terrain = world.facts.terrain
    cut = Terrain(terrain.west, 30.02, terrain.step_lon, terrain.step_lat, np.full((60, 200), 500, dtype=np.float32))
    return replace(world.facts, terrain=cut), world.plan


def _lifted(world: World, by_m: float) -> PlanDocument:
    line = world.plan.routes[SORTIE].stops[1].movement.line
    higher = tuple((lon, lat, height + by_m) for lon, lat, height in line[1:-1])
    return with_movement(world.plan, SORTIE, 1, line=(line[0], *higher, line[-1]))


@brings(Code.FLIGHT_TOO_LOW, Code.CONSISTENCY_ENERGY, Code.CONSISTENCY_DURATION)
def flies_too_low(world: World) -> Broken:
    return world.facts, _lifted(world, -5.0)


@brings(Code.FLIGHT_TOO_LOW)
def hill_in_the_way(world: World) -> Broken:
    heights = np.array(world.facts.terrain.heights_m)
    lat = world.facts.terrain.north - world.facts.terrain.step_lat * np.arange(heights.shape[0])
    lon = world.facts.terrain.west + world.facts.terrain.step_lon * np.arange(heights.shape[1])
    close = (np.abs(lat[:, None] - 30.0255) < 0.0006) & (np.abs(lon[None, :] - 105.02) < 0.002)
    return replace(world.facts, terrain=replace(world.facts.terrain, heights_m=heights + 60.0 * close.astype("f4"))), (
        world.plan
    )


@brings(Code.FLIGHT_TOO_HIGH, Code.TIMING_TRAVEL_TOO_SHORT, Code.CONSISTENCY_ENERGY)
def flies_too_high(world: World) -> Broken:
    return world.facts, _lifted(world, 95.0)


ACROSS = rectangle(105.0, 30.013, 105.04, 30.016)
"""A strip between the town and the place behind the hill."""


@brings(Code.FLIGHT_NO_FLY)
def through_a_no_fly_zone(world: World) -> Broken:
    return with_zones(world.facts, Zone("Z", "no_fly", "Dam", ACROSS, from_s=9 * 3600, until_s=9 * 3600 + 60)), (
        world.plan
    )


@brings(Code.FLIGHT_CONTROLLED)
def through_a_controlled_zone(world: World) -> Broken:
    return with_zones(world.facts, Zone("Z", "controlled", "Airport", ACROSS)), world.plan


@brings()
def through_an_approved_corridor(world: World) -> Broken:
    corridor = Zone("C", "corridor", "Approved", ACROSS.buffer(0.001), ceiling_agl_m=120.0, from_s=0, until_s=36_000)
    return with_zones(world.facts, Zone("Z", "controlled", "Airport", ACROSS), corridor), world.plan


@brings(Code.FLIGHT_CONTROLLED)
def corridor_closes_too_early(world: World) -> Broken:
    corridor = Zone("C", "corridor", "Approved", ACROSS.buffer(0.001), ceiling_agl_m=120.0, until_s=9 * 3600 + 60)
    return with_zones(world.facts, Zone("Z", "controlled", "Airport", ACROSS), corridor), world.plan


@brings()
def zones_that_do_not_hold(world: World) -> Broken:
    zones = (
        Zone("A", "no_fly", "later", ACROSS, from_s=10 * 3600),
        Zone("B", "no_fly", "another month", ACROSS, months=(1,)),
        Zone("C", "no_fly", "another type", ACROSS, applies_to=("S",)),
        Zone("D", "no_fly", "above", ACROSS, floor_agl_m=150.0),
        Zone("E", "controlled", "below", ACROSS, ceiling_agl_m=20.0),
    )
    return with_zones(world.facts, *zones), world.plan


# --- The hour of the day ----------------------------------------------------------------------------------------------


def _by_hour(world: World, factors: list[float]) -> Broken:
    """Return the world with roads slower in some hours, and the plan with the hours of its movements named."""
    van, plan = world.plan.routes[VAN], world.plan
    for position, stop in enumerate(van.stops[:-1]):
        plan = with_movement(plan, VAN, position, slot=stop.departure_s // 3600)
    key = world.facts.carriers[van.carrier].travel
    return replace(world.facts, clocks={key: TravelClock(factors)}), plan


@brings()
def slow_hours_at_night(world: World) -> Broken:
    return _by_hour(world, [0.5] * 6 + [1.0] * 12 + [0.5])


@brings(Code.TIMING_TRAVEL_TOO_SHORT)
def dry_times_in_fog(world: World) -> Broken:
    return _by_hour(world, [0.5] * 24)


@brings(Code.CONSISTENCY_SLOT)
def hours_not_named(world: World) -> Broken:
    facts, _ = _by_hour(world, [0.5] * 6 + [1.0] * 12 + [0.5])
    return facts, world.plan


@brings(Code.FLIGHT_WIND)
def gusts(world: World) -> Broken:
    return with_wind(world, gust_m_s=12.5), world.plan


@brings(Code.FLIGHT_PAYLOAD)
def drone_overload(world: World) -> Broken:
    return with_physics(world.facts, payload_kg=6.0), world.plan


@brings(Code.FLIGHT_IMPOSSIBLE)
def head_wind_stops_the_drone(world: World) -> Broken:
    facts = with_physics(world.facts, wind_limit_m_s=40.0)
    hours = list(facts.weather.hours)
    hours[9] = replace(hours[9], wind_m_s=16.0, gust_m_s=16.0, wind_from_deg=0.0)
    plan = world.plan
    route = plan.routes[SORTIE]
    facts = replace(facts, weather=Weather(tuple(hours), facts.weather.ref_elevation_m))
    back = route.stops[1]

    cost = fly(
        back.movement.line,
        facts.carriers["L@town#1"].service.physics,
        0.0,
        facts.weather,
        back.departure_s,
        winch=False,
    )
    out = route.stops[0].movement
    left = out.battery_left_wh - cost.energy_wh
    plan = with_movement(plan, SORTIE, 1, duration_s=cost.duration_s, energy_wh=cost.energy_wh, battery_left_wh=left)
    shift = cost.duration_s - back.movement.duration_s
    return settled(facts, with_route(plan, SORTIE, shifted(plan.routes[SORTIE], shift, 2)))


@brings(Code.FLIGHT_RESERVE)
def lands_on_its_reserve(world: World) -> Broken:
    return with_physics(world.facts, reserve=0.88), world.plan


@brings(Code.FLIGHT_TURNAROUND)
def no_turnaround(world: World) -> Broken:
    sortie = world.plan.routes[SORTIE]
    physics = world.facts.carriers[sortie.carrier].service.physics
    gap = sortie.stops[2].departure_s - sortie.stops[0].arrival_s + physics.turnaround_s - 1
    again = shifted(sortie, gap)
    stops = tuple(replace(stop, load=(), unload=()) for stop in again.stops)
    plan = replace(world.plan, routes=(*world.plan.routes, replace(again, id="R9", stops=stops)))
    return settled(world.facts, flown_empty(plan, 4))


@brings(Code.FLIGHT_OUTSIDE_SHIFT)
def flies_after_its_shift(world: World) -> Broken:
    drone = world.facts.carriers["L@town#1"]
    changed = replace(drone, service=replace(drone.service, shift_end_s=9 * 3600 + 300))
    return replace(world.facts, carriers={**world.facts.carriers, drone.id: changed}), world.plan


# --- COLD -------------------------------------------------------------------------------------------------------------


@brings(Code.COLD_BOX_MISSING)
def no_box(world: World) -> Broken:
    return settled(world.facts, handed(world.plan, BUS_ROUTE, "o4", box=None))


@brings(Code.COLD_BOX_WRONG)
def wrong_box(world: World) -> Broken:
    return settled(world.facts, handed(world.plan, BUS_ROUTE, "o4", box="cool"))


@brings(Code.COLD_BOX_WRONG)
def needless_box(world: World) -> Broken:
    return settled(world.facts, handed(world.plan, VAN, "o7", box="cool"))


@brings(Code.COLD_OUT_OF_BAND)
def warm_box(world: World) -> Broken:
    boxes = {**PRODUCTS.boxes, "ice": replace(PRODUCTS.boxes["ice"], coolant_j=0.0)}
    facts = replace(world.facts, products=replace(PRODUCTS, boxes=boxes))
    facts = with_bus(facts, calls=(BUS.calls[0], replace(BUS.calls[1], board_s=14_400)))
    facts = with_place(facts, "town", store_kg={"ambient": 300.0})
    facts = replace(facts, orders={**facts.orders, "o2": facts.orders["o2"]})
    return settled(facts, without_courier(world.plan))


@brings(Code.COLD_DOSE)
def eaten_up(world: World) -> Broken:
    return with_class(world.facts, "meat", max_equivalent_h=0.5), world.plan


# --- ACCESS -----------------------------------------------------------------------------------------------------------


@brings(Code.ACCESS_NO_PATH)
def no_way(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 0, nodes=())


@brings(Code.ACCESS_WRONG_JOIN)
def starts_far_from_its_place(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 0, nodes=(2, 3))


@brings(Code.ACCESS_NO_SUCH_ROAD)
def cross_country(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 0, nodes=(1, 3))


@brings(Code.ACCESS_NO_SUCH_ROAD)
def against_the_one_way(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 1, nodes=(3, 7, 5))


@brings(Code.ACCESS_NO_SUCH_ROAD)
def unknown_nodes(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 0, nodes=(1, 2, 99, 3))


@brings(Code.ACCESS_ROAD_FORBIDDEN)
def too_narrow(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 1, nodes=(3, 6, 5))


@brings(Code.ACCESS_ROAD_CLOSED)
def closed_road(world: World) -> Broken:
    shut = Closure("C", "closed", LineString([(105.001, 30.0), (105.009, 30.0)]), 6 * 3600, 7 * 3600)
    return with_roads(world.facts, shut), world.plan


@brings()
def road_closed_later(world: World) -> Broken:
    shut = Closure("C", "closed", LineString([(105.001, 30.0), (105.009, 30.0)]), 12 * 3600, 13 * 3600)
    return with_roads(world.facts, shut), world.plan


def _parked(world: World, nodes: tuple[int, ...]) -> Broken:
    """Add a round of the second van that does not leave its base."""
    stay = Movement("street", 0, 0, 0.0, battery_left_wh=60_000.0, nodes=nodes)
    stops = (Stop("hub", 30_000, 30_000, 30_000, 30_000, movement=stay), Stop("hub", 30_000, 30_000, 30_000, 30_000))
    route = replace(world.plan.routes[VAN], id="R9", carrier="van@hub#2", stops=stops)
    return settled(world.facts, replace(world.plan, routes=(*world.plan.routes, route)))


@brings()
def stays_where_it_is(world: World) -> Broken:
    return _parked(world, ())


@brings()
def stays_at_its_node(world: World) -> Broken:
    return _parked(world, (1,))


@brings(Code.ACCESS_NO_SUCH_ROAD)
def stays_at_no_node(world: World) -> Broken:
    return _parked(world, (99,))


@brings(Code.ACCESS_WRONG_JOIN)
def stays_at_a_far_node(world: World) -> Broken:
    return _parked(world, (2,))
