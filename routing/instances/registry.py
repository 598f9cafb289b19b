"""The published families that ``shanlu bench`` and the benchmark runner know, by name."""

from __future__ import annotations

from collections.abc import Sequence

from routing.instances import mtvrptwr, pdptw, threetier, twoechelon, vrptw
from routing.instances.family import Family

_ALL: Sequence[Family] = (vrptw.FAMILY, mtvrptwr.FAMILY, pdptw.FAMILY, twoechelon.FAMILY, threetier.FAMILY)

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}
"""Families by name, in the order they are listed to users; each adapter adds its own to `_ALL`."""
