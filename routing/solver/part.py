"""A part of a plan in the making: jobs and carriers that share nothing with the rest but buses and stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.solver.buses import Taken


@dataclass(frozen=True, slots=True)
class Part:
    """What a search of its own may move, and what it must leave to the others."""

    jobs: Sequence[int]
    """In rising order."""
    carriers: frozenset[str]
    """Vehicles, couriers and drones, those that stand idle among them."""
    taken: Sequence[Taken]
    """By bus trip, what is not to be had."""
    stored_kg: Mapping[tuple[int, str], float]
    """By place and kind of store, what is not to be had there between two rides."""
