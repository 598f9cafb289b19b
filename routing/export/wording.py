"""How the exports say things: labels in English and Chinese, clock times, money."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh")
DAY_S = 86_400
_SYMBOLS = {"CNY": "¥", "EUR": "€", "USD": "$", "GBP": "£"}


@dataclass(frozen=True)
class Wording:
    """The labels of one language."""

    lang: str
    labels: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the label of a key, with its ``{placeholders}`` filled in.

        Raises
        ------
        KeyError
            If the key is in no table: a bug of ours.
        """
        text = self.labels[key]
        return text.format(**values) if values else text

    def first_of(self, *keys: str, default: str) -> str:
        """Return the label of the first key that has one, else `default`; for user-named types and classes."""
        return next((self.labels[key] for key in keys if key in self.labels), default)


@cache
def all_labels() -> dict[str, dict[str, str]]:
    """Return the labels of every language, keyed by language and label; shared with the map's own script."""
    text = (files("routing.export") / "data" / "labels.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return {lang: {key: row[lang] for key, row in table.items()} for lang in LANGUAGES}


def wording_of(lang: str) -> Wording:
    """Return the wording of a language.

    Raises
    ------
    ValueError
        If the language is not one of `LANGUAGES`.
    """
    if lang not in LANGUAGES:
        msg = f"language {lang!r} is not one of {', '.join(LANGUAGES)}"
        raise ValueError(msg)
    return Wording(lang, all_labels()[lang])


def clock(time_s: int) -> str:
    """Return a time of day as ``HH:MM``, with ``+1`` for the next day (``01:10 +1`` is 25 h 10 min after midnight).

    Seconds are cut off, as on a station clock.
    """
    day, second = divmod(int(time_s), DAY_S)
    text = f"{second // 3600:02d}:{second % 3600 // 60:02d}"
    return f"{text} {day:+d}" if day else text


def money(minor_units: float, currency: str) -> str:
    """Return money as a person reads it: ``¥1,234.50``, or ``1,234.50 XYZ`` for a currency without a known sign."""
    symbol = _SYMBOLS.get(currency)
    sign = "-" if minor_units < 0 else ""
    amount = f"{abs(minor_units) / 100:,.2f}"
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}"


def number(value: float, digits: int = 1) -> str:
    """Return a figure with at most `digits` decimals and no trailing zeros."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
