"""Whatever feed is written is read back the same, and writing is a function of the feed alone."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import FaultCollector
from geodata.gtfs_feed import Agency, Feed, Frequency, Service, clock, timetable_on
from geodata.gtfs_read import read_feed
from geodata.gtfs_tables import seconds
from geodata.gtfs_write import write_gtfs
from geodata.timetable import BusStop, Call, CargoStop, CargoTrip, Line, Trip

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\n", exclude_categories=("Cc", "Cs", "Z")), min_size=1
)
names = st.one_of(texts, st.sampled_from(['a "quoted", name', "乡村客运站", "L'Aldosa"]))
degrees = st.floats(-80, 80, allow_nan=False).map(lambda x: round(x, 7))
amounts = st.floats(0, 1_000, allow_nan=False)
days = st.integers(0, 400).map(lambda n: date(2026, 1, 1) + timedelta(days=n))


@st.composite
def services(draw: st.DrawFn, service_id: str) -> Service:
    """Draw a service of weekdays, exceptions, or both."""
    added, removed = draw(st.frozensets(days, max_size=3)), draw(st.frozensets(days, max_size=3))
    first, last = sorted([draw(days), draw(days)])
    if draw(st.booleans()):
        return Service(service_id, (False,) * 7, None, None, added | {first}, removed - added - {first})
    weekdays = tuple(draw(st.lists(st.booleans(), min_size=7, max_size=7)))
    return Service(service_id, weekdays, first, last, added, removed - added)


@st.composite
def calls(draw: st.DrawFn, stop_ids: list[str]) -> tuple[Call, ...]:
    """Draw calls with times that never fall."""
    time_s, sequence, found = draw(st.integers(0, 90_000)), 0, []
    for _ in range(draw(st.integers(2, 5))):
        arrival_s = time_s + draw(st.integers(0, 5_000))
        time_s = arrival_s + draw(st.integers(0, 300))
        sequence += draw(st.integers(1, 9))
        may = draw(st.booleans()), draw(st.booleans())
        dist = draw(st.none() | amounts)
        found.append(Call(draw(st.sampled_from(stop_ids)), sequence, arrival_s, time_s, *may, True, dist))
    return tuple(found)


@st.composite
def generated_feeds(draw: st.DrawFn) -> Feed:
    """Draw a feed whose references hold."""
    stop_ids = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    stops = tuple(BusStop(stop_id, draw(names), draw(degrees), draw(degrees)) for stop_id in stop_ids)
    line = Line("l", draw(names), draw(st.just("") | names), "a", "Bus company", draw(st.sampled_from([3, 11, 704])))
    trip_ids = draw(st.lists(texts.filter(lambda t: "@" not in t), max_size=4, unique=True))
    shapes = {"w": tuple(draw(st.lists(st.tuples(degrees, degrees), min_size=1, max_size=4)))}
    trips = tuple(
        Trip(trip_id, "l", draw(st.sampled_from(["s1", "s2"])), draw(calls(stop_ids)), draw(st.just("") | names),
             draw(st.none() | st.integers(0, 1)), draw(st.none() | st.just("w")))
        for trip_id in trip_ids
    )  # fmt: skip
    room = st.tuples(amounts, amounts, amounts, amounts, amounts, amounts, st.sampled_from([(), ("ambient", "frozen")]))
    return Feed(
        agencies=(Agency("a", "Bus company", "https://example.org", "Asia/Shanghai"),),
        stops=stops,
        lines=(line,),
        services=(draw(services("s1")), draw(services("s2"))),
        trips=trips,
        frequencies=tuple(
            Frequency(trip_id, start := draw(st.integers(0, 80_000)), start + draw(st.integers(1, 9_000)), 600)
            for trip_id in trip_ids[:1]
        ),
        shapes=shapes,
        cargo_trips=tuple(
            CargoTrip(trip_id, *draw(room)).with_luggage(draw(st.sampled_from([0.0, 0.1, 0.3])))
            for trip_id in trip_ids[1:]
        ),
        cargo_stops=tuple(CargoStop(stop_id, draw(texts), draw(st.integers(0, 999)), 60) for stop_id in stop_ids[1:]),
        publisher=draw(names),
        version=draw(st.just("") | names),
        synthetic=draw(st.booleans()),
    )


@given(feed=generated_feeds(), day=days)
@settings(max_examples=30, deadline=None)
def test_a_written_feed_is_read_back_the_same(feed: Feed, day: date) -> None:
    """Tests that a written feed is read back the same, and that equal feeds give equal bytes."""
    with tempfile.TemporaryDirectory() as folder:
        first, again = Path(folder, "one.zip"), Path(folder, "two.zip")
        write_gtfs(first, feed)
        faults = FaultCollector()
        read, text = read_feed(first, faults)
        write_gtfs(again, read)
        assert faults.faults == ()
        assert text.warnings == []
        assert read == feed
        assert first.read_bytes() == again.read_bytes()
    assert timetable_on(read, day, FaultCollector()).trips == timetable_on(feed, day, FaultCollector()).trips


@given(feed=generated_feeds(), day=days)
@settings(max_examples=30, deadline=None)
def test_a_day_holds_what_its_services_run(feed: Feed, day: date) -> None:
    """Tests that a date has trips exactly if a service with trips runs, sorted, with unchanged running times."""
    faults = FaultCollector()
    timetable = timetable_on(feed, day, faults)
    assert bool(timetable.trips) == (day in feed.service_dates) == (not faults.faults)
    assert list(timetable.trips) == sorted(timetable.trips, key=lambda trip: (trip.departure_s, trip.id))
    by_id = {trip.id: trip for trip in feed.trips}
    for trip in timetable.trips:
        source = by_id[trip.template_id or trip.id]
        assert trip.arrival_s - trip.departure_s == source.arrival_s - source.departure_s


@given(time_s=st.integers(0, 400_000))
def test_clock_times_are_read_back(time_s: int) -> None:
    """Tests that a written clock time reads as the same seconds."""
    assert seconds(clock(time_s)) == time_s
