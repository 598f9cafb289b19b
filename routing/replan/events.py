"""What has happened since a plan was made, and what of the plan must stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Delay:
    """A vehicle, courier or bus trip that is late by so many seconds from now on."""

    carrier: str
    delay_s: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A vehicle or courier that cannot go on.

    `back_s` is when it and the goods aboard are at its base again; None: as soon as the way back and an hour allow.
    """

    carrier: str
    back_s: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """How many stops of a route are done, as its driver reports them; what is behind its plan counts as delay."""

    route: str
    stops: int


@dataclass(frozen=True)
class Events:
    """What has happened by `now_s`, seconds after midnight of the service date.

    Parameters
    ----------
    delays
        Of vehicles and couriers on the road.
    late_trips, cancelled_trips
        Bus trips; of a cancelled trip under way the calls still to come are skipped.
    broken, grounded
        Vehicles and couriers that end their day; drones that take off no more (a flight under way lands).
    closures
        GeoJSON features as in ``closures.geojson``, binding from now on.
    new_orders
        Records as in ``orders.json``.
    cancelled_orders
        Ids; what is loaded already goes on as planned.
    """

    now_s: int
    delays: tuple[Delay, ...] = ()
    done: tuple[Done, ...] = ()
    late_trips: tuple[Delay, ...] = ()
    cancelled_trips: tuple[str, ...] = ()
    broken: tuple[Breakdown, ...] = ()
    grounded: tuple[str, ...] = ()
    closures: tuple[Mapping[str, Any], ...] = ()
    new_orders: tuple[Mapping[str, Any], ...] = ()
    cancelled_orders: tuple[str, ...] = ()

    @property
    def unusable(self) -> frozenset[str]:
        """Carriers that begin nothing any more."""
        return frozenset({*(event.carrier for event in self.broken), *self.grounded})


@dataclass(frozen=True, slots=True)
class Freeze:
    """What stays beside that which has begun: routes beginning within `horizon_s`, and all routes of some carriers."""

    horizon_s: int = 0
    carriers: frozenset[str] = frozenset()
