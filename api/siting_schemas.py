"""Bodies of siting requests and answers; a siting request is the options of ``shanlu site`` and its tables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.coordinates import CONVERTED, CRS_DESCRIPTION, Crs, wgs84_geojson, wgs84_order, wgs84_record
from api.resources import SitingPart
from api.schemas import FolderRef, JobStatus, PlanRequest, Request, common_status
from api.store import Job

if TYPE_CHECKING:
    from routing.siting.outcome import SiteRequest

TABLES = ("settlements", "points", "kinds")
"""Tables that may come in the body, or as files beside it."""
TABLE_FOLDER = "siting-tables"
"""Where they lie in the job's scenario folder."""
Id = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0, le=10_000)]


class SitingQuestion(Request):
    """What is asked; as the options of ``shanlu site``, money in minor units."""

    open: int | None = Field(default=None, ge=1, le=10_000, description="how many points to open")
    budget: float | None = Field(default=None, ge=0, le=1e15, description="money for opening, minor units")
    within_min: float | None = Field(
        default=None, gt=0, le=1_440, description="alone: the fewest points that bring everyone within so many minutes"
    )
    goal: Literal["mean", "tail", "centre"] = "mean"
    years: list[Count] = Field(default=[], max_length=20, description="points to open year by year, instead of `open`")
    capacities: bool = Field(default=False, description="points hold no more than their capacity of parcels a day")
    closable: bool = Field(default=False, description="existing points may be given up")
    force_open: list[Id] = Field(default=[], max_length=1_000)
    force_closed: list[Id] = Field(default=[], max_length=1_000)
    over: Literal["mean", "worst"] = Field(default="mean", description="with closed roads or lost lines")
    reach_min: float = Field(default=60.0, ge=1, le=1_440, description="longest way expected of anyone")
    profile: str = Field(default="walker", max_length=100, description="how people go: walker, emoto, ...")
    demand: Literal["sites", "places"] = Field(default="sites", description="who is served where no table is given")
    candidates: list[Literal["sites", "bus-stops"]] = Field(
        default=[], max_length=2, description="beside a table of points; without either: sites"
    )
    kind: list[Id] = Field(default=[], max_length=50, description="kinds of point that may open")
    lost_lines: list[Id] = Field(default=[], max_length=20, description="bus lines lost, each a case of its own")
    days: int = Field(default=0, ge=0, le=10, description="typical days to plan on each set; 0: none")
    iterations: int = Field(default=40, ge=0, le=100_000, description="effort of each of those plans")
    why: list[Id] = Field(default=[], max_length=100, description="places to price in any case")
    gap: float = Field(default=0.0, ge=0, le=1, description="relative gap at which the search may stop")
    time_limit_s: float = Field(default=60.0, ge=1, le=86_400, description="for each question")
    front_time_s: float = Field(default=300.0, ge=1, le=86_400, description="for the front")
    seed: int = Field(default=1, ge=0, le=2_147_483_647)
    lang: Literal["en", "zh"] = "en"

    @model_validator(mode="after")
    def _something_asked(self) -> SitingQuestion:
        if self.open is None and self.budget is None and self.within_min is None and not self.years:
            msg = "at least one of 'open', 'budget', 'within_min' and 'years' is needed"
            raise ValueError(msg)
        return self


class SitingRequest(SitingQuestion):
    """Where pickup points should be: on a scenario (a folder, or uploaded beside this), or on a network."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenario": {"folder": "yunling-2026-06-10"}, "open": 10, "days": 1},
                {
                    "network": "network-01a201224ef202869399",
                    "budget": 5_000_000,
                    "capacities": True,
                    "kind": ["shelf", "locker"],
                    "settlements": [{"name": "Shangping", "lon": 105.7312, "lat": 31.2204, "people": 412}],
                    "points": [{"id": "shop3", "name": "Wang's shop", "lon": 105.7331, "lat": 31.2211}],
                },
            ]
        }
    )

    scenario: FolderRef | None = None
    network: str | None = Field(default=None, max_length=100, description="id of a prepared network")
    service_date: date | None = Field(default=None, description="with a network; default: the network's own")
    orders: list[dict[str, Any]] | None = Field(default=None, description="with a network; a typical day, for `days`")
    fleet: dict[str, Any] | None = Field(default=None, description="as in fleet.toml; with a network, for `days`")
    settlements: list[dict[str, Any]] | None = Field(
        default=None, max_length=20_000, description="name, lon, lat, people; and id, parcels, elderly"
    )
    points: list[dict[str, Any]] | None = Field(
        default=None, max_length=5_000, description="id, name, lon, lat; and existing, kinds, opening_cost, capacity"
    )
    closures: list[dict[str, Any]] = Field(
        default=[], max_length=20, description="GeoJSON of closed roads, each a case beside the usual day"
    )
    crs: Crs = Field(default="wgs84", description=f"of tables and `closures` in the body: {CRS_DESCRIPTION}")

    @model_validator(mode="after")
    def _one_source(self) -> SitingRequest:
        if self.scenario is not None and self.network is not None:
            msg = "'scenario' and 'network' exclude each other"
            raise ValueError(msg)
        return self

    @property
    def in_wgs84(self) -> SitingRequest:
        """The same with all coordinates of the body in WGS 84."""
        if self.crs == "wgs84":
            return self
        tables = {
            "settlements": None if self.settlements is None else [wgs84_record(row) for row in self.settlements],
            "points": None if self.points is None else [wgs84_record(row) for row in self.points],
            "orders": None if self.orders is None else [wgs84_order(row) for row in self.orders],
            "closures": [wgs84_geojson(closure) for closure in self.closures],
        }
        return self.model_copy(update={"crs": "wgs84", **tables})

    @property
    def question(self) -> dict[str, Any]:
        """What is asked alone, JSON-ready."""
        return {name: getattr(self, name) for name in SitingQuestion.model_fields}

    @property
    def day(self) -> PlanRequest:
        """The source of the scenario, as a plan's request has it."""
        return PlanRequest(
            scenario=self.scenario,
            network=self.network,
            service_date=self.service_date,
            orders=self.orders,
            fleet=self.fleet,
        )


