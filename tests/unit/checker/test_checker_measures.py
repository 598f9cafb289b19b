"""What the checker reckons itself, against figures reckoned by hand: ways, money, stores, flights."""

import math
from dataclasses import replace

import numpy as np
import pytest
from breaking import SORTIE, VAN, shifted, with_movement, with_place, with_roads, with_route
from checker_world import make_world
from shapely.geometry import LineString

from geodata.location import great_circle_m
from geodata.streets import Closure
from routing.checker.check import check_document
from routing.checker.codes import Code
from routing.checker.costs import reckon_costs
from routing.checker.flight import SAMPLE_EVERY_M, sample_line
from routing.checker.goods import box_count, carried_mass_kg, carried_volume_l, heaviest_piece_kg
from routing.checker.journeys import Case

VAN_KEY = "van_diesel@1.8m,2m,2200kg"


def test_way_of_a_van_by_hand() -> None:
    """Tests that 964 m of flat primary road take their length over 60 km/h."""
    walk = make_world().facts.roads.walk(VAN_KEY, (1, 2), 0, 0)
    length_m = float(great_circle_m(np.array([105.0]), np.array([30.0]), np.array([105.01]), np.array([30.0]))[0])
    assert walk.distance_m == pytest.approx(length_m, rel=2e-3)
    assert walk.duration_s == pytest.approx(walk.distance_m / (60 / 3.6), rel=1e-9)


def test_join_by_hand() -> None:
    """Tests that the last metres go straight at the profile's walking pace."""
    facts = make_world().facts
    join = facts.roads.join(VAN_KEY, facts.places["hub"], 1)
    straight_m = math.hypot(0.0003 * 96_486, 0.0003 * 110_853)
    assert join.distance_m == pytest.approx(straight_m, rel=5e-3)
    assert join.access_s == pytest.approx(join.distance_m / 1.2)
    assert facts.roads.join(VAN_KEY, facts.places["hub"], 99) is None


@pytest.mark.parametrize(
    ("from_s", "until_s", "closed"),
    [(0, 99, False), (0, 100, True), (150, 160, True), (199, 300, True), (200, 300, False)],
)
def test_closed_at_any_moment_of_the_way(from_s: int, until_s: int, closed: bool) -> None:
    """Tests that a closure binds from its first second to the one before its end."""
    shut = Closure("C", "closed", LineString([(105.001, 30.0), (105.009, 30.0)]), 100, 200)
    walk = with_roads(make_world().facts, shut).roads.walk(VAN_KEY, (1, 2, 3), from_s, until_s)
    assert (walk.closed_at == 0) is closed


def test_closure_of_another_profile_or_month_does_not_bind() -> None:
    """Tests that closures hold for the profiles and months they name."""
    line = LineString([(105.001, 30.0), (105.009, 30.0)])
    others = (
        Closure("A", "closed", line, applies_to=("truck",)),
        Closure("B", "closed", line, months=(1,)),
    )
    assert with_roads(make_world().facts, *others).roads.walk(VAN_KEY, (1, 2), 0, 10).closed_at is None
    mine = Closure("C", "restricted", line, applies_to=("van_diesel",))
    assert with_roads(make_world().facts, mine).roads.walk(VAN_KEY, (1, 2), 0, 10).closed_at == 0


def test_boxes_count_in_mass_and_volume() -> None:
    """Tests that an order of 61 litres needs three boxes of 30 litres, whose mass and outer volume count."""
    facts = make_world().facts
    order = replace(facts.orders["o4"], volume_l=61.0, weight_kg=10.0, pieces=2)
    assert box_count(facts.products.boxes["ice"], 61.0) == 3
    assert carried_mass_kg(facts, order, "ice") == 10.0 + 3 * 6.0
    assert carried_volume_l(facts, order, "ice") == 3 * 60.0
    assert heaviest_piece_kg(facts, order, "ice") == 5.0 + 6.0
    assert carried_mass_kg(facts, order, None) == carried_mass_kg(facts, order, "unknown") == 10.0


def test_handling_counts_only_changes_of_carrier() -> None:
    """Tests that handling is charged once for each change of carrier, by pieces."""
    world = make_world()
    assert reckon_costs(Case(world.facts, world.plan))["handling"] == 10.0 * (2 + 1)


@pytest.mark.parametrize("off", [-1, 1])
def test_money_is_exact_to_the_unit(off: int) -> None:
    """Tests that every line but spoilage is refused when it is off by one minor unit."""
    world = make_world()
    for name in ("distance", "time", "fixed", "energy", "bus_fees", "handling", "lateness", "unassigned"):
        lines = replace(world.plan.objective.lines, **{name: getattr(world.plan.objective.lines, name) + off})
        plan = replace(world.plan, objective=replace(world.plan.objective, lines=lines, total=lines.total))
        assert check_document(world.facts, plan).codes == {Code.CONSISTENCY_COST}, name


def test_line_is_sampled_densely() -> None:
    """Tests that samples lie at most ten metres apart along the line, in plan and in height, and end at its end."""
    world = make_world()
    line = np.array(world.plan.routes[SORTIE].stops[0].movement.line)
    track = sample_line(Case(world.facts, world.plan), line)
    assert np.diff(track.along_m).max() <= SAMPLE_EVERY_M + 1e-6
    assert np.abs(np.diff(track.height_m)).max() <= SAMPLE_EVERY_M + 1e-6
    assert (track.lon[-1], track.lat[-1], track.height_m[-1]) == tuple(line[-1])
    assert track.length_m == pytest.approx(world.plan.routes[SORTIE].stops[0].movement.distance_m, abs=1.0)


def test_amounts_say_by_how_much() -> None:
    """Tests that a violation carries the amount by which its rule is broken."""
    world = make_world()
    movement = world.plan.routes[VAN].stops[0].movement
    plan = with_movement(world.plan, VAN, 0, distance_m=movement.distance_m + 7)
    found = next(v for v in check_document(world.facts, plan).violations if v.code is Code.CONSISTENCY_DISTANCE)
    assert found.amount == pytest.approx(7.0, abs=0.6)
    assert (found.unit, found.route, found.place) == ("m", "R1", "hub")


def test_store_is_swept_over_the_day() -> None:
    """Tests that goods add up in a store while they lie there together, and only then."""
    world = make_world()
    facts = with_place(world.facts, "town", store_kg={"ambient": 13.0, "chilled": 50.0})
    full = check_document(facts, world.plan)
    assert full.codes == {Code.TRANSFER_STORE_FULL}
    assert full.violations[0].amount == pytest.approx(1.0)
    start_s = world.plan.routes[VAN].stops[1].service_end_s + 300
    sortie = world.plan.routes[SORTIE]
    apart = with_route(world.plan, SORTIE, shifted(sortie, start_s - sortie.stops[0].arrival_s))
    assert Code.TRANSFER_STORE_FULL not in check_document(facts, apart).codes
