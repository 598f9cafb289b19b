"""The raw facts a plan is judged against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from geodata.airspace import Airspace
from geodata.terrain import Terrain
from geodata.travel_clock import TravelClock
from geodata.weather import Weather
from routing.checker.roads import Roads
from routing.model.carrier import Carrier
from routing.model.order import Order
from routing.model.plan import Rejected
from routing.model.problem import CostRates, Place
from routing.model.product import Products


@dataclass(frozen=True)
class Facts:
    """What is true of the day, whatever a plan says, as far as it needs no map.

    Parameters
    ----------
    places, orders, carriers
        By id; carriers are vehicles, couriers and drones by the ids of ``rules.md`` and bus trips by trip id.
    clocks
        By travel key, how weather and light stretch its travel times; a key without one is always dry.
    rejected
        Order rows the scenario rejects, as a plan must list them.
    """

    scenario_name: str
    service_date: date
    currency: str
    digest: str
    places: Mapping[str, Place]
    orders: Mapping[str, Order]
    rejected: tuple[Rejected, ...]
    carriers: Mapping[str, Carrier]
    products: Products
    rates: CostRates
    weather: Weather
    clocks: Mapping[str, TravelClock]


@dataclass(frozen=True)
class MapFacts(Facts):
    """Facts with the land and the air above it.

    Parameters
    ----------
    roads
        The street network with its closures, by travel key.
    """

    roads: Roads
    terrain: Terrain
    airspace: Airspace
