"""Which weather a drone may be in the air in: wind with gusts, visibility, rain, hour by hour."""

from __future__ import annotations

from geodata.drones import DroneType
from geodata.flight_types import FlightRefusal
from geodata.weather import Weather, WeatherHour

MIN_GROUND_SPEED_M_S = 1.0
"""A head wind that leaves less than this stops the drone."""


def is_hour_open(drone: DroneType, hour: WeatherHour) -> bool:
    """Return whether visibility and rain of an hour are within the limits of a type; wind is looked at by flight."""
    return hour.visibility_m >= drone.min_visibility_m and hour.rain_mm_h <= drone.max_rain_mm_h


def airborne_refusal(
    drone: DroneType, weather: Weather, from_s: float, until_s: float, exposure: float
) -> FlightRefusal | None:
    """Return why the weather forbids a flight between two times, or None.

    Parameters
    ----------
    drone
        Gives the limits.
    weather
        The day's weather.
    from_s, until_s
        Seconds after midnight in which the drone is in the air; every hour touched counts.
    exposure
        Greatest factor on the wind along the way (`Weather.wind_exposure`).
    """
    for h in range(int(from_s // 3600), int(until_s // 3600) + 1):
        refusal = _hour_refusal(drone, weather.hour(h * 3600.0), h, exposure)
        if refusal is not None:
            return refusal
    return None


def head_wind_refusal(slowest_m_s: float) -> FlightRefusal | None:
    """Return the refusal of a flight that a head wind all but stops, by its least speed over ground, or None."""
    lack = MIN_GROUND_SPEED_M_S - slowest_m_s
    if lack <= 0.0:
        return None
    return FlightRefusal("wind", lack, "m/s", "the head wind leaves no speed over ground")


def _hour_refusal(drone: DroneType, hour: WeatherHour, h: int, exposure: float) -> FlightRefusal | None:
    """Return why one hour may not be flown in."""
    over = hour.peak_wind_m_s * exposure - drone.wind_limit_m_s
    if over > 0.0:
        peak = over + drone.wind_limit_m_s
        text = f"wind with gusts of {peak:.1f} m/s in hour {h} is {over:.1f} m/s over the limit"
        return FlightRefusal("wind", over, "m/s", text)
    lack = drone.min_visibility_m - hour.visibility_m
    if lack > 0.0:
        text = f"visibility of {hour.visibility_m:.0f} m in hour {h} is {lack:.0f} m below what is needed"
        return FlightRefusal("weather", lack, "m", text)
    over = hour.rain_mm_h - drone.max_rain_mm_h
    if over > 0.0:
        text = f"rain of {hour.rain_mm_h:g} mm/h in hour {h} is {over:g} mm/h over the limit"
        return FlightRefusal("weather", over, "mm/h", text)
    return None
