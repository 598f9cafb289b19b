"""Weather of one day, hour by hour: temperature, wind, visibility, rain; constant within the hour."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from geodata.errors import Fault, FaultCollector, nearest_name
from geodata.location import FloatArray

LAPSE_C_PER_M = 0.0065
"""Fall of air temperature with height (ISA)."""
GUST_FACTOR = 1.5
"""Gust over mean wind where the table gives no gust (domain notes 5, assumed)."""
MAX_HOUR = 71
"""Last hour accepted: a service day may run past midnight, as in GTFS."""


@dataclass(frozen=True, slots=True)
class WeatherHour:
    """Weather of one hour.

    Parameters
    ----------
    hour
        Hours after local midnight of the service date; hour 9 is 09:00 to 10:00.
    temp_c
        Air temperature in °C at the table's reference elevation.
    wind_m_s, wind_from_deg
        Mean wind and where it blows from, degrees clockwise from north.
    gust_m_s
        Strongest wind of the hour; None if unknown, then `GUST_FACTOR` times the mean is taken.
    visibility_m
        Horizontal visibility.
    rain_mm_h
        Rain.
    """

    hour: int
    temp_c: float
    wind_m_s: float = 0.0
    wind_from_deg: float = 0.0
    gust_m_s: float | None = None
    visibility_m: float = 20_000.0
    rain_mm_h: float = 0.0

    @property
    def peak_wind_m_s(self) -> float:
        """Mean wind plus gust excess: what is held against a drone's wind limit."""
        if self.gust_m_s is None:
            return self.wind_m_s * GUST_FACTOR
        return max(self.wind_m_s, self.gust_m_s)


