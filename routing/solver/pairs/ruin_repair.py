"""Ruin and repair of rounds of pairs, compiled: strings of stops leave their rounds, their orders come back.

Strings of neighbouring stops are taken out of neighbouring rounds together with the other ends of their orders, which
are put back one by one at their cheapest places, now and then overlooking a place.
"""

from __future__ import annotations

from routing.solver.machine_code import compiled, inner
from routing.solver.pairs.arrays import Day, Ints, Notes, Rounds
from routing.solver.pairs.places import INFINITE, insert, known_place, reckon, unit
from routing.solver.sorting import sort_by_key

_BLINK_OPENING = 0.3
"""Chance of overlooking the vehicles of a group that stand still, where there are several groups: the order that opens
a round would else always take the kind that is cheapest for it alone."""
_EAGER = 0.5
"""Chance that a repair serves all it can, be leaving an order out cheaper or not."""
_LONGEST_STRING = 10
_REMOVED_STOPS, _FEWEST_REMOVED = 10.0, 2.0
"""Greatest length of a string and mean number of stops taken out (their values), and the least such number."""
_NEAR_ABSENT = 0.5
"""Chance that the stops taken out are those round an order left out, where there is one."""
_KEEP_IN_STRING = 0.5
_SPLIT = 0.5
"""Chances that a string keeps some stops in its midst, and that it keeps one more (alpha and beta of the paper)."""


@inner
def touch(rounds: Rounds, notes: Notes, r: int) -> None:
    """Remember a slot's round as it is, once a step, before it is changed."""
    if notes.is_touched[r] == 0:
        notes.is_touched[r] = 1
        count = notes.touched[-1]
        notes.touched[count] = r
        notes.touched[-1] = count + 1
        notes.old_size[r] = rounds.size[r]
        notes.old_stamp[r] = rounds.stamp[r]
        notes.old_money[r] = rounds.money[r]
        for j in range(rounds.size[r]):
            notes.old_node[r, j] = rounds.node[r, j]


@inner
def take_out(day: Day, rounds: Rounds, notes: Notes) -> bool:
    """Take the nodes marked in `notes.gone` out of the touched rounds; return whether these keep their times."""
    orders, sound = len(day.kg), True
    for t in range(notes.touched[-1]):
        r, kept = notes.touched[t], 1
        node = rounds.node[r]
        for j in range(1, rounds.size[r] - 1):
            if notes.gone[node[j]] == 0:
                node[kept] = node[j]
                kept += 1
            elif node[j] < orders:
                leave_out(rounds, node[j])
        node[kept] = node[rounds.size[r] - 1]
        if kept + 1 < rounds.size[r]:
            rounds.size[r] = kept + 1
            sound = reckon(day, rounds, r) and sound
    for q in range(len(notes.gone)):
        notes.gone[q] = 0
    return sound


@inner
def leave_out(rounds: Rounds, k: int) -> None:
    """Note that no slot serves order k."""
    rounds.slot[k] = -1
    count = rounds.absent[-1]
    rounds.absent[count] = k
    rounds.absent[-1] = count + 1


@inner
def ruin(day: Day, rounds: Rounds, notes: Notes) -> None:
    """Mark strings of stops of neighbouring rounds, and the other ends of their orders, for taking out."""
    orders = len(day.kg)
    stops, used = 0, 0
    for r in range(len(day.group)):
        if rounds.size[r] > 2:
            stops += rounds.size[r] - 2
            used += 1
    if used == 0:
        return
    # Their values are the largest here: where vehicles are few, little else than small gaps can be filled again.
    longest = 1.0 + unit(notes) * (min(float(_LONGEST_STRING), stops / used) - 1.0)
    removed = _FEWEST_REMOVED + unit(notes) * (_REMOVED_STOPS - _FEWEST_REMOVED)
    strings = int(1.0 + unit(notes) * max(1.0, 4.0 * removed / (1.0 + longest) - 1.0))
    seed = int(unit(notes) * 2 * orders)
    if rounds.absent[-1] > 0 and unit(notes) < _NEAR_ABSENT:
        absent = rounds.absent[int(unit(notes) * rounds.absent[-1])]
        seed = absent if unit(notes) < 0.5 else orders + absent
    for q in range(day.near.shape[1]):
        if notes.touched[-1] >= strings:
            break
        node = day.near[seed, q]
        r = rounds.slot[node % orders]
        if r < 0 or notes.is_touched[r] == 1 or notes.gone[node] == 1:
            continue
        touch(rounds, notes, r)
        length = int(1.0 + unit(notes) * min(longest, float(rounds.size[r] - 2)))
        _mark_string(rounds, notes, r, node, length, orders)


