"""TripUpdates applied to a timetable, and every way a realtime feed can be of no use."""

import io
import urllib.error
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from google.transit import gtfs_realtime_pb2 as pb
from gtfs_feeds import write_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError, UnavailableError
from geodata.gtfs import read_gtfs
from geodata.gtfs_realtime import apply_trip_updates, read_realtime
from geodata.timetable import BusStop, Call, CargoTrip, Line, Timetable, Trip

DAY = date(2026, 5, 4)
SKIPPED, NO_DATA = pb.TripUpdate.StopTimeUpdate.SKIPPED, pb.TripUpdate.StopTimeUpdate.NO_DATA


def calls(*stops: str, start_s: int = 28_800) -> tuple[Call, ...]:
    """Return calls 600 s apart with 60 s of halt, sequences 10, 20, …."""
    return tuple(
        Call(stop, 10 * k + 10, start_s + 600 * k, start_s + 600 * k + (60 if 0 < k < len(stops) - 1 else 0))
        for k, stop in enumerate(stops)
    )


TRIPS = (
    Trip("t1", "L", "daily", calls("a", "b", "c", "d", "b")),
    Trip("t2", "L", "daily", calls("d", "a", start_s=29_000)),
    Trip("f@09:00", "L", "daily", calls("a", "d", start_s=32_400), template_id="f"),
    Trip("f@10:00", "L", "daily", calls("a", "d", start_s=36_000), template_id="f"),
)
PLANNED = Timetable(
    service_date=DAY,
    timezone="Asia/Shanghai",
    lines={"L": Line("L", "1", "", "A", "Valley Bus")},
    stops={name: BusStop(name, name, 100.0, 27.0) for name in "abcd"},
    trips=TRIPS,
    cargo_trips={"t1": CargoTrip("t1", 1, 1, 1), "t2": CargoTrip("t2", 1, 1, 1)},
)


def feed(*updates: pb.TripUpdate) -> bytes:
    """Return the bytes of a feed of trip updates."""
    message = pb.FeedMessage(header=pb.FeedHeader(gtfs_realtime_version="2.0"))
    for number, update in enumerate(updates):
        message.entity.add(id=str(number)).trip_update.CopyFrom(update)
    return bytes(message.SerializeToString())


def update(trip_id: str, *stops: dict, delay: int | None = None, **trip: object) -> pb.TripUpdate:
    """Return an update; stops are fields of StopTimeUpdate, `delay` that of the whole trip."""
    made = pb.TripUpdate(trip=pb.TripDescriptor(trip_id=trip_id, **trip), delay=delay)
    for fields in stops:
        made.stop_time_update.add(**fields)
    return made


def late(seconds: int, **at: object) -> dict:
    """Return a stop update by which the bus arrives late."""
    return {"arrival": {"delay": seconds}, **at}


def delays(timetable: Timetable, trip_id: str = "t1") -> list[tuple[int, int]]:
    """Return by how much arrival and departure at each call differ from the plan."""
    pairs = zip(timetable.trip_by_id[trip_id].calls, PLANNED.trip_by_id[trip_id].calls, strict=True)
    return [(new.arrival_s - old.arrival_s, new.departure_s - old.departure_s) for new, old in pairs]


def test_a_delay_holds_until_the_next_update() -> None:
    """Tests that stops before keep their times, a delay goes on to the stops after, and the next update ends it."""
    changed = apply_trip_updates(PLANNED, feed(update("t1", late(120, stop_sequence=20), late(60, stop_sequence=40))))
    assert delays(changed) == [(0, 0), (120, 120), (120, 120), (60, 60), (60, 60)]
    assert changed.warnings == ()
    assert changed.trip_by_id["t2"] == PLANNED.trip_by_id["t2"]


def test_departure_alone_and_both() -> None:
    """Tests that a late departure leaves the arrival, that both are taken, and that the departure's delay goes on."""
    changed = apply_trip_updates(PLANNED, feed(update("t1", {"stop_sequence": 20, "departure": {"delay": 90}})))
    assert delays(changed) == [(0, 0), (0, 90), (90, 90), (90, 90), (90, 90)]
    both = {"stop_sequence": 20, "arrival": {"delay": 200}, "departure": {"delay": 150}}
    assert delays(apply_trip_updates(PLANNED, feed(update("t1", both))))[1:3] == [(200, 150), (150, 150)]


