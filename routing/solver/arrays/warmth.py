"""What waiting and warmth do to goods, by the times their carriers published (see `routing.coldchain`)."""

from __future__ import annotations

import math

from routing.coldchain import DRONE_UA_FACTOR, TOLERANCE_S, TOLERANCE_SHARE
from routing.model.problem import LAPSE_C_PER_M
from routing.solver.arrays.layout import (
    C_BOX,
    C_COLD,
    C_COOLANT,
    C_HIGH,
    C_HOLD,
    C_LAG,
    C_LOW,
    C_MAX_H,
    C_MAX_OUT,
    C_SCALE,
    C_SHAPE,
    C_START,
    C_UA,
    DRONE,
    J_PRODUCT,
    J_WATCHED,
    JF_VALUE,
    L_GROUP,
    L_KIND,
    L_ORIGIN,
    L_TARGET,
    P_HANDLING,
    P_MAX_WAIT,
    Q_LEGS,
    ROAD,
    T_BOXED,
    T_LEG,
    T_LOAD_END,
    T_LOAD_START,
    T_PART,
    T_UNLOAD_END,
    T_UNLOAD_START,
    Facts,
    Sheet,
)
from routing.solver.arrays.undo import note_spoilage, rides_of, touch_job
from routing.solver.day_loops import FloatArray
from routing.solver.machine_code import inner

_HOUR_S = 3600
_PIECE_S = 900.0
_TEMP, _COOLANT, _OUT, _AGED = range(4)
"""What runs along a journey: the goods' temperature, coolant left, seconds out of band, seconds of ageing."""
_SIGNS = (T_LEG, T_PART, T_BOXED, T_LOAD_START, T_LOAD_END, T_UNLOAD_START, T_UNLOAD_END)
"""What an exposure hangs on."""
_SIGN_COUNT = len(_SIGNS)
SIGNS = _SIGN_COUNT + 1
"""Columns of `Sheet.warmth_of` by task."""


@inner
def expose(facts: Facts, sheet: Sheet, job: int) -> bool:
    """Note what spoilage of a job costs; return whether it keeps the limits of cold and waiting by the schedule."""
    if not facts.jobs[job, J_WATCHED]:
        return True
    legs, product = sheet.ridden[job, Q_LEGS], facts.products[facts.jobs[job, J_PRODUCT]]
    if not _keeps_moving(facts, sheet, job, legs):
        return False
    if product[C_COLD] == 0.0:
        return True
    if not _is_known(sheet, job, legs):
        course = sheet.stop_sizes[1]
        _travel(facts, sheet, job, legs, course)
        sheet.warmth[job, 0], sheet.warmth[job, 1] = course[_OUT], course[_AGED] / _HOUR_S
    outside_s, aged_h = sheet.warmth[job, 0], sheet.warmth[job, 1]
    loss = 0.0
    if product[C_SCALE] > 0.0:
        loss = 1.0 - math.exp(-((aged_h / product[C_SCALE]) ** product[C_SHAPE]))
    money = loss * facts.job_sizes[job, JF_VALUE]
    if money != sheet.spoiled[job]:
        touch_job(sheet, job)
        note_spoilage(sheet, job, money)
    return bool(
        outside_s <= product[C_MAX_OUT] + TOLERANCE_S / 2.0
        and aged_h <= product[C_MAX_H] * (1.0 + TOLERANCE_SHARE / 2.0)
    )


@inner
def _keeps_moving(facts: Facts, sheet: Sheet, job: int, legs: int) -> bool:
    """Return whether goods wait nowhere longer than the place allows."""
    first = job * rides_of(sheet)
    for task in range(first + 1, first + legs):
        limit_s = facts.places[facts.legs[sheet.tasks[task, T_LEG], L_ORIGIN], P_MAX_WAIT]
        if limit_s >= 0 and sheet.tasks[task, T_LOAD_END] - sheet.tasks[task - 1, T_UNLOAD_END] > limit_s:
            return False
    return True


@inner
def _is_known(sheet: Sheet, job: int, legs: int) -> bool:
    """Return whether the exposure of a job by these times was worked out last; note the times."""
    first, known = job * rides_of(sheet), bool(sheet.warmth_of[job, 0] == legs)
    sheet.warmth_of[job, 0] = legs
    for k in range(legs):
        for m in range(_SIGN_COUNT):
            value, at = sheet.tasks[first + k, _SIGNS[m]], 1 + k * _SIGN_COUNT + m
            known = known and sheet.warmth_of[job, at] == value
            sheet.warmth_of[job, at] = value
    return known


@inner
def _travel(facts: Facts, sheet: Sheet, job: int, legs: int, course: FloatArray) -> None:
    """Follow the goods through all phases of their journey."""
    number = facts.jobs[job, J_PRODUCT]
    product, first = facts.products[number], job * rides_of(sheet)
    course[_TEMP], course[_COOLANT], course[_OUT], course[_AGED] = product[C_START], product[C_COOLANT], 0.0, 0.0
    for task in range(first, first + legs):
        row = sheet.tasks[task]
        leg = row[T_LEG]
        origin, target, kind = facts.legs[leg, L_ORIGIN], facts.legs[leg, L_TARGET], facts.legs[leg, L_KIND]
        low, high = facts.elevations[origin], facts.elevations[target]
        if task > first:
            _wait(facts, number, course, sheet.tasks[task - 1, T_UNLOAD_END], row[T_LOAD_START], origin)
        if task == first or not math.isnan(facts.store_c[origin, number]):
            course[_COOLANT] = product[C_COOLANT]
        _span(facts, number, course, row[T_LOAD_START], row[T_LOAD_END], False, facts.store_c[origin, number], low, 1.0)
        set_point = math.nan
        if kind == ROAD:
            set_point = facts.set_points[facts.legs[leg, L_GROUP], row[T_PART], number]
        boxed = row[T_BOXED] != 0 and product[C_BOX] > 0.0
        factor = DRONE_UA_FACTOR if kind == DRONE else 1.0
        height = (low + high) / 2.0
        _span(facts, number, course, row[T_LOAD_END], row[T_UNLOAD_START], boxed, set_point, height, factor)
        _span(
            facts,
            number,
            course,
            row[T_UNLOAD_START],
            row[T_UNLOAD_END],
            False,
            facts.store_c[target, number],
            high,
            1.0,
        )


