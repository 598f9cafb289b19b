"""The search for single trips, beside all orders of visits tried one by one."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.trips import search
from routing.trips.search import plan_trips
from routing.visits import FAR_S, Pause, TripVehicle, Visit, loads_of, unassigned_of


@pytest.fixture(scope="module", autouse=True)
def _searches_count_cpu_seconds() -> Iterator[None]:
    """Let searches be as long on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "time", SimpleNamespace(perf_counter=time.process_time))
        yield


def make_visits(draw: random.Random, n: int, vehicles: int) -> list[Visit]:
    """Return visits at the locations from 1 on, some with a window, setup and amounts."""
    visits = []
    for k in range(n):
        begin = draw.randrange(0, 3_000)
        windows = draw.choice([(), ((begin, begin + 900),), ((begin, begin + 300), (begin + 2_000, begin + 2_600))])
        setup, service = draw.choice([0, 60]), draw.choice([0, 120])
        amounts = ((draw.randrange(3),), (draw.randrange(3),))
        every = tuple(range(vehicles))
        visits.append(Visit(k + 1, windows, (setup,) * vehicles, (service,) * vehicles, *amounts, every))
    return visits


def make_vehicle(draw: random.Random, n: int, **more: object) -> TripVehicle:
    """Return a vehicle that starts and ends at location 0."""
    points = [(draw.randrange(600), draw.randrange(600)) for _ in range(n + 1)]
    travel = np.array([[abs(a - c) + abs(b - d) for c, d in points] for a, b in points], dtype=np.int64)
    return TripVehicle(0, 0, (0, 9_000), (6,), travel, travel.astype(np.float64), travel, **more)  # type: ignore[arg-type]


def cost_of_order(order: tuple[int, ...], visits: list[Visit], vehicle: TripVehicle) -> float | None:
    """Return the cost of visits in an order, None where a window, the shift or the capacity is broken."""
    clock, here, cost = 0, 0, 0.0
    load = sum(visits[k].delivery[0] for k in order)
    if load > vehicle.capacity[0]:
        return None
    for k in order:
        visit = visits[k]
        cost += vehicle.cost[here, visit.location]
        clock += int(vehicle.duration_s[here, visit.location])
        begins = [max(clock, a) for a, b in visit.windows or ((0, 10**9),) if clock <= b]
        load += visit.pickup[0] - visit.delivery[0]
        if not begins or load > vehicle.capacity[0]:
            return None
        clock, here = begins[0] + visit.setup_s[0] + visit.service_s[0], visit.location
    clock += int(vehicle.duration_s[here, 0])
    return cost + float(vehicle.cost[here, 0]) if clock <= vehicle.window[1] else None


@pytest.mark.parametrize("seed", range(8))
def test_one_vehicle_finds_the_best_of_all_orders(seed: int) -> None:
    """Tests that five visits of one vehicle are served as no order of any of them does better."""
    draw = random.Random(seed)
    visits, vehicle = make_visits(draw, 5, 1), make_vehicle(draw, 5)
    best = (0, 0.0)
    for size in range(1, 6):
        for order in itertools.permutations(range(5), size):
            cost = cost_of_order(order, visits, vehicle)
            if cost is not None:
                best = min(best, (-size, cost))
    trips = plan_trips(visits, [vehicle], 0.2)
    assert trips is not None
    found = tuple(k for trip in trips for k, _ in trip.visits)
    assert (-len(found), cost_of_order(found, visits, vehicle)) == best
    assert sorted(unassigned_of(trips, visits)) == sorted(set(range(5)) - set(found))


@pytest.mark.parametrize("seed", range(4))
def test_pauses_and_shipments_hold(seed: int) -> None:
    """Tests that a shipment rides from pickup to delivery, and that a pause is taken once in one of its windows."""
    draw = random.Random(seed)
    pause = Pause(((500, 900), (2_000, 2_200)), 600)
    vehicle = make_vehicle(draw, 6, pauses=(pause, Pause(((4_000, 5_000),), 300)))
    visits = make_visits(draw, 4, 1)
    one, none = (2,), (0,)
    visits.append(Visit(5, (), (0,), (60,), none, one, (0,), partner=5, in_shipment=True))
    visits.append(Visit(6, (), (0,), (60,), one, none, (0,), in_shipment=True))
    trips = plan_trips(visits, [vehicle], 0.2)
    assert trips is not None
    (trip,) = trips
    order = [k for k, _ in trip.visits]
    assert order.index(4) < order.index(5)
    assert sorted(number for number, _, _ in trip.pauses) == [0, 1]
    for number, begin, _ in trip.pauses:
        assert any(a <= begin <= b for a, b in vehicle.pauses[number].windows)
    assert all(0 <= load[0] <= 6 for load in loads_of(trip, visits, 1))
    assert trip.start_s <= trip.end_s <= vehicle.window[1]


