"""Legal flight paths between points: round the zones, over the terrain, below the ceiling.

A path is the same both ways, so each pair of points is solved once. Paths are first sought that are legal all day:
round every zone that holds at some time of the day, through corridors that are open all day. Where there is none,
zones that hold only at times are crossed and corridors with hours are used, and the path carries its `windows`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import shapely

from geodata.airspace import Airspace, Zone
from geodata.drones import DroneType
from geodata.flight_airspace import view_airspace
from geodata.flight_energy import least_energy_wh, line_lengths_m, usable_wh
from geodata.flight_profile import Profile, string_profiles
from geodata.flight_route import Router
from geodata.flight_types import ALL_DAY, FlightPath, FlightRefusal
from geodata.location import FloatArray, LocalFrame, great_circle_m
from geodata.terrain import Terrain

CHUNK_LEGS = 4_000
"""Legs strung together at once, of about the same length; bounds memory to some hundred megabytes."""
SAME_PLACE_M = 1.0
"""Points closer than this are one place: the flight is straight up and down."""

Outcome = FlightPath | FlightRefusal
Windows = tuple[tuple[float, float], ...]


def find_flight_path(
    terrain: Terrain,
    airspace: Airspace,
    frame: LocalFrame,
    start: tuple[float, float],
    end: tuple[float, float],
    drone: DroneType,
    day: date,
) -> FlightPath | FlightRefusal:
    """Return a legal path from `start` to `end` (longitude, latitude), or why there is none; see `find_flight_paths`.

    For many legs use `find_flight_paths`: it takes little longer than one.
    """
    return find_flight_paths(terrain, airspace, frame, [start], [end], drone, day)[0]


def find_flight_paths(
    terrain: Terrain,
    airspace: Airspace,
    frame: LocalFrame,
    starts: npt.ArrayLike,
    ends: npt.ArrayLike,
    drone: DroneType,
    day: date,
) -> list[FlightPath | FlightRefusal]:
    """Return a legal path for each leg, or why there is none.

    In plan the path is straight, or the shortest way round the zones in between. It rises straight from the ground
    to the drone's clearance, keeps between that and 120 m over ground (an approved corridor's ceiling inside one)
    with the least climb, and sinks straight to the ground. Nothing is said about wind, payload or battery, but for
    distances no battery of the type could cover.

    Parameters
    ----------
    terrain
        Must cover the ways.
    airspace
        Zones; ``controlled`` ones are open only inside an approved corridor.
    frame
        Frame of the area; its centre is the centre of the plane in which ways are sought.
    starts, ends
        Longitude, latitude in degrees, arrays of shape (n, 2).
    drone
        Type flying.
    day
        Date of the flights: zones may hold in some months only.

    Returns
    -------
    list[FlightPath | FlightRefusal]
        One for each leg. The path back is the path out reversed.
    """
    starts_deg = np.asarray(starts, dtype=np.float64).reshape(-1, 2)
    ends_deg = np.asarray(ends, dtype=np.float64).reshape(-1, 2)
    pairs, index, turned = _unique_pairs(starts_deg, ends_deg)
    zones = airspace.concerning(day, drone.id)
    found = _solve(pairs, terrain, frame, drone, zones)
    result: list[Outcome] = []
    back: dict[int, Outcome] = {}
    for k, is_turned in zip(index.tolist(), turned.tolist(), strict=True):
        outcome = found[k]
        if is_turned and isinstance(outcome, FlightPath):
            outcome = back.setdefault(k, outcome.reversed())
        result.append(outcome)
    return result


def _unique_pairs(
    starts: FloatArray, ends: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return distinct unordered pairs of shape (m, 2, 2), the pair of each leg, and whether the leg runs it back."""
    turned = (starts[:, 0] > ends[:, 0]) | ((starts[:, 0] == ends[:, 0]) & (starts[:, 1] > ends[:, 1]))
    flat = np.where(turned[:, np.newaxis], np.hstack([ends, starts]), np.hstack([starts, ends]))
    pairs, index = np.unique(flat, axis=0, return_inverse=True)
    return pairs.reshape(-1, 2, 2), index.reshape(-1).astype(np.int64), turned


def _solve(
    pairs: FloatArray, terrain: Terrain, frame: LocalFrame, drone: DroneType, zones: Sequence[Zone]
) -> list[Outcome]:
    """Return a path or refusal for each pair of points, shape (n, 2, 2) in degrees, knowing the zones of the day."""
    bars = [zone for zone in zones if zone.kind != "corridor"]
    corridors = [zone for zone in zones if zone.kind == "corridor"]
    timed = [zone for zone in zones if not zone.is_permanent]
    always = _Search(terrain, frame, drone, bars, [zone for zone in corridors if zone.is_permanent])
    found = always.paths(pairs)
    if timed:
        again = [k for k, outcome in enumerate(found) if isinstance(outcome, FlightRefusal)]
        at_times = _Search(terrain, frame, drone, [zone for zone in bars if zone.is_permanent], corridors)
        for k, outcome in zip(again, at_times.paths(pairs[again]), strict=True):
            found[k] = _within_hours(outcome, timed)
    return found


