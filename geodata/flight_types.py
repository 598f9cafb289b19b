"""What flights are made of: a path, what flying it costs, or why it may not be flown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from geodata.location import FloatArray

FlightRule = Literal["clearance", "ceiling", "no_fly", "wind", "weather", "energy", "payload"]
ALL_DAY: tuple[tuple[float, float], ...] = ((0.0, math.inf),)


@dataclass(frozen=True, slots=True)
class FlightRefusal:
    """Why a flight may not be flown: the rule and by how much it would be broken.

    Parameters
    ----------
    rule
        ``clearance``, ``ceiling``, ``no_fly``, ``wind``, ``weather`` (visibility, rain), ``energy`` or ``payload``.
    amount, unit
        By how much, in ``m``, ``m/s``, ``mm/h``, ``Wh`` or ``kg``.
    text
        The same as a sentence.
    """

    rule: FlightRule
    amount: float
    unit: str
    text: str


@dataclass(frozen=True, eq=False)
class FlightPath:
    """A legal way through the air from one place to another.

    Parameters
    ----------
    line
        float64 array of shape (n, 3): longitude, latitude in degrees and metres above sea level, from the ground at
        the start to the ground at the end; straight in all three coordinates between vertices.
    distance_m
        Horizontal length.
    windows
        Spans of seconds after midnight in which the whole flight must lie: all day, unless the path needs a corridor
        with hours or crosses a zone that holds only at times.
    """

    line: FloatArray
    distance_m: int
    windows: tuple[tuple[float, float], ...] = ALL_DAY

    def reversed(self) -> FlightPath:
        """Return the same path flown the other way; it is as legal."""
        return FlightPath(self.line[::-1], self.distance_m, self.windows)


@dataclass(frozen=True, slots=True)
class FlightCost:
    """What one flight takes: whole seconds and metres (horizontal), watt-hours of battery."""

    duration_s: int
    energy_wh: float
    distance_m: int
