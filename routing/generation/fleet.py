"""The default fleet of a county: shipped carrier types, and how many stand where for a day of so many orders.

Types, rates and physics are the shipped presets (``routing/data/vehicles.toml``, ``geodata/data/drones.toml``), whose
sources stand there. Numbers of carriers are assumptions, stated here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geodata.drones import load_drone_types
from geodata.location import Level, Site
from routing.fleet import Stand, load_presets

ORDERS_PER_EV_VAN, ORDERS_PER_MINIVAN, ORDERS_PER_REEFER, TOWNS_PER_TRUCK = 80, 100, 250, 8
"""At the hub, rounded up: a van in the mountains makes some 25 stops a day and shares the work with the others."""
LARGE_DRONES_PER_PAD, SMALL_DRONES_PER_PAD = 1, 2
FIRM, DRONE_OPERATOR = "firm", "drone"
"""The two operators beside the bus company."""

EV_VAN, MINIVAN, TRUCK, REEFER_VAN = "van_electric", "van_diesel", "truck_4t2", "reefer_van"
TRICYCLE, EMOTO, WALKER = "tricycle", "emoto", "walker"
LARGE_DRONE, SMALL_DRONE = "L", "M"


@dataclass(frozen=True)
class FleetPlan:
    """What ``fleet.toml`` holds: records of types with every field, and what stands where."""

    vehicles: tuple[Mapping[str, Any], ...]
    drones: tuple[Mapping[str, Any], ...]
    stands: tuple[Stand, ...]


def default_fleet(sites: Sequence[Site], hub_id: str, pad_site_ids: Sequence[str], *, orders: int) -> FleetPlan:
    """Return a fleet for a county of these sites and a day of so many orders.

    At the hub stand electric vans, minivans, reefer vans and trucks; at every town a tricycle; at every village a
    courier, with an e-moto in the half of the villages with more people and on foot in the others; on every pad one
    large drone and two small ones.

    Parameters
    ----------
    sites
        The network.
    hub_id
        Where the road fleet stands.
    pad_site_ids
        Sites drones are based at; none gives a fleet without drones.
    orders
        Number of orders of the day.
    """
    towns = sorted(site.id for site in sites if site.level is Level.TOWN and site.id != hub_id)
    villages = sorted(
        (site for site in sites if site.level is Level.VILLAGE and site.kind == "existing"),
        key=lambda site: (-site.population, site.id),
    )
    riding = {site.id for site in villages[: (len(villages) + 1) // 2]}
    stands = [
        Stand(EV_VAN, hub_id, max(1, math.ceil(orders / ORDERS_PER_EV_VAN)), FIRM),
        Stand(MINIVAN, hub_id, max(1, math.ceil(orders / ORDERS_PER_MINIVAN)), FIRM),
        Stand(TRUCK, hub_id, max(1, math.ceil(len(towns) / TOWNS_PER_TRUCK)), FIRM),
        Stand(REEFER_VAN, hub_id, max(1, math.ceil(orders / ORDERS_PER_REEFER)), FIRM),
    ]
    stands += [Stand(TRICYCLE, town, 1, FIRM) for town in towns]
    stands += [
        Stand(EMOTO if village in riding else WALKER, village, 1, FIRM) for village in sorted(v.id for v in villages)
    ]
    for pad in pad_site_ids:
        stands += [
            Stand(LARGE_DRONE, pad, LARGE_DRONES_PER_PAD, DRONE_OPERATOR),
            Stand(SMALL_DRONE, pad, SMALL_DRONES_PER_PAD, DRONE_OPERATOR),
        ]
    used = {stand.type for stand in stands}
    presets = load_presets(load_drone_types())
    vehicles = (EV_VAN, MINIVAN, TRUCK, REEFER_VAN, TRICYCLE, EMOTO, WALKER)
    return FleetPlan(
        vehicles=tuple(_record(kind, presets.vehicles) for kind in vehicles if kind in used),
        drones=tuple(_record(kind, presets.drones) for kind in (LARGE_DRONE, SMALL_DRONE) if kind in used),
        stands=tuple(stands),
    )


def _record(kind: str, presets: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a preset as a type of its own, with every field that has a value."""
    return {"id": kind} | {name: value for name, value in presets[kind].items() if name != "id" and value is not None}
