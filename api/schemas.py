"""Bodies of requests and answers. Requests refuse unknown keys; times are RFC 3339, durations seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.coordinates import CONVERTED, CRS_DESCRIPTION, Crs
from api.store import Job, JobState

RESULT_PARTS = ("plan", "geojson", "routes", "orders", "manifests", "map", "report")
"""Names of a finished plan's files in paths."""
EARLY_PARTS = ("plan", "geojson", "routes", "orders")
"""Those of them that the best plan so far of a running one has."""
CarrierKindName = Literal["vehicle", "drone", "bus", "courier"]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class Request(BaseModel):
    """Base of request bodies: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FolderRef(Request):
    """A scenario folder below the folder the service is configured with."""

    folder: str = Field(min_length=1, max_length=200, examples=["yunling-2026-06-10"])


class PlanSettings(Request):
    """How to search; as the options of ``shanlu plan``."""

    time_limit_s: float | None = Field(default=None, gt=0, le=86_400, description="default: the scenario's own")
    max_iterations: int | None = Field(default=None, ge=0, le=100_000_000, description="makes the plan repeatable")
    seed: int = Field(default=1, ge=0, le=2_147_483_647)
    only: list[CarrierKindName] = Field(default=[], max_length=4, description="carrier kinds to use; empty: all")
    reject_bad_rows: bool = Field(default=False, description="plan the good orders and list the faulty ones")
    lang: Literal["en", "zh"] = "en"


class PlanRequest(PlanSettings):
    """A plan to be made: of a scenario (a folder, or uploaded beside this), or of a network with orders and fleet."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenario": {"folder": "yunling-2026-06-10"}, "time_limit_s": 30},
                {
                    "network": "network-01a201224ef202869399",
                    "service_date": "2026-06-10",
                    "orders": [{"id": "o1", "from_site": "hub", "to_site": "v1", "weight_kg": 1.2, "volume_l": 5}],
                    "fleet": {
                        "vehicle": [{"id": "van", "preset": "van_electric"}],
                        "stand": [{"type": "van", "site": "hub", "count": 2}],
                    },
                    "max_iterations": 200,
                },
            ]
        }
    )

    scenario: FolderRef | None = None
    network: str | None = Field(default=None, max_length=100, description="id of a prepared network")
    name: str | None = Field(default=None, min_length=1, max_length=200, description="name of the day; with a network")
    service_date: date | None = Field(default=None, description="with a network; default: the network's own")
    orders: list[dict[str, Any]] | None = Field(default=None, description="records as in orders.json; with a network")
    fleet: dict[str, Any] | None = Field(default=None, description="as in fleet.toml; with a network")
    crs: Crs = Field(default="wgs84", description=f"of `orders`: {CRS_DESCRIPTION}")

    @model_validator(mode="after")
    def _one_source(self) -> PlanRequest:
        if self.crs != "wgs84" and self.orders is None:
            msg = "'crs' is taken with 'orders' alone: coordinates in files are WGS 84"
            raise ValueError(msg)
        if self.scenario is not None and self.network is not None:
            msg = "'scenario' and 'network' exclude each other"
            raise ValueError(msg)
        return self

    @property
    def options(self) -> dict[str, Any]:
        """The search settings alone, JSON-ready."""
        return {name: getattr(self, name) for name in PlanSettings.model_fields}


FileName = Annotated[str, Field(min_length=1, max_length=200)]


class AreaFiles(Request):
    """Files below the folder the service is configured with that make an area."""

    streets: FileName = Field(description="OSM extract, .osm.pbf or .osm")
    sites: FileName = Field(description="csv, xlsx, json or geojson")
    terrain: list[FileName] = Field(default=[], max_length=50, description="elevation tiles: .hgt, .hgt.zip, .tif")
    timetable: FileName | None = Field(default=None, description="zip of a GTFS feed")


