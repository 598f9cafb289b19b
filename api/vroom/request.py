"""The request of VROOM 1.14, vroom-express and openrouteservice optimization.

Every documented key is here. Unknown keys are kept by pydantic and told as warnings (`unknown_keys`), since clients of
VROOM expect them to be passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from geodata.errors import nearest_name

Id = Annotated[int, Field(ge=0, le=2**63 - 1)]
Index = Annotated[int, Field(ge=0, le=1_000_000)]
Seconds = Annotated[int, Field(ge=0, le=2**40)]
Amount = list[Annotated[int, Field(ge=0, le=2**40)]]
TimeWindow = tuple[Seconds, Seconds]
Coordinates = tuple[
    Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)],
    Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)],
]
MAX_PRIORITY = 100


class Part(BaseModel):
    """Base of all parts: unknown keys are kept, to be told."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Spot(Part):
    """Something at a place: coordinates, an index into matrices, or both."""

    location: Coordinates | None = None
    location_index: Index | None = None
    setup: Seconds = 0
    service: Seconds = 0
    setup_per_type: dict[str, Seconds] = {}
    service_per_type: dict[str, Seconds] = {}
    time_windows: Annotated[list[TimeWindow], Field(max_length=100)] = []
    description: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> Spot:
        if self.location is None and self.location_index is None:
            msg = "'location' or 'location_index' is needed"
            raise ValueError(msg)
        check_windows(self.time_windows)
        return self


class JobPart(Spot):
    """A job."""

    id: Id
    delivery: Amount = []
    pickup: Amount = []
    amount: Amount = Field(default=[], description="older name of delivery")
    skills: list[int] = []
    priority: int = Field(default=0, ge=0, le=MAX_PRIORITY)


class ShipmentStep(Spot):
    """One end of a shipment."""

    id: Id


class ShipmentPart(Part):
    """A shipment."""

    pickup: ShipmentStep
    delivery: ShipmentStep
    amount: Amount = []
    skills: list[int] = []
    priority: int = Field(default=0, ge=0, le=MAX_PRIORITY)


class BreakPart(Part):
    """A break."""

    id: Id
    time_windows: Annotated[list[TimeWindow], Field(max_length=100)] = []
    service: Seconds = 0
    description: str | None = None
    max_load: Amount | None = None

    @model_validator(mode="after")
    def _sound(self) -> BreakPart:
        check_windows(self.time_windows)
        return self


class VehicleCosts(Part):
    """What a vehicle costs; the defaults make cost the seconds of travel."""

    fixed: int = Field(default=0, ge=0, le=2**40)
    per_hour: int = Field(default=3600, ge=0, le=2**40)
    per_km: int = Field(default=0, ge=0, le=2**40)
    per_task_hour: int = Field(default=0, ge=0, le=2**40)


class VehicleStep(Part):
    """A step of a route the search begins with, or of one given in plan mode."""

    type: Literal["start", "job", "pickup", "delivery", "break", "end"]
    id: Id | None = None
    service_at: Seconds | None = None
    service_after: Seconds | None = None
    service_before: Seconds | None = None


class VehiclePart(Part):
    """A vehicle."""

    id: Id
    profile: str = "car"
    description: str | None = None
    start: Coordinates | None = None
    start_index: Index | None = None
    end: Coordinates | None = None
    end_index: Index | None = None
    capacity: Amount = []
    costs: VehicleCosts = VehicleCosts()
    skills: list[int] = []
    type: str | None = None
    time_window: TimeWindow | None = None
    breaks: Annotated[list[BreakPart], Field(max_length=20)] = []
    speed_factor: float = Field(default=1.0, gt=0, le=5, allow_inf_nan=False)
    max_tasks: int | None = Field(default=None, ge=0, le=2**40)
    max_travel_time: Seconds | None = None
    max_distance: Seconds | None = None
    steps: list[VehicleStep] = []

    @model_validator(mode="after")
    def _sound(self) -> VehiclePart:
        ends = (self.start, self.start_index, self.end, self.end_index)
        if all(end is None for end in ends):
            msg = "'start' or 'end' is needed"
            raise ValueError(msg)
        check_windows([] if self.time_window is None else [self.time_window])
        return self