def test_times_count_before_delays_and_from_noon_less_twelve_hours() -> None:
    """Tests POSIX times against the local day: 08:15:00 in Shanghai is 00:15 UTC; a wrong delay beside is ignored."""
    at = int(datetime(2026, 5, 4, 0, 15, tzinfo=UTC).timestamp())
    changed = apply_trip_updates(
        PLANNED, feed(update("t1", {"stop_sequence": 20, "arrival": {"time": at, "delay": 5}}))
    )
    assert changed.trip_by_id["t1"].calls[1].arrival_s == 8 * 3600 + 900
    assert delays(changed)[2:] == [(300, 300)] * 3


def test_no_data_ends_a_delay_and_skipping_does_not() -> None:
    """Tests that the timetable holds from NO_DATA on, and that a delay reaches over a skipped stop."""
    changed = apply_trip_updates(
        PLANNED,
        feed(
            update(
                "t1",
                late(300, stop_sequence=10),
                {"stop_sequence": 20, "schedule_relationship": SKIPPED},
                {"stop_sequence": 40, "schedule_relationship": NO_DATA},
            )
        ),
    )
    assert delays(changed) == [(300, 300), (300, 300), (300, 300), (0, 0), (0, 0)]
    halts = [(call.can_board, call.can_alight) for call in changed.trip_by_id["t1"].calls]
    assert halts == [(True, True), (False, False), (True, True), (True, True), (True, True)]


def test_times_never_fall_along_a_trip() -> None:
    """Tests that an early prediction after a late one is moved up to the time before it."""
    changed = apply_trip_updates(PLANNED, feed(update("t1", late(900, stop_sequence=20), late(-120, stop_sequence=30))))
    times = [time for call in changed.trip_by_id["t1"].calls for time in (call.arrival_s, call.departure_s)]
    assert times == sorted(times)
    assert delays(changed)[1:] == [(900, 900), (360, 300), (-120, -120), (-120, -120)]


def test_stops_are_found_by_id_in_order() -> None:
    """Tests that the second update of a stop id means its second call, and that a stop out of order is warned of."""
    changed = apply_trip_updates(PLANNED, feed(update("t1", late(60, stop_id="b"), late(240, stop_id="b"))))
    assert [arrival for arrival, _ in delays(changed)] == [0, 60, 60, 60, 240]
    wrong = apply_trip_updates(PLANNED, feed(update("t1", late(60, stop_id="c"), late(9, stop_id="a"))), "rt.pb")
    assert [arrival for arrival, _ in delays(wrong)] == [0, 0, 60, 60, 60]
    assert [(w.code, w.file, w.row, w.field, w.value) for w in wrong.warnings] == [
        ("UNKNOWN_STOP", "rt.pb", 1, "stop_id", "a")
    ]


@pytest.mark.parametrize("relationship", ["CANCELED", "DELETED"])
def test_cancelled_trips_are_gone(relationship: str) -> None:
    """Tests that a cancelled trip and its cargo room leave the timetable."""
    gone = update("t1", schedule_relationship=pb.TripDescriptor.ScheduleRelationship.Value(relationship))
    changed = apply_trip_updates(PLANNED, feed(gone))
    assert [trip.id for trip in changed.trips] == ["t2", "f@09:00", "f@10:00"]
    assert list(changed.cargo_trips) == ["t2"]


def test_late_trips_are_sorted_anew() -> None:
    """Tests the delay of a whole trip, and that trips stay in order of departure."""
    changed = apply_trip_updates(PLANNED, feed(update("t1", delay=600)))
    assert delays(changed) == [(600, 600)] * 5
    assert [trip.id for trip in changed.trips] == ["t2", "t1", "f@09:00", "f@10:00"]


def test_repeated_trips_are_told_apart_by_their_start() -> None:
    """Tests that start_time picks one run of a frequency-based trip, and that without it none is meant."""
    changed = apply_trip_updates(PLANNED, feed(update("f", late(60, stop_sequence=10), start_time="10:00:00")))
    assert delays(changed, "f@10:00") == [(60, 60)] * 2
    assert delays(changed, "f@09:00") == [(0, 0)] * 2
    for trip in ({}, {"start_time": "10:30:00"}):
        warned = apply_trip_updates(PLANNED, feed(update("f", late(60, stop_sequence=10), **trip)))
        assert warned.trips == PLANNED.trips
        assert [w.code for w in warned.warnings] == ["UNKNOWN_TRIP"]


