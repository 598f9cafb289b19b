"""Destroy and repair on a plan in arrays: related jobs leave their carriers and find other itineraries.

Slack induction in the manner of Christiaens and Vanden Berghe (2020): a handful of related jobs is taken out and put
back greedily, in an order drawn at random and with an occasional blink; worse plans are accepted with a probability
that falls with the temperature (simulated annealing).
"""

from __future__ import annotations

import math

import numpy as np

from routing.solver.arrays.changes import is_listed, place, remove, warm_jobs
from routing.solver.arrays.layout import (
    E_BEST,
    E_TOTAL,
    F_BASE,
    J_CHAINS,
    J_CHAINS_END,
    JF_BOXED_KG,
    JF_FIRST,
    JF_HANDLING,
    JF_SPREAD,
    JF_UNSERVED,
    M_GROW,
    M_KNOWN,
    M_SERVED,
    M_TOUCHED,
    O_COUNT,
    Q_LEGS,
    T_BOXED,
    T_CARRIER,
    T_LEG,
    T_LOAD,
    T_UNLOAD,
    X_CARRIER,
    Best,
    Cooling,
    Facts,
    Sheet,
)
from routing.solver.arrays.sites import propose
from routing.solver.arrays.undo import begin, commit, job_of, rides_of, rollback
from routing.solver.boards import STOPS
from routing.solver.day_loops import BEGINS, PLACE, IntArray
from routing.solver.improvement import COOLINGS, KEEP_OTHER, KEEP_WON, MEAN_REMOVED, TRIES, WAITING
from routing.solver.machine_code import compiled, inner, merged
from routing.solver.sorting import sort_by_key

_MOST_REMOVED = 60
_LEFT_OUT = 3
"""Unserved jobs nearby that are tried along with those taken out."""
_ROUNDS, _STRING, _CARRIER = 3, 10, 30
"""Rounds that strings are taken from, jobs of a string, and jobs of an emptied carrier at most."""
_SPECULATION = (1.0, 1.0, 1.5, 4.0, math.inf)
"""How much more than being left out a job may cost when put back: later jobs may share the new round."""
_MOVE, _TRIAL, _PLACING = 1, 2, 3
"""Savepoints."""
_ABSENT, _REMOVED, _WARM, _MATES, _CHAINS = range(1, 6)
"""Rows of `Sheet.lines`; row 0 is for passing on times."""
_SMALL = 1e-6


# --- Chance ----------------------------------------------------------------------------------------------------------


@inner
def _draw(sheet: Sheet) -> float:
    """Return a number from [0, 1), by SplitMix64 (Steele, Lea and Flood 2014)."""
    sheet.random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = sheet.random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@inner
def _below(sheet: Sheet, count: int) -> int:
    """Return a whole number from 0 to `count` - 1."""
    return min(int(_draw(sheet) * count), count - 1)


# --- Repair ----------------------------------------------------------------------------------------------------------


@inner
def _insert(facts: Facts, sheet: Sheet, job: int, limit: float, blink: bool) -> bool:
    """Put a job into the plan by its cheapest chain that holds; return whether it was placed."""
    chains, count = sheet.lines[_CHAINS], 0
    for chain in range(facts.jobs[job, J_CHAINS], facts.jobs[job, J_CHAINS_END]):
        if sheet.allowed[chain] and (not blink or _draw(sheet) < (KEEP_WON if sheet.won[chain] else KEEP_OTHER)):
            chains[count] = chain
            count += 1
    rides = rides_of(sheet)
    for _ in range(TRIES):
        delta, at, option = _cheapest(facts, sheet, job, count, limit, rides, False)
        if option < 0:
            return False
        sheet.least[job] = min(sheet.least[job], delta)
        placed = _place(facts, sheet, job, option, delta, count)
        if placed >= 0:
            sheet.won[placed] = True
            return True
        for k in range(at, count - 1):
            chains[k] = chains[k + 1]
        count -= 1
    return False


