"""Vehicles' days in arrays: stops come and go, times are made anew from what is aboard (see `solver.days`)."""

from __future__ import annotations

from routing.solver.arrays.layout import (
    C_COLD,
    E_TOTAL,
    F_BASE,
    F_CLOCK,
    F_COST,
    F_MATRIX,
    J_DUE,
    J_PRODUCT,
    J_RELEASE,
    JF_BOXED_KG,
    JF_BOXED_L,
    JF_KG,
    JF_L,
    L_FROM,
    L_ORIGIN,
    L_TARGET,
    L_TO,
    LF_LOAD,
    LF_UNLOAD,
    M_GROW,
    P_HANDLING,
    P_MAX_WAIT,
    T_BOXED,
    T_CARRIER,
    T_LATEST,
    T_LEG,
    T_LOAD,
    T_LOAD_END,
    T_LOAD_START,
    T_PART,
    T_READY,
    T_UNLOAD,
    T_UNLOAD_END,
    T_UNLOAD_START,
    X_CARRIER,
    X_LOAD,
    X_LOAD_NEW,
    X_ROUND,
    X_UNLOAD,
    X_UNLOAD_NEW,
    Facts,
    Sheet,
)
from routing.solver.arrays.undo import is_journal_full, is_last, job_of, lateness, rides_of, touch
from routing.solver.boards import DRIVE_S, ROUNDS, STOPS
from routing.solver.day_loops import (
    BEGINS,
    CAP,
    DUE,
    EARLIEST,
    END_BY,
    FAR_S,
    FETCH_BY,
    LATEST,
    LOWER,
    PLACE,
    SERVICE,
    START,
    START_BY,
    STOP_S,
    WANTED,
    Road,
    run,
)
from routing.solver.fleets import whole_seconds
from routing.solver.machine_code import inner

_whole = inner(whole_seconds)
_NEW_STOPS = 4
"""A leg makes so many new stops at most: a round of its own."""
_MARK = WANTED + 1
"""Row of `Sheet.stops` for marks by stop."""


@inner
def road_of(facts: Facts, fleet: int) -> Road:
    """Return what the loops on days read of a fleet."""
    matrix, clock = facts.fleets[fleet, F_MATRIX], facts.fleets[fleet, F_CLOCK]
    return Road(
        facts.durations[matrix],
        facts.distances[matrix],
        facts.energies[matrix],
        facts.costs[facts.fleets[fleet, F_COST]],
        facts.clocks[clock],
        facts.opens,
        facts.closes,
        facts.limits[fleet],
        facts.prices[fleet],
    )


@inner
def weight(facts: Facts, job: int, boxed: bool) -> tuple[float, float]:
    """Return the kilograms and litres of a job, in boxes or not."""
    if boxed:
        return float(facts.job_sizes[job, JF_BOXED_KG]), float(facts.job_sizes[job, JF_BOXED_L])
    return float(facts.job_sizes[job, JF_KG]), float(facts.job_sizes[job, JF_L])


# --- Stops and tasks -------------------------------------------------------------------------------------------------


@inner
def has_space(sheet: Sheet, carrier: int) -> bool:
    """Return whether another task may be put on a carrier; if not for want of cells, note that more are needed."""
    full = sheet.loaded[carrier] + 1 > sheet.lists.shape[1]
    if carrier < sheet.figures.shape[0]:
        full = full or sheet.figures[carrier, STOPS] + _NEW_STOPS > sheet.times.shape[2]
    if full:
        sheet.marks[0, M_GROW] = 1
    return not full and not is_journal_full(sheet, 0.5)


@inner
def add_to_list(sheet: Sheet, carrier: int, task: int) -> None:
    """Put a task on a carrier's list."""
    sheet.lists[carrier, sheet.loaded[carrier]] = task
    sheet.loaded[carrier] += 1
    sheet.tasks[task, T_CARRIER] = carrier


@inner
def drop_from_list(sheet: Sheet, carrier: int, task: int) -> None:
    """Take a task off a carrier's list; the others keep their order."""
    kept = 0
    for k in range(sheet.loaded[carrier]):
        other = sheet.lists[carrier, k]
        sheet.lists[carrier, kept] = other
        kept += other != task
    sheet.loaded[carrier] = kept
    sheet.tasks[task, T_CARRIER] = -1


