"""Signs on a few roads of a synthetic county: a height limit, and access that depends on the time.

Both stand off the bus lines, where the roads nearest to the county town allow it, so that vehicles meet them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.location import FloatArray
from geodata.synthetic_buses import BusCourse
from geodata.synthetic_roads import TRACK, UNCLASSIFIED
from geodata.synthetic_streets import StreetWay, SyntheticStreets

LOW = {"maxheight": "2.6"}
"""Under an aqueduct [assumed]: vans pass, trucks of 3 m do not."""
MARKET = {"access:conditional": "no @ (Mo-Fr 07:00-09:00)"}
"""A road the morning market stands on [assumed]; who plans a day closes it all day (decision 0004)."""


def posted_limits(
    streets: SyntheticStreets, courses: Iterable[BusCourse], closed_line_m: FloatArray, hub_m: FloatArray
) -> dict[int, Mapping[str, str]]:
    """Return tags by index of the way they stand on; no way where no road suits.

    Parameters
    ----------
    streets, courses
        Roads and the bus lines on them.
    closed_line_m
        Shape (k, 2): the road a landslide closes, metres; the market's road parts no places while it is closed too.
    hub_m
        Shape (2,): the county town, metres.
    """
    on_bus = {node for course in courses for node in course.nodes}
    slide = set(np.flatnonzero((streets.x_m == closed_line_m[0, 0]) & (streets.y_m == closed_line_m[0, 1])).tolist())

    def away_m(k: int) -> float:
        middle = streets.ways[k].nodes[len(streets.ways[k].nodes) // 2]
        return float(np.hypot(streets.x_m[middle] - hub_m[0], streets.y_m[middle] - hub_m[1]))

    plain = [
        k
        for k, way in enumerate(streets.ways)
        if not {"bridge", "tunnel"} & way.tags.keys()
        and not slide & set(way.nodes)
        and not on_bus.issuperset(way.nodes[1:-1] or way.nodes)
    ]
    plain.sort(key=lambda k: (away_m(k), k))

    def first(suits: Callable[[StreetWay], bool], taken: Iterable[int] = ()) -> list[int]:
        return [k for k in plain if k not in taken and suits(streets.ways[k])][:1]

    low = first(lambda way: way.rank == UNCLASSIFIED.rank)
    shut = {k for k, way in enumerate(streets.ways) if slide & set(way.nodes)}
    market = first(lambda way: way.rank <= TRACK.rank and not cuts_off(streets, way, shut), low)
    return {**dict.fromkeys(low, LOW), **dict.fromkeys(market, MARKET)}


def cuts_off(streets: SyntheticStreets, closed: StreetWay, shut: Collection[int] = ()) -> bool:
    """Return whether closing a road parts its two ends while other ways (by index) are shut."""
    links = [  # ways meet at their ends only
        (way.nodes[0], way.nodes[-1])
        for k, way in enumerate(streets.ways)
        if way is not closed and k not in shut and way.rank <= TRACK.rank
    ]
    start, end = np.array(links, dtype=np.int64).T
    n = len(streets.x_m)
    _, part = connected_components(coo_array((np.ones(len(start)), (start, end)), shape=(n, n)), directed=False)
    return bool(part[closed.nodes[0]] != part[closed.nodes[-1]])
