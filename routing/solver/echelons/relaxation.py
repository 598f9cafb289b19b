"""The linear relaxation of the master problem and its prices, over the orders of one part of the day.

Rows, with x the rounds, y the trucks, u the orders left out:

- every order of the part is in at least one round, or left out;
- station s, release r: what trucks bring by r covers the rounds that must leave before the next release;
- at least so many vans, and so many trucks, as the goods fill (valid because an order left out frees at most one);
- at most so many vehicles of a fleet as there are;
- so many trucks to a station as the rounds that stay need there;
- links, added where they are broken: whoever carries an order from a station needs a truck there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ortools.math_opt.python import mathopt

from routing.solver.echelons.columns import Round
from routing.solver.echelons.network import FAR_S, FloatArray, Network
from routing.solver.echelons.tours import Tour

_NOTHING = 1e-9
_LEAST_BREACH = 0.05


@dataclass(frozen=True, eq=False)
class Part:
    """What is open in a sub-problem: the orders `members`. The rounds `fixed` stay.

    Trucks are chosen anew, or are the tours `sent` (one entry a truck) and no others; what each unloads where is open.
    """

    members: tuple[int, ...]
    fixed: tuple[Round, ...] = ()
    sent: tuple[Tour, ...] | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Rounds of a station that carry `order` and must leave before `end_s` need a truck there by `begin_s`.

    Without such rows half a truck would do for half the orders of a station.
    """

    station: int
    begin_s: int
    end_s: int
    order: int


@dataclass(frozen=True, eq=False)
class Prices:
    """Duals of one solve and its value (fixed rounds not counted)."""

    value: float
    order: FloatArray
    """Money for serving an order, shape (n,); 0 outside the part."""
    van: FloatArray
    """Money for using one more van of a fleet, shape (fleets,)."""
    truck: FloatArray
    station: tuple[tuple[tuple[int, float], ...], ...]
    """By station: (release, price of a kilogram that must leave before the next release), prices falling."""
    visit: tuple[tuple[tuple[int, float], ...], ...]
    """By station: (release, what a truck that is there by then earns by that alone), over the owed trucks' rows."""
    links: tuple[tuple[Link, float], ...]
    """Link rows with the money a round pays for each."""

    def load_price(self, station: int, latest_s: int) -> float:
        """Return the price of a kilogram that leaves the station at the latest at `latest_s`."""
        return min((price for release, price in self.station[station] if release <= latest_s), default=math.inf)

    def supply_price(self, station: int, release_s: int) -> float:
        """Return what a kilogram brought to the station by `release_s` is worth."""
        return max((price for release, price in self.station[station] if release >= release_s), default=0.0)

    def reduced_tour(self, tour: Tour) -> float:
        """Return the reduced cost of a tour that unloads where it pays most."""
        brought = dict(zip(tour.stations, tour.release_s, strict=True))
        worth = max(self.supply_price(k, at) for k, at in brought.items()) * tour.capacity_kg
        worth += sum(money for k, at in brought.items() for begin, money in self.visit[k] if at <= begin)
        worth += sum(money for link, money in self.links if brought.get(link.station, FAR_S) <= link.begin_s)
        return tour.cost - worth - float(self.truck[tour.fleet])

    def reduced_round(self, each: Round, station: int) -> float:
        """Return the reduced cost of a round from a station."""
        rewards = float(self.order[list(each.orders)].sum()) + float(self.van[each.fleet])
        paid = sum(
            money
            for link, money in self.links
            if link.station == station and each.latest_s < link.end_s and link.order in each.orders
        )
        return each.cost - rewards + paid + each.load_kg * self.load_price(station, each.latest_s)


def fewest_bins(sizes: FloatArray, capacity: float) -> int:
    """Return a lower bound on the bins that hold all sizes: L2 of Martello and Toth (1990), section 8.3."""
    best, small = 0, sizes[sizes <= capacity / 2]
    for least in [0.0, *np.unique(small).tolist()]:
        large = sizes[(sizes > capacity - least) & (sizes <= capacity)]
        middle = sizes[(sizes <= capacity - least) & (sizes > capacity / 2)]
        rest = float(small[small >= least].sum()) - (len(middle) * capacity - float(middle.sum()))
        best = max(best, len(large) + len(middle) + max(0, math.ceil(rest / capacity - 1e-9)))
    return best


