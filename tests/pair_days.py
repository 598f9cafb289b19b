"""Random days of pickups and deliveries, and a slow plain reading of their rules sharing no code with the solver."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from problems import PRODUCTS, VAN, place, problem

from geodata.location import Level
from routing.model.carrier import Compartment, Vehicle, VehicleType
from routing.model.order import Order
from routing.model.problem import CostRates, Problem

Visit = tuple[str, bool]
"""Order id, and True where it is picked up."""


def pair_van(name: str = "van", **fields: object) -> VehicleType:
    """Return a type that drives one round without rests."""
    values: dict[str, object] = {
        "id": name, "compartments": (Compartment("hold", 60.0, 400.0),), "range_wh": None, "energy_source": "none",
        "max_rounds": 1, "max_continuous_drive_s": None, "shift_start_s": 28_800, "shift_end_s": 61_200,
        "max_drive_s": 86_400, "stop_s": 60, "cost_per_h": 0.0, "fixed_cost": 3_000.0, "cost_per_km": 90.0, **fields,
    }  # fmt: skip
    return replace(VAN, **values)  # type: ignore[arg-type]


def pair_day(seed: int, orders: int = 6, vehicles: int = 3, *, cost_per_h: float = 0.0) -> Problem:
    """Return a random day: every end of an order is a place of its own, two bases, two types of vehicle."""
    draw = random.Random(seed)
    bases = [place("base0", 0.0, 0.0, Level.COUNTY), place("base1", 9.0, 4.0, Level.TOWN)]
    ends, made = [], []
    for k in range(orders):
        for end in ("from", "to"):
            opens = draw.choice([0, 0, 28_800, 36_000])
            level = draw.choice([Level.VILLAGE, Level.GROUP, Level.TOWN])
            spot = place(f"{end}{k}", draw.uniform(-8, 12), draw.uniform(-8, 12), level, opens_s=opens)
            ends.append(replace(spot, closes_s=draw.choice([86_400, 50_400])))
        begin = draw.randrange(30_000, 52_000, 600)
        made.append(
            Order(
                f"o{k}",
                f"from{k}",
                f"to{k}",
                round(draw.uniform(3, 30), 2),
                round(draw.uniform(5, 150), 1),
                pieces=draw.choice([1, 3, 8]),
                windows=draw.choice([(), ((begin, begin + 7_200),)]),
                release_s=draw.choice([0, 32_400]),
                service_s=draw.choice([20, 300]),
                unserved_cost=draw.choice([20_000.0, 4_000.0]),
            )
        )
    kinds = [pair_van(cost_per_h=cost_per_h), pair_van("truck", fixed_cost=4_000.0, profile="truck", stop_s=90,
                                                         compartments=(Compartment("hold", 90.0, 900.0),),
                                                         cost_per_h=cost_per_h)]  # fmt: skip
    fleet = [(kinds[k % 2], f"base{k % 2}", 1) for k in range(vehicles)]
    grouped = [(kind, base, sum((kind, base) == (a, b) for a, b, _ in fleet)) for kind, base, _ in fleet[:2]]
    return problem([*bases, *ends], made, grouped, products=PRODUCTS, rates=CostRates(0.0, 0.0, 0.0, unit_s=7.5))


def round_cost(day: Problem, vehicle: Vehicle, visits: Sequence[Visit]) -> float | None:
    """Return fixed and distance cost of a round, None where it breaks a rule. Route time costs nothing here."""
    matrix, kind = day.matrices[vehicle.travel], vehicle.type
    here, time, money, service = vehicle.base, kind.shift_start_s, 0.0, 0
    aboard: dict[str, tuple[float, float]] = {}
    for name, loads in [*visits, ("", False)]:
        order = day.order_by_id.get(name)
        there = vehicle.base if order is None else order.from_id if loads else order.to_id
        i, j = matrix.index[here], matrix.index[there]
        money += matrix.distance_m[i, j] * kind.cost_per_km / 1000.0
        time += service + int(matrix.duration_s[i, j])
        here = there
        if order is None:
            break
        spot = day.place_by_id[there]
        begin, end = order.windows[0] if order.windows and not loads else (0, 10**9)
        time = max(time, spot.opens_s, begin, order.release_s if loads else 0)
        if time > min(spot.closes_s, end):
            return None
        door = spot.level in (Level.VILLAGE, Level.GROUP)
        service = math.ceil(kind.stop_s + (order.service_s if door else day.rates.unit_s * order.pieces) - 1e-9)
        if loads:
            aboard[name] = order.weight_kg, order.volume_l
        elif name not in aboard:
            return None
        else:
            del aboard[name]
        hold = kind.compartments[0]
        if sum(kg for kg, _ in aboard.values()) > hold.kg + 1e-9:
            return None
        if sum(litres for _, litres in aboard.values()) > hold.litres + 1e-9:
            return None
    if aboard or time > kind.shift_end_s:
        return None
    return money + kind.fixed_cost if visits else 0.0


def cheapest(day: Problem) -> float:
    """Return the least cost of the whole day by trying every split and every sequence."""
    names = [order.id for order in day.orders]
    best_of = [_best_rounds(day, vehicle, names) for vehicle in day.vehicles]
    best = math.inf
    for owner in _owners(len(names), len(day.vehicles)):
        total = sum(order.unserved_cost for order, v in zip(day.orders, owner, strict=True) if v < 0)
        for v, costs in enumerate(best_of):
            total += costs.get(frozenset(name for name, mine in zip(names, owner, strict=True) if mine == v), math.inf)
        best = min(best, total)
    return best


def _owners(orders: int, vehicles: int) -> Iterator[tuple[int, ...]]:
    if orders == 0:
        yield ()
        return
    for rest in _owners(orders - 1, vehicles):
        for v in range(-1, vehicles):
            yield (v, *rest)


def _best_rounds(day: Problem, vehicle: Vehicle, names: Sequence[str]) -> dict[frozenset[str], float]:
    found: dict[frozenset[str], float] = {frozenset(): 0.0}
    for bits in range(1, 2 ** len(names)):
        mine = [name for k, name in enumerate(names) if bits >> k & 1]
        visits = [(name, loads) for name in mine for loads in (True, False)]
        costs = [round_cost(day, vehicle, tried) for tried in permutations(visits)]
        found[frozenset(mine)] = min((cost for cost in costs if cost is not None), default=math.inf)
    return found
