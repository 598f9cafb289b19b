"""The innermost loops of the hierarchy's sweeps, compiled: letting the ways of a node go over its arcs.

Both look at one arc of one node after the other, at all targets at once; what is not faster stays as it is, so that
every line of the table is read and written in order, several numbers at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodata.compiled import compiled
from geodata.location import FloatArray

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Arcs = tuple[IntArray, IntArray, IntArray, FloatArray]
"""First position of each node's arcs (one more at the end), the arcs, then head and seconds of every arc there is."""


@compiled
def pull_arcs(
    order: IntArray, arcs: Arcs, above: BoolArray, slack_s: float, duration_s: FloatArray, first_arc: IntArray
) -> None:
    """Let ways go over arcs where that is faster by more than the slack; the tables are changed in place.

    Parameters
    ----------
    order
        Nodes in the order in which they are looked at.
    arcs
        Arcs to look at.
    above
        Whether a node's ways can end at a target at all; arcs to others are passed over, and their tails marked.
    slack_s
        Seconds by which a way must be faster.
    duration_s, first_arc
        Tables of shape (nodes, targets): seconds, and the first arc of the way.
    """
    first, listed, heads, seconds = arcs
    for node in order:
        for place in range(first[node], first[node + 1]):
            arc = listed[place]
            head = heads[arc]
            if not above[head]:
                continue
            above[node] = True
            for target in range(duration_s.shape[1]):
                offer = duration_s[head, target] + seconds[arc]
                if offer < duration_s[node, target] - slack_s:
                    duration_s[node, target] = offer
                    first_arc[node, target] = arc


@compiled
def pull_sums(
    order: IntArray,
    arcs: Arcs,
    above: BoolArray,
    slack_s: float,
    sums: tuple[FloatArray, FloatArray, FloatArray],
    added: tuple[FloatArray, FloatArray],
) -> None:
    """Let ways go over arcs as `pull_arcs` does, with metres and watt-hours instead of the arc.

    Parameters
    ----------
    order, arcs, above, slack_s
        As for `pull_arcs`.
    sums
        Tables of shape (nodes, targets), changed in place: seconds, metres, watt-hours.
    added
        Metres and watt-hours of every arc there is.
    """
    first, listed, heads, seconds = arcs
    duration_s, distance_m, energy_wh = sums
    metres, watt_hours = added
    for node in order:
        for place in range(first[node], first[node + 1]):
            arc = listed[place]
            head = heads[arc]
            if not above[head]:
                continue
            above[node] = True
            for target in range(duration_s.shape[1]):
                offer = duration_s[head, target] + seconds[arc]
                if offer < duration_s[node, target] - slack_s:
                    duration_s[node, target] = offer
                    distance_m[node, target] = distance_m[head, target] + metres[arc]
                    energy_wh[node, target] = energy_wh[head, target] + watt_hours[arc]
