"""Reading GTFS feeds for a service date, and every way a feed can be wrong."""

import codecs
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from gtfs_feeds import TABLES, write_folder, zip_folder

from geodata.errors import FaultCollector, InputError
from geodata.gtfs import read_gtfs
from geodata.timetable import BusStop, Call, CargoStop, CargoTrip, Line, Timetable, Trip

MONDAY = date(2026, 5, 4)


def faults_of(path: Path, day: date = MONDAY) -> list[tuple[str, str, int | None, str | None]]:
    """Return code, table, row and field of each fault."""
    with pytest.raises(InputError) as caught:
        read_gtfs(path, day)
    return [(f.code, f.file.rpartition("/")[2], f.row, f.field) for f in caught.value.faults]


def test_a_date_runs_its_services_only(tmp_path: Path) -> None:
    """Tests that weekday services run on their weekdays, and exceptions add and remove dates."""
    feed = write_folder(tmp_path / "feed")
    assert [trip.id for trip in read_gtfs(feed, MONDAY).trips] == ["t1", "t2"]
    assert [trip.id for trip in read_gtfs(feed, date(2026, 5, 8)).trips] == ["t3", "t1", "t2"]
    assert faults_of(feed, date(2026, 5, 1)) == [("NO_SERVICE", "feed", None, "service_date")]
    assert faults_of(feed, date(2026, 5, 3)) == [("NO_SERVICE", "feed", None, "service_date")]


def test_no_service_says_what_the_feed_covers(tmp_path: Path) -> None:
    """Tests that a date without service names the span of the feed and the nearest date that would do."""
    with pytest.raises(InputError, match=r"2026-01-01 to 2026-12-31.*nearest date with service is 2026-12-31"):
        read_gtfs(write_folder(tmp_path / "feed"), date(2027, 2, 1))


def test_times_past_midnight_and_permissions(tmp_path: Path) -> None:
    """Tests that times pass 24 h and that only type 1 forbids boarding and alighting."""
    timetable = read_gtfs(write_folder(tmp_path / "feed"), MONDAY)
    late = timetable.trip_by_id["t2"]
    assert [(c.arrival_s, c.departure_s) for c in late.calls[1:]] == [(88_200, 88_260), (90_600, 90_600)]
    early = timetable.trip_by_id["t1"]
    assert [(c.can_board, c.can_alight) for c in early.calls] == [
        (True, False),
        (True, True),
        (False, True),
        (False, True),
    ]
    assert timetable.operator_of(early) == "Valley Bus"
    assert timetable.timezone == "Asia/Shanghai"


def test_blank_times_follow_the_distance(tmp_path: Path) -> None:
    """Tests that blank times are interpolated by the way between stops: a quarter and three quarters of 40 minutes."""
    calls = read_gtfs(write_folder(tmp_path / "feed"), MONDAY).trip_by_id["t1"].calls
    assert [c.arrival_s - 25_200 for c in calls] == pytest.approx([0, 600, 1_800, 2_400], abs=1)
    assert [c.timed for c in calls] == [True, False, False, True]


def test_blank_times_follow_shape_dist_traveled_first(tmp_path: Path) -> None:
    """Tests that a feed's own distances beat the straight line, and that falling ones are not believed."""
    rows = [line.split(",") for line in TABLES["stop_times.txt"].splitlines()]

    def feed(name: str, dist: list[str]) -> Path:
        given = ["shape_dist_traveled", *dist, *[""] * 5]
        text = "".join(",".join([*row, value]) + "\n" for row, value in zip(rows, given, strict=True))
        return write_folder(tmp_path / name, stop_times=text)

    calls = read_gtfs(feed("rising", ["0", "9", "9", "10"]), MONDAY).trip_by_id["t1"].calls
    assert [c.arrival_s - 25_200 for c in calls] == [0, 2_160, 2_160, 2_400]
    calls = read_gtfs(feed("falling", ["0", "9", "3", "10"]), MONDAY).trip_by_id["t1"].calls
    assert [c.arrival_s - 25_200 for c in calls] == pytest.approx([0, 600, 1_800, 2_400], abs=1)


