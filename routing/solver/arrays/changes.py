"""Jobs put on carriers and taken off, and times that run on from carrier to carrier until nothing changes."""

from __future__ import annotations

from routing.solver.arrays.days import (
    drop_empty_stops,
    drop_from_list,
    has_space,
    publish_day,
    put_on_day,
    refresh_day,
)
from routing.solver.arrays.layout import (
    J_WATCHED,
    M_TOUCHED,
    M_WATCHED,
    O_COUNT,
    O_LEG,
    Q_LEGS,
    Q_OPTION,
    T_BOXED,
    T_CARRIER,
    T_LATEST,
    T_LEG,
    T_PART,
    T_READY,
    T_WAITS,
    X_BOXED,
    X_CARRIER,
    X_PART,
    X_RIDE,
    Facts,
    Sheet,
)
from routing.solver.arrays.seats import first_trip, put_on_bus, take_off_bus
from routing.solver.arrays.sorties import put_on_drone, refresh_drone, take_off_drone
from routing.solver.arrays.undo import (
    assign,
    begin,
    commit,
    is_journal_full,
    is_last,
    job_of,
    rides_of,
    rollback,
    touch,
    touch_job,
)
from routing.solver.arrays.warmth import expose
from routing.solver.day_loops import FAR_S
from routing.solver.machine_code import compiled, inner

_MAX_PASSES, _PASSES_PER_CARRIER = 200, 4
"""More passes than this mean that carriers wait for each other in a circle."""


@inner
def place(facts: Facts, sheet: Sheet, job: int, option: int, first_row: int, level: int) -> bool:
    """Put a job on the sites of an option; return False, with nothing changed, where times or the cold do not hold.

    The sites are rows of `Sheet.sites` from `first_row` on; `level` is the savepoint to open meanwhile.
    """
    legs, first_leg = facts.options[option, O_COUNT], facts.options[option, O_LEG]
    for k in range(legs):
        if not has_space(sheet, sheet.sites[first_row + k, X_CARRIER]):
            return False
    begin(sheet, level)
    touch_job(sheet, job)
    first = job * rides_of(sheet)
    for k in range(legs):
        site = sheet.sites[first_row + k]
        sheet.tasks[first + k, T_LEG] = first_leg + k
        sheet.tasks[first + k, T_PART], sheet.tasks[first + k, T_BOXED] = site[X_PART], site[X_BOXED]
        for column in range(T_READY, T_WAITS):  # no times are known yet: those of an earlier ride must not bind
            sheet.tasks[first + k, column] = FAR_S if column == T_LATEST else 0
        touch(sheet, site[X_CARRIER])
    assign(facts, sheet, job, legs, option)
    vehicles, trips_from = sheet.figures.shape[0], first_trip(sheet)
    waiting = 0
    for k in range(legs):
        carrier = sheet.sites[first_row + k, X_CARRIER]
        if carrier < vehicles:
            put_on_day(facts, sheet, first + k, first_row + k)
        elif carrier < trips_from:
            put_on_drone(facts, sheet, first + k, first_row + k)
        else:
            put_on_bus(facts, sheet, first + k, sheet.sites[first_row + k, X_RIDE])
        waiting = _enqueue(sheet, carrier, waiting, True)
    if _propagate(facts, sheet, waiting, False) and expose(facts, sheet, job):
        commit(sheet, level)
        return True
    rollback(facts, sheet, level)
    return False


@inner
def remove(facts: Facts, sheet: Sheet, row: int, count: int) -> bool:
    """Take the jobs listed in a row of `Sheet.lines` off their carriers; return whether all times still hold."""
    if is_journal_full(sheet, 0.75):
        return False
    vehicles, trips_from, rides, waiting = sheet.figures.shape[0], first_trip(sheet), rides_of(sheet), 0
    for k in range(count):
        job = sheet.lines[row, k]
        legs = sheet.ridden[job, Q_LEGS]
        touch_job(sheet, job)
        for task in range(job * rides, job * rides + legs):
            carrier = sheet.tasks[task, T_CARRIER]
            touch(sheet, carrier)
            if carrier < vehicles:
                drop_from_list(sheet, carrier, task)
            elif carrier < trips_from:
                take_off_drone(facts, sheet, task, carrier)
            else:
                take_off_bus(facts, sheet, task, carrier)
            waiting = _enqueue(sheet, carrier, waiting, True)
        assign(facts, sheet, job, 0, -1)
    for k in range(waiting):
        carrier = sheet.queue[0, k]
        if carrier < vehicles:
            drop_empty_stops(sheet, carrier)
    return _propagate(facts, sheet, waiting, True)


