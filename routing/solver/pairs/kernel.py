"""Compiled loops of the pair search: times of a round, best place for an order, ruin, repair, acceptance.

The search is that of Christiaens and Vanden Berghe (2020, Slack induction by string removals, Transportation Science
54(2)), with pairs for customers: strings of neighbouring stops are taken out of neighbouring rounds together with their
other ends, and put back one by one at their cheapest place, now and then overlooking a place.
"""

from __future__ import annotations

import math

import numpy as np

from routing.solver.machine_code import compiled, inner
from routing.solver.pairs.arrays import Day, Floats, Ints, Notes, Rounds

INFINITE = 1.0e300
_BLINK = 0.01
"""Chance of overlooking a place (their value)."""
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


@compiled
def unit(notes: Notes) -> float:
    """Return a random number in [0, 1) by xorshift64."""
    x = notes.random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    notes.random[0] = x
    return float(x >> np.uint64(11)) / 9007199254740992.0


@compiled
def reckon(day: Day, rounds: Rounds, r: int) -> bool:
    """Reckon times, loads and money of a slot's round anew; return whether it keeps windows and shift."""
    g, m = day.group[r], rounds.size[r]
    node, early, late = rounds.node[r], rounds.early_s[r], rounds.late_s[r]
    orders = len(day.kg)
    early[0] = day.start_s[g]
    rounds.kg[r, 0] = rounds.litres[r, 0] = 0
    rounds.stamp[-1] += 1
    rounds.stamp[r] = rounds.stamp[-1]
    money, moving = 0.0, 0
    for j in range(1, m):
        a, b = node[j - 1], node[j]
        money += day.cost[g, a, b]
        moving += day.move_s[g, a, b]
        early[j] = max(early[j - 1] + day.move_s[g, a, b], day.early_s[b])
        sign = 0 if j == m - 1 else (1 if b < orders else -1)
        k = b % orders if sign != 0 else 0
        rounds.kg[r, j] = rounds.kg[r, j - 1] + sign * day.kg[k]
        rounds.litres[r, j] = rounds.litres[r, j - 1] + sign * day.litres[k]
        if sign > 0:
            rounds.slot[k] = r
    late[m - 1] = day.end_s[g]
    leave = early[m - 1]
    fits = bool(early[m - 1] <= day.end_s[g])
    for j in range(m - 2, 0, -1):
        move = day.move_s[g, node[j], node[j + 1]]
        late[j] = min(late[j + 1] - move, day.late_s[node[j]])
        leave = min(leave - move, day.late_s[node[j]])
        fits = fits and bool(early[j] <= late[j])
    late[0] = late[1] - day.move_s[g, node[0], node[1]]
    leave -= day.move_s[g, node[0], node[1]]
    rounds.money[r] = 0.0
    if m > 2:
        waiting = early[m - 1] - leave - moving
        rounds.money[r] = day.fixed[g] + money + day.wait_cost[g] * waiting
    return fits


@inner
def _deliveries(day: Day, rounds: Rounds, notes: Notes, d: int, r: int) -> None:
    """Note what a delivery after each position adds (infinite where even without its pickup it is late)."""
    g, m = day.group[r], rounds.size[r]
    node, early, late = rounds.node[r], rounds.early_s[r], rounds.late_s[r]
    notes.least[m - 1] = INFINITE
    for j in range(m - 2, -1, -1):
        if late[j + 1] < day.early_s[d]:  # so is every stop before it
            for q in range(j + 1):
                notes.extra[q], notes.least[q] = INFINITE, notes.least[j + 1]
            break
        a, b = node[j], node[j + 1]
        at = max(early[j] + day.move_s[g, a, d], day.early_s[d])
        if at <= day.late_s[d] and at + day.move_s[g, d, b] <= late[j + 1]:
            notes.extra[j] = day.cost[g, a, d] + day.cost[g, d, b] - day.cost[g, a, b]
        else:
            notes.extra[j] = INFINITE
        notes.least[j] = min(notes.least[j + 1], notes.extra[j])


