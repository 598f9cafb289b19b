"""The whole siting request on one screen: a scenario folder and a question in; answer, front, prices and files out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from geodata.area import Area, load_area
from geodata.cache import Cache
from geodata.errors import Fault, InputError, nearest_name
from geodata.location import Level
from geodata.streets import read_closures
from routing.coordinates import Extent, read_extent
from routing.fault_codes import FaultCode
from routing.generation.demand import generate_orders
from routing.model.order import Order
from routing.output_folder import staged_output
from routing.scenario import Scenario, read_scenario
from routing.siting.answers import answer_aim
from routing.siting.delivery import make_judge
from routing.siting.fallback import fallbacks
from routing.siting.front import explore
from routing.siting.outcome import SiteOutcome, SiteRequest
from routing.siting.outputs import write_siting
from routing.siting.question import FloatArray
from routing.siting.reach import Reach, measure_reach
from routing.siting.study import Answer, Study
from routing.siting.survey import (
    Candidate,
    PointKind,
    Settlement,
    candidates_of_bus_stops,
    candidates_of_sites,
    choose_kinds,
    load_kinds,
    no_demand,
    read_census,
    read_points,
    settlements_of_osm,
    settlements_of_sites,
)
from routing.siting.why import marginal_value, prices_of
from routing.solver import Limits

MOST_PRICES = 24
"""Places whose price is worked out unless they are named: the open ones first, then those nearest to being opened."""


def site_points(
    folder: Path,
    out: Path | None,
    request: SiteRequest,
    tell: Callable[[str], None] = lambda _text: None,
    cache: Cache | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> SiteOutcome:
    """Answer a siting question on a scenario and write its files into `out` (None writes nothing).

    `cancelled` ends the search for further sets; the answer itself is kept.

    Raises
    ------
    InputError
        If tables or options are faulty, or the question cannot be met; the remedy is then the least that would do.
    """
    started = time.perf_counter()
    timings: dict[str, float] = {}

    def lap(stage: str) -> None:
        timings[stage] = round(time.perf_counter() - started - sum(timings.values()), 3)

    scenario = read_scenario(folder)
    area = load_area(scenario.files, scenario.service_date, cache)
    settlements, candidates = survey(scenario, area, request)
    if request.days and not scenario.orders:
        reason, remedy = "there are no orders to plan typical days of", "Give the scenario orders, or leave --days out."
        raise InputError([Fault(FaultCode.BAD_ARGUMENTS, "command line", reason, remedy, field="--days")])
    lap("read")
    reach = measure_reach(area, settlements, candidates, _profile(area, request), cache=cache)
    study = Study(settlements, candidates, _scenarios(scenario, area, request, reach, settlements, candidates, cache))
    lap("access")
    answer = answer_aim(study, request.aim)
    lap("siting")
    judge = None
    if request.days > 0:
        tell("planning typical days on each set ...")
        judge = make_judge(
            scenario,
            area,
            candidates,
            reach_min=request.aim.reach_min,
            limits=Limits(time_limit_s=None, max_iterations=request.plan_iterations),
            seed=request.seed,
            more_days=_more_days(scenario, request),
            cache=cache,
        )
    front = explore(study, request.aim, judge, time_limit_s=request.front_time_limit_s, tell=tell, cancelled=cancelled)
    lap("front")
    prices = prices_of(study, request.aim, answer, _places_to_price(study, request, answer))
    marginal = marginal_value(study, request.aim, answer)
    lap("why")
    beyond = fallbacks(scenario, area, study, request.aim, answer, cache)
    outcome = SiteOutcome(scenario, area, request, study, reach, answer, front, prices, marginal, beyond, timings)
    if out is not None:
        with staged_output(out) as staging:
            write_siting(staging, outcome)
        lap("write")
    return outcome


def survey(
    scenario: Scenario, area: Area, request: SiteRequest
) -> tuple[tuple[Settlement, ...], tuple[Candidate, ...]]:
    """Return the settlements and candidates the request names."""
    extent = read_extent(scenario.files.streets)
    kinds = load_kinds(request.kinds_file)
    usual = choose_kinds(kinds, request.kinds)
    found = [_candidates(source, scenario, area, kinds, usual, extent) for source in request.candidates]
    unique: dict[str, Candidate] = {}
    for candidate in (candidate for part in found for candidate in part):
        unique.setdefault(candidate.id, candidate)
    settlements = _settlements(scenario, request.demand, extent)
    if not any(place.people for place in settlements):
        raise no_demand()
    if not unique:
        reason, remedy = "there is no candidate", "Give villages, or --candidates bus-stops, or a table of points."
        raise InputError([Fault(FaultCode.NO_PLACES, "command line", reason, remedy, field="--candidates")])
    return settlements, tuple(unique.values())


def _settlements(scenario: Scenario, demand: str, extent: Extent | None) -> tuple[Settlement, ...]:
    if demand == "sites":
        return settlements_of_sites(scenario.sites)
    if demand == "places":
        return settlements_of_osm(scenario.files.streets)
    return read_census(Path(demand), extent)


def _candidates(
    source: str,
    scenario: Scenario,
    area: Area,
    kinds: Mapping[str, PointKind],
    usual: tuple[PointKind, ...],
    extent: Extent | None,
) -> tuple[Candidate, ...]:
    if source == "sites":
        return candidates_of_sites(scenario.sites, usual)
    if source == "bus-stops":
        return candidates_of_bus_stops(area.timetable, usual)
    return read_points(Path(source), kinds, usual, extent)


def _profile(area: Area, request: SiteRequest) -> str:
    if request.profile not in area.profiles:
        near = nearest_name(request.profile, area.profiles)
        remedy = f"Use one of {', '.join(area.profiles)}" + (f"; did you mean {near}?" if near else "")
        reason = "there is no travel profile of that id"
        fault = Fault(
            FaultCode.UNKNOWN_PROFILE, "command line", reason, remedy, field="--profile", value=request.profile
        )
        raise InputError([fault])
    return request.profile


def _scenarios(
    scenario: Scenario,
    area: Area,
    request: SiteRequest,
    usual: Reach,
    settlements: tuple[Settlement, ...],
    candidates: tuple[Candidate, ...],
    cache: Cache | None,
) -> FloatArray:
    """Return minutes of the usual day, of each file of closed roads and of each lost line, shape (s, n, m)."""
    found = [usual.minutes]
    for path in request.closures:
        closed = read_closures(path, profile_ids=tuple(area.profiles))
        found.append(
            measure_reach(area, settlements, candidates, request.profile, closures=closed, cache=cache).minutes
        )
    if request.lost_lines:
        _check_lines(area, request.lost_lines)
        roadless = _without_road(scenario, area, candidates)
        for line in request.lost_lines:
            minutes = usual.minutes.copy()
            for j, place in enumerate(candidates):
                if roadless[j] and place.bus_lines and set(place.bus_lines) <= {line}:
                    minutes[:, j] = np.inf
            found.append(minutes)
    return np.stack(found)


def _check_lines(area: Area, lines: tuple[str, ...]) -> None:
    known = sorted({trip.line_id for trip in area.timetable.trips}) if area.timetable is not None else []
    faults = []
    for line in lines:
        if line not in known:
            near = nearest_name(line, known)
            remedy = f"Use one of {', '.join(known)}" + (f"; did you mean {near}?" if near else "")
            reason = "no bus of that line runs on the service date"
            fault = Fault(FaultCode.UNKNOWN_CHOICE, "command line", reason, remedy, field="--lost-line", value=line)
            faults.append(fault)
    if faults:
        raise InputError(faults)


def _without_road(scenario: Scenario, area: Area, candidates: tuple[Candidate, ...]) -> list[bool]:
    """Return which candidates no van reaches from the hub."""
    hub = next(site for site in scenario.sites if site.level is Level.COUNTY)
    start = Settlement(hub.id, hub.name, hub.lon, hub.lat, 0.0, 0.0, 0.0)
    reach = measure_reach(area, (start,), candidates, "van_diesel")
    return [not np.isfinite(value) for value in reach.minutes[0]]


def _more_days(scenario: Scenario, request: SiteRequest) -> list[tuple[Order, ...]]:
    hub = next(site.id for site in scenario.sites if site.level is Level.COUNTY)
    return [
        tuple(generate_orders(scenario.sites, len(scenario.orders), request.seed + day, hub))
        for day in range(1, request.days)
    ]


def _places_to_price(study: Study, request: SiteRequest, answer: Answer) -> list[str]:
    chosen = {site for site, _ in answer.chosen[-1]}
    opened = [study.candidates[site].id for site in sorted(chosen) if not study.candidates[site].existing]
    kept = study.in_reach(request.aim.reach_min)
    minutes = study.nearest(answer.chosen[-1])[1]
    now = np.minimum(minutes, 2.0 * request.aim.reach_min)[kept]
    gains = study.people[kept] @ np.maximum(0.0, now[:, None] - study.minutes[0][kept])
    order = [int(site) for site in np.argsort(-gains, kind="stable") if int(site) not in chosen]
    named = [place for place in request.why if place in study.index]
    room = max(0, MOST_PRICES - len(opened)) if not request.aim.capacities else 0
    closed = [study.candidates[site].id for site in order[:room] if not study.candidates[site].existing]
    priced = opened if not request.aim.capacities else opened[:6]
    return list(dict.fromkeys([*named, *priced, *closed]))
