"""Connection search against exhaustive enumeration, and its rules one by one."""

from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.connections import Connection, ConnectionSearch, Ride, walking_links
from geodata.gtfs import read_gtfs
from geodata.location import Level, Site
from geodata.timetable import BusStop, Call, CargoStop, Line, Timetable, Trip


def timetable(trips: dict[str, list[tuple[str, int, int]]], links: tuple[CargoStop, ...] = ()) -> Timetable:
    """Return a timetable of trips given as (stop, arrival, departure); stops lie 0.01° apart to the east."""
    made = [
        Trip(name, "L", "daily", tuple(Call(stop, k, arrival, departure) for k, (stop, arrival, departure) in calls))
        for name, calls in ((name, list(enumerate(calls))) for name, calls in trips.items())
    ]
    made.sort(key=lambda trip: (trip.departure_s, trip.id))
    names = sorted({call.stop_id for trip in made for call in trip.calls})
    stops = {name: BusStop(name, name, 100.0 + k / 100, 27.0) for k, name in enumerate(names)}
    line = Line("L", "1", "", "A", "Valley Bus")
    return Timetable(date(2026, 5, 4), "Asia/Shanghai", {"L": line}, stops, tuple(made), cargo_stops=links)


LINKS = (CargoStop("a", "A", 60, 600), CargoStop("b", "B", 120, 300), CargoStop("c", "C", 30, 900))


def chains(day: Timetable, links: tuple[CargoStop, ...], handling_s: dict[str, int]) -> list[Connection]:
    """Return every connection there is with at most one change, by trying all boardings and alightings."""
    rides = [
        (trip, i, j, start, end)
        for trip in day.trips
        for i, j in product(range(len(trip.calls)), repeat=2)
        for start, end in product(links, repeat=2)
        if i < j
        and (trip.calls[i].stop_id, trip.calls[j].stop_id) == (start.stop_id, end.stop_id)
        and trip.calls[i].can_board
        and trip.calls[j].can_alight
    ]

    def ride(trip: Trip, i: int, j: int, start: CargoStop, end: CargoStop) -> Ride:
        return Ride(trip.id, start.site_id, end.site_id, i, j, trip.calls[i].departure_s, trip.calls[j].arrival_s)

    def leave_s(one: tuple) -> int:
        return one[0].calls[one[1]].departure_s - one[3].cutoff_s

    def arrive_s(one: tuple) -> int:
        return one[0].calls[one[2]].arrival_s + one[4].board_s

    found = [Connection(leave_s(one), arrive_s(one), (ride(*one),)) for one in rides]
    for one, two in product(rides, repeat=2):
        change = one[4].site_id
        if change == two[3].site_id and arrive_s(one) + handling_s.get(change, 0) <= leave_s(two):
            found.append(Connection(leave_s(one), arrive_s(two), (ride(*one), ride(*two))))
    return found


def figures(connection: Connection) -> tuple[int, int, int]:
    return connection.leave_s, connection.arrive_s, connection.n_transfers


def pareto(found: list[Connection]) -> list[tuple[int, int, int]]:
    """Return leave, arrival and changes of the connections no other beats, latest departure first."""
    all_figures = {figures(one) for one in found}
    best = [
        one
        for one in all_figures
        if not any(o != one and o[0] >= one[0] and o[1] <= one[1] and o[2] <= one[2] for o in all_figures)
    ]
    return sorted(best, key=lambda one: (-one[0], one[1], one[2]))


