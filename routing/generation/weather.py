"""The weather of one synthetic mountain day: fog in the valleys at dawn, a windy afternoon, a shower in the evening."""

from __future__ import annotations

import numpy as np

from geodata.weather import Weather, WeatherHour

COOLEST_C, WARMEST_C = 14.0, 28.0
"""At the hub, at 06:00 and at 15:00 [assumed, an early summer day in the south-west]."""
NIGHT_WIND_M_S, DAY_WIND_M_S = 1.2, 9.2
"""Mean up-valley wind: calm before 10:00, up to some 8 m/s in the afternoon (domain notes 2a.4)."""
FOG_M = 150.0
"""Visibility at dawn: vehicles slow down, drones wait [assumed]."""
GUST_FACTOR = 1.5
UP_VALLEY_DEG, DOWN_VALLEY_DEG = 180.0, 0.0
"""The trunk valley falls to the south: the wind blows up it by day, down it at night."""


def windy_afternoon(ref_elevation_m: float, seed: int) -> Weather:
    """Return 24 hours of weather at the hub's elevation; drones of the shipped types stand still for part of the day.

    Parameters
    ----------
    ref_elevation_m
        Elevation the temperatures hold at.
    seed
        Shifts wind and temperature by a little; the same seed gives the same day.
    """
    rng = np.random.default_rng([seed, 0x3E])
    wind_shift, temp_shift = rng.normal(scale=0.15, size=24), rng.normal(scale=0.3, size=24)
    return Weather(
        tuple(_hour(hour, float(temp_shift[hour]), float(wind_shift[hour])) for hour in range(24)),
        round(ref_elevation_m, 1),
    )


def _hour(hour: int, temp_shift: float, wind_shift: float) -> WeatherHour:
    temp_c = float(np.interp(hour, (0, 6, 15, 24), (17.5, COOLEST_C, WARMEST_C, 17.5)))
    rise = float(np.interp(hour, (0, 9, 10, 12, 15, 18, 20, 24), (0.0, 0.1, 0.35, 0.9, 1.0, 0.45, 0.1, 0.0)))
    wind_m_s = max(0.3, NIGHT_WIND_M_S + (DAY_WIND_M_S - NIGHT_WIND_M_S) * rise + wind_shift)
    return WeatherHour(
        hour=hour,
        temp_c=round(temp_c + temp_shift, 1),
        wind_m_s=round(wind_m_s, 1),
        wind_from_deg=UP_VALLEY_DEG if 9 <= hour <= 19 else DOWN_VALLEY_DEG,
        gust_m_s=round(GUST_FACTOR * wind_m_s, 1),
        visibility_m=FOG_M if hour in (5, 6) else 12_000.0 if hour in (7, 17, 18) else 20_000.0,
        rain_mm_h=1.5 if hour in (17, 18) else 0.0,
    )
