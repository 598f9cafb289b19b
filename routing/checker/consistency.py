"""CONSISTENCY: every redundant field of a plan agrees with the rest and with its scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from routing.checker.capacity import aboard_by_segment
from routing.checker.codes import Code
from routing.checker.costs import LINES, reckon_costs
from routing.checker.goods import handed_mass_kg, handed_volume_l
from routing.checker.journeys import Case, Ride
from routing.checker.report import Violation
from routing.model.carrier import BusTrip, Carrier, Drone, Vehicle
from routing.model.plan import Leg, Movement, OrderLegs, Route, Stop

LOAD_TOLERANCE = 0.01
BATTERY_TOLERANCE_WH = 0.5
MONEY_TOLERANCE = 1e-6
"""Of a minor unit and of the sum: how close to a half a sum may lie for either rounding to be right."""
SPOILAGE_TOLERANCE, SPOILAGE_TOLERANCE_SHARE = 1.0, 0.001
"""Minor units, and share of the line, two integrations of the same courses may differ by."""
KIND_OF_MOVEMENT = {"vehicle": "street", "courier": "street", "drone": "flight", "bus": "bus"}


def check_consistency(case: Case) -> Iterator[Violation]:
    """Yield the violations of the CONSISTENCY family."""
    yield from _check_scenario(case)
    yield from check_routes(case)
    yield from _check_legs(case)
    yield from _check_money(case)


def check_routes(case: Case) -> Iterator[Violation]:
    """Yield the violations of the family in the routes, which a bare plan has, too."""
    yield from _check_route_ids(case)
    for route in case.document.routes:
        yield from _check_route(case, route)
    yield from _check_handovers(case)


# --- The document --------------------------------------------------------------------------------------------------


def _check_scenario(case: Case) -> Iterator[Violation]:
    facts, document = case.facts, case.document
    if document.scenario.digest != facts.digest:
        text = f"the plan is of scenario digest {document.scenario.digest!r}, this scenario has {facts.digest!r}"
        yield Violation(Code.CONSISTENCY_DIGEST, None, None, "", text)
    for name, stated, true in (
        ("name", document.scenario.name, facts.scenario_name),
        ("service date", document.scenario.service_date, facts.service_date.isoformat()),
        ("currency", document.objective.currency, facts.currency),
    ):
        if stated != true:
            text = f"the {name} is {stated!r} in the plan and {true!r} in the scenario"
            yield Violation(Code.CONSISTENCY_SCENARIO, None, None, "", text)
    unknown_kinds = [kind for kind in document.only if kind not in KIND_OF_MOVEMENT]
    if unknown_kinds:
        text = f"the plan is restricted to kinds of carrier that do not exist: {', '.join(unknown_kinds)}"
        yield Violation(Code.CONSISTENCY_ONLY, None, None, "", text)
    stated_rows, true_rows = Counter(document.rejected), Counter(facts.rejected)
    for row in sorted((stated_rows - true_rows) | (true_rows - stated_rows), key=lambda row: (row.row, row.order)):
        side = "listed but not rejected" if row in stated_rows else "rejected but not listed"
        text = f"row {row.row} with order {row.order} is {side} with exactly these faults"
        yield Violation(Code.CONSISTENCY_REJECTED, None, None, "", text, order=row.order)


def _check_route_ids(case: Case) -> Iterator[Violation]:
    for route_id, times in Counter(route.id for route in case.document.routes).items():
        if times > 1:
            text = f"{times} routes have the id {route_id!r}"
            yield Violation(Code.CONSISTENCY_ROUTE_ID, None, float(times), "routes", text, route_id)


# --- Routes --------------------------------------------------------------------------------------------------------


def _check_route(case: Case, route: Route) -> Iterator[Violation]:
    only = case.document.only
    if only and route.kind not in only:
        text = f"the plan is restricted to {', '.join(only)}, the route is of kind {route.kind}"
        yield Violation(Code.CONSISTENCY_ONLY, None, None, "", text, route.id)
    if len(route.stops) < 2:
        text = f"the route has {len(route.stops)} stops"
        yield Violation(Code.CONSISTENCY_EMPTY_ROUTE, None, None, "", text, route.id)
    for stop in route.stops:
        if stop.place not in case.facts.places:
            text = f"there is no place {stop.place!r}"
            yield Violation(Code.CONSISTENCY_UNKNOWN_PLACE, stop.place, None, "", text, route.id)
    yield from _check_loads(case, route)
    carrier = case.carrier_of(route)
    if carrier is None:
        if route.kind != "bus":  # an unknown trip is a fault of TIMETABLE
            text = f"there is no carrier {route.carrier!r}"
            yield Violation(Code.CONSISTENCY_UNKNOWN_CARRIER, None, None, "", text, route.id)
        return
    yield from _check_route_fields(route, carrier)
    yield from _check_stops(case, route, carrier)
    yield from _check_battery(route, carrier)


def _check_route_fields(route: Route, carrier: Carrier) -> Iterator[Violation]:
    if isinstance(carrier, Vehicle):
        kind, profile, base = carrier.type.id, carrier.type.profile, carrier.base
    elif isinstance(carrier, Drone):
        kind, profile, base = carrier.service.id, carrier.service.id, carrier.base
    else:
        kind, profile, base = carrier.line, "bus", route.stops[0].place if route.stops else ""
    for name, stated, true in (
        ("operator", route.operator, carrier.operator),
        ("kind", route.kind, carrier.kind),
        ("type", route.type, kind),
        ("profile", route.profile, profile),
        ("base", route.base, base),
    ):
        if stated != true:
            text = f"{name} is {stated!r}, of {carrier.id} it is {true!r}"
            yield Violation(Code.CONSISTENCY_ROUTE_FIELD, None, None, "", text, route.id)


def _check_stops(case: Case, route: Route, carrier: Carrier) -> Iterator[Violation]:
    wanted = KIND_OF_MOVEMENT[carrier.kind]
    for position, stop in enumerate(route.stops):
        is_last = position == len(route.stops) - 1
        reason = _movement_fault(stop.movement, wanted, is_last=is_last)
        if reason is not None:
            text = f"the movement after {stop.place} {reason}"
            yield Violation(Code.CONSISTENCY_MOVEMENT, stop.place, None, "", text, route.id)
        slot = _slot(case, carrier, stop)
        if stop.movement is not None and stop.movement.slot != slot:
            text = f"the movement after {stop.place} names slot {stop.movement.slot}, it leaves in slot {slot}"
            yield Violation(Code.CONSISTENCY_SLOT, stop.place, None, "", text, route.id)
        if not isinstance(carrier, BusTrip) and (stop.call is not None or stop.bus_stop is not None):
            text = f"{carrier.id} is no bus, but names bus stop {stop.bus_stop} and call {stop.call}"
            yield Violation(Code.CONSISTENCY_STOP_FIELD, stop.place, None, "", text, route.id)
        if isinstance(carrier, BusTrip | Drone) and stop.breaks:
            text = f"a rest is given at {stop.place}, but {carrier.id} has no driver of ours"
            yield Violation(Code.CONSISTENCY_STOP_FIELD, stop.place, None, "", text, route.id)


def _slot(case: Case, carrier: Carrier, stop: Stop) -> int:
    """Return the hour of departure where travel times depend on it, else 0."""
    by_hour = isinstance(carrier, Vehicle) and carrier.travel in case.facts.clocks
    return stop.departure_s // 3600 if by_hour else 0


def _movement_fault(movement: Movement | None, wanted: str, *, is_last: bool) -> str | None:
    if movement is None:
        return None if is_last else "is missing"
    if is_last:
        return "leads nowhere"
    if movement.kind != wanted:
        return f"is of kind {movement.kind}, its carrier moves by {wanted}"
    if (movement.nodes and wanted != "street") or (movement.line and wanted != "flight"):
        return f"is of kind {movement.kind} and has the geometry of another kind"
    if wanted == "bus" and (movement.distance_m, movement.energy_wh) != (0, 0.0):
        return "is a bus's own and has no distance or energy to count"
    return None


def _check_loads(case: Case, route: Route) -> Iterator[Violation]:
    for stop, aboard in aboard_by_segment(route):
        for name, stated, true, unit in (
            ("load_kg", stop.load_kg, sum(handed_mass_kg(case.facts, handover) for handover in aboard), "kg"),
            ("load_l", stop.load_l, sum(handed_volume_l(case.facts, handover) for handover in aboard), "l"),
        ):
            if abs(stated - true) > LOAD_TOLERANCE:
                text = f"{name} is {stated:g} on leaving {stop.place}, what is aboard comes to {true:.3f}"
                yield Violation(Code.CONSISTENCY_LOAD, stop.place, abs(stated - true), unit, text, route.id)


def _check_battery(route: Route, carrier: Carrier) -> Iterator[Violation]:
    """Follow the battery along the route: full at its start, for drones and for vehicles with a range."""
    if isinstance(carrier, Drone):
        full_wh: float | None = carrier.service.physics.battery_wh
    else:
        full_wh = carrier.type.range_wh if isinstance(carrier, Vehicle) else None
    used_wh = 0.0
    for here, there in pairwise(route.stops):
        if here.movement is None:
            continue
        used_wh += here.movement.energy_wh
        yield from _compare_battery(route, there, here.movement.battery_left_wh, full_wh, used_wh)


def _compare_battery(
    route: Route, there: Stop, stated_wh: float | None, full_wh: float | None, used_wh: float
) -> Iterator[Violation]:
    code = Code.CONSISTENCY_BATTERY
    if (stated_wh is None) != (full_wh is None):
        text = f"battery left at {there.place} is {stated_wh}, {route.carrier} has " + (
            "no battery" if full_wh is None else f"a battery of {full_wh:g} Wh"
        )
        yield Violation(code, there.place, None, "", text, route.id)
    elif stated_wh is not None and full_wh is not None:
        off_wh = abs(stated_wh - (full_wh - used_wh))
        if off_wh > BATTERY_TOLERANCE_WH:
            text = (
                f"battery left at {there.place} is {stated_wh:.1f} Wh, the energy used leaves {full_wh - used_wh:.1f}"
            )
            yield Violation(code, there.place, off_wh, "Wh", text, route.id)


# --- Orders --------------------------------------------------------------------------------------------------------


def _check_handovers(case: Case) -> Iterator[Violation]:
    for ride in case.rides:
        for name, loaded, unloaded in (
            ("compartment", ride.loaded.compartment, ride.unloaded.compartment),
            ("box", ride.loaded.box, ride.unloaded.box),
        ):
            if loaded != unloaded:
                text = f"order {ride.order} is loaded with {name} {loaded} and unloaded with {name} {unloaded}"
                place = ride.unload_stop.place
                yield Violation(Code.CONSISTENCY_HANDOVER, place, None, "", text, ride.route.id, ride.order)


def leg_of(ride: Ride) -> Leg:
    """Return a ride as the plan file lists it."""
    start, end = ride.load_stop, ride.unload_stop
    return Leg(
        order=ride.order,
        route=ride.route.id,
        kind=ride.route.kind,
        from_place=start.place,
        to_place=end.place,
        load_start_s=start.service_start_s,
        departure_s=start.departure_s,
        arrival_s=end.arrival_s,
        unload_end_s=end.service_end_s,
        compartment=ride.loaded.compartment,
        box=ride.loaded.box,
    )


def _check_legs(case: Case) -> Iterator[Violation]:
    listed: dict[str, OrderLegs] = {}
    for entry in case.document.orders:
        if entry.order in listed:
            text = f"the legs of order {entry.order} are listed twice"
            yield Violation(Code.CONSISTENCY_LEGS, None, None, "", text, order=entry.order)
        listed[entry.order] = entry
    for order_id in sorted(set(listed) | set(case.rides_of)):
        true = tuple(leg_of(ride) for ride in case.rides_of.get(order_id, ()))
        stated = listed[order_id].legs if order_id in listed else ()
        if Counter(stated) != Counter(true) or not true:
            text = f"the {len(stated)} legs listed for order {order_id} are not the {len(true)} legs of the routes"
            yield Violation(Code.CONSISTENCY_LEGS, None, None, "", text, order=order_id)
        elif not _is_in_time_order(stated):
            text = f"the legs listed for order {order_id} are not in order of time"
            yield Violation(Code.CONSISTENCY_LEGS, None, None, "", text, order=order_id)


def _is_in_time_order(legs: tuple[Leg, ...]) -> bool:
    keys = [(leg.departure_s, leg.arrival_s) for leg in legs]
    return keys == sorted(keys)


# --- Money ---------------------------------------------------------------------------------------------------------


def _check_money(case: Case) -> Iterator[Violation]:
    objective, bound = case.document.objective, case.document.bound
    stated_total = 0
    true = reckon_costs(case)
    for name in LINES:
        stated = getattr(objective.lines, name)
        stated_total += stated
        allowed = 0.5 + MONEY_TOLERANCE * max(1.0, abs(true[name]))
        if name == "spoilage":
            allowed += SPOILAGE_TOLERANCE + SPOILAGE_TOLERANCE_SHARE * abs(true[name])
        if abs(stated - true[name]) > allowed:
            text = f"cost line {name} is {stated}, the plan costs {true[name]:.2f}"
            off = abs(stated - true[name])
            yield Violation(Code.CONSISTENCY_COST, None, off, case.facts.currency, text)
    if objective.total != stated_total:
        text = f"the total is {objective.total}, the cost lines sum to {stated_total}"
        off = float(abs(objective.total - stated_total))
        yield Violation(Code.CONSISTENCY_TOTAL, None, off, case.facts.currency, text)
    if bound is not None and bound > objective.total + 0.5:
        text = f"the lower bound {bound:g} is above the total {objective.total}"
        yield Violation(Code.CONSISTENCY_BOUND, None, bound - objective.total, case.facts.currency, text)
