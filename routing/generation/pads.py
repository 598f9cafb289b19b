"""Where drones are based: the hub or the towns with most villages and groups in reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.location import Level, Site, great_circle_m

PAD_COUNT = 2
PAD_REACH_M = 6_000.0
"""How far from a pad a place counts as in reach: out and back with 16 km of loaded range, reserve and climbs [A]."""
ROADLESS_WEIGHT = 3.0
"""A place without road counts this many times, for only drones and walkers reach it [A]."""


def choose_pads(sites: Sequence[Site], roadless: frozenset[str], barred: BaseGeometry | None) -> tuple[str, ...]:
    """Return the ids of at most `PAD_COUNT` sites, hub or towns, that together have most places in reach.

    Chosen one after another by what each adds (greedy maximal covering); equals in the order of `sites`.

    Parameters
    ----------
    sites
        The network; a town at the hub's own place is passed over in favour of the hub.
    roadless
        Ids of sites without road; they weigh more, and no pad is put there.
    barred
        Area in degrees where no drone may start; None for none.
    """
    hub = next(site for site in sites if site.level is Level.COUNTY)
    candidates = [
        site
        for site in sites
        if (site is hub or (site.level is Level.TOWN and (site.lon, site.lat) != (hub.lon, hub.lat)))
        and site.id not in roadless
        and (barred is None or not shapely.intersects_xy(barred, site.lon, site.lat))
    ]
    ends = [site for site in sites if site.level in (Level.VILLAGE, Level.GROUP)]
    if not candidates or not ends:
        return ()
    lon, lat = np.array([site.lon for site in ends]), np.array([site.lat for site in ends])
    reach = np.stack([great_circle_m(np.array(c.lon), np.array(c.lat), lon, lat) <= PAD_REACH_M for c in candidates])
    weight = np.array([ROADLESS_WEIGHT if site.id in roadless else 1.0 for site in ends])
    chosen: list[str] = []
    for _ in range(PAD_COUNT):
        gain = reach @ weight
        best = int(np.argmax(gain))
        if gain[best] <= 0:
            break
        chosen.append(candidates[best].id)
        weight = np.where(reach[best], 0.0, weight)
    return tuple(chosen)
