"""Every kind of faulty order is named as what it is, at its row and field, with what would be accepted."""

from pathlib import Path

import openpyxl
import pytest
from scenario_folders import ORDERS, faults_of, only_fault, orders_json, read, rename_file, write_folder, write_workbook

HEADER = (
    "id,from_site,to_site,weight_kg,volume_l,pieces,product_class,release_s,window_start_s,window_end_s,"
    "to_lon,to_lat,due_s,longest_cm,dangerous"
)
VALUES = "x,hub,t1,1.2,5,1,ambient,27000,28800,36000,,,36000,30,false"
GOOD = dict(zip(HEADER.split(","), VALUES.split(","), strict=True))


def orders_with(**cells: str) -> str:
    """Return an orders table whose row 3 has other cells than a good one; rows 2 and 4 are good."""
    rows = [GOOD | {"id": "a"}, GOOD | cells, GOOD | {"id": "b"}]
    return "\n".join([HEADER, *(",".join(row.values()) for row in rows)]) + "\n"


BAD_CELLS = [
    # code, field, cells, what the message must say
    ("NEGATIVE", "weight_kg", {"weight_kg": "-3"}, ["negative", "above 0", "in kg"]),
    ("ZERO", "weight_kg", {"weight_kg": "0"}, ["zero", "above 0"]),
    ("NOT_A_NUMBER", "weight_kg", {"weight_kg": "NaN"}, ["finite"]),
    ("NOT_A_NUMBER", "weight_kg", {"weight_kg": "inf"}, ["finite"]),
    ("NOT_A_NUMBER", "weight_kg", {"weight_kg": "1e999"}, ["finite"]),
    ("NOT_A_NUMBER", "weight_kg", {"weight_kg": "heavy"}, ["not a number"]),
    ("NOT_A_NUMBER", "weight_kg", {"weight_kg": "500 g"}, ["unit 'g'", "in kg"]),
    ("NOT_A_NUMBER", "weight_kg", {"weight_kg": "2公斤"}, ["unit '公斤'"]),
    ("NOT_A_NUMBER", "weight_kg", {"weight_kg": "1_000"}, ["not a number"]),
    ("MISSING_VALUE", "weight_kg", {"weight_kg": " "}, ["weight_kg is empty", "above 0"]),
    ("NUMBER_FORMAT", "weight_kg", {"weight_kg": '"1,25"'}, ["comma for the decimal point", "1.25"]),
    ("NUMBER_FORMAT", "weight_kg", {"weight_kg": '"1,250"'}, ["thousands", "1250", "1.250"]),
    ("NUMBER_FORMAT", "volume_l", {"volume_l": '"1,250,000.5"'}, ["1250000.5"]),
    ("NUMBER_FORMAT", "volume_l", {"volume_l": "1'250"}, ["1250"]),
    ("UNIT_SLIP", "weight_kg", {"weight_kg": "1200"}, ["1200 kg in 5 L", "grams for kilograms", "1.2"]),
    ("UNIT_SLIP", "weight_kg", {"weight_kg": "850", "volume_l": "90"}, ["grams for kilograms", "0.85"]),
    ("UNIT_SLIP", "weight_kg", {"weight_kg": "2400", "pieces": "2"}, ["grams for kilograms", "2.4"]),
    ("UNIT_SLIP", "volume_l", {"volume_l": "0.005"}, ["cubic metres for litres", "5"]),
    ("UNIT_SLIP", "volume_l", {"volume_l": "5000"}, ["millilitres for litres", "5"]),
    ("NEGATIVE", "volume_l", {"volume_l": "-1"}, ["in litres"]),
    ("ZERO", "volume_l", {"volume_l": "0.0"}, ["above 0"]),
    ("NOT_WHOLE", "pieces", {"pieces": "1.5"}, ["not a whole number"]),
    ("ZERO", "pieces", {"pieces": "0"}, ["from 1"]),
    ("OUT_OF_RANGE", "longest_cm", {"longest_cm": "2500"}, ["2,000", "in cm"]),
    ("UNKNOWN_CLASS", "product_class", {"product_class": "vacine"}, ["Did you mean 'vaccine'?"]),
    ("UNKNOWN_CLASS", "product_class", {"product_class": "zzz"}, ["ambient", "frozen"]),
    ("UNKNOWN_SITE", "from_site", {"from_site": "hubb"}, ["Did you mean 'hub'?"]),
    ("UNKNOWN_SITE", "to_site", {"to_site": "T1"}, ["Did you mean 't1'?"]),
    ("SAME_PLACE", "to_site", {"to_site": "hub"}, ["same site"]),
    ("NO_DESTINATION", "to_site", {"to_site": ""}, ["no destination", "to_lon"]),
    ("NO_DESTINATION", "to_lat", {"to_site": "", "to_lon": "1.5"}, ["one coordinate", "both"]),
    ("TWO_DESTINATIONS", "to_site", {"to_lon": "1.5", "to_lat": "42.5"}, ["twice"]),
    ("SWAPPED_COORDINATES", "to_lon", {"to_site": "", "to_lon": "42.5", "to_lat": "1.5"}, ["swapped", "1.5, 42.5"]),
    ("NULL_COORDINATES", "to_lon", {"to_site": "", "to_lon": "0", "to_lat": "0"}, ["zero"]),
    ("BAD_COORDINATES", "to_lon", {"to_site": "", "to_lon": "380000", "to_lat": "4705000"}, ["projected metres"]),
    ("WINDOW_ORDER", "window_end_s", {"window_start_s": "10:00", "window_end_s": "09:00"}, ["ends before it starts"]),
    ("HALF_WINDOW", "window_end_s", {"window_end_s": ""}, ["half given", "both ends"]),
    ("HALF_WINDOW", "window_start_s", {"window_start_s": ""}, ["half given"]),
    ("RELEASE_AFTER_WINDOW", "release_s", {"release_s": "11:00"}, ["after the last window has ended", "36000"]),
    ("DATE_AS_TIME", "release_s", {"release_s": "2025-03-03 08:00"}, ["a date", "25:30"]),
    ("DATE_AS_TIME", "due_s", {"due_s": "3/3/2025"}, ["a date"]),
    ("BAD_TIME", "due_s", {"due_s": "8:75"}, ["not a time"]),
    ("BAD_TIME", "due_s", {"due_s": "0.354166667"}, ["fraction of a day", "30600 or 08:30"]),
    ("BAD_TIME", "due_s", {"due_s": "30600.5"}, ["whole number of seconds"]),
    ("UNIT_SLIP", "due_s", {"due_s": "18"}, ["hour of the day", "64800 or 18:00"]),
    ("OUT_OF_RANGE", "due_s", {"due_s": "1740988800"}, ["out of range", "HH:MM"]),
    ("NEGATIVE", "release_s", {"release_s": "-60"}, ["negative"]),
    ("NOT_A_NUMBER", "release_s", {"release_s": "morning"}, ["not a number", "HH:MM"]),
    ("WRONG_TYPE", "dangerous", {"dangerous": "maybe"}, ["true or false"]),
    ("SHORTENED_NUMBER", "id", {"id": "6.90123E+14"}, ["shortened", "as text"]),
    ("MISSING_VALUE", "id", {"id": ""}, ["id is empty"]),
    ("FORMULA_ERROR", "weight_kg", {"weight_kg": "#N/A"}, ["formula"]),
]


