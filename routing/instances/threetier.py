"""Family ``3tdppt``: trucks bring parcels to bus stops, scheduled buses carry them, couriers deliver them.

Instances of Mandal and Archetti and of Delle Donne, Santini and Archetti (EJOR 2025), three text files of one stem:
``.city`` (stops, centre, customers, lines), ``.demands`` (customer, load, window) and ``.params``. The rules were
inferred by matching published optima. Two conventions exist, told apart by the files: where stops state a service
time and a longest wait, lengths are cut to whole numbers before they are summed; where they do not, nothing is cut, and
waits and runs have default values. The couriers' share of the objective is ``freightRouteCostCoeff``, 1 where it is not
given. Travel takes 0.2 minutes per unit of length, never cut.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from geodata.errors import Fault, InputError
from geodata.location import Level
from geodata.matrix import TravelMatrix
from routing.instances.family import Family, PublishedInstance
from routing.instances.threetier_file import Line, ThreeTierFile, read_files
from routing.instances.threetier_judge import MINUTES_PER_LENGTH, UNITS_PER_MINUTE, courier_share, judge, position
from routing.model.carrier import BusCall, BusTrip, Compartment, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.problem import CostRates, Place, Problem
from routing.model.product import ProductClass, Products

COST_UNITS = 1000
"""Minor units of money per unit of length."""
_PLENTY = 1e9
_FOREVER = 10**9
_HUB = "centre"


def read_instance(path: Path) -> PublishedInstance:
    """Read an instance by its ``.city`` file (or any of the three).

    The best published value is looked up in a ``best_known.csv`` beside the file or one folder above; it is None where
    it was reckoned by another convention than the files'.

    Raises
    ------
    InputError
        With every fault of the three files, or of the table of best values.
    """
    raw = read_files(path)
    return PublishedInstance(
        family="3tdppt",
        name=raw.name,
        problem=make_problem(raw),
        judge=partial(judge, raw),
        best_known=_best_known(path, raw),
    )


FAMILY = Family("3tdppt", read_instance, "*.city")


def _best_known(path: Path, raw: ThreeTierFile) -> float | None:
    for folder in (path.parent, path.parent.parent):
        table = folder / "best_known.csv"
        if table.is_file():
            try:
                with table.open(encoding="utf-8", newline="") as file:
                    rows = [row for row in csv.DictReader(file) if row.get("instance") == raw.name]
                return _comparable_value(rows[0], raw) if rows else None
            except (OSError, ValueError, KeyError) as error:
                reason = f"the table of best values cannot be read: {error}"
                raise InputError([Fault("BROKEN_FILE", table.name, reason, "Give the table as published")]) from error
    return None


def _comparable_value(row: Mapping[str, str], raw: ThreeTierFile) -> float | None:
    if not row["best_published_ub"]:
        return None
    terms = [term.strip().split("=", 1) for term in row["objective_convention"].split(";")]
    said = {term[0]: float(term[1].split()[0]) for term in terms if len(term) == 2}
    couriers = said.get("couriers_per_stop", raw.params["maxFreightersPerStop"])
    same = (
        said.get("trunc", float(raw.timed)) == float(raw.timed)
        and math.isclose(said.get("courier_coeff", courier_share(raw)), courier_share(raw))
        and couriers == raw.params["maxFreightersPerStop"]
    )
    return float(row["best_published_ub"]) if same else None


# --- The problem ---------------------------------------------------------------------------------------------------


def make_problem(raw: ThreeTierFile) -> Problem:
    """Return the instance as a problem: seconds stand for thousandths of a minute, kilometres for units of length."""
    truck, matrices, vehicles = _truck_type(raw), {}, []
    matrices["truck"] = _matrix(raw, "truck", [_HUB, *raw.reached])
    vehicles += [Vehicle(f"truck-{k + 1}", truck, _HUB, "centre", "truck") for k in range(int(raw.params["maxTrucks"]))]
    courier = _courier_type(raw)
    for stop, customers in _served_from(raw).items():
        travel = f"courier {stop}"
        matrices[travel] = _matrix(raw, travel, [stop, *customers])
        count = min(int(raw.params["maxFreightersPerStop"]), len(customers))
        vehicles += [Vehicle(f"courier-{stop}-{k + 1}", courier, stop, "centre", travel) for k in range(count)]
    return Problem(
        name=raw.name,
        places=tuple(_places(raw)),
        orders=tuple(_orders(raw, matrices)),
        vehicles=tuple(vehicles),
        drones=(),
        bus_trips=tuple(_trips(raw)),
        matrices=matrices,
        flights={},
        products=Products(classes={"ambient": ProductClass("ambient", "Parcels", "包裹")}, boxes={}, store_c={}),
        rates=CostRates(electricity_per_kwh=0.0, diesel_per_kwh=0.0, handling_per_piece=0.0, unit_s=0.0),
        hourly_temp_c=np.array([15.0]),
        temp_elevation_m=0.0,
    )


def _units(minutes: float) -> int:
    """Return minutes in the problem's unit of time; every time is rounded by this one rule."""
    return round(minutes * UNITS_PER_MINUTE)


