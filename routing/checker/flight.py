"""FLIGHT: sorties over terrain and through airspace, by the checker's own dense sampling of each line.

Between vertices a line is straight in longitude, latitude and height. It is sampled every few metres; each sample is
held against the ground below it, the ceiling above it and every zone that holds while the drone is in the air.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely

from geodata.airspace import Zone
from geodata.drones import DroneType
from geodata.flight import FlightCost, fly
from geodata.location import FloatArray, great_circle_m
from routing.checker.capacity import aboard_by_segment
from routing.checker.codes import Code
from routing.checker.goods import handed_mass_kg
from routing.checker.journeys import Case, MapCase
from routing.checker.movements import Needs, compare_movement, energy_tolerance_wh
from routing.checker.report import Violation
from routing.model.carrier import Drone
from routing.model.plan import Route, Stop
from routing.model.problem import Place

SAMPLE_EVERY_M = 10.0
MAX_SAMPLES = 1_000_000
CEILING_AGL_M = 120.0
"""Height over ground above which airspace is controlled (Interim Regulation on unmanned aircraft, Art. 19)."""
FREE_ENDS_M = 100.0
"""At its ends a flight may be lower than its clearance over this length."""
HEIGHT_TOLERANCE_M = 0.25
ENDS_TOLERANCE_M = 2.0
"""Plan distance and height by which a line may miss the ground at its places: rounding of coordinates."""
PAYLOAD_TOLERANCE_KG = 0.01

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Track:
    """Samples of a flight line, each array of shape (n,): degrees, metres above sea level, along and over ground."""

    lon: FloatArray
    lat: FloatArray
    height_m: FloatArray
    along_m: FloatArray
    agl_m: FloatArray

    @property
    def length_m(self) -> float:
        """Horizontal length."""
        return float(self.along_m[-1])


def check_flight(case: MapCase) -> Iterator[Violation]:
    """Yield the violations of the FLIGHT family, and of time, distance and energy of flights."""
    for route, drone in sorties_of(case):
        yield from check_sortie_shape(route, drone)
        yield from _check_flights(case, route, drone)
    yield from check_turnarounds(case)


# --- Sorties -------------------------------------------------------------------------------------------------------


def sorties_of(case: Case) -> Iterator[tuple[Route, Drone]]:
    """Yield the routes of drones that lead anywhere."""
    for route in case.document.routes:
        drone = case.carrier_of(route)
        if isinstance(drone, Drone) and len(route.stops) >= 2:
            yield route, drone


def check_sortie_shape(route: Route, drone: Drone) -> Iterator[Violation]:
    """Hold stops and hours of a sortie against the rules."""
    if len(route.stops) != 3 or route.stops[1].place == drone.base:
        text = f"the sortie visits {', '.join(stop.place for stop in route.stops)}; it must be base, place, base"
        yield Violation(Code.FLIGHT_SORTIE_SHAPE, None, None, "", text, route.id)
    start_s, end_s = drone.service.shift_start_s, drone.service.shift_end_s
    away_s, back_s = route.stops[0].departure_s, route.stops[-1].arrival_s
    outside_s = max(start_s - away_s, back_s - end_s)
    if outside_s > 0:
        text = f"{drone.id} flies {away_s}-{back_s}, its shift is {start_s}-{end_s}"
        yield Violation(Code.FLIGHT_OUTSIDE_SHIFT, drone.base, float(outside_s), "s", text, route.id)


def payloads_kg(case: Case, route: Route) -> list[float]:
    """Return what is aboard on leaving each stop."""
    return [sum(handed_mass_kg(case.facts, handover) for handover in aboard) for _, aboard in aboard_by_segment(route)]


def check_reserve(route: Route, drone: Drone, used_wh: float) -> Iterator[Violation]:
    """Hold the energy of a sortie against the battery above its reserve."""
    usable_wh = drone.service.physics.battery_wh * (1.0 - drone.service.physics.reserve)
    if used_wh > usable_wh + energy_tolerance_wh(used_wh):
        text = f"the sortie needs {used_wh:.0f} Wh, {usable_wh:.0f} Wh of the battery are above its reserve"
        yield Violation(Code.FLIGHT_RESERVE, drone.base, used_wh - usable_wh, "Wh", text, route.id)


def _check_flights(case: MapCase, route: Route, drone: Drone) -> Iterator[Violation]:
    payloads = payloads_kg(case, route)
    used_wh = 0.0
    for position, (here, there) in enumerate(pairwise(route.stops)):
        if here.movement is None or here.movement.kind != "flight":
            continue
        leg = _Leg(case, route, drone, here, there, payloads[position], is_outward=there.place != drone.base)
        yield from leg.check()
        used_wh += leg.energy_wh
    yield from check_reserve(route, drone, used_wh)


def check_turnarounds(case: Case) -> Iterator[Violation]:
    """Hold the time between sorties of a drone against its turnaround."""
    sorties: dict[str, list[tuple[Route, Drone]]] = {}
    for route, drone in sorties_of(case):
        sorties.setdefault(drone.id, []).append((route, drone))
    for flown in sorties.values():
        flown.sort(key=lambda sortie: (sortie[0].stops[0].arrival_s, sortie[0].stops[-1].departure_s))
        for (first, drone), (second, _) in pairwise(flown):
            turnaround_s = drone.service.physics.turnaround_s
            gap_s = second.stops[0].arrival_s - first.stops[-1].departure_s
            if 0 <= gap_s < turnaround_s:  # an overlap is a fault of TIMING
                text = (
                    f"{drone.id} starts again {gap_s} s after sortie {first.id}, its turnaround takes {turnaround_s} s"
                )
                amount = float(turnaround_s - gap_s)
                yield Violation(Code.FLIGHT_TURNAROUND, drone.base, amount, "s", text, second.id)


# --- One flight ----------------------------------------------------------------------------------------------------


@dataclass
class _Leg:
    """One flight of a sortie; `energy_wh` is what it needs, known after `check`."""

    case: MapCase
    route: Route
    drone: Drone
    here: Stop
    there: Stop
    payload_kg: float
    is_outward: bool
    energy_wh: float = 0.0

    @property
    def physics(self) -> DroneType:
        return self.drone.service.physics

    @property
    def span_s(self) -> tuple[float, float]:
        """Seconds after midnight between which the drone is in the air, winching included."""
        winch_s = self.physics.winch_s if self.is_outward else 0
        return self.here.departure_s, max(self.here.departure_s, self.there.arrival_s) + winch_s

    def violation(self, code: Code, amount: float | None, unit: str, text: str) -> Violation:
        return Violation(code, self.here.place, amount, unit, text, self.route.id)

    @property
    def way(self) -> str:
        return f"from {self.here.place} to {self.there.place}"

    def check(self) -> Iterator[Violation]:
        line = np.array(self.here.movement.line if self.here.movement else (), dtype=np.float64).reshape(-1, 3)
        if len(line) < 2:
            text = f"the flight {self.way} has a line of {len(line)} points"
            yield self.violation(Code.FLIGHT_WRONG_ENDS, None, "", text)
            return
        yield from self._check_ends(line)
        yield from self._check_wind()
        yield from self._check_payload(line)
        track = sample_line(self.case, line)
        if track is None:
            text = f"the flight {self.way} leaves the area whose ground height is known"
            yield self.violation(Code.FLIGHT_OUTSIDE_TERRAIN, None, "", text)
        else:
            yield from self._check_heights(track)
            yield from self._check_zones(track)
        yield from self._check_effort(line)

    def _check_ends(self, line: FloatArray) -> Iterator[Violation]:
        for stop, point in ((self.here, line[0]), (self.there, line[-1])):
            place = self.case.facts.places.get(stop.place)
            if place is None:
                continue
            off_m = _miss_m(place, point)
            if off_m > ENDS_TOLERANCE_M:
                text = f"the line of the flight {self.way} is {off_m:.1f} m off {place.id} on the ground"
                yield Violation(Code.FLIGHT_WRONG_ENDS, place.id, off_m, "m", text, self.route.id)

    def _check_wind(self) -> Iterator[Violation]:
        from_s, until_s = self.span_s
        limit = self.physics.wind_limit_m_s
        peaks = [
            self.case.facts.weather.hour(3600.0 * hour).peak_wind_m_s
            for hour in range(int(from_s // 3600), int(until_s // 3600) + 1)
        ]
        if max(peaks) > limit:
            text = f"wind with gusts reaches {max(peaks):.1f} m/s during the flight {self.way}, the limit is {limit:g}"
            yield self.violation(Code.FLIGHT_WIND, max(peaks) - limit, "m/s", text)

    def _check_payload(self, line: FloatArray) -> Iterator[Violation]:
        higher_km = max(float(line[0, 2]), float(line[-1, 2]), 0.0) / 1000.0
        limit_kg = max(0.0, self.physics.payload_kg - self.physics.payload_loss_kg_per_km * higher_km)
        over_kg = self.payload_kg - limit_kg
        if over_kg > PAYLOAD_TOLERANCE_KG:
            text = (
                f"{self.payload_kg:.2f} kg fly {self.way}, at {higher_km * 1000:.0f} m the limit is {limit_kg:.2f} kg"
            )
            yield self.violation(Code.FLIGHT_PAYLOAD, over_kg, "kg", text)

    def _check_heights(self, track: Track) -> Iterator[Violation]:
        inner = (track.along_m > FREE_ENDS_M + 1.0) & (track.along_m < track.length_m - FREE_ENDS_M - 1.0)
        floor_m = np.where(inner, self.physics.clearance_m, 0.0)
        low_m = floor_m - track.agl_m
        worst = int(np.argmax(low_m))
        if low_m[worst] > HEIGHT_TOLERANCE_M:
            text = (
                f"the flight {self.way} is {track.agl_m[worst]:.1f} m over ground after {track.along_m[worst]:.0f} m, "
                f"least there is {floor_m[worst]:g} m"
            )
            yield self.violation(Code.FLIGHT_TOO_LOW, float(low_m[worst]), "m", text)
        ceiling_m = np.full(track.lon.shape, CEILING_AGL_M)
        for corridor in self._zones("corridor"):
            inside = _inside(corridor, track)
            ceiling_m[inside] = np.maximum(ceiling_m[inside], corridor.ceiling_agl_m)
        high_m = track.agl_m - ceiling_m
        worst = int(np.argmax(high_m))
        if high_m[worst] > HEIGHT_TOLERANCE_M:
            text = (
                f"the flight {self.way} is {track.agl_m[worst]:.1f} m over ground after {track.along_m[worst]:.0f} m, "
                f"the ceiling there is {ceiling_m[worst]:g} m"
            )
            yield self.violation(Code.FLIGHT_TOO_HIGH, float(high_m[worst]), "m", text)

    def _zones(self, kind: str) -> Iterator[Zone]:
        """Yield zones of a kind that hold: corridors all the flight long, others at any moment of it."""
        from_s, until_s = self.span_s
        day = self.case.facts.service_date
        for zone in self.case.facts.airspace.zones:
            for_date = not zone.months or day.month in zone.months
            for_type = not zone.applies_to or self.drone.service.id in zone.applies_to
            if kind == "corridor":
                in_time = zone.from_s <= from_s and until_s <= zone.until_s
            else:
                in_time = zone.from_s <= until_s and from_s <= zone.until_s
            if zone.kind == kind and for_date and for_type and in_time:
                yield zone

    def _check_zones(self, track: Track) -> Iterator[Violation]:
        approved = np.zeros(track.lon.shape, dtype=np.bool_)
        for corridor in self._zones("corridor"):
            approved |= _inside(corridor, track)
        for kind, code, free in (
            ("no_fly", Code.FLIGHT_NO_FLY, np.zeros_like(approved)),
            ("controlled", Code.FLIGHT_CONTROLLED, approved),
        ):
            for zone in self._zones(kind):
                above_floor = (track.agl_m > zone.floor_agl_m) | (zone.floor_agl_m <= 0.0)
                hit = _inside(zone, track) & above_floor & (track.agl_m < zone.ceiling_agl_m) & ~free
                if hit.any():
                    inside_m = float(hit.mean()) * track.length_m
                    text = f"the flight {self.way} crosses zone {zone.id} ({zone.name}) over about {inside_m:.0f} m"
                    yield self.violation(code, inside_m, "m", text)

    def _check_effort(self, line: FloatArray) -> Iterator[Violation]:
        movement = self.here.movement
        cost = fly(
            line,
            self.physics,
            self.payload_kg,
            self.case.facts.weather,
            float(self.here.departure_s),
            winch=self.is_outward,
        )
        if isinstance(cost, FlightCost):
            self.energy_wh = cost.energy_wh
            needs = Needs(cost.duration_s, cost.distance_m, cost.energy_wh)
            yield from compare_movement(self.route, self.here, self.there, needs)
            return
        self.energy_wh = max(0.0, movement.energy_wh) if movement is not None else 0.0
        if cost.rule == "energy":
            yield self.violation(Code.FLIGHT_RESERVE, cost.amount, cost.unit, f"the flight {self.way} {cost.text}")
        elif cost.rule not in {"payload", "wind"} or (cost.rule == "wind" and not any(self._check_wind())):
            yield self.violation(Code.FLIGHT_IMPOSSIBLE, cost.amount, cost.unit, f"{cost.text} {self.way}")


# --- Geometry ------------------------------------------------------------------------------------------------------


def _miss_m(place: Place, point: FloatArray) -> float:
    """Return how far a point is from a place on the ground: the greater of the distances in plan and in height."""
    plan_m = float(great_circle_m(np.array([place.lon]), np.array([place.lat]), point[:1], point[1:2])[0])
    height_m = abs(float(point[2]) - place.elevation_m) if math.isfinite(place.elevation_m) else 0.0
    return max(plan_m, height_m)


def sample_line(case: MapCase, line: FloatArray) -> Track | None:
    """Sample a line of shape (n, 3) every few metres in plan and in height; None where it leaves the terrain."""
    terrain = case.facts.terrain
    if not np.isfinite(terrain.elevation_m(line[:, 0], line[:, 1])).all():
        return None
    length_m = great_circle_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])
    course_m = np.maximum(length_m, np.abs(np.diff(line[:, 2])))
    step_m = max(SAMPLE_EVERY_M, float(course_m.sum()) / MAX_SAMPLES)
    n_parts = np.maximum(1, np.ceil(course_m / step_m)).astype(np.int64)
    segment = np.repeat(np.arange(len(n_parts)), n_parts)
    part = np.arange(len(segment)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    share = part / n_parts[segment]
    points = np.vstack([line[segment] + share[:, None] * (line[segment + 1] - line[segment]), line[-1:]])
    behind_m = np.concatenate([[0.0], np.cumsum(length_m)])
    along_m = np.concatenate([behind_m[segment] + share * length_m[segment], behind_m[-1:]])
    agl_m = points[:, 2] - terrain.elevation_m(points[:, 0], points[:, 1])
    return Track(points[:, 0], points[:, 1], points[:, 2], along_m, agl_m)


def _inside(zone: Zone, track: Track) -> BoolArray:
    return np.asarray(shapely.contains_xy(zone.geometry, track.lon, track.lat), dtype=np.bool_)
