"""Unit tests of joining segments to road lines (geodata.road_lines)."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geodata.road_lines import road_lines


def lines(segments: list[tuple[int, int]], way: list[int]) -> list[tuple[list[int], list[int]]]:
    start, end = np.array(segments, dtype=np.int64).T
    return [(s.tolist(), n.tolist()) for s, n in road_lines(start, end, np.array(way, dtype=np.int64))]


def test_ways_that_meet_alone_are_one_line() -> None:
    """Tests that two ways joined end to end are one line, also where one is drawn the other way round."""
    assert lines([(0, 1), (1, 2)], [1, 2]) == [([0, 1], [0, 1, 2])]
    assert lines([(0, 1), (2, 1), (3, 2)], [1, 2, 2]) == [([0, 1, 2], [0, 1, 2, 3])]


def test_a_junction_ends_side_roads_and_not_the_way_through() -> None:
    """Tests that a way goes on through a junction and the road that joins it there ends."""
    assert lines([(0, 1), (1, 2), (1, 3)], [1, 1, 2]) == [([0, 1], [0, 1, 2]), ([2], [1, 3])]


def test_a_gap_ends_a_line() -> None:
    """Tests that a way cut by a missing node is two lines."""
    assert lines([(0, 1), (2, 3)], [1, 1]) == [([0], [0, 1]), ([1], [2, 3])]


def test_a_ring_is_one_line() -> None:
    """Tests that a roundabout of its own, drawn as one or two ways, is walked round once."""
    assert lines([(0, 1), (1, 2), (2, 0)], [1, 1, 1]) == [([0, 1, 2], [0, 1, 2, 0])]
    ((segments, nodes),) = lines([(0, 1), (0, 1)], [1, 2])
    assert sorted(segments) == [0, 1]
    assert nodes == [0, 1, 0]


@given(st.lists(st.lists(st.integers(0, 12), min_size=2, max_size=8), min_size=1, max_size=10))
def test_every_segment_is_in_one_connected_line(ways: list[list[int]]) -> None:
    """Tests on random ways that lines cover each segment once and their nodes are the segments' ends in order."""
    pairs = [(way, a, b) for way, nodes in enumerate(ways) for a, b in pairwise(nodes) if a != b]
    if not pairs:
        return
    way, start, end = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    met = []
    for segments, nodes in road_lines(start, end, way):
        assert nodes.size == segments.size + 1
        for segment, (a, b) in zip(segments.tolist(), pairwise(nodes.tolist()), strict=True):
            assert {int(start[segment]), int(end[segment])} == {a, b}
        met += segments.tolist()
    assert sorted(met) == list(range(start.size))
