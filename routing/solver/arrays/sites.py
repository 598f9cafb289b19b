"""Where an itinerary fits into a plan in arrays: its rides one after the other, each at its cheapest site."""

from __future__ import annotations

import math

from routing.solver.arrays.days import road_of, weight
from routing.solver.arrays.layout import (
    BUS,
    J_DUE,
    J_RELEASE,
    JF_BOXED_KG,
    JF_HANDLING,
    JF_LATE,
    L_BOXED,
    L_FITS,
    L_FITS_END,
    L_FROM,
    L_GROUP,
    L_HANDLING,
    L_KIND,
    L_NUMBER,
    L_ORIGIN,
    L_OWN_BOXED,
    L_OWN_PART,
    L_OWN_ROUNDS,
    L_OWN_S,
    L_STORE,
    L_TARGET,
    L_TO,
    L_UNLOAD_BY,
    LF_LOAD,
    LF_OWN,
    LF_OWN_FIXED,
    LF_OWN_SERVICE,
    LF_STORE_KG,
    LF_UNLOAD,
    M_KNOWN,
    O_COUNT,
    O_LEG,
    ROAD,
    T_BOXED,
    T_LEG,
    T_LOAD_END,
    T_NEXT,
    T_UNLOAD_START,
    X_BOXED,
    X_CARRIER,
    X_LEG,
    X_LOAD,
    X_LOAD_NEW,
    X_PART,
    X_READY,
    X_ROUND,
    X_START,
    X_UNLOAD,
    X_UNLOAD_NEW,
    Facts,
    Sheet,
)
from routing.solver.arrays.seats import best_seat
from routing.solver.arrays.sorties import best_perch
from routing.solver.arrays.undo import job_of
from routing.solver.boards import Days
from routing.solver.machine_code import inner, merged
from routing.solver.site_loops import Own, find_site
from routing.solver.spot_loops import Leg

SITE_COLUMNS = 14
"""Columns of `sites` that are remembered."""
_NUMBER, _EARLIEST, _FROM, _TO, _UNLOAD_BY, _FOUND, _SITE = range(7)
"""Columns of `Sheet.known`; those of the site begin with the last."""
KNOWN_COLUMNS = _SITE + SITE_COLUMNS


@merged
def propose(facts: Facts, sheet: Sheet, job: int, option: int, limit: float, first_row: int, fresh: bool) -> float:
    """Write sites for the rides of an option to rows of `Sheet.sites`, each at least cost.

    Return what they add to the cost; infinite where that fails or is not below `limit`. With `fresh`, rides by road
    begin rounds of their own.
    """
    legs, first_leg = facts.options[option, O_COUNT], facts.options[option, O_LEG]
    if legs == 0:
        return math.inf
    cost, ready = facts.job_sizes[job, JF_HANDLING] * (legs - 1), facts.jobs[job, J_RELEASE]
    avoid = (-1, -1)
    for k in range(legs):
        if cost >= limit:
            return math.inf
        leg, row = first_leg + k, first_row + k
        earliest = ready + facts.legs[leg, L_HANDLING]
        delta = _site_of(facts, sheet, leg, job, earliest, avoid, row, limit - cost, fresh)
        if delta == math.inf:
            return math.inf
        if k > 0 and not _storable(facts, sheet, job, leg, sheet.sites[row - 1, X_START], earliest):
            return math.inf
        carrier = sheet.sites[row, X_CARRIER]
        avoid = (carrier if k == 0 else avoid[0], carrier)
        cost += delta
        ready = sheet.sites[row, X_READY]
    start = sheet.sites[first_row + legs - 1, X_START]
    cost += facts.job_sizes[job, JF_LATE] * max(0, start - facts.jobs[job, J_DUE])
    return cost if cost < limit else math.inf


@merged
def _site_of(
    facts: Facts,
    sheet: Sheet,
    leg: int,
    job: int,
    earliest_s: int,
    avoid: tuple[int, int],
    row: int,
    limit: float,
    fresh: bool,
) -> float:
    """Write the best site for a leg to a row; looked up where the ride was placed before from the same time on."""
    legs, cell = facts.legs[leg], _find_known(facts, sheet, leg, earliest_s)
    if cell >= 0:
        known, delta = sheet.known[cell], sheet.known_delta[cell, 0]
        if known[_FOUND]:
            carrier, ready = known[_SITE + X_CARRIER], known[_SITE + X_READY]
            if ready <= legs[L_UNLOAD_BY] and carrier != avoid[0] and carrier != avoid[1]:
                for column in range(SITE_COLUMNS):
                    sheet.sites[row, column] = known[_SITE + column]
                sheet.sites[row, X_LEG] = leg
                return delta if delta < limit else math.inf
        elif sheet.known_delta[cell, 1] >= limit and known[_UNLOAD_BY] >= legs[L_UNLOAD_BY]:
            return math.inf
    delta = _best_site(facts, sheet, leg, job, earliest_s, avoid, row, limit, fresh)
    if cell < 0 and sheet.marks[0, M_KNOWN] < sheet.known.shape[0]:
        cell = sheet.marks[0, M_KNOWN]
        sheet.marks[0, M_KNOWN] += 1
    if cell >= 0:
        known = sheet.known[cell]
        known[_NUMBER], known[_EARLIEST] = legs[L_NUMBER], earliest_s
        known[_FROM], known[_TO] = legs[L_FROM], legs[L_TO]
        known[_UNLOAD_BY], known[_FOUND] = legs[L_UNLOAD_BY], delta < math.inf
        for column in range(SITE_COLUMNS):
            known[_SITE + column] = sheet.sites[row, column]
        sheet.known_delta[cell, 0], sheet.known_delta[cell, 1] = delta, limit
    return delta


