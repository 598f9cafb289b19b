"""Reading tables: CSV, XLSX, JSON and GeoJSON files into rows of raw values, with every structural fault.

A table knows its row numbers as a spreadsheet shows them (the header is row 1); records of JSON and GeoJSON files count
from 1. Nothing is interpreted here: cells become values in `routing.records`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from geodata.errors import Fault, FaultCollector
from routing.cells import is_blank
from routing.fault_codes import FaultCode
from routing.records import RecordType, Where, did_you_mean, shown, unknown_keys

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Row:
    """One row or record: its number, its raw values by column, and the faults of its shape."""

    number: int
    values: Mapping[str, object]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Table:
    """The rows of one file; `sheet_like` is True where rows are numbered as a spreadsheet shows them."""

    file: str
    rows: tuple[Row, ...]


def read_table(path: Path, file: str, record: RecordType, collector: FaultCollector) -> Table | None:
    """Read a table of records.

    Parameters
    ----------
    path
        The file; its suffix decides the format: csv, xlsx, json, geojson.
    file
        Name of the file as faults show it.
    record
        What a row holds; unknown and missing columns are faults of the file.
    collector
        Receives every fault of the file's shape. Faults of single rows stay with the row.

    Returns
    -------
    Table or None
        None when the file cannot be read as a table at all (then the collector holds the reason).
    """
    reader = {".csv": _read_csv, ".xlsx": _read_xlsx, ".json": _read_json, ".geojson": _read_geojson}.get(
        path.suffix.lower()
    )
    where = Where(file)
    if reader is None:
        remedy = "Give a .csv, .xlsx, .json or .geojson file."
        collector.add(
            where.fault(FaultCode.UNSUPPORTED_FORMAT, None, path.suffix, "the format is not supported", remedy)
        )
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        collector.add(missing_file(file, error))
        return None
    rows = reader(data, where, record, collector)
    return None if rows is None else Table(file, tuple(rows))


def missing_file(file: str, error: OSError) -> Fault:
    """Return the fault of a file that cannot be opened."""
    reason = "the file is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
    return Where(file).fault(
        FaultCode.MISSING_FILE, None, None, reason, "Put the file there, or mend its name in scenario.toml."
    )


def decode_text(data: bytes, where: Where, collector: FaultCollector) -> str | None:
    """Return UTF-8 text (a byte-order mark is dropped), or None with a fault that names the encoding it looks like."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        guess, sample = _guess_encoding(data, error.start)
    reason = f"the text is not UTF-8; it looks like {guess}" if guess else "the text is not UTF-8"
    remedy = "Save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
    collector.add(Where(where.file, line).fault(FaultCode.WRONG_ENCODING, None, sample, reason, remedy))
    return None


def _guess_encoding(data: bytes, start: int) -> tuple[str | None, str | None]:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "UTF-16", None
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return None, None
    piece = re.split(rb"[,;\t\r\n\"]", data[start : start + 40])[0]
    return "GB18030", piece.decode("gb18030", errors="ignore")


# --- CSV and XLSX: a header, then rows -------------------------------------------------------------------------------


