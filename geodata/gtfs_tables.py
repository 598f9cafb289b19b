"""The tables of a GTFS feed as text: finds and decodes the files of a zip or folder and hands out their cells.

Everything that is the same for every table lives here: byte-order marks, quoting, missing columns, ragged rows, and
the conversion of cells with a fault for each that does not convert.
"""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

from geodata.errors import Fault, FaultCollector

_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")


@dataclass
class FeedText:
    """The files of a feed by name, not yet parsed, and what was found wrong in them so far.

    `label` names the feed in faults (``timetable.zip``); `warnings` are faults that leave the feed usable.
    """

    label: str
    files: Mapping[str, bytes]
    faults: FaultCollector
    warnings: list[Fault] = field(default_factory=list)

    def fault(
        self,
        code: str,
        file: str,
        reason: str,
        remedy: str,
        *,
        row: int | None = None,
        field_name: str | None = None,
        value: str | None = None,
    ) -> None:
        """Record something that makes the feed unusable."""
        self.faults.add(Fault(code, self._path(file), reason, remedy, row, field_name, value))

    def warn(
        self,
        code: str,
        file: str,
        reason: str,
        remedy: str,
        *,
        row: int | None = None,
        field_name: str | None = None,
        value: str | None = None,
    ) -> None:
        """Record something wrong that can be lived with; `remedy` says how it was read."""
        self.warnings.append(Fault(code, self._path(file), reason, remedy, row, field_name, value))

    def _path(self, file: str) -> str:
        return f"{self.label}/{file}" if file else self.label


@dataclass(frozen=True)
class Row:
    """One row of a table; `cell` gives text, the typed getters convert and record a fault where they cannot."""

    table: Table
    number: int
    cells: Sequence[str]

    def cell(self, column: str) -> str:
        """Return the stripped text of a cell, empty where column or cell is absent."""
        at = self.table.columns.get(column, -1)
        return self.cells[at].strip() if 0 <= at < len(self.cells) else ""

    def wrong(self, column: str, reason: str, remedy: str, code: str = "BAD_VALUE") -> None:
        """Record a fault in a cell of this row."""
        self.table.text.fault(
            code, self.table.name, reason, remedy, row=self.number, field_name=column, value=self.cell(column)
        )

    def required(self, column: str) -> str:
        """Return the text of a cell that must not be empty."""
        text = self.cell(column)
        if not text:
            self.wrong(column, "the value is missing", "Give a value.", "MISSING_VALUE")
        return text

    def number_in(self, column: str, low: float, high: float, default: float | None = None) -> float | None:
        """Return a finite number within [low, high]; `default` for an empty cell (None: the cell is required)."""
        text = self.cell(column)
        if not text and default is not None:
            return default
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high or math.isinf(number):
            self.wrong(column, "not a number in the accepted range", f"Give a number {_range(low, high)}.")
            return None
        return number

    def whole_in(self, column: str, low: int, high: int, default: int | None = None) -> int | None:
        """Return a whole number within [low, high]; `default` for an empty cell (None: the cell is required)."""
        text = self.cell(column)
        if not text and default is not None:
            return default
        if not re.fullmatch(r"-?\d{1,12}", text) or not low <= int(text) <= high:
            self.wrong(column, "not a whole number in the accepted range", f"Give a whole number {_range(low, high)}.")
            return None
        return int(text)

    def time_s(self, column: str) -> int | None:
        """Return a clock time ``H:MM:SS`` as seconds after midnight, None (with a fault) if it is none."""
        time_s = seconds(self.cell(column))
        if time_s is None:
            self.wrong(column, "not a time", "Write times as HH:MM:SS; hours may pass 24.", "BAD_TIME")
        return time_s

    def day(self, column: str) -> date | None:
        """Return a date ``YYYYMMDD``, None (with a fault) if it is none."""
        match = _DATE.fullmatch(self.cell(column))
        if match:
            try:
                return date(int(match[1]), int(match[2]), int(match[3]))
            except ValueError:
                pass
        self.wrong(column, "not a date", "Write dates as YYYYMMDD.", "BAD_DATE")
        return None