def test_what_is_not_of_the_day_is_passed_over() -> None:
    """Tests other dates (silently), added trips, unknown trips and second updates (with warnings), other entities."""
    added = pb.TripDescriptor.ADDED
    content = feed(
        update("t1", delay=60, start_date="20260505"),
        update("extra", delay=60, schedule_relationship=added),
        update("t9", delay=60),
        update("t2", delay=60, start_date="20260504"),
        update("t2", delay=120),
    )
    message = pb.FeedMessage.FromString(content)
    message.entity.add(id="bus").vehicle.trip.trip_id = "t1"
    message.entity.add(id="off", is_deleted=True).trip_update.CopyFrom(update("t1", delay=60))
    changed = apply_trip_updates(PLANNED, message.SerializeToString())
    assert delays(changed) == [(0, 0)] * 5
    assert delays(changed, "t2") == [(60, 60)] * 2
    assert [(w.code, w.row) for w in changed.warnings] == [
        ("REALTIME_IGNORED", 2),
        ("UNKNOWN_TRIP", 3),
        ("DUPLICATE_ID", 5),
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(-2_000, 2_000), st.sampled_from(["arrival", "departure"])), max_size=6
    )
)
def test_any_update_leaves_a_possible_trip(drawn: list[tuple[int, int, str]]) -> None:
    """Tests that whatever a feed says, times never fall along the trip and its stops stay."""
    stops = [{"stop_sequence": 10 * k, event: {"delay": seconds}} for k, seconds, event in drawn]
    changed = apply_trip_updates(PLANNED, feed(update("t1", *stops))).trip_by_id["t1"]
    times = [time for call in changed.calls for time in (call.arrival_s, call.departure_s)]
    assert times == sorted(times)
    assert [call.stop_id for call in changed.calls] == [call.stop_id for call in TRIPS[0].calls]


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"header": {}}', feed()[:-1]])
def test_content_that_is_no_feed(content: bytes) -> None:
    """Tests that nothing, a web page, JSON and a torn message are refused as what they are."""
    with pytest.raises(InputError) as caught:
        apply_trip_updates(PLANNED, content, "rt.pb")
    assert [(fault.code, fault.file) for fault in caught.value.faults] == [("BROKEN_FILE", "rt.pb")]


def test_times_need_a_time_zone(tmp_path: Path) -> None:
    """Tests that POSIX times are refused without a time zone, and that delays do without."""
    nowhere = Timetable(DAY, "Nowhere/At_all", PLANNED.lines, PLANNED.stops, TRIPS)
    with pytest.raises(InputError, match="UNKNOWN_TIMEZONE"):
        apply_trip_updates(nowhere, feed(update("t1", {"stop_sequence": 20, "arrival": {"time": 1}})))
    assert delays(apply_trip_updates(nowhere, feed(update("t1", delay=5)))) == [(5, 5)] * 5


def test_a_feed_read_from_disk_applies_to_a_timetable_read_from_disk(tmp_path: Path) -> None:
    """Tests the whole way from files: past midnight, and calls whose times were interpolated."""
    timetable = read_gtfs(write_folder(tmp_path / "feed"), DAY)
    path = tmp_path / "rt.pb"
    path.write_bytes(feed(update("t1", late(60, stop_id="s2")), update("t2", late(600, stop_id="s2"))))
    changed = apply_trip_updates(timetable, read_realtime(path))
    assert [call.arrival_s for call in changed.trip_by_id["t2"].calls] == [85_800, 88_800, 91_200]
    old, new = timetable.trip_by_id["t1"].calls, changed.trip_by_id["t1"].calls
    assert [b.arrival_s - a.arrival_s for a, b in zip(old, new, strict=True)] == [0, 60, 60, 60]


def test_sources_of_feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests a missing file, a folder, an address without leave, an answer, no answer and an endless one."""
    for path, code in ((tmp_path / "none.pb", "MISSING_FILE"), (tmp_path, "BROKEN_FILE")):
        with pytest.raises(InputError, match=code):
            read_realtime(path)
    address = "https://example.org/rt.pb"
    with pytest.raises(InputError, match="no network is allowed"):
        read_realtime(address)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO(b"abc"))
    assert read_realtime(address, allow_network=True) == b"abc"
    monkeypatch.setattr("geodata.gtfs_realtime.MAX_BYTES", 2)
    with pytest.raises(UnavailableError, match="longer than"):
        read_realtime(address, allow_network=True)

    def silent(*_: object, **__: object) -> None:
        reason = "no route to host"
        raise urllib.error.URLError(reason)

    monkeypatch.setattr("urllib.request.urlopen", silent)
    with pytest.raises(UnavailableError, match="no route"):
        read_realtime(address, allow_network=True)