@inner
def _find_known(facts: Facts, sheet: Sheet, leg: int, earliest_s: int) -> int:
    """Return the cell of what was found for such a ride from that time on, -1 where nothing was looked for."""
    legs = facts.legs[leg]
    for k in range(sheet.marks[0, M_KNOWN]):
        known = sheet.known[k]
        same_ride = known[_NUMBER] == legs[L_NUMBER] and known[_EARLIEST] == earliest_s
        if same_ride and known[_FROM] == legs[L_FROM] and known[_TO] == legs[L_TO]:
            return k
    return -1


@merged
def _best_site(
    facts: Facts,
    sheet: Sheet,
    leg: int,
    job: int,
    earliest_s: int,
    avoid: tuple[int, int],
    row: int,
    limit: float,
    fresh: bool,
) -> float:
    """Write the cheapest site for a leg below `limit` to a row of `Sheet.sites`; return what it adds, or inf."""
    kind = facts.legs[leg, L_KIND]
    if kind == ROAD:
        return _best_spot(facts, sheet, leg, earliest_s, avoid, row, limit, fresh)
    sheet.sites[row, X_PART], sheet.sites[row, X_BOXED] = 0, facts.legs[leg, L_BOXED]
    if kind == BUS:
        return best_seat(facts, sheet, leg, job, earliest_s, avoid, row, limit)
    best, idle_seen = math.inf, False
    group = facts.legs[leg, L_GROUP]
    for drone in range(sheet.group_rows[group, 0], sheet.group_rows[group, 1]):
        carrier = sheet.figures.shape[0] + drone
        idle = sheet.flown[drone] == 0
        if carrier in (avoid[0], avoid[1]) or (idle and idle_seen):
            continue
        idle_seen = idle_seen or idle
        best = min(best, best_perch(facts, sheet, leg, job, earliest_s, carrier, row, min(best, limit)))
    return best


@merged
def _best_spot(
    facts: Facts, sheet: Sheet, leg: int, earliest_s: int, avoid: tuple[int, int], row: int, limit: float, fresh: bool
) -> float:
    legs, sizes = facts.legs[leg], facts.leg_sizes[leg]
    fleet = legs[L_GROUP]
    first, end = sheet.fleet_rows[fleet, 0], sheet.fleet_rows[fleet, 1]
    fits_from, fits_to = legs[L_FITS], legs[L_FITS_END]
    vehicle, new_round, delta, load_at, load_new, unload_at, unload_new, part, ready_s, start_s = find_site(
        road_of(facts, fleet),
        Days(sheet.times[first:end], sheet.aboard[first:end], sheet.figures[first:end]),
        Leg(
            legs[L_ORIGIN],
            legs[L_TARGET],
            earliest_s,
            legs[L_FROM],
            legs[L_TO],
            legs[L_UNLOAD_BY],
            sizes[LF_LOAD],
            sizes[LF_UNLOAD],
            facts.fits[fits_from:fits_to],
        ),
        Own(sizes[LF_OWN], sizes[LF_OWN_FIXED], sizes[LF_OWN_SERVICE], legs[L_OWN_S], legs[L_OWN_ROUNDS]),
        (avoid[0] - first, avoid[1] - first),
        limit,
        fresh,
    )
    if vehicle < 0:
        return math.inf
    site = sheet.sites[row]
    site[X_CARRIER], site[X_LEG], site[X_ROUND] = first + vehicle, leg, new_round
    site[X_LOAD], site[X_LOAD_NEW], site[X_UNLOAD], site[X_UNLOAD_NEW] = load_at, load_new, unload_at, unload_new
    site[X_READY], site[X_START] = ready_s, start_s
    if new_round:
        site[X_PART], site[X_BOXED] = legs[L_OWN_PART], legs[L_OWN_BOXED]
    else:
        site[X_PART] = int(facts.fits[fits_from + part, 0])
        site[X_BOXED] = facts.fits_boxed[fits_from + part]
    return delta


@inner
def _storable(facts: Facts, sheet: Sheet, job: int, leg: int, since_s: int, until_s: int) -> bool:
    """Return whether a job can wait in the store before a leg during a stay."""
    place, kind, room = facts.legs[leg, L_ORIGIN], facts.legs[leg, L_STORE], facts.leg_sizes[leg, LF_STORE_KG]
    boxed_kg, elsewhere = facts.job_sizes[job, JF_BOXED_KG], sheet.elsewhere_kg[place, kind]
    if sheet.waiting_kg[place] + elsewhere + boxed_kg <= room:
        return True
    total, task = elsewhere, sheet.waiting[place]
    while task >= 0:
        other = job_of(sheet, task)
        apart = sheet.tasks[task + 1, T_LOAD_END] < since_s or sheet.tasks[task, T_UNLOAD_START] > until_s
        if not apart and facts.legs[sheet.tasks[task + 1, T_LEG], L_STORE] == kind:
            arriving, _ = weight(facts, other, sheet.tasks[task, T_BOXED] != 0)
            leaving, _ = weight(facts, other, sheet.tasks[task + 1, T_BOXED] != 0)
            total += max(arriving, leaving)
        task = sheet.tasks[task, T_NEXT]
    return bool(total + boxed_kg <= room + 1e-6)
