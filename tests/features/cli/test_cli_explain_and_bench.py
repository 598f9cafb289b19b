"""``shanlu explain-leg`` and ``shanlu bench`` through the command line."""

import json
import re
from pathlib import Path

from command_line import Shanlu
from small_day import write_day


def test_explain_leg_prints_the_way_and_writes_its_profile(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that the roads of a leg are listed, and that the GeoJSON holds its elevation profile."""
    folder = write_day(tmp_path / "day")
    ids = [line.split(",")[0] for line in (folder / "sites.csv").read_text(encoding="utf-8").splitlines()[1:3]]
    result = shanlu("explain-leg", folder, *ids, "--profile", "van_diesel", "--geojson", tmp_path / "leg.geojson")
    assert result.code == 0, result.err
    assert result.out.startswith("van_diesel: ")
    assert "grade %" in result.out
    written = json.loads((tmp_path / "leg.geojson").read_text(encoding="utf-8"))
    assert len(written["elevation_profile"]) >= 2


def test_explain_leg_tells_the_time_at_night(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that a leg by night takes longer than by day, and that a time that is none is told."""
    folder = write_day(tmp_path / "day")
    ids = [line.split(",")[0] for line in (folder / "sites.csv").read_text(encoding="utf-8").splitlines()[1:3]]
    leg = ("explain-leg", folder, *ids, "--profile", "van_diesel", "--depart")
    noon, night, never = (shanlu(*leg, at) for at in ("12:00", "02:00", "noon"))
    assert " 0 s later than on a dry day" in " ".join(noon.out.split())
    assert "85 % of their speed" in " ".join(night.out.split())
    assert " 0 s later than on a dry day" not in " ".join(night.out.split())
    assert never.code == 2
    assert "--depart" in never.err


def test_explain_leg_takes_the_load_given(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that energy falls with the goods aboard, and that a load below nothing is refused."""
    folder = write_day(tmp_path / "day")
    leg = ("explain-leg", folder, "hub", "v1", "--profile", "van_diesel")
    usual, empty, never = shanlu(*leg), shanlu(*leg, "--load-kg", "0"), shanlu(*leg, "--load-kg", "-1")
    told = re.compile(r"(\d+) Wh with (0|700) kg of goods")
    wh = [int(told.search(" ".join(answer.out.split()))[1]) for answer in (usual, empty)]
    assert wh[1] < wh[0]
    assert never.code == 2


def test_explain_leg_keeps_to_the_hours_of_work(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that a road closed at night only is open to a leg, as it is to a plan, and one closed at noon is not."""
    codes = []
    for from_h, until_h in ((20, 23), (11, 13)):
        closure = {
            "type": "Feature",
            "properties": {"kind": "closed", "from_s": from_h * 3600, "until_s": until_h * 3600},
            "geometry": {"type": "LineString", "coordinates": [[100.05, 27.001], [100.05, 27.03]]},
        }
        closures = json.dumps({"type": "FeatureCollection", "features": [closure]})
        folder = write_day(tmp_path / f"day{from_h}", closures=closures)
        codes.append(shanlu("explain-leg", folder, "hub", "v2", "--profile", "van_diesel").code)
    assert codes == [0, 1]


def test_explain_leg_keeps_to_access_by_time(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that a road the map closes at some hours is closed to who works then, and open to who does not."""
    codes = []
    for hours in ("11:00-13:00", "20:00-23:00"):
        folder = write_day(tmp_path / hours[:2])
        roads = (folder / "area.osm").read_text(encoding="utf-8")
        before, tag, after = roads.rpartition('<tag k="highway" v="tertiary"/>')
        rule = f'<tag k="motor_vehicle:conditional" v="no @ ({hours})"/>'
        (folder / "area.osm").write_text(before + tag + rule + after, encoding="utf-8")
        codes.append(shanlu("explain-leg", folder, "hub", "v2", "--profile", "van_diesel").code)
    assert codes == [1, 0]


def test_explain_leg_names_every_unknown_id(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that unknown sites and an unknown profile are told together, the nearest known one suggested."""
    folder = write_day(tmp_path / "day")
    result = shanlu("explain-leg", folder, "nowhere", "neither", "--profile", "van_deisel")
    assert result.code == 2
    assert "field FROM" in result.err
    assert "field TO" in result.err
    assert "Did you mean van_diesel?" in result.err


def test_bench_matrix_prints_one_json_line(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that the matrix of an extract is measured and equals Dijkstra's."""
    folder = write_day(tmp_path / "day")
    extract = next(folder.glob("*.osm*"))
    result = shanlu("bench", "matrix", extract, "--points", 3)
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert figures["points"] == 3
    assert figures["largest_difference_s"] < 1


def test_bench_siting_prints_a_proven_optimum(shanlu: Shanlu, tmp_path: Path) -> None:
    """Tests that a p-median file of the published form is read and solved to proof."""
    instance = tmp_path / "pmed0.txt"
    instance.write_text("4 3 2\n1 2 5\n2 3 9\n3 4 4\n", encoding="utf-8")
    result = shanlu("bench", "pmed", instance)
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert (figures["objective"], figures["proven"]) == (9.0, True)
