"""Differential test of the solver: small days of one van, one bus and one drone against every plan there is."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
from problems import DRONE_L, DRONE_SERVICE, RATES, VAN, bus_trip, flight_table, order, place, problem

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S
from routing.model.order import Order
from routing.model.problem import Problem
from routing.solver import Limits, solve

CASES, BLOCKS = 200, 20
WINDOWS = ((28_800, 34_200), (36_000, 39_600), (50_400, 54_000))
NIGHT_DRONE = replace(DRONE_SERVICE, shift_end_s=86_400)


def day(seed: int) -> Problem:
    """Return up to eight deliveries from the hub: by van, by bus, or by bus and on by drone from a roadless town."""
    draw = random.Random(seed)
    count = draw.choice([1, 2, 3, 3, 4, 4, 5, 5, 6, 8])
    places = [place("hub", 0, 0, Level.COUNTY, handling_s=0)]
    places += [place("town", draw.uniform(6, 12), draw.uniform(-3, 3), Level.TOWN, closes_s=86_400)]
    for k in range(draw.randint(1, count)):
        places.append(place(f"v{k}", draw.uniform(-4, 20), draw.uniform(-8, 8), closes_s=86_400))
    heavy = {draw.randrange(count), draw.randrange(count)} if draw.random() < 0.5 else set()
    spots = [spot.id for spot in places[1:]]
    orders = [_delivery(draw, k, spots, heavy=k in heavy) for k in range(count)]
    trip = bus_trip("bus", [("hub", 30_000), ("town", 32_400), ("v0", 33_600)], max_kg=draw.choice([8.0, 60.0]))
    made = problem(places, orders, [(VAN, "hub", 1)], [("town", 1)], [trip], no_road=["town"])
    drones = tuple(replace(drone, service=NIGHT_DRONE) for drone in made.drones)
    table = flight_table(DRONE_L, places, ["town"], windy=range(0))
    table.out_duration_s[:, table.place_index["hub"]] = UNREACHABLE_S
    return replace(made, drones=drones, flights={"L": table})


def _delivery(draw: random.Random, number: int, spots: Sequence[str], *, heavy: bool) -> Order:
    """Return an order; heavy ones have a window, and only the van can take them."""
    weight_kg = 340.0 if heavy else draw.choice([2.0, 5.0, 12.0])
    windows = (draw.choice(WINDOWS),) if heavy else ()
    spot = draw.choice(spots[1:] if heavy else spots)
    return order(f"o{number}", "hub", spot, weight_kg, windows=windows, unserved_cost=draw.choice([1_500.0, 20_000.0]))


# --- Every day of the van ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A stretch of a round: money without time, seconds it takes at least, when it may begin to take just that."""

    money: float
    duration_s: float
    earliest_s: float
    latest_s: float

    def then(self, other: "Part", travel_s: float = 0.0) -> "Part | None":
        """Return both, one after the other; None where the windows cannot be met (Vidal et al. 2013)."""
        offset = self.duration_s + travel_s
        if self.earliest_s + offset > other.latest_s:
            return None
        waiting = max(0.0, other.earliest_s - offset - self.latest_s)
        earliest = max(other.earliest_s - offset, self.earliest_s) - waiting
        latest = min(other.latest_s - offset, self.latest_s)
        return Part(self.money + other.money, offset + other.duration_s + waiting, earliest, latest)

    def beats(self, other: "Part") -> bool:
        """Return whether nothing can follow or precede the other that would not be as good with this one."""
        return (
            self.money <= other.money
            and self.duration_s <= other.duration_s
            and self.earliest_s <= other.earliest_s
            and self.earliest_s + self.duration_s <= other.earliest_s + other.duration_s
            and self.latest_s >= other.latest_s
        )

    @property
    def cost(self) -> float:
        """Money with the time of the round."""
        return self.money + self.duration_s / 3600.0 * VAN.cost_per_h


def best_parts(parts: Sequence[Part]) -> list[Part]:
    """Return the parts no other beats."""
    kept: list[Part] = []
    for part in sorted(parts, key=lambda one: (one.money, one.duration_s, one.earliest_s, -one.latest_s)):
        if not any(other.beats(part) for other in kept):
            kept.append(part)
    return kept


