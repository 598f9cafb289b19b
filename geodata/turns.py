"""Forbidden turns: runs of edges nobody of a mode may drive one after the other, and the memory needed to keep them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

Run = tuple[int, ...]
"""Edges driven one after the other, as network indices."""


@dataclass(frozen=True, slots=True)
class TurnBan:
    """A run of edges that may not be driven to its end: two edges over a node, more over one or several ways.

    Parameters
    ----------
    relation_id
        OSM relation it comes from.
    edges
        Network edges in driving order, two or more.
    motor, heavy
        True where it binds cars and light vans, and goods vehicles above 3.5 t. Walkers turn where they like.
    """

    relation_id: int
    edges: Run
    motor: bool = True
    heavy: bool = True


@dataclass(frozen=True)
class TurnRules:
    """What one must remember of the edges just driven to keep every ban: the matching automaton of Aho and Corasick.

    A *state* is the longest end of the run driven so far that begins a forbidden run; `()` where nothing needs
    remembering.

    Parameters
    ----------
    bans
        Forbidden runs, of two edges or more each.
    remembered
        Runs worth remembering besides the beginnings of bans.
    """

    bans: frozenset[Run] = frozenset()
    remembered: frozenset[Run] = frozenset()

    @classmethod
    def of(cls, bans: Iterable[TurnBan], mode: str) -> TurnRules:
        """Return the rules of a mode: ``motor``, ``heavy`` or ``foot`` (none)."""
        if mode == "foot":
            return NO_TURN_RULES
        return cls(frozenset(ban.edges for ban in bans if (ban.heavy if mode == "heavy" else ban.motor)))

    @cached_property
    def states(self) -> frozenset[Run]:
        """All states but `()`."""
        return self.remembered | {run[:end] for run in self.bans for end in range(1, len(run))}

    def advance(self, state: Run, edge: int) -> Run | None:
        """Return the state after driving one more edge, None where that is forbidden."""
        if not state:  # a ban has two edges at least
            return (edge,) if (edge,) in self.states else ()
        run = (*state, edge)
        ends = [run[start:] for start in range(len(run))]
        if any(end in self.bans for end in ends):
            return None
        return next((end for end in ends if end in self.states), ())


NO_TURN_RULES = TurnRules()
"""Every turn allowed."""
