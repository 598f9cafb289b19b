"""``shanlu connections``, ``shanlu realtime`` and ``shanlu access`` through the command line, and updates in plans."""

import csv
import json
from pathlib import Path

import pytest
from command_line import Shanlu
from google.transit import gtfs_realtime_pb2 as pb
from small_day import CONFIG, write_day

from geodata.errors import InputError
from routing.day import read_day


def feed(*, delay: int | None = None, trip_id: str = "t1") -> bytes:
    """Return a feed that delays a trip, or cancels it."""
    message = pb.FeedMessage(header=pb.FeedHeader(gtfs_realtime_version="2.0"))
    update = message.entity.add(id="1").trip_update
    update.trip.trip_id = trip_id
    if delay is None:
        update.trip.schedule_relationship = pb.TripDescriptor.CANCELED
    else:
        update.stop_time_update.add(stop_sequence=1, departure={"delay": delay})
    return bytes(message.SerializeToString())


def with_updates(folder: Path, content: bytes, **changed: str) -> Path:
    """Write the small day with a file of updates named."""
    config = CONFIG.replace('timetable = "timetable"\n', 'timetable = "timetable"\ntimetable_updates = "late.pb"\n')
    write_day(folder, config=config, **changed)
    (folder / "late.pb").write_bytes(content)
    return folder


