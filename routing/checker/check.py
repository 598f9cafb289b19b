"""Judging a plan by all nine rule families."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from geodata.cache import Cache
from routing.checker.access import check_access
from routing.checker.capacity import check_capacity
from routing.checker.cold import check_cold
from routing.checker.consistency import check_consistency
from routing.checker.custody import check_custody
from routing.checker.facts import MapFacts
from routing.checker.flight import check_flight
from routing.checker.journeys import MapCase
from routing.checker.numbers import clean_numbers
from routing.checker.reading import load_facts
from routing.checker.report import Report, Violation
from routing.checker.timetable import check_timetable
from routing.checker.timing import check_timing
from routing.checker.transfer import check_transfer
from routing.model.plan import PlanDocument

FAMILIES: tuple[Callable[[MapCase], Iterator[Violation]], ...] = (
    check_custody,
    check_timing,
    check_transfer,
    check_capacity,
    check_timetable,
    check_flight,
    check_cold,
    check_access,
    check_consistency,
)
"""The rule families in the order of ``docs/reference/rules.md``."""


def check_plan(folder: Path, document: PlanDocument, *, cache: Cache | None = None) -> Report:
    """Judge a plan against its scenario folder.

    Parameters
    ----------
    folder
        Scenario folder; nothing but its files and the plan is read.
    document
        Any plan that parses, however wrong.
    cache
        Where the street network and the timetable may be taken from when their files are unchanged.

    Returns
    -------
    Report
        Every violation found; a plan never makes the check itself fail.

    Raises
    ------
    InputError
        If the scenario cannot be read.
    """
    return check_document(load_facts(folder, cache), document)


def check_document(facts: MapFacts, document: PlanDocument) -> Report:
    """Judge a plan against facts already read."""
    usable, unusable = clean_numbers(document)
    case = MapCase(facts, usable)
    found = [violation for family in FAMILIES for violation in family(case)]
    return Report((*unusable, *found))
