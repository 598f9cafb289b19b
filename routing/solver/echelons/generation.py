"""Column generation over one part of the day: rounds priced by the duals until no better one is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from routing.solver.echelons.columns import Pool, Round, measured
from routing.solver.echelons.labelling import Graph, find_rounds, graph_of
from routing.solver.echelons.network import FloatArray, Network
from routing.solver.echelons.relaxation import Link, Part, Prices, Relaxation
from routing.solver.echelons.tours import Tour, Tours, station_releases

_BEAM, _FULL_BEAM = 400, 30_000
"""Labels of each length: for a first look, and where that finds nothing more."""
_ROUNDS = 60
"""Rounds taken from one look."""
_LINKS = 60
"""Link rows added at once."""
_STEPS = 400


@dataclass(frozen=True, eq=False)
class Generated:
    """Prices at the end, rounds with their shares, link rows; `complete`: no better column exists, so it is a bound."""

    prices: Prices
    used: list[tuple[Round, float]]
    links: list[Link]
    complete: bool


class Generator:
    """Column generation over parts of one day; what was useful once is there from the beginning the next time."""

    def __init__(self, network: Network, tours: Tours, pool: Pool) -> None:
        self._network, self._tours, self._pool = network, tours, pool
        self._releases = station_releases(network, tours.chosen)
        self._useful = {tour: None for tour in tours.chosen if len(tour.stations) == 1}
        self._exact = tours.exhaustive and not any(fleet.cost_per_s for fleet in (*network.vans, *network.trucks))
        """Whether tours are complete and costs are those of the labels: else nothing proves a bound."""
        self._links: dict[Link, None] = {}

    def run(self, part: Part, stopped: Callable[[], bool], *, thorough: bool = False) -> Generated | None:
        """Add rounds of the part to the pool until none has a negative reduced cost; None where it fails.

        Only a thorough run looks again with a wide beam where a narrow one finds nothing.
        """
        beams = (_BEAM, _FULL_BEAM) if thorough else (_BEAM,)
        relaxation = Relaxation(self._network, part, self._releases)
        relaxation.add_tours(self._useful if part.sent is None else part.sent, sent=part.sent is not None)
        relaxation.add_links(self._links)
        relaxation.add(self._pool.within(part.members))
        graphs = graphs_of(self._network, part)
        prices, more, exact = relaxation.solve(), True, False
        for _ in range(_STEPS):
            if prices is None or not more or stopped():
                break
            tours = self._tours.chosen if part.sent is None else ()
            more, exact = self._more(relaxation, graphs, prices, tours, beams, stopped)
            if more:
                prices = relaxation.solve()
        return None if prices is None else Generated(prices, relaxation.rounds_used(), relaxation.links, exact)

    def _more(
        self,
        relaxation: Relaxation,
        graphs: Sequence[Graph],
        prices: Prices,
        tours: Sequence[Tour],
        beams: Sequence[int],
        stopped: Callable[[], bool],
    ) -> tuple[bool, bool]:
        """Add rounds, else tours, else link rows; return whether there were any, and whether the search was exact."""
        tolerance = 1e-7 * max(1.0, abs(prices.value))
        complete = False
        for beam in beams:
            found, complete = look(self._network, graphs, prices, -tolerance, beam, _ROUNDS, stopped)
            new = self._pool.add(found)
            if new:
                relaxation.add(new)
                return True, False
            if complete:
                break
        better = [tour for tour in tours if tour not in self._useful and prices.reduced_tour(tour) < -tolerance]
        if better:
            relaxation.add_tours(better)
            self._useful.update(dict.fromkeys(better))
            return True, False
        links = relaxation.broken_links(_LINKS)
        if links:
            relaxation.add_links(links)
            self._links.update(dict.fromkeys(links))
            return True, False
        return False, complete and self.all_tours_cost(prices, -tolerance)

    def all_tours_cost(self, prices: Prices, least: float) -> bool:
        """Return whether no tour that is not among those to choose from has a reduced cost below `least`."""
        return self._exact and all(prices.reduced_tour(tour) >= least for tour in self._tours.longer)


def graphs_of(network: Network, part: Part) -> list[Graph]:
    """Return what each fleet sees of a part."""
    members = np.array(part.members, dtype=np.int64)
    return [graph_of(network, fleet, members) for fleet in network.vans]


def look(
    network: Network,
    graphs: Sequence[Graph],
    prices: Prices,
    threshold: float,
    beam: int,
    most: int,
    stopped: Callable[[], bool],
) -> tuple[list[Round], bool]:
    """Return rounds of a reduced cost below the threshold, up to `most` per fleet and slot, and whether all."""
    found: list[Round] = []
    complete = True
    for graph in graphs:
        for release in _slots(prices, graph.fleet.station):
            if stopped():
                return found, False
            rewards = _rewards(network, graph, prices, release)
            rounds = find_rounds(graph, release, rewards, threshold, beam, most, stopped)
            complete = complete and rounds.complete
            found += [each for each in measured(network, graph.fleet, rounds.sequences) if each is not None]
    return found, complete


def _slots(prices: Prices, station: int) -> Iterator[int]:
    """Yield the releases of a station where what a round pays changes."""
    last = None
    changes = {link.end_s for link, _ in prices.links if link.station == station}
    for release, price in prices.station[station]:
        if last is None or price < last - 1e-9 or release in changes:
            yield release
            last = price


def _rewards(network: Network, graph: Graph, prices: Prices, release_s: int) -> FloatArray:
    """Return what a round that may leave at a release earns by order; index 0 is the van's."""
    station = graph.fleet.station
    reward = prices.order - network.demand_kg * prices.load_price(station, release_s)
    for link, money in prices.links:
        if link.station == station and release_s < link.end_s:
            reward[link.order] -= money
    return np.append(float(prices.van[graph.fleet.index]), reward[graph.members])
