"""Connection search: which buses take goods from one site to another, with at most one change of bus.

Every boarding and alighting of the day at a stop that handles goods for a site is a row. Goods that are to board must
be ready at the site by the row's `ready_by_s` (departure less cut-off); goods that alight are at the site at `there_s`
(arrival plus boarding time). Both spans of a `CargoStop` include the way between stop and site. At a change of buses
goods are at the site, handled there, and ready again for the next bus.

For a destination, one scan of the trips that call there yields, for every site on their way, the profile of direct
rides: latest readiness against arrival. A query follows each bus from the origin and looks its goods up in the
profiles of the sites it passes (profile connection scan cut to two trips; Dibbelt, Pajor, Strasser and Wagner 2018,
doi:10.1145/3274661, section 4). All of it is done on arrays.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from geodata.location import Site, great_circle_m
from geodata.timetable import CargoStop, Timetable, Trip

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

WALK_M_S = 1.2
"""Speed of a person with a hand cart between stop and site [assumed]."""
WALK_DETOUR = 1.3
"""Length of a way on foot over the straight distance [assumed]."""
MAX_WALK_M = 400.0
"""Straight distance up to which a stop serves a site that names no stops [assumed]."""
BOARD_S, CUTOFF_S = 180, 900
"""Handling at the stop after arrival, and readiness before departure, walk not included (domain notes 2b, assumed)."""


@dataclass(frozen=True, slots=True)
class Ride:
    """Goods aboard one trip from one site to another.

    `board` and `alight` are positions in ``trip.calls``; `departure_s` and `arrival_s` are those of the bus there.
    """

    trip_id: str
    from_site: str
    to_site: str
    board: int
    alight: int
    departure_s: int
    arrival_s: int


@dataclass(frozen=True, slots=True)
class Connection:
    """A way from site to site: goods must be ready by `leave_s` and are there at `arrive_s`; one or two rides."""

    leave_s: int
    arrive_s: int
    rides: tuple[Ride, ...]

    @property
    def n_transfers(self) -> int:
        """Changes of bus."""
        return len(self.rides) - 1


def walking_links(
    timetable: Timetable,
    sites: Sequence[Site],
    *,
    max_walk_m: float = MAX_WALK_M,
    speed_m_s: float = WALK_M_S,
    detour: float = WALK_DETOUR,
    board_s: int = BOARD_S,
    cutoff_s: int = CUTOFF_S,
) -> tuple[CargoStop, ...]:
    """Link sites to stops on foot, for feeds that have no ``cargo_stops.txt``.

    Parameters
    ----------
    timetable
        Gives the stops.
    sites
        A site with `bus_stop_ids` is linked to those (ids the timetable lacks are passed over), any other to all
        stops within `max_walk_m`.
    max_walk_m
        Straight distance, metres.
    speed_m_s, detour
        A walk takes ``detour · distance / speed_m_s``, rounded up to whole seconds.
    board_s, cutoff_s
        Seconds at the stop after arrival and before departure; the walk is added to both.

    Returns
    -------
    tuple[CargoStop, ...]
        In order of `sites`, then of stops in the timetable.
    """
    stops = list(timetable.stops.values())
    lon, lat = np.array([stop.lon for stop in stops]), np.array([stop.lat for stop in stops])
    links = []
    for site in sites:
        metres = great_circle_m(np.float64(site.lon), np.float64(site.lat), lon, lat)  # type: ignore[arg-type]
        named = set(site.bus_stop_ids)
        for stop, distance_m in zip(stops, metres.tolist(), strict=True):
            if stop.id in named if named else distance_m <= max_walk_m:
                walk_s = math.ceil(detour * distance_m / speed_m_s - 1e-9)
                links.append(CargoStop(stop.id, site.id, board_s + walk_s, cutoff_s + walk_s))
    return tuple(links)


class ConnectionSearch:
    """Finds connections between sites on one service date.

    Parameters
    ----------
    timetable
        The day's trips.
    links
        Which stops handle goods for which site; the timetable's `cargo_stops` if None.
    handling_s
        Seconds goods need at a site between alighting and being ready to board, by site id; 0 for sites not in it.
    trip_ids
        Trips that may be used; all of the day if None. For goods on buses give ``timetable.cargo_trips``.
    """

    def __init__(
        self,
        timetable: Timetable,
        links: Sequence[CargoStop] | None = None,
        handling_s: Mapping[str, int] | None = None,
        trip_ids: Collection[str] | None = None,
    ) -> None:
        links = timetable.cargo_stops if links is None else links
        self._site_ids = tuple(dict.fromkeys(link.site_id for link in links))
        self._number = {site_id: k for k, site_id in enumerate(self._site_ids)}
        self._trips = [trip for trip in timetable.trips if trip_ids is None or trip.id in trip_ids]
        self._rows = _Rows.of(self._trips, links, self._number)
        handling = handling_s or {}
        self._handling_s = np.array([handling.get(site_id, 0) for site_id in self._site_ids], dtype=np.int64)
        self._profiles: dict[int, _Profile] = {}

    def connections(
        self,
        from_site: str,
        to_site: str,
        *,
        ready_s: float = -math.inf,
        until_s: float = math.inf,
        max_transfers: int = 1,
    ) -> tuple[Connection, ...]:
        """Return the Pareto-best connections: late to leave, early to arrive, few changes of bus.

        A connection is left out if another leaves no earlier, arrives no later and changes no more often; of two
        equal ones, which is kept depends on the order of trips alone.

        Parameters
        ----------
        from_site, to_site
            Site ids; a site without a link has no connections, nor has a site with itself.
        ready_s
            Seconds after midnight from which goods may leave.
        until_s
            Seconds after midnight by which they must be there.
        max_transfers
            0 or 1.

        Returns
        -------
        tuple[Connection, ...]
            Latest departure first.

        Raises
        ------
        ValueError
            If `max_transfers` is neither 0 nor 1.
        """
        if max_transfers not in (0, 1):
            msg = "max_transfers must be 0 or 1"
            raise ValueError(msg)
        origin, goal = self._number.get(from_site), self._number.get(to_site)
        if origin is None or goal is None or origin == goal:
            return ()
        found = self._found(origin, goal, max_transfers)
        found = found.where((found.leave_s >= ready_s) & (found.arrive_s <= until_s))
        return tuple(self._connection(*chain) for chain in found.best())

    def earliest_arrival(self, from_site: str, to_site: str, ready_s: float) -> Connection | None:
        """Return the connection that arrives first for goods ready at `ready_s`, or None.

        Of several the one with the fewest changes is taken, then the one that leaves last.
        """
        best = self.connections(from_site, to_site, ready_s=ready_s)
        return min(best, key=lambda one: (one.arrive_s, one.n_transfers, -one.leave_s), default=None)

    def _found(self, origin: int, goal: int, max_transfers: int) -> _Found:
        """Return every direct ride, and for every ride to a change its best way on."""
        rows = self._rows
        profile = self._profile(goal)
        direct = np.flatnonzero(rows.site[profile.board] == origin)
        found = _Found.of(rows, profile.board[direct], profile.alight[direct])
        if max_transfers == 0:
            return found
        board, change = rows.rides_from(origin)
        ready_s = rows.there_s[change] + self._handling_s[rows.site[change]]
        on = profile.lookup(rows.site[change], ready_s)
        goes_on = on >= 0
        board, change, on = board[goes_on], change[goes_on], on[goes_on]
        return found.plus(_Found.of(rows, board, profile.alight[on], change, profile.board[on]))

    def _profile(self, goal: int) -> _Profile:
        if goal not in self._profiles:
            self._profiles[goal] = _Profile.of(self._rows, *self._rows.rides_to(goal))
        return self._profiles[goal]

    def _connection(self, board: int, alight: int, change: int, again: int) -> Connection:
        """Return the connection of row numbers; `change` is −1 for a direct ride."""
        rows = self._rows
        hops = [(board, alight)] if change < 0 else [(board, change), (again, alight)]
        rides = tuple(self._ride(first, last) for first, last in hops)
        return Connection(int(rows.ready_by_s[board]), int(rows.there_s[alight]), rides)

    def _ride(self, first: int, last: int) -> Ride:
        rows = self._rows
        trip = self._trips[int(rows.trip[first])]
        board, alight = int(rows.position[first]), int(rows.position[last])
        return Ride(
            trip_id=trip.id,
            from_site=self._site_ids[int(rows.site[first])],
            to_site=self._site_ids[int(rows.site[last])],
            board=board,
            alight=alight,
            departure_s=trip.calls[board].departure_s,
            arrival_s=trip.calls[alight].arrival_s,
        )


@dataclass(frozen=True)
class _Rows:
    """One row per call and link of its stop, trip by trip in order of calls; arrays of shape (rows,)."""

    trip: IntArray
    position: IntArray
    site: IntArray
    can_board: BoolArray
    can_alight: BoolArray
    ready_by_s: IntArray
    there_s: IntArray

    @classmethod
    def of(cls, trips: Sequence[Trip], links: Iterable[CargoStop], number: Mapping[str, int]) -> _Rows:
        at: dict[str, list[tuple[int, int, int]]] = {}
        for link in links:
            at.setdefault(link.stop_id, []).append((number[link.site_id], link.board_s, link.cutoff_s))
        table = [
            (t, k, site, call.can_board, call.can_alight, call.departure_s - cutoff_s, call.arrival_s + board_s)
            for t, trip in enumerate(trips)
            for k, call in enumerate(trip.calls)
            for site, board_s, cutoff_s in at.get(call.stop_id, ())
        ]
        columns = np.array(table, dtype=np.int64).reshape(-1, 7).T
        return cls(
            trip=columns[0],
            position=columns[1],
            site=columns[2],
            can_board=columns[3].astype(np.bool_),
            can_alight=columns[4].astype(np.bool_),
            ready_by_s=columns[5],
            there_s=columns[6],
        )

    @cached_property
    def _first(self) -> IntArray:
        """First row of the trip of each row."""
        return np.searchsorted(self.trip, self.trip, side="left").astype(np.int64)

    @cached_property
    def _call_first(self) -> IntArray:
        """First row of the call of each row."""
        return np.searchsorted(self._call, self._call, side="left").astype(np.int64)

    @cached_property
    def _call_end(self) -> IntArray:
        """Row after the last of the call of each row."""
        return np.searchsorted(self._call, self._call, side="right").astype(np.int64)

    @cached_property
    def _end(self) -> IntArray:
        """Row after the last of the trip of each row."""
        return np.searchsorted(self.trip, self.trip, side="right").astype(np.int64)

    @cached_property
    def _call(self) -> IntArray:
        """Number that rises from call to call."""
        return self.trip * (int(self.position.max(initial=0)) + 1) + self.position

    @cached_property
    def _by_site(self) -> tuple[IntArray, IntArray]:
        """Rows sorted by site, and the site of each."""
        order = np.argsort(self.site, kind="stable")
        return order, self.site[order]

    def _at(self, site: int) -> IntArray:
        order, sites = self._by_site
        return order[np.searchsorted(sites, site) : np.searchsorted(sites, site, side="right")]

    def rides_to(self, site: int) -> tuple[IntArray, IntArray]:
        """Return rows (board, alight) of every ride that ends at a site."""
        ends = self._at(site)
        ends = ends[self.can_alight[ends]]
        board, of = _ranges(self._first[ends], self._call_first[ends])
        may = self.can_board[board]
        return board[may], ends[of[may]]

    def rides_from(self, site: int) -> tuple[IntArray, IntArray]:
        """Return rows (board, alight) of every ride that begins at a site."""
        starts = self._at(site)
        starts = starts[self.can_board[starts]]
        alight, of = _ranges(self._call_end[starts], self._end[starts])
        may = self.can_alight[alight]
        return starts[of[may]], alight[may]


def _ranges(first: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Return the numbers of all ranges ``first[i] … end[i] − 1`` end to end, and the i of each."""
    count = np.maximum(end - first, 0)
    of = np.repeat(np.arange(len(first), dtype=np.int64), count)
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(count)[:-1]]) if len(first) else count
    return first[of] + np.arange(len(of), dtype=np.int64) - before[of], of


