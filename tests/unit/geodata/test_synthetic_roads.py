from collections import Counter

import numpy as np
import pytest

from geodata.location import Level
from geodata.synthetic_roads import ROAD_CLASSES, TRACK, UNCLASSIFIED, RoadPlan, chains, lay_roads
from geodata.synthetic_settlements import Settlement, settle
from geodata.synthetic_terrain import Relief, Streams, make_relief


def plan_of(cols: int, *lines: tuple[list[int], int]) -> RoadPlan:
    plan = RoadPlan(cols)
    for cells, rank in lines:
        plan.add_path(cells, ROAD_CLASSES[rank])
    return plan


def test_chains_end_at_junctions_and_class_changes() -> None:
    """Tests that a cross of two roads gives four chains, and a change of class cuts one of them."""
    plan = plan_of(10, ([40, 41, 42, 43, 44], 2), ([22, 32, 42, 52], 2), ([52, 62], 3))
    found = {tuple(min(cells, cells[::-1])): rank for cells, rank in chains(plan)}
    assert found == {(40, 41, 42): 2, (42, 43, 44): 2, (22, 32, 42): 2, (42, 52): 2, (52, 62): 3}


def test_chains_cover_a_ring_without_ends() -> None:
    """Tests that a ring of road without any junction comes out whole, once."""
    plan = plan_of(10, ([0, 1, 11, 10, 0], 2))
    (ring,) = [cells for cells, _ in chains(plan)]
    assert ring[0] == ring[-1]
    assert set(ring) == {0, 1, 10, 11}


def test_kept_cells_split_chains() -> None:
    """Tests that a cell to be kept ends a chain."""
    plan = plan_of(10, ([0, 1, 2, 3], 2))
    assert [cells for cells, _ in chains(plan, {2})] == [[0, 1, 2], [2, 3]]


def test_the_better_class_stays() -> None:
    """Tests that a village road laid along the province road leaves it a province road."""
    plan = plan_of(10, ([0, 1, 2], 0), ([1, 2, 3], 2))
    assert plan.links == {(0, 1): 0, (1, 2): 0, (2, 3): 2}


def ridge(height_m: float) -> Relief:
    """A flat square with a wall across that has one gap in the west, and a river far in the east."""
    n = 60
    z = np.zeros((n, n))
    z[28:32, 6:] = height_m
    river = np.full((n, n), 1e4)
    river[:, 55] = 0.0
    one = np.zeros(1)
    streams = Streams(one, one, one, one, np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_))
    return Relief(90.0, z, streams, river, river)


def place(level: Level, row: int, col: int) -> Settlement:
    return Settlement(level, "x", "x", row, col, 100, None)


@pytest.mark.parametrize(("height_m", "goes_round"), [(300.0, True), (2.0, False)])
def test_roads_go_round_what_is_too_steep(height_m: float, goes_round: bool) -> None:
    """Tests that a road takes the gap in a high wall, and crosses a low one straight."""
    places = [place(Level.COUNTY, 10, 50), place(Level.TOWN, 10, 30), place(Level.VILLAGE, 50, 30)]
    places += [place(Level.GROUP, 50, 34)]
    plan = lay_roads(ridge(height_m), places, 0, 1)
    used = {cell for pair in plan.links for cell in pair}
    crossing = {cell % plan.cols for cell in used if 28 <= cell // plan.cols < 32}
    assert crossing
    assert (max(crossing) < 8) is goes_round


@pytest.fixture(scope="module")
def laid() -> tuple[Relief, list[Settlement], RoadPlan]:
    relief = make_relief(15_000.0, 700.0, 3)
    settlements = settle(relief, 3, 12, 60, 3)
    return relief, settlements, lay_roads(relief, settlements, 2, 3)


def test_every_place_with_a_road_is_joined_to_the_hub(laid: tuple[Relief, list[Settlement], RoadPlan]) -> None:
    """Tests that all settlements but the roadless hang together by roads, and the roadless do not."""
    _, settlements, plan = laid
    around: dict[int, set[int]] = {}
    for (a, b), rank in plan.links.items():
        if rank <= TRACK.rank:
            around.setdefault(a, set()).add(b)
            around.setdefault(b, set()).add(a)
    cell = [place.row * plan.cols + place.col for place in settlements]
    seen, todo = {cell[0]}, [cell[0]]
    while todo:
        for near in around[todo.pop()] - seen:
            seen.add(near)
            todo.append(near)
    assert {k for k in range(len(cell)) if cell[k] not in seen} == set(plan.roadless)
    assert len(plan.roadless) == 2
    assert all(settlements[k].level is Level.GROUP for k in plan.roadless)


def test_roads_keep_the_grade_of_their_class(laid: tuple[Relief, list[Settlement], RoadPlan]) -> None:
    """Tests that 98 % of each class's length is laid within its grade, on the bare relief."""
    relief, _, plan = laid
    z = relief.elevation_m.ravel()
    total, steep = Counter[int](), Counter[int]()
    for (a, b), rank in plan.links.items():
        length_m = 90.0 * np.hypot(a // plan.cols - b // plan.cols, a % plan.cols - b % plan.cols)
        total[rank] += length_m
        if abs(z[a] - z[b]) / length_m > ROAD_CLASSES[rank].max_grade + 1e-9:
            steep[rank] += length_m
    assert all(steep[rank] <= 0.02 * total[rank] for rank in total)


def test_loops_add_roads(laid: tuple[Relief, list[Settlement], RoadPlan]) -> None:
    """Tests that with loops there are more village roads than without."""
    relief, settlements, plan = laid
    tree = lay_roads(relief, settlements, 0, 3)
    count = [sum(rank == UNCLASSIFIED.rank for rank in found.links.values()) for found in (plan, tree)]
    assert count[0] > count[1]
