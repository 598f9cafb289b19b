"""The sites table of a scenario: reading it, and checking the four-level network as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from geodata.errors import Fault, FaultCollector
from geodata.location import Level, Site
from routing.coordinates import Extent, check_coordinates, middle_extent
from routing.fault_codes import FaultCode
from routing.records import MAX_TIME_S, Field, RecordType, Row, Where, did_you_mean, read_record
from routing.tables import Table

SITE_RECORD: Final = RecordType(
    "sites",
    "the four-level network, one place a row; `.csv`, `.xlsx`, `.json`, or `.geojson` with points",
    (
        Field("id", "text", "unique id", True),
        Field("name", "text", "name shown to people", True),
        Field("level", "choice", "level in the network", True, choices=tuple(Level)),
        Field("lon", "coordinate", "longitude, EPSG:4326", True, low=-180, high=180, unit="degrees"),
        Field("lat", "coordinate", "latitude, EPSG:4326", True, low=-90, high=90, unit="degrees"),
        Field("parent", "text", "id of the site above it"),
        Field("opens_s", "seconds", "opening time", default=0, low=0, high=MAX_TIME_S),
        Field("closes_s", "seconds", "closing time", default=86_400, low=0, high=MAX_TIME_S),
        Field(
            "handling_s",
            "integer",
            "time goods need between two carriers",
            default=300,
            low=0,
            high=86_400,
            unit="seconds",
        ),
        Field("store_ambient_kg", "number", "room of the ambient store", default=0.0, low=0, unit="kg"),
        Field("store_chilled_kg", "number", "room of the chilled store", default=0.0, low=0, unit="kg"),
        Field("store_frozen_kg", "number", "room of the frozen store", default=0.0, low=0, unit="kg"),
        Field(
            "max_wait_s",
            "integer",
            "longest time goods may be there between two carriers; empty: any",
            low=0,
            high=MAX_TIME_S,
            unit="seconds",
        ),
        Field("drone_pads", "integer", "number of drone pads", default=0, low=0, high=1000),
        Field("bus_stop_ids", "texts", "GTFS stop_ids whose buses hand goods over here", default=()),
        Field("population", "integer", "residents served", default=0, low=0),
        Field("parcels_per_day", "number", "parcels handled on a usual day", default=0.0, low=0),
        Field(
            "kind",
            "choice",
            "whether it exists or might be opened",
            default="existing",
            choices=("existing", "candidate"),
        ),
        Field("opening_cost", "number", "cost of opening a candidate", default=0.0, low=0, unit="minor units"),
        Field("capacity_per_day", "number", "parcels a day it can handle; 0: no limit stated", default=0.0, low=0),
        Field("synthetic", "flag", "true for a made-up site", default=False),
    ),
)


@dataclass(frozen=True)
class SiteBook:
    """The sites of a scenario, every id its table names (also of faulty rows), and where about the area is.

    `rows` are the row numbers of the sites, by id.
    """

    sites: tuple[Site, ...] = ()
    ids: tuple[str, ...] = ()
    extent: Extent | None = None
    rows: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _SiteRow:
    """A row as far as it could be read."""

    number: int
    values: Mapping[str, Any]
    faults: tuple[Fault, ...]

    @property
    def id(self) -> str | None:
        return self.values.get("id")


def read_sites(table: Table, extent: Extent | None, collector: FaultCollector, *, synthetic: bool = False) -> SiteBook:
    """Return the sites of a table; every fault goes to the collector.

    Parameters
    ----------
    table
        Rows of the sites file.
    extent
        Bounds of the map, where known; else the sites' own middle is used to tell swapped coordinates.
    synthetic
        True when the scenario calls all its sites synthetic.
    """
    rows = [_read_row(table, row) for row in table.rows]
    extent = extent or middle_extent([(row.values.get("lon"), row.values.get("lat")) for row in rows])
    by_id: dict[str, _SiteRow] = {}
    for row in rows:
        if row.id is not None:
            by_id.setdefault(row.id, row)
    faults = [list(row.faults) for row in rows]
    cycles = _cycles(by_id)
    for row, found in zip(rows, faults, strict=True):
        where = Where(table.file, row.number)
        found.extend(_check_identity(row, by_id, where))
        found.extend(check_coordinates(row.values, "lon", "lat", extent, where))
        found.extend(_check_hours(row.values, where))
        found.extend(_check_parent(row, by_id, cycles, where))
    for fault in (fault for found in faults for fault in found):
        collector.add(fault)
    sites = tuple(
        Site(**{**row.values, "level": Level(row.values["level"]), "synthetic": synthetic or row.values["synthetic"]})
        for row, found in zip(rows, faults, strict=True)
        if not found and not table.absent
    )
    _check_hub(rows, table.file, collector)
    numbers = {site_id: row.number for site_id, row in by_id.items()}
    return SiteBook(sites, tuple(numbers), extent, numbers)


def _read_row(table: Table, row: Row) -> _SiteRow:
    where = Where(table.file, row.number)
    found, faults = read_record(SITE_RECORD, row.values, where, check_names=False, skip=table.absent)
    return _SiteRow(row.number, found, (*row.faults, *faults))


def _check_identity(row: _SiteRow, by_id: Mapping[str, _SiteRow], where: Where) -> list[Fault]:
    if row.id is None:
        return []
    first = by_id[row.id]
    if first is not row:
        reason = f"the site id is already used in row {first.number}"
        return [where.fault(FaultCode.DUPLICATE_ID, "id", row.id, reason, "Give every site an id of its own.")]
    if row.id.startswith("drop:"):
        reason = "ids that begin with 'drop:' are kept for coordinate drops of orders"
        return [where.fault(FaultCode.RESERVED_ID, "id", row.id, reason, "Choose another id.")]
    return []


def _check_hours(values: Mapping[str, Any], where: Where) -> list[Fault]:
    opens, closes = values.get("opens_s"), values.get("closes_s")
    if opens is None or closes is None or opens < closes:
        return []
    reason = f"the site closes before it opens (opens_s {opens})"
    remedy = "Give closes_s after opens_s; a site open past midnight closes after 24:00, for example at 26:00."
    return [where.fault(FaultCode.WINDOW_ORDER, "closes_s", closes, reason, remedy)]


def _cycles(by_id: Mapping[str, _SiteRow]) -> dict[str, tuple[str, ...]]:
    """Return, for each site whose chain of parents leads back to itself, that chain."""
    found: dict[str, tuple[str, ...]] = {}
    for start in by_id:
        chain: list[str] = []
        at: str | None = start
        while at is not None and at in by_id and at not in chain:
            chain.append(at)
            at = by_id[at].values.get("parent")
        if at == start:
            found[start] = tuple(chain)
    return found


def _check_parent(
    row: _SiteRow,
    by_id: Mapping[str, _SiteRow],
    cycles: Mapping[str, tuple[str, ...]],
    where: Where,
) -> list[Fault]:
    parent = row.values.get("parent")
    if parent is None:
        return []
    if parent not in by_id:
        remedy = did_you_mean(parent, [known for known in by_id if known != row.id], "site ids")
        return [
            where.fault(FaultCode.UNKNOWN_PARENT, "parent", parent, "the parent is not a site of this file", remedy)
        ]
    if row.id is not None and row.id in cycles:
        chain = " → ".join((*cycles[row.id], row.id))
        remedy = "Give a parent of a higher level, or none."
        return [
            where.fault(FaultCode.PARENT_CYCLE, "parent", parent, f"the parents go round in a circle: {chain}", remedy)
        ]
    level, above = row.values.get("level"), by_id[parent].values.get("level")
    if level is None or above is None or Level(above).depth < Level(level).depth:
        return []
    reason = f"a {level} cannot have the {above} '{parent}' above it"
    higher = [name.value for name in Level if name.depth < Level(level).depth]
    remedy = f"Give a site of level {' or '.join(higher)}." if higher else "Leave the parent of a county hub empty."
    return [where.fault(FaultCode.PARENT_LEVEL, "parent", parent, reason, remedy)]


def _check_hub(rows: Sequence[_SiteRow], file: str, collector: FaultCollector) -> None:
    levels = {row.values.get("level") for row in rows}
    if not levels & {Level.COUNTY.value, None}:  # None: a faulty level might be the hub's
        reason = "there is no county hub" if rows else "there are no sites"
        remedy = "Give at least one site the level 'county'."
        collector.add(Where(file).fault(FaultCode.NO_HUB, "level", None, reason, remedy))


def nearest_site(wanted: str, site_ids: Sequence[str]) -> str:
    """Return the remedy for an unknown site id; knows that spreadsheets drop leading zeros of ids."""
    padded = defaultdict(list)
    for site_id in site_ids:
        padded[site_id.lstrip("0")].append(site_id)
    candidates = [site_id for site_id in padded.get(wanted.lstrip("0"), []) if site_id != wanted]
    if wanted.isdigit() and candidates:
        return f"Did you mean '{candidates[0]}'? Spreadsheets drop leading zeros; format the column as text."
    return did_you_mean(wanted, site_ids, "site ids")
