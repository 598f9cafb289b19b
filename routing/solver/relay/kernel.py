"""Destroy and repair on relay plans, compiled to machine code.

A customer is served by a ride (bus trip, in-stop, out-stop), a truck that unloads at the in-stop in time, and a
courier's round from the out-stop. Times are kept as intervals: each stop of a truck and each departure of a courier has
the interval its goods leave open, so that nothing is fixed before it must be.

All of it is one module: the compiler's cache on disk notices changes of the module it compiles only. `improve` is the
only function called from outside, since each such function is compiled once more for callers in Python; while it is
compiled for the first time, `take_out` and `put_in` run interpreted (`uncompiled`).
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, cast

import numpy as np

from routing.solver.machine_code import compiled, inner
from routing.solver.relay.arrays import (
    CLOSE,
    COST,
    COUNT,
    FAR,
    FIRST,
    FIXED,
    FROM,
    GONE,
    LAST,
    LATE,
    LOAD,
    MAX_ROUND_STOPS,
    MAX_TOUR_STOPS,
    OPEN,
    OUT,
    PENALTY,
    READY,
    RIDE,
    ROUND,
    START,
    STOP,
    STOPS,
    TIME,
    TRAVEL,
    TRIP,
    TRUCK,
    UNTIL,
    VISITS,
    Draft,
    Facts,
    Floats,
    Ints,
    Scratch,
    Words,
)

Boarding = tuple[float, int, int, int, int]
"""Added cost, truck, in-stop, position of a new stop (-1: the truck stops there already), ride."""
_NEVER = 1e18
_BLINK = 0.01
"""Share of places overlooked at random when the best is sought (Christiaens and Vanden Berghe 2020)."""
_STOP_BLINK = 0.1
"""The same for in-stops: the first goods of a truck choose for all that follow them."""
_FAR = float(FAR)
_NONE, _START, _ONE = cast("int", np.int64(-1)), cast("int", np.int64(0)), cast("int", np.int64(1))
_THREE, _FOUR = cast("int", np.int64(3)), cast("int", np.int64(4))
_ALL_OUT, _GOODS_OUT = cast("int", np.int64(1)), cast("int", np.int64(2))
_OLD_STOP, _NEW_STOP = cast("bool", np.bool_(False)), cast("bool", np.bool_(True))
"""Arguments that are constants, as numpy's: Python's would be compiled once for each value."""
_S13, _S7, _S17, _S11 = np.uint64(13), np.uint64(7), np.uint64(17), np.uint64(11)


@inner
def _random(rng: Words) -> float:
    """Return the next number in [0, 1) of a xorshift generator (Marsaglia 2003)."""
    x = rng[0]
    x ^= x << _S13
    x ^= x >> _S7
    x ^= x << _S17
    rng[0] = x
    return float(x >> _S11) / 9007199254740992.0


@inner
def _pick(rng: Words, count: int) -> int:
    return min(count - 1, int(_random(rng) * count))


# --- Couriers' rounds ----------------------------------------------------------------------------------------------


@inner
def _latest(facts: Facts, out: int, visit: Ints, count: int, new: int, position: int) -> float:
    """Return the latest departure of a round with customer `new` put in (-1: as it is).

    It is -FAR where no departure keeps all windows and the longest travel.
    """
    late, travel, after = _FAR, 0.0, 0
    total = count if new < 0 else count + 1
    for k in range(total - 1, -1, -1):
        at_new, beyond = new >= 0 and k == position, new >= 0 and k > position
        customer = new if at_new else visit[k - 1 if beyond else k]
        leg = facts.leg[TIME, out, customer + 1, after]
        travel += leg
        late = facts.customer[customer, CLOSE] if after == 0 else min(facts.customer[customer, CLOSE], late - leg)
        if late < facts.customer[customer, OPEN]:
            return -_FAR
        after = customer + 1
    leg = facts.leg[TIME, out, 0, after]
    if travel + leg > facts.courier[out, TRAVEL]:
        return -_FAR
    return float(late - leg)


@inner
def _round_cost(facts: Facts, out: int, visit: Ints, count: int) -> float:
    total, before = facts.courier[out, FIXED], 0
    for k in range(count):
        total += facts.leg[COST, out, before, visit[k] + 1]
        before = visit[k] + 1
    return float(total + facts.leg[COST, out, before, 0])


@inner
def _visit_delta(facts: Facts, out: int, visit: Ints, count: int, new: int, position: int) -> float:
    before = 0 if position == 0 else visit[position - 1] + 1
    after = 0 if position == count else visit[position] + 1
    cost = facts.leg[COST, out]
    return float(cost[before, new + 1] + cost[new + 1, after] - cost[before, after])


# --- Trucks' tours -------------------------------------------------------------------------------------------------


@inner
def _tour_cost(facts: Facts, tour: Ints, count: int) -> float:
    total, before = facts.truck[FIXED], 0
    for k in range(count):
        total += facts.drive[COST, before, tour[k] + 1]
        before = tour[k] + 1
    return float(total + facts.drive[COST, before, 0])


@inner
def _tour_delta(facts: Facts, tour: Ints, count: int, stop: int, position: int) -> float:
    before = 0 if position == 0 else tour[position - 1] + 1
    after = 0 if position == count else tour[position] + 1
    delta = facts.drive[COST, before, stop + 1] + facts.drive[COST, stop + 1, after]
    return float(delta + facts.truck[FIXED] if count == 0 else delta - facts.drive[COST, before, after])


@inner
def _tour_in_time(
    facts: Facts, draft: Draft, truck: int, stop: int, position: int, is_new: bool, begin: float, end: float
) -> bool:
    """Return whether the truck can unload at `stop` between `begin` and `end` and keep all its other times."""
    time, before = facts.truck[START], 0
    shift = 1 if is_new else 0
    for k in range(draft.tour[truck, STOPS] + shift):
        if k == position:
            here, first, last = stop, begin, end
            if not is_new:
                first, last = max(first, draft.tour_time[truck, k, FIRST]), min(last, draft.tour_time[truck, k, LAST])
        else:
            old = k - shift if k > position else k
            here = draft.tour[truck, old]
            first, last = draft.tour_time[truck, old, FIRST], draft.tour_time[truck, old, LAST]
        time = max(time + facts.drive[TIME, before, here + 1], first)
        if time > last:
            return False
        before = here + 1
    return True


@inner
def _find_ride(
    facts: Facts, draft: Draft, place: tuple[int, int, int, bool], customer: int, out: int, after: float, before: float
) -> int:
    """Return the earliest ride for goods unloaded at a place (truck, in-stop, position, new stop or not); -1: none.

    The goods are ready at the out-stop by `before` and may wait there until `after`.
    """
    truck, stop, position, is_new = place
    pair = stop * len(facts.courier) + out
    load = facts.customer[customer, LOAD]
    for ride in range(facts.ride_first[pair], facts.ride_first[pair + 1]):
        if facts.ride[ride, READY] > before:
            break
        trip = int(facts.ride[ride, TRIP])
        if facts.ride[ride, GONE] < after or draft.trip_load[trip] + load > facts.trip_load[trip] + 1e-9:
            continue
        if _tour_in_time(facts, draft, truck, stop, position, is_new, facts.ride[ride, FROM], facts.ride[ride, UNTIL]):
            return ride
    return -1


@inner
def _aboard_for_nothing(
    facts: Facts, draft: Draft, rng: Words, customer: int, out: int, after: float, before: float
) -> Boarding:
    """Return a truck with room that stops at a fitting in-stop already."""
    trucks = len(draft.tour)
    first = _pick(rng, trucks)
    for turn in range(trucks):
        truck = (first + turn) % trucks
        if (
            draft.tour[truck, STOPS] == 0
            or draft.tour_load[truck] + facts.customer[customer, LOAD] > facts.truck[LOAD] + 1e-9
        ):
            continue
        if _random(rng) < _BLINK:
            continue
        for k in range(draft.tour[truck, STOPS]):
            stop = draft.tour[truck, k]
            ride = _find_ride(facts, draft, (truck, stop, k, _OLD_STOP), customer, out, after, before)
            if ride >= 0:
                return 0.0, truck, stop, _NONE, ride
    return _NEVER, _NONE, _NONE, _NONE, _NONE


@inner
def _on_tour(draft: Draft, truck: int, stop: int) -> bool:
    for k in range(draft.tour[truck, STOPS]):  # noqa: SIM110 # generators do not compile
        if draft.tour[truck, k] == stop:
            return True
    return False


@inner
def _aboard_truck(
    facts: Facts,
    draft: Draft,
    rng: Words,
    truck: int,
    customer: int,
    out: int,
    after: float,
    before: float,
    limit: float,
) -> Boarding:
    """Return the cheapest new stop of a truck that costs less than `limit`."""
    best = (limit, _NONE, _NONE, _NONE, _NONE)
    outs, count = len(facts.courier), draft.tour[truck, STOPS]
    for stop in range(facts.drive.shape[1] - 1):
        pair = stop * outs + out
        if facts.ride_first[pair] == facts.ride_first[pair + 1] or _on_tour(draft, truck, stop):
            continue
        if _random(rng) < _STOP_BLINK:
            continue
        for position in range(count + 1):
            delta = _tour_delta(facts, draft.tour[truck], count, stop, position)
            if delta >= best[0] or _random(rng) < _BLINK:
                continue
            ride = _find_ride(facts, draft, (truck, stop, position, _NEW_STOP), customer, out, after, before)
            if ride >= 0:
                best = (delta, truck, stop, position, ride)
    return best


@inner
def _board(
    facts: Facts, draft: Draft, rng: Words, customer: int, out: int, after: float, before: float, limit: float
) -> Boarding:
    """Return the cheapest way of goods to an out-stop below `limit`; its truck is -1 where there is none."""
    best = _aboard_for_nothing(facts, draft, rng, customer, out, after, before)
    if best[1] >= 0:
        return best
    best = (limit, _NONE, _NONE, _NONE, _NONE)
    fresh = False
    for truck in range(len(draft.tour)):
        count = draft.tour[truck, STOPS]
        if count == MAX_TOUR_STOPS or (count == 0 and fresh):
            continue
        fresh = fresh or count == 0
        if draft.tour_load[truck] + facts.customer[customer, LOAD] > facts.truck[LOAD] + 1e-9:
            continue
        found = _aboard_truck(facts, draft, rng, truck, customer, out, after, before, best[0])
        if found[1] >= 0:
            best = found
    return best


# --- Putting customers in ------------------------------------------------------------------------------------------


@inner
def _claim(facts: Facts, draft: Draft, truck: int, stop: int, ride: int, load: float) -> None:
    """Count goods in the loads of truck and trip and in the truck's times at the stop."""
    draft.tour_load[truck] += load
    draft.trip_load[int(facts.ride[ride, TRIP])] += load
    for k in range(draft.tour[truck, STOPS]):
        if draft.tour[truck, k] == stop:
            draft.tour_time[truck, k, FIRST] = max(draft.tour_time[truck, k, FIRST], facts.ride[ride, FROM])
            draft.tour_time[truck, k, LAST] = min(draft.tour_time[truck, k, LAST], facts.ride[ride, UNTIL])


