"""The orders table of a scenario: rows become orders, or rejected rows with every fault found in them."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from geodata.errors import Fault
from routing.coordinates import Extent, check_coordinates
from routing.fault_codes import FaultCode
from routing.model.order import Order, RejectedRow
from routing.records import MAX_TIME_S, Field, RecordType, Row, Where, did_you_mean, read_record
from routing.sites import nearest_site
from routing.tables import Table

ORDER_RECORD: Final = RecordType(
    "orders",
    "the day's consignments, one a row; `.csv`, `.xlsx` or `.json`",
    (
        Field("id", "text", "unique id", True),
        Field("from_site", "text", "id of the origin", True),
        Field("to_site", "text", "id of the destination; or give to_lon and to_lat"),
        Field("to_lon", "coordinate", "longitude of a drop that is no site", low=-180, high=180, unit="degrees"),
        Field("to_lat", "coordinate", "latitude of a drop that is no site", low=-90, high=90, unit="degrees"),
        Field("weight_kg", "number", "mass of all pieces together", True, low=0, above_low=True, high=1e5, unit="kg"),
        Field(
            "volume_l", "number", "volume of all pieces together", True, low=0, above_low=True, high=1e6, unit="litres"
        ),
        Field("pieces", "integer", "number of pieces", default=1, low=1, high=100_000),
        Field(
            "longest_cm", "number", "longest edge of a piece; 0: not stated", default=0.0, low=0, high=2_000, unit="cm"
        ),
        Field("product_class", "text", "id of a product class", default="ambient"),
        Field("release_s", "seconds", "earliest start of loading at the origin", default=0, low=0, high=MAX_TIME_S),
        Field("window_start_s", "seconds", "earliest start of service at the destination", low=0, high=MAX_TIME_S),
        Field("window_end_s", "seconds", "latest start of service at the destination", low=0, high=MAX_TIME_S),
        Field("windows", "spans", "several windows (JSON only), instead of the two columns", low=0, high=MAX_TIME_S),
        Field("due_s", "seconds", "start of service after this is late", low=0, high=MAX_TIME_S),
        Field("late_cost_per_h", "number", "cost of an hour of lateness", default=0.0, low=0, unit="minor units"),
        Field(
            "service_s",
            "integer",
            "time it adds to a stop at a village, group or drop",
            default=20,
            low=0,
            high=86_400,
            unit="seconds",
        ),
        Field("priority", "integer", "higher is served first among equals", default=0, low=-1000, high=1000),
        Field("unserved_cost", "number", "cost of leaving it unserved", default=5_000.0, low=0, unit="minor units"),
        Field("value", "number", "value of the goods", default=0.0, low=0, unit="minor units"),
        Field("shipper", "text", "who sends it", default=""),
        Field("dangerous", "flag", "true for dangerous goods", default=False),
        Field("synthetic", "flag", "true for a made-up order", default=False),
    ),
)
_RENAMED: Final[Mapping[str, str]] = {"from_site": "from_id", "to_site": "to_id"}
_NOT_OF_ORDER: Final = ("to_lon", "to_lat", "window_start_s", "window_end_s")

HEAVY_KG: Final = 50.0
"""A lighter piece is never taken for one weighed in grams."""
VERY_HEAVY_KG: Final = 200.0
"""Pieces above this are rare enough that `DENSE_KG_PER_L` already speaks for grams."""
LEAD_KG_PER_L: Final = 10.0
"""No consignment is denser: lead as packed lies below, solid steel is 7.8."""
DENSE_KG_PER_L: Final = 6.0
"""Halfway, on a logarithmic scale, between the usual 0.2 kg/L of parcels and a thousand times that."""
FEATHER_KG_PER_L: Final = 0.005
"""No consignment is lighter: plastic foam is 0.015."""
SMALL_L: Final = 0.2
"""A piece below this may be one measured in cubic metres."""
LARGE_L: Final = 500.0
"""A piece above this may be one measured in millilitres."""


@dataclass(frozen=True)
class OrderBook:
    """The orders of the day, their coordinate drops by place id (lon, lat), and the rows that were not accepted.

    `rows` are the row numbers of the accepted orders, by id.
    """

    orders: tuple[Order, ...] = ()
    drops: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    rejected: tuple[RejectedRow, ...] = ()
    rows: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What orders may refer to."""

    site_ids: Collection[str]
    class_ids: Collection[str]
    extent: Extent | None = None


