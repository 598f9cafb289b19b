"""The street network as the checker asks it: what a way of OSM nodes takes, and where places join it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from geodata.conditional_access import conditionally_closed
from geodata.paths import measure_path
from geodata.profiles import EdgeCosts, Profile, edge_costs
from geodata.streets import Closure, StreetNetwork, closed_edges
from routing.model.problem import Place


class Walk(NamedTuple):
    """What a way takes on the open network, and the first position in its nodes where it may not be gone.

    `broken_at`: no edge leads to the next node; `forbidden_at`: none that the profile may use; `closed_at`: none that
    is open all the time. Figures hold where the way is neither broken nor forbidden.
    """

    duration_s: float
    distance_m: float
    energy_wh: float
    broken_at: int | None = None
    forbidden_at: int | None = None
    closed_at: int | None = None


class Join(NamedTuple):
    """How a place is joined to a street node: the last metres, the limit for them, and the seconds they take."""

    distance_m: float
    limit_m: float
    access_s: float


class Roads(Protocol):
    """What the rules need to know of streets, by travel key."""

    def walk(self, travel: str, nodes: Sequence[int], from_s: int, until_s: int) -> Walk:
        """Measure a way gone at some time between two moments."""
        ...

    def join(self, travel: str, place: Place, node: int) -> Join | None:
        """Return how a place is joined to a node, None if no street has that node."""
        ...


class StreetRoads:
    """Roads of a street network with the closures of one date."""

    def __init__(
        self,
        network: StreetNetwork,
        profiles: Mapping[str, Profile],
        closures: Sequence[Closure],
        service_date: date,
    ) -> None:
        self._network = network
        self._profiles = profiles
        self._closures = tuple(closures)
        self._date = service_date
        self._costs: dict[tuple[str, tuple[int, ...]], EdgeCosts] = {}
        self._edges: dict[int, npt.NDArray[np.bool_]] = {}

    def walk(self, travel: str, nodes: Sequence[int], from_s: int, until_s: int) -> Walk:
        """Measure a way gone at some time between two moments; a road closed at any of them is closed."""
        measured = measure_path(self._network, self._costs_of(travel, ()), nodes)
        closed_at = None
        holding = self._holding(travel, from_s, until_s)
        by_time = self._closed_by_time(travel, from_s, until_s)
        if (holding or by_time.any()) and measured.broken_at is None and measured.forbidden_at is None:
            costs = self._costs_of(travel, holding).with_closed(by_time)
            closed_at = measure_path(self._network, costs, nodes).forbidden_at
        return Walk(
            measured.duration_s,
            measured.distance_m,
            measured.energy_wh,
            measured.broken_at,
            measured.forbidden_at,
            closed_at,
        )

    def join(self, travel: str, place: Place, node: int) -> Join | None:
        """Return how a place is joined to a node, None if no street has that node; the last metres go straight."""
        index = int(self._network.node_index([node])[0])
        if index < 0:
            return None
        profile = self._profiles[travel]
        x, y = self._network.frame.to_metres(np.array([place.lon]), np.array([place.lat]))
        node_x, node_y = self._network.node_xy_m[index]
        distance_m = math.hypot(float(x[0]) - float(node_x), float(y[0]) - float(node_y))
        return Join(distance_m, profile.max_snap_m, distance_m / profile.access_m_s)

    def _closed_by_time(self, travel: str, from_s: int, until_s: int) -> npt.NDArray[np.bool_]:
        """Return the edges the map itself closes to the profile at some of these times."""
        return conditionally_closed(self._network, self._profiles[travel], self._date, from_s, until_s + 1)

    def _holding(self, travel: str, from_s: int, until_s: int) -> tuple[int, ...]:
        """Return the numbers of the closures that bind the profile at some moment."""
        profile = self._profiles[travel]
        return tuple(
            number
            for number, closure in enumerate(self._closures)
            if closure.holds(self._date, from_s, until_s, profile.id, on_foot=profile.is_walker)
        )

    def _costs_of(self, travel: str, holding: tuple[int, ...]) -> EdgeCosts:
        """Return the edge costs of a profile with some closures in force, reckoned once."""
        key = (travel, holding)
        if key not in self._costs:
            closed = np.zeros(self._network.n_edges, dtype=np.bool_)
            for number in holding:
                closed |= self._edges_of(number)
            self._costs[key] = edge_costs(self._network, self._profiles[travel], closed)
        return self._costs[key]

    def _edges_of(self, number: int) -> npt.NDArray[np.bool_]:
        """Return the edges a closure lies on, whatever its hours."""
        if number not in self._edges:
            always = replace(self._closures[number], from_s=0, until_s=1, months=())
            self._edges[number] = closed_edges(self._network, (always,), self._date, 0, 0)
        return self._edges[number]
