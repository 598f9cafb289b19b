"""Unit tests of vehicles' days while a plan is searched, their copies for compiled loops, and moves that end early."""

import random

import pytest
from problems import county

from routing.solver.boards import Days
from routing.solver.days_search import best_spot
from routing.solver.errands import Request
from routing.solver.improvement import Moves, choose_removed, insert_jobs, put_back
from routing.solver.instance import compile_instance
from routing.solver.itineraries import ChainBook, ChainFinder
from routing.solver.site_loops import find_site
from routing.solver.spot_loops import Leg
from routing.solver.state import State


def step(state: State, moves: Moves, temperature: float, cost: float) -> float:
    """Make one move on the plan and keep it or not; return the plan's cost afterwards."""
    jobs = [state.instance.jobs[index] for index in choose_removed(state, moves)]
    state.begin()
    assert state.remove(*(job for job in jobs if job.index in state.served))
    return put_back(state, moves, jobs, (1.0, 4.0), temperature, cost)


def searched(seed: int, moves: int = 60, temperature: float = 200.0) -> tuple[State, Moves]:
    """Return a plan after some moves, many of them undone, and what makes more moves."""
    instance = compile_instance(county(seed, orders=30), bundle=False)
    state = State(instance)
    more = Moves(instance, ChainBook(ChainFinder(instance)), random.Random(seed))
    insert_jobs(state, more, instance.jobs)
    cost = state.cost()
    for _ in range(moves):
        cost = step(state, more, temperature, cost)
    return state, more


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_boards_hold_every_day_as_it_is(seed: int) -> None:
    """Tests that what the compiled loops read of the days is what the days are, moves undone or not."""
    state, _ = searched(seed)
    for fleet, board in zip(state.days, state.boards, strict=True):
        for day in fleet:
            stops, drive_s, rounds = board.days.figures[day.row].tolist()
            assert (stops, drive_s, rounds) == (len(day.place), day.drive_s, sum(day.begins))
            assert board.days.times[day.row, :, :stops].tolist() == day.times.tolist()
            assert board.days.aboard[day.row, :, :stops].tolist() == day.aboard.tolist()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_days_kept_up_to_date_equal_days_made_anew(seed: int) -> None:
    """Tests that times, loads and cost after many small changes are those of all goods looked at anew."""
    state, _ = searched(seed)
    days = [day for fleet in state.days for day in fleet if day.place]
    before = [(day.earliest, day.latest, day.start, day.rest, day.cost) for day in days]
    loads = [day.aboard.tolist() for day in days]
    for day in days:
        day._halts = [None] * len(day.place)
    assert state.refresh_all()
    for day, times, aboard in zip(days, before, loads, strict=True):
        assert (day.earliest, day.latest, day.start, day.rest) == times[:4]
        assert day.cost == pytest.approx(times[4])
        assert day.aboard.tolist() == [pytest.approx(row) for row in aboard]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_best_spot_is_the_best_of_those_in_single_days(seed: int) -> None:
    """Tests that one look at all days of a fleet finds what looks at one day after the other would."""
    state, moves = searched(seed)
    for job in state.instance.jobs:
        for chain in moves.chains[job.index]:
            for errand in state.errands.of(job, chain, job.windows[0])[:1]:
                if errand.by_road is None:
                    continue
                number = errand.ride.group
                request = Request(errand, job.release_s)
                found = best_spot(state.days[number], state.boards[number], request, errand.by_road, 1e9)
                leg = Leg(
                    *(errand.ride.origin, errand.ride.destination, job.release_s, *errand.window),
                    *(errand.latest_unload_end_s, errand.load_service_s, errand.unload_service_s, errand.by_road.fits),
                )
                days = state.boards[number].days
                single = [
                    find_site(
                        errand.by_road.fleet.road,
                        Days(*(array[row : row + 1] for array in days)),
                        leg,
                        errand.by_road.own,
                        (-1, -1),
                        1e9,
                        False,
                    )
                    for row in range(len(days.figures))
                ]
                costs = [site[2] for site in single if site[0] >= 0]
                assert (found.delta if found else None) == (min(costs) if costs else None)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_move_that_cannot_pay_leaves_the_plan_as_it_was(seed: int) -> None:
    """Tests that without a temperature no move makes the plan dearer, and that what moves tell of its cost is true."""
    state, moves = searched(seed, moves=0)
    cost = state.cost()
    for _ in range(80):
        found = step(state, moves, 1e-9, cost)
        assert found <= cost + 1e-6
        assert found == pytest.approx(state.cost())
        cost = found


def test_a_lent_vehicle_leaves_no_trace() -> None:
    """Tests that a fleet has one vehicle more while it is lent one, and none of it afterwards."""
    state, _ = searched(4, moves=0)
    before = [len(board.days.figures) for board in state.boards], [len(fleet) for fleet in state.days]
    with state.one_more_vehicle(0):
        assert state.days[0][-1].row == len(state.boards[0].days.figures) - 1 == before[0][0]
    assert ([len(board.days.figures) for board in state.boards], [len(fleet) for fleet in state.days]) == before
