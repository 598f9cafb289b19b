"""Seconds and watt-hours of a flight along a 3-D line, by payload, air density and wind.

The model is hover power of momentum theory, scaled for the phase of flight, calibrated per type (domain notes 2a.4)::

    P_hover = hover_factor · (m g)^1.5 / sqrt(2 ρ A)

- forward flight: ``cruise_factor`` · P_hover; climbing adds the work m g Δh / ``climb_efficiency``;
- going down at the full rate of descent: ``descent_factor`` · P_hover, nothing is regained; a shallow descent is
  partly that and partly cruise, in proportion of the time each needs;
- straight up from a pad: P_hover and the work of climbing.

Ground speed is ``sqrt(V² − w_c²) − w_h`` with cross wind w_c and head wind w_h of the hour of departure. Where the
line is steeper than the drone climbs or sinks at that speed, it slows down. Density is that of the standard
atmosphere's pressure at the height and of the hour's temperature there.

A flight is refused if the weather of any hour in which it is in the air is beyond the type's limits (`flight_weather`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.drones import DroneType
from geodata.flight_loops import hover_parts, seconds_in_wind, steps_between
from geodata.flight_types import FlightCost, FlightRefusal
from geodata.flight_weather import MIN_GROUND_SPEED_M_S, airborne_refusal, head_wind_refusal
from geodata.location import FloatArray
from geodata.weather import LAPSE_C_PER_M, Weather, WeatherHour

GRAVITY_M_S2 = 9.80665
GAS_CONSTANT_AIR = 287.053
"""Specific gas constant of dry air, J/(kg K)."""
ZERO_C_IN_K = 273.15
VERTICAL_BELOW_M = 0.5
"""Segments shorter than this in plan are straight up or down: wind does not slow them."""
DENSEST_AIR_KG_M3 = 1.5
"""Air at sea level and −35 °C: no flight meets denser."""
WH = 3600.0
"""Joules in a watt-hour."""

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def air_density_kg_m3(elevation_m: npt.ArrayLike, temp_c: npt.ArrayLike) -> FloatArray:
    """Return air density from the standard atmosphere's pressure at a height (ISO 2533) and the temperature there.

    Parameters
    ----------
    elevation_m
        Metres above sea level, below 11,000.
    temp_c
        Air temperature at that height, °C.
    """
    pressure_pa = 101_325.0 * (1.0 - 2.25577e-5 * np.asarray(elevation_m, dtype=np.float64)) ** 5.25588
    return np.asarray(pressure_pa / (GAS_CONSTANT_AIR * (np.asarray(temp_c) + ZERO_C_IN_K)), dtype=np.float64)


def hover_power_w(drone: DroneType, payload_kg: npt.ArrayLike, density_kg_m3: npt.ArrayLike) -> FloatArray:
    """Return the power of hovering in watts; payload and density broadcast together."""
    weight_n = (drone.mass_kg + np.asarray(payload_kg, dtype=np.float64)) * GRAVITY_M_S2
    return np.asarray(
        drone.hover_factor * weight_n**1.5 / np.sqrt(2.0 * drone.disc_area_m2 * np.asarray(density_kg_m3))
    )


def usable_wh(drone: DroneType) -> float:
    """Return the energy a drone may spend between two battery swaps: what is above the reserve."""
    return drone.battery_wh * (1.0 - drone.reserve)


def payload_limit_kg(line: npt.ArrayLike, drone: DroneType) -> float:
    """Return the payload limit of a flight: it falls with the height of the higher of its two ends, never below 0."""
    ends_m = np.asarray(line, dtype=np.float64)[[0, -1], 2]
    return max(0.0, drone.payload_kg - drone.payload_loss_kg_per_km * max(0.0, float(ends_m.max())) / 1000.0)


def least_energy_wh(drone: DroneType, distance_m: float) -> float:
    """Return a bound below the energy of any flight of that length: empty, no climb, densest air, best tail wind."""
    factor = min(drone.cruise_factor, drone.descent_factor)
    seconds = distance_m / (drone.cruise_m_s + drone.wind_limit_m_s)
    return factor * float(hover_power_w(drone, 0.0, DENSEST_AIR_KG_M3)) * seconds / WH


def line_lengths_m(lines: Sequence[FloatArray]) -> IntArray:
    """Return the horizontal lengths of lines of shape (n, 3) in whole metres."""
    within, first = _segments(lines)
    lon, lat, _ = _columns(lines)
    length_m = steps_between(lon, lat)[0][within]
    return np.rint(np.add.reduceat(length_m, first)).astype(np.int64)


def fly(
    line: npt.ArrayLike,
    drone: DroneType,
    payload_kg: float,
    weather: Weather,
    departure_s: float,
    *,
    winch: bool,
) -> FlightCost | FlightRefusal:
    """Return what flying along a line takes, or why it may not be flown.

    Airspace and terrain are not looked at: that is the business of whoever made the line.

    Parameters
    ----------
    line
        Array of shape (n, 3), n ≥ 2: longitude, latitude in degrees, metres above sea level.
    drone
        Type flying.
    payload_kg
        Goods and boxes aboard.
    weather
        The day's weather; wind and temperature are those of the hour of departure, the limits of wind, visibility and
        rain are held in every hour in which the drone is in the air.
    departure_s
        Seconds after local midnight.
    winch
        Whether it hovers `DroneType.winch_s` over the end with the payload still aboard: counted in the energy and in
        the hours flown, not in the duration.

    Returns
    -------
    FlightCost | FlightRefusal
        Refused by ``payload``, ``wind``, ``weather`` (visibility, rain) or ``energy`` (more than `usable_wh`).
    """
    limit_kg = payload_limit_kg(line, drone)
    if payload_kg > limit_kg + 1e-9:
        over = payload_kg - limit_kg
        text = f"payload {payload_kg:.2f} kg is {over:.2f} kg over the limit of {limit_kg:.2f} kg at this altitude"
        return FlightRefusal("payload", over, "kg", text)
    legs = Legs.of([np.asarray(line, dtype=np.float64)], drone, weather)
    hour = weather.hour(departure_s)
    motion = legs.motion(hour)
    duration_s = int(motion.whole_s[0])
    airborne_s = duration_s + (drone.winch_s if winch else 0)
    refusal = airborne_refusal(drone, weather, departure_s, departure_s + airborne_s, float(legs.exposure_top[0]))
    refusal = refusal or head_wind_refusal(float(motion.slowest_m_s[0]))
    if refusal is not None:
        return refusal
    hover_s = legs.hover_s(motion, hour, winch)
    energy_wh = float(legs.energy_wh(hover_s[:, np.newaxis], np.array([payload_kg]))[0, 0, 0])
    if energy_wh > usable_wh(drone):
        over = energy_wh - usable_wh(drone)
        text = f"needs {energy_wh:.0f} Wh, {over:.0f} Wh more than the battery holds above its reserve"
        return FlightRefusal("energy", over, "Wh", text)
    return FlightCost(duration_s, energy_wh, int(legs.distance_m[0]))


@dataclass(frozen=True)
class Motion:
    """How lines are flown in one wind: `slowest_m_s` is the least ground speed, `whole_s` the seconds of each line.

    `effort` has one entry per segment: its seconds weighted by power over ``P_hover · sqrt(ρ)``, and by ``1/sqrt(ρ)``
    at one kelvin; times sqrt(T) it is the seconds of hovering in air of unit density that take the same energy.
    """

    whole_s: IntArray
    slowest_m_s: FloatArray
    effort: FloatArray


@dataclass(frozen=True)
class Legs:
    """Segments of many lines laid end to end, as one drone type meets them on one day.

    Arrays have one entry per segment; `first`, `distance_m`, `climb_m`, `end_m` and `exposure_top` one per line.
    """

    drone: DroneType
    weather: Weather
    first: IntArray
    """First segment of each line."""
    distance_m: IntArray
    climb_m: FloatArray
    end_m: FloatArray
    """Height of the end of each line."""
    exposure_top: FloatArray
    """Greatest exposure to wind along each line."""
    level_m: FloatArray
    """Length in plan, 0 where the segment is straight up or down."""
    east: FloatArray
    north: FloatArray
    """Unit vector of the direction of flight."""
    exposure: FloatArray
    """Wind over that of the table halfway up the segment."""
    vertical_s: FloatArray
    """Least seconds for the rise or fall."""
    weight: FloatArray
    sink_effort: FloatArray
    """`Motion.effort` is ``weight · seconds + sink_effort``."""
    cooling_c: FloatArray
    """How much colder than the table's reference the air halfway up is."""

    @classmethod
    def of(cls, lines: Sequence[FloatArray], drone: DroneType, weather: Weather) -> Legs:
        """Lay out lines of shape (n, 3)."""
        within, first = _segments(lines)
        lon, lat, z = _columns(lines)
        # Worked out between all points that follow each other, the end of a line and the start of the next included.
        length_m, east, north = (step[within] for step in steps_between(lon, lat))
        mid_m, rise_m = ((z[1:] + z[:-1]) / 2.0)[within], np.diff(z)[within]
        upright = np.flatnonzero(length_m < VERTICAL_BELOW_M)
        sink_s = np.maximum(-rise_m, 0.0) / drone.descent_m_s
        factor = np.full(len(length_m), drone.cruise_factor)
        factor[upright] = 1.0
        thinness = 1.0 / np.sqrt(air_density_kg_m3(mid_m, 1.0 - ZERO_C_IN_K))
        level_m = length_m.copy()
        level_m[upright] = 0.0
        sizes = np.fromiter((len(line) for line in lines), dtype=np.int64, count=len(lines))
        ends = np.cumsum(sizes) - 1
        return cls(
            drone=drone,
            weather=weather,
            first=first,
            distance_m=np.rint(np.add.reduceat(length_m, first)).astype(np.int64),
            climb_m=np.add.reduceat(np.maximum(rise_m, 0.0), first),
            end_m=z[ends],
            exposure_top=weather.wind_exposure(np.maximum.reduceat(z, ends - sizes + 1)),
            level_m=level_m,
            east=east,
            north=north,
            exposure=weather.wind_exposure(mid_m) if weather.wind_gain_per_km else np.ones(len(mid_m)),
            vertical_s=np.maximum(rise_m, 0.0) / drone.climb_m_s + sink_s,
            weight=factor * thinness,
            sink_effort=(drone.descent_factor - factor) * sink_s * thinness,
            cooling_c=LAPSE_C_PER_M * (mid_m - weather.ref_elevation_m),
        )

    def motion(self, hour: WeatherHour) -> Motion:
        """Return how the lines are flown in the wind of an hour; its temperature does not matter."""
        from_rad = math.radians(hour.wind_from_deg)
        seconds, ground_m_s = seconds_in_wind(
            (hour.wind_m_s, math.sin(from_rad), math.cos(from_rad)),
            (self.drone.cruise_m_s, MIN_GROUND_SPEED_M_S),
            self.level_m,
            self.east,
            self.north,
            self.exposure,
            self.vertical_s,
        )
        return Motion(
            whole_s=np.ceil(np.add.reduceat(seconds, self.first) - 1e-6).astype(np.int64),
            slowest_m_s=np.minimum.reduceat(ground_m_s, self.first),
            effort=self.weight * seconds + self.sink_effort,
        )

    def hover_s(self, motion: Motion, hour: WeatherHour, winch: bool) -> FloatArray:
        """Return the seconds of hovering in air of unit density that each line takes, but for the work of climbing.

        They hold for the wind of a motion and the temperature of an hour, and are the same for every payload.
        """
        ground_k = hour.temp_c + ZERO_C_IN_K
        found = np.add.reduceat(hover_parts(ground_k, self.cooling_c, motion.effort), self.first)
        if winch:
            end_c = hour.temp_c - LAPSE_C_PER_M * (self.end_m - self.weather.ref_elevation_m)
            found = found + self.drone.winch_s / np.sqrt(air_density_kg_m3(self.end_m, end_c))
        return np.asarray(found)

    def energy_wh(self, hover_s: FloatArray, payload_kg: FloatArray) -> FloatArray:
        """Return watt-hours of shape (lines, hours, payloads) for `hover_s` of shape (lines, hours)."""
        drone = self.drone
        climbing_j = np.outer(self.climb_m, (drone.mass_kg + payload_kg) * GRAVITY_M_S2 / drone.climb_efficiency)
        joules = hover_s[:, :, np.newaxis] * hover_power_w(drone, payload_kg, 1.0) + climbing_j[:, np.newaxis]
        return np.asarray(joules / WH)


def _columns(lines: Sequence[FloatArray]) -> FloatArray:
    """Return longitudes, latitudes and heights of lines laid end to end, shape (3, points)."""
    return np.ascontiguousarray(np.concatenate(lines).T)


def _segments(lines: Sequence[FloatArray]) -> tuple[BoolArray, IntArray]:
    """Return which gaps between the points of lines laid end to end lie within a line, and each line's first."""
    sizes = np.fromiter((len(line) for line in lines), dtype=np.int64, count=len(lines))
    ends = np.cumsum(sizes) - 1
    within = np.ones(int(ends[-1]), dtype=np.bool_)
    within[ends[:-1]] = False
    return within, ends - sizes + 1 - np.arange(len(lines))
