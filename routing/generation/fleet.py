"""The default fleet of a county: vehicles, couriers and drones by the domain notes (4), scaled to the day's orders.

Money is in fen. Figures of the domain notes are marked [4]; what is assumed here is marked [A]. A fixed cost is paid
per vehicle and day of use: price over its years of 300 days, and insurance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from geodata.drones import DroneType
from geodata.location import Level, Site
from routing.model.carrier import Compartment, DroneService, VehicleType

DRIVER_PER_H = 3_200.0
"""CNY 32/h [4]."""
AGENT_PER_H = 2_000.0
"""CNY 20/h for a village agent [A]."""
DRONE_CREW_PER_H = 3_000.0
"""CNY 10 of crew in a 20-minute round trip [4]."""
ELECTRICITY_PER_KWH = 80.0
DIESEL_PER_L = 750.0
"""CNY 0.8/kWh and 7.5/L (domain notes 2d)."""
HANDLING_PER_PIECE = 10.0
"""CNY 0.1 a piece and transfer [A]."""

FIRM, DRONE_OPERATOR = "firm", "drone"
"""The two operators beside the bus company."""

_MAX_DRIVE_S = 8 * 3_600


def _clock(hour: int, minute: int = 0) -> int:
    return 3_600 * hour + 60 * minute


EV_VAN = VehicleType(
    id="ev_van",
    kind="vehicle",
    profile="van_electric",
    compartments=(Compartment("hold", 800.0, 4_500.0),),
    fixed_cost=6_000.0,  # CNY 80,000 over 6 years and CNY 15 a day of insurance [A]
    cost_per_km=40.0,
    cost_per_h=DRIVER_PER_H,
    shift_start_s=_clock(7),
    shift_end_s=_clock(17, 30),
    max_drive_s=_MAX_DRIVE_S,
    range_wh=36_000.0,  # 42 kWh, 85 % usable [A]
    energy_source="electric",
    width_m=1.6,
    height_m=1.95,
    gross_kg=2_350.0,
)
MINIVAN = VehicleType(
    id="minivan",
    kind="vehicle",
    profile="van_diesel",
    compartments=(Compartment("hold", 700.0, 4_000.0),),
    fixed_cost=4_500.0,  # CNY 55,000 over 6 years and CNY 15 a day [A]
    cost_per_km=60.0,
    cost_per_h=DRIVER_PER_H,
    shift_start_s=_clock(7),
    shift_end_s=_clock(17, 30),
    max_drive_s=_MAX_DRIVE_S,
    energy_source="diesel",
    width_m=1.65,
    height_m=1.95,
    gross_kg=2_100.0,
)
TRUCK = VehicleType(
    id="truck",
    kind="vehicle",
    profile="truck",
    compartments=(Compartment("hold", 1_500.0, 15_000.0),),
    fixed_cost=9_500.0,  # CNY 120,000 over 6 years and CNY 28 a day [A]
    cost_per_km=130.0,
    cost_per_h=DRIVER_PER_H,
    shift_start_s=_clock(6, 30),
    shift_end_s=_clock(17),
    max_drive_s=_MAX_DRIVE_S,
    stop_s=300,
    energy_source="diesel",
    width_m=2.1,
    height_m=3.0,
    gross_kg=4_495.0,
)
REEFER_VAN = VehicleType(
    id="reefer_van",
    kind="vehicle",
    profile="reefer",
    compartments=(Compartment("chilled", 400.0, 2_000.0, set_point_c=2.0), Compartment("hold", 200.0, 1_000.0)),
    fixed_cost=7_500.0,  # CNY 105,000 over 6 years and CNY 17 a day [A]
    cost_per_km=65.0,
    cost_per_h=DRIVER_PER_H,
    shift_start_s=_clock(7),
    shift_end_s=_clock(17, 30),
    max_drive_s=_MAX_DRIVE_S,
    energy_source="diesel",
    width_m=1.7,
    height_m=2.3,
    gross_kg=2_800.0,
)
"""600 kg, 3 m³ [4], of which two thirds are chilled to 2 °C, which suits meat, vaccine and chilled produce."""
TRICYCLE = VehicleType(
    id="tricycle",
    kind="vehicle",
    profile="tricycle",
    compartments=(Compartment("bed", 150.0, 800.0),),
    fixed_cost=1_200.0,  # CNY 12,000 over 4 years and CNY 2 a day [A]
    cost_per_km=30.0,
    cost_per_h=AGENT_PER_H,
    shift_start_s=_clock(7),
    shift_end_s=_clock(18),
    max_drive_s=_MAX_DRIVE_S,
    stop_s=60,
    range_wh=3_000.0,  # 72 V, 50 Ah, 85 % usable [A]
    energy_source="electric",
    width_m=1.1,
    height_m=1.6,
    gross_kg=550.0,
)
EMOTO_COURIER = VehicleType(
    id="emoto_courier",
    kind="courier",
    profile="emoto",
    compartments=(Compartment("box", 40.0, 150.0),),
    fixed_cost=400.0,  # CNY 4,500 over 4 years [A]
    cost_per_km=10.0,
    cost_per_h=AGENT_PER_H,
    shift_start_s=_clock(7),
    shift_end_s=_clock(18, 30),
    max_drive_s=_MAX_DRIVE_S,
    stop_s=60,
    range_wh=1_500.0,
    energy_source="electric",
)
WALKER = VehicleType(
    id="walker",
    kind="courier",
    profile="walker",
    compartments=(Compartment("basket", 15.0, 60.0),),
    fixed_cost=0.0,
    cost_per_km=0.0,
    cost_per_h=AGENT_PER_H,
    shift_start_s=_clock(7),
    shift_end_s=_clock(18, 30),
    max_drive_s=_MAX_DRIVE_S,
    stop_s=60,
)
"""A basket of 15 kg and 60 L is what a person carries on a hill path for an hour [A]."""

DRONE_L = DroneType(
    id="L",
    mass_kg=65.0,
    payload_kg=30.0,
    payload_loss_kg_per_km=2.5,
    volume_l=70.0,
    battery_wh=3_968.8,
    reserve=0.2,
    disc_area_m2=5.94,
    hover_factor=1.7,
    cruise_factor=0.95,
    descent_factor=0.85,
    climb_efficiency=0.75,
    cruise_m_s=15.0,
    climb_m_s=4.0,
    descent_m_s=3.0,
    wind_limit_m_s=12.0,
    winch_s=180,
    turnaround_s=420,
    approval="declared",
)
DRONE_M = DroneType(
    id="M",
    mass_kg=10.5,
    payload_kg=6.0,
    payload_loss_kg_per_km=0.5,
    volume_l=20.0,
    battery_wh=1_100.0,
    reserve=0.2,
    disc_area_m2=1.3,
    hover_factor=1.7,
    cruise_factor=0.95,
    descent_factor=0.85,
    climb_efficiency=0.75,
    cruise_m_s=15.0,
    climb_m_s=4.0,
    descent_m_s=3.0,
    wind_limit_m_s=10.0,
    winch_s=120,
    turnaround_s=300,
)


@dataclass(frozen=True, slots=True)
class StandRow:
    """How many carriers of one type stand at one site, and whose they are."""

    type: str
    site: str
    count: int
    operator: str


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What ``fleet.toml`` holds: types, and what stands where."""

    vehicles: tuple[VehicleType, ...]
    drones: tuple[DroneService, ...]
    stands: tuple[StandRow, ...]


