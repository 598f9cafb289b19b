"""Cargo on bus trips in arrays (see `solver.buses`)."""

from __future__ import annotations

import math

from routing.solver.arrays.days import add_to_list, drop_from_list, weight
from routing.solver.arrays.layout import (
    B_FEE_KG,
    B_FEE_PIECE,
    B_KG,
    B_L,
    E_TOTAL,
    J_PRODUCT,
    JF_KG,
    JF_PIECES,
    L_BOXED,
    L_FROM,
    L_RIDES,
    L_RIDES_END,
    L_TO,
    L_UNLOAD_BY,
    R_ALIGHT,
    R_ARRIVAL,
    R_BOARD,
    R_DEPARTURE,
    R_READY,
    R_READY_BY,
    R_TRIP,
    T_BOXED,
    T_LATEST,
    T_LOAD,
    T_LOAD_END,
    T_LOAD_START,
    T_READY,
    T_UNLOAD,
    T_UNLOAD_END,
    T_UNLOAD_START,
    X_CARRIER,
    X_LEG,
    X_READY,
    X_RIDE,
    X_ROUND,
    X_START,
    Facts,
    Sheet,
)
from routing.solver.arrays.undo import job_of, lateness
from routing.solver.machine_code import inner

_ROUNDING = 1e-7


@inner
def first_trip(sheet: Sheet) -> int:
    """Return the number of the first bus trip among carriers."""
    return int(sheet.figures.shape[0] + sheet.flown.shape[0])


@inner
def _fee(facts: Facts, trip: int, job: int) -> float:
    """Return what a trip charges for a job."""
    sizes = facts.job_sizes[job]
    return float(facts.trips[trip, B_FEE_KG] * sizes[JF_KG] + facts.trips[trip, B_FEE_PIECE] * sizes[JF_PIECES])


@inner
def _money(facts: Facts, sheet: Sheet, task: int, ride: int) -> float:
    """Return what a task costs on a ride: the fee, and being late where it ends there."""
    fee = _fee(facts, facts.rides[ride, R_TRIP], job_of(sheet, task))
    return fee + lateness(facts, sheet, task, facts.rides[ride, R_ARRIVAL])


@inner
def put_on_bus(facts: Facts, sheet: Sheet, task: int, ride: int) -> None:
    """Put a task on a ride: its space, its fee, its times, which never change while it rides."""
    row, times = sheet.tasks[task], facts.rides[ride]
    trip = times[R_TRIP]
    carrier = first_trip(sheet) + trip
    row[T_LOAD], row[T_UNLOAD] = ride, 0
    row[T_LOAD_START], row[T_LOAD_END] = times[R_READY_BY], times[R_DEPARTURE]
    row[T_UNLOAD_START], row[T_UNLOAD_END] = times[R_ARRIVAL], times[R_READY]
    row[T_READY], row[T_LATEST] = times[R_READY], times[R_READY_BY]
    kg, litres = weight(facts, job_of(sheet, task), row[T_BOXED] != 0)
    for call in range(times[R_BOARD], times[R_ALIGHT]):
        sheet.filled[trip, 0, call] += kg
        sheet.filled[trip, 1, call] += litres
    sheet.used[trip, times[R_BOARD]] += 1
    sheet.used[trip, times[R_ALIGHT]] += 1
    add_to_list(sheet, carrier, task)
    money = _money(facts, sheet, task, ride)
    sheet.cost[carrier] += money
    sheet.money[E_TOTAL] += money


