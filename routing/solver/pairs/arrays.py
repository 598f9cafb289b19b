"""What the compiled loops read and write: one day, and one plan of it, as arrays.

Order k has the nodes k (pickup) and n + k (delivery); the base of fleet group g is node 2n + g. Groups are vehicles
alike in type, base, operator and matrix; a slot is one vehicle. Times are seconds, goods milligrams and microlitres (so
that sums are exact), money minor units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]


class Day(NamedTuple):
    """One day: never changed by the search. N = 2n + number of groups."""

    cost: Floats
    """(groups, N, N): money of going from a node to another, its share of route time included."""
    move_s: Ints
    """(groups, N, N): seconds from the start of service at a node to the arrival at another."""
    early_s: Ints
    """(N,): earliest start of service."""
    late_s: Ints
    """(N,): latest start of service."""
    kg: Ints
    """(n,): milligrams of each order."""
    litres: Ints
    """(n,): microlitres of each order."""
    unserved: Floats
    """(n,): money lost by leaving an order out."""
    group: Ints
    """(slots,): group of each vehicle."""
    start_s: Ints
    """(groups,): begin of the shift."""
    end_s: Ints
    """(groups,): end of the shift."""
    room_kg: Ints
    """(groups,): milligrams a vehicle holds."""
    room_l: Ints
    """(groups,): microlitres a vehicle holds."""
    fixed: Floats
    """(groups,): money of using a vehicle."""
    wait_cost: Floats
    """(groups,): money of a second of waiting within a round."""
    near: Ints
    """(2n, K): nodes of orders nearest to each node, nearest first, itself first of all."""


class Rounds(NamedTuple):
    """One plan: the round of every slot, and what is reckoned from it. M = 2n + 2."""

    node: Ints
    """(slots, M): nodes in order of visit, base first and last."""
    size: Ints
    """(slots,): how many of them; 2 means the vehicle stays at its base."""
    early_s: Ints
    """(slots, M): earliest start of service after what precedes."""
    late_s: Ints
    """(slots, M): latest start of service for what follows."""
    kg: Ints
    """(slots, M): milligrams aboard after the node."""
    litres: Ints
    """(slots, M): microlitres aboard after the node."""
    money: Floats
    """(slots,): cost of the round."""
    slot: Ints
    """(n,): slot that serves an order, -1 where none does."""
    stamp: Ints
    """(slots + 1,): a number for every slot that is another whenever its round is; the last entry counts them."""
    usable: Ints
    """(slots,): 1 where an empty slot may be opened, else 0."""
    absent: Ints
    """(n + 1,): orders not served; the last entry counts them."""


class Notes(NamedTuple):
    """Memory of the search beside the plan."""

    random: Bits
    """(1,): state of the random generator, never 0."""
    touched: Ints
    """(slots + 1,): slots changed in this step; the last entry counts them."""
    is_touched: Ints
    """(slots,): 1 where the slot is among them."""
    old_node: Ints
    """(slots, M): rounds of touched slots as they were."""
    old_size: Ints
    """(slots,): their sizes."""
    old_stamp: Ints
    """(slots,): their stamps."""
    old_money: Floats
    """(slots,): what they cost."""
    old_absent: Ints
    """(n + 1,): `Rounds.absent` as it was."""
    known_stamp: Ints
    """(n, slots): stamp of the round for which the best place of an order was sought last."""
    known_cost: Floats
    """(n, slots): what that place adds; where there is none, no place adds less."""
    known_i: Ints
    """(n, slots): position before its pickup, -1 where no place was found."""
    known_j: Ints
    """(n, slots): position before its delivery."""
    misses: Ints
    """(n,): how often an order was left out when the fleet was to shrink."""
    extra: Floats
    """(M,): scratch, cost of a delivery after each position."""
    least: Floats
    """(M + 1,): scratch, least of `extra` from each position on."""
    key: Floats
    """(n,): scratch, sorting keys."""
    waiting: Ints
    """(n,): scratch, orders to be put back."""
    gone: Ints
    """(2n,): scratch, 1 where a node is being taken out."""
    best_node: Ints
    """(slots, M): best plan found."""
    best_size: Ints
    """(slots,): its sizes."""


def new_rounds(day: Day) -> Rounds:
    """Return the plan that serves nothing; call `places.reckon` on every slot before use."""
    orders, slots = len(day.kg), len(day.group)
    width = 2 * orders + 2
    node = np.zeros((slots, width), dtype=np.int64)
    node[:, 0] = node[:, 1] = 2 * orders + day.group
    return Rounds(
        node=node,
        size=np.full(slots, 2, dtype=np.int64),
        early_s=_zeros(slots, width),
        late_s=_zeros(slots, width),
        kg=_zeros(slots, width),
        litres=_zeros(slots, width),
        money=np.zeros(slots),
        slot=np.full(orders, -1, dtype=np.int64),
        stamp=_zeros(slots + 1),
        usable=np.ones(slots, dtype=np.int64),
        absent=np.append(np.arange(orders), orders).astype(np.int64),
    )


def new_notes(day: Day, seed: int) -> Notes:
    """Return an empty memory whose random numbers follow from the seed."""
    orders, slots = len(day.kg), len(day.group)
    width = 2 * orders + 2
    state = np.random.default_rng(seed).integers(1, 2**63, size=1, dtype=np.uint64)
    return Notes(
        random=state,
        touched=_zeros(slots + 1),
        is_touched=_zeros(slots),
        old_node=_zeros(slots, width),
        old_size=_zeros(slots),
        old_stamp=_zeros(slots),
        old_money=np.zeros(slots),
        old_absent=_zeros(orders + 1),
        known_stamp=_zeros(orders, slots),
        known_cost=np.zeros((orders, slots)),
        known_i=_zeros(orders, slots),
        known_j=_zeros(orders, slots),
        misses=_zeros(orders),
        extra=np.zeros(width),
        least=np.zeros(width + 1),
        key=np.zeros(orders),
        waiting=_zeros(orders),
        gone=_zeros(2 * orders),
        best_node=_zeros(slots, width),
        best_size=np.full(slots, 2, dtype=np.int64),
    )


def _zeros(*shape: int) -> npt.NDArray[Any]:
    return np.zeros(shape, dtype=np.int64)
