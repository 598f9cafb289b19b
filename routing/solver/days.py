"""A vehicle's or courier's day: its rounds as one list of stops, with earliest and latest times.

The rounds of the day follow each other in one list; a round begins and ends at the base. `earliest` and `latest` are
starts of service such that everything before (after) still holds, releases and deadlines of goods handed over by (to)
other carriers included. A day is feasible when earliest ≤ latest everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from routing.model.carrier import MIN_REST_S
from routing.solver.instance import FAR_S, Fleet, Instance, whole_seconds
from routing.solver.tasks import Task

Tasks = tuple[Task, ...]


class Day:
    """The stops of one vehicle over the day. Lists are parallel, one entry a stop."""

    __slots__ = (
        "begins",
        "cost",
        "drive_s",
        "earliest",
        "end_by",
        "fleet",
        "instance",
        "latest",
        "litres",
        "loads",
        "lower",
        "mass",
        "place",
        "rest",
        "service",
        "sound",
        "start",
        "start_by",
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
        self.mass: list[list[float]] = [[] for _ in fleet.type.compartments]
        """Per compartment, kilograms on departure from each stop."""
        self.litres: list[list[float]] = [[] for _ in fleet.type.compartments]
        self.drive_s = 0
        self.cost = 0.0
        self.sound = True
        """Whether times, loads and driving limits held when last refreshed."""

    # --- Snapshots -------------------------------------------------------------------------------------------------

    def snapshot(self) -> Any:
        """Return copies of all lists and figures."""
        lists = tuple(list(getattr(self, name)) for name in _LISTS)
        return (
            lists,
            [list(row) for row in self.mass],
            [list(row) for row in self.litres],
            self.drive_s,
            self.cost,
            self.sound,
        )

    def restore(self, saved: Any) -> None:
        """Return to a snapshot and publish its times again."""
        lists, self.mass, self.litres, self.drive_s, self.cost, self.sound = saved
        for name, values in zip(_LISTS, lists, strict=True):
            setattr(self, name, values)
        for task in self.tasks():
            task.owner = self
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
        dry_s = self.fleet.travel.duration_s[here][there]
        clock = self.fleet.clock
        return dry_s if clock is None else clock.arrival_s(departure_s, dry_s) - departure_s

    def _leave_by(self, arrival_s: int, here: int, there: int) -> int:
        """Return the last second at which to leave a place to be at another by a time."""
        dry_s = self.fleet.travel.duration_s[here][there]
        clock = self.fleet.clock
        return arrival_s - dry_s if clock is None else clock.departure_s(arrival_s, dry_s)

    def refresh(self, *, reload: bool = True) -> bool:
        """Recompute loads, bounds, times and cost; return False where times, loads or driving limits do not hold."""
        self._bound()
        ok = self._weigh() if reload else True
        ok = self._run_forward() and ok
        ok = self._run_backward() and ok
        self.squeeze(settled=False)
        self.sound = self._price() and ok
        return self.sound

    def _bound(self) -> None:
        instance, base = self.instance, self.fleet.base
        self.lower, self.start_by, self.end_by, self.service = [], [], [], []
        for k, place in enumerate(self.place):
            at_base = place == base
            lower, start_by, end_by = (0, FAR_S, FAR_S)
            seconds = 0.0
            if not at_base:
                lower, start_by = instance.opens_s[place], instance.closes_s[place]
                seconds = self.fleet.type.stop_s
            handling = instance.handling_s[place]
            for task in self.loads[k]:
                before = task.previous
                lower = max(lower, task.job.release_s if before is None else before.ready_s + handling)
                seconds += task.load_service_s
            for task in self.unloads[k]:
                after = task.following
                if after is None:
                    lower, start_by = max(lower, task.window[0]), min(start_by, task.window[1])
                else:
                    end_by = min(end_by, after.latest_load_s - handling)
                seconds += task.unload_service_s
            self.lower.append(lower)
            self.start_by.append(start_by)
            self.end_by.append(end_by)
            self.service.append(whole_seconds(seconds))

    def _weigh(self) -> bool:
        parts = self.fleet.type.compartments
        incompatible = self.instance.incompatible
        kg, litres = [0.0] * len(parts), [0.0] * len(parts)
        self.mass, self.litres = [[] for _ in parts], [[] for _ in parts]
        aboard: list[dict[str, int]] = [{} for _ in parts]
        fits = True
        for loads, unloads in zip(self.loads, self.unloads, strict=True):
            for task in unloads:
                kg[task.compartment] -= task.kg
                litres[task.compartment] -= task.litres
                aboard[task.compartment][task.job.product.id] -= 1
            for task in loads:
                c, name = task.compartment, task.job.product.id
                kg[c] += task.kg
                litres[c] += task.litres
                fits = fits and not any(aboard[c].get(other, 0) for other in incompatible.get(name, ()))
                aboard[c][name] = aboard[c].get(name, 0) + 1
            for c, part in enumerate(parts):
                self.mass[c].append(kg[c])
                self.litres[c].append(litres[c])
                fits = fits and kg[c] <= part.kg + 1e-6 and litres[c] <= part.litres + 1e-6
        return fits

    def _run_forward(self) -> bool:
        """Earliest starts; a rest is placed before the movement that would exceed what may be driven without one."""
        travel_s, n = self.travel_s, len(self.place)
        self.earliest, self.rest = [], [0] * n
        unbroken_s = self.fleet.max_unbroken_s
        time_s, since_rest, self.drive_s = self.fleet.type.shift_start_s, 0, 0
        for k in range(n):
            start = max(time_s, self.lower[k])
            self.earliest.append(start)
            end = start + self.service[k]
            if k + 1 == n:
                break
            here, there = self.place[k], self.place[k + 1]
            travel = travel_s(end, here, there)
            if self.begins[k + 1]:
                leaves = max(end, self.lower[k + 1]) + self.service[k + 1]
                ahead = travel_s(leaves, there, self.place[k + 2])
                idle = self.lower[k + 1] - end >= MIN_REST_S
            else:
                ahead, idle = travel, False
            if idle or since_rest + ahead > unbroken_s:
                self.rest[k], since_rest = MIN_REST_S, 0
                travel = travel_s(end + MIN_REST_S, here, there)
            since_rest += travel
            self.drive_s += travel
            if since_rest > unbroken_s:
                self.earliest += [FAR_S * 10] * (n - k - 1)
                return False
            time_s = end + self.rest[k] + travel
        return self.drive_s <= self.fleet.type.max_drive_s

    def _run_backward(self) -> bool:
        n = len(self.place)
        self.latest = [0] * n
        after, feasible = self.fleet.type.shift_end_s, True
        for k in range(n - 1, -1, -1):
            service = self.service[k]
            bound = min(self.start_by[k], self.end_by[k] - service, after - service)
            self.latest[k] = bound
            feasible = feasible and self.earliest[k] <= bound
            if k:
                after = self._leave_by(bound, self.place[k - 1], self.place[k]) - self.rest[k - 1]
        return feasible

    def squeeze(self, *, settled: bool) -> bool:
        """Start every round as late as its end allows. Return whether any start moved.

        With `settled`, goods handed over bound the stop by the actual loading of their next ride, else by its latest.
        A round that brings cold goods to a transfer, or goods that may not wait there for long, may end later, so that
        they wait there no longer than needed.
        """
        if not self.place:
            self.start = []
            return False
        n = len(self.place)
        starts = list(self.earliest)
        after = self.fleet.type.shift_end_s
        for k in range(n - 1, -1, -1):
            service = self.service[k]
            bound = min(self._cap(k, settled=settled), after - service)
            if k + 1 == n or self.begins[k + 1]:
                bound = min(bound, self._wanted_end(k))
            starts[k] = max(self.earliest[k], bound)
            if k:
                after = self._leave_by(starts[k], self.place[k - 1], self.place[k]) - self.rest[k - 1]
        if self.fleet.clock is not None and not self._rests_suffice(starts):
            starts = self.start if settled else list(self.earliest)
        moved = starts != self.start
        self.start = starts
        return moved

    def _rests_suffice(self, starts: Sequence[int]) -> bool:
        """Return whether rests and the day's travel still hold when service starts then: hours differ in speed."""
        since_rest = driven = 0
        for k in range(len(self.place) - 1):
            leaves = starts[k] + self.service[k] + self.rest[k]
            travel = self.travel_s(leaves, self.place[k], self.place[k + 1])
            since_rest = travel + (0 if self.rest[k] else since_rest)
            driven += travel
            if since_rest > self.fleet.max_unbroken_s:
                return False
        return driven <= self.fleet.type.max_drive_s

    def _cap(self, k: int, *, settled: bool) -> int:
        """Return the latest start at stop k that harms nobody: windows, transfers, due times."""
        bound = min(self.latest[k], self.start_by[k])
        place = self.place[k]
        handling = self.instance.handling_s[place]
        if self.instance.hastens[place]:
            bound = min(bound, self._fetch_by(k))
        for task in self.unloads[k]:
            after = task.following
            if after is not None and settled:
                bound = min(bound, after.load_start_s - handling - self.service[k])
            elif after is None and task.job.due_s is not None:
                bound = min(bound, max(task.job.due_s, self.earliest[k]))
        return bound

    def _fetch_by(self, k: int) -> int:
        """Return when service at stop k starts at the latest so that no goods fetched there have waited too long."""
        limit_s = self.instance.places[self.place[k]].max_wait_s
        ready = [task.previous.unload_end_s for task in self.loads[k] if task.previous is not None]
        if limit_s is None or not ready:
            return FAR_S
        return min(ready) + limit_s - self.service[k] - self.rest[k]

    def _wanted_end(self, k: int) -> int:
        """Return when service at a round's last stop should start: at the earliest, or just in time for hasty goods."""
        wanted = FAR_S
        for task in self.unloads[k]:
            after = task.following
            if after is None or not (task.job.product.cold or self.instance.hastens[self.place[k]]):
                return self.earliest[k]
            wanted = min(wanted, after.load_start_s - self.instance.handling_s[self.place[k]] - self.service[k])
        return max(self.earliest[k], wanted) if wanted < FAR_S else self.earliest[k]

    def publish(self, changed: list[Task | None] | None = None) -> None:
        """Write times to the tasks; collect tasks of other carriers whose bounds may have moved into `changed`."""
        for k in range(len(self.place)):
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

    def _price(self) -> bool:
        """Sum distance, energy, time, fixed cost and lateness; return whether every round's range suffices."""
        if not self.place:
            self.cost = 0.0
            return True
        kind, travel = self.fleet.type, self.fleet.travel
        cost, in_range = kind.fixed_cost, True
        for first, last in self.rounds():
            metres, energy, peak = 0, 0.0, 0.0
            for k in range(first, last):
                here, there = self.place[k], self.place[k + 1]
                metres += travel.distance_m[here][there]
                energy += travel.energy_wh[here][there]
                peak = max(peak, energy)
            in_range = in_range and (kind.range_wh is None or peak <= kind.range_wh)
            seconds = self.start[last] + self.service[last] - self.start[first]
            cost += metres * kind.cost_per_km / 1000.0 + max(0.0, energy) * self.fleet.energy_price / 1000.0
            cost += seconds * self.fleet.cost_per_s
        self.cost = cost + self._lateness()
        return in_range

    def _lateness(self) -> float:
        cost = 0.0
        for k, tasks in enumerate(self.unloads):
            for task in tasks:
                due_s = task.job.due_s
                if due_s is not None and task.following is None:
                    cost += task.job.late_per_s * max(0, self.start[k] - due_s)
        return cost


_LISTS = (
    "place",
    "begins",
    "loads",
    "unloads",
    "lower",
    "start_by",
    "end_by",
    "service",
    "rest",
    "earliest",
    "latest",
    "start",
)