@compiled
def best_place(
    day: Day, rounds: Rounds, notes: Notes, k: int, r: int, limit: float, blink: float
) -> tuple[float, int, int]:
    """Return (added cost, i, j): order k into slot r, its pickup after position i, its delivery after position j.

    Positions are those before the insertion. Only what adds less than `limit` is found, else i is -1. Places whose
    round would be late or overloaded are left out; with the chance `blink` a place for the pickup is overlooked.
    """
    orders = len(day.kg)
    g, m = day.group[r], rounds.size[r]
    node, early, late = rounds.node[r], rounds.early_s[r], rounds.late_s[r]
    free_kg, free_l = day.room_kg[g] - day.kg[k], day.room_l[g] - day.litres[k]
    p, d = k, orders + k
    best, best_i, best_j = limit, -1, -1
    if free_kg < 0 or free_l < 0:
        return best, best_i, best_j
    opening = day.fixed[g] if m == 2 else 0.0
    _deliveries(day, rounds, notes, d, r)
    for i in range(m - 1):
        a, b = node[i], node[i + 1]
        if early[i] > day.late_s[p]:
            break
        if rounds.kg[r, i] > free_kg or rounds.litres[r, i] > free_l:
            continue
        at = max(early[i] + day.move_s[g, a, p], day.early_s[p])
        after = max(at + day.move_s[g, p, b], day.early_s[b])
        if at > day.late_s[p] or after > late[i + 1]:
            continue
        if blink > 0.0 and unit(notes) < blink:
            continue
        base = opening + day.cost[g, a, p] - day.cost[g, a, b]
        there = max(at + day.move_s[g, p, d], day.early_s[d])
        added = base + day.cost[g, p, d] + day.cost[g, d, b]
        if added < best and there <= day.late_s[d] and there + day.move_s[g, d, b] <= late[i + 1]:
            best, best_i, best_j = added, i, i
        base += day.cost[g, p, b]
        found, j = _later_delivery(day, rounds, notes, k, r, i + 1, after, best - base)
        if j >= 0:
            best, best_i, best_j = base + found, i, j
    return best, best_i, best_j


@inner
def _later_delivery(
    day: Day, rounds: Rounds, notes: Notes, k: int, r: int, first: int, time: int, limit: float
) -> tuple[float, int]:
    """Return (added cost, j) of the delivery of order k after position j >= first, where service starts at `time`."""
    g, m = day.group[r], rounds.size[r]
    node, late = rounds.node[r], rounds.late_s[r]
    free_kg, free_l = day.room_kg[g] - day.kg[k], day.room_l[g] - day.litres[k]
    d = len(day.kg) + k
    best, best_j = limit, -1
    for j in range(first, m - 1):
        if notes.least[j] >= best or rounds.kg[r, j] > free_kg or rounds.litres[r, j] > free_l:
            break
        a, b = node[j], node[j + 1]
        if notes.extra[j] < best:
            at = max(time + day.move_s[g, a, d], day.early_s[d])
            if at <= day.late_s[d] and at + day.move_s[g, d, b] <= late[j + 1]:
                best, best_j = notes.extra[j], j
        time = max(time + day.move_s[g, a, b], day.early_s[b])
        if time > late[j + 1]:
            break
    return best, best_j


@inner
def _known_place(
    day: Day, rounds: Rounds, notes: Notes, k: int, r: int, limit: float, blink: float
) -> tuple[float, int, int]:
    """Return what `best_place` does, from memory where the round is as it was when it was last sought.

    With the chance `blink` the place is sought anew and every other place for the pickup overlooked.
    """
    if blink > 0.0 and unit(notes) < 2.0 * blink:
        return best_place(day, rounds, notes, k, r, limit, 0.5)
    if notes.known_stamp[k, r] != rounds.stamp[r] or (notes.known_i[k, r] < 0 and notes.known_cost[k, r] < limit):
        added, i, j = best_place(day, rounds, notes, k, r, limit, 0.0)
        notes.known_stamp[k, r], notes.known_cost[k, r] = rounds.stamp[r], added
        notes.known_i[k, r], notes.known_j[k, r] = i, j
    return notes.known_cost[k, r], notes.known_i[k, r], notes.known_j[k, r]


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
        for j in range(rounds.size[r]):
            notes.old_node[r, j] = rounds.node[r, j]


