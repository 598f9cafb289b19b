"""What differs between two plans of a day, by carrier."""

from __future__ import annotations

from dataclasses import dataclass

from routing.model.plan import Plan
from routing.plan_io import derive_legs


@dataclass(frozen=True, slots=True)
class CarrierChange:
    """What changes for one carrier.

    `gained` and `lost` are orders; `shifted_s` is the largest change of the time at which an order it keeps is loaded
    or unloaded.
    """

    carrier: str
    kind: str
    routes_before: int
    routes_after: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    shifted_s: int


def moved_orders(old: Plan, new: Plan) -> tuple[str, ...]:
    """Return the orders of both plans that ride other carriers than before, by id."""
    carrier = {route.id: route.carrier for plan in (old, new) for route in plan.routes}
    before, after = derive_legs(old), derive_legs(new)
    return tuple(
        sorted(
            order
            for order in before.keys() & after.keys()
            if [carrier[leg.route] for leg in before[order]] != [carrier[leg.route] for leg in after[order]]
        )
    )


def changes(old: Plan, new: Plan) -> tuple[CarrierChange, ...]:
    """Return what changes, for each carrier with any change, in order of carrier id."""
    before, after = _rides(old), _rides(new)
    kinds = {route.carrier: route.kind for plan in (old, new) for route in plan.routes}
    found = []
    for carrier in sorted(kinds):
        was, is_now = before.get(carrier, {}), after.get(carrier, {})
        shifted_s = max(
            (max(abs(a - b) for a, b in zip(was[order], is_now[order], strict=True)) for order in was.keys() & is_now),
            default=0,
        )
        gained, lost = tuple(sorted(is_now.keys() - was)), tuple(sorted(was.keys() - is_now))
        if gained or lost or shifted_s:
            rounds = [sum(route.carrier == carrier for route in plan.routes) for plan in (old, new)]
            found.append(CarrierChange(carrier, kinds[carrier], rounds[0], rounds[1], gained, lost, shifted_s))
    return tuple(found)


def _rides(plan: Plan) -> dict[str, dict[str, tuple[int, int]]]:
    """Return by carrier and order when it is loaded and unloaded; of several rides on a carrier the last."""
    carrier = {route.id: route.carrier for route in plan.routes}
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for order, legs in derive_legs(plan).items():
        for leg in legs:
            found.setdefault(carrier[leg.route], {})[order] = (leg.load_start_s, leg.unload_end_s)
    return found
