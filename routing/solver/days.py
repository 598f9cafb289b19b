"""A vehicle's or courier's day: its rounds as one list of stops, with earliest and latest times.

The rounds of the day follow each other in one list; a round begins and ends at the base. `earliest` and `latest` are
starts of service such that everything before (after) still holds, releases and deadlines of goods handed over by (to)
other carriers included. A day is feasible when earliest ≤ latest everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from routing.solver.boards import Board
from routing.solver.day_loops import (
    CAP,
    FAR_S,
    FETCH_BY,
    REST,
    ROWS,
    START,
    WANTED,
    IntArray,
    arrive,
    pile,
    run,
    squeeze,
)
from routing.solver.fleets import Fleet
from routing.solver.halts import Halt, Tasks, fetch_by_s, hand_over_by, make_halt, mix_well, wanted_end
from routing.solver.instance import Instance
from routing.solver.machine_code import direct
from routing.solver.tasks import Task

_pile, _run, _squeeze = direct(pile), direct(run), direct(squeeze)
_NO_WAITS: tuple[list[int], list[int]] = ([], [])


class Day:
    """The stops of one vehicle over the day. Lists are parallel, one entry a stop."""

    __slots__ = (
        "_board",
        "_dues",
        "_fetches",
        "_fits",
        "_halts",
        "_hasty",
        "_links",
        "_moved",
        "_next",
        "_opens",
        "_shared",
        "_waits",
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
        "row",
        "service",
        "sound",
        "start",
        "start_by",
        "times",
        "unloads",
        "vehicle_id",
    )

    def __init__(self, instance: Instance, fleet: Fleet, vehicle_id: str, board: Board) -> None:
        self.instance, self.fleet, self.vehicle_id = instance, fleet, vehicle_id
        self.row, self._board = board.add(), board
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
        self._halts: list[Halt | None] = []
        """What the goods of each stop ask for; None where they changed."""
        self._links: list[tuple[int, bool, Task, int]] = []
        """Hand-overs: stop, whether goods come from the other carrier, its task, seconds of handling."""
        self._dues: list[tuple[int, int, float]] = []
        """Goods that are late from some time on: stop, that time, money by second."""
        self._opens: list[int] = []
        """Bounds `lower` that hang on no other carrier."""
        self._fits = True
        """Whether what is aboard fits and may ride together."""
        self._hasty = self._fetches = False
        """Whether the schedule hangs on how long goods handed over wait, and on how long those fetched have."""
        self._next: tuple[list[int], list[int]] | None = None
        """Bounds other carriers now set, where they moved since the last refresh."""
        self._waits = _NO_WAITS
        """What `_waits_now` was at the last refresh."""
        self._shared = False
        """Whether a snapshot holds the lists that change in place."""
        self._moved: Sequence[int] = ()
        """Stops whose times the tasks do not know yet."""

    # --- Snapshots -------------------------------------------------------------------------------------------------

    def snapshot(self) -> Any:
        """Return what `restore` needs; the lists that change in place are copied once they do."""
        self._shared = True
        return _READ(self)

    def restore(self, saved: Any) -> None:
        """Return to a snapshot and publish its times again."""
        for name, value in zip(_KEPT, saved, strict=True):
            setattr(self, name, value)
        self._shared, self._next = True, None
        self._note()
        for task in self.tasks():
            task.owner = self
        self._moved = range(len(self.place))
        self.publish()

    def _unshare(self) -> None:
        """Copy the lists that are about to change where a snapshot holds them."""
        if self._shared:
            self.place, self.begins = self.place.copy(), self.begins.copy()
            self.loads, self.unloads, self._halts = self.loads.copy(), self.unloads.copy(), self._halts.copy()
            self._shared = False

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
        self._unshare()
        self.place.insert(at, place)
        self.begins.insert(at, begins)
        self.loads.insert(at, ())
        self.unloads.insert(at, ())
        self._halts.insert(at, None)

    def take_on(self, task: Task, load_at: int, unload_at: int) -> None:
        """Load a task at one stop and unload it at a later one."""
        self._unshare()
        self.loads[load_at] = (*self.loads[load_at], task)
        self.unloads[unload_at] = (*self.unloads[unload_at], task)
        self._halts[load_at] = self._halts[unload_at] = None
        task.owner = self

    def clear(self) -> None:
        """Take everything off; times are stale until the day is refreshed."""
        self.fill([], [], [], [])

    def fill(self, place: list[int], begins: list[bool], loads: list[Tasks], unloads: list[Tasks]) -> None:
        """Replace all stops; times are stale until the day is refreshed."""
        self.place, self.begins, self.loads, self.unloads = place, begins, loads, unloads
        self._halts, self._shared = [None] * len(place), False
        for task in self.tasks():
            task.owner = self

    def rebuild(self, rounds: Sequence[Sequence[tuple[int, Tasks, Tasks]]]) -> None:
        """Replace all rounds by stops away from the base (place, loads, unloads); the base gets the other ends."""
        self.clear()
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

    def remove(self, tasks: Collection[Task]) -> None:
        """Take tasks off the day; stops and rounds left empty go."""
        gone = set(tasks)
        self._unshare()
        for stops in (self.loads, self.unloads):
            for k, there in enumerate(stops):
                if there and not gone.isdisjoint(there):
                    stops[k] = tuple([task for task in there if task not in gone])
                    self._halts[k] = None
        self._drop_empty_stops()
        for task in tasks:
            task.owner = None

    def _drop_empty_stops(self) -> None:
        keep: list[int] = []
        for first, last in self.rounds():
            inner = [k for k in range(first + 1, last) if self.loads[k] or self.unloads[k]]
            if inner:
                keep += [first, *inner, last]
        if len(keep) < len(self.place):
            for name in _CHANGED:
                values = getattr(self, name)
                setattr(self, name, [values[k] for k in keep])

    # --- Times -----------------------------------------------------------------------------------------------------

    def travel_s(self, departure_s: int, here: int, there: int) -> int:
        """Return the seconds from a place to another when leaving at a time."""
        return arrive(self.fleet.road.clock, departure_s, self.fleet.travel.duration_s[here][there]) - departure_s

    def is_stale(self) -> bool:
        """Return whether what other carriers published since the last refresh changes anything here."""
        self._next = self._bounds_now()
        return self._next is not None or self._waits != self._waits_now()

    def refresh(self, *, reload: bool = True) -> bool:
        """Recompute loads, bounds, times and cost; return False where times, loads or driving limits do not hold.

        Without `reload` only what other carriers published is new: `is_stale` must have been asked.
        """
        self._moved = range(0)
        if reload and not self.place:
            self._clear()
            return True
        if reload:
            self._gather()
            self._next = self._bounds_now()
        if self._next is not None:
            self.lower, self.end_by = self._next
            self._next = None
        before = self.earliest, self.latest, self.start
        self._run(self._as_array(settled=False))
        self._moved = range(len(self.place))
        if not reload:
            now = zip(self.earliest, self.latest, self.start, strict=True)
            self._moved = [
                k for k, (was, is_) in enumerate(zip(zip(*before, strict=True), now, strict=True)) if was != is_
            ]
        return self.sound

    def _run(self, times: IntArray) -> None:
        """Make the times left open and what hangs on them."""
        holds, self.drive_s, money = _run(self.fleet.road, times)
        self.rest, self.earliest, self.latest, self.start = times[REST:].tolist()
        self.cost = money + self._lateness()
        self.sound = self._fits and holds
        self._note()

    def _note(self) -> None:
        self._board.note(self.row, self.times, self.aboard, (self.drive_s, sum(self.begins)))

    def _clear(self) -> None:
        self.rest, self.earliest, self.latest, self.start = [], [], [], []
        self.lower, self.start_by, self.end_by, self.service = [], [], [], []
        self._opens, self._links, self._dues = [], [], []
        self._hasty, self._fetches, self._waits = False, False, _NO_WAITS
        self.times = np.empty((ROWS, 0), dtype=np.int64)
        self.aboard = np.empty((2 * len(self.fleet.type.compartments), 0))
        self.drive_s, self.cost, self.sound, self._fits, self._next = 0, 0.0, True, True, None
        self._note()

    def _as_array(self, *, settled: bool) -> IntArray:
        """Return the day for the compiled loops, times found left open; it is kept as `times`."""
        n = len(self.place)
        due = [FAR_S] * n
        for k, due_s, _ in self._dues:
            due[k] = min(due[k], due_s)
        given = (self.place, self.begins, self.lower, self.start_by, self.end_by, self.service, due)
        self.times = times = np.empty((ROWS, n), dtype=np.int64)
        times[: len(given)] = given
        times[CAP] = (
            [hand_over_by(self.instance, *stop) for stop in zip(self.place, self.unloads, self.service, strict=True)]
            if settled
            else FAR_S
        )
        self._waits = fetch_by, wanted = self._waits_now(settled=settled)
        times[FETCH_BY] = fetch_by or 2 * FAR_S
        times[WANTED] = wanted or -1
        return times

    def _waits_now(self, *, settled: bool = False) -> tuple[list[int], list[int]]:
        """Return by stop when goods fetched there must leave and which end would suit; empty where nothing asks."""
        if not (self._hasty or self._fetches or settled):
            return _NO_WAITS
        fetch_by, wanted = [], []
        if self._fetches:
            fetch_by = [fetch_by_s(self.instance, *stop) for stop in zip(self.place, self.loads, strict=True)]
        if self._hasty or settled:
            wanted = [-1] * len(self.place)
            for _, last in self.rounds():
                wanted[last] = wanted_end(self.instance, self.place[last], self.unloads[last], self.service[last])
        return fetch_by, wanted

    def _gather(self) -> None:
        """Note what the goods of all stops ask for, and what is aboard after each."""
        halts = [
            halt or make_halt(self.instance, self.fleet, self.place[k], self.loads[k], self.unloads[k])
            for k, halt in enumerate(self._halts)
        ]
        self._halts = [*halts]
        lower, start_by, service, links, dues, change, products, hasty, fetches = zip(*halts, strict=True)
        self._opens, self.start_by, self.service = list(lower), list(start_by), list(service)
        self._links = [(k, *link) for k, found in enumerate(links) if found for link in found]
        self._dues = [(k, *due) for k, found in enumerate(dues) if found for due in found]
        self._hasty, self._fetches = any(hasty), any(fetches)
        self.aboard = np.array(change, dtype=np.float64).T.copy()
        self._fits = _pile(self.aboard, self.fleet.room)
        barred = self.instance.incompatible
        if barred and self._fits:
            self._fits = mix_well(frozenset().union(*products), self.loads, self.unloads, barred)

    def _bounds_now(self) -> tuple[list[int], list[int]] | None:
        """Return bounds of service by what other carriers published, lower and end by; None where none moved."""
        lower, end_by = self._opens.copy(), [FAR_S] * len(self._opens)
        for k, comes, task, handling in self._links:  # run through very often: comparisons cost less than max and min
            if comes:
                if (opens := task.ready_s + handling) > lower[k]:
                    lower[k] = opens
            elif (closes := task.latest_load_s - handling) < end_by[k]:
                end_by[k] = closes
        return None if lower == self.lower and end_by == self.end_by else (lower, end_by)

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
        if not _squeeze(self.fleet.road, times):
            times[START] = self.start
        starts: list[int] = times[START].tolist()
        moved = starts != self.start
        self.start, self._moved = starts, range(len(starts))
        return moved

    def follow(self) -> bool:
        """Make all times anew, goods that others bring by road being there when those are scheduled to bring them.

        Return whether any start moved. The drones and buses that goods are handed to go when they are scheduled to.
        """
        lower, before = self._opens.copy(), self.start
        for k, comes, task, handling in self._links:
            if comes:
                there_s = max(task.ready_s, task.unload_end_s) if isinstance(task.owner, Day) else task.ready_s
                lower[k] = max(lower[k], there_s + handling)
        self.lower = lower
        times = self._as_array(settled=False)
        for k, unloads in enumerate(self.unloads):
            fixed = tuple(task for task in unloads if task.following and not isinstance(task.following.owner, Day))
            times[CAP, k] = hand_over_by(self.instance, self.place[k], fixed, self.service[k])
        self._run(times)
        self._moved = range(len(self.start))
        return self.start != before

    def publish(self, changed: list[Task | None] | None = None) -> None:
        """Write times that moved to the tasks; collect those of other carriers whose bounds may have into `changed`."""
        earliest, latest, starts, services = self.earliest, self.latest, self.start, self.service
        for k in self._moved:
            start, end, latest_s, ready = starts[k], starts[k] + services[k], latest[k], earliest[k] + services[k]
            for task in self.loads[k]:
                task.load_start_s, task.load_end_s = start, end
                if task.latest_load_s != latest_s:
                    task.latest_load_s = latest_s
                    if changed is not None and task.previous is not None:
                        changed.append(task.previous)
            for task in self.unloads[k]:
                task.unload_start_s, task.unload_end_s = start, end
                if task.ready_s != ready:
                    task.ready_s = ready
                    if changed is not None and task.following is not None:
                        changed.append(task.following)

    def _lateness(self) -> float:
        return sum(rate * max(0, self.start[k] - due_s) for k, due_s, rate in self._dues)


_CHANGED = ("place", "begins", "loads", "unloads", "_halts")
"""Lists that change in place; all else is replaced."""
_KEPT = (
    *_CHANGED,
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
    "_opens",
    "_links",
    "_dues",
    "_hasty",
    "_fetches",
    "_fits",
    "_waits",
)
_READ = attrgetter(*_KEPT)
