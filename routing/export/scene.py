"""Scene: a plan with everything around it that the exports show, as plain data.

The exporters read a `Scene` and nothing else, so that each of them can be tried on a plan made by hand.
`routing.export.staging` makes the scene of a real scenario.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from geodata.location import FloatArray, Level
from routing.model.order import Order
from routing.model.plan import Leg, PlanDocument, Route
from routing.model.product import Products

CATEGORIES = ("van", "truck", "reefer", "tricycle", "ugv", "vehicle", "bus", "courier", "drone")
"""Kinds of carrier as a reader tells them apart; ``vehicle`` is a road vehicle of none of the named kinds."""


@dataclass(frozen=True, slots=True)
class PlaceInfo:
    """A site or a drop as the exports name it; degrees, metres above sea level, seconds after midnight."""

    id: str
    name: str
    level: Level
    lon: float
    lat: float
    elevation_m: float
    parent: str | None = None
    opens_s: int = 0
    closes_s: int = 86_400
    drone_pads: int = 0
    synthetic: bool = False
    is_drop: bool = False


@dataclass(frozen=True, slots=True)
class RoadLine:
    """A stretch of road for the background: its OSM highway class and its points, shape (n, 2), lon and lat."""

    highway: str
    points: FloatArray


@dataclass(frozen=True, slots=True)
class Relief:
    """A shaded relief picture as PNG bytes and the degrees its edges lie at."""

    png: bytes
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class ZoneShape:
    """An airspace zone; `geometry` is a GeoJSON geometry, heights are metres above ground."""

    id: str
    name: str
    kind: str
    geometry: Mapping[str, Any]
    floor_m: float | None = None
    ceiling_m: float | None = None


@dataclass(frozen=True)
class Scene:
    """One plan, ready to be written out.

    Parameters
    ----------
    paths
        Points of each movement by route id and position of the stop it leaves; shape (n, 3), n ≥ 2: lon, lat and
        metres above sea level.
    titles
        What people call a carrier, by its id; a carrier without one goes by its id.
    set_points_c
        Set point of each cooled compartment, by carrier type and compartment id.
    """

    document: PlanDocument
    places: Mapping[str, PlaceInfo]
    orders: Mapping[str, Order]
    products: Products
    paths: Mapping[tuple[str, int], FloatArray]
    credits: tuple[str, ...] = ()
    synthetic: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    set_points_c: Mapping[tuple[str, str], float] = field(default_factory=dict)
    roads: tuple[RoadLine, ...] = ()
    relief: Relief | None = None
    zones: tuple[ZoneShape, ...] = ()

    @property
    def service_date(self) -> date:
        """The day of the plan."""
        return date.fromisoformat(self.document.scenario.service_date)

    @property
    def currency(self) -> str:
        """Currency of the plan's money."""
        return self.document.objective.currency

    @cached_property
    def legs(self) -> dict[str, tuple[Leg, ...]]:
        """Legs of every served order, in travel order."""
        return {entry.order: entry.legs for entry in self.document.orders}

    @cached_property
    def route_by_id(self) -> dict[str, Route]:
        """Routes by id."""
        return {route.id: route for route in self.document.routes}

    def title_of(self, carrier: str) -> str:
        """Return what people call a carrier."""
        return self.titles.get(carrier, carrier)

    def place_name(self, place_id: str) -> str:
        """Return what a person calls the place; its id where it has no name."""
        place = self.places.get(place_id)
        return place.name or place.id if place else place_id


def category_of(route: Route) -> str:
    """Return which of `CATEGORIES` a route belongs to, read off its kind, travel profile and type id."""
    if route.kind != "vehicle":
        return route.kind
    words = f"{route.profile} {route.type}".lower()
    for category in ("reefer", "tricycle", "ugv", "truck", "van"):
        if category in words:
            return category
    return "vehicle"


def aboard_after(route: Route) -> list[tuple[str, ...]]:
    """Return the ids of the orders aboard on leaving each stop, in order of loading."""
    aboard: dict[str, None] = {}
    found = []
    for stop in route.stops:
        for handover in stop.unload:
            aboard.pop(handover.order, None)
        for handover in stop.load:
            aboard[handover.order] = None
        found.append(tuple(aboard))
    return found


def distance_m(route: Route) -> int:
    """Return the metres of all movements of a route."""
    return sum(stop.movement.distance_m for stop in route.stops if stop.movement)


def travel_s(route: Route) -> int:
    """Return the seconds of all movements of a route."""
    return sum(stop.movement.duration_s for stop in route.stops if stop.movement)


def energy_wh(route: Route) -> float:
    """Return the watt-hours of all movements of a route."""
    return sum(stop.movement.energy_wh for stop in route.stops if stop.movement)


def orders_of(route: Route) -> tuple[str, ...]:
    """Return the ids of all orders a route carries, in order of loading."""
    return tuple(dict.fromkeys(handover.order for stop in route.stops for handover in stop.load))
