"""Reading the text of an instance file."""

from __future__ import annotations

from pathlib import Path

from geodata.errors import Fault, InputError


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank with their numbers from 1, ends stripped.

    Raises
    ------
    InputError
        If the file is missing, is not text or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"the instance cannot be read: {error.strerror if isinstance(error, OSError) else 'not text'}"
        raise InputError([Fault("BROKEN_FILE", path.name, reason, "Give the file as published")]) from error
    lines = [(k, line.strip()) for k, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise InputError([Fault("BROKEN_FILE", path.name, "the file is empty", "Give the file as published")])
    return lines
