"""Between a plan in the making made of objects and one in arrays."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from routing.solver.arrays.facts import Options, make_facts, option_arrays
from routing.solver.arrays.layout import (
    L_FROM,
    L_STORE,
    L_TO,
    M_SHIFT,
    Q_LEGS,
    Q_OPTION,
    T_BOXED,
    T_CARRIER,
    T_LATEST,
    T_LEG,
    T_LOAD,
    T_LOAD_END,
    T_LOAD_START,
    T_PART,
    T_READY,
    T_UNLOAD,
    T_UNLOAD_END,
    T_UNLOAD_START,
    T_WAITS,
    Best,
    Facts,
    Sheet,
    resized,
)
from routing.solver.arrays.sites import KNOWN_COLUMNS, SITE_COLUMNS
from routing.solver.arrays.warmth import SIGNS
from routing.solver.boards import STOPS
from routing.solver.buses import BusLoad
from routing.solver.day_loops import BEGINS, PLACE, ROWS, IntArray
from routing.solver.days import Day
from routing.solver.instance import BusRide, Job
from routing.solver.itineraries import MOST_RIDES
from routing.solver.sorties import DroneDay, Flight, Sortie
from routing.solver.state import State
from routing.solver.tasks import Chain, Ride, Task

_ROOM = 2
"""How many times the cells needed at first there are, for stops of a day, tasks and sorties of a carrier."""
_LEAST_LINE = 256
_JOURNAL = 8
"""How many times the size of the whole plan the journal has."""
_KNOWN_SITES = 160


class Book:
    """The facts of an instance and its itineraries, and the legs of tasks that ride by none of these."""

    def __init__(self, state: State, chains: Mapping[int, Sequence[Chain]]) -> None:
        self._instance, self._errands = state.instance, state.errands
        self._chains = {job.index: chains[job.index] for job in state.instance.jobs}
        self.options = Options(state.instance, self._chains, state.errands)
        self.facts = make_facts(state.instance, self.options)
        self.number = {chain: k for k, chain in enumerate(self.options.chains)}
        """Of each chain."""
        self._others: dict[tuple[int, tuple[Ride, ...], tuple[int, int]], int] = {}
        self._rides_from: dict[int, tuple[Ride, ...]] = {}
        """Rides of a job by its first leg, where that is of none of the options."""

    def give(self, chains: Mapping[int, Sequence[Chain]]) -> None:
        """Give jobs these chains; those they have already keep their numbers."""
        news = [job for job in self._instance.jobs if chains[job.index] is not self._chains[job.index]]
        for job in news:
            self._chains[job.index] = chains[job.index]
            first = len(self.options.chains)
            self.options.give(job, chains[job.index])
            self.number.update((chain, first + k) for k, chain in enumerate(chains[job.index]))
        if news:
            self.facts = self.facts._replace(**option_arrays(self._instance, self.options))

    def leg_of(self, job: Job, tasks: Sequence[Task]) -> tuple[int, int]:
        """Return the first leg of a job's tasks and their option, -1 where there is none."""
        rides, window = tuple(task.ride for task in tasks), tasks[-1].window
        number = next((k for k, chain in enumerate(self._chains[job.index]) if chain.rides == rides), None)
        if number is not None and window in job.windows:
            option = self.options.first_option[self.options.chains_of[job.index][0] + number]
            option += job.windows.index(window)
            first, count = self.options.options[option]
            if count:
                return first, option
        key = (job.index, rides, window)
        if key not in self._others:
            legs = [self.options.legs.add(errand) for errand in self._errands.as_ridden(job, rides, window)]
            self._others[key] = legs[0]
            self._rides_from[legs[0]] = rides
        return self._others[key], -1

    def rides(self, first_leg: int, option: int) -> tuple[Ride, ...]:
        """Return the rides of a job by an option, or from a first leg on where there is none (-1)."""
        if option < 0:
            return self._rides_from[first_leg]
        return self.options.chains[int(np.searchsorted(self.facts.chains, option, side="right")) - 1].rides

    def up_to_date(self) -> Facts:
        """Return the facts, with all legs added meanwhile."""
        if len(self.facts.legs) < len(self.options.legs.legs):
            self.facts = self.facts._replace(**option_arrays(self._instance, self.options))
        return self.facts


