"""A relay day without times: the cheapest rounds and tours that suffice, and so a lower bound of any plan's cost.

Chosen are rounds of couriers, so that each customer is in just one or left out at its penalty, and numbers of truck
tours with room for the goods of those rounds. Left out are buses' room and all times but those within a round that
leaves with the first bus; goods may be divided among trucks. So any plan satisfies it, whatever its number of stops.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from routing.solver.master import Choice, Columns, choose_columns
from routing.solver.relay.arrays import COUNT, LOAD, OUT, PENALTY, ROUND, STOPS, VISITS, Draft, Facts, Floats
from routing.solver.relay.day import RelayDay
from routing.solver.relay.rounds import Round, all_rounds
from routing.solver.relay.tours import Reach, Tour, best_tours, binding_sets, reach_of

_MOST_ENTRIES = 2_000_000
"""Entries of the rows on trucks' room at most."""
_Row = tuple[list[int], list[float], float, float]
"""Columns, their coefficients, lower and upper bound."""


@dataclass(frozen=True, slots=True)
class SolveLimits:
    """How long HiGHS may choose: seconds or nodes (None: no limit), or until the caller stops it."""

    seconds: float | None
    nodes: int | None
    stopped: Callable[[], bool] | None = None

    def choose(self, columns: Columns, hint: Sequence[int] | None = None) -> Choice | None:
        """Return the cheapest choice found."""
        return choose_columns(columns, self.seconds, hint=hint, nodes=self.nodes, cancelled=self.stopped)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Rounds and tours (each as often as used) chosen without times, and what no plan of the day can cost less than."""

    rounds: tuple[Round, ...]
    tours: tuple[Tour, ...]
    bound: float


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The programme of a day: first the rounds, then the tours, then one column for each customer left out."""

    day: RelayDay
    reach: Reach
    rounds: tuple[Round, ...]
    tours: tuple[Tour, ...]

    def solve(self, limits: SolveLimits, known: Draft | None = None) -> Relaxed | None:
        """Return the cheapest choice found within the limits, starting from a plan; None where none was."""
        choice = limits.choose(self._columns(), None if known is None else self._columns_of(known))
        if choice is None:
            return None
        begin, end = len(self.rounds), len(self.rounds) + len(self.tours)
        rounds = tuple(self.rounds[k] for k in choice.columns if k < begin)
        tours = tuple(self.tours[k - begin] for k in choice.columns if begin <= k < end)
        return Relaxed(rounds, tours, min(choice.bound, choice.cost))

    def _columns_of(self, draft: Draft) -> list[int]:
        """Return the columns of a plan in the making: its rounds, for its tours the cheapest that reach as much."""
        number = {(found.out, frozenset(found.customers)): k for k, found in enumerate(self.rounds)}
        visits = [row[: row[VISITS]].tolist() for row in draft.visit]
        used = [number.get((int(row[OUT]), frozenset(visit))) for row, visit in zip(draft.visit, visits, strict=True)]
        columns = [k for k in used if k is not None]
        for row in draft.tour:
            groups = 0
            for stop in row[: row[STOPS]].tolist():
                groups |= self.reach.of_stop[stop]
            fits = (k for k, tour in enumerate(self.tours) if groups and tour.groups & groups == groups)
            columns += [len(self.rounds) + k for k in itertools.islice(fits, 1)]
        left = np.flatnonzero(draft.who[:, ROUND] < 0) + len(self.rounds) + len(self.tours)
        return [*columns, *left.tolist()]

    def _columns(self) -> Columns:
        facts, rounds, tours = self.day.facts, self.rounds, self.tours
        rows = [*_customer_rows(facts, rounds, len(rounds) + len(tours)), *_courier_rows(facts, rounds)]
        trucks = range(len(rounds), len(rounds) + len(tours))
        rows.append((list(trucks), [1.0] * len(tours), -np.inf, float(len(self.day.trucks))))
        rows += _room_rows(facts, self.reach, rounds, tours)
        cost = [*(found.cost for found in rounds), *(tour.cost for tour in tours), *facts.customer[:, PENALTY].tolist()]
        most = np.ones(len(cost))
        most[trucks.start : trucks.stop] = len(self.day.trucks)
        return _programme(cost, rows, most)

    def pack(self, tours: Sequence[Tour], limits: SolveLimits) -> tuple[Round, ...] | None:
        """Return the cheapest rounds whose goods find room on given tours when no customer's goods are divided."""
        facts, rounds = self.day.facts, self.rounds
        rows = [*_customer_rows(facts, rounds, len(rounds)), *_courier_rows(facts, rounds)]
        rows += _packing_rows(facts, self.reach, rounds, tours)
        customers = len(facts.customer)
        cost = [
            *(found.cost for found in rounds),
            *facts.customer[:, PENALTY].tolist(),
            *[0.0] * (customers * len(tours)),
        ]
        choice = limits.choose(_programme(cost, rows, np.ones(len(cost))))
        return None if choice is None else tuple(rounds[k] for k in choice.columns if k < len(rounds))


