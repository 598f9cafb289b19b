"""Ways to make redundant fields disagree, each with the codes it must bring."""

from dataclasses import replace

from breaking import (
    BUS_ROUTE,
    MOTO,
    SORTIE,
    VAN,
    Broken,
    brings,
    settled,
    shifted,
    with_movement,
    with_route,
    with_stop,
)
from checker_world import World

from routing.checker.codes import Code
from routing.model.plan import (
    Movement,
    Objective,
    Relaxation,
    Rest,
)

# --- CONSISTENCY ------------------------------------------------------------------------------------------------------


@brings(Code.CONSISTENCY_BAD_NUMBER)
def not_a_number(world: World) -> Broken:
    nan = Relaxation("orders.weight_kg", float("nan"), "kg", "", "")
    return world.facts, replace(world.plan, unassigned=(replace(world.plan.unassigned[0], relaxation=nan),))


@brings(Code.CONSISTENCY_BAD_NUMBER, Code.CONSISTENCY_ENERGY, Code.CONSISTENCY_BATTERY, Code.CONSISTENCY_COST)
def nan_energy(world: World) -> Broken:
    return world.facts, with_movement(world.plan, SORTIE, 0, energy_wh=float("nan"))


@brings(Code.CONSISTENCY_DIGEST)
def wrong_digest(world: World) -> Broken:
    return world.facts, replace(world.plan, scenario=replace(world.plan.scenario, digest="d2"))


@brings(Code.CONSISTENCY_SCENARIO)
def other_name(world: World) -> Broken:
    return world.facts, replace(world.plan, scenario=replace(world.plan.scenario, name="elsewhere"))


@brings(Code.CONSISTENCY_SCENARIO)
def other_date(world: World) -> Broken:
    return world.facts, replace(world.plan, scenario=replace(world.plan.scenario, service_date="2026-05-15"))


@brings(Code.CONSISTENCY_SCENARIO)
def other_currency(world: World) -> Broken:
    return world.facts, replace(world.plan, objective=replace(world.plan.objective, currency="EUR"))


@brings(Code.CONSISTENCY_REJECTED)
def rejected_row_omitted(world: World) -> Broken:
    return world.facts, replace(world.plan, rejected=())


@brings(Code.CONSISTENCY_REJECTED)
def good_row_called_rejected(world: World) -> Broken:
    row = replace(world.plan.rejected[0], row=4, order="o1")
    return world.facts, replace(world.plan, rejected=(*world.plan.rejected, row))


@brings(Code.CONSISTENCY_ONLY)
def not_only_vehicles(world: World) -> Broken:
    return world.facts, replace(world.plan, only=("vehicle", "drone", "bus"))


@brings(Code.CONSISTENCY_ONLY)
def only_nonsense(world: World) -> Broken:
    return world.facts, replace(world.plan, only=("vehicle", "drone", "bus", "courier", "rocket"))


@brings(Code.CONSISTENCY_ROUTE_ID, Code.CONSISTENCY_LEGS)
def same_route_id(world: World) -> Broken:
    return world.facts, with_route(world.plan, MOTO, replace(world.plan.routes[MOTO], id="R1"))


@brings(Code.CONSISTENCY_UNKNOWN_CARRIER)
def unknown_carrier(world: World) -> Broken:
    return settled(world.facts, with_route(world.plan, VAN, replace(world.plan.routes[VAN], carrier="van@hub#9")))


@brings(Code.CONSISTENCY_ROUTE_FIELD)
def wrong_operator(world: World) -> Broken:
    return world.facts, with_route(world.plan, VAN, replace(world.plan.routes[VAN], operator="bus company"))


@brings(Code.CONSISTENCY_ROUTE_FIELD)
def wrong_profile(world: World) -> Broken:
    return world.facts, with_route(world.plan, VAN, replace(world.plan.routes[VAN], profile="truck"))


@brings(Code.CONSISTENCY_ROUTE_FIELD)
def wrong_bus_base(world: World) -> Broken:
    return world.facts, with_route(world.plan, BUS_ROUTE, replace(world.plan.routes[BUS_ROUTE], base="town"))


@brings(Code.CONSISTENCY_ROUTE_FIELD, Code.CONSISTENCY_LEGS)
def wrong_kind(world: World) -> Broken:
    return world.facts, with_route(world.plan, MOTO, replace(world.plan.routes[MOTO], kind="vehicle"))


@brings(Code.CONSISTENCY_EMPTY_ROUTE)
def empty_route(world: World) -> Broken:
    extra = replace(world.plan.routes[VAN], id="R9", carrier="van@hub#2", stops=())
    return settled(world.facts, replace(world.plan, routes=(*world.plan.routes, extra)))


@brings(
    Code.CONSISTENCY_UNKNOWN_PLACE, Code.CUSTODY_BROKEN_CHAIN, Code.CONSISTENCY_LEGS, Code.CONSISTENCY_COST,
)  # fmt: skip
def unknown_place(world: World) -> Broken:
    return world.facts, with_stop(world.plan, VAN, 1, place="nowhere")


@brings(Code.CONSISTENCY_STOP_FIELD)
def van_at_a_bus_stop(world: World) -> Broken:
    return world.facts, with_stop(world.plan, VAN, 0, bus_stop="S1")


@brings(Code.CONSISTENCY_STOP_FIELD)
def drone_rests(world: World) -> Broken:
    stop = world.plan.routes[SORTIE].stops[2]
    rest = Rest(stop.service_end_s, stop.departure_s)
    return world.facts, with_stop(world.plan, SORTIE, 2, breaks=(rest,))


