"""A plan in the making divided into parts that can be searched side by side.

Two served jobs belong together where one vehicle, courier or drone carries both, or a chain of such pairs leads from
one to the other: whatever is changed there is felt by no carrier of any other job, as buses never wait. In a county of
many bus lines dozens of such groups are to be found; a line drawn across the map sorts them into parts. Lines are drawn
in another direction every time, so that no border stays.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt
from networkx.utils import UnionFind

from routing.solver.buses import BusLoad, Taken
from routing.solver.carriers import Carrier
from routing.solver.days import Day
from routing.solver.drafts import own_carriers
from routing.solver.improvement import remote_end
from routing.solver.instance import Instance
from routing.solver.part import Part
from routing.solver.sorties import DroneDay
from routing.solver.state import State


@dataclass(frozen=True, slots=True)
class _Group:
    """Jobs that belong together with the carriers they ride on, and the mean of their remote ends, east and north."""

    jobs: tuple[int, ...]
    carriers: frozenset[str]
    centre: tuple[float, float]


class Ground:
    """Where the jobs of an instance lie: worked out once, as it is the same for every division."""

    def __init__(self, instance: Instance) -> None:
        shrink = math.cos(math.radians(instance.places[0].lat))
        ends = [remote_end(instance, job) for job in instance.jobs]
        self.ends: npt.NDArray[np.float64] = np.array(ends, dtype=np.float64).reshape(-1, 2) * (shrink, 1.0)
        """Remote end of each job, shape (jobs, 2): east and north, in degrees of latitude."""
        self.nearest: dict[str, int] = {}
        """By place, the job whose remote end lies nearest."""
        for place in instance.places:
            apart = self.ends - (place.lon * shrink, place.lat)
            self.nearest[place.id] = int((apart**2).sum(axis=1).argmin())


def divide(state: State, ground: Ground, count: int, random: Random) -> list[Part]:
    """Return at most `count` parts with about equally many jobs; every job and carrier is in one of them.

    Carriers that stand idle go in turn to the parts that have others of their base, else to the part whose jobs lie
    nearest to it. The free space of a bus trip goes to one of the parts that have goods aboard, drawn at random, else
    to the part whose jobs lie nearest to most of its calls; stores are shared out evenly.
    """
    sorts = _halve(_groups(state, ground.ends), count, random)
    jobs = [sorted(itertools.chain.from_iterable(group.jobs for group in groups)) for groups in sorts]
    busy = [frozenset[str]().union(*(group.carriers for group in groups)) for groups in sorts]
    part_of = {index: k for k, own in enumerate(jobs) for index in own}
    nearest = {place: part_of[index] for place, index in ground.nearest.items()}
    carriers = _with_idle(state, nearest, busy, random)
    free = [_heir(load, jobs, nearest, random) for load in state.buses]
    stored = _left_to_others(state.instance, [_stored_kg(state, own) for own in jobs], nearest)
    return [
        Part(
            own,
            carriers[k],
            [_taken(load, frozenset(own), free=free[load.number] == k) for load in state.buses],
            stored[k],
        )
        for k, own in enumerate(jobs)
    ]


# --- Jobs ----------------------------------------------------------------------------------------------------------


def _groups(state: State, ends: npt.NDArray[np.float64]) -> list[_Group]:
    joined: UnionFind[int | str] = UnionFind([job.index for job in state.instance.jobs])
    for name, day in own_carriers(state).items():
        joined.union(name, *(task.job.index for task in day.tasks()))
    found: list[_Group] = []
    for members in joined.to_sets():
        jobs = tuple(sorted(member for member in members if isinstance(member, int)))
        if jobs:
            east, north = ends[list(jobs)].mean(axis=0).tolist()
            names = frozenset(member for member in members if isinstance(member, str))
            found.append(_Group(jobs, names, (east, north)))
    return sorted(found, key=lambda group: group.jobs)


def _halve(groups: Sequence[_Group], count: int, random: Random) -> list[list[_Group]]:
    """Sort groups into at most `count` parts by lines across the map, each of them by another one."""
    if count == 1 or len(groups) == 1:
        return [list(groups)]
    angle = random.uniform(0.0, 2.0 * math.pi)
    ahead = sorted(groups, key=lambda g: g.centre[0] * math.cos(angle) + g.centre[1] * math.sin(angle))
    first = count // 2
    sizes = np.cumsum([len(group.jobs) for group in ahead])
    cut = 1 + int(np.abs(sizes[:-1] - sizes[-1] * first / count).argmin())
    return _halve(ahead[:cut], first, random) + _halve(ahead[cut:], count - first, random)


# --- What jobs ride on ---------------------------------------------------------------------------------------------


def _with_idle(
    state: State, nearest: Mapping[str, int], busy: Sequence[frozenset[str]], random: Random
) -> list[frozenset[str]]:
    """Return the carriers of each part, those that stand idle dealt out."""
    by_base: dict[int, list[str]] = {}
    for name, day in own_carriers(state).items():
        by_base.setdefault(_base(day), []).append(name)
    found = [set(own) for own in busy]
    for base, names in by_base.items():
        there = [k for k, own in enumerate(busy) if not own.isdisjoint(names)]
        there = there or [nearest[state.instance.places[base].id]]
        random.shuffle(there)
        idle = [name for name in names if not any(name in own for own in busy)]
        for name, k in zip(idle, itertools.cycle(there)):  # dealt out in turn
            found[k].add(name)
    return [frozenset(own) for own in found]


def _base(day: Carrier) -> int:
    if isinstance(day, Day):
        return day.fleet.base
    return day.group.base if isinstance(day, DroneDay) else -1


def _heir(load: BusLoad, jobs: Sequence[Sequence[int]], nearest: Mapping[str, int], random: Random) -> int:
    """Return the part that gets the free space of a bus trip."""
    aboard = {task.job.index for task in load.tasks()}
    if aboard:
        return random.choice([k for k, own in enumerate(jobs) if not aboard.isdisjoint(own)])
    by_calls = Counter(nearest[call.place_id] for call in load.trip.calls)
    return by_calls.most_common(1)[0][0] if by_calls else 0


def _taken(load: BusLoad, own: frozenset[int], *, free: bool) -> Taken:
    """Return what of a trip a part's jobs cannot have: what others fill, and what is free where others get that."""
    trip, segments = load.trip, len(load.trip.calls)
    kg, litres = ([0.0] * segments, [0.0] * segments) if free else ([trip.max_kg] * segments, [trip.max_l] * segments)
    calls: dict[int, int] = {}
    products: set[str] = set()
    for task, ride in load.entries:
        mine = task.job.index in own
        if not mine:
            products.add(task.job.product.id)
            calls |= {trip.calls[call].sequence: call for call in (ride.board_call, ride.alight_call)}
        if mine != free:
            sign = -1.0 if mine else 1.0
            for call in range(ride.board_call, ride.alight_call):
                kg[call] += sign * task.kg
                litres[call] += sign * task.litres
    return Taken(kg, litres, calls, frozenset(products))


