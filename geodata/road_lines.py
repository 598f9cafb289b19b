"""Road lines: segments joined to the lines people drive, across the places where OSM cuts a road into ways."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def road_lines(start: IntArray, end: IntArray, way: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield lines of segments that follow each other along a way, or over a node where only two segments meet.

    OSM cuts a road wherever a tag changes (a bridge, a speed limit). The road goes on there, and so does its bend.

    Parameters
    ----------
    start, end
        End nodes of each segment, shape (s,); segments of a way follow each other.
    way
        Way of each segment, shape (s,).

    Yields
    ------
    tuple
        Segments of a line in order, shape (k,), and its nodes, shape (k + 1,). Every segment is in exactly one line.
    """
    ends = np.column_stack([start, end])
    after = _links(start, end, way)
    ends_list, after_list = ends.tolist(), after.tolist()
    seen = np.zeros(start.size, dtype=np.bool_)
    loose = np.flatnonzero((after < 0).any(axis=1))
    for first in np.concatenate([loose, np.arange(start.size)]).tolist():  # rings have no loose end and come last
        if seen[first]:
            continue
        side = 0 if after_list[first][0] < 0 or after_list[first][1] >= 0 else 1
        segments, nodes = _walk(first, side, ends_list, after_list)
        seen[segments] = True
        yield np.array(segments, dtype=np.int64), np.array(nodes, dtype=np.int64)


def _links(start: IntArray, end: IntArray, way: IntArray) -> IntArray:
    """Return the segment that goes on at the start and at the end of each segment, shape (s, 2), -1 for none."""
    count = start.size
    after = np.full((count, 2), -1, dtype=np.int64)
    along = np.flatnonzero((way[1:] == way[:-1]) & (start[1:] == end[:-1]))
    after[along, 1], after[along + 1, 0] = along + 1, along
    node = np.concatenate([start, end])
    order = np.argsort(node, kind="stable")
    sorted_node = node[order]
    alone = np.bincount(node)[sorted_node] == 2
    pairs = order[alone].reshape(-1, 2)
    segment, side = pairs % count, pairs // count
    free = (after[segment[:, 0], side[:, 0]] < 0) & (after[segment[:, 1], side[:, 1]] < 0)
    segment, side = segment[free], side[free]
    after[segment[:, 0], side[:, 0]] = segment[:, 1]
    after[segment[:, 1], side[:, 1]] = segment[:, 0]
    return after


def _walk(first: int, side: int, ends: list[list[int]], after: list[list[int]]) -> tuple[list[int], list[int]]:
    """Return the segments and nodes met from a segment's `side` (0: its start) to the end of the line."""
    segments, nodes = [first], [ends[first][side], ends[first][1 - side]]
    current, leaving = first, 1 - side
    while True:
        following = after[current][leaving]
        if following < 0 or following == first:
            return segments, nodes
        entered = 0 if ends[following][0] == nodes[-1] and after[following][0] == current else 1
        segments.append(following)
        nodes.append(ends[following][1 - entered])
        current, leaving = following, 1 - entered
