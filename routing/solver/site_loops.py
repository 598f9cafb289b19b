"""The cheapest spot for a leg in all days of a fleet as one compiled loop: a call a day would cost more."""

from __future__ import annotations

from typing import NamedTuple

from routing.solver.boards import DRIVE_S, ROUNDS, STOPS, Days
from routing.solver.day_loops import MAX_DRIVE, Road
from routing.solver.machine_code import compiled
from routing.solver.spot_loops import Leg, find_gap, find_spot


class Own(NamedTuple):
    """A round for one leg alone, whatever vehicle makes it: its money, that of using an idle vehicle, its driving time.

    Money is infinite where there is none; `max_rounds` is what a vehicle may make. `service_cost` is the money of
    loading and unloading, which is part of `cost`.
    """

    cost: float
    fixed: float
    service_cost: float
    drive_s: int
    max_rounds: int


Site = tuple[int, bool, float, int, bool, int, bool, int, int, int]
"""Row of the vehicle (-1: nothing found), whether in a new round (before the stop where to load), extra cost, where to
load, at a new stop, where to unload, at a new stop, row of `Leg.fits`, when goods are unloaded, when that starts."""


@compiled
def find_site(  # by position: names make a call slower
    road: Road, days: Days, leg: Leg, own: Own, avoid: tuple[int, int], limit: float, fresh: bool
) -> Site:
    """Return the cheapest spot for a leg in the days of a fleet that adds less than `limit`.

    Cost is the detour's distance, energy and time plus that of service; waiting is not counted. Of idle vehicles only
    the first is looked at; rows in `avoid` are not. With `fresh` the leg begins a round of its own.
    """
    best: Site = (-1, False, limit, 0, False, 0, False, -1, 0, 0)
    idle_seen = False
    for row in range(days.figures.shape[0]):
        n = days.figures[row, STOPS]
        if row in (avoid[0], avoid[1]) or (n == 0 and idle_seen):
            continue
        idle_seen = idle_seen or n == 0
        day, drive_s = days.times[row, :, :n], days.figures[row, DRIVE_S]
        if n > 0 and not fresh:
            spot = find_spot(road, day, days.aboard[row, :, :n], leg, drive_s, best[2] - own.service_cost)
            if spot[5] >= 0:
                extra = spot[0] + own.service_cost
                best = (row, False, extra, spot[1], spot[2], spot[3], spot[4], spot[5], spot[6], spot[7])
        money = own.cost if n > 0 else own.cost + own.fixed
        if money < best[2] and days.figures[row, ROUNDS] < own.max_rounds:
            if drive_s + own.drive_s > road.limits[MAX_DRIVE]:
                continue
            gap, done, begun = find_gap(road, day, leg)
            if gap >= 0:
                best = (row, True, money, gap, False, gap, False, 0, done, begun)
    return best
