"""The innermost loop of drawing paths, compiled: from OSM node ids to places in the network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodata.compiled import compiled

IntArray = npt.NDArray[np.int64]


@compiled
def indices_along(wanted: IntArray, node_id: IntArray, first_edge: IntArray, edge_to: IntArray) -> IntArray:
    """Return the index of each OSM node id of a path, -1 for those the network does not have.

    The next node of a path is nearly always the end of an edge of the one before, found without looking through all.

    Parameters
    ----------
    wanted
        OSM node ids in the order of the path.
    node_id
        Ids of the network's nodes, ascending.
    first_edge, edge_to
        Edges out of each node, as in `streets.StreetNetwork`.
    """
    found = np.empty(len(wanted), dtype=np.int64)
    here = -1
    for k in range(len(wanted)):
        node = -1
        if here >= 0:
            for edge in range(first_edge[here], first_edge[here + 1]):
                if node_id[edge_to[edge]] == wanted[k]:
                    node = edge_to[edge]
                    break
        if node < 0:
            place = np.searchsorted(node_id, wanted[k])
            if place < len(node_id) and node_id[place] == wanted[k]:
                node = place
        found[k] = here = node
    return found
