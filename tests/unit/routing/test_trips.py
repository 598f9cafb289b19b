"""The search for single trips, beside all orders of visits tried one by one."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from routing.trips.search import plan_trips
from routing.visits import Pause, TripVehicle, Visit, loads_of, unassigned_of


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
