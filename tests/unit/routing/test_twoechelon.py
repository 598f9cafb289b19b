"""Tests of the adapter and the judge of the family 2ecvrptw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from geodata.errors import InputError
from routing.instances.twoechelon import FAMILY, read_twoechelon
from routing.model.plan import Plan
from routing.solver.planner import solve
from routing.solver.stopping import Limits
from tests.echelon_world import small_file, written


def test_figures(tmp_path: Path) -> None:
    """Tests that lengths are rounded up, windows and costs scaled, and all depots hold all goods."""
    content = small_file(1, 3)
    problem = FAMILY.read(written(tmp_path, content)).problem
    customer, satellite = content["customers"][0], content["satellites"][0]
    length = ((customer["x"] - satellite["x"]) ** 2 + (customer["y"] - satellite["y"]) ** 2) ** 0.5
    assert 0 <= problem.travel_s("s100", "s100", "c0") - 1_000 * length < 1
    order = problem.order_by_id["0"]
    assert order.windows == (tuple(1_000 * edge for edge in customer["time_window"]),)
    assert (order.from_id, order.also_from) == ("d200", ("d201",))
    assert {vehicle.type.fixed_cost for vehicle in problem.vehicles} == {50_000.0, 25_000.0}
    assert {vehicle.type.stop_s for vehicle in problem.vehicles if vehicle.base == "d200"} == {10_000}


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.pop(key)


def _set(*path: Any, value: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        spot: Any = content
        for key in path[:-1]:
            spot = spot[key]
        spot[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "spoil",
    [
        _without("cdcs"),
        _set("customers", value=[]),
        _set("customers", 0, "demand", value=0),
        _set("customers", 0, "x", value="far"),
        _set("customers", 1, "id", value=0),
        _set("customers", 0, "time_window", value=[5]),
        _set("customers", 0, "time_window", value=[9, 5]),
        _set("satellites", 0, "service_time", value=99),
        _set("second_level_vehicles", "capacity", value=0),
    ],
)
def test_broken_figures(tmp_path: Path, spoil: Callable[[dict[str, Any]], None]) -> None:
    """Tests that a file with a hole or a contradiction is refused with its name."""
    content = small_file(1, 3)
    spoil(content)
    with pytest.raises(InputError) as caught:
        read_twoechelon(written(tmp_path, content))
    assert {(fault.code, fault.file) for fault in caught.value.faults} == {("BROKEN_FILE", "day.json")}


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_broken_text(tmp_path: Path, text: str) -> None:
    """Tests that what is no JSON object is refused, and so is a file that is not there."""
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    for wrong in (path, tmp_path / "none.json"):
        with pytest.raises(InputError):
            read_twoechelon(wrong)


def test_best_known(tmp_path: Path) -> None:
    """Tests that the best value is that of the instance in its own set."""
    folder = tmp_path / "SetX"
    folder.mkdir()
    path = written(folder, small_file(1, 3))
    table = 'set,instance,value\nSetY,"day",1.5\nSetX,"day",2.5\n'
    (tmp_path / "best_known.csv").write_text(table, encoding="utf-8")
    assert read_twoechelon(path).best_known == 2.5


def test_judge_finds_faults(tmp_path: Path) -> None:
    """Tests that the judge accepts a sound plan and no plan with a route less, twice, too late or overloaded."""
    content = small_file(2, 4)
    published = read_twoechelon(written(tmp_path, content))
    plan = solve(published.problem, Limits(None, max_iterations=2), 1).plan
    assert published.judge(plan).feasible
    for k, route in enumerate(plan.routes):
        others = plan.routes[:k] + plan.routes[k + 1 :]
        assert not published.judge(Plan(others)).feasible
        assert not published.judge(Plan((*plan.routes, replace(route, id="again", carrier="again")))).feasible
    content["satellites"][0]["service_time"] = content["satellites"][1]["service_time"] = 300
    late = read_twoechelon(written(tmp_path, content)).judge(plan)
    assert any("late" in fault for fault in late.faults)
    content["second_level_vehicles"]["capacity"] = 0.5
    overloaded = read_twoechelon(written(tmp_path, content)).judge(plan)
    assert any("overloaded" in fault for fault in overloaded.faults)
    assert overloaded.objective is None


def test_published(shared_data: Path) -> None:
    """Tests that a published instance reads with its optimum."""
    path = shared_data.parent / "benchmarks" / "2ecvrptw" / "SetD" / "pe_SetD_Ca2-2,3,15.txt_2.json"
    if not path.is_file():
        pytest.skip("published instances are not beside the shared data")
    published = read_twoechelon(path)
    assert (published.best_known, len(published.problem.orders)) == (548.954, 15)