class Relaxation:
    """The relaxation of one part with the rounds, tours and link rows added so far."""

    def __init__(self, network: Network, part: Part, releases: Sequence[Sequence[int]]) -> None:
        self._network, self._releases = network, releases
        self._model = mathopt.Model()
        self._rounds: list[tuple[Round, mathopt.Variable]] = []
        self._tours: list[tuple[Tour, mathopt.Variable]] = []
        self._links: dict[Link, mathopt.LinearConstraint] = {}
        self._links_of: dict[tuple[int, int], list[tuple[Link, mathopt.LinearConstraint]]] = {}
        self._covers = {order: self._model.add_linear_constraint(lb=1.0) for order in part.members}
        self._supply, self._visits = [], []
        for k, releases_s in enumerate(releases):
            owed = owed_by_slot(network, part.fixed, k, releases_s)
            self._supply.append([self._model.add_linear_constraint(lb=kg) for kg in owed])
            self._visits.append(
                [
                    (begin, self._model.add_linear_constraint(lb=least))
                    for begin, least in owed_trucks(network, releases_s, owed)
                ]
            )
        vans, trucks = fewest_vehicles(network)
        self._fewest_vans = self._model.add_linear_constraint(lb=max(0, vans - len(part.fixed)))
        self._fewest_trucks = self._model.add_linear_constraint(lb=trucks)
        used = [sum(1 for each in part.fixed if each.fleet == fleet.index) for fleet in network.vans]
        self._van_fleets = [
            self._model.add_linear_constraint(ub=len(fleet.ids) - used[fleet.index]) for fleet in network.vans
        ]
        self._truck_fleets = [self._model.add_linear_constraint(ub=len(fleet.ids)) for fleet in network.trucks]
        for order in part.members:
            self._add_left_out(order)
        self._solver = mathopt.IncrementalSolver(self._model, mathopt.SolverType.GLOP)

    @property
    def links(self) -> list[Link]:
        """The link rows there are."""
        return list(self._links)

    def _variable(self, cost: float) -> mathopt.Variable:
        variable = self._model.add_variable(lb=0.0)
        if cost:
            self._model.objective.set_linear_coefficient(variable, cost)
        return variable

    def _add_left_out(self, order: int) -> None:
        variable = self._variable(float(self._network.unserved_cost[order]))
        for row in (self._covers[order], self._fewest_vans, self._fewest_trucks):
            row.set_coefficient(variable, 1.0)

    def add_tours(self, tours: Iterable[Tour], *, sent: bool = False) -> None:
        """Add tours; trucks that are `sent` go whether they pay or not."""
        for tour in tours:
            variable = self._variable(tour.cost)
            if sent:
                variable.lower_bound = variable.upper_bound = 1.0
            self._tours.append((tour, variable))
            self._fewest_trucks.set_coefficient(variable, 1.0)
            self._truck_fleets[tour.fleet].set_coefficient(variable, 1.0)
            self._supply_by(tour, variable)
            for link, row in self._links.items():
                _link_tour(link, row, tour, variable)

    def _supply_by(self, tour: Tour, variable: mathopt.Variable) -> None:
        """Put a tour into the rows of its stations; a longer tour's load is shared out by variables of its own."""
        capacity = None
        if len(tour.stations) > 1:
            capacity = self._model.add_linear_constraint(lb=0.0)
            capacity.set_coefficient(variable, tour.capacity_kg)
        for station, release in zip(tour.stations, tour.release_s, strict=True):
            brought, kg = variable, tour.capacity_kg
            if capacity is not None:
                brought, kg = self._variable(0.0), 1.0
                capacity.set_coefficient(brought, -1.0)
            for slot, row in zip(self._releases[station], self._supply[station], strict=True):
                if release <= slot:
                    row.set_coefficient(brought, kg)
            for begin, row in self._visits[station]:
                if release <= begin:
                    row.set_coefficient(variable, 1.0)

    def add(self, rounds: Iterable[Round]) -> None:
        """Add rounds whose orders are all in the part."""
        for each in rounds:
            station = self._network.vans[each.fleet].station
            releases = self._releases[station]
            if not releases or each.latest_s < releases[0]:
                continue
            variable = self._variable(each.cost)
            self._rounds.append((each, variable))
            self._fewest_vans.set_coefficient(variable, 1.0)
            self._van_fleets[each.fleet].set_coefficient(variable, 1.0)
            for order in each.orders:
                self._covers[order].set_coefficient(variable, 1.0)
            for following, row in zip([*releases[1:], FAR_S], self._supply[station], strict=True):
                if each.latest_s < following:
                    row.set_coefficient(variable, -each.load_kg)
            for order in each.orders:
                for link, row in self._links_of.get((station, order), ()):
                    if each.latest_s < link.end_s:
                        row.set_coefficient(variable, -1.0)

    def add_links(self, links: Iterable[Link]) -> None:
        """Add link rows over all tours and rounds there are and will be."""
        for link in links:
            if link in self._links or link.order not in self._covers:
                continue
            row = self._model.add_linear_constraint(lb=0.0)
            self._links[link] = row
            self._links_of.setdefault((link.station, link.order), []).append((link, row))
            for tour, variable in self._tours:
                _link_tour(link, row, tour, variable)
            for each, variable in self._rounds:
                here = self._network.vans[each.fleet].station == link.station
                if here and each.latest_s < link.end_s and link.order in each.orders:
                    row.set_coefficient(variable, -1.0)

    def solve(self) -> Prices | None:
        """Return value and prices, None where neither GLOP nor HiGHS found an optimum."""
        result = self._optimum()
        if result is None:
            return None
        self._result = result
        order = np.zeros(self._network.orders)
        order[list(self._covers)] = result.dual_values(list(self._covers.values()))
        van, truck = result.dual_values(self._fewest_vans), result.dual_values(self._fewest_trucks)
        stations = []
        for releases, rows in zip(self._releases, self._supply, strict=True):
            duals = np.array(result.dual_values(rows) if rows else [], dtype=np.float64)
            falling = np.cumsum(duals[::-1])[::-1]
            stations.append(tuple(zip(releases, falling.tolist(), strict=True)))
        return Prices(
            value=result.objective_value(),
            order=order,
            van=van + np.array(result.dual_values(self._van_fleets), dtype=np.float64),
            truck=truck + np.array(result.dual_values(self._truck_fleets), dtype=np.float64),
            station=tuple(stations),
            visit=tuple(tuple((begin, result.dual_values(row)) for begin, row in rows) for rows in self._visits),
            links=tuple(
                (link, money) for link, row in self._links.items() if (money := result.dual_values(row)) > _NOTHING
            ),
        )

    def _optimum(self) -> mathopt.SolveResult | None:
        """Solve by GLOP, which starts from the last basis; by HiGHS where that ends in numerical trouble."""
        try:
            result = self._solver.solve()
        except (AttributeError, RuntimeError):  # MathOpt's message of "abnormal" itself fails
            result = mathopt.solve(self._model, mathopt.SolverType.HIGHS)
        optimal = result.termination.reason is mathopt.TerminationReason.OPTIMAL
        return result if optimal and result.has_dual_feasible_solution() else None

    def rounds_used(self) -> list[tuple[Round, float]]:
        """Return the rounds of the last solution with their shares."""
        shares = self._result.variable_values([variable for _, variable in self._rounds])
        return [(each, x) for (each, _), x in zip(self._rounds, shares, strict=True) if x > _NOTHING]

    def broken_links(self, most: int) -> list[Link]:
        """Return the link rows that the last solution breaks most."""
        used = self.rounds_used()
        trucks = self._result.variable_values([variable for _, variable in self._tours])
        sent = [(tour, y) for (tour, _), y in zip(self._tours, trucks, strict=True) if y > _NOTHING]
        found: list[tuple[float, int, Link]] = []
        for station, releases in enumerate(self._releases):
            here = [(each, x) for each, x in used if self._network.vans[each.fleet].station == station]
            there = [(dict(zip(t.stations, t.release_s, strict=True)).get(station, FAR_S), y) for t, y in sent]
            for begin, end in pairwise([*releases, FAR_S]):
                leaving = [(each, x) for each, x in here if each.latest_s < end]
                if end < FAR_S and not any(each.latest_s >= begin for each, _ in leaving):
                    continue
                brought = sum(y for release, y in there if release <= begin)
                if brought >= 1.0 - _LEAST_BREACH:
                    break
                carried: dict[int, float] = {}
                for each, x in leaving:
                    for order in each.orders:
                        carried[order] = carried.get(order, 0.0) + x
                found += [
                    (x - brought, len(found), Link(station, begin, end, order))
                    for order, x in carried.items()
                    if x > brought + _LEAST_BREACH
                ]
        found.sort(key=lambda entry: (-entry[0], entry[1]))
        return [link for _, _, link in found[:most]]


