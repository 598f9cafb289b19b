"""The commands as a newcomer meets them: help, wrong arguments, summary, exit codes, nothing half-written."""

import json
from io import StringIO
from pathlib import Path

import pytest
from command_line import Shanlu
from rich.cells import cell_len
from rich.console import Console
from small_day import CONFIG, ORDERS, SITES, write_day

import routing.checker
import routing.export
import routing.pipeline
from api.progress import show_progress
from routing.checker import Code, Report, Violation
from routing.pipeline import Status


def test_help_shows_what_works(shanlu: Shanlu) -> None:
    """Tests that no command, and --help, show the four commands within 80 columns and end well."""
    for arguments in ((), ("--help",)):
        answer = shanlu(*arguments)
        assert answer.code == 0
        assert [name in answer.out for name in ("demo", "scenario", "plan", "check")] == [True] * 4
        assert max(len(line) for line in answer.out.splitlines()) <= 80
    for command in ("demo", "scenario", "plan", "check"):
        answer = shanlu(command, "--help")
        assert answer.code == 0
        assert max(len(line) for line in answer.out.splitlines()) <= 80
    assert shanlu("--version").out.startswith("shanlu ")


WRONG_ARGUMENTS = [
    (("plan",), "Missing argument 'SCENARIO'."),
    (("pln",), "Did you mean 'plan'?"),
    (("plan", "x", "--sead", "1"), "No such option: --sead"),
    (("plan", "x", "--seed", "one"), "Invalid value for '--seed'"),
    (("plan", "x", "--time-limit", "0"), "Invalid value for '--time-limit'"),
    (("plan", "x", "--only", "vehicle,dron"), "did you mean drone?"),
    (("plan", "nowhere"), "the folder 'nowhere' is missing"),
    (("check", "nowhere", "plan.json"), "plan.json: cannot be read"),
    (("scenario",), "no area given"),
    (("scenario", "a.osm.pbf"), "--terrain"),
    (("scenario", "a.osm.pbf", "--place", "Andorra"), "AREA and --place exclude each other"),
    (("scenario", "--synthetic", "huge"), "'small', 'medium', 'large'"),
    (("scenario", "--synthetic", "small", "--terrain", "x.hgt"), "needs no --terrain"),
]


@pytest.mark.parametrize(("arguments", "phrase"), WRONG_ARGUMENTS)
def test_wrong_arguments_give_one_line(shanlu: Shanlu, arguments: tuple[str, ...], phrase: str) -> None:
    """Tests that a wrong argument ends with exit code 2 and one line that says which and why."""
    answer = shanlu(*arguments)
    lines = [line for line in answer.err.splitlines() if "reading" not in line]
    assert (answer.code, answer.out, len(lines)) == (2, "", 1)
    assert lines[0].startswith("error: ")
    assert phrase in lines[0]


