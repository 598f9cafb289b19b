"""Unit tests of compiled functions called without their dispatcher."""

import numpy as np

from routing.solver.day_loops import pile
from routing.solver.machine_code import direct


def test_called_directly_a_function_gives_what_it_gives_otherwise() -> None:
    """Tests the first call, which looks at types, and later ones, which do not."""
    room, quick = np.array([5.0, 2.0]), direct(pile)
    for first, fits in ((1.0, True), (2.0, True), (3.0, False)):
        changes = np.array([[first, 1.0, -1.0], [0.5, 0.25, 0.25]]) * 1.5
        other = changes.copy()
        assert quick(changes, room) is pile(other, room) is fits
        assert (changes == other).all()
