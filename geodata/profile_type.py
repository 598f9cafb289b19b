"""Profile: one way of using the roads, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["motor", "heavy", "foot"]
EnergySource = Literal["diesel", "electric", "none"]

WEATHER_STATES = ("rain", "heavy_rain", "fog", "ice", "night")
"""States of weather and light a profile may give a share of speed for."""


@dataclass(frozen=True, slots=True)
class EnergyModel:
    """Longitudinal dynamics of a vehicle; see the head of ``data/profiles.toml`` for the formula and its sources."""

    tare_kg: float = 0.0
    load_kg: float = 0.0
    rolling: float = 0.012
    drag_m2: float = 0.0
    efficiency: float = 1.0
    regeneration: float = 0.0
    standby_w: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """One way of using the roads. Shipped ones are in ``data/profiles.toml``, where every number has its source.

    Parameters
    ----------
    mode
        Which access tags bind: ``motor`` (light), ``heavy`` (goods vehicles above 3.5 t) or ``foot``.
    width_m, height_m, gross_kg
        Dimensions against posted limits.
    max_snap_m, access_m_s
        Farthest the last metres between road and door may be, and how fast they are walked.
    access
        Kinds of right of way accepted.
    max_tracktype
        Worst track grade used, 1 to 5.
    max_grade
        Steepest edge used, up or down.
    speed_kmh
        Free speed by highway class; absent or 0: not used.
    surface
        Share of speed left by surface class; absent or 0: not used.
    grade
        (grade, share of free speed) points, grades ascending; not used by walkers, who follow Tobler's function.
    axle_share
        Share of the gross mass on the heaviest axle.
    walk_factor
        Share of Tobler's speed a walker goes (0.7 for the elderly).
    weather
        Share of speed left in ``rain``, ``heavy_rain``, ``fog``, on ``ice`` and at ``night``; absent: 1.
    """

    id: str
    name: str
    mode: Mode
    energy_source: EnergySource
    width_m: float
    height_m: float
    gross_kg: float
    max_snap_m: float
    access_m_s: float
    access: tuple[str, ...]
    speed_kmh: Mapping[str, float]
    surface: Mapping[str, float]
    max_tracktype: int = 5
    max_grade: float = 1.0e9
    lateral_m_s2: float = 2.0
    grade: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    min_grade_factor: float = 0.25
    axle_share: float = 0.65
    walk_factor: float = 1.0
    weather: Mapping[str, float] = field(default_factory=dict)
    energy: EnergyModel = field(default_factory=EnergyModel)
    limits: str = ""
    """Dimensions that differ from the profile's own, as part of the key."""

    @property
    def is_walker(self) -> bool:
        """True for travel on foot."""
        return self.mode == "foot"

    @property
    def axle_kg(self) -> float:
        """Load of the heaviest axle."""
        return self.axle_share * self.gross_kg

    @property
    def key(self) -> str:
        """Id and, where dimensions were changed, the limits: profiles of one key cost the same everywhere."""
        return self.id + self.limits

    def limited(
        self, width_m: float | None = None, height_m: float | None = None, gross_kg: float | None = None
    ) -> Profile:
        """Return the profile with a vehicle's own dimensions; None keeps the profile's."""
        own = {"width_m": width_m, "height_m": height_m, "gross_kg": gross_kg}
        changed = {
            name: float(value) for name, value in own.items() if value is not None and value != getattr(self, name)
        }
        if not changed:
            return self
        merged = {name: changed.get(name, float(getattr(self, name))) for name in own}
        limits = f"@{merged['width_m']:g}m,{merged['height_m']:g}m,{merged['gross_kg']:g}kg"
        return dataclasses.replace(
            self, width_m=merged["width_m"], height_m=merged["height_m"], gross_kg=merged["gross_kg"], limits=limits
        )
