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
from routing.solver.echelons.network import FloatArray, Network, compile_network
from routing.solver.echelons.packing import pack_with_more
from routing.solver.echelons.relaxation import Part, Prices
from routing.solver.echelons.timing import make_plan
from routing.solver.echelons.tours import Tour, Tours, all_tours
from routing.solver.portfolio import EngineAnswer
from routing.solver.stopping import Clock

_ENUMERATION_BEAM = 20_000
_WHOLE_COLUMNS, _PART_COLUMNS = 3_000, 400
"""Columns of one choice at most: over the whole day, over a part."""
_PRECISION = 1e-6
"""Plans whose costs differ by a smaller share are equally good."""
_ROUNDED = 5.0
"""The lines of a plan's cost are rounded to whole minor units: a bound keeps that much below."""
_WHOLE_S, _WHOLE_SHARE, _PART_S = 10.0, 0.25, 2.0
"""Seconds of one choice at most: over the whole day (and at most that share of what remains), over a part."""
_WHOLE_NODES, _PART_NODES = 400, 100
"""Nodes of the search tree instead, where iterations are limited."""
_PATIENCE = 25
"""Parts planned anew in vain before the whole day is tried again."""
_WHOLE_GAP, _RETRY = 0.03, 0.8
"""The whole day is tried at gaps below that share of the cost, and again when the gap has shrunk to that share."""
_DIVE_END = 16
"""With so many orders left a dive ends and HiGHS chooses their rounds."""
_SURE = 0.85
"""Rounds of such a share are fixed together when diving; else the one of the largest share."""
_FIRST_PARTS, _LEAST_PART, _MOST_PART = (16, 30), 10, 80
"""Orders freed together: in the beginning (trucks free, trucks kept), at least and at most."""


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
    if not tours.chosen:
        return None
    run = _Run(network, tours, clock, seed)
    run.start()
    run.improve()
    best = run.best
    plan = make_plan(network, best.rounds, best.tours, best.packing)
    bound = None if run.bound is None else max(0.0, run.bound * (1.0 - _PRECISION) - _ROUNDED)
    return EngineAnswer(plan, clock.iteration, bound)


