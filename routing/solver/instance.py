"""The problem compiled for search: integer places, jobs (bundles of like orders), fleets with fast matrix rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S
from routing.model.carrier import BusTrip, Drone, DroneService
from routing.model.order import Order
from routing.model.problem import FlightTable, Place, Problem
from routing.model.product import ProductClass, Products
from routing.solver.day_loops import FAR_S
from routing.solver.fleets import Fleet, compile_fleets

BUNDLE_KG, BUNDLE_L = 20.0, 60.0
"""Like orders are bundled up to this weight and volume at most."""
BUNDLE_SHARE = 0.5
"""A bundle fills at most this share of the smallest bus or drone of the day, so that several can still be combined."""
BUNDLE_FROM = 100
"""Days of fewer orders are searched order by order."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Orders alike in places, times and class, planned as one. Places are indices; `boxed_*` includes boxes.

    `origins` are all places that hold the goods, `origin` first.
    """

    index: int
    orders: tuple[Order, ...]
    product: ProductClass
    origin: int
    origins: tuple[int, ...]
    destination: int
    kg: float
    litres: float
    boxed_kg: float
    boxed_l: float
    pieces: int
    piece_kg: float
    boxed_piece_kg: float
    longest_cm: float
    release_s: int
    windows: tuple[tuple[int, int], ...]
    due_s: int | None
    late_per_s: float
    service_s: int
    unserved_cost: float
    dangerous: bool


@dataclass(frozen=True, slots=True)
class FlightHours:
    """Flights between a drone's base and one place by hour of departure, as plain lists."""

    out_s: list[int]
    back_s: list[int]
    open: list[bool]
    """True where flights both ways are legal in that hour."""
    out_wh: list[list[float]]
    back_wh: list[list[float]]
    max_payload_kg: float
    best_out_s: int
    best_back_s: int


@dataclass(frozen=True, eq=False)
class DroneGroup:
    """Interchangeable drones: same service, base and operator, with their flight table."""

    index: int
    service: DroneService
    base: int
    operator: str
    ids: tuple[str, ...]
    table: FlightTable
    row: int
    """Index of the base on axis b of the table."""
    columns: Mapping[int, int]
    """Place index to index on axis p of the table."""
    payload_kg: tuple[float, ...]
    _hours: dict[int, FlightHours | None] = field(default_factory=dict)

    def hours(self, place: int) -> FlightHours | None:
        """Return the flights to a place, None where there are none in any hour."""
        if place not in self._hours:
            self._hours[place] = self._read_hours(place)
        return self._hours[place]

    def _read_hours(self, place: int) -> FlightHours | None:
        column = self.columns.get(place)
        if column is None or place == self.base:
            return None
        out, back = self.table.out_duration_s[self.row, column], self.table.back_duration_s[self.row, column]
        legal = (out < UNREACHABLE_S) & (back < UNREACHABLE_S)
        if not legal.any() or self._beyond_range(column, legal):
            return None
        return FlightHours(
            out.tolist(),
            back.tolist(),
            legal.tolist(),
            self.table.out_energy_wh[self.row, column].tolist(),
            self.table.back_energy_wh[self.row, column].tolist(),
            float(self.table.max_payload_kg[self.row, column]),
            int(out.min()),
            int(back.min()),
        )

    def _beyond_range(self, column: int, legal: npt.NDArray[np.bool_]) -> bool:
        """Return whether the battery does not even last for the best unladen flights of the legal hours."""
        out_wh = self.table.out_energy_wh[self.row, column, legal, 0].min()
        back_wh = self.table.back_energy_wh[self.row, column, legal, 0].min()
        physics = self.service.physics
        return bool(out_wh + back_wh > physics.battery_wh * (1.0 - physics.reserve))


@dataclass(frozen=True, slots=True)
class BusRide:
    """A ride on a trip from one of its cargo calls to a later one."""

    trip: int
    board_call: int
    alight_call: int
    ready_by_s: int
    """Goods are ready and handled at the stop by then."""
    departure_s: int
    arrival_s: int
    ready_s: int
    """Goods are at the place of alighting then."""