@pytest.mark.parametrize(("code", "field", "cells", "phrases"), BAD_CELLS)
def test_bad_cell_is_named(tmp_path: Path, code: str, field: str, cells: dict[str, str], phrases: list[str]) -> None:
    """Tests that a faulty cell gives one fault with its code, row and field and a message that says what to do."""
    fault = only_fault(write_folder(tmp_path, orders=orders_with(**cells)))
    assert (fault.code, fault.file, fault.row, fault.field) == (code, "orders.csv", 3, field)
    for phrase in phrases:
        assert phrase in str(fault)


PLAUSIBLE = [
    {"weight_kg": "300", "volume_l": "400"},  # a pallet
    {"weight_kg": "49", "volume_l": "4"},  # a small heavy casting
    {"weight_kg": "400", "volume_l": "60", "pieces": "40"},  # many steel parts
    {"weight_kg": "0.01", "volume_l": "5"},  # nearly nothing in a parcel
    {"weight_kg": "0.02", "volume_l": "0.05"},  # a letter
    {"weight_kg": "8", "volume_l": "1000"},  # foam boards
    {"release_s": "0", "window_start_s": "0", "window_end_s": "0"},
    {"due_s": "25:30"},
    {"release_s": "09:00"},  # while the window is open
    {"release_s": "36000"},  # at its last second
]


