import json

import pytest

from routing.checker import Code, Report, Violation
from routing.export.outputs import output_files
from routing.export.report_file import report_content, report_to_bytes
from routing.export.scene import Scene


def test_every_file_of_the_plan_folder_is_made(scene: Scene) -> None:
    """Tests that all files beside plan.json and the report are made, and equal plans give equal bytes."""
    files = output_files(scene, "zh")
    assert set(files) == {
        "plan.geojson", "routes.csv", "orders.csv", "map.html", "manifests/drivers.csv", "manifests/bus_crews.csv",
        "manifests/drone_pads.csv", "manifests/stations.csv", "manifests/manifests.pdf",
    }  # fmt: skip
    assert output_files(scene, "zh") == files


def test_files_for_programs_do_not_depend_on_the_language(scene: Scene) -> None:
    """Tests that --lang changes only what people read."""
    english, chinese = output_files(scene, "en"), output_files(scene, "zh")
    same = {name for name in english if english[name] == chinese[name]}
    assert same == {"plan.geojson", "routes.csv", "orders.csv"}


@pytest.mark.parametrize("timings", [{}, {"solve": 1.5}])
def test_the_report_holds_findings_figures_and_debts(scene: Scene, timings: dict[str, float]) -> None:
    """Tests that the report lists violations, KPIs, what operators are owed, credits and synthetic parts."""
    code = next(iter(Code))
    report = Report((Violation(code, "hub", 3.0, "s", "too early", "R-van-1", None),))
    kpis = {"served_share": 0.97, "owed": {"云岭客运": 2550.0}}
    content = json.loads(report_to_bytes(report_content(scene, report, kpis, timings)))
    assert content["check"]["clean"] is False
    assert content["check"]["violations"][0]["code"] == code.value
    assert content["kpis"] == {"served_share": 0.97}
    assert content["owed"] == {"云岭客运": 2550.0}
    assert content["synthetic"] == ["orders", "fleet"]
    assert content["credits"][0].startswith("© OpenStreetMap")
    assert content["synthetic_orders"] == 1
    assert content["timings_s"] == timings
