"""Times, loads and money of a round of pairs, and the cheapest place for an order in it, compiled."""

from __future__ import annotations

import numpy as np

from routing.solver.machine_code import compiled, inner
from routing.solver.pairs.arrays import Day, Notes, Rounds

INFINITE = 1.0e300


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
    cost, move_s = day.cost[g], day.move_s[g]
    node, early, late = rounds.node[r], rounds.early_s[r], rounds.late_s[r]
    orders = len(day.kg)
    early[0] = day.start_s[g]
    rounds.kg[r, 0] = rounds.litres[r, 0] = 0
    rounds.stamp[-1] += 1
    rounds.stamp[r] = rounds.stamp[-1]
    money, moving = 0.0, 0
    for j in range(1, m):
        a, b = node[j - 1], node[j]
        money += cost[a, b]
        moving += move_s[a, b]
        early[j] = max(early[j - 1] + move_s[a, b], day.early_s[b])
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
        move = move_s[node[j], node[j + 1]]
        late[j] = min(late[j + 1] - move, day.late_s[node[j]])
        leave = min(leave - move, day.late_s[node[j]])
        fits = fits and bool(early[j] <= late[j])
    late[0] = late[1] - move_s[node[0], node[1]]
    leave -= move_s[node[0], node[1]]
    rounds.money[r] = 0.0
    if m > 2:
        waiting = early[m - 1] - leave - moving
        rounds.money[r] = day.fixed[g] + money + day.wait_cost[g] * waiting
    return fits


@inner
def _deliveries(day: Day, rounds: Rounds, notes: Notes, d: int, r: int) -> None:
    """Note what a delivery after each position adds (infinite where even without its pickup it is late)."""
    g, m = day.group[r], rounds.size[r]
    cost, move_s = day.cost[g], day.move_s[g]
    node, early, late = rounds.node[r], rounds.early_s[r], rounds.late_s[r]
    notes.least[m - 1] = INFINITE
    for j in range(m - 2, -1, -1):
        if late[j + 1] < day.early_s[d]:  # so is every stop before it
            for q in range(j + 1):
                notes.extra[q], notes.least[q] = INFINITE, notes.least[j + 1]
            break
        a, b = node[j], node[j + 1]
        at = max(early[j] + move_s[a, d], day.early_s[d])
        if at <= day.late_s[d] and at + move_s[d, b] <= late[j + 1]:
            notes.extra[j] = cost[a, d] + cost[d, b] - cost[a, b]
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
    cost, move_s = day.cost[g], day.move_s[g]
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
        at = max(early[i] + move_s[a, p], day.early_s[p])
        after = max(at + move_s[p, b], day.early_s[b])
        if at > day.late_s[p] or after > late[i + 1]:
            continue
        if blink > 0.0 and unit(notes) < blink:
            continue
        base = opening + cost[a, p] - cost[a, b]
        there = max(at + move_s[p, d], day.early_s[d])
        added = base + cost[p, d] + cost[d, b]
        if added < best and there <= day.late_s[d] and there + move_s[d, b] <= late[i + 1]:
            best, best_i, best_j = added, i, i
        base += cost[p, b]
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
    move_s = day.move_s[g]
    node, late = rounds.node[r], rounds.late_s[r]
    free_kg, free_l = day.room_kg[g] - day.kg[k], day.room_l[g] - day.litres[k]
    d = len(day.kg) + k
    best, best_j = limit, -1
    for j in range(first, m - 1):
        if notes.least[j] >= best or rounds.kg[r, j] > free_kg or rounds.litres[r, j] > free_l:
            break
        a, b = node[j], node[j + 1]
        if notes.extra[j] < best:
            at = max(time + move_s[a, d], day.early_s[d])
            if at <= day.late_s[d] and at + move_s[d, b] <= late[j + 1]:
                best, best_j = notes.extra[j], j
        time = max(time + move_s[a, b], day.early_s[b])
        if time > late[j + 1]:
            break
    return best, best_j


@inner
def known_place(
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
