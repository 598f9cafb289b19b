"""An instance and its itineraries as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.travel_clock import TravelClock
from routing.model.carrier import BusTrip
from routing.solver.arrays.layout import BUS, DRONE, ROAD, BoolArray, Facts
from routing.solver.buses import admits
from routing.solver.day_loops import FAR_S, FloatArray, IntArray, clock_figures
from routing.solver.errands import Errand, Errands
from routing.solver.fleets import fits_compartment
from routing.solver.instance import FlightHours, Instance, Job
from routing.solver.tasks import Chain

_KINDS = {"fleet": ROAD, "drone": DRONE, "bus": BUS}
_DAY_H = 24
_BITS = 62


class Legs:
    """Rows of legs in the making."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.legs: list[tuple[int, ...]] = []
        self.sizes: list[tuple[float, ...]] = []
        self.fits: list[FloatArray] = []
        self.fits_boxed: list[bool] = []
        self.stores: dict[str, int] = {}
        """Numbers of the kinds of store."""
        self.rides: list[tuple[int, ...]] = []
        self.ride_rows: dict[tuple[int, int, int], int] = {}
        """By trip, call of boarding and of alighting: row of `rides`."""
        self._pairs: dict[tuple[int, int], tuple[int, int]] = {}
        self._known_fits: dict[int, tuple[int, int]] = {}
        for pair, rides in instance.rides.items():
            self._pairs[pair] = (len(self.rides), len(self.rides) + len(rides))
            for ride in rides:
                self.ride_rows[ride.trip, ride.board_call, ride.alight_call] = len(self.rides)
                self.rides.append(
                    (
                        ride.trip,
                        ride.board_call,
                        ride.alight_call,
                        ride.ready_by_s,
                        ride.departure_s,
                        ride.arrival_s,
                        ride.ready_s,
                    )
                )

    def add(self, errand: Errand) -> int:
        """Add a leg; return its row."""
        ride, product = errand.ride, errand.job.product
        fits, own = (0, 0), (0, 0, 0, 0)
        money = (math.inf, 0.0, 0.0)
        if errand.by_road is not None:
            fits = self._fits(errand)
            mine = errand.by_road.own
            part, boxed = errand.by_road.own_part
            own, money = (mine.drive_s, mine.max_rounds, part, int(boxed)), (mine.cost, mine.fixed, mine.service_cost)
        rides = self._pairs.get((ride.origin, ride.destination), (0, 0)) if ride.kind == "bus" else (0, 0)
        kind, room_kg = errand.store
        self.legs.append(
            (
                _KINDS[ride.kind],
                ride.group,
                ride.origin,
                ride.destination,
                errand.number,
                *errand.window,
                errand.latest_unload_end_s,
                errand.handling_s,
                self.stores.setdefault(kind, len(self.stores)),
                int(product.cold and product.box is not None),
                *fits,
                *own,
                *rides,
            )
        )
        self.sizes.append((errand.load_service_s, errand.unload_service_s, room_kg, *money))
        return len(self.legs) - 1

    def _fits(self, errand: Errand) -> tuple[int, int]:
        """Return the rows of `fits` for an errand by road; equal ones are kept once."""
        assert errand.by_road is not None  # a leg by road
        rows, key = errand.by_road.fits, id(errand.by_road.fits)  # fleets keep them: an address stays what it is
        if key not in self._known_fits:
            first = len(self.fits_boxed)
            self.fits.append(rows)
            self.fits_boxed += [boxed for _, boxed in errand.by_road.parts]
            self._known_fits[key] = (first, first + len(rows))
        return self._known_fits[key]


class Options:
    """The itineraries of all jobs by number, with the legs they are made of."""

    def __init__(self, instance: Instance, chains: Mapping[int, Sequence[Chain]], errands: Errands) -> None:
        self.legs = Legs(instance)
        self.chains_of: list[tuple[int, int]] = []
        """By job: the first of its chains and the one after the last."""
        self.chains: list[Chain] = []
        self.first_option: list[int] = [0]
        """Of each chain, and one more entry at the end."""
        self.options: list[tuple[int, int]] = []
        self._errands = errands
        for job in instance.jobs:
            self.chains_of.append((0, 0))
            self.give(job, chains[job.index])

    def give(self, job: Job, chains: Sequence[Chain]) -> None:
        """Give a job chains in place of those it has; numbers of chains and options stay what they are."""
        first = len(self.chains)
        for chain in chains:
            self.chains.append(chain)
            for window in job.windows:
                rows = [self.legs.add(errand) for errand in self._errands.of(job, chain, window)]
                self.options.append((rows[0] if rows else 0, len(rows)))
            self.first_option.append(len(self.options))
        self.chains_of[job.index] = (first, len(self.chains))


