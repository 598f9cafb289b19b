"""Who lives where, and where points could be: demand and candidates of a siting study, from files or a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from geodata.errors import Fault, FaultCollector, InputError, nearest_name
from geodata.location import Level, Site
from geodata.osm_features import read_osm_features
from geodata.timetable import Timetable
from routing.coordinates import Extent, check_coordinates, middle_extent
from routing.fault_codes import FaultCode
from routing.records import Field, RecordType, Where, read_record
from routing.tables import Table, read_table
from routing.text_files import read_toml

ELDERLY_SHARE: Final = 0.2381
"""Rural residents of 60 years and more (domain notes, source S4), where a table does not say."""
PARCELS_PER_PERSON: Final = 0.05
"""Parcels a day per resident where a table gives none [A]: about 18 a year picked up at the point."""
PLACE_PEOPLE: Final[Mapping[str, int]] = {
    "city": 20_000,
    "town": 5_000,
    "village": 800,
    "hamlet": 60,
    "isolated_dwelling": 4,
    "farm": 5,
}
"""People of an OSM place without a population tag, by its kind [A]."""

CENSUS_RECORD: Final = RecordType(
    "census",
    "settlements and their people, one a row",
    (
        Field("id", "text", "unique id; absent: made from the row number"),
        Field("name", "text", "name shown to people", True),
        Field("lon", "coordinate", "longitude, EPSG:4326", True, low=-180, high=180, unit="degrees"),
        Field("lat", "coordinate", "latitude, EPSG:4326", True, low=-90, high=90, unit="degrees"),
        Field("people", "number", "residents", True, low=0),
        Field("parcels", "number", "parcels on a usual day; absent: by residents", low=0),
        Field("elderly", "number", "residents of 60 years and more; absent: the rural share", low=0),
    ),
)
POINTS_RECORD: Final = RecordType(
    "points",
    "places where a pickup point is or could be, one a row",
    (
        Field("id", "text", "unique id", True),
        Field("name", "text", "name shown to people", True),
        Field("lon", "coordinate", "longitude, EPSG:4326", True, low=-180, high=180, unit="degrees"),
        Field("lat", "coordinate", "latitude, EPSG:4326", True, low=-90, high=90, unit="degrees"),
        Field("existing", "flag", "true for a point that is there already", default=False),
        Field("kinds", "texts", "kinds it may open as; absent: those of the study", default=()),
        Field("opening_cost", "number", "own opening cost of a plain point", low=0, unit="minor units"),
        Field("capacity", "number", "own capacity of a plain point, parcels a day", low=0),
    ),
)
KIND_RECORD: Final = RecordType(
    "kinds",
    "kinds of pickup point, one table each",
    (
        Field("name", "text", "name shown to people", True),
        Field("opening_cost", "number", "to buy and set up", True, low=0, unit="minor units"),
        Field("capacity", "number", "parcels a day", True, low=0, above_low=True),
    ),
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where people live; `parcels` a day, `elderly` of the `people` are 60 or more."""

    id: str
    name: str
    lon: float
    lat: float
    people: float
    parcels: float
    elderly: float


@dataclass(frozen=True, slots=True)
class PointKind:
    """One way of opening a point; `opening_cost` in minor units, `capacity` in parcels a day (inf: none stated)."""

    id: str
    name: str
    opening_cost: float
    capacity: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a point is (`existing`) or could be, and the kinds it may open as; an existing one has one kind."""

    id: str
    name: str
    lon: float
    lat: float
    kinds: tuple[PointKind, ...]
    existing: bool = False
    bus_lines: tuple[str, ...] = ()
    """Bus lines that call there, by id, where the place is a bus stop."""


def load_kinds(path: Path | None = None) -> dict[str, PointKind]:
    """Return the kinds of point by id: the shipped ones, or those of a TOML file.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    collector = FaultCollector()
    shipped = Path(str(files("routing.siting") / "data" / "kinds.toml"))
    source = shipped if path is None else path
    document = read_toml(source, source.name, collector) or {}
    found = {}
    for kind_id, values in document.items():
        table = values if isinstance(values, dict) else {}
        record, faults = read_record(KIND_RECORD, table, Where(source.name, prefix=f"{kind_id}."))
        for fault in faults:
            collector.add(fault)
        if not faults:
            found[kind_id] = PointKind(kind_id, record["name"], record["opening_cost"], record["capacity"])
    collector.raise_if_any()
    return found


