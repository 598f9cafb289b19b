"""Rounds of one fleet rebuilt by OR-Tools' routing solver, all other carriers' times held fixed.

Stops keep their goods; the routing solver decides which round of which vehicle visits them and in what order, starting
from the rounds as they are. Loads by segment, releases at the base and windows are in its model; rests, ranges,
compartments and the handling of goods at the base are judged when the result is put back, and what does not hold is
undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.solver.day_loops import FAR_S
from routing.solver.days import Day
from routing.solver.fleets import Fleet
from routing.solver.state import State
from routing.solver.tasks import Task

MAX_STOPS = 90
"""Larger fleets are left to destroy and repair: the rebuild would take too long between two looks at the clock."""
_UNITS = 100
_SPARE_ROUNDS = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A stop to be visited with its goods: times of service start, service seconds, and what it brings and takes."""

    place: int
    loads: tuple[Task, ...]
    unloads: tuple[Task, ...]
    earliest_s: int
    latest_s: int
    service_s: int
    released_s: int
    """Goods for the stop are at the base then."""
    down: tuple[int, int]
    up: tuple[int, int]


def rebuild_rounds(state: State, number: int, time_s: float | None) -> bool:
    """Rebuild the rounds of fleet `number`; return whether that made the plan cheaper (else nothing changes)."""
    days = state.days[number]
    fleet = state.instance.fleets[number]
    calls = _calls(days)
    if calls is None or not 2 <= len(calls) <= MAX_STOPS:
        return False
    solution = _solve(fleet, days, calls, time_s)
    if solution is None:
        return False
    before = state.cost()
    state.begin()
    if state.replace_rounds(number, solution) and state.cost() < before - 1e-6:
        state.commit()
        return True
    state.rollback()
    return False


Rounds = list[list[list[tuple[int, tuple[Task, ...], tuple[Task, ...]]]]]
"""By vehicle, by round, the stops away from the base: (place, loads, unloads)."""


def _calls(days: Sequence[Day]) -> list[_Call] | None:
    """Return the stops of the fleet; None where goods ride between two places away from the base."""
    calls: list[_Call] = []
    for day in days:
        base = day.fleet.base
        for first, last in day.rounds():
            for k in range(first + 1, last):
                if any(task.destination != base for task in day.loads[k]):
                    return None
                calls.append(_call(day, k))
    return calls


def _call(day: Day, k: int) -> _Call:
    loads, unloads = day.loads[k], day.unloads[k]
    deadline = FAR_S
    for task in loads:
        if task.following is not None:
            deadline = min(deadline, task.following.latest_load_s - day.instance.handling_s[task.destination])
        else:
            deadline = min(deadline, task.window[1])
    back = day.fleet.travel.duration_s[day.place[k]][day.fleet.base]
    latest = min(day.start_by[k], day.end_by[k] - day.service[k], deadline - day.service[k] - back)
    released = 0
    for task in unloads:
        before = task.previous
        handled = day.instance.handling_s[task.origin]
        released = max(released, task.job.release_s if before is None else before.ready_s + handled)
    return _Call(
        place=day.place[k],
        loads=loads,
        unloads=unloads,
        earliest_s=day.lower[k],
        latest_s=min(latest, day.fleet.type.shift_end_s),
        service_s=day.service[k],
        released_s=released,
        down=(_units(task.kg for task in unloads), _units(task.litres for task in unloads)),
        up=(_units(task.kg for task in loads), _units(task.litres for task in loads)),
    )


def _units(amounts: Iterable[float]) -> int:
    return round(sum(amounts) * _UNITS)


# --- The routing model ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which routing vehicle is which round of which vehicle."""

    rounds: tuple[tuple[int, bool], ...]
    """By routing vehicle: (vehicle number, first round of its day)."""
    start: tuple[tuple[int, ...], ...]
    """By routing vehicle: the calls (1-based nodes) its round makes now."""


def _layout(days: Sequence[Day]) -> _Layout:
    """Give every round a routing vehicle, and every vehicle a spare round; of idle vehicles only the first."""
    rounds: list[tuple[int, bool]] = []
    start: list[tuple[int, ...]] = []
    node, idle_seen = 1, False
    for vehicle, day in enumerate(days):
        if not day.place and idle_seen:
            continue
        idle_seen = idle_seen or not day.place
        sizes = [last - first - 1 for first, last in day.rounds()] + [0] * _SPARE_ROUNDS
        sizes = sizes[: day.fleet.type.max_rounds]
        for position, size in enumerate(sizes):
            rounds.append((vehicle, position == 0))
            start.append(tuple(range(node, node + size)))
            node += size
    return _Layout(tuple(rounds), tuple(start))