class Matrices(Part):
    """Custom matrices of a profile."""

    durations: list[list[Annotated[int, Field(ge=0, le=2**40)]]] | None = None
    distances: list[list[Annotated[int, Field(ge=0, le=2**40)]]] | None = None
    costs: list[list[Annotated[int, Field(ge=0, le=2**40)]]] | None = None

    @model_validator(mode="after")
    def _sound(self) -> Matrices:
        sizes = {len(m) for m in (self.durations, self.distances, self.costs) if m is not None}
        for matrix in (self.durations, self.distances, self.costs):
            sizes |= {len(row) for row in matrix or []}
        if len(sizes) > 1:
            msg = "the matrices are not square or differ in size"
            raise ValueError(msg)
        return self


class Options(Part):
    """Options of vroom-express and openrouteservice; `t` is taken and has no effect: the search uses one thread."""

    g: bool = Field(default=False, description="with the geometry of the routes and their distances")
    c: bool = Field(
        default=False, description="plan mode: times for the routes given in `steps`, whose constraints may be broken"
    )
    t: int | None = Field(default=None, ge=1, le=1_000)
    x: int | None = Field(default=None, ge=0, le=5, description="effort of the search, 5 is most")
    l: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False, description="time limit, s")  # noqa: E741


class VroomRequest(Part):
    """A problem as VROOM takes it."""

    vehicles: Annotated[list[VehiclePart], Field(min_length=1)]
    jobs: list[JobPart] = []
    shipments: list[ShipmentPart] = []
    matrices: dict[str, Matrices] = {}
    matrix: list[list[Annotated[int, Field(ge=0, le=2**40)]]] | None = Field(
        default=None, description="older form of matrices.car.durations"
    )
    options: Options = Options()

    @model_validator(mode="after")
    def _sound(self) -> VroomRequest:
        if not self.jobs and not self.shipments:
            msg = "'jobs' or 'shipments' is needed"
            raise ValueError(msg)
        for kind, ids in (
            ("vehicle", [vehicle.id for vehicle in self.vehicles]),
            ("job", [job.id for job in self.jobs]),
            ("pickup", [shipment.pickup.id for shipment in self.shipments]),
            ("delivery", [shipment.delivery.id for shipment in self.shipments]),
        ):
            if len(set(ids)) != len(ids):
                msg = f"{kind} ids repeat"
                raise ValueError(msg)
        _check_amounts(self)
        return self


def check_windows(windows: list[TimeWindow]) -> None:
    """Refuse windows that end before they begin, or that are not in order of time."""
    for start, end in windows:
        if end < start:
            msg = f"the time window [{start}, {end}] ends before it begins"
            raise ValueError(msg)
    if any(later[0] <= earlier[1] for earlier, later in pairwise(windows)):
        msg = "the time windows overlap or are not in order of time"
        raise ValueError(msg)


def _check_amounts(request: VroomRequest) -> None:
    lengths = {len(vehicle.capacity) for vehicle in request.vehicles}
    given = [amount for job in request.jobs for amount in (job.delivery, job.pickup, job.amount)]
    given += [shipment.amount for shipment in request.shipments]
    given += [pause.max_load for vehicle in request.vehicles for pause in vehicle.breaks if pause.max_load is not None]
    lengths |= {len(amount) for amount in given if amount}
    if len(lengths) > 1:
        msg = f"amounts and capacities differ in length: {sorted(lengths)}"
        raise ValueError(msg)


def without_effect(request: VroomRequest) -> Iterator[str]:
    """Yield a sentence for every known key that has no effect, as it has none in VROOM."""
    if request.options.c:
        return
    for k, vehicle in enumerate(request.vehicles):
        for number, step in enumerate(vehicle.steps):
            for name in ("service_at", "service_after", "service_before"):
                if getattr(step, name) is not None:
                    yield f"/vehicles/{k}/steps/{number}/{name} has no effect: routes given only begin the search"


def unknown_keys(part: Part, path: str = "") -> Iterator[str]:
    """Yield a sentence for every key that is not known, with the nearest known one."""
    known = list(type(part).model_fields)
    for key in part.model_extra or {}:
        near = nearest_name(key, known)
        yield f"{path}/{key} is not a known key and has no effect" + (f"; did you mean '{near}'?" if near else "")
    for name in known:
        yield from _unknown_within(getattr(part, name), f"{path}/{name}")


def _unknown_within(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Part):
        yield from unknown_keys(value, path)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            if isinstance(inner, Part):
                yield from unknown_keys(inner, f"{path}/{number}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, Part):
                yield from unknown_keys(inner, f"{path}/{key}")
