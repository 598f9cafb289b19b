"""Record types: which columns or keys an input file has, said once.

The readers, the JSON Schemas and the tables of the documentation are all made from these declarations, so they cannot
disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from geodata.errors import Fault, nearest_name
from routing.cells import CellError, is_blank, read_cell
from routing.fault_codes import FaultCode

Kind = Literal[
    "number", "integer", "coordinate", "seconds", "text", "choice", "flag", "texts", "span", "spans", "date", "table"
]
MAX_TIME_S = 3 * 86_400
"""Latest time of a service day that is believed; GTFS days run past 24:00, never past a third midnight."""

_NOUNS: Mapping[Kind, str] = {
    "number": "a number",
    "integer": "a whole number",
    "coordinate": "a number",
    "seconds": "whole seconds after midnight, or HH:MM, or HH:MM:SS",
    "text": "a text",
    "choice": "one of",
    "flag": "true or false",
    "texts": "a list (in a table cell separated by ';')",
    "span": "a pair [start, end] of seconds after midnight or HH:MM",
    "spans": "a list of pairs [start, end] of seconds after midnight or HH:MM",
    "date": "a date as YYYY-MM-DD",
    "table": "a table of its own",
}
_NUMERIC = frozenset({"number", "integer", "coordinate"})


@dataclass(frozen=True)
class Field:
    """One column or key.

    Parameters
    ----------
    name
        Name in the file.
    kind
        What it holds; ``table`` marks a key that holds further records and is read by its own record type.
    text
        What it means, one phrase, for the documentation.
    required
        True when a row without it is faulty.
    default
        Value where the cell is blank and the field is not required.
    low, high, above_low
        Limits, inclusive unless `above_low` (then strictly above `low`).
    choices
        Accepted words of a ``choice``.
    unit
        Unit for the documentation; money is minor units.
    """

    name: str
    kind: Kind
    text: str
    required: bool = False
    default: object = None
    low: float | None = None
    high: float | None = None
    above_low: bool = False
    choices: tuple[str, ...] = ()
    unit: str = ""

    @property
    def accepts(self) -> str:
        """What is accepted, as a phrase that follows "give"."""
        phrase = _NOUNS[self.kind]
        if self.kind == "choice":
            return f"{phrase} {', '.join(self.choices)}"
        if self.kind not in _NUMERIC:
            return phrase
        return phrase + self._limits_phrase() + (f", in {self.unit}" if self.unit else "")

    def _limits_phrase(self) -> str:
        if self.low is None or self.high is None:
            low = "" if self.low is None else f" {'above' if self.above_low else 'of at least'} {self.low:,.10g}"
            return low + ("" if self.high is None else f" up to {self.high:,.10g}")
        start, end = f"{self.low:,.10g}", f"{self.high:,.10g}"
        return f" above {start} and up to {end}" if self.above_low else f" from {start} to {end}"


@dataclass(frozen=True)
class RecordType:
    """A kind of record: its name as the documentation calls it, its fields in order, and what one record is."""

    name: str
    text: str
    fields: tuple[Field, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Fields by name."""
        return {field.name: field for field in self.fields}

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the required fields."""
        return tuple(field.name for field in self.fields if field.required)

    def without_requirements(self) -> RecordType:
        """Return this type with every field optional and no default: for records that amend another."""
        fields = tuple(Field(**{**_as_arguments(field), "required": False, "default": None}) for field in self.fields)
        return RecordType(self.name, self.text, fields)


def _as_arguments(field: Field) -> dict[str, Any]:
    return {name: getattr(field, name) for name in Field.__dataclass_fields__}


@dataclass(frozen=True)
class Row:
    """One row or record: its number, its raw values by column, and the faults of its shape."""

    number: int
    values: Mapping[str, object]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Where:
    """Where a record stands: file, row (or record number) and, in nested files, the prefix of its field names."""

    file: str
    row: int | None = None
    prefix: str = ""

    def fault(self, code: FaultCode, field: str | None, value: object, reason: str, remedy: str) -> Fault:
        """Return a fault at this place; `value` is shown as text."""
        return Fault(
            code=str(code),
            file=self.file,
            row=self.row,
            field=None if field is None else self.prefix + field,
            value=None if value is None else shown(value),
            reason=reason,
            remedy=remedy,
        )


def shown(value: object) -> str:
    """Return a value as the text a fault shows, cut at 80 characters."""
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def read_record(
    record: RecordType,
    values: Mapping[str, object],
    where: Where,
    *,
    check_names: bool = True,
    skip: Collection[str] = (),
) -> tuple[dict[str, Any], list[Fault]]:
    """Read one record.

    Parameters
    ----------
    check_names
        False when the caller has looked at the names already.
    skip
        Fields that are not read nor missed, since the whole column is absent.

    Returns
    -------
    tuple
        The values that could be read, by field name (defaults filled in for blanks; a faulty field is absent; fields of
        kind ``table`` are left out), and the faults found.
    """
    faults = unknown_keys(record, values, where) if check_names else []
    found: dict[str, Any] = {}
    for field in record.fields:
        if field.kind == "table" or field.name in skip:
            continue
        value = values.get(field.name)
        if not is_blank(value):
            try:
                found[field.name] = read_cell(field, value)
            except CellError as error:
                faults.append(where.fault(error.code, field.name, value, error.reason, error.remedy))
        elif field.required:
            faults.append(
                where.fault(
                    FaultCode.MISSING_VALUE, field.name, None, f"{field.name} is empty", f"Give {field.accepts}."
                )
            )
        else:
            found[field.name] = field.default
    return found, faults


def unknown_keys(record: RecordType, names: Iterable[str], where: Where) -> list[Fault]:
    """Return a fault for each name that is no field of the record, with the nearest one that is."""
    return [
        where.fault(
            FaultCode.UNKNOWN_KEY,
            name,
            None,
            f"'{name}' is not a known key of {record.name}",
            did_you_mean(name, record.by_name),
        )
        for name in names
        if name not in record.by_name
    ]


def did_you_mean(wanted: str, known: Iterable[str], noun: str = "known names") -> str:
    """Return the remedy for an unknown name: the nearest known one, or the first few there are."""
    names = list(known)
    near = nearest_name(wanted, names)
    if near is not None:
        return f"Did you mean '{near}'?"
    if not names:
        return f"There are no {noun} to choose from."
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"Use one of the {noun}: {listed}."
