"""Relay days without times: rounds, tours, the programme over them, its bound, and boarding."""

import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from routing.instances.threetier import read_instance
from routing.solver.relay import first_choice, rounds
from routing.solver.relay.arrays import CLOSE, COST, LOAD, OPEN, TIME, TRUCK, empty_draft
from routing.solver.relay.boarding import latest_departure, seat
from routing.solver.relay.day import RelayDay, compile_day
from routing.solver.relay.first_choice import choose
from routing.solver.relay.plan import make_plan
from routing.solver.relay.relaxation import Relaxed, SolveLimits, relax
from routing.solver.relay.tours import Reach, best_tours, binding_sets, reach_of
from routing.solver.stopping import Clock, Limits
from routing.solver.verify import broken_orders
from tests.three_tier_files import CITY, write, write_random

NO_LIMITS = SolveLimits(None, None)


def day_of(path: Path) -> RelayDay:
    return compile_day(read_instance(path).problem)


def clock_of(day: RelayDay, moves: int = 1) -> Clock:
    return Clock(Limits(None, moves), None, None, len(day.problem.orders))


def never() -> bool:
    return False


def cheapest_round(day: RelayDay, out: int, members: tuple[int, ...]) -> float:
    """Return the cost of the best order of visits that keeps all windows, by trying all."""
    facts, best = day.facts, np.inf
    for order in itertools.permutations(members):
        paid, now, here = 0.0, rounds.first_ready(facts, out), 0
        for c in order:
            now = max(now + facts.leg[TIME, out, here, c + 1], facts.customer[c, OPEN])
            paid += facts.leg[COST, out, here, c + 1]
            here = c + 1
            if now > facts.customer[c, CLOSE]:
                break
        else:
            best = min(best, paid + facts.leg[COST, out, here, 0])
    return best if best < 1e14 else np.inf


@pytest.mark.parametrize("seed", range(4))
def test_rounds_are_all_there_and_the_cheapest(seed: int, tmp_path: Path) -> None:
    """Tests the rounds of a random day against all orders of all sets of customers."""
    day = day_of(write_random(tmp_path, seed, 6))
    found = rounds.all_rounds(day.facts, day.facts.leg)
    assert found is not None
    costs = {(one.out, frozenset(one.customers)): one.cost for one in found}
    assert len(costs) == len(found)
    for out, size in itertools.product(range(len(day.facts.courier)), range(1, 7)):
        for members in itertools.combinations(range(6), size):
            fits = day.facts.customer[list(members), LOAD].sum() <= day.facts.courier[out, LOAD]
            wanted = cheapest_round(day, out, members) if fits else np.inf
            assert costs.get((out, frozenset(members)), np.inf) == pytest.approx(wanted)


def test_too_many_rounds_are_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a day whose rounds cannot be listed is left to the search, without a bound."""
    day = day_of(write_random(tmp_path, 1, 8))
    monkeypatch.setattr(rounds, "_MOST_STEPS", 40)
    assert rounds.all_rounds(day.facts, day.facts.leg) is None
    assert choose(day, empty_draft(day.facts, 3), clock_of(day), 1) == first_choice.Chosen(None, None, None)


def test_legs_are_shortened_over_other_doors() -> None:
    """Tests Floyd's way: three places of which the straight way between two is the longest."""
    ways = np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 2.0], [9.0, 2.0, 0.0]])
    rounds.shorten(ways)
    assert ways.tolist() == [[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]]


@pytest.mark.parametrize("seed", range(3))
def test_tours_are_the_cheapest_for_what_they_reach(seed: int, tmp_path: Path) -> None:
    """Tests tours against all orders of all sets of in-stops."""
    day = day_of(write_random(tmp_path, seed, 3))
    reach, drive = reach_of(day.facts), day.facts.drive[COST]
    tours = best_tours(day, reach)
    assert tours is not None
    stops = range(len(day.in_stops))
    for order in (o for size in range(1, len(stops) + 1) for o in itertools.permutations(stops, size)):
        places = [0, *(stop + 1 for stop in order), 0]
        paid = sum(drive[a, b] for a, b in itertools.pairwise(places))
        groups = 0
        for stop in order:
            groups |= reach.of_stop[stop]
        assert min(tour.cost for tour in tours if tour.groups & groups == groups) <= paid + 1e-6
    for tour, other in itertools.permutations(tours, 2):
        assert tour.groups & other.groups != tour.groups or other.cost > tour.cost


