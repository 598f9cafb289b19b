"""From the problem to the figures of the compiled search: orders become clients, vehicles become classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing.model.carrier import Vehicle
from routing.model.order import Order
from routing.model.problem import Problem
from routing.solver.rounds_pool.day_rows import Figures
from routing.solver.rounds_pool.features import remote_place

_NEAR, _NEAR_OF_SEVERAL = 80, 100
"""Neighbours of a client beside which it is tried. With several rounds a vehicle, goods released together share a round
though their windows hardly fit: more neighbours are looked at, and by cost alone."""
_WAIT_WEIGHT, _LATE_WEIGHT = 0.2, 1.0
"""Weights of waiting and of lateness in the nearness of two clients, as in PyVRP's neighbourhood (its defaults)."""
_UNITS = 1_000
"""Grams of a kilogram, millilitres of a litre: loads are whole numbers."""
_FAR = 1e18


@dataclass(frozen=True)
class RoundsDay:
    """The problem as figures, and what their indices mean.

    Client k is ``problem.orders[k]``; row v of the days is ``vehicles[v]``; `places` names the place of every node.
    """

    problem: Problem
    figures: Figures
    vehicles: tuple[Vehicle, ...]
    places: tuple[str, ...]
    delivers: tuple[bool, ...]


def compile_day(problem: Problem) -> RoundsDay:
    """Return the figures of a problem that the engine suits."""
    bases = list(dict.fromkeys(vehicle.base for vehicle in problem.vehicles))
    known = set(bases)
    delivers = tuple(order.from_id in known for order in problem.orders)
    places = (*(remote_place(order, known) for order in problem.orders), *bases)
    classes: dict[tuple[object, ...], list[Vehicle]] = {}
    for vehicle in problem.vehicles:
        classes.setdefault((vehicle.type, vehicle.base, vehicle.travel), []).append(vehicle)
    members = list(classes.values())
    vehicles = tuple(vehicle for alike in members for vehicle in alike)
    heads = [alike[0] for alike in members]
    windows = [_window(problem, order, place) for order, place in zip(problem.orders, places, strict=False)]
    service = np.array([order.service_s for order in problem.orders], dtype=np.int64)
    duration = np.stack([_durations(problem, head, places) for head in heads])
    loads = np.array([_load(order) for order in problem.orders], dtype=np.int64).reshape(-1, 2)
    down = np.array(delivers, dtype=np.bool_)[:, None]
    cost = np.stack([_costs(problem, head, places, duration[k], service) for k, head in enumerate(heads)])
    figures = Figures(
        duration=duration,
        cost=cost,
        duration_to=np.ascontiguousarray(duration.transpose(0, 2, 1)),
        cost_to=np.ascontiguousarray(cost.transpose(0, 2, 1)),
        early=np.array([begin for begin, _ in windows], dtype=np.int64),
        late=np.array([end for _, end in windows], dtype=np.int64),
        service=service,
        release=np.array([o.release_s if d else 0 for o, d in zip(problem.orders, delivers, strict=True)], np.int64),
        brought=np.ascontiguousarray(np.where(down, loads, 0).T),
        taken=np.ascontiguousarray(np.where(down, 0, loads).T),
        measured=loads.sum(axis=0) > 0,
        left_cost=np.array([order.unserved_cost for order in problem.orders], dtype=np.float64),
        soft_cost=np.array([order.unserved_cost for order in problem.orders], dtype=np.float64),
        near=np.empty((0, 0), dtype=np.int64),
        near_to=np.empty((0, 0, 0)),
        near_from=np.empty((0, 0, 0)),
        apart=np.empty((0, 0, 0)),
        base=np.array([len(problem.orders) + bases.index(head.base) for head in heads], dtype=np.int64),
        room=np.array([_room(head) for head in heads], dtype=np.int64),
        shift=np.array([(head.type.shift_start_s, head.type.shift_end_s) for head in heads], dtype=np.int64),
        fixed=np.array([head.type.fixed_cost for head in heads], dtype=np.float64),
        rounds=np.array([head.type.max_rounds or 2 * len(problem.orders) for head in heads], dtype=np.int64),
        allowed=np.array([[_base_of(order, known) == head.base for order in problem.orders] for head in heads]),
        kind=np.array([k for k, alike in enumerate(members) for _ in alike], dtype=np.int64),
    )
    stops = np.array([(service + head.type.stop_s) * (head.type.cost_per_h / 3_600.0) for head in heads])
    return RoundsDay(problem, _with_neighbours(figures, stops), vehicles, places, delivers)


