"""Bodies of ``POST /v1/plans/{id}/replan``: what has happened, what stays, how much may change; and the difference."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.coordinates import CRS_DESCRIPTION, Crs, wgs84_geojson, wgs84_order
from api.schemas import Request
from routing.replan.events import Breakdown, Delay, Done, Events, Freeze

_MAX = 5_000
_SECOND = Field(ge=0, le=259_200, description="seconds after midnight of the service date")


class CarrierDelay(Request):
    """How late a vehicle, courier or bus trip is from now on; of a bus against its timetable."""

    carrier: str = Field(max_length=200, examples=["van@hub#1"])
    delay_s: int = Field(ge=0, le=86_400)


class RouteDone(Request):
    """How many stops of a route are done; what lies behind its plan counts as delay."""

    route: str = Field(max_length=200)
    stops: int = Field(ge=0, le=10_000)


class CarrierBroken(Request):
    """A vehicle or courier that cannot go on: it comes back to its base with what is aboard."""

    carrier: str = Field(max_length=200)
    back_s: int | None = Field(default=None, ge=0, le=259_200, description="when; default: in an hour and its way")


class Kept(Request):
    """What stays beside that which has begun."""

    horizon_s: int = Field(default=0, ge=0, le=259_200, description="routes that begin within so many seconds")
    carriers: list[str] = Field(default=[], max_length=_MAX, description="all routes of these carriers")


class ReplanRequest(Request):
    """The rest of a day to be planned anew."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "now_s": 39_600,
                    "delays": [{"carrier": "van@hub#1", "delay_s": 1_200}],
                    "late_trips": [{"carrier": "L1-0830", "delay_s": 900}],
                    "closures": [
                        {
                            "type": "Feature",
                            "properties": {"kind": "closed"},
                            "geometry": {"type": "LineString", "coordinates": [[1.52, 42.51], [1.53, 42.52]]},
                        }
                    ],
                    "new_orders": [{"id": "o9", "from_site": "hub", "to_site": "v1", "weight_kg": 2, "volume_l": 8}],
                    "cancelled_orders": ["o3"],
                    "keep": {"horizon_s": 1_800},
                    "may_move": 20,
                }
            ]
        }
    )

    now_s: int = _SECOND
    delays: list[CarrierDelay] = Field(default=[], max_length=_MAX, description="vehicles and couriers on the road")
    done: list[RouteDone] = Field(default=[], max_length=_MAX)
    late_trips: list[CarrierDelay] = Field(default=[], max_length=_MAX, description="bus trips")
    cancelled_trips: list[str] = Field(default=[], max_length=_MAX, description="bus trips")
    broken: list[CarrierBroken] = Field(default=[], max_length=_MAX, description="vehicles and couriers")
    grounded: list[str] = Field(default=[], max_length=_MAX, description="drones; a flight under way lands")
    closures: list[dict[str, Any]] = Field(default=[], max_length=_MAX, description="GeoJSON features, from now on")
    new_orders: list[dict[str, Any]] = Field(default=[], description="records as in orders.json")
    cancelled_orders: list[str] = Field(default=[], description="what is loaded already goes on")
    keep: Kept = Kept()
    may_move: int | None = Field(
        default=None, ge=0, le=1_000_000, description="most orders that may change carriers unforced; null: any number"
    )
    time_limit_s: float | None = Field(
        default=None,
        gt=0,
        le=86_400,
        description="of the search; default: what brings the checked plan within about 4.6 s",
    )
    max_iterations: int | None = Field(default=None, ge=0, le=100_000_000, description="makes the plan repeatable")
    seed: int = Field(default=1, ge=0, le=2_147_483_647)
    lang: Literal["en", "zh"] = "en"
    crs: Crs = Field(default="wgs84", description=f"of `closures` and `new_orders`: {CRS_DESCRIPTION}")

    @property
    def in_wgs84(self) -> ReplanRequest:
        """The same with all coordinates in WGS 84."""
        if self.crs == "wgs84":
            return self
        closures = [wgs84_geojson(feature) for feature in self.closures]
        orders = [wgs84_order(order) for order in self.new_orders]
        return self.model_copy(update={"crs": "wgs84", "closures": closures, "new_orders": orders})

    @property
    def events(self) -> Events:
        """What has happened, as the planner takes it."""
        return Events(
            now_s=self.now_s,
            delays=tuple(Delay(entry.carrier, entry.delay_s) for entry in self.delays),
            done=tuple(Done(entry.route, entry.stops) for entry in self.done),
            late_trips=tuple(Delay(entry.carrier, entry.delay_s) for entry in self.late_trips),
            cancelled_trips=tuple(self.cancelled_trips),
            broken=tuple(Breakdown(entry.carrier, entry.back_s) for entry in self.broken),
            grounded=tuple(self.grounded),
            closures=tuple(self.closures),
            new_orders=tuple(self.new_orders),
            cancelled_orders=tuple(self.cancelled_orders),
        )

    @property
    def freeze(self) -> Freeze:
        """What stays, as the planner takes it."""
        return Freeze(self.keep.horizon_s, frozenset(self.keep.carriers))

    @property
    def options(self) -> dict[str, Any]:
        """The search settings alone, JSON-ready."""
        return {
            "time_limit_s": self.time_limit_s,
            "max_iterations": self.max_iterations,
            "seed": self.seed,
            "may_move": self.may_move,
            "lang": self.lang,
        }


class CarrierDifference(BaseModel):
    """What changes for one carrier."""

    carrier: str
    kind: str
    routes_before: int
    routes_after: int
    gained: list[str] = Field(description="orders")
    lost: list[str] = Field(description="orders")
    shifted_s: int = Field(description="largest change of the time at which an order it keeps is handed over")


class PlanDifference(BaseModel):
    """How a plan differs from the one it replaces."""

    replaces: str = Field(description="id of the plan before")
    now_s: int
    cost: int = Field(description="of the whole day, minor units")
    cost_before: int
    price_of_stability: int = Field(description="what the plan costs more than one that was free to change all")
    carriers: list[CarrierDifference]
    moved_orders: list[str] = Field(description="orders that ride other carriers than before")
    stranded: dict[str, str] = Field(description="orders under way that nothing brings on, and where they lie")
    facts_against_rules: list[str] = Field(description="rules that what has happened breaks; no plan can mend them")
    timings_s: dict[str, float]
