"""A siting study on a hand-made valley: answers, figures, prices and what cannot be met."""

from dataclasses import replace

import numpy as np
import pytest

from geodata.errors import InputError
from routing.siting.answers import answer_aim
from routing.siting.front import Member, explore, non_dominated
from routing.siting.questions import access_question
from routing.siting.study import Aim, Study, figures_of
from routing.siting.survey import Candidate, PointKind, Settlement
from routing.siting.why import competitors, marginal_value, price_of, prices_of

SHELF, LOCKER = PointKind("shelf", "Shelf", 1_000.0, 10.0), PointKind("locker", "Locker", 5_000.0, 40.0)
THERE = PointKind("existing", "Existing point", 0.0, float("inf"))


def valley(*, existing: bool = False) -> Study:
    """Return five hamlets along a road, ten minutes apart, each a candidate."""
    settlements = tuple(Settlement(f"s{k}", f"S{k}", 105 + k / 100, 31.0, 100.0, 8.0, 0.0) for k in range(5))
    kinds = [(THERE,) if existing and k == 0 else (SHELF, LOCKER) for k in range(5)]
    candidates = tuple(
        Candidate(f"p{k}", f"P{k}", 105 + k / 100, 31.0, kinds[k], existing=existing and k == 0) for k in range(5)
    )
    at = np.arange(5) * 10.0
    return Study(settlements, candidates, np.abs(at[:, None] - at[None, :])[None])


def opened(study: Study, aim: Aim) -> set[str]:
    return {study.candidates[site].id for site, _ in answer_aim(study, aim).chosen[-1]}


def test_answers_each_kind_of_question() -> None:
    """Tests median, centre, fewest, coverage and roll-out where the answer is plain to see."""
    study = valley()
    assert opened(study, Aim(open_n=1)) == {"p2"}
    assert opened(study, Aim(open_n=1, goal="centre")) == {"p2"}
    assert opened(study, Aim(open_n=1, goal="tail")) == {"p2"}
    assert len(opened(study, Aim(within_min=10))) == 2
    covered = answer_aim(study, Aim(open_n=1, within_min=10))
    assert (covered.value, covered.proven) == (pytest.approx(0.4), True)
    plan = answer_aim(study, Aim(years=(1, 2)))
    assert [len(chosen) for chosen in plan.chosen] == [1, 3]
    assert set(plan.chosen[0]) <= set(plan.chosen[1])
    assert answer_aim(study, Aim(budget=2_500.0)).value == pytest.approx(answer_aim(study, Aim(open_n=2)).value)


def test_existing_points_stay_unless_closable() -> None:
    """Tests that an existing point is kept and not counted, and may go when closable."""
    study = valley(existing=True)
    kept = answer_aim(study, Aim(open_n=1)).chosen[-1]
    assert {site for site, _ in kept} == {0, 3}
    assert figures_of(study, Aim(open_n=1), answer_aim(study, Aim(open_n=1))).opened == 1
    assert opened(study, Aim(open_n=1, must_open=("p4",))) == {"p0", "p4"}
    assert "p3" not in opened(study, Aim(open_n=1, closed=("p3",)))
    assert "p0" not in opened(study, Aim(open_n=2, closable=True, closed=("p0",)))


def test_the_elderly_walk_slower() -> None:
    """Tests that the mean mixes both paces, and that a limit is judged at each one's own."""
    study = valley()
    old = replace(study, settlements=tuple(replace(place, elderly=50.0) for place in study.settlements))
    aim = Aim(open_n=1, within_min=12)
    figures = figures_of(old, aim, answer_aim(old, Aim(open_n=1)))
    assert figures.mean_min == pytest.approx(12.0 * (0.5 + 0.5 / 0.7))
    assert dict(figures.people_within)[12.0] == 3 * 50 + 50
    assert access_question(old, Aim(open_n=1)).value((2,)) == pytest.approx(figures.mean_min)


def test_capacities_choose_kinds_and_report_the_least_that_would_do() -> None:
    """Tests that capacities force larger kinds, everyone is served, and a short budget names what is needed."""
    study = valley()
    aim = Aim(budget=6_000.0, capacities=True)
    answer = answer_aim(study, aim)
    assert answer.proven
    client, _, share = answer.served or (None, None, None)
    assert client is not None
    assert np.bincount(client, weights=share).tolist() == pytest.approx([1.0] * 5)
    assert sum(study.candidates[j].kinds[k].capacity for j, k in answer.chosen[-1]) >= 40.0
    with pytest.raises(InputError, match=r"The least that would do: 40.00 of money"):
        answer_aim(study, Aim(budget=3_000.0, capacities=True))


def test_what_cannot_be_met_says_the_least_that_would_do() -> None:
    """Tests that an impossible limit names who is out of reach and the minutes needed; senseless aims are refused."""
    study = valley()
    far = replace(study, minutes=study.minutes + 5.0)
    with pytest.raises(InputError, match=r"out of reach: S0.*The least that would do: 5\.0 min"):
        answer_aim(far, Aim(within_min=4))
    old = replace(far, settlements=tuple(replace(place, elderly=9.0) for place in far.settlements))
    with pytest.raises(InputError, match=r"The least that would do: 7\.2 min"):
        answer_aim(old, Aim(within_min=7.1, reach_min=6.0))
    assert len(opened(old, Aim(within_min=7.2, reach_min=6.0))) == 5
    for aim, text in (
        (Aim(), "the question is missing"),
        (Aim(open_n=1, must_open=("x",)), "no such point"),
        (Aim(open_n=1, must_open=("p1",), closed=("p1",)), "cannot be forced open and kept closed"),
        (Aim(budget=10.0), "The least that would do: 1 points and 10.00"),
        (Aim(open_n=2, years=(1,)), "years say already"),
        (Aim(open_n=2, within_min=15, goal="tail"), "another question than a goal"),
        (Aim(years=(1, 1), goal="centre"), "not weighed over years"),
        (Aim(within_min=30, capacities=True, reach_min=1.0), "usual day only"),
    ):
        two_days = replace(study, minutes=np.concatenate([study.minutes, study.minutes])) if aim.capacities else study
        with pytest.raises(InputError, match=text):
            answer_aim(two_days, aim)