def _base_of(order: Order, bases: set[str]) -> str:
    return order.from_id if order.from_id in bases else order.to_id


def _window(problem: Problem, order: Order, place_id: str) -> tuple[int, int]:
    """Return when service at the remote place may start."""
    place = problem.place_by_id[place_id]
    begin, end = place.opens_s, place.closes_s
    if order.from_id == place_id:
        begin = max(begin, order.release_s)
    if order.windows:
        begin, end = max(begin, order.windows[0][0]), min(end, order.windows[0][1])
    return begin, end


def _load(order: Order) -> tuple[int, int]:
    return int(np.ceil(order.weight_kg * _UNITS - 1e-6)), int(np.ceil(order.volume_l * _UNITS - 1e-6))


def _room(vehicle: Vehicle) -> tuple[int, int]:
    part = vehicle.type.compartments[0]
    return int(min(part.kg, 1e12) * _UNITS + 1e-6), int(min(part.litres, 1e12) * _UNITS + 1e-6)


def _grid(problem: Problem, vehicle: Vehicle, places: tuple[str, ...]) -> tuple[npt.NDArray[np.int64], ...]:
    index = problem.matrices[vehicle.travel].index
    nodes = np.array([index.get(place, -1) for place in places], dtype=np.int64)
    return np.ix_(nodes, nodes)


def _durations(problem: Problem, vehicle: Vehicle, places: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Return seconds between nodes, the fixed time of a stop included where a remote place is left for another."""
    grid = _grid(problem, vehicle, places)
    seconds = problem.matrices[vehicle.travel].duration_s[grid].astype(np.int64)
    names = np.array(places)
    elsewhere = names[:, None] != names[None, :]
    remote = np.arange(len(places)) < len(problem.orders)
    seconds += np.where(remote[:, None] & elsewhere, vehicle.type.stop_s, 0)
    return np.ascontiguousarray(seconds)


def _costs(
    problem: Problem,
    vehicle: Vehicle,
    places: tuple[str, ...],
    duration: npt.NDArray[np.int64],
    service: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return money between nodes: distance, energy, and the time of the way and of service (waiting is not priced)."""
    grid, matrix, kind = _grid(problem, vehicle, places), problem.matrices[vehicle.travel], vehicle.type
    money = matrix.distance_m[grid] * (kind.cost_per_km / 1_000.0)
    money = money + matrix.energy_wh[grid] * (problem.rates.energy_price(kind.energy_source) / 1_000.0)
    if kind.cost_per_h > 0.0:
        seconds = duration.astype(np.float64)
        seconds[:, : len(service)] += service
        money = money + seconds * (kind.cost_per_h / 3_600.0)
    return np.ascontiguousarray(money, dtype=np.float64)


def _with_neighbours(figures: Figures, stops: npt.NDArray[np.float64]) -> Figures:
    """Return the figures with those of near clients; `stops` (C, n) is what the time spent at a client costs."""
    near = _neighbours(figures)
    own = np.arange(len(near))[:, None]
    near_to = np.ascontiguousarray(figures.cost_to[:, own, near])
    near_from = np.ascontiguousarray(figures.cost[:, own, near])
    return figures._replace(near=near, near_to=near_to, near_from=near_from, apart=near_to + near_from - stops[:, near])


def _neighbours(figures: Figures) -> npt.NDArray[np.int64]:
    """Return for each client the others, those first that are cheap to serve right before or after it."""
    n = len(figures.early)
    cost, seconds = figures.cost[0, :n, :n], figures.duration[0, :n, :n]
    done = figures.early[:, None] + figures.service[:, None] + seconds
    waits = np.maximum(0, figures.early[None, :] - figures.late[:, None] - figures.service[:, None] - seconds)
    late = np.maximum(0, done - figures.late[None, :])
    several = bool((figures.rounds > 1).any())
    rate = 0.0 if several else cost.sum() / max(1.0, float(seconds.sum()))
    farness = cost + rate * (_WAIT_WEIGHT * waits + _LATE_WEIGHT * late)
    farness = np.minimum(farness, farness.T)
    np.fill_diagonal(farness, _FAR)
    return np.ascontiguousarray(
        np.argsort(farness, axis=1, kind="stable")[:, : min(_NEAR_OF_SEVERAL if several else _NEAR, n - 1)]
    )