def relax(day: RelayDay, leg: Floats) -> Relaxation | None:
    """Return the programme of a day with couriers' legs as in `Facts.leg`; None where rounds or tours are too many.

    Its bound holds for all plans where no leg is longer than the shortest way over other doors.
    """
    reach = reach_of(day.facts)
    rounds, tours = all_rounds(day.facts, leg), best_tours(day, reach)
    if rounds is None or tours is None:
        return None
    return Relaxation(day, reach, tuple(rounds), tuple(tours))


def _customer_rows(facts: Facts, rounds: Sequence[Round], left_out: int) -> list[_Row]:
    """Each customer is in just one round or left out: a column of the customers from `left_out` on."""
    inside: list[list[int]] = [[left_out + c] for c in range(len(facts.customer))]
    for k, found in enumerate(rounds):
        for customer in found.customers:
            inside[customer].append(k)
    return [(columns, [1.0] * len(columns), 1.0, 1.0) for columns in inside]


def _courier_rows(facts: Facts, rounds: Sequence[Round]) -> list[_Row]:
    """There are no more rounds from an out-stop than couriers."""
    used = [[k for k, found in enumerate(rounds) if found.out == out] for out in range(len(facts.courier))]
    return [
        (columns, [1.0] * len(columns), -np.inf, float(facts.courier[out, COUNT])) for out, columns in enumerate(used)
    ]


def _room_rows(facts: Facts, reach: Reach, rounds: Sequence[Round], tours: Sequence[Tour]) -> list[_Row]:
    """Trucks have room for the goods of each binding set of groups; and that rounded up to whole trucks."""
    load, room = facts.customer[:, LOAD], float(facts.truck[LOAD])
    loads = [float(load[list(found.customers)].sum()) for found in rounds]
    only = [_groups_of(facts, reach, customer) for customer in range(len(load))]
    rows: list[_Row] = []
    for groups in binding_sets(reach, _MOST_ENTRIES // (len(rounds) + len(tours))):
        trucks = [len(rounds) + k for k, tour in enumerate(tours) if tour.groups & groups]
        goods = [k for k, found in enumerate(rounds) if _reaches(reach, groups, found)]
        rows.append(([*trucks, *goods], [room] * len(trucks) + [-loads[k] for k in goods], 0.0, np.inf))
        bound_to = [c for c, reached in enumerate(only) if reached | groups == groups and load[c] <= room]
        least = math.ceil(float(load[bound_to].sum()) / room - 1e-9)
        if least > 0:  # each customer left out saves one truck at most
            columns = [*trucks, *(len(rounds) + len(tours) + c for c in bound_to)]
            rows.append((columns, [1.0] * len(columns), float(least), np.inf))
    return rows


def _groups_of(facts: Facts, reach: Reach, customer: int) -> int:
    """Return the groups (bits) of the out-stops whose couriers reach a customer."""
    groups = (reach.group[out] for out in facts.outs[customer] if out >= 0)
    return sum(1 << group for group in {group for group in groups if group >= 0})


def _packing_rows(facts: Facts, reach: Reach, rounds: Sequence[Round], tours: Sequence[Tour]) -> list[_Row]:
    """Each customer's goods are on one of the tours from which their round is reached, or left out; tours have room.

    The columns: rounds, customers left out, and customers by tours.
    """
    load, customers = facts.customer[:, LOAD].tolist(), len(facts.customer)
    begin = len(rounds) + customers
    rows: list[_Row] = []
    inside = _customer_rows(facts, rounds, len(rounds))
    for customer in range(customers):
        aboard = [begin + k * customers + customer for k in range(len(tours))]
        rows.append(([len(rounds) + customer, *aboard], [1.0] * (1 + len(tours)), 1.0, 1.0))
        for tour, column in zip(tours, aboard, strict=True):
            fits = [k for k in inside[customer][0][1:] if _reaches(reach, tour.groups, rounds[k])]
            rows.append(([column, *fits], [1.0] + [-1.0] * len(fits), -np.inf, 0.0))
    for k in range(len(tours)):
        aboard = list(range(begin + k * customers, begin + (k + 1) * customers))
        rows.append((aboard, load, -np.inf, float(facts.truck[LOAD])))
    return rows


def _reaches(reach: Reach, groups: int, found: Round) -> bool:
    group = reach.group[found.out]
    return group >= 0 and bool(groups >> group & 1)


def _programme(cost: Sequence[float], rows: Sequence[_Row], most: np.ndarray) -> Columns:
    row_of = np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])
    column_of = np.array([k for row in rows for k in row[0]], dtype=np.int64)
    values = np.array([value for row in rows for value in row[1]])
    matrix = sparse.csr_matrix((values, (row_of, column_of)), shape=(len(rows), len(cost)))
    lower, upper = (np.array([row[k] for row in rows]) for k in (2, 3))
    return Columns(np.array(cost), matrix, lower, upper, most)
