"""From a VROOM request to its answer, in a process beside the server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.calculations import area_of, travel
from api.coordinates import swap_notes
from api.problem_json import ApiError
from api.vroom.answer import Geometry, make_answer
from api.vroom.given import add_violations, timed_trips
from api.vroom.problem import Coordinate, Router, TravelTables, VroomError, VroomProblem, make_problem
from api.vroom.request import VroomRequest, unknown_keys, without_effect
from geodata.area import Area
from geodata.location import FloatArray
from geodata.matrix import UNREACHABLE_S
from geodata.paths import find_paths, path_geometry
from geodata.profiles import edge_costs
from geodata.street_matrix import snap
from routing.export.polyline import encode_line
from routing.trips.search import plan_trips
from routing.visits import FAR_S, Trip

PROFILES = {
    "car": "van_diesel",
    "driving-car": "van_diesel",
    "driving": "van_diesel",
    "driving-hgv": "truck",
    "bike": "emoto",
    "cycling": "emoto",
    "cycling-regular": "emoto",
    "cycling-electric": "emoto",
    "cycling-road": "emoto",
    "cycling-mountain": "emoto",
    "foot": "walker",
    "foot-walking": "walker",
    "foot-hiking": "walker",
    "walking": "walker",
}
"""Shanlu's profile for the usual names of OSRM, openrouteservice and Valhalla; Shanlu's own are taken too."""
FULL_EFFORT = 5
_BASE_S, _PER_TASK_S = 0.3, 0.1
"""Seconds of search at full effort: a base, and some for each task, up to the service's limit."""


def solve_vroom(request: VroomRequest, network: Path | None, limit_s: float) -> dict[str, Any]:
    """Return the answer to a request.

    Parameters
    ----------
    network
        Folder of the network that routes coordinates; None where there is none.
    limit_s
        Longest search.

    Raises
    ------
    VroomError
        With VROOM's code.
    """
    begun = time.perf_counter()
    problem = make_problem(request, None if network is None else network_router(network))
    custom = bool(request.matrices) or request.matrix is not None
    if request.options.g and (network is None or custom):
        raise VroomError(2, "a geometry needs coordinates that are routed on a network, without custom matrices")
    loaded = time.perf_counter()
    trips = _trips(request, problem, limit_s)
    solved = time.perf_counter()
    geometry = _geometry(network) if request.options.g and network is not None else None
    answer = make_answer(request, problem, trips, geometry)
    if request.options.c:
        add_violations(answer, request, problem, trips)
    drawn = time.perf_counter()
    marks = {"loading": loaded - begun, "solving": solved - loaded, "routing": drawn - solved}
    answer["summary"]["computing_times"] = {name: round(seconds * 1000) for name, seconds in marks.items()}
    swaps = [] if network is None or custom else swap_notes(problem.places, area_of(network).streets.bounds)
    warnings = [*unknown_keys(request), *without_effect(request), *swaps]
    return {**answer, "warnings": warnings} if warnings else answer


def _trips(request: VroomRequest, problem: VroomProblem, limit_s: float) -> list[Trip]:
    """Return the trips found, or the times of those given."""
    if request.options.c:
        return timed_trips(request, problem)
    trips = plan_trips(problem.visits, problem.vehicles, search_s(request, len(problem.tasks), limit_s))
    if trips is None:
        raise VroomError(2, "the routes given in 'steps' break a constraint")
    return trips


def search_s(request: VroomRequest, tasks: int, limit_s: float) -> float:
    """Return the seconds of search for a request: they grow with its tasks and the effort it asks for."""
    effort = FULL_EFFORT if request.options.x is None else request.options.x
    wanted = (_BASE_S + _PER_TASK_S * tasks) * (effort + 1) / (FULL_EFFORT + 1)
    return min(wanted, limit_s, request.options.l or limit_s)


def _profile(name: str) -> str:
    return PROFILES.get(name, name)


def network_router(network: Path) -> Router:
    """Return what routes coordinates on the network of a scenario folder, by the profiles above."""

    def route(profile: str, places: Sequence[Coordinate]) -> TravelTables:
        try:
            matrix, _ = travel(network, _profile(profile), places)
        except ApiError as error:
            raise VroomError(2, f"unknown profile '{profile[:100]}': {error.faults[0].remedy}") from None
        durations = np.where(matrix.duration_s >= UNREACHABLE_S, FAR_S, matrix.duration_s)
        return durations.astype(np.int64), matrix.distance_m

    return route


def _geometry(network: Path) -> Geometry:
    area = area_of(network)

    def draw(profile: str, places: Sequence[Coordinate]) -> str:
        return encode_line(_line(area, _profile(profile), places))

    return draw


def _line(area: Area, profile_id: str, places: Sequence[Coordinate]) -> FloatArray:
    """Return lon and lat along the streets from place to place."""
    profile = area.profiles[profile_id]
    costs = edge_costs(area.streets, profile, area.closed_today(profile))
    lon, lat = (np.array([place[axis] for place in places], dtype=np.float64) for axis in (0, 1))
    snapped = snap(area.streets, costs, profile, lon, lat)
    ways = find_paths(area.streets, costs, snapped, [(k, k + 1) for k in range(len(places) - 1)])
    pieces = [np.array([places[0]], dtype=np.float64)]
    for k, way in enumerate(ways):
        if way is not None and len(way.nodes) > 1:
            pieces.append(path_geometry(area.streets, way.nodes)[:, :2])
        pieces.append(np.array([places[k + 1]], dtype=np.float64))
    return np.vstack(pieces)