def _served_from(raw: ThreeTierFile) -> dict[str, list[str]]:
    """Return the customers each out-stop of a line may serve."""
    outs = dict.fromkeys(stop for line in raw.lines.values() for stop in line.outs)
    served = {stop: [name for name, found in raw.customers.items() if stop in found.outs] for stop in outs}
    return {stop: names for stop, names in served.items() if names}


def _truck_type(raw: ThreeTierFile) -> VehicleType:
    service = max((raw.stops[stop].service for stop in raw.reached), default=0.0)
    return _type("truck", "vehicle", raw.params["trucksCap"], 1.0, _FOREVER, _units(service))


def _courier_type(raw: ThreeTierFile) -> VehicleType:
    longest = min(_FOREVER, _units(raw.params["Lmax"]))
    return _type("courier", "courier", raw.courier_load, courier_share(raw), longest, 0)


def _type(name: str, kind: str, load: float, share: float, longest: int, stop: int) -> VehicleType:
    return VehicleType(
        id=name,
        kind="vehicle" if kind == "vehicle" else "courier",
        profile=name,
        compartments=(Compartment("hold", load, _PLENTY),),
        fixed_cost=0.0,
        cost_per_km=share * COST_UNITS,
        cost_per_h=0.0,
        shift_start_s=0,
        shift_end_s=_FOREVER,
        max_drive_s=longest,
        stop_s=stop,
        max_rounds=1,
        max_continuous_drive_s=None,
    )


def _places(raw: ThreeTierFile) -> Iterator[Place]:
    def place(name: str, level: Level, parent: str | None, **fields: object) -> Place:
        x, y = position(raw, name)
        return Place(name, name, level, x, y, 0.0, parent, 0, _FOREVER, 0, **fields)  # type: ignore[arg-type]

    yield place(_HUB, Level.COUNTY, None, store_kg={"ambient": _PLENTY})
    outs = {stop for line in raw.lines.values() for stop in line.outs}
    for name, stop in raw.stops.items():
        wait = stop.wait if name in outs else stop.wait - stop.service
        yield place(name, Level.TOWN, _HUB, store_kg={"ambient": _PLENTY}, max_wait_s=max(0, _units(wait)))
    for name in raw.customers:
        yield place(_door(name), Level.GROUP, _HUB)


def _door(customer: str) -> str:
    return f"door {customer}"


def _matrix(raw: ThreeTierFile, profile: str, names: Sequence[str]) -> TravelMatrix:
    spots = np.array([position(raw, name) for name in names])
    length = np.hypot(spots[:, None, 0] - spots[None, :, 0], spots[:, None, 1] - spots[None, :, 1])
    duration = np.rint(length * MINUTES_PER_LENGTH * UNITS_PER_MINUTE).astype(np.int64)
    counted = np.floor(length) if raw.timed else length
    metres = np.rint(counted * 1000.0).astype(np.int64)
    ids = tuple(_door(name) if name in raw.customers else name for name in names)
    return TravelMatrix(profile, ids, duration, metres, np.zeros(length.shape))


def _orders(raw: ThreeTierFile, matrices: Mapping[str, TravelMatrix]) -> Iterator[Order]:
    longest = max(int(matrix.distance_m.max(initial=0)) for matrix in matrices.values())
    unserved = 10.0 * (COST_UNITS + longest)
    for name, customer in raw.customers.items():
        yield Order(
            id=name,
            from_id=_HUB,
            to_id=_door(name),
            weight_kg=customer.load,
            volume_l=0.0,
            windows=((max(0, _units(customer.earliest)), _units(customer.latest)),),
            service_s=0,
            unserved_cost=unserved,
        )


def _trips(raw: ThreeTierFile) -> Iterator[BusTrip]:
    for name, line in raw.lines.items():
        for run in range(line.runs):
            yield BusTrip(
                id=f"{name} run {run}",
                line=name,
                operator="buses",
                calls=tuple(_calls(raw, line, run)),
                max_kg=line.room,
                max_l=_PLENTY,
                max_piece_kg=_PLENTY,
                max_longest_cm=_PLENTY,
                fee_per_kg=0.0,
                fee_per_piece=0.0,
                product_classes=(),
            )


def _calls(raw: ThreeTierFile, line: Line, run: int) -> Iterator[BusCall]:
    start = _units(line.first) + run * _units(line.headway)
    for number, (stop, ridden) in enumerate(zip((*line.ins, *line.outs), ridden_minutes(raw, line), strict=True)):
        time, loads = start + _units(ridden), number < len(line.ins)
        yield BusCall(stop, stop, number, time, time, 0, 0, can_load=loads, can_unload=not loads)


def ridden_minutes(raw: ThreeTierFile, line: Line) -> Iterable[float]:
    """Return the minutes from a line's first stop to each of its stops."""
    total, before = 0.0, None
    for stop in (*line.ins, *line.outs):
        here = position(raw, stop)
        total += 0.0 if before is None else MINUTES_PER_LENGTH * math.dist(before, here)
        before = here
        yield total
