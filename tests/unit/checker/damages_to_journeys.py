"""Ways to break custody, times, transfers, capacities and the timetable, each with the codes it must bring."""

from dataclasses import replace

from breaking import (
    BUS_ROUTE,
    MOTO,
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
    with_order,
    with_physics,
    with_place,
    with_rate,
    with_route,
    with_stop,
    with_type,
    without,
)
from checker_world import BUS, PRODUCTS, World

from routing.checker.codes import Code
from routing.checker.facts import Facts
from routing.model.carrier import MAX_CONTINUOUS_DRIVE_S
from routing.model.plan import (
    Handover,
    PlanDocument,
    Rest,
    Unassigned,
)

# --- CUSTODY ----------------------------------------------------------------------------------------------------------


@brings(Code.CUSTODY_UNKNOWN_ORDER)
def unassigned_ghost(world: World) -> Broken:
    entry = Unassigned("ghost", "NO_ROUTE", "", "")
    return world.facts, replace(world.plan, unassigned=(*world.plan.unassigned, entry))


@brings(Code.CUSTODY_UNKNOWN_ORDER)
def carried_ghost(world: World) -> Broken:
    plan = handed(world.plan, VAN, "o5", order="ghost")
    entry = Unassigned("o5", "NO_ROUTE", "", "")
    return settled(world.facts, replace(plan, unassigned=(*plan.unassigned, entry)))


@brings(Code.CUSTODY_MISSING_ORDER)
def forgotten_order(world: World) -> Broken:
    return settled(world.facts, replace(world.plan, unassigned=()))


@brings(Code.CUSTODY_MISSING_ORDER)
def order_taken_off_its_route(world: World) -> Broken:
    return settled(world.facts, without(world.plan, VAN, "o1"))


@brings(Code.CUSTODY_DOUBLE_STATE)
def served_and_unassigned(world: World) -> Broken:
    entry = Unassigned("o1", "NO_ROUTE", "", "")
    return settled(world.facts, replace(world.plan, unassigned=(*world.plan.unassigned, entry)))


@brings(Code.CUSTODY_DOUBLE_STATE)
def unassigned_twice(world: World) -> Broken:
    return settled(world.facts, replace(world.plan, unassigned=world.plan.unassigned * 2))


@brings(Code.CUSTODY_NO_REASON)
def no_reason(world: World) -> Broken:
    return world.facts, replace(world.plan, unassigned=(replace(world.plan.unassigned[0], reason=" "),))


