"""A synthetic day of weather as mountain valleys know it: a calm morning, wind up the valley in the afternoon."""

from __future__ import annotations

import math

from geodata.weather import Weather, WeatherHour

_CALM_M_S = 1.5
_PEAK_M_S = 8.5
_RISE_H, _PEAK_H, _END_H = 10.0, 14.5, 19.0
_GUST = 1.5


def windy_afternoon(ref_elevation_m: float, *, coldest_c: float = 12.0, warmest_c: float = 24.0) -> Weather:
    """Return 24 hours of weather: calm before 10:00, gusts beyond a drone's 12 m/s around 14:30, still by 19:00.

    Temperature is lowest at 05:00 and highest at 15:00; valley wind of 4 to 8 m/s in the afternoon is common, gusts
    half as strong again (domain notes 2a.4 and 5, assumed). A shower falls from 16:00 to 17:00.

    Parameters
    ----------
    ref_elevation_m
        Height the temperatures hold for.
    coldest_c, warmest_c
        Extremes of the day.
    """
    hours = []
    for hour in range(24):
        at = hour + 0.5
        swing = math.cos((at - 15.0) / 24.0 * 2.0 * math.pi)
        wind = _wind_m_s(at)
        hours.append(
            WeatherHour(
                hour=hour,
                temp_c=round((coldest_c + warmest_c) / 2 + (warmest_c - coldest_c) / 2 * swing, 1),
                wind_m_s=wind,
                wind_from_deg=180.0 if _RISE_H <= at <= _END_H else 0.0,
                gust_m_s=round(wind * _GUST, 1),
                visibility_m=8_000.0 if hour == 16 else 20_000.0,
                rain_mm_h=2.0 if hour == 16 else 0.0,
            )
        )
    return Weather(tuple(hours), round(ref_elevation_m))


def _wind_m_s(at: float) -> float:
    """Return the mean wind: a half sine from `_RISE_H` to `_END_H`, skewed to its peak, above the calm."""
    if not _RISE_H < at < _END_H:
        return _CALM_M_S
    before, after = (at - _RISE_H) / (_PEAK_H - _RISE_H), (_END_H - at) / (_END_H - _PEAK_H)
    return round(_CALM_M_S + (_PEAK_M_S - _CALM_M_S) * math.sin(min(before, after, 1.0) * math.pi / 2), 1)
