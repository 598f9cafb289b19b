"""Flights of one drone type between its bases and all places: paths once, costs by hour and payload class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.area import LAST_SECOND_S, Area
from geodata.cache import Cache
from geodata.drones import DroneType
from geodata.flight import FlightPath, FlightRefusal, costs_of_paths, find_flight_paths, payload_limit_kg
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
        "land": area.streets_digest,
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
    at = {place.id: (place.lon, place.lat) for place in places}
    pairs = [
        pair
        for base_id in base_ids
        for place in places
        if place.id != base_id
        for pair in ((base_id, place.id), (place.id, base_id))
    ]
    found = find_flight_paths(
        area.terrain,
        area.airspace,
        area.frame,
        [at[start] for start, _ in pairs],
        [at[end] for _, end in pairs],
        drone,
        area.service_date,
    )
    return dict(zip(pairs, found, strict=True))


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
    flown = [
        (b, p, base_id, place_id)
        for b, base_id in enumerate(base_ids)
        for p, place_id in enumerate(place_ids)
        if (base_id, place_id) in book.paths and (place_id, base_id) in book.paths
    ]
    limits = np.zeros(shape)
    for b, p, base_id, place_id in flown:
        pair = book.paths[base_id, place_id], book.paths[place_id, base_id]
        limits[b, p] = min(payload_limit_kg(path.line, drone) for path in pair)
    out = _side(drone, shape, [(b, p, book.paths[base, place]) for b, p, base, place in flown], payload_kg, area, True)
    back = _side(
        drone, shape, [(b, p, book.paths[place, base]) for b, p, base, place in flown], payload_kg, area, False
    )
    return FlightTable(
        type_id=drone.id,
        base_ids=base_ids,
        place_ids=place_ids,
        payload_kg=payload_kg,
        out_duration_s=out.duration_s,
        back_duration_s=back.duration_s,
        out_energy_wh=out.energy_wh,
        back_energy_wh=back.energy_wh,
        out_distance_m=out.distance_m,
        back_distance_m=back.distance_m,
        max_payload_kg=limits,
        refusals={pair: text for pair, text in refusals.items() if pair[0] in base_ids},
    )


@dataclass(frozen=True)
class _Side:
    """One direction of all flights: shapes (b, p, h), (b, p, h, k) and (b, p)."""

    duration_s: npt.NDArray[np.int64]
    energy_wh: npt.NDArray[np.float64]
    distance_m: npt.NDArray[np.int64]


def _side(
    drone: DroneType,
    shape: tuple[int, int],
    paths: list[tuple[int, int, FlightPath]],
    payload_kg: npt.NDArray[np.float64],
    area: Area,
    winch: bool,
) -> _Side:
    duration_s = np.full((*shape, N_HOURS), UNREACHABLE_S, dtype=np.int64)
    energy_wh = np.zeros((*shape, N_HOURS, PAYLOAD_CLASSES))
    distance_m = np.zeros(shape, dtype=np.int64)
    if paths:
        b, p = np.array([b for b, _, _ in paths]), np.array([p for _, p, _ in paths])
        duration_s[b, p], energy_wh[b, p] = costs_of_paths(
            [path for _, _, path in paths], drone, area.weather, payload_kg, N_HOURS, winch=winch
        )
        distance_m[b, p] = [path.distance_m for _, _, path in paths]
    return _Side(duration_s, energy_wh, distance_m)