@inner
def _cheapest(
    facts: Facts, sheet: Sheet, job: int, count: int, limit: float, row: int, fresh: bool
) -> tuple[float, int, int]:
    """Return what the cheapest option of the chains listed adds, its chain's position, and the option (-1: none).

    Its sites are written to the rows from `row` on.
    """
    best, at, found = limit, -1, -1
    sheet.marks[0, M_KNOWN] = 0
    for k in range(count):
        chain = sheet.lines[_CHAINS, k]
        for option in range(facts.chains[chain], facts.chains[chain + 1]):
            delta = propose(facts, sheet, job, option, best, 0, fresh)
            if delta < best:
                best, at, found = delta, k, option
                for leg in range(facts.options[option, O_COUNT]):
                    for column in range(sheet.sites.shape[1]):
                        sheet.sites[row + leg, column] = sheet.sites[leg, column]
    return best, at, found


@merged
def _place(facts: Facts, sheet: Sheet, job: int, option: int, delta: float, count: int) -> int:
    """Place a job as proposed, or in a new round where waiting, which no proposal counts, makes that cheaper.

    Return the chain it rides by then, -1 where it could not be placed.
    """
    rides = rides_of(sheet)
    begin(sheet, _TRIAL)
    extra = _extra_cost(facts, sheet, job, option, rides)
    if extra <= delta * WAITING:
        commit(sheet, _TRIAL)
        return _chain_of(facts, job, option)
    if extra == math.inf:
        rollback(facts, sheet, _TRIAL)
        return -1
    rollback(facts, sheet, _TRIAL)
    _, _, other = _cheapest(facts, sheet, job, count, extra, 2 * rides, True)
    if other >= 0:
        begin(sheet, _TRIAL)
        if _extra_cost(facts, sheet, job, other, 2 * rides) < extra:
            commit(sheet, _TRIAL)
            return _chain_of(facts, job, other)
        rollback(facts, sheet, _TRIAL)
    return _chain_of(facts, job, option) if place(facts, sheet, job, option, rides, _TRIAL) else -1


@inner
def _extra_cost(facts: Facts, sheet: Sheet, job: int, option: int, row: int) -> float:
    """Put a job on its sites and return what that really adds, waiting included; infinite where it fails."""
    before, after, legs = 0.0, 0.0, facts.options[option, O_COUNT]
    for k in range(legs):
        before += sheet.cost[sheet.sites[row + k, X_CARRIER]]
    if not place(facts, sheet, job, option, row, _PLACING):
        return math.inf
    for k in range(legs):
        after += sheet.cost[sheet.sites[row + k, X_CARRIER]]
    return float(after - before + facts.job_sizes[job, JF_HANDLING] * (legs - 1))


@inner
def _chain_of(facts: Facts, job: int, option: int) -> int:
    chain = facts.jobs[job, J_CHAINS]
    while facts.chains[chain + 1] <= option:
        chain += 1
    return int(chain)


# --- Destroy ---------------------------------------------------------------------------------------------------------


@inner
def _choose_removed(facts: Facts, sheet: Sheet) -> int:
    """List the jobs to take out and put back, served or not: neighbours, rounds, a carrier, or a few at random."""
    count = min(1 + int(-math.log(1.0 - _draw(sheet)) * MEAN_REMOVED), _MOST_REMOVED)
    seed, draw = sheet.seeds[_below(sheet, sheet.seeds.shape[0])], _draw(sheet)
    if draw < 0.55:
        return _neighbourhood(sheet, seed, count)
    if draw < 0.75:
        return _round_mates(facts, sheet, seed, count)
    if draw < 0.9:
        return _carrier_mates(facts, sheet, seed)
    found = 0
    for _ in range(count):
        found = _list_job(sheet, _ABSENT, found, sheet.seeds[_below(sheet, sheet.seeds.shape[0])])
    return found


@inner
def _list_job(sheet: Sheet, row: int, count: int, job: int) -> int:
    """Add a job to a list unless it is there; return the new length."""
    if is_listed(sheet, row, count, job):
        return count
    sheet.lines[row, count] = job
    return count + 1


