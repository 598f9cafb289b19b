"""The relay engine against a second, exhaustive search on tiny instances, written from the family's rules alone."""

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from routing.instances.threetier import read_instance
from routing.instances.threetier_file import ThreeTierFile, read_files
from routing.solver.relay.engine import ENGINE
from routing.solver.stopping import Clock, Limits
from tests.three_tier_files import write_random

EPS = 1.5e-3


class Brute:
    """Every partition into rounds, every assignment of rides, every partition into tours; minutes and lengths."""

    def __init__(self, raw: ThreeTierFile) -> None:
        self.raw, self.names = raw, list(raw.customers)
        self.times = {}
        for name, line in raw.lines.items():
            time, before = line.first, None
            for stop in (*line.ins, *line.outs):
                time += 0.2 * self.gap(before, stop) if before else 0.0
                self.times[name, stop], before = time, stop

    def at(self, name: str) -> tuple[float, float]:
        found = self.raw.customers.get(name) or self.raw.stops.get(name)
        return (found.x, found.y) if found else self.raw.centre

    def gap(self, here: str, there: str) -> float:
        return math.dist(self.at(here), self.at(there))

    def length(self, names: list[str]) -> int:
        return sum(int(self.gap(a, b)) for a, b in itertools.pairwise(names))

    def call(self, line: str, run: int, stop: str) -> float:
        return self.times[line, stop] + run * self.raw.lines[line].headway

    def rides(self, customer: str) -> Iterator[tuple[str, int, str, str]]:
        """Yield (line, run, in-stop, out-stop)."""
        for name, line in self.raw.lines.items():
            for stop, out in itertools.product(line.ins, line.outs):
                if stop in self.raw.reached and out in self.raw.customers[customer].outs:
                    yield from ((name, run, stop, out) for run in range(line.runs))

    def courier_cost(self, group: tuple[str, ...], rides: dict) -> float:
        out = rides[group[0]][3]
        load = sum(self.raw.customers[c].load for c in group)
        if any(rides[c][3] != out for c in group) or load > self.raw.courier_load:
            return math.inf
        ready = [self.call(rides[c][0], rides[c][1], out) for c in group]
        if max(ready) > min(ready) + self.raw.stops[out].wait + EPS:
            return math.inf
        best = math.inf
        for order in itertools.permutations(group):
            time, here = max(ready), out
            for c in order:
                time = max(time + 0.2 * self.gap(here, c), self.raw.customers[c].earliest)
                here = c
                if time > self.raw.customers[c].latest + EPS:
                    break
            else:
                best = min(best, self.length([out, *order, out]))
        return best

    def truck_cost(self, group: tuple[str, ...], rides: dict) -> float:
        if sum(self.raw.customers[c].load for c in group) > self.raw.params["trucksCap"]:
            return math.inf
        """Lengths are cut, so passing a stop where nothing is unloaded may be shorter than going straight."""
        stops = sorted({rides[c][2] for c in group})
        others = [stop for stop in self.raw.reached if stop not in stops]
        extras = [extra for k in range(len(others) + 1) for extra in itertools.combinations(others, k)]
        best = math.inf
        for order in (order for extra in extras for order in itertools.permutations([*stops, *extra])):
            time, here = 0.0, "centre"
            for stop in order:
                departs = [self.call(rides[c][0], rides[c][1], stop) for c in group if rides[c][2] == stop]
                since = max(departs, default=0.0) - self.raw.stops[stop].wait
                time, here = max(time + 0.2 * self.gap(here, stop), since), stop
                if time > min(departs, default=math.inf) + EPS:
                    break
            else:
                best = min(best, self.length(["centre", *order, "centre"]))
        return best

    def cheapest(self, rides: dict, cost: Callable[..., float], most: int, at_most_at: bool) -> float:
        """Return the cheapest partition of all customers into groups that share a carrier."""
        best = math.inf
        for groups in partitions(self.names):
            if len(groups) > most:
                continue
            if (
                at_most_at
                and max(sum(rides[g[0]][3] == out for g in groups) for out in self.raw.stops)
                > self.raw.params["maxFreightersPerStop"]
            ):
                continue
            best = min(best, sum(cost(tuple(group), rides) for group in groups))
        return best

    def optimum(self) -> float:
        best = math.inf
        options = [list(self.rides(c)) for c in self.names]
        for choice in itertools.product(*options):
            rides = dict(zip(self.names, choice, strict=True))
            if any(self.courier_cost((c,), rides) == math.inf for c in self.names):
                continue
            loads = {}
            for c, (line, run, _, _) in rides.items():
                loads[line, run] = loads.get((line, run), 0) + self.raw.customers[c].load
            if any(load > self.raw.lines[line].room for (line, _), load in loads.items()):
                continue
            trucks = self.cheapest(rides, self.truck_cost, int(self.raw.params["maxTrucks"]), False)
            if trucks < best:
                best = min(best, trucks + self.cheapest(rides, self.courier_cost, len(self.names), True))
        return best


def partitions(items: list[str]) -> Iterator[list[list[str]]]:
    """Yield all partitions of a list."""
    if not items:
        yield []
        return
    first, *rest = items
    for groups in partitions(rest):
        yield [[first], *groups]
        for k in range(len(groups)):
            yield [*groups[:k], [first, *groups[k]], *groups[k + 1 :]]


@pytest.mark.parametrize("seed", range(6))
def test_the_engine_equals_exhaustive_search(seed: int, tmp_path: Path) -> None:
    """Tests that the engine finds the optimum of random instances of two or three customers, or leaves some out."""
    path = write_random(tmp_path, seed, 3 if seed == 3 else 2)
    wanted = Brute(read_files(path)).optimum()
    instance = read_instance(path)
    clock = Clock(Limits(time_limit_s=None, max_iterations=400), None, None, len(instance.problem.orders))
    answer = ENGINE.search(instance.problem, clock, 1)
    verdict = instance.judge(answer.plan)
    if wanted == math.inf:
        assert not verdict.feasible
    else:
        assert verdict.faults == ()
        assert verdict.objective == pytest.approx(wanted)
        assert answer.bound is not None
        assert answer.bound / 1000.0 <= wanted + 1e-3