class NetworkRequest(Request):
    """A network to be prepared: of a scenario folder, of files named one by one, or of files sent beside this."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenario": {"folder": "yunling-2026-06-10"}},
                {
                    "files": {
                        "streets": "maps/county.osm.pbf",
                        "terrain": ["maps/N27E104.hgt.zip"],
                        "timetable": "buses.zip",
                        "sites": "sites.csv",
                    },
                    "name": "county",
                    "crs": "gcj02",
                },
            ]
        }
    )

    scenario: FolderRef | None = None
    files: AreaFiles | None = None
    name: str | None = Field(default=None, min_length=1, max_length=200, description="of parts; default: area")
    service_date: date | None = Field(default=None, description="of parts; default: today in UTC")
    timezone: str | None = Field(default=None, max_length=100, description="of parts; default: Asia/Shanghai")
    currency: str | None = Field(default=None, max_length=3, description="of parts; default: CNY")
    crs: Crs = Field(default="wgs84", description=f"of the sites file: {CRS_DESCRIPTION}")


class CheckRequest(Request):
    """A plan to be judged against the scenario of a plan made here, or of a folder."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"scenario": {"folder": "yunling-2026-06-10"}, "plan": {"format": "..."}}]}
    )

    scenario: FolderRef | None = None
    plan_id: str | None = Field(default=None, max_length=100, description="judge against this plan's scenario")
    plan: dict[str, Any] = Field(description="the content of a plan.json")

    @model_validator(mode="after")
    def _one_source(self) -> CheckRequest:
        if (self.scenario is None) == (self.plan_id is None):
            msg = "exactly one of 'scenario' and 'plan_id' is needed"
            raise ValueError(msg)
        return self


class MatrixRequest(Request):
    """Travel between places on a prepared network."""

    network: str = Field(max_length=100)
    profile: str = Field(
        default="van_diesel", max_length=100, description="travel profile, for example van_diesel or walker"
    )
    places: list[tuple[Longitude, Latitude]] = Field(min_length=1, description="[longitude, latitude] of each place")
    crs: Crs = Field(default="wgs84", description=CRS_DESCRIPTION)


class Matrix(BaseModel):
    """Travel from place i (row) to place j (column); null where there is no way."""

    profile: str
    network_digest: str
    duration_s: list[list[int | None]]
    distance_m: list[list[int | None]]
    energy_wh: list[list[float | None]]
    access_m: list[float | None] = Field(description="metres from each place to the street; null: no street near")
    notes: list[str] = []


class BestSoFar(BaseModel):
    """The best plan so far that is checked; its files can be fetched. It is not final: a better one may follow."""

    cost: int = Field(description="minor units of money")
    served: int
    unassigned: int


class Progress(BaseModel):
    """What a running job does; the figures are those of the search's best plan so far, checked or not."""

    stage: str
    cost: int | None = Field(default=None, description="minor units of money")
    served: int | None = None
    orders: int | None = None
    elapsed_s: float | None = Field(default=None, description="seconds since the search began")
    left_s: float | None = Field(default=None, description="seconds the search may still take")
    share: float | None = Field(default=None, description="how much of the search's effort is used, 0 to 1")
    checked: bool = Field(default=False, description="the plan is checked and can be fetched; other files follow")
    best: BestSoFar | None = Field(default=None, description="the plan that `links` lead to until the plan is finished")


class PlanResult(BaseModel):
    """The figures of a finished, checked plan."""

    currency: str
    cost: int = Field(description="minor units of money")
    bound: float | None = None
    orders: int
    served: int
    unassigned: int
    rejected: int
    routes: int
    searches: int = Field(default=1, description="processes that were to search for the plan")
    scenario_digest: str
    timings_s: dict[str, float]


class JobStatus(BaseModel):
    """What plans and networks have in common."""

    id: str
    name: str
    state: JobState
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    attempt: int = Field(description="how often work was begun; above 1 after a worker died")
    stop_requested: bool = False
    progress: Progress | None = None
    error: dict[str, Any] | None = Field(default=None, description="a problem document, of a failed job")
    links: dict[str, str]


class PlanStatus(JobStatus):
    """A plan: its state, its progress, its figures when it is finished, and where its results are."""

    network: str | None = None
    options: dict[str, Any]
    result: PlanResult | None = None
    notes: list[str] = []


class NetworkFacts(BaseModel):
    """What a prepared network holds."""

    name: str
    digest: str = Field(description="version: changes when any file does")
    service_date: date
    timezone: str
    sites: int
    street_nodes: int
    street_edges: int
    bus_trips: int
    bounds: list[float] = Field(description="west, south, east, north")
    profiles: list[str]


