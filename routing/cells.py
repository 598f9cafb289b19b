"""What one cell or key of an input file may hold, and the reading of it.

Values arrive as a spreadsheet, JSON or TOML gives them (text, numbers, times); each reader returns the value in the
project's units or raises `CellError`, which carries what a person needs to mend the cell.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from geodata.errors import nearest_name
from routing.fault_codes import FaultCode

if TYPE_CHECKING:
    from routing.records import Field

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([,'’  ]\d{3})+(\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_WITH_UNIT = re.compile(r"([+-]?\d+(\.\d+)?)\s*([^\W\d_]+)")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
NO_RESULT: Final = "#NO RESULT!"
"""Stands for a formula whose result the spreadsheet did not store."""
_SPREADSHEET_ERRORS: Final = (NO_RESULT, "#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!")
_SHORTENED = re.compile(r"\d(\.\d+)?[eE]\+\d+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


HOUR_SLIP: Final = 30
"""Times of day within the first seconds after midnight are taken for hours; midnight itself is fine."""
SPREADSHEET_DIGITS: Final = 1e15
"""Spreadsheets keep 15 digits of a number."""


class CellError(Exception):
    """A value that cannot be read: stable `code`, `reason` and `remedy` as in `geodata.errors.Fault`."""

    def __init__(self, code: FaultCode, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.remedy = remedy


def is_blank(value: object) -> bool:
    """Return True for what a spreadsheet shows as an empty cell."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_cell(field: Field, value: object) -> object:
    """Return the value of one non-blank cell as `field` wants it.

    Raises
    ------
    CellError
        If the value is not of the field's kind or lies outside its limits.
    """
    if isinstance(value, str) and value.strip() in _SPREADSHEET_ERRORS:
        raise CellError(
            FaultCode.FORMULA_ERROR, "the cell holds a formula without a result", "Mend the formula or type the value."
        )
    return _READERS[field.kind](field, value)


def _read_coordinate(field: Field, value: object) -> float:
    """Return degrees as given: whether they make sense is judged as a pair, in `routing.coordinates`."""
    number = _as_number(field, value)
    if not math.isfinite(number):
        raise CellError(FaultCode.NOT_A_NUMBER, "the value is not a finite number", f"Give {field.accepts}.")
    return number


def _read_number(field: Field, value: object) -> float:
    number = _as_number(field, value)
    if not math.isfinite(number):
        raise CellError(FaultCode.NOT_A_NUMBER, "the value is not a finite number", f"Give {field.accepts}.")
    _check_limits(field, number)
    return number


def _read_integer(field: Field, value: object) -> int:
    number = _read_number(field, value)
    if number != int(number):
        raise CellError(FaultCode.NOT_WHOLE, "the value is not a whole number", f"Give {field.accepts}.")
    return int(number)


def _as_number(field: Field, value: object) -> float:
    if isinstance(value, bool):
        raise CellError(FaultCode.WRONG_TYPE, "a yes/no value stands where a number belongs", f"Give {field.accepts}.")
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        raise CellError(
            FaultCode.WRONG_TYPE,
            "the spreadsheet holds a date or time where a number belongs",
            f"Format the cell as a number and give {field.accepts}.",
        )
    if isinstance(value, str):
        return _number_of_text(field, value.strip())
    raise CellError(FaultCode.WRONG_TYPE, f"the value is {_kind_of(value)}, not a number", f"Give {field.accepts}.")


def _number_of_text(field: Field, text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    if text.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        return math.nan
    if _GROUPED.fullmatch(text):
        plain = re.sub(r"[,'’  ]", "", text)
        raise CellError(
            FaultCode.NUMBER_FORMAT,
            "the number has a thousands separator, or a comma for the decimal point",
            f"Write it plainly with a point: {plain} (or {text.replace(',', '.')} if a decimal was meant)."
            if text.count(",") == 1 and "." not in text
            else f"Write it plainly: {plain}.",
        )
    if _DECIMAL_COMMA.fullmatch(text):
        raise CellError(
            FaultCode.NUMBER_FORMAT, "the number has a comma for the decimal point", f"Write {text.replace(',', '.')}."
        )
    if unit := _WITH_UNIT.fullmatch(text):
        raise CellError(
            FaultCode.NOT_A_NUMBER,
            f"the number carries the unit '{unit[3]}'",
            f"Give the number alone: {field.accepts}.",
        )
    raise CellError(FaultCode.NOT_A_NUMBER, "the value is not a number", f"Give {field.accepts}.")


def _check_limits(field: Field, number: float) -> None:
    too_low = field.low is not None and (number <= field.low if field.above_low else number < field.low)
    if too_low and number < 0 <= (field.low or 0):
        raise CellError(FaultCode.NEGATIVE, "the value is negative", f"Give {field.accepts}.")
    if too_low and number == 0:
        raise CellError(FaultCode.ZERO, "the value is zero", f"Give {field.accepts}.")
    if too_low or (field.high is not None and number > field.high):
        raise CellError(FaultCode.OUT_OF_RANGE, "the value is out of range", f"Give {field.accepts}.")


def _read_seconds(field: Field, value: object) -> int:
    seconds = _seconds_of(field, value)
    _check_limits(field, seconds)
    if 0 < seconds <= HOUR_SLIP and isinstance(value, int | float | str) and ":" not in str(value):
        reason = "the value looks like an hour of the day given for seconds"
        raise CellError(FaultCode.UNIT_SLIP, reason, f"Write {seconds * 3600} or {_clock(seconds * 3600)[:5]}.")
    return seconds


def _seconds_of(field: Field, value: object) -> int:
    if isinstance(value, dt.time):
        return value.hour * 3600 + value.minute * 60 + value.second
    if isinstance(value, dt.timedelta):
        return round(value.total_seconds())
    if isinstance(value, dt.date) or (isinstance(value, str) and _looks_like_date(value)):
        raise CellError(
            FaultCode.DATE_AS_TIME,
            "a date stands where a time of the service day belongs",
            f"Give {field.accepts}; times after midnight count on, 25:30 is half past one the next morning.",
        )
    if isinstance(value, str) and ":" in value:
        clock = _CLOCK.fullmatch(value.strip())
        if clock is None:
            raise CellError(FaultCode.BAD_TIME, "the value is not a time of day", f"Give {field.accepts}.")
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0)
    number = _as_number(field, value)
    if 0 < number < 1:
        raise CellError(
            FaultCode.BAD_TIME,
            "the value is a fraction of a day, as spreadsheets store times",
            f"Write {round(number * 86_400)} or {_clock(round(number * 86_400))}.",
        )
    if not math.isfinite(number) or number != int(number):
        raise CellError(FaultCode.BAD_TIME, "the value is not a whole number of seconds", f"Give {field.accepts}.")
    return int(number)


