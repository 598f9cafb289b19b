"""The engine: first plan, prices, one choice over the whole day, then sub-problems until the time is over."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.model.problem import Problem
from routing.solver.echelons.choice import Effort, choose
from routing.solver.echelons.columns import Pool, Round, measured_round
from routing.solver.echelons.construction import first_rounds
from routing.solver.echelons.generation import Generated, Generator, graphs_of, look
from routing.solver.echelons.neighbourhood import nearness, related
from routing.solver.echelons.network import Network, compile_network
from routing.solver.echelons.packing import pack_with_more
from routing.solver.echelons.relaxation import Part, Prices
from routing.solver.echelons.timing import make_plan
from routing.solver.echelons.tours import Tour, all_tours
from routing.solver.portfolio import EngineAnswer
from routing.solver.stopping import Clock

_ENUMERATION_BEAM = 60_000
_MOST_ROUNDS = 30_000
"""Rounds of one fleet and slot looked at when closing the gap."""
_WHOLE_COLUMNS, _PART_COLUMNS = (400, 1_500, 5_000), (250, 1_000)
"""Columns of one choice at most, choice after choice: over the whole day, over a part."""
_PRECISION = 1e-6
"""Plans whose costs differ by a smaller share are equally good."""
_WHOLE_S, _WHOLE_SHARE, _PART_S = 10.0, 0.25, 2.0
"""Seconds of one choice at most: over the whole day (and at most that share of what remains), over a part."""
_WHOLE_NODES, _PART_NODES = 400, 100
"""Nodes of the search tree instead, where iterations are limited."""
_FIRST_PART, _LEAST_PART, _MOST_PART = 24, 12, 60
"""Orders freed together, in the beginning, at least and at most."""


@dataclass(frozen=True, eq=False)
class Found:
    """A plan in columns: rounds, tours, which tour brings which order, and what all of it costs."""

    rounds: tuple[Round, ...]
    tours: tuple[Tour, ...]
    packing: dict[int, int]
    cost: float


def plan_echelons(problem: Problem, clock: Clock, seed: int) -> EngineAnswer | None:
    """Plan a day of two echelons; the engine's entry (see `engine`)."""
    network = compile_network(problem)
    tours = all_tours(network)
    if not tours:
        return None
    run = _Run(network, tours, clock, seed)
    run.start()
    run.improve()
    best = run.best
    plan = make_plan(network, best.rounds, best.tours, best.packing)
    return EngineAnswer(plan, clock.iteration, run.bound)


