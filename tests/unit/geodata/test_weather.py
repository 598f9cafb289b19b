"""Tests of the weather table."""

from pathlib import Path

import numpy as np
import pytest

from geodata.errors import FaultCollector, InputError
from geodata.weather import CALM_WEATHER, Weather, WeatherHour, read_weather

HEADER = "hour,temp_c,wind_m_s,wind_from_deg,gust_m_s,visibility_m,rain_mm_h,ref_elevation_m\n"


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "weather.csv"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(InputError) as caught:
        read_weather(path)
    return [(fault.code, fault.row, fault.field) for fault in caught.value.faults]


def test_reads_hours_in_any_order(tmp_path: Path) -> None:
    """Tests that rows are put in order of hours and empty cells take their defaults."""
    weather = read_weather(table(tmp_path, HEADER + "1,9,3,270,5,8000,0.5,800\n0,8,,,,,,800\n"))
    assert weather == Weather((WeatherHour(0, 8.0), WeatherHour(1, 9.0, 3.0, 270.0, 5.0, 8000.0, 0.5)), 800.0)


def test_only_hour_and_temperature_are_required(tmp_path: Path) -> None:
    """Tests that a table of two columns, with a byte order mark, is enough."""
    assert read_weather(table(tmp_path, "\ufeffhour,temp_c\n0,5\n")).hours == (WeatherHour(0, 5.0),)


def test_is_constant_in_the_hour_and_holds_on() -> None:
    """Tests that weather changes on the hour, the first hour holds before and the last one after the table."""
    weather = Weather((WeatherHour(0, 1.0), WeatherHour(1, 2.0)), 0.0)
    assert [weather.hour(t).temp_c for t in (-5, 0, 3599.9, 3600, 90_000)] == [1, 1, 1, 2, 2]
    np.testing.assert_array_equal(weather.hourly_temp_c(), [1.0, 2.0])


def test_air_is_colder_higher_up() -> None:
    """Tests the lapse of 6.5 °C for 1,000 m above the reference height."""
    weather = Weather((WeatherHour(0, 20.0),), 500.0)
    assert weather.ambient_c(0, 1500.0) == pytest.approx(13.5)
    assert CALM_WEATHER.ambient_c(0, 0.0) == 15.0


@pytest.mark.parametrize(("gust", "peak"), [(None, 6.0), (5.0, 5.0), (3.0, 4.0)])
def test_peak_wind(gust: float | None, peak: float) -> None:
    """Tests that the gust given counts, 1.5 times the mean without one, and never less than the mean."""
    assert WeatherHour(0, 10.0, 4.0, gust_m_s=gust).peak_wind_m_s == peak


def test_every_fault_is_reported(tmp_path: Path) -> None:
    """Tests that bad cells, a hour given twice, a hole and a mixed reference are all found at once."""
    text = HEADER + "0,8,,,,,,800\n1,warm,-1,400,,,,800\n0,9,,,,,,800\n3,9,,,,,,900\n2.5,9,,,,,,800\n"
    assert faults(table(tmp_path, text)) == [
        ("BAD_VALUE", 3, "temp_c"),
        ("BAD_VALUE", 3, "wind_m_s"),
        ("BAD_VALUE", 3, "wind_from_deg"),
        ("DUPLICATE_HOUR", 4, "hour"),
        ("MIXED_REFERENCE", 5, "ref_elevation_m"),
        ("BAD_VALUE", 6, "hour"),
        ("HOUR_MISSING", None, "hour"),
    ]


def test_wind_grows_with_height_if_asked(tmp_path: Path) -> None:
    """Tests the factor on wind below, at and above the reference, that it is 1 without a gain, and one gain a table."""
    asked = read_weather(table(tmp_path, "hour,temp_c,ref_elevation_m,wind_gain_per_km\n0,9,800,1.25\n"))
    heights = np.array([0.0, 800.0, 1200.0])
    np.testing.assert_allclose(asked.wind_exposure(heights), [1.0, 1.0, 1.5])
    np.testing.assert_array_equal(CALM_WEATHER.wind_exposure(heights), [1.0, 1.0, 1.0])
    text = "hour,temp_c,wind_gain_per_km\n0,9,1\n1,9,\n"
    assert faults(table(tmp_path, text)) == [("MIXED_REFERENCE", 3, "wind_gain_per_km")]


def test_unknown_column_suggests_the_nearest(tmp_path: Path) -> None:
    """Tests that a misspelt column is refused with the name probably meant."""
    with pytest.raises(InputError, match="Did you mean wind_from_deg"):
        read_weather(table(tmp_path, "hour,temp_c,wind_from_degr\n0,1,2\n"))


@pytest.mark.parametrize(
    ("text", "code"),
    [("hour\n1\n", "MISSING_COLUMN"), ("hour,temp_c\n", "EMPTY_TABLE"), ("hour,temp_c\n0,\n", "MISSING_VALUE")],
)
def test_broken_tables(tmp_path: Path, text: str, code: str) -> None:
    """Tests that tables without a required column, row or value say so."""
    assert faults(table(tmp_path, text))[0][0] == code


def test_missing_and_binary_files(tmp_path: Path) -> None:
    """Tests that an absent file and one that is no text are named."""
    assert faults(tmp_path / "absent.csv")[0][0] == "MISSING_FILE"
    (tmp_path / "weather.csv").write_bytes(b"\xff\xfe\x00\xd8")
    assert faults(tmp_path / "weather.csv")[0][0] == "WRONG_ENCODING"


def test_collector_takes_the_faults(tmp_path: Path) -> None:
    """Tests that with a collector nothing is raised and calm weather stands in."""
    collector = FaultCollector()
    assert read_weather(table(tmp_path, "hour,temp_c\n0,x\n"), collector) is CALM_WEATHER
    assert {fault.code for fault in collector.faults} == {"BAD_VALUE", "EMPTY_TABLE"}


def test_rejects_hours_with_gaps() -> None:
    """Tests that hours that do not run from 0 cannot be built."""
    with pytest.raises(ValueError, match="without gaps"):
        Weather((WeatherHour(1, 2.0),), 0.0)