@inner
def _neighbourhood(sheet: Sheet, seed: int, count: int) -> int:
    found, near = 0, sheet.near[seed]
    for k in range(min(2 * count, near.shape[0])):
        if near[k] < 0 or found == count:
            break
        if k == 0 or _draw(sheet) < 0.6:
            sheet.lines[_ABSENT, found] = near[k]
            found += 1
    return found


@inner
def _list_mates(facts: Facts, sheet: Sheet, carrier: int) -> int:
    """List the jobs on a carrier in the order of their stops; return how many."""
    count, vehicles = sheet.loaded[carrier], sheet.figures.shape[0]
    for k in range(count):
        task = sheet.lists[carrier, k]
        sheet.lines[_MATES, k] = job_of(sheet, task)
        at = sheet.tasks[task, T_LOAD]
        if carrier < vehicles:
            place = sheet.times[carrier, PLACE, at]
            if place == facts.fleets[sheet.fleet_of[carrier], F_BASE]:
                at = sheet.tasks[task, T_UNLOAD]
        sheet.line_sizes[0, k] = at
    sort_by_key(sheet.lines[_MATES], sheet.line_sizes[0], count)
    return int(count)


@inner
def _round_mates(facts: Facts, sheet: Sheet, seed: int, count: int) -> int:
    """List strings of jobs from the rounds that the seed's neighbours ride."""
    vehicles, rides, found, seen = sheet.figures.shape[0], rides_of(sheet), 1, 0
    sheet.lines[_ABSENT, 0] = seed
    for k in range(sheet.near.shape[1]):
        job = sheet.near[seed, k]
        if job < 0 or seen >= _ROUNDS or found >= 3 * count:
            break
        for task in range(job * rides, job * rides + sheet.ridden[job, Q_LEGS]):
            carrier = sheet.tasks[task, T_CARRIER]
            if carrier >= vehicles or is_listed(sheet, _REMOVED, seen, carrier):
                continue
            sheet.lines[_REMOVED, seen] = carrier
            seen += 1
            mates, at = _list_mates(facts, sheet, carrier), 0
            length = 1 + _below(sheet, min(mates, _STRING))
            while sheet.lines[_MATES, at] != job:
                at += 1
            start = max(0, min(at - _below(sheet, length), mates - length))
            for m in range(start, start + length):
                found = _list_job(sheet, _ABSENT, found, sheet.lines[_MATES, m])
    return found


@inner
def _carrier_mates(facts: Facts, sheet: Sheet, seed: int) -> int:
    """List all jobs of one carrier, at most 30, those after a random start, to empty it."""
    legs = sheet.ridden[seed, Q_LEGS]
    sheet.lines[_ABSENT, 0] = seed
    if legs == 0:
        return 1
    carrier = sheet.tasks[seed * rides_of(sheet) + _below(sheet, legs), T_CARRIER]
    mates = _list_mates(facts, sheet, carrier)
    start = _below(sheet, mates) if mates > _CARRIER else 0
    count = min(mates, _CARRIER)
    for k in range(count):
        sheet.lines[_ABSENT, k] = sheet.lines[_MATES, (start + k) % mates]
    return count


@inner
def _left_out(facts: Facts, sheet: Sheet, count: int) -> int:
    """Add a few unserved jobs that are near those taken out to the list, to try them again; return its length."""
    if sheet.marks[0, M_SERVED] == sheet.seeds.shape[0]:
        return count
    near, more = sheet.near[sheet.lines[_ABSENT, 0]], 0
    for k in range(near.shape[0]):
        job = near[k]
        if job < 0 or more == _LEFT_OUT:
            break
        if sheet.ridden[job, Q_LEGS] == 0 and facts.jobs[job, J_CHAINS] < facts.jobs[job, J_CHAINS_END]:
            longer = _list_job(sheet, _ABSENT, count, job)
            more += longer - count
            count = longer
    return count


