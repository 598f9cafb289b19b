"""The shipped product classes, boxes and vehicle presets are sound and agree with each other."""

import math
from pathlib import Path

import pytest
from scenario_folders import read, write_folder

from geodata.drones import load_drone_types
from geodata.profiles import load_profiles
from routing.fleet import load_presets
from routing.model.product import ProductClass
from routing.products import load_products

PRODUCTS = load_products()
COLD = [product for product in PRODUCTS.classes.values() if product.cold]
PRESETS = load_presets(load_drone_types())


def test_class_ids_are_the_agreed_ones() -> None:
    """Tests that the shipped classes are those other parts and users name."""
    assert set(PRODUCTS.classes) == {
        "ambient",
        "tropical",
        "chilled_produce",
        "cool_produce",
        "fresh_meat",
        "frozen",
        "vaccine",
        "medicine",
    }
    assert not PRODUCTS.classes["ambient"].cold


@pytest.mark.parametrize("product", COLD, ids=lambda product: product.id)
def test_boxes_hold_within_the_band(product: ProductClass) -> None:
    """Tests that each class's box keeps a temperature of its band, and lasts a working day at 25 °C."""
    if product.box is not None:
        box = PRODUCTS.boxes[product.box]
        assert product.low_c <= box.hold_c <= product.high_c
        assert box.coolant_j / (box.ua_w_k * abs(25.0 - box.hold_c)) / 3600 > 8.0


@pytest.mark.parametrize("product_id", ["fresh_meat", "chilled_produce", "vaccine", "frozen"])
def test_stores_suit_their_classes(product_id: str) -> None:
    """Tests that the store of a class is within its band."""
    product = PRODUCTS.classes[product_id]
    assert product.low_c <= PRODUCTS.store_c[product.store] <= product.high_c


@pytest.mark.parametrize("product", [c for c in COLD if c.loss_scale_h is None], ids=lambda product: product.id)
def test_goods_that_are_not_fresh_food_start_within_their_band(product: ProductClass) -> None:
    """Tests that medicine, vaccines and frozen goods start in their band."""
    assert product.low_c <= product.start_c <= product.high_c


def test_loss_curve_gives_its_calibration() -> None:
    """Tests that the curve loses a quarter in 24 h at 25 °C and under 5 % with a cold chain, as stated."""
    produce = PRODUCTS.classes["chilled_produce"]
    assert produce.loss_scale_h is not None

    def loss(equivalent_h: float) -> float:
        return 1.0 - math.exp(-((equivalent_h / produce.loss_scale_h) ** produce.loss_shape))

    rate_25 = math.exp((math.log(7.5) + math.log(15.0)) / 2)
    rate_5 = math.exp(math.log(3.0) / 2)
    assert loss(24 * rate_25) == pytest.approx(0.25, abs=0.005)
    assert loss(4 * rate_25 + 20 * rate_5) < 0.05


def test_incompatibility_is_symmetric() -> None:
    """Tests that a class stated as incompatible by another states it back."""
    for product in PRODUCTS.classes.values():
        for other in product.incompatible_with:
            assert product.id in PRODUCTS.classes[other].incompatible_with
    assert "fresh_meat" in PRODUCTS.classes["vaccine"].incompatible_with


def test_reefer_suits_meat_produce_and_vaccines(tmp_path: Path) -> None:
    """Tests that the set point of the refrigerated van lies within the bands of the classes it is for."""
    fleet = '[[vehicle]]\nid = "r"\npreset = "reefer_van"\n'
    (compartment,) = read(write_folder(tmp_path, fleet=fleet)).vehicle_types["r"].compartments
    assert compartment.set_point_c is not None
    for product_id in ("fresh_meat", "chilled_produce", "vaccine"):
        product = PRODUCTS.classes[product_id]
        assert product.low_c <= compartment.set_point_c <= product.high_c


@pytest.mark.parametrize("preset", PRESETS.vehicles)
def test_vehicle_presets_are_whole(tmp_path: Path, preset: str) -> None:
    """Tests that each vehicle preset is a whole vehicle with a known profile and its energy."""
    found = read(write_folder(tmp_path, fleet=f'[[vehicle]]\nid = "x"\npreset = "{preset}"\n')).vehicle_types["x"]
    assert found.energy_source == load_profiles()[found.profile].energy_source
    assert (found.range_wh is not None) == (found.energy_source == "electric")
    assert found.shift_end_s - found.shift_start_s <= 10 * 3600
    assert found.max_drive_s <= 8 * 3600


@pytest.mark.parametrize("preset", ["S", "M", "L", "XL"])
def test_drone_presets_are_whole(tmp_path: Path, preset: str) -> None:
    """Tests that each drone preset has the physics of its type and a price."""
    found = read(write_folder(tmp_path, fleet=f'[[drone]]\nid = "{preset}"\npreset = "{preset}"\n')).drone_services[
        preset
    ]
    assert found.physics == load_drone_types()[preset]
    assert found.cost_per_sortie > 0