def test_binding_sets_are_the_largest_with_their_in_stops() -> None:
    """Tests two in-stops, of which one reaches groups 0 and 1, the other 1 and 2."""
    reach = Reach((0, 1, 2), (0b011, 0b110))
    assert sorted(binding_sets(reach, 100)) == [0b001, 0b100, 0b111]
    assert sorted(binding_sets(reach, 1)) == [0b001, 0b100, 0b111]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_chosen_is_a_plan_and_the_bound_is_below(seed: int, tmp_path: Path) -> None:
    """Tests that seated choices pass the gate and that no choice costs less than the bound."""
    day = day_of(write_random(tmp_path, seed, 5 + seed))
    chosen = choose(day, empty_draft(day.facts, 3), clock_of(day), 1)
    assert chosen.bound is not None
    if chosen.draft is not None:
        assert broken_orders(day.problem, make_plan(day, chosen.draft)) == []
        assert chosen.floor is not None
        assert chosen.draft.cost[0] >= chosen.floor - 1.0 >= chosen.bound - 2.0


def test_undivided_goods_need_other_rounds(tmp_path: Path) -> None:
    """Tests that where trucks had room for divided goods only, goods are left out or rounds changed until they fit."""
    path = write_random(tmp_path, 2, 7)
    day = day_of(path)
    room = day.facts.truck.copy()
    programme = relax(day, day.facts.leg)
    assert programme is not None
    relaxed = programme.solve(NO_LIMITS)
    assert relaxed is not None
    room[LOAD] = float(day.facts.customer[:, LOAD].max())
    tight = replace(programme, day=replace(day, facts=day.facts._replace(truck=room)))
    packed = tight.pack(relaxed.tours, NO_LIMITS)
    assert packed is not None
    served = [customer for found in packed for customer in found.customers]
    assert len(set(served)) == len(served) < 7
    assert day.facts.customer[served, LOAD].sum() <= room[LOAD] * len(relaxed.tours)


def test_boarding_fails_where_a_round_must_leave_too_early(tmp_path: Path) -> None:
    """Tests that a round whose goods come too late is not seated."""
    day = day_of(write_random(tmp_path, 0, 4))
    programme = relax(day, day.facts.leg)
    assert programme is not None
    relaxed = programme.solve(NO_LIMITS)
    assert relaxed is not None
    found = relaxed.rounds[0]
    customer = day.facts.customer.copy()
    customer[list(found.customers), CLOSE] = 1.0
    early = day.facts._replace(customer=customer)
    assert latest_departure(early, found) <= 1.0
    assert seat(early, Relaxed((found,), relaxed.tours, 0.0), 3, 1, 5.0, never) is None


def test_no_bound_where_trucks_reach_an_out_stop(tmp_path: Path) -> None:
    """Tests that nothing is said of plans with ways the programme does not know."""
    day = day_of(write(tmp_path, CITY))
    assert choose(day, empty_draft(day.facts, 2), clock_of(day), 1).bound is not None
    old = day.problem.matrices["truck"]
    other = replace(old, ids=tuple("Q" if place == "B" else place for place in old.ids))
    open_day = replace(day, problem=replace(day.problem, matrices={**day.problem.matrices, "truck": other}))
    assert choose(open_day, empty_draft(open_day.facts, 2), clock_of(day), 1).bound is None


def test_equal_seeds_choose_alike(tmp_path: Path) -> None:
    """Tests that with limited iterations the choice hangs on nothing else."""
    day = day_of(write_random(tmp_path, random.Random(3).randint(0, 5), 9))
    first, again = (choose(day, empty_draft(day.facts, 3), clock_of(day), 4) for _ in range(2))
    assert first.bound == again.bound
    if first.draft is None or again.draft is None:
        assert first.draft is again.draft
    else:
        assert all(np.array_equal(one, other) for one, other in zip(first.draft, again.draft, strict=True))


def test_what_cannot_be_seated_is_put_in_elsewhere(tmp_path: Path) -> None:
    """Tests that goods of a tour taken away stay ashore, and find other trucks when the plan is completed."""
    day = day_of(write_random(tmp_path, 4, 8))
    programme = relax(day, day.facts.leg)
    assert programme is not None
    relaxed = programme.solve(NO_LIMITS)
    assert relaxed is not None
    fewer = replace(relaxed, tours=relaxed.tours[:1])
    assert seat(day.facts, fewer, 3, 1, 5.0, never) is None
    draft = seat(day.facts, fewer, 3, 1, 5.0, never, partly=True)
    assert draft is not None
    aboard = draft.who[:, TRUCK] >= 0
    assert 0 < day.facts.customer[aboard, LOAD].sum() <= day.facts.truck[LOAD]
    first_choice._complete(day.facts, draft, 1)
    assert (draft.who[:, TRUCK] >= 0).sum() > aboard.sum()
    left = {order.id for k, order in enumerate(day.problem.orders) if draft.who[k, TRUCK] < 0}
    assert set(broken_orders(day.problem, make_plan(day, draft))) <= left
