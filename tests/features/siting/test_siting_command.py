"""``shanlu site`` as a planner types it: tables, closed roads, lost lines, years, and what it refuses."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Shanlu

from api.cli import main
from routing.generation.county import make_synthetic_scenario
from routing.siting import pipeline


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county") / "small"
    make_synthetic_scenario("small", 1, folder)
    return folder


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shanlu(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shanlu:
    """Return a function that runs a command in `tmp_path`."""
    from command_line import Answer

    monkeypatch.setenv("SHANLU_CACHE", str(cache_folder))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return run


def report_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return content


def opened(report: dict[str, Any]) -> set[str]:
    return {point["id"] for point in report["answer"]["points"] if point["kind"] != "existing"}


def test_a_closed_road_of_a_file_moves_the_answer(county: Path, shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that ways around an opened village closed in a GeoJSON make the worst case longer, and never shorter."""
    assert shanlu("site", county, "--open", 2, "--out", "usual").code == 0
    usual = report_of(tmp_path / "usual")
    with (tmp_path / "usual" / "points.csv").open(encoding="utf-8-sig", newline="") as stream:
        place = next(row for row in csv.DictReader(stream) if row["state"] == "opened" and float(row["people"]) > 0)
    x, y, around = float(place["lon"]), float(place["lat"]), 0.01
    ring = [[x - around, y - around], [x + around, y - around], [x + around, y + around], [x - around, y + around]]
    closure = {
        "type": "Feature",
        "properties": {"kind": "closed"},
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    }
    slide = tmp_path / "slide.geojson"
    slide.write_text(json.dumps({"type": "FeatureCollection", "features": [closure]}), encoding="utf-8")
    answer = shanlu("site", county, "--open", 2, "--closure", slide, "--over", "worst", "--out", "robust")
    assert answer.code == 0, answer.err
    robust = report_of(tmp_path / "robust")
    assert robust["answer"]["proven"]
    assert robust["answer"]["value"] > usual["answer"]["value"]
    together = shanlu("site", county, "--years", "1,1", "--capacities", "--closure", slide, "--kind", "drone_pad",
                      "--kind", "locker", "--out", "years")  # fmt: skip
    assert together.code in (0, 2)  # done with capacities, or room is short and the least is told
    if together.code == 0:
        assert len(report_of(tmp_path / "years")["answer"]["years"]) == 2
    else:
        assert "parcels of everyone" in together.err


def test_a_lost_line_closes_stops_that_no_road_reaches(
    county: Path, shanlu: Shanlu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests that stops without a road are not counted on the day their only line is lost."""
    monkeypatch.setattr(pipeline, "_without_road", lambda _scenario, _area, places: [True] * len(places))
    choose = ("site", county, "--open", 1, "--candidates", "bus-stops", "--over", "worst", "--closable")
    assert shanlu(*choose, "--out", "usual").code == 0
    (stop,) = opened(report_of(tmp_path / "usual"))
    with (tmp_path / "usual" / "points.csv").open(encoding="utf-8-sig", newline="") as stream:
        lines = {row["id"]: row["bus_lines"].split(";") for row in csv.DictReader(stream)}[stop]
    assert shanlu(*choose, "--lost-line", lines[0], "--out", "lost").code == 0
    assert (stop in opened(report_of(tmp_path / "lost"))) == (len(lines) > 1)
    refused = shanlu(*choose, "--lost-line", "no such line", "--out", "x")
    assert refused.code == 2
    assert "no bus of that line" in refused.err
    assert not (tmp_path / "x").exists()


def test_bad_tables_are_refused_with_every_row(county: Path, shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that faults of a census come all at once with row and field, and nothing is written."""
    census = tmp_path / "census.csv"
    census.write_text("name,lon,lat,people\nA,x,31.2,5\nB,105.7,31.2,-5\n", encoding="utf-8")
    answer = shanlu("site", county, "--open", 1, "--demand", census, "--out", "out")
    assert answer.code == 2
    assert "census.csv, row 2, field lon" in answer.err
    assert "census.csv, row 3, field people" in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        ((), "the question is missing"),
        (("--years", "3,x"), "no list of whole numbers"),
        (("--open", 1, "--within", 15, "--goal", "tail"), "another question than a goal"),
        (("--open", 1, "--kind", "lokcer"), "did you mean locker?"),
        (("--open", 1, "--force-open", "nowhere"), "there is no such point"),
        (("--within", 0.2), "The least that would do"),
    ],
)
def test_questions_refused(county: Path, shanlu: Shanlu, arguments: tuple[object, ...], phrase: str) -> None:
    """Tests that a senseless or impossible question ends with exit code 2 and says what would do."""
    answer = shanlu("site", county, *arguments)
    assert answer.code == 2
    assert phrase in " ".join(answer.err.split())
