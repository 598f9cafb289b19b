"""Siting on a small synthetic county: from the scenario folder to the files."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geodata.cache import Cache
from geodata.errors import InputError
from geodata.location import Level
from geodata.profiles import edge_costs
from geodata.street_matrix import compute_matrix, snap
from routing.generation.county import make_synthetic_scenario
from routing.siting.fallback import flights_to
from routing.siting.outcome import SiteOutcome, SiteRequest
from routing.siting.pipeline import site_points
from routing.siting.reach import ELDERLY_FACTOR, measure_reach
from routing.siting.study import Aim
from routing.siting.survey import Settlement


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county") / "small"
    make_synthetic_scenario("small", 1, folder)
    orders = folder / "orders.csv"
    orders.write_text("".join(orders.read_text(encoding="utf-8").splitlines(keepends=True)[:41]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def run(county: Path, cache: Cache, tmp_path_factory: pytest.TempPathFactory) -> tuple[SiteOutcome, Path]:
    out = tmp_path_factory.mktemp("siting") / "out"
    request = SiteRequest(Aim(open_n=2), days=1, plan_iterations=0, front_time_limit_s=0.5)
    return site_points(county, out, request, cache=cache), out


def test_answer_is_proven_and_keeps_existing_points(run: tuple[SiteOutcome, Path]) -> None:
    """Tests that two points open beside the towns, with proof, and that more points never lengthen the walk."""
    outcome, _ = run
    chosen = [outcome.study.candidates[site] for site, _ in outcome.answer.chosen[-1]]
    towns = {site.id for site in outcome.scenario.sites if site.level is Level.TOWN}
    assert outcome.answer.proven
    assert {place.id for place in chosen if place.existing} == towns
    assert sum(not place.existing for place in chosen) == 2
    alone = [member.figures.mean_min for member in outcome.front.archive if member.alone]
    assert alone == sorted(alone, reverse=True)


def test_front_is_never_worse_than_siting_alone(run: tuple[SiteOutcome, Path]) -> None:
    """Tests that each set of siting alone, planned alike, is on the front or beaten or equalled by a member."""
    outcome, _ = run
    alone = [member for member in outcome.front.archive if member.alone]
    assert alone
    for member in alone:
        assert member.delivery is not None
        assert member.delivery.orders <= len(outcome.scenario.orders)
        assert any(
            all(a <= b + 1e-6 for a, b in zip(best.aims, member.aims, strict=True)) for best in outcome.front.members
        )
    for one in outcome.front.members:
        assert not any(
            other is not one and all(a <= b for a, b in zip(other.aims, one.aims, strict=True))
            for other in outcome.front.members
        )


def test_files_agree_with_the_answer(run: tuple[SiteOutcome, Path]) -> None:
    """Tests that tables, GeoJSON, report and map hold the same points and people, and that the map asks for nothing."""
    outcome, out = run
    with (out / "points.csv").open(encoding="utf-8-sig", newline="") as stream:
        points = list(csv.DictReader(stream))
    with (out / "settlements.csv").open(encoding="utf-8-sig", newline="") as stream:
        settlements = list(csv.DictReader(stream))
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    opened = {row["id"] for row in points if row["state"] in ("opened", "kept")}
    assert opened == {point["id"] for point in report["answer"]["points"]}
    assert {row["id"] for row in settlements} == {place.id for place in outcome.study.settlements}
    assert all(row["point"] in opened or row["fallback"] in ("courier", "drone", "none") for row in settlements)
    assert {row["id"] for row in settlements if row["fallback"]} == {
        entry["settlement"] for entry in report["beyond_reach"]
    }
    features = json.loads((out / "points.geojson").read_text(encoding="utf-8"))["features"]
    lines = [feature for feature in features if feature["geometry"]["type"] == "LineString"]
    assert lines
    assert all(len(line["geometry"]["coordinates"]) > 1 for line in lines)
    page = (out / "map.html").read_text(encoding="utf-8")
    assert "default-src &#x27;none&#x27;" in page
    assert '<script src="http' not in page


def test_a_drone_is_a_fallback_only_where_it_may_fly(run: tuple[SiteOutcome, Path]) -> None:
    """Tests that flights are told with base and minutes, and refused where there is no drone, or it is too weak."""
    outcome, _ = run
    scenario, area = outcome.scenario, outcome.area
    near = [site for site in scenario.sites if site.level is Level.VILLAGE][:3]
    places = [Settlement(site.id, site.name, site.lon, site.lat, 1.0, 0.1, 0.0) for site in near]
    bases = {stand.site for stand in scenario.stands if stand.type in scenario.drone_services}
    found = flights_to(scenario, area, places, None)
    for by, minutes, base, reason in found:
        assert (by == "drone" and base in bases and minutes is not None and minutes > 0) or (by == "none" and reason)
    assert any(by == "drone" for by, *_ in found)
    none = flights_to(replace(scenario, stands=()), area, places, None)
    assert {by for by, *_ in none} == {"none"}
    assert "no drone" in none[0][3]
    empty = {
        key: replace(service, physics=replace(service.physics, battery_wh=1.0))
        for key, service in scenario.drone_services.items()
    }
    assert {by for by, *_ in flights_to(replace(scenario, drone_services=empty), area, places, None)} == {"none"}


def test_elderly_pace_is_a_share_of_every_way(run: tuple[SiteOutcome, Path]) -> None:
    """Tests that walking at 0.7 of the speed takes 1/0.7 of every time, as the study counts it."""
    outcome, _ = run
    area = outcome.area
    places = outcome.study.settlements[:12]
    lon, lat = np.array([place.lon for place in places]), np.array([place.lat for place in places])
    usual = area.profiles["walker"]
    slow = replace(usual, walk_factor=ELDERLY_FACTOR, access_m_s=usual.access_m_s * ELDERLY_FACTOR)
    seconds = []
    for profile in (usual, slow):
        costs = edge_costs(area.streets, profile)
        joined = snap(area.streets, costs, profile, lon, lat)
        ids = [place.id for place in places]
        seconds.append(compute_matrix(area.streets, costs, profile.id, ids, joined).duration_s)
    both = (seconds[0] < 1_000_000) & (seconds[1] < 1_000_000)
    assert both.sum() > len(places)
    assert np.abs(seconds[1] - seconds[0] / ELDERLY_FACTOR)[both].max() <= 3.0


def test_scenarios_census_and_points_from_tables(
    county: Path, cache: Cache, tmp_path: Path, run: tuple[SiteOutcome, Path]
) -> None:
    """Tests a census, a table of points and a lost line together, and that rows in another order answer the same."""
    timetable = run[0].area.timetable
    assert timetable is not None
    line = timetable.trips[0].line_id
    places = run[0].study.settlements[:6]
    rows = [f"{place.name},{place.lon},{place.lat},{place.people:.0f}" for place in places]
    census, other = tmp_path / "census.csv", tmp_path / "other.csv"
    census.write_text("\n".join(["name,lon,lat,people", *rows]), encoding="utf-8")
    other.write_text("\n".join(["name,lon,lat,people", *reversed(rows)]), encoding="utf-8")
    points = tmp_path / "points.csv"
    lines = [f"q{k},Q{k},{place.lon},{place.lat}" for k, place in enumerate(places[:4])]
    points.write_text("\n".join(["id,name,lon,lat", *lines]), encoding="utf-8")
    answers = []
    for table in (census, other):
        request = SiteRequest(
            Aim(open_n=2, over="worst"), demand=str(table), candidates=(str(points),), lost_lines=(line,)
        )
        answers.append(site_points(county, None, request, cache=cache).answer)
    assert answers[0].proven
    assert answers[0].value == pytest.approx(answers[1].value)
    with pytest.raises(InputError, match="no bus of that line"):
        site_points(county, None, SiteRequest(Aim(open_n=1), lost_lines=(f"{line}x",)), cache=cache)
    with pytest.raises(InputError, match="no travel profile"):
        site_points(county, None, SiteRequest(Aim(open_n=1), profile="walkr"), cache=cache)


def test_reach_ways_join_settlement_and_point(run: tuple[SiteOutcome, Path]) -> None:
    """Tests that a foot path begins near the settlement and ends near the point, where minutes are finite."""
    outcome, _ = run
    i, j = np.argwhere(np.isfinite(outcome.reach.minutes) & (outcome.reach.minutes > 0))[0]
    (way,) = outcome.reach.ways([(int(i), int(j))])
    assert way is not None
    for end, place in ((way[0], outcome.study.settlements[i]), (way[-1], outcome.study.candidates[j])):
        assert abs(end[0] - place.lon) + abs(end[1] - place.lat) < 0.03
    alone = measure_reach(outcome.area, outcome.study.settlements[:3], outcome.study.candidates[:2], "walker")
    assert np.array_equal(alone.minutes, outcome.reach.minutes[:3, :2])