@dataclass(frozen=True, eq=False)
class Instance:
    """Everything the search reads. `only_direct` forbids transfers."""

    problem: Problem
    jobs: tuple[Job, ...]
    fleets: tuple[Fleet, ...]
    drone_groups: tuple[DroneGroup, ...]
    trips: tuple[BusTrip, ...]
    rides: Mapping[tuple[int, int], tuple[BusRide, ...]]
    """Bus rides by (from place, to place), by departure."""
    opens_s: tuple[int, ...]
    closes_s: tuple[int, ...]
    handling_s: tuple[int, ...]
    door: tuple[bool, ...]
    """True for villages and groups, where an order's own service time counts."""
    only_direct: bool
    incompatible: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def places(self) -> tuple[Place, ...]:
        """Places by index."""
        return self.problem.places

    @cached_property
    def hastens(self) -> tuple[bool, ...]:
        """By place, whether goods handed over there may not wait for as long as they like."""
        return tuple(place.max_wait_s is not None for place in self.places)

    def service_at(self, job: Job, place: int) -> float:
        """Return the seconds that loading or unloading the job adds to a stop of a vehicle or courier."""
        if self.door[place] and (place == job.destination or place in job.origins):
            return job.service_s
        return self.problem.rates.unit_s * job.pieces

    def store_of(self, job: Job, place: int) -> tuple[str, float]:
        """Return the store kind goods of the job occupy at a place between legs, and its kilograms."""
        return store_for(self.places[place], job.product)


def store_for(place: Place, product: ProductClass) -> tuple[str, float]:
    """Return (store kind, kg): the store of the class's kind where the place has one, else the ambient store."""
    own = place.store_kg.get(product.store, 0.0)
    return (product.store, own) if own > 0.0 else ("ambient", place.store_kg.get("ambient", 0.0))


def compile_instance(problem: Problem, only: tuple[str, ...] = (), *, bundle: bool = True) -> Instance:
    """Compile a problem, restricted to the carrier kinds of `only` (empty: all).

    Vehicles alone drive from door to door without transfer.
    """
    index = {place.id: k for k, place in enumerate(problem.places)}
    allowed = set(only) or {"vehicle", "courier", "drone", "bus"}
    vehicles = [vehicle for vehicle in problem.vehicles if vehicle.kind in allowed]
    drones = list(problem.drones) if "drone" in allowed else []
    trips = problem.bus_trips if "bus" in allowed else ()
    return Instance(
        problem=problem,
        jobs=_jobs(problem, index, bundle=bundle),
        fleets=compile_fleets(problem, vehicles, index),
        drone_groups=_drone_groups(problem, drones, index),
        trips=trips,
        rides=_bus_rides(trips, index),
        opens_s=tuple(place.opens_s for place in problem.places),
        closes_s=tuple(place.closes_s for place in problem.places),
        handling_s=tuple(place.handling_s for place in problem.places),
        door=tuple(place.level in (Level.VILLAGE, Level.GROUP) for place in problem.places),
        only_direct=set(only) == {"vehicle"},
        incompatible=incompatibilities(problem.products),
    )


def unbundled(instance: Instance) -> Instance:
    """Return the instance with one job per order; everything else is shared."""
    index = {place.id: k for k, place in enumerate(instance.places)}
    return replace(instance, jobs=_jobs(instance.problem, index, bundle=False))


def incompatibilities(products: Products) -> dict[str, frozenset[str]]:
    """Return for product classes the others they may not share a compartment with; symmetric."""
    found: dict[str, set[str]] = {name: set(product.incompatible_with) for name, product in products.classes.items()}
    for name, product in products.classes.items():
        for other in product.incompatible_with:
            found.setdefault(other, set()).add(name)
    return {name: frozenset(others) for name, others in found.items() if others}


# --- Jobs ----------------------------------------------------------------------------------------------------------


def _jobs(problem: Problem, index: Mapping[str, int], *, bundle: bool) -> tuple[Job, ...]:
    bundle = bundle and len(problem.orders) >= BUNDLE_FROM
    room_kg, room_l = _bundle_room(problem)
    groups: dict[tuple[object, ...], list[list[Order]]] = {}
    for order in problem.orders:
        key: tuple[object, ...] = (
            order.origins,
            order.to_id,
            order.product_class,
            order.release_s,
            order.windows,
            order.due_s,
            order.dangerous,
            order.priority,
        )
        packs = groups.setdefault(key if bundle else (order.id,), [])
        if packs and _still_fits(packs[-1], order, room_kg, room_l):
            packs[-1].append(order)
        else:
            packs.append([order])
    packs_in_order = [pack for packs in groups.values() for pack in packs]
    return tuple(make_job(problem, index, k, tuple(pack)) for k, pack in enumerate(packs_in_order))