@inner
def _shuffle(facts: Facts, sheet: Sheet, count: int) -> None:
    """Order the list for insertion: at random, heavy first, far first, near first or tight first."""
    jobs, keys = sheet.lines[_ABSENT], sheet.line_sizes[0]
    for k in range(count - 1, 0, -1):
        other = _below(sheet, k + 1)
        jobs[k], jobs[other] = jobs[other], jobs[k]
    draw = _draw(sheet)
    if draw < 0.4:
        return
    for k in range(count):
        sizes = facts.job_sizes[jobs[k]]
        if draw < 0.6:
            keys[k] = -sizes[JF_BOXED_KG]
        elif draw < 0.8:
            keys[k] = -sizes[JF_FIRST]
        elif draw < 0.9:
            keys[k] = sizes[JF_FIRST]
        else:
            keys[k] = sizes[JF_SPREAD]
    sort_by_key(jobs, keys, count)


# --- The loop --------------------------------------------------------------------------------------------------------


@inner
def _cool(facts: Facts, sheet: Sheet) -> bool:
    """Take out cold jobs that other insertions have made too warm, trying them elsewhere; return whether times hold."""
    for attempt in range(COOLINGS):
        count = warm_jobs(facts, sheet, _WARM)
        if count == 0:
            return True
        if not remove(facts, sheet, _WARM, count):
            return False
        if attempt == 0:
            for k in range(count):
                job = sheet.lines[_WARM, k]
                _insert(facts, sheet, job, facts.job_sizes[job, JF_UNSERVED], False)
    return warm_jobs(facts, sheet, _WARM) == 0


@merged
def _put_back(facts: Facts, sheet: Sheet, count: int, growth: float) -> bool:
    """Insert the jobs listed while the plan's cost may still end up having grown by less than `growth`.

    Return whether it may. One of `_SPECULATION`, drawn at random, times its price of being left out is what a job may
    cost. The jobs still to come are expected to cost the least they ever did, or their price of being left out.
    """
    factor, unserved, to_come = _SPECULATION[_below(sheet, len(_SPECULATION))], 0.0, 0.0
    for k in range(count):
        job = sheet.lines[_ABSENT, k]
        price = facts.job_sizes[job, JF_UNSERVED]
        unserved += price
        to_come += min(price, _expected(sheet, job))
    room = growth - sheet.money[E_TOTAL] + sheet.money[_MOVE] + unserved - to_come
    for k in range(count):
        if room <= 0.0:
            return False
        job = sheet.lines[_ABSENT, k]
        price = facts.job_sizes[job, JF_UNSERVED]
        expected = min(price, _expected(sheet, job))
        _insert(facts, sheet, job, min(price * factor, room + expected), True)
        unserved -= price
        to_come -= expected
        room = growth - sheet.money[E_TOTAL] + sheet.money[_MOVE] + unserved - to_come
    return bool(room > 0.0)


@inner
def _expected(sheet: Sheet, job: int) -> float:
    """Return the least putting a job back was ever expected to cost, 0 where it never was."""
    return float(sheet.least[job]) if sheet.least[job] < math.inf else 0.0


@merged
def _step(facts: Facts, sheet: Sheet, temperature: float) -> bool:
    """Make one move on the plan and keep it or not; return whether it was kept.

    What the plan may grow by is drawn first: a job may cost no more than that leaves, and where it leaves nothing the
    move ends at once.
    """
    begin(sheet, _MOVE)
    count, served = _choose_removed(facts, sheet), 0
    for k in range(count):
        job = sheet.lines[_ABSENT, k]
        if sheet.ridden[job, Q_LEGS] > 0:
            sheet.lines[_REMOVED, served] = job
            served += 1
    if not remove(facts, sheet, _REMOVED, served):
        rollback(facts, sheet, _MOVE)
        return False
    count = _left_out(facts, sheet, count)
    _shuffle(facts, sheet, count)
    growth = -temperature * math.log(max(1e-300, _draw(sheet)))
    sound = _put_back(facts, sheet, count, growth) and _cool(facts, sheet)
    if sound and sheet.money[E_TOTAL] - sheet.money[_MOVE] < growth:
        commit(sheet, _MOVE)
        return True
    rollback(facts, sheet, _MOVE)
    return False