def test_frequencies_become_trips(tmp_path: Path) -> None:
    """Tests that a repeated trip becomes one trip per departure, with its cargo room, in place of its own times."""
    frequencies = (
        "trip_id,start_time,end_time,headway_secs,exact_times\nt1,08:00:00,10:00:00,3600,1\nt1,10:00:30,10:01:00,60,\n"
    )
    timetable = read_gtfs(write_folder(tmp_path / "feed", frequencies=frequencies), MONDAY)
    assert [trip.id for trip in timetable.trips] == ["t1@08:00", "t1@09:00", "t1@10:00:30", "t2"]
    second = timetable.trip_by_id["t1@09:00"]
    assert (second.departure_s, second.arrival_s, second.template_id) == (32_400, 34_800, "t1")
    assert timetable.cargo_trips["t1@09:00"].max_kg == 150.0
    assert timetable.cargo_trips["t1@09:00"].trip_id == "t1@09:00"
    assert [(w.code, w.row) for w in timetable.warnings] == [("INEXACT_HEADWAY", 3)]


def test_luggage_takes_its_share_of_the_hold(tmp_path: Path) -> None:
    """Tests that cargo has what luggage leaves of the hold, that both are written again, and which shares are wrong."""
    header = "trip_id,max_kg,max_l,max_piece_kg,luggage_share\n"

    def cargo(share: str) -> CargoTrip:
        rows = f"{header}t1,150,1200,30,{share}\n"
        return read_gtfs(write_folder(tmp_path / f"feed{share}", cargo_trips=rows), MONDAY).cargo_trips["t1"]

    for share, room in (("", (150.0, 1_200.0)), ("0.1", (135.0, 1_080.0)), ("0.3", (105.0, 840.0))):
        found = cargo(share)
        assert (found.max_kg, found.max_l) == room
        assert found.max_piece_kg == 30.0
        assert found.hold == (150.0, 1_200.0)
    with pytest.raises(InputError, match="luggage_share"):
        cargo("30")


def test_cargo_tables(tmp_path: Path) -> None:
    """Tests that cargo rows are read with their defaults, and that a stop may serve two sites."""
    timetable = read_gtfs(write_folder(tmp_path / "feed"), MONDAY)
    full, bare = timetable.cargo_trips["t1"], timetable.cargo_trips["t2"]
    assert (full.max_longest_cm, full.fee_per_piece, full.product_classes) == (100.0, 40.0, ("ambient", "chilled"))
    assert (bare.max_longest_cm, bare.fee_per_kg, bare.product_classes) == (math.inf, 0.0, ())
    assert "t3" not in timetable.cargo_trips
    assert timetable.cargo_stops_at["s1"] == (CargoStop("s1", "hub", 120, 900), CargoStop("s1", "town", 180, 960))


def test_zip_folder_bom_and_quotes_are_the_same_feed(tmp_path: Path) -> None:
    """Tests that a zip, a zip with a folder inside, a byte-order mark, quotes and CRLF read like the plain folder."""
    plain = read_gtfs(write_folder(tmp_path / "feed"), MONDAY)
    marked = tmp_path / "marked"
    write_folder(marked)
    stops = "".join('"' + line.replace(",", '","') + '"\r\n' for line in TABLES["stops.txt"].splitlines())
    (marked / "stops.txt").write_bytes(codecs.BOM_UTF8 + stops.encode())
    nested = zip_folder(marked, tmp_path / "feed.zip", "bus/2026/")
    assert read_gtfs(zip_folder(marked, tmp_path / "flat.zip"), MONDAY) == plain
    assert read_gtfs(nested, MONDAY) == plain
    assert read_gtfs(tmp_path, MONDAY).trips == plain.trips


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"trips": None}, ("MISSING_FILE", "trips.txt", None, None)),
        ({"calendar": None, "calendar_dates": None}, ("MISSING_FILE", "calendar.txt", None, None)),
        ({"stops": "stop_id,stop_name,stop_lat\ns1,Hub,27\n"}, ("MISSING_COLUMN", "stops.txt", None, "stop_lon")),
        ({"agency": ""}, ("MISSING_HEADER", "agency.txt", None, None)),
        (
            {"cargo_stops": "stop_id,site_id,board_s,cutoff_s\ns9,hub,0,0\n"},
            ("UNKNOWN_STOP", "cargo_stops.txt", 2, "stop_id"),
        ),
        (
            {"cargo_trips": "trip_id,max_kg,max_l,max_piece_kg\nt9,1,1,1\n"},
            ("UNKNOWN_TRIP", "cargo_trips.txt", 2, "trip_id"),
        ),
        (
            {"cargo_trips": "trip_id,max_kg,max_l,max_piece_kg\nt1,-1,1,1\n"},
            ("BAD_VALUE", "cargo_trips.txt", 2, "max_kg"),
        ),
        (
            {"frequencies": "trip_id,start_time,end_time,headway_secs\nt1,08:00:00,09:00:00,0\n"},
            ("BAD_VALUE", "frequencies.txt", 2, "headway_secs"),
        ),
        (
            {
                "frequencies": "trip_id,start_time,end_time,headway_secs\n"
                "t1,08:00:00,09:00:00,600\nt1,08:30:00,10:00:00,600\n"
            },
            ("DUPLICATE_ID", "frequencies.txt", 3, "start_time"),
        ),
    ],
)
def test_faulty_tables(tmp_path: Path, changed: dict[str, str | None], expected: tuple[object, ...]) -> None:
    """Tests that a missing file, a missing column, an orphan or a bad number is named where it stands."""
    assert expected in faults_of(write_folder(tmp_path / "feed", **changed))


