"""GCJ-02 against the published pairs of eviltransform, and there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.gcj02 import gcj02_of_wgs84, wgs84_of_gcj02

PAIRS = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]
METRE_DEG = 1.0 / 111_000.0


@pytest.mark.parametrize(("true", "shifted"), PAIRS)
def test_published_pairs(true: tuple[float, float], shifted: tuple[float, float]) -> None:
    """Tests that Shanghai, Shenzhen and Beijing are shifted as the reference converter's own tests say."""
    found = gcj02_of_wgs84(np.array([true[0]]), np.array([true[1]]))
    assert np.abs(np.ravel(found) - shifted).max() < METRE_DEG / 10
    back = wgs84_of_gcj02(np.array([shifted[0]]), np.array([shifted[1]]))
    assert np.abs(np.ravel(back) - true).max() < METRE_DEG / 10


@given(st.floats(73.0, 135.0), st.floats(4.0, 54.0))
def test_there_and_back(lon: float, lat: float) -> None:
    """Tests that the way back undoes the shift to a millimetre, and that there is a shift."""
    there = gcj02_of_wgs84(np.array([lon]), np.array([lat]))
    assert np.abs(np.ravel(there) - (lon, lat)).max() > 10 * METRE_DEG
    back = wgs84_of_gcj02(*there)
    assert np.abs(np.ravel(back) - (lon, lat)).max() < METRE_DEG / 1_000


def test_outside_nothing_moves() -> None:
    """Tests that Andorra stays where it is."""
    assert np.ravel(wgs84_of_gcj02(np.array([1.52]), np.array([42.5]))).tolist() == [1.52, 42.5]
