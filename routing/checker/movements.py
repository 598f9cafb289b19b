"""A movement's own figures against what its way needs, for streets and flights alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from geodata.travel_clock import TravelClock
from routing.checker.codes import Code
from routing.checker.report import Violation
from routing.model.plan import Route, Stop

DURATION_TOLERANCE_S = 1
DISTANCE_TOLERANCE_M = 1.0
ENERGY_TOLERANCE_WH = 0.5
ENERGY_TOLERANCE_SHARE = 0.005


class Needs(NamedTuple):
    """What a way needs: whole seconds, metres, watt-hours; `tolerance_s` is by how much two reckonings may differ."""

    duration_s: int
    distance_m: float
    energy_wh: float
    tolerance_s: int = DURATION_TOLERANCE_S


def street_needs(clock: TravelClock | None, departure_s: int, dry_s: int, distance_m: float, energy_wh: float) -> Needs:
    """Return what a street way of so many dry-day seconds needs from a departure on.

    The tolerance is that of the dry-day time, stretched like it.
    """
    if clock is None or dry_s == 0:
        return Needs(dry_s, distance_m, energy_wh)
    duration_s = clock.arrival_s(departure_s, dry_s) - departure_s
    longer_s = clock.arrival_s(departure_s, dry_s + DURATION_TOLERANCE_S) - departure_s
    return Needs(duration_s, distance_m, energy_wh, max(longer_s - duration_s, DURATION_TOLERANCE_S))


def energy_tolerance_wh(energy_wh: float) -> float:
    """Return by how much two reckonings of an energy may differ."""
    return ENERGY_TOLERANCE_WH + ENERGY_TOLERANCE_SHARE * abs(energy_wh)


def compare_movement(route: Route, here: Stop, there: Stop, needs: Needs) -> Iterator[Violation]:
    """Yield where duration, distance or energy of the movement between two stops differ from what its way needs."""
    movement = here.movement
    if movement is None:
        return
    way = f"from {here.place} to {there.place}"
    late_s = movement.duration_s - needs.duration_s
    if abs(late_s) > needs.tolerance_s:
        code = Code.TIMING_TRAVEL_TOO_SHORT if late_s < 0 else Code.CONSISTENCY_DURATION
        text = f"the way {way} takes {needs.duration_s} s, the plan says {movement.duration_s} s"
        yield Violation(code, here.place, float(abs(late_s)), "s", text, route.id)
    off_m = abs(movement.distance_m - needs.distance_m)
    if off_m > DISTANCE_TOLERANCE_M:
        text = f"the way {way} is {needs.distance_m:.0f} m long, the plan says {movement.distance_m} m"
        yield Violation(Code.CONSISTENCY_DISTANCE, here.place, off_m, "m", text, route.id)
    off_wh = abs(movement.energy_wh - needs.energy_wh)
    if off_wh > energy_tolerance_wh(needs.energy_wh):
        text = f"the way {way} needs {needs.energy_wh:.1f} Wh, the plan says {movement.energy_wh:.1f} Wh"
        yield Violation(Code.CONSISTENCY_ENERGY, here.place, off_wh, "Wh", text, route.id)
