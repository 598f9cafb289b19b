"""Slack induction by string removals over vehicles' days, compiled.

Method: Christiaens and Vanden Berghe (2020), Slack induction by string removals for vehicle routing problems,
Transportation Science 54(2), 417-433, https://doi.org/10.1287/trsc.2019.0914: strings of neighbouring clients are
taken out and put back greedily with blinks, under simulated annealing. Added here: days of several rounds with goods
released at the base over the day, the rest of two vehicles' days exchanged, clients that may be left out, insertion
only beside near clients.
"""

from __future__ import annotations

import numpy as np

from routing.solver.machine_code import compiled
from routing.solver.rounds_pool.day_rows import Days, Figures, IntArray, save, total_cost
from routing.solver.rounds_pool.recreate import place, sort_absent
from routing.solver.rounds_pool.ruin import mean_round, ruin, swap_tails
from routing.solver.rounds_pool.scratch import ABSENT, LEFT, MOVE, SAVED, Scratch, draw, restore

_REMOVED, _REMOVED_OF_SEVERAL = 15.0, 10.0
"""Clients removed on average, which is the longest string too: ten as published where vehicles make several (short)
rounds; where they make one, 15 came 0.6 % closer to the best known in the same time (200 to 1,000 orders)."""
_EMPTIED_PER_CLIENT, _MOST_EMPTIED = 0.003, 0.1
"""Where vehicles make one round: share of moves that empty a round, by the clients of a mean round. Strings hardly ever
empty a long one; with the tenth, 1,000 orders in clusters ended 0.3 % from the best known instead of 1.4 (20 s)."""
_TAILS = 0.2
"""Share of moves that first exchange the rest of the day of two vehicles."""
_EPSILON = 1e-6


@compiled
def _try_move(
    f: Figures, d: Days, s: Scratch, extent: tuple[float, float, float], plain: bool, several: bool, allowance: float
) -> float:
    """Change the days by one move; return what that adds to the cost, clients left out counted at their soft price.

    `extent` tells how much is taken out: longest string, clients, chance of a whole round.

    Days that do not fit any more add infinitely much, and so does a move that costs more than `allowance` before all
    clients are back: where ways obey the triangle inequality, clients put into rounds never make them cheaper.
    """
    s.counters[MOVE] += 1
    s.counters[SAVED] = 0
    if several and draw(s.random) < _TAILS:
        swap_tails(f, d, s)
    if not ruin(f, d, s, extent[0], extent[1], extent[2]):
        return np.inf
    more = 0.0
    for t in range(s.counters[SAVED]):
        v = s.log[t]
        more += d.worth[v] - s.worth[v]
    for t in range(s.counters[LEFT]):
        more -= f.soft_cost[s.left[t]]
    sort_absent(f, s)
    for t in range(s.counters[ABSENT]):
        more += place(f, d, s, s.absent[t], plain)
        if more >= allowance:
            return np.inf
    return more


@compiled
def _undo(f: Figures, d: Days, s: Scratch) -> None:
    """Take the last move back."""
    for t in range(s.counters[ABSENT]):
        d.vehicle[s.absent[t]] = -1
    for t in range(s.counters[SAVED]):
        restore(f, d, s, s.log[t])


@compiled
def _note_left(d: Days, s: Scratch) -> None:
    """List the clients that the last move leaves out: others than those absent in it are none."""
    s.counters[LEFT] = 0
    for t in range(s.counters[ABSENT]):
        if d.vehicle[s.absent[t]] < 0:
            s.left[s.counters[LEFT]] = s.absent[t]
            s.counters[LEFT] += 1


@compiled
def search(
    f: Figures,
    d: Days,
    s: Scratch,
    best_stops: IntArray,
    best_size: IntArray,
    best_cost: float,
    moves: int,
    heat: float,
) -> float:
    """Make `moves` moves at the temperature `heat` (in money); return the best cost.

    The days go on from `d`; the best found are kept in `best_stops`, `best_size` if cheaper than `best_cost`.
    """
    cost, several, n = total_cost(f, d), False, len(f.early)
    for k in range(len(f.rounds)):
        several = several or f.rounds[k] > 1
    plain = not several
    for c in range(n):
        s.absent[c] = c
        plain = plain and f.release[c] <= 0
    s.counters[ABSENT] = n
    _note_left(d, s)
    removed = _REMOVED_OF_SEVERAL if several else _REMOVED
    mean = mean_round(f, d)
    emptied = 0.0 if several else min(_EMPTIED_PER_CLIENT * mean, _MOST_EMPTIED)
    extent = (min(removed, mean), removed, emptied)
    for _ in range(moves):
        allowance = -heat * np.log(max(1e-300, draw(s.random)))
        more = _try_move(f, d, s, extent, plain, several, allowance)
        if more >= allowance:
            _undo(f, d, s)
            continue
        cost += more
        _note_left(d, s)
        true_cost = cost
        for t in range(s.counters[LEFT]):
            true_cost += f.left_cost[s.left[t]] - f.soft_cost[s.left[t]]
        if true_cost < best_cost - _EPSILON:
            best_cost = true_cost
            for v in range(len(f.kind)):
                save(d, v, best_stops, best_size)
    return best_cost