@dataclass(frozen=True)
class Table:
    """A parsed table: column positions and rows as lists of text with their 1-based row number."""

    text: FeedText
    name: str
    columns: Mapping[str, int]
    records: Sequence[tuple[int, list[str]]]

    def rows(self) -> Iterator[Row]:
        """Yield the rows in file order."""
        for number, cells in self.records:
            yield Row(self, number, cells)

    def unique(self, columns: Sequence[str]) -> Iterator[Row]:
        """Yield rows whose key is complete and new; a fault is recorded for each other row."""
        seen: dict[tuple[str, ...], int] = {}
        for row in self.rows():
            key = tuple(row.cell(column) for column in columns)
            if not all(key):
                row.required(columns[key.index("")])
            elif key in seen:
                row.wrong(
                    columns[-1],
                    f"duplicate key {', '.join(columns)}, first used in row {seen[key]}",
                    "Keep one of the rows.",
                    "DUPLICATE_ID",
                )
            else:
                seen[key] = row.number
                yield row


def seconds(text: str) -> int | None:
    """Return ``H:MM:SS`` (hours may pass 24) as seconds, None if the text is no such time."""
    match = _CLOCK.fullmatch(text)
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) if match else None


def open_feed(path: Path, faults: FaultCollector, wanted: Sequence[str]) -> FeedText:
    """Read the wanted files of a feed, a zip or a folder, from its root or from one folder inside it."""
    text = FeedText(path.name, {}, faults)
    if not path.exists():
        text.fault("MISSING_FILE", "", "the timetable does not exist", "Give the path of a GTFS zip or folder.")
    elif path.is_dir():
        found = {p.relative_to(path).as_posix(): p for p in sorted(path.rglob("*.txt")) if p.is_file()}
        text.files = _pick(found, wanted)
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                text.files = _pick({name: zipfile.Path(archive, name) for name in archive.namelist()}, wanted)
        except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
            text.fault("BROKEN_FILE", "", f"not a readable zip file ({error})", "Give a GTFS zip or folder.")
    return text


def _pick(found: Mapping[str, Path | zipfile.Path], wanted: Sequence[str]) -> dict[str, bytes]:
    """Read the wanted names from the shallowest folder that holds ``stops.txt`` (or, without one, any wanted file)."""
    folders = [str(PurePosixPath(name).parent) for name in found if PurePosixPath(name).name == "stops.txt"]
    if not folders:
        folders = [str(PurePosixPath(name).parent) for name in found if PurePosixPath(name).name in wanted]
    folder = min(folders, key=lambda name: (len(PurePosixPath(name).parts), name), default=".")
    return {
        PurePosixPath(name).name: file.read_bytes()
        for name, file in found.items()
        if str(PurePosixPath(name).parent) == folder and PurePosixPath(name).name in wanted
    }


def read_table(text: FeedText, name: str, required: Sequence[str], *, optional: bool = False) -> Table:
    """Parse one table; an absent file or column becomes a fault unless the file is optional."""
    empty = Table(text, name, {}, ())
    if name not in text.files:
        if not optional:
            text.fault("MISSING_FILE", name, "the feed lacks this file", f"Add {name} with {', '.join(required)}.")
        return empty
    try:
        content = text.files[name].decode("utf-8-sig")
        records = list(csv.reader(io.StringIO(content, newline="")))
    except UnicodeDecodeError as error:
        text.fault("WRONG_ENCODING", name, f"not UTF-8 text (byte {error.start})", "Save the file as UTF-8.")
        return empty
    except csv.Error as error:
        text.fault("BROKEN_FILE", name, f"not a readable table ({error})", "Save the file as comma-separated text.")
        return empty
    if not records:
        if not optional:
            text.fault("MISSING_HEADER", name, "the file is empty", f"Add a header row with {', '.join(required)}.")
        return empty
    columns = {column.strip(): at for at, column in reversed(list(enumerate(records[0])))}
    missing = [column for column in required if column not in columns]
    for column in missing:
        text.fault(
            "MISSING_COLUMN", name, "a required column is missing", f"Add the column {column}.", field_name=column
        )
    if missing:
        return empty
    return Table(text, name, columns, _filled(text, name, records))


def _filled(text: FeedText, name: str, records: list[list[str]]) -> list[tuple[int, list[str]]]:
    width = len(records[0])
    filled = []
    for number, cells in enumerate(records[1:], start=2):
        if len(cells) > width:
            text.warn(
                "ROW_TOO_LONG",
                name,
                f"{len(cells)} cells under {width} columns",
                "The extra ones are ignored.",
                row=number,
            )
        if any(cells):
            filled.append((number, cells))
    return filled


def _range(low: float, high: float) -> str:
    return f"of at least {low:g}" if math.isinf(high) or high >= 1e9 else f"from {low:g} to {high:g}"
