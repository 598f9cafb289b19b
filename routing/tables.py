"""Reading tables: CSV, XLSX, JSON and GeoJSON files into rows of raw values, with every structural fault.

A table knows its row numbers as a spreadsheet shows them (the header is row 1); records of JSON and GeoJSON files count
from 1. Nothing is interpreted here: cells become values in `routing.records`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geodata.errors import Fault, FaultCollector
from routing.cells import is_blank
from routing.fault_codes import FaultCode
from routing.json_records import read_geojson, read_json
from routing.records import RecordType, Row, Where, did_you_mean
from routing.text_files import decode_text, read_bytes
from routing.workbooks import read_sheet

_DELIMITERS: Final = (",", ";", "\t")


@dataclass(frozen=True)
class Table:
    """The rows of one file. `absent` names required columns it lacks; it is then read only to find more faults."""

    file: str
    rows: tuple[Row, ...]
    absent: frozenset[str] = frozenset()


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
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        reason, remedy = f"files of the type '{path.suffix}' are not read", f"Give a file of {', '.join(_READERS)}."
        collector.add(Where(file).fault(FaultCode.UNSUPPORTED_FORMAT, None, None, reason, remedy))
        return None
    data = read_bytes(path, file, collector)
    return None if data is None else reader(data, Where(file), record, collector)


def _read_csv(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> Table | None:
    text = decode_text(data, where, collector)
    if text is None:
        return None
    header = text.split("\n", 1)[0]
    known = {mark: sum(name.strip(' "\r') in record.by_name for name in header.split(mark)) for mark in _DELIMITERS}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=known.__getitem__), strict=True)
    lines: list[list[str]] = []
    try:
        lines.extend(reader)
    except csv.Error as error:
        reason = f"the table is broken from here on: {error}"
        remedy = "Close every quotation mark, and write a quotation mark inside a text twice."
        collector.add(Where(where.file, len(lines) + 1).fault(FaultCode.BROKEN_FILE, None, None, reason, remedy))
        return None
    return _table_of_lines(lines, where, record, collector)


def _read_xlsx(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> Table | None:
    lines = read_sheet(data, record.name, where, collector)
    return None if lines is None else _table_of_lines(lines, where, record, collector)


def _read_json(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> Table | None:
    rows = read_json(data, where, record, collector)
    return None if rows is None else Table(where.file, rows)


def _read_geojson(data: bytes, where: Where, record: RecordType, collector: FaultCollector) -> Table | None:
    rows = read_geojson(data, where, record, collector)
    return None if rows is None else Table(where.file, rows)


_READERS: Final[Mapping[str, Callable[[bytes, Where, RecordType, FaultCollector], Table | None]]] = {
    ".csv": _read_csv,
    ".xlsx": _read_xlsx,
    ".json": _read_json,
    ".geojson": _read_geojson,
}


def _table_of_lines(
    lines: Sequence[Sequence[object]], where: Where, record: RecordType, collector: FaultCollector
) -> Table | None:
    header = [str(cell).strip() if not is_blank(cell) else "" for cell in lines[0]] if lines else []
    while header and not header[-1]:
        header.pop()
    at_header = Where(where.file, 1)
    if not any(name in record.by_name for name in header):
        reason = "the first row is not a header" if header else "the file is empty"
        remedy = f"Start the file with a row of column names; required are {', '.join(record.required)}."
        collector.add(at_header.fault(FaultCode.MISSING_HEADER, None, ",".join(header) or None, reason, remedy))
        return None
    absent = frozenset(record.required) - frozenset(header)
    for fault in _header_faults(header, absent, at_header, record):
        collector.add(fault)
    return Table(where.file, tuple(_rows(lines, header, where)), absent)


def _rows(lines: Sequence[Sequence[object]], header: Sequence[str], where: Where) -> Iterator[Row]:
    """Yield a row per line that is not blank, numbered as a spreadsheet numbers them."""
    for number, line in enumerate(lines[1:], start=2):
        if any(not is_blank(cell) for cell in line):
            surplus = [cell for cell in line[len(header) :] if not is_blank(cell)]
            faults = (_surplus_fault(surplus[0], len(header), Where(where.file, number)),) if surplus else ()
            yield Row(number, dict(zip(header, line, strict=False)), faults)


def _surplus_fault(cell: object, n_columns: int, where: Where) -> Fault:
    reason = f"the row has more cells than the header's {n_columns}"
    remedy = "Put texts that hold the separator in quotation marks."
    return where.fault(FaultCode.ROW_TOO_LONG, None, cell, reason, remedy)


def _header_faults(header: Sequence[str], absent: Collection[str], where: Where, record: RecordType) -> Iterator[Fault]:
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        reason = f"the column '{name}' appears twice"
        yield where.fault(FaultCode.DUPLICATE_COLUMN, name, None, reason, "Keep one of them.")
    if "" in header:
        reason = f"column {header.index('') + 1} has no name"
        yield where.fault(FaultCode.UNNAMED_COLUMN, None, None, reason, "Name the column or delete it.")
    free = [name for name in record.by_name if name not in header]
    for name in header:
        if name and name not in record.by_name:
            reason = f"'{name}' is not a known column of {record.name}"
            yield where.fault(FaultCode.UNKNOWN_COLUMN, name, None, reason, did_you_mean(name, free, "known columns"))
    for field in record.fields:
        if field.name in absent:
            reason = f"the required column '{field.name}' is missing"
            yield where.fault(
                FaultCode.MISSING_COLUMN, field.name, None, reason, f"Add it: {field.text}; {field.accepts}."
            )