def _bundle_room(problem: Problem) -> tuple[float, float]:
    """Return the kilograms and litres of a bundle at most."""
    room = [(trip.max_kg, trip.max_l) for trip in problem.bus_trips if trip.max_kg > 0.0 and trip.max_l > 0.0]
    room += [(drone.service.physics.payload_kg, drone.service.physics.volume_l) for drone in problem.drones]
    kg = min([BUNDLE_KG, *(BUNDLE_SHARE * limit_kg for limit_kg, _ in room)])
    return kg, min([BUNDLE_L, *(BUNDLE_SHARE * limit_l for _, limit_l in room)])


def _still_fits(pack: Sequence[Order], order: Order, room_kg: float, room_l: float) -> bool:
    kg = sum(other.weight_kg for other in pack) + order.weight_kg
    litres = sum(other.volume_l for other in pack) + order.volume_l
    return kg <= room_kg and litres <= room_l


def make_job(problem: Problem, index: Mapping[str, int], number: int, orders: tuple[Order, ...]) -> Job:
    """Return the job made of orders that agree in places, times and class."""
    first = orders[0]
    product = problem.products.classes[first.product_class]
    box = problem.products.boxes[product.box] if product.box is not None else None
    counts = [problem.products.box_count(first.product_class, order.volume_l) for order in orders]
    box_kg, box_l = (box.mass_kg, box.outer_l) if box is not None else (0.0, 0.0)
    kg = sum(order.weight_kg for order in orders)
    litres = sum(order.volume_l for order in orders)
    boxed_piece = max(
        max(order.piece_kg + box_kg, (order.weight_kg + count * box_kg) / order.pieces)
        for order, count in zip(orders, counts, strict=True)
    )
    return Job(
        index=number,
        orders=orders,
        product=product,
        origin=index[first.from_id],
        origins=tuple(index[place_id] for place_id in first.origins),
        destination=index[first.to_id],
        kg=kg,
        litres=litres,
        boxed_kg=kg + sum(counts) * box_kg,
        boxed_l=sum(counts) * box_l if box is not None else litres,
        pieces=sum(order.pieces for order in orders),
        piece_kg=max(order.piece_kg for order in orders),
        boxed_piece_kg=boxed_piece,
        longest_cm=max(order.longest_cm for order in orders),
        release_s=first.release_s,
        windows=first.windows or ((0, FAR_S),),
        due_s=first.due_s,
        late_per_s=sum(order.late_cost_per_h for order in orders) / 3600.0,
        service_s=sum(order.service_s for order in orders),
        unserved_cost=sum(order.unserved_cost for order in orders),
        dangerous=first.dangerous,
    )


# --- Drones and buses ----------------------------------------------------------------------------------------------


def _drone_groups(problem: Problem, drones: Sequence[Drone], index: Mapping[str, int]) -> tuple[DroneGroup, ...]:
    groups: dict[tuple[DroneService, str, str], list[str]] = {}
    for drone in drones:
        table = problem.flights.get(drone.service.id)
        if table is not None and drone.base in table.base_index:
            groups.setdefault((drone.service, drone.base, drone.operator), []).append(drone.id)
    found: list[DroneGroup] = []
    for number, ((service, base, operator), ids) in enumerate(groups.items()):
        table = problem.flights[service.id]
        columns = {index[place_id]: k for k, place_id in enumerate(table.place_ids)}
        row = table.base_index[base]
        payload_kg = tuple(table.payload_kg.tolist())
        found.append(DroneGroup(number, service, index[base], operator, tuple(ids), table, row, columns, payload_kg))
    return tuple(found)


def _bus_rides(trips: Sequence[BusTrip], index: Mapping[str, int]) -> dict[tuple[int, int], tuple[BusRide, ...]]:
    found: dict[tuple[int, int], list[BusRide]] = {}
    for number, trip in enumerate(trips):
        for i, board in enumerate(trip.calls):
            for j in range(i + 1, len(trip.calls)):
                alight = trip.calls[j]
                usable = board.can_load and alight.can_unload and alight.sequence > board.sequence
                if not usable or alight.place_id == board.place_id:
                    continue
                ride = BusRide(
                    trip=number,
                    board_call=i,
                    alight_call=j,
                    ready_by_s=board.departure_s - board.cutoff_s,
                    departure_s=board.departure_s,
                    arrival_s=alight.arrival_s,
                    ready_s=alight.arrival_s + alight.board_s,
                )
                found.setdefault((index[board.place_id], index[alight.place_id]), []).append(ride)
    return {
        pair: tuple(sorted(rides, key=lambda ride: (ride.ready_by_s, ride.arrival_s, ride.trip, ride.board_call)))
        for pair, rides in found.items()
    }
