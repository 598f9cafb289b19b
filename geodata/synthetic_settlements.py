"""Where people of a synthetic county live: clusters along valleys, and every fifth place alone on a slope.

A Thomas process (parents along the streams, children scattered normally around them), with children that prefer level
ground and keep their distance (domain notes 5, "small clusters, wide scatter").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geodata.location import FloatArray, Level
from geodata.synthetic_names import place_names
from geodata.synthetic_terrain import Relief

ISOLATED_SHARE = 0.2
"""Villages and groups away from the clusters, up on the slopes."""
HUB_PEOPLE, TOWN_PEOPLE, VILLAGE_PEOPLE, GROUP_PEOPLE = 36_000.0, 3_200.0, 320.0, 90.0
"""Median inhabitants; lognormal around it (90 per group: domain notes 5, the others assumed)."""
RIVER_BANK_M = 90.0
"""Nobody builds nearer to a river."""
Cell = tuple[int, int]
"""Row and column of the relief."""

EDGE_M = 600.0
CANDIDATES = 8
"""Spots looked at before the most level one is taken."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """One place. `parent` is an index into the list of settlements; row and col are its cell of the relief."""

    level: Level
    name: str
    name_zh: str
    row: int
    col: int
    population: int
    parent: int | None
    isolated: bool = False


def settle(relief: Relief, towns: int, villages: int, groups: int, seed: int) -> list[Settlement]:
    """Return the hub, towns, villages and groups of a county, in this order; parents are the nearest by air.

    Raises
    ------
    ValueError
        If the relief has no room for so many places at their least distances.
    """
    rng = np.random.default_rng([seed, 0x5E])
    count = 1 + towns + villages + groups
    ground = _Ground(relief, count, rng)
    names = iter(place_names(count, rng))
    hub = ground.take(_hub_spot(relief), spread_m=300.0, apart_m=0.0)
    cells: list[tuple[Level, Cell, int | None, bool]] = [(Level.COUNTY, hub, None, False)]
    cells += [(Level.TOWN, cell, 0, False) for cell in _towns(ground, hub, towns)]
    n_isolated = round(ISOLATED_SHARE * villages)
    for cell, isolated in _villages(ground, villages, n_isolated):
        cells.append((Level.VILLAGE, cell, _nearest(cell, cells, Level.TOWN), isolated))
    first_village = 1 + towns
    for parent, cell, isolated in _groups(ground, [entry[1] for entry in cells[first_village:]], groups):
        cells.append((Level.GROUP, cell, first_village + parent, isolated))
    return [_settlement(level, cell, parent, isolated, next(names), rng) for level, cell, parent, isolated in cells]


class _Ground:
    """Free ground: hands out cells, level ones first, and remembers what is taken."""

    def __init__(self, relief: Relief, room: int, rng: np.random.Generator) -> None:
        self.relief = relief
        self.rng = rng
        dy, dx = np.gradient(relief.elevation_m, relief.cell_m)
        self.slope = np.hypot(dx, dy)
        self._taken = np.zeros((room, 2), dtype=np.int64)
        self._count = 0

    def take(self, at_m: tuple[float, float], *, spread_m: float, apart_m: float) -> Cell:
        """Take a level cell scattered around (x, y) by `spread_m`, at least `apart_m` from what is taken."""
        for attempt in range(40):
            found = [self._scattered(at_m, spread_m * (1.0 + 0.1 * attempt)) for _ in range(CANDIDATES)]
            free = [cell for cell in found if self._is_free(cell, apart_m * 0.95**attempt)]
            if free:
                best = min(free, key=lambda cell: (self.slope[cell], cell))
                self._taken[self._count] = best
                self._count += 1
                return best
        msg = "no free ground left for so many places"
        raise ValueError(msg)

    def _scattered(self, at_m: tuple[float, float], spread_m: float) -> Cell:
        x, y = self.rng.normal(loc=at_m, scale=spread_m)
        return round(y / self.relief.cell_m), round(x / self.relief.cell_m)

    def _is_free(self, cell: Cell, apart_m: float) -> bool:
        low, high = EDGE_M / self.relief.cell_m, (self.relief.side_m - EDGE_M) / self.relief.cell_m
        if not (low <= cell[0] <= high and low <= cell[1] <= high) or self.relief.river_m[cell] < RIVER_BANK_M:
            return False
        away = self._taken[: self._count] - cell
        return bool((np.square(away).sum(axis=1) >= (apart_m / self.relief.cell_m) ** 2).all())

    def metres(self, cell: Cell) -> tuple[float, float]:
        """Return x and y of a cell."""
        return cell[1] * self.relief.cell_m, cell[0] * self.relief.cell_m


def _hub_spot(relief: Relief) -> tuple[float, float]:
    """Return the place on the trunk river, near the middle, where the largest branch joins."""
    streams = relief.streams
    branch = np.flatnonzero(~streams.trunk & streams.trunk[streams.downstream])
    mouth = streams.downstream[branch]
    central = np.abs(streams.y_m[mouth] - relief.side_m / 2) < relief.side_m / 5
    inside = np.abs(streams.x_m[mouth] - relief.side_m / 2) < relief.side_m / 3
    best = branch[int(np.argmax(np.where(central & inside, streams.area_km2[branch], 0.0)))]
    spot = streams.downstream[best]
    return float(streams.x_m[spot]), float(streams.y_m[spot])


def _valley_spots(ground: _Ground, count: int, apart_m: float, least_km2: float) -> list[tuple[float, float]]:
    """Return spots on streams that drain enough, apart from each other (as far as they go in)."""
    streams = ground.relief.streams
    side = ground.relief.side_m
    usable = (streams.area_km2 >= least_km2) & (np.abs(streams.x_m - side / 2) < side / 2 - 2 * EDGE_M)
    usable &= np.abs(streams.y_m - side / 2) < side / 2 - 2 * EDGE_M
    order = ground.rng.permutation(np.flatnonzero(usable))
    xy = np.column_stack([streams.x_m, streams.y_m])
    while True:
        chosen = _spaced(xy[order], count, apart_m)
        if len(chosen) == count or apart_m < 50.0:
            return [(float(x), float(y)) for x, y in chosen]
        apart_m *= 0.9


def _spaced(xy: FloatArray, count: int, apart_m: float) -> FloatArray:
    chosen: list[FloatArray] = []
    for point in xy:
        if len(chosen) == count:
            break
        if all(np.hypot(*(point - other)) >= apart_m for other in chosen):
            chosen.append(point)
    return np.array(chosen).reshape(-1, 2)


def _towns(ground: _Ground, hub: Cell, count: int) -> list[Cell]:
    """Return cells of towns: along the larger valleys, spread over the county."""
    apart_m = 0.75 * ground.relief.side_m / math.sqrt(count + 1)
    hub_m = np.array(ground.metres(hub))
    spots: list[tuple[float, float]] = []
    while len(spots) < count + 1 and apart_m > 500.0:
        spots = _valley_spots(ground, count + 1, apart_m, least_km2=12.0)
        apart_m *= 0.8
    spots.sort(key=lambda spot: -float(np.hypot(*(np.array(spot) - hub_m))))
    return [ground.take(spot, spread_m=250.0, apart_m=800.0) for spot in spots[:count]]


def _villages(ground: _Ground, count: int, n_isolated: int) -> list[tuple[Cell, bool]]:
    """Return cells of villages: clusters of about three along valleys, then the isolated ones."""
    clustered = count - n_isolated
    n_parents = max(1, math.ceil(clustered / 3))
    apart_m = 0.6 * ground.relief.side_m / math.sqrt(n_parents)
    parents = _valley_spots(ground, n_parents, apart_m, least_km2=2.5)
    found = []
    for k in range(clustered):
        spread_m = 350.0 if k < len(parents) else 1_300.0
        found.append((ground.take(parents[k % len(parents)], spread_m=spread_m, apart_m=900.0), False))
    found += [(ground.take(_slope_spot(ground), spread_m=400.0, apart_m=1_200.0), True) for _ in range(n_isolated)]
    return found


def _slope_spot(ground: _Ground) -> tuple[float, float]:
    """Return a spot well above the valley floors, not on the highest ridges."""
    relief = ground.relief
    high = float(np.quantile(relief.elevation_m, 0.85))
    while True:
        x, y = ground.rng.uniform(2 * EDGE_M, relief.side_m - 2 * EDGE_M, size=2)
        cell = round(y / relief.cell_m), round(x / relief.cell_m)
        if relief.stream_m[cell] > 450.0 and relief.elevation_m[cell] < high:
            return float(x), float(y)


def _groups(ground: _Ground, villages: list[Cell], count: int) -> list[tuple[int, Cell, bool]]:
    """Return (index of the village, cell, isolated) of groups; villages have unequal numbers of them."""
    weight = ground.rng.gamma(4.0, size=len(villages))
    share = weight / weight.sum()
    of_village = np.floor(share * count).astype(int)
    short = count - int(of_village.sum())
    of_village[np.argsort(-(share * count - of_village), kind="stable")[:short]] += 1
    found = []
    for village, n in enumerate(of_village.tolist()):
        for _ in range(n):
            isolated = bool(ground.rng.random() < ISOLATED_SHARE)
            spread_m, apart_m = (1_700.0, 500.0) if isolated else (550.0, 250.0)
            cell = ground.take(ground.metres(villages[village]), spread_m=spread_m, apart_m=apart_m)
            found.append((village, cell, isolated))
    return found


def _nearest(cell: Cell, places: list[tuple[Level, Cell, int | None, bool]], level: Level) -> int:
    return min(
        (k for k, place in enumerate(places) if place[0] is level),
        key=lambda k: ((places[k][1][0] - cell[0]) ** 2 + (places[k][1][1] - cell[1]) ** 2, k),
    )


_PEOPLE: dict[Level, tuple[float, float]] = {
    Level.COUNTY: (HUB_PEOPLE, 0.15),
    Level.TOWN: (TOWN_PEOPLE, 0.45),
    Level.VILLAGE: (VILLAGE_PEOPLE, 0.45),
    Level.GROUP: (GROUP_PEOPLE, 0.55),
}
_KIND: dict[Level, tuple[str, str]] = {
    Level.COUNTY: ("县城", " county seat"),
    Level.TOWN: ("镇", " Town"),
    Level.VILLAGE: ("村", " Village"),
    Level.GROUP: ("组", " Group"),
}


def _settlement(
    level: Level,
    cell: Cell,
    parent: int | None,
    isolated: bool,
    name: tuple[str, str],
    rng: np.random.Generator,
) -> Settlement:
    median, sigma = _PEOPLE[level]
    name_zh, pinyin = name
    kind_zh, kind = _KIND[level]
    population = max(8, round(float(rng.lognormal(math.log(median), sigma))))
    return Settlement(level, pinyin + kind, name_zh + kind_zh, cell[0], cell[1], population, parent, isolated)
