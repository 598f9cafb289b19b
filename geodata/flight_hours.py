"""What flights take by hour of departure and payload class: whole tables of `fly`, many paths at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geodata.drones import DroneType
from geodata.flight_energy import Legs, Motion
from geodata.flight_types import ALL_DAY, FlightPath
from geodata.flight_weather import MIN_GROUND_SPEED_M_S, is_hour_open
from geodata.location import FloatArray
from geodata.matrix import UNREACHABLE_S
from geodata.weather import Weather, WeatherHour

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CHUNK_PATHS = 500
"""Paths priced at once: what they need then stays in the processor's cache."""


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
    where `fly` would refuse the latest such departure for wind or weather (it may reach into a worse hour), or where
    the flight would leave the path's `windows`. Payload limit and battery are left to the caller.

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
    hover_s = np.zeros((len(paths), n_hours))
    legs = Legs.of([path.line for path in paths], drone, weather)
    bound = {k: path.windows for k, path in enumerate(paths) if path.windows != ALL_DAY}
    motions: dict[tuple[float, float], Motion] = {}
    for h in range(n_hours):
        hour = weather.hour(h * 3600.0)
        legal = _open_in(legs, hour)
        if not legal.any():
            continue
        wind = hour.wind_m_s, hour.wind_from_deg
        if wind not in motions:
            motions[wind] = legs.motion(hour)
        motion = motions[wind]
        airborne_s = motion.whole_s + (drone.winch_s if winch else 0)
        legal &= (motion.slowest_m_s >= MIN_GROUND_SPEED_M_S) & _stays_open(legs, h, airborne_s)
        for k, windows in bound.items():
            legal[k] &= _within(windows, h * 3600, h * 3600 + 3599 + int(airborne_s[k]))
        duration_s[:, h] = np.where(legal, motion.whole_s, UNREACHABLE_S)
        hover_s[:, h] = legs.hover_s(motion, hour, winch)
    energy_wh = legs.energy_wh(hover_s, payloads)
    energy_wh[duration_s == UNREACHABLE_S] = 0.0
    return duration_s, energy_wh


def _open_in(legs: Legs, hour: WeatherHour) -> BoolArray:
    """Return which lines may be in the air in an hour."""
    calm = hour.peak_wind_m_s * legs.exposure_top <= legs.drone.wind_limit_m_s
    return np.asarray(calm & is_hour_open(legs.drone, hour))


def _stays_open(legs: Legs, h: int, airborne_s: IntArray) -> BoolArray:
    """Return which lines may be flown into the hours after h for a departure at any second of it."""
    last_hour = (h * 3600 + 3599 + airborne_s) // 3600
    stays = np.ones(len(airborne_s), dtype=np.bool_)
    for later in range(h + 1, int(last_hour.max()) + 1):
        stays &= (last_hour < later) | _open_in(legs, legs.weather.hour(later * 3600.0))
    return stays


def _within(windows: Sequence[tuple[float, float]], from_s: int, until_s: int) -> bool:
    return any(opens <= from_s and until_s <= closes for opens, closes in windows)