# --- Into arrays -----------------------------------------------------------------------------------------------------


Room = tuple[int, int, int]
"""For how many stops of a day, tasks of a carrier and sorties of a drone there are cells."""


def room_of(sheet: Sheet) -> Room:
    """Return the cells there are."""
    return sheet.times.shape[2], sheet.lists.shape[1], sheet.sorties.shape[1]


def sheet_of(state: State, book: Book, near: IntArray, seeds: IntArray, room: Room) -> tuple[Facts, Sheet]:
    """Return the facts and a plan in arrays with cells for at least `room`, times not made yet."""
    found = {index: book.leg_of(state.instance.jobs[index], tasks) for index, tasks in state.served.items()}
    facts = book.up_to_date()
    sheet = _empty_sheet(state, facts, near, seeds, room)
    rides = len(sheet.tasks) // max(1, len(sheet.ridden))
    number = {id(task): index * rides + k for index, tasks in state.served.items() for k, task in enumerate(tasks)}
    for index, tasks in state.served.items():
        first, option = found[index]
        sheet.ridden[index] = (len(tasks), option)
        for k, task in enumerate(tasks):
            _write_task(sheet, index * rides + k, task, first + k)
    carriers = state.owners()
    for carrier, owner in enumerate(carriers):
        if isinstance(owner, Day):
            _write_day(sheet, carrier, owner, number)
        elif isinstance(owner, DroneDay):
            _write_drone(sheet, carrier, owner, number)
        else:
            _write_bus(state, book, sheet, carrier, owner, number)
    for (place, kind), kg in state.elsewhere_kg.items():
        if kind in book.options.legs.stores:
            sheet.elsewhere_kg[place, book.options.legs.stores[kind]] = kg
    return facts, sheet


def _empty_sheet(state: State, facts: Facts, near: IntArray, seeds: IntArray, room: Room) -> Sheet:
    jobs, products = len(state.instance.jobs), len(facts.products)
    days = [day for fleet in state.days for day in fleet]
    drones = [drone for group in state.drones for drone in group]
    trips, calls = facts.slots.shape
    carriers = len(days) + len(drones) + trips
    stops = max(room[0], _ROOM * max((len(day.place) for day in days), default=0))
    longest = max((sum(1 for _ in owner.tasks()) for owner in state.owners()), default=0)
    listed = max(room[1], _ROOM * longest)
    sorties = max(room[2], _ROOM * max((len(drone.sorties) for drone in drones), default=0))
    most_legs = 1 if state.instance.only_direct else MOST_RIDES  # of any list of itineraries: lists may get longer
    shift = (max([most_legs, *map(len, state.served.values())]) - 1).bit_length()
    rides = 1 << shift
    ints, floats = _journal_size(facts, (len(days), len(drones), trips, jobs), (stops, listed, sorties, calls), rides)
    width = max(_LEAST_LINE, 2 * listed + rides)
    marks = np.zeros((4, 10), dtype=np.int64)
    marks[0, M_SHIFT] = shift
    return Sheet(
        times=np.zeros((len(days), ROWS, stops), dtype=np.int64),
        aboard=np.zeros((len(days), facts.room.shape[1], stops)),
        figures=np.zeros((len(days), 3), dtype=np.int64),
        fleet_of=np.array([k for k, fleet in enumerate(state.days) for _ in fleet], dtype=np.int64),
        fleet_rows=_rows([len(fleet) for fleet in state.days]),
        sound=np.ones(len(days), dtype=np.bool_),
        group_of=np.array([k for k, group in enumerate(state.drones) for _ in group], dtype=np.int64),
        group_rows=_rows([len(group) for group in state.drones]),
        sorties=np.zeros((len(drones), sorties, 5), dtype=np.int64),
        energies=np.zeros((len(drones), sorties, 2)),
        flown=np.zeros(len(drones), dtype=np.int64),
        filled=np.zeros((trips, 2, calls)),
        used=np.zeros((trips, calls), dtype=np.int64),
        taken=np.zeros((trips, 2, calls)),
        taken_calls=np.zeros((trips, calls), dtype=np.bool_),
        taken_products=np.zeros((trips, products), dtype=np.bool_),
        cost=np.zeros(carriers),
        loaded=np.zeros(carriers, dtype=np.int64),
        lists=np.zeros((carriers, listed), dtype=np.int64),
        tasks=_empty_tasks(jobs * rides),
        ridden=np.tile(np.array([0, -1], dtype=np.int64), (jobs, 1)),
        spoiled=np.zeros(jobs),
        waiting=np.full(len(facts.places), -1, dtype=np.int64),
        waiting_kg=np.zeros(len(facts.places)),
        elsewhere_kg=np.zeros((len(facts.places), max(1, int(facts.legs[:, L_STORE].max(initial=0)) + 1))),
        allowed=np.ones(len(facts.chains), dtype=np.bool_),
        won=np.zeros(len(facts.chains), dtype=np.bool_),
        least=np.full(jobs, np.inf),
        near=near,
        seeds=seeds,
        warmth_of=np.zeros((jobs, 1 + rides * SIGNS), dtype=np.int64),
        warmth=np.zeros((jobs, 2)),
        stamps=np.zeros(carriers + jobs, dtype=np.int64),
        changed=np.ones(carriers + jobs, dtype=np.bool_),
        ints=np.zeros(ints, dtype=np.int64),
        floats=np.zeros(floats),
        marks=marks,
        money=np.zeros(5),
        touched=np.zeros(16 * (carriers + 1), dtype=np.int64),
        queue=np.zeros((2, carriers + 1), dtype=np.int64),
        queued=np.zeros(carriers, dtype=np.bool_),
        known=np.zeros((_KNOWN_SITES, KNOWN_COLUMNS), dtype=np.int64),
        known_delta=np.zeros((_KNOWN_SITES, 2)),
        sites=np.zeros((3 * rides, SITE_COLUMNS), dtype=np.int64),
        stops=np.zeros((ROWS + 1, stops), dtype=np.int64),
        stop_sizes=np.zeros((2, stops)),
        lines=np.zeros((6, width), dtype=np.int64),
        line_sizes=np.zeros((1, width)),
        random=np.zeros(1, dtype=np.uint64),
    )


