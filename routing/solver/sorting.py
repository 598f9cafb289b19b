"""Sorting in compiled loops: numpy's would take seconds to compile."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from routing.solver.machine_code import inner


@inner
def sort_by_key(items: npt.NDArray[np.int64], keys: npt.NDArray[np.float64], count: int) -> None:
    """Sort the first `count` items by their keys, both in place, least key first; equal keys keep their order."""
    for q in range(1, count):
        item, key, at = items[q], keys[q], q
        while at > 0 and keys[at - 1] > key:
            items[at], keys[at] = items[at - 1], keys[at - 1]
            at -= 1
        items[at], keys[at] = item, key