@inner
def _note_best(sheet: Sheet, best: Best) -> None:
    """Copy what changed since the best plan before."""
    carriers, rides = sheet.cost.shape[0], rides_of(sheet)
    for carrier in range(carriers):
        if sheet.changed[carrier]:
            sheet.changed[carrier] = False
            _note_carrier(sheet, best, carrier)
    for job in range(sheet.ridden.shape[0]):
        if sheet.changed[carriers + job]:
            sheet.changed[carriers + job] = False
            for column in range(2):
                best.ridden[job, column] = sheet.ridden[job, column]
            for task in range(job * rides, (job + 1) * rides):
                best.tasks[task, T_LEG] = sheet.tasks[task, T_LEG]


@inner
def _note_carrier(sheet: Sheet, best: Best, carrier: int) -> None:
    vehicles = sheet.figures.shape[0]
    best.loaded[carrier] = sheet.loaded[carrier]
    for k in range(sheet.loaded[carrier]):
        task = sheet.lists[carrier, k]
        best.lists[carrier, k] = task
        for column in range(T_CARRIER, T_BOXED + 1):
            best.tasks[task, column] = sheet.tasks[task, column]
    if carrier < vehicles:
        best.stops[carrier] = sheet.figures[carrier, STOPS]
        for k in range(sheet.figures[carrier, STOPS]):
            best.times[carrier, PLACE, k] = sheet.times[carrier, PLACE, k]
            best.times[carrier, BEGINS, k] = sheet.times[carrier, BEGINS, k]
    elif carrier < vehicles + sheet.flown.shape[0]:
        drone = carrier - vehicles
        best.flown[drone] = sheet.flown[drone]
        for k in range(sheet.flown[drone]):
            for column in range(5):
                best.sorties[drone, k, column] = sheet.sorties[drone, k, column]
            for way in range(2):
                best.energies[drone, k, way] = sheet.energies[drone, k, way]


@compiled
def note_plan(sheet: Sheet, best: Best) -> None:
    """Copy what of the plan changed since this was done before."""
    _note_best(sheet, best)


@compiled
def insert_all(facts: Facts, sheet: Sheet, best: Best, jobs: IntArray, first: int) -> int:
    """Insert jobs, those that ride already left out, one after the other, from a position on; keep the best plan.

    Return how many positions were come to: fewer than there are where arrays are too small.
    """
    for k in range(first, jobs.shape[0]):
        job = jobs[k]
        if sheet.ridden[job, Q_LEGS] == 0:
            begin(sheet, _MOVE)
            _insert(facts, sheet, job, math.inf, False)
            commit(sheet, _MOVE)
        if sheet.marks[0, M_GROW] != 0:
            return k
    begin(sheet, _MOVE)
    for carrier in range(sheet.cost.shape[0]):
        sheet.touched[carrier] = carrier
    sheet.marks[0, M_TOUCHED] = sheet.cost.shape[0]
    if _cool(facts, sheet):
        commit(sheet, _MOVE)
    else:
        rollback(facts, sheet, _MOVE)
    if sheet.money[E_TOTAL] < sheet.money[E_BEST] - _SMALL:
        _note_best(sheet, best)
        sheet.money[E_BEST] = sheet.money[E_TOTAL]
    return int(jobs.shape[0])


@compiled
def make_moves(facts: Facts, sheet: Sheet, best: Best, first: int, count: int, cooling: Cooling) -> int:
    """Make moves and keep the best plan; return how many were made: fewer than `count` where arrays are too small.

    `first` is the number of the first of them. The temperature hangs on the number of the move and the plan's cost
    alone, not on how moves are dealt out to calls.
    """
    for made in range(count):
        share = min(1.0, cooling.share + (first + made) * cooling.more)
        temperature = (cooling.rest + sheet.money[E_TOTAL]) * cooling.heat * cooling.end**share
        if _step(facts, sheet, temperature) and sheet.money[E_TOTAL] < sheet.money[E_BEST] - _SMALL:
            _note_best(sheet, best)
            sheet.money[E_BEST] = sheet.money[E_TOTAL]
        if sheet.marks[0, M_GROW] != 0:
            return made + 1
    return count