@dataclass(frozen=True)
class _Profile:
    """The direct rides to one site that no other from the same site beats, by site of boarding, then by readiness.

    Within a site, later readiness means later arrival: the first ride that goods are in time for is their best.
    """

    board: IntArray
    alight: IntArray
    site: IntArray
    ready_by_s: IntArray

    @classmethod
    def of(cls, rows: _Rows, board: IntArray, alight: IntArray) -> _Profile:
        order = np.lexsort((rows.there_s[alight], -rows.ready_by_s[board], -rows.site[board]))
        board, alight = board[order], alight[order]
        there_s, site = rows.there_s[alight], rows.site[board]
        # Sites come in falling order, and each one's arrivals are moved below all those of the site before it: one
        # running minimum over all rides is then the minimum within each site.
        span = int(there_s.max() - there_s.min()) + 1 if len(there_s) else 1
        kept = np.flatnonzero(_is_new_low(there_s + site * span))[::-1]
        return cls(board[kept], alight[kept], site[kept], rows.ready_by_s[board[kept]])

    def lookup(self, site: IntArray, ready_s: IntArray) -> IntArray:
        """Return for goods ready at sites the ride that arrives first, as a position in this profile, or −1."""
        if not len(self.board) or not len(site):
            return np.full(len(site), -1, dtype=np.int64)
        earliest = min(int(self.ready_by_s.min()), int(ready_s.min()))
        span = max(int(self.ready_by_s.max()), int(ready_s.max())) - earliest + 1
        key = self.site * span + (self.ready_by_s - earliest)
        k = np.searchsorted(key, site * span + (ready_s - earliest), side="left")
        inside = np.minimum(k, len(key) - 1)
        return np.where((k < len(key)) & (self.site[inside] == site), inside, -1)


