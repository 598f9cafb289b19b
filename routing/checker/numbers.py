"""Numbers no rule can be judged with: found, reported and put in range before the rule families see the plan.

A plan file may hold NaN, infinities, negative times and integers of a thousand digits and still parse. Each such
figure is one violation; the rules then judge the plan with the nearest usable value.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple, TypeVar

from routing.checker.codes import Code
from routing.checker.report import Violation
from routing.model.plan import CostBreakdown, Movement, Objective, PlanDocument, Rest, Route, Stop, Unassigned

N = TypeVar("N", int, float)


class _Range(NamedTuple):
    low: float
    high: float
    unit: str


LAST_S = 10 * 86_400
"""Latest time a plan of a scenario may name."""
_DISTANCE_M = _Range(0, 1_000_000_000, "m")
_ENERGY_WH = _Range(-10_000_000, 1_000_000_000, "Wh")
_LOAD = _Range(0, 10_000_000, "kg or l")
_LON = _Range(-180, 180, "degrees")
_LAT = _Range(-90, 90, "degrees")
_HEIGHT_M = _Range(-1_000, 20_000, "m")
_COUNT = _Range(-1_000_000_000, 1_000_000_000, "")
_NODE = _Range(-(2**62), 2**62, "")
_MONEY = _Range(-(10**15), 10**15, "minor units")


def clean_numbers(document: PlanDocument, last_s: int = LAST_S) -> tuple[PlanDocument, tuple[Violation, ...]]:
    """Return the plan with every number usable, and a violation for each that was not; times end at `last_s`."""
    cleaner = _Cleaner(last_s)
    cleaned = replace(
        document,
        objective=cleaner.objective(document.objective),
        routes=tuple(cleaner.route(route) for route in document.routes),
        bound=None if document.bound is None else cleaner.number(document.bound, _MONEY, "bound"),
    )
    for entry in document.unassigned:
        cleaner.unassigned(entry)
    return cleaned, tuple(cleaner.violations)


class _Cleaner:
    """Collects violations while figures are put in range; knows which route and place it is at."""

    def __init__(self, last_s: int) -> None:
        self.violations: list[Violation] = []
        self._times = _Range(0, last_s, "s")
        self._route: str | None = None
        self._place: str | None = None

    def number(self, value: N, allowed: _Range, name: str, order: str | None = None) -> N:
        """Return the value, or the nearest usable one after reporting it."""
        if math.isfinite(value) if isinstance(value, float) else True:
            if allowed.low <= value <= allowed.high:
                return value
            nearest = allowed.low if value < allowed.low else allowed.high
            reason = f"is outside {allowed.low:g} to {allowed.high:g} {allowed.unit}".rstrip()
        else:
            nearest = min(max(0.0, allowed.low), allowed.high)
            reason = "is not a finite number"
        text = f"{name} {reason}"
        code = Code.CONSISTENCY_BAD_NUMBER
        self.violations.append(Violation(code, self._place, None, allowed.unit, text, self._route, order))
        return type(value)(nearest)

    def objective(self, objective: Objective) -> Objective:
        """Clean cost lines and total."""
        lines = CostBreakdown(
            **{
                name: self.number(getattr(objective.lines, name), _MONEY, f"cost line {name}")
                for name in CostBreakdown.__dataclass_fields__
            }
        )
        return replace(objective, lines=lines, total=self.number(objective.total, _MONEY, "total"))

    def unassigned(self, entry: Unassigned) -> None:
        """Report an unusable change of a relaxation."""
        self._route = self._place = None
        if entry.relaxation is not None:
            self.number(entry.relaxation.change, _MONEY, "the change of the relaxation", entry.order)

    def route(self, route: Route) -> Route:
        """Clean all stops of a route."""
        self._route = route.id
        return replace(route, stops=tuple(self._stop(stop) for stop in route.stops))

    def _stop(self, stop: Stop) -> Stop:
        self._place = stop.place
        return replace(
            stop,
            arrival_s=self.number(stop.arrival_s, self._times, "arrival_s"),
            service_start_s=self.number(stop.service_start_s, self._times, "service_start_s"),
            service_end_s=self.number(stop.service_end_s, self._times, "service_end_s"),
            departure_s=self.number(stop.departure_s, self._times, "departure_s"),
            breaks=tuple(self._rest(rest) for rest in stop.breaks),
            load_kg=self.number(stop.load_kg, _LOAD, "load_kg"),
            load_l=self.number(stop.load_l, _LOAD, "load_l"),
            call=None if stop.call is None else self.number(stop.call, _COUNT, "call"),
            movement=None if stop.movement is None else self._movement(stop.movement),
        )

    def _rest(self, rest: Rest) -> Rest:
        return Rest(
            start_s=self.number(rest.start_s, self._times, "start_s of a rest"),
            end_s=self.number(rest.end_s, self._times, "end_s of a rest"),
        )

    def _movement(self, movement: Movement) -> Movement:
        left_wh = movement.battery_left_wh
        return replace(
            movement,
            distance_m=self.number(movement.distance_m, _DISTANCE_M, "distance_m"),
            duration_s=self.number(movement.duration_s, self._times, "duration_s"),
            energy_wh=self.number(movement.energy_wh, _ENERGY_WH, "energy_wh"),
            battery_left_wh=None if left_wh is None else self.number(left_wh, _ENERGY_WH, "battery_left_wh"),
            slot=self.number(movement.slot, _COUNT, "slot"),
            nodes=tuple(self.number(node, _NODE, "a street node") for node in movement.nodes),
            line=tuple(
                (
                    self.number(lon, _LON, "a longitude of the line"),
                    self.number(lat, _LAT, "a latitude of the line"),
                    self.number(height, _HEIGHT_M, "a height of the line"),
                )
                for lon, lat, height in movement.line
            ),
        )