class _Run:
    """One search: the best plan so far, the pool, and the bound once there is one."""

    def __init__(self, network: Network, tours: Tours, clock: Clock, seed: int) -> None:
        self.network, self.tours, self.clock = network, tours.chosen, clock
        self.direct = [tour for tour in tours.chosen if len(tour.stations) == 1]
        self.random = random.Random(seed)  # noqa: S311 # a search, not a secret
        self.pool = Pool()
        self.generator = Generator(network, tours, self.pool)
        self.best = Found((), (), {}, float(network.unserved_cost.sum()))
        self.bound: float | None = None
        self.everything = Part(tuple(range(network.orders)))
        self.whole: Generated | None = None
        self.tried = float("inf")
        """Gap when the whole day was last closed."""
        self.size = [min(size, network.orders) for size in _FIRST_PARTS]

    def start(self) -> None:
        """Make a first plan, then one by following the prices of the whole day."""
        self._report("construction")
        rounds = first_rounds(self.network, self.direct)
        self.pool.add(rounds)
        self._choose_trucks(rounds)
        self._report("construction")
        if self.clock.finished():
            return
        self.whole = self.generator.run(self.everything, self._half_time, thorough=True)
        if self.whole is None:
            return
        if self.whole.complete:
            self.bound = self.whole.prices.value
        self._report("improvement")
        self._dive(self.whole)
        self._report("improvement")

    def improve(self) -> None:
        """Free related rounds and plan them anew, until the clock says so or the plan is proved best."""
        near = nearness(self.network)
        calm = _PATIENCE
        while not self.clock.finished():
            if calm >= _PATIENCE:
                calm = 0
                if self._close_whole():
                    self.bound = self.best.cost
                    return
            before = self.best.cost
            self._replan(near)
            calm = calm + 1 if self.best.cost >= before - _PRECISION * before else 0
            self.clock.iteration += 1
            self._report("improvement")

    def _dive(self, generated: Generated) -> None:
        """Fix the rounds the prices are surest of, price the rest anew, and so on to a whole plan."""
        fixed: list[Round] = []
        left = set(range(self.network.orders))
        while len(left) > _DIVE_END and not self.clock.interrupted():
            sure = _surest(generated.used, left)
            if not sure:
                break
            fixed += sure
            left -= {order for each in sure for order in each.orders}
            part = Part(tuple(sorted(left)), tuple(fixed))
            again = self.generator.run(part, self.clock.interrupted)
            if again is None:
                return
            generated = again
        part = Part(tuple(sorted(left)), tuple(fixed))
        self._close(part, generated, _PART_COLUMNS, self._effort(_PART_S, 1.0, _PART_NODES))

    def _replan(self, near: FloatArray) -> None:
        """Free some related rounds and choose anew among all that may be better for them.

        Every other time the trucks stay: then far larger parts are solved to the end.
        """
        keep = self.clock.iteration % 2
        freed = set(related(self.network, near, self.best.rounds, self.size[keep], self.random))
        members = self._left_out()
        members += [order for k in sorted(freed) for order in self.best.rounds[k].orders]
        kept = tuple(each for k, each in enumerate(self.best.rounds) if k not in freed)
        part = Part(tuple(sorted(members)), kept, self.best.tours if keep else None)
        generated = self.generator.run(part, self.clock.finished)
        if generated is None:
            return
        solved = self._close(part, generated, _PART_COLUMNS, self._effort(_PART_S, 1.0, _PART_NODES))
        size = self.size[keep] + (2 if solved else -2)
        self.size[keep] = min(max(_LEAST_PART, size), _MOST_PART, self.network.orders)

    def _close_whole(self) -> bool:
        """Choose among all rounds that may still close the gap of the whole day; return whether the plan is proved."""
        if self.whole is None:
            return False
        gap = self.best.cost - self.whole.prices.value
        if gap > _RETRY * self.tried or gap > _WHOLE_GAP * self.best.cost:
            return False
        self.tried = gap
        effort = self._effort(_WHOLE_S, _WHOLE_SHARE, _WHOLE_NODES)
        return self._close(self.everything, self.whole, _WHOLE_COLUMNS, effort)

    def _left_out(self) -> list[int]:
        served = {order for each in self.best.rounds for order in each.orders}
        return [order for order in range(self.network.orders) if order not in served]

    def _half_time(self) -> bool:
        return self.clock.interrupted() or (not self.clock.deterministic and self.clock.share_done() > 0.5)

    def _close(self, part: Part, generated: Generated, most: int, effort: Effort) -> bool:
        """Choose among the rounds that may close the gap of a part; return whether nothing better can exist."""
        prices = generated.prices
        gap = self.best.cost - sum(each.cost for each in part.fixed) - prices.value
        tolerance = _PRECISION * max(1.0, self.best.cost)
        if gap <= tolerance:
            return generated.complete
        rounds, all_there = self._promising(part, prices, gap, most)
        if self.clock.interrupted():
            return False
        tours = [tour for tour in self.tours if prices.reduced_tour(tour) < gap]
        answer = choose(
            self.network, part, rounds, tours, effort, links=generated.links, cancelled=self.clock.cancelled
        )
        exact = generated.complete and all_there and answer.proven and self.generator.all_tours_cost(prices, gap)
        if answer.choice is None:
            return exact
        self._take(answer.choice.rounds, answer.choice.tours)
        return exact and self.best.cost <= answer.choice.cost + tolerance

    def _promising(self, part: Part, prices: Prices, gap: float, most: int) -> tuple[list[Round], bool]:
        """Return the rounds of the part that may close the gap, at most so many, and whether these are all."""
        graphs = graphs_of(self.network, part)
        found, complete = look(self.network, graphs, prices, gap, _ENUMERATION_BEAM, most, self.clock.interrupted)
        known = Pool()
        known.add(found)
        known.add(self.pool.within(part.members))
        ranked = []
        for number, each in enumerate(known.within(part.members)):
            reduced = prices.reduced_round(each, self.network.vans[each.fleet].station)
            if reduced < gap:
                ranked.append((reduced, number, each))
        ranked.sort(key=lambda entry: entry[:2])
        return [each for _, _, each in ranked[:most]], complete and len(ranked) <= most

    def _effort(self, most_s: float, share: float, nodes: int) -> Effort:
        """Return the limits of one choice: seconds, and at most that share of what remains, or nodes."""
        if self.clock.deterministic:
            return Effort(None, nodes)
        return Effort(max(0.05, min(most_s, share * self.clock.remaining_s)), None)

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


def _surest(used: Sequence[tuple[Round, float]], left: set[int]) -> list[Round]:
    """Return the rounds to fix next, no order in two of them."""
    chosen: list[Round] = []
    taken: set[int] = set()
    ranked = sorted(used, key=lambda entry: (-entry[1], entry[0].fleet, entry[0].orders))
    for each, share in ranked:
        if chosen and share < _SURE:
            break
        if left.issuperset(each.orders) and taken.isdisjoint(each.orders):
            chosen.append(each)
            taken |= set(each.orders)
    return chosen


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