def _rows(sizes: Sequence[int]) -> IntArray:
    """Return the first and one more than the last of each of several groups numbered through."""
    ends = np.cumsum(np.array(sizes, dtype=np.int64))
    return np.stack([ends - np.array(sizes, dtype=np.int64), ends], axis=1).reshape(-1, 2)


def _empty_tasks(count: int) -> IntArray:
    tasks = np.zeros((count, T_WAITS + 3), dtype=np.int64)
    tasks[:, T_CARRIER] = tasks[:, T_WAITS] = -1
    return tasks


def _journal_size(
    facts: Facts, counts: tuple[int, int, int, int], room: tuple[int, int, int, int], rides: int
) -> tuple[int, int]:
    """Return how many whole and other numbers the journal has."""
    (days, drones, trips, jobs), (stops, listed, sorties, calls) = counts, room
    ints = (days + drones + trips) * (T_WAITS * listed + 8) + days * (ROWS * stops + 4)
    ints += drones * 5 * sorties + trips * calls + jobs * (rides + 6)
    floats = (
        (days + drones + trips + jobs) + days * facts.room.shape[1] * stops + drones * 2 * sorties + trips * 2 * calls
    )
    return _JOURNAL * ints + 4_096, _JOURNAL * floats + 1_024


def _write_task(sheet: Sheet, number: int, task: Task, leg: int) -> None:
    row = sheet.tasks[number]
    row[T_LEG], row[T_PART], row[T_BOXED] = leg, task.compartment, task.boxed
    row[T_READY], row[T_LATEST] = task.ready_s, task.latest_load_s
    row[T_LOAD_START], row[T_LOAD_END] = task.load_start_s, task.load_end_s
    row[T_UNLOAD_START], row[T_UNLOAD_END] = task.unload_start_s, task.unload_end_s


def _write_list(sheet: Sheet, carrier: int, numbers: Sequence[int]) -> None:
    sheet.loaded[carrier] = len(numbers)
    sheet.lists[carrier, : len(numbers)] = numbers
    sheet.tasks[list(numbers), T_CARRIER] = carrier


