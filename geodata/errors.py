"""The one error tree of Shanlu.

::

    ShanluError                     everything Shanlu raises on purpose
    ├── InputError (ValueError)     the user's data or arguments are at fault; carries every `Fault` found
    ├── PlanReadError (ValueError)  a file given as a plan is not a plan
    ├── CheckFailedError            a plan we made ourselves breaks a rule: our bug, reported with the findings
    └── UnavailableError            something outside (network, optional program) is needed and absent

Bad input is never reported one fault at a time: readers collect `Fault` objects in a `FaultCollector` and raise
them together.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass


class ShanluError(Exception):
    """Base of every error Shanlu raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input, told so that a person can mend it.

    Parameters
    ----------
    code
        Stable upper-case identifier, for example ``UNKNOWN_KEY``; listed in ``docs/reference/errors.md``.
    file
        File name (not a full path where a scenario-relative one exists) or ``"command line"``.
    reason
        What is wrong, in one sentence.
    remedy
        What would be accepted instead, in one sentence.
    row
        1-based row number as a spreadsheet shows it (the header is row 1), or feature/record number from 1; None if
        the fault is not tied to a row.
    field
        Column, key or property name; None if not tied to one.
    value
        The offending value as text; None if absent.
    """

    code: str
    file: str
    reason: str
    remedy: str
    row: int | None = None
    field: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        where = self.file
        if self.row is not None:
            where += f", row {self.row}"
        if self.field is not None:
            where += f", field {self.field}"
        value = f" (value {self.value!r})" if self.value is not None else ""
        return f"{where}: {self.reason}{value}. {self.remedy} [{self.code}]"

    def to_dict(self) -> dict[str, object]:
        """Return the fault as a JSON-ready dictionary."""
        return asdict(self)


class InputError(ShanluError, ValueError):
    """The input cannot be used; `faults` names every reason found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        if not self.faults:
            msg = "InputError needs at least one fault"
            raise ValueError(msg)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class PlanReadError(ShanluError, ValueError):
    """A file given as a plan cannot be read as one."""


class CheckFailedError(ShanluError):
    """A plan made by Shanlu itself breaks a rule. This is a bug in Shanlu, never the user's fault."""


class UnavailableError(ShanluError):
    """Something outside Shanlu (a network, an optional program) is needed and absent."""


class FaultCollector:
    """Collects faults while reading, so that all of them are reported at once."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Record one fault."""
        self._faults.append(fault)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Faults recorded so far, in order."""
        return tuple(self._faults)

    def raise_if_any(self) -> None:
        """Raise `InputError` with all faults recorded so far, if there are any."""
        if self._faults:
            raise InputError(self._faults)


def nearest_name(wanted: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to the one wanted, or None when nothing is close (for "did you mean")."""
    by_lower = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[matches[0]] if matches else None
