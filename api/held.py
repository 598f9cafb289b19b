"""What a worker holds in memory from job to job: the maps, elevations, timetables and matrices used last."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from geodata.cache import HELD_PRODUCTS, Cache, default_cache_folder


def held_cache() -> Cache:
    """Return this process's cache; a further day of an area it has planned before finds the area in memory."""
    return _cache_of(default_cache_folder())


@lru_cache(maxsize=1)
def _cache_of(folder: Path) -> Cache:
    return Cache(folder, HELD_PRODUCTS)
