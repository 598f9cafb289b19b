"""What a set of points costs every day: typical days are planned on it by the solver.

People collect at the nearest open point, so an order of a village, a group or a doorstep goes to (or starts at) that
point; where none is in reach it keeps its own door, and the plan pays for the courier or drone that goes there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geodata.area import Area
from geodata.cache import Cache
from geodata.location import Level, Site
from geodata.matrix import UNREACHABLE_S
from routing.builder import build_problem
from routing.evaluation import cost_of
from routing.model.order import Order
from routing.model.problem import Problem
from routing.scenario import Scenario
from routing.siting.question import FloatArray
from routing.siting.reach import measure_reach
from routing.siting.study import Chosen
from routing.siting.survey import Candidate, Settlement
from routing.solver import Limits, solve


@dataclass(frozen=True)
class DeliveryCost:
    """Mean over the typical days: money of a day (minor units, penalties of orders left over included) and orders."""

    money: float
    orders: float
    served: float


@dataclass(frozen=True)
class DayJudge:
    """Plans typical days on sets of points.

    Parameters
    ----------
    problem
        The day's problem with every candidate as a place.
    days
        Orders of each typical day.
    minutes
        Minutes on foot from each order place to each candidate, by place id, shape (m,).
    """

    problem: Problem
    days: tuple[tuple[Order, ...], ...]
    candidates: tuple[Candidate, ...]
    minutes: dict[str, FloatArray]
    reach_min: float
    limits: Limits
    seed: int

    def cost(self, chosen: Chosen, look: int = 0) -> DeliveryCost:
        """Return what delivering costs with these points open; the same set and look always give the same answer.

        Every set is planned with the same orders, effort and seed (common random numbers); each further `look` takes
        another seed. (With limits in iterations; with a time limit the machine's load may matter.)
        """
        money = served = count = 0.0
        for orders in self.days:
            problem = replace(self.problem, orders=self._collected(orders, chosen))
            solution = solve(problem, self.limits, self.seed + 1_000 * look)
            money += cost_of(problem, solution.plan).total
            count += len(problem.orders)
            served += len(problem.orders) - len(solution.plan.unassigned)
        days = len(self.days)
        return DeliveryCost(money / days, count / days, served / days)

    def tour_proxy_s(self, chosen: Chosen) -> float:
        """Return the seconds of the least tree that joins hub and open points by road: a stand-in for the rounds."""
        travel = self.problem.vehicles[0].travel
        matrix = self.problem.matrices[travel]
        hub = next(place.id for place in self.problem.places if place.level is Level.COUNTY)
        ids = [hub, *(self.candidates[site].id for site, _ in chosen)]
        rows = [matrix.index[place] for place in ids]
        seconds = matrix.duration_s[np.ix_(rows, rows)].astype(np.float64)
        seconds = np.where(seconds >= UNREACHABLE_S, 4 * 3600.0, (seconds + seconds.T) / 2.0)
        return _tree_length(seconds)

    def _collected(self, orders: Sequence[Order], chosen: Chosen) -> tuple[Order, ...]:
        sites = [site for site, _ in chosen]
        found = []
        for order in orders:
            moved = replace(
                order, from_id=self._point_of(order.from_id, sites), to_id=self._point_of(order.to_id, sites)
            )
            if moved.from_id != moved.to_id:
                found.append(moved)
        return tuple(found)

    def _point_of(self, place: str, sites: list[int]) -> str:
        minutes = self.minutes.get(place)
        if minutes is None:
            return place
        nearest = min(sites, key=lambda site: (minutes[site], site))
        return self.candidates[nearest].id if minutes[nearest] <= self.reach_min else place


def _tree_length(length: FloatArray) -> float:
    """Return the length of the minimum spanning tree of a symmetric matrix (Prim 1957)."""
    joined = np.zeros(len(length), dtype=np.bool_)
    joined[0] = True
    near = length[0].copy()
    total = 0.0
    for _ in range(len(length) - 1):
        nearest = int(np.where(joined, np.inf, near).argmin())
        total += float(near[nearest])
        joined[nearest] = True
        near = np.minimum(near, length[nearest])
    return total


def make_judge(
    scenario: Scenario,
    area: Area,
    candidates: tuple[Candidate, ...],
    *,
    reach_min: float,
    limits: Limits,
    seed: int,
    more_days: Sequence[tuple[Order, ...]] = (),
    cache: Cache | None = None,
) -> DayJudge:
    """Return a judge for the scenario's own day and any further days of orders."""
    known = {site.id for site in scenario.sites}
    added = tuple(_site_of(place) for place in candidates if place.id not in known)
    built = build_problem(replace(scenario, sites=scenario.sites + added), area, cache)
    doors = _doors(scenario)
    reach = measure_reach(area, doors, candidates, "walker", cache=cache)
    return DayJudge(
        problem=built.problem,
        days=(scenario.orders, *more_days),
        candidates=candidates,
        minutes={door.id: row for door, row in zip(doors, reach.minutes, strict=True)},
        reach_min=reach_min,
        limits=limits,
        seed=seed,
    )


def _site_of(place: Candidate) -> Site:
    return Site(place.id, place.name, Level.VILLAGE, place.lon, place.lat)


def _doors(scenario: Scenario) -> tuple[Settlement, ...]:
    """Return where orders of villages, groups and doorsteps begin or end, as settlements without people."""
    found = [
        Settlement(site.id, site.name, site.lon, site.lat, 0.0, 0.0, 0.0)
        for site in scenario.sites
        if site.level in (Level.VILLAGE, Level.GROUP)
    ]
    found += [Settlement(place, place, lon, lat, 0.0, 0.0, 0.0) for place, (lon, lat) in scenario.drops.items()]
    return tuple(found)
