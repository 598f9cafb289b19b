"""The scenario folder: every table of the day read, every fault of every file reported at once."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from geodata.drones import load_drone_types
from geodata.errors import Fault, FaultCollector, InputError, nearest_name
from geodata.location import Site
from geodata.profiles import load_profiles
from routing.coordinates import read_extent
from routing.fault_codes import FaultCode
from routing.fleet import Fleet, Stand, load_presets, read_fleet
from routing.model.carrier import DroneService, VehicleType
from routing.model.order import Order, RejectedRow
from routing.model.problem import CostRates
from routing.model.product import Products
from routing.objective import ENDS, Preferences
from routing.order_import import ORDER_RECORD, Known, OrderBook, read_orders
from routing.products import load_products, read_products
from routing.records import Field, RecordType, Where, did_you_mean, read_record
from routing.sites import SITE_RECORD, SiteBook, read_sites
from routing.tables import read_table
from routing.text_files import read_toml

__all__ = [
    "CONFIG_FILE",
    "NamedFiles",
    "Scenario",
    "ScenarioFiles",
    "ScenarioReading",
    "SolverLimits",
    "Stand",
    "look_through",
    "read_scenario",
]

CONFIG_FILE: Final = "scenario.toml"
DIESEL_WH_PER_L: Final = 10_000.0
"""Energy of a litre of diesel as the plan's rules count it."""

SCENARIO_RECORD: Final = RecordType(
    "scenario",
    "scenario.toml",
    (
        Field("name", "text", "name of the scenario; also the default output folder", True),
        Field("service_date", "date", "the day to be planned", True),
        Field("timezone", "text", "IANA time zone", default="Asia/Shanghai"),
        Field("currency", "text", "ISO 4217 code; all money is in its minor units", default="CNY"),
        Field(
            "synthetic", "texts", "parts that are made up: streets, terrain, timetable, sites, orders, ...", default=()
        ),
        Field("credits", "texts", "credits of the data used, shown on the map", default=()),
        Field("files", "table", "names of the other files", True),
        Field("costs", "table", "cost rates"),
        Field("solver", "table", "limits of the search"),
        Field("objective", "table", "what counts beside money"),
    ),
)
FILES_RECORD: Final = RecordType(
    "files",
    "names of files, relative to the folder: `[files]`",
    (
        Field("streets", "text", "OpenStreetMap extract, .osm.pbf or .osm", True),
        Field("terrain", "texts", "elevation tiles: .hgt, .hgt.zip, .tif", default=()),
        Field("timetable", "text", "GTFS feed with cargo_trips.txt and cargo_stops.txt, zip or folder"),
        Field("timetable_updates", "text", "GTFS-Realtime TripUpdates for the timetable, protocol buffer"),
        Field("sites", "text", "sites, .csv or .geojson", True),
        Field("fleet", "text", "fleet, .toml", True),
        Field("products", "text", "product classes beside the shipped ones, .toml"),
        Field("orders", "text", "orders, .csv, .xlsx or .json", True),
        Field("airspace", "text", "airspace zones, .geojson"),
        Field("closures", "text", "closed roads, .geojson"),
        Field("weather", "text", "hourly weather, .csv"),
        Field("profiles", "text", "travel profiles beside the shipped ones, .toml"),
    ),
)
COSTS_RECORD: Final = RecordType(
    "costs",
    "cost rates: `[costs]`",
    (
        # Domain notes 2d: electricity 0.6-1.0 CNY/kWh, diesel 7.5 CNY/L [BK/A]; handling of a piece [A].
        Field("electricity_per_kwh", "number", "price of electricity", default=80.0, low=0, unit="minor units"),
        Field("diesel_per_l", "number", "price of diesel", default=750.0, low=0, unit="minor units"),
        Field("handling_per_piece", "number", "cost of changing carrier", default=20.0, low=0, unit="minor units"),
        Field(
            "unit_s",
            "number",
            "time to load or unload a piece at hub, town or in transfer",
            default=4.0,
            low=0,
            high=3_600,
            unit="seconds",
        ),
    ),
)
SOLVER_RECORD: Final = RecordType(
    "solver",
    "limits of the search, where the command line states none: `[solver]`",
    (
        Field("time_limit_s", "number", "time for the search", default=60.0, low=0, high=604_800, unit="seconds"),
        Field("max_iterations", "integer", "iterations of the search; absent: not bounded", low=0),
        Field("seed", "integer", "seed of the search", default=1, low=0, high=2_147_483_647),
    ),
)
OBJECTIVE_RECORD: Final = RecordType(
    "objective",
    "what counts beside money: `[objective]`",
    (
        Field("first", "texts", f"ends that come before money: {', '.join(ENDS)}", default=()),
        Field("co2_per_kg", "number", "price of a kilogram of CO2", default=0.0, low=0, unit="minor units"),
        Field("cold_loss", "number", "factor on the value of cold goods that spoil", default=1.0, low=0),
    ),
)


