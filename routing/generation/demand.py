"""Synthetic orders of one day: a stated mix of parcels going down and produce coming up.

Every number stands in a named constant. Those from the domain notes (2e, 4, 5) are marked [2e], [4], [5]; the rest
are modelling assumptions, marked [A]. Nothing here claims to be measured demand; every order is marked synthetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geodata.errors import Fault, InputError
from geodata.location import FloatArray, Level, Site
from routing.model.order import Order

UP_SHARE = 0.25
"""Share of orders going up, village to hub: out to in is 0.27 in Shiping [2e], so 0.21 to 0.25 of all."""
COLD_SHARE = 0.10
"""Share of orders whose temperature matters."""
COLD_UP_PART = 0.70
"""Part of the cold orders that goes up: with a quarter of all orders upwards, 4 % of the orders down and 28 % of
those up are cold (4 % and 35 % in harvest in [5])."""
WINDOW_SHARE = 0.20
"""Share of orders with a time window of two to four hours [5]."""
DANGEROUS_SHARE = 0.01
"""Share of ambient parcels barred from buses (lithium cells, paint) [A]."""

WEIGHT_MEDIAN_KG, WEIGHT_SIGMA = 0.8, 0.9
HEAVY_SHARE, HEAVY_KG = 0.03, (10.0, 30.0)
VOLUME_MEDIAN_L, VOLUME_SIGMA = 5.0, 0.9
"""Parcels: lognormal weight and volume, 3 % heavy ones [2e]."""
DENSEST_KG_PER_L = 1.0
"""No parcel is denser than this; a heavier draw gets the volume it needs [A]."""
SEVERAL_PIECES_SHARE = 0.08
"""Share of parcels that come in two or three pieces [A]."""
PRODUCE_BOXES = ((2.5, 8.0), (5.0, 15.0), (10.0, 28.0))
"""Boxes of outbound produce: kilograms [2e] and litres [A]."""

SORTED_S = 27_000
"""07:30: the hub has sorted what its trucks brought at 06:00 [5]; parcels down are released then."""
HUB_CUTOFF_S = 63_000
"""17:30: produce that reaches the hub later misses the evening truck [5]."""
COLD_DUE_AFTER_S = 21_600
"""Cold goods are due six hours after their release [5]."""
LATE_COST_PER_H = 200.0
"""CNY 2 for each hour late at the evening truck or for cold goods; [4] has CNY 2 a parcel and day, too mild for an
evening truck that leaves [A]."""
SERVICE_S, HEAVY_SERVICE_S = 20, 60
"""Handing over one consignment, and one of 10 kg or more [A]."""


@dataclass(frozen=True, slots=True)
class Goods:
    """One kind of goods in the mix: class, share within its kind of demand, value, penalty when not carried."""

    product_class: str
    share: float
    value_per_kg: float
    unserved_cost: float


PARCELS = Goods("ambient", 1.0, 6_000.0, 6_000.0)
"""General parcels: CNY 60/kg; not carrying one costs CNY 60. The penalty is an assumption [A]: about what the dearest
ordinary way (a drone sortie of its own, CNY 45 [4]) costs and a margin, so that serving normally pays."""
COLD_DOWN = (
    Goods("fresh_meat", 0.45, 6_000.0, 12_000.0),
    Goods("frozen", 0.20, 5_000.0, 12_000.0),
    Goods("vaccine", 0.15, 200_000.0, 30_000.0),
    Goods("medicine", 0.20, 50_000.0, 20_000.0),
)
"""Cold goods going down: meat and dairy, frozen food, vaccine, drugs. Values and penalties [A]."""
PRODUCE_UP = Goods("ambient", 1.0, 2_500.0, 6_000.0)
"""Dried produce, tea, grain, eggs going up [A]."""
COLD_UP = (
    Goods("chilled_produce", 0.45, 6_000.0, 12_000.0),
    Goods("cool_produce", 0.35, 1_200.0, 9_000.0),
    Goods("tropical", 0.20, 1_000.0, 9_000.0),
)
"""Fresh produce going up: strawberry, cherry and matsutake; citrus, kiwi and cucumber; banana and mango [A]."""


def generate_orders(
    sites: Sequence[Site],
    count: int,
    seed: int,
    hub_id: str,
    *,
    up_share: float = UP_SHARE,
    cold_share: float = COLD_SHARE,
    window_share: float = WINDOW_SHARE,
) -> list[Order]:
    """Make the orders of one day, each marked synthetic.

    Ends in villages and groups are drawn in proportion to population (equally where none is known). The numbers of
    orders up, cold and with a window are exact, not drawn.

    Parameters
    ----------
    sites
        The network; orders run between the hub and its villages and groups (or towns, where it has neither).
    count
        Number of orders.
    seed
        The same sites, count, seed and shares give the same orders.
    hub_id
        Id of the county hub.
    up_share, cold_share, window_share
        Shares of all orders, each in [0, 1].

    Returns
    -------
    list of Order
        Orders down (``d0001`` …) before orders up (``u0001`` …).

    Raises
    ------
    InputError
        If there is no site besides the hub, or a share is not in [0, 1].
    """
    _refuse_bad_shares({"up_share": up_share, "cold_share": cold_share, "window_share": window_share})
    ends, weights = _ends(sites, hub_id)
    rng = np.random.default_rng([seed, 0xD3])
    n_up = round(count * up_share)
    n_cold_up = min(n_up, round(count * cold_share * (COLD_UP_PART if n_up else 0.0)))
    n_cold_down = min(count - n_up, round(count * cold_share) - n_cold_up)
    down = _marks(count - n_up, n_cold_down, round(window_share * (count - n_up)), rng)
    up = _marks(n_up, n_cold_up, round(window_share * n_up), rng)
    down_ends = rng.choice(len(ends), size=len(down), p=weights)
    up_ends = rng.choice(len(ends), size=len(up), p=weights)
    n_dangerous = min(len(down), max(round(DANGEROUS_SHARE * count), min(1, count // 50)))
    dangerous = set(rng.choice(len(down), size=n_dangerous, replace=False).tolist())
    orders = [
        _order_down(f"d{k + 1:04d}", hub_id, ends[down_ends[k]], mark, k in dangerous, rng)
        for k, mark in enumerate(down)
    ]
    orders += [_order_up(f"u{k + 1:04d}", hub_id, ends[up_ends[k]], mark, rng) for k, mark in enumerate(up)]
    return orders


@dataclass(frozen=True, slots=True)
class _Mark:
    cold: bool
    windowed: bool


def _refuse_bad_shares(shares: dict[str, float]) -> None:
    faults = [
        Fault(
            code="OUT_OF_RANGE",
            file="command line",
            field=name,
            value=repr(value),
            reason="A share of the orders must lie between 0 and 1",
            remedy="Give a number from 0 to 1.",
        )
        for name, value in shares.items()
        if not 0.0 <= value <= 1.0
    ]
    if faults:
        raise InputError(faults)


def _ends(sites: Sequence[Site], hub_id: str) -> tuple[list[Site], FloatArray]:
    """Return the places orders begin or end at, and their shares of the demand (sum 1)."""
    others = [site for site in sites if site.id != hub_id]
    ends = [site for site in others if site.level in (Level.VILLAGE, Level.GROUP)] or others
    if not ends:
        raise InputError(
            [
                Fault(
                    code="NO_DESTINATION",
                    file="sites.csv",
                    reason="There is no town, village or group besides the hub, so no order can be made",
                    remedy="Choose a larger area.",
                )
            ]
        )
    population = np.array([site.population for site in ends], dtype=np.float64)
    if not population.any():
        population += 1.0
    return ends, population / population.sum()


def _marks(n: int, n_cold: int, n_windowed: int, rng: np.random.Generator) -> list[_Mark]:
    cold = rng.permutation(n) < n_cold
    windowed = rng.permutation(n) < n_windowed
    return [_Mark(bool(c), bool(w)) for c, w in zip(cold, windowed, strict=True)]


def _order_down(order_id: str, hub_id: str, end: Site, mark: _Mark, dangerous: bool, rng: np.random.Generator) -> Order:
    goods = _pick(COLD_DOWN, rng) if mark.cold else PARCELS
    weight_kg, volume_l = _parcel(rng, may_be_heavy=not mark.cold)
    pieces = int(rng.integers(2, 4)) if rng.random() < SEVERAL_PIECES_SHARE and not mark.cold else 1
    due_s = SORTED_S + COLD_DUE_AFTER_S if mark.cold else None
    earliest_s = max(SORTED_S + 3_600, end.opens_s)
    windows = _window(earliest_s, min(HUB_CUTOFF_S, end.closes_s), rng) if mark.windowed else ()
    return Order(
        id=order_id,
        from_id=hub_id,
        to_id=end.id,
        weight_kg=weight_kg,
        volume_l=volume_l,
        pieces=pieces,
        longest_cm=_longest_cm(volume_l / pieces, rng),
        product_class=goods.product_class,
        release_s=SORTED_S,
        windows=windows,
        due_s=None if windows else due_s,
        late_cost_per_h=0.0 if windows or due_s is None else LATE_COST_PER_H,
        service_s=HEAVY_SERVICE_S if weight_kg >= HEAVY_KG[0] else SERVICE_S,
        unserved_cost=goods.unserved_cost,
        value=round(goods.value_per_kg * weight_kg),
        shipper=f"express-{int(rng.integers(1, 5))}",
        dangerous=dangerous and not mark.cold,
        synthetic=True,
    )


def _order_up(order_id: str, hub_id: str, end: Site, mark: _Mark, rng: np.random.Generator) -> Order:
    goods = _pick(COLD_UP, rng) if mark.cold else PRODUCE_UP
    box_kg, box_l = PRODUCE_BOXES[int(rng.choice(3, p=(0.5, 0.35, 0.15)))]
    pieces = int(rng.choice((1, 2, 3, 4), p=(0.55, 0.25, 0.12, 0.08)))
    release_s = max(end.opens_s, 21_600 + 900 * int(rng.integers(0, 21)))  # 06:00 to 11:00
    due_s = min(HUB_CUTOFF_S, release_s + COLD_DUE_AFTER_S) if mark.cold else HUB_CUTOFF_S
    windows = _window(release_s + 7_200, HUB_CUTOFF_S, rng) if mark.windowed else ()
    return Order(
        id=order_id,
        from_id=end.id,
        to_id=hub_id,
        weight_kg=box_kg * pieces,
        volume_l=box_l * pieces,
        pieces=pieces,
        longest_cm=_longest_cm(box_l, rng),
        product_class=goods.product_class,
        release_s=release_s,
        windows=windows,
        due_s=windows[0][1] if windows else due_s,
        late_cost_per_h=LATE_COST_PER_H,
        service_s=HEAVY_SERVICE_S if box_kg * pieces >= HEAVY_KG[0] else SERVICE_S,
        unserved_cost=goods.unserved_cost,
        value=round(goods.value_per_kg * box_kg * pieces),
        shipper="cooperative",
        synthetic=True,
    )


def _pick(goods: Sequence[Goods], rng: np.random.Generator) -> Goods:
    return goods[int(rng.choice(len(goods), p=[kind.share for kind in goods]))]


def _parcel(rng: np.random.Generator, *, may_be_heavy: bool) -> tuple[float, float]:
    """Return kilograms and litres of one parcel."""
    weight_kg = float(rng.lognormal(np.log(WEIGHT_MEDIAN_KG), WEIGHT_SIGMA))
    volume_l = float(rng.lognormal(np.log(VOLUME_MEDIAN_L), VOLUME_SIGMA))
    heavy = rng.random() < HEAVY_SHARE
    heavy_kg = float(rng.uniform(*HEAVY_KG))
    if heavy and may_be_heavy:
        weight_kg = heavy_kg
        volume_l *= 4.0
    weight_kg = round(min(max(weight_kg, 0.05), HEAVY_KG[1]), 2)
    return weight_kg, round(min(max(volume_l, 0.3, weight_kg / DENSEST_KG_PER_L), 200.0), 1)


def _longest_cm(piece_l: float, rng: np.random.Generator) -> float:
    """Return the longest edge of a piece: a box a little longer than a cube, now and then a long one."""
    stretch = float(rng.uniform(2.2, 3.5)) if rng.random() < 0.03 else float(rng.uniform(1.05, 1.6))
    edge_cm = float(np.cbrt(1_000.0 * piece_l))
    return float(round(min(edge_cm * stretch, 180.0)))


def _window(earliest_s: int, latest_s: int, rng: np.random.Generator) -> tuple[tuple[int, int], ...]:
    """Return one window of two to four hours inside the bounds, on quarter hours; shorter where they are close."""
    length_s = 900 * int(rng.integers(8, 17))
    room_s = latest_s - earliest_s - length_s
    start_s = earliest_s + 900 * int(rng.integers(0, max(0, room_s) // 900 + 1))
    end_s = min(start_s + length_s, latest_s)
    return ((start_s, end_s),) if end_s > start_s else ()