Store = tuple[int, str]
"""A place by index and a kind of store."""


def _stored_kg(state: State, own: Sequence[int]) -> dict[Store, float]:
    """Return what jobs weigh that wait in a store between two rides, whenever that is."""
    found: dict[Store, float] = {}
    for index in own:
        job = state.instance.jobs[index]
        for task in state.served.get(index, ())[:-1]:
            store = (task.destination, state.instance.store_of(job, task.destination)[0])
            found[store] = found.get(store, 0.0) + job.boxed_kg
    return found


def _left_to_others(
    instance: Instance, stored: Sequence[Mapping[Store, float]], nearest: Mapping[str, int]
) -> list[dict[Store, float]]:
    """Return by part what of each store it cannot have: its users share what is free, else the nearest part has it."""
    found: list[dict[Store, float]] = [{} for _ in stored]
    for place, site in enumerate(instance.places):
        for kind, room in site.store_kg.items():
            held = [kilograms.get((place, kind), 0.0) for kilograms in stored]
            users = [k for k, kg in enumerate(held) if kg > 0.0]
            users = users or [nearest[site.id]]
            free = max(0.0, room - sum(held)) / len(users)
            for k, kg in enumerate(held):
                found[k][place, kind] = max(0.0, room - kg - (free if k in users else 0.0))
    return found
