"""A vehicle's or courier's day: its rounds as one list of stops, with earliest and latest times.

The rounds of the day follow each other in one list; a round begins and ends at the base. `earliest` and `latest` are
starts of service such that everything before (after) still holds, releases and deadlines of goods handed over by (to)
other carriers included. A day is feasible when earliest ≤ latest everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from routing.solver.day_loops import EARLIEST, FAR_S, REST, ROWS, START, IntArray, arrive, run, squeeze
from routing.solver.fleets import Fleet, whole_seconds
from routing.solver.instance import Instance
from routing.solver.tasks import Task

Tasks = tuple[Task, ...]
_Bounds = tuple[list[int], list[int], list[int]]


class Day:
    """The stops of one vehicle over the day. Lists are parallel, one entry a stop."""

    __slots__ = (
        "_bounds",
        "_dues",
        "_fetches",
        "_hasty",
        "_links",
        "_moved",
        "aboard",
        "begins",
        "cost",
        "drive_s",
        "earliest",
        "end_by",
        "fleet",
        "instance",
        "latest",
        "loads",
        "lower",
        "place",
        "rest",
        "service",
        "sound",
        "start",
        "start_by",
        "times",
        "unloads",
        "vehicle_id",
    )

    def __init__(self, instance: Instance, fleet: Fleet, vehicle_id: str) -> None:
        self.instance, self.fleet, self.vehicle_id = instance, fleet, vehicle_id
        self.place: list[int] = []
        self.begins: list[bool] = []
        """True at the first stop of a round."""
        self.loads: list[Tasks] = []
        self.unloads: list[Tasks] = []
        self.lower: list[int] = []
        """Service starts at or after."""
        self.start_by: list[int] = []
        """Service starts at or before."""
        self.end_by: list[int] = []
        """Service ends at or before."""
        self.service: list[int] = []
        self.rest: list[int] = []
        """Rest after service, seconds."""
        self.earliest: list[int] = []
        self.latest: list[int] = []
        self.start: list[int] = []
        """Service starts of the schedule: waiting squeezed out, the end of each round unchanged."""
        self.times = np.empty((ROWS, 0), dtype=np.int64)
        """All of the above for the compiled loops, as they were when last refreshed."""
        self.aboard = np.empty((2 * len(fleet.type.compartments), 0))
        """On departure from each stop, the kilograms in each compartment, then the litres."""
        self.drive_s = 0
        self.cost = 0.0
        self.sound = True
        """Whether times, loads and driving limits held when last refreshed."""
        self._bounds: _Bounds = ([], [], [])
        """Bounds of service that hang on no other carrier: lower, start by, end by."""
        self._links: list[tuple[int, bool, Task, int]] = []
        """Hand-overs: stop, whether goods come from the other carrier, its task, seconds of handling."""
        self._dues: list[tuple[int, int, float]] = []
        """Goods that are late from some time on: stop, that time, money by second."""
        self._hasty = self._fetches = False
        """Whether the schedule hangs on how long goods handed over wait, and on how long those fetched have."""
        self._moved: Sequence[int] = ()
        """Stops whose times the tasks do not know yet."""

    # --- Snapshots -------------------------------------------------------------------------------------------------

    def snapshot(self) -> Any:
        """Return what `restore` needs: copies of the lists that change in place, all else as it is."""
        return [list(getattr(self, name)) for name in _CHANGED], [getattr(self, name) for name in _REPLACED]

    def restore(self, saved: Any) -> None:
        """Return to a snapshot and publish its times again."""
        for name, value in zip((*_CHANGED, *_REPLACED), (*saved[0], *saved[1]), strict=True):
            setattr(self, name, value)
        for task in self.tasks():
            task.owner = self
        self._moved = range(len(self.place))
        self.publish()

    # --- Reading ---------------------------------------------------------------------------------------------------

    def rounds(self) -> Iterator[tuple[int, int]]:
        """Yield first and last stop index of every round."""
        first = 0
        for k in range(1, len(self.place) + 1):
            if k == len(self.place) or self.begins[k]:
                yield first, k - 1
                first = k

    def tasks(self) -> Iterator[Task]:
        """Yield every task of the day once, in order of loading."""
        for loaded in self.loads:
            yield from loaded

    def aboard_after(self, k: int) -> tuple[float, float]:
        """Return the kilograms and litres in all compartments on departure from stop k."""
        kg, litres = np.split(self.aboard[:, k], 2)
        return float(kg.sum()), float(litres.sum())

    # --- Changing --------------------------------------------------------------------------------------------------

    def insert_stop(self, at: int, place: int, *, begins: bool = False) -> None:
        """Insert an empty stop before index `at`."""
        self.place.insert(at, place)
        self.begins.insert(at, begins)
        self.loads.insert(at, ())
        self.unloads.insert(at, ())

    def rebuild(self, rounds: Sequence[Sequence[tuple[int, Tasks, Tasks]]]) -> None:
        """Replace all rounds by stops away from the base (place, loads, unloads); the base gets the other ends."""
        self.place, self.begins, self.loads, self.unloads = [], [], [], []
        base = self.fleet.base
        for stops in rounds:
            first = len(self.place)
            self.insert_stop(first, base, begins=True)
            for place, loads, unloads in stops:
                self.insert_stop(len(self.place), place)
                self.loads[-1], self.unloads[-1] = loads, unloads
            self.insert_stop(len(self.place), base)
            brought = tuple(task for _, _, unloads in stops for task in unloads)
            taken = tuple(task for _, loads, _ in stops for task in loads)
            self.loads[first], self.unloads[-1] = brought, taken
            for task in (*brought, *taken):
                task.owner = self

    def remove(self, task: Task) -> None:
        """Take a task off the day; stops and rounds left empty go."""
        for k in range(len(self.place)):
            if task in self.loads[k]:
                self.loads[k] = tuple(other for other in self.loads[k] if other is not task)
            if task in self.unloads[k]:
                self.unloads[k] = tuple(other for other in self.unloads[k] if other is not task)
        self._drop_empty_stops()
        task.owner = None

    def _drop_empty_stops(self) -> None:
        keep: list[int] = []
        for first, last in self.rounds():
            inner = [k for k in range(first + 1, last) if self.loads[k] or self.unloads[k]]
            if inner:
                keep += [first, *inner, last]
        for name in ("place", "begins", "loads", "unloads"):
            values = getattr(self, name)
            setattr(self, name, [values[k] for k in keep])

    # --- Times -----------------------------------------------------------------------------------------------------

    def travel_s(self, departure_s: int, here: int, there: int) -> int:
        """Return the seconds from a place to another when leaving at a time."""
        return arrive(self.fleet.road.clock, departure_s, self.fleet.travel.duration_s[here][there]) - departure_s

    def refresh(self, *, reload: bool = True) -> bool:
        """Recompute loads, bounds, times and cost; return False where times, loads or driving limits do not hold."""
        if reload:
            fits = self._weigh()
            self._gather()
        else:
            fits = True
        self._moved = range(0)
        if not self._bound() and not (reload or self._hasty or self._fetches):
            return self.sound
        if not self.place:
            self._clear()
            return True
        before = self.times
        holds, self.drive_s, money = run(self.fleet.road, self._as_array(settled=False))
        self.rest, self.earliest, self.latest, self.start = self.times[REST:].tolist()
        self._moved = range(len(self.place))
        if not reload:
            self._moved = np.flatnonzero((before != self.times)[EARLIEST:].any(axis=0)).tolist()
        self.cost = money + self._lateness()
        self.sound = fits and holds
        return self.sound

    def _clear(self) -> None:
        self.rest, self.earliest, self.latest, self.start = [], [], [], []
        self.times = np.empty((ROWS, 0), dtype=np.int64)
        self.drive_s, self.cost, self.sound = 0, 0.0, True

    def _as_array(self, *, settled: bool) -> IntArray:
        """Return the day for the compiled loops, times found left open; it is kept as `times`."""
        n = len(self.place)
        due = [FAR_S] * n
        for k, due_s, _ in self._dues:
            due[k] = min(due[k], due_s)
        hasty = settled or self._hasty
        cap = [self._hand_over_by(k) for k in range(n)] if settled else [FAR_S] * n
        fetch_by = [self._fetch_by(k) for k in range(n)] if self._fetches else [2 * FAR_S] * n
        wanted = [self._wanted_end(k) if self._ends_round(k) else -1 for k in range(n)] if hasty else [-1] * n
        given = (
            self.place,
            self.begins,
            self.lower,
            self.start_by,
            self.end_by,
            self.service,
            due,
            cap,
            fetch_by,
            wanted,
        )
        self.times = np.empty((ROWS, n), dtype=np.int64)
        self.times[: len(given)] = given
        return self.times

    def _ends_round(self, k: int) -> bool:
        return k + 1 == len(self.place) or self.begins[k + 1]

    def _gather(self) -> None:
        """Note service times, due times, bounds and hand-overs of all stops as their goods ask for them."""
        instance, base = self.instance, self.fleet.base
        bounds: _Bounds = ([], [], [])
        links: list[tuple[int, bool, Task, int]] = []
        dues: list[tuple[int, int, float]] = []
        self.service, self._hasty, self._fetches = [], False, False
        for k, place in enumerate(self.place):
            lower, start_by, seconds = 0, FAR_S, 0.0
            if place != base:
                lower, start_by = instance.opens_s[place], instance.closes_s[place]
                seconds = self.fleet.type.stop_s
            handling, hastens = instance.handling_s[place], instance.hastens[place]
            for task in self.loads[k]:
                seconds += task.load_service_s
                if task.previous is None:
                    lower = max(lower, task.job.release_s)
                else:
                    links.append((k, True, task.previous, handling))
                    self._fetches = self._fetches or hastens
            for task in self.unloads[k]:
                seconds += task.unload_service_s
                if task.following is None:
                    lower, start_by = max(lower, task.window[0]), min(start_by, task.window[1])
                    if task.job.due_s is not None:
                        dues.append((k, task.job.due_s, task.job.late_per_s))
                else:
                    links.append((k, False, task.following, handling))
                    self._hasty = self._hasty or hastens or task.job.product.cold
            bounds[0].append(lower)
            bounds[1].append(start_by)
            bounds[2].append(FAR_S)
            self.service.append(whole_seconds(seconds))
        self._bounds, self._links, self._dues = bounds, links, dues

    def _bound(self) -> bool:
        """Bound service by what other carriers published; return whether any bound moved."""
        lower, end_by = list(self._bounds[0]), list(self._bounds[2])
        for k, comes, task, handling in self._links:
            if comes:
                lower[k] = max(lower[k], task.ready_s + handling)
            else:
                end_by[k] = min(end_by[k], task.latest_load_s - handling)
        moved = lower != self.lower or end_by != self.end_by
        self.lower, self.start_by, self.end_by = lower, self._bounds[1], end_by
        return moved

    def _weigh(self) -> bool:
        """Sum up what is aboard; return whether it fits and sits beside nothing it may not."""
        parts = self.fleet.type.compartments
        count = len(parts)
        now = [0.0] * (2 * count)
        rows: list[list[float]] = []
        for loads, unloads in zip(self.loads, self.unloads, strict=True):
            for task in unloads:
                now[task.compartment] -= task.kg
                now[count + task.compartment] -= task.litres
            for task in loads:
                now[task.compartment] += task.kg
                now[count + task.compartment] += task.litres
            rows.append(list(now))
        if not rows:
            self.aboard = np.empty((2 * count, 0))
            return True
        self.aboard = np.ascontiguousarray(np.array(rows).T)
        room = [*(part.kg + 1e-6 for part in parts), *(part.litres + 1e-6 for part in parts)]
        fits = all(max(row) <= limit for row, limit in zip(self.aboard.tolist(), room, strict=True))
        return fits and (not self.instance.incompatible or self._mixes_well())

    def _mixes_well(self) -> bool:
        """Return whether no two classes that may not share a compartment are in one at a time."""
        incompatible = self.instance.incompatible
        aboard: list[dict[str, int]] = [{} for _ in self.fleet.type.compartments]
        for loads, unloads in zip(self.loads, self.unloads, strict=True):
            for task in unloads:
                aboard[task.compartment][task.job.product.id] -= 1
            for task in loads:
                inside, name = aboard[task.compartment], task.job.product.id
                if any(inside.get(other, 0) for other in incompatible.get(name, ())):
                    return False
                inside[name] = inside.get(name, 0) + 1
        return True

    def start_early(self) -> None:
        """Schedule every stop at its earliest and publish that."""
        self.start, self._moved = list(self.earliest), range(len(self.earliest))
        self.publish()

    def squeeze(self) -> bool:
        """Start every round as late as its end allows, by the actual loading of what it hands over.

        Return whether any start moved. A round that brings cold goods to a transfer, or goods that may not wait there
        for long, may end later, so that they wait there no longer than needed.
        """
        if not self.place:
            return False
        times = self._as_array(settled=True)
        times[REST:] = (self.rest, self.earliest, self.latest, self.start)
        if not squeeze(self.fleet.road, times):
            times[START] = self.start
        starts: list[int] = times[START].tolist()
        moved = starts != self.start
        self.start, self._moved = starts, range(len(starts))
        return moved

    def _hand_over_by(self, k: int) -> int:
        """Return the latest start at stop k that keeps to the actual loading of what is handed over there."""
        spent_s = self.instance.handling_s[self.place[k]] + self.service[k]
        return min([FAR_S, *(t.following.load_start_s - spent_s for t in self.unloads[k] if t.following is not None)])

    def _fetch_by(self, k: int) -> int:
        """Return when the vehicle leaves stop k at the latest so that no goods fetched there have waited too long."""
        limit_s = self.instance.places[self.place[k]].max_wait_s
        ready = [task.previous.unload_end_s for task in self.loads[k] if task.previous is not None]
        return 2 * FAR_S if limit_s is None or not ready else min(ready) + limit_s

    def _wanted_end(self, k: int) -> int:
        """Return when service at a round's last stop should start: just in time for hasty goods, else at once (-1)."""
        wanted = FAR_S
        for task in self.unloads[k]:
            after = task.following
            if after is None or not (task.job.product.cold or self.instance.hastens[self.place[k]]):
                return -1
            wanted = min(wanted, after.load_start_s - self.instance.handling_s[self.place[k]] - self.service[k])
        return wanted if wanted < FAR_S else -1

    def publish(self, changed: list[Task | None] | None = None) -> None:
        """Write times that moved to the tasks; collect those of other carriers whose bounds may have into `changed`."""
        for k in self._moved:
            start, end = self.start[k], self.start[k] + self.service[k]
            for task in self.loads[k]:
                task.load_start_s, task.load_end_s = start, end
                if task.latest_load_s != self.latest[k]:
                    task.latest_load_s = self.latest[k]
                    if changed is not None and task.previous is not None:
                        changed.append(task.previous)
            ready = self.earliest[k] + self.service[k]
            for task in self.unloads[k]:
                task.unload_start_s, task.unload_end_s = start, end
                if task.ready_s != ready:
                    task.ready_s = ready
                    if changed is not None and task.following is not None:
                        changed.append(task.following)

    def _lateness(self) -> float:
        return sum(rate * max(0, self.start[k] - due_s) for k, due_s, rate in self._dues)


_CHANGED = ("place", "begins", "loads", "unloads")
_REPLACED = (
    "lower",
    "start_by",
    "end_by",
    "service",
    "rest",
    "earliest",
    "latest",
    "start",
    "times",
    "aboard",
    "drive_s",
    "cost",
    "sound",
    "_bounds",
    "_links",
    "_dues",
    "_hasty",
    "_fetches",
)