@dataclass(frozen=True)
class Weather:
    """The day's weather. `hours[k]` is hour k, from 0 without gaps; the last hour holds on.

    Parameters
    ----------
    hours
        Hours 0, 1, 2, … of the service date.
    ref_elevation_m
        Height above sea level the temperatures hold for.
    wind_gain_per_km
        Share by which wind and gusts grow per 1,000 m above `ref_elevation_m`: ridges are windier than the valley the
        table was made for (domain notes 5: mean wind 3 m/s in valleys, 7 m/s on ridges). 0: the same everywhere.

    Raises
    ------
    ValueError
        If there is no hour, or hours do not run 0, 1, 2, ….
    """

    hours: tuple[WeatherHour, ...]
    ref_elevation_m: float
    wind_gain_per_km: float = 0.0

    def __post_init__(self) -> None:
        if not self.hours or any(entry.hour != k for k, entry in enumerate(self.hours)):
            msg = "weather hours must run 0, 1, 2, … without gaps"
            raise ValueError(msg)

    def hour(self, t_s: float) -> WeatherHour:
        """Return the weather at a time in seconds after local midnight; the last hour holds on, the first before."""
        return self.hours[min(max(int(t_s // 3600), 0), len(self.hours) - 1)]

    def ambient_c(self, t_s: float, elevation_m: float) -> float:
        """Return the air temperature in °C at a time and height: 6.5 °C less per 1,000 m above the reference."""
        return self.hour(t_s).temp_c - LAPSE_C_PER_M * (elevation_m - self.ref_elevation_m)

    def wind_exposure(self, elevation_m: FloatArray) -> FloatArray:
        """Return the factors on wind and gusts at heights, array in, array out: 1 up to the reference height."""
        return 1.0 + self.wind_gain_per_km * np.maximum(elevation_m - self.ref_elevation_m, 0.0) / 1000.0

    def hourly_temp_c(self) -> FloatArray:
        """Return the temperature of each hour at `ref_elevation_m`, float64 of shape (hours,)."""
        return np.array([entry.temp_c for entry in self.hours], dtype=np.float64)


CALM_WEATHER: Final = Weather(tuple(WeatherHour(hour, 15.0) for hour in range(24)), 0.0)
"""No wind and the standard atmosphere (15 °C at sea level) all day: taken where a scenario has no weather table."""


@dataclass(frozen=True, slots=True)
class WeatherColumn:
    """One column of ``weather.csv``: accepted range, unit, and the value where the column or cell is empty."""

    name: str
    low: float
    high: float
    unit: str
    required: bool = False
    default: float | None = None


WEATHER_COLUMNS: Final = (
    WeatherColumn("hour", 0, MAX_HOUR, "hours after midnight, whole", required=True),
    WeatherColumn("temp_c", -60, 60, "°C at ref_elevation_m", required=True),
    WeatherColumn("wind_m_s", 0, 80, "m/s, mean", default=0.0),
    WeatherColumn("wind_from_deg", 0, 360, "degrees clockwise from north the wind blows from", default=0.0),
    WeatherColumn("gust_m_s", 0, 120, "m/s; empty: 1.5 times the mean wind"),
    WeatherColumn("visibility_m", 0, 100_000, "m", default=20_000.0),
    WeatherColumn("rain_mm_h", 0, 500, "mm per hour", default=0.0),
    WeatherColumn("ref_elevation_m", -500, 9_000, "m above sea level, the same in all rows", default=0.0),
    WeatherColumn(
        "wind_gain_per_km", 0, 10, "growth of wind per 1,000 m above ref_elevation_m, the same in all rows", default=0.0
    ),
)


def read_weather(path: Path, collector: FaultCollector | None = None) -> Weather:
    """Read a weather table (``weather.csv``).

    Every hour from 0 to the last one given must be there: a gap is a fault, because an hour nobody forecast must not
    pass for a calm one. After the last hour its weather holds on.

    Parameters
    ----------
    path
        CSV file in UTF-8 with the columns of `WEATHER_COLUMNS`.
    collector
        Takes the faults, and `CALM_WEATHER` is returned where there are some; None to raise them.

    Raises
    ------
    InputError
        If `collector` is None and the table has faults; all of them together.
    """
    faults = FaultCollector() if collector is None else collector
    before = len(faults.faults)
    weather = _parse(path, faults)
    if collector is None:
        faults.raise_if_any()
    return CALM_WEATHER if weather is None or len(faults.faults) > before else weather


def _parse(path: Path, faults: FaultCollector) -> Weather | None:
    """Read the table; None where it has faults that leave nothing to return."""
    rows = _read_rows(path, faults)
    if rows is None:
        return None
    entries: dict[int, WeatherHour] = {}
    constants: dict[str, list[float]] = {"ref_elevation_m": [], "wind_gain_per_km": []}
    for number, row in rows:
        values = _parse_row(row, number, path.name, faults)
        if values is None:
            continue
        hour = int(values["hour"] or 0)
        if hour in entries:
            faults.add(
                Fault(
                    "DUPLICATE_HOUR",
                    path.name,
                    "The hour is given twice",
                    "Give each hour once.",
                    number,
                    "hour",
                    str(hour),
                )
            )
            continue
        entries[hour] = _weather_hour(hour, values)
        for name, given in constants.items():
            given.append(float(values[name] or 0.0))
            if given[-1] != given[0]:
                faults.add(_mixed(path.name, number, name, given))
    if not entries:
        faults.add(Fault("EMPTY_TABLE", path.name, "The table has no usable hour", "Give the hours of the day."))
        return None
    missing = [hour for hour in range(max(entries)) if hour not in entries]
    if missing:
        faults.add(
            Fault(
                "HOUR_MISSING",
                path.name,
                f"Hours are missing: {', '.join(map(str, missing))}",
                "Give every hour from 0 to the last; after the last hour its weather holds on.",
                field="hour",
            )
        )
        return None
    ref_elevation_m, wind_gain_per_km = (given[0] for given in constants.values())
    return Weather(tuple(entries[hour] for hour in sorted(entries)), ref_elevation_m, wind_gain_per_km)


def _mixed(file: str, row: int, name: str, given: list[float]) -> Fault:
    """Return the fault of a value that ought to be the same in all rows."""
    remedy = f"Give {given[0]:g} in all rows."
    return Fault(
        "MIXED_REFERENCE", file, "The value differs from that of the first row", remedy, row, name, f"{given[-1]:g}"
    )


def _weather_hour(hour: int, values: Mapping[str, float | None]) -> WeatherHour:
    """Build one hour from checked values."""
    return WeatherHour(
        hour=hour,
        temp_c=float(values["temp_c"] or 0.0),
        wind_m_s=float(values["wind_m_s"] or 0.0),
        wind_from_deg=float(values["wind_from_deg"] or 0.0) % 360.0,
        gust_m_s=values["gust_m_s"],
        visibility_m=float(values["visibility_m"] or 0.0),
        rain_mm_h=float(values["rain_mm_h"] or 0.0),
    )


def _read_rows(path: Path, faults: FaultCollector) -> list[tuple[int, dict[str, str]]] | None:
    """Return (row number, cells by column); None where the file or its header cannot be used."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        faults.add(Fault("MISSING_FILE", path.name, "The weather table does not exist", "Give an existing CSV file."))
        return None
    except (OSError, UnicodeDecodeError) as error:
        code = "WRONG_ENCODING" if isinstance(error, UnicodeDecodeError) else "BROKEN_FILE"
        faults.add(Fault(code, path.name, f"Cannot be read: {error}", "Give a CSV file in UTF-8."))
        return None
    reader = csv.reader(text.splitlines())
    header = [name.strip() for name in next(reader, [])]
    if not _check_header(header, path.name, faults):
        return None
    rows = []
    for number, cells in enumerate(reader, start=2):
        if any(cell.strip() for cell in cells):
            padded = [*cells, *[""] * (len(header) - len(cells))]
            rows.append((number, {name: cell.strip() for name, cell in zip(header, padded, strict=False)}))
    return rows


def _check_header(header: Iterable[str], file: str, faults: FaultCollector) -> bool:
    """Fault unknown and missing columns; return whether rows can be read."""
    known = [column.name for column in WEATHER_COLUMNS]
    header = list(header)
    for name in header:
        if name not in known:
            near = nearest_name(name, known)
            remedy = f"Did you mean {near}?" if near else f"Known columns: {', '.join(known)}."
            faults.add(Fault("UNKNOWN_COLUMN", file, "Unknown column", remedy, 1, name, name))
    absent = [column.name for column in WEATHER_COLUMNS if column.required and column.name not in header]
    for name in absent:
        faults.add(Fault("MISSING_COLUMN", file, "A required column is missing", f"Add the column {name}.", 1, name))
    return not absent


def _parse_row(
    row: Mapping[str, str], number: int, file: str, faults: FaultCollector
) -> dict[str, float | None] | None:
    """Return the values of one row, or None with faults."""
    values: dict[str, float | None] = {}
    sound = True
    for column in WEATHER_COLUMNS:
        text = row.get(column.name, "")
        if not text and not column.required:
            values[column.name] = column.default
            continue
        value = _number(text)
        whole = column.name != "hour" or (value is not None and value == int(value))
        if value is None or not column.low <= value <= column.high or not whole:
            sound = False
            faults.add(
                Fault(
                    "BAD_VALUE" if text else "MISSING_VALUE",
                    file,
                    "Not a number that is possible here" if text else "A value is missing",
                    f"Give a number from {column.low:g} to {column.high:g} ({column.unit}).",
                    number,
                    column.name,
                    text or None,
                )
            )
        values[column.name] = value
    return values if sound else None


def _number(text: str) -> float | None:
    """Return a finite number or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