@inner
def _wait(facts: Facts, number: int, course: FloatArray, start_s: int, end_s: int, place: int) -> None:
    """Let goods wait at a place: in its store, else in the open until they are handled and then in their box."""
    store_c, height = facts.store_c[place, number], facts.elevations[place]
    if not math.isnan(store_c):
        _span(facts, number, course, start_s, end_s, False, store_c, height, 1.0)
        return
    split_s = min(end_s, start_s + facts.places[place, P_HANDLING])
    _span(facts, number, course, start_s, split_s, False, math.nan, height, 1.0)
    _span(facts, number, course, split_s, end_s, facts.products[number, C_BOX] > 0.0, math.nan, height, 1.0)


@inner
def _span(
    facts: Facts,
    number: int,
    course: FloatArray,
    start_s: int,
    end_s: int,
    boxed: bool,
    fixed_c: float,
    elevation_m: float,
    factor: float,
) -> None:
    """Let a phase pass: at `fixed_c` (nan: none), in a box, or in the air; hour by hour, as the weather has them."""
    last_hour = facts.hours_c.shape[0] - 1
    while start_s < end_s:
        hour = start_s // _HOUR_S
        stop_s = end_s if hour >= last_hour else min(end_s, (hour + 1) * _HOUR_S)
        span_s = float(stop_s - start_s)
        if not math.isnan(fixed_c):
            _follow(facts, number, course, fixed_c, span_s)
        else:
            at = min(max(hour, 0), last_hour)
            air_c = facts.hours_c[at] - LAPSE_C_PER_M * (elevation_m - facts.elevation_m[0])
            lasts_s = 0.0
            if boxed:
                product = facts.products[number]
                power_w = product[C_UA] * abs(air_c - product[C_HOLD]) * factor
                lasts_s = span_s if power_w * span_s <= course[_COOLANT] else course[_COOLANT] / power_w
                _follow(facts, number, course, product[C_HOLD], lasts_s)
                course[_COOLANT] = max(0.0, course[_COOLANT] - power_w * lasts_s)
            _follow(facts, number, course, air_c, span_s - lasts_s)
        start_s = stop_s


@inner
def _follow(facts: Facts, number: int, course: FloatArray, surroundings_c: float, span_s: float) -> None:
    """Let the goods follow constant surroundings."""
    if span_s <= 0.0:
        return
    lag_s = facts.products[number, C_LAG]
    course[_OUT] += _seconds_outside(facts, number, course[_TEMP], surroundings_c, span_s)
    gap, begun, temp = course[_TEMP] - surroundings_c, 0.0, course[_TEMP]
    pieces = max(1, math.ceil(span_s / _PIECE_S))
    width = span_s / pieces
    for _ in range(pieces):
        middle = surroundings_c + gap * math.exp(-(begun + width / 2.0) / lag_s)
        end = surroundings_c + gap * math.exp(-(begun + width) / lag_s)
        course[_AGED] += (_rate(temp) + 4.0 * _rate(middle) + _rate(end)) * width / 6.0
        temp = end
        begun += width
    course[_TEMP] = temp


@inner
def _rate(temp_c: float) -> float:
    """Return how fast goods age, as `coldchain.ageing_rate` has it."""
    if temp_c <= 0.0:
        return 1.0
    if temp_c < 10.0:
        return math.exp(math.log(3.0) * temp_c / 10.0)
    if temp_c < 20.0:
        return 3.0 * math.exp(math.log(2.5) * (temp_c - 10.0) / 10.0)
    if temp_c < 30.0:
        return 7.5 * math.exp(math.log(2.0) * (temp_c - 20.0) / 10.0)
    return 15.0 * math.exp(math.log(1.5) * (temp_c - 30.0) / 10.0)


@inner
def _seconds_outside(facts: Facts, number: int, start_c: float, surroundings_c: float, span_s: float) -> float:
    """Return the seconds of a span in which goods are out of their band; they run monotonically to the surroundings."""
    low_c, high_c, lag_s = facts.products[number, C_LOW], facts.products[number, C_HIGH], facts.products[number, C_LAG]
    gap = start_c - surroundings_c
    end_c = surroundings_c + gap * math.exp(-span_s / lag_s)
    least, most = min(start_c, end_c), max(start_c, end_c)
    if low_c <= least and most <= high_c:
        return 0.0
    first, second = 0.0, span_s
    if least < low_c < most:
        first = -lag_s * math.log((low_c - surroundings_c) / gap)
    if least < high_c < most:
        second = -lag_s * math.log((high_c - surroundings_c) / gap)
    if first > second:
        first, second = second, first
    outside = 0.0
    for begun, stop in ((0.0, first), (first, second), (second, span_s)):
        if stop > begun:
            middle_c = surroundings_c + gap * math.exp(-(begun + stop) / 2.0 / lag_s)
            if middle_c < low_c or middle_c > high_c:
                outside += stop - begun
    return outside
