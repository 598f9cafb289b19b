"""How people beyond the reach of every open point are served: by courier where a road leads, else by a checked flight.

A drone counts only where the scenario has one: a legal path both ways between its base and the settlement in some hour
of the day, a payload limit that carries a parcel up there, and a battery that lasts for both ways above its reserve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.area import Area
from geodata.cache import Cache
from geodata.drones import DroneType
from geodata.flight_energy import usable_wh
from geodata.location import Level
from geodata.matrix import UNREACHABLE_S
from routing.builder import numbered_carriers
from routing.flight_table import build_flight_table
from routing.model.problem import FlightTable, Place
from routing.scenario import Scenario
from routing.siting.question import FloatArray
from routing.siting.reach import measure_reach
from routing.siting.study import Aim, Answer, Study
from routing.siting.survey import Settlement

PARCEL_KG = 2.0
"""A parcel as a drone must carry it [A]."""


@dataclass(frozen=True)
class Fallback:
    """How a settlement beyond the reach of every open point can be served.

    `by` is ``courier``, ``drone`` or ``none``; `minutes` the way there by e-moto from the nearest open point, or the
    flight there from `base`, the site of the drone; `reason` says why nothing leads there.
    """

    settlement: int
    by: str
    minutes: float | None = None
    base: str = ""
    reason: str = ""


def fallbacks(
    scenario: Scenario, area: Area, study: Study, aim: Aim, answer: Answer, cache: Cache | None
) -> tuple[Fallback, ...]:
    """Return how each settlement beyond the reach of every open point, or without room, can be served."""
    beyond = np.flatnonzero(~(study.nearest(answer.chosen[-1])[1] <= aim.reach_min))
    if not beyond.size:
        return ()
    opened = [study.candidates[site] for site, _ in answer.chosen[-1]]
    places = [study.settlements[i] for i in beyond]
    minutes = measure_reach(area, places, opened, "emoto", cache=cache).minutes.min(axis=1)
    roadless = [k for k in range(len(places)) if not np.isfinite(minutes[k])]
    flown = dict(zip(roadless, flights_to(scenario, area, [places[k] for k in roadless], cache), strict=True))
    return tuple(
        Fallback(int(i), *flown[k]) if k in flown else Fallback(int(i), "courier", float(minutes[k]))
        for k, i in enumerate(beyond)
    )


def flights_to(
    scenario: Scenario, area: Area, settlements: list[Settlement], cache: Cache | None
) -> list[tuple[str, float | None, str, str]]:
    """Return for each settlement ``("drone", minutes, base, "")`` by the shortest flight, or why none is possible."""
    if not settlements:
        return []
    stands = sorted(
        {(kind, site) for _, kind, site, _ in numbered_carriers(scenario) if kind in scenario.drone_services}
    )
    if not stands:
        return [("none", None, "", "no road leads there, and the scenario has no drone")] * len(settlements)
    best: list[tuple[float, str]] = [(float("inf"), "")] * len(settlements)
    why = [""] * len(settlements)
    for type_id in sorted({kind for kind, _ in stands}):
        drone = scenario.drone_services[type_id].physics
        bases = tuple(site for kind, site in stands if kind == type_id)
        table = _table(scenario, area, drone, bases, settlements, cache)
        for k in range(len(settlements)):
            place = f"settlement-{k}"
            found = min((_flight_min(table, drone, base, place), base) for base in bases)
            best[k] = min(best[k], found)
            why[k] = why[k] or next((table.refusals[pair] for pair in ((base, place) for base in bases)
                                     if pair in table.refusals), "")  # fmt: skip
    return [
        ("drone", minutes, base, "")
        if np.isfinite(minutes)
        else ("none", None, "", reason or "no drone of the scenario reaches it on a battery, with a parcel, today")
        for (minutes, base), reason in zip(best, why, strict=True)
    ]


def _table(
    scenario: Scenario,
    area: Area,
    drone: DroneType,
    bases: tuple[str, ...],
    settlements: list[Settlement],
    cache: Cache | None,
) -> FlightTable:
    known = {site.id: (site.name, site.level, site.lon, site.lat) for site in scenario.sites}
    at = {base: known[base] for base in bases}
    at |= {f"settlement-{k}": (s.name, Level.GROUP, s.lon, s.lat) for k, s in enumerate(settlements)}
    lon, lat = np.array([place[2] for place in at.values()]), np.array([place[3] for place in at.values()])
    heights: FloatArray = area.terrain.elevation_m(lon, lat)
    places = tuple(
        Place(id=key, name=name, level=level, lon=x, lat=y, elevation_m=float(z), handling_s=0, closes_s=2 * 86_400)
        for (key, (name, level, x, y)), z in zip(at.items(), heights, strict=True)
    )
    return build_flight_table(drone, bases, places, area, cache if cache is not None else Cache(None))[0]


def _flight_min(table: FlightTable, drone: DroneType, base: str, place: str) -> float:
    """Return minutes of the quickest flight there that may be flown with a parcel, inf where there is none."""
    b, p = table.base_index[base], table.place_index[place]
    if table.max_payload_kg[b, p] < PARCEL_KG:
        return float("inf")
    out_s, back_s = table.out_duration_s[b, p], table.back_duration_s[b, p]
    loaded = np.array([np.interp(PARCEL_KG, table.payload_kg, classes) for classes in table.out_energy_wh[b, p]])
    energy_wh = loaded + table.back_energy_wh[b, p, :, 0]
    may = (out_s < UNREACHABLE_S) & (back_s < UNREACHABLE_S) & (energy_wh <= usable_wh(drone))
    return float(out_s[may].min()) / 60.0 if may.any() else float("inf")
