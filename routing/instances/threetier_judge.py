"""Judging a plan of a ``3tdppt`` instance by the figures of its files alone: minutes and lengths, never the problem."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from routing.instances.family import Verdict
from routing.instances.threetier_file import ThreeTierFile
from routing.model.plan import Plan, Route, Stop

UNITS_PER_MINUTE = 1000
"""The problem's seconds stand for thousandths of a minute."""
MINUTES_PER_LENGTH = 0.2
_TOLERANCE = 2e-3
"""Minutes and units of load."""


@dataclass(frozen=True)
class Answer:
    """A plan in the terms of the published problem, as `check3t.py` reads it; times in minutes, runs from 0.

    trucks: depart, stops (stop, arrive, leave, drop); parcels by customer: line, run, in, out; couriers: stop, depart,
    visits (customer, time).
    """

    trucks: list[dict[str, Any]] = field(default_factory=list)
    parcels: dict[str, dict[str, Any]] = field(default_factory=dict)
    couriers: list[dict[str, Any]] = field(default_factory=list)


def position(raw: ThreeTierFile, name: str) -> tuple[float, float]:
    """Return where a stop or a customer is; any other name is the centre's."""
    if name in raw.customers:
        return raw.customers[name].x, raw.customers[name].y
    if name in raw.stops:
        return raw.stops[name].x, raw.stops[name].y
    return raw.centre


def courier_share(raw: ThreeTierFile) -> float:
    """Return what a courier's length counts in the objective."""
    return raw.params.get("freightRouteCostCoeff", 1.0)


def answer_of(plan: Plan) -> Answer:
    """Return the routes of a plan in the terms of the published problem."""
    answer = Answer()
    for route in plan.routes:
        if route.kind == "bus":
            _add_parcels(answer, route)
        elif route.kind == "vehicle":
            answer.trucks.append({"depart": _minutes(route.stops[0].departure_s), "stops": _drops(route)})
        else:
            visits = [
                {"customer": handover.order, "time": _minutes(stop.service_start_s)}
                for stop in route.stops
                for handover in stop.unload
            ]
            start = route.stops[0]
            answer.couriers.append({"stop": start.place, "depart": _minutes(start.departure_s), "visits": visits})
    return answer


def _minutes(time_s: int) -> float:
    return time_s / UNITS_PER_MINUTE


def _drops(route: Route) -> list[dict[str, Any]]:
    def drop(stop: Stop) -> dict[str, Any]:
        times = {"arrive": _minutes(stop.service_start_s), "leave": _minutes(stop.departure_s)}
        return {"stop": stop.place, **times, "drop": [handover.order for handover in stop.unload]}

    return [drop(stop) for stop in route.stops[1:-1]]


def _add_parcels(answer: Answer, route: Route) -> None:
    line, run = route.carrier.rsplit(" run ", 1)
    boarded = {handover.order: stop.place for stop in route.stops for handover in stop.load}
    left = {handover.order: stop.place for stop in route.stops for handover in stop.unload}
    for customer, stop in boarded.items():
        ride = {"line": line, "run": int(run), "in": stop, "out": left[customer]}
        again = customer in answer.parcels
        answer.parcels[customer] = {**ride, "again": True} if again else ride


def judge(raw: ThreeTierFile, plan: Plan) -> Verdict:
    """Judge a plan by the rules inferred for the family and the file's own figures."""
    answer = answer_of(plan)
    faults = [*_parcel_faults(raw, answer), *_truck_faults(raw, answer), *_courier_faults(raw, answer)]
    cost = sum(_length(raw, ["", *(stop["stop"] for stop in truck["stops"]), ""]) for truck in answer.trucks)
    for courier in answer.couriers:
        names = [courier["stop"], *(visit["customer"] for visit in courier["visits"]), courier["stop"]]
        cost += courier_share(raw) * _length(raw, names)
    return Verdict(None if faults else cost, len(answer.trucks) + len(answer.couriers), tuple(faults))


def _length(raw: ThreeTierFile, names: Sequence[str]) -> float:
    legs: Iterator[float] = (_distance(raw, here, there) for here, there in pairwise(names))
    return sum((float(int(leg)) if raw.timed else leg for leg in legs), 0.0)


def _distance(raw: ThreeTierFile, here: str, there: str) -> float:
    return math.dist(position(raw, here), position(raw, there))


def _call_time(raw: ThreeTierFile, ride: Mapping[str, Any], stop: str) -> float:
    line = raw.lines[ride["line"]]
    time: float = line.first + ride["run"] * line.headway
    before = ""
    for here in (*line.ins, *line.outs):
        time += MINUTES_PER_LENGTH * _distance(raw, before, here) if before else 0.0
        if here == stop:
            return time
        before = here
    return math.inf


# --- Parcels on buses ----------------------------------------------------------------------------------------------