@inner
def _mark_string(rounds: Rounds, notes: Notes, r: int, node: int, length: int, orders: int) -> None:
    """Mark `length` stops of a round around a node, sometimes keeping some in their midst."""
    inner = rounds.size[r] - 2
    kept = 0
    if length > 1 and unit(notes) < _KEEP_IN_STRING:
        while length + kept < inner and unit(notes) < _SPLIT:
            kept += 1
    span = length + kept
    at = 1
    while rounds.node[r, at] != node:
        at += 1
    low, high = max(1, at - span + 1), min(at, inner - span + 1)
    begin = low + int(unit(notes) * (high - low + 1))
    skip = begin + int(unit(notes) * (length + 1)) if kept > 0 else begin + span
    for j in range(begin, begin + span):
        if not skip <= j < skip + kept:
            k = rounds.node[r, j] % orders
            notes.gone[k] = notes.gone[orders + k] = 1


@inner
def _line_up(day: Day, rounds: Rounds, notes: Notes) -> int:
    """List the absent orders as they are put back: at random, or by weight, distance or window; return how many."""
    orders, count = len(day.kg), int(rounds.absent[-1])
    way = int(unit(notes) * 11.0)
    base = 2 * orders
    for q in range(count):
        k = notes.waiting[q] = rounds.absent[q]
        if way < 3:
            notes.key[q] = unit(notes)
        elif way < 5:
            notes.key[q] = -day.kg[k]
        elif way < 7:
            notes.key[q] = -(day.cost[0, base, k] + day.cost[0, base, orders + k])
        elif way < 8:
            notes.key[q] = day.cost[0, base, k] + day.cost[0, base, orders + k]
        elif way < 9:
            notes.key[q] = day.late_s[k] - day.early_s[k] + day.late_s[orders + k] - day.early_s[orders + k]
        elif way < 10:
            notes.key[q] = day.early_s[k]
        else:
            notes.key[q] = -day.late_s[orders + k]
    sort_by_key(notes.waiting, notes.key, count)
    return count


@inner
def step_cost(day: Day, rounds: Rounds, notes: Notes) -> float:
    """Return what the touched rounds cost more than before the step, less the price of the orders then left out."""
    more = 0.0
    for t in range(notes.touched[-1]):
        more += rounds.money[notes.touched[t]] - notes.old_money[notes.touched[t]]
    for q in range(notes.old_absent[-1]):
        more -= day.unserved[notes.old_absent[q]]
    return more


@compiled
def repair(day: Day, rounds: Rounds, notes: Notes, blink: float, allowance: float) -> bool:
    """Put absent orders back one by one at their cheapest places; return whether all rounds keep their times.

    Also False, with some orders lost, once the touched rounds and the orders left out cost `allowance` more than before
    the step (`notes.old_absent` lists those left out then): where ways obey the triangle inequality, no order put back
    makes a round cheaper.
    """
    waiting = _line_up(day, rounds, notes)
    sound, left = True, 0
    more = step_cost(day, rounds, notes)
    # The order that opens a round may cost more than leaving it out, and be worth it for those that follow.
    eager = unit(notes) < _EAGER
    for q in range(waiting):
        k = notes.waiting[q]
        best, slot, best_i, best_j = INFINITE if eager else day.unserved[k], -1, -1, -1
        opened = -1
        for r in range(len(day.group)):
            if rounds.size[r] == 2:
                if rounds.usable[r] == 0 or opened == day.group[r]:
                    continue
                opened = day.group[r]
                if blink > 0.0 and len(day.fixed) > 1 and unit(notes) < _BLINK_OPENING:
                    continue
            added, i, j = known_place(day, rounds, notes, k, r, best, blink)
            if i >= 0 and added < best:
                best, slot, best_i, best_j = added, r, i, j
        if slot < 0:
            rounds.absent[left] = k
            left += 1
            more += day.unserved[k]
        else:
            touch(rounds, notes, slot)
            before = rounds.money[slot]
            sound = insert(day, rounds, k, slot, best_i, best_j) and sound
            more += rounds.money[slot] - before
        if more >= allowance:
            return False
    rounds.absent[-1] = left
    return sound


@inner
def copy_list(source: Ints, target: Ints) -> None:
    """Copy a list whose last entry counts the others (slices would want numba's runtime)."""
    target[-1] = source[-1]
    for q in range(source[-1]):
        target[q] = source[q]


@inner
def undo(day: Day, rounds: Rounds, notes: Notes) -> None:
    """Bring the touched rounds and the list of absent orders back to what they were."""
    for t in range(notes.touched[-1]):
        r = notes.touched[t]
        rounds.size[r] = notes.old_size[r]
        for j in range(rounds.size[r]):
            rounds.node[r, j] = notes.old_node[r, j]
    for t in range(notes.touched[-1]):
        reckon(day, rounds, notes.touched[t])
        rounds.stamp[notes.touched[t]] = notes.old_stamp[notes.touched[t]]
    copy_list(notes.old_absent, rounds.absent)
    for q in range(rounds.absent[-1]):
        rounds.slot[rounds.absent[q]] = -1


@compiled
def forget(notes: Notes) -> None:
    """Begin a new step: no slot is touched."""
    for t in range(notes.touched[-1]):
        notes.is_touched[notes.touched[t]] = 0
    notes.touched[-1] = 0
