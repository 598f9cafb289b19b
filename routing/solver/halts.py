"""What the goods handed over at one stop of a vehicle's day ask of it, whatever the rest of the day looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from routing.solver.day_loops import FAR_S
from routing.solver.fleets import Fleet, whole_seconds
from routing.solver.instance import Instance
from routing.solver.tasks import Task

Tasks = tuple[Task, ...]


class Halt(NamedTuple):
    """Bounds and seconds of service at a stop, as its place and its goods ask for them."""

    lower: int
    """Service starts at or after."""
    start_by: int
    """Service starts at or before."""
    service_s: int
    links: tuple[tuple[bool, Task, int], ...]
    """Hand-overs: whether goods come from the other carrier, its task, seconds of handling."""
    dues: tuple[tuple[int, float], ...]
    """Goods that are late from some time on: that time, money by second."""
    change: tuple[float, ...]
    """What is put aboard less what is taken off: the kilograms in each compartment, then the litres."""
    products: frozenset[str]
    """Classes loaded."""
    hasty: bool
    """Whether the day's schedule hangs on how long goods handed over here wait."""
    fetches: bool
    """Whether it hangs on how long goods fetched here have waited."""


def make_halt(instance: Instance, fleet: Fleet, place: int, loads: Tasks, unloads: Tasks) -> Halt:
    """Return what a stop's goods ask for."""
    lower, start_by, seconds = 0, FAR_S, 0.0
    if place != fleet.base:
        lower, start_by, seconds = instance.opens_s[place], instance.closes_s[place], fleet.type.stop_s
    handling, hastens = instance.handling_s[place], instance.hastens[place]
    links: list[tuple[bool, Task, int]] = []
    dues: list[tuple[int, float]] = []
    hasty = fetches = False
    for task in loads:
        seconds += task.load_service_s
        if task.previous is None:
            lower = max(lower, task.job.release_s)
        else:
            links.append((True, task.previous, handling))
            fetches = fetches or hastens
    for task in unloads:
        seconds += task.unload_service_s
        if task.following is None:
            lower, start_by = max(lower, task.window[0]), min(start_by, task.window[1])
            if task.job.due_s is not None:
                dues.append((task.job.due_s, task.job.late_per_s))
        else:
            links.append((False, task.following, handling))
            hasty = hasty or hastens or task.job.product.cold
    return Halt(
        lower,
        start_by,
        whole_seconds(seconds),
        tuple(links),
        tuple(dues),
        _change(len(fleet.type.compartments), loads, unloads),
        frozenset([task.job.product.id for task in loads]),
        hasty,
        fetches,
    )


def _change(parts: int, loads: Sequence[Task], unloads: Sequence[Task]) -> tuple[float, ...]:
    change = [0.0] * (2 * parts)
    for task in loads:
        change[task.compartment] += task.kg
        change[parts + task.compartment] += task.litres
    for task in unloads:
        change[task.compartment] -= task.kg
        change[parts + task.compartment] -= task.litres
    return tuple(change)


def mix_well(
    carried: frozenset[str], loads: Sequence[Tasks], unloads: Sequence[Tasks], barred: Mapping[str, frozenset[str]]
) -> bool:
    """Return whether no two classes that `barred` keeps apart are in one compartment of a day at a time.

    `carried` are all the classes of the day.
    """
    if all(carried.isdisjoint(barred.get(name, ())) for name in carried):
        return True
    aboard: dict[tuple[int, str], int] = {}
    for loaded, unloaded in zip(loads, unloads, strict=True):
        for task in unloaded:
            aboard[task.compartment, task.job.product.id] -= 1
        for task in loaded:
            part, name = task.compartment, task.job.product.id
            if any(aboard.get((part, other), 0) for other in barred.get(name, ())):
                return False
            aboard[part, name] = aboard.get((part, name), 0) + 1
    return True


# --- Waiting -------------------------------------------------------------------------------------------------------


def hand_over_by(instance: Instance, place: int, unloads: Tasks, service_s: int) -> int:
    """Return the latest start at a stop that keeps to the actual loading of what is handed over there."""
    spent_s = instance.handling_s[place] + service_s
    return min([FAR_S, *(task.following.load_start_s - spent_s for task in unloads if task.following is not None)])


def fetch_by_s(instance: Instance, place: int, loads: Tasks) -> int:
    """Return when the vehicle leaves a stop at the latest so that no goods fetched there have waited too long."""
    limit_s = instance.places[place].max_wait_s
    ready = [task.previous.unload_end_s for task in loads if task.previous is not None]
    return 2 * FAR_S if limit_s is None or not ready else min(ready) + limit_s


def wanted_end(instance: Instance, place: int, unloads: Tasks, service_s: int) -> int:
    """Return when service at a round's last stop should start: just in time for hasty goods, else at once (-1)."""
    wanted = FAR_S
    for task in unloads:
        after = task.following
        if after is None or not (task.job.product.cold or instance.hastens[place]):
            return -1
        wanted = min(wanted, after.load_start_s - instance.handling_s[place] - service_s)
    return wanted if wanted < FAR_S else -1