class _Search:
    """Finds paths under one choice of zones and corridors, all of which hold."""

    def __init__(
        self, terrain: Terrain, frame: LocalFrame, drone: DroneType, bars: Sequence[Zone], corridors: Sequence[Zone]
    ) -> None:
        self._terrain, self._drone = terrain, drone
        self._view = view_airspace(frame, drone, bars, corridors)
        self._router = Router(self._view)

    def paths(self, pairs: FloatArray) -> list[Outcome]:
        """Return a path or refusal for each pair of points, shape (n, 2, 2) in degrees."""
        metres = great_circle_m(pairs[:, 0, 0], pairs[:, 0, 1], pairs[:, 1, 0], pairs[:, 1, 1])
        found: dict[int, Outcome] = {}
        for k in np.flatnonzero(metres < SAME_PLACE_M).tolist():
            found[k] = self._up_and_down(pairs[k])
        for k in np.flatnonzero(_lacking_wh(self._drone, metres) > 0.0).tolist():
            found[k] = _too_far(self._drone, float(metres[k]))
        plane = self._view.plane
        flown = np.array([k for k in range(len(pairs)) if k not in found], dtype=np.int64)
        routes = self._router.routes(plane.to_metres(pairs[flown, 0]), plane.to_metres(pairs[flown, 1]))
        ways: dict[int, FloatArray] = {}
        for k, route in zip(flown.tolist(), routes, strict=True):
            if isinstance(route, FlightRefusal):
                found[k] = route
            elif len(route) == 2:
                ways[k] = pairs[k]
            else:
                ways[k] = np.concatenate([pairs[k, :1], plane.to_degrees(route[1:-1]), pairs[k, 1:]])
        found.update(zip(ways, self._strung(list(ways.values()), metres[list(ways)]), strict=True))
        return [found[k] for k in range(len(pairs))]

    def _strung(self, ways: list[FloatArray], metres: FloatArray) -> list[Outcome]:
        """Return the path along each way, or why there is no room for one; `metres` are lengths from end to end."""
        found: dict[int, Outcome] = {}
        order = np.argsort(metres, kind="stable")
        for begin in range(0, len(ways), CHUNK_LEGS):
            legs = order[begin : begin + CHUNK_LEGS].tolist()
            chunk = [ways[leg] for leg in legs]
            profiles = string_profiles(self._terrain, self._view.plane, chunk, self._drone, self._view.layers)
            found.update(zip(legs, _as_paths(profiles), strict=True))
        return [found[leg] for leg in range(len(ways))]

    def _up_and_down(self, pair: FloatArray) -> Outcome:
        """Return the path of a flight that goes nowhere."""
        ground_m = np.round(self._terrain.elevation_m(pair[:, 0], pair[:, 1]), 2)
        if np.isnan(ground_m).any():
            return _lacking(math.nan)
        top_m = float(ground_m.max()) + self._drone.clearance_m
        line = np.array([[*pair[0], ground_m[0]], [*pair[0], top_m], [*pair[1], top_m], [*pair[1], ground_m[1]]])
        return FlightPath(line, int(line_lengths_m([line])[0]))


def _as_paths(profiles: Sequence[Profile]) -> list[Outcome]:
    """Return the path of each profile, or what its band lacks."""
    lines = [profile.line for profile in profiles if profile.line is not None]
    lengths_m = iter(line_lengths_m(lines).tolist() if lines else ())
    return [
        _lacking(profile.lacking_m) if profile.line is None else FlightPath(profile.line, next(lengths_m))
        for profile in profiles
    ]


def _lacking_wh(drone: DroneType, metres: FloatArray) -> FloatArray:
    """Return by how much flights of some lengths exceed any battery of the type, at the least."""
    return np.asarray(least_energy_wh(drone, 1.0) * metres - usable_wh(drone))


def _too_far(drone: DroneType, metres: float) -> FlightRefusal:
    """Return the refusal of a flight that no battery of the type covers, whatever the weather."""
    lacking_wh = float(_lacking_wh(drone, np.float64(metres)))  # type: ignore[arg-type]
    text = f"{metres / 1000:.1f} km need at least {lacking_wh:.0f} Wh more than the battery may give"
    return FlightRefusal("energy", lacking_wh, "Wh", text)


def _lacking(metres: float) -> FlightRefusal:
    """Return the refusal of a band that is too narrow, or of unknown ground."""
    if math.isnan(metres):
        return FlightRefusal("clearance", math.nan, "m", "the terrain along the way is not known")
    text = f"clearance over ground and ceiling leave no room: {metres:.0f} m are lacking"
    return FlightRefusal("ceiling", metres, "m", text)


def _within_hours(outcome: Outcome, timed: Sequence[Zone]) -> Outcome:
    """Return a path bound to the hours in which it is legal, or the refusal."""
    if isinstance(outcome, FlightRefusal):
        return outcome
    way = shapely.LineString(outcome.line[:, :2])
    touched = [zone for zone in timed if zone.geometry.intersects(way)]
    windows: Windows = ALL_DAY
    for zone in touched:
        windows = _cut(windows, zone)
    if not windows:
        names = ", ".join(zone.name for zone in touched)
        return FlightRefusal("no_fly", 0.0, "m", f"the hours of {names} leave no time to fly")
    return FlightPath(outcome.line, outcome.distance_m, windows)


def _cut(windows: Windows, zone: Zone) -> Windows:
    """Return what a zone leaves of some windows: its hours for a corridor, all others for a zone that bars."""
    if zone.kind == "corridor":
        left = [(zone.from_s, zone.until_s)]
    else:
        left = [(0.0, zone.from_s - 1.0), (zone.until_s + 1.0, math.inf)]
    cut = [(max(a, c), min(b, d)) for a, b in windows for c, d in left]
    return tuple((opens, closes) for opens, closes in cut if opens < closes)
