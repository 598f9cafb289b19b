"""Best published values kept beside instance files: ``best_known.csv`` or a ``.sol`` file."""

from __future__ import annotations

import csv
from pathlib import Path

from geodata.errors import Fault, InputError

_LEVELS = 3
"""Folders looked through, from the instance's own upwards."""


def row_of(path: Path, name: str) -> dict[str, str]:
    """Return the row of `name` (any case) in the nearest ``best_known.csv`` beside or above the file; else empty.

    Raises
    ------
    InputError
        If that table cannot be read.
    """
    for folder in [path.resolve().parent, *path.resolve().parent.parents][:_LEVELS]:
        table = folder / "best_known.csv"
        if table.is_file():
            return _rows(table).get(name.casefold(), {})
    return {}


def number(row: dict[str, str], column: str) -> float | None:
    """Return the figure of a column, None where the cell is empty, missing or no number."""
    try:
        return float(row.get(column) or "")
    except ValueError:
        return None


def cost_of_solution_file(path: Path) -> float | None:
    """Return the ``Cost`` line of the ``.sol`` file beside an instance, None without one."""
    solution = path.with_suffix(".sol")
    if not solution.is_file():
        return None
    for line in solution.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.replace(":", " ").split()
        if len(words) == 2 and words[0].casefold() == "cost":
            return number({"cost": words[1]}, "cost")
    return None


def _rows(table: Path) -> dict[str, dict[str, str]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            found = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = f"the table of best known values cannot be read: {error}"
        raise InputError(
            [Fault("BROKEN_FILE", table.name, reason, "Give a CSV file in UTF-8, or take it away")]
        ) from error
    return {(row.get("instance") or "").casefold(): row for row in found}