@inner
def _insert_stop(sheet: Sheet, vehicle: int, at: int, place: int, begins: bool) -> None:
    n = sheet.figures[vehicle, STOPS]
    for k in range(n, at, -1):
        sheet.times[vehicle, PLACE, k] = sheet.times[vehicle, PLACE, k - 1]
        sheet.times[vehicle, BEGINS, k] = sheet.times[vehicle, BEGINS, k - 1]
    sheet.times[vehicle, PLACE, at], sheet.times[vehicle, BEGINS, at] = place, begins
    sheet.figures[vehicle, STOPS] = n + 1
    for k in range(sheet.loaded[vehicle]):
        task = sheet.lists[vehicle, k]
        sheet.tasks[task, T_LOAD] += sheet.tasks[task, T_LOAD] >= at
        sheet.tasks[task, T_UNLOAD] += sheet.tasks[task, T_UNLOAD] >= at


@inner
def put_on_day(facts: Facts, sheet: Sheet, task: int, row: int) -> None:
    """Put a task where a row of `sites` says; the day's times are stale until it is refreshed."""
    site, vehicle = sheet.sites[row], sheet.sites[row, X_CARRIER]
    leg = sheet.tasks[task, T_LEG]
    origin, target = facts.legs[leg, L_ORIGIN], facts.legs[leg, L_TARGET]
    load_at, unload_at = site[X_LOAD], site[X_UNLOAD]
    if site[X_ROUND]:
        base, at = facts.fleets[sheet.fleet_of[vehicle], F_BASE], load_at
        _insert_stop(sheet, vehicle, at, base, True)
        load_at = at
        if origin != base:
            at += 1
            _insert_stop(sheet, vehicle, at, origin, False)
            load_at = at
        if target != base:
            at += 1
            _insert_stop(sheet, vehicle, at, target, False)
        _insert_stop(sheet, vehicle, at + 1, base, False)
        unload_at = at + 1 if target == base else at
    else:
        if site[X_UNLOAD_NEW]:
            unload_at += 1
            _insert_stop(sheet, vehicle, unload_at, target, False)
        if site[X_LOAD_NEW]:
            load_at += 1
            unload_at += 1
            _insert_stop(sheet, vehicle, load_at, origin, False)
    sheet.tasks[task, T_LOAD], sheet.tasks[task, T_UNLOAD] = load_at, unload_at
    add_to_list(sheet, vehicle, task)


@inner
def drop_empty_stops(sheet: Sheet, vehicle: int) -> None:
    """Take out the stops of a day where nothing is handed over, and rounds without any other."""
    n, mark = sheet.figures[vehicle, STOPS], sheet.stops[_MARK]
    for k in range(n):
        mark[k] = 0
    for k in range(sheet.loaded[vehicle]):
        task = sheet.lists[vehicle, k]
        mark[sheet.tasks[task, T_LOAD]] = mark[sheet.tasks[task, T_UNLOAD]] = 1
    kept = first = 0
    while first < n:
        last, busy = first, False
        while last + 1 < n and not sheet.times[vehicle, BEGINS, last + 1]:
            last += 1
        for k in range(first + 1, last):
            busy = busy or mark[k] == 1
        for k in range(first, last + 1):
            keeps = busy and (k in (first, last) or mark[k] == 1)
            mark[k] = kept
            if keeps:
                sheet.times[vehicle, PLACE, kept] = sheet.times[vehicle, PLACE, k]
                sheet.times[vehicle, BEGINS, kept] = sheet.times[vehicle, BEGINS, k]
                kept += 1
        first = last + 1
    sheet.figures[vehicle, STOPS] = kept
    for k in range(sheet.loaded[vehicle]):
        task = sheet.lists[vehicle, k]
        sheet.tasks[task, T_LOAD] = mark[sheet.tasks[task, T_LOAD]]
        sheet.tasks[task, T_UNLOAD] = mark[sheet.tasks[task, T_UNLOAD]]


# --- Times -----------------------------------------------------------------------------------------------------------


@inner
def refresh_day(facts: Facts, sheet: Sheet, vehicle: int, reload: bool) -> bool:
    """Make loads, bounds, times and cost anew; return whether anything was.

    Without `reload` only what other carriers published is new, and if that moves no bound all stays as it is.
    """
    n = sheet.figures[vehicle, STOPS]
    if n == 0:
        sheet.figures[vehicle, DRIVE_S] = sheet.figures[vehicle, ROUNDS] = 0
        sheet.sound[vehicle] = True
        _set_cost(sheet, vehicle, 0.0)
        return reload
    _gather(facts, sheet, vehicle, n)
    if not reload and not _differs(sheet, vehicle, n):
        return False
    touch(sheet, vehicle)
    day = sheet.times[vehicle, :, :n]
    rounds = 0
    for k in range(n):
        for row in range(LOWER, WANTED + 1):
            day[row, k] = sheet.stops[row, k]
        rounds += day[BEGINS, k]
    fleet = sheet.fleet_of[vehicle]
    fits = (not reload) or (_pile(facts, sheet, vehicle, n) and _mix_well(facts, sheet, vehicle))
    holds, drive_s, money = run(road_of(facts, fleet), day)
    sheet.figures[vehicle, DRIVE_S], sheet.figures[vehicle, ROUNDS] = drive_s, rounds
    sheet.sound[vehicle] = fits and holds
    _set_cost(sheet, vehicle, money + _lateness(facts, sheet, vehicle))
    return True


