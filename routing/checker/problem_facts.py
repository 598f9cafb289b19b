"""Judging a plan against a problem in memory, where there is no scenario folder: published instances, property tests.

Streets are what the travel matrices say and flights what the flight tables say; movements need no nodes and no line.
All rules of ``docs/reference/rules.md`` hold but those that need a map or a document:

- ACCESS but for a way that does not exist (roads used, their direction, limits, closures, where places join them);
- of FLIGHT the line itself: its ends, heights, zones and wind; an hour the table bars is `FLIGHT_IMPOSSIBLE`;
- of CONSISTENCY what only a plan file holds: scenario, rejected rows, the listed legs, money and bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.travel_clock import TravelClock
from geodata.weather import Weather, WeatherHour
from routing.checker.capacity import check_capacity
from routing.checker.codes import Code
from routing.checker.cold import check_cold
from routing.checker.consistency import check_routes
from routing.checker.custody import check_custody
from routing.checker.facts import Facts
from routing.checker.flight import (
    PAYLOAD_TOLERANCE_KG,
    check_reserve,
    check_sortie_shape,
    check_turnarounds,
    payloads_kg,
    sorties_of,
)
from routing.checker.journeys import Case
from routing.checker.movements import Needs, compare_movement, street_needs
from routing.checker.numbers import clean_numbers
from routing.checker.report import Report, Violation
from routing.checker.timetable import check_timetable
from routing.checker.timing import check_timing
from routing.checker.transfer import check_transfer
from routing.model.carrier import Drone, Vehicle
from routing.model.plan import CostBreakdown, Objective, Plan, PlanDocument, ScenarioRef, Stop
from routing.model.problem import FlightTable, Problem

LAST_S = 1_000_000_000
"""Latest time a plan may name: published instances count in any unit, some in thousandths."""

FAMILIES: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_custody,
    check_timing,
    check_transfer,
    check_capacity,
    check_timetable,
    check_cold,
    check_routes,
)
"""Rule families that need neither roads nor air."""


def check_problem_plan(problem: Problem, plan: Plan) -> Report:
    """Judge a plan against the problem it was made for.

    Parameters
    ----------
    problem
        The day; it is taken as true, matrices and flight tables included.
    plan
        Any plan, however wrong. Orders it leaves out must be listed as unassigned with a reason.

    Returns
    -------
    Report
        Every violation found of the rules that apply without a map.
    """
    usable, unusable = clean_numbers(_document(problem, plan), LAST_S)
    case = Case(facts_of(problem), usable)
    found = [violation for family in FAMILIES for violation in family(case)]
    found += _check_streets(case, MatrixRoads(problem.matrices, problem.clocks))
    found += _check_flights(case, problem.flights)
    return Report((*unusable, *found))


def facts_of(problem: Problem) -> Facts:
    """Return the problem as facts; the air is calm, as the flight tables know its wind."""
    hours = tuple(WeatherHour(hour, float(temp_c)) for hour, temp_c in enumerate(problem.hourly_temp_c))
    return Facts(
        scenario_name=problem.name,
        service_date=date.min,
        currency="",
        digest="",
        places=problem.place_by_id,
        orders=problem.order_by_id,
        rejected=(),
        carriers=problem.carrier_by_id,
        products=problem.products,
        rates=problem.rates,
        weather=Weather(hours, problem.temp_elevation_m),
        clocks=problem.clocks,
    )


def _document(problem: Problem, plan: Plan) -> PlanDocument:
    """Return the plan in the shape the rule families read; what a bare plan lacks is empty and not judged."""
    return PlanDocument(
        scenario=ScenarioRef(problem.name, date.min.isoformat(), ""),
        seed=0,
        versions={},
        objective=Objective("", CostBreakdown(), 0),
        routes=plan.routes,
        unassigned=plan.unassigned,
        rejected=(),
        orders=(),
    )


# --- Streets -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MatrixRoads:
    """Roads known by what they take between places: a travel matrix and, where hours differ, a clock by travel key."""

    matrices: Mapping[str, TravelMatrix]
    clocks: Mapping[str, TravelClock]

    def needs(self, travel: str, from_id: str, to_id: str, departure_s: int) -> Needs | None:
        """Return what a leg needs, None where there is no way; from a place to itself nothing."""
        if from_id == to_id:
            return Needs(0, 0.0, 0.0)
        matrix = self.matrices[travel]
        row, column = matrix.index.get(from_id), matrix.index.get(to_id)
        if row is None or column is None or matrix.duration_s[row, column] >= UNREACHABLE_S:
            return None
        return street_needs(
            self.clocks.get(travel),
            departure_s,
            int(matrix.duration_s[row, column]),
            float(matrix.distance_m[row, column]),
            float(matrix.energy_wh[row, column]),
        )


def _check_streets(case: Case, roads: MatrixRoads) -> Iterator[Violation]:
    for route in case.document.routes:
        vehicle = case.carrier_of(route)
        if not isinstance(vehicle, Vehicle):
            continue
        for here, there in pairwise(route.stops):
            if here.movement is None or not {here.place, there.place} <= case.facts.places.keys():
                continue
            needs = roads.needs(vehicle.travel, here.place, there.place, here.departure_s)
            if needs is None:
                text = f"no way leads from {here.place} to {there.place} for {vehicle.id}"
                yield Violation(Code.ACCESS_NO_PATH, here.place, None, "", text, route.id)
            else:
                yield from compare_movement(route, here, there, needs)


# --- Flights -------------------------------------------------------------------------------------------------------


def _check_flights(case: Case, tables: Mapping[str, FlightTable]) -> Iterator[Violation]:
    for route, drone in sorties_of(case):
        yield from check_sortie_shape(route, drone)
        payloads, used_wh = payloads_kg(case, route), 0.0
        for (here, there), payload_kg in zip(pairwise(route.stops), payloads, strict=False):
            needs = _flight_needs(tables.get(drone.service.id), drone, here, there, payload_kg)
            if isinstance(needs, Needs):
                used_wh += needs.energy_wh
                yield from compare_movement(route, here, there, needs)
            else:
                code, amount = needs
                text = f"{drone.id} cannot fly from {here.place} to {there.place} at {here.departure_s}: {code.meaning}"
                yield Violation(code, here.place, amount, "" if amount is None else "kg", text, route.id)
        yield from check_reserve(route, drone, used_wh)
    yield from check_turnarounds(case)


def _flight_needs(
    table: FlightTable | None, drone: Drone, here: Stop, there: Stop, payload_kg: float
) -> Needs | tuple[Code, float | None]:
    """Return what a flight needs by the table, or why it is none: (code, kilograms too many)."""
    outward = here.place == drone.base
    far = there.place if outward else here.place
    row = table.base_index.get(drone.base) if table is not None else None
    column = table.place_index.get(far) if table is not None else None
    if table is None or row is None or column is None or (not outward and there.place != drone.base):
        return Code.FLIGHT_IMPOSSIBLE, None
    over_kg = payload_kg - float(table.max_payload_kg[row, column])
    if over_kg > PAYLOAD_TOLERANCE_KG:
        return Code.FLIGHT_PAYLOAD, over_kg
    durations, energies, metres = (
        (table.out_duration_s, table.out_energy_wh, table.out_distance_m)
        if outward
        else (table.back_duration_s, table.back_energy_wh, table.back_distance_m)
    )
    hour = here.departure_s // 3600
    if hour >= durations.shape[2] or durations[row, column, hour] >= UNREACHABLE_S:
        return Code.FLIGHT_IMPOSSIBLE, None
    energy_wh = float(np.interp(payload_kg, table.payload_kg, energies[row, column, hour]))
    return Needs(int(durations[row, column, hour]), float(metres[row, column]), energy_wh)