def make_facts(instance: Instance, options: Options) -> Facts:
    """Return all that does not change while a plan of the instance is searched, the legs of `options` among it."""
    matrices = _Matrices(instance)
    parts = max((len(fleet.type.compartments) for fleet in instance.fleets), default=1)
    return Facts(
        **option_arrays(instance, options),
        **matrices.arrays(),
        opens=np.array(instance.opens_s, dtype=np.int64),
        closes=np.array(instance.closes_s, dtype=np.int64),
        limits=_whole([fleet.road.limits for fleet in instance.fleets], 5),
        prices=_real([fleet.road.prices for fleet in instance.fleets], 6),
        room=_room(instance, parts),
        set_points=_set_points(instance, parts),
        rides=_whole(options.legs.rides, 7),
        **_trips(instance),
        **_sky(instance),
        places=_whole(
            [(place.handling_s, -1 if place.max_wait_s is None else place.max_wait_s) for place in instance.places], 2
        ),
        elevations=np.array([place.elevation_m for place in instance.places], dtype=np.float64),
        store_c=_stores(instance),
        products=_products(instance),
        barred=_barred(instance),
        bits=_bits(_barred(instance)),
        hours_c=np.array(instance.problem.hourly_temp_c, dtype=np.float64),
        elevation_m=np.array([instance.problem.temp_elevation_m], dtype=np.float64),
    )


def option_arrays(instance: Instance, options: Options) -> dict[str, Any]:
    """Return the fields of `Facts` that tell of itineraries."""
    legs, classes = options.legs, _classes(instance)
    return {
        "jobs": _whole([_job_row(instance, job, options, classes) for job in instance.jobs], 6),
        "job_sizes": _real([_job_sizes(instance, job, options) for job in instance.jobs], 11),
        "chains": np.array(options.first_option, dtype=np.int64),
        "options": _whole(options.options, 2),
        "legs": _whole(legs.legs, 19),
        "leg_sizes": _real(legs.sizes, 6),
        "fits": np.concatenate([*legs.fits, np.zeros((0, 5))]),
        "fits_boxed": np.array(legs.fits_boxed, dtype=np.bool_),
    }


def _classes(instance: Instance) -> dict[str, int]:
    return {name: k for k, name in enumerate(instance.problem.products.classes)}


def _whole(rows: Sequence[Any], columns: int) -> IntArray:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)


def _real(rows: Sequence[Any], columns: int) -> FloatArray:
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)


# --- Jobs ------------------------------------------------------------------------------------------------------------


def _job_row(instance: Instance, job: Job, options: Options, classes: Mapping[str, int]) -> tuple[int, ...]:
    due_s = FAR_S if job.due_s is None else job.due_s
    watched = job.product.cold or any(instance.hastens)
    return (job.release_s, due_s, classes[job.product.id], *options.chains_of[job.index], int(watched))


def _job_sizes(instance: Instance, job: Job, options: Options) -> tuple[float, ...]:
    first, end = options.chains_of[job.index]
    return (
        job.kg,
        job.litres,
        job.boxed_kg,
        job.boxed_l,
        job.pieces,
        job.late_per_s,
        job.unserved_cost,
        instance.problem.rates.handling_per_piece * job.pieces,
        sum(order.value for order in job.orders),
        min(until - since for since, until in job.windows),
        options.chains[first].estimate if end > first else 0.0,
    )


# --- Roads -----------------------------------------------------------------------------------------------------------