def _read_csv(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> list[Row] | None:
    text = decode_text(data, where, collector)
    if text is None:
        return None
    first_line = text.split("\n", 1)[0]
    delimiter = max(
        _DELIMITERS, key=lambda mark: sum(name.strip() in record.by_name for name in first_line.split(mark))
    )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [list(line) for line in reader]
    except csv.Error as error:
        reason = f"the file is broken from line {reader.line_num} on: {error}"
        remedy = "Close every quotation mark, and write a quotation mark inside a text twice."
        collector.add(Where(where.file, reader.line_num).fault(FaultCode.BROKEN_FILE, None, None, reason, remedy))
        return None
    return _rows_of_lines(lines, where, record, collector)


def _read_xlsx(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> list[Row] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it drops; values are all there
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            sheets = {
                sheet.title: [list(line) for line in sheet.iter_rows(values_only=True)] for sheet in book.worksheets
            }
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, OSError) as error:
        remedy = "Open it in a spreadsheet and save it as .xlsx again."
        collector.add(where.fault(FaultCode.BROKEN_FILE, None, None, f"the workbook cannot be read: {error}", remedy))
        return None
    filled = {
        title: lines for title, lines in sheets.items() if any(not is_blank(cell) for line in lines for cell in line)
    }
    named = [title for title in filled if title.strip().lower() == record.name]
    chosen = named or list(filled)
    if len(chosen) > 1:
        reason = f"the workbook has {len(chosen)} filled sheets: {', '.join(chosen)}"
        remedy = f"Name the sheet to be read '{record.name}'."
        collector.add(where.fault(FaultCode.AMBIGUOUS_SHEET, None, None, reason, remedy))
        return None
    return _rows_of_lines(filled[chosen[0]] if chosen else [], where, record, collector)


def _rows_of_lines(
    lines: Sequence[Sequence[object]], where: Where, record: RecordType, collector: FaultCollector
) -> list[Row] | None:
    header = [str(cell).strip() if not is_blank(cell) else "" for cell in lines[0]] if lines else []
    while header and not header[-1]:
        header.pop()
    if not _check_header(header, where, record, collector):
        return None
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if any(not is_blank(cell) for cell in line):
            surplus = [cell for cell in line[len(header) :] if not is_blank(cell)]
            rows.append(
                Row(number, dict(zip(header, line, strict=False)), _surplus_fault(where, number, surplus, header))
            )
    return rows


def _surplus_fault(where: Where, number: int, surplus: Sequence[object], header: Sequence[str]) -> tuple[Fault, ...]:
    if not surplus:
        return ()
    reason = f"the row has {len(surplus)} cells more than the header's {len(header)}"
    remedy = "Put texts that hold the separator in quotation marks."
    return (Where(where.file, number).fault(FaultCode.ROW_TOO_LONG, None, surplus[0], reason, remedy),)


def _check_header(header: Sequence[str], where: Where, record: RecordType, collector: FaultCollector) -> bool:
    """Report every fault of the header; return False when the rows below cannot be read."""
    at_header = Where(where.file, 1)
    if not any(name in record.by_name for name in header):
        reason = "the file is empty" if not header else "the first row is not a header"
        remedy = f"Start the file with the column names; required: {', '.join(record.required)}."
        collector.add(at_header.fault(FaultCode.MISSING_HEADER, None, ",".join(header) or None, reason, remedy))
        return False
    faults = [
        at_header.fault(
            FaultCode.DUPLICATE_COLUMN, name, None, f"the column '{name}' appears twice", "Keep one of them."
        )
        for name in sorted({name for name in header if name and header.count(name) > 1})
    ]
    if "" in header:
        reason = f"column {header.index('') + 1} has no name"
        faults.append(at_header.fault(FaultCode.UNNAMED_COLUMN, None, None, reason, "Name the column or delete it."))
    unknown = [name for name in header if name and name not in record.by_name]
    free = [name for name in record.by_name if name not in header]
    for name in unknown:
        reason = f"'{name}' is not a known column of {record.name}"
        faults.append(
            at_header.fault(FaultCode.UNKNOWN_COLUMN, name, None, reason, did_you_mean(name, free, "known columns"))
        )
    faults.extend(_missing_columns(header, at_header, record))
    for fault in faults:
        collector.add(fault)
    return not faults


def _missing_columns(header: Iterable[str], where: Where, record: RecordType) -> list[Fault]:
    present = set(header)
    return [
        where.fault(
            FaultCode.MISSING_COLUMN,
            name,
            None,
            f"the required column '{name}' is missing",
            f"Add it: {record.by_name[name].text}; {record.by_name[name].accepts}.",
        )
        for name in record.required
        if name not in present
    ]


# --- JSON and GeoJSON: a list of records -----------------------------------------------------------------------------


def parse_json(data: bytes, where: Where, collector: FaultCollector) -> Any | None:
    """Return the parsed document, or None with a fault that names the line."""
    text = decode_text(data, where, collector)
    if text is None:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"the file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
    except RecursionError:
        reason = "the file is not usable JSON: it is nested too deeply"
    collector.add(where.fault(FaultCode.BROKEN_FILE, None, None, reason, "Mend the syntax there."))
    return None


def _read_json(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> list[Row] | None:
    document = parse_json(data, where, collector)
    if document is None:
        return None
    records = document.get(record.name) if isinstance(document, dict) else document
    if not isinstance(records, list):
        reason = "the document is neither a list of records nor an object with one"
        remedy = f'Write [{{...}}, ...] or {{"{record.name}": [{{...}}, ...]}}.'
        collector.add(where.fault(FaultCode.BROKEN_FILE, None, shown(document), reason, remedy))
        return None
    return [_row_of_object(values, number, where, record) for number, values in enumerate(records, start=1)]


def _row_of_object(values: object, number: int, where: Where, record: RecordType) -> Row:
    at_row = Where(where.file, number)
    if not isinstance(values, dict):
        remedy = f'Write an object such as {{"{record.required[0]}": ...}}.'
        return Row(
            number, {}, (at_row.fault(FaultCode.WRONG_TYPE, None, values, "the record is not an object", remedy),)
        )
    return Row(number, values, tuple(unknown_keys(record, values, at_row)))


def _read_geojson(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> list[Row] | None:
    document = parse_json(data, where, collector)
    if document is None:
        return None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        remedy = "Give a GeoJSON FeatureCollection of points."
        collector.add(where.fault(FaultCode.BROKEN_FILE, None, None, "the document is not a FeatureCollection", remedy))
        return None
    return [_row_of_feature(feature, number, where, record) for number, feature in enumerate(features, start=1)]


def _row_of_feature(feature: object, number: int, where: Where, record: RecordType) -> Row:
    at_row = Where(where.file, number)
    parts = feature if isinstance(feature, dict) else {}
    geometry, properties = parts.get("geometry"), parts.get("properties")
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    values: dict[str, object] = dict(properties) if isinstance(properties, dict) else {}
    if "id" in parts and "id" in record.by_name:
        values.setdefault("id", parts["id"])
    faults = tuple(unknown_keys(record, values, at_row))
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point"
    if not is_point or not isinstance(coordinates, list) or len(coordinates) < 2:
        fault = at_row.fault(
            FaultCode.WRONG_GEOMETRY, "geometry", None, "the feature is not a point", "Give a Point [lon, lat]."
        )
        return Row(number, values, (*faults, fault))
    values["lon"], values["lat"] = coordinates[0], coordinates[1]
    return Row(number, values, faults)
