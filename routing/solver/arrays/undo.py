"""Savepoints: what a carrier or job was before it changed is written to a journal, to be brought back from there."""

from __future__ import annotations

from routing.solver.arrays.layout import (
    E_TOTAL,
    J_DUE,
    JF_BOXED_KG,
    JF_HANDLING,
    JF_LATE,
    JF_UNSERVED,
    L_TARGET,
    M_CURRENT,
    M_FLOATS,
    M_GROW,
    M_INTS,
    M_SERIAL,
    M_SERVED,
    M_SHIFT,
    M_TOUCHED,
    Q_LEGS,
    Q_OPTION,
    T_BEFORE,
    T_CARRIER,
    T_LEG,
    T_NEXT,
    T_SAVED,
    T_WAITS,
    Facts,
    Sheet,
)
from routing.solver.boards import STOPS
from routing.solver.day_loops import FAR_S, ROWS
from routing.solver.machine_code import inner

_VEHICLE, _DRONE, _BUS, _JOB = range(4)


@inner
def rides_of(sheet: Sheet) -> int:
    """Return how many tasks a job may have."""
    return int(1 << sheet.marks[0, M_SHIFT])


@inner
def job_of(sheet: Sheet, task: int) -> int:
    """Return the job of a task."""
    return int(task >> sheet.marks[0, M_SHIFT])


@inner
def is_last(sheet: Sheet, task: int) -> bool:
    """Return whether a task is the last ride of its job."""
    job = job_of(sheet, task)
    return bool(task == (job << sheet.marks[0, M_SHIFT]) + sheet.ridden[job, Q_LEGS] - 1)


@inner
def lateness(facts: Facts, sheet: Sheet, task: int, start_s: int) -> float:
    """Return the money of being late where a task is the last ride of a job and its unloading starts at a time."""
    job = job_of(sheet, task)
    if facts.jobs[job, J_DUE] == FAR_S or not is_last(sheet, task):
        return 0.0
    return float(facts.job_sizes[job, JF_LATE] * max(0, start_s - facts.jobs[job, J_DUE]))


@inner
def is_journal_full(sheet: Sheet, share: float) -> bool:
    """Return whether more than a share of the journal is used; if so, note that a larger one is needed.

    It holds the whole plan eight times. Placing and taking off write a carrier down once each, so that what begins at
    half of it or at three quarters ends within it.
    """
    full = sheet.marks[0, M_INTS] > share * sheet.ints.shape[0]
    full = full or sheet.marks[0, M_FLOATS] > share * sheet.floats.shape[0]
    if full:
        sheet.marks[0, M_GROW] = 1
    return bool(full)


@inner
def begin(sheet: Sheet, level: int) -> None:
    """Open savepoint `level` within the one below it."""
    marks = sheet.marks
    marks[0, M_SERIAL] += 1
    marks[0, M_CURRENT] = marks[0, M_SERIAL]
    marks[level, M_CURRENT] = marks[0, M_SERIAL]
    marks[level, M_INTS], marks[level, M_FLOATS] = marks[0, M_INTS], marks[0, M_FLOATS]
    sheet.money[level] = sheet.money[E_TOTAL]
    if level == 1:
        marks[0, M_TOUCHED] = 0


@inner
def commit(sheet: Sheet, level: int) -> None:
    """Keep what was done since a savepoint, within the one below it."""
    sheet.marks[0, M_CURRENT] = sheet.marks[level - 1, M_CURRENT] if level > 1 else 0
    if level == 1:
        sheet.marks[0, M_INTS] = sheet.marks[0, M_FLOATS] = 0


@inner
def rollback(facts: Facts, sheet: Sheet, level: int) -> None:
    """Undo everything since a savepoint."""
    marks = sheet.marks
    while marks[0, M_INTS] > marks[level, M_INTS]:
        _restore(facts, sheet)
    sheet.money[E_TOTAL] = sheet.money[level]
    marks[0, M_CURRENT] = marks[level - 1, M_CURRENT] if level > 1 else 0


# --- Writing down ----------------------------------------------------------------------------------------------------


@inner
def touch_job(sheet: Sheet, job: int) -> None:
    """Write down what a job rides by, once a savepoint."""
    at = sheet.cost.shape[0] + job
    if sheet.stamps[at] == sheet.marks[0, M_CURRENT]:
        return
    sheet.stamps[at] = sheet.marks[0, M_CURRENT]
    sheet.changed[at] = True
    p, q, rides = sheet.marks[0, M_INTS], sheet.marks[0, M_FLOATS], rides_of(sheet)
    for k in range(rides):
        sheet.ints[p + k] = sheet.tasks[job * rides + k, T_LEG]
    sheet.ints[p + rides], sheet.ints[p + rides + 1] = sheet.ridden[job, Q_LEGS], sheet.ridden[job, Q_OPTION]
    sheet.floats[q] = sheet.spoiled[job]
    _close(sheet, _JOB, job, p, p + rides + 2, q + 1)