@inner
def _enter_truck(facts: Facts, draft: Draft, customer: int, boarding: Boarding) -> None:
    """Put goods aboard a truck and a bus."""
    delta, truck, stop, position, ride = boarding
    if position >= 0:
        for k in range(draft.tour[truck, STOPS], position, -1):
            draft.tour[truck, k] = draft.tour[truck, k - 1]
            draft.tour_time[truck, k, FIRST] = draft.tour_time[truck, k - 1, FIRST]
            draft.tour_time[truck, k, LAST] = draft.tour_time[truck, k - 1, LAST]
        draft.tour[truck, position] = stop
        draft.tour_time[truck, position, FIRST], draft.tour_time[truck, position, LAST] = -FAR, FAR
        draft.tour[truck, STOPS] += 1
    draft.who[customer, TRUCK], draft.who[customer, STOP], draft.who[customer, RIDE] = truck, stop, ride
    _claim(facts, draft, truck, stop, ride, facts.customer[customer, LOAD])
    draft.cost[0] += delta


@inner
def _tighten_round(facts: Facts, draft: Draft, number: int, ride: int) -> None:
    draft.round_time[number, FROM] = max(draft.round_time[number, FROM], facts.ride[ride, READY])
    draft.round_time[number, UNTIL] = min(draft.round_time[number, UNTIL], facts.ride[ride, GONE])