def test_first_routes_are_judged() -> None:
    """Tests that routes given to begin with are kept where they hold, and refused where a delivery comes first."""
    draw = random.Random(1)
    good, bad = make_vehicle(draw, 2, first=(0, 1)), make_vehicle(draw, 2, first=(1, 0))
    visits = [
        Visit(1, (), (0,), (0,), (0,), (1,), (0,), partner=1, in_shipment=True),
        Visit(2, (), (0,), (0,), (1,), (0,), (0,), in_shipment=True),
    ]
    trips = plan_trips(visits, [good], 0.05)
    assert trips is not None
    assert [k for k, _ in trips[0].visits] == [0, 1]
    assert plan_trips(visits, [bad], 0.05) is None


def test_priority_comes_before_number() -> None:
    """Tests that one visit of high priority is served rather than two others that exclude it."""
    draw = random.Random(2)
    vehicle = make_vehicle(draw, 3)
    visits = [Visit(k, (), (0,), (0,), (amount,), (0,), (0,), priority=high) for k, amount, high in VALUED]
    trips = plan_trips(visits, [vehicle], 0.1)
    assert trips is not None
    (trip,) = trips
    assert [k for k, _ in trip.visits] == [2]


VALUED = ((1, 3, 0), (2, 3, 0), (3, 6, 1))
"""Location, amount and priority: the last fills the vehicle alone."""


# --- Problems over all features, judged by a walk that shares nothing with the search ---------------------------------


def make_problem(draw: random.Random, jobs: int, vehicles: int) -> tuple[list[Visit], list[TripVehicle]]:
    """Return jobs and one shipment for vehicles that differ in pauses, ends, costs and limits; ways may be missing."""
    n = jobs + 3
    points = [(draw.randrange(600), draw.randrange(600)) for _ in range(n)]
    travel = np.array([[abs(a - c) + abs(b - d) for c, d in points] for a, b in points], dtype=np.int64)
    travel += np.array([[draw.randrange(200) for _ in points] for _ in points])
    travel[draw.randrange(n), draw.randrange(n)] = FAR_S
    np.fill_diagonal(travel, 0)
    visits = make_visits(draw, jobs, vehicles)
    every, none, one = tuple(range(vehicles)), (0,), (draw.randrange(1, 4),)
    times = (0,) * vehicles, (60,) * vehicles
    pick = draw.choice([(), ((500, 2_500),)])
    visits.append(Visit(jobs + 1, pick, *times, none, one, every, partner=jobs + 1, in_shipment=True))
    visits.append(Visit(jobs + 2, (), *times, one, none, every, in_shipment=True))
    return visits, [make_other(draw, travel) for _ in range(vehicles)]


def make_other(draw: random.Random, travel: np.ndarray) -> TripVehicle:
    """Return a vehicle with some of all features."""
    begin = draw.randrange(500, 3_000)
    light = draw.choice([None, (2,)])
    pauses = (Pause(((begin, begin + 300), (begin + 1_000, begin + 1_400)), 400, light), Pause((), 100))
    return TripVehicle(
        draw.choice([0, 0, None]),
        0,
        (0, draw.choice([5_000, 9_000])),
        (draw.choice([3, 6]),),
        travel,
        travel * draw.choice([1.0, 1.5]),
        travel,
        fixed_cost=draw.choice([0.0, 300.0]),
        max_tasks=draw.choice([None, 3]),
        max_travel_s=draw.choice([None, 2_500]),
        pauses=pauses[: draw.randrange(3)],
    )


def walk(order: tuple[int, ...], visits: list[Visit], vehicles: list[TripVehicle], k: int) -> float | None:
    """Return the cost of an order of visits for a vehicle, None where anything is broken."""
    vehicle = vehicles[k]
    spots = [vehicle.start, *(visits[v].location for v in order), vehicle.end]
    legs = [(a, b) for a, b in itertools.pairwise(spots)]
    ways = [0 if a is None or b is None or a == b else int(vehicle.duration_s[a, b]) for a, b in legs]
    loads = [sum(visits[v].delivery[0] for v in order if not visits[v].in_shipment)]
    for v in order:
        loads.append(loads[-1] + visits[v].pickup[0] - visits[v].delivery[0])
    within = len(order) <= (vehicle.max_tasks or 99) and sum(ways) <= (vehicle.max_travel_s or 10**9)
    if not within or max(loads) > vehicle.capacity[0] or not pairs_hold(order, visits):
        return None
    if not any(t <= vehicle.window[1] for t in ends_of(order, visits, vehicle, k, ways, loads)):
        return None
    cost = sum(float(vehicle.cost[a, b]) for a, b in legs if a is not None and b is not None and a != b)
    return cost + vehicle.fixed_cost


