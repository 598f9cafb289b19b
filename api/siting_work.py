"""What a worker does for a siting: the question answered on the job's scenario folder, and its faults told as such."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.error_codes import ErrorCode
from api.problem_json import faults_of_input, invalid_scenario, problem
from api.siting_schemas import site_request, tables_of
from api.store import Job
from geodata.cache import Cache, default_cache_folder
from geodata.errors import Fault, InputError
from routing.coordinates import read_extent
from routing.scenario import Scenario
from routing.siting.survey import PointKind, load_kinds, read_census, read_points

if TYPE_CHECKING:
    from routing.siting.outcome import SiteOutcome

COMMAND_LINE = "command line"
"""The file faults of a question name, who asked in whatever way."""
_BODY = "request"
_KEYS = {
    "within": "within_min",
    "reach": "reach_min",
    "time-limit": "time_limit_s",
    "front-time": "front_time_s",
    "closure": "closures",
    "lost-line": "lost_lines",
    "kinds-file": "kinds",
    "demand": "settlements",
}
"""Options of the command line whose key in the body is another."""
_POINTERS = {_BODY: "", "settlements.json": "/settlements", "points.json": "/points"}


def answer_siting(
    scenario: Path, out: Path, question: dict[str, Any], tell: Callable[[str], None], cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """Answer a siting question, write its files, and return the figures its status shows.

    Raises
    ------
    InputError
        With the faults of tables and question.
    """
    from routing.siting.pipeline import site_points  # noqa: PLC0415 - the server imports this module and needs none

    request = site_request(scenario, question)
    outcome = site_points(scenario, out, request, tell, Cache(default_cache_folder()), cancelled)
    return {"folder": out.name, **_summary(outcome)}


def _summary(outcome: SiteOutcome) -> dict[str, Any]:
    from routing.siting.study import figures_of  # noqa: PLC0415 - as above

    answer, study = outcome.answer, outcome.study
    figures = figures_of(study, outcome.request.aim, answer)
    return {
        "currency": outcome.scenario.currency,
        "measure": answer.measure,
        "value": answer.value,
        "bound": answer.bound,
        "proven": answer.proven,
        "gap": answer.gap,
        "opened": figures.opened,
        "investment": figures.investment,
        "mean_min": figures.mean_min,
        "people": figures.people,
        "people_beyond": figures.people_beyond,
        "points": [study.candidates[site].id for site, _ in answer.chosen[-1]],
        "front": len(outcome.front.members),
        "sets_judged": len(outcome.front.archive),
        "timings_s": dict(outcome.timings_s),
    }


def check_tables(folder: Path, scenario: Scenario) -> None:
    """Read the tables of a siting before it is accepted.

    Raises
    ------
    ApiError
        INVALID_SCENARIO with every fault of every table; those of the body have their JSON pointer.
    """
    tables, extent = tables_of(folder), read_extent(scenario.files.streets)
    faults: list[Fault] = []
    kinds: dict[str, PointKind] = {}
    try:
        kinds = load_kinds(tables.get("kinds"))
    except InputError as error:
        faults += error.faults
    usual = tuple(kinds.values())[:1]
    for name, read in (
        ("settlements", lambda path: read_census(path, extent)),
        ("points", lambda path: read_points(path, kinds, usual, extent)),
    ):
        try:
            if name in tables and (name == "settlements" or kinds):
                read(tables[name])
        except InputError as error:
            faults += error.faults
    if faults:
        raise invalid_scenario(InputError(faults), _POINTERS)


def siting_problem(error: InputError, job: Job) -> dict[str, Any]:
    """Return the problem document of a siting whose question or tables are refused; options are keys of the body."""
    faults = faults_of_input(InputError([_of_body(fault) for fault in error.faults]), _POINTERS)
    asked = all(fault.file == COMMAND_LINE for fault in error.faults)
    code = ErrorCode.UNANSWERABLE if asked else ErrorCode.INVALID_SCENARIO
    detail = error.faults[0].reason if len(faults) == 1 else f"{len(faults)} faults in the question or its tables."
    return problem(code, detail, job.id, faults)


def _of_body(fault: Fault) -> Fault:
    if fault.file != COMMAND_LINE:
        return fault
    options = [] if fault.field is None else re.findall(r"--([a-z-]+)", fault.field)
    return replace(
        fault,
        file=_BODY,
        field=_key(options[0]) if options else None,
        reason=_as_keys(fault.reason),
        remedy=_as_keys(fault.remedy),
    )


def _key(option: str) -> str:
    return _KEYS.get(option, option.replace("-", "_"))


def _as_keys(text: str) -> str:
    return re.sub(r"--([a-z-]+)", lambda found: f"'{_key(found[1])}'", text)
