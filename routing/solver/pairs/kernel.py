"""The pair search, compiled: annealing of ruin and repair, and the search for fewer rounds.

The search is that of Christiaens and Vanden Berghe (2020, Slack induction by string removals, Transportation Science
54(2)), with pairs for customers.
"""

from __future__ import annotations

import math

from routing.solver.machine_code import compiled, inner
from routing.solver.pairs.arrays import Day, Notes, Rounds
from routing.solver.pairs.places import INFINITE, reckon, unit
from routing.solver.pairs.ruin_repair import copy_list, forget, leave_out, repair, ruin, take_out, undo

_BLINK = 0.01
"""Chance of overlooking a place (their value)."""


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
def _try_step(day: Day, rounds: Rounds, notes: Notes, allowance: float) -> bool:
    """Ruin and repair once; return whether the rounds keep their times and the step costs less than `allowance`."""
    copy_list(rounds.absent, notes.old_absent)
    ruin(day, rounds, notes)
    sound = take_out(day, rounds, notes)
    return repair(day, rounds, notes, _BLINK, allowance) and sound


@compiled
def anneal(
    day: Day, rounds: Rounds, notes: Notes, steps: int, cost: float, best: float, warm: float, cool: float
) -> tuple[float, float]:
    """Make steps of simulated annealing, the temperature falling from `warm` to `cool`; return (cost, best cost).

    The best plan is left in `notes`.
    """
    factor = math.exp(math.log(cool / warm) / max(1, steps))
    for _ in range(steps):
        if _try_step(day, rounds, notes, -warm * math.log(max(1e-12, unit(notes)))):
            cost = total_cost(day, rounds)
            if cost < best - 1e-6:
                best = cost
                remember(rounds, notes)
        else:
            undo(day, rounds, notes)
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
                leave_out(rounds, rounds.node[chosen, j])
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
        sound = _try_step(day, rounds, notes, INFINITE)
        now, now_missed = rounds.absent[-1], _misses(rounds, notes)
        for q in range(now):
            notes.misses[rounds.absent[q]] += 1
        better = now < count or now_missed < missed
        same = now == count and now_missed == missed
        if not sound or not (better or (same and _money(rounds) < cost - warm * math.log(max(1e-12, unit(notes))))):
            undo(day, rounds, notes)
        forget(notes)
    if rounds.absent[-1] == 0:
        saved += 1
        remember(rounds, notes)
    return saved
