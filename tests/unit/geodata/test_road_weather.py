"""Unit tests of weather and light on the roads (geodata.road_weather)."""

import dataclasses
import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from checker_world import make_network

from geodata.errors import InputError
from geodata.matrix import UNREACHABLE_S
from geodata.profiles import load_profiles
from geodata.road_weather import dark_shares, daylight_s, road_clock, speed_factors
from geodata.travel_clock import TravelClock
from geodata.weather import CALM_WEATHER, Weather, WeatherHour

PROFILES = load_profiles()
VAN = dataclasses.replace(
    PROFILES["van_diesel"], weather={"rain": 0.8, "heavy_rain": 0.7, "fog": 0.5, "ice": 0.4, "night": 0.9}
)
EQUINOX = dt.date(2026, 3, 20)


def day(**noon: float) -> Weather:
    """Return calm weather of 10 °C but for the hour from 12 to 13."""
    hours = [WeatherHour(k, 10.0) for k in range(24)]
    hours[12] = dataclasses.replace(hours[12], **noon)  # type: ignore[arg-type]
    return Weather(tuple(hours), 0.0)


@pytest.mark.parametrize(
    ("noon", "share"),
    [
        ({}, 1.0),
        ({"rain_mm_h": 0.1}, 1.0),
        ({"rain_mm_h": 2.0}, 0.8),
        ({"rain_mm_h": 12.0}, 0.7),
        ({"visibility_m": 150.0}, 0.5),
        ({"visibility_m": 150.0, "rain_mm_h": 2.0}, 0.5),
        ({"temp_c": -5.0}, 1.0),
        ({"temp_c": 0.0, "rain_mm_h": 1.0}, 0.4),
    ],
)
def test_the_worst_state_counts(noon: dict[str, float], share: float) -> None:
    """Tests rain, fog and ice at noon: the worst of them, and nothing in the hour before."""
    factors = speed_factors(VAN, day(**noon), EQUINOX, 0.0, 30.0)
    assert factors.shape == (30,)
    assert factors[12] == pytest.approx(share)
    assert factors[11] == 1.0


def test_clock_of_a_network() -> None:
    """Tests the clock of a network's middle and mean height, and that an hour without a slow one needs none."""
    network = make_network()
    asia = ZoneInfo("Asia/Shanghai")
    clock = road_clock(VAN, network, day(rain_mm_h=2.0), EQUINOX, asia)
    assert clock is not None
    assert clock.factors[11:14] == (1.0, pytest.approx(0.8), 1.0)
    assert clock.factors[0] == pytest.approx(0.9)
    assert (clock.is_dry_between(8 * 3600, 11 * 3600), clock.is_dry_between(8 * 3600, 12 * 3600)) == (True, False)
    icy = road_clock(VAN, network, day(rain_mm_h=2.0, temp_c=3.0), EQUINOX, asia)
    assert icy is not None
    assert icy.factors[12] == pytest.approx(0.4)  # 500 m above the table's height it freezes
    indifferent = dataclasses.replace(VAN, weather={})
    assert road_clock(indifferent, network, day(rain_mm_h=2.0), EQUINOX, asia) is None


def test_rain_freezes_after_it_fell() -> None:
    """Tests that a road wet at noon is icy when it freezes later, for six hours, and higher up already at noon."""
    hours = [WeatherHour(k, 2.0 if k < 14 else -1.0, rain_mm_h=1.0 if k == 12 else 0.0) for k in range(24)]
    weather = Weather(tuple(hours), 500.0)
    factors = speed_factors(VAN, weather, dt.date(2026, 6, 21), 0.0, 30.0)
    assert factors[12:15].tolist() == [0.8, 1.0, 0.4]
    assert factors[18] == pytest.approx(0.4)
    assert factors[19] > 0.4
    assert speed_factors(VAN, weather, EQUINOX, 0.0, 30.0, elevation_m=1500.0)[12] == pytest.approx(0.4)


def test_night_by_date_and_place() -> None:
    """Tests darkness at the equinox: light from about 05:46 to 18:31 local, longer light in summer."""
    dawn, dusk = daylight_s(EQUINOX, 0.0, 0.0)
    assert dawn == pytest.approx(5 * 3600 + 46 * 60, abs=240)
    assert dusk == pytest.approx(18 * 3600 + 31 * 60, abs=240)
    factors = speed_factors(VAN, CALM_WEATHER, EQUINOX, 0.0, 0.0)
    assert factors[[2, 12, 23, 26]].tolist() == pytest.approx([0.9, 1.0, 0.9, 0.9])
    assert 0.9 < factors[5] < 1.0
    june = daylight_s(dt.date(2026, 6, 21), 0.0, 45.0)
    assert june[1] - june[0] > 16 * 3600
    assert dark_shares(dt.date(2026, 6, 21), 0.0, 80.0).max() == 0.0
    assert dark_shares(dt.date(2026, 12, 21), 0.0, 80.0).min() == 1.0