@inner
def _enter_round(facts: Facts, draft: Draft, customer: int, out: int, number: int, position: int, delta: float) -> None:
    """Put a customer into a courier's round, a new one where `number` is -1."""
    if number < 0:
        number = 0
        while draft.visit[number, VISITS] > 0:
            number += 1
        draft.visit[number, OUT], draft.round_time[number, LOAD] = out, 0.0
        draft.round_time[number, FROM], draft.round_time[number, UNTIL] = -FAR, FAR
    for k in range(draft.visit[number, VISITS], position, -1):
        draft.visit[number, k] = draft.visit[number, k - 1]
    draft.visit[number, position] = customer
    draft.visit[number, VISITS] += 1
    draft.who[customer, ROUND] = number
    draft.round_time[number, LOAD] += facts.customer[customer, LOAD]
    draft.round_time[number, LATE] = _latest(
        facts, out, draft.visit[number], draft.visit[number, VISITS], _NONE, _START
    )
    _tighten_round(facts, draft, number, draft.who[customer, RIDE])
    draft.cost[0] += delta - facts.customer[customer, PENALTY]


@inner
def _best_joining(
    facts: Facts, draft: Draft, rng: Words, customer: int, out: int, least: float, limit: float
) -> tuple[float, float, int, int, Boarding]:
    """Return the cheapest place in a round of an out-stop: cost, the round's share of it, round, position, boarding.

    It costs less than `limit`; `least` is a lower bound on what trucks add.
    """
    best = (limit, 0.0, _NONE, _NONE, (_NEVER, _NONE, _NONE, _NONE, _NONE))
    for number in range(len(draft.visit)):
        count = draft.visit[number, VISITS]
        if (
            count == 0
            or draft.visit[number, OUT] != out
            or count == MAX_ROUND_STOPS
            or draft.round_time[number, LOAD] + facts.customer[customer, LOAD] > facts.courier[out, LOAD] + 1e-9
        ):
            continue
        for position in range(count + 1):
            delta = _visit_delta(facts, out, draft.visit[number], count, customer, position)
            if delta + least >= best[0] or _random(rng) < _BLINK:
                continue
            late = _latest(facts, out, draft.visit[number], count, customer, position)
            if late < draft.round_time[number, FROM]:
                continue
            before = min(late, draft.round_time[number, UNTIL])
            found = _board(facts, draft, rng, customer, out, draft.round_time[number, FROM], before, best[0] - delta)
            if found[1] >= 0:
                best = (delta + found[0], delta, number, position, found)
    return best


