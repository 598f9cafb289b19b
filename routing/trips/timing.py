"""Compiled loops that judge one trip: travel, times with windows and pauses, limits, cost."""

from __future__ import annotations

from routing.solver.machine_code import compiled, inner, woven
from routing.trips.arrays import Day, Scratch
from routing.visits import FAR_S, IntArray

NEVER = -1
_FAR_S = FAR_S


@woven
def first_within(windows: IntArray, begin: int, end: int, clock: int) -> int:
    """Return the earliest time from `clock` on in rows `begin` to `end` of windows, NEVER where there is none."""
    for row in range(begin, end):
        if clock <= windows[row, 1]:
            return int(max(clock, windows[row, 0]))
    return NEVER


@woven
def last_within(windows: IntArray, begin: int, end: int, clock: int) -> int:
    """Return the latest time up to `clock` in rows `begin` to `end` of windows, NEVER where there is none."""
    for row in range(end - 1, begin - 1, -1):
        if clock >= windows[row, 0]:
            return int(min(clock, windows[row, 1]))
    return NEVER


@woven
def place_at(day: Day, k: int, trip: IntArray, m: int, position: int) -> int:
    """Return the location of a position of a trip: -1 is its start, m its end."""
    if position < 0:
        return int(day.start[k])
    return int(day.end[k]) if position >= m else int(day.place[trip[position]])


@woven
def arc_cost(day: Day, k: int, here: int, there: int, visit: int) -> float:
    """Return the cost from location to location, with the work of the visit there (-1: the end, no work)."""
    cost = 0.0
    if here >= 0 and there >= 0 and here != there:
        cost = day.cost[day.table[k], here, there]
    if visit >= 0 and day.task_cost[k] > 0.0:
        setup = day.setup_s[k, visit] if here != there else 0
        cost += day.task_cost[k] * (day.service_s[k, visit] + setup)
    return float(cost)


@inner
def trip_cost(day: Day, k: int, trip: IntArray, m: int) -> float:
    """Return the cost of a trip of m visits; nothing where there are none."""
    if m == 0:
        return 0.0
    cost = day.fixed[k]
    here = int(day.start[k])
    for position in range(m):
        visit = trip[position]
        cost += arc_cost(day, k, here, int(day.place[visit]), visit)
        here = int(day.place[visit])
    return float(cost + arc_cost(day, k, here, int(day.end[k]), -1))


@woven
def travel_of(day: Day, k: int, here: int, there: int) -> int:
    """Return the seconds from location to location, none from or to an open end; NEVER where there is no way."""
    if here < 0 or there < 0 or here == there:
        return 0
    travel = int(day.move_s[day.table[k], here, there])
    return travel if travel < _FAR_S else NEVER


@woven
def metres_of(day: Day, k: int, here: int, there: int) -> int:
    """Return the metres from location to location, none from or to an open end."""
    if here < 0 or there < 0 or here == there:
        return 0
    return int(day.distance_m[day.table[k], here, there])


@woven
def work_of(day: Day, k: int, here: int, there: int, visit: int) -> int:
    """Return the seconds of work of a visit at `there`, coming from `here`; none at the end of a trip."""
    if visit < 0:
        return 0
    return int(day.service_s[k, visit] + (day.setup_s[k, visit] if here != there else 0))


@woven
def work_begin(day: Day, visit: int, clock: int) -> int:
    """Return the earliest begin of work at a visit, from a time on; that time at the end of a trip."""
    if visit < 0:
        return clock
    return first_within(day.window, day.window_from[visit], day.window_from[visit + 1], clock)


@woven
def light_enough(day: Day, pause: int, load: IntArray) -> bool:
    """Return whether a pause may be taken with a load."""
    for dim in range(len(load)):  # noqa: SIM110 - generators cannot be compiled
        if load[dim] > day.pause_room[pause, dim]:
            return False
    return True


@woven
def pause_end(day: Day, pause: int, clock: int, load: IntArray) -> int:
    """Return the earliest end of a pause taken from a time on with a load, NEVER where it cannot be taken."""
    if not light_enough(day, pause, load):
        return NEVER
    begin = first_within(day.pause_window, day.pause_window_from[pause], day.pause_window_from[pause + 1], clock)
    return begin if begin == NEVER else begin + int(day.pause_s[pause])


