"""Reading TOML files, with faults instead of exceptions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geodata.errors import FaultCollector
from routing.fault_codes import FaultCode
from routing.records import Where
from routing.tables import decode_text, missing_file


def read_toml(path: Path, file: str, collector: FaultCollector) -> Mapping[str, Any] | None:
    """Return the document of a TOML file, or None with the reason in the collector."""
    try:
        data = path.read_bytes()
    except OSError as error:
        collector.add(missing_file(file, error))
        return None
    text = decode_text(data, Where(file), collector)
    return None if text is None else parse_toml(text, Where(file), collector)


def parse_toml(text: str, where: Where, collector: FaultCollector) -> Mapping[str, Any] | None:
    """Return the document of TOML text, or None with a fault that names the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        at_line = Where(where.file, int(line[1]) if line else None)
        collector.add(
            at_line.fault(FaultCode.BROKEN_FILE, None, None, f"the file is not TOML: {error}", "Mend the syntax there.")
        )
        return None