def test_plan_and_check(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that a plan is written to out/<name of the scenario>, summed up in 80 columns, and found clean."""
    folder = write_day(tmp_path / "day")
    answer = shanlu("plan", folder)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert lines[0] == "Small valley, 2026-05-12"
    labels = [line[:24].strip() for line in lines[1:4]]
    assert labels == ["orders served", "in reach of vans", "no van reaches"]
    assert "checker               clean" in answer.out
    assert "plan  out/Small valley/plan.json" in lines
    assert any(line.startswith("map   out/Small valley/map.html") for line in lines)
    found = {path.relative_to(tmp_path / "out/Small valley").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert found >= {
        "plan.json",
        "plan.geojson",
        "routes.csv",
        "orders.csv",
        "alternatives.csv",
        "report.json",
        "map.html",
    }
    checked = shanlu("check", folder, "out/Small valley/plan.json")
    assert (checked.code, checked.out) == (0, "clean: no rule is broken\n")


def test_summary_fits_80_columns_in_chinese(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that Chinese names, two columns a character, do not push a note over 80 columns."""
    sites = SITES.replace("g1,Group", f"g1,{'竹井河银塘' * 12}")
    answer = shanlu("plan", write_day(tmp_path / "day", sites=sites), "--out", "out")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert sum("竹井河" in line for line in lines) >= 2
    assert max(cell_len(line) for line in lines) <= 80


def test_check_lists_violations(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that check exits 1 on a damaged plan with its code, and 2 on a file that is no plan."""
    folder = write_day(tmp_path / "day")
    assert shanlu("plan", folder, "--out", "out").code == 0
    plan = json.loads((tmp_path / "out/plan.json").read_text(encoding="utf-8"))
    plan["objective"]["total"] += 1
    (tmp_path / "false.json").write_text(json.dumps(plan), encoding="utf-8")
    answer = shanlu("check", folder, "false.json")
    assert answer.code == 1
    assert answer.out.splitlines()[-1] == "1 violation"
    (tmp_path / "none.json").write_text("{}", encoding="utf-8")
    assert shanlu("check", folder, "none.json").code == 2


def test_only_vehicle_prints_what_vans_reach(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that both runs of a comparison print how many orders vans reach, and how many of those are served."""
    folder = write_day(tmp_path / "day")
    vans = shanlu("plan", folder, "--out", "vans", "--only", "vehicle")
    full = shanlu("plan", folder, "--out", "all")
    assert (vans.code, full.code) == (0, 0)
    for answer in (vans, full):
        assert "    in reach of vans    4 of 4\n" in answer.out
    assert "    no van reaches      0 of 1" in vans.out
    assert "    no van reaches      1 of 1" in full.out
    plan = json.loads((tmp_path / "vans/plan.json").read_text(encoding="utf-8"))
    assert {route["kind"] for route in plan["routes"]} == {"vehicle"}
    assert plan["only"] == ["vehicle"]


def test_effort_and_seed_are_the_scenarios_unless_given(tmp_path: Path) -> None:
    """Tests that what the command line leaves open comes from scenario.toml, and iterations go before its clock."""
    seen = []

    def run(config: str, options: routing.pipeline.PlanOptions) -> tuple[float | None, int | None, int]:
        folder = write_day(tmp_path / "day", config=config)
        scenario = routing.scenario.read_scenario(folder)
        limits = routing.pipeline._limits(scenario, options)
        return limits.time_limit_s, limits.max_iterations, routing.pipeline._seed(scenario, options)

    own = CONFIG.replace("max_iterations = 2", "time_limit_s = 7\nseed = 5")
    seen.append(run(own, routing.pipeline.PlanOptions()))
    seen.append(run(own, routing.pipeline.PlanOptions(time_limit_s=3, seed=2)))
    seen.append(run(own, routing.pipeline.PlanOptions(max_iterations=9)))
    seen.append(run(CONFIG, routing.pipeline.PlanOptions()))
    assert seen == [(7.0, None, 5), (3, None, 2), (None, 9, 5), (None, 2, 1)]


def plan_with_break(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(staging: Path, *arguments: object, **options: object) -> None:
        (staging / "map.html").write_text("half")
        raise error

    monkeypatch.setattr(routing.pipeline, "write_outputs", broken)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("error", "code", "phrase"),
    [
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (KeyboardInterrupt(), 130, "nothing was written"),
        (RuntimeError("boom"), 3, "bug: Shanlu failed"),
    ],
)
def test_broken_writing_leaves_the_old_output(
    tmp_path: Path, shanlu: Shanlu, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, phrase: str
) -> None:
    """Tests that output appears whole or not at all: a break while writing leaves what was there, byte for byte."""
    folder = write_day(tmp_path / "day")
    assert shanlu("plan", folder, "--out", "out").code == 0
    before = content(tmp_path)
    (folder / "orders.csv").write_text(ORDERS.replace("o1,", "other,"), encoding="utf-8")
    plan_with_break(monkeypatch, error)
    answer = shanlu("plan", folder, "--out", "out")
    assert answer.code == code
    assert phrase in answer.err
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    assert content(tmp_path) == before


def test_a_plan_that_breaks_rules_is_a_bug_and_not_written(
    tmp_path: Path, shanlu: Shanlu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests that violations of our own plan are reported as a bug with the findings, exit code 3."""
    found = Report((Violation(Code.TIMING_OUTSIDE_WINDOW, "v1", 60.0, "s", "too late", "r1", "o1"),))
    monkeypatch.setattr(routing.pipeline, "check_plan", lambda *_arguments, **_options: found)
    answer = shanlu("plan", write_day(tmp_path / "day"), "--out", "out")
    assert answer.code == 3
    assert "this is a bug" in answer.err
    assert "too late" in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("prepare", ["scenario", "file"])
def test_unusable_output_folders_are_refused_before_the_work(
    tmp_path: Path, shanlu: Shanlu, monkeypatch: pytest.MonkeyPatch, prepare: str
) -> None:
    """Tests that a plan is not written over a scenario, whose orders it would replace, nor over a file."""

    def too_late(*_arguments: object, **_options: object) -> None:
        pytest.fail("the work was done before the folder was looked at")

    monkeypatch.setattr(routing.pipeline, "build_problem", too_late)
    folder = write_day(tmp_path / "day")
    (tmp_path / "file").write_text("")
    answer = shanlu("plan", folder, "--out", folder if prepare == "scenario" else "file")
    assert answer.code == 2
    assert ("OUTPUT_TAKEN" if prepare == "scenario" else "OUTPUT_NOT_WRITABLE") in answer.err
    assert (folder / "orders.csv").read_text(encoding="utf-8") == ORDERS


def test_place_without_network(tmp_path: Path, shanlu: Shanlu, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a download that fails is told as that, with what to do instead, exit code 4."""

    def offline(*_arguments: object, **_options: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("osmnx.graph_from_place", offline)
    (tmp_path / "t.hgt").write_bytes(b"")
    answer = shanlu("scenario", "--place", "Andorra", "--terrain", "t.hgt", "--out", "made")
    assert answer.code == 4
    assert "Streets of 'Andorra' could not be downloaded (no connection to OpenStreetMap)" in answer.err
    assert "give an extract file" in answer.err
    assert not (tmp_path / "made").exists()


def test_scenario_without_orders_is_planned(tmp_path: Path, shanlu: Shanlu) -> None:
    """Tests that a scenario of a map with no orders has the header of its orders, and its plan is empty."""
    folder = write_day(tmp_path / "day")
    from osm_maps import valley, write_terrain

    valley().write(folder / "valley.osm")
    write_terrain(folder / "valley.tif")
    made = shanlu(
        "scenario", folder / "valley.osm", "--terrain", folder / "valley.tif", "--orders", "0", "--out", "made"
    )
    assert made.code == 0, made.err
    assert "next      shanlu plan made" in made.out
    assert (tmp_path / "made/orders.csv").read_text() == "id,from_site,to_site,weight_kg,volume_l\n"
    answer = shanlu("plan", "made", "--out", "out", "--max-iterations", "1")
    assert answer.code == 0, answer.err
    assert "orders served         0 of 0" in answer.out


STATUSES = [
    Status("reading"),
    Status("construction", None, 0, 40, 1.0, 59.0, 0.0),
    Status("improvement", 123_456, 38, 40, 30.0, 30.0, 0.5),
]


def shown(*, terminal: bool) -> str:
    stream = StringIO()
    console = Console(file=stream, force_terminal=terminal, width=80, soft_wrap=not terminal)
    with show_progress(console) as report:
        for status in STATUSES:
            report(status)
    return stream.getvalue()


def test_progress_bar_on_a_terminal() -> None:
    """Tests that a terminal gets a bar that shows stage, best cost, orders served and time left in one line."""
    text = shown(terminal=True)
    assert "\x1b[" in text
    assert "improvement" in text
    assert "best cost 1,234.56, 38 of 40 served, 30 s left" in text
    assert "━" in text


def test_plain_lines_in_a_log() -> None:
    """Tests that a log gets one plain line for each stage."""
    lines = shown(terminal=False).splitlines()
    assert [line.split(" s  ", 1)[1].split()[0] for line in lines] == ["reading", "construction", "improvement"]
    assert lines[2].endswith("best cost 1,234.56, 38 of 40 served, 30 s left")
    assert "\x1b" not in "".join(lines)