@inner
def _set_cost(sheet: Sheet, carrier: int, money: float) -> None:
    sheet.money[E_TOTAL] += money - sheet.cost[carrier]
    sheet.cost[carrier] = money


@inner
def _gather(facts: Facts, sheet: Sheet, vehicle: int, n: int) -> None:
    """Write what all stops' goods ask for into `Sheet.stops`, rows LOWER to WANTED."""
    fleet, stops, seconds = sheet.fleet_of[vehicle], sheet.stops, sheet.stop_sizes[0]
    base, stop_s = facts.fleets[fleet, F_BASE], facts.prices[fleet, STOP_S]
    places = sheet.times[vehicle, PLACE]
    for k in range(n):
        away = places[k] != base
        stops[LOWER, k] = facts.opens[places[k]] if away else 0
        stops[START_BY, k] = facts.closes[places[k]] if away else FAR_S
        seconds[k] = stop_s if away else 0.0
        stops[END_BY, k] = stops[DUE, k] = stops[CAP, k] = FAR_S
        stops[FETCH_BY, k], stops[WANTED, k] = 2 * FAR_S, FAR_S
    for k in range(sheet.loaded[vehicle]):
        _ask(facts, sheet, sheet.lists[vehicle, k])
    for k in range(n):
        stops[SERVICE, k] = _whole(seconds[k])
        last = k + 1 == n or sheet.times[vehicle, BEGINS, k + 1]
        wanted = stops[WANTED, k]
        stops[WANTED, k] = wanted - stops[SERVICE, k] if last and 0 <= wanted < FAR_S else -1


@inner
def _ask(facts: Facts, sheet: Sheet, task: int) -> None:
    """Note what one task asks of the stops where it is loaded and unloaded."""
    rides, stops, seconds = rides_of(sheet), sheet.stops, sheet.stop_sizes[0]
    job, leg = job_of(sheet, task), sheet.tasks[task, T_LEG]
    a, b = sheet.tasks[task, T_LOAD], sheet.tasks[task, T_UNLOAD]
    origin, target = facts.legs[leg, L_ORIGIN], facts.legs[leg, L_TARGET]
    seconds[a] += facts.leg_sizes[leg, LF_LOAD]
    seconds[b] += facts.leg_sizes[leg, LF_UNLOAD]
    if task == job * rides:
        stops[LOWER, a] = max(stops[LOWER, a], facts.jobs[job, J_RELEASE])
    else:
        opens = sheet.tasks[task - 1, T_READY] + facts.places[origin, P_HANDLING]
        stops[LOWER, a] = max(stops[LOWER, a], opens)
        if facts.places[origin, P_MAX_WAIT] >= 0:
            leave_by = sheet.tasks[task - 1, T_UNLOAD_END] + facts.places[origin, P_MAX_WAIT]
            stops[FETCH_BY, a] = min(stops[FETCH_BY, a], leave_by)
    if is_last(sheet, task):
        stops[LOWER, b] = max(stops[LOWER, b], facts.legs[leg, L_FROM])
        stops[START_BY, b] = min(stops[START_BY, b], facts.legs[leg, L_TO])
        stops[DUE, b] = min(stops[DUE, b], facts.jobs[job, J_DUE])
        stops[WANTED, b] = -1
        return
    handling = facts.places[target, P_HANDLING]
    stops[END_BY, b] = min(stops[END_BY, b], sheet.tasks[task + 1, T_LATEST] - handling)
    hasty = facts.products[facts.jobs[job, J_PRODUCT], C_COLD] > 0.0 or facts.places[target, P_MAX_WAIT] >= 0
    if hasty:
        stops[WANTED, b] = min(stops[WANTED, b], sheet.tasks[task + 1, T_LOAD_START] - handling)
    else:
        stops[WANTED, b] = -1


