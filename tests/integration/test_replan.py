"""The rest of a day planned anew after each kind of disturbance: checked, nothing begun touched, little moved."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from api_world import make_tiny_scenario

from benchmarks.replan import disturbances
from geodata.cache import Cache
from geodata.errors import InputError
from routing.day import Day, read_day
from routing.model.plan import Plan, PlanDocument
from routing.pipeline import PlanOptions, plan_deliveries
from routing.plan_io import plan_to_bytes
from routing.replan.difference import changes, moved_orders
from routing.replan.events import Breakdown, Delay, Done, Events, Freeze
from routing.replan.joined import left_untouched
from routing.replan.replanning import Replanned, ReplanOptions, full_solve, replan
from routing.solver import Limits

NOTHING = Freeze()
NAMES = (
    "nothing",
    "late vehicle",
    "broken vehicle",
    "late bus",
    "cancelled bus",
    "grounded drones",
    "closed road",
    "new orders",
    "cancelled orders",
)


@dataclass
class Planned:
    """A scenario with its plan."""

    folder: Path
    document: PlanDocument
    day: Day
    cache: Cache
    now_s: int

    def replan(self, target: Path, events: Events, may_move: int | None = None, freeze: Freeze = NOTHING) -> Replanned:
        """Plan the rest anew with few moves."""
        options = ReplanOptions(Limits(None, 6), 1, may_move, freeze)
        return replan(self.folder, self.document, events, options, target, self.cache)

    def first(self, name: str) -> Events:
        """Return the events of a kind of disturbance, at the first moment the plan has something for it."""
        loading = sorted(route.stops[0].service_start_s + 1 for route in self.document.routes)
        for now_s in (self.now_s, *loading):
            for found in disturbances(self.document, self.day.scenario, self.day.area, now_s):
                if found.name == name:
                    return found.events
        pytest.fail(f"the plan never has anything for '{name}'")

    @property
    def plan(self) -> Plan:
        """The plan so far."""
        return Plan(self.document.routes, self.document.unassigned)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """Return the tiny day, planned, and a moment when a vehicle is under way with stops to come."""
    folder = make_tiny_scenario(tmp_path_factory.mktemp("day") / "tiny")
    cache = Cache(tmp_path_factory.mktemp("cache"))
    # Couriers would leave nothing to vehicles.
    options = PlanOptions(max_iterations=5, only=("vehicle", "drone", "bus"))
    document = plan_deliveries(folder, None, options, cache=cache).document
    longest = max((route for route in document.routes if route.kind == "vehicle"), key=lambda route: len(route.stops))
    now_s = longest.stops[1].departure_s + 1
    return Planned(folder, document, read_day(folder, cache=cache), cache, now_s)


@pytest.mark.parametrize("name", NAMES)
def test_each_disturbance(planned: Planned, tmp_path: Path, name: str) -> None:
    """Tests that the new plan is clean by the checker, keeps all that has begun, and obeys the event."""
    events = planned.first(name)
    made = planned.replan(tmp_path / "day", events)
    assert not made.facts_against_rules
    new = Plan(made.document.routes, made.document.unassigned)
    assert not left_untouched(planned.plan, new, events.now_s, made.stranded)
    later = [route for route in new.routes if route.kind != "bus" and route.stops[0].service_start_s >= events.now_s]
    assert not {route.carrier for route in later} & events.unusable
    orders = {order.id for order in made.day.scenario.orders}
    assert orders.isdisjoint(events.cancelled_orders)
    assert orders >= {str(order["id"]) for order in events.new_orders}
    assert made.price_of_stability >= 0


def test_equal_effort_gives_equal_plans(planned: Planned, tmp_path: Path) -> None:
    """Tests that with a limit of iterations the same events give the same bytes."""
    events = Events(planned.now_s)
    first, second = (planned.replan(tmp_path / name, events).document for name in ("a", "b"))
    assert plan_to_bytes(first) == plan_to_bytes(second)


def test_little_moves_where_little_may(planned: Planned, tmp_path: Path) -> None:
    """Tests that with nothing allowed to move, an undisturbed day stays as it is."""
    made = planned.replan(tmp_path / "day", Events(planned.now_s), may_move=0)
    assert made.moved == ()
    assert made.free_cost <= made.document.objective.total


def test_frozen_carriers_keep_their_routes(planned: Planned, tmp_path: Path) -> None:
    """Tests that the routes of a frozen carrier, and those within the horizon, stay stop for stop."""
    kept = next(route for route in planned.document.routes if route.stops[0].service_start_s > planned.now_s)
    freeze = Freeze(carriers=frozenset({kept.carrier}))
    made = planned.replan(tmp_path / "carrier", Events(planned.now_s), freeze=freeze)
    before = [route for route in planned.document.routes if route.carrier == kept.carrier]
    assert [route for route in made.document.routes if route.carrier == kept.carrier] == before
    made = planned.replan(tmp_path / "horizon", Events(planned.now_s), freeze=Freeze(horizon_s=86_400))
    assert made.document.routes == planned.document.routes


def test_stops_behind_their_plan_count_as_delay(planned: Planned, tmp_path: Path) -> None:
    """Tests that a driver's report of stops done makes the rest of the round as late as it is behind."""
    route = next(
        route
        for route in planned.document.routes
        if route.kind == "vehicle" and route.stops[0].service_start_s < planned.now_s < route.stops[-1].service_end_s
    )
    late_s = route.stops[1].departure_s + 600
    events = Events(late_s, done=(Done(route.id, 1),))
    made = planned.replan(tmp_path / "day", events)
    again = next(other for other in made.document.routes if other.id == route.id)
    assert again.stops[-1].service_end_s >= route.stops[-1].service_end_s + late_s - route.stops[1].arrival_s - 1_800
    assert made.changes == changes(planned.plan, Plan(made.document.routes))


def test_unknown_references_are_all_told(planned: Planned, tmp_path: Path) -> None:
    """Tests that orders and trips that there are not are refused, all at once."""
    events = Events(0, cancelled_orders=("nobody",), late_trips=(Delay("no trip", 60),), broken=(Breakdown("x"),))
    with pytest.raises(InputError) as refused:
        planned.replan(tmp_path / "day", events)
    assert {fault.field for fault in refused.value.faults} == {"cancelled_orders", "late_trips", "broken"}


def test_touching_the_past_shows(planned: Planned) -> None:
    """Tests that the guard of the past sees a stop with other times, and goods that are gone."""
    route, *others = sorted(planned.document.routes, key=lambda route: route.stops[0].departure_s)
    late_s = route.stops[-1].departure_s + 1
    first = replace(route.stops[0], service_start_s=route.stops[0].service_start_s - 1)
    moved = Plan((replace(route, stops=(first, *route.stops[1:])), *others))
    gone = Plan(tuple(others))
    if route.kind != "bus":
        assert left_untouched(planned.plan, moved, late_s, ())
    assert left_untouched(planned.plan, gone, late_s, ())
    assert not left_untouched(planned.plan, planned.plan, late_s, ())
    assert moved_orders(planned.plan, planned.plan) == ()


def test_the_full_solve_is_of_the_same_day(planned: Planned, tmp_path: Path) -> None:
    """Tests that the measure of replanning keeps what has begun, too."""
    events = Events(planned.now_s)
    made = planned.replan(tmp_path / "day", events)
    options = ReplanOptions(Limits(None, 2))
    full = full_solve(made, planned.plan, events, options, Limits(None, 2))
    assert not left_untouched(planned.plan, full, events.now_s, ())
