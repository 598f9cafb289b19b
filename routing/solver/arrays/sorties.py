"""Drones' days in arrays (see `solver.sorties`)."""

from __future__ import annotations

import math

from routing.solver.arrays.days import add_to_list, drop_from_list, weight
from routing.solver.arrays.layout import (
    E_TOTAL,
    FL_BACK,
    FL_OPEN,
    FL_OUT,
    FX_BACK,
    FX_KG,
    FX_OUT,
    G_BASE,
    G_CLASSES,
    G_END,
    G_START,
    G_TURNAROUND,
    G_WINCH,
    GF_FIXED,
    GF_L,
    GF_PER_H,
    GF_PER_WH,
    GF_SORTIE,
    GF_WH,
    J_PRODUCT,
    L_BOXED,
    L_FROM,
    L_ORIGIN,
    L_TARGET,
    L_TO,
    L_UNLOAD_BY,
    M_GROW,
    P_HANDLING,
    S_ARRIVAL,
    S_END,
    S_LEAVE,
    S_PLACE,
    S_START,
    T_BOXED,
    T_LATEST,
    T_LEG,
    T_LOAD,
    T_LOAD_END,
    T_LOAD_START,
    T_READY,
    T_UNLOAD,
    T_UNLOAD_END,
    T_UNLOAD_START,
    X_CARRIER,
    X_FLY,
    X_LEG,
    X_READY,
    X_ROUND,
    X_SORTIE,
    X_START,
    Facts,
    Sheet,
)
from routing.solver.arrays.undo import is_last, job_of, lateness
from routing.solver.machine_code import inner

_HOUR_S = 3600
_LATER_S = (0, 60, 300)
"""How much later than at once a flight is tried before the next full hours are."""
Flown = tuple[int, int, int, int, float, float]
"""Start (-1: no flight), arrival, leave and end, watt-hours out and back."""


# --- Physics ---------------------------------------------------------------------------------------------------------


