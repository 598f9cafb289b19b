"""Carriers: things that move along a sequence of stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geodata.drones import DroneType

EnergySource = Literal["diesel", "electric", "none"]
MAX_CONTINUOUS_DRIVE_S = 4 * 3600
"""Driving time after which a rest is due (Road Safety Regulation Art. 62(7), domain notes 2d)."""
MIN_REST_S = 20 * 60
"""Least length of that rest."""


@dataclass(frozen=True, slots=True)
class Compartment:
    """A part of a carrier that holds goods; `set_point_c` None means it has the outside's temperature."""

    id: str
    kg: float
    litres: float
    set_point_c: float | None = None


@dataclass(frozen=True, slots=True)
class VehicleType:
    """A road vehicle or courier type: what every vehicle of the type shares.

    Money is minor units: `fixed_cost` per day used, `cost_per_km`, `cost_per_h` of route time. `stop_s` is the fixed
    time of each stop away from the base (parking, walking to the door). `range_wh` bounds the energy of one round.
    `max_drive_s` bounds the day's travel time. Dimensions override those of the travel profile where given.
    `max_rounds` bounds the rounds of one vehicle that day; None: any number. A rest is due after
    `max_continuous_drive_s` of travel; None: never.
    """

    id: str
    kind: Literal["vehicle", "courier"]
    profile: str
    compartments: tuple[Compartment, ...]
    fixed_cost: float
    cost_per_km: float
    cost_per_h: float
    shift_start_s: int
    shift_end_s: int
    max_drive_s: int
    stop_s: int = 120
    range_wh: float | None = None
    energy_source: EnergySource = "none"
    width_m: float | None = None
    height_m: float | None = None
    gross_kg: float | None = None
    max_rounds: int | None = None
    max_continuous_drive_s: int | None = MAX_CONTINUOUS_DRIVE_S


@dataclass(frozen=True, slots=True)
class DroneService:
    """What a drone type costs and when it works; its physics are in `physics`."""

    physics: DroneType
    fixed_cost: float
    cost_per_sortie: float
    cost_per_h: float
    shift_start_s: int
    shift_end_s: int

    @property
    def id(self) -> str:
        """Id of the drone type."""
        return self.physics.id


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One road vehicle or courier. It starts and ends every round at `base`."""

    id: str
    type: VehicleType
    base: str
    operator: str
    travel: str
    """Key of its matrix in `Problem.matrices` (profile and dimension limits)."""

    @property
    def kind(self) -> Literal["vehicle", "courier"]:
        """Kind of carrier as the plan file names it."""
        return self.type.kind


@dataclass(frozen=True, slots=True)
class Drone:
    """One drone. Each sortie leaves `base`, visits one place and returns."""

    id: str
    service: DroneService
    base: str
    operator: str

    @property
    def kind(self) -> Literal["drone"]:
        """Kind of carrier as the plan file names it."""
        return "drone"


@dataclass(frozen=True, slots=True)
class BusCall:
    """A call of a bus trip at a bus stop that handles cargo for the place `place_id`.

    Goods must be at the place `cutoff_s` before `departure_s`, and are at the place `board_s` after `arrival_s`.
    """

    place_id: str
    bus_stop_id: str
    sequence: int
    arrival_s: int
    departure_s: int
    board_s: int
    cutoff_s: int
    can_load: bool = True
    can_unload: bool = True


@dataclass(frozen=True, slots=True)
class BusTrip:
    """One scheduled bus trip of the day with its space for cargo; it is never moved."""

    id: str
    line: str
    operator: str
    calls: tuple[BusCall, ...]
    max_kg: float
    max_l: float
    max_piece_kg: float
    max_longest_cm: float
    fee_per_kg: float
    fee_per_piece: float
    product_classes: tuple[str, ...]
    """Classes admitted; empty means every class that may ride buses."""

    @property
    def kind(self) -> Literal["bus"]:
        """Kind of carrier as the plan file names it."""
        return "bus"


Carrier = Vehicle | Drone | BusTrip
