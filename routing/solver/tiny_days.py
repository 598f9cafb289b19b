"""A tiny day for every engine: planning it compiles, or loads, what plans such days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from geodata.location import Level
from geodata.matrix import TravelMatrix
from routing.model.carrier import BusCall, BusTrip, Compartment, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.problem import CostRates, Place, Problem
from routing.model.product import ProductClass, Products

_STORE_KG = 1_000.0
_SHIFT_S = 100_000


def tiny_days() -> Mapping[str, Problem]:
    """Return by engine a tiny day that it plans; "general" is for none of them."""
    hub, town, stop = ("hub", Level.COUNTY), ("town", Level.TOWN), ("stop", Level.TOWN)
    doors = [(f"door{k}", Level.GROUP) for k in range(4)]
    from_hub = [_order(k, "hub", f"door{k}") for k in range(4)]
    bus = BusTrip(
        "bus", "line", "company", tuple(_call(place, k) for k, place in enumerate(("town", "stop"))),
        100.0, 100.0, 100.0, 1_000.0, 0.0, 0.0, (),
    )  # fmt: skip
    last_mile = ["hub", "town"]
    many_to_many = [_order(0, "door0", "door1"), _order(1, "door2", "door3")]
    plain = _day([hub, *doors], [_order(4, "door0", "door1"), *from_hub], {"hub": ["hub", *_ids(doors)]})
    return {
        "general": replace(plain, rates=replace(plain.rates, unit_s=1.0)),
        "rounds-pool": _day([hub, *doors], from_hub, {"hub": ["hub", *_ids(doors)]}),
        "pairs": _day(
            [hub, *doors],
            many_to_many,
            {"hub": ["hub", *_ids(doors)]},
        ),
        "echelons": _day([hub, town, *doors], from_hub, {"hub": last_mile, "town": ["town", *_ids(doors)]}),
        "relay": _day(
            [hub, town, stop, *doors], from_hub, {"hub": last_mile, "stop": ["stop", *_ids(doors)]}, bus_trips=(bus,)
        ),
    }


def _ids(places: Sequence[tuple[str, Level]]) -> list[str]:
    return [place for place, _ in places]


def _call(place: str, number: int) -> BusCall:
    at_s = 1_000 + 500 * number
    return BusCall(place, f"stop:{place}", number, at_s, at_s, 0, 0, can_load=number == 0, can_unload=number > 0)


def _order(number: int, from_id: str, to_id: str) -> Order:
    return Order(f"order{number}", from_id, to_id, 1.0, 1.0, windows=((0, 5_000),), service_s=0, unserved_cost=1e6)


def _day(
    places: Sequence[tuple[str, Level]],
    orders: Sequence[Order],
    reach: Mapping[str, Sequence[str]],
    bus_trips: tuple[BusTrip, ...] = (),
) -> Problem:
    """Return a day with two vehicles at each base of `reach`, which says where the vehicles of a base can go."""
    kinds = {base: _vehicle_type(base) for base in reach}
    return Problem(
        name="tiny",
        places=tuple(
            Place(place, place, level, 0.01 * k, 0.0, 0.0, closes_s=_SHIFT_S, handling_s=0,
                  store_kg={} if level is Level.GROUP else {"ambient": _STORE_KG}, max_wait_s=None)
            for k, (place, level) in enumerate(places)
        ),
        orders=tuple(orders),
        vehicles=tuple(Vehicle(f"{base}#{k}", kinds[base], base, "firm", base) for base in reach for k in range(2)),
        drones=(),
        bus_trips=bus_trips,
        matrices={base: _matrix(base, ids) for base, ids in reach.items()},
        flights={},
        products=Products({"ambient": ProductClass("ambient", "Parcels", "包裹")}, {}, {}),
        rates=CostRates(0.0, 0.0, 0.0, unit_s=0.0),
        hourly_temp_c=np.zeros(24),
        temp_elevation_m=0.0,
    )  # fmt: skip


def _vehicle_type(base: str) -> VehicleType:
    return VehicleType(
        base, "vehicle", base, (Compartment("hold", 10.0, 10.0),), 10.0, 1_000.0, 0.0, 0, _SHIFT_S, _SHIFT_S,
        stop_s=0, max_rounds=1, max_continuous_drive_s=None,
    )  # fmt: skip


def _matrix(profile: str, ids: Sequence[str]) -> TravelMatrix:
    apart = np.abs(np.subtract.outer(np.arange(len(ids)), np.arange(len(ids)))).astype(np.int64)
    return TravelMatrix(profile, tuple(ids), apart * 10, apart * 10, np.zeros(apart.shape))