def read_orders(table: Table, known: Known, *, synthetic: bool = False) -> OrderBook:
    """Return the orders of a table and every faulty row as rejected; nothing is raised.

    Parameters
    ----------
    table
        Rows of the orders file.
    known
        Sites and classes that orders may name. An empty collection means unknown: then names are not judged.
    synthetic
        True when the scenario calls all its orders synthetic.
    """
    readings = [(row, *_read_row(table, row, known)) for row in table.rows]
    repeated = _rows_by_id(readings)
    orders, drops, rejected, numbers = [], {}, [], {}
    for row, values, faults in readings:
        order_id = values.get("id", "")
        where = Where(table.file, row.number)
        all_faults = (*row.faults, *faults, *_check_identity(order_id, row.number, repeated.get(order_id, ()), where))
        if all_faults:
            rejected.append(RejectedRow(row.number, order_id, all_faults))
            continue
        if table.absent:
            continue  # the file is refused as a whole; its rows are only read for their other faults
        order = _order(values, synthetic=synthetic)
        orders.append(order)
        numbers[order.id] = row.number
        if values["to_site"] is None:
            drops[order.to_id] = (values["to_lon"], values["to_lat"])
    return OrderBook(tuple(orders), drops, tuple(rejected), numbers)


def _rows_by_id(readings: Sequence[tuple[Row, Mapping[str, Any], Sequence[Fault]]]) -> dict[str, list[int]]:
    found = defaultdict(list)
    for row, values, _ in readings:
        if "id" in values:
            found[values["id"]].append(row.number)
    return found


def _check_identity(order_id: str, number: int, numbers: Sequence[int], where: Where) -> list[Fault]:
    """Report a repeated id at each of its rows: which of them is meant cannot be known, so none is planned."""
    others = [str(other) for other in numbers if other != number]
    if not others:
        return []
    listed = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
    reason = f"the order id is also used in row{'s' if len(others) > 1 else ''} {listed}"
    return [where.fault(FaultCode.DUPLICATE_ID, "id", order_id, reason, "Give every order an id of its own.")]


def _order(values: Mapping[str, Any], *, synthetic: bool) -> Order:
    arguments = {_RENAMED.get(name, name): value for name, value in values.items() if name not in _NOT_OF_ORDER}
    arguments["to_id"] = values["to_site"] or f"drop:{values['id']}"
    arguments["windows"] = _windows(values)
    arguments["synthetic"] = synthetic or values["synthetic"]
    return Order(**arguments)