@inner
def _rounds_from(draft: Draft, out: int) -> int:
    count = 0
    for number in range(len(draft.visit)):
        if draft.visit[number, VISITS] > 0 and draft.visit[number, OUT] == out:
            count += 1
    return count


@inner
def _insert(facts: Facts, draft: Draft, rng: Words, customer: int) -> bool:
    """Put a customer where it adds least; False where it fits nowhere or costs more than leaving it out."""
    best = (facts.customer[customer, PENALTY], 0.0, _NONE, _NONE, (_NEVER, _NONE, _NONE, _NONE, _NONE))
    chosen = _NONE
    for k in range(facts.outs.shape[1]):
        out = facts.outs[customer, k]
        if out < 0:
            break
        late = _latest(facts, out, draft.visit[0], _START, customer, _START)
        alone = _board(facts, draft, rng, customer, out, -_FAR, late, _NEVER)
        if alone[1] < 0:
            continue
        delta = _visit_delta(facts, out, draft.visit[0], _START, customer, _START) + facts.courier[out, FIXED]
        if (
            _rounds_from(draft, out) < facts.courier[out, COUNT]
            and delta + alone[0] < best[0]
            and _random(rng) >= _BLINK
        ):
            best, chosen = (delta + alone[0], delta, _NONE, _START, alone), out
        found = _best_joining(facts, draft, rng, customer, out, alone[0], best[0])
        if found[2] >= 0:
            best, chosen = found, out
    if chosen < 0:
        return False
    _enter_truck(facts, draft, customer, best[4])
    _enter_round(facts, draft, customer, chosen, best[2], best[3], best[1])
    return True


