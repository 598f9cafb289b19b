"""Small days in two echelons, as the published family writes them, and their optimum by trying everything."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Point = tuple[float, float]


def small_file(seed: int, customers: int = 5, *, tight: bool = False) -> dict[str, Any]:
    """Return the content of a random instance with two depots and two satellites."""
    draw = random.Random(seed)
    wide = 25 if tight else 80

    def node(number: int, window: tuple[int, int], service: int, spread: int, **more: object) -> dict[str, Any]:
        x, y = draw.randint(-spread, spread), draw.randint(-spread, spread)
        return {"id": number, "x": x, "y": y, "time_window": list(window), "service_time": service, **more}

    begins = [draw.randint(70, 200) for _ in range(customers)]
    return {
        "first_level_vehicles": {"fleet_size": 10, "capacity": draw.choice([6, 8]), "cost": 50},
        "second_level_vehicles": {"fleet_size": 10, "capacity": 5, "cost": 25},
        "customers": [
            node(k, (begin, begin + wide), 10, 25, demand=draw.randint(1, 3)) for k, begin in enumerate(begins)
        ],
        "satellites": [node(100 + k, (0, 365), 10, 20) for k in range(2)],
        "cdcs": [node(200 + k, (0, 364), 0, 40) for k in range(2)],
    }


def written(folder: Path, content: object, name: str = "day.json") -> Path:
    """Write an instance file and return its path."""
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@dataclass(frozen=True)
class _Round:
    cost: float
    latest: float
    station: int
    demands: tuple[int, ...]


def optimum(content: dict[str, Any]) -> float:
    """Return the cost of the best plan with orders not split: tries all partitions, sequences and sets of trucks."""
    customers, satellites = content["customers"], content["satellites"]
    trucks = sorted(_truck_sets(content, len(customers)), key=lambda entry: entry[0])
    rounds = {
        (station, block): _fronts(content, station, block)
        for station in range(len(satellites))
        for size in range(1, len(customers) + 1)
        for block in itertools.combinations(range(len(customers)), size)
    }
    best = math.inf
    for partition in _partitions(list(range(len(customers)))):
        for stations in itertools.product(range(len(satellites)), repeat=len(partition)):
            options = [rounds[s, tuple(block)] for s, block in zip(stations, partition, strict=True)]
            for chosen in itertools.product(*options):
                cost = sum(each.cost for each in chosen)
                for trunk, visits in trucks:
                    if cost + trunk >= best:
                        break
                    if _packs(chosen, visits, content["first_level_vehicles"]["capacity"]):
                        best = cost + trunk
                        break
    return best


def _partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for partition in _partitions(rest):
        yield [[first], *partition]
        for k in range(len(partition)):
            yield [*partition[:k], [first, *partition[k]], *partition[k + 1 :]]


def _between(a: dict[str, Any], b: dict[str, Any]) -> float:
    return math.hypot(a["x"] - b["x"], a["y"] - b["y"])


def _fronts(content: dict[str, Any], station: int, block: Sequence[int]) -> list[_Round]:
    """Return the rounds over a set of customers of which none is cheaper and leaves later."""
    base, nodes = content["satellites"][station], [content["customers"][k] for k in block]
    demands = tuple(node["demand"] for node in nodes)
    if sum(demands) > content["second_level_vehicles"]["capacity"]:
        return []
    found = []
    for sequence in itertools.permutations(nodes):
        way = [base, *sequence, base]
        cost = sum(_between(a, b) for a, b in itertools.pairwise(way)) + content["second_level_vehicles"]["cost"]
        by, there, fits = base["time_window"][1], base, True
        for node in reversed(sequence):
            by = min(node["time_window"][1], by - _between(node, there) - node["service_time"])
            fits, there = fits and by >= node["time_window"][0], node
        by -= _between(base, there)
        if fits and by >= 0:
            found.append(_Round(cost, by, station, demands))
    return [r for r in found if not any(o.cost < r.cost and o.latest >= r.latest for o in found)]


def _truck_sets(content: dict[str, Any], most: int) -> Iterator[tuple[float, list[dict[int, float]]]]:
    tours = []
    stations = range(len(content["satellites"]))
    for depot in content["cdcs"]:
        for size in (1, 2):
            for sequence in itertools.permutations(stations, size):
                now, here, visits = 0.0, depot, {}
                for k in sequence:
                    now += _between(here, content["satellites"][k]) + content["satellites"][k]["service_time"]
                    here = content["satellites"][k]
                    visits[k] = now
                way = [depot, *(content["satellites"][k] for k in sequence), depot]
                cost = sum(_between(a, b) for a, b in itertools.pairwise(way))
                if now + _between(here, depot) <= depot["time_window"][1]:
                    tours.append((cost + content["first_level_vehicles"]["cost"], visits))
    for count in range(1, min(most, 3) + 1):
        for chosen in itertools.combinations_with_replacement(tours, count):
            yield sum(cost for cost, _ in chosen), [visits for _, visits in chosen]


def _packs(rounds: Sequence[_Round], trucks: Sequence[dict[int, float]], capacity: float) -> bool:
    items = [(each.latest, each.station, demand) for each in rounds for demand in each.demands]

    def place(k: int, room: tuple[float, ...]) -> bool:
        if k == len(items):
            return True
        latest, station, demand = items[k]
        return any(
            visits.get(station, math.inf) <= latest + 1e-9
            and room[t] >= demand
            and place(k + 1, (*room[:t], room[t] - demand, *room[t + 1 :]))
            for t, visits in enumerate(trucks)
        )

    return place(0, (capacity,) * len(trucks))
