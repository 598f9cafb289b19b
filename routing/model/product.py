"""Product classes, their passive boxes and the stores of a site: what cold goods need."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A passive (insulated) box: inside at `hold_c` while coolant lasts, then at the outside's temperature.

    `inner_l` and `outer_l` are litres, `mass_kg` the mass of box and coolant, `ua_w_k` the heat conductance in W/K and
    `coolant_j` the heat in joules that the fresh coolant takes up (or, in the cold, gives off).
    """

    id: str
    inner_l: float
    outer_l: float
    mass_kg: float
    ua_w_k: float
    coolant_j: float
    hold_c: float


@dataclass(frozen=True, slots=True)
class ProductClass:
    """What goods of one class tolerate. Sources per class stand in the shipped ``products.toml``.

    Parameters
    ----------
    cold
        True when temperature is checked at all; the fields below it are ignored otherwise.
    low_c, high_c
        Temperature band of the product.
    start_c
        Product temperature when first loaded.
    lag_s
        Time constant of the product following its surroundings: dT/dt = (T_surroundings − T) / lag_s.
    max_out_of_band_s
        Seconds the product's temperature may be outside the band in total.
    max_equivalent_h
        Budget of equivalent hours at 0 °C, ∫ r(T) dt.
    loss_scale_h, loss_shape
        H and β of loss = 1 − exp(−(h_eq/H)^β); `loss_scale_h` None means no predicted loss.
    store
        Temperature class of the store that suits it: ``ambient``, ``chilled`` or ``frozen``.
    box
        Id of the default passive box on carriers without a fitting compartment; None for goods that need none.
    bus_allowed
        False for classes barred from passenger buses.
    incompatible_with
        Ids of classes that may not share a compartment with this one (symmetric by definition).
    """

    id: str
    name: str
    name_zh: str
    cold: bool = False
    low_c: float = -100.0
    high_c: float = 100.0
    start_c: float = 20.0
    lag_s: float = 7_200.0
    max_out_of_band_s: int = 0
    max_equivalent_h: float = 1.0e9
    loss_scale_h: float | None = None
    loss_shape: float = 1.5
    store: str = "ambient"
    box: str | None = None
    bus_allowed: bool = True
    incompatible_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class Products:
    """All product classes and boxes of a scenario, and the temperatures of stores by class."""

    classes: Mapping[str, ProductClass]
    boxes: Mapping[str, Box]
    store_c: Mapping[str, float]
    """Temperature in °C of ``chilled`` and ``frozen`` stores; an ambient store has the outside's temperature."""

    def box_count(self, product_class: str, volume_l: float) -> int:
        """Return how many default boxes hold `volume_l` litres of the class; 0 when the class needs no box."""
        box_id = self.classes[product_class].box
        if box_id is None:
            return 0
        return max(1, math.ceil(volume_l / self.boxes[box_id].inner_l - 1e-9))
