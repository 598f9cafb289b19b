"""A compact second reading of ``docs/reference/rules.md`` for map-free problems; shares no code with the solver."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S
from routing.model.carrier import BusCall, BusTrip, Carrier, Drone, Vehicle
from routing.model.plan import Plan, Route, Stop
from routing.model.problem import Place, Problem
from routing.model.product import ProductClass


def violations(problem: Problem, plan: Plan) -> list[str]:
    """Return every rule the plan breaks, in words."""
    found = [*_custody(problem, plan), *_carriers(problem, plan)]
    for route in plan.routes:
        found += _route(problem, route)
    if not found:
        found += [*_transfers(problem, plan), *_cold(problem, plan)]
    return found


# --- Custody -------------------------------------------------------------------------------------------------------


def _events(problem: Problem, plan: Plan) -> dict[str, list[tuple]]:
    """Legs per order: (start, route, load stop, unload stop, load handover)."""
    legs = defaultdict(list)
    for route in plan.routes:
        aboard = {}
        for stop in route.stops:
            for h in stop.unload:
                start, given = aboard.pop(h.order)
                legs[h.order].append((start.departure_s, route, start, stop, given))
                assert (given.compartment, given.box) == (h.compartment, h.box)
            for h in stop.load:
                assert h.order not in aboard
                aboard[h.order] = (stop, h)
        assert not aboard
    return {order: sorted(found, key=lambda leg: leg[0]) for order, found in legs.items()}


def _custody(problem: Problem, plan: Plan) -> Iterator[str]:
    legs = _events(problem, plan)
    left = [gone.order for gone in plan.unassigned]
    if sorted([*legs, *left]) != sorted(order.id for order in problem.orders):
        yield "custody: orders are not exactly once served or unassigned"
    for order_id, chain in legs.items():
        order = problem.order_by_id[order_id]
        spots = [order.from_id]
        for _, _, start, stop, _ in chain:
            if start.place != spots[-1]:
                yield f"custody: {order_id} loaded at {start.place}, was at {spots[-1]}"
            spots.append(stop.place)
        if spots[-1] != order.to_id:
            yield f"custody: {order_id} ends at {spots[-1]}"
        if any(not gone.reason or not gone.text or not gone.text_zh for gone in plan.unassigned):
            yield "custody: no reason"
    if len({route.id for route in plan.routes}) != len(plan.routes):
        yield "route ids repeat"


# --- Single routes -------------------------------------------------------------------------------------------------


def _route(problem: Problem, route: Route) -> Iterator[str]:
    carrier = problem.carrier_by_id[route.carrier]
    for stop in route.stops:
        if not stop.arrival_s <= stop.service_start_s <= stop.service_end_s <= stop.departure_s:
            yield f"{route.id}: times at {stop.place} out of order"
        for rest in stop.breaks:
            if not stop.service_end_s <= rest.start_s < rest.end_s <= stop.departure_s:
                yield f"{route.id}: rest outside the stop"
    for here, there in pairwise(route.stops):
        if there.arrival_s != here.departure_s + here.movement.duration_s:
            yield f"{route.id}: arrival at {there.place} does not follow"
    yield from _windows(problem, route)
    yield from _loads(problem, route, carrier)
    if isinstance(carrier, Vehicle):
        yield from _vehicle(problem, route, carrier)
    elif isinstance(carrier, Drone):
        yield from _drone(problem, route, carrier)
    else:
        yield from _bus(problem, route, carrier)


def _windows(problem: Problem, route: Route) -> Iterator[str]:
    for stop in route.stops:
        place = problem.place_by_id[stop.place]
        if (
            route.kind != "bus"
            and stop.place != route.base
            and not place.opens_s <= stop.service_start_s <= place.closes_s
        ):
            yield f"{route.id}: {stop.place} is closed at {stop.service_start_s}"
        for h in stop.unload:
            order = problem.order_by_id[h.order]
            start = stop.arrival_s if route.kind == "bus" else stop.service_start_s
            if order.to_id == stop.place and order.windows and not any(a <= start <= b for a, b in order.windows):
                yield f"{route.id}: {h.order} outside its windows at {start}"
        for h in stop.load:
            order = problem.order_by_id[h.order]
            ready = order.release_s
            if route.kind == "bus":
                call = _call(problem, route, stop)
                ready += call.cutoff_s
            moment = stop.departure_s if route.kind == "bus" else stop.service_start_s
            if order.from_id == stop.place and moment < ready:
                yield f"{route.id}: {h.order} loaded before its release"


def _weight(problem: Problem, order_id: str, boxed: bool) -> tuple[float, float]:
    order = problem.order_by_id[order_id]
    product = problem.products.classes[order.product_class]
    if not boxed:
        return order.weight_kg, order.volume_l
    box = problem.products.boxes[product.box]
    count = max(1, math.ceil(order.volume_l / box.inner_l - 1e-9))
    return order.weight_kg + count * box.mass_kg, count * box.outer_l


def _fits(product: ProductClass, set_point: float | None) -> bool:
    return set_point is not None and product.low_c <= set_point <= product.high_c


def _loads(problem: Problem, route: Route, carrier: Carrier) -> Iterator[str]:  # noqa: C901 # one rule family in one place
    if isinstance(carrier, Vehicle):
        parts = {part.id: (part.kg, part.litres, part.set_point_c) for part in carrier.type.compartments}
    elif isinstance(carrier, Drone):
        parts = {"hold": (1e9, carrier.service.physics.volume_l, None)}
    else:
        parts = {"hold": (carrier.max_kg, carrier.max_l, None)}
    aboard = {name: {} for name in parts}
    for stop in route.stops:
        for h in stop.unload:
            aboard[h.compartment].pop(h.order)
        for h in stop.load:
            product = problem.products.classes[problem.order_by_id[h.order].product_class]
            needs_box = product.cold and product.box is not None and not _fits(product, parts[h.compartment][2])
            if (h.box == product.box if needs_box else h.box is None) is False:
                yield f"{route.id}: {h.order} rides in box {h.box}"
            aboard[h.compartment][h.order] = _weight(problem, h.order, h.box is not None)
        for name, goods in aboard.items():
            kg, litres = sum(w for w, _ in goods.values()), sum(v for _, v in goods.values())
            if kg > parts[name][0] + 1e-6 or litres > parts[name][1] + 1e-6:
                yield f"{route.id}: {name} overloaded after {stop.place}"
            for one, other in combinations(goods, 2):
                a = problem.products.classes[problem.order_by_id[one].product_class]
                b = problem.products.classes[problem.order_by_id[other].product_class]
                if a.id in b.incompatible_with or b.id in a.incompatible_with:
                    yield f"{route.id}: {one} beside {other}"
        total = [sum(x[k] for goods in aboard.values() for x in goods.values()) for k in (0, 1)]
        if abs(total[0] - stop.load_kg) > 0.01 or abs(total[1] - stop.load_l) > 0.01:
            yield f"{route.id}: load figures at {stop.place}"


def _vehicle(problem: Problem, route: Route, carrier: Vehicle) -> Iterator[str]:
    kind, stops = carrier.type, route.stops
    if stops[0].place != carrier.base or stops[-1].place != carrier.base:
        yield f"{route.id}: does not start and end at its base"
    if stops[0].arrival_s < kind.shift_start_s or stops[-1].departure_s > kind.shift_end_s:
        yield f"{route.id}: outside the shift"
    travel = problem.matrices[carrier.travel]
    spent = 0.0
    for here, there in pairwise(stops):
        i, j = travel.index[here.place], travel.index[there.place]
        if here.movement.duration_s < travel.duration_s[i, j] or here.movement.distance_m != travel.distance_m[i, j]:
            yield f"{route.id}: {here.place} to {there.place} is not the matrix's way"
        spent += here.movement.energy_wh
        if kind.range_wh is not None and spent > kind.range_wh + 1e-6:
            yield f"{route.id}: range exceeded"
    for stop in stops:
        seconds = 0.0 if stop.place == carrier.base else kind.stop_s
        for h in (*stop.load, *stop.unload):
            order = problem.order_by_id[h.order]
            door = problem.place_by_id[stop.place].level in (Level.VILLAGE, Level.GROUP)
            own = stop.place in (order.from_id, order.to_id)
            seconds += order.service_s if door and own else problem.rates.unit_s * order.pieces
        if stop.service_end_s - stop.service_start_s < math.ceil(seconds - 1e-9):
            yield f"{route.id}: service at {stop.place} too short"


def _drone(problem: Problem, route: Route, carrier: Drone) -> Iterator[str]:
    table, physics = problem.flights[carrier.service.id], carrier.service.physics
    if len(route.stops) != 3 or (route.stops[0].place, route.stops[2].place) != (carrier.base, carrier.base):
        yield f"{route.id}: not base, place, base"
        return
    first, far, last = route.stops
    b, p = table.base_index[carrier.base], table.place_index[far.place]
    out = table.out_duration_s[b, p, first.departure_s // 3600]
    back = table.back_duration_s[b, p, far.departure_s // 3600]
    if max(out, back) >= UNREACHABLE_S or first.movement.duration_s < out or far.movement.duration_s < back:
        yield f"{route.id}: no such flight at that hour"
    if far.service_end_s - far.service_start_s < physics.winch_s:
        yield f"{route.id}: winch time"
    if first.departure_s < carrier.service.shift_start_s or last.arrival_s > carrier.service.shift_end_s:
        yield f"{route.id}: outside the shift"
    if max(first.load_kg, far.load_kg) > table.max_payload_kg[b, p] + 1e-6:
        yield f"{route.id}: payload"
    energy = np.interp(first.load_kg, table.payload_kg, table.out_energy_wh[b, p, first.departure_s // 3600])
    energy += np.interp(far.load_kg, table.payload_kg, table.back_energy_wh[b, p, far.departure_s // 3600])
    moved = first.movement.energy_wh + far.movement.energy_wh
    if abs(energy - moved) > 0.5 or moved > physics.battery_wh * (1 - physics.reserve) + 1e-6:
        yield f"{route.id}: energy {moved} against {energy}"


def _call(problem: Problem, route: Route, stop: Stop) -> BusCall:
    trip = problem.carrier_by_id[route.carrier]
    return next(c for c in trip.calls if c.sequence == stop.call and c.place_id == stop.place)


def _bus(problem: Problem, route: Route, trip: BusTrip) -> Iterator[str]:
    calls = [_call(problem, route, stop) for stop in route.stops]
    if any(a.sequence >= b.sequence for a, b in pairwise(calls)):
        yield f"{route.id}: calls out of order"
    for stop, call in zip(route.stops, calls, strict=True):
        if (stop.arrival_s, stop.departure_s, stop.bus_stop) != (call.arrival_s, call.departure_s, call.bus_stop_id):
            yield f"{route.id}: not the timetable"
        if (stop.service_start_s, stop.service_end_s) != (stop.arrival_s, stop.departure_s):
            yield f"{route.id}: service of a bus"
        if (stop.load and not call.can_load) or (stop.unload and not call.can_unload):
            yield f"{route.id}: handling forbidden"
        for h in stop.load:
            order = problem.order_by_id[h.order]
            product = problem.products.classes[order.product_class]
            listed = not trip.product_classes or product.id in trip.product_classes
            if order.dangerous or not product.bus_allowed or not listed:
                yield f"{route.id}: {h.order} may not ride"
            piece = order.weight_kg / order.pieces
            if h.box is not None:
                piece = max(piece, _weight(problem, h.order, True)[0] / order.pieces)
            if piece > trip.max_piece_kg + 1e-9 or order.longest_cm > trip.max_longest_cm:
                yield f"{route.id}: {h.order} too big"


# --- Carriers over the day -----------------------------------------------------------------------------------------


def _carriers(problem: Problem, plan: Plan) -> Iterator[str]:
    by_carrier = defaultdict(list)
    for route in plan.routes:
        by_carrier[route.carrier].append(route)
    for carrier_id, routes in by_carrier.items():
        carrier = problem.carrier_by_id[carrier_id]
        routes.sort(key=lambda route: route.stops[0].arrival_s)
        gap = carrier.service.physics.turnaround_s if isinstance(carrier, Drone) else 0
        for before, after in pairwise(routes):
            if after.stops[0].service_start_s < before.stops[-1].departure_s + gap:
                yield f"{carrier_id}: routes overlap"
        if isinstance(carrier, Vehicle):
            yield from _driving(carrier, routes)


def _driving(carrier: Vehicle, routes: list[Route]) -> Iterator[str]:
    total = since = 0
    end = None
    for route in routes:
        if end is not None and route.stops[0].arrival_s - end >= 1200:
            since = 0
        for stop in route.stops:
            if any(rest.end_s - rest.start_s >= 1200 for rest in stop.breaks):
                since = 0
            if stop.movement is not None:
                since += stop.movement.duration_s
                total += stop.movement.duration_s
                if since > 14_400:
                    yield f"{carrier.id}: more than four hours without rest"
        end = route.stops[-1].departure_s
    if total > carrier.type.max_drive_s:
        yield f"{carrier.id}: drives {total} s"


# --- Transfers and stores ------------------------------------------------------------------------------------------


def _moments(problem: Problem, leg: tuple) -> tuple[int, int, int, int]:
    """Loading start and end, unloading start and end as the goods see them."""
    _, route, start, stop, _ = leg
    if route.kind != "bus":
        return start.service_start_s, start.service_end_s, stop.service_start_s, stop.service_end_s
    on, off = _call(problem, route, start), _call(problem, route, stop)
    return on.departure_s - on.cutoff_s, on.departure_s, off.arrival_s, off.arrival_s + off.board_s


def _transfers(problem: Problem, plan: Plan) -> Iterator[str]:
    stays = defaultdict(list)
    for order_id, chain in _events(problem, plan).items():
        order = problem.order_by_id[order_id]
        product = problem.products.classes[order.product_class]
        for before, after in pairwise(chain):
            place = problem.place_by_id[before[3].place]
            ready, begin = _moments(problem, before)[3], _moments(problem, after)[0]
            if begin < ready + place.handling_s:
                yield f"transfer: {order_id} at {place.id}"
            kind = product.store if place.store_kg.get(product.store, 0.0) > 0 else "ambient"
            boxed = before[4].box is not None or after[4].box is not None
            stays[place.id, kind].append((ready, begin, _weight(problem, order_id, boxed)[0]))
    for (place_id, kind), found in stays.items():
        room = problem.place_by_id[place_id].store_kg.get(kind, 0.0)
        for moment, _, _ in found:
            if sum(kg for begin, end, kg in found if begin <= moment < end) > room + 1e-6:
                yield f"transfer: store of {place_id} overfull"


# --- Cold ----------------------------------------------------------------------------------------------------------

STEP_S = 10


def _cold(problem: Problem, plan: Plan) -> Iterator[str]:
    for order_id, chain in _events(problem, plan).items():
        product = problem.products.classes[problem.order_by_id[order_id].product_class]
        if product.cold:
            out, dose = cold_by_steps(problem, product, [(*_moments(problem, leg), leg) for leg in chain])
            if out > product.max_out_of_band_s + 30 + STEP_S or dose > product.max_equivalent_h * 1.012:
                yield f"cold: {order_id} {out} s out of band, {dose} h"


def cold_by_steps(problem: Problem, product: ProductClass, legs: list[tuple]) -> tuple[float, float]:
    """Follow the temperature in small steps; return seconds out of band and equivalent hours."""
    box = problem.products.boxes[product.box] if product.box else None
    temp, coolant, out, dose = product.start_c, 0.0, 0.0, 0.0
    for surround, seconds, refresh in _surroundings(problem, product, legs):
        if refresh and box:
            coolant = box.coolant_j
        inside, air, factor = surround
        if inside == "box":
            here = box.hold_c if coolant > 0 else air
            coolant -= box.ua_w_k * abs(air - box.hold_c) * factor * seconds
        else:
            here = air if inside == "air" else inside
        temp += (here - temp) * (1 - math.exp(-seconds / product.lag_s))
        out += 0 if product.low_c <= temp <= product.high_c else seconds
        dose += _rate(temp) * seconds / 3600
    return out, dose


def _rate(temp: float) -> float:
    points = [(0, 1.0), (10, 3.0), (20, 7.5), (30, 15.0), (40, 22.5)]
    if temp <= 0:
        return 1.0
    k = min(int(temp // 10), 3)
    (a, ra), (b, rb) = points[k], points[k + 1]
    return ra * (rb / ra) ** ((temp - a) / (b - a))


def _surroundings(problem: Problem, product: ProductClass, legs: list[tuple]) -> Iterator[tuple]:
    ended = None
    for number, (l0, l1, u0, u1, leg) in enumerate(legs):
        _, route, start, stop, given = leg
        here, there = problem.place_by_id[start.place], problem.place_by_id[stop.place]
        cool = _store(problem, product, here)
        if ended is not None:
            open_until = ended + here.handling_s
            for t, dt in _steps(ended, l0):
                boxed = product.box and t >= open_until
                inside = cool if cool is not None else ("box" if boxed else "air")
                yield (inside, problem.ambient_c(t, here.elevation_m), 1.0), dt, False
        refresh = number == 0 or cool is not None
        for t, dt in _steps(l0, l1) or [(l0, 0)]:
            yield (cool if cool is not None else "air", problem.ambient_c(t, here.elevation_m), 1.0), dt, refresh
            refresh = False
        set_point = None
        carrier = problem.carrier_by_id[route.carrier]
        if isinstance(carrier, Vehicle):
            set_point = next(c.set_point_c for c in carrier.type.compartments if c.id == given.compartment)
        inside = set_point if _fits(product, set_point) else ("box" if given.box else "air")
        mean = (here.elevation_m + there.elevation_m) / 2
        for t, dt in _steps(l1, u0):
            yield (inside, problem.ambient_c(t, mean), 1.5 if route.kind == "drone" else 1.0), dt, False
        warm = _store(problem, product, there)
        for t, dt in _steps(u0, u1):
            yield (warm if warm is not None else "air", problem.ambient_c(t, there.elevation_m), 1.0), dt, False
        ended = u1


def _store(problem: Problem, product: ProductClass, place: Place) -> float | None:
    if product.store in ("chilled", "frozen") and place.store_kg.get(product.store, 0) > 0:
        return problem.products.store_c[product.store]
    return None


def _steps(begin: float, end: float) -> list[tuple[float, float]]:
    return [(t, min(STEP_S, end - t)) for t in range(int(begin), int(end), STEP_S)]