def _windows(values: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    if values.get("windows") is not None:
        return tuple(values["windows"])
    start, end = values.get("window_start_s"), values.get("window_end_s")
    return () if start is None or end is None else ((start, end),)


def _read_row(table: Table, row: Row, known: Known) -> tuple[dict[str, Any], list[Fault]]:
    where = Where(table.file, row.number)
    values, faults = read_record(ORDER_RECORD, row.values, where, check_names=False, skip=table.absent)
    faults += _check_ends(values, known, where)
    faults += _check_class(values, known, where)
    faults += _check_windows(values, where)
    faults += _check_units(values, where)
    return values, faults


def _check_ends(values: Mapping[str, Any], known: Known, where: Where) -> list[Fault]:
    faults = []
    for name in ("from_site", "to_site"):
        site_id = values.get(name)
        if site_id is not None and known.site_ids and site_id not in known.site_ids:
            remedy = nearest_site(site_id, list(known.site_ids))
            faults.append(where.fault(FaultCode.UNKNOWN_SITE, name, site_id, "there is no such site", remedy))
    to_site = values.get("to_site")
    if to_site is not None and to_site == values.get("from_site"):
        reason = "origin and destination are the same site"
        faults.append(where.fault(FaultCode.SAME_PLACE, "to_site", to_site, reason, "Give another destination."))
    coordinates = [name for name in ("to_lon", "to_lat") if values.get(name) is not None]
    faulty = any(name not in values for name in ("to_site", "to_lon", "to_lat"))
    if not faulty:
        faults += _check_destination(to_site, coordinates, where)
    return faults + check_coordinates(values, "to_lon", "to_lat", known.extent, where)


def _check_destination(to_site: str | None, coordinates: Sequence[str], where: Where) -> list[Fault]:
    remedy = "Give to_site, or both to_lon and to_lat."
    if to_site is not None and coordinates:
        reason = "the destination is given twice, as a site and as coordinates"
        return [where.fault(FaultCode.TWO_DESTINATIONS, "to_site", to_site, reason, remedy)]
    if to_site is None and not coordinates:
        return [where.fault(FaultCode.NO_DESTINATION, "to_site", None, "the order has no destination", remedy)]
    if len(coordinates) == 1:
        missing = "to_lat" if coordinates == ["to_lon"] else "to_lon"
        return [
            where.fault(FaultCode.NO_DESTINATION, missing, None, "one coordinate of the destination is missing", remedy)
        ]
    return []


def _check_class(values: Mapping[str, Any], known: Known, where: Where) -> list[Fault]:
    product_class = values.get("product_class")
    if product_class is None or not known.class_ids or product_class in known.class_ids:
        return []
    remedy = did_you_mean(product_class, known.class_ids, "known product classes")
    return [
        where.fault(FaultCode.UNKNOWN_CLASS, "product_class", product_class, "there is no such product class", remedy)
    ]


def _check_windows(values: Mapping[str, Any], where: Where) -> list[Fault]:
    if any(name not in values for name in ("window_start_s", "window_end_s", "windows")):
        return []
    start, end = values["window_start_s"], values["window_end_s"]
    if values["windows"] is not None and (start is not None or end is not None):
        reason = "windows are given twice, as a list and as columns"
        return [where.fault(FaultCode.TWO_WINDOWS, "windows", values["windows"], reason, "Keep one of the two.")]
    if (start is None) != (end is None):
        missing, given = ("window_start_s", end) if start is None else ("window_end_s", start)
        reason = f"the window is half given: {missing} is empty"
        return [where.fault(FaultCode.HALF_WINDOW, missing, given, reason, "Give both ends of the window, or neither.")]
    if start is not None and end < start:
        reason = f"the window ends before it starts (starts {start})"
        return [
            where.fault(FaultCode.WINDOW_ORDER, "window_end_s", end, reason, "Give window_end_s after window_start_s.")
        ]
    windows, release = _windows(values), values.get("release_s")
    if windows and release is not None and release > windows[-1][1]:
        reason = f"the goods are released after the last window has ended ({windows[-1][1]})"
        remedy = "Give an earlier release_s or a later window."
        return [where.fault(FaultCode.RELEASE_AFTER_WINDOW, "release_s", release, reason, remedy)]
    return []


def _check_units(values: Mapping[str, Any], where: Where) -> list[Fault]:
    """Tell grams given for kilograms, cubic metres or millilitres given for litres, by the density they lead to."""
    weight, volume, pieces = values.get("weight_kg"), values.get("volume_l"), values.get("pieces")
    if weight is None or volume is None or pieces is None:
        return []
    piece_kg, density = weight / pieces, weight / volume
    reason = f"{weight:g} kg in {volume:g} L is {density:.3g} kg per litre, no goods are like that; this looks like"
    if piece_kg >= HEAVY_KG and density > (LEAD_KG_PER_L if piece_kg < VERY_HEAVY_KG else DENSE_KG_PER_L):
        remedy = f"Give kilograms: {weight / 1000:g}."
        return [where.fault(FaultCode.UNIT_SLIP, "weight_kg", weight, f"{reason} grams for kilograms", remedy)]
    if volume / pieces < SMALL_L and density > LEAD_KG_PER_L:
        remedy = f"Give litres: {volume * 1000:g}."
        return [where.fault(FaultCode.UNIT_SLIP, "volume_l", volume, f"{reason} cubic metres for litres", remedy)]
    if volume / pieces > LARGE_L and density < FEATHER_KG_PER_L:
        remedy = f"Give litres: {volume / 1000:g}."
        return [where.fault(FaultCode.UNIT_SLIP, "volume_l", volume, f"{reason} millilitres for litres", remedy)]
    return []