@woven
def pause_begin(day: Day, pause: int, clock: int, load: IntArray) -> int:
    """Return the latest begin of a pause that ends by a time with a load, NEVER where it cannot be taken."""
    if not light_enough(day, pause, load):
        return NEVER
    begin = clock - int(day.pause_s[pause])
    return last_within(day.pause_window, day.pause_window_from[pause], day.pause_window_from[pause + 1], begin)


@woven
def leg_forward(
    day: Day, k: int, here: int, there: int, visit: int, load: IntArray, before: IntArray, after: IntArray
) -> bool:
    """Reckon the earliest times to go on after a leg from those before it; return whether there are any.

    A pause may fall before, within or after the travel of a leg, and waits for its window. Pauses of S seconds in all
    that end at E if taken one upon the other from t on, and a travel of D seconds, end at max(E, t + D + S): travel
    goes on while a pause is waited for. Whichever number of pauses was taken, the earliest time is best, since
    nothing is gained by being later.

    Parameters
    ----------
    visit
        What is done at the end of the leg, -1 for nothing.
    load
        Amounts aboard on the leg.
    before, after
        Shape (pauses + 1): times by number of pauses taken, NEVER for none.
    """
    pauses = int(day.pause_from[k + 1] - day.pause_from[k])
    for taken in range(pauses + 1):
        after[taken] = NEVER
    travel, work = travel_of(day, k, here, there), work_of(day, k, here, there, visit)
    if travel == NEVER:
        return False
    some = False
    for taken in range(pauses + 1):
        end, going = before[taken], before[taken] + travel
        if end == NEVER:
            continue
        for then in range(taken, pauses + 1):
            at = work_begin(day, visit, max(end, going))
            if at == NEVER or at + work > day.closes_s[k]:
                break
            some = True
            if after[then] == NEVER or at + work < after[then]:
                after[then] = at + work
            if then < pauses:
                pause = int(day.pause_from[k]) + then
                end, going = pause_end(day, pause, end, load), going + int(day.pause_s[pause])
                if end == NEVER:
                    break
    return some


@woven
def leg_backward(
    day: Day, k: int, here: int, there: int, visit: int, load: IntArray, before: IntArray, after: IntArray
) -> None:
    """Reckon the latest times to go on before a leg from those after it; the mirror of `leg_forward`."""
    pauses = int(day.pause_from[k + 1] - day.pause_from[k])
    for taken in range(pauses + 1):
        before[taken] = NEVER
    travel, work = travel_of(day, k, here, there), work_of(day, k, here, there, visit)
    if travel == NEVER:
        return
    for then in range(pauses + 1):
        at = after[then] - work
        if visit >= 0 and at >= 0:
            at = last_within(day.window, day.window_from[visit], day.window_from[visit + 1], at)
        if at < 0:
            continue
        end, going = at, at - travel
        for taken in range(then, -1, -1):
            before[taken] = max(before[taken], min(end, going))
            if taken > 0:
                pause = int(day.pause_from[k]) + taken - 1
                end, going = pause_begin(day, pause, end, load), going - int(day.pause_s[pause])
                if end == NEVER or going < 0:
                    break


@inner
def walk_forward(day: Day, k: int, trip: IntArray, m: int, begin_s: int, load: IntArray, ready_s: IntArray) -> bool:
    """Reckon the earliest times along a trip that begins at a time; return whether it keeps all windows.

    Parameters
    ----------
    load
        Shape (m + 1, amounts): aboard on each leg.
    ready_s
        Shape (m + 2, pauses + 1): filled; row 0 is the start, row m + 1 the end.
    """
    pauses = int(day.pause_from[k + 1] - day.pause_from[k])
    for taken in range(1, pauses + 1):
        ready_s[0, taken] = NEVER
    ready_s[0, 0] = begin_s
    for leg in range(m + 1):
        here, there = place_at(day, k, trip, m, leg - 1), place_at(day, k, trip, m, leg)
        visit = int(trip[leg]) if leg < m else -1
        if not leg_forward(day, k, here, there, visit, load[leg], ready_s[leg], ready_s[leg + 1]):
            return False
    return bool(ready_s[m + 1, pauses] != NEVER)


