"""Differential test of the solver: small days of one van against every plan there is."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise, permutations

import pytest
from problems import RATES, VAN, order, place, problem

from geodata.location import Level
from routing.model.order import Order
from routing.model.problem import Problem
from routing.solver import Limits, solve


def day(seed: int) -> Problem:
    """Return up to four deliveries from the hub by one van; some are far, some have little value."""
    draw = random.Random(seed)
    count = draw.randint(1, 4)
    places = [place("hub", 0, 0, Level.COUNTY)]
    places += [place(f"v{k}", draw.uniform(-15, 15), draw.uniform(-15, 15)) for k in range(count)]
    orders = [
        order(f"o{k}", "hub", f"v{k}", draw.choice([5.0, 300.0, 400.0]), unserved_cost=draw.choice([900.0, 20_000.0]))
        for k in range(count)
    ]
    return problem(places, orders, [(VAN, "hub", 1)])


def splits(route: Sequence[Order]) -> Iterator[list[Sequence[Order]]]:
    """Yield every way to cut a sequence into rounds."""
    for mask in range(2 ** max(0, len(route) - 1)):
        cuts = [0, *(k + 1 for k in range(len(route) - 1) if mask >> k & 1), len(route)]
        yield [route[a:b] for a, b in pairwise(cuts)]


def cost_of_rounds(case: Problem, rounds: list[Sequence[Order]]) -> float:
    """Return the cost of rounds without windows, infinite where the load or the shift do not hold."""
    travel = case.matrices["van_diesel"]
    money, seconds = VAN.fixed_cost, 0.0
    for visits in rounds:
        if sum(o.weight_kg for o in visits) > 700.0 or sum(o.volume_l for o in visits) > 4_000.0:
            return math.inf
        way = [travel.index[name] for name in ["hub", *(o.to_id for o in visits), "hub"]]
        legs = list(pairwise(way))
        spent = math.ceil(RATES.unit_s * len(visits)) + sum(VAN.stop_s + o.service_s for o in visits)
        spent += sum(int(travel.duration_s[leg]) for leg in legs)
        seconds += spent
        money += spent / 3600.0 * VAN.cost_per_h
        money += sum(int(travel.distance_m[leg]) for leg in legs) / 1000.0 * VAN.cost_per_km
        money += sum(float(travel.energy_wh[leg]) for leg in legs) / 1000.0 * RATES.diesel_per_kwh
    return money if seconds <= VAN.shift_end_s - VAN.shift_start_s else math.inf


def optimum(case: Problem) -> float:
    """Return the least cost over every choice, order and split of deliveries."""
    best = sum(o.unserved_cost for o in case.orders)
    for size in range(1, len(case.orders) + 1):
        for chosen in combinations(case.orders, size):
            left = sum(o.unserved_cost for o in case.orders if o not in chosen)
            for route in permutations(chosen):
                best = min(best, left + min(cost_of_rounds(case, rounds) for rounds in splits(route)))
    return best


@pytest.mark.parametrize("seed", range(25))
def test_small_days_of_one_van_are_solved_to_the_optimum(seed: int) -> None:
    """Tests that the solver finds the cheapest plan among all, to the rounding of the cost lines."""
    case = day(seed)
    assert solve(case, Limits(None, 60), seed).cost.total == pytest.approx(optimum(case), abs=3.0)