@dataclass(frozen=True)
class ScenarioFiles:
    """Paths of the files of a scenario; None where it has no such file."""

    streets: Path
    sites: Path
    fleet: Path
    orders: Path
    terrain: tuple[Path, ...] = ()
    timetable: Path | None = None
    timetable_updates: Path | None = None
    products: Path | None = None
    airspace: Path | None = None
    closures: Path | None = None
    weather: Path | None = None
    profiles: Path | None = None


@dataclass(frozen=True, slots=True)
class SolverLimits:
    """What ``scenario.toml`` says about the effort of the search; the command line goes before it."""

    time_limit_s: float = 60.0
    max_iterations: int | None = None
    seed: int = 1


@dataclass(frozen=True)
class Scenario:
    """One day's inputs as read from a scenario folder; maps and timetables are only named, not read.

    Parameters
    ----------
    synthetic
        Names of the parts that are made up.
    orders
        Accepted orders; the destination of a coordinate drop is the place ``drop:<order id>``.
    drops
        Coordinates (lon, lat) of those places by place id.
    rejected
        Faulty order rows, when the reader was told to set them aside.
    files
        Paths of every file named.
    digest
        SHA-256 over ``scenario.toml`` and the content of every file it names, hexadecimal.
    """

    folder: Path
    name: str
    service_date: date
    timezone: str
    currency: str
    synthetic: tuple[str, ...]
    credits: tuple[str, ...]
    sites: tuple[Site, ...]
    orders: tuple[Order, ...]
    drops: Mapping[str, tuple[float, float]]
    rejected: tuple[RejectedRow, ...]
    vehicle_types: Mapping[str, VehicleType]
    drone_services: Mapping[str, DroneService]
    stands: tuple[Stand, ...]
    products: Products
    rates: CostRates
    limits: SolverLimits
    preferences: Preferences
    files: ScenarioFiles
    digest: str


def read_scenario(folder: Path, *, reject_bad_rows: bool = False) -> Scenario:
    """Read a scenario folder.

    Parameters
    ----------
    folder
        Folder with ``scenario.toml``.
    reject_bad_rows
        Set faulty order rows aside in `Scenario.rejected` instead of refusing the scenario. Faults of any other kind,
        such as a missing column or a faulty site, always refuse it.

    Raises
    ------
    InputError
        With every fault of every file.
    """
    collector = FaultCollector()
    reading = look_through(folder, collector, reject_bad_rows=reject_bad_rows)
    collector.raise_if_any()
    assert reading.scenario is not None  # what makes it None is a fault
    return reading.scenario


@dataclass(frozen=True)
class ScenarioReading:
    """What could be read of a scenario folder, however faulty.

    Parameters
    ----------
    scenario
        None if there is any fault.
    files
        Files of the area by name; None where none is named or its name is faulty.
    service_date
        None where it is faulty.
    sites, orders
        Rows of the two tables that could be read.
    sites_file, orders_file
        Their names as faults show them.
    """

    scenario: Scenario | None
    files: NamedFiles
    service_date: date | None
    sites: SiteBook
    orders: OrderBook
    sites_file: str
    orders_file: str


@dataclass(frozen=True)
class NamedFiles:
    """The files of the area that are named and there."""

    streets: Path | None = None
    terrain: tuple[Path, ...] = ()
    timetable: Path | None = None
    timetable_updates: Path | None = None
    airspace: Path | None = None
    closures: Path | None = None
    weather: Path | None = None
    profiles: Path | None = None


def look_through(folder: Path, collector: FaultCollector, *, reject_bad_rows: bool = False) -> ScenarioReading:
    """Read every table of a scenario folder as far as it goes; every fault goes to the collector.

    Raises
    ------
    InputError
        If there is no ``scenario.toml`` that could be read: without it nothing else is known.
    """
    config = _read_config(folder, collector)
    products = _read_products(config, collector)
    sites = _read_sites(config, collector)
    book = _read_orders(config, sites, products, collector)
    fleet = _read_fleet(config, sites, collector)
    if not reject_bad_rows or collector.faults:
        for fault in (fault for row in book.rejected for fault in row.faults):
            collector.add(fault)
    return ScenarioReading(
        scenario=None if collector.faults else _scenario(config, products, sites, book, fleet),
        files=_named_files(config),
        service_date=config.head.get("service_date"),
        sites=sites,
        orders=book,
        sites_file=str(config.names.get("sites", "")),
        orders_file=str(config.names.get("orders", "")),
    )