@inner
def _close(sheet: Sheet, kind: int, number: int, first: int, end: int, floats_end: int) -> None:
    """End a block of the journal: of what kind and of whom it is, and where it begins."""
    sheet.ints[end], sheet.ints[end + 1], sheet.ints[end + 2] = number, kind, first
    sheet.ints[end + 3] = sheet.marks[0, M_FLOATS]
    sheet.marks[0, M_INTS], sheet.marks[0, M_FLOATS] = end + 4, floats_end


@inner
def touch(sheet: Sheet, carrier: int) -> None:
    """Write down what a carrier carries, once a savepoint."""
    if sheet.stamps[carrier] == sheet.marks[0, M_CURRENT]:
        return
    sheet.stamps[carrier] = sheet.marks[0, M_CURRENT]
    sheet.changed[carrier] = True
    sheet.touched[sheet.marks[0, M_TOUCHED]] = carrier
    if sheet.marks[0, M_TOUCHED] + 1 < sheet.touched.shape[0]:
        sheet.marks[0, M_TOUCHED] += 1
    first, q = sheet.marks[0, M_INTS], sheet.marks[0, M_FLOATS]
    p = _note_tasks(sheet, carrier, first)
    sheet.floats[q] = sheet.cost[carrier]
    q += 1
    vehicles, drones = sheet.figures.shape[0], sheet.flown.shape[0]
    if carrier < vehicles:
        p, q = _note_day(sheet, carrier, p, q)
        _close(sheet, _VEHICLE, carrier, first, p, q)
    elif carrier < vehicles + drones:
        drone = carrier - vehicles
        sheet.ints[p] = sheet.flown[drone]
        p += 1
        for k in range(sheet.flown[drone]):
            for column in range(5):
                sheet.ints[p] = sheet.sorties[drone, k, column]
                p += 1
            sheet.floats[q], sheet.floats[q + 1] = sheet.energies[drone, k, 0], sheet.energies[drone, k, 1]
            q += 2
        _close(sheet, _DRONE, carrier, first, p, q)
    else:
        trip = carrier - vehicles - drones
        for k in range(sheet.used.shape[1]):
            sheet.ints[p + k] = sheet.used[trip, k]
            sheet.floats[q + 2 * k], sheet.floats[q + 2 * k + 1] = sheet.filled[trip, 0, k], sheet.filled[trip, 1, k]
        _close(sheet, _BUS, carrier, first, p + sheet.used.shape[1], q + 2 * sheet.used.shape[1])


@inner
def _note_tasks(sheet: Sheet, carrier: int, p: int) -> int:
    sheet.ints[p] = sheet.loaded[carrier]
    p += 1
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        sheet.ints[p] = task
        for column in range(1, T_SAVED):
            sheet.ints[p + column] = sheet.tasks[task, column]
        p += T_SAVED
    return p


@inner
def _note_day(sheet: Sheet, vehicle: int, p: int, q: int) -> tuple[int, int]:
    sheet.ints[p] = sheet.sound[vehicle]
    p += 1
    for column in range(3):
        sheet.ints[p] = sheet.figures[vehicle, column]
        p += 1
    n = sheet.figures[vehicle, STOPS]
    for row in range(ROWS):
        for k in range(n):
            sheet.ints[p + k] = sheet.times[vehicle, row, k]
        p += n
    for row in range(sheet.aboard.shape[1]):
        for k in range(n):
            sheet.floats[q + k] = sheet.aboard[vehicle, row, k]
        q += n
    return p, q


# --- Bringing back ---------------------------------------------------------------------------------------------------


@inner
def _restore(facts: Facts, sheet: Sheet) -> None:
    """Bring back what the last block of the journal tells."""
    end = sheet.marks[0, M_INTS] - 4
    number, kind, p, q = sheet.ints[end], sheet.ints[end + 1], sheet.ints[end + 2], sheet.ints[end + 3]
    sheet.marks[0, M_INTS], sheet.marks[0, M_FLOATS] = p, q
    if kind == _JOB:
        _restore_job(facts, sheet, number, p, q)
        return
    sheet.stamps[number] = 0
    p = _restore_tasks(sheet, number, p)
    sheet.cost[number] = sheet.floats[q]
    q += 1
    vehicles, drones = sheet.figures.shape[0], sheet.flown.shape[0]
    if kind == _VEHICLE:
        _restore_day(sheet, number, p, q)
    elif kind == _DRONE:
        drone = number - vehicles
        sheet.flown[drone] = sheet.ints[p]
        p += 1
        for k in range(sheet.flown[drone]):
            for column in range(5):
                sheet.sorties[drone, k, column] = sheet.ints[p]
                p += 1
            sheet.energies[drone, k, 0], sheet.energies[drone, k, 1] = sheet.floats[q], sheet.floats[q + 1]
            q += 2
    else:
        trip = number - vehicles - drones
        for k in range(sheet.used.shape[1]):
            sheet.used[trip, k] = sheet.ints[p + k]
            sheet.filled[trip, 0, k], sheet.filled[trip, 1, k] = sheet.floats[q + 2 * k], sheet.floats[q + 2 * k + 1]