class _Matrices:
    """Matrices and clocks of the fleets, each kept once."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._travel: dict[int, int] = {}
        self._cost: dict[int, int] = {}
        self._clock: dict[bytes, int] = {}
        self._stacks: tuple[list[Any], ...] = ([], [], [], [], [])
        hours = max([_DAY_H, *(fleet.road.clock.shape[1] for fleet in instance.fleets)])
        rows = [self._row(fleet.index, hours) for fleet in instance.fleets]
        self._fleets = _whole(rows, 4)
        self._hours = hours

    def _row(self, number: int, hours: int) -> tuple[int, ...]:
        fleet = self._instance.fleets[number]
        road = fleet.road
        durations, distances, energies, costs, clocks = self._stacks
        travel = self._travel.setdefault(id(fleet.travel), len(durations))
        if travel == len(durations):
            durations.append(road.duration)
            distances.append(road.distance)
            energies.append(road.energy)
        cost = self._cost.setdefault(id(fleet.arc_costs), len(costs))
        if cost == len(costs):
            costs.append(road.cost)
        factors = road.clock[0] if road.clock.shape[1] else np.ones(1)
        figures = clock_figures(TravelClock(np.pad(factors, (0, hours - len(factors)), mode="edge")))
        clock = self._clock.setdefault(figures.tobytes(), len(clocks))
        if clock == len(clocks):
            clocks.append(figures)
        return fleet.base, travel, cost, clock

    def arrays(self) -> dict[str, Any]:
        """Return the fields of `Facts`."""
        durations, distances, energies, costs, clocks = self._stacks
        n = len(self._instance.places)
        return {
            "fleets": self._fleets,
            "durations": _stack(durations, (n, n), np.int64, writeable=False),
            "distances": _stack(distances, (n, n), np.int64, writeable=False),
            "energies": _stack(energies, (n, n), np.float64, writeable=False),
            "costs": _stack(costs, (n, n, 2), np.float32),
            "clocks": _stack(clocks, (4, self._hours), np.float64),
        }


def _stack(
    layers: Sequence[npt.NDArray[Any]], shape: tuple[int, ...], dtype: npt.DTypeLike, *, writeable: bool = True
) -> npt.NDArray[Any]:
    """Return layers on each other; whether it can be written is part of its type for the compiled loops."""
    found = np.empty((len(layers), *shape), dtype=dtype)
    for k, layer in enumerate(layers):
        found[k] = layer
    found.setflags(write=writeable)
    return found


def _room(instance: Instance, parts: int) -> FloatArray:
    """Return the room of each fleet as `Fleet.room` has it, missing compartments having as good as none."""
    found = np.full((len(instance.fleets), 2, parts), 1e-6)
    for fleet in instance.fleets:
        found[fleet.index, :, : len(fleet.type.compartments)] = fleet.room.reshape(2, -1)
    return found.reshape(-1, 2 * parts)


def _set_points(instance: Instance, parts: int) -> FloatArray:
    classes = list(instance.problem.products.classes.values())
    found = np.full((len(instance.fleets), parts, len(classes)), np.nan)
    for fleet in instance.fleets:
        for part, compartment in enumerate(fleet.type.compartments):
            for k, product in enumerate(classes):
                set_point = compartment.set_point_c
                if set_point is not None and fits_compartment(product, set_point):
                    found[fleet.index, part, k] = set_point
    return found


# --- Buses and drones ------------------------------------------------------------------------------------------------


def _trips(instance: Instance) -> dict[str, Any]:
    calls = max((len(trip.calls) for trip in instance.trips), default=1)
    slots = np.full((len(instance.trips), calls), -1, dtype=np.int64)
    for k, trip in enumerate(instance.trips):
        numbers: dict[int, int] = {}
        slots[k, : len(trip.calls)] = [numbers.setdefault(call.sequence, len(numbers)) for call in trip.calls]
    return {
        "trips": _real([(trip.max_kg, trip.max_l, trip.fee_per_kg, trip.fee_per_piece) for trip in instance.trips], 4),
        "slots": slots,
        "admitted": _admitted(instance),
    }


def _admitted(instance: Instance) -> BoolArray:
    """Return by job and trip whether the trip takes such goods; trips of like rules are asked once."""
    rules: dict[tuple[object, ...], int] = {}
    which: list[int] = []
    kinds: list[BusTrip] = []
    for trip in instance.trips:
        key = (trip.product_classes, trip.max_piece_kg, trip.max_longest_cm, trip.max_kg, trip.max_l)
        if key not in rules:
            rules[key] = len(kinds)
            kinds.append(trip)
        which.append(rules[key])
    answers = np.array([[admits(trip, job) for trip in kinds] for job in instance.jobs], dtype=np.bool_)
    return np.ascontiguousarray(answers.reshape(len(instance.jobs), len(kinds))[:, np.array(which, dtype=np.int64)])


def _sky(instance: Instance) -> dict[str, Any]:
    """Return drone groups and their flights to all places they reach."""
    per_wh = instance.problem.rates.electricity_per_kwh / 1000.0
    rows: list[tuple[int, ...]] = []
    sizes: list[tuple[float, ...]] = []
    payloads: list[Sequence[float]] = []
    tables: list[FlightHours] = []
    flight_of = np.full((len(instance.drone_groups), len(instance.places)), -1, dtype=np.int64)
    for group in instance.drone_groups:
        service, physics = group.service, group.service.physics
        rows.append(
            (
                group.base,
                physics.winch_s,
                physics.turnaround_s,
                service.shift_start_s,
                service.shift_end_s,
                len(group.payload_kg),
            )
        )
        usable_wh = physics.battery_wh * (1.0 - physics.reserve)
        sizes.append(
            (physics.volume_l, service.cost_per_sortie, service.cost_per_h, service.fixed_cost, usable_wh, per_wh)
        )
        payloads.append(group.payload_kg)
        for place in group.columns:
            hours = group.hours(place)
            if hours is not None:
                flight_of[group.index, place] = len(tables)
                tables.append(hours)
    classes = max((len(found) for found in payloads), default=1)
    return {
        "groups": _whole(rows, 6),
        "group_sizes": _real(sizes, 6),
        "payloads": _real([[*found, *[found[-1]] * (classes - len(found))] for found in payloads], classes),
        "flight_of": flight_of,
        **_flights(tables, classes),
    }


def _flights(tables: Sequence[FlightHours], classes: int) -> dict[str, Any]:
    hours = max((len(table.open) for table in tables), default=1)
    flights = np.zeros((len(tables), 3, hours), dtype=np.int64)
    energy = np.full((len(tables), 2, hours, classes), np.inf)
    for k, table in enumerate(tables):
        n, m = len(table.open), len(table.out_wh[0])
        flights[k, :, :n] = (table.out_s, table.back_s, table.open)
        energy[k, 0, :n, :m], energy[k, 1, :n, :m] = table.out_wh, table.back_wh
    bests = _real([(table.best_out_s, table.best_back_s, table.max_payload_kg) for table in tables], 3)
    return {"flights": flights, "flight_wh": energy, "flight_bests": bests}


# --- Goods -----------------------------------------------------------------------------------------------------------


def _stores(instance: Instance) -> FloatArray:
    products = instance.problem.products
    found = np.full((len(instance.places), len(products.classes)), np.nan)
    for k, product in enumerate(products.classes.values()):
        if product.store in ("chilled", "frozen"):
            there = [place.store_kg.get(product.store, 0.0) > 0.0 for place in instance.places]
            if any(there):
                found[there, k] = products.store_c[product.store]
    return found


def _products(instance: Instance) -> FloatArray:
    rows = []
    for product in instance.problem.products.classes.values():
        box = None if product.box is None else instance.problem.products.boxes[product.box]
        rows.append(
            (
                product.low_c,
                product.high_c,
                product.start_c,
                product.lag_s,
                product.max_out_of_band_s,
                product.max_equivalent_h,
                product.loss_scale_h or 0.0,
                product.loss_shape,
                product.cold,
                box is not None,
                *((0.0, 0.0, 0.0) if box is None else (box.coolant_j, box.ua_w_k, box.hold_c)),
            )
        )
    return _real(rows, 13)


def _barred(instance: Instance) -> BoolArray:
    classes = _classes(instance)
    found = np.zeros((len(classes), len(classes)), dtype=np.bool_)
    for name, others in instance.incompatible.items():
        for other in others:
            if name in classes and other in classes:
                found[classes[name], classes[other]] = True
    return found


def _bits(barred: BoolArray) -> IntArray:
    """Return `Facts.bits`; with very many classes some share a bit."""
    bits = 1 << (np.arange(len(barred)) % _BITS)
    return np.stack([bits, np.bitwise_or.reduce(np.where(barred, bits, 0), axis=1)], axis=1)