def _scenario(config: _Config, products: Products, sites: SiteBook, book: OrderBook, fleet: Fleet) -> Scenario:
    """Return the scenario of parts that are free of faults."""
    return Scenario(
        folder=config.folder,
        **config.head,
        sites=sites.sites,
        orders=book.orders,
        drops=book.drops,
        rejected=book.rejected,
        vehicle_types=fleet.vehicle_types,
        drone_services=fleet.drone_services,
        stands=fleet.stands,
        products=products,
        rates=_rates(config.costs),
        limits=SolverLimits(**config.solver),
        preferences=Preferences(**config.objective),
        files=ScenarioFiles(**_paths(config)),
        digest=scenario_digest(config.folder, config.names),
    )


Names = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class _Config:
    """What could be read of ``scenario.toml``.

    Parameters
    ----------
    head, costs, solver, objective
        Values by key; faulty ones are absent.
    names
        Usable file names as given, by key.
    """

    folder: Path
    head: Mapping[str, Any]
    names: Names
    costs: Mapping[str, Any]
    solver: Mapping[str, Any]
    objective: Mapping[str, Any]

    def file(self, key: str) -> tuple[Path, str] | None:
        """Return path and name of a file; None where there is none or its name is faulty."""
        name = self.names.get(key)
        return (self.folder / name, name) if isinstance(name, str) else None

    def calls_synthetic(self, part: str) -> bool:
        """Return True when the scenario says that all of a part is made up."""
        return part in self.head.get("synthetic", ())


def _read_config(folder: Path, collector: FaultCollector) -> _Config:
    document = read_toml(folder / CONFIG_FILE, CONFIG_FILE, collector)
    if document is None:
        raise InputError(collector.faults)  # without it nothing else is known
    where = Where(CONFIG_FILE)
    head, faults = read_record(SCENARIO_RECORD, document, where)
    parts: dict[str, dict[str, Any]] = {}
    for record in (FILES_RECORD, COSTS_RECORD, SOLVER_RECORD, OBJECTIVE_RECORD):
        values = document.get(record.name, {})
        if not isinstance(values, dict):
            reason, remedy = f"'{record.name}' is not a table", f"Write it as [{record.name}]."
            faults.append(where.fault(FaultCode.WRONG_TYPE, record.name, values, reason, remedy))
            values = {}
        parts[record.name], more = read_record(record, values, Where(CONFIG_FILE, prefix=f"{record.name}."))
        faults += more
    faults += _check_head(head, where) + _check_ends(parts["objective"])
    usable, more = _check_files(folder, {key: name for key, name in parts["files"].items() if name})
    for fault in (*faults, *more):
        collector.add(fault)
    return _Config(folder, head, usable, parts["costs"], parts["solver"], parts["objective"])


def _check_head(head: Mapping[str, Any], where: Where) -> list[Fault]:
    faults = []
    name, timezone, currency = head.get("name"), head.get("timezone"), head.get("currency")
    if name is not None and (name in {".", ".."} or set(name) & set('/\\:*?"<>|')):
        reason, remedy = "the name cannot be the name of a folder", 'Leave out / \\ : * ? " < > |.'
        faults.append(where.fault(FaultCode.BAD_NAME, "name", name, reason, remedy))
    if timezone is not None and not _is_timezone(timezone):
        remedy = did_you_mean(timezone, sorted(zoneinfo.available_timezones()), "IANA time zones")
        reason = "there is no such time zone"
        faults.append(where.fault(FaultCode.UNKNOWN_TIMEZONE, "timezone", timezone, reason, remedy))
    if currency is not None and not re.fullmatch(r"[A-Z]{3}", currency):
        reason, remedy = "the currency is no ISO 4217 code", "Give three capital letters, for example CNY or EUR."
        faults.append(where.fault(FaultCode.BAD_NAME, "currency", currency, reason, remedy))
    return faults


def _check_ends(objective: Mapping[str, Any]) -> list[Fault]:
    """Return a fault for each end named that is none, or is named twice."""
    where, faults = Where(CONFIG_FILE, prefix="objective."), []
    named = objective.get("first", ())
    for k, end in enumerate(named):
        if end not in ENDS:
            reason, remedy = "no such end", did_you_mean(end, ENDS, "ends")
            faults.append(where.fault(FaultCode.UNKNOWN_CHOICE, "first", end, reason, remedy))
        elif end in named[:k]:
            faults.append(where.fault(FaultCode.DUPLICATE_ID, "first", end, "named twice", "Name each end once."))
    return faults


