"""The adapter of the Li & Lim family."""

from dataclasses import replace
from pathlib import Path

import pytest

from geodata.errors import InputError
from geodata.location import Level
from routing.checker.problem_facts import check_problem_plan
from routing.instances.pdptw import read
from routing.model.plan import Plan
from routing.solver import Limits, solve

# Two pairs: 1 -> 3 and 2 -> 4. The service times of the second pair differ.
SMALL = """\
3\t10\t1
0\t0\t0\t0\t0\t100\t0\t0\t0
1\t3\t4\t6\t0\t50\t2\t0\t3

2\t0\t5\t6\t10\t50\t2\t0\t4
3\t6\t8\t-6\t0\t90\t2\t1\t0
4\t0\t9\t-6\t0\t90\t5\t2\t0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tiny.txt"
    path.write_text(text, encoding="ascii")
    return path


def test_nodes_become_places_and_pairs_orders(tmp_path: Path) -> None:
    """Tests that windows, loads, service times of both ends and exact lengths reach the problem at one scale."""
    (tmp_path / "best_known.csv").write_text("instance,bks_vehicles,bks_distance\nTINY,1,25.5\n", encoding="utf-8")
    instance = read(written(tmp_path, SMALL))
    assert (instance.family, instance.name, instance.best_vehicles, instance.best_known) == ("pdptw", "tiny", 1, 25.5)
    problem = instance.problem
    scale = 10_000
    assert [(order.from_id, order.to_id, order.weight_kg) for order in problem.orders] == [
        ("n1", "n3", 6.0),
        ("n2", "n4", 6.0),
    ]
    assert problem.travel_s("road", "n0", "n1") == 5 * scale
    assert problem.travel_s("road", "n1", "n2") == 31_623  # the root of 10 rounded up
    assert (problem.place_by_id["n2"].opens_s, problem.place_by_id["n2"].closes_s) == (10 * scale, 50 * scale)
    assert problem.orders[1].windows == ((0, 90 * scale),)
    assert problem.orders[1].service_s == 2 * scale
    assert problem.place_by_id["n4"].level is Level.TOWN
    assert problem.rates.unit_s * problem.orders[1].pieces == 5 * scale
    assert problem.place_by_id["n2"].level is Level.GROUP
    assert len(problem.vehicles) == 3
    assert problem.vehicles[0].type.max_rounds == 1


def test_plans_are_judged_by_the_file(tmp_path: Path) -> None:
    """Tests that a plan gets its distance and vehicles, and that each broken rule of the family is named."""
    instance = read(written(tmp_path, SMALL))
    plan = solve(instance.problem, Limits(None, 50), seed=1).plan
    assert check_problem_plan(instance.problem, plan).violations == ()
    verdict = instance.judge(plan)
    assert verdict.feasible
    assert verdict.vehicles == 1
    assert verdict.objective == pytest.approx(29.708, abs=0.001)
    route = plan.routes[0]

    def judged(*places: str) -> str:
        stops = tuple(replace(stop, place=place) for stop, place in zip(route.stops, places, strict=False))
        return " ".join(instance.judge(Plan((replace(route, stops=stops),))).faults)

    assert "overloaded after node 2" in judged("n0", "n1", "n2", "n3", "n4", "n0")
    assert "without its pickup" in judged("n0", "n3", "n1", "n2", "n4", "n0")
    assert "exactly once" in judged("n0", "n1", "n3", "n0")
    assert "from the depot" in judged("n1", "n3", "n2", "n4", "n0", "n0")
    assert "two routes" in " ".join(instance.judge(Plan((route, route))).faults)
    late = read(written(tmp_path, SMALL.replace("3\t6\t8\t-6\t0\t90", "3\t6\t8\t-6\t0\t9")))
    assert "late at node 3" in " ".join(late.judge(plan).faults)


def test_a_long_day_gets_a_coarser_scale(tmp_path: Path) -> None:
    """Tests that times stay below a hundred days of seconds."""
    instance = read(written(tmp_path, SMALL.replace("\t100\t", "\t10000\t")))
    assert instance.problem.vehicles[0].type.shift_end_s == 1_000_000


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (SMALL, "", "empty"),
        ("3\t10\t1\n", "3\t10\n", "first line"),
        ("3\t10\t1\n", "0\t10\t1\n", "no vehicles"),
        ("\t0\t3\n", "\t0\n", "9 columns"),
        ("\t0\t3\n", "\t0\tx\n", "cannot be read"),
        ("1\t3\t4", "1\tnan\t4", "no position"),
        ("1\t3\t4\t6", "1\t3\t4\t6.5", "whole number"),
        ("1\t3\t4", "7\t3\t4", "stands where"),
        ("\t10\t50", "\t60\t50", "ends before"),
        ("-6\t0\t90\t2\t1\t0", "-6\t0\t90\t2\t2\t0", "name each other"),
        ("-6\t0\t90\t2\t1\t0", "-5\t0\t90\t2\t1\t0", "opposite demands"),
    ],
)
def test_broken_files_are_refused_with_the_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """Tests that what is no whole instance ends in a fault that says why."""
    with pytest.raises(InputError, match=reason):
        read(written(tmp_path, SMALL.replace(old, new)))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """Tests that a file that is not there ends in a fault."""
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.txt")


def test_published_files_are_read(shared_data: Path) -> None:
    """Tests that every published file at hand is read whole, with its best known value."""
    folder = shared_data.parent / "benchmarks" / "pdptw"
    paths = sorted(folder.glob("li_lim_*/*.txt"))
    if not paths:
        pytest.skip("no published instances at hand")
    for path in paths[::10]:
        instance = read(path)
        assert instance.best_known is not None
        assert instance.best_vehicles is not None
        assert len(instance.problem.orders) * 2 == len(instance.problem.places) - 1