def _solve(fleet: Fleet, days: Sequence[Day], calls: Sequence[_Call], time_s: float | None) -> Rounds | None:
    layout = _layout(days)
    manager = pywrapcp.RoutingIndexManager(len(calls) + 1, len(layout.rounds), 0)
    routing = pywrapcp.RoutingModel(manager)
    places = [fleet.base, *(call.place for call in calls)]
    _add_costs(routing, manager, fleet, places, layout)
    time = _add_time(routing, manager, fleet, places, calls, layout)
    if any(call.released_s > 0 for call in calls):
        _add_releases(routing, manager, time, calls, layout)
    for part, room in enumerate(_room(fleet)):
        _add_load(routing, manager, calls, part, room, layout)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    parameters.solution_limit = 10 * len(calls) + 50
    if time_s is not None:
        parameters.time_limit.FromMilliseconds(max(1, round(time_s * 1000)))
    routing.CloseModelWithParameters(parameters)
    first = routing.ReadAssignmentFromRoutes([list(nodes) for nodes in layout.start], True)
    if first is None:
        return None
    found = routing.SolveFromAssignmentWithParameters(first, parameters)
    return None if found is None else _read(routing, manager, found, calls, layout, len(days))


def _room(fleet: Fleet) -> tuple[int, int]:
    parts = fleet.type.compartments
    return _units(part.kg for part in parts), _units(part.litres for part in parts)


def _add_costs(routing: Any, manager: Any, fleet: Fleet, places: Sequence[int], layout: _Layout) -> None:
    costs = [[round(min(fleet.arc_cost[a][b], 1e9)) for b in places] for a in places]

    def cost(here: int, there: int) -> int:
        cell: int = costs[manager.IndexToNode(here)][manager.IndexToNode(there)]
        return cell

    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitCallback(cost))
    for vehicle, (_, is_first) in enumerate(layout.rounds):
        routing.SetFixedCostOfVehicle(round(fleet.type.fixed_cost) if is_first else 0, vehicle)


def _add_time(
    routing: Any, manager: Any, fleet: Fleet, places: Sequence[int], calls: Sequence[_Call], layout: _Layout
) -> Any:
    """Add service starts: windows at stops, rounds of one vehicle one after the other."""
    duration = [[min(fleet.travel.duration_s[a][b], FAR_S) for b in places] for a in places]
    spent = [0, *(call.service_s for call in calls)]

    def seconds(here: int, there: int) -> int:
        a, b = manager.IndexToNode(here), manager.IndexToNode(there)
        total: int = spent[a] + duration[a][b]
        return total

    end = fleet.type.shift_end_s
    routing.AddDimension(routing.RegisterTransitCallback(seconds), end, end, False, "time")
    time = routing.GetDimensionOrDie("time")
    for node, call in enumerate(calls, start=1):
        time.CumulVar(manager.NodeToIndex(node)).SetRange(call.earliest_s, max(call.earliest_s, call.latest_s))
    solver = routing.solver()
    for vehicle, (_, is_first) in enumerate(layout.rounds):
        time.CumulVar(routing.Start(vehicle)).SetRange(fleet.type.shift_start_s, end)
        if not is_first:
            solver.Add(time.CumulVar(routing.Start(vehicle)) >= time.CumulVar(routing.End(vehicle - 1)))
    return time


def _add_releases(routing: Any, manager: Any, time: Any, calls: Sequence[_Call], layout: _Layout) -> None:
    """Let a round start once all goods it carries from the base are there."""
    solver = routing.solver()
    starts = [time.CumulVar(routing.Start(vehicle)) for vehicle in range(len(layout.rounds))]
    for node, call in enumerate(calls, start=1):
        if call.released_s > 0:
            solver.Add(solver.Element(starts, routing.VehicleVar(manager.NodeToIndex(node))) >= call.released_s)


def _add_load(routing: Any, manager: Any, calls: Sequence[_Call], part: int, room: int, layout: _Layout) -> None:
    """Goods brought shrink and goods taken grow on the way; what is brought is all aboard at the start."""
    down = [0, *(call.down[part] for call in calls)]
    change = [0, *(call.up[part] - call.down[part] for call in calls)]

    def brought(here: int) -> int:
        amount: int = down[manager.IndexToNode(here)]
        return amount

    def changed(here: int) -> int:
        amount: int = change[manager.IndexToNode(here)]
        return amount

    names = (f"brought {part}", f"aboard {part}")
    routing.AddDimension(routing.RegisterUnaryTransitCallback(brought), 0, room, True, names[0])
    routing.AddDimension(routing.RegisterUnaryTransitCallback(changed), 0, room, False, names[1])
    first, aboard = (routing.GetDimensionOrDie(name) for name in names)
    for vehicle in range(len(layout.rounds)):
        routing.solver().Add(aboard.CumulVar(routing.Start(vehicle)) == first.CumulVar(routing.End(vehicle)))


def _read(routing: Any, manager: Any, found: Any, calls: Sequence[_Call], layout: _Layout, vehicles: int) -> Rounds:
    rounds: Rounds = [[] for _ in range(vehicles)]
    for vehicle, (owner, _) in enumerate(layout.rounds):
        stops = []
        at = found.Value(routing.NextVar(routing.Start(vehicle)))
        while not routing.IsEnd(at):
            call = calls[manager.IndexToNode(at) - 1]
            stops.append((call.place, call.loads, call.unloads))
            at = found.Value(routing.NextVar(at))
        if stops:
            rounds[owner].append(stops)
    return rounds
