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

A flight is refused if mean wind and gust excess are above the type's limit in any hour it is in the air.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.drones import DroneType
from geodata.flight_types import FlightCost, FlightPath, FlightRefusal
from geodata.location import FloatArray, great_circle_m
from geodata.matrix import UNREACHABLE_S
from geodata.weather import LAPSE_C_PER_M, Weather, WeatherHour

GRAVITY_M_S2 = 9.80665
GAS_CONSTANT_AIR = 287.053
"""Specific gas constant of dry air, J/(kg K)."""
ZERO_C_IN_K = 273.15
VERTICAL_BELOW_M = 0.5
"""Segments shorter than this in plan are straight up or down: wind does not slow them."""
MIN_GROUND_SPEED_M_S = 1.0
"""A head wind that leaves less than this stops the drone."""
DENSEST_AIR_KG_M3 = 1.5
"""Air at sea level and −35 °C: no flight meets denser."""
CHUNK_PATHS = 1_000
"""Paths priced at once: what they need then stays in the processor's cache."""
WH = 3600.0
"""Joules in a watt-hour."""

IntArray = npt.NDArray[np.int64]


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


def line_length_m(line: npt.ArrayLike) -> int:
    """Return the horizontal length of a line of shape (n, 3) in whole metres."""
    points = np.asarray(line, dtype=np.float64)
    return round(float(great_circle_m(points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1]).sum()))


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
        The day's weather; wind and temperature are those of the hour of departure, the wind limit is held in every
        hour in which the drone is in the air.
    departure_s
        Seconds after local midnight.
    winch
        Whether it hovers `DroneType.winch_s` over the end with the payload still aboard: counted in the energy and in
        the hours flown, not in the duration.

    Returns
    -------
    FlightCost | FlightRefusal
        Refused by ``payload``, ``wind`` or ``energy`` (more than `usable_wh`), in this order.
    """
    limit_kg = payload_limit_kg(line, drone)
    if payload_kg > limit_kg + 1e-9:
        over = payload_kg - limit_kg
        text = f"payload {payload_kg:.2f} kg is {over:.2f} kg over the limit of {limit_kg:.2f} kg at this altitude"
        return FlightRefusal("payload", over, "kg", text)
    legs = _Legs.of([np.asarray(line, dtype=np.float64)])
    hour = weather.hour(departure_s)
    seconds, hover_s, slowest = legs.effort(drone, weather, hour)
    duration_s = int(np.ceil(seconds[0] - 1e-6))
    airborne_s = duration_s + (drone.winch_s if winch else 0)
    refusal = _wind_refusal(drone, weather, departure_s, departure_s + airborne_s, float(slowest[0]))
    if refusal is not None:
        return refusal
    energy_wh = float(legs.energy_wh(drone, weather, hour, hover_s, np.array([payload_kg]), winch)[0, 0])
    if energy_wh > usable_wh(drone):
        over = energy_wh - usable_wh(drone)
        text = f"needs {energy_wh:.0f} Wh, {over:.0f} Wh more than the battery holds above its reserve"
        return FlightRefusal("energy", over, "Wh", text)
    return FlightCost(duration_s, energy_wh, int(legs.distance_m()[0]))


def costs_by_hour(
    path: FlightPath,
    drone: DroneType,
    weather: Weather,
    payload_kg: npt.ArrayLike,
    n_hours: int,
    *,
    winch: bool,
) -> tuple[IntArray, FloatArray]:
    """Return `costs_of_paths` of one path: durations of shape (n_hours,) and energies of shape (n_hours, k)."""
    duration_s, energy_wh = costs_of_paths([path], drone, weather, payload_kg, n_hours, winch=winch)
    return duration_s[0], energy_wh[0]


def costs_of_paths(
    paths: Sequence[FlightPath],
    drone: DroneType,
    weather: Weather,
    payload_kg: npt.ArrayLike,
    n_hours: int,
    *,
    winch: bool,
) -> tuple[IntArray, FloatArray]:
    """Return what flying each path takes for every hour of departure and payload class.

    Figures of an hour hold for a departure at any second of it: they equal those of `fly`, and the hour is barred
    where `fly` would refuse the latest such departure for wind (it may reach into a windier hour), or where the
    flight would leave the path's `windows`. Payload limit and battery are left to the caller.

    Parameters
    ----------
    paths
        n paths.
    drone, weather, winch
        As in `fly`.
    payload_kg
        k payloads, shape (k,).
    n_hours
        Number of hours of departure, from hour 0.

    Returns
    -------
    duration_s
        int64 array of shape (n, n_hours), `UNREACHABLE_S` where barred.
    energy_wh
        float64 array of shape (n, n_hours, k), 0 where barred.
    """
    payloads = np.atleast_1d(np.asarray(payload_kg, dtype=np.float64))
    chunks = [
        _costs_of_chunk(paths[begin : begin + CHUNK_PATHS], drone, weather, payloads, n_hours, winch)
        for begin in range(0, len(paths), CHUNK_PATHS)
    ]
    nothing = np.zeros((0, n_hours), dtype=np.int64), np.zeros((0, n_hours, len(payloads)))
    durations, energies = zip(nothing, *chunks, strict=True)
    return np.concatenate(durations), np.concatenate(energies)


def _costs_of_chunk(
    paths: Sequence[FlightPath],
    drone: DroneType,
    weather: Weather,
    payloads: FloatArray,
    n_hours: int,
    winch: bool,
) -> tuple[IntArray, FloatArray]:
    """Return `costs_of_paths` of some paths at once."""
    duration_s = np.full((len(paths), n_hours), UNREACHABLE_S, dtype=np.int64)
    energy_wh = np.zeros((len(paths), n_hours, len(payloads)))
    legs = _Legs.of([path.line for path in paths])
    efforts: dict[WeatherHour, tuple[IntArray, FloatArray, npt.NDArray[np.bool_]]] = {}
    for h in range(n_hours):
        hour = weather.hour(h * 3600.0)
        # Hours of the same weather cost the same, whatever their number.
        same = WeatherHour(0, hour.temp_c, hour.wind_m_s, hour.wind_from_deg)
        if same not in efforts:
            seconds, hover_s, slowest = legs.effort(drone, weather, hour)
            wh = legs.energy_wh(drone, weather, hour, hover_s, payloads, winch)
            moves = slowest >= MIN_GROUND_SPEED_M_S
            whole_s = np.where(moves, np.ceil(seconds - 1e-6), 0.0).astype(np.int64)
            efforts[same] = (whole_s, wh, moves)
        seconds_h, wh_h, moves_h = efforts[same]
        airborne_s = seconds_h + (drone.winch_s if winch else 0)
        legal = moves_h & _calm_enough(drone, weather, h, airborne_s) & _within_windows(paths, h, airborne_s)
        duration_s[legal, h] = seconds_h[legal]
        energy_wh[legal, h] = wh_h[legal]
    return duration_s, energy_wh


@dataclass(frozen=True)
class _Legs:
    """Segments of many lines laid end to end; `first[i]` is the first segment of line i."""

    first: IntArray
    length_m: FloatArray
    east: FloatArray
    north: FloatArray
    """Unit vector of the direction of flight."""
    rise_m: FloatArray
    mid_m: FloatArray
    thinness: FloatArray
    """1/sqrt(ρ) at one kelvin, halfway up the segment; times sqrt(T) it is 1/sqrt(ρ) at T."""
    end_m: FloatArray
    """Height of the end of each line, shape (n,)."""

    @classmethod
    def of(cls, lines: Sequence[FloatArray]) -> _Legs:
        """Lay out lines of shape (n, 3)."""
        sizes = np.array([len(line) for line in lines], dtype=np.int64)
        points = np.concatenate(lines)
        ends = np.cumsum(sizes) - 1
        inner = np.ones(len(points), dtype=np.bool_)
        inner[ends] = False
        start = np.flatnonzero(inner)
        lon, lat, z = points.T
        d_lat = lat[start + 1] - lat[start]
        d_lon = (lon[start + 1] - lon[start]) * np.cos(np.radians((lat[start + 1] + lat[start]) / 2.0))
        turn = np.maximum(np.hypot(d_lon, d_lat), 1e-12)
        mid_m = (z[start + 1] + z[start]) / 2.0
        return cls(
            first=np.concatenate([[0], np.cumsum(sizes - 1)[:-1]]).astype(np.int64),
            length_m=great_circle_m(lon[start], lat[start], lon[start + 1], lat[start + 1]),
            east=d_lon / turn,
            north=d_lat / turn,
            rise_m=z[start + 1] - z[start],
            mid_m=mid_m,
            thinness=1.0 / np.sqrt(air_density_kg_m3(mid_m, 1.0 - ZERO_C_IN_K)),
            end_m=z[ends],
        )

    def sums(self, per_segment: FloatArray) -> FloatArray:
        """Return the sum over the segments of each line."""
        return np.asarray(np.add.reduceat(per_segment, self.first), dtype=np.float64)

    def distance_m(self) -> IntArray:
        """Return horizontal lengths in whole metres."""
        return np.rint(self.sums(self.length_m)).astype(np.int64)

    def effort(
        self, drone: DroneType, weather: Weather, hour: WeatherHour
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return, for each line: seconds; seconds weighted by power over ``P_hover · sqrt(ρ)``; least ground speed."""
        forward = self.length_m >= VERTICAL_BELOW_M
        from_rad = np.radians(hour.wind_from_deg)
        head = hour.wind_m_s * (np.sin(from_rad) * self.east + np.cos(from_rad) * self.north)
        cross_squared = hour.wind_m_s**2 - head**2
        speed = np.sqrt(np.maximum(drone.cruise_m_s**2 - cross_squared, 0.0)) - head
        speed = np.where(forward, speed, drone.cruise_m_s)
        level_s = np.where(forward, self.length_m / np.maximum(speed, MIN_GROUND_SPEED_M_S), 0.0)
        climb_s = np.maximum(self.rise_m, 0.0) / drone.climb_m_s
        sink_s = np.maximum(-self.rise_m, 0.0) / drone.descent_m_s
        seconds = np.maximum(level_s, climb_s + sink_s)
        factor = np.where(forward, drone.cruise_factor, 1.0)
        weighted = factor * (seconds - sink_s) + drone.descent_factor * sink_s
        return (
            self.sums(seconds),
            self.sums(weighted * self.thinness * np.sqrt(_kelvin(weather, hour, self.mid_m))),
            np.minimum.reduceat(speed, self.first),
        )

    def energy_wh(
        self,
        drone: DroneType,
        weather: Weather,
        hour: WeatherHour,
        hover_s: FloatArray,
        payload_kg: FloatArray,
        winch: bool,
    ) -> FloatArray:
        """Return watt-hours of shape (lines, payloads); `hover_s` is the second result of `effort`."""
        if winch:
            density = air_density_kg_m3(self.end_m, _kelvin(weather, hour, self.end_m) - ZERO_C_IN_K)
            hover_s = hover_s + drone.winch_s / np.sqrt(density)
        weight_n = (drone.mass_kg + payload_kg) * GRAVITY_M_S2
        climb_m = self.sums(np.maximum(self.rise_m, 0.0))
        joules = np.outer(hover_s, hover_power_w(drone, payload_kg, 1.0))
        joules += np.outer(climb_m, weight_n / drone.climb_efficiency)
        return joules / WH


