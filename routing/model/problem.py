"""Problem: everything a solver may know about the day, as arrays and plain types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.travel_clock import TravelClock
from routing.model.carrier import BusTrip, Carrier, Drone, Vehicle
from routing.model.order import Order
from routing.model.product import Products

LAPSE_C_PER_M = 0.0065
"""Fall of air temperature with height (ISA)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A site, or the drop point of one order, as the solver sees it. Fields as in `geodata.location.Site`."""

    id: str
    name: str
    level: Level
    lon: float
    lat: float
    elevation_m: float
    parent: str | None = None
    opens_s: int = 0
    closes_s: int = 86_400
    handling_s: int = 300
    store_kg: Mapping[str, float] = field(default_factory=dict)
    """Room in kilograms by store class (``ambient``, ``chilled``, ``frozen``); absent or 0 means none."""
    drone_pads: int = 0
    max_wait_s: int | None = None
    """Goods handed over here leave again at most so long after they are ready; None: any time."""


@dataclass(frozen=True, slots=True)
class CostRates:
    """Prices in minor units. One litre of diesel counts as 10,000 Wh of fuel energy."""

    electricity_per_kwh: float
    diesel_per_kwh: float
    handling_per_piece: float
    unit_s: float = 4.0
    """Seconds to load or unload one piece at a county hub or town station, or in transfer."""

    def energy_price(self, source: str) -> float:
        """Return the price of one kWh from ``electric``, ``diesel`` or ``none``."""
        return {"electric": self.electricity_per_kwh, "diesel": self.diesel_per_kwh, "none": 0.0}[source]


@dataclass(frozen=True)
class FlightTable:
    """Sorties of one drone type between its bases and all places, by hour of departure.

    Arrays have the axes b (base), p (place), h (hour of departure, 0 to n_hours-1) and k (payload class).
    Durations are seconds and `UNREACHABLE_S` where no legal flight exists in that hour. Energies are watt-hours, over
    the payload classes `payload_kg` (ascending, from 0); between classes they are interpolated linearly. The outward
    flight includes the hover-and-winch phase at the place.
    """

    type_id: str
    base_ids: tuple[str, ...]
    place_ids: tuple[str, ...]
    payload_kg: npt.NDArray[np.float64]
    out_duration_s: npt.NDArray[np.int64]
    """Shape (b, p, h): base to place, without `winch_s`."""
    back_duration_s: npt.NDArray[np.int64]
    """Shape (b, p, h): place to base, by the hour in which the flight back departs."""
    out_energy_wh: npt.NDArray[np.float64]
    """Shape (b, p, h, k)."""
    back_energy_wh: npt.NDArray[np.float64]
    """Shape (b, p, h, k)."""
    out_distance_m: npt.NDArray[np.int64]
    """Shape (b, p)."""
    back_distance_m: npt.NDArray[np.int64]
    """Shape (b, p)."""
    max_payload_kg: npt.NDArray[np.float64]
    """Shape (b, p): payload limit at the altitude of the flight; 0 where there is no path."""
    refusals: Mapping[tuple[str, str], str]
    """Why a pair (base, place) has no legal flight in any hour: the rule and by how much."""

    @cached_property
    def base_index(self) -> dict[str, int]:
        """Index of each base on axis b."""
        return {place_id: k for k, place_id in enumerate(self.base_ids)}

    @cached_property
    def place_index(self) -> dict[str, int]:
        """Index of each place on axis p."""
        return {place_id: k for k, place_id in enumerate(self.place_ids)}


@dataclass(frozen=True)
class Problem:
    """One day to be planned, validated once here and never again.

    Raises
    ------
    ValueError
        If ids repeat, a reference points nowhere or a matrix misses a place.
    """

    name: str
    places: tuple[Place, ...]
    orders: tuple[Order, ...]
    vehicles: tuple[Vehicle, ...]
    drones: tuple[Drone, ...]
    bus_trips: tuple[BusTrip, ...]
    matrices: Mapping[str, TravelMatrix]
    flights: Mapping[str, FlightTable]
    products: Products
    rates: CostRates
    hourly_temp_c: npt.NDArray[np.float64]
    """Air temperature of each hour at `temp_elevation_m`, shape (n_hours,); constant in the hour, the last holds on."""
    temp_elevation_m: float
    clocks: Mapping[str, TravelClock] = field(default_factory=dict)
    """By key of `matrices`, the clock that stretches its durations by the hour; a key without one is always dry."""

    def __post_init__(self) -> None:
        for kind, ids in (
            ("place", [place.id for place in self.places]),
            ("order", [order.id for order in self.orders]),
            ("carrier", [carrier.id for carrier in self.carriers]),
        ):
            if len(set(ids)) != len(ids):
                msg = f"{kind} ids repeat"
                raise ValueError(msg)
        known = self.place_by_id
        for order in self.orders:
            if not {order.to_id, *order.origins} <= known.keys():
                msg = f"order {order.id} refers to an unknown place"
                raise ValueError(msg)
            if order.product_class not in self.products.classes:
                msg = f"order {order.id} has the unknown product class {order.product_class}"
                raise ValueError(msg)
        for vehicle in self.vehicles:
            matrix = self.matrices[vehicle.travel]
            if vehicle.base not in matrix.index:
                msg = f"matrix {vehicle.travel} misses the base of {vehicle.id}"
                raise ValueError(msg)
        self._check_matrices()

    def _check_matrices(self) -> None:
        for matrix in self.matrices.values():
            if not self.place_by_id.keys() >= set(matrix.ids):
                msg = f"matrix {matrix.profile} has ids that are no places"
                raise ValueError(msg)
        if not self.matrices.keys() >= self.clocks.keys():
            msg = "a clock has no matrix"
            raise ValueError(msg)

    @cached_property
    def place_by_id(self) -> dict[str, Place]:
        """Places by id."""
        return {place.id: place for place in self.places}

    @cached_property
    def order_by_id(self) -> dict[str, Order]:
        """Orders by id."""
        return {order.id: order for order in self.orders}

    @property
    def carriers(self) -> tuple[Carrier, ...]:
        """All carriers: vehicles and couriers, drones, bus trips."""
        found: list[Carrier] = [*self.vehicles, *self.drones, *self.bus_trips]
        return tuple(found)

    @cached_property
    def carrier_by_id(self) -> dict[str, Carrier]:
        """Carriers by id."""
        return {carrier.id: carrier for carrier in self.carriers}

    def ambient_c(self, time_s: float, elevation_m: float) -> float:
        """Return the air temperature at a time and height: the hour's value, less 6.5 °C per 1,000 m of height."""
        hour = min(max(int(time_s // 3600), 0), len(self.hourly_temp_c) - 1)
        return float(self.hourly_temp_c[hour]) - LAPSE_C_PER_M * (elevation_m - self.temp_elevation_m)

    def travel_s(self, travel: str, from_id: str, to_id: str) -> int:
        """Return dry-day travel seconds by a matrix key, `UNREACHABLE_S` where there is no way."""
        matrix = self.matrices[travel]
        if from_id not in matrix.index or to_id not in matrix.index:
            return UNREACHABLE_S
        return int(matrix.duration_s[matrix.index[from_id], matrix.index[to_id]])
