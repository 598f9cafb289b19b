"""Order: one consignment of the day."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.errors import Fault


@dataclass(frozen=True, slots=True)
class Order:
    """One consignment. Times are seconds after local midnight; money is minor units.

    `from_id` and `to_id` are place ids (a site's id, or ``drop:<order id>`` for a coordinate drop). `windows` are
    closed intervals that bound the *start of service at the destination*; empty means any time. `release_s` is the
    earliest start of loading at the origin. `due_s` is a soft limit on start of service at the destination.
    `service_s` is the time the consignment adds to the stop at its own origin or destination when that is a village,
    a group or a drop.
    """

    id: str
    from_id: str
    to_id: str
    weight_kg: float
    volume_l: float
    pieces: int = 1
    longest_cm: float = 0.0
    product_class: str = "ambient"
    release_s: int = 0
    windows: tuple[tuple[int, int], ...] = ()
    due_s: int | None = None
    late_cost_per_h: float = 0.0
    service_s: int = 20
    priority: int = 0
    unserved_cost: float = 5_000.0
    value: float = 0.0
    shipper: str = ""
    dangerous: bool = False
    synthetic: bool = False
    also_from: tuple[str, ...] = ()
    """Other places that hold the same goods: the plan fetches them at `from_id` or at one of these."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Places the goods may be fetched at, `from_id` first."""
        return (self.from_id, *self.also_from)

    @property
    def piece_kg(self) -> float:
        """Mass of one piece in kilograms."""
        return self.weight_kg / self.pieces


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """An order row that could not be accepted, with every fault found in it."""

    row: int
    order_id: str
    faults: tuple[Fault, ...]
