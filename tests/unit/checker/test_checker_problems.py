"""Plans judged against a problem in memory: a good plan is silent, each damage brings its codes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from problems import VAN, county, order, place, problem

from geodata.location import Level
from geodata.matrix import UNREACHABLE_S
from routing.checker import Code
from routing.checker.problem_facts import check_problem_plan
from routing.model.carrier import Drone, Vehicle
from routing.model.plan import Plan, Route
from routing.model.problem import Problem
from routing.solver import Limits, solve

Case = tuple[Problem, Plan]
Damage = Callable[[Problem, Plan], Case]


@pytest.fixture(scope="module")
def solved() -> Case:
    """Return a county and its plan, with buses, drones and vehicles."""
    made = county(3, towns=2, villages=6, groups=8, orders=30)
    plan = solve(made, Limits(None, 30), 1).plan
    assert {route.kind for route in plan.routes} >= {"vehicle", "bus", "drone"}
    return made, plan


def test_good_plan_is_silent(solved: Case) -> None:
    """Tests that a plan without fault brings no violation."""
    assert check_problem_plan(*solved).violations == ()


def _number(plan: Plan, kind: str) -> int:
    return next(k for k, route in enumerate(plan.routes) if route.kind == kind)


def _with_route(plan: Plan, number: int, route: Route) -> Plan:
    return replace(plan, routes=(*plan.routes[:number], route, *plan.routes[number + 1 :]))


def _with_movement(plan: Plan, kind: str, **changes: object) -> Plan:
    """Return the plan with the first movement of the first route of a kind changed."""
    number = _number(plan, kind)
    first, *rest = plan.routes[number].stops
    stop = replace(first, movement=replace(first.movement, **changes))
    return _with_route(plan, number, replace(plan.routes[number], stops=(stop, *rest)))


def _quicker(made: Problem, plan: Plan) -> Case:
    moved = plan.routes[_number(plan, "vehicle")].stops[0].movement
    return made, _with_movement(plan, "vehicle", duration_s=moved.duration_s // 2)


def _shorter(made: Problem, plan: Plan) -> Case:
    return made, _with_movement(plan, "vehicle", distance_m=1)


def _no_way(made: Problem, plan: Plan) -> Case:
    matrices = dict(made.matrices)
    for key, matrix in made.matrices.items():
        durations = matrix.duration_s.copy()
        durations[matrix.duration_s > 0] = UNREACHABLE_S
        matrices[key] = replace(matrix, duration_s=durations)
    return replace(made, matrices=matrices), plan


def _becalmed(made: Problem, plan: Plan) -> Case:
    table = made.flights["L"]
    barred = table.out_duration_s.copy()
    barred[:] = UNREACHABLE_S
    return replace(made, flights={"L": replace(table, out_duration_s=barred)}), plan


def _weak_drone(made: Problem, plan: Plan) -> Case:
    table = made.flights["L"]
    return replace(made, flights={"L": replace(table, max_payload_kg=table.max_payload_kg * 0.0)}), plan


def _flat_battery(made: Problem, plan: Plan) -> Case:
    def flat(drone: Drone) -> Drone:
        return replace(drone, service=replace(drone.service, physics=replace(drone.service.physics, reserve=0.999)))

    return replace(made, drones=tuple(flat(drone) for drone in made.drones)), plan


def _without_tables(made: Problem, plan: Plan) -> Case:
    return replace(made, flights={}), plan


def _van_type(made: Problem, **changes: object) -> Problem:
    return replace(made, vehicles=tuple(replace(v, type=replace(v.type, **changes)) for v in made.vehicles))


def _no_rounds(made: Problem, plan: Plan) -> Case:
    return _van_type(made, max_rounds=0), plan


def _no_waiting(made: Problem, plan: Plan) -> Case:
    return replace(made, places=tuple(replace(spot, max_wait_s=0) for spot in made.places)), plan


def _forgotten(made: Problem, plan: Plan) -> Case:
    extra = order("forgotten", "hub", "v0")
    return replace(made, orders=(*made.orders, extra)), plan


def _light_stores(made: Problem, plan: Plan) -> Case:
    return replace(made, places=tuple(replace(spot, store_kg={}) for spot in made.places)), plan


def _stiff_battery(made: Problem, plan: Plan) -> Case:
    return _van_type(made, range_wh=1.0), plan


def _late_hour(made: Problem, plan: Plan) -> Case:
    number = _number(plan, "vehicle")
    first, *rest = plan.routes[number].stops
    stop = replace(first, arrival_s=2_000_000_000)
    return made, _with_route(plan, number, replace(plan.routes[number], stops=(stop, *rest)))


DAMAGES: dict[Damage, list[Code]] = {
    _quicker: [Code.TIMING_TRAVEL_TOO_SHORT, Code.TIMING_ARRIVAL_MISMATCH],
    _shorter: [Code.CONSISTENCY_DISTANCE],
    _no_way: [Code.ACCESS_NO_PATH],
    _becalmed: [Code.FLIGHT_IMPOSSIBLE],
    _weak_drone: [Code.FLIGHT_PAYLOAD],
    _flat_battery: [Code.FLIGHT_RESERVE],
    _without_tables: [Code.FLIGHT_IMPOSSIBLE],
    _no_rounds: [Code.TIMING_TOO_MANY_ROUNDS],
    _no_waiting: [Code.TRANSFER_WAIT_TOO_LONG],
    _forgotten: [Code.CUSTODY_MISSING_ORDER],
    _light_stores: [Code.TRANSFER_STORE_FULL, Code.COLD_OUT_OF_BAND],
    _stiff_battery: [Code.TIMING_RANGE_EXCEEDED, Code.CONSISTENCY_BATTERY],
    _late_hour: [Code.CONSISTENCY_BAD_NUMBER, Code.TIMING_STOP_ORDER, Code.TIMING_ROUTES_OVERLAP],
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_is_found(damage: Damage, solved: Case) -> None:
    """Tests that a damage is found by its codes and no others but those that follow from it."""
    codes = check_problem_plan(*damage(*solved)).codes
    first = DAMAGES[damage][0]
    assert first in codes
    assert codes <= set(DAMAGES[damage])


def test_times_in_thousandths() -> None:
    """Tests that an instance whose day has millions of time units is solved and judged like any other."""
    scale = 1_000
    spots = [place("depot", 0.0, 0.0, Level.TOWN, opens_s=0, closes_s=4_000 * scale, handling_s=0)]
    spots += [
        place(f"c{k}", 3.0 * k, 2.0, Level.GROUP, opens_s=0, closes_s=4_000 * scale, handling_s=0) for k in range(1, 5)
    ]
    wanted = [
        order(f"o{k}", "depot", f"c{k}", service_s=90 * scale, windows=((2_900 * scale, 3_300 * scale),))
        for k in range(1, 5)
    ]
    kind = replace(
        VAN, shift_start_s=0, shift_end_s=4_000 * scale, max_drive_s=4_000 * scale, max_rounds=1, stop_s=0,
        cost_per_h=0.0, energy_source="none", max_continuous_drive_s=None,
    )  # fmt: skip
    made = problem(spots, wanted, [(kind, "depot", 4)])
    slow = {key: replace(matrix, duration_s=matrix.duration_s * scale // 10) for key, matrix in made.matrices.items()}
    made = replace(made, matrices=slow, rates=replace(made.rates, unit_s=0.0))
    plan = solve(made, Limits(None, 20), 1).plan
    assert not plan.unassigned
    assert check_problem_plan(made, plan).violations == ()
    rounds: dict[str, int] = {}
    for route in plan.routes:
        rounds[route.carrier] = rounds.get(route.carrier, 0) + 1
    assert set(rounds.values()) == {1}
    assert all(isinstance(made.carrier_by_id[carrier], Vehicle) for carrier in rounds)
