"""ACCESS: street movements use roads that exist, in their direction, that the vehicle may use and that are open.

The same measuring gives what a street movement needs, so its time, distance and energy are judged here as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from routing.checker.codes import Code
from routing.checker.journeys import MapCase
from routing.checker.movements import Needs, compare_movement, street_needs
from routing.checker.report import Violation
from routing.checker.roads import Join
from routing.model.carrier import Vehicle
from routing.model.plan import Movement, Route, Stop
from routing.model.problem import Place

SNAP_TOLERANCE_M = 1.0


def check_access(case: MapCase) -> Iterator[Violation]:
    """Yield the violations of the ACCESS family, and of time, distance and energy of street movements."""
    for route in case.document.routes:
        carrier = case.carrier_of(route)
        if not isinstance(carrier, Vehicle):
            continue
        for here, there in pairwise(route.stops):
            if here.movement is not None and here.movement.kind == "street":
                yield from _check_movement(case, route, carrier, here, there)


def _check_movement(case: MapCase, route: Route, vehicle: Vehicle, here: Stop, there: Stop) -> Iterator[Violation]:
    movement = here.movement
    start, end = case.facts.places.get(here.place), case.facts.places.get(there.place)
    if movement is None or start is None or end is None:
        return
    if not movement.nodes:
        if here.place == there.place:
            yield from compare_movement(route, here, there, Needs(0, 0, 0.0))
            return
        text = f"the way from {here.place} to {there.place} has no street nodes"
        yield Violation(Code.ACCESS_NO_PATH, here.place, None, "", text, route.id)
        return
    found = [
        violation
        for place, node in ((start, movement.nodes[0]), (end, movement.nodes[-1]))
        if (violation := _wrong_join(case, route, vehicle, place, node)) is not None
    ]
    yield from found
    yield from _check_way(case, route, vehicle, (here, there), movement, is_joined=not found)


def _join(case: MapCase, vehicle: Vehicle, place: Place, node: int) -> Join | None:
    return case.facts.roads.join(vehicle.travel, place, node)


def _wrong_join(case: MapCase, route: Route, vehicle: Vehicle, place: Place, node: int) -> Violation | None:
    join = _join(case, vehicle, place, node)
    if join is None:  # a way over unknown nodes is a fault of its own
        return None
    over_m = join.distance_m - join.limit_m
    if over_m <= SNAP_TOLERANCE_M:
        return None
    text = (
        f"the way of {vehicle.id} joins the street {join.distance_m:.0f} m from {place.id}, at most {join.limit_m:g} m "
        "may be walked"
    )
    return Violation(Code.ACCESS_WRONG_JOIN, place.id, over_m, "m", text, route.id)


def _check_way(
    case: MapCase, route: Route, vehicle: Vehicle, ends: tuple[Stop, Stop], movement: Movement, *, is_joined: bool
) -> Iterator[Violation]:
    here, there = ends
    from_s, until_s = here.departure_s, max(here.departure_s, there.arrival_s)
    walk = case.facts.roads.walk(vehicle.travel, movement.nodes, from_s, until_s)
    for position, code, text in (
        (walk.broken_at, Code.ACCESS_NO_SUCH_ROAD, "no road leads from node {a} to node {b}"),
        (walk.forbidden_at, Code.ACCESS_ROAD_FORBIDDEN, "{vehicle} may not use the road from node {a} to node {b}"),
        (walk.closed_at, Code.ACCESS_ROAD_CLOSED, "the road from node {a} to node {b} is closed at that time"),
    ):
        if position is not None:
            a, b = (*movement.nodes[position : position + 2], "nowhere")[:2]
            said = text.format(a=a, b=b, vehicle=vehicle.id) + f", on the way from {here.place} to {there.place}"
            yield Violation(code, here.place, None, "", said, route.id)
    if walk.broken_at is not None or walk.forbidden_at is not None or not is_joined:
        return
    if here.place == there.place and len(movement.nodes) == 1:
        yield from compare_movement(route, here, there, Needs(0, 0, 0.0))
        return
    joins = [
        _join(case, vehicle, case.facts.places[stop.place], node)
        for stop, node in ((here, movement.nodes[0]), (there, movement.nodes[-1]))
    ]
    access_s = sum(join.access_s for join in joins if join is not None)
    dry_s = math.ceil(access_s + walk.duration_s - 1e-6)
    clock = case.facts.clocks.get(vehicle.travel)
    needs = street_needs(clock, here.departure_s, dry_s, walk.distance_m, walk.energy_wh)
    yield from compare_movement(route, here, there, needs)
