"""A VROOM request as visits and vehicles: locations gathered, travel read from its matrices or from a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from api.vroom.request import (
    BreakPart,
    JobPart,
    Matrices,
    ShipmentPart,
    ShipmentStep,
    TimeWindow,
    VehiclePart,
    VroomRequest,
)
from geodata.location import FloatArray
from routing.visits import FAR_S, IntArray, Pause, TripVehicle, Visit

LATEST_S = 2**40
"""End of a vehicle's time window where it has none."""
Coordinate = tuple[float, float]
TravelTables = tuple[IntArray, IntArray]
"""Seconds and metres between coordinates; `FAR_S` and more where there is no way."""
Router = Callable[[str, Sequence[Coordinate]], TravelTables]
"""Gives travel between coordinates for a profile."""


class VroomError(Exception):
    """A request that cannot be answered, with VROOM's code: 2 for its input, 3 for routing."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class Task:
    """What a visit is in the request: kind, the part of the request, and the shipment it belongs to."""

    kind: str
    spot: JobPart | ShipmentStep
    amount: tuple[int, ...]
    priority: int
    skills: frozenset[int]
    shipment: ShipmentPart | None = None


@dataclass(frozen=True, eq=False)
class VroomProblem:
    """A request ready to be solved."""

    tasks: tuple[Task, ...]
    visits: tuple[Visit, ...]
    vehicles: tuple[TripVehicle, ...]
    places: tuple[Coordinate | None, ...]
    """Coordinates of each location."""
    has_distances: bool
    size: int
    """Length of amounts."""


class _Locations:
    """Numbers the locations: by matrix index where matrices are given, else by coordinates."""

    def __init__(self, *, indexed: bool) -> None:
        self.indexed = indexed
        self._number: dict[object, int] = {}
        self.coordinates: list[Coordinate | None] = []
        self.indices: list[int] = []

    def add(self, what: str, location: Coordinate | None, index: int | None) -> int:
        if self.indexed and index is None:
            raise VroomError(2, f"{what}: with custom matrices an index into them is needed")
        if not self.indexed and location is None:
            raise VroomError(2, f"{what}: without custom matrices coordinates are needed")
        key: object = index if self.indexed else location
        if key not in self._number:
            self._number[key] = len(self.coordinates)
            self.coordinates.append(location)
            self.indices.append(-1 if index is None else index)
        return self._number[key]


def make_problem(request: VroomRequest, router: Router | None) -> VroomProblem:
    """Return the visits and vehicles of a request.

    Parameters
    ----------
    router
        Routes coordinates; None where the service has no network for them.

    Raises
    ------
    VroomError
        If the request contradicts itself, or cannot be routed.
    """
    matrices = dict(request.matrices)
    if request.matrix is not None:
        matrices.setdefault("car", Matrices(durations=request.matrix))
    locations = _Locations(indexed=bool(matrices))
    size = len(request.vehicles[0].capacity)
    tasks = [_job_task(job, size) for job in request.jobs]
    for shipment in request.shipments:
        tasks += _shipment_tasks(shipment, size)
    spots = [
        locations.add(f"{task.kind} {task.spot.id}", task.spot.location, task.spot.location_index) for task in tasks
    ]
    ends = [_ends_of(vehicle, locations) for vehicle in request.vehicles]
    tables = _tables(request, matrices, locations, router)
    visits = [_visit(k, task, spots[k], request.vehicles) for k, task in enumerate(tasks)]
    visits = _with_reach(visits, ends, [tables[vehicle.profile][0] for vehicle in request.vehicles])
    scaled: dict[tuple[str, float], IntArray] = {}
    prices: dict[tuple[str, float, int, int], FloatArray] = {}
    vehicles = tuple(
        _vehicle(vehicle, ends[k], tables, matrices, locations, scaled, prices, tasks, given=request.options.c)
        for k, vehicle in enumerate(request.vehicles)
    )
    has_distances = router is not None and not matrices
    has_distances |= bool(matrices) and all(entry.distances is not None for entry in matrices.values())
    return VroomProblem(tuple(tasks), tuple(visits), vehicles, tuple(locations.coordinates), has_distances, size)


def _padded(amount: Sequence[int], size: int) -> tuple[int, ...]:
    return tuple(amount) if amount else (0,) * size


def _job_task(job: JobPart, size: int) -> Task:
    return Task("job", job, _padded(job.delivery or job.amount, size), job.priority, frozenset(job.skills))


def _shipment_tasks(shipment: ShipmentPart, size: int) -> list[Task]:
    amount, skills = _padded(shipment.amount, size), frozenset(shipment.skills)
    return [
        Task(kind, spot, amount, shipment.priority, skills, shipment)
        for kind, spot in (("pickup", shipment.pickup), ("delivery", shipment.delivery))
    ]


def _visit(number: int, task: Task, location: int, vehicles: Sequence[VehiclePart]) -> Visit:
    none = (0,) * len(task.amount)
    pickup = task.amount if task.kind == "pickup" else none
    if isinstance(task.spot, JobPart) and task.spot.pickup:
        pickup = tuple(task.spot.pickup)
    return Visit(
        location=location,
        windows=tuple(task.spot.time_windows),
        setup_s=tuple(_by_type(task.spot.setup, task.spot.setup_per_type, vehicle) for vehicle in vehicles),
        service_s=tuple(_by_type(task.spot.service, task.spot.service_per_type, vehicle) for vehicle in vehicles),
        delivery=none if task.kind == "pickup" else task.amount,
        pickup=pickup,
        vehicles=tuple(k for k, vehicle in enumerate(vehicles) if task.skills <= set(vehicle.skills)),
        priority=task.priority,
        partner=number + 1 if task.kind == "pickup" else None,
        in_shipment=task.shipment is not None,
    )


def _by_type(plain: int, by_type: Mapping[str, int], vehicle: VehiclePart) -> int:
    return by_type.get(vehicle.type, plain) if vehicle.type is not None else plain


def _ends_of(vehicle: VehiclePart, locations: _Locations) -> tuple[int | None, int | None]:
    found = []
    for name, place, index in (
        ("start", vehicle.start, vehicle.start_index),
        ("end", vehicle.end, vehicle.end_index),
    ):
        given = place is not None or index is not None
        found.append(locations.add(f"vehicle {vehicle.id}, {name}", place, index) if given else None)
    return found[0], found[1]


def comes(duration_s: IntArray, start: int | None, spot: int, end: int | None) -> bool:
    """Return whether a vehicle can drive from its start to a spot, and on to its end."""
    there = start is None or start == spot or duration_s[start, spot] < FAR_S
    back = end is None or end == spot or duration_s[spot, end] < FAR_S
    return bool(there and back)


def _with_reach(
    visits: Sequence[Visit], ends: Sequence[tuple[int | None, int | None]], durations: Sequence[IntArray]
) -> list[Visit]:
    """Leave each visit the vehicles that can come there from their start and go on to their end."""

    def reaches(visit: Visit, number: int) -> bool:
        return comes(durations[number], ends[number][0], visit.location, ends[number][1])

    return [replace(visit, vehicles=tuple(k for k in visit.vehicles if reaches(visit, k))) for visit in visits]


def _tables(
    request: VroomRequest, matrices: Mapping[str, Matrices], locations: _Locations, router: Router | None
) -> dict[str, TravelTables]:
    """Return seconds and metres over the locations by profile."""
    found = {}
    for profile in sorted({vehicle.profile for vehicle in request.vehicles}):
        if matrices:
            found[profile] = _custom(profile, matrices, locations.indices)
        elif router is None:
            raise VroomError(
                3, "the service has no network to route coordinates; send matrices, or set SHANLU_VROOM_NETWORK"
            )
        else:
            found[profile] = router(profile, [place for place in locations.coordinates if place is not None])
    return found


def _custom(profile: str, matrices: Mapping[str, Matrices], indices: Sequence[int]) -> TravelTables:
    given = matrices.get(profile)
    if given is None or given.durations is None:
        raise VroomError(2, f"there are no durations for the profile '{profile}' in the custom matrices")
    if max(indices) >= len(given.durations):
        raise VroomError(2, f"the index {max(indices)} lies outside the matrices of '{profile}'")
    durations = _pick(given.durations, indices)
    distances = np.zeros_like(durations) if given.distances is None else _pick(given.distances, indices)
    return durations, distances


def _pick(matrix: list[list[int]], indices: Sequence[int]) -> IntArray:
    return np.array(matrix, dtype=np.int64)[np.ix_(indices, indices)]


def _vehicle(
    vehicle: VehiclePart,
    ends: tuple[int | None, int | None],
    tables: Mapping[str, TravelTables],
    matrices: Mapping[str, Matrices],
    locations: _Locations,
    scaled: dict[tuple[str, float], IntArray],
    prices: dict[tuple[str, float, int, int], FloatArray],
    tasks: Sequence[Task],
    *,
    given: bool,
) -> TripVehicle:
    """Return a vehicle; with `given` routes neither breaks nor steps are for the search, as there is none."""
    durations, distances = tables[vehicle.profile]
    key = (vehicle.profile, vehicle.speed_factor)
    if key not in scaled:
        scaled[key] = np.where(durations < FAR_S, np.ceil(durations / vehicle.speed_factor - 1e-9), durations).astype(
            np.int64
        )
    priced = (*key, vehicle.costs.per_hour, vehicle.costs.per_km)
    if priced not in prices:
        prices[priced] = _price(vehicle, scaled[key], distances, matrices, locations)
    window = vehicle.time_window or (0, LATEST_S)
    return TripVehicle(
        start=ends[0],
        end=ends[1],
        window=window,
        capacity=tuple(vehicle.capacity),
        duration_s=scaled[key],
        cost=prices[priced],
        distance_m=distances,
        fixed_cost=float(vehicle.costs.fixed),
        task_cost_per_s=vehicle.costs.per_task_hour / 3600.0,
        max_tasks=vehicle.max_tasks,
        max_travel_s=vehicle.max_travel_time,
        max_distance_m=vehicle.max_distance,
        pauses=() if given else tuple(_pause(pause, vehicle, window) for pause in vehicle.breaks),
        first=() if given else _first(vehicle, tasks),
    )


def _price(
    vehicle: VehiclePart,
    duration_s: IntArray,
    distance_m: IntArray,
    matrices: Mapping[str, Matrices],
    locations: _Locations,
) -> FloatArray:
    """Return the cost of each way: that of the matrix given, else by time and distance."""
    given = matrices.get(vehicle.profile)
    if given is not None and given.costs is not None:
        return _pick(given.costs, locations.indices).astype(np.float64)
    return duration_s * (vehicle.costs.per_hour / 3600.0) + distance_m * (vehicle.costs.per_km / 1000.0)


def _pause(pause: BreakPart, vehicle: VehiclePart, shift: TimeWindow) -> Pause:
    usable = tuple((a, b) for a, b in pause.time_windows if b >= shift[0] and a + pause.service <= shift[1])
    if pause.time_windows and not usable:
        raise VroomError(2, f"vehicle {vehicle.id}: a break lies outside its time window")
    return Pause(usable, pause.service, tuple(pause.max_load) if pause.max_load else None)


def _first(vehicle: VehiclePart, tasks: Sequence[Task]) -> tuple[int, ...]:
    """Return the visits of the route a vehicle's `steps` give."""
    numbers = {(task.kind, task.spot.id): k for k, task in enumerate(tasks)}
    found = []
    for step in vehicle.steps:
        if step.type in {"job", "pickup", "delivery"}:
            number = numbers.get((step.type, -1 if step.id is None else step.id))
            if number is None:
                raise VroomError(2, f"vehicle {vehicle.id}: its steps name the unknown {step.type} {step.id}")
            found.append(number)
    return tuple(found)