def choose_kinds(known: Mapping[str, PointKind], names: Sequence[str]) -> tuple[PointKind, ...]:
    """Return the kinds named, the first known one where none is named.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    collector = FaultCollector()
    for name in names:
        if name not in known:
            near = nearest_name(name, known)
            remedy = f"Use one of {', '.join(known)}" + (f"; did you mean {near}?" if near else "")
            reason = "there is no such kind of point"
            collector.add(Fault("UNKNOWN_CHOICE", "command line", reason, remedy, field="--kind", value=name))
    collector.raise_if_any()
    return tuple(known[name] for name in names) or tuple(list(known.values())[:1])


# --- Demand --------------------------------------------------------------------------------------------------------


def settlements_of_sites(sites: Iterable[Site]) -> tuple[Settlement, ...]:
    """Return the villages and groups of a scenario that have residents or parcels."""
    return tuple(
        _settlement(site.id, site.name, site.lon, site.lat, site.population, site.parcels_per_day or None, None)
        for site in sites
        if site.level in (Level.VILLAGE, Level.GROUP) and (site.population or site.parcels_per_day)
    )


def settlements_of_osm(streets: Path) -> tuple[Settlement, ...]:
    """Return the settlements of an OSM extract; where no population is tagged it is assumed by kind of place."""
    return tuple(
        _settlement(
            place.osm_id,
            place.name or place.osm_id,
            place.lon,
            place.lat,
            PLACE_PEOPLE.get(place.kind, 60) if place.population is None else place.population,
            None,
            None,
        )
        for place in read_osm_features(streets).places
    )


def read_census(path: Path, extent: Extent | None = None) -> tuple[Settlement, ...]:
    """Read settlements from a table (CSV, XLSX, JSON, GeoJSON).

    Raises
    ------
    InputError
        With every fault of the table.
    """
    rows = _read_points(path, CENSUS_RECORD, extent)
    collector = FaultCollector()
    for number, values in rows:
        if values.get("elderly") is not None and values["elderly"] > values["people"]:
            reason, remedy = (
                "more elderly than residents",
                "Give the elderly among the residents, as a number of people.",
            )
            where = Where(path.name, number)
            collector.add(where.fault(FaultCode.OUT_OF_RANGE, "elderly", values["elderly"], reason, remedy))
    if not rows:
        reason, remedy = "the table holds no settlement", "Give at least one row."
        collector.add(Where(path.name).fault(FaultCode.NO_PLACES, None, None, reason, remedy))
    collector.raise_if_any()
    return tuple(
        _settlement(
            values.get("id") or f"row{number}",
            values["name"],
            values["lon"],
            values["lat"],
            values["people"],
            values.get("parcels"),
            values.get("elderly"),
        )
        for number, values in rows
    )


def _settlement(
    settlement_id: str, name: str, lon: float, lat: float, people: float, parcels: float | None, elderly: float | None
) -> Settlement:
    return Settlement(
        id=settlement_id,
        name=name,
        lon=lon,
        lat=lat,
        people=float(people),
        parcels=float(people) * PARCELS_PER_PERSON if parcels is None else float(parcels),
        elderly=float(people) * ELDERLY_SHARE if elderly is None else float(elderly),
    )


# --- Candidates ----------------------------------------------------------------------------------------------------


def candidates_of_sites(sites: Sequence[Site], kinds: tuple[PointKind, ...]) -> tuple[Candidate, ...]:
    """Return points of a scenario's sites.

    Sites of kind ``candidate`` are the candidates, then towns and villages that exist are existing points. A scenario
    without such sites plans from the start: its towns are existing points, its villages candidates.
    """
    planned = any(site.kind == "candidate" for site in sites)
    found = []
    for site in sites:
        if site.kind == "candidate":
            found.append(_candidate(site, _own_kinds(site, kinds)))
        elif site.level is Level.TOWN or (planned and site.level is Level.VILLAGE):
            there = PointKind("existing", "Existing point", 0.0, site.capacity_per_day or float("inf"))
            found.append(_candidate(site, (there,), existing=True))
        elif site.level is Level.VILLAGE:
            found.append(_candidate(site, kinds))
    return tuple(found)


def _own_kinds(site: Site, kinds: tuple[PointKind, ...]) -> tuple[PointKind, ...]:
    if not site.opening_cost and not site.capacity_per_day:
        return kinds
    capacity = site.capacity_per_day or float("inf")
    return (PointKind("site", "Point as in the sites table", site.opening_cost, capacity),)


def _candidate(site: Site, kinds: tuple[PointKind, ...], *, existing: bool = False) -> Candidate:
    return Candidate(site.id, site.name, site.lon, site.lat, kinds, existing)


def candidates_of_bus_stops(timetable: Timetable | None, kinds: tuple[PointKind, ...]) -> tuple[Candidate, ...]:
    """Return the stops some trip of the service date calls at, one a name and place, with their lines."""
    if timetable is None:
        return ()
    lines: dict[str, dict[str, None]] = {}
    for trip in timetable.trips:
        for call in trip.calls:
            lines.setdefault(call.stop_id, {}).setdefault(trip.line_id)
    found: dict[tuple[str, float, float], Candidate] = {}
    for stop_id, calling in sorted(lines.items()):
        stop = timetable.stops[stop_id]
        key = (stop.name, round(stop.lon, 3), round(stop.lat, 3))
        if key not in found:
            found[key] = Candidate(
                f"stop:{stop_id}", stop.name, stop.lon, stop.lat, kinds, bus_lines=tuple(sorted(calling))
            )
    return tuple(found.values())


def read_points(
    path: Path, kinds: Mapping[str, PointKind], usual: tuple[PointKind, ...], extent: Extent | None = None
) -> tuple[Candidate, ...]:
    """Read candidates and existing points from a table (CSV, XLSX, JSON, GeoJSON).

    Parameters
    ----------
    kinds, usual
        All kinds by id, and those a candidate may open as when its row names none.

    Raises
    ------
    InputError
        With every fault of the table.
    """
    rows = _read_points(path, POINTS_RECORD, extent)
    collector = FaultCollector()
    found = []
    for number, values in rows:
        for name in values["kinds"]:
            if name not in kinds:
                near = nearest_name(name, kinds)
                remedy = f"Use one of {', '.join(kinds)}" + (f"; did you mean {near}?" if near else "")
                where = Where(path.name, number)
                collector.add(where.fault(FaultCode.UNKNOWN_CHOICE, "kinds", name, "there is no such kind", remedy))
        found.append(_candidate_of_row(values, kinds, usual))
    collector.raise_if_any()
    return tuple(found)


def _candidate_of_row(
    values: Mapping[str, Any], kinds: Mapping[str, PointKind], usual: tuple[PointKind, ...]
) -> Candidate:
    cost, capacity = values.get("opening_cost"), values.get("capacity")
    own = tuple(kinds[name] for name in values["kinds"] if name in kinds) or usual
    if values["existing"]:
        own = (PointKind("existing", "Existing point", 0.0, capacity or float("inf")),)
    elif cost is not None or capacity is not None:
        own = (PointKind("own", "Point as in the table", cost or 0.0, capacity or float("inf")),)
    return Candidate(values["id"], values["name"], values["lon"], values["lat"], own, values["existing"])


def _read_points(path: Path, record: RecordType, extent: Extent | None) -> list[tuple[int, dict[str, Any]]]:
    """Return row number and values of every row; raises InputError with every fault."""
    collector = FaultCollector()
    table = read_table(path, path.name, record, collector)
    rows = [] if table is None else _checked_rows(table, record, extent, collector)
    collector.raise_if_any()
    return rows


def _checked_rows(
    table: Table, record: RecordType, extent: Extent | None, collector: FaultCollector
) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    first_row: dict[str, int] = {}
    for row in table.rows:
        where = Where(table.file, row.number)
        values, faults = read_record(record, row.values, where, check_names=False, skip=table.absent)
        row_id = values.get("id")
        if row_id is not None and first_row.setdefault(row_id, row.number) != row.number:
            reason = f"the id is already used in row {first_row[row_id]}"
            faults.append(where.fault(FaultCode.DUPLICATE_ID, "id", row_id, reason, "Give each row an id of its own."))
        for fault in (*row.faults, *faults):
            collector.add(fault)
        found.append((row.number, values))
    extent = extent or middle_extent([(values.get("lon"), values.get("lat")) for _, values in found])
    for number, values in found:
        for fault in check_coordinates(values, "lon", "lat", extent, Where(table.file, number)):
            collector.add(fault)
    return found


def no_demand() -> InputError:
    """Return the error of a study without anyone to serve."""
    reason = "nobody to serve: the sites have no population or parcels_per_day"
    remedy = "Fill those columns, or give --demand places or --demand CENSUS.csv"
    return InputError([Fault(FaultCode.NO_PLACES, "sites", reason, remedy)])