class _Run:
    """One search: the best plan so far, the pool, and the bound once there is one."""

    def __init__(self, network: Network, tours: Sequence[Tour], clock: Clock, seed: int) -> None:
        self.network, self.tours, self.clock = network, tours, clock
        self.direct = [tour for tour in tours if len(tour.stations) == 1]
        self.random = random.Random(seed)  # noqa: S311 # a search, not a secret
        self.pool = Pool()
        self.generator = Generator(network, tours, self.pool)
        self.best = Found((), (), {}, float(network.unserved_cost.sum()))
        self.bound: float | None = None
        self.proven = False
        self.size = min(_FIRST_PART, network.orders)

    def start(self) -> None:
        """Make a first plan, then one choice over the whole day with all prices known."""
        self._report("construction")
        rounds = first_rounds(self.network, self.direct)
        self.pool.add(rounds)
        everything = Part(tuple(range(self.network.orders)))
        self._choose_trucks(rounds)
        self._report("construction")
        if self.clock.finished():
            return
        generated = self.generator.run(everything, self._half_time)
        if generated is None:
            return
        if generated.complete:
            self.bound = generated.prices.value
        self.proven = self._close(everything, generated, whole=True)
        if self.proven:
            self.bound = self.best.cost

    def improve(self) -> None:
        """Free related rounds and plan them anew, until the clock says so or the plan is proved best."""
        near = nearness(self.network)
        while not self.proven and not self.clock.finished():
            freed = set(related(self.network, near, self.best.rounds, self.size, self.random))
            members = self._left_out()
            members += [order for k in sorted(freed) for order in self.best.rounds[k].orders]
            kept = tuple(each for k, each in enumerate(self.best.rounds) if k not in freed)
            part = Part(tuple(sorted(members)), kept)
            generated = self.generator.run(part, self.clock.finished)
            if generated is not None:
                solved = self._close(part, generated, whole=False)
                self._resize(solved)
            self.clock.iteration += 1
            self._report("improvement")

    def _resize(self, solved: bool) -> None:
        """Free a little more after a part solved to the end, less after one that was too large."""
        step = 1 if solved else -4
        self.size = min(max(_LEAST_PART, self.size + step), _MOST_PART, self.network.orders)

    def _left_out(self) -> list[int]:
        served = {order for each in self.best.rounds for order in each.orders}
        return [order for order in range(self.network.orders) if order not in served]

    def _half_time(self) -> bool:
        return self.clock.interrupted() or (not self.clock.deterministic and self.clock.share_done() > 0.5)

    def _close(self, part: Part, generated: Generated, *, whole: bool) -> bool:
        """Choose among the rounds that may close the gap of a part; return whether nothing better can exist.

        A small choice first: it makes the gap so small that the next one is among few rounds, or all that matter.
        """
        sizes = _WHOLE_COLUMNS if whole else _PART_COLUMNS
        constant = sum(each.cost for each in part.fixed)
        graphs = graphs_of(self.network, part)
        known = True
        for stage, most in enumerate(sizes):
            gap = self.best.cost - constant - generated.prices.value
            if gap <= _PRECISION * max(1.0, self.best.cost):
                return generated.complete
            if stage > 0 and not self.clock.finished():
                found, known = look(self.network, graphs, generated.prices, gap, _ENUMERATION_BEAM, _MOST_ROUNDS)
                self.pool.add(found)
            rounds, all_there = self._promising(part, generated.prices, gap, most)
            proven = self._choose(part, generated, rounds, gap, self._effort(whole))
            if stage > 0 and all_there and proven:
                return known and generated.complete
            if self.clock.finished():
                break
        return False

    def _promising(self, part: Part, prices: Prices, gap: float, most: int) -> tuple[list[Round], bool]:
        """Return the rounds of the part that may close the gap, at most so many, and whether these are all."""
        ranked = []
        for number, each in enumerate(self.pool.within(part.members)):
            reduced = prices.reduced_round(each, self.network.vans[each.fleet].station)
            if reduced < gap:
                ranked.append((reduced, number, each))
        ranked.sort(key=lambda entry: entry[:2])
        return [each for _, _, each in ranked[:most]], len(ranked) <= most

    def _choose(self, part: Part, generated: Generated, rounds: Sequence[Round], gap: float, effort: Effort) -> bool:
        """Let HiGHS choose; keep what it finds. Return whether no better plan of these columns exists."""
        tours = [tour for tour in self.tours if generated.prices.reduced_tour(tour) < gap]
        answer = choose(
            self.network, part, rounds, tours, effort,
            links=generated.links, below=self.best.cost, cancelled=self.clock.cancelled,
        )  # fmt: skip
        if answer.choice is None:
            return answer.proven
        self._take(answer.choice.rounds, answer.choice.tours)
        return answer.proven and self.best.cost <= answer.choice.cost + _PRECISION * max(1.0, self.best.cost)

    def _effort(self, whole: bool) -> Effort:
        if self.clock.deterministic:
            return Effort(None, _WHOLE_NODES if whole else _PART_NODES)
        most_s = min(_WHOLE_S, _WHOLE_SHARE * self.clock.remaining_s) if whole else _PART_S
        return Effort(max(0.05, min(most_s, self.clock.remaining_s)), None)

    def _choose_trucks(self, rounds: Sequence[Round]) -> None:
        """Take rounds as they are, with the cheapest trucks for them."""
        left = set(range(self.network.orders)) - {order for each in rounds for order in each.orders}
        part = Part(tuple(sorted(left)), tuple(rounds))
        effort = Effort(None if self.clock.deterministic else 1.0, 50)
        choice = choose(self.network, part, (), self.tours, effort, cancelled=self.clock.cancelled).choice
        self._take(rounds, () if choice is None else choice.tours)

    def _take(self, rounds: Sequence[Round], tours: Sequence[Tour]) -> None:
        """Keep rounds and tours as the best plan if they are, after every order has its truck and only one van."""
        single = _without_repeats(self.network, rounds)
        if single is None:
            return
        self.pool.add(single)
        packed = pack_with_more(self.network, single, tours, self.direct)
        if packed is None:
            return
        tours, packing = packed
        tours, packing = _used_only(tours, packing)
        left = set(range(self.network.orders)) - {order for each in single for order in each.orders}
        cost = sum(each.cost for each in single) + sum(tour.cost for tour in tours)
        cost += float(self.network.unserved_cost[sorted(left)].sum())
        if cost < self.best.cost - 1e-6:
            self.best = Found(tuple(single), tuple(tours), packing, cost)

    def _report(self, stage: str) -> None:
        self.clock.report(stage, self.best.cost, sum(len(each.orders) for each in self.best.rounds))


def _without_repeats(network: Network, rounds: Sequence[Round]) -> list[Round] | None:
    """Take orders out of all but one of their rounds, where it saves most; None where windows do not allow it."""
    result = list(rounds)
    while True:
        at: dict[int, list[int]] = {}
        for k, each in enumerate(result):
            for order in each.orders:
                at.setdefault(order, []).append(k)
        repeated = next((order for order in sorted(at) if len(at[order]) > 1), None)
        if repeated is None:
            return result
        shorter = [(k, _without(network, result[k], repeated)) for k in at[repeated]]
        possible = [(each.cost - result[k].cost, k, each) for k, each in shorter if each is not None]
        if len(result[shorter[0][0]].orders) == 1:  # a round of this order alone
            result.pop(shorter[0][0])
            continue
        if not possible:
            return None
        _, k, each = min(possible, key=lambda entry: entry[:2])
        result[k] = each


def _without(network: Network, each: Round, order: int) -> Round | None:
    return measured_round(network, each.fleet, [other for other in each.orders if other != order])


def _used_only(tours: Sequence[Tour], packing: Mapping[int, int]) -> tuple[list[Tour], dict[int, int]]:
    """Leave out the tours that bring nothing."""
    used = sorted(set(packing.values()))
    number = {k: position for position, k in enumerate(used)}
    return [tours[k] for k in used], {order: number[k] for order, k in packing.items()}
