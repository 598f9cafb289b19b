"""The plan while it is being made: days, drone days, bus loads and the chain of tasks of every served job."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from routing.coldchain import Exposure
from routing.solver.boards import Board
from routing.solver.buses import BusLoad
from routing.solver.carriers import Carrier, Proposal, carrier_of
from routing.solver.cold import job_exposure, keeps_moving
from routing.solver.day_loops import FAR_S
from routing.solver.days import Day
from routing.solver.days_search import Spot, place_task
from routing.solver.errands import Errands
from routing.solver.instance import Instance, Job
from routing.solver.part import Part
from routing.solver.sorties import DroneDay, Perch
from routing.solver.tasks import Task

_MAX_PROPAGATIONS = 200
"""More passes than this mean that carriers wait for each other in a circle."""
Visit = tuple[int, tuple[Task, ...], tuple[Task, ...]]
"""A stop away from the base: place, tasks loaded, tasks unloaded."""


@dataclass(slots=True)
class Journal:
    """What was touched since a savepoint, as it was before."""

    owners: dict[Carrier, object] = field(default_factory=dict)
    costs: dict[Carrier, float] = field(default_factory=dict)
    jobs: dict[int, tuple[Task, ...] | None] = field(default_factory=dict)
    spoilage: dict[int, float | None] = field(default_factory=dict)
    """What spoilage cost by job; None where nothing was noted."""


@dataclass(frozen=True, slots=True)
class Image:
    """A copy of a whole plan."""

    served: dict[int, tuple[Task, ...]]
    spoilage: dict[int, float]
    owners: dict[Carrier, object]


class State:
    """A plan in the making. All changes go through `place` and `remove`; savepoints undo them."""

    def __init__(self, instance: Instance, part: Part | None = None, errands: Errands | None = None) -> None:
        """Make an empty plan.

        Parameters
        ----------
        part
            The jobs and carriers it is restricted to, and what others take of buses and stores; None: all.
        errands
            Those of the instance where they are known from another plan.
        """
        self.instance = instance
        self.jobs = instance.jobs if part is None else [instance.jobs[index] for index in part.jobs]
        """The jobs whose cost counts."""
        self.boards = [Board(len(fleet.type.compartments)) for fleet in instance.fleets]
        """The days of every fleet as the compiled loops read them."""
        self.days = [
            [Day(instance, fleet, vehicle, board) for vehicle in fleet.ids if part is None or vehicle in part.carriers]
            for fleet, board in zip(instance.fleets, self.boards, strict=True)
        ]
        self.errands = errands or Errands(instance)
        self.drones = [
            [DroneDay(instance, group, drone) for drone in group.ids if part is None or drone in part.carriers]
            for group in instance.drone_groups
        ]
        self.buses = [BusLoad(instance, k, part.taken[k] if part else None) for k in range(len(instance.trips))]
        self.served: dict[int, tuple[Task, ...]] = {}
        self.spoilage: dict[int, float] = {}
        self._waiting: dict[int, dict[int, tuple[Task, Task]]] = {}
        """By place, the jobs that wait there between two rides."""
        self.elsewhere_kg = {} if part is None else part.stored_kg
        """By place and kind of store, what is left to other parts of a plan."""
        self._waiting_kg = [0.0] * len(instance.places)
        """By place, what all of them weigh in boxes."""
        self.orders_served = 0
        """Orders that ride."""
        self._watched: dict[int, None] = {}
        """Served jobs that can become too warm or wait too long."""
        self._hastens = any(instance.hastens)
        self._exposures: dict[int, tuple[Sequence[Task], tuple[int, ...], Exposure]] = {}
        """By job, the last exposure computed and the times it holds for."""
        self._journals: list[Journal] = []

    @contextmanager
    def one_more_vehicle(self, number: int) -> Iterator[None]:
        """Let a fleet have one more vehicle meanwhile, which must be idle in the end."""
        board = self.boards[number]
        self.days[number].append(Day(self.instance, self.instance.fleets[number], "one more", board))
        yield
        self.days[number].pop()
        board.drop()

    # --- Cost ------------------------------------------------------------------------------------------------------

    def owners(self) -> list[Carrier]:
        """Return all carriers."""
        found: list[Carrier] = [day for days in self.days for day in days]
        found += [drone for drones in self.drones for drone in drones]
        return found + self.buses

    def cost(self) -> float:
        """Return the money of the whole plan, unassigned orders included."""
        total = sum(owner.cost for owner in self.owners()) + sum(self.spoilage.values())
        return total + sum(self._price(job.index, self.served.get(job.index)) for job in self.jobs)

    def change(self) -> float:
        """Return by how much the plan's cost has grown since the last savepoint."""
        journal = self._journals[-1]
        grown = sum(owner.cost - cost for owner, cost in journal.costs.items())
        for index, before in journal.jobs.items():
            grown += self._price(index, self.served.get(index)) - self._price(index, before)
        for index, loss in journal.spoilage.items():
            grown += self.spoilage.get(index, 0.0) - (loss or 0.0)
        return grown

    def _price(self, index: int, tasks: tuple[Task, ...] | None) -> float:
        """Return what a job costs beside its carriers and spoilage."""
        job = self.instance.jobs[index]
        return job.unserved_cost if tasks is None else self.handling(job, len(tasks))

    def handling(self, job: Job, rides: int) -> float:
        """Return what handing a job over between so many rides costs."""
        return self.instance.problem.rates.handling_per_piece * job.pieces * (rides - 1)

    # --- Savepoints ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open a savepoint."""
        self._journals.append(Journal())

    def commit(self) -> None:
        """Keep what was done since the last savepoint, within the one before it."""
        done = self._journals.pop()
        if self._journals:
            outer = self._journals[-1]
            for owner, saved in done.owners.items():
                outer.owners.setdefault(owner, saved)
                outer.costs.setdefault(owner, done.costs[owner])
            for index, tasks in done.jobs.items():
                outer.jobs.setdefault(index, tasks)
            for index, loss in done.spoilage.items():
                outer.spoilage.setdefault(index, loss)

    def rollback(self) -> None:
        """Undo everything since the last savepoint."""
        undone = self._journals.pop()
        for index, tasks in undone.jobs.items():
            self._assign(index, tasks)
        for owner, saved in undone.owners.items():
            owner.restore(saved)
        for index, loss in undone.spoilage.items():
            self._note_spoilage(index, loss)

    def _note_spoilage(self, index: int, loss: float | None) -> None:
        """Note what spoilage of a job costs (None: nothing is known)."""
        if self._journals:
            self._journals[-1].spoilage.setdefault(index, self.spoilage.get(index))
        if loss is None:
            self.spoilage.pop(index, None)
        else:
            self.spoilage[index] = loss

    def _assign(self, index: int, tasks: tuple[Task, ...] | None) -> None:
        """Note what a job rides on (None: nothing) and where it waits."""
        before = self.served.pop(index, ())
        orders = len(self.instance.jobs[index].orders)
        self.orders_served += (orders if tasks is not None else 0) - (orders if before else 0)
        for task in before[:-1]:
            del self._waiting[task.destination][index]
            self._waiting_kg[task.destination] -= self.instance.jobs[index].boxed_kg
        self._note_spoilage(index, None)
        self._watched.pop(index, None)
        if tasks is not None:
            self.served[index] = tasks
            if self._hastens or self.instance.jobs[index].product.cold:
                self._watched[index] = None
            for arriving, leaving in itertools.pairwise(tasks):
                self._waiting.setdefault(arriving.destination, {})[index] = (arriving, leaving)
                self._waiting_kg[arriving.destination] += self.instance.jobs[index].boxed_kg

    def _touch(self, owner: Carrier) -> None:
        if self._journals and owner not in self._journals[-1].owners:
            self._journals[-1].owners[owner] = owner.snapshot()
            self._journals[-1].costs[owner] = owner.cost

    def _note(self, index: int) -> None:
        if self._journals and index not in self._journals[-1].jobs:
            self._journals[-1].jobs[index] = self.served.get(index)

    def image(self) -> Image:
        """Return a copy of the whole plan that `load` brings back."""
        return Image(dict(self.served), dict(self.spoilage), {owner: owner.snapshot() for owner in self.owners()})

    def load(self, image: Image) -> None:
        """Return to an image; it stays usable."""
        for index in list(self.served):
            self._assign(index, None)
        for index, tasks in image.served.items():
            self._assign(index, tasks)
        self.spoilage = dict(image.spoilage)
        for owner, saved in image.owners.items():
            owner.restore(saved)
            image.owners[owner] = owner.snapshot()

    def storable(self, job: Job, place: int, store: tuple[str, float], stay: tuple[int, int]) -> bool:
        """Return whether a job can wait between rides in a place's store (kind and kilograms) during `stay`."""
        kind, room = store
        if self._waiting_kg[place] + self.elsewhere_kg.get((place, kind), 0.0) + job.boxed_kg <= room:
            return True
        return self._stored_kg(place, kind, stay) + job.boxed_kg <= room + 1e-6

    def _stored_kg(self, place: int, kind: str, stay: tuple[int, int]) -> float:
        """Return a bound on the kilograms between rides in a place's store during `stay`."""
        total = self.elsewhere_kg.get((place, kind), 0.0)
        for arriving, leaving in self._waiting.get(place, {}).values():
            apart = leaving.load_end_s < stay[0] or arriving.unload_start_s > stay[1]
            if not apart and self.instance.store_of(arriving.job, place)[0] == kind:
                total += max(arriving.kg, leaving.kg)
        return total

    # --- Changing --------------------------------------------------------------------------------------------------

    def place(self, job: Job, proposal: Proposal) -> bool:
        """Put a job on its proposed sites. Return False, with nothing changed, where times or the cold do not hold."""
        self.begin()
        self._note(job.index)
        tasks = self._make_tasks(job, proposal)
        for task, site in zip(tasks, proposal.sites, strict=True):
            self._touch(carrier_of(site))
            if isinstance(site, Spot):
                place_task(task, site)
            elif isinstance(site, Perch):
                site.day.place_task(task, site)
            else:
                site.load.place_task(task, site)
        self._assign(job.index, tasks)
        if self._propagate([carrier_of(site) for site in proposal.sites]) and self._expose(job, tasks):
            self.commit()
            return True
        self.rollback()
        return False

    def extra_cost(self, job: Job, proposal: Proposal) -> float | None:
        """Put a job on its proposed sites and return what that really adds, waiting included; None where it fails."""
        owners = dict.fromkeys(carrier_of(site) for site in proposal.sites)
        before = sum(owner.cost for owner in owners)
        if not self.place(job, proposal):
            return None
        return sum(owner.cost for owner in owners) - before + self.handling(job, len(proposal.sites))

    def _make_tasks(self, job: Job, proposal: Proposal) -> tuple[Task, ...]:
        last = len(proposal.chain.rides) - 1
        tasks = tuple(
            Task(
                job,
                ride,
                self.instance.service_at(job, ride.origin),
                self.instance.service_at(job, ride.destination),
                proposal.window if k == last else (0, FAR_S),
            )
            for k, ride in enumerate(proposal.chain.rides)
        )
        for before, after in itertools.pairwise(tasks):
            before.following, after.previous = after, before
        return tasks

    def adopt(self, job: Job, tasks: tuple[Task, ...]) -> None:
        """Note the tasks of a job that its carriers are about to be given; new ones need `refresh_all` afterwards."""
        self._assign(job.index, tasks)

    def clear(self) -> None:
        """Take everything off all carriers; no savepoint may be open."""
        for index in list(self.served):
            self._assign(index, None)
        for owner in self.owners():
            owner.clear()

    def refresh_all(self) -> bool:
        """Bring all times up to date after the carriers were filled directly; return whether they hold."""
        sound = self._propagate(self.owners(), to_the_end=True)
        for index, tasks in self.served.items():
            self._expose(self.instance.jobs[index], tasks)
        return sound

    def replace_rounds(self, number: int, rounds: Sequence[Sequence[Sequence[Visit]]]) -> bool:
        """Give the vehicles of a fleet other rounds with the same goods; return whether times and the cold hold.

        `rounds` lists by vehicle and round the stops away from the base; goods are loaded or unloaded at the base.
        """
        changed: list[Carrier] = []
        for day, visits in zip(self.days[number], rounds, strict=True):
            if day.place or visits:
                self._touch(day)
                day.rebuild(visits)
                changed.append(day)
        return self._propagate(changed) and not self.warm_jobs()

    def remove(self, *jobs: Job) -> bool:
        """Take jobs off all their carriers; return whether all times still hold.

        They nearly always do: fewer stops are earlier ones, but a driver's rest may move to a worse moment.
        """
        owners: dict[Carrier, list[Task]] = {}
        for job in jobs:
            self._note(job.index)
            tasks = self.served[job.index]
            self._assign(job.index, None)
            for task in tasks:
                if isinstance(task.owner, Carrier):
                    owners.setdefault(task.owner, []).append(task)
        for owner, gone in owners.items():
            self._touch(owner)
            owner.remove(gone)
        return self._propagate(list(owners), to_the_end=True)

    def unsound_jobs(self) -> list[Job]:
        """Return the jobs on days whose times do not hold."""
        days = [day for fleet in self.days for day in fleet if not day.sound]
        return list(dict.fromkeys(task.job for day in days for task in day.tasks()))

    def _propagate(self, owners: Sequence[Carrier], *, to_the_end: bool = False) -> bool:
        """Refresh carriers and all those their times reach, until nothing changes; False where something breaks.

        With `to_the_end`, a break does not stop it, so that no carrier is left with stale times.
        """
        queue: dict[Carrier, bool] = dict.fromkeys(owners, True)
        seen: dict[Carrier, None] = {}
        passes, limit = 0, _MAX_PROPAGATIONS + 4 * len(queue)
        while queue:
            owner = next(iter(queue))
            reload = queue.pop(owner)
            passes += 1
            seen[owner] = None
            if passes > limit:
                return False
            if not reload and isinstance(owner, Day) and not owner.is_stale():
                if not (owner.sound or to_the_end):
                    return False
                continue
            self._touch(owner)
            if not (owner.refresh(reload=reload) or to_the_end):
                return False
            changed: list[Task | None] = []
            if isinstance(owner, Day):
                owner.publish(changed)
            elif reload:
                changed = [other for task in owner.tasks() for other in (task.previous, task.following)]
            for task in changed:
                if task is not None and isinstance(task.owner, Day):
                    queue.setdefault(task.owner, False)
        return all(owner.sound for owner in seen if isinstance(owner, Day))

    # --- Cold ------------------------------------------------------------------------------------------------------

    def _expose(self, job: Job, tasks: Sequence[Task]) -> bool:
        """Note what spoilage costs; return whether a job keeps the limits of cold and waiting by the schedule."""
        if self._hastens and len(tasks) > 1 and not keeps_moving(self.instance, tasks):
            return False
        if not job.product.cold:
            return True
        times = tuple(
            time_s
            for task in tasks
            for time_s in (task.load_start_s, task.load_end_s, task.unload_start_s, task.unload_end_s)
        )
        known = self._exposures.get(job.index)
        if known is None or known[0] is not tasks or known[1] != times:
            known = (tasks, times, job_exposure(self.instance, tasks))
            self._exposures[job.index] = known
        found = known[2]
        self._note_spoilage(job.index, found.loss * sum(order.value for order in job.orders))
        return found.within(job.product)

    def warm_jobs(self, *, touched: bool = False) -> list[Job]:
        """Return the jobs that break their limits of cold or waiting by the current schedule.

        With `touched`, only those on carriers touched since the last savepoint are looked at.
        """
        indices = self._watched
        if touched:
            aboard = {task.job.index: None for owner in self._journals[-1].owners for task in owner.tasks()}
            indices = {index: None for index in aboard if index in self._watched}
        watched = [(self.instance.jobs[index], self.served[index]) for index in indices]
        return [job for job, tasks in watched if not self._expose(job, tasks)]