@inner
def _restore_tasks(sheet: Sheet, carrier: int, p: int) -> int:
    sheet.loaded[carrier] = sheet.ints[p]
    p += 1
    for k in range(sheet.loaded[carrier]):
        task = sheet.ints[p]
        sheet.lists[carrier, k] = task
        sheet.tasks[task, T_CARRIER] = carrier
        for column in range(1, T_SAVED):
            sheet.tasks[task, column] = sheet.ints[p + column]
        p += T_SAVED
    return p


@inner
def _restore_day(sheet: Sheet, vehicle: int, p: int, q: int) -> None:
    sheet.sound[vehicle] = sheet.ints[p] != 0
    p += 1
    for column in range(3):
        sheet.figures[vehicle, column] = sheet.ints[p]
        p += 1
    n = sheet.figures[vehicle, STOPS]
    for row in range(ROWS):
        for k in range(n):
            sheet.times[vehicle, row, k] = sheet.ints[p + k]
        p += n
    for row in range(sheet.aboard.shape[1]):
        for k in range(n):
            sheet.aboard[vehicle, row, k] = sheet.floats[q + k]
        q += n


@inner
def _restore_job(facts: Facts, sheet: Sheet, job: int, p: int, q: int) -> None:
    sheet.stamps[sheet.cost.shape[0] + job] = 0
    rides = rides_of(sheet)
    for k in range(rides):
        sheet.tasks[job * rides + k, T_LEG] = sheet.ints[p + k]
    assign(facts, sheet, job, sheet.ints[p + rides], sheet.ints[p + rides + 1])
    note_spoilage(sheet, job, sheet.floats[q])


# --- Jobs ------------------------------------------------------------------------------------------------------------


@inner
def note_spoilage(sheet: Sheet, job: int, money: float) -> None:
    """Note what spoilage of a job costs; the job must be written down."""
    sheet.money[E_TOTAL] += money - sheet.spoiled[job]
    sheet.spoiled[job] = money


@inner
def assign(facts: Facts, sheet: Sheet, job: int, legs: int, option: int) -> None:
    """Note how many rides a job has (0: it is left out) by an option, and where it waits; its tasks know their legs."""
    rides = rides_of(sheet)
    boxed_kg = facts.job_sizes[job, JF_BOXED_KG]
    for task in range(job * rides, (job + 1) * rides):
        place = sheet.tasks[task, T_WAITS]
        if place >= 0:
            _unlink(sheet, task, place)
            sheet.waiting_kg[place] -= boxed_kg
    note_spoilage(sheet, job, 0.0)
    sheet.money[E_TOTAL] += _price(facts, job, legs) - _price(facts, job, sheet.ridden[job, Q_LEGS])
    sheet.marks[0, M_SERVED] += int(legs > 0) - int(sheet.ridden[job, Q_LEGS] > 0)
    sheet.ridden[job, Q_LEGS], sheet.ridden[job, Q_OPTION] = legs, option
    for task in range(job * rides, job * rides + legs - 1):
        place = facts.legs[sheet.tasks[task, T_LEG], L_TARGET]
        _link(sheet, task, place)
        sheet.waiting_kg[place] += boxed_kg


@inner
def _price(facts: Facts, job: int, legs: int) -> float:
    """Return what a job costs beside its carriers and spoilage."""
    if legs == 0:
        return float(facts.job_sizes[job, JF_UNSERVED])
    return float(facts.job_sizes[job, JF_HANDLING] * (legs - 1))


@inner
def _link(sheet: Sheet, task: int, place: int) -> None:
    following = sheet.waiting[place]
    sheet.tasks[task, T_WAITS], sheet.tasks[task, T_NEXT], sheet.tasks[task, T_BEFORE] = place, following, -1
    if following >= 0:
        sheet.tasks[following, T_BEFORE] = task
    sheet.waiting[place] = task


@inner
def _unlink(sheet: Sheet, task: int, place: int) -> None:
    before, following = sheet.tasks[task, T_BEFORE], sheet.tasks[task, T_NEXT]
    if before >= 0:
        sheet.tasks[before, T_NEXT] = following
    else:
        sheet.waiting[place] = following
    if following >= 0:
        sheet.tasks[following, T_BEFORE] = before
    sheet.tasks[task, T_WAITS] = -1