@pytest.mark.parametrize("cells", PLAUSIBLE)
def test_unusual_but_possible_cells_are_accepted(tmp_path: Path, cells: dict[str, str]) -> None:
    """Tests that what is merely unusual is not refused."""
    assert len(read(write_folder(tmp_path, orders=orders_with(**cells))).orders) == 3


def test_duplicate_ids_are_refused_in_every_row(tmp_path: Path) -> None:
    """Tests that a repeated order id is reported in each of its rows, and none of them is planned."""
    folder = write_folder(tmp_path, orders=orders_with(id="a"))
    assert [(fault.code, fault.row, fault.value) for fault in faults_of(folder)] == [
        ("DUPLICATE_ID", 2, "a"),
        ("DUPLICATE_ID", 3, "a"),
    ]
    scenario = read(folder, reject_bad_rows=True)
    assert [order.id for order in scenario.orders] == ["b"]
    assert [(row.row, row.order_id) for row in scenario.rejected] == [(2, "a"), (3, "a")]


def test_all_faults_of_a_row_are_reported(tmp_path: Path) -> None:
    """Tests that one row with several faults reports each of them."""
    cells = {"weight_kg": "-1", "volume_l": "x", "from_site": "nowhere", "product_class": "ice", "due_s": "8:99"}
    faults = faults_of(write_folder(tmp_path, orders=orders_with(**cells)))
    assert {fault.field for fault in faults} == set(cells)
    assert {fault.row for fault in faults} == {3}


def test_a_thousand_faulty_rows_are_all_listed(tmp_path: Path) -> None:
    """Tests that a thousand faulty rows among good ones are all reported, and that the good ones can be planned."""
    lines = [f"o{k},hub,t1,{'-1' if k % 3 == 0 else '1'},5" for k in range(3000)]
    folder = write_folder(tmp_path, orders="\n".join(["id,from_site,to_site,weight_kg,volume_l", *lines]))
    bad_rows = [k + 2 for k in range(3000) if k % 3 == 0]
    faults = faults_of(folder)
    assert [fault.row for fault in faults] == bad_rows
    assert {fault.code for fault in faults} == {"NEGATIVE"}
    scenario = read(folder, reject_bad_rows=True)
    assert len(scenario.orders) == 2000
    assert [row.row for row in scenario.rejected] == bad_rows


BAD_HEADERS = [
    ("UNKNOWN_COLUMN", 1, "weigth_kgs", ORDERS.replace("pieces", "weigth_kgs"), None),
    ("UNKNOWN_COLUMN", 1, "peices", ORDERS.replace("pieces", "peices"), "Did you mean 'pieces'?"),
    ("DUPLICATE_COLUMN", 1, "pieces", ORDERS.replace("product_class", "pieces").replace("ambient", "1"), "twice"),
    ("MISSING_HEADER", 1, None, "\n".join(ORDERS.splitlines()[1:]), "weight_kg"),
    ("MISSING_HEADER", 1, None, "", "the file is empty"),
    ("UNNAMED_COLUMN", 1, None, ORDERS.replace("pieces", ""), "column 6"),
]


@pytest.mark.parametrize(("code", "row", "field", "orders", "phrase"), BAD_HEADERS)
def test_bad_header_is_named(
    tmp_path: Path, code: str, row: int, field: str | None, orders: str, phrase: str | None
) -> None:
    """Tests that faults of the header are reported at row 1 and never set aside with faulty rows."""
    folder = write_folder(tmp_path, orders=orders)
    fault = next(fault for fault in faults_of(folder) if fault.code == code)
    assert (fault.file, fault.row, fault.field) == ("orders.csv", row, field)
    assert phrase is None or phrase in str(fault)
    assert code in {fault.code for fault in faults_of(folder, reject_bad_rows=True)}