@inner
def _differs(sheet: Sheet, vehicle: int, n: int) -> bool:
    """Return whether what was gathered differs from what the day was made with."""
    for k in range(n):
        if (
            sheet.stops[LOWER, k] != sheet.times[vehicle, LOWER, k]
            or sheet.stops[END_BY, k] != sheet.times[vehicle, END_BY, k]
            or sheet.stops[FETCH_BY, k] != sheet.times[vehicle, FETCH_BY, k]
            or sheet.stops[WANTED, k] != sheet.times[vehicle, WANTED, k]
        ):
            return True
    return False


@inner
def _pile(facts: Facts, sheet: Sheet, vehicle: int, n: int) -> bool:
    """Sum up what is aboard after each stop; return whether it fits."""
    fleet, rows = sheet.fleet_of[vehicle], sheet.aboard.shape[1]
    aboard = sheet.aboard[vehicle]
    for row in range(rows):
        for k in range(n):
            aboard[row, k] = 0.0
    for k in range(sheet.loaded[vehicle]):
        task = sheet.lists[vehicle, k]
        kg, litres = weight(facts, job_of(sheet, task), sheet.tasks[task, T_BOXED] != 0)
        part, a, b = sheet.tasks[task, T_PART], sheet.tasks[task, T_LOAD], sheet.tasks[task, T_UNLOAD]
        aboard[part, a] += kg
        aboard[part, b] -= kg
        aboard[rows // 2 + part, a] += litres
        aboard[rows // 2 + part, b] -= litres
    fits = True
    for row in range(rows):
        total = 0.0
        for k in range(n):
            total += aboard[row, k]
            aboard[row, k] = total
            fits = fits and total <= facts.room[fleet, row]
    return fits


@inner
def _mix_well(facts: Facts, sheet: Sheet, vehicle: int) -> bool:
    """Return whether no two tasks whose classes are kept apart are in one compartment at a time."""
    n, carried, barred = sheet.loaded[vehicle], 0, 0
    for k in range(n):
        product = facts.jobs[job_of(sheet, sheet.lists[vehicle, k]), J_PRODUCT]
        carried |= facts.bits[product, 0]
        barred |= facts.bits[product, 1]
    if carried & barred == 0:
        return True
    for k in range(n):
        for m in range(k + 1, n):
            if _clash(facts, sheet, sheet.lists[vehicle, k], sheet.lists[vehicle, m]):
                return False
    return True


@inner
def _clash(facts: Facts, sheet: Sheet, one: int, other: int) -> bool:
    products = facts.jobs[job_of(sheet, one), J_PRODUCT], facts.jobs[job_of(sheet, other), J_PRODUCT]
    return bool(
        facts.barred[products]
        and sheet.tasks[one, T_PART] == sheet.tasks[other, T_PART]
        and sheet.tasks[one, T_LOAD] < sheet.tasks[other, T_UNLOAD]
        and sheet.tasks[other, T_LOAD] < sheet.tasks[one, T_UNLOAD]
    )


@inner
def _lateness(facts: Facts, sheet: Sheet, vehicle: int) -> float:
    money = 0.0
    for k in range(sheet.loaded[vehicle]):
        task = sheet.lists[vehicle, k]
        money += lateness(facts, sheet, task, sheet.times[vehicle, START, sheet.tasks[task, T_UNLOAD]])
    return money


@inner
def publish_day(sheet: Sheet, vehicle: int) -> int:
    """Write times to the tasks; return how many tasks of other carriers may feel that, listed in `Sheet.lines[0]`."""
    rides, felt, day = rides_of(sheet), 0, sheet.times[vehicle]
    for k in range(sheet.loaded[vehicle]):
        task = sheet.lists[vehicle, k]
        row, a, b = sheet.tasks[task], sheet.tasks[task, T_LOAD], sheet.tasks[task, T_UNLOAD]
        row[T_LOAD_START], row[T_LOAD_END] = day[START, a], day[START, a] + day[SERVICE, a]
        row[T_UNLOAD_START], row[T_UNLOAD_END] = day[START, b], day[START, b] + day[SERVICE, b]
        job = job_of(sheet, task)
        if row[T_LATEST] != day[LATEST, a]:
            row[T_LATEST] = day[LATEST, a]
            if task > job * rides:
                sheet.lines[0, felt] = task - 1
                felt += 1
        ready = day[EARLIEST, b] + day[SERVICE, b]
        if row[T_READY] != ready:
            row[T_READY] = ready
            if not is_last(sheet, task):
                sheet.lines[0, felt] = task + 1
                felt += 1
    return felt
