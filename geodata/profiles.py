"""What a van, truck, tricycle or walker makes of each edge: seconds, watt-hours, allowed or not, every factor visible.

`Profile` and `load_profiles` come from here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geodata.location import FloatArray
from geodata.osm_tags import ACCESS_KINDS, HIGHWAYS, SURFACES
from geodata.profile_reader import load_profiles
from geodata.profile_type import EnergyModel, Profile
from geodata.streets import BoolArray, StreetNetwork
from geodata.turns import NO_TURN_RULES, TurnRules

__all__ = [
    "EdgeCosts",
    "EdgeFactors",
    "EnergyModel",
    "Profile",
    "edge_costs",
    "edge_energy_wh",
    "edge_factors",
    "grade_factor",
    "load_profiles",
    "permissions",
]

GRAVITY_M_S2 = 9.81
AIR_DENSITY_KG_M3 = 1.1
"""Air at about 1,100 m (domain notes 2d)."""
TOBLER_KMH, TOBLER_DECAY, TOBLER_SHIFT = 6.0, 3.5, 0.05
"""Tobler 1993: v = 6 exp(−3.5 |s + 0.05|) km/h with s the slope walked."""
WALKER_LEAST_KMH = 0.5
"""Even the steepest path is climbed at this pace."""


@dataclass(frozen=True)
class EdgeFactors:
    """What makes up the speed of each edge; arrays of shape (m,).

    ``speed_kmh = min(class_kmh, posted_kmh, curve_kmh, class_kmh · grade_factor) · surface_factor`` for vehicles; for
    walkers ``class_kmh · grade_factor`` is Tobler's speed times the walk factor and curves are inf.

    Parameters
    ----------
    allowed
        True where the profile may use the edge.
    """

    class_kmh: FloatArray
    posted_kmh: FloatArray
    curve_kmh: FloatArray
    grade_factor: FloatArray
    surface_factor: FloatArray
    speed_kmh: FloatArray
    allowed: BoolArray


@dataclass(frozen=True)
class EdgeCosts:
    """Cost of each edge for one profile; arrays of shape (m,).

    Parameters
    ----------
    duration_s
        Seconds, inf where the profile may not go.
    energy_wh
        Watt-hours of fuel or battery; negative where braking charges the battery; 0 where it may not go.
    turns
        Turn restrictions that bind the profile.
    """

    duration_s: FloatArray
    energy_wh: FloatArray
    turns: TurnRules = NO_TURN_RULES

    def __post_init__(self) -> None:
        self.duration_s.setflags(write=False)
        self.energy_wh.setflags(write=False)

    def with_closed(self, closed: BoolArray) -> EdgeCosts:
        """Return the costs with some more edges closed (bool, shape (m,)); no speed is reckoned again.

        From costs with nothing closed this gives what `edge_costs` gives, in a tenth of the time: what a landslide
        during the day needs.
        """
        return EdgeCosts(np.where(closed, np.inf, self.duration_s), np.where(closed, 0.0, self.energy_wh), self.turns)


def edge_costs(
    network: StreetNetwork, profile: Profile, closed: BoolArray | None = None, *, load_kg: float | None = None
) -> EdgeCosts:
    """Return seconds and watt-hours of each edge.

    Parameters
    ----------
    closed
        bool, shape (m,): edges closed that day; None: all open.
    load_kg
        Goods aboard, for the energy; None: the profile's usual load.
    """
    factors = edge_factors(network, profile)
    usable = factors.allowed
    speed_m_s = np.where(usable, factors.speed_kmh, 1.0) / 3.6
    duration = network.edge_length_m / speed_m_s
    energy = edge_energy_wh(network.edge_length_m, network.edge_grade, speed_m_s, profile, load_kg=load_kg)
    turns = network.turn_rules[profile.mode]
    costs = EdgeCosts(np.where(usable, duration, np.inf), np.where(usable, energy, 0.0), turns)
    return costs if closed is None else costs.with_closed(closed)


def edge_factors(network: StreetNetwork, profile: Profile) -> EdgeFactors:
    """Return everything that makes up the speed of each edge for a profile."""
    class_kmh = _by_code(profile.speed_kmh, HIGHWAYS)[network.edge_highway]
    surface = _by_code(profile.surface, SURFACES)[network.edge_surface]
    posted = np.where(np.isnan(network.edge_maxspeed_kmh), np.inf, network.edge_maxspeed_kmh)
    if profile.is_walker:
        posted = np.full(network.n_edges, np.inf)
        curve = posted
        class_kmh = np.minimum(class_kmh, TOBLER_KMH)
        grade = profile.walk_factor * np.exp(-TOBLER_DECAY * np.abs(network.edge_grade + TOBLER_SHIFT))
        base = np.maximum(class_kmh * grade, WALKER_LEAST_KMH)
    else:
        curve = 3.6 * np.sqrt(profile.lateral_m_s2 * network.edge_radius_m)
        grade = grade_factor(network.edge_grade, profile)
        base = np.minimum(class_kmh * grade, np.minimum(posted, curve))
    allowed = np.logical_and.reduce(list(permissions(network, profile).values()))
    return EdgeFactors(class_kmh, posted, curve, grade, surface, base * surface, allowed)


def grade_factor(grade: FloatArray, profile: Profile) -> FloatArray:
    """Return the share of a vehicle's free speed left on a grade, by the profile's points; shape as given.

    Between points the share is interpolated linearly; beyond the outermost ones the last slope goes on, down to
    `min_grade_factor`, so that a steeper edge is never faster.
    """
    points = np.array(profile.grade, dtype=np.float64)
    x, y = points[:, 0], points[:, 1]
    share = np.interp(grade, x, y)
    if x.size > 1:
        share = np.where(grade < x[0], y[0] + (grade - x[0]) * (y[1] - y[0]) / (x[1] - x[0]), share)
        share = np.where(grade > x[-1], y[-1] + (grade - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2]), share)
    floor = np.minimum(profile.min_grade_factor, y.min())
    return np.asarray(np.maximum(share, floor), dtype=np.float64)


def edge_energy_wh(
    length_m: FloatArray, grade: FloatArray, speed_m_s: FloatArray, profile: Profile, *, load_kg: float | None = None
) -> FloatArray:
    """Return watt-hours to drive lengths at steady speeds on grades; arrays broadcast together.

    Up and down are computed edge by edge and never netted out: climbing costs 1/efficiency, braking gives back
    `regeneration` at most.
    """
    if profile.energy_source == "none":
        return np.zeros(np.broadcast_shapes(np.shape(length_m), np.shape(grade), np.shape(speed_m_s)))
    model = profile.energy
    mass_kg = model.tare_kg + (model.load_kg if load_kg is None else load_kg)
    cosine = 1.0 / np.sqrt(1.0 + np.square(grade))
    force_n = mass_kg * GRAVITY_M_S2 * cosine * (model.rolling + grade)
    force_n = force_n + 0.5 * AIR_DENSITY_KG_M3 * model.drag_m2 * np.square(speed_m_s)
    factor = np.where(force_n > 0.0, 1.0 / model.efficiency, model.regeneration)
    joules = force_n * length_m * factor + model.standby_w * length_m / speed_m_s
    return np.asarray(joules * model.factor / 3600.0, dtype=np.float64)


def _by_code(table: Mapping[str, float], names: tuple[str, ...]) -> FloatArray:
    return np.array([table.get(name, 0.0) for name in names], dtype=np.float64)


def permissions(network: StreetNetwork, profile: Profile) -> dict[str, BoolArray]:
    """Return, by kind of rule, which edges it lets the profile use; arrays of shape (m,).

    An edge is allowed where every one is True: ``access`` (right of way, barriers, direction), ``class`` of road,
    ``surface``, ``track grade``, ``grade``, posted ``width``, ``height``, ``weight`` and ``axle load``.
    """
    accepted = np.array([kind in profile.access for kind in ACCESS_KINDS])
    right = {"motor": network.edge_motor, "heavy": network.edge_heavy, "foot": network.edge_foot}[profile.mode]
    found = {
        "access": accepted[right],
        "class": (_by_code(profile.speed_kmh, HIGHWAYS) > 0.0)[network.edge_highway],
        "surface": (_by_code(profile.surface, SURFACES) > 0.0)[network.edge_surface],
        "track grade": network.edge_tracktype <= profile.max_tracktype,
        "grade": np.abs(network.edge_grade) <= profile.max_grade,
    }
    if not profile.is_walker:
        found["width"] = network.edge_max_width_m >= profile.width_m
        found["height"] = network.edge_max_height_m >= profile.height_m
        found["weight"] = network.edge_max_weight_kg >= profile.gross_kg
        found["axle load"] = network.edge_max_axle_kg >= profile.axle_kg
    return found