@brings(Code.CONSISTENCY_MOVEMENT)
def missing_movement(world: World) -> Broken:
    return settled(world.facts, with_stop(world.plan, MOTO, 1, movement=None))


@brings(Code.CONSISTENCY_MOVEMENT)
def movement_to_nowhere(world: World) -> Broken:
    return settled(world.facts, with_stop(world.plan, BUS_ROUTE, 1, movement=Movement("bus", 0, 60, 0.0)))


@brings(Code.CONSISTENCY_MOVEMENT)
def flying_van(world: World) -> Broken:
    return settled(world.facts, with_movement(world.plan, VAN, 0, kind="flight"))


@brings(Code.CONSISTENCY_MOVEMENT)
def bus_with_energy(world: World) -> Broken:
    return world.facts, with_movement(world.plan, BUS_ROUTE, 0, energy_wh=5.0)


@brings(Code.CONSISTENCY_MOVEMENT)
def van_with_a_flight_line(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 0, line=((105.0, 30.0, 500.0),))


@brings(Code.CONSISTENCY_SLOT)
def wrong_slot(world: World) -> Broken:
    return world.facts, with_movement(world.plan, VAN, 0, slot=3)


@brings(Code.CONSISTENCY_HANDOVER)
def unloaded_from_elsewhere(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[2]
    return world.facts, with_stop(world.plan, VAN, 2, unload=(replace(stop.unload[0], compartment="cool"),))


@brings(Code.CONSISTENCY_LOAD)
def false_kilograms(world: World) -> Broken:
    return world.facts, with_stop(world.plan, VAN, 0, load_kg=21.02)


@brings(Code.CONSISTENCY_LOAD)
def false_litres(world: World) -> Broken:
    return world.facts, with_stop(world.plan, BUS_ROUTE, 0, load_l=55.0)


@brings(Code.CONSISTENCY_DURATION)
def dawdling(world: World) -> Broken:
    movement = world.plan.routes[VAN].stops[3].movement
    plan = with_movement(world.plan, VAN, 3, duration_s=movement.duration_s + 2)
    return settled(world.facts, with_route(plan, VAN, shifted(plan.routes[VAN], 2, 4)))


@brings(Code.CONSISTENCY_DISTANCE)
def false_distance(world: World) -> Broken:
    movement = world.plan.routes[VAN].stops[0].movement
    return settled(world.facts, with_movement(world.plan, VAN, 0, distance_m=movement.distance_m - 2))


@brings(Code.CONSISTENCY_ENERGY, Code.CONSISTENCY_BATTERY)
def false_energy(world: World) -> Broken:
    movement = world.plan.routes[SORTIE].stops[0].movement
    return settled(world.facts, with_movement(world.plan, SORTIE, 0, energy_wh=movement.energy_wh * 0.9))


@brings(Code.CONSISTENCY_BATTERY)
def false_battery(world: World) -> Broken:
    return world.facts, with_movement(world.plan, SORTIE, 1, battery_left_wh=3_000.0)


@brings(Code.CONSISTENCY_BATTERY)
def battery_of_a_courier(world: World) -> Broken:
    return world.facts, with_movement(world.plan, MOTO, 0, battery_left_wh=100.0)


@brings(Code.CONSISTENCY_LEGS)
def false_leg(world: World) -> Broken:
    first = world.plan.orders[0]
    leg = replace(first.legs[0], arrival_s=first.legs[0].arrival_s + 1)
    return world.facts, replace(world.plan, orders=(replace(first, legs=(leg,)), *world.plan.orders[1:]))


@brings(Code.CONSISTENCY_LEGS)
def legs_of_nobody(world: World) -> Broken:
    extra = replace(world.plan.orders[0], order="ghost", legs=())
    return world.facts, replace(world.plan, orders=(*world.plan.orders, extra))


@brings(Code.CONSISTENCY_LEGS)
def legs_in_false_order(world: World) -> Broken:
    orders = tuple(replace(entry, legs=entry.legs[::-1]) for entry in world.plan.orders)
    return world.facts, replace(world.plan, orders=orders)


@brings(Code.CONSISTENCY_COST)
def false_sum(world: World) -> Broken:
    lines = replace(world.plan.objective.lines, distance=world.plan.objective.lines.distance - 1)
    return world.facts, replace(world.plan, objective=Objective("CNY", lines, lines.total))


@brings(Code.CONSISTENCY_TOTAL)
def false_total(world: World) -> Broken:
    total = world.plan.objective.total - 1
    return world.facts, replace(world.plan, objective=replace(world.plan.objective, total=total))


@brings(Code.CONSISTENCY_BOUND)
def bound_above_total(world: World) -> Broken:
    return world.facts, replace(world.plan, bound=float(world.plan.objective.total + 1))


@brings(
    Code.TIMING_NOT_AT_BASE,
    Code.TIMING_SERVICE_TOO_SHORT,
    Code.CAPACITY_UNKNOWN_COMPARTMENT,
    Code.CONSISTENCY_ROUTE_FIELD,
    Code.CONSISTENCY_DURATION,
    Code.CONSISTENCY_ENERGY,
    Code.CONSISTENCY_BATTERY,
    Code.CONSISTENCY_COST,
)
def swapped_carrier(world: World) -> Broken:
    route = replace(world.plan.routes[MOTO], carrier="van@hub#2")
    return world.facts, with_route(world.plan, MOTO, route)


@brings()
def twin_carrier(world: World) -> Broken:
    return world.facts, with_route(world.plan, VAN, replace(world.plan.routes[VAN], carrier="van@hub#2"))
