"""Times of given routes against all times there are, tried one by one on small routes."""

import itertools
import random
from collections.abc import Sequence

from routing.trips.fixed_times import GivenStop, choose_times, wait_over

HORIZON_S = 17
ROUTES = 120


def windows(draw: random.Random) -> tuple[tuple[int, int], ...]:
    """Return none to two windows."""
    found, after = [], 0
    for _ in range(draw.choice((0, 1, 1, 2))):
        begin = after + draw.randint(0, 4)
        found.append((begin, begin + draw.randint(0, 3)))
        after = found[-1][1] + 2
    return tuple(found)


def route(draw: random.Random) -> list[GivenStop]:
    """Return a start, one to three tasks and breaks, and an end."""
    stops = [GivenStop(((draw.randint(0, 6), 10**9),) if draw.random() < 0.5 else ())]
    for _ in range(draw.randint(1, 3)):
        bounds = {}
        if draw.random() < 0.2:
            bounds["not_before"] = draw.randint(0, 6)
        if draw.random() < 0.2:
            bounds["not_after"] = draw.randint(2, 9)
        is_break = draw.random() < 0.4
        travel_s = 0 if is_break else draw.randint(0, 4)
        stops.append(GivenStop(windows(draw), draw.randint(0, 2), travel_s, is_break, **bounds))
    last = ((0, draw.randint(3, 12)),) if draw.random() < 0.5 else ()
    return [*stops, GivenStop(last, 0, draw.randint(1, 3))]


def is_possible(stops: Sequence[GivenStop], times: Sequence[int]) -> bool:
    """Walk along a route: bounds, the order of stops, and travel, which breaks may split."""
    if any(not max(0, stop.not_before) <= time <= stop.not_after for stop, time in zip(stops, times, strict=True)):
        return False
    since = 0
    for number in range(1, len(stops)):
        if times[number] < times[number - 1] + stops[number - 1].action_s:
            return False
        if not stops[number].is_break:
            busy_s = sum(stop.action_s for stop in stops[since:number])
            if times[number] < times[since] + busy_s + stops[number].travel_s:
                return False
            since = number
    return True


def price(stops: Sequence[GivenStop], times: Sequence[int]) -> tuple[int, int]:
    """Return what is made least: seconds outside of windows with their weight and the route's, then all times."""
    weight = sum(stop.travel_s + stop.action_s for stop in stops)
    missed = sum(sum(wait_over(time, stop.windows)) for stop, time in zip(stops, times, strict=True))
    return weight * missed + times[-1] - times[0], sum(times)


def test_no_times_are_better() -> None:
    """Tests that the times are possible, cost the least, and are the earliest of those that do."""
    impossible = 0
    for seed in range(ROUTES):
        stops = route(random.Random(seed))
        every = itertools.combinations_with_replacement(range(HORIZON_S), len(stops))
        best = min((price(stops, times) for times in every if is_possible(stops, times)), default=None)
        found = choose_times(stops)
        if best is None:
            assert found is None or max(found) >= HORIZON_S
            impossible += found is None
            continue
        assert found is not None, seed
        assert is_possible(stops, found), seed
        assert price(stops, found) == best, seed
    assert 0 < impossible < ROUTES / 2
