"""The plan while it is being made: days, drone days, bus loads and the chain of tasks of every served job."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from routing.coldchain import ColdLeg, Exposure, exposure
from routing.model.problem import Problem
from routing.solver.buses import BusLoad, Seat, best_seat
from routing.solver.day_loops import FAR_S
from routing.solver.days import Day
from routing.solver.days_search import Spot, best_new_round, best_spot, leg_of, own_round, place_task
from routing.solver.fleets import fits_compartment
from routing.solver.instance import Instance, Job
from routing.solver.sorties import DroneDay, Perch, best_perch
from routing.solver.tasks import Chain, Request, Ride, Task

_MAX_PROPAGATIONS = 200
"""More passes than this mean that carriers wait for each other in a circle."""
Carrier = Day | DroneDay | BusLoad
Site = Spot | Perch | Seat
Visit = tuple[int, tuple[Task, ...], tuple[Task, ...]]
"""A stop away from the base: place, tasks loaded, tasks unloaded."""
KnownSites = dict[tuple[Ride, int, tuple[int, int]], tuple[Site | None, float, int]]
"""Sites found for rides from a time on, with the limit and the deadline they were looked for under."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A chain with a spot for each of its rides and what it adds to the cost."""

    chain: Chain
    window: tuple[int, int]
    sites: tuple[Site, ...]
    delta: float


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

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.days = [[Day(instance, fleet, vehicle) for vehicle in fleet.ids] for fleet in instance.fleets]
        self.drones = [[DroneDay(instance, group, drone) for drone in group.ids] for group in instance.drone_groups]
        self.buses = [BusLoad(instance, k) for k in range(len(instance.trips))]
        self.served: dict[int, tuple[Task, ...]] = {}
        self.spoilage: dict[int, float] = {}
        self._waiting: dict[int, dict[int, tuple[Task, Task]]] = {}
        """By place, the jobs that wait there between two rides."""
        self.orders_served = 0
        """Orders that ride."""
        self._watched: dict[int, None] = {}
        """Served jobs that can become too warm or wait too long."""
        self._hastens = any(instance.hastens)
        self._exposures: dict[int, tuple[Sequence[Task], tuple[int, ...], Exposure]] = {}
        """By job, the last exposure computed and the times it holds for."""
        self._journals: list[Journal] = []

    # --- Cost ------------------------------------------------------------------------------------------------------

    def owners(self) -> list[Carrier]:
        """Return all carriers."""
        found: list[Carrier] = [day for days in self.days for day in days]
        found += [drone for drones in self.drones for drone in drones]
        return found + self.buses

    def cost(self) -> float:
        """Return the money of the whole plan, unassigned orders included."""
        total = sum(owner.cost for owner in self.owners()) + sum(self.spoilage.values())
        return total + sum(self._price(job.index, self.served.get(job.index)) for job in self.instance.jobs)

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
        return job.unserved_cost if tasks is None else self._handling(job, len(tasks))

    def _handling(self, job: Job, rides: int) -> float:
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
        self._note_spoilage(index, None)
        self._watched.pop(index, None)
        if tasks is not None:
            self.served[index] = tasks
            if self._hastens or self.instance.jobs[index].product.cold:
                self._watched[index] = None
            for arriving, leaving in itertools.pairwise(tasks):
                self._waiting.setdefault(arriving.destination, {})[index] = (arriving, leaving)

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

    # --- Searching -------------------------------------------------------------------------------------------------

    def propose(
        self,
        job: Job,
        chain: Chain,
        limit: float,
        window: tuple[int, int],
        known: KnownSites | None = None,
        *,
        fresh: bool = False,
    ) -> Proposal | None:
        """Return the chain with its rides placed one after the other at least cost, None where that fails.

        `known` remembers sites between calls for one job on an unchanged plan, as chains share rides. With `fresh`,
        rides by road begin rounds of their own.
        """
        known = {} if known is None else known
        deadlines = self._deadlines(job, chain, window)
        if deadlines is None:
            return None
        cost = self._handling(job, len(chain.rides))
        ready, last = job.release_s, len(chain.rides) - 1
        sites: list[Site] = []
        used: list[object] = []
        for k, ride in enumerate(chain.rides):
            request = Request(
                job=job,
                ride=ride,
                earliest_load_s=ready if k == 0 else ready + self.instance.handling_s[ride.origin],
                window=window if k == last else (0, FAR_S),
                latest_unload_end_s=deadlines[k],
                load_service_s=self.instance.service_at(job, ride.origin),
                unload_service_s=self.instance.service_at(job, ride.destination),
                avoid=tuple(used),
            )
            if cost >= limit:
                return None
            site = self._known_site(request, limit - cost, known, fresh=fresh)
            if site is None or not self._storable(job, request, sites, k):
                return None
            sites.append(site)
            used.append(_carrier(site))
            cost += site.delta
            ready = site.ready_s
        if job.due_s is not None:
            cost += job.late_per_s * max(0, sites[-1].unload_start_s - job.due_s)
        return Proposal(chain, window, tuple(sites), cost) if cost < limit else None

    def _deadlines(self, job: Job, chain: Chain, window: tuple[int, int]) -> list[int] | None:
        """Return by when each ride must have unloaded so that later rides can hold; None where some cannot."""
        deadlines = [FAR_S] * len(chain.rides)
        start_by = window[1]
        for k in range(len(chain.rides) - 1, 0, -1):
            ride = chain.rides[k]
            latest_load = self._latest_load(ride, start_by)
            if latest_load is None:
                return None
            deadlines[k - 1] = latest_load - self.instance.handling_s[ride.origin]
            start_by = deadlines[k - 1]
        return deadlines if deadlines[0] >= job.release_s else None

    def _latest_load(self, ride: Ride, start_by: int) -> int | None:
        """Return a bound on the latest loading for a ride whose unloading must start by `start_by`."""
        if ride.kind == "bus":
            fit = [
                bus.ready_by_s
                for bus in self.instance.rides[ride.origin, ride.destination]
                if bus.arrival_s <= start_by
            ]
            return max(fit) if fit else None
        if ride.kind == "drone":
            return min(start_by, self.instance.drone_groups[ride.group].service.shift_end_s)
        fleet = self.instance.fleets[ride.group]
        home = fleet.travel.duration_s[ride.destination][fleet.base]
        end = min(start_by, fleet.type.shift_end_s - home)
        return end - fleet.travel.duration_s[ride.origin][ride.destination]

    def _known_site(self, request: Request, limit: float, known: KnownSites, *, fresh: bool) -> Site | None:
        """Return the best site, looked up where the ride was placed before from the same time on."""
        key = (request.ride, request.earliest_load_s, request.window)
        if key in known:
            site, tried_limit, tried_end_s = known[key]
            if site is not None and site.ready_s <= request.latest_unload_end_s and _carrier(site) not in request.avoid:
                return site if site.delta < limit else None
            if site is None and tried_limit >= limit and tried_end_s >= request.latest_unload_end_s:
                return None
        site = self.best_site(request, limit, fresh=fresh)
        known[key] = (site, limit, request.latest_unload_end_s)
        return site

    def best_site(self, request: Request, limit: float, *, fresh: bool = False) -> Site | None:
        """Return the cheapest site for one ride below `limit`; `fresh` looks at new rounds only, on roads."""
        ride = request.ride
        if ride.kind == "bus":
            return best_seat(self.instance, self.buses, request, limit)
        best: Site | None = None
        if ride.kind == "drone":
            idle_seen = False
            for drone in self.drones[ride.group]:
                if drone in request.avoid or (idle_seen and not drone.sorties):
                    continue
                idle_seen = idle_seen or not drone.sorties
                best = best_perch(drone, request, best.delta if best else limit) or best
            return best
        fleet, idle_seen = self.instance.fleets[ride.group], False
        leg, own = leg_of(fleet, request), own_round(fleet, request)
        for day in self.days[ride.group]:
            if day in request.avoid or (idle_seen and not day.place):
                continue
            idle_seen = idle_seen or not day.place
            bound = best.delta if best else limit
            best = (best_spot(day, request, leg, bound) if day.place and not fresh else None) or best
            if own is not None and own.cost < (best.delta if best else limit):
                best = best_new_round(day, own, leg, best.delta if best else limit) or best
        return best

    def _storable(self, job: Job, request: Request, sites: Sequence[Site], k: int) -> bool:
        """Return whether the store at the ride's origin takes the goods when they wait there between rides."""
        if k == 0:
            return True
        kind, room = self.instance.store_of(job, request.ride.origin)
        stay = (sites[-1].unload_start_s, request.earliest_load_s)
        return self.stored_kg(request.ride.origin, kind, stay) + job.boxed_kg <= room + 1e-6

    def stored_kg(self, place: int, kind: str, stay: tuple[int, int]) -> float:
        """Return a bound on the kilograms between rides in a place's store during `stay`."""
        total = 0.0
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
            self._touch(_carrier(site))
            if isinstance(site, Spot):
                place_task(task, site)
            elif isinstance(site, Perch):
                site.day.place_task(task, site)
            else:
                site.load.place_task(task, site)
        self._assign(job.index, tasks)
        if self._propagate([_carrier(site) for site in proposal.sites]) and self._expose(job, tasks):
            self.commit()
            return True
        self.rollback()
        return False

    def extra_cost(self, job: Job, proposal: Proposal) -> float | None:
        """Put a job on its proposed sites and return what that really adds, waiting included; None where it fails."""
        owners = dict.fromkeys(_carrier(site) for site in proposal.sites)
        before = sum(owner.cost for owner in owners)
        if not self.place(job, proposal):
            return None
        return sum(owner.cost for owner in owners) - before + self._handling(job, len(proposal.sites))

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
        """Note the tasks of a job that its carriers are about to be given; `refresh_all` must follow."""
        self._assign(job.index, tasks)

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
        owners: dict[Carrier, None] = {}
        for job in jobs:
            self._note(job.index)
            tasks = self.served[job.index]
            self._assign(job.index, None)
            for task in tasks:
                owner = task.owner
                if isinstance(owner, Carrier):
                    self._touch(owner)
                    owner.remove(task)
                    owners[owner] = None
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
            self._touch(owner)
            seen[owner] = None
            if passes > limit or not (owner.refresh(reload=reload) or to_the_end):
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

    def _keeps_moving(self, tasks: Sequence[Task]) -> bool:
        """Return whether goods wait nowhere longer than the place allows by the current schedule."""
        for before, after in itertools.pairwise(tasks):
            limit_s = self.instance.places[after.origin].max_wait_s
            if limit_s is not None and after.load_end_s - before.unload_end_s > limit_s:
                return False
        return True

    def _expose(self, job: Job, tasks: Sequence[Task]) -> bool:
        """Note what spoilage costs; return whether a job keeps the limits of cold and waiting by the schedule."""
        if self._hastens and len(tasks) > 1 and not self._keeps_moving(tasks):
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
        watched = [(self.instance.jobs[index], self.served[index]) for index in self._watched]
        if touched:
            owners = self._journals[-1].owners
            watched = [(job, tasks) for job, tasks in watched if any(task.owner in owners for task in tasks)]
        return [job for job, tasks in watched if not self._expose(job, tasks)]


def _carrier(site: Site) -> Carrier:
    return site.load if isinstance(site, Seat) else site.day


def job_exposure(instance: Instance, tasks: Sequence[Task]) -> Exposure:
    """Return the exposure of a cold job by the times its carriers published."""
    problem: Problem = instance.problem
    legs = [_cold_leg(instance, task) for task in tasks]
    return exposure(problem, tasks[0].job.product, legs)


def _cold_leg(instance: Instance, task: Task) -> ColdLeg:
    set_point = None
    if isinstance(task.owner, Day):
        part = task.owner.fleet.type.compartments[task.compartment]
        set_point = part.set_point_c if fits_compartment(task.job.product, part.set_point_c) else None
    return ColdLeg(
        instance.places[task.origin].id,
        instance.places[task.destination].id,
        task.load_start_s,
        task.load_end_s,
        task.unload_start_s,
        task.unload_end_s,
        set_point,
        task.boxed,
        task.ride.kind == "drone",
    )