def _parcel_faults(raw: ThreeTierFile, answer: Answer) -> Iterator[str]:
    delivered = Counter(visit["customer"] for courier in answer.couriers for visit in courier["visits"])
    dropped = Counter(name for truck in answer.trucks for stop in truck["stops"] for name in stop["drop"])
    for customer in raw.customers:
        if (delivered[customer], dropped[customer], customer in answer.parcels) != (1, 1, True):
            yield f"{customer} is not brought, carried and delivered exactly once"
    loads: dict[tuple[str, int], float] = {}
    for customer, ride in answer.parcels.items():
        line = raw.lines[ride["line"]]
        key = (ride["line"], ride["run"])
        loads[key] = loads.get(key, 0.0) + raw.customers[customer].load
        if "again" in ride:
            yield f"{customer} rides twice"
        if ride["in"] not in line.ins or ride["in"] not in raw.reached:
            yield f"{customer} boards where it cannot"
        if ride["out"] not in line.outs or ride["out"] not in raw.customers[customer].outs:
            yield f"{customer} alights where it cannot"
        if not 0 <= ride["run"] < line.runs:
            yield f"{customer} rides a run that is none"
    for (name, run), load in loads.items():
        if load > raw.lines[name].room + _TOLERANCE:
            yield f"run {run} of {name} carries {load:g}"


# --- Trucks --------------------------------------------------------------------------------------------------------


def _truck_faults(raw: ThreeTierFile, answer: Answer) -> Iterator[str]:
    if len(answer.trucks) > raw.params["maxTrucks"]:
        yield f"{len(answer.trucks)} trucks are used"
    for number, truck in enumerate(answer.trucks):
        load = sum(raw.customers[name].load for stop in truck["stops"] for name in stop["drop"])
        if load > raw.params["trucksCap"] + _TOLERANCE:
            yield f"truck {number} carries {load:g}"
        time, here = truck["depart"], ""
        if time < -_TOLERANCE:
            yield f"truck {number} leaves before time 0"
        for stop in truck["stops"]:
            name = stop["stop"]
            if name not in raw.reached:
                yield f"truck {number} stops at {name}"
            if stop["arrive"] < time + MINUTES_PER_LENGTH * _distance(raw, here, name) - _TOLERANCE:
                yield f"truck {number} is too early at {name}"
            if stop["leave"] < stop["arrive"] + raw.stops[name].service - _TOLERANCE:
                yield f"truck {number} leaves {name} too early"
            yield from _drop_faults(raw, answer, stop)
            time, here = stop["leave"], name


def _drop_faults(raw: ThreeTierFile, answer: Answer, stop: Mapping[str, Any]) -> Iterator[str]:
    known = raw.stops[stop["stop"]]
    for customer in stop["drop"]:
        ride = answer.parcels.get(customer)
        if ride is None or ride["in"] != stop["stop"]:
            yield f"{customer} is brought where it does not board"
            continue
        departure = _call_time(raw, ride, stop["stop"])
        if stop["arrive"] + known.service > departure + _TOLERANCE:
            yield f"{customer} misses its bus"
        if departure - stop["arrive"] > known.wait + _TOLERANCE:
            yield f"{customer} waits {departure - stop['arrive']:.3f} minutes at {stop['stop']}"


# --- Couriers ------------------------------------------------------------------------------------------------------


def _courier_faults(raw: ThreeTierFile, answer: Answer) -> Iterator[str]:
    for stop, count in Counter(courier["stop"] for courier in answer.couriers).items():
        if count > raw.params["maxFreightersPerStop"]:
            yield f"{count} couriers leave {stop}"
    for courier in answer.couriers:
        load = sum(raw.customers[visit["customer"]].load for visit in courier["visits"])
        if load > raw.courier_load + _TOLERANCE:
            yield f"a courier from {courier['stop']} carries {load:g}"
        time, here = courier["depart"], courier["stop"]
        for visit in courier["visits"]:
            yield from _visit_faults(raw, answer, courier, visit["customer"])
            customer = raw.customers[visit["customer"]]
            if visit["time"] < time + MINUTES_PER_LENGTH * _distance(raw, here, visit["customer"]) - _TOLERANCE:
                yield f"{visit['customer']} is reached too early"
            if not customer.earliest - _TOLERANCE <= visit["time"] <= customer.latest + _TOLERANCE:
                yield f"{visit['customer']} is served outside its window"
            time, here = visit["time"], visit["customer"]
        back = time + MINUTES_PER_LENGTH * _distance(raw, here, courier["stop"])
        if back - courier["depart"] > raw.params["Lmax"] + _TOLERANCE:
            yield f"a courier from {courier['stop']} is away too long"


def _visit_faults(raw: ThreeTierFile, answer: Answer, courier: Mapping[str, Any], customer: str) -> Iterator[str]:
    ride = answer.parcels.get(customer)
    if ride is None or ride["out"] != courier["stop"]:
        yield f"{customer} is not where its courier starts"
        return
    ready = _call_time(raw, ride, courier["stop"])
    if courier["depart"] < ready - _TOLERANCE:
        yield f"the courier leaves before {customer} is there"
    if courier["depart"] - ready > raw.stops[courier["stop"]].wait + _TOLERANCE:
        yield f"{customer} waits {courier['depart'] - ready:.3f} minutes at {courier['stop']}"
