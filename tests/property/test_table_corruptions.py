"""Whatever tables are written are read back the same; whatever cell is spoilt is reported at its row and field."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.errors import FaultCollector
from geodata.location import Level, Site
from routing.model.order import Order
from routing.order_import import ORDER_RECORD, Known, OrderBook, read_orders
from routing.records import Field, RecordType
from routing.sites import SITE_RECORD, SiteBook, read_sites
from routing.tables import read_table

QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CLASSES = ("ambient", "frozen", "vaccine")
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=12)
names = st.one_of(texts, st.sampled_from(['Farm "No. 7", upper', "石屏县 客运站", "L'Aldosa; Canillo"]))
ids = st.text("abcxyz0789-_:村", min_size=1, max_size=8).filter(lambda text: not text.startswith("drop:"))
money = st.floats(0, 1e6, allow_subnormal=False)
times = st.integers(31, 100_000)


@st.composite
def networks(draw: st.DrawFn) -> list[Site]:
    """Return a good network of one hub and a few sites whose parents are of higher levels."""
    found = [Site("hub", draw(names), Level.COUNTY, 1.5, 42.5)]
    for site_id in draw(st.lists(ids.filter(lambda text: text != "hub"), unique=True, max_size=6)):
        level = draw(st.sampled_from([Level.TOWN, Level.VILLAGE, Level.GROUP]))
        parents = [None, *(site.id for site in found if site.level.depth < level.depth)]
        opens = draw(times)
        found.append(
            Site(
                site_id,
                draw(names),
                level,
                draw(st.floats(1.3, 1.9)),
                draw(st.floats(42.3, 42.8)),
                parent=draw(st.sampled_from(parents)),
                opens_s=opens,
                closes_s=opens + draw(st.integers(1, 50_000)),
                handling_s=draw(st.integers(0, 3600)),
                store_chilled_kg=draw(money),
                drone_pads=draw(st.integers(0, 3)),
                bus_stop_ids=tuple(draw(st.lists(ids, unique=True, max_size=2))),
                kind=draw(st.sampled_from(["existing", "candidate"])),
                synthetic=draw(st.booleans()),
            )
        )
    return found


@st.composite
def consignments(draw: st.DrawFn, several_windows: bool) -> list[Order]:
    """Return good orders between the sites hub, a and b, or to drops."""
    found = []
    for order_id in draw(st.lists(ids, unique=True, min_size=1, max_size=6)):
        origin, destination = draw(st.permutations(["hub", "a", "b"]))[:2]
        weight = draw(st.floats(0.1, 40))
        starts = draw(st.lists(st.integers(1, 16), unique=True, max_size=3 if several_windows else 1))
        windows = tuple((hour * 5000, hour * 5000 + draw(st.integers(0, 4999))) for hour in sorted(starts))
        found.append(
            Order(
                order_id,
                origin,
                draw(st.sampled_from([destination, f"drop:{order_id}"])),
                weight,
                weight * draw(st.floats(1, 50)),
                pieces=draw(st.integers(1, 9)),
                longest_cm=draw(st.floats(0, 200)),
                product_class=draw(st.sampled_from(CLASSES)),
                release_s=draw(st.integers(31, windows[-1][1])) if windows else draw(times),
                windows=windows,
                due_s=draw(st.one_of(st.none(), times)),
                late_cost_per_h=draw(money),
                service_s=draw(st.integers(0, 600)),
                priority=draw(st.integers(-3, 9)),
                value=draw(money),
                shipper=draw(names),
                dangerous=draw(st.booleans()),
            )
        )
    return found


def site_record(site: Site) -> dict[str, object]:
    """Return a site as a row of its table."""
    row = {column.name: getattr(site, column.name) for column in fields(site)}
    return row | {"level": site.level.value, "bus_stop_ids": ";".join(site.bus_stop_ids)}


def order_record(order: Order, several_windows: bool) -> dict[str, object]:
    """Return an order as a row of its table."""
    row = {column.name: getattr(order, column.name) for column in fields(order)}
    del row["also_from"]  # no column of orders.csv: only problems made in memory have it
    windows = row.pop("windows")
    row["from_site"], destination = row.pop("from_id"), row.pop("to_id")
    drop = str(destination).startswith("drop:")
    row |= {"to_lon": 1.55, "to_lat": 42.55} if drop else {"to_site": destination}
    if several_windows:
        return row | ({"windows": windows} if windows else {})
    return row | (dict(zip(("window_start_s", "window_end_s"), windows[0], strict=True)) if windows else {})


def csv_bytes(rows: Sequence[dict[str, object]], record: RecordType) -> bytes:
    """Return the CSV text of rows with every column of the record that one of them has."""
    text = io.StringIO()
    columns = [field.name for field in record.fields if any(field.name in row for row in rows)]
    table = csv.DictWriter(text, columns)
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def orders_of(path: Path) -> OrderBook:
    """Read an orders table; its shape must be without fault."""
    collector = FaultCollector()
    table = read_table(path, path.name, ORDER_RECORD, collector)
    assert not collector.faults
    assert table is not None
    return read_orders(table, Known(("hub", "a", "b"), CLASSES))


def sites_of(path: Path, collector: FaultCollector) -> SiteBook:
    """Read a sites table."""
    table = read_table(path, path.name, SITE_RECORD, collector)
    assert table is not None
    return read_sites(table, None, collector)


@settings(QUICK, max_examples=50)
@given(networks())
def test_sites_round_trip(tmp_path_factory: pytest.TempPathFactory, sites: list[Site]) -> None:
    """Tests that any good network written as CSV is read back the same."""
    path = tmp_path_factory.mktemp("sites") / "sites.csv"
    path.write_bytes(csv_bytes([site_record(site) for site in sites], SITE_RECORD))
    collector = FaultCollector()
    assert sites_of(path, collector).sites == tuple(sites)
    assert not collector.faults


@settings(QUICK, max_examples=50)
@given(consignments(several_windows=False))
def test_orders_round_trip_in_csv(tmp_path_factory: pytest.TempPathFactory, orders: list[Order]) -> None:
    """Tests that any good orders written as CSV are read back the same."""
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    path.write_bytes(csv_bytes([order_record(order, several_windows=False) for order in orders], ORDER_RECORD))
    book = orders_of(path)
    assert book.rejected == ()
    assert book.orders == tuple(orders)


@settings(QUICK, max_examples=50)
@given(consignments(several_windows=True))
def test_orders_round_trip_in_json(tmp_path_factory: pytest.TempPathFactory, orders: list[Order]) -> None:
    """Tests that any good orders with several windows written as JSON are read back the same."""
    path = tmp_path_factory.mktemp("orders") / "orders.json"
    path.write_text(json.dumps([order_record(order, several_windows=True) for order in orders]))
    book = orders_of(path)
    assert book.rejected == ()
    assert book.orders == tuple(orders)
    assert set(book.drops) == {order.to_id for order in orders if order.to_id.startswith("drop:")}


def spoilt(field: Field) -> st.SearchStrategy[str]:
    """Return texts that are no value of the field."""
    garbage = st.sampled_from(["?", "12 kg", "1,5", "1,234.5", "--1", "NaN", "1e400", "#REF!", "2025-03-03"])
    if field.kind in {"number", "integer", "seconds", "coordinate"}:
        beyond = [] if field.kind == "coordinate" else ["-7"] * (field.low == 0) + ["1e8"] * (field.high is not None)
        return st.one_of(garbage, st.sampled_from(beyond)) if beyond else garbage
    if field.kind == "choice":
        return st.sampled_from(["??", "towns", "EXISTING"])
    return st.sampled_from(["maybe", "10"])


SPOILABLE = frozenset({"number", "integer", "seconds", "coordinate", "choice", "flag"})


@settings(QUICK, max_examples=100)
@given(st.data(), consignments(several_windows=False))
def test_a_spoilt_order_cell_is_reported_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, orders: list[Order]
) -> None:
    """Tests that spoiling one cell of an order rejects its row alone, with a fault at that row and field."""
    rows = [order_record(order, several_windows=False) for order in orders]
    at = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(st.sampled_from([field for field in ORDER_RECORD.fields if field.kind in SPOILABLE]))
    rows[at][field.name] = data.draw(spoilt(field).filter(lambda text: field.kind != "integer" or text != "10"))
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    path.write_bytes(csv_bytes(rows, ORDER_RECORD))
    book = orders_of(path)
    assert book.orders == tuple(order for k, order in enumerate(orders) if k != at)
    (rejected,) = book.rejected
    assert (rejected.row, rejected.order_id) == (at + 2, orders[at].id)
    assert any((fault.row, fault.field) == (at + 2, field.name) for fault in rejected.faults)


@settings(QUICK, max_examples=100)
@given(st.data(), networks())
def test_a_spoilt_site_cell_is_reported_where_it_is(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, sites: list[Site]
) -> None:
    """Tests that spoiling one cell of a site gives a fault at that row and field, and other rows none."""
    rows = [site_record(site) for site in sites]
    at = data.draw(st.integers(0, len(rows) - 1))
    field = data.draw(st.sampled_from([field for field in SITE_RECORD.fields if field.kind in SPOILABLE]))
    rows[at][field.name] = data.draw(spoilt(field))
    path = tmp_path_factory.mktemp("sites") / "sites.csv"
    path.write_bytes(csv_bytes(rows, SITE_RECORD))
    collector = FaultCollector()
    book = sites_of(path, collector)
    assert {(fault.row, fault.field) for fault in collector.faults} == {(at + 2, field.name)}
    assert set(book.ids) == {site.id for site in sites}


@settings(QUICK, max_examples=50)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Tests that no content of a table makes the reader fail in any way but with faults."""
    folder = tmp_path_factory.mktemp("any")
    for suffix in ("csv", "json", "geojson", "xlsx"):
        path = folder / f"orders.{suffix}"
        path.write_bytes(data)
        collector = FaultCollector()
        table = read_table(path, path.name, ORDER_RECORD, collector)
        assert collector.faults or table is not None
