"""Writing the tables of a scenario in the formats of the docs; the same values give the same bytes."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from geodata.airspace import Airspace, write_airspace
from geodata.location import Site
from geodata.weather import Weather
from routing.generation.fleet import FleetPlan
from routing.model.order import Order

DEFAULT_COSTS: Mapping[str, float] = {
    "electricity_per_kwh": 80.0,
    "diesel_per_l": 750.0,
    "handling_per_piece": 10.0,
    "unit_s": 4.0,
}
"""Cost rates of a generated scenario in fen: CNY 0.8/kWh, CNY 7.5/L (domain notes 2d), CNY 0.1 a piece and transfer
(assumed); `unit_s` seconds to load or unload a piece (domain notes 2b)."""


ORDER_COLUMNS = ("id", "from_site", "to_site", "weight_kg", "volume_l")
"""Required columns of ``orders.csv``."""


@dataclass(frozen=True)
class ScenarioConfig:
    """What ``scenario.toml`` says about a scenario.

    Parameters
    ----------
    synthetic
        Names of the parts that are made up: ``streets``, ``terrain``, ``timetable``, ``sites``, ``orders``, …
    credits
        Credits of the data used, shown on the map.
    streets, terrain, timetable
        Names of the files beside ``scenario.toml``, relative to it.
    notes
        Lines written as comments at the head of the file.
    """

    name: str
    service_date: date
    streets: str
    terrain: tuple[str, ...] = ()
    timetable: str | None = None
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    synthetic: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    costs: Mapping[str, float] = field(default_factory=lambda: DEFAULT_COSTS)
    notes: tuple[str, ...] = ()


def write_scenario(
    out: Path,
    *,
    config: ScenarioConfig,
    sites: Sequence[Site],
    orders: Sequence[Order],
    fleet: FleetPlan,
    weather: Weather | None = None,
    airspace: Airspace | None = None,
    closures: Sequence[Mapping[str, object]] | None = None,
    products: str | None = None,
) -> None:
    """Write the tables of a scenario into the existing folder `out`.

    Streets, terrain and timetable are the caller's to put there; `config` names them. Optional parts that are None
    get no file and no entry in ``scenario.toml``.

    Parameters
    ----------
    closures
        GeoJSON features of closed roads.
    products
        Text of a ``products.toml``; None leaves the shipped classes in force.
    """
    files: dict[str, object] = {"streets": config.streets}
    if config.terrain:
        files["terrain"] = list(config.terrain)
    if config.timetable is not None:
        files["timetable"] = config.timetable
    files |= {"sites": "sites.csv", "orders": "orders.csv", "fleet": "fleet.toml"}
    _write(out / "sites.csv", sites_csv(sites))
    _write(out / "orders.csv", orders_csv(orders))
    _write(out / "fleet.toml", fleet_toml(fleet, synthetic="fleet" in config.synthetic))
    if products is not None:
        files["products"] = "products.toml"
        _write(out / "products.toml", products)
    if weather is not None:
        files["weather"] = "weather.csv"
        _write(out / "weather.csv", weather_csv(weather))
    if airspace is not None:
        files["airspace"] = "airspace.geojson"
        write_airspace(airspace, out / "airspace.geojson", synthetic="airspace" in config.synthetic)
    if closures is not None:
        files["closures"] = "closures.geojson"
        _write(out / "closures.geojson", feature_collection(closures))
    _write(out / "scenario.toml", scenario_toml(config, files))


def scenario_toml(config: ScenarioConfig, files: Mapping[str, object]) -> str:
    """Return the text of ``scenario.toml``."""
    lines = [f"# {note}" for note in config.notes]
    lines += _pairs(
        {
            "name": config.name,
            "service_date": config.service_date.isoformat(),
            "timezone": config.timezone,
            "currency": config.currency,
            "synthetic": list(config.synthetic),
            "credits": list(config.credits),
        }
    )
    lines += ["", "[files]", *_pairs(files), "", "[costs]", "# minor units of the currency", *_pairs(config.costs)]
    return "\n".join(lines) + "\n"


def sites_csv(sites: Sequence[Site]) -> str:
    """Return the text of ``sites.csv``: the required columns, and those in which some site differs from the default."""
    rows = [
        {
            column.name: ";".join(site.bus_stop_ids) if column.name == "bus_stop_ids" else getattr(site, column.name)
            for column in dataclasses.fields(Site)
            if column.name != "synthetic"
        }
        | {"lon": f"{site.lon:.7f}", "lat": f"{site.lat:.7f}"}
        for site in sites
    ]
    return _table(rows, _defaults(Site) | {"bus_stop_ids": "", "parent": None}, _required(Site))


def orders_csv(orders: Sequence[Order]) -> str:
    """Return the text of ``orders.csv``: the required columns, and those in which some order differs from the default.

    Raises
    ------
    ValueError
        If an order has several windows; CSV has columns for one.
    """
    return _table([_order_row(order) for order in orders], _defaults(Order), ORDER_COLUMNS)


def _order_row(order: Order) -> dict[str, object]:
    if len(order.windows) > 1:
        msg = f"order {order.id} has {len(order.windows)} windows; a CSV row holds one"
        raise ValueError(msg)
    start_s, end_s = order.windows[0] if order.windows else (None, None)
    row: dict[str, object] = {}
    for column in dataclasses.fields(Order):
        if column.name == "windows":
            row |= {"window_start_s": start_s, "window_end_s": end_s}
        elif column.name != "synthetic":
            name = {"from_id": "from_site", "to_id": "to_site"}.get(column.name, column.name)
            row[name] = getattr(order, column.name)
    return row


def weather_csv(weather: Weather) -> str:
    """Return the text of ``weather.csv``, one row an hour."""
    rows = [
        {
            "hour": hour.hour,
            "temp_c": hour.temp_c,
            "ref_elevation_m": weather.ref_elevation_m,
            "wind_m_s": hour.wind_m_s,
            "wind_from_deg": hour.wind_from_deg,
            "gust_m_s": hour.gust_m_s,
            "visibility_m": hour.visibility_m,
            "rain_mm_h": hour.rain_mm_h,
            "wind_gain_per_km": weather.wind_gain_per_km,
        }
        for hour in weather.hours
    ]
    return _table(rows, {"wind_gain_per_km": 0.0}, ("hour", "temp_c"))


def fleet_toml(fleet: FleetPlan, *, synthetic: bool) -> str:
    """Return the text of ``fleet.toml`` with every field of every type."""
    lines = ["# Types of carriers and how many stand where; money in minor units."]
    if synthetic:
        lines.append("# Synthetic: default types and rates of the docs, counts scaled to the orders of the day.")
    for vehicle in fleet.vehicles:
        lines += ["", "[[vehicle]]", *_pairs(vehicle)]
    for drone in fleet.drones:
        lines += ["", "[[drone]]", *_pairs(drone)]
    for stand in fleet.stands:
        lines += ["", "[[stand]]", *_pairs(dataclasses.asdict(stand))]
    return "\n".join(lines) + "\n"


def feature_collection(features: Iterable[Mapping[str, object]]) -> str:
    """Return the text of a GeoJSON file, one feature a line."""
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return '{"type": "FeatureCollection", "features": [\n' + lines + "\n]}\n"


def _defaults(kind: type[Site | Order]) -> dict[str, object]:
    """Return the default of each column that has one; required columns have none."""
    found = {
        column.name: column.default for column in dataclasses.fields(kind) if column.default is not dataclasses.MISSING
    }
    return found | {"window_start_s": None, "window_end_s": None}


def _required(kind: type[Site | Order]) -> tuple[str, ...]:
    """Return the columns without a default."""
    return tuple(column.name for column in dataclasses.fields(kind) if column.name not in _defaults(kind))


def _table(rows: Sequence[Mapping[str, object]], defaults: Mapping[str, object], required: Sequence[str]) -> str:
    """Return CSV text of the columns without a default, and those in which some row differs from it.

    Without rows there is still the header of the `required` columns.
    """
    names = list(rows[0]) if rows else required
    columns = [name for name in names if name not in defaults or any(row[name] != defaults[name] for row in rows)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for row in rows:
        table.writerow([_cell(row[name]) for name in columns])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _pairs(values: Mapping[str, object]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _toml(value: object) -> str:
    """Return a TOML value of a string, number, boolean, list or (inline) table; None entries of tables are left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items() if item is not None) + " }"
    if isinstance(value, Iterable):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    msg = f"cannot write {type(value).__name__} to TOML"
    raise TypeError(msg)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
