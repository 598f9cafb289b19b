"""How the exports say things: labels in English and Chinese, clock times, figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh")
DAY_S = 86_400


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


def number(value: float, digits: int = 1) -> str:
    """Return a figure with at most `digits` decimals and no trailing zeros."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