@inner
def _reboard(facts: Facts, draft: Draft, rng: Words, customer: int) -> bool:
    """Find another truck and bus for a customer whose round stays as it is."""
    number = draft.who[customer, ROUND]
    out = draft.visit[number, OUT]
    before = min(draft.round_time[number, LATE], draft.round_time[number, UNTIL])
    found = _board(facts, draft, rng, customer, out, draft.round_time[number, FROM], before, _NEVER)
    if found[1] < 0:
        return False
    _enter_truck(facts, draft, customer, found)
    _tighten_round(facts, draft, number, found[4])
    return True


# --- Taking customers out ------------------------------------------------------------------------------------------


@inner
def _leave_round(draft: Draft, customer: int) -> None:
    number = draft.who[customer, ROUND]
    kept = 0
    for k in range(draft.visit[number, VISITS]):
        if draft.visit[number, k] != customer:
            draft.visit[number, kept] = draft.visit[number, k]
            kept += 1
    draft.visit[number, VISITS] = kept
    draft.who[customer, ROUND] = -1


@inner
def _clear_tours(draft: Draft) -> None:
    for trip in range(len(draft.trip_load)):
        draft.trip_load[trip] = 0.0
    for truck in range(len(draft.tour)):
        draft.tour_load[truck] = 0.0
        for k in range(MAX_TOUR_STOPS):
            draft.tour_time[truck, k, FIRST], draft.tour_time[truck, k, LAST] = -FAR, FAR


@inner
def _refresh_tours(facts: Facts, draft: Draft) -> float:
    """Drop stops where nothing is unloaded, recompute loads and intervals; return the cost of all tours."""
    _clear_tours(draft)
    for customer in range(len(facts.customer)):
        truck = draft.who[customer, TRUCK]
        if truck >= 0:
            load = facts.customer[customer, LOAD]
            _claim(facts, draft, truck, draft.who[customer, STOP], draft.who[customer, RIDE], load)
    total = 0.0
    for truck in range(len(draft.tour)):
        kept = 0
        for k in range(draft.tour[truck, STOPS]):
            if draft.tour_time[truck, k, LAST] < FAR:  # some bus is to be reached
                draft.tour[truck, kept] = draft.tour[truck, k]
                draft.tour_time[truck, kept, FIRST] = draft.tour_time[truck, k, FIRST]
                draft.tour_time[truck, kept, LAST] = draft.tour_time[truck, k, LAST]
                kept += 1
        draft.tour[truck, STOPS] = kept
        if kept > 0:
            total += _tour_cost(facts, draft.tour[truck], kept)
    return total


