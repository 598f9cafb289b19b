"""DroneType: the physics of a cargo drone as data, and the four types that ship with the package."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class DroneType:
    """A cargo multicopter. Defaults are stated in ``docs/reference/parameters.md`` with their sources.

    Parameters
    ----------
    mass_kg
        Take-off mass without payload, batteries included.
    payload_kg, payload_loss_kg_per_km
        Payload limit at sea level and what it loses per 1,000 m of altitude (of the higher end of the flight).
    disc_area_m2
        Total rotor disc area, a coaxial pair counted once.
    hover_factor
        κ/η of P_hover = hover_factor · (m g)^1.5 / sqrt(2 ρ A).
    cruise_factor, descent_factor
        Power in cruise and in descent as a share of hover power.
    climb_efficiency
        η_c of the climb term m g w / η_c.
    reserve
        Share of the battery that must be left on landing back at the base.
    winch_s
        Hover-and-winch (or land, unload and take off) time at the far end of a sortie.
    turnaround_s
        Time on the pad between two sorties: landing, battery swap, loading, take-off check.
    clearance_m
        Least height over ground away from the ends of the flight.
    min_visibility_m, max_rain_mm_h
        Weather below or above which it does not fly, in any hour it is in the air.
    approval
        ``none``, ``declared`` or ``required``: what a flight below 120 m needs.
    """

    id: str
    mass_kg: float
    payload_kg: float
    payload_loss_kg_per_km: float
    volume_l: float
    battery_wh: float
    reserve: float
    disc_area_m2: float
    hover_factor: float
    cruise_factor: float
    descent_factor: float
    climb_efficiency: float
    cruise_m_s: float
    climb_m_s: float
    descent_m_s: float
    wind_limit_m_s: float
    winch_s: int
    turnaround_s: int
    clearance_m: float = 30.0
    min_visibility_m: float = 0.0
    max_rain_mm_h: float = 500.0
    approval: str = "none"


@cache
def _shipped_types() -> MappingProxyType[str, DroneType]:
    text = files("geodata").joinpath("data/drones.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: DroneType(id=name, **fields) for name, fields in tomllib.loads(text).items()})


def load_drone_types() -> dict[str, DroneType]:
    """Return the shipped drone types S, M, L and XL by id; sources and doubts stand in ``geodata/data/drones.toml``."""
    return dict(_shipped_types())