def _looks_like_date(text: str) -> bool:
    return re.match(r"\s*(\d{4}[-/.年]\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4})", text) is not None


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def _read_text(field: Field, value: object) -> str:
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float) and value.is_integer() and abs(value) < SPREADSHEET_DIGITS:
        text = str(int(value))  # spreadsheets hold the id 101 as 101.0
    elif isinstance(value, int | float):
        text = str(value)
    elif isinstance(value, str):
        text = value.strip()
    else:
        raise CellError(FaultCode.WRONG_TYPE, f"the value is {_kind_of(value)}, not text", f"Give {field.accepts}.")
    if _SHORTENED.fullmatch(text):
        reason = "a spreadsheet has shortened the long number, digits are lost"
        remedy = "Format the column as text before the ids are typed or pasted."
        raise CellError(FaultCode.SHORTENED_NUMBER, reason, remedy)
    if _CONTROL.search(text):
        raise CellError(
            FaultCode.WRONG_TYPE, "the text holds a line break or control character", f"Give {field.accepts}."
        )
    return text


def _read_choice(field: Field, value: object) -> str:
    text = _read_text(field, value)
    if text not in field.choices:
        near = nearest_name(text, field.choices)
        hint = f"Did you mean '{near}'? " if near else ""
        raise CellError(
            FaultCode.UNKNOWN_CHOICE, "the value is not one of the known words", f"{hint}Give {field.accepts}."
        )
    return text


def _read_flag(field: Field, value: object) -> bool:
    if isinstance(value, bool):
        return value
    flag = _FLAGS.get(_read_text(field, value).lower())
    if flag is None:
        raise CellError(FaultCode.WRONG_TYPE, "the value is neither true nor false", f"Give {field.accepts}.")
    return flag


def _read_texts(field: Field, value: object) -> tuple[str, ...]:
    parts = re.split(r"[;|]", value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        parts = [parts]
    texts = [_read_text(field, part) for part in parts if not is_blank(part)]
    repeated = sorted({text for text in texts if texts.count(text) > 1})
    if repeated:
        raise CellError(FaultCode.DUPLICATE_ID, f"'{repeated[0]}' is listed twice", "List each id once.")
    return tuple(texts)


def _read_span(field: Field, value: object) -> tuple[int, int]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise CellError(FaultCode.WRONG_TYPE, "the value is not a pair [start, end]", f"Give {field.accepts}.")
    start, end = _read_seconds(field, value[0]), _read_seconds(field, value[1])
    if end < start:
        raise CellError(
            FaultCode.WINDOW_ORDER, "it ends before it starts", f"Give the earlier time first: [{end}, {start}]."
        )
    return start, end


def _read_spans(field: Field, value: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list | tuple):
        raise CellError(FaultCode.WRONG_TYPE, "the value is not a list of pairs", f"Give {field.accepts}.")
    spans = sorted(_read_span(field, part) for part in value)
    for earlier, later in itertools.pairwise(spans):
        if later[0] <= earlier[1]:
            raise CellError(
                FaultCode.WINDOW_OVERLAP,
                f"the windows {list(earlier)} and {list(later)} overlap",
                "Join them into one window.",
            )
    return tuple(spans)


def _read_date(field: Field, value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise CellError(FaultCode.BAD_DATE, "the value is not a date", f"Give {field.accepts}.")


def _kind_of(value: object) -> str:
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list | tuple) else type(value).__name__


_READERS: Final[Mapping[str, Callable[[Field, object], object]]] = {
    "number": _read_number,
    "integer": _read_integer,
    "coordinate": _read_coordinate,
    "seconds": _read_seconds,
    "text": _read_text,
    "choice": _read_choice,
    "flag": _read_flag,
    "texts": _read_texts,
    "span": _read_span,
    "spans": _read_spans,
    "date": _read_date,
}