@inner
def _refresh_rounds(facts: Facts, draft: Draft) -> float:
    """Recompute loads and intervals of all rounds; return their cost."""
    total = 0.0
    for number in range(len(draft.visit)):
        count = draft.visit[number, VISITS]
        if count == 0:
            continue
        out = draft.visit[number, OUT]
        draft.round_time[number, LOAD] = 0.0
        draft.round_time[number, FROM], draft.round_time[number, UNTIL] = -FAR, FAR
        for k in range(count):
            customer = draft.visit[number, k]
            draft.round_time[number, LOAD] += facts.customer[customer, LOAD]
            if draft.who[customer, RIDE] >= 0:
                _tighten_round(facts, draft, number, draft.who[customer, RIDE])
        draft.round_time[number, LATE] = _latest(facts, out, draft.visit[number], count, _NONE, _START)
        total += _round_cost(facts, out, draft.visit[number], count)
    return total


@inner
def _refresh(facts: Facts, draft: Draft) -> None:
    """Recompute everything that follows from who rides where; goods with a round may be without a truck."""
    total = _refresh_tours(facts, draft) + _refresh_rounds(facts, draft)
    for customer in range(len(facts.customer)):
        if draft.who[customer, ROUND] < 0:
            total += facts.customer[customer, PENALTY]
    draft.cost[0] = total


@inner
def _leave_truck(draft: Draft, customer: int) -> None:
    draft.who[customer, TRUCK], draft.who[customer, STOP], draft.who[customer, RIDE] = -1, -1, -1


# --- Moves ---------------------------------------------------------------------------------------------------------


@inner
def _related(facts: Facts, rng: Words, out: Ints, count: int) -> None:
    """Mark a customer and those most alike, now and then passing one over."""
    seed = _pick(rng, len(out))
    left = count
    for k in range(len(out)):
        if left == 0:
            return
        if _random(rng) < 0.85:
            out[facts.near[seed, k]] = 1
            left -= 1


@inner
def _whole_rounds(facts: Facts, draft: Draft, rng: Words, out: Ints, count: int) -> None:
    """Mark the whole rounds of a customer and of those most alike."""
    seed = _pick(rng, len(out))
    left = count
    for k in range(len(out)):
        customer = facts.near[seed, k]
        number = draft.who[customer, ROUND]
        if left <= 0:
            return
        if out[customer] == 1 or _random(rng) < 0.15:
            continue
        out[customer] = 1
        left -= 1
        if number >= 0:
            for j in range(draft.visit[number, VISITS]):
                if out[draft.visit[number, j]] == 0:
                    out[draft.visit[number, j]] = 1
                    left -= 1


@inner
def _trucks_out(draft: Draft, rng: Words, out: Ints, count: int, mark: int) -> None:
    """Mark all goods of some trucks: 1 leaves the plan, 2 only leaves truck and bus."""
    for _ in range(count):
        truck = _pick(rng, len(draft.tour))
        for _turn in range(len(draft.tour)):
            if draft.tour[truck, STOPS] > 0:
                break
            truck = (truck + 1) % len(draft.tour)
        for customer in range(len(out)):
            if draft.who[customer, TRUCK] == truck:
                out[customer] = mark