@inner
def fly(  # noqa: PLR0911 # one return a rule
    facts: Facts, group: int, place: int, start_s: int, down_kg: float, up_kg: float
) -> Flown:
    """Return the sortie leaving at `start_s`; its start is -1 where wind, payload, battery or shift forbid it."""
    nothing = (-1, 0, 0, 0, 0.0, 0.0)
    row = facts.flight_of[group, place]
    if row < 0 or max(down_kg, up_kg) > facts.flight_bests[row, FX_KG] + 1e-9:
        return nothing
    flights, hours, hour = facts.flights[row], facts.flights.shape[2], start_s // _HOUR_S
    if start_s < facts.groups[group, G_START] or hour < 0 or hour >= hours or flights[FL_OPEN, hour] == 0:
        return nothing
    arrival = start_s + flights[FL_OUT, hour]
    leave = arrival + facts.groups[group, G_WINCH]
    back_hour = leave // _HOUR_S
    if back_hour >= hours or flights[FL_OPEN, back_hour] == 0:
        return nothing
    end = leave + flights[FL_BACK, back_hour]
    if end > facts.groups[group, G_END]:
        return nothing
    for flown in range(hour, min(end // _HOUR_S + 1, hours)):
        if flights[FL_OPEN, flown] == 0:
            return nothing
    out_wh = _energy(facts, group, row, 0, hour, down_kg)
    back_wh = _energy(facts, group, row, 1, back_hour, up_kg)
    if out_wh + back_wh > facts.group_sizes[group, GF_WH]:
        return nothing
    return (start_s, int(arrival), int(leave), int(end), out_wh, back_wh)


@inner
def _energy(facts: Facts, group: int, row: int, way: int, hour: int, kg: float) -> float:
    """Interpolate energy over the payload classes; infinite above the last class."""
    classes, last = facts.payloads[group], facts.groups[group, G_CLASSES] - 1
    if kg > classes[last] + 1e-9:
        return math.inf
    k = 0
    while k < last and classes[k] <= kg:
        k += 1
    wh = facts.flight_wh[row, way, hour]
    if k == 0 or classes[k] == classes[k - 1]:
        return float(wh[k])
    share = (kg - classes[k - 1]) / (classes[k] - classes[k - 1])
    return float(wh[k - 1] + share * (wh[k] - wh[k - 1]))


# --- What a drone carries --------------------------------------------------------------------------------------------


@inner
def _loads(facts: Facts, sheet: Sheet, carrier: int, sortie: int) -> tuple[float, float, float, float, int]:
    """Return kilograms down and up, litres down and up, and how many tasks ride on a sortie."""
    down_kg = up_kg = down_l = up_l = 0.0
    aboard = 0
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        if sheet.tasks[task, T_LOAD] != sortie:
            continue
        kg, litres = weight(facts, job_of(sheet, task), sheet.tasks[task, T_BOXED] != 0)
        aboard += 1
        if sheet.tasks[task, T_UNLOAD]:
            down_kg += kg
            down_l += litres
        else:
            up_kg += kg
            up_l += litres
    return down_kg, up_kg, down_l, up_l, aboard


@inner
def _write_flight(sheet: Sheet, drone: int, sortie: int, flown: Flown) -> None:
    times = sheet.sorties[drone, sortie]
    times[S_START], times[S_ARRIVAL], times[S_LEAVE], times[S_END] = flown[0], flown[1], flown[2], flown[3]
    sheet.energies[drone, sortie, 0], sheet.energies[drone, sortie, 1] = flown[4], flown[5]


@inner
def put_on_drone(facts: Facts, sheet: Sheet, task: int, row: int) -> None:
    """Put a task on a sortie as a row of `sites` says."""
    site = sheet.sites[row]
    carrier, leg = site[X_CARRIER], sheet.tasks[task, T_LEG]
    drone = carrier - sheet.figures.shape[0]
    group = sheet.group_of[drone]
    goes_down = facts.legs[leg, L_ORIGIN] == facts.groups[group, G_BASE]
    place = facts.legs[leg, L_TARGET] if goes_down else facts.legs[leg, L_ORIGIN]
    sortie = site[X_SORTIE]
    if sortie < 0:
        sortie = _open_sortie(sheet, carrier, drone, site[X_FLY])
        sheet.sorties[drone, sortie, S_PLACE] = place
    sheet.tasks[task, T_LOAD], sheet.tasks[task, T_UNLOAD] = sortie, goes_down
    add_to_list(sheet, carrier, task)
    down_kg, up_kg, _, _, _ = _loads(facts, sheet, carrier, sortie)
    _write_flight(sheet, drone, sortie, fly(facts, group, place, site[X_FLY], down_kg, up_kg))


@inner
def _open_sortie(sheet: Sheet, carrier: int, drone: int, start_s: int) -> int:
    """Make room for a sortie that starts at a time; return its index."""
    at = sheet.flown[drone]
    while at > 0 and sheet.sorties[drone, at - 1, S_START] > start_s:
        _copy_sortie(sheet, drone, at - 1, at)
        at -= 1
    sheet.flown[drone] += 1
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        sheet.tasks[task, T_LOAD] += sheet.tasks[task, T_LOAD] >= at
    return int(at)


@inner
def _copy_sortie(sheet: Sheet, drone: int, source: int, target: int) -> None:
    for column in range(5):
        sheet.sorties[drone, target, column] = sheet.sorties[drone, source, column]
    for way in range(2):
        sheet.energies[drone, target, way] = sheet.energies[drone, source, way]


@inner
def take_off_drone(facts: Facts, sheet: Sheet, task: int, carrier: int) -> None:
    """Take a task off a drone; a sortie left empty goes, the energy of another is taken anew."""
    drone, sortie = carrier - sheet.figures.shape[0], sheet.tasks[task, T_LOAD]
    drop_from_list(sheet, carrier, task)
    down_kg, up_kg, _, _, aboard = _loads(facts, sheet, carrier, sortie)
    if aboard:
        place, start = sheet.sorties[drone, sortie, S_PLACE], sheet.sorties[drone, sortie, S_START]
        flown = fly(facts, sheet.group_of[drone], place, start, down_kg, up_kg)
        if flown[0] >= 0:
            _write_flight(sheet, drone, sortie, flown)
        return
    for k in range(sortie, sheet.flown[drone] - 1):
        _copy_sortie(sheet, drone, k + 1, k)
    sheet.flown[drone] -= 1
    for k in range(sheet.loaded[carrier]):
        other = sheet.lists[carrier, k]
        sheet.tasks[other, T_LOAD] -= sheet.tasks[other, T_LOAD] > sortie


@inner
def refresh_drone(facts: Facts, sheet: Sheet, carrier: int) -> None:
    """Publish times to the tasks and price the day."""
    drone = carrier - sheet.figures.shape[0]
    sizes, flights = facts.group_sizes[sheet.group_of[drone]], sheet.flown[drone]
    cost = sizes[GF_FIXED] if flights else 0.0
    for k in range(flights):
        hours = (sheet.sorties[drone, k, S_END] - sheet.sorties[drone, k, S_START]) / _HOUR_S
        cost += sizes[GF_SORTIE] + hours * sizes[GF_PER_H]
        cost += max(0.0, sheet.energies[drone, k, 0] + sheet.energies[drone, k, 1]) * sizes[GF_PER_WH]
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        row, flight = sheet.tasks[task], sheet.sorties[drone, sheet.tasks[task, T_LOAD]]
        if row[T_UNLOAD]:
            row[T_LOAD_START] = row[T_LOAD_END] = flight[S_START]
            row[T_UNLOAD_START], row[T_UNLOAD_END] = flight[S_ARRIVAL], flight[S_LEAVE]
        else:
            row[T_LOAD_START], row[T_LOAD_END] = flight[S_ARRIVAL], flight[S_LEAVE]
            row[T_UNLOAD_START] = row[T_UNLOAD_END] = flight[S_END]
        row[T_READY], row[T_LATEST] = row[T_UNLOAD_END], row[T_LOAD_START]
        cost += lateness(facts, sheet, task, row[T_UNLOAD_START])
    sheet.money[E_TOTAL] += cost - sheet.cost[carrier]
    sheet.cost[carrier] = cost


# --- Search ----------------------------------------------------------------------------------------------------------


@inner
def best_perch(
    facts: Facts, sheet: Sheet, leg: int, job: int, earliest_s: int, carrier: int, row: int, limit: float
) -> float:
    """Write the cheapest way for a drone to fly a leg below `limit` to a row of `sites`; return what it adds, or inf.

    With a sortie to the place, that moved, or a new one.
    """
    drone, best = carrier - sheet.figures.shape[0], math.inf
    group = sheet.group_of[drone]
    goes_down = facts.legs[leg, L_ORIGIN] == facts.groups[group, G_BASE]
    place = facts.legs[leg, L_TARGET] if goes_down else facts.legs[leg, L_ORIGIN]
    for k in range(sheet.flown[drone]):
        if sheet.sorties[drone, k, S_PLACE] == place:
            flown, delta = _join(facts, sheet, leg, job, earliest_s, carrier, k, goes_down)
            if flown[0] >= 0 and delta < min(best, limit):
                best = delta
                _write_site(sheet, leg, carrier, row, k, flown, goes_down)
    if best < math.inf:
        return best
    flown, delta = _new_sortie(facts, sheet, leg, job, earliest_s, drone, place, goes_down, limit)
    if flown[0] < 0 or delta >= limit:
        return math.inf
    _write_site(sheet, leg, carrier, row, -1, flown, goes_down)
    return delta


@inner
def _write_site(sheet: Sheet, leg: int, carrier: int, row: int, sortie: int, flown: Flown, goes_down: bool) -> None:
    site = sheet.sites[row]
    site[X_CARRIER], site[X_LEG], site[X_SORTIE], site[X_FLY], site[X_ROUND] = carrier, leg, sortie, flown[0], 0
    site[X_READY] = flown[2] if goes_down else flown[3]
    site[X_START] = flown[1] if goes_down else flown[3]


@inner
def _join(
    facts: Facts, sheet: Sheet, leg: int, job: int, earliest_s: int, carrier: int, sortie: int, goes_down: bool
) -> tuple[Flown, float]:
    drone = carrier - sheet.figures.shape[0]
    group = sheet.group_of[drone]
    kg, litres = weight(facts, job, facts.legs[leg, L_BOXED] != 0)
    nothing = ((-1, 0, 0, 0, 0.0, 0.0), math.inf)
    down_kg, up_kg, down_l, up_l, _ = _loads(facts, sheet, carrier, sortie)
    if (down_l if goes_down else up_l) + litres > facts.group_sizes[group, GF_L] + 1e-7:
        return nothing
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        mate = sheet.tasks[task, T_LOAD] == sortie and (sheet.tasks[task, T_UNLOAD] != 0) == goes_down
        if mate and facts.barred[facts.jobs[job, J_PRODUCT], facts.jobs[job_of(sheet, task), J_PRODUCT]]:
            return nothing
    down_kg += kg if goes_down else 0.0
    up_kg += 0.0 if goes_down else kg
    place, start = sheet.sorties[drone, sortie, S_PLACE], sheet.sorties[drone, sortie, S_START]
    flown = fly(facts, group, place, start, down_kg, up_kg)
    if flown[0] < 0 or not _in_time(facts, leg, earliest_s, place, flown, goes_down):
        flown = _moved(facts, sheet, leg, earliest_s, carrier, sortie, down_kg, up_kg)
    if flown[0] < 0:
        return nothing
    extra_wh = flown[4] + flown[5] - sheet.energies[drone, sortie, 0] - sheet.energies[drone, sortie, 1]
    return flown, max(0.0, extra_wh * facts.group_sizes[group, GF_PER_WH])


@inner
def _in_time(facts: Facts, leg: int, earliest_s: int, place: int, flown: Flown, goes_down: bool) -> bool:
    load = flown[0] if goes_down else flown[1]
    start = flown[1] if goes_down else flown[3]
    end = flown[2] if goes_down else flown[3]
    return bool(
        load >= earliest_s
        and facts.legs[leg, L_FROM] <= start <= facts.legs[leg, L_TO]
        and end <= facts.legs[leg, L_UNLOAD_BY]
        and facts.opens[place] <= flown[1] <= facts.closes[place]
    )


@inner
def _moved(
    facts: Facts, sheet: Sheet, leg: int, earliest_s: int, carrier: int, sortie: int, down_kg: float, up_kg: float
) -> Flown:
    """Return the sortie flown later, so that the leg reaches it, where everything aboard still holds."""
    nothing, drone = (-1, 0, 0, 0, 0.0, 0.0), carrier - sheet.figures.shape[0]
    group = sheet.group_of[drone]
    base, place = facts.groups[group, G_BASE], sheet.sorties[drone, sortie, S_PLACE]
    goes_down = facts.legs[leg, L_ORIGIN] == base
    begin = _earliest_start(facts, leg, earliest_s, group, place, goes_down)
    if begin <= sheet.sorties[drone, sortie, S_START]:
        return nothing
    flown = fly(facts, group, place, begin, down_kg, up_kg)
    if flown[0] < 0 or not _in_time(facts, leg, earliest_s, place, flown, goes_down):
        return nothing
    if sortie + 1 < sheet.flown[drone]:
        until = sheet.sorties[drone, sortie + 1, S_START]
        if flown[3] + facts.groups[group, G_TURNAROUND] > until:
            return nothing
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        if sheet.tasks[task, T_LOAD] != sortie:
            continue
        down = sheet.tasks[task, T_UNLOAD] != 0
        start, end, there = (flown[1], flown[2], place) if down else (flown[3], flown[3], base)
        if not _task_holds(facts, sheet, task, start, end, facts.places[there, P_HANDLING]):
            return nothing
    return flown


@inner
def _task_holds(facts: Facts, sheet: Sheet, task: int, start_s: int, end_s: int, handling_s: int) -> bool:
    leg = sheet.tasks[task, T_LEG]
    if is_last(sheet, task):
        return bool(facts.legs[leg, L_FROM] <= start_s <= facts.legs[leg, L_TO])
    return bool(end_s + handling_s <= sheet.tasks[task + 1, T_LATEST])


@inner
def _earliest_start(facts: Facts, leg: int, earliest_s: int, group: int, place: int, goes_down: bool) -> int:
    """Return the earliest departure that could suit the leg by its loading, its window and the place's hours."""
    row = facts.flight_of[group, place]
    if row < 0:
        return int(facts.groups[group, G_END])
    out_s, back_s = int(facts.flight_bests[row, FX_OUT]), int(facts.flight_bests[row, FX_BACK])
    wanted = facts.legs[leg, L_FROM] - out_s - (0 if goes_down else facts.groups[group, G_WINCH] + back_s)
    load = earliest_s - (0 if goes_down else out_s)
    return int(max(facts.groups[group, G_START], load, wanted, facts.opens[place] - out_s))


@inner
def _new_sortie(
    facts: Facts,
    sheet: Sheet,
    leg: int,
    job: int,
    earliest_s: int,
    drone: int,
    place: int,
    goes_down: bool,
    limit: float,
) -> tuple[Flown, float]:
    group, flights = sheet.group_of[drone], sheet.flown[drone]
    sizes, turnaround = facts.group_sizes[group], facts.groups[group, G_TURNAROUND]
    kg, litres = weight(facts, job, facts.legs[leg, L_BOXED] != 0)
    nothing = (-1, 0, 0, 0, 0.0, 0.0)
    if litres > sizes[GF_L] + 1e-7 or sizes[GF_SORTIE] >= limit:
        return nothing, math.inf
    if flights + 1 > sheet.sorties.shape[1]:
        sheet.marks[0, M_GROW] = 1
        return nothing, math.inf
    down_kg, up_kg = (kg, 0.0) if goes_down else (0.0, kg)
    earliest = _earliest_start(facts, leg, earliest_s, group, place, goes_down)
    for k in range(flights + 1):
        begin = max(earliest, sheet.sorties[drone, k - 1, S_END] + turnaround) if k else earliest
        until = sheet.sorties[drone, k, S_START] - turnaround if k < flights else facts.groups[group, G_END]
        flown = _first_flight(facts, leg, earliest_s, group, place, begin, until, down_kg, up_kg)
        if flown[0] >= 0:
            delta = sizes[GF_SORTIE] + (0.0 if flights else sizes[GF_FIXED])
            delta += (flown[3] - flown[0]) / _HOUR_S * sizes[GF_PER_H] + (flown[4] + flown[5]) * sizes[GF_PER_WH]
            return flown, delta
    return nothing, math.inf


@inner
def _first_flight(
    facts: Facts,
    leg: int,
    earliest_s: int,
    group: int,
    place: int,
    begin: int,
    until: int,
    down_kg: float,
    up_kg: float,
) -> Flown:
    """Return the first flight within [begin, until] that suits: at once, a little later, or at the next full hours."""
    goes_down = facts.legs[leg, L_ORIGIN] == facts.groups[group, G_BASE]
    first_hour, hours = begin // _HOUR_S + 1, until // _HOUR_S - begin // _HOUR_S
    for k in range(len(_LATER_S) + max(0, hours)):
        start = begin + _LATER_S[k] if k < len(_LATER_S) else (first_hour + k - len(_LATER_S)) * _HOUR_S
        flown = fly(facts, group, place, start, down_kg, up_kg)
        if flown[0] < 0 or flown[3] > until:
            continue
        if _in_time(facts, leg, earliest_s, place, flown, goes_down):
            return flown
        if (flown[1] if goes_down else flown[3]) > facts.legs[leg, L_TO]:
            return (-1, 0, 0, 0, 0.0, 0.0)
    return (-1, 0, 0, 0, 0.0, 0.0)
