import csv
import io

from routing.export.manifests import manifest_tables
from routing.export.scene import Scene
from routing.export.tables import csv_bytes, orders_csv, routes_csv
from routing.export.wording import wording_of


def _rows(data: bytes, encoding: str = "utf-8") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(encoding), newline="")))


def test_routes_have_one_row_each(scene: Scene) -> None:
    """Tests that the routes table has every route with its figures."""
    rows = {row["route"]: row for row in _rows(routes_csv(scene))}
    assert list(rows) == [route.id for route in scene.document.routes]
    truck = rows["R-truck-1"]
    assert (truck["category"], truck["start"], truck["orders"], truck["stops"]) == ("truck", "07:00", "2", "3")
    assert rows["R-van-1"]["start"] == "01:00 +1"


def test_every_order_has_one_status(scene: Scene) -> None:
    """Tests that served, unassigned and rejected orders each appear once with their status."""
    rows = {row["order"]: row for row in _rows(orders_csv(scene))}
    assert len(rows) == len(scene.orders) + 1
    assert {rows[order]["status"] for order in scene.legs} == {"served"}
    assert (rows["=o6"]["status"], rows["=o6"]["reason"]) == ("unassigned", "TOO_HEAVY")
    assert (rows["o9"]["status"], rows["o9"]["text"]) == ("rejected", "orders.csv, row 9: no such site")


def test_an_order_with_a_transfer_names_its_carriers_in_turn(scene: Scene) -> None:
    """Tests that the chain of an order can be read off its row."""
    row = next(row for row in _rows(orders_csv(scene)) if row["order"] == "o1")
    assert (row["legs"], row["kinds"], row["transfers"]) == ("2", "truck > tricycle", "t0")
    assert row["carriers"] == "truck-1 > tricycle-1"


def test_manifests_hold_every_handover_once(scene: Scene) -> None:
    """Tests that the carriers' manifests together list each load and unload of the plan, and stations their share."""
    tables = manifest_tables(scene, wording_of("en"))
    rows = [
        row for name in ("drivers.csv", "bus_crews.csv", "drone_pads.csv") for row in _rows(tables[name], "utf-8-sig")
    ]
    listed = sorted((row["Route"], row["Action"], row["Order"].lstrip("'")) for row in rows if row["Order"])
    expected = sorted(
        (route.id, action, handover.order)
        for route in scene.document.routes
        for stop in route.stops
        for action, handovers in (("Load", stop.load), ("Unload", stop.unload))
        for handover in handovers
    )
    assert listed == expected
    stations = _rows(tables["stations.csv"], "utf-8-sig")
    assert {row["Place id"] for row in stations} <= set(scene.places)
    assert not any(row["Place id"].startswith("drop:") for row in stations)


def test_manifests_tell_how_to_keep_cold_goods_and_when_to_rest(scene: Scene) -> None:
    """Tests that temperature notes and rests stand in the manifests."""
    tables = manifest_tables(scene, wording_of("en"))
    bus = _rows(tables["bus_crews.csv"], "utf-8-sig")
    assert [row["Note"] for row in bus if row["Order"] == "o3"] == ["keep 0 to 8 °C · in 2 × EPP-60"] * 2
    drivers = _rows(tables["drivers.csv"], "utf-8-sig")
    assert [row["Carrier"] for row in drivers if row["Action"] == "Rest"] == ["truck-1"]


def test_chinese_manifests_have_chinese_headings(scene: Scene) -> None:
    """Tests that --lang zh changes headings and actions of the manifests."""
    rows = _rows(manifest_tables(scene, wording_of("zh"))["drivers.csv"], "utf-8-sig")
    assert {"装货", "卸货"} <= {row["作业"] for row in rows}
    assert any(row["类别"] == "三轮车" for row in rows)


def test_text_that_a_spreadsheet_would_run_is_defused() -> None:
    """Tests that formula starts get an apostrophe in tables for people, and stay as they are in tables for programs."""
    assert csv_bytes(["a"], [["=1+1"], ["ok"], [-3]], for_people=True) == "\ufeffa\r\n'=1+1\r\nok\r\n-3\r\n".encode()
    assert csv_bytes(["a"], [["=1+1"]]) == b"a\r\n=1+1\r\n"