class NetworkStatus(JobStatus):
    """A network and its facts once it is prepared."""

    result: NetworkFacts | None = None
    notes: list[str] = []


class DayFileVersion(BaseModel):
    """A file of the day on a network, as it was replaced."""

    network: str
    file: str
    digest: str = Field(description="SHA-256 of the file; its ETag is the same in quotes")
    network_digest: str = Field(description="version of the network from now on")


class PlanPage(BaseModel):
    """Plans, the newest first."""

    plans: list[PlanStatus]
    next: str | None = Field(default=None, description="path of the next page")


class NetworkPage(BaseModel):
    """Networks, the newest first."""

    networks: list[NetworkStatus]
    next: str | None = Field(default=None, description="path of the next page")


class Validated(BaseModel):
    """What a dry run found: no fault."""

    valid: Literal[True] = True
    name: str
    service_date: date
    orders: int
    rejected: int
    sites: int
    scenario_digest: str


class CheckReport(BaseModel):
    """The checker's judgement."""

    clean: bool
    counts: dict[str, int]
    violations: list[dict[str, Any]]


class Whereabouts(BaseModel):
    """Where an order should be: waiting at a place, riding on a route between two, or delivered at a place."""

    status: Literal["waiting", "riding", "delivered"]
    place: str | None = None
    route: str | None = None
    from_place: str | None = None
    to_place: str | None = None
    until_s: int | None = None


class OrderPosition(BaseModel):
    """Where one plan has an order."""

    plan: str
    service_date: date
    at_s: int = Field(description="seconds after midnight of the service date that `now` is for")
    status: Literal["planned", "unassigned"]
    legs: list[dict[str, Any]] = []
    now: Whereabouts | None = None
    next: dict[str, Any] | None = Field(default=None, description="the next leg")
    reason: str | None = None


class OrderStatus(BaseModel):
    """Where an order should be, by each plan that has it, the newest first."""

    order: str
    plans: list[OrderPosition]


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


def known_keys(model: type[BaseModel]) -> Iterator[str]:
    """Yield the keys a request body may have, for "did you mean"."""
    for name, field in model.model_fields.items():
        yield name
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from known_keys(part)


def moment(seconds: float | None) -> datetime | None:
    """Return a time as an aware datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def common_status(job: Job, links: dict[str, str]) -> dict[str, Any]:
    """Return what every job's status has."""
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "created": moment(job.created_s),
        "started": moment(job.started_s),
        "finished": moment(job.finished_s),
        "attempt": job.attempt,
        "stop_requested": job.stop_requested,
        "progress": job.progress if job.state is JobState.RUNNING else None,
        "error": job.error,
        "links": links,
    }


def plan_status(job: Job) -> PlanStatus:
    """Return a plan's status."""
    own = f"/v1/plans/{job.id}"
    links = {"self": own, "events": f"{own}/events"}
    if job.result is not None:
        links |= {part: f"{own}/{part}" for part in RESULT_PARTS}
    elif (job.progress or {}).get("best") is not None:
        links |= {part: f"{own}/{part}" for part in EARLY_PARTS}
    replaces = job.request.get("replaces")
    if replaces is not None:
        links |= {"replaces": f"/v1/plans/{replaces}", "diff": f"{own}/diff"}
    return PlanStatus(
        **common_status(job, links),
        network=job.network_id,
        options=job.request["options"],
        result=_result(job),
        notes=[*([CONVERTED] if job.request.get("crs") == "gcj02" else []), *(job.result or {}).get("notes", [])],
    )


def _result(job: Job) -> PlanResult | None:
    return None if job.result is None else PlanResult.model_validate(job.result)


def network_status(job: Job) -> NetworkStatus:
    """Return a network's status."""
    facts = None if job.result is None else NetworkFacts.model_validate(job.result)
    notes = [CONVERTED] if job.request.get("crs") == "gcj02" else []
    return NetworkStatus(**common_status(job, {"self": f"/v1/networks/{job.id}"}), result=facts, notes=notes)
