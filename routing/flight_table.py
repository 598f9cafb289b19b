"""Flights of one drone type between its bases and all places: paths once, costs by hour and payload class."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geodata.area import LAST_SECOND_S, Area
from geodata.cache import Cache
from geodata.drones import DroneType
from geodata.flight import FlightPath, FlightRefusal, costs_by_hour, find_flight_path, payload_limit_kg
from geodata.matrix import UNREACHABLE_S
from routing.model.problem import FlightTable, Place

N_HOURS = LAST_SECOND_S // 3600
PAYLOAD_CLASSES = 4
"""Payload classes per drone type, evenly spread from 0 to the payload limit; power is nearly linear between them."""


@dataclass(frozen=True)
class FlightBook:
    """Legal flight paths of one drone type, by (from place id, to place id)."""

    paths: Mapping[tuple[str, str], FlightPath]


def build_flight_table(
    drone: DroneType, base_ids: tuple[str, ...], places: tuple[Place, ...], area: Area, cache: Cache
) -> tuple[FlightTable, FlightBook]:
    """Find the flight paths between bases and places both ways, and what they cost in each hour of the day."""
    key = {
        "terrain": hashlib.sha256(area.terrain.elevation_m.tobytes()).hexdigest(),
        "drone": repr(drone),
        "airspace": repr(area.airspace),
        "date": area.service_date.isoformat(),
        "points": repr([(place.id, place.lon, place.lat) for place in places]),
        "bases": list(base_ids),
    }
    found = cache.get("flight_paths", key, lambda: _find_paths(drone, base_ids, places, area))
    book = FlightBook({pair: path for pair, path in found.items() if isinstance(path, FlightPath)})
    refusals = {pair: path.text for pair, path in found.items() if isinstance(path, FlightRefusal)}
    return _table(drone, base_ids, tuple(place.id for place in places), book, refusals, area), book


def _find_paths(
    drone: DroneType, base_ids: tuple[str, ...], places: tuple[Place, ...], area: Area
) -> dict[tuple[str, str], FlightPath | FlightRefusal]:
    by_id = {place.id: place for place in places}
    found: dict[tuple[str, str], FlightPath | FlightRefusal] = {}
    for base_id in base_ids:
        base = by_id[base_id]
        for place in places:
            if place.id == base_id:
                continue
            for start, end in ((base, place), (place, base)):
                found[start.id, end.id] = find_flight_path(
                    area.terrain,
                    area.airspace,
                    area.frame,
                    (start.lon, start.lat),
                    (end.lon, end.lat),
                    drone,
                    area.service_date,
                )
    return found


def _table(
    drone: DroneType,
    base_ids: tuple[str, ...],
    place_ids: tuple[str, ...],
    book: FlightBook,
    refusals: Mapping[tuple[str, str], str],
    area: Area,
) -> FlightTable:
    shape = (len(base_ids), len(place_ids))
    payload_kg = np.linspace(0.0, drone.payload_kg, PAYLOAD_CLASSES)
    durations = [np.full((*shape, N_HOURS), UNREACHABLE_S, dtype=np.int64) for _ in range(2)]
    energies = [np.zeros((*shape, N_HOURS, PAYLOAD_CLASSES)) for _ in range(2)]
    distances = [np.zeros(shape, dtype=np.int64) for _ in range(2)]
    limits = np.zeros(shape)
    kept_refusals: dict[tuple[str, str], str] = {}
    for b, base_id in enumerate(base_ids):
        for p, place_id in enumerate(place_ids):
            out, back = book.paths.get((base_id, place_id)), book.paths.get((place_id, base_id))
            if out is None or back is None:
                reason = refusals.get((base_id, place_id)) or refusals.get((place_id, base_id))
                if reason is not None:
                    kept_refusals[base_id, place_id] = reason
                continue
            limits[b, p] = min(payload_limit_kg(out.line, drone), payload_limit_kg(back.line, drone))
            for side, path in enumerate((out, back)):
                durations[side][b, p], energies[side][b, p] = costs_by_hour(
                    path, drone, area.weather, payload_kg, N_HOURS, winch=side == 0
                )
                distances[side][b, p] = round(path.distance_m)
    return FlightTable(
        type_id=drone.id,
        base_ids=base_ids,
        place_ids=place_ids,
        payload_kg=payload_kg,
        out_duration_s=durations[0],
        back_duration_s=durations[1],
        out_energy_wh=energies[0],
        back_energy_wh=energies[1],
        out_distance_m=distances[0],
        back_distance_m=distances[1],
        max_payload_kg=limits,
        refusals=kept_refusals,
    )