@inner
def _mark(facts: Facts, draft: Draft, rng: Words, out: Ints) -> None:
    """Choose who leaves the plan."""
    n = len(out)
    for customer in range(n):
        out[customer] = 0
    most = min(n, max(4, min(30, n // 3)))
    count = 2 + _pick(rng, max(1, most - 1))
    turn = _random(rng)
    if turn < 0.3:
        _related(facts, rng, out, count)
    elif turn < 0.55:
        _whole_rounds(facts, draft, rng, out, count)
    elif turn < 0.75:
        for _ in range(count):
            out[_pick(rng, n)] = 1
    elif turn < 0.85:
        _trucks_out(draft, rng, out, _ONE, _ALL_OUT)
    else:
        _trucks_out(draft, rng, out, 1 + _pick(rng, _THREE), _GOODS_OUT)
    for customer in range(n):
        if draft.who[customer, ROUND] < 0:
            out[customer] = 1


@inner
def _key(facts: Facts, rng: Words, customer: int, kind: int) -> float:
    """Return a customer's place in the order of insertion: at random, heavy first, urgent first, or remote first."""
    if kind == 0:
        return _random(rng)
    if kind == 1:
        return float(-facts.customer[customer, LOAD] * (0.7 + 0.6 * _random(rng)))
    if kind == 2:
        return float(facts.customer[customer, CLOSE] * (0.8 + 0.4 * _random(rng)))
    return float(-facts.leg[COST, facts.outs[customer, 0], 0, customer + 1] * (0.7 + 0.6 * _random(rng)))


@inner
def _order(facts: Facts, rng: Words, out: Ints, order: Ints, key: Floats) -> int:
    """Write the marked customers in the order of insertion; return how many."""
    count = 0
    kind = _pick(rng, _FOUR)
    for customer in range(len(out)):
        if out[customer] == 0:
            continue
        value = _key(facts, rng, customer, kind)
        place = count
        while place > 0 and key[place - 1] > value:
            key[place], order[place] = key[place - 1], order[place - 1]
            place -= 1
        key[place], order[place] = value, customer
        count += 1
    return count


@inner
def put_in(facts: Facts, draft: Draft, rng: Words, customer: int) -> None:
    """Put a customer into the plan; one with a round but no truck keeps the round where it can."""
    if draft.who[customer, ROUND] >= 0:
        if _reboard(facts, draft, rng, customer):
            return
        _leave_round(draft, customer)
        _refresh(facts, draft)
    _insert(facts, draft, rng, customer)


@inner
def _copy_ints(source: Ints, target: Ints) -> None:
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]


@inner
def _copy_floats(source: Floats, target: Floats) -> None:
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]


@inner
def _copy(source: Draft, target: Draft) -> None:
    _copy_ints(source.who, target.who)
    _copy_ints(source.tour, target.tour)
    _copy_ints(source.visit, target.visit)
    _copy_floats(source.round_time, target.round_time)
    for k in range(len(source.trip_load)):
        target.trip_load[k] = source.trip_load[k]
    for k in range(len(source.tour_load)):
        target.tour_load[k] = source.tour_load[k]
        _copy_floats(source.tour_time[k], target.tour_time[k])
    target.cost[0] = source.cost[0]


@inner
def take_out(facts: Facts, trial: Draft, rng: Words, scratch: Scratch) -> int:
    """Take some customers out and write them in the order they are to come in again; return how many."""
    out, order, key = scratch
    _mark(facts, trial, rng, out)
    for customer in range(len(out)):
        if out[customer] > 0:
            _leave_truck(trial, customer)
        if out[customer] == 1 and trial.who[customer, ROUND] >= 0:
            _leave_round(trial, customer)
    _refresh(facts, trial)
    return _order(facts, rng, out, order, key)


def _improve(
    facts: Facts, now: Draft, trial: Draft, best: Draft, rng: Words, moves: int, temperature: float, scratch: Scratch
) -> None:
    """Make some moves by simulated annealing; `now` is where the search stands, `trial` is overwritten."""
    for _ in range(moves):
        _copy(now, trial)
        count = take_out(facts, trial, rng, scratch)
        for k in range(count):
            put_in(facts, trial, rng, scratch[1][k])
        if trial.cost[0] < now.cost[0] - temperature * np.log(max(1e-300, _random(rng))):
            _copy(trial, now)
            if now.cost[0] < best.cost[0] - 1e-6:
                _copy(now, best)


improve = compiled(_improve)


def uncompiled(name: str) -> Callable[..., Any]:
    """Return a function of this module to be interpreted, with all it calls: slow, with the same results."""
    plain = dict(globals())
    for found, function in globals().items():
        if hasattr(function, "py_func"):
            plain[found] = FunctionType(function.py_func.__code__, plain)
    return cast("Callable[..., Any]", plain[name])