@pytest.mark.parametrize(
    ("table", "old", "new", "expected"),
    [
        ("stop_times", "t2,23:50:00,23:50:00,s4", "t2,23:70:00,23:50:00,s4", ("BAD_TIME", 6, "arrival_time")),
        ("stop_times", "t2,24:30:00,24:31:00", "t2,24:31:00,24:30:00", ("BAD_TIME", 7, "departure_time")),
        ("stop_times", "t2,25:10:00,25:10:00", "t2,24:10:00,24:10:00", ("BAD_TIME", 8, "arrival_time")),
        ("stop_times", "07:40:00,07:40:00,s4,5", ",,s4,5", ("BAD_TIME", 5, "arrival_time")),
        ("stop_times", "t1,,,s3,3", "t1,,,s3,2", ("DUPLICATE_ID", 4, "stop_sequence")),
        ("stop_times", "t1,,,s3,3", "t1,,,s33,3", ("UNKNOWN_STOP", 4, "stop_id")),
        ("stop_times", "t1,,,s3,3", "t8,,,s3,3", ("UNKNOWN_TRIP", 4, "trip_id")),
        ("stop_times", "s1,1,0,1", "s1,1,0,7", ("BAD_VALUE", 2, "drop_off_type")),
        ("trips", "L1,market,t3", "L2,market,t3", ("UNKNOWN_LINE", 4, "route_id")),
        ("trips", "L1,market,t3", "L1,markt,t3", ("UNKNOWN_SERVICE", 4, "service_id")),
        ("trips", "L1,daily,t2", "L1,daily,t1", ("DUPLICATE_ID", 3, "trip_id")),
        ("routes", "L1,B,1", "L1,C,1", ("UNKNOWN_AGENCY", 2, "agency_id")),
        ("stops", "s2,Bridge,27.01", "s2,Bridge,103.0", ("BAD_VALUE", 3, "stop_lat")),
        ("stops", "s2,Bridge,27.01", "s1,Bridge,27.01", ("DUPLICATE_ID", 3, "stop_id")),
        ("calendar", "20260101,20261231", "20260101,20261301", ("BAD_DATE", 2, "end_date")),
        ("calendar", "20260101,20261231", "20261231,20260101", ("BAD_VALUE", 2, "end_date")),
        ("calendar_dates", "20260508,1", "20260508,3", ("BAD_VALUE", 2, "exception_type")),
    ],
)
def test_faulty_cells(tmp_path: Path, table: str, old: str, new: str, expected: tuple[object, ...]) -> None:
    """Tests that one damaged cell of a good feed is named with its code, row and field."""
    text = TABLES[f"{table}.txt"]
    assert old in text
    found = faults_of(write_folder(tmp_path / "feed", **{table: text.replace(old, new)}))
    assert (expected[0], f"{table}.txt", *expected[1:]) in found


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Tests that faults of several tables are reported together, and to a collector without being raised."""
    changed = {
        "stop_times": TABLES["stop_times.txt"].replace("06:45:00", "6.45").replace("s4,2", "zz,2"),
        "cargo_stops": "stop_id,site_id,board_s,cutoff_s\ns9,hub,x,0\n",
    }
    feed = write_folder(tmp_path / "feed", **changed)
    codes = [fault[0] for fault in faults_of(feed)]
    assert sorted(codes) == ["BAD_TIME", "BAD_TIME", "BAD_TIME", "BAD_VALUE", "UNKNOWN_STOP", "UNKNOWN_STOP"]
    collector = FaultCollector()
    assert [trip.id for trip in read_gtfs(feed, MONDAY, collector).trips] == ["t1", "t2"]
    assert [fault.code for fault in collector.faults] == codes


def test_unreadable_feeds(tmp_path: Path) -> None:
    """Tests that an absent path, a file that is no zip, an empty folder and a wrong encoding are named as such."""
    assert faults_of(tmp_path / "none.zip") == [("MISSING_FILE", "none.zip", None, None)]
    (tmp_path / "text.zip").write_text("hello")
    assert faults_of(tmp_path / "text.zip") == [("BROKEN_FILE", "text.zip", None, None)]
    (tmp_path / "empty").mkdir()
    assert faults_of(tmp_path / "empty") == [("MISSING_FILE", "empty", None, None)]
    feed = write_folder(tmp_path / "feed")
    (feed / "agency.txt").write_bytes("agency_name,agency_timezone\nStraßenbahn,Asia/Shanghai\n".encode("latin-1"))
    assert ("WRONG_ENCODING", "agency.txt", None, None) in faults_of(feed)


def test_what_can_be_lived_with_is_a_warning(tmp_path: Path) -> None:
    """Tests that an unknown shape, a trip without calls and surplus cells warn and leave the rest usable."""
    changed = {
        "trips": TABLES["trips.txt"].replace("direction_id", "direction_id,shape_id").replace("t1,0", "t1,0,x")
        + "L1,daily,t4,0\n",
        "agency": TABLES["agency.txt"].replace("Shanghai\n", "Shanghai,en\n"),
    }
    timetable = read_gtfs(write_folder(tmp_path / "feed", **changed), MONDAY)
    assert [(w.code, w.row) for w in timetable.warnings] == [
        ("ROW_TOO_LONG", 2),
        ("UNKNOWN_SHAPE", 2),
        ("TRIP_WITHOUT_CALLS", 5),
    ]
    assert [trip.id for trip in timetable.trips] == ["t1", "t2"]


def out_and_back() -> tuple[Timetable, Trip]:
    """Return a line that runs east and back on one road, and its trip; stops lie beside the road."""
    stops = {name: BusStop(name, name, lon, 0.0001) for name, lon in (("a", 10.0), ("b", 10.01), ("c", 10.02))}
    calls = tuple(Call(name, k, 60 * k, 60 * k) for k, name in enumerate("abcba"))
    trip = Trip("t", "l", "d", calls, shape_id="w")
    road = ((10.0, 0.0), (10.004, 0.0), (10.02, 0.0), (10.004, 0.0), (10.0, 0.0))
    lines = {"l": Line("l", "", "", "", "")}
    return Timetable(MONDAY, "UTC", lines, stops, (trip,), shapes={"w": road}), trip


def test_the_course_follows_the_shape_in_order() -> None:
    """Tests that the way between two calls is cut from the right pass of a shape that runs out and back."""
    timetable, trip = out_and_back()
    np.testing.assert_allclose(timetable.course(trip, 0, 1), [(10.0, 0), (10.004, 0), (10.01, 0)], atol=1e-6)
    np.testing.assert_allclose(timetable.course(trip, 3, 4), [(10.01, 0), (10.004, 0), (10.0, 0)], atol=1e-6)
    np.testing.assert_allclose(timetable.course(trip, 1, 3), [(10.01, 0), (10.02, 0), (10.01, 0)], atol=1e-6)


def test_the_course_without_a_shape_is_straight() -> None:
    """Tests that a trip without a shape is drawn from stop to stop."""
    timetable, trip = out_and_back()
    bare = Timetable(MONDAY, "UTC", timetable.lines, timetable.stops, (trip,))
    assert bare.course(trip, 0, 2) == ((10.0, 0.0001), (10.01, 0.0001), (10.02, 0.0001))


@pytest.mark.real_data
def test_the_sardinian_feed(shared_data: Path) -> None:
    """Tests that a real regional feed reads whole: its stops, a working day's trips, and calls past midnight."""
    timetable = read_gtfs(shared_data / "gtfs_sardinia_arst" / "arst-cagliari-2019.gtfs.zip", date(2019, 5, 15))
    assert len(timetable.stops) == 3_248
    assert len(timetable.trips) == 4_533
    assert max(trip.arrival_s for trip in timetable.trips) > 86_400
    assert not timetable.warnings


@pytest.mark.real_data
def test_the_small_sardinian_cut(shared_data: Path) -> None:
    """Tests that the small cut of the feed reads, and that its trips differ from date to date."""
    path = shared_data / "gtfs_sardinia_arst" / "gtfs_tsulki.zip"
    working_day, sunday = read_gtfs(path, date(2019, 5, 15)), read_gtfs(path, date(2019, 5, 19))
    assert (len(working_day.stops), len(working_day.trips)) == (81, 47)
    assert {t.id for t in working_day.trips} != {t.id for t in sunday.trips}