@inner
def take_off_bus(facts: Facts, sheet: Sheet, task: int, carrier: int) -> None:
    """Take a task off a bus; its job must not be noted as left out before."""
    ride, trip = sheet.tasks[task, T_LOAD], carrier - first_trip(sheet)
    drop_from_list(sheet, carrier, task)
    board, alight = facts.rides[ride, R_BOARD], facts.rides[ride, R_ALIGHT]
    sheet.used[trip, board] -= 1
    sheet.used[trip, alight] -= 1
    if sheet.loaded[carrier] == 0:
        for call in range(sheet.filled.shape[2]):
            sheet.filled[trip, 0, call], sheet.filled[trip, 1, call] = (
                sheet.taken[trip, 0, call],
                sheet.taken[trip, 1, call],
            )
        sheet.money[E_TOTAL] -= sheet.cost[carrier]
        sheet.cost[carrier] = 0.0
        return
    kg, litres = weight(facts, job_of(sheet, task), sheet.tasks[task, T_BOXED] != 0)
    for call in range(board, alight):
        sheet.filled[trip, 0, call] -= kg
        sheet.filled[trip, 1, call] -= litres
    money = _money(facts, sheet, task, ride)
    sheet.cost[carrier] -= money
    sheet.money[E_TOTAL] -= money


@inner
def best_seat(
    facts: Facts, sheet: Sheet, leg: int, job: int, earliest_s: int, avoid: tuple[int, int], row: int, limit: float
) -> float:
    """Write the first ride with room that the goods reach in time to a row of `sites`; return its fee, or inf."""
    legs = facts.legs[leg]
    kg, litres = weight(facts, job, legs[L_BOXED] != 0)
    for ride in range(legs[L_RIDES], legs[L_RIDES_END]):
        times = facts.rides[ride]
        start = times[R_ARRIVAL]
        if times[R_READY_BY] < earliest_s or start < legs[L_FROM] or start > legs[L_TO]:
            continue
        trip = times[R_TRIP]
        carrier = first_trip(sheet) + trip
        if times[R_READY] > legs[L_UNLOAD_BY] or not facts.admitted[job, trip] or carrier in (avoid[0], avoid[1]):
            continue
        fee = _fee(facts, trip, job)
        if fee >= limit or not _has_room(facts, sheet, job, ride, kg, litres):
            continue
        site = sheet.sites[row]
        site[X_CARRIER], site[X_LEG], site[X_RIDE], site[X_ROUND] = carrier, leg, ride, 0
        site[X_READY], site[X_START] = times[R_READY], start
        return fee
    return math.inf


@inner
def _has_room(facts: Facts, sheet: Sheet, job: int, ride: int, kg: float, litres: float) -> bool:
    trip, board, alight = facts.rides[ride, R_TRIP], facts.rides[ride, R_BOARD], facts.rides[ride, R_ALIGHT]
    free_kg, free_l = facts.trips[trip, B_KG] + _ROUNDING - kg, facts.trips[trip, B_L] + _ROUNDING - litres
    for call in range(board, alight):
        if sheet.filled[trip, 0, call] > free_kg or sheet.filled[trip, 1, call] > free_l:
            return False
    return (
        _call_agrees(facts, sheet, trip, board)
        and _call_agrees(facts, sheet, trip, alight)
        and _mixes(facts, sheet, job, trip, board, alight)
    )


@inner
def _call_agrees(facts: Facts, sheet: Sheet, trip: int, call: int) -> bool:
    """Return whether no other call at the same halt is used: a route's stops cannot show two."""
    for other in range(facts.slots.shape[1]):
        same_halt = other != call and facts.slots[trip, other] == facts.slots[trip, call]
        if same_halt and (sheet.used[trip, other] > 0 or sheet.taken_calls[trip, other]):
            return False
    return True


@inner
def _mixes(facts: Facts, sheet: Sheet, job: int, trip: int, board: int, alight: int) -> bool:
    """Return whether no goods aboard at the same time are kept apart from the job's."""
    product = facts.jobs[job, J_PRODUCT]
    if facts.bits[product, 1] == 0:
        return True
    barred = facts.barred[product]
    for other in range(barred.shape[0]):
        if barred[other] and sheet.taken_products[trip, other]:
            return False
    carrier = first_trip(sheet) + trip
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        ride = sheet.tasks[task, T_LOAD]
        overlaps = facts.rides[ride, R_BOARD] < alight and board < facts.rides[ride, R_ALIGHT]
        if overlaps and barred[facts.jobs[job_of(sheet, task), J_PRODUCT]]:
            return False
    return True