def drive(case: Problem, here: str, there: str) -> tuple[float, int]:
    """Return the money without time and the seconds of a drive."""
    travel = case.matrices["van_diesel"]
    cell = travel.index[here], travel.index[there]
    metres, wh = int(travel.distance_m[cell]), float(travel.energy_wh[cell])
    return metres / 1000.0 * VAN.cost_per_km + wh / 1000.0 * RATES.diesel_per_kwh, int(travel.duration_s[cell])


def halt(goods: Sequence[Order]) -> Part | None:
    """Return a stop at the village all of the goods are for; None where their windows do not meet."""
    opens = max([0, *(window[0] for one in goods for window in one.windows)])
    closes = min([86_400, *(window[1] for one in goods for window in one.windows)])
    return Part(0.0, VAN.stop_s + sum(one.service_s for one in goods), opens, closes) if opens <= closes else None


def rounds_of(case: Problem, goods: Sequence[Order]) -> list[Part]:
    """Return the best rounds that deliver all of the goods; stops are sets of goods for one village.

    Two stops in a row are at one village only where the windows of their goods do not meet: the solver never parts an
    unloading in two to do half of it while it waits, which could save a minute now and then.
    """
    if sum(one.weight_kg for one in goods) > 700.0 or sum(one.volume_l for one in goods) > 4_000.0:
        return []
    count = len(goods)
    start = Part(0.0, math.ceil(RATES.unit_s * count), VAN.shift_start_s, VAN.shift_end_s)
    stops = [(sum(1 << k for k in chosen), spot, halt([goods[k] for k in chosen])) for chosen, spot in _stops(goods)]
    last = [(0, "hub"), *((chosen, spot) for chosen, spot, stop in stops if stop is not None)]
    reached: dict[tuple[int, int, str], list[Part]] = {(0, 0, "hub"): [start]}
    for done in range(1 << count):
        for just, here in last:
            parts = best_parts(reached.get((done, just, here), []))
            reached[done, just, here] = parts
            for chosen, there, stop in stops if parts else ():
                if stop is None or chosen & done or (there == here and halt(_chosen(goods, just | chosen)) is not None):
                    continue
                money, seconds = drive(case, here, there)
                onward = replace(stop, money=money)
                found = [longer for part in parts if (longer := part.then(onward, seconds)) is not None]
                reached.setdefault((done | chosen, chosen, there), []).extend(found)
    ends = []
    for just, spot in last[1:]:
        money, seconds = drive(case, spot, "hub")
        home = Part(money, 0.0, VAN.shift_start_s, VAN.shift_end_s)
        parts = reached[(1 << count) - 1, just, spot]
        ends += [whole for part in parts if (whole := part.then(home, seconds)) is not None]
    return best_parts(ends)


def _chosen(goods: Sequence[Order], mask: int) -> list[Order]:
    return [one for k, one in enumerate(goods) if mask >> k & 1]


def _stops(goods: Sequence[Order]) -> Iterator[tuple[tuple[int, ...], str]]:
    for spot in dict.fromkeys(one.to_id for one in goods):
        here = [k for k, one in enumerate(goods) if one.to_id == spot]
        for size in range(1, len(here) + 1):
            for chosen in combinations(here, size):
                yield chosen, spot


def van_costs(case: Problem) -> list[float]:
    """Return by set of orders what the van costs to deliver them all; the set is a bit mask.

    More than two rounds never pay: at most two orders are heavy or have a window, and all others ride along.
    """
    sets = 1 << len(case.orders)
    single = [rounds_of(case, _members(case, mask)) if mask else [] for mask in range(sets)]
    found = [0.0] + [math.inf] * (sets - 1)
    for mask in range(1, sets):
        # Rounds are paid one by one: between two of them the van waits at its base for nothing.
        two_rounds = [
            first.cost + second.cost
            for part in _subsets(mask)
            for first in single[part]
            for second in single[mask ^ part]
            if first.earliest_s + first.duration_s <= second.latest_s
        ]
        found[mask] = VAN.fixed_cost + min([part.cost for part in single[mask]] + two_rounds, default=math.inf)
    return found


