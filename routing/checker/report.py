"""What a check found: violations with a code, a place and an amount."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from routing.checker.codes import Code


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule.

    Parameters
    ----------
    code
        What is broken; see ``docs/reference/violations.md``.
    place
        Place id where it shows, None where it is tied to no place.
    amount
        By how much, in `unit`; None where the rule has no measure.
    unit
        Unit of `amount` (``s``, ``m``, ``kg``, ``l``, ``Wh``, ``h``, ...), empty without one.
    text
        One sentence for a person.
    route, order
        Ids of the route and the order concerned, None where there is none.
    """

    code: Code
    place: str | None
    amount: float | None
    unit: str
    text: str
    route: str | None = None
    order: str | None = None

    def __str__(self) -> str:
        where = [
            f"{name} {value}"
            for name, value in (("route", self.route), ("place", self.place), ("order", self.order))
            if value is not None
        ]
        return f"{self.code.value}: {self.text}" + (f" ({', '.join(where)})" if where else "")

    def to_dict(self) -> dict[str, object]:
        """Return the violation as a JSON-ready dictionary."""
        return {**asdict(self), "code": self.code.value}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a check found, in the order of the rule families."""

    violations: tuple[Violation, ...]

    @property
    def is_clean(self) -> bool:
        """True when no rule is broken."""
        return not self.violations

    @property
    def counts(self) -> dict[str, int]:
        """Number of violations by code, codes in alphabetical order."""
        return dict(sorted(Counter(violation.code.value for violation in self.violations).items()))

    @property
    def codes(self) -> frozenset[Code]:
        """Codes of all violations."""
        return frozenset(violation.code for violation in self.violations)

    def to_dict(self) -> dict[str, object]:
        """Return the report as a JSON-ready dictionary."""
        return {
            "clean": self.is_clean,
            "counts": self.counts,
            "violations": [violation.to_dict() for violation in self.violations],
        }
