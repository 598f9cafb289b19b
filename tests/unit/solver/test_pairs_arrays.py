"""Which days the pair search takes."""

from dataclasses import replace

import pytest
from pair_days import pair_day, pair_van
from problems import bus_trip

from routing.model.carrier import Compartment, VehicleType
from routing.solver.pairs.compile import suits
from routing.solver.portfolio import engine_for


def test_pairs_go_to_the_pair_engine() -> None:
    """Tests that a day of door-to-door orders is given to the engine for pairs."""
    day = pair_day(1)
    assert suits(day)
    engine = engine_for(day)
    assert engine is not None
    assert engine.name == "pairs"


@pytest.mark.parametrize(
    "kind",
    [
        pair_van(max_rounds=None),
        pair_van(max_rounds=2),
        pair_van(max_continuous_drive_s=14_400),
        pair_van(max_drive_s=10_000),
        pair_van(range_wh=50_000.0),
        pair_van(energy_source="diesel"),
        pair_van(compartments=(Compartment("a", 10.0, 10.0), Compartment("b", 10.0, 10.0))),
    ],
)
def test_types_with_other_rules_are_left_to_others(kind: VehicleType) -> None:
    """Tests that a vehicle with several rounds, rests, a range, a price of energy or compartments is not taken."""
    day = pair_day(1)
    fuel = replace(day.rates, diesel_per_kwh=75.0)
    assert not suits(replace(day, vehicles=(replace(day.vehicles[0], type=kind),), rates=fuel))


@pytest.mark.parametrize(
    "change",
    [
        {"from_id": "base0"},
        {"to_id": "base1"},
        {"to_id": "from0"},
        {"also_from": ("from2",)},
        {"product_class": "berries"},
        {"product_class": "pesticide"},
        {"windows": ((30_000, 31_000), (32_000, 33_000))},
        {"due_s": 40_000, "late_cost_per_h": 10.0},
    ],
)
def test_orders_with_other_rules_are_left_to_others(change: dict[str, object]) -> None:
    """Tests that orders at a base, from choices of places, cold, incompatible, late at a cost or twice open are not."""
    day = pair_day(1)
    first = replace(day.orders[0], **change)  # type: ignore[arg-type]
    assert not suits(replace(day, orders=(first, *day.orders[1:])))


def test_days_with_other_carriers_or_nothing_to_do_are_left_to_others() -> None:
    """Tests that buses, no vehicles and no orders are not for the pair search."""
    day = pair_day(1)
    assert not suits(replace(day, bus_trips=(bus_trip("b", [("base0", 30_000), ("base1", 32_000)]),)))
    assert not suits(replace(day, vehicles=()))
    assert not suits(replace(day, orders=()))
