"""Opening files and decoding text, with faults instead of exceptions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geodata.errors import FaultCollector
from routing.fault_codes import FaultCode
from routing.records import Where


def read_bytes(path: Path, file: str, collector: FaultCollector) -> bytes | None:
    """Return the content of a file, or None with the reason in the collector; `file` is its name in faults."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        reason = "the file is missing" if path.parent.is_dir() else f"the folder '{path.parent.name}' is missing"
        remedy = "Put it there, or mend its name."
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror}"
        remedy = "Give a file that may be read."
    collector.add(Where(file).fault(FaultCode.MISSING_FILE, None, None, reason, remedy))
    return None


def decode_text(data: bytes, where: Where, collector: FaultCollector) -> str | None:
    """Return UTF-8 text (a byte-order mark is dropped), or None with a fault that names the encoding it looks like."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        first = re.search(rb"[\x80-\xff]", data)
        start = 0 if first is None else first.start()
        line = data.count(b"\n", 0, start) + 1
        guess, sample = _guess_encoding(data, start)
    reason = f"the text is not UTF-8; it looks like {guess}" if guess else "the text is not UTF-8"
    remedy = "Save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
    collector.add(Where(where.file, line).fault(FaultCode.WRONG_ENCODING, None, sample, reason, remedy))
    return None


def _guess_encoding(data: bytes, start: int) -> tuple[str | None, str | None]:
    """Return the name of the likely encoding, and the first text that is not ASCII as that encoding reads it."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "UTF-16", None
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return None, None
    piece = re.split(rb"[,;\t\r\n\"]", data[start : start + 40])[0]
    return "GB18030, as spreadsheets in China save CSV", piece.decode("gb18030", errors="ignore")


def read_toml(path: Path, file: str, collector: FaultCollector) -> Mapping[str, Any] | None:
    """Return the document of a TOML file, or None with the reason in the collector."""
    data = read_bytes(path, file, collector)
    if data is None:
        return None
    text = decode_text(data, Where(file), collector)
    return None if text is None else parse_toml(text, Where(file), collector)


def parse_toml(text: str, where: Where, collector: FaultCollector) -> Mapping[str, Any] | None:
    """Return the document of TOML text, or None with a fault that names the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = f"the file is not TOML: {error}"
        line = re.search(r"at line (\d+)", str(error))
    except RecursionError:
        reason, line = "the file is not usable TOML: it is nested too deeply", None
    at_line = Where(where.file, int(line[1]) if line else None)
    collector.add(at_line.fault(FaultCode.BROKEN_FILE, None, None, reason, "Mend the syntax there."))
    return None