def test_capacities_combine_with_years_days_limits_and_goals() -> None:
    """Tests each combination where the answer is plain: room decides, and what is open stays open."""
    study = valley()  # five hamlets of 8 parcels; a shelf holds 10, a locker 40
    plan = answer_aim(study, Aim(years=(1, 1), capacities=True))
    assert plan.proven
    assert plan.value == pytest.approx(10.0)  # 12 and 8 minutes from the middle, or 14 and 6 from one beside it
    assert [len(chosen) for chosen in plan.chosen] == [1, 2]
    assert set(plan.chosen[0]) <= set(plan.chosen[1])
    shelves = replace(study, candidates=tuple(replace(place, kinds=(SHELF,)) for place in study.candidates))
    late = answer_aim(shelves, Aim(years=(2, 3), capacities=True))
    early_min = (50 * 10.0 + 250 * 120.0) / 500  # two shelves: their own hamlets, a quarter of two others, 250 left out
    assert late.value == pytest.approx((early_min + 0.0) / 2)
    figures = figures_of(shelves, Aim(years=(2, 3), capacities=True), late)
    assert (figures.mean_min, figures.farthest_min) == (pytest.approx(0.0), 0.0)
    covered = answer_aim(study, Aim(open_n=1, within_min=10, capacities=True))
    assert (covered.value, covered.proven) == (pytest.approx(0.4), True)
    assert figures_of(study, Aim(open_n=1, within_min=10), covered).mean_min <= 14.0 + 1e-6  # three places are as good
    with pytest.raises(InputError, match="The least that would do: 4 points"):
        answer_aim(shelves, Aim(open_n=3, within_min=10, capacities=True))
    assert answer_aim(shelves, Aim(within_min=10, capacities=True)).value == 4.0
    assert answer_aim(study, Aim(within_min=10, capacities=True)).value == 2.0
    assert answer_aim(study, Aim(open_n=1, goal="centre", capacities=True)).value == 20.0
    assert answer_aim(study, Aim(open_n=1, goal="tail", capacities=True)).value == pytest.approx(20.0)
    closed = study.minutes[0].copy()
    closed[3:, :3] = closed[:3, 3:] = np.inf
    both = replace(study, minutes=np.stack([study.minutes[0], closed]))
    robust = answer_aim(both, Aim(open_n=2, over="worst", capacities=True))
    assert len({site for site, _ in robust.chosen[-1]} & {3, 4}) == 1


def test_limits_with_too_little_room_name_the_minutes_that_would_do() -> None:
    """Tests that a hamlet whose own point is too small for it is told how far its people must go at least."""
    study = valley()
    small = PointKind("small", "Small", 500.0, 4.0)
    kinds = [(small,) if k == 0 else (SHELF,) for k in range(5)]
    tight = replace(
        study, candidates=tuple(replace(place, kinds=own) for place, own in zip(study.candidates, kinds, strict=True))
    )
    with pytest.raises(InputError, match=r"The least that would do: 10\.0 min"):
        answer_aim(tight, Aim(within_min=5, capacities=True))


def test_a_worst_case_scenario_moves_the_point() -> None:
    """Tests that a closed road in one scenario changes the robust answer."""
    study = valley()
    closed = study.minutes[0].copy()
    closed[3:, :3] = closed[:3, 3:] = np.inf
    both = replace(study, minutes=np.stack([study.minutes[0], closed]))
    sites = opened(both, Aim(open_n=2, over="worst"))
    assert len(sites & {"p3", "p4"}) == 1


def test_prices_and_competitors() -> None:
    """Tests that forcing costs what a second solve says, and that neighbours compete."""
    study = valley()
    aim = Aim(open_n=1)
    answer = answer_aim(study, aim)
    out = price_of(study, aim, answer, "p2")
    assert (out.move, out.mean_min) == ("out", pytest.approx(2.0))
    forced = price_of(study, aim, answer, "p0")
    assert (forced.move, forced.mean_min, forced.instead) == ("in", pytest.approx(8.0), ("p2",))
    assert ("p0", "p2") in competitors(prices_of(study, aim, answer, ["p0", "p2"]))
    more = marginal_value(study, aim, answer)
    assert more is not None
    assert more.mean_min == pytest.approx(6.0)


def test_the_front_holds_no_beaten_set() -> None:
    """Tests that sizes up to the question form the front, and that beaten and equal members go."""
    study = valley()
    front = explore(study, Aim(open_n=3), None, time_limit_s=10.0)
    assert [member.figures.opened for member in front.members] == [1, 2, 3]
    member = front.members[0]
    worse = Member(member.chosen, replace(member.figures, mean_min=member.figures.mean_min + 1), None)
    assert non_dominated((worse, member, member)) == (member,)