def _kelvin(weather: Weather, hour: WeatherHour, elevation_m: FloatArray) -> FloatArray:
    """Return air temperatures at heights in one hour, in kelvin."""
    return hour.temp_c - LAPSE_C_PER_M * (elevation_m - weather.ref_elevation_m) + ZERO_C_IN_K


def _wind_refusal(
    drone: DroneType, weather: Weather, from_s: float, until_s: float, slowest_m_s: float
) -> FlightRefusal | None:
    """Return why the wind forbids a flight between two times, or None."""
    for h in range(int(from_s // 3600), int(until_s // 3600) + 1):
        peak = weather.hour(h * 3600.0).peak_wind_m_s
        if peak > drone.wind_limit_m_s:
            over = peak - drone.wind_limit_m_s
            text = f"wind with gusts of {peak:.1f} m/s in hour {h} is {over:.1f} m/s over the limit"
            return FlightRefusal("wind", over, "m/s", text)
    if slowest_m_s < MIN_GROUND_SPEED_M_S:
        lack = MIN_GROUND_SPEED_M_S - slowest_m_s
        return FlightRefusal("wind", lack, "m/s", "the head wind leaves no speed over ground")
    return None


def _calm_enough(drone: DroneType, weather: Weather, h: int, airborne_s: IntArray) -> npt.NDArray[np.bool_]:
    """Return where the wind stays within the limit for a departure at any second of hour h."""
    last_hour = (h * 3600 + 3599 + airborne_s) // 3600
    calm = np.zeros(len(airborne_s), dtype=np.bool_)
    for hour in range(h, int(last_hour.max()) + 1):
        if weather.hour(hour * 3600.0).peak_wind_m_s > drone.wind_limit_m_s:
            return calm | (last_hour < hour)
    return ~calm


def _within_windows(paths: Sequence[FlightPath], h: int, airborne_s: IntArray) -> npt.NDArray[np.bool_]:
    """Return which paths may be flown for a departure at any second of hour h."""
    from_s, until_s = h * 3600, h * 3600 + 3599
    return np.array(
        [
            any(opens <= from_s and until_s + int(seconds) <= closes for opens, closes in path.windows)
            for path, seconds in zip(paths, airborne_s, strict=True)
        ],
        dtype=np.bool_,
    )