def _write_day(sheet: Sheet, carrier: int, day: Day, number: Mapping[int, int]) -> None:
    n = len(day.place)
    sheet.figures[carrier, STOPS] = n
    sheet.times[carrier, PLACE, :n], sheet.times[carrier, BEGINS, :n] = day.place, day.begins
    for k in range(n):
        for task in day.loads[k]:
            sheet.tasks[number[id(task)], T_LOAD] = k
        for task in day.unloads[k]:
            sheet.tasks[number[id(task)], T_UNLOAD] = k
    _write_list(sheet, carrier, [number[id(task)] for task in day.tasks()])


def _write_drone(sheet: Sheet, carrier: int, drone: DroneDay, number: Mapping[int, int]) -> None:
    at = carrier - len(sheet.figures)
    sheet.flown[at] = len(drone.sorties)
    for k, sortie in enumerate(drone.sorties):
        flight = sortie.flight
        sheet.sorties[at, k] = (sortie.place, flight.start_s, flight.arrival_s, flight.leave_s, flight.end_s)
        sheet.energies[at, k] = (flight.out_wh, flight.back_wh)
        for goes_down, tasks in ((1, sortie.down), (0, sortie.up)):
            for task in tasks:
                row = sheet.tasks[number[id(task)]]
                row[T_LOAD], row[T_UNLOAD] = k, goes_down
    _write_list(sheet, carrier, [number[id(task)] for task in drone.tasks()])


def _write_bus(state: State, book: Book, sheet: Sheet, carrier: int, load: BusLoad, number: Mapping[int, int]) -> None:
    at, calls = load.number, load.trip.calls
    n = len(calls)
    sheet.taken[at, :, :n] = load.taken.kg, load.taken.litres
    sheet.filled[at, :, :n] = load.filled
    for k, call in enumerate(calls):
        sheet.taken_calls[at, k] = load.taken.calls.get(call.sequence) == k
    for k, name in enumerate(state.instance.problem.products.classes):
        sheet.taken_products[at, k] = name in load.taken.products
    for task, ride in load.entries:
        sheet.used[at, ride.board_call] += 1
        sheet.used[at, ride.alight_call] += 1
        row = book.options.legs.ride_rows[ride.trip, ride.board_call, ride.alight_call]
        sheet.tasks[number[id(task)], T_LOAD] = row
    sheet.cost[carrier] = load.cost
    _write_list(sheet, carrier, [number[id(task)] for task in load.tasks()])


# --- Out of arrays ---------------------------------------------------------------------------------------------------


def best_of(sheet: Sheet) -> Best:
    """Return room for the best plan of a sheet."""
    return Best(
        times=np.zeros((len(sheet.times), BEGINS + 1, sheet.times.shape[2]), dtype=np.int64),
        stops=np.zeros(len(sheet.figures), dtype=np.int64),
        sorties=np.zeros_like(sheet.sorties),
        energies=np.zeros_like(sheet.energies),
        flown=np.zeros_like(sheet.flown),
        loaded=np.zeros_like(sheet.loaded),
        lists=np.zeros_like(sheet.lists),
        tasks=np.zeros((len(sheet.tasks), T_BOXED + 1), dtype=np.int64),
        ridden=np.zeros_like(sheet.ridden),
    )


def with_room(best: Best, room: Room) -> Best:
    """Return a best plan with so many cells."""
    stops, listed, sorties = room
    drones = len(best.sorties)
    return best._replace(
        times=resized(best.times, (len(best.times), BEGINS + 1, stops)),
        lists=resized(best.lists, (len(best.lists), listed)),
        sorties=resized(best.sorties, (drones, sorties, 5)),
        energies=resized(best.energies, (drones, sorties, 2)),
    )


def grown(sheet: Sheet) -> Sheet:
    """Return a sheet with twice as many cells for stops, tasks of a carrier, and sorties."""
    days, _, stops = sheet.times.shape
    carriers, listed = sheet.lists.shape
    drones, sorties, _ = sheet.sorties.shape
    width = max(_LEAST_LINE, sheet.lines.shape[1] + 2 * listed)
    return sheet._replace(
        times=resized(sheet.times, (days, ROWS, 2 * stops)),
        aboard=resized(sheet.aboard, (days, sheet.aboard.shape[1], 2 * stops)),
        lists=resized(sheet.lists, (carriers, 2 * listed)),
        sorties=resized(sheet.sorties, (drones, 2 * sorties, 5)),
        energies=resized(sheet.energies, (drones, 2 * sorties, 2)),
        ints=np.zeros(2 * len(sheet.ints), dtype=np.int64),
        floats=np.zeros(2 * len(sheet.floats)),
        stops=np.zeros((ROWS + 1, 2 * stops), dtype=np.int64),
        stop_sizes=np.zeros((2, 2 * stops)),
        lines=np.zeros((6, width), dtype=np.int64),
        line_sizes=np.zeros((1, width)),
    )


