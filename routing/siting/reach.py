"""How long people take to a point: minutes on the foot network with terrain, and the ways they walk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geodata.area import Area
from geodata.cache import Cache
from geodata.matrix import UNREACHABLE_S
from geodata.paths import StreetPath, find_paths, path_geometry
from geodata.profiles import EdgeCosts, Profile, edge_costs
from geodata.street_matrix import Snap, compute_matrix, snap
from geodata.streets import Closure, closed_edges
from routing.siting.question import BoolArray, FloatArray
from routing.siting.survey import Candidate, Settlement

ELDERLY_FACTOR = 0.7
"""Share of the usual walking speed kept by the elderly (domain notes 4)."""
LAST_SECOND_S = 30 * 3600


@dataclass(frozen=True)
class Reach:
    """Access of settlements to points by one profile.

    `minutes` has shape (n, m): the mean of the way there and the way back, inf where there is no way.
    """

    profile: Profile
    minutes: FloatArray
    costs: EdgeCosts
    snapped: Snap
    area: Area

    @cached_property
    def n_settlements(self) -> int:
        """Number of settlements; points follow them in `snapped`."""
        return int(self.minutes.shape[0])

    def ways(self, pairs: Sequence[tuple[int, int]]) -> list[FloatArray | None]:
        """Return the way of each (settlement, point) as lon, lat and height, None where there is none."""
        indices = [(i, self.n_settlements + j) for i, j in pairs]
        paths: list[StreetPath | None] = find_paths(self.area.streets, self.costs, self.snapped, indices)
        return [None if path is None else path_geometry(self.area.streets, path.nodes) for path in paths]


def measure_reach(
    area: Area,
    settlements: Sequence[Settlement],
    candidates: Sequence[Candidate],
    profile_id: str,
    *,
    closures: Sequence[Closure] = (),
    cache: Cache | None = None,
) -> Reach:
    """Return how long each settlement takes to each point.

    Parameters
    ----------
    profile_id
        Travel profile, usually ``walker``.
    closures
        Closures beside those of the area, for a scenario with a closed road.
    """
    cache = cache if cache is not None else Cache(None)
    profile = area.profiles[profile_id]
    closed = _closed(area, profile, closures)
    costs = edge_costs(area.streets, profile, closed)
    places: list[Settlement | Candidate] = [*settlements, *candidates]
    lon = np.array([place.lon for place in places], dtype=np.float64)
    lat = np.array([place.lat for place in places], dtype=np.float64)
    joined = snap(area.streets, costs, profile, lon, lat)
    ids = [str(k) for k in range(len(places))]
    key = {
        "streets": area.streets_digest,
        "closed": hashlib.sha256(closed.tobytes()).hexdigest(),
        "profile": repr(profile),
        "points": hashlib.sha256(lon.tobytes() + lat.tobytes()).hexdigest(),
    }
    matrix = cache.get("siting-access", key, lambda: compute_matrix(area.streets, costs, profile.key, ids, joined))
    n = len(settlements)
    there, back = matrix.duration_s[:n, n:], matrix.duration_s[n:, :n].T
    way = (there < UNREACHABLE_S) & (back < UNREACHABLE_S)
    minutes = np.where(way, (there + back) / 120.0, np.inf)
    return Reach(profile, minutes, costs, joined, area)


def _closed(area: Area, profile: Profile, closures: Sequence[Closure]) -> BoolArray:
    closed = area.closed_today(profile)
    if not closures:
        return closed
    more = closed_edges(
        area.streets,
        tuple(closures),
        area.service_date,
        0,
        LAST_SECOND_S,
        profile_id=profile.id,
        on_foot=profile.is_walker,
    )
    return np.asarray(closed | more, dtype=np.bool_)
