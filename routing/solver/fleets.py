"""Fleets compiled for search: interchangeable vehicles with fast matrix rows and what the compiled loops read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.travel_clock import TravelClock
from routing.model.carrier import Vehicle, VehicleType
from routing.model.problem import Problem
from routing.model.product import ProductClass
from routing.solver.day_loops import FAR_S, Road, clock_figures

IMPOSSIBLE = 1.0e15
"""Cost of an arc that cannot be travelled."""
LIST_ROWS_UP_TO = 700
"""Matrices up to this size become nested lists (fastest to read); larger ones stay compact, row by row."""
FloatArray = npt.NDArray[np.float64]
IntRows = Sequence[Sequence[int]]
FloatRows = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Travel:
    """One travel matrix over all places of the problem: rows for reading cells, arrays for reading many at once.

    Durations are those of a dry day: a lower bound of what the hour makes of them.
    """

    duration_s: IntRows
    distance_m: IntRows
    energy_wh: FloatRows
    durations: npt.NDArray[Any]
    energies: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Fleet:
    """Vehicles or couriers that are interchangeable: same type, base, operator and travel matrix."""

    index: int
    type: VehicleType
    base: int
    operator: str
    ids: tuple[str, ...]
    travel: Travel
    arc_cost: FloatRows
    """Distance, energy and time money of each arc."""
    arc_costs: npt.NDArray[Any]
    """The same as an array."""
    energy_price: float
    fits: Mapping[str, tuple[tuple[int, bool], ...]]
    """Compartments a product class may ride in, best first: (compartment index, rides in a box)."""
    road: Road
    """What the compiled loops read of the fleet's days."""
    names_slot: bool
    """Whether movements name the hour of their departure."""
    _fits: dict[tuple[object, ...], FloatArray] = field(default_factory=dict)

    @cached_property
    def cost_per_s(self) -> float:
        """Money per second of route time."""
        return self.type.cost_per_h / 3600.0

    @cached_property
    def room(self) -> FloatArray:
        """Kilograms of room in each compartment, then litres, a hair more for sums of decimals."""
        parts = self.type.compartments
        return np.array([*(part.kg for part in parts), *(part.litres for part in parts)]) + 1e-6

    def fits_of(self, product: str, plain: tuple[float, float], boxed: tuple[float, float]) -> FloatArray:
        """Return the compartments goods may ride in, best first, as `spot_loops.Leg.fits`.

        `plain` and `boxed` are the kilograms and litres of the goods without and with boxes.
        """
        key = (product, plain, boxed)
        if key not in self._fits:
            rows = []
            for compartment, in_box in self.fits[product]:
                part = self.type.compartments[compartment]
                rows.append((compartment, *(boxed if in_box else plain), part.kg, part.litres))
            self._fits[key] = np.array(rows, dtype=np.float64).reshape(-1, 5)
        return self._fits[key]


def _rows(array: npt.NDArray[Any]) -> Any:
    if len(array) <= LIST_ROWS_UP_TO:
        return array.tolist()
    return [memoryview(np.ascontiguousarray(row)) for row in array]  # type: ignore[arg-type] # numpy has the protocol