def write_back(state: State, book: Book, facts: Facts, best: Best) -> None:
    """Fill a state with the plan of arrays, in place of what it holds."""
    tasks = _make_tasks(state, book, facts, best)
    state.clear()
    rides = len(best.tasks) // max(1, len(best.ridden))
    for index, found in tasks.items():
        state.adopt(state.instance.jobs[index], found)
    by_number = {index * rides + k: task for index, found in tasks.items() for k, task in enumerate(found)}
    days = sum(map(len, state.days))
    bus_rides = [ride for rides_between in state.instance.rides.values() for ride in rides_between]
    for carrier, owner in enumerate(state.owners()):
        numbers = best.lists[carrier, : best.loaded[carrier]].tolist()
        if isinstance(owner, Day):
            _read_day(owner, best, carrier, numbers, by_number)
        elif isinstance(owner, DroneDay):
            _read_drone(owner, best, carrier - days, numbers, by_number)
        else:
            _read_bus(owner, best, numbers, by_number, bus_rides)
    state.refresh_all()


def _make_tasks(state: State, book: Book, facts: Facts, best: Best) -> dict[int, tuple[Task, ...]]:
    rides = len(best.tasks) // max(1, len(best.ridden))
    found: dict[int, tuple[Task, ...]] = {}
    instance = state.instance
    for index in np.flatnonzero(best.ridden[:, Q_LEGS]).tolist():
        job, option = instance.jobs[index], int(best.ridden[index, Q_OPTION])
        first_leg = int(best.tasks[index * rides, T_LEG])
        legs = book.rides(first_leg, option)
        tasks = []
        for k, ride in enumerate(legs):
            leg, row = facts.legs[first_leg + k], best.tasks[index * rides + k]
            window = (int(leg[L_FROM]), int(leg[L_TO]))
            load_s, unload_s = instance.service_at(job, ride.origin), instance.service_at(job, ride.destination)
            task = Task(job, ride, load_s, unload_s, window)
            task.choose_compartment(int(row[T_PART]), bool(row[T_BOXED]))
            tasks.append(task)
        for before, after in itertools.pairwise(tasks):
            before.following, after.previous = after, before
        found[index] = tuple(tasks)
    return found


def _read_day(day: Day, best: Best, carrier: int, numbers: Sequence[int], by_number: Mapping[int, Task]) -> None:
    n = int(best.stops[carrier])
    loads: list[list[Task]] = [[] for _ in range(n)]
    unloads: list[list[Task]] = [[] for _ in range(n)]
    for number in numbers:
        loads[best.tasks[number, T_LOAD]].append(by_number[number])
        unloads[best.tasks[number, T_UNLOAD]].append(by_number[number])
    places, begins = best.times[carrier, PLACE, :n].tolist(), best.times[carrier, BEGINS, :n].tolist()
    day.fill(places, [bool(value) for value in begins], [tuple(t) for t in loads], [tuple(t) for t in unloads])


def _read_drone(drone: DroneDay, best: Best, at: int, numbers: Sequence[int], by_number: Mapping[int, Task]) -> None:
    sorties: list[Sortie] = []
    for k in range(int(best.flown[at])):
        there = [number for number in numbers if best.tasks[number, T_LOAD] == k]
        down = tuple(by_number[number] for number in there if best.tasks[number, T_UNLOAD])
        up = tuple(by_number[number] for number in there if not best.tasks[number, T_UNLOAD])
        place, *times = best.sorties[at, k].tolist()
        sorties.append(Sortie(place, Flight(*times, *best.energies[at, k].tolist()), down, up))
        for task in (*down, *up):
            task.owner = drone
    drone.sorties = sorties


def _read_bus(
    load: BusLoad, best: Best, numbers: Sequence[int], by_number: Mapping[int, Task], rides: Sequence[BusRide]
) -> None:
    for number in numbers:
        task = by_number[number]
        load.enter(task, rides[best.tasks[number, T_LOAD]])
        task.owner = load
