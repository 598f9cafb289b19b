"""Single-trip vehicle routing: visits with windows, amounts and skills, vehicles with any start and end, breaks.

This is the problem dispatch systems pose when they know nothing of counties, buses or drones. It differs from
`routing.model.problem.Problem` in what a vehicle does: one trip, never back to its base to reload, open at either end.
OR-Tools' routing solver finds the routes: most priority first, then most visits, then least cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

IntArray = npt.NDArray[np.int64]
Window = tuple[int, int]
FAR_S = 4_000_000_000
"""Durations from here on mean that there is no way."""
_COST_SCALE = 100
_UNBOUNDED = 1 << 40


@dataclass(frozen=True)
class Visit:
    """A stop to be made.

    Parameters
    ----------
    location
        Index into the matrices.
    windows
        Closed intervals for the start of setup and service, seconds; empty: any time.
    setup_s, service_s
        Seconds by vehicle number; setup only where the visit before is elsewhere.
    delivery, pickup
        Amounts brought from the start, and taken to the end; for the ends of a shipment only `pickup` of its pickup
        and `delivery` of its delivery count, and they ride between the two.
    vehicles
        Numbers of the vehicles that may make the visit.
    partner
        Index of the delivery, of a shipment's pickup; None for all others.
    """

    location: int
    windows: tuple[Window, ...]
    setup_s: tuple[int, ...]
    service_s: tuple[int, ...]
    delivery: tuple[int, ...]
    pickup: tuple[int, ...]
    vehicles: tuple[int, ...]
    priority: int = 0
    partner: int | None = None
    in_shipment: bool = False


@dataclass(frozen=True)
class Pause:
    """A break of a vehicle: it starts in one of the windows and lasts `service_s`."""

    windows: tuple[Window, ...]
    service_s: int


@dataclass(frozen=True, eq=False)
class TripVehicle:
    """A vehicle and what travel is for it; arrays of shape (locations, locations).

    `cost` is the cost of each arc, `start` and `end` are locations, None for open ends; `first` is a route to begin the
    search with.
    """

    start: int | None
    end: int | None
    window: Window
    capacity: tuple[int, ...]
    duration_s: IntArray
    cost: npt.NDArray[np.float64]
    distance_m: IntArray
    fixed_cost: float = 0.0
    task_cost_per_s: float = 0.0
    max_tasks: int | None = None
    max_travel_s: int | None = None
    max_distance_m: int | None = None
    pauses: tuple[Pause, ...] = ()
    first: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trip:
    """The route of one vehicle: visits with the start of their service after setup, breaks with their start."""

    vehicle: int
    start_s: int
    end_s: int
    visits: tuple[tuple[int, int], ...]
    pauses: tuple[tuple[int, int], ...]


def plan_trips(visits: Sequence[Visit], vehicles: Sequence[TripVehicle], time_limit_s: float) -> list[Trip] | None:
    """Return the trips of all vehicles that make any; visits in none of them are unassigned.

    Parameters
    ----------
    time_limit_s
        Seconds of search; it stops there, never earlier, unless there is nothing to do.

    Returns
    -------
    list[Trip] | None
        None if the first routes given break a constraint.
    """
    if not visits or not vehicles:
        return []
    return _Model(visits, vehicles).solve(time_limit_s)


class _Model:
    """The routing model: a node per visit, then a start and an end node per vehicle."""

    def __init__(self, visits: Sequence[Visit], vehicles: Sequence[TripVehicle]) -> None:
        self.visits, self.vehicles = visits, vehicles
        n, k = len(visits), len(vehicles)
        starts, ends = [n + 2 * v for v in range(k)], [n + 2 * v + 1 for v in range(k)]
        self.manager = pywrapcp.RoutingIndexManager(n + 2 * k, k, starts, ends)
        self.routing = pywrapcp.RoutingModel(self.manager)
        spots = [visit.location for visit in visits]
        for vehicle in vehicles:
            spots += [-1 if spot is None else spot for spot in (vehicle.start, vehicle.end)]
        self.spots = np.array(spots, dtype=np.int64)
        self.origin_s = min([w[0] for v in vehicles for w in (v.window,)] + [w[0] for x in visits for w in x.windows])
        self.horizon_s = self._horizon()
        self.breaks: dict[int, list[list[Any]]] = {}
        self._matrices: dict[object, int] = {}
        self._add_costs()
        self._add_time()
        self._add_amounts()
        self._add_limits()
        self._add_choices()

    def _node(self, visit: int) -> int:
        index: int = self.manager.NodeToIndex(visit)
        return index

    # --- Transits --------------------------------------------------------------------------------------------------

    def _spread(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array over locations as one over nodes; open ends are free to leave and to reach."""
        grid = array[np.ix_(self.spots, self.spots)].copy()
        nowhere = self.spots < 0
        grid[nowhere, :] = 0
        grid[:, nowhere] = 0
        np.fill_diagonal(grid, 0)
        return grid

    def _register(self, key: object, make: Any) -> int:
        """Return the callback of a matrix, made once for all vehicles with the same key."""
        if key not in self._matrices:
            self._matrices[key] = self.routing.RegisterTransitMatrix(make().tolist())
        return self._matrices[key]

    def _travel(self, number: int) -> int:
        vehicle = self.vehicles[number]
        key = ("travel", id(vehicle.duration_s))
        return self._register(key, lambda: np.minimum(self._spread(vehicle.duration_s), FAR_S))

    def _actions(self, number: int) -> tuple[IntArray, IntArray]:
        """Return service and setup seconds of each node for a vehicle."""
        pad = [0] * (2 * len(self.vehicles))
        service = np.array([visit.service_s[number] for visit in self.visits] + pad, dtype=np.int64)
        setup = np.array([visit.setup_s[number] for visit in self.visits] + pad, dtype=np.int64)
        return service, setup

    def _add_costs(self) -> None:
        for number, vehicle in enumerate(self.vehicles):
            service, setup = self._actions(number)
            rate = vehicle.task_cost_per_s

            def money(vehicle: TripVehicle = vehicle, service: IntArray = service, setup: IntArray = setup) -> Any:
                arcs = self._spread(vehicle.cost)
                task = vehicle.task_cost_per_s * (service[None, :] + self._setups(setup))
                return np.round(np.minimum(arcs + task, 1e12) * _COST_SCALE).astype(np.int64)

            key = ("cost", id(vehicle.cost), rate, (tuple(service), tuple(setup)) if rate else None)
            self.routing.SetArcCostEvaluatorOfVehicle(self._register(key, money), number)
            self.routing.SetFixedCostOfVehicle(round(vehicle.fixed_cost * _COST_SCALE), number)

    def _setups(self, setup: IntArray) -> IntArray:
        """Return setup seconds of each arc: those of its head where its tail is elsewhere."""
        elsewhere = self.spots[:, None] != self.spots[None, :]
        return np.where(elsewhere, setup[None, :], 0)

    def _horizon(self) -> int:
        latest = [vehicle.window[1] for vehicle in self.vehicles if vehicle.window[1] < _UNBOUNDED]
        latest += [visit.windows[-1][1] for visit in self.visits if visit.windows]
        begun = [vehicle.window[0] for vehicle in self.vehicles]
        legs = max(int(v.duration_s[v.duration_s < FAR_S].max(initial=0)) for v in self.vehicles)
        spent = sum(max(visit.setup_s) + max(visit.service_s) + legs for visit in self.visits) + 2 * legs
        spent += sum(pause.service_s for vehicle in self.vehicles for pause in vehicle.pauses)
        return max([*latest, *begun]) - self.origin_s + spent + 1

    # --- Time ------------------------------------------------------------------------------------------------------

    def _add_time(self) -> None:
        callbacks = []
        for number, vehicle in enumerate(self.vehicles):
            service, setup = self._actions(number)

            def seconds(vehicle: TripVehicle = vehicle, service: IntArray = service, setup: IntArray = setup) -> Any:
                return np.minimum(self._spread(vehicle.duration_s), FAR_S) + service[:, None] + self._setups(setup)

            key = ("time", id(vehicle.duration_s), tuple(service), tuple(setup))
            callbacks.append(self._register(key, seconds))
        self.routing.AddDimensionWithVehicleTransits(callbacks, self.horizon_s, self.horizon_s, False, "time")
        self.time = self.routing.GetDimensionOrDie("time")
        shared = {spot for spot in self.spots.tolist() if (self.spots == spot).sum() > 1}
        for number, visit in enumerate(self.visits):
            self._bound(number, visit, alone=visit.location not in shared)
        for number, vehicle in enumerate(self.vehicles):
            first, last = (max(0, min(t - self.origin_s, self.horizon_s)) for t in vehicle.window)
            for index in (self.routing.Start(number), self.routing.End(number)):
                self.time.CumulVar(index).SetRange(first, last)
            self.routing.AddVariableMaximizedByFinalizer(self.time.CumulVar(self.routing.Start(number)))
            self.routing.AddVariableMinimizedByFinalizer(self.time.CumulVar(self.routing.End(number)))
            self._add_pauses(number, vehicle, first, last)

    def _bound(self, number: int, visit: Visit, *, alone: bool) -> None:
        """Bound the start of service after setup so that setup begins within a window, whichever visit is before."""
        if not visit.windows:
            return
        cumul = self.time.CumulVar(self._node(number))
        early, late = max(visit.setup_s), min(visit.setup_s) if alone else 0
        slots = [(a - self.origin_s + early, b - self.origin_s + late) for a, b in visit.windows]
        slots = [(a, min(b, self.horizon_s)) for a, b in slots if a <= b]
        if not slots:
            self.routing.VehicleVar(self._node(number)).SetValue(-1)
            return
        cumul.SetRange(slots[0][0], slots[-1][1])
        for (_, end), (begin, _) in pairwise(slots):
            if begin - end > 1:
                cumul.RemoveInterval(end + 1, begin - 1)

    def _add_pauses(self, number: int, vehicle: TripVehicle, first: int, last: int) -> None:
        if not vehicle.pauses:
            return
        solver = self.routing.solver()
        groups: list[list[Any]] = []
        for k, pause in enumerate(vehicle.pauses):
            options = []
            for slot, (a, b) in enumerate(pause.windows or ((self.origin_s, self.origin_s + self.horizon_s),)):
                begin, end = max(first, a - self.origin_s), min(last - pause.service_s, b - self.origin_s)
                if begin <= end:
                    name = f"break {number} {k} {slot}"
                    several = len(pause.windows) > 1
                    options.append(solver.FixedDurationIntervalVar(begin, end, pause.service_s, several, name))
            if len(options) > 1:
                solver.Add(solver.Sum([option.PerformedExpr() for option in options]) == 1)
            elif options:
                solver.Add(options[0].PerformedExpr() == 1)
            groups.append(options)
        self.breaks[number] = groups
        service, _ = self._actions(number)
        flat = [option for options in groups for option in options]
        spent = [int(service[self.manager.IndexToNode(i)]) for i in range(self.routing.Size())]
        self.time.SetBreakIntervalsOfVehicle(flat, number, spent)

    # --- Amounts and limits ----------------------------------------------------------------------------------------

    def _add_amounts(self) -> None:
        for k in range(len(self.vehicles[0].capacity)):
            brought = [0 if visit.in_shipment else visit.delivery[k] for visit in self.visits]
            change = [visit.pickup[k] - visit.delivery[k] for visit in self.visits]
            if not any(brought) and not any(change) and not any(visit.pickup[k] for visit in self.visits):
                continue
            rooms = [vehicle.capacity[k] for vehicle in self.vehicles]
            pad = [0] * (2 * len(self.vehicles))
            names = (f"brought {k}", f"aboard {k}")
            down = self.routing.RegisterUnaryTransitVector(brought + pad)
            moved = self.routing.RegisterUnaryTransitVector(change + pad)
            self.routing.AddDimensionWithVehicleCapacity(down, 0, rooms, True, names[0])
            self.routing.AddDimensionWithVehicleCapacity(moved, 0, rooms, False, names[1])
            first, aboard = (self.routing.GetDimensionOrDie(name) for name in names)
            for number in range(len(self.vehicles)):
                start, end = self.routing.Start(number), self.routing.End(number)
                self.routing.solver().Add(aboard.CumulVar(start) == first.CumulVar(end))

    def _add_limits(self) -> None:
        n, pad = len(self.visits), [0] * (2 * len(self.vehicles))
        limits: list[tuple[str, list[int | None], Any]] = [
            ("tasks", [v.max_tasks for v in self.vehicles], None),
            ("travel", [v.max_travel_s for v in self.vehicles], self._travel),
            ("distance", [v.max_distance_m for v in self.vehicles], self._distance),
        ]
        for name, given, callback in limits:
            if all(limit is None for limit in given):
                continue
            rooms = [_UNBOUNDED if limit is None else limit for limit in given]
            if callback is None:
                one = self.routing.RegisterUnaryTransitVector([1] * n + pad)
                self.routing.AddDimensionWithVehicleCapacity(one, 0, rooms, True, name)
            else:
                calls = [callback(number) for number in range(len(self.vehicles))]
                self.routing.AddDimensionWithVehicleTransitAndCapacity(calls, 0, rooms, True, name)

    def _distance(self, number: int) -> int:
        vehicle = self.vehicles[number]
        return self._register(("distance", id(vehicle.distance_m)), lambda: self._spread(vehicle.distance_m))

    def _add_choices(self) -> None:
        """Let visits be left out at a price above any route's cost, in the order of priority, then number."""
        dearest = max(float(v.cost[v.duration_s < FAR_S].max(initial=0.0)) for v in self.vehicles)
        work = max(v.task_cost_per_s for v in self.vehicles) * max(
            max(visit.service_s) + max(visit.setup_s) for visit in self.visits
        )
        fixed = max(v.fixed_cost for v in self.vehicles)
        one = round((3 * dearest + work + fixed + 1.0) * _COST_SCALE) * (len(self.visits) + 2)
        solver = self.routing.solver()
        for number, visit in enumerate(self.visits):
            index = self._node(number)
            self.routing.VehicleVar(index).SetValues([-1, *visit.vehicles])
            price = one * (1 + visit.priority * (len(self.visits) + 1))
            if visit.partner is not None:
                other = self._node(visit.partner)
                self.routing.AddPickupAndDelivery(index, other)
                solver.Add(self.routing.VehicleVar(index) == self.routing.VehicleVar(other))
                solver.Add(self.time.CumulVar(index) <= self.time.CumulVar(other))
                self.routing.AddDisjunction([index], price)
                self.routing.AddDisjunction([other], price)
            elif not visit.in_shipment:
                self.routing.AddDisjunction([index], price)

    # --- Search ----------------------------------------------------------------------------------------------------

    def solve(self, time_limit_s: float) -> list[Trip] | None:
        """Return the best trips found."""
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.time_limit.FromMilliseconds(max(50, round(time_limit_s * 1000)))
        self.routing.CloseModelWithParameters(parameters)
        if any(vehicle.first for vehicle in self.vehicles):
            first = self.routing.ReadAssignmentFromRoutes([list(v.first) for v in self.vehicles], True)
            if first is None:
                return None
            found = self.routing.SolveFromAssignmentWithParameters(first, parameters)
        else:
            found = self.routing.SolveWithParameters(parameters)
        return [] if found is None else [trip for trip in self._trips(found) if trip.visits]

    def _trips(self, found: Any) -> Iterable[Trip]:
        for number in range(len(self.vehicles)):
            index = self.routing.Start(number)
            made = []
            begin = self._at(found, index)
            index = found.Value(self.routing.NextVar(index))
            while not self.routing.IsEnd(index):
                made.append((self.manager.IndexToNode(index), self._at(found, index)))
                index = found.Value(self.routing.NextVar(index))
            yield Trip(number, begin, self._at(found, index), tuple(made), self._taken(found, number))

    def _at(self, found: Any, index: int) -> int:
        at: int = found.Min(self.time.CumulVar(index))
        return at + self.origin_s

    def _taken(self, found: Any, number: int) -> tuple[tuple[int, int], ...]:
        taken: list[tuple[int, int]] = []
        for k, options in enumerate(self.breaks.get(number, [])):
            chosen = [option for option in options if found.PerformedValue(option)]
            taken.extend((k, found.StartValue(option) + self.origin_s) for option in chosen)
        return tuple(taken)


def loads_of(trip: Trip, visits: Sequence[Visit], size: int) -> list[tuple[int, ...]]:
    """Return what is aboard at the start and after each visit of a trip."""
    aboard = [sum(visits[k].delivery[dim] for k, _ in trip.visits if not visits[k].in_shipment) for dim in range(size)]
    found = [tuple(aboard)]
    for k, _ in trip.visits:
        aboard = [aboard[dim] + visits[k].pickup[dim] - visits[k].delivery[dim] for dim in range(size)]
        found.append(tuple(aboard))
    return found


def unassigned_of(trips: Iterable[Trip], visits: Sequence[Visit]) -> list[int]:
    """Return the visits in no trip."""
    made: Mapping[int, int] = {k: trip.vehicle for trip in trips for k, _ in trip.visits}
    return [k for k in range(len(visits)) if k not in made]