def _spread(
    matrix: TravelMatrix, index: Mapping[str, int]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return duration, distance and energy over all places of the problem; places the matrix lacks are unreachable.

    A matrix over the same places in the same order is used as it is, since a large one takes much memory.
    """
    n = len(index)
    if matrix.ids == tuple(index):
        return matrix.duration_s, matrix.distance_m, matrix.energy_wh
    at = np.array([index[place_id] for place_id in matrix.ids], dtype=np.int64)
    duration = np.full((n, n), UNREACHABLE_S, dtype=np.int64)
    distance = np.zeros((n, n), dtype=np.int64)
    energy = np.zeros((n, n), dtype=np.float64)
    grid = np.ix_(at, at)
    duration[grid], distance[grid], energy[grid] = matrix.duration_s, matrix.distance_m, matrix.energy_wh
    np.fill_diagonal(duration, 0)
    return duration, distance, energy


def _arc_costs(kind: VehicleType, energy_price: float, matrices: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return distance, energy and time money of each arc; in large problems at half precision, to save memory."""
    duration, distance, energy = matrices
    money = distance * (kind.cost_per_km / 1000.0)
    money += energy * (energy_price / 1000.0)
    money += duration * (kind.cost_per_h / 3600.0)
    money[duration >= UNREACHABLE_S] = IMPOSSIBLE
    return money if len(money) <= LIST_ROWS_UP_TO else money.astype(np.float32)


def compile_fleets(problem: Problem, vehicles: Sequence[Vehicle], index: Mapping[str, int]) -> tuple[Fleet, ...]:
    """Return the vehicles and couriers by fleet; `index` is that of the places."""
    arrays = {key: _spread(problem.matrices[key], index) for key in sorted({v.travel for v in vehicles})}
    travels = {
        key: Travel(_rows(duration), _rows(distance), _rows(energy), duration, energy)
        for key, (duration, distance, energy) in arrays.items()
    }
    groups: dict[tuple[VehicleType, str, str, str], list[str]] = {}
    for vehicle in vehicles:
        groups.setdefault((vehicle.type, vehicle.base, vehicle.operator, vehicle.travel), []).append(vehicle.id)
    costs: dict[tuple[VehicleType, str], tuple[FloatRows, npt.NDArray[Any]]] = {}
    both_ways: dict[tuple[VehicleType, str], npt.NDArray[np.float32]] = {}
    fleets: list[Fleet] = []
    for number, ((kind, base, operator, key), ids) in enumerate(groups.items()):
        price = problem.rates.energy_price(kind.energy_source)
        if (kind, key) not in costs:
            money = _arc_costs(kind, price, arrays[key])
            costs[kind, key] = _rows(money), money
            both_ways[kind, key] = np.stack((money.T, money), axis=-1).astype(np.float32)
        fits = {name: _fitting(kind, product) for name, product in problem.products.classes.items()}
        fleets.append(
            Fleet(
                number,
                kind,
                index[base],
                operator,
                tuple(ids),
                travels[key],
                *costs[kind, key],
                price,
                fits,
                _road(problem, kind, index[base], price, arrays[key], both_ways[kind, key], problem.clocks.get(key)),
                key in problem.clocks,
            )
        )
    return tuple(fleets)


def _road(
    problem: Problem,
    kind: VehicleType,
    base: int,
    energy_price: float,
    matrices: Sequence[npt.NDArray[Any]],
    costs: npt.NDArray[np.float32],
    clock: TravelClock | None,
) -> Road:
    """Return what the compiled loops read of a fleet; no clock where every hour of the shift is dry."""
    if clock is not None and clock.is_dry_between(kind.shift_start_s, kind.shift_end_s):
        clock = None
    unbroken_s = FAR_S if kind.max_continuous_drive_s is None else kind.max_continuous_drive_s
    range_wh = math.inf if kind.range_wh is None else kind.range_wh
    limits = (kind.shift_start_s, kind.shift_end_s, unbroken_s, kind.max_drive_s, base)
    per_m, per_s = kind.cost_per_km / 1000.0, kind.cost_per_h / 3600.0
    prices = (per_m, energy_price / 1000.0, per_s, kind.fixed_cost, range_wh, kind.stop_s)
    dtypes = (np.int64, np.int64, np.float64)
    duration, distance, energy = (_read_only(*pair) for pair in zip(matrices, dtypes, strict=True))
    return Road(
        duration,
        distance,
        energy,
        cost=costs,
        clock=clock_figures(clock),
        opens=np.array([place.opens_s for place in problem.places], dtype=np.int64),
        closes=np.array([place.closes_s for place in problem.places], dtype=np.int64),
        limits=np.array(limits, dtype=np.int64),
        prices=np.array(prices, dtype=np.float64),
    )


def _read_only(matrix: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return a matrix as the compiled loops know it: whether it can be written is part of an array's type."""
    rows = np.ascontiguousarray(matrix, dtype=dtype).view()
    rows.setflags(write=False)
    return rows


def _fitting(kind: VehicleType, product: ProductClass) -> tuple[tuple[int, bool], ...]:
    """Return (compartment, boxed) choices: fitting compartments first for cold goods, plain ones for the rest."""
    open_ones = [k for k, part in enumerate(kind.compartments) if part.set_point_c is None]
    if not product.cold:
        return tuple((k, False) for k in (open_ones or range(len(kind.compartments))))
    fitting = [k for k, part in enumerate(kind.compartments) if fits_compartment(product, part.set_point_c)]
    boxed = product.box is not None
    others = [k for k in range(len(kind.compartments)) if k not in fitting]
    return tuple([(k, False) for k in fitting] + [(k, boxed) for k in others])


def fits_compartment(product: ProductClass, set_point_c: float | None) -> bool:
    """Return whether a compartment keeps the class within its band."""
    return set_point_c is not None and product.low_c <= set_point_c <= product.high_c


def whole_seconds(seconds: float) -> int:
    """Return seconds rounded up to whole ones; sums of decimals a hair above a whole second stay there."""
    return math.ceil(seconds - 1e-9)
