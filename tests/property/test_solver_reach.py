"""Property tests of the fleets' estimates: all at once they are what the scalar formula says of each."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from problems import county

from routing.solver.instance import compile_instance
from routing.solver.reach import Reach, fleet_estimate


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_estimates_of_all_fleets_equal_the_scalar_formula(seed: int) -> None:
    """Tests that rides from the base, to it and past it are estimated alike, and refused alike."""
    instance = compile_instance(county(seed, orders=5))
    reach = Reach(instance)
    places = range(len(instance.places))
    for origin, destination in ((a, b) for a in places for b in places if a != b):
        found = reach.between(origin, destination)
        for fleet in instance.fleets:
            expected = fleet_estimate(fleet, origin, destination)
            assert math.isclose(found[fleet.index], math.inf if expected is None else expected, rel_tol=1e-9)
            if origin == fleet.base:
                assert math.isclose(reach.home[fleet.index, destination], found[fleet.index], rel_tol=1e-9)