@dataclass(frozen=True)
class _Found:
    """Candidate connections as rows of boarding, alighting, and (−1 for direct ones) of change and next boarding."""

    leave_s: IntArray
    arrive_s: IntArray
    chain: IntArray
    """Shape (n, 4)."""

    @classmethod
    def of(
        cls,
        rows: _Rows,
        board: IntArray,
        alight: IntArray,
        change: IntArray | None = None,
        again: IntArray | None = None,
    ) -> _Found:
        none = np.full(len(board), -1, dtype=np.int64)
        chain = np.stack([board, alight, none if change is None else change, none if again is None else again], axis=1)
        return cls(rows.ready_by_s[board], rows.there_s[alight], chain)

    def plus(self, other: _Found) -> _Found:
        return _Found(
            np.concatenate([self.leave_s, other.leave_s]),
            np.concatenate([self.arrive_s, other.arrive_s]),
            np.concatenate([self.chain, other.chain]),
        )

    def where(self, keep: BoolArray) -> _Found:
        return _Found(self.leave_s[keep], self.arrive_s[keep], self.chain[keep])

    def best(self) -> list[tuple[int, int, int, int]]:
        """Return the chains of the Pareto-best, latest departure first, then earliest arrival."""
        order = np.lexsort((self.chain[:, 2] >= 0, self.arrive_s, -self.leave_s))
        arrive_s, chain = self.arrive_s[order], self.chain[order]
        is_direct = chain[:, 2] < 0
        # A direct ride need only beat the direct rides that leave no earlier; one with a change must beat all.
        kept = np.where(is_direct, _is_new_low(np.where(is_direct, arrive_s, _NEVER)), _is_new_low(arrive_s))
        return [(int(a), int(b), int(c), int(d)) for a, b, c, d in chain[kept]]


_NEVER = np.iinfo(np.int64).max


def _is_new_low(values: IntArray) -> BoolArray:
    """Return where a value is below all before it."""
    before = np.minimum.accumulate(np.concatenate([np.array([_NEVER]), values]))[:-1]
    return np.asarray(values < before)