def pairs_hold(order: tuple[int, ...], visits: list[Visit]) -> bool:
    """Return whether the ends of shipments are both there, the pickup first."""
    pairs = [(v, visits[v].partner) for v in range(len(visits)) if visits[v].partner is not None]
    place = {v: number for number, v in enumerate(order)}
    return all((a in place) == (b in place) and place.get(a, -1) <= place.get(b, -1) for a, b in pairs)  # type: ignore[arg-type]


def ends_of(
    order: tuple[int, ...], visits: list[Visit], vehicle: TripVehicle, k: int, ways: list[int], loads: list[int]
) -> Iterator[int]:
    """Yield when a trip may end, for every way to spread its pauses over its legs."""
    count = len(vehicle.pauses)
    for cut in itertools.combinations_with_replacement(range(len(ways)), count):
        clock, here = vehicle.window[0], vehicle.start
        for leg, way in enumerate(ways):
            left = way
            for pause in (vehicle.pauses[p] for number, p in enumerate(sorted_pauses(vehicle)) if cut[number] == leg):
                since = next((max(clock, a) for a, b in pause.windows or ((0, 10**9),) if clock <= b), 10**12)
                if pause.max_load is not None and loads[leg] > pause.max_load[0]:
                    since = 10**12
                left, clock = max(0, left - (since - clock)), since + pause.service_s
            clock += left
            if leg < len(order):
                visit = visits[order[leg]]
                clock = next((max(clock, a) for a, b in visit.windows or ((0, 10**9),) if clock <= b), 10**12)
                clock += (visit.setup_s[k] if here != visit.location else 0) + visit.service_s[k]
                here = visit.location
        yield clock


def sorted_pauses(vehicle: TripVehicle) -> list[int]:
    """Return the pauses in the order of their windows; one without windows has that which never ends."""
    return sorted(range(len(vehicle.pauses)), key=lambda p: (vehicle.pauses[p].windows or ((0, 0),))[0][0])


def best_of_all(visits: list[Visit], vehicles: list[TripVehicle]) -> tuple[int, float]:
    """Return the fewest visits left out, negated as most made, and the least cost, by trying every plan."""
    best: list[dict[frozenset[int], float]] = [{frozenset(): 0.0} for _ in vehicles]
    for k in range(len(vehicles)):
        for size in range(1, len(visits) + 1):
            for order in itertools.permutations(range(len(visits)), size):
                cost = walk(order, visits, vehicles, k)
                made = frozenset(order)
                if cost is not None and cost < best[k].get(made, float("inf")):
                    best[k][made] = cost
    plans = best[0]
    for more in best[1:]:
        joined: dict[frozenset[int], float] = {}
        for (a, x), (b, y) in itertools.product(plans.items(), more.items()):
            if not a & b:
                joined[a | b] = min(x + y, joined.get(a | b, float("inf")))
        plans = joined
    return min((-len(made), cost) for made, cost in plans.items())


@pytest.mark.parametrize("seed", range(8))
def test_two_vehicles_find_the_best_of_all_plans(seed: int) -> None:
    """Tests that two vehicles with pauses, limits and a shipment are planned as no other plan does better."""
    visits, vehicles = make_problem(random.Random(seed), 3, 2)
    trips = plan_trips(visits, vehicles, 0.2)
    assert trips is not None
    costs = [walk(tuple(v for v, _ in trip.visits), visits, vehicles, trip.vehicle) for trip in trips]
    made = sum(len(trip.visits) for trip in trips)
    assert (-made, sum(cost for cost in costs if cost is not None)) == pytest.approx(best_of_all(visits, vehicles))


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_trip_holds(seed: int, jobs: int, count: int) -> None:
    """Tests that whatever is asked, a walk that shares nothing with the search finds every trip to hold."""
    visits, vehicles = make_problem(random.Random(seed), jobs, count)
    trips = plan_trips(visits, vehicles, 0.03)
    assert trips is not None
    assert len({v for trip in trips for v, _ in trip.visits}) == sum(len(trip.visits) for trip in trips)
    for trip in trips:
        vehicle = vehicles[trip.vehicle]
        assert walk(tuple(v for v, _ in trip.visits), visits, vehicles, trip.vehicle) is not None
        assert vehicle.window[0] <= trip.start_s <= trip.end_s <= vehicle.window[1]
        assert sorted(number for number, _, _ in trip.pauses) == list(range(len(vehicle.pauses)))
        loads = loads_of(trip, visits, 1)
        for number, begin, leg in trip.pauses:
            pause = vehicle.pauses[number]
            assert any(a <= begin <= b for a, b in pause.windows or ((0, 10**9),))
            assert pause.max_load is None or loads[leg][0] <= pause.max_load[0]
        for v, begin in trip.visits:
            setup = visits[v].setup_s[trip.vehicle]
            assert any(a <= begin - wait <= b for a, b in visits[v].windows or ((0, 10**9),) for wait in (0, setup))