def test_misspelt_required_column_is_told_once(tmp_path: Path) -> None:
    """Tests that a misspelt required column gives its nearest name, no fault a row, and rows are still checked."""
    orders = ORDERS.replace("weight_kg", "wieght_kg").replace("vaccine", "vacine")
    faults = faults_of(write_folder(tmp_path, orders=orders))
    assert [(fault.code, fault.row, fault.field) for fault in faults] == [
        ("UNKNOWN_COLUMN", 1, "wieght_kg"),
        ("MISSING_COLUMN", 1, "weight_kg"),
        ("UNKNOWN_CLASS", 3, "product_class"),
    ]
    assert "Did you mean 'weight_kg'?" in str(faults[0])


def test_row_longer_than_the_header(tmp_path: Path) -> None:
    """Tests that an unquoted separator in a text shows as a row with too many cells."""
    orders = "id,from_site,to_site,weight_kg,volume_l\na,hub,t1,1,5\nb,hub,t1,1,5,5\n"
    fault = only_fault(write_folder(tmp_path, orders=orders))
    assert (fault.code, fault.row, fault.value) == ("ROW_TOO_LONG", 3, "5")


def test_row_numbers_count_blank_lines_and_quoted_line_breaks(tmp_path: Path) -> None:
    """Tests that rows are numbered as a spreadsheet shows them."""
    orders = 'id,from_site,to_site,weight_kg,volume_l,shipper\n\na,hub,t1,1,5,"two\nlines"\n,,,,,\nb,hub,t1,-1,5,\n'
    faults = faults_of(write_folder(tmp_path, orders=orders))
    assert [(fault.code, fault.row) for fault in faults] == [("WRONG_TYPE", 3), ("NEGATIVE", 5)]


def test_unclosed_quotation_mark(tmp_path: Path) -> None:
    """Tests that a file broken by a quotation mark is refused where the trouble begins."""
    orders = 'id,from_site,to_site,weight_kg,volume_l,shipper\na,hub,t1,1,5,ok\nb,hub,t1,1,5,"oh\nc,hub,t1,1,5,\n'
    fault = only_fault(write_folder(tmp_path, orders=orders))
    assert (fault.code, fault.row) == ("BROKEN_FILE", 3)


@pytest.mark.parametrize(
    ("encoding", "phrase"), [("gb18030", "GB18030"), ("utf-16", "UTF-16"), ("latin-1", "not UTF-8")]
)
def test_other_encodings_are_named(tmp_path: Path, encoding: str, phrase: str) -> None:
    """Tests that a text that is not UTF-8 is refused with the encoding it looks like."""
    folder = write_folder(tmp_path)
    shipper = "石屏县" if encoding != "latin-1" else "Café ÿ"
    text = f"id,from_site,to_site,weight_kg,volume_l,shipper\na,hub,t1,1,5,{shipper}\n"
    (folder / "orders.csv").write_bytes(text.encode(encoding))
    fault = only_fault(folder)
    assert fault.code == "WRONG_ENCODING"
    assert phrase in str(fault)
    assert "Save the file as UTF-8" in fault.remedy
    if encoding == "gb18030":
        assert (fault.row, fault.value) == (2, "石屏县")


def test_ids_that_lost_their_zeros(tmp_path: Path) -> None:
    """Tests that a site id that lost its leading zeros in a spreadsheet is recognised."""
    sites = "id,name,level,lon,lat\n007,Hub,county,1.5,42.5\n012,Town,town,1.6,42.6\n"
    orders = "id,from_site,to_site,weight_kg,volume_l\na,7,012,1,5\n"
    fault = only_fault(write_folder(tmp_path, sites=sites, orders=orders, fleet=""))
    assert fault.code == "UNKNOWN_SITE"
    assert "'007'" in fault.remedy
    assert "leading zeros" in fault.remedy


def test_workbook_faults(tmp_path: Path) -> None:
    """Tests that dates, formulas without results and over-long numbers in a workbook are named."""
    import datetime as dt

    folder = write_folder(tmp_path)
    lines: list[list[object]] = [
        ["id", "from_site", "to_site", "weight_kg", "volume_l", "release_s"],
        ["a", "hub", "t1", "=1+1", 5, None],
        ["b", "hub", "t1", dt.date(2025, 3, 3), 5, dt.date(2025, 3, 3)],
        [6.90123456789e20, "hub", "t1", 1, True, None],
    ]
    write_workbook(rename_file(folder, "orders", "orders.xlsx"), lines)
    assert [(fault.code, fault.row, fault.field) for fault in faults_of(folder)] == [
        ("FORMULA_ERROR", 2, "weight_kg"),
        ("WRONG_TYPE", 3, "weight_kg"),
        ("DATE_AS_TIME", 3, "release_s"),
        ("SHORTENED_NUMBER", 4, "id"),
        ("WRONG_TYPE", 4, "volume_l"),
    ]