class SitingResult(BaseModel):
    """The answer in short; all of it is in the report."""

    currency: str
    measure: str
    value: float
    bound: float
    proven: bool
    gap: float
    opened: int
    investment: float = Field(description="minor units of money")
    mean_min: float
    people: float
    people_beyond: float
    points: list[str] = Field(description="ids of the open points")
    front: int = Field(description="sets no other one beats in money, access and daily delivery cost")
    sets_judged: int
    timings_s: dict[str, float]


class SitingStatus(JobStatus):
    """A siting: its state, what it does, its answer when it is finished, and where its files are."""

    network: str | None = None
    question: dict[str, Any]
    result: SitingResult | None = None
    notes: list[str] = Field(default=[])


class SitingPage(BaseModel):
    """Sitings, the newest first."""

    sitings: list[SitingStatus]
    next: str | None = Field(default=None, description="path of the next page")


def siting_status(job: Job) -> SitingStatus:
    """Return a siting's status."""
    own = f"/v1/sitings/{job.id}"
    links = {"self": own, "events": f"{own}/events"}
    if job.result is not None:
        links |= {part.value: f"{own}/{part.value}" for part in SitingPart}
    result = None if job.result is None else SitingResult.model_validate(job.result)
    return SitingStatus(
        **common_status(job, links),
        network=job.network_id,
        question=job.request["question"],
        result=result,
        notes=[CONVERTED] if job.request.get("crs") == "gcj02" else [],
    )


# --- Tables on disk --------------------------------------------------------------------------------------------------


def write_tables(body: SitingRequest, files: Mapping[str, tuple[str, bytes]], scenario: Path) -> list[Path]:
    """Put the tables of a request into its scenario folder and return those that were uploaded.

    Parameters
    ----------
    files
        Name ending and bytes of each uploaded table.
    """
    folder = scenario / TABLE_FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # an uploaded scenario may bring a folder of that name
    folder.mkdir()
    for name in ("settlements", "points"):
        rows = getattr(body, name)
        if rows is not None:
            (folder / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for number, closure in enumerate(body.closures):
        path = folder / f"closures-{number}.geojson"
        path.write_text(json.dumps(closure, ensure_ascii=False), encoding="utf-8")
    uploaded = []
    for name, (ending, content) in files.items():
        uploaded.append(folder / f"{name}{ending}")
        uploaded[-1].write_bytes(content)
    return uploaded


def tables_of(scenario: Path) -> dict[str, Path]:
    """Return the tables of a siting's scenario folder by name."""
    return {path.stem: path for path in sorted((scenario / TABLE_FOLDER).iterdir())}


def site_request(scenario: Path, question: Mapping[str, Any]) -> SiteRequest:
    """Return the siting's request of a job's scenario folder and what the store keeps of the question."""
    from routing.siting.outcome import SiteRequest  # noqa: PLC0415 - the server needs no solver
    from routing.siting.study import Aim  # noqa: PLC0415 - as above

    asked = SitingQuestion.model_validate(question)
    tables = tables_of(scenario)
    points = [str(tables["points"])] if "points" in tables else []
    aim = Aim(
        open_n=asked.open,
        budget=asked.budget,
        within_min=asked.within_min,
        goal=asked.goal,
        capacities=asked.capacities,
        closable=asked.closable,
        must_open=tuple(asked.force_open),
        closed=tuple(asked.force_closed),
        years=tuple(asked.years),
        over=asked.over,
        reach_min=asked.reach_min,
        gap=asked.gap,
        time_limit_s=asked.time_limit_s,
    )
    return SiteRequest(
        aim=aim,
        demand=str(tables["settlements"]) if "settlements" in tables else asked.demand,
        candidates=(*asked.candidates, *points) or ("sites",),
        kinds=tuple(asked.kind),
        kinds_file=tables.get("kinds"),
        profile=asked.profile,
        closures=tuple(path for name, path in tables.items() if name.startswith("closures-")),
        lost_lines=tuple(asked.lost_lines),
        days=asked.days,
        plan_iterations=asked.iterations,
        front_time_limit_s=asked.front_time_s,
        why=tuple(asked.why),
        seed=asked.seed,
        lang=asked.lang,
    )
