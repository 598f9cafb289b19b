"""Plan: who carries what, when, over which road, flight or bus trip. Carrier-first; legs of orders are derived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

CarrierKind = Literal["vehicle", "drone", "bus", "courier"]
PLAN_FORMAT = "shanlu-plan/1"


@dataclass(frozen=True, slots=True)
class Handover:
    """One order put on or taken off a carrier at a stop.

    `compartment` is the compartment it rides in (``"hold"`` on buses and drones); `box` is the id of the passive box it
    rides in, None for none. Load and unload of the same leg agree in both.
    """

    order: str
    compartment: str
    box: str | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """A driver's rest at a stop, within [service_end_s, departure_s]."""

    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Movement:
    """The way from a stop to the next.

    `kind` is ``street`` (then `nodes` are OSM node ids along the way, first and last being where the places are joined
    to the street network), ``flight`` (then `line` is the 3-D path: lon, lat, metres above sea level) or ``bus``
    (the trip's own way, no nodes). `battery_left_wh` is what is left on arrival, for carriers with a battery.
    `slot` is the hour of departure where the travel time depends on it, else 0.
    """

    kind: Literal["street", "flight", "bus"]
    distance_m: int
    duration_s: int
    energy_wh: float
    battery_left_wh: float | None = None
    slot: int = 0
    nodes: tuple[int, ...] = ()
    line: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """One halt of a route. arrival_s ≤ service_start_s ≤ service_end_s ≤ departure_s.

    `load_kg` and `load_l` are what the carrier holds on departure, boxes included. `movement` leads to the next stop
    and is None at the last. `bus_stop` and `call` (GTFS stop_id and stop_sequence) are set on bus routes only.
    """

    place: str
    arrival_s: int
    service_start_s: int
    service_end_s: int
    departure_s: int
    load: tuple[Handover, ...] = ()
    unload: tuple[Handover, ...] = ()
    breaks: tuple[Rest, ...] = ()
    load_kg: float = 0.0
    load_l: float = 0.0
    bus_stop: str | None = None
    call: int | None = None
    movement: Movement | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The timed stops of one carrier: a van round, a drone sortie, a bus trip with cargo, a walk."""

    id: str
    carrier: str
    operator: str
    kind: CarrierKind
    type: str
    profile: str
    base: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The smallest single change of input found that would let an order be served."""

    input: str
    """What to change, for example ``orders.window_end_s`` or ``cargo_trips.max_kg of trip L1-07``."""
    change: float
    unit: str
    text: str
    text_zh: str
    verified: bool = False
    """True only when the change was applied and the order then found a feasible itinerary."""


@dataclass(frozen=True, slots=True)
class Unassigned:
    """An order the plan does not serve, and why. Reason codes are listed in ``routing.explain``."""

    order: str
    reason: str
    text: str
    text_zh: str
    relaxation: Relaxation | None = None


@dataclass(frozen=True, slots=True)
class CostBreakdown:
    """Money in whole minor units; each line is rounded once, half to even, and `total` is their sum."""

    distance: int = 0
    time: int = 0
    fixed: int = 0
    energy: int = 0
    bus_fees: int = 0
    handling: int = 0
    lateness: int = 0
    spoilage: int = 0
    unassigned: int = 0

    @property
    def total(self) -> int:
        """Sum of all lines."""
        return (
            self.distance
            + self.time
            + self.fixed
            + self.energy
            + self.bus_fees
            + self.handling
            + self.lateness
            + self.spoilage
            + self.unassigned
        )


@dataclass(frozen=True, slots=True)
class Leg:
    """One order's ride on one route, derived from its load and unload."""

    order: str
    route: str
    kind: CarrierKind
    from_place: str
    to_place: str
    load_start_s: int
    departure_s: int
    arrival_s: int
    unload_end_s: int
    compartment: str
    box: str | None


@dataclass(frozen=True)
class Plan:
    """Routes of all carriers and the orders left unassigned."""

    routes: tuple[Route, ...] = ()
    unassigned: tuple[Unassigned, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way for one order: its rides, and what the plan would cost more (minor units).

    `carriers` are types of vehicle, courier or drone, or ``bus``; `places` are where the order would be loaded and
    unloaded, one more than carriers. A negative `extra_cost` is a saving the search has not found.
    """

    order: str
    carriers: tuple[str, ...]
    places: tuple[str, ...]
    extra_cost: float


# --- The plan file -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScenarioRef:
    """Which scenario a plan was made for."""

    name: str
    service_date: str
    digest: str


@dataclass(frozen=True, slots=True)
class Objective:
    """The cost breakdown as the plan file holds it."""

    currency: str
    lines: CostBreakdown
    total: int


@dataclass(frozen=True, slots=True)
class OrderLegs:
    """Derived legs of one served order, in travel order, for readers of the plan file."""

    order: str
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """An order row that was not planned because the row is faulty."""

    row: int
    order: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class PlanDocument:
    """The content of ``plan.json``. It holds no wall-clock figure, so equal inputs give equal bytes."""

    scenario: ScenarioRef
    seed: int
    versions: dict[str, str]
    objective: Objective
    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    rejected: tuple[Rejected, ...]
    orders: tuple[OrderLegs, ...]
    bound: float | None = None
    only: tuple[str, ...] = field(default=())
    """Carrier kinds the plan was restricted to; empty means all."""
    format: str = PLAN_FORMAT