def _members(case: Problem, mask: int) -> list[Order]:
    return _chosen(case.orders, mask)


def _subsets(mask: int) -> Iterator[int]:
    part = mask
    while part:
        yield part
        part = (part - 1) & mask
    yield 0


# --- The bus and the drone -----------------------------------------------------------------------------------------


def bus_cost(case: Problem, goods: Sequence[Order]) -> float:
    """Return the fees of the bus for goods that ride it from the hub."""
    if sum(one.weight_kg for one in goods) > case.bus_trips[0].max_kg or any(one.weight_kg > 25.0 for one in goods):
        return math.inf
    return sum(10.0 * one.weight_kg + 40.0 for one in goods)


def sorties_cost(case: Problem, goods: Sequence[Order]) -> float:
    """Return the least cost of flying goods from the town, with their handling there."""
    if not goods:
        return 0.0
    spots = dict.fromkeys(one.to_id for one in goods)
    each = [_flown(case, spot, [one for one in goods if one.to_id == spot]) for spot in spots]
    return NIGHT_DRONE.fixed_cost + sum(each) + RATES.handling_per_piece * len(goods)


def _flown(case: Problem, spot: str, goods: Sequence[Order]) -> float:
    """Return the least cost over all ways to share goods for one place among sorties."""
    if not goods:
        return 0.0
    best, others = math.inf, goods[1:]
    for size in range(len(others) + 1):
        for chosen in combinations(others, size):
            first = _sortie(case, spot, sum(one.weight_kg for one in (goods[0], *chosen)))
            if first < best:
                best = min(best, first + _flown(case, spot, [one for one in others if one not in chosen]))
    return best


def _sortie(case: Problem, spot: str, kg: float) -> float:
    table = case.flights["L"]
    p, usable_wh = table.place_index[spot], DRONE_L.battery_wh * (1.0 - DRONE_L.reserve)
    out_wh = float(np.interp(kg, table.payload_kg, table.out_energy_wh[0, p, 0]))
    wh = out_wh + float(table.back_energy_wh[0, p, 0, 0])
    if kg > table.max_payload_kg[0, p] or 5.0 * kg > DRONE_L.volume_l or wh > usable_wh or spot == "town":
        return math.inf
    seconds = int(table.out_duration_s[0, p, 0]) + DRONE_L.winch_s + int(table.back_duration_s[0, p, 0])
    money = NIGHT_DRONE.cost_per_sortie + seconds / 3600.0 * NIGHT_DRONE.cost_per_h
    return money + wh / 1000.0 * RATES.electricity_per_kwh


def optimum(case: Problem) -> float:
    """Return the least cost over every choice of carrier for every order."""
    masks = range(1 << len(case.orders))
    by_van, fees = van_costs(case), [bus_cost(case, _members(case, mask)) for mask in masks]
    by_air = [sorties_cost(case, _members(case, mask)) for mask in masks]
    dear = [sum(one.unserved_cost for one in _members(case, mask)) for mask in masks]
    by_stop = sum(1 << k for k, one in enumerate(case.orders) if one.to_id in ("town", "v0"))
    rest = [min(by_van[part] + dear[mask ^ part] for part in _subsets(mask)) for mask in masks]
    best = math.inf
    for aboard in masks:
        if fees[aboard] < best:
            onward = min(by_air[part] for part in _subsets(aboard) if not (aboard ^ part) & ~by_stop)
            best = min(best, fees[aboard] + onward + rest[masks[-1] ^ aboard])
    return best


@pytest.mark.parametrize("block", range(BLOCKS))
def test_small_days_of_van_bus_and_drone_are_solved_to_the_optimum(block: int) -> None:
    """Tests that the solver finds the cheapest plan among all, to the rounding of the cost lines.

    Nearly all cases need few moves; the rest get more.
    """
    for seed in range(block * CASES // BLOCKS, (block + 1) * CASES // BLOCKS):
        case = day(seed)
        least = pytest.approx(optimum(case), abs=5.0)
        found = [solve(case, Limits(None, 150), seed).cost.total]
        if found[0] != least:
            found.append(solve(case, Limits(None, 2_000), seed).cost.total)
        assert least in found, f"case {seed}: {found}, least {least}"
