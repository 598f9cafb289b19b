"""PyVRP's iterated local search as a generator of rounds, from and to vehicles' days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyvrp
from pyvrp.search import OPERATORS, LocalSearch, PerturbationManager, PerturbationParams, compute_neighbours

from routing.solver.rounds_pool.figures import RoundsDay
from routing.solver.rounds_pool.plan import VehicleDays

_CENTS = 100.0
"""PyVRP reckons in whole numbers: hundredths of a minor unit, unless all costs are whole."""
_FORBIDDEN = 1 << 40
"""Seconds and money of ways to orders of another base."""
_HARVEST_EVERY = 10


class PyvrpSearch:
    """PyVRP on one day: `run` goes on from given days."""

    def __init__(self, day: RoundsDay, harvest: Callable[[VehicleDays], None]) -> None:
        self._day, self._harvest = day, harvest
        figures = day.figures
        whole = bool((figures.cost == np.rint(figures.cost)).all() and (figures.fixed == np.rint(figures.fixed)).all())
        self._scale = 1.0 if whole else _CENTS
        self._classes = [int(kind) for kind in dict.fromkeys(figures.kind.tolist())]
        self._data = self._problem_data()
        self._neighbours = compute_neighbours(self._data)

    def _problem_data(self) -> pyvrp.ProblemData:
        f = self._day.figures
        n, nodes = len(f.early), f.cost.shape[1]
        clients = []
        dearest = float(f.cost.max()) * 2.0 + float(f.fixed.max())
        for c in range(n):
            required = float(f.left_cost[c]) > dearest
            clients.append(
                pyvrp.Client(
                    c,
                    delivery=[int(x) for x in f.brought[:, c]],
                    pickup=[int(x) for x in f.taken[:, c]],
                    service_duration=int(f.service[c]),
                    tw_early=int(f.early[c]),
                    tw_late=int(max(f.early[c], f.late[c])),
                    release_time=int(f.release[c]),
                    prize=0 if required else self._money(float(f.left_cost[c])),
                    required=required,
                )
            )
        counts = np.bincount(f.kind, minlength=len(f.base))
        kinds = [
            pyvrp.VehicleType(
                int(counts[k]),
                capacity=[int(x) for x in f.room[k]],
                start_depot=int(f.base[k]) - n,
                end_depot=int(f.base[k]) - n,
                fixed_cost=self._money(float(f.fixed[k])),
                tw_early=int(f.shift[k, 0]),
                tw_late=int(f.shift[k, 1]),
                profile=k,
                reload_depots=[int(f.base[k]) - n] if f.rounds[k] > 1 else [],
                max_reloads=int(f.rounds[k]) - 1,
            )
            for k in range(len(f.base))
        ]
        return pyvrp.ProblemData(
            locations=[pyvrp.Location(0, 0) for _ in range(nodes)],
            clients=clients,
            depots=[pyvrp.Depot(k) for k in range(n, nodes)],
            vehicle_types=kinds,
            distance_matrices=[self._grid(np.rint(f.cost[k] * self._scale).astype(np.int64), k) for k in self._classes],
            duration_matrices=[self._grid(f.duration[k], k) for k in self._classes],
        )

    def _grid(self, values: np.ndarray, kind: int) -> Any:
        f = self._day.figures
        barred = np.flatnonzero(~f.allowed[kind])
        grid = values.copy()
        grid[barred, :] = grid[:, barred] = _FORBIDDEN
        np.fill_diagonal(grid, 0)
        return grid

    def _money(self, amount: float) -> int:
        return round(min(amount, 1e12) * self._scale)

    def run(self, days: VehicleDays | None, stop: Callable[[], bool], seed: int) -> VehicleDays | None:
        """Search on from `days` (None: from random ones) until `stop`; return the best found, None if not feasible."""
        rng = pyvrp.RandomNumberGenerator(seed=seed)
        params = pyvrp.SolveParams()
        search = self._local_search(rng)
        penalties = pyvrp.PenaltyManager(params.penalty.midpoint_penalties(self._data), params.penalty)
        if days is None:
            random = pyvrp.Solution.make_random(self._data, rng)
            start = search(random, penalties.max_cost_evaluator(), exhaustive=True)
        else:
            start = self._solution(days)
        watcher = _Watcher(self)
        algorithm = pyvrp.IteratedLocalSearch(
            self._data, penalties, search, start, pyvrp.IteratedLocalSearchParams(callbacks=watcher)
        )
        best = algorithm.run(lambda _: stop(), collect_stats=False).best
        return self.days_of(best) if best.is_feasible() else None

    def first(self, seed: int) -> VehicleDays:
        """Return days by PyVRP's local search from random ones; those that do not fit are left out."""
        rng = pyvrp.RandomNumberGenerator(seed=seed)
        params = pyvrp.SolveParams()
        penalties = pyvrp.PenaltyManager(params.penalty.midpoint_penalties(self._data), params.penalty)
        start = pyvrp.Solution.make_random(self._data, rng)
        return self.days_of(self._local_search(rng)(start, penalties.max_cost_evaluator()), feasible_only=True)

    def _local_search(self, rng: pyvrp.RandomNumberGenerator) -> LocalSearch:
        search = LocalSearch(self._data, rng, self._neighbours, PerturbationManager(PerturbationParams()))
        for operator in OPERATORS:
            if operator.supports(self._data):
                search.add_operator(operator(self._data))
        return search

    def note(self, solution: pyvrp.Solution) -> None:
        """Hand the feasible days of a solution to the harvest."""
        self._harvest(self.days_of(solution, feasible_only=True))

    def _solution(self, days: VehicleDays) -> pyvrp.Solution:
        routes = []
        depot = pyvrp.ActivityType.DEPOT
        for kind, rounds in zip(self._day.figures.kind.tolist(), days, strict=True):
            if not rounds:
                continue
            base = int(self._day.figures.base[kind]) - len(self._day.figures.early)
            activities: list[pyvrp.Activity] = []
            for number, clients in enumerate(rounds):
                if number:
                    activities.append(pyvrp.Activity(depot, base))
                activities += [pyvrp.Activity(pyvrp.ActivityType.CLIENT, client) for client in clients]
            routes.append(pyvrp.Route(self._data, activities, kind))
        return pyvrp.Solution(self._data, routes)

    def days_of(self, solution: pyvrp.Solution, *, feasible_only: bool = False) -> VehicleDays:
        """Return the days of a solution, by vehicle."""
        waiting: dict[int, list[tuple[tuple[int, ...], ...]]] = {}
        for route in solution.routes():
            if feasible_only and not route.is_feasible():
                continue
            rounds: list[list[int]] = [[]]
            for activity in route:
                if activity.is_client():
                    rounds[-1].append(activity.idx)
                elif rounds[-1]:
                    rounds.append([])
            waiting.setdefault(route.vehicle_type(), []).append(tuple(tuple(clients) for clients in rounds if clients))
        days = []
        for kind in self._day.figures.kind.tolist():
            alike = waiting.get(kind, [])
            days.append(alike.pop(0) if alike else ())
        return tuple(days)


class _Watcher(pyvrp.IteratedLocalSearchCallbacks):
    """Harvests every new best and some of the candidates."""

    def __init__(self, owner: PyvrpSearch) -> None:
        self._owner, self._count = owner, 0

    def on_iteration(self, _current: object, candidate: pyvrp.Solution, _best: object, _costs: object) -> None:
        """Note every tenth candidate (PyVRP hands all by position)."""
        self._count += 1
        if self._count % _HARVEST_EVERY == 0:
            self._owner.note(candidate)

    def on_best(self, best: pyvrp.Solution) -> None:
        """Note every new best solution."""
        self._owner.note(best)