@st.composite
def days(draw: st.DrawFn) -> tuple[Timetable, tuple[CargoStop, ...], dict[str, int]]:
    """Return small days on which lines meet, circle, forbid boarding, and stops serve several sites."""
    trips = []
    for number in range(draw(st.integers(1, 5))):
        time_s, calls = draw(st.integers(0, 3_000)), []
        for k in range(draw(st.integers(2, 5))):
            dwell_s = draw(st.sampled_from([0, 0, 60, 900]))
            may = draw(st.sampled_from([(True, True), (True, True), (False, True), (True, False)]))
            calls.append(Call(draw(st.sampled_from("abcd")), k, time_s, time_s + dwell_s, *may))
            time_s += dwell_s + draw(st.sampled_from([0, 120, 300, 1_200]))
        trips.append(Trip(f"t{number}", "L", "daily", tuple(calls)))
    trips.sort(key=lambda trip: (trip.departure_s, trip.id))
    link = st.builds(
        CargoStop,
        st.sampled_from("abcd"),
        st.sampled_from("ABC"),
        st.sampled_from([0, 60, 200]),
        st.sampled_from([0, 100, 600]),
    )
    links = tuple(draw(st.lists(link, min_size=1, max_size=6, unique_by=lambda one: (one.stop_id, one.site_id))))
    handling_s = {site: draw(st.sampled_from([0, 60, 300])) for site in "ABC"}
    stops = {name: BusStop(name, name, 100.0, 27.0) for name in "abcd"}
    day = Timetable(date(2026, 5, 4), "", {"L": Line("L", "", "", "", "")}, stops, tuple(trips), cargo_stops=links)
    return day, links, handling_s


@settings(max_examples=150, deadline=None)
@given(days(), st.integers(-1_000, 4_000))
def test_search_equals_exhaustive_enumeration(
    drawn: tuple[Timetable, tuple[CargoStop, ...], dict[str, int]], ready_s: int
) -> None:
    """Tests leave, arrival and changes of all Pareto-best against every chain there is, and that each one exists."""
    day, links, handling_s = drawn
    search = ConnectionSearch(day, None, handling_s)
    everything = chains(day, links, handling_s)
    for start, goal in product("ABC", repeat=2):
        possible = [
            one
            for one in everything
            if start != goal and (one.rides[0].from_site, one.rides[-1].to_site) == (start, goal)
        ]
        found = search.connections(start, goal)
        assert [figures(one) for one in found] == pareto(possible)
        assert all(one in possible for one in found)
        direct = [one for one in possible if one.n_transfers == 0]
        assert [figures(one) for one in search.connections(start, goal, max_transfers=0)] == pareto(direct)
        in_time = [one for one in possible if one.leave_s >= ready_s]
        first = search.earliest_arrival(start, goal, ready_s)
        assert (first is None) == (not in_time)
        if first is not None:
            assert first.arrive_s == min(one.arrive_s for one in in_time)
            assert first.leave_s >= ready_s


def test_cutoff_handling_and_boarding_bound_a_change() -> None:
    """Tests that a change is caught to the second: arrival + boarding + handling + cut-off = departure."""
    first = [("a", 7_200, 7_200), ("b", 9_000, 9_060)]
    catch_s = 9_000 + 120 + 240 + 300
    for departure_s, is_caught in ((catch_s, True), (catch_s - 1, False)):
        second = [("b", departure_s, departure_s), ("c", 12_000, 12_000)]
        search = ConnectionSearch(timetable({"t1": first, "t2": second}, LINKS), None, {"B": 240})
        found = search.connections("A", "C")
        assert bool(found) == is_caught
    search = ConnectionSearch(timetable({"t1": first, "t2": [("b", catch_s, catch_s), ("c", 12_000, 12_000)]}, LINKS))
    assert search.connections("A", "C") == (
        Connection(
            7_200 - 600,
            12_000 + 30,
            (Ride("t1", "A", "B", 0, 1, 7_200, 9_000), Ride("t2", "B", "C", 0, 1, catch_s, 12_000)),
        ),
    )


def test_a_change_is_offered_only_where_it_gains() -> None:
    """Tests that a direct bus hides a change that arrives no earlier, and not one that arrives earlier."""
    slow = {"slow": [("a", 3_600, 3_600), ("c", 12_000, 12_000)]}
    feeder = {"t1": [("a", 3_600, 3_600), ("b", 5_000, 5_000)]}

    def changes(arrival_s: int) -> list[int]:
        day = timetable({**slow, **feeder, "t2": [("b", 6_000, 6_000), ("c", arrival_s, arrival_s)]}, LINKS)
        return [one.n_transfers for one in ConnectionSearch(day).connections("A", "C")]

    assert changes(12_000) == [0]
    assert changes(11_999) == [1, 0]