@compiled
def settle_in(facts: Facts, sheet: Sheet) -> bool:
    """Bring a sheet just filled in order: where goods wait, times, cost, spoilage; return whether all holds."""
    begin(sheet, 1)
    for job in range(sheet.ridden.shape[0]):
        legs, option = sheet.ridden[job, Q_LEGS], sheet.ridden[job, Q_OPTION]
        sheet.ridden[job, Q_LEGS] = 0
        assign(facts, sheet, job, legs, option)
    end = 0
    for carrier in range(sheet.cost.shape[0]):
        end = _enqueue(sheet, carrier, end, True)
    holds = _propagate(facts, sheet, end, True)
    for job in range(sheet.ridden.shape[0]):
        if sheet.ridden[job, Q_LEGS] > 0:
            holds = expose(facts, sheet, job) and holds
    commit(sheet, 1)
    return holds


# --- Times -----------------------------------------------------------------------------------------------------------


@inner
def _enqueue(sheet: Sheet, carrier: int, end: int, reload: bool) -> int:
    """Put a carrier at the end of the queue unless it is in it; return the new end."""
    if sheet.queued[carrier]:
        return end
    sheet.queued[carrier] = True
    at = end % sheet.queue.shape[1]
    sheet.queue[0, at], sheet.queue[1, at] = carrier, reload
    return end + 1


@inner
def _propagate(  # noqa: C901 # one loop over a queue
    facts: Facts, sheet: Sheet, end: int, to_the_end: bool
) -> bool:
    """Refresh the carriers in the queue and all those their times reach; return False where something breaks.

    With `to_the_end`, a break does not stop it, so that no carrier is left with stale times.
    """
    vehicles, rides, broken = sheet.figures.shape[0], rides_of(sheet), False
    limit, at = _MAX_PASSES + _PASSES_PER_CARRIER * end, 0
    while at < end:
        cell = at % sheet.queue.shape[1]
        carrier, reload = sheet.queue[0, cell], sheet.queue[1, cell] != 0
        sheet.queued[carrier] = False
        at += 1
        felt = 0
        if at > limit:
            break
        if carrier < vehicles:
            moved = refresh_day(facts, sheet, carrier, reload)
            if not sheet.sound[carrier]:
                broken = True
                if not to_the_end:
                    break
            if moved:
                felt = publish_day(sheet, carrier)
        elif reload:
            if carrier < first_trip(sheet):
                refresh_drone(facts, sheet, carrier)
            felt = _neighbours(sheet, carrier, rides)
        for k in range(felt):
            other = sheet.tasks[sheet.lines[0, k], T_CARRIER]
            if 0 <= other < vehicles:
                end = _enqueue(sheet, other, end, False)
    circular = at > limit
    while at < end:
        sheet.queued[sheet.queue[0, at % sheet.queue.shape[1]]] = False
        at += 1
    return not circular and (not broken or (to_the_end and _all_sound(sheet)))


@inner
def _all_sound(sheet: Sheet) -> bool:
    """Return whether the days of all vehicles touched by the move hold."""
    for k in range(sheet.marks[0, M_TOUCHED]):
        carrier = sheet.touched[k]
        if carrier < sheet.figures.shape[0] and not sheet.sound[carrier]:
            return False
    return True


@inner
def _neighbours(sheet: Sheet, carrier: int, rides: int) -> int:
    """List the rides before and after all tasks of a carrier in `Sheet.lines[0]`; return how many."""
    felt = 0
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        job = job_of(sheet, task)
        if task > job * rides:
            sheet.lines[0, felt] = task - 1
            felt += 1
        if not is_last(sheet, task):
            sheet.lines[0, felt] = task + 1
            felt += 1
    return felt


@inner
def is_listed(sheet: Sheet, row: int, count: int, value: int) -> bool:
    """Return whether a value is among the first ones of a row of `Sheet.lines`."""
    for k in range(count):  # noqa: SIM110 # numba has no any()
        if sheet.lines[row, k] == value:
            return True
    return False


# --- Cold ------------------------------------------------------------------------------------------------------------


@inner
def warm_jobs(facts: Facts, sheet: Sheet, row: int) -> int:
    """List in a row of `Sheet.lines` the jobs on touched carriers that break limits of cold or waiting; how many."""
    if sheet.marks[0, M_WATCHED] == 0:
        return 0
    found, touched = 0, sheet.marks[0, M_TOUCHED]
    for k in range(touched):
        carrier = sheet.touched[k]
        for m in range(sheet.loaded[carrier]):
            if found == sheet.lines.shape[1]:
                return found
            job = job_of(sheet, sheet.lists[carrier, m])
            if facts.jobs[job, J_WATCHED] and not is_listed(sheet, row, found, job) and not expose(facts, sheet, job):
                sheet.lines[row, found] = job
                found += 1
    return found
