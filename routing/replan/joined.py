"""The frozen part and the newly planned rest of a day as one plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from routing.model.carrier import BusTrip
from routing.model.plan import Plan, Route, Stop
from routing.model.problem import Problem
from routing.replan.frozen import Frozen
from routing.replan.loads import joined_by_bus, weighed


def joined(problem: Problem, frozen: Frozen, later: Sequence[Route]) -> tuple[Route, ...]:
    """Return the day's routes in the problem's order of carriers; new rounds are numbered after those that stay."""
    routes: list[Route] = [route for route in frozen.routes if route.kind != "bus"]
    taken = {route.id for route in routes}
    routes += [replace(route, id=_free_id(route.carrier, taken)) for route in later if route.kind != "bus"]
    buses: dict[str, list[Route]] = {}
    for route in (*frozen.routes, *later):
        if route.kind == "bus":
            buses.setdefault(route.carrier, []).append(route)
    routes += [_one_bus(problem, parts) for parts in buses.values()]
    rank = {carrier.id: k for k, carrier in enumerate(problem.carriers)}
    return tuple(sorted(routes, key=lambda route: (rank[route.carrier], route.stops[0].departure_s)))


def _free_id(carrier: str, taken: set[str]) -> str:
    number = 1
    while f"{carrier}-{number}" in taken:
        number += 1
    taken.add(f"{carrier}-{number}")
    return f"{carrier}-{number}"


def _one_bus(problem: Problem, parts: Sequence[Route]) -> Route:
    """Return the routes of one trip as one: at each call what both load and unload."""
    if len(parts) == 1:
        return parts[0]
    trip = problem.carrier_by_id[parts[0].carrier]
    assert isinstance(trip, BusTrip)
    at: dict[tuple[int | None, str], Stop] = {}
    for stop in (stop for part in parts for stop in part.stops):
        key = (stop.call, stop.place)
        old = at.get(key)
        at[key] = (
            stop if old is None else replace(old, load=(*old.load, *stop.load), unload=(*old.unload, *stop.unload))
        )
    stops = [at[key] for key in sorted(at, key=lambda key: key[0] or 0)]
    return replace(parts[0], base=stops[0].place, stops=weighed(problem, trip, joined_by_bus(stops)))


def left_untouched(old: Plan, new: Plan, now_s: int, excused: Iterable[str]) -> list[str]:
    """Return what of the past differs between two plans, as sentences; none means that nothing executed changed.

    A stop is executed once its carrier has left it; `excused` are orders that neither plan can tell the truth about.
    """
    left_out = set(excused)
    now = {route.id: route for route in new.routes}
    by_carrier = {route.carrier: route for route in new.routes if route.kind == "bus"}
    found = []
    for route in old.routes:
        other = by_carrier.get(route.carrier) if route.kind == "bus" else now.get(route.id)
        for k, stop in enumerate(route.stops):
            if stop.departure_s >= now_s:
                break
            same = _bus_stop(other, stop) if route.kind == "bus" else _kth(other, k)
            if _handed(stop, left_out) - (_handed(same, left_out) if same else frozenset()):
                found.append(f"stop {k + 1} of route {route.id} at {stop.place} has not all its goods any more")
            elif same is not None and _times(route, same) != _times(route, stop):
                found.append(f"stop {k + 1} of route {route.id} at {stop.place} has other times")
    return found


def _kth(route: Route | None, k: int) -> Stop | None:
    return route.stops[k] if route is not None and k < len(route.stops) else None


def _bus_stop(route: Route | None, stop: Stop) -> Stop | None:
    stops = () if route is None else route.stops
    return next((other for other in stops if (other.call, other.place) == (stop.call, stop.place)), None)


def _times(route: Route, stop: Stop) -> tuple[int, ...]:
    if route.kind == "bus":
        return (stop.arrival_s, stop.departure_s)
    return (stop.arrival_s, stop.service_start_s, stop.service_end_s)


def _handed(stop: Stop, left_out: set[str]) -> frozenset[tuple[bool, str, str]]:
    found = [(True, handover) for handover in stop.load] + [(False, handover) for handover in stop.unload]
    return frozenset((loads, h.order, h.compartment) for loads, h in found if h.order not in left_out)