def test_spans_and_trips_restrict_the_search() -> None:
    """Tests that goods leave when ready, arrive in time, and ride only the trips that are given."""
    runs = {f"t{h}": [("a", h * 3_600, h * 3_600), ("b", h * 3_600 + 900, h * 3_600 + 900)] for h in (7, 8, 9, 10)}
    day = timetable(runs, LINKS)
    search = ConnectionSearch(day)
    at_8 = 8 * 3_600 - 600
    found = search.connections("A", "B", ready_s=at_8, until_s=9 * 3_600 + 900 + 120)
    assert [one.rides[0].trip_id for one in found] == ["t9", "t8"]
    late = search.earliest_arrival("A", "B", at_8 + 1)
    assert late is not None
    assert late.rides[0].trip_id == "t9"
    only = ConnectionSearch(day, trip_ids={"t10"}).connections("A", "B")
    assert [one.rides[0].trip_id for one in only] == ["t10"]


def test_places_without_buses_have_no_connections() -> None:
    """Tests that unknown sites, a site with itself, the way against the bus and a day without links give nothing."""
    day = timetable({"t1": [("a", 3_600, 3_600), ("b", 5_000, 5_000)]}, LINKS)
    search = ConnectionSearch(day)
    assert [search.connections(*pair) for pair in (("A", "nowhere"), ("A", "A"), ("B", "A"), ("A", "C"))] == [()] * 4
    assert search.earliest_arrival("B", "A", 0) is None
    assert ConnectionSearch(day, ()).connections("A", "B") == ()
    with pytest.raises(ValueError, match="0 or 1"):
        search.connections("A", "B", max_transfers=2)


def test_walking_links_take_the_way_into_account() -> None:
    """Tests the walk in both spans, the reach, and that a site's own stops replace those around it."""
    day = timetable({"t1": [("a", 0, 0), ("b", 9, 9), ("c", 99, 99)]})
    near = Site("near", "near", Level.VILLAGE, 100.0, 27.001)  # 111.2 m north of a
    named = Site("named", "named", Level.VILLAGE, 100.0, 27.0, bus_stop_ids=("b", "gone"))  # b: 990.8 m east
    lonely = Site("lonely", "lonely", Level.GROUP, 101.0, 27.0)
    found = walking_links(day, [near, named, lonely], speed_m_s=1.0, detour=1.5, board_s=100, cutoff_s=500)
    assert found == (CargoStop("a", "near", 267, 667), CargoStop("b", "named", 1_587, 1_987))


@pytest.mark.real_data
def test_connections_of_a_real_feed_hold_in_its_timetable(shared_data: Path) -> None:
    """Tests rides of the Iglesiente feed against its calls, and that the first arrival never falls as time goes on."""
    day = read_gtfs(shared_data / "gtfs_sardinia_arst" / "gtfs_tsulki.zip", date(2019, 1, 14))
    links = tuple(CargoStop(stop_id, f"at {stop_id}", 120, 300) for stop_id in day.stops)
    search = ConnectionSearch(day, links, {link.site_id: 240 for link in links})
    used = sorted({call.stop_id for trip in day.trips for call in trip.calls})
    n_changes = 0
    for start, goal in product(used[:20], used[-20:]):
        found = search.connections(f"at {start}", f"at {goal}")
        for one in found:
            n_changes += one.n_transfers
            for ride in one.rides:
                calls = day.trip_by_id[ride.trip_id].calls
                assert ride.board < ride.alight
                assert (calls[ride.board].departure_s, calls[ride.alight].arrival_s) == (
                    ride.departure_s,
                    ride.arrival_s,
                )
            if one.n_transfers:
                assert one.rides[0].to_site == one.rides[1].from_site
                assert one.rides[1].departure_s - one.rides[0].arrival_s >= 120 + 240 + 300
        firsts = [search.earliest_arrival(f"at {start}", f"at {goal}", ready_s) for ready_s in (0, 30_000, 50_000)]
        arrivals = [one.arrive_s if one else 10**9 for one in firsts]
        assert arrivals == sorted(arrivals)
    assert n_changes > 0