def test_workbook_with_two_unnamed_sheets(tmp_path: Path) -> None:
    """Tests that a workbook with several filled sheets asks which one is meant."""
    folder = write_folder(tmp_path)
    path = rename_file(folder, "orders", "orders.xlsx")
    book = openpyxl.Workbook()
    book.create_sheet("March")
    for sheet in book.worksheets:
        sheet.append(["id", "from_site", "to_site", "weight_kg", "volume_l"])
    book.save(path)
    fault = only_fault(folder)
    assert (fault.code, fault.file) == ("AMBIGUOUS_SHEET", "orders.xlsx")
    assert "Sheet, March" in fault.reason
    assert "'orders'" in fault.remedy


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_broken_workbook(tmp_path: Path, content: bytes) -> None:
    """Tests that a damaged workbook is refused as one."""
    folder = write_folder(tmp_path)
    rename_file(folder, "orders", "orders.xlsx").write_bytes(content)
    assert only_fault(folder).code == "BROKEN_FILE"


BAD_JSON = [
    ("BROKEN_FILE", 2, None, '[{"id": 1},\n oops]'),
    ("BROKEN_FILE", None, None, "[" * 100_000),
    ("BROKEN_FILE", None, None, '{"order": []}'),
    ("WRONG_TYPE", 2, None, orders_json({})[:-1] + ', "text"]'),
    ("UNKNOWN_KEY", 1, "wieght", orders_json({"wieght": 3})),
    ("DUPLICATE_KEY", 1, "id", orders_json({})[:-2] + ', "id": "o2"}]'),
    ("WINDOW_OVERLAP", 1, "windows", orders_json({"windows": [[3600, 7200], [7000, 9000]]})),
    ("WINDOW_ORDER", 1, "windows", orders_json({"windows": [[7200, 3600]]})),
    ("WRONG_TYPE", 1, "windows", orders_json({"windows": "08:00-10:00"})),
    ("WRONG_TYPE", 1, "shipper", orders_json({"shipper": ["Farm 7"]})),
    ("WRONG_TYPE", 1, "windows", orders_json({"windows": [7200, 10_000]})),
    (
        "TWO_WINDOWS",
        1,
        "windows",
        orders_json({"windows": [[3600, 7200]], "window_start_s": 3600, "window_end_s": 7200}),
    ),
    ("RELEASE_AFTER_WINDOW", 1, "release_s", orders_json({"windows": [[3600, 7200]], "release_s": 7201})),
    ("WRONG_TYPE", 1, "id", orders_json({"id": {"a": 1}})),
    ("WRONG_TYPE", 1, "weight_kg", orders_json({"weight_kg": True})),
    ("NOT_A_NUMBER", 1, "weight_kg", orders_json({"weight_kg": float("nan")})),
    ("WRONG_TYPE", 1, "volume_l", orders_json({"volume_l": [5]})),
    ("DUPLICATE_ID", 2, "id", orders_json({}, {})),
]


@pytest.mark.parametrize(("code", "row", "field", "text"), BAD_JSON)
def test_bad_json_orders(tmp_path: Path, code: str, row: int | None, field: str | None, text: str) -> None:
    """Tests that faults of JSON orders are named with the number of the record."""
    folder = write_folder(tmp_path)
    rename_file(folder, "orders", "orders.json").write_text(text)
    found = [(fault.code, fault.row, fault.field) for fault in faults_of(folder)]
    assert (code, row, field) in found
    assert len({row for _, row, _ in found}) == (2 if code == "DUPLICATE_ID" else 1)


def test_unsupported_format(tmp_path: Path) -> None:
    """Tests that an old workbook format is refused with those that are read."""
    folder = write_folder(tmp_path)
    rename_file(folder, "orders", "orders.xls").write_bytes(b"")
    fault = only_fault(folder)
    assert fault.code == "UNSUPPORTED_FORMAT"
    assert ".xlsx" in fault.remedy
