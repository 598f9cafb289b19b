"""Times of routes whose stops are given: what is missed where not all can be kept."""

import pytest

from routing.trips.fixed_times import GivenStop, choose_times, wait_over

HOUR = 3_600


def test_leaves_late_and_arrives_early() -> None:
    """Tests that a route waits before it leaves rather than under way, and ends as early as that allows."""
    stops = [GivenStop(), GivenStop(((1_000, 2_000),), 300, 100), GivenStop((), 0, 100)]
    assert choose_times(stops) == [900, 1_000, 1_400]


def test_windows_that_cannot_be_kept_are_missed_least() -> None:
    """Tests that of two windows a route cannot keep both of, the seconds missed in all are least."""
    stops = [
        GivenStop(((0, 10**9),)),
        GivenStop(((0, 100),), 0, 600),
        GivenStop(((0, 650), (60_000, 70_000)), 0, 100),
        GivenStop(((0, 100_000),), 0, 0),
    ]
    assert choose_times(stops) == [0, 600, 700, 700]


def test_a_break_splits_the_way() -> None:
    """Tests that a break may lie anywhere on the way it interrupts, and its window counts as any other."""
    stops = [
        GivenStop(((0, 10**9),)),
        GivenStop(((400, 450),), 60, is_break=True),
        GivenStop(((0, 1_060),), 0, 1_000),
        GivenStop(),
    ]
    assert choose_times(stops) == [0, 400, 1_060, 1_060]


def test_bounds_hold_whatever_they_cost() -> None:
    """Tests that a time demanded is kept though its window is missed, and that what cannot hold is told."""
    stops = [GivenStop(), GivenStop(((0, 100),), 0, 50, not_before=HOUR, not_after=HOUR), GivenStop()]
    assert choose_times(stops) == [HOUR - 50, HOUR, HOUR]
    assert choose_times([GivenStop(), GivenStop((), 0, 50, not_after=49), GivenStop()]) is None


def test_large_times_are_counted_whole() -> None:
    """Tests that moments of a calendar and the longest ways there can be lose no second."""
    now = 1_800_000_000
    stops = [GivenStop(), GivenStop(((now, now + 1),), 7, 13), GivenStop((), 0, 2**40)]
    assert choose_times(stops) == [now - 13, now, now + 7 + 2**40]


def test_too_many_windows_are_refused() -> None:
    """Tests that a table beyond all need is refused rather than made."""
    crowd = tuple((2 * k, 2 * k) for k in range(2_000))
    stops = [GivenStop(), *(GivenStop(crowd, k, k) for k in range(1, 9)), GivenStop(crowd, is_break=True), GivenStop()]
    with pytest.raises(ValueError, match="too many time windows"):
        choose_times(stops)


@pytest.mark.parametrize(("time_s", "missed"), [(5, (5, 0)), (12, (0, 0)), (22, (0, 2)), (29, (1, 0)), (45, (0, 5))])
def test_distance_to_windows(time_s: int, missed: tuple[int, int]) -> None:
    """Tests seconds before the nearest window, and after it."""
    assert wait_over(time_s, [(10, 20), (30, 40)]) == missed