@compiled
def insert(day: Day, rounds: Rounds, k: int, r: int, i: int, j: int) -> bool:
    """Put order k into slot r, pickup after position i, delivery after j; return whether the round keeps its times."""
    node, m = rounds.node[r], rounds.size[r]
    for q in range(m - 1, j, -1):
        node[q + 2] = node[q]
    node[j + 2] = len(day.kg) + k
    for q in range(j, i, -1):
        node[q + 1] = node[q]
    node[i + 1] = k
    rounds.size[r] = m + 2
    return reckon(day, rounds, r)


@inner
def _take_out(day: Day, rounds: Rounds, notes: Notes) -> bool:
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
                _leave_out(rounds, node[j])
        node[kept] = node[rounds.size[r] - 1]
        if kept + 1 < rounds.size[r]:
            rounds.size[r] = kept + 1
            sound = reckon(day, rounds, r) and sound
    for q in range(len(notes.gone)):
        notes.gone[q] = 0
    return sound


@inner
def _leave_out(rounds: Rounds, k: int) -> None:
    rounds.slot[k] = -1
    count = rounds.absent[-1]
    rounds.absent[count] = k
    rounds.absent[-1] = count + 1


@inner
def _ruin(day: Day, rounds: Rounds, notes: Notes) -> None:
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
def _sort(items: Ints, key: Floats, count: int) -> None:
    """Sort the first items by their keys, in place (numpy's sorting would take seconds to compile)."""
    for q in range(1, count):
        item, mine, at = items[q], key[q], q
        while at > 0 and key[at - 1] > mine:
            items[at], key[at] = items[at - 1], key[at - 1]
            at -= 1
        items[at], key[at] = item, mine


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
    _sort(notes.waiting, notes.key, count)
    return count


@compiled
def repair(day: Day, rounds: Rounds, notes: Notes, blink: float) -> bool:
    """Put absent orders back one by one at their cheapest places; return whether all rounds keep their times."""
    waiting = _line_up(day, rounds, notes)
    sound, left = True, 0
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
            added, i, j = _known_place(day, rounds, notes, k, r, best, blink)
            if i >= 0 and added < best:
                best, slot, best_i, best_j = added, r, i, j
        if slot < 0:
            rounds.absent[left] = k
            left += 1
            continue
        touch(rounds, notes, slot)
        sound = insert(day, rounds, k, slot, best_i, best_j) and sound
    rounds.absent[-1] = left
    return sound


@inner
def _copy_list(source: Ints, target: Ints) -> None:
    """Copy a list whose last entry counts the others (slices would want numba's runtime)."""
    target[-1] = source[-1]
    for q in range(source[-1]):
        target[q] = source[q]


@inner
def _undo(day: Day, rounds: Rounds, notes: Notes) -> None:
    """Bring the touched rounds and the list of absent orders back to what they were."""
    for t in range(notes.touched[-1]):
        r = notes.touched[t]
        rounds.size[r] = notes.old_size[r]
        for j in range(rounds.size[r]):
            rounds.node[r, j] = notes.old_node[r, j]
    for t in range(notes.touched[-1]):
        reckon(day, rounds, notes.touched[t])
        rounds.stamp[notes.touched[t]] = notes.old_stamp[notes.touched[t]]
    _copy_list(notes.old_absent, rounds.absent)
    for q in range(rounds.absent[-1]):
        rounds.slot[rounds.absent[q]] = -1


@compiled
def forget(notes: Notes) -> None:
    """Begin a new step: no slot is touched."""
    for t in range(notes.touched[-1]):
        notes.is_touched[notes.touched[t]] = 0
    notes.touched[-1] = 0


@inner
def _money(rounds: Rounds) -> float:
    total = 0.0
    for r in range(len(rounds.size)):
        total += rounds.money[r]
    return total


@compiled
def total_cost(day: Day, rounds: Rounds) -> float:
    """Return the money of all rounds and of the orders left out."""
    total = _money(rounds)
    for q in range(rounds.absent[-1]):
        total += float(day.unserved[rounds.absent[q]])
    return total


