"""Unit tests of the families vrptw and mtvrptwr: reading, judging, and the figures of ``shanlu bench``."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from geodata.errors import InputError
from routing.instances import mtvrptwr, vrptw
from routing.instances.bench import bench_instance, instances_below
from routing.instances.family import PublishedInstance
from routing.instances.registry import FAMILIES
from routing.model.plan import Plan, Route, Stop
from routing.solver import Limits, solve

SOLOMON = """T1

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.   XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME
    0      0         0          0          0       100          0
    1      3         4          4          0        50          2
    2      0         5.5        4         20        40          2
    3     -3         4          4          0        50          2
"""
MULTI = """NAME: T2
TYPE: MTVRPTWR
EDGE_WEIGHT_TYPE: EUC_2D
DIMENSION: 4
VEHICLES: 1
CAPACITY: 8
SERVICE_TIME: 2
NODE_COORD_SECTION
1 0 0
2 3 4
3 0 5
4 -3 4
DEMAND_SECTION
1 0
2 4
3 4
4 4
TIME_WINDOW_SECTION
1 0 100
2 0 90
3 0 90
4 0 90
RELEASE_TIME_SECTION
1 0
2 0
3 0
4 30
VEHICLES_RELOAD_DEPOT_SECTION
1 1
DEPOT_SECTION
1
EOF
"""


def written(folder: Path, name: str, text: str) -> Path:
    """Return the path of a file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def solomon(tmp_path: Path) -> PublishedInstance:
    """Return the small instance in Solomon's format, its best value known to be 22.5 by a table above it."""
    folder = tmp_path / "set"
    folder.mkdir()
    written(tmp_path, "best_known.csv", "instance,bks_dimacs_trunc1\nT1,22.5\n")
    return vrptw.read(written(folder, "t1.txt", SOLOMON))


@pytest.fixture
def multi(tmp_path: Path) -> PublishedInstance:
    """Return the small instance of several rounds, its best value known by the file beside it."""
    written(tmp_path, "T2.sol", "Route #1: 1 2 0 3\nCost: 262\n")
    return mtvrptwr.read(written(tmp_path, "T2.vrp", MULTI))


def test_solomon_files_become_problems_in_tenths(solomon: PublishedInstance) -> None:
    """Tests that distances and times are tenfold and cut, and that the table above gives the best value."""
    matrix = solomon.problem.matrices["plane"]
    assert matrix.distance_m[0].tolist() == [0, 50, 55, 50]
    assert solomon.problem.orders[1].windows == ((200, 400),)
    assert [order.service_s for order in solomon.problem.orders] == [20, 20, 20]
    assert (solomon.name, solomon.best_known, len(solomon.problem.vehicles)) == ("T1", 22.5, 2)
    assert {vehicle.type.max_rounds for vehicle in solomon.problem.vehicles} == {1}


def test_multi_trip_files_become_problems_with_releases(multi: PublishedInstance) -> None:
    """Tests that releases, service times and any number of rounds are read, and the value beside the file."""
    assert [order.release_s for order in multi.problem.orders] == [0, 0, 300]
    assert multi.problem.vehicles[0].type.max_rounds is None
    assert multi.best_known == 262


def test_both_are_solved_and_judged(solomon: PublishedInstance, multi: PublishedInstance) -> None:
    """Tests that plans of the solver are feasible for the judge, at the cost driven."""
    one = solomon.judge(solve(solomon.problem, Limits(None, 30), 1).plan)
    two = multi.judge(solve(multi.problem, Limits(None, 30), 1).plan)
    assert (one.feasible, one.vehicles) == (True, 2)
    assert one.objective == pytest.approx(23.8)
    assert (two.feasible, two.objective, two.vehicles) == (True, 231.0, 1)


Damage = Callable[[Route], Route]


def _stop(route: Route, number: int, change: Callable[[Stop], Stop]) -> Route:
    stops = tuple(change(stop) if k == number else stop for k, stop in enumerate(route.stops))
    return replace(route, stops=stops)


