"""Which chain each job takes: CP-SAT over bus space, drone hours and shared stops, before any round exists.

Costs are approximate: visiting a place once is paid once per fleet, a sortie once per drone load, bus fees and handling
exactly. The price of a stop is learned from the rounds of a plan already made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from routing.solver.buses import admits, bus_fee
from routing.solver.cp_sat import new_solver, watch
from routing.solver.instance import BusRide, Instance, Job
from routing.solver.itineraries import drone_estimate
from routing.solver.reach import fleet_estimate
from routing.solver.state import State
from routing.solver.tasks import Chain, Ride

_GRAMS = 10
"""Weights and volumes become whole numbers of a tenth of a kilogram or litre, rounded up."""
_TRIPS_PER_RIDE = 4
_DETERMINISTIC_TIME = 0.4
"""Bound on the work; presolve comes on top. On one core of 2026 it is about three seconds for 400 orders."""
_CHAINS_PER_JOB = 6
_BASE_HANDLING_S = 600


@dataclass(eq=False)
class _Model:
    """The CP-SAT model while it is being built. Keys are in order of creation, so models are equal for equal input."""

    instance: Instance
    prices: Mapping[int, float]
    cp: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    terms: list[tuple[cp_model.IntVar, int]] = field(default_factory=list)
    stops: dict[tuple[int, int], cp_model.IntVar] = field(default_factory=dict)
    bus_use: dict[tuple[int, int], list[tuple[cp_model.IntVar, int, int]]] = field(default_factory=dict)
    air_use: dict[tuple[int, int], list[tuple[cp_model.IntVar, int]]] = field(default_factory=dict)


def choose(
    instance: Instance,
    chains: Mapping[int, tuple[Chain, ...]],
    prices: Mapping[int, float],
    seed: int,
    time_s: float | None,
    stopped: Callable[[], bool],
) -> dict[int, Chain]:
    """Return the chain chosen for each job that is worth serving; empty when the solver found nothing in its limits.

    Parameters
    ----------
    prices
        Factor on the estimated cost of a stop, by fleet index; 1 where missing.
    time_s
        Wall-clock limit; None bounds the work by deterministic time alone.
    stopped
        Asked a few times a second from another thread; ends the search once it is true.
    """
    model = _Model(instance, prices)
    picks: list[tuple[int, Chain, cp_model.IntVar]] = []
    for job in instance.jobs:
        options = [(chain, model.cp.new_bool_var("")) for chain in chains[job.index][:_CHAINS_PER_JOB]]
        out = model.cp.new_bool_var("")
        model.terms.append((out, round(job.unserved_cost)))
        model.cp.add_exactly_one([out, *(chosen for _, chosen in options)])
        for chain, chosen in options:
            picks.append((job.index, chain, chosen))
            _price_chain(model, job, chain, chosen)
    _limit_buses(model)
    _limit_drones(model)
    model.cp.minimize(sum(variable * cost for variable, cost in model.terms))
    solver = new_solver(seed, _DETERMINISTIC_TIME, time_s)
    solver.parameters.symmetry_level = 0
    with watch(solver, stopped):
        status = solver.solve(model.cp)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return {}
    return {index: chain for index, chain, chosen in picks if solver.boolean_value(chosen)}


def learn_prices(state: State) -> dict[int, float]:
    """Return by fleet what its stops really cost in a plan, relative to their estimates."""
    prices: dict[int, float] = {}
    for fleet in state.instance.fleets:
        days = [day for day in state.days[fleet.index] if day.place]
        visited = {place for day in days for place in day.place if place != fleet.base}
        estimates = [fleet_estimate(fleet, fleet.base, place) for place in sorted(visited)]
        expected = sum(estimate for estimate in estimates if estimate is not None)
        if expected > 0.0:
            prices[fleet.index] = min(5.0, max(0.2, sum(day.cost for day in days) / expected))
    return prices


# --- Pricing -------------------------------------------------------------------------------------------------------


def _price_chain(model: _Model, job: Job, chain: Chain, chosen: cp_model.IntVar) -> None:
    rates = model.instance.problem.rates
    money = rates.handling_per_piece * job.pieces * (len(chain.rides) - 1)
    ready = job.release_s
    for ride in chain.rides:
        if ride.kind == "bus":
            money += _board(model, job, ride, chosen, ready)
            ready += _BASE_HANDLING_S
        elif ride.kind == "drone":
            _fly(model, job, ride, chosen)
            ready += _BASE_HANDLING_S
        else:
            fleet = model.instance.fleets[ride.group]
            for place in (ride.origin, ride.destination):
                if place != fleet.base:
                    model.cp.add_implication(chosen, _stop(model, ride.group, place))
            ready += fleet.travel.duration_s[ride.origin][ride.destination]
    model.terms.append((chosen, round(money)))


def _stop(model: _Model, group: int, place: int) -> cp_model.IntVar:
    """Return the variable of a fleet visiting a place, which is paid once."""
    key = (group, place)
    if key not in model.stops:
        fleet = model.instance.fleets[group]
        visited = model.cp.new_bool_var("")
        estimate = fleet_estimate(fleet, fleet.base, place) or 0.0
        model.terms.append((visited, round(estimate * model.prices.get(group, 1.0))))
        model.stops[key] = visited
    return model.stops[key]


def _board(model: _Model, job: Job, ride: Ride, chosen: cp_model.IntVar, ready_s: int) -> float:
    """Tie a bus ride to one of the next trips that take the job; return the fee."""
    trips = list(_next_trips(model.instance, job, ride, ready_s))
    if not trips:
        model.cp.add(chosen == 0)
        return 0.0
    taken = [model.cp.new_bool_var("") for _ in trips]
    model.cp.add(sum(taken) == chosen)
    boxed = job.product.cold and job.product.box is not None
    kg, litres = (job.boxed_kg, job.boxed_l) if boxed else (job.kg, job.litres)
    for bus, used in zip(trips, taken, strict=True):
        for call in range(bus.board_call, bus.alight_call):
            model.bus_use.setdefault((bus.trip, call), []).append((used, _units(kg), _units(litres)))
    return bus_fee(model.instance.trips[trips[0].trip], job)


def _next_trips(instance: Instance, job: Job, ride: Ride, ready_s: int) -> Iterator[BusRide]:
    found = 0
    for bus in instance.rides[ride.origin, ride.destination]:
        if bus.ready_by_s >= ready_s and admits(instance.trips[bus.trip], job):
            yield bus
            found += 1
            if found == _TRIPS_PER_RIDE:
                return


def _fly(model: _Model, job: Job, ride: Ride, chosen: cp_model.IntVar) -> None:
    group = model.instance.drone_groups[ride.group]
    place = ride.destination if ride.origin == group.base else ride.origin
    boxed = job.product.cold and job.product.box is not None
    kg = job.boxed_kg if boxed else job.kg
    model.air_use.setdefault((ride.group, place), []).append((chosen, _units(kg)))


def _units(amount: float) -> int:
    return int(-(-amount * _GRAMS // 1))


# --- Limits --------------------------------------------------------------------------------------------------------


def _limit_buses(model: _Model) -> None:
    for (trip, _), uses in model.bus_use.items():
        room = model.instance.trips[trip]
        model.cp.add(sum(used * kg for used, kg, _ in uses) <= int(room.max_kg * _GRAMS))
        model.cp.add(sum(used * litres for used, _, litres in uses) <= int(room.max_l * _GRAMS))


def _limit_drones(model: _Model) -> None:
    """Sorties to a place carry its jobs' weight; all sorties of a group fit its drones' hours."""
    busy: dict[int, list[tuple[cp_model.IntVar, int]]] = {}
    for (number, place), uses in model.air_use.items():
        group = model.instance.drone_groups[number]
        flights = group.hours(place)
        if flights is None:
            continue
        sorties = model.cp.new_int_var(0, len(uses), "")
        payload = max(1, int(flights.max_payload_kg * _GRAMS))
        model.cp.add(sorties * payload >= sum(chosen * kg for chosen, kg in uses))
        for chosen, _ in uses:
            model.cp.add(sorties >= chosen)
        model.terms.append((sorties, round(drone_estimate(model.instance, group, place) or 0.0)))
        physics = group.service.physics
        seconds = flights.best_out_s + flights.best_back_s + physics.winch_s + physics.turnaround_s
        busy.setdefault(number, []).append((sorties, seconds))
    for number, terms in busy.items():
        group = model.instance.drone_groups[number]
        hours_s = (group.service.shift_end_s - group.service.shift_start_s) * len(group.ids)
        model.cp.add(sum(sorties * seconds for sorties, seconds in terms) <= hours_s)