def _link_tour(link: Link, row: mathopt.LinearConstraint, tour: Tour, variable: mathopt.Variable) -> None:
    if any(k == link.station and at <= link.begin_s for k, at in zip(tour.stations, tour.release_s, strict=True)):
        row.set_coefficient(variable, 1.0)


def owed_by_slot(network: Network, rounds: Iterable[Round], station: int, releases: Sequence[int]) -> list[float]:
    """Return per release the kilograms of rounds of the station that must leave before the next release."""
    leaving = [(each.latest_s, each.load_kg) for each in rounds if network.vans[each.fleet].station == station]
    return [sum(kg for latest, kg in leaving if latest < end) for _, end in pairwise([*releases, FAR_S])]


def fewest_vehicles(network: Network) -> tuple[int, int]:
    """Return lower bounds on vans and trucks that carry all goods."""
    return (
        fewest_bins(network.demand_kg, max(fleet.capacity_kg for fleet in network.vans)),
        fewest_bins(network.demand_kg, max((fleet.capacity_kg for fleet in network.trucks), default=1.0)),
    )


def owed_trucks(network: Network, releases: Sequence[int], owed_kg: Sequence[float]) -> list[tuple[int, int]]:
    """Return (release, least number of trucks there by then) where it grows, for what rounds that stay take."""
    most = max((fleet.capacity_kg for fleet in network.trucks), default=1.0)
    found: list[tuple[int, int]] = []
    least = 0
    for release, kg in zip(releases, owed_kg, strict=True):
        trucks = math.ceil(kg / most - 1e-9)
        if trucks > least:
            found.append((release, trucks))
            least = trucks
    return found