def test_connections_of_a_day(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests the table and the JSON of the one bus of the valley, which goods must be ready for ten minutes before."""
    folder = write_day(tmp_path / "day")
    result = shanlu("connections", folder, "hub", "v1", "--depart", "08:30")
    assert result.code == 0, result.err
    assert result.out.splitlines()[1].split()[:4] == ["08:50", "09:27", "0", "1"]
    found = json.loads(shanlu("connections", folder, "hub", "v1", "--json").out)
    assert [(way["leave_s"], way["arrive_s"], way["transfers"]) for way in found["connections"]] == [
        (31_800, 34_020, 0)
    ]
    assert "no bus" in shanlu("connections", folder, "hub", "v1", "--depart", "08:51").out
    assert "no bus" in shanlu("connections", folder, "v1", "hub").out


def test_connections_names_every_wrong_argument(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that unknown sites, a wrong clock and a wrong date are told, and a scenario without a timetable."""
    folder = write_day(tmp_path / "day")
    unknown = shanlu("connections", folder, "hupp", "nowhere")
    assert (unknown.code, unknown.err.count("UNKNOWN_SITE")) == (2, 2)
    wrong = shanlu("connections", folder, "hub", "v1", "--depart", "9", "--date", "tomorrow")
    assert wrong.code == 2
    assert "BAD_TIME" in wrong.err
    assert "BAD_DATE" in wrong.err
    without = write_day(tmp_path / "no-bus", config=CONFIG.replace('timetable = "timetable"\n', ""))
    assert "files.timetable" in shanlu("connections", without, "hub", "v1").err


def test_updates_named_in_a_scenario_change_day_and_digest(tmp_path: Path) -> None:
    """Tests that a delay and a cancelled trip reach the area that plan and check read, and the scenario's digest."""
    planned = read_day(write_day(tmp_path / "planned"))
    late = read_day(with_updates(tmp_path / "late", feed(delay=600)))
    later = read_day(with_updates(tmp_path / "later", feed(delay=1_200)))
    gone = read_day(with_updates(tmp_path / "gone", feed()))
    for day, first_s in ((planned, 32_400), (late, 33_000), (later, 33_600)):
        assert day.area.timetable is not None
        assert day.area.timetable.trips[0].departure_s == first_s
    assert gone.area.timetable is not None
    assert gone.area.timetable.trips == ()
    assert len({day.scenario.digest for day in (planned, late, later, gone)}) == 4


@pytest.mark.parametrize(
    ("content", "config", "code"),
    [
        (b"<html>", {}, "BROKEN_FILE"),
        (
            feed(),
            {"config": CONFIG.replace('timetable = "timetable"\n', 'timetable_updates = "late.pb"\n')},
            "MISSING_FILE",
        ),
        (
            feed(),
            {"config": CONFIG.replace("[files]\n", '[files]\ntimetable_updates = "https://example.org/updates"\n')},
            "OUTSIDE_SCENARIO",
        ),
    ],
)
def test_faulty_updates_are_named(tmp_path: Path, content: bytes, config: dict[str, str], code: str) -> None:
    """Tests that a web page, updates without a timetable and an address in scenario.toml are refused."""
    folder = write_day(tmp_path / "day", **config) if config else with_updates(tmp_path / "day", content)
    (folder / "late.pb").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_day(folder)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_realtime_saves_the_feed_and_a_plan_keeps_to_it(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that the command tells the changes, that plan and check see them, and that a plan of before is refused."""
    folder = write_day(tmp_path / "day")
    text = (folder / "scenario.toml").read_text(encoding="utf-8")
    assert shanlu("plan", folder, "--out", tmp_path / "before", "--max-iterations", 1).code == 0
    (tmp_path / "feed.pb").write_bytes(feed(delay=540))
    told = shanlu("realtime", folder, tmp_path / "feed.pb")
    assert told.code == 0, told.err
    assert told.out.splitlines() == ["0 trips cancelled, 1 changed, of 1", "  t1: up to 9 min late"]
    assert "09:00" not in shanlu("connections", folder, "hub", "v1").out
    assert shanlu("plan", folder, "--out", tmp_path / "after", "--max-iterations", 1).code == 0
    assert shanlu("check", folder, tmp_path / "after" / "plan.json").code == 0
    assert shanlu("check", folder, tmp_path / "before" / "plan.json").code == 1
    assert shanlu("realtime", folder, "--clear").code == 0
    assert (folder / "scenario.toml").read_text(encoding="utf-8") == text
    assert shanlu("check", folder, tmp_path / "before" / "plan.json").code == 0


def test_realtime_takes_a_feed_or_clear(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that neither or both is refused, and that a feed that is none leaves the scenario as it was."""
    folder = write_day(tmp_path / "day")
    before = (folder / "scenario.toml").read_bytes()
    (tmp_path / "page").write_bytes(b"<html>")
    assert shanlu("realtime", folder).code == 2
    assert shanlu("realtime", folder, tmp_path / "page", "--clear").code == 2
    assert "BROKEN_FILE" in shanlu("realtime", folder, tmp_path / "page").err
    assert (folder / "scenario.toml").read_bytes() == before


def test_access_leaves_out_what_is_closed_at_night(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that a branch closed after the hours of work is no reason a site is not reached, as in a plan."""
    closure = {
        "type": "Feature",
        "properties": {"kind": "closed", "from_s": 72_000, "until_s": 82_800},
        "geometry": {"type": "LineString", "coordinates": [[100.05, 27.001], [100.05, 27.03]]},
    }
    closures = json.dumps({"type": "FeatureCollection", "features": [closure]})
    result = shanlu("access", write_day(tmp_path / "day", closures=closures), "--profile", "van_diesel")
    assert result.code == 0, result.err
    assert "closed that day" not in " ".join(result.out.split())


def test_access_says_what_to_mend(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that a closed branch and the group without a road are told, the table written, a wrong profile named."""
    closure = {
        "type": "Feature",
        "properties": {"kind": "closed"},
        "geometry": {"type": "LineString", "coordinates": [[100.05, 27.001], [100.05, 27.03]]},
    }
    closures = json.dumps({"type": "FeatureCollection", "features": [closure]})
    folder = write_day(tmp_path / "day", closures=closures)
    result = shanlu("access", folder, "--csv", tmp_path / "access.csv")
    assert result.code == 0, result.err
    assert "the road is closed that day" in " ".join(result.out.split())
    rows = {row["site_id"]: row for row in csv.DictReader((tmp_path / "access.csv").read_text("utf-8").splitlines())}
    assert {site: row["status"] for site, row in rows.items()} == {
        "hub": "reached",
        "t1": "reached",
        "v1": "reached",
        "v2": "barred",
        "g1": "too_far",
    }
    assert rows["v2"]["barred_by"] == "closed"
    assert "Did you mean walker?" in shanlu("access", folder, "--profile", "walkr").err
    planned = shanlu("plan", folder, "--out", tmp_path / "plan", "--max-iterations", 1)
    assert planned.code == 0, planned.err
    notes = json.loads((tmp_path / "plan" / "report.json").read_text(encoding="utf-8"))["notes"]
    assert [note["places"] for note in notes if note["code"] == "NOT_FOR_PROFILE"] == [["v2"]]