def test_twilight_worked_by_hand() -> None:
    """Tests Kunming at the solstice: declination 23.44°, sun 1.8 min late: half day 7 h 16 min round 13:10 UTC+8."""
    dawn, dusk = daylight_s(dt.date(2026, 6, 21), 102.83, 24.88, timezone=dt.timezone(dt.timedelta(hours=8)))
    assert dawn == pytest.approx((5 * 60 + 54) * 60, abs=180)
    assert dusk == pytest.approx((20 * 60 + 27) * 60, abs=180)


def test_clock_of_china_is_not_the_sun() -> None:
    """Tests that a county west of its time zone is light later."""
    here = {"date": EQUINOX, "lon": 100.0, "lat": 27.0}
    by_sun = daylight_s(**here)  # type: ignore[arg-type]
    by_law = daylight_s(**here, timezone=dt.timezone(dt.timedelta(hours=8)))  # type: ignore[arg-type]
    assert by_law[0] - by_sun[0] == 3600.0


def test_clock_over_the_hours() -> None:
    """Tests arrivals worked by hand: half an hour at full speed, then half speed for an hour."""
    clock = TravelClock([1.0, 0.5, 1.0])
    assert clock.arrival_s(0, 1800) == 1800
    assert clock.arrival_s(1800, 1800) == 3600
    assert clock.arrival_s(1800, 2700) == 3600 + 1800
    assert clock.arrival_s(1800, 1800 + 1800 + 600) == 7200 + 600
    assert clock.arrival_s(3600, 1) == 3602
    assert clock.arrival_s(100_000, 50) == 100_050
    assert clock.arrival_s(-100, 100) == 0
    assert clock.arrival_s(0, UNREACHABLE_S) == UNREACHABLE_S
    assert clock.latest_departure_s(3600 + 1800, 2700) == 1800
    with pytest.raises(ValueError, match="no way"):
        clock.latest_departure_s(3600, UNREACHABLE_S)


@pytest.mark.parametrize("factors", [[], [0.0], [1.2], [1.0, -0.5], [float("nan")]])
def test_clock_refuses_what_are_no_shares(factors: list[float]) -> None:
    """Tests that factors outside (0, 1] are refused."""
    with pytest.raises(ValueError, match="shares"):
        TravelClock(factors)


def test_shipped_profiles_slow_down() -> None:
    """Tests that every shipped profile is slower in the rain, in fog, on ice and at night, ice being worst."""
    for profile in PROFILES.values():
        shares = profile.weather
        assert set(shares) == {"rain", "heavy_rain", "fog", "ice", "night"}
        assert 0 < shares["ice"] <= shares["fog"] < shares["rain"] < 1
        assert shares["heavy_rain"] < shares["rain"]


def test_weather_shares_of_a_profile_are_checked(tmp_path: Path) -> None:
    """Tests that unknown states and shares outside (0, 1] are faults."""
    own = tmp_path / "own.toml"
    own.write_text('[a]\nlike = "truck"\n[a.weather]\nrain = 1.5\nfog = 0\nhail = 0.5\n', encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_profiles(own)
    assert {(fault.field, fault.code) for fault in error.value.faults} == {
        ("a.weather.rain", "BAD_VALUE"),
        ("a.weather.fog", "BAD_VALUE"),
        ("a.weather.hail", "UNKNOWN_KEY"),
    }


def test_arrays_equal_single_questions() -> None:
    """Tests the vectorised clock against the scalar one."""
    rng = np.random.default_rng(1)
    clock = TravelClock(rng.uniform(0.2, 1.0, 30))
    departure = rng.integers(-3600, 40 * 3600, 300)
    base = rng.integers(0, 20_000, 300)
    base[:3] = UNREACHABLE_S
    single = [clock.arrival_s(int(d), int(b)) for d, b in zip(departure, base, strict=True)]
    assert clock.arrivals_s(departure, base).tolist() == single
    assert clock.arrivals_s(departure[:, None], base[None, :5]).shape == (300, 5)
