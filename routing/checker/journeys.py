"""Who rides what in a plan, read so that no malformed plan can stop the reading.

A *ride* is one order's way on one route, from a load to the unload after it. The *chain* of an order is its rides put
in travel order by place: timing rules then judge that chain, so that a missed connection is one fault of time and not
also a fault of custody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from routing.checker.facts import Facts, MapFacts
from routing.model.carrier import BusCall, BusTrip, Carrier
from routing.model.plan import Handover, PlanDocument, Route, Stop

MAX_PERMUTED_RIDES = 7
"""Chains longer than this are taken in order of time only; no sensible itinerary has that many legs."""


@dataclass(frozen=True, slots=True)
class Ride:
    """One order's ride on one route: loaded at stop number `start`, unloaded at stop number `end`."""

    order: str
    route: Route
    start: int
    end: int
    loaded: Handover
    unloaded: Handover

    @property
    def load_stop(self) -> Stop:
        """Stop where the ride begins."""
        return self.route.stops[self.start]

    @property
    def unload_stop(self) -> Stop:
        """Stop where the ride ends."""
        return self.route.stops[self.end]


@dataclass(frozen=True, slots=True)
class LooseHandover:
    """A load or unload that has no counterpart: ``loaded twice``, ``not aboard`` or ``not unloaded``."""

    order: str
    route: Route
    place: str
    fault: str


@dataclass(frozen=True)
class Case:
    """A plan and the facts it is judged against, with what several rule families need to know of it."""

    facts: Facts
    document: PlanDocument

    @cached_property
    def _traced(self) -> tuple[tuple[Ride, ...], tuple[LooseHandover, ...]]:
        rides: list[Ride] = []
        loose: list[LooseHandover] = []
        for route in self.document.routes:
            _trace_route(route, rides, loose)
        return tuple(rides), tuple(loose)

    @property
    def rides(self) -> tuple[Ride, ...]:
        """Every complete ride of the plan, unknown orders included."""
        return self._traced[0]

    @property
    def loose(self) -> tuple[LooseHandover, ...]:
        """Every load or unload without a counterpart."""
        return self._traced[1]

    @cached_property
    def rides_of(self) -> Mapping[str, tuple[Ride, ...]]:
        """Rides by order in order of time."""
        found: dict[str, list[Ride]] = {}
        for ride in self.rides:
            found.setdefault(ride.order, []).append(ride)
        return {
            order: tuple(sorted(rides, key=lambda ride: (ride.load_stop.departure_s, ride.unload_stop.arrival_s)))
            for order, rides in found.items()
        }

    @cached_property
    def touched(self) -> frozenset[str]:
        """Orders that any route loads or unloads."""
        return frozenset(self.rides_of) | frozenset(handover.order for handover in self.loose)

    @cached_property
    def chains(self) -> Mapping[str, tuple[Ride, ...]]:
        """Rides in travel order of every known order whose custody is sound."""
        broken = {handover.order for handover in self.loose}
        found: dict[str, tuple[Ride, ...]] = {}
        for order_id, rides in self.rides_of.items():
            order = self.facts.orders.get(order_id)
            if order is None or order_id in broken:
                continue
            chain = chain_by_place(rides, order.origins, order.to_id)
            if chain is not None:
                found[order_id] = chain
        return found

    def carrier_of(self, route: Route) -> Carrier | None:
        """Return the carrier a route names, None if there is none of that id."""
        return self.facts.carriers.get(route.carrier)

    def call_of(self, route: Route, stop: Stop) -> BusCall | None:
        """Return the call of the route's bus trip that the stop names; None off buses and where there is none."""
        carrier = self.carrier_of(route)
        if not isinstance(carrier, BusTrip):
            return None
        for call in carrier.calls:
            if (call.sequence, call.bus_stop_id, call.place_id) == (stop.call, stop.bus_stop, stop.place):
                return call
        return None

    def is_bus(self, route: Route) -> bool:
        """Return whether the route's carrier is a bus trip."""
        return isinstance(self.carrier_of(route), BusTrip)

    def loading_s(self, ride: Ride) -> tuple[int, int]:
        """Return when the goods begin and end to be loaded: on buses from the cut-off to the departure."""
        stop = ride.load_stop
        if self.is_bus(ride.route):
            call = self.call_of(ride.route, stop)
            return stop.departure_s - (call.cutoff_s if call else 0), stop.departure_s
        return stop.service_start_s, stop.service_end_s

    def unloading_s(self, ride: Ride) -> tuple[int, int]:
        """Return when the goods begin and end to be unloaded: on buses from the arrival, `board_s` long."""
        stop = ride.unload_stop
        if self.is_bus(ride.route):
            call = self.call_of(ride.route, stop)
            return stop.arrival_s, stop.arrival_s + (call.board_s if call else 0)
        return stop.service_start_s, stop.service_end_s


@dataclass(frozen=True)
class MapCase(Case):
    """A plan and facts with land and air."""

    facts: MapFacts


def _trace_route(route: Route, rides: list[Ride], loose: list[LooseHandover]) -> None:
    aboard: dict[str, tuple[int, Handover]] = {}
    for position, stop in enumerate(route.stops):
        for handover in stop.unload:
            if handover.order not in aboard:
                loose.append(LooseHandover(handover.order, route, stop.place, "not aboard"))
                continue
            start, loaded = aboard.pop(handover.order)
            rides.append(Ride(handover.order, route, start, position, loaded, handover))
        for handover in stop.load:
            if handover.order in aboard:
                loose.append(LooseHandover(handover.order, route, stop.place, "loaded twice"))
                continue
            aboard[handover.order] = (position, handover)
    for order, (start, _) in aboard.items():
        loose.append(LooseHandover(order, route, route.stops[start].place, "not unloaded"))


def chain_by_place(rides: tuple[Ride, ...], origins: Collection[str], destination: str) -> tuple[Ride, ...] | None:
    """Return the rides in an order in which each begins where the one before ended, from an origin to the destination.

    `rides` come in order of time; of several chains the first found by trying earlier rides first is returned.
    None if there is no such chain.
    """
    if _is_chain(rides, origins, destination):
        return rides
    if len(rides) > MAX_PERMUTED_RIDES:
        return None
    return _search(rides, origins, destination)


def _is_chain(rides: tuple[Ride, ...], origins: Collection[str], destination: str) -> bool:
    here = origins
    for ride in rides:
        if ride.load_stop.place not in here:
            return False
        here = (ride.unload_stop.place,)
    return destination in here


def _search(left: tuple[Ride, ...], here: Collection[str], destination: str) -> tuple[Ride, ...] | None:
    if not left:
        return () if destination in here else None
    for position, ride in enumerate(left):
        if ride.load_stop.place not in here:
            continue
        rest = _search(left[:position] + left[position + 1 :], (ride.unload_stop.place,), destination)
        if rest is not None:
            return (ride, *rest)
    return None
