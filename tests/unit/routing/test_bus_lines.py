"""Which halts a run of a bus line calls at, out and back, from the ways mappers list them."""

import numpy as np
import pytest

from geodata.matrix import UNREACHABLE_S, TravelMatrix
from geodata.osm_features import OsmBusLine, OsmBusStop, OsmLineStop
from routing.generation.bus_lines import DrivingTimes, directions, have_counterparts, headway_s, service_hours

KM_S = 120
STOPS = {name: OsmBusStop(name, name, 100 + 0.02 * k, 27.0) for k, name in enumerate("abcdefgh")}
STOPS |= {f"{name}'": OsmBusStop(f"{name}'", "", stop.lon, 27.0003) for name, stop in STOPS.items()}


def times_on_one_road(cut: str = "") -> DrivingTimes:
    """Return times along a straight road through the stops; a stop named in `cut` is off the network."""
    ids = tuple(STOPS)
    lon, lat = np.array([STOPS[i].lon for i in ids]), np.array([STOPS[i].lat for i in ids])
    km = (np.abs(lon[:, None] - lon) + np.abs(lat[:, None] - lat)) * 100
    duration = np.rint(km * KM_S).astype(np.int64)
    off = np.array([i in cut.split() for i in ids])
    duration[off[:, None] != off[None, :]] = UNREACHABLE_S
    return DrivingTimes(TravelMatrix("bus", ids, duration, duration * 0, duration * 0.0))


def line(stops: str, roles: str = "", name: str = "r1", **tags: str) -> OsmBusLine:
    """Return a relation from stop names and roles separated by blanks."""
    given = roles.split() or ["stop"] * len(stops.split())
    members = tuple(OsmLineStop(STOPS[s], role) for s, role in zip(stops.split(), given, strict=True))
    return OsmBusLine(name, tags, members)


def runs(listed: OsmBusLine, **options: bool) -> list[str]:
    """Return the stops of each direction, joined."""
    found, _ = directions(listed, times_on_one_road(), has_counterpart=options.get("has_counterpart", False))
    return [" ".join(stop.osm_id for stop in direction.stops) for direction in found]


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        ("a b c d", ["a b c d", "d c b a"]),  # one way listed: the bus comes back the same way
        ("a b c d c b a", ["a b c d", "d c b a"]),  # out and back
        ("a b c d d' c' b' a'", ["a b c d", "d' c' b' a'"]),  # out and back with platforms of their own
        ("a c e h d b", ["a b c d e h", "h e d c b a"]),  # stops forgotten and listed last
        ("a b c d e f a", ["a b c d e f", "f e d c b a"]),  # home without a list of the way back
        ("a a' b b' c", ["a b c", "c b a"]),  # platforms of both sides in one list: one halt each
        ("a", []),
        ("a a'", []),
    ],
)
def test_directions_from_the_order_of_stops(stops: str, expected: list[str]) -> None:
    """Tests that a list is split at its turn, strays are put in order of the road, and nothing is added."""
    assert runs(line(stops)) == expected


def test_roles_of_direction_win() -> None:
    """Tests that forward and backward roles split a line, and stops without either belong to both."""
    listed = line("a b c' c d", "stop forward_stop backward:stop:1 forward:stop:2 stop")
    assert runs(listed) == ["a b c d", "d c' a"]


def test_a_round_is_run_as_listed() -> None:
    """Tests that a line tagged as a round trip has one direction."""
    assert runs(line("a c d b a", roundtrip="yes")) == ["a c d b a"]


def test_relations_of_both_directions_are_not_run_back() -> None:
    """Tests that two relations of one line, one for each direction, are each run as listed only."""
    there, back = line("a b c d", name="r1", ref="7"), line("d c' b a", name="r2", ref="7")
    other = line("d c a", name="r3", ref="8")
    assert have_counterparts([there, back, other]) == {"r1", "r2"}
    assert runs(back, has_counterpart=True) == ["d c' b a"]


def test_times_are_guessed_where_no_street_leads() -> None:
    """Tests that a stop off the streets is reached at the fallback speed over the lengthened straight line."""
    found, _ = directions(line("a b c"), times_on_one_road(cut="b b'"), has_counterpart=False)
    expected_s = 0.02 * 111_195 * np.cos(np.radians(27)) * 1.4 / (30 / 3.6)
    assert found[0].driving_s == pytest.approx((expected_s, expected_s), abs=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30", 1_800), ("01:30", 5_400), ("00:20:30", 1_230), ("PT45M", 2_700), ("PT1H", 3_600), ("", None), ("1", None)],
)
def test_intervals(text: str, expected: int | None) -> None:
    """Tests that intervals are read in the forms mappers use, and senseless ones are not."""
    assert headway_s({"interval": text} if text else {}) == expected


@pytest.mark.parametrize(
    ("text", "weekdays", "span"),
    [
        ("Mo-Fr 06:00-20:30", "1111100", (6.0, 20.5)),
        ("07:15-19:00; PH off", "1111111", (7.25, 19.0)),
        ("Sa,Su,PH 8:00-12:00", "0000011", (8.0, 12.0)),
        ("Fr-Mo 08:00-25:30", "1000111", (8.0, 25.5)),
    ],
)
def test_service_hours(text: str, weekdays: str, span: tuple[float, float]) -> None:
    """Tests that weekdays and span of the first rule are read."""
    hours = service_hours({"opening_hours": text})
    assert hours is not None
    assert "".join(str(int(day)) for day in hours.weekdays) == weekdays
    assert (hours.first_s / 3600, hours.last_s / 3600) == span


@pytest.mark.parametrize("text", ["", "24/7", "sunrise-sunset", "Montag 08:00-12:00", "20:00-06:00"])
def test_hours_that_are_not_understood(text: str) -> None:
    """Tests that anything else leaves the stated defaults in force."""
    assert service_hours({"opening_hours": text}) is None