DAMAGES: dict[str, Damage] = {
    "leaves out": lambda route: _stop(route, 1, lambda stop: replace(stop, unload=())),
    "too early": lambda route: _stop(route, 1, lambda stop: replace(stop, arrival_s=0, service_start_s=0)),
    "too short": lambda route: _stop(route, 1, lambda stop: replace(stop, departure_s=stop.service_start_s)),
    "elsewhere": lambda route: _stop(route, 1, lambda stop: replace(stop, place="9")),
    "late": lambda route: _stop(route, len(route.stops) - 1, lambda stop: replace(stop, arrival_s=2_000)),
    "unreleased": lambda route: _stop(route, 0, lambda stop: replace(stop, departure_s=-1)),
    "no way back": lambda route: replace(route, stops=route.stops[:-1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_judge_finds_damage(solomon: PublishedInstance, damage: str) -> None:
    """Tests that each damage to the first round of a sound plan makes it infeasible."""
    plan = solve(solomon.problem, Limits(None, 20), 1).plan
    broken = Plan((DAMAGES[damage](plan.routes[0]), *plan.routes[1:]))
    verdict = solomon.judge(broken)
    assert not verdict.feasible
    assert verdict.objective is None


def test_the_judge_counts_vehicles_loads_and_overlaps(solomon: PublishedInstance, multi: PublishedInstance) -> None:
    """Tests that a second round, too many vehicles, an overfull vehicle and overlapping rounds are found."""
    plan = solve(solomon.problem, Limits(None, 20), 1).plan
    same = Plan(tuple(replace(route, carrier="vehicle-1") for route in plan.routes))
    assert any("makes 2 rounds" in fault for fault in solomon.judge(same).faults)
    many = Plan(tuple(replace(route, carrier=f"x{k}") for k, route in enumerate((*plan.routes, *plan.routes))))
    assert any("4 vehicles of 2" in fault for fault in solomon.judge(many).faults)
    rounds = solve(multi.problem, Limits(None, 20), 1).plan.routes
    late = _stop(rounds[0], len(rounds[0].stops) - 1, lambda stop: replace(stop, arrival_s=999))
    assert any("before it is back" in fault for fault in multi.judge(Plan((late, *rounds[1:]))).faults)
    joined = replace(rounds[0], stops=(*rounds[0].stops[:-1], *rounds[1].stops[1:]))
    assert any("carries 12 of 8" in fault for fault in multi.judge(Plan((joined,))).faults)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  2         10", "  2", "row 5"),
        ("3         4          4", "3         x          4", "YCOORD."),
        ("    2      0  ", "    7      0  ", "CUSTOMER"),
        ("20        40", "50        40", "window"),
        ("VEHICLE", "NOTHING", "VEHICLE"),
    ],
)
def test_broken_solomon_files_are_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Tests that what is wrong with a file is told with its row or field."""
    assert old in SOLOMON
    with pytest.raises(InputError, match=told):
        vrptw.read(written(tmp_path, "t.txt", SOLOMON.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("CAPACITY: 8", "CAPACITY: many", "CAPACITY"),
        ("DEMAND_SECTION\n1 0\n", "DEMAND_SECTION\n", "DEMAND_SECTION"),
        ("EUC_2D", "EXPLICIT", "EDGE_WEIGHT_TYPE"),
        ("2 3 4", "2 three 4", "row 10"),
        ("4 30", "4 30 1", "row 27"),
        ("DEPOT_SECTION\n1\nEOF", "DEPOT_SECTION\n2\nEOF", "DEPOT_SECTION"),
        ("2 0 90", "2 95 90", "TIME_WINDOW"),
        ("RELEASE_TIME_SECTION", "PRIZE_SECTION", "PRIZE_SECTION"),
        ("SERVICE_TIME: 2", "SERVICE_TIME: two", "SERVICE_TIME"),
    ],
)
def test_broken_vrplib_files_are_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Tests that what is wrong with a file, or beyond the family, is told with its row or field."""
    assert old in MULTI
    with pytest.raises(InputError, match=told):
        mtvrptwr.read(written(tmp_path, "t.vrp", MULTI.replace(old, new, 1)))


@pytest.mark.parametrize("family", ["vrptw", "mtvrptwr"])
def test_absent_and_empty_files_are_told(tmp_path: Path, family: str) -> None:
    """Tests that a missing, an empty and a binary file are input errors."""
    binary = tmp_path / "b"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none", written(tmp_path, "e", ""), binary):
        with pytest.raises(InputError):
            FAMILIES[family].read(path)


def test_bench_prints_all_figures(tmp_path: Path) -> None:
    """Tests that an instance without a known best value has all figures but the gap, ready for JSON."""
    path = written(tmp_path, "t9.txt", SOLOMON)
    figures = bench_instance("vrptw", path, time_limit_s=0.6, seed=1)
    json.dumps(figures)
    assert figures["feasible"] is True
    assert (figures["best_known"], figures["gap_pct"], figures["vehicles"]) == (None, None, 2)
    assert instances_below("vrptw", tmp_path) == (path,)
    with pytest.raises(InputError):
        instances_below("mtvrptwr", tmp_path)
    with pytest.raises(InputError, match="FAMILY"):
        bench_instance("vrp", path, time_limit_s=1.0, seed=1)
