"""Weather and light on the roads: how much slower each hour is, and what that makes of the time of a leg.

In one hour every road is slowed by the same share. So the fastest way stays the fastest whenever one leaves, the travel
matrix of a dry day serves all hours, and a leg only has to be stretched: `TravelClock`. One who leaves later never
arrives earlier (FIFO), because the clock is a strictly rising function of time.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from geodata.location import FloatArray
from geodata.profile_type import Profile
from geodata.streets import StreetNetwork
from geodata.travel_clock import HOUR_S, TravelClock
from geodata.weather import Weather

HORIZON_H = 30
"""Hours after midnight the factors cover by default: to 06:00 of the next day; the last one holds on."""
DAY_H = 72
"""Hours after midnight a service day may name."""
RAIN_MM_H, HEAVY_RAIN_MM_H = 0.2, 8.0
"""From here on a road is wet, and rain is heavy (about where Chinese forecasts begin it; unverified, an assumption)."""
FOG_M = 200.0
"""Visibility below which it counts as fog (where China's expressway limits begin; unverified, an assumption)."""
ICE_C, ICE_AFTER_RAIN_H = 0.0, 6
"""At or below this temperature a road is icy if it rains or has rained within so many hours (assumption)."""
TWILIGHT_DEG = -6.0
"""The sun's height below which it is dark: the end of civil twilight."""


def speed_factors(
    profile: Profile,
    weather: Weather,
    service_date: dt.date,
    lon: float,
    lat: float,
    *,
    timezone: dt.tzinfo | None = None,
    elevation_m: float | None = None,
    n_hours: int = HORIZON_H,
) -> FloatArray:
    """Return the share of the dry-day speed left in each hour.

    The worst of rain, fog and ice counts, times darkness. An hour partly dark counts as that part dark.

    Parameters
    ----------
    profile
        Its table `weather` has the shares for ``rain``, ``heavy_rain``, ``fog``, ``ice`` and ``night``; absent: 1.
    weather
        Rain, visibility and temperature by hour; after the last hour its weather holds on.
    lon, lat
        Where, in degrees, for the sun.
    timezone
        Of the service date; None: the whole hour of longitude.
    elevation_m
        Height of the roads, for ice; None: that of the weather table.

    Returns
    -------
    numpy.ndarray
        Shape (n_hours,), each in (0, 1].
    """
    height_m = weather.ref_elevation_m if elevation_m is None else elevation_m
    dark = dark_shares(service_date, lon, lat, timezone=timezone, n_hours=n_hours)
    night = profile.weather.get("night", 1.0)
    states = np.array([_weather_share(profile, weather, hour, height_m) for hour in range(n_hours)])
    return np.asarray(states * (1.0 - dark * (1.0 - night)), dtype=np.float64)


def _weather_share(profile: Profile, weather: Weather, hour: int, elevation_m: float) -> float:
    """Return the share of speed the worst of rain, fog and ice leaves in an hour."""
    now = weather.hour(hour * HOUR_S)
    wet_lately = any(
        weather.hour(before * HOUR_S).rain_mm_h >= RAIN_MM_H
        for before in range(max(hour - ICE_AFTER_RAIN_H, 0), hour + 1)
    )
    states = {
        "rain": now.rain_mm_h >= RAIN_MM_H,
        "heavy_rain": now.rain_mm_h >= HEAVY_RAIN_MM_H,
        "fog": now.visibility_m < FOG_M,
        "ice": wet_lately and weather.ambient_c(hour * HOUR_S, elevation_m) <= ICE_C,
    }
    return min([1.0, *(profile.weather.get(state, 1.0) for state, here in states.items() if here)])


def dark_shares(
    date: dt.date, lon: float, lat: float, *, timezone: dt.tzinfo | None = None, n_hours: int = HORIZON_H
) -> FloatArray:
    """Return the part of each hour after midnight in which it is dark, shape (n_hours,), 0 to 1."""
    dawn_s, dusk_s = daylight_s(date, lon, lat, timezone=timezone)
    begin = np.arange(n_hours, dtype=np.float64) * HOUR_S
    light = np.zeros(n_hours)
    for day_s in range(-86_400, n_hours * HOUR_S + 86_400, 86_400):  # the sun of the neighbouring days, a minute off
        lit = np.minimum(begin + HOUR_S, dusk_s + day_s) - np.maximum(begin, dawn_s + day_s)
        light += np.maximum(lit, 0.0)
    return np.clip(1.0 - light / HOUR_S, 0.0, 1.0)


def daylight_s(date: dt.date, lon: float, lat: float, *, timezone: dt.tzinfo | None = None) -> tuple[float, float]:
    """Return when civil twilight begins and ends, in seconds after local midnight; a few minutes exact.

    Declination and equation of time by Spencer's series (1971). Where the sun never sinks to −6° that day it is light
    for 24 h round noon; where it never rises to it both are noon.
    """
    year_angle = 2.0 * math.pi * (date.timetuple().tm_yday - 1) / 365.0
    declination = (
        0.006918
        - 0.399912 * math.cos(year_angle)
        + 0.070257 * math.sin(year_angle)
        - 0.006758 * math.cos(2 * year_angle)
        + 0.000907 * math.sin(2 * year_angle)
    )
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * math.cos(year_angle)
        - 0.032077 * math.sin(year_angle)
        - 0.014615 * math.cos(2 * year_angle)
        - 0.040849 * math.sin(2 * year_angle)
    )
    phi = math.radians(lat)
    cosine = (math.sin(math.radians(TWILIGHT_DEG)) - math.sin(phi) * math.sin(declination)) / (
        math.cos(phi) * math.cos(declination)
    )
    half_day_s = math.degrees(math.acos(min(max(cosine, -1.0), 1.0))) * 240.0
    noon_utc_s = 43_200.0 - lon * 240.0 - equation_min * 60.0
    noon_s = noon_utc_s + _utc_offset_s(date, lon, timezone)
    return noon_s - half_day_s, noon_s + half_day_s


def _utc_offset_s(date: dt.date, lon: float, timezone: dt.tzinfo | None) -> float:
    if timezone is None:
        return round(lon / 15.0) * 3600.0
    offset = dt.datetime.combine(date, dt.time(12), timezone).utcoffset()
    return 0.0 if offset is None else offset.total_seconds()


def road_clock(
    profile: Profile, network: StreetNetwork, weather: Weather, service_date: dt.date, timezone: dt.tzinfo
) -> TravelClock | None:
    """Return the clock of a profile on a network's roads, None where no hour of the day is slower than a dry one.

    The sun is that of the network's middle and ice that of the mean height of its nodes: one clock for all its roads.
    """
    heights_m = network.node_elevation_m[np.isfinite(network.node_elevation_m)]
    factors = speed_factors(
        profile,
        weather,
        service_date,
        network.frame.lon,
        network.frame.lat,
        timezone=timezone,
        elevation_m=float(heights_m.mean()) if heights_m.size else None,
        n_hours=DAY_H,
    )
    clock = TravelClock(factors)
    return None if clock.is_dry else clock