@inner
def walk_backward(day: Day, k: int, trip: IntArray, m: int, end_s: int, load: IntArray, due_s: IntArray) -> None:
    """Reckon the latest times to go on from each stop of a trip that is to end by a time; the mirror of the former."""
    pauses = int(day.pause_from[k + 1] - day.pause_from[k])
    for taken in range(pauses):
        due_s[m + 1, taken] = NEVER
    due_s[m + 1, pauses] = end_s
    for leg in range(m, -1, -1):
        here, there = place_at(day, k, trip, m, leg - 1), place_at(day, k, trip, m, leg)
        visit = int(trip[leg]) if leg < m else -1
        leg_backward(day, k, here, there, visit, load[leg], due_s[leg], due_s[leg + 1])


@inner
def load_legs(day: Day, trip: IntArray, m: int, load: IntArray) -> None:
    """Reckon what is aboard on each leg of a trip."""
    for dim in range(load.shape[1]):
        aboard = 0
        for position in range(m):
            aboard += day.brought[trip[position], dim]
        load[0, dim] = aboard
        for position in range(m):
            aboard += day.change[trip[position], dim]
            load[position + 1, dim] = aboard


@inner
def keeps_amounts(day: Day, k: int, m: int, load: IntArray) -> bool:
    """Return whether a trip keeps number of tasks and capacities."""
    if m > day.most_tasks[k]:
        return False
    for leg in range(m + 1):
        for dim in range(load.shape[1]):
            if load[leg, dim] > day.room[k, dim]:
                return False
    return True


@inner
def keeps_lengths(day: Day, k: int, trip: IntArray, m: int) -> bool:
    """Return whether the sums of a trip's ways keep the limits of travel and distance."""
    travel, metres = 0, 0
    for position in range(m + 1):
        here, there = place_at(day, k, trip, m, position - 1), place_at(day, k, trip, m, position)
        travel += max(0, travel_of(day, k, here, there))
        metres += metres_of(day, k, here, there)
    return bool(travel <= day.most_travel_s[k] and metres <= day.most_distance_m[k])


@inner
def fits(day: Day, k: int, trip: IntArray, m: int, scratch: Scratch) -> bool:
    """Return whether a vehicle can make a trip, judged from its beginning to its end."""
    load_legs(day, trip, m, scratch.load)
    return (
        keeps_amounts(day, k, m, scratch.load)
        and keeps_lengths(day, k, trip, m)
        and walk_forward(day, k, trip, m, int(day.opens_s[k]), scratch.load, scratch.ready_s)
    )


@compiled
def judge(day: Day, k: int, trip: IntArray, scratch: Scratch) -> bool:
    """Return whether a vehicle can make a trip."""
    return fits(day, k, trip, len(trip), scratch)


@compiled
def cost_of(day: Day, k: int, trip: IntArray) -> float:
    """Return the cost of a trip; nothing where it has no visits."""
    return trip_cost(day, k, trip, len(trip))


@compiled
def schedule(day: Day, k: int, trip: IntArray, scratch: Scratch, taken: IntArray) -> int:
    """Return the latest time to begin a trip that still ends as early as it can.

    Parameters
    ----------
    taken
        Shape (visits + 2): filled with the pauses taken up to each stop, the fewest early ones.
    """
    m, pauses = len(trip), int(day.pause_from[k + 1] - day.pause_from[k])
    fits(day, k, trip, m, scratch)
    walk_backward(day, k, trip, m, int(scratch.ready_s[m + 1, pauses]), scratch.load, scratch.due_s)
    begin = int(scratch.due_s[0, 0])
    walk_forward(day, k, trip, m, begin, scratch.load, scratch.ready_s)
    taken[m + 1] = pauses
    before, after = scratch.leg_s[0], scratch.leg_s[1]
    for leg in range(m, -1, -1):
        here, there = place_at(day, k, trip, m, leg - 1), place_at(day, k, trip, m, leg)
        visit = int(trip[leg]) if leg < m else -1
        for fewer in range(taken[leg + 1] + 1):
            before[:] = NEVER
            before[fewer] = scratch.ready_s[leg, fewer]
            leg_forward(day, k, here, there, visit, scratch.load[leg], before, after)
            if after[taken[leg + 1]] == scratch.ready_s[leg + 1, taken[leg + 1]]:
                taken[leg] = fewer
                break
    return begin
