from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.location import Level, Site
from routing.generation.demand import HEAVY_KG, HUB_CUTOFF_S, SORTED_S, generate_orders

HUB = Site("hub", "Seat", Level.COUNTY, 104.9, 27.2, opens_s=21_600, closes_s=68_400)


def network(populations: list[int]) -> list[Site]:
    town = Site("t01", "Town", Level.TOWN, 104.9, 27.3, parent="hub", population=3_000)
    villages = [
        Site(f"v{k:03d}", f"V{k}", Level.VILLAGE, 104.9, 27.3, "t01", 27_000, 68_400, population=people)
        for k, people in enumerate(populations)
    ]
    return [HUB, town, *villages]


def test_shares_are_exact() -> None:
    """Tests that 400 orders are 100 up, 40 cold and 80 with a window, all marked synthetic, ids unique."""
    orders = generate_orders(network([10, 20, 30]), 400, 1, "hub")
    assert len(orders) == len({order.id for order in orders}) == 400
    assert sum(order.to_id == "hub" for order in orders) == 100
    assert sum(order.product_class != "ambient" for order in orders) == 40
    assert sum(bool(order.windows) for order in orders) == 80
    assert all(order.synthetic for order in orders)


def test_every_shipped_cold_class_occurs() -> None:
    """Tests that meat, frozen, vaccine and medicine go down, and produce of three bands comes up."""
    orders = generate_orders(network([10, 20, 30]), 2_000, 1, "hub")
    down = {order.product_class for order in orders if order.from_id == "hub"}
    up = {order.product_class for order in orders if order.to_id == "hub"}
    assert down == {"ambient", "fresh_meat", "frozen", "vaccine", "medicine"}
    assert up == {"ambient", "chilled_produce", "cool_produce", "tropical"}


def test_parcels_follow_the_stated_distribution() -> None:
    """Tests that parcels weigh about 0.8 kg and fill about 5 L in the median, and some three in a hundred are heavy."""
    down = [order for order in generate_orders(network([1]), 8_000, 1, "hub") if order.from_id == "hub"]
    ambient = [order for order in down if order.product_class == "ambient"]
    heavy = sum(order.weight_kg >= HEAVY_KG[0] for order in ambient) / len(ambient)
    assert np.median([order.weight_kg for order in ambient]) == pytest.approx(0.83, abs=0.05)
    assert np.median([order.volume_l for order in ambient]) == pytest.approx(5.2, abs=0.4)
    assert heavy == pytest.approx(0.03, abs=0.01)
    assert max(order.weight_kg for order in ambient) <= HEAVY_KG[1]


def test_destinations_follow_population() -> None:
    """Tests that a village of three times the people gets three times the orders, and one without people none."""
    orders = generate_orders(network([100, 300, 0]), 4_000, 2, "hub")
    count = Counter(order.to_id if order.from_id == "hub" else order.from_id for order in orders)
    assert count["v001"] / count["v000"] == pytest.approx(3.0, rel=0.15)
    assert count["v002"] == count["t01"] == 0


def test_unknown_populations_mean_equal_shares() -> None:
    """Tests that orders are spread evenly where no population is known."""
    count = Counter(order.to_id for order in generate_orders(network([0, 0]), 1_000, 3, "hub", up_share=0.0))
    assert set(count) == {"v000", "v001"}
    assert abs(count["v000"] - count["v001"]) < 120


def test_towns_serve_where_there_are_no_villages() -> None:
    """Tests that a network of hub and towns alone still gets orders, between hub and towns."""
    orders = generate_orders(network([]), 10, 1, "hub")
    assert {order.to_id for order in orders if order.from_id == "hub"} == {"t01"}


def test_a_hub_alone_is_refused() -> None:
    """Tests that a network without any destination is refused with a fault."""
    with pytest.raises(InputError) as caught:
        generate_orders([HUB], 10, 1, "hub")
    assert [fault.code for fault in caught.value.faults] == ["NO_DESTINATION"]


def test_all_bad_shares_are_reported_together() -> None:
    """Tests that two shares out of range give two faults."""
    with pytest.raises(InputError) as caught:
        generate_orders(network([1]), 10, 1, "hub", up_share=1.5, cold_share=-0.1)
    assert [fault.field for fault in caught.value.faults] == ["up_share", "cold_share"]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 120),
    st.integers(0, 1_000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.lists(st.integers(0, 500), min_size=1, max_size=5),
)
def test_orders_are_sound(count: int, seed: int, up: float, cold: float, people: list[int]) -> None:
    """Tests that for any shares there are `count` orders with possible weights, times and windows."""
    sites = network(people)
    orders = generate_orders(sites, count, seed, "hub", up_share=up, cold_share=cold)
    assert len(orders) == count
    assert orders == generate_orders(sites, count, seed, "hub", up_share=up, cold_share=cold)
    for order in orders:
        assert (order.from_id == "hub") != (order.to_id == "hub")
        assert 0.0 < order.weight_kg <= max(HEAVY_KG[1], 40.0)
        assert order.volume_l >= order.weight_kg - 0.05
        assert order.pieces >= 1
        assert order.unserved_cost > 0
        assert order.release_s >= (SORTED_S if order.from_id == "hub" else 21_600)
        for start, end in order.windows:
            assert order.release_s < start < end <= HUB_CUTOFF_S
        if order.to_id == "hub":
            assert order.due_s is not None
            assert order.release_s < order.due_s <= HUB_CUTOFF_S
            assert all(end <= order.due_s for _, end in order.windows)


def test_windows_respect_opening_hours() -> None:
    """Tests that a window at a village that closes early ends before it closes."""
    sites = [replace(site, closes_s=50_400) if site.level is Level.VILLAGE else site for site in network([5, 5])]
    orders = generate_orders(sites, 200, 4, "hub", up_share=0.0, window_share=1.0)
    assert all(order.windows and order.windows[0][1] <= 50_400 for order in orders)