@brings(Code.CUSTODY_LOADED_TWICE)
def loaded_twice(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[0]
    plan = with_stop(world.plan, VAN, 0, load=(*stop.load, Handover("o1", "main")))
    return settled(with_rate(world.facts, 0.0), plan)


@brings(Code.CUSTODY_NOT_ABOARD)
def unloaded_but_never_loaded(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[0]
    loads = tuple(item for item in stop.load if item.order != "o1")
    return settled(world.facts, with_stop(world.plan, VAN, 0, load=loads))


@brings(Code.CUSTODY_NOT_UNLOADED)
def never_unloaded(world: World) -> Broken:
    return settled(world.facts, with_stop(world.plan, VAN, 2, unload=()))


@brings(Code.CUSTODY_BROKEN_CHAIN)
def dropped_leg(world: World) -> Broken:
    return settled(world.facts, without(world.plan, MOTO, "o2"))


@brings(Code.CUSTODY_BROKEN_CHAIN)
def dropped_first_leg(world: World) -> Broken:
    return settled(world.facts, without(world.plan, BUS_ROUTE, "o2"))


@brings(Code.CUSTODY_BROKEN_CHAIN, Code.TIMING_SERVICE_TOO_SHORT)
def unloaded_elsewhere(world: World) -> Broken:
    town, vale = world.plan.routes[VAN].stops[1:3]
    plan = with_stop(world.plan, VAN, 2, unload=())
    return settled(world.facts, with_stop(plan, VAN, 1, unload=(*town.unload, *vale.unload)))


@brings(Code.CUSTODY_BROKEN_CHAIN)
def fetched_where_it_is_not(world: World) -> Broken:
    return settled(with_order(world.facts, "o2", from_id="peak"), world.plan)


@brings()
def fetched_at_another_origin(world: World) -> Broken:
    return with_order(world.facts, "o2", from_id="peak", also_from=("hub",)), world.plan


@brings(Code.CUSTODY_MISSING_ORDER, Code.CUSTODY_BROKEN_CHAIN)
def dropped_bus_route(world: World) -> Broken:
    return settled(world.facts, replace(world.plan, routes=world.plan.routes[:3]))


# --- TIMING -----------------------------------------------------------------------------------------------------------


@brings(Code.TIMING_STOP_ORDER)
def service_before_arrival(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[1]
    return settled(world.facts, with_stop(world.plan, VAN, 1, service_start_s=stop.arrival_s - 60))


@brings(Code.TIMING_ARRIVAL_MISMATCH)
def moved_arrival(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[2]
    return settled(world.facts, with_stop(world.plan, VAN, 2, arrival_s=stop.arrival_s - 5))


@brings(Code.TIMING_TRAVEL_TOO_SHORT)
def faster_than_the_road(world: World) -> Broken:
    movement = world.plan.routes[VAN].stops[2].movement
    plan = with_movement(world.plan, VAN, 2, duration_s=movement.duration_s - 30)
    return settled(world.facts, with_route(plan, VAN, shifted(plan.routes[VAN], -30, 3)))


@brings(Code.TIMING_TRAVEL_TOO_SHORT)
def faster_than_the_drone(world: World) -> Broken:
    movement = world.plan.routes[SORTIE].stops[1].movement
    plan = with_movement(world.plan, SORTIE, 1, duration_s=movement.duration_s - 30)
    return settled(world.facts, with_route(plan, SORTIE, shifted(plan.routes[SORTIE], -30, 2)))


@brings(Code.TIMING_SERVICE_TOO_SHORT)
def hasty_service(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[2]
    return settled(world.facts, with_stop(world.plan, VAN, 2, service_end_s=stop.service_end_s - 1))


@brings(Code.TIMING_SERVICE_TOO_SHORT)
def hasty_winch(world: World) -> Broken:
    stop = world.plan.routes[SORTIE].stops[1]
    plan = with_stop(world.plan, SORTIE, 1, service_end_s=stop.service_end_s - 10)
    return settled(world.facts, plan)


@brings(Code.TIMING_OUTSIDE_OPENING)
def closed_village(world: World) -> Broken:
    return with_place(world.facts, "vale", opens_s=9 * 3600), world.plan


@brings(Code.TIMING_OUTSIDE_OPENING)
def drone_comes_too_late(world: World) -> Broken:
    return with_place(world.facts, "peak", closes_s=8 * 3600), world.plan


@brings(Code.TIMING_BEFORE_RELEASE)
def loaded_before_release(world: World) -> Broken:
    return with_order(world.facts, "o1", release_s=7 * 3600), world.plan


@brings(Code.TIMING_BEFORE_RELEASE)
def bus_before_release(world: World) -> Broken:
    return with_order(world.facts, "o4", release_s=8 * 3600 + 61), world.plan


@brings(Code.TIMING_OUTSIDE_WINDOW)
def after_the_window(world: World) -> Broken:
    return with_order(world.facts, "o1", windows=((0, 6 * 3600), (12 * 3600, 13 * 3600))), world.plan


@brings(Code.TIMING_OUTSIDE_WINDOW)
def bus_after_the_window(world: World) -> Broken:
    return with_order(world.facts, "o4", windows=((0, 8 * 3600 + 1199),)), world.plan


@brings(Code.TIMING_ROUTES_OVERLAP)
def two_places_at_once(world: World) -> Broken:
    sortie = world.plan.routes[SORTIE]
    stops = tuple(replace(stop, load=(), unload=()) for stop in shifted(sortie, 100).stops)
    plan = replace(world.plan, routes=(*world.plan.routes, replace(sortie, id="R9", stops=stops)))
    return settled(world.facts, flown_empty(plan, 4))


@brings(Code.TIMING_NOT_AT_BASE)
def ends_away_from_base(world: World) -> Broken:
    route = world.plan.routes[MOTO]
    last = replace(route.stops[1], movement=None)
    return settled(world.facts, with_route(world.plan, MOTO, replace(route, stops=(route.stops[0], last))))


@brings(Code.TIMING_OUTSIDE_SHIFT)
def before_the_shift(world: World) -> Broken:
    return with_type(world.facts, "van@hub#1", shift_start_s=7 * 3600), world.plan


@brings(Code.TIMING_OUTSIDE_SHIFT)
def after_the_shift(world: World) -> Broken:
    return with_type(world.facts, "van@hub#1", shift_end_s=7 * 3600), world.plan


@brings(Code.TIMING_DRIVE_TOO_LONG)
def drives_too_long(world: World) -> Broken:
    return with_type(world.facts, "van@hub#1", max_drive_s=600), world.plan


@brings(Code.TIMING_REST_MISPLACED)
def rest_during_service(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[1]
    rest = Rest(stop.service_end_s - 10, stop.departure_s - 10)
    return world.facts, with_stop(world.plan, VAN, 1, breaks=(rest,))


@brings(Code.TIMING_REST_MISPLACED)
def rests_overlap(world: World) -> Broken:
    stop = world.plan.routes[VAN].stops[1]
    return world.facts, with_stop(world.plan, VAN, 1, breaks=stop.breaks * 2)


def _slow_day(world: World, rested: bool) -> tuple[Facts, PlanDocument]:
    """Stretch two movements so that four hours of travel are passed; the rest in the town comes after the first."""
    plan = world.plan
    extra = (MAX_CONTINUOUS_DRIVE_S // 2) - 100
    for position in (0, 2):
        movement = plan.routes[VAN].stops[position].movement
        plan = with_movement(plan, VAN, position, duration_s=movement.duration_s + extra)
        plan = with_route(plan, VAN, shifted(plan.routes[VAN], extra, position + 1))
    if not rested:
        plan = with_stop(plan, VAN, 1, breaks=())
    facts = with_order(with_order(world.facts, "o1", windows=()), "o3", release_s=0)
    facts = with_place(facts, "vale", opens_s=0)
    drone = facts.carriers["L@town#1"]
    return settled(replace(facts, carriers={**facts.carriers, drone.id: drone}), plan)


@brings(Code.TIMING_REST_MISSING, Code.CONSISTENCY_DURATION)
def no_rest(world: World) -> Broken:
    facts, plan = _slow_day(world, rested=False)
    return settled(*_without_sortie(facts, plan))


@brings(Code.CONSISTENCY_DURATION)
def rested_in_between(world: World) -> Broken:
    facts, plan = _slow_day(world, rested=True)
    return settled(*_without_sortie(facts, plan))


def _without_sortie(facts: Facts, plan: PlanDocument) -> tuple[Facts, PlanDocument]:
    """Take the sortie and its order out of the plan."""
    entry = Unassigned("o3", "NO_ROUTE", "", "")
    plan = replace(without(plan, VAN, "o3"), unassigned=(*plan.unassigned, entry))
    return facts, replace(plan, routes=tuple(route for route in plan.routes if route.kind != "drone"))


@brings(Code.TIMING_RANGE_EXCEEDED)
def beyond_its_range(world: World) -> Broken:
    facts = with_type(world.facts, "van@hub#1", range_wh=4_000.0)
    plan = world.plan
    left = 4_000.0
    for position, stop in enumerate(plan.routes[VAN].stops[:-1]):
        left -= stop.movement.energy_wh
        plan = with_movement(plan, VAN, position, battery_left_wh=left)
    return facts, plan


@brings(Code.TIMING_TOO_MANY_ROUNDS)
def a_round_too_many(world: World) -> Broken:
    return with_type(world.facts, "van@hub#1", max_rounds=0), world.plan


@brings(Code.TIMING_TOO_MANY_ROUNDS, Code.TIMING_SERVICE_TOO_SHORT)
def rounds_of_one_route(world: World) -> Broken:
    moto = world.plan.routes[MOTO]
    first, vale, last = moto.stops
    middle = replace(last, movement=first.movement)
    times = ("arrival_s", "service_start_s", "service_end_s", "departure_s")
    there_s = last.arrival_s + first.movement.duration_s
    again = replace(vale, unload=(), **dict.fromkeys(times, there_s))
    home = replace(last, **dict.fromkeys(times, there_s + vale.movement.duration_s))
    plan = with_route(world.plan, MOTO, replace(moto, stops=(first, vale, middle, again, home)))
    return settled(with_type(world.facts, "moto@town#1", max_rounds=1), plan)


@brings()
def as_many_rounds_as_allowed(world: World) -> Broken:
    return with_type(world.facts, "van@hub#1", max_rounds=1), world.plan


@brings(Code.TIMING_REST_MISSING)
def rest_due_earlier(world: World) -> Broken:
    return with_type(world.facts, "van@hub#1", max_continuous_drive_s=200), world.plan


@brings(Code.CONSISTENCY_DURATION)
def no_rest_ever_due(world: World) -> Broken:
    facts, plan = _slow_day(world, rested=False)
    facts, plan = settled(*_without_sortie(facts, plan))
    return with_type(facts, "van@hub#1", max_continuous_drive_s=None), plan


# --- TRANSFER ---------------------------------------------------------------------------------------------------------


@brings(Code.TRANSFER_WAIT_TOO_LONG)
def waits_too_long(world: World) -> Broken:
    return with_place(world.facts, "town", max_wait_s=300), world.plan


@brings()
def waits_as_long_as_allowed(world: World) -> Broken:
    return with_place(world.facts, "town", max_wait_s=4 * 3600), world.plan


@brings(Code.TRANSFER_TOO_SHORT)
def missed_connection(world: World) -> Broken:
    return settled(world.facts, with_route(world.plan, MOTO, shifted(world.plan.routes[MOTO], -1)))


@brings(Code.TRANSFER_TOO_SHORT, Code.TIMING_OUTSIDE_WINDOW)
def second_leg_before_the_first(world: World) -> Broken:
    return settled(world.facts, with_route(world.plan, MOTO, shifted(world.plan.routes[MOTO], -2400)))


@brings(Code.TRANSFER_TOO_SHORT)
def sortie_before_the_van(world: World) -> Broken:
    return settled(world.facts, with_route(world.plan, SORTIE, shifted(world.plan.routes[SORTIE], -9000)))


@brings(Code.TRANSFER_CUTOFF_MISSED)
def ready_after_the_cutoff(world: World) -> Broken:
    return with_order(world.facts, "o4", release_s=8 * 3600), world.plan


@brings(Code.TRANSFER_STORE_FULL)
def no_room_to_wait(world: World) -> Broken:
    return with_place(world.facts, "town", store_kg={"ambient": 5.0, "chilled": 50.0}), world.plan


# --- CAPACITY ---------------------------------------------------------------------------------------------------------


@brings(Code.CAPACITY_UNKNOWN_COMPARTMENT)
def no_such_compartment(world: World) -> Broken:
    return settled(world.facts, handed(world.plan, VAN, "o1", compartment="roof"))


@brings(Code.CAPACITY_KG)
def overload(world: World) -> Broken:
    return settled(with_order(world.facts, "o5", weight_kg=800.0), world.plan)


@brings(Code.CAPACITY_KG)
def overloaded_bus(world: World) -> Broken:
    return with_bus(world.facts, max_kg=18.0), world.plan


@brings(Code.CAPACITY_LITRES)
def too_bulky(world: World) -> Broken:
    return settled(with_order(world.facts, "o5", volume_l=5_000.0), world.plan)


@brings(Code.CAPACITY_LITRES)
def too_bulky_for_the_drone(world: World) -> Broken:
    return with_physics(world.facts, volume_l=10.0), world.plan


@brings(Code.CAPACITY_PIECE_KG)
def piece_too_heavy(world: World) -> Broken:
    return with_bus(world.facts, max_piece_kg=10.9), world.plan


@brings(Code.CAPACITY_PIECE_LENGTH)
def piece_too_long(world: World) -> Broken:
    return with_order(world.facts, "o2", longest_cm=130.0), world.plan


@brings(Code.CAPACITY_INCOMPATIBLE)
def bad_company(world: World) -> Broken:
    return with_order(world.facts, "o5", product_class="chemicals"), world.plan


# --- TIMETABLE --------------------------------------------------------------------------------------------------------


@brings(Code.TIMETABLE_NO_SUCH_TRIP)
def cancelled_bus(world: World) -> Broken:
    carriers = {key: carrier for key, carrier in world.facts.carriers.items() if key != "T1"}
    return settled(with_place(replace(world.facts, carriers=carriers), "town", handling_s=0), world.plan)


@brings(Code.TIMETABLE_TRIP_TWICE, Code.CONSISTENCY_ROUTE_ID)
def bus_used_twice(world: World) -> Broken:
    route = world.plan.routes[BUS_ROUTE]
    stops = tuple(replace(stop, load=(), unload=()) for stop in route.stops)
    return settled(world.facts, replace(world.plan, routes=(*world.plan.routes, replace(route, stops=stops))))


@brings(Code.TIMETABLE_NO_SUCH_CALL)
def bus_stops_elsewhere(world: World) -> Broken:
    return world.facts, with_stop(world.plan, BUS_ROUTE, 0, bus_stop="S9")


@brings(Code.TIMETABLE_CALL_ORDER, Code.TIMING_ARRIVAL_MISMATCH)
def bus_runs_backwards(world: World) -> Broken:
    facts = with_bus(world.facts, calls=(replace(BUS.calls[0], sequence=6), BUS.calls[1]))
    plan = with_stop(world.plan, BUS_ROUTE, 0, call=6)
    return facts, with_movement(plan, BUS_ROUTE, 0, duration_s=1)


@brings(Code.TIMETABLE_TIME_MISMATCH)
def bus_waits(world: World) -> Broken:
    plan = with_route(world.plan, BUS_ROUTE, shifted(world.plan.routes[BUS_ROUTE], 60))
    return settled(with_place(world.facts, "town", handling_s=0), plan)


@brings(Code.TIMETABLE_GOODS_BARRED)
def dangerous_on_the_bus(world: World) -> Broken:
    return with_order(world.facts, "o2", dangerous=True), world.plan


@brings(Code.TIMETABLE_GOODS_BARRED)
def class_never_on_buses(world: World) -> Broken:
    return with_class(world.facts, "meat", bus_allowed=False), world.plan


@brings(Code.TIMETABLE_GOODS_BARRED)
def class_not_on_this_bus(world: World) -> Broken:
    return with_bus(world.facts, product_classes=("ambient",)), world.plan


@brings(Code.TIMETABLE_NO_PICKUP)
def no_pickup(world: World) -> Broken:
    return with_bus(world.facts, calls=(replace(BUS.calls[0], can_load=False), BUS.calls[1])), world.plan


@brings(Code.TIMETABLE_NO_DROPOFF)
def no_dropoff(world: World) -> Broken:
    return with_bus(world.facts, calls=(BUS.calls[0], replace(BUS.calls[1], can_unload=False))), world.plan


# --- Van, then bus -------------------------------------------------------------------------------------------------


def _meat_from_the_vale(world: World) -> Broken:
    """Let the meat come from the village by van, boxed, and go on by bus; it waits in the hub's chilled store."""
    goods = Handover("o4", "main", "ice")
    _, _, vale, _, hub = world.plan.routes[VAN].stops
    plan = with_stop(
        world.plan,
        VAN,
        2,
        load=(*vale.load, goods),
        service_end_s=vale.service_end_s + 20,
        departure_s=vale.departure_s + 20,
    )
    plan = with_route(plan, VAN, shifted(plan.routes[VAN], 20, 3))
    plan = with_stop(plan, VAN, 4, unload=(*hub.unload, goods), service_end_s=hub.service_end_s + 24)
    plan = with_stop(plan, VAN, 4, departure_s=plan.routes[VAN].stops[4].service_end_s)
    facts = with_order(world.facts, "o4", from_id="vale")
    return settled(facts, plan)


@brings()
def van_meets_bus(world: World) -> Broken:
    return _meat_from_the_vale(world)


@brings(Code.TRANSFER_CUTOFF_MISSED)
def van_misses_bus(world: World) -> Broken:
    facts, plan = _meat_from_the_vale(world)
    unloaded_s = plan.routes[VAN].stops[4].service_end_s
    cutoff_s = plan.routes[BUS_ROUTE].stops[0].departure_s - 600
    return with_place(facts, "hub", handling_s=cutoff_s - unloaded_s + 1), plan


@brings(Code.COLD_OUT_OF_BAND)
def store_out_of_order(world: World) -> Broken:
    facts, plan = _meat_from_the_vale(world)
    warm = replace(facts.products, store_c={**PRODUCTS.store_c, "chilled": 60.0})
    return settled(replace(facts, products=warm), plan)