def drone_service(physics: DroneType) -> DroneService:
    """Return a drone type with what it costs.

    A round trip of the FlyCart 30 costs about CNY 45: capital 14, battery 16, maintenance and insurance 3, energy 2,
    crew 10 [4]. The first three are the cost of a sortie; smaller drones cost in proportion to the square root of
    their mass [A], energy is priced by the plan and crew by the hour.
    """
    return DroneService(
        physics=physics,
        fixed_cost=0.0,
        cost_per_sortie=float(round(3_300.0 * math.sqrt(physics.mass_kg / DRONE_L.mass_kg), -2)),
        cost_per_h=DRONE_CREW_PER_H,
        shift_start_s=_clock(6, 30),
        shift_end_s=_clock(18),
    )


def default_fleet(sites: Sequence[Site], hub_id: str, pad_site_ids: Sequence[str], *, orders: int) -> FleetPlan:
    """Return a fleet for a county of these sites and a day of so many orders.

    At the hub stand one electric van for each 80 orders, one minivan for each 100, one reefer van for each 250 and one
    truck for each 8 towns; at every town a tricycle; at every village a courier, with an e-moto in the half of the
    villages with more people and on foot in the others; on every pad one large drone and two of middle size [A].

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
        StandRow(EV_VAN.id, hub_id, max(1, math.ceil(orders / 80)), FIRM),
        StandRow(MINIVAN.id, hub_id, max(1, math.ceil(orders / 100)), FIRM),
        StandRow(TRUCK.id, hub_id, max(1, math.ceil(len(towns) / 8)), FIRM),
        StandRow(REEFER_VAN.id, hub_id, max(1, math.ceil(orders / 250)), FIRM),
    ]
    stands += [StandRow(TRICYCLE.id, town, 1, FIRM) for town in towns]
    stands += [
        StandRow(EMOTO_COURIER.id if site.id in riding else WALKER.id, site.id, 1, FIRM)
        for site in sorted(villages, key=lambda site: site.id)
    ]
    for pad in pad_site_ids:
        stands += [StandRow(DRONE_L.id, pad, 1, DRONE_OPERATOR), StandRow(DRONE_M.id, pad, 2, DRONE_OPERATOR)]
    used = {stand.type for stand in stands}
    vehicles = (EV_VAN, MINIVAN, TRUCK, REEFER_VAN, TRICYCLE, EMOTO_COURIER, WALKER)
    return FleetPlan(
        vehicles=tuple(kind for kind in vehicles if kind.id in used),
        drones=tuple(drone_service(kind) for kind in (DRONE_L, DRONE_M) if kind.id in used),
        stands=tuple(stands),
    )
