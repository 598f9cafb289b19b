"""Short calculations that run beside the server in processes of their own: judging a plan, travel matrices."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from api.day_files import DayFile, day_faults
from api.error_codes import ErrorCode
from api.networks import INLINE_FILES, prepare_network
from api.problem_json import MAX_VALUE_CHARS, ApiError, ProblemFault, invalid_scenario
from geodata.area import Area
from geodata.cache import Cache, default_cache_folder
from geodata.errors import InputError, PlanReadError, nearest_name
from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.profiles import edge_costs
from geodata.street_matrix import compute_matrix, snap
from routing.day import read_day
from routing.scenario import CONFIG_FILE

KEPT_NETWORKS = 2
"""Networks a calculating process holds in memory."""


def judge_plan(folder: Path, document: dict[str, Any]) -> dict[str, object]:
    """Return the checker's report on a plan document.

    Raises
    ------
    ApiError
        INVALID_PLAN if the document is not a plan, INVALID_SCENARIO if the scenario cannot be read.
    """
    from routing.checker import check_plan  # noqa: PLC0415 - slow to import, and matrices need none of it
    from routing.plan_io import read_plan  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "plan.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        try:
            plan = read_plan(path)
        except PlanReadError as error:
            raise ApiError(ErrorCode.INVALID_PLAN, str(error)) from None
    try:
        return check_plan(folder, plan, cache=Cache(default_cache_folder())).to_dict()
    except InputError as error:
        raise invalid_scenario(error) from None


def look_through(folder: Path, reject_bad_rows: bool) -> dict[str, Any]:
    """Return what a dry run tells of a scenario folder, every file of it read.

    Raises
    ------
    ApiError
        INVALID_SCENARIO with every fault.
    """
    try:
        scenario = read_day(folder, reject_bad_rows=reject_bad_rows, cache=Cache(default_cache_folder())).scenario
    except InputError as error:
        raise invalid_scenario(error, INLINE_FILES) from None
    return {
        "name": scenario.name,
        "service_date": scenario.service_date,
        "orders": len(scenario.orders),
        "rejected": len(scenario.rejected),
        "sites": len(scenario.sites),
        "scenario_digest": scenario.digest,
    }


def facts_with(folder: Path, which: DayFile) -> dict[str, Any]:
    """Return the facts of a network folder with a new version of a file of the day, every file of it read.

    Raises
    ------
    ApiError
        INVALID_SCENARIO with every fault.
    """
    try:
        return prepare_network(folder, Cache(default_cache_folder()))
    except InputError as error:
        faults = list(day_faults(error.faults, which))
        detail = f"{len(faults)} faults in the {which.value}."
        raise ApiError(ErrorCode.INVALID_SCENARIO, detail, faults) from None


def area_of(folder: Path) -> Area:
    """Return the area of a network folder as it is now; the last few are held in memory."""
    return _area_of(folder, (folder / CONFIG_FILE).read_bytes())


@lru_cache(KEPT_NETWORKS)
def _area_of(folder: Path, _config: bytes) -> Area:
    # Files that change during the day have their digest in their name, so the configuration tells the version.
    return read_day(folder, cache=Cache(default_cache_folder())).area


def travel(folder: Path, profile_id: str, places: Sequence[tuple[float, float]]) -> tuple[TravelMatrix, list[float]]:
    """Return travel between coordinates on a network, and the metres from each to the street (inf: none near).

    Raises
    ------
    ApiError
        INVALID_REQUEST if the network has no such profile.
    """
    area = area_of(folder)
    profile = area.profiles.get(profile_id)
    if profile is None:
        near = nearest_name(profile_id, area.profiles)
        remedy = f"Use one of {', '.join(sorted(area.profiles))}" + (f"; did you mean {near}?" if near else ".")
        reason = "there is no such travel profile"
        fault = ProblemFault(
            code="UNKNOWN_CHOICE", pointer="/profile", reason=reason, remedy=remedy, value=profile_id[:MAX_VALUE_CHARS]
        )
        raise ApiError(ErrorCode.INVALID_REQUEST, reason, [fault])
    costs = edge_costs(area.streets, profile, area.closed_today(profile))
    lon, lat = (np.array([place[axis] for place in places], dtype=np.float64) for axis in (0, 1))
    joined = snap(area.streets, costs, profile, lon, lat)
    ids = tuple(str(number) for number in range(len(places)))
    matrix = compute_matrix(area.streets, costs, profile.key, ids, joined)
    access_m = np.where(joined.node >= 0, joined.access_m, np.inf)
    return matrix, [float(metres) for metres in access_m]


def matrix_answer(folder: Path, profile_id: str, places: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return travel between coordinates as the answer of ``POST /v1/matrix``, null where there is no way."""
    matrix, access_m = travel(folder, profile_id, places)
    reached = matrix.duration_s < UNREACHABLE_S
    return {
        "profile": profile_id,
        "duration_s": _rows(matrix.duration_s, reached),
        "distance_m": _rows(matrix.distance_m, reached),
        "energy_wh": _rows(np.round(matrix.energy_wh, 3), reached),
        "access_m": [round(metres, 1) if np.isfinite(metres) else None for metres in access_m],
    }


def _rows(values: npt.NDArray[Any], reached: npt.NDArray[np.bool_]) -> list[list[Any]]:
    rows: list[list[Any]] = values.tolist()
    return [
        [cell if there_is else None for cell, there_is in zip(row, marks, strict=True)]
        for row, marks in zip(rows, reached.tolist(), strict=True)
    ]