def _is_timezone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _check_files(folder: Path, names: Names) -> tuple[Names, list[Fault]]:
    """Return the names that can be used, and a fault for each that cannot."""
    where = Where(CONFIG_FILE, prefix="files.")
    faults = []
    for key, name in _each_name(names):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            reason = "the file lies outside the scenario folder"
            remedy = "Put it into the folder and give its name relative to it."
            faults.append((key, where.fault(FaultCode.OUTSIDE_SCENARIO, key, name, reason, remedy)))
        elif urlsplit(name).scheme in {"http", "https"}:
            reason = "an address, not a file: a plan could not be checked against what it was made with"
            remedy = "Save it into the folder; `shanlu realtime` does so for updates of the timetable."
            faults.append((key, where.fault(FaultCode.OUTSIDE_SCENARIO, key, name, reason, remedy)))
        elif not (folder / name).exists():
            present = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            near = nearest_name(name, present)
            remedy = f"Did you mean '{near}'?" if near else "Put the file there, or mend its name."
            reason = "there is no such file in the scenario folder"
            faults.append((key, where.fault(FaultCode.MISSING_FILE, key, name, reason, remedy)))
    faulty = {key for key, _ in faults}
    return {key: name for key, name in names.items() if key not in faulty}, [fault for _, fault in faults]


def _each_name(names: Names) -> list[tuple[str, str]]:
    """Return key and name of every single file."""
    return [(key, name) for key, value in names.items() for name in ((value,) if isinstance(value, str) else value)]


def _paths(config: _Config) -> dict[str, Any]:
    return {
        key: config.folder / value if isinstance(value, str) else tuple(config.folder / name for name in value)
        for key, value in config.names.items()
    }


def _named_files(config: _Config) -> NamedFiles:
    wanted = {field.name for field in dataclasses.fields(NamedFiles)}
    return NamedFiles(**{key: path for key, path in _paths(config).items() if key in wanted})


def _rates(costs: Mapping[str, float]) -> CostRates:
    return CostRates(
        electricity_per_kwh=costs["electricity_per_kwh"],
        diesel_per_kwh=costs["diesel_per_l"] * 1000.0 / DIESEL_WH_PER_L,
        handling_per_piece=costs["handling_per_piece"],
        unit_s=costs["unit_s"],
    )


def _read_products(config: _Config, collector: FaultCollector) -> Products:
    file = config.file("products")
    return load_products() if file is None else read_products(*file, collector)


def _read_sites(config: _Config, collector: FaultCollector) -> SiteBook:
    file, streets = config.file("sites"), config.file("streets")
    table = None if file is None else read_table(*file, SITE_RECORD, collector)
    if table is None:
        return SiteBook()
    extent = None if streets is None else read_extent(streets[0])
    return read_sites(table, extent, collector, synthetic=config.calls_synthetic("sites"))


def _read_orders(config: _Config, sites: SiteBook, products: Products, collector: FaultCollector) -> OrderBook:
    file = config.file("orders")
    table = None if file is None else read_table(*file, ORDER_RECORD, collector)
    if table is None:
        return OrderBook()
    known = Known(sites.ids, tuple(products.classes), sites.extent)
    return read_orders(table, known, synthetic=config.calls_synthetic("orders"))


def _read_fleet(config: _Config, sites: SiteBook, collector: FaultCollector) -> Fleet:
    extra, file = config.file("profiles"), config.file("fleet")
    try:
        profiles = load_profiles(None if extra is None else extra[0])
    except InputError as error:
        for fault in error.faults:
            collector.add(fault)
        profiles = load_profiles()
    if file is None:
        return Fleet()
    sources = {profile_id: profile.energy_source for profile_id, profile in profiles.items()}
    return read_fleet(*file, load_presets(load_drone_types()), sources, sites, collector)


def scenario_digest(folder: Path, names: Names) -> str:
    """Return the SHA-256 over ``scenario.toml`` and every file it names, by name and content, in order of name."""
    paths = {CONFIG_FILE: folder / CONFIG_FILE}
    for _, name in _each_name(names):
        path = folder / name
        found = [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
        paths |= {file.relative_to(folder).as_posix(): file for file in found}
    whole = hashlib.sha256()
    for name in sorted(paths):
        with paths[name].open("rb") as file:
            whole.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
