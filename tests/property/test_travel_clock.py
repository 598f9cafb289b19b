"""Properties of the clock that stretches legs by weather and light."""

from hypothesis import given
from hypothesis import strategies as st

from geodata.travel_clock import TravelClock

FACTORS = st.lists(st.floats(0.05, 1.0), min_size=1, max_size=30)
TIMES = st.integers(0, 110_000)
DURATIONS = st.integers(0, 30_000)


@given(FACTORS, TIMES, TIMES, DURATIONS)
def test_later_departure_never_earlier_arrival(factors: list[float], one: int, other: int, base: int) -> None:
    """Tests FIFO, to the second."""
    clock = TravelClock(factors)
    early, late = sorted((one, other))
    assert clock.arrival_s(early, base) <= clock.arrival_s(late, base)


@given(FACTORS, TIMES, DURATIONS)
def test_never_faster_than_on_a_dry_day(factors: list[float], departure: int, base: int) -> None:
    """Tests that a leg takes between its dry-day time and that over the worst factor; with factors 1 exactly it."""
    arrival = TravelClock(factors).arrival_s(departure, base)
    assert departure + base <= arrival <= departure + base / min(factors) + 1
    assert TravelClock([1.0] * len(factors)).arrival_s(departure, base) == departure + base


@given(FACTORS, TIMES, DURATIONS, DURATIONS)
def test_legs_add_up(factors: list[float], departure: int, first: int, second: int) -> None:
    """Tests that two legs without a halt take as long as one, but for rounding up at the halt."""
    clock = TravelClock(factors)
    whole = clock.arrival_s(departure, first + second)
    parts = clock.arrival_s(clock.arrival_s(departure, first), second)
    longest_second = max(factors) / min(factors)
    assert whole <= parts <= whole + longest_second + 1


@given(FACTORS, TIMES, DURATIONS)
def test_latest_departure_is_the_inverse(factors: list[float], arrival: int, base: int) -> None:
    """Tests that leaving at the latest departure is in time, and a second later is not."""
    clock = TravelClock(factors)
    departure = clock.latest_departure_s(arrival, base)
    assert clock.arrival_s(departure, base) <= arrival
    assert clock.arrival_s(departure + 1, base) > arrival