@compiled
def remember(rounds: Rounds, notes: Notes) -> None:
    """Keep the present plan as the best one."""
    for r in range(len(rounds.size)):
        notes.best_size[r] = rounds.size[r]
        for j in range(rounds.size[r]):
            notes.best_node[r, j] = rounds.node[r, j]


@inner
def _try_step(day: Day, rounds: Rounds, notes: Notes) -> bool:
    """Ruin and repair once; return whether the rounds keep their times."""
    _copy_list(rounds.absent, notes.old_absent)
    _ruin(day, rounds, notes)
    sound = _take_out(day, rounds, notes)
    return repair(day, rounds, notes, _BLINK) and sound


@compiled
def anneal(
    day: Day, rounds: Rounds, notes: Notes, steps: int, cost: float, best: float, warm: float, cool: float
) -> tuple[float, float]:
    """Make steps of simulated annealing, the temperature falling from `warm` to `cool`; return (cost, best cost).

    The best plan is left in `notes`.
    """
    factor = math.exp(math.log(cool / warm) / max(1, steps))
    for _ in range(steps):
        sound = _try_step(day, rounds, notes)
        found = total_cost(day, rounds) if sound else INFINITE
        if found < cost - warm * math.log(max(1e-12, unit(notes))):
            cost = found
            if cost < best - 1e-6:
                best = cost
                remember(rounds, notes)
        else:
            _undo(day, rounds, notes)
        forget(notes)
        warm *= factor
    return cost, best


@inner
def _misses(rounds: Rounds, notes: Notes) -> int:
    total = 0
    for q in range(rounds.absent[-1]):
        total += 1 + notes.misses[rounds.absent[q]]
    return total


@inner
def _lift_round(day: Day, rounds: Rounds, notes: Notes) -> None:
    """Take out the round whose orders were left out least so far, and close the slots nobody uses."""
    orders, slots = len(day.kg), len(day.group)
    chosen, fewest = -1, 0
    for r in range(slots):
        rounds.usable[r] = 1 if rounds.size[r] > 2 else 0
        if rounds.size[r] > 2:
            score = 0
            for j in range(1, rounds.size[r] - 1):
                if rounds.node[r, j] < orders:
                    score += 1 + notes.misses[rounds.node[r, j]]
            if chosen < 0 or score < fewest:
                chosen, fewest = r, score
    if chosen >= 0:
        rounds.usable[chosen] = 0
        for j in range(1, rounds.size[chosen] - 1):
            if rounds.node[chosen, j] < orders:
                _leave_out(rounds, rounds.node[chosen, j])
        rounds.node[chosen, 1] = rounds.node[chosen, rounds.size[chosen] - 1]
        rounds.size[chosen] = 2
        reckon(day, rounds, chosen)


@compiled
def shrink(day: Day, rounds: Rounds, notes: Notes, steps: int, warm: float) -> int:
    """Search for plans with fewer rounds; return how many rounds were saved.

    Whenever all orders are served, the plan is kept in `notes` and a round is taken out. Steps are accepted that leave
    out fewer orders or such as were left out less often so far, or by annealing where the same is left out.
    """
    saved = -1
    for _ in range(steps):
        if rounds.absent[-1] == 0:
            saved += 1
            remember(rounds, notes)
            _lift_round(day, rounds, notes)
            if rounds.absent[-1] == 0:
                break
        count, missed, cost = rounds.absent[-1], _misses(rounds, notes), _money(rounds)
        sound = _try_step(day, rounds, notes)
        now, now_missed = rounds.absent[-1], _misses(rounds, notes)
        for q in range(now):
            notes.misses[rounds.absent[q]] += 1
        better = now < count or now_missed < missed
        same = now == count and now_missed == missed
        if not sound or not (better or (same and _money(rounds) < cost - warm * math.log(max(1e-12, unit(notes))))):
            _undo(day, rounds, notes)
        forget(notes)
    if rounds.absent[-1] == 0:
        saved += 1
        remember(rounds, notes)
    return saved
